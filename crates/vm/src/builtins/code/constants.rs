//! Constants of code objects: which strings are interned, and when two constants are the same.

use crate::builtins::complex::Complex;
use crate::builtins::set::FrozenSet;
use crate::prelude::*;

fn is_name(text: &Str) -> bool {
    text.as_ascii_str().is_some_and(|text| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
}

/// The constants with all strings interned that look like names, inside tuples too.
pub fn interned(constants: &Tuple, vm: &Vm) -> Ref<Tuple> {
    let items: Vec<ObjRef> = constants.as_slice().iter().map(|item| intern(item, vm)).collect();
    vm.new_tuple(items)
}

fn intern(item: &ObjRef, vm: &Vm) -> ObjRef {
    if let Some(text) = item.downcast_exact::<Str>() {
        if is_name(text) {
            return Str::intern(Ref::new_ref(text), vm).into_object();
        }
    } else if let Some(tuple) = item.downcast_exact::<Tuple>() {
        return interned(tuple, vm).into_object();
    }
    item.clone()
}

/// Whether two constants may stand for each other: equal, of the same types throughout, zeros of the same sign.
pub fn same(a: &Object, b: &Object, vm: &Vm) -> PyResult<bool> {
    if a.is(b) {
        return Ok(true);
    }
    if a.type_ptr() != b.type_ptr() {
        return Ok(false);
    }
    if let (Some(a), Some(b)) = (a.downcast_exact::<Float>(), b.downcast_exact::<Float>()) {
        return Ok(a.value().to_bits() == b.value().to_bits());
    }
    if let (Some(a), Some(b)) = (a.downcast_exact::<Complex>(), b.downcast_exact::<Complex>()) {
        return Ok(a.re.to_bits() == b.re.to_bits() && a.im.to_bits() == b.im.to_bits());
    }
    if let (Some(a), Some(b)) = (a.downcast_exact::<Tuple>(), b.downcast_exact::<Tuple>()) {
        if a.len() != b.len() {
            return Ok(false);
        }
        for (a, b) in a.as_slice().iter().zip(b.as_slice()) {
            if !same(a, b, vm)? {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    if let (Some(first), Some(second)) = (a.downcast_exact::<FrozenSet>(), b.downcast_exact::<FrozenSet>()) {
        if first.len() != second.len() {
            return Ok(false);
        }
        let others = b.collect_iterable(vm)?;
        for item in a.collect_iterable(vm)? {
            let mut found = false;
            for other in &others {
                found = found || same(&item, other, vm)?;
            }
            if !found {
                return Ok(false);
            }
        }
        return Ok(true);
    }
    a.eq(b, vm)
}
