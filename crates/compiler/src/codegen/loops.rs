//! Loops and `if`.

use taipan_bytecode::AnyOpcode as Op;
use taipan_parser::ast::{Body, Expr, For};

use super::unwind::BlockKind;
use super::{Compiler, Done, ScopeType};
use crate::instruction::Loc;

impl<'a> Compiler<'a, '_> {
    pub(super) fn if_stmt(&mut self, test: &'a Expr<'a>, body: Body<'a>, orelse: Body<'a>, loc: Loc) -> Done {
        let end = self.new_label();
        let next = if orelse.is_empty() { end } else { self.new_label() };
        self.jump_if(loc, test, next, false)?;
        self.stmts(body)?;
        if !orelse.is_empty() {
            self.jump(Op::JumpNoInterrupt, end, Loc::NONE);
            self.use_label(next);
            self.stmts(orelse)?;
        }
        self.use_label(end);
        Ok(())
    }

    pub(super) fn while_stmt(
        &mut self,
        test: &'a Expr<'a>,
        body: Body<'a>,
        orelse: Body<'a>,
        loc: Loc,
    ) -> Done {
        let (start, end, anchor) = (self.new_label(), self.new_label(), self.new_label());
        self.use_label(start);
        self.push_block(BlockKind::WhileLoop, start, Some(end), loc)?;
        self.jump_if(loc, test, anchor, false)?;
        self.stmts(body)?;
        self.jump(Op::Jump, start, Loc::NONE);
        self.pop_block();
        self.use_label(anchor);
        self.stmts(orelse)?;
        self.use_label(end);
        Ok(())
    }

    pub(super) fn for_stmt(&mut self, node: &'a For<'a>, loc: Loc) -> Done {
        let (start, cleanup, end) = (self.new_label(), self.new_label(), self.new_label());
        self.push_block(BlockKind::ForLoop, start, Some(end), loc)?;
        self.expr(node.iter)?;
        self.op(Op::GetIter, node.iter.range);
        self.use_label(start);
        self.jump(Op::ForIter, cleanup, node.iter.range);
        self.op(Op::Nop, node.target.range);
        self.expr(node.target)?;
        self.stmts(node.body)?;
        self.jump(Op::Jump, start, Loc::NONE);
        self.use_label(cleanup);
        self.op(Op::EndFor, Loc::NONE);
        self.op(Op::PopIter, Loc::NONE);
        self.pop_block();
        self.stmts(node.orelse)?;
        self.use_label(end);
        Ok(())
    }

    pub(super) fn async_for_stmt(&mut self, node: &'a For<'a>, loc: Loc) -> Done {
        if !self.top_level_await() && self.unit.scope_type != ScopeType::AsyncFunction {
            return self.error("'async for' outside async function", loc);
        }
        let (start, send) = (self.new_label(), self.new_label());
        let (except, end) = (self.new_label(), self.new_label());
        self.expr(node.iter)?;
        self.op(Op::GetAiter, node.iter.range);
        self.use_label(start);
        self.push_block(BlockKind::ForLoop, start, Some(end), loc)?;
        self.jump(Op::SetupFinally, except, loc);
        self.op(Op::GetAnext, loc);
        self.load_none(loc);
        self.use_label(send);
        self.yield_from(true, loc);
        self.op(Op::PopBlock, loc);
        self.op(Op::NotTaken, loc);
        self.expr(node.target)?;
        self.stmts(node.body)?;
        self.jump(Op::Jump, start, Loc::NONE);
        self.pop_block();
        self.use_label(except);
        self.jump(Op::EndAsyncFor, send, node.iter.range);
        self.stmts(node.orelse)?;
        self.use_label(end);
        Ok(())
    }
}
