//! Buffered binary streams: `BufferedReader`, `BufferedWriter`, `BufferedRandom` over one raw stream, `BufferedRWPair` over
//! two.
//!
//! - `core.rs`: state and algorithms; `memory.rs`: the bytes and the lock
//! - `methods.rs`: the methods that several types have; a file for each type

pub mod core;
mod memory;
mod methods;
pub mod random;
pub mod reader;
pub mod rwpair;
pub mod writer;

use taipan_vm::prelude::*;

use self::core::Buffered;
use random::BufferedRandom;
use reader::BufferedReader;
use writer::BufferedWriter;

/// The state of a stream that is exactly a `BufferedReader`, `BufferedWriter` or `BufferedRandom`, whose methods nobody
/// has overridden.
#[inline]
pub fn exact(stream: &Object) -> Option<&Buffered> {
    if let Some(stream) = stream.downcast_exact::<BufferedReader>() {
        return Some(&stream.core);
    }
    if let Some(stream) = stream.downcast_exact::<BufferedWriter>() {
        return Some(&stream.core);
    }
    stream.downcast_exact::<BufferedRandom>().map(|stream| &stream.core)
}

/// The state of an exact stream that can be read from.
#[inline]
pub fn exact_reader(stream: &Object) -> Option<&Buffered> {
    match stream.downcast_exact::<BufferedReader>() {
        Some(stream) => Some(&stream.core),
        None => stream.downcast_exact::<BufferedRandom>().map(|stream| &stream.core),
    }
}

/// The state of an exact stream that can be written to.
#[inline]
pub fn exact_writer(stream: &Object) -> Option<&Buffered> {
    match stream.downcast_exact::<BufferedWriter>() {
        Some(stream) => Some(&stream.core),
        None => stream.downcast_exact::<BufferedRandom>().map(|stream| &stream.core),
    }
}
