//! Expressions.

use taipan_bytecode::opcode::Intrinsic1;
use taipan_bytecode::{AnyOpcode as Op, Const};
use taipan_parser::ast::{Expr, ExprContext, ExprKind, ExprList, Operator, UnaryOp};

use super::assignments::{attribute_loc, binary_op};
use super::{Compiler, Done, ScopeType};
use crate::constants::{from_ast, str_const};
use crate::instruction::Loc;
use crate::preprocess;

/// Displays and calls beyond this many values are built up step by step.
pub const STACK_GUIDELINE: u32 = 30;

impl<'a> Compiler<'a, '_> {
    /// The value of a constant expression; folding happens later, in the flow graph.
    pub(super) fn constant_of(&self, expr: &Expr<'a>) -> Option<Const> {
        match expr.kind {
            ExprKind::Constant(constant) => Some(from_ast(&constant)),
            ExprKind::Name { id: "__debug__", ctx: ExprContext::Load } => {
                Some(if self.options.optimize == 0 { Const::True } else { Const::False })
            }
            _ => None,
        }
    }

    /// Pushes an expression's value, or stores to or deletes it by its context.
    pub(super) fn expr(&mut self, expr: &'a Expr<'a>) -> Done {
        self.check_stack()?;
        self.expr_kind(expr)?;
        Ok(())
    }

    pub(super) fn load_attr(&mut self, name: &'a str, loc: Loc) {
        let name = self.mangle(name);
        let index = self.unit.names.add(name);
        self.op_arg(Op::LoadAttr, index << 1, loc);
    }

    fn expr_kind(&mut self, expr: &'a Expr<'a>) -> Done {
        let loc = Loc::from(expr.range);
        if let Some(constant) = self.constant_of(expr) {
            self.load_const(constant, loc);
            return Ok(());
        }
        match expr.kind {
            ExprKind::Constant(_) => Ok(()),
            ExprKind::NamedExpr { target, value } => {
                self.expr(value)?;
                self.op_arg(Op::Copy, 1, loc);
                self.expr(target)
            }
            ExprKind::BoolOp { op, values } => self.bool_op(op, values, loc),
            ExprKind::BinOp { left, op, right } => {
                if op == Operator::Mod
                    && let Some(values) = preprocess::format_to_fstring(self.arena, left, right)
                {
                    return self.joined_str(values, loc);
                }
                self.expr(left)?;
                self.expr(right)?;
                self.op_arg(Op::BinaryOp, binary_op(op) as u32, loc);
                Ok(())
            }
            ExprKind::UnaryOp { op, operand } => {
                self.expr(operand)?;
                match op {
                    UnaryOp::Invert => self.op(Op::UnaryInvert, loc),
                    UnaryOp::USub => self.op(Op::UnaryNegative, loc),
                    UnaryOp::UAdd => self.op_arg(Op::CallIntrinsic1, Intrinsic1::UnaryPositive as u32, loc),
                    UnaryOp::Not => {
                        self.op(Op::ToBool, loc);
                        self.op(Op::UnaryNot, loc);
                    }
                }
                Ok(())
            }
            ExprKind::Lambda { .. } => self.lambda(expr),
            ExprKind::IfExp { test, body, orelse } => {
                let (end, next) = (self.new_label(), self.new_label());
                self.jump_if(loc, test, next, false)?;
                self.expr(body)?;
                self.jump(Op::JumpNoInterrupt, end, Loc::NONE);
                self.use_label(next);
                self.expr(orelse)?;
                self.use_label(end);
                Ok(())
            }
            ExprKind::Dict { keys, values } => self.dict(keys, values, loc),
            ExprKind::Set { elts } => {
                self.build_sequence(elts, None, 0, [Op::BuildSet, Op::SetAdd, Op::SetUpdate], false, loc)
            }
            ExprKind::List { elts, ctx } => self.sequence(elts, ctx, false, loc),
            ExprKind::Tuple { elts, ctx } => self.sequence(elts, ctx, true, loc),
            ExprKind::ListComp { .. }
            | ExprKind::SetComp { .. }
            | ExprKind::DictComp { .. }
            | ExprKind::GeneratorExp { .. } => self.comprehension(expr),
            ExprKind::Yield { value } => {
                if !self.block().is_function_like() {
                    return self.error("'yield' outside function", loc);
                }
                match value {
                    Some(value) => self.expr(value)?,
                    None => self.load_none(loc),
                }
                self.yield_value(loc);
                Ok(())
            }
            ExprKind::YieldFrom { value } => {
                if !self.block().is_function_like() {
                    return self.error("'yield from' outside function", loc);
                }
                if self.unit.scope_type == ScopeType::AsyncFunction {
                    return self.error("'yield from' inside async function", loc);
                }
                self.expr(value)?;
                self.op(Op::GetYieldFromIter, loc);
                self.load_none(loc);
                self.yield_from(false, loc);
                Ok(())
            }
            ExprKind::Await { value } => {
                self.expr(value)?;
                self.op_arg(Op::GetAwaitable, 0, loc);
                self.load_none(loc);
                self.yield_from(true, loc);
                Ok(())
            }
            ExprKind::Compare { left, ops, comparators } => self.compare(expr, left, ops, comparators),
            ExprKind::Call { func, args, keywords } => self.call(expr, func, args, keywords),
            ExprKind::JoinedStr { values } => self.joined_str(values, loc),
            ExprKind::TemplateStr { values } => self.template_str(values, loc),
            ExprKind::FormattedValue { value, conversion, format_spec } => {
                self.expr(value)?;
                if let Some(kind) = conversion_kind(conversion) {
                    self.op_arg(Op::ConvertValue, kind, loc);
                }
                match format_spec {
                    Some(spec) => {
                        self.expr(spec)?;
                        self.op(Op::FormatWithSpec, loc);
                    }
                    None => self.op(Op::FormatSimple, loc),
                }
                Ok(())
            }
            ExprKind::Interpolation { value, str, conversion, format_spec } => {
                self.expr(value)?;
                self.load_const(from_ast(str), loc);
                let mut arg = 2;
                if let Some(spec) = format_spec {
                    arg += 1;
                    self.expr(spec)?;
                }
                arg |= conversion_kind(conversion).unwrap_or(0) << 2;
                self.op_arg(Op::BuildInterpolation, arg, loc);
                Ok(())
            }
            ExprKind::Attribute { value, attr, ctx } => {
                if ctx == ExprContext::Load && self.is_super_attribute(expr) {
                    self.super_attribute(expr, false)?;
                    self.op(Op::Nop, attribute_loc(loc, expr));
                    return Ok(());
                }
                self.record_static_attribute(value, attr, ctx);
                self.expr(value)?;
                let loc = attribute_loc(loc, expr);
                match ctx {
                    ExprContext::Load => self.load_attr(attr, loc),
                    ExprContext::Store => self.op_name(Op::StoreAttr, attr, loc),
                    ExprContext::Del => self.op_name(Op::DeleteAttr, attr, loc),
                }
                Ok(())
            }
            ExprKind::Subscript { value, slice, ctx } => self.subscript(expr, value, slice, ctx),
            ExprKind::Starred { ctx, .. } => match ctx {
                ExprContext::Store => self.error("starred assignment target must be in a list or tuple", loc),
                _ => self.error("can't use starred expression here", loc),
            },
            ExprKind::Name { id, ctx } => self.name(id, ctx, loc),
            ExprKind::Slice { .. } => self.slice(expr),
        }
    }

    /// `self.x = …` in a method makes `x` one of `__static_attributes__`.
    fn record_static_attribute(&mut self, value: &Expr<'a>, attr: &'a str, ctx: ExprContext) {
        if ctx != ExprContext::Store || !matches!(value.kind, ExprKind::Name { id: "self", .. }) {
            return;
        }
        if let Some(class) = self.outer.iter_mut().rev().find(|unit| unit.scope_type == ScopeType::Class) {
            class.static_attributes.insert(attr);
        }
    }

    fn sequence(&mut self, elts: ExprList<'a>, ctx: ExprContext, tuple: bool, loc: Loc) -> Done {
        match ctx {
            ExprContext::Load => {
                let ops = [Op::BuildList, Op::ListAppend, Op::ListExtend];
                self.build_sequence(elts, None, 0, ops, tuple, loc)
            }
            ExprContext::Store => self.unpack(elts, loc),
            ExprContext::Del => elts.iter().try_for_each(|elt| self.expr(elt)),
        }
    }

    fn dict(&mut self, keys: &'a [Option<&'a Expr<'a>>], values: ExprList<'a>, loc: Loc) -> Done {
        let mut have_dict = false;
        let mut count = 0;
        for (i, (key, value)) in keys.iter().zip(values).enumerate() {
            let flush = if key.is_none() {
                count
            } else if count * 2 > STACK_GUIDELINE as usize {
                count + 1
            } else {
                count += 1;
                continue;
            };
            if flush > 0 {
                let end = i + usize::from(key.is_some());
                self.dict_run(&keys[end - flush..end], &values[end - flush..end], loc)?;
                if have_dict {
                    self.op_arg(Op::DictUpdate, 1, loc);
                }
                have_dict = true;
                count = 0;
            }
            if key.is_none() {
                if !have_dict {
                    self.op_arg(Op::BuildMap, 0, loc);
                    have_dict = true;
                }
                self.expr(value)?;
                self.op_arg(Op::DictUpdate, 1, loc);
            }
        }
        if count > 0 {
            let start = values.len() - count;
            self.dict_run(&keys[start..], &values[start..], loc)?;
            if have_dict {
                self.op_arg(Op::DictUpdate, 1, loc);
            }
            have_dict = true;
        }
        if !have_dict {
            self.op_arg(Op::BuildMap, 0, loc);
        }
        Ok(())
    }

    fn dict_run(&mut self, keys: &'a [Option<&'a Expr<'a>>], values: ExprList<'a>, loc: Loc) -> Done {
        let big = values.len() * 2 > STACK_GUIDELINE as usize;
        if big {
            self.op_arg(Op::BuildMap, 0, loc);
        }
        for (key, value) in keys.iter().zip(values) {
            if let Some(key) = key {
                self.expr(key)?;
            }
            self.expr(value)?;
            if big {
                self.op_arg(Op::MapAdd, 1, loc);
            }
        }
        if !big {
            self.op_arg(Op::BuildMap, values.len() as u32, loc);
        }
        Ok(())
    }

    fn joined_str(&mut self, values: ExprList<'a>, loc: Loc) -> Done {
        let count = values.len() as u32;
        if count > STACK_GUIDELINE {
            self.load_str("", loc);
            let index = self.unit.names.add("join");
            self.op_arg(Op::LoadAttr, index << 1 | 1, loc);
            self.op_arg(Op::BuildList, 0, loc);
            for value in values {
                self.expr(value)?;
                self.op_arg(Op::ListAppend, 1, loc);
            }
            self.op_arg(Op::Call, 1, loc);
            return Ok(());
        }
        values.iter().try_for_each(|value| self.expr(value))?;
        match count {
            0 => self.load_str("", loc),
            1 => {}
            _ => self.op_arg(Op::BuildString, count, loc),
        }
        Ok(())
    }

    fn template_str(&mut self, values: ExprList<'a>, loc: Loc) -> Done {
        let is_interpolation = |value: &Expr<'_>| matches!(value.kind, ExprKind::Interpolation { .. });
        let interpolations: Vec<_> = values.iter().filter(|value| is_interpolation(value)).collect();
        let big = interpolations.len() as u32 + 1 > STACK_GUIDELINE;
        if big {
            self.op_arg(Op::BuildList, 0, loc);
        }
        let mut count = 0;
        let mut last_is_text = false;
        let end_marker = values.iter().map(Some).chain([None]);
        for value in end_marker {
            match value {
                Some(value) if !is_interpolation(value) => {
                    self.expr(value)?;
                    last_is_text = true;
                }
                _ if last_is_text => {
                    last_is_text = false;
                    continue;
                }
                _ => self.load_const(str_const(b""), loc),
            }
            count += 1;
            if big {
                self.op_arg(Op::ListAppend, 1, loc);
            }
        }
        self.finish_tuple(big, count, loc);
        let big = interpolations.len() as u32 > STACK_GUIDELINE;
        if big {
            self.op_arg(Op::BuildList, 0, loc);
        }
        let count = interpolations.len() as u32;
        for value in interpolations {
            self.expr(value)?;
            if big {
                self.op_arg(Op::ListAppend, 1, loc);
            }
        }
        self.finish_tuple(big, count, loc);
        self.op(Op::BuildTemplate, loc);
        Ok(())
    }

    fn finish_tuple(&mut self, is_list: bool, count: u32, loc: Loc) {
        if is_list {
            self.op_arg(Op::CallIntrinsic1, Intrinsic1::ListToTuple as u32, loc);
        } else {
            self.op_arg(Op::BuildTuple, count, loc);
        }
    }

    pub(super) fn yield_value(&mut self, loc: Loc) {
        if self.block().generator && self.block().coroutine {
            self.op_arg(Op::CallIntrinsic1, Intrinsic1::AsyncGenWrap as u32, loc);
        }
        self.op_arg(Op::YieldValue, 0, loc);
        self.op_arg(Op::Resume, 1, loc);
    }

    /// The loop of `yield from` and `await`: receiver and value to send are on the stack.
    pub(super) fn yield_from(&mut self, is_await: bool, loc: Loc) {
        let (send, fail, exit) = (self.new_label(), self.new_label(), self.new_label());
        self.use_label(send);
        self.jump(Op::Send, exit, loc);
        self.jump(Op::SetupFinally, fail, loc);
        self.op_arg(Op::YieldValue, 1, loc);
        self.op(Op::PopBlock, Loc::NONE);
        self.op_arg(Op::Resume, if is_await { 3 } else { 2 }, loc);
        self.jump(Op::JumpNoInterrupt, send, loc);
        self.use_label(fail);
        self.op(Op::CleanupThrow, loc);
        self.use_label(exit);
        self.op(Op::EndSend, loc);
    }
}

fn conversion_kind(conversion: i32) -> Option<u32> {
    match u8::try_from(conversion).ok()? {
        b's' => Some(1),
        b'r' => Some(2),
        b'a' => Some(3),
        _ => None,
    }
}
