//! The `capi` crate.
