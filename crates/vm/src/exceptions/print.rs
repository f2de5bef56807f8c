//! Showing exceptions that nobody caught: `sys.excepthook` and exit codes of `SystemExit`.
//!
//! The text comes from the Python module `traceback`. When that can't be imported or fails, a plain native form without carets
//! and suggestions takes its place.

use std::fmt::Write as _;

use crate::builtins::traceback::Traceback;
use crate::exceptions::group::BaseExceptionGroup;
use crate::exceptions::stop_iteration::SystemExit;
use crate::exceptions::syntax_error::SyntaxError;
use crate::prelude::*;

pub use super::unraisable::{write_unraisable, write_unraisable_while};

/// `sys.tracebacklimit` when it is not set.
const DEFAULT_LIMIT: i64 = 1000;

/// `sys.NAME`, if there is such a thing.
pub(super) fn sys_attr(name: &str, vm: &Vm) -> Option<ObjRef> {
    let dict = vm.interp().sys_dict.get()?;
    match dict.get_str(&vm.intern(name), vm) {
        Ok(value) => value,
        Err(Raised) => {
            vm.clear_exception();
            None
        }
    }
}

/// Writes to `sys.stderr`, or to the descriptor where there is no such file.
pub fn write_stderr(text: &str, vm: &Vm) {
    let file = sys_attr("stderr", vm).filter(|file| !vm.is_none(file));
    match file {
        Some(file) => write_file(&file, text, vm),
        None => eprint!("{text}"),
    }
}

/// Writes to a file; errors are ignored.
pub fn write_file(file: &Object, text: &str, vm: &Vm) {
    let text = vm.new_str(text);
    if file.call_method(vm.ids().write, &[text.as_object()], vm).is_err() {
        vm.clear_exception();
    }
}

pub(super) fn flush(file: &Object, vm: &Vm) {
    if file.call_method(vm.ids().flush, &[], vm).is_err() {
        vm.clear_exception();
    }
}

/// Flushes `sys.stdout` and `sys.stderr`, errors ignored.
pub fn flush_standard_files(vm: &Vm) {
    for name in ["stderr", "stdout"] {
        if let Some(file) = sys_attr(name, vm).filter(|file| !vm.is_none(file)) {
            flush(&file, vm);
        }
    }
}

/// `sys.excepthook`'s own work: shows the exception, its causes and contexts on `sys.stderr`.
pub fn display(exception: &BaseException, vm: &Vm) {
    let file = sys_attr("stderr", vm);
    if file.as_deref().is_some_and(|file| vm.is_none(file)) {
        return;
    }
    if file.is_none() || !display_with_module(exception, None, vm) {
        write_stderr(&native_text(exception, vm), vm);
    }
    if let Some(file) = file {
        flush(&file, vm);
    }
}

/// As [`display`], to a file.
pub fn display_to(file: &Object, exception: &BaseException, vm: &Vm) {
    if !display_with_module(exception, Some(file), vm) {
        write_file(file, &native_text(exception, vm), vm);
    }
    flush(file, vm);
}

/// Lets the Python module `traceback` do it. False when it could not.
fn display_with_module(exception: &BaseException, file: Option<&Object>, vm: &Vm) -> bool {
    let attempt = || -> PyResult<ObjRef> {
        let module = crate::import::import_module("traceback", vm)?;
        let print = module.get_attr(&vm.intern("_print_exception_bltin"), vm)?;
        match file {
            Some(file) => print.call(&[exception.as_object(), file], vm),
            None => print.call(&[exception.as_object()], vm),
        }
    };
    let done = attempt().is_ok();
    if !done {
        vm.clear_exception();
    }
    done
}

/// What `traceback.print_exception` writes, without carets and suggestions.
pub fn native_text(exception: &BaseException, vm: &Vm) -> String {
    let mut out = String::new();
    let mut seen = Vec::new();
    push_chain(&mut out, exception, &mut seen, vm);
    out
}

fn push_chain(out: &mut String, exception: &BaseException, seen: &mut Vec<*mut Object>, vm: &Vm) {
    // The chain is walked to its start first, so that depth doesn't cost native stack.
    let mut chain = vec![(Ref::new_ref(exception), "")];
    seen.push(exception.as_object().as_ptr());
    loop {
        let Some((last, _)) = chain.last() else { break };
        let (next, text) = match (last.cause(), last.context()) {
            (Some(cause), _) => {
                (cause, "\nThe above exception was the direct cause of the following exception:\n\n")
            }
            (None, Some(context)) if !last.suppress_context.get() => {
                (context, "\nDuring handling of the above exception, another exception occurred:\n\n")
            }
            _ => break,
        };
        let op = next.as_object().as_ptr();
        if seen.contains(&op) {
            break;
        }
        seen.push(op);
        chain.push((next, text));
    }
    for (index, (exception, _)) in chain.iter().enumerate().rev() {
        push_one(out, exception, vm);
        if index > 0 {
            if let Some((_, text)) = chain.get(index) {
                out.push_str(text);
            }
        }
    }
}

fn push_one(out: &mut String, exception: &BaseException, vm: &Vm) {
    if let Some(traceback) = exception.traceback() {
        push_traceback(out, &traceback, vm);
    }
    push_exception_line(out, exception, vm);
    if let Some(group) = exception.as_object().downcast_ref::<BaseExceptionGroup>() {
        for nested in group.exceptions() {
            if let Some(nested) = nested.downcast_ref::<BaseException>() {
                let mut line = String::new();
                push_exception_line(&mut line, nested, vm);
                let _ = write!(out, "  | {line}");
            }
        }
    }
}

/// The name by which an exception type is shown: without `builtins` and `__main__`.
fn shown_type_name(tp: &Type, vm: &Vm) -> String {
    let text = |name: &Str| match tp.as_object().lookup_attr(name, vm) {
        Ok(value) => value.and_then(|v| v.downcast::<Str>().ok()).map(|s| s.to_string_lossy().into_owned()),
        Err(Raised) => {
            vm.clear_exception();
            None
        }
    };
    let name = text(vm.ids().__qualname__).unwrap_or_else(|| tp.name().to_owned());
    match text(vm.ids().__module__) {
        Some(module) if module != "builtins" && module != "__main__" => format!("{module}.{name}"),
        Some(_) => name,
        None => format!("<unknown>.{name}"),
    }
}

fn push_exception_line(out: &mut String, exception: &BaseException, vm: &Vm) {
    if let Some(error) = exception.as_object().downcast_ref::<SyntaxError>() {
        push_syntax_place(out, error);
    }
    out.push_str(&shown_type_name(exception.as_object().ob_type(), vm));
    let text = match exception.as_object().downcast_ref::<SyntaxError>().and_then(|error| error.msg.get()) {
        Some(msg) => msg.str(vm),
        None => exception.as_object().str(vm),
    };
    match text {
        Ok(text) if text.len() == 0 => {}
        Ok(text) => {
            let _ = write!(out, ": {}", text.to_string_lossy());
        }
        Err(Raised) => {
            vm.clear_exception();
            out.push_str(": <exception str() failed>");
        }
    }
    out.push('\n');
}

fn push_syntax_place(out: &mut String, error: &SyntaxError) {
    let line = error.lineno.get().and_then(|n| n.downcast_ref::<Int>().and_then(Int::to_i64));
    let Some(line) = line else { return };
    let filename = error.filename.get().and_then(|f| f.downcast::<Str>().ok());
    let filename = filename.map_or_else(|| "<string>".to_owned(), |f| f.to_string_lossy().into_owned());
    let _ = writeln!(out, "  File \"{filename}\", line {line}");
    let Some(text) = error.text.get().and_then(|t| t.downcast::<Str>().ok()) else { return };
    let text = text.to_string_lossy().into_owned();
    let text = text.trim_end_matches('\n');
    let stripped = text.trim_start_matches([' ', '\t', '\x0c']);
    let _ = writeln!(out, "    {stripped}");
    let cut = text.chars().count() - stripped.chars().count();
    let offset = error.offset.get().and_then(|n| n.downcast_ref::<Int>().and_then(Int::to_i64));
    let Some(column) = offset.and_then(|o| usize::try_from(o).ok()).filter(|o| *o >= 1) else { return };
    let column = (column - 1).saturating_sub(cut).min(stripped.chars().count());
    let end = error.end_offset.get().and_then(|n| n.downcast_ref::<Int>().and_then(Int::to_i64));
    let same_line =
        error.end_lineno.get().and_then(|n| n.downcast_ref::<Int>().and_then(Int::to_i64)) == Some(line);
    let end = end.and_then(|e| usize::try_from(e).ok()).filter(|_| same_line).unwrap_or(0);
    let width =
        end.saturating_sub(1).saturating_sub(cut).saturating_sub(column).clamp(1, stripped.len().max(1));
    let _ = writeln!(out, "    {}{}", " ".repeat(column), "^".repeat(width));
}

/// The header and the "File" lines, innermost last; repeated ones are counted as the module `traceback` does.
pub(super) fn push_traceback(out: &mut String, traceback: &Ref<Traceback>, vm: &Vm) {
    const SHOWN_REPEATS: usize = 3;
    let limit = match sys_attr("tracebacklimit", vm) {
        Some(limit) => {
            limit.downcast_ref::<Int>().map_or(DEFAULT_LIMIT, |i| i.to_i64().unwrap_or(DEFAULT_LIMIT))
        }
        None => DEFAULT_LIMIT,
    };
    if limit <= 0 {
        return;
    }
    out.push_str("Traceback (most recent call last):\n");
    let mut levels = Vec::new();
    let mut walk = Some(traceback.clone());
    while let Some(level) = walk {
        walk = level.tb_next.get();
        levels.push(level);
    }
    let skip = levels.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
    let mut last: Option<(String, i32, String)> = None;
    let mut repeats = 0;
    for level in levels.iter().skip(skip) {
        let Some(frame) = level.tb_frame.get() else { continue };
        let code = frame.code();
        let key = (
            code.filename().to_string_lossy().into_owned(),
            level.lineno().unwrap_or(0),
            code.name().to_string_lossy().into_owned(),
        );
        if last.as_ref() == Some(&key) {
            repeats += 1;
        } else {
            push_repeats(out, repeats, SHOWN_REPEATS);
            repeats = 1;
        }
        if repeats <= SHOWN_REPEATS {
            let _ = writeln!(out, "  File \"{}\", line {}, in {}", key.0, key.1, key.2);
            if let Some(line) = source_line(&key.0, key.1) {
                let _ = writeln!(out, "    {line}");
            }
        }
        last = Some(key);
    }
    push_repeats(out, repeats, SHOWN_REPEATS);
}

fn push_repeats(out: &mut String, repeats: usize, shown: usize) {
    if repeats > shown {
        let more = repeats - shown;
        let _ =
            writeln!(out, "  [Previous line repeated {more} more time{}]", if more == 1 { "" } else { "s" });
    }
}

/// The line of a file without the space around it; none when it can't be had or is blank.
pub fn source_line(filename: &str, line: i32) -> Option<String> {
    if filename.starts_with('<') {
        return None;
    }
    let index = usize::try_from(line).ok()?.checked_sub(1)?;
    let data = std::fs::read(filename).ok()?;
    let text = String::from_utf8_lossy(&data);
    let line = text.lines().nth(index)?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}

/// `PyErr_Print`: hands an exception that nobody caught to `sys.excepthook`. `SystemExit` must have been dealt with before.
pub fn print_uncaught(exception: Ref<BaseException>, vm: &Vm) {
    let tp = exception.as_object().ob_type().as_object().to_ref();
    let traceback = exception.traceback.get().unwrap_or_else(|| vm.none());
    if let Some(sys) = vm.interp().sys_dict.get() {
        let values: [(&str, &Object); 4] = [
            ("last_exc", exception.as_object()),
            ("last_type", &tp),
            ("last_value", exception.as_object()),
            ("last_traceback", &traceback),
        ];
        for (name, value) in values {
            if sys.set_str(&vm.intern(name), value, vm).is_err() {
                vm.clear_exception();
            }
        }
    }
    let hook = sys_attr("excepthook", vm);
    let none = vm.none();
    let event = [hook.as_deref().unwrap_or(&none), &tp, exception.as_object(), &traceback];
    if crate::runtime::audit::audit("sys.excepthook", &event, vm).is_err() {
        if vm.exception_matches(types::runtime_error()) {
            // A hook that raises RuntimeError keeps the handler from being called.
            vm.clear_exception();
            return;
        }
        vm.write_unraisable(None, Some("Exception ignored in audit hook"));
    }
    let Some(hook) = hook else {
        write_stderr("sys.excepthook is missing\n", vm);
        display(&exception, vm);
        return;
    };
    if hook.call(&[&tp, exception.as_object(), &traceback], vm).is_err() {
        let Some(second) = vm.take_exception() else { return };
        flush_standard_files(vm);
        write_stderr("Error in sys.excepthook:\n", vm);
        display(&second, vm);
        write_stderr("\nOriginal exception was:\n", vm);
        display(&exception, vm);
    }
}

/// The exit code when the exception is a `SystemExit`, after writing what its code says; none for other exceptions.
pub fn handle_system_exit(exception: &BaseException, vm: &Vm) -> Option<i32> {
    if !exception.as_object().ob_type().is_subtype_of(types::system_exit()) {
        return None;
    }
    flush_standard_files(vm);
    let code = match exception.as_object().lookup_attr(&vm.intern("code"), vm) {
        Ok(Some(code)) => code,
        Ok(None) => exception.as_object().to_ref(),
        Err(Raised) => {
            vm.clear_exception();
            exception
                .as_object()
                .downcast_ref::<SystemExit>()
                .and_then(|e| e.code.get())
                .unwrap_or_else(|| vm.none())
        }
    };
    if vm.is_none(&code) {
        return Some(0);
    }
    if let Some(number) = code.downcast_ref::<Int>() {
        // As the C conversion does: what doesn't fit is -1.
        return Some(number.to_i64().map_or(-1, |number| number as i32));
    }
    match code.str(vm) {
        Ok(text) => write_stderr(&format!("{}\n", text.to_string_lossy()), vm),
        Err(Raised) => vm.clear_exception(),
    }
    if let Some(file) = sys_attr("stderr", vm).filter(|file| !vm.is_none(file)) {
        flush(&file, vm);
    }
    Some(1)
}
