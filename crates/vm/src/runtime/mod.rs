//! Interpreters, threads and what belongs to them.

pub mod audit;
pub mod blocking;
pub mod compile;
pub mod config;
pub mod errors;
pub mod finish;
pub mod gc;
pub mod getpath;
pub mod gil;
pub mod hooks;
pub mod ids;
pub mod interactive;
pub mod interpreter;
pub mod interpreters;
pub mod line_input;
pub mod make;
pub mod marshal;
pub mod pending;
pub mod remote;
pub mod stack;
pub mod start;
pub mod vm;
