//! `_thread._excepthook`, which `threading.excepthook` is at first, and the names of native threads.

use std::ffi::CString;

use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::exceptions::base::BaseException;
use taipan_vm::exceptions::print;
use taipan_vm::prelude::*;

use super::ident;

pub(super) static HOOK_ARGS: StructSeq = StructSeq {
    name: "_thread._ExceptHookArgs",
    doc: "ExceptHookArgs\n\nType used to pass arguments to threading.excepthook.",
    fields: &[
        ("exc_type", "Exception type"),
        ("exc_value", "Exception value"),
        ("exc_traceback", "Exception traceback"),
        ("thread", "Thread"),
    ],
    visible: 4,
};

/// The longest name of a native thread, in bytes.
pub(super) const NAME_MAX: usize = 15;

/// Where to write: `sys.stderr`, or what it was when the thread was made.
fn file_for(thread: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let stderr = match vm.interp().sys_dict.get() {
        Some(sys) => sys.get_str(vm.ids().stderr, vm)?,
        None => None,
    };
    if let Some(file) = stderr.filter(|file| !vm.is_none(file)) {
        return Ok(Some(file));
    }
    if vm.is_none(thread) {
        return Ok(None);
    }
    let file = thread.get_attr(&vm.intern("_stderr"), vm)?;
    Ok(Some(file).filter(|file| !vm.is_none(file)))
}

#[pyfunctions(table = EXCEPTHOOK)]
impl super::Thread {
    /// Handle uncaught Thread.run() exception.
    #[function("($module, args, /)")]
    fn _excepthook(args: &Object, vm: &Vm) -> PyResult<()> {
        let fields = args
            .downcast_ref::<Tuple>()
            .filter(|_| HOOK_ARGS.get(vm).is_ok_and(|class| std::ptr::eq(args.ob_type(), &*class)));
        let Some([class, value, traceback, thread]) = fields.map(Tuple::as_slice) else {
            return Err(vm.type_error("_thread.excepthook argument type must be ExceptHookArgs"));
        };
        if class.is(types::system_exit().as_object()) {
            return Ok(());
        }
        let Some(file) = file_for(thread, vm)? else { return Ok(()) };
        let name = if vm.is_none(thread) { None } else { thread.lookup_attr(vm.ids().name, vm)? };
        let name = match name {
            Some(name) => name.str(vm)?.to_string_lossy().into_owned(),
            None => ident().to_string(),
        };
        print::write_file(&file, &format!("Exception in thread {name}:\n"), vm);
        let Some(exception) = value.downcast_ref::<BaseException>() else {
            print::write_file(&file, "NoneType: None\n", vm);
            return Ok(());
        };
        if exception.traceback.is_none() && !vm.is_none(traceback) {
            exception.traceback.put(traceback.clone());
        }
        print::display_to(&file, exception, vm);
        Ok(())
    }

    /// Set the name of the current thread.
    #[function("($module, name)")]
    fn set_name(name: &Str, vm: &Vm) -> PyResult<()> {
        let text = name.to_string_lossy();
        let mut end = text.len().min(NAME_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let bytes: Vec<u8> = text.bytes().take(end).take_while(|byte| *byte != 0).collect();
        let Ok(name) = CString::new(bytes) else { return Ok(()) };
        // SAFETY: the name is NUL-terminated and short enough.
        match unsafe { libc::pthread_setname_np(libc::pthread_self(), name.as_ptr()) } {
            0 => Ok(()),
            error => Err(vm.os_error(error, None)),
        }
    }

    /// Get the name of the current thread.
    #[function("($module, /)")]
    fn _get_name(vm: &Vm) -> PyResult<Ref<Str>> {
        let mut name = [0u8; NAME_MAX + 1];
        // SAFETY: the buffer has the length that is told.
        let error =
            unsafe { libc::pthread_getname_np(libc::pthread_self(), name.as_mut_ptr().cast(), name.len()) };
        if error != 0 {
            return Err(vm.os_error(error, None));
        }
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(NAME_MAX);
        Ok(taipan_vm::protocols::path::decode(name.get(..end).unwrap_or_default(), vm))
    }
}
