//! `bytes % args` (PEP 461).

use crate::builtins::str::percent::{Arguments, Resolved, number, resolve};
use crate::builtins::str::repr;
use crate::prelude::*;
use crate::protocols::buffer::{self, has_buffer};
use taipan_numeric::percent::{Directive, Parser, PercentError, Piece, push_number};

/// `template % value`, as the bytes of the result.
pub fn format(template: &[u8], value: &Object, vm: &Vm) -> PyResult<Vec<u8>> {
    let mut arguments = Arguments::new(value);
    let mut out = Vec::with_capacity(template.len() + 16);
    for piece in Parser::new(|at| template.get(at).map(|&b| b.into())) {
        let directive = match piece {
            Piece::Literal(start, stop) => {
                out.extend_from_slice(template.get(start..stop).unwrap_or(&[]));
                continue;
            }
            Piece::Directive(directive) => directive,
        };
        let keyed = match directive.key {
            _ if directive.conversion == Err(PercentError::IncompleteKey) => {
                arguments.mapping(vm)?;
                return Err(raise(PercentError::IncompleteKey, vm));
            }
            Some((start, stop)) => {
                let mapping = arguments.mapping(vm)?;
                let key = Bytes::try_from_slice(template.get(start..stop).unwrap_or(&[]), vm)?;
                Some(mapping.get_item(key.as_object(), vm)?)
            }
            None => None,
        };
        match &keyed {
            Some(item) => format_piece(&directive, &mut Arguments::single(item), &mut out, vm)?,
            None => format_piece(&directive, &mut arguments, &mut out, vm)?,
        }
    }
    arguments.finish("bytes", vm)?;
    Ok(out)
}

fn format_piece(
    directive: &Directive,
    arguments: &mut Arguments<'_>,
    out: &mut Vec<u8>,
    vm: &Vm,
) -> PyResult<()> {
    let resolved = resolve(directive, arguments, vm)?;
    let code = directive.conversion.map_err(|error| raise(error, vm))?;
    let letter = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    let value = arguments.take(vm)?;
    match letter {
        'r' | 'a' => {
            let text = repr::ascii(&value, vm)?;
            push_padded(out, text.ascii_bytes().unwrap_or(&[]), &resolved, true, vm)
        }
        's' | 'b' => {
            let data = bytes_of(&value, vm)?;
            push_padded(out, &data, &resolved, true, vm)
        }
        'c' => {
            let byte = single_byte(&value, vm)?;
            push_padded(out, &[byte], &resolved, false, vm)
        }
        _ => match bytes_number(&value, letter, &resolved, vm)? {
            Some(text) => {
                let mut shown = String::new();
                if !push_number(&mut shown, &text, letter, resolved.flags, resolved.width) {
                    return Err(vm.memory_error());
                }
                out.extend_from_slice(shown.as_bytes());
                Ok(())
            }
            None => Err(raise(PercentError::Unsupported(code, directive.index), vm)),
        },
    }
}

/// Raises what a broken directive deserves.
fn raise(error: PercentError, vm: &Vm) -> Raised {
    match error {
        PercentError::PrecisionTooBig => vm.value_error("prec too big"),
        other => vm.value_error(other.text()),
    }
}

/// As for str, except for the text when a float is wanted.
fn bytes_number(value: &Object, letter: char, resolved: &Resolved, vm: &Vm) -> PyResult<Option<String>> {
    let is_float = matches!(letter, 'e' | 'E' | 'f' | 'F' | 'g' | 'G');
    match number(value, letter, resolved, vm) {
        Err(Raised) if is_float && vm.exception_matches(types::type_error()) => {
            vm.clear_exception();
            Err(vm.type_error(format!("float argument required, not {}", value.ob_type().name())))
        }
        other => other,
    }
}

fn push_padded(out: &mut Vec<u8>, data: &[u8], resolved: &Resolved, cut: bool, vm: &Vm) -> PyResult<()> {
    let data = match resolved.precision {
        Some(precision) if cut => data.get(..precision).unwrap_or(data),
        _ => data,
    };
    let missing = resolved.width.saturating_sub(data.len());
    out.try_reserve(missing.saturating_add(data.len())).map_err(|_| vm.memory_error())?;
    let padding = std::iter::repeat_n(b' ', missing);
    if resolved.flags.left {
        out.extend_from_slice(data);
        out.extend(padding);
    } else {
        out.extend(padding);
        out.extend_from_slice(data);
    }
    Ok(())
}

/// The bytes of `%b`: of bytes-like objects, or what `__bytes__` gives.
fn bytes_of(value: &Object, vm: &Vm) -> PyResult<Vec<u8>> {
    if let Some(bytes) = value.downcast_ref::<Bytes>() {
        return Ok(bytes.as_bytes().to_vec());
    }
    if let Some(array) = value.downcast_ref::<ByteArray>() {
        return Ok(array.as_bytes().to_vec());
    }
    if let Some(bytes) = super::bytes_method(value, vm)? {
        return Ok(bytes.downcast_ref::<Bytes>().map(|b| b.as_bytes().to_vec()).unwrap_or_default());
    }
    if has_buffer(value) {
        return value.get_buffer(buffer::FULL_RO, vm)?.to_contiguous(vm);
    }
    Err(vm.type_error(format!(
        "%b requires a bytes-like object, or an object that implements __bytes__, not '{}'",
        value.ob_type().name()
    )))
}

/// The byte of `%c`.
fn single_byte(value: &Object, vm: &Vm) -> PyResult<u8> {
    let wrong = |data: &[u8], kind: &str| {
        vm.type_error(format!(
            "%c requires an integer in range(256) or a single byte, not a {kind} object of length {}",
            data.len()
        ))
    };
    if let Some(bytes) = value.downcast_ref::<Bytes>() {
        return match *bytes.as_bytes() {
            [byte] => Ok(byte),
            _ => Err(wrong(bytes.as_bytes(), "bytes")),
        };
    }
    if let Some(array) = value.downcast_ref::<ByteArray>() {
        return match *array.as_bytes() {
            [byte] => Ok(byte),
            _ => Err(wrong(array.as_bytes(), "bytearray")),
        };
    }
    if !value.has_index() {
        return Err(vm.type_error(format!(
            "%c requires an integer in range(256) or a single byte, not {}",
            value.ob_type().name()
        )));
    }
    match value.as_index(vm)?.to_i64().and_then(|n| u8::try_from(n).ok()) {
        Some(byte) => Ok(byte),
        None => Err(vm.overflow_error("%c arg not in range(256)")),
    }
}
