//! How the executable is linked.

fn main() {
    let here = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo:rerun-if-changed=build.rs");
    for file in ["exports.ld", "startup_order.ld"] {
        println!("cargo:rerun-if-changed={file}");
    }
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        // The C API is exported, so that extension modules find it.
        println!("cargo:rustc-link-arg-bins=-Wl,--dynamic-list={here}/exports.ld");
        // A fixed address needs no relocation at the start, and its data stays shared with the file (ARCHITECTURE.md).
        println!("cargo:rustc-link-arg-bins=-no-pie");
        println!("cargo:rustc-link-arg-bins=-Wl,-T,{here}/startup_order.ld");
        // Strings stay with the object file that they come from. Merged, those that a start reads are spread over 700 KB.
        println!("cargo:rustc-link-arg-bins=-Wl,-O0");
    }
}
