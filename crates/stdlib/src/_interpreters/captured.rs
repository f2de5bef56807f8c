//! What is kept of an exception when it leaves its interpreter: its type's names and its texts.

use taipan_vm::prelude::*;

use super::namespace;

/// A snapshot of an exception.
#[derive(Default)]
pub(super) struct Captured {
    name: String,
    qualname: String,
    module: String,
    message: String,
    formatted: String,
    display: String,
}

impl Captured {
    /// Of an exception that was raised in the interpreter of `vm`. Where asking it fails, the text stays empty.
    pub(super) fn of(exception: &Object, vm: &Vm) -> Captured {
        let text = |got: PyResult| match got {
            Ok(value) => value.downcast_ref::<Str>().map(|text| text.to_string_lossy().into_owned()),
            Err(Raised) => {
                vm.clear_exception();
                None
            }
        };
        let tp = exception.ob_type().as_object();
        let of_type = |name: &str| text(tp.get_attr(&vm.intern(name), vm)).unwrap_or_default();
        let [name, qualname, module] = ["__name__", "__qualname__", "__module__"].map(of_type);
        let message = text(exception.str(vm).map(Ref::into_object)).unwrap_or_default();
        let full = match module.as_str() {
            "builtins" | "__main__" => qualname.clone(),
            module => format!("{module}.{qualname}"),
        };
        let formatted = format!("{full}: {message}");
        let display = text(display(exception, vm)).unwrap_or_default();
        Captured { name, qualname, module, message, formatted, display }
    }

    /// "type: message"
    pub(super) fn formatted(&self) -> &str {
        &self.formatted
    }

    /// The namespace that callers get.
    pub(super) fn to_object(&self, vm: &Vm) -> PyResult {
        let (kind, whole) = (vm.new_dict(), vm.new_dict());
        let names =
            [("__name__", &self.name), ("__qualname__", &self.qualname), ("__module__", &self.module)];
        for (name, value) in names {
            kind.set_str(&vm.intern(name), vm.new_str(value).as_object(), vm)?;
        }
        whole.set_str(&vm.intern("type"), &*namespace(&kind, vm)?, vm)?;
        let texts = [("msg", &self.message), ("formatted", &self.formatted), ("errdisplay", &self.display)];
        for (name, value) in texts {
            whole.set_str(&vm.intern(name), vm.new_str(value).as_object(), vm)?;
        }
        namespace(&whole, vm)
    }
}

/// The traceback's text.
fn display(exception: &Object, vm: &Vm) -> PyResult {
    let traceback = taipan_vm::import::import_module("traceback", vm)?;
    let lines = traceback.call_method(&vm.intern("format_exception"), &[exception], vm)?;
    let text = vm.new_str("").as_object().call_method(&vm.intern("join"), &[&lines], vm)?;
    text.call_method(&vm.intern("rstrip"), &[], vm)
}
