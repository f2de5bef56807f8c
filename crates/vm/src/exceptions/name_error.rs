//! `NameError` and `AttributeError`: they know what was looked for, for the "Did you mean" of tracebacks.

use std::mem::size_of;

use crate::exceptions::import_error::parse_keywords;
use crate::prelude::*;

/// `PyNameErrorObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct NameError {
    /// The common part.
    pub base: BaseException,
    /// The name that was not found.
    pub name: Slot<Object>,
}

const _: () = assert!(size_of::<NameError>() == 80);

/// Name not found globally.
#[pytype(
    name = "NameError",
    symbol = "_PyExc_NameError",
    base = BaseException,
    flags(BASETYPE),
    gc,
    members(name: OBJECT = name "name")
)]
impl NameError {
    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        self.base.init_args(args, None, vm)?;
        let [name] = parse_keywords("NameError", ["name"], kwargs, vm)?;
        self.name.set(name);
        Ok(())
    }
}

/// `PyAttributeErrorObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct AttributeError {
    /// The common part.
    pub base: BaseException,
    /// The object that was asked.
    pub obj: Slot<Object>,
    /// The attribute that it doesn't have.
    pub name: Slot<Object>,
}

const _: () = assert!(size_of::<AttributeError>() == 88);

/// Attribute not found.
#[pytype(
    name = "AttributeError",
    symbol = "_PyExc_AttributeError",
    base = BaseException,
    flags(BASETYPE),
    gc,
    members(name: OBJECT = name "attribute name", obj: OBJECT = obj "object")
)]
impl AttributeError {
    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        self.base.init_args(args, None, vm)?;
        let [name, obj] = parse_keywords("AttributeError", ["name", "obj"], kwargs, vm)?;
        self.name.set(name);
        self.obj.set(obj);
        Ok(())
    }

    #[method("($self, /)")]
    fn __getstate__(&self, vm: &Vm) -> PyResult<ObjRef> {
        // `obj` is left out on purpose: often it can't be pickled.
        let name = self.name.get();
        let args = self.base.args.get();
        if name.is_none() && args.is_none() {
            return Ok(self.base.dict.get().unwrap_or_else(|| vm.none()));
        }
        let state = match self.base.dict.get() {
            Some(dict) => match dict.downcast_ref::<Dict>() {
                Some(dict) => dict.copy(vm),
                None => vm.new_dict(),
            },
            None => vm.new_dict(),
        };
        if let Some(name) = name {
            state.set_str(vm.ids().name, &name, vm)?;
        }
        if let Some(args) = args {
            state.set_str(vm.ids().args, args.as_object(), vm)?;
        }
        Ok(state.into_object())
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<ObjRef> {
        let state = self.__getstate__(vm)?;
        let tp = self.as_object().ob_type().as_object().to_ref();
        Ok(vm.new_tuple([tp, self.base.args(vm).into_object(), state]).into_object())
    }
}

/// Raises `AttributeError(text, name=name, obj=obj)`.
#[cold]
pub fn raise_attribute_error(text: &str, obj: &Object, name: &Object, vm: &Vm) -> Raised {
    let args = vm.new_tuple([vm.new_str(text).into_object()]);
    let made = vm.new_object(AttributeError {
        base: BaseException {
            ob: Object::new(AttributeError::type_object()),
            ..BaseException::with_args(Some(args))
        },
        obj: Slot::of(obj.to_ref()),
        name: Slot::of(name.to_ref()),
    });
    // SAFETY: an `AttributeError` begins with a `BaseException`.
    vm.raise_object(unsafe { made.into_object().cast_into() })
}

/// Raises `NameError(text, name=name)`; `exception` is `NameError` itself or `UnboundLocalError`.
#[cold]
pub fn raise_name_error(exception: &'static Type, text: &str, name: &Object, vm: &Vm) -> Raised {
    let args = vm.new_tuple([vm.new_str(text).into_object()]);
    let made = vm.new_object(NameError {
        base: BaseException { ob: Object::new(exception), ..BaseException::with_args(Some(args)) },
        name: Slot::of(name.to_ref()),
    });
    // SAFETY: a `NameError` begins with a `BaseException`.
    vm.raise_object(unsafe { made.into_object().cast_into() })
}
