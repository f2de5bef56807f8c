//! `_io`: what importlib reads files with. The streams that programs use are the library's own (`_pyio`) until native
//! ones are here; `lib/io.py` puts them in place.

use std::cell::Cell;
use std::os::unix::ffi::OsStrExt;

use taipan_vm::prelude::*;

/// The module.
pub struct Io;

/// A raw file: reads and writes bytes without a buffer.
#[repr(C)]
#[derive(Traverse)]
pub struct FileIO {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    fd: Cell<i32>,
    path: ObjRef,
}

impl FileIO {
    fn descriptor(&self, vm: &Vm) -> PyResult<i32> {
        match self.fd.get() {
            fd if fd >= 0 => Ok(fd),
            _ => Err(vm.value_error("I/O operation on closed file")),
        }
    }

    fn close_now(&self) {
        let fd = self.fd.replace(-1);
        if fd >= 0 {
            // SAFETY: the descriptor is ours.
            unsafe { libc::close(fd) };
        }
    }
}

impl Drop for FileIO {
    fn drop(&mut self) {
        self.close_now();
    }
}

/// Open a file.
#[pytype(name = "_io.FileIO", gc)]
impl FileIO {
    #[new("(file, mode='r', /)")]
    fn new(_cls: &Type, file: PathArg, mode: Option<&str>, vm: &Vm) -> PyResult {
        let flags = match mode.unwrap_or("r").trim_end_matches('b') {
            "r" => libc::O_RDONLY,
            "w" => libc::O_WRONLY | libc::O_CREAT | libc::O_TRUNC,
            "a" => libc::O_WRONLY | libc::O_CREAT | libc::O_APPEND,
            other => return Err(vm.value_error(format!("invalid mode: '{other}'"))),
        };
        let Ok(path) = std::ffi::CString::new(file.path.as_bytes()) else {
            return Err(vm.value_error("embedded null character"));
        };
        // SAFETY: the path is NUL-terminated.
        let fd = vm.allow_threads(|| unsafe { libc::open(path.as_ptr(), flags | libc::O_CLOEXEC, 0o666) });
        if fd < 0 {
            return Err(vm.last_os_error(Some(&file.object)));
        }
        let made = vm.new_object(FileIO {
            ob: Object::new(Self::type_object()),
            fd: Cell::new(fd),
            path: file.object,
        });
        // SAFETY: zero is a valid value of every field, and the structure is ours.
        let is_folder = unsafe {
            let mut stat: libc::stat = std::mem::zeroed();
            libc::fstat(fd, &raw mut stat) == 0 && stat.st_mode & libc::S_IFMT == libc::S_IFDIR
        };
        if is_folder {
            return Err(vm.os_error(libc::EISDIR, Some(&made.path)));
        }
        Ok(made.into_object())
    }

    /// Read at most size bytes, returned as bytes; everything without a size.
    #[method("($self, size=-1, /)")]
    fn read(&self, size: Option<isize>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let fd = self.descriptor(vm)?;
        let limit = usize::try_from(size.unwrap_or(-1)).unwrap_or(usize::MAX);
        let mut data: Vec<u8> = Vec::new();
        while data.len() < limit {
            let part = (limit - data.len()).min(1 << 16);
            let start = data.len();
            if data.try_reserve(part).is_err() {
                return Err(vm.memory_error());
            }
            data.resize(start + part, 0);
            let place = data.as_mut_ptr().wrapping_add(start);
            // SAFETY: the buffer has room for the part behind `start`.
            let got = vm.allow_threads(|| unsafe { libc::read(fd, place.cast(), part) });
            let Ok(got) = usize::try_from(got) else { return Err(vm.last_os_error(Some(&self.path))) };
            data.truncate(start + got);
            if got == 0 {
                break;
            }
        }
        Ok(vm.new_bytes(&data))
    }

    /// Write the bytes and return how many went out.
    #[method("($self, b, /)")]
    fn write(&self, b: BufferArg, vm: &Vm) -> PyResult<isize> {
        let fd = self.descriptor(vm)?;
        let bytes = b.as_bytes();
        // SAFETY: the buffer is exported, so it stays where it is.
        let put = vm.allow_threads(|| unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) });
        if put < 0 { Err(vm.last_os_error(Some(&self.path))) } else { Ok(put) }
    }

    /// Close the file.
    #[method("($self, /)")]
    fn close(&self) {
        self.close_now();
    }

    #[method("($self, /)")]
    fn fileno(&self, vm: &Vm) -> PyResult<i32> {
        self.descriptor(vm)
    }

    #[getter]
    fn closed(&self) -> bool {
        self.fd.get() < 0
    }

    #[method("($self, /)")]
    fn __enter__(&self, vm: &Vm) -> PyResult {
        self.descriptor(vm)?;
        Ok(self.as_object().to_ref())
    }

    #[method("($self, /, *args)")]
    fn __exit__(&self, _args: &[&Object]) {
        self.close_now();
    }
}

/// The io module's native ground.
#[pymodule(name = "_io", types(FileIO))]
impl Io {
    /// Opens the provided file with the intent to import the contents.
    ///
    /// This may perform extra validation beyond open(), but is otherwise interchangeable
    /// with calling open(path, 'rb').
    #[function("($module, /, path)")]
    fn open_code(path: PathArg, vm: &Vm) -> PyResult {
        let mode = Some("r");
        FileIO::new(FileIO::type_object(), path, mode, vm)
    }
}
