//! `IsoCalendarDate`: what `date.isocalendar()` returns.

use taipan_vm::prelude::*;

/// The layout: a tuple of three.
#[repr(C)]
pub struct IsoCalendarDate {
    tuple: Tuple,
}

/// The named tuple of a year, a week and a weekday.
pub fn make(parts: (i32, i32, i32), vm: &Vm) -> PyResult {
    let items = [vm.new_int(parts.0), vm.new_int(parts.1), vm.new_int(parts.2)];
    Tuple::of_type(IsoCalendarDate::type_object(), &items, vm)
}

fn item(zelf: &Object, at: usize, vm: &Vm) -> ObjRef {
    let tuple = zelf.downcast_ref::<Tuple>();
    tuple.and_then(|tuple| tuple.as_slice().get(at).cloned()).unwrap_or_else(|| vm.none())
}

/// The result of date.isocalendar() or datetime.isocalendar()
///
/// This object may be accessed either as a tuple of
///   ((year, week, weekday)
/// or via the object attributes as named in the above tuple.
#[pytype(
    name = "datetime.IsoCalendarDate",
    base = Tuple,
    basicsize = 32,
    flags(HAVE_GC),
    no_layout,
    static = ISO_CALENDAR_DATE
)]
impl IsoCalendarDate {
    #[new("(year, week, weekday)")]
    fn new(cls: &Type, year: &Object, week: &Object, weekday: &Object, vm: &Vm) -> PyResult {
        Tuple::of_type(cls, &[year.to_ref(), week.to_ref(), weekday.to_ref()], vm)
    }

    #[getter]
    fn year(zelf: &Object, vm: &Vm) -> ObjRef {
        item(zelf, 0, vm)
    }

    #[getter]
    fn week(zelf: &Object, vm: &Vm) -> ObjRef {
        item(zelf, 1, vm)
    }

    #[getter]
    fn weekday(zelf: &Object, vm: &Vm) -> ObjRef {
        item(zelf, 2, vm)
    }

    /// __reduce__() -> (cls, state)
    #[method("($self, /)")]
    fn __reduce__(zelf: &Object, vm: &Vm) -> Ref<Tuple> {
        let items = vm.new_tuple([item(zelf, 0, vm), item(zelf, 1, vm), item(zelf, 2, vm)]);
        let args = vm.new_tuple([items.into_object()]);
        Tuple::pair(Tuple::type_object().as_object().to_ref(), args.into_object(), vm)
    }

    #[slot]
    fn tp_repr(zelf: &Object, vm: &Vm) -> PyResult<String> {
        Ok(format!(
            "{}(year={}, week={}, weekday={})",
            zelf.ob_type().tp_name_str(),
            item(zelf, 0, vm).str(vm)?.to_string_lossy(),
            item(zelf, 1, vm).str(vm)?.to_string_lossy(),
            item(zelf, 2, vm).str(vm)?.to_string_lossy()
        ))
    }
}
