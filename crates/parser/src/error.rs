//! What a failed parse, or a doubtful one, has to say.

/// The exception class that a [`SyntaxError`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// `SyntaxError`
    Syntax,
    /// `IndentationError`
    Indentation,
    /// `TabError`
    Tab,
    /// `_IncompleteInputError`, only with [`crate::ParseOptions::allow_incomplete_input`].
    IncompleteInput,
    /// `MemoryError`: nesting beyond what the parser supports.
    Memory,
    /// `ValueError`, as for a numeral beyond `sys.set_int_max_str_digits`; it has no position.
    Value,
    /// `SyntaxError` for bytes that are not in the source's encoding; one of a source that is no file names no file.
    Decode,
    /// `SyntaxError` in the place of an exception that the source's codec raised; it has no line.
    Codec,
}

/// A rejected source. Offsets count characters from 1, as in the exception's attributes; the unusual values 0 and -1
/// are CPython's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Exception class.
    pub kind: ErrorKind,
    /// `msg`
    pub message: String,
    /// `lineno`; 0 when there is no position at all (then `text` is `None` as well).
    pub line: u32,
    /// `offset`
    pub offset: i32,
    /// `end_lineno`
    pub end_line: u32,
    /// `end_offset`
    pub end_offset: i32,
    /// `text`
    pub text: Option<String>,
    /// `_metadata`, from which tracebacks guess misspelt keywords: line and column of the last compound statement
    /// (zeros without one) and the source.
    pub metadata: Option<(u32, u32, String)>,
}

impl SyntaxError {
    /// An error without position.
    pub fn bare(kind: ErrorKind, message: impl Into<String>) -> Self {
        SyntaxError {
            kind,
            message: message.into(),
            line: 0,
            offset: 0,
            end_line: 0,
            end_offset: 0,
            text: None,
            metadata: None,
        }
    }
}

/// A warning to be issued by the caller, in source order, before it uses the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// Text of the `SyntaxWarning`.
    pub message: String,
    /// Line it is attributed to.
    pub line: u32,
    /// What is raised instead when the filter says "error".
    pub as_error: Box<SyntaxError>,
}

/// The text of the line that starts at `line_start`, without its newline.
pub(crate) fn line_text(src: &[u8], line_start: usize) -> &[u8] {
    let rest = &src[line_start.min(src.len())..];
    &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]
}

/// Counts code points; an incomplete one at the end counts as one.
pub(crate) fn char_count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

/// The text of the line that starts at `line_start`, with its newline if it has one.
pub(crate) fn whole_line(src: &[u8], line_start: usize) -> &[u8] {
    let rest = &src[line_start.min(src.len())..];
    &rest[..memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1)]
}
