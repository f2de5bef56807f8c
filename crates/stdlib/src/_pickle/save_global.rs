//! Objects to pickles: classes and functions, by their names.

use taipan_vm::import;
use taipan_vm::prelude::*;

use super::opcode as op;
use super::save::Saver;

/// Follows a dotted path of attributes.
pub fn get_path(object: ObjRef, path: &[Ref<Str>], vm: &Vm) -> PyResult {
    path.iter().try_fold(object, |object, name| object.get_attr(name, vm))
}

/// The parts of a dotted name.
pub fn split_path(name: &Str, vm: &Vm) -> PyResult<Vec<Ref<Str>>> {
    if name.ascii_bytes().is_some_and(|ascii| !ascii.contains(&b'.')) {
        return Ok(vec![name.into()]);
    }
    let dot = vm.intern(".");
    let parts = name.as_object().call_method(&vm.intern("split"), &[dot.as_object()], vm)?;
    parts.collect_iterable(vm)?.into_iter().filter_map(|part| part.downcast::<Str>().ok()).map(Ok).collect()
}

impl Saver<'_> {
    /// Writes a class.
    pub fn save_type(&mut self, class: &Object) -> PyResult<()> {
        let vm = self.vm;
        let singletons = [vm.none(), vm.ellipsis(), vm.not_implemented()];
        match singletons.into_iter().find(|singleton| singleton.ob_type().as_object().is(class)) {
            Some(singleton) => {
                let args = vm.new_tuple([singleton]).into_object();
                let metatype = class.ob_type().as_object().to_ref();
                self.save_reduce(&Tuple::pair(metatype, args, vm), Some(class))
            }
            None => self.save_global(class, None),
        }
    }

    #[cold]
    fn refuse(&self, object: &Object, why: &str) -> Raised {
        let old = self.vm.take_exception();
        let shown = match object.repr(self.vm) {
            Ok(shown) => shown,
            Err(raised) => return raised,
        };
        if let Some(old) = old {
            self.vm.reraise(old);
        }
        let text = format!("Can't pickle {}: {why}", shown.to_string_lossy());
        self.state.instead(&self.state.pickling_error, text, self.vm)
    }

    /// The name of the module through which the object can be found again.
    fn which_module(&self, object: &Object, name: &Str, path: &[Ref<Str>]) -> PyResult<ObjRef> {
        let vm = self.vm;
        let own = object.lookup_attr(vm.ids().__module__, vm)?.filter(|module| !vm.is_none(module));
        if path.iter().any(|part| part.eq_str("<locals>")) {
            let shown = object.repr(vm)?;
            let text = format!("Can't pickle local object {}", shown.to_string_lossy());
            return Err(self.state.pickling(text, vm));
        }
        let module_name = match own {
            Some(module) => module,
            None => match self.search_modules(object, path)? {
                Some(found) => return Ok(found),
                None => self.state.names.main.clone().into_object(),
            },
        };
        let Some(module_text) = module_name.downcast_ref::<Str>() else {
            return Err(vm.type_error(format!(
                "module name must be a string, not '{}'",
                module_name.ob_type().tp_name_str()
            )));
        };
        let module = if module_text.is_empty() {
            Err(vm.value_error("Empty module name"))
        } else {
            import::import_module_str(module_text, vm)
        };
        let module = match module {
            Ok(module) => module,
            Err(raised) => {
                let expected = [types::import_error(), types::value_error(), types::key_error()];
                if !expected.into_iter().any(|class| vm.exception_matches(class)) {
                    return Err(raised);
                }
                let why = match vm.current_exception.get() {
                    Some(exception) => {
                        let exception = exception.into_object();
                        let old = vm.take_exception();
                        let text = exception.str(vm)?;
                        if let Some(old) = old {
                            vm.reraise(old);
                        }
                        text.to_string_lossy().into_owned()
                    }
                    None => String::new(),
                };
                return Err(self.refuse(object, &why));
            }
        };
        let found = get_path(module, path, vm);
        let place = || format!("{}.{}", module_text.to_string_lossy(), name.to_string_lossy());
        match found {
            Ok(found) if found.is(object) => Ok(module_name),
            Ok(_) => Err(self.refuse(object, &format!("it's not the same object as {}", place()))),
            Err(_) if vm.exception_matches(types::attribute_error()) => {
                Err(self.refuse(object, &format!("it's not found as {}", place())))
            }
            Err(raised) => Err(raised),
        }
    }

    /// For objects without `__module__`: the first module that has them under their name.
    fn search_modules(&self, object: &Object, path: &[Ref<Str>]) -> PyResult<Option<ObjRef>> {
        let vm = self.vm;
        let modules = import::modules(vm)?;
        // Looking at a module may import others: the names are those of now.
        let known: Vec<(ObjRef, ObjRef)> = match modules.downcast_ref::<Dict>() {
            Some(dict) => dict.items_vec(),
            None => {
                let mut known = Vec::new();
                for name in modules.collect_iterable(vm)? {
                    let module = modules.get_item(&name, vm)?;
                    known.push((name, module));
                }
                known
            }
        };
        for (name, module) in known {
            let skipped = vm.is_none(&module)
                || name
                    .downcast_ref::<Str>()
                    .is_some_and(|name| name.eq_str("__main__") || name.eq_str("__mp_main__"));
            if skipped {
                continue;
            }
            match get_path(module, path, vm) {
                Ok(found) if found.is(object) => return Ok(Some(name)),
                Ok(_) => {}
                Err(_) if vm.exception_matches(types::attribute_error()) => vm.clear_exception(),
                Err(raised) => return Err(raised),
            }
        }
        Ok(None)
    }

    /// Writes an object by its name: the given one, or its own.
    pub fn save_global(&mut self, object: &Object, name: Option<&Object>) -> PyResult<()> {
        let vm = self.vm;
        let name = match name {
            Some(name) => name.to_ref(),
            None => match object.lookup_attr(vm.ids().__qualname__, vm)? {
                Some(name) => name,
                None => object.get_attr(vm.ids().__name__, vm)?,
            },
        };
        let Some(text) = name.downcast_ref::<Str>() else {
            return Err(vm.type_error(format!("must be str, not {}", name.ob_type().tp_name_str())));
        };
        let path = split_path(text, vm)?;
        let module = self.which_module(object, text, &path)?;
        if self.proto >= 2 && self.save_extension(&module, &name)? {
            return Ok(());
        }
        if self.proto >= 4 {
            self.save(&module, true)?;
            self.save(&name, true)?;
            self.op(op::STACK_GLOBAL);
            return self.put(object);
        }
        // getattr(getattr(module.first, second), third)
        let attributes = path.get(1..).unwrap_or_default();
        for _ in attributes {
            let getattr = self.state.getattr.clone();
            self.save(&getattr, true)?;
            if self.proto < 2 {
                self.op(op::MARK);
            }
        }
        if let Some(first) = path.first() {
            self.save_toplevel(&module, first)?;
        }
        for attribute in attributes {
            self.save(attribute.as_object(), true)?;
            let tuple = if self.proto < 2 { op::TUPLE } else { op::TUPLE2 };
            self.bytes(&[tuple, op::REDUCE]);
        }
        self.put(object)
    }

    /// Writes the code that was registered for the name (`copyreg.add_extension`); false when there is none.
    fn save_extension(&mut self, module: &Object, name: &Object) -> PyResult<bool> {
        let vm = self.vm;
        if self.state.extension_registry.is_empty() {
            return Ok(false);
        }
        let key = Tuple::pair(module.to_ref(), name.to_ref(), vm);
        let Some(code) = self.state.extension_registry.get_item(key.as_object(), vm)? else {
            return Ok(false);
        };
        let code = code.as_isize(vm)?;
        let number = match u32::try_from(code) {
            Ok(number @ 1..=0x7fff_ffff) => number,
            _ => return Err(vm.runtime_error(format!("extension code {code} is out of range"))),
        };
        let [a, b, c, d] = number.to_le_bytes();
        match number {
            ..=0xff => self.bytes(&[op::EXT1, a]),
            ..=0xffff => self.bytes(&[op::EXT2, a, b]),
            _ => self.bytes(&[op::EXT4, a, b, c, d]),
        }
        Ok(true)
    }

    /// Writes a `GLOBAL`, under the names of Python 2 where asked.
    fn save_toplevel(&mut self, module: &Object, name: &Str) -> PyResult<()> {
        let vm = self.vm;
        let (mut module, mut name) = (module.to_ref(), name.as_object().to_ref());
        if self.fix_imports {
            (module, name) = self.old_names(module, name)?;
        }
        let module_line = self.identifier(&module, "module")?;
        let name_line = self.identifier(&name, "global")?;
        let _ = vm;
        self.op(op::GLOBAL);
        self.bytes(&module_line);
        self.op(b'\n');
        self.bytes(&name_line);
        self.op(b'\n');
        Ok(())
    }

    fn identifier(&self, name: &Object, what: &str) -> PyResult<Vec<u8>> {
        let vm = self.vm;
        let Some(text) = name.downcast_ref::<Str>() else {
            return Err(vm.type_error(format!("must be str, not {}", name.ob_type().tp_name_str())));
        };
        let encoding = if self.proto >= 3 { "utf-8" } else { "ascii" };
        match taipan_vm::builtins::codecs_core::encode_str(text, encoding, "strict", vm) {
            Ok(encoded) => {
                Ok(encoded.downcast_ref::<Bytes>().map(|bytes| bytes.as_bytes().to_vec()).unwrap_or_default())
            }
            Err(_) if vm.exception_matches(types::unicode_encode_error()) => {
                let old = vm.take_exception();
                let shown = name.repr(vm)?;
                if let Some(old) = old {
                    vm.reraise(old);
                }
                let text = format!(
                    "can't pickle {what} identifier {} using pickle protocol {}",
                    shown.to_string_lossy(),
                    self.proto
                );
                Err(self.state.instead(&self.state.pickling_error, text, vm))
            }
            Err(raised) => Err(raised),
        }
    }

    fn old_names(&self, module: ObjRef, name: ObjRef) -> PyResult<(ObjRef, ObjRef)> {
        let vm = self.vm;
        let key = Tuple::pair(module.clone(), name.clone(), vm);
        if let Some(mapped) = self.state.reverse_name_mapping.get_item(key.as_object(), vm)? {
            return match mapped.downcast_ref::<Tuple>().map(Tuple::as_slice) {
                Some([module, name]) if is_str(module) && is_str(name) => Ok((module.clone(), name.clone())),
                Some([module, name]) => Err(vm.runtime_error(format!(
                    "_compat_pickle.REVERSE_NAME_MAPPING values should be pairs of str, not ({}, {})",
                    module.ob_type().tp_name_str(),
                    name.ob_type().tp_name_str()
                ))),
                _ => Err(vm.runtime_error(format!(
                    "_compat_pickle.REVERSE_NAME_MAPPING values should be 2-tuples, not {}",
                    mapped.ob_type().tp_name_str()
                ))),
            };
        }
        match self.state.reverse_import_mapping.get_item(&module, vm)? {
            Some(mapped) if is_str(&mapped) => Ok((mapped, name)),
            Some(mapped) => Err(vm.runtime_error(format!(
                "_compat_pickle.REVERSE_IMPORT_MAPPING values should be strings, not {}",
                mapped.ob_type().tp_name_str()
            ))),
            None => Ok((module, name)),
        }
    }
}

fn is_str(object: &Object) -> bool {
    object.downcast_ref::<Str>().is_some()
}
