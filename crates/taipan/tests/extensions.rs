//! Extension modules in C, built against our own headers and imported by the executable: each `tests/capi/use_NAME.py` uses
//! the module of `NAME.c` and prints what CPython prints (`use_NAME.expected`). Needs a C compiler; without one, nothing is
//! checked.

use std::path::Path;
use std::process::Command;

fn build(source: &Path, include: &Path, target: &Path) -> bool {
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let built = Command::new(&compiler)
        .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wno-missing-field-initializers"])
        .arg("-I")
        .arg(include)
        .arg("-o")
        .arg(target)
        .arg(source)
        .status();
    match built {
        Ok(status) => {
            assert!(status.success(), "{} doesn't compile", source.display());
            true
        }
        Err(_) => false,
    }
}

#[test]
fn extension_modules_behave_as_on_cpython() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let folder = root.join("tests/capi");
    let out = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for name in ["sample", "wheels"] {
        let source = folder.join(format!("{name}.c"));
        if !build(&source, &root.join("include"), &out.join(format!("{name}.so"))) {
            println!("no C compiler: skipped");
            return;
        }
        let program = folder.join(format!("use_{name}.py"));
        let expected =
            std::fs::read_to_string(program.with_extension("expected")).expect("each program has its text");
        let output = Command::new(env!("CARGO_BIN_EXE_taipan"))
            .arg(&program)
            .env("PYTHONPATH", out)
            .env("PYTHONHASHSEED", "0")
            .output()
            .expect("the executable runs");
        let got = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            got == expected && output.status.success(),
            "{name}:\n--- expected\n{expected}\n--- got\n{got}\n{errors}"
        );
    }
}
