//! Compiles the standard library into one archive.
//!
//! The archive is a sequence of blobs: the modules' code, then their sources and the data files. The index, written as Rust
//! source, is sorted by name.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use taipan_parser::ParseOptions;
use taipan_parser::ast::Arena;

mod later_fixes;
mod set_back;

/// A module found in a library folder.
struct Module {
    path: PathBuf,
    is_package: bool,
}

/// The modules that CPython freezes: their code knows no file. Tracebacks leave out importlib's by their names.
const FROZEN: [&str; 23] = [
    "__hello__",
    "__phello__",
    "__phello__.ham",
    "__phello__.ham.eggs",
    "__phello__.spam",
    "_collections_abc",
    "_embedded_importer",
    "_sitebuiltins",
    "abc",
    "codecs",
    "genericpath",
    "importlib._bootstrap",
    "importlib._bootstrap_external",
    "importlib.machinery",
    "importlib.util",
    "io",
    "ntpath",
    "os",
    "posixpath",
    "runpy",
    "site",
    "stat",
    "zipimport",
];

/// The modules that every start reads, in its order: first and side by side in the archive, so that a start touches few pages.
const AT_START: [&str; 15] = [
    "importlib._bootstrap",
    "importlib._bootstrap_external",
    "_embedded_importer",
    "codecs",
    "encodings.aliases",
    "encodings",
    "abc",
    "stat",
    "_collections_abc",
    "genericpath",
    "posixpath",
    "os",
    "_sitebuiltins",
    "site",
    "linecache",
];

fn main() {
    let overlay = PathBuf::from(env("CARGO_MANIFEST_DIR")).join("../../lib");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=set_back.rs");
    println!("cargo:rerun-if-changed=later_fixes.rs");
    println!("cargo:rerun-if-changed={}", overlay.display());
    let mut modules = BTreeMap::new();
    let mut data = BTreeMap::new();
    // What the repository's own folder holds goes before the library's.
    for root in [Path::new(rustpython_pylib::LIB_PATH), &overlay] {
        collect(root, root, &mut modules, &mut data);
    }
    let mut codes = BTreeMap::new();
    let mut sources = BTreeMap::new();
    for (name, module) in &modules {
        let source =
            std::fs::read(&module.path).unwrap_or_else(|error| panic!("{}: {error}", module.path.display()));
        let source = set_back(name, source);
        let file = match name.as_str() {
            name if FROZEN.contains(&name) => format!("<frozen {name}>"),
            _ if module.is_package => format!("<embedded>/{}/__init__.py", name.replace('.', "/")),
            _ => format!("<embedded>/{}.py", name.replace('.', "/")),
        };
        let Some(code) = compile(&source, &file) else {
            println!("cargo:warning=not embedded, since it does not compile: {name}");
            continue;
        };
        codes.insert(name.as_str(), code);
        sources.insert(name.as_str(), miniz_oxide::deflate::compress_to_vec(&source, 6));
    }
    let mut archive: Vec<u8> = Vec::new();
    let mut put = |bytes: &[u8]| {
        let start = archive.len();
        archive.extend_from_slice(bytes);
        (start, bytes.len())
    };
    let others = codes.keys().copied().filter(|name| !AT_START.contains(name));
    let order: Vec<&str> = AT_START.into_iter().chain(others).collect();
    let code_places: BTreeMap<&str, _> = order.into_iter().map(|name| (name, put(&codes[name]))).collect();
    let mut index = String::from("static MODULES: &[Entry] = &[\n");
    for (name, source) in &sources {
        let (code, source, is_package) = (code_places[name], put(source), modules[*name].is_package);
        writeln!(
            index,
            "    Entry {{ name: {name:?}, is_package: {is_package}, code: {code:?}, source: {source:?} }},"
        )
        .expect("a String grows");
    }
    index.push_str(
        "];\n\n/// Where each data file lies in the blob.\npub static DATA: &[(&str, (usize, usize))] = &[\n",
    );
    let mut contents = BTreeMap::new();
    for (name, path) in &data {
        let bytes = std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        contents.insert(name.clone(), bytes);
    }
    // The list of data files, for `importlib.resources`.
    let files: String = data.keys().map(|name| format!("{name}\n")).collect();
    contents.insert("FILES".to_owned(), files.into_bytes());
    for (name, bytes) in &contents {
        let (at, len) = put(&miniz_oxide::deflate::compress_to_vec(bytes, 6));
        writeln!(index, "    ({name:?}, ({at}, {len})),").expect("a String grows");
    }
    index.push_str("];\n");
    let out = PathBuf::from(env("OUT_DIR"));
    std::fs::write(out.join("library.bin"), archive).expect("OUT_DIR can be written");
    std::fs::write(out.join("index.rs"), index).expect("OUT_DIR can be written");
}

/// A module's source without what was changed for another implementation, and with what was mended later.
fn set_back(module: &str, source: Vec<u8>) -> Vec<u8> {
    let all = set_back::SET_BACK.iter().chain(later_fixes::LATER_FIXES);
    let changes: Vec<_> = all.filter(|(changed, ..)| *changed == module).collect();
    if changes.is_empty() {
        return source;
    }
    let mut text = String::from_utf8(source).expect("the library's sources are UTF-8");
    for (_, from, to) in changes {
        assert_eq!(text.matches(from).count(), 1, "{module} must hold this once: {from}");
        text = text.replace(from, to);
    }
    text.into_bytes()
}

fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("cargo sets {name}"))
}

/// Finds modules and data files below `folder`.
fn collect(
    root: &Path,
    folder: &Path,
    modules: &mut BTreeMap<String, Module>,
    data: &mut BTreeMap<String, PathBuf>,
) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "__pycache__"
                && name != "test"
                && name != "tests"
                && name != "idlelib"
                && name != "turtledemo"
            {
                collect(root, &path, modules, data);
            }
            continue;
        }
        let relative = path.strip_prefix(root).expect("it is below the root").to_string_lossy().into_owned();
        match relative.strip_suffix(".py") {
            Some(stem) => {
                let dotted = stem.replace('/', ".");
                let package = dotted.strip_suffix(".__init__");
                let is_package = package.is_some();
                let dotted = package.unwrap_or(&dotted).to_owned();
                modules.insert(dotted, Module { path, is_package });
            }
            None => {
                data.insert(relative, path);
            }
        }
    }
}

/// The marshalled code of a module.
fn compile(source: &[u8], file: &str) -> Option<Vec<u8>> {
    let arena = Arena::new();
    let parsed = taipan_parser::parse(source, &ParseOptions::default(), &arena).ok()?;
    let options = taipan_compiler::CompileOptions {
        filename: file.as_bytes(),
        optimize: 0,
        future_flags: 0,
        top_level_await: false,
        stack_limit: 0,
    };
    let compiled = taipan_compiler::compile(&arena, &parsed.module, &options).ok()?;
    taipan_bytecode::marshal::dump_code(&compiled.code).ok()
}
