//! Python 3.14's front end up to the tree: source bytes → tokens → [`ast`].
//!
//! What is deliberately absent: this crate knows no Python object, opens no file, prints nothing.

pub mod ast;
