//! `mappingproxy`: a read-only view of a mapping; `cls.__dict__` is one.

use crate::prelude::*;
use crate::protocols::{container, number};

/// The view.
#[repr(C)]
#[derive(Traverse)]
pub struct MappingProxy {
    #[traverse(skip)]
    ob: Object,
    mapping: ObjRef,
}

impl MappingProxy {
    /// A view of `mapping`.
    pub fn new(mapping: &Object, vm: &Vm) -> Ref<Self> {
        vm.new_object(MappingProxy { ob: Object::new(Self::type_object()), mapping: mapping.to_ref() })
    }

    fn forward(&self, name: &str, args: &[&Object], vm: &Vm) -> PyResult {
        self.mapping.call_method(&vm.intern(name), args, vm)
    }
}

/// Read-only proxy of a mapping.
#[pytype(name = "mappingproxy", symbol = "PyDictProxy_Type", flags(MAPPING), gc)]
impl MappingProxy {
    #[new("(mapping)")]
    fn new_proxy(cls: &Type, mapping: &Object, vm: &Vm) -> PyResult {
        let usable = container::is_mapping(mapping)
            && mapping.downcast_ref::<List>().is_none()
            && mapping.downcast_ref::<Tuple>().is_none();
        if !usable {
            return Err(vm.type_error(format!(
                "mappingproxy() argument must be a mapping, not {}",
                mapping.ob_type().name()
            )));
        }
        vm.new_instance(cls, MappingProxy { ob: Object::new(Self::type_object()), mapping: mapping.to_ref() })
    }

    /// Return the value for key if key is in the mapping, else default.
    #[method("($self, key, default=None, /)")]
    fn get(&self, key: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        self.forward("get", &[key, default.unwrap_or(vm.none_ref())], vm)
    }

    /// a set-like object providing a view on D's keys
    #[method("($self, /)")]
    fn keys(&self, vm: &Vm) -> PyResult {
        self.forward("keys", &[], vm)
    }

    /// an object providing a view on D's values
    #[method("($self, /)")]
    fn values(&self, vm: &Vm) -> PyResult {
        self.forward("values", &[], vm)
    }

    /// a set-like object providing a view on D's items
    #[method("($self, /)")]
    fn items(&self, vm: &Vm) -> PyResult {
        self.forward("items", &[], vm)
    }

    /// a shallow copy of D
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> PyResult {
        self.forward("copy", &[], vm)
    }

    /// See PEP 585
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, item: &Object, vm: &Vm) -> ObjRef {
        crate::builtins::generic_alias::GenericAlias::new(cls.as_object(), item, vm)
    }

    #[method("($self, /)")]
    fn __reversed__(&self, vm: &Vm) -> PyResult {
        self.forward("__reversed__", &[], vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult {
        let inner = self.mapping.repr(vm)?;
        Ok(vm.new_str(&format!("mappingproxy({})", inner.to_string_lossy())).into_object())
    }

    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        self.mapping.str(vm)
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        self.mapping.hash(vm)
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult {
        self.mapping.iter(vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        match other.downcast_exact::<MappingProxy>() {
            Some(proxy) => self.mapping.rich_compare(&proxy.mapping, op, vm),
            None => self.mapping.rich_compare(other, op, vm),
        }
    }

    #[slot]
    fn mp_length(&self, vm: &Vm) -> PyResult<usize> {
        self.mapping.length(vm)
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        self.mapping.get_item(key, vm)
    }

    #[slot]
    fn sq_contains(&self, key: &Object, vm: &Vm) -> PyResult<bool> {
        self.mapping.contains(key, vm)
    }

    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        let inner = |o: &Object| match o.downcast_exact::<MappingProxy>() {
            Some(proxy) => proxy.mapping.clone(),
            None => o.to_ref(),
        };
        number::or(&inner(a), &inner(b), vm)
    }

    #[slot]
    fn nb_inplace_or(&self, _other: &Object, vm: &Vm) -> PyResult {
        Err(vm.type_error(format!(
            "'|=' is not supported by {}; use '|' instead",
            self.as_object().ob_type().name()
        )))
    }
}
