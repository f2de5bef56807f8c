//! The `vm` crate.
