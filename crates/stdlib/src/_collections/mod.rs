//! `_collections`: `defaultdict` and `deque`. The rest of `collections` runs on the library's Python.

use taipan_vm::prelude::*;

mod defaultdict;
mod deque;

pub use defaultdict::DefaultDict;
pub use deque::{Deque, DequeIterator};

/// The module.
pub struct Collections;

/// High performance data structures.
#[pymodule(name = "_collections", types(DefaultDict, Deque, DequeIterator))]
impl Collections {}
