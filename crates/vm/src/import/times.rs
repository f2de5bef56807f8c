//! `-X importtime`: how long imports take, told on standard error.

use std::cell::Cell;
use std::io::Write as _;
use std::time::{Duration, Instant};

use crate::prelude::*;

/// Where the interpreter is in its imports.
#[derive(Default)]
struct Times {
    /// How many imports are under way.
    depth: Cell<usize>,
    /// The time that the imports inside the current one have taken.
    inner: Cell<Duration>,
    started: Cell<bool>,
}

/// Writes a line to standard error itself, as the import of `sys.stderr`'s makers is told too.
fn tell(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A name that may hold surrogates, as text.
fn shown(name: &Str) -> String {
    (0..name.len())
        .filter_map(|index| name.char_at(index))
        .map(|code| char::from_u32(code).map_or_else(|| format!("\\u{code:04x}"), String::from))
        .collect()
}

/// Runs an import and tells how long it took, with and without the imports that it made.
pub fn timed(name: &Str, load: impl FnOnce() -> PyResult, vm: &Vm) -> PyResult {
    let times = vm.interp().state::<Times>();
    if !times.started.replace(true) {
        tell("import time: self [us] | cumulative | imported package");
    }
    let before = times.inner.take();
    times.depth.set(times.depth.get() + 1);
    let begun = Instant::now();
    let loaded = load();
    let total = begun.elapsed();
    times.depth.set(times.depth.get().saturating_sub(1));
    let own = total.saturating_sub(times.inner.get());
    times.inner.set(before + total);
    let indent = times.depth.get() * 2;
    tell(&format!(
        "import time: {:9} | {:10} | {:indent$}{}",
        own.as_micros(),
        total.as_micros(),
        "",
        shown(name)
    ));
    loaded
}

/// Tells that a module was there already.
pub fn tell_cached(name: &Str, vm: &Vm) {
    let times = vm.interp().state::<Times>();
    let indent = times.depth.get() * 2;
    tell(&format!("import time: cached    | cached     | {:indent$}{}", "", shown(name)));
}
