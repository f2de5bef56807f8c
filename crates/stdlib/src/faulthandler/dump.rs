//! Tracebacks of threads, written without help of the interpreter, which may be in any state.

use taipan_vm::builtins::module::Module;
use taipan_vm::interpreter::frame::{self, InterpreterFrame};
use taipan_vm::prelude::*;
use taipan_vm::runtime::interpreter::Interpreter;

use super::writer::Writer;

const MAX_FRAMES: usize = 100;
const MAX_THREADS: usize = 100;
const MAX_NATIVE_FRAMES: usize = 32;

// What the `libc` crate leaves out.
unsafe extern "C" {
    fn backtrace(buffer: *mut *mut libc::c_void, size: libc::c_int) -> libc::c_int;
}

fn frames(out: Writer, thread: &Vm) {
    let mut frame = frame::current(thread);
    if frame.is_null() {
        return out.text("  <no Python frame>\n");
    }
    let mut depth = 0;
    while !frame.is_null() {
        if depth == MAX_FRAMES {
            return out.text("  ...\n");
        }
        depth += 1;
        // SAFETY: the chain of a thread that runs or waits; another thread's may change under our eyes, which is the price
        // of not waiting for a thread that may hang.
        unsafe {
            let (filename, name) = InterpreterFrame::code(frame).peek_names();
            out.text("  File \"");
            out.string(filename);
            out.text("\", line ");
            match InterpreterFrame::lineno(frame).and_then(|line| usize::try_from(line).ok()) {
                Some(line) => out.decimal(line),
                None => out.text("???"),
            }
            out.text(" in ");
            out.string(name);
            out.text("\n");
            frame = InterpreterFrame::first_complete((*frame).previous);
        }
    }
}

/// The stack of one thread.
pub fn thread(out: Writer, thread: &Vm) {
    out.text("Stack (most recent call first):\n");
    frames(out, thread);
}

fn header(out: Writer, thread: &Vm, current: bool) {
    out.text(if current { "Current thread 0x" } else { "Thread 0x" });
    let id = thread.thread_id.get();
    out.hexadecimal(id, 16);
    let mut name = [0u8; 100];
    // SAFETY: the thread is in the list of those that live; the buffer is as long as said.
    let failed =
        unsafe { libc::pthread_getname_np(id as libc::pthread_t, name.as_mut_ptr().cast(), name.len()) };
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    if failed == 0 && !name.is_empty() {
        out.text(" [");
        out.bytes(name);
        out.text("]");
    }
    out.text(" (most recent call first):\n");
}

/// The stacks of all threads; `current` is the one that the caller is in, if it is one of Python's.
pub fn all_threads(out: Writer, interp: &Interpreter, current: *const Vm) {
    let mut count = 0;
    let mut too_many = false;
    let seen = interp.monitoring.visit_threads(|state| {
        if count == MAX_THREADS {
            too_many = true;
            return;
        }
        if count > 0 {
            out.text("\n");
        }
        count += 1;
        let is_current = std::ptr::eq(state, current);
        header(out, state, is_current);
        if is_current && interp.gc.collecting.get() {
            out.text("  Garbage-collecting\n");
        }
        frames(out, state);
    });
    if too_many {
        out.text("...\n");
    }
    if !seen {
        // The list is being changed by the thread that we are in, or one that hangs.
        // SAFETY: the current thread's state lives.
        match unsafe { current.as_ref() } {
            Some(state) => {
                header(out, state, true);
                frames(out, state);
            }
            None => out.text("unable to get the thread head state\n"),
        }
    }
}

/// The native stack of the current thread.
pub fn native_stack(out: Writer) {
    out.text("Current thread's C stack trace (most recent call first):\n");
    let mut addresses = [std::ptr::null_mut(); MAX_NATIVE_FRAMES + 1];
    // SAFETY: the buffer has that many places.
    let count = unsafe { backtrace(addresses.as_mut_ptr(), addresses.len() as libc::c_int) };
    let count = usize::try_from(count).unwrap_or(0);
    for address in addresses.iter().take(count.min(MAX_NATIVE_FRAMES)) {
        // SAFETY: the structure is filled by the call, whose strings live as long as the object that they come from.
        unsafe {
            let mut info: libc::Dl_info = std::mem::zeroed();
            if libc::dladdr(*address, &raw mut info) == 0 || info.dli_fname.is_null() {
                out.text("  Binary file \"<unknown>\"");
            } else {
                out.text("  Binary file \"");
                out.bytes(std::ffi::CStr::from_ptr(info.dli_fname).to_bytes());
                out.text("\"");
                let place = *address as usize;
                let (name, base) = if info.dli_sname.is_null() {
                    (&[][..], info.dli_fbase as usize)
                } else {
                    (std::ffi::CStr::from_ptr(info.dli_sname).to_bytes(), info.dli_saddr as usize)
                };
                out.text(", at ");
                out.bytes(name);
                out.text(if place >= base { "+0x" } else { "-0x" });
                out.hexadecimal(place.abs_diff(base) as u64, 1);
            }
        }
        out.text(" [0x");
        out.hexadecimal(*address as u64, 1);
        out.text("]\n");
    }
    if count > MAX_NATIVE_FRAMES {
        out.text("  <truncated rest of calls>\n");
    }
}

/// The names of native modules beyond the standard library.
pub fn extension_modules(out: Writer, vm: &Vm) {
    let Some(modules) = vm.interp().import.modules.get() else { return };
    let Some(modules) = modules.downcast_exact::<Dict>() else { return };
    let known = vm.interp().sys_dict.get().and_then(|sys| {
        let mut at = 0;
        let names = std::iter::from_fn(|| sys.next_entry(&mut at)).find_map(|(name, value)| {
            let found = name.downcast_exact::<Str>()?.eq_str("stdlib_module_names");
            found.then_some(value)
        })?;
        names.downcast::<taipan_vm::builtins::set::FrozenSet>().ok()
    });
    let mut total = 0;
    let mut position = 0;
    while let Some((name, module)) = modules.next_entry(&mut position) {
        let (Some(name), Some(module)) = (name.downcast_exact::<Str>(), module.downcast_ref::<Module>())
        else {
            continue;
        };
        let native = !module.md_def.get().is_null()
            || name.as_ascii_str().is_some_and(|name| vm.interp().import.find_builtin(name).is_some());
        let skipped = known.as_ref().is_some_and(|known| {
            let mut at = 0;
            std::iter::from_fn(|| known.next_entry(&mut at))
                .any(|(other, _)| other.downcast_exact::<Str>().is_some_and(|other| Str::equal(other, name)))
        });
        if !native || skipped {
            continue;
        }
        out.text(if total == 0 { "\nExtension modules: " } else { ", " });
        out.string(name);
        total += 1;
    }
    if total > 0 {
        out.text(" (total: ");
        out.decimal(total);
        out.text(")\n");
    }
}
