//! Python's numbers without Python's objects: plain functions over slices and machine numbers, shared by
//! the parser, the compiler and the vm.
//!
//! - [`int`]: arbitrary-precision integers in CPython's digit layout. Operands are [`IntRef`] (sign and
//!   borrowed 30-bit digits, taken straight out of an `int` object), results are [`BigInt`]. Operations are
//!   methods of `IntRef`: `a.add(b)`, `a.div_mod_floor(b)`, `a.pow(b)`, `a.to_f64()`, `a.to_decimal()`; text
//!   comes in by [`int::parse`].
//! - [`float`]: `float` semantics: [`float::repr`], [`float::format_double`] (codes `e E f F g G r`),
//!   [`float::round`], [`float::parse`], [`float::to_hex`]/[`float::from_hex`],
//!   [`float::as_integer_ratio`], [`float::hash`], [`float::div_mod`], [`float::pow`].
//!
//! - [`complex`]: arithmetic of complex numbers.
//! - [`decimal`]: decimal floating-point arithmetic, the core of the `_decimal` module.
//! - [`format_spec`]: the format mini-language: [`format_spec::FormatSpec::parse`], then
//!   [`format_spec::format_int`], `format_float`, `format_complex`, `layout_string`, writing to a [`TextSink`].
//! - [`percent`]: the directives of `%` formatting ([`percent::Parser`]) and numbers as they describe them.
//! - [`siphash`]: the hash of strings and bytes, and its key. [`mersenne`]: the generator behind `random`.
//!
//! Nothing here panics on any input; what can fail says so in its `Result`.

pub mod complex;
pub mod decimal;
pub mod float;
pub mod format_spec;
pub mod int;
pub mod mersenne;
pub mod percent;
pub mod siphash;
mod text_sink;

pub use int::{BigInt, ErrorKind, IntError, IntRef};
pub use text_sink::TextSink;
