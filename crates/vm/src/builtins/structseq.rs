//! Struct sequences: tuples whose items are attributes too (`sys.version_info`, `os.stat_result`, `time.struct_time`).
//!
//! An instance is a tuple of all its fields whose length tells the visible ones only; the rest lie behind them.

use std::ffi::{CStr, CString, c_int, c_void};
use std::sync::Mutex;

use taipan_object::defs::member;
use taipan_object::traverse::VisitProc;
use taipan_object::typeobject::Destructor;

use crate::builtins::descr::{self, MemberDescriptor, WrapperDescriptor};
use crate::builtins::type_::slotdefs::SLOT_DEFS;
use crate::builtins::type_::{TypeExt, lookup::type_dict, new};
use crate::prelude::*;

/// A struct sequence type before it is made. Declare one as a `static` and call `get`.
pub struct StructSeq {
    /// The full name: "module.name".
    pub name: &'static str,
    /// `__doc__`.
    pub doc: &'static str,
    /// Names of the fields and their documentation; an empty name is an item without attribute.
    pub fields: &'static [(&'static str, &'static str)],
    /// How many of the fields are items of the sequence; the rest are attributes only.
    pub visible: usize,
}

/// Byte at which the items of a tuple begin.
const ITEMS: usize = size_of::<Tuple>();

/// The types made so far by the address of their declaration, and what their descriptors point to.
#[derive(Default)]
struct Made {
    types: std::cell::RefCell<Vec<(usize, Ref<Type>)>>,
    members: std::cell::RefCell<Vec<(Box<[MemberDef]>, Vec<CString>)>>,
}

impl StructSeq {
    /// The interpreter's type of this declaration, made on first use.
    pub fn get(&'static self, vm: &Vm) -> PyResult<Ref<Type>> {
        let key = std::ptr::from_ref(self) as usize;
        let made = vm.interp().state::<Made>();
        if let Some((_, tp)) = made.types.borrow().iter().find(|(known, _)| *known == key) {
            return Ok(tp.clone());
        }
        let tp = self.make(vm)?;
        made.types.borrow_mut().push((key, tp.clone()));
        Ok(tp)
    }

    fn make(&'static self, vm: &Vm) -> PyResult<Ref<Type>> {
        let name = self.name.rsplit_once('.').map_or(self.name, |(_, name)| name);
        let dict = vm.new_dict();
        dict.set_str(&vm.intern("__slots__"), Tuple::empty(vm).as_object(), vm)?;
        let args = vm.new_tuple([
            vm.new_str(name).into_object(),
            vm.new_tuple([Tuple::type_object().as_object().to_ref()]).into_object(),
            dict.into_object(),
        ]);
        let tp = new::type_new(Type::type_type(), &args, None, vm)?;
        let tp = tp.downcast::<Type>().map_err(|_| vm.system_error("no type"))?;
        let (Some(heap), Some(namespace)) = (tp.as_heap_type(), type_dict(&tp)) else {
            return Err(vm.system_error("a struct sequence type is no class"));
        };
        new::set_tp_name(heap, self.name, vm)?;
        heap.ht_token.set(std::ptr::from_ref(self).cast_mut().cast());
        // No class derives from it, and its instances end here: all fields belong to them.
        tp.clear_flag(TypeFlags::BASETYPE);
        set_slots(&tp);
        namespace.del_item(vm.intern("__slots__").as_object(), vm)?;
        namespace.set_str(vm.ids().__new__, &new::new_wrapper(&tp, vm), vm)?;
        if let Some(repr) = StructSequence::type_object().tp_repr.get() {
            for def in SLOT_DEFS.iter().filter(|def| def.name() == "__repr__") {
                let wrapper = WrapperDescriptor::new(&tp, def, repr as *const (), vm);
                namespace.set_str(vm.ids().__repr__, wrapper.as_object(), vm)?;
            }
        }
        self.fill(&tp, &namespace, vm)?;
        Ok(tp)
    }

    /// Makes a struct sequence of a static type that nothing has filled yet (`PyStructSequence_InitType2`).
    ///
    /// # Safety
    /// `tp` is zeroed and lives as long as the process.
    pub unsafe fn init_static(&'static self, tp: &'static Type, vm: &Vm) -> PyResult<()> {
        tp.as_object().make_immortal();
        let name = CString::new(self.name).map_err(|_| vm.value_error("embedded null character"))?;
        tp.tp_name.set(name.into_raw());
        tp.tp_base.set(Tuple::type_object());
        tp.tp_basicsize.set(Tuple::type_object().tp_basicsize.get());
        tp.tp_itemsize.set(Tuple::type_object().tp_itemsize.get());
        tp.set_flag(TypeFlags::HAVE_GC);
        set_slots(tp);
        if let Ok(mut statics) = STATICS.lock() {
            statics.push((std::ptr::from_ref(tp) as usize, self));
        }
        crate::builtins::type_::type_ready(tp, vm)?;
        let Some(namespace) = type_dict(tp) else { return Err(vm.system_error("type without dictionary")) };
        self.fill(tp, &namespace, vm)
    }

    /// What all struct sequences have in their dictionaries.
    fn fill(&self, tp: &Type, namespace: &Dict, vm: &Vm) -> PyResult<()> {
        let module = self.name.rsplit_once('.').map_or("builtins", |(module, _)| module);
        let set = |key: &str, value: ObjRef| namespace.set_str(&vm.intern(key), &value, vm);
        set("__module__", vm.new_str(module).into_object())?;
        set("__doc__", vm.new_str(self.doc).into_object())?;
        set("n_fields", vm.new_int(self.fields.len()))?;
        set("n_sequence_fields", vm.new_int(self.visible))?;
        let unnamed = self.fields.iter().filter(|(name, _)| name.is_empty()).count();
        set("n_unnamed_fields", vm.new_int(unnamed))?;
        let names: Vec<ObjRef> = self
            .fields
            .iter()
            .take(self.visible)
            .filter(|(name, _)| !name.is_empty())
            .map(|(name, _)| vm.intern(name).into_object())
            .collect();
        set("__match_args__", vm.new_tuple(names).into_object())?;
        self.add_members(tp, namespace, vm)?;
        let mut at = StructSequence::type_object().tp_methods.get();
        // SAFETY: a method table is static and ends with a null name.
        while let Some(def) = unsafe { at.as_ref() }.filter(|def| !def.ml_name.is_null()) {
            // SAFETY: names in definition tables are NUL-terminated.
            let name = vm.intern(&unsafe { CStr::from_ptr(def.ml_name) }.to_string_lossy());
            let method = descr::method_for_type(tp, def, vm)?;
            namespace.set_str(&name, &method, vm)?;
            // SAFETY: there is at least the end behind an entry.
            at = unsafe { at.add(1) };
        }
        Ok(())
    }

    fn add_members(&self, tp: &Type, namespace: &Dict, vm: &Vm) -> PyResult<()> {
        let mut texts = Vec::new();
        let mut kept = |text: &str| -> PyResult<*const std::ffi::c_char> {
            let text = CString::new(text).map_err(|_| vm.value_error("embedded null character"))?;
            let place = text.as_ptr();
            texts.push(text);
            Ok(place)
        };
        let mut members = Vec::new();
        for (at, (name, doc)) in self.fields.iter().enumerate().filter(|(_, (name, _))| !name.is_empty()) {
            members.push(MemberDef {
                name: kept(name)?,
                kind: member::OBJECT,
                offset: (ITEMS + at * size_of::<*mut Object>()) as isize,
                flags: member::READONLY,
                doc: if doc.is_empty() { std::ptr::null() } else { kept(doc)? },
            });
        }
        let members = members.into_boxed_slice();
        for (def, (name, _)) in members.iter().zip(self.fields.iter().filter(|(name, _)| !name.is_empty())) {
            let descriptor = MemberDescriptor::new(tp, def, vm);
            namespace.set_str(&vm.intern(name), descriptor.as_object(), vm)?;
        }
        vm.interp().state::<Made>().members.borrow_mut().push((members, texts));
        Ok(())
    }

    /// Leaves making instances to the interpreter: calling the type raises `TypeError`.
    pub fn close(&'static self, vm: &Vm) -> PyResult<()> {
        let tp = self.get(vm)?;
        tp.tp_new.set(None);
        tp.set_flag(TypeFlags::DISALLOW_INSTANTIATION);
        if let Some(namespace) = type_dict(&tp) {
            namespace.del_item(vm.ids().__new__.as_object(), vm)?;
        }
        Ok(())
    }

    /// An instance. `values` are all fields, those beyond the visible ones included.
    pub fn instance(&'static self, values: Vec<ObjRef>, vm: &Vm) -> PyResult {
        let tp = self.get(vm)?;
        new_instance(&tp, self, values, vm)
    }
}

/// The declarations of types that are static in C, by address.
static STATICS: Mutex<Vec<(usize, &'static StructSeq)>> = Mutex::new(Vec::new());

fn set_slots(tp: &Type) {
    let template = StructSequence::type_object();
    tp.tp_dealloc.set(Some(dealloc));
    tp.tp_traverse.set(Some(traverse));
    tp.tp_clear.set(None);
    tp.tp_new.set(template.tp_new.get());
    tp.tp_repr.set(template.tp_repr.get());
}

/// The declaration of a type that was made here.
pub fn declaration_of(tp: &Type) -> Option<&'static StructSeq> {
    if !tp.tp_dealloc.get().is_some_and(|f| std::ptr::fn_addr_eq(f, dealloc as Destructor)) {
        return None;
    }
    match tp.as_heap_type() {
        // SAFETY: classes with this destructor have their declaration as token.
        Some(heap) => unsafe { heap.ht_token.get().cast::<StructSeq>().as_ref() },
        None => {
            let address = std::ptr::from_ref(tp) as usize;
            let statics = STATICS.lock().ok()?;
            statics.iter().find(|(known, _)| *known == address).map(|(_, declaration)| *declaration)
        }
    }
}

fn declaration(tp: &Type, vm: &Vm) -> PyResult<&'static StructSeq> {
    declaration_of(tp).ok_or_else(|| vm.type_error(format!("cannot create '{}' instances", tp.name())))
}

fn new_instance(tp: &Type, declaration: &'static StructSeq, mut values: Vec<ObjRef>, vm: &Vm) -> PyResult {
    values.resize_with(declaration.fields.len(), || vm.none());
    let object = Tuple::of_type(tp, &values, vm)?;
    // SAFETY: a tuple; the fields behind its end are found by the declaration.
    unsafe { (*object.as_ptr().cast::<VarObject>()).ob_size.set(declaration.visible as isize) };
    Ok(object)
}

/// The place of a field of an instance, visible or not.
pub fn place_of(object: &Object, index: usize) -> Option<*mut *mut Object> {
    let declaration = declaration_of(object.ob_type())?;
    // SAFETY: an instance has all the fields of its declaration.
    (index < declaration.fields.len())
        .then(|| unsafe { object.as_ptr().byte_add(ITEMS).cast::<*mut Object>().add(index) })
}

/// The field at an index of an instance, visible or not.
fn field_of(object: &Object, index: usize, vm: &Vm) -> ObjRef {
    // SAFETY: a field is null (while C code fills the instance) or alive.
    place_of(object, index)
        .and_then(|place| unsafe { Object::from_ptr(*place) })
        .map_or_else(|| vm.none(), Object::to_ref)
}

/// # Safety
/// Called by the collector with an instance.
unsafe extern "C" fn traverse(op: *mut Object, visit: VisitProc, arg: *mut c_void) -> c_int {
    // SAFETY: the instance and all that it holds are alive.
    unsafe {
        let tp = (*op).ob_type();
        let mut visitor = Visit::new(visit, arg);
        if tp.has_flag(TypeFlags::HEAPTYPE) {
            visitor.raw(tp.as_object().as_ptr());
        }
        for index in 0..declaration_of(tp).map_or(0, |declaration| declaration.fields.len()) {
            visitor.raw(*op.byte_add(ITEMS).cast::<*mut Object>().add(index));
        }
        visitor.result()
    }
}

/// # Safety
/// `op` is an instance whose count has reached zero.
unsafe extern "C" fn dealloc(op: *mut Object) {
    // SAFETY: with all its fields for items the instance is a tuple like others; its type is released last.
    unsafe {
        let tp = (*op).ob_type();
        if let Some(declaration) = declaration_of(tp) {
            (*op.cast::<VarObject>()).ob_size.set(declaration.fields.len() as isize);
        }
        let (type_ptr, is_heap) = (tp.as_object().as_ptr(), tp.has_flag(TypeFlags::HEAPTYPE));
        if let Some(dealloc) = Tuple::type_object().tp_dealloc.get() {
            dealloc(op);
        }
        if is_heap {
            taipan_object::object::decref(type_ptr);
        }
    }
}

/// Where the methods that all struct sequences have are declared. Each type gets them for its own; this one is never used.
#[repr(C)]
pub struct StructSequence {
    tuple: Tuple,
}

/// A tuple whose items are attributes too.
#[pytype(
    name = "structseq",
    base = Tuple,
    basicsize = 32,
    flags(BASETYPE, HAVE_GC),
    no_layout,
    static = STRUCT_SEQUENCE
)]
impl StructSequence {
    #[method("($self, /)")]
    fn __reduce__(zelf: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let tp = zelf.ob_type();
        let declaration = declaration(tp, vm)?;
        let visible: Vec<ObjRef> = (0..declaration.visible).map(|at| field_of(zelf, at, vm)).collect();
        let rest = vm.new_dict();
        for (at, (name, _)) in declaration.fields.iter().enumerate().skip(declaration.visible) {
            rest.set_item(vm.intern(name).as_object(), &field_of(zelf, at, vm), vm)?;
        }
        let args = vm.new_tuple([vm.new_tuple(visible).into_object(), rest.into_object()]);
        Ok(vm.new_tuple([tp.as_object().to_ref(), args.into_object()]))
    }

    /// Return a copy of the structure with new values for the specified fields.
    #[method("($self, /, **changes)")]
    fn __replace__(zelf: &Object, changes: KwArgs<'_>, vm: &Vm) -> PyResult {
        let tp = zelf.ob_type();
        let declaration = declaration(tp, vm)?;
        if declaration.fields.iter().take(declaration.visible).any(|(name, _)| name.is_empty()) {
            return Err(vm.type_error(format!(
                "__replace__() is not supported for {} because it has unnamed field(s)",
                declaration.name
            )));
        }
        let mut values: Vec<ObjRef> =
            (0..declaration.fields.len()).map(|at| field_of(zelf, at, vm)).collect();
        let mut unknown = Vec::new();
        for (name, value) in changes.iter() {
            let text = name.to_string_lossy();
            match declaration.fields.iter().position(|(field, _)| *field == text) {
                Some(at) => {
                    if let Some(place) = values.get_mut(at) {
                        *place = value.to_ref();
                    }
                }
                None => unknown.push(format!("'{text}'")),
            }
        }
        if !unknown.is_empty() {
            return Err(vm.type_error(format!("Got unexpected field name(s): [{}]", unknown.join(", "))));
        }
        new_instance(tp, declaration, values, vm)
    }

    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let declaration = declaration(cls, vm)?;
        let lookup = |name: &str| -> PyResult<Option<ObjRef>> {
            kwargs.map_or(Ok(None), |d| d.get_str(&vm.intern(name), vm))
        };
        for name in kwargs.map_or(Vec::new(), Dict::keys_vec) {
            let name = name.str(vm)?;
            if !name.eq_str("sequence") && !name.eq_str("dict") {
                let text = name.to_string_lossy();
                return Err(vm.type_error(format!("structseq() got an unexpected keyword argument '{text}'")));
            }
        }
        let sequence = match args.as_slice().first() {
            Some(sequence) => sequence.clone(),
            None => lookup("sequence")?
                .ok_or_else(|| vm.type_error("structseq() missing required argument 'sequence' (pos 1)"))?,
        };
        let Ok(mut values) = sequence.collect_iterable(vm) else {
            if vm.exception_matches(types::type_error()) {
                vm.clear_exception();
                return Err(vm.type_error("constructor requires a sequence"));
            }
            return Err(Raised);
        };
        let (least, most) = (declaration.visible, declaration.fields.len());
        if values.len() < least || values.len() > most {
            let bound = match (least == most, values.len() < least) {
                (true, _) => format!("a {least}-sequence"),
                (false, true) => format!("an at least {least}-sequence"),
                (false, false) => format!("an at most {most}-sequence"),
            };
            return Err(vm.type_error(format!(
                "{}() takes {bound} ({}-sequence given)",
                declaration.name,
                values.len()
            )));
        }
        let given = match args.as_slice().get(1) {
            Some(dict) => Some(dict.clone()),
            None => lookup("dict")?,
        };
        if let Some(dict) = given {
            let Some(dict) = dict.downcast_ref::<Dict>() else {
                return Err(
                    vm.type_error(format!("{}() takes a dict as second arg, if any", declaration.name))
                );
            };
            let mut used = 0;
            for (name, _) in declaration.fields.iter().skip(values.len()) {
                let given = dict.get_str(&vm.intern(name), vm)?;
                used += usize::from(given.is_some());
                values.push(given.unwrap_or_else(|| vm.none()));
            }
            if used < dict.len() {
                return Err(vm.type_error(format!(
                    "{}() got duplicate or unexpected field name(s)",
                    declaration.name
                )));
            }
        }
        new_instance(cls, declaration, values, vm)
    }

    #[slot]
    fn tp_repr(zelf: &Object, vm: &Vm) -> PyResult {
        let declaration = declaration(zelf.ob_type(), vm)?;
        let mut parts = Vec::new();
        for (at, (name, _)) in declaration.fields.iter().enumerate().take(declaration.visible) {
            parts.push(format!("{name}={}", field_of(zelf, at, vm).repr(vm)?.to_string_lossy()));
        }
        Ok(vm.new_str(&format!("{}({})", declaration.name, parts.join(", "))).into_object())
    }
}
