//! What is taken from GNU readline or libedit, found at import.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;

use crate::dynamic::{CText, Library, dynamic_library};

/// A C stream.
pub type File = *mut libc::FILE;
/// What makes matches, one a call.
pub type Generator = unsafe extern "C" fn(*const c_char, c_int) -> *mut c_char;
/// Called before the first prompt, or after it.
pub type Hook = unsafe extern "C" fn() -> c_int;
/// Makes the list of matches for a word between two places of the line.
pub type Completion = unsafe extern "C" fn(*const c_char, c_int, c_int) -> *mut *mut c_char;
/// Shows matches: the common start, then each; their number, the longest's length.
pub type DisplayMatches = unsafe extern "C" fn(*mut *mut c_char, c_int, c_int);

/// An entry of the history: the text is the first thing in it, whatever follows.
#[repr(C)]
pub struct Entry {
    pub line: *const c_char,
}

dynamic_library! {
    /// The functions and variables of the library.
    pub struct Readline;
    safe {
        fn using_history();
        fn clear_history();
        fn stifle_history(most: c_int);
        fn add_history(line: CText<'_>);
        fn rl_insert_text(text: CText<'_>) -> c_int;
        fn rl_variable_bind(name: CText<'_>, value: CText<'_>) -> c_int;
        fn rl_initialize() -> c_int;
        fn rl_redisplay();
        fn rl_prep_terminal(meta: c_int);
        fn rl_callback_handler_remove();
    }
    vouched {
        fn rl_parse_and_bind(line: *mut c_char) -> c_int;
        fn rl_read_init_file(file: *const c_char) -> c_int;
        fn read_history(file: *const c_char) -> c_int;
        fn write_history(file: *const c_char) -> c_int;
        fn append_history(count: c_int, file: *const c_char) -> c_int;
        fn history_truncate_file(file: *const c_char, lines: c_int) -> c_int;
        fn history_get(number: c_int) -> *const Entry;
        fn remove_history(place: c_int) -> *mut Entry;
        fn replace_history_entry(place: c_int, line: *const c_char, data: *mut c_void) -> *mut Entry;
        fn rl_bind_key(key: c_int, function: unsafe extern "C" fn(c_int, c_int) -> c_int) -> c_int;
        fn rl_insert(count: c_int, key: c_int) -> c_int;
        fn rl_complete(count: c_int, key: c_int) -> c_int;
        fn rl_completion_matches(text: *const c_char, generator: Generator) -> *mut *mut c_char;
        fn rl_callback_handler_install(prompt: *const c_char, handler: unsafe extern "C" fn(*mut c_char));
        fn rl_callback_read_char();
    }
    optional {
        fn free_history_entry(*mut Entry) -> *mut c_void;
        fn rl_bind_key_in_map(c_int, unsafe extern "C" fn(c_int, c_int) -> c_int, *mut c_void) -> c_int;
        fn rl_free_line_state();
        fn rl_cleanup_after_signal();
        fn rl_callback_sigcleanup();
        fn rl_resize_terminal();
        fn rl_getc(File) -> c_int;
    }
    data {
        rl_library_version: *const c_char;
        rl_readline_version: c_int;
        rl_readline_name: *const c_char;
        rl_line_buffer: *const c_char;
        rl_instream: File;
        rl_outstream: File;
        rl_startup_hook: Option<Hook>;
        rl_attempted_completion_function: Option<Completion>;
        rl_attempted_completion_over: c_int;
        rl_completer_word_break_characters: *const c_char;
        rl_completion_append_character: c_int;
        rl_completion_type: c_int;
        history_length: c_int;
    }
    optional data {
        rl_pre_input_hook: Option<Hook>;
        rl_completion_display_matches_hook: Option<DisplayMatches>;
        rl_completion_suppress_append: c_int;
        rl_catch_signals: c_int;
        rl_catch_sigwinch: c_int;
        rl_change_environment: c_int;
        rl_getc_function: Option<unsafe extern "C" fn(File) -> c_int>;
        emacs_meta_keymap: c_void;
    }
}

static LIBRARY: OnceLock<Readline> = OnceLock::new();

/// GNU readline, else libedit; the error says why neither can be used.
pub fn open() -> Result<&'static Readline, String> {
    if let Some(library) = LIBRARY.get() {
        return Ok(library);
    }
    let files = [c"libreadline.so.8", c"libreadline.so.7", c"libedit.so.2", c"libedit.so.0"];
    let library = Readline::resolve(Library::open(&files)?, "")?;
    Ok(LIBRARY.get_or_init(|| library))
}

/// The library of callbacks, which it calls only after it was opened.
pub fn opened() -> Option<&'static Readline> {
    LIBRARY.get()
}

impl Readline {
    /// The library's own account of its version.
    pub fn version_text(&self) -> String {
        // SAFETY: the variable points to a constant text of the library.
        unsafe { CStr::from_ptr(*self.rl_library_version()) }.to_string_lossy().into_owned()
    }

    /// Whether it is libedit in readline's clothes.
    pub fn is_libedit(&self) -> bool {
        self.version_text().starts_with("EditLine wrapper")
    }
}
