//! Where an unpickler reads from: a block of memory, or a file in portions.

use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::{Buffer, SIMPLE};

use super::state::State;

/// How much is looked ahead in files that can `peek`.
const PREFETCH: usize = 128 * 1024;
/// How much memory is taken at once on the word of a pickle alone.
const TRUSTED: usize = 16 << 20;

/// The methods of the file.
struct File {
    read: ObjRef,
    readline: ObjRef,
    readinto: Option<ObjRef>,
    peek: Option<ObjRef>,
}

/// What is read from.
#[derive(Default)]
pub struct Input {
    data: Option<Buffer>,
    /// The place of the next byte in `data`.
    at: usize,
    /// How far may be read without asking: the end of the data, or of the frame.
    limit: usize,
    framed: bool,
    /// Up to where the file itself has been read, when `data` was peeked at.
    peeked: Option<usize>,
    file: Option<File>,
}

impl Traverse for Input {
    fn traverse(&self, visit: &mut Visit) {
        if let Some(file) = &self.file {
            file.read.traverse(visit);
            file.readline.traverse(visit);
            file.readinto.traverse(visit);
            file.peek.traverse(visit);
        }
    }
}

impl Input {
    /// Reads from memory.
    pub fn of_buffer(data: Buffer) -> Input {
        Input { limit: data.len(), data: Some(data), ..Input::default() }
    }

    /// Reads from a file.
    pub fn of_file(file: &Object, state: &State, vm: &Vm) -> PyResult<Input> {
        let names = &state.names;
        let peek = file.lookup_attr(&names.peek, vm)?;
        let readinto = file.lookup_attr(&names.readinto, vm)?;
        let read = file.lookup_attr(&names.read, vm)?;
        let readline = file.lookup_attr(&names.readline, vm)?;
        let (Some(read), Some(readline)) = (read, readline) else {
            return Err(vm.attribute_error("file must have 'read' and 'readline' attributes"));
        };
        Ok(Input { file: Some(File { read, readline, readinto, peek }), ..Input::default() })
    }

    #[inline]
    fn bytes(&self) -> &[u8] {
        self.data.as_ref().map_or(&[], Buffer::as_bytes)
    }

    #[inline]
    fn left(&self) -> usize {
        self.limit.saturating_sub(self.at)
    }

    /// The next opcode. Raises EOFError at the end.
    #[inline]
    pub fn opcode(&mut self, state: &State, vm: &Vm) -> PyResult<u8> {
        if self.at < self.limit {
            if let Some(&opcode) = self.bytes().get(self.at) {
                self.at += 1;
                return Ok(opcode);
            }
        }
        match self.read(1, state, vm) {
            Ok(byte) => Ok(byte.first().copied().unwrap_or(0)),
            Err(_) if vm.exception_matches(&state.unpickling_error) => {
                vm.clear_exception();
                Err(vm.eof_error("Ran out of input"))
            }
            Err(raised) => Err(raised),
        }
    }

    /// The next `count` bytes.
    #[inline]
    pub fn read(&mut self, count: usize, state: &State, vm: &Vm) -> PyResult<&[u8]> {
        if count > self.left() {
            self.fill(count, state, vm)?;
        }
        let start = self.at;
        self.at = start + count;
        self.bytes().get(start..start + count).ok_or_else(|| truncated(state, vm))
    }

    /// The next bytes as an array.
    #[inline]
    pub fn array<const N: usize>(&mut self, state: &State, vm: &Vm) -> PyResult<[u8; N]> {
        let bytes = self.read(N, state, vm)?;
        bytes.try_into().map_err(|_| truncated(state, vm))
    }

    fn take(&mut self, data: &Object, vm: &Vm) -> PyResult<()> {
        let data = data.get_buffer(SIMPLE, vm)?;
        self.limit = data.len();
        self.framed = false;
        // The old data may be the last user of its object.
        let old = self.data.replace(data);
        self.at = 0;
        self.peeked = None;
        drop(old);
        Ok(())
    }

    /// Tells the file how much of what was peeked at has been used.
    pub fn skip_consumed(&mut self, vm: &Vm) -> PyResult<()> {
        let (Some(peeked), Some(file)) = (self.peeked, &self.file) else { return Ok(()) };
        if self.at > peeked {
            let read = file.read.clone();
            read.call(&[&*vm.new_int(self.at - peeked)], vm)?;
            self.peeked = Some(self.at);
        }
        Ok(())
    }

    /// Before the file is read: nothing that was read may be left over.
    fn leave(&mut self, state: &State, vm: &Vm) -> PyResult<()> {
        self.skip_consumed(vm)?;
        if self.peeked.is_none() && self.left() > 0 {
            return Err(state.unpickling("pickle exhausted before end of frame", vm));
        }
        Ok(())
    }

    /// Before something is read that goes beyond the limit: a frame has to end here.
    fn end_frame(&mut self, state: &State, vm: &Vm) -> PyResult<()> {
        if self.framed {
            if self.at < self.limit {
                return Err(state.unpickling("pickle exhausted before end of frame", vm));
            }
            self.framed = false;
            self.limit = self.bytes().len();
        }
        Ok(())
    }

    #[cold]
    fn fill(&mut self, count: usize, state: &State, vm: &Vm) -> PyResult<()> {
        if count > isize::MAX as usize - self.at {
            return Err(state.unpickling("read would overflow (invalid bytecode)", vm));
        }
        self.end_frame(state, vm)?;
        if count <= self.left() {
            return Ok(());
        }
        if self.file.is_none() {
            return Err(truncated(state, vm));
        }
        self.leave(state, vm)?;
        let Some(file) = &self.file else { return Err(truncated(state, vm)) };
        let (read, peek) = (file.read.clone(), file.peek.clone());
        if let Some(peek) = peek.filter(|_| count < PREFETCH) {
            match peek.call(&[&*vm.new_int(PREFETCH)], vm) {
                Ok(data) => {
                    self.take(&data, vm)?;
                    self.peeked = Some(0);
                    if self.left() >= count {
                        return Ok(());
                    }
                }
                Err(_) if vm.exception_matches(types::not_implemented_error()) => {
                    vm.clear_exception();
                    if let Some(file) = &mut self.file {
                        file.peek = None;
                    }
                }
                Err(raised) => return Err(raised),
            }
        }
        let data = read.call(&[&*vm.new_int(count)], vm)?;
        self.take(&data, vm)?;
        if self.left() < count { Err(truncated(state, vm)) } else { Ok(()) }
    }

    /// Makes sure that a frame is there as a whole.
    pub fn frame(&mut self, length: usize, state: &State, vm: &Vm) -> PyResult<()> {
        if self.framed && self.at < self.limit {
            return Err(state.unpickling("beginning of a new frame before end of current frame", vm));
        }
        if length > self.left() {
            self.fill(length, state, vm)?;
        }
        self.framed = true;
        self.limit = self.at + length;
        Ok(())
    }

    /// The next line with its newline.
    pub fn line(&mut self, state: &State, vm: &Vm) -> PyResult<&[u8]> {
        if self.at >= self.limit {
            self.end_frame(state, vm)?;
        }
        let start = self.at;
        let rest = self.bytes().get(start..self.limit).unwrap_or_default();
        let end = match rest.iter().position(|&byte| byte == b'\n') {
            Some(found) => start + found + 1,
            None => {
                self.end_frame(state, vm)?;
                if self.file.is_none() {
                    return Err(truncated(state, vm));
                }
                self.leave(state, vm)?;
                let Some(readline) = self.file.as_ref().map(|file| file.readline.clone()) else {
                    return Err(truncated(state, vm));
                };
                let line = readline.call(&[], vm)?;
                self.take(&line, vm)?;
                if self.bytes().last() != Some(&b'\n') {
                    return Err(truncated(state, vm));
                }
                self.bytes().len()
            }
        };
        let start = if end > start && end <= self.bytes().len() && self.at == start { start } else { 0 };
        self.at = end;
        self.bytes().get(start..end).ok_or_else(|| truncated(state, vm))
    }

    /// `count` bytes as an object. What the pickle says is believed only as far as the data follows.
    pub fn bytes_object(&mut self, count: usize, state: &State, vm: &Vm) -> PyResult<ObjRef> {
        if count <= self.left() {
            return Ok(Bytes::try_from_slice(self.read(count, state, vm)?, vm)?.into_object());
        }
        self.end_frame(state, vm)?;
        if count <= self.left() {
            return Ok(Bytes::try_from_slice(self.read(count, state, vm)?, vm)?.into_object());
        }
        if self.file.is_some() && self.left() == 0 && (PREFETCH..=TRUSTED).contains(&count) {
            self.skip_consumed(vm)?;
            if let Some(read) = self.file.as_ref().map(|file| file.read.clone()) {
                // The file's own object serves.
                let data = read.call(&[&*vm.new_int(count)], vm)?;
                match data.downcast_exact::<Bytes>() {
                    Some(bytes) if bytes.len() == count => {
                        self.forget();
                        return Ok(data);
                    }
                    Some(_) => return Err(truncated(state, vm)),
                    None => return Err(not_bytes(&data, vm)),
                }
            }
        }
        let data = self.block(count, state, vm)?;
        Ok(Bytes::try_from_slice(&data, vm)?.into_object())
    }

    /// `count` bytes as a bytearray.
    pub fn bytearray(&mut self, count: usize, state: &State, vm: &Vm) -> PyResult<ObjRef> {
        if count <= self.left() {
            return Ok(ByteArray::from_slice(self.read(count, state, vm)?, vm)?.into_object());
        }
        self.end_frame(state, vm)?;
        if count <= self.left() {
            return Ok(ByteArray::from_slice(self.read(count, state, vm)?, vm)?.into_object());
        }
        let readinto = self.file.as_ref().and_then(|file| file.readinto.clone());
        if let Some(readinto) = readinto.filter(|_| count <= TRUSTED) {
            self.skip_consumed(vm)?;
            let start = self.left();
            let array = ByteArray::from_slice(self.bytes().get(self.at..).unwrap_or_default(), vm)?;
            let peeked = self.peeked.is_some();
            array.resize_to(count, vm)?;
            let whole = taipan_vm::builtins::memoryview::MemoryView::from_object(array.as_object(), vm)?;
            // What was peeked at is read again.
            let from = if peeked { 0 } else { start };
            let part = whole.as_object().get_item(
                taipan_vm::builtins::slice::Slice::new(vm.new_int(from), vm.none(), vm.none(), vm)
                    .as_object(),
                vm,
            )?;
            let done = readinto.call(&[&part], vm)?.as_isize(vm)?;
            drop(part);
            self.forget();
            return match usize::try_from(done) {
                Err(_) => Err(vm.value_error("readinto() returned negative size")),
                Ok(done) if done < count - from => Err(truncated(state, vm)),
                Ok(_) => {
                    whole.release_view(vm)?;
                    Ok(array.into_object())
                }
            };
        }
        let data = self.block(count, state, vm)?;
        Ok(ByteArray::from_slice(&data, vm)?.into_object())
    }

    fn forget(&mut self) {
        self.peeked = None;
        (self.at, self.limit, self.framed) = (0, 0, false);
        drop(self.data.take());
    }

    /// `count` bytes, which may be more than there are.
    pub fn block(&mut self, count: usize, state: &State, vm: &Vm) -> PyResult<Vec<u8>> {
        if count > self.left() {
            self.end_frame(state, vm)?;
        }
        if count <= self.left() || self.file.is_none() {
            return Ok(self.read(count, state, vm)?.to_vec());
        }
        self.skip_consumed(vm)?;
        let mut out = Vec::new();
        if self.peeked.is_none() {
            out.extend_from_slice(self.bytes().get(self.at..).unwrap_or_default());
        }
        self.forget();
        let Some(read) = self.file.as_ref().map(|file| file.read.clone()) else {
            return Err(truncated(state, vm));
        };
        while out.len() < count {
            let portion = (count - out.len()).min(TRUSTED.max(out.len()));
            let data = read.call(&[&*vm.new_int(portion)], vm)?;
            let Some(bytes) = data.downcast_ref::<Bytes>() else { return Err(not_bytes(&data, vm)) };
            if bytes.len() != portion {
                return Err(truncated(state, vm));
            }
            out.try_reserve(portion).map_err(|_| vm.memory_error())?;
            out.extend_from_slice(bytes.as_bytes());
        }
        Ok(out)
    }
}

#[cold]
fn truncated(state: &State, vm: &Vm) -> Raised {
    state.unpickling("pickle data was truncated", vm)
}

#[cold]
fn not_bytes(data: &Object, vm: &Vm) -> Raised {
    let name = data.ob_type().as_object().repr(vm);
    match name {
        Ok(name) => vm.value_error(format!("read() returned non-bytes object ({})", name.to_string_lossy())),
        Err(raised) => raised,
    }
}
