//! Conditions: jumps by the truth of an expression, comparisons, Boolean operators.

use taipan_bytecode::AnyOpcode as Op;
use taipan_bytecode::opcode::CompareOp;
use taipan_parser::ast::{BoolOp, CmpOp, Expr, ExprKind, ExprList, UnaryOp};

use super::{Compiler, Done};
use crate::instruction::{Label, Loc};

impl<'a> Compiler<'a, '_> {
    /// Jumps when the expression's truth is `when`.
    pub(super) fn jump_if(&mut self, loc: Loc, expr: &'a Expr<'a>, target: Label, when: bool) -> Done {
        self.check_stack()?;
        self.jump_if_kind(loc, expr, target, when)?;
        Ok(())
    }

    fn jump_if_kind(&mut self, loc: Loc, expr: &'a Expr<'a>, target: Label, when: bool) -> Done {
        match expr.kind {
            ExprKind::UnaryOp { op: UnaryOp::Not, operand } => {
                return self.jump_if(loc, operand, target, !when);
            }
            ExprKind::BoolOp { op, values } => {
                let inner_when = op == BoolOp::Or;
                let inner = if inner_when == when { target } else { self.new_label() };
                let Some((last, first)) = values.split_last() else { return Ok(()) };
                first.iter().try_for_each(|value| self.jump_if(loc, value, inner, inner_when))?;
                self.jump_if(loc, last, target, when)?;
                if inner != target {
                    self.use_label(inner);
                }
                return Ok(());
            }
            ExprKind::IfExp { test, body, orelse } => {
                let (end, next) = (self.new_label(), self.new_label());
                self.jump_if(loc, test, next, false)?;
                self.jump_if(loc, body, target, when)?;
                self.jump(Op::JumpNoInterrupt, end, Loc::NONE);
                self.use_label(next);
                self.jump_if(loc, orelse, target, when)?;
                self.use_label(end);
                return Ok(());
            }
            ExprKind::Compare { left, ops, comparators } if ops.len() > 1 => {
                return self.jump_if_chain(expr, left, ops, comparators, target, when);
            }
            _ => {}
        }
        self.expr(expr)?;
        self.op(Op::ToBool, expr.range);
        self.jump(if when { Op::PopJumpIfTrue } else { Op::PopJumpIfFalse }, target, expr.range);
        Ok(())
    }

    fn jump_if_chain(
        &mut self,
        expr: &'a Expr<'a>,
        left: &'a Expr<'a>,
        ops: &'a [CmpOp],
        comparators: ExprList<'a>,
        target: Label,
        when: bool,
    ) -> Done {
        let loc = Loc::from(expr.range);
        self.check_compare(expr);
        let cleanup = self.new_label();
        self.expr(left)?;
        let last = ops.len() - 1;
        for (i, (op, comparator)) in ops.iter().zip(comparators).enumerate() {
            self.expr(comparator)?;
            if i == last {
                self.compare_op(*op, loc);
                break;
            }
            self.op_arg(Op::Swap, 2, loc);
            self.op_arg(Op::Copy, 2, loc);
            self.compare_op(*op, loc);
            self.op(Op::ToBool, loc);
            self.jump(Op::PopJumpIfFalse, cleanup, loc);
        }
        self.op(Op::ToBool, loc);
        self.jump(if when { Op::PopJumpIfTrue } else { Op::PopJumpIfFalse }, target, loc);
        let end = self.new_label();
        self.jump(Op::JumpNoInterrupt, end, Loc::NONE);
        self.use_label(cleanup);
        self.op(Op::PopTop, loc);
        if !when {
            self.jump(Op::JumpNoInterrupt, target, Loc::NONE);
        }
        self.use_label(end);
        Ok(())
    }

    pub(super) fn compare_op(&mut self, op: CmpOp, loc: Loc) {
        let compare = match op {
            CmpOp::Eq => CompareOp::Eq,
            CmpOp::NotEq => CompareOp::Ne,
            CmpOp::Lt => CompareOp::Lt,
            CmpOp::LtE => CompareOp::Le,
            CmpOp::Gt => CompareOp::Gt,
            CmpOp::GtE => CompareOp::Ge,
            CmpOp::Is => return self.op_arg(Op::IsOp, 0, loc),
            CmpOp::IsNot => return self.op_arg(Op::IsOp, 1, loc),
            CmpOp::In => return self.op_arg(Op::ContainsOp, 0, loc),
            CmpOp::NotIn => return self.op_arg(Op::ContainsOp, 1, loc),
        };
        self.op_arg(Op::CompareOp, compare.oparg(false), loc);
    }

    pub(super) fn compare(
        &mut self,
        expr: &'a Expr<'a>,
        left: &'a Expr<'a>,
        ops: &'a [CmpOp],
        comparators: ExprList<'a>,
    ) -> Done {
        let loc = Loc::from(expr.range);
        self.check_compare(expr);
        self.expr(left)?;
        let cleanup = self.new_label();
        let last = ops.len().saturating_sub(1);
        for (i, (op, comparator)) in ops.iter().zip(comparators).enumerate() {
            self.expr(comparator)?;
            if i == last {
                self.compare_op(*op, loc);
                break;
            }
            self.op_arg(Op::Swap, 2, loc);
            self.op_arg(Op::Copy, 2, loc);
            self.compare_op(*op, loc);
            self.op_arg(Op::Copy, 1, loc);
            self.op(Op::ToBool, loc);
            self.jump(Op::PopJumpIfFalse, cleanup, loc);
            self.op(Op::PopTop, loc);
        }
        if last > 0 {
            let end = self.new_label();
            self.jump(Op::JumpNoInterrupt, end, Loc::NONE);
            self.use_label(cleanup);
            self.op_arg(Op::Swap, 2, loc);
            self.op(Op::PopTop, loc);
            self.use_label(end);
        }
        Ok(())
    }

    pub(super) fn bool_op(&mut self, op: BoolOp, values: ExprList<'a>, loc: Loc) -> Done {
        let jump = if op == BoolOp::And { Op::JumpIfFalse } else { Op::JumpIfTrue };
        let end = self.new_label();
        let Some((last, first)) = values.split_last() else { return Ok(()) };
        for value in first {
            self.expr(value)?;
            self.jump(jump, end, loc);
            self.op(Op::PopTop, loc);
        }
        self.expr(last)?;
        self.use_label(end);
        Ok(())
    }
}
