//! Exceptions: their types, their objects, and how one that nobody caught is shown.
//!
//! At start, in this order: `types::prepare` before the static types are made ready; each type of `types::all` is made ready;
//! `types::fill_builtins` puts them into `builtins` (and makes `ExceptionGroup`).

pub mod base;
pub mod declared;
pub mod group;
pub mod import_error;
pub mod key_error;
pub mod name_error;
pub mod os_error;
pub mod print;
pub mod stop_iteration;
pub mod suggestions;
pub mod syntax_error;
pub mod types;
pub mod unicode_error;
pub mod unraisable;
