//! `co_flags` (reference, "Code object bit flags"; `inspect.CO_*`).
#![allow(missing_docs)]

pub const OPTIMIZED: i32 = 0x0001;
pub const NEWLOCALS: i32 = 0x0002;
pub const VARARGS: i32 = 0x0004;
pub const VARKEYWORDS: i32 = 0x0008;
pub const NESTED: i32 = 0x0010;
pub const GENERATOR: i32 = 0x0020;
pub const COROUTINE: i32 = 0x0080;
pub const ITERABLE_COROUTINE: i32 = 0x0100;
pub const ASYNC_GENERATOR: i32 = 0x0200;
pub const HAS_DOCSTRING: i32 = 0x400_0000;
pub const METHOD: i32 = 0x800_0000;
