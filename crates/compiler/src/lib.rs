//! Python 3.14's compiler: syntax tree → symbol table → instructions → flow graph → code object.
//!
//! What is deliberately absent: this crate knows no Python object, opens no file, prints nothing. Errors and warnings
//! are values. The passes and their order are CPython's, so that code objects are the same.

mod assemble;
mod codegen;
mod constants;
mod flowgraph;
mod fold;
mod future;
mod instruction;
mod preprocess;
pub mod symtable;
mod unparse;

use std::rc::Rc;

use taipan_bytecode::CodeObject;
use taipan_parser::ast::{Arena, Mod, Range};

pub use constants::without_docstring;
pub use fold::literal as pattern_constant;
pub use preprocess::format_to_fstring;
pub use unparse::unparse;

/// How deep statements may nest; more raises `RecursionError`.
pub(crate) const MAX_DEPTH: usize = 3000;

/// Which exception a [`SyntaxError`] value stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// `SyntaxError`
    Syntax,
    /// `SyntaxError` of the symbol table or a future statement: the message is its only argument.
    Symbols,
    /// `RecursionError`
    Recursion,
}

/// Why a tree can't be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// The exception's type.
    pub kind: ErrorKind,
    /// The message, as in CPython.
    pub message: String,
    /// Where: columns are byte offsets from 0.
    pub range: Range,
}

impl SyntaxError {
    pub(crate) fn new(message: String, range: Range) -> SyntaxError {
        SyntaxError { kind: ErrorKind::Syntax, message, range }
    }

    pub(crate) fn recursion(place: &str) -> SyntaxError {
        let message = format!("maximum recursion depth exceeded {place}");
        SyntaxError { kind: ErrorKind::Recursion, message, range: Range::default() }
    }
}

/// A `SyntaxWarning`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The message.
    pub message: String,
    /// Where.
    pub range: Range,
}

/// How to compile.
#[derive(Clone, Debug)]
pub struct CompileOptions<'a> {
    /// `co_filename`, undecodable bytes as surrogates.
    pub filename: &'a [u8],
    /// 0, 1 (`-O`) or 2 (`-OO`).
    pub optimize: u8,
    /// Bits `FUTURE_*` of `co_flags` that are in force from outside.
    pub future_flags: u32,
    /// `ast.PyCF_ALLOW_TOP_LEVEL_AWAIT`
    pub top_level_await: bool,
    /// The address that the native stack may grow down to, beyond which nesting is too deep; 0 for no limit.
    pub stack_limit: usize,
}

/// What compiling gives.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// The module's code.
    pub code: Rc<CodeObject>,
    /// Warnings in the order in which CPython issues them.
    pub warnings: Vec<Warning>,
    /// Strings that were names when they first became constants: CPython has interned them by then.
    pub name_constants: Vec<Rc<[u8]>>,
}

/// Whether the native stack has grown down to `limit`.
#[inline(always)]
pub(crate) fn stack_is_low(limit: usize) -> bool {
    let marker = 0u8;
    std::ptr::from_ref(&marker).addr() < limit
}

/// An error as the symbol table and the future statements raise it.
fn symbol_error(error: SyntaxError) -> SyntaxError {
    match error.kind {
        ErrorKind::Syntax => SyntaxError { kind: ErrorKind::Symbols, ..error },
        _ => error,
    }
}

/// Compiles a tree; its variant decides between the modes `exec`, `eval` and `single`.
pub fn compile<'a>(
    arena: &'a Arena,
    module: &'a Mod<'a>,
    options: &CompileOptions<'_>,
) -> Result<Compiled, SyntaxError> {
    let future = future::features(module).map_err(symbol_error)? | options.future_flags;
    let mut warnings = Vec::new();
    preprocess::control_flow_in_finally(module, &mut warnings)?;
    let future_annotations = future & taipan_bytecode::code::flags::FUTURE_ANNOTATIONS != 0;
    let table = symtable::build(arena, module, future_annotations, false, options).map_err(symbol_error)?;
    let (code, name_constants) = codegen::module(arena, module, &table, options, future, &mut warnings)?;
    Ok(Compiled { code, warnings, name_constants })
}

/// The symbol table of a tree, without compiling it: what the `symtable` module shows.
pub fn symbols<'a>(
    arena: &'a Arena,
    module: &'a Mod<'a>,
    future_flags: u32,
    stack_limit: usize,
) -> Result<symtable::SymbolTable<'a>, SyntaxError> {
    let future = future::features(module).map_err(symbol_error)? | future_flags;
    let future_annotations = future & taipan_bytecode::code::flags::FUTURE_ANNOTATIONS != 0;
    let options =
        CompileOptions { filename: b"", optimize: 0, future_flags: 0, top_level_await: false, stack_limit };
    symtable::build(arena, module, future_annotations, true, &options).map_err(symbol_error)
}
