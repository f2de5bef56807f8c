//! The hooks that programs replace: how uncaught exceptions, expressions at the prompt and breakpoints are handled.

use super::Sys;
use crate::prelude::*;

#[pyfunctions(table = HOOK_FUNCTIONS)]
impl Sys {
    /// Print an object to sys.stdout and also save it in builtins._
    #[function("($module, object, /)")]
    fn displayhook(object: &Object, vm: &Vm) -> PyResult<()> {
        if vm.is_none(object) {
            return Ok(());
        }
        let (Some(builtins), Some(sys)) = (vm.interp().builtins_dict.get(), vm.interp().sys_dict.get())
        else {
            return Err(vm.runtime_error("lost builtins module"));
        };
        builtins.set_item(vm.ids().underscore.as_object(), vm.none_ref(), vm)?;
        let stdout = sys.get_str(vm.ids().stdout, vm)?.filter(|s| !vm.is_none(s));
        let Some(stdout) = stdout else { return Err(vm.runtime_error("lost sys.stdout")) };
        let text = object.repr(vm)?;
        match stdout.call_method(vm.ids().write, &[text.as_object()], vm) {
            Ok(_) => {}
            Err(Raised) if vm.exception_matches(types::unicode_encode_error()) => {
                // What the stream can't encode is shown escaped.
                vm.clear_exception();
                let encoding = stdout.get_attr(vm.ids().encoding, vm)?;
                let escaped = text.as_object().call_method(
                    vm.ids().encode,
                    &[&encoding, vm.ids().backslashreplace.as_object()],
                    vm,
                )?;
                let shown = escaped.call_method(vm.ids().decode, &[&encoding], vm)?;
                stdout.call_method(vm.ids().write, &[&shown], vm)?;
            }
            Err(Raised) => return Err(Raised),
        }
        stdout.call_method(vm.ids().write, &[vm.ids().newline.as_object()], vm)?;
        builtins.set_item(vm.ids().underscore.as_object(), object, vm)
    }

    /// Handle an exception by displaying it with a traceback on sys.stderr.
    #[function("($module, exctype, value, traceback, /)")]
    fn excepthook(_exctype: &Object, value: &Object, traceback: &Object, vm: &Vm) -> PyResult<()> {
        let Some(exception) = value.downcast_ref::<BaseException>() else {
            // Who prints an exception can't be told by another one.
            if !vm.is_none(value) {
                crate::exceptions::print::write_stderr(
                    &format!(
                        "TypeError: print_exception(): Exception expected for value, {} found\n",
                        value.ob_type().name()
                    ),
                    vm,
                );
            } else {
                crate::exceptions::print::write_stderr("NoneType: None\n", vm);
            }
            return Ok(());
        };
        if exception.traceback.is_none() && !vm.is_none(traceback) {
            exception.traceback.put(traceback.to_ref());
        }
        crate::exceptions::print::display(exception, vm);
        Ok(())
    }

    /// Handle an unraisable exception.
    ///
    /// The unraisable argument has the following attributes:
    ///
    /// * exc_type: Exception type.
    /// * exc_value: Exception value, can be None.
    /// * exc_traceback: Exception traceback, can be None.
    /// * err_msg: Error message, can be None.
    /// * object: Object causing the exception, can be None.
    #[function("($module, unraisable, /)")]
    fn unraisablehook(unraisable: &Object, vm: &Vm) -> PyResult<()> {
        let expected = super::UNRAISABLE_HOOK_ARGS.get(vm)?;
        if !unraisable.ob_type().as_object().is(expected.as_object()) {
            return Err(vm.type_error("sys.unraisablehook argument type must be UnraisableHookArgs"));
        }
        {
            let get = |name: &Str| -> PyResult {
                Ok(unraisable.lookup_attr(name, vm)?.unwrap_or_else(|| vm.none()))
            };
            let ids = vm.ids();
            let what = crate::exceptions::unraisable::Unraisable {
                exc_type: get(ids.exc_type)?,
                exc_value: get(ids.exc_value)?,
                exc_traceback: get(&vm.intern("exc_traceback"))?,
                err_msg: get(&vm.intern("err_msg"))?,
                object: get(ids.object)?,
            };
            crate::exceptions::unraisable::display(&what, vm);
            Ok(())
        }
    }

    /// breakpointhook(*args, **kws)
    ///
    /// This hook function is called by built-in breakpoint().
    #[function("($module, /, *args, **kwargs)")]
    fn breakpointhook(args: &[&Object], kws: KwArgs<'_>, vm: &Vm) -> PyResult {
        let name = std::env::var("PYTHONBREAKPOINT").unwrap_or_default();
        let use_environment = vm.interp().config.borrow().use_environment;
        let name = if name.is_empty() || !use_environment { "pdb.set_trace".to_owned() } else { name };
        if name == "0" {
            return Ok(vm.none());
        }
        let (module, attribute) = name.rsplit_once('.').unwrap_or(("builtins", &name));
        let hook =
            crate::import::import_module(module, vm).and_then(|m| m.get_attr(&vm.intern(attribute), vm));
        let Ok(hook) = hook else {
            if !vm.exception_matches(types::import_error()) && !vm.exception_matches(types::attribute_error())
            {
                return Err(Raised);
            }
            vm.clear_exception();
            let text = format!("Ignoring unimportable $PYTHONBREAKPOINT: \"{name}\"");
            crate::builtins::warn::warn(types::runtime_warning(), &text, 1, vm)?;
            return Ok(vm.none());
        };
        hook.call_tuple_dict(&Tuple::from_slice(args, vm), Some(&*kws.to_dict(vm)?), vm)
    }
}
