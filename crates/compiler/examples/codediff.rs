//! Compiles the files named on standard input, one a line, and writes for each a tag, a length and a payload:
//! `C` and the marshalled code object, or `E` and the error as text. `tests/frontend/code_diff.py` reads it.

use std::io::{BufRead, Write};

use taipan_bytecode::marshal;
use taipan_compiler::{CompileOptions, compile};
use taipan_parser::ast::Arena;
use taipan_parser::{ParseOptions, parse};

fn code_of(path: &str, source: &[u8], optimize: u8) -> Result<Vec<u8>, String> {
    let arena = Arena::new();
    let parsed =
        parse(source, &ParseOptions::default(), &arena).map_err(|error| format!("parser: {error:?}"))?;
    let options = CompileOptions {
        filename: path.as_bytes(),
        optimize,
        future_flags: 0,
        top_level_await: false,
        stack_limit: 0,
    };
    let compiled = compile(&arena, &parsed.module, &options)
        .map_err(|error| format!("{} at {:?}", error.message, error.range))?;
    marshal::dump_code(&compiled.code).map_err(|error| format!("marshal: {error:?}"))
}

fn run() -> std::io::Result<()> {
    let optimize = std::env::args().nth(1).and_then(|arg| arg.parse().ok()).unwrap_or(0);
    let mut out = std::io::stdout().lock();
    for path in std::io::stdin().lock().lines() {
        let path = path?;
        let (tag, payload) = match code_of(&path, &std::fs::read(&path)?, optimize) {
            Ok(bytes) => (b"C", bytes),
            Err(text) => (b"E", text.into_bytes()),
        };
        out.write_all(tag)?;
        out.write_all(&(payload.len() as u32).to_le_bytes())?;
        out.write_all(&payload)?;
        out.flush()?;
    }
    Ok(())
}

fn main() {
    let worker = std::thread::Builder::new().stack_size(8 << 20).spawn(run);
    let result = worker.map(std::thread::JoinHandle::join);
    if !matches!(result, Ok(Ok(Ok(())))) {
        eprintln!("failed: {result:?}");
        std::process::exit(1);
    }
}
