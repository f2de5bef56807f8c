//! `code`: a compiled body, with its instructions and their inline caches in place.
//!
//! The instructions at the end of the object are mutable: they specialise themselves and keep their caches between them.
//! What Python sees as `co_code` is computed from them: specialised opcodes go back to their family, caches to zero.

mod constants;
pub mod extra;
pub mod from_bytecode;

pub use from_bytecode::object_of;

use std::borrow::Cow;
use std::cell::Cell;
use std::ffi::c_void;
use std::mem::offset_of;

use taipan_bytecode::line_table::{self, Location};
use taipan_bytecode::opcode::Opcode;
use taipan_object::gc;

use crate::builtins::coroutine_flags as co;
use crate::interpreter::instrument::sites;
use crate::prelude::*;

/// One instruction or cache entry: opcode in the low byte, operand in the high byte.
#[repr(transparent)]
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct CodeUnit(pub u16);

impl CodeUnit {
    /// The opcode. Only for units that are instructions: cache entries hold any number.
    #[inline(always)]
    pub fn opcode(self) -> Opcode {
        // SAFETY: `Code::create` lets no other numbers into instructions, and `set_opcode` writes none.
        unsafe { std::mem::transmute::<u8, Opcode>(self.0 as u8) }
    }

    /// The operand.
    #[inline(always)]
    pub fn oparg(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// Changes the opcode.
    #[inline(always)]
    pub fn set_opcode(&mut self, opcode: Opcode) {
        self.0 = (self.0 & 0xff00) | u16::from(opcode as u8);
    }
}

/// `PyCodeObject`.
#[repr(C)]
#[allow(missing_docs)]
pub struct Code {
    pub ob: VarObject,
    consts: Slot<Tuple>,
    names: Slot<Tuple>,
    exceptiontable: Slot<Bytes>,
    pub flags: Cell<i32>,
    pub argcount: Cell<i32>,
    pub posonlyargcount: Cell<i32>,
    pub kwonlyargcount: Cell<i32>,
    pub stacksize: Cell<i32>,
    pub firstlineno: Cell<i32>,
    nlocalsplus: Cell<i32>,
    framesize: Cell<i32>,
    nlocals: Cell<i32>,
    ncellvars: Cell<i32>,
    nfreevars: Cell<i32>,
    version: Cell<u32>,
    localsplusnames: Slot<Tuple>,
    localspluskinds: Slot<Bytes>,
    filename: Slot<Str>,
    name: Slot<Str>,
    qualname: Slot<Str>,
    linetable: Slot<Bytes>,
    weakrefs: WeakList,
    executors: Cell<*mut c_void>,
    cached: Cell<*mut c_void>,
    instrumentation_version: Cell<usize>,
    monitoring: Cell<*mut c_void>,
    unique_id: Cell<isize>,
    firsttraceable: Cell<i32>,
    /// `co_extra` of the C API.
    pub extra: Cell<*mut c_void>,
    code: [Cell<u16>; 4],
}

const _: () = assert!(size_of::<Code>() == 216 && offset_of!(Code, code) == 208);
const _: () = assert!(offset_of!(Code, flags) == 48 && offset_of!(Code, nfreevars) == 88);
const _: () = assert!(offset_of!(Code, name) == 120 && offset_of!(Code, weakrefs) == 144);

/// Where things lie in a code object, for readers of another process's memory.
#[allow(missing_docs)]
pub mod places {
    use std::mem::offset_of;

    use super::Code;

    pub const FILENAME: usize = offset_of!(Code, filename);
    pub const QUALNAME: usize = offset_of!(Code, qualname);
    pub const LINE_TABLE: usize = offset_of!(Code, linetable);
    /// The first instruction.
    pub const UNITS: usize = offset_of!(Code, code);
}

/// Bits of a byte of `co_localspluskinds`.
#[allow(missing_docs)]
pub mod kind {
    pub const ARG_POS: u8 = 0x02;
    pub const ARG_KW: u8 = 0x04;
    pub const ARG_VAR: u8 = 0x08;
    pub const HIDDEN: u8 = 0x10;
    pub const LOCAL: u8 = 0x20;
    pub const CELL: u8 = 0x40;
    pub const FREE: u8 = 0x80;
}

/// What a code object is made of.
#[allow(missing_docs)]
pub struct CodeParts<'a> {
    pub argcount: i32,
    pub posonlyargcount: i32,
    pub kwonlyargcount: i32,
    pub stacksize: i32,
    pub flags: i32,
    pub firstlineno: i32,
    pub code: Cow<'a, [u8]>,
    pub consts: Ref<Tuple>,
    pub names: Ref<Tuple>,
    pub localsplusnames: Ref<Tuple>,
    pub localspluskinds: Ref<Bytes>,
    pub filename: Ref<Str>,
    pub name: Ref<Str>,
    pub qualname: Ref<Str>,
    pub linetable: Ref<Bytes>,
    pub exceptiontable: Ref<Bytes>,
}

/// The first count of an adaptive cache: it specialises when the instruction has run twice.
const WARMUP: u16 = (1 << 4) | 1;
/// What branches record in their cache: an even mix of both ways.
const BRANCH_HISTORY: u16 = 0x5555;
/// The first count of loops.
const JUMP_BACKWARD_COUNTER: u16 = (4095 << 4) | 12;

/// What an opcode of new code becomes.
struct Fresh {
    opcode: Opcode,
    caches: u8,
    /// What its first cache unit starts with.
    counter: u16,
}

/// By number; those without opcode become one that raises.
static FRESH: [Fresh; 256] = {
    let mut table = [const { Fresh { opcode: Opcode::Reserved, caches: 0, counter: 0 } }; 256];
    let mut number = 0;
    while number < 256 {
        if let Some(opcode) = Opcode::from_u8(number as u8) {
            let opcode = opcode.base();
            let counter = match opcode {
                Opcode::PopJumpIfFalse
                | Opcode::PopJumpIfTrue
                | Opcode::PopJumpIfNone
                | Opcode::PopJumpIfNotNone => BRANCH_HISTORY,
                Opcode::JumpBackward => JUMP_BACKWARD_COUNTER,
                _ => WARMUP,
            };
            #[allow(clippy::indexing_slicing, reason = "below the length of the table")]
            {
                table[number] = Fresh { opcode, caches: opcode.caches() as u8, counter };
            }
        }
        number += 1;
    }
    table
};

/// The number of local variables is that of their names.
fn check_nlocals(nlocals: i32, varnames: &Tuple, vm: &Vm) -> PyResult<()> {
    if usize::try_from(nlocals).is_ok_and(|n| n == varnames.len()) {
        return Ok(());
    }
    Err(vm.value_error("code: co_nlocals != len(co_varnames)"))
}

impl Code {
    /// A code object of checked parts.
    pub fn create(mut parts: CodeParts<'_>, vm: &Vm) -> PyResult<Ref<Code>> {
        if !vm.interp().config.borrow().code_debug_ranges {
            let lines = taipan_bytecode::line_table::without_columns(parts.linetable.as_bytes());
            parts.linetable = vm.new_bytes(&lines);
        }
        let units = parts.code.len() / 2;
        let size = offset_of!(Code, code) + parts.code.len().max(8);
        let kinds = parts.localspluskinds.as_bytes();
        let nlocalsplus = kinds.len() as i32;
        let (mut nlocals, mut ncellvars, mut nfreevars) = (0, 0, 0);
        for one in kinds {
            nlocals += i32::from(one & kind::LOCAL != 0);
            ncellvars += i32::from(one & kind::CELL != 0);
            nfreevars += i32::from(one & kind::FREE != 0);
        }
        let Some(framesize) =
            nlocalsplus.checked_add(parts.stacksize).and_then(|n| n.checked_add(FRAME_SPECIALS))
        else {
            return Err(vm.overflow_error("code: co_stacksize is too large"));
        };
        let tp = Self::type_object();
        let op = gc::allocate(tp, size).cast::<Code>();
        if op.is_null() {
            return Err(vm.memory_error());
        }
        // SAFETY: the memory is large enough for the struct and the code units behind it.
        unsafe {
            op.write(Code {
                ob: VarObject { ob: Object::new(tp), ob_size: Cell::new(units as isize) },
                consts: Slot::of(parts.consts),
                names: Slot::of(parts.names),
                exceptiontable: Slot::of(parts.exceptiontable),
                flags: Cell::new(parts.flags),
                argcount: Cell::new(parts.argcount),
                posonlyargcount: Cell::new(parts.posonlyargcount),
                kwonlyargcount: Cell::new(parts.kwonlyargcount),
                stacksize: Cell::new(parts.stacksize),
                firstlineno: Cell::new(parts.firstlineno),
                nlocalsplus: Cell::new(nlocalsplus),
                framesize: Cell::new(framesize),
                nlocals: Cell::new(nlocals),
                ncellvars: Cell::new(ncellvars),
                nfreevars: Cell::new(nfreevars),
                version: Cell::new(0),
                localsplusnames: Slot::of(parts.localsplusnames),
                localspluskinds: Slot::of(parts.localspluskinds),
                filename: Slot::of(Str::intern(parts.filename, vm)),
                name: Slot::of(parts.name),
                qualname: Slot::of(parts.qualname),
                linetable: Slot::of(parts.linetable),
                weakrefs: WeakList::new(),
                executors: Cell::new(std::ptr::null_mut()),
                cached: Cell::new(std::ptr::null_mut()),
                instrumentation_version: Cell::new(0),
                monitoring: Cell::new(std::ptr::null_mut()),
                unique_id: Cell::new(-1),
                firsttraceable: Cell::new(0),
                extra: Cell::new(std::ptr::null_mut()),
                code: [const { Cell::new(0) }; 4],
            });
            let first = op.cast::<u8>().add(offset_of!(Code, code));
            std::ptr::copy_nonoverlapping(parts.code.as_ptr(), first, parts.code.len());
            let made = Ref::from_raw(op);
            made.quicken();
            Ok(made)
        }
    }

    /// A code object for the runtime's own use, never shown: `bytes` are its instructions.
    pub fn internal(name: &str, bytes: &[u8], stacksize: i32, vm: &Vm) -> Ref<Code> {
        let name = vm.intern(name);
        let parts = CodeParts {
            argcount: 0,
            posonlyargcount: 0,
            kwonlyargcount: 0,
            stacksize,
            flags: co::OPTIMIZED,
            firstlineno: 1,
            code: bytes.into(),
            consts: Tuple::empty(vm),
            names: Tuple::empty(vm),
            localsplusnames: Tuple::empty(vm),
            localspluskinds: vm.new_bytes(&[]),
            filename: name.clone(),
            name: name.clone(),
            qualname: name,
            linetable: vm.new_bytes(&[]),
            exceptiontable: vm.new_bytes(&[]),
        };
        match Self::create(parts, vm) {
            Ok(code) => {
                // Frames of it are never complete, so nothing shows them.
                code.firsttraceable.set(i32::MAX);
                code
            }
            Err(_) => crate::runtime::make::out_of_memory(),
        }
    }

    /// Replaces what is no general opcode, starts the counters of the inline caches, and finds the first instruction that belongs to the source.
    fn quicken(&self) {
        let units = self.len_units();
        let mut traceable = None;
        let mut i = 0;
        while i < units {
            // SAFETY: below the number of units; the object is new, nothing runs it.
            unsafe {
                let unit = self.code_ptr().add(i);
                let Some(fresh) = FRESH.get(usize::from((*unit).0 as u8)) else { break };
                if fresh.opcode == Opcode::Reserved {
                    // Who runs it is told the number.
                    (*unit).0 <<= 8;
                }
                (*unit).set_opcode(fresh.opcode);
                if fresh.opcode == Opcode::Resume && traceable.is_none() {
                    traceable = Some(i);
                }
                let caches = usize::from(fresh.caches);
                if caches > 0 && i + caches < units {
                    (*unit.add(1)).0 = fresh.counter;
                }
                i += 1 + caches;
            }
        }
        self.firsttraceable.set(traceable.unwrap_or(units) as i32);
    }

    /// The number of code units.
    #[inline(always)]
    pub fn len_units(&self) -> usize {
        self.ob.ob_size.get() as usize
    }

    /// The first code unit.
    #[inline(always)]
    pub fn code_ptr(&self) -> *mut CodeUnit {
        std::ptr::from_ref(self).cast_mut().cast::<u8>().wrapping_add(offset_of!(Code, code)).cast()
    }

    /// Locals, cells and free variables.
    #[inline(always)]
    pub fn nlocalsplus(&self) -> usize {
        self.nlocalsplus.get() as usize
    }

    /// Free variables.
    #[inline(always)]
    pub fn nfreevars(&self) -> usize {
        self.nfreevars.get() as usize
    }

    /// `len(co_freevars)`.
    pub fn free_count(&self) -> usize {
        self.nfreevars()
    }

    /// Slots that a frame takes.
    #[inline(always)]
    pub fn framesize(&self) -> usize {
        self.framesize.get() as usize
    }

    /// The unit from which on a frame may be seen.
    #[inline(always)]
    pub fn first_traceable(&self) -> usize {
        self.firsttraceable.get() as usize
    }

    /// Whether arguments are bound one to one: a function body with positional parameters only.
    #[inline(always)]
    pub fn is_simple(&self) -> bool {
        self.flags.get() & (co::OPTIMIZED | co::VARARGS | co::VARKEYWORDS) == co::OPTIMIZED
            && self.kwonlyargcount.get() == 0
    }

    /// `co_consts`.
    pub fn consts(&self) -> &Tuple {
        // SAFETY: a code object has all its parts from its making to its end.
        unsafe { &*self.consts.as_raw() }
    }

    /// `co_names`.
    pub fn names(&self) -> &Tuple {
        // SAFETY: as above.
        unsafe { &*self.names.as_raw() }
    }

    /// The names of locals, cells and free variables.
    pub fn localsplusnames(&self) -> &Tuple {
        // SAFETY: as above.
        unsafe { &*self.localsplusnames.as_raw() }
    }

    /// The kinds of locals, cells and free variables.
    pub fn localspluskinds(&self) -> &[u8] {
        // SAFETY: as above.
        unsafe { (*self.localspluskinds.as_raw()).as_bytes() }
    }

    /// `co_exceptiontable`.
    pub fn exception_table(&self) -> &[u8] {
        // SAFETY: as above.
        unsafe { (*self.exceptiontable.as_raw()).as_bytes() }
    }

    /// `co_linetable`.
    pub fn line_table(&self) -> &[u8] {
        // SAFETY: as above.
        unsafe { (*self.linetable.as_raw()).as_bytes() }
    }

    /// `co_linetable` as an object, which code objects of one compilation may share.
    pub fn line_table_object(&self) -> &Object {
        // SAFETY: as above.
        unsafe { (*self.linetable.as_raw()).as_object() }
    }

    /// `co_exceptiontable` as an object.
    pub fn exception_table_object(&self) -> &Object {
        // SAFETY: as above.
        unsafe { (*self.exceptiontable.as_raw()).as_object() }
    }

    /// `co_name`.
    pub fn name(&self) -> Ref<Str> {
        // SAFETY: as above.
        unsafe { Ref::new_ref(&*self.name.as_raw()) }
    }

    /// `co_qualname`.
    pub fn qualname(&self) -> Ref<Str> {
        // SAFETY: as above.
        unsafe { Ref::new_ref(&*self.qualname.as_raw()) }
    }

    /// `co_filename`.
    pub fn filename(&self) -> Ref<Str> {
        // SAFETY: as above.
        unsafe { Ref::new_ref(&*self.filename.as_raw()) }
    }

    /// `co_filename` and `co_name`, borrowed: for who may not touch reference counts.
    pub fn peek_names(&self) -> (&Str, &Str) {
        // SAFETY: the code owns its names, which are set when it is made; only the file name is ever replaced.
        unsafe { (&*self.filename.as_raw(), &*self.name.as_raw()) }
    }

    /// Gives the code and all code inside it another file name, where it had this code's (`_imp._fix_co_filename`).
    pub fn fix_filename(&self, path: &Str, vm: &Vm) {
        let old = self.filename();
        if !Str::equal(&old, path) {
            self.replace_filename(&old, path, vm);
        }
    }

    fn replace_filename(&self, old: &Str, new: &Str, vm: &Vm) {
        if !Str::equal(&self.filename(), old) {
            return;
        }
        self.filename.put(Ref::new_ref(new));
        for item in self.consts().as_slice() {
            if let Some(inner) = item.downcast_exact::<Code>() {
                inner.replace_filename(old, new, vm);
            }
        }
    }

    /// A constant.
    ///
    /// # Safety
    /// `index` is below the number of constants.
    #[inline(always)]
    pub unsafe fn const_at(&self, index: usize) -> &Object {
        // SAFETY: passed on to the caller.
        unsafe { &**crate::interpreter::raw::tuple_items(self.consts.as_raw().cast()).add(index) }
    }

    /// A name.
    ///
    /// # Safety
    /// `index` is below the number of names.
    #[inline(always)]
    pub unsafe fn name_at<'a>(&self, index: usize) -> &'a Str {
        // SAFETY: passed on to the caller; names are strings.
        unsafe {
            &*(*crate::interpreter::raw::tuple_items(self.names.as_raw().cast()).add(index)).cast::<Str>()
        }
    }

    /// The name of a local, cell or free variable; the empty string when there is none of that number.
    pub fn localsplus_name(&self, index: usize) -> &Str {
        match self.localsplusnames().get(index).and_then(|name| name.downcast_ref::<Str>()) {
            Some(name) => name,
            // SAFETY: `co_name` is a string that lives as long as the code.
            None => unsafe { &*self.name.as_raw() },
        }
    }

    /// The number of the parameter that a keyword names, positional-only ones left out.
    pub fn parameter_index(&self, name: &Str, total: usize) -> Option<usize> {
        let names = self.localsplusnames().as_slice();
        let parameters = names.get(..total)?;
        let first = self.posonlyargcount.get() as usize;
        let candidates = parameters.get(first..)?;
        if let Some(i) = candidates.iter().position(|p| p.is(name.as_object())) {
            return Some(first + i);
        }
        candidates
            .iter()
            .position(|p| p.downcast_ref::<Str>().is_some_and(|p| Str::equal(p, name)))
            .map(|i| first + i)
    }

    /// Where an instruction comes from; `unit` counts code units.
    pub fn location(&self, unit: usize) -> Option<Location> {
        line_table::positions(self.line_table(), self.firstlineno.get()).nth(unit)
    }

    /// The line of an instruction; a frame that has not begun counts as at the first line.
    pub fn line_of(&self, unit: isize) -> Option<i32> {
        match usize::try_from(unit) {
            Ok(unit) => line_table::line_at(self.line_table(), self.firstlineno.get(), unit),
            Err(_) => Some(self.firstlineno.get()),
        }
    }

    /// `line_of` by `tb_lasti`, which counts bytes.
    pub fn line_at(&self, lasti: i32) -> Option<i32> {
        self.line_of(if lasti < 0 { -1 } else { lasti as isize / 2 })
    }

    /// The instructions as compiled: nothing specialised, caches zero.
    pub fn original_code(&self) -> Vec<u8> {
        let units = self.len_units();
        let mut bytes = Vec::with_capacity(units * 2);
        let mut i = 0;
        while i < units {
            // SAFETY: below the number of units.
            let unit = unsafe { *self.code_ptr().add(i) };
            let general = self.base_opcode(i);
            bytes.extend_from_slice(&[general as u8, unit.oparg()]);
            let caches = general.caches().min(units - i - 1);
            bytes.resize(bytes.len() + caches * 2, 0);
            i += 1 + caches;
        }
        bytes
    }

    /// The interpreter's monitoring version that the instructions were brought in line with.
    #[inline(always)]
    pub fn instrumentation_version(&self) -> usize {
        self.instrumentation_version.get()
    }

    /// Sets the version.
    pub fn set_instrumentation_version(&self, version: usize) {
        self.instrumentation_version.set(version);
    }

    /// What is watched in this code (`interpreter::instrument::sites`), or null.
    pub fn monitoring(&self) -> *mut c_void {
        self.monitoring.get()
    }

    /// Sets what is watched; the code owns it.
    pub fn set_monitoring(&self, data: *mut c_void) {
        self.monitoring.set(data);
    }

    /// The general opcode of the instruction at a unit, which is below the number of units.
    pub fn base_opcode(&self, unit: usize) -> Opcode {
        // SAFETY: below the number of units.
        let opcode = unsafe { *self.code_ptr().add(unit) }.opcode();
        match opcode {
            Opcode::InstrumentedLine | Opcode::InstrumentedInstruction => {
                sites::of(self).and_then(|sites| sites.base_at(unit)).unwrap_or(opcode)
            }
            opcode => opcode.base(),
        }
    }

    fn adaptive_code(&self) -> Vec<u8> {
        // SAFETY: below the number of units.
        (0..self.len_units()).flat_map(|i| unsafe { *self.code_ptr().add(i) }.0.to_le_bytes()).collect()
    }

    fn parts(&self, vm: &Vm) -> CodeParts<'static> {
        CodeParts {
            argcount: self.argcount.get(),
            posonlyargcount: self.posonlyargcount.get(),
            kwonlyargcount: self.kwonlyargcount.get(),
            stacksize: self.stacksize.get(),
            flags: self.flags.get(),
            firstlineno: self.firstlineno.get(),
            code: self.original_code().into(),
            consts: Ref::new_ref(self.consts()),
            names: Ref::new_ref(self.names()),
            localsplusnames: Ref::new_ref(self.localsplusnames()),
            localspluskinds: vm.new_bytes(self.localspluskinds()),
            filename: self.filename(),
            name: self.name(),
            qualname: self.qualname(),
            linetable: self.linetable.get().unwrap_or_else(|| vm.new_bytes(&[])),
            exceptiontable: self.exceptiontable.get().unwrap_or_else(|| vm.new_bytes(&[])),
        }
    }

    fn names_of_kind(&self, kind: u8, vm: &Vm) -> Ref<Tuple> {
        let names = self.localsplusnames().as_slice().iter().zip(self.localspluskinds());
        let chosen: Vec<ObjRef> =
            names.filter(|(_, k)| *k & kind != 0).map(|(name, _)| name.clone()).collect();
        vm.new_tuple(chosen)
    }

    /// `co_varnames`.
    pub fn varnames(&self, vm: &Vm) -> Ref<Tuple> {
        self.names_of_kind(kind::LOCAL, vm)
    }

    /// `co_cellvars`.
    pub fn cellvars(&self, vm: &Vm) -> Ref<Tuple> {
        self.names_of_kind(kind::CELL, vm)
    }

    /// `co_freevars`.
    pub fn freevars(&self, vm: &Vm) -> Ref<Tuple> {
        self.names_of_kind(kind::FREE, vm)
    }
}

const FRAME_SPECIALS: i32 = crate::interpreter::frame::FRAME_SPECIALS as i32;

/// Sets the names of `localsplus` from the three tuples that Python shows; gives their kinds.
fn localsplus(
    parts: &mut CodeParts<'_>,
    varnames: &[ObjRef],
    cellvars: &[ObjRef],
    freevars: &[ObjRef],
    vm: &Vm,
) -> PyResult<Vec<u8>> {
    let same = |a: &ObjRef, b: &ObjRef| match (a.downcast_ref::<Str>(), b.downcast_ref::<Str>()) {
        (Some(a), Some(b)) => Str::equal(a, b),
        _ => false,
    };
    let total = parts.argcount + parts.kwonlyargcount;
    let varargs = i32::from(parts.flags & co::VARARGS != 0);
    let varkw = i32::from(parts.flags & co::VARKEYWORDS != 0);
    if total + varargs + varkw > varnames.len() as i32 {
        return Err(vm.value_error("code: co_varnames is too small"));
    }
    let mut names = Vec::new();
    let mut kinds = Vec::new();
    for (i, name) in varnames.iter().enumerate() {
        let i = i as i32;
        let mut bits = kind::LOCAL;
        if cellvars.iter().any(|cell| same(cell, name)) {
            bits |= kind::CELL;
        }
        if i < parts.posonlyargcount {
            bits |= kind::ARG_POS;
        } else if i < parts.argcount {
            bits |= kind::ARG_POS | kind::ARG_KW;
        } else if i < total {
            bits |= kind::ARG_KW;
        } else if i < total + varargs {
            bits |= kind::ARG_VAR | kind::ARG_POS;
        } else if i < total + varargs + varkw {
            bits |= kind::ARG_VAR | kind::ARG_KW;
        }
        names.push(name.clone());
        kinds.push(bits);
    }
    for cell in cellvars {
        if !varnames.iter().any(|name| same(cell, name)) {
            names.push(cell.clone());
            kinds.push(kind::CELL);
        }
    }
    for free in freevars {
        names.push(free.clone());
        kinds.push(kind::FREE);
    }
    parts.localsplusnames = intern_all(&names, vm)?;
    Ok(kinds)
}

/// A tuple of names, each interned. Raises TypeError when one is no string.
fn intern_all(names: &[ObjRef], vm: &Vm) -> PyResult<Ref<Tuple>> {
    let mut interned = Vec::with_capacity(names.len());
    for name in names {
        let Ok(name) = name.clone().downcast::<Str>() else {
            return Err(vm.type_error(format!(
                "name tuples must contain only strings, not '{}'",
                name.ob_type().tp_name_str()
            )));
        };
        interned.push(Str::intern(name, vm).into_object());
    }
    Ok(vm.new_tuple(interned))
}

fn check(parts: &CodeParts<'_>, vm: &Vm) -> PyResult<()> {
    if parts.argcount < 0
        || parts.posonlyargcount < 0
        || parts.kwonlyargcount < 0
        || parts.posonlyargcount > parts.argcount
    {
        return Err(vm.value_error("code: argument counts are out of range"));
    }
    if parts.stacksize < 0 || parts.flags < 0 {
        return Err(vm.value_error("code: stack size and flags must not be negative"));
    }
    if parts.code.len() % 2 != 0 {
        return Err(vm.value_error("code: co_code is malformed"));
    }
    Ok(())
}

/// Create a code object.  Not for the faint of heart.
#[pytype(
    name = "code",
    symbol = "PyCode_Type",
    weakrefs = weakrefs,
    itemsize = 2,
    basicsize = 208,
    members(
        co_argcount: INT = argcount, readonly;
        co_posonlyargcount: INT = posonlyargcount, readonly;
        co_kwonlyargcount: INT = kwonlyargcount, readonly;
        co_stacksize: INT = stacksize, readonly;
        co_flags: INT = flags, readonly;
        co_nlocals: INT = nlocals, readonly;
        co_consts: OBJECT = consts, readonly;
        co_names: OBJECT = names, readonly;
        co_filename: OBJECT = filename, readonly;
        co_name: OBJECT = name, readonly;
        co_qualname: OBJECT = qualname, readonly;
        co_firstlineno: INT = firstlineno, readonly;
        co_linetable: OBJECT = linetable, readonly;
        co_exceptiontable: OBJECT = exceptiontable, readonly;
    )
)]
impl Code {
    #[new(
        "(argcount, posonlyargcount, kwonlyargcount, nlocals, stacksize, flags, codestring, constants, names, varnames, filename, name, qualname, firstlineno, linetable, exceptiontable, freevars=(), cellvars=(), /)"
    )]
    #[allow(clippy::too_many_arguments, reason = "the constructor's signature")]
    fn new(
        _cls: &Type,
        argcount: i32,
        posonlyargcount: i32,
        kwonlyargcount: i32,
        nlocals: i32,
        stacksize: i32,
        flags: i32,
        codestring: &Bytes,
        constants: &Tuple,
        names: &Tuple,
        varnames: &Tuple,
        filename: &Str,
        name: &Str,
        qualname: &Str,
        firstlineno: i32,
        linetable: &Bytes,
        exceptiontable: &Bytes,
        freevars: Option<&Tuple>,
        cellvars: Option<&Tuple>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let mut parts = CodeParts {
            argcount,
            posonlyargcount,
            kwonlyargcount,
            stacksize,
            flags,
            firstlineno,
            code: codestring.as_bytes().into(),
            consts: constants::interned(constants, vm),
            names: intern_all(names.as_slice(), vm)?,
            localsplusnames: Tuple::empty(vm),
            localspluskinds: vm.new_bytes(&[]),
            filename: Ref::new_ref(filename),
            name: Str::intern(Ref::new_ref(name), vm),
            qualname: Str::intern(Ref::new_ref(qualname), vm),
            linetable: Ref::new_ref(linetable),
            exceptiontable: Ref::new_ref(exceptiontable),
        };
        check(&parts, vm)?;
        let none: &[ObjRef] = &[];
        let kinds = localsplus(
            &mut parts,
            varnames.as_slice(),
            cellvars.map_or(none, Tuple::as_slice),
            freevars.map_or(none, Tuple::as_slice),
            vm,
        )?;
        parts.localspluskinds = vm.new_bytes(&kinds);
        check_nlocals(nlocals, varnames, vm)?;
        Ok(Code::create(parts, vm)?.into_object())
    }

    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: the object's count has reached zero; what lies behind the struct owns nothing.
        unsafe {
            crate::builtins::weakref::clear_weakrefs(op);
            extra::release(&*op.cast::<Code>());
            sites::free(&*op.cast::<Code>());
            let size = offset_of!(Code, code) + ((*op.cast::<Code>()).len_units() * 2).max(8);
            std::ptr::drop_in_place(op.cast::<Code>());
            gc::release(Code::type_object(), op, size);
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        Ok(vm.new_str(&format!(
            "<code object {} at {:#x}, file \"{}\", line {}>",
            self.name().to_string_lossy(),
            self.as_object().as_ptr() as usize,
            self.filename().to_string_lossy(),
            match self.firstlineno.get() {
                0 => -1,
                line => line,
            }
        )))
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        let mut hash: u64 = 20_221_211;
        let mut mix = |part: u64| hash = (hash ^ part).wrapping_mul(1_000_003);
        mix(self.name().as_object().hash(vm)? as u64);
        mix(self.consts().as_object().hash(vm)? as u64);
        mix(self.names().as_object().hash(vm)? as u64);
        mix(self.localsplusnames().as_object().hash(vm)? as u64);
        for bytes in [self.line_table(), self.exception_table(), &self.original_code()] {
            mix(vm.new_bytes(bytes).as_object().hash(vm)? as u64);
        }
        for number in [
            self.argcount.get(),
            self.posonlyargcount.get(),
            self.kwonlyargcount.get(),
            self.flags.get(),
            self.firstlineno.get(),
        ] {
            mix(number as u64);
        }
        Ok(if hash == u64::MAX { -2 } else { hash as isize })
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_ref::<Code>() else { return Ok(vm.not_implemented()) };
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(vm.not_implemented());
        }
        let equal = Str::equal(&self.name(), &other.name())
            && self.argcount.get() == other.argcount.get()
            && self.posonlyargcount.get() == other.posonlyargcount.get()
            && self.kwonlyargcount.get() == other.kwonlyargcount.get()
            && self.flags.get() == other.flags.get()
            && self.firstlineno.get() == other.firstlineno.get()
            && self.len_units() == other.len_units()
            && self.original_code() == other.original_code()
            && constants::same(self.consts().as_object(), other.consts().as_object(), vm)?
            && self.names().as_object().eq(other.names().as_object(), vm)?
            && self.localsplusnames().as_object().eq(other.localsplusnames().as_object(), vm)?
            && self.line_table() == other.line_table()
            && self.exception_table() == other.exception_table();
        Ok(vm.new_bool(equal == (op == CompareOp::Eq)))
    }

    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        offset_of!(Code, code) + self.len_units() * 2
    }

    #[method("($self, /)")]
    fn co_lines(&self, vm: &Vm) -> PyResult<ObjRef> {
        let rows: Vec<ObjRef> = line_table::lines(self.line_table(), self.firstlineno.get())
            .map(|(start, end, line)| {
                let row = [vm.new_int(start), vm.new_int(end), optional_int(line, vm)];
                vm.new_tuple(row).into_object()
            })
            .collect();
        vm.new_list(rows).as_object().iter(vm)
    }

    #[method("($self, /)")]
    fn co_positions(&self, vm: &Vm) -> PyResult<ObjRef> {
        let mut rows = Vec::with_capacity(self.len_units());
        for (location, units) in line_table::entries(self.line_table(), self.firstlineno.get()) {
            let row = vm.new_tuple([
                optional_int(location.line, vm),
                optional_int(location.end_line, vm),
                optional_int(location.col, vm),
                optional_int(location.end_col, vm),
            ]);
            for _ in 0..units {
                rows.push(row.clone().into_object());
            }
        }
        vm.new_list(rows).as_object().iter(vm)
    }

    #[method("($self, /)")]
    fn co_branches(&self, vm: &Vm) -> PyResult<ObjRef> {
        let code = self.original_code();
        let mut rows = Vec::new();
        let mut at = 0;
        let mut oparg = 0usize;
        while let Some(&[number, low]) = code.get(at * 2..at * 2 + 2) {
            let opcode = Opcode::from_u8(number).unwrap_or(Opcode::Reserved);
            oparg = (oparg << 8) | usize::from(low);
            let next = at + 1 + opcode.caches();
            let mut source = at;
            let targets = match opcode {
                Opcode::ExtendedArg => {
                    at += 1;
                    continue;
                }
                Opcode::ForIter => Some((next, next + oparg + 2)),
                Opcode::PopJumpIfFalse
                | Opcode::PopJumpIfTrue
                | Opcode::PopJumpIfNone
                | Opcode::PopJumpIfNotNone => Some((next + 1, next + oparg)),
                Opcode::EndAsyncFor => {
                    // The branch is at the END_SEND in front of the loop's body.
                    source = next.saturating_sub(oparg);
                    Some((source + 2, next))
                }
                _ => None,
            };
            if let Some((left, right)) = targets {
                let row = [vm.new_int(source * 2), vm.new_int(left * 2), vm.new_int(right * 2)];
                rows.push(vm.new_tuple(row).into_object());
            }
            oparg = 0;
            at = next;
        }
        vm.new_list(rows).as_object().iter(vm)
    }

    /// Return a copy of the code object with new values for the specified fields.
    #[method("($self, /, **changes)")]
    fn replace(&self, changes: KwArgs<'_>, vm: &Vm) -> PyResult<ObjRef> {
        let mut parts = self.parts(vm);
        let mut varnames = self.varnames(vm);
        let mut cellvars = self.cellvars(vm);
        let mut freevars = self.freevars(vm);
        let mut nlocals = self.nlocals.get();
        for (name, value) in changes.iter() {
            let name = name.to_string_lossy();
            let wrong = |what: &str| {
                vm.type_error(format!(
                    "replace() argument '{name}' must be {what}, not {}",
                    value.ob_type().tp_name_str()
                ))
            };
            let number = || -> PyResult<i32> {
                let number = value.as_isize(vm)?;
                i32::try_from(number)
                    .map_err(|_| vm.overflow_error("Python int too large to convert to C int"))
            };
            let tuple = || value.downcast_ref::<Tuple>().map(Ref::new_ref).ok_or_else(|| wrong("tuple"));
            let text = || value.downcast_ref::<Str>().map(Ref::new_ref).ok_or_else(|| wrong("str"));
            let bytes = || value.downcast_ref::<Bytes>().map(Ref::new_ref).ok_or_else(|| wrong("bytes"));
            match &*name {
                "co_argcount" => parts.argcount = number()?,
                "co_posonlyargcount" => parts.posonlyargcount = number()?,
                "co_kwonlyargcount" => parts.kwonlyargcount = number()?,
                "co_nlocals" => nlocals = number()?,
                "co_stacksize" => parts.stacksize = number()?,
                "co_flags" => parts.flags = number()?,
                "co_firstlineno" => parts.firstlineno = number()?,
                "co_code" => parts.code = bytes()?.as_bytes().to_vec().into(),
                "co_consts" => parts.consts = constants::interned(&*tuple()?, vm),
                "co_names" => parts.names = intern_all(tuple()?.as_slice(), vm)?,
                "co_varnames" => varnames = tuple()?,
                "co_freevars" => freevars = tuple()?,
                "co_cellvars" => cellvars = tuple()?,
                "co_filename" => parts.filename = text()?,
                "co_name" => parts.name = Str::intern(text()?, vm),
                "co_qualname" => parts.qualname = Str::intern(text()?, vm),
                "co_linetable" => parts.linetable = bytes()?,
                "co_exceptiontable" => parts.exceptiontable = bytes()?,
                _ => {
                    return Err(
                        vm.type_error(format!("replace() got an unexpected keyword argument '{name}'"))
                    );
                }
            }
        }
        check(&parts, vm)?;
        check_nlocals(nlocals, &varnames, vm)?;
        // Hidden locals keep their kinds when the names stay the same.
        let mut kinds =
            localsplus(&mut parts, varnames.as_slice(), cellvars.as_slice(), freevars.as_slice(), vm)?;
        let old = self.localspluskinds();
        if kinds.len() == old.len() {
            for (new, old) in kinds.iter_mut().zip(old) {
                *new |= old & kind::HIDDEN;
            }
        }
        parts.localspluskinds = vm.new_bytes(&kinds);
        Ok(Code::create(parts, vm)?.into_object())
    }

    /// The same as replace().
    #[method("($self, /, **changes)")]
    fn __replace__(&self, changes: KwArgs<'_>, vm: &Vm) -> PyResult<ObjRef> {
        self.replace(changes, vm)
    }

    /// (internal-only) Return the local variable name for the given oparg.
    ///
    /// WARNING: this method is for internal use only and may change or go
    /// away.
    #[method("($self, /, oparg)")]
    fn _varname_from_oparg(&self, oparg: usize, vm: &Vm) -> PyResult<ObjRef> {
        match self.localsplusnames().get(oparg) {
            Some(name) => Ok(name.to_ref()),
            None => Err(vm.index_error("tuple index out of range")),
        }
    }

    #[getter]
    fn co_varnames(&self, vm: &Vm) -> Ref<Tuple> {
        self.varnames(vm)
    }

    #[getter]
    fn co_cellvars(&self, vm: &Vm) -> Ref<Tuple> {
        self.cellvars(vm)
    }

    #[getter]
    fn co_freevars(&self, vm: &Vm) -> Ref<Tuple> {
        self.freevars(vm)
    }

    #[getter]
    fn co_code(&self, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(&self.original_code())
    }

    #[getter]
    fn _co_code_adaptive(&self, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(&self.adaptive_code())
    }

    #[getter]
    fn co_lnotab(&self, vm: &Vm) -> PyResult<Ref<Bytes>> {
        crate::builtins::warn::deprecation("co_lnotab is deprecated, use co_lines instead.", vm)?;
        let mut table = Vec::new();
        let mut line = self.firstlineno.get();
        let mut start = 0usize;
        for (at, _, new_line) in line_table::lines(self.line_table(), self.firstlineno.get()) {
            let Some(new_line) = new_line else { continue };
            if new_line == line {
                continue;
            }
            let mut bytes = at - start;
            let mut lines = new_line - line;
            while bytes > 255 {
                table.extend_from_slice(&[255, 0]);
                bytes -= 255;
            }
            while !(-128..=127).contains(&lines) {
                let part = lines.clamp(-128, 127);
                table.extend_from_slice(&[bytes as u8, part as i8 as u8]);
                bytes = 0;
                lines -= part;
            }
            table.extend_from_slice(&[bytes as u8, lines as i8 as u8]);
            line = new_line;
            start = at;
        }
        Ok(vm.new_bytes(&table))
    }
}

fn optional_int(value: Option<i32>, vm: &Vm) -> ObjRef {
    value.map_or_else(|| vm.none(), |value| vm.new_int(value))
}
