//! `zip`.

use std::cell::Cell;

use crate::prelude::*;

/// The layout of `zip`.
#[repr(C)]
#[derive(Traverse)]
pub struct Zip {
    #[traverse(skip)]
    ob: Object,
    iterators: Vec<ObjRef>,
    #[traverse(skip)]
    strict: Cell<bool>,
}

/// One item of each iterator; none when one of them has ended. With `strict`, all must end together.
pub fn next_of_all(iterators: &[ObjRef], strict: bool, name: &str, vm: &Vm) -> PyResult<Option<Vec<ObjRef>>> {
    let mut items = Vec::with_capacity(iterators.len());
    for (at, iterator) in iterators.iter().enumerate() {
        match iterator.iter_next(vm)? {
            Some(item) => items.push(item),
            None if !strict => return Ok(None),
            None if at > 0 => return Err(uneven(name, at, "shorter", vm)),
            None => {
                for (at, iterator) in iterators.iter().enumerate().skip(1) {
                    if iterator.iter_next(vm)?.is_some() {
                        return Err(uneven(name, at, "longer", vm));
                    }
                }
                return Ok(None);
            }
        }
    }
    Ok(Some(items))
}

fn uneven(name: &str, at: usize, relation: &str, vm: &Vm) -> Raised {
    let others = if at == 1 { " 1".to_owned() } else { format!("s 1-{at}") };
    vm.value_error(format!("{name}() argument {} is {relation} than argument{others}", at + 1))
}

/// The zip object yields n-length tuples, where n is the number of iterables
/// passed as positional arguments to zip().  The i-th element in every tuple
/// comes from the i-th iterable argument to zip().  This continues until the
/// shortest argument is exhausted.
///
/// If strict is true and one of the arguments is exhausted before the others,
/// raise a ValueError.
///
///    >>> list(zip('abcdefg', range(3), range(4)))
///    [('a', 0, 0), ('b', 1, 1), ('c', 2, 2)]
#[pytype(name = "zip", symbol = "PyZip_Type", flags(BASETYPE), gc)]
impl Zip {
    #[new("(*iterables, strict=False)")]
    fn new(cls: &Type, iterables: &[&Object], strict: bool, vm: &Vm) -> PyResult {
        let mut iterators = Vec::with_capacity(iterables.len());
        for (at, iterable) in iterables.iter().enumerate() {
            match iterable.iter(vm) {
                Ok(iterator) => iterators.push(iterator),
                Err(Raised)
                    if vm.exception_matches(types::type_error())
                        && iterable.ob_type().tp_iter.get().is_none() =>
                {
                    vm.clear_exception();
                    return Err(vm.type_error(format!("zip argument #{} must support iteration", at + 1)));
                }
                Err(Raised) => return Err(Raised),
            }
        }
        vm.new_instance(
            cls,
            Zip { ob: Object::new(Self::type_object()), iterators, strict: Cell::new(strict) },
        )
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> Ref<Tuple> {
        let cls = self.as_object().ob_type().as_object().to_ref();
        let args = vm.new_tuple(self.iterators.clone()).into_object();
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
        if self.iterators.is_empty() {
            return Ok(None);
        }
        let items = next_of_all(&self.iterators, self.strict.get(), "zip", vm)?;
        Ok(items.map(|items| vm.new_tuple(items).into_object()))
    }
}
