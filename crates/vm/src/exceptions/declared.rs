//! Exception classes of native modules (`struct.error`, `zlib.error`): declared as statics, made on first use.

use std::cell::RefCell;

use crate::builtins::type_::TypeExt;
use crate::prelude::*;

/// An exception class before it is made. Declare one as a `static` and call `get`.
pub struct DeclaredException {
    /// The full name: "module.name".
    pub name: &'static str,
    /// The class that it derives from.
    pub base: fn() -> &'static Type,
}

#[derive(Default)]
struct Made(RefCell<Vec<(usize, Ref<Type>)>>);

impl DeclaredException {
    /// The interpreter's class of this declaration.
    pub fn get(&'static self, vm: &Vm) -> PyResult<Ref<Type>> {
        let key = std::ptr::from_ref(self) as usize;
        let made = vm.interp().state::<Made>();
        if let Some((_, tp)) = made.0.borrow().iter().find(|(known, _)| *known == key) {
            return Ok(tp.clone());
        }
        let (module, name) = self.name.rsplit_once('.').unwrap_or(("builtins", self.name));
        let dict = vm.new_dict();
        dict.set_item(vm.ids().__module__.as_object(), vm.intern(module).as_object(), vm)?;
        let args = vm.new_tuple([
            vm.intern(name).into_object(),
            vm.new_tuple([(self.base)().as_object().to_ref()]).into_object(),
            dict.into_object(),
        ]);
        let tp = crate::builtins::type_::new::type_new(Type::type_type(), &args, None, vm)?;
        let tp = tp.downcast::<Type>().map_err(|_| vm.system_error("no type"))?;
        made.0.borrow_mut().push((key, tp.clone()));
        Ok(tp)
    }

    /// Raises it with a message.
    #[cold]
    pub fn raise(&'static self, text: impl AsRef<str>, vm: &Vm) -> Raised {
        match self.get(vm) {
            Ok(tp) => vm.raise(&tp, text),
            Err(raised) => raised,
        }
    }
}
