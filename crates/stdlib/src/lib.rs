//! The `stdlib` crate.
