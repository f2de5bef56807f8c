//! `enumerate`.

use std::cell::Cell;

use crate::prelude::*;

/// The layout of `enumerate`.
#[repr(C)]
#[derive(Traverse)]
pub struct Enumerate {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    index: Cell<i64>,
    iterator: ObjRef,
    /// The count once it is beyond the machine's numbers.
    large: Slot<Object>,
}

/// Return an enumerate object.
///
///   iterable
///     an object supporting iteration
///
/// The enumerate object yields pairs containing a count (from start, which
/// defaults to zero) and a value yielded by the iterable argument.
///
/// enumerate is useful for obtaining an indexed list:
///     (0, seq[0]), (1, seq[1]), (2, seq[2]), ...
#[pytype(name = "enumerate", symbol = "PyEnum_Type", flags(BASETYPE), gc)]
impl Enumerate {
    #[new("(iterable, start=0)")]
    fn new(cls: &Type, iterable: &Object, start: Option<&Object>, vm: &Vm) -> PyResult {
        let start = start.map(|s| s.as_index(vm)).transpose()?;
        let (index, large) = match start {
            None => (0, None),
            Some(start) => match start.to_i64() {
                Some(index) if index < i64::MAX => (index, None),
                _ => (i64::MAX, Some(start.into_object())),
            },
        };
        let iterator = iterable.iter(vm)?;
        vm.new_instance(
            cls,
            Enumerate {
                ob: Object::new(Self::type_object()),
                index: Cell::new(index),
                iterator,
                large: Slot::new(large),
            },
        )
    }

    /// Return state information for pickling.
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> Ref<Tuple> {
        let count = self.large.get().unwrap_or_else(|| vm.new_int(self.index.get()));
        let args = vm.new_tuple([self.iterator.clone(), count]);
        vm.new_tuple([self.as_object().ob_type().as_object().to_ref(), args.into_object()])
    }

    /// See PEP 585
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, item: &Object, vm: &Vm) -> ObjRef {
        crate::builtins::generic_alias::GenericAlias::new(cls.as_object(), item, vm)
    }

    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let Some(item) = self.iterator.iter_next(vm)? else { return Ok(None) };
        let index = self.index.get();
        let count = if index < i64::MAX {
            self.index.set(index + 1);
            vm.new_int(index)
        } else {
            let count = self.large.get().unwrap_or_else(|| vm.new_int(index));
            self.large.put(crate::protocols::number::add(&count, &vm.new_int(1), vm)?);
            count
        };
        Ok(Some(vm.new_tuple([count, item]).into_object()))
    }
}
