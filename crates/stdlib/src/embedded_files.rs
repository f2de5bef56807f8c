//! The embedded standard library as files: what `open`, `stat` and `listdir` find below the place where it
//! appears on `sys.path`, so that programs that read the library's sources or data by path find them.
//!
//! Asked only after the operating system has found nothing; read-only.

use std::collections::BTreeMap;
use std::ffi::CStr;

use taipan_vm::prelude::*;

/// The name of the archive, which every path below it contains.
const ARCHIVE: &str = "python314.zip";

/// What is at a path.
pub enum Entry {
    /// A file's content.
    File(Vec<u8>),
    /// The names in a folder, and which of them are folders.
    Folder(BTreeMap<String, bool>),
}

/// The path below the library; none for other paths.
fn relative<'a>(path: &'a CStr, vm: &Vm) -> Option<&'a str> {
    let path = path.to_str().ok()?;
    if !path.contains(ARCHIVE) {
        return None;
    }
    let importer = taipan_vm::import::import_module("_embedded_importer", vm);
    let root = importer.and_then(|importer| importer.get_attr(&vm.intern("_ROOT"), vm));
    let Ok(root) = root else {
        vm.clear_exception();
        return None;
    };
    let root = root.downcast_ref::<Str>()?.to_string_lossy().into_owned();
    let rest = path.strip_prefix(root.as_str())?;
    match rest.strip_prefix('/') {
        Some(below) => Some(below.trim_end_matches('/')),
        None => rest.is_empty().then_some(rest),
    }
}

/// What the embedded library has at a path that the system does not know.
pub fn find(path: &CStr, vm: &Vm) -> Option<Entry> {
    let below = relative(path, vm)?;
    let library = vm.interp().import.library.get()?;
    if let Some(data) = library.data(below) {
        return Some(Entry::File(data));
    }
    if let Some(name) = below.strip_suffix(".py") {
        let name = name.replace('/', ".");
        let (name, package) = match name.strip_suffix(".__init__") {
            Some(package) => (package, true),
            None => (name.as_str(), false),
        };
        if library.find(name).is_some_and(|module| module.is_package == package) {
            return library.source(name).map(Entry::File);
        }
    }
    let folder = below.replace('/', ".");
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}.") };
    let mut names = BTreeMap::new();
    if library.find(&folder).is_some_and(|module| module.is_package) {
        names.insert("__init__.py".to_owned(), false);
    }
    for name in library.names() {
        let Some(rest) = name.strip_prefix(prefix.as_str()).filter(|rest| !rest.is_empty()) else { continue };
        match rest.split_once('.') {
            Some((package, _)) => names.insert(package.to_owned(), true),
            None if library.find(name).is_some_and(|module| module.is_package) => {
                names.insert(rest.to_owned(), true)
            }
            None => names.insert(format!("{rest}.py"), false),
        };
    }
    (!names.is_empty()).then_some(Entry::Folder(names))
}

/// Opens a file of the library for reading: a descriptor of its content in memory.
pub fn open(path: &CStr, flags: i32, vm: &Vm) -> Option<i32> {
    if flags & libc::O_ACCMODE != libc::O_RDONLY {
        return None;
    }
    let Entry::File(content) = find(path, vm)? else { return None };
    // SAFETY: the name is NUL-terminated; the descriptor is new.
    let fd = unsafe { libc::memfd_create(c"taipan-library".as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return None;
    }
    let mut rest = content.as_slice();
    while !rest.is_empty() {
        // SAFETY: the buffer has that length.
        let written = unsafe { libc::write(fd, rest.as_ptr().cast(), rest.len()) };
        match usize::try_from(written) {
            Ok(written) if written > 0 => rest = rest.get(written..).unwrap_or_default(),
            _ => {
                // SAFETY: the descriptor is ours.
                unsafe { libc::close(fd) };
                return None;
            }
        }
    }
    // SAFETY: plain system calls on our descriptor.
    unsafe {
        libc::lseek(fd, 0, libc::SEEK_SET);
        libc::fchmod(fd, 0o444);
    }
    Some(fd)
}

/// The status of a file or folder of the library: its type, permissions and size.
pub fn stat(path: &CStr, vm: &Vm) -> Option<libc::stat> {
    // SAFETY: zero is a valid value of every field.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    match find(path, vm)? {
        Entry::File(content) => {
            stat.st_mode = libc::S_IFREG | 0o444;
            stat.st_size = content.len() as i64;
        }
        Entry::Folder(_) => stat.st_mode = libc::S_IFDIR | 0o555,
    }
    stat.st_nlink = 1;
    Some(stat)
}
