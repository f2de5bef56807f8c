//! The flow graph: basic blocks, and the passes that improve them.
//!
//! Blocks live in one vector and are chained by `next` in the order of the code. A jump, conditional or not, ends its
//! block; a block without unconditional end falls through to `next`. Emptied blocks stay in the chain.

mod borrow;
mod constants;
mod exceptions;
mod layout;
mod lines;
mod locals;
mod peephole;
mod reach;
mod stack;
mod swaps;

use std::num::NonZeroU32;
use std::ops::{Index, IndexMut};

use taipan_bytecode::AnyOpcode as Op;
use taipan_bytecode::Const;
use taipan_bytecode::opcode::flag;

use crate::SyntaxError;
use crate::constants::ConstTable;
use crate::instruction::{InstrSeq, Loc, has_target, is_scope_exit, is_unconditional_jump};

/// A basic block's number in [`Graph::blocks`], counted from 1 so that an optional one takes no more room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockId(NonZeroU32);

impl BlockId {
    /// The block where the code starts.
    pub const ENTRY: BlockId = BlockId(NonZeroU32::MIN);

    fn new(index: usize) -> BlockId {
        BlockId(NonZeroU32::MIN.saturating_add(index as u32))
    }

    /// The index in the vector.
    pub fn index(self) -> usize {
        self.0.get() as usize - 1
    }
}

/// All blocks of a graph.
#[derive(Debug)]
pub struct Blocks(Vec<Block>);

impl Blocks {
    fn ids(&self) -> impl Iterator<Item = BlockId> + use<> {
        (0..self.0.len()).map(BlockId::new)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    fn iter_mut(&mut self) -> std::slice::IterMut<'_, Block> {
        self.0.iter_mut()
    }
}

impl Index<BlockId> for Blocks {
    type Output = Block;

    #[inline]
    fn index(&self, id: BlockId) -> &Block {
        &self.0[id.index()]
    }
}

impl IndexMut<BlockId> for Blocks {
    #[inline]
    fn index_mut(&mut self, id: BlockId) -> &mut Block {
        &mut self.0[id.index()]
    }
}

/// An instruction in a block; jumps have the target block.
#[derive(Clone, Copy, Debug)]
pub struct Instr {
    pub op: Op,
    pub arg: u32,
    pub target: Option<BlockId>,
    /// The handler that catches what it raises.
    pub except: Option<BlockId>,
    pub loc: Loc,
}

impl Instr {
    pub fn new(op: Op, arg: u32, loc: Loc) -> Instr {
        Instr { op, arg, target: None, except: None, loc }
    }

    fn set(&mut self, op: Op, arg: u32) {
        self.op = op;
        self.arg = arg;
    }

    /// Makes it a NOP that keeps its position.
    fn set_nop(&mut self) {
        self.op = Op::Nop;
        self.arg = 0;
        self.target = None;
    }

    /// Makes it a NOP that will vanish.
    fn erase(&mut self) {
        self.set_nop();
        self.loc = Loc::NONE;
    }

    fn is_jump(&self) -> bool {
        self.op.has(flag::JUMP)
    }

    fn loads_const(&self) -> bool {
        matches!(self.op, Op::LoadConst | Op::LoadSmallInt)
    }
}

/// A basic block.
#[derive(Default, Debug)]
pub struct Block {
    pub instrs: Vec<Instr>,
    pub next: Option<BlockId>,
    /// Whether a jump or handler leads here.
    labelled: bool,
    is_handler: bool,
    pub preserve_lasti: bool,
    predecessors: u32,
    cold: bool,
    warm: bool,
    visited: bool,
    /// Handlers around the start of the block, the innermost last.
    handlers: Vec<BlockId>,
    pub start_depth: Option<u32>,
    unsafe_locals: u64,
    /// The handlers of instructions that once stood at these indices and were cut off. CPython reuses such slots
    /// without resetting the handler, which shows in exception tables.
    stale: Vec<Option<BlockId>>,
}

impl Block {
    /// Cuts off all but the first `count` instructions.
    fn shrink_to(&mut self, count: usize) {
        let len = self.instrs.len();
        if self.stale.len() < len {
            self.stale.resize(len, None);
        }
        for (stale, instr) in self.stale.iter_mut().zip(&self.instrs).skip(count) {
            *stale = instr.except;
        }
        self.instrs.truncate(count);
    }

    /// Adds an instruction at the end; its handler is the one that its slot had last.
    fn add(&mut self, mut instr: Instr) {
        instr.except = self.stale.get(self.instrs.len()).copied().flatten();
        self.instrs.push(instr);
    }

    fn falls_through(&self) -> bool {
        !self.instrs.last().is_some_and(|last| is_scope_exit(last.op) || is_unconditional_jump(last.op))
    }

    fn exits_scope(&self) -> bool {
        self.instrs.last().is_some_and(|last| is_scope_exit(last.op))
    }

    fn has_no_line(&self) -> bool {
        self.instrs.iter().all(|instr| instr.loc.line <= 0)
    }
}

/// The graph of one code object.
#[derive(Debug)]
pub struct Graph {
    pub blocks: Blocks,
}

/// What the passes need to know of the scope.
pub struct Scope<'s> {
    pub consts: &'s mut ConstTable,
    pub local_count: usize,
    pub parameter_count: usize,
    pub cell_count: usize,
    pub free_count: usize,
    /// For each cell or free variable the local of the same name.
    pub cell_locals: Vec<Option<u32>>,
    pub firstlineno: u32,
    pub is_generator: bool,
}

impl Graph {
    /// Cuts a sequence into blocks.
    pub fn new(seq: &InstrSeq) -> Graph {
        let mut starts = vec![false; seq.instrs.len() + 1];
        for instr in &seq.instrs {
            if let Some(label) = instr.target {
                starts[seq.labels[label.0].min(seq.instrs.len())] = true;
            }
        }
        let mut graph = Graph { blocks: Blocks(vec![Block::default()]) };
        let mut block_at = vec![BlockId::ENTRY; seq.instrs.len() + 1];
        let mut current = BlockId::ENTRY;
        for (i, instr) in seq.instrs.iter().enumerate() {
            let instrs = &mut graph.blocks[current].instrs;
            if instr.op == Op::AnnotationsPlaceholder {
                for inner in seq.annotations.iter().flat_map(|annotations| &annotations.instrs) {
                    instrs.push(Instr::new(inner.op, inner.arg, inner.loc));
                }
                continue;
            }
            let ended = instrs.last().is_some_and(|last| last.is_jump() || is_scope_exit(last.op));
            if ended || starts[i] && !instrs.is_empty() {
                current = graph.append(current);
            }
            let block = &mut graph.blocks[current];
            block.labelled |= starts[i];
            block_at[i] = current;
            block.instrs.push(Instr::new(instr.op, instr.arg, instr.loc));
        }
        if starts[seq.instrs.len()] {
            current = graph.append(current);
            graph.blocks[current].labelled = true;
            block_at[seq.instrs.len()] = current;
        }
        let mut targets = seq
            .instrs
            .iter()
            .filter(|instr| instr.op != Op::AnnotationsPlaceholder)
            .map(|instr| instr.target.map(|label| block_at[seq.labels[label.0].min(seq.instrs.len())]));
        let annotations = seq.annotations.as_ref().map_or(0, |annotations| annotations.instrs.len());
        let has_placeholder = seq.instrs.iter().position(|instr| instr.op == Op::AnnotationsPlaceholder);
        let mut position = 0;
        for block in graph.blocks.iter_mut() {
            for instr in &mut block.instrs {
                let from_annotations =
                    has_placeholder.is_some_and(|at| (at..at + annotations).contains(&position));
                if !from_annotations {
                    instr.target = targets.next().flatten();
                }
                position += 1;
            }
        }
        graph
    }

    /// A new block behind this one.
    fn append(&mut self, after: BlockId) -> BlockId {
        let id = BlockId::new(self.blocks.len());
        let next = self.blocks[after].next;
        self.blocks.0.push(Block { next, ..Block::default() });
        self.blocks[after].next = Some(id);
        id
    }

    /// The blocks in the order of the code.
    pub fn order(&self) -> Vec<BlockId> {
        let mut order = Vec::with_capacity(self.blocks.len());
        let mut next = Some(BlockId::ENTRY);
        while let Some(id) = next {
            order.push(id);
            next = self.blocks[id].next;
        }
        order
    }

    fn nonempty(&self, mut id: Option<BlockId>) -> Option<BlockId> {
        while let Some(block) = id {
            if !self.blocks[block].instrs.is_empty() {
                return id;
            }
            id = self.blocks[block].next;
        }
        None
    }

    fn clear_visited(&mut self) {
        self.blocks.iter_mut().for_each(|block| block.visited = false);
    }

    /// All passes up to the final order of blocks and instructions. Gives the stack depth.
    pub fn optimize(&mut self, scope: &mut Scope<'_>) -> Result<u32, SyntaxError> {
        self.label_exception_targets();
        self.inline_small_blocks();
        self.remove_unreachable();
        self.resolve_lines();
        self.optimize_load_const(scope.consts);
        for block in self.order() {
            self.optimize_block(block, scope.consts);
        }
        self.remove_redundant_pairs();
        self.remove_unreachable();
        self.remove_nops_and_jumps();
        self.remove_unused_consts(scope.consts);
        self.check_unbound(scope.local_count, scope.parameter_count);
        self.insert_superinstructions();
        self.push_cold_blocks_to_end();
        self.resolve_lines();
        self.expand_conditional_jumps();
        let depth = self.stack_depth()?;
        self.prepare_locals(scope);
        self.convert_pseudo_ops();
        self.normalize_jumps();
        self.resolve_unconditional_jumps();
        self.optimize_load_fast();
        Ok(depth)
    }

    fn expand_conditional_jumps(&mut self) {
        for block in self.blocks.iter_mut() {
            let Some(last) = block.instrs.last().copied() else { continue };
            let op = match last.op {
                Op::JumpIfFalse => Op::PopJumpIfFalse,
                Op::JumpIfTrue => Op::PopJumpIfTrue,
                _ => continue,
            };
            block.instrs.pop();
            let plain = |op, arg| Instr { op, arg, target: None, ..last };
            block.instrs.extend([plain(Op::Copy, 1), plain(Op::ToBool, 0), Instr { op, ..last }]);
        }
    }

    fn convert_pseudo_ops(&mut self) {
        for instr in self.blocks.iter_mut().flat_map(|block| &mut block.instrs) {
            match instr.op {
                Op::SetupFinally | Op::SetupCleanup | Op::SetupWith | Op::PopBlock => instr.set_nop(),
                Op::LoadClosure => instr.op = Op::LoadFast,
                Op::StoreFastMaybeNull => instr.op = Op::StoreFast,
                _ => {}
            }
        }
        self.remove_nops();
    }

    fn insert_superinstructions(&mut self) {
        for block in self.blocks.iter_mut() {
            for i in 1..block.instrs.len() {
                let (first, second) = (block.instrs[i - 1], block.instrs[i]);
                let op = match (first.op, second.op) {
                    (Op::LoadFast, Op::LoadFast) => Op::LoadFastLoadFast,
                    (Op::StoreFast, Op::LoadFast) => Op::StoreFastLoadFast,
                    (Op::StoreFast, Op::StoreFast) => Op::StoreFastStoreFast,
                    _ => continue,
                };
                let (a, b) = (first.loc.line, second.loc.line);
                if a >= 0 && b >= 0 && a != b || first.arg >= 16 || second.arg >= 16 {
                    continue;
                }
                block.instrs[i - 1].set(op, first.arg << 4 | second.arg);
                block.instrs[i].set_nop();
            }
        }
        self.remove_nops();
    }

    /// Drops constants that are no longer loaded; the first stays, since it may be the docstring.
    fn remove_unused_consts(&mut self, consts: &mut ConstTable) {
        let mut used = vec![false; consts.list.len()];
        let Some(first) = used.first_mut() else { return };
        *first = true;
        let loads = |instr: &&mut Instr| instr.op == Op::LoadConst;
        for instr in self.blocks.iter_mut().flat_map(|block| &mut block.instrs).filter(loads) {
            used[instr.arg as usize] = true;
        }
        let mut new_index = vec![0; used.len()];
        let mut kept = Vec::new();
        for (i, constant) in std::mem::take(&mut consts.list).into_iter().enumerate() {
            new_index[i] = kept.len() as u32;
            if used[i] {
                kept.push(constant);
            }
        }
        consts.list = kept;
        for instr in self.blocks.iter_mut().flat_map(|block| &mut block.instrs).filter(loads) {
            instr.arg = new_index[instr.arg as usize];
        }
    }
}

/// The constant that an instruction loads.
fn const_of(instr: &Instr, consts: &ConstTable) -> Option<Const> {
    match instr.op {
        Op::LoadConst => consts.list.get(instr.arg as usize).cloned(),
        Op::LoadSmallInt => Some(Const::Int(i64::from(instr.arg))),
        _ => None,
    }
}

/// Makes an instruction load a constant.
fn make_load(instr: &mut Instr, value: Const, consts: &mut ConstTable) {
    if let Const::Int(small @ 0..=255) = value {
        instr.set(Op::LoadSmallInt, small as u32);
        return;
    }
    let index = consts.add(value);
    instr.set(Op::LoadConst, index);
}

/// Whether the instruction's target is a block.
fn targets_block(op: Op) -> bool {
    has_target(op)
}
