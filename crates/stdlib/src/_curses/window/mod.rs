//! `curses.window`.

use std::cell::RefCell;
use std::ffi::{CStr, c_int};

use taipan_vm::builtins::codecs_core::registry;
use taipan_vm::prelude::*;

use super::convert::{self, check, chtype, int, ints, wrong_count};
use super::library::{self as ncurses, Chtype, NewWin, Win};
use super::{ERROR, library};

mod reading;
mod writing;

/// Calls a function of the window with the library's name.
macro_rules! call {
    ($self:ident, $name:ident($($arg:expr),*), $vm:ident) => {
        check(library($vm)?.$name($self.win $(, $arg)*), stringify!($name), $vm)
    };
    ($self:ident, $name:ident($($arg:expr),*) as $shown:literal, $vm:ident) => {
        check(library($vm)?.$name($self.win $(, $arg)*), $shown, $vm)
    };
}
use call;

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
}

#[pytype(name = "_curses.window", gc, no_new, doc = "", methods(READING_METHODS, WRITING_METHODS))]
impl Window {
    /// Clear the window on the next refresh() if flag is true.
    #[method("($self, flag, /)")]
    fn clearok(&self, flag: i32, vm: &Vm) -> PyResult<()> {
        call!(self, clearok(flag != 0), vm)
    }

    /// Update the cursor position of all ancestor windows to match.
    #[method("($self, /)")]
    fn cursyncup(&self, vm: &Vm) -> PyResult<()> {
        library(vm)?.wcursyncup(self.win);
        Ok(())
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
