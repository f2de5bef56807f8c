//! The screen as a whole: start and end, modes of the terminal, sizes, keys.

use std::ffi::c_int;
use std::sync::atomic::Ordering;

use taipan_vm::prelude::*;

use super::constants::ALTERNATE_CHARACTERS;
use super::convert::{self, check, chtype, int};
use super::library::{ERR, NewWin};
use super::{
    CursesModule, HAS_SCREEN, HAS_TERMINAL, Window, library, set_in_module, state, window, with_screen,
};

/// Calls one of two functions and tells which failed.
macro_rules! switch {
    ($flag:expr, $on:ident, $off:ident, $vm:expr) => {{
        let library = with_screen($vm)?;
        if $flag.unwrap_or(true) {
            check(library.$on(), stringify!($on), $vm)
        } else {
            check(library.$off(), stringify!($off), $vm)
        }
    }};
}

/// Calls a function without parameters.
macro_rules! call {
    ($name:ident, $vm:expr) => {
        check(with_screen($vm)?.$name(), stringify!($name), $vm)
    };
}

/// The screen's size, under the names that `curses` copies.
fn update_size(vm: &Vm) -> PyResult<()> {
    let library = library(vm)?;
    // SAFETY: the variables are the library's; the lock keeps other threads from changing them.
    let (lines, columns) = unsafe { (*library.LINES(), *library.COLS()) };
    for module in ["_curses", "curses"] {
        let module = taipan_vm::import::import_module(module, vm)?;
        module.set_attr(&vm.intern("LINES"), &vm.new_int(lines), vm)?;
        module.set_attr(&vm.intern("COLS"), &vm.new_int(columns), vm)?;
    }
    Ok(())
}

/// A size or position that the library keeps in 16 bits.
pub(super) fn short(value: &Object, vm: &Vm) -> PyResult<c_int> {
    let value = int(value, vm)?;
    if value > i32::from(i16::MAX) {
        Err(vm.overflow_error("signed short integer is greater than maximum"))
    } else if value < i32::from(i16::MIN) {
        Err(vm.overflow_error("signed short integer is less than minimum"))
    } else {
        Ok(value)
    }
}

#[pyfunctions(table = SCREEN_FUNCTIONS)]
impl CursesModule {
    /// Return the output speed of the terminal in bits per second.
    #[function("($module, /)")]
    fn baudrate(vm: &Vm) -> PyResult<c_int> {
        Ok(with_screen(vm)?.baudrate())
    }

    /// Emit a short attention sound.
    #[function("($module, /)")]
    fn beep(vm: &Vm) -> PyResult<()> {
        call!(beep, vm)
    }

    /// Enter cbreak mode.
    ///
    ///   flag
    ///     If false, the effect is the same as calling nocbreak().
    ///
    /// In cbreak mode (sometimes called "rare" mode) normal tty line buffering
    /// is turned off and characters are available to be read one by one.
    /// However, unlike raw mode, special characters (interrupt, quit, suspend,
    /// and flow control) retain their effects on the tty driver and calling
    /// program.  Calling first raw() then cbreak() leaves the terminal in
    /// cbreak mode.
    #[function("($module, flag=True, /)")]
    fn cbreak(flag: Option<bool>, vm: &Vm) -> PyResult<()> {
        switch!(flag, cbreak, nocbreak, vm)
    }

    /// Set the cursor state.
    ///
    ///   visibility
    ///     0 for invisible, 1 for normal visible, or 2 for very visible.
    ///
    /// If the terminal supports the visibility requested, the previous cursor
    /// state is returned; otherwise, an exception is raised.  On many
    /// terminals, the "visible" mode is an underline cursor and the "very
    /// visible" mode is a block cursor.
    #[function("($module, visibility, /)")]
    fn curs_set(visibility: i32, vm: &Vm) -> PyResult<c_int> {
        let old = with_screen(vm)?.curs_set(visibility);
        check(old, "curs_set", vm)?;
        Ok(old)
    }

    /// Save the current terminal mode as the "program" mode.
    ///
    /// The "program" mode is the mode when the running program is using curses.
    ///
    /// Subsequent calls to reset_prog_mode() will restore this mode.
    #[function("($module, /)")]
    fn def_prog_mode(vm: &Vm) -> PyResult<()> {
        call!(def_prog_mode, vm)
    }

    /// Save the current terminal mode as the "shell" mode.
    ///
    /// The "shell" mode is the mode when the running program is not using
    /// curses.
    ///
    /// Subsequent calls to reset_shell_mode() will restore this mode.
    #[function("($module, /)")]
    fn def_shell_mode(vm: &Vm) -> PyResult<()> {
        call!(def_shell_mode, vm)
    }

    /// Insert a pause in output.
    ///
    ///   ms
    ///     Duration in milliseconds.
    #[function("($module, ms, /)")]
    fn delay_output(ms: i32, vm: &Vm) -> PyResult<()> {
        check(with_screen(vm)?.delay_output(ms), "delay_output", vm)
    }

    /// Update the physical screen to match the virtual screen.
    #[function("($module, /)")]
    fn doupdate(vm: &Vm) -> PyResult<()> {
        call!(doupdate, vm)
    }

    /// Enter echo mode.
    ///
    ///   flag
    ///     If false, the effect is the same as calling noecho().
    ///
    /// In echo mode, each character input is echoed to the screen as it is
    /// entered.
    #[function("($module, flag=True, /)")]
    fn echo(flag: Option<bool>, vm: &Vm) -> PyResult<()> {
        switch!(flag, echo, noecho, vm)
    }

    /// De-initialize the library, and return terminal to normal status.
    #[function("($module, /)")]
    fn endwin(vm: &Vm) -> PyResult<()> {
        call!(endwin, vm)
    }

    /// Return the user's current erase character.
    #[function("($module, /)")]
    fn erasechar(vm: &Vm) -> PyResult<Ref<Bytes>> {
        Ok(vm.new_bytes(&[with_screen(vm)?.erasechar() as u8]))
    }

    /// Restrict screen updates to the current line.
    ///
    /// Must be called before initscr().  Afterwards curses confines the cursor
    /// and screen updates to a single line, which is useful for enabling
    /// character-at-a-time line editing without touching the rest of the
    /// screen.
    #[function("($module, /)")]
    fn filter(vm: &Vm) -> PyResult<()> {
        library(vm)?.filter();
        Ok(())
    }

    /// Flash the screen.
    ///
    /// That is, change it to reverse-video and then change it back in a short
    /// interval.
    #[function("($module, /)")]
    fn flash(vm: &Vm) -> PyResult<()> {
        call!(flash, vm)
    }

    /// Flush all input buffers.
    ///
    /// This throws away any typeahead that has been typed by the user and has
    /// not yet been processed by the program.
    #[function("($module, /)")]
    fn flushinp(vm: &Vm) -> PyResult<()> {
        with_screen(vm)?.flushinp();
        Ok(())
    }

    /// Return the current coordinates of the virtual screen cursor.
    ///
    /// Return a (y, x) tuple.  If leaveok is currently true, return (-1, -1).
    #[function("($module, /)")]
    fn getsyx(vm: &Vm) -> PyResult<Ref<Tuple>> {
        let library = with_screen(vm)?;
        // SAFETY: the variable is the library's.
        let screen: NewWin = unsafe { *library.newscr() };
        let (y, x) = match screen {
            Some(win) if library.is_leaveok(win) => (-1, -1),
            Some(win) => (library.getcury(win), library.getcurx(win)),
            None => (0, 0),
        };
        Ok(vm.new_tuple([vm.new_int(y), vm.new_int(x)]))
    }

    /// Read window related data stored in the file by an earlier putwin() call.
    ///
    /// The routine then creates and initializes a new window using that data,
    /// returning the new window object.
    #[function("($module, file, /)")]
    fn getwin(file: &Object, vm: &Vm) -> PyResult {
        let library = with_screen(vm)?;
        let data = file.call_method(&vm.intern("read"), &[], vm)?;
        let Some(bytes) = data.downcast_ref::<Bytes>() else {
            return Err(
                vm.type_error(format!("f.read() returned {} instead of bytes", data.ob_type().tp_name_str()))
            );
        };
        let file = window::TemporaryFile::new(vm)?;
        file.write(bytes.as_bytes(), vm)?;
        // SAFETY: an open stream, at its beginning.
        let win = unsafe { library.getwin(file.stream()) };
        Window::create(win, None, None, vm)
    }

    /// Enter half-delay mode.
    ///
    ///   tenths
    ///     Maximal blocking delay in tenths of seconds (1 - 255).
    ///
    /// Use nocbreak() to leave half-delay mode.
    #[function("($module, tenths, /)")]
    fn halfdelay(tenths: u8, vm: &Vm) -> PyResult<()> {
        check(with_screen(vm)?.halfdelay(c_int::from(tenths)), "halfdelay", vm)
    }

    /// Return True if the terminal has insert- and delete-character capabilities.
    #[function("($module, /)")]
    fn has_ic(vm: &Vm) -> PyResult<bool> {
        Ok(with_screen(vm)?.has_ic())
    }

    /// Return True if the terminal has insert- and delete-line capabilities.
    #[function("($module, /)")]
    fn has_il(vm: &Vm) -> PyResult<bool> {
        Ok(with_screen(vm)?.has_il())
    }

    /// Return True if the current terminal type recognizes a key with that value.
    ///
    ///   key
    ///     Key number.
    #[function("($module, key, /)")]
    fn has_key(key: i32, vm: &Vm) -> PyResult<bool> {
        Ok(with_screen(vm)?.has_key(key) != 0)
    }

    /// Initialize the library.
    ///
    /// Return a WindowObject which represents the whole screen.
    #[function("($module, /)")]
    fn initscr(vm: &Vm) -> PyResult {
        let library = library(vm)?;
        if HAS_SCREEN.load(Ordering::Relaxed) {
            // SAFETY: the variable is the library's.
            let screen: NewWin = unsafe { *library.stdscr() };
            if let Some(win) = screen {
                check(library.wrefresh(win), "wrefresh", vm)?;
            }
            return Window::create(screen, None, None, vm);
        }
        let Some(screen) = library.initscr() else { return Err(convert::null(vm)) };
        HAS_TERMINAL.store(true, Ordering::Relaxed);
        HAS_SCREEN.store(true, Ordering::Relaxed);
        // SAFETY: the variables are the library's; the map has a place for each ASCII character.
        let (map, lines, columns) = unsafe { (*library.acs_map(), *library.LINES(), *library.COLS()) };
        for (name, place) in ALTERNATE_CHARACTERS {
            let value = map.get(usize::from(*place)).copied().unwrap_or_default();
            set_in_module(name, i64::from(value), vm)?;
        }
        set_in_module("LINES", i64::from(lines), vm)?;
        set_in_module("COLS", i64::from(columns), vm)?;
        let object = Window::create(Some(screen), None, None, vm)?;
        if let Some(window) = object.downcast_ref::<Window>() {
            let encoding = window.encoding().to_owned();
            *state(vm).encoding.borrow_mut() = encoding;
        }
        Ok(object)
    }

    /// Control flushing of the output buffer when an interrupt key is pressed.
    ///
    /// If flag is true, pressing an interrupt key (interrupt, break, or quit)
    /// flushes all output in the terminal driver queue.  If flag is false, no
    /// flushing is done.
    #[function("($module, flag, /)")]
    fn intrflush(flag: bool, vm: &Vm) -> PyResult<()> {
        check(with_screen(vm)?.intrflush(None, flag), "intrflush", vm)
    }

    /// Return True if resize_term() would modify the window structure, False otherwise.
    ///
    ///   nlines
    ///     Height.
    ///   ncols
    ///     Width.
    #[function("($module, nlines, ncols, /)")]
    fn is_term_resized(nlines: i32, ncols: i32, vm: &Vm) -> PyResult<bool> {
        Ok(with_screen(vm)?.is_term_resized(nlines, ncols))
    }

    /// Return True if endwin() has been called.
    #[function("($module, /)")]
    fn isendwin(vm: &Vm) -> PyResult<bool> {
        Ok(with_screen(vm)?.isendwin())
    }

    /// Return the name of specified key.
    ///
    ///   key
    ///     Key number.
    #[function("($module, key, /)")]
    fn keyname(key: i32, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let library = with_screen(vm)?;
        if key < 0 {
            return Err(vm.value_error("invalid key number"));
        }
        // SAFETY: a number in, a text of the library or null out.
        let name = unsafe { library.keyname(key) };
        Ok(convert::bytes_at(name, vm).unwrap_or_else(|| vm.new_bytes(b"")))
    }

    /// Return the user's current line kill character.
    #[function("($module, /)")]
    fn killchar(vm: &Vm) -> PyResult<Ref<Bytes>> {
        Ok(vm.new_bytes(&[library(vm)?.killchar() as u8]))
    }

    /// Enable/disable meta keys.
    ///
    /// If yes is True, allow 8-bit characters to be input.  If yes is False,
    /// allow only 7-bit characters.
    #[function("($module, yes, /)")]
    fn meta(yes: bool, vm: &Vm) -> PyResult<()> {
        let library = with_screen(vm)?;
        // SAFETY: the variable is the library's.
        let screen = unsafe { *library.stdscr() };
        check(library.meta(screen, yes), "meta", vm)
    }

    /// Sleep for specified time.
    ///
    ///   ms
    ///     Duration in milliseconds.
    #[function("($module, ms, /)")]
    fn napms(ms: i32, vm: &Vm) -> PyResult<c_int> {
        let library = with_screen(vm)?;
        Ok(vm.allow_threads(|| library.napms(ms)))
    }

    /// Create and return a pointer to a new pad data structure.
    ///
    ///   nlines
    ///     Height.
    ///   ncols
    ///     Width.
    #[function("($module, nlines, ncols, /)")]
    fn newpad(nlines: i32, ncols: i32, vm: &Vm) -> PyResult {
        let pad = with_screen(vm)?.newpad(nlines, ncols);
        Window::create(pad, None, None, vm)
    }

    /// newwin(nlines, ncols, [begin_y=0, begin_x=0])
    /// Return a new window.
    ///
    ///   nlines
    ///     Height.
    ///   ncols
    ///     Width.
    ///   begin_y
    ///     Top side y-coordinate.
    ///   begin_x
    ///     Left side x-coordinate.
    ///
    /// By default, the window will extend from the specified position to the
    /// lower right corner of the screen.
    #[function("!($module, *args)")]
    fn newwin(args: &[&Object], vm: &Vm) -> PyResult {
        let [lines, columns, y, x] = match args.len() {
            2 | 4 => convert::ints(args, vm)?,
            _ => return Err(convert::wrong_count("newwin", 2, 4, vm)),
        };
        let win = with_screen(vm)?.newwin(lines, columns, y, x);
        Window::create(win, None, None, vm)
    }

    /// Enter newline mode.
    ///
    ///   flag
    ///     If false, the effect is the same as calling nonl().
    ///
    /// This mode translates the return key into newline on input, and
    /// translates newline into return and line-feed on output.  Newline mode
    /// is initially on.
    #[function("($module, flag=True, /)")]
    fn nl(flag: Option<bool>, vm: &Vm) -> PyResult<()> {
        switch!(flag, nl, nonl, vm)
    }

    /// Leave cbreak mode.
    ///
    /// Return to normal "cooked" mode with line buffering.
    #[function("($module, /)")]
    fn nocbreak(vm: &Vm) -> PyResult<()> {
        call!(nocbreak, vm)
    }

    /// Leave echo mode.
    ///
    /// Echoing of input characters is turned off.
    #[function("($module, /)")]
    fn noecho(vm: &Vm) -> PyResult<()> {
        call!(noecho, vm)
    }

    /// Leave newline mode.
    ///
    /// Disable translation of return into newline on input, and disable
    /// low-level translation of newline into newline/return on output.
    #[function("($module, /)")]
    fn nonl(vm: &Vm) -> PyResult<()> {
        call!(nonl, vm)
    }

    /// Disable queue flushing.
    ///
    /// When queue flushing is disabled, normal flush of input and output queues
    /// associated with the INTR, QUIT and SUSP characters will not be done.
    #[function("($module, /)")]
    fn noqiflush(vm: &Vm) -> PyResult<()> {
        with_screen(vm)?.noqiflush();
        Ok(())
    }

    /// Leave raw mode.
    ///
    /// Return to normal "cooked" mode with line buffering.
    #[function("($module, /)")]
    fn noraw(vm: &Vm) -> PyResult<()> {
        call!(noraw, vm)
    }

    /// Enable queue flushing.
    ///
    ///   flag
    ///     If false, the effect is the same as calling noqiflush().
    ///
    /// If queue flushing is enabled, all output in the display driver queue
    /// will be flushed when the INTR, QUIT and SUSP characters are read.
    #[function("($module, flag=True, /)")]
    fn qiflush(flag: Option<bool>, vm: &Vm) -> PyResult<()> {
        let library = with_screen(vm)?;
        if flag.unwrap_or(true) {
            library.qiflush()
        } else {
            library.noqiflush()
        }
        Ok(())
    }

    /// Update the LINES and COLS module variables.
    ///
    /// This is useful for detecting manual screen resize.
    #[function("($module, /)")]
    fn update_lines_cols(vm: &Vm) -> PyResult<()> {
        update_size(vm)
    }

    /// Enter raw mode.
    ///
    ///   flag
    ///     If false, the effect is the same as calling noraw().
    ///
    /// In raw mode, normal line buffering and processing of interrupt, quit,
    /// suspend, and flow control keys are turned off; characters are presented
    /// to curses input functions one by one.
    #[function("($module, flag=True, /)")]
    fn raw(flag: Option<bool>, vm: &Vm) -> PyResult<()> {
        switch!(flag, raw, noraw, vm)
    }

    /// Restore the terminal to "program" mode, as previously saved by def_prog_mode().
    #[function("($module, /)")]
    fn reset_prog_mode(vm: &Vm) -> PyResult<()> {
        call!(reset_prog_mode, vm)
    }

    /// Restore the terminal to "shell" mode, as previously saved by def_shell_mode().
    #[function("($module, /)")]
    fn reset_shell_mode(vm: &Vm) -> PyResult<()> {
        call!(reset_shell_mode, vm)
    }

    /// Restore terminal mode.
    #[function("($module, /)")]
    fn resetty(vm: &Vm) -> PyResult<()> {
        call!(resetty, vm)
    }

    /// Backend function used by resizeterm(), performing most of the work.
    ///
    ///   nlines
    ///     Height.
    ///   ncols
    ///     Width.
    ///
    /// When resizing the windows, resize_term() blank-fills the areas that are
    /// extended.  The calling application should fill in these areas with
    /// appropriate data.  The resize_term() function attempts to resize all
    /// windows.  However, due to the calling convention of pads, it is not
    /// possible to resize these without additional interaction with the
    /// application.
    #[function("($module, nlines, ncols, /)")]
    fn resize_term(nlines: &Object, ncols: &Object, vm: &Vm) -> PyResult<()> {
        let (lines, columns) = (short(nlines, vm)?, short(ncols, vm)?);
        check(with_screen(vm)?.resize_term(lines, columns), "resize_term", vm)?;
        update_size(vm)
    }

    /// Resize the standard and current windows to the specified dimensions.
    ///
    ///   nlines
    ///     Height.
    ///   ncols
    ///     Width.
    ///
    /// Adjusts other bookkeeping data used by the curses library that record
    /// the window dimensions (in particular the SIGWINCH handler).
    #[function("($module, nlines, ncols, /)")]
    fn resizeterm(nlines: &Object, ncols: &Object, vm: &Vm) -> PyResult<()> {
        let (lines, columns) = (short(nlines, vm)?, short(ncols, vm)?);
        check(with_screen(vm)?.resizeterm(lines, columns), "resizeterm", vm)?;
        update_size(vm)
    }

    /// Save terminal mode.
    #[function("($module, /)")]
    fn savetty(vm: &Vm) -> PyResult<()> {
        call!(savetty, vm)
    }

    /// Gets the curses ESCDELAY setting.
    ///
    /// Gets the number of milliseconds to wait after reading an escape
    /// character, to distinguish between an individual escape character entered
    /// on the keyboard from escape sequences sent by cursor and function keys.
    #[function("($module, /)")]
    fn get_escdelay(vm: &Vm) -> PyResult<c_int> {
        // SAFETY: the variable is the library's.
        Ok(unsafe { *library(vm)?.ESCDELAY() })
    }

    /// Sets the curses ESCDELAY setting.
    ///
    ///   ms
    ///     length of the delay in milliseconds.
    ///
    /// Sets the number of milliseconds to wait after reading an escape
    /// character, to distinguish between an individual escape character entered
    /// on the keyboard from escape sequences sent by cursor and function keys.
    #[function("($module, ms, /)")]
    fn set_escdelay(ms: i32, vm: &Vm) -> PyResult<()> {
        if ms <= 0 {
            return Err(vm.value_error("ms must be > 0"));
        }
        let Some(set) = library(vm)?.set_escdelay() else {
            return Err(vm.not_implemented_error("the curses library has no set_escdelay"));
        };
        // SAFETY: the function takes any number.
        check(unsafe { set(ms) }, "set_escdelay", vm)
    }

    /// Gets the curses TABSIZE setting.
    ///
    /// Gets the number of columns used by the curses library when converting
    /// a tab character to spaces as it adds the tab to a window.
    #[function("($module, /)")]
    fn get_tabsize(vm: &Vm) -> PyResult<c_int> {
        // SAFETY: the variable is the library's.
        Ok(unsafe { *library(vm)?.TABSIZE() })
    }

    /// Sets the curses TABSIZE setting.
    ///
    ///   size
    ///     rendered cell width of a tab character.
    ///
    /// Sets the number of columns used by the curses library when converting
    /// a tab character to spaces as it adds the tab to a window.
    #[function("($module, size, /)")]
    fn set_tabsize(size: i32, vm: &Vm) -> PyResult<()> {
        if size <= 0 {
            return Err(vm.value_error("size must be > 0"));
        }
        let Some(set) = library(vm)?.set_tabsize() else {
            return Err(vm.not_implemented_error("the curses library has no set_tabsize"));
        };
        // SAFETY: the function takes any positive number.
        check(unsafe { set(size) }, "set_tabsize", vm)
    }

    /// Set the virtual screen cursor.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    ///
    /// If y and x are both -1, then leaveok is set.
    #[function("($module, y, x, /)")]
    fn setsyx(y: i32, x: i32, vm: &Vm) -> PyResult<()> {
        let library = with_screen(vm)?;
        // SAFETY: the variable is the library's.
        let screen: NewWin = unsafe { *library.newscr() };
        let Some(screen) = screen else { return Ok(()) };
        let leave = y == -1 && x == -1;
        library.leaveok(screen, leave);
        if !leave {
            library.wmove(screen, y, x);
        }
        Ok(())
    }

    /// Specify that the file descriptor fd be used for typeahead checking.
    ///
    ///   fd
    ///     File descriptor.
    ///
    /// If fd is -1, then no typeahead checking is done.
    #[function("($module, fd, /)")]
    fn typeahead(fd: i32, vm: &Vm) -> PyResult<()> {
        check(with_screen(vm)?.typeahead(fd), "typeahead", vm)
    }

    /// Return a bytes object which is a printable representation of ch.
    ///
    /// Control characters are displayed as a caret followed by the
    /// character, for example as ^C.  Printing characters are left as they
    /// are.  Any attributes and color pair are ignored.
    #[function("($module, ch, /)")]
    fn unctrl(ch: &Object, vm: &Vm) -> PyResult<Option<Ref<Bytes>>> {
        let library = with_screen(vm)?;
        let ch = chtype(ch, None, vm)?;
        // SAFETY: a number in, a text of the library or null out.
        Ok(convert::bytes_at(unsafe { library.unctrl(ch) }, vm))
    }

    /// Push ch so the next getch() will return it.
    #[function("($module, ch, /)")]
    fn ungetch(ch: &Object, vm: &Vm) -> PyResult<()> {
        let library = with_screen(vm)?;
        let ch = chtype(ch, None, vm)?;
        check(library.ungetch(ch as c_int), "ungetch", vm)
    }

    /// Push ch so the next get_wch() will return it.
    #[function("($module, ch, /)")]
    fn unget_wch(ch: &Object, vm: &Vm) -> PyResult<()> {
        let library = with_screen(vm)?;
        let ch = convert::wide_character(ch, vm)?;
        let code = if i32::try_from(ch).is_err() { ERR } else { library.unget_wch(ch) };
        check(code, "unget_wch", vm)
    }

    /// Use environment variables LINES and COLUMNS.
    ///
    /// If used, this function should be called before initscr() or newterm()
    /// are called.
    ///
    /// When flag is False, the values of lines and columns specified in the
    /// terminfo database will be used, even if environment variables LINES and
    /// COLUMNS (used by default) are set, or if curses is running in a window
    /// (in which case default behavior would be to use the window size if LINES
    /// and COLUMNS are not set).
    #[function("($module, flag, /)")]
    fn use_env(flag: bool, vm: &Vm) -> PyResult<()> {
        library(vm)?.use_env(flag);
        Ok(())
    }
}
