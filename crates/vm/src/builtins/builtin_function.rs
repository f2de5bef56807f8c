//! `builtin_function_or_method`: native functions, bound or not (PyCFunction).

use std::cell::Cell;
use std::ffi::CStr;
use std::mem::transmute;

use taipan_object::defs::{CFunctionFast, CFunctionFastKw, CFunctionKw, CMethod, meth};
use taipan_object::typeobject::VectorcallFunc;

use crate::builtins::descr::{doc_object, signature_object};
use crate::prelude::*;
use crate::protocols::call::ARGUMENTS_OFFSET;
use crate::protocols::native::arg_slice;

/// `PyCMethodObject`, whose head is `PyCFunctionObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct BuiltinFunction {
    /// The header.
    #[traverse(skip)]
    pub ob: Object,
    /// The definition.
    #[traverse(skip)]
    pub m_ml: Cell<*const MethodDef>,
    /// What the function is bound to: an object, a type or a module.
    pub m_self: Slot<Object>,
    /// `__module__`.
    pub m_module: Slot<Object>,
    /// Weak references.
    #[traverse(skip)]
    pub m_weakreflist: WeakList,
    /// Calls by vectorcall.
    #[traverse(skip)]
    pub vectorcall: Cell<Option<VectorcallFunc>>,
    /// The defining class of `METH_METHOD` functions.
    pub mm_class: Slot<Type>,
}

const _: () = assert!(size_of::<BuiltinFunction>() == 64);

impl BuiltinFunction {
    /// A function of definition `def` with `self` and `__module__`.
    pub fn new(def: &'static MethodDef, zelf: Option<ObjRef>, module: Option<ObjRef>, vm: &Vm) -> Ref<Self> {
        vm.new_object(BuiltinFunction {
            ob: Object::new(Self::type_object()),
            m_ml: Cell::new(def),
            m_self: Slot::new(zelf),
            m_module: Slot::new(module),
            m_weakreflist: WeakList::new(),
            vectorcall: Cell::new(vectorcall_for(def.ml_flags)),
            mm_class: Slot::empty(),
        })
    }

    /// A method of `owner` bound to an object.
    pub fn bound(def: &'static MethodDef, object: ObjRef, owner: &Type, vm: &Vm) -> Ref<Self> {
        let function = Self::new(def, Some(object), None, vm);
        if def.ml_flags & meth::METHOD != 0 {
            function.mm_class.put(owner.into());
        }
        function
    }

    /// The definition.
    #[inline(always)]
    pub fn def(&self) -> &MethodDef {
        // SAFETY: definitions live as long as what they define.
        unsafe { &*self.m_ml.get() }
    }

    /// The name.
    pub fn name(&self) -> &str {
        // SAFETY: names of definitions are NUL-terminated.
        unsafe { CStr::from_ptr(self.def().ml_name) }.to_str().unwrap_or("?")
    }

    /// What the function is bound to.
    pub fn bound_self(&self) -> Option<ObjRef> {
        self.m_self.get()
    }

    /// The pointer that the native function gets as its first argument.
    #[inline(always)]
    fn self_ptr(&self) -> *mut Object {
        if self.def().ml_flags & meth::STATIC != 0 { std::ptr::null_mut() } else { self.m_self.as_raw() }
    }
}

/// The vectorcall function for a calling convention; none for tuple-taking functions.
pub fn vectorcall_for(flags: i32) -> Option<VectorcallFunc> {
    const KINDS: i32 =
        meth::VARARGS | meth::FASTCALL | meth::NOARGS | meth::O | meth::KEYWORDS | meth::METHOD;
    if flags & (KINDS & !meth::KEYWORDS) & meth::VARARGS != 0 { None } else { Some(call_builtin) }
}

unsafe extern "C" fn call_builtin(
    callable: *mut Object,
    args: *const *mut Object,
    nargsf: usize,
    kwnames: *mut Object,
) -> *mut Object {
    // SAFETY: vectorcall functions are called with their own object and live arguments.
    unsafe {
        let function = (*callable).cast::<BuiltinFunction>();
        let class = function.mm_class.as_raw().as_ref();
        call_method_def(
            function.def(),
            function.self_ptr(),
            args,
            nargsf & !ARGUMENTS_OFFSET,
            kwnames,
            class,
            Vm::current(),
        )
    }
}

#[cold]
fn no_keywords(def: &MethodDef, object: *mut Object, vm: &Vm) -> *mut Object {
    vm.type_error(format!("{}() takes no keyword arguments", shown_name(def, object, vm)));
    std::ptr::null_mut()
}

/// "type.name" for methods, the bare or module-qualified name for functions.
fn shown_name(def: &MethodDef, object: *mut Object, vm: &Vm) -> String {
    // SAFETY: names of definitions are NUL-terminated; the object is null or alive.
    let (name, object) = unsafe { (CStr::from_ptr(def.ml_name).to_string_lossy(), object.as_ref()) };
    match object {
        Some(object) if object.downcast_ref::<Module>().is_none() => {
            let tp = object.downcast_ref::<Type>().unwrap_or_else(|| object.ob_type());
            format!("{}.{name}", tp.name())
        }
        Some(object) => {
            let module =
                object.downcast_ref::<Module>().and_then(|m| m.name(vm)).filter(|n| !n.eq_str("builtins"));
            module.map_or_else(|| name.to_string(), |m| format!("{}.{name}", m.to_string_lossy()))
        }
        None => name.to_string(),
    }
}

/// Calls a native function by the convention that its flags tell.
///
/// # Safety
/// `args` holds `nargs` positional arguments and the values of `kwnames`; `object` is what the function expects as self.
#[inline]
pub unsafe fn call_method_def(
    def: &MethodDef,
    object: *mut Object,
    args: *const *mut Object,
    nargs: usize,
    kwnames: *mut Object,
    class: Option<&Type>,
    vm: &Vm,
) -> *mut Object {
    let Some(function) = def.ml_meth else { return std::ptr::null_mut() };
    const CONVENTION: i32 =
        meth::VARARGS | meth::FASTCALL | meth::NOARGS | meth::O | meth::KEYWORDS | meth::METHOD;
    const FAST: i32 = meth::FASTCALL;
    const FAST_KW: i32 = meth::FASTCALL | meth::KEYWORDS;
    const METHOD_KW: i32 = meth::METHOD | meth::FASTCALL | meth::KEYWORDS;
    // SAFETY: keyword names are a tuple.
    let keywords = unsafe { kwnames.as_ref() }.map_or(0, |names| unsafe { names.cast::<Tuple>() }.len());
    if vm.stack_is_low() {
        vm.recursion_error("maximum recursion depth exceeded while calling a Python object");
        return std::ptr::null_mut();
    }
    // SAFETY: the flags tell the function's true signature; the arguments are alive.
    unsafe {
        match def.ml_flags & CONVENTION {
            FAST_KW => {
                let function = transmute::<taipan_object::defs::CFunction, CFunctionFastKw>(function);
                function(object, args, nargs as isize, kwnames)
            }
            METHOD_KW => {
                let function = transmute::<taipan_object::defs::CFunction, CMethod>(function);
                let class = class.map_or(std::ptr::null_mut(), |c| c.as_object().as_ptr());
                function(object, class, args, nargs, kwnames)
            }
            // A function that takes a tuple is shown by its bare name.
            meth::VARARGS if keywords > 0 => no_keywords(def, std::ptr::null_mut(), vm),
            kind if keywords > 0 && kind & meth::KEYWORDS == 0 => no_keywords(def, object, vm),
            FAST => {
                let function = transmute::<taipan_object::defs::CFunction, CFunctionFast>(function);
                function(object, args, nargs as isize)
            }
            meth::NOARGS => {
                if nargs != 0 {
                    vm.type_error(format!(
                        "{}() takes no arguments ({nargs} given)",
                        shown_name(def, object, vm)
                    ));
                    return std::ptr::null_mut();
                }
                function(object, std::ptr::null_mut())
            }
            meth::O => {
                if nargs != 1 {
                    vm.type_error(format!(
                        "{}() takes exactly one argument ({nargs} given)",
                        shown_name(def, object, vm)
                    ));
                    return std::ptr::null_mut();
                }
                function(object, *args)
            }
            meth::VARARGS => {
                let tuple = Tuple::from_slice(arg_slice(args, nargs), vm);
                function(object, tuple.as_object().as_ptr())
            }
            _ => {
                let all = arg_slice(args, nargs + keywords);
                let (positional, values) = all.split_at(nargs);
                let tuple = Tuple::from_slice(positional, vm);
                let names = kwnames.as_ref().map(|names| names.cast::<Tuple>());
                let dict = match names {
                    Some(_) if keywords > 0 => match KwArgs::new(names, values).to_dict(vm) {
                        Ok(dict) => Some(dict),
                        Err(Raised) => return std::ptr::null_mut(),
                    },
                    _ => None,
                };
                let kwargs = dict.as_ref().map_or(std::ptr::null_mut(), |d| d.as_object().as_ptr());
                let function = transmute::<taipan_object::defs::CFunction, CFunctionKw>(function);
                function(object, tuple.as_object().as_ptr(), kwargs)
            }
        }
    }
}

/// the type of native functions
#[pytype(
    name = "builtin_function_or_method",
    symbol = "PyCFunction_Type",
    gc,
    weakrefs = m_weakreflist,
    vectorcall = vectorcall,
    doc = ""
)]
impl BuiltinFunction {
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult {
        match self.m_self.get().filter(|s| s.downcast_ref::<Module>().is_none()) {
            None => Ok(vm.new_str(self.name()).into_object()),
            Some(object) => {
                let getattr = builtins_getattr(vm)?;
                let args = vm.new_tuple([object, vm.new_str(self.name()).into_object()]);
                Ok(vm.new_tuple([getattr, args.into_object()]).into_object())
            }
        }
    }

    #[getter]
    fn __doc__(&self, vm: &Vm) -> ObjRef {
        doc_object(self.name(), self.def().ml_doc, vm)
    }

    #[getter]
    fn __name__(&self, vm: &Vm) -> Ref<Str> {
        vm.intern(self.name())
    }

    #[getter]
    fn __qualname__(&self, vm: &Vm) -> PyResult {
        let Some(object) = self.m_self.get().filter(|s| s.downcast_ref::<Module>().is_none()) else {
            return Ok(vm.new_str(self.name()).into_object());
        };
        let tp = object.downcast_ref::<Type>().unwrap_or_else(|| object.ob_type());
        let owner = crate::builtins::type_::type_qualname(tp, vm).str(vm)?;
        Ok(vm.new_str(&format!("{}.{}", owner.to_string_lossy(), self.name())).into_object())
    }

    #[getter]
    fn __module__(&self) -> Option<ObjRef> {
        self.m_module.get()
    }

    #[setter]
    fn set___module__(&self, value: Option<&Object>) -> PyResult<()> {
        self.m_module.set(value.map(Object::to_ref));
        Ok(())
    }

    #[getter]
    fn __self__(&self, vm: &Vm) -> ObjRef {
        if self.def().ml_flags & meth::STATIC != 0 {
            return vm.none();
        }
        self.m_self.get().unwrap_or_else(|| vm.none())
    }

    #[getter]
    fn __text_signature__(&self, vm: &Vm) -> ObjRef {
        signature_object(self.name(), self.def().ml_doc, vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> ObjRef {
        let text = match self.m_self.get().filter(|s| s.downcast_ref::<Module>().is_none()) {
            None => format!("<built-in function {}>", self.name()),
            Some(object) => format!(
                "<built-in method {} of {} object at {:p}>",
                self.name(),
                object.ob_type().name(),
                object.as_raw()
            ),
        };
        vm.new_str(&text).into_object()
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        if self.vectorcall.get().is_some() {
            return crate::protocols::call::call_tuple_dict(self.as_object(), args, kwargs, vm);
        }
        let borrowed = crate::protocols::native::borrow_all(args.as_slice());
        let (all, names);
        let (array, names) = match kwargs.filter(|d| d.len() > 0) {
            None => (borrowed, None),
            Some(kwargs) => {
                (all, names) = crate::protocols::call::unpack_keywords(args, kwargs, vm)?;
                (crate::protocols::native::borrow_all(&all), Some(&*names))
            }
        };
        let names = names.map_or(std::ptr::null_mut(), |n: &Tuple| n.as_object().as_ptr());
        // SAFETY: the array holds the positional arguments and the values of the names.
        unsafe {
            vm.owned(call_method_def(
                self.def(),
                self.self_ptr(),
                crate::protocols::native::arg_ptr(array),
                args.len(),
                names,
                self.mm_class.as_raw().as_ref(),
                vm,
            ))
        }
    }

    #[slot]
    fn tp_hash(&self) -> PyResult<isize> {
        let object = self.m_self.get().map_or(0, |o| crate::builtins::object::pointer_hash(&o));
        let function = self.def().ml_meth.map_or(0, |f| f as usize);
        Ok(object ^ function.rotate_right(4) as isize)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_exact::<BuiltinFunction>() else { return Ok(vm.not_implemented()) };
        let same = self.m_self.as_raw() == other.m_self.as_raw()
            && self.def().ml_meth.map(|f| f as usize) == other.def().ml_meth.map(|f| f as usize);
        match op {
            CompareOp::Eq => Ok(vm.new_bool(same)),
            CompareOp::Ne => Ok(vm.new_bool(!same)),
            _ => Ok(vm.not_implemented()),
        }
    }
}

fn builtins_getattr(vm: &Vm) -> PyResult {
    crate::builtins::builtins_module::builtin(vm.ids().getattr, vm)
}
