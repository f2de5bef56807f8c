//! `readline`: line editing, history and completion by the system's GNU readline or libedit.
//!
//! The library keeps its state for the process; what Python hooks into it belongs to the interpreter that reads a line.

use std::cell::{Cell, RefCell};
use std::ffi::{CStr, CString, c_int};

use taipan_vm::prelude::*;
use taipan_vm::protocols::path;
use taipan_vm::runtime::audit::audit;

use crate::dynamic;
use library::{Entry, Readline};

mod library;
mod reading;

/// The module.
pub struct ReadlineModule;

/// What the program set.
#[derive(Default)]
struct State {
    startup_hook: RefCell<Option<ObjRef>>,
    pre_input_hook: RefCell<Option<ObjRef>>,
    completer: RefCell<Option<ObjRef>>,
    display_matches_hook: RefCell<Option<ObjRef>>,
    /// The word that is being completed, in characters of the line.
    begin: Cell<i32>,
    end: Cell<i32>,
    /// How many lines history files keep; a negative number is no limit.
    file_limit: Cell<Option<i32>>,
    no_auto_history: Cell<bool>,
    /// What the library points to for the delimiters of words.
    delimiters: RefCell<Option<CString>>,
}

fn state(vm: &Vm) -> &State {
    vm.interp().state::<State>()
}

fn library(vm: &Vm) -> PyResult<&'static Readline> {
    library::open().map_err(|reason| dynamic::import_error("readline", &reason, vm))
}

/// A text as the library takes it.
fn c_text(text: &Str, vm: &Vm) -> PyResult<CString> {
    CString::new(path::encode(text, vm)?).map_err(|_| vm.value_error("embedded null character"))
}

/// What `None` and a callable mean for a hook. Raises `TypeError` for anything else.
fn hook(function: Option<&Object>, name: &str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    match function.filter(|function| !vm.is_none(function)) {
        None => Ok(None),
        Some(function) if function.is_callable() => Ok(Some(function.to_ref())),
        Some(_) => Err(vm.type_error(format!("set_{name}(func): argument not callable"))),
    }
}

/// Puts a hook in its place; the one before goes when nothing is borrowed any more.
fn replace(place: &RefCell<Option<ObjRef>>, hook: Option<ObjRef>) {
    let old = place.replace(hook);
    drop(old);
}

/// A file name for the library, null where none is given; `open` is audited as for every file.
fn file_name(file: Option<&Object>, mode: &str, vm: &Vm) -> PyResult<Option<CString>> {
    let shown = file.unwrap_or(vm.none_ref());
    let name = match file.filter(|file| !vm.is_none(file)) {
        None => None,
        Some(file) => {
            let object = path::fspath(file, vm)?;
            let bytes = path::path_bytes(&object, "", vm)?;
            Some(CString::new(bytes).map_err(|_| vm.value_error("embedded null character"))?)
        }
    };
    audit("open", &[shown, vm.new_str(mode).as_object(), &vm.new_int(0)], vm)?;
    Ok(name)
}

fn pointer(name: &Option<CString>) -> *const std::ffi::c_char {
    name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr())
}

/// `OSError` for what a history function gives: 0 or an error number.
fn check(errno: c_int, vm: &Vm) -> PyResult<()> {
    if errno == 0 { Ok(()) } else { Err(vm.os_error(errno, None)) }
}

/// Frees an entry that was taken out of the history.
fn free_entry(library: &Readline, entry: *mut Entry) {
    // SAFETY: the library handed the entry over; without a function of its own, it and its text are plain memory.
    unsafe {
        match library.free_history_entry() {
            Some(free) => libc::free(free(entry)),
            None => {
                libc::free((*entry).line.cast_mut().cast());
                libc::free(entry.cast());
            }
        }
    }
}

fn entry_place(place: i32, vm: &Vm) -> PyResult<()> {
    if place < 0 { Err(vm.value_error("History index cannot be negative")) } else { Ok(()) }
}

/// Cuts a history file to the length that the program set.
fn truncate(library: &Readline, name: &Option<CString>, vm: &Vm) {
    if let Some(limit) = state(vm).file_limit.get().filter(|limit| *limit >= 0) {
        // SAFETY: null or a NUL-terminated name.
        unsafe { library.history_truncate_file(pointer(name), limit) };
    }
}

/// The text that a variable of the library points to.
fn text_at(text: *const std::ffi::c_char, vm: &Vm) -> Ref<Str> {
    if text.is_null() {
        return vm.new_str("");
    }
    // SAFETY: not null, so a NUL-terminated text of the library.
    path::decode(unsafe { CStr::from_ptr(text) }.to_bytes(), vm)
}

#[pymodule(name = "readline")]
impl ReadlineModule {
    /// Execute the init line provided in the string argument.
    #[function("($module, string, /)")]
    fn parse_and_bind(string: &Str, vm: &Vm) -> PyResult<()> {
        let library = library(vm)?;
        // The library writes into the text.
        let mut line = c_text(string, vm)?.into_bytes_with_nul();
        // SAFETY: a NUL-terminated text of our own.
        unsafe { library.rl_parse_and_bind(line.as_mut_ptr().cast()) };
        reading::disable_bracketed_paste(library);
        Ok(())
    }

    /// Return the current contents of the line buffer.
    #[function("($module, /)")]
    fn get_line_buffer(vm: &Vm) -> PyResult<Ref<Str>> {
        // SAFETY: the variable is the library's; the lock keeps other threads from changing it.
        Ok(text_at(unsafe { *library(vm)?.rl_line_buffer() }, vm))
    }

    /// Insert text into the line buffer at the cursor position.
    #[function("($module, string, /)")]
    fn insert_text(string: &Str, vm: &Vm) -> PyResult<()> {
        library(vm)?.rl_insert_text(c_text(string, vm)?.as_c_str().into());
        Ok(())
    }

    /// Change what's displayed on the screen to reflect contents of the line buffer.
    #[function("($module, /)")]
    fn redisplay(vm: &Vm) -> PyResult<()> {
        library(vm)?.rl_redisplay();
        Ok(())
    }

    /// Execute a readline initialization file.
    ///
    /// The default filename is the last filename used.
    #[function("($module, filename=None, /)")]
    fn read_init_file(filename: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let library = library(vm)?;
        let name = file_name(filename, "r", vm)?;
        // SAFETY: null or a NUL-terminated name.
        let errno = unsafe { library.rl_read_init_file(pointer(&name)) };
        reading::disable_bracketed_paste(library);
        check(errno, vm)
    }

    /// Load a readline history file.
    ///
    /// The default filename is ~/.history.
    #[function("($module, filename=None, /)")]
    fn read_history_file(filename: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let library = library(vm)?;
        let name = file_name(filename, "r", vm)?;
        // SAFETY: null or a NUL-terminated name.
        check(unsafe { library.read_history(pointer(&name)) }, vm)
    }

    /// Save a readline history file.
    ///
    /// The default filename is ~/.history.
    #[function("($module, filename=None, /)")]
    fn write_history_file(filename: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let library = library(vm)?;
        let name = file_name(filename, "w", vm)?;
        // SAFETY: null or a NUL-terminated name.
        check(unsafe { library.write_history(pointer(&name)) }, vm)?;
        truncate(library, &name, vm);
        Ok(())
    }

    /// Append the last nelements items of the history list to file.
    ///
    /// The default filename is ~/.history.
    #[function("($module, nelements, filename=None, /)")]
    fn append_history_file(nelements: i32, filename: Option<&Object>, vm: &Vm) -> PyResult<()> {
        if nelements < 0 {
            return Err(vm.value_error("nelements must be non-negative"));
        }
        let library = library(vm)?;
        let name = file_name(filename, "a", vm)?;
        // SAFETY: null or a NUL-terminated name.
        check(unsafe { library.append_history(nelements, pointer(&name)) }, vm)?;
        truncate(library, &name, vm);
        Ok(())
    }

    /// Return the current contents of history item at one-based index.
    #[function("($module, index, /)")]
    fn get_history_item(index: i32, vm: &Vm) -> PyResult<Option<Ref<Str>>> {
        let library = library(vm)?;
        let mut number = index;
        if library.is_libedit() {
            // libedit doesn't look whether there is such an entry, and its numbers may begin at 0.
            // SAFETY: the variable is the library's.
            let length = unsafe { *library.history_length() };
            number = index.wrapping_sub(1).wrapping_add(reading::first_number(library));
            if index < 1 || index > length {
                return Ok(None);
            }
        }
        // SAFETY: the entry, if there is one, lives until the history changes.
        let line = unsafe { library.history_get(number).as_ref().map(|entry| entry.line) };
        Ok(line.filter(|line| !line.is_null()).map(|line| text_at(line, vm)))
    }

    /// Return the current (not the maximum) length of history.
    #[function("($module, /)")]
    fn get_current_history_length(vm: &Vm) -> PyResult<i32> {
        // SAFETY: the variable is the library's.
        Ok(unsafe { *library(vm)?.history_length() })
    }

    /// Set the maximal number of lines which will be written to the history file.
    ///
    /// A negative length is used to inhibit history truncation.
    #[function("($module, length, /)")]
    fn set_history_length(length: i32, vm: &Vm) {
        state(vm).file_limit.set(Some(length));
    }

    /// Return the maximum number of lines that will be written to the history file.
    #[function("($module, /)")]
    fn get_history_length(vm: &Vm) -> i32 {
        state(vm).file_limit.get().unwrap_or(-1)
    }

    /// Set or remove the completer function.
    ///
    /// The function is called as function(text, state),
    /// for state in 0, 1, 2, ..., until it returns a non-string.
    /// It should return the next possible completion starting with 'text'.
    #[function("($module, function=None, /)")]
    fn set_completer(function: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let completer = hook(function, "completer", vm)?;
        replace(&state(vm).completer, completer);
        Ok(())
    }

    /// Get the current completer function.
    #[function("($module, /)")]
    fn get_completer(vm: &Vm) -> Option<ObjRef> {
        state(vm).completer.borrow().clone()
    }

    /// Get the type of completion being attempted.
    #[function("($module, /)")]
    fn get_completion_type(vm: &Vm) -> PyResult<i32> {
        // SAFETY: the variable is the library's.
        Ok(unsafe { *library(vm)?.rl_completion_type() })
    }

    /// Get the beginning index of the completion scope.
    #[function("($module, /)")]
    fn get_begidx(vm: &Vm) -> i32 {
        state(vm).begin.get()
    }

    /// Get the ending index of the completion scope.
    #[function("($module, /)")]
    fn get_endidx(vm: &Vm) -> i32 {
        state(vm).end.get()
    }

    /// Set the word delimiters for completion.
    #[function("($module, string, /)")]
    fn set_completer_delims(string: &Str, vm: &Vm) -> PyResult<()> {
        let text = c_text(string, vm)?;
        reading::set_delimiters(library(vm)?, text, vm);
        Ok(())
    }

    /// Get the word delimiters for completion.
    #[function("($module, /)")]
    fn get_completer_delims(vm: &Vm) -> PyResult<Ref<Str>> {
        // SAFETY: the variable is the library's.
        Ok(text_at(unsafe { *library(vm)?.rl_completer_word_break_characters() }, vm))
    }

    /// Enables or disables automatic history.
    #[function("($module, enabled, /)")]
    fn set_auto_history(enabled: bool, vm: &Vm) {
        state(vm).no_auto_history.set(!enabled);
    }

    /// Add an item to the history buffer.
    #[function("($module, string, /)")]
    fn add_history(string: &Str, vm: &Vm) -> PyResult<()> {
        library(vm)?.add_history(c_text(string, vm)?.as_c_str().into());
        Ok(())
    }

    /// Remove history item given by its zero-based position.
    #[function("($module, pos, /)")]
    fn remove_history_item(pos: i32, vm: &Vm) -> PyResult<()> {
        entry_place(pos, vm)?;
        let library = library(vm)?;
        // SAFETY: the library looks whether there is such a place.
        let entry = unsafe { library.remove_history(pos) };
        if entry.is_null() {
            return Err(vm.value_error(format!("No history item at position {pos}")));
        }
        free_entry(library, entry);
        Ok(())
    }

    /// Replaces history item given by its position with contents of line.
    ///
    /// pos is zero-based.
    #[function("($module, pos, line, /)")]
    fn replace_history_item(pos: i32, line: &Str, vm: &Vm) -> PyResult<()> {
        let line = c_text(line, vm)?;
        entry_place(pos, vm)?;
        let library = library(vm)?;
        // SAFETY: the library looks whether there is such a place, and copies the text.
        let old = unsafe { library.replace_history_entry(pos, line.as_ptr(), std::ptr::null_mut()) };
        if old.is_null() {
            return Err(vm.value_error(format!("No history item at position {pos}")));
        }
        free_entry(library, old);
        Ok(())
    }

    /// Clear the current readline history.
    #[function("($module, /)")]
    fn clear_history(vm: &Vm) -> PyResult<()> {
        library(vm)?.clear_history();
        Ok(())
    }

    /// Set or remove the function invoked by the rl_startup_hook callback.
    ///
    /// The function is called with no arguments just
    /// before readline prints the first prompt.
    #[function("($module, function=None, /)")]
    fn set_startup_hook(function: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let hook = hook(function, "startup_hook", vm)?;
        replace(&state(vm).startup_hook, hook);
        Ok(())
    }

    /// Set or remove the function invoked by the rl_pre_input_hook callback.
    ///
    /// The function is called with no arguments after the first prompt
    /// has been printed and just before readline starts reading input
    /// characters.
    #[function("($module, function=None, /)")]
    fn set_pre_input_hook(function: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let hook = hook(function, "pre_input_hook", vm)?;
        replace(&state(vm).pre_input_hook, hook);
        Ok(())
    }

    /// Set or remove the completion display function.
    ///
    /// The function is called as
    ///   function(substitution, [matches], longest_match_length)
    /// once each time matches need to be displayed.
    #[function("($module, function=None, /)")]
    fn set_completion_display_matches_hook(function: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let hook = hook(function, "completion_display_matches_hook", vm)?;
        reading::display_matches_by_hook(library(vm)?, hook.is_some());
        replace(&state(vm).display_matches_hook, hook);
        Ok(())
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        let library = library(vm)?;
        let (backend, doc) = if library.is_libedit() {
            ("editline", "Importing this module enables command line editing using libedit readline.")
        } else {
            ("readline", "Importing this module enables command line editing using GNU readline.")
        };
        module.set("__doc__", vm.new_str(doc).as_object(), vm)?;
        module.set("backend", vm.new_str(backend).as_object(), vm)?;
        // SAFETY: the variable is the library's.
        let version = unsafe { *library.rl_readline_version() };
        module.set("_READLINE_VERSION", &vm.new_int(version), vm)?;
        module.set("_READLINE_RUNTIME_VERSION", &vm.new_int(version), vm)?;
        module.set("_READLINE_LIBRARY_VERSION", vm.new_str(&library.version_text()).as_object(), vm)?;
        reading::set_up(library, vm);
        Ok(())
    }
}
