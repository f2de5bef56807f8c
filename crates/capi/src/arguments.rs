//! Parsing arguments (C API manual, "Parsing arguments and building values"): the core behind the `PyArg_Parse` family.

use std::ffi::{CStr, c_char, c_double, c_int, c_void};

use taipan_object::alloc;
use taipan_vm::builtins::codecs_core;
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::{get_view, release_view};

use crate::long::{as_mask, as_signed};
use crate::support::*;
use crate::units::Units;
use crate::va_list::{Args, VaList};

/// `Py_CLEANUP_SUPPORTED`.
const CLEANUP_SUPPORTED: c_int = 0x20000;
const PYBUF_SIMPLE: i32 = 0;
const PYBUF_WRITABLE: i32 = 1;

type Converter = unsafe extern "C" fn(Ptr, *mut c_void) -> c_int;

/// Why an argument is refused: an exception is set already, or this text completes "argument 1 …".
enum Refusal {
    Set,
    Text(String),
}

impl From<Raised> for Refusal {
    fn from(_: Raised) -> Self {
        Refusal::Set
    }
}

/// What must be undone when a later argument fails.
enum Undo {
    Memory(*mut *mut c_char),
    View(*mut PyBuffer),
    Converter(Converter, *mut c_void),
}

struct Parser<'f> {
    units: Units<'f>,
    undo: Vec<Undo>,
    /// The positions in nested sequences that lead to the item being converted.
    levels: Vec<usize>,
}

fn refuse(expected: &str, arg: &Object) -> Refusal {
    // SAFETY: called on an attached thread.
    let none = unsafe { Vm::current() }.is_none(arg);
    let found = if none { "None" } else { arg.ob_type().tp_name_str() };
    let found: String = found.chars().take(50).collect();
    Refusal::Text(format!("must be {expected}, not {found}"))
}

impl Parser<'_> {
    /// Undoes what succeeded arguments hold.
    fn roll_back(&mut self) {
        for undo in self.undo.drain(..) {
            // SAFETY: the places are the caller's variables, filled by this parser.
            unsafe {
                match undo {
                    Undo::Memory(place) => {
                        alloc::raw_free((*place).cast());
                        *place = std::ptr::null_mut();
                    }
                    Undo::View(view) => release_view(&mut *view),
                    Undo::Converter(convert, place) => {
                        convert(std::ptr::null_mut(), place);
                    }
                }
            }
        }
    }

    /// One unit of the format, which may be a bracket of units.
    fn item(&mut self, arg: &Object, vm: &Vm) -> Result<(), Refusal> {
        if self.units.accept(b'(') { self.sequence(arg, vm) } else { self.simple(arg, vm) }
    }

    fn sequence(&mut self, arg: &Object, vm: &Vm) -> Result<(), Refusal> {
        let start = self.units.at;
        let count = self.count_units(b')');
        self.units.at = start;
        let found = arg.ob_type();
        let is_sequence = taipan_vm::protocols::container::is_sequence(arg);
        if !is_sequence || found.has_flag(TypeFlags::UNICODE_SUBCLASS | TypeFlags::BYTES_SUBCLASS) {
            let shown = if vm.is_none(arg) { "None" } else { found.tp_name_str() };
            return Err(Refusal::Text(format!("must be {count}-item tuple, not {shown}")));
        }
        let length = arg.length(vm)?;
        if length != count {
            let kind = if found.has_flag(TypeFlags::TUPLE_SUBCLASS) { "tuple" } else { "sequence" };
            return Err(Refusal::Text(format!("must be {kind} of length {count}, not {length}")));
        }
        for index in 0..count {
            let item = taipan_vm::protocols::container::sequence_item(arg, signed(index), vm)?;
            self.levels.push(index + 1);
            self.item(&item, vm)?;
            self.levels.pop();
        }
        self.units.accept(b')');
        Ok(())
    }

    /// Units up to `end` at this level.
    fn count_units(&mut self, end: u8) -> usize {
        let mut count = 0;
        let mut depth = 0_usize;
        while self.units.at < self.units.format.len() {
            let byte = self.units.take();
            match byte {
                b'(' => {
                    if depth == 0 {
                        count += 1;
                    }
                    depth += 1;
                }
                b')' if depth == 0 && end == b')' => break,
                b')' => depth = depth.saturating_sub(1),
                b':' | b';' => break,
                b'e' if depth == 0 => {
                    count += 1;
                    self.units.at += 1;
                }
                byte if depth == 0 && byte.is_ascii_alphabetic() => count += 1,
                _ => {}
            }
        }
        count
    }

    fn text(&mut self, arg: &Object, nullable: bool, bytes: bool, vm: &Vm) -> Result<(), Refusal> {
        let none = nullable && vm.is_none(arg);
        if self.units.accept(b'*') {
            let view = self.units.args.place::<PyBuffer>();
            // SAFETY: the format says that the argument points to a Py_buffer of the caller's.
            let target = unsafe { &mut *view };
            if none {
                *target = taipan_vm::protocols::buffer::empty_view();
            } else if let (false, Some(text)) = (bytes, arg.downcast_ref::<Str>()) {
                let utf8 = text.to_utf8(vm)?;
                let data = utf8.as_ptr().cast_mut();
                taipan_vm::protocols::buffer::fill_info(
                    target,
                    arg,
                    data,
                    utf8.len(),
                    true,
                    PYBUF_SIMPLE,
                    vm,
                )?;
            } else {
                *target = taipan_vm::protocols::buffer::empty_view();
                get_view(arg, target, PYBUF_SIMPLE, vm)?;
            }
            self.undo.push(Undo::View(view));
            return Ok(());
        }
        let place = self.units.args.place::<*const c_char>();
        if self.units.accept(b'#') {
            let length = self.units.args.place::<isize>();
            let (data, len) = if none {
                (std::ptr::null(), 0)
            } else if let (false, Some(text)) = (bytes, arg.downcast_ref::<Str>()) {
                let utf8 = text.to_utf8(vm)?;
                (utf8.as_ptr().cast(), utf8.len())
            } else {
                read_only(arg, vm)?
            };
            // SAFETY: the format says that the arguments point to variables of these types.
            unsafe {
                *place = data;
                *length = signed(len);
            }
            return Ok(());
        }
        let (data, len) = if none {
            (std::ptr::null(), 0)
        } else if bytes {
            let (data, len) = read_only_bytes(arg, vm)?;
            // SAFETY: the memory that the object has just shown.
            if unsafe { bytes_at(data.cast(), len) }.contains(&0) {
                return Err(vm.value_error("embedded null byte").into());
            }
            (data, len)
        } else if let Some(text) = arg.downcast_ref::<Str>() {
            let utf8 = text.to_utf8(vm)?;
            if utf8.as_bytes().contains(&0) {
                return Err(vm.value_error("embedded null character").into());
            }
            (utf8.as_ptr().cast(), utf8.len())
        } else {
            return Err(refuse(if nullable { "str or None" } else { "str" }, arg));
        };
        let _ = len;
        // SAFETY: the format says that the argument points to a variable of this type.
        unsafe { *place = data };
        Ok(())
    }

    /// `es`, `et`, `es#` and `et#`.
    fn encoded(&mut self, arg: &Object, vm: &Vm) -> Result<(), Refusal> {
        let pass_bytes = match self.units.take() {
            b's' => false,
            b't' => true,
            _ => return Err(Refusal::Text("(unknown parser marker combination)".into())),
        };
        let encoding = self.units.args.text();
        // SAFETY: the format says that an encoding's name, or null, was passed.
        let encoding: Option<&CStr> = unsafe { FromC::from_c(encoding) };
        let encoding = encoding.map_or("utf-8".into(), lossy);
        let place = self.units.args.place::<*mut c_char>();
        let length = self.units.accept(b'#').then(|| self.units.args.place::<isize>());
        let holder;
        let data: &[u8] = if let (true, Some(bytes)) = (pass_bytes, arg.downcast_ref::<Bytes>()) {
            bytes.as_bytes()
        } else if let (true, Some(bytes)) = (pass_bytes, arg.downcast_ref::<ByteArray>()) {
            bytes.as_bytes()
        } else if let Some(text) = arg.downcast_ref::<Str>() {
            holder = codecs_core::encode_str(text, &encoding, "strict", vm)?;
            match holder.downcast_ref::<Bytes>() {
                Some(bytes) => bytes.as_bytes(),
                None => return Err(Refusal::Text("(encoder failed to return bytes)".into())),
            }
        } else {
            return Err(refuse(if pass_bytes { "str, bytes or bytearray" } else { "str" }, arg));
        };
        if length.is_none() && data.contains(&0) {
            return Err(refuse("encoded string without null bytes", arg));
        }
        // SAFETY: the format says that the arguments point to a text pointer and a length; a block that is not null is the
        // caller's, of at least that length, or has just been allocated for the data and the final NUL.
        unsafe {
            let own = length.is_none() || (*place).is_null();
            if own {
                let block = alloc::raw_malloc(data.len() + 1);
                if block.is_null() {
                    return Err(vm.memory_error().into());
                }
                *place = block.cast();
                self.undo.push(Undo::Memory(place));
            } else if let Some(length) = length {
                if signed(data.len()) + 1 > *length {
                    return Err(vm
                        .value_error(format!(
                            "encoded string too long ({}, maximum length {})",
                            data.len(),
                            *length - 1
                        ))
                        .into());
                }
            }
            std::ptr::copy_nonoverlapping(data.as_ptr(), (*place).cast(), data.len());
            *(*place).add(data.len()) = 0;
            if let Some(length) = length {
                *length = signed(data.len());
            }
        }
        Ok(())
    }

    fn simple(&mut self, arg: &Object, vm: &Vm) -> Result<(), Refusal> {
        let unit = self.units.take();
        macro_rules! store {
            ($t:ty, $value:expr) => {{
                let value = $value;
                let place = self.units.args.place::<$t>();
                // SAFETY: the format says that the argument points to a variable of this type.
                unsafe { *place = value };
            }};
        }
        macro_rules! checked {
            ($t:ty, $what:literal) => {{
                let place = self.units.args.place::<$t>();
                let value = as_signed(arg, vm)?;
                let value = <$t>::try_from(value).map_err(|_| {
                    let side = if value < 0 { "less than minimum" } else { "greater than maximum" };
                    vm.overflow_error(format!(concat!($what, " integer is {}"), side))
                })?;
                // SAFETY: the format says that the argument points to a variable of this type.
                unsafe { *place = value };
            }};
        }
        match unit {
            b's' => self.text(arg, false, false, vm)?,
            b'z' => self.text(arg, true, false, vm)?,
            b'y' => self.text(arg, false, true, vm)?,
            b'e' => self.encoded(arg, vm)?,
            b'b' => checked!(u8, "unsigned byte"),
            b'h' => checked!(i16, "signed short"),
            b'i' => checked!(i32, "signed"),
            b'l' => store!(i64, as_signed(arg, vm)?),
            b'L' => store!(i64, as_signed(arg, vm)?),
            b'B' => store!(u8, as_mask(arg, vm)? as u8),
            b'H' => store!(u16, as_mask(arg, vm)? as u16),
            b'I' => store!(u32, as_mask(arg, vm)? as u32),
            b'k' | b'K' => {
                if !arg.has_index() {
                    self.units.args.pointer();
                    return Err(refuse("int", arg));
                }
                store!(u64, as_mask(arg, vm)?);
            }
            b'n' => store!(isize, arg.as_isize(vm)?),
            b'c' => {
                let one = |data: &[u8], what: &str| match data {
                    [byte] => Ok(*byte as c_char),
                    other => Err(Refusal::Text(format!(
                        "must be a byte string of length 1, not a {what} object of length {}",
                        other.len()
                    ))),
                };
                let byte = if let Some(bytes) = arg.downcast_ref::<Bytes>() {
                    one(bytes.as_bytes(), "bytes")
                } else if let Some(bytes) = arg.downcast_ref::<ByteArray>() {
                    one(bytes.as_bytes(), "bytearray")
                } else {
                    Err(refuse("a byte string of length 1", arg))
                };
                store!(c_char, byte?);
            }
            b'C' => {
                let Some(text) = arg.downcast_ref::<Str>() else {
                    return Err(refuse("a unicode character", arg));
                };
                match (text.len(), text.char_at(0)) {
                    (1, Some(code)) => store!(c_int, code as c_int),
                    (length, _) => {
                        return Err(Refusal::Text(format!(
                            "must be a unicode character, not a string of length {length}"
                        )));
                    }
                }
            }
            b'f' => store!(f32, arg.as_f64(vm)? as f32),
            b'd' => store!(c_double, arg.as_f64(vm)?),
            b'D' => {
                let (re, im) = crate::float::complex_of(arg, vm)?;
                store!([c_double; 2], [re, im]);
            }
            b'S' => self.exact::<Bytes>(arg, "bytes")?,
            b'Y' => self.exact::<ByteArray>(arg, "bytearray")?,
            b'U' => self.exact::<Str>(arg, "str")?,
            b'p' => store!(c_int, c_int::from(arg.is_true(vm)?)),
            b'w' => {
                if !self.units.accept(b'*') {
                    return Err(Refusal::Text("(invalid use of 'w' format character)".into()));
                }
                let view = self.units.args.place::<PyBuffer>();
                // SAFETY: the format says that the argument points to a Py_buffer of the caller's.
                let target = unsafe { &mut *view };
                *target = taipan_vm::protocols::buffer::empty_view();
                if get_view(arg, target, PYBUF_WRITABLE, vm).is_err() {
                    vm.clear_exception();
                    return Err(refuse("read-write bytes-like object", arg));
                }
                self.undo.push(Undo::View(view));
            }
            b'O' => {
                if self.units.accept(b'!') {
                    // SAFETY: `O!` passes a type.
                    let tp: &Type = unsafe { &*self.units.args.place::<Type>() };
                    let place = self.units.args.place::<Ptr>();
                    if !arg.ob_type().is_subtype_of(tp) {
                        return Err(refuse(tp.tp_name_str(), arg));
                    }
                    // SAFETY: `O!` passes a pointer to an object variable.
                    unsafe { *place = arg.as_ptr() };
                } else if self.units.accept(b'&') {
                    let convert = self.units.args.pointer();
                    let place = self.units.args.pointer();
                    // SAFETY: `O&` passes a function pointer of this type, or null.
                    let convert = unsafe { std::mem::transmute::<*mut c_void, Option<Converter>>(convert) };
                    let Some(convert) = convert else {
                        return Err(Refusal::Text("(unspecified)".into()));
                    };
                    // SAFETY: the caller's function takes an object and the place passed with it.
                    let status = unsafe { convert(arg.as_ptr(), place) };
                    if status == 0 {
                        return if vm.has_exception() {
                            Err(Refusal::Set)
                        } else {
                            Err(Refusal::Text("(unspecified)".into()))
                        };
                    }
                    if status == CLEANUP_SUPPORTED {
                        self.undo.push(Undo::Converter(convert, place));
                    }
                } else {
                    store!(Ptr, arg.as_ptr());
                }
            }
            _ => {
                return Err(vm.system_error("impossible<bad format char>: in argument format").into());
            }
        }
        Ok(())
    }

    fn exact<T: PyLayout>(&mut self, arg: &Object, name: &str) -> Result<(), Refusal> {
        let place = self.units.args.place::<Ptr>();
        if arg.downcast_ref::<T>().is_none() {
            return Err(refuse(name, arg));
        }
        // SAFETY: the caller's variable.
        unsafe { *place = arg.as_ptr() };
        Ok(())
    }

    /// Passes over one unit whose argument is absent.
    fn skip(&mut self) {
        match self.units.take() {
            b'(' => {
                while self.units.at < self.units.format.len() && !self.units.accept(b')') {
                    self.skip();
                }
            }
            b'e' => {
                self.units.take();
                self.units.args.pointer();
                self.units.args.pointer();
                if self.units.accept(b'#') {
                    self.units.args.pointer();
                }
            }
            b's' | b'z' | b'y' | b'w' => {
                self.units.args.pointer();
                if !self.units.accept(b'*') && self.units.accept(b'#') {
                    self.units.args.pointer();
                }
            }
            b'O' => {
                self.units.args.pointer();
                if self.units.accept(b'!') || self.units.accept(b'&') {
                    self.units.args.pointer();
                }
            }
            _ => {
                self.units.args.pointer();
            }
        }
    }

    /// Tells the caller's mistake with the argument's place in front.
    fn report(&self, refusal: Refusal, position: Option<usize>, shape: &Shape<'_>, vm: &Vm) {
        let Refusal::Text(text) = refusal else { return };
        if vm.has_exception() {
            return;
        }
        if let Some(message) = shape.message {
            vm.type_error(message);
            return;
        }
        let mut place = String::new();
        if let Some(function) = shape.function {
            place.push_str(function);
            place.push_str("() ");
        }
        place.push_str("argument");
        if let Some(position) = position {
            place.push_str(&format!(" {position}"));
            for level in &self.levels {
                place.push_str(&format!(", item {}", level - 1));
            }
        }
        let wrong_format = text.starts_with('(');
        let text = format!("{place} {text}");
        if wrong_format {
            vm.system_error(text)
        } else {
            vm.type_error(text)
        };
    }
}

/// A read-only buffer's memory, which lives as long as the object.
fn read_only(arg: &Object, vm: &Vm) -> Result<(*const c_char, usize), Refusal> {
    if let Some(bytes) = arg.downcast_ref::<Bytes>() {
        let data = bytes.as_bytes();
        return Ok((data.as_ptr().cast(), data.len()));
    }
    let releases = arg.ob_type().as_buffer().is_some_and(|b| b.bf_releasebuffer.get().is_some());
    if releases || !taipan_vm::protocols::buffer::has_buffer(arg) {
        return Err(refuse("read-only bytes-like object", arg));
    }
    let buffer = arg.get_buffer(PYBUF_SIMPLE, vm)?;
    let data = buffer.as_bytes();
    Ok((data.as_ptr().cast(), data.len()))
}

/// `y`: bytes-like without a length.
fn read_only_bytes(arg: &Object, vm: &Vm) -> Result<(*const c_char, usize), Refusal> {
    if !taipan_vm::protocols::buffer::has_buffer(arg) {
        return Err(refuse("bytes-like object", arg));
    }
    read_only(arg, vm)
}

/// What a format says about the whole: counts, and the names for messages.
struct Shape<'f> {
    units: &'f [u8],
    min: usize,
    max: usize,
    /// Units before `$`.
    positional: usize,
    function: Option<&'f str>,
    message: Option<&'f str>,
}

fn shape(format: &[u8]) -> Shape<'_> {
    let tail = |mark: u8| {
        let at = format.iter().position(|&byte| byte == mark)?;
        std::str::from_utf8(format.get(at + 1..)?).ok()
    };
    let function = tail(b':');
    let message = tail(b';');
    let end = format.iter().position(|byte| matches!(byte, b':' | b';')).unwrap_or(format.len());
    let units = format.get(..end).unwrap_or(format);
    let (mut min, mut max, mut positional, mut depth) = (None, 0, None, 0_usize);
    let mut skip_next = false;
    for &byte in units {
        if std::mem::take(&mut skip_next) {
            continue;
        }
        match byte {
            b'(' => {
                if depth == 0 {
                    max += 1;
                }
                depth += 1;
            }
            b')' => depth = depth.saturating_sub(1),
            b'|' if depth == 0 => min = Some(max),
            b'$' if depth == 0 => positional = Some(max),
            b'e' if depth == 0 => {
                max += 1;
                skip_next = true;
            }
            byte if depth == 0 && byte.is_ascii_alphabetic() => max += 1,
            _ => {}
        }
    }
    Shape { units, min: min.unwrap_or(max), max, positional: positional.unwrap_or(max), function, message }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// The core of `PyArg_ParseTuple` and `PyArg_Parse`.
#[unsafe(no_mangle)]
unsafe extern "C" fn taipan_parse(
    object: Ptr,
    tuple: c_int,
    format: *const c_char,
    args: *mut VaList,
) -> c_int {
    // SAFETY: C code calls from an attached thread with live objects and a format that fits its arguments.
    unsafe {
        let vm = Vm::current();
        let format = <&CStr>::from_c(format).to_bytes();
        let shape = shape(format);
        let mut parser =
            Parser { units: Units::new(shape.units, Args::new(args)), undo: Vec::new(), levels: Vec::new() };
        let one;
        let items: &[&Object] = if tuple == 0 {
            if shape.max == 1 && !object.is_null() {
                one = [&*object];
                &one
            } else {
                vm.system_error("old style getargs format uses new features");
                return 0;
            }
        } else {
            match object.as_ref().and_then(Object::downcast_ref::<Tuple>) {
                Some(tuple) => taipan_vm::protocols::native::borrow_all(tuple.as_slice()),
                None => {
                    vm.system_error("new style getargs format but argument is not a tuple");
                    return 0;
                }
            }
        };
        let given = items.len();
        if given < shape.min || given > shape.max {
            let text = match shape.message {
                Some(message) => message.to_owned(),
                None => {
                    let bound = if given < shape.min { shape.min } else { shape.max };
                    let how = if shape.min == shape.max {
                        "exactly"
                    } else if given < shape.min {
                        "at least"
                    } else {
                        "at most"
                    };
                    let function =
                        shape.function.map_or_else(|| "function".to_owned(), |name| format!("{name}()"));
                    format!("{function} takes {how} {bound} argument{} ({given} given)", plural(bound))
                }
            };
            vm.type_error(text);
            return 0;
        }
        for (index, item) in items.iter().enumerate() {
            while parser.units.accept(b'|') || parser.units.accept(b'$') {}
            if let Err(refusal) = parser.item(item, vm) {
                let position = (tuple != 0).then_some(index + 1);
                parser.report(refusal, position, &shape, vm);
                parser.roll_back();
                return 0;
            }
        }
        1
    }
}

/// The core of `PyArg_ParseTupleAndKeywords`.
#[unsafe(no_mangle)]
unsafe extern "C" fn taipan_parse_keywords(
    object: Ptr,
    keywords: Ptr,
    format: *const c_char,
    names: *const *const c_char,
    args: *mut VaList,
) -> c_int {
    // SAFETY: as for `taipan_parse`; `names` ends with null.
    unsafe {
        let vm = Vm::current();
        let Some(tuple) = object.as_ref().and_then(Object::downcast_ref::<Tuple>) else {
            bad_internal_call(vm);
            return 0;
        };
        let dict = keywords.as_ref().and_then(Object::downcast_ref::<Dict>);
        if names.is_null() || (!keywords.is_null() && dict.is_none()) {
            bad_internal_call(vm);
            return 0;
        }
        let mut known: Vec<&CStr> = Vec::new();
        while let Some(name) = <Option<&CStr>>::from_c(*names.add(known.len())) {
            known.push(name);
        }
        let format = <&CStr>::from_c(format).to_bytes();
        let shape = shape(format);
        match parse_keywords(tuple, dict, &known, &shape, Args::new(args), vm) {
            Ok(()) => 1,
            Err(Raised) => 0,
        }
    }
}

fn parse_keywords(
    tuple: &Tuple,
    dict: Option<&Dict>,
    known: &[&CStr],
    shape: &Shape<'_>,
    args: Args,
    vm: &Vm,
) -> PyResult<()> {
    let function = shape.function.map_or_else(|| "function".to_owned(), |name| format!("{name}()"));
    let positional_only = known.iter().take_while(|name| name.is_empty()).count();
    let given = tuple.len();
    let given_by_name = dict.map_or(0, Dict::len);
    let total = known.len();
    if total > shape.max {
        return Err(vm.system_error(format!(
            "more keyword list entries ({total}) than format specifiers ({})",
            shape.max
        )));
    }
    if given + given_by_name > total {
        let kind = if given == 0 { "keyword " } else { "" };
        return Err(vm.type_error(format!(
            "{function} takes at most {total} {kind}argument{} ({} given)",
            plural(total),
            given + given_by_name
        )));
    }
    if given > shape.positional {
        let max = shape.positional;
        if max == 0 {
            return Err(vm.type_error(format!("{function} takes no positional arguments")));
        }
        let how = if shape.min < total { "at most" } else { "exactly" };
        return Err(vm.type_error(format!(
            "{function} takes {how} {max} positional argument{} ({given} given)",
            plural(max)
        )));
    }
    if given < positional_only.min(shape.min) {
        let least = positional_only.min(shape.min);
        let how = if least < positional_only { "at least" } else { "exactly" };
        return Err(vm.type_error(format!(
            "{function} takes {how} {least} positional argument{} ({given} given)",
            plural(least)
        )));
    }
    let mut parser = Parser { units: Units::new(shape.units, args), undo: Vec::new(), levels: Vec::new() };
    let mut left = given_by_name;
    // Values found by name are kept until all are converted; the dict holds them for longer.
    let mut found_by_name: Vec<ObjRef> = Vec::new();
    for (index, keyword) in known.iter().enumerate() {
        while parser.units.accept(b'|') || parser.units.accept(b'$') {}
        let value = if let Some(item) = tuple.get(index) {
            if index >= positional_only && left > 0 {
                if let Some(dict) = dict {
                    if dict.get_str(&*name(keyword, vm)?, vm)?.is_some() {
                        parser.roll_back();
                        return Err(vm.type_error(format!(
                            "argument for {function} given by name ('{}') and position ({})",
                            lossy(keyword),
                            index + 1
                        )));
                    }
                }
            }
            Some(item)
        } else if let (Some(dict), true) = (dict.filter(|_| left > 0), index >= positional_only) {
            match dict.get_str(&*name(keyword, vm)?, vm) {
                Ok(Some(value)) => {
                    left -= 1;
                    found_by_name.push(value);
                    found_by_name.last().map(|value| &**value)
                }
                Ok(None) => None,
                Err(Raised) => {
                    parser.roll_back();
                    return Err(Raised);
                }
            }
        } else {
            None
        };
        match value {
            Some(value) => {
                if let Err(refusal) = parser.item(value, vm) {
                    parser.report(refusal, Some(index + 1), shape, vm);
                    parser.roll_back();
                    return Err(Raised);
                }
            }
            None if index < shape.min => {
                parser.roll_back();
                if index < positional_only {
                    return Err(vm.type_error(format!(
                        "{function} takes at least {} positional argument{} ({given} given)",
                        positional_only.min(shape.min),
                        plural(positional_only.min(shape.min))
                    )));
                }
                return Err(vm.type_error(format!(
                    "{function} missing required argument '{}' (pos {})",
                    lossy(keyword),
                    index + 1
                )));
            }
            None => parser.skip(),
        }
    }
    // Units beyond the names are a mistake, unless all of them are optional.
    let rest = shape.units.get(parser.units.at..).unwrap_or_default();
    if rest.first().is_some_and(|byte| !matches!(byte, b'|' | b'$')) {
        parser.roll_back();
        return Err(vm.system_error(format!(
            "more argument specifiers than keyword list entries (remaining format:'{}')",
            String::from_utf8_lossy(rest)
        )));
    }
    if left > 0 {
        if let Some(dict) = dict {
            for key in dict.keys_vec() {
                let Some(text) = key.downcast_ref::<Str>() else {
                    parser.roll_back();
                    return Err(vm.type_error("keywords must be strings"));
                };
                let text = text.to_string_lossy();
                let is_known =
                    known.iter().skip(positional_only).any(|name| name.to_bytes() == text.as_bytes());
                if !is_known {
                    parser.roll_back();
                    return Err(unexpected_keyword(shape, &text, known, vm));
                }
            }
        }
    }
    Ok(())
}

/// Tells of a keyword that is none, with the name that was perhaps meant.
fn unexpected_keyword(shape: &Shape<'_>, text: &str, known: &[&CStr], vm: &Vm) -> Raised {
    let function = shape.function.map_or_else(|| "this function".to_owned(), |name| format!("{name}()"));
    let names: Vec<_> = known.iter().filter(|name| !name.is_empty()).map(|name| lossy(name)).collect();
    let candidates = names.iter().map(|name| &**name);
    let hint = match taipan_vm::exceptions::suggestions::suggest(text, candidates) {
        Some(name) => format!(". Did you mean '{name}'?"),
        None => String::new(),
    };
    vm.type_error(format!("{function} got an unexpected keyword argument '{text}'{hint}"))
}

/// The core of `PyArg_UnpackTuple`.
#[unsafe(no_mangle)]
unsafe extern "C" fn taipan_unpack(
    object: Ptr,
    name: *const c_char,
    min: isize,
    max: isize,
    args: *mut VaList,
) -> c_int {
    // SAFETY: C code gives a tuple and `max` places.
    unsafe {
        let vm = Vm::current();
        let Some(tuple) = object.as_ref().and_then(Object::downcast_ref::<Tuple>) else {
            vm.system_error("PyArg_UnpackTuple() argument list is not a tuple");
            return 0;
        };
        let given = signed(tuple.len());
        if given < min || given > max {
            let name = <Option<&CStr>>::from_c(name).map(lossy);
            let bound = if given < min { min } else { max };
            let how = match (min == max, given < min) {
                (true, _) => "",
                (false, true) => "at least ",
                (false, false) => "at most ",
            };
            let plural = if bound == 1 { "" } else { "s" };
            let text = match name {
                Some(name) => format!("{name} expected {how}{bound} argument{plural}, got {given}"),
                None => {
                    format!("unpacked tuple should have {how}{bound} element{plural}, but has {given}")
                }
            };
            vm.type_error(text);
            return 0;
        }
        let mut args = Args::new(args);
        for item in tuple.as_slice() {
            *args.place::<Ptr>() = item.as_raw();
        }
        1
    }
}

capi! {
    fn PyArg_ValidateKeywordArguments(vm, keywords: &Object) -> c_int {
        let Some(dict) = keywords.downcast_ref::<Dict>() else {
            bad_internal_call(vm);
            return 0;
        };
        if dict.keys_vec().iter().any(|key| key.downcast_ref::<Str>().is_none()) {
            vm.type_error("keywords must be strings");
            return 0;
        }
        1
    }
}
