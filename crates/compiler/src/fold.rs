//! Operations on constants, within CPython's limits on the size of results. `None` means: leave it to run time.

use taipan_bytecode::{BinaryOp, Const, marshal};
use taipan_parser::ast::{Expr, ExprKind, Operator, UnaryOp};

use crate::constants::{from_ast, str_const};

const MAX_INT_BITS: u32 = 128;
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

fn int(value: &Const) -> Option<i128> {
    match value {
        Const::True => Some(1),
        Const::False => Some(0),
        Const::Int(value) => Some(i128::from(*value)),
        Const::BigInt { negative, digits } if digits.len() <= 4 => {
            let size = digits
                .iter()
                .rev()
                .try_fold(0i128, |size, digit| size.checked_mul(1 << 30)?.checked_add(i128::from(*digit)))?;
            Some(if *negative { -size } else { size })
        }
        _ => None,
    }
}

fn from_int(value: i128) -> Const {
    let mut size = value.unsigned_abs();
    let mut digits = Vec::new();
    while size > 0 {
        digits.push((size & 0x3fff_ffff) as u32);
        size >>= 30;
    }
    marshal::int_const(value < 0, digits)
}

/// The value as a float, when the conversion is exact or the value is one.
fn float(value: &Const) -> Option<f64> {
    match value {
        Const::Float(value) => Some(*value),
        _ => int(value).map(|value| value as f64),
    }
}

fn bits(value: i128) -> u32 {
    128 - value.unsigned_abs().leading_zeros()
}

/// `-value`.
pub fn negative(value: &Const) -> Option<Const> {
    match value {
        Const::Float(value) => Some(Const::Float(-value)),
        Const::Complex(real, imag) => Some(Const::Complex(-real, -imag)),
        Const::BigInt { negative, digits } => Some(marshal::int_const(!negative, digits.to_vec())),
        _ => int(value).map(|value| from_int(-value)),
    }
}

/// `+value`.
pub fn positive(value: &Const) -> Option<Const> {
    match value {
        Const::Float(_) | Const::Complex(..) | Const::BigInt { .. } => Some(value.clone()),
        _ => int(value).map(from_int),
    }
}

/// `~value`; of a bool it is left to run time, where it warns.
pub fn invert(value: &Const) -> Option<Const> {
    match value {
        Const::Int(_) | Const::BigInt { .. } => int(value).map(|value| from_int(!value)),
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
            repeat(left, int(count)?)
        }
        (count, Const::Str(_) | Const::Bytes(_) | Const::Tuple(_)) if op == BinaryOp::Multiply => {
            repeat(right, int(count)?)
        }
        (Const::Complex(..), _) | (_, Const::Complex(..)) => complex(op, left, right),
        (Const::Float(_), _) | (_, Const::Float(_)) => floats(op, float(left)?, float(right)?),
        _ => ints(op, left, right),
    }
}

fn ints(op: BinaryOp, left: &Const, right: &Const) -> Option<Const> {
    let (a, b) = (int(left)?, int(right)?);
    let both_bool = matches!(left, Const::True | Const::False) && matches!(right, Const::True | Const::False);
    let result = match op {
        BinaryOp::Add => a.checked_add(b)?,
        BinaryOp::Subtract => a.checked_sub(b)?,
        BinaryOp::Multiply => {
            if a != 0 && b != 0 && bits(a) + bits(b) > MAX_INT_BITS {
                return None;
            }
            a.checked_mul(b)?
        }
        BinaryOp::FloorDivide => floor_div(a, b)?,
        BinaryOp::Remainder => a.checked_sub(floor_div(a, b)?.checked_mul(b)?)?,
        BinaryOp::And | BinaryOp::Or | BinaryOp::Xor => {
            let result = match op {
                BinaryOp::And => a & b,
                BinaryOp::Or => a | b,
                _ => a ^ b,
            };
            if both_bool {
                return Some(if result != 0 { Const::True } else { Const::False });
            }
            result
        }
        BinaryOp::Lshift => {
            let shift = u32::try_from(b).ok()?;
            if a != 0 && (shift > MAX_INT_BITS || bits(a) > MAX_INT_BITS - shift) {
                return None;
            }
            if a == 0 { 0 } else { a.checked_mul(1i128.checked_shl(shift).filter(|p| *p > 0)?)? }
        }
        BinaryOp::Rshift => {
            let shift = u32::try_from(b).ok()?;
            if shift >= 127 { if a < 0 { -1 } else { 0 } } else { a >> shift }
        }
        BinaryOp::Power => {
            if b < 0 {
                return floats(op, a as f64, b as f64);
            }
            let exponent = u32::try_from(b).ok()?;
            if a != 0 && exponent != 0 && (exponent > MAX_INT_BITS || bits(a) > MAX_INT_BITS / exponent) {
                return None;
            }
            a.checked_pow(exponent)?
        }
        BinaryOp::TrueDivide => {
            let exact = 1i128 << 53;
            if b == 0 || a.abs() > exact || b.abs() > exact {
                return None;
            }
            return Some(Const::Float(a as f64 / b as f64));
        }
        _ => return None,
    };
    Some(from_int(result))
}

fn floor_div(a: i128, b: i128) -> Option<i128> {
    let quotient = a.checked_div(b)?;
    Some(if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient })
}

fn floats(op: BinaryOp, a: f64, b: f64) -> Option<Const> {
    let modulo = || {
        let rest = a % b;
        if rest == 0.0 {
            0.0f64.copysign(b)
        } else if (rest < 0.0) != (b < 0.0) {
            rest + b
        } else {
            rest
        }
    };
    Some(Const::Float(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::TrueDivide if b != 0.0 => a / b,
        BinaryOp::Remainder if b != 0.0 => modulo(),
        BinaryOp::FloorDivide if b != 0.0 => {
            let quotient = (a - modulo()) / b;
            if quotient == 0.0 {
                0.0f64.copysign(a / b)
            } else {
                let floor = quotient.floor();
                if quotient - floor > 0.5 { floor + 1.0 } else { floor }
            }
        }
        BinaryOp::Power => {
            let result = a.powf(b);
            let fails = a == 0.0 && b < 0.0
                || a < 0.0 && b.fract() != 0.0
                || result.is_infinite() && a.is_finite() && b.is_finite();
            if fails {
                return None;
            }
            result
        }
        _ => return None,
    }))
}

fn complex(op: BinaryOp, left: &Const, right: &Const) -> Option<Const> {
    let (real, imag) = match (left, right) {
        (Const::Complex(a, b), Const::Complex(c, d)) => match op {
            BinaryOp::Add => (a + c, b + d),
            BinaryOp::Subtract => (a - c, b - d),
            BinaryOp::Multiply => (a * c - b * d, a * d + b * c),
            _ => return None,
        },
        (Const::Complex(a, b), other) => {
            let c = float(other)?;
            match op {
                BinaryOp::Add => (a + c, *b),
                BinaryOp::Subtract => (a - c, *b),
                BinaryOp::Multiply => (a * c, b * c),
                BinaryOp::TrueDivide if c != 0.0 => (a / c, b / c),
                _ => return None,
            }
        }
        (other, Const::Complex(c, d)) => {
            let a = float(other)?;
            match op {
                BinaryOp::Add => (a + c, *d),
                BinaryOp::Subtract => (a - c, -d),
                BinaryOp::Multiply => (a * c, a * d),
                _ => return None,
            }
        }
        _ => return None,
    };
    Some(Const::Complex(real, imag))
}

fn repeat(value: &Const, count: i128) -> Option<Const> {
    let count = usize::try_from(count.max(0)).ok()?;
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
    let index = int(index)?;
    let at = |len: usize| {
        let len = len as i128;
        usize::try_from(if index < 0 { index + len } else { index }).ok()
    };
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
            _ => int(value).map(Some),
        };
        let len = len as i128;
        let step = part(&parts[2])?.unwrap_or(1);
        if step == 0 {
            return None;
        }
        let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
        let clip = |value: Option<i128>, default: i128| match value {
            None => default,
            Some(value) => (if value < 0 { value + len } else { value }).clamp(low, high),
        };
        let start = clip(part(&parts[0])?, if step > 0 { low } else { high });
        let stop = clip(part(&parts[1])?, if step > 0 { high } else { low });
        let mut picked = Vec::new();
        let mut at = start;
        while if step > 0 { at < stop } else { at > stop } {
            picked.push(usize::try_from(at).ok()?);
            at = at.checked_add(step)?;
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
    let mut seen = std::collections::HashSet::new();
    values.into_iter().filter(|value| seen.insert(value.clone())).collect()
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
