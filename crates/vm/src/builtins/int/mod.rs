//! `int`: integers of any size, on 30-bit digits in CPython's layout.

use std::mem::offset_of;

use taipan_numeric::{BigInt, ErrorKind, IntError, IntRef};
use taipan_object::gc;

use crate::prelude::*;

mod arithmetic;
mod methods;
mod parse;

pub use methods::{parse_spec, raise_spec_error};
pub use parse::{parse_int, to_ascii};

/// `PyLongObject`. Numbers below 2**30 in magnitude are compact: one digit or none. The digits go on behind the
/// struct in larger ones.
#[repr(C)]
pub struct Int {
    /// The header.
    pub ob: Object,
    /// Bits 0 and 1: sign (0 positive, 1 zero, 2 negative); bit 2: a cached small int; from bit 3 on: number of digits.
    lv_tag: usize,
    digit: [u32; 2],
}

const _: () = assert!(size_of::<Int>() == 32 && offset_of!(Int, digit) == 24);

// SAFETY: ints never change once made.
unsafe impl Sync for Int {}

const SIGN_ZERO: usize = 1;
const SIGN_NEGATIVE: usize = 2;
const SMALL_FLAG: usize = 4;
const DIGITS_SHIFT: u32 = 3;

const SMALL_MIN: i64 = -5;
const SMALL_MAX: i64 = 256;
const SMALL_COUNT: usize = (SMALL_MAX - SMALL_MIN + 1) as usize;

const fn tag_of(value: i64, flags: usize) -> usize {
    match value {
        0 => SIGN_ZERO | flags,
        v if v < 0 => SIGN_NEGATIVE | flags | 1 << DIGITS_SHIFT,
        _ => flags | 1 << DIGITS_SHIFT,
    }
}

impl Int {
    /// A compact int in static storage, of type `int` or `bool`.
    pub(super) const fn immortal(tp: *const Type, value: i64, flags: usize) -> Int {
        Int {
            ob: Object::immortal_static(tp),
            lv_tag: tag_of(value, flags),
            digit: [value.unsigned_abs() as u32, 0],
        }
    }
}

const fn small_ints() -> [Int; SMALL_COUNT] {
    let mut all = [const { Int::immortal(Int::TYPE_PTR, 0, SMALL_FLAG) }; SMALL_COUNT];
    let mut at = 0;
    while at < SMALL_COUNT {
        all[at] = Int::immortal(Int::TYPE_PTR, at as i64 + SMALL_MIN, SMALL_FLAG);
        at += 1;
    }
    all
}

static SMALL_INTS: [Int; SMALL_COUNT] = small_ints();

impl Int {
    /// A cached int.
    #[inline(always)]
    pub fn small(value: i64) -> Option<&'static Int> {
        if (SMALL_MIN..=SMALL_MAX).contains(&value) {
            // SAFETY: the range was just checked.
            Some(unsafe { SMALL_INTS.get_unchecked((value - SMALL_MIN) as usize) })
        } else {
            None
        }
    }

    /// An int of a machine number.
    #[inline]
    pub fn from_i64(value: i64, vm: &Vm) -> ObjRef {
        if let Some(small) = Int::small(value) {
            // SAFETY: immortal.
            return unsafe { Ref::from_raw(small.as_object().as_ptr()) };
        }
        let magnitude = value.unsigned_abs();
        if magnitude < 1 << 30 {
            return Int::compact(value < 0, magnitude as u32);
        }
        from_magnitude(value < 0, magnitude, vm)
    }

    /// A new one-digit int beyond the cached range.
    #[inline(always)]
    fn compact(negative: bool, digit: u32) -> ObjRef {
        // SAFETY: the block is as large as an `Int`.
        unsafe {
            let op = taipan_object::alloc::allocate(size_of::<Int>()).cast::<Int>();
            if op.is_null() {
                crate::runtime::make::out_of_memory();
            }
            let sign = if negative { SIGN_NEGATIVE } else { 0 };
            op.write(Int {
                ob: Object::new(Int::TYPE_PTR),
                lv_tag: sign | 1 << DIGITS_SHIFT,
                digit: [digit, 0],
            });
            Ref::from_raw(op.cast())
        }
    }

    /// An int of an unsigned machine number.
    #[inline]
    pub fn from_u64(value: u64, vm: &Vm) -> ObjRef {
        match i64::try_from(value) {
            Ok(value) => Int::from_i64(value, vm),
            Err(_) => from_magnitude(false, value, vm),
        }
    }

    /// An int of a result of `taipan_numeric`.
    pub fn from_big(value: BigInt, vm: &Vm) -> ObjRef {
        let negative = value.is_negative();
        match value.digits() {
            [] => Int::from_i64(0, vm),
            [one] => Int::from_i64(if negative { -i64::from(*one) } else { i64::from(*one) }, vm),
            digits => match new_digits(negative, digits) {
                Some(op) => op,
                None => crate::runtime::make::out_of_memory(),
            },
        }
    }

    /// `from_big` for operations that may fail.
    pub fn from_result(value: Result<BigInt, IntError>, vm: &Vm) -> PyResult {
        match value {
            Ok(value) => Ok(Int::from_big(value, vm)),
            Err(error) => Err(raise_int_error(error, vm)),
        }
    }

    /// How many digits there are.
    #[inline(always)]
    pub fn digit_count(&self) -> usize {
        self.lv_tag >> DIGITS_SHIFT
    }

    /// The digits, least significant first.
    #[inline(always)]
    pub fn digits(&self) -> &[u32] {
        // SAFETY: the object was allocated with that many digits.
        unsafe { std::slice::from_raw_parts((&raw const self.digit).cast(), self.digit_count()) }
    }

    /// Whether the number has one digit or none.
    #[inline(always)]
    pub fn is_compact(&self) -> bool {
        self.lv_tag < 2 << DIGITS_SHIFT
    }

    /// The value of a compact int.
    #[inline(always)]
    pub fn compact_value(&self) -> isize {
        // The digit of zero is zero, so any factor will do for it.
        (1 - (self.lv_tag & 3) as isize) * self.digit[0] as isize
    }

    /// Whether the number is below zero.
    #[inline(always)]
    pub fn is_negative(&self) -> bool {
        self.lv_tag & 3 == SIGN_NEGATIVE
    }

    /// Whether the number is zero.
    #[inline(always)]
    pub fn is_zero(&self) -> bool {
        self.lv_tag & 3 == SIGN_ZERO
    }

    /// The number as an operand of `taipan_numeric`.
    #[inline]
    pub fn as_int_ref(&self) -> IntRef<'_> {
        IntRef::new(self.is_negative(), self.digits())
    }

    /// The value, if it fits.
    #[inline]
    pub fn to_i64(&self) -> Option<i64> {
        if self.is_compact() { Some(self.compact_value() as i64) } else { self.as_int_ref().to_i64() }
    }

    /// The value, if it fits.
    #[inline]
    pub fn to_u64(&self) -> Option<u64> {
        if self.is_compact() { u64::try_from(self.compact_value()).ok() } else { self.as_int_ref().to_u64() }
    }

    /// The nearest float. Raises `OverflowError`.
    pub fn to_f64(&self, vm: &Vm) -> PyResult<f64> {
        if self.is_compact() {
            return Ok(self.compact_value() as f64);
        }
        self.as_int_ref().to_f64().map_err(|error| raise_int_error(error, vm))
    }

    /// The hash: the number modulo 2**61 - 1.
    #[inline]
    pub fn hash_value(&self) -> isize {
        if self.is_compact() {
            return match self.compact_value() {
                -1 => -2,
                value => value,
            };
        }
        self.as_int_ref().hash() as isize
    }

    /// An object of exactly type `int` with this value.
    pub fn exact(&self, vm: &Vm) -> ObjRef {
        if self.as_object().type_ptr() == Int::TYPE_PTR {
            return self.as_object().to_ref();
        }
        match self.to_i64() {
            Some(value) => Int::from_i64(value, vm),
            None => Int::from_big(self.as_int_ref().to_big(), vm),
        }
    }

    /// An instance of a subclass with this value.
    fn of_subclass(&self, cls: &Type, vm: &Vm) -> PyResult {
        let Some(alloc) = cls.tp_alloc.get() else { return Err(vm.system_error("type without tp_alloc")) };
        let digits = self.digits();
        // SAFETY: `tp_alloc` gives room for that many digits and one more.
        unsafe {
            let object = vm.owned(alloc(std::ptr::from_ref(cls).cast_mut(), digits.len() as isize))?;
            let int = object.as_raw().cast::<Int>();
            (*int).lv_tag = self.lv_tag & !SMALL_FLAG;
            let place = (&raw mut (*int).digit).cast::<u32>();
            place.copy_from_nonoverlapping(digits.as_ptr(), digits.len());
            Ok(object)
        }
    }

    /// `str(self)`. Raises `ValueError` beyond `sys.get_int_max_str_digits()`.
    pub fn to_text(&self, vm: &Vm) -> PyResult<String> {
        if self.is_compact() {
            return Ok(self.compact_value().to_string());
        }
        let limit = usize::try_from(vm.interp().int_max_str_digits.get()).unwrap_or(0);
        self.as_int_ref().to_decimal_limited(limit).ok_or_else(|| {
            vm.value_error(format!(
                "Exceeds the limit ({limit} digits) for integer string conversion; use sys.set_int_max_str_digits() to increase the limit"
            ))
        })
    }
}

#[cold]
fn from_magnitude(negative: bool, magnitude: u64, _vm: &Vm) -> ObjRef {
    let mask = (1u64 << 30) - 1;
    let digits = [(magnitude & mask) as u32, (magnitude >> 30 & mask) as u32, (magnitude >> 60) as u32];
    let used = if magnitude >> 60 != 0 { 3 } else { 2 };
    match new_digits(negative, digits.get(..used).unwrap_or(&digits)) {
        Some(op) => op,
        None => crate::runtime::make::out_of_memory(),
    }
}

fn size_for(digits: usize) -> usize {
    (offset_of!(Int, digit) + digits * 4).max(size_of::<Int>())
}

/// A new int of two digits or more; none when there is no memory.
fn new_digits(negative: bool, digits: &[u32]) -> Option<ObjRef> {
    let op = taipan_object::alloc::allocate(size_for(digits.len())).cast::<Int>();
    if op.is_null() {
        return None;
    }
    // SAFETY: the block has room for the head and all digits.
    unsafe {
        let sign = if negative { SIGN_NEGATIVE } else { 0 };
        op.write(Int {
            ob: Object::new(Int::TYPE_PTR),
            lv_tag: sign | digits.len() << DIGITS_SHIFT,
            digit: [0, 0],
        });
        (&raw mut (*op).digit).cast::<u32>().copy_from_nonoverlapping(digits.as_ptr(), digits.len());
        Some(Ref::from_raw(op.cast()))
    }
}

/// Raises the exception that an integer operation's error stands for.
#[cold]
pub fn raise_int_error(error: IntError, vm: &Vm) -> Raised {
    raise_kind(error.kind(), error.text(), vm)
}

/// Raises by the kind that `taipan_numeric` tells.
#[cold]
pub fn raise_kind(kind: ErrorKind, text: &str, vm: &Vm) -> Raised {
    match kind {
        ErrorKind::ZeroDivision => vm.zero_division_error(text),
        ErrorKind::Value => vm.value_error(text),
        ErrorKind::Overflow => vm.overflow_error(text),
        ErrorKind::Memory => vm.memory_error(),
    }
}

/// `int(object)` for anything but text.
fn from_number(object: &Object, vm: &Vm) -> PyResult {
    let tp = object.ob_type();
    if object.downcast_exact::<Int>().is_some() {
        return Ok(object.to_ref());
    }
    if let Some(to_int) = tp.as_number().and_then(|n| n.nb_int.get()) {
        // SAFETY: a slot is called with a live object.
        let result = unsafe { vm.owned(to_int(object.as_ptr())) }?;
        return checked_int(result, "__int__", vm);
    }
    if object.has_index() {
        return object.as_index(vm).map(|index| index.exact(vm));
    }
    if let Some(parsed) = parse::from_text_object(object, 10, vm)? {
        return Ok(parsed);
    }
    Err(vm.type_error(format!(
        "int() argument must be a string, a bytes-like object or a real number, not '{}'",
        tp.name()
    )))
}

/// What `__int__` returned, as an exact int; a strict subclass is deprecated.
fn checked_int(result: ObjRef, method: &str, vm: &Vm) -> PyResult {
    if result.downcast_exact::<Int>().is_some() {
        return Ok(result);
    }
    let Some(int) = result.downcast_ref::<Int>() else {
        return Err(vm.type_error(format!("{method} returned non-int (type {})", result.ob_type().name())));
    };
    crate::builtins::warn::deprecation(
        &format!(
            "{method} returned non-int (type {}).  The ability to return an instance of a strict subclass of int is deprecated, and may not be supported in a future version of Python.",
            result.ob_type().name()
        ),
        vm,
    )?;
    Ok(int.exact(vm))
}

/// int([x]) -> integer
/// int(x, base=10) -> integer
///
/// Convert a number or string to an integer, or return 0 if no arguments
/// are given.  If x is a number, return x.__int__().  For floating-point
/// numbers, this truncates towards zero.
///
/// If x is not a number or if base is given, then x must be a string,
/// bytes, or bytearray instance representing an integer literal in the
/// given base.  The literal can be preceded by '+' or '-' and be surrounded
/// by whitespace.  The base defaults to 10.  Valid bases are 0 and 2-36.
/// Base 0 means to interpret the base from the string as an integer literal.
/// >>> int('0b100', base=0)
/// 4
#[pytype(
    name = "int",
    symbol = "PyLong_Type",
    basicsize = offset_of!(Int, digit),
    itemsize = 4,
    flags(BASETYPE, LONG_SUBCLASS, MATCH_SELF),
    methods(INT_METHODS)
)]
impl Int {
    #[new("!(x=0, /, base=10)")]
    fn new(cls: &Type, x: Option<&Object>, base: Option<&Object>, vm: &Vm) -> PyResult {
        let value = match (x, base) {
            (None, Some(_)) => return Err(vm.type_error("int() missing string argument")),
            (None, None) => Int::from_i64(0, vm),
            (Some(x), None) => from_number(x, vm)?,
            (Some(x), Some(base)) => {
                let base = base.as_index(vm)?.to_i64().unwrap_or(-1);
                if base != 0 && !(2..=36).contains(&base) {
                    return Err(vm.value_error("int() base must be >= 2 and <= 36, or 0"));
                }
                match parse::from_text_object(x, base as u32, vm)? {
                    Some(value) => value,
                    None => return Err(vm.type_error("int() can't convert non-string with explicit base")),
                }
            }
        };
        if std::ptr::eq(cls, Int::TYPE_PTR) {
            return Ok(value);
        }
        match value.downcast_ref::<Int>() {
            Some(int) => int.of_subclass(cls, vm),
            None => Ok(value),
        }
    }

    /// the real part of a complex number
    #[getter]
    fn real(&self, vm: &Vm) -> ObjRef {
        self.exact(vm)
    }

    /// the imaginary part of a complex number
    #[getter]
    fn imag(&self, vm: &Vm) -> ObjRef {
        Int::from_i64(0, vm)
    }

    /// the numerator of a rational number in lowest terms
    #[getter]
    fn numerator(&self, vm: &Vm) -> ObjRef {
        self.exact(vm)
    }

    /// the denominator of a rational number in lowest terms
    #[getter]
    fn denominator(&self, vm: &Vm) -> ObjRef {
        Int::from_i64(1, vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        Ok(Str::from_ascii(self.to_text(vm)?.as_bytes(), vm))
    }

    #[slot]
    fn tp_hash(&self) -> PyResult<isize> {
        Ok(self.hash_value())
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> ObjRef {
        let Some(other) = other.downcast_ref::<Int>() else { return vm.not_implemented() };
        vm.new_bool(op.test(arithmetic::compare(self, other)))
    }

    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: nobody uses the int any more; cached ones are immortal and never come here.
        unsafe {
            let tp = (*op).ob_type();
            if std::ptr::eq(tp, Int::TYPE_PTR) {
                let size = size_for((*op.cast::<Int>()).digit_count());
                gc::release(tp, op, size);
            } else if let Some(free) = tp.tp_free.get() {
                free(op.cast());
            }
        }
    }

    #[slot]
    fn nb_add(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic::add(a, b, vm)
    }

    #[slot]
    fn nb_subtract(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic::subtract(a, b, vm)
    }

    #[slot]
    fn nb_multiply(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic::multiply(a, b, vm)
    }

    #[slot]
    fn nb_floor_divide(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic::floor_divide(a, b, vm)
    }

    #[slot]
    fn nb_remainder(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic::remainder(a, b, vm)
    }

    #[slot]
    fn nb_divmod(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic::divmod(a, b, vm)
    }

    #[slot]
    fn nb_true_divide(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic::true_divide(a, b, vm)
    }

    #[slot]
    fn nb_power(a: &Object, b: &Object, c: &Object, vm: &Vm) -> PyResult {
        arithmetic::power(a, b, c, vm)
    }

    #[slot]
    fn nb_lshift(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic::lshift(a, b, vm)
    }

    #[slot]
    fn nb_rshift(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic::rshift(a, b, vm)
    }

    #[slot]
    fn nb_and(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic::and(a, b, vm)
    }

    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic::or(a, b, vm)
    }

    #[slot]
    fn nb_xor(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        arithmetic::xor(a, b, vm)
    }

    #[slot]
    fn nb_negative(&self, vm: &Vm) -> ObjRef {
        match self.to_i64().and_then(i64::checked_neg) {
            Some(value) => Int::from_i64(value, vm),
            None => Int::from_big(self.as_int_ref().to_big().negate(), vm),
        }
    }

    #[slot]
    fn nb_positive(&self, vm: &Vm) -> ObjRef {
        self.exact(vm)
    }

    #[slot]
    fn nb_absolute(&self, vm: &Vm) -> ObjRef {
        if !self.is_negative() {
            return self.exact(vm);
        }
        match self.to_i64().and_then(i64::checked_abs) {
            Some(value) => Int::from_i64(value, vm),
            None => Int::from_big(self.as_int_ref().to_big().abs(), vm),
        }
    }

    #[slot]
    fn nb_invert(&self, vm: &Vm) -> ObjRef {
        match self.to_i64() {
            Some(value) => Int::from_i64(!value, vm),
            None => Int::from_big(self.as_int_ref().invert(), vm),
        }
    }

    #[slot]
    fn nb_bool(&self) -> PyResult<bool> {
        Ok(!self.is_zero())
    }

    #[slot]
    fn nb_int(&self, vm: &Vm) -> ObjRef {
        self.exact(vm)
    }

    #[slot]
    fn nb_index(&self, vm: &Vm) -> ObjRef {
        self.exact(vm)
    }

    #[slot]
    fn nb_float(&self, vm: &Vm) -> PyResult<f64> {
        self.to_f64(vm)
    }
}
