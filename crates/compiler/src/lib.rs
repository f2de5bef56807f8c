//! The `compiler` crate.
