//! `curses.window`.

use std::cell::RefCell;
use std::ffi::{CStr, CString, c_int};

use taipan_vm::builtins::codecs_core::registry;
use taipan_vm::prelude::*;

use super::convert::{
    self, Character, Text, attributes, check, chtype, int, ints, pair_of, split, with_attributes, wrong_count,
};
use super::library::{self as ncurses, A_ATTRIBUTES, Chtype, Curses, ERR, KEY_CODE_YES, NewWin, Win};
use super::{ERROR, library};

/// The most bytes that are read of a line at once.
const LONGEST: u32 = 2047;

/// The layout of `curses.window`.
#[repr(C)]
#[derive(Traverse)]
pub struct Window {
    ob: Object,
    #[traverse(skip)]
    win: Win,
    #[traverse(skip)]
    encoding: RefCell<String>,
    /// The window whose characters a subwindow shares.
    parent: Slot<Window>,
}

impl Drop for Window {
    fn drop(&mut self) {
        let Some(library) = ncurses::opened() else { return };
        // SAFETY: the variable is the library's.
        let screen = unsafe { *library.stdscr() };
        // The screen's own window belongs to the library.
        if screen != Some(self.win) {
            library.delwin(self.win);
        }
    }
}

/// A stream of the C library on a file without a name, which is gone when this is.
pub struct TemporaryFile(*mut libc::FILE);

impl TemporaryFile {
    /// An empty one. Raises `OSError`.
    pub fn new(vm: &Vm) -> PyResult<TemporaryFile> {
        // SAFETY: a plain call.
        let stream = unsafe { libc::tmpfile() };
        if stream.is_null() { Err(last_error(vm)) } else { Ok(TemporaryFile(stream)) }
    }

    /// The stream, open as long as this lives.
    pub fn stream(&self) -> *mut libc::FILE {
        self.0
    }

    /// Fills it and goes back to its beginning.
    pub fn write(&self, bytes: &[u8], vm: &Vm) -> PyResult<()> {
        // SAFETY: an open stream; the block has the length that is told.
        let written = unsafe { libc::fwrite(bytes.as_ptr().cast(), 1, bytes.len(), self.0) };
        if written != bytes.len() {
            return Err(last_error(vm));
        }
        self.rewind(vm)
    }

    fn rewind(&self, vm: &Vm) -> PyResult<()> {
        // SAFETY: an open stream.
        if unsafe { libc::fseek(self.0, 0, libc::SEEK_SET) } == 0 { Ok(()) } else { Err(last_error(vm)) }
    }

    /// All that was written.
    fn read(&self, vm: &Vm) -> PyResult<Vec<u8>> {
        self.rewind(vm)?;
        let mut bytes = Vec::new();
        let mut block = [0u8; 8192];
        loop {
            // SAFETY: an open stream; the block has the length that is told.
            let read = unsafe { libc::fread(block.as_mut_ptr().cast(), 1, block.len(), self.0) };
            match block.get(..read) {
                None | Some([]) => return Ok(bytes),
                Some(part) => bytes.extend_from_slice(part),
            }
        }
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // SAFETY: an open stream, which nobody else has.
        unsafe { libc::fclose(self.0) };
    }
}

fn last_error(vm: &Vm) -> Raised {
    vm.os_error(std::io::Error::last_os_error().raw_os_error().unwrap_or(0), None)
}

/// The encoding of the terminal's characters.
fn terminal_encoding() -> String {
    // SAFETY: the C library gives a NUL-terminated text that lives until the next call.
    let name = unsafe {
        let name = libc::nl_langinfo(libc::CODESET);
        if name.is_null() { String::new() } else { CStr::from_ptr(name).to_string_lossy().into_owned() }
    };
    if name.is_empty() { "utf-8".to_owned() } else { name }
}

/// A part of a line as bytes, as long as was asked for.
fn length(object: Option<&&Object>, vm: &Vm) -> PyResult<c_int> {
    let Some(object) = object else { return Ok(LONGEST as c_int) };
    let number = object.as_index(vm)?;
    if number.is_negative() {
        return Err(vm.value_error("Cannot convert negative int"));
    }
    match number.to_i64().map(u32::try_from) {
        Some(Ok(number)) => Ok(number.min(LONGEST) as c_int),
        _ => Err(vm.overflow_error("Python int too large to convert to C unsigned int")),
    }
}

/// What the library put into a block, up to the zero.
fn up_to_zero(block: &[u8], vm: &Vm) -> Ref<Bytes> {
    let end = memchr::memchr(0, block).unwrap_or(block.len());
    vm.new_bytes(block.get(..end).unwrap_or_default())
}

/// The wide or the narrow form of a function that writes a text, and how it is called when it fails.
type Put<'a> = (&'a str, &'a dyn Fn(Win, &CString) -> c_int, &'a str, &'a dyn Fn(Win, *const i32) -> c_int);

impl Window {
    /// An object for what the library made; null is an error.
    pub fn create(win: NewWin, encoding: Option<String>, parent: Option<&Window>, vm: &Vm) -> PyResult {
        let Some(win) = win else { return Err(convert::null(vm)) };
        let encoding = encoding.unwrap_or_else(terminal_encoding);
        let window = vm.new_object(Window {
            ob: Object::new(Self::type_object()),
            win,
            encoding: RefCell::new(encoding),
            parent: Slot::empty(),
        });
        if let Some(parent) = parent {
            window.parent.set(parent.as_object().to_ref().downcast::<Window>().ok());
        }
        Ok(window.into_object())
    }

    /// The library's window.
    pub fn win(&self) -> Win {
        self.win
    }

    /// The encoding of its texts.
    pub fn encoding(&self) -> String {
        self.encoding.borrow().clone()
    }

    fn chtype(&self, object: &Object, vm: &Vm) -> PyResult<Chtype> {
        let encoding = self.encoding();
        chtype(object, Some(&encoding), vm)
    }

    /// Moves to a place, if one is given.
    fn go(&self, library: &Curses, place: Option<(c_int, c_int)>, vm: &Vm) -> PyResult<()> {
        match place {
            Some((y, x)) => check(library.wmove(self.win, y, x), "wmove", vm),
            None => Ok(()),
        }
    }

    /// Writes a text, at a place or with attributes where they are given.
    fn put(
        &self,
        place: Option<(c_int, c_int)>,
        text: &Object,
        attr: Option<&&Object>,
        (narrow_name, narrow, wide_name, wide): Put<'_>,
        vm: &Vm,
    ) -> PyResult<()> {
        let library = library(vm)?;
        let text = convert::text(text, vm)?;
        let old = match attr {
            Some(_) => {
                let new = attributes(attr, vm)?;
                let old = library.getattrs(self.win);
                library.wattrset(self.win, new as c_int);
                Some(old)
            }
            None => None,
        };
        let moved = place.is_none_or(|(y, x)| library.wmove(self.win, y, x) != ERR);
        let (code, name) = match &text {
            Text::Bytes(text) => (if moved { narrow(self.win, text) } else { ERR }, narrow_name),
            Text::Wide(text) => (if moved { wide(self.win, text.as_ptr()) } else { ERR }, wide_name),
        };
        if let Some(old) = old {
            library.wattrset(self.win, old);
        }
        check(code, name, vm)
    }

    /// Draws a line of characters.
    fn line(
        &self,
        name: &str,
        args: &[&Object],
        draw: fn(&Curses, Win, Chtype, c_int) -> c_int,
        vm: &Vm,
    ) -> PyResult<()> {
        let (place, rest) = split(name, args, 2, 3, vm)?;
        let [ch, count, rest @ ..] = rest else { return Err(wrong_count(name, 2, 5, vm)) };
        let (count, attr) = (int(count, vm)?, attributes(rest.first(), vm)?);
        let ch = self.chtype(ch, vm)?;
        let library = library(vm)?;
        self.go(library, place, vm)?;
        check(draw(library, self.win, ch | attr, count), name.rsplit('.').next().unwrap_or(name), vm)
    }

    /// Copies onto another window, as a whole or a part.
    fn copy(&self, name: &'static str, args: &[&Object], onto: bool, vm: &Vm) -> PyResult<()> {
        let full = format!("window.{name}");
        let (1 | 7, Some((target, places))) = (args.len(), args.split_first()) else {
            return Err(wrong_count(&full, 1, 7, vm));
        };
        let Some(to) = target.downcast_ref::<Window>() else {
            return Err(vm.type_error(format!(
                "{name}() argument 1 must be _curses.window, not {}",
                target.ob_type().tp_name_str()
            )));
        };
        let library = library(vm)?;
        if places.is_empty() {
            let code =
                if onto { library.overlay(self.win, to.win) } else { library.overwrite(self.win, to.win) };
            return check(code, name, vm);
        }
        let [from_y, from_x, top, left, bottom, right] = ints(places, vm)?;
        let code =
            library.copywin(self.win, to.win, from_y, from_x, top, left, bottom, right, c_int::from(onto));
        check(code, "copywin", vm)
    }

    /// Brings a window or a part of a pad to the screen, or to what will be on it.
    fn bring(&self, name: &str, refuse: &str, args: &[&Object], now: bool, vm: &Vm) -> PyResult<()> {
        let library = library(vm)?;
        if !matches!(args.len(), 0 | 6) {
            return Err(wrong_count(&format!("window.{name}"), 0, 6, vm));
        }
        let numbers: [c_int; 6] = ints(args, vm)?;
        let win = self.win;
        if library.is_pad(win) {
            if args.is_empty() {
                return Err(ERROR.raise(format!("{refuse} for a pad requires 6 arguments"), vm));
            }
            let [y, x, top, left, bottom, right] = numbers;
            let code = vm.allow_threads(|| {
                if now {
                    library.prefresh(win, y, x, top, left, bottom, right)
                } else {
                    library.pnoutrefresh(win, y, x, top, left, bottom, right)
                }
            });
            return check(code, if now { "prefresh" } else { "pnoutrefresh" }, vm);
        }
        if !args.is_empty() {
            return Err(vm.type_error(format!("{name}() takes no arguments (6 given)")));
        }
        let code = vm.allow_threads(|| if now { library.wrefresh(win) } else { library.wnoutrefresh(win) });
        check(code, if now { "wrefresh" } else { "wnoutrefresh" }, vm)
    }

    /// A window that shares its part of the screen, or of the pad.
    fn sub(&self, args: &[&Object], vm: &Vm) -> PyResult {
        let [lines, columns, y, x] = part("window.subwin", args, vm)?;
        let library = library(vm)?;
        let win = if library.is_pad(self.win) {
            library.subpad(self.win, lines, columns, y, x)
        } else {
            library.subwin(self.win, lines, columns, y, x)
        };
        Window::create(win, None, Some(self), vm)
    }

    /// Waits for a key, after moving to a place, if one is given.
    fn key(&self, name: &str, args: &[&Object], vm: &Vm) -> PyResult<c_int> {
        let (place, _) = split(name, args, 0, 0, vm)?;
        let library = library(vm)?;
        let win = self.win;
        Ok(vm.allow_threads(|| {
            let moved = place.is_none_or(|(y, x)| library.wmove(win, y, x) != ERR);
            if moved { library.wgetch(win) } else { ERR }
        }))
    }

    fn two(y: c_int, x: c_int, vm: &Vm) -> Ref<Tuple> {
        vm.new_tuple([vm.new_int(y), vm.new_int(x)])
    }
}

/// What `getkey` and `get_wch` raise when no key came: what a signal handler raised, or `curses.error`.
fn no_input(vm: &Vm) -> Raised {
    match taipan_vm::runtime::pending::check_signals(vm) {
        Err(Raised) => Raised,
        Ok(()) => ERROR.raise("no input", vm),
    }
}

/// Calls a function of the window with the library's name.
macro_rules! call {
    ($self:ident, $name:ident($($arg:expr),*), $vm:ident) => {
        check(library($vm)?.$name($self.win $(, $arg)*), stringify!($name), $vm)
    };
    ($self:ident, $name:ident($($arg:expr),*) as $shown:literal, $vm:ident) => {
        check(library($vm)?.$name($self.win $(, $arg)*), $shown, $vm)
    };
}

#[pytype(name = "_curses.window", gc, no_new, doc = "")]
impl Window {
    /// addch([y, x,] ch, [attr=_curses.A_NORMAL])
    /// Paint the character.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    ///   ch
    ///     Character to add.
    ///   attr
    ///     Attributes for the character.
    ///
    /// Paint character ch at (y, x) with attributes attr,
    /// overwriting any character previously painted at that location.
    /// By default, the character position and attributes are the
    /// current settings for the window object.
    #[method("!($self, *args)")]
    fn addch(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        let (place, rest) = split("window.addch", args, 1, 2, vm)?;
        let [ch, rest @ ..] = rest else { return Err(wrong_count("window.addch", 1, 4, vm)) };
        let attr = attributes(rest.first(), vm)?;
        let library = library(vm)?;
        let moved = |name: &str| match place {
            Some((y, x)) => check(library.wmove(self.win, y, x), name, vm),
            None => Ok(()),
        };
        match convert::character(ch, vm)? {
            Character::Byte(byte) => {
                moved("addch")?;
                check(library.waddch(self.win, byte | attr), "addch", vm)
            }
            Character::Wide(code) => {
                let wide = with_attributes(code, attr, vm)?;
                moved("add_wch")?;
                // SAFETY: a character that `setcchar` made.
                check(unsafe { library.wadd_wch(self.win, &raw const wide) }, "add_wch", vm)
            }
        }
    }

    /// addnstr([y, x,] str, n, [attr])
    /// Paint at most n characters of the string.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    ///   str
    ///     String to add.
    ///   n
    ///     Maximal number of characters.
    ///   attr
    ///     Attributes for characters.
    ///
    /// Paint at most n characters of the string str at (y, x) with
    /// attributes attr, overwriting anything previously on the display.
    /// By default, the character position and attributes are the
    /// current settings for the window object.
    #[method("!($self, *args)")]
    fn addnstr(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        let (place, rest) = split("window.addnstr", args, 2, 3, vm)?;
        let [text, most, rest @ ..] = rest else { return Err(wrong_count("window.addnstr", 2, 5, vm)) };
        let (most, library) = (int(most, vm)?, library(vm)?);
        let narrow = |win: Win, text: &CString| library.waddnstr(win, text.as_c_str().into(), most);
        // SAFETY: a text that ends with zero.
        let wide = |win: Win, text: *const i32| unsafe { library.waddnwstr(win, text, most) };
        self.put(place, text, rest.first(), ("addnstr", &narrow, "addnwstr", &wide), vm)
    }

    /// addstr([y, x,] str, [attr])
    /// Paint the string.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    ///   str
    ///     String to add.
    ///   attr
    ///     Attributes for characters.
    ///
    /// Paint the string str at (y, x) with attributes attr,
    /// overwriting anything previously on the display.
    /// By default, the character position and attributes are the
    /// current settings for the window object.
    #[method("!($self, *args)")]
    fn addstr(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        let (place, rest) = split("window.addstr", args, 1, 2, vm)?;
        let [text, rest @ ..] = rest else { return Err(wrong_count("window.addstr", 1, 4, vm)) };
        let library = library(vm)?;
        let narrow = |win: Win, text: &CString| library.waddstr(win, text.as_c_str().into());
        // SAFETY: a text that ends with zero.
        let wide = |win: Win, text: *const i32| unsafe { library.waddnwstr(win, text, -1) };
        self.put(place, text, rest.first(), ("addstr", &narrow, "addwstr", &wide), vm)
    }

    /// Remove attribute attr from the "background" set.
    #[method("($self, attr, /)")]
    fn attroff(&self, attr: i64, vm: &Vm) -> PyResult<()> {
        call!(self, wattroff(attr as c_int) as "attroff", vm)
    }

    /// Add attribute attr to the "background" set.
    #[method("($self, attr, /)")]
    fn attron(&self, attr: i64, vm: &Vm) -> PyResult<()> {
        call!(self, wattron(attr as c_int) as "attron", vm)
    }

    /// Set the "background" set of attributes.
    #[method("($self, attr, /)")]
    fn attrset(&self, attr: i64, vm: &Vm) -> PyResult<()> {
        call!(self, wattrset(attr as c_int) as "attrset", vm)
    }

    /// Set the background property of the window.
    ///
    ///   ch
    ///     Background character.
    ///   attr
    ///     Background attributes.
    #[method("($self, ch, attr=_curses.A_NORMAL, /)")]
    fn bkgd(&self, ch: &Object, attr: Option<i64>, vm: &Vm) -> PyResult<()> {
        let ch = self.chtype(ch, vm)?;
        call!(self, wbkgd(ch | attr.unwrap_or(0) as Chtype) as "bkgd", vm)
    }

    /// chgat([y, x,] [n=-1,] attr)
    /// Set the attributes of characters.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    ///   n
    ///     Number of characters.
    ///   attr
    ///     Attributes for characters.
    ///
    /// Set the attributes of num characters at the current cursor position, or at
    /// position (y, x) if supplied.  If no value of num is given or num = -1, the
    /// attribute will be set on all the characters to the end of the line.  This
    /// function does not move the cursor.  The changed line will be touched using
    /// the touchline() method so that the contents will be redisplayed by the next
    /// window refresh.
    #[method("!($self, *args)")]
    fn chgat(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        let (place, rest) = split("window.chgat", args, 1, 2, vm)?;
        let (count, attr) = match rest {
            [count, attr] => (int(count, vm)?, attributes(Some(attr), vm)?),
            _ => (-1, attributes(rest.first(), vm)?),
        };
        let library = library(vm)?;
        if let Some((y, x)) = place {
            check(library.wmove(self.win, y, x), "chgat", vm)?;
        }
        let y = library.getcury(self.win);
        // SAFETY: no options.
        let code =
            unsafe { library.wchgat(self.win, count, attr & A_ATTRIBUTES, pair_of(attr), std::ptr::null()) };
        library.touchline(self.win, y, 1);
        check(code, "chgat", vm)
    }

    /// Set the window's background.
    ///
    ///   ch
    ///     Background character.
    ///   attr
    ///     Background attributes.
    #[method("($self, ch, attr=_curses.A_NORMAL, /)")]
    fn bkgdset(&self, ch: &Object, attr: Option<i64>, vm: &Vm) -> PyResult<()> {
        let ch = self.chtype(ch, vm)?;
        library(vm)?.wbkgdset(self.win, ch | attr.unwrap_or(0) as Chtype);
        Ok(())
    }

    /// Draw a border around the edges of the window.
    ///
    ///   ls
    ///     Left side.
    ///   rs
    ///     Right side.
    ///   ts
    ///     Top side.
    ///   bs
    ///     Bottom side.
    ///   tl
    ///     Upper-left corner.
    ///   tr
    ///     Upper-right corner.
    ///   bl
    ///     Bottom-left corner.
    ///   br
    ///     Bottom-right corner.
    ///
    /// Each parameter specifies the character to use for a specific part of
    /// the border.  The characters can be specified as integers or as
    /// one-character strings.  A 0 value for any parameter will cause the
    /// default character to be used for that parameter.
    #[method(
        "($self, ls=_curses.ACS_VLINE, rs=_curses.ACS_VLINE, ts=_curses.ACS_HLINE, bs=_curses.ACS_HLINE, tl=_curses.ACS_ULCORNER, tr=_curses.ACS_URCORNER, bl=_curses.ACS_LLCORNER, br=_curses.ACS_LRCORNER, /)"
    )]
    #[allow(clippy::too_many_arguments, reason = "border has that many")]
    fn border(
        &self,
        ls: Option<&Object>,
        rs: Option<&Object>,
        ts: Option<&Object>,
        bs: Option<&Object>,
        tl: Option<&Object>,
        tr: Option<&Object>,
        bl: Option<&Object>,
        br: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        let mut parts: [Chtype; 8] = [0; 8];
        for (part, given) in parts.iter_mut().zip([ls, rs, ts, bs, tl, tr, bl, br]) {
            *part = given.map_or(Ok(0), |given| self.chtype(given, vm))?;
        }
        let [ls, rs, ts, bs, tl, tr, bl, br] = parts;
        call!(self, wborder(ls, rs, ts, bs, tl, tr, bl, br), vm)
    }

    /// box([verch=0, horch=0])
    /// Draw a border around the edges of the window.
    ///
    ///   verch
    ///     Left and right side.
    ///   horch
    ///     Top and bottom side.
    ///
    /// Similar to border(), but both ls and rs are verch and both ts and bs
    /// are horch.  The default corner characters are always used by this
    /// function.
    #[method("!($self, *args)")]
    fn r#box(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        let (vertical, horizontal) = match args {
            [] => (0, 0),
            [vertical, horizontal] => (self.chtype(vertical, vm)?, self.chtype(horizontal, vm)?),
            _ => return Err(wrong_count("window.box", 0, 2, vm)),
        };
        call!(self, wborder(vertical, vertical, horizontal, horizontal, 0, 0, 0, 0) as "box", vm)
    }

    /// Clear the window and repaint it completely on the next refresh().
    #[method("($self, /)")]
    fn clear(&self, vm: &Vm) -> PyResult<()> {
        call!(self, wclear(), vm)
    }

    /// Clear the window on the next refresh() if flag is true.
    #[method("($self, flag, /)")]
    fn clearok(&self, flag: i32, vm: &Vm) -> PyResult<()> {
        call!(self, clearok(flag != 0), vm)
    }

    /// Erase from the cursor to the end of the window.
    #[method("($self, /)")]
    fn clrtobot(&self, vm: &Vm) -> PyResult<()> {
        call!(self, wclrtobot(), vm)
    }

    /// Erase from the cursor to the end of the line.
    #[method("($self, /)")]
    fn clrtoeol(&self, vm: &Vm) -> PyResult<()> {
        call!(self, wclrtoeol(), vm)
    }

    /// Update the cursor position of all ancestor windows to match.
    #[method("($self, /)")]
    fn cursyncup(&self, vm: &Vm) -> PyResult<()> {
        library(vm)?.wcursyncup(self.win);
        Ok(())
    }

    /// delch([y, x])
    /// Delete the character under the cursor, or at (y, x) if specified.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    ///
    /// All characters to the right on the same line are shifted one
    /// position left.
    #[method("!($self, *args)")]
    fn delch(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        match split("window.delch", args, 0, 0, vm)?.0 {
            Some((y, x)) => call!(self, mvwdelch(y, x), vm),
            None => call!(self, wdelch(), vm),
        }
    }

    /// Delete the line under the cursor; move following lines up by one.
    #[method("($self, /)")]
    fn deleteln(&self, vm: &Vm) -> PyResult<()> {
        call!(self, wdeleteln(), vm)
    }

    /// derwin([nlines=0, ncols=0,] begin_y, begin_x)
    /// Create a sub-window (window-relative coordinates).
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
    /// derwin() is the same as calling subwin(), except that begin_y and
    /// begin_x are relative to the origin of the window, rather than
    /// relative to the entire screen.
    #[method("!($self, *args)")]
    fn derwin(&self, args: &[&Object], vm: &Vm) -> PyResult {
        let [lines, columns, y, x] = part("window.derwin", args, vm)?;
        let win = library(vm)?.derwin(self.win, lines, columns, y, x);
        Window::create(win, None, Some(self), vm)
    }

    /// Add character ch with attribute attr, and refresh.
    ///
    ///   ch
    ///     Character to add.
    ///   attr
    ///     Attributes for the character.
    #[method("($self, ch, attr=_curses.A_NORMAL, /)")]
    fn echochar(&self, ch: &Object, attr: Option<i64>, vm: &Vm) -> PyResult<()> {
        let ch = self.chtype(ch, vm)? | attr.unwrap_or(0) as Chtype;
        let library = library(vm)?;
        let code = if library.is_pad(self.win) {
            library.pechochar(self.win, ch)
        } else {
            library.wechochar(self.win, ch)
        };
        check(code, "echochar", vm)
    }

    /// Return True if the screen-relative coordinates are enclosed by the window.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    #[method("($self, y, x, /)")]
    fn enclose(&self, y: i32, x: i32, vm: &Vm) -> PyResult<bool> {
        Ok(library(vm)?.wenclose(self.win, y, x))
    }

    /// Clear the window.
    #[method("($self, /)")]
    fn erase(&self, vm: &Vm) -> PyResult<()> {
        call!(self, werase(), vm)
    }

    /// Return a tuple (y, x) of the upper-left corner coordinates.
    #[method("($self, /)")]
    fn getbegyx(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let library = library(vm)?;
        Ok(Self::two(library.getbegy(self.win), library.getbegx(self.win), vm))
    }

    /// Return the window's current background character/attribute pair.
    #[method("($self, /)")]
    fn getbkgd(&self, vm: &Vm) -> PyResult<i64> {
        Ok(i64::from(library(vm)?.getbkgd(self.win)))
    }

    /// getch([y, x])
    /// Read a key press and return it as an integer.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    ///
    /// Wait until a key is pressed, or return -1 if the read is
    /// non-blocking or times out.
    ///
    /// An ordinary key is returned as the code of a single byte of its
    /// encoding in the current locale, so a character encoded with several
    /// bytes takes several calls.  Use get_wch() to read it as a single
    /// character.
    ///
    /// In keypad mode function keys and other special keys are returned as
    /// one of the KEY_* constants, which cannot be mistaken for an ordinary
    /// key.  Otherwise their bytes are returned one at a time.
    #[method("!($self, *args)")]
    fn getch(&self, args: &[&Object], vm: &Vm) -> PyResult<c_int> {
        self.key("window.getch", args, vm)
    }

    /// getkey([y, x])
    /// Read a key press and return it as a str.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    ///
    /// Read as getch() does, but return an ordinary key as a one-character
    /// string, the byte decoded as Latin-1, and a special key as its name,
    /// such as 'KEY_UP'.  Raise curses.error instead of returning -1 if
    /// there is no input.
    #[method("!($self, *args)")]
    fn getkey(&self, args: &[&Object], vm: &Vm) -> PyResult {
        match self.key("window.getkey", args, vm)? {
            ERR => Err(no_input(vm)),
            key @ 0..=255 => Ok(Str::from_char(key as u32, vm).into_object()),
            key => {
                // SAFETY: a number in, a text of the library or null out.
                let name = convert::bytes_at(unsafe { library(vm)?.keyname(key) }, vm);
                let name = name.map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
                Ok(vm.new_str(&name.unwrap_or_default()).into_object())
            }
        }
    }

    /// get_wch([y, x])
    /// Read a key press and return it as a one-character str.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    ///
    /// Wait until a key is pressed, or raise curses.error if the read is
    /// non-blocking or times out.
    ///
    /// In keypad mode function keys and other special keys are returned as
    /// one of the KEY_* constants, an integer.  Otherwise their characters
    /// are returned one at a time.
    #[method("!($self, *args)")]
    fn get_wch(&self, args: &[&Object], vm: &Vm) -> PyResult {
        let (place, _) = split("window.get_wch", args, 0, 0, vm)?;
        let library = library(vm)?;
        let (win, mut key) = (self.win, 0);
        let code = vm.allow_threads(|| {
            let moved = place.is_none_or(|(y, x)| library.wmove(win, y, x) != ERR);
            // SAFETY: a place of our own.
            if moved { unsafe { library.wget_wch(win, &raw mut key) } } else { ERR }
        });
        match code {
            ERR => Err(no_input(vm)),
            KEY_CODE_YES => Ok(vm.new_int(key)),
            _ if char::from_u32(key).is_none() && !(0xd800..0xe000).contains(&key) => {
                Err(vm.value_error("chr() arg not in range(0x110000)"))
            }
            _ => Ok(Str::from_char(key, vm).into_object()),
        }
    }

    /// Return a tuple (y, x) of the window height and width.
    #[method("($self, /)")]
    fn getmaxyx(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let library = library(vm)?;
        Ok(Self::two(library.getmaxy(self.win), library.getmaxx(self.win), vm))
    }

    /// Return (y, x) relative to the parent window, or (-1, -1) if none.
    #[method("($self, /)")]
    fn getparyx(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let library = library(vm)?;
        Ok(Self::two(library.getpary(self.win), library.getparx(self.win), vm))
    }

    /// getstr([[y, x,] n=2047])
    /// Read a line of input and return it as a bytes object.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    ///   n
    ///     Maximal number of bytes.
    #[method("!($self, *args)")]
    fn getstr(&self, args: &[&Object], vm: &Vm) -> PyResult<Ref<Bytes>> {
        let (place, rest) = split("window.instr", args, 0, 1, vm)?;
        let most = length(rest.first(), vm)?;
        let library = library(vm)?;
        let (win, mut block) = (self.win, vec![0u8; LONGEST as usize + 1]);
        let code = vm.allow_threads(|| {
            let moved = place.is_none_or(|(y, x)| library.wmove(win, y, x) != ERR);
            // SAFETY: the block has room for so many bytes and a zero.
            if moved { unsafe { library.wgetnstr(win, block.as_mut_ptr().cast(), most) } } else { ERR }
        });
        if code == ERR {
            taipan_vm::runtime::pending::check_signals(vm)?;
            return Ok(vm.new_bytes(b""));
        }
        Ok(up_to_zero(&block, vm))
    }

    /// Return a tuple (y, x) of the current cursor position.
    #[method("($self, /)")]
    fn getyx(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let library = library(vm)?;
        Ok(Self::two(library.getcury(self.win), library.getcurx(self.win), vm))
    }

    /// hline([y, x,] ch, n, [attr=_curses.A_NORMAL])
    /// Display a horizontal line.
    ///
    ///   y
    ///     Starting Y-coordinate.
    ///   x
    ///     Starting X-coordinate.
    ///   ch
    ///     Character to draw.
    ///   n
    ///     Line length.
    ///   attr
    ///     Attributes for the characters.
    #[method("!($self, *args)")]
    fn hline(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        self.line("window.hline", args, Curses::whline, vm)
    }

    /// Enable or disable the hardware insert/delete character feature.
    #[method("($self, flag, /)")]
    fn idcok(&self, flag: i32, vm: &Vm) -> PyResult<()> {
        library(vm)?.idcok(self.win, flag != 0);
        Ok(())
    }

    /// Enable or disable the hardware insert/delete line feature.
    #[method("($self, flag, /)")]
    fn idlok(&self, flag: i32, vm: &Vm) -> PyResult<()> {
        call!(self, idlok(flag != 0), vm)
    }

    /// If flag is true, refresh the window on every change to it.
    #[method("($self, flag, /)")]
    fn immedok(&self, flag: i32, vm: &Vm) -> PyResult<()> {
        library(vm)?.immedok(self.win, flag != 0);
        Ok(())
    }

    /// inch([y, x])
    /// Return the character at the given position in the window.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    ///
    /// The bottom 8 bits are the character proper, and upper bits are the
    /// attributes.
    #[method("!($self, *args)")]
    fn inch(&self, args: &[&Object], vm: &Vm) -> PyResult<i64> {
        let library = library(vm)?;
        Ok(i64::from(match split("window.inch", args, 0, 0, vm)?.0 {
            Some((y, x)) => library.mvwinch(self.win, y, x),
            None => library.winch(self.win),
        }))
    }

    /// insch([y, x,] ch, [attr=_curses.A_NORMAL])
    /// Insert a character before the current or specified position.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    ///   ch
    ///     Character to insert.
    ///   attr
    ///     Attributes for the character.
    ///
    /// All characters to the right of the cursor are shifted one position
    /// right, with the rightmost characters on the line being lost.
    #[method("!($self, *args)")]
    fn insch(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        let (place, rest) = split("window.insch", args, 1, 2, vm)?;
        let [ch, rest @ ..] = rest else { return Err(wrong_count("window.insch", 1, 4, vm)) };
        let ch = self.chtype(ch, vm)? | attributes(rest.first(), vm)?;
        match place {
            Some((y, x)) => call!(self, mvwinsch(y, x, ch) as "insch", vm),
            None => call!(self, winsch(ch) as "insch", vm),
        }
    }

    /// Insert (nlines > 0) or delete (nlines < 0) lines above the cursor.
    #[method("($self, nlines, /)")]
    fn insdelln(&self, nlines: i32, vm: &Vm) -> PyResult<()> {
        call!(self, winsdelln(nlines), vm)
    }

    /// Insert a blank line under the cursor; move following lines down.
    #[method("($self, /)")]
    fn insertln(&self, vm: &Vm) -> PyResult<()> {
        call!(self, winsertln(), vm)
    }

    /// insnstr([y, x,] str, n, [attr])
    /// Insert at most n characters of the string.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    ///   str
    ///     String to insert.
    ///   n
    ///     Maximal number of characters.
    ///   attr
    ///     Attributes for characters.
    ///
    /// Insert a character string (as many characters as will fit on the
    /// line) before the character under the cursor, up to n characters.  If
    /// n is zero or negative, the entire string is inserted.  All
    /// characters to the right of the cursor are shifted right, with the
    /// rightmost characters on the line being lost.  The cursor position
    /// does not change (after moving to y, x, if specified).
    #[method("!($self, *args)")]
    fn insnstr(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        let (place, rest) = split("window.insnstr", args, 2, 3, vm)?;
        let [text, most, rest @ ..] = rest else { return Err(wrong_count("window.insnstr", 2, 5, vm)) };
        let (most, library) = (int(most, vm)?, library(vm)?);
        let narrow = |win: Win, text: &CString| library.winsnstr(win, text.as_c_str().into(), most);
        // SAFETY: a text that ends with zero.
        let wide = |win: Win, text: *const i32| unsafe { library.wins_nwstr(win, text, most) };
        self.put(place, text, rest.first(), ("insnstr", &narrow, "insn_wstr", &wide), vm)
    }

    /// insstr([y, x,] str, [attr])
    /// Insert the string before the current or specified position.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    ///   str
    ///     String to insert.
    ///   attr
    ///     Attributes for characters.
    ///
    /// Insert a character string (as many characters as will fit on the
    /// line) before the character under the cursor.  All characters to the
    /// right of the cursor are shifted right, with the rightmost characters
    /// on the line being lost.  The cursor position does not change (after
    /// moving to y, x, if specified).
    #[method("!($self, *args)")]
    fn insstr(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        let (place, rest) = split("window.insstr", args, 1, 2, vm)?;
        let [text, rest @ ..] = rest else { return Err(wrong_count("window.insstr", 1, 4, vm)) };
        let library = library(vm)?;
        let narrow = |win: Win, text: &CString| library.winsstr(win, text.as_c_str().into());
        // SAFETY: a text that ends with zero.
        let wide = |win: Win, text: *const i32| unsafe { library.wins_nwstr(win, text, -1) };
        self.put(place, text, rest.first(), ("insstr", &narrow, "inswstr", &wide), vm)
    }

    /// instr([y, x,] n=2047)
    /// Return the text of the window as a bytes object.
    ///
    ///   y
    ///     Y-coordinate.
    ///   x
    ///     X-coordinate.
    ///   n
    ///     Maximal number of bytes.
    ///
    /// Read from the current cursor position, or from y, x if specified, to
    /// the end of the line, and return the text in the encoding of the
    /// current locale, with attributes and color pairs stripped.  At most n
    /// bytes are read.
    #[method("!($self, *args)")]
    fn instr(&self, args: &[&Object], vm: &Vm) -> PyResult<Ref<Bytes>> {
        let (place, rest) = split("window.instr", args, 0, 1, vm)?;
        let most = length(rest.first(), vm)?;
        let library = library(vm)?;
        let mut block = vec![0u8; LONGEST as usize + 1];
        let moved = place.is_none_or(|(y, x)| library.wmove(self.win, y, x) != ERR);
        // SAFETY: the block has room for so many bytes and a zero.
        if !moved || unsafe { library.winnstr(self.win, block.as_mut_ptr().cast(), most) } == ERR {
            return Ok(vm.new_bytes(b""));
        }
        Ok(up_to_zero(&block, vm))
    }

    /// Return True if the specified line was modified, otherwise return False.
    ///
    ///   line
    ///     Line number.
    ///
    /// Raise a curses.error exception if line is not valid for the given
    /// window.
    #[method("($self, line, /)")]
    fn is_linetouched(&self, line: i32, vm: &Vm) -> PyResult<bool> {
        match library(vm)?.is_linetouched(self.win, line) {
            ERR => Err(vm.type_error("is_linetouched: line number outside of boundaries")),
            touched => Ok(touched != 0),
        }
    }

    /// Return True if the window changed since the last refresh().
    #[method("($self, /)")]
    fn is_wintouched(&self, vm: &Vm) -> PyResult<bool> {
        Ok(library(vm)?.is_wintouched(self.win))
    }

    /// Interpret escape sequences for special keys if flag is true.
    #[method("($self, flag, /)")]
    fn keypad(&self, flag: i32, vm: &Vm) -> PyResult<()> {
        call!(self, keypad(flag != 0), vm)
    }

    /// If flag is true, leave the cursor where the update leaves it.
    #[method("($self, flag, /)")]
    fn leaveok(&self, flag: i32, vm: &Vm) -> PyResult<()> {
        call!(self, leaveok(flag != 0), vm)
    }

    /// Move the cursor to (new_y, new_x).
    #[method("($self, new_y, new_x, /)")]
    fn r#move(&self, new_y: i32, new_x: i32, vm: &Vm) -> PyResult<()> {
        call!(self, wmove(new_y, new_x), vm)
    }

    /// Move the window inside its parent window.
    #[method("($self, y, x, /)")]
    fn mvderwin(&self, y: i32, x: i32, vm: &Vm) -> PyResult<()> {
        call!(self, mvderwin(y, x), vm)
    }

    /// Move the window so its upper-left corner is at (new_y, new_x).
    #[method("($self, new_y, new_x, /)")]
    fn mvwin(&self, new_y: i32, new_x: i32, vm: &Vm) -> PyResult<()> {
        call!(self, mvwin(new_y, new_x), vm)
    }

    /// If flag is true, getch() becomes non-blocking.
    #[method("($self, flag, /)")]
    fn nodelay(&self, flag: i32, vm: &Vm) -> PyResult<()> {
        call!(self, nodelay(flag != 0), vm)
    }

    /// If flag is true, do not time out escape sequences.
    #[method("($self, flag, /)")]
    fn notimeout(&self, flag: i32, vm: &Vm) -> PyResult<()> {
        call!(self, notimeout(flag != 0), vm)
    }

    /// noutrefresh([pminrow, pmincol, sminrow, smincol, smaxrow, smaxcol])
    /// Mark for refresh but wait.
    ///
    /// This function updates the data structure representing the desired
    /// state of the window, but does not force an update of the physical
    /// screen.  To accomplish that, call doupdate().
    #[method("!($self, *args)")]
    fn noutrefresh(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        self.bring("noutrefresh", "noutrefresh() called", args, false, vm)
    }

    /// overlay(destwin, [sminrow, smincol, dminrow, dmincol, dmaxrow, dmaxcol])
    /// Overlay the window on top of destwin.
    ///
    /// The windows need not be the same size, only the overlapping region
    /// is copied.  This copy is non-destructive, which means that the
    /// current background character does not overwrite the old contents of
    /// destwin.
    ///
    /// To get fine-grained control over the copied region, the second form
    /// of overlay() can be used.  sminrow and smincol are the upper-left
    /// coordinates of the source window, and the other variables mark
    /// a rectangle in the destination window.
    #[method("!($self, *args)")]
    fn overlay(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        self.copy("overlay", args, true, vm)
    }

    /// overwrite(destwin, [sminrow, smincol, dminrow, dmincol, dmaxrow,
    ///           dmaxcol])
    /// Overwrite the window on top of destwin.
    ///
    /// The windows need not be the same size, in which case only the
    /// overlapping region is copied.  This copy is destructive, which means
    /// that the current background character overwrites the old contents of
    /// destwin.
    ///
    /// To get fine-grained control over the copied region, the second form
    /// of overwrite() can be used. sminrow and smincol are the upper-left
    /// coordinates of the source window, the other variables mark
    /// a rectangle in the destination window.
    #[method("!($self, *args)")]
    fn overwrite(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        self.copy("overwrite", args, false, vm)
    }

    /// Write all data associated with the window into the provided file object.
    ///
    /// This information can be later retrieved using the getwin() function.
    #[method("($self, file, /)")]
    fn putwin(&self, file: &Object, vm: &Vm) -> PyResult {
        let temporary = TemporaryFile::new(vm)?;
        // SAFETY: an open stream.
        check(unsafe { library(vm)?.putwin(self.win, temporary.stream()) }, "putwin", vm)?;
        let bytes = vm.new_bytes(&temporary.read(vm)?);
        file.call_method(vm.ids().write, &[bytes.as_object()], vm)
    }

    /// Mark the specified lines corrupted.
    ///
    ///   beg
    ///     Starting line number.
    ///   num
    ///     The number of lines.
    ///
    /// They should be completely redrawn on the next refresh() call.
    #[method("($self, beg, num, /)")]
    fn redrawln(&self, beg: i32, num: i32, vm: &Vm) -> PyResult<()> {
        call!(self, wredrawln(beg, num) as "redrawln", vm)
    }

    /// Mark the entire window for redraw on the next refresh().
    #[method("($self, /)")]
    fn redrawwin(&self, vm: &Vm) -> PyResult<()> {
        call!(self, redrawwin(), vm)
    }

    /// refresh([pminrow, pmincol, sminrow, smincol, smaxrow, smaxcol])
    /// Update the display immediately.
    ///
    /// Synchronize actual screen with previous drawing/deleting methods.
    /// The 6 optional arguments can only be specified when the window is
    /// a pad created with newpad().  The additional parameters are needed
    /// to indicate what part of the pad and screen are involved.  pminrow
    /// and pmincol specify the upper left-hand corner of the rectangle to
    /// be displayed in the pad.  sminrow, smincol, smaxrow, and smaxcol
    /// specify the edges of the rectangle to be displayed on the screen.
    /// The lower right-hand corner of the rectangle to be displayed in the
    /// pad is calculated from the screen coordinates, since the rectangles
    /// must be the same size.  Both rectangles must be entirely contained
    /// within their respective structures.  Negative values of pminrow,
    /// pmincol, sminrow, or smincol are treated as if they were zero.
    #[method("!($self, *args)")]
    fn refresh(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        self.bring("refresh", "refresh()", args, true, vm)
    }

    /// Resize the window to nlines rows and ncols columns.
    #[method("($self, nlines, ncols, /)")]
    fn resize(&self, nlines: i32, ncols: i32, vm: &Vm) -> PyResult<()> {
        call!(self, wresize(nlines, ncols), vm)
    }

    /// scroll([lines=1])
    /// Scroll the screen or scrolling region.
    ///
    ///   lines
    ///     Number of lines to scroll.
    ///
    /// Scroll upward if the argument is positive and downward if it is
    /// negative.
    #[method("!($self, *args)")]
    fn scroll(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        match args {
            [] => call!(self, scroll(), vm),
            [lines] => {
                let lines = int(lines, vm)?;
                call!(self, wscrl(lines) as "scroll", vm)
            }
            _ => Err(wrong_count("window.scroll", 0, 1, vm)),
        }
    }

    /// Control whether the window scrolls when the cursor moves off it.
    #[method("($self, flag, /)")]
    fn scrollok(&self, flag: i32, vm: &Vm) -> PyResult<()> {
        call!(self, scrollok(flag != 0), vm)
    }

    /// Define a software scrolling region.
    ///
    ///   top
    ///     First line number.
    ///   bottom
    ///     Last line number.
    ///
    /// All scrolling actions will take place in this region.
    #[method("($self, top, bottom, /)")]
    fn setscrreg(&self, top: i32, bottom: i32, vm: &Vm) -> PyResult<()> {
        call!(self, wsetscrreg(top, bottom), vm)
    }

    /// Turn off the standout attribute.
    #[method("($self, /)")]
    fn standend(&self, vm: &Vm) -> PyResult<()> {
        call!(self, wstandend(), vm)
    }

    /// Turn on the A_STANDOUT attribute.
    #[method("($self, /)")]
    fn standout(&self, vm: &Vm) -> PyResult<()> {
        call!(self, wstandout(), vm)
    }

    /// subwin([nlines=0, ncols=0,] begin_y, begin_x)
    /// Create a sub-window (screen-relative coordinates).
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
    /// By default, the sub-window will extend from the specified position
    /// to the lower right corner of the window.
    #[method("!($self, *args)")]
    fn subpad(&self, args: &[&Object], vm: &Vm) -> PyResult {
        self.sub(args, vm)
    }

    /// subwin([nlines=0, ncols=0,] begin_y, begin_x)
    /// Create a sub-window (screen-relative coordinates).
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
    /// By default, the sub-window will extend from the specified position
    /// to the lower right corner of the window.
    #[method("!($self, *args)")]
    fn subwin(&self, args: &[&Object], vm: &Vm) -> PyResult {
        self.sub(args, vm)
    }

    /// Touch each location changed in any ancestor of the window.
    #[method("($self, /)")]
    fn syncdown(&self, vm: &Vm) -> PyResult<()> {
        library(vm)?.wsyncdown(self.win);
        Ok(())
    }

    /// If flag is true, call syncup() on every change to the window.
    #[method("($self, flag, /)")]
    fn syncok(&self, flag: i32, vm: &Vm) -> PyResult<()> {
        call!(self, syncok(flag != 0), vm)
    }

    /// Touch locations in ancestors that changed in this window.
    #[method("($self, /)")]
    fn syncup(&self, vm: &Vm) -> PyResult<()> {
        library(vm)?.wsyncup(self.win);
        Ok(())
    }

    /// Set blocking or non-blocking read behavior for the window.
    #[method("($self, delay, /)")]
    fn timeout(&self, delay: i32, vm: &Vm) -> PyResult<()> {
        library(vm)?.wtimeout(self.win, delay);
        Ok(())
    }

    /// touchline(start, count, [changed=True])
    /// Pretend count lines have been changed, starting with line start.
    ///
    /// If changed is supplied, it specifies whether the affected lines are
    /// marked as having been changed (changed=True) or unchanged
    /// (changed=False).
    #[method("!($self, *args)")]
    fn touchline(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        let (start, count, changed) = match args {
            [start, count] => (start, count, true),
            [start, count, changed] => (start, count, changed.is_true(vm)?),
            _ => return Err(wrong_count("window.touchline", 2, 3, vm)),
        };
        let (start, count) = (int(start, vm)?, int(count, vm)?);
        call!(self, wtouchln(start, count, c_int::from(changed)) as "touchline", vm)
    }

    /// Mark the whole window as changed.
    #[method("($self, /)")]
    fn touchwin(&self, vm: &Vm) -> PyResult<()> {
        call!(self, touchwin(), vm)
    }

    /// Mark all lines in the window as unchanged since last refresh().
    #[method("($self, /)")]
    fn untouchwin(&self, vm: &Vm) -> PyResult<()> {
        call!(self, untouchwin(), vm)
    }

    /// vline([y, x,] ch, n, [attr=_curses.A_NORMAL])
    /// Display a vertical line.
    ///
    ///   y
    ///     Starting Y-coordinate.
    ///   x
    ///     Starting X-coordinate.
    ///   ch
    ///     Character to draw.
    ///   n
    ///     Line length.
    ///   attr
    ///     Attributes for the character.
    #[method("!($self, *args)")]
    fn vline(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        self.line("window.vline", args, Curses::wvline, vm)
    }

    /// the encoding used to encode characters
    #[getter(encoding)]
    fn get_encoding(&self, vm: &Vm) -> Ref<Str> {
        vm.new_str(&self.encoding())
    }

    #[setter(encoding)]
    fn set_encoding(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.type_error("encoding may not be deleted")) };
        let Some(text) = value.downcast_ref::<Str>() else {
            return Err(vm.type_error("setting encoding to a non-string"));
        };
        registry::encode_text(text, "ascii", "strict", vm)?;
        let text = text.to_string_lossy().into_owned();
        *self.encoding.borrow_mut() = text;
        Ok(())
    }
}

/// The numbers of a part of a window: its place, after its size where that is given.
fn part(name: &str, args: &[&Object], vm: &Vm) -> PyResult<[c_int; 4]> {
    match args.len() {
        2 => ints(args, vm).map(|[y, x]| [0, 0, y, x]),
        4 => ints(args, vm),
        _ => Err(wrong_count(name, 2, 4, vm)),
    }
}
