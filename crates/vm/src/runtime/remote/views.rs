//! What is read of another process's threads, frames and objects.

use std::mem::{offset_of, size_of};

use taipan_bytecode::line_table;

use super::memory::{Memory, half, word};
use crate::builtins::bytes;
use crate::builtins::code::places as code_places;
use crate::builtins::generator::async_awaitables::{AsyncGenASend, AsyncGenAThrow, GENERATOR_OFFSET};
use crate::builtins::generator::{AsyncGenerator, Coroutine, FRAME_OFFSET, Generator, state};
use crate::builtins::set::table::places as set_places;
use crate::builtins::str::remote_text;
use crate::interpreter::frame::{InterpreterFrame, owner};
use crate::interpreter::instrument::Monitoring;
use crate::prelude::*;
use crate::runtime::interpreter::Interpreter;

/// The longest name of a function or file that is told whole.
pub const MAX_NAME: usize = 1024;
/// The longest line table that is read.
const MAX_LINE_TABLE: usize = 4096;
/// The most entries that a set's table may have.
const MAX_SET: usize = 1 << 20;

/// Another process that runs this executable.
#[derive(Debug, Clone, Copy)]
pub struct Process {
    /// Its memory.
    pub memory: Memory,
    /// How far the executable lies from where it lies here.
    pub displacement: usize,
}

/// A thread's state.
pub struct ThreadView {
    /// The next older thread, or 0.
    pub next: usize,
    /// Its interpreter.
    pub interp: usize,
    /// Its innermost frame, or 0.
    pub frame: usize,
    /// The system's number of the thread.
    pub native_id: u64,
    /// The interpreter's number of the thread.
    pub id: u64,
    /// Whether it runs Python code.
    pub holds_gil: bool,
    /// The asyncio task whose step it runs, or 0.
    pub async_task: usize,
}

/// A frame.
pub struct FrameView {
    /// Its code object.
    pub code: usize,
    /// The caller's frame, or 0.
    pub previous: usize,
    /// The instruction that it runs.
    pub instruction: usize,
    stack_pointer: usize,
    /// One of `frame::owner`.
    pub owner: u8,
    /// Whether native code has called it.
    pub is_entry: bool,
}

/// A code object.
pub struct CodeView {
    /// `co_filename`, cut at [`MAX_NAME`].
    pub filename: Ref<Str>,
    /// `co_qualname`, cut at [`MAX_NAME`].
    pub qualname: Ref<Str>,
    first_line: i32,
    first_unit: usize,
    /// Absent when it is too long.
    line_table: Option<Vec<u8>>,
}

impl CodeView {
    /// The line of the instruction at an address.
    pub fn line_of(&self, instruction: usize) -> Option<i32> {
        let table = self.line_table.as_ref()?;
        match instruction.checked_sub(self.first_unit) {
            Some(distance) => line_table::line_at(table, self.first_line, distance / 2),
            None => Some(self.first_line),
        }
    }
}

/// A generator, coroutine or asynchronous generator.
pub struct GeneratorView {
    /// Its frame's address.
    pub at: usize,
    /// Its frame, unless it has ended.
    pub frame: Option<FrameView>,
    /// What it waits for, or 0.
    pub delegate: usize,
}

/// Raises because what was read can't be what it should be: it has changed meanwhile.
pub fn changed(what: &str, vm: &Vm) -> Raised {
    vm.runtime_error(format!("Invalid {what} in remote memory"))
}

impl Process {
    /// Where something of the executable lies there.
    pub fn place_of(&self, here: usize) -> usize {
        here.wrapping_add(self.displacement)
    }

    /// Whether an address there is that of a static type.
    pub fn is_type(&self, there: usize, tp: *const Type) -> bool {
        self.place_of(tp as usize) == there
    }

    /// The address of an object's type.
    pub fn type_of(&self, object: usize, vm: &Vm) -> PyResult<usize> {
        let head: [u8; size_of::<Object>()] = self.memory.read_array(object, vm)?;
        word(&head, Object::TYPE_OFFSET).ok_or_else(|| changed("object", vm))
    }

    /// A thread's state.
    pub fn thread(&self, at: usize, vm: &Vm) -> PyResult<ThreadView> {
        let bytes: [u8; size_of::<Vm>()] = self.memory.read_array(at, vm)?;
        let field = |offset| word(&bytes, offset).ok_or_else(|| changed("thread state", vm));
        Ok(ThreadView {
            next: field(offset_of!(Vm, next))?,
            interp: field(offset_of!(Vm, interp))?,
            frame: field(offset_of!(Vm, current_frame))?,
            native_id: field(offset_of!(Vm, native_thread_id))? as u64,
            id: field(offset_of!(Vm, id))? as u64,
            holds_gil: half(&bytes, offset_of!(Vm, holds_gil)).is_some_and(|held| held != 0),
            async_task: field(offset_of!(Vm, async_task))?,
        })
    }

    /// The address of an interpreter's newest thread.
    pub fn newest_thread(&self, interp: usize, vm: &Vm) -> PyResult<usize> {
        let offset = offset_of!(Interpreter, monitoring) + offset_of!(Monitoring, newest_thread);
        self.memory.read_word(interp.wrapping_add(offset), vm)
    }

    /// The address of an interpreter's newest asyncio task, 0 for none; `None` when it has not loaded `_asyncio`.
    pub fn newest_task(&self, interp: usize, vm: &Vm) -> PyResult<Option<usize>> {
        match self.memory.read_word(interp.wrapping_add(offset_of!(Interpreter, async_tasks)), vm)? {
            0 => Ok(None),
            slot => self.memory.read_word(slot, vm).map(Some),
        }
    }

    /// A frame.
    pub fn frame(&self, at: usize, vm: &Vm) -> PyResult<FrameView> {
        let bytes: [u8; offset_of!(InterpreterFrame, localsplus)] = self.memory.read_array(at, vm)?;
        self.frame_of(&bytes).ok_or_else(|| changed("frame", vm))
    }

    fn frame_of(&self, bytes: &[u8]) -> Option<FrameView> {
        let owned_by = *bytes.get(offset_of!(InterpreterFrame, owner))?;
        if owned_by > owner::CSTACK {
            return None;
        }
        Some(FrameView {
            code: word(bytes, offset_of!(InterpreterFrame, executable))? & !1,
            previous: word(bytes, offset_of!(InterpreterFrame, previous))?,
            instruction: word(bytes, offset_of!(InterpreterFrame, instr_ptr))?,
            stack_pointer: word(bytes, offset_of!(InterpreterFrame, stackpointer))?,
            owner: owned_by,
            is_entry: *bytes.get(offset_of!(InterpreterFrame, is_entry))? != 0,
        })
    }

    /// A code object. Raises `RuntimeError` when it is none.
    pub fn code(&self, at: usize, vm: &Vm) -> PyResult<CodeView> {
        let bytes: [u8; size_of::<Code>()] = self.memory.read_array(at, vm)?;
        let field = |offset| word(&bytes, offset).ok_or_else(|| changed("code object", vm));
        if !self.is_type(field(Object::TYPE_OFFSET)?, Code::static_type()) {
            return Err(changed("code object", vm));
        }
        Ok(CodeView {
            filename: self.text(field(code_places::FILENAME)?, MAX_NAME, vm)?,
            qualname: self.text(field(code_places::QUALNAME)?, MAX_NAME, vm)?,
            first_line: half(&bytes, offset_of!(Code, firstlineno)).unwrap_or(0) as i32,
            first_unit: at.wrapping_add(code_places::UNITS),
            line_table: self.bytes(field(code_places::LINE_TABLE)?, MAX_LINE_TABLE, vm)?,
        })
    }

    /// A str, cut after `max` characters. Raises `RuntimeError` when it is none.
    pub fn text(&self, at: usize, max: usize, vm: &Vm) -> PyResult<Ref<Str>> {
        let head: [u8; size_of::<Str>()] = self.memory.read_array(at, vm)?;
        let found = remote_text::Head::read(&head).ok_or_else(|| changed("str", vm))?;
        let data = match found.data_offset {
            Some(offset) => at.wrapping_add(offset),
            None => self.memory.read_word(at.wrapping_add(remote_text::DATA_OFFSET), vm)?,
        };
        let mut bytes = vec![0; found.length.min(max) * found.width];
        if !bytes.is_empty() {
            self.memory.read(data, &mut bytes, vm)?;
        }
        let codes: Vec<u32> = match found.width {
            1 => bytes.iter().map(|&unit| u32::from(unit)).collect(),
            2 => bytes.as_chunks::<2>().0.iter().map(|unit| u32::from(u16::from_ne_bytes(*unit))).collect(),
            _ => bytes.as_chunks::<4>().0.iter().map(|unit| u32::from_ne_bytes(*unit)).collect(),
        };
        if codes.iter().any(|&code| code > 0x10_FFFF) {
            return Err(changed("str", vm));
        }
        Ok(Str::from_code_points(&codes, vm))
    }

    /// The contents of a bytes object; `None` when there are more than `max`.
    fn bytes(&self, at: usize, max: usize, vm: &Vm) -> PyResult<Option<Vec<u8>>> {
        let length = self.memory.read_word(at.wrapping_add(offset_of!(VarObject, ob_size)), vm)?;
        if length > max {
            return Ok(None);
        }
        let mut bytes = vec![0; length];
        self.memory.read(at.wrapping_add(bytes::DATA_OFFSET), &mut bytes, vm)?;
        Ok(Some(bytes))
    }

    /// The coroutine at an address, or the asynchronous generator that an awaitable there runs; `None` for anything else.
    pub fn awaited(&self, at: usize, vm: &Vm) -> PyResult<Option<GeneratorView>> {
        let tp = self.type_of(at, vm)?;
        if self.is_type(tp, Coroutine::static_type()) {
            return self.generator(at, vm).map(Some);
        }
        if !self.is_type(tp, AsyncGenASend::static_type()) && !self.is_type(tp, AsyncGenAThrow::static_type())
        {
            return Ok(None);
        }
        let generator = self.memory.read_word(at.wrapping_add(GENERATOR_OFFSET), vm)?;
        if generator == 0 || !self.is_type(self.type_of(generator, vm)?, AsyncGenerator::static_type()) {
            return Ok(None);
        }
        self.generator(generator, vm).map(Some)
    }

    fn generator(&self, at: usize, vm: &Vm) -> PyResult<GeneratorView> {
        let bytes: [u8; FRAME_OFFSET + offset_of!(InterpreterFrame, localsplus)] =
            self.memory.read_array(at, vm)?;
        let stands = bytes.get(offset_of!(Generator, state)).map(|&state| state as i8);
        let mut view = GeneratorView { at: at.wrapping_add(FRAME_OFFSET), frame: None, delegate: 0 };
        if stands.is_none_or(|stands| stands >= state::COMPLETED) {
            return Ok(view);
        }
        let frame = bytes.get(FRAME_OFFSET..).and_then(|bytes| self.frame_of(bytes));
        let frame = frame.ok_or_else(|| changed("coroutine", vm))?;
        if stands == Some(state::SUSPENDED_YIELD_FROM) {
            let top = frame.stack_pointer.wrapping_sub(size_of::<usize>());
            view.delegate = self.memory.read_word(top, vm)? & !1;
        }
        view.frame = Some(frame);
        Ok(view)
    }

    /// The addresses of a set's items; `None` when the object there is no set.
    pub fn set_items(&self, at: usize, vm: &Vm) -> PyResult<Option<Vec<usize>>> {
        if !self.is_type(self.type_of(at, vm)?, Set::static_type()) {
            return Ok(None);
        }
        let head: [u8; size_of::<Set>()] = self.memory.read_array(at, vm)?;
        let field = |offset| word(&head, Set::TABLE_OFFSET + offset).ok_or_else(|| changed("set", vm));
        let (mask, table) = (field(set_places::MASK)?, field(set_places::TABLE)?);
        let entries = mask.wrapping_add(1);
        if entries > MAX_SET || !entries.is_power_of_two() {
            return Err(changed("set", vm));
        }
        let table = if table == 0 { at.wrapping_add(Set::TABLE_OFFSET + set_places::SMALL) } else { table };
        let mut bytes = vec![0; entries * set_places::ENTRY_SIZE];
        self.memory.read(table, &mut bytes, vm)?;
        let entries = bytes.chunks_exact(set_places::ENTRY_SIZE);
        Ok(Some(entries.filter_map(set_places::live_key).collect()))
    }
}
