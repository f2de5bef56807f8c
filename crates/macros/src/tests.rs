//! What the macros say about faulty declarations, and where.

use proc_macro2::TokenStream;

use crate::function::Owner;
use crate::{pymodule, pytype, traverse};

/// The message and the source text that it points at.
fn fault(result: syn::Result<TokenStream>) -> (String, String) {
    match result {
        Ok(code) => panic!("accepted: {code}"),
        Err(error) => (error.to_string(), error.span().source_text().unwrap_or_default()),
    }
}

fn tokens(text: &str) -> TokenStream {
    text.parse().expect(text)
}

fn of_type(args: &str, item: &str) -> (String, String) {
    fault(pytype::expand(tokens(args), tokens(item)))
}

fn of_module(args: &str, item: &str) -> (String, String) {
    fault(pymodule::expand(tokens(args), tokens(item)))
}

/// A type with one declared function.
fn of_function(text: &str) -> (String, String) {
    of_type("name = \"x\"", &format!("impl X {{ {text} }}"))
}

fn is(fault: (String, String), message: &str, place: &str) {
    assert_eq!(fault, (message.to_owned(), place.to_owned()));
}

#[test]
fn options() {
    is(of_type("gc", "impl X {}"), "name = \"...\" is wanted", "X");
    is(of_type("name = \"x\", weak", "impl X {}"), "unknown option of pytype", "weak");
    is(of_type("gc, name = \"x\", gc", "impl X {}"), "this option is given twice", "gc");
    is(of_type("name = \"x\"", "impl [u8] {}"), "an impl block of a struct is wanted", "[u8]");
    is(of_module("name = \"x\", type(X)", "impl X {}"), "unknown option of pymodule", "type");
    let table = pytype::expand_table(tokens("name = X"), tokens("impl X {}"), Owner::Type);
    is(fault(table), "table = NAME is wanted", "name");
}

#[test]
fn functions() {
    is(
        of_function("#[method] fn f(&self) {}"),
        "a text signature is wanted, e.g. #[method(\"($self, x, /)\")]",
        "#[method]",
    );
    is(of_function("#[method(\"($self, /)\", fast)] fn f(&self) {}"), "unknown option of method", "fast");
    is(of_function("#[new(\"()\", coexist)] fn f(cls: &Type) {}"), "unknown option of new", "coexist");
    is(of_function("#[method(\"$self\")] fn f(&self) {}"), "a text signature is parenthesised", "\"$self\"");
    is(
        of_function("#[method(\"($self, a b)\")] fn f(&self, x: i32) {}"),
        "a parameter's name is no identifier",
        "\"($self, a b)\"",
    );
    is(
        of_function("#[method(\"($self, a, /)\")] fn f(&self) {}"),
        "the signature has 1 parameters, the function takes 0",
        "&self",
    );
    is(
        of_function("#[method(\"($self, a=None, /)\")] fn f(&self, a: i32) {}"),
        "a parameter with the default None is an Option or an OrNone",
        "i32",
    );
    is(
        of_function("#[method(\"($self, a=sys.maxsize, /)\")] fn f(&self, a: isize) {}"),
        "a parameter with the default sys.maxsize is an Option or an OrNone",
        "isize",
    );
    is(of_function("#[function(\"()\")] fn f() {}"), "this belongs to a pymodule", "f");
    is(
        of_module("name = \"x\"", "impl X { #[slot] fn tp_repr() {} }"),
        "this belongs to a pytype",
        "tp_repr",
    );
}

#[test]
fn slots() {
    is(of_function("#[slot] fn tp_print(&self) {}"), "no such slot", "tp_print");
    is(
        of_function("#[slot] fn tp_dealloc(op: *mut Object) {}"),
        "this slot is written raw: an unsafe fn of pointers",
        "tp_dealloc",
    );
    is(of_function("#[slot] unsafe fn tp_free(&self) {}"), "a raw slot takes pointers", "&self");
}

#[test]
fn traversal() {
    let item = "struct X { ob: Object, #[traverse(jump)] a: u8 }";
    is(fault(traverse::expand(tokens(item))), "only #[traverse(skip)] is known", "jump");
    is(fault(traverse::expand(tokens("enum X {}"))), "Traverse can be derived for structs only", "X");
}
