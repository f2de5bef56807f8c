//! `atexit`: functions that run when the interpreter ends.

use std::cell::RefCell;

use taipan_vm::prelude::*;

/// One registered call.
#[derive(Clone)]
struct Callback {
    function: ObjRef,
    args: Ref<Tuple>,
    keywords: Option<Ref<Dict>>,
}

/// The interpreter's registered calls, in the order of registration.
#[derive(Default)]
struct Callbacks(RefCell<Vec<Callback>>);

/// The module.
pub struct AtExit;

/// allow programmer to define multiple exit functions to be executed
/// upon normal program termination.
///
/// Two public functions, register and unregister, are defined.
#[pymodule(name = "atexit")]
impl AtExit {
    /// Register a function to be executed upon normal program termination.
    #[function("($module, func, /, *args, **kwargs)")]
    fn register(func: &Object, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        if !func.is_callable() {
            return Err(vm.type_error("the first argument must be callable"));
        }
        let keywords = if kwargs.is_empty() { None } else { Some(kwargs.to_dict(vm)?) };
        let callback = Callback { function: func.to_ref(), args: Tuple::from_slice(args, vm), keywords };
        vm.interp().state::<Callbacks>().0.borrow_mut().push(callback);
        Ok(func.to_ref())
    }

    /// Unregister an exit function which was previously registered using atexit.register.
    #[function("($module, func, /)")]
    fn unregister(func: &Object, vm: &Vm) -> PyResult<()> {
        let registered = vm.interp().state::<Callbacks>();
        // Comparing runs Python, so it sees a copy, and what is equal goes by identity afterwards.
        let seen = registered.0.borrow().clone();
        for callback in seen {
            if callback.function.rich_compare_bool(func, CompareOp::Eq, vm)? {
                let place = registered.0.borrow().iter().position(|c| {
                    c.args.as_object().is(callback.args.as_object()) && c.function.is(&callback.function)
                });
                let removed = place.map(|at| registered.0.borrow_mut().remove(at));
                drop(removed);
            }
        }
        Ok(())
    }

    /// Clear the list of previously registered exit functions.
    #[function("($module, /)")]
    fn _clear(vm: &Vm) {
        let gone = vm.interp().state::<Callbacks>().0.take();
        drop(gone);
    }

    /// Return the number of registered exit functions.
    #[function("($module, /)")]
    fn _ncallbacks(vm: &Vm) -> usize {
        vm.interp().state::<Callbacks>().0.borrow().len()
    }

    /// Run all registered exit functions.
    ///
    /// If a callback raises an exception, it is logged with sys.unraisablehook.
    #[function("($module, /)")]
    fn _run_exitfuncs(vm: &Vm) {
        loop {
            let next = vm.interp().state::<Callbacks>().0.borrow_mut().pop();
            let Some(callback) = next else { return };
            if callback.function.call_tuple_dict(&callback.args, callback.keywords.as_deref(), vm).is_err() {
                let function = Some(&*callback.function);
                taipan_vm::exceptions::unraisable::write_unraisable_while("in atexit callback", function, vm);
            }
        }
    }
}
