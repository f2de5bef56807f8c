//! Runs the cases of `command_line/cases.txt` through the executable and compares output, errors and status with
//! `command_line/expected.txt`, which is what CPython 3.14 answered. With `TAIPAN_RECORD` set to CPython's executable, that
//! file is written anew. Cases in `command_line/differs.txt` are known to differ, for the reason that stands there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

struct Case {
    name: String,
    command: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command_line")
}

/// A case starts with a line `= name: command`; its command may go on over lines.
fn cases() -> Vec<Case> {
    let text = std::fs::read_to_string(folder().join("cases.txt")).expect("the cases are there");
    let mut found: Vec<Case> = Vec::new();
    for line in text.lines().skip_while(|line| line.starts_with('#')) {
        let named = line.strip_prefix("= ").and_then(|rest| rest.split_once(": "));
        match (named, found.last_mut()) {
            (Some((name, command)), _) => {
                found.push(Case { name: name.to_owned(), command: command.to_owned() });
            }
            (None, Some(last)) => {
                last.command.push('\n');
                last.command.push_str(line);
            }
            (None, None) => panic!("a case has no name: {line}"),
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("the folder can be made");
    for entry in std::fs::read_dir(from).expect("the folder exists").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("the file can be copied");
        }
    }
}

/// Addresses, version and names of folders are not the same twice.
fn normalise(output: &[u8], place: &Path, executable: &str) -> String {
    let text = String::from_utf8_lossy(output);
    let text = text.replace(&*place.to_string_lossy(), "<DIR>").replace(executable, "<EXE>");
    let text = text.split_inclusive('\n').map(without_library).collect::<String>();
    let mut out = String::new();
    for line in text.split_inclusive('\n') {
        let mut rest = line;
        if let Some(at) = rest.find("Python 3.14.10 (") {
            out.push_str(&rest[..at]);
            out.push_str("Python 3.14.10 (...)\n");
            continue;
        }
        while let Some(at) = rest.find("0x") {
            let digits = rest[at + 2..].bytes().take_while(u8::is_ascii_hexdigit).count();
            out.push_str(&rest[..at]);
            out.push_str(if digits >= 6 { "0x..." } else { &rest[at..at + 2 + digits] });
            rest = &rest[at + 2 + digits..];
        }
        out.push_str(rest);
    }
    out
}

/// A line of a traceback without the folder of the standard library, which is another on every machine.
fn without_library(line: &str) -> String {
    let at = ["/lib/python3.14/", "/python314.zip/"]
        .iter()
        .find_map(|folder| Some(line.find(folder)? + folder.len()));
    match (line.strip_prefix("  File \""), at) {
        (Some(_), Some(at)) => format!("  File \"<library>/{}", &line[at..]),
        _ => line.to_owned(),
    }
}

fn run(case: &Case, executable: &str) -> String {
    let place =
        std::env::temp_dir().join(format!("taipan-command-line-{}-{}", std::process::id(), case.name));
    copy(&folder().join("files"), &place);
    let place = place.canonicalize().expect("the folder exists");
    let output = Command::new("/bin/sh")
        .args(["-c", &case.command])
        .current_dir(&place)
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("PYTHON", executable)
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", &place)
        .env("PYTHON_COLORS", "0")
        .stdin(Stdio::null())
        .output()
        .expect("the shell runs");
    std::fs::remove_dir_all(&place).expect("the folder can be removed");
    let status = output.status.code().map_or_else(|| "signal".to_owned(), |code| code.to_string());
    let mut text = format!("status {status}\n");
    for (name, bytes) in [("output", &output.stdout), ("errors", &output.stderr)] {
        if !bytes.is_empty() {
            let _ =
                writeln!(text, "{name}:\n{}", normalise(bytes, &place, executable).trim_end_matches('\n'));
        }
    }
    text
}

/// Answers by case: each starts with a line `== name`.
fn read_answers(text: &str) -> BTreeMap<String, String> {
    let mut answers = BTreeMap::new();
    for part in format!("\n{text}").split("\n== ").skip(1) {
        let (name, answer) = part.split_once('\n').expect("a name has a line of its own");
        answers.insert(name.to_owned(), answer.trim_end_matches('\n').to_owned());
    }
    answers
}

#[test]
fn the_command_line_answers_as_cpython_does() {
    let expected_file = folder().join("expected.txt");
    if let Ok(executable) = std::env::var("TAIPAN_RECORD") {
        let mut text = String::new();
        for case in cases() {
            let _ = write!(text, "== {}\n{}", case.name, run(&case, &executable));
        }
        std::fs::write(expected_file, text).expect("the answers can be written");
        return;
    }
    let expected = read_answers(&std::fs::read_to_string(expected_file).expect("the answers are there"));
    let differs = std::fs::read_to_string(folder().join("differs.txt")).expect("the list is there");
    let differs: Vec<&str> =
        differs.lines().filter_map(|line| line.split_once(": ").map(|(name, _)| name)).collect();
    let mut wrong = Vec::new();
    let all = cases();
    for case in &all {
        let answer = run(case, env!("CARGO_BIN_EXE_taipan"));
        let same =
            expected.get(&case.name).is_some_and(|expected| *expected == answer.trim_end_matches('\n'));
        match (same, differs.contains(&case.name.as_str())) {
            (false, false) => wrong.push(format!("{}:\n{answer}", case.name)),
            (true, true) => {
                wrong.push(format!("{} no longer differs: strike it from differs.txt", case.name))
            }
            _ => {}
        }
    }
    println!("{} cases, {} wrong", all.len(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
