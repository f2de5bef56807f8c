//! `typing.TypeVarTuple` (PEP 646).

use super::{Default, call_typing, no_default, set_module, unpack};
use crate::builtins::type_::ready::type_ready;
use crate::prelude::*;

/// A placeholder for any number of types.
#[repr(C)]
#[derive(Traverse)]
pub struct TypeVarTuple {
    /// The header.
    pub ob: Object,
    name: Slot<Object>,
    default: Default,
    dict: Slot<Object>,
    weakrefs: WeakList,
}

impl TypeVarTuple {
    fn create(name: &Object, vm: &Vm) -> PyResult<Ref<TypeVarTuple>> {
        type_ready(Self::type_object(), vm)?;
        Ok(vm.new_object(TypeVarTuple {
            ob: Object::new(Self::type_object()),
            name: Slot::of(name.to_ref()),
            default: Default::known(no_default()),
            dict: Slot::empty(),
            weakrefs: WeakList::new(),
        }))
    }

    pub(super) fn set_lazy_default(&self, evaluator: &Object) {
        self.default.set_lazy(evaluator);
    }

    pub(super) fn has_a_default(&self) -> bool {
        self.default.exists()
    }
}

/// `INTRINSIC_TYPEVARTUPLE`.
pub fn new_typevartuple(name: &Object, vm: &Vm) -> PyResult<ObjRef> {
    let made = TypeVarTuple::create(name, vm)?;
    set_module(made.as_object(), vm)?;
    Ok(made.into_object())
}

/// Type variable tuple. A specialized form of type variable that enables
/// variadic generics.
///
/// The preferred way to construct a type variable tuple is via the
/// dedicated syntax for generic functions, classes, and type aliases,
/// where a single '*' indicates a type variable tuple::
///
///     def move_first_element_to_last[T, *Ts](tup: tuple[T, *Ts]) -> tuple[*Ts, T]:
///         return (*tup[1:], tup[0])
///
/// TypeVarTuple objects can also be created as follows::
///
///     Ts = TypeVarTuple('Ts')  # Can be given any name
///     DefaultTs = TypeVarTuple('Ts', default=(str, int))
///
/// For more details, see PEP 646.
#[pytype(
    name = "typing.TypeVarTuple",
    gc,
    dict = dict,
    weakrefs = weakrefs,
    members(__name__: OBJECT = name readonly)
)]
impl TypeVarTuple {
    #[new("!(name, *, default=typing.NoDefault)")]
    fn new(_cls: &Type, name: &Str, default: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        let made = TypeVarTuple::create(name.as_object(), vm)?;
        if let Some(default) = default {
            made.default.value.put(default.to_ref());
        }
        set_module(made.as_object(), vm)?;
        Ok(made.into_object())
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(self.name.get().unwrap_or_else(|| vm.none()).str(vm)?.into_object())
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult<ObjRef> {
        let unpacked = unpack(self.as_object(), vm)?;
        vm.new_tuple([unpacked]).as_object().iter(vm)
    }

    #[method("($self, arg, /)")]
    fn __typing_subst__(&self, _arg: &Object, vm: &Vm) -> PyResult<ObjRef> {
        Err(vm.type_error("Substitution of bare TypeVarTuple is not supported"))
    }

    #[method("($self, alias, args, /)")]
    fn __typing_prepare_subst__(&self, alias: &Object, args: &Object, vm: &Vm) -> PyResult<ObjRef> {
        call_typing("_typevartuple_prepare_subst", &[self.as_object(), alias, args], vm)
    }

    #[method("($self, /)")]
    fn __reduce__(&self) -> Option<ObjRef> {
        self.name.get()
    }

    #[method("($self, /)")]
    fn has_default(&self) -> bool {
        self.has_a_default()
    }

    #[method("($self, object, /)")]
    fn __mro_entries__(&self, _object: &Object, vm: &Vm) -> PyResult<ObjRef> {
        Err(vm.type_error("Cannot subclass an instance of TypeVarTuple"))
    }

    /// The default value for this TypeVarTuple.
    #[getter]
    fn __default__(&self, vm: &Vm) -> PyResult<ObjRef> {
        self.default.get(vm)
    }

    #[getter]
    fn evaluate_default(&self, vm: &Vm) -> Option<ObjRef> {
        self.default.evaluator(vm)
    }
}
