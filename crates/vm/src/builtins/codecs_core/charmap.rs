//! Codecs by table: `codecs.charmap_decode`, `charmap_encode`, `charmap_build`.

use super::errors::{Decoding, Encoding, Outcome};
use super::narrow;
use crate::builtins::str::StrBuilder;
use crate::prelude::*;

const UNDEFINED: &str = "character maps to <undefined>";

/// Decodes by a table: a str subscripted with the byte, or anything with `__getitem__`; Latin-1 without one.
pub fn decode(
    data: &[u8],
    source: Option<&Bytes>,
    errors: &str,
    mapping: Option<&Object>,
    vm: &Vm,
) -> PyResult<Ref<Str>> {
    let Some(mapping) = mapping else { return Str::try_from_latin1(data, vm) };
    let mut out = StrBuilder::new();
    out.reserve(data.len(), vm)?;
    let mut decoding = Decoding::new("charmap", errors, data, source);
    if let Some(table) = mapping.downcast_exact::<Str>() {
        let table = table.data();
        decoding.run(
            0,
            &mut out,
            |input, at, out| {
                for (index, &byte) in input.get(at..).unwrap_or(&[]).iter().enumerate() {
                    match table.get(byte.into()) {
                        Some(code) if code != 0xFFFE => out.push_char(code),
                        _ => {
                            let start = at + index;
                            return Ok(Outcome::Fail { start, end: start + 1, reason: UNDEFINED });
                        }
                    }
                }
                Ok(Outcome::Done(input.len()))
            },
            vm,
        )?;
        return out.try_finish(vm);
    }
    decoding.run(
        0,
        &mut out,
        |input, at, out| {
            for (index, &byte) in input.get(at..).unwrap_or(&[]).iter().enumerate() {
                if !push_mapped(byte, mapping, out, vm)? {
                    let start = at + index;
                    return Ok(Outcome::Fail { start, end: start + 1, reason: UNDEFINED });
                }
            }
            Ok(Outcome::Done(input.len()))
        },
        vm,
    )?;
    out.try_finish(vm)
}

/// Looks a byte up and appends what it stands for; whether it stands for anything.
fn push_mapped(byte: u8, mapping: &Object, out: &mut StrBuilder, vm: &Vm) -> PyResult<bool> {
    let value = match mapping.get_item(&vm.new_int(byte), vm) {
        Ok(value) => value,
        Err(Raised) if vm.exception_matches(types::lookup_error()) => {
            vm.clear_exception();
            return Ok(false);
        }
        Err(Raised) => return Err(Raised),
    };
    if vm.is_none(&value) {
        return Ok(false);
    }
    if let Some(int) = value.downcast_ref::<Int>() {
        return match int.to_i64() {
            Some(0xFFFE) => Ok(false),
            Some(code @ 0..0x11_0000) => {
                out.push_char(code as u32);
                Ok(true)
            }
            _ => Err(vm.type_error("character mapping must be in range(0x110000)")),
        };
    }
    let Some(text) = value.downcast_ref::<Str>() else {
        return Err(vm.type_error("character mapping must return integer, None or str"));
    };
    if text.len() == 1 && text.char_at(0) == Some(0xFFFE) {
        return Ok(false);
    }
    out.push(text);
    Ok(true)
}

/// Looks a character up and appends the bytes it becomes; whether there are any.
fn push_encoded(code: u32, mapping: &Object, out: &mut Vec<u8>, vm: &Vm) -> PyResult<bool> {
    if let Some(map) = mapping.downcast_exact::<EncodingMap>() {
        let byte = map.byte_of(code);
        out.extend(byte);
        return Ok(byte.is_some());
    }
    let value = match mapping.get_item(&vm.new_int(code), vm) {
        Ok(value) => value,
        Err(Raised) if vm.exception_matches(types::lookup_error()) => {
            vm.clear_exception();
            return Ok(false);
        }
        Err(Raised) => return Err(Raised),
    };
    if vm.is_none(&value) {
        return Ok(false);
    }
    if let Some(int) = value.downcast_ref::<Int>() {
        let Some(byte) = int.to_i64().and_then(|n| u8::try_from(n).ok()) else {
            return Err(vm.type_error("character mapping must be in range(256)"));
        };
        out.push(byte);
        return Ok(true);
    }
    if let Some(bytes) = value.downcast_ref::<Bytes>() {
        out.extend_from_slice(bytes.as_bytes());
        return Ok(true);
    }
    Err(vm.type_error(format!(
        "character mapping must return integer, bytes or None, not {}",
        value.ob_type().name()
    )))
}

/// Encodes by a table: what `charmap_build` made, or anything with `__getitem__`; Latin-1 without one.
pub fn encode(text: &Str, errors: &str, mapping: Option<&Object>, vm: &Vm) -> PyResult<Ref<Bytes>> {
    let Some(mapping) = mapping else { return narrow::encode_latin1(text, errors, vm) };
    let mut out = Vec::new();
    out.try_reserve(text.len()).map_err(|_| vm.memory_error())?;
    Encoding::new("charmap", errors, text).run(
        &mut out,
        |text, at, out| {
            let data = text.data();
            for (index, code) in data.slice(at, data.len()).iter().enumerate() {
                if push_encoded(code, mapping, out, vm)? {
                    continue;
                }
                // All characters up to the next that can be encoded fail together.
                let start = at + index;
                let mut end = start + 1;
                let mut scratch = Vec::new();
                while let Some(code) = data.get(end) {
                    if push_encoded(code, mapping, &mut scratch, vm)? {
                        break;
                    }
                    end += 1;
                }
                return Ok(Outcome::Fail { start, end, reason: UNDEFINED });
            }
            Ok(Outcome::Done(data.len()))
        },
        |code, out| push_encoded(code, mapping, out, vm),
        1,
        vm,
    )?;
    Bytes::try_from_slice(&out, vm)
}

/// What `codecs.charmap_build` makes of a decoding table: pairs of character and byte in order of characters.
#[repr(C)]
#[derive(Traverse)]
pub struct EncodingMap {
    ob: Object,
    #[traverse(skip)]
    pairs: Box<[(u32, u8)]>,
}

impl EncodingMap {
    fn byte_of(&self, code: u32) -> Option<u8> {
        let at = self.pairs.binary_search_by_key(&code, |pair| pair.0).ok()?;
        self.pairs.get(at).map(|pair| pair.1)
    }
}

#[pytype(name = "EncodingMap", symbol = "EncodingMapType", base = Object, no_new)]
impl EncodingMap {
    /// Return the size of the table in bytes.
    #[method("($self, /)")]
    fn size(&self) -> usize {
        size_of::<EncodingMap>() + self.pairs.len() * size_of::<(u32, u8)>()
    }
}

/// `codecs.charmap_build`: the table for encoding that belongs to a table for decoding.
pub fn build(table: &Str, vm: &Vm) -> PyResult<ObjRef> {
    // Only a whole table that keeps NUL where it is becomes a compact map.
    if table.len() < 256 || table.char_at(0) != Some(0) {
        let map = vm.new_dict();
        for (byte, code) in (0..256u32).zip(table.data().iter()) {
            map.set_item(&vm.new_int(code), &vm.new_int(byte), vm)?;
        }
        return Ok(map.into_object());
    }
    let mut pairs: Vec<(u32, u8)> = Vec::with_capacity(256);
    for (byte, code) in (0..=255u8).zip(table.data().iter()) {
        if code != 0xFFFE {
            pairs.push((code, byte));
        }
    }
    // Of several bytes for one character the last one counts.
    pairs.sort_by_key(|pair| (pair.0, std::cmp::Reverse(pair.1)));
    pairs.dedup_by_key(|pair| pair.0);
    Ok(vm
        .new_object(EncodingMap {
            ob: Object::new(EncodingMap::type_object()),
            pairs: pairs.into_boxed_slice(),
        })
        .into_object())
}
