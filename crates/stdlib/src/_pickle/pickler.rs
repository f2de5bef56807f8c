//! `Pickler`.

use std::cell::{Cell, RefCell};

use taipan_vm::builtins::builtin_function::BuiltinFunction;
use taipan_vm::prelude::*;
use taipan_vm::protocols::attributes;

use super::memo::PicklerMemo;
use super::opcode::HIGHEST_PROTOCOL;
use super::save::Saver;
use super::state::State;

/// The layout of `_pickle.Pickler`.
#[repr(C)]
#[derive(Traverse)]
pub struct Pickler {
    #[traverse(skip)]
    ob: Object,
    write: Slot<Object>,
    dispatch_table: Slot<Object>,
    buffer_callback: Slot<Object>,
    /// What was assigned to the attribute `persistent_id`.
    persistent_id: Slot<Object>,
    memo: RefCell<PicklerMemo>,
    #[traverse(skip)]
    proto: Cell<i32>,
    #[traverse(skip)]
    bin: Cell<i32>,
    #[traverse(skip)]
    fast: Cell<i32>,
    #[traverse(skip)]
    fix_imports: Cell<bool>,
    #[traverse(skip)]
    running: Cell<bool>,
}

/// The number of a `protocol` argument.
pub fn protocol_of(protocol: Option<&Object>, vm: &Vm) -> PyResult<i32> {
    let Some(protocol) = protocol.filter(|protocol| !vm.is_none(protocol)) else {
        return Ok(HIGHEST_PROTOCOL);
    };
    let number = protocol.as_index(vm)?;
    let number = number
        .to_i64()
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| vm.overflow_error("Python int too large to convert to C int"))?;
    match number {
        ..0 => Ok(HIGHEST_PROTOCOL),
        0..=HIGHEST_PROTOCOL => Ok(number),
        _ => Err(vm.value_error(format!("pickle protocol must be <= {HIGHEST_PROTOCOL}"))),
    }
}

/// The file's `write`.
pub fn write_of(file: &Object, state: &State, vm: &Vm) -> PyResult {
    match file.lookup_attr(&state.names.write, vm)? {
        Some(write) => Ok(write),
        None => Err(vm.type_error("file must have a 'write' attribute")),
    }
}

/// A callback that is none when not given; it needs protocol 5.
pub fn callback_of(callback: Option<&Object>, proto: i32, vm: &Vm) -> PyResult<Option<ObjRef>> {
    match callback.filter(|callback| !vm.is_none(callback)) {
        Some(_) if proto < 5 => Err(vm.value_error("buffer_callback needs protocol >= 5")),
        callback => Ok(callback.map(Object::to_ref)),
    }
}

/// The method of that name, unless it is the one that `base` has for all.
pub fn overridden(object: &Object, base: &Type, name: &Str, vm: &Vm) -> PyResult<Option<ObjRef>> {
    let Some(method) = object.lookup_attr(name, vm)? else { return Ok(None) };
    if let Some(native) = method.downcast_ref::<BuiltinFunction>() {
        let own = native.bound_self().is_some_and(|bound| bound.is(object));
        if own && name.eq_str(native.name()) && object.ob_type().is_subtype_of(base) {
            return Ok(None);
        }
    }
    Ok(Some(method))
}

struct Running<'a>(&'a Cell<bool>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

impl Pickler {
    fn check_idle(&self, vm: &Vm) -> PyResult<()> {
        if self.running.get() { Err(vm.runtime_error("Pickler object is already used")) } else { Ok(()) }
    }
}

/// This takes a binary file for writing a pickle data stream.
///
/// The optional *protocol* argument tells the pickler to use the given
/// protocol; supported protocols are 0, 1, 2, 3, 4 and 5.  The default
/// protocol is 5. It was introduced in Python 3.8, and is incompatible
/// with previous versions.
///
/// Specifying a negative protocol version selects the highest protocol
/// version supported.  The higher the protocol used, the more recent the
/// version of Python needed to read the pickle produced.
///
/// The *file* argument must have a write() method that accepts a single
/// bytes argument. It can thus be a file object opened for binary
/// writing, an io.BytesIO instance, or any other custom object that meets
/// this interface.
///
/// If *fix_imports* is True and protocol is less than 3, pickle will try
/// to map the new Python 3 names to the old module names used in Python
/// 2, so that the pickle data stream is readable with Python 2.
///
/// If *buffer_callback* is None (the default), buffer views are
/// serialized into *file* as part of the pickle stream.
///
/// If *buffer_callback* is not None, then it can be called any number
/// of times with a buffer view.  If the callback returns a false value
/// (such as None), the given buffer is out-of-band; otherwise the
/// buffer is serialized in-band, i.e. inside the pickle stream.
///
/// It is an error if *buffer_callback* is not None and *protocol*
/// is None or smaller than 5.
#[pytype(
    name = "_pickle.Pickler",
    flags(BASETYPE),
    gc,
    members(
        bin: INT = bin;
        fast: INT = fast;
        dispatch_table: OBJECT_EX = dispatch_table
    )
)]
impl Pickler {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            Pickler {
                ob: Object::new(Self::type_object()),
                write: Slot::empty(),
                dispatch_table: Slot::empty(),
                buffer_callback: Slot::empty(),
                persistent_id: Slot::empty(),
                memo: RefCell::default(),
                proto: Cell::new(0),
                bin: Cell::new(0),
                fast: Cell::new(0),
                fix_imports: Cell::new(false),
                running: Cell::new(false),
            },
        )
    }

    #[init("(file, protocol=None, fix_imports=True, buffer_callback=None)")]
    fn init(
        &self,
        file: &Object,
        protocol: Option<&Object>,
        fix_imports: Option<bool>,
        buffer_callback: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        self.check_idle(vm)?;
        let state = State::get(vm)?;
        self.write.set(None);
        let proto = protocol_of(protocol, vm)?;
        let write = write_of(file, state, vm)?;
        let callback = callback_of(buffer_callback, proto, vm)?;
        self.proto.set(proto);
        self.bin.set(i32::from(proto > 0));
        self.fix_imports.set(fix_imports.unwrap_or(true) && proto < 3);
        self.fast.set(0);
        self.buffer_callback.set(callback);
        drop(self.memo.replace(PicklerMemo::default()));
        // An attribute of the class serves as well.
        let table = self.as_object().lookup_attr(&state.names.dispatch_table, vm)?;
        self.dispatch_table.set(table);
        self.write.put(write);
        Ok(())
    }

    #[slot]
    fn tp_getattro(&self, name: &Str, vm: &Vm) -> PyResult {
        if name.eq_str("persistent_id") {
            if let Some(own) = self.persistent_id.get() {
                return Ok(own);
            }
        }
        attributes::generic_get(self.as_object(), name, vm)
    }

    #[slot]
    fn tp_setattro(&self, name: &Str, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        if name.eq_str("persistent_id") {
            self.persistent_id.set(value.map(Object::to_ref));
            return Ok(());
        }
        attributes::generic_set(self.as_object(), name, value, vm)
    }

    #[method("($self, obj, /)")]
    fn persistent_id(&self, _obj: &Object, vm: &Vm) -> ObjRef {
        vm.none()
    }

    /// Write a pickled representation of the given object to the open file.
    #[method("~($self, obj, /)")]
    fn dump(&self, obj: &Object, vm: &Vm) -> PyResult<()> {
        self.check_idle(vm)?;
        let state = State::get(vm)?;
        let Some(write) = self.write.get() else {
            let name = self.ob.ob_type().name();
            let text = format!("Pickler.__init__() was not called by {name}.__init__()");
            return Err(state.pickling(text, vm));
        };
        self.running.set(true);
        let _running = Running(&self.running);
        let mut saver = Saver::new(state, &self.memo, self.proto.get(), self.fix_imports.get(), vm);
        saver.bin = self.bin.get() != 0;
        saver.fast = self.fast.get() != 0;
        saver.write = Some(write);
        saver.buffer_callback = self.buffer_callback.get();
        saver.dispatch_table = self.dispatch_table.get();
        let object = self.as_object();
        if !std::ptr::eq(object.ob_type(), Self::type_object()) || !self.persistent_id.is_none() {
            saver.reducer_override = object.lookup_attr(&state.names.reducer_override, vm)?;
            saver.persistent_id = overridden(object, Self::type_object(), &state.names.persistent_id, vm)?;
        }
        saver.dump(obj)?;
        saver.flush()
    }

    /// Clears the pickler's "memo".
    ///
    /// The memo is the data structure that remembers which objects the
    /// pickler has already seen, so that shared or recursive objects are
    /// pickled by reference and not by value.  This method is useful when
    /// re-using picklers.
    #[method("($self, /)")]
    fn clear_memo(&self) {
        drop(self.memo.replace(PicklerMemo::default()));
    }

    /// Returns size in memory, in bytes.
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        let basic = self.ob.ob_type().tp_basicsize.get().max(0) as usize;
        basic + self.memo.borrow().capacity() * size_of::<(Option<ObjRef>, usize)>()
    }

    #[getter]
    fn memo(&self, vm: &Vm) -> Ref<PicklerMemoProxy> {
        vm.new_object(PicklerMemoProxy {
            ob: Object::new(PicklerMemoProxy::type_object()),
            pickler: self.into(),
        })
    }

    #[setter(memo)]
    fn set_memo(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.type_error("attribute deletion is not supported")) };
        let mut memo = PicklerMemo::default();
        if let Some(proxy) = value.downcast_ref::<PicklerMemoProxy>() {
            for (object, number) in proxy.pickler.memo.borrow().entries() {
                memo.set(&object, number);
            }
        } else if let Some(dict) = value.downcast_ref::<Dict>() {
            let mut position = 0;
            while let Some((_, entry)) = dict.next_entry(&mut position) {
                let Some([number, object]) = entry.downcast_ref::<Tuple>().map(Tuple::as_slice) else {
                    return Err(vm.type_error("'memo' values must be 2-item tuples"));
                };
                let number = number.as_isize(vm)?;
                memo.set(object, usize::try_from(number).unwrap_or(usize::MAX));
            }
        } else {
            return Err(vm.type_error(format!(
                "'memo' attribute must be a PicklerMemoProxy object or dict, not {}",
                value.ob_type().tp_name_str()
            )));
        }
        drop(self.memo.replace(memo));
        Ok(())
    }
}

/// The layout of what `Pickler.memo` gives.
#[repr(C)]
#[derive(Traverse)]
pub struct PicklerMemoProxy {
    #[traverse(skip)]
    ob: Object,
    pickler: Ref<Pickler>,
}

/// The memo of a pickler.
#[pytype(name = "_pickle.PicklerMemoProxy", gc, unhashable, no_new)]
impl PicklerMemoProxy {
    /// Remove all items from memo.
    #[method("($self, /)")]
    fn clear(&self) {
        self.pickler.clear_memo();
    }

    /// Copy the memo to a new object.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        let entries = self.pickler.memo.borrow().entries();
        let dict = vm.new_dict();
        for (object, number) in entries {
            let id = vm.new_int(object.as_raw() as usize);
            let entry = Tuple::pair(vm.new_int(number), object, vm);
            dict.set_item(&id, entry.as_object(), vm)?;
        }
        Ok(dict)
    }

    /// Implement pickle support.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let args = vm.new_tuple([self.copy(vm)?.into_object()]);
        Ok(Tuple::pair(Dict::type_object().as_object().to_ref(), args.into_object(), vm))
    }
}
