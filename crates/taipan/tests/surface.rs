//! Holds the surface of the native modules to CPython's: `tests/surface/surface.py` compares names, kinds, signatures, bases,
//! flags and constants with what CPython 3.14 has (`expected.txt`), but for the differences in `differs.txt`.

use std::path::Path;
use std::process::Command;

#[test]
fn native_modules_have_cpythons_surface() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/surface/surface.py");
    let output = Command::new(env!("CARGO_BIN_EXE_taipan"))
        .arg(script)
        .arg("check")
        .env("PYTHONHASHSEED", "0")
        .output()
        .expect("the executable runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
}
