//! `coroutine` and its wrapper for `await` (PEP 492).

use super::methods::{repr, set_text, throw_args};
use super::{
    Generator, any_kind, close, dealloc, finalize, iter_next, send_or_raise, send_value, throw,
    warn_old_throw,
};
use crate::interpreter::frame::InterpreterFrame;
use crate::prelude::*;

/// `PyCoroObject`.
#[repr(C)]
pub struct Coroutine {
    /// The common part.
    pub base: Generator,
}

impl Traverse for Coroutine {
    fn traverse(&self, visit: &mut Visit) {
        self.base.traverse(visit);
    }
}

/// Whether something awaits the coroutine already: it stands at an `await` of its own.
pub fn is_awaited(coroutine: &Coroutine) -> bool {
    coroutine.base.delegate().is_some()
}

/// `cr_origin`: where a coroutine was made, innermost frame first, each as file, line and function.
///
/// # Safety
/// `frame` is null or a linked frame.
pub unsafe fn origin(frame: *mut InterpreterFrame, vm: &Vm) -> ObjRef {
    let mut rows = Vec::new();
    // SAFETY: frames in the chain are alive.
    unsafe {
        let mut walk = InterpreterFrame::first_complete(frame);
        while !walk.is_null() && (rows.len() as i32) < vm.coroutine_origin_tracking_depth.get() {
            let code = InterpreterFrame::code(walk);
            let line = InterpreterFrame::lineno(walk).unwrap_or(0);
            let row = [code.filename().into_object(), vm.new_int(line), code.name().into_object()];
            rows.push(vm.new_tuple(row).into_object());
            walk = InterpreterFrame::first_complete((*walk).previous);
        }
    }
    vm.new_tuple(rows).into_object()
}

/// Warns that a coroutine ends without having run, through `warnings._warn_unawaited_coroutine` where that can be had.
pub(super) fn warn_never_awaited(coroutine: &Generator, vm: &Vm) {
    let object = coroutine.as_object();
    let warnings = crate::import::loaded_module(&vm.new_str("warnings"), vm).ok().flatten();
    let function = warnings.and_then(|module| {
        crate::protocols::attributes::lookup_attr(&module, vm.ids()._warn_unawaited_coroutine, vm)
            .ok()
            .flatten()
    });
    let result = match function {
        Some(function) => function.call(&[object], vm).map(drop),
        None => {
            let name =
                coroutine.qualname.get().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
            crate::builtins::warn::warn(
                types::runtime_warning(),
                &format!("coroutine '{name}' was never awaited"),
                1,
                vm,
            )
        }
    };
    if result.is_err() {
        let shown = match vm.take_exception() {
            None => None,
            Some(pending) => {
                let shown = object.repr(vm).ok().map(|shown| shown.to_string_lossy().into_owned());
                vm.clear_exception();
                let _raised = vm.reraise(pending);
                shown
            }
        };
        let message = shown.map(|shown| format!("Exception ignored while finalizing coroutine {shown}"));
        vm.write_unraisable(None, message.as_deref());
    }
}

#[pytype(
    name = "coroutine",
    symbol = "PyCoro_Type",
    gc,
    no_new,
    weakrefs = base.weakrefs,
    itemsize = 8,
    basicsize = 152,
    members(cr_origin: OBJECT = base.origin_or_finalizer, readonly;)
)]
impl Coroutine {
    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: passed on.
        unsafe { dealloc(op) }
    }

    #[slot]
    fn tp_finalize(&self, vm: &Vm) {
        finalize(&self.base, vm);
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        Ok(repr(&self.base, "coroutine", vm))
    }

    #[slot]
    fn am_await(&self, vm: &Vm) -> PyResult {
        Ok(CoroutineWrapper::create(self.as_object(), vm))
    }

    #[slot]
    fn am_send(&self, value: &Object, vm: &Vm) -> PyResult<SendResult> {
        send_value(&self.base, Some(value), false, false, vm)
    }

    /// send(arg) -> send 'arg' into coroutine,
    /// return next iterated value or raise StopIteration.
    #[method("($self, object, /)")]
    fn send(&self, object: &Object, vm: &Vm) -> PyResult {
        send_or_raise(&self.base, Some(object), false, false, vm)
    }

    /// throw(value)
    /// throw(type[,value[,traceback]])
    ///
    /// Raise exception in coroutine, return next iterated value or raise
    /// StopIteration.
    /// the (type, val, tb) signature is deprecated,
    /// and may be removed in a future version of Python.
    #[method("!($self, typ, val=None, tb=None, /)")]
    fn throw(&self, typ: &Object, val: Option<&Object>, tb: Option<&Object>, vm: &Vm) -> PyResult {
        let args = throw_args(typ, val, tb, vm);
        warn_old_throw(args.len(), "throw()", vm)?;
        throw(&self.base, &args, true, vm)
    }

    /// close() -> raise GeneratorExit inside coroutine.
    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult {
        close(&self.base, vm)
    }

    /// gen.__sizeof__() -> size of gen in memory, in bytes
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        super::object_size(self.base.code())
    }

    /// coroutines are generic over the types of their yield, send, and return values
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> PyResult {
        Ok(crate::builtins::generic_alias::GenericAlias::new(cls.as_object(), object, vm))
    }

    /// name of the coroutine
    #[getter(__name__)]
    fn get_name(&self) -> Option<Ref<Str>> {
        self.base.name.get()
    }

    #[setter(__name__)]
    fn set_name(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        set_text(&self.base.name, "__name__", value, vm)
    }

    /// qualified name of the coroutine
    #[getter(__qualname__)]
    fn get_qualname(&self) -> Option<Ref<Str>> {
        self.base.qualname.get()
    }

    #[setter(__qualname__)]
    fn set_qualname(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        set_text(&self.base.qualname, "__qualname__", value, vm)
    }

    /// object being awaited on, or None
    #[getter]
    fn cr_await(&self) -> Option<ObjRef> {
        self.base.delegate()
    }

    #[getter]
    fn cr_running(&self) -> bool {
        self.base.is_running()
    }

    #[getter]
    fn cr_frame(&self, vm: &Vm) -> Option<Ref<Frame>> {
        self.base.frame_object(vm)
    }

    #[getter]
    fn cr_code(&self) -> Ref<Code> {
        Ref::new_ref(self.base.code())
    }

    #[getter]
    fn cr_suspended(&self) -> bool {
        self.base.is_suspended()
    }
}

/// What `coroutine.__await__()` gives.
#[repr(C)]
#[derive(Traverse)]
pub struct CoroutineWrapper {
    /// The header.
    #[traverse(skip)]
    pub ob: Object,
    coroutine: Slot<Object>,
}

impl CoroutineWrapper {
    fn create(coroutine: &Object, vm: &Vm) -> ObjRef {
        vm.new_object(CoroutineWrapper {
            ob: Object::new(Self::type_object()),
            coroutine: Slot::of(coroutine.to_ref()),
        })
        .into_object()
    }

    fn held(&self, vm: &Vm) -> PyResult<ObjRef> {
        self.coroutine.get().ok_or_else(|| vm.runtime_error("coroutine has gone"))
    }

    fn with<R>(&self, vm: &Vm, body: impl FnOnce(&Generator) -> PyResult<R>) -> PyResult<R> {
        let held = self.held(vm)?;
        match any_kind(&held) {
            Some(coroutine) => body(coroutine),
            None => Err(vm.type_error("coroutine expected")),
        }
    }
}

/// A wrapper object implementing __await__ for coroutines.
#[pytype(name = "coroutine_wrapper", symbol = "_PyCoroWrapper_Type", gc, no_new)]
impl CoroutineWrapper {
    #[slot]
    fn tp_iter(&self, _vm: &Vm) -> PyResult {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        self.with(vm, |coroutine| iter_next(coroutine, vm))
    }

    /// send(arg) -> send 'arg' into coroutine,
    /// return next iterated value or raise StopIteration.
    #[method("($self, object, /)")]
    fn send(&self, object: &Object, vm: &Vm) -> PyResult {
        self.with(vm, |coroutine| send_or_raise(coroutine, Some(object), false, false, vm))
    }

    /// throw(value)
    /// throw(type[,value[,traceback]])
    ///
    /// Raise exception in coroutine, return next iterated value or raise
    /// StopIteration.
    /// the (type, val, tb) signature is deprecated,
    /// and may be removed in a future version of Python.
    #[method("($self, typ, val=None, tb=None, /)")]
    fn throw(&self, typ: &Object, val: Option<&Object>, tb: Option<&Object>, vm: &Vm) -> PyResult {
        let args = throw_args(typ, val, tb, vm);
        warn_old_throw(args.len(), "throw()", vm)?;
        self.with(vm, |coroutine| throw(coroutine, &args, true, vm))
    }

    /// close() -> raise GeneratorExit inside coroutine.
    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult {
        self.with(vm, |coroutine| close(coroutine, vm))
    }
}
