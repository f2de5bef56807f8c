//! Exports the C API from the executable, so that extension modules find it.

fn main() {
    println!("cargo:rustc-link-arg-bins=-Wl,--export-dynamic");
}
