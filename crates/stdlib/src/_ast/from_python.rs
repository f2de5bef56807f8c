//! Python objects → trees for the compiler, with the checks that `compile` makes of trees that programs build.

use taipan_parser::ast::{
    Alias, Arena, Arg, Arguments, Body, BoolOp, ClassDef, CmpOp, Comprehension, Constant, ExceptHandler,
    Expr, ExprContext, ExprKind, ExprList, ExprRef, For, FunctionDef, IntConst, Keyword, MatchCase, Mod,
    Operator, Pattern, PatternKind, Range, Stmt, StmtKind, Try, TypeIgnore, TypeParam, TypeParamKind,
    UnaryOp, With, WithItem, Wtf8,
};
use taipan_vm::builtins::complex::Complex;
use taipan_vm::builtins::set::FrozenSet;
use taipan_vm::prelude::*;
use taipan_vm::runtime::compile::Mode;

use super::Classes;

fn root_class(mode: Mode) -> &'static str {
    match mode {
        Mode::Exec => "Module",
        Mode::Eval => "Expression",
        Mode::Single => "Interactive",
        Mode::FuncType => "FunctionType",
    }
}

/// Raises TypeError for an object that is not the root that the mode wants.
pub fn check_root(root: &Object, mode: Mode, vm: &Vm) -> PyResult<()> {
    let wanted = root_class(mode);
    if root.is_instance(Classes::of(vm)?.get(wanted, vm)?.class.as_object(), vm)? {
        return Ok(());
    }
    Err(vm.type_error(format!("expected {wanted} node, got {}", root.ob_type().name())))
}

/// The tree of an object, which must be the root that the mode wants.
pub fn convert<'a>(root: &Object, mode: Mode, arena: &'a Arena, vm: &Vm) -> PyResult<Mod<'a>> {
    let from = Converter { arena, vm, classes: Classes::of(vm)? };
    let wanted = root_class(mode);
    check_root(root, mode, vm)?;
    let node = Node { object: root, name: wanted };
    Ok(match mode {
        Mode::Exec => Mod::Module {
            body: from.body(&node, "body")?,
            type_ignores: from.slice(&node, "type_ignores", Converter::type_ignore)?,
        },
        Mode::Eval => Mod::Expression { body: from.expr(&node, "body")? },
        Mode::Single => Mod::Interactive { body: from.body(&node, "body")? },
        Mode::FuncType => Mod::FunctionType {
            argtypes: from.exprs(&node, "argtypes")?,
            returns: from.expr(&node, "returns")?,
        },
    })
}

/// An object with the name of the class that it counts as.
#[derive(Clone, Copy)]
struct Node<'o> {
    object: &'o Object,
    name: &'static str,
}

struct Converter<'a, 'v> {
    arena: &'a Arena,
    vm: &'v Vm,
    classes: &'v Classes,
}

impl<'a> Converter<'a, '_> {
    /// The constructor of the rule `kind` that an object is an instance of.
    fn node<'o>(&self, object: &'o Object, kind: &str) -> PyResult<Node<'o>> {
        self.vm.check_recursion(&format!(" while traversing '{kind}' node"))?;
        let mut walk = Some(object.ob_type());
        while let Some(tp) = walk {
            if let Some(name) = self.classes.constructor_of(tp, kind) {
                return Ok(Node { object, name });
            }
            walk = tp.base();
        }
        let position = super::grammar::RULES.iter().find(|rule| rule.name == kind).map(|rule| rule.position);
        let placed = position.is_some_and(|position| position != super::grammar::Position::None);
        if placed && object.lookup_attr(&self.vm.intern("lineno"), self.vm)?.is_none() {
            return Err(self.vm.type_error(format!("required field \"lineno\" missing from {kind}")));
        }
        let shown = object.repr(self.vm)?;
        Err(self.vm.type_error(format!("expected some sort of {kind}, but got {}", shown.to_string_lossy())))
    }

    fn attribute(&self, node: &Node<'_>, field: &str) -> PyResult<Option<ObjRef>> {
        node.object.lookup_attr(&self.vm.intern(field), self.vm)
    }

    fn optional_object(&self, node: &Node<'_>, field: &str) -> PyResult<Option<ObjRef>> {
        Ok(self.attribute(node, field)?.filter(|value| !self.vm.is_none(value)))
    }

    fn missing(&self, node: &Node<'_>, field: &str) -> Raised {
        self.vm.type_error(format!("required field \"{field}\" missing from {}", node.name))
    }

    fn required(&self, node: &Node<'_>, field: &str) -> PyResult {
        match self.attribute(node, field)? {
            None => Err(self.missing(node, field)),
            Some(value) if self.vm.is_none(&value) => {
                Err(self.vm.value_error(format!("field '{field}' is required for {}", node.name)))
            }
            Some(value) => Ok(value),
        }
    }

    fn items(&self, node: &Node<'_>, field: &str) -> PyResult<Vec<ObjRef>> {
        let Some(value) = self.attribute(node, field)? else { return Ok(Vec::new()) };
        match value.downcast_ref::<List>() {
            Some(list) => Ok(list.to_vec()),
            None => Err(self.vm.type_error(format!(
                "{} field \"{field}\" must be a list, not a {}",
                node.name,
                value.ob_type().name()
            ))),
        }
    }

    fn slice<T: Copy>(
        &self,
        node: &Node<'_>,
        field: &str,
        convert: impl Fn(&Self, &Object) -> PyResult<T>,
    ) -> PyResult<&'a [T]> {
        let items: PyResult<Vec<T>> =
            self.items(node, field)?.iter().map(|item| convert(self, item)).collect();
        Ok(self.arena.alloc_slice_copy(&items?))
    }

    fn not_empty<T>(&self, items: &[T], node: &Node<'_>, field: &str) -> PyResult<()> {
        if items.is_empty() {
            return Err(self.vm.value_error(format!("empty {field} on {}", node.name)));
        }
        Ok(())
    }

    fn int(&self, value: &Object) -> PyResult<i32> {
        match value.downcast_ref::<Int>() {
            Some(number) => match number.to_i64().and_then(|n| i32::try_from(n).ok()) {
                Some(number) => Ok(number),
                None => Err(self.vm.overflow_error("Python int too large to convert to C int")),
            },
            None => {
                let shown = value.repr(self.vm)?;
                Err(self.vm.value_error(format!("invalid integer value: {}", shown.to_string_lossy())))
            }
        }
    }

    fn required_int(&self, node: &Node<'_>, field: &str) -> PyResult<i32> {
        match self.attribute(node, field)? {
            Some(value) => self.int(&value),
            None => Err(self.missing(node, field)),
        }
    }

    /// Where a node of the rule `kind` stands.
    fn range(&self, node: &Node<'_>, kind: &'static str) -> PyResult<Range> {
        let node = &Node { object: node.object, name: kind };
        let number = |value: i32| u32::try_from(value).unwrap_or(0);
        let line = self.required_int(node, "lineno")?;
        let col = self.required_int(node, "col_offset")?;
        let end = |field: &str, default: i32| match self.optional_object(node, field)? {
            Some(value) => self.int(&value),
            None => Ok(default),
        };
        let (end_line, end_col) = (end("end_lineno", line)?, end("end_col_offset", col)?);
        if line > end_line {
            return Err(self
                .vm
                .value_error(format!("AST node line range ({line}, {end_line}) is not valid")));
        }
        if (line < 0 && end_line != line) || (col < 0 && col != end_col) {
            return Err(self.vm.value_error(format!(
                "AST node column range ({col}, {end_col}) for line range ({line}, {end_line}) is not valid"
            )));
        }
        if line == end_line && col > end_col {
            return Err(self
                .vm
                .value_error(format!("line {line}, column {col}-{end_col} is not a valid range")));
        }
        Ok(Range {
            line: number(line),
            col: number(col),
            end_line: number(end_line),
            end_col: number(end_col),
        })
    }

    fn identifier_of(&self, value: &Object) -> PyResult<&'a str> {
        let Some(text) = value.downcast_ref::<Str>() else {
            return Err(self.vm.type_error("AST identifier must be of type str"));
        };
        let text = text.to_utf8(self.vm)?;
        if matches!(text, "None" | "True" | "False") {
            return Err(self.vm.value_error(format!("identifier field can't represent '{text}' constant")));
        }
        Ok(self.arena.alloc_str(text))
    }

    fn identifier(&self, node: &Node<'_>, field: &str) -> PyResult<&'a str> {
        self.identifier_of(&*self.required(node, field)?)
    }

    fn optional_identifier(&self, node: &Node<'_>, field: &str) -> PyResult<Option<&'a str>> {
        self.optional_object(node, field)?.map(|value| self.identifier_of(&value)).transpose()
    }

    fn identifiers(&self, node: &Node<'_>, field: &str) -> PyResult<&'a [&'a str]> {
        let names = self.slice(node, field, |from, item| from.identifier_of(item))?;
        Ok(names)
    }

    fn optional_text(&self, node: &Node<'_>, field: &str) -> PyResult<Option<&'a str>> {
        let Some(value) = self.optional_object(node, field)? else { return Ok(None) };
        match value.downcast_ref::<Str>() {
            Some(text) => Ok(Some(self.arena.alloc_str(text.to_utf8(self.vm)?))),
            None => Err(self.vm.type_error("AST string must be of type str")),
        }
    }

    fn body(&self, node: &Node<'_>, field: &str) -> PyResult<Body<'a>> {
        self.slice(node, field, Self::stmt_of)
    }

    fn full_body(&self, node: &Node<'_>, field: &str) -> PyResult<Body<'a>> {
        let body = self.body(node, field)?;
        self.not_empty(body, node, field)?;
        Ok(body)
    }

    fn expr(&self, node: &Node<'_>, field: &str) -> PyResult<ExprRef<'a>> {
        self.expr_of(&*self.required(node, field)?, ExprContext::Load)
    }

    fn target(&self, node: &Node<'_>, field: &str) -> PyResult<ExprRef<'a>> {
        self.expr_of(&*self.required(node, field)?, ExprContext::Store)
    }

    fn optional(&self, node: &Node<'_>, field: &str) -> PyResult<Option<ExprRef<'a>>> {
        let value = self.optional_object(node, field)?;
        value.map(|value| self.expr_of(&value, ExprContext::Load)).transpose()
    }

    fn exprs(&self, node: &Node<'_>, field: &str) -> PyResult<ExprList<'a>> {
        self.exprs_in(node, field, ExprContext::Load)
    }

    fn exprs_in(&self, node: &Node<'_>, field: &str, context: ExprContext) -> PyResult<ExprList<'a>> {
        self.slice(node, field, |from, item| {
            if from.vm.is_none(item) {
                return Err(from.vm.value_error("None disallowed in expression list"));
            }
            from.expr_of(item, context)
        })
    }

    fn optionals(&self, node: &Node<'_>, field: &str) -> PyResult<&'a [Option<ExprRef<'a>>]> {
        self.slice(node, field, |from, item| {
            if from.vm.is_none(item) { Ok(None) } else { from.expr_of(item, ExprContext::Load).map(Some) }
        })
    }

    fn type_ignore(&self, object: &Object) -> PyResult<TypeIgnore<'a>> {
        let node = self.node(object, "type_ignore")?;
        let lineno = u32::try_from(self.required_int(&node, "lineno")?).unwrap_or(0);
        let Some(tag) = self.optional_text(&node, "tag")? else { return Err(self.missing(&node, "tag")) };
        Ok(TypeIgnore { lineno, tag })
    }

    fn function(&self, node: &Node<'_>) -> PyResult<&'a FunctionDef<'a>> {
        let def = FunctionDef {
            name: self.identifier(node, "name")?,
            args: self.arguments(node)?,
            body: self.full_body(node, "body")?,
            decorator_list: self.exprs(node, "decorator_list")?,
            returns: self.optional(node, "returns")?,
            type_comment: self.optional_text(node, "type_comment")?,
            type_params: self.slice(node, "type_params", Self::type_param)?,
        };
        Ok(self.arena.alloc(def))
    }

    fn for_loop(&self, node: &Node<'_>) -> PyResult<&'a For<'a>> {
        let def = For {
            target: self.target(node, "target")?,
            iter: self.expr(node, "iter")?,
            body: self.full_body(node, "body")?,
            orelse: self.body(node, "orelse")?,
            type_comment: self.optional_text(node, "type_comment")?,
        };
        Ok(self.arena.alloc(def))
    }

    fn with(&self, node: &Node<'_>) -> PyResult<&'a With<'a>> {
        let items = self.slice(node, "items", Self::with_item)?;
        self.not_empty(items, node, "items")?;
        let body = self.full_body(node, "body")?;
        let type_comment = self.optional_text(node, "type_comment")?;
        Ok(self.arena.alloc(With { items, body, type_comment }))
    }

    fn try_statement(&self, node: &Node<'_>) -> PyResult<&'a Try<'a>> {
        let def = Try {
            body: self.full_body(node, "body")?,
            handlers: self.slice(node, "handlers", Self::handler)?,
            orelse: self.body(node, "orelse")?,
            finalbody: self.body(node, "finalbody")?,
        };
        let name = node.name;
        if def.handlers.is_empty() && def.finalbody.is_empty() {
            return Err(self.vm.value_error(format!("{name} has neither except handlers nor finalbody")));
        }
        if def.handlers.is_empty() && !def.orelse.is_empty() {
            return Err(self.vm.value_error(format!("{name} has orelse but no except handlers")));
        }
        Ok(self.arena.alloc(def))
    }

    fn stmt_of(&self, object: &Object) -> PyResult<&'a Stmt<'a>> {
        if self.vm.is_none(object) {
            return Err(self.vm.value_error("None disallowed in statement list"));
        }
        let node = &self.node(object, "stmt")?;
        let range = self.range(node, "stmt")?;
        let kind = match node.name {
            "FunctionDef" => StmtKind::FunctionDef(self.function(node)?),
            "AsyncFunctionDef" => StmtKind::AsyncFunctionDef(self.function(node)?),
            "ClassDef" => {
                let def = ClassDef {
                    name: self.identifier(node, "name")?,
                    bases: self.exprs(node, "bases")?,
                    keywords: self.slice(node, "keywords", Self::keyword)?,
                    body: self.full_body(node, "body")?,
                    decorator_list: self.exprs(node, "decorator_list")?,
                    type_params: self.slice(node, "type_params", Self::type_param)?,
                };
                StmtKind::ClassDef(self.arena.alloc(def))
            }
            "Return" => StmtKind::Return { value: self.optional(node, "value")? },
            "Delete" => {
                let targets = self.exprs_in(node, "targets", ExprContext::Del)?;
                self.not_empty(targets, node, "targets")?;
                StmtKind::Delete { targets }
            }
            "Assign" => {
                let targets = self.exprs_in(node, "targets", ExprContext::Store)?;
                self.not_empty(targets, node, "targets")?;
                let type_comment = self.optional_text(node, "type_comment")?;
                StmtKind::Assign { targets, value: self.expr(node, "value")?, type_comment }
            }
            "TypeAlias" => {
                let name = self.target(node, "name")?;
                if !matches!(name.kind, ExprKind::Name { .. }) {
                    return Err(self.vm.type_error("TypeAlias with non-Name name"));
                }
                let type_params = self.slice(node, "type_params", Self::type_param)?;
                StmtKind::TypeAlias { name, type_params, value: self.expr(node, "value")? }
            }
            "AugAssign" => StmtKind::AugAssign {
                target: self.target(node, "target")?,
                op: self.operator(&*self.required(node, "op")?)?,
                value: self.expr(node, "value")?,
            },
            "AnnAssign" => {
                let target = self.target(node, "target")?;
                let simple = self.required_int(node, "simple")? != 0;
                if simple && !matches!(target.kind, ExprKind::Name { .. }) {
                    return Err(self.vm.type_error("AnnAssign with simple non-Name target"));
                }
                let annotation = self.expr(node, "annotation")?;
                StmtKind::AnnAssign { target, annotation, value: self.optional(node, "value")?, simple }
            }
            "For" => StmtKind::For(self.for_loop(node)?),
            "AsyncFor" => StmtKind::AsyncFor(self.for_loop(node)?),
            "While" | "If" => {
                let test = self.expr(node, "test")?;
                let body = self.full_body(node, "body")?;
                let orelse = self.body(node, "orelse")?;
                if node.name == "If" {
                    StmtKind::If { test, body, orelse }
                } else {
                    StmtKind::While { test, body, orelse }
                }
            }
            "With" => StmtKind::With(self.with(node)?),
            "AsyncWith" => StmtKind::AsyncWith(self.with(node)?),
            "Match" => {
                let cases = self.slice(node, "cases", Self::match_case)?;
                self.not_empty(cases, node, "cases")?;
                StmtKind::Match { subject: self.expr(node, "subject")?, cases }
            }
            "Raise" => {
                let (exc, cause) = (self.optional(node, "exc")?, self.optional(node, "cause")?);
                if exc.is_none() && cause.is_some() {
                    return Err(self.vm.value_error("Raise with cause but no exception"));
                }
                StmtKind::Raise { exc, cause }
            }
            "Try" => StmtKind::Try(self.try_statement(node)?),
            "TryStar" => StmtKind::TryStar(self.try_statement(node)?),
            "Assert" => StmtKind::Assert { test: self.expr(node, "test")?, msg: self.optional(node, "msg")? },
            "Import" => {
                let names = self.slice(node, "names", Self::alias)?;
                self.not_empty(names, node, "names")?;
                StmtKind::Import { names }
            }
            "ImportFrom" => {
                let level = match self.optional_object(node, "level")? {
                    Some(level) => self.int(&level)?,
                    None => 0,
                };
                if level < 0 {
                    return Err(self.vm.value_error("Negative ImportFrom level"));
                }
                let names = self.slice(node, "names", Self::alias)?;
                self.not_empty(names, node, "names")?;
                StmtKind::ImportFrom { module: self.optional_identifier(node, "module")?, names, level }
            }
            "Global" | "Nonlocal" => {
                let names = self.identifiers(node, "names")?;
                self.not_empty(names, node, "names")?;
                if node.name == "Global" { StmtKind::Global { names } } else { StmtKind::Nonlocal { names } }
            }
            "Expr" => StmtKind::Expr { value: self.expr(node, "value")? },
            "Break" => StmtKind::Break,
            "Continue" => StmtKind::Continue,
            _ => StmtKind::Pass,
        };
        Ok(self.arena.alloc(Stmt { range, kind }))
    }

    /// An expression that is used as `wanted`.
    fn expr_of(&self, object: &Object, wanted: ExprContext) -> PyResult<ExprRef<'a>> {
        let node = &self.node(object, "expr")?;
        let range = self.range(node, "expr")?;
        let context = || -> PyResult<ExprContext> {
            let found = self.context(&*self.required(node, "ctx")?)?;
            if found != wanted {
                return Err(self.vm.value_error(format!(
                    "expression must have {wanted:?} context but has {found:?} instead"
                )));
            }
            Ok(found)
        };
        let generators = || -> PyResult<&'a [Comprehension<'a>]> {
            let all = self.slice(node, "generators", Self::comprehension)?;
            if all.is_empty() {
                return Err(self.vm.value_error("comprehension with no generators"));
            }
            Ok(all)
        };
        let has_context =
            matches!(node.name, "Attribute" | "Subscript" | "Starred" | "Name" | "List" | "Tuple");
        if !has_context && wanted != ExprContext::Load {
            return Err(self.vm.value_error(format!(
                "expression which can't be {} in {wanted:?} context",
                if wanted == ExprContext::Del { "deleted" } else { "assigned to" }
            )));
        }
        let kind = match node.name {
            "BoolOp" => {
                let values = self.exprs(node, "values")?;
                if values.len() < 2 {
                    return Err(self.vm.value_error("BoolOp with less than 2 values"));
                }
                let op = self.required(node, "op")?;
                let op = if self.node(&op, "boolop")?.name == "And" { BoolOp::And } else { BoolOp::Or };
                ExprKind::BoolOp { op, values }
            }
            "NamedExpr" => {
                if self.node(&*self.required(node, "target")?, "expr")?.name != "Name" {
                    return Err(self.vm.type_error("NamedExpr target must be a Name"));
                }
                let target = self.target(node, "target")?;
                ExprKind::NamedExpr { target, value: self.expr(node, "value")? }
            }
            "BinOp" => ExprKind::BinOp {
                left: self.expr(node, "left")?,
                op: self.operator(&*self.required(node, "op")?)?,
                right: self.expr(node, "right")?,
            },
            "UnaryOp" => {
                let op = self.required(node, "op")?;
                let op = match self.node(&op, "unaryop")?.name {
                    "Invert" => UnaryOp::Invert,
                    "Not" => UnaryOp::Not,
                    "UAdd" => UnaryOp::UAdd,
                    _ => UnaryOp::USub,
                };
                ExprKind::UnaryOp { op, operand: self.expr(node, "operand")? }
            }
            "Lambda" => ExprKind::Lambda { args: self.arguments(node)?, body: self.expr(node, "body")? },
            "IfExp" => ExprKind::IfExp {
                test: self.expr(node, "test")?,
                body: self.expr(node, "body")?,
                orelse: self.expr(node, "orelse")?,
            },
            "Dict" => {
                let (keys, values) = (self.optionals(node, "keys")?, self.exprs(node, "values")?);
                if keys.len() != values.len() {
                    return Err(self.vm.value_error("Dict doesn't have the same number of keys as values"));
                }
                ExprKind::Dict { keys, values }
            }
            "Set" => ExprKind::Set { elts: self.exprs(node, "elts")? },
            "ListComp" => {
                let generators = generators()?;
                ExprKind::ListComp { elt: self.expr(node, "elt")?, generators }
            }
            "SetComp" => {
                let generators = generators()?;
                ExprKind::SetComp { elt: self.expr(node, "elt")?, generators }
            }
            "DictComp" => {
                let generators = generators()?;
                let (key, value) = (self.expr(node, "key")?, self.expr(node, "value")?);
                ExprKind::DictComp { key, value, generators }
            }
            "GeneratorExp" => {
                let generators = generators()?;
                ExprKind::GeneratorExp { elt: self.expr(node, "elt")?, generators }
            }
            "Await" => ExprKind::Await { value: self.expr(node, "value")? },
            "Yield" => ExprKind::Yield { value: self.optional(node, "value")? },
            "YieldFrom" => ExprKind::YieldFrom { value: self.expr(node, "value")? },
            "Compare" => {
                let comparators = self.exprs(node, "comparators")?;
                let ops = self.slice(node, "ops", Self::comparison)?;
                if comparators.is_empty() {
                    return Err(self.vm.value_error("Compare has no comparators"));
                }
                if comparators.len() != ops.len() {
                    return Err(self
                        .vm
                        .value_error("Compare has a different number of comparators and operands"));
                }
                ExprKind::Compare { left: self.expr(node, "left")?, ops, comparators }
            }
            "Call" => ExprKind::Call {
                func: self.expr(node, "func")?,
                args: self.exprs(node, "args")?,
                keywords: self.slice(node, "keywords", Self::keyword)?,
            },
            "FormattedValue" => ExprKind::FormattedValue {
                value: self.expr(node, "value")?,
                conversion: self.required_int(node, "conversion")?,
                format_spec: self.optional(node, "format_spec")?,
            },
            "Interpolation" => ExprKind::Interpolation {
                value: self.expr(node, "value")?,
                str: self.arena.alloc(self.constant(&*self.required(node, "str")?, false)?),
                conversion: self.required_int(node, "conversion")?,
                format_spec: self.optional(node, "format_spec")?,
            },
            "JoinedStr" => ExprKind::JoinedStr { values: self.exprs(node, "values")? },
            "TemplateStr" => ExprKind::TemplateStr { values: self.exprs(node, "values")? },
            "Constant" => {
                let Some(value) = self.attribute(node, "value")? else {
                    return Err(self.missing(node, "value"));
                };
                let kind = self.optional_text(node, "kind")?;
                ExprKind::Constant(self.constant(&value, kind == Some("u"))?)
            }
            "Attribute" => ExprKind::Attribute {
                ctx: context()?,
                value: self.expr(node, "value")?,
                attr: self.identifier(node, "attr")?,
            },
            "Subscript" => ExprKind::Subscript {
                ctx: context()?,
                value: self.expr(node, "value")?,
                slice: self.expr(node, "slice")?,
            },
            "Starred" => ExprKind::Starred {
                ctx: context()?,
                value: self.expr_of(&*self.required(node, "value")?, wanted)?,
            },
            "Name" => ExprKind::Name { ctx: context()?, id: self.identifier(node, "id")? },
            "List" => ExprKind::List { ctx: context()?, elts: self.exprs_in(node, "elts", wanted)? },
            "Tuple" => ExprKind::Tuple { ctx: context()?, elts: self.exprs_in(node, "elts", wanted)? },
            _ => ExprKind::Slice {
                lower: self.optional(node, "lower")?,
                upper: self.optional(node, "upper")?,
                step: self.optional(node, "step")?,
            },
        };
        Ok(self.arena.alloc(Expr { range, kind }))
    }

    fn constant(&self, value: &Object, u: bool) -> PyResult<Constant<'a>> {
        self.vm.check_recursion(" during compilation")?;
        let vm = self.vm;
        if vm.is_none(value) {
            return Ok(Constant::None);
        }
        if value.is(vm.true_ref()) {
            return Ok(Constant::True);
        }
        if value.is(vm.false_ref()) {
            return Ok(Constant::False);
        }
        if value.is(&vm.ellipsis()) {
            return Ok(Constant::Ellipsis);
        }
        if let Some(number) = value.downcast_exact::<Int>() {
            let number = match number.to_i64() {
                Some(small) => IntConst::Small(small),
                None => IntConst::Big {
                    negative: number.is_negative(),
                    digits: self.arena.alloc_slice_copy(number.digits()),
                },
            };
            return Ok(Constant::Int(number));
        }
        if let Some(number) = value.downcast_exact::<Float>() {
            return Ok(Constant::Float(number.value()));
        }
        if let Some(number) = value.downcast_exact::<Complex>() {
            return Ok(Constant::Complex { real: number.re, imag: number.im });
        }
        if let Some(text) = value.downcast_exact::<Str>() {
            let bytes = value.call_method(
                vm.ids().encode,
                &[vm.intern("utf-8").as_object(), vm.intern("surrogatepass").as_object()],
                vm,
            );
            let bytes = match text.to_utf8(vm) {
                Ok(plain) => self.arena.alloc_slice_copy(plain.as_bytes()),
                Err(Raised) => {
                    vm.clear_exception();
                    let bytes = bytes?;
                    let raw = bytes.downcast_ref::<Bytes>().map(Bytes::as_bytes).unwrap_or_default();
                    self.arena.alloc_slice_copy(raw)
                }
            };
            return Ok(Constant::Str { value: Wtf8::from_bytes(bytes), u });
        }
        if let Some(bytes) = value.downcast_exact::<Bytes>() {
            return Ok(Constant::Bytes(self.arena.alloc_slice_copy(bytes.as_bytes())));
        }
        let all = |items: &[ObjRef]| -> PyResult<&'a [Constant<'a>]> {
            let items: PyResult<Vec<Constant<'a>>> =
                items.iter().map(|item| self.constant(item, false)).collect();
            Ok(self.arena.alloc_slice_copy(&items?))
        };
        if let Some(tuple) = value.downcast_exact::<Tuple>() {
            return Ok(Constant::Tuple(all(tuple.as_slice())?));
        }
        if value.downcast_exact::<FrozenSet>().is_some() {
            return Ok(Constant::FrozenSet(all(&value.collect_iterable(vm)?)?));
        }
        Err(vm.type_error(format!("got an invalid type in Constant: {}", value.ob_type().name())))
    }

    fn context(&self, object: &Object) -> PyResult<ExprContext> {
        Ok(match self.node(object, "expr_context")?.name {
            "Store" => ExprContext::Store,
            "Del" => ExprContext::Del,
            _ => ExprContext::Load,
        })
    }

    fn operator(&self, object: &Object) -> PyResult<Operator> {
        Ok(match self.node(object, "operator")?.name {
            "Sub" => Operator::Sub,
            "Mult" => Operator::Mult,
            "MatMult" => Operator::MatMult,
            "Div" => Operator::Div,
            "Mod" => Operator::Mod,
            "Pow" => Operator::Pow,
            "LShift" => Operator::LShift,
            "RShift" => Operator::RShift,
            "BitOr" => Operator::BitOr,
            "BitXor" => Operator::BitXor,
            "BitAnd" => Operator::BitAnd,
            "FloorDiv" => Operator::FloorDiv,
            _ => Operator::Add,
        })
    }

    fn comparison(&self, object: &Object) -> PyResult<CmpOp> {
        Ok(match self.node(object, "cmpop")?.name {
            "NotEq" => CmpOp::NotEq,
            "Lt" => CmpOp::Lt,
            "LtE" => CmpOp::LtE,
            "Gt" => CmpOp::Gt,
            "GtE" => CmpOp::GtE,
            "Is" => CmpOp::Is,
            "IsNot" => CmpOp::IsNot,
            "In" => CmpOp::In,
            "NotIn" => CmpOp::NotIn,
            _ => CmpOp::Eq,
        })
    }

    fn comprehension(&self, object: &Object) -> PyResult<Comprehension<'a>> {
        let node = &self.node(object, "comprehension")?;
        Ok(Comprehension {
            target: self.target(node, "target")?,
            iter: self.expr(node, "iter")?,
            ifs: self.exprs(node, "ifs")?,
            is_async: self.required_int(node, "is_async")? != 0,
        })
    }

    fn handler(&self, object: &Object) -> PyResult<ExceptHandler<'a>> {
        let node = &self.node(object, "excepthandler")?;
        Ok(ExceptHandler {
            range: self.range(node, "excepthandler")?,
            type_: self.optional(node, "type")?,
            name: self.optional_identifier(node, "name")?,
            body: self.full_body(node, "body")?,
        })
    }

    fn arguments(&self, owner: &Node<'_>) -> PyResult<&'a Arguments<'a>> {
        let object = self.required(owner, "args")?;
        let node = &self.node(&object, "arguments")?;
        let one = |field: &str| -> PyResult<Option<&'a Arg<'a>>> {
            match self.optional_object(node, field)? {
                Some(arg) => Ok(Some(self.arena.alloc(self.arg(&arg)?))),
                None => Ok(None),
            }
        };
        let all = Arguments {
            posonlyargs: self.slice(node, "posonlyargs", Self::arg)?,
            args: self.slice(node, "args", Self::arg)?,
            vararg: one("vararg")?,
            kwonlyargs: self.slice(node, "kwonlyargs", Self::arg)?,
            kw_defaults: self.optionals(node, "kw_defaults")?,
            kwarg: one("kwarg")?,
            defaults: self.exprs(node, "defaults")?,
        };
        if all.defaults.len() > all.posonlyargs.len() + all.args.len() {
            return Err(self.vm.value_error("more positional defaults than args on arguments"));
        }
        if all.kw_defaults.len() != all.kwonlyargs.len() {
            return Err(self
                .vm
                .value_error("length of kwonlyargs is not the same as kw_defaults on arguments"));
        }
        Ok(self.arena.alloc(all))
    }

    fn arg(&self, object: &Object) -> PyResult<Arg<'a>> {
        let node = &self.node(object, "arg")?;
        Ok(Arg {
            range: self.range(node, "arg")?,
            arg: self.identifier(node, "arg")?,
            annotation: self.optional(node, "annotation")?,
            type_comment: self.optional_text(node, "type_comment")?,
        })
    }

    fn keyword(&self, object: &Object) -> PyResult<Keyword<'a>> {
        let node = &self.node(object, "keyword")?;
        Ok(Keyword {
            range: self.range(node, "keyword")?,
            arg: self.optional_identifier(node, "arg")?,
            value: self.expr(node, "value")?,
        })
    }

    fn alias(&self, object: &Object) -> PyResult<Alias<'a>> {
        let node = &self.node(object, "alias")?;
        Ok(Alias {
            range: self.range(node, "alias")?,
            name: self.identifier(node, "name")?,
            asname: self.optional_identifier(node, "asname")?,
        })
    }

    fn with_item(&self, object: &Object) -> PyResult<WithItem<'a>> {
        let node = &self.node(object, "withitem")?;
        let target = self.optional_object(node, "optional_vars")?;
        Ok(WithItem {
            context_expr: self.expr(node, "context_expr")?,
            optional_vars: target.map(|target| self.expr_of(&target, ExprContext::Store)).transpose()?,
        })
    }

    fn match_case(&self, object: &Object) -> PyResult<MatchCase<'a>> {
        let node = &self.node(object, "match_case")?;
        Ok(MatchCase {
            pattern: self.whole_pattern(&*self.required(node, "pattern")?)?,
            guard: self.optional(node, "guard")?,
            body: self.full_body(node, "body")?,
        })
    }

    fn whole_pattern(&self, object: &Object) -> PyResult<&'a Pattern<'a>> {
        let pattern = self.pattern(object)?;
        super::patterns::check(pattern, false).map_err(|message| self.vm.value_error(message))?;
        Ok(pattern)
    }

    fn patterns(&self, node: &Node<'_>, field: &str) -> PyResult<&'a [&'a Pattern<'a>]> {
        self.slice(node, field, Self::pattern)
    }

    fn pattern(&self, object: &Object) -> PyResult<&'a Pattern<'a>> {
        let node = &self.node(object, "pattern")?;
        let kind = match node.name {
            "MatchValue" => PatternKind::MatchValue { value: self.expr(node, "value")? },
            "MatchSingleton" => {
                let Some(value) = self.attribute(node, "value")? else {
                    return Err(self.missing(node, "value"));
                };
                PatternKind::MatchSingleton { value: self.constant(&value, false)? }
            }
            "MatchSequence" => PatternKind::MatchSequence { patterns: self.patterns(node, "patterns")? },
            "MatchMapping" => {
                let (keys, patterns) = (self.exprs(node, "keys")?, self.patterns(node, "patterns")?);
                PatternKind::MatchMapping { keys, patterns, rest: self.optional_identifier(node, "rest")? }
            }
            "MatchClass" => {
                let kwd_attrs = self.identifiers(node, "kwd_attrs")?;
                let kwd_patterns = self.patterns(node, "kwd_patterns")?;
                let (cls, patterns) = (self.expr(node, "cls")?, self.patterns(node, "patterns")?);
                PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns }
            }
            "MatchStar" => PatternKind::MatchStar { name: self.optional_identifier(node, "name")? },
            "MatchAs" => {
                let pattern = self.optional_object(node, "pattern")?;
                let pattern = pattern.map(|pattern| self.pattern(&pattern)).transpose()?;
                let name = self.optional_identifier(node, "name")?;
                PatternKind::MatchAs { pattern, name }
            }
            _ => PatternKind::MatchOr { patterns: self.patterns(node, "patterns")? },
        };
        Ok(self.arena.alloc(Pattern { range: self.range(node, "pattern")?, kind }))
    }

    fn type_param(&self, object: &Object) -> PyResult<TypeParam<'a>> {
        let node = &self.node(object, "type_param")?;
        let name = self.identifier(node, "name")?;
        let default_value = self.optional(node, "default_value")?;
        let kind = match node.name {
            "TypeVar" => TypeParamKind::TypeVar { name, bound: self.optional(node, "bound")?, default_value },
            "ParamSpec" => TypeParamKind::ParamSpec { name, default_value },
            _ => TypeParamKind::TypeVarTuple { name, default_value },
        };
        Ok(TypeParam { range: self.range(node, "type_param")?, kind })
    }
}
