//! The order of blocks: cold ones to the end; jumps get their direction.

use taipan_bytecode::AnyOpcode as Op;

use super::{BlockId, Graph, Instr};
use crate::instruction::{Loc, is_conditional_jump};

impl Graph {
    /// Where a block goes on, handlers aside. Only its last instruction is a jump.
    fn successors(&self, id: BlockId) -> [Option<BlockId>; 2] {
        let block = &self.blocks[id];
        let jump = block.instrs.last().filter(|last| last.is_jump()).and_then(|last| last.target);
        [block.next.filter(|_| block.falls_through()), jump]
    }

    fn mark_warm_and_cold(&mut self) {
        self.clear_visited();
        self.blocks[BlockId::ENTRY].visited = true;
        let mut todo = vec![BlockId::ENTRY];
        while let Some(id) = todo.pop() {
            self.blocks[id].warm = true;
            for block in self.successors(id).into_iter().flatten() {
                if !self.blocks[block].visited {
                    self.blocks[block].visited = true;
                    todo.push(block);
                }
            }
        }
        self.clear_visited();
        for id in self.order() {
            if self.blocks[id].is_handler {
                self.blocks[id].visited = true;
                todo.push(id);
            }
        }
        while let Some(id) = todo.pop() {
            self.blocks[id].cold = true;
            for block in self.successors(id).into_iter().flatten() {
                if !self.blocks[block].visited && !self.blocks[block].warm {
                    self.blocks[block].visited = true;
                    todo.push(block);
                }
            }
        }
    }

    pub(super) fn push_cold_blocks_to_end(&mut self) {
        if self.blocks[BlockId::ENTRY].next.is_none() {
            return;
        }
        self.mark_warm_and_cold();
        for id in self.order() {
            let block = &self.blocks[id];
            if let Some(next) = block.next
                && block.cold
                && block.falls_through()
                && self.blocks[next].warm
            {
                let jump = self.append(id);
                let mut instr = Instr::new(Op::JumpNoInterrupt, 0, Loc::NONE);
                instr.target = Some(next);
                self.blocks[next].labelled = true;
                let block = &mut self.blocks[jump];
                block.cold = true;
                block.predecessors = 1;
                block.instrs.push(instr);
            }
        }
        let (cold, warm): (Vec<_>, Vec<_>) = self.order().into_iter().partition(|id| self.blocks[*id].cold);
        let order: Vec<_> = warm.into_iter().chain(cold.iter().copied()).collect();
        for pair in order.windows(2) {
            self.blocks[pair[0]].next = Some(pair[1]);
        }
        if let Some(last) = order.last() {
            self.blocks[*last].next = None;
        }
        if !cold.is_empty() {
            self.remove_nops_and_jumps();
        }
    }

    /// Conditional jumps go forward only; their fall-through side is marked for monitoring.
    pub(super) fn normalize_jumps(&mut self) {
        self.clear_visited();
        for id in self.order() {
            self.blocks[id].visited = true;
            let Some(last) = self.blocks[id].instrs.last().copied() else { continue };
            let Some(target) = last.target.filter(|_| is_conditional_jump(last.op)) else { continue };
            let not_taken = Instr::new(Op::NotTaken, 0, last.loc);
            if !self.blocks[target].visited {
                self.blocks[id].add(not_taken);
                continue;
            }
            let reversed = match last.op {
                Op::PopJumpIfFalse => Op::PopJumpIfTrue,
                Op::PopJumpIfTrue => Op::PopJumpIfFalse,
                Op::PopJumpIfNone => Op::PopJumpIfNotNone,
                _ => Op::PopJumpIfNone,
            };
            let next = self.blocks[id].next;
            let jump = self.append(id);

            let back = Instr { op: Op::Jump, arg: 0, target: Some(target), except: None, loc: last.loc };
            let depth = self.blocks[target].start_depth;
            let cold = self.blocks[id].cold;
            let block = &mut self.blocks[jump];
            block.instrs = vec![not_taken, back];
            block.start_depth = depth;
            block.cold = cold;
            block.visited = true;
            if let Some(end) = self.blocks[id].instrs.last_mut() {
                end.op = reversed;
                end.target = next;
            }
        }
    }

    pub(super) fn resolve_unconditional_jumps(&mut self) {
        self.clear_visited();
        for id in self.order() {
            self.blocks[id].visited = true;
            for i in 0..self.blocks[id].instrs.len() {
                let instr = self.blocks[id].instrs[i];
                let Some(target) = instr.target else { continue };
                let backward = self.blocks[target].visited;
                self.blocks[id].instrs[i].op = match instr.op {
                    Op::Jump if backward => Op::JumpBackward,
                    Op::JumpNoInterrupt if backward => Op::JumpBackwardNoInterrupt,
                    Op::Jump | Op::JumpNoInterrupt => Op::JumpForward,
                    _ => continue,
                };
            }
        }
    }
}
