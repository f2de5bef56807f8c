//! What writes into a window: characters, texts, lines, attributes, and what clears them.

use std::ffi::{CString, c_int};

use taipan_vm::prelude::*;

use super::super::convert::{
    self, Character, Text, attributes, check, int, pair_of, split, with_attributes, wrong_count,
};
use super::super::library::{A_ATTRIBUTES, Chtype, Curses, ERR, Win};
use super::{Window, call, library};

/// The wide or the narrow form of a function that writes a text, and how it is called when it fails.
type Put<'a> = (&'a str, &'a dyn Fn(Win, &CString) -> c_int, &'a str, &'a dyn Fn(Win, *const i32) -> c_int);

impl Window {
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
}

#[pymethods(table = WRITING_METHODS)]
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

    /// Clear the window.
    #[method("($self, /)")]
    fn erase(&self, vm: &Vm) -> PyResult<()> {
        call!(self, werase(), vm)
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
}
