//! What the terminal's description says.

use std::ffi::{CString, c_char, c_int};
use std::sync::atomic::Ordering;

use taipan_vm::prelude::*;

use super::convert::{bytes_at, check};
use super::library::{self as ncurses, ERR};
use super::{CursesModule, ERROR, HAS_TERMINAL, library, with_screen, with_terminal};
use crate::dynamic::CText;
use crate::select::file_descriptor;

fn c_text(text: &Str, vm: &Vm) -> PyResult<CString> {
    CString::new(text.to_utf8(vm)?).map_err(|_| vm.value_error("embedded null character"))
}

/// Bytes without NUL, as C takes them.
fn c_bytes(bytes: &BufferArg) -> CString {
    let bytes = bytes.as_bytes();
    let end = memchr::memchr(0, bytes).unwrap_or(bytes.len());
    CString::new(bytes.get(..end).unwrap_or_default()).unwrap_or_default()
}

/// The descriptor of `sys.stdout`.
fn output_descriptor(vm: &Vm) -> PyResult<c_int> {
    let stdout = match vm.interp().sys_dict.get() {
        Some(sys) => sys.get_str(vm.ids().stdout, vm)?,
        None => None,
    };
    match stdout.filter(|stdout| !vm.is_none(stdout)) {
        Some(stdout) => file_descriptor(&stdout, vm),
        None => Err(ERROR.raise("lost sys.stdout", vm)),
    }
}

/// Whether a format uses a parameter as a text: the numbers that Python gives are no addresses.
fn takes_texts(format: &[u8]) -> bool {
    let mut rest = format;
    while let Some(at) = memchr::memchr(b'%', rest) {
        rest = rest.get(at + 1..).unwrap_or_default();
        let flags = rest.iter().take_while(|byte| b":-+# .0123456789".contains(byte)).count();
        let conversion = rest.get(flags);
        if matches!(conversion, Some(b's' | b'l')) {
            return true;
        }
        rest = rest.get(flags + 1..).unwrap_or_default();
    }
    false
}

#[pyfunctions(table = TERMINFO_FUNCTIONS)]
impl CursesModule {
    /// Return the terminfo long name field describing the current terminal.
    ///
    /// The maximum length of a verbose description is 128 characters.  It is
    /// defined only after the call to initscr().
    #[function("($module, /)")]
    fn longname(vm: &Vm) -> PyResult<Option<Ref<Bytes>>> {
        let library = with_screen(vm)?;
        // SAFETY: a text of the library or null.
        Ok(bytes_at(unsafe { library.longname() }, vm))
    }

    /// Return the value of the environment variable TERM, truncated to 14 characters.
    #[function("($module, /)")]
    fn termname(vm: &Vm) -> PyResult<Option<Ref<Bytes>>> {
        let library = with_screen(vm)?;
        // SAFETY: a text of the library or null.
        Ok(bytes_at(unsafe { library.termname() }, vm))
    }

    /// Return a logical OR of all video attributes supported by the terminal.
    #[function("($module, /)")]
    fn termattrs(vm: &Vm) -> PyResult<i64> {
        Ok(i64::from(with_screen(vm)?.termattrs()))
    }

    /// Emit the value of a specified terminfo capability for the current terminal.
    ///
    /// Note that the output of putp() always goes to standard output.
    #[function("($module, string, /)")]
    fn putp(string: BufferArg, vm: &Vm) -> PyResult<()> {
        let text = c_bytes(&string);
        check(library(vm)?.putp(CText::from(text.as_c_str())), "putp", vm)
    }

    /// Initialize the terminal.
    ///
    ///   term
    ///     Terminal name.
    ///     If omitted, the value of the TERM environment variable will be used.
    ///   fd
    ///     File descriptor to which any initialization sequences will be sent.
    ///     If not supplied, the file descriptor for sys.stdout will be used.
    #[function("($module, /, term=None, fd=-1)")]
    fn setupterm(term: OrNone<&Str>, fd: Option<i32>, vm: &Vm) -> PyResult<()> {
        let fd = match fd.unwrap_or(-1) {
            -1 => output_descriptor(vm)?,
            fd => fd,
        };
        if HAS_TERMINAL.load(Ordering::Relaxed) {
            return Ok(());
        }
        let term = term.0.map(|term| c_text(term, vm)).transpose()?;
        let name = term.as_ref().map_or(std::ptr::null(), |term| term.as_ptr());
        let mut reason = 0;
        // SAFETY: null or a NUL-terminated name; a place of our own.
        if unsafe { library(vm)?.setupterm(name, fd, &raw mut reason) } == ERR {
            let text = match reason {
                0 => "setupterm: could not find terminal",
                -1 => "setupterm: could not find terminfo database",
                _ => "setupterm: unknown error",
            };
            return Err(ERROR.raise(text, vm));
        }
        HAS_TERMINAL.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Return the value of the Boolean capability.
    ///
    ///   capname
    ///     The terminfo capability name.
    ///
    /// The value -1 is returned if capname is not a Boolean capability, or 0 if
    /// it is canceled or absent from the terminal description.
    #[function("($module, capname, /)")]
    fn tigetflag(capname: &Str, vm: &Vm) -> PyResult<c_int> {
        let name = c_text(capname, vm)?;
        Ok(with_terminal(vm)?.tigetflag(CText::from(name.as_c_str())))
    }

    /// Return the value of the numeric capability.
    ///
    ///   capname
    ///     The terminfo capability name.
    ///
    /// The value -2 is returned if capname is not a numeric capability, or -1
    /// if it is canceled or absent from the terminal description.
    #[function("($module, capname, /)")]
    fn tigetnum(capname: &Str, vm: &Vm) -> PyResult<c_int> {
        let name = c_text(capname, vm)?;
        Ok(with_terminal(vm)?.tigetnum(CText::from(name.as_c_str())))
    }

    /// Return the value of the string capability.
    ///
    ///   capname
    ///     The terminfo capability name.
    ///
    /// None is returned if capname is not a string capability, or is canceled
    /// or absent from the terminal description.
    #[function("($module, capname, /)")]
    fn tigetstr(capname: &Str, vm: &Vm) -> PyResult<Option<Ref<Bytes>>> {
        let name = c_text(capname, vm)?;
        let library = with_terminal(vm)?;
        // SAFETY: a NUL-terminated name; -1 for what is no text, null for what there is not, or a text of the library.
        let text = unsafe { library.tigetstr(name.as_ptr()) };
        if text == std::ptr::without_provenance::<c_char>(usize::MAX) {
            return Ok(None);
        }
        Ok(bytes_at(text, vm))
    }

    /// Instantiate the specified byte string with the supplied parameters.
    ///
    ///   str
    ///     Parameterized byte string obtained from the terminfo database.
    #[function("($module, str, i1=0, i2=0, i3=0, i4=0, i5=0, i6=0, i7=0, i8=0, i9=0, /)")]
    #[allow(clippy::too_many_arguments, reason = "tparm has that many")]
    fn tparm(
        str: BufferArg,
        i1: Option<i32>,
        i2: Option<i32>,
        i3: Option<i32>,
        i4: Option<i32>,
        i5: Option<i32>,
        i6: Option<i32>,
        i7: Option<i32>,
        i8: Option<i32>,
        i9: Option<i32>,
        vm: &Vm,
    ) -> PyResult<Ref<Bytes>> {
        with_terminal(vm)?;
        let format = c_bytes(&str);
        let numbers = [i1, i2, i3, i4, i5, i6, i7, i8, i9].map(|number| number.unwrap_or(0));
        let result = if takes_texts(format.to_bytes()) {
            None
        } else {
            // SAFETY: a NUL-terminated format whose parameters are numbers.
            let text = unsafe { ncurses::tparm(format.as_ptr(), numbers) };
            text.and_then(|text| bytes_at(text, vm))
        };
        result.ok_or_else(|| ERROR.raise("tparm() returned NULL", vm))
    }
}
