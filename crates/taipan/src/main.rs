//! The `taipan` executable.
fn main() {}
