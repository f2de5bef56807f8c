//! Reading text.

use taipan_vm::builtins::str::StrBuilder;
use taipan_vm::prelude::*;

use super::{Snapshot, TextIoWrapper};
use crate::_io::buffered;
use crate::_io::iobase::{size_arg, was_interrupted};
use crate::_io::newlines::Newline;

impl TextIoWrapper {
    /// Takes up to `size` characters of what is decoded; without a size, all.
    fn take_decoded(&self, size: Option<usize>, vm: &Vm) -> PyResult<Ref<Str>> {
        let Some(decoded) = self.decoded.get() else { return Ok(Str::empty()) };
        let start = self.used.get();
        let end = size.map_or(decoded.len(), |size| start.saturating_add(size).min(decoded.len()));
        self.used.set(end);
        if start == 0 && end == decoded.len() { Ok(decoded) } else { decoded.slice(start, end, vm) }
    }

    fn set_decoded(&self, text: Ref<Str>) {
        self.used.set(0);
        self.decoded.put(text);
    }

    /// Reads and decodes another piece of the buffer, for about `hint` characters. False at the end.
    fn read_chunk(&self, hint: usize, vm: &Vm) -> PyResult<bool> {
        let decoder = self.need_decoder(vm)?;
        let buffer = self.attached(vm)?;
        let before = match self.telling.get() {
            true => Some(decoder.state(vm)?),
            false => None,
        };
        let hint = (hint as f64 * self.ratio.get().max(1.0)) as usize;
        let size = self.chunk_size.get().max(hint);
        let input = match buffered::exact_reader(&buffer) {
            Some(core) => core.read_once(size as isize, vm)?.into_object(),
            None => {
                let method = if self.has_read1.get() { vm.ids().read1 } else { vm.ids().read };
                buffer.call_method(method, &[&vm.new_int(size)], vm)?
            }
        };
        if !taipan_vm::protocols::buffer::has_buffer(&input) {
            return Err(vm.type_error(format!(
                "underlying {}() should have returned a bytes-like object, not '{}'",
                if self.has_read1.get() { "read1" } else { "read" },
                input.ob_type().name()
            )));
        }
        let count = match input.downcast_exact::<Bytes>() {
            Some(bytes) => bytes.len(),
            None => input.get_buffer(taipan_vm::protocols::buffer::SIMPLE, vm)?.len(),
        };
        let end = count == 0;
        let text = decoder.decode(&input, end, vm)?;
        let chars = text.len();
        self.set_decoded(text);
        self.ratio.set(if chars > 0 { count as f64 / chars as f64 } else { 0.0 });
        if let Some((rest, flags)) = before {
            let input = match input.downcast::<Bytes>() {
                Ok(input) if rest.is_empty() => input,
                Ok(input) => vm.new_bytes(&[rest.as_bytes(), input.as_bytes()].concat()),
                Err(other) => {
                    let buffer = other.get_buffer(taipan_vm::protocols::buffer::SIMPLE, vm)?;
                    vm.new_bytes(&[rest.as_bytes(), buffer.as_bytes()].concat())
                }
            };
            let old = self.snapshot.replace(Some(Snapshot { flags, input }));
            drop(old);
        }
        Ok(!end || chars > 0)
    }

    /// `read_chunk`, again when a signal came in between.
    fn next_chunk(&self, hint: usize, vm: &Vm) -> PyResult<bool> {
        loop {
            match self.read_chunk(hint, vm) {
                Err(Raised) if was_interrupted(vm) => {}
                other => return other,
            }
        }
    }

    fn read_all(&self, buffer: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
        let decoder = self.need_decoder(vm)?;
        let bytes = match buffered::exact_reader(buffer) {
            Some(core) => core.read_everything(vm)?,
            None => buffer.call_method(vm.ids().read, &[], vm)?,
        };
        if vm.is_none(&bytes) {
            return Err(vm.raise(types::blocking_io_error(), "Read returned None."));
        }
        let rest = decoder.decode(&bytes, true, vm)?;
        let ahead = self.take_decoded(None, vm)?;
        let text = if ahead.is_empty() { rest } else { ahead.concat(&rest, vm)? };
        if self.snapshot.borrow().is_some() {
            self.forget_decoded();
            self.forget_snapshot();
        }
        Ok(text)
    }

    fn read_some(&self, size: usize, vm: &Vm) -> PyResult<Ref<Str>> {
        let first = self.take_decoded(Some(size), vm)?;
        if first.len() == size {
            return Ok(first);
        }
        let mut text = StrBuilder::new();
        text.push(&first);
        while text.len() < size {
            let left = size - text.len();
            if !self.next_chunk(left, vm)? {
                break;
            }
            let part = self.take_decoded(Some(left), vm)?;
            if text.is_empty() && part.len() == size {
                return Ok(part);
            }
            text.push(&part);
        }
        text.try_finish(vm)
    }

    /// `readline(limit)`; negative: no limit.
    pub(super) fn read_line(&self, limit: isize, vm: &Vm) -> PyResult<Ref<Str>> {
        let buffer = self.open_buffer(vm)?;
        if !self.pending.borrow().is_empty() {
            self.write_pending(&buffer, vm)?;
        }
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let newline = self.newline.get();
        let mut line: Option<StrBuilder> = None;
        loop {
            let left = limit - line.as_ref().map_or(0, StrBuilder::len);
            if let Some(decoded) = self.decoded.get().filter(|text| self.used.get() < text.len()) {
                let (start, data) = (self.used.get(), decoded.data());
                // "\r\n" may be cut in two by the end of a chunk.
                let halved = newline == Newline::CrLf
                    && data.get(start) == Some(10)
                    && line
                        .as_ref()
                        .is_some_and(|line| line.data().get(line.len().wrapping_sub(1)) == Some(13));
                let found = if halved { Some(start + 1) } else { newline.line_end(data, start) };
                let end = found.unwrap_or(data.len());
                let complete = found.is_some() || end - start >= left;
                let end = end.min(start.saturating_add(left));
                self.used.set(end);
                match &mut line {
                    None if complete => {
                        if start == 0 && end == decoded.len() {
                            return Ok(decoded);
                        }
                        return decoded.slice(start, end, vm);
                    }
                    None => {
                        let mut begun = StrBuilder::new();
                        begun.push_data(data.slice(start, end));
                        line = Some(begun);
                    }
                    Some(line) => line.push_data(data.slice(start, end)),
                }
                if complete {
                    break;
                }
            } else if left == 0 {
                break;
            }
            if !self.next_chunk(0, vm)? {
                self.forget_decoded();
                self.forget_snapshot();
                break;
            }
        }
        match line {
            Some(line) => line.try_finish(vm),
            None => Ok(Str::empty()),
        }
    }

    /// `next(stream)`.
    pub(super) fn next_line(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        self.attached(vm)?;
        self.telling.set(false);
        let this = self.as_object();
        let line = if std::ptr::eq(this.ob_type(), Self::type_object()) {
            self.read_line(-1, vm)?
        } else {
            let line = this.call_method(vm.ids().readline, &[], vm)?;
            line.downcast::<Str>().map_err(|other| {
                let given = other.ob_type().name();
                let text = format!("readline() should have returned a str object, not '{given}'");
                vm.raise(types::os_error(), text)
            })?
        };
        if line.is_empty() {
            self.forget_snapshot();
            self.telling.set(self.seekable.get());
            return Ok(None);
        }
        Ok(Some(line.into_object()))
    }
}

#[pymethods(table = READING)]
impl TextIoWrapper {
    #[method("($self, size=-1, /)")]
    fn read(&self, size: Option<&Object>, vm: &Vm) -> PyResult<Ref<Str>> {
        let size = size_arg(size, vm)?;
        let buffer = self.open_buffer(vm)?;
        self.need_decoder(vm)?;
        self.write_pending(&buffer, vm)?;
        match usize::try_from(size) {
            Ok(size) => self.read_some(size, vm),
            Err(_) => self.read_all(&buffer, vm),
        }
    }

    #[method("($self, size=-1, /)")]
    fn readline(&self, size: Option<isize>, vm: &Vm) -> PyResult<Ref<Str>> {
        self.read_line(size.unwrap_or(-1), vm)
    }
}
