//! Which handler covers which instruction.

use taipan_bytecode::AnyOpcode as Op;
use taipan_bytecode::opcode::resume;

use super::{BlockId, Graph};
use crate::instruction::is_block_push;

impl Graph {
    pub(super) fn label_exception_targets(&mut self) {
        for i in self.blocks.ids() {
            for j in 0..self.blocks[i].instrs.len() {
                let instr = self.blocks[i].instrs[j];
                if let (true, Some(target)) = (is_block_push(instr.op), instr.target) {
                    self.blocks[target].is_handler = true;
                }
            }
        }
        self.clear_visited();
        self.blocks[BlockId::ENTRY].visited = true;
        let mut todo = vec![BlockId::ENTRY];
        while let Some(id) = todo.pop() {
            let mut handlers = std::mem::take(&mut self.blocks[id].handlers);
            let mut yield_depth = None;
            for i in 0..self.blocks[id].instrs.len() {
                let instr = self.blocks[id].instrs[i];
                if let (true, Some(target)) = (is_block_push(instr.op), instr.target) {
                    if !self.blocks[target].visited {
                        self.blocks[target].visited = true;
                        self.blocks[target].handlers = handlers.clone();
                        todo.push(target);
                    }
                    self.blocks[target].preserve_lasti |= instr.op != Op::SetupFinally;
                    handlers.push(target);
                    continue;
                }
                let current = &mut self.blocks[id].instrs[i];
                if instr.op == Op::PopBlock {
                    handlers.pop();
                    current.set_nop();
                    continue;
                }
                current.except = handlers.last().copied();
                match instr.op {
                    Op::YieldValue => yield_depth = Some(handlers.len()),
                    Op::Resume if instr.arg != resume::FUNC_START => {
                        if yield_depth == Some(1) {
                            current.arg |= resume::DEPTH1;
                        }
                        yield_depth = None;
                    }
                    _ => {}
                }
                if let (true, Some(target)) = (instr.is_jump(), instr.target)
                    && !self.blocks[target].visited
                {
                    self.blocks[target].visited = true;
                    self.blocks[target].handlers = handlers.clone();
                    todo.push(target);
                }
            }
            if self.blocks[id].falls_through()
                && let Some(next) = self.blocks[id].next
                && !self.blocks[next].visited
            {
                self.blocks[next].visited = true;
                self.blocks[next].handlers = handlers;
                todo.push(next);
            }
        }
    }
}
