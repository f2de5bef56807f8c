//! `Blob`: a blob read and written in place.

use std::cell::Cell;
use std::rc::Rc;

use libsqlite3_sys as sq;
use taipan_vm::builtins::bytes::slicing::SliceRange;
use taipan_vm::prelude::*;

use super::{Connection, c_string, errors};

/// SQLite's handle, which the connection can close too.
pub struct Handle(Cell<*mut sq::sqlite3_blob>);

impl Handle {
    /// Closes it, once.
    pub fn close(&self, vm: &Vm) {
        let raw = self.0.replace(std::ptr::null_mut());
        if !raw.is_null() {
            // SAFETY: closed once.
            vm.allow_threads(|| unsafe { sq::sqlite3_blob_close(raw) });
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: closed once; null is allowed.
        unsafe { sq::sqlite3_blob_close(self.0.get()) };
    }
}

/// The layout of a blob.
#[repr(C)]
#[derive(Traverse)]
pub struct Blob {
    #[traverse(skip)]
    ob: Object,
    connection: Ref<Connection>,
    #[traverse(skip)]
    handle: Rc<Handle>,
    #[traverse(skip)]
    offset: Cell<i32>,
    #[traverse(skip)]
    weakrefs: WeakList,
}

impl Blob {
    /// `Connection.blobopen`.
    pub fn open(
        connection: &Connection,
        table: &Str,
        column: &Str,
        row: &Object,
        readonly: bool,
        name: Option<&Str>,
        vm: &Vm,
    ) -> PyResult {
        let (table, column) = (c_string(table, vm)?, c_string(column, vm)?);
        let Some(row) = row.as_index(vm)?.to_i64() else {
            return Err(vm.overflow_error("Python int too large to convert to SQLite INTEGER"));
        };
        let name = name.map_or_else(|| Ok(c"main".to_owned()), |name| c_string(name, vm))?;
        let db = connection.usable(vm)?;
        let mut raw = std::ptr::null_mut();
        // SAFETY: the connection is open, the names NUL-terminated.
        let code = vm.allow_threads(|| unsafe {
            sq::sqlite3_blob_open(
                db,
                name.as_ptr(),
                table.as_ptr(),
                column.as_ptr(),
                row,
                i32::from(!readonly),
                &raw mut raw,
            )
        });
        connection.check(code, vm)?;
        let handle = Rc::new(Handle(Cell::new(raw)));
        connection.add_blob(&handle);
        let made = Blob {
            ob: Object::new(Self::type_object()),
            connection: connection.into(),
            handle,
            offset: Cell::new(0),
            weakrefs: WeakList::new(),
        };
        Ok(vm.new_object(made).into_object())
    }

    /// The handle of a blob that is open, in a connection that is.
    fn usable(&self, vm: &Vm) -> PyResult<*mut sq::sqlite3_blob> {
        self.connection.usable(vm)?;
        let raw = self.handle.0.get();
        if raw.is_null() {
            return Err(errors::programming("Cannot operate on a closed blob.", vm));
        }
        Ok(raw)
    }

    fn size(raw: *mut sq::sqlite3_blob) -> i32 {
        // SAFETY: the blob is open.
        unsafe { sq::sqlite3_blob_bytes(raw) }
    }

    fn read_at(&self, offset: i32, length: i32, vm: &Vm) -> PyResult<Vec<u8>> {
        let raw = self.usable(vm)?;
        let mut data = vec![0; usize::try_from(length).unwrap_or(0)];
        let place = data.as_mut_ptr().cast();
        // SAFETY: the room is as long as told.
        let code = vm.allow_threads(|| unsafe { sq::sqlite3_blob_read(raw, place, length, offset) });
        self.connection.check(code, vm)?;
        Ok(data)
    }

    fn write_at(&self, offset: i32, data: &[u8], vm: &Vm) -> PyResult<()> {
        let raw = self.usable(vm)?;
        let left = usize::try_from(Self::size(raw).saturating_sub(offset)).unwrap_or(0);
        if data.len() > left {
            return Err(vm.value_error("data longer than blob length"));
        }
        let (start, length) = (data.as_ptr().cast(), data.len() as i32);
        // SAFETY: the data is as long as told.
        let code = vm.allow_threads(|| unsafe { sq::sqlite3_blob_write(raw, start, length, offset) });
        self.connection.check(code, vm)
    }

    /// An index as an offset into the blob.
    fn index(&self, key: &Object, vm: &Vm) -> PyResult<i32> {
        let index = match key.as_index(vm)?.to_i64() {
            Some(index) => index,
            None => {
                let text = format!("cannot fit '{}' into an index-sized integer", key.type_name());
                return Err(vm.index_error(text));
            }
        };
        let size = i64::from(Self::size(self.usable(vm)?));
        let index = if index < 0 { index.saturating_add(size) } else { index };
        match i32::try_from(index) {
            Ok(place) if index >= 0 && index < size => Ok(place),
            _ => Err(vm.index_error("Blob index out of range")),
        }
    }

    fn range(&self, slice: &Slice, vm: &Vm) -> PyResult<SliceRange> {
        let raw = self.usable(vm)?;
        let size = usize::try_from(Self::size(raw)).unwrap_or(0);
        SliceRange::new(slice, || size, vm)
    }

    /// The part of the blob from the first to the last byte of a range: its offset and the bytes.
    fn span(&self, range: SliceRange, vm: &Vm) -> PyResult<(i32, Vec<u8>)> {
        let ends = [range.indices().next(), range.indices().last()];
        let (first, last) = match ends {
            [Some(first), Some(last)] => (first, last),
            _ => return Ok((0, Vec::new())),
        };
        let offset = first as i32;
        Ok((offset, self.read_at(offset, (last - first + 1) as i32, vm)?))
    }

    fn set_item(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else {
            return Err(vm.type_error("Blob doesn't support item deletion"));
        };
        let offset = self.index(key, vm)?;
        if value.downcast_ref::<Int>().is_none() {
            let text = format!("'{}' object cannot be interpreted as an integer", value.type_name());
            return Err(vm.type_error(text));
        }
        let byte =
            value.downcast_ref::<Int>().and_then(Int::to_i64).and_then(|value| u8::try_from(value).ok());
        match byte {
            Some(byte) => self.write_at(offset, &[byte], vm),
            None => Err(vm.value_error("byte must be in range(0, 256)")),
        }
    }

    fn set_slice(&self, slice: &Slice, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else {
            return Err(vm.type_error("Blob doesn't support slice deletion"));
        };
        let given = BufferArg::from_object(value, vm)?;
        let range = self.range(slice, vm)?;
        if given.as_bytes().len() != range.count {
            return Err(vm.index_error("Blob slice assignment is wrong size"));
        }
        if range.count == 0 {
            return Ok(());
        }
        forward(range, vm)?;
        if range.step == 1 {
            return self.write_at(range.start as i32, given.as_bytes(), vm);
        }
        let (offset, mut data) = self.span(range, vm)?;
        for (index, byte) in range.indices().zip(given.as_bytes()) {
            if let Some(place) = data.get_mut(index.wrapping_sub(offset as usize)) {
                *place = *byte;
            }
        }
        self.write_at(offset, &data, vm)
    }
}

/// Raises `ValueError` for a range that goes backwards.
fn forward(range: SliceRange, vm: &Vm) -> PyResult<()> {
    if range.step < 0 && range.count > 0 {
        return Err(vm.value_error("Blob doesn't support slices with a negative step"));
    }
    Ok(())
}

#[pytype(name = "sqlite3.Blob", no_new, gc, weakrefs = weakrefs, doc = "")]
impl Blob {
    /// Close the blob.
    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult<()> {
        self.connection.usable(vm)?;
        self.handle.close(vm);
        Ok(())
    }

    /// Read data at the current offset position.
    ///
    ///   length
    ///     Read length in bytes.
    ///
    /// If the end of the blob is reached, the data up to end of file will
    /// be returned.  When length is not specified, or is negative,
    /// Blob.read() will read until the end of the blob.
    #[method("($self, length=-1, /)")]
    fn read(&self, length: Option<i32>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let raw = self.usable(vm)?;
        let offset = self.offset.get();
        let left = Self::size(raw).saturating_sub(offset).max(0);
        let length = match length.unwrap_or(-1) {
            length if length < 0 || length > left => left,
            length => length,
        };
        if length == 0 {
            return Ok(vm.new_bytes(b""));
        }
        let data = self.read_at(offset, length, vm)?;
        self.offset.set(offset.saturating_add(length));
        Bytes::try_from_slice(&data, vm)
    }

    /// Write data at the current offset.
    ///
    /// This function cannot change the blob length.  Writing beyond the end
    /// of the blob will result in an exception being raised.
    #[method("($self, data, /)")]
    fn write(&self, data: BufferArg, vm: &Vm) -> PyResult<()> {
        self.usable(vm)?;
        let data = data.as_bytes();
        self.write_at(self.offset.get(), data, vm)?;
        self.offset.set(self.offset.get().saturating_add(data.len() as i32));
        Ok(())
    }

    /// Set the current access position to offset.
    ///
    /// The origin argument defaults to os.SEEK_SET (absolute blob
    /// positioning).  Other values for origin are os.SEEK_CUR (seek
    /// relative to the current position) and os.SEEK_END (seek relative to
    /// the blob's end).
    #[method("($self, offset, origin=0, /)")]
    fn seek(&self, offset: i32, origin: Option<i32>, vm: &Vm) -> PyResult<()> {
        let size = Self::size(self.usable(vm)?);
        let base = match origin.unwrap_or(0) {
            libc::SEEK_SET => 0,
            libc::SEEK_CUR => self.offset.get(),
            libc::SEEK_END => size,
            _ => {
                let text = "'origin' should be os.SEEK_SET, os.SEEK_CUR, or os.SEEK_END";
                return Err(vm.value_error(text));
            }
        };
        let Some(place) = base.checked_add(offset) else {
            return Err(vm.overflow_error("seek offset results in offset overflow"));
        };
        if place < 0 || place > size {
            return Err(vm.value_error("offset out of blob range"));
        }
        self.offset.set(place);
        Ok(())
    }

    /// Return the current access position for the blob.
    #[method("($self, /)")]
    fn tell(&self, vm: &Vm) -> PyResult<i32> {
        self.usable(vm)?;
        Ok(self.offset.get())
    }

    /// Blob context manager enter.
    #[method("($self, /)")]
    fn __enter__(&self, vm: &Vm) -> PyResult {
        self.usable(vm)?;
        Ok(self.as_object().to_ref())
    }

    /// Blob context manager exit.
    #[method("($self, type, val, tb, /)")]
    fn __exit__(&self, r#type: &Object, val: &Object, tb: &Object, vm: &Vm) -> PyResult<bool> {
        let _ = (r#type, val, tb);
        self.usable(vm)?;
        self.handle.close(vm);
        Ok(false)
    }

    #[slot]
    fn mp_length(&self, vm: &Vm) -> PyResult<usize> {
        Ok(usize::try_from(Self::size(self.usable(vm)?)).unwrap_or(0))
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        self.usable(vm)?;
        if key.has_index() {
            let data = self.read_at(self.index(key, vm)?, 1, vm)?;
            return Ok(vm.new_int(data.first().copied().unwrap_or(0)));
        }
        let Some(slice) = key.downcast_ref::<Slice>() else {
            return Err(vm.type_error("Blob indices must be integers"));
        };
        let range = self.range(slice, vm)?;
        forward(range, vm)?;
        let (offset, data) = self.span(range, vm)?;
        let picked: Vec<u8> = range
            .indices()
            .filter_map(|index| data.get(index.wrapping_sub(offset as usize)).copied())
            .collect();
        Ok(Bytes::try_from_slice(&picked, vm)?.into_object())
    }

    #[slot]
    fn mp_ass_subscript(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.usable(vm)?;
        if key.has_index() {
            return self.set_item(key, value, vm);
        }
        match key.downcast_ref::<Slice>() {
            Some(slice) => self.set_slice(slice, value, vm),
            None => Err(vm.type_error("Blob indices must be integers")),
        }
    }
}
