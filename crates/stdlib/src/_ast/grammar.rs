//! The abstract grammar of Python 3.14 ("ast - Abstract grammar"), from which the classes are made.

/// One type of the grammar.
pub struct Rule {
    /// The class that its constructors share; the class itself when the rule is no choice.
    pub name: &'static str,
    /// The constructors with their fields.
    pub constructors: &'static [&'static str],
    /// Whether nodes have a position, and whether its end may be missing.
    pub position: Position,
}

/// What is known of a node's place in the source.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// No attributes.
    None,
    /// A place whose end may be missing.
    EndOptional,
    /// A whole place.
    All,
}

const fn rule(name: &'static str, constructors: &'static [&'static str], position: Position) -> Rule {
    Rule { name, constructors, position }
}

/// The grammar.
pub const RULES: &[Rule] = &[
    rule(
        "mod",
        &[
            "Module(stmt* body, type_ignore* type_ignores)",
            "Interactive(stmt* body)",
            "Expression(expr body)",
            "FunctionType(expr* argtypes, expr returns)",
        ],
        Position::None,
    ),
    rule(
        "stmt",
        &[
            "FunctionDef(identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment, type_param* type_params)",
            "AsyncFunctionDef(identifier name, arguments args, stmt* body, expr* decorator_list, expr? returns, string? type_comment, type_param* type_params)",
            "ClassDef(identifier name, expr* bases, keyword* keywords, stmt* body, expr* decorator_list, type_param* type_params)",
            "Return(expr? value)",
            "Delete(expr* targets)",
            "Assign(expr* targets, expr value, string? type_comment)",
            "TypeAlias(expr name, type_param* type_params, expr value)",
            "AugAssign(expr target, operator op, expr value)",
            "AnnAssign(expr target, expr annotation, expr? value, int simple)",
            "For(expr target, expr iter, stmt* body, stmt* orelse, string? type_comment)",
            "AsyncFor(expr target, expr iter, stmt* body, stmt* orelse, string? type_comment)",
            "While(expr test, stmt* body, stmt* orelse)",
            "If(expr test, stmt* body, stmt* orelse)",
            "With(withitem* items, stmt* body, string? type_comment)",
            "AsyncWith(withitem* items, stmt* body, string? type_comment)",
            "Match(expr subject, match_case* cases)",
            "Raise(expr? exc, expr? cause)",
            "Try(stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody)",
            "TryStar(stmt* body, excepthandler* handlers, stmt* orelse, stmt* finalbody)",
            "Assert(expr test, expr? msg)",
            "Import(alias* names)",
            "ImportFrom(identifier? module, alias* names, int? level)",
            "Global(identifier* names)",
            "Nonlocal(identifier* names)",
            "Expr(expr value)",
            "Pass",
            "Break",
            "Continue",
        ],
        Position::EndOptional,
    ),
    rule(
        "expr",
        &[
            "BoolOp(boolop op, expr* values)",
            "NamedExpr(expr target, expr value)",
            "BinOp(expr left, operator op, expr right)",
            "UnaryOp(unaryop op, expr operand)",
            "Lambda(arguments args, expr body)",
            "IfExp(expr test, expr body, expr orelse)",
            "Dict(expr?* keys, expr* values)",
            "Set(expr* elts)",
            "ListComp(expr elt, comprehension* generators)",
            "SetComp(expr elt, comprehension* generators)",
            "DictComp(expr key, expr value, comprehension* generators)",
            "GeneratorExp(expr elt, comprehension* generators)",
            "Await(expr value)",
            "Yield(expr? value)",
            "YieldFrom(expr value)",
            "Compare(expr left, cmpop* ops, expr* comparators)",
            "Call(expr func, expr* args, keyword* keywords)",
            "FormattedValue(expr value, int conversion, expr? format_spec)",
            "Interpolation(expr value, constant str, int conversion, expr? format_spec)",
            "JoinedStr(expr* values)",
            "TemplateStr(expr* values)",
            "Constant(constant value, string? kind)",
            "Attribute(expr value, identifier attr, expr_context ctx)",
            "Subscript(expr value, expr slice, expr_context ctx)",
            "Starred(expr value, expr_context ctx)",
            "Name(identifier id, expr_context ctx)",
            "List(expr* elts, expr_context ctx)",
            "Tuple(expr* elts, expr_context ctx)",
            "Slice(expr? lower, expr? upper, expr? step)",
        ],
        Position::EndOptional,
    ),
    rule("expr_context", &["Load", "Store", "Del"], Position::None),
    rule("boolop", &["And", "Or"], Position::None),
    rule(
        "operator",
        &[
            "Add", "Sub", "Mult", "MatMult", "Div", "Mod", "Pow", "LShift", "RShift", "BitOr", "BitXor",
            "BitAnd", "FloorDiv",
        ],
        Position::None,
    ),
    rule("unaryop", &["Invert", "Not", "UAdd", "USub"], Position::None),
    rule("cmpop", &["Eq", "NotEq", "Lt", "LtE", "Gt", "GtE", "Is", "IsNot", "In", "NotIn"], Position::None),
    rule(
        "comprehension",
        &["comprehension(expr target, expr iter, expr* ifs, int is_async)"],
        Position::None,
    ),
    rule(
        "excepthandler",
        &["ExceptHandler(expr? type, identifier? name, stmt* body)"],
        Position::EndOptional,
    ),
    rule(
        "arguments",
        &[
            "arguments(arg* posonlyargs, arg* args, arg? vararg, arg* kwonlyargs, expr?* kw_defaults, arg? kwarg, expr* defaults)",
        ],
        Position::None,
    ),
    rule("arg", &["arg(identifier arg, expr? annotation, string? type_comment)"], Position::EndOptional),
    rule("keyword", &["keyword(identifier? arg, expr value)"], Position::EndOptional),
    rule("alias", &["alias(identifier name, identifier? asname)"], Position::EndOptional),
    rule("withitem", &["withitem(expr context_expr, expr? optional_vars)"], Position::None),
    rule("match_case", &["match_case(pattern pattern, expr? guard, stmt* body)"], Position::None),
    rule(
        "pattern",
        &[
            "MatchValue(expr value)",
            "MatchSingleton(constant value)",
            "MatchSequence(pattern* patterns)",
            "MatchMapping(expr* keys, pattern* patterns, identifier? rest)",
            "MatchClass(expr cls, pattern* patterns, identifier* kwd_attrs, pattern* kwd_patterns)",
            "MatchStar(identifier? name)",
            "MatchAs(pattern? pattern, identifier? name)",
            "MatchOr(pattern* patterns)",
        ],
        Position::All,
    ),
    rule("type_ignore", &["TypeIgnore(int lineno, string tag)"], Position::None),
    rule(
        "type_param",
        &[
            "TypeVar(identifier name, expr? bound, expr? default_value)",
            "ParamSpec(identifier name, expr? default_value)",
            "TypeVarTuple(identifier name, expr? default_value)",
        ],
        Position::All,
    ),
];

/// A field: its type in the grammar without the quantifier, the quantifier (`""`, `"?"`, `"*"`, `"?*"`), and its name.
pub struct Field {
    /// The field's type.
    pub kind: &'static str,
    /// `?` for optional, `*` for a list, else empty.
    pub quantifier: &'static str,
    /// The field's name.
    pub name: &'static str,
}

/// The name and the fields of a constructor.
pub fn parse(constructor: &'static str) -> (&'static str, Vec<Field>) {
    let Some((name, fields)) = constructor.split_once('(') else { return (constructor, Vec::new()) };
    let fields = fields.trim_end_matches(')').split(", ").filter_map(|field| {
        let (kind, name) = field.split_once(' ')?;
        let bare = kind.trim_end_matches(['?', '*']);
        Some(Field { kind: bare, quantifier: kind.get(bare.len()..).unwrap_or_default(), name })
    });
    (name, fields.collect())
}
