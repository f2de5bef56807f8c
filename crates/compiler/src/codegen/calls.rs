//! Calls: plain, of methods, of `super()` attributes, with unpacking; and the warnings about odd callees.

use taipan_bytecode::opcode::CommonConstant;
use taipan_bytecode::opcode::Intrinsic1;
use taipan_bytecode::{AnyOpcode as Op, Const};
use taipan_parser::ast::{CmpOp, Constant, Expr, ExprContext, ExprKind, ExprList, Keyword};

use super::assignments::attribute_loc;
use super::expressions::STACK_GUIDELINE;
use super::{Compiler, Done};
use crate::constants::str_const;
use crate::instruction::{Label, Loc};
use crate::symtable::{KeyKind, Scope, def, key};

const LIST_OPS: [Op; 3] = [Op::BuildList, Op::ListAppend, Op::ListExtend];

impl<'a> Compiler<'a, '_> {
    pub(super) fn call(
        &mut self,
        expr: &'a Expr<'a>,
        func: &'a Expr<'a>,
        args: ExprList<'a>,
        keywords: &'a [Keyword<'a>],
    ) -> Done {
        self.check_keywords(keywords)?;
        self.check_caller(func);
        if self.method_call(expr, func, args, keywords)? {
            return Ok(());
        }
        let skip = self.new_label();
        self.expr(func)?;
        self.builtin_call(func, args, keywords, skip)?;
        self.op(Op::PushNull, func.range);
        self.call_with(0, args, None, keywords, expr.range.into())?;
        self.use_label(skip);
        Ok(())
    }

    /// `all`, `any` or `tuple` of a generator expression runs the loop in place.
    fn builtin_call(
        &mut self,
        func: &'a Expr<'a>,
        args: ExprList<'a>,
        keywords: &'a [Keyword<'a>],
        end: Label,
    ) -> Done {
        let ExprKind::Name { id, .. } = func.kind else { return Ok(()) };
        let [generator] = args else { return Ok(()) };
        let ExprKind::GeneratorExp { .. } = generator.kind else { return Ok(()) };
        let block = self.table.lookup(key(*generator, KeyKind::Body));
        if !keywords.is_empty() || block.is_none_or(|block| self.table.blocks[block].coroutine) {
            return Ok(());
        }
        let (constant, at_end) = match id {
            "all" => (CommonConstant::All, Some((Const::True, Const::False, Op::PopJumpIfTrue))),
            "any" => (CommonConstant::Any, Some((Const::False, Const::True, Op::PopJumpIfFalse))),
            "tuple" => (CommonConstant::Tuple, None),
            _ => return Ok(()),
        };
        let loc = Loc::from(func.range);
        let skip = self.new_label();
        self.op_arg(Op::Copy, 1, loc);
        self.op_arg(Op::LoadCommonConstant, constant as u32, loc);
        self.compare_op(CmpOp::Is, loc);
        self.jump(Op::PopJumpIfFalse, skip, loc);
        self.op(Op::PopTop, loc);
        if at_end.is_none() {
            self.op_arg(Op::BuildList, 0, loc);
        }
        self.expr(generator)?;
        let (start, cleanup) = (self.new_label(), self.new_label());
        self.use_label(start);
        self.jump(Op::ForIter, cleanup, loc);
        match &at_end {
            None => {
                self.op_arg(Op::ListAppend, 2, loc);
                self.jump(Op::Jump, start, loc);
            }
            Some((_, _, op)) => {
                self.op(Op::ToBool, loc);
                self.jump(*op, start, loc);
            }
        }
        self.op(Op::PopIter, Loc::NONE);
        if let Some((_, early, _)) = &at_end {
            self.load_const(early.clone(), loc);
        }
        self.jump(Op::Jump, end, loc);
        self.use_label(cleanup);
        self.op(Op::EndFor, Loc::NONE);
        self.op(Op::PopIter, Loc::NONE);
        match at_end {
            None => self.op_arg(Op::CallIntrinsic1, Intrinsic1::ListToTuple as u32, loc),
            Some((full, _, _)) => self.load_const(full, loc),
        }
        self.jump(Op::Jump, end, loc);
        self.use_label(skip);
        Ok(())
    }

    /// Compiles `x.name(…)` as a method call when that pays; says whether it did.
    fn method_call(
        &mut self,
        expr: &'a Expr<'a>,
        func: &'a Expr<'a>,
        args: ExprList<'a>,
        keywords: &'a [Keyword<'a>],
    ) -> Result<bool, crate::SyntaxError> {
        let ExprKind::Attribute { value, attr, ctx: ExprContext::Load } = func.kind else { return Ok(false) };
        if let ExprKind::Name { id, .. } = value.kind
            && self.module_flags(id) & def::IMPORT != 0
        {
            return Ok(false);
        }
        let count = args.len() + keywords.len();
        if count + usize::from(!keywords.is_empty()) >= STACK_GUIDELINE as usize
            || args.iter().any(|arg| matches!(arg.kind, ExprKind::Starred { .. }))
            || keywords.iter().any(|keyword| keyword.arg.is_none())
        {
            return Ok(false);
        }
        let mut loc = Loc::from(func.range);
        if self.is_super_attribute(func) {
            self.super_attribute(func, true)?;
            loc = attribute_loc(loc, func);
            self.op(Op::Nop, loc);
        } else {
            self.expr(value)?;
            loc = attribute_loc(loc, func);
            let name = self.mangle(attr);
            let index = self.unit.names.add(name);
            self.op_arg(Op::LoadAttr, index << 1 | 1, loc);
        }
        args.iter().try_for_each(|arg| self.expr(arg))?;
        let call = attribute_loc(expr.range.into(), func);
        if keywords.is_empty() {
            self.op_arg(Op::Call, args.len() as u32, call);
        } else {
            keywords.iter().try_for_each(|keyword| self.expr(keyword.value))?;
            self.keyword_names(keywords, loc);
            self.op_arg(Op::CallKw, count as u32, call);
        }
        Ok(true)
    }

    /// How a name occurs in the module, or in the comprehension that is being inlined into it.
    fn module_flags(&self, name: &str) -> u32 {
        let overriding = self.unit.scope_overrides.get(name).and_then(|stack| stack.last());
        match overriding.filter(|_| self.outer.is_empty()) {
            Some(flags) => *flags,
            None => self.table.blocks[0].symbols.get(name),
        }
    }

    fn keyword_names(&mut self, keywords: &'a [Keyword<'a>], loc: Loc) {
        let names = keywords
            .iter()
            .filter_map(|keyword| keyword.arg)
            .map(|name| str_const(name.as_bytes()))
            .collect();
        self.load_const(Const::Tuple(names), loc);
    }

    fn check_keywords(&self, keywords: &'a [Keyword<'a>]) -> Done {
        for (i, keyword) in keywords.iter().enumerate() {
            let Some(name) = keyword.arg else { continue };
            let later = keywords.get(i + 1..).unwrap_or(&[]);
            if let Some(other) = later.iter().find(|other| other.arg == Some(name)) {
                return self.error(format!("keyword argument repeated: {name}"), other.range);
            }
        }
        Ok(())
    }

    /// The arguments and the call itself; `pushed` arguments are on the stack already.
    pub(super) fn call_with(
        &mut self,
        pushed: u32,
        args: ExprList<'a>,
        injected: Option<&'a str>,
        keywords: &'a [Keyword<'a>],
        loc: Loc,
    ) -> Done {
        self.check_keywords(keywords)?;
        let plain = args.len() + keywords.len() * 2 <= STACK_GUIDELINE as usize
            && !args.iter().any(|arg| matches!(arg.kind, ExprKind::Starred { .. }))
            && keywords.iter().all(|keyword| keyword.arg.is_some());
        if plain {
            args.iter().try_for_each(|arg| self.expr(arg))?;
            let mut count = pushed + args.len() as u32;
            if let Some(name) = injected {
                self.load_name(name, loc)?;
                count += 1;
            }
            if keywords.is_empty() {
                self.op_arg(Op::Call, count, loc);
            } else {
                keywords.iter().try_for_each(|keyword| self.expr(keyword.value))?;
                self.keyword_names(keywords, loc);
                self.op_arg(Op::CallKw, count + keywords.len() as u32, loc);
            }
            return Ok(());
        }
        match args {
            [Expr { kind: ExprKind::Starred { value, .. }, .. }] if pushed == 0 => self.expr(value)?,
            _ => self.build_sequence(args, injected, pushed, LIST_OPS, true, loc)?,
        }
        if keywords.is_empty() {
            self.op(Op::PushNull, loc);
        } else {
            self.keyword_dict(keywords, loc)?;
        }
        self.op(Op::CallFunctionEx, loc);
        Ok(())
    }

    fn keyword_dict(&mut self, keywords: &'a [Keyword<'a>], loc: Loc) -> Done {
        let (mut have_dict, mut start) = (false, 0);
        for (i, keyword) in keywords.iter().enumerate() {
            if keyword.arg.is_some() {
                continue;
            }
            if start < i {
                self.keyword_run(&keywords[start..i], loc)?;
                if have_dict {
                    self.op_arg(Op::DictMerge, 1, loc);
                }
                have_dict = true;
            }
            start = i + 1;
            if !have_dict {
                self.op_arg(Op::BuildMap, 0, loc);
                have_dict = true;
            }
            self.expr(keyword.value)?;
            self.op_arg(Op::DictMerge, 1, loc);
        }
        if start < keywords.len() {
            self.keyword_run(&keywords[start..], loc)?;
            if have_dict {
                self.op_arg(Op::DictMerge, 1, loc);
            }
        }
        Ok(())
    }

    fn keyword_run(&mut self, keywords: &'a [Keyword<'a>], loc: Loc) -> Done {
        let big = keywords.len() * 2 > STACK_GUIDELINE as usize;
        if big {
            self.op_arg(Op::BuildMap, 0, Loc::NONE);
        }
        for keyword in keywords {
            self.load_str(keyword.arg.unwrap_or(""), loc);
            self.expr(keyword.value)?;
            if big {
                self.op_arg(Op::MapAdd, 1, Loc::NONE);
            }
        }
        if !big {
            self.op_arg(Op::BuildMap, keywords.len() as u32, loc);
        }
        Ok(())
    }

    /// Whether this is `super().name` or `super(a, b).name` with the built-in `super`, as far as one can see.
    pub(super) fn is_super_attribute(&self, attribute: &'a Expr<'a>) -> bool {
        let ExprKind::Attribute { value, attr, .. } = attribute.kind else { return false };
        if attr == "__class__" {
            return false;
        }
        let ExprKind::Call { func, args, keywords } = value.kind else { return false };
        let ExprKind::Name { id: "super", .. } = func.kind else { return false };
        if !keywords.is_empty()
            || self.scope_of("super") != Scope::GlobalImplicit
            || self.table.blocks[0].scope("super") != Scope::Unknown
        {
            return false;
        }
        match args {
            [_, _] => !args.iter().any(|arg| matches!(arg.kind, ExprKind::Starred { .. })),
            [] => self.unit.argcount > 0 && self.scope_of("__class__") == Scope::Free,
            _ => false,
        }
    }

    pub(super) fn super_attribute(&mut self, attribute: &'a Expr<'a>, method: bool) -> Done {
        let ExprKind::Attribute { value, attr, .. } = attribute.kind else { return Ok(()) };
        let ExprKind::Call { func, args, .. } = value.kind else { return Ok(()) };
        let loc = Loc::from(value.range);
        self.load_name("super", func.range)?;
        if args.is_empty() {
            self.load_name("__class__", loc)?;
            if let Some(&first) = self.unit.varnames.list.first() {
                self.load_name(first, loc)?;
            }
        } else {
            args.iter().try_for_each(|arg| self.expr(arg))?;
        }
        let name = self.mangle(attr);
        let index = self.unit.names.add(name);
        let arg = index << 2 | u32::from(!args.is_empty()) << 1 | u32::from(method);
        self.op_arg(Op::LoadSuperAttr, arg, attribute.range);
        Ok(())
    }

    fn check_caller(&mut self, func: &'a Expr<'a>) {
        let odd = matches!(
            func.kind,
            ExprKind::Constant(_)
                | ExprKind::Name { id: "__debug__", .. }
                | ExprKind::Tuple { .. }
                | ExprKind::List { .. }
                | ExprKind::ListComp { .. }
                | ExprKind::Dict { .. }
                | ExprKind::DictComp { .. }
                | ExprKind::Set { .. }
                | ExprKind::SetComp { .. }
                | ExprKind::GeneratorExp { .. }
                | ExprKind::JoinedStr { .. }
                | ExprKind::TemplateStr { .. }
                | ExprKind::FormattedValue { .. }
                | ExprKind::Interpolation { .. }
        );
        if odd && let Some(name) = type_name(func) {
            let message = format!("'{name}' object is not callable; perhaps you missed a comma?");
            self.warn(message, func.range);
        }
    }

    pub(super) fn check_subscripter(&mut self, value: &'a Expr<'a>) {
        let odd = match value.kind {
            ExprKind::Constant(constant) => matches!(
                constant,
                Constant::None
                    | Constant::True
                    | Constant::False
                    | Constant::Ellipsis
                    | Constant::Int(_)
                    | Constant::Float(_)
                    | Constant::Complex { .. }
                    | Constant::FrozenSet(_)
            ),
            ExprKind::Name { id: "__debug__", .. }
            | ExprKind::Set { .. }
            | ExprKind::SetComp { .. }
            | ExprKind::GeneratorExp { .. }
            | ExprKind::TemplateStr { .. }
            | ExprKind::Interpolation { .. }
            | ExprKind::Lambda { .. } => true,
            _ => false,
        };
        if odd && let Some(name) = type_name(value) {
            let message = format!("'{name}' object is not subscriptable; perhaps you missed a comma?");
            self.warn(message, value.range);
        }
    }

    pub(super) fn check_index(&mut self, value: &'a Expr<'a>, slice: &'a Expr<'a>) {
        let Some(index) = type_name(slice) else { return };
        if matches!(index, "int" | "bool" | "slice") {
            return;
        }
        let sequence = match value.kind {
            ExprKind::Constant(constant) => {
                matches!(constant, Constant::Str { .. } | Constant::Bytes(_) | Constant::Tuple(_))
            }
            ExprKind::Tuple { .. }
            | ExprKind::List { .. }
            | ExprKind::ListComp { .. }
            | ExprKind::JoinedStr { .. }
            | ExprKind::FormattedValue { .. } => true,
            _ => false,
        };
        if sequence && let Some(name) = type_name(value) {
            let message = format!(
                "{name} indices must be integers or slices, not {index}; perhaps you missed a comma?"
            );
            self.warn(message, value.range);
        }
    }

    pub(super) fn check_compare(&mut self, expr: &'a Expr<'a>) {
        let ExprKind::Compare { left, ops, comparators } = expr.kind else { return };
        // A tuple counts when its items are constants themselves.
        let literal = |expr: &Expr<'_>| match expr.kind {
            ExprKind::Constant(constant) => {
                !matches!(constant, Constant::None | Constant::True | Constant::False | Constant::Ellipsis)
            }
            ExprKind::Tuple { elts, .. } => {
                elts.iter().all(|item| matches!(item.kind, ExprKind::Constant(_)))
            }
            _ => false,
        };
        let mut left = left;
        for (op, right) in ops.iter().zip(comparators) {
            let (word, other) = match op {
                CmpOp::Is => ("is", "=="),
                CmpOp::IsNot => ("is not", "!="),
                _ => {
                    left = right;
                    continue;
                }
            };
            let culprit = if literal(left) { Some(left) } else { literal(right).then_some(*right) };
            if let Some(name) = culprit.and_then(type_name) {
                let message = format!("\"{word}\" with '{name}' literal. Did you mean \"{other}\"?");
                self.warn(message, expr.range);
            }
            left = right;
        }
    }
}

/// The type of a display or literal.
fn type_name(expr: &Expr<'_>) -> Option<&'static str> {
    Some(match expr.kind {
        ExprKind::Tuple { .. } => "tuple",
        ExprKind::List { .. } | ExprKind::ListComp { .. } => "list",
        ExprKind::Dict { .. } | ExprKind::DictComp { .. } => "dict",
        ExprKind::Set { .. } | ExprKind::SetComp { .. } => "set",
        ExprKind::GeneratorExp { .. } => "generator",
        ExprKind::Lambda { .. } => "function",
        ExprKind::Name { id: "__debug__", .. } => "bool",
        ExprKind::JoinedStr { .. } | ExprKind::FormattedValue { .. } => "str",
        ExprKind::TemplateStr { .. } => "string.templatelib.Template",
        ExprKind::Interpolation { .. } => "string.templatelib.Interpolation",
        ExprKind::Constant(constant) => match constant {
            Constant::None => "NoneType",
            Constant::True | Constant::False => "bool",
            Constant::Ellipsis => "ellipsis",
            Constant::Int(_) => "int",
            Constant::Float(_) => "float",
            Constant::Complex { .. } => "complex",
            Constant::Str { .. } => "str",
            Constant::Bytes(_) => "bytes",
            Constant::Tuple(_) => "tuple",
            Constant::FrozenSet(_) => "frozenset",
        },
        _ => return None,
    })
}
