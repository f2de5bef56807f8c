//! `StopIteration` and `SystemExit`: exceptions that carry one value.

use std::mem::size_of;

use crate::prelude::*;

/// `PyStopIterationObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct StopIteration {
    /// The common part.
    pub base: BaseException,
    /// The value that the generator returned.
    pub value: Slot<Object>,
}

const _: () = assert!(size_of::<StopIteration>() == 80);

/// Signal the end from iterator.__next__().
#[pytype(
    name = "StopIteration",
    symbol = "_PyExc_StopIteration",
    base = BaseException,
    flags(BASETYPE),
    gc,
    members(value: OBJECT = value "generator return value")
)]
impl StopIteration {
    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        self.base.init_args(args, kwargs, vm)?;
        self.value.put(args.as_slice().first().cloned().unwrap_or_else(|| vm.none()));
        Ok(())
    }
}

impl StopIteration {
    /// The value of a `StopIteration` that was caught; `None` when it isn't one.
    pub fn value_of(exception: &BaseException, vm: &Vm) -> ObjRef {
        exception
            .as_object()
            .downcast_ref::<StopIteration>()
            .and_then(|stop| stop.value.get())
            .unwrap_or_else(|| vm.none())
    }
}

/// `StopIteration(value)` without going through the class, for generators that return. The value stays whole even when it is
/// a tuple.
pub fn new_stop_iteration(value: Option<ObjRef>, vm: &Vm) -> Ref<BaseException> {
    let args = match &value {
        Some(value) => vm.new_tuple([value.clone()]),
        None => Tuple::empty(vm),
    };
    let made = vm.new_object(StopIteration {
        base: BaseException {
            ob: Object::new(StopIteration::type_object()),
            ..BaseException::with_args(Some(args))
        },
        value: Slot::of(value.unwrap_or_else(|| vm.none())),
    });
    // SAFETY: a `StopIteration` begins with a `BaseException`.
    unsafe { made.into_object().cast_into() }
}

/// `PySystemExitObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct SystemExit {
    /// The common part.
    pub base: BaseException,
    /// What to exit with.
    pub code: Slot<Object>,
}

const _: () = assert!(size_of::<SystemExit>() == 80);

/// Request to exit from the interpreter.
#[pytype(
    name = "SystemExit",
    symbol = "_PyExc_SystemExit",
    base = BaseException,
    flags(BASETYPE),
    gc,
    members(code: OBJECT = code "exception code")
)]
impl SystemExit {
    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        self.base.init_args(args, kwargs, vm)?;
        match args.as_slice() {
            [] => {}
            [code] => self.code.put(code.clone()),
            _ => self.code.put(args.as_object().to_ref()),
        }
        Ok(())
    }
}
