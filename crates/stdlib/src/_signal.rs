//! `_signal`: handlers, masks, waiting for signals, interval timers.
//!
//! A signal's native handler only notes that it came and asks the main thread's evaluation loop to look; the Python
//! handlers run there, between two instructions.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};

use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::interpreter::frame::{self, InterpreterFrame};
use taipan_vm::prelude::*;
use taipan_vm::runtime::audit::audit;
use taipan_vm::runtime::pending::check_signals;
use taipan_vm::runtime::vm::breaker;

/// One more than the highest signal number.
const NSIG: usize = 65;

static TRIPPED: [AtomicBool; NSIG] = [const { AtomicBool::new(false) }; NSIG];
/// The main thread's state; null while no handler may run.
static MAIN: AtomicPtr<Vm> = AtomicPtr::new(std::ptr::null_mut());
static WAKEUP_FD: AtomicI32 = AtomicI32::new(-1);
static WAKEUP_FAILED: AtomicI32 = AtomicI32::new(0);
static WARN_ON_FULL: AtomicBool = AtomicBool::new(true);

/// The Python handlers by signal number; `None` where the handler was not set from Python.
#[derive(Default)]
struct Handlers {
    table: RefCell<Vec<Option<ObjRef>>>,
    ready: Cell<bool>,
}

impl Handlers {
    fn get(&self, signal: i32) -> Option<ObjRef> {
        let at = usize::try_from(signal).ok()?;
        self.table.try_borrow().ok()?.get(at).cloned().flatten()
    }

    fn put(&self, signal: i32, handler: Option<ObjRef>) -> Option<ObjRef> {
        let at = usize::try_from(signal).ok()?;
        let mut table = self.table.try_borrow_mut().ok()?;
        std::mem::replace(table.get_mut(at)?, handler)
    }
}

extern "C" fn on_signal(signal: libc::c_int) {
    // SAFETY: errno belongs to the thread, and what was interrupted may be about to read it.
    let saved = unsafe { *libc::__errno_location() };
    if let Some(flag) = usize::try_from(signal).ok().and_then(|at| TRIPPED.get(at)) {
        flag.store(true, Ordering::Release);
    }
    let main = MAIN.load(Ordering::Acquire);
    // SAFETY: the main thread's state lives as long as handlers are installed; the request is one atomic instruction.
    if let Some(main) = unsafe { main.as_ref() } {
        main.request(breaker::SIGNALS);
    }
    let fd = WAKEUP_FD.load(Ordering::Relaxed);
    if fd >= 0 {
        let byte = signal as u8;
        // SAFETY: one byte of ours; `write` may be called in a handler.
        if unsafe { libc::write(fd, (&raw const byte).cast(), 1) } < 0 {
            // SAFETY: as above.
            let errno = unsafe { *libc::__errno_location() };
            let full = errno == libc::EAGAIN || errno == libc::EWOULDBLOCK;
            if !full || WARN_ON_FULL.load(Ordering::Relaxed) {
                WAKEUP_FAILED.store(errno, Ordering::Release);
                // SAFETY: as above.
                if let Some(main) = unsafe { main.as_ref() } {
                    main.request(breaker::SIGNALS);
                }
            }
        }
    }
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = saved };
}

/// Acts as if a signal had come, unless it is ignored or left to the system. Raises `ValueError` for other numbers.
pub(crate) fn interrupt_main(signal: i32, vm: &Vm) -> PyResult<()> {
    if !(1..NSIG as i32).contains(&signal) {
        return Err(vm.value_error("signal number out of range"));
    }
    let handler = vm.interp().state::<Handlers>().get(signal);
    if handler.is_none_or(|handler| handler.downcast_ref::<Int>().is_none() && !vm.is_none(&handler)) {
        on_signal(signal);
        taipan_vm::runtime::pending::check_signals(vm)?;
    }
    Ok(())
}

/// Runs the Python handlers of the signals that have come. Raises what a handler raises; the rest waits for next time.
fn run_handlers(vm: &Vm) -> PyResult<()> {
    let failed = WAKEUP_FAILED.swap(0, Ordering::AcqRel);
    if failed != 0 {
        let Raised = vm.os_error(failed, None);
        vm.write_unraisable(
            None,
            Some("Exception ignored while trying to write to the signal wakeup file descriptor"),
        );
    }
    for (signal, flag) in TRIPPED.iter().enumerate() {
        if !flag.swap(false, Ordering::AcqRel) {
            continue;
        }
        let handler = vm.interp().state::<Handlers>().get(signal as i32);
        let handler =
            handler.filter(|handler| handler.downcast_ref::<Int>().is_none() && !vm.is_none(handler));
        let Some(handler) = handler else {
            // The handler was taken away since the signal came.
            let Raised =
                vm.raise(types::os_error(), format!("Signal {signal} ignored due to race condition"));
            vm.write_unraisable(None, Some("Exception ignored while calling signal handler"));
            continue;
        };
        let frame = frame::current(vm);
        let frame = if frame.is_null() {
            vm.none()
        } else {
            // SAFETY: the current frame is alive.
            unsafe { InterpreterFrame::object(frame, vm) }.into_object()
        };
        if handler.call(&[&vm.new_int(signal), &frame], vm).is_err() {
            vm.request(breaker::SIGNALS);
            return Err(Raised);
        }
    }
    Ok(())
}

/// Gives the signals that have Python handlers back to the system.
fn end(vm: &Vm) {
    let handlers = vm.interp().state::<Handlers>();
    for signal in 1..NSIG as i32 {
        let Some(handler) = handlers.put(signal, None) else { continue };
        if handler.downcast_ref::<Int>().is_none() && !vm.is_none(&handler) {
            native(signal, libc::SIG_DFL, 0);
        }
    }
}

fn native(signal: i32, handler: libc::sighandler_t, flags: libc::c_int) -> i32 {
    // SAFETY: zero is a valid value; the handler is one of the library's constants or ours.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler;
        action.sa_flags = flags;
        libc::sigemptyset(&raw mut action.sa_mask);
        libc::sigaction(signal, &raw const action, std::ptr::null_mut())
    }
}

fn our_handler() -> libc::sighandler_t {
    on_signal as extern "C" fn(libc::c_int) as libc::sighandler_t
}

/// Makes the main thread serve signals: what the process was started with is noted, SIGPIPE and SIGXFSZ are ignored,
/// and SIGINT raises `KeyboardInterrupt` unless it is ignored.
pub fn install(vm: &Vm) -> PyResult<()> {
    let handlers = vm.interp().state::<Handlers>();
    if handlers.ready.replace(true) {
        return Ok(());
    }
    MAIN.store(std::ptr::from_ref(vm).cast_mut(), Ordering::Release);
    vm.interp().hooks.run_signal_handlers.set(Some(run_handlers));
    vm.interp().hooks.end_signals.set(Some(end));
    for signal in [libc::SIGPIPE, libc::SIGXFSZ] {
        native(signal, libc::SIG_IGN, 0);
    }
    // Rust's runtime watches for stack overflows, and swallows such signals when they are sent.
    for signal in [libc::SIGSEGV, libc::SIGBUS] {
        native(signal, libc::SIG_DFL, 0);
    }
    let mut table = vec![None; NSIG];
    for (signal, place) in table.iter_mut().enumerate().skip(1) {
        // SAFETY: zero is a valid value; the structure is ours.
        let now = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(signal as i32, std::ptr::null(), &raw mut action) < 0 {
                continue;
            }
            action.sa_sigaction
        };
        *place = match now {
            libc::SIG_DFL => Some(vm.new_int(0)),
            libc::SIG_IGN => Some(vm.new_int(1)),
            _ => None,
        };
    }
    handlers.table.replace(table);
    let is_default = handlers.get(libc::SIGINT).and_then(|h| h.downcast_ref::<Int>()?.to_i64()) == Some(0);
    if is_default {
        let module = taipan_vm::import::import_module("_signal", vm)?;
        let handler = module.get_attr(&vm.intern("default_int_handler"), vm)?;
        drop(handlers.put(libc::SIGINT, Some(handler)));
        native(libc::SIGINT, our_handler(), 0);
    }
    Ok(())
}

/// In a child of `fork` the thread that forked is the main thread, and signals that came for the parent are forgotten.
pub(crate) fn after_fork_in_child(vm: &Vm) {
    MAIN.store(std::ptr::from_ref(vm).cast_mut(), Ordering::Release);
    for flag in &TRIPPED {
        flag.store(false, Ordering::Relaxed);
    }
}

static SIGINFO: StructSeq = StructSeq {
    name: "signal.struct_siginfo",
    doc: "struct_siginfo: Result from sigwaitinfo or sigtimedwait.\n\nThis object may be accessed either as a tuple of\n(si_signo, si_code, si_errno, si_pid, si_uid, si_status, si_band),\nor via the attributes si_signo, si_code, and so on.",
    fields: &[
        ("si_signo", "signal number"),
        ("si_code", "signal code"),
        ("si_errno", "errno associated with this signal"),
        ("si_pid", "sending process ID"),
        ("si_uid", "real user ID of sending process"),
        ("si_status", "exit value or signal"),
        ("si_band", "band event for SIGPOLL"),
    ],
    visible: 7,
};

fn siginfo_object(info: &libc::siginfo_t, vm: &Vm) -> PyResult {
    // SAFETY: the fields lie in the structure whichever of them the signal set.
    let (pid, uid, status) = unsafe { (info.si_pid(), info.si_uid(), info.si_status()) };
    // The band is the first word after the three numbers.
    // SAFETY: the structure is 128 bytes long.
    let band = unsafe { std::ptr::from_ref(info).cast::<i64>().add(2).read() };
    let values = vec![
        vm.new_int(info.si_signo),
        vm.new_int(info.si_code),
        vm.new_int(info.si_errno),
        vm.new_int(pid),
        vm.new_int(uid),
        vm.new_int(status),
        vm.new_int(band),
    ];
    SIGINFO.instance(values, vm)
}

fn check_number(signal: i32, vm: &Vm) -> PyResult<()> {
    if (1..NSIG as i32).contains(&signal) {
        Ok(())
    } else {
        Err(vm.value_error("signal number out of range"))
    }
}

fn is_main(vm: &Vm) -> bool {
    std::ptr::eq(vm.interp().main_thread.get(), vm)
}

/// The set of an iterable of signal numbers.
pub(crate) fn signal_set(signals: &Object, vm: &Vm) -> PyResult<libc::sigset_t> {
    // SAFETY: the set is ours and filled before it is read.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: as above.
    unsafe { libc::sigemptyset(&raw mut set) };
    for item in signals.collect_iterable(vm)? {
        let number = item.as_index(vm)?.to_i64().unwrap_or(-1);
        if !(1..NSIG as i64).contains(&number) {
            return Err(vm.value_error(format!("signal number {number} out of range [1; {}]", NSIG - 1)));
        }
        // SAFETY: as above. The two signals that the C library keeps for itself are refused, which is no error here.
        unsafe { libc::sigaddset(&raw mut set, number as i32) };
    }
    Ok(set)
}

fn set_object(set: &libc::sigset_t, vm: &Vm) -> PyResult {
    let found = Set::new(vm);
    for signal in 1..NSIG as i32 {
        // SAFETY: the set is valid.
        if unsafe { libc::sigismember(std::ptr::from_ref(set), signal) } == 1 {
            found.add(&vm.new_int(signal), vm)?;
        }
    }
    Ok(found.into_object())
}

fn timeval(value: &Object, vm: &Vm) -> PyResult<libc::timeval> {
    let secs = value.as_f64(vm)?;
    if secs.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    if secs.abs() >= 9.2e18 {
        return Err(vm.overflow_error("timestamp out of range for platform time_t"));
    }
    // Rounded up, so that a tiny interval doesn't stop the timer.
    let mut whole = secs.floor();
    let mut micros = ((secs - whole) * 1e6).ceil();
    if micros >= 1e6 {
        micros -= 1e6;
        whole += 1.0;
    }
    Ok(libc::timeval { tv_sec: whole as i64, tv_usec: micros as i64 })
}

fn interval_object(value: &libc::itimerval, vm: &Vm) -> Ref<Tuple> {
    let seconds = |t: &libc::timeval| vm.new_float(t.tv_sec as f64 + t.tv_usec as f64 * 1e-6);
    vm.new_tuple([seconds(&value.it_value), seconds(&value.it_interval)])
}

fn itimer_error(vm: &Vm) -> Raised {
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    let made = (|| {
        let module = taipan_vm::import::import_module("_signal", vm)?;
        let class = module.get_attr(&vm.intern("ItimerError"), vm)?;
        let text = vm.new_str(&taipan_vm::exceptions::os_error::strerror(errno));
        class.call(&[&vm.new_int(errno), text.as_object()], vm)
    })();
    match made.map(|made| made.downcast::<BaseException>()) {
        Ok(Ok(made)) => vm.raise_object(made),
        _ => Raised,
    }
}

/// The module.
pub struct Signal;

/// This module provides mechanisms to use signal handlers in Python.
///
/// Functions:
///
/// alarm() -- cause SIGALRM after a specified time [Unix only]
/// setitimer() -- cause a signal (described below) after a specified
///                float time and the timer may restart then [Unix only]
/// getitimer() -- get current value of timer [Unix only]
/// signal() -- set the action for a given signal
/// getsignal() -- get the signal action for a given signal
/// pause() -- wait until a signal arrives [Unix only]
/// default_int_handler() -- default SIGINT handler
///
/// signal constants:
/// SIG_DFL -- used to refer to the system default handler
/// SIG_IGN -- used to ignore the signal
/// NSIG -- number of defined signals
/// SIGINT, SIGTERM, etc. -- signal numbers
///
/// itimer constants:
/// ITIMER_REAL -- decrements in real time, and delivers SIGALRM upon
///                expiration
/// ITIMER_VIRTUAL -- decrements only when the process is executing,
///                and delivers SIGVTALRM upon expiration
/// ITIMER_PROF -- decrements both when the process is executing and
///                when the system is executing on behalf of the process.
///                Coupled with ITIMER_VIRTUAL, this timer is usually
///                used to profile the time spent by the application
///                in user and kernel space. SIGPROF is delivered upon
///                expiration.
///
///
/// *** IMPORTANT NOTICE ***
/// A signal handler function is called with two arguments:
/// the first is the signal number, the second is the interrupted stack frame.
#[pymodule(name = "_signal")]
impl Signal {
    /// The default handler for SIGINT installed by Python.
    ///
    /// It raises KeyboardInterrupt.
    #[function("($module, signalnum, frame, /)")]
    fn default_int_handler(_signalnum: &Object, _frame: &Object, vm: &Vm) -> PyResult<()> {
        Err(vm.raise_with(types::keyboard_interrupt(), Vec::new()))
    }

    /// Arrange for SIGALRM to arrive after the given number of seconds.
    #[function("($module, seconds, /)")]
    fn alarm(seconds: i32) -> u32 {
        // SAFETY: a plain system call.
        unsafe { libc::alarm(seconds as libc::c_uint) }
    }

    /// Wait until a signal arrives.
    #[function("($module, /)")]
    fn pause(vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain system call.
        vm.allow_threads(|| unsafe { libc::pause() });
        check_signals(vm)
    }

    /// Send a signal to the executing process.
    #[function("($module, signalnum, /)")]
    fn raise_signal(signalnum: i32, vm: &Vm) -> PyResult<()> {
        // SAFETY: a plain call.
        if vm.allow_threads(|| unsafe { libc::raise(signalnum) }) != 0 {
            return Err(vm.last_os_error(None));
        }
        check_signals(vm)
    }

    /// Set the action for the given signal.
    ///
    /// The action can be SIG_DFL, SIG_IGN, or a callable Python object.
    /// The previous action is returned.  See getsignal() for possible return values.
    ///
    /// *** IMPORTANT NOTICE ***
    /// A signal handler function is called with two arguments:
    /// the first is the signal number, the second is the interrupted stack frame.
    #[function("($module, signalnum, handler, /)")]
    fn signal(signalnum: i32, handler: &Object, vm: &Vm) -> PyResult {
        if !is_main(vm) {
            return Err(vm.value_error("signal only works in main thread of the main interpreter"));
        }
        check_number(signalnum, vm)?;
        let number = handler.downcast_ref::<Int>().and_then(Int::to_i64);
        let action = match number {
            Some(0) => libc::SIG_DFL,
            Some(1) => libc::SIG_IGN,
            _ if handler.is_callable() => our_handler(),
            _ => {
                return Err(vm.type_error(
                    "signal handler must be signal.SIG_IGN, signal.SIG_DFL, or a callable object",
                ));
            }
        };
        check_signals(vm)?;
        if native(signalnum, action, 0) < 0 {
            return Err(vm.last_os_error(None));
        }
        let kept = match number {
            Some(number @ (0 | 1)) => vm.new_int(number),
            _ => handler.to_ref(),
        };
        let old = vm.interp().state::<Handlers>().put(signalnum, Some(kept));
        Ok(old.unwrap_or_else(|| vm.none()))
    }

    /// Change system call restart behaviour.
    ///
    /// If flag is False, system calls will be restarted when interrupted by
    /// signal sig, else system calls will be interrupted.
    #[function("($module, signalnum, flag, /)")]
    fn siginterrupt(signalnum: i32, flag: i32, vm: &Vm) -> PyResult<()> {
        check_number(signalnum, vm)?;
        // SAFETY: zero is a valid value; the structure is ours.
        let result = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(signalnum, std::ptr::null(), &raw mut action) < 0 {
                -1
            } else {
                action.sa_flags = if flag != 0 {
                    action.sa_flags & !libc::SA_RESTART
                } else {
                    action.sa_flags | libc::SA_RESTART
                };
                libc::sigaction(signalnum, &raw const action, std::ptr::null_mut())
            }
        };
        if result < 0 { Err(vm.last_os_error(None)) } else { Ok(()) }
    }

    /// Return the current action for the given signal.
    ///
    /// The return value can be:
    ///   SIG_IGN -- if the signal is being ignored
    ///   SIG_DFL -- if the default action for the signal is in effect
    ///   None    -- if an unknown handler is in effect
    ///   anything else -- the callable Python object used as a handler
    #[function("($module, signalnum, /)")]
    fn getsignal(signalnum: i32, vm: &Vm) -> PyResult {
        check_number(signalnum, vm)?;
        Ok(vm.interp().state::<Handlers>().get(signalnum).unwrap_or_else(|| vm.none()))
    }

    /// Return the system description of the given signal.
    ///
    /// Returns the description of signal *signalnum*, such as "Interrupt"
    /// for :const:`SIGINT`. Returns :const:`None` if *signalnum* has no
    /// description. Raises :exc:`ValueError` if *signalnum* is invalid.
    #[function("($module, signalnum, /)")]
    fn strsignal(signalnum: i32, vm: &Vm) -> PyResult {
        check_number(signalnum, vm)?;
        // SAFETY: the text is NUL-terminated and lasts until the next call, which the interpreter's lock keeps away.
        let text = unsafe {
            let text = libc::strsignal(signalnum);
            if text.is_null() {
                return Ok(vm.none());
            }
            std::ffi::CStr::from_ptr(text).to_string_lossy().into_owned()
        };
        if text.contains("Unknown signal") { Ok(vm.none()) } else { Ok(vm.new_str(&text).into_object()) }
    }

    /// Sets the fd to be written to (with the signal number) when a signal comes in.
    ///
    /// A library can use this to wakeup select or poll.
    /// The previous fd or -1 is returned.
    ///
    /// The fd must be non-blocking.
    #[function("($module, fd, /, *, warn_on_full_buffer=True)")]
    fn set_wakeup_fd(fd: i32, warn_on_full_buffer: Option<bool>, vm: &Vm) -> PyResult<i32> {
        if !is_main(vm) {
            return Err(vm.value_error("set_wakeup_fd only works in main thread of the main interpreter"));
        }
        if fd != -1 {
            // SAFETY: plain system calls; the structure is ours.
            let flags = unsafe {
                let mut stat: libc::stat = std::mem::zeroed();
                if libc::fstat(fd, &raw mut stat) < 0 { -1 } else { libc::fcntl(fd, libc::F_GETFL) }
            };
            if flags < 0 {
                return Err(vm.last_os_error(None));
            }
            if flags & libc::O_NONBLOCK == 0 {
                return Err(vm.value_error(format!("the fd {fd} must be in non-blocking mode")));
            }
        }
        WARN_ON_FULL.store(warn_on_full_buffer.unwrap_or(true), Ordering::Relaxed);
        Ok(WAKEUP_FD.swap(fd, Ordering::AcqRel))
    }

    /// Sets given itimer (one of ITIMER_REAL, ITIMER_VIRTUAL or ITIMER_PROF).
    ///
    /// The timer will fire after value seconds and after that every interval seconds.
    /// The itimer can be cleared by setting seconds to zero.
    ///
    /// Returns old values as a tuple: (delay, interval).
    #[function("($module, which, seconds, interval=0.0, /)")]
    fn setitimer(which: i32, seconds: &Object, interval: Option<&Object>, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let it_value = timeval(seconds, vm)?;
        let it_interval = match interval {
            Some(interval) => timeval(interval, vm)?,
            None => libc::timeval { tv_sec: 0, tv_usec: 0 },
        };
        let new = libc::itimerval { it_interval, it_value };
        // SAFETY: zero is a valid value; the structures are ours.
        let (result, old) = unsafe {
            let mut old: libc::itimerval = std::mem::zeroed();
            (libc::setitimer(which as _, &raw const new, &raw mut old), old)
        };
        if result < 0 { Err(itimer_error(vm)) } else { Ok(interval_object(&old, vm)) }
    }

    /// Returns current value of given itimer.
    #[function("($module, which, /)")]
    fn getitimer(which: i32, vm: &Vm) -> PyResult<Ref<Tuple>> {
        // SAFETY: zero is a valid value; the structure is ours.
        let (result, old) = unsafe {
            let mut old: libc::itimerval = std::mem::zeroed();
            (libc::getitimer(which as _, &raw mut old), old)
        };
        if result < 0 { Err(itimer_error(vm)) } else { Ok(interval_object(&old, vm)) }
    }

    /// Send a signal to a process referred to by a pid file descriptor.
    #[function("($module, pidfd, signalnum, siginfo=None, flags=0, /)")]
    fn pidfd_send_signal(
        pidfd: i32,
        signalnum: i32,
        siginfo: Option<&Object>,
        flags: Option<i32>,
        vm: &Vm,
    ) -> PyResult<()> {
        if siginfo.is_some_and(|info| !vm.is_none(info)) {
            return Err(vm.type_error("siginfo must be None"));
        }
        let flags = flags.unwrap_or(0);
        // SAFETY: a plain system call.
        let result = unsafe {
            libc::syscall(libc::SYS_pidfd_send_signal, pidfd, signalnum, std::ptr::null::<u8>(), flags)
        };
        if result < 0 {
            return Err(vm.last_os_error(None));
        }
        // The signal may have been for this process.
        check_signals(vm)
    }

    /// Send a signal to a thread.
    #[function("($module, thread_id, signalnum, /)")]
    fn pthread_kill(thread_id: u64, signalnum: i32, vm: &Vm) -> PyResult<()> {
        audit("signal.pthread_kill", &[&vm.new_int(thread_id), &vm.new_int(signalnum)], vm)?;
        // SAFETY: the program vouches for the thread's number, as for C.
        let error = unsafe { libc::pthread_kill(thread_id as libc::pthread_t, signalnum) };
        if error != 0 {
            return Err(vm.os_error(error, None));
        }
        check_signals(vm)
    }

    /// Fetch and/or change the signal mask of the calling thread.
    #[function("($module, how, mask, /)")]
    fn pthread_sigmask(how: i32, mask: &Object, vm: &Vm) -> PyResult {
        let set = signal_set(mask, vm)?;
        // SAFETY: the sets are ours.
        let (error, old) = unsafe {
            let mut old: libc::sigset_t = std::mem::zeroed();
            (libc::pthread_sigmask(how, &raw const set, &raw mut old), old)
        };
        if error != 0 {
            return Err(vm.os_error(error, None));
        }
        check_signals(vm)?;
        set_object(&old, vm)
    }

    /// Examine pending signals.
    ///
    /// Returns a set of signal numbers that are pending for delivery to
    /// the calling thread.
    #[function("($module, /)")]
    fn sigpending(vm: &Vm) -> PyResult {
        // SAFETY: the set is ours.
        let (result, set) = unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            (libc::sigpending(&raw mut set), set)
        };
        if result < 0 { Err(vm.last_os_error(None)) } else { set_object(&set, vm) }
    }

    /// Wait for a signal.
    ///
    /// Suspend execution of the calling thread until the delivery of one of the
    /// signals specified in the signal set sigset.  The function accepts the signal
    /// and returns the signal number.
    #[function("($module, sigset, /)")]
    fn sigwait(sigset: &Object, vm: &Vm) -> PyResult<i32> {
        let set = signal_set(sigset, vm)?;
        let mut signal = 0;
        let (set, place) = (&raw const set, &raw mut signal);
        // SAFETY: both are ours.
        let error = vm.allow_threads(|| unsafe { libc::sigwait(set, place) });
        if error != 0 { Err(vm.os_error(error, None)) } else { Ok(signal) }
    }

    /// Wait synchronously until one of the signals in *sigset* is delivered.
    ///
    /// Returns a struct_siginfo containing information about the signal.
    #[function("($module, sigset, /)")]
    fn sigwaitinfo(sigset: &Object, vm: &Vm) -> PyResult {
        let set = signal_set(sigset, vm)?;
        // SAFETY: zero is a valid value.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let (set, place) = (&raw const set, &raw mut info);
        // SAFETY: both are ours.
        vm.checked_call(None, || unsafe { libc::sigwaitinfo(set, place) })?;
        siginfo_object(&info, vm)
    }

    /// Like sigwaitinfo(), but with a timeout.
    ///
    /// The timeout is specified in seconds, with floating-point numbers allowed.
    #[function("($module, sigset, timeout, /)")]
    fn sigtimedwait(sigset: &Object, timeout: &Object, vm: &Vm) -> PyResult {
        let limit = timeout.as_f64(vm)?;
        if limit < 0.0 {
            return Err(vm.value_error("timeout must be non-negative"));
        }
        let Ok(limit) = std::time::Duration::try_from_secs_f64(limit) else {
            return Err(vm.overflow_error("timestamp too large to convert to C PyTime_t"));
        };
        let set = signal_set(sigset, vm)?;
        let deadline = std::time::Instant::now().checked_add(limit);
        // SAFETY: zero is a valid value.
        let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
        let (set, place) = (&raw const set, &raw mut info);
        let result = vm.system_call(|| {
            let left = deadline.map_or(limit, |d| d.saturating_duration_since(std::time::Instant::now()));
            let left = libc::timespec {
                tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(left.subsec_nanos()),
            };
            // SAFETY: all three are ours.
            unsafe { libc::sigtimedwait(set, place, &raw const left) }
        })?;
        if result >= 0 {
            return siginfo_object(&info, vm);
        }
        if std::io::Error::last_os_error().raw_os_error() == Some(libc::EAGAIN) {
            return Ok(vm.none());
        }
        Err(vm.last_os_error(None))
    }

    /// Return a set with all valid signal numbers on this platform.
    ///
    /// The signal numbers returned by this function can be safely passed to
    /// functions like `pthread_kill`.
    #[function("($module, /)")]
    fn valid_signals(vm: &Vm) -> PyResult {
        // SAFETY: the set is ours.
        let set = unsafe {
            let mut set: libc::sigset_t = std::mem::zeroed();
            libc::sigfillset(&raw mut set);
            set
        };
        set_object(&set, vm)
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        for (name, value) in CONSTANTS.iter().chain(NAMED) {
            module.set(name, &vm.new_int(*value), vm)?;
        }
        module.set("SIGRTMIN", &vm.new_int(libc::SIGRTMIN()), vm)?;
        module.set("SIGRTMAX", &vm.new_int(libc::SIGRTMAX()), vm)?;
        module.set("struct_siginfo", SIGINFO.get(vm)?.as_object(), vm)?;
        let bases = vm.new_tuple([types::os_error().as_object().to_ref()]);
        let namespace = vm.new_dict();
        namespace.set_str(vm.ids().__module__, vm.new_str("signal").as_object(), vm)?;
        let name = vm.new_str("ItimerError");
        let class = types::os_error()
            .as_object()
            .ob_type()
            .as_object()
            .call(&[name.as_object(), bases.as_object(), namespace.as_object()], vm)?;
        module.set("ItimerError", &class, vm)
    }
}

macro_rules! numbers {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name as i32)),*] };
}

static NAMED: &[(&str, i32)] = numbers! {
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGIOT SIGABRT SIGFPE SIGKILL SIGBUS SIGSEGV SIGSYS SIGPIPE SIGALRM SIGTERM
    SIGUSR1 SIGUSR2 SIGCHLD SIGPWR SIGIO SIGURG SIGWINCH SIGPOLL SIGSTOP SIGTSTP SIGCONT SIGTTIN SIGTTOU SIGVTALRM
    SIGPROF SIGXCPU SIGXFSZ SIGSTKFLT SIG_BLOCK SIG_UNBLOCK SIG_SETMASK ITIMER_REAL ITIMER_VIRTUAL ITIMER_PROF
};

static CONSTANTS: &[(&str, i32)] =
    &[("NSIG", NSIG as i32), ("SIG_DFL", 0), ("SIG_IGN", 1), ("SIGCLD", libc::SIGCHLD)];
