//! Running a program in a fresh interpreter.

use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use taipan_vm::exceptions::print;
use taipan_vm::import;
use taipan_vm::interpreter::eval_code;
use taipan_vm::prelude::*;
use taipan_vm::runtime::audit::audit;
use taipan_vm::runtime::compile::{self, CompileFlags, Mode};
use taipan_vm::runtime::marshal::{PYC_MAGIC, load_code};
use taipan_vm::runtime::{
    finish, interactive,
    start::{self, Parts},
};

use crate::command_line::{Command, Program};
use crate::standard_files;

/// Runs the program and gives its exit status.
pub fn run(command: Command) -> ExitCode {
    let parts = Parts { modules: taipan_stdlib::modules(), library: Some(&taipan_frozen::LIBRARY) };
    let vm = match start::start(command.config.clone(), parts) {
        Ok(vm) => vm,
        Err(text) => {
            eprintln!("Fatal Python error: init_import_site: Failed to start the interpreter\n{text}");
            return ExitCode::FAILURE;
        }
    };
    taipan_capi::install(vm);
    if standard_files::stdin_is_folder() {
        eprintln!(
            "Fatal Python error: init_sys_streams: <stdin> is a directory, cannot continue\nPython runtime state: core initialized\n\nCurrent thread {:#018x} [taipan] (most recent call first):\n  <no Python frame>",
            vm.thread_id.get()
        );
        return ExitCode::FAILURE;
    }
    let status = match prepare(&command, vm).and_then(|main| execute(&command, &main, vm)) {
        Ok(()) => 0,
        Err(Raised) => report(stays(&command), vm),
    };
    let status = after(&command, status, vm);
    let status = finish::finish(vm, status);
    // Exit codes are taken modulo 256, as the system does.
    ExitCode::from((status & 0xff) as u8)
}

/// Whether the prompt follows the program: `-i`, or `PYTHONINSPECT` on a terminal.
fn stays(command: &Command) -> bool {
    let set_later = || {
        command.config.use_environment
            && std::env::var_os("PYTHONINSPECT").is_some_and(|value| !value.is_empty())
    };
    !is_prompt(command) && is_interactive(command) && (command.config.inspect || set_later())
}

/// Whether somebody may sit at the other end of standard input.
fn is_interactive(command: &Command) -> bool {
    command.config.interactive || std::io::stdin().is_terminal()
}

/// Whether the program itself is the prompt.
fn is_prompt(command: &Command) -> bool {
    matches!(command.program, Program::Stdin) && is_interactive(command)
}

/// Shows an uncaught exception; `SystemExit` gives its status, unless the prompt follows. An interrupt ends the process by the
/// signal, as shells expect.
fn report(stays: bool, vm: &Vm) -> i32 {
    let Some(exception) = vm.take_exception() else { return 1 };
    if !stays {
        if let Some(status) = print::handle_system_exit(&exception, vm) {
            return status;
        }
    }
    let interrupted = exception.as_object().ob_type().is_subtype_of(types::keyboard_interrupt());
    print::print_uncaught(exception, vm);
    if interrupted && !stays {
        finish::finish(vm, 130);
        // SAFETY: plain system calls with constant arguments.
        unsafe {
            libc::signal(libc::SIGINT, libc::SIG_DFL);
            libc::kill(libc::getpid(), libc::SIGINT);
        }
        return 130;
    }
    1
}

/// `__main__`, the standard streams and `site`.
fn prepare(command: &Command, vm: &Vm) -> PyResult<Ref<Module>> {
    taipan_stdlib::_signal::install(vm)?;
    start::open_streams(vm)?;
    if command.config.tracemalloc > 0 {
        let tracer = import::import_module("_tracemalloc", vm)?;
        tracer.call_method(
            &vm.intern("start"),
            &[&*vm.new_int(i64::from(command.config.tracemalloc))],
            vm,
        )?;
    }
    if command.config.faulthandler || command.config.dev_mode {
        let handler = import::import_module("faulthandler", vm)?;
        handler.call_method(&vm.intern("enable"), &[], vm)?;
    }
    let main = Module::create("__main__", None, vm)?;
    import::modules(vm)?.set_item(vm.ids().__main__.as_object(), main.as_object(), vm)?;
    let builtins = import::import_module("builtins", vm)?;
    main.set("__builtins__", &builtins, vm)?;
    if !command.config.warn_options.is_empty() {
        import::import_module("warnings", vm)?;
    }
    if command.config.site_import {
        import::import_module("site", vm)?;
    }
    import_readline(command, vm);
    Ok(main)
}

/// Gives the prompt its line editing; where there is no library for it, the prompt does without.
fn import_readline(command: &Command, vm: &Vm) {
    let wanted = is_prompt(command) || (command.config.inspect && is_interactive(command));
    if command.config.isolated || !wanted {
        return;
    }
    for name in ["readline", "rlcompleter"] {
        if import::import_module(name, vm).is_err() {
            vm.clear_exception();
        }
    }
}

/// The prompt: `_pyrepl` on a terminal, unless `PYTHON_BASIC_REPL` is set; else the plain one. Only `_pyrepl` runs the file
/// of `PYTHONSTARTUP` where that was not done. Raises `SystemExit`.
fn run_prompt(command: &Command, main: &Module, with_startup: bool, vm: &Vm) -> PyResult<()> {
    audit("cpython.run_stdin", &[], vm)?;
    let basic = std::env::var_os("PYTHON_BASIC_REPL").is_some_and(|value| !value.is_empty());
    if !std::io::stdin().is_terminal() || (basic && command.config.use_environment) {
        return interactive::run(main, vm);
    }
    let Ok(module) = import::import_module("_pyrepl.main", vm) else {
        print::write_stderr("Could not import _pyrepl.main\n", vm);
        return Err(Raised);
    };
    let console = module.get_attr(&vm.intern("interactive_console"), vm)?;
    let names = ["mainmodule", "pythonstartup"].map(|name| vm.intern(name).into_object());
    let with_startup = vm.new_bool(with_startup);
    console.call_kw(&[main.as_object(), &with_startup], Some(&vm.new_tuple(names)), vm).map(drop)
}

/// Puts the program's own folder in front of `sys.path`.
fn insert_path(entry: &Object, vm: &Vm) -> PyResult<()> {
    let Some(sys) = vm.interp().sys_dict.get() else { return Ok(()) };
    vm.interp().config.borrow_mut().first_path = Some(entry.str(vm)?.to_string_lossy().into_owned());
    if let Some(path) = sys.get_str(vm.ids().path, vm)? {
        path.call_method(vm.ids().insert, &[&vm.new_int(0), entry], vm)?;
    }
    Ok(())
}

fn execute(command: &Command, main: &Module, vm: &Vm) -> PyResult<()> {
    let safe = command.config.safe_path;
    if command.config.verbose > 0 && !command.config.quiet && !is_prompt(command) {
        interactive::header(command.config.site_import, vm);
    }
    match &command.program {
        Program::Command(text) => {
            if !safe {
                insert_path(vm.ids().empty.as_object(), vm)?;
            }
            let text = taipan_vm::protocols::path::from_os(text, vm);
            let Ok(source) = text.to_utf8(vm) else {
                print::write_stderr("Unable to decode the command from the command line:\n", vm);
                return Err(Raised);
            };
            let source = dedent(source);
            let text = vm.new_str(&source);
            let code = compile::compile_source(
                source.as_bytes(),
                text.as_object(),
                "<string>",
                Mode::Exec,
                CompileFlags(0),
                -1,
                vm,
            )?;
            let loader = builtin_importer(vm)?;
            main.set("__loader__", &loader, vm)?;
            interactive::register_source(&code, &source, "<string>", vm)?;
            run_code(&code, main, vm)
        }
        Program::Module(name) => {
            if !safe {
                let folder = std::env::current_dir().unwrap_or_default();
                let folder = taipan_vm::protocols::path::from_os(folder.as_os_str(), vm);
                insert_path(folder.as_object(), vm)?;
            }
            run_module(name, true, vm)
        }
        Program::File(file) => run_file(file, command, main, vm),
        Program::Stdin => run_stdin(command, main, vm),
    }
}

/// `-c` text that is indented as a whole is moved to the margin, and blank lines are emptied, as `textwrap.dedent` does.
fn dedent(text: &str) -> String {
    let margin_of = |line: &str| line.len() - line.trim_start_matches([' ', '\t']).len();
    let is_blank = |line: &str| line.trim_matches([' ', '\t', '\r', '\x0b', '\x0c']).is_empty();
    let mut margin: Option<&str> = None;
    for line in text.split('\n').filter(|line| !is_blank(line)) {
        let own = line.get(..margin_of(line)).unwrap_or_default();
        let common = margin.map_or(own, |margin| {
            let same = margin.bytes().zip(own.bytes()).take_while(|(a, b)| a == b).count();
            own.get(..same).unwrap_or_default()
        });
        margin = Some(common);
    }
    let margin = margin.unwrap_or_default();
    let mut out: Vec<&str> = text
        .split('\n')
        .map(|line| if is_blank(line) { "" } else { line.strip_prefix(margin).unwrap_or(line) })
        .collect();
    if out.last().is_some_and(|last| !last.is_empty()) {
        out.push("");
    }
    out.join("\n")
}

fn run_code(code: &Code, main: &Module, vm: &Vm) -> PyResult<()> {
    eval_code(code, &main.dict(vm), None, vm).map(drop)
}

fn run_module(name: &str, set_argv0: bool, vm: &Vm) -> PyResult<()> {
    let runpy = import::import_module("runpy", vm)?;
    let run = runpy.get_attr(&vm.intern("_run_module_as_main"), vm)?;
    run.call(&[vm.new_str(name).as_object(), &vm.new_bool(set_argv0)], vm).map(drop)
}

fn builtin_importer(vm: &Vm) -> PyResult {
    let bootstrap = import::import_module("_frozen_importlib", vm)?;
    bootstrap.get_attr(&vm.intern("BuiltinImporter"), vm)
}

/// Reads a file, or tells on standard error why it can't be run and raises `SystemExit`.
fn read_file(
    path: &std::path::Path,
    full: &std::path::Path,
    command: &Command,
    vm: &Vm,
) -> PyResult<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        let words = &command.config.orig_argv;
        let program = words.first().map(|w| w.to_string_lossy().into_owned()).unwrap_or_default();
        let errno = error.raw_os_error().unwrap_or(0);
        let reason = taipan_vm::exceptions::os_error::strerror(errno);
        print::write_stderr(
            &format!("{program}: can't open file '{}': [Errno {errno}] {reason}\n", full.display()),
            vm,
        );
        let status = vm.new_int(2);
        vm.raise_with(types::system_exit(), vec![status])
    })
}

fn run_file(file: &std::ffi::OsStr, command: &Command, main: &Module, vm: &Vm) -> PyResult<()> {
    let path = std::path::Path::new(file);
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if path.is_dir() || is_archive(path) {
        insert_path(taipan_vm::protocols::path::from_os(full.as_os_str(), vm).as_object(), vm)?;
        return run_module("__main__", false, vm);
    }
    let mut source = read_file(path, &full, command, vm)?;
    if command.skip_first_line {
        let end = source.iter().position(|&byte| byte == b'\n').unwrap_or(source.len());
        source.drain(..end);
    }
    if !command.config.safe_path {
        let folder = std::fs::canonicalize(path).ok().and_then(|p| p.parent().map(std::path::Path::to_owned));
        let folder = folder.unwrap_or_default();
        insert_path(taipan_vm::protocols::path::from_os(folder.as_os_str(), vm).as_object(), vm)?;
    }
    main.set("__file__", taipan_vm::protocols::path::from_os(full.as_os_str(), vm).as_object(), vm)?;
    main.set("__cached__", vm.none_ref(), vm)?;
    let compiled =
        path.extension().is_some_and(|extension| extension == "pyc") || source.starts_with(&PYC_MAGIC[..2]);
    set_main_loader(main, &full, compiled, vm)?;
    let name = String::from_utf8_lossy(full.as_os_str().as_bytes()).into_owned();
    let code =
        if compiled { compiled_code(&source, vm)? } else { compile::compile_file(&source, &name, vm)? };
    run_code(&code, main, vm)
}

/// The code in the contents of a `.pyc` file (PEP 552): magic number, flags, eight bytes about the source, code object.
fn compiled_code(contents: &[u8], vm: &Vm) -> PyResult<Ref<Code>> {
    let Some(magic) = contents.get(..4) else { return Err(vm.eof_error("EOF read where not expected")) };
    if magic != PYC_MAGIC {
        return Err(vm.runtime_error("Bad magic number in .pyc file"));
    }
    let Some(code) = contents.get(16..) else { return Err(vm.eof_error("EOF read where not expected")) };
    load_code(code, vm).map_err(|Raised| {
        vm.take_exception();
        vm.runtime_error("Bad code object in .pyc file")
    })
}

/// Whether a file ends as a zip archive does: with its directory, and a comment at most.
fn is_archive(path: &std::path::Path) -> bool {
    const RECORD: &[u8] = b"PK\x05\x06";
    const LONGEST: u64 = 22 + 0xffff;
    let tail = std::fs::File::open(path).and_then(|mut file| {
        use std::io::{Read as _, Seek as _, SeekFrom};
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LONGEST)))?;
        let mut tail = Vec::new();
        file.take(LONGEST).read_to_end(&mut tail)?;
        Ok(tail)
    });
    tail.is_ok_and(|tail| tail.windows(RECORD.len()).any(|window| window == RECORD))
}

fn set_main_loader(main: &Module, path: &std::path::Path, compiled: bool, vm: &Vm) -> PyResult<()> {
    let external = import::import_module("_frozen_importlib_external", vm)?;
    let class = if compiled { "SourcelessFileLoader" } else { "SourceFileLoader" };
    let loader = external.get_attr(&vm.intern(class), vm)?;
    let path = taipan_vm::protocols::path::from_os(path.as_os_str(), vm);
    let loader = loader.call(&[vm.ids().__main__.as_object(), path.as_object()], vm)?;
    main.set("__loader__", &loader, vm)
}

fn run_stdin(command: &Command, main: &Module, vm: &Vm) -> PyResult<()> {
    if !command.config.safe_path {
        insert_path(vm.ids().empty.as_object(), vm)?;
    }
    let loader = builtin_importer(vm)?;
    main.set("__loader__", &loader, vm)?;
    if is_interactive(command) {
        if !command.config.quiet {
            interactive::header(command.config.site_import, vm);
        }
        run_startup_file(command, main, vm)?;
        interactive::run_hook(vm);
        return run_prompt(command, main, false, vm);
    }
    let mut source = Vec::new();
    let read = std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut source);
    if let Err(error) = read {
        return Err(vm.os_error(error.raw_os_error().unwrap_or(0), None));
    }
    main.set("__file__", vm.new_str("<stdin>").as_object(), vm)?;
    let code = compile::compile_file(&source, "<stdin>", vm)?;
    run_code(&code, main, vm)
}

/// The file that `PYTHONSTARTUP` names. Its errors are shown, and that is all; `SystemExit` is raised.
fn run_startup_file(command: &Command, main: &Module, vm: &Vm) -> PyResult<()> {
    let name = std::env::var_os("PYTHONSTARTUP").filter(|name| !name.is_empty());
    let Some(name) = name.filter(|_| command.config.use_environment) else { return Ok(()) };
    let shown = taipan_vm::protocols::path::from_os(&name, vm);
    let done = match std::fs::read(&name) {
        Err(error) => {
            print::write_stderr("Could not open PYTHONSTARTUP\n", vm);
            Err(vm.os_error(error.raw_os_error().unwrap_or(0), Some(shown.as_object())))
        }
        Ok(source) => {
            main.set("__file__", shown.as_object(), vm)?;
            let code = compile::compile_file(&source, &name.to_string_lossy(), vm);
            let done = code.and_then(|code| run_code(&code, main, vm));
            main.dict(vm).del_item(vm.intern("__file__").as_object(), vm).and(done)
        }
    };
    match done {
        Err(Raised) if vm.exception_matches(types::system_exit()) => Err(Raised),
        Err(Raised) => {
            report(true, vm);
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}

/// `-i`: the prompt after the program.
fn after(command: &Command, status: i32, vm: &Vm) -> i32 {
    if !stays(command) {
        return status;
    }
    let result = (|| {
        let main = import::loaded_module(vm.ids().__main__, vm)?;
        match main.and_then(|m| m.downcast::<Module>().ok()) {
            Some(main) => {
                interactive::run_hook(vm);
                run_prompt(command, &main, true, vm)
            }
            None => Ok(()),
        }
    })();
    match result {
        Ok(()) => 0,
        Err(Raised) => report(false, vm),
    }
}
