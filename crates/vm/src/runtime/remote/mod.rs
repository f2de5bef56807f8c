//! Other processes that run this executable: their memory and what lies in it (PEP 768).
//!
//! Layouts there are ours. Nothing that is read is trusted: the other process goes on while it is looked at, so addresses are
//! only ever handed to the system, types are checked, and lengths are bounded.

pub mod anchor;
pub mod memory;
pub mod views;
