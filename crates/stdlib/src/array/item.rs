//! Type codes: how an item lies in memory, and how it becomes an object and back.

use std::ffi::CStr;

use taipan_vm::prelude::*;

/// What a type code stands for.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The letter.
    pub letter: u8,
    /// Bytes of an item.
    pub size: usize,
    /// The format of buffers.
    pub format: &'static CStr,
    /// The kind of number or character.
    pub kind: Kind,
    /// The number that says how pickles hold the items, little-endian.
    pub machine_format: i32,
}

/// Kinds of items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Signed,
    Unsigned,
    Float,
    Character,
}

const fn code(letter: u8, size: usize, format: &'static CStr, kind: Kind, machine_format: i32) -> Code {
    Code { letter, size, format, kind, machine_format }
}

/// All type codes.
pub static CODES: [Code; 14] = [
    code(b'b', 1, c"b", Kind::Signed, 1),
    code(b'B', 1, c"B", Kind::Unsigned, 0),
    code(b'u', 4, c"w", Kind::Character, 20),
    code(b'w', 4, c"w", Kind::Character, 20),
    code(b'h', 2, c"h", Kind::Signed, 4),
    code(b'H', 2, c"H", Kind::Unsigned, 2),
    code(b'i', 4, c"i", Kind::Signed, 8),
    code(b'I', 4, c"I", Kind::Unsigned, 6),
    code(b'l', 8, c"l", Kind::Signed, 12),
    code(b'L', 8, c"L", Kind::Unsigned, 10),
    code(b'q', 8, c"q", Kind::Signed, 12),
    code(b'Q', 8, c"Q", Kind::Unsigned, 10),
    code(b'f', 4, c"f", Kind::Float, 14),
    code(b'd', 8, c"d", Kind::Float, 16),
];

/// The type code of a letter.
pub fn find(letter: u32) -> Option<&'static Code> {
    CODES.iter().find(|code| u32::from(code.letter) == letter)
}

/// The low bytes of a number.
#[inline]
fn low_bytes<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.first_chunk::<N>().copied()
}

impl Code {
    /// The letter as text.
    pub fn letter(&self) -> char {
        char::from(self.letter)
    }

    /// The item in memory as an object. `bytes` are as many as `size`.
    #[inline]
    pub fn load(&self, bytes: &[u8], vm: &Vm) -> PyResult {
        let short = || vm.system_error("an array's item is cut off");
        Ok(match (self.kind, self.size) {
            (Kind::Signed, 1) => vm.new_int(i8::from_ne_bytes(low_bytes(bytes).ok_or_else(short)?)),
            (Kind::Signed, 2) => vm.new_int(i16::from_ne_bytes(low_bytes(bytes).ok_or_else(short)?)),
            (Kind::Signed, 4) => vm.new_int(i32::from_ne_bytes(low_bytes(bytes).ok_or_else(short)?)),
            (Kind::Signed, _) => vm.new_int(i64::from_ne_bytes(low_bytes(bytes).ok_or_else(short)?)),
            (Kind::Unsigned, 1) => vm.new_int(u8::from_ne_bytes(low_bytes(bytes).ok_or_else(short)?)),
            (Kind::Unsigned, 2) => vm.new_int(u16::from_ne_bytes(low_bytes(bytes).ok_or_else(short)?)),
            (Kind::Unsigned, 4) => vm.new_int(u32::from_ne_bytes(low_bytes(bytes).ok_or_else(short)?)),
            (Kind::Unsigned, _) => vm.new_int(u64::from_ne_bytes(low_bytes(bytes).ok_or_else(short)?)),
            (Kind::Float, 4) => {
                vm.new_float(f64::from(f32::from_ne_bytes(low_bytes(bytes).ok_or_else(short)?)))
            }
            (Kind::Float, _) => vm.new_float(f64::from_ne_bytes(low_bytes(bytes).ok_or_else(short)?)),
            (Kind::Character, _) => {
                let unit = u32::from_ne_bytes(low_bytes(bytes).ok_or_else(short)?);
                if unit > 0x10_ffff {
                    return Err(
                        vm.value_error(format!("character U+{unit:x} is not in range [U+0000; U+10ffff]"))
                    );
                }
                Str::from_char(unit, vm).into_object()
            }
        })
    }

    /// The bytes of an item, in the first `size` of the result.
    #[inline]
    pub fn store(&self, value: &Object, vm: &Vm) -> PyResult<[u8; 8]> {
        let bits = match self.kind {
            Kind::Signed => self.signed(value, vm)? as u64,
            Kind::Unsigned => self.unsigned(value, vm)?,
            Kind::Float if self.size == 4 => u64::from((value.as_f64(vm)? as f32).to_bits()),
            Kind::Float => value.as_f64(vm)?.to_bits(),
            Kind::Character => u64::from(character(value, vm)?),
        };
        Ok(if cfg!(target_endian = "big") {
            (bits << (64 - 8 * self.size as u32)).to_be_bytes()
        } else {
            bits.to_le_bytes()
        })
    }

    fn name(&self) -> &'static str {
        match self.letter {
            b'b' => "signed char",
            b'B' => "unsigned byte integer",
            b'h' => "signed short integer",
            b'H' => "unsigned short",
            b'I' => "unsigned int",
            _ => "signed integer",
        }
    }

    #[cold]
    fn out_of_range(&self, above: bool, vm: &Vm) -> Raised {
        let (bound, extreme) = if above { ("greater", "maximum") } else { ("less", "minimum") };
        vm.overflow_error(format!("{} is {bound} than {extreme}", self.name()))
    }

    #[inline]
    fn signed(&self, value: &Object, vm: &Vm) -> PyResult<i64> {
        let number = match value.downcast_exact::<Int>().and_then(Int::to_i64) {
            Some(number) => number,
            None => value.as_index(vm)?.to_i64().ok_or_else(|| {
                vm.overflow_error(if self.letter == b'q' {
                    "int too big to convert"
                } else {
                    "Python int too large to convert to C long"
                })
            })?,
        };
        let spare = 64 - 8 * self.size as u32;
        if number << spare >> spare == number {
            return Ok(number);
        }
        // Bytes come out of shorts, whose range is checked first.
        if self.size == 1 && i16::try_from(number).is_err() {
            let text = if number > 0 { "greater than maximum" } else { "less than minimum" };
            return Err(vm.overflow_error(format!("signed short integer is {text}")));
        }
        Err(self.out_of_range(number > 0, vm))
    }

    #[inline]
    fn unsigned(&self, value: &Object, vm: &Vm) -> PyResult<u64> {
        if self.size <= 2 {
            let number = value
                .as_index(vm)?
                .to_i64()
                .ok_or_else(|| vm.overflow_error("Python int too large to convert to C long"))?;
            if number < 0 || number >> (8 * self.size as u32) != 0 {
                if self.size == 2 && i32::try_from(number).is_err() {
                    let text = if number > 0 { "greater than maximum" } else { "less than minimum" };
                    return Err(vm.overflow_error(format!("signed integer is {text}")));
                }
                return Err(self.out_of_range(number > 0, vm));
            }
            return Ok(number as u64);
        }
        let int = value.as_index(vm)?;
        let Some(number) = int.to_u64() else {
            return Err(vm.overflow_error(match (self.letter, int.is_negative()) {
                (b'Q', true) => "can't convert negative int to unsigned",
                (b'Q', false) => "int too big to convert",
                (_, true) => "can't convert negative value to unsigned int",
                _ => "Python int too large to convert to C unsigned long",
            }));
        };
        if self.size == 4 && number > u64::from(u32::MAX) {
            return Err(self.out_of_range(true, vm));
        }
        Ok(number)
    }
}

fn character(value: &Object, vm: &Vm) -> PyResult<u32> {
    let Some(text) = value.downcast_ref::<Str>() else {
        return Err(vm.type_error(format!(
            "array item must be a unicode character, not {}",
            value.ob_type().tp_name_str()
        )));
    };
    match (text.len(), text.char_at(0)) {
        (1, Some(code)) => Ok(code),
        (length, _) => Err(
            vm.type_error(format!("array item must be a unicode character, not a string of length {length}"))
        ),
    }
}
