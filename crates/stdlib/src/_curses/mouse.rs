//! The mouse.

use taipan_vm::prelude::*;

use super::convert::check;
use super::library::MouseEvent;
use super::{CursesModule, with_screen};

#[pyfunctions(table = MOUSE_FUNCTIONS)]
impl CursesModule {
    /// Retrieve the queued mouse event.
    ///
    /// After getch() returns KEY_MOUSE to signal a mouse event, this function
    /// returns a 5-tuple (id, x, y, z, bstate).
    #[function("($module, /)")]
    fn getmouse(vm: &Vm) -> PyResult<Ref<Tuple>> {
        let library = with_screen(vm)?;
        let mut event = MouseEvent::default();
        // SAFETY: a place of our own.
        check(unsafe { library.getmouse(&raw mut event) }, "getmouse", vm)?;
        Ok(vm.new_tuple([
            vm.new_int(i32::from(event.id)),
            vm.new_int(event.x),
            vm.new_int(event.y),
            vm.new_int(event.z),
            vm.new_int(event.state),
        ]))
    }

    /// Push a KEY_MOUSE event onto the input queue.
    ///
    /// The following getmouse() will return the given state data.
    #[function("($module, id, x, y, z, bstate, /)")]
    fn ungetmouse(id: &Object, x: i32, y: i32, z: i32, bstate: i64, vm: &Vm) -> PyResult<()> {
        let library = with_screen(vm)?;
        let mut event =
            MouseEvent { id: super::screen::short(id, vm)? as i16, x, y, z, state: bstate as u32 };
        // SAFETY: an event of our own, which the library copies.
        check(unsafe { library.ungetmouse(&raw mut event) }, "ungetmouse", vm)
    }

    /// Set and retrieve the maximum time between press and release in a click.
    ///
    ///   interval
    ///     Time in milliseconds.
    ///
    /// Set the maximum time that can elapse between press and release events in
    /// order for them to be recognized as a click, and return the previous
    /// interval value.
    #[function("($module, interval, /)")]
    fn mouseinterval(interval: i32, vm: &Vm) -> PyResult<()> {
        check(with_screen(vm)?.mouseinterval(interval), "mouseinterval", vm)
    }

    /// Set the mouse events to be reported, and return (availmask, oldmask).
    ///
    /// Return a tuple (availmask, oldmask).  availmask indicates which of the
    /// specified mouse events can be reported; on complete failure it returns
    /// 0.  oldmask is the previous value of the mouse event mask.  If this
    /// function is never called, no mouse events are ever reported.
    #[function("($module, newmask, /)")]
    fn mousemask(newmask: i64, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let library = with_screen(vm)?;
        let mut old = 0;
        // SAFETY: a place of our own.
        let available = unsafe { library.mousemask(newmask as u32, &raw mut old) };
        Ok(vm.new_tuple([vm.new_int(available), vm.new_int(old)]))
    }
}
