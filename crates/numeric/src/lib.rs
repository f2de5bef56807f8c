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
//! Nothing here panics on any input; what can fail says so in its `Result`.

pub mod float;
pub mod int;

pub use int::{BigInt, IntError, IntRef};
