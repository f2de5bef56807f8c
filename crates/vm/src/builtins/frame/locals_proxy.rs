//! `FrameLocalsProxy`: a function's variables as a mapping that reads and writes them (PEP 667).

use crate::builtins::cell::PyCell;
use crate::builtins::code::kind;
use crate::builtins::frame::Frame;
use crate::interpreter::frame::InterpreterFrame;
use crate::interpreter::stackref::StackRef;
use crate::prelude::*;

/// What `frame.f_locals` gives for a function's frame.
#[repr(C)]
#[derive(Traverse)]
pub struct FrameLocalsProxy {
    /// The header.
    #[traverse(skip)]
    pub ob: Object,
    frame: Slot<Frame>,
}

/// Where a variable is.
enum Place {
    Slot(*mut StackRef),
    Cell(Ref<PyCell>),
}

fn place(frame: &Frame, index: usize, kind: u8) -> Option<Place> {
    // SAFETY: the activation lives as long as the frame object; `index` is one of the code's variables.
    unsafe {
        let activation = frame.activation();
        let slot = InterpreterFrame::locals_ptr(activation).add(index);
        let not_started = InterpreterFrame::code_index(activation) < 1;
        if kind & kind::FREE != 0 && (*slot).is_null() && not_started {
            // The frame has not copied its closure yet.
            let code = InterpreterFrame::code(activation);
            let first = code.nlocalsplus() - code.nfreevars();
            let function = (*activation).funcobj;
            if function.is_null() {
                return None;
            }
            let closure = function.object().downcast_ref::<Function>()?.closure.get()?;
            let cell = closure.get(index.checked_sub(first)?)?.downcast_ref::<PyCell>()?;
            return Some(Place::Cell(Ref::new_ref(cell)));
        }
        if kind & (kind::CELL | kind::FREE) != 0 && !(*slot).is_null() {
            if let Some(cell) = (*slot).object().downcast_ref::<PyCell>() {
                return Some(Place::Cell(Ref::new_ref(cell)));
            }
        }
        Some(Place::Slot(slot))
    }
}

fn read(place: &Place) -> Option<ObjRef> {
    match place {
        // SAFETY: slots hold live objects or nothing.
        Place::Slot(slot) => unsafe {
            if (**slot).is_null() { None } else { Some((**slot).object().to_ref()) }
        },
        Place::Cell(cell) => cell.contents.get(),
    }
}

/// All variables that have a value, in the code's order.
fn variables(frame: &Frame) -> Vec<(ObjRef, ObjRef)> {
    let code = frame.code();
    let kinds = code.localspluskinds();
    let mut found = Vec::new();
    for (i, (name, &kind)) in code.localsplusnames().as_slice().iter().zip(kinds).enumerate() {
        if let Some(value) = place(frame, i, kind).as_ref().and_then(read) {
            found.push((name.clone(), value));
        }
    }
    found
}

/// Whether variables of a comprehension that was inlined into a module's or class's body are alive (PEP 709).
pub fn has_hidden(frame: &Frame) -> bool {
    let code = frame.code();
    code.localspluskinds()
        .iter()
        .enumerate()
        .any(|(i, &kind)| kind & kind::HIDDEN != 0 && place(frame, i, kind).as_ref().and_then(read).is_some())
}

/// A dict of the variables (`locals()`).
pub fn snapshot(frame: &Frame, vm: &Vm) -> PyResult<Ref<Dict>> {
    let dict = vm.new_dict();
    for (name, value) in variables(frame) {
        dict.set_item(&name, &value, vm)?;
    }
    if let Some(extra) = frame.f_extra_locals.get() {
        dict.update_from(extra.as_object(), true, vm)?;
    }
    Ok(dict)
}

impl FrameLocalsProxy {
    /// A proxy for a frame.
    pub fn create(frame: &Frame, vm: &Vm) -> ObjRef {
        vm.new_object(FrameLocalsProxy {
            ob: Object::new(Self::type_object()),
            frame: Slot::of(Ref::new_ref(frame)),
        })
        .into_object()
    }

    fn frame(&self, vm: &Vm) -> PyResult<Ref<Frame>> {
        self.frame.get().ok_or_else(|| vm.runtime_error("frame has gone"))
    }

    /// The variable that `key` names: its number and kind.
    fn find(frame: &Frame, key: &Object, reading: bool, vm: &Vm) -> PyResult<Option<(usize, u8)>> {
        let code = frame.code();
        let kinds = code.localspluskinds();
        let names = code.localsplusnames().as_slice();
        for (i, (name, &kind)) in names.iter().zip(kinds).enumerate() {
            let same = name.is(key)
                || match (key.downcast_exact::<Str>(), name.downcast_ref::<Str>()) {
                    (Some(key), Some(name)) => Str::equal(key, name),
                    _ => key.downcast_exact::<Str>().is_none() && name.eq(key, vm)?,
                };
            if !same {
                continue;
            }
            if kind & kind::HIDDEN != 0 && !reading {
                return Ok(None);
            }
            if reading && place(frame, i, kind).as_ref().and_then(read).is_none() {
                continue;
            }
            return Ok(Some((i, kind)));
        }
        Ok(None)
    }

    fn lookup(&self, key: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let frame = self.frame(vm)?;
        if key.downcast_exact::<Str>().is_none() {
            key.hash(vm)?;
        }
        if let Some((index, kind)) = Self::find(&frame, key, true, vm)? {
            return Ok(place(&frame, index, kind).as_ref().and_then(read));
        }
        match frame.f_extra_locals.get() {
            Some(extra) => extra.get_item(key, vm),
            None => Ok(None),
        }
    }

    fn store(&self, key: &Object, value: &Object, vm: &Vm) -> PyResult<()> {
        let frame = self.frame(vm)?;
        if let Some((index, kind)) = Self::find(&frame, key, false, vm)? {
            match place(&frame, index, kind) {
                Some(Place::Cell(cell)) => cell.contents.put(value.to_ref()),
                Some(Place::Slot(slot)) => {
                    // SAFETY: the slot is a variable of a frame that is alive.
                    unsafe {
                        let old = *slot;
                        *slot = StackRef::owned(value.to_ref());
                        if !old.is_null() && !old.is_borrowed() {
                            // The evaluation stack may have borrowed it.
                            frame.keep_overwritten(old.into_ref(), vm);
                        }
                    }
                }
                None => {}
            }
            return Ok(());
        }
        let extra = match frame.f_extra_locals.get() {
            Some(extra) => extra,
            None => {
                let made = vm.new_dict();
                frame.f_extra_locals.put(made.clone());
                made
            }
        };
        extra.set_item(key, value, vm)
    }

    fn pairs(&self, vm: &Vm) -> PyResult<Vec<(ObjRef, ObjRef)>> {
        let frame = self.frame(vm)?;
        let mut all = variables(&frame);
        if let Some(extra) = frame.f_extra_locals.get() {
            all.extend(extra.items_vec());
        }
        Ok(all)
    }

    fn merge(&self, other: &Object, vm: &Vm) -> PyResult<()> {
        let keys = other.call_method(vm.ids().keys, &[], vm)?;
        for key in keys.collect_iterable(vm)? {
            let value = other.get_item(&key, vm)?;
            self.store(&key, &value, vm)?;
        }
        Ok(())
    }

    fn is_mapping(other: &Object) -> bool {
        other.downcast_ref::<Dict>().is_some() || other.downcast_ref::<FrameLocalsProxy>().is_some()
    }
}

#[pytype(name = "FrameLocalsProxy", symbol = "PyFrameLocalsProxy_Type", flags(MAPPING), gc, unhashable)]
impl FrameLocalsProxy {
    #[new("(frame, /)")]
    fn new(_cls: &Type, frame: &Frame, vm: &Vm) -> PyResult<ObjRef> {
        Ok(FrameLocalsProxy::create(frame, vm))
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        let Some(_guard) = crate::builtins::dict::repr_guard::ReprGuard::enter(self.as_object(), vm) else {
            return Ok(vm.new_str("{...}"));
        };
        let dict = self.copy(vm)?;
        dict.as_object().repr(vm)
    }

    #[slot]
    fn mp_length(&self, vm: &Vm) -> PyResult<usize> {
        Ok(self.pairs(vm)?.len())
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        match self.lookup(key, vm)? {
            Some(value) => Ok(value),
            None => {
                let shown = key.repr(vm)?;
                Err(vm.raise(
                    types::key_error(),
                    format!("local variable {} is not defined", shown.to_string_lossy()),
                ))
            }
        }
    }

    #[slot]
    fn mp_ass_subscript(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        match value {
            Some(value) => self.store(key, value, vm),
            None => self.remove(key, vm).map(drop),
        }
    }

    #[slot]
    fn sq_contains(&self, key: &Object, vm: &Vm) -> PyResult<bool> {
        Ok(self.lookup(key, vm)?.is_some())
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult {
        self.keys(vm)?.as_object().iter(vm)
    }

    #[slot]
    fn nb_or(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        if !Self::is_mapping(a) || !Self::is_mapping(b) {
            return Ok(vm.not_implemented());
        }
        let dict = vm.new_dict();
        dict.update_from(a, true, vm)?;
        dict.update_from(b, true, vm)?;
        Ok(dict.into_object())
    }

    #[slot]
    fn nb_inplace_or(&self, other: &Object, vm: &Vm) -> PyResult {
        if !Self::is_mapping(other) {
            return Ok(vm.not_implemented());
        }
        self.merge(other, vm)?;
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        if !matches!(op, CompareOp::Eq | CompareOp::Ne) {
            return Ok(vm.not_implemented());
        }
        let equal = if let Some(other) = other.downcast_ref::<FrameLocalsProxy>() {
            self.frame(vm)?.as_object().is(other.frame(vm)?.as_object())
        } else if other.downcast_ref::<Dict>().is_some() {
            self.copy(vm)?.as_object().eq(other, vm)?
        } else {
            return Ok(vm.not_implemented());
        };
        Ok(vm.new_bool(equal == (op == CompareOp::Eq)))
    }

    #[method("($self, object, /)")]
    fn __contains__(&self, key: &Object, vm: &Vm) -> PyResult<bool> {
        self.sq_contains(key, vm)
    }

    #[method("($self, object, /)")]
    fn __getitem__(&self, key: &Object, vm: &Vm) -> PyResult {
        self.mp_subscript(key, vm)
    }

    #[method("($self, object, /)")]
    fn update(&self, other: &Object, vm: &Vm) -> PyResult<()> {
        if !Self::is_mapping(other) {
            return Err(vm.type_error("update() argument must be dict or another FrameLocalsProxy"));
        }
        self.merge(other, vm)
    }

    #[method("($self, /)")]
    fn __reversed__(&self, vm: &Vm) -> PyResult {
        let mut keys: Vec<ObjRef> = self.pairs(vm)?.into_iter().map(|(key, _)| key).collect();
        keys.reverse();
        Ok(vm.new_list(keys).into_object())
    }

    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        snapshot(&*self.frame(vm)?, vm)
    }

    #[method("($self, /)")]
    fn keys(&self, vm: &Vm) -> PyResult<Ref<List>> {
        let keys: Vec<ObjRef> = self.pairs(vm)?.into_iter().map(|(key, _)| key).collect();
        Ok(vm.new_list(keys))
    }

    #[method("($self, /)")]
    fn values(&self, vm: &Vm) -> PyResult<Ref<List>> {
        let values: Vec<ObjRef> = self.pairs(vm)?.into_iter().map(|(_, value)| value).collect();
        Ok(vm.new_list(values))
    }

    #[method("($self, /)")]
    fn items(&self, vm: &Vm) -> PyResult<Ref<List>> {
        let pairs = self.pairs(vm)?;
        let items: Vec<ObjRef> =
            pairs.into_iter().map(|(key, value)| vm.new_tuple([key, value]).into_object()).collect();
        Ok(vm.new_list(items))
    }

    #[method("($self, key, default=None, /)")]
    fn get(&self, key: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        Ok(self.lookup(key, vm)?.unwrap_or_else(|| default.map_or_else(|| vm.none(), Object::to_ref)))
    }

    #[method("($self, key, default=<unrepresentable>, /)")]
    fn pop(&self, key: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        match (self.remove_if_extra(key, vm)?, default) {
            (Some(value), _) => Ok(value),
            (None, Some(default)) => Ok(default.to_ref()),
            (None, None) => Err(vm.key_error(key)),
        }
    }

    #[method("($self, key, default=None, /)")]
    fn setdefault(&self, key: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        if let Some(value) = self.lookup(key, vm)? {
            return Ok(value);
        }
        let value = default.map_or_else(|| vm.none(), Object::to_ref);
        self.store(key, &value, vm)?;
        Ok(value)
    }
}

impl FrameLocalsProxy {
    fn remove_if_extra(&self, key: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let frame = self.frame(vm)?;
        if Self::find(&frame, key, false, vm)?.is_some() {
            return Err(vm.value_error("cannot remove local variables from FrameLocalsProxy"));
        }
        match frame.f_extra_locals.get() {
            Some(extra) => extra.pop(key, vm),
            None => Ok(None),
        }
    }

    fn remove(&self, key: &Object, vm: &Vm) -> PyResult<ObjRef> {
        self.remove_if_extra(key, vm)?.ok_or_else(|| vm.key_error(key))
    }
}
