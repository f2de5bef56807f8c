//! What becomes of a warning: the filters, as the library manual has them ("The Warnings Filter").

use taipan_vm::prelude::*;

use super::State;

/// A warning that is being looked at.
pub struct Warning<'a> {
    pub category: &'a Object,
    pub text: &'a Object,
    pub lineno: i32,
    pub module: &'a Object,
}

/// Whether a part of a filter accepts the text: None does, a str that is equal, or what its `match` says.
fn accepts(part: &Object, text: &Object, vm: &Vm) -> PyResult<bool> {
    if vm.is_none(part) {
        return Ok(true);
    }
    if part.downcast_exact::<Str>().is_some() {
        return part.eq(text, vm);
    }
    part.call_method(&vm.intern("match"), &[text], vm)?.is_true(vm)
}

impl Warning<'_> {
    /// The action of the first filter that matches, and the filter.
    fn search(&self, filters: &List, name: &str, vm: &Vm) -> PyResult<Option<(Ref<Str>, ObjRef)>> {
        // Matching runs Python code, which may change the list.
        let mut at = 0;
        while let Some(filter) = filters.get(at) {
            let parts = filter.downcast_ref::<Tuple>().map(Tuple::as_slice);
            let Some([action, message, category, module, line]) = parts else {
                return Err(vm.value_error(format!("warnings.{name} item {at} isn't a 5-tuple")));
            };
            let Some(action) = action.downcast_ref::<Str>() else {
                return Err(vm.type_error(format!(
                    "action must be a string, not '{}'",
                    action.ob_type().tp_name_str()
                )));
            };
            if accepts(message, self.text, vm)?
                && accepts(module, self.module, vm)?
                && self.category.is_subclass(category, vm)?
            {
                let line = line.as_isize(vm)?;
                if line == 0 || line == self.lineno as isize {
                    return Ok(Some((action.into(), filter.clone())));
                }
            }
            at += 1;
        }
        Ok(None)
    }

    /// What to do: the action, and the filter that says so or None.
    pub fn action(&self, state: &State, vm: &Vm) -> PyResult<(Ref<Str>, ObjRef)> {
        let context = state.context.call_method(&vm.intern("get"), &[vm.none_ref()], vm)?;
        let found = if vm.is_none(&context) {
            if let Some(filters) = super::attribute(&vm.intern("filters"), false, vm)? {
                state.filters.set(Some(filters));
            }
            let filters = state.filters.get().and_then(|filters| filters.downcast::<List>().ok());
            let Some(filters) = filters else {
                return Err(vm.value_error("_warnings.filters must be a list"));
            };
            self.search(&filters, "filters", vm)?
        } else {
            let filters = context.get_attr(&vm.intern("_filters"), vm)?;
            let Some(filters) = filters.downcast_ref::<List>() else {
                let text = "_filters of warnings._warnings_context must be a list";
                return Err(vm.value_error(text));
            };
            self.search(filters, "_warnings_context _filters", vm)?
        };
        if let Some(found) = found {
            return Ok(found);
        }
        if let Some(default) = super::attribute(&vm.intern("defaultaction"), false, vm)? {
            match default.downcast::<Str>() {
                Ok(default) => state.default_action.set(Some(default)),
                Err(other) => {
                    return Err(vm.type_error(format!(
                        "_warnings.defaultaction must be a string, not '{}'",
                        other.ob_type().tp_name_str()
                    )));
                }
            }
        }
        let default = state.default_action.get().unwrap_or_else(|| vm.intern("default"));
        Ok((default, vm.none()))
    }
}

/// Whether the registry knows the key; it forgets everything when the filters have changed. With `set`, it knows it from
/// now on.
pub fn already_warned(registry: &Dict, key: &Object, set: bool, state: &State, vm: &Vm) -> PyResult<bool> {
    let name = vm.intern("version");
    let version = registry.get_str(&name, vm)?;
    let current = version
        .as_ref()
        .and_then(|version| version.downcast_ref::<Int>()?.to_i64())
        .is_some_and(|version| version == state.version.get());
    if current {
        if let Some(known) = registry.get_item(key, vm)? {
            if known.is_true(vm)? {
                return Ok(true);
            }
        }
    } else {
        registry.clear(vm);
        registry.set_str(&name, &vm.new_int(state.version.get()), vm)?;
    }
    if set {
        registry.set_item(key, vm.true_ref(), vm)?;
    }
    Ok(false)
}
