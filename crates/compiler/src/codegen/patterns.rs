//! `match` statements (PEP 634).

use taipan_bytecode::hash::FastMap;
use taipan_bytecode::opcode::{BinaryOp, CompareOp};
use taipan_bytecode::{AnyOpcode as Op, Const};
use taipan_parser::ast::{CmpOp, Expr, ExprKind, MatchCase, Pattern, PatternKind};

use super::{Compiler, Done};
use crate::constants::{from_ast, str_const};
use crate::instruction::{Label, Loc};

/// What compiling a pattern needs to know and builds up.
#[derive(Default)]
struct Context<'a> {
    /// Captured names; their values are on the stack in this order, the last on top.
    stores: Vec<&'a str>,
    /// Whether a pattern that always matches may stand here.
    allow_irrefutable: bool,
    /// `fail_pop[n]` pops `n` values and goes on behind the pattern.
    fail_pop: Vec<Label>,
    /// Values above those that were captured.
    on_top: usize,
}

fn is_wildcard(pattern: &Pattern<'_>) -> bool {
    matches!(pattern.kind, PatternKind::MatchAs { name: None, .. })
}

fn is_wildcard_star(pattern: &Pattern<'_>) -> bool {
    matches!(pattern.kind, PatternKind::MatchStar { name: None })
}

impl<'a> Compiler<'a, '_> {
    pub(super) fn match_stmt(&mut self, subject: &'a Expr<'a>, cases: &'a [MatchCase<'a>]) -> Done {
        self.expr(subject)?;
        let end = self.new_label();
        let Some(last) = cases.last() else { return Ok(()) };
        let has_default = is_wildcard(last.pattern) && cases.len() > 1;
        let count = cases.len() - usize::from(has_default);
        let mut context = Context::default();
        for (i, case) in cases.iter().take(count).enumerate() {
            let loc = Loc::from(case.pattern.range);
            if i + 1 != count {
                self.op_arg(Op::Copy, 1, loc);
            }
            context.stores.clear();
            context.allow_irrefutable = case.guard.is_some() || i + 1 == cases.len();
            context.fail_pop.clear();
            context.on_top = 0;
            self.pattern(case.pattern, &mut context)?;
            for name in std::mem::take(&mut context.stores) {
                self.store_name(name, loc)?;
            }
            if let Some(guard) = case.guard {
                self.ensure_fail_pop(&mut context, 0);
                let target = context.fail_pop[0];
                self.jump_if(loc, guard, target, false)?;
            }
            if i + 1 != count {
                self.op(Op::PopTop, Loc::NEXT);
            }
            self.stmts(case.body)?;
            self.jump(Op::Jump, end, Loc::NONE);
            self.emit_fail_pop(&mut context, loc);
        }
        if has_default {
            let loc = Loc::from(last.pattern.range);
            if count == 0 {
                self.op(Op::PopTop, loc);
            } else {
                self.op(Op::Nop, loc);
            }
            if let Some(guard) = last.guard {
                self.jump_if(loc, guard, end, false)?;
            }
            self.stmts(last.body)?;
        }
        self.use_label(end);
        Ok(())
    }

    fn ensure_fail_pop(&mut self, context: &mut Context<'a>, count: usize) {
        while context.fail_pop.len() <= count {
            let label = self.new_label();
            context.fail_pop.push(label);
        }
    }

    fn jump_to_fail_pop(&mut self, op: Op, context: &mut Context<'a>, loc: Loc) {
        let pops = context.on_top + context.stores.len();
        self.ensure_fail_pop(context, pops);
        self.jump(op, context.fail_pop[pops], loc);
    }

    fn emit_fail_pop(&mut self, context: &mut Context<'a>, loc: Loc) {
        let labels = std::mem::take(&mut context.fail_pop);
        for (pops, label) in labels.into_iter().enumerate().rev() {
            self.use_label(label);
            if pops > 0 {
                self.op(Op::PopTop, loc);
            }
        }
    }

    fn rotate(&mut self, count: usize, loc: Loc) {
        for depth in (2..=count).rev() {
            self.op_arg(Op::Swap, depth as u32, loc);
        }
    }

    fn store_capture(&mut self, name: Option<&'a str>, context: &mut Context<'a>, loc: Loc) -> Done {
        let Some(name) = name else {
            self.op(Op::PopTop, loc);
            return Ok(());
        };
        if context.stores.contains(&name) {
            return self.error(format!("multiple assignments to name '{name}' in pattern"), loc);
        }
        let rotations = context.on_top + context.stores.len() + 1;
        self.rotate(rotations, loc);
        context.stores.push(name);
        Ok(())
    }

    fn pattern(&mut self, pattern: &'a Pattern<'a>, context: &mut Context<'a>) -> Done {
        self.check_stack()?;
        self.pattern_kind(pattern, context)?;
        Ok(())
    }

    fn pattern_kind(&mut self, pattern: &'a Pattern<'a>, context: &mut Context<'a>) -> Done {
        let loc = Loc::from(pattern.range);
        match pattern.kind {
            PatternKind::MatchValue { value } => {
                if !is_pattern_value(value) {
                    return self.error("patterns may only match literals and attribute lookups", loc);
                }
                self.pattern_value(value)?;
                self.compare_op(CmpOp::Eq, loc);
                self.op(Op::ToBool, loc);
                self.jump_to_fail_pop(Op::PopJumpIfFalse, context, loc);
                Ok(())
            }
            PatternKind::MatchSingleton { value } => {
                self.load_const(from_ast(&value), loc);
                self.compare_op(CmpOp::Is, loc);
                self.jump_to_fail_pop(Op::PopJumpIfFalse, context, loc);
                Ok(())
            }
            PatternKind::MatchSequence { patterns } => self.sequence_pattern(patterns, context, loc),
            PatternKind::MatchMapping { keys, patterns, rest } => {
                self.mapping_pattern(keys, patterns, rest, context, loc)
            }
            PatternKind::MatchClass { .. } => self.class_pattern(pattern, context),
            PatternKind::MatchStar { name } => self.store_capture(name, context, loc),
            PatternKind::MatchAs { pattern: None, name } => {
                if !context.allow_irrefutable {
                    return match name {
                        Some(name) => {
                            let message =
                                format!("name capture '{name}' makes remaining patterns unreachable");
                            self.error(message, loc)
                        }
                        None => self.error("wildcard makes remaining patterns unreachable", loc),
                    };
                }
                self.store_capture(name, context, loc)
            }
            PatternKind::MatchAs { pattern: Some(inner), name } => {
                context.on_top += 1;
                self.op_arg(Op::Copy, 1, loc);
                self.pattern(inner, context)?;
                context.on_top -= 1;
                self.store_capture(name, context, loc)
            }
            PatternKind::MatchOr { patterns } => self.or_pattern(patterns, context, loc),
        }
    }

    /// A value of a pattern: negative and complex literals are folded at once.
    fn pattern_value(&mut self, value: &'a Expr<'a>) -> Done {
        if let Some(constant) = fold_literal(value) {
            self.load_const(constant, value.range);
            return Ok(());
        }
        self.expr(value)
    }

    fn subpattern(&mut self, pattern: &'a Pattern<'a>, context: &mut Context<'a>) -> Done {
        let before = std::mem::replace(&mut context.allow_irrefutable, true);
        self.pattern(pattern, context)?;
        context.allow_irrefutable = before;
        Ok(())
    }

    fn sequence_pattern(
        &mut self,
        patterns: &'a [&'a Pattern<'a>],
        context: &mut Context<'a>,
        loc: Loc,
    ) -> Done {
        let size = patterns.len();
        let mut star = None;
        let (mut only_wildcard, mut star_wildcard) = (true, false);
        for (i, pattern) in patterns.iter().enumerate() {
            if let PatternKind::MatchStar { .. } = pattern.kind {
                if star.is_some() {
                    return self.error("multiple starred expressions in sequence pattern", loc);
                }
                star_wildcard = is_wildcard_star(pattern);
                only_wildcard &= star_wildcard;
                star = Some(i);
                continue;
            }
            only_wildcard &= is_wildcard(pattern);
        }
        context.on_top += 1;
        self.op(Op::MatchSequence, loc);
        self.jump_to_fail_pop(Op::PopJumpIfFalse, context, loc);
        if star.is_none() {
            self.op(Op::GetLen, loc);
            self.load_const(Const::Int(size as i64), loc);
            self.op_arg(Op::CompareOp, CompareOp::Eq.oparg(false), loc);
            self.jump_to_fail_pop(Op::PopJumpIfFalse, context, loc);
        } else if size > 1 {
            self.op(Op::GetLen, loc);
            self.load_const(Const::Int(size as i64 - 1), loc);
            self.op_arg(Op::CompareOp, CompareOp::Ge.oparg(false), loc);
            self.jump_to_fail_pop(Op::PopJumpIfFalse, context, loc);
        }
        context.on_top -= 1;
        if only_wildcard {
            self.op(Op::PopTop, loc);
        } else if let (Some(star), true) = (star, star_wildcard) {
            self.subscript_patterns(patterns, star, context, loc)?;
        } else {
            self.unpack_patterns(patterns, star, context, loc)?;
        }
        Ok(())
    }

    fn unpack_patterns(
        &mut self,
        patterns: &'a [&'a Pattern<'a>],
        star: Option<usize>,
        context: &mut Context<'a>,
        loc: Loc,
    ) -> Done {
        let size = patterns.len();
        match star {
            Some(star) => {
                let after = size - star - 1;
                if star >= 1 << 8 || after >= (i32::MAX as usize) >> 8 {
                    return self.error("too many expressions in star-unpacking sequence pattern", loc);
                }
                self.op_arg(Op::UnpackEx, (star + (after << 8)) as u32, loc);
            }
            None => self.op_arg(Op::UnpackSequence, size as u32, loc),
        }
        context.on_top += size;
        for pattern in patterns {
            context.on_top -= 1;
            self.subpattern(pattern, context)?;
        }
        Ok(())
    }

    /// `[a, *_, b]`: by subscripts, so that the rest is not copied.
    fn subscript_patterns(
        &mut self,
        patterns: &'a [&'a Pattern<'a>],
        star: usize,
        context: &mut Context<'a>,
        loc: Loc,
    ) -> Done {
        context.on_top += 1;
        let size = patterns.len();
        for (i, pattern) in patterns.iter().enumerate() {
            if is_wildcard(pattern) || i == star {
                continue;
            }
            self.op_arg(Op::Copy, 1, loc);
            if i < star {
                self.load_const(Const::Int(i as i64), loc);
            } else {
                self.op(Op::GetLen, loc);
                self.load_const(Const::Int((size - i) as i64), loc);
                self.op_arg(Op::BinaryOp, BinaryOp::Subtract as u32, loc);
            }
            self.op_arg(Op::BinaryOp, BinaryOp::Subscr as u32, loc);
            self.subpattern(pattern, context)?;
        }
        context.on_top -= 1;
        self.op(Op::PopTop, loc);
        Ok(())
    }

    fn mapping_pattern(
        &mut self,
        keys: &'a [&'a Expr<'a>],
        patterns: &'a [&'a Pattern<'a>],
        rest: Option<&'a str>,
        context: &mut Context<'a>,
        loc: Loc,
    ) -> Done {
        let size = keys.len();
        if size != patterns.len() {
            let message =
                format!("keys ({size}) / patterns ({}) length mismatch in mapping pattern", patterns.len());
            return self.error(message, loc);
        }
        context.on_top += 1;
        self.op(Op::MatchMapping, loc);
        self.jump_to_fail_pop(Op::PopJumpIfFalse, context, loc);
        if size == 0 && rest.is_none() {
            context.on_top -= 1;
            self.op(Op::PopTop, loc);
            return Ok(());
        }
        if size > 0 {
            self.op(Op::GetLen, loc);
            self.load_const(Const::Int(size as i64), loc);
            self.op_arg(Op::CompareOp, CompareOp::Ge.oparg(false), loc);
            self.jump_to_fail_pop(Op::PopJumpIfFalse, context, loc);
        }
        let mut seen = FastMap::default();
        for key in keys {
            let constant = match key.kind {
                ExprKind::Constant(constant) => Some(from_ast(&constant)),
                _ => fold_literal(key),
            };
            if let Some(constant) = constant {
                if seen.insert(dict_key(&constant), ()).is_some() {
                    let text = String::from_utf8_lossy(&crate::unparse(key)).into_owned();
                    return self.error(format!("mapping pattern checks duplicate key ({text})"), loc);
                }
            } else if !matches!(key.kind, ExprKind::Attribute { .. }) {
                let message = "mapping pattern keys may only match literals and attribute lookups";
                return self.error(message, loc);
            }
            self.pattern_value(key)?;
        }
        self.op_arg(Op::BuildTuple, size as u32, loc);
        self.op(Op::MatchKeys, loc);
        context.on_top += 2;
        self.op_arg(Op::Copy, 1, loc);
        self.load_none(loc);
        self.op_arg(Op::IsOp, 1, loc);
        self.jump_to_fail_pop(Op::PopJumpIfFalse, context, loc);
        self.op_arg(Op::UnpackSequence, size as u32, loc);
        context.on_top += size;
        context.on_top -= 1;
        for pattern in patterns {
            context.on_top -= 1;
            self.subpattern(pattern, context)?;
        }
        context.on_top -= 2;
        if let Some(name) = rest {
            self.op_arg(Op::BuildMap, 0, loc);
            self.op_arg(Op::Swap, 3, loc);
            self.op_arg(Op::DictUpdate, 2, loc);
            self.op_arg(Op::UnpackSequence, size as u32, loc);
            for left in (1..=size).rev() {
                self.op_arg(Op::Copy, 1 + left as u32, loc);
                self.op_arg(Op::Swap, 2, loc);
                self.op(Op::DeleteSubscr, loc);
            }
            self.store_capture(Some(name), context, loc)?;
        } else {
            self.op(Op::PopTop, loc);
            self.op(Op::PopTop, loc);
        }
        Ok(())
    }

    fn class_pattern(&mut self, pattern: &'a Pattern<'a>, context: &mut Context<'a>) -> Done {
        let PatternKind::MatchClass { cls, patterns, kwd_attrs, kwd_patterns } = pattern.kind else {
            return Ok(());
        };
        let loc = Loc::from(pattern.range);
        if kwd_attrs.len() != kwd_patterns.len() {
            let message = format!(
                "kwd_attrs ({}) / kwd_patterns ({}) length mismatch in class pattern",
                kwd_attrs.len(),
                kwd_patterns.len()
            );
            return self.error(message, loc);
        }
        for (i, name) in kwd_attrs.iter().enumerate() {
            let later = kwd_attrs.iter().zip(kwd_patterns).skip(i + 1).find(|(other, _)| *other == name);
            if let Some((_, other)) = later {
                return self.error(format!("attribute name repeated in class pattern: {name}"), other.range);
            }
        }
        self.expr(cls)?;
        let names = kwd_attrs.iter().map(|name| str_const(name.as_bytes())).collect();
        self.load_const(Const::Tuple(names), loc);
        self.op_arg(Op::MatchClass, patterns.len() as u32, loc);
        self.op_arg(Op::Copy, 1, loc);
        self.load_none(loc);
        self.op_arg(Op::IsOp, 1, loc);
        context.on_top += 1;
        self.jump_to_fail_pop(Op::PopJumpIfFalse, context, loc);
        let count = patterns.len() + kwd_attrs.len();
        self.op_arg(Op::UnpackSequence, count as u32, loc);
        context.on_top += count;
        context.on_top -= 1;
        for inner in patterns.iter().chain(kwd_patterns) {
            context.on_top -= 1;
            if is_wildcard(inner) {
                self.op(Op::PopTop, loc);
                continue;
            }
            self.subpattern(inner, context)?;
        }
        Ok(())
    }

    fn or_pattern(&mut self, patterns: &'a [&'a Pattern<'a>], context: &mut Context<'a>, loc: Loc) -> Done {
        let end = self.new_label();
        let size = patterns.len();
        let mut outer = std::mem::take(context);
        let mut control: Vec<&'a str> = Vec::new();
        for (i, pattern) in patterns.iter().enumerate() {
            let at = Loc::from(pattern.range);
            context.stores = Vec::new();
            context.allow_irrefutable = i + 1 == size && outer.allow_irrefutable;
            context.fail_pop = Vec::new();
            context.on_top = 0;
            self.op_arg(Op::Copy, 1, at);
            self.pattern(pattern, context)?;
            if i == 0 {
                control = context.stores.clone();
            } else if control.len() != context.stores.len() {
                return self.error("alternative patterns bind different names", loc);
            } else {
                self.align_captures(&control, context, at, loc)?;
            }
            self.jump(Op::Jump, end, at);
            self.emit_fail_pop(context, at);
        }
        std::mem::swap(context, &mut outer);
        self.op(Op::PopTop, loc);
        self.jump_to_fail_pop(Op::Jump, context, loc);
        self.use_label(end);
        let captured = control.len();
        let rotations = captured + 1 + context.on_top + context.stores.len();
        for name in control {
            self.rotate(rotations, loc);
            if context.stores.contains(&name) {
                return self.error(format!("multiple assignments to name '{name}' in pattern"), loc);
            }
            context.stores.push(name);
        }
        self.op(Op::PopTop, loc);
        Ok(())
    }

    /// Brings the captures of an alternative into the order of the first one's.
    fn align_captures(
        &mut self,
        control: &[&'a str],
        context: &mut Context<'a>,
        alternative: Loc,
        whole: Loc,
    ) -> Done {
        for index in (0..control.len()).rev() {
            let name = control[index];
            let Some(found) = context.stores.iter().position(|other| *other == name) else {
                return self.error("alternative patterns bind different names", whole);
            };
            if index == found {
                continue;
            }
            let rotations = found + 1;
            let moved: Vec<_> = context.stores.drain(..rotations).collect();
            let at = index - found;
            context.stores.splice(at..at, moved);
            for _ in 0..rotations {
                self.rotate(index + 1, alternative);
            }
        }
        Ok(())
    }
}

fn is_pattern_value(value: &Expr<'_>) -> bool {
    matches!(
        value.kind,
        ExprKind::Constant(_)
            | ExprKind::Attribute { .. }
            | ExprKind::UnaryOp { .. }
            | ExprKind::BinOp { .. }
    )
}

/// `-1`, `-1.5`, `1 + 2j`: literals that patterns allow.
fn fold_literal(value: &Expr<'_>) -> Option<Const> {
    crate::fold::literal(value)
}

/// Numbers that are equal are the same key.
fn dict_key(constant: &Const) -> Const {
    match constant {
        Const::True => Const::Int(1),
        Const::False => Const::Int(0),
        Const::Float(value) if value.fract() == 0.0 && value.abs() < 9e15 => Const::Int(*value as i64),
        Const::Complex(real, imag) if *imag == 0.0 => dict_key(&Const::Float(*real)),
        other => other.clone(),
    }
}
