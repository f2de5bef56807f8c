//! The pure-Python standard library, compiled when Taipan is built.
//!
//! Invariants:
//! - Nothing is unpacked: a module's code is a slice of the executable, found by a search of the sorted index.
//! - Sources are in it too, compressed: only tracebacks and `inspect` read them.

use taipan_vm::import::{EmbeddedLibrary, EmbeddedModule};

/// Where a module's parts lie in the archive.
struct Entry {
    name: &'static str,
    is_package: bool,
    code: (usize, usize),
    source: (usize, usize),
}

include!(concat!(env!("OUT_DIR"), "/index.rs"));

static ARCHIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/library.bin"));

/// The embedded library.
pub struct Library;

/// The only one.
pub static LIBRARY: Library = Library;

fn blob((start, len): (usize, usize)) -> &'static [u8] {
    ARCHIVE.get(start..start + len).unwrap_or_default()
}

fn entry(name: &str) -> Option<&'static Entry> {
    let at = MODULES.binary_search_by(|entry| entry.name.cmp(name)).ok()?;
    MODULES.get(at)
}

impl EmbeddedLibrary for Library {
    fn find(&self, name: &str) -> Option<EmbeddedModule> {
        entry(name).map(|entry| EmbeddedModule { code: blob(entry.code), is_package: entry.is_package })
    }

    fn source(&self, name: &str) -> Option<Vec<u8>> {
        miniz_oxide::inflate::decompress_to_vec(blob(entry(name)?.source)).ok()
    }

    fn names(&self) -> Vec<&'static str> {
        MODULES.iter().map(|entry| entry.name).collect()
    }

    fn data_names(&self) -> Vec<&'static str> {
        DATA.iter().map(|(name, _)| *name).collect()
    }

    fn data(&self, path: &str) -> Option<Vec<u8>> {
        let at = DATA.binary_search_by(|(name, _)| (*name).cmp(path)).ok()?;
        let (_, place) = DATA.get(at)?;
        miniz_oxide::inflate::decompress_to_vec(blob(*place)).ok()
    }
}
