//! Positions for instructions that have none.

use taipan_bytecode::opcode::flag;

use super::{Block, BlockId, Graph};
use crate::instruction::Loc;

fn lineless_exit(block: &Block) -> bool {
    (block.exits_scope() || block.instrs.iter().any(|instr| instr.op.has(flag::EVAL_BREAK)))
        && block.has_no_line()
}

impl Graph {
    pub(super) fn resolve_lines(&mut self) {
        self.duplicate_exits();
        self.propagate_lines();
    }

    /// Exits without line are copied for each jump to them, so that each copy can have the jump's line.
    fn duplicate_exits(&mut self) {
        let mut next = Some(BlockId::ENTRY);
        while let Some(id) = next {
            next = self.blocks[id].next;
            let Some(last) = self.blocks[id].instrs.last().copied() else { continue };
            if !last.is_jump() {
                continue;
            }
            let Some(target) = self.nonempty(last.target) else { continue };
            if !lineless_exit(&self.blocks[target]) || self.blocks[target].predecessors <= 1 {
                continue;
            }
            let copy = self.append(target);
            let mut instrs = self.blocks[target].instrs.clone();
            if let Some(first) = instrs.first_mut() {
                first.loc = last.loc;
            }
            let block = &mut self.blocks[copy];
            block.instrs = instrs;
            block.predecessors = 1;
            block.labelled = true;
            self.blocks[target].predecessors -= 1;
            if let Some(last) = self.blocks[id].instrs.last_mut() {
                last.target = Some(copy);
            }
            next = self.blocks[id].next;
        }
        for id in self.order() {
            let block = &self.blocks[id];
            let (Some(last), Some(next)) = (block.instrs.last(), block.next) else { continue };
            let loc = last.loc;
            if block.falls_through()
                && lineless_exit(&self.blocks[next])
                && let Some(first) = self.blocks[next].instrs.first_mut()
            {
                first.loc = loc;
            }
        }
    }

    fn propagate_lines(&mut self) {
        for id in self.order() {
            let mut previous = Loc::NONE;
            for instr in &mut self.blocks[id].instrs {
                if instr.loc.line == Loc::NONE.line {
                    instr.loc = previous;
                } else {
                    previous = instr.loc;
                }
            }
            let Some(last) = self.blocks[id].instrs.last().copied() else { continue };
            let next = self.blocks[id].next.filter(|_| self.blocks[id].falls_through());
            for successor in [next, last.target.filter(|_| last.is_jump())].into_iter().flatten() {
                let block = &mut self.blocks[successor];
                if block.predecessors == 1
                    && let Some(first) = block.instrs.first_mut()
                    && first.loc.line == Loc::NONE.line
                {
                    first.loc = previous;
                }
            }
        }
    }
}
