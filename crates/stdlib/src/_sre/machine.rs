//! The matcher: a backtracking machine with its own stacks, so that no pattern and no subject can exhaust the native one.
//!
//! `choices` holds what can still be tried, the latest on top; `trail` holds what marks and loop counters were before they
//! changed. To backtrack is to take the topmost choice and undo the trail down to where it was made.
#![allow(
    clippy::indexing_slicing,
    reason = "instructions and marks are checked when the program is translated; positions lie within the subject"
)]

use taipan_vm::prelude::*;

use super::charset::{Fold, is_ascii_word, is_unicode_word};
use super::program::{At, Greed, Op, Program, Single, WordKind};

/// A unit of the subject: a byte, or a character in one of the widths of `str`.
pub trait Unit: Copy {
    /// The character.
    fn code(self) -> u32;
    /// The first place of a character in the units.
    fn find(units: &[Self], code: u32) -> Option<usize>;
    /// The first place of several characters in the units.
    fn find_all(units: &[Self], codes: &[u32]) -> Option<usize>;
}

macro_rules! wide_unit {
    ($unit:ty) => {
        impl Unit for $unit {
            #[inline(always)]
            fn code(self) -> u32 {
                u32::from(self)
            }
            fn find(units: &[Self], code: u32) -> Option<usize> {
                let code = Self::try_from(code).ok()?;
                units.iter().position(|unit| *unit == code)
            }
            fn find_all(units: &[Self], codes: &[u32]) -> Option<usize> {
                let first = *codes.first()?;
                let mut from = 0;
                loop {
                    from += Self::find(&units[from..], first)?;
                    let rest = units.get(from..from + codes.len())?;
                    if rest.iter().zip(codes).all(|(unit, code)| unit.code() == *code) {
                        return Some(from);
                    }
                    from += 1;
                }
            }
        }
    };
}

wide_unit!(u16);
wide_unit!(u32);

impl Unit for u8 {
    #[inline(always)]
    fn code(self) -> u32 {
        u32::from(self)
    }
    fn find(units: &[Self], code: u32) -> Option<usize> {
        memchr::memchr(u8::try_from(code).ok()?, units)
    }
    fn find_all(units: &[Self], codes: &[u32]) -> Option<usize> {
        let mut bytes = [0; 64];
        let bytes = bytes.get_mut(..codes.len());
        let Some(bytes) = bytes else {
            let codes: Option<Vec<u8>> = codes.iter().map(|code| u8::try_from(*code).ok()).collect();
            return memchr::memmem::find(units, &codes?);
        };
        for (byte, code) in bytes.iter_mut().zip(codes) {
            *byte = u8::try_from(*code).ok()?;
        }
        memchr::memmem::find(units, bytes)
    }
}

/// No mark.
pub const UNSET: usize = usize::MAX;

/// How a match is looked for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// At the start.
    Match,
    /// At the start, up to the end.
    Full,
    /// Anywhere.
    Search,
}

/// What can still be tried.
#[derive(Clone, Copy)]
enum Choice {
    /// Going on at an instruction.
    Resume { at: usize },
    /// The ways of a branch from this one on.
    Ways { branch: usize, next: usize },
    /// A repetition of one character, shorter; its least end is `low`.
    Shorter { at: usize, low: usize },
    /// A repetition of one character, longer; `count` times so far.
    Longer { at: usize, count: usize },
    /// Another round of a lazy loop.
    Round { at: usize },
    /// What is settled as one; nothing to try.
    Barrier,
    /// A negative look around whose inside has failed.
    NotThere { after: usize },
}

struct Saved {
    choice: Choice,
    pos: usize,
    trail: usize,
}

/// What a change undid.
enum Undo {
    Mark(usize, usize),
    Last(usize),
    Loop(usize, Counter),
}

#[derive(Clone, Copy)]
struct Counter {
    rounds: usize,
    /// Where the latest round began.
    last: usize,
}

/// Where a barrier lies among the choices, and the place at which it was raised.
struct Barrier {
    height: usize,
    pos: usize,
}

/// The state of a match; kept for the next one to save allocations.
#[derive(Default)]
pub struct Machine {
    /// Start and end of each group, [`UNSET`] when it took no part.
    pub marks: Vec<usize>,
    /// The group closed last, from 1; 0 for none.
    pub last_group: usize,
    /// Where the match begins.
    pub from: usize,
    /// Where it ends.
    pub to: usize,
    loops: Vec<Counter>,
    choices: Vec<Saved>,
    trail: Vec<Undo>,
    barriers: Vec<Barrier>,
    /// How often the machine has backtracked, to look after signals now and then.
    steps: u32,
}

/// What is matched.
pub struct Request<'a, T> {
    /// The instructions.
    pub program: &'a Program,
    /// The subject up to where the match may go.
    pub units: &'a [T],
    /// Where it begins.
    pub start: usize,
    /// How it is looked for.
    pub mode: Mode,
    /// Refuses the empty match at `start`.
    pub must_advance: bool,
}

impl Machine {
    /// Looks for a match. Raises what a signal handler raises, and `MemoryError`.
    pub fn run<T: Unit>(&mut self, request: &Request<'_, T>, vm: &Vm) -> PyResult<bool> {
        let start = &request.program.start;
        let (units, from) = (request.units, request.start);
        if units.len() < from || units.len() - from < start.width {
            return Ok(false);
        }
        if request.mode != Mode::Search {
            return self.attempt(request, from, vm);
        }
        let last = units.len() - start.width;
        let mut at = from;
        while at <= last {
            if let [only] = start.prefix.as_slice() {
                match T::find(&units[at..], *only) {
                    Some(offset) => at += offset,
                    None => return Ok(false),
                }
            } else if !start.prefix.is_empty() {
                match T::find_all(&units[at..], &start.prefix) {
                    Some(offset) => at += offset,
                    None => return Ok(false),
                }
            } else if let Some(lead) = request.program.lead() {
                match lead.find(units, at, last) {
                    Some(place) => at = place,
                    None => return Ok(false),
                }
            } else if let Some(set) = &start.set {
                match units[at..].iter().position(|unit| set.contains(unit.code())) {
                    Some(offset) => at += offset,
                    None => return Ok(false),
                }
            }
            if start.whole {
                self.reset(request.program, at);
                self.to = at + start.prefix.len();
                return Ok(true);
            }
            if self.attempt(request, at, vm)? {
                return Ok(true);
            }
            // Nothing but the beginning can be where such a pattern begins.
            if matches!(request.program.ops.first(), Some(Op::At(At::Beginning))) {
                return Ok(false);
            }
            at += 1;
        }
        Ok(false)
    }

    fn reset(&mut self, program: &Program, from: usize) {
        self.marks.fill(UNSET);
        self.last_group = 0;
        self.from = from;
        self.to = from;
        self.loops.resize(program.loops, Counter { rounds: 0, last: UNSET });
        self.choices.clear();
        self.trail.clear();
        self.barriers.clear();
    }

    fn push(&mut self, choice: Choice, pos: usize, vm: &Vm) -> PyResult<()> {
        if self.choices.len() == self.choices.capacity() && self.choices.try_reserve(1).is_err() {
            return Err(vm.memory_error());
        }
        self.choices.push(Saved { choice, pos, trail: self.trail.len() });
        Ok(())
    }

    /// Notes what a change undoes; without a choice to come back to it need not be known.
    fn note(&mut self, undo: Undo, vm: &Vm) -> PyResult<()> {
        if self.choices.is_empty() {
            return Ok(());
        }
        if self.trail.len() == self.trail.capacity() && self.trail.try_reserve(1).is_err() {
            return Err(vm.memory_error());
        }
        self.trail.push(undo);
        Ok(())
    }

    fn undo_to(&mut self, height: usize) {
        while self.trail.len() > height {
            match self.trail.pop() {
                Some(Undo::Mark(mark, before)) => self.marks[mark] = before,
                Some(Undo::Last(before)) => self.last_group = before,
                Some(Undo::Loop(slot, before)) => self.loops[slot] = before,
                None => return,
            }
        }
    }

    fn set_mark(&mut self, mark: usize, pos: usize, vm: &Vm) -> PyResult<()> {
        self.note(Undo::Mark(mark, self.marks[mark]), vm)?;
        self.marks[mark] = pos;
        if mark % 2 == 1 {
            self.note(Undo::Last(self.last_group), vm)?;
            self.last_group = mark / 2 + 1;
        }
        Ok(())
    }

    fn set_loop(&mut self, slot: usize, counter: Counter, vm: &Vm) -> PyResult<()> {
        self.note(Undo::Loop(slot, self.loops[slot]), vm)?;
        self.loops[slot] = counter;
        Ok(())
    }

    /// What a group has matched.
    fn span(&self, group: usize) -> Option<(usize, usize)> {
        let (from, to) = (self.marks[2 * group], self.marks[2 * group + 1]);
        if from == UNSET || to == UNSET || to < from { None } else { Some((from, to)) }
    }

    /// Matches at one place.
    fn attempt<T: Unit>(&mut self, request: &Request<'_, T>, from: usize, vm: &Vm) -> PyResult<bool> {
        let (ops, units) = (request.program.ops.as_slice(), request.units);
        let end = units.len();
        self.reset(request.program, from);
        let (mut pc, mut pos) = (0, from);
        loop {
            let goes_on = match &ops[pc] {
                Op::Char(code) => {
                    let fits = pos < end && units[pos].code() == *code;
                    pos += usize::from(fits);
                    pc += 1;
                    fits
                }
                Op::One(single) => {
                    let fits = pos < end && single.takes(units[pos].code());
                    pos += usize::from(fits);
                    pc += 1;
                    fits
                }
                Op::Fail => false,
                Op::Success => {
                    let refused = request.mode == Mode::Full && pos != end
                        || request.must_advance && pos == request.start;
                    if !refused {
                        self.to = pos;
                        return Ok(true);
                    }
                    false
                }
                Op::At(place) => {
                    pc += 1;
                    is_at(*place, units, pos)
                }
                Op::Mark(mark) => {
                    self.set_mark(*mark, pos, vm)?;
                    pc += 1;
                    true
                }
                Op::Jump(to) => {
                    pc = *to;
                    true
                }
                Op::Branch(_) => match self.next_way(ops, units, pc, 0, pos, vm)? {
                    Some(start) => {
                        pc = start;
                        true
                    }
                    None => false,
                },
                Op::RepeatOne { single, min, max, greed, first } => {
                    let most = end.saturating_sub(pos).min(*max);
                    match greed {
                        Greed::Lazy => {
                            let least = (*min).min(most);
                            if most < *min || single.run(&units[pos..pos + least]) < *min {
                                false
                            } else {
                                pos += least;
                                match self.longer(ops, units, pc, *min, pos, vm)? {
                                    Some(reached) => {
                                        pos = reached;
                                        pc += 1;
                                        true
                                    }
                                    None => false,
                                }
                            }
                        }
                        Greed::Greedy | Greed::Possessive => {
                            let count = single.run(&units[pos..pos + most]);
                            if count < *min {
                                false
                            } else if count == *min || *greed == Greed::Possessive {
                                pos += count;
                                pc += 1;
                                true
                            } else {
                                let low = pos + min;
                                match shorter(ops, units, *first, low, pos + count) {
                                    Some(reached) => {
                                        if reached > low {
                                            self.push(Choice::Shorter { at: pc, low }, reached, vm)?;
                                        }
                                        pos = reached;
                                        pc += 1;
                                        true
                                    }
                                    None => false,
                                }
                            }
                        }
                    }
                }
                Op::LoopStart { slot, end } => {
                    self.set_loop(*slot, Counter { rounds: 0, last: UNSET }, vm)?;
                    pc = *end;
                    true
                }
                Op::LoopEnd { slot, min, max, body, greed } => {
                    let Counter { rounds, last } = self.loops[*slot];
                    if rounds < *min {
                        if *greed == Greed::Possessive {
                            self.raise_barrier(Choice::Barrier, pos, vm)?;
                        }
                        self.set_loop(*slot, Counter { rounds: rounds + 1, last }, vm)?;
                        pc = *body;
                    } else if *greed == Greed::Lazy {
                        if rounds < *max && pos != last {
                            self.push(Choice::Round { at: pc }, pos, vm)?;
                        }
                        pc += 1;
                    } else if rounds < *max && pos != last {
                        if *greed == Greed::Possessive {
                            self.raise_barrier(Choice::Barrier, pos, vm)?;
                        }
                        self.push(Choice::Resume { at: pc + 1 }, pos, vm)?;
                        self.set_loop(*slot, Counter { rounds: rounds + 1, last: pos }, vm)?;
                        pc = *body;
                    } else {
                        pc += 1;
                    }
                    true
                }
                Op::LookStart { back, negative, after } => {
                    if *back > pos {
                        pc = *after;
                        *negative
                    } else {
                        let choice =
                            if *negative { Choice::NotThere { after: *after } } else { Choice::Barrier };
                        self.raise_barrier(choice, pos, vm)?;
                        pos -= back;
                        pc += 1;
                        true
                    }
                }
                Op::LookEnd { negative } => {
                    let barrier = self.lower_barrier();
                    if *negative {
                        false
                    } else {
                        pos = barrier;
                        pc += 1;
                        true
                    }
                }
                Op::AtomicStart => {
                    self.raise_barrier(Choice::Barrier, pos, vm)?;
                    pc += 1;
                    true
                }
                Op::AtomicEnd => {
                    self.lower_barrier();
                    pc += 1;
                    true
                }
                Op::GroupRef { group, fold } => {
                    pc += 1;
                    match self.span(*group) {
                        None => false,
                        Some((from, to)) if to - from > end - pos => false,
                        Some((from, to)) => {
                            let again = &units[pos..pos + (to - from)];
                            let same = repeats(&units[from..to], again, *fold);
                            pos += if same { to - from } else { 0 };
                            same
                        }
                    }
                }
                Op::IfGroup { group, absent } => {
                    pc = if self.span(*group).is_some() { pc + 1 } else { *absent };
                    true
                }
            };
            if goes_on {
                continue;
            }
            match self.backtrack(ops, units, vm)? {
                Some((at, place)) => (pc, pos) = (at, place),
                None => return Ok(false),
            }
        }
    }

    /// Takes the latest choice that leads anywhere: the instruction and the place to go on with.
    fn backtrack<T: Unit>(&mut self, ops: &[Op], units: &[T], vm: &Vm) -> PyResult<Option<(usize, usize)>> {
        self.steps = self.steps.wrapping_add(1);
        if self.steps % 4096 == 0 {
            taipan_vm::runtime::pending::check_signals(vm)?;
        }
        while let Some(Saved { choice, pos, trail }) = self.choices.pop() {
            self.undo_to(trail);
            let next = match choice {
                Choice::Resume { at } => Some((at, pos)),
                Choice::Ways { branch, next } => {
                    self.next_way(ops, units, branch, next, pos, vm)?.map(|start| (start, pos))
                }
                Choice::Shorter { at, low } => {
                    let first = match &ops[at] {
                        Op::RepeatOne { first, .. } => *first,
                        _ => None,
                    };
                    match shorter(ops, units, first, low, pos - 1) {
                        Some(reached) => {
                            if reached > low {
                                self.push(Choice::Shorter { at, low }, reached, vm)?;
                            }
                            Some((at + 1, reached))
                        }
                        None => None,
                    }
                }
                Choice::Longer { at, count } => match &ops[at] {
                    Op::RepeatOne { single, max, .. }
                        if count < *max && pos < units.len() && single.takes(units[pos].code()) =>
                    {
                        self.longer(ops, units, at, count + 1, pos + 1, vm)?.map(|reached| (at + 1, reached))
                    }
                    _ => None,
                },
                Choice::Round { at } => match &ops[at] {
                    Op::LoopEnd { slot, body, .. } => {
                        let rounds = self.loops[*slot].rounds + 1;
                        self.set_loop(*slot, Counter { rounds, last: pos }, vm)?;
                        Some((*body, pos))
                    }
                    _ => None,
                },
                Choice::Barrier => {
                    self.barriers.pop();
                    None
                }
                Choice::NotThere { after } => {
                    self.barriers.pop();
                    Some((after, pos))
                }
            };
            if next.is_some() {
                return Ok(next);
            }
        }
        Ok(None)
    }

    /// The first instruction of the next way that can match; the ways behind it are noted.
    fn next_way<T: Unit>(
        &mut self,
        ops: &[Op],
        units: &[T],
        branch: usize,
        from: usize,
        pos: usize,
        vm: &Vm,
    ) -> PyResult<Option<usize>> {
        let Op::Branch(ways) = &ops[branch] else { return Ok(None) };
        for (index, way) in ways.iter().enumerate().skip(from) {
            if way.first.is_none_or(|first| can_start(&ops[first], units, pos)) {
                if index + 1 < ways.len() {
                    self.push(Choice::Ways { branch, next: index + 1 }, pos, vm)?;
                }
                return Ok(Some(way.start));
            }
        }
        Ok(None)
    }

    /// The nearest place from `pos` on, which a lazy repetition has reached with `count` characters, where what follows
    /// can begin.
    fn longer<T: Unit>(
        &mut self,
        ops: &[Op],
        units: &[T],
        at: usize,
        mut count: usize,
        mut pos: usize,
        vm: &Vm,
    ) -> PyResult<Option<usize>> {
        let Op::RepeatOne { single, max, first, .. } = &ops[at] else { return Ok(None) };
        if let Some(first) = first {
            while !can_start(&ops[*first], units, pos) {
                if count == *max || pos >= units.len() || !single.takes(units[pos].code()) {
                    return Ok(None);
                }
                count += 1;
                pos += 1;
            }
        }
        if count < *max && pos < units.len() {
            self.push(Choice::Longer { at, count }, pos, vm)?;
        }
        Ok(Some(pos))
    }

    fn raise_barrier(&mut self, choice: Choice, pos: usize, vm: &Vm) -> PyResult<()> {
        self.barriers.push(Barrier { height: self.choices.len(), pos });
        self.push(choice, pos, vm)
    }

    /// Settles everything since the latest barrier; gives the place where it was raised.
    fn lower_barrier(&mut self) -> usize {
        match self.barriers.pop() {
            Some(barrier) => {
                self.choices.truncate(barrier.height);
                barrier.pos
            }
            None => 0,
        }
    }
}

/// The last place from `high` down to `low` where what follows can begin.
#[inline]
fn shorter<T: Unit>(ops: &[Op], units: &[T], first: Option<usize>, low: usize, high: usize) -> Option<usize> {
    let Some(first) = first else { return Some(high) };
    let test = &ops[first];
    let mut at = high;
    loop {
        if can_start(test, units, at) {
            return Some(at);
        }
        if at == low {
            return None;
        }
        at -= 1;
    }
}

/// Whether an instruction that tests one character takes the one at `pos`.
#[inline(always)]
fn can_start<T: Unit>(test: &Op, units: &[T], pos: usize) -> bool {
    let Some(unit) = units.get(pos) else { return false };
    match test {
        Op::Char(code) => unit.code() == *code,
        Op::One(single) => single.takes(unit.code()),
        _ => true,
    }
}

impl Single {
    /// Whether it takes the character.
    #[inline(always)]
    pub fn takes(&self, code: u32) -> bool {
        match self {
            Single::Any => code != u32::from(b'\n'),
            Single::All => true,
            Single::Char(wanted) => code == *wanted,
            Single::NotChar(refused) => code != *refused,
            Single::Set(set) => set.contains(code),
        }
    }

    /// How many of the units from the first on it takes.
    fn run<T: Unit>(&self, units: &[T]) -> usize {
        let all = units.len();
        match self {
            Single::Any => T::find(units, u32::from(b'\n')).unwrap_or(all),
            Single::All => all,
            Single::NotChar(refused) => T::find(units, *refused).unwrap_or(all),
            Single::Char(wanted) => units.iter().position(|unit| unit.code() != *wanted).unwrap_or(all),
            Single::Set(set) => units.iter().position(|unit| !set.contains(unit.code())).unwrap_or(all),
        }
    }
}

fn repeats<T: Unit>(before: &[T], again: &[T], fold: Fold) -> bool {
    let same = |a: u32, b: u32| a == b || fold != Fold::None && fold.apply(a) == fold.apply(b);
    before.iter().zip(again).all(|(a, b)| same(a.code(), b.code()))
}

fn is_at<T: Unit>(place: At, units: &[T], pos: usize) -> bool {
    let newline = |at: usize| units.get(at).is_some_and(|unit| unit.code() == u32::from(b'\n'));
    let end = units.len();
    match place {
        At::Beginning => pos == 0,
        At::BeginningLine => pos == 0 || newline(pos - 1),
        At::End => pos == end || pos + 1 == end && newline(pos),
        At::EndLine => pos == end || newline(pos),
        At::EndString => pos == end,
        At::Boundary(kind, wanted) => {
            let word = |at: Option<usize>| {
                at.and_then(|at| units.get(at)).is_some_and(|unit| match kind {
                    WordKind::Ascii => is_ascii_word(unit.code()),
                    WordKind::Unicode => is_unicode_word(unit.code()),
                    WordKind::Locale => super::charset::is_locale_word(unit.code()),
                })
            };
            (word(pos.checked_sub(1)) != word(Some(pos))) == wanted
        }
    }
}
