//! `_curses`: the system's ncurses, in its wide-character build.
//!
//! The library keeps one screen for the process; Python's window objects own the library's windows.

use std::cell::RefCell;
use std::ffi::CStr;
use std::sync::atomic::{AtomicBool, Ordering};

use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::prelude::*;

use crate::dynamic;
use library::Curses;

mod colors;
mod constants;
mod convert;
mod library;
mod mouse;
mod screen;
mod terminfo;
mod window;

pub use library::Win;
pub use window::Window;

/// The module.
pub struct CursesModule;

pub(crate) static ERROR: DeclaredException =
    DeclaredException { name: "_curses.error", base: types::exception };

static VERSION: StructSeq = StructSeq {
    name: "curses.ncurses_version",
    doc: "Ncurses version information as a named tuple.",
    fields: &[
        ("major", "Major release number"),
        ("minor", "Minor release number"),
        ("patch", "Patch release number"),
    ],
    visible: 3,
};

/// What was called for the process's screen.
static HAS_TERMINAL: AtomicBool = AtomicBool::new(false);
static HAS_SCREEN: AtomicBool = AtomicBool::new(false);
static HAS_COLORS: AtomicBool = AtomicBool::new(false);

/// What the module remembers.
struct State {
    /// The encoding of the first window, for characters without a window.
    encoding: RefCell<String>,
}

impl Default for State {
    fn default() -> State {
        State { encoding: RefCell::new("utf-8".to_owned()) }
    }
}

fn state(vm: &Vm) -> &State {
    vm.interp().state::<State>()
}

fn library(vm: &Vm) -> PyResult<&'static Curses> {
    library::open().map_err(|reason| dynamic::import_error("_curses", &reason, vm))
}

fn required(flag: &AtomicBool, function: &str, vm: &Vm) -> PyResult<()> {
    if flag.load(Ordering::Relaxed) {
        Ok(())
    } else {
        Err(ERROR.raise(format!("must call {function}() first"), vm))
    }
}

/// The library, once `setupterm` was called.
fn with_terminal(vm: &Vm) -> PyResult<&'static Curses> {
    required(&HAS_TERMINAL, "setupterm", vm)?;
    library(vm)
}

/// The library, once `initscr` was called.
pub(crate) fn with_screen(vm: &Vm) -> PyResult<&'static Curses> {
    required(&HAS_SCREEN, "initscr", vm)?;
    library(vm)
}

/// The library, once `start_color` was called.
fn with_colors(vm: &Vm) -> PyResult<&'static Curses> {
    let library = with_screen(vm)?;
    required(&HAS_COLORS, "start_color", vm)?;
    Ok(library)
}

/// Puts a number that the screen decides among the module's names.
fn set_in_module(name: &str, value: i64, vm: &Vm) -> PyResult<()> {
    let module = taipan_vm::import::import_module("_curses", vm)?;
    module.set_attr(&vm.intern(name), &vm.new_int(value), vm)
}

/// "ncurses 6.4.20221231" as numbers.
fn version_numbers(library: &Curses) -> [i64; 3] {
    // SAFETY: the library gives a constant text.
    let text = unsafe { CStr::from_ptr(library.curses_version()) }.to_string_lossy().into_owned();
    let digits = text.trim_start_matches(|c: char| !c.is_ascii_digit());
    let mut parts = digits.split('.').map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| parts.next().unwrap_or(0))
}

#[pymodule(
    name = "_curses",
    types(Window),
    functions(SCREEN_FUNCTIONS, COLOR_FUNCTIONS, MOUSE_FUNCTIONS, TERMINFO_FUNCTIONS)
)]
impl CursesModule {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        let library = library(vm)?;
        module.set("error", ERROR.get(vm)?.as_object(), vm)?;
        for name in ["version", "__version__"] {
            module.set(name, vm.new_bytes(b"2.2").as_object(), vm)?;
        }
        let numbers = version_numbers(library).map(|number| vm.new_int(number));
        module.set("ncurses_version", VERSION.instance(numbers.to_vec(), vm)?.as_object(), vm)?;
        for (name, value) in constants::CONSTANTS {
            module.set(name, &vm.new_int(*value), vm)?;
        }
        for (name, value) in (0..64).zip(constants::FIRST_FUNCTION_KEY..) {
            module.set(&format!("KEY_F{name}"), &vm.new_int(value), vm)?;
        }
        Ok(())
    }
}
