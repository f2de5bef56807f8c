//! Exception classes that native modules make when they are loaded (`PyErr_NewExceptionWithDoc`).

use crate::builtins::type_::TypeExt;
use crate::prelude::*;

/// A class `module.Name` that derives from `base`.
pub fn new_class(full_name: &str, base: &Type, doc: Option<&str>, vm: &Vm) -> PyResult<Ref<Type>> {
    let (module, name) = full_name.rsplit_once('.').unwrap_or(("builtins", full_name));
    let dict = vm.new_dict();
    dict.set_str(vm.ids().__module__, vm.intern(module).as_object(), vm)?;
    if let Some(doc) = doc {
        dict.set_str(vm.ids().__doc__, vm.new_str(doc).as_object(), vm)?;
    }
    let bases = vm.new_tuple([base.as_object().to_ref()]);
    let name = vm.new_str(name);
    let made =
        Type::type_type().as_object().call(&[name.as_object(), bases.as_object(), dict.as_object()], vm)?;
    made.downcast::<Type>().map_err(|_| vm.system_error("type() made something else than a type"))
}
