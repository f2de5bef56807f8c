//! Iterators over keys, values and items, forwards and backwards.

use std::cell::Cell;
use std::mem::size_of;

use super::Dict;
use crate::builtins::builtins_module::builtin;
use crate::prelude::*;

/// Where an iteration over a dict is. It holds the dict until its end.
#[repr(C)]
#[derive(Traverse)]
struct Walk {
    dict: Slot<Dict>,
    /// The dict's size at the start; -1 once it was seen to change, so that the error stays.
    used: Cell<isize>,
    position: Cell<isize>,
    /// The last pair given, used again when nobody else holds it.
    pair: Slot<Tuple>,
    left: Cell<isize>,
}

impl Walk {
    fn new(dict: &Dict, reverse: bool) -> Walk {
        Walk {
            dict: Slot::of(dict.into()),
            used: Cell::new(dict.len() as isize),
            position: Cell::new(if reverse { dict.positions() as isize - 1 } else { 0 }),
            pair: Slot::empty(),
            left: Cell::new(dict.len() as isize),
        }
    }

    /// The next entry, in the wanted direction.
    #[inline(always)]
    fn next(&self, reverse: bool, vm: &Vm) -> PyResult<Option<(ObjRef, ObjRef)>> {
        // SAFETY: nothing runs before the entry is cloned.
        let Some(dict) = (unsafe { self.dict.borrow() }) else { return Ok(None) };
        if self.used.get() != dict.len() as isize {
            self.used.set(-1);
            return Err(vm.runtime_error("dictionary changed size during iteration"));
        }
        let found = if reverse {
            let mut at = self.position.get();
            if at >= dict.positions() as isize {
                // The dict was emptied and filled again.
                at = -1;
            }
            let mut found = None;
            while at >= 0 && found.is_none() {
                found = dict.entry(at as usize);
                at -= 1;
            }
            self.position.set(at);
            found
        } else {
            let mut at = self.position.get() as usize;
            let found = dict.next_borrowed(&mut at);
            self.position.set(at as isize);
            found
        };
        let entry = found.map(|(_, key, value)| (key.to_ref(), value.to_ref()));
        if entry.is_none() {
            self.dict.set(None);
        } else if self.left.get() == 0 {
            self.dict.set(None);
            return Err(vm.runtime_error("dictionary keys changed during iteration"));
        }
        self.left.set(self.left.get() - 1);
        Ok(entry)
    }

    /// A tuple of the entry: the last one again when it is free.
    #[inline]
    fn make_pair(&self, key: ObjRef, value: ObjRef, vm: &Vm) -> ObjRef {
        let pair = match self.pair.take() {
            Some(old) if old.as_object().is_unique() => {
                old.replace_pair(key, value);
                old
            }
            _ => vm.new_tuple([key, value]),
        };
        self.pair.set(Some(pair.clone()));
        pair.into_object()
    }

    fn length_hint(&self) -> isize {
        match self.dict.get() {
            Some(dict) if self.used.get() == dict.len() as isize => self.left.get(),
            _ => 0,
        }
    }
}

macro_rules! dict_iterators {
    ($($(#[$doc:meta])* $name:ident, $python:tt, $symbol:tt, $reverse:tt, |$walk:ident, $key:ident, $value:ident, $vm:ident| $item:expr;)*) => {$(
        $(#[$doc])*
        #[repr(C)]
        #[derive(Traverse)]
        pub struct $name {
            /// The object header.
            pub ob: Object,
            walk: Walk,
        }

        const _: () = assert!(size_of::<$name>() == 56);

        impl $name {
            /// A new iterator over `dict`.
            pub fn new(dict: &Dict, vm: &Vm) -> ObjRef {
                let ob = Object::new($name::type_object());
                vm.new_object($name { ob, walk: Walk::new(dict, $reverse) }).into_object()
            }
        }

        #[pytype(name = $python, symbol = $symbol, gc, no_new)]
        impl $name {
            /// Private method returning an estimate of len(list(it)).
            #[method("($self, /)")]
            fn __length_hint__(&self) -> isize {
                self.walk.length_hint()
            }

            /// Return state information for pickling.
            #[method("($self, /)")]
            fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
                // The iterator itself must not advance: a twin is run to its end.
                let $walk = Walk {
                    dict: Slot::new(self.walk.dict.get()),
                    used: self.walk.used.clone(),
                    position: self.walk.position.clone(),
                    pair: Slot::empty(),
                    left: self.walk.left.clone(),
                };
                let $vm = vm;
                let mut items = Vec::new();
                while let Some(($key, $value)) = $walk.next($reverse, vm)? {
                    items.push($item);
                }
                reduced(items, vm)
            }

            #[slot]
            fn tp_iter(&self) -> PyResult<ObjRef> {
                Ok(self.as_object().to_ref())
            }

            #[slot]
            fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
                let ($walk, $vm) = (&self.walk, vm);
                Ok($walk.next($reverse, vm)?.map(|($key, $value)| $item))
            }
        }
    )*};
}

dict_iterators! {
    /// What `iter(dict)` gives.
    DictKeyIterator, "dict_keyiterator", "PyDictIterKey_Type", false, |_walk, key, _value, _vm| key;
    /// What `iter(dict.values())` gives.
    DictValueIterator, "dict_valueiterator", "PyDictIterValue_Type", false, |_walk, _key, value, _vm| value;
    /// What `iter(dict.items())` gives.
    DictItemIterator, "dict_itemiterator", "PyDictIterItem_Type", false, |walk, key, value, vm| walk.make_pair(key, value, vm);
    /// What `reversed(dict)` gives.
    DictReverseKeyIterator, "dict_reversekeyiterator", "PyDictRevIterKey_Type", true, |_walk, key, _value, _vm| key;
    /// What `reversed(dict.values())` gives.
    DictReverseValueIterator, "dict_reversevalueiterator", "PyDictRevIterValue_Type", true, |_walk, _key, value, _vm| value;
    /// What `reversed(dict.items())` gives.
    DictReverseItemIterator, "dict_reverseitemiterator", "PyDictRevIterItem_Type", true, |walk, key, value, vm| walk.make_pair(key, value, vm);
}

/// `(iter, ([items…],))`: how an iterator over a container without order numbers is pickled.
pub(crate) fn reduced(items: Vec<ObjRef>, vm: &Vm) -> PyResult<Ref<Tuple>> {
    let function = builtin(vm.ids().iter, vm)?;
    let list = vm.new_list(items).into_object();
    let args = vm.new_tuple([list]).into_object();
    Ok(vm.new_tuple([function, args]))
}
