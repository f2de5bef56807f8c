//! `function`: what `def` and `lambda` make.

use std::cell::Cell;
use std::mem::offset_of;

use taipan_object::typeobject::VectorcallFunc;

use crate::builtins::cell::PyCell;
use crate::builtins::coroutine_flags as co;
use crate::interpreter::calls;
use crate::prelude::*;
use crate::protocols::call::ARGUMENTS_OFFSET;
use crate::protocols::native::to_c;

/// `PyFunctionObject`.
#[repr(C)]
#[derive(Traverse)]
#[allow(missing_docs)]
pub struct Function {
    #[traverse(skip)]
    pub ob: Object,
    pub globals: Slot<Dict>,
    pub builtins: Slot<Object>,
    pub name: Slot<Str>,
    pub qualname: Slot<Str>,
    pub code: Slot<Code>,
    pub defaults: Slot<Tuple>,
    pub kwdefaults: Slot<Dict>,
    pub closure: Slot<Tuple>,
    pub doc: Slot<Object>,
    pub dict: Slot<Dict>,
    #[traverse(skip)]
    pub weakrefs: WeakList,
    pub module: Slot<Object>,
    /// A dict, or a tuple of names and values in turn that becomes one when asked for.
    pub annotations: Slot<Object>,
    pub annotate: Slot<Object>,
    pub type_params: Slot<Object>,
    #[traverse(skip)]
    pub vectorcall: Cell<Option<VectorcallFunc>>,
    /// What specialised calls recognise the function by: new code or defaults give a new one; 0 until needed.
    #[traverse(skip)]
    pub version: Cell<u32>,
}

const _: () = assert!(size_of::<Function>() == 152 && offset_of!(Function, version) == 144);

/// The next function version of an interpreter.
struct Versions(Cell<u32>);

impl Default for Versions {
    fn default() -> Self {
        Versions(Cell::new(2))
    }
}

unsafe extern "C" fn vectorcall(
    callable: *mut Object,
    args: *const *mut Object,
    nargsf: usize,
    kwnames: *mut Object,
) -> *mut Object {
    // SAFETY: vectorcall's contract: live objects, `kwnames` null or a tuple.
    unsafe {
        let vm = Vm::current();
        let kwnames = kwnames.as_ref().map(|names| names.cast::<Tuple>()).filter(|names| names.len() > 0);
        to_c(calls::call_function((*callable).cast(), args, nargsf & !ARGUMENTS_OFFSET, kwnames, vm))
    }
}

impl Function {
    /// A function of `code` in `globals`; its builtins are those of the globals.
    pub fn new_object(code: &Code, globals: &Dict, vm: &Vm) -> PyResult<Ref<Function>> {
        let builtins = crate::interpreter::builtins_of(globals, vm)?;
        Ok(Self::new_with_builtins(code, globals, &builtins, vm))
    }

    /// A function of `code` with given globals and builtins.
    pub fn new_with_builtins(code: &Code, globals: &Dict, builtins: &Object, vm: &Vm) -> Ref<Function> {
        let doc = if code.flags.get() & co::HAS_DOCSTRING != 0 {
            code.consts().get(0).map_or_else(|| vm.none(), Object::to_ref)
        } else {
            vm.none()
        };
        let module = globals.get_str(vm.ids().__name__, vm).ok().flatten();
        vm.new_object(Function {
            ob: Object::new(Self::type_object()),
            globals: Slot::of(Ref::new_ref(globals)),
            builtins: Slot::of(builtins.to_ref()),
            name: Slot::of(code.name()),
            qualname: Slot::of(code.qualname()),
            code: Slot::of(Ref::new_ref(code)),
            defaults: Slot::empty(),
            kwdefaults: Slot::empty(),
            closure: Slot::empty(),
            doc: Slot::of(doc),
            dict: Slot::empty(),
            weakrefs: WeakList::new(),
            module: Slot::new(module),
            annotations: Slot::empty(),
            annotate: Slot::empty(),
            type_params: Slot::empty(),
            vectorcall: Cell::new(Some(vectorcall)),
            version: Cell::new(0),
        })
    }

    /// The code. A function has one from its making to its end.
    #[inline(always)]
    pub fn code(&self) -> &Code {
        // SAFETY: never emptied; replacing it while a call binds arguments is kept safe by the frame's own reference.
        unsafe { &*self.code.as_raw() }
    }

    /// Whether calls go through the interpreter's own entry, so that the loop may push a frame instead.
    #[inline(always)]
    pub fn has_own_vectorcall(&self) -> bool {
        self.vectorcall
            .get()
            .is_some_and(|function| std::ptr::fn_addr_eq(function, vectorcall as VectorcallFunc))
    }

    /// The version by which specialised calls recognise the function; 0 when versions are used up.
    pub fn version_for_specialising(&self, vm: &Vm) -> u32 {
        let version = self.version.get();
        if version != 0 || !self.has_own_vectorcall() {
            return version;
        }
        let next = &vm.interp().state::<Versions>().0;
        let version = next.get();
        if version != 0 {
            next.set(version.wrapping_add(1));
            self.version.set(version);
        }
        version
    }

    fn forget_version(&self) {
        self.version.set(0);
    }
}

/// Create a function object.
///
///   code
///     a code object
///   globals
///     the globals dictionary
///   name
///     a string that overrides the name from the code object
///   argdefs
///     a tuple that specifies the default argument values
///   closure
///     a tuple that supplies the bindings for free variables
///   kwdefaults
///     a dictionary that specifies the default keyword argument values
#[pytype(
    name = "function",
    symbol = "PyFunction_Type",
    flags(METHOD_DESCRIPTOR),
    gc,
    dict = dict,
    weakrefs = weakrefs,
    vectorcall = vectorcall,
    members(
        __closure__: OBJECT = closure, readonly;
        __globals__: OBJECT = globals, readonly;
        __builtins__: OBJECT = builtins, readonly;
    )
)]
impl Function {
    #[new("(code, globals, name=None, argdefs=None, closure=None, kwdefaults=None)")]
    fn new(
        _cls: &Type,
        code: &Code,
        globals: &Dict,
        name: Option<&Object>,
        argdefs: Option<&Object>,
        closure: Option<&Object>,
        kwdefaults: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let given = |value: Option<&'_ Object>| value.filter(|value| !vm.is_none(value)).map(Object::to_ref);
        let name = match given(name) {
            None => None,
            Some(name) => Some(
                name.downcast::<Str>().map_err(|_| vm.type_error("arg 3 (name) must be None or string"))?,
            ),
        };
        let defaults = match given(argdefs) {
            None => None,
            Some(tuple) => Some(
                tuple
                    .downcast::<Tuple>()
                    .map_err(|_| vm.type_error("arg 4 (defaults) must be None or tuple"))?,
            ),
        };
        let needed = code.nfreevars();
        let closure = match (closure, needed) {
            (Some(value), _) if value.downcast_ref::<Tuple>().is_some() => value.downcast_ref::<Tuple>(),
            (Some(value), _) if needed > 0 || !vm.is_none(value) => {
                return Err(vm.type_error(if needed > 0 {
                    "arg 5 (closure) must be tuple"
                } else {
                    "arg 5 (closure) must be None or tuple"
                }));
            }
            (None, 1..) => return Err(vm.type_error("arg 5 (closure) must be tuple")),
            _ => None,
        };
        let held = closure.map_or(0, Tuple::len);
        if held != needed {
            return Err(vm.value_error(format!(
                "{} requires closure of length {needed}, not {held}",
                code.name().to_string_lossy()
            )));
        }
        if let Some(closure) = closure {
            for item in closure.as_slice() {
                if item.downcast_ref::<PyCell>().is_none() {
                    return Err(vm.type_error(format!(
                        "arg 5 (closure) expected cell, found {}",
                        item.ob_type().tp_name_str()
                    )));
                }
            }
        }
        let kwdefaults = match given(kwdefaults) {
            None => None,
            Some(dict) => Some(
                dict.downcast::<Dict>()
                    .map_err(|_| vm.type_error("arg 6 (kwdefaults) must be None or dict"))?,
            ),
        };
        let function = Function::new_object(code, globals, vm)?;
        if let Some(name) = name {
            function.name.put(name);
        }
        function.defaults.set(defaults);
        function.kwdefaults.set(kwdefaults);
        function.closure.set(closure.map(Ref::new_ref));
        Ok(function.into_object())
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        crate::protocols::call::call_tuple_dict(self.as_object(), args, kwargs, vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        let name = self.qualname.get().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok(vm.new_str(&format!("<function {name} at {:#x}>", self.as_object().as_ptr() as usize)))
    }

    #[slot]
    fn tp_descr_get(&self, obj: Option<&Object>, _cls: Option<&Object>, vm: &Vm) -> PyResult {
        match obj {
            Some(obj) if !vm.is_none(obj) => {
                Ok(Method::new(self.as_object().to_ref(), obj.to_ref(), vm).into_object())
            }
            _ => Ok(self.as_object().to_ref()),
        }
    }

    #[getter(__code__)]
    fn get_code(&self) -> ObjRef {
        self.code().as_object().to_ref()
    }

    #[setter(__code__)]
    fn set_code(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(code) = value.and_then(|value| value.downcast_ref::<Code>()) else {
            return Err(vm.type_error("__code__ must be set to a code object"));
        };
        let held = self.closure.get().map_or(0, |closure| closure.len());
        if code.nfreevars() != held {
            let name = self.name.get().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            return Err(vm.value_error(format!(
                "{name}() requires a code object with {held} free vars, not {}",
                code.nfreevars()
            )));
        }
        const KINDS: i32 = co::GENERATOR | co::COROUTINE | co::ASYNC_GENERATOR;
        let known = self.code.get().map_or(0, |known| known.flags.get());
        if (known ^ code.flags.get()) & KINDS != 0 {
            crate::builtins::warn::deprecation(
                "Assigning a code object of non-matching type is deprecated (e.g., from a generator to a plain \
                 function)",
                vm,
            )?;
        }
        self.forget_version();
        self.code.set(Some(Ref::new_ref(code)));
        Ok(())
    }

    #[getter(__name__)]
    fn get_name(&self) -> Option<Ref<Str>> {
        self.name.get()
    }

    #[setter(__name__)]
    fn set_name(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(name) = value.and_then(|value| value.downcast_ref::<Str>()) else {
            return Err(vm.type_error("__name__ must be set to a string object"));
        };
        self.name.put(Ref::new_ref(name));
        Ok(())
    }

    #[getter(__qualname__)]
    fn get_qualname(&self) -> Option<Ref<Str>> {
        self.qualname.get()
    }

    #[setter(__qualname__)]
    fn set_qualname(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(name) = value.and_then(|value| value.downcast_ref::<Str>()) else {
            return Err(vm.type_error("__qualname__ must be set to a string object"));
        };
        self.qualname.put(Ref::new_ref(name));
        Ok(())
    }

    #[getter(__doc__)]
    fn get_doc(&self) -> Option<ObjRef> {
        self.doc.get()
    }

    #[setter(__doc__)]
    fn set_doc(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.doc.put(value.map_or_else(|| vm.none(), Object::to_ref));
        Ok(())
    }

    #[getter(__module__)]
    fn get_module(&self) -> Option<ObjRef> {
        self.module.get()
    }

    #[setter(__module__)]
    fn set_module(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.module.put(value.map_or_else(|| vm.none(), Object::to_ref));
        Ok(())
    }

    #[getter(__dict__)]
    fn get_dict(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        crate::builtins::dict::managed::instance_dict(self.as_object(), vm)
    }

    #[setter(__dict__)]
    fn set_dict(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.type_error("cannot delete __dict__")) };
        let Some(dict) = value.downcast_ref::<Dict>() else {
            return Err(vm.type_error(format!(
                "__dict__ must be set to a dictionary, not a '{}'",
                value.ob_type().tp_name_str()
            )));
        };
        self.dict.put(Ref::new_ref(dict));
        Ok(())
    }

    #[getter(__defaults__)]
    fn get_defaults(&self) -> Option<Ref<Tuple>> {
        self.defaults.get()
    }

    #[setter(__defaults__)]
    fn set_defaults(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let value = value.filter(|value| !vm.is_none(value));
        let defaults = match value {
            None => None,
            Some(value) => Some(Ref::new_ref(
                value
                    .downcast_ref::<Tuple>()
                    .ok_or_else(|| vm.type_error("__defaults__ must be set to a tuple object"))?,
            )),
        };
        self.forget_version();
        self.defaults.set(defaults);
        Ok(())
    }

    #[getter(__kwdefaults__)]
    fn get_kwdefaults(&self) -> Option<Ref<Dict>> {
        self.kwdefaults.get()
    }

    #[setter(__kwdefaults__)]
    fn set_kwdefaults(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let value = value.filter(|value| !vm.is_none(value));
        let defaults = match value {
            None => None,
            Some(value) => Some(Ref::new_ref(
                value
                    .downcast_ref::<Dict>()
                    .ok_or_else(|| vm.type_error("__kwdefaults__ must be set to a dict object"))?,
            )),
        };
        self.forget_version();
        self.kwdefaults.set(defaults);
        Ok(())
    }

    /// Get the code object for a function.
    #[getter(__annotate__)]
    fn get_annotate(&self) -> Option<ObjRef> {
        self.annotate.get()
    }

    #[setter(__annotate__)]
    fn set_annotate(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.type_error("__annotate__ cannot be deleted")) };
        if vm.is_none(value) {
            self.annotate.put(value.to_ref());
            return Ok(());
        }
        if !value.is_callable() {
            return Err(vm.type_error("__annotate__ must be callable or None"));
        }
        self.annotate.put(value.to_ref());
        self.annotations.set(None);
        Ok(())
    }

    /// Dict of annotations in a function object.
    #[getter(__annotations__)]
    fn get_annotations(&self, vm: &Vm) -> PyResult<ObjRef> {
        if self.annotations.is_none() {
            let annotate = self.annotate.get().filter(|annotate| annotate.is_callable());
            let dict = match annotate {
                None => vm.new_dict().into_object(),
                Some(annotate) => {
                    let one = vm.new_int(1);
                    let made = annotate.call(&[&one], vm)?;
                    if made.downcast_ref::<Dict>().is_none() {
                        return Err(vm.type_error(format!(
                            "__annotate__ returned non-dict of type '{}'",
                            made.ob_type().tp_name_str()
                        )));
                    }
                    made
                }
            };
            self.annotations.put(dict);
        }
        let held = self.annotations.get().unwrap_or_else(|| vm.none());
        if let Some(pairs) = held.downcast_ref::<Tuple>() {
            let dict = vm.new_dict();
            for pair in pairs.as_slice().chunks_exact(2) {
                if let [name, value] = pair {
                    dict.set_item(name, value, vm)?;
                }
            }
            self.annotations.put(dict.clone().into_object());
            return Ok(dict.into_object());
        }
        Ok(held)
    }

    #[setter(__annotations__)]
    fn set_annotations(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let value = value.filter(|value| !vm.is_none(value));
        if value.is_some_and(|value| value.downcast_ref::<Dict>().is_none()) {
            return Err(vm.type_error("__annotations__ must be set to a dict object"));
        }
        self.annotations.set(value.map(Object::to_ref));
        self.annotate.set(None);
        Ok(())
    }

    /// Get the declared type parameters for a function.
    #[getter(__type_params__)]
    fn get_type_params(&self, vm: &Vm) -> ObjRef {
        self.type_params.get().unwrap_or_else(|| Tuple::empty(vm).into_object())
    }

    #[setter(__type_params__)]
    fn set_type_params(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value.filter(|value| value.downcast_ref::<Tuple>().is_some()) else {
            return Err(vm.type_error("__type_params__ must be set to a tuple"));
        };
        self.type_params.put(value.to_ref());
        Ok(())
    }
}
