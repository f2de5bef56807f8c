//! Reading a line: the library's callback interface, so that signals and the input hook are served while it waits; and the
//! functions that the library calls back.
//!
//! The lock is held except where a key is waited for.

use std::ffi::{CStr, CString, c_char, c_int};
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
use std::sync::{Mutex, PoisonError};

use taipan_vm::prelude::*;
use taipan_vm::protocols::path;
use taipan_vm::runtime::{line_input, pending};

use super::library::{self, File, Readline};
use super::state;

unsafe extern "C" {
    /// C's standard streams, which the library shares with the process.
    static stdin: File;
    static stdout: File;
}

/// One line at a time is read in the process.
static READING: Mutex<()> = Mutex::new(());
/// The thread that reads; null when none does.
static READER: AtomicPtr<Vm> = AtomicPtr::new(std::ptr::null_mut());
/// The line that the library handed over, or null at the end of the input; valid once `IS_COMPLETE`.
static LINE: AtomicPtr<c_char> = AtomicPtr::new(std::ptr::null_mut());
static IS_COMPLETE: AtomicBool = AtomicBool::new(false);
/// The window changed its size.
static IS_RESIZED: AtomicBool = AtomicBool::new(false);
/// What was to be done about that before us.
static OLD_RESIZE_HANDLER: AtomicPtr<libc::c_void> = AtomicPtr::new(std::ptr::null_mut());
/// Numbers of libedit's history may begin at 0.
static LIBEDIT_BEGINS_AT_ZERO: AtomicBool = AtomicBool::new(false);

/// The number of the first entry of the history.
pub fn first_number(library: &Readline) -> c_int {
    c_int::from(!(library.is_libedit() && LIBEDIT_BEGINS_AT_ZERO.load(Ordering::Relaxed)))
}

/// The thread that reads a line, inside a callback.
fn reader<'a>() -> Option<&'a Vm> {
    // SAFETY: null, or the thread state of the thread that is in `read_line`, whose library calls back.
    unsafe { READER.load(Ordering::Acquire).as_ref() }
}

/// Escape sequences around pasted text would be printed where nobody understands them.
pub fn disable_bracketed_paste(library: &Readline) {
    if !library.is_libedit() {
        library.rl_variable_bind(c"enable-bracketed-paste".into(), c"off".into());
    }
}

/// Sets what delimits words and keeps it alive.
pub fn set_delimiters(library: &Readline, text: CString, vm: &Vm) {
    let place = library.rl_completer_word_break_characters();
    let mut kept = state(vm).delimiters.borrow_mut();
    // SAFETY: the variable is the library's; the text lives until the variable points elsewhere.
    unsafe { *place = text.as_ptr() };
    *kept = Some(text);
}

/// Lets matches be shown by Python's hook, or by the library itself.
pub fn display_matches_by_hook(library: &Readline, by_hook: bool) {
    if let Some(place) = library.rl_completion_display_matches_hook() {
        // SAFETY: the variable is the library's.
        unsafe { *place = by_hook.then_some(display_matches as library::DisplayMatches) };
    }
}

/// Prepares the library, once it is found.
pub fn set_up(library: &'static Readline, vm: &Vm) {
    let _locale = Locale::of_environment();
    let is_libedit = library.is_libedit();
    // SAFETY: the variables are the library's; texts and functions live for good; the keymap is the library's own.
    unsafe {
        *library.rl_readline_name() = c"python".as_ptr();
        if is_libedit {
            // libedit must know its terminal before keys are bound, and takes the name of the program then.
            library.rl_initialize();
        }
        library.using_history();
        if is_libedit {
            library.add_history(c"1".into());
            LIBEDIT_BEGINS_AT_ZERO.store(library.history_get(1).is_null(), Ordering::Relaxed);
            library.clear_history();
        }
        let complete = libedit_or_readline_complete;
        let insert = insert_key;
        library.rl_bind_key(c_int::from(b'\t'), insert);
        if let (Some(bind), Some(map)) = (library.rl_bind_key_in_map(), library.emacs_meta_keymap()) {
            bind(c_int::from(b'\t'), complete, map);
            bind(0x1b, complete, map);
        }
        *library.rl_startup_hook() = Some(startup);
        if let Some(place) = library.rl_pre_input_hook() {
            *place = Some(pre_input);
        }
        *library.rl_attempted_completion_function() = Some(complete_word);
        *library.rl_completion_append_character() = 0;
        if let (Some(place), Some(_)) = (library.rl_getc_function(), library.rl_getc()) {
            *place = Some(key);
        }
        if let Some(place) = library.rl_change_environment() {
            // LINES and COLUMNS are the program's.
            *place = 0;
        }
    }
    set_delimiters(library, c" \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?".to_owned(), vm);
    install_resize_handler();
    // SAFETY: a plain call.
    if !is_libedit && unsafe { libc::isatty(1) } == 0 {
        // Without a terminal, asking it for its meta key would print an escape sequence.
        library.rl_variable_bind(c"enable-meta-key".into(), c"off".into());
    }
    if !is_libedit {
        library.rl_initialize();
    }
    disable_bracketed_paste(library);
    vm.interp().hooks.read_line.set(Some(read_line));
}

/// The character type's locale is the environment's as long as this lives: the library edits in its encoding.
struct Locale(Option<CString>);

impl Locale {
    fn of_environment() -> Locale {
        // SAFETY: plain calls; the text is copied before the next one.
        unsafe {
            let old = libc::setlocale(libc::LC_CTYPE, std::ptr::null());
            let old = (!old.is_null()).then(|| CStr::from_ptr(old).to_owned());
            libc::setlocale(libc::LC_CTYPE, c"".as_ptr());
            Locale(old)
        }
    }
}

impl Drop for Locale {
    fn drop(&mut self) {
        if let Some(old) = &self.0 {
            // SAFETY: a NUL-terminated text.
            unsafe { libc::setlocale(libc::LC_CTYPE, old.as_ptr()) };
        }
    }
}

extern "C" fn resized(signal: c_int) {
    IS_RESIZED.store(true, Ordering::Relaxed);
    let old = OLD_RESIZE_HANDLER.load(Ordering::Relaxed);
    if old as usize > libc::SIG_IGN && old as usize != libc::SIG_ERR {
        // SAFETY: neither of the special values, so the address of a handler.
        let old = unsafe { std::mem::transmute::<*mut libc::c_void, extern "C" fn(c_int)>(old) };
        old(signal);
    }
}

fn install_resize_handler() {
    // SAFETY: the handler only touches atomics and calls the one that was there; zero is a valid value of the structure.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = resized as extern "C" fn(c_int) as usize;
        let mut old: libc::sigaction = std::mem::zeroed();
        if libc::sigaction(libc::SIGWINCH, std::ptr::null(), &raw mut old) == 0
            && old.sa_sigaction != action.sa_sigaction
            && old.sa_flags & libc::SA_SIGINFO == 0
        {
            OLD_RESIZE_HANDLER.store(old.sa_sigaction as *mut libc::c_void, Ordering::Relaxed);
        }
        libc::sigaction(libc::SIGWINCH, &raw const action, std::ptr::null_mut());
    }
}

/// Takes the line from the library.
unsafe extern "C" fn line_is_complete(line: *mut c_char) {
    LINE.store(line, Ordering::Release);
    IS_COMPLETE.store(true, Ordering::Release);
    if let Some(library) = library::opened() {
        library.rl_callback_handler_remove();
    }
}

/// Waits for a key. Whether there is one, or a signal came; with an input hook, it is called ten times a second.
fn wait_for_key(input: c_int, vm: &Vm) -> Result<bool, Option<i32>> {
    let timeout = if line_input::has_input_hook(vm) { 100 } else { -1 };
    let mut poll = libc::pollfd { fd: input, events: libc::POLLIN, revents: 0 };
    let ready = vm.allow_threads(|| {
        // SAFETY: one structure of our own.
        unsafe { libc::poll(&raw mut poll, 1, timeout) }
    });
    let error = std::io::Error::last_os_error().raw_os_error();
    line_input::call_input_hook(vm);
    if ready < 0 { Err(error) } else { Ok(ready > 0) }
}

/// The hook of `line_input`: reads a line from the terminal with its end; empty at the end of the input.
pub fn read_line(prompt: &CStr, vm: &Vm) -> PyResult<Vec<u8>> {
    let Some(library) = library::opened() else { return Err(vm.system_error("readline is not loaded")) };
    let lock = match READING.try_lock() {
        Ok(lock) => lock,
        Err(_) => vm.allow_threads(|| READING.lock().unwrap_or_else(PoisonError::into_inner)),
    };
    let _locale = Locale::of_environment();
    // SAFETY: the streams are C's own; the variables are the library's.
    unsafe {
        if *library.rl_instream() != stdin || *library.rl_outstream() != stdout {
            *library.rl_instream() = stdin;
            *library.rl_outstream() = stdout;
            library.rl_prep_terminal(1);
        }
        if let Some(catch) = library.rl_catch_signals() {
            *catch = 0;
        }
    }
    READER.store(std::ptr::from_ref(vm).cast_mut(), Ordering::Release);
    let line = edit(library, prompt, vm);
    READER.store(std::ptr::null_mut(), Ordering::Release);
    drop(lock);
    let Some(mut line) = line? else { return Ok(Vec::new()) };
    add_to_history(library, &line, vm);
    line.push(b'\n');
    Ok(line)
}

/// Lets the user edit a line; none at the end of the input. Raises what signal handlers raise.
fn edit(library: &Readline, prompt: &CStr, vm: &Vm) -> PyResult<Option<Vec<u8>>> {
    IS_COMPLETE.store(false, Ordering::Release);
    // SAFETY: the library copies the prompt; the handler lives for good.
    unsafe { library.rl_callback_handler_install(prompt.as_ptr(), line_is_complete) };
    // SAFETY: C's standard input is open for the process's life.
    let input = unsafe { libc::fileno(stdin) };
    while !IS_COMPLETE.load(Ordering::Acquire) {
        if IS_RESIZED.swap(false, Ordering::Relaxed) {
            if let Some(resize) = library.rl_resize_terminal() {
                // SAFETY: a function without parameters, of a library that is set up.
                unsafe { resize() };
            }
        }
        match wait_for_key(input, vm) {
            // SAFETY: the handler is installed.
            Ok(true) => unsafe { library.rl_callback_read_char() },
            Ok(false) => {}
            Err(Some(libc::EINTR)) => {
                if let Err(Raised) = pending::check_signals(vm) {
                    abandon(library);
                    return Err(Raised);
                }
            }
            Err(errno) => {
                abandon(library);
                return Err(vm.os_error(errno.unwrap_or(0), None));
            }
        }
    }
    let text = LINE.swap(std::ptr::null_mut(), Ordering::AcqRel);
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: the library handed over a NUL-terminated text that is to be freed.
    unsafe {
        let line = CStr::from_ptr(text).to_bytes().to_vec();
        libc::free(text.cast());
        Ok(Some(line))
    }
}

/// Gives up a line in the midst of editing.
fn abandon(library: &Readline) {
    let parts =
        [library.rl_free_line_state(), library.rl_callback_sigcleanup(), library.rl_cleanup_after_signal()];
    for part in parts.into_iter().flatten() {
        // SAFETY: functions without parameters, of a library that is set up.
        unsafe { part() };
    }
    library.rl_callback_handler_remove();
}

/// Remembers the line, unless it is empty or the one before again.
fn add_to_history(library: &Readline, line: &[u8], vm: &Vm) {
    if line.is_empty() || state(vm).no_auto_history.get() {
        return;
    }
    // SAFETY: the variable is the library's; the entry lives until the history changes.
    let same = unsafe {
        let length = *library.history_length();
        let number = length.wrapping_sub(1).wrapping_add(first_number(library));
        let last = if length > 0 { library.history_get(number).as_ref() } else { None };
        last.is_some_and(|entry| !entry.line.is_null() && CStr::from_ptr(entry.line).to_bytes() == line)
    };
    if let (false, Ok(line)) = (same, CString::new(line)) {
        library.add_history(line.as_c_str().into());
    }
}

/// Reads a key while other threads run.
unsafe extern "C" fn key(stream: File) -> c_int {
    let Some(read) = library::opened().and_then(Readline::rl_getc) else { return -1 };
    match reader() {
        // SAFETY: passed on to the library's own function.
        Some(vm) => vm.allow_threads(|| unsafe { read(stream) }),
        // SAFETY: as above.
        None => unsafe { read(stream) },
    }
}

unsafe extern "C" fn insert_key(count: c_int, key: c_int) -> c_int {
    // SAFETY: passed on to the library's own function.
    library::opened().map_or(0, |library| unsafe { library.rl_insert(count, key) })
}

unsafe extern "C" fn libedit_or_readline_complete(count: c_int, key: c_int) -> c_int {
    // SAFETY: passed on to the library's own function.
    library::opened().map_or(0, |library| unsafe { library.rl_complete(count, key) })
}

/// Calls a hook without arguments and gives its number; errors go nowhere.
fn call_hook(choose: fn(&super::State) -> Option<ObjRef>) -> c_int {
    let Some(vm) = reader() else { return 0 };
    let Some(hook) = choose(state(vm)) else { return 0 };
    let number = hook
        .call_no_args(vm)
        .and_then(|result| if vm.is_none(&result) { Ok(0) } else { result.as_isize(vm) });
    match number {
        Ok(number) => c_int::try_from(number).unwrap_or(0),
        Err(Raised) => {
            vm.clear_exception();
            0
        }
    }
}

unsafe extern "C" fn startup() -> c_int {
    call_hook(|state| state.startup_hook.borrow().clone())
}

unsafe extern "C" fn pre_input() -> c_int {
    call_hook(|state| state.pre_input_hook.borrow().clone())
}

/// A copy of a text in C's memory.
fn c_copy(text: &[u8]) -> *mut c_char {
    // SAFETY: the block has the length that is told; null is handed on.
    unsafe { libc::strndup(text.as_ptr().cast(), text.len()) }
}

/// One more match from the completer; null when there are no more.
unsafe extern "C" fn next_match(text: *const c_char, number: c_int) -> *mut c_char {
    let (Some(vm), Some(library)) = (reader(), library::opened()) else { return std::ptr::null_mut() };
    let Some(completer) = state(vm).completer.borrow().clone() else { return std::ptr::null_mut() };
    // SAFETY: the variable is the library's: it shall not fall back on file names.
    unsafe { *library.rl_attempted_completion_over() = 1 };
    let word = super::text_at(text, vm);
    let found = completer.call(&[word.as_object(), &vm.new_int(number)], vm).and_then(|found| {
        if vm.is_none(&found) {
            return Ok(None);
        }
        match found.downcast_ref::<Str>() {
            Some(found) => path::encode(found, vm).map(Some),
            None => Err(vm.type_error("a match must be str")),
        }
    });
    match found {
        Ok(Some(found)) => c_copy(&found),
        Ok(None) => std::ptr::null_mut(),
        Err(Raised) => {
            vm.clear_exception();
            std::ptr::null_mut()
        }
    }
}

/// Completes the word between two places of the line.
unsafe extern "C" fn complete_word(text: *const c_char, start: c_int, end: c_int) -> *mut *mut c_char {
    let (Some(vm), Some(library)) = (reader(), library::opened()) else { return std::ptr::null_mut() };
    // SAFETY: the variables are the library's.
    let line = unsafe {
        *library.rl_completion_append_character() = 0;
        if let Some(suppress) = library.rl_completion_suppress_append() {
            *suppress = 0;
        }
        let line = *library.rl_line_buffer();
        if line.is_null() { &[] } else { CStr::from_ptr(line).to_bytes() }
    };
    // The library counts bytes, Python characters.
    let characters = |place: c_int| {
        let part = line.get(..usize::try_from(place).unwrap_or(0)).unwrap_or(line);
        i32::try_from(path::decode(part, vm).len()).unwrap_or(i32::MAX)
    };
    let places = (characters(start), characters(end));
    state(vm).begin.set(places.0);
    state(vm).end.set(places.1);
    // SAFETY: passed on from the library.
    unsafe { library.rl_completion_matches(text, next_match) }
}

/// Shows matches by Python's hook.
unsafe extern "C" fn display_matches(matches: *mut *mut c_char, count: c_int, longest: c_int) {
    let Some(vm) = reader() else { return };
    let Some(hook) = state(vm).display_matches_hook.borrow().clone() else { return };
    // SAFETY: the library hands over the common start and so many matches after it.
    let texts: Vec<ObjRef> = (0..=usize::try_from(count).unwrap_or(0))
        .map(|at| super::text_at(unsafe { *matches.add(at) }, vm).into_object())
        .collect();
    let mut texts = texts.into_iter();
    let Some(common) = texts.next() else { return };
    let rest = vm.new_list(texts.collect::<Vec<_>>());
    if hook.call(&[&common, rest.as_object(), &vm.new_int(longest)], vm).is_err() {
        vm.clear_exception();
    }
}
