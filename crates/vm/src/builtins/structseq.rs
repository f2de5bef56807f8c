//! Struct sequences: tuples whose items are attributes too (`sys.version_info`, `os.stat_result`, `time.struct_time`).

use std::cell::Cell;

use crate::builtins::type_::{TypeExt, lookup::type_dict};
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

/// The types made so far, by the address of their declaration.
#[derive(Default)]
struct Made(std::cell::RefCell<Vec<(usize, Ref<Type>)>>);

impl StructSeq {
    /// The interpreter's type of this declaration, made on first use.
    pub fn get(&'static self, vm: &Vm) -> PyResult<Ref<Type>> {
        let key = std::ptr::from_ref(self) as usize;
        let made = vm.interp().state::<Made>();
        if let Some((_, tp)) = made.0.borrow().iter().find(|(known, _)| *known == key) {
            return Ok(tp.clone());
        }
        let tp = self.make(vm)?;
        made.0.borrow_mut().push((key, tp.clone()));
        Ok(tp)
    }

    fn make(&'static self, vm: &Vm) -> PyResult<Ref<Type>> {
        let (module, name) = self.name.rsplit_once('.').unwrap_or(("builtins", self.name));
        let dict = vm.new_dict();
        let set = |key: &str, value: ObjRef| dict.set_item(vm.intern(key).as_object(), &value, vm);
        set("__module__", vm.new_str(module).into_object())?;
        set("__doc__", vm.new_str(self.doc).into_object())?;
        set("__slots__", Tuple::empty(vm).into_object())?;
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
        let args = vm.new_tuple([
            vm.new_str(name).into_object(),
            vm.new_tuple([StructSequence::type_object().as_object().to_ref()]).into_object(),
            dict.into_object(),
        ]);
        let tp = crate::builtins::type_::new::type_new(Type::type_type(), &args, None, vm)?;
        let tp = tp.downcast::<Type>().map_err(|_| vm.system_error("no type"))?;
        if let Some(heap) = tp.as_heap_type() {
            crate::builtins::type_::new::set_tp_name(heap, self.name, vm)?;
        }
        if let Some(namespace) = type_dict(&tp) {
            namespace.del_item(vm.intern("__slots__").as_object(), vm)?;
            for (at, (name, doc)) in self.fields.iter().enumerate() {
                if name.is_empty() {
                    continue;
                }
                let field = vm.new_object(Field {
                    ob: Object::new(Field::type_object()),
                    index: at,
                    name,
                    doc,
                    owner: Cell::new(&*tp),
                });
                namespace.set_item(vm.intern(name).as_object(), field.as_object(), vm)?;
            }
        }
        if let Some(heap) = tp.as_heap_type() {
            crate::builtins::type_::new::set_tp_name(heap, self.name, vm)?;
        }
        // The concrete type takes the declaration's own constructor and can't be derived from.
        tp.clear_flag(TypeFlags::BASETYPE);
        tp.tp_new.set(StructSequence::type_object().tp_new.get());
        vm.interp().state::<Declarations>().0.borrow_mut().push((std::ptr::from_ref(&*tp) as usize, self));
        Ok(tp)
    }

    /// Leaves making instances to the interpreter: calling the type raises `TypeError`.
    pub fn close(&'static self, vm: &Vm) -> PyResult<()> {
        self.get(vm)?.tp_new.set(None);
        Ok(())
    }

    /// An instance. `values` are all fields, those beyond the visible ones included.
    pub fn instance(&'static self, values: Vec<ObjRef>, vm: &Vm) -> PyResult {
        let tp = self.get(vm)?;
        new_instance(&tp, self, values, vm)
    }
}

#[derive(Default)]
struct Declarations(std::cell::RefCell<Vec<(usize, &'static StructSeq)>>);

fn declaration(tp: &Type, vm: &Vm) -> PyResult<&'static StructSeq> {
    let key = std::ptr::from_ref(tp) as usize;
    let known = vm.interp().state::<Declarations>();
    let found = known.0.borrow().iter().find(|(address, _)| *address == key).map(|(_, d)| *d);
    found.ok_or_else(|| vm.type_error(format!("cannot create '{}' instances", tp.name())))
}

fn new_instance(tp: &Type, declaration: &'static StructSeq, mut values: Vec<ObjRef>, vm: &Vm) -> PyResult {
    while values.len() < declaration.fields.len() {
        values.push(vm.none());
    }
    let hidden = values.split_off(declaration.visible.min(values.len()));
    let object = Tuple::of_type(tp, &values, vm)?;
    if !hidden.is_empty() {
        let table = vm.interp().state::<Hidden>();
        table.0.borrow_mut().insert(object.as_raw() as usize, hidden);
    }
    Ok(object)
}

/// The fields beyond the visible ones, by the address of the instance.
#[derive(Default)]
struct Hidden(std::cell::RefCell<std::collections::HashMap<usize, Vec<ObjRef>>>);

/// The field at an index of an instance, visible or not.
fn field_of(object: &Object, index: usize, vm: &Vm) -> ObjRef {
    let Some(tuple) = object.downcast_ref::<Tuple>() else { return vm.none() };
    if let Some(item) = tuple.as_slice().get(index) {
        return item.clone();
    }
    let table = vm.interp().state::<Hidden>();
    let hidden = table.0.borrow();
    hidden
        .get(&(object.as_ptr() as usize))
        .and_then(|fields| fields.get(index - tuple.len()))
        .cloned()
        .unwrap_or_else(|| vm.none())
}

/// The common base of all struct sequences: a tuple with named fields.
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

    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: the thread is attached, as objects end on attached threads only; the tuple's own end follows.
        unsafe {
            let vm = Vm::current();
            let hidden = vm.interp().state::<Hidden>().0.borrow_mut().remove(&(op as usize));
            drop(hidden);
            if let Some(dealloc) = Tuple::type_object().tp_dealloc.get() {
                dealloc(op);
            }
        }
    }
}

/// The descriptor of one field.
#[repr(C)]
#[derive(Traverse)]
pub struct Field {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    index: usize,
    #[traverse(skip)]
    name: &'static str,
    #[traverse(skip)]
    doc: &'static str,
    #[traverse(skip)]
    owner: Cell<*const Type>,
}

#[pytype(name = "member_descriptor", doc = "")]
impl Field {
    #[getter]
    fn __name__(&self) -> &'static str {
        self.name
    }

    #[getter]
    fn __doc__(&self, vm: &Vm) -> ObjRef {
        if self.doc.is_empty() { vm.none() } else { vm.new_str(self.doc).into_object() }
    }

    #[getter]
    fn __objclass__(&self) -> ObjRef {
        // SAFETY: struct sequence types live as long as the interpreter.
        unsafe { (*self.owner.get()).as_object().to_ref() }
    }

    #[slot]
    fn tp_repr(&self) -> String {
        // SAFETY: as above.
        let owner = unsafe { &*self.owner.get() };
        format!("<member '{}' of '{}' objects>", self.name, owner.tp_name_str())
    }

    #[slot]
    fn tp_descr_get(&self, object: Option<&Object>, _cls: Option<&Object>, vm: &Vm) -> ObjRef {
        match object {
            Some(object) => field_of(object, self.index, vm),
            None => self.as_object().to_ref(),
        }
    }

    #[slot]
    fn tp_descr_set(&self, _object: &Object, _value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        Err(vm.attribute_error("readonly attribute"))
    }
}
