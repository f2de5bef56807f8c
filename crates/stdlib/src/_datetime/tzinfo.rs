//! `tzinfo`, the base of time zones, and what is asked of them.

use taipan_vm::prelude::*;

use super::datetime::DateTime;
use super::datetime_arithmetic::add_delta;
use super::delta::Delta;
use super::names::names;
use super::timezone::TimeZone;

/// The layout of a time zone: nothing.
#[repr(C)]
pub struct TzInfo {
    ob: Object,
}

/// A `tzinfo` argument: None or a time zone.
pub fn zone_arg(object: Option<&Object>, vm: &Vm) -> PyResult<Option<ObjRef>> {
    match object {
        Some(object) if object.downcast_ref::<TzInfo>().is_some() => Ok(Some(object.to_ref())),
        Some(object) if !vm.is_none(object) => {
            let given = object.ob_type().tp_name_str();
            Err(vm.type_error(format!(
                "tzinfo argument must be None or of a tzinfo subclass, not type '{given}'"
            )))
        }
        _ => Ok(None),
    }
}

#[cold]
pub fn offset_error(offset: &Object, vm: &Vm) -> Raised {
    match offset.repr(vm) {
        Ok(shown) => vm.value_error(format!(
            "offset must be a timedelta strictly between -timedelta(hours=24) and timedelta(hours=24), not {}",
            shown.to_string_lossy()
        )),
        Err(raised) => raised,
    }
}

/// Whether an offset is shorter than a day.
pub fn offset_fits(offset: &Delta) -> bool {
    offset.days == 0 || (offset.days == -1 && (offset.seconds > 0 || offset.micros > 0))
}

fn offset_of(zone: &Object, name: &Str, arg: &Object, vm: &Vm) -> PyResult<Option<Ref<Delta>>> {
    let found = zone.call_method(name, &[arg], vm)?;
    if vm.is_none(&found) {
        return Ok(None);
    }
    match found.downcast::<Delta>() {
        Ok(offset) if offset_fits(&offset) => Ok(Some(offset)),
        Ok(offset) => Err(offset_error(offset.as_object(), vm)),
        Err(other) => Err(vm.type_error(format!(
            "tzinfo.{}() must return None or timedelta, not '{}'",
            name.to_string_lossy(),
            other.ob_type().tp_name_str()
        ))),
    }
}

/// The offset from UTC; `arg` is the datetime, or None for a time.
pub fn utcoffset(zone: Option<&Object>, arg: &Object, vm: &Vm) -> PyResult<Option<Ref<Delta>>> {
    let Some(zone) = zone else { return Ok(None) };
    match zone.downcast_exact::<TimeZone>() {
        Some(fixed) => Ok(Some(fixed.offset())),
        None => offset_of(zone, &names(vm).utcoffset, arg, vm),
    }
}

/// The daylight saving part of the offset.
pub fn dst(zone: Option<&Object>, arg: &Object, vm: &Vm) -> PyResult<Option<Ref<Delta>>> {
    match zone {
        Some(zone) if zone.downcast_exact::<TimeZone>().is_none() => offset_of(zone, &names(vm).dst, arg, vm),
        _ => Ok(None),
    }
}

/// The zone's name, or None.
pub fn tzname(zone: Option<&Object>, arg: &Object, vm: &Vm) -> PyResult {
    let Some(zone) = zone else { return Ok(vm.none()) };
    let name = match zone.downcast_exact::<TimeZone>() {
        Some(fixed) => fixed.shown_name(vm).into_object(),
        None => zone.call_method(&names(vm).tzname, &[arg], vm)?,
    };
    if !vm.is_none(&name) && name.downcast_ref::<Str>().is_none() {
        let given = name.ob_type().tp_name_str();
        return Err(vm.type_error(format!("tzinfo.tzname() must return None or a string, not '{given}'")));
    }
    Ok(name)
}

/// "+05:30" with the given separator; empty for no offset.
pub fn offset_text(offset: Option<&Delta>, separator: &str) -> String {
    let Some(offset) = offset else { return String::new() };
    let total = offset.total();
    let (sign, total) = (if total < 0 { '-' } else { '+' }, total.unsigned_abs());
    let (seconds, micros) = (total / 1_000_000, total % 1_000_000);
    let (hours, minutes, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let mut text = format!("{sign}{hours:02}{separator}{minutes:02}");
    if second != 0 || micros != 0 {
        text += &format!("{separator}{second:02}");
    }
    if micros != 0 {
        text += &format!(".{micros:06}");
    }
    text
}

/// The datetime that `fromutc` gets: one of this zone.
pub fn own_datetime<'a>(zone: &Object, dt: &'a Object, vm: &Vm) -> PyResult<&'a DateTime> {
    let Some(dt) = dt.downcast_ref::<DateTime>() else {
        return Err(vm.type_error("fromutc: argument must be a datetime"));
    };
    match dt.zone() {
        Some(own) if own.is(zone) => Ok(dt),
        _ => Err(vm.value_error("fromutc: dt.tzinfo is not self")),
    }
}

#[cold]
fn abstract_method(name: &str, vm: &Vm) -> Raised {
    vm.not_implemented_error(format!("a tzinfo subclass must implement {name}()"))
}

/// Abstract base class for time zone info objects.
#[pytype(name = "datetime.tzinfo", flags(BASETYPE))]
impl TzInfo {
    #[new("(*args, **kwargs)")]
    fn new(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, TzInfo { ob: Object::new(Self::type_object()) })
    }

    /// datetime -> string name of time zone.
    #[method("($self, object, /)")]
    fn tzname(&self, _dt: &Object, vm: &Vm) -> PyResult {
        Err(abstract_method("tzname", vm))
    }

    /// datetime -> timedelta showing offset from UTC, negative values indicating West of UTC
    #[method("($self, object, /)")]
    fn utcoffset(&self, _dt: &Object, vm: &Vm) -> PyResult {
        Err(abstract_method("utcoffset", vm))
    }

    /// datetime -> DST offset as timedelta positive east of UTC.
    #[method("($self, object, /)")]
    fn dst(&self, _dt: &Object, vm: &Vm) -> PyResult {
        Err(abstract_method("dst", vm))
    }

    /// datetime in UTC -> datetime in local time.
    #[method("($self, object, /)")]
    fn fromutc(&self, dt: &Object, vm: &Vm) -> PyResult {
        let dt = own_datetime(self.as_object(), dt, vm)?;
        let Some(offset) = dt.offset(vm)? else {
            return Err(vm.value_error("fromutc: non-None utcoffset() result required"));
        };
        let Some(saving) = dst(dt.zone().as_deref(), dt.as_object(), vm)? else {
            return Err(vm.value_error("fromutc: non-None dst() result required"));
        };
        let standard = offset.minus(&saving, vm)?;
        let local = add_delta(dt, &standard, 1, vm)?;
        let Some(saving) = dst(dt.zone().as_deref(), &local, vm)? else {
            return Err(vm.value_error("fromutc: tz.dst() gave inconsistent results; cannot convert"));
        };
        match local.downcast_ref::<DateTime>() {
            Some(local) if !saving.is_zero() => add_delta(local, &saving, 1, vm),
            _ => Ok(local),
        }
    }

    /// -> (cls, state)
    #[method("($self, /)")]
    fn __reduce__(zelf: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let args = match zelf.lookup_attr(&names(vm).getinitargs, vm)? {
            Some(getinitargs) => getinitargs.call_no_args(vm)?,
            None => Tuple::empty(vm).into_object(),
        };
        let state = zelf.call_method(vm.ids().__getstate__, &[], vm)?;
        Ok(vm.new_tuple([zelf.ob_type().as_object().to_ref(), args, state]))
    }
}
