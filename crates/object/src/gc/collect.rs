//! Finding unreachable cycles by trial deletion.
//!
//! For the objects of one list, references from outside the list keep an object alive; references between members don't by
//! themselves. So: copy each member's count (into the header's `prev` word, whose link is rebuilt at the end), subtract one
//! for each reference that a member holds to a member, and what is left above zero is referred to from outside. Whatever
//! those members reach is alive too; the rest is garbage. What the caller knows to be alive is followed first, since that
//! much needs no subtraction: most of the heap is then visited once instead of twice. Reaching uses an explicit stack, never the native one, so the shape
//! of the object graph can't exhaust anything but memory.
//!
//! While a collection runs, `FLAG_COLLECTING` marks the members under examination and, afterwards, the unreachable ones.

use std::ffi::{c_int, c_void};

use super::{FLAG_COLLECTING, FLAG_FINALIZED, FLAG_MARK, FLAG_MASK, GcHeader, has_header};
use crate::object::{Object, decref};

/// One reference in the count that `prev` holds during examination: it stands above the flag bits.
const ONE_REF: usize = FLAG_MASK + 1;

/// A list of headers with a head of its own.
pub struct GcList {
    head: Box<GcHeader>,
}

impl GcList {
    /// An empty list.
    pub fn new() -> GcList {
        let head = Box::new(GcHeader {
            next: std::cell::Cell::new(std::ptr::null_mut()),
            prev: std::cell::Cell::new(0),
        });
        let list = GcList { head };
        let ptr = list.head();
        list.head.next.set(ptr);
        list.head.prev.set(ptr as usize);
        list
    }

    /// The list's head.
    pub fn head(&self) -> *mut GcHeader {
        std::ptr::from_ref(&*self.head).cast_mut()
    }

    /// Whether it has no member.
    pub fn is_empty(&self) -> bool {
        std::ptr::eq(self.head.next.get(), self.head())
    }

    /// The first member's object.
    pub fn first(&self) -> Option<*mut Object> {
        if self.is_empty() {
            return None;
        }
        // SAFETY: a member is an object's header.
        Some(unsafe { GcHeader::object(self.head.next.get()) })
    }
}

impl Default for GcList {
    fn default() -> Self {
        Self::new()
    }
}

/// The members of a list. The list must not change meanwhile, except that a caller may take out members already passed.
pub struct Members {
    next: *mut GcHeader,
    head: *mut GcHeader,
}

/// Iterates over the objects of a list.
///
/// # Safety
/// `head` is the head of a linked ring.
pub unsafe fn members(head: *mut GcHeader) -> Members {
    // SAFETY: the caller vouches for the head.
    Members { next: unsafe { (*head).next.get() }, head }
}

impl Iterator for Members {
    type Item = *mut Object;
    fn next(&mut self) -> Option<*mut Object> {
        if std::ptr::eq(self.next, self.head) {
            return None;
        }
        let current = self.next;
        // SAFETY: members of a ring are headers of live objects.
        unsafe {
            self.next = (*current).next.get();
            Some(GcHeader::object(current))
        }
    }
}

/// Moves a member of any list to the end of another.
///
/// # Safety
/// `header` is a member of a ring, `to` the head of one.
pub unsafe fn move_to(header: *mut GcHeader, to: *mut GcHeader) {
    // SAFETY: rings are linked.
    unsafe {
        let prev = (*header).prev_ptr();
        let next = (*header).next.get();
        (*prev).next.set(next);
        (*next).set_prev(prev);
        let last = (*to).prev_ptr();
        (*last).next.set(header);
        (*header).set_prev(last);
        (*header).next.set(to);
        (*to).set_prev(header);
    }
}

/// Moves all members of one list to the end of another.
///
/// # Safety
/// Both are heads of different rings.
pub unsafe fn merge(from: *mut GcHeader, to: *mut GcHeader) {
    // SAFETY: rings are linked.
    unsafe {
        let first = (*from).next.get();
        if std::ptr::eq(first, from) {
            return;
        }
        let last = (*from).prev_ptr();
        let end = (*to).prev_ptr();
        (*end).next.set(first);
        (*first).set_prev(end);
        (*last).next.set(to);
        (*to).set_prev(last);
        (*from).next.set(from);
        (*from).set_prev(from);
    }
}

/// The header of an object under examination.
///
/// # Safety
/// `op` is alive.
#[inline(always)]
unsafe fn examined(op: *mut Object) -> Option<*mut GcHeader> {
    // SAFETY: the header is there when the type says so, or its `tp_is_gc` does.
    unsafe {
        let tp = (*op).ob_type();
        if !tp.is_gc() || (tp.tp_is_gc.get().is_some() && !asked(op)) {
            return None;
        }
        let header = GcHeader::of(op);
        ((*header).prev.get() & FLAG_COLLECTING != 0).then_some(header)
    }
}

/// Whether an object of a type with `tp_is_gc` has a header.
#[inline(never)]
unsafe fn asked(op: *mut Object) -> bool {
    // SAFETY: alive, as the caller says.
    unsafe { has_header(&*op) }
}

/// Whether the running collection has found the object unreachable.
///
/// # Safety
/// `op` is alive, and `separate_unreachable` is done.
pub unsafe fn is_unreachable(op: *mut Object) -> bool {
    // SAFETY: passed on to the caller.
    unsafe { examined(op).is_some() }
}

unsafe extern "C" fn subtract(op: *mut Object, _arg: *mut c_void) -> c_int {
    // SAFETY: called by `tp_traverse` with a live object.
    unsafe {
        if let Some(header) = examined(op) {
            let word = (*header).prev.get();
            // An object that reports more references than it owns must not make the count wrap.
            if word >= ONE_REF {
                (*header).prev.set(word - ONE_REF);
            }
        }
    }
    0
}

unsafe extern "C" fn reach(op: *mut Object, arg: *mut c_void) -> c_int {
    // SAFETY: called by `tp_traverse` with a live object and the stack that `separate_unreachable` passes.
    unsafe {
        if let Some(header) = examined(op) {
            let word = (*header).prev.get();
            if word & FLAG_MARK == 0 {
                (*header).prev.set(word | FLAG_MARK);
                reached(op, arg);
            }
        }
    }
    0
}

/// Remembers an object whose references are to be followed. Most visits end before, so this stays out of their way.
#[inline(never)]
unsafe fn reached(op: *mut Object, stack: *mut c_void) {
    // SAFETY: the stack that `separate_unreachable` passes.
    unsafe { (*stack.cast::<Vec<*mut Object>>()).push(op) }
}

/// Calls `tp_traverse`.
///
/// # Safety
/// `op` is alive; `visit` and `arg` fit together.
pub unsafe fn traverse(op: *mut Object, visit: crate::traverse::VisitProc, arg: *mut c_void) {
    // SAFETY: the caller vouches for both.
    unsafe {
        if let Some(traverse) = (*op).ob_type().tp_traverse.get() {
            traverse(op, visit, arg);
        }
    }
}

/// Moves those members of `base` that nothing outside `base` reaches to `unreachable`, where they keep `FLAG_COLLECTING`.
/// `roots` are objects that something outside certainly keeps alive; naming none is right too, only slower. Runs no
/// Python code.
///
/// # Safety
/// Both are heads of linked rings; every member's fields are valid for traversal; the roots are alive.
pub unsafe fn separate_unreachable(base: *mut GcHeader, unreachable: *mut GcHeader, roots: &[*mut Object]) {
    // SAFETY: members are headers of live objects; their `prev` links are out of use until they are rebuilt below.
    unsafe {
        let mut stack: Vec<*mut Object> = Vec::new();
        let arg = (&raw mut stack).cast::<c_void>();
        let mut walk = (*base).next.get();
        while !std::ptr::eq(walk, base) {
            let count = (*GcHeader::object(walk)).refcount() as usize;
            let finalized = (*walk).prev.get() & FLAG_FINALIZED;
            (*walk).prev.set((count * ONE_REF) | FLAG_COLLECTING | finalized);
            walk = (*walk).next.get();
        }
        for &root in roots {
            reach(root, arg);
            while let Some(op) = stack.pop() {
                traverse(op, reach, arg);
            }
        }
        // All that a marked member refers to is marked as well.
        for op in members(base) {
            if (*GcHeader::of(op)).prev.get() & FLAG_MARK == 0 {
                traverse(op, subtract, std::ptr::null_mut());
            }
        }
        let mut walk = (*base).next.get();
        while !std::ptr::eq(walk, base) {
            let word = (*walk).prev.get();
            if word >= ONE_REF && word & FLAG_MARK == 0 {
                (*walk).prev.set(word | FLAG_MARK);
                stack.push(GcHeader::object(walk));
                while let Some(op) = stack.pop() {
                    traverse(op, reach, arg);
                }
            }
            walk = (*walk).next.get();
        }
        let mut last_alive = base;
        let mut last_dead = (*unreachable).prev_ptr();
        let mut walk = (*base).next.get();
        while !std::ptr::eq(walk, base) {
            let next = (*walk).next.get();
            let word = (*walk).prev.get();
            let finalized = word & FLAG_FINALIZED;
            if word & FLAG_MARK != 0 {
                (*walk).prev.set(last_alive as usize | finalized);
                (*last_alive).next.set(walk);
                last_alive = walk;
            } else {
                (*walk).prev.set(last_dead as usize | finalized | FLAG_COLLECTING);
                (*last_dead).next.set(walk);
                last_dead = walk;
            }
            walk = next;
        }
        (*last_alive).next.set(base);
        (*base).set_prev(last_alive);
        (*last_dead).next.set(unreachable);
        (*unreachable).set_prev(last_dead);
    }
}

/// Takes `FLAG_COLLECTING` off the members of a list.
///
/// # Safety
/// `head` is the head of a linked ring.
pub unsafe fn clear_flags(head: *mut GcHeader) {
    // SAFETY: members are headers of live objects.
    unsafe {
        for op in members(head) {
            let header = &*GcHeader::of(op);
            header.prev.set(header.prev.get() & !FLAG_COLLECTING);
        }
    }
}

/// Moves to `to` what its members reach, directly or not, among the objects that carry `FLAG_COLLECTING`; moved ones lose it.
///
/// # Safety
/// `to` is the head of a linked ring, and so are the lists of the objects with the flag.
pub unsafe fn move_reachable(to: *mut GcHeader) {
    // SAFETY: members are headers of live objects; `reach` marks only members of the examined list.
    unsafe {
        let mut stack: Vec<*mut Object> = members(to).collect();
        let arg = (&raw mut stack).cast::<c_void>();
        while let Some(op) = stack.pop() {
            let header = GcHeader::of(op);
            if (*header).prev.get() & FLAG_COLLECTING != 0 {
                (*header).prev.set((*header).prev.get() & !(FLAG_COLLECTING | FLAG_MARK));
                move_to(header, to);
            }
            traverse(op, reach, arg);
        }
    }
}

/// Breaks the cycles of garbage by `tp_clear`, which destroys the members one after the other. Members that survive
/// (another collection will see them again) go to `survivors`.
///
/// # Safety
/// `garbage` holds unreachable objects whose finalisers have run and whose weak references are gone.
pub unsafe fn destroy(garbage: &GcList, survivors: *mut GcHeader) {
    // SAFETY: the first member is alive; it is kept alive by a reference over the call.
    unsafe {
        while let Some(op) = garbage.first() {
            let header = GcHeader::of(op);
            (*op).incref();
            if let Some(clear) = (*op).ob_type().tp_clear.get() {
                clear(op);
            }
            // `decref` may free the object, so look at the list first: a member that is still the first and will live on must
            // go, or the loop would not end.
            if garbage.first() == Some(op) {
                (*header).prev.set((*header).prev.get() & !FLAG_COLLECTING);
                move_to(header, survivors);
            }
            decref(op);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::atomic::AtomicUsize;

    use super::super::{GcState, allocate, attach_thread, release, track, untrack};
    use super::*;
    use crate::object::xdecref;
    use crate::typeobject::{Type, TypeFlags};

    #[repr(C)]
    struct Node {
        ob: Object,
        next: Cell<*mut Object>,
    }

    thread_local! {
        static ALIVE: Cell<isize> = const { Cell::new(0) };
    }

    unsafe extern "C" fn node_traverse(
        op: *mut Object,
        visit: crate::traverse::VisitProc,
        arg: *mut c_void,
    ) -> c_int {
        // SAFETY: called with a node.
        unsafe {
            let next = (*op.cast::<Node>()).next.get();
            if next.is_null() { 0 } else { visit(next, arg) }
        }
    }

    unsafe extern "C" fn node_clear(op: *mut Object) -> c_int {
        // SAFETY: called with a node.
        unsafe { xdecref((*op.cast::<Node>()).next.replace(std::ptr::null_mut())) };
        0
    }

    unsafe extern "C" fn node_dealloc(op: *mut Object) {
        // SAFETY: called with a node whose count is zero.
        unsafe {
            untrack(op);
            node_clear(op);
            release((*op).ob_type(), op, size_of::<Node>());
        }
        ALIVE.set(ALIVE.get() - 1);
    }

    static NODE: Type = Type {
        tp_flags: Cell::new(TypeFlags::HAVE_GC),
        tp_traverse: Cell::new(Some(node_traverse)),
        tp_clear: Cell::new(Some(node_clear)),
        tp_dealloc: Cell::new(Some(node_dealloc)),
        ..Type::static_empty(std::ptr::null())
    };

    fn node() -> *mut Node {
        let op = allocate(&NODE, size_of::<Node>()).cast::<Node>();
        assert!(!op.is_null());
        // SAFETY: fresh memory of that size.
        unsafe {
            op.write(Node { ob: Object::new(&raw const NODE), next: Cell::new(std::ptr::null_mut()) });
            track(op.cast());
        }
        ALIVE.set(ALIVE.get() + 1);
        op
    }

    /// Runs `test` on a thread of its own with a fresh collector.
    fn with_collector(test: impl FnOnce(&GcState) + Send + 'static) {
        let run = move || {
            let state = Box::new(GcState::new());
            state.init();
            let breaker = AtomicUsize::new(0);
            // SAFETY: both outlive the test.
            unsafe { attach_thread(&raw const *state, &raw const breaker) };
            test(&state);
        };
        assert!(std::thread::spawn(run).join().is_ok());
    }

    fn collect(state: &GcState) -> usize {
        let young = std::ptr::from_ref(&state.generations[0]).cast_mut();
        let old = std::ptr::from_ref(&state.generations[1]).cast_mut();
        let garbage = GcList::new();
        // SAFETY: the lists are rings of live nodes.
        unsafe {
            separate_unreachable(young, garbage.head(), &[]);
            let found = members(garbage.head()).count();
            merge(young, old);
            destroy(&garbage, old);
            found
        }
    }

    #[test]
    fn cycles_are_found_and_destroyed() {
        with_collector(|state| {
            let (a, b) = (node(), node());
            // SAFETY: the nodes own each other; no other reference is left.
            unsafe {
                (*a).next.set(b.cast());
                (*b).next.set(a.cast());
            }
            assert_eq!(collect(state), 2);
            assert_eq!(ALIVE.get(), 0);
        });
    }

    #[test]
    fn what_is_referred_to_from_outside_survives() {
        with_collector(|state| {
            let (a, b, c) = (node(), node(), node());
            // SAFETY: a and b own each other, a is also owned by the test; c owns itself.
            unsafe {
                (*a).next.set(b.cast());
                (*b).next.set(a.cast());
                (*a).ob.incref();
                (*c).next.set(c.cast());
            }
            assert_eq!(collect(state), 1);
            assert_eq!(ALIVE.get(), 2);
            let old = std::ptr::from_ref(&state.generations[1]).cast_mut();
            // SAFETY: the list is a ring of live nodes; then the test gives its reference up and breaks the cycle.
            unsafe {
                assert_eq!(members(old).count(), 2);
                decref(a.cast());
                merge(old, std::ptr::from_ref(&state.generations[0]).cast_mut());
            }
            assert_eq!(collect(state), 2);
            assert_eq!(ALIVE.get(), 0);
        });
    }

    #[test]
    fn what_a_root_reaches_survives_and_the_rest_is_found() {
        with_collector(|state| {
            let (a, b, c, d) = (node(), node(), node(), node());
            // SAFETY: the test owns a, a owns b, c and d own each other.
            unsafe {
                (*a).next.set(b.cast());
                (*c).next.set(d.cast());
                (*d).next.set(c.cast());
            }
            let young = std::ptr::from_ref(&state.generations[0]).cast_mut();
            let old = std::ptr::from_ref(&state.generations[1]).cast_mut();
            let garbage = GcList::new();
            // SAFETY: the lists are rings of live nodes, and the test keeps a alive.
            unsafe {
                separate_unreachable(young, garbage.head(), &[a.cast()]);
                assert_eq!(members(garbage.head()).count(), 2);
                assert_eq!(members(young).count(), 2);
                merge(young, old);
                destroy(&garbage, old);
                assert_eq!(ALIVE.get(), 2);
                decref(a.cast());
            }
            assert_eq!(ALIVE.get(), 0);
        });
    }

    #[test]
    fn long_chains_need_no_native_stack() {
        with_collector(|state| {
            const LENGTH: usize = 300_000;
            let first = node();
            let mut last = first;
            for _ in 1..LENGTH {
                let next = node();
                // SAFETY: the chain owns its next member.
                unsafe { (*last).next.set(next.cast()) };
                last = next;
            }
            assert_eq!(collect(state), 0);
            // SAFETY: closing the ring hands the test's reference over.
            unsafe {
                (*last).next.set(first.cast());
                merge(
                    std::ptr::from_ref(&state.generations[1]).cast_mut(),
                    std::ptr::from_ref(&state.generations[0]).cast_mut(),
                );
            }
            assert_eq!(collect(state), LENGTH);
            assert_eq!(ALIVE.get(), 0);
        });
    }
}
