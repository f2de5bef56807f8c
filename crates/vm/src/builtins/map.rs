//! `map`.

use std::cell::Cell;

use crate::prelude::*;

/// The layout of `map`.
#[repr(C)]
#[derive(Traverse)]
pub struct Map {
    #[traverse(skip)]
    ob: Object,
    function: ObjRef,
    iterators: Vec<ObjRef>,
    #[traverse(skip)]
    strict: Cell<bool>,
}

/// Make an iterator that computes the function using arguments from
/// each of the iterables.  Stops when the shortest iterable is exhausted.
///
/// If strict is true and one of the arguments is exhausted before the others,
/// raise a ValueError.
#[pytype(name = "map", symbol = "PyMap_Type", flags(BASETYPE), gc)]
impl Map {
    #[new("(function, iterable, /, *iterables, strict=False)")]
    fn new(
        cls: &Type,
        function: &Object,
        iterable: &Object,
        iterables: &[&Object],
        strict: bool,
        vm: &Vm,
    ) -> PyResult {
        let mut iterators = vec![iterable.iter(vm)?];
        for other in iterables {
            iterators.push(other.iter(vm)?);
        }
        vm.new_instance(
            cls,
            Map {
                ob: Object::new(Self::type_object()),
                function: function.to_ref(),
                iterators,
                strict: Cell::new(strict),
            },
        )
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> Ref<Tuple> {
        let mut args = vec![self.function.clone()];
        args.extend_from_slice(&self.iterators);
        let cls = self.as_object().ob_type().as_object().to_ref();
        let args = vm.new_tuple(args).into_object();
        if self.strict.get() {
            vm.new_tuple([cls, args, vm.new_bool(true)])
        } else {
            vm.new_tuple([cls, args])
        }
    }

    /// Set state information for unpickling.
    #[method("($self, object, /)")]
    fn __setstate__(&self, object: bool) {
        self.strict.set(object);
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        if let [only] = self.iterators.as_slice() {
            return match only.iter_next(vm)? {
                Some(item) => self.function.call(&[&item], vm).map(Some),
                None => Ok(None),
            };
        }
        match super::zip::next_of_all(&self.iterators, self.strict.get(), "map", vm)? {
            Some(items) => self.function.call(crate::protocols::native::borrow_all(&items), vm).map(Some),
            None => Ok(None),
        }
    }
}
