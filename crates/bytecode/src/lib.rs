//! The `bytecode` crate.
