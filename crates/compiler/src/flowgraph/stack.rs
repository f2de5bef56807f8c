//! How deep the stack gets.

use taipan_bytecode::AnyOpcode as Op;
use taipan_parser::ast::Range;

use super::{BlockId, Graph, targets_block};
use crate::SyntaxError;
use crate::instruction::{is_block_push, is_scope_exit, is_unconditional_jump};

impl Graph {
    /// Computes the depth at the start of each block; gives the greatest depth.
    pub(super) fn stack_depth(&mut self) -> Result<u32, SyntaxError> {
        self.blocks.iter_mut().for_each(|block| block.start_depth = None);
        self.blocks[BlockId::ENTRY].start_depth = Some(0);
        let mut todo = vec![BlockId::ENTRY];
        let mut max = 0;
        while let Some(id) = todo.pop() {
            let mut depth = self.blocks[id].start_depth.unwrap_or(0);
            let mut next = self.blocks[id].next;
            for i in 0..self.blocks[id].instrs.len() {
                let instr = self.blocks[id].instrs[i];
                let popped = instr.op.popped(instr.arg);
                let after = (depth + instr.op.pushed(instr.arg)).checked_sub(popped).ok_or_else(|| {
                    SyntaxError::new(format!("stack underflow at {}", instr.op.name()), Range::default())
                })?;
                if let Some(target) =
                    instr.target.filter(|_| targets_block(instr.op) && instr.op != Op::EndAsyncFor)
                {
                    max = max.max(after);
                    self.reach_with(target, after, &mut todo)?;
                }
                if !is_block_push(instr.op) {
                    depth = after;
                }
                max = max.max(depth);
                if is_scope_exit(instr.op) || is_unconditional_jump(instr.op) {
                    next = None;
                    break;
                }
            }
            if let Some(next) = next {
                self.reach_with(next, depth, &mut todo)?;
            }
        }
        Ok(max)
    }

    fn reach_with(&mut self, id: BlockId, depth: u32, todo: &mut Vec<BlockId>) -> Result<(), SyntaxError> {
        match self.blocks[id].start_depth {
            None => {
                self.blocks[id].start_depth = Some(depth);
                todo.push(id);
                Ok(())
            }
            Some(known) if known == depth => Ok(()),
            Some(known) => {
                let message =
                    format!("block {} is reached with stack depths {known} and {depth}", id.index());
                Err(SyntaxError::new(message, Range::default()))
            }
        }
    }
}
