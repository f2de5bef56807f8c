//! `syslog`: the system's logger.

#![allow(non_snake_case, reason = "Python's names: LOG_MASK and LOG_UPTO")]

use std::cell::{Cell, RefCell};
use std::ffi::CString;

use taipan_vm::prelude::*;
use taipan_vm::runtime::audit::audit;

/// The module.
pub struct Syslog;

/// The C library keeps a pointer to the identification, so it lives here as long as the log is open.
#[derive(Default)]
struct State {
    identification: RefCell<Option<CString>>,
    open: Cell<bool>,
}

fn c_text(text: &Str, vm: &Vm) -> PyResult<CString> {
    CString::new(text.to_utf8(vm)?).map_err(|_| vm.value_error("embedded null character"))
}

/// The program's name, as `sys.argv[0]` tells it without folder.
fn program_name(vm: &Vm) -> PyResult<Option<ObjRef>> {
    let sys = taipan_vm::import::import_module("sys", vm)?;
    let Some(argv) = sys.lookup_attr(&vm.intern("argv"), vm)? else { return Ok(None) };
    let Some(argv) = argv.downcast_ref::<List>() else { return Ok(None) };
    let Some(first) = argv.get(0) else { return Ok(None) };
    let Some(script) = first.downcast_ref::<Str>() else { return Ok(None) };
    let script = script.to_utf8(vm)?;
    let name = script.rsplit('/').next().unwrap_or(script);
    Ok(if name.is_empty() { None } else { Some(vm.new_str(name).into_object()) })
}

fn open(ident: Option<ObjRef>, option: i64, facility: i64, vm: &Vm) -> PyResult<()> {
    let ident = match ident {
        Some(ident) => Some(ident),
        None => program_name(vm)?,
    };
    let text = match ident.as_ref().and_then(|ident| ident.downcast_ref::<Str>()) {
        Some(text) => Some(c_text(text, vm)?),
        None => None,
    };
    let shown = ident.unwrap_or_else(|| vm.none());
    audit("syslog.openlog", &[&shown, &vm.new_int(option), &vm.new_int(facility)], vm)?;
    let state = vm.interp().state::<State>();
    let pointer = text.as_ref().map_or(std::ptr::null(), |text| text.as_ptr());
    // SAFETY: the text is put where it outlives the log; the one before is dropped after the call.
    unsafe { libc::openlog(pointer, option as i32, facility as i32) };
    let old = state.identification.replace(text);
    drop(old);
    state.open.set(true);
    Ok(())
}

#[pymodule(name = "syslog")]
impl Syslog {
    /// Set logging options of subsequent syslog() calls.
    #[function("($module, /, ident=<unrepresentable>, logoption=0, facility=LOG_USER)")]
    fn openlog(ident: Option<&Str>, logoption: Option<i64>, facility: Option<i64>, vm: &Vm) -> PyResult<()> {
        let facility = facility.unwrap_or(i64::from(libc::LOG_USER));
        open(ident.map(|text| text.as_object().to_ref()), logoption.unwrap_or(0), facility, vm)
    }

    /// syslog([priority=LOG_INFO,] message)
    /// Send the string message to the system logger.
    #[function("!($module, *args)")]
    fn syslog(args: &[&Object], vm: &Vm) -> PyResult<()> {
        let (priority, message) = match args {
            [message] => (libc::LOG_INFO, *message),
            [priority, message] => {
                let priority = i32::try_from(priority.as_isize(vm)?)
                    .map_err(|_| vm.overflow_error("Python int too large to convert to C int"))?;
                (priority, *message)
            }
            _ => return Err(vm.type_error("syslog.syslog requires 1 to 2 arguments")),
        };
        let Some(text) = message.downcast_ref::<Str>() else {
            let at = args.len();
            return Err(vm.type_error(format!(
                "syslog() argument {at} must be str, not {}",
                message.ob_type().tp_name_str()
            )));
        };
        let text = c_text(text, vm)?;
        audit("syslog.syslog", &[&vm.new_int(priority), message], vm)?;
        if !vm.interp().state::<State>().open.get() {
            open(None, 0, i64::from(libc::LOG_USER), vm)?;
        }
        // SAFETY: both texts are NUL-terminated.
        vm.allow_threads(|| unsafe { libc::syslog(priority, c"%s".as_ptr(), text.as_ptr()) });
        Ok(())
    }

    /// Reset the syslog module values and call the system library closelog().
    #[function("($module, /)")]
    fn closelog(vm: &Vm) -> PyResult<()> {
        audit("syslog.closelog", &[], vm)?;
        let state = vm.interp().state::<State>();
        if state.open.replace(false) {
            // SAFETY: a plain call.
            unsafe { libc::closelog() };
            state.identification.take();
        }
        Ok(())
    }

    /// Set the priority mask to maskpri and return the previous mask value.
    #[function("($module, maskpri, /)")]
    fn setlogmask(maskpri: i64, vm: &Vm) -> PyResult<i32> {
        audit("syslog.setlogmask", &[&vm.new_int(maskpri)], vm)?;
        // SAFETY: a plain call.
        Ok(unsafe { libc::setlogmask(maskpri as i32) })
    }

    /// Calculates the mask for the individual priority pri.
    #[function("($module, pri, /)")]
    fn LOG_MASK(pri: i64) -> i32 {
        1i32.wrapping_shl(pri as u32)
    }

    /// Calculates the mask for all priorities up to and including pri.
    #[function("($module, pri, /)")]
    fn LOG_UPTO(pri: i64) -> i32 {
        1i32.wrapping_shl((pri as u32).wrapping_add(1)).wrapping_sub(1)
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        macro_rules! set {
            ($($name:ident)*) => { $(module.set(stringify!($name), &vm.new_int(libc::$name), vm)?;)* };
        }
        set! {
            LOG_EMERG LOG_ALERT LOG_CRIT LOG_ERR LOG_WARNING LOG_NOTICE LOG_INFO LOG_DEBUG LOG_PID LOG_CONS LOG_NDELAY
            LOG_ODELAY LOG_NOWAIT LOG_PERROR LOG_KERN LOG_USER LOG_MAIL LOG_DAEMON LOG_AUTH LOG_LPR LOG_LOCAL0
            LOG_LOCAL1 LOG_LOCAL2 LOG_LOCAL3 LOG_LOCAL4 LOG_LOCAL5 LOG_LOCAL6 LOG_LOCAL7 LOG_SYSLOG LOG_CRON LOG_UUCP
            LOG_NEWS LOG_AUTHPRIV LOG_FTP
        }
        Ok(())
    }
}
