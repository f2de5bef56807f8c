//! `types.SimpleNamespace`.

use crate::builtins::dict::repr_guard::ReprGuard;
use crate::prelude::*;

/// The layout of a namespace.
#[repr(C)]
#[derive(Traverse)]
pub struct Namespace {
    #[traverse(skip)]
    ob: Object,
    dict: Slot<Object>,
}

impl Namespace {
    /// A namespace with these attributes.
    pub fn new(attributes: Ref<Dict>, vm: &Vm) -> ObjRef {
        vm.new_object(Namespace {
            ob: Object::new(Self::type_object()),
            dict: Slot::of(attributes.into_object()),
        })
        .into_object()
    }

    fn attributes(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        crate::builtins::dict::managed::instance_dict(self.as_object(), vm)
    }
}

/// A simple attribute-based namespace.
#[pytype(name = "types.SimpleNamespace", symbol = "_PyNamespace_Type", flags(BASETYPE), gc, dict = dict)]
impl Namespace {
    #[new("(*args, **kwargs)")]
    fn construct(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        let dict = Slot::of(vm.new_dict().into_object());
        vm.new_instance(cls, Namespace { ob: Object::new(Self::type_object()), dict })
    }

    #[init("(mapping_or_iterable=(), /, **kwargs)")]
    fn init(&self, mapping_or_iterable: Option<&Object>, kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<()> {
        let own = self.attributes(vm)?;
        if let Some(source) = mapping_or_iterable {
            let all = Dict::type_object().as_object().call(&[source], vm)?;
            let Some(all) = all.downcast_ref::<Dict>() else { return Ok(()) };
            for (key, _) in all.items_vec() {
                if key.downcast_ref::<Str>().is_none() {
                    return Err(
                        vm.type_error(format!("keywords must be strings, not '{}'", key.ob_type().name()))
                    );
                }
            }
            own.update_from(all.as_object(), true, vm)?;
        }
        for (name, value) in kwargs.iter() {
            own.set_item(name.as_object(), value, vm)?;
        }
        Ok(())
    }

    /// Return state information for pickling
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let cls = self.as_object().ob_type().as_object().to_ref();
        Ok(vm.new_tuple([cls, Tuple::empty(vm).into_object(), self.attributes(vm)?.into_object()]))
    }

    /// Return a copy of the namespace object with new values for the specified attributes.
    #[method("($self, /, **changes)")]
    fn __replace__(&self, kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        let copy = self.as_object().ob_type().as_object().call_no_args(vm)?;
        let Some(namespace) = copy.downcast_ref::<Namespace>() else {
            return Err(vm.type_error(format!(
                "expect {} type, but {}() returned '{}' object",
                "types.SimpleNamespace",
                crate::interpreter::fully_qualified_name(self.as_object().ob_type(), vm),
                copy.ob_type().name()
            )));
        };
        let target = namespace.attributes(vm)?;
        target.update_from(self.attributes(vm)?.as_object(), true, vm)?;
        for (name, value) in kwargs.iter() {
            target.set_item(name.as_object(), value, vm)?;
        }
        Ok(copy)
    }

    #[getter]
    fn __dict__(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        self.attributes(vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult {
        let cls = self.as_object().ob_type();
        let name = if std::ptr::eq(cls, Self::type_object()) { "namespace" } else { cls.name() };
        let Some(_guard) = ReprGuard::enter(self.as_object(), vm) else {
            return Ok(vm.new_str(&format!("{name}(...)")).into_object());
        };
        let mut parts = Vec::new();
        for (key, value) in self.attributes(vm)?.items_vec() {
            if let Some(key) = key.downcast_ref::<Str>().filter(|k| k.len() > 0) {
                parts.push(format!("{}={}", key.to_string_lossy(), value.repr(vm)?.to_string_lossy()));
            }
        }
        Ok(vm.new_str(&format!("{name}({})", parts.join(", "))).into_object())
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_ref::<Namespace>() else { return Ok(vm.not_implemented()) };
        self.attributes(vm)?.as_object().rich_compare(other.attributes(vm)?.as_object(), op, vm)
    }
}
