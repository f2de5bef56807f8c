//! Runs every program under `tests` that has its output beside it through the executable and compares its output with the file beside it,
//! which is what CPython 3.14 prints with `PYTHONHASHSEED=0`.

use std::path::{Path, PathBuf};
use std::process::Command;

fn programs(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("the folder exists").flatten() {
        let path = entry.path();
        if path.is_dir() {
            programs(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "py")
            && path.with_extension("out").exists()
        {
            found.push(path);
        }
    }
}

#[test]
fn programs_print_what_cpython_prints() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests");
    let mut all = Vec::new();
    programs(&root, &mut all);
    all.sort();
    assert!(!all.is_empty(), "no programs found");
    let mut failed = Vec::new();
    for program in &all {
        let expected =
            std::fs::read_to_string(program.with_extension("out")).expect("each program has its .out");
        let output = Command::new(env!("CARGO_BIN_EXE_taipan"))
            .arg(program)
            .env("PYTHONHASHSEED", "0")
            .output()
            .expect("the executable runs");
        let got = String::from_utf8_lossy(&output.stdout);
        if got != expected || !output.status.success() {
            let errors = String::from_utf8_lossy(&output.stderr);
            failed
                .push(format!("{}:\n--- expected\n{expected}\n--- got\n{got}\n{errors}", program.display()));
        }
    }
    println!("{} programs, {} failed", all.len(), failed.len());
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
