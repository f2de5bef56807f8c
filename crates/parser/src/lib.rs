//! The `parser` crate.
