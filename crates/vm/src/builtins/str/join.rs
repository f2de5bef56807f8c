//! `str.join`.

use super::layout::Kind;
use super::make::{max_char_bound, write_data};
use crate::prelude::*;

impl Str {
    /// `separator.join(items)`.
    pub fn join_items(separator: &Str, items: &[ObjRef], vm: &Vm) -> PyResult<Ref<Str>> {
        match items {
            [] => return Ok(Str::empty()),
            [only] => {
                if let Some(text) = only.downcast_exact::<Str>() {
                    return Ok(text.into());
                }
            }
            _ => {}
        }
        let mut total = separator.len().checked_mul(items.len() - 1);
        let mut bound = if items.len() > 1 && !separator.is_empty() { max_char_bound(separator) } else { 0 };
        for (index, item) in items.iter().enumerate() {
            let Some(text) = item.downcast_ref::<Str>() else {
                return Err(vm.type_error(format!(
                    "sequence item {index}: expected str instance, {} found",
                    item.ob_type().name()
                )));
            };
            bound = bound.max(max_char_bound(text));
            total = total.and_then(|n| n.checked_add(text.len()));
        }
        let Some(total) = total.filter(|&n| n <= isize::MAX as usize) else {
            return Err(vm.overflow_error("join() result is too long for a Python string"));
        };
        if total == 0 {
            return Ok(Str::empty());
        }
        // SAFETY: filled right here: the lengths were added up above, and strings don't change.
        unsafe {
            let result = Str::try_allocate(total, bound, vm)?;
            if result.kind() == Kind::One {
                join_narrow(&result, separator, items);
                return if total == 1 { Str::try_from_data(result.data(), vm) } else { Ok(result) };
            }
            let mut at = 0;
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    write_data(&result, at, separator.data());
                    at += separator.len();
                }
                let text = item.cast::<Str>();
                write_data(&result, at, text.data());
                at += text.len();
            }
            Ok(result)
        }
    }
}

/// Fills a string of one-byte units, as all parts then are.
///
/// # Safety
/// `result` is fresh and as long as all parts together; the items are strings, none wider than a byte.
unsafe fn join_narrow(result: &Str, separator: &Str, items: &[ObjRef]) {
    // SAFETY: the caller vouches for the room and the kinds.
    unsafe {
        let mut to = result.data_ptr();
        let (between, width) = (separator.data_ptr(), separator.len());
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                if width == 1 {
                    *to = *between;
                } else {
                    std::ptr::copy_nonoverlapping(between, to, width);
                }
                to = to.add(width);
            }
            let text = item.cast::<Str>();
            std::ptr::copy_nonoverlapping(text.data_ptr(), to, text.len());
            to = to.add(text.len());
        }
    }
}

#[pymethods(table = JOIN_METHODS)]
impl Str {
    /// Concatenate the strings of an iterable, with this string between them.
    #[method("($self, iterable, /)")]
    fn join(&self, iterable: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
        // Joining runs no Python code, so a list or tuple stays as it is.
        if let Some(list) = iterable.downcast_exact::<List>() {
            // SAFETY: as said, nothing changes the list meanwhile.
            return Str::join_items(self, unsafe { list.borrow_slice() }, vm);
        }
        if let Some(tuple) = iterable.downcast_exact::<Tuple>() {
            return Str::join_items(self, tuple.as_slice(), vm);
        }
        let items = match iterable.collect_iterable(vm) {
            Ok(items) => items,
            Err(Raised) if vm.exception_matches(types::type_error()) && !is_iterable(iterable) => {
                vm.clear_exception();
                return Err(vm.type_error("can only join an iterable"));
            }
            Err(Raised) => return Err(Raised),
        };
        Str::join_items(self, &items, vm)
    }
}

fn is_iterable(object: &Object) -> bool {
    object.ob_type().tp_iter.get().is_some() || crate::protocols::container::is_sequence(object)
}
