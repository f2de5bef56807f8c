//! The semantics of Python's `float` on `f64`.

mod arithmetic;
mod format;
mod hex;
mod parse;

pub use arithmetic::{
    FloatError, as_integer_ratio, div_mod, floor_div, hash, modulo, pow, round, round_to_int,
};
pub use format::{FormatFlags, complex_repr, format_double, repr, write_repr};
pub use hex::{HexError, from_hex, to_hex};
pub use parse::parse;
