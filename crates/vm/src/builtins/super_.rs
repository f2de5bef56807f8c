//! `super`.

use super::type_::lookup::{mro, type_dict};
use crate::prelude::*;
use crate::protocols::attributes::{bind, generic_get};

/// The layout of a super object.
#[repr(C)]
#[derive(Traverse)]
pub struct Super {
    #[traverse(skip)]
    ob: Object,
    /// The class after which the search starts.
    start: Slot<Type>,
    object: Slot<Object>,
    /// The class whose order is searched.
    object_type: Slot<Type>,
}

/// Finds `name` behind `start` in the order of `object_type` and binds it.
fn find(start: &Type, object: &Object, object_type: &Type, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    // `__class__` is the super object's own.
    if name.eq_str("__class__") {
        return Ok(None);
    }
    let name = Str::intern(Str::exact(name, vm), vm);
    let order: Vec<ObjRef> = mro(object_type).to_vec();
    let behind = order.iter().skip_while(|entry| !entry.is(start.as_object())).skip(1);
    for entry in behind {
        let Some(cls) = entry.downcast_ref::<Type>() else { continue };
        let found = type_dict(cls).and_then(|dict| dict.lookup_interned(&name)).map(Object::to_ref);
        if let Some(found) = found {
            // For a class method's first argument the instance is left out.
            let instance = Some(object).filter(|o| !o.is(object_type.as_object()));
            return bind(&found, instance, object_type, vm).map(Some);
        }
    }
    Ok(None)
}

/// The method `name` of `super(start, object)` unbound, for a call with the object as first argument; none when it is no
/// plain method, so that `super_attr` must bind it.
pub fn super_method(start: &Type, object: &Object, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    if object.downcast_ref::<Type>().is_some() || name.eq_str("__class__") || !name.is_interned() {
        return Ok(None);
    }
    let object_type = check(start, object, vm)?;
    let behind = mro(&object_type).iter().skip_while(|entry| !entry.is(start.as_object())).skip(1);
    for entry in behind {
        let Some(cls) = entry.downcast_ref::<Type>() else { continue };
        if let Some(found) = type_dict(cls).and_then(|dict| dict.lookup_interned(name)) {
            let plain = found.ob_type().has_flag(TypeFlags::METHOD_DESCRIPTOR);
            return Ok(plain.then(|| found.to_ref()));
        }
    }
    Ok(None)
}

/// `super(start, object).name`, without making the super object.
pub fn super_attr(start: &Type, object: &Object, name: &Str, vm: &Vm) -> PyResult {
    let object_type = check(start, object, vm)?;
    match find(start, object, &object_type, name, vm)? {
        Some(value) => Ok(value),
        None => {
            let made = make(start, Some(object), vm)?;
            generic_get(made.as_object(), name, vm)
        }
    }
}

fn make(start: &Type, object: Option<&Object>, vm: &Vm) -> PyResult<Ref<Super>> {
    let object_type = object.map(|o| check(start, o, vm)).transpose()?;
    Ok(vm.new_object(Super {
        ob: Object::new(Super::type_object()),
        start: Slot::of(start.into()),
        object: Slot::new(object.map(Object::to_ref)),
        object_type: Slot::new(object_type),
    }))
}

/// The class whose order is searched: `object` itself when it is a subclass of `start`, else its class.
fn check(start: &Type, object: &Object, vm: &Vm) -> PyResult<Ref<Type>> {
    if let Some(cls) = object.downcast_ref::<Type>() {
        if cls.is_subtype_of(start) {
            return Ok(cls.into());
        }
    }
    if object.ob_type().is_subtype_of(start) {
        return Ok(object.ob_type().into());
    }
    if let Some(claimed) = object.lookup_attr(vm.ids().__class__, vm)? {
        if let Some(cls) = claimed.downcast_ref::<Type>() {
            if !std::ptr::eq(cls, object.ob_type()) && cls.is_subtype_of(start) {
                return Ok(cls.into());
            }
        }
    }
    let (kind, name) = match object.downcast_ref::<Type>() {
        Some(cls) => ("type", cls.name()),
        None => ("instance of", object.ob_type().name()),
    };
    Err(vm.type_error(format!(
        "super(type, obj): obj ({kind} {name}) is not an instance or subtype of type ({}).",
        start.name()
    )))
}

/// super() -> same as super(__class__, <first argument>)
/// super(type) -> unbound super object
/// super(type, obj) -> bound super object; requires isinstance(obj, type)
/// super(type, type2) -> bound super object; requires issubclass(type2, type)
/// Typical use to call a cooperative superclass method:
/// class C(B):
///     def meth(self, arg):
///         super().meth(arg)
/// This works for class methods too:
/// class C(B):
///     @classmethod
///     def cmeth(cls, arg):
///         super().cmeth(arg)
#[pytype(name = "super", symbol = "PySuper_Type", flags(BASETYPE), gc)]
impl Super {
    #[new("(*args, **kwargs)")]
    fn new(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            Super {
                ob: Object::new(Self::type_object()),
                start: Slot::empty(),
                object: Slot::empty(),
                object_type: Slot::empty(),
            },
        )
    }

    #[init("!(type=zero_argument_form, object=None, /)")]
    fn init(&self, start: Option<&Object>, object: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let (start, object): (Ref<Type>, Option<ObjRef>) = match start {
            Some(start) => {
                let Some(start) = start.downcast_ref::<Type>() else {
                    return Err(vm.type_error(format!(
                        "super() argument 1 must be a type, not {}",
                        start.ob_type().name()
                    )));
                };
                (start.into(), object.filter(|o| !vm.is_none(o)).map(Object::to_ref))
            }
            None => {
                let (start, object) = crate::interpreter::super_without_arguments(vm)?;
                (start, Some(object))
            }
        };
        let object_type = object.as_ref().map(|o| check(&start, o, vm)).transpose()?;
        self.start.put(start);
        self.object.set(object);
        self.object_type.set(object_type);
        Ok(())
    }

    /// the class invoking super()
    #[getter]
    fn __thisclass__(&self) -> Option<ObjRef> {
        self.start.get().map(Ref::into_object)
    }

    /// the instance invoking super(); may be None
    #[getter]
    fn __self__(&self) -> Option<ObjRef> {
        self.object.get()
    }

    /// the type of the instance invoking super(); may be None
    #[getter]
    fn __self_class__(&self) -> Option<ObjRef> {
        self.object_type.get().map(Ref::into_object)
    }

    #[slot]
    fn tp_getattro(&self, name: &Str, vm: &Vm) -> PyResult {
        if let (Some(start), Some(object), Some(object_type)) =
            (self.start.get(), self.object.get(), self.object_type.get())
        {
            if let Some(value) = find(&start, &object, &object_type, name, vm)? {
                return Ok(value);
            }
        }
        generic_get(self.as_object(), name, vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> ObjRef {
        let start = self.start.get().map_or_else(|| "NULL".to_owned(), |t| t.name().to_owned());
        let text = match self.object_type.get() {
            Some(object_type) => format!("<super: <class '{start}'>, <{} object>>", object_type.name()),
            None => format!("<super: <class '{start}'>, NULL>"),
        };
        vm.new_str(&text).into_object()
    }

    #[slot]
    fn tp_descr_get(&self, object: Option<&Object>, _cls: Option<&Object>, vm: &Vm) -> PyResult {
        let Some(object) = object.filter(|o| !vm.is_none(o)) else { return Ok(self.as_object().to_ref()) };
        if self.object.get().is_some() {
            return Ok(self.as_object().to_ref());
        }
        let Some(start) = self.start.get() else { return Ok(self.as_object().to_ref()) };
        let cls = self.as_object().ob_type();
        if !std::ptr::eq(cls, Self::type_object()) {
            return cls.as_object().call(&[start.as_object(), object], vm);
        }
        make(&start, Some(object), vm).map(Ref::into_object)
    }
}
