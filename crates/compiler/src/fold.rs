//! Operations on constants, within CPython's limits on the size of results. `None` means: leave it to run time.

use taipan_bytecode::{BinaryOp, Const, marshal};
use taipan_numeric::complex::{self, Operand};
use taipan_numeric::float::{self, FloatError};
use taipan_numeric::int::BigInt;
use taipan_parser::ast::{Expr, ExprKind, Operator, UnaryOp};

use crate::constants::{from_ast, has_nan, str_const};

const MAX_INT_BITS: u64 = 128;
const MAX_COLLECTION: usize = 256;
const MAX_STR: usize = 4096;
const MAX_TOTAL_ITEMS: usize = 1024;

/// `bool(value)`.
pub fn truth(value: &Const) -> Option<bool> {
    Some(match value {
        Const::None | Const::False => false,
        Const::True | Const::Ellipsis | Const::StopIteration | Const::BigInt { .. } | Const::Code(_) => true,
        Const::Int(value) => *value != 0,
        Const::Float(value) => *value != 0.0,
        Const::Complex(real, imag) => *real != 0.0 || *imag != 0.0,
        Const::Str(text) => !text.value.is_empty(),
        Const::Bytes(bytes) => !bytes.is_empty(),
        Const::Tuple(items) | Const::FrozenSet(items) | Const::List(items) | Const::Set(items) => {
            !items.is_empty()
        }
        Const::Dict(items) => !items.is_empty(),
        Const::Slice(_) => true,
    })
}

fn int(value: &Const) -> Option<BigInt> {
    match value {
        Const::True => Some(BigInt::one()),
        Const::False => Some(BigInt::zero()),
        Const::Int(value) => Some(BigInt::from(*value)),
        Const::BigInt { negative, digits } => Some(BigInt::new(*negative, digits.iter().copied().collect())),
        _ => None,
    }
}

fn from_int(value: &BigInt) -> Const {
    marshal::int_const(value.is_negative(), value.digits().to_vec())
}

/// The value as an index or count, limited to the range of `isize` on both ends.
fn index(value: &Const) -> Option<isize> {
    let value = int(value)?;
    let limit = if value.is_negative() { isize::MIN } else { isize::MAX };
    Some(value.to_i64().and_then(|value| isize::try_from(value).ok()).unwrap_or(limit))
}

/// The value as a float: `None` when it is no real number, or an int beyond the floats.
fn float(value: &Const) -> Option<f64> {
    match value {
        Const::Float(value) => Some(*value),
        _ => int(value)?.as_ref().to_f64().ok(),
    }
}

/// `-value`.
pub fn negative(value: &Const) -> Option<Const> {
    match value {
        Const::Float(value) => Some(Const::Float(-value)),
        Const::Complex(real, imag) => Some(Const::Complex(-real, -imag)),
        _ => int(value).map(|value| from_int(&value.negate())),
    }
}

/// `+value`.
pub fn positive(value: &Const) -> Option<Const> {
    match value {
        Const::Float(_) | Const::Complex(..) => Some(value.clone()),
        _ => int(value).map(|value| from_int(&value)),
    }
}

/// `~value`; of a bool it is left to run time, where it warns.
pub fn invert(value: &Const) -> Option<Const> {
    match value {
        Const::Int(_) | Const::BigInt { .. } => int(value).map(|value| from_int(&value.as_ref().invert())),
        _ => None,
    }
}

/// `left op right`.
pub fn binary(op: BinaryOp, left: &Const, right: &Const) -> Option<Const> {
    if op == BinaryOp::Subscr {
        return subscript(left, right);
    }
    match (left, right) {
        (Const::Str(a), Const::Str(b)) if op == BinaryOp::Add => {
            Some(str_const(&[&*a.value, &*b.value].concat()))
        }
        (Const::Bytes(a), Const::Bytes(b)) if op == BinaryOp::Add => {
            Some(Const::Bytes([&**a, &**b].concat().into()))
        }
        (Const::Tuple(a), Const::Tuple(b)) if op == BinaryOp::Add => {
            Some(Const::Tuple(a.iter().chain(b.iter()).cloned().collect()))
        }
        (Const::Str(_) | Const::Bytes(_) | Const::Tuple(_), count) if op == BinaryOp::Multiply => {
            repeat(left, index(count)?)
        }
        (count, Const::Str(_) | Const::Bytes(_) | Const::Tuple(_)) if op == BinaryOp::Multiply => {
            repeat(right, index(count)?)
        }
        (Const::Complex(..), _) | (_, Const::Complex(..)) => complexes(op, left, right),
        (Const::Float(_), _) | (_, Const::Float(_)) => floats(op, float(left)?, float(right)?),
        _ => ints(op, left, right),
    }
}

fn ints(op: BinaryOp, left: &Const, right: &Const) -> Option<Const> {
    let (a, b) = (int(left)?, int(right)?);
    let (a, b) = (a.as_ref(), b.as_ref());
    let both_bool = matches!(left, Const::True | Const::False) && matches!(right, Const::True | Const::False);
    let result = match op {
        BinaryOp::Add => a.add(b),
        BinaryOp::Subtract => a.sub(b),
        BinaryOp::Multiply => {
            if !a.is_zero() && !b.is_zero() && a.bit_length() + b.bit_length() > MAX_INT_BITS {
                return None;
            }
            a.mul(b)
        }
        BinaryOp::FloorDivide => a.floor_div(b).ok()?,
        BinaryOp::Remainder => a.modulo(b).ok()?,
        BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => {
            let result = match op {
                BinaryOp::And => a.and(b),
                BinaryOp::Or => a.or(b),
                _ => a.xor(b),
            };
            if both_bool {
                return Some(if result.is_zero() { Const::False } else { Const::True });
            }
            result
        }
        BinaryOp::Lshift => {
            if !a.is_zero() && !b.is_zero() {
                let shift = b.to_u64()?;
                if shift > MAX_INT_BITS || a.bit_length() > MAX_INT_BITS - shift {
                    return None;
                }
            }
            a.shl(b).ok()?
        }
        BinaryOp::Rshift => a.shr(b).ok()?,
        BinaryOp::Power => {
            if b.is_negative() {
                return floats(op, float(left)?, float(right)?);
            }
            if !a.is_zero() && !b.is_zero() {
                let exponent = b.to_u64()?;
                if a.bit_length() > MAX_INT_BITS / exponent {
                    return None;
                }
            }
            a.pow(b).ok()?
        }
        BinaryOp::TrueDivide => return a.true_div(b).ok().map(Const::Float),
        _ => return None,
    };
    Some(from_int(&result))
}

fn floats(op: BinaryOp, a: f64, b: f64) -> Option<Const> {
    Some(Const::Float(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::TrueDivide if b != 0.0 => a / b,
        BinaryOp::Remainder => float::modulo(a, b).ok()?,
        BinaryOp::FloorDivide => float::floor_div(a, b).ok()?,
        BinaryOp::Power => match float::pow(a, b) {
            Err(FloatError::ComplexResult) => {
                return complex_power(Operand::Real(a), Operand::Real(b));
            }
            result => result.ok()?,
        },
        _ => return None,
    }))
}

fn complex_power(a: Operand, b: Operand) -> Option<Const> {
    let (real, imag) = complex::power(a.pair(), b.pair()).ok()?;
    Some(Const::Complex(real, imag))
}

fn complexes(op: BinaryOp, left: &Const, right: &Const) -> Option<Const> {
    let operand = |value: &Const| match value {
        Const::Complex(real, imag) => Some(Operand::Complex((*real, *imag))),
        _ => float(value).map(Operand::Real),
    };
    let (a, b) = (operand(left)?, operand(right)?);
    let (real, imag) = match op {
        BinaryOp::Add => complex::add(a, b),
        BinaryOp::Subtract => complex::subtract(a, b),
        BinaryOp::Multiply => complex::multiply(a, b),
        BinaryOp::TrueDivide => complex::divide(a, b)?,
        BinaryOp::Power => return complex_power(a, b),
        _ => return None,
    };
    Some(Const::Complex(real, imag))
}

fn repeat(value: &Const, count: isize) -> Option<Const> {
    let count = count.max(0).unsigned_abs();
    let negative_ok = |len: usize, max: usize| len == 0 || count <= max / len;
    match value {
        Const::Str(text) => {
            let len = text.value.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
            negative_ok(len, MAX_STR).then(|| str_const(&text.value.repeat(if len == 0 { 0 } else { count })))
        }
        Const::Bytes(bytes) => {
            let len = bytes.len();
            negative_ok(len, MAX_STR)
                .then(|| Const::Bytes(bytes.repeat(if len == 0 { 0 } else { count }).into()))
        }
        Const::Tuple(items) => {
            if !negative_ok(items.len(), MAX_COLLECTION) || items.is_empty() {
                return items.is_empty().then(|| value.clone());
            }
            let mut total = MAX_TOTAL_ITEMS as isize;
            count_items(items, &mut total);
            if count > 0 && total < 0 {
                return None;
            }
            let repeated = std::iter::repeat_n(items.iter().cloned(), count).flatten().collect();
            Some(Const::Tuple(repeated))
        }
        _ => None,
    }
}

fn count_items(items: &[Const], left: &mut isize) {
    *left -= items.len() as isize;
    for item in items {
        if let Const::Tuple(items) | Const::FrozenSet(items) = item {
            count_items(items, left);
        }
    }
}

fn subscript(container: &Const, index: &Const) -> Option<Const> {
    if let Const::Slice(parts) = index {
        return slice(container, parts);
    }
    let index = self::index(index)?;
    let at = |len: usize| if index < 0 { len.checked_add_signed(index) } else { Some(index.unsigned_abs()) };
    match container {
        Const::Tuple(items) => items.get(at(items.len())?).cloned(),
        Const::Bytes(bytes) => bytes.get(at(bytes.len())?).map(|byte| Const::Int(i64::from(*byte))),
        Const::Str(text) => {
            let chars = characters(&text.value);
            chars.get(at(chars.len())?).map(|text| str_const(text))
        }
        _ => None,
    }
}

/// The code points, each in its encoded form.
fn characters(text: &[u8]) -> Vec<&[u8]> {
    let mut starts: Vec<usize> =
        text.iter().enumerate().filter(|(_, b)| **b & 0xc0 != 0x80).map(|p| p.0).collect();
    starts.push(text.len());
    starts.windows(2).map(|pair| &text[pair[0]..pair[1]]).collect()
}

fn slice(container: &Const, parts: &[Const; 3]) -> Option<Const> {
    let pick = |len: usize| -> Option<Vec<usize>> {
        let part = |value: &Const| match value {
            Const::None => Some(None),
            _ => index(value).map(Some),
        };
        let len = len as isize;
        let step = part(&parts[2])?.unwrap_or(1);
        if step == 0 {
            return None;
        }
        let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
        let clip = |value: Option<isize>, default: isize| match value {
            None => default,
            Some(value) => (if value < 0 { value + len } else { value }).clamp(low, high),
        };
        let start = clip(part(&parts[0])?, if step > 0 { low } else { high });
        let stop = clip(part(&parts[1])?, if step > 0 { high } else { low });
        let mut picked = Vec::new();
        let mut at = start;
        while if step > 0 { at < stop } else { at > stop } {
            picked.push(at.unsigned_abs());
            at = at.saturating_add(step);
        }
        Some(picked)
    };
    match container {
        Const::Tuple(items) => {
            Some(Const::Tuple(pick(items.len())?.into_iter().filter_map(|i| items.get(i).cloned()).collect()))
        }
        Const::Bytes(bytes) => {
            Some(Const::Bytes(pick(bytes.len())?.into_iter().filter_map(|i| bytes.get(i).copied()).collect()))
        }
        Const::Str(text) => {
            let chars = characters(&text.value);
            let picked: Vec<&[u8]> =
                pick(chars.len())?.into_iter().filter_map(|i| chars.get(i).copied()).collect();
            Some(str_const(&picked.concat()))
        }
        _ => None,
    }
}

/// A set's elements, each once, in the order of their first occurrence.
pub fn unique(values: Vec<Const>) -> Vec<Const> {
    let mut seen = taipan_bytecode::hash::FastSet::default();
    values.into_iter().filter(|value| has_nan(value) || seen.insert(representative(value))).collect()
}

/// The same for all constants that are equal to Python: `1`, `1.0`, `True`.
fn representative(value: &Const) -> Const {
    match value {
        Const::True | Const::False => int(value).map_or(Const::None, |value| from_int(&value)),
        Const::Float(number) if number.fract() == 0.0 => {
            BigInt::from_f64(*number).map_or_else(|_| value.clone(), |whole| from_int(&whole))
        }
        Const::Complex(real, imag) if *imag == 0.0 => representative(&Const::Float(*real)),
        Const::Complex(real, imag) if *real == 0.0 => Const::Complex(0.0, *imag),
        Const::Tuple(items) => Const::Tuple(items.iter().map(representative).collect()),
        Const::FrozenSet(items) => Const::FrozenSet(items.iter().map(representative).collect()),
        _ => value.clone(),
    }
}

/// A number with sign, or a sum of a real and an imaginary one: what patterns allow as literal.
pub fn literal(value: &Expr<'_>) -> Option<Const> {
    match value.kind {
        ExprKind::UnaryOp { op: UnaryOp::USub, operand } => match operand.kind {
            ExprKind::Constant(constant) => negative(&from_ast(&constant)),
            _ => None,
        },
        ExprKind::BinOp { left, op: op @ (Operator::Add | Operator::Sub), right } => {
            let left = match left.kind {
                ExprKind::Constant(constant) => from_ast(&constant),
                _ => literal(left)?,
            };
            let ExprKind::Constant(right) = right.kind else { return None };
            let op = if op == Operator::Add { BinaryOp::Add } else { BinaryOp::Subtract };
            binary(op, &left, &from_ast(&right))
        }
        _ => None,
    }
}
