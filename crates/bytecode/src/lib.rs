//! Python 3.14's bytecode as data: the opcode table, code objects, their tables, and the marshal format.
//!
//! What is deliberately absent: this crate knows no Python object and no syntax tree, and depends on nothing. All
//! decoders take untrusted bytes: they return `None` or an error, they never panic.

pub mod code;
pub mod exception_table;
pub mod hash;
pub mod line_table;
pub mod marshal;
pub mod opcode;

pub use code::{CodeObject, Const, Str};
pub use opcode::{AnyOpcode, BinaryOp, Opcode};

/// The first four bytes of a `.pyc` file (`importlib.util.MAGIC_NUMBER`).
pub const PYC_MAGIC: [u8; 4] = [0x2b, 0x0e, b'\r', b'\n'];
