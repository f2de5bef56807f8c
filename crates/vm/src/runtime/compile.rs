//! From source to code objects: what `compile`, `exec`, `eval`, imports and the command line share.

use std::cell::Cell;
use std::ops::Deref;

use taipan_parser::ast::Mod;
use taipan_parser::{ErrorKind, ParseOptions, SyntaxError};

use crate::prelude::*;

pub use taipan_compiler::{format_to_fstring, pattern_constant, symtable, without_docstring};
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
    let filename = Str::intern(Ref::new_ref(filename), vm);
    let hook = vm.interp().hooks.compile_ast.get();
    let made = match hook.map(|hook| hook(source, &filename, mode, flags, optimize, feature_version, vm)) {
        Some(Err(Raised)) => return Err(Raised),
        Some(Ok(Some(made))) => made,
        _ if flags.0 & CompileFlags::ONLY_AST != 0 => {
            return Err(vm.not_implemented_error("compile() with PyCF_ONLY_AST"));
        }
        _ => {
            let text = source_text(source, "compile", vm)?;
            let name = filename.to_string_lossy().into_owned();
            compile_source(&text, source, &name, mode, flags, optimize, vm)?.into_object()
        }
    };
    if let Some(code) = made.downcast_exact::<Code>() {
        // Only here the name still has its surrogates.
        code.fix_filename(&filename, vm);
    }
    Ok(made)
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
    if crate::runtime::audit::is_active(vm) {
        let event = [vm.new_bytes(text).into_object(), vm.new_str(filename).into_object()];
        let [source, name] = &event;
        crate::runtime::audit::audit("compile", &[source, name], vm)?;
    }
    let arena = Arena::new();
    let tree = parse_source(text, origin, filename, mode, flags, -1, &arena, vm)?;
    compile_tree(&arena, &tree, &tree.names, filename, flags, optimize, None, vm)
}

/// What parsing gives.
pub struct Tree<'a> {
    module: Mod<'a>,
    /// All identifiers in the source.
    pub names: Vec<&'a str>,
}

impl<'a> Deref for Tree<'a> {
    type Target = Mod<'a>;

    fn deref(&self) -> &Mod<'a> {
        &self.module
    }
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
) -> PyResult<Tree<'a>> {
    let is_file = flags.0 & CompileFlags::FROM_FILE != 0;
    let is_str = origin.downcast_ref::<Str>().is_some() || flags.0 & CompileFlags::IGNORE_COOKIE != 0;
    let raised = Cell::new(false);
    let codec = |encoding: &str, bytes: &[u8]| decode_source(encoding, bytes, is_file, &raised, vm);
    let defaults = ParseOptions::default();
    let options = ParseOptions {
        mode,
        is_str,
        is_file,
        feature_version: u8::try_from(feature_version).unwrap_or(defaults.feature_version),
        type_comments: flags.0 & CompileFlags::TYPE_COMMENTS != 0,
        barry_as_flufl: flags.0 & CompileFlags::BARRY_AS_BDFL != 0,
        allow_incomplete_input: flags.0 & CompileFlags::ALLOW_INCOMPLETE_INPUT != 0,
        dont_imply_dedent: flags.0 & CompileFlags::DONT_IMPLY_DEDENT != 0,
        max_int_digits: usize::try_from(vm.interp().int_max_str_digits.get()).unwrap_or(0),
        codec: Some(&codec),
    };
    let mut warnings = Vec::new();
    let parsed = taipan_parser::parse_and_warn(text, &options, arena, &mut warnings);
    if raised.get() {
        return Err(Raised);
    }
    for warning in &warnings {
        syntax_warning(warning, filename, vm)?;
    }
    parsed.map(|(module, names)| Tree { module, names }).map_err(|mut error| {
        if error.kind != ErrorKind::Decode {
            return raise_syntax(&error, filename, vm);
        }
        if is_file {
            error.message = error.message.replacen(" on line ", &format!(" in file {filename} on line "), 1);
            return raise_syntax(&error, filename, vm);
        }
        let raised = raise_at(&error, vm.none(), vm);
        // The file's name is no argument of this error, only an attribute.
        let waiting = vm.take_exception();
        if let Some(exception) = &waiting {
            let name = vm.new_str(filename);
            if exception.as_object().set_attr(&vm.intern("filename"), name.as_object(), vm).is_err() {
                vm.clear_exception();
            }
        }
        vm.current_exception.set(waiting);
        raised
    })
}

/// The text of a source in the encoding that its cookie names. What the codec raises becomes a `SyntaxError`, unless it
/// is no failure to decode: then `raised` is set.
fn decode_source(
    encoding: &str,
    bytes: &[u8],
    is_file: bool,
    raised: &Cell<bool>,
    vm: &Vm,
) -> Result<String, SyntaxError> {
    let failed = |message: String| Err(taipan_parser::source::undecodable(message));
    if raised.get() {
        return failed(String::new());
    }
    let bytes = vm.new_bytes(bytes);
    let text = crate::builtins::codecs_core::decode_method(bytes.as_object(), encoding, "strict", vm);
    match text.and_then(|text| text.to_utf8(vm).map(str::to_owned)) {
        Ok(text) => Ok(text),
        Err(Raised) => {
            let expected = [types::lookup_error(), types::syntax_error(), types::value_error()];
            if !expected.into_iter().any(|class| vm.exception_matches(class)) {
                raised.set(true);
                return failed(String::new());
            }
            let message = vm.take_exception().map(|error| error.as_object().str(vm));
            match message {
                Some(Ok(message)) => {
                    let message = message.to_string_lossy();
                    let hint = if is_file { "; use codecs.decode() to handle arbitrary codecs" } else { "" };
                    failed(message.strip_suffix(hint).unwrap_or(&message).to_owned())
                }
                _ => {
                    raised.set(vm.current_exception.get().is_some());
                    failed(String::new())
                }
            }
        }
    }
}

/// Compiles a tree. `names` are all identifiers in its source. `shown` is an interactive source, whose lines errors show; for others they look into the file.
pub fn compile_tree(
    arena: &Arena,
    tree: &Mod<'_>,
    names: &[&str],
    filename: &str,
    flags: CompileFlags,
    optimize: i32,
    shown: Option<&[u8]>,
    vm: &Vm,
) -> PyResult<Ref<Code>> {
    let options = taipan_compiler::CompileOptions {
        filename: filename.as_bytes(),
        optimize: optimization_level(optimize, vm) as u8,
        future_flags: flags.0 & CompileFlags::FUTURES,
        top_level_await: flags.0 & CompileFlags::ALLOW_TOP_LEVEL_AWAIT != 0,
        stack_limit: vm.native_stack_limit.get(),
    };
    let compiled = taipan_compiler::compile(arena, tree, &options)
        .map_err(|error| raise_compiler_error(&error, filename, shown, vm))?;
    for warning in &compiled.warnings {
        let as_error = taipan_compiler::SyntaxError {
            kind: taipan_compiler::ErrorKind::Syntax,
            message: warning.message.clone(),
            range: warning.range,
        };
        let warning = taipan_parser::Warning {
            message: warning.message.clone(),
            line: warning.range.line,
            as_error: Box::new(positioned(&as_error, filename, shown, vm)),
        };
        syntax_warning(&warning, filename, vm)?;
    }
    Code::from_bytecode(&compiled.code, names, &compiled.name_constants, vm)
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
    let table =
        taipan_compiler::symbols(&arena, &tree, flags.0 & CompileFlags::FUTURES, vm.native_stack_limit.get())
            .map_err(|error| raise_compiler_error(&error, filename, Some(&text), vm))?;
    show(&table)
}

/// Compiles the program in a file or on standard input.
pub fn compile_file(source: &[u8], filename: &str, vm: &Vm) -> PyResult<Ref<Code>> {
    if let Some(at) = source.iter().position(|&byte| byte == 0) {
        let before = source.get(..at).unwrap_or_default();
        // A line ends with `\n`, `\r\n` or `\r`.
        let ends = |at: &usize| match before.get(*at) {
            Some(b'\n') => true,
            Some(b'\r') => before.get(at + 1) != Some(&b'\n'),
            _ => false,
        };
        let line = (0..at).filter(ends).count() + 1;
        let start = (0..at).rev().find(ends).map_or(0, |newline| newline + 1);
        let error = SyntaxError {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            end_line: u32::try_from(line).unwrap_or(u32::MAX),
            text: Some(String::from_utf8_lossy(before.get(start..).unwrap_or_default()).into_owned()),
            ..SyntaxError::bare(ErrorKind::Syntax, "source code cannot contain null bytes")
        };
        return Err(raise_syntax(&error, filename, vm));
    }
    let flags = CompileFlags(CompileFlags::FROM_FILE);
    compile_source(source, vm.none_ref(), filename, Mode::Exec, flags, -1, vm)
}

/// Raises a compiler's error. One of the symbol table has only the message among its arguments.
fn raise_compiler_error(
    error: &taipan_compiler::SyntaxError,
    filename: &str,
    shown: Option<&[u8]>,
    vm: &Vm,
) -> Raised {
    use taipan_compiler::ErrorKind as Kind;
    match error.kind {
        Kind::Recursion => return vm.recursion_error(&error.message),
        Kind::Syntax => return raise_syntax(&positioned(error, filename, shown, vm), filename, vm),
        Kind::Symbols => {}
    }
    let raise = || -> PyResult<Ref<BaseException>> {
        let placed = positioned(error, filename, shown, vm);
        let message = vm.new_str(&error.message).into_object();
        let made = crate::exceptions::base::new_exception(types::syntax_error(), vec![message], vm)?;
        let text = placed.text.as_ref().map_or_else(|| vm.none(), |text| vm.new_str(text).into_object());
        let places = [
            ("filename", vm.new_str(filename).into_object()),
            ("lineno", vm.new_int(placed.line)),
            ("offset", vm.new_int(placed.offset)),
            ("text", text),
            ("end_lineno", vm.new_int(placed.end_line)),
            ("end_offset", vm.new_int(placed.end_offset)),
        ];
        for (name, value) in places {
            made.as_object().set_attr(&vm.intern(name), &value, vm)?;
        }
        Ok(made)
    };
    match raise() {
        Ok(made) => vm.raise_object(made),
        Err(Raised) => Raised,
    }
}

/// A compiler's error as an exception tells it: columns in bytes from 1, and the line as it stands in the file, if there
/// is one.
fn positioned(
    error: &taipan_compiler::SyntaxError,
    filename: &str,
    shown: Option<&[u8]>,
    vm: &Vm,
) -> SyntaxError {
    let range = error.range;
    let column = |column: u32| i32::try_from(column).unwrap_or(i32::MAX - 1) + 1;
    SyntaxError {
        kind: ErrorKind::Syntax,
        message: error.message.clone(),
        line: range.line,
        offset: column(range.col),
        end_line: range.end_line,
        end_offset: column(range.end_col),
        text: match shown {
            Some(source) => {
                line_of(source, range.line).map(|line| String::from_utf8_lossy(line).into_owned())
            }
            None => file_line(filename, range.line, vm),
        },
        metadata: None,
    }
}

/// A line of a source, with its end.
fn line_of(source: &[u8], line: u32) -> Option<&[u8]> {
    let index = usize::try_from(line).ok()?.checked_sub(1)?;
    source.split_inclusive(|&byte| byte == b'\n').nth(index)
}

/// A line of a source file, decoded as its cookie says.
fn file_line(filename: &str, line: u32, vm: &Vm) -> Option<String> {
    let path = std::path::Path::new(filename);
    let bytes = path.is_file().then(|| std::fs::read(path).ok())??;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let text = line_of(bytes, line)?;
    let Some(cookie) = taipan_parser::source::cookie(bytes) else {
        return Some(String::from_utf8_lossy(text).into_owned());
    };
    let object = vm.new_bytes(text);
    let waiting = vm.take_exception();
    let decoded =
        crate::builtins::codecs_core::decode_method(object.as_object(), &cookie.name, "replace", vm);
    let decoded = match decoded {
        Ok(decoded) => decoded.to_string_lossy().into_owned(),
        Err(Raised) => {
            vm.clear_exception();
            String::from_utf8_lossy(text).into_owned()
        }
    };
    vm.current_exception.set(waiting);
    Some(decoded)
}

/// Issues a `SyntaxWarning`; one that the filters make an error is raised as the `SyntaxError` that it stands for.
fn syntax_warning(warning: &taipan_parser::Warning, filename: &str, vm: &Vm) -> PyResult<()> {
    let explicit = crate::builtins::warn::machinery(vm)?;
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
    raise_at(error, vm.new_str(filename).into_object(), vm)
}

fn raise_at(error: &SyntaxError, filename: ObjRef, vm: &Vm) -> Raised {
    let class = match error.kind {
        ErrorKind::Indentation => types::indentation_error(),
        ErrorKind::Tab => types::tab_error(),
        ErrorKind::IncompleteInput => types::incomplete_input_error(),
        ErrorKind::Memory => return vm.raise(types::memory_error(), &error.message),
        ErrorKind::Value => return vm.value_error(&error.message),
        ErrorKind::Syntax | ErrorKind::Decode | ErrorKind::Codec => types::syntax_error(),
    };
    let message = vm.new_str(&error.message).into_object();
    if error.line == 0 && error.text.is_none() && error.kind != ErrorKind::Codec {
        return vm.raise_with(class, vec![message]);
    }
    let text = match &error.text {
        Some(text) => vm.new_str(text).into_object(),
        None => vm.none(),
    };
    let mut details = vec![filename, vm.new_int(error.line), vm.new_int(error.offset), text];
    if error.kind != ErrorKind::Codec {
        details.extend([vm.new_int(error.end_line), vm.new_int(error.end_offset)]);
    }
    let details = vm.new_tuple(details).into_object();
    let made = crate::exceptions::base::new_exception(class, vec![message, details], vm).and_then(|made| {
        if let Some((line, column, source)) = &error.metadata {
            let source = vm.new_str(source).into_object();
            let metadata = vm.new_tuple([vm.new_int(*line), vm.new_int(*column), source]);
            made.as_object().set_attr(&vm.intern("_metadata"), metadata.as_object(), vm)?;
        }
        Ok(made)
    });
    match made {
        Ok(made) => vm.raise_object(made),
        Err(Raised) => Raised,
    }
}
