//! Locals that may be unbound, and the final numbering of cells.

use taipan_bytecode::AnyOpcode as Op;

use super::{BlockId, Graph, Instr, Scope};
use crate::instruction::Loc;

/// Locals that the exact analysis covers.
const TRACKED: usize = 64;

impl Graph {
    /// Makes loads of locals that may be unbound `LOAD_FAST_CHECK`.
    pub(super) fn check_unbound(&mut self, locals: usize, parameters: usize) {
        if locals == 0 {
            return;
        }
        if locals > TRACKED {
            self.check_unbound_within_blocks(locals);
        }
        let tracked = locals.min(TRACKED);
        let start = (parameters..tracked).fold(0u64, |mask, local| mask | 1 << local);
        self.clear_visited();
        let mut todo = Vec::new();
        self.add_unsafe(BlockId::ENTRY, start, &mut todo);
        for id in self.order() {
            self.scan_locals(id, &mut todo);
        }
        while let Some(id) = todo.pop() {
            self.blocks[id].visited = false;
            self.scan_locals(id, &mut todo);
        }
    }

    fn add_unsafe(&mut self, id: BlockId, mask: u64, todo: &mut Vec<BlockId>) {
        let block = &mut self.blocks[id];
        let both = block.unsafe_locals | mask;
        if both != block.unsafe_locals {
            block.unsafe_locals = both;
            if !block.visited {
                block.visited = true;
                todo.push(id);
            }
        }
    }

    fn scan_locals(&mut self, id: BlockId, todo: &mut Vec<BlockId>) {
        let mut mask = self.blocks[id].unsafe_locals;
        for i in 0..self.blocks[id].instrs.len() {
            let instr = self.blocks[id].instrs[i];
            if let Some(handler) = instr.except {
                self.add_unsafe(handler, mask, todo);
            }
            if instr.arg as usize >= TRACKED {
                continue;
            }
            let bit = 1u64 << instr.arg;
            match instr.op {
                Op::DeleteFast | Op::LoadFastAndClear | Op::StoreFastMaybeNull => mask |= bit,
                Op::StoreFast | Op::LoadFastCheck => mask &= !bit,
                Op::LoadFast => {
                    if mask & bit != 0 {
                        self.blocks[id].instrs[i].op = Op::LoadFastCheck;
                    }
                    mask &= !bit;
                }
                _ => {}
            }
        }
        if let Some(next) = self.blocks[id].next.filter(|_| self.blocks[id].falls_through()) {
            self.add_unsafe(next, mask, todo);
        }
        if let Some(last) = self.blocks[id].instrs.last().copied()
            && let Some(target) = last.target.filter(|_| last.is_jump())
        {
            self.add_unsafe(target, mask, todo);
        }
    }

    /// For locals beyond the tracked ones only what happens within a block counts.
    fn check_unbound_within_blocks(&mut self, locals: usize) {
        let mut bound_in = vec![None; locals];
        for id in self.order() {
            for instr in &mut self.blocks[id].instrs {
                let local = instr.arg as usize;
                if local < TRACKED {
                    continue;
                }
                match instr.op {
                    Op::DeleteFast | Op::LoadFastAndClear | Op::StoreFastMaybeNull => {
                        bound_in[local] = None;
                    }
                    Op::StoreFast => bound_in[local] = Some(id),
                    Op::LoadFast => {
                        if bound_in[local] != Some(id) {
                            instr.op = Op::LoadFastCheck;
                        }
                        bound_in[local] = Some(id);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Gives cells their final numbers and adds the instructions that every call starts with.
    pub(super) fn prepare_locals(&mut self, scope: &Scope<'_>) {
        let locals = scope.local_count as u32;
        let mut dropped = 0;
        let mut offsets = Vec::with_capacity(scope.cell_locals.len());
        for (i, local) in scope.cell_locals.iter().enumerate() {
            match local {
                Some(local) => {
                    dropped += 1;
                    offsets.push(*local);
                }
                None => offsets.push(locals + i as u32 - dropped),
            }
        }
        let mut prefix = Vec::new();
        if scope.free_count > 0 {
            prefix.push(Instr::new(Op::CopyFreeVars, scope.free_count as u32, Loc::NONE));
        }
        let mut cells: Vec<u32> = (0..scope.cell_count as u32).collect();
        cells.sort_by_key(|cell| offsets.get(*cell as usize).copied());
        prefix.extend(cells.into_iter().map(|cell| Instr::new(Op::MakeCell, cell, Loc::NONE)));
        if scope.is_generator {
            let line = scope.firstlineno as i32;
            let loc = Loc { line, end_line: line, col: -1, end_col: -1 };
            prefix.push(Instr::new(Op::ReturnGenerator, 0, loc));
            prefix.push(Instr::new(Op::PopTop, 0, loc));
        }
        self.blocks[BlockId::ENTRY].instrs.splice(0..0, prefix);
        for instr in self.blocks.iter_mut().flat_map(|block| &mut block.instrs) {
            if matches!(
                instr.op,
                Op::MakeCell
                    | Op::LoadClosure
                    | Op::LoadDeref
                    | Op::StoreDeref
                    | Op::DeleteDeref
                    | Op::LoadFromDictOrDeref
            ) && let Some(offset) = offsets.get(instr.arg as usize)
            {
                instr.arg = *offset;
            }
        }
    }
}
