//! Compiles the one C file: stable Rust can't define C-variadic functions.

fn main() {
    println!("cargo:rerun-if-changed=src/variadic.c");
    cc::Build::new()
        .file("src/variadic.c")
        .warnings(true)
        .link_lib_modifier("+whole-archive")
        .compile("taipan_variadic");
}
