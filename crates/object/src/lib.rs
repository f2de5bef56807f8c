//! The foundation that every Python object stands on: the object header, reference counts, type
//! objects, allocation and the cycle collector's bookkeeping.
//!
//! Invariants:
//! - Everything that a compiled extension can see has CPython 3.14's default-build layout
//!   (64-bit, GIL); each struct asserts its size and offsets at compile time.
//! - This crate knows no Python semantics: it never raises, never looks up a name, never calls
//!   Python except through the slots `tp_dealloc`, `tp_traverse` and `tp_clear`.
//! - It and the hot paths of `vm` are the only places where raw pointers are natural.

#![allow(
    clippy::declare_interior_mutable_const,
    reason = "constants of cells are templates: each use is a fresh copy"
)]

pub mod alloc;
pub mod defs;
pub mod gc;
pub mod object;
pub mod slot;
pub mod traverse;
pub mod typeobject;

pub use object::{AsObject, ObjRef, Object, PyLayout, Ref, VarObject};
pub use slot::Slot;
pub use traverse::{Traverse, Visit};
pub use typeobject::{Type, TypeFlags};
