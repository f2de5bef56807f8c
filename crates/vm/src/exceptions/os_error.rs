//! `OSError` and the choice of its subclass by `errno` (PEP 3151).

use std::cell::Cell;
use std::mem::size_of;

use crate::builtins::str::StrBuilder;
use crate::exceptions::base::refuse_keywords;
use crate::prelude::*;

/// `PyOSErrorObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct OsError {
    /// The common part.
    pub base: BaseException,
    /// `errno`.
    pub errno: Slot<Object>,
    /// `strerror`.
    pub strerror: Slot<Object>,
    /// `filename`.
    pub filename: Slot<Object>,
    /// `filename2`.
    pub filename2: Slot<Object>,
    /// `BlockingIOError.characters_written`; -1 when it was not set.
    pub written: Cell<isize>,
}

const _: () = assert!(size_of::<OsError>() == 112);

/// The arguments of `OSError(...)` by their meaning.
#[derive(Default)]
struct Parsed {
    errno: Option<ObjRef>,
    strerror: Option<ObjRef>,
    filename: Option<ObjRef>,
    filename2: Option<ObjRef>,
}

/// Two to five arguments have a meaning: errno, strerror, filename, (Windows' error), filename2.
fn parse(args: &Tuple) -> Parsed {
    let items = args.as_slice();
    if !(2..=5).contains(&items.len()) {
        return Parsed::default();
    }
    let at = |index: usize| items.get(index).cloned();
    Parsed { errno: at(0), strerror: at(1), filename: at(2), filename2: at(4) }
}

/// The exception class for an `errno`.
pub fn class_for_errno(errno: i64) -> &'static Type {
    let Ok(errno) = i32::try_from(errno) else { return types::os_error() };
    if errno == libc::EWOULDBLOCK {
        return types::blocking_io_error();
    }
    match errno {
        libc::EAGAIN | libc::EALREADY | libc::EINPROGRESS => types::blocking_io_error(),
        libc::EPIPE | libc::ESHUTDOWN => types::broken_pipe_error(),
        libc::ECHILD => types::child_process_error(),
        libc::ECONNABORTED => types::connection_aborted_error(),
        libc::ECONNREFUSED => types::connection_refused_error(),
        libc::ECONNRESET => types::connection_reset_error(),
        libc::EEXIST => types::file_exists_error(),
        libc::ENOENT => types::file_not_found_error(),
        libc::EISDIR => types::is_a_directory_error(),
        libc::ENOTDIR => types::not_a_directory_error(),
        libc::EINTR => types::interrupted_error(),
        libc::EACCES | libc::EPERM => types::permission_error(),
        libc::ESRCH => types::process_lookup_error(),
        libc::ETIMEDOUT => types::timeout_error(),
        _ => types::os_error(),
    }
}

/// Whether `__init__` does the work: a subclass that overrides `__init__` but not `__new__` may take any arguments.
fn init_does_the_work(cls: &Type) -> bool {
    let own = types::os_error();
    let address = |f: Option<taipan_object::typeobject::InitProc>| f.map_or(0, |f| f as usize);
    let new_address = |f: Option<taipan_object::typeobject::NewFunc>| f.map_or(0, |f| f as usize);
    address(cls.tp_init.get()) != address(own.tp_init.get())
        && new_address(cls.tp_new.get()) == new_address(own.tp_new.get())
}

impl OsError {
    fn empty() -> OsError {
        OsError {
            base: BaseException { ob: Object::new(OsError::type_object()), ..BaseException::with_args(None) },
            errno: Slot::empty(),
            strerror: Slot::empty(),
            filename: Slot::empty(),
            filename2: Slot::empty(),
            written: Cell::new(-1),
        }
    }

    fn fill(&self, args: &Tuple, parsed: Parsed, vm: &Vm) -> PyResult<()> {
        let mut kept = Ref::new_ref(args);
        self.written.set(-1);
        if let Some(filename) = parsed.filename.filter(|f| !vm.is_none(f)) {
            let is_blocking = std::ptr::eq(self.as_object().ob_type(), types::blocking_io_error());
            if is_blocking && is_number(&filename) {
                self.written.set(index_sized(&filename, vm)?);
            } else {
                self.filename.put(filename);
                if let Some(filename2) = parsed.filename2.filter(|f| !vm.is_none(f)) {
                    self.filename2.put(filename2);
                }
                // The names are kept apart, so that unpacking into (errno, strerror) goes on working.
                kept = vm.new_tuple(args.as_slice().iter().take(2).cloned().collect::<Vec<_>>());
            }
        }
        self.errno.set(parsed.errno);
        self.strerror.set(parsed.strerror);
        self.base.args.put(kept);
        Ok(())
    }
}

/// `PyNumber_Check`, as far as a written count is concerned.
fn is_number(object: &Object) -> bool {
    object
        .ob_type()
        .as_number()
        .is_some_and(|n| n.nb_index.get().is_some() || n.nb_int.get().is_some() || n.nb_float.get().is_some())
}

fn index_sized(object: &Object, vm: &Vm) -> PyResult<isize> {
    let index = object.as_index(vm)?;
    match index.to_i64() {
        Some(value) => Ok(value as isize),
        None => Err(vm.value_error(format!(
            "cannot fit '{}' into an index-sized integer",
            object.ob_type().tp_name_str()
        ))),
    }
}

/// Base class for I/O related errors.
#[pytype(
    name = "OSError",
    symbol = "_PyExc_OSError",
    base = BaseException,
    flags(BASETYPE),
    gc,
    members(
        errno: OBJECT = errno "POSIX exception code",
        strerror: OBJECT = strerror "exception strerror",
        filename: OBJECT = filename "exception filename",
        filename2: OBJECT = filename2 "second exception filename"
    )
)]
impl OsError {
    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<ObjRef> {
        if init_does_the_work(cls) {
            let made = vm.new_instance(cls, OsError::empty())?;
            if let Some(error) = made.downcast_ref::<OsError>() {
                error.base.args.put(Tuple::empty(vm));
            }
            return Ok(made);
        }
        refuse_keywords(cls.tp_name_str(), kwargs, vm)?;
        let parsed = parse(args);
        let mut cls = cls;
        if std::ptr::eq(cls, types::os_error()) {
            let number = parsed.errno.as_deref().and_then(Object::downcast_ref::<Int>).and_then(Int::to_i64);
            if let Some(number) = number {
                cls = class_for_errno(number);
            }
        }
        let made = vm.new_instance(cls, OsError::empty())?;
        if let Some(error) = made.downcast_ref::<OsError>() {
            error.fill(args, parsed, vm)?;
        }
        Ok(made)
    }

    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        let cls = self.as_object().ob_type();
        if !init_does_the_work(cls) {
            return Ok(());
        }
        refuse_keywords(cls.tp_name_str(), kwargs, vm)?;
        self.fill(args, parse(args), vm)
    }

    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult<ObjRef> {
        let shown = |value: Option<ObjRef>| value.unwrap_or_else(|| vm.none()).str(vm);
        let mut text = StrBuilder::new();
        text.push_str("[Errno ");
        if let Some(filename) = self.filename.get() {
            text.push(&*shown(self.errno.get())?);
            text.push_str("] ");
            text.push(&*shown(self.strerror.get())?);
            text.push_str(": ");
            text.push(&*filename.repr(vm)?);
            if let Some(filename2) = self.filename2.get() {
                text.push_str(" -> ");
                text.push(&*filename2.repr(vm)?);
            }
        } else if let (Some(errno), Some(strerror)) = (self.errno.get(), self.strerror.get()) {
            text.push(&*errno.str(vm)?);
            text.push_str("] ");
            text.push(&*strerror.str(vm)?);
        } else {
            return Ok(self.base.default_str(vm)?.into_object());
        }
        Ok(text.finish(vm).into_object())
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<ObjRef> {
        let mut args = self.base.args(vm);
        if let ([errno, strerror], Some(filename)) = (args.as_slice(), self.filename.get()) {
            let mut full = vec![errno.clone(), strerror.clone(), filename];
            if let Some(filename2) = self.filename2.get() {
                full.push(vm.none());
                full.push(filename2);
            }
            args = vm.new_tuple(full);
        }
        self.base.reduce_with(args.into_object(), vm)
    }

    #[getter]
    fn characters_written(&self, vm: &Vm) -> PyResult<isize> {
        match self.written.get() {
            -1 => Err(vm.attribute_error("characters_written")),
            written => Ok(written),
        }
    }

    #[setter(characters_written)]
    fn set_characters_written(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        match value {
            Some(value) => self.written.set(index_sized(value, vm)?),
            None if self.written.get() == -1 => return Err(vm.attribute_error("characters_written")),
            None => self.written.set(-1),
        }
        Ok(())
    }
}

/// The C library's text for an `errno`.
pub fn strerror(errno: i32) -> String {
    let mut buffer = [0u8; 256];
    // SAFETY: the buffer is as long as said, and the function ends the text with a NUL within it.
    let status = unsafe { libc::strerror_r(errno, buffer.as_mut_ptr().cast(), buffer.len()) };
    let text = std::ffi::CStr::from_bytes_until_nul(&buffer).map(|text| text.to_string_lossy().into_owned());
    match text {
        Ok(text) if status == 0 && !text.is_empty() => text,
        _ => format!("Unknown error {errno}"),
    }
}

/// Raises the `OSError` subclass that belongs to `errno`, with the system's text and the file names when given.
#[cold]
pub fn raise(errno: i32, filename: Option<&Object>, filename2: Option<&Object>, vm: &Vm) -> Raised {
    let mut args = vec![vm.new_int(errno), vm.new_str(&strerror(errno)).into_object()];
    if let Some(filename) = filename {
        args.push(filename.to_ref());
        if let Some(filename2) = filename2 {
            args.push(vm.none());
            args.push(filename2.to_ref());
        }
    }
    vm.raise_with(types::os_error(), args)
}

/// Raises the `OSError` that a Rust I/O error stands for.
#[cold]
pub fn raise_io(error: &std::io::Error, filename: Option<&Object>, vm: &Vm) -> Raised {
    match error.raw_os_error() {
        Some(errno) => raise(errno, filename, None, vm),
        None => vm.raise(types::os_error(), error.to_string()),
    }
}
