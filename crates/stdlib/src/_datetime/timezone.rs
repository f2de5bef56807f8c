//! `timezone`: a fixed offset from UTC.

use std::cell::OnceCell;

use taipan_vm::prelude::*;

use super::datetime::DateTime;
use super::datetime_arithmetic::add_delta;
use super::delta::Delta;
use super::tzinfo::{self, TzInfo};

/// The layout of a fixed zone.
#[repr(C)]
pub struct TimeZone {
    ob: Object,
    offset: Ref<Delta>,
    name: Option<Ref<Str>>,
}

#[derive(Default)]
struct Utc(OnceCell<ObjRef>);

/// The one `timezone.utc`. Its offset of zero always fits.
pub fn utc(vm: &Vm) -> ObjRef {
    let made = vm.interp().state::<Utc>().0.get_or_init(|| match Delta::new(0, 0, 0, vm) {
        Ok(offset) => {
            let ob = Object::new(TimeZone::type_object());
            vm.new_object(TimeZone { ob, offset, name: None }).into_object()
        }
        Err(_) => vm.none(),
    });
    made.clone()
}

impl TimeZone {
    /// A zone; `utc` for an offset of zero without a name. Raises `ValueError` for a day and more.
    pub fn make(offset: &Delta, name: Option<&Str>, vm: &Vm) -> PyResult {
        if offset.is_zero() && name.is_none() {
            return Ok(utc(vm));
        }
        if !tzinfo::offset_fits(offset) {
            return Err(tzinfo::offset_error(offset.as_object(), vm));
        }
        let ob = Object::new(Self::type_object());
        let zone = TimeZone { ob, offset: Ref::new_ref(offset), name: name.map(Ref::new_ref) };
        Ok(vm.new_object(zone).into_object())
    }

    /// The offset from UTC.
    pub fn offset(&self) -> Ref<Delta> {
        self.offset.clone()
    }

    /// The given name, or "UTC+05:30".
    pub fn shown_name(&self, vm: &Vm) -> Ref<Str> {
        match &self.name {
            Some(name) => name.clone(),
            None if self.offset.is_zero() => vm.new_str("UTC"),
            None => vm.new_str(&format!("UTC{}", tzinfo::offset_text(Some(&self.offset), ":"))),
        }
    }
}

fn check_dt(dt: &Object, name: &str, vm: &Vm) -> PyResult<()> {
    if vm.is_none(dt) || dt.downcast_ref::<DateTime>().is_some() {
        return Ok(());
    }
    let given = dt.ob_type().tp_name_str();
    Err(vm.type_error(format!("{name}(dt) argument must be a datetime instance or None, not {given}")))
}

/// Fixed offset from UTC implementation of tzinfo.
#[pytype(name = "datetime.timezone", base = TzInfo)]
impl TimeZone {
    #[new("!(offset, name=<unrepresentable>)")]
    fn new(_cls: &Type, offset: &Object, name: Option<&Object>, vm: &Vm) -> PyResult {
        let wrong = |place: usize, kind: &str, given: &Object| {
            let given = if vm.is_none(given) { "None" } else { given.ob_type().tp_name_str() };
            vm.type_error(format!("timezone() argument {place} must be {kind}, not {given}"))
        };
        let offset = offset.downcast_ref::<Delta>().ok_or_else(|| wrong(1, "datetime.timedelta", offset))?;
        let name = match name {
            Some(name) => Some(name.downcast_ref::<Str>().ok_or_else(|| wrong(2, "str", name))?),
            None => None,
        };
        TimeZone::make(offset, name, vm)
    }

    /// If name is specified when timezone is created, returns the name.  Otherwise returns offset as 'UTC(+|-)HH:MM'.
    #[method("($self, object, /)")]
    fn tzname(&self, dt: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
        check_dt(dt, "tzname", vm)?;
        Ok(self.shown_name(vm))
    }

    /// Return fixed offset.
    #[method("($self, object, /)")]
    fn utcoffset(&self, dt: &Object, vm: &Vm) -> PyResult<Ref<Delta>> {
        check_dt(dt, "utcoffset", vm)?;
        Ok(self.offset())
    }

    /// Return None.
    #[method("($self, object, /)")]
    fn dst(&self, dt: &Object, vm: &Vm) -> PyResult<()> {
        check_dt(dt, "dst", vm)
    }

    /// datetime in UTC -> datetime in local time.
    #[method("($self, object, /)")]
    fn fromutc(&self, dt: &Object, vm: &Vm) -> PyResult {
        let dt = tzinfo::own_datetime(self.as_object(), dt, vm)?;
        add_delta(dt, &self.offset, 1, vm)
    }

    /// pickle support
    #[method("($self, /)")]
    fn __getinitargs__(&self, vm: &Vm) -> Ref<Tuple> {
        let offset = self.offset().into_object();
        match &self.name {
            Some(name) => Tuple::pair(offset, name.clone().into_object(), vm),
            None => vm.new_tuple([offset]),
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        if self.as_object().is(&utc(vm)) {
            return Ok("datetime.timezone.utc".to_owned());
        }
        let cls = self.ob.ob_type().tp_name_str();
        let offset = self.offset.as_object().repr(vm)?;
        Ok(match &self.name {
            Some(name) => {
                let name = name.as_object().repr(vm)?;
                format!("{cls}({}, {})", offset.to_string_lossy(), name.to_string_lossy())
            }
            None => format!("{cls}({})", offset.to_string_lossy()),
        })
    }

    #[slot]
    fn tp_str(&self, vm: &Vm) -> Ref<Str> {
        self.shown_name(vm)
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        self.offset.hash(vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        match (other.downcast_ref::<TimeZone>(), op) {
            (Some(other), CompareOp::Eq) => Ok(vm.new_bool(self.offset.same(&other.offset))),
            (Some(other), CompareOp::Ne) => Ok(vm.new_bool(!self.offset.same(&other.offset))),
            _ => Ok(vm.not_implemented()),
        }
    }
}
