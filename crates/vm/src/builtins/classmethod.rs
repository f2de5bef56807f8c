//! `classmethod` and `staticmethod`.

use crate::builtins::dict::managed;
use crate::prelude::*;

macro_rules! wrapper_type {
    ($(#[$doc:meta])* $layout:ident) => {
        $(#[$doc])*
        #[repr(C)]
        #[derive(Traverse)]
        pub struct $layout {
            #[traverse(skip)]
            ob: Object,
            callable: Slot<Object>,
            dict: Slot<Object>,
        }

        impl $layout {
            /// Wraps a function. Unlike a call of the class, it takes over neither name nor documentation.
            pub fn new_for(callable: &Object, vm: &Vm) -> ObjRef {
                let made = vm.new_object($layout {
                    ob: Object::new(Self::type_object()),
                    callable: Slot::of(callable.to_ref()),
                    dict: Slot::empty(),
                });
                made.into_object()
            }

            /// The wrapped callable.
            pub fn wrapped(&self, vm: &Vm) -> ObjRef {
                self.callable.get().unwrap_or_else(|| vm.none())
            }
        }
    };
}

wrapper_type!(
    /// A class method.
    ClassMethod
);
wrapper_type!(
    /// A static method.
    StaticMethod
);

/// Copies what `functools.wraps` would.
fn copy_names(from: &Object, to: &Object, vm: &Vm) -> PyResult<()> {
    let ids = vm.ids();
    for name in [ids.__module__, ids.__name__, ids.__qualname__, ids.__doc__] {
        if let Some(value) = from.lookup_attr(name, vm)? {
            to.set_attr(name, &value, vm)?;
        }
    }
    Ok(())
}

/// `__annotations__` and `__annotate__` are the wrapped function's until set, and are kept in the instance then.
fn forwarded(object: &Object, wrapped: &Object, name: &Str, vm: &Vm) -> PyResult {
    let dict = managed::instance_dict(object, vm)?;
    if let Some(own) = dict.get_str(name, vm)? {
        return Ok(own);
    }
    let value = wrapped.get_attr(name, vm)?;
    dict.set_item(name.as_object(), &value, vm)?;
    Ok(value)
}

fn set_forwarded(object: &Object, name: &Str, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
    let dict = managed::instance_dict(object, vm)?;
    match value {
        Some(value) => dict.set_item(name.as_object(), value, vm),
        None if dict.del_item(name.as_object(), vm)? => Ok(()),
        None => Err(vm.no_attribute(object, name.as_object())),
    }
}

fn show(kind: &str, wrapped: &Object, vm: &Vm) -> PyResult {
    Ok(vm.new_str(&format!("<{kind}({})>", wrapped.repr(vm)?.to_string_lossy())).into_object())
}

fn is_abstract(wrapped: &Object, vm: &Vm) -> PyResult<bool> {
    match wrapped.lookup_attr(vm.ids().__isabstractmethod__, vm)? {
        Some(flag) => flag.is_true(vm),
        None => Ok(false),
    }
}

/// Convert a function to be a class method.
///
/// A class method receives the class as implicit first argument,
/// just like an instance method receives the instance.
/// To declare a class method, use this idiom:
///
///   class C:
///       @classmethod
///       def f(cls, arg1, arg2, argN):
///           ...
///
/// It can be called either on the class (e.g. C.f()) or on an instance
/// (e.g. C().f()).  The instance is ignored except for its class.
/// If a class method is called for a derived class, the derived class
/// object is passed as the implied first argument.
///
/// Class methods are different than C++ or Java static methods.
/// If you want those, see the staticmethod builtin.
#[pytype(name = "classmethod", symbol = "PyClassMethod_Type", flags(BASETYPE), gc, dict = dict)]
impl ClassMethod {
    #[new("(*args, **kwargs)")]
    fn new(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            ClassMethod {
                ob: Object::new(Self::type_object()),
                callable: Slot::of(vm.none()),
                dict: Slot::empty(),
            },
        )
    }

    #[init("(function, /)")]
    fn init(&self, function: &Object, vm: &Vm) -> PyResult<()> {
        self.callable.put(function.to_ref());
        copy_names(function, self.as_object(), vm)
    }

    #[getter]
    fn __func__(&self, vm: &Vm) -> ObjRef {
        self.wrapped(vm)
    }

    #[getter]
    fn __wrapped__(&self, vm: &Vm) -> ObjRef {
        self.wrapped(vm)
    }

    #[getter]
    fn __isabstractmethod__(&self, vm: &Vm) -> PyResult<bool> {
        is_abstract(&self.wrapped(vm), vm)
    }

    #[getter]
    fn __dict__(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        managed::instance_dict(self.as_object(), vm)
    }

    #[getter]
    fn __annotations__(&self, vm: &Vm) -> PyResult {
        forwarded(self.as_object(), &self.wrapped(vm), vm.ids().__annotations__, vm)
    }

    #[setter]
    fn set___annotations__(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        set_forwarded(self.as_object(), vm.ids().__annotations__, value, vm)
    }

    #[getter]
    fn __annotate__(&self, vm: &Vm) -> PyResult {
        forwarded(self.as_object(), &self.wrapped(vm), vm.ids().__annotate__, vm)
    }

    #[setter]
    fn set___annotate__(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        set_forwarded(self.as_object(), vm.ids().__annotate__, value, vm)
    }

    /// See PEP 585
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, item: &Object, vm: &Vm) -> ObjRef {
        crate::builtins::generic_alias::GenericAlias::new(cls.as_object(), item, vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult {
        show("classmethod", &self.wrapped(vm), vm)
    }

    #[slot]
    fn tp_descr_get(&self, object: Option<&Object>, cls: Option<&Object>, vm: &Vm) -> PyResult {
        let cls = match (cls, object) {
            (Some(cls), _) => cls.to_ref(),
            (None, Some(object)) => object.ob_type().as_object().to_ref(),
            (None, None) => vm.none(),
        };
        Ok(Method::new(self.wrapped(vm), cls, vm).into_object())
    }
}

/// Convert a function to be a static method.
///
/// A static method does not receive an implicit first argument.
/// To declare a static method, use this idiom:
///
///      class C:
///          @staticmethod
///          def f(arg1, arg2, argN):
///              ...
///
/// It can be called either on the class (e.g. C.f()) or on an instance
/// (e.g. C().f()). Both the class and the instance are ignored, and
/// neither is passed implicitly as the first argument to the method.
///
/// Static methods in Python are similar to those found in Java or C++.
/// For a more advanced concept, see the classmethod builtin.
#[pytype(name = "staticmethod", symbol = "PyStaticMethod_Type", flags(BASETYPE), gc, dict = dict)]
impl StaticMethod {
    #[new("(*args, **kwargs)")]
    fn new(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            StaticMethod {
                ob: Object::new(Self::type_object()),
                callable: Slot::of(vm.none()),
                dict: Slot::empty(),
            },
        )
    }

    #[init("(function, /)")]
    fn init(&self, function: &Object, vm: &Vm) -> PyResult<()> {
        self.callable.put(function.to_ref());
        copy_names(function, self.as_object(), vm)
    }

    #[getter]
    fn __func__(&self, vm: &Vm) -> ObjRef {
        self.wrapped(vm)
    }

    #[getter]
    fn __wrapped__(&self, vm: &Vm) -> ObjRef {
        self.wrapped(vm)
    }

    #[getter]
    fn __isabstractmethod__(&self, vm: &Vm) -> PyResult<bool> {
        is_abstract(&self.wrapped(vm), vm)
    }

    #[getter]
    fn __dict__(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        managed::instance_dict(self.as_object(), vm)
    }

    #[getter]
    fn __annotations__(&self, vm: &Vm) -> PyResult {
        forwarded(self.as_object(), &self.wrapped(vm), vm.ids().__annotations__, vm)
    }

    #[setter]
    fn set___annotations__(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        set_forwarded(self.as_object(), vm.ids().__annotations__, value, vm)
    }

    #[getter]
    fn __annotate__(&self, vm: &Vm) -> PyResult {
        forwarded(self.as_object(), &self.wrapped(vm), vm.ids().__annotate__, vm)
    }

    #[setter]
    fn set___annotate__(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        set_forwarded(self.as_object(), vm.ids().__annotate__, value, vm)
    }

    /// See PEP 585
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, item: &Object, vm: &Vm) -> ObjRef {
        crate::builtins::generic_alias::GenericAlias::new(cls.as_object(), item, vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult {
        show("staticmethod", &self.wrapped(vm), vm)
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        self.wrapped(vm).call_tuple_dict(args, kwargs, vm)
    }

    #[slot]
    fn tp_descr_get(&self, _object: Option<&Object>, _cls: Option<&Object>, vm: &Vm) -> PyResult {
        Ok(self.wrapped(vm))
    }
}
