//! Running a program in a fresh interpreter.

use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use taipan_vm::exceptions::print;
use taipan_vm::import;
use taipan_vm::interpreter::eval_code;
use taipan_vm::prelude::*;
use taipan_vm::runtime::compile::{self, CompileFlags, Mode};
use taipan_vm::runtime::start::{self, Parts};

use crate::command_line::{Command, Program, version_line};

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
    let status = match prepare(&command, vm).and_then(|main| execute(&command, &main, vm)) {
        Ok(()) => 0,
        Err(Raised) => report(vm),
    };
    let status = after(&command, status, vm);
    let status = start::finish(vm, status);
    // Exit codes are taken modulo 256, as the system does.
    ExitCode::from((status & 0xff) as u8)
}

/// Shows an uncaught exception; `SystemExit` gives its status. An interrupt ends the process by the signal, as shells expect.
fn report(vm: &Vm) -> i32 {
    let Some(exception) = vm.take_exception() else { return 1 };
    if let Some(status) = print::handle_system_exit(&exception, vm) {
        return status;
    }
    let interrupted = exception.as_object().ob_type().is_subtype_of(types::keyboard_interrupt());
    print::print_uncaught(exception, vm);
    if interrupted {
        start::finish(vm, 130);
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
    Ok(main)
}

/// Puts the program's own folder in front of `sys.path`.
fn insert_path(entry: &Object, vm: &Vm) -> PyResult<()> {
    let Some(sys) = vm.interp().sys_dict.get() else { return Ok(()) };
    if let Some(path) = sys.get_str(vm.ids().path, vm)? {
        path.call_method(vm.ids().insert, &[&vm.new_int(0), entry], vm)?;
    }
    Ok(())
}

fn execute(command: &Command, main: &Module, vm: &Vm) -> PyResult<()> {
    let safe = command.config.safe_path;
    match &command.program {
        Program::Command(text) => {
            if !safe {
                insert_path(vm.ids().empty.as_object(), vm)?;
            }
            let source = dedent(text);
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

/// `-c` text that is indented as a whole is moved to the margin.
fn dedent(text: &str) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    let margin = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.len() - line.trim_start_matches([' ', '\t']).len())
        .min()
        .unwrap_or(0);
    let mut out: Vec<&str> =
        lines.iter().map(|line| line.get(margin..).unwrap_or_else(|| line.trim_start())).collect();
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

fn run_file(file: &std::ffi::OsStr, command: &Command, main: &Module, vm: &Vm) -> PyResult<()> {
    let path = std::path::Path::new(file);
    let shown = taipan_vm::protocols::path::from_os(file, vm);
    if path.is_dir() || is_archive(path) {
        insert_path(shown.as_object(), vm)?;
        return run_module("__main__", false, vm);
    }
    let mut source = match std::fs::read(path) {
        Ok(source) => source,
        Err(error) => {
            let program = command
                .config
                .orig_argv
                .first()
                .map(|w| w.to_string_lossy().into_owned())
                .unwrap_or_default();
            let errno = error.raw_os_error().unwrap_or(0);
            let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
            eprintln!(
                "{program}: can't open file '{}': [Errno {errno}] {}",
                full.display(),
                taipan_vm::exceptions::os_error::strerror(errno)
            );
            let status = vm.new_int(2);
            return Err(vm.raise_with(types::system_exit(), vec![status]));
        }
    };
    if command.skip_first_line {
        let end = source.iter().position(|&byte| byte == b'\n').unwrap_or(source.len());
        source.drain(..end);
    }
    if !command.config.safe_path {
        let folder = std::fs::canonicalize(path).ok().and_then(|p| p.parent().map(std::path::Path::to_owned));
        let folder = folder.unwrap_or_default();
        insert_path(taipan_vm::protocols::path::from_os(folder.as_os_str(), vm).as_object(), vm)?;
    }
    let full = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    main.set("__file__", taipan_vm::protocols::path::from_os(full.as_os_str(), vm).as_object(), vm)?;
    main.set("__cached__", vm.none_ref(), vm)?;
    set_main_loader(main, &full, vm)?;
    let name = String::from_utf8_lossy(full.as_os_str().as_bytes()).into_owned();
    let code = if source.starts_with(&taipan_vm::runtime::marshal::PYC_MAGIC) {
        taipan_vm::runtime::marshal::load_code(source.get(16..).unwrap_or_default(), vm)?
    } else {
        if source.contains(&0) {
            return Err(vm.syntax_error("source code cannot contain null bytes"));
        }
        compile::compile_source(&source, vm.none_ref(), &name, Mode::Exec, CompileFlags(0), -1, vm)?
    };
    run_code(&code, main, vm)
}

fn is_archive(path: &std::path::Path) -> bool {
    let mut head = [0u8; 4];
    let read = std::fs::File::open(path).and_then(|mut file| std::io::Read::read(&mut file, &mut head));
    matches!(read, Ok(4)) && head == *b"PK\x03\x04"
}

fn set_main_loader(main: &Module, path: &std::path::Path, vm: &Vm) -> PyResult<()> {
    let external = import::import_module("_frozen_importlib_external", vm)?;
    let loader = external.get_attr(&vm.intern("SourceFileLoader"), vm)?;
    let path = taipan_vm::protocols::path::from_os(path.as_os_str(), vm);
    let loader = loader.call(&[vm.ids().__main__.as_object(), path.as_object()], vm)?;
    main.set("__loader__", &loader, vm)
}

fn run_stdin(command: &Command, main: &Module, vm: &Vm) -> PyResult<()> {
    if !command.config.safe_path {
        insert_path(vm.ids().empty.as_object(), vm)?;
    }
    if std::io::stdin().is_terminal() || command.config.interactive {
        return prompt(command, main, vm);
    }
    let mut source = Vec::new();
    let read = std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut source);
    if let Err(error) = read {
        return Err(vm.os_error(error.raw_os_error().unwrap_or(0), None));
    }
    let code =
        compile::compile_source(&source, vm.none_ref(), "<stdin>", Mode::Exec, CompileFlags(0), -1, vm)?;
    run_code(&code, main, vm)
}

/// The prompt: the library's own, in the main module's namespace.
fn prompt(command: &Command, main: &Module, vm: &Vm) -> PyResult<()> {
    let code = import::import_module("code", vm)?;
    let banner = if command.config.quiet {
        String::new()
    } else {
        format!(
            "{} (taipan {})\nType \"help\", \"copyright\", \"credits\" or \"license\" for more information.",
            version_line(),
            env!("CARGO_PKG_VERSION")
        )
    };
    let options = vm.new_dict();
    options.set_item(vm.intern("banner").as_object(), vm.new_str(&banner).as_object(), vm)?;
    options.set_item(vm.intern("exitmsg").as_object(), vm.ids().empty.as_object(), vm)?;
    options.set_item(vm.intern("local").as_object(), main.dict(vm).as_object(), vm)?;
    let interact = code.get_attr(&vm.intern("interact"), vm)?;
    interact.call_tuple_dict(&Tuple::empty(vm), Some(&options), vm).map(drop)
}

/// `-i`: the prompt after the program.
fn after(command: &Command, status: i32, vm: &Vm) -> i32 {
    let wanted = command.config.inspect && !matches!(command.program, Program::Stdin);
    if !wanted {
        return status;
    }
    let result = (|| {
        let main = import::loaded_module(vm.ids().__main__, vm)?;
        match main.and_then(|m| m.downcast::<Module>().ok()) {
            Some(main) => prompt(command, &main, vm),
            None => Ok(()),
        }
    })();
    match result {
        Ok(()) => 0,
        Err(Raised) => report(vm),
    }
}
