//! The keys that `cmp_to_key` makes.

use taipan_vm::prelude::*;

/// A comparison function, and the object that it compares once one is wrapped.
#[repr(C)]
#[derive(Traverse)]
pub struct KeyWrapper {
    #[traverse(skip)]
    ob: Object,
    cmp: ObjRef,
    object: Slot<Object>,
}

impl KeyWrapper {
    /// A key for `object`; without one, the function that makes keys.
    pub fn make(cmp: &Object, object: Option<&Object>, vm: &Vm) -> ObjRef {
        vm.new_object(KeyWrapper {
            ob: Object::new(Self::type_object()),
            cmp: cmp.to_ref(),
            object: Slot::new(object.map(Object::to_ref)),
        })
        .into_object()
    }
}

#[pytype(
    name = "functools.KeyWrapper",
    gc,
    no_new,
    unhashable,
    doc = "",
    members(obj: OBJECT = object "Value wrapped by a key function.")
)]
impl KeyWrapper {
    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let keywords = kwargs.map_or(0, Dict::len);
        let given = args.len() + keywords;
        if given > 1 {
            return Err(vm.type_error(format!("K() takes at most 1 argument ({given} given)")));
        }
        let named = match kwargs {
            Some(kwargs) => kwargs.get_str(vm.ids().obj, vm)?,
            None => None,
        };
        match args.get(0).map(Object::to_ref).or(named) {
            Some(object) => Ok(KeyWrapper::make(&self.cmp, Some(&object), vm)),
            None => Err(vm.type_error("K() missing required argument 'obj' (pos 1)")),
        }
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_exact::<KeyWrapper>() else {
            return Err(vm.type_error("other argument must be K instance"));
        };
        let (Some(x), Some(y)) = (self.object.get(), other.object.get()) else {
            return Err(vm.attribute_error("object"));
        };
        let answer = self.cmp.call(&[&x, &y], vm)?;
        answer.rich_compare(&vm.new_int(0), op, vm)
    }
}
