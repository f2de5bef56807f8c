//! Protection of `repr` against containers that contain themselves (`Py_ReprEnter`).

use crate::prelude::*;

/// Marks an object as being shown, until dropped.
pub struct ReprGuard<'a> {
    vm: &'a Vm,
    op: *mut Object,
}

impl<'a> ReprGuard<'a> {
    /// None when the object is being shown already.
    pub fn enter(object: &Object, vm: &'a Vm) -> Option<Self> {
        let op = object.as_ptr();
        let mut running = vm.repr_running.try_borrow_mut().ok()?;
        if running.contains(&op) {
            return None;
        }
        running.push(op);
        Some(ReprGuard { vm, op })
    }
}

impl Drop for ReprGuard<'_> {
    fn drop(&mut self) {
        if let Ok(mut running) = self.vm.repr_running.try_borrow_mut() {
            if let Some(at) = running.iter().rposition(|op| *op == self.op) {
                running.swap_remove(at);
            }
        }
    }
}
