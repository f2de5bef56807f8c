//! `_curses_panel`: windows with depth, by the system's panel library.

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;

use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::prelude::*;

use crate::_curses::{self, Win, Window};
use crate::dynamic::{self, Library, dynamic_library};

/// The module.
pub struct CursesPanel;

static ERROR: DeclaredException = DeclaredException { name: "_curses_panel.error", base: types::exception };

/// A panel of the library, alive as long as its Python object has it.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PanelPointer(NonNull<c_void>);

dynamic_library! {
    /// The functions of the library.
    pub struct PanelLibrary;
    safe {
        fn new_panel(win: Win) -> Option<PanelPointer>;
        fn del_panel(panel: PanelPointer) -> c_int;
        fn bottom_panel(panel: PanelPointer) -> c_int;
        fn top_panel(panel: PanelPointer) -> c_int;
        fn show_panel(panel: PanelPointer) -> c_int;
        fn hide_panel(panel: PanelPointer) -> c_int;
        fn panel_hidden(panel: PanelPointer) -> c_int;
        fn move_panel(panel: PanelPointer, y: c_int, x: c_int) -> c_int;
        fn replace_panel(panel: PanelPointer, win: Win) -> c_int;
        fn panel_above(panel: Option<PanelPointer>) -> Option<PanelPointer>;
        fn panel_below(panel: Option<PanelPointer>) -> Option<PanelPointer>;
        fn update_panels();
    }
}

/// Python's objects of the panels that there are; each takes itself out when it dies.
#[derive(Default)]
struct Known(RefCell<Vec<(PanelPointer, NonNull<Object>)>>);

fn library(vm: &Vm) -> PyResult<&'static PanelLibrary> {
    static LIBRARY: OnceLock<PanelLibrary> = OnceLock::new();
    if let Some(library) = LIBRARY.get() {
        return Ok(library);
    }
    let library = Library::open(&[c"libpanelw.so.6", c"libpanelw.so"])
        .and_then(|handle| PanelLibrary::resolve(handle, ""))
        .map_err(|reason| dynamic::import_error("_curses_panel", &reason, vm))?;
    Ok(LIBRARY.get_or_init(|| library))
}

fn check(code: c_int, name: &str, vm: &Vm) -> PyResult<()> {
    if code == -1 { Err(ERROR.raise(format!("{name}() returned ERR"), vm)) } else { Ok(()) }
}

/// The object of a panel that the library gave.
fn object_of(panel: Option<PanelPointer>, what: &str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let Some(panel) = panel else { return Ok(None) };
    let known = vm.interp().state::<Known>().0.borrow();
    match known.iter().find(|(known, _)| *known == panel) {
        // SAFETY: an object takes itself out before it dies.
        Some((_, object)) => Ok(Some(unsafe { object.as_ref() }.to_ref())),
        None => Err(vm.runtime_error(format!("{what}: can't find Panel Object"))),
    }
}

/// The layout of `curses.panel.panel`.
#[repr(C)]
#[derive(Traverse)]
pub struct Panel {
    ob: Object,
    /// None once the panel is deleted.
    #[traverse(skip)]
    panel: Cell<Option<PanelPointer>>,
    /// Its window, which must outlive it.
    window: Slot<Window>,
    user: Slot<Object>,
}

impl Panel {
    fn create(panel: PanelPointer, window: &Window, vm: &Vm) -> ObjRef {
        let object = vm
            .new_object(Panel {
                ob: Object::new(Self::type_object()),
                panel: Cell::new(Some(panel)),
                window: Slot::new(window.as_object().to_ref().downcast::<Window>().ok()),
                user: Slot::empty(),
            })
            .into_object();
        vm.interp().state::<Known>().0.borrow_mut().push((panel, NonNull::from(&*object)));
        object
    }

    fn pointer(&self, vm: &Vm) -> PyResult<PanelPointer> {
        self.panel.get().ok_or_else(|| ERROR.raise("the panel is deleted", vm))
    }

    /// Calls a function of the library on the panel.
    fn call(&self, name: &str, function: fn(&PanelLibrary, PanelPointer) -> c_int, vm: &Vm) -> PyResult<()> {
        let library = library(vm)?;
        check(function(library, self.pointer(vm)?), name, vm)
    }
}

#[pytype(name = "_curses_panel.panel", no_new, gc, doc = "")]
impl Panel {
    #[slot]
    fn tp_finalize(&self, vm: &Vm) {
        let Some(panel) = self.panel.take() else { return };
        vm.interp().state::<Known>().0.borrow_mut().retain(|(known, _)| *known != panel);
        match library(vm) {
            Ok(library) => {
                library.del_panel(panel);
            }
            Err(Raised) => vm.clear_exception(),
        }
    }

    /// Return the panel above the current panel.
    #[method("($self, /)")]
    fn above(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let panel = library(vm)?.panel_above(Some(self.pointer(vm)?));
        object_of(panel, "panel_above", vm)
    }

    /// Return the panel below the current panel.
    #[method("($self, /)")]
    fn below(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let panel = library(vm)?.panel_below(Some(self.pointer(vm)?));
        object_of(panel, "panel_below", vm)
    }

    /// Push the panel to the bottom of the stack.
    #[method("($self, /)")]
    fn bottom(&self, vm: &Vm) -> PyResult<()> {
        self.call("bottom_panel", PanelLibrary::bottom_panel, vm)
    }

    /// Return True if the panel is hidden (not visible), False otherwise.
    #[method("($self, /)")]
    fn hidden(&self, vm: &Vm) -> PyResult<bool> {
        Ok(library(vm)?.panel_hidden(self.pointer(vm)?) == 1)
    }

    /// Hide the panel.
    ///
    /// This does not delete the object, it just makes the window on screen
    /// invisible.
    #[method("($self, /)")]
    fn hide(&self, vm: &Vm) -> PyResult<()> {
        self.call("hide_panel", PanelLibrary::hide_panel, vm)
    }

    /// Move the panel to the screen coordinates (y, x).
    #[method("($self, y, x, /)")]
    fn r#move(&self, y: i32, x: i32, vm: &Vm) -> PyResult<()> {
        check(library(vm)?.move_panel(self.pointer(vm)?, y, x), "move_panel", vm)
    }

    /// Change the window associated with the panel to the window win.
    #[method("($self, win, /)")]
    fn replace(&self, win: &Window, vm: &Vm) -> PyResult<()> {
        check(library(vm)?.replace_panel(self.pointer(vm)?, win.win()), "replace_panel", vm)?;
        let old = self.window.replace(win.as_object().to_ref().downcast::<Window>().ok());
        drop(old);
        Ok(())
    }

    /// Set the panel's user pointer to obj.
    #[method("($self, obj, /)")]
    fn set_userptr(&self, obj: &Object, vm: &Vm) -> PyResult<()> {
        self.pointer(vm)?;
        let old = self.user.replace(Some(obj.to_ref()));
        drop(old);
        Ok(())
    }

    /// Display the panel (which might have been hidden).
    ///
    /// The panel is placed on top of the panel stack.
    #[method("($self, /)")]
    fn show(&self, vm: &Vm) -> PyResult<()> {
        self.call("show_panel", PanelLibrary::show_panel, vm)
    }

    /// Push panel to the top of the stack.
    #[method("($self, /)")]
    fn top(&self, vm: &Vm) -> PyResult<()> {
        self.call("top_panel", PanelLibrary::top_panel, vm)
    }

    /// Return the user pointer for the panel.
    #[method("($self, /)")]
    fn userptr(&self, vm: &Vm) -> PyResult {
        self.user.get().ok_or_else(|| ERROR.raise("no userptr set", vm))
    }

    /// Return the window object associated with the panel.
    #[method("($self, /)")]
    fn window(&self) -> Option<ObjRef> {
        self.window.get().map(Ref::into_object)
    }
}

#[pymodule(name = "_curses_panel")]
impl CursesPanel {
    /// Return the bottom panel in the panel stack.
    #[function("($module, /)")]
    fn bottom_panel(vm: &Vm) -> PyResult<Option<ObjRef>> {
        _curses::with_screen(vm)?;
        object_of(library(vm)?.panel_above(None), "panel_above", vm)
    }

    /// Return a panel object, associating it with the given window win.
    ///
    /// The new panel is placed on top of the panel stack.
    #[function("($module, win, /)")]
    fn new_panel(win: &Window, vm: &Vm) -> PyResult {
        match library(vm)?.new_panel(win.win()) {
            Some(panel) => Ok(Panel::create(panel, win, vm)),
            None => Err(ERROR.raise("curses function returned NULL", vm)),
        }
    }

    /// Return the top panel in the panel stack.
    #[function("($module, /)")]
    fn top_panel(vm: &Vm) -> PyResult<Option<ObjRef>> {
        _curses::with_screen(vm)?;
        object_of(library(vm)?.panel_below(None), "panel_below", vm)
    }

    /// Updates the virtual screen after changes in the panel stack.
    ///
    /// This does not call curses.doupdate(), so you'll have to do this
    /// yourself.
    #[function("($module, /)")]
    fn update_panels(vm: &Vm) -> PyResult<()> {
        _curses::with_screen(vm)?;
        library(vm)?.update_panels();
        Ok(())
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        library(vm)?;
        taipan_vm::import::import_module("_curses", vm)?;
        module.set("error", ERROR.get(vm)?.as_object(), vm)?;
        module.set("panel", Panel::type_object().as_object(), vm)?;
        for name in ["version", "__version__"] {
            module.set(name, vm.new_str("2.1").as_object(), vm)?;
        }
        Ok(())
    }
}
