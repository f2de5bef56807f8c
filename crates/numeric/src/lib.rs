//! The `numeric` crate.
