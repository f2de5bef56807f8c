//! The protocols by which objects are used without knowing their types: attributes, calls, numbers, containers,
//! iteration, comparison, buffers, paths. All are methods on `Object` that take `vm`.

pub mod attributes;
pub mod buffer;
pub mod call;
pub mod compare;
pub mod container;
pub mod iterator;
pub mod native;
pub mod number;
pub mod object;
pub mod path;
