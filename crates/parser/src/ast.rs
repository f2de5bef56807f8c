//! The abstract syntax tree, node for node and field for field that of Python 3.14's `ast` module.
//!
//! Invariants:
//! - Nodes are plain `Copy` data in an [`Arena`]; the parser knows no Python object.
//! - A list field is a slice. Expressions, statements and patterns are held by reference, so that a node's address
//!   identifies it as long as the arena lives; the small helper nodes (`Arg`, `Keyword`, …) are held by value.
//! - Every node that has `lineno`, `col_offset`, … in Python has a [`Range`].
//! - Identifiers are NFKC-normalised. Equal identifiers of one parse share one allocation.

/// Where nodes, names and constants live. Dropping it frees the whole tree.
pub type Arena = bumpalo::Bump;

/// The source extent of a node: lines count from 1, columns are byte offsets into the UTF-8 form of the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Range {
    /// `lineno`
    pub line: u32,
    /// `col_offset`
    pub col: u32,
    /// `end_lineno`
    pub end_line: u32,
    /// `end_col_offset`
    pub end_col: u32,
}

impl Range {
    /// The range from the start of `self` to the end of `end`.
    #[must_use]
    pub fn to(self, end: Range) -> Range {
        Range { end_line: end.end_line, end_col: end.end_col, ..self }
    }
}

/// An identifier.
pub type Identifier<'a> = &'a str;
/// A reference to an expression.
pub type ExprRef<'a> = &'a Expr<'a>;
/// A list of expressions.
pub type ExprList<'a> = &'a [&'a Expr<'a>];
/// A list of statements.
pub type Body<'a> = &'a [&'a Stmt<'a>];

/// What a parse gives: one variant for each mode.
#[derive(Clone, Copy, Debug)]
pub enum Mod<'a> {
    /// Mode `exec`.
    Module {
        /// The statements.
        body: Body<'a>,
        /// `# type: ignore` comments, when asked for.
        type_ignores: &'a [TypeIgnore<'a>],
    },
    /// Mode `single`.
    Interactive {
        /// The statements.
        body: Body<'a>,
    },
    /// Mode `eval`.
    Expression {
        /// The expression.
        body: ExprRef<'a>,
    },
    /// Mode `func_type`.
    FunctionType {
        /// The parameter types.
        argtypes: ExprList<'a>,
        /// The result type.
        returns: ExprRef<'a>,
    },
}

/// A statement with its position.
#[derive(Clone, Copy, Debug)]
pub struct Stmt<'a> {
    /// Position.
    pub range: Range,
    /// Which statement, and its fields.
    pub kind: StmtKind<'a>,
}

/// `def` and `async def`.
#[derive(Clone, Copy, Debug)]
pub struct FunctionDef<'a> {
    /// Name.
    pub name: Identifier<'a>,
    /// Parameters.
    pub args: &'a Arguments<'a>,
    /// Statements.
    pub body: Body<'a>,
    /// Decorators, outermost first.
    pub decorator_list: ExprList<'a>,
    /// Annotation of the result.
    pub returns: Option<ExprRef<'a>>,
    /// `# type:` comment.
    pub type_comment: Option<&'a str>,
    /// PEP 695 parameters.
    pub type_params: &'a [TypeParam<'a>],
}

/// `class`.
#[derive(Clone, Copy, Debug)]
pub struct ClassDef<'a> {
    /// Name.
    pub name: Identifier<'a>,
    /// Positional bases.
    pub bases: ExprList<'a>,
    /// Keywords, `metaclass` included.
    pub keywords: &'a [Keyword<'a>],
    /// Statements.
    pub body: Body<'a>,
    /// Decorators, outermost first.
    pub decorator_list: ExprList<'a>,
    /// PEP 695 parameters.
    pub type_params: &'a [TypeParam<'a>],
}

/// `for` and `async for`.
#[derive(Clone, Copy, Debug)]
pub struct For<'a> {
    /// Loop target.
    pub target: ExprRef<'a>,
    /// What is iterated over.
    pub iter: ExprRef<'a>,
    /// Statements.
    pub body: Body<'a>,
    /// `else` branch.
    pub orelse: Body<'a>,
    /// `# type:` comment.
    pub type_comment: Option<&'a str>,
}

/// `with` and `async with`.
#[derive(Clone, Copy, Debug)]
pub struct With<'a> {
    /// Context managers.
    pub items: &'a [WithItem<'a>],
    /// Statements.
    pub body: Body<'a>,
    /// `# type:` comment.
    pub type_comment: Option<&'a str>,
}

/// `try` with `except` or with `except*`.
#[derive(Clone, Copy, Debug)]
pub struct Try<'a> {
    /// Statements.
    pub body: Body<'a>,
    /// Handlers.
    pub handlers: &'a [ExceptHandler<'a>],
    /// `else` branch.
    pub orelse: Body<'a>,
    /// `finally` branch.
    pub finalbody: Body<'a>,
}

/// The statements.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields are those of Python's ast module")]
pub enum StmtKind<'a> {
    FunctionDef(&'a FunctionDef<'a>),
    AsyncFunctionDef(&'a FunctionDef<'a>),
    ClassDef(&'a ClassDef<'a>),
    Return { value: Option<ExprRef<'a>> },
    Delete { targets: ExprList<'a> },
    Assign { targets: ExprList<'a>, value: ExprRef<'a>, type_comment: Option<&'a str> },
    TypeAlias { name: ExprRef<'a>, type_params: &'a [TypeParam<'a>], value: ExprRef<'a> },
    AugAssign { target: ExprRef<'a>, op: Operator, value: ExprRef<'a> },
    AnnAssign { target: ExprRef<'a>, annotation: ExprRef<'a>, value: Option<ExprRef<'a>>, simple: bool },
    For(&'a For<'a>),
    AsyncFor(&'a For<'a>),
    While { test: ExprRef<'a>, body: Body<'a>, orelse: Body<'a> },
    If { test: ExprRef<'a>, body: Body<'a>, orelse: Body<'a> },
    With(&'a With<'a>),
    AsyncWith(&'a With<'a>),
    Match { subject: ExprRef<'a>, cases: &'a [MatchCase<'a>] },
    Raise { exc: Option<ExprRef<'a>>, cause: Option<ExprRef<'a>> },
    Try(&'a Try<'a>),
    TryStar(&'a Try<'a>),
    Assert { test: ExprRef<'a>, msg: Option<ExprRef<'a>> },
    Import { names: &'a [Alias<'a>] },
    ImportFrom { module: Option<Identifier<'a>>, names: &'a [Alias<'a>], level: i32 },
    Global { names: &'a [Identifier<'a>] },
    Nonlocal { names: &'a [Identifier<'a>] },
    Expr { value: ExprRef<'a> },
    Pass,
    Break,
    Continue,
}

/// An expression with its position.
#[derive(Clone, Copy, Debug)]
pub struct Expr<'a> {
    /// Position.
    pub range: Range,
    /// Which expression, and its fields.
    pub kind: ExprKind<'a>,
}

/// The expressions.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields are those of Python's ast module")]
pub enum ExprKind<'a> {
    BoolOp {
        op: BoolOp,
        values: ExprList<'a>,
    },
    NamedExpr {
        target: ExprRef<'a>,
        value: ExprRef<'a>,
    },
    BinOp {
        left: ExprRef<'a>,
        op: Operator,
        right: ExprRef<'a>,
    },
    UnaryOp {
        op: UnaryOp,
        operand: ExprRef<'a>,
    },
    Lambda {
        args: &'a Arguments<'a>,
        body: ExprRef<'a>,
    },
    IfExp {
        test: ExprRef<'a>,
        body: ExprRef<'a>,
        orelse: ExprRef<'a>,
    },
    /// A key is `None` for `**value`.
    Dict {
        keys: &'a [Option<ExprRef<'a>>],
        values: ExprList<'a>,
    },
    Set {
        elts: ExprList<'a>,
    },
    ListComp {
        elt: ExprRef<'a>,
        generators: &'a [Comprehension<'a>],
    },
    SetComp {
        elt: ExprRef<'a>,
        generators: &'a [Comprehension<'a>],
    },
    DictComp {
        key: ExprRef<'a>,
        value: ExprRef<'a>,
        generators: &'a [Comprehension<'a>],
    },
    GeneratorExp {
        elt: ExprRef<'a>,
        generators: &'a [Comprehension<'a>],
    },
    Await {
        value: ExprRef<'a>,
    },
    Yield {
        value: Option<ExprRef<'a>>,
    },
    YieldFrom {
        value: ExprRef<'a>,
    },
    Compare {
        left: ExprRef<'a>,
        ops: &'a [CmpOp],
        comparators: ExprList<'a>,
    },
    Call {
        func: ExprRef<'a>,
        args: ExprList<'a>,
        keywords: &'a [Keyword<'a>],
    },
    /// `conversion` is -1 or the code of `s`, `r`, `a`.
    FormattedValue {
        value: ExprRef<'a>,
        conversion: i32,
        format_spec: Option<ExprRef<'a>>,
    },
    /// `conversion` is -1 or the code of `s`, `r`, `a`; `str` is the text of `value` in the source.
    Interpolation {
        value: ExprRef<'a>,
        str: &'a Constant<'a>,
        conversion: i32,
        format_spec: Option<ExprRef<'a>>,
    },
    JoinedStr {
        values: ExprList<'a>,
    },
    TemplateStr {
        values: ExprList<'a>,
    },
    Constant(Constant<'a>),
    Attribute {
        value: ExprRef<'a>,
        attr: Identifier<'a>,
        ctx: ExprContext,
    },
    Subscript {
        value: ExprRef<'a>,
        slice: ExprRef<'a>,
        ctx: ExprContext,
    },
    Starred {
        value: ExprRef<'a>,
        ctx: ExprContext,
    },
    Name {
        id: Identifier<'a>,
        ctx: ExprContext,
    },
    List {
        elts: ExprList<'a>,
        ctx: ExprContext,
    },
    Tuple {
        elts: ExprList<'a>,
        ctx: ExprContext,
    },
    Slice {
        lower: Option<ExprRef<'a>>,
        upper: Option<ExprRef<'a>>,
        step: Option<ExprRef<'a>>,
    },
}

/// A constant's value. The parser makes all but `Tuple` and `FrozenSet`, which come from `ast` objects and folding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Constant<'a> {
    /// `None`
    None,
    /// `True`
    True,
    /// `False`
    False,
    /// `...`
    Ellipsis,
    /// An int; never negative when it comes from source.
    Int(IntConst<'a>),
    /// A float.
    Float(f64),
    /// A complex number; `real` is zero when it comes from source.
    Complex {
        /// Real part.
        real: f64,
        /// Imaginary part.
        imag: f64,
    },
    /// A string; `u` tells that it was written with the prefix `u` (`kind='u'`).
    Str {
        /// The characters.
        value: Wtf8<'a>,
        /// Whether `kind` is `'u'`.
        u: bool,
    },
    /// A bytes object.
    Bytes(&'a [u8]),
    /// A tuple.
    Tuple(&'a [Constant<'a>]),
    /// A frozenset.
    FrozenSet(&'a [Constant<'a>]),
}

/// The value of an int constant. `Small` whenever it fits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IntConst<'a> {
    /// Fits in 64 bits.
    Small(i64),
    /// Anything else: sign, and 30-bit digits, the least significant first, without leading zeros.
    Big {
        /// Whether it is below zero.
        negative: bool,
        /// The magnitude.
        digits: &'a [u32],
    },
}

/// A Python string: UTF-8 in which lone surrogates may stand as three bytes (`ED A0..BF xx`), as in the `surrogatepass`
/// error handler. Unlike strict WTF-8, a high surrogate followed by a low one stays two code points.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Wtf8<'a> {
    bytes: &'a [u8],
}

impl<'a> Wtf8<'a> {
    /// Takes bytes that must be UTF-8 with surrogates allowed.
    pub fn from_bytes(bytes: &'a [u8]) -> Self {
        Wtf8 { bytes }
    }
    /// The encoded form.
    pub fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }
    /// The text, if it has no surrogate.
    pub fn as_str(self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes).ok()
    }
    /// Whether there are no characters.
    pub fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }
    /// The code points, surrogates included.
    pub fn code_points(self) -> impl Iterator<Item = u32> + 'a {
        let mut rest = self.bytes;
        std::iter::from_fn(move || {
            let (&first, tail) = rest.split_first()?;
            let (extra, mut value) = match first {
                0..=0x7f => (0, u32::from(first)),
                0x80..=0xdf => (1, u32::from(first & 0x1f)),
                0xe0..=0xef => (2, u32::from(first & 0x0f)),
                _ => (3, u32::from(first & 0x07)),
            };
            let extra = extra.min(tail.len());
            for &byte in &tail[..extra] {
                value = value << 6 | u32::from(byte & 0x3f);
            }
            rest = &tail[extra..];
            Some(value)
        })
    }
}

impl<'a> From<&'a str> for Wtf8<'a> {
    fn from(text: &'a str) -> Self {
        Wtf8 { bytes: text.as_bytes() }
    }
}

impl std::fmt::Debug for Wtf8<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.bytes))
    }
}

/// How a target or value is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of Python's ast module")]
pub enum ExprContext {
    Load,
    Store,
    Del,
}

/// `and`, `or`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of Python's ast module")]
pub enum BoolOp {
    And,
    Or,
}

/// Binary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of Python's ast module")]
pub enum Operator {
    Add,
    Sub,
    Mult,
    MatMult,
    Div,
    Mod,
    Pow,
    LShift,
    RShift,
    BitOr,
    BitXor,
    BitAnd,
    FloorDiv,
}

/// Unary operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of Python's ast module")]
pub enum UnaryOp {
    Invert,
    Not,
    UAdd,
    USub,
}

/// Comparison operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are those of Python's ast module")]
pub enum CmpOp {
    Eq,
    NotEq,
    Lt,
    LtE,
    Gt,
    GtE,
    Is,
    IsNot,
    In,
    NotIn,
}

/// One `for … in … if …` of a comprehension. It has no position of its own.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields are those of Python's ast module")]
pub struct Comprehension<'a> {
    pub target: ExprRef<'a>,
    pub iter: ExprRef<'a>,
    pub ifs: ExprList<'a>,
    pub is_async: bool,
}

/// One `except` clause.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields are those of Python's ast module")]
pub struct ExceptHandler<'a> {
    pub range: Range,
    pub type_: Option<ExprRef<'a>>,
    pub name: Option<Identifier<'a>>,
    pub body: Body<'a>,
}

/// The parameters of a function.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields are those of Python's ast module")]
pub struct Arguments<'a> {
    pub posonlyargs: &'a [Arg<'a>],
    pub args: &'a [Arg<'a>],
    pub vararg: Option<&'a Arg<'a>>,
    pub kwonlyargs: &'a [Arg<'a>],
    /// As long as `kwonlyargs`; `None` where there is no default.
    pub kw_defaults: &'a [Option<ExprRef<'a>>],
    pub kwarg: Option<&'a Arg<'a>>,
    /// Of the last positional parameters.
    pub defaults: ExprList<'a>,
}

/// A parameter.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields are those of Python's ast module")]
pub struct Arg<'a> {
    pub range: Range,
    pub arg: Identifier<'a>,
    pub annotation: Option<ExprRef<'a>>,
    pub type_comment: Option<&'a str>,
}

/// A keyword argument; `arg` is `None` for `**value`.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields are those of Python's ast module")]
pub struct Keyword<'a> {
    pub range: Range,
    pub arg: Option<Identifier<'a>>,
    pub value: ExprRef<'a>,
}

/// An imported name.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields are those of Python's ast module")]
pub struct Alias<'a> {
    pub range: Range,
    pub name: Identifier<'a>,
    pub asname: Option<Identifier<'a>>,
}

/// One context manager of a `with`. It has no position of its own.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields are those of Python's ast module")]
pub struct WithItem<'a> {
    pub context_expr: ExprRef<'a>,
    pub optional_vars: Option<ExprRef<'a>>,
}

/// One `case`. It has no position of its own.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields are those of Python's ast module")]
pub struct MatchCase<'a> {
    pub pattern: &'a Pattern<'a>,
    pub guard: Option<ExprRef<'a>>,
    pub body: Body<'a>,
}

/// A pattern with its position.
#[derive(Clone, Copy, Debug)]
pub struct Pattern<'a> {
    /// Position.
    pub range: Range,
    /// Which pattern, and its fields.
    pub kind: PatternKind<'a>,
}

/// The patterns.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields are those of Python's ast module")]
pub enum PatternKind<'a> {
    MatchValue {
        value: ExprRef<'a>,
    },
    MatchSingleton {
        value: Constant<'a>,
    },
    MatchSequence {
        patterns: &'a [&'a Pattern<'a>],
    },
    MatchMapping {
        keys: ExprList<'a>,
        patterns: &'a [&'a Pattern<'a>],
        rest: Option<Identifier<'a>>,
    },
    MatchClass {
        cls: ExprRef<'a>,
        patterns: &'a [&'a Pattern<'a>],
        kwd_attrs: &'a [Identifier<'a>],
        kwd_patterns: &'a [&'a Pattern<'a>],
    },
    MatchStar {
        name: Option<Identifier<'a>>,
    },
    MatchAs {
        pattern: Option<&'a Pattern<'a>>,
        name: Option<Identifier<'a>>,
    },
    MatchOr {
        patterns: &'a [&'a Pattern<'a>],
    },
}

/// A `# type: ignore` comment.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields are those of Python's ast module")]
pub struct TypeIgnore<'a> {
    pub lineno: u32,
    pub tag: &'a str,
}

/// A PEP 695 type parameter with its position.
#[derive(Clone, Copy, Debug)]
pub struct TypeParam<'a> {
    /// Position.
    pub range: Range,
    /// Which parameter, and its fields.
    pub kind: TypeParamKind<'a>,
}

/// The type parameters.
#[derive(Clone, Copy, Debug)]
#[allow(missing_docs, reason = "the fields are those of Python's ast module")]
pub enum TypeParamKind<'a> {
    TypeVar { name: Identifier<'a>, bound: Option<ExprRef<'a>>, default_value: Option<ExprRef<'a>> },
    ParamSpec { name: Identifier<'a>, default_value: Option<ExprRef<'a>> },
    TypeVarTuple { name: Identifier<'a>, default_value: Option<ExprRef<'a>> },
}
