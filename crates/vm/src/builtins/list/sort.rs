//! Timsort: stable, adaptive merge sort with galloping (Tim Peters' "listsort") and powersort's merge order (Munro and Wild).
//!
//! Natural runs are found, short ones are made `minrun` long by binary insertion, and neighbours are merged in the order
//! that keeps the merge tree nearly optimal. While one side keeps winning, a merge gallops: it searches exponentially for
//! where the other side comes in. A comparison that raises stops everything with the items permuted, none lost.
//!
//! Before sorting, the keys are looked at: when all are strings, small ints, floats or tuples of one kind, they are compared
//! without the protocol.
//!
//! The list is empty to Python code that looks at it while it is sorted.
#![allow(
    clippy::indexing_slicing,
    reason = "all positions stay within the run being merged, which holds also when comparisons are inconsistent"
)]

use std::ptr::NonNull;

use super::List;
use crate::builtins::dict::table::plain_equal;
use crate::builtins::str::StrData;
use crate::prelude::*;

/// When a side wins that often in a row, the merge gallops.
const MIN_GALLOP: usize = 7;

/// What is moved around: a borrowed key, with the place of its item when keys were computed.
trait Element: Copy {
    fn key(&self) -> &Object;
}

#[derive(Clone, Copy)]
struct Plain(NonNull<Object>);

#[derive(Clone, Copy)]
struct Keyed {
    key: NonNull<Object>,
    item: NonNull<Object>,
}

impl Element for Plain {
    #[inline(always)]
    fn key(&self) -> &Object {
        // SAFETY: the items are owned by `sort` until it ends.
        unsafe { self.0.as_ref() }
    }
}

impl Element for Keyed {
    #[inline(always)]
    fn key(&self) -> &Object {
        // SAFETY: keys and items are owned by `sort` until it ends.
        unsafe { self.key.as_ref() }
    }
}

/// How keys are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// Exact strings of one byte a character.
    Latin1,
    /// Exact ints of one digit.
    SmallInt,
    /// Exact floats.
    Float,
    /// By the protocol.
    General,
}

fn kind_of(key: &Object) -> Kind {
    if let Some(text) = key.downcast_exact::<Str>() {
        return if matches!(text.data(), StrData::Ucs1(_)) { Kind::Latin1 } else { Kind::General };
    }
    if let Some(int) = key.downcast_exact::<Int>() {
        return if int.is_compact() { Kind::SmallInt } else { Kind::General };
    }
    if key.downcast_exact::<Float>().is_some() { Kind::Float } else { Kind::General }
}

fn common_kind<'a>(mut keys: impl Iterator<Item = &'a Object>) -> Kind {
    let Some(kind) = keys.next().map(kind_of) else { return Kind::General };
    if kind != Kind::General && keys.all(|key| kind_of(key) == kind) { kind } else { Kind::General }
}

fn latin1_less(a: &Object, b: &Object) -> bool {
    // SAFETY: the keys were found to be exact strings of that kind, which never change.
    match unsafe { (a.cast::<Str>().data(), b.cast::<Str>().data()) } {
        (StrData::Ucs1(a), StrData::Ucs1(b)) => a < b,
        _ => false,
    }
}

fn int_less(a: &Object, b: &Object) -> bool {
    // SAFETY: the keys were found to be exact one-digit ints.
    unsafe { a.cast::<Int>().compact_value() < b.cast::<Int>().compact_value() }
}

fn float_less(a: &Object, b: &Object) -> bool {
    // SAFETY: the keys were found to be exact floats.
    unsafe { a.cast::<Float>().value() < b.cast::<Float>().value() }
}

fn general_less(a: &Object, b: &Object, vm: &Vm) -> PyResult<bool> {
    a.rich_compare_bool(b, CompareOp::Lt, vm)
}

fn less_by(kind: Kind, a: &Object, b: &Object, vm: &Vm) -> PyResult<bool> {
    match kind {
        Kind::Latin1 => Ok(latin1_less(a, b)),
        Kind::SmallInt => Ok(int_less(a, b)),
        Kind::Float => Ok(float_less(a, b)),
        Kind::General => general_less(a, b, vm),
    }
}

/// Compares exact tuples; `first` is the kind of all first items.
fn tuple_less(first: Kind, a: &Object, b: &Object, vm: &Vm) -> PyResult<bool> {
    // SAFETY: the keys were found to be exact tuples.
    let (a, b) = unsafe { (a.cast::<Tuple>().as_slice(), b.cast::<Tuple>().as_slice()) };
    for (i, (x, y)) in a.iter().zip(b).enumerate() {
        let equal = match plain_equal(x, y) {
            Some(equal) => equal,
            None => x.rich_compare_bool(y, CompareOp::Eq, vm)?,
        };
        if !equal {
            return less_by(if i == 0 { first } else { Kind::General }, x, y, vm);
        }
    }
    Ok(a.len() < b.len())
}

/// `list.sort(key=key, reverse=reverse)`.
pub(super) fn sort(list: &List, key: Option<&Object>, reverse: bool, vm: &Vm) -> PyResult<()> {
    let vector = list.detach_vector();
    // Any change of the list from now on sets a capacity.
    list.allocated.set(-1);
    // SAFETY: the vector is ours alone until it is put back; it holds live references.
    let items = unsafe { vector.as_slice() };
    let mut keys: Vec<ObjRef> = Vec::new();
    let mut result = Ok(());
    if let Some(function) = key {
        keys.reserve_exact(items.len());
        for item in items {
            match function.call(&[item], vm) {
                Ok(key) => keys.push(key),
                Err(raised) => {
                    result = Err(raised);
                    break;
                }
            }
        }
    }
    if result.is_ok() && items.len() > 1 {
        if key.is_some() {
            let pairs = items.iter().zip(&keys);
            let mut elements: Vec<Keyed> =
                pairs.map(|(item, key)| Keyed { key: pointer(key), item: pointer(item) }).collect();
            result = sort_elements(&mut elements, reverse, vm);
            vector.reorder(elements.iter().map(|e| e.item));
        } else {
            let mut elements: Vec<Plain> = items.iter().map(|item| Plain(pointer(item))).collect();
            result = sort_elements(&mut elements, reverse, vm);
            vector.reorder(elements.iter().map(|e| e.0));
        }
    }
    // Releasing the keys may change the list too.
    drop(keys);
    let modified = list.allocated.get() != -1;
    list.attach_vector(vector);
    if modified && result.is_ok() {
        return Err(vm.value_error("list modified during sort"));
    }
    result
}

fn pointer(object: &ObjRef) -> NonNull<Object> {
    NonNull::from(&**object)
}

fn sort_elements<T: Element>(elements: &mut [T], reverse: bool, vm: &Vm) -> PyResult<()> {
    // Reversing before and after keeps equal items in their order.
    if reverse {
        elements.reverse();
    }
    let tuples = elements.iter().all(|e| e.key().downcast_exact::<Tuple>().is_some_and(|t| !t.is_empty()));
    let result = if tuples {
        let first = common_kind(elements.iter().filter_map(|e| e.key().downcast_exact::<Tuple>()?.get(0)));
        timsort(elements, &|a: &T, b: &T| tuple_less(first, a.key(), b.key(), vm))
    } else {
        match common_kind(elements.iter().map(Element::key)) {
            Kind::Latin1 => timsort(elements, &|a: &T, b: &T| Ok(latin1_less(a.key(), b.key()))),
            Kind::SmallInt => timsort(elements, &|a: &T, b: &T| Ok(int_less(a.key(), b.key()))),
            Kind::Float => timsort(elements, &|a: &T, b: &T| Ok(float_less(a.key(), b.key()))),
            Kind::General => timsort(elements, &|a: &T, b: &T| general_less(a.key(), b.key(), vm)),
        }
    };
    if reverse {
        elements.reverse();
    }
    result
}

/// A sorted stretch that waits to be merged.
struct Run {
    start: usize,
    len: usize,
    /// Depth in powersort's tree of the border to the next run.
    power: u32,
}

struct State<T> {
    /// Room for the shorter side of a merge.
    spare: Vec<T>,
    min_gallop: usize,
    pending: Vec<Run>,
}

/// Sorts by `less`, which may raise.
fn timsort<T: Copy>(a: &mut [T], less: &impl Fn(&T, &T) -> PyResult<bool>) -> PyResult<()> {
    let total = a.len();
    let minrun = minimal_run(total);
    let mut state = State { spare: Vec::new(), min_gallop: MIN_GALLOP, pending: Vec::new() };
    let mut start = 0;
    while start < total {
        let rest = total - start;
        let mut len = count_run(&mut a[start..], less)?;
        if len < minrun {
            let forced = minrun.min(rest);
            binary_insertion(&mut a[start..start + forced], len, less)?;
            len = forced;
        }
        found_run(a, &mut state, start, len, less)?;
        state.pending.push(Run { start, len, power: 0 });
        start += len;
    }
    while state.pending.len() > 1 {
        let mut n = state.pending.len() - 2;
        if n > 0 && state.pending[n - 1].len < state.pending[n + 1].len {
            n -= 1;
        }
        merge_at(a, &mut state, n, less)?;
    }
    Ok(())
}

/// A run length for which the number of runs is a power of two or slightly less.
fn minimal_run(mut n: usize) -> usize {
    let mut odd = 0;
    while n >= 64 {
        odd |= n & 1;
        n >>= 1;
    }
    n + odd
}

/// The length of the run at the start; a strictly descending one is reversed.
fn count_run<T: Copy>(a: &mut [T], less: &impl Fn(&T, &T) -> PyResult<bool>) -> PyResult<usize> {
    if a.len() < 2 {
        return Ok(a.len());
    }
    let mut n = 2;
    if less(&a[1], &a[0])? {
        while n < a.len() && less(&a[n], &a[n - 1])? {
            n += 1;
        }
        a[..n].reverse();
    } else {
        while n < a.len() && !less(&a[n], &a[n - 1])? {
            n += 1;
        }
    }
    Ok(n)
}

/// Sorts `a`, of which the first `sorted` are sorted already.
fn binary_insertion<T: Copy>(
    a: &mut [T],
    sorted: usize,
    less: &impl Fn(&T, &T) -> PyResult<bool>,
) -> PyResult<()> {
    for i in sorted.max(1)..a.len() {
        let pivot = a[i];
        let (mut low, mut high) = (0, i);
        while low < high {
            let middle = low + (high - low) / 2;
            if less(&pivot, &a[middle])? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        a.copy_within(low..i, low + 1);
        a[low] = pivot;
    }
    Ok(())
}

/// The depth at which the border between two neighbouring runs lies in the ideal merge tree.
fn power(start: usize, len_a: usize, len_b: usize, total: usize) -> u32 {
    let mut a = 2 * start + len_a;
    let mut b = a + len_a + len_b;
    let mut depth = 0;
    loop {
        depth += 1;
        if a >= total {
            a -= total;
            b -= total;
        } else if b >= total {
            return depth;
        }
        a <<= 1;
        b <<= 1;
    }
}

/// Merges what powersort wants merged before the run found at `start` is put on the stack.
fn found_run<T: Copy>(
    a: &mut [T],
    state: &mut State<T>,
    start: usize,
    len: usize,
    less: &impl Fn(&T, &T) -> PyResult<bool>,
) -> PyResult<()> {
    let total = a.len();
    debug_assert!(state.pending.last().is_none_or(|last| last.start + last.len == start));
    let Some(last) = state.pending.last() else { return Ok(()) };
    let depth = power(last.start, last.len, len, total);
    while state.pending.len() > 1 && state.pending[state.pending.len() - 2].power > depth {
        merge_at(a, state, state.pending.len() - 2, less)?;
    }
    if let Some(last) = state.pending.last_mut() {
        last.power = depth;
    }
    Ok(())
}

/// Merges the waiting runs `i` and `i + 1`.
fn merge_at<T: Copy>(
    a: &mut [T],
    state: &mut State<T>,
    i: usize,
    less: &impl Fn(&T, &T) -> PyResult<bool>,
) -> PyResult<()> {
    let right = state.pending.remove(i + 1);
    let left = &mut state.pending[i];
    let (start, mid, end) = (left.start, right.start, right.start + right.len);
    left.len += right.len;
    left.power = right.power;
    // What is in place already at both ends needs no merging.
    let skip = gallop_right(&a[mid], &a[start..mid], 0, less)?;
    let start = start + skip;
    if start == mid {
        return Ok(());
    }
    let keep = gallop_left(&a[mid - 1], &a[mid..end], end - mid - 1, less)?;
    if keep == 0 {
        return Ok(());
    }
    let part = &mut a[start..mid + keep];
    if mid - start <= keep {
        merge_low(part, mid - start, state, less)
    } else {
        merge_high(part, mid - start, state, less)
    }
}

/// Where `key` belongs in the sorted `a`, left of equal items. The search starts at `hint`.
fn gallop_left<T>(
    key: &T,
    a: &[T],
    hint: usize,
    less: &impl Fn(&T, &T) -> PyResult<bool>,
) -> PyResult<usize> {
    let (mut low, mut high);
    let mut last = 0;
    let mut offset = 1;
    if less(&a[hint], key)? {
        let max = a.len() - hint;
        while offset < max && less(&a[hint + offset], key)? {
            last = offset;
            offset = (offset << 1) + 1;
        }
        low = hint + last + 1;
        high = hint + offset.min(max);
    } else {
        let max = hint + 1;
        while offset < max && !less(&a[hint - offset], key)? {
            last = offset;
            offset = (offset << 1) + 1;
        }
        low = max - offset.min(max);
        high = hint - last;
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if less(&a[middle], key)? {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    Ok(high)
}

/// Where `key` belongs in the sorted `a`, right of equal items. The search starts at `hint`.
fn gallop_right<T>(
    key: &T,
    a: &[T],
    hint: usize,
    less: &impl Fn(&T, &T) -> PyResult<bool>,
) -> PyResult<usize> {
    let (mut low, mut high);
    let mut last = 0;
    let mut offset = 1;
    if less(key, &a[hint])? {
        let max = hint + 1;
        while offset < max && less(key, &a[hint - offset])? {
            last = offset;
            offset = (offset << 1) + 1;
        }
        low = max - offset.min(max);
        high = hint - last;
    } else {
        let max = a.len() - hint;
        while offset < max && !less(key, &a[hint + offset])? {
            last = offset;
            offset = (offset << 1) + 1;
        }
        low = hint + last + 1;
        high = hint + offset.min(max);
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if less(key, &a[middle])? {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(high)
}

/// Merges `a[..mid]`, the shorter side, with `a[mid..]` from the left. `a[mid] < a[0]`, and the last of the left side goes last.
fn merge_low<T: Copy>(
    a: &mut [T],
    mid: usize,
    state: &mut State<T>,
    less: &impl Fn(&T, &T) -> PyResult<bool>,
) -> PyResult<()> {
    state.spare.clear();
    state.spare.extend_from_slice(&a[..mid]);
    // `left[i..]` waits in the spare room, `a[j..]` in place; everything before `to` is merged, and
    // `to + left.len() - i == j` throughout.
    let (mut i, mut j, mut to) = (0, mid, 0);
    let result = merge_low_loop(a, &state.spare, &mut state.min_gallop, &mut i, &mut j, &mut to, less);
    let left = &state.spare[i..];
    if result.is_ok() && left.len() == 1 && j < a.len() {
        let last = left[0];
        a.copy_within(j.., to);
        let end = a.len() - 1;
        a[end] = last;
    } else {
        a[to..to + left.len()].copy_from_slice(left);
    }
    result
}

fn merge_low_loop<T: Copy>(
    a: &mut [T],
    left: &[T],
    min_gallop: &mut usize,
    i: &mut usize,
    j: &mut usize,
    to: &mut usize,
    less: &impl Fn(&T, &T) -> PyResult<bool>,
) -> PyResult<()> {
    let end = a.len();
    macro_rules! take_right {
        () => {{
            a[*to] = a[*j];
            *to += 1;
            *j += 1;
            if *j == end {
                return Ok(());
            }
        }};
    }
    macro_rules! take_left {
        () => {{
            a[*to] = left[*i];
            *to += 1;
            *i += 1;
            if *i + 1 == left.len() {
                return Ok(());
            }
        }};
    }
    take_right!();
    if left.len() == 1 {
        return Ok(());
    }
    loop {
        let (mut left_wins, mut right_wins) = (0, 0);
        loop {
            if less(&a[*j], &left[*i])? {
                right_wins += 1;
                left_wins = 0;
                take_right!();
                if right_wins >= *min_gallop {
                    break;
                }
            } else {
                left_wins += 1;
                right_wins = 0;
                take_left!();
                if left_wins >= *min_gallop {
                    break;
                }
            }
        }
        *min_gallop += 1;
        loop {
            *min_gallop -= usize::from(*min_gallop > 1);
            left_wins = gallop_right(&a[*j], &left[*i..], 0, less)?;
            if left_wins > 0 {
                a[*to..*to + left_wins].copy_from_slice(&left[*i..*i + left_wins]);
                *to += left_wins;
                *i += left_wins;
                // All of the left side at once happens only when comparisons are inconsistent.
                if *i + 1 >= left.len() {
                    return Ok(());
                }
            }
            take_right!();
            right_wins = gallop_left(&left[*i], &a[*j..], 0, less)?;
            if right_wins > 0 {
                a.copy_within(*j..*j + right_wins, *to);
                *to += right_wins;
                *j += right_wins;
                if *j == end {
                    return Ok(());
                }
            }
            take_left!();
            if left_wins < MIN_GALLOP && right_wins < MIN_GALLOP {
                break;
            }
        }
        *min_gallop += 1;
    }
}

/// Merges `a[..mid]` with `a[mid..]`, the shorter side, from the right. `a[mid] < a[0]`, and the last of the left side goes last.
fn merge_high<T: Copy>(
    a: &mut [T],
    mid: usize,
    state: &mut State<T>,
    less: &impl Fn(&T, &T) -> PyResult<bool>,
) -> PyResult<()> {
    state.spare.clear();
    state.spare.extend_from_slice(&a[mid..]);
    // `a[..i]` waits in place, `right[..j]` in the spare room; everything from `i + j` on is merged.
    let (mut i, mut j) = (mid, state.spare.len());
    let result = merge_high_loop(a, &state.spare, &mut state.min_gallop, &mut i, &mut j, less);
    let right = &state.spare[..j];
    if result.is_ok() && right.len() == 1 && i > 0 {
        let first = right[0];
        a.copy_within(..i, 1);
        a[0] = first;
    } else {
        a[i..i + right.len()].copy_from_slice(right);
    }
    result
}

fn merge_high_loop<T: Copy>(
    a: &mut [T],
    right: &[T],
    min_gallop: &mut usize,
    i: &mut usize,
    j: &mut usize,
    less: &impl Fn(&T, &T) -> PyResult<bool>,
) -> PyResult<()> {
    macro_rules! take_left {
        () => {{
            a[*i + *j - 1] = a[*i - 1];
            *i -= 1;
            if *i == 0 {
                return Ok(());
            }
        }};
    }
    macro_rules! take_right {
        () => {{
            a[*i + *j - 1] = right[*j - 1];
            *j -= 1;
            if *j == 1 {
                return Ok(());
            }
        }};
    }
    take_left!();
    if right.len() == 1 {
        return Ok(());
    }
    loop {
        let (mut left_wins, mut right_wins) = (0, 0);
        loop {
            if less(&right[*j - 1], &a[*i - 1])? {
                left_wins += 1;
                right_wins = 0;
                take_left!();
                if left_wins >= *min_gallop {
                    break;
                }
            } else {
                right_wins += 1;
                left_wins = 0;
                take_right!();
                if right_wins >= *min_gallop {
                    break;
                }
            }
        }
        *min_gallop += 1;
        loop {
            *min_gallop -= usize::from(*min_gallop > 1);
            left_wins = *i - gallop_right(&right[*j - 1], &a[..*i], *i - 1, less)?;
            if left_wins > 0 {
                let from = *i - left_wins;
                a.copy_within(from..*i, from + *j);
                *i = from;
                if *i == 0 {
                    return Ok(());
                }
            }
            take_right!();
            right_wins = *j - gallop_left(&a[*i - 1], &right[..*j], *j - 1, less)?;
            if right_wins > 0 {
                let from = *j - right_wins;
                a[*i + from..*i + *j].copy_from_slice(&right[from..*j]);
                *j = from;
                // All of the right side at once happens only when comparisons are inconsistent.
                if *j <= 1 {
                    return Ok(());
                }
            }
            take_left!();
            if left_wins < MIN_GALLOP && right_wins < MIN_GALLOP {
                break;
            }
        }
        *min_gallop += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::timsort;

    fn check(mut items: Vec<(u32, usize)>) {
        let mut want = items.clone();
        want.sort_by_key(|(key, _)| *key);
        assert!(timsort(&mut items, &|a, b| Ok(a.0 < b.0)).is_ok());
        assert_eq!(items, want);
    }

    #[test]
    fn sorts_stably() {
        let mut seed = 12345u64;
        for len in [0, 1, 2, 3, 10, 63, 64, 65, 200, 1000, 5000] {
            for modulus in [2u32, 10, 1000, u32::MAX] {
                let mut items = Vec::new();
                for n in 0..len {
                    seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
                    items.push(((seed >> 33) as u32 % modulus, n));
                }
                check(items.clone());
                items.sort();
                check(items.clone());
                items.reverse();
                check(items.clone());
                let half = items.len() / 2;
                items[..half].sort();
                check(items);
            }
        }
    }

    #[test]
    fn survives_inconsistent_and_failing_comparisons() {
        for bits in 0..64u64 {
            let calls = std::cell::Cell::new(bits);
            let mut items: Vec<u32> = (0..777).collect();
            let answer = |_: &u32, _: &u32| {
                calls.set(calls.get().wrapping_mul(6364136223846793005).wrapping_add(99));
                if bits % 3 == 0 && calls.get() >> 55 == 7 {
                    Err(crate::Raised)
                } else {
                    Ok(calls.get() >> 63 == 1)
                }
            };
            let _ = timsort(&mut items, &answer);
            items.sort_unstable();
            assert_eq!(items, (0..777).collect::<Vec<_>>());
        }
    }
}
