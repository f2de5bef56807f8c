//! Reachability, inlining of small blocks, removal of needless NOPs and jumps.

use taipan_bytecode::AnyOpcode as Op;

use super::{BlockId, Graph, targets_block};
use crate::instruction::{Loc, is_unconditional_jump};

/// Exit blocks up to this size are copied to where a jump leads to them.
const MAX_COPY: usize = 4;

impl Graph {
    pub(super) fn inline_small_blocks(&mut self) {
        loop {
            let mut changed = false;
            for id in self.order() {
                changed |= self.inline_into(id);
            }
            if !changed {
                return;
            }
        }
    }

    fn inline_into(&mut self, id: BlockId) -> bool {
        let Some(last) = self.blocks[id].instrs.last().copied() else { return false };
        let Some(target) = last.target.filter(|_| is_unconditional_jump(last.op)) else { return false };
        let block = &self.blocks[target];
        let small_exit = block.exits_scope() && block.instrs.len() <= MAX_COPY;
        let lineless_end = block.has_no_line() && !block.falls_through();
        if !small_exit && !lineless_end {
            return false;
        }
        let copied = block.instrs.clone();
        let instrs = &mut self.blocks[id].instrs;
        if let Some(last) = instrs.last_mut() {
            last.set_nop();
        }
        instrs.extend(copied);
        if lineless_end
            && last.op == Op::Jump
            && let Some(end) = instrs.last_mut()
            && is_unconditional_jump(end.op)
        {
            end.op = Op::Jump;
        }
        let predecessors = &mut self.blocks[target].predecessors;
        *predecessors = predecessors.saturating_sub(1);
        true
    }

    /// Counts predecessors and empties blocks without any.
    pub(super) fn remove_unreachable(&mut self) {
        self.clear_visited();
        self.blocks.iter_mut().for_each(|block| block.predecessors = 0);
        self.blocks[BlockId::ENTRY].predecessors = 1;
        self.blocks[BlockId::ENTRY].visited = true;
        let mut todo = vec![BlockId::ENTRY];
        while let Some(id) = todo.pop() {
            let mut next = self.blocks[id].next.filter(|_| self.blocks[id].falls_through());
            let mut at = 0;
            loop {
                if let Some(block) = next.take() {
                    let block_ref = &mut self.blocks[block];
                    block_ref.predecessors += 1;
                    if !block_ref.visited {
                        block_ref.visited = true;
                        todo.push(block);
                    }
                }
                let Some(instr) = self.blocks[id].instrs.get(at) else { break };
                next = instr.target.filter(|_| targets_block(instr.op));
                at += 1;
            }
        }
        for block in self.blocks.iter_mut() {
            if block.predecessors == 0 {
                block.instrs.clear();
                block.is_handler = false;
            }
        }
    }

    fn remove_nops_of(&mut self, id: BlockId) -> usize {
        if self.blocks[id].instrs.iter().all(|instr| instr.op != Op::Nop) {
            return 0;
        }
        let mut instrs = std::mem::take(&mut self.blocks[id].instrs);
        let mut kept = 0;
        let mut previous_line = -1;
        for i in 0..instrs.len() {
            let instr = instrs[i];
            let line = instr.loc.line;
            if instr.op == Op::Nop {
                if line < 0 || previous_line == line {
                    continue;
                }
                if let Some(next) = instrs.get_mut(i + 1) {
                    if next.loc.line == line {
                        continue;
                    }
                    if next.loc.line < 0 {
                        next.loc = instr.loc;
                        continue;
                    }
                } else if let Some(next) = self.nonempty(self.blocks[id].next) {
                    let first = self.blocks[next].instrs.iter().find(|n| n.op != Op::Nop || n.loc.line >= 0);
                    if first.map_or(Loc::NONE.line, |first| first.loc.line) == line {
                        continue;
                    }
                }
            }
            // What lies behind the kept ones keeps its handler, which is looked at when it is cut off.
            instrs[kept] = instr;
            kept += 1;
            previous_line = line;
        }
        let removed = instrs.len() - kept;
        self.blocks[id].instrs = instrs;
        if removed > 0 {
            self.blocks[id].shrink_to(kept);
        }
        removed
    }

    pub(super) fn remove_nops(&mut self) -> usize {
        self.order().into_iter().map(|id| self.remove_nops_of(id)).sum()
    }

    fn remove_redundant_jumps(&mut self) -> usize {
        let mut removed = 0;
        for id in self.order() {
            let Some(last) = self.blocks[id].instrs.last().copied() else { continue };
            if !is_unconditional_jump(last.op) {
                continue;
            }
            let target = self.nonempty(last.target);
            if target.is_some() && target == self.nonempty(self.blocks[id].next) {
                if let Some(last) = self.blocks[id].instrs.last_mut() {
                    last.set_nop();
                }
                removed += 1;
            }
        }
        removed
    }

    pub(super) fn remove_nops_and_jumps(&mut self) {
        loop {
            self.remove_nops();
            if self.remove_redundant_jumps() == 0 {
                return;
            }
        }
    }

    /// Removes loads whose value is dropped at once.
    pub(super) fn remove_redundant_pairs(&mut self) {
        loop {
            let mut changed = false;
            let mut previous: Option<(BlockId, usize)> = None;
            for id in self.order() {
                self.remove_nops_of(id);
                if self.blocks[id].labelled {
                    previous = None;
                }
                for i in 0..self.blocks[id].instrs.len() {
                    if let Some((block, at)) = previous
                        && self.blocks[id].instrs[i].op == Op::PopTop
                    {
                        let before = self.blocks[block].instrs[at];
                        if before.loads_const() || before.op == Op::Copy && before.arg == 1 {
                            self.blocks[block].instrs[at].set_nop();
                            self.blocks[id].instrs[i].set_nop();
                            changed = true;
                        }
                    }
                    previous = Some((id, i));
                }
                let block = &self.blocks[id];
                if block.instrs.last().is_some_and(|last| last.is_jump()) || !block.falls_through() {
                    previous = None;
                }
            }
            if !changed {
                return;
            }
        }
    }
}
