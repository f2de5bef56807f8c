//! `memoryview.cast`: the same bytes by another format or shape.

use super::{C_ORDER, MemoryView, format, shape};
use crate::prelude::*;
use crate::protocols::buffer::MAX_NDIM;

fn is_byte_format(code: u8) -> bool {
    matches!(code, b'b' | b'B' | b'c')
}

/// The dimensions that a list or tuple gives.
fn read_shape(given: &Object, vm: &Vm) -> PyResult<Vec<isize>> {
    let items = if let Some(list) = given.downcast_ref::<List>() {
        list.to_vec()
    } else if let Some(tuple) = given.downcast_ref::<Tuple>() {
        tuple.as_slice().to_vec()
    } else {
        return Err(vm.type_error("shape must be a list or a tuple"));
    };
    let mut dims = Vec::with_capacity(items.len().min(MAX_NDIM));
    for item in &items {
        let Some(int) = item.downcast_ref::<Int>() else {
            return Err(vm.type_error("memoryview.cast(): elements of shape must be integers"));
        };
        match int.to_i64() {
            Some(n) if n > 0 => dims.push(n as isize),
            Some(_) => {
                return Err(vm.value_error("memoryview.cast(): elements of shape must be integers > 0"));
            }
            None => return Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
        }
    }
    Ok(dims)
}

impl MemoryView {
    fn cast_to(&self, format_object: &Str, dims: Option<Vec<isize>>, vm: &Vm) -> PyResult<Ref<MemoryView>> {
        let info = self.check(vm)?;
        let ndim = dims.as_ref().map_or(1, Vec::len);
        let text = format_object.to_string_lossy();
        let managed = self.managed(vm)?;
        let made = MemoryView::add(&managed, info, Some(ndim.max(1)), vm)?;
        let Some((code, size)) = format::native(&text) else {
            return Err(vm.value_error(
                "memoryview: destination format must be a native single character format prefixed with an optional '@'",
            ));
        };
        let from = format::native(shape::format_of(info)).map(|(code, _)| code);
        if !from.is_some_and(is_byte_format) && !is_byte_format(code) {
            return Err(vm.type_error("memoryview: cannot cast between two non-byte formats"));
        }
        let size = size as isize;
        if info.len % size != 0 {
            return Err(vm.type_error("memoryview: length is not a multiple of itemsize"));
        }
        // SAFETY: nobody else knows the view yet; its arrays have room for `ndim` (at least one) entries.
        unsafe {
            let view = made.info_mut();
            view.format = native_format_text(&text);
            view.itemsize = size;
            view.ndim = 1;
            *view.shape = info.len / size;
            *view.strides = size;
            view.suboffsets = std::ptr::null_mut();
            if let Some(dims) = dims {
                let mut len = size;
                for n in &dims {
                    len = len
                        .checked_mul(*n)
                        .ok_or_else(|| vm.value_error("memoryview.cast(): product(shape) > SSIZE_MAX"))?;
                }
                if len != info.len {
                    return Err(vm.type_error("memoryview: product(shape) * itemsize != buffer size"));
                }
                view.ndim = dims.len() as i32;
                if dims.is_empty() {
                    view.shape = std::ptr::null_mut();
                    view.strides = std::ptr::null_mut();
                }
                let mut stride = size;
                for (dim, n) in dims.iter().enumerate().rev() {
                    *view.shape.add(dim) = *n;
                    *view.strides.add(dim) = stride;
                    stride = stride.wrapping_mul(*n);
                }
            }
        }
        made.set_flags();
        Ok(made)
    }
}

/// A NUL-terminated text of a native format that lives for good.
fn native_format_text(format: &str) -> *mut std::ffi::c_char {
    macro_rules! texts {
        ($($text:literal)*) => {
            match format {
                $($text => concat!($text, "\0").as_ptr(),)*
                _ => c"B".as_ptr().cast(),
            }
        };
    }
    let text: *const u8 = texts!(
        "c" "b" "B" "h" "H" "i" "I" "l" "L" "q" "Q" "n" "N" "f" "d" "e" "?" "P"
        "@c" "@b" "@B" "@h" "@H" "@i" "@I" "@l" "@L" "@q" "@Q" "@n" "@N" "@f" "@d" "@e" "@?" "@P"
    );
    text.cast_mut().cast()
}

#[pymethods(table = CAST_METHODS)]
impl MemoryView {
    /// Cast a memoryview to a new format or shape.
    #[method("($self, /, format, shape=<unrepresentable>)")]
    fn cast(&self, format: &Object, shape: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let info = self.check(vm)?;
        let Some(format) = format.downcast_ref::<Str>() else {
            return Err(vm.type_error(format!(
                "cast() argument 'format' must be str, not {}",
                if vm.is_none(format) { "None" } else { format.ob_type().name() }
            )));
        };
        if self.flags.get() & C_ORDER == 0 {
            return Err(vm.type_error("memoryview: casts are restricted to C-contiguous views"));
        }
        if (shape.is_some() || info.ndim != 1) && shape::shape_of(info).contains(&0) {
            return Err(vm.type_error("memoryview: cannot cast view with zeros in shape or strides"));
        }
        let dims = match shape {
            Some(given) => {
                let dims = read_shape(given, vm)?;
                if dims.len() > MAX_NDIM {
                    return Err(vm.value_error("memoryview: number of dimensions must not exceed 64"));
                }
                if info.ndim != 1 && dims.len() != 1 {
                    return Err(vm.type_error("memoryview: cast must be 1D -> ND or ND -> 1D"));
                }
                Some(dims)
            }
            None => None,
        };
        self.cast_to(format, dims, vm).map(Ref::into_object)
    }
}
