//! Python 3.14's front end up to the tree: source bytes → tokens → [`ast`].
//!
//! What is deliberately absent: this crate knows no Python object, opens no file, prints nothing.
//!
//! ```
//! use taipan_parser::{Mode, ParseOptions, ast::Arena, parse};
//! let arena = Arena::new();
//! let parsed = parse("x = 1\n".as_bytes(), &ParseOptions::default(), &arena).unwrap();
//! assert!(matches!(parsed.module, taipan_parser::ast::Mod::Module { body: [_], .. }));
//! assert_eq!(ParseOptions::default().mode, Mode::Exec);
//! ```

pub mod ast;
mod diagnose;
pub mod error;
pub mod ident;
pub mod number;
mod parser;
pub mod source;
pub mod string;
pub mod token;
pub mod tokenizer;

pub use error::{ErrorKind, SyntaxError, Warning};

use ast::{Arena, Mod, TypeIgnore};
use token::{Tok, Token};
use tokenizer::{TokenizeOptions, tokenize};

/// What kind of source is parsed: the second argument of `compile`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// A module.
    #[default]
    Exec,
    /// An expression.
    Eval,
    /// One interactive statement.
    Single,
    /// The type comment of a function.
    FuncType,
}

/// How to parse.
#[derive(Clone, Copy)]
pub struct ParseOptions<'c> {
    /// What kind of source it is.
    pub mode: Mode,
    /// The source is text (a `str`), so that a byte order mark or coding cookie means nothing.
    pub is_str: bool,
    /// The source is a whole file, which shows in messages on its encoding.
    pub is_file: bool,
    /// The minor version whose grammar is accepted, as in `ast.parse`.
    pub feature_version: u8,
    /// Keep type comments, `PyCF_TYPE_COMMENTS`.
    pub type_comments: bool,
    /// PEP 401, `CO_FUTURE_BARRY_AS_BDFL`.
    pub barry_as_flufl: bool,
    /// `PyCF_ALLOW_INCOMPLETE_INPUT`
    pub allow_incomplete_input: bool,
    /// `PyCF_DONT_IMPLY_DEDENT`
    pub dont_imply_dedent: bool,
    /// `sys.set_int_max_str_digits`, 0 for no limit.
    pub max_int_digits: usize,
    /// Decodes sources in encodings other than UTF-8, Latin-1 and ASCII.
    pub codec: Option<source::Codec<'c>>,
}

impl Default for ParseOptions<'_> {
    fn default() -> Self {
        ParseOptions {
            mode: Mode::Exec,
            is_str: false,
            is_file: false,
            feature_version: 14,
            type_comments: false,
            barry_as_flufl: false,
            allow_incomplete_input: false,
            dont_imply_dedent: false,
            max_int_digits: 4300,
            codec: None,
        }
    }
}

/// A parsed source.
#[derive(Debug)]
pub struct Parsed<'a> {
    /// The tree.
    pub module: Mod<'a>,
    /// All identifiers in the source, each once.
    pub names: Vec<&'a str>,
    /// Warnings to issue, in the order of their discovery.
    pub warnings: Vec<Warning>,
}

/// Parses `source`. The tree lives in `arena`; it borrows nothing from `source`.
pub fn parse<'a>(
    source: &[u8],
    options: &ParseOptions<'_>,
    arena: &'a Arena,
) -> Result<Parsed<'a>, SyntaxError> {
    let mut warnings = Vec::new();
    let (module, names) = parse_and_warn(source, options, arena, &mut warnings)?;
    Ok(Parsed { module, names, warnings })
}

/// [`parse`] for callers that want the warnings of a source with an error too: those that come before it. Gives the tree and
/// the identifiers.
pub fn parse_and_warn<'a>(
    source: &[u8],
    options: &ParseOptions<'_>,
    arena: &'a Arena,
    warnings: &mut Vec<Warning>,
) -> Result<(Mod<'a>, Vec<&'a str>), SyntaxError> {
    let exec = options.mode == Mode::Exec;
    let source = if options.is_str {
        source::from_str(source, exec)?
    } else {
        source::from_bytes(source, options.codec, options.is_file, exec)?
    };
    let src = &source.text[..];
    if u32::try_from(src.len()).is_err() {
        return Err(SyntaxError::bare(ErrorKind::Memory, "source is too large"));
    }
    let settings = TokenizeOptions { extra_tokens: false, type_comments: options.type_comments };
    let mut stream = tokenize(src, settings);
    let mut type_ignores = Vec::new();
    if options.type_comments {
        stream.tokens.retain(|token| {
            if token.kind == Tok::TypeIgnore {
                let tag = String::from_utf8_lossy(&src[token.start as usize..token.end as usize]);
                type_ignores.push(TypeIgnore { lineno: token.range.line, tag: arena.alloc_str(&tag) });
            }
            token.kind != Tok::TypeIgnore
        });
    }
    if options.mode == Mode::Single {
        end_single(&mut stream.tokens, options.dont_imply_dedent);
    }
    let mut parser = parser::Parser::new(src, &stream.tokens, arena);
    parser.max_int_digits = options.max_int_digits;
    parser.barry_as_flufl = options.barry_as_flufl;
    parser.feature_version = options.feature_version;
    let result = match options.mode {
        Mode::Exec => parser.file(arena.alloc_slice_copy(&type_ignores)),
        Mode::Eval => parser.eval(),
        Mode::Single => parser.interactive(),
        Mode::FuncType => parser.func_type(),
    };
    // Also after an error CPython reads all tokens, since a later one may have a more important error; only not after
    // unexpected indentation.
    let first_warning = warnings.len();
    warnings.extend(stream.warnings.iter().map(|(_, warning)| warning.clone()));
    warnings.append(&mut parser.warnings);
    if let Some(name) = parser.constant_name.take() {
        let message = format!("identifier field can't represent '{name}' constant");
        return Err(SyntaxError::bare(ErrorKind::Value, message));
    }
    match result {
        Ok(_)
            if options.mode == Mode::Single && {
                let last = stream.tokens[parser.pos - 1];
                more_statements(&src[last.end as usize..])
            } =>
        {
            let last = stream.tokens[parser.pos - 1];
            let error = generic_error(src, last);
            let message = "multiple statements found while compiling a single statement".into();
            Err(SyntaxError { message, ..error })
        }
        Ok(module) => Ok((module, parser.names.list())),
        Err(_) => {
            if parser.too_deep {
                let message = "Parser stack overflowed - Python source too complex to parse";
                return Err(SyntaxError::bare(ErrorKind::Memory, message));
            }
            let settings = diagnose::Settings {
                mode: options.mode,
                barry_as_flufl: parser.barry_as_flufl,
                max_int_digits: options.max_int_digits,
                allow_incomplete_input: options.allow_incomplete_input,
            };
            let found = match parser.too_new.take() {
                Some((message, index)) => diagnose::error_at(src, &stream, index, message, settings),
                None => {
                    let (start, compound) = (parser.statement_start, parser.compound_before);
                    let mut found = diagnose::diagnose(src, &stream, start, compound, settings);
                    if let Some(read) = found.read {
                        let seen = stream.warnings.iter().filter(|(token, _)| *token < read).count();
                        warnings.drain(first_warning + seen..first_warning + stream.warnings.len());
                    }
                    warnings.append(&mut found.warnings);
                    found.error
                }
            };
            if let Some(mut error) = found {
                if error.kind != ErrorKind::Memory {
                    let (line, col) = match error.metadata {
                        Some((line, col, _)) => (line, col),
                        None => parser.compound_before,
                    };
                    error.metadata = Some((line, col, String::from_utf8_lossy(src).into_owned()));
                }
                return Err(error);
            }
            let token = stream.tokens[parser.pos];
            Err(generic_error(src, token))
        }
    }
}

fn generic_error(src: &[u8], token: Token) -> SyntaxError {
    let line_start = token.start as usize - token.range.col as usize;
    let line = error::whole_line(src, line_start);
    let count = |bytes: usize| error::char_count(&line[..bytes.min(line.len())]) as i32 + 1;
    SyntaxError {
        kind: ErrorKind::Syntax,
        message: "invalid syntax".into(),
        line: token.range.line,
        offset: count(token.range.col as usize),
        end_line: token.range.end_line,
        end_offset: count(token.range.end_col as usize),
        text: Some(String::from_utf8_lossy(line).into_owned()),
        metadata: None,
    }
}

/// In mode `single` the end of the source also ends the line, and the blocks that are open unless `keep_blocks`.
fn end_single(tokens: &mut Vec<Token>, keep_blocks: bool) {
    let Some(last) = tokens.pop_if(|token| token.kind == Tok::EndMarker) else { return };
    if tokens.is_empty() {
        tokens.push(last);
        return;
    }
    tokens.push(Token { kind: Tok::Newline, ..last });
    if !keep_blocks {
        let open = tokens.iter().fold(0, |open, token| match token.kind {
            Tok::Indent => open + 1,
            Tok::Dedent => open - 1,
            _ => open,
        });
        for _ in 0..open {
            tokens.push(Token { kind: Tok::Dedent, ..last });
        }
        // What ends a block is not yet the end of the statement.
        if open > 0 {
            tokens.push(Token { kind: Tok::Newline, ..last });
        }
    }
    tokens.push(last);
}

/// Whether something else than comments and blank lines follows an interactive statement.
fn more_statements(rest: &[u8]) -> bool {
    rest.split(|&byte| byte == b'\n').any(|line| {
        let line = line.trim_ascii_start();
        !line.is_empty() && line[0] != b'#'
    })
}
