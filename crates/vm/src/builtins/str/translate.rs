//! `str.translate` and `str.maketrans`.

use super::StrBuilder;
use crate::exceptions::unicode_error;
use crate::prelude::*;

/// What a table says of a character.
enum Mapped {
    Same,
    Delete,
    Char(u32),
    Text(Ref<Str>),
}

/// Looks a character up, through `__getitem__`; `LookupError` leaves it as it is.
fn look_up(table: &Object, code: u32, vm: &Vm) -> PyResult<Mapped> {
    let key = vm.new_int(code);
    let value = match table.get_item(&key, vm) {
        Ok(value) => value,
        Err(Raised) if vm.exception_matches(types::lookup_error()) => {
            vm.clear_exception();
            return Ok(Mapped::Same);
        }
        Err(Raised) => return Err(Raised),
    };
    if vm.is_none(&value) {
        return Ok(Mapped::Delete);
    }
    if let Some(int) = value.downcast_ref::<Int>() {
        return match int.to_i64().and_then(|n| u32::try_from(n).ok()).filter(|&c| c <= 0x10_FFFF) {
            Some(code) => Ok(Mapped::Char(code)),
            None => Err(vm.value_error("character mapping must be in range(0x110000)")),
        };
    }
    match value.downcast::<Str>() {
        Ok(text) => Ok(Mapped::Text(text)),
        Err(_) => Err(vm.type_error("character mapping must return integer, None or str")),
    }
}

/// `text.translate(table)`.
pub fn translate(text: &Str, table: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
    let mut out = StrBuilder::new();
    out.reserve(text.len(), vm)?;
    let mut changed = false;
    // What the table said of ASCII characters that map to ASCII characters, or nothing (255: not asked yet,
    // 254: deleted). Tables are asked once for each character.
    let mut known = [255u8; 128];
    let exact_ascii = text.is_ascii();
    for code in text.data().iter() {
        if exact_ascii {
            match known.get(code as usize).copied() {
                Some(254) => {
                    changed = true;
                    continue;
                }
                Some(ascii @ 0..128) => {
                    changed |= u32::from(ascii) != code;
                    out.push_char(ascii.into());
                    continue;
                }
                _ => {}
            }
        }
        let mut remember = 255u8;
        match look_up(table, code, vm)? {
            Mapped::Same => {
                out.push_char(code);
                remember = u8::try_from(code).unwrap_or(255);
            }
            Mapped::Delete => {
                changed = true;
                remember = 254;
            }
            Mapped::Char(to) => {
                changed |= to != code;
                out.push_char(to);
                if to < 128 {
                    remember = to as u8;
                }
            }
            Mapped::Text(to) => {
                changed = true;
                if let (1, Some(to @ 0..128)) = (to.len(), to.char_at(0)) {
                    remember = to as u8;
                }
                out.push(&to);
            }
        }
        if exact_ascii {
            if let Some(slot) = known.get_mut(code as usize) {
                *slot = remember;
            }
        }
    }
    if changed { out.try_finish(vm) } else { text.to_exact(vm) }
}

/// What happens to a character that a table maps to nothing where that is an error.
pub fn unmapped(text: &Str, start: usize, end: usize, vm: &Vm) -> Raised {
    unicode_error::raise_translate(text, start, end, "character maps to <undefined>", vm)
}

#[pymethods(table = TRANSLATE_METHODS)]
impl Str {
    /// Replace each character by what the table, subscripted with its ordinal, gives: an ordinal, a string or None.
    #[method("($self, table, /)")]
    fn translate(&self, table: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
        translate(self, table, vm)
    }

    /// Return a table for translate(), made of a dict, or of two strings of equal length and one of what to delete.
    #[staticmethod("(x, y=<unrepresentable>, z=<unrepresentable>, /)")]
    fn maketrans(x: &Object, y: Option<&Str>, z: Option<&Str>, vm: &Vm) -> PyResult<ObjRef> {
        let table = vm.new_dict();
        if let Some(y) = y {
            let Some(x) = x.downcast_ref::<Str>() else {
                return Err(
                    vm.type_error("first maketrans argument must be a string if there is a second argument")
                );
            };
            if x.len() != y.len() {
                return Err(vm.value_error("the first two maketrans arguments must have equal length"));
            }
            for (from, to) in x.data().iter().zip(y.data().iter()) {
                table.set_item(&vm.new_int(from), &vm.new_int(to), vm)?;
            }
            for from in z.iter().flat_map(|z| z.data().iter()) {
                table.set_item(&vm.new_int(from), vm.none_ref(), vm)?;
            }
            return Ok(table.into_object());
        }
        let Some(source) = x.downcast_exact::<Dict>() else {
            return Err(vm.type_error("if you give only one argument to maketrans it must be a dict"));
        };
        for (key, value) in source.items_vec() {
            if let Some(text) = key.downcast_ref::<Str>() {
                let Some(code) = text.char_at(0).filter(|_| text.len() == 1) else {
                    return Err(vm.value_error("string keys in translatetable must be of length 1"));
                };
                table.set_item(&vm.new_int(code), &value, vm)?;
            } else if key.downcast_ref::<Int>().is_some() {
                table.set_item(&key, &value, vm)?;
            } else {
                return Err(vm.type_error("keys in translate table mustbe strings or integers"));
            }
        }
        Ok(table.into_object())
    }
}
