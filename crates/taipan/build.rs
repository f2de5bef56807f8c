//! How the executable is linked.

fn main() {
    // The C API is exported, so that extension modules find it.
    println!("cargo:rustc-link-arg-bins=-Wl,--export-dynamic");
    // A fixed address needs no relocation at the start, and its data stays shared with the file (ARCHITECTURE.md).
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
