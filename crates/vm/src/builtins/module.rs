//! `module`.

use std::cell::Cell;
use std::ffi::c_void;

use taipan_object::typeobject::{FreeFunc, Inquiry, TraverseProc};

use crate::module_def::NativeModule;
use crate::prelude::*;
use crate::protocols::attributes::{find_generic, generic_set};

/// What a module needs of its `PyModuleDef`: how its state is traversed, emptied and freed.
#[repr(C)]
struct StateHooks {
    head: [usize; 7],
    m_size: isize,
    m_methods: *const c_void,
    m_slots: *const c_void,
    m_traverse: Option<TraverseProc>,
    m_clear: Option<Inquiry>,
    m_free: Option<FreeFunc>,
}

const _: () = assert!(size_of::<StateHooks>() == 104);

/// The layout of a module.
#[repr(C)]
pub struct Module {
    ob: Object,
    /// `__dict__`.
    pub md_dict: Slot<Object>,
    /// `PyModuleDef` of an extension module.
    pub md_def: Cell<*mut c_void>,
    /// The extension module's state block.
    pub md_state: Cell<*mut c_void>,
    /// Weak references.
    pub md_weaklist: WeakList,
    /// The name that the module was made with.
    pub md_name: Slot<Object>,
}

impl Traverse for Module {
    fn traverse(&self, visit: &mut Visit) {
        self.md_dict.traverse(visit);
        self.md_name.traverse(visit);
        if let Some(traverse) = self.state_hooks().and_then(|hooks| hooks.m_traverse) {
            // SAFETY: the definition's function takes its module.
            unsafe { visit.through(traverse, self.as_object()) };
        }
    }

    fn clear(&self) {
        if let Some(clear) = self.state_hooks().and_then(|hooks| hooks.m_clear) {
            // SAFETY: as above.
            unsafe { clear(self.as_object().as_ptr()) };
        }
        self.md_dict.clear();
    }
}

impl Drop for Module {
    fn drop(&mut self) {
        if let (Some(vm), Some(name)) = (Vm::try_current(), self.md_name.get()) {
            crate::runtime::finish::say(vm, || {
                let name = name.downcast_ref::<Str>().map(Str::to_string_lossy);
                format!("# destroy {}", name.unwrap_or_default())
            });
        }
        if let Some(free) = self.state_hooks().and_then(|hooks| hooks.m_free) {
            // SAFETY: the definition's function takes its module, which is whole yet.
            unsafe { free(self.as_object().as_ptr().cast()) };
        }
        // SAFETY: null, or the module's own block.
        unsafe { taipan_object::alloc::raw_free(self.md_state.replace(std::ptr::null_mut()).cast()) };
    }
}

impl Module {
    /// The functions for the module's state, once there is any.
    fn state_hooks(&self) -> Option<&StateHooks> {
        // SAFETY: null, or the definition, which is static.
        let hooks = unsafe { self.md_def.get().cast::<StateHooks>().as_ref() }?;
        (hooks.m_size <= 0 || !self.md_state.get().is_null()).then_some(hooks)
    }

    /// A module of that name with the standard entries in its dictionary.
    pub fn create(name: &str, doc: Option<&str>, vm: &Vm) -> PyResult<Ref<Module>> {
        let module = vm.new_object(empty(vm));
        let doc = doc.map_or_else(|| vm.none(), |text| vm.new_str(text).into_object());
        // Not interned, as CPython's: programs see it in what pickles share.
        module.set_up(vm.new_str(name).as_object(), &doc, vm)?;
        Ok(module)
    }

    fn set_up(&self, name: &Object, doc: &Object, vm: &Vm) -> PyResult<()> {
        let dict = self.dict(vm);
        let ids = vm.ids();
        dict.set_item(ids.__name__.as_object(), name, vm)?;
        dict.set_item(ids.__doc__.as_object(), doc, vm)?;
        for absent in [ids.__package__, ids.__loader__, ids.__spec__] {
            dict.set_item(absent.as_object(), vm.none_ref(), vm)?;
        }
        self.md_name.put(name.to_ref());
        Ok(())
    }

    /// The module's dictionary, made when it has none yet.
    pub fn dict(&self, vm: &Vm) -> Ref<Dict> {
        match self.md_dict.get().and_then(|d| d.downcast::<Dict>().ok()) {
            Some(dict) => dict,
            None => {
                let dict = vm.new_dict();
                self.md_dict.put(dict.clone().into_object());
                dict
            }
        }
    }

    /// `__name__`, when it is a str.
    pub fn name(&self, vm: &Vm) -> Option<Ref<Str>> {
        let found = self.dict(vm).get_str(vm.ids().__name__, vm).ok().flatten()?;
        found.downcast::<Str>().ok()
    }

    /// "name.name" when the module holds a callable of its own name.
    pub fn callable_of_own_name(&self, vm: &Vm) -> Option<String> {
        let name = self.name(vm)?;
        let found = self.dict(vm).get_str(&name, vm).ok().flatten()?;
        let text = name.to_string_lossy();
        found.is_callable().then(|| format!("{text}.{text}"))
    }

    /// Stores an attribute.
    pub fn set(&self, name: &str, value: &Object, vm: &Vm) -> PyResult<()> {
        self.dict(vm).set_item(vm.intern(name).as_object(), value, vm)
    }

    /// Fills the module from a native definition: functions, constants, types, then `exec`.
    pub fn fill(&self, def: &NativeModule, vm: &Vm) -> PyResult<()> {
        let name = self.md_name.get().unwrap_or_else(|| vm.new_str(def.name).into_object());
        for method in def.methods {
            if method.ml_name.is_null() {
                break;
            }
            // SAFETY: names of definitions are NUL-terminated.
            let text = unsafe { std::ffi::CStr::from_ptr(method.ml_name) }.to_string_lossy();
            let function = crate::builtins::builtin_function::BuiltinFunction::new(
                method,
                Some(self.as_object().to_ref()),
                Some(name.clone()),
                vm,
            );
            self.set(&text, function.as_object(), vm)?;
        }
        for (text, make) in def.constants {
            self.set(text, &*make(vm)?, vm)?;
        }
        for tp in def.types {
            let tp = tp();
            super::type_::ready::type_ready(tp, vm)?;
            self.set(tp.name(), tp.as_object(), vm)?;
        }
        match def.exec {
            Some(exec) => exec(self, vm),
            None => Ok(()),
        }
    }

    /// `module.name` with the module's own `__getattr__` (PEP 562), where a missing attribute is no error.
    pub fn find(&self, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
        if let Some(value) = find_generic(self.as_object(), name, vm)? {
            return Ok(Some(value));
        }
        match self.dict(vm).get_str(vm.ids().__getattr__, vm)? {
            Some(getattr) => getattr.call(&[name.as_object()], vm).map(Some),
            None => Ok(None),
        }
    }

    fn missing(&self, name: &Str, vm: &Vm) -> PyResult {
        let text = crate::import::missing_attribute_text(self, name, vm)?;
        Err(vm.attribute_error_for(text, self.as_object(), name.as_object()))
    }
}

fn empty(vm: &Vm) -> Module {
    Module {
        ob: Object::new(Module::type_object()),
        md_dict: Slot::of(vm.new_dict().into_object()),
        md_def: Cell::new(std::ptr::null_mut()),
        md_state: Cell::new(std::ptr::null_mut()),
        md_weaklist: WeakList::new(),
        md_name: Slot::empty(),
    }
}

/// Create a module object.
///
/// The name must be a string; the optional docstring can have any type.
#[pytype(
    name = "module",
    symbol = "PyModule_Type",
    flags(BASETYPE),
    gc,
    dict = md_dict,
    weakrefs = md_weaklist
)]
impl Module {
    #[new("(*args, **kwargs)")]
    fn new(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, empty(vm))
    }

    #[init("(name, doc=None)")]
    fn init(&self, name: &Str, doc: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_up(name.as_object(), doc.unwrap_or(vm.none_ref()), vm)
    }

    /// __dir__() -> list
    /// specialized dir() implementation
    #[method("($self, /)")]
    fn __dir__(&self, vm: &Vm) -> PyResult {
        let dict = self.as_object().get_attr(vm.ids().__dict__, vm)?;
        let Some(dict) = dict.downcast_ref::<Dict>() else {
            return Err(vm.type_error("<module>.__dict__ is not a dictionary"));
        };
        if let Some(custom) = dict.get_str(vm.ids().__dir__, vm)? {
            return custom.call_no_args(vm);
        }
        Ok(List::from_vec(dict.keys_vec(), vm).into_object())
    }

    #[getter]
    fn __dict__(&self, vm: &Vm) -> Ref<Dict> {
        self.dict(vm)
    }

    #[getter]
    fn __annotations__(&self, vm: &Vm) -> PyResult {
        let dict = self.dict(vm);
        if let Some(made) = dict.get_str(vm.ids().__annotations__, vm)? {
            return Ok(made);
        }
        let annotate = dict.get_str(vm.ids().__annotate__, vm)?.filter(|f| f.is_callable());
        let result = match annotate {
            Some(annotate) => {
                let result = annotate.call(&[&vm.new_int(1)], vm)?;
                if result.downcast_ref::<Dict>().is_none() {
                    return Err(vm.type_error(format!(
                        "__annotate__ returned non-dict of type '{}'",
                        result.ob_type().name()
                    )));
                }
                result
            }
            None => vm.new_dict().into_object(),
        };
        dict.set_item(vm.ids().__annotations__.as_object(), &result, vm)?;
        Ok(result)
    }

    #[setter]
    fn set___annotations__(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let dict = self.dict(vm);
        match value {
            Some(value) => dict.set_item(vm.ids().__annotations__.as_object(), value, vm)?,
            None => {
                if !dict.del_item(vm.ids().__annotations__.as_object(), vm)? {
                    return Err(vm.attribute_error("__annotations__"));
                }
            }
        }
        dict.pop(vm.ids().__annotate__.as_object(), vm).map(drop)
    }

    #[getter]
    fn __annotate__(&self, vm: &Vm) -> PyResult {
        let dict = self.dict(vm);
        if let Some(annotate) = dict.get_str(vm.ids().__annotate__, vm)? {
            return Ok(annotate);
        }
        dict.set_item(vm.ids().__annotate__.as_object(), vm.none_ref(), vm)?;
        Ok(vm.none())
    }

    #[setter]
    fn set___annotate__(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.type_error("cannot delete __annotate__ attribute")) };
        if !vm.is_none(value) && !value.is_callable() {
            return Err(vm.type_error("__annotate__ must be callable or None"));
        }
        let dict = self.dict(vm);
        dict.set_item(vm.ids().__annotate__.as_object(), value, vm)?;
        if !vm.is_none(value) {
            dict.pop(vm.ids().__annotations__.as_object(), vm)?;
        }
        Ok(())
    }

    #[slot]
    fn tp_getattro(&self, name: &Str, vm: &Vm) -> PyResult {
        match self.find(name, vm)? {
            Some(value) => Ok(value),
            None => self.missing(name, vm),
        }
    }

    #[slot]
    fn tp_setattro(&self, name: &Str, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        generic_set(self.as_object(), name, value, vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult {
        let importlib = crate::import::import_module("importlib._bootstrap", vm).or_else(|_| {
            vm.clear_exception();
            crate::import::import_module("_frozen_importlib", vm)
        })?;
        importlib.call_method(&vm.intern("_module_repr"), &[self.as_object()], vm)
    }
}
