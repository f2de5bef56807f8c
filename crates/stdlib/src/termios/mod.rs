//! `termios`: control of terminals.

#![allow(clippy::indexing_slicing, reason = "the arrays of C structures are indexed by their own constants")]

use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::prelude::*;

use crate::select::file_descriptor;

mod constants;

/// The module.
pub struct Termios;

static ERROR: DeclaredException = DeclaredException { name: "termios.error", base: types::exception };

/// `termios.error(errno, text)` of the last call.
fn last_error(vm: &Vm) -> Raised {
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    let text = taipan_vm::exceptions::os_error::strerror(errno);
    match ERROR.get(vm) {
        Ok(error) => vm.raise_with(&error, vec![vm.new_int(errno), vm.new_str(&text).into_object()]),
        Err(Raised) => Raised,
    }
}

/// Runs a call that gives -1 for failure, without the interpreter's lock.
fn checked(vm: &Vm, call: impl FnMut() -> i32) -> PyResult<()> {
    if vm.allow_threads(call) < 0 { Err(last_error(vm)) } else { Ok(()) }
}

fn attributes(fd: i32, vm: &Vm) -> PyResult<libc::termios> {
    // SAFETY: zero is a valid value; the structure is ours.
    let mut mode: libc::termios = unsafe { std::mem::zeroed() };
    let place = &raw mut mode;
    // SAFETY: as above.
    checked(vm, || unsafe { libc::tcgetattr(fd, place) })?;
    Ok(mode)
}

/// A number of the attributes' list, as C's unsigned long.
fn number(object: &Object, vm: &Vm) -> PyResult<u32> {
    let Some(int) = object.downcast_ref::<Int>() else {
        return Err(vm.type_error(format!(
            "tcsetattr: attributes list must contain integers, not {}",
            object.ob_type().tp_name_str()
        )));
    };
    match int.to_i64() {
        Some(value) => u32::try_from(value)
            .or_else(|_| i32::try_from(value).map(|value| value as u32))
            .map_err(|_| vm.overflow_error("Python int too large to convert to C unsigned int")),
        None => Err(vm.overflow_error("Python int too large to convert to C long")),
    }
}

/// This module provides an interface to the Posix calls for tty I/O control.
/// For a complete description of these calls, see the Posix or Unix manual
/// pages. It is only available for those Unix versions that support Posix
/// termios style tty I/O control.
///
/// All functions in this module take a file descriptor fd as their first
/// argument. This can be an integer file descriptor, such as returned by
/// sys.stdin.fileno(), or a file object, such as sys.stdin itself.
#[pymodule(name = "termios")]
impl Termios {
    /// Get the tty attributes for file descriptor fd.
    ///
    /// Returns a list [iflag, oflag, cflag, lflag, ispeed, ospeed, cc]
    /// where cc is a list of the tty special characters (each a string of
    /// length 1, except the items with indices VMIN and VTIME, which are
    /// integers when these fields are defined).  The interpretation of the
    /// flags and the speeds as well as the indexing in the cc array must be
    /// done using the symbolic constants defined in this module.
    #[function("($module, fd, /)")]
    fn tcgetattr(fd: &Object, vm: &Vm) -> PyResult<Ref<List>> {
        let fd = file_descriptor(fd, vm)?;
        let mode = attributes(fd, vm)?;
        // SAFETY: the structure was filled.
        let speeds = unsafe { [libc::cfgetispeed(&raw const mode), libc::cfgetospeed(&raw const mode)] };
        let counts = mode.c_lflag & libc::ICANON == 0;
        let characters = mode.c_cc.iter().enumerate().map(|(at, byte)| {
            if counts && (at == libc::VMIN || at == libc::VTIME) {
                vm.new_int(*byte)
            } else {
                vm.new_bytes(&[*byte]).into_object()
            }
        });
        let characters = vm.new_list(characters.collect::<Vec<_>>()).into_object();
        let mut values: Vec<ObjRef> = [mode.c_iflag, mode.c_oflag, mode.c_cflag, mode.c_lflag]
            .into_iter()
            .chain(speeds)
            .map(|value| vm.new_int(value))
            .collect();
        values.push(characters);
        Ok(vm.new_list(values))
    }

    /// Set the tty attributes for file descriptor fd.
    ///
    /// The attributes to be set are taken from the attributes argument, which
    /// is a list like the one returned by tcgetattr(). The when argument
    /// determines when the attributes are changed: termios.TCSANOW to
    /// change immediately, termios.TCSADRAIN to change after transmitting all
    /// queued output, or termios.TCSAFLUSH to change after transmitting all
    /// queued output and discarding all queued input.
    #[function("($module, fd, when, attributes, /)")]
    fn tcsetattr(fd: &Object, when: i32, attributes: &Object, vm: &Vm) -> PyResult<()> {
        let fd = file_descriptor(fd, vm)?;
        let wrong = || vm.type_error("tcsetattr, arg 3: must be 7 element list");
        let Some(list) = attributes.downcast_ref::<List>() else { return Err(wrong()) };
        let values = list.to_vec();
        let [iflag, oflag, cflag, lflag, ispeed, ospeed, characters] = values.as_slice() else {
            return Err(wrong());
        };
        // The structure has more than Python sees, so it starts as the terminal's.
        let mut mode = self::attributes(fd, vm)?;
        mode.c_iflag = number(iflag, vm)?;
        mode.c_oflag = number(oflag, vm)?;
        mode.c_cflag = number(cflag, vm)?;
        mode.c_lflag = number(lflag, vm)?;
        let (ispeed, ospeed) = (number(ispeed, vm)?, number(ospeed, vm)?);
        let count = mode.c_cc.len();
        let characters = characters.downcast_ref::<List>().map(List::to_vec).filter(|c| c.len() == count);
        let Some(characters) = characters else {
            return Err(vm.type_error(format!("tcsetattr: attributes[6] must be {count} element list")));
        };
        for (place, value) in mode.c_cc.iter_mut().zip(&characters) {
            *place = match (value.downcast_ref::<Bytes>().map(|b| b.as_bytes()), value.downcast_ref::<Int>())
            {
                (Some([byte]), _) => *byte,
                (None, Some(int)) => int
                    .to_i64()
                    .map(|value| value as u8)
                    .ok_or_else(|| vm.overflow_error("Python int too large to convert to C long"))?,
                _ => {
                    return Err(
                        vm.type_error("tcsetattr: elements of attributes must be characters or integers")
                    );
                }
            };
        }
        let place = &raw mut mode;
        // SAFETY: the structure is ours.
        checked(vm, || unsafe { libc::cfsetispeed(place, ispeed) })?;
        // SAFETY: as above.
        checked(vm, || unsafe { libc::cfsetospeed(place, ospeed) })?;
        // SAFETY: as above.
        checked(vm, || unsafe { libc::tcsetattr(fd, when, place) })
    }

    /// Send a break on file descriptor fd.
    ///
    /// A zero duration sends a break for 0.25-0.5 seconds; a nonzero duration
    /// has a system dependent meaning.
    #[function("($module, fd, duration, /)")]
    fn tcsendbreak(fd: &Object, duration: i32, vm: &Vm) -> PyResult<()> {
        let fd = file_descriptor(fd, vm)?;
        // SAFETY: a plain system call.
        checked(vm, || unsafe { libc::tcsendbreak(fd, duration) })
    }

    /// Wait until all output written to file descriptor fd has been transmitted.
    #[function("($module, fd, /)")]
    fn tcdrain(fd: &Object, vm: &Vm) -> PyResult<()> {
        let fd = file_descriptor(fd, vm)?;
        // SAFETY: a plain system call.
        checked(vm, || unsafe { libc::tcdrain(fd) })
    }

    /// Discard queued data on file descriptor fd.
    ///
    /// The queue selector specifies which queue: termios.TCIFLUSH for the input
    /// queue, termios.TCOFLUSH for the output queue, or termios.TCIOFLUSH for
    /// both queues.
    #[function("($module, fd, queue, /)")]
    fn tcflush(fd: &Object, queue: i32, vm: &Vm) -> PyResult<()> {
        let fd = file_descriptor(fd, vm)?;
        // SAFETY: a plain system call.
        checked(vm, || unsafe { libc::tcflush(fd, queue) })
    }

    /// Suspend or resume input or output on file descriptor fd.
    ///
    /// The action argument can be termios.TCOOFF to suspend output,
    /// termios.TCOON to restart output, termios.TCIOFF to suspend input,
    /// or termios.TCION to restart input.
    #[function("($module, fd, action, /)")]
    fn tcflow(fd: &Object, action: i32, vm: &Vm) -> PyResult<()> {
        let fd = file_descriptor(fd, vm)?;
        // SAFETY: a plain system call.
        checked(vm, || unsafe { libc::tcflow(fd, action) })
    }

    /// Get the tty winsize for file descriptor fd.
    ///
    /// Returns a tuple (ws_row, ws_col).
    #[function("($module, fd, /)")]
    fn tcgetwinsize(fd: &Object, vm: &Vm) -> PyResult<(u32, u32)> {
        let fd = file_descriptor(fd, vm)?;
        let size = window_size(fd, vm)?;
        Ok((u32::from(size.ws_row), u32::from(size.ws_col)))
    }

    /// Set the tty winsize for file descriptor fd.
    ///
    /// The winsize to be set is taken from the winsize argument, which
    /// is a two-item tuple (ws_row, ws_col) like the one returned by tcgetwinsize().
    #[function("($module, fd, winsize, /)")]
    fn tcsetwinsize(fd: &Object, winsize: &Object, vm: &Vm) -> PyResult<()> {
        let fd = file_descriptor(fd, vm)?;
        if winsize.ob_type().as_sequence().is_none_or(|s| s.sq_item.get().is_none()) {
            return Err(vm.type_error("tcsetwinsize, arg 2: must be a two-item sequence"));
        }
        let items = winsize.collect_iterable(vm)?;
        let [rows, columns] = items.as_slice() else {
            return Err(vm.type_error("tcsetwinsize, arg 2: must be a two-item sequence"));
        };
        let short = |object: &Object| -> PyResult<u16> {
            u16::try_from(object.as_isize(vm)?)
                .map_err(|_| vm.overflow_error("winsize value(s) out of range."))
        };
        let (rows, columns) = (short(rows)?, short(columns)?);
        // The pixels stay what they are.
        let mut size = window_size(fd, vm)?;
        size.ws_row = rows;
        size.ws_col = columns;
        let place = &raw const size;
        // SAFETY: the structure is ours.
        checked(vm, || unsafe { libc::ioctl(fd, libc::TIOCSWINSZ, place) })
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        for (name, value) in constants::CONSTANTS {
            module.set(name, &vm.new_int(*value), vm)?;
        }
        module.set("error", ERROR.get(vm)?.as_object(), vm)
    }
}

fn window_size(fd: i32, vm: &Vm) -> PyResult<libc::winsize> {
    // SAFETY: zero is a valid value; the structure is ours.
    let mut size: libc::winsize = unsafe { std::mem::zeroed() };
    let place = &raw mut size;
    // SAFETY: as above.
    checked(vm, || unsafe { libc::ioctl(fd, libc::TIOCGWINSZ, place) })?;
    Ok(size)
}
