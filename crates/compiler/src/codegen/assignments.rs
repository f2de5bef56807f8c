//! Augmented assignment, unpacking, slices.

use taipan_bytecode::opcode::BinaryOp;
use taipan_bytecode::{AnyOpcode as Op, Const};
use taipan_parser::ast::{Expr, ExprContext, ExprKind, ExprList, Operator};

use super::{Compiler, Done};
use crate::instruction::Loc;

/// The argument of `BINARY_OP`.
pub fn binary_op(op: Operator) -> BinaryOp {
    match op {
        Operator::Add => BinaryOp::Add,
        Operator::Sub => BinaryOp::Subtract,
        Operator::Mult => BinaryOp::Multiply,
        Operator::MatMult => BinaryOp::MatrixMultiply,
        Operator::Div => BinaryOp::TrueDivide,
        Operator::Mod => BinaryOp::Remainder,
        Operator::Pow => BinaryOp::Power,
        Operator::LShift => BinaryOp::Lshift,
        Operator::RShift => BinaryOp::Rshift,
        Operator::BitOr => BinaryOp::Or,
        Operator::BitXor => BinaryOp::Xor,
        Operator::BitAnd => BinaryOp::And,
        Operator::FloorDiv => BinaryOp::FloorDivide,
    }
}

/// The position of an attribute access: that of the name, when it stands on another line than the start.
pub fn attribute_loc(mut loc: Loc, expr: &Expr<'_>) -> Loc {
    let ExprKind::Attribute { attr, .. } = expr.kind else { return loc };
    let (end_line, end_col) = (expr.range.end_line as i32, expr.range.end_col as i32);
    if loc.line != end_line {
        loc.line = end_line;
        let length = attr.chars().count() as i32;
        if length <= end_col {
            loc.col = end_col - length;
        } else {
            loc.col = -1;
            loc.end_col = -1;
        }
        loc.end_line = loc.end_line.max(loc.line);
    }
    loc
}

impl<'a> Compiler<'a, '_> {
    pub(super) fn aug_assign(
        &mut self,
        loc: Loc,
        target: &'a Expr<'a>,
        op: Operator,
        value: &'a Expr<'a>,
    ) -> Done {
        let at = Loc::from(target.range);
        let in_place = binary_op(op) as u32 + BinaryOp::InplaceAdd as u32;
        match target.kind {
            ExprKind::Attribute { value: owner, attr, .. } => {
                self.expr(owner)?;
                self.op_arg(Op::Copy, 1, at);
                let at = attribute_loc(at, target);
                self.load_attr(attr, at);
                self.expr(value)?;
                self.op_arg(Op::BinaryOp, in_place, loc);
                self.op_arg(Op::Swap, 2, at);
                self.op_name(Op::StoreAttr, attr, at);
            }
            ExprKind::Subscript { value: owner, slice, .. } => {
                self.expr(owner)?;
                let parts = self.slice_parts(slice);
                if parts {
                    self.push_slice_parts(slice)?;
                    for _ in 0..3 {
                        self.op_arg(Op::Copy, 3, at);
                    }
                    self.op(Op::BinarySlice, at);
                } else {
                    self.expr(slice)?;
                    self.op_arg(Op::Copy, 2, at);
                    self.op_arg(Op::Copy, 2, at);
                    self.op_arg(Op::BinaryOp, BinaryOp::Subscr as u32, at);
                }
                self.expr(value)?;
                self.op_arg(Op::BinaryOp, in_place, loc);
                if parts {
                    self.op_arg(Op::Swap, 4, at);
                    self.op_arg(Op::Swap, 3, at);
                    self.op_arg(Op::Swap, 2, at);
                    self.op(Op::StoreSlice, at);
                } else {
                    self.op_arg(Op::Swap, 3, at);
                    self.op_arg(Op::Swap, 2, at);
                    self.op(Op::StoreSubscr, at);
                }
            }
            ExprKind::Name { id, .. } => {
                self.load_name(id, at)?;
                self.expr(value)?;
                self.op_arg(Op::BinaryOp, in_place, loc);
                self.store_name(id, at)?;
            }
            _ => return self.error("invalid node type for augmented assignment", target.range),
        }
        Ok(())
    }

    /// Unpacks the top into targets.
    pub(super) fn unpack(&mut self, elts: ExprList<'a>, loc: Loc) -> Done {
        let mut starred = false;
        for (i, elt) in elts.iter().enumerate() {
            if !matches!(elt.kind, ExprKind::Starred { .. }) {
                continue;
            }
            if starred {
                return self.error("multiple starred expressions in assignment", loc);
            }
            let after = elts.len() - i - 1;
            if i >= 1 << 8 || after >= (i32::MAX as usize) >> 8 {
                return self.error("too many expressions in star-unpacking assignment", loc);
            }
            starred = true;
            self.op_arg(Op::UnpackEx, (i + (after << 8)) as u32, loc);
        }
        if !starred {
            self.op_arg(Op::UnpackSequence, elts.len() as u32, loc);
        }
        elts.iter().try_for_each(|elt| match elt.kind {
            ExprKind::Starred { value, .. } => self.expr(value),
            _ => self.expr(elt),
        })
    }

    /// Pushes elements and builds a list, set or (`tuple`) tuple of them and of `pushed` values below.
    pub(super) fn build_sequence(
        &mut self,
        elts: ExprList<'a>,
        injected: Option<&'a str>,
        pushed: u32,
        [build, add, extend]: [Op; 3],
        tuple: bool,
        loc: Loc,
    ) -> Done {
        let count = elts.len() as u32 + u32::from(injected.is_some());
        let big = count + pushed > super::expressions::STACK_GUIDELINE;
        let starred = elts.iter().any(|elt| matches!(elt.kind, ExprKind::Starred { .. }));
        if !starred && !big {
            elts.iter().try_for_each(|elt| self.expr(elt))?;
            if let Some(name) = injected {
                self.load_name(name, loc)?;
            }
            self.op_arg(if tuple { Op::BuildTuple } else { build }, count + pushed, loc);
            return Ok(());
        }
        let mut built = big;
        if big {
            self.op_arg(build, pushed, loc);
        }
        for (i, elt) in elts.iter().enumerate() {
            if let ExprKind::Starred { value, .. } = elt.kind {
                if !built {
                    self.op_arg(build, i as u32 + pushed, loc);
                    built = true;
                }
                self.expr(value)?;
                self.op_arg(extend, 1, loc);
            } else {
                self.expr(elt)?;
                if built {
                    self.op_arg(add, 1, loc);
                }
            }
        }
        if let Some(name) = injected {
            self.load_name(name, loc)?;
            self.op_arg(add, 1, loc);
        }
        if tuple {
            self.op_arg(Op::CallIntrinsic1, taipan_bytecode::opcode::Intrinsic1::ListToTuple as u32, loc);
        }
        Ok(())
    }

    /// A slice of constants as a constant.
    fn constant_slice(&self, slice: &'a Expr<'a>) -> Option<Const> {
        let ExprKind::Slice { lower, upper, step } = slice.kind else { return None };
        let part = |part: Option<&'a Expr<'a>>| match part {
            None => Some(Const::None),
            Some(expr) => self.constant_of(expr),
        };
        Some(Const::Slice(std::rc::Rc::new([part(lower)?, part(upper)?, part(step)?])))
    }

    /// Whether a slice is passed as start and stop.
    pub(super) fn slice_parts(&self, slice: &'a Expr<'a>) -> bool {
        matches!(slice.kind, ExprKind::Slice { step: None, .. }) && self.constant_slice(slice).is_none()
    }

    pub(super) fn push_slice_parts(&mut self, slice: &'a Expr<'a>) -> Done {
        let ExprKind::Slice { lower, upper, .. } = slice.kind else { return Ok(()) };
        for part in [lower, upper] {
            match part {
                Some(part) => self.expr(part)?,
                None => self.load_none(slice.range),
            }
        }
        Ok(())
    }

    pub(super) fn slice(&mut self, slice: &'a Expr<'a>) -> Done {
        let ExprKind::Slice { step, .. } = slice.kind else { return Ok(()) };
        if let Some(constant) = self.constant_slice(slice) {
            self.load_const(constant, slice.range);
            return Ok(());
        }
        self.push_slice_parts(slice)?;
        let mut count = 2;
        if let Some(step) = step {
            self.expr(step)?;
            count = 3;
        }
        self.op_arg(Op::BuildSlice, count, slice.range);
        Ok(())
    }

    pub(super) fn subscript(
        &mut self,
        expr: &'a Expr<'a>,
        value: &'a Expr<'a>,
        slice: &'a Expr<'a>,
        ctx: ExprContext,
    ) -> Done {
        let loc = Loc::from(expr.range);
        if ctx == ExprContext::Load {
            self.check_subscripter(value);
            self.check_index(value, slice);
        }
        self.expr(value)?;
        if self.slice_parts(slice) && ctx != ExprContext::Del {
            self.push_slice_parts(slice)?;
            self.op(if ctx == ExprContext::Load { Op::BinarySlice } else { Op::StoreSlice }, loc);
            return Ok(());
        }
        self.expr(slice)?;
        match ctx {
            ExprContext::Load => self.op_arg(Op::BinaryOp, BinaryOp::Subscr as u32, loc),
            ExprContext::Store => self.op(Op::StoreSubscr, loc),
            ExprContext::Del => self.op(Op::DeleteSubscr, loc),
        }
        Ok(())
    }
}
