//! `filter`.

use crate::prelude::*;

/// The layout of `filter`.
#[repr(C)]
#[derive(Traverse)]
pub struct Filter {
    #[traverse(skip)]
    ob: Object,
    function: ObjRef,
    iterator: ObjRef,
}

/// Return an iterator yielding those items of iterable for which function(item)
/// is true. If function is None, return the items that are true.
#[pytype(name = "filter", symbol = "PyFilter_Type", flags(BASETYPE), gc)]
impl Filter {
    #[new("(function, iterable, /)")]
    fn new(cls: &Type, function: &Object, iterable: &Object, vm: &Vm) -> PyResult {
        let iterator = iterable.iter(vm)?;
        vm.new_instance(
            cls,
            Filter { ob: Object::new(Self::type_object()), function: function.to_ref(), iterator },
        )
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> Ref<Tuple> {
        let args = vm.new_tuple([self.function.clone(), self.iterator.clone()]);
        vm.new_tuple([self.as_object().ob_type().as_object().to_ref(), args.into_object()])
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let plain = vm.is_none(&self.function) || self.function.is(Bool::type_object().as_object());
        while let Some(item) = self.iterator.iter_next(vm)? {
            let keep =
                if plain { item.is_true(vm)? } else { self.function.call(&[&item], vm)?.is_true(vm)? };
            if keep {
                return Ok(Some(item));
            }
        }
        Ok(None)
    }
}
