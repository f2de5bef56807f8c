//! The number protocol (C API manual, "Number Protocol").

use std::ffi::c_int;

use taipan_vm::prelude::*;
use taipan_vm::protocols::number;

use crate::support::*;

macro_rules! operators {
    ($($name:ident $function:ident;)*) => {
        capi! {$(
            fn $name(vm, a: Option<&Object>, b: Option<&Object>) -> PyResult {
                number::$function(present(a, vm)?, present(b, vm)?, vm)
            }
        )*}
    };
}

operators! {
    PyNumber_Add add;
    PyNumber_Subtract subtract;
    PyNumber_Multiply multiply;
    PyNumber_MatrixMultiply matrix_multiply;
    PyNumber_FloorDivide floor_divide;
    PyNumber_TrueDivide true_divide;
    PyNumber_Remainder remainder;
    PyNumber_Divmod divmod;
    PyNumber_Lshift lshift;
    PyNumber_Rshift rshift;
    PyNumber_And and;
    PyNumber_Xor xor;
    PyNumber_Or or;
    PyNumber_InPlaceAdd inplace_add;
    PyNumber_InPlaceSubtract inplace_subtract;
    PyNumber_InPlaceMultiply inplace_multiply;
    PyNumber_InPlaceMatrixMultiply inplace_matrix_multiply;
    PyNumber_InPlaceFloorDivide inplace_floor_divide;
    PyNumber_InPlaceTrueDivide inplace_true_divide;
    PyNumber_InPlaceRemainder inplace_remainder;
    PyNumber_InPlaceLshift inplace_lshift;
    PyNumber_InPlaceRshift inplace_rshift;
    PyNumber_InPlaceAnd inplace_and;
    PyNumber_InPlaceXor inplace_xor;
    PyNumber_InPlaceOr inplace_or;
}

fn has_number(object: &Object) -> bool {
    let suite = object.ob_type().as_number();
    suite
        .is_some_and(|n| n.nb_index.get().is_some() || n.nb_int.get().is_some() || n.nb_float.get().is_some())
        || object.downcast_ref::<Complex>().is_some()
}

capi! {
    fn PyNumber_Check(vm, object: Option<&Object>) -> bool {
        object.is_some_and(has_number)
    }

    fn PyIndex_Check(vm, object: &Object) -> bool {
        object.has_index()
    }

    fn PyNumber_Power(vm, a: Option<&Object>, b: Option<&Object>, c: Option<&Object>) -> PyResult {
        number::power(present(a, vm)?, present(b, vm)?, present(c, vm)?, vm)
    }

    fn PyNumber_InPlacePower(vm, a: Option<&Object>, b: Option<&Object>, c: Option<&Object>) -> PyResult {
        match c {
            Some(c) if !vm.is_none(c) => number::power(present(a, vm)?, present(b, vm)?, c, vm),
            _ => number::inplace_power(present(a, vm)?, present(b, vm)?, vm),
        }
    }

    fn PyNumber_Negative(vm, object: Option<&Object>) -> PyResult {
        number::negative(present(object, vm)?, vm)
    }

    fn PyNumber_Positive(vm, object: Option<&Object>) -> PyResult {
        number::positive(present(object, vm)?, vm)
    }

    fn PyNumber_Absolute(vm, object: Option<&Object>) -> PyResult {
        number::absolute(present(object, vm)?, vm)
    }

    fn PyNumber_Invert(vm, object: Option<&Object>) -> PyResult {
        number::invert(present(object, vm)?, vm)
    }

    fn PyNumber_Index(vm, object: Option<&Object>) -> PyResult {
        // An instance of a subclass of int becomes an int.
        number::as_index(present(object, vm)?, vm).map(|index| index.exact(vm))
    }

    fn _PyNumber_Index(vm, object: Option<&Object>) -> PyResult<Ref<Int>> {
        number::as_index(present(object, vm)?, vm)
    }

    fn PyNumber_Long(vm, object: Option<&Object>) -> PyResult {
        let object = present(object, vm)?;
        if let Some(exact) = object.downcast_exact::<Int>() {
            return Ok(exact.as_object().to_ref());
        }
        Int::type_object().as_object().call(&[object], vm)
    }

    fn PyNumber_Float(vm, object: Option<&Object>) -> PyResult {
        let object = present(object, vm)?;
        if let Some(exact) = object.downcast_exact::<Float>() {
            return Ok(exact.as_object().to_ref());
        }
        Float::type_object().as_object().call(&[object], vm)
    }

    fn PyNumber_AsSsize_t(vm, object: Option<&Object>, exception: Option<&Object>) -> PyResult<isize> {
        let object = present(object, vm)?;
        let Some(exception) = exception else { return number::as_isize_clamped(object, vm) };
        let index = number::as_index(object, vm)?;
        match index.to_i64() {
            Some(value) => Ok(value as isize),
            None => {
                let text = format!("cannot fit '{}' into an index-sized integer", object.ob_type().name());
                Err(crate::errors::set_object(exception, Some(vm.new_str(&text).as_object()), vm))
            }
        }
    }

    fn PyNumber_ToBase(vm, object: Option<&Object>, base: c_int) -> PyResult<Ref<Str>> {
        let base = u32::try_from(base).ok().filter(|base| matches!(base, 2 | 8 | 10 | 16));
        let Some(base) = base else {
            return Err(vm.system_error("PyNumber_ToBase: base must be 2, 8, 10 or 16"));
        };
        let index = number::as_index(present(object, vm)?, vm)?;
        if base == 10 {
            return Ok(vm.new_str(&index.to_text(vm)?));
        }
        let value = index.as_int_ref();
        let prefix = match base {
            2 => "0b",
            8 => "0o",
            _ => "0x",
        };
        let sign = if value.is_negative() { "-" } else { "" };
        Ok(vm.new_str(&format!("{sign}{prefix}{}", value.abs().to_text(base, false))))
    }
}
