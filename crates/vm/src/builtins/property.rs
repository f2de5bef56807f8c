//! `property`.

use crate::prelude::*;

/// The layout of a property.
#[repr(C)]
#[derive(Traverse)]
pub struct Property {
    #[traverse(skip)]
    ob: Object,
    /// The getter.
    pub get: Slot<Object>,
    set: Slot<Object>,
    del: Slot<Object>,
    doc: Slot<Object>,
    name: Slot<Object>,
    #[traverse(skip)]
    getter_doc: std::cell::Cell<bool>,
}

fn given(slot: &Slot<Object>, vm: &Vm) -> ObjRef {
    slot.get().unwrap_or_else(|| vm.none())
}

fn keep(value: Option<&Object>, vm: &Vm) -> Option<ObjRef> {
    value.filter(|v| !vm.is_none(v)).map(Object::to_ref)
}

impl Property {
    /// The property's name: set by the class, or its getter's.
    fn shown_name(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        if let Some(name) = self.name.get() {
            return Ok(Some(name));
        }
        match self.get.get() {
            Some(get) => get.lookup_attr(vm.ids().__name__, vm),
            None => Ok(None),
        }
    }

    fn copy_with(
        &self,
        get: Option<&Object>,
        set: Option<&Object>,
        del: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let pick = |new: Option<&Object>, old: &Slot<Object>| match new {
            Some(new) if !vm.is_none(new) => new.to_ref(),
            _ => given(old, vm),
        };
        let (get, set, del) = (pick(get, &self.get), pick(set, &self.set), pick(del, &self.del));
        // A documentation taken from the getter is taken anew.
        let doc = if self.getter_doc.get() && !vm.is_none(&get) { vm.none() } else { given(&self.doc, vm) };
        let cls = self.as_object().ob_type().as_object();
        let copy = cls.call(&[&get, &set, &del, &doc], vm)?;
        if let (Some(copy), Some(name)) = (copy.downcast_ref::<Property>(), self.name.get()) {
            copy.name.put(name);
        }
        Ok(copy)
    }

    fn no_accessor(&self, object: &Object, what: &str, vm: &Vm) -> Raised {
        let Ok(name) = self.shown_name(vm) else { return Raised };
        let owner = crate::builtins::type_::type_qualname(object.ob_type(), vm);
        let Ok(owner) = owner.str(vm) else { return Raised };
        let owner = owner.to_string_lossy();
        match name {
            Some(name) => {
                let Ok(name) = name.repr(vm) else { return Raised };
                vm.attribute_error(format!(
                    "property {} of '{owner}' object has no {what}",
                    name.to_string_lossy()
                ))
            }
            None => vm.attribute_error(format!("property of '{owner}' object has no {what}")),
        }
    }
}

/// Property attribute.
///
///   fget
///     function to be used for getting an attribute value
///   fset
///     function to be used for setting an attribute value
///   fdel
///     function to be used for del'ing an attribute
///   doc
///     docstring
///
/// Typical use is to define a managed attribute x:
///
/// class C(object):
///     def getx(self): return self._x
///     def setx(self, value): self._x = value
///     def delx(self): del self._x
///     x = property(getx, setx, delx, "I'm the 'x' property.")
///
/// Decorators make defining new properties or modifying existing ones easy:
///
/// class C(object):
///     @property
///     def x(self):
///         "I am the 'x' property."
///         return self._x
///     @x.setter
///     def x(self, value):
///         self._x = value
///     @x.deleter
///     def x(self):
///         del self._x
#[pytype(name = "property", symbol = "PyProperty_Type", flags(BASETYPE), gc)]
impl Property {
    #[new("(*args, **kwargs)")]
    fn new(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            Property {
                ob: Object::new(Self::type_object()),
                get: Slot::empty(),
                set: Slot::empty(),
                del: Slot::empty(),
                doc: Slot::empty(),
                name: Slot::empty(),
                getter_doc: std::cell::Cell::new(false),
            },
        )
    }

    #[init("(fget=None, fset=None, fdel=None, doc=None)")]
    fn init(
        &self,
        fget: Option<&Object>,
        fset: Option<&Object>,
        fdel: Option<&Object>,
        doc: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        self.get.set(keep(fget, vm));
        self.set.set(keep(fset, vm));
        self.del.set(keep(fdel, vm));
        self.name.set(None);
        self.getter_doc.set(false);
        let mut text = keep(doc, vm);
        if text.is_none() {
            if let Some(get) = self.get.get() {
                text = get.lookup_attr(vm.ids().__doc__, vm)?.filter(|d| !vm.is_none(d));
                self.getter_doc.set(text.is_some());
            }
        }
        if std::ptr::eq(self.as_object().ob_type(), Self::type_object()) {
            self.doc.set(text);
            return Ok(());
        }
        // A subclass keeps the text in its own dictionary, where its `__doc__` would hide the property's. One that has no
        // place for it goes without.
        let value = text.unwrap_or_else(|| vm.none());
        match self.as_object().set_attr(vm.ids().__doc__, &value, vm) {
            // The getter's text must not get lost, though.
            Err(_) if !self.getter_doc.get() && vm.exception_matches(types::attribute_error()) => {
                vm.clear_exception();
                Ok(())
            }
            other => other,
        }
    }

    /// Descriptor to obtain a copy of the property with a different getter.
    #[method("($self, object, /)")]
    fn getter(&self, object: &Object, vm: &Vm) -> PyResult {
        self.copy_with(Some(object), None, None, vm)
    }

    /// Descriptor to obtain a copy of the property with a different setter.
    #[method("($self, object, /)")]
    fn setter(&self, object: &Object, vm: &Vm) -> PyResult {
        self.copy_with(None, Some(object), None, vm)
    }

    /// Descriptor to obtain a copy of the property with a different deleter.
    #[method("($self, object, /)")]
    fn deleter(&self, object: &Object, vm: &Vm) -> PyResult {
        self.copy_with(None, None, Some(object), vm)
    }

    /// Method to set name of a property.
    #[method("($self, *args)", shown = "($self, owner, name, /)")]
    fn __set_name__(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        let [_, name] = args else {
            return Err(vm.type_error(format!(
                "__set_name__() takes 2 positional arguments but {} were given",
                args.len()
            )));
        };
        self.name.put((*name).to_ref());
        Ok(())
    }

    #[getter]
    fn fget(&self) -> Option<ObjRef> {
        self.get.get()
    }

    #[getter]
    fn fset(&self) -> Option<ObjRef> {
        self.set.get()
    }

    #[getter]
    fn fdel(&self) -> Option<ObjRef> {
        self.del.get()
    }

    #[getter]
    fn __doc__(&self) -> Option<ObjRef> {
        self.doc.get()
    }

    #[setter]
    fn set___doc__(&self, value: Option<&Object>) -> PyResult<()> {
        self.doc.set(value.map(Object::to_ref));
        Ok(())
    }

    #[getter]
    fn __name__(&self, vm: &Vm) -> PyResult {
        match self.shown_name(vm)? {
            Some(name) => Ok(name),
            None => Err(vm.no_attribute(self.as_object(), vm.ids().__name__.as_object())),
        }
    }

    #[setter]
    fn set___name__(&self, value: Option<&Object>) -> PyResult<()> {
        self.name.set(value.map(Object::to_ref));
        Ok(())
    }

    #[getter]
    fn __isabstractmethod__(&self, vm: &Vm) -> PyResult<bool> {
        for accessor in [&self.get, &self.set, &self.del] {
            let Some(accessor) = accessor.get() else { continue };
            if let Some(flag) = accessor.lookup_attr(vm.ids().__isabstractmethod__, vm)? {
                if flag.is_true(vm)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    #[slot]
    fn tp_descr_get(&self, object: Option<&Object>, _cls: Option<&Object>, vm: &Vm) -> PyResult {
        let Some(object) = object.filter(|o| !vm.is_none(o)) else { return Ok(self.as_object().to_ref()) };
        match self.get.get() {
            Some(get) => get.call(&[object], vm),
            None => Err(self.no_accessor(object, "getter", vm)),
        }
    }

    #[slot]
    fn tp_descr_set(&self, object: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        match value {
            Some(value) => match self.set.get() {
                Some(set) => set.call(&[object, value], vm).map(drop),
                None => Err(self.no_accessor(object, "setter", vm)),
            },
            None => match self.del.get() {
                Some(del) => del.call(&[object], vm).map(drop),
                None => Err(self.no_accessor(object, "deleter", vm)),
            },
        }
    }
}
