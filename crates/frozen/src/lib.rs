//! The `frozen` crate.
