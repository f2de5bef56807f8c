//! `faulthandler`: tracebacks of programs that crash, hang or are asked by a signal.

use std::time::Duration;

use taipan_vm::builtins::warn::warn;
use taipan_vm::prelude::*;

mod dump;
mod fatal;
mod later;
mod user;
mod writer;

use writer::Writer;

/// The files that handlers write to, kept open as long as they are installed.
#[derive(Default)]
struct Files {
    fatal: Slot<Object>,
    later: Slot<Object>,
    users: std::cell::RefCell<Vec<(i32, ObjRef)>>,
}

/// The file descriptor of a `file` argument, and the object that owns it.
fn file_of(file: Option<&Object>, vm: &Vm) -> PyResult<(libc::c_int, Option<ObjRef>)> {
    let file = match file.filter(|file| !vm.is_none(file)) {
        Some(file) => file.to_ref(),
        None => {
            let sys = vm.interp().sys_dict.get();
            let stderr = sys.map(|sys| sys.get_str(vm.ids().stderr, vm)).transpose()?.flatten();
            match stderr {
                None => return Err(vm.runtime_error("unable to get sys.stderr")),
                Some(stderr) if vm.is_none(&stderr) => return Err(vm.runtime_error("sys.stderr is None")),
                Some(stderr) => stderr,
            }
        }
    };
    if file.downcast_ref::<Int>().is_some() {
        if file.downcast_ref::<Bool>().is_some() {
            warn(types::runtime_warning(), "bool is used as a file descriptor", 1, vm)?;
        }
        let fd = file.as_isize(vm)?;
        return match i32::try_from(fd) {
            Ok(fd) if fd >= 0 => Ok((fd, None)),
            _ => Err(vm.value_error("file is not a valid file descriptor")),
        };
    }
    let fd = file.call_method(&vm.intern("fileno"), &[], vm)?;
    let number = fd.downcast_ref::<Int>().and_then(Int::to_i64).and_then(|fd| i32::try_from(fd).ok());
    let Some(fd) = number.filter(|fd| *fd >= 0) else {
        return Err(vm.runtime_error("file.fileno() is not a valid file descriptor"));
    };
    if file.call_method(&vm.intern("flush"), &[], vm).is_err() {
        vm.clear_exception();
    }
    Ok((fd, Some(file)))
}

fn no_core() {
    // SAFETY: plain calls with a structure of our own.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        if libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit) == 0 {
            limit.rlim_cur = 0;
            libc::setrlimit(libc::RLIMIT_CORE, &raw const limit);
        }
    }
}

fn raise(signal: libc::c_int) {
    no_core();
    // SAFETY: a plain call, meant to end the process.
    unsafe { libc::raise(signal) };
}

/// Uses the stack up, beyond what any check allows, until it ends or a limit is reached.
fn burn(start: usize, limit: usize, depth: usize) -> usize {
    let block = std::hint::black_box([0u8; 4096]);
    let here = std::ptr::from_ref(&block) as usize;
    if start.abs_diff(here) > limit {
        return depth;
    }
    let deepest = burn(start, limit, depth + 1);
    // Used afterwards, so that the call is no jump.
    deepest.max(std::hint::black_box(&block).first().copied().map_or(0, usize::from))
}

/// The module.
pub struct FaultHandler;

/// faulthandler module.
#[pymodule(name = "faulthandler")]
impl FaultHandler {
    /// Enable the fault handler.
    #[function("($module, /, file=sys.stderr, all_threads=True)")]
    fn enable(file: Option<&Object>, all_threads: Option<bool>, vm: &Vm) -> PyResult<()> {
        let (fd, file) = file_of(file, vm)?;
        vm.interp().state::<Files>().fatal.set(file);
        fatal::enable(fd, all_threads.unwrap_or(true), vm)
    }

    /// Disable the fault handler.
    #[function("($module, /)")]
    fn disable(vm: &Vm) -> bool {
        let was = fatal::disable();
        vm.interp().state::<Files>().fatal.set(None);
        was
    }

    /// Check if the handler is enabled.
    #[function("($module, /)")]
    fn is_enabled() -> bool {
        fatal::is_enabled()
    }

    /// Dump the traceback of the current thread, or of all threads if all_threads is True, into file.
    #[function("($module, /, file=sys.stderr, all_threads=True)")]
    fn dump_traceback(file: Option<&Object>, all_threads: Option<bool>, vm: &Vm) -> PyResult<()> {
        let (fd, _file) = file_of(file, vm)?;
        if all_threads.unwrap_or(true) {
            dump::all_threads(Writer(fd), vm.interp(), vm);
        } else {
            dump::thread(Writer(fd), vm);
        }
        Ok(())
    }

    /// Dump the C stack of the current thread.
    #[function("($module, /, file=sys.stderr)")]
    fn dump_c_stack(file: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let (fd, _file) = file_of(file, vm)?;
        dump::native_stack(Writer(fd));
        Ok(())
    }

    /// Dump the traceback of all threads in timeout seconds,
    /// or each timeout seconds if repeat is True. If exit is True, call _exit(1) which is not safe.
    #[function("($module, /, timeout, repeat=False, file=sys.stderr, exit=False)")]
    fn dump_traceback_later(
        timeout: &Object,
        repeat: Option<bool>,
        file: Option<&Object>,
        exit: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        if timeout.downcast_ref::<Float>().is_none() && !timeout.has_index() {
            return Err(vm.type_error(format!(
                "'{}' object cannot be interpreted as an integer or float",
                timeout.ob_type().tp_name_str()
            )));
        }
        let seconds = timeout.as_f64(vm)?;
        if seconds.is_nan() {
            return Err(vm.value_error("Invalid value NaN (not a number)"));
        }
        if seconds.abs() >= 9_223_372_036.0 {
            return Err(vm.overflow_error("timestamp out of range for C PyTime_t"));
        }
        // Rounded up to what the clock can tell.
        let micros = (seconds * 1e6).ceil();
        if micros <= 0.0 {
            return Err(vm.value_error("timeout must be greater than 0"));
        }
        let (fd, file) = file_of(file, vm)?;
        let plan = later::Plan {
            timeout: Duration::from_micros(micros as u64),
            repeat: repeat.unwrap_or(false),
            fd,
            exit: exit.unwrap_or(false),
        };
        later::start(plan, vm)?;
        vm.interp().state::<Files>().later.set(file);
        Ok(())
    }

    /// Cancel the previous call to dump_traceback_later().
    #[function("($module, /)")]
    fn cancel_dump_traceback_later(vm: &Vm) {
        later::cancel(vm);
        vm.interp().state::<Files>().later.set(None);
    }

    /// Register a handler for the signal 'signum': dump the traceback of the current thread, or of all threads if all_threads is True, into file.
    #[function("($module, /, signum, file=sys.stderr, all_threads=True, chain=False)")]
    fn register(
        signum: i32,
        file: Option<&Object>,
        all_threads: Option<bool>,
        chain: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        user::check(signum, vm)?;
        let (fd, file) = file_of(file, vm)?;
        user::register(signum, fd, all_threads.unwrap_or(true), chain.unwrap_or(false), vm)?;
        if let Some(file) = file {
            vm.interp().state::<Files>().users.borrow_mut().push((signum, file));
        }
        Ok(())
    }

    /// Unregister the handler of the signal 'signum' registered by register().
    #[function("($module, signum, /)")]
    fn unregister(signum: i32, vm: &Vm) -> PyResult<bool> {
        user::check(signum, vm)?;
        let was = user::unregister(signum);
        let files = &vm.interp().state::<Files>().users;
        let (gone, kept) = files.take().into_iter().partition(|(signal, _)| *signal == signum);
        *files.borrow_mut() = kept;
        let gone: Vec<(i32, ObjRef)> = gone;
        drop(gone);
        Ok(was)
    }

    /// Read from NULL, raise a SIGSEGV or SIGBUS signal depending on the platform.
    #[function("($module, /)")]
    fn _read_null() -> usize {
        no_core();
        // SAFETY: none: the function exists to crash, by reading where nothing is, as its documentation says.
        unsafe { libc::strlen(std::hint::black_box(std::ptr::null())) }
    }

    /// Raise a SIGSEGV signal.
    #[function("($module, release_gil=False, /)")]
    fn _sigsegv(release_gil: Option<bool>, vm: &Vm) {
        if release_gil.unwrap_or(false) {
            vm.allow_threads(|| raise(libc::SIGSEGV));
        } else {
            raise(libc::SIGSEGV);
        }
    }

    /// Raise a SIGABRT signal.
    #[function("($module, /)")]
    fn _sigabrt() {
        no_core();
        // SAFETY: ends the process.
        unsafe { libc::abort() };
    }

    /// Raise a SIGFPE signal.
    #[function("($module, /)")]
    fn _sigfpe() {
        raise(libc::SIGFPE);
    }

    /// Call Py_FatalError() in a new C thread.
    #[function("($module, /)")]
    fn _fatal_error_c_thread(vm: &Vm) -> PyResult<()> {
        no_core();
        fatal::remember(vm);
        let spawned = std::thread::Builder::new().spawn(|| {
            let out = Writer(libc::STDERR_FILENO);
            out.text("Fatal Python error: faulthandler_fatal_error_thread: in new thread\n");
            out.text("Python runtime state: initialized\n\n");
            fatal::report(out, true);
            fatal::disable();
            // SAFETY: ends the process.
            unsafe { libc::abort() }
        });
        match spawned {
            Ok(thread) => {
                vm.allow_threads(|| drop(thread.join()));
                Ok(())
            }
            Err(_) => Err(vm.runtime_error("unable to start the thread")),
        }
    }

    /// Recursive call to raise a stack overflow.
    #[function("($module, /)")]
    fn _stack_overflow(vm: &Vm) -> PyResult<()> {
        const LIMIT: usize = 100 << 20;
        no_core();
        let marker = 0u8;
        let depth = burn(std::ptr::from_ref(&marker) as usize, LIMIT, 1);
        Err(vm.runtime_error(format!(
            "unable to raise a stack overflow (allocated {LIMIT} bytes on the stack, {depth} recursive calls)"
        )))
    }
}
