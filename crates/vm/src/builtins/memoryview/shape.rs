//! Buffers of any shape: contiguity, walking over items, copying.
#![allow(
    clippy::indexing_slicing,
    reason = "dimensions run below `ndim`, to which shape and strides have as many entries"
)]

use crate::prelude::*;

/// Where an item is: bytes from the start of the memory, suboffsets followed.
///
/// # Safety
/// `view` describes live memory, and the indices are within its shape.
unsafe fn step(view: &PyBuffer, ptr: *mut u8, dim: usize, index: isize) -> *mut u8 {
    // SAFETY: the caller vouches for memory and index.
    unsafe {
        let mut ptr = ptr.offset(stride_of(view, dim).wrapping_mul(index));
        if !view.suboffsets.is_null() {
            let sub = *view.suboffsets.add(dim);
            if sub >= 0 {
                ptr = (*ptr.cast::<*mut u8>()).offset(sub);
            }
        }
        ptr
    }
}

/// The shape; for views without one, the number of items.
pub fn shape_of(view: &PyBuffer) -> Vec<isize> {
    let ndim = view.ndim.max(0) as usize;
    if view.shape.is_null() {
        return if ndim == 0 { Vec::new() } else { vec![view.len / view.itemsize.max(1)] };
    }
    // SAFETY: `shape` has `ndim` entries.
    (0..ndim).map(|dim| unsafe { *view.shape.add(dim) }).collect()
}

/// The stride of a dimension; for views without strides, what C order means.
pub fn stride_of(view: &PyBuffer, dim: usize) -> isize {
    if !view.strides.is_null() {
        // SAFETY: `strides` has `ndim` entries.
        return unsafe { *view.strides.add(dim) };
    }
    let shape = shape_of(view);
    shape.iter().skip(dim + 1).fold(view.itemsize, |stride, &n| stride.wrapping_mul(n))
}

/// Whether the items lie one after the other in C order.
pub fn is_c_contiguous(view: &PyBuffer) -> bool {
    if !view.suboffsets.is_null() {
        return false;
    }
    if view.strides.is_null() || view.len == 0 {
        return true;
    }
    let mut wanted = view.itemsize;
    for (dim, &n) in shape_of(view).iter().enumerate().rev() {
        if n > 1 && stride_of(view, dim) != wanted {
            return false;
        }
        wanted = wanted.wrapping_mul(n);
    }
    true
}

/// Whether the items lie one after the other in Fortran order.
pub fn is_f_contiguous(view: &PyBuffer) -> bool {
    if !view.suboffsets.is_null() {
        return false;
    }
    if view.len == 0 {
        return true;
    }
    let shape = shape_of(view);
    if view.strides.is_null() {
        // C order, which is the same only for one dimension that counts.
        return view.ndim <= 1 || shape.iter().filter(|&&n| n > 1).count() <= 1;
    }
    let mut wanted = view.itemsize;
    for (dim, &n) in shape.iter().enumerate() {
        if n > 1 && stride_of(view, dim) != wanted {
            return false;
        }
        wanted = wanted.wrapping_mul(n);
    }
    true
}

/// The item at the given indices.
///
/// # Safety
/// `view` describes live memory, and the indices are within its shape.
pub unsafe fn item_at(view: &PyBuffer, indices: &[isize]) -> *mut u8 {
    let mut ptr = view.buf.cast::<u8>();
    for (dim, &index) in indices.iter().enumerate() {
        // SAFETY: passed on to the caller.
        ptr = unsafe { step(view, ptr, dim, index) };
    }
    ptr
}

/// Calls `each` with a pointer to every item in C order (or Fortran order).
pub fn for_each_item(
    view: &PyBuffer,
    fortran: bool,
    mut each: impl FnMut(*mut u8) -> PyResult<()>,
) -> PyResult<()> {
    let shape = shape_of(view);
    if shape.contains(&0) {
        return Ok(());
    }
    let mut indices = vec![0isize; shape.len()];
    loop {
        // SAFETY: the indices are within the shape.
        each(unsafe { item_at(view, &indices) })?;
        let mut advanced = false;
        for place in 0..indices.len() {
            let dim = if fortran { place } else { indices.len() - 1 - place };
            indices[dim] += 1;
            if indices[dim] < shape[dim] {
                advanced = true;
                break;
            }
            indices[dim] = 0;
        }
        if !advanced {
            return Ok(());
        }
    }
}

/// A copy of the items' bytes in the given order: `C`, `F`, or `A` for Fortran order where the memory is so.
pub fn copy_out(view: &PyBuffer, order: u8, vm: &Vm) -> PyResult<Vec<u8>> {
    let fortran = order == b'F' || (order == b'A' && is_f_contiguous(view) && !is_c_contiguous(view));
    let len = view.len.max(0) as usize;
    let mut out: Vec<u8> = Vec::new();
    out.try_reserve_exact(len).map_err(|_| vm.memory_error())?;
    if if fortran { is_f_contiguous(view) } else { is_c_contiguous(view) } {
        if len > 0 {
            // SAFETY: the memory is one block of `len` bytes.
            out.extend_from_slice(unsafe { std::slice::from_raw_parts(view.buf.cast::<u8>(), len) });
        }
        return Ok(out);
    }
    let itemsize = view.itemsize.max(0) as usize;
    for_each_item(view, fortran, |ptr| {
        // SAFETY: the pointer is at an item of that size.
        out.extend_from_slice(unsafe { std::slice::from_raw_parts(ptr, itemsize) });
        Ok(())
    })?;
    Ok(out)
}

/// Whether two views have the same shape; a dimension of no length ends the comparison.
pub fn same_shape(a: &PyBuffer, b: &PyBuffer) -> bool {
    let (a, b) = (shape_of(a), shape_of(b));
    if a.len() != b.len() {
        return false;
    }
    for (x, y) in a.iter().zip(&b) {
        if x != y {
            return false;
        }
        if *x == 0 {
            break;
        }
    }
    true
}

/// The format's text; `B` without one.
pub fn format_of(view: &PyBuffer) -> &str {
    if view.format.is_null() {
        return "B";
    }
    // SAFETY: formats are NUL-terminated and live as long as the view.
    unsafe { std::ffi::CStr::from_ptr(view.format) }.to_str().unwrap_or("?")
}
