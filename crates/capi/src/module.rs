//! Modules (C API manual, "Module Objects"): definitions, multi-phase initialisation (PEP 489) and module state.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::sync::atomic::{AtomicIsize, Ordering};

use taipan_object::alloc;
use taipan_vm::builtins::builtin_function::BuiltinFunction;
use taipan_vm::prelude::*;

use crate::support::*;

/// `PyModuleDef`, a static object of the extension.
#[repr(C)]
pub struct ModuleDef {
    #[doc(hidden)]
    pub ob: Object,
    /// The function that made the definition known, for modules of one phase.
    pub m_init: Cell<*mut c_void>,
    /// Its place among the module states; 0 until `PyModuleDef_Init`.
    pub m_index: Cell<isize>,
    /// Unused here.
    pub m_copy: Cell<Ptr>,
    /// The name.
    pub m_name: *const c_char,
    /// The docstring or null.
    pub m_doc: *const c_char,
    /// Bytes of state; -1 when the state is global.
    pub m_size: isize,
    /// The functions or null.
    pub m_methods: *const MethodDef,
    /// The slots of multi-phase initialisation or null.
    pub m_slots: *const ModuleSlot,
    /// `traverseproc` or null.
    pub m_traverse: *mut c_void,
    /// `inquiry` or null.
    pub m_clear: *mut c_void,
    /// `freefunc` or null.
    pub m_free: *mut c_void,
}

const _: () = assert!(size_of::<ModuleDef>() == 104);

/// `PyModuleDef_Slot`.
#[repr(C)]
pub struct ModuleSlot {
    slot: c_int,
    value: *mut c_void,
}

const SLOT_CREATE: c_int = 1;
const SLOT_EXEC: c_int = 2;

/// The type of module definitions: how the loader tells them from modules.
#[pytype(name = "moduledef", symbol = "PyModuleDef_Type", no_new, doc = "")]
impl ModuleDef {
    #[slot]
    fn tp_repr(&self, vm: &Vm) -> ObjRef {
        vm.new_str(&format!("<moduledef object at {:p}>", self.as_object())).into_object()
    }
}

/// Modules by the index of their definition (`PyState_FindModule`).
#[derive(Default)]
struct States(RefCell<HashMap<isize, ObjRef>>);

thread_local! {
    /// The full name of the extension module being initialised, which knows only the last part.
    static FULL_NAME: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs an initialisation function while `PyModule_Create` knows the module's full name.
pub fn with_full_name<R>(name: &str, run: impl FnOnce() -> R) -> R {
    let before = FULL_NAME.replace(Some(name.to_owned()));
    let result = run();
    FULL_NAME.set(before);
    result
}

fn module<'a>(object: Option<&'a Object>, vm: &Vm) -> PyResult<&'a Module> {
    object.and_then(Object::downcast_ref::<Module>).ok_or_else(|| vm.type_error("expected a module"))
}

fn def_of(module: &Module) -> Option<&ModuleDef> {
    // SAFETY: a module's definition is static.
    unsafe { module.md_def.get().cast::<ModuleDef>().as_ref() }
}

/// Gives the definition an index, and its object header a type.
pub fn prepare_def(def: &ModuleDef) {
    static NEXT: AtomicIsize = AtomicIsize::new(1);
    if def.m_index.get() == 0 {
        def.ob.set_type_ptr(ModuleDef::type_object());
        def.m_index.set(NEXT.fetch_add(1, Ordering::Relaxed));
    }
}

/// # Safety
/// `methods` is null or a table that ends with a null name.
unsafe fn add_functions(target: &Object, name: &Object, methods: *const MethodDef, vm: &Vm) -> PyResult<()> {
    let mut at = methods;
    // SAFETY: the caller's promise; definitions are never freed.
    while let Some(def) = unsafe { at.as_ref() }.filter(|def| !def.ml_name.is_null()) {
        use taipan_object::defs::meth;
        if def.ml_flags & (meth::CLASS | meth::STATIC) != 0 {
            return Err(vm.value_error("module functions cannot set METH_CLASS or METH_STATIC"));
        }
        let function = BuiltinFunction::new(def, Some(target.to_ref()), Some(name.to_ref()), vm);
        // SAFETY: names are NUL-terminated.
        let key = crate::support::name(unsafe { CStr::from_ptr(def.ml_name) }, vm)?;
        target.set_attr(&key, function.as_object(), vm)?;
        // SAFETY: behind an entry that is not the last lies another.
        at = unsafe { at.add(1) };
    }
    Ok(())
}

/// Makes room for the module's state.
fn allocate_state(module: &Module, def: &ModuleDef, vm: &Vm) -> PyResult<()> {
    if def.m_size >= 0 && module.md_state.get().is_null() {
        let block = alloc::raw_calloc(1, size(def.m_size, vm)?);
        if block.is_null() {
            return Err(vm.memory_error());
        }
        module.md_state.set(block.cast());
    }
    Ok(())
}

fn set_doc(target: &Object, doc: *const c_char, vm: &Vm) -> PyResult<()> {
    // SAFETY: null or NUL-terminated.
    match unsafe { Option::<&CStr>::from_c(doc) } {
        Some(doc) => {
            let doc = decode_utf8(doc.to_bytes(), vm)?;
            target.set_attr(vm.ids().__doc__, doc.as_object(), vm)
        }
        None => Ok(()),
    }
}

/// `PyModule_Create2`.
fn create(def: &ModuleDef, vm: &Vm) -> PyResult {
    prepare_def(def);
    // SAFETY: names are NUL-terminated.
    let own = lossy(unsafe { <&CStr>::from_c(def.m_name) });
    if !def.m_slots.is_null() {
        return Err(vm.system_error(format!("module {own}: PyModule_Create is incompatible with m_slots")));
    }
    let full = FULL_NAME
        .with_borrow_mut(|full| full.take_if(|full| full.rsplit('.').next().is_some_and(|last| last == own)));
    let made = Module::create(full.as_deref().unwrap_or(&own), None, vm)?;
    made.md_def.set(std::ptr::from_ref(def).cast_mut().cast());
    allocate_state(&made, def, vm)?;
    let name = made.name(vm).map_or_else(|| vm.none(), Ref::into_object);
    // SAFETY: the table of a definition ends with a null name.
    unsafe { add_functions(made.as_object(), &name, def.m_methods, vm)? };
    set_doc(made.as_object(), def.m_doc, vm)?;
    Ok(made.into_object())
}

/// The slots of a definition.
///
/// # Safety
/// The definition's slots end with a zero slot.
unsafe fn slots(def: &ModuleDef) -> Vec<(c_int, *mut c_void)> {
    let mut found = Vec::new();
    let mut at = def.m_slots;
    // SAFETY: the caller's promise.
    while let Some(slot) = unsafe { at.as_ref() }.filter(|slot| slot.slot != 0) {
        found.push((slot.slot, slot.value));
        // SAFETY: behind a slot that is not the last lies another.
        at = unsafe { at.add(1) };
    }
    found
}

type CreateSlot = unsafe extern "C" fn(Ptr, *const ModuleDef) -> Ptr;
type ExecSlot = unsafe extern "C" fn(Ptr) -> c_int;

/// `PyModule_FromDefAndSpec2`: makes the module without executing it.
pub fn from_def_and_spec(def: &ModuleDef, spec: &Object, vm: &Vm) -> PyResult {
    prepare_def(def);
    let name = spec.get_attr(vm.ids().name, vm)?;
    let Some(text) = name.downcast_ref::<Str>() else {
        return Err(vm.type_error("spec.name must be a string"));
    };
    let text = text.to_string_lossy();
    if def.m_size < 0 {
        return Err(vm.system_error(format!(
            "module {text}: m_size may not be negative for multi-phase initialization"
        )));
    }
    let mut maker = None;
    // SAFETY: the slots of a definition end with zero.
    for (slot, value) in unsafe { slots(def) } {
        match slot {
            SLOT_CREATE if maker.is_some() => {
                return Err(vm.system_error(format!("module {text} has more than one create slot")));
            }
            // SAFETY: the slot's number says what its value is.
            SLOT_CREATE => maker = unsafe { std::mem::transmute::<*mut c_void, Option<CreateSlot>>(value) },
            0..=4 => {}
            _ => return Err(vm.system_error(format!("module {text} uses unknown slot ID {slot}"))),
        }
    }
    let made = match maker {
        Some(make) => {
            // SAFETY: a create slot takes the spec and the definition.
            let made = unsafe { make(spec.as_ptr(), def) };
            if made.is_null() && !vm.has_exception() {
                return Err(
                    vm.system_error(format!("creation of module {text} failed without setting an exception"))
                );
            }
            // SAFETY: a new reference, or null with an exception set.
            let made = unsafe { vm.owned(made)? };
            if vm.has_exception() {
                return Err(vm.system_error(format!("creation of module {text} raised unreported exception")));
            }
            made
        }
        None => Module::create(&text, None, vm)?.into_object(),
    };
    if let Some(module) = made.downcast_ref::<Module>() {
        module.md_state.set(std::ptr::null_mut());
        module.md_def.set(std::ptr::from_ref(def).cast_mut().cast());
    }
    // SAFETY: the table of a definition ends with a null name.
    unsafe { add_functions(&made, &name, def.m_methods, vm)? };
    set_doc(&made, def.m_doc, vm)?;
    Ok(made)
}

/// `PyModule_ExecDef`: runs the execution slots.
pub fn exec_def(module: &Module, def: &ModuleDef, vm: &Vm) -> PyResult<()> {
    allocate_state(module, def, vm)?;
    // SAFETY: the slots of a definition end with zero.
    for (slot, value) in unsafe { slots(def) } {
        if slot != SLOT_EXEC {
            continue;
        }
        // SAFETY: the slot's number says what its value is.
        let Some(exec) = (unsafe { std::mem::transmute::<*mut c_void, Option<ExecSlot>>(value) }) else {
            continue;
        };
        // SAFETY: an exec slot takes the module.
        let status = unsafe { exec(module.as_object().as_ptr()) };
        let name = || module.name(vm).map_or_else(|| "?".to_owned(), |n| n.to_string_lossy().into_owned());
        if status != 0 {
            if !vm.has_exception() {
                let name = name();
                return Err(vm.system_error(format!(
                    "execution of module {name} failed without setting an exception"
                )));
            }
            return Err(Raised);
        }
        if vm.has_exception() {
            let name = name();
            return Err(vm.system_error(format!("execution of module {name} raised unreported exception")));
        }
    }
    Ok(())
}

/// `_imp.exec_dynamic`: a module that was executed already stays as it is.
pub fn exec(object: &Object, vm: &Vm) -> PyResult<()> {
    let Some(module) = object.downcast_ref::<Module>() else { return Ok(()) };
    match def_of(module) {
        Some(def) if module.md_state.get().is_null() => exec_def(module, def, vm),
        _ => Ok(()),
    }
}

/// `PyState_AddModule`.
pub fn add_state(module: &Object, def: &ModuleDef, vm: &Vm) {
    if let Ok(mut states) = vm.interp().state::<States>().0.try_borrow_mut() {
        states.insert(def.m_index.get(), module.to_ref());
    }
}

fn add(module: Option<&Object>, key: &CStr, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
    let Some(module) = module.and_then(Object::downcast_ref::<Module>) else {
        return Err(vm.type_error("PyModule_AddObjectRef() first argument must be a module"));
    };
    let Some(value) = value else {
        if vm.has_exception() {
            return Err(Raised);
        }
        return Err(vm.system_error(format!(
            "PyModule_AddObjectRef() must be called with an exception raised if value is NULL: {}",
            lossy(key)
        )));
    };
    module.dict(vm).set_item(name(key, vm)?.as_object(), value, vm)
}

capi! {
    fn PyModuleDef_Init(vm, def: *mut ModuleDef) -> *mut ModuleDef {
        prepare_def(&*def);
        def
    }

    fn PyModule_Create2(vm, def: *mut ModuleDef, version: c_int) -> PyResult {
        create(&*def, vm)
    }

    fn PyModule_FromDefAndSpec2(vm, def: *mut ModuleDef, spec: &Object, version: c_int) -> PyResult {
        from_def_and_spec(&*def, spec, vm)
    }

    fn PyModule_ExecDef(vm, object: Option<&Object>, def: *mut ModuleDef) -> PyResult<()> {
        exec_def(module(object, vm)?, &*def, vm)
    }

    fn PyModule_NewObject(vm, name: &Object) -> PyResult {
        Module::type_object().as_object().call(&[name], vm)
    }

    fn PyModule_New(vm, name: &CStr) -> PyResult<Ref<Module>> {
        Module::create(&lossy(name), None, vm)
    }

    fn PyModule_GetDict(vm, object: Option<&Object>) -> PyResult<Ptr> {
        let module = object.and_then(Object::downcast_ref::<Module>).ok_or_else(|| bad_internal_call(vm))?;
        // Borrowed: the module holds it.
        Ok(module.dict(vm).as_object().as_ptr())
    }

    fn PyModule_GetNameObject(vm, object: Option<&Object>) -> PyResult<Ref<Str>> {
        let module = object.and_then(Object::downcast_ref::<Module>);
        let module = module.ok_or_else(|| vm.type_error("bad argument type for built-in operation"))?;
        module.name(vm).ok_or_else(|| vm.system_error("nameless module"))
    }

    fn PyModule_GetName(vm, object: Option<&Object>) -> PyResult<*const c_char> {
        let module = object.and_then(Object::downcast_ref::<Module>);
        let module = module.ok_or_else(|| vm.type_error("bad argument type for built-in operation"))?;
        let name = module.name(vm).ok_or_else(|| vm.system_error("nameless module"))?;
        Ok(name.to_utf8(vm)?.as_ptr().cast())
    }

    fn PyModule_GetFilenameObject(vm, object: Option<&Object>) -> PyResult {
        let module = object.and_then(Object::downcast_ref::<Module>);
        let module = module.ok_or_else(|| vm.type_error("bad argument type for built-in operation"))?;
        match module.dict(vm).get_str(&vm.intern("__file__"), vm)? {
            Some(file) if file.downcast_ref::<Str>().is_some() => Ok(file),
            _ => Err(vm.system_error("module filename missing")),
        }
    }

    fn PyModule_GetDef(vm, object: Option<&Object>) -> PyResult<*mut c_void> {
        let module = object.and_then(Object::downcast_ref::<Module>);
        Ok(module.ok_or_else(|| vm.type_error("bad argument type for built-in operation"))?.md_def.get())
    }

    fn PyModule_GetState(vm, object: Option<&Object>) -> PyResult<*mut c_void> {
        let module = object.and_then(Object::downcast_ref::<Module>);
        Ok(module.ok_or_else(|| vm.type_error("bad argument type for built-in operation"))?.md_state.get())
    }

    fn PyModule_SetDocString(vm, object: &Object, doc: *const c_char) -> PyResult<()> {
        set_doc(object, doc, vm)
    }

    fn PyModule_AddFunctions(vm, object: Option<&Object>, methods: *const MethodDef) -> PyResult<()> {
        let module = module(object, vm)?;
        let name = module.name(vm).ok_or_else(|| vm.system_error("nameless module"))?;
        add_functions(module.as_object(), name.as_object(), methods, vm)
    }

    fn PyModule_AddObjectRef(vm, object: Option<&Object>, key: &CStr, value: Option<&Object>) -> PyResult<()> {
        add(object, key, value, vm)
    }

    fn PyModule_Add(vm, object: Option<&Object>, key: &CStr, value: Option<ObjRef>) -> PyResult<()> {
        add(object, key, value.as_deref(), vm)
    }

    fn PyModule_AddObject(vm, object: Option<&Object>, key: &CStr, value: Option<&Object>) -> PyResult<()> {
        add(object, key, value, vm)?;
        // The reference is stolen on success only.
        if let Some(value) = value {
            taipan_object::object::decref(value.as_ptr());
        }
        Ok(())
    }

    fn PyModule_AddIntConstant(vm, object: Option<&Object>, key: &CStr, value: c_long) -> PyResult<()> {
        add(object, key, Some(&vm.new_int(value)), vm)
    }

    fn PyModule_AddStringConstant(vm, object: Option<&Object>, key: &CStr, value: &CStr) -> PyResult<()> {
        let value = decode_utf8(value.to_bytes(), vm)?;
        add(object, key, Some(value.as_object()), vm)
    }

    fn PyModule_AddType(vm, object: Option<&Object>, tp: &Type) -> PyResult<()> {
        taipan_vm::builtins::type_::type_ready(tp, vm)?;
        let full = tp.tp_name_str();
        let short = full.rsplit('.').next().unwrap_or(full);
        module(object, vm)?.set(short, tp.as_object(), vm)
    }

    fn PyUnstable_Module_SetGIL(vm, object: Option<&Object>, gil: *mut c_void) -> PyResult<()> {
        module(object, vm).map(drop)
    }

    fn PyState_FindModule(vm, def: *mut ModuleDef) -> Ptr {
        let states = vm.interp().state::<States>();
        let index = (*def).m_index.get();
        let found = states.0.try_borrow().ok().and_then(|states| states.get(&index).map(Ref::as_raw));
        found.unwrap_or(std::ptr::null_mut())
    }

    fn PyState_AddModule(vm, object: Option<&Object>, def: *mut ModuleDef) -> PyResult<()> {
        let module = module(object, vm)?;
        prepare_def(&*def);
        add_state(module.as_object(), &*def, vm);
        Ok(())
    }

    fn PyState_RemoveModule(vm, def: *mut ModuleDef) -> PyResult<()> {
        let removed = match vm.interp().state::<States>().0.try_borrow_mut() {
            Ok(mut states) => states.remove(&(*def).m_index.get()),
            Err(_) => None,
        };
        drop(removed);
        Ok(())
    }
}
