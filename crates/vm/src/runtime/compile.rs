//! From source to code objects: what `compile`, `exec`, `eval`, imports and the command line share.

use taipan_parser::ast::Mod;
use taipan_parser::{ErrorKind, ParseOptions, SyntaxError};

use crate::prelude::*;

pub use taipan_compiler::symtable;
pub use taipan_parser::Mode;
pub use taipan_parser::ast::Arena;

/// The `flags` of `compile`: future features and `PyCF_*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompileFlags(pub u32);

#[allow(missing_docs)]
impl CompileFlags {
    pub const SOURCE_IS_UTF8: u32 = 0x100;
    pub const DONT_IMPLY_DEDENT: u32 = 0x200;
    pub const ONLY_AST: u32 = 0x400;
    pub const IGNORE_COOKIE: u32 = 0x800;
    pub const TYPE_COMMENTS: u32 = 0x1000;
    pub const ALLOW_TOP_LEVEL_AWAIT: u32 = 0x2000;
    pub const ALLOW_INCOMPLETE_INPUT: u32 = 0x4000;
    pub const OPTIMIZED_AST: u32 = 0x8000 | Self::ONLY_AST;
    /// Our own: the source is a file's, which messages on its encoding name.
    pub const FROM_FILE: u32 = 0x8000_0000;
    /// The `CO_FUTURE_*` flags.
    pub const FUTURES: u32 = 0x01fe_0000;
    pub const BARRY_AS_BDFL: u32 = 0x0040_0000;
    pub const ALL: u32 = Self::FUTURES
        | Self::SOURCE_IS_UTF8
        | Self::DONT_IMPLY_DEDENT
        | Self::OPTIMIZED_AST
        | Self::IGNORE_COOKIE
        | Self::TYPE_COMMENTS
        | Self::ALLOW_TOP_LEVEL_AWAIT
        | Self::ALLOW_INCOMPLETE_INPUT
        | 0x10;
}

/// The file name that a code object gets: `compile` takes paths.
pub fn filename_text(filename: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
    let path = crate::protocols::path::fspath(filename, vm)?;
    match path.downcast::<Str>() {
        Ok(text) => Ok(text),
        Err(bytes) => {
            let bytes = crate::protocols::path::path_bytes(&bytes, "", vm)?;
            Ok(crate::protocols::path::decode(&bytes, vm))
        }
    }
}

/// The source that `what` was given: str or bytes-like.
pub fn source_text(source: &Object, what: &str, vm: &Vm) -> PyResult<Vec<u8>> {
    let bytes = if let Some(text) = source.downcast_ref::<Str>() {
        text.to_utf8(vm)?.as_bytes().to_vec()
    } else if source.ob_type().as_buffer().is_some_and(|b| b.bf_getbuffer.get().is_some()) {
        source.get_buffer(crate::protocols::buffer::SIMPLE, vm)?.as_bytes().to_vec()
    } else {
        let kinds = if what == "compile" {
            "a string, bytes or AST object"
        } else {
            "a string, bytes or code object"
        };
        return Err(vm.type_error(format!("{what}() arg 1 must be {kinds}")));
    };
    if bytes.contains(&0) {
        return Err(vm.syntax_error("source code string cannot contain null bytes"));
    }
    Ok(bytes)
}

/// `compile` for anything that it takes.
pub fn compile_object(
    source: &Object,
    filename: &Str,
    mode: Mode,
    flags: CompileFlags,
    optimize: i32,
    feature_version: i32,
    vm: &Vm,
) -> PyResult {
    if let Some(hook) = vm.interp().hooks.compile_ast.get() {
        if let Some(result) = hook(source, filename, mode, flags, optimize, feature_version, vm)? {
            return Ok(result);
        }
    }
    if flags.0 & CompileFlags::ONLY_AST != 0 {
        return Err(vm.not_implemented_error("compile() with PyCF_ONLY_AST"));
    }
    let text = source_text(source, "compile", vm)?;
    let name = filename.to_string_lossy().into_owned();
    compile_source(&text, source, &name, mode, flags, optimize, vm).map(Ref::into_object)
}

/// The level of optimisation: -1 is the command line's.
pub fn optimization_level(optimize: i32, vm: &Vm) -> i32 {
    if optimize < 0 { vm.interp().config.borrow().optimization_level } else { optimize }
}

/// Compiles source. `origin` tells whether it was text, which has no encoding to find out.
pub fn compile_source(
    text: &[u8],
    origin: &Object,
    filename: &str,
    mode: Mode,
    flags: CompileFlags,
    optimize: i32,
    vm: &Vm,
) -> PyResult<Ref<Code>> {
    let arena = Arena::new();
    let tree = parse_source(text, origin, filename, mode, flags, -1, &arena, vm)?;
    compile_tree(&arena, &tree, filename, flags, optimize, text, vm)
}

/// Parses source; the tree lives in the arena. `feature_version` is that of `ast.parse`, or -1.
pub fn parse_source<'a>(
    text: &[u8],
    origin: &Object,
    filename: &str,
    mode: Mode,
    flags: CompileFlags,
    feature_version: i32,
    arena: &'a Arena,
    vm: &Vm,
) -> PyResult<Mod<'a>> {
    let is_str = origin.downcast_ref::<Str>().is_some() || flags.0 & CompileFlags::IGNORE_COOKIE != 0;
    let defaults = ParseOptions::default();
    let options = ParseOptions {
        mode,
        is_str,
        feature_version: u8::try_from(feature_version).unwrap_or(defaults.feature_version),
        type_comments: flags.0 & CompileFlags::TYPE_COMMENTS != 0,
        barry_as_flufl: flags.0 & CompileFlags::BARRY_AS_BDFL != 0,
        allow_incomplete_input: flags.0 & CompileFlags::ALLOW_INCOMPLETE_INPUT != 0,
        dont_imply_dedent: flags.0 & CompileFlags::DONT_IMPLY_DEDENT != 0,
        max_int_digits: usize::try_from(vm.interp().int_max_str_digits.get()).unwrap_or(0),
        ..defaults
    };
    let parsed = taipan_parser::parse(text, &options, arena).map_err(|mut error| {
        if flags.0 & CompileFlags::FROM_FILE != 0 && error.message.starts_with("Non-UTF-8 code") {
            error.message = error.message.replacen(" on line ", &format!(" in file {filename} on line "), 1);
        }
        raise_syntax(&error, filename, vm)
    })?;
    for warning in &parsed.warnings {
        syntax_warning(warning, filename, vm)?;
    }
    Ok(parsed.module)
}

/// Compiles a tree. `text` is the source that it comes from, if there is one: errors show its lines.
pub fn compile_tree(
    arena: &Arena,
    tree: &Mod<'_>,
    filename: &str,
    flags: CompileFlags,
    optimize: i32,
    text: &[u8],
    vm: &Vm,
) -> PyResult<Ref<Code>> {
    let options = taipan_compiler::CompileOptions {
        filename: filename.as_bytes(),
        optimize: optimization_level(optimize, vm) as u8,
        future_flags: flags.0 & CompileFlags::FUTURES,
        top_level_await: flags.0 & CompileFlags::ALLOW_TOP_LEVEL_AWAIT != 0,
    };
    let compiled = taipan_compiler::compile(arena, tree, &options)
        .map_err(|error| raise_syntax(&positioned(&error, text), filename, vm))?;
    for warning in &compiled.warnings {
        let as_error = taipan_compiler::SyntaxError {
            kind: taipan_compiler::ErrorKind::Syntax,
            message: warning.message.clone(),
            range: warning.range,
        };
        let warning = taipan_parser::Warning {
            message: warning.message.clone(),
            line: warning.range.line,
            as_error: Box::new(positioned(&as_error, text)),
        };
        syntax_warning(&warning, filename, vm)?;
    }
    Code::from_bytecode(&compiled.code, vm)
}

/// Hands the symbol table of source to a function.
pub fn with_symbols<R>(
    source: &Object,
    filename: &str,
    mode: Mode,
    vm: &Vm,
    show: impl FnOnce(&symtable::SymbolTable<'_>) -> PyResult<R>,
) -> PyResult<R> {
    let text = source_text(source, "symtable", vm)?;
    let arena = Arena::new();
    let flags = CompileFlags(crate::interpreter::current_future_flags(vm));
    let tree = parse_source(&text, source, filename, mode, flags, -1, &arena, vm)?;
    let table = taipan_compiler::symbols(&arena, &tree, flags.0 & CompileFlags::FUTURES)
        .map_err(|error| raise_syntax(&positioned(&error, &text), filename, vm))?;
    show(&table)
}

/// Compiles the program in a file or on standard input.
pub fn compile_file(source: &[u8], filename: &str, vm: &Vm) -> PyResult<Ref<Code>> {
    if let Some(at) = source.iter().position(|&byte| byte == 0) {
        let line = source.iter().take(at).filter(|&&byte| byte == b'\n').count() + 1;
        let error = SyntaxError {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            end_line: u32::try_from(line).unwrap_or(u32::MAX),
            text: Some("\n".to_owned()),
            ..SyntaxError::bare(ErrorKind::Syntax, "source code cannot contain null bytes")
        };
        return Err(raise_syntax(&error, filename, vm));
    }
    let flags = CompileFlags(CompileFlags::FROM_FILE);
    compile_source(source, vm.none_ref(), filename, Mode::Exec, flags, -1, vm)
}

/// A compiler's error as the parser would report it: columns in characters from 1, and the line's text.
fn positioned(error: &taipan_compiler::SyntaxError, source: &[u8]) -> SyntaxError {
    if error.kind == taipan_compiler::ErrorKind::Recursion {
        return SyntaxError::bare(ErrorKind::Memory, error.message.clone());
    }
    let range = error.range;
    let line_at = |number: u32| {
        let index = usize::try_from(number).unwrap_or(1).saturating_sub(1);
        source.split(|&byte| byte == b'\n').nth(index).unwrap_or_default()
    };
    let characters = |line: &[u8], column: u32| {
        let column = usize::try_from(column).unwrap_or(0).min(line.len());
        String::from_utf8_lossy(line.get(..column).unwrap_or_default()).chars().count() as i32 + 1
    };
    let line = line_at(range.line);
    SyntaxError {
        kind: ErrorKind::Syntax,
        message: error.message.clone(),
        line: range.line,
        offset: characters(line, range.col),
        end_line: range.end_line,
        end_offset: characters(line_at(range.end_line), range.end_col),
        text: Some(String::from_utf8_lossy(line).into_owned() + "\n"),
        metadata: None,
    }
}

/// Issues a `SyntaxWarning`; one that the filters make an error is raised as the `SyntaxError` that it stands for.
fn syntax_warning(warning: &taipan_parser::Warning, filename: &str, vm: &Vm) -> PyResult<()> {
    let explicit = crate::import::import_module("_warnings", vm)?;
    let message = vm.new_str(&warning.message);
    let category = types::syntax_warning().as_object();
    let (file, line) = (vm.new_str(filename), vm.new_int(warning.line));
    let args: [&Object; 4] = [message.as_object(), category, file.as_object(), &line];
    match explicit.call_method(&vm.intern("warn_explicit"), &args, vm) {
        Ok(_) => Ok(()),
        Err(Raised) if vm.exception_matches(types::syntax_warning()) => {
            vm.clear_exception();
            Err(raise_syntax(&warning.as_error, filename, vm))
        }
        Err(Raised) => Err(Raised),
    }
}

/// Raises a front end's error as the Python exception that it stands for.
pub fn raise_syntax(error: &SyntaxError, filename: &str, vm: &Vm) -> Raised {
    let class = match error.kind {
        ErrorKind::Indentation => types::indentation_error(),
        ErrorKind::Tab => types::tab_error(),
        ErrorKind::IncompleteInput => types::incomplete_input_error(),
        ErrorKind::Memory => return vm.raise(types::memory_error(), &error.message),
        ErrorKind::Value => return vm.value_error(&error.message),
        ErrorKind::Syntax | ErrorKind::Decode => types::syntax_error(),
    };
    let message = vm.new_str(&error.message).into_object();
    if error.line == 0 && error.text.is_none() && error.offset != -1 {
        return vm.raise_with(class, vec![message]);
    }
    let text = match &error.text {
        Some(text) => vm.new_str(text).into_object(),
        None => vm.none(),
    };
    let mut details = vec![
        vm.new_str(filename).into_object(),
        vm.new_int(error.line),
        vm.new_int(error.offset),
        text,
        vm.new_int(error.end_line),
        vm.new_int(error.end_offset),
    ];
    if let Some((line, column, source)) = &error.metadata {
        let metadata =
            vm.new_tuple([vm.new_int(*line), vm.new_int(*column), vm.new_str(source).into_object()]);
        details.push(metadata.into_object());
    }
    let details = vm.new_tuple(details).into_object();
    vm.raise_with(class, vec![message, details])
}
