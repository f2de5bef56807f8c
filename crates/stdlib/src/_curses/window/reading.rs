//! What reads from a window: keys and lines from the keyboard, what it shows, where it is.

use std::ffi::c_int;

use taipan_vm::prelude::*;

use super::super::ERROR;
use super::super::convert::{self, check, split};
use super::super::library::{ERR, KEY_CODE_YES};
use super::{TemporaryFile, Window, library};

/// The most bytes that are read of a line at once.
const LONGEST: u32 = 2047;

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

/// What `getkey` and `get_wch` raise when no key came: what a signal handler raised, or `curses.error`.
fn no_input(vm: &Vm) -> Raised {
    match taipan_vm::runtime::pending::check_signals(vm) {
        Err(Raised) => Raised,
        Ok(()) => ERROR.raise("no input", vm),
    }
}

impl Window {
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

#[pymethods(table = READING_METHODS)]
impl Window {
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
        let library = library(vm)?;
        // Whether the library tells a failure apart depends on its version.
        if !(0..library.getmaxy(self.win)).contains(&line) {
            return Err(vm.type_error("is_linetouched: line number outside of boundaries"));
        }
        Ok(library.is_linetouched(self.win, line))
    }

    /// Return True if the window changed since the last refresh().
    #[method("($self, /)")]
    fn is_wintouched(&self, vm: &Vm) -> PyResult<bool> {
        Ok(library(vm)?.is_wintouched(self.win))
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
}
