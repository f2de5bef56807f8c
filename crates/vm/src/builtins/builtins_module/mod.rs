//! The module `builtins`.

use crate::prelude::*;

pub mod build_class;
pub mod code_functions;
pub mod functions;
pub mod input_output;
pub mod sum;

/// The module.
pub struct Builtins;

/// A built-in by name, from the builtins of the code that runs. Raises `AttributeError` when it is missing there.
pub fn builtin(name: &Str, vm: &Vm) -> PyResult {
    let frame = crate::interpreter::frame::current(vm);
    let builtins = if frame.is_null() {
        vm.interp().builtins_dict.get().map(Ref::into_object)
    } else {
        // SAFETY: the innermost frame is alive, and its builtins are with it.
        unsafe { (*frame).builtins.as_ref().map(Object::to_ref) }
    };
    let found = match builtins {
        None => None,
        Some(builtins) => match builtins.downcast_ref::<Dict>() {
            Some(dict) => dict.get_str(name, vm)?,
            None => match builtins.get_item(name.as_object(), vm) {
                Ok(value) => Some(value),
                Err(_) if vm.exception_matches(types::key_error()) => {
                    vm.clear_exception();
                    None
                }
                Err(raised) => return Err(raised),
            },
        },
    };
    found.ok_or_else(|| vm.attribute_error(name.to_string_lossy()))
}

fn builtin_types() -> Vec<&'static Type> {
    use crate::builtins::{
        classmethod::{ClassMethod, StaticMethod},
        enumerate::Enumerate,
        filter::Filter,
        map::Map,
        memoryview::MemoryView,
        object::object_type,
        property::Property,
        range::Range,
        reversed::Reversed,
        set::FrozenSet,
        super_::Super,
        type_::TypeExt,
        zip::Zip,
    };
    vec![
        Bool::type_object(),
        MemoryView::type_object(),
        ByteArray::type_object(),
        Bytes::type_object(),
        ClassMethod::type_object(),
        Complex::type_object(),
        Dict::type_object(),
        Enumerate::type_object(),
        Filter::type_object(),
        Float::type_object(),
        FrozenSet::type_object(),
        Property::type_object(),
        Int::type_object(),
        List::type_object(),
        Map::type_object(),
        object_type(),
        Range::type_object(),
        Reversed::type_object(),
        Set::type_object(),
        Slice::type_object(),
        StaticMethod::type_object(),
        Str::type_object(),
        Super::type_object(),
        Tuple::type_object(),
        Type::type_type(),
        Zip::type_object(),
    ]
}

/// Fills the module's dictionary with what is no function.
fn fill(module: &Module, vm: &Vm) -> PyResult<()> {
    for (name, value) in [
        ("None", vm.none()),
        ("Ellipsis", vm.ellipsis()),
        ("NotImplemented", vm.not_implemented()),
        ("False", vm.new_bool(false)),
        ("True", vm.new_bool(true)),
    ] {
        module.set(name, &value, vm)?;
    }
    for tp in builtin_types() {
        crate::builtins::type_::type_ready(tp, vm)?;
        module.set(tp.name(), tp.as_object(), vm)?;
    }
    let optimised = vm.interp().config.borrow().optimization_level > 0;
    module.set("__debug__", &vm.new_bool(!optimised), vm)?;
    crate::exceptions::types::fill_builtins(&module.dict(vm), vm)
}

/// Built-in functions, types, exceptions, and other objects.
///
/// This module provides direct access to all 'built-in'
/// identifiers of Python; for example, builtins.len is
/// the full name for the built-in function len().
///
/// This module is not normally accessed explicitly by most
/// applications, but can be useful in modules that provide
/// objects with the same name as a builtin and in which the
/// built-in of that name is also needed.
#[pymodule(
    name = "builtins",
    functions(FUNCTIONS, CODE_FUNCTIONS, IO_FUNCTIONS, CLASS_FUNCTIONS, SUM_FUNCTIONS)
)]
impl Builtins {
    #[exec]
    fn fill(module: &Module, vm: &Vm) -> PyResult<()> {
        fill(module, vm)
    }
}
