//! Str objects (C API manual, "Unicode Objects"): making, reading and taking apart; codecs are in `codec.rs`.

use std::ffi::{CStr, c_char, c_int, c_void};

use taipan_object::alloc;
use taipan_vm::builtins::codecs_core;
use taipan_vm::builtins::str::{self as strings, Str};
use taipan_vm::prelude::*;
use taipan_vm::protocols::path;

use crate::support::*;

/// The str that C code means, or `TypeError`.
pub fn text<'a>(object: Option<&'a Object>, vm: &Vm) -> PyResult<&'a Str> {
    match object.and_then(Object::downcast_ref::<Str>) {
        Some(text) => Ok(text),
        None => Err(vm.type_error("bad argument type for built-in operation")),
    }
}

/// A str argument named in messages.
fn must_be_str<'a>(object: &'a Object, vm: &Vm) -> PyResult<&'a Str> {
    object
        .downcast_ref::<Str>()
        .ok_or_else(|| vm.type_error(format!("must be str, not {}", object.ob_type().name())))
}

/// `wchar_t` text; a negative length means up to NUL.
///
/// # Safety
/// `data` has that many units, or ends with NUL.
pub unsafe fn from_wide(data: *const u32, length: isize, vm: &Vm) -> PyResult<Ref<Str>> {
    // SAFETY: the caller's promise.
    unsafe {
        if data.is_null() {
            return if length == 0 { Ok(Str::empty()) } else { Err(bad_internal_call(vm)) };
        }
        let length = usize::try_from(length).unwrap_or_else(|_| libc::wcslen(data.cast()));
        let units = std::slice::from_raw_parts(data, length);
        if let Some(bad) = units.iter().find(|&&code| code > 0x10_ffff) {
            return Err(vm.value_error(format!("character U+{bad:x} is not in range [U+0000; U+10ffff]")));
        }
        Str::try_from_code_points(units, vm)
    }
}

/// Code points with a final NUL in memory of C's.
fn copy_units(text: &Str, vm: &Vm) -> PyResult<*mut u32> {
    let block = alloc::raw_malloc((text.len() + 1).saturating_mul(4)).cast::<u32>();
    if block.is_null() {
        return Err(vm.memory_error());
    }
    // SAFETY: the block has room for all units and the NUL.
    unsafe {
        for (index, code) in text.data().iter().enumerate() {
            *block.add(index) = code;
        }
        *block.add(text.len()) = 0;
    }
    Ok(block)
}

/// A str that C code will fill: of zeros until then.
fn unfilled(length: usize, max_char: u32, vm: &Vm) -> PyResult<Ref<Str>> {
    if length == 0 {
        return Ok(Str::empty());
    }
    let max_char = max_char.min(0x10_ffff);
    // SAFETY: C code fills the units.
    let made = unsafe { Str::try_allocate(length, max_char, vm)? };
    // SAFETY: the new str has that many units.
    unsafe { made.data_ptr().write_bytes(0, length * made.kind().width()) };
    Ok(made)
}

/// `start` and `end` as C gives them, within the text.
fn range(text: &Str, start: isize, end: isize) -> (usize, usize) {
    let len = signed(text.len());
    let fit = |at: isize| if at < 0 { (at + len).max(0) } else { at.min(len) } as usize;
    (fit(start), fit(end))
}

fn write_unit(text: &Str, index: usize, code: u32) {
    let data = text.data_ptr();
    // SAFETY: the index has been checked against the length, and the data is `kind` bytes a unit.
    unsafe {
        match text.kind().width() {
            1 => *data.add(index) = code as u8,
            2 => *data.cast::<u16>().add(index) = code as u16,
            _ => *data.cast::<u32>().add(index) = code,
        }
    }
}

fn writable(text: &Str, vm: &Vm) -> PyResult<()> {
    if text.as_object().is_unique() && text.cached_hash() == -1 && !text.is_interned() {
        return Ok(());
    }
    Err(vm.system_error("Cannot modify a string currently used"))
}

/// Compares with Latin-1 text.
fn compare_ascii(text: &Str, other: &CStr) -> c_int {
    let order = text.data().iter().cmp(other.to_bytes().iter().map(|&byte| u32::from(byte)));
    order as c_int
}

fn call_str(object: &Object, method: &str, args: &[&Object], vm: &Vm) -> PyResult {
    object.call_method(&vm.intern(method), args, vm)
}

capi! {
    fn PyUnicode_New(vm, length: isize, max_char: u32) -> PyResult<Ref<Str>> {
        let length = usize::try_from(length)
            .map_err(|_| vm.system_error("Negative size passed to PyUnicode_New"))?;
        if max_char > 0x10_ffff {
            return Err(vm.system_error("invalid maximum character passed to PyUnicode_New"));
        }
        unfilled(length, max_char, vm)
    }

    fn PyUnicode_FromString(vm, text: &CStr) -> PyResult<Ref<Str>> {
        decode_utf8(text.to_bytes(), vm)
    }

    fn PyUnicode_FromStringAndSize(vm, data: *const c_char, length: isize) -> PyResult<Ref<Str>> {
        let length = usize::try_from(length)
            .map_err(|_| vm.system_error("Negative size passed to PyUnicode_FromStringAndSize"))?;
        if data.is_null() && length > 0 {
            return Err(vm.system_error("NULL string with positive size with NULL passed to PyUnicode_FromStringAndSize"));
        }
        decode_utf8(bytes_at(data.cast(), length), vm)
    }

    fn PyUnicode_FromKindAndData(vm, kind: c_int, data: *const c_void, length: isize) -> PyResult<Ref<Str>> {
        let length = usize::try_from(length).map_err(|_| vm.value_error("size must be positive"))?;
        if length == 0 {
            return Ok(Str::empty());
        }
        match kind {
            1 => Str::try_from_latin1(bytes_at(data, length), vm),
            2 => Ok(Str::from_units(std::slice::from_raw_parts(data.cast::<u16>(), length), vm)),
            4 => Str::try_from_code_points(std::slice::from_raw_parts(data.cast::<u32>(), length), vm),
            _ => Err(vm.system_error("invalid kind")),
        }
    }

    fn PyUnicode_FromWideChar(vm, data: *const u32, length: isize) -> PyResult<Ref<Str>> {
        from_wide(data, length, vm)
    }

    fn PyUnicode_FromOrdinal(vm, code: c_int) -> PyResult<Ref<Str>> {
        match u32::try_from(code).ok().filter(|&code| code < 0x11_0000) {
            Some(code) => Ok(Str::from_char(code, vm)),
            None => Err(vm.value_error("chr() arg not in range(0x110000)")),
        }
    }

    fn PyUnicode_FromObject(vm, object: &Object) -> PyResult<Ref<Str>> {
        match object.downcast_ref::<Str>() {
            Some(text) => Ok(Str::exact(text, vm)),
            None => Err(vm.type_error(format!("Can't convert '{}' object to str implicitly", object.ob_type().name()))),
        }
    }

    fn PyUnicode_InternFromString(vm, text: &CStr) -> PyResult<Ref<Str>> {
        Ok(Str::intern(decode_utf8(text.to_bytes(), vm)?, vm))
    }

    fn PyUnicode_InternInPlace(vm, place: *mut Ptr) -> Void {
        let Some(text) = (*place).as_ref().and_then(Object::downcast_exact::<Str>) else { return Void };
        let interned = Str::intern(text.into(), vm);
        let old = std::mem::replace(&mut *place, interned.into_object().into_raw());
        taipan_object::object::decref(old);
        Void
    }

    fn PyUnicode_InternImmortal(vm, place: *mut Ptr) -> Void {
        let Some(text) = (*place).as_ref().and_then(Object::downcast_exact::<Str>) else { return Void };
        let interned = Str::intern_immortal(text.into(), vm);
        let old = std::mem::replace(&mut *place, interned.into_object().into_raw());
        taipan_object::object::decref(old);
        Void
    }

    fn PyUnicode_IsIdentifier(vm, object: &Object) -> bool {
        object.downcast_ref::<Str>().is_some_and(Str::is_identifier)
    }

    fn PyUnicode_GetSize(vm, _object: *mut Object) -> PyResult<isize> {
        Err(vm.runtime_error("this function has been removed."))
    }

    fn PyUnicode_GetLength(vm, object: Option<&Object>) -> PyResult<isize> {
        Ok(signed(text(object, vm)?.len()))
    }

    fn PyUnicode_KIND(vm, object: &Object) -> c_int {
        object.downcast_ref::<Str>().map_or(0, |text| text.kind() as c_int)
    }

    fn PyUnicode_DATA(vm, object: &Object) -> *mut c_void {
        object.downcast_ref::<Str>().map_or(std::ptr::null_mut(), |text| text.data_ptr().cast())
    }

    fn PyUnicode_ReadChar(vm, object: Option<&Object>, index: isize) -> PyResult<u32> {
        let text = text(object, vm)?;
        usize::try_from(index)
            .ok()
            .and_then(|index| text.char_at(index))
            .ok_or_else(|| vm.index_error("string index out of range"))
    }

    fn PyUnicode_WriteChar(vm, object: Option<&Object>, index: isize, code: u32) -> PyResult<()> {
        let text = text(object, vm)?;
        let index = usize::try_from(index).ok().filter(|&index| index < text.len());
        let Some(index) = index else { return Err(vm.index_error("string index out of range")) };
        writable(text, vm)?;
        let limit = if text.is_ascii() { 0x7f } else { [0xff, 0xffff, 0x10_ffff][text.kind().width() / 2] };
        if code > limit {
            return Err(vm.value_error("character out of range"));
        }
        write_unit(text, index, code);
        Ok(())
    }

    fn PyUnicode_CopyCharacters(vm, to: &Object, to_start: isize, from: &Object, from_start: isize, count: isize) -> PyResult<isize> {
        let (to, from) = (text(Some(to), vm)?, text(Some(from), vm)?);
        let (Ok(to_start), Ok(from_start)) = (usize::try_from(to_start), usize::try_from(from_start)) else {
            return Err(vm.index_error("string index out of range"));
        };
        if from_start > from.len() || to_start > to.len() {
            return Err(vm.index_error("string index out of range"));
        }
        let count = usize::try_from(count).map_err(|_| vm.system_error("how_many cannot be negative"))?;
        let count = count.min(from.len() - from_start);
        if to_start + count > to.len() {
            return Err(vm.system_error(format!(
                "Cannot write {count} characters at {to_start} in a string of {} characters", to.len()
            )));
        }
        if count == 0 {
            return Ok(0);
        }
        writable(to, vm)?;
        for offset in 0..count {
            write_unit(to, to_start + offset, from.char_at(from_start + offset).unwrap_or(0));
        }
        Ok(signed(count))
    }

    fn PyUnicode_Fill(vm, object: &Object, start: isize, length: isize, code: u32) -> PyResult<isize> {
        let text = text(Some(object), vm)?;
        writable(text, vm)?;
        let start = usize::try_from(start).map_err(|_| vm.index_error("string index out of range"))?;
        let length = usize::try_from(length).unwrap_or(0).min(text.len().saturating_sub(start));
        for index in start..start + length {
            write_unit(text, index, code);
        }
        Ok(signed(length))
    }

    fn PyUnicode_Resize(vm, place: *mut Ptr, length: isize) -> PyResult<()> {
        let old = text((*place).as_ref(), vm)?;
        let length = size(length, vm)?;
        if old.len() == length {
            return Ok(());
        }
        let max_char = if old.is_ascii() { 0x7f } else { [0xff, 0xffff, 0x10_ffff][old.kind().width() / 2] };
        let made = unfilled(length, max_char, vm)?;
        for index in 0..old.len().min(length) {
            write_unit(&made, index, old.char_at(index).unwrap_or(0));
        }
        let old = std::mem::replace(&mut *place, made.into_object().into_raw());
        taipan_object::object::decref(old);
        Ok(())
    }

    fn PyUnicode_Substring(vm, object: Option<&Object>, start: isize, end: isize) -> PyResult<Ref<Str>> {
        let text = text(object, vm)?;
        let (Ok(start), Ok(end)) = (usize::try_from(start), usize::try_from(end)) else {
            return Err(vm.index_error("string index out of range"));
        };
        let end = end.min(text.len());
        if start >= end {
            return Ok(Str::empty());
        }
        text.slice(start, end, vm)
    }

    fn PyUnicode_AsUCS4(vm, object: Option<&Object>, buffer: *mut u32, length: isize, copy_null: c_int) -> PyResult<*mut u32> {
        let text = text(object, vm)?;
        let room = size(length, vm)?;
        let needed = text.len() + usize::from(copy_null != 0);
        if room < needed {
            return Err(vm.system_error("string is longer than the buffer"));
        }
        for (index, code) in text.data().iter().enumerate() {
            *buffer.add(index) = code;
        }
        if copy_null != 0 {
            *buffer.add(text.len()) = 0;
        }
        Ok(buffer)
    }

    fn PyUnicode_AsUCS4Copy(vm, object: Option<&Object>) -> PyResult<*mut u32> {
        copy_units(text(object, vm)?, vm)
    }

    fn PyUnicode_AsWideChar(vm, object: Option<&Object>, buffer: *mut u32, length: isize) -> PyResult<isize> {
        let text = text(object, vm)?;
        if buffer.is_null() {
            return Ok(signed(text.len() + 1));
        }
        let room = size(length, vm)?;
        for (index, code) in text.data().iter().take(room).enumerate() {
            *buffer.add(index) = code;
        }
        if room > text.len() {
            *buffer.add(text.len()) = 0;
        }
        Ok(signed(text.len().min(room)))
    }

    fn PyUnicode_AsWideCharString(vm, object: Option<&Object>, length: *mut isize) -> PyResult<*mut u32> {
        let text = text(object, vm)?;
        if length.is_null() {
            if text.data().iter().any(|code| code == 0) {
                return Err(vm.value_error("embedded null character"));
            }
        } else {
            *length = signed(text.len());
        }
        copy_units(text, vm)
    }

    fn PyUnicode_AsUTF8(vm, object: Option<&Object>) -> PyResult<*const c_char> {
        Ok(text(object, vm)?.to_utf8(vm)?.as_ptr().cast())
    }

    fn PyUnicode_AsUTF8AndSize(vm, object: Option<&Object>, length: *mut isize) -> PyResult<*const c_char> {
        let utf8 = text(object, vm)?.to_utf8(vm)?;
        if !length.is_null() {
            *length = signed(utf8.len());
        }
        Ok(utf8.as_ptr().cast())
    }

    fn PyUnicode_Concat(vm, a: &Object, b: &Object) -> PyResult<Ref<Str>> {
        let left = must_be_str(a, vm)?;
        let Some(right) = b.downcast_ref::<Str>() else {
            return Err(vm.type_error(format!("can only concatenate str (not \"{}\") to str", b.ob_type().name())));
        };
        left.concat(right, vm)
    }

    fn PyUnicode_Append(vm, place: *mut Ptr, other: Option<&Object>) -> Void {
        let left = (*place).as_ref().and_then(Object::downcast_ref::<Str>);
        let joined = match (left, other.and_then(Object::downcast_ref::<Str>)) {
            (Some(left), Some(right)) => left.concat(right, vm).ok(),
            _ => {
                if !vm.has_exception() {
                    bad_internal_call(vm);
                }
                None
            }
        };
        let new = joined.map_or(std::ptr::null_mut(), |text| text.into_object().into_raw());
        taipan_object::object::xdecref(std::mem::replace(&mut *place, new));
        Void
    }

    fn PyUnicode_AppendAndDel(vm, place: *mut Ptr, other: Option<ObjRef>) -> Void {
        let left = (*place).as_ref().and_then(Object::downcast_ref::<Str>);
        let joined = match (left, other.as_ref().and_then(|o| o.downcast_ref::<Str>())) {
            (Some(left), Some(right)) => left.concat(right, vm).ok(),
            _ => None,
        };
        let new = joined.map_or(std::ptr::null_mut(), |text| text.into_object().into_raw());
        taipan_object::object::xdecref(std::mem::replace(&mut *place, new));
        Void
    }

    fn PyUnicode_Join(vm, separator: Option<&Object>, items: &Object) -> PyResult<Ref<Str>> {
        let separator = match separator {
            Some(separator) => must_be_str(separator, vm)?.into(),
            None => vm.new_str(" "),
        };
        Str::join_items(&separator, &items.collect_iterable(vm)?, vm)
    }

    fn _PyUnicode_JoinArray(vm, separator: &Object, items: *const Ptr, count: isize) -> PyResult<Ref<Str>> {
        let items: Vec<ObjRef> = objects_at(items, size(count, vm)?).iter().map(|item| item.to_ref()).collect();
        Str::join_items(must_be_str(separator, vm)?, &items, vm)
    }

    fn PyUnicode_Split(vm, object: &Object, separator: Option<&Object>, limit: isize) -> PyResult {
        call_str(object, "split", &[separator.unwrap_or(vm.none_ref()), &vm.new_int(limit)], vm)
    }

    fn PyUnicode_RSplit(vm, object: &Object, separator: Option<&Object>, limit: isize) -> PyResult {
        call_str(object, "rsplit", &[separator.unwrap_or(vm.none_ref()), &vm.new_int(limit)], vm)
    }

    fn PyUnicode_Splitlines(vm, object: &Object, keep_ends: c_int) -> PyResult<Ref<List>> {
        must_be_str(object, vm)?.lines(keep_ends != 0, vm)
    }

    fn PyUnicode_Partition(vm, object: &Object, separator: &Object) -> PyResult {
        call_str(object, "partition", &[separator], vm)
    }

    fn PyUnicode_RPartition(vm, object: &Object, separator: &Object) -> PyResult {
        call_str(object, "rpartition", &[separator], vm)
    }

    fn PyUnicode_Translate(vm, object: &Object, table: &Object, errors: Option<&CStr>) -> PyResult {
        call_str(object, "translate", &[table], vm)
    }

    fn PyUnicode_Format(vm, format: &Object, args: &Object) -> PyResult<Ref<Str>> {
        strings::percent::format(must_be_str(format, vm)?, args, vm)
    }

    fn PyUnicode_Replace(vm, object: &Object, old: &Object, new: &Object, limit: isize) -> PyResult<Ref<Str>> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        must_be_str(object, vm)?.replace_str(must_be_str(old, vm)?, must_be_str(new, vm)?, limit, vm)
    }

    fn PyUnicode_Contains(vm, object: &Object, part: &Object) -> PyResult<bool> {
        let Some(part) = part.downcast_ref::<Str>() else {
            return Err(vm.type_error(format!(
                "'in <string>' requires string as left operand, not {}", part.ob_type().name()
            )));
        };
        Ok(must_be_str(object, vm)?.contains_str(part))
    }

    fn PyUnicode_Find(vm, object: &Object, part: &Object, start: isize, end: isize, direction: c_int) -> isize {
        let (Ok(text), Ok(part)) = (must_be_str(object, vm), must_be_str(part, vm)) else { return -2 };
        let (start, end) = range(text, start, end);
        let found = if direction > 0 { text.position(part, start, end) } else { text.last_position(part, start, end) };
        found.map_or(-1, signed)
    }

    fn PyUnicode_FindChar(vm, object: &Object, code: u32, start: isize, end: isize, direction: c_int) -> isize {
        let Ok(text) = must_be_str(object, vm) else { return -2 };
        let (start, end) = range(text, start, end);
        let mut places = start..end;
        let is_there = |at: &usize| text.char_at(*at) == Some(code);
        let found = if direction > 0 { places.find(is_there) } else { places.rev().find(is_there) };
        found.map_or(-1, signed)
    }

    fn PyUnicode_Count(vm, object: &Object, part: &Object, start: isize, end: isize) -> PyResult<isize> {
        let (text, part) = (must_be_str(object, vm)?, must_be_str(part, vm)?);
        let (start, end) = range(text, start, end);
        if start > end {
            return Ok(0);
        }
        Ok(signed(strings::search::count(text.data().slice(start, end), part.data())))
    }

    fn PyUnicode_Tailmatch(vm, object: &Object, part: &Object, start: isize, end: isize, direction: c_int) -> PyResult<isize> {
        let (text, part) = (must_be_str(object, vm)?, must_be_str(part, vm)?);
        let (start, end) = range(text, start, end);
        if start > end {
            return Ok(0);
        }
        let within = text.data().slice(start, end);
        let matches = if direction > 0 {
            strings::search::ends_with(within, part.data())
        } else {
            strings::search::starts_with(within, part.data())
        };
        Ok(isize::from(matches))
    }

    fn PyUnicode_Compare(vm, a: Option<&Object>, b: Option<&Object>) -> PyResult<c_int> {
        match (a.and_then(Object::downcast_ref::<Str>), b.and_then(Object::downcast_ref::<Str>)) {
            (Some(a), Some(b)) => Ok(Str::compare(a, b) as c_int),
            _ => {
                let shown = |o: Option<&Object>| o.map_or("NULL".to_owned(), |o| o.ob_type().name().to_owned());
                Err(vm.type_error(format!("Can't compare {} and {}", shown(a), shown(b))))
            }
        }
    }

    fn PyUnicode_CompareWithASCIIString(vm, object: &Object, other: &CStr) -> c_int {
        object.downcast_ref::<Str>().map_or(-1, |text| compare_ascii(text, other))
    }

    fn PyUnicode_EqualToUTF8(vm, object: &Object, other: &CStr) -> bool {
        object.downcast_ref::<Str>().is_some_and(|text| {
            std::str::from_utf8(other.to_bytes()).is_ok_and(|other| text.eq_str(other))
        })
    }

    fn PyUnicode_EqualToUTF8AndSize(vm, object: &Object, other: *const c_char, length: isize) -> bool {
        let other = bytes_at(other.cast(), usize::try_from(length).unwrap_or(0));
        object
            .downcast_ref::<Str>()
            .is_some_and(|text| std::str::from_utf8(other).is_ok_and(|other| text.eq_str(other)))
    }

    fn _PyUnicode_EqualToASCIIString(vm, object: &Object, other: &CStr) -> bool {
        object.downcast_ref::<Str>().is_some_and(|text| compare_ascii(text, other) == 0)
    }


    fn PyUnicode_Equal(vm, a: &Object, b: &Object) -> PyResult<bool> {
        match (a.downcast_ref::<Str>(), b.downcast_ref::<Str>()) {
            (Some(a), Some(b)) => Ok(Str::equal(a, b)),
            (Some(_), None) => Err(vm.type_error(format!("second argument must be str, not {}", b.ob_type().name()))),
            _ => Err(vm.type_error(format!("first argument must be str, not {}", a.ob_type().name()))),
        }
    }

    fn _PyUnicode_Equal(vm, a: &Object, b: &Object) -> bool {
        match (a.downcast_ref::<Str>(), b.downcast_ref::<Str>()) {
            (Some(a), Some(b)) => Str::equal(a, b),
            _ => false,
        }
    }

    fn PyUnicode_RichCompare(vm, a: &Object, b: &Object, op: c_int) -> PyResult {
        match (a.downcast_ref::<Str>(), b.downcast_ref::<Str>()) {
            (Some(_), Some(_)) => a.rich_compare(b, CompareOp::from_c(op), vm),
            _ => Ok(vm.not_implemented()),
        }
    }

    fn PyUnicode_FSConverter(vm, object: Option<&Object>, place: *mut c_void) -> c_int {
        let place = place.cast::<Ptr>();
        let Some(object) = object else {
            taipan_object::object::xdecref(std::mem::replace(&mut *place, std::ptr::null_mut()));
            return 1;
        };
        let encoded = path::fspath(object, vm).and_then(|path| match path.downcast_ref::<Str>() {
            Some(text) => path::encode(text, vm).map(|bytes| vm.new_bytes(&bytes).into_object()),
            None => Ok(path.clone()),
        });
        let Ok(encoded) = encoded else { return 0 };
        if encoded.downcast_ref::<Bytes>().is_some_and(|bytes| bytes.as_bytes().contains(&0)) {
            vm.value_error("embedded null byte");
            return 0;
        }
        *place = encoded.into_raw();
        0x20000
    }

    fn PyUnicode_FSDecoder(vm, object: Option<&Object>, place: *mut c_void) -> c_int {
        let place = place.cast::<Ptr>();
        let Some(object) = object else {
            taipan_object::object::xdecref(std::mem::replace(&mut *place, std::ptr::null_mut()));
            return 1;
        };
        let decoded = path::fspath(object, vm).map(|path| match path.downcast_ref::<Bytes>() {
            Some(bytes) => path::decode(bytes.as_bytes(), vm).into_object(),
            None => path.clone(),
        });
        let Ok(decoded) = decoded else { return 0 };
        if decoded.downcast_ref::<Str>().is_some_and(|text| text.data().iter().any(|code| code == 0)) {
            vm.value_error("embedded null character");
            return 0;
        }
        *place = decoded.into_raw();
        0x20000
    }

    fn PyUnicode_DecodeFSDefault(vm, text: &CStr) -> Ref<Str> {
        path::decode(text.to_bytes(), vm)
    }

    fn PyUnicode_DecodeFSDefaultAndSize(vm, data: *const c_char, length: isize) -> PyResult<Ref<Str>> {
        Ok(path::decode(bytes_at(data.cast(), size(length, vm)?), vm))
    }

    fn PyUnicode_DecodeLocale(vm, text: &CStr, errors: Option<&CStr>) -> PyResult<Ref<Str>> {
        let errors = errors.map_or("strict".into(), lossy);
        codecs_core::utf8::decode(text.to_bytes(), None, &errors, true, vm).map(|decoded| decoded.0)
    }

    fn PyUnicode_DecodeLocaleAndSize(vm, data: *const c_char, length: isize, errors: Option<&CStr>) -> PyResult<Ref<Str>> {
        let errors = errors.map_or("strict".into(), lossy);
        codecs_core::utf8::decode(bytes_at(data.cast(), size(length, vm)?), None, &errors, true, vm).map(|d| d.0)
    }

    fn PyUnicode_EncodeLocale(vm, object: &Object, errors: Option<&CStr>) -> PyResult<Ref<Bytes>> {
        let errors = errors.map_or("strict".into(), lossy);
        codecs_core::utf8::encode(must_be_str(object, vm)?, &errors, vm)
    }

    fn PyUnicode_EncodeFSDefault(vm, object: &Object) -> PyResult<Ref<Bytes>> {
        let bytes = path::encode(must_be_str(object, vm)?, vm)?;
        Ok(vm.new_bytes(&bytes))
    }

    fn PyUnicode_GetDefaultEncoding(vm) -> *const c_char {
        c"utf-8".as_ptr()
    }
}
