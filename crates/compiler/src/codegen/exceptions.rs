//! `try` and `with`.

use taipan_bytecode::AnyOpcode as Op;
use taipan_bytecode::opcode::{Intrinsic2, SpecialMethod};
use taipan_parser::ast::{Try, With};

use super::unwind::{BlockKind, Body2};
use super::{Compiler, Done, ScopeType};
use crate::instruction::{Label, Loc};

impl<'a> Compiler<'a, '_> {
    fn pop_except_and_reraise(&mut self) {
        self.op_arg(Op::Copy, 3, Loc::NONE);
        self.op(Op::PopExcept, Loc::NONE);
        self.op_arg(Op::Reraise, 1, Loc::NONE);
    }

    pub(super) fn try_stmt(&mut self, node: &'a Try<'a>, star: bool, loc: Loc) -> Done {
        if node.finalbody.is_empty() {
            return self.try_handlers(node, star, loc);
        }
        let (body, end) = (self.new_label(), self.new_label());
        let (exit, cleanup) = (self.new_label(), self.new_label());
        self.jump(Op::SetupFinally, end, loc);
        self.use_label(body);
        self.push_block(BlockKind::FinallyTry(Body2(node.finalbody)), body, Some(end), loc)?;
        if node.handlers.is_empty() {
            self.stmts(node.body)?;
        } else {
            self.try_handlers(node, star, loc)?;
        }
        self.op(Op::PopBlock, Loc::NONE);
        self.pop_block();
        self.stmts(node.finalbody)?;
        self.jump(Op::JumpNoInterrupt, exit, Loc::NONE);
        self.use_label(end);
        self.push_block(BlockKind::FinallyEnd, end, None, loc)?;
        self.jump(Op::SetupCleanup, cleanup, Loc::NONE);
        self.op(Op::PushExcInfo, Loc::NONE);
        self.silent += 1;
        self.stmts(node.finalbody)?;
        self.silent -= 1;
        self.pop_block();
        self.op_arg(Op::Reraise, 0, Loc::NONE);
        self.use_label(cleanup);
        self.pop_except_and_reraise();
        self.use_label(exit);
        Ok(())
    }

    fn try_handlers(&mut self, node: &'a Try<'a>, star: bool, loc: Loc) -> Done {
        if star { self.try_star(node, loc) } else { self.try_except(node, loc) }
    }

    fn try_except(&mut self, node: &'a Try<'a>, loc: Loc) -> Done {
        let (body, mut except) = (self.new_label(), self.new_label());
        let (end, cleanup) = (self.new_label(), self.new_label());
        self.jump(Op::SetupFinally, except, loc);
        self.use_label(body);
        self.push_block(BlockKind::TryExcept, body, None, loc)?;
        self.stmts(node.body)?;
        self.pop_block();
        self.op(Op::PopBlock, Loc::NONE);
        self.stmts(node.orelse)?;
        self.jump(Op::JumpNoInterrupt, end, Loc::NONE);
        self.use_label(except);
        self.jump(Op::SetupCleanup, cleanup, Loc::NONE);
        self.op(Op::PushExcInfo, Loc::NONE);
        self.push_block(BlockKind::ExceptionHandler, except, None, loc)?;
        for (i, handler) in node.handlers.iter().enumerate() {
            let at = Loc::from(handler.range);
            if handler.type_.is_none() && i + 1 < node.handlers.len() {
                return self.error("default 'except:' must be last", at);
            }
            except = self.new_label();
            if let Some(type_) = handler.type_ {
                self.expr(type_)?;
                self.op(Op::CheckExcMatch, at);
                self.jump(Op::PopJumpIfFalse, except, at);
            }
            let inner = self.new_label();
            if let Some(name) = handler.name {
                let cleanup_end = self.new_label();
                self.store_name(name, at)?;
                self.jump(Op::SetupCleanup, cleanup_end, at);
                self.use_label(inner);
                self.push_block(BlockKind::HandlerCleanup(Some(name)), inner, None, at)?;
                self.stmts(handler.body)?;
                self.pop_block();
                self.op(Op::PopBlock, Loc::NONE);
                self.op(Op::PopBlock, Loc::NONE);
                self.op(Op::PopExcept, Loc::NONE);
                self.unbind(name, Loc::NONE)?;
                self.jump(Op::JumpNoInterrupt, end, Loc::NONE);
                self.use_label(cleanup_end);
                self.unbind(name, Loc::NONE)?;
                self.op_arg(Op::Reraise, 1, Loc::NONE);
            } else {
                self.op(Op::PopTop, at);
                self.use_label(inner);
                self.push_block(BlockKind::HandlerCleanup(None), inner, None, at)?;
                self.stmts(handler.body)?;
                self.pop_block();
                self.op(Op::PopBlock, Loc::NONE);
                self.op(Op::PopExcept, Loc::NONE);
                self.jump(Op::JumpNoInterrupt, end, Loc::NONE);
            }
            self.use_label(except);
        }
        self.pop_block();
        self.op_arg(Op::Reraise, 0, Loc::NONE);
        self.use_label(cleanup);
        self.pop_except_and_reraise();
        self.use_label(end);
        Ok(())
    }

    fn try_star(&mut self, node: &'a Try<'a>, loc: Loc) -> Done {
        let (body, handlers) = (self.new_label(), self.new_label());
        let (orelse, end) = (self.new_label(), self.new_label());
        let (cleanup, reraise_star) = (self.new_label(), self.new_label());
        self.jump(Op::SetupFinally, handlers, loc);
        self.use_label(body);
        self.push_block(BlockKind::TryExcept, body, None, loc)?;
        self.stmts(node.body)?;
        self.pop_block();
        self.op(Op::PopBlock, Loc::NONE);
        self.jump(Op::JumpNoInterrupt, orelse, Loc::NONE);
        self.use_label(handlers);
        self.jump(Op::SetupCleanup, cleanup, Loc::NONE);
        self.op(Op::PushExcInfo, Loc::NONE);
        self.push_block(BlockKind::ExceptionGroupHandler, handlers, None, loc)?;
        for (i, handler) in node.handlers.iter().enumerate() {
            let at = Loc::from(handler.range);
            let (except, with_error, no_match) = (self.new_label(), self.new_label(), self.new_label());
            if i == 0 {
                self.op_arg(Op::BuildList, 0, at);
                self.op_arg(Op::Copy, 2, at);
            }
            if let Some(type_) = handler.type_ {
                self.expr(type_)?;
                self.op(Op::CheckEgMatch, at);
                self.op_arg(Op::Copy, 1, at);
                self.jump(Op::PopJumpIfNone, no_match, at);
            }
            let (cleanup_end, cleanup_body) = (self.new_label(), self.new_label());
            match handler.name {
                Some(name) => self.store_name(name, at)?,
                None => self.op(Op::PopTop, at),
            }
            self.jump(Op::SetupCleanup, cleanup_end, at);
            self.use_label(cleanup_body);
            self.push_block(BlockKind::HandlerCleanup(handler.name), cleanup_body, None, at)?;
            self.stmts(handler.body)?;
            self.pop_block();
            self.op(Op::PopBlock, Loc::NONE);
            if let Some(name) = handler.name {
                self.unbind(name, Loc::NONE)?;
            }
            self.jump(Op::JumpNoInterrupt, except, Loc::NONE);
            self.use_label(cleanup_end);
            if let Some(name) = handler.name {
                self.unbind(name, Loc::NONE)?;
            }
            self.op_arg(Op::ListAppend, 3, Loc::NONE);
            self.op(Op::PopTop, Loc::NONE);
            self.jump(Op::JumpNoInterrupt, with_error, Loc::NONE);
            self.use_label(except);
            self.op(Op::Nop, Loc::NONE);
            self.jump(Op::JumpNoInterrupt, with_error, Loc::NONE);
            self.use_label(no_match);
            self.op(Op::PopTop, at);
            self.use_label(with_error);
            if i + 1 == node.handlers.len() {
                self.op_arg(Op::ListAppend, 1, Loc::NONE);
                self.jump(Op::JumpNoInterrupt, reraise_star, Loc::NONE);
            }
        }
        self.pop_block();
        let reraise = self.new_label();
        self.use_label(reraise_star);
        self.op_arg(Op::CallIntrinsic2, Intrinsic2::PrepReraiseStar as u32, Loc::NONE);
        self.op_arg(Op::Copy, 1, Loc::NONE);
        self.jump(Op::PopJumpIfNotNone, reraise, Loc::NONE);
        self.op(Op::PopTop, Loc::NONE);
        self.op(Op::PopBlock, Loc::NONE);
        self.op(Op::PopExcept, Loc::NONE);
        self.jump(Op::JumpNoInterrupt, end, Loc::NONE);
        self.use_label(reraise);
        self.op(Op::PopBlock, Loc::NONE);
        self.op_arg(Op::Swap, 2, Loc::NONE);
        self.op(Op::PopExcept, Loc::NONE);
        self.op_arg(Op::Reraise, 0, Loc::NONE);
        self.use_label(cleanup);
        self.pop_except_and_reraise();
        self.use_label(orelse);
        self.stmts(node.orelse)?;
        self.use_label(end);
        Ok(())
    }

    pub(super) fn with_stmt(&mut self, node: &'a With<'a>, index: usize, is_async: bool, loc: Loc) -> Done {
        let Some(item) = node.items.get(index) else { return self.stmts(node.body) };
        if is_async && !self.top_level_await() && self.unit.scope_type != ScopeType::AsyncFunction {
            return self.error("'async with' outside async function", loc);
        }
        let (block, last, exit) = (self.new_label(), self.new_label(), self.new_label());
        let cleanup = self.new_label();
        self.expr(item.context_expr)?;
        let at = Loc::from(item.context_expr.range);
        let (enter, leave, kind) = if is_async {
            (SpecialMethod::Aenter, SpecialMethod::Aexit, BlockKind::AsyncWith)
        } else {
            (SpecialMethod::Enter, SpecialMethod::Exit, BlockKind::With)
        };
        self.op_arg(Op::Copy, 1, at);
        self.op_arg(Op::LoadSpecial, leave as u32, at);
        self.op_arg(Op::Swap, 2, at);
        self.op_arg(Op::Swap, 3, at);
        self.op_arg(Op::LoadSpecial, enter as u32, at);
        self.op_arg(Op::Call, 0, at);
        if is_async {
            self.op_arg(Op::GetAwaitable, 1, at);
            self.load_none(at);
            self.yield_from(true, at);
        }
        self.jump(Op::SetupWith, last, at);
        self.use_label(block);
        self.push_block(kind, block, Some(last), at)?;
        match item.optional_vars {
            Some(target) => self.expr(target)?,
            None => self.op(Op::PopTop, at),
        }
        if index + 1 == node.items.len() {
            self.stmts(node.body)?;
        } else {
            self.with_stmt(node, index + 1, is_async, loc)?;
        }
        self.pop_block();
        self.op(Op::PopBlock, if is_async { at } else { Loc::NONE });
        self.call_exit_with_nones(at);
        if is_async {
            self.op_arg(Op::GetAwaitable, 2, at);
            self.load_none(at);
            self.yield_from(true, at);
        }
        self.op(Op::PopTop, at);
        self.jump(Op::Jump, exit, at);
        self.use_label(last);
        self.jump(Op::SetupCleanup, cleanup, at);
        self.op(Op::PushExcInfo, at);
        self.op(Op::WithExceptStart, at);
        if is_async {
            self.op_arg(Op::GetAwaitable, 2, at);
            self.load_none(at);
            self.yield_from(true, at);
        }
        self.with_except_finish(cleanup);
        self.use_label(exit);
        Ok(())
    }

    fn with_except_finish(&mut self, cleanup: Label) {
        let (suppress, exit) = (self.new_label(), self.new_label());
        self.op(Op::ToBool, Loc::NONE);
        self.jump(Op::PopJumpIfTrue, suppress, Loc::NONE);
        self.op_arg(Op::Reraise, 2, Loc::NONE);
        self.use_label(suppress);
        self.op(Op::PopTop, Loc::NONE);
        self.op(Op::PopBlock, Loc::NONE);
        self.op(Op::PopExcept, Loc::NONE);
        for _ in 0..3 {
            self.op(Op::PopTop, Loc::NONE);
        }
        self.jump(Op::JumpNoInterrupt, exit, Loc::NONE);
        self.use_label(cleanup);
        self.pop_except_and_reraise();
        self.use_label(exit);
    }
}
