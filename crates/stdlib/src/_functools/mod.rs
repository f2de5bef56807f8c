//! `_functools`: `partial`, `reduce`, `cmp_to_key`, `lru_cache`.

use taipan_vm::prelude::*;

mod cmp_to_key;
mod lru_cache;
mod partial;
mod placeholder;

pub use cmp_to_key::KeyWrapper;
pub use lru_cache::LruCacheWrapper;
pub use partial::Partial;
pub use placeholder::PlaceholderType;

/// The module.
pub struct Functools;

/// Tools that operate on functions.
#[pymodule(name = "_functools", types(Partial, PlaceholderType, LruCacheWrapper))]
impl Functools {
    /// Apply a function of two arguments cumulatively to the items of an iterable, from left to right.
    ///
    /// This effectively reduces the iterable to a single value.  If initial is present,
    /// it is placed before the items of the iterable in the calculation, and serves as
    /// a default when the iterable is empty.
    ///
    /// For example, reduce(lambda x, y: x+y, [1, 2, 3, 4, 5])
    /// calculates ((((1 + 2) + 3) + 4) + 5).
    #[function("($module, function, iterable, /, initial=<unrepresentable>)")]
    fn reduce(function: &Object, iterable: &Object, initial: Option<&Object>, vm: &Vm) -> PyResult {
        let iterator = match iterable.iter(vm) {
            Ok(iterator) => iterator,
            Err(Raised) if vm.exception_matches(types::type_error()) => {
                vm.clear_exception();
                return Err(vm.type_error("reduce() arg 2 must support iteration"));
            }
            Err(Raised) => return Err(Raised),
        };
        let mut result = initial.map(Object::to_ref);
        while let Some(item) = iterator.iter_next(vm)? {
            result = Some(match result {
                None => item,
                Some(so_far) => function.call(&[&so_far, &item], vm)?,
            });
        }
        result.ok_or_else(|| vm.type_error("reduce() of empty iterable with no initial value"))
    }

    /// Convert a cmp= function into a key= function.
    ///
    ///   mycmp
    ///     Function that compares two objects.
    #[function("($module, /, mycmp)")]
    fn cmp_to_key(mycmp: &Object, vm: &Vm) -> ObjRef {
        KeyWrapper::make(mycmp, None, vm)
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        module.set("Placeholder", &placeholder::placeholder(vm), vm)
    }
}
