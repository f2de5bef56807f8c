//! What `asend`, `athrow`, `aclose` and `__anext__` of asynchronous generators give to `await`.

use std::cell::Cell;
use std::mem::offset_of;

use super::async_generator::{AsyncGenerator, unwrap_async_value};
use super::methods::throw_args;
use super::{exception_to_throw, send_or_raise, state, throw, warn_old_throw};
use crate::interpreter::eval::intrinsics::raise_stop_iteration;
use crate::prelude::*;

/// How far an awaitable has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// Not awaited yet.
    Init,
    /// Being awaited.
    Iter,
    /// Done.
    Closed,
}

/// What a step of the generator means for who awaits: a value that the generator itself yielded ends the `await`, what
/// passes through goes on to the event loop.
fn unwrap(generator: &AsyncGenerator, result: PyResult, vm: &Vm) -> PyResult {
    let base = &generator.base;
    match result {
        Ok(value) => match unwrap_async_value(&value) {
            Some(inner) => {
                base.running_async.set(false);
                Err(raise_stop_iteration(Some(inner), vm))
            }
            None => Ok(value),
        },
        Err(raised) => {
            if !vm.has_exception() {
                vm.raise_with(types::stop_async_iteration(), Vec::new());
            }
            if vm.exception_matches(types::stop_async_iteration())
                || vm.exception_matches(types::generator_exit())
            {
                base.closed.set(true);
            }
            base.running_async.set(false);
            Err(raised)
        }
    }
}

/// `asend(value)` and `__anext__()`.
#[repr(C)]
#[derive(Traverse)]
pub struct AsyncGenASend {
    /// The header.
    #[traverse(skip)]
    pub ob: Object,
    generator: Slot<AsyncGenerator>,
    value: Slot<Object>,
    #[traverse(skip)]
    progress: Cell<Progress>,
}

/// Where the generator lies in both awaitables.
pub(crate) const GENERATOR_OFFSET: usize = offset_of!(AsyncGenASend, generator);
const _: () = assert!(GENERATOR_OFFSET == offset_of!(AsyncGenAThrow, generator));

impl AsyncGenASend {
    pub(super) fn create(generator: &AsyncGenerator, value: Option<&Object>, vm: &Vm) -> ObjRef {
        vm.new_object(AsyncGenASend {
            ob: Object::new(Self::type_object()),
            generator: Slot::of(Ref::new_ref(generator)),
            value: Slot::new(value.map(Object::to_ref)),
            progress: Cell::new(Progress::Init),
        })
        .into_object()
    }

    fn generator(&self, vm: &Vm) -> PyResult<Ref<AsyncGenerator>> {
        self.generator.get().ok_or_else(|| vm.runtime_error("async generator has gone"))
    }

    fn start(&self, generator: &AsyncGenerator, vm: &Vm) -> PyResult<()> {
        match self.progress.get() {
            Progress::Closed => Err(vm.runtime_error("cannot reuse already awaited __anext__()/asend()")),
            Progress::Init => {
                if generator.base.running_async.get() {
                    self.progress.set(Progress::Closed);
                    return Err(vm.runtime_error("anext(): asynchronous generator is already running"));
                }
                self.progress.set(Progress::Iter);
                generator.base.running_async.set(true);
                Ok(())
            }
            Progress::Iter => Ok(()),
        }
    }

    fn step(&self, value: &Object, vm: &Vm) -> PyResult {
        let generator = self.generator(vm)?;
        let first = self.progress.get() == Progress::Init;
        self.start(&generator, vm)?;
        let initial = if first && vm.is_none(value) { self.value.get() } else { None };
        let value = initial.as_deref().unwrap_or(value);
        generator.base.running_async.set(true);
        let result = send_or_raise(&generator.base, Some(value), false, false, vm);
        let result = unwrap(&generator, result, vm);
        if result.is_err() {
            self.progress.set(Progress::Closed);
        }
        result
    }

    fn throw_in(&self, args: &[&Object], vm: &Vm) -> PyResult {
        let generator = self.generator(vm)?;
        self.start(&generator, vm)?;
        let result = throw(&generator.base, args, false, vm);
        let result = unwrap(&generator, result, vm);
        if result.is_err() {
            self.progress.set(Progress::Closed);
        }
        result
    }
}

#[pytype(name = "async_generator_asend", symbol = "_PyAsyncGenASend_Type", gc, no_new)]
impl AsyncGenASend {
    #[slot]
    fn tp_iter(&self, _vm: &Vm) -> PyResult {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn am_await(&self, _vm: &Vm) -> PyResult {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        self.step(vm.none_ref(), vm).map(Some)
    }

    #[slot]
    fn tp_finalize(&self, vm: &Vm) {
        if self.progress.get() == Progress::Init {
            warn_unawaited_method(self.generator.get().as_deref(), "asend", vm);
        }
    }

    /// send(value) -> send 'value' into generator,
    /// return next yielded value or raise StopIteration.
    #[method("($self, object, /)")]
    fn send(&self, object: &Object, vm: &Vm) -> PyResult {
        self.step(object, vm)
    }

    /// throw(value)
    /// throw(type[,value[,tb]])
    ///
    /// Raise exception in generator, return next yielded value or raise
    /// StopIteration.
    /// the (type, val, tb) signature is deprecated,
    /// and may be removed in a future version of Python.
    #[method("($self, typ, val=None, tb=None, /)")]
    fn throw(&self, typ: &Object, val: Option<&Object>, tb: Option<&Object>, vm: &Vm) -> PyResult {
        let args = throw_args(typ, val, tb, vm);
        warn_old_throw(args.len(), "throw()", vm)?;
        self.throw_in(&args, vm)
    }

    /// close() -> raise GeneratorExit inside generator.
    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult {
        if self.progress.get() == Progress::Closed {
            return Ok(vm.none());
        }
        let exit = types::generator_exit().as_object();
        close_result(self.throw_in(&[exit], vm), vm)
    }
}

/// What `close()` of an awaitable makes of throwing `GeneratorExit` into it.
fn close_result(result: PyResult, vm: &Vm) -> PyResult {
    match result {
        Ok(_) => Err(vm.runtime_error("coroutine ignored GeneratorExit")),
        Err(raised) => {
            if vm.exception_matches(types::stop_iteration())
                || vm.exception_matches(types::stop_async_iteration())
                || vm.exception_matches(types::generator_exit())
            {
                vm.clear_exception();
                return Ok(vm.none());
            }
            Err(raised)
        }
    }
}

fn warn_unawaited_method(generator: Option<&AsyncGenerator>, method: &str, vm: &Vm) {
    let Some(generator) = generator else { return };
    let waiting = vm.take_exception();
    let name =
        generator.base.qualname.get().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let text = format!("coroutine method '{method}' of '{name}' was never awaited");
    if crate::builtins::warn::warn(types::runtime_warning(), &text, 1, vm).is_err() {
        vm.write_unraisable(Some(generator.as_object()), None);
    }
    vm.current_exception.set(waiting);
}

/// `athrow(…)`, and `aclose()`, which has no arguments.
#[repr(C)]
#[derive(Traverse)]
pub struct AsyncGenAThrow {
    /// The header.
    #[traverse(skip)]
    pub ob: Object,
    generator: Slot<AsyncGenerator>,
    args: Slot<Tuple>,
    #[traverse(skip)]
    progress: Cell<Progress>,
}

impl AsyncGenAThrow {
    pub(super) fn create(generator: &AsyncGenerator, args: Option<Ref<Tuple>>, vm: &Vm) -> ObjRef {
        vm.new_object(AsyncGenAThrow {
            ob: Object::new(Self::type_object()),
            generator: Slot::of(Ref::new_ref(generator)),
            args: Slot::new(args),
            progress: Cell::new(Progress::Init),
        })
        .into_object()
    }

    fn generator(&self, vm: &Vm) -> PyResult<Ref<AsyncGenerator>> {
        self.generator.get().ok_or_else(|| vm.runtime_error("async generator has gone"))
    }

    fn step(&self, value: &Object, vm: &Vm) -> PyResult {
        let generator = self.generator(vm)?;
        let base = &generator.base;
        if self.progress.get() == Progress::Closed {
            return Err(vm.runtime_error("cannot reuse already awaited aclose()/athrow()"));
        }
        if base.state.get() >= state::COMPLETED {
            self.progress.set(Progress::Closed);
            return Err(raise_stop_iteration(None, vm));
        }
        if self.progress.get() == Progress::Init {
            if base.running_async.get() {
                self.progress.set(Progress::Closed);
                return Err(vm.runtime_error(if self.args.is_none() {
                    "aclose(): asynchronous generator is already running"
                } else {
                    "athrow(): asynchronous generator is already running"
                }));
            }
            if base.closed.get() {
                self.progress.set(Progress::Closed);
                return Err(vm.raise_with(types::stop_async_iteration(), Vec::new()));
            }
            if !vm.is_none(value) {
                return Err(vm.runtime_error("can't send non-None value to a just-started coroutine"));
            }
            self.progress.set(Progress::Iter);
            base.running_async.set(true);
            let result = match self.args.get() {
                None => {
                    base.closed.set(true);
                    let exit = types::generator_exit().as_object();
                    match throw(base, &[exit], false, vm) {
                        Ok(value) if unwrap_async_value(&value).is_some() => {
                            base.running_async.set(false);
                            self.progress.set(Progress::Closed);
                            return Err(vm.runtime_error("async generator ignored GeneratorExit"));
                        }
                        result => result,
                    }
                }
                Some(args) => {
                    let items: Vec<&Object> = args.as_slice().iter().map(|item| &**item).collect();
                    let exception = match exception_to_throw(&items, vm) {
                        Ok(exception) => exception,
                        Err(raised) => {
                            base.running_async.set(false);
                            self.progress.set(Progress::Closed);
                            return Err(raised);
                        }
                    };
                    let result = throw(base, &[exception.as_object()], false, vm);
                    unwrap(&generator, result, vm)
                }
            };
            return match result {
                Ok(value) => Ok(value),
                Err(raised) => Err(self.failed(&generator, raised, vm)),
            };
        }
        let result = send_or_raise(base, Some(value), false, false, vm);
        if self.args.is_none() {
            return match result {
                Ok(value) if unwrap_async_value(&value).is_some() => {
                    base.running_async.set(false);
                    self.progress.set(Progress::Closed);
                    Err(vm.runtime_error("async generator ignored GeneratorExit"))
                }
                Ok(value) => Ok(value),
                Err(raised) => Err(self.failed(&generator, raised, vm)),
            };
        }
        let result = unwrap(&generator, result, vm);
        if result.is_err() {
            self.progress.set(Progress::Closed);
        }
        result
    }

    /// Ends the `await` after an exception: for `aclose`, the generator's own end is what was asked for.
    fn failed(&self, generator: &AsyncGenerator, raised: Raised, vm: &Vm) -> Raised {
        generator.base.running_async.set(false);
        self.progress.set(Progress::Closed);
        if self.args.is_none()
            && (vm.exception_matches(types::stop_async_iteration())
                || vm.exception_matches(types::generator_exit()))
        {
            vm.clear_exception();
            return raise_stop_iteration(None, vm);
        }
        raised
    }

    fn throw_in(&self, args: &[&Object], vm: &Vm) -> PyResult {
        let generator = self.generator(vm)?;
        let base = &generator.base;
        match self.progress.get() {
            Progress::Closed => {
                return Err(vm.runtime_error("cannot reuse already awaited aclose()/athrow()"));
            }
            Progress::Init => {
                if base.running_async.get() {
                    self.progress.set(Progress::Closed);
                    return Err(vm.runtime_error(if self.args.is_none() {
                        "aclose(): asynchronous generator is already running"
                    } else {
                        "athrow(): asynchronous generator is already running"
                    }));
                }
                self.progress.set(Progress::Iter);
                base.running_async.set(true);
            }
            Progress::Iter => {}
        }
        let result = throw(base, args, false, vm);
        if !self.args.is_none() {
            let result = unwrap(&generator, result, vm);
            if result.is_err() {
                self.progress.set(Progress::Closed);
            }
            return result;
        }
        match result {
            Ok(value) if unwrap_async_value(&value).is_some() => {
                base.running_async.set(false);
                self.progress.set(Progress::Closed);
                Err(vm.runtime_error("async generator ignored GeneratorExit"))
            }
            Ok(value) => Ok(value),
            Err(raised) => Err(self.failed(&generator, raised, vm)),
        }
    }
}

#[pytype(name = "async_generator_athrow", symbol = "_PyAsyncGenAThrow_Type", gc, no_new)]
impl AsyncGenAThrow {
    #[slot]
    fn tp_iter(&self, _vm: &Vm) -> PyResult {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn am_await(&self, _vm: &Vm) -> PyResult {
        Ok(self.as_object().to_ref())
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        self.step(vm.none_ref(), vm).map(Some)
    }

    #[slot]
    fn tp_finalize(&self, vm: &Vm) {
        if self.progress.get() == Progress::Init {
            let method = if self.args.is_none() { "aclose" } else { "athrow" };
            warn_unawaited_method(self.generator.get().as_deref(), method, vm);
        }
    }

    /// send(value) -> send 'value' into generator,
    /// return next yielded value or raise StopIteration.
    #[method("($self, object, /)")]
    fn send(&self, object: &Object, vm: &Vm) -> PyResult {
        self.step(object, vm)
    }

    /// throw(value)
    /// throw(type[,value[,tb]])
    ///
    /// Raise exception in generator, return next yielded value or raise
    /// StopIteration.
    /// the (type, val, tb) signature is deprecated,
    /// and may be removed in a future version of Python.
    #[method("($self, typ, val=None, tb=None, /)")]
    fn throw(&self, typ: &Object, val: Option<&Object>, tb: Option<&Object>, vm: &Vm) -> PyResult {
        let args = throw_args(typ, val, tb, vm);
        warn_old_throw(args.len(), "throw()", vm)?;
        self.throw_in(&args, vm)
    }

    /// close() -> raise GeneratorExit inside generator.
    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult {
        if self.progress.get() == Progress::Closed {
            return Ok(vm.none());
        }
        let exit = types::generator_exit().as_object();
        close_result(self.throw_in(&[exit], vm), vm)
    }
}
