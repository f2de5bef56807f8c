//! Token kinds and the token record.

use crate::ast::Range;

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// What a token is. The text of operators and keywords is given by [`Tok::text`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "the names are those of Python's token module")]
        pub enum Tok { $($(#[$doc])* $name,)* }

        const TEXTS: &[&str] = &[$($text,)*];
        const KINDS: &[Tok] = &[$(Tok::$name,)*];
    };
}

kinds! {
    EndMarker = "",
    Newline = "",
    Indent = "",
    Dedent = "",
    Name = "",
    Number = "",
    String = "",
    FStringStart = "",
    FStringMiddle = "",
    FStringEnd = "",
    TStringStart = "",
    TStringMiddle = "",
    TStringEnd = "",
    TypeIgnore = "",
    TypeComment = "",
    /// Only in extra-tokens mode.
    Comment = "",
    /// Only in extra-tokens mode.
    Nl = "",
    /// A character that starts no token, such as `$`.
    Op = "",
    /// Where the tokenizer gave up; [`crate::tokenizer::Tokens::error`] says why.
    Error = "",
    LPar = "(",
    RPar = ")",
    LSqb = "[",
    RSqb = "]",
    LBrace = "{",
    RBrace = "}",
    Colon = ":",
    Comma = ",",
    Semi = ";",
    Plus = "+",
    Minus = "-",
    Star = "*",
    Slash = "/",
    VBar = "|",
    Amper = "&",
    Less = "<",
    Greater = ">",
    Equal = "=",
    Dot = ".",
    Percent = "%",
    EqEqual = "==",
    NotEqual = "!=",
    LessEqual = "<=",
    GreaterEqual = ">=",
    Tilde = "~",
    Circumflex = "^",
    LeftShift = "<<",
    RightShift = ">>",
    DoubleStar = "**",
    PlusEqual = "+=",
    MinEqual = "-=",
    StarEqual = "*=",
    SlashEqual = "/=",
    PercentEqual = "%=",
    AmperEqual = "&=",
    VBarEqual = "|=",
    CircumflexEqual = "^=",
    LeftShiftEqual = "<<=",
    RightShiftEqual = ">>=",
    DoubleStarEqual = "**=",
    DoubleSlash = "//",
    DoubleSlashEqual = "//=",
    At = "@",
    AtEqual = "@=",
    RArrow = "->",
    Ellipsis = "...",
    ColonEqual = ":=",
    Exclamation = "!",
    False = "False",
    None = "None",
    True = "True",
    And = "and",
    As = "as",
    Assert = "assert",
    Async = "async",
    Await = "await",
    Break = "break",
    Class = "class",
    Continue = "continue",
    Def = "def",
    Del = "del",
    Elif = "elif",
    Else = "else",
    Except = "except",
    Finally = "finally",
    For = "for",
    From = "from",
    Global = "global",
    If = "if",
    Import = "import",
    In = "in",
    Is = "is",
    Lambda = "lambda",
    Nonlocal = "nonlocal",
    Not = "not",
    Or = "or",
    Pass = "pass",
    Raise = "raise",
    Return = "return",
    Try = "try",
    While = "while",
    With = "with",
    Yield = "yield",
}

impl Tok {
    /// The fixed text of an operator or keyword; empty for the others.
    pub fn text(self) -> &'static str {
        TEXTS[self as usize]
    }

    /// Whether this is a reserved word.
    pub fn is_keyword(self) -> bool {
        self as u8 >= Tok::False as u8
    }

    /// The reserved word spelt `text`.
    pub fn keyword(text: &[u8]) -> Option<Tok> {
        use Tok::*;
        Some(match text {
            b"if" => If,
            b"in" => In,
            b"is" => Is,
            b"or" => Or,
            b"as" => As,
            b"for" => For,
            b"def" => Def,
            b"not" => Not,
            b"and" => And,
            b"del" => Del,
            b"try" => Try,
            b"None" => None,
            b"True" => True,
            b"else" => Else,
            b"elif" => Elif,
            b"from" => From,
            b"with" => With,
            b"pass" => Pass,
            b"False" => False,
            b"async" => Async,
            b"await" => Await,
            b"break" => Break,
            b"class" => Class,
            b"raise" => Raise,
            b"while" => While,
            b"yield" => Yield,
            b"assert" => Assert,
            b"except" => Except,
            b"global" => Global,
            b"import" => Import,
            b"lambda" => Lambda,
            b"return" => Return,
            b"finally" => Finally,
            b"continue" => Continue,
            b"nonlocal" => Nonlocal,
            _ => return Option::None,
        })
    }

    /// The operator spelt `text`.
    pub fn operator(text: &str) -> Option<Tok> {
        KINDS[Tok::LPar as usize..=Tok::Exclamation as usize].iter().copied().find(|kind| kind.text() == text)
    }
}

/// A token: its kind, its byte extent in the prepared source, and its position.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// Kind.
    pub kind: Tok,
    /// Byte offset of the start.
    pub start: u32,
    /// Byte offset of the end.
    pub end: u32,
    /// Position.
    pub range: Range,
}
