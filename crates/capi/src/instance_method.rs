//! `instancemethod`: makes any callable behave as a function in a class (C API manual, "Instance Method Objects").

use taipan_vm::prelude::*;

use crate::support::*;

/// The layout of an instance method.
#[repr(C)]
#[derive(Traverse)]
pub struct InstanceMethod {
    #[traverse(skip)]
    ob: Object,
    function: Slot<Object>,
}

impl InstanceMethod {
    fn callable(&self, vm: &Vm) -> ObjRef {
        self.function.get().unwrap_or_else(|| vm.none())
    }
}

/// instancemethod(function)
///
/// Bind a function to a class.
#[pytype(name = "instancemethod", symbol = "PyInstanceMethod_Type", gc)]
impl InstanceMethod {
    #[new("(function, /)")]
    fn new(_cls: &Type, function: &Object, vm: &Vm) -> PyResult {
        if !function.is_callable() {
            return Err(vm.type_error("first argument must be callable"));
        }
        Ok(create(function, vm).into_object())
    }

    #[getter]
    fn __func__(&self, vm: &Vm) -> ObjRef {
        self.callable(vm)
    }

    #[getter]
    fn __doc__(&self, vm: &Vm) -> PyResult {
        self.callable(vm).get_attr(vm.ids().__doc__, vm)
    }

    #[slot]
    fn tp_getattro(&self, name: &Str, vm: &Vm) -> PyResult {
        // The type's own attributes come first, all others are the function's.
        match taipan_vm::builtins::type_::lookup::lookup(self.as_object().ob_type(), name, vm) {
            Some(_) => taipan_vm::protocols::attributes::generic_get(self.as_object(), name, vm),
            None => self.callable(vm).get_attr(name, vm),
        }
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        self.callable(vm).call_tuple_dict(args, kwargs, vm)
    }

    #[slot]
    fn tp_descr_get(&self, object: Option<&Object>, _cls: Option<&Object>, vm: &Vm) -> PyResult {
        let function = self.callable(vm);
        match object {
            Some(object) => Ok(Method::new(function, object.to_ref(), vm).into_object()),
            None => Ok(function),
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult {
        let function = self.callable(vm);
        let name = match function.lookup_attr(vm.ids().__name__, vm)? {
            Some(name) => name.str(vm)?.to_string_lossy().into_owned(),
            None => "?".to_owned(),
        };
        let text = format!("<instancemethod {name} at {:p}>", self.as_object());
        Ok(vm.new_str(&text).into_object())
    }
}

fn create(function: &Object, vm: &Vm) -> Ref<InstanceMethod> {
    vm.new_object(InstanceMethod {
        ob: Object::new(InstanceMethod::type_object()),
        function: Slot::of(function.to_ref()),
    })
}

capi! {
    fn PyInstanceMethod_New(vm, function: &Object) -> Ref<InstanceMethod> {
        create(function, vm)
    }

    fn PyInstanceMethod_Function(vm, object: Option<&Object>) -> PyResult<Ptr> {
        Ok(expect::<InstanceMethod>(object, vm)?.function.as_raw())
    }
}
