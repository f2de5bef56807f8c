//! `_collections`: `defaultdict`, `deque`, `OrderedDict`, and what `Counter` and `namedtuple` run on.

use taipan_vm::builtins::ordered_dict::OrderedDict;
use taipan_vm::builtins::type_::lookup::lookup;
use taipan_vm::protocols::number;

use taipan_vm::prelude::*;

mod defaultdict;
mod deque;
mod deque_iterators;
mod tuplegetter;

pub use defaultdict::DefaultDict;
pub use deque::Deque;
pub use deque_iterators::{DequeIterator, DequeReverseIterator};
pub use tuplegetter::TupleGetter;

/// The module.
pub struct Collections;

/// Whether a mapping counts by `dict`'s own methods.
fn is_plain(mapping: &Object, vm: &Vm) -> bool {
    let same = |name: &Str| {
        let (theirs, ours) = (lookup(mapping.ob_type(), name, vm), lookup(Dict::type_object(), name, vm));
        matches!((theirs, ours), (Some(theirs), Some(ours)) if theirs.is(ours))
    };
    same(vm.ids().get) && same(vm.ids().__setitem__)
}

/// High performance data structures.
/// - deque:        ordered collection accessible from endpoints only
/// - defaultdict:  dict subclass with a default value factory
#[pymodule(
    name = "_collections",
    types(DefaultDict, Deque, DequeIterator, DequeReverseIterator, OrderedDict, TupleGetter)
)]
impl Collections {
    /// Count elements in the iterable, updating the mapping
    #[function("($module, mapping, iterable, /)")]
    fn _count_elements(mapping: &Object, iterable: &Object, vm: &Vm) -> PyResult<()> {
        let iterator = iterable.iter(vm)?;
        let one = vm.new_int(1);
        let plain = mapping.downcast_ref::<Dict>().filter(|_| is_plain(mapping, vm));
        if let Some(dict) = plain {
            while let Some(key) = iterator.iter_next(vm)? {
                let hash = taipan_vm::builtins::dict::table::key_hash(&key, vm)?;
                let count = match dict.get_item_hash(&key, hash, vm)? {
                    Some(old) => number::add(&old, &one, vm)?,
                    None => one.clone(),
                };
                dict.set_item_hash(&key, hash, count, vm)?;
            }
            return Ok(());
        }
        let get = mapping.get_attr(vm.ids().get, vm)?;
        let zero = vm.new_int(0);
        while let Some(key) = iterator.iter_next(vm)? {
            let count = number::add(&*get.call(&[&key, &zero], vm)?, &one, vm)?;
            mapping.set_item(&key, &count, vm)?;
        }
        Ok(())
    }
}
