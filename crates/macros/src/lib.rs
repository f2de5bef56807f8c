//! The attribute macros by which Python types and modules are declared in Rust.
//!
//! Invariants:
//! - A declaration says everything once: the text signature gives names, kinds and defaults of parameters, the Rust
//!   signature their types; method tables, slots, trampolines and documentation follow.
//! - Generated code calls the runtime only through `taipan_vm::macro_support` and `taipan_object`.

use proc_macro::TokenStream;

mod function;
mod pymodule;
mod pytype;
mod signature;
mod slots;
#[cfg(test)]
mod tests;
mod traverse;

/// Declares a Python type on an `impl` block. See `CONTRIBUTING.md`, "Add a type".
#[proc_macro_attribute]
pub fn pytype(args: TokenStream, item: TokenStream) -> TokenStream {
    finish(pytype::expand(args.into(), item.into()))
}

/// Adds a further method table to a type whose methods are spread over several files.
#[proc_macro_attribute]
pub fn pymethods(args: TokenStream, item: TokenStream) -> TokenStream {
    finish(pytype::expand_table(args.into(), item.into(), function::Owner::Type))
}

/// Declares a native module on an `impl` block of a unit struct. See `CONTRIBUTING.md`, "Add a native module".
#[proc_macro_attribute]
pub fn pymodule(args: TokenStream, item: TokenStream) -> TokenStream {
    finish(pymodule::expand(args.into(), item.into()))
}

/// Adds a further function table to a module whose functions are spread over several files.
#[proc_macro_attribute]
pub fn pyfunctions(args: TokenStream, item: TokenStream) -> TokenStream {
    finish(pytype::expand_table(args.into(), item.into(), function::Owner::Module))
}

/// Implements `taipan_object::Traverse` field by field. `#[traverse(skip)]` leaves a field out.
#[proc_macro_derive(Traverse, attributes(traverse))]
pub fn derive_traverse(item: TokenStream) -> TokenStream {
    finish(traverse::expand(item.into()))
}

fn finish(result: syn::Result<proc_macro2::TokenStream>) -> TokenStream {
    result.unwrap_or_else(|error| error.to_compile_error()).into()
}
