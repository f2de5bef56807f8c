//! `_ConstEvaluator`: the function that evaluates a bound or default given as a value.

use crate::prelude::*;

/// Holds the value that calling it gives.
#[repr(C)]
#[derive(Traverse)]
pub struct ConstEvaluator {
    /// The header.
    pub ob: Object,
    value: Slot<Object>,
}

impl ConstEvaluator {
    /// A function that evaluates to `value`.
    pub fn create(value: ObjRef, vm: &Vm) -> ObjRef {
        // Without memory for the type's tables nothing else would run either.
        if crate::builtins::type_::ready::type_ready(Self::type_object(), vm).is_err() {
            return vm.none();
        }
        vm.new_object(ConstEvaluator { ob: Object::new(Self::type_object()), value: Slot::of(value) })
            .into_object()
    }

    /// The value.
    pub(super) fn value(&self) -> ObjRef {
        self.value.get().unwrap_or_else(super::no_default)
    }
}

/// Internal type for implementing evaluation functions.
#[pytype(name = "_typing._ConstEvaluator", gc, no_new)]
impl ConstEvaluator {
    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
        let value = self.value().repr(vm)?;
        Ok(vm.new_str(&format!("<constevaluator {}>", value.to_string_lossy())).into_object())
    }

    /// Takes the format: `VALUE` gives the value, `STRING` its source form.
    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<ObjRef> {
        const FORMAT_STRING: i64 = 4;
        crate::exceptions::base::refuse_keywords("constevaluator.__call__", kwargs, vm)?;
        let [format] = args.as_slice() else {
            return Err(
                vm.type_error(format!("constevaluator.__call__ expected 1 argument, got {}", args.len()))
            );
        };
        let format = format.as_index(vm)?.to_i64();
        let value = self.value();
        if format != Some(FORMAT_STRING) {
            return Ok(value);
        }
        match value.downcast_exact::<Tuple>() {
            None => super::call_typing_repr(&value, vm),
            Some(tuple) => {
                let mut text = String::from("(");
                for (index, item) in tuple.as_slice().iter().enumerate() {
                    if index > 0 {
                        text.push_str(", ");
                    }
                    text.push_str(&super::call_typing_repr(item, vm)?.str(vm)?.to_string_lossy());
                }
                if tuple.len() == 1 {
                    text.push(',');
                }
                text.push(')');
                Ok(vm.new_str(&text).into_object())
            }
        }
    }
}
