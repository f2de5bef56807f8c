//! `_gdbm`: hash files of the system's GNU dbm library.

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;

use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::prelude::*;

use crate::datum::{Datum, check_key, file_name, text_or_buffer, text_or_bytes};
use crate::dynamic::{self, Library, dynamic_library};

/// The module.
pub struct GdbmModule;

static ERROR: DeclaredException = DeclaredException { name: "_gdbm.error", base: types::os_error };

/// An open file of the library; its object closes it and forgets it then.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct File(NonNull<c_void>);

dynamic_library! {
    /// The functions and variables of the library.
    pub struct Gdbm;
    safe {
        fn gdbm_reorganize(file: File) -> c_int;
        fn gdbm_sync(file: File) -> c_int;
        fn gdbm_firstkey(file: File) -> Datum;
    }
    vouched {
        fn gdbm_open(
            name: *const c_char, block: c_int, flags: c_int, mode: c_int, fatal: *const c_void,
        ) -> Option<File>;
        fn gdbm_close(file: File);
        fn gdbm_fetch(file: File, key: Datum) -> Datum;
        fn gdbm_store(file: File, key: Datum, value: Datum, flags: c_int) -> c_int;
        fn gdbm_delete(file: File, key: Datum) -> c_int;
        fn gdbm_exists(file: File, key: Datum) -> c_int;
        fn gdbm_nextkey(file: File, key: Datum) -> Datum;
        fn gdbm_strerror(error: c_int) -> *const c_char;
        fn gdbm_errno_location() -> *mut c_int;
    }
    data {
        gdbm_version_number: [c_int; 3];
    }
}

const READER: c_int = 0;
const WRITER: c_int = 1;
const WRCREAT: c_int = 2;
const NEWDB: c_int = 3;
const FAST: c_int = 0x10;
const SYNC: c_int = 0x20;
const NOLOCK: c_int = 0x40;
const REPLACE: c_int = 1;
/// The library's number for "item not found".
const ITEM_NOT_FOUND: c_int = 15;

static OPENED: OnceLock<Gdbm> = OnceLock::new();

fn library(vm: &Vm) -> PyResult<&'static Gdbm> {
    if let Some(library) = OPENED.get() {
        return Ok(library);
    }
    let library = Library::open(&[c"libgdbm.so.6"])
        .and_then(|handle| Gdbm::resolve(handle, ""))
        .map_err(|reason| dynamic::import_error("_gdbm", &reason, vm))?;
    Ok(OPENED.get_or_init(|| library))
}

/// Before a call whose failure the system may have caused.
fn forget_errno() {
    // SAFETY: the place of this thread's errno.
    unsafe { *libc::__errno_location() = 0 };
}

/// `_gdbm.error` for the last failure: the system's, or the library's own.
fn last_error(library: &Gdbm, vm: &Vm) -> Raised {
    let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
    // SAFETY: the library gives a place of this thread, and a constant text for any number.
    let text = unsafe {
        let code = *library.gdbm_errno_location();
        CStr::from_ptr(library.gdbm_strerror(code)).to_string_lossy().into_owned()
    };
    system_error(errno, &text, None, vm)
}

/// `_gdbm.error` with the system's error number, or with a text where there is none.
fn system_error(errno: c_int, text: &str, file: Option<&Object>, vm: &Vm) -> Raised {
    let Ok(error) = ERROR.get(vm) else { return Raised };
    if errno == 0 {
        return vm.raise(&error, text);
    }
    let reason = taipan_vm::exceptions::os_error::strerror(errno);
    let mut args = vec![vm.new_int(errno), vm.new_str(&reason).into_object()];
    args.extend(file.map(Object::to_ref));
    vm.raise_with(&error, args)
}

/// The layout of `_gdbm.gdbm`.
#[repr(C)]
pub struct Database {
    ob: Object,
    /// None once closed.
    file: Cell<Option<File>>,
}

impl Database {
    fn open_file(&self, vm: &Vm) -> PyResult<(&'static Gdbm, File)> {
        match self.file.get() {
            Some(file) => Ok((library(vm)?, file)),
            None => Err(ERROR.raise("GDBM object has already been closed", vm)),
        }
    }

    fn element(object: &Object, vm: &Vm) -> PyResult<Vec<u8>> {
        text_or_bytes(object, vm)
            .ok_or_else(|| vm.type_error("gdbm mappings have bytes or string indices only"))
    }

    /// What the library handed over, as bytes.
    fn taken(datum: Datum, vm: &Vm) -> Option<Ref<Bytes>> {
        // SAFETY: the library hands the memory over, and it is used only here.
        unsafe {
            let bytes = datum.bytes(vm);
            datum.free();
            bytes
        }
    }

    fn fetch(&self, key: &[u8], vm: &Vm) -> PyResult<Option<Ref<Bytes>>> {
        let (library, file) = self.open_file(vm)?;
        // SAFETY: the file is open; the key lives over the call.
        Ok(Self::taken(unsafe { library.gdbm_fetch(file, Datum::of(key, vm)?) }, vm))
    }

    fn store(&self, key: &[u8], value: &[u8], vm: &Vm) -> PyResult<()> {
        let (library, file) = self.open_file(vm)?;
        forget_errno();
        // SAFETY: the file is open; key and value live over the call, which copies them.
        let code = unsafe { library.gdbm_store(file, Datum::of(key, vm)?, Datum::of(value, vm)?, REPLACE) };
        if code < 0 { Err(last_error(library, vm)) } else { Ok(()) }
    }

    /// The key after one.
    fn next(&self, key: &[u8], vm: &Vm) -> PyResult<Option<Ref<Bytes>>> {
        let (library, file) = self.open_file(vm)?;
        // SAFETY: the file is open; the key lives over the call.
        Ok(Self::taken(unsafe { library.gdbm_nextkey(file, Datum::of(key, vm)?) }, vm))
    }

    fn first(&self, vm: &Vm) -> PyResult<Option<Ref<Bytes>>> {
        let (library, file) = self.open_file(vm)?;
        Ok(Self::taken(library.gdbm_firstkey(file), vm))
    }

    fn shut(&self) {
        if let (Some(file), Some(library)) = (self.file.take(), OPENED.get()) {
            // SAFETY: the file is open, and its object forgot it.
            unsafe { library.gdbm_close(file) };
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        self.shut();
    }
}

/// This object represents a GDBM database.
/// GDBM objects behave like mappings (dictionaries), except that keys and
/// values are always immutable bytes-like objects or strings.  Printing
/// a GDBM object doesn't print the keys and values, and the items() and
/// values() methods are not supported.
///
/// GDBM objects also support additional operations such as firstkey,
/// nextkey, reorganize, and sync.
#[pytype(name = "_gdbm.gdbm", no_new)]
impl Database {
    #[slot]
    fn nb_bool(&self, vm: &Vm) -> PyResult<bool> {
        Ok(self.first(vm)?.is_some())
    }

    #[slot]
    fn mp_length(&self, vm: &Vm) -> PyResult<usize> {
        let mut count = 0;
        let mut key = self.first(vm)?;
        while let Some(this) = key {
            count += 1;
            key = self.next(this.as_bytes(), vm)?;
        }
        Ok(count)
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let bytes = text_or_buffer(key, vm)?;
        self.fetch(&bytes, vm)?.ok_or_else(|| vm.key_error(key))
    }

    #[slot]
    fn mp_ass_subscript(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let bytes = Self::element(key, vm)?;
        let Some(value) = value else {
            let (library, file) = self.open_file(vm)?;
            forget_errno();
            let datum = Datum::of(&bytes, vm)?;
            // SAFETY: the file is open; the key lives over the call; the place of the library's error is this thread's.
            let (code, error) = unsafe { (library.gdbm_delete(file, datum), *library.gdbm_errno_location()) };
            return match code {
                0.. => Ok(()),
                _ if error == ITEM_NOT_FOUND => Err(vm.key_error(key)),
                _ => Err(last_error(library, vm)),
            };
        };
        let value = Self::element(value, vm)?;
        self.store(&bytes, &value, vm)
    }

    #[slot]
    fn sq_contains(&self, key: &Object, vm: &Vm) -> PyResult<bool> {
        let (library, file) = self.open_file(vm)?;
        check_key(key, "gdbm", vm)?;
        let bytes = text_or_buffer(key, vm)?;
        // SAFETY: the file is open; the key lives over the call.
        Ok(unsafe { library.gdbm_exists(file, Datum::of(&bytes, vm)?) } != 0)
    }

    /// Close the database.
    #[method("($self, /)")]
    fn close(&self) {
        self.shut();
    }

    /// Get a list of all keys in the database.
    #[method("($self, /)")]
    fn keys(&self, vm: &Vm) -> PyResult<Ref<List>> {
        let mut keys = Vec::new();
        let mut key = self.first(vm)?;
        while let Some(this) = key {
            key = self.next(this.as_bytes(), vm)?;
            keys.push(this.into_object());
        }
        Ok(vm.new_list(keys))
    }

    /// Return the starting key for the traversal.
    ///
    /// It's possible to loop over every key in the database using this
    /// method and the nextkey() method.  The traversal is ordered by GDBM's
    /// internal hash values, and won't be sorted by the key values.
    #[method("($self, /)")]
    fn firstkey(&self, vm: &Vm) -> PyResult<Option<Ref<Bytes>>> {
        self.first(vm)
    }

    /// Returns the key that follows key in the traversal.
    ///
    /// The following code prints every key in the database db, without
    /// having to create a list in memory that contains them all:
    ///
    ///       k = db.firstkey()
    ///       while k is not None:
    ///           print(k)
    ///           k = db.nextkey(k)
    #[method("($self, key, /)")]
    fn nextkey(&self, key: &Object, vm: &Vm) -> PyResult<Option<Ref<Bytes>>> {
        let key = text_or_buffer(key, vm)?;
        self.next(&key, vm)
    }

    /// Reorganize the database.
    ///
    /// If you have carried out a lot of deletions and would like to shrink
    /// the space used by the GDBM file, this routine will reorganize the
    /// database.  GDBM will not shorten the length of a database file
    /// except by using this reorganization; otherwise, deleted file space
    /// will be kept and reused as new (key,value) pairs are added.
    #[method("($self, /)")]
    fn reorganize(&self, vm: &Vm) -> PyResult<()> {
        let (library, file) = self.open_file(vm)?;
        forget_errno();
        if library.gdbm_reorganize(file) < 0 { Err(last_error(library, vm)) } else { Ok(()) }
    }

    /// Flush the database to the disk file.
    ///
    /// When the database has been opened in fast mode, this method forces
    /// any unwritten data to be written to the disk.
    #[method("($self, /)")]
    fn sync(&self, vm: &Vm) -> PyResult<()> {
        let (library, file) = self.open_file(vm)?;
        library.gdbm_sync(file);
        Ok(())
    }

    /// Get the value for key, or default if not present.
    #[method("($self, key, default=None, /)")]
    fn get(&self, key: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        let bytes = text_or_buffer(key, vm)?;
        match self.fetch(&bytes, vm)? {
            Some(value) => Ok(value.into_object()),
            None => Ok(default.unwrap_or(vm.none_ref()).to_ref()),
        }
    }

    /// Get value for key, or set it to default and return default if not present.
    #[method("($self, key, default=None, /)")]
    fn setdefault(&self, key: &Object, default: Option<&Object>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let bytes = text_or_buffer(key, vm)?;
        if let Some(value) = self.fetch(&bytes, vm)? {
            return Ok(value);
        }
        let value = Self::element(default.unwrap_or(vm.none_ref()), vm)?;
        self.store(&bytes, &value, vm)?;
        self.fetch(&bytes, vm)?.ok_or_else(|| vm.key_error(key))
    }

    /// Remove all items from the database.
    #[method("($self, /)")]
    fn clear(&self, vm: &Vm) -> PyResult<()> {
        let (library, file) = self.open_file(vm)?;
        forget_errno();
        // The order of the keys may change when one goes, so each is the first.
        while let Some(key) = self.first(vm)? {
            // SAFETY: the file is open; the key lives over the call.
            if unsafe { library.gdbm_delete(file, Datum::of(key.as_bytes(), vm)?) } < 0 {
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

/// This module provides an interface to the GNU DBM (GDBM) library.
///
/// This module is quite similar to the dbm module, but uses GDBM instead to
/// provide some additional functionality.  Please note that the file formats
/// created by GDBM and dbm are incompatible.
///
/// GDBM objects behave like mappings (dictionaries), except that keys and
/// values are always immutable bytes-like objects or strings.  Printing
/// a GDBM object doesn't print the keys and values, and the items() and
/// values() methods are not supported.
#[pymodule(name = "_gdbm")]
impl GdbmModule {
    /// Open a dbm database and return a dbm object.
    ///
    /// The filename argument is the name of the database file.
    ///
    /// The optional flags argument can be 'r' (to open an existing database
    /// for reading only -- default), 'w' (to open an existing database for
    /// reading and writing), 'c' (which creates the database if it doesn't
    /// exist), or 'n' (which always creates a new empty database).
    ///
    /// Some versions of gdbm support additional flags which must be
    /// appended to one of the flags described above.  The module constant
    /// 'open_flags' is a string of valid additional flags.  The 'f' flag
    /// opens the database in fast mode; altered data will not automatically
    /// be written to the disk after every change.  This results in faster
    /// writes to the database, but may result in an inconsistent database
    /// if the program crashes while the database is still open.  Use the
    /// sync() method to force any unwritten data to be written to the disk.
    /// The 's' flag causes all database operations to be synchronized to
    /// disk.  The 'u' flag disables locking of the database file.
    ///
    /// The optional mode argument is the Unix mode of the file, used only
    /// when the database has to be created.  It defaults to octal 0o666.
    #[function("($module, filename, flags='r', mode=0o666, /)")]
    fn open(filename: &Object, flags: Option<&Str>, mode: Option<i32>, vm: &Vm) -> PyResult {
        let library = library(vm)?;
        let flags = flags.map_or(Ok("r"), |flags| flags.to_utf8(vm))?;
        let name = file_name(filename, vm)?;
        let mut letters = flags.chars();
        let mut how = match letters.next() {
            Some('r') => READER,
            Some('w') => WRITER,
            Some('c') => WRCREAT,
            Some('n') => NEWDB,
            _ => return Err(ERROR.raise("First flag must be one of 'r', 'w', 'c' or 'n'", vm)),
        };
        for letter in letters {
            how |= match letter {
                'f' => FAST,
                's' => SYNC,
                'u' => NOLOCK,
                _ => return Err(ERROR.raise(format!("Flag '{letter}' is not supported."), vm)),
            };
        }
        forget_errno();
        let mode = mode.unwrap_or(0o666);
        // SAFETY: a NUL-terminated name; without a function for fatal errors the library has its own.
        let file = unsafe { library.gdbm_open(name.as_ptr(), 0, how, mode, std::ptr::null()) };
        if file.is_none() {
            let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
            if errno == 0 {
                return Err(last_error(library, vm));
            }
            return Err(system_error(errno, "", Some(filename), vm));
        }
        let object = Database { ob: Object::new(Database::type_object()), file: Cell::new(file) };
        Ok(vm.new_object(object).into_object())
    }

    #[constant("open_flags")]
    fn open_flags() -> &'static str {
        "rwcnfsu"
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        let library = library(vm)?;
        module.set("error", ERROR.get(vm)?.as_object(), vm)?;
        // SAFETY: the variable is the library's.
        let numbers = unsafe { *library.gdbm_version_number() };
        let version = vm.new_tuple(numbers.map(|number| vm.new_int(number)));
        module.set("_GDBM_VERSION", version.as_object(), vm)?;
        Ok(())
    }
}
