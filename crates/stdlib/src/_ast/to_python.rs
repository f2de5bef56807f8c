//! Trees of the parser → Python objects.

use taipan_parser::ast::{
    Alias, Arg, Arguments, BoolOp, CmpOp, Comprehension, Constant, ExceptHandler, Expr, ExprContext,
    ExprKind, FunctionDef, IntConst, Keyword, MatchCase, Mod, Operator, Pattern, PatternKind, Range, Stmt,
    StmtKind, TypeIgnore, TypeParam, TypeParamKind, UnaryOp, WithItem,
};
use taipan_vm::builtins::complex::Complex;
use taipan_vm::builtins::dict::managed::instance_dict;
use taipan_vm::prelude::*;
use taipan_vm::runtime::compile;

use super::{Ast, Classes};

/// The object of a tree. With a level of optimisation it is the tree as it is compiled: `ast.PyCF_OPTIMIZED_AST`.
pub fn convert(tree: &Mod<'_>, optimize: Option<u8>, vm: &Vm) -> PyResult {
    let to = Converter { vm, classes: Classes::of(vm)?, optimize };
    match tree {
        Mod::Module { body, type_ignores } => {
            let ignores = to.list(type_ignores, Converter::type_ignore)?;
            to.node("Module", vec![to.documented(body)?, ignores])
        }
        Mod::Interactive { body } => to.node("Interactive", vec![to.body(body)?]),
        Mod::Expression { body } => to.node("Expression", vec![to.expr(body)?]),
        Mod::FunctionType { argtypes, returns } => {
            to.node("FunctionType", vec![to.exprs(argtypes)?, to.expr(returns)?])
        }
    }
}

/// The object of a constant.
pub fn constant(value: &Constant<'_>, vm: &Vm) -> PyResult {
    Ok(match *value {
        Constant::None => vm.none(),
        Constant::True => vm.new_bool(true),
        Constant::False => vm.new_bool(false),
        Constant::Ellipsis => vm.ellipsis(),
        Constant::Int(IntConst::Small(value)) => vm.new_int(value),
        Constant::Int(IntConst::Big { negative, digits }) => {
            Int::from_big(taipan_numeric::BigInt::new(negative, digits.iter().copied().collect()), vm)
        }
        Constant::Float(value) => vm.new_float(value),
        Constant::Complex { real, imag } => Complex::new(real, imag, vm),
        Constant::Str { value, .. } => Str::from_wtf8(value.as_bytes(), vm).into_object(),
        Constant::Bytes(bytes) => vm.new_bytes(bytes).into_object(),
        Constant::Tuple(items) => {
            let items: PyResult<Vec<ObjRef>> = items.iter().map(|item| constant(item, vm)).collect();
            vm.new_tuple(items?).into_object()
        }
        Constant::FrozenSet(items) => {
            let items: PyResult<Vec<ObjRef>> = items.iter().map(|item| constant(item, vm)).collect();
            let list = vm.new_list(items?);
            taipan_vm::builtins::set::FrozenSet::from_iterable(list.as_object(), vm)?.into_object()
        }
    })
}

struct Converter<'v> {
    vm: &'v Vm,
    classes: &'v Classes,
    optimize: Option<u8>,
}

impl Converter<'_> {
    /// The body of a module, class or function, from which `-OO` takes the docstring.
    fn documented(&self, body: &[&Stmt<'_>]) -> PyResult {
        let kept = compile::without_docstring(body, self.optimize.unwrap_or(0));
        match body.first() {
            Some(docstring) if kept.is_empty() => {
                let at = docstring.range;
                let pass = Range { end_line: at.line, end_col: at.col + 4, ..at };
                Ok(self.vm.new_list(vec![self.placed("Pass", Vec::new(), pass)?]).into_object())
            }
            _ => self.body(kept),
        }
    }

    /// An expression as it is compiled, where that is another one.
    fn optimized(&self, expr: &Expr<'_>, level: u8) -> PyResult<Option<ObjRef>> {
        let (name, values) = match expr.kind {
            ExprKind::Name { id: "__debug__", ctx: ExprContext::Load } => {
                ("Constant", vec![self.vm.new_bool(level == 0), self.vm.none()])
            }
            ExprKind::BinOp { left, op: Operator::Mod, right } => {
                let arena = compile::Arena::new();
                let Some(values) = compile::format_to_fstring(&arena, left, right) else { return Ok(None) };
                ("JoinedStr", vec![self.exprs(values)?])
            }
            _ => return Ok(None),
        };
        self.placed(name, values, expr.range).map(Some)
    }

    /// A literal in a pattern, which may be a sum or a negative number.
    fn literal(&self, expr: &Expr<'_>) -> PyResult {
        match self.optimize.and_then(|_| compile::pattern_constant(expr)) {
            Some(value) => {
                let value = taipan_vm::builtins::code::object_of(&value, self.vm)?;
                self.placed("Constant", vec![value, self.vm.none()], expr.range)
            }
            None => self.expr(expr),
        }
    }

    fn node(&self, name: &'static str, values: Vec<ObjRef>) -> PyResult {
        let class = self.classes.get(name, self.vm)?;
        let node = Ast::instance(&class.class, self.vm)?;
        let attributes = instance_dict(&node, self.vm)?;
        for (field, value) in class.fields.iter().zip(&values) {
            attributes.set_item(field.as_object(), value, self.vm)?;
        }
        Ok(node)
    }

    fn placed(&self, name: &'static str, values: Vec<ObjRef>, range: Range) -> PyResult {
        let vm = self.vm;
        let node = self.node(name, values)?;
        let attributes = instance_dict(&node, vm)?;
        let places = [
            ("lineno", range.line),
            ("col_offset", range.col),
            ("end_lineno", range.end_line),
            ("end_col_offset", range.end_col),
        ];
        for (name, value) in places {
            attributes.set_item(vm.intern(name).as_object(), &vm.new_int(value), vm)?;
        }
        Ok(node)
    }

    fn list<T>(&self, items: &[T], convert: impl Fn(&Self, &T) -> PyResult) -> PyResult {
        let items: PyResult<Vec<ObjRef>> = items.iter().map(|item| convert(self, item)).collect();
        Ok(self.vm.new_list(items?).into_object())
    }

    fn body(&self, body: &[&Stmt<'_>]) -> PyResult {
        self.list(body, |to, statement| to.stmt(statement))
    }

    fn exprs(&self, items: &[&Expr<'_>]) -> PyResult {
        self.list(items, |to, item| to.expr(item))
    }

    fn optional(&self, item: Option<&Expr<'_>>) -> PyResult {
        item.map_or_else(|| Ok(self.vm.none()), |item| self.expr(item))
    }

    fn optionals(&self, items: &[Option<&Expr<'_>>]) -> PyResult {
        self.list(items, |to, item| to.optional(*item))
    }

    fn name(&self, name: &str) -> ObjRef {
        self.vm.intern(name).into_object()
    }

    fn names(&self, names: &[&str]) -> PyResult {
        self.list(names, |to, name| Ok(to.name(name)))
    }

    fn optional_name(&self, name: Option<&str>) -> ObjRef {
        name.map_or_else(|| self.vm.none(), |name| self.name(name))
    }

    fn text(&self, text: Option<&str>) -> ObjRef {
        text.map_or_else(|| self.vm.none(), |text| self.vm.new_str(text).into_object())
    }

    fn type_ignore(&self, ignore: &TypeIgnore<'_>) -> PyResult {
        self.node("TypeIgnore", vec![self.vm.new_int(ignore.lineno), self.text(Some(ignore.tag))])
    }

    fn function(&self, name: &'static str, def: &FunctionDef<'_>, range: Range) -> PyResult {
        let values = vec![
            self.name(def.name),
            self.arguments(def.args)?,
            self.documented(def.body)?,
            self.exprs(def.decorator_list)?,
            self.optional(def.returns)?,
            self.text(def.type_comment),
            self.list(def.type_params, Self::type_param)?,
        ];
        self.placed(name, values, range)
    }

    fn stmt(&self, statement: &Stmt<'_>) -> PyResult {
        self.vm.check_recursion(" during ast construction")?;
        let (name, values) = match statement.kind {
            StmtKind::FunctionDef(def) => return self.function("FunctionDef", def, statement.range),
            StmtKind::AsyncFunctionDef(def) => {
                return self.function("AsyncFunctionDef", def, statement.range);
            }
            StmtKind::ClassDef(def) => (
                "ClassDef",
                vec![
                    self.name(def.name),
                    self.exprs(def.bases)?,
                    self.list(def.keywords, Self::keyword)?,
                    self.documented(def.body)?,
                    self.exprs(def.decorator_list)?,
                    self.list(def.type_params, Self::type_param)?,
                ],
            ),
            StmtKind::Return { value } => ("Return", vec![self.optional(value)?]),
            StmtKind::Delete { targets } => ("Delete", vec![self.exprs(targets)?]),
            StmtKind::Assign { targets, value, type_comment } => {
                ("Assign", vec![self.exprs(targets)?, self.expr(value)?, self.text(type_comment)])
            }
            StmtKind::TypeAlias { name, type_params, value } => {
                let parameters = self.list(type_params, Self::type_param)?;
                ("TypeAlias", vec![self.expr(name)?, parameters, self.expr(value)?])
            }
            StmtKind::AugAssign { target, op, value } => {
                ("AugAssign", vec![self.expr(target)?, self.operator(op)?, self.expr(value)?])
            }
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                let simple = self.vm.new_int(i32::from(simple));
                ("AnnAssign", vec![self.expr(target)?, self.expr(annotation)?, self.optional(value)?, simple])
            }
            StmtKind::For(def) | StmtKind::AsyncFor(def) => (
                if matches!(statement.kind, StmtKind::For(_)) { "For" } else { "AsyncFor" },
                vec![
                    self.expr(def.target)?,
                    self.expr(def.iter)?,
                    self.body(def.body)?,
                    self.body(def.orelse)?,
                    self.text(def.type_comment),
                ],
            ),
            StmtKind::While { test, body, orelse } => {
                ("While", vec![self.expr(test)?, self.body(body)?, self.body(orelse)?])
            }
            StmtKind::If { test, body, orelse } => {
                ("If", vec![self.expr(test)?, self.body(body)?, self.body(orelse)?])
            }
            StmtKind::With(def) | StmtKind::AsyncWith(def) => (
                if matches!(statement.kind, StmtKind::With(_)) { "With" } else { "AsyncWith" },
                vec![
                    self.list(def.items, Self::with_item)?,
                    self.body(def.body)?,
                    self.text(def.type_comment),
                ],
            ),
            StmtKind::Match { subject, cases } => {
                ("Match", vec![self.expr(subject)?, self.list(cases, Self::match_case)?])
            }
            StmtKind::Raise { exc, cause } => ("Raise", vec![self.optional(exc)?, self.optional(cause)?]),
            StmtKind::Try(def) | StmtKind::TryStar(def) => (
                if matches!(statement.kind, StmtKind::Try(_)) { "Try" } else { "TryStar" },
                vec![
                    self.body(def.body)?,
                    self.list(def.handlers, Self::handler)?,
                    self.body(def.orelse)?,
                    self.body(def.finalbody)?,
                ],
            ),
            StmtKind::Assert { test, msg } => ("Assert", vec![self.expr(test)?, self.optional(msg)?]),
            StmtKind::Import { names } => ("Import", vec![self.list(names, Self::alias)?]),
            StmtKind::ImportFrom { module, names, level } => (
                "ImportFrom",
                vec![self.optional_name(module), self.list(names, Self::alias)?, self.vm.new_int(level)],
            ),
            StmtKind::Global { names } => ("Global", vec![self.names(names)?]),
            StmtKind::Nonlocal { names } => ("Nonlocal", vec![self.names(names)?]),
            StmtKind::Expr { value } => ("Expr", vec![self.expr(value)?]),
            StmtKind::Pass => ("Pass", Vec::new()),
            StmtKind::Break => ("Break", Vec::new()),
            StmtKind::Continue => ("Continue", Vec::new()),
        };
        self.placed(name, values, statement.range)
    }

    fn expr(&self, expr: &Expr<'_>) -> PyResult {
        self.vm.check_recursion(" during ast construction")?;
        let vm = self.vm;
        if let Some(level) = self.optimize {
            if let Some(made) = self.optimized(expr, level)? {
                return Ok(made);
            }
        }
        let comprehension = |generators: &[Comprehension<'_>]| self.list(generators, Self::comprehension);
        let (name, values) = match expr.kind {
            ExprKind::BoolOp { op, values } => {
                let op = self.classes.singleton(if op == BoolOp::And { "And" } else { "Or" }, vm)?;
                ("BoolOp", vec![op, self.exprs(values)?])
            }
            ExprKind::NamedExpr { target, value } => {
                ("NamedExpr", vec![self.expr(target)?, self.expr(value)?])
            }
            ExprKind::BinOp { left, op, right } => {
                ("BinOp", vec![self.expr(left)?, self.operator(op)?, self.expr(right)?])
            }
            ExprKind::UnaryOp { op, operand } => {
                let name = match op {
                    UnaryOp::Invert => "Invert",
                    UnaryOp::Not => "Not",
                    UnaryOp::UAdd => "UAdd",
                    UnaryOp::USub => "USub",
                };
                ("UnaryOp", vec![self.classes.singleton(name, vm)?, self.expr(operand)?])
            }
            ExprKind::Lambda { args, body } => ("Lambda", vec![self.arguments(args)?, self.expr(body)?]),
            ExprKind::IfExp { test, body, orelse } => {
                ("IfExp", vec![self.expr(test)?, self.expr(body)?, self.expr(orelse)?])
            }
            ExprKind::Dict { keys, values } => ("Dict", vec![self.optionals(keys)?, self.exprs(values)?]),
            ExprKind::Set { elts } => ("Set", vec![self.exprs(elts)?]),
            ExprKind::ListComp { elt, generators } => {
                ("ListComp", vec![self.expr(elt)?, comprehension(generators)?])
            }
            ExprKind::SetComp { elt, generators } => {
                ("SetComp", vec![self.expr(elt)?, comprehension(generators)?])
            }
            ExprKind::DictComp { key, value, generators } => {
                ("DictComp", vec![self.expr(key)?, self.expr(value)?, comprehension(generators)?])
            }
            ExprKind::GeneratorExp { elt, generators } => {
                ("GeneratorExp", vec![self.expr(elt)?, comprehension(generators)?])
            }
            ExprKind::Await { value } => ("Await", vec![self.expr(value)?]),
            ExprKind::Yield { value } => ("Yield", vec![self.optional(value)?]),
            ExprKind::YieldFrom { value } => ("YieldFrom", vec![self.expr(value)?]),
            ExprKind::Compare { left, ops, comparators } => {
                let ops = self.list(ops, |to, op| to.comparison(*op))?;
                ("Compare", vec![self.expr(left)?, ops, self.exprs(comparators)?])
            }
            ExprKind::Call { func, args, keywords } => {
                let keywords = self.list(keywords, Self::keyword)?;
                ("Call", vec![self.expr(func)?, self.exprs(args)?, keywords])
            }
            ExprKind::FormattedValue { value, conversion, format_spec } => (
                "FormattedValue",
                vec![self.expr(value)?, vm.new_int(conversion), self.optional(format_spec)?],
            ),
            ExprKind::Interpolation { value, str, conversion, format_spec } => (
                "Interpolation",
                vec![
                    self.expr(value)?,
                    constant(str, vm)?,
                    vm.new_int(conversion),
                    self.optional(format_spec)?,
                ],
            ),
            ExprKind::JoinedStr { values } => ("JoinedStr", vec![self.exprs(values)?]),
            ExprKind::TemplateStr { values } => ("TemplateStr", vec![self.exprs(values)?]),
            ExprKind::Constant(value) => {
                let unicode = matches!(value, Constant::Str { u: true, .. });
                let kind = if unicode { self.name("u") } else { vm.none() };
                ("Constant", vec![constant(&value, vm)?, kind])
            }
            ExprKind::Attribute { value, attr, ctx } => {
                ("Attribute", vec![self.expr(value)?, self.name(attr), self.context(ctx)?])
            }
            ExprKind::Subscript { value, slice, ctx } => {
                ("Subscript", vec![self.expr(value)?, self.expr(slice)?, self.context(ctx)?])
            }
            ExprKind::Starred { value, ctx } => ("Starred", vec![self.expr(value)?, self.context(ctx)?]),
            ExprKind::Name { id, ctx } => ("Name", vec![self.name(id), self.context(ctx)?]),
            ExprKind::List { elts, ctx } => ("List", vec![self.exprs(elts)?, self.context(ctx)?]),
            ExprKind::Tuple { elts, ctx } => ("Tuple", vec![self.exprs(elts)?, self.context(ctx)?]),
            ExprKind::Slice { lower, upper, step } => {
                ("Slice", vec![self.optional(lower)?, self.optional(upper)?, self.optional(step)?])
            }
        };
        self.placed(name, values, expr.range)
    }

    fn context(&self, context: ExprContext) -> PyResult {
        let name = match context {
            ExprContext::Load => "Load",
            ExprContext::Store => "Store",
            ExprContext::Del => "Del",
        };
        self.classes.singleton(name, self.vm)
    }

    fn operator(&self, op: Operator) -> PyResult {
        let name = match op {
            Operator::Add => "Add",
            Operator::Sub => "Sub",
            Operator::Mult => "Mult",
            Operator::MatMult => "MatMult",
            Operator::Div => "Div",
            Operator::Mod => "Mod",
            Operator::Pow => "Pow",
            Operator::LShift => "LShift",
            Operator::RShift => "RShift",
            Operator::BitOr => "BitOr",
            Operator::BitXor => "BitXor",
            Operator::BitAnd => "BitAnd",
            Operator::FloorDiv => "FloorDiv",
        };
        self.classes.singleton(name, self.vm)
    }

    fn comparison(&self, op: CmpOp) -> PyResult {
        let name = match op {
            CmpOp::Eq => "Eq",
            CmpOp::NotEq => "NotEq",
            CmpOp::Lt => "Lt",
            CmpOp::LtE => "LtE",
            CmpOp::Gt => "Gt",
            CmpOp::GtE => "GtE",
            CmpOp::Is => "Is",
            CmpOp::IsNot => "IsNot",
            CmpOp::In => "In",
            CmpOp::NotIn => "NotIn",
        };
        self.classes.singleton(name, self.vm)
    }

    fn comprehension(&self, part: &Comprehension<'_>) -> PyResult {
        let values = vec![
            self.expr(part.target)?,
            self.expr(part.iter)?,
            self.exprs(part.ifs)?,
            self.vm.new_int(i32::from(part.is_async)),
        ];
        self.node("comprehension", values)
    }

    fn handler(&self, handler: &ExceptHandler<'_>) -> PyResult {
        let values =
            vec![self.optional(handler.type_)?, self.optional_name(handler.name), self.body(handler.body)?];
        self.placed("ExceptHandler", values, handler.range)
    }

    fn arguments(&self, all: &Arguments<'_>) -> PyResult {
        let one = |arg: Option<&Arg<'_>>| arg.map_or_else(|| Ok(self.vm.none()), |arg| self.arg(arg));
        let values = vec![
            self.list(all.posonlyargs, Self::arg)?,
            self.list(all.args, Self::arg)?,
            one(all.vararg)?,
            self.list(all.kwonlyargs, Self::arg)?,
            self.optionals(all.kw_defaults)?,
            one(all.kwarg)?,
            self.exprs(all.defaults)?,
        ];
        self.node("arguments", values)
    }

    fn arg(&self, arg: &Arg<'_>) -> PyResult {
        let values = vec![self.name(arg.arg), self.optional(arg.annotation)?, self.text(arg.type_comment)];
        self.placed("arg", values, arg.range)
    }

    fn keyword(&self, keyword: &Keyword<'_>) -> PyResult {
        let values = vec![self.optional_name(keyword.arg), self.expr(keyword.value)?];
        self.placed("keyword", values, keyword.range)
    }

    fn alias(&self, alias: &Alias<'_>) -> PyResult {
        let values = vec![self.name(alias.name), self.optional_name(alias.asname)];
        self.placed("alias", values, alias.range)
    }

    fn with_item(&self, item: &WithItem<'_>) -> PyResult {
        self.node("withitem", vec![self.expr(item.context_expr)?, self.optional(item.optional_vars)?])
    }

    fn match_case(&self, case: &MatchCase<'_>) -> PyResult {
        let values = vec![self.pattern(case.pattern)?, self.optional(case.guard)?, self.body(case.body)?];
        self.node("match_case", values)
    }

    fn patterns(&self, patterns: &[&Pattern<'_>]) -> PyResult {
        self.list(patterns, |to, pattern| to.pattern(pattern))
    }

    fn pattern(&self, pattern: &Pattern<'_>) -> PyResult {
        self.vm.check_recursion(" during ast construction")?;
        let (name, values) = match pattern.kind {
            PatternKind::MatchValue { value } => ("MatchValue", vec![self.literal(value)?]),
            PatternKind::MatchSingleton { value } => ("MatchSingleton", vec![constant(&value, self.vm)?]),
            PatternKind::MatchSequence { patterns } => ("MatchSequence", vec![self.patterns(patterns)?]),
            PatternKind::MatchMapping { keys, patterns, rest } => {
                let keys = self.list(keys, |to, key| to.literal(key))?;
                ("MatchMapping", vec![keys, self.patterns(patterns)?, self.optional_name(rest)])
            }
            PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } => (
                "MatchClass",
                vec![
                    self.expr(cls)?,
                    self.patterns(patterns)?,
                    self.names(kwd_attrs)?,
                    self.patterns(kwd_patterns)?,
                ],
            ),
            PatternKind::MatchStar { name } => ("MatchStar", vec![self.optional_name(name)]),
            PatternKind::MatchAs { pattern, name } => {
                let inner = pattern.map_or_else(|| Ok(self.vm.none()), |inner| self.pattern(inner))?;
                ("MatchAs", vec![inner, self.optional_name(name)])
            }
            PatternKind::MatchOr { patterns } => ("MatchOr", vec![self.patterns(patterns)?]),
        };
        self.placed(name, values, pattern.range)
    }

    fn type_param(&self, parameter: &TypeParam<'_>) -> PyResult {
        let (name, values) = match parameter.kind {
            TypeParamKind::TypeVar { name, bound, default_value } => {
                ("TypeVar", vec![self.name(name), self.optional(bound)?, self.optional(default_value)?])
            }
            TypeParamKind::ParamSpec { name, default_value } => {
                ("ParamSpec", vec![self.name(name), self.optional(default_value)?])
            }
            TypeParamKind::TypeVarTuple { name, default_value } => {
                ("TypeVarTuple", vec![self.name(name), self.optional(default_value)?])
            }
        };
        self.placed(name, values, parameter.range)
    }
}
