//! Instructions of the intermediate code, and sequences of them with labels.

use taipan_bytecode::AnyOpcode as Op;
use taipan_bytecode::opcode::flag;
use taipan_parser::ast::Range;

/// A source position as in `dis.Positions`; lines are -1 for none, -2 for "as the next instruction".
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Loc {
    pub line: i32,
    pub end_line: i32,
    pub col: i32,
    pub end_col: i32,
}

impl Loc {
    pub const NONE: Loc = Loc { line: -1, end_line: -1, col: -1, end_col: -1 };
    pub const NEXT: Loc = Loc { line: -2, end_line: -2, col: -2, end_col: -2 };

    pub fn line(line: u32) -> Loc {
        Loc { line: line as i32, end_line: line as i32, col: 0, end_col: 0 }
    }

    pub fn range(self) -> Range {
        let at = |value: i32| value.max(0) as u32;
        Range {
            line: at(self.line),
            col: at(self.col),
            end_line: at(self.end_line),
            end_col: at(self.end_col),
        }
    }
}

impl From<Range> for Loc {
    fn from(range: Range) -> Loc {
        if range.line == 0 {
            return Loc::NONE;
        }
        Loc {
            line: range.line as i32,
            end_line: range.end_line as i32,
            col: range.col as i32,
            end_col: range.end_col as i32,
        }
    }
}

/// A jump target of an [`InstrSeq`].
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub struct Label(pub usize);

/// An instruction; jumps and block set-ups have a label instead of an argument.
#[derive(Clone, Copy, Debug)]
pub struct Instr {
    pub op: Op,
    pub arg: u32,
    pub target: Option<Label>,
    pub loc: Loc,
}

/// Instructions in the order of the source.
#[derive(Default, Debug)]
pub struct InstrSeq {
    pub instrs: Vec<Instr>,
    /// The index of the instruction behind each label.
    pub labels: Vec<usize>,
    /// What replaces the annotations placeholder.
    pub annotations: Option<Box<InstrSeq>>,
}

impl InstrSeq {
    pub fn new_label(&mut self) -> Label {
        self.labels.push(usize::MAX);
        Label(self.labels.len() - 1)
    }

    pub fn use_label(&mut self, label: Label) {
        self.labels[label.0] = self.instrs.len();
    }

    pub fn push(&mut self, op: Op, arg: u32, target: Option<Label>, loc: Loc) {
        self.instrs.push(Instr { op, arg, target, loc });
    }

    pub fn insert_first(&mut self, instr: Instr) {
        self.instrs.insert(0, instr);
        for at in &mut self.labels {
            if *at != usize::MAX {
                *at += 1;
            }
        }
    }
}

pub fn is_block_push(op: Op) -> bool {
    matches!(op, Op::SetupFinally | Op::SetupWith | Op::SetupCleanup)
}

pub fn has_target(op: Op) -> bool {
    op.has(flag::JUMP) && op != Op::EndAsyncFor || is_block_push(op) || op == Op::EndAsyncFor
}

pub fn is_unconditional_jump(op: Op) -> bool {
    matches!(
        op,
        Op::Jump | Op::JumpNoInterrupt | Op::JumpForward | Op::JumpBackward | Op::JumpBackwardNoInterrupt
    )
}

pub fn is_conditional_jump(op: Op) -> bool {
    matches!(
        op,
        Op::PopJumpIfFalse
            | Op::PopJumpIfTrue
            | Op::PopJumpIfNone
            | Op::PopJumpIfNotNone
            | Op::JumpIfFalse
            | Op::JumpIfTrue
    )
}

pub fn is_scope_exit(op: Op) -> bool {
    matches!(op, Op::ReturnValue | Op::RaiseVarargs | Op::Reraise)
}

pub fn is_terminator(op: Op) -> bool {
    // FOR_ITER, SEND and conditional jumps end a block too, but may fall through.
    has_target(op) && !is_block_push(op) || is_scope_exit(op)
}
