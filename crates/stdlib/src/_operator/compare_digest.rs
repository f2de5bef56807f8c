//! Comparison in a time that doesn't tell where the difference is.

use taipan_vm::protocols::buffer;

use taipan_vm::prelude::*;

/// Equality in a time that depends on the length of `b` only.
fn equal(a: &[u8], b: &[u8]) -> bool {
    let same_length = a.len() == b.len();
    // Of different lengths, `b` is compared with itself, and the difference counted in at the start.
    let left = if same_length { a } else { b };
    let mut difference = u8::from(!same_length);
    for (x, y) in left.iter().zip(b) {
        difference = std::hint::black_box(difference | (x ^ y));
    }
    difference == 0
}

/// `hmac.compare_digest`.
pub fn compare_digest(a: &Object, b: &Object, vm: &Vm) -> PyResult<bool> {
    if let (Some(a), Some(b)) = (a.downcast_ref::<Str>(), b.downcast_ref::<Str>()) {
        return match (a.ascii_bytes(), b.ascii_bytes()) {
            (Some(a), Some(b)) => Ok(equal(a, b)),
            _ => Err(vm.type_error("comparing strings with non-ASCII characters is not supported")),
        };
    }
    let is_bytes_like = |o: &Object| o.ob_type().as_buffer().is_some_and(|b| b.bf_getbuffer.get().is_some());
    if !is_bytes_like(a) && !is_bytes_like(b) {
        let (left, right) = (a.ob_type().tp_name_str(), b.ob_type().tp_name_str());
        return Err(vm.type_error(format!(
            "unsupported operand types(s) or combination of types: '{left}' and '{right}'"
        )));
    }
    let (a, b) = (a.get_buffer(buffer::SIMPLE, vm)?, b.get_buffer(buffer::SIMPLE, vm)?);
    Ok(equal(a.as_bytes(), b.as_bytes()))
}
