//! The type `generator`.

use super::{
    Generator, close, dealloc, finalize, iter_next, send_or_raise, send_value, throw, warn_old_throw,
};
use crate::prelude::*;

/// `__name__` and `__qualname__`, which the three types share.
pub(super) fn set_text(slot: &Slot<Str>, what: &str, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
    match value.and_then(|value| value.downcast_ref::<Str>()) {
        Some(text) => {
            slot.put(Ref::new_ref(text));
            Ok(())
        }
        None => Err(vm.type_error(format!("{what} must be set to a string object"))),
    }
}

pub(super) fn repr(generator: &Generator, kind: &str, vm: &Vm) -> Ref<Str> {
    let name = generator.qualname.get().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    vm.new_str(&format!("<{kind} object {name} at {:#x}>", generator.as_object().as_ptr() as usize))
}

#[pytype(
    name = "generator",
    symbol = "PyGen_Type",
    gc,
    no_new,
    weakrefs = weakrefs,
    itemsize = 8,
    basicsize = 152
)]
impl Generator {
    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: passed on.
        unsafe { dealloc(op) }
    }

    #[slot]
    fn tp_finalize(&self, vm: &Vm) {
        finalize(self, vm);
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        Ok(repr(self, "generator", vm))
    }

    #[slot]
    fn tp_iter(&self, _vm: &Vm) -> PyResult {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        iter_next(self, vm)
    }

    #[slot]
    fn am_send(&self, value: &Object, vm: &Vm) -> PyResult<SendResult> {
        send_value(self, Some(value), false, false, vm)
    }

    /// send(value) -> send 'value' into generator,
    /// return next yielded value or raise StopIteration.
    #[method("($self, object, /)")]
    fn send(&self, object: &Object, vm: &Vm) -> PyResult {
        send_or_raise(self, Some(object), false, false, vm)
    }

    /// throw(value)
    /// throw(type[,value[,tb]])
    ///
    /// Raise exception in generator, return next yielded value or raise
    /// StopIteration.
    /// the (type, val, tb) signature is deprecated,
    /// and may be removed in a future version of Python.
    #[method("!($self, typ, val=None, tb=None, /)")]
    fn throw(&self, typ: &Object, val: Option<&Object>, tb: Option<&Object>, vm: &Vm) -> PyResult {
        let args = super::methods::throw_args(typ, val, tb, vm);
        warn_old_throw(args.len(), "throw()", vm)?;
        throw(self, &args, true, vm)
    }

    /// close() -> raise GeneratorExit inside generator.
    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult {
        close(self, vm)
    }

    /// gen.__sizeof__() -> size of gen in memory, in bytes
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        super::object_size(self.code())
    }

    /// generators are generic over the types of their yield, send, and return values
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> PyResult {
        Ok(crate::builtins::generic_alias::GenericAlias::new(cls.as_object(), object, vm))
    }

    /// name of the generator
    #[getter(__name__)]
    fn get_name(&self) -> Option<Ref<Str>> {
        self.name.get()
    }

    #[setter(__name__)]
    fn set_name(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        set_text(&self.name, "__name__", value, vm)
    }

    /// qualified name of the generator
    #[getter(__qualname__)]
    fn get_qualname(&self) -> Option<Ref<Str>> {
        self.qualname.get()
    }

    #[setter(__qualname__)]
    fn set_qualname(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        set_text(&self.qualname, "__qualname__", value, vm)
    }

    /// object being iterated by yield from, or None
    #[getter]
    fn gi_yieldfrom(&self) -> Option<ObjRef> {
        self.delegate()
    }

    #[getter]
    fn gi_running(&self) -> bool {
        self.is_running()
    }

    #[getter]
    fn gi_frame(&self, vm: &Vm) -> Option<Ref<Frame>> {
        self.frame_object(vm)
    }

    #[getter]
    fn gi_suspended(&self) -> bool {
        self.is_suspended()
    }

    #[getter]
    fn gi_code(&self) -> Ref<Code> {
        Ref::new_ref(self.code())
    }
}

/// The arguments of `throw` as they were given.
pub(super) fn throw_args<'a>(
    typ: &'a Object,
    val: Option<&'a Object>,
    tb: Option<&'a Object>,
    vm: &Vm,
) -> Vec<&'a Object> {
    let mut args = vec![typ];
    match (val, tb) {
        (None, None) => {}
        (Some(val), None) => args.push(val),
        (val, Some(tb)) => {
            args.push(val.unwrap_or_else(|| vm.none_ref()));
            args.push(tb);
        }
    }
    args
}
