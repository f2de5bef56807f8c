//! First pass: what each block defines and uses, and the errors that show already here.

use taipan_bytecode::hash::{FastMap, FastSet};
use taipan_parser::ast::{
    Alias, Arena, Arg, Arguments, Comprehension as Clause, ExceptHandler, Expr, ExprContext, ExprKind,
    FunctionDef, Mod, Pattern, PatternKind, Range, Stmt, StmtKind, TypeParam, TypeParamKind,
};

use super::{Block, BlockId, BlockType, Comprehension, Key, KeyKind, SymbolTable, Symbols, def, key, mangle};
use crate::{CompileOptions, SyntaxError, constants, future, stack_is_low};

type Visit = Result<(), SyntaxError>;

struct Visitor<'a> {
    arena: &'a Arena,
    table: SymbolTable<'a>,
    current: BlockId,
    stack: Vec<BlockId>,
    private: Option<&'a str>,
    future_annotations: bool,
    /// Line and column where the future statements at the head end.
    last_future: (u32, u32),
    top_level_await: bool,
    optimize: u8,
    /// Whether `__debug__` is a name; in code it is a constant.
    keeps_debug: bool,
    stack_limit: usize,
}

pub(super) fn collect<'a>(
    arena: &'a Arena,
    module: &'a Mod<'a>,
    future_annotations: bool,
    keeps_debug: bool,
    options: &CompileOptions<'_>,
) -> Result<SymbolTable<'a>, SyntaxError> {
    let mut visitor = Visitor {
        arena,
        table: SymbolTable { blocks: Vec::new(), by_key: FastMap::default() },
        current: 0,
        stack: Vec::new(),
        private: None,
        future_annotations,
        last_future: future::last_place(module),
        top_level_await: options.top_level_await,
        optimize: options.optimize,
        keeps_debug,
        stack_limit: options.stack_limit,
    };
    let block = visitor.new_block("top", BlockType::Module, Range::default());
    visitor.current = block;
    visitor.stack.push(block);
    match *module {
        Mod::Module { body, .. } => visitor.body(constants::without_docstring(body, options.optimize))?,
        Mod::Interactive { body } => visitor.body(body)?,
        Mod::Expression { body } => visitor.expr(body)?,
        Mod::FunctionType { argtypes, returns } => {
            visitor.exprs(argtypes)?;
            visitor.expr(returns)?;
        }
    }
    Ok(visitor.table)
}

fn fail(message: impl Into<String>, range: Range) -> Visit {
    Err(SyntaxError::new(message.into(), range))
}

impl<'a> Visitor<'a> {
    fn cur(&mut self) -> &mut Block<'a> {
        &mut self.table.blocks[self.current]
    }

    fn new_block(&mut self, name: &'a str, kind: BlockType, range: Range) -> BlockId {
        let (mut nested, mut method) = (false, false);
        if let Some(outer) = self.stack.last().map(|id| &self.table.blocks[*id]) {
            nested = outer.nested || outer.is_function_like();
            method = outer.kind == BlockType::Class && kind == BlockType::Function;
        }
        self.table.blocks.push(Block {
            name,
            kind,
            symbols: Symbols::default(),
            varnames: Vec::new(),
            children: Vec::new(),
            origins: Default::default(),
            range,
            nested,
            generator: false,
            coroutine: false,
            annotations_used: false,
            comprehension: Comprehension::None,
            inlined: false,
            varargs: false,
            varkeywords: false,
            returns_value: false,
            needs_class_closure: false,
            needs_classdict: false,
            can_see_class_scope: false,
            method,
            has_conditional_annotations: false,
            annotation_block: None,
            in_conditional_block: false,
            in_unevaluated_annotation: false,
            comp_iter_target: false,
            comp_iter_expr: 0,
            scope_info: "",
            directives: Vec::new(),
            mangled_names: None,
        });
        self.table.blocks.len() - 1
    }

    fn enter_existing(&mut self, id: BlockId, add_to_children: bool) {
        let outer = self.current;
        let comp_iter_expr = self.table.blocks[outer].comp_iter_expr;
        let mangled = self.table.blocks[outer].mangled_names.clone();
        let block = &mut self.table.blocks[id];
        block.comp_iter_expr = comp_iter_expr;
        if block.kind != BlockType::Class {
            block.mangled_names = mangled;
        }
        let detached = block.kind == BlockType::Annotation && self.future_annotations;
        if add_to_children && !detached {
            self.table.blocks[outer].children.push(id);
        }
        self.stack.push(id);
        self.current = id;
    }

    fn enter(
        &mut self,
        name: &'a str,
        kind: BlockType,
        key: Key,
        range: Range,
    ) -> Result<BlockId, SyntaxError> {
        let id = self.new_block(name, kind, range);
        self.table.by_key.insert(key, id);
        self.enter_existing(id, true);
        if matches!(kind, BlockType::Annotation | BlockType::TypeVariable | BlockType::TypeAlias) {
            self.add(".format", def::PARAM, range)?;
            self.add(".format", def::USE, range)?;
        }
        Ok(id)
    }

    fn leave(&mut self) {
        self.stack.pop();
        self.current = self.stack.last().copied().unwrap_or(0);
    }

    fn lookup(&self, name: &'a str) -> u32 {
        let block = &self.table.blocks[self.current];
        block.symbols.get(block.mangle(self.arena, self.private, name))
    }

    fn add(&mut self, name: &'a str, flag: u32, range: Range) -> Visit {
        if flag & def::TYPE_PARAM != 0
            && let Some(names) = &mut self.cur().mangled_names
        {
            names.insert(name);
        }
        self.add_to(self.current, name, flag, range)
    }

    fn add_to(&mut self, id: BlockId, name: &'a str, flag: u32, range: Range) -> Visit {
        let name = self.table.blocks[self.current].mangle(self.arena, self.private, name);
        let block = &mut self.table.blocks[id];
        let mut value = block.symbols.get(name);
        if flag & def::PARAM != 0 && value & def::PARAM != 0 {
            return fail(format!("duplicate argument '{name}' in function definition"), range);
        }
        if flag & def::TYPE_PARAM != 0 && value & def::TYPE_PARAM != 0 {
            return fail(format!("duplicate type parameter '{name}'"), range);
        }
        value |= flag;
        if block.comp_iter_target {
            if value & (def::GLOBAL | def::NONLOCAL) != 0 {
                let message =
                    format!("comprehension inner loop cannot rebind assignment expression target '{name}'");
                return fail(message, range);
            }
            value |= def::COMP_ITER;
        }
        block.symbols.set(name, value);
        if flag & def::PARAM != 0 {
            block.varnames.push(name);
        } else if flag & def::GLOBAL != 0 {
            let symbols = &mut self.table.blocks[0].symbols;
            let value = symbols.get(name) | flag;
            symbols.set(name, value);
        }
        Ok(())
    }

    fn check_name(&self, name: &str, context: ExprContext, range: Range) -> Visit {
        if name != "__debug__" {
            return Ok(());
        }
        match context {
            ExprContext::Store => fail("cannot assign to __debug__", range),
            ExprContext::Del => fail("cannot delete __debug__", range),
            ExprContext::Load => Ok(()),
        }
    }

    fn define(&mut self, name: &'a str, flag: u32, range: Range) -> Visit {
        self.check_name(name, ExprContext::Store, range)?;
        self.add(name, flag, range)
    }

    fn body(&mut self, body: &'a [&'a Stmt<'a>]) -> Visit {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    fn exprs(&mut self, list: &'a [&'a Expr<'a>]) -> Visit {
        list.iter().try_for_each(|expr| self.expr(expr))
    }

    fn optional(&mut self, expr: Option<&'a Expr<'a>>) -> Visit {
        expr.map_or(Ok(()), |expr| self.expr(expr))
    }

    fn conditional(&mut self, visit: impl FnOnce(&mut Self) -> Visit) -> Visit {
        let id = self.current;
        let before = std::mem::replace(&mut self.cur().in_conditional_block, true);
        visit(self)?;
        self.table.blocks[id].in_conditional_block = before;
        Ok(())
    }

    fn stmt(&mut self, stmt: &'a Stmt<'a>) -> Visit {
        if stack_is_low(self.stack_limit) {
            return Err(SyntaxError::recursion("during compilation"));
        }
        self.stmt_kind(stmt)?;
        Ok(())
    }

    fn stmt_kind(&mut self, stmt: &'a Stmt<'a>) -> Visit {
        let range = stmt.range;
        // Where `await` may stand at the top, these make a coroutine of the module too.
        let asynchronous = match stmt.kind {
            StmtKind::AsyncFor(_) => Some("for"),
            StmtKind::AsyncWith(_) => Some("with"),
            _ => None,
        };
        if let Some(what) = asynchronous {
            if self.top_level_await && self.cur().kind == BlockType::Module {
                self.cur().coroutine = true;
            }
            if !self.cur().coroutine {
                return fail(format!("'async {what}' outside async function"), range);
            }
        }
        match stmt.kind {
            StmtKind::FunctionDef(function) => self.function(stmt, function, false),
            StmtKind::AsyncFunctionDef(function) => self.function(stmt, function, true),
            StmtKind::ClassDef(class) => {
                self.define(class.name, def::LOCAL, range)?;
                self.exprs(class.decorator_list)?;
                let outer = self.private;
                if !class.type_params.is_empty() {
                    let key = key(class, KeyKind::TypeParams);
                    self.enter_type_params(class.name, key, false, false, true, range)?;
                    self.private = Some(class.name);
                    self.cur().mangled_names = Some(FastSet::default());
                    self.type_params(class.type_params)?;
                }
                self.exprs(class.bases)?;
                self.keywords(class.keywords)?;
                self.enter(class.name, BlockType::Class, key(class, KeyKind::Body), range)?;
                self.private = Some(class.name);
                if !class.type_params.is_empty() {
                    self.add("__type_params__", def::LOCAL, range)?;
                    self.add(".type_params", def::USE, range)?;
                }
                self.body(constants::without_docstring(class.body, self.optimize))?;
                self.leave();
                if !class.type_params.is_empty() {
                    self.leave();
                }
                self.private = outer;
                Ok(())
            }
            StmtKind::Return { value } => {
                if let Some(value) = value {
                    self.expr(value)?;
                    self.cur().returns_value = true;
                }
                Ok(())
            }
            StmtKind::Delete { targets } => self.exprs(targets),
            StmtKind::Assign { targets, value, .. } => {
                self.exprs(targets)?;
                self.expr(value)
            }
            StmtKind::TypeAlias { name, type_params, value } => {
                self.expr(name)?;
                let ExprKind::Name { id, .. } = name.kind else { return Ok(()) };
                let in_class = self.cur().kind == BlockType::Class;
                if !type_params.is_empty() {
                    self.enter_type_params(id, key(stmt, KeyKind::TypeParams), false, false, false, range)?;
                    self.type_params(type_params)?;
                }
                self.enter(id, BlockType::TypeAlias, key(stmt, KeyKind::Body), range)?;
                if in_class {
                    self.cur().can_see_class_scope = true;
                    self.add("__classdict__", def::USE, value.range)?;
                }
                self.expr(value)?;
                self.leave();
                if !type_params.is_empty() {
                    self.leave();
                }
                Ok(())
            }
            StmtKind::AugAssign { target, value, .. } => {
                self.expr(target)?;
                self.expr(value)
            }
            StmtKind::AnnAssign { target, annotation, value, simple } => {
                self.cur().annotations_used = true;
                if let ExprKind::Name { id, .. } = target.kind {
                    let flags = self.lookup(id);
                    if flags & (def::GLOBAL | def::NONLOCAL) != 0 && self.current != 0 && simple {
                        let what = if flags & def::GLOBAL != 0 { "global" } else { "nonlocal" };
                        return fail(format!("annotated name '{id}' can't be {what}"), range);
                    }
                    if simple {
                        self.define(id, def::ANNOT | def::LOCAL, target.range)?;
                    } else if value.is_some() {
                        self.define(id, def::LOCAL, target.range)?;
                    }
                } else {
                    self.expr(target)?;
                }
                self.variable_annotation(annotation)?;
                self.optional(value)
            }
            StmtKind::For(node) | StmtKind::AsyncFor(node) => {
                self.expr(node.target)?;
                self.expr(node.iter)?;
                self.conditional(|v| {
                    v.body(node.body)?;
                    v.body(node.orelse)
                })
            }
            StmtKind::While { test, body, orelse } | StmtKind::If { test, body, orelse } => {
                self.expr(test)?;
                self.conditional(|v| {
                    v.body(body)?;
                    v.body(orelse)
                })
            }
            StmtKind::With(node) | StmtKind::AsyncWith(node) => self.conditional(|v| {
                for item in node.items {
                    v.expr(item.context_expr)?;
                    v.optional(item.optional_vars)?;
                }
                v.body(node.body)
            }),
            StmtKind::Match { subject, cases } => {
                self.expr(subject)?;
                self.conditional(|v| {
                    cases.iter().try_for_each(|case| {
                        v.pattern(case.pattern)?;
                        v.optional(case.guard)?;
                        v.body(case.body)
                    })
                })
            }
            StmtKind::Raise { exc, cause } => {
                self.optional(exc)?;
                self.optional(cause)
            }
            StmtKind::Try(node) | StmtKind::TryStar(node) => self.conditional(|v| {
                v.body(node.body)?;
                node.handlers.iter().try_for_each(|handler| v.handler(handler))?;
                v.body(node.orelse)?;
                v.body(node.finalbody)
            }),
            StmtKind::Assert { test, msg } => {
                self.expr(test)?;
                self.optional(msg)
            }
            StmtKind::ImportFrom { module: Some("__future__"), level: 0, .. }
                if (range.line, range.col) > self.last_future =>
            {
                fail("from __future__ imports must occur at the beginning of the file", range)
            }
            StmtKind::Import { names } | StmtKind::ImportFrom { names, .. } => {
                names.iter().try_for_each(|alias| self.alias(alias))
            }
            StmtKind::Global { names } => self.directive(names, def::GLOBAL, "global", range),
            StmtKind::Nonlocal { names } => self.directive(names, def::NONLOCAL, "nonlocal", range),
            StmtKind::Expr { value } => self.expr(value),
            StmtKind::Pass | StmtKind::Break | StmtKind::Continue => Ok(()),
        }
    }

    fn function(&mut self, stmt: &'a Stmt<'a>, node: &'a FunctionDef<'a>, is_async: bool) -> Visit {
        let range = stmt.range;
        self.define(node.name, def::LOCAL, range)?;
        self.exprs(node.args.defaults)?;
        node.args.kw_defaults.iter().flatten().try_for_each(|default| self.expr(default))?;
        self.exprs(node.decorator_list)?;
        if !node.type_params.is_empty() {
            let has_kwdefaults = node.args.kw_defaults.iter().any(Option::is_some);
            let key = key(node, KeyKind::TypeParams);
            self.enter_type_params(node.name, key, true, has_kwdefaults, false, range)?;
            self.type_params(node.type_params)?;
        }
        let block = self.new_block(node.name, BlockType::Function, range);
        self.table.by_key.insert(key(node, KeyKind::Body), block);
        self.signature_annotations(node, range)?;
        self.enter_existing(block, true);
        self.parameters(node.args)?;
        if is_async {
            self.cur().coroutine = true;
        }
        self.body(constants::without_docstring(node.body, self.optimize))?;
        self.leave();
        if !node.type_params.is_empty() {
            self.leave();
        }
        Ok(())
    }

    fn enter_type_params(
        &mut self,
        name: &'a str,
        key: Key,
        has_defaults: bool,
        has_kwdefaults: bool,
        is_class: bool,
        range: Range,
    ) -> Visit {
        let in_class = self.cur().kind == BlockType::Class;
        self.enter(name, BlockType::TypeParameters, key, range)?;
        if in_class {
            self.cur().can_see_class_scope = true;
            self.add("__classdict__", def::USE, range)?;
        }
        if is_class {
            for name in [".type_params", ".generic_base"] {
                self.add(name, def::LOCAL, range)?;
                self.add(name, def::USE, range)?;
            }
        }
        if has_defaults {
            self.add(".defaults", def::PARAM, range)?;
        }
        if has_kwdefaults {
            self.add(".kwdefaults", def::PARAM, range)?;
        }
        Ok(())
    }

    fn type_params(&mut self, params: &'a [TypeParam<'a>]) -> Visit {
        for param in params {
            let (name, bound, default, default_info) = match param.kind {
                TypeParamKind::TypeVar { name, bound, default_value } => {
                    (name, bound, default_value, "a TypeVar default")
                }
                TypeParamKind::ParamSpec { name, default_value } => {
                    (name, None, default_value, "a ParamSpec default")
                }
                TypeParamKind::TypeVarTuple { name, default_value } => {
                    (name, None, default_value, "a TypeVarTuple default")
                }
            };
            self.define(name, def::TYPE_PARAM | def::LOCAL, param.range)?;
            let bound_info = match bound.map(|b| b.kind) {
                Some(ExprKind::Tuple { .. }) => "a TypeVar constraint",
                _ => "a TypeVar bound",
            };
            self.type_param_part(bound, name, key(param, KeyKind::Bound), bound_info, param.range)?;
            self.type_param_part(default, name, key(param, KeyKind::Default), default_info, param.range)?;
        }
        Ok(())
    }

    fn type_param_part(
        &mut self,
        expr: Option<&'a Expr<'a>>,
        name: &'a str,
        key: Key,
        info: &'static str,
        range: Range,
    ) -> Visit {
        if name == "__classdict__" {
            return fail(format!("reserved name '{name}' cannot be used for type parameter"), range);
        }
        let Some(expr) = expr else { return Ok(()) };
        let in_class = self.cur().can_see_class_scope;
        self.enter(name, BlockType::TypeVariable, key, expr.range)?;
        self.cur().can_see_class_scope = in_class;
        if in_class {
            self.add("__classdict__", def::USE, expr.range)?;
        }
        self.cur().scope_info = info;
        self.expr(expr)?;
        self.leave();
        Ok(())
    }

    fn parameters(&mut self, args: &'a Arguments<'a>) -> Visit {
        let mut parameter = |arg: &Arg<'a>| self.define(arg.arg, def::PARAM, arg.range);
        for arg in args.posonlyargs.iter().chain(args.args).chain(args.kwonlyargs) {
            parameter(arg)?;
        }
        if let Some(arg) = args.vararg {
            parameter(arg)?;
        }
        if let Some(arg) = args.kwarg {
            parameter(arg)?;
        }
        self.cur().varargs = args.vararg.is_some();
        self.cur().varkeywords = args.kwarg.is_some();
        Ok(())
    }

    fn signature_annotations(&mut self, node: &'a FunctionDef<'a>, range: Range) -> Visit {
        let sees_class = self.cur().can_see_class_scope || self.cur().kind == BlockType::Class;
        let args = node.args;
        self.enter("__annotate__", BlockType::Annotation, key(args, KeyKind::Annotations), range)?;
        if sees_class {
            self.cur().can_see_class_scope = true;
            self.add("__classdict__", def::USE, range)?;
        }
        let positional = args.posonlyargs.iter().chain(args.args);
        let rest = args.vararg.into_iter().chain(args.kwarg).chain(args.kwonlyargs);
        for annotation in positional.chain(rest).filter_map(|arg| arg.annotation).chain(node.returns) {
            self.cur().annotations_used = true;
            self.expr(annotation)?;
        }
        self.leave();
        Ok(())
    }

    fn variable_annotation(&mut self, annotation: &'a Expr<'a>) -> Visit {
        let outer = self.current;
        let kind = self.cur().kind;
        let conditional =
            kind == BlockType::Module || kind == BlockType::Class && self.cur().in_conditional_block;
        if conditional && !self.cur().has_conditional_annotations {
            self.cur().has_conditional_annotations = true;
            self.add("__conditional_annotations__", def::USE, annotation.range)?;
        }
        match self.cur().annotation_block {
            Some(block) => self.enter_existing(block, false),
            None => {
                let key = (outer, KeyKind::Annotations);
                let block = self.enter("__annotate__", BlockType::Annotation, key, annotation.range)?;
                self.table.blocks[outer].annotation_block = Some(block);
                if kind == BlockType::Class && !self.future_annotations {
                    self.cur().can_see_class_scope = true;
                    self.add("__classdict__", def::USE, annotation.range)?;
                }
            }
        }
        let block = self.current;
        let unevaluated = kind == BlockType::Function;
        self.table.blocks[block].in_unevaluated_annotation |= unevaluated;
        self.expr(annotation)?;
        if unevaluated {
            self.table.blocks[block].in_unevaluated_annotation = false;
        }
        self.leave();
        Ok(())
    }

    fn directive(&mut self, names: &'a [&'a str], flag: u32, word: &str, range: Range) -> Visit {
        for &name in names {
            let flags = self.lookup(name);
            if flags & (def::PARAM | def::LOCAL | def::USE | def::ANNOT) != 0 {
                let message = if flags & def::PARAM != 0 {
                    format!("name '{name}' is parameter and {word}")
                } else if flags & def::USE != 0 {
                    format!("name '{name}' is used prior to {word} declaration")
                } else if flags & def::ANNOT != 0 {
                    format!("annotated name '{name}' can't be {word}")
                } else {
                    format!("name '{name}' is assigned to before {word} declaration")
                };
                return fail(message, range);
            }
            self.define(name, flag, range)?;
            let name = mangle(self.arena, self.private, name);
            self.cur().directives.push((name, range));
        }
        Ok(())
    }

    fn handler(&mut self, handler: &'a ExceptHandler<'a>) -> Visit {
        self.optional(handler.type_)?;
        if let Some(name) = handler.name {
            self.define(name, def::LOCAL, handler.range)?;
        }
        self.body(handler.body)
    }

    fn alias(&mut self, alias: &'a Alias<'a>) -> Visit {
        let name = alias.asname.unwrap_or(alias.name);
        if name == "*" {
            if self.cur().kind != BlockType::Module {
                return fail("import * only allowed at module level", alias.range);
            }
            return Ok(());
        }
        let name = if alias.asname.is_some() { name } else { name.split('.').next().unwrap_or(name) };
        self.define(name, def::IMPORT, alias.range)
    }

    fn keywords(&mut self, keywords: &'a [taipan_parser::ast::Keyword<'a>]) -> Visit {
        keywords.iter().try_for_each(|keyword| {
            if let Some(name) = keyword.arg {
                self.check_name(name, ExprContext::Store, keyword.range)?;
            }
            self.expr(keyword.value)
        })
    }

    fn pattern(&mut self, pattern: &'a Pattern<'a>) -> Visit {
        let range = pattern.range;
        if stack_is_low(self.stack_limit) {
            return Err(SyntaxError::recursion("during compilation"));
        }
        match pattern.kind {
            PatternKind::MatchValue { value } => self.expr(value)?,
            PatternKind::MatchSingleton { .. } => {}
            PatternKind::MatchSequence { patterns } | PatternKind::MatchOr { patterns } => {
                patterns.iter().try_for_each(|p| self.pattern(p))?;
            }
            PatternKind::MatchMapping { keys, patterns, rest } => {
                self.exprs(keys)?;
                patterns.iter().try_for_each(|p| self.pattern(p))?;
                if let Some(name) = rest {
                    self.define(name, def::LOCAL, range)?;
                }
            }
            PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } => {
                self.expr(cls)?;
                patterns.iter().try_for_each(|p| self.pattern(p))?;
                for (name, value) in kwd_attrs.iter().zip(kwd_patterns.iter()) {
                    self.check_name(name, ExprContext::Store, value.range)?;
                }
                kwd_patterns.iter().try_for_each(|p| self.pattern(p))?;
            }
            PatternKind::MatchStar { name } => {
                if let Some(name) = name {
                    self.define(name, def::LOCAL, range)?;
                }
            }
            PatternKind::MatchAs { pattern, name } => {
                if let Some(pattern) = pattern {
                    self.pattern(pattern)?;
                }
                if let Some(name) = name {
                    self.define(name, def::LOCAL, range)?;
                }
            }
        }
        Ok(())
    }

    fn refuse_in_annotation(&self, what: &str, range: Range) -> Visit {
        let block = &self.table.blocks[self.current];
        match block.kind {
            BlockType::Annotation => fail(format!("{what} cannot be used within an annotation"), range),
            BlockType::TypeVariable => {
                fail(format!("{what} cannot be used within {}", block.scope_info), range)
            }
            BlockType::TypeAlias => fail(format!("{what} cannot be used within a type alias"), range),
            BlockType::TypeParameters => {
                fail(format!("{what} cannot be used within the definition of a generic"), range)
            }
            _ => Ok(()),
        }
    }

    fn yield_in_comprehension(&self, range: Range) -> Visit {
        let what = match self.table.blocks[self.current].comprehension {
            Comprehension::None => return Ok(()),
            Comprehension::List => "list comprehension",
            Comprehension::Set => "set comprehension",
            Comprehension::Dict => "dict comprehension",
            Comprehension::Generator => "generator expression",
        };
        fail(format!("'yield' inside {what}"), range)
    }

    fn expr(&mut self, expr: &'a Expr<'a>) -> Visit {
        if stack_is_low(self.stack_limit) {
            return Err(SyntaxError::recursion("during compilation"));
        }
        self.expr_kind(expr)?;
        Ok(())
    }

    fn expr_kind(&mut self, expr: &'a Expr<'a>) -> Visit {
        let range = expr.range;
        match expr.kind {
            ExprKind::NamedExpr { target, value } => {
                self.refuse_in_annotation("named expression", range)?;
                if self.cur().comp_iter_expr > 0 {
                    let message =
                        "assignment expression cannot be used in a comprehension iterable expression";
                    return fail(message, range);
                }
                if self.cur().comprehension != Comprehension::None {
                    self.extend_named_expr(target)?;
                }
                self.expr(value)?;
                self.expr(target)
            }
            ExprKind::BoolOp { values, .. } => self.exprs(values),
            ExprKind::BinOp { left, right, .. } => {
                self.expr(left)?;
                self.expr(right)
            }
            ExprKind::UnaryOp { operand, .. } => self.expr(operand),
            ExprKind::Lambda { args, body } => {
                self.exprs(args.defaults)?;
                args.kw_defaults.iter().flatten().try_for_each(|default| self.expr(default))?;
                self.enter("lambda", BlockType::Function, key(expr, KeyKind::Body), range)?;
                self.parameters(args)?;
                self.expr(body)?;
                self.leave();
                Ok(())
            }
            ExprKind::IfExp { test, body, orelse } => {
                self.expr(test)?;
                self.expr(body)?;
                self.expr(orelse)
            }
            ExprKind::Dict { keys, values } => {
                keys.iter().flatten().try_for_each(|key| self.expr(key))?;
                self.exprs(values)
            }
            ExprKind::Set { elts } | ExprKind::List { elts, .. } | ExprKind::Tuple { elts, .. } => {
                self.exprs(elts)
            }
            ExprKind::ListComp { elt, generators } => {
                self.comprehension(expr, "listcomp", Comprehension::List, generators, elt, None)
            }
            ExprKind::SetComp { elt, generators } => {
                self.comprehension(expr, "setcomp", Comprehension::Set, generators, elt, None)
            }
            ExprKind::DictComp { key, value, generators } => {
                self.comprehension(expr, "dictcomp", Comprehension::Dict, generators, key, Some(value))
            }
            ExprKind::GeneratorExp { elt, generators } => {
                self.comprehension(expr, "genexpr", Comprehension::Generator, generators, elt, None)
            }
            ExprKind::Yield { value } => {
                self.refuse_in_annotation("yield expression", range)?;
                self.optional(value)?;
                self.cur().generator = true;
                self.yield_in_comprehension(range)
            }
            ExprKind::YieldFrom { value } => {
                self.refuse_in_annotation("yield expression", range)?;
                self.expr(value)?;
                self.cur().generator = true;
                self.yield_in_comprehension(range)
            }
            ExprKind::Await { value } => {
                self.refuse_in_annotation("await expression", range)?;
                let at_top = self.top_level_await && self.cur().kind == BlockType::Module;
                if !at_top {
                    let block = self.cur();
                    if !block.is_function_like() {
                        return fail("'await' outside function", range);
                    }
                    if !block.coroutine && block.comprehension == Comprehension::None {
                        return fail("'await' outside async function", range);
                    }
                }
                self.expr(value)?;
                self.cur().coroutine = true;
                Ok(())
            }
            ExprKind::Compare { left, comparators, .. } => {
                self.expr(left)?;
                self.exprs(comparators)
            }
            ExprKind::Call { func, args, keywords } => {
                self.expr(func)?;
                self.exprs(args)?;
                self.keywords(keywords)
            }
            ExprKind::FormattedValue { value, format_spec, .. }
            | ExprKind::Interpolation { value, format_spec, .. } => {
                self.expr(value)?;
                self.optional(format_spec)
            }
            ExprKind::JoinedStr { values } | ExprKind::TemplateStr { values } => self.exprs(values),
            ExprKind::Constant(_) => Ok(()),
            ExprKind::Attribute { value, attr, ctx } => {
                self.check_name(attr, ctx, range)?;
                self.expr(value)
            }
            ExprKind::Subscript { value, slice, .. } => {
                self.expr(value)?;
                self.expr(slice)
            }
            ExprKind::Starred { value, .. } => self.expr(value),
            ExprKind::Name { id, ctx } => {
                let constant = id == "__debug__" && ctx == ExprContext::Load && !self.keeps_debug;
                if constant || self.cur().in_unevaluated_annotation {
                    return Ok(());
                }
                self.check_name(id, ctx, range)?;
                self.add(id, if ctx == ExprContext::Load { def::USE } else { def::LOCAL }, range)?;
                if ctx == ExprContext::Load && id == "super" && self.cur().is_function_like() {
                    self.add("__class__", def::USE, range)?;
                }
                Ok(())
            }
            ExprKind::Slice { lower, upper, step } => {
                self.optional(lower)?;
                self.optional(upper)?;
                self.optional(step)
            }
        }
    }

    fn extend_named_expr(&mut self, target: &'a Expr<'a>) -> Visit {
        let ExprKind::Name { id: name, .. } = target.kind else { return Ok(()) };
        let range = target.range;
        for id in self.stack.clone().into_iter().rev() {
            let block = &self.table.blocks[id];
            let flags = block.symbols.get(block.mangle(self.arena, self.private, name));
            if block.comprehension != Comprehension::None {
                if flags & def::COMP_ITER != 0 && flags & def::LOCAL != 0 {
                    let message = format!(
                        "assignment expression cannot rebind comprehension iteration variable '{name}'"
                    );
                    return fail(message, range);
                }
                continue;
            }
            let place = match block.kind {
                BlockType::Function => {
                    self.add(
                        name,
                        if flags & def::GLOBAL != 0 { def::GLOBAL } else { def::NONLOCAL },
                        range,
                    )?;
                    self.cur().directives.push((name, range));
                    return self.add_to(id, name, def::LOCAL, range);
                }
                BlockType::Module => {
                    self.add(name, def::GLOBAL, range)?;
                    self.cur().directives.push((name, range));
                    return self.add_to(id, name, def::GLOBAL, range);
                }
                BlockType::Class => "in a class body",
                BlockType::TypeParameters => "within the definition of a generic",
                BlockType::TypeAlias => "in a type alias",
                BlockType::TypeVariable => "in a TypeVar bound",
                BlockType::Annotation => "within an annotation",
            };
            return fail(
                format!("assignment expression within a comprehension cannot be used {place}"),
                range,
            );
        }
        Ok(())
    }

    fn comprehension(
        &mut self,
        expr: &'a Expr<'a>,
        name: &'a str,
        kind: Comprehension,
        generators: &'a [Clause<'a>],
        elt: &'a Expr<'a>,
        value: Option<&'a Expr<'a>>,
    ) -> Visit {
        let Some((outermost, rest)) = generators.split_first() else { return Ok(()) };
        self.cur().comp_iter_expr += 1;
        self.expr(outermost.iter)?;
        self.cur().comp_iter_expr -= 1;
        self.enter(name, BlockType::Function, key(expr, KeyKind::Body), expr.range)?;
        self.cur().comprehension = kind;
        self.cur().coroutine |= outermost.is_async;
        self.add(".0", def::PARAM, expr.range)?;
        self.comprehension_target(outermost)?;
        self.exprs(outermost.ifs)?;
        for clause in rest {
            self.comprehension_target(clause)?;
            self.cur().comp_iter_expr += 1;
            self.expr(clause.iter)?;
            self.cur().comp_iter_expr -= 1;
            self.exprs(clause.ifs)?;
            self.cur().coroutine |= clause.is_async;
        }
        self.optional(value)?;
        self.expr(elt)?;
        self.cur().generator = kind == Comprehension::Generator;
        let is_async = self.cur().coroutine && kind != Comprehension::Generator;
        self.leave();
        if is_async {
            let top_level_await = self.top_level_await;
            let around = self.cur();
            let in_coroutine = around.kind == BlockType::Function && around.coroutine;
            if !in_coroutine
                && around.comprehension == Comprehension::None
                && !(top_level_await && around.kind == BlockType::Module)
            {
                return fail("asynchronous comprehension outside of an asynchronous function", expr.range);
            }
            around.coroutine = true;
        }
        Ok(())
    }

    fn comprehension_target(&mut self, clause: &'a Clause<'a>) -> Visit {
        self.cur().comp_iter_target = true;
        self.expr(clause.target)?;
        self.cur().comp_iter_target = false;
        Ok(())
    }
}
