//! Backups, serialisation, limits, options, extensions and dumps.

use std::ffi::CStr;

use libsqlite3_sys as sq;
use taipan_vm::prelude::*;
use taipan_vm::runtime::audit::audit;

use super::super::{c_string, errors};
use super::Connection;

/// The options that `getconfig` and `setconfig` take.
const OPTIONS: std::ops::RangeInclusive<i32> =
    sq::SQLITE_DBCONFIG_ENABLE_FKEY..=sq::SQLITE_DBCONFIG_TRUSTED_SCHEMA;

fn schema_name(name: Option<&Str>, vm: &Vm) -> PyResult<std::ffi::CString> {
    name.map_or_else(|| Ok(c"main".to_owned()), |name| c_string(name, vm))
}

fn option(op: i32, vm: &Vm) -> PyResult<i32> {
    if OPTIONS.contains(&op) { Ok(op) } else { Err(vm.value_error(format!("unknown config 'op': {op}"))) }
}

fn limit_category(category: i32, vm: &Vm) -> PyResult<i32> {
    if (0..=sq::SQLITE_LIMIT_WORKER_THREADS).contains(&category) {
        Ok(category)
    } else {
        Err(errors::programming("'category' is out of bounds", vm))
    }
}

/// A backup that is finished when it goes.
struct Backup(*mut sq::sqlite3_backup);

impl Backup {
    fn finish(mut self) -> i32 {
        let raw = std::mem::replace(&mut self.0, std::ptr::null_mut());
        // SAFETY: finished once.
        unsafe { sq::sqlite3_backup_finish(raw) }
    }
}

impl Drop for Backup {
    fn drop(&mut self) {
        // SAFETY: finished once; null is allowed.
        unsafe { sq::sqlite3_backup_finish(self.0) };
    }
}

#[pymethods(table = ADMINISTRATION)]
impl Connection {
    /// Makes a backup of the database.
    #[method("($self, /, target, *, pages=-1, progress=None, name='main', sleep=0.25)")]
    fn backup(
        &self,
        target: &Object,
        pages: Option<i32>,
        progress: OrNone<&Object>,
        name: Option<&Str>,
        sleep: Option<f64>,
        vm: &Vm,
    ) -> PyResult<()> {
        let Some(target) = target.downcast_ref::<Connection>() else {
            let given = target.ob_type().tp_name_str();
            let text = format!("backup() argument 'target' must be sqlite3.Connection, not {given}");
            return Err(vm.type_error(text));
        };
        let name = schema_name(name, vm)?;
        let pause = (sleep.unwrap_or(0.25) * 1000.0) as i32;
        let source_db = self.usable(vm)?;
        if std::ptr::eq(target, self) {
            return Err(vm.value_error("target cannot be the same connection instance"));
        }
        let target_db = target.usable(vm)?;
        let progress = progress.0;
        if progress.is_some_and(|progress| !progress.is_callable()) {
            return Err(vm.type_error("progress argument must be a callable"));
        }
        let pages = match pages.unwrap_or(-1) {
            0 => -1,
            pages => pages,
        };
        // SAFETY: both connections are open, the names NUL-terminated.
        let raw = vm.allow_threads(|| unsafe {
            sq::sqlite3_backup_init(target_db, c"main".as_ptr(), source_db, name.as_ptr())
        });
        if raw.is_null() {
            return Err(target.error(vm));
        }
        let backup = Backup(raw);
        loop {
            // SAFETY: the backup keeps both databases.
            let code = vm.allow_threads(|| unsafe { sq::sqlite3_backup_step(raw, pages) });
            if let Some(progress) = progress {
                // SAFETY: as above.
                let (left, all) =
                    unsafe { (sq::sqlite3_backup_remaining(raw), sq::sqlite3_backup_pagecount(raw)) };
                progress.call(&[&vm.new_int(code), &vm.new_int(left), &vm.new_int(all)], vm)?;
            }
            match code {
                sq::SQLITE_BUSY | sq::SQLITE_LOCKED => {
                    // SAFETY: the function takes any number.
                    vm.allow_threads(|| unsafe { sq::sqlite3_sleep(pause) });
                    taipan_vm::runtime::pending::handle(vm)?;
                }
                sq::SQLITE_OK => {}
                _ => break,
            }
        }
        let code = vm.allow_threads(|| backup.finish());
        if code == sq::SQLITE_OK { Ok(()) } else { Err(errors::from_code(code, vm)) }
    }

    /// Serialize a database into a byte string.
    ///
    ///   name
    ///     Which database to serialize.
    ///
    /// For an ordinary on-disk database file, the serialization is just
    /// a copy of the disk file.  For an in-memory database or a "temp"
    /// database, the serialization is the same sequence of bytes which
    /// would be written to disk if that database were backed up to disk.
    #[method("($self, /, *, name='main')")]
    fn serialize(&self, name: Option<&Str>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let db = self.usable(vm)?;
        let shown = name.map_or_else(|| "main".into(), |name| name.to_string_lossy().into_owned());
        let name = schema_name(name, vm)?;
        let mut size: sq::sqlite3_int64 = 0;
        // SAFETY: the connection is open; the memory is SQLite's own.
        let mut data =
            unsafe { sq::sqlite3_serialize(db, name.as_ptr(), &raw mut size, sq::SQLITE_SERIALIZE_NOCOPY) };
        let own = data.is_null();
        if own {
            // SAFETY: the connection is open; the memory is ours to free.
            data = vm.allow_threads(|| unsafe { sq::sqlite3_serialize(db, name.as_ptr(), &raw mut size, 0) });
        }
        if data.is_null() {
            return Err(errors::operational(format!("unable to serialize '{shown}'"), vm));
        }
        // SAFETY: SQLite gives so many bytes; what it allocated for us is freed after the copy.
        unsafe {
            let bytes = std::slice::from_raw_parts(data, usize::try_from(size).unwrap_or(0));
            let made = Bytes::try_from_slice(bytes, vm);
            if own {
                sq::sqlite3_free(data.cast());
            }
            made
        }
    }

    /// Load a serialized database.
    ///
    ///   data
    ///     The serialized database content.
    ///   name
    ///     Which database to reopen with the deserialization.
    ///
    /// The deserialize interface causes the database connection to
    /// disconnect from the target database, and then reopen it as
    /// an in-memory database based on the given serialized data.
    ///
    /// The deserialize interface will fail with SQLITE_BUSY if the database
    /// is currently in a read transaction or is involved in a backup
    /// operation.
    #[method("($self, data, /, *, name='main')")]
    fn deserialize(&self, data: &Object, name: Option<&Str>, vm: &Vm) -> PyResult<()> {
        let text;
        let data = match data.downcast_ref::<Str>() {
            Some(given) => {
                text = vm.new_bytes(given.to_utf8(vm)?.as_bytes());
                BufferArg::from_object(text.as_object(), vm)?
            }
            None => BufferArg::from_object(data, vm)?,
        };
        let name = schema_name(name, vm)?;
        let db = self.usable(vm)?;
        let data = data.as_bytes();
        let size = i64::try_from(data.len()).map_err(|_| vm.overflow_error("'data' is too large"))?;
        // SAFETY: SQLite gets memory of its own allocator, filled, to free; the connection is open.
        let code = unsafe {
            let copy = sq::sqlite3_malloc64(data.len() as u64).cast::<u8>();
            if copy.is_null() {
                return Err(vm.memory_error());
            }
            std::ptr::copy_nonoverlapping(data.as_ptr(), copy, data.len());
            let flags = (sq::SQLITE_DESERIALIZE_FREEONCLOSE | sq::SQLITE_DESERIALIZE_RESIZEABLE) as u32;
            vm.allow_threads(|| sq::sqlite3_deserialize(db, name.as_ptr(), copy, size, size, flags))
        };
        self.check(code, vm)
    }

    /// Abort any pending database operation.
    #[method("($self, /)")]
    fn interrupt(&self, vm: &Vm) -> PyResult<()> {
        let db = self.open(vm)?;
        // SAFETY: the connection is open; any thread may do this.
        unsafe { sq::sqlite3_interrupt(db) };
        Ok(())
    }

    /// Returns iterator to the dump of the database in an SQL text format.
    ///
    ///   filter
    ///     An optional LIKE pattern for database objects to dump
    #[method("($self, /, *, filter=None)")]
    fn iterdump(&self, filter: Option<&Object>, vm: &Vm) -> PyResult {
        self.open(vm)?;
        let module = taipan_vm::import::import_module("sqlite3.dump", vm)?;
        let Some(dump) = module.as_object().lookup_attr(&vm.intern("_iterdump"), vm)? else {
            return Err(errors::operational("Failed to obtain _iterdump() reference", vm));
        };
        let names = vm.new_tuple([vm.intern("filter").into_object()]);
        dump.call_kw(&[self.as_object(), filter.unwrap_or(vm.none_ref())], Some(&names), vm)
    }

    /// Get connection run-time limits.
    ///
    /// category
    ///   The limit category to be queried.
    #[method("($self, category, /)")]
    fn getlimit(&self, category: i32, vm: &Vm) -> PyResult<i32> {
        self.set_limit(category, -1, vm)
    }

    /// Set connection run-time limits.
    ///
    ///   category
    ///     The limit category to be set.
    ///   limit
    ///     The new limit. If the new limit is a negative number, the limit
    ///     is unchanged.
    ///
    /// Attempts to increase a limit above its hard upper bound are silently
    /// truncated to the hard upper bound. Regardless of whether or not the
    /// limit was changed, the prior value of the limit is returned.
    #[method("($self, category, limit, /)")]
    fn setlimit(&self, category: i32, limit: i32, vm: &Vm) -> PyResult<i32> {
        self.set_limit(category, limit, vm)
    }

    /// Query a boolean connection configuration option.
    ///
    /// op
    ///   The configuration verb; one of the sqlite3.SQLITE_DBCONFIG codes.
    #[method("($self, op, /)")]
    fn getconfig(&self, op: i32, vm: &Vm) -> PyResult<bool> {
        let db = self.usable(vm)?;
        let op = option(op, vm)?;
        let mut current = 0;
        // SAFETY: the connection is open; these options take an int and an int's address.
        let code = unsafe { sq::sqlite3_db_config(db, op, -1, &raw mut current) };
        self.check(code, vm)?;
        Ok(current != 0)
    }

    /// Set a boolean connection configuration option.
    ///
    /// op
    ///   The configuration verb; one of the sqlite3.SQLITE_DBCONFIG codes.
    #[method("($self, op, enable=True, /)")]
    fn setconfig(&self, op: i32, enable: Option<bool>, vm: &Vm) -> PyResult<()> {
        let db = self.usable(vm)?;
        let op = option(op, vm)?;
        let enable = i32::from(enable.unwrap_or(true));
        let mut actual = 0;
        // SAFETY: as above.
        let code = unsafe { sq::sqlite3_db_config(db, op, enable, &raw mut actual) };
        self.check(code, vm)?;
        if enable != actual {
            return Err(errors::operational("Unable to set config", vm));
        }
        Ok(())
    }

    /// Enable dynamic loading of SQLite extension modules.
    #[method("($self, enable, /)")]
    fn enable_load_extension(&self, enable: bool, vm: &Vm) -> PyResult<()> {
        audit("sqlite3.enable_load_extension", &[self.as_object(), &vm.new_bool(enable)], vm)?;
        let db = self.usable(vm)?;
        // SAFETY: the connection is open.
        let code = unsafe { sq::sqlite3_enable_load_extension(db, i32::from(enable)) };
        if code != sq::SQLITE_OK {
            return Err(errors::operational("Error enabling load extension", vm));
        }
        Ok(())
    }

    /// Load SQLite extension module.
    #[method("($self, name, /, *, entrypoint=None)")]
    fn load_extension(&self, name: &Str, entrypoint: OrNone<&Str>, vm: &Vm) -> PyResult<()> {
        audit("sqlite3.load_extension", &[self.as_object(), name.as_object()], vm)?;
        let db = self.usable(vm)?;
        let name = c_string(name, vm)?;
        let entry = entrypoint.0.map(|entry| c_string(entry, vm)).transpose()?;
        let entry = entry.as_ref().map_or(std::ptr::null(), |entry| entry.as_ptr());
        let mut message = std::ptr::null_mut();
        // SAFETY: the connection is open, the names NUL-terminated; the message is ours to free.
        let code = vm.allow_threads(|| unsafe {
            sq::sqlite3_load_extension(db, name.as_ptr(), entry, &raw mut message)
        });
        if code == sq::SQLITE_OK {
            return Ok(());
        }
        if message.is_null() {
            return Err(self.error(vm));
        }
        // SAFETY: NUL-terminated, and copied before it is freed.
        let text = unsafe {
            let text = CStr::from_ptr(message).to_string_lossy().into_owned();
            sq::sqlite3_free(message.cast());
            text
        };
        Err(errors::operational(text, vm))
    }
}

impl Connection {
    fn set_limit(&self, category: i32, limit: i32, vm: &Vm) -> PyResult<i32> {
        let db = self.usable(vm)?;
        let category = limit_category(category, vm)?;
        // SAFETY: the connection is open.
        Ok(unsafe { sq::sqlite3_limit(db, category, limit) })
    }
}
