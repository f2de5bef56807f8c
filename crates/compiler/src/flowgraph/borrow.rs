//! Loads of locals that need no reference of their own: the value is consumed before the local can change.

use taipan_bytecode::AnyOpcode as Op;

use super::{BlockId, Graph, targets_block};
use crate::instruction::is_block_push;

/// A value on the simulated stack: the instruction that loaded it, and from which local.
#[derive(Clone, Copy)]
struct Value {
    instr: Option<usize>,
    local: Option<u32>,
}

const UNKNOWN: Value = Value { instr: None, local: None };

#[derive(Default)]
struct Simulation {
    stack: Vec<Value>,
    /// Instructions whose value must be owned.
    owned: Vec<bool>,
    /// Where the block goes on.
    successors: Vec<BlockId>,
}

impl Simulation {
    fn pop(&mut self) -> Value {
        self.stack.pop().unwrap_or(UNKNOWN)
    }

    fn push(&mut self, instr: usize, local: Option<u32>) {
        self.stack.push(Value { instr: Some(instr), local });
    }

    fn mark(&mut self, value: Value) {
        if let Some(instr) = value.instr {
            self.owned[instr] = true;
        }
    }

    /// The local changes: what was loaded from it and is still on the stack must be owned.
    fn kill(&mut self, local: u32) {
        for i in 0..self.stack.len() {
            let value = self.stack[i];
            if value.local == Some(local) {
                self.mark(value);
            }
        }
    }

    fn store(&mut self, local: u32) {
        let value = self.pop();
        self.kill(local);
        self.mark(value);
    }
}

impl Graph {
    pub(super) fn optimize_load_fast(&mut self) {
        self.clear_visited();
        self.blocks[BlockId::ENTRY].visited = true;
        let mut todo = vec![BlockId::ENTRY];
        let mut sim = Simulation::default();
        while let Some(id) = todo.pop() {
            self.borrow_in(id, &mut sim);
            for block in sim.successors.drain(..) {
                if !self.blocks[block].visited {
                    self.blocks[block].visited = true;
                    todo.push(block);
                }
            }
        }
    }

    fn borrow_in(&mut self, id: BlockId, sim: &mut Simulation) {
        let block = &self.blocks[id];
        sim.stack.clear();
        sim.stack.resize(block.start_depth.unwrap_or(0) as usize, UNKNOWN);
        sim.owned.clear();
        sim.owned.resize(block.instrs.len(), false);
        for (i, instr) in block.instrs.iter().enumerate() {
            let arg = instr.arg;
            match instr.op {
                Op::DeleteFast => sim.kill(arg),
                Op::LoadFast => sim.push(i, Some(arg)),
                Op::LoadFastAndClear => {
                    sim.kill(arg);
                    sim.push(i, Some(arg));
                }
                Op::LoadFastLoadFast => {
                    sim.push(i, Some(arg >> 4));
                    sim.push(i, Some(arg & 15));
                }
                Op::StoreFast => sim.store(arg),
                Op::StoreFastLoadFast => {
                    sim.store(arg >> 4);
                    sim.push(i, Some(arg & 15));
                }
                Op::StoreFastStoreFast => {
                    sim.store(arg >> 4);
                    sim.store(arg & 15);
                }
                Op::Copy => {
                    let at = sim.stack.len().checked_sub(arg as usize);
                    let value = at.and_then(|at| sim.stack.get(at)).copied().unwrap_or(UNKNOWN);
                    sim.stack.push(value);
                }
                Op::Swap => {
                    let top = sim.stack.len().saturating_sub(1);
                    if let Some(other) = sim.stack.len().checked_sub(arg as usize) {
                        sim.stack.swap(top, other);
                    }
                }
                Op::FormatSimple
                | Op::GetAnext
                | Op::GetLen
                | Op::GetYieldFromIter
                | Op::ImportFrom
                | Op::MatchKeys
                | Op::MatchMapping
                | Op::MatchSequence
                | Op::WithExceptStart => {
                    // CPython attributes these values to the block's first instruction, which may cost it its
                    // borrowing; identical code has to do the same.
                    for _ in instr.op.popped(arg)..instr.op.pushed(arg) {
                        sim.push(0, None);
                    }
                }
                Op::DictMerge
                | Op::DictUpdate
                | Op::ListAppend
                | Op::ListExtend
                | Op::MapAdd
                | Op::Reraise
                | Op::SetAdd
                | Op::SetUpdate => {
                    for _ in instr.op.pushed(arg)..instr.op.popped(arg) {
                        sim.pop();
                    }
                }
                Op::EndSend | Op::SetFunctionAttribute => {
                    let top = sim.pop();
                    sim.pop();
                    sim.stack.push(top);
                }
                Op::CheckExcMatch => {
                    sim.pop();
                    sim.push(i, None);
                }
                Op::ForIter => {
                    sim.successors.extend(instr.target);
                    sim.push(i, None);
                }
                Op::LoadAttr | Op::LoadSuperAttr => {
                    let owner = sim.pop();
                    if instr.op == Op::LoadSuperAttr {
                        sim.pop();
                        sim.pop();
                    }
                    sim.push(i, None);
                    if arg & 1 != 0 {
                        sim.stack.push(owner);
                    }
                }
                Op::LoadSpecial | Op::PushExcInfo => {
                    let top = sim.pop();
                    sim.push(i, None);
                    sim.stack.push(top);
                }
                Op::Send => {
                    sim.successors.extend(instr.target);
                    sim.pop();
                    sim.push(i, None);
                }
                _ => {
                    if targets_block(instr.op) {
                        sim.successors.extend(instr.target);
                    }
                    if !is_block_push(instr.op) {
                        for _ in 0..instr.op.popped(arg) {
                            sim.pop();
                        }
                        for _ in 0..instr.op.pushed(arg) {
                            sim.push(i, None);
                        }
                    }
                }
            }
        }
        if !block.instrs.is_empty() && block.falls_through() {
            sim.successors.extend(block.next);
        }
        for value in sim.stack.drain(..) {
            if let Some(instr) = value.instr {
                sim.owned[instr] = true;
            }
        }
        for (instr, owned) in self.blocks[id].instrs.iter_mut().zip(&sim.owned) {
            match instr.op {
                Op::LoadFast if !owned => instr.op = Op::LoadFastBorrow,
                Op::LoadFastLoadFast if !owned => instr.op = Op::LoadFastBorrowLoadFastBorrow,
                _ => {}
            }
        }
    }
}
