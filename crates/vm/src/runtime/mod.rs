//! Interpreters, threads and what belongs to them.

pub mod config;
pub mod errors;
pub mod gc;
pub mod ids;
pub mod interpreter;
pub mod make;
pub mod stack;
pub mod vm;
