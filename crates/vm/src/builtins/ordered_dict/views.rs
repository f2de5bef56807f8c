//! `odict_keys`, `odict_values`, `odict_items`: the views of dicts with iterators of their own.

use super::OrderedDict;
use super::iterator::{Kind, OrderedDictIterator};
use crate::builtins::dict::views::{DictItems, DictKeys, DictValues};
use crate::prelude::*;

macro_rules! views {
    ($($(#[$doc:meta])* $name:ident, $base:ident, $python:tt, $symbol:tt, $kind:ident;)*) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Traverse)]
        pub struct $name {
            view: $base,
        }

        impl $name {
            /// A view of `dict`.
            pub fn make(dict: &OrderedDict, vm: &Vm) -> ObjRef {
                vm.new_object($name { view: $base::of_type(Self::type_object(), &dict.dict) }).into_object()
            }

            fn iterate(&self, reverse: bool, vm: &Vm) -> PyResult {
                match self.view.dict().and_then(|dict| dict.into_object().downcast::<OrderedDict>().ok()) {
                    Some(dict) => Ok(OrderedDictIterator::make(&dict, Kind::$kind, reverse, vm)),
                    None => Ok(vm.none()),
                }
            }
        }

        #[pytype(name = $python, symbol = $symbol, base = $base, gc, no_new, doc = "")]
        impl $name {
            #[method("($self, /)")]
            fn __reversed__(&self, vm: &Vm) -> PyResult {
                self.iterate(true, vm)
            }

            #[slot]
            fn tp_iter(&self, vm: &Vm) -> PyResult {
                self.iterate(false, vm)
            }
        }
    )*};
}

views! {
    /// What `OrderedDict.keys()` gives.
    OrderedDictKeys, DictKeys, "odict_keys", "PyODictKeys_Type", Keys;
    /// What `OrderedDict.values()` gives.
    OrderedDictValues, DictValues, "odict_values", "PyODictValues_Type", Values;
    /// What `OrderedDict.items()` gives.
    OrderedDictItems, DictItems, "odict_items", "PyODictItems_Type", Items;
}
