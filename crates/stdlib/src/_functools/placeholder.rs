//! `Placeholder`: a place in `partial`'s arguments that a later call fills.

use taipan_vm::prelude::*;

/// The layout of the one placeholder.
#[repr(C)]
#[derive(Traverse)]
pub struct PlaceholderType {
    #[traverse(skip)]
    ob: Object,
}

#[derive(Default)]
struct Sentinel {
    object: Slot<Object>,
}

/// The interpreter's placeholder.
pub fn placeholder(vm: &Vm) -> ObjRef {
    let sentinel = &vm.interp().state::<Sentinel>().object;
    sentinel.get().unwrap_or_else(|| {
        let made = vm.new_object(PlaceholderType { ob: Object::new(PlaceholderType::type_object()) });
        sentinel.put(made.clone().into_object());
        made.into_object()
    })
}

/// Whether an object is the placeholder.
pub fn is_placeholder(object: &Object) -> bool {
    std::ptr::eq(object.type_ptr(), PlaceholderType::static_type())
}

/// The type of the Placeholder singleton.
///
/// Used as a placeholder for partial arguments.
#[pytype(name = "functools._PlaceholderType", gc)]
impl PlaceholderType {
    #[method("($self, /)")]
    fn __reduce__(&self) -> &'static str {
        "Placeholder"
    }

    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        if args.len() > 0 || kwargs.is_some_and(|kwargs| kwargs.len() > 0) {
            return Err(vm.type_error(format!("{} takes no arguments", cls.name())));
        }
        Ok(placeholder(vm))
    }

    #[slot]
    fn tp_repr(&self) -> &'static str {
        "Placeholder"
    }
}
