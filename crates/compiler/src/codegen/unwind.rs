//! Blocks that have to be left properly: loops, `try`, `with`, handlers. `return`, `break` and `continue` unwind them.

use taipan_bytecode::{AnyOpcode as Op, Const};
use taipan_parser::ast::Body;

use super::{Compiler, Done, ScopeType};
use crate::SyntaxError;
use crate::instruction::{Label, Loc};

/// How deep blocks may nest (`CO_MAXBLOCKS`).
const MAX_BLOCKS: usize = 21;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BlockKind<'a> {
    WhileLoop,
    ForLoop,
    TryExcept,
    /// With the `finally` body, which is compiled again at each exit.
    FinallyTry(Body2<'a>),
    FinallyEnd,
    With,
    AsyncWith,
    /// With the name that `except … as` binds.
    HandlerCleanup(Option<&'a str>),
    PopValue,
    ExceptionHandler,
    ExceptionGroupHandler,
    AsyncComprehensionGenerator,
    StopIteration,
}

/// A body that compares by identity.
#[derive(Clone, Copy, Debug)]
pub struct Body2<'a>(pub Body<'a>);

impl PartialEq for Body2<'_> {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0)
    }
}

impl Eq for Body2<'_> {}

#[derive(Clone, Copy, Debug)]
pub struct FrameBlock<'a> {
    pub kind: BlockKind<'a>,
    pub label: Label,
    pub exit: Option<Label>,
    pub loc: Loc,
}

impl<'a> Compiler<'a, '_> {
    pub(super) fn push_block(
        &mut self,
        kind: BlockKind<'a>,
        label: Label,
        exit: Option<Label>,
        loc: Loc,
    ) -> Done {
        self.check_blocks(loc)?;
        self.unit.blocks.push(FrameBlock { kind, label, exit, loc });
        Ok(())
    }

    /// Asks for room for one more block.
    pub(super) fn check_blocks(&self, loc: Loc) -> Done {
        if self.unit.blocks.len() + self.unit.comprehension_blocks >= MAX_BLOCKS {
            return self.error("too many statically nested blocks", loc);
        }
        Ok(())
    }

    pub(super) fn pop_block(&mut self) {
        self.unit.blocks.pop();
    }

    /// Calls `__exit__(None, None, None)`.
    pub(super) fn call_exit_with_nones(&mut self, loc: Loc) {
        for _ in 0..3 {
            self.load_const(Const::None, loc);
        }
        self.op_arg(Op::Call, 3, loc);
    }

    /// Leaves one block; `keep_top` says that a value on top survives. `loc` becomes artificial behind a `with`.
    fn unwind_one(&mut self, block: &FrameBlock<'a>, loc: &mut Loc, keep_top: bool) -> Done {
        match block.kind {
            BlockKind::WhileLoop
            | BlockKind::ExceptionHandler
            | BlockKind::ExceptionGroupHandler
            | BlockKind::AsyncComprehensionGenerator
            | BlockKind::StopIteration => {}
            BlockKind::ForLoop => {
                if keep_top {
                    self.op_arg(Op::Swap, 2, *loc);
                }
                self.op(Op::PopTop, *loc);
            }
            BlockKind::TryExcept => self.op(Op::PopBlock, *loc),
            BlockKind::FinallyTry(body) => {
                // This body is inlined here, in the context of the blocks around it.
                self.op(Op::PopBlock, *loc);
                if keep_top {
                    self.push_block(BlockKind::PopValue, block.label, None, *loc)?;
                }
                self.silent += 1;
                body.0.iter().try_for_each(|stmt| self.stmt(stmt))?;
                self.silent -= 1;
                if keep_top {
                    self.pop_block();
                }
                *loc = Loc::NONE;
            }
            BlockKind::FinallyEnd => {
                if keep_top {
                    self.op_arg(Op::Swap, 2, *loc);
                }
                self.op(Op::PopTop, *loc);
                if keep_top {
                    self.op_arg(Op::Swap, 2, *loc);
                }
                self.op(Op::PopBlock, *loc);
                self.op(Op::PopExcept, *loc);
            }
            BlockKind::With | BlockKind::AsyncWith => {
                *loc = block.loc;
                self.op(Op::PopBlock, *loc);
                if keep_top {
                    self.op_arg(Op::Swap, 3, *loc);
                    self.op_arg(Op::Swap, 2, *loc);
                }
                self.call_exit_with_nones(*loc);
                if block.kind == BlockKind::AsyncWith {
                    self.op_arg(Op::GetAwaitable, 2, *loc);
                    self.load_const(Const::None, *loc);
                    self.yield_from(true, *loc);
                }
                self.op(Op::PopTop, *loc);
                *loc = Loc::NONE;
            }
            BlockKind::HandlerCleanup(name) => {
                if name.is_some() {
                    self.op(Op::PopBlock, *loc);
                }
                if keep_top {
                    self.op_arg(Op::Swap, 2, *loc);
                }
                self.op(Op::PopBlock, *loc);
                self.op(Op::PopExcept, *loc);
                if let Some(name) = name {
                    self.unbind(name, *loc)?;
                }
            }
            BlockKind::PopValue => {
                if keep_top {
                    self.op_arg(Op::Swap, 2, *loc);
                }
                self.op(Op::PopTop, *loc);
            }
        }
        Ok(())
    }

    /// `name = None; del name`: the end of an `except … as` handler.
    pub(super) fn unbind(&mut self, name: &'a str, loc: Loc) -> Done {
        self.load_const(Const::None, loc);
        self.store_name(name, loc)?;
        self.name(name, taipan_parser::ast::ExprContext::Del, loc)
    }

    /// Leaves blocks from the innermost outwards, all of them or up to the next loop, which it gives.
    fn unwind(
        &mut self,
        loc: &mut Loc,
        keep_top: bool,
        to_loop: bool,
    ) -> Result<Option<FrameBlock<'a>>, SyntaxError> {
        let Some(block) = self.unit.blocks.last().copied() else { return Ok(None) };
        if block.kind == BlockKind::ExceptionGroupHandler {
            return self.error("'break', 'continue' and 'return' cannot appear in an except* block", *loc);
        }
        let is_loop = matches!(block.kind, BlockKind::WhileLoop | BlockKind::ForLoop);
        if to_loop && is_loop {
            return Ok(Some(block));
        }
        self.unit.blocks.pop();
        self.unwind_one(&block, loc, keep_top)?;
        let found = self.unwind(loc, keep_top, to_loop)?;
        self.unit.blocks.push(block);
        Ok(found)
    }

    pub(super) fn return_stmt(
        &mut self,
        value: Option<&'a taipan_parser::ast::Expr<'a>>,
        range: taipan_parser::ast::Range,
    ) -> Done {
        let mut loc = Loc::from(range);
        let constant = value.and_then(|value| self.constant_of(value));
        let keep_top = value.is_some() && constant.is_none();
        if !matches!(self.unit.scope_type, ScopeType::Function | ScopeType::AsyncFunction | ScopeType::Lambda)
        {
            return self.error("'return' outside function", loc);
        }
        if value.is_some() && self.block().coroutine && self.block().generator {
            return self.error("'return' with value in async generator", loc);
        }
        if keep_top {
            if let Some(value) = value {
                self.expr(value)?;
            }
        } else if let Some(value) = value {
            loc = Loc::from(value.range);
            self.op(Op::Nop, loc);
        }
        if value.is_none_or(|value| value.range.line != range.line) {
            loc = Loc::from(range);
            self.op(Op::Nop, loc);
        }
        self.unwind(&mut loc, keep_top, false)?;
        if !keep_top {
            self.load_const(constant.unwrap_or(Const::None), loc);
        }
        self.op(Op::ReturnValue, loc);
        Ok(())
    }

    pub(super) fn break_stmt(&mut self, range: taipan_parser::ast::Range) -> Done {
        let origin = Loc::from(range);
        let mut loc = origin;
        self.op(Op::Nop, loc);
        let Some(target) = self.unwind(&mut loc, false, true)? else {
            return self.error("'break' outside loop", origin);
        };
        self.unwind_one(&target, &mut loc, false)?;
        if let Some(exit) = target.exit {
            self.jump(Op::Jump, exit, loc);
        }
        Ok(())
    }

    pub(super) fn continue_stmt(&mut self, range: taipan_parser::ast::Range) -> Done {
        let origin = Loc::from(range);
        let mut loc = origin;
        self.op(Op::Nop, loc);
        let Some(target) = self.unwind(&mut loc, false, true)? else {
            return self.error("'continue' not properly in loop", origin);
        };
        self.jump(Op::Jump, target.label, loc);
        Ok(())
    }
}
