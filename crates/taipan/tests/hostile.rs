//! A small part of `tests/hostile`: broken pickles, archives, documents and so on end in a value or an exception, not in a
//! crash or a hang. The formats whose samples need the `openssl` command are left to the full run.

use std::path::Path;
use std::process::Command;

#[test]
fn broken_data_ends_in_a_value_or_an_exception() {
    let taipan = env!("CARGO_BIN_EXE_taipan");
    let output = Command::new(taipan)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/hostile/run.py"))
        .args(["--python", taipan, "--count", "100", "--seed", "7"])
        .args(["pickle", "json", "zlib", "bz2", "lzma", "zstd", "xml", "marshal", "struct"])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("the executable runs");
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}{errors}");
}
