//! Writing text.

use taipan_vm::prelude::*;

use super::codec::{Encoder, Native};
use super::{CHUNK_SIZE, TextIoWrapper};
use crate::_io::buffered;
use crate::_io::iobase::{unsupported, was_interrupted};
use crate::_io::newlines::{find_newline, find_unit};

impl TextIoWrapper {
    /// Hands encoded text to the buffer.
    pub(super) fn write_pending(&self, buffer: &Object, vm: &Vm) -> PyResult<()> {
        if self.pending.borrow().is_empty() {
            return Ok(());
        }
        let mut pending = self.pending.take();
        let result = write_bytes(buffer, &pending, vm);
        // The memory is used again, unless more came while Python code ran.
        if let Ok(mut slot) = self.pending.try_borrow_mut() {
            if slot.is_empty() && pending.capacity() <= 4 * CHUNK_SIZE {
                // `clear` would be the one of `Traverse`.
                pending.truncate(0);
                *slot = pending;
            }
        }
        result
    }

    /// `buffer.flush()`.
    pub(super) fn flush_buffer(&self, buffer: &Object, vm: &Vm) -> PyResult {
        match buffered::exact_writer(buffer) {
            Some(core) => core.flush_all(vm).map(|()| vm.none()),
            None => buffer.call_method(vm.ids().flush, &[], vm),
        }
    }

    /// Keeps encoded text until there is enough of it.
    fn keep(&self, bytes: &[u8], now: bool, buffer: &Object, vm: &Vm) -> PyResult<()> {
        let limit = self.chunk_size.get();
        loop {
            let before = self.pending.borrow().len();
            if before + bytes.len() <= limit {
                break;
            }
            if before == 0 {
                if bytes.len() >= limit {
                    return write_bytes(buffer, bytes, vm);
                }
                break;
            }
            // More may come while this is written.
            self.write_pending(buffer, vm)?;
        }
        let len = {
            let mut pending = self.pending.borrow_mut();
            pending.extend_from_slice(bytes);
            pending.len()
        };
        if now || len >= limit { self.write_pending(buffer, vm) } else { Ok(()) }
    }

    /// `write(text)`.
    pub(super) fn write_text(&self, text: &Str, vm: &Vm) -> PyResult<usize> {
        let mut buffer = self.open_buffer(vm)?;
        let not_writable = || unsupported("not writable", vm);
        let mut encoder = self.encoder().ok_or_else(not_writable)?;
        let written = self.newline.get().written();
        let line_buffering = self.line_buffering.get();
        let has_newline = (written.is_some() || line_buffering) && find_newline(text.data(), 0).is_some();
        let translated = match written {
            Some(written) if has_newline => {
                let written = vm.new_str(written);
                if std::ptr::eq(text.as_object().ob_type(), Str::type_object()) {
                    Some(text.replace_str(vm.ids().newline, &written, usize::MAX, vm)?)
                } else {
                    let args = [vm.ids().newline.as_object(), written.as_object()];
                    let replaced = text.as_object().call_method(vm.ids().replace, &args, vm)?;
                    // A method of a subclass may have changed the stream.
                    buffer = self.open_buffer(vm)?;
                    encoder = self.encoder().ok_or_else(not_writable)?;
                    Some(replaced.downcast::<Str>().map_err(|other| {
                        let given = other.ob_type().name();
                        vm.type_error(format!("replace() should return a str, not {given}"))
                    })?)
                }
            }
            _ => None,
        };
        let shown = translated.as_deref().unwrap_or(text);
        let flush = line_buffering && (has_newline || find_unit(text.data(), 0, b'\r').is_some());
        let now = flush || self.write_through.get();
        match &*encoder {
            Encoder::Native(native, errors) => {
                let narrow = match (native, shown.data()) {
                    (Native::Latin1, taipan_vm::builtins::str::StrData::Ucs1(units)) => Some(units),
                    _ => shown.ascii_bytes(),
                };
                match narrow {
                    Some(bytes) => self.keep(bytes, now, &buffer, vm)?,
                    None => self.keep(native.encode(shown, errors, vm)?.as_bytes(), now, &buffer, vm)?,
                }
            }
            Encoder::Object(..) => self.keep(encoder.encode(shown, vm)?.as_bytes(), now, &buffer, vm)?,
        }
        if flush {
            self.flush_buffer(&buffer, vm)?;
        }
        if self.snapshot.borrow().is_some() {
            self.forget_decoded();
            self.forget_snapshot();
        }
        if let Some(decoder) = self.decoder() {
            decoder.reset(vm)?;
        }
        Ok(text.len())
    }
}

/// `buffer.write(bytes)`.
fn write_bytes(buffer: &Object, bytes: &[u8], vm: &Vm) -> PyResult<()> {
    if let Some(core) = buffered::exact_writer(buffer) {
        return core.write_bytes(bytes, vm).map(drop);
    }
    let bytes = Bytes::try_from_slice(bytes, vm)?;
    loop {
        match buffer.call_method(vm.ids().write, &[bytes.as_object()], vm) {
            Ok(_) => return Ok(()),
            Err(Raised) if was_interrupted(vm) => {}
            Err(raised) => return Err(raised),
        }
    }
}

#[pymethods(table = WRITING)]
impl TextIoWrapper {
    #[method("($self, text, /)")]
    fn write(&self, text: &Str, vm: &Vm) -> PyResult<usize> {
        self.write_text(text, vm)
    }

    #[method("($self, pos=None, /)")]
    fn truncate(&self, pos: Option<&Object>, vm: &Vm) -> PyResult {
        let buffer = self.attached(vm)?;
        self.flush_self(vm)?;
        buffer.call_method(vm.ids().truncate, &[pos.unwrap_or(vm.none_ref())], vm)
    }
}
