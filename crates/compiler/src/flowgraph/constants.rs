//! Constants in the graph: conditions that are known, and displays and operations of constants.

use taipan_bytecode::AnyOpcode as Op;
use taipan_bytecode::{BinaryOp, Const};

use super::{BlockId, Graph, Instr, const_of, make_load};
use crate::codegen::STACK_GUIDELINE;
use crate::constants::ConstTable;
use crate::fold;

/// Displays below this size stay as they are.
const MIN_DISPLAY: usize = 3;

/// The `count` constants that are loaded right before `end`, and where.
fn loaded_before(
    instrs: &[Instr],
    end: usize,
    count: usize,
    consts: &ConstTable,
) -> Option<(Vec<usize>, Vec<Const>)> {
    let (mut places, mut values) = (Vec::new(), Vec::new());
    let mut at = end;
    while places.len() < count {
        at = at.checked_sub(1)?;
        let instr = instrs.get(at)?;
        if instr.op == Op::Nop {
            continue;
        }
        values.push(const_of(instr, consts)?);
        places.push(at);
    }
    values.reverse();
    Some((places, values))
}

impl Graph {
    /// Small ints, and jumps and tests on constants.
    pub(super) fn optimize_load_const(&mut self, consts: &mut ConstTable) {
        for block in self.blocks.iter_mut() {
            let instrs = &mut block.instrs;
            let mut loaded: Option<Instr> = None;
            for i in 0..instrs.len() {
                if instrs[i].op == Op::LoadConst
                    && let Some(&Const::Int(small @ 0..=255)) = consts.list.get(instrs[i].arg as usize)
                {
                    instrs[i].set(Op::LoadSmallInt, small as u32);
                }
                let is_copy = loaded.is_some() && instrs[i].op == Op::Copy && instrs[i].arg == 1;
                if !is_copy {
                    loaded = instrs[i].loads_const().then_some(instrs[i]);
                }
                let Some(next) = instrs.get(i + 1).copied() else { continue };
                let on_constants = matches!(
                    next.op,
                    Op::PopJumpIfFalse
                        | Op::PopJumpIfTrue
                        | Op::JumpIfFalse
                        | Op::JumpIfTrue
                        | Op::IsOp
                        | Op::ToBool
                );
                let Some(loaded) = loaded.as_ref().filter(|_| on_constants) else { continue };
                let Some(value) = const_of(loaded, consts) else { continue };
                match next.op {
                    Op::PopJumpIfFalse | Op::PopJumpIfTrue | Op::JumpIfFalse | Op::JumpIfTrue => {
                        let Some(truth) = fold::truth(&value) else { continue };
                        let when = matches!(next.op, Op::PopJumpIfTrue | Op::JumpIfTrue);
                        if matches!(next.op, Op::PopJumpIfFalse | Op::PopJumpIfTrue) {
                            instrs[i].set_nop();
                        }
                        if truth == when {
                            instrs[i + 1].op = Op::Jump;
                        } else {
                            instrs[i + 1].set_nop();
                        }
                    }
                    Op::IsOp => {
                        if value != Const::None {
                            continue;
                        }
                        let mut at = i + 2;
                        if instrs.get(at).is_some_and(|instr| instr.op == Op::ToBool) {
                            instrs[at].set_nop();
                            at += 1;
                        }
                        let Some(jump) = instrs.get_mut(at) else { continue };
                        let invert = match jump.op {
                            Op::PopJumpIfFalse => next.arg == 0,
                            Op::PopJumpIfTrue => next.arg != 0,
                            _ => continue,
                        };
                        jump.op = if invert { Op::PopJumpIfNotNone } else { Op::PopJumpIfNone };
                        instrs[i].set_nop();
                        instrs[i + 1].set_nop();
                    }
                    Op::ToBool => {
                        let Some(truth) = fold::truth(&value) else { continue };
                        let index = consts.add(if truth { Const::True } else { Const::False });
                        instrs[i].set_nop();
                        instrs[i + 1].set(Op::LoadConst, index);
                    }
                    _ => {}
                }
            }
        }
    }

    fn replace(&mut self, id: BlockId, at: usize, places: &[usize], value: Const, consts: &mut ConstTable) {
        let instrs = &mut self.blocks[id].instrs;
        places.iter().for_each(|place| instrs[*place].erase());
        make_load(&mut instrs[at], value, consts);
    }

    pub(super) fn fold_tuple(&mut self, id: BlockId, at: usize, consts: &mut ConstTable) {
        let count = self.blocks[id].instrs[at].arg as usize;
        if count > STACK_GUIDELINE as usize {
            return;
        }
        if let Some((places, values)) = loaded_before(&self.blocks[id].instrs, at, count, consts) {
            self.replace(id, at, &places, Const::Tuple(values.into()), consts);
        }
    }

    pub(super) fn fold_display(&mut self, id: BlockId, at: usize, consts: &mut ConstTable) {
        let instrs = &mut self.blocks[id].instrs;
        let instr = instrs[at];
        let count = instr.arg as usize;
        let consumed = instrs.get(at + 1).is_some_and(|next| matches!(next.op, Op::GetIter | Op::ContainsOp));
        if count > STACK_GUIDELINE as usize || count < MIN_DISPLAY && !consumed {
            return;
        }
        let Some((places, values)) = loaded_before(instrs, at, count, consts) else {
            if consumed && instr.op == Op::BuildList {
                instrs[at].op = Op::BuildTuple;
            }
            return;
        };
        let value = match instr.op {
            Op::BuildSet => Const::FrozenSet(fold::unique(values).into()),
            _ => Const::Tuple(values.into()),
        };
        if consumed {
            self.replace(id, at, &places, value, consts);
            return;
        }
        places.iter().for_each(|place| instrs[*place].erase());
        let index = consts.add(value);
        instrs[at - 2].set(instr.op, 0);
        instrs[at - 2].loc = instr.loc;
        instrs[at - 1].set(Op::LoadConst, index);
        instrs[at - 1].loc = instr.loc;
        instrs[at].set(if instr.op == Op::BuildList { Op::ListExtend } else { Op::SetUpdate }, 1);
    }

    /// `BUILD_LIST 0`, then constants appended, then made a tuple.
    pub(super) fn fold_list_to_tuple(&mut self, id: BlockId, at: usize, consts: &mut ConstTable) {
        let before = self.blocks[id].instrs.get(..at).unwrap_or_default();
        if let Some((places, values)) = appended(before, Op::ListAppend, consts) {
            self.replace(id, at, &places, Const::Tuple(values.into()), consts);
        }
    }

    /// The last append or add to a long display of constants that is only looked through.
    pub(super) fn fold_long_display(&mut self, id: BlockId, at: usize, consts: &mut ConstTable) {
        let instrs = &self.blocks[id].instrs;
        let last = instrs[at];
        if last.arg != 1
            || !instrs.get(at + 1).is_some_and(|next| matches!(next.op, Op::GetIter | Op::ContainsOp))
        {
            return;
        }
        let Some((places, values)) = appended(instrs.get(..=at).unwrap_or_default(), last.op, consts) else {
            return;
        };
        let value = match last.op {
            Op::SetAdd => Const::FrozenSet(fold::unique(values).into()),
            _ => Const::Tuple(values.into()),
        };
        self.replace(id, at, &places, value, consts);
    }

    pub(super) fn fold_unary(&mut self, id: BlockId, at: usize, consts: &mut ConstTable) {
        let instrs = &self.blocks[id].instrs;
        let Some((places, values)) = loaded_before(instrs, at, 1, consts) else { return };
        let Some(operand) = values.first() else { return };
        let result = match instrs[at].op {
            Op::UnaryNegative => fold::negative(operand),
            Op::UnaryInvert => fold::invert(operand),
            Op::UnaryNot => fold::truth(operand).map(|truth| if truth { Const::False } else { Const::True }),
            _ => fold::positive(operand),
        };
        if let Some(value) = result {
            self.replace(id, at, &places, value, consts);
        }
    }

    pub(super) fn fold_binary(&mut self, id: BlockId, at: usize, consts: &mut ConstTable) {
        let instrs = &self.blocks[id].instrs;
        let Some((places, values)) = loaded_before(instrs, at, 2, consts) else { return };
        let Some(op) = BinaryOp::from_oparg(instrs[at].arg) else { return };
        let [left, right] = &values[..] else { return };
        if let Some(value) = fold::binary(op, left, right) {
            self.replace(id, at, &places, value, consts);
        }
    }
}

/// The constants that are put one by one into a new list or set just before the end of `instrs`, and the places of these
/// instructions.
fn appended(instrs: &[Instr], append: Op, consts: &ConstTable) -> Option<(Vec<usize>, Vec<Const>)> {
    let build = if append == Op::SetAdd { Op::BuildSet } else { Op::BuildList };
    let (mut values, mut places) = (Vec::new(), Vec::new());
    let mut expect_append = true;
    for (place, instr) in instrs.iter().enumerate().rev().filter(|(_, instr)| instr.op != Op::Nop) {
        places.push(place);
        if expect_append {
            if instr.op == build && instr.arg == 0 {
                values.reverse();
                return Some((places, values));
            }
            if instr.op != append || instr.arg != 1 {
                return None;
            }
        } else {
            values.push(const_of(instr, consts)?);
        }
        expect_append = !expect_append;
    }
    None
}
