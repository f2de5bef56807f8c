//! Improvements within a block, and jumps to jumps.

use taipan_bytecode::AnyOpcode as Op;
use taipan_bytecode::opcode::Intrinsic1;

use super::swaps::optimize_swaps;
use super::{BlockId, Graph, Instr, targets_block};
use crate::constants::ConstTable;

impl Graph {
    pub(super) fn optimize_block(&mut self, id: BlockId, consts: &mut ConstTable) {
        let mut i = 0;
        while i < self.blocks[id].instrs.len() {
            if !self.optimize_instr(id, i, consts) {
                i += 1;
            }
        }
        optimize_swaps(&mut self.blocks[id].instrs);
    }

    /// Improves one instruction; `true` asks to look at the same place again.
    fn optimize_instr(&mut self, id: BlockId, i: usize, consts: &mut ConstTable) -> bool {
        let mut inst = self.blocks[id].instrs[i];
        let mut target = None;
        if let (true, Some(block)) = (targets_block(inst.op), inst.target) {
            let block = self.nonempty(Some(block)).unwrap_or(block);
            inst.target = Some(block);
            self.blocks[id].instrs[i].target = Some(block);
            target = self.blocks[block].instrs.first().copied();
        }
        let next = self.blocks[id].instrs.get(i + 1).copied();
        let next_op = next.map(|next| next.op);
        let instrs = &mut self.blocks[id].instrs;
        match inst.op {
            Op::BuildTuple => {
                if let Some(next) = next.filter(|n| n.op == Op::UnpackSequence && n.arg == inst.arg) {
                    match next.arg {
                        1 => {
                            instrs[i].set_nop();
                            instrs[i + 1].set_nop();
                            return false;
                        }
                        2 | 3 => {
                            instrs[i].set_nop();
                            instrs[i + 1].op = Op::Swap;
                            return false;
                        }
                        _ => {}
                    }
                }
                self.fold_tuple(id, i, consts);
            }
            Op::BuildList | Op::BuildSet => self.fold_display(id, i, consts),
            Op::ListAppend | Op::SetAdd => self.fold_long_display(id, i, consts),
            Op::PopJumpIfNone | Op::PopJumpIfNotNone | Op::PopJumpIfFalse | Op::PopJumpIfTrue => {
                if let Some(target) = target.filter(|target| target.op == Op::Jump) {
                    return self.thread(id, i, &target, inst.op);
                }
            }
            Op::JumpIfFalse | Op::JumpIfTrue => {
                let Some(target) = target else { return false };
                if target.op == Op::Jump || target.op == inst.op {
                    return self.thread(id, i, &target, inst.op);
                }
                if matches!(target.op, Op::JumpIfFalse | Op::JumpIfTrue) {
                    let after = inst.target.and_then(|block| self.blocks[block].next);
                    if let Some(after) = after {
                        self.blocks[id].instrs[i].target = Some(after);
                        self.blocks[after].labelled = true;
                        return true;
                    }
                }
            }
            Op::Jump | Op::JumpNoInterrupt => {
                if let Some(target) = target {
                    match target.op {
                        Op::Jump => return self.thread(id, i, &target, Op::Jump),
                        Op::JumpNoInterrupt => return self.thread(id, i, &target, inst.op),
                        _ => {}
                    }
                }
            }
            Op::StoreFast => {
                if next.is_some_and(|n| {
                    n.op == Op::StoreFast && n.arg == inst.arg && n.loc.line == inst.loc.line
                }) {
                    instrs[i].set(Op::PopTop, 0);
                }
            }
            Op::Swap if inst.arg == 1 => instrs[i].set_nop(),
            Op::LoadGlobal => {
                if next_op == Some(Op::PushNull) && inst.arg & 1 == 0 {
                    instrs[i].arg |= 1;
                    instrs[i + 1].set_nop();
                }
            }
            Op::CompareOp => {
                if next_op == Some(Op::ToBool) {
                    instrs[i].set_nop();
                    instrs[i + 1].set(Op::CompareOp, inst.arg | 16);
                }
            }
            Op::ContainsOp | Op::IsOp => match next_op {
                Some(Op::ToBool) => {
                    instrs[i].set_nop();
                    instrs[i + 1].set(inst.op, inst.arg);
                }
                Some(Op::UnaryNot) => {
                    instrs[i].set_nop();
                    instrs[i + 1].set(inst.op, inst.arg ^ 1);
                }
                _ => {}
            },
            Op::ToBool => {
                if next_op == Some(Op::ToBool) {
                    instrs[i].set_nop();
                }
            }
            Op::UnaryNot => match next_op {
                Some(Op::ToBool) => {
                    instrs[i].set_nop();
                    instrs[i + 1].set(Op::UnaryNot, 0);
                }
                Some(Op::UnaryNot) => {
                    instrs[i].set_nop();
                    instrs[i + 1].set_nop();
                }
                _ => self.fold_unary(id, i, consts),
            },
            Op::UnaryInvert | Op::UnaryNegative => self.fold_unary(id, i, consts),
            Op::CallIntrinsic1 if inst.arg == Intrinsic1::ListToTuple as u32 => {
                self.fold_list_to_tuple(id, i, consts);
                let instr = &mut self.blocks[id].instrs[i];
                if instr.op == Op::CallIntrinsic1 && next_op == Some(Op::GetIter) {
                    instr.set_nop();
                }
            }
            Op::CallIntrinsic1 if inst.arg == Intrinsic1::UnaryPositive as u32 => {
                self.fold_unary(id, i, consts)
            }
            Op::BinaryOp => self.fold_binary(id, i, consts),
            _ => {}
        }
        false
    }

    /// Replaces a jump to a jump by a jump to where that one goes.
    fn thread(&mut self, id: BlockId, i: usize, target: &Instr, op: Op) -> bool {
        let inst = self.blocks[id].instrs[i];
        if inst.target == target.target {
            return false;
        }
        let block = &mut self.blocks[id];
        block.instrs[i].set_nop();
        block.add(Instr { op, arg: 0, target: target.target, except: None, loc: target.loc });
        true
    }
}
