//! The embedded library's folder as programs see it that look for files: `os.listdir`, `os.stat` and `open` find in it
//! what an installed library would have there.
//!
//! Invariants:
//! - Only paths that the file system does not know come here, so that nothing on disk is hidden and nothing becomes slower.
//! - Nothing can be changed or made below the folder.

use std::ffi::CString;
use std::sync::OnceLock;

use crate::import::EmbeddedLibrary;
use crate::prelude::*;

/// What a path below the library means.
enum Place {
    Folder,
    File,
}

/// All files by their paths below the library's folder, sorted.
fn files(library: &dyn EmbeddedLibrary) -> &'static [String] {
    static FILES: OnceLock<Vec<String>> = OnceLock::new();
    FILES.get_or_init(|| {
        let module = |name: &'static str| {
            let is_package = library.find(name).is_some_and(|module| module.is_package);
            name.replace('.', "/") + if is_package { "/__init__.py" } else { ".py" }
        };
        let mut files: Vec<String> = library.names().into_iter().map(module).collect();
        files.extend(library.data_names().into_iter().map(str::to_owned));
        files.sort_unstable();
        files
    })
}

/// The part of a path that lies below the library's folder, and the library.
fn below(path: &[u8], vm: &Vm) -> Option<(String, &'static dyn EmbeddedLibrary)> {
    let state = &vm.interp().import;
    let library = state.library.get()?;
    let root = state.library_folder.borrow();
    let rest = path.strip_prefix(root.as_bytes()).filter(|_| !root.is_empty())?;
    if !rest.is_empty() && rest.first() != Some(&b'/') {
        return None;
    }
    let rest = std::str::from_utf8(rest).ok()?;
    let mut parts: Vec<&str> = Vec::new();
    for part in rest.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match part {
            // Above the library there are the system's own folders.
            ".." => parts.pop().map(drop)?,
            part => parts.push(part),
        }
    }
    Some((parts.join("/"), library))
}

fn place(name: &str, library: &dyn EmbeddedLibrary) -> Option<Place> {
    let files = files(library);
    if name.is_empty() {
        return Some(Place::Folder);
    }
    if files.binary_search_by(|file| file.as_str().cmp(name)).is_ok() {
        return Some(Place::File);
    }
    let inside = format!("{name}/");
    let at = files.partition_point(|file| file.as_str() < inside.as_str());
    files.get(at).filter(|file| file.starts_with(&inside)).map(|_| Place::Folder)
}

fn content(name: &str, library: &dyn EmbeddedLibrary) -> Option<Vec<u8>> {
    let data = library.data(name);
    data.or_else(|| {
        let module = name.strip_suffix(".py")?.replace('/', ".");
        library.source(module.strip_suffix(".__init__").unwrap_or(&module))
    })
}

/// What `stat` says of a path, if it lies in the library.
pub fn stat(path: &[u8], vm: &Vm) -> Option<libc::stat> {
    let (name, library) = below(path, vm)?;
    let place = place(&name, library)?;
    let executable = CString::new(vm.interp().config.borrow().executable.as_bytes()).ok()?;
    // SAFETY: zero is a valid value of every field, and the structure is ours; the path is NUL-terminated.
    let mut found = unsafe {
        let mut found: libc::stat = std::mem::zeroed();
        libc::stat(executable.as_ptr(), &raw mut found);
        found
    };
    let index = files(library).partition_point(|file| *file < name);
    found.st_ino = (1 << 40) + index as u64;
    found.st_nlink = 1;
    match place {
        Place::Folder => {
            found.st_mode = libc::S_IFDIR | 0o555;
            found.st_size = 0;
        }
        Place::File => {
            found.st_mode = libc::S_IFREG | 0o444;
            found.st_size = content(&name, library)?.len() as i64;
        }
    }
    found.st_blocks = (found.st_size + 511) / 512;
    Some(found)
}

/// The names in a folder of the library, each with whether it is a folder.
pub fn list(path: &[u8], vm: &Vm) -> Option<Vec<(String, bool)>> {
    let (name, library) = below(path, vm)?;
    let Place::Folder = place(&name, library)? else { return None };
    let prefix = if name.is_empty() { String::new() } else { name + "/" };
    let files = files(library);
    let start = files.partition_point(|file| file.as_str() < prefix.as_str());
    let mut found: Vec<(String, bool)> = Vec::new();
    for file in files.iter().skip(start) {
        let Some(rest) = file.strip_prefix(&prefix) else { break };
        let (first, is_folder) = match rest.split_once('/') {
            Some((folder, _)) => (folder, true),
            None => (rest, false),
        };
        if found.last().is_none_or(|(last, _)| last != first) {
            found.push((first.to_owned(), is_folder));
        }
    }
    Some(found)
}

/// Opens a file of the library to be read: a descriptor, or the error's number.
pub fn open(path: &[u8], flags: i32, vm: &Vm) -> Option<Result<i32, i32>> {
    let (name, library) = below(path, vm)?;
    if let Place::Folder = place(&name, library)? {
        return Some(Err(libc::EISDIR));
    }
    if flags & (libc::O_WRONLY | libc::O_RDWR) != 0 {
        return Some(Err(libc::EROFS));
    }
    let bytes = content(&name, library)?;
    let shown = CString::new(name).ok()?;
    let last_error = || Err(std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO));
    // SAFETY: the name is NUL-terminated.
    let fd = unsafe { libc::memfd_create(shown.as_ptr(), libc::MFD_CLOEXEC) };
    if fd < 0 {
        return Some(last_error());
    }
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        // SAFETY: the buffer has that length.
        let written = unsafe { libc::write(fd, rest.as_ptr().cast(), rest.len()) };
        let Some(left) = usize::try_from(written).ok().filter(|n| *n > 0).and_then(|n| rest.get(n..)) else {
            let error = last_error();
            // SAFETY: the descriptor is ours.
            unsafe { libc::close(fd) };
            return Some(error);
        };
        rest = left;
    }
    // SAFETY: a plain system call.
    unsafe { libc::lseek(fd, 0, libc::SEEK_SET) };
    Some(Ok(fd))
}
