//! The prompt: statements from standard input, one after another, in the namespace of `__main__` ("Interactive mode").

use std::ffi::CString;

use crate::exceptions::print;
use crate::import;
use crate::interpreter::eval_code;
use crate::prelude::*;
use crate::runtime::compile::{self, CompileFlags, Mode};
use crate::runtime::line_input;

/// What the two lines on the program say before the first prompt.
pub fn header(with_site: bool, vm: &Vm) {
    let version = format!("Python {} on linux\n", crate::builtins::sys_module::VERSION);
    print::write_stderr(&version, vm);
    if with_site {
        let more = "Type \"help\", \"copyright\", \"credits\" or \"license\" for more information.\n";
        print::write_stderr(more, vm);
    }
}

/// `sys.__interactivehook__`, which `site` sets.
pub fn run_hook(vm: &Vm) {
    let Some(hook) = vm.interp().sys_dict.get().and_then(|sys| {
        let found = sys.get_str(&vm.intern("__interactivehook__"), vm);
        found.unwrap_or_else(|Raised| {
            vm.clear_exception();
            None
        })
    }) else {
        return;
    };
    if hook.call_no_args(vm).is_err() {
        print::write_stderr("Failed calling sys.__interactivehook__\n", vm);
        show(vm);
    }
}

/// Shows the exception that waits.
fn show(vm: &Vm) {
    if let Some(exception) = vm.take_exception() {
        print::print_uncaught(exception, vm);
    }
}

/// The text of `sys.ps1` or `sys.ps2`.
fn prompt_text(name: &str, vm: &Vm) -> String {
    let value = vm.interp().sys_dict.get().and_then(|sys| sys.get_str(&vm.intern(name), vm).ok().flatten());
    let text = value.map(|value| value.str(vm));
    match text {
        Some(Ok(text)) => text.to_string_lossy().into_owned(),
        Some(Err(Raised)) => {
            vm.clear_exception();
            String::new()
        }
        None => String::new(),
    }
}

/// What became of the lines so far.
enum Read {
    Statement(Ref<Code>, String),
    Nothing,
    End,
}

/// The future features that the statements so far asked for, and the number of the next one.
struct Session {
    futures: u32,
    number: usize,
    /// The last line had no end.
    cut: bool,
}

impl Session {
    fn compile(&self, source: &str, extra: u32, vm: &Vm) -> PyResult<Ref<Code>> {
        let (text, bytes) = (vm.new_str(source), source.as_bytes());
        let flags = CompileFlags(self.futures | extra);
        let name = format!("<stdin-{}>", self.number);
        let arena = compile::Arena::new();
        // Errors of the grammar come before the statement has a number.
        let (origin, mode) = (text.as_object(), Mode::Single);
        let tree = compile::parse_source(bytes, origin, "<stdin>", mode, flags, -1, &arena, vm)?;
        compile::compile_tree(&arena, &tree, &tree.names, &name, flags, -1, Some(bytes), vm)
    }

    /// Whether the grammar takes the text: what only the compiler finds fault with is a statement all the same.
    fn parse(&self, source: &str, extra: u32, vm: &Vm) -> PyResult<()> {
        let (text, flags) = (vm.new_str(source), CompileFlags(self.futures | extra));
        let (arena, origin) = (compile::Arena::new(), text.as_object());
        compile::parse_source(source.as_bytes(), origin, "<stdin>", Mode::Single, flags, -1, &arena, vm)
            .map(drop)
    }

    /// A statement in a line without an end: the rest of the line is asked for, in vain.
    fn ask_for_rest(&self, vm: &Vm) {
        if self.cut {
            print::write_stderr(&format!("{}\n", prompt_text("ps2", vm)), vm);
        }
    }

    /// Reads lines until they make a statement. Raises its syntax error.
    fn read(&mut self, vm: &Vm) -> PyResult<Read> {
        const PARTIAL: u32 = CompileFlags::DONT_IMPLY_DEDENT | CompileFlags::ALLOW_INCOMPLETE_INPUT;
        let mut source = String::new();
        let mut first = true;
        loop {
            let text = prompt_text(if first { "ps1" } else { "ps2" }, vm);
            // What the program printed stands before the prompt.
            print::flush_standard_files(vm);
            let text = CString::new(text).unwrap_or_default();
            let mut line = line_input::read_line(&text, vm).inspect_err(|Raised| {
                // The interrupt key leaves the prompt's line as it stands.
                if vm.exception_matches(types::keyboard_interrupt()) {
                    print::write_stderr("\n", vm);
                }
            })?;
            let ended = line.pop_if(|last| *last == b'\n').is_some();
            self.cut = !ended;
            if !ended && line.is_empty() {
                print::write_stderr("\n", vm);
                if first {
                    return Ok(Read::End);
                }
                source.push('\n');
                return Ok(Read::Statement(self.compile(&source, 0, vm)?, source));
            }
            let line = String::from_utf8_lossy(&line).into_owned();
            let blank = line.trim().is_empty() || line.trim_start().starts_with('#');
            if first && blank {
                return Ok(Read::Nothing);
            }
            if !first {
                source.push('\n');
            }
            source.push_str(&line);
            first = false;
            if self.parse(&source, PARTIAL, vm).is_ok() {
                self.ask_for_rest(vm);
                return Ok(Read::Statement(self.compile(&source, PARTIAL, vm)?, source));
            }
            // With a line end more, a statement that goes on says so.
            vm.clear_exception();
            let goes_on = match self.parse(&format!("{source}\n"), PARTIAL, vm) {
                Ok(_) => true,
                Err(Raised) => {
                    let incomplete = vm.exception_matches(types::incomplete_input_error());
                    vm.clear_exception();
                    incomplete
                }
            };
            if !goes_on {
                self.ask_for_rest(vm);
                return Ok(Read::Statement(
                    self.compile(&source, CompileFlags::DONT_IMPLY_DEDENT, vm)?,
                    source,
                ));
            }
        }
    }
}

/// Lets tracebacks show the lines of what has no file.
pub fn register_source(code: &Code, source: &str, name: &str, vm: &Vm) -> PyResult<()> {
    let linecache = import::import_module("linecache", vm)?;
    let register = linecache.get_attr(&vm.intern("_register_code"), vm)?;
    register.call(&[code.as_object(), vm.new_str(source).as_object(), vm.new_str(name).as_object()], vm)?;
    Ok(())
}

/// Runs statements until the input ends. Raises `SystemExit` only.
pub fn run(main: &Module, vm: &Vm) -> PyResult<()> {
    if let Some(sys) = vm.interp().sys_dict.get() {
        for (name, text) in [("ps1", ">>> "), ("ps2", "... ")] {
            if sys.get_str(&vm.intern(name), vm)?.is_none() {
                sys.set_str(&vm.intern(name), vm.new_str(text).as_object(), vm)?;
            }
        }
    }
    let mut session = Session { futures: 0, number: 0, cut: false };
    loop {
        let done = match session.read(vm) {
            Ok(Read::End) => return Ok(()),
            Ok(Read::Nothing) => Ok(()),
            Ok(Read::Statement(code, source)) => {
                session.futures |= (code.flags.get() as u32) & CompileFlags::FUTURES;
                register_source(&code, &format!("{source}\n"), "<stdin>", vm)
                    .and_then(|()| eval_code(&code, &main.dict(vm), None, vm).map(drop))
            }
            Err(Raised) => Err(Raised),
        };
        session.number += 1;
        if done.is_err() {
            if vm.exception_matches(types::system_exit()) {
                return Err(Raised);
            }
            show(vm);
        }
        print::flush_standard_files(vm);
    }
}
