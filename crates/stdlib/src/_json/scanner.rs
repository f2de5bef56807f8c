//! `make_scanner`: JSON text to Python objects.

use taipan_numeric::float;
use taipan_vm::builtins::int::parse_int;
use taipan_vm::builtins::str::{StrData, Unit};
use taipan_vm::prelude::*;

use super::decode_error::raise;
use super::string::{Body, scan_body, scan_units};
use super::text_argument;

/// The layout of `_json.Scanner`.
#[repr(C)]
#[derive(Traverse)]
pub struct Scanner {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    strict: bool,
    object_hook: ObjRef,
    object_pairs_hook: ObjRef,
    parse_float: ObjRef,
    parse_int: ObjRef,
    parse_constant: ObjRef,
}

/// JSON scanner object
#[pytype(
    name = "_json.Scanner",
    gc,
    members(
        object_hook: OBJECT = object_hook readonly,
        object_pairs_hook: OBJECT = object_pairs_hook readonly,
        parse_float: OBJECT = parse_float readonly,
        parse_int: OBJECT = parse_int readonly,
        parse_constant: OBJECT = parse_constant readonly
    )
)]
impl Scanner {
    #[new("!(context)")]
    fn new(cls: &Type, context: &Object, vm: &Vm) -> PyResult {
        let get = |name: &str| context.get_attr(&vm.intern(name), vm);
        let scanner = Scanner {
            ob: Object::new(Self::type_object()),
            strict: get("strict")?.is_true(vm)?,
            object_hook: get("object_hook")?,
            object_pairs_hook: get("object_pairs_hook")?,
            parse_float: get("parse_float")?,
            parse_int: get("parse_int")?,
            parse_constant: get("parse_constant")?,
        };
        vm.new_instance(cls, scanner)
    }

    #[getter]
    fn strict(&self) -> bool {
        self.strict
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<(ObjRef, usize)> {
        let mut given: [Option<ObjRef>; 2] = [None, None];
        let count = args.len() + kwargs.map_or(0, Dict::len);
        if count > 2 {
            return Err(vm.type_error(format!("scan_once() takes at most 2 arguments ({count} given)")));
        }
        for (place, item) in given.iter_mut().zip(args.as_slice()) {
            *place = Some(item.clone());
        }
        for ((place, name), at) in given.iter_mut().zip(["string", "idx"]).zip(1..) {
            if let (None, Some(kwargs)) = (&place, kwargs) {
                *place = kwargs.get_str(&vm.intern(name), vm)?;
            }
            if place.is_none() {
                return Err(
                    vm.type_error(format!("scan_once() missing required argument '{name}' (pos {at})"))
                );
            }
        }
        let [Some(text), Some(index)] = given else {
            return Err(vm.type_error("scan_once() takes 2 arguments"));
        };
        let index = index.as_isize(vm)?;
        let text = text_argument(&text, vm)?;
        let Ok(index) = usize::try_from(index) else {
            return Err(vm.value_error("idx cannot be negative"));
        };
        match text.data() {
            StrData::Ucs1(units) => Scan::new(self, text, units, vm).value(index),
            StrData::Ucs2(units) => Scan::new(self, text, units, vm).value(index),
            StrData::Ucs4(units) => Scan::new(self, text, units, vm).value(index),
        }
    }
}

/// Slots of the memory of keys.
const KEY_SLOTS: usize = 256;

/// One call: the text as units of one width, and the keys seen.
struct Scan<'a, T> {
    scanner: &'a Scanner,
    text: &'a Str,
    units: &'a [T],
    vm: &'a Vm,
    own_float: bool,
    own_int: bool,
    /// Keys by a hash of their units: equal keys become one object. A newer key takes the place of an older one.
    keys: Vec<Option<Ref<Str>>>,
}

impl<'a, T: Unit> Scan<'a, T> {
    fn new(scanner: &'a Scanner, text: &'a Str, units: &'a [T], vm: &'a Vm) -> Self {
        Scan {
            scanner,
            text,
            units,
            vm,
            own_float: scanner.parse_float.is(Float::type_object().as_object()),
            own_int: scanner.parse_int.is(Int::type_object().as_object()),
            keys: Vec::new(),
        }
    }

    #[inline(always)]
    fn peek(&self, at: usize) -> u32 {
        // A character that no text holds ends it.
        self.units.get(at).map_or(u32::MAX, |&unit| unit.into())
    }

    #[inline(always)]
    fn skip_blanks(&self, mut at: usize) -> usize {
        while matches!(self.peek(at), 0x20 | 0x09 | 0x0a | 0x0d) {
            at += 1;
        }
        at
    }

    fn starts_with(&self, at: usize, word: &[u8]) -> bool {
        self.units
            .get(at..at + word.len())
            .is_some_and(|units| units.iter().zip(word).all(|(&unit, &byte)| unit.into() == u32::from(byte)))
    }

    #[cold]
    fn fail(&self, message: &str, at: usize) -> Raised {
        raise(message, self.text, at as isize, self.vm)
    }

    #[cold]
    fn no_value(&self, at: usize) -> Raised {
        self.vm.stop_iteration(Some(self.vm.new_int(at)))
    }

    /// The value at a place, and the place after it.
    fn value(&mut self, at: usize) -> PyResult<(ObjRef, usize)> {
        let vm = self.vm;
        match self.peek(at) {
            0x22 => {
                let (text, next) = scan_units(self.text, self.units, at + 1, self.scanner.strict, vm)?;
                return Ok((text.into_object(), next));
            }
            0x7b => {
                vm.check_recursion(" while decoding a JSON object from a unicode string")?;
                return self.object(at + 1);
            }
            0x5b => {
                vm.check_recursion(" while decoding a JSON array from a unicode string")?;
                return self.array(at + 1);
            }
            0x6e if self.starts_with(at, b"null") => return Ok((vm.none(), at + 4)),
            0x74 if self.starts_with(at, b"true") => return Ok((vm.new_bool(true), at + 4)),
            0x66 if self.starts_with(at, b"false") => return Ok((vm.new_bool(false), at + 5)),
            0x4e if self.starts_with(at, b"NaN") => return self.constant("NaN", at),
            0x49 if self.starts_with(at, b"Infinity") => return self.constant("Infinity", at),
            0x2d if self.starts_with(at, b"-Infinity") => return self.constant("-Infinity", at),
            _ => {}
        }
        self.number(at)
    }

    fn constant(&self, name: &str, at: usize) -> PyResult<(ObjRef, usize)> {
        let value = self.scanner.parse_constant.call(&[self.vm.intern(name).as_object()], self.vm)?;
        Ok((value, at + name.len()))
    }

    fn digits(&self, mut at: usize) -> usize {
        while (0x30..=0x39).contains(&self.peek(at)) {
            at += 1;
        }
        at
    }

    fn number(&self, start: usize) -> PyResult<(ObjRef, usize)> {
        let vm = self.vm;
        let negative = self.peek(start) == 0x2d;
        let first = start + usize::from(negative);
        let mut end = match self.peek(first) {
            0x30 => first + 1,
            0x31..=0x39 => self.digits(first + 1),
            _ => return Err(self.no_value(start)),
        };
        let mut is_float = false;
        if self.peek(end) == 0x2e {
            let after = self.digits(end + 1);
            if after > end + 1 {
                (end, is_float) = (after, true);
            }
        }
        if matches!(self.peek(end), 0x45 | 0x65) {
            let signed = matches!(self.peek(end + 1), 0x2b | 0x2d);
            let from = end + 1 + usize::from(signed);
            let after = self.digits(from);
            if after > from {
                (end, is_float) = (after, true);
            }
        }
        let units = self.units.get(start..end).unwrap_or_default();
        if !is_float && self.own_int && end - first <= 18 {
            let digits = units.get(usize::from(negative)..).unwrap_or_default();
            let value = digits.iter().fold(0i64, |value, &unit| value * 10 + i64::from(unit.into() & 15));
            return Ok((Int::from_i64(if negative { -value } else { value }, vm), end));
        }
        let own = if is_float { self.own_float } else { self.own_int };
        if !own {
            let text = Str::from_units(units, vm);
            let parse = if is_float { &self.scanner.parse_float } else { &self.scanner.parse_int };
            return Ok((parse.call(&[text.as_object()], vm)?, end));
        }
        let mut small = [0u8; 32];
        let long: Vec<u8>;
        let ascii = match small.get_mut(..units.len()) {
            Some(small) => {
                small.iter_mut().zip(units).for_each(|(byte, &unit)| *byte = unit.into() as u8);
                &*small
            }
            None => {
                long = units.iter().map(|&unit| unit.into() as u8).collect();
                &long
            }
        };
        if is_float {
            let value =
                float::parse(ascii).ok_or_else(|| vm.value_error("could not convert string to float"))?;
            return Ok((vm.new_float(value), end));
        }
        Ok((parse_int(ascii, 10, self.text.as_object(), vm)?, end))
    }

    /// A key, the same object for equal keys.
    fn key(&mut self, begin: usize) -> PyResult<(Ref<Str>, usize)> {
        let end = match scan_body(self.text, self.units, begin, self.scanner.strict, self.vm)? {
            Body::Plain(end) => end,
            Body::Built(out, end) => return Ok((out.try_finish(self.vm)?, end)),
        };
        let units = self.units.get(begin..end).unwrap_or_default();
        let hash = units.iter().fold(0u32, |hash, &unit| (hash ^ unit.into()).wrapping_mul(0x0100_0193));
        if self.keys.is_empty() {
            self.keys.resize(KEY_SLOTS, None);
        }
        let slot = self.keys.get_mut((hash ^ hash >> 16) as usize % KEY_SLOTS);
        if let Some(Some(known)) = &slot {
            let same = known.len() == units.len()
                && match known.data() {
                    StrData::Ucs1(known) => known.iter().zip(units).all(|(&a, &b)| u32::from(a) == b.into()),
                    StrData::Ucs2(known) => known.iter().zip(units).all(|(&a, &b)| u32::from(a) == b.into()),
                    StrData::Ucs4(known) => known.iter().zip(units).all(|(&a, &b)| a == b.into()),
                };
            if same {
                return Ok((known.clone(), end + 1));
            }
        }
        let key = Str::from_units(units, self.vm);
        if let Some(slot) = slot {
            *slot = Some(key.clone());
        }
        Ok((key, end + 1))
    }

    fn object(&mut self, begin: usize) -> PyResult<(ObjRef, usize)> {
        let vm = self.vm;
        let as_pairs = !vm.is_none(&self.scanner.object_pairs_hook);
        let mut pairs = Vec::new();
        let dict = vm.new_dict();
        let mut at = self.skip_blanks(begin);
        if self.peek(at) != 0x7d {
            loop {
                if self.peek(at) != 0x22 {
                    return Err(self.fail("Expecting property name enclosed in double quotes", at));
                }
                let (key, next) = self.key(at + 1)?;
                at = self.skip_blanks(next);
                if self.peek(at) != 0x3a {
                    return Err(self.fail("Expecting ':' delimiter", at));
                }
                at = self.skip_blanks(at + 1);
                let (value, next) = self.value(at)?;
                if as_pairs {
                    pairs.push(Tuple::pair(key.into_object(), value, vm).into_object());
                } else {
                    dict.set_item(key.as_object(), &value, vm)?;
                }
                at = self.skip_blanks(next);
                match self.peek(at) {
                    0x7d => break,
                    0x2c => {}
                    _ => return Err(self.fail("Expecting ',' delimiter", at)),
                }
                let comma = at;
                at = self.skip_blanks(at + 1);
                if self.peek(at) == 0x7d {
                    return Err(self.fail("Illegal trailing comma before end of object", comma));
                }
            }
        }
        let value = if as_pairs {
            self.scanner.object_pairs_hook.call(&[vm.new_list(pairs).as_object()], vm)?
        } else if !vm.is_none(&self.scanner.object_hook) {
            self.scanner.object_hook.call(&[dict.as_object()], vm)?
        } else {
            dict.into_object()
        };
        Ok((value, at + 1))
    }

    fn array(&mut self, begin: usize) -> PyResult<(ObjRef, usize)> {
        let mut items = Vec::new();
        let mut at = self.skip_blanks(begin);
        if self.peek(at) != 0x5d {
            loop {
                let (value, next) = self.value(at)?;
                items.push(value);
                at = self.skip_blanks(next);
                match self.peek(at) {
                    0x5d => break,
                    0x2c => {}
                    _ => return Err(self.fail("Expecting ',' delimiter", at)),
                }
                let comma = at;
                at = self.skip_blanks(at + 1);
                if self.peek(at) == 0x5d {
                    return Err(self.fail("Illegal trailing comma before end of array", comma));
                }
            }
        }
        Ok((self.vm.new_list(items).into_object(), at + 1))
    }
}
