//! `_dbm`: hash files by the ndbm interface of a library of the system, Berkeley DB's or GNU dbm's.

use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;

use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::prelude::*;

use crate::datum::{Datum, check_key, file_name, text_or_buffer, text_or_bytes};
use crate::dynamic::{self, Library, dynamic_library};

/// The module.
pub struct DbmModule;

static ERROR: DeclaredException = DeclaredException { name: "_dbm.error", base: types::os_error };

/// An open file of the library; its object closes it and forgets it then.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct File(NonNull<c_void>);

dynamic_library! {
    /// The functions of the interface, without their prefix. What they give belongs to the library.
    pub struct Ndbm;
    safe {
        fn firstkey(file: File) -> Datum;
        fn nextkey(file: File) -> Datum;
        fn error(file: File) -> c_int;
        fn clearerr(file: File) -> c_int;
    }
    vouched {
        fn open(name: *const c_char, flags: c_int, mode: c_int) -> Option<File>;
        fn close(file: File);
        fn fetch(file: File, key: Datum) -> Datum;
        fn store(file: File, key: Datum, value: Datum, flags: c_int) -> c_int;
        fn delete(file: File, key: Datum) -> c_int;
    }
}

const INSERT: c_int = 0;
const REPLACE: c_int = 1;

/// The libraries that have the interface: file, prefix of the functions, name.
const LIBRARIES: [(&std::ffi::CStr, &str, &str); 2] =
    [(c"libdb-5.3.so", "__db_ndbm_", "Berkeley DB"), (c"libgdbm_compat.so.4", "dbm_", "GNU gdbm")];

static OPENED: OnceLock<(Ndbm, &str)> = OnceLock::new();

/// The first library that there is, with its name.
fn named_library(vm: &Vm) -> PyResult<&'static (Ndbm, &'static str)> {
    if let Some(library) = OPENED.get() {
        return Ok(library);
    }
    let mut reason = None;
    for (file, prefix, name) in LIBRARIES {
        match Library::open(&[file]).and_then(|handle| Ndbm::resolve(handle, prefix)) {
            Ok(library) => return Ok(OPENED.get_or_init(|| (library, name))),
            Err(text) => reason = reason.or(Some(text)),
        }
    }
    Err(dynamic::import_error("_dbm", &reason.unwrap_or_default(), vm))
}

/// The layout of `_dbm.dbm`.
#[repr(C)]
pub struct Database {
    ob: Object,
    /// None once closed.
    file: Cell<Option<File>>,
}

impl Database {
    fn open_file(&self, vm: &Vm) -> PyResult<(&'static Ndbm, File)> {
        match self.file.get() {
            Some(file) => Ok((&named_library(vm)?.0, file)),
            None => Err(ERROR.raise("DBM object has already been closed", vm)),
        }
    }

    fn key_bytes(object: &Object, vm: &Vm) -> PyResult<Vec<u8>> {
        text_or_bytes(object, vm).ok_or_else(|| vm.type_error("dbm mappings have bytes or string keys only"))
    }

    fn value_bytes(object: &Object, vm: &Vm) -> PyResult<Vec<u8>> {
        text_or_bytes(object, vm)
            .ok_or_else(|| vm.type_error("dbm mappings have bytes or string elements only"))
    }

    /// The value of a key.
    fn value(&self, key: &[u8], vm: &Vm) -> PyResult<Option<Ref<Bytes>>> {
        let (library, file) = self.open_file(vm)?;
        // SAFETY: the file is open; the key lives over the call; the value is copied before the library's next call.
        Ok(unsafe { library.fetch(file, Datum::of(key, vm)?).bytes(vm) })
    }

    fn put(&self, key: &[u8], value: &[u8], flags: c_int, vm: &Vm) -> PyResult<()> {
        let (library, file) = self.open_file(vm)?;
        // SAFETY: the file is open; key and value live over the call, which copies them.
        if unsafe { library.store(file, Datum::of(key, vm)?, Datum::of(value, vm)?, flags) } < 0 {
            library.clearerr(file);
            return Err(ERROR.raise("cannot add item to database", vm));
        }
        Ok(())
    }

    fn shut(&self) {
        if let (Some(file), Some((library, _))) = (self.file.take(), OPENED.get()) {
            // SAFETY: the file is open, and its object forgot it.
            unsafe { library.close(file) };
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.shut();
    }
}

#[pytype(name = "_dbm.dbm", no_new, doc = "")]
impl Database {
    #[slot]
    fn nb_bool(&self, vm: &Vm) -> PyResult<bool> {
        let (library, file) = self.open_file(vm)?;
        Ok(!library.firstkey(file).is_none())
    }

    #[slot]
    fn mp_length(&self, vm: &Vm) -> PyResult<usize> {
        let (library, file) = self.open_file(vm)?;
        let (mut count, mut key) = (0, library.firstkey(file));
        while !key.is_none() {
            count += 1;
            key = library.nextkey(file);
        }
        Ok(count)
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let bytes = text_or_buffer(key, vm)?;
        let found = self.value(&bytes, vm)?;
        let (library, file) = self.open_file(vm)?;
        match found {
            Some(value) => Ok(value),
            None if library.error(file) != 0 => {
                library.clearerr(file);
                Err(ERROR.raise("", vm))
            }
            None => Err(vm.key_error(key)),
        }
    }

    #[slot]
    fn mp_ass_subscript(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let bytes = Self::key_bytes(key, vm)?;
        let (library, file) = self.open_file(vm)?;
        let Some(value) = value else {
            // SAFETY: the file is open; the key lives over the call.
            if unsafe { library.delete(file, Datum::of(&bytes, vm)?) } >= 0 {
                return Ok(());
            }
            let failed = library.error(file) != 0;
            library.clearerr(file);
            return Err(if failed {
                ERROR.raise("cannot delete item from database", vm)
            } else {
                vm.key_error(key)
            });
        };
        let value = Self::value_bytes(value, vm)?;
        self.put(&bytes, &value, REPLACE, vm)
    }

    #[slot]
    fn sq_contains(&self, key: &Object, vm: &Vm) -> PyResult<bool> {
        self.open_file(vm)?;
        check_key(key, "dbm", vm)?;
        let bytes = text_or_buffer(key, vm)?;
        let (library, file) = self.open_file(vm)?;
        // SAFETY: the file is open; the key lives over the call.
        Ok(!unsafe { library.fetch(file, Datum::of(&bytes, vm)?) }.is_none())
    }

    /// Close the database.
    #[method("($self, /)")]
    fn close(&self) {
        self.shut();
    }

    /// Return a list of all keys in the database.
    #[method("($self, /)")]
    fn keys(&self, vm: &Vm) -> PyResult<Ref<List>> {
        let (library, file) = self.open_file(vm)?;
        let mut keys = Vec::new();
        let mut key = library.firstkey(file);
        // SAFETY: each key is copied before the library's next call.
        while let Some(bytes) = unsafe { key.bytes(vm) } {
            keys.push(bytes.into_object());
            key = library.nextkey(file);
        }
        Ok(vm.new_list(keys))
    }

    /// Return the value for key if present, otherwise default.
    #[method("($self, key, default=None, /)")]
    fn get(&self, key: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        let bytes = text_or_buffer(key, vm)?;
        match self.value(&bytes, vm)? {
            Some(value) => Ok(value.into_object()),
            None => Ok(default.unwrap_or(vm.none_ref()).to_ref()),
        }
    }

    /// Return the value for key if present, otherwise default.
    ///
    /// If key is not in the database, it is inserted with default as the
    /// value.
    #[method("($self, key, default=b'', /)")]
    fn setdefault(&self, key: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        let bytes = text_or_buffer(key, vm)?;
        if let Some(value) = self.value(&bytes, vm)? {
            return Ok(value.into_object());
        }
        let default = default.map_or_else(|| vm.new_bytes(b"").into_object(), Object::to_ref);
        let value = Self::value_bytes(&default, vm)?;
        self.put(&bytes, &value, INSERT, vm)?;
        Ok(default)
    }

    /// Remove all items from the database.
    #[method("($self, /)")]
    fn clear(&self, vm: &Vm) -> PyResult<()> {
        let (library, file) = self.open_file(vm)?;
        // The order of the keys may change when one goes, so each is the first. The key that is deleted is a copy.
        // SAFETY: each key is copied before the library's next call.
        while let Some(key) = unsafe { library.firstkey(file).bytes(vm) } {
            // SAFETY: the file is open; the key lives over the call.
            if unsafe { library.delete(file, Datum::of(key.as_bytes(), vm)?) } < 0 {
                library.clearerr(file);
                return Err(ERROR.raise("cannot delete item from database", vm));
            }
        }
        Ok(())
    }

    #[method("($self, /)")]
    fn __enter__(zelf: &Object) -> ObjRef {
        zelf.to_ref()
    }

    #[method("!($self, *args)")]
    fn __exit__(&self, _args: &[&Object]) {
        self.shut();
    }
}

#[pymodule(name = "_dbm")]
impl DbmModule {
    /// Return a database object.
    ///
    ///   filename
    ///     The filename to open.
    ///   flags
    ///     How to open the file.  "r" for reading, "w" for writing, etc.
    ///   mode
    ///     If creating a new file, the mode bits for the new file
    ///     (e.g. os.O_RDWR).
    #[function("($module, filename, flags='r', mode=0o666, /)")]
    fn open(filename: &Object, flags: Option<&Str>, mode: Option<i32>, vm: &Vm) -> PyResult {
        let (library, _) = named_library(vm)?;
        let flags = flags.map_or(Ok("r"), |flags| flags.to_utf8(vm))?;
        let how = match flags {
            "r" => libc::O_RDONLY,
            "w" | "rw" => libc::O_RDWR,
            "c" => libc::O_RDWR | libc::O_CREAT,
            "n" => libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC,
            _ => return Err(ERROR.raise("arg 2 to open should be 'r', 'w', 'c', or 'n'", vm)),
        };
        let name = file_name(filename, vm)?;
        // SAFETY: a NUL-terminated name.
        let file = unsafe { library.open(name.as_ptr(), how, mode.unwrap_or(0o666)) };
        if file.is_none() {
            let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
            let reason = taipan_vm::exceptions::os_error::strerror(errno);
            let args = vec![vm.new_int(errno), vm.new_str(&reason).into_object(), filename.to_ref()];
            return Err(vm.raise_with(&*ERROR.get(vm)?, args));
        }
        let object = Database { ob: Object::new(Database::type_object()), file: Cell::new(file) };
        Ok(vm.new_object(object).into_object())
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        let (_, name) = named_library(vm)?;
        module.set("library", vm.new_str(name).as_object(), vm)?;
        module.set("error", ERROR.get(vm)?.as_object(), vm)
    }
}
