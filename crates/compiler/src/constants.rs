//! Constants of the tree, docstrings, and the table of constants of a code object.

use taipan_bytecode::code::Str;
use taipan_bytecode::hash::FastMap;
use taipan_bytecode::{Const, marshal};
use taipan_parser::ast::{Body, Constant, Expr, ExprKind, IntConst, StmtKind};

/// A constant as it stands in a code object.
pub fn from_ast(constant: &Constant<'_>) -> Const {
    match *constant {
        Constant::None => Const::None,
        Constant::True => Const::True,
        Constant::False => Const::False,
        Constant::Ellipsis => Const::Ellipsis,
        Constant::Int(IntConst::Small(value)) => Const::Int(value),
        Constant::Int(IntConst::Big { negative, digits }) => marshal::int_const(negative, digits.to_vec()),
        Constant::Float(value) => Const::Float(value),
        Constant::Complex { real, imag } => Const::Complex(real, imag),
        Constant::Str { value, .. } => str_const(value.as_bytes()),
        Constant::Bytes(bytes) => Const::Bytes(bytes.into()),
        Constant::Tuple(items) => Const::Tuple(items.iter().map(from_ast).collect()),
        Constant::FrozenSet(items) => Const::FrozenSet(items.iter().map(from_ast).collect()),
    }
}

/// A str constant; those that look like identifiers are interned.
pub fn str_const(value: &[u8]) -> Const {
    let interned = value.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    Const::Str(Str { value: value.into(), interned })
}

/// The docstring of a body.
pub fn docstring<'a>(body: Body<'a>) -> Option<(&'a [u8], &'a Expr<'a>)> {
    let StmtKind::Expr { value } = body.first()?.kind else { return None };
    match value.kind {
        ExprKind::Constant(Constant::Str { value: text, .. }) => Some((text.as_bytes(), value)),
        _ => None,
    }
}

/// The body as it is compiled: `-OO` strips docstrings.
pub fn without_docstring<'a>(body: Body<'a>, optimize: u8) -> Body<'a> {
    match docstring(body) {
        Some(_) if optimize >= 2 => body.get(1..).unwrap_or(&[]),
        _ => body,
    }
}

/// A docstring with its indentation stripped (`inspect.cleandoc` without trimming blank lines at the ends).
pub fn clean_docstring(doc: &[u8]) -> Vec<u8> {
    let mut text = Vec::with_capacity(doc.len());
    let mut column = 0;
    for &byte in doc {
        match byte {
            b'\t' => {
                let spaces = 8 - column % 8;
                text.extend(std::iter::repeat_n(b' ', spaces));
                column += spaces;
            }
            _ => {
                text.push(byte);
                column = match byte {
                    b'\n' | b'\r' => 0,
                    0x80..=0xbf => column,
                    _ => column + 1,
                };
            }
        }
    }
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let indent_of = |line: &[u8]| line.iter().take_while(|byte| **byte == b' ').count();
    let margin =
        lines.iter().skip(1).filter(|line| indent_of(line) < line.len()).map(|line| indent_of(line)).min();
    let mut out = Vec::with_capacity(text.len());
    for (i, line) in lines.iter().enumerate() {
        let line = if i == 0 {
            line.get(indent_of(line)..)
        } else {
            out.push(b'\n');
            line.get(margin.unwrap_or(0).min(indent_of(line))..)
        };
        out.extend_from_slice(line.unwrap_or(&[]));
    }
    out
}

/// Whether a constant equals nothing, itself included.
pub fn has_nan(value: &Const) -> bool {
    match value {
        Const::Float(number) => number.is_nan(),
        Const::Complex(real, imag) => real.is_nan() || imag.is_nan(),
        _ => false,
    }
}

/// The constants of a code object in the order of their first use, each once.
#[derive(Default)]
pub struct ConstTable {
    pub list: Vec<Const>,
    index: FastMap<Const, u32>,
}

impl ConstTable {
    /// The index of a constant, which is added when it is new.
    pub fn add(&mut self, value: Const) -> u32 {
        if has_nan(&value) {
            self.list.push(value);
            return self.list.len() as u32 - 1;
        }
        if let Some(index) = self.index.get(&value) {
            return *index;
        }
        let index = self.list.len() as u32;
        self.index.insert(value.clone(), index);
        self.list.push(value);
        index
    }
}
