//! `_heapq`: binary heaps in lists, with the smallest or (`_max`) the largest item in front.

use taipan_vm::prelude::*;

/// The module.
pub struct Heapq;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Smallest,
    Largest,
}

impl Order {
    /// Whether `a` has to stand in front of `b`.
    fn before(self, a: &Object, b: &Object, vm: &Vm) -> PyResult<bool> {
        match self {
            Order::Smallest => a.rich_compare_bool(b, CompareOp::Lt, vm),
            Order::Largest => b.rich_compare_bool(a, CompareOp::Lt, vm),
        }
    }
}

/// An item of the heap; comparing may have made the list shorter.
fn item(heap: &List, at: usize, vm: &Vm) -> PyResult {
    heap.get(at).ok_or_else(|| vm.index_error("index out of range"))
}

fn check_size(heap: &List, size: usize, vm: &Vm) -> PyResult<()> {
    if heap.len() == size { Ok(()) } else { Err(vm.runtime_error("list changed size during iteration")) }
}

/// Moves the item at `at` towards `start` until its parent stands in front of it rightly.
fn move_to_front(heap: &List, start: usize, mut at: usize, order: Order, vm: &Vm) -> PyResult<()> {
    let size = heap.len();
    let moved = item(heap, at, vm)?;
    while at > start {
        let parent = (at - 1) / 2;
        let above = item(heap, parent, vm)?;
        let ahead = order.before(&moved, &above, vm)?;
        check_size(heap, size, vm)?;
        if !ahead {
            break;
        }
        heap.swap(parent, at);
        at = parent;
    }
    Ok(())
}

/// Moves the item at `start` down to a leaf along the better children, and from there to its place.
fn sink(heap: &List, start: usize, order: Order, vm: &Vm) -> PyResult<()> {
    let size = heap.len();
    if start >= size {
        return Err(vm.index_error("index out of range"));
    }
    let mut at = start;
    while at < size / 2 {
        let mut child = 2 * at + 1;
        if child + 1 < size {
            let (left, right) = (item(heap, child, vm)?, item(heap, child + 1, vm)?);
            let left_first = order.before(&left, &right, vm)?;
            check_size(heap, size, vm)?;
            child += usize::from(!left_first);
        }
        heap.swap(child, at);
        at = child;
    }
    move_to_front(heap, start, at, order, vm)
}

fn push(heap: &List, new: &Object, order: Order, vm: &Vm) -> PyResult<()> {
    heap.append(new.to_ref());
    move_to_front(heap, 0, heap.len() - 1, order, vm)
}

fn pop(heap: &List, order: Order, vm: &Vm) -> PyResult {
    let Some(last) = heap.len().checked_sub(1).and_then(|at| heap.remove_at(at)) else {
        return Err(vm.index_error("pop from empty list"));
    };
    match heap.get(0) {
        None => Ok(last),
        Some(first) => {
            heap.set(0, last);
            sink(heap, 0, order, vm)?;
            Ok(first)
        }
    }
}

fn replace(heap: &List, new: &Object, order: Order, vm: &Vm) -> PyResult {
    let first = item(heap, 0, vm)?;
    heap.set(0, new.to_ref());
    sink(heap, 0, order, vm)?;
    Ok(first)
}

fn push_pop(heap: &List, new: &Object, order: Order, vm: &Vm) -> PyResult {
    let Some(first) = heap.get(0) else { return Ok(new.to_ref()) };
    if !order.before(&first, new, vm)? {
        return Ok(new.to_ref());
    }
    replace(heap, new, order, vm)
}

fn order_all(heap: &List, order: Order, vm: &Vm) -> PyResult<()> {
    (0..heap.len() / 2).rev().try_for_each(|at| sink(heap, at, order, vm))
}

/// Heap queue algorithm (a.k.a. priority queue).
///
/// Heaps are arrays for which a[k] <= a[2*k+1] and a[k] <= a[2*k+2] for
/// all k, counting elements from 0.  For the sake of comparison,
/// non-existing elements are considered to be infinite.  The interesting
/// property of a heap is that a[0] is always its smallest element.
#[pymodule(name = "_heapq")]
impl Heapq {
    /// Push item onto heap, maintaining the heap invariant.
    #[function("($module, heap, item, /)")]
    fn heappush(heap: &List, item: &Object, vm: &Vm) -> PyResult<()> {
        push(heap, item, Order::Smallest, vm)
    }

    /// Push item on the heap, then pop and return the smallest item from the heap.
    ///
    /// The combined action runs more efficiently than heappush() followed by
    /// a separate call to heappop().
    #[function("($module, heap, item, /)")]
    fn heappushpop(heap: &List, item: &Object, vm: &Vm) -> PyResult {
        push_pop(heap, item, Order::Smallest, vm)
    }

    /// Pop the smallest item off the heap, maintaining the heap invariant.
    #[function("($module, heap, /)")]
    fn heappop(heap: &List, vm: &Vm) -> PyResult {
        pop(heap, Order::Smallest, vm)
    }

    /// Pop and return the current smallest value, and add the new item.
    ///
    /// This is more efficient than heappop() followed by heappush(), and can be
    /// more appropriate when using a fixed-size heap.  Note that the value
    /// returned may be larger than item!  That constrains reasonable uses of
    /// this routine unless written as part of a conditional replacement:
    ///
    ///     if item > heap[0]:
    ///         item = heapreplace(heap, item)
    #[function("($module, heap, item, /)")]
    fn heapreplace(heap: &List, item: &Object, vm: &Vm) -> PyResult {
        replace(heap, item, Order::Smallest, vm)
    }

    /// Transform list into a heap, in-place, in O(len(heap)) time.
    #[function("($module, heap, /)")]
    fn heapify(heap: &List, vm: &Vm) -> PyResult<()> {
        order_all(heap, Order::Smallest, vm)
    }

    /// Push item onto max heap, maintaining the heap invariant.
    #[function("($module, heap, item, /)")]
    fn heappush_max(heap: &List, item: &Object, vm: &Vm) -> PyResult<()> {
        push(heap, item, Order::Largest, vm)
    }

    /// Maxheap variant of heappushpop.
    ///
    /// The combined action runs more efficiently than heappush_max()
    /// followed by a separate call to heappop_max().
    #[function("($module, heap, item, /)")]
    fn heappushpop_max(heap: &List, item: &Object, vm: &Vm) -> PyResult {
        push_pop(heap, item, Order::Largest, vm)
    }

    /// Maxheap variant of heappop.
    #[function("($module, heap, /)")]
    fn heappop_max(heap: &List, vm: &Vm) -> PyResult {
        pop(heap, Order::Largest, vm)
    }

    /// Maxheap variant of heapreplace.
    #[function("($module, heap, item, /)")]
    fn heapreplace_max(heap: &List, item: &Object, vm: &Vm) -> PyResult {
        replace(heap, item, Order::Largest, vm)
    }

    /// Maxheap variant of heapify.
    #[function("($module, heap, /)")]
    fn heapify_max(heap: &List, vm: &Vm) -> PyResult<()> {
        order_all(heap, Order::Largest, vm)
    }
}
