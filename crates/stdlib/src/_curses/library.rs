//! What is taken from ncurses in its wide-character build, found at import.

use std::ffi::{c_char, c_int, c_long, c_short, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;

use crate::dynamic::{CText, Library, dynamic_library};

/// A character with attributes.
pub type Chtype = u32;
/// What functions give for failure.
pub const ERR: c_int = -1;
/// What `wget_wch` gives for a function key.
pub const KEY_CODE_YES: c_int = 0o400;
/// The bits of attributes and colours in a character.
pub const A_ATTRIBUTES: Chtype = !0xff;
/// The bits of the colour pair.
pub const A_COLOR: Chtype = 0xff00;

/// A window of the library. Python's window objects make these of what the library gives, and delete them when they die;
/// so whoever has one from an object at hand has a living one.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Win(NonNull<c_void>);

/// What a function gives that makes a window: null for failure.
pub type NewWin = Option<Win>;

/// An event of the mouse.
#[repr(C)]
#[derive(Default)]
pub struct MouseEvent {
    pub id: c_short,
    pub x: c_int,
    pub y: c_int,
    pub z: c_int,
    pub state: u32,
}

/// Room for the library's `cchar_t`, more than any version takes; only `setcchar` writes it.
#[repr(C, align(8))]
pub struct WideCharacter([u8; 128]);

impl WideCharacter {
    /// An empty one.
    pub fn new() -> WideCharacter {
        WideCharacter([0; 128])
    }
}

dynamic_library! {
    /// The functions and variables of the library.
    pub struct Curses;
    safe {
        fn assume_default_colors(foreground: c_int, background: c_int) -> c_int;
        fn baudrate() -> c_int;
        fn beep() -> c_int;
        fn can_change_color() -> bool;
        fn cbreak() -> c_int;
        fn nocbreak() -> c_int;
        fn curs_set(visibility: c_int) -> c_int;
        fn def_prog_mode() -> c_int;
        fn def_shell_mode() -> c_int;
        fn delay_output(ms: c_int) -> c_int;
        fn doupdate() -> c_int;
        fn echo() -> c_int;
        fn noecho() -> c_int;
        fn endwin() -> c_int;
        fn erasechar() -> c_char;
        fn killchar() -> c_char;
        fn filter();
        fn flash() -> c_int;
        fn flushinp() -> c_int;
        fn halfdelay(tenths: c_int) -> c_int;
        fn has_colors() -> bool;
        fn has_ic() -> bool;
        fn has_il() -> bool;
        fn has_key(key: c_int) -> c_int;
        fn init_color(color: c_short, red: c_short, green: c_short, blue: c_short) -> c_int;
        fn init_pair(pair: c_short, foreground: c_short, background: c_short) -> c_int;
        fn initscr() -> NewWin;
        fn intrflush(win: NewWin, flag: bool) -> c_int;
        fn is_term_resized(lines: c_int, columns: c_int) -> bool;
        fn isendwin() -> bool;
        fn meta(win: NewWin, flag: bool) -> c_int;
        fn mouseinterval(interval: c_int) -> c_int;
        fn napms(ms: c_int) -> c_int;
        fn newpad(lines: c_int, columns: c_int) -> NewWin;
        fn newwin(lines: c_int, columns: c_int, y: c_int, x: c_int) -> NewWin;
        fn nl() -> c_int;
        fn nonl() -> c_int;
        fn qiflush();
        fn noqiflush();
        fn raw() -> c_int;
        fn noraw() -> c_int;
        fn putp(text: CText<'_>) -> c_int;
        fn reset_prog_mode() -> c_int;
        fn reset_shell_mode() -> c_int;
        fn resetty() -> c_int;
        fn savetty() -> c_int;
        fn resize_term(lines: c_int, columns: c_int) -> c_int;
        fn resizeterm(lines: c_int, columns: c_int) -> c_int;
        fn start_color() -> c_int;
        fn termattrs() -> Chtype;
        fn tigetflag(name: CText<'_>) -> c_int;
        fn tigetnum(name: CText<'_>) -> c_int;
        fn typeahead(fd: c_int) -> c_int;
        fn ungetch(ch: c_int) -> c_int;
        fn unget_wch(ch: u32) -> c_int;
        fn use_default_colors() -> c_int;
        fn use_env(flag: bool);
        fn delwin(win: Win) -> c_int;
        fn getattrs(win: Win) -> c_int;
        fn getbegx(win: Win) -> c_int;
        fn getbegy(win: Win) -> c_int;
        fn getcurx(win: Win) -> c_int;
        fn getcury(win: Win) -> c_int;
        fn getmaxx(win: Win) -> c_int;
        fn getmaxy(win: Win) -> c_int;
        fn getparx(win: Win) -> c_int;
        fn getpary(win: Win) -> c_int;
        fn getbkgd(win: Win) -> Chtype;
        fn is_leaveok(win: Win) -> bool;
        fn is_pad(win: Win) -> bool;
        fn clearok(win: Win, flag: bool) -> c_int;
        fn idcok(win: Win, flag: bool);
        fn idlok(win: Win, flag: bool) -> c_int;
        fn immedok(win: Win, flag: bool);
        fn is_linetouched(win: Win, line: c_int) -> bool;
        fn is_wintouched(win: Win) -> bool;
        fn keypad(win: Win, flag: bool) -> c_int;
        fn leaveok(win: Win, flag: bool) -> c_int;
        fn mvderwin(win: Win, y: c_int, x: c_int) -> c_int;
        fn mvwin(win: Win, y: c_int, x: c_int) -> c_int;
        fn mvwdelch(win: Win, y: c_int, x: c_int) -> c_int;
        fn mvwinch(win: Win, y: c_int, x: c_int) -> Chtype;
        fn mvwinsch(win: Win, y: c_int, x: c_int, ch: Chtype) -> c_int;
        fn mvwaddch(win: Win, y: c_int, x: c_int, ch: Chtype) -> c_int;
        fn nodelay(win: Win, flag: bool) -> c_int;
        fn notimeout(win: Win, flag: bool) -> c_int;
        fn scroll(win: Win) -> c_int;
        fn scrollok(win: Win, flag: bool) -> c_int;
        fn syncok(win: Win, flag: bool) -> c_int;
        fn touchwin(win: Win) -> c_int;
        fn untouchwin(win: Win) -> c_int;
        fn touchline(win: Win, start: c_int, count: c_int) -> c_int;
        fn wtouchln(win: Win, start: c_int, count: c_int, changed: c_int) -> c_int;
        fn redrawwin(win: Win) -> c_int;
        fn wredrawln(win: Win, start: c_int, count: c_int) -> c_int;
        fn waddch(win: Win, ch: Chtype) -> c_int;
        fn waddstr(win: Win, text: CText<'_>) -> c_int;
        fn waddnstr(win: Win, text: CText<'_>, most: c_int) -> c_int;
        fn winsstr(win: Win, text: CText<'_>) -> c_int;
        fn winsnstr(win: Win, text: CText<'_>, most: c_int) -> c_int;
        fn wechochar(win: Win, ch: Chtype) -> c_int;
        fn pechochar(win: Win, ch: Chtype) -> c_int;
        fn wattroff(win: Win, attr: c_int) -> c_int;
        fn wattron(win: Win, attr: c_int) -> c_int;
        fn wattrset(win: Win, attr: c_int) -> c_int;
        fn wbkgd(win: Win, ch: Chtype) -> c_int;
        fn wbkgdset(win: Win, ch: Chtype);
        fn wborder(
            win: Win, left: Chtype, right: Chtype, top: Chtype, bottom: Chtype,
            top_left: Chtype, top_right: Chtype, bottom_left: Chtype, bottom_right: Chtype,
        ) -> c_int;
        fn wclear(win: Win) -> c_int;
        fn wclrtobot(win: Win) -> c_int;
        fn wclrtoeol(win: Win) -> c_int;
        fn wcursyncup(win: Win);
        fn wdelch(win: Win) -> c_int;
        fn wdeleteln(win: Win) -> c_int;
        fn wenclose(win: Win, y: c_int, x: c_int) -> bool;
        fn werase(win: Win) -> c_int;
        fn wgetch(win: Win) -> c_int;
        fn whline(win: Win, ch: Chtype, count: c_int) -> c_int;
        fn wvline(win: Win, ch: Chtype, count: c_int) -> c_int;
        fn winch(win: Win) -> Chtype;
        fn winsch(win: Win, ch: Chtype) -> c_int;
        fn winsdelln(win: Win, count: c_int) -> c_int;
        fn winsertln(win: Win) -> c_int;
        fn wmove(win: Win, y: c_int, x: c_int) -> c_int;
        fn wnoutrefresh(win: Win) -> c_int;
        fn wrefresh(win: Win) -> c_int;
        fn pnoutrefresh(
            pad: Win, pad_y: c_int, pad_x: c_int, top: c_int, left: c_int, bottom: c_int, right: c_int,
        ) -> c_int;
        fn prefresh(
            pad: Win, pad_y: c_int, pad_x: c_int, top: c_int, left: c_int, bottom: c_int, right: c_int,
        ) -> c_int;
        fn wresize(win: Win, lines: c_int, columns: c_int) -> c_int;
        fn wscrl(win: Win, lines: c_int) -> c_int;
        fn wsetscrreg(win: Win, top: c_int, bottom: c_int) -> c_int;
        fn wstandend(win: Win) -> c_int;
        fn wstandout(win: Win) -> c_int;
        fn wsyncdown(win: Win);
        fn wsyncup(win: Win);
        fn wtimeout(win: Win, delay: c_int);
        fn derwin(win: Win, lines: c_int, columns: c_int, y: c_int, x: c_int) -> NewWin;
        fn subwin(win: Win, lines: c_int, columns: c_int, y: c_int, x: c_int) -> NewWin;
        fn subpad(win: Win, lines: c_int, columns: c_int, y: c_int, x: c_int) -> NewWin;
        fn overlay(from: Win, to: Win) -> c_int;
        fn overwrite(from: Win, to: Win) -> c_int;
        fn copywin(
            from: Win, to: Win, from_y: c_int, from_x: c_int, top: c_int, left: c_int, bottom: c_int, right: c_int,
            overlay: c_int,
        ) -> c_int;
    }
    vouched {
        fn color_content(color: c_short, red: *mut c_short, green: *mut c_short, blue: *mut c_short) -> c_int;
        fn pair_content(pair: c_short, foreground: *mut c_short, background: *mut c_short) -> c_int;
        fn getmouse(event: *mut MouseEvent) -> c_int;
        fn ungetmouse(event: *mut MouseEvent) -> c_int;
        fn mousemask(mask: u32, old: *mut u32) -> u32;
        fn keyname(key: c_int) -> *const c_char;
        fn longname() -> *const c_char;
        fn termname() -> *const c_char;
        fn unctrl(ch: Chtype) -> *const c_char;
        fn setupterm(term: *const c_char, fd: c_int, error: *mut c_int) -> c_int;
        fn tigetstr(name: *const c_char) -> *const c_char;
        fn getwin(file: *mut libc::FILE) -> NewWin;
        fn putwin(win: Win, file: *mut libc::FILE) -> c_int;
        fn setcchar(
            to: *mut WideCharacter, text: *const i32, attr: Chtype, pair: c_short, options: *const c_void,
        ) -> c_int;
        fn wadd_wch(win: Win, ch: *const WideCharacter) -> c_int;
        fn waddwstr(win: Win, text: *const i32) -> c_int;
        fn waddnwstr(win: Win, text: *const i32, most: c_int) -> c_int;
        fn wins_wstr(win: Win, text: *const i32) -> c_int;
        fn wins_nwstr(win: Win, text: *const i32, most: c_int) -> c_int;
        fn wget_wch(win: Win, ch: *mut u32) -> c_int;
        fn wgetnstr(win: Win, text: *mut c_char, most: c_int) -> c_int;
        fn winnstr(win: Win, text: *mut c_char, most: c_int) -> c_int;
        fn wchgat(win: Win, count: c_int, attr: Chtype, pair: c_short, options: *const c_void) -> c_int;
        fn curses_version() -> *const c_char;
    }
    optional {
        fn extended_color_content(c_int, *mut c_int, *mut c_int, *mut c_int) -> c_int;
        fn extended_pair_content(c_int, *mut c_int, *mut c_int) -> c_int;
        fn init_extended_color(c_int, c_int, c_int, c_int) -> c_int;
        fn init_extended_pair(c_int, c_int, c_int) -> c_int;
        fn set_escdelay(c_int) -> c_int;
        fn set_tabsize(c_int) -> c_int;
    }
    data {
        stdscr: NewWin;
        newscr: NewWin;
        LINES: c_int;
        COLS: c_int;
        COLORS: c_int;
        COLOR_PAIRS: c_int;
        ESCDELAY: c_int;
        TABSIZE: c_int;
        acs_map: [Chtype; 128];
    }
}

/// `tparm`, which takes any number of parameters: up to nine are looked at.
pub type Tparm = unsafe extern "C" fn(*const c_char, ...) -> *const c_char;

static LIBRARY: OnceLock<(Curses, Tparm)> = OnceLock::new();

/// The library with its one function of many parameters; the error says why it can't be used.
fn load() -> Result<&'static (Curses, Tparm), String> {
    if let Some(library) = LIBRARY.get() {
        return Ok(library);
    }
    let handle = Library::open(&[c"libncursesw.so.6", c"libncursesw.so"])?;
    let curses = Curses::resolve(handle, "")?;
    let address = handle.required("tparm")?.as_ptr();
    // SAFETY: the library's header declares the function so.
    let tparm = unsafe { std::mem::transmute::<*mut c_void, Tparm>(address) };
    Ok(LIBRARY.get_or_init(|| (curses, tparm)))
}

/// The library; the error says why it can't be used.
pub fn open() -> Result<&'static Curses, String> {
    load().map(|(curses, _)| curses)
}

/// The library of a window, which was opened to make it.
pub fn opened() -> Option<&'static Curses> {
    LIBRARY.get().map(|(curses, _)| curses)
}

/// `tparm` with nine numbers; null for what it doesn't understand.
///
/// # Safety
/// The format is NUL-terminated; it is the terminal's string or the program's, whose parameters are numbers.
pub unsafe fn tparm(format: *const c_char, numbers: [c_int; 9]) -> Option<*const c_char> {
    let (_, tparm) = LIBRARY.get()?;
    let [a, b, c, d, e, f, g, h, i] = numbers.map(c_long::from);
    // SAFETY: passed on to the caller; the function takes long numbers.
    Some(unsafe { tparm(format, a, b, c, d, e, f, g, h, i) })
}
