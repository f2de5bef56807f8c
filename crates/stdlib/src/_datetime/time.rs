//! `time`, a time of day.

use std::cell::Cell;

use taipan_vm::builtins::str::hash::hash_bytes;
use taipan_vm::prelude::*;

use super::calendar::{int_arg, pickled};
use super::clock::Clock;
use super::date::format_spec;
use super::delta::Delta;
use super::iso_parse;
use super::names::names;
use super::strftime;
use super::tzinfo::{self, zone_arg};

/// The layout of a time of day.
#[repr(C)]
pub struct Time {
    ob: Object,
    hash: Cell<isize>,
    has_zone: u8,
    data: [u8; 6],
    fold: u8,
    zone: Slot<Object>,
}

/// An optional argument that is 0 when absent.
pub fn part(object: Option<&Object>, vm: &Vm) -> PyResult<i32> {
    object.map_or(Ok(0), |object| int_arg(object, vm))
}

/// The zone of a pickled state.
pub fn state_zone(zone: Option<&Object>, vm: &Vm) -> PyResult<Option<ObjRef>> {
    zone_arg(zone, vm).map_err(|_| {
        vm.clear_exception();
        vm.type_error("bad tzinfo state arg")
    })
}

/// Whether two optional offsets are one.
pub fn same_offset(a: Option<&Delta>, b: Option<&Delta>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => a.same(b),
        (None, None) => true,
        _ => false,
    }
}

impl Time {
    /// A time of exactly this class, from checked fields.
    pub fn make(cls: &Type, clock: Clock, zone: Option<ObjRef>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            Time {
                ob: Object::new(Self::type_object()),
                hash: Cell::new(-1),
                has_zone: u8::from(zone.is_some()),
                data: clock.bytes(),
                fold: clock.fold as u8,
                zone: Slot::new(zone),
            },
        )
    }

    fn build(cls: &Type, clock: Clock, zone: Option<ObjRef>, vm: &Vm) -> PyResult {
        if std::ptr::eq(cls, Self::type_object()) {
            return Time::make(cls, clock.check(vm)?, zone, vm);
        }
        let [hour, minute] = [vm.new_int(clock.hour), vm.new_int(clock.minute)];
        let [second, micro] = [vm.new_int(clock.second), vm.new_int(clock.micro)];
        let zone = zone.unwrap_or_else(|| vm.none());
        if clock.fold == 0 {
            return cls.as_object().call(&[&hour, &minute, &second, &micro, &zone], vm);
        }
        let fold = vm.new_int(clock.fold);
        let names = vm.new_tuple([vm.intern("fold").into_object()]);
        cls.as_object().call_kw(&[&hour, &minute, &second, &micro, &zone, &fold], Some(&names), vm)
    }

    /// The time of day.
    pub fn clock(&self) -> Clock {
        Clock::from_bytes(self.data, self.fold)
    }

    /// `tzinfo`; `None` for naive ones.
    pub fn zone(&self) -> Option<ObjRef> {
        self.zone.get()
    }

    fn offset(&self, vm: &Vm) -> PyResult<Option<Ref<Delta>>> {
        tzinfo::utcoffset(self.zone().as_deref(), vm.none_ref(), vm)
    }

    fn state(&self, keep_fold: bool, vm: &Vm) -> Ref<Tuple> {
        let mut data = self.data;
        if keep_fold && self.fold != 0 {
            data[0] |= 128;
        }
        let bytes = vm.new_bytes(&data).into_object();
        match self.zone() {
            Some(zone) => Tuple::pair(bytes, zone, vm),
            None => vm.new_tuple([bytes]),
        }
    }

    fn reduced(&self, protocol: i32, vm: &Vm) -> Ref<Tuple> {
        let cls = self.ob.ob_type().as_object().to_ref();
        Tuple::pair(cls, self.state(protocol > 3, vm).into_object(), vm)
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of a time")]
    fn replaced(
        &self,
        hour: Option<i32>,
        minute: Option<i32>,
        second: Option<i32>,
        micro: Option<i32>,
        zone: Option<&Object>,
        fold: Option<i32>,
        vm: &Vm,
    ) -> PyResult {
        let old = self.clock();
        let zone = match zone {
            Some(zone) => zone_arg(Some(zone), vm)?,
            None => self.zone(),
        };
        let clock = Clock {
            hour: hour.unwrap_or(old.hour),
            minute: minute.unwrap_or(old.minute),
            second: second.unwrap_or(old.second),
            micro: micro.unwrap_or(old.micro),
            fold: fold.unwrap_or(old.fold),
        };
        Time::build(self.ob.ob_type(), clock, zone, vm)
    }
}

/// time([hour[, minute[, second[, microsecond[, tzinfo]]]]]) --> a time object
///
/// All arguments are optional. tzinfo may be None, or an instance of
/// a tzinfo subclass. The remaining arguments may be ints.
#[pytype(name = "datetime.time", flags(BASETYPE))]
#[allow(clippy::indexing_slicing, reason = "arrays of a fixed length, indexed by constants")]
impl Time {
    #[new("!(hour=0, minute=0, second=0, microsecond=0, tzinfo=None, *, fold=0)")]
    #[allow(clippy::too_many_arguments, reason = "the fields of a time")]
    fn new(
        cls: &Type,
        hour: Option<&Object>,
        minute: Option<&Object>,
        second: Option<&Object>,
        micro: Option<&Object>,
        zone: Option<&Object>,
        fold: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        if let (Some(state), None, None, None) = (hour, second, micro, fold) {
            let valid = |state: &[u8; 6]| state[0] & 127 < 24;
            // The zone comes second, or by its name.
            if minute.is_none() || zone.is_none() {
                if let Some(mut state) = pickled(state, "time", valid, vm)? {
                    let zone = state_zone(minute.or(zone), vm)?;
                    let fold = state[0] >> 7;
                    state[0] &= 127;
                    return Time::make(cls, Clock::from_bytes(state, fold), zone, vm);
                }
            }
        }
        let (hour, minute) = (part(hour, vm)?, part(minute, vm)?);
        let (second, micro, fold) = (part(second, vm)?, part(micro, vm)?, part(fold, vm)?);
        let clock = Clock { hour, minute, second, micro, fold }.check(vm)?;
        Time::make(cls, clock, zone_arg(zone, vm)?, vm)
    }

    /// string, format -> new time parsed from a string (like time.strptime()).
    #[classmethod("!($type, string, format, /)")]
    fn strptime(cls: &Type, string: &Str, format: &Str, vm: &Vm) -> PyResult {
        strftime::parsed_by("_strptime_datetime_time", cls, string, format, vm)
    }

    /// Return string in ISO 8601 format, [HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].
    ///
    /// The optional argument timespec specifies the number of additional terms
    /// of the time to include. Valid options are 'auto', 'hours', 'minutes',
    /// 'seconds', 'milliseconds' and 'microseconds'.
    #[method("!($self, /, timespec='auto')")]
    fn isoformat(&self, timespec: Option<&Str>, vm: &Vm) -> PyResult<String> {
        let timespec = timespec.map(|timespec| timespec.to_string_lossy());
        let text = self.clock().iso_text(timespec.as_deref(), vm)?;
        Ok(text + &tzinfo::offset_text(self.offset(vm)?.as_deref(), ":"))
    }

    /// format -> strftime() style string.
    #[method("!($self, /, format)")]
    fn strftime(&self, format: &Str, vm: &Vm) -> PyResult {
        let Clock { hour, minute, second, .. } = self.clock();
        let fields: Vec<ObjRef> = [1900, 1, 1, hour, minute, second, 0, 1, -1]
            .into_iter()
            .map(|field: i32| vm.new_int(field))
            .collect();
        let tuple = vm.new_tuple(fields);
        strftime::wrap_strftime(self.as_object(), format, tuple.as_object(), vm.none_ref(), vm)
    }

    /// Formats self with strftime.
    #[method("!($self, format, /)")]
    fn __format__(zelf: &Object, format: &Object, vm: &Vm) -> PyResult {
        format_spec(zelf, format, vm)
    }

    /// Return self.tzinfo.utcoffset(self).
    #[method("($self, /)")]
    fn utcoffset(&self, vm: &Vm) -> PyResult<Option<Ref<Delta>>> {
        self.offset(vm)
    }

    /// Return self.tzinfo.tzname(self).
    #[method("($self, /)")]
    fn tzname(&self, vm: &Vm) -> PyResult {
        tzinfo::tzname(self.zone().as_deref(), vm.none_ref(), vm)
    }

    /// Return self.tzinfo.dst(self).
    #[method("($self, /)")]
    fn dst(&self, vm: &Vm) -> PyResult<Option<Ref<Delta>>> {
        tzinfo::dst(self.zone().as_deref(), vm.none_ref(), vm)
    }

    /// Return time with new specified fields.
    #[method(
        "($self, /, hour=unchanged, minute=unchanged, second=unchanged, microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)"
    )]
    #[allow(clippy::too_many_arguments, reason = "the fields of a time")]
    fn replace(
        &self,
        hour: Option<i32>,
        minute: Option<i32>,
        second: Option<i32>,
        microsecond: Option<i32>,
        tzinfo: Option<&Object>,
        fold: Option<i32>,
        vm: &Vm,
    ) -> PyResult {
        self.replaced(hour, minute, second, microsecond, tzinfo, fold, vm)
    }

    /// The same as replace().
    #[method(
        "($self, /, hour=unchanged, minute=unchanged, second=unchanged, microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)",
        name = "__replace__",
        shown = "($self, /, **changes)"
    )]
    #[allow(clippy::too_many_arguments, reason = "the fields of a time")]
    fn replace_copy(
        &self,
        hour: Option<i32>,
        minute: Option<i32>,
        second: Option<i32>,
        microsecond: Option<i32>,
        tzinfo: Option<&Object>,
        fold: Option<i32>,
        vm: &Vm,
    ) -> PyResult {
        self.replaced(hour, minute, second, microsecond, tzinfo, fold, vm)
    }

    /// string -> time from a string in ISO 8601 format
    #[classmethod("($type, object, /)")]
    fn fromisoformat(cls: &Type, text: &Object, vm: &Vm) -> PyResult {
        let text = iso_parse::text_arg(text, vm)?;
        let bytes = iso_parse::to_bytes(text);
        let bare = bytes.strip_prefix(b"T").unwrap_or(&bytes);
        match iso_parse::parse_time(bare, vm)? {
            Some(parsed) => Time::build(cls, parsed.clock, parsed.zone, vm),
            None => Err(iso_parse::invalid(text, vm)),
        }
    }

    /// __reduce_ex__(proto) -> (cls, state)
    #[method("!($self, protocol, /)")]
    fn __reduce_ex__(&self, protocol: i32, vm: &Vm) -> Ref<Tuple> {
        self.reduced(protocol, vm)
    }

    /// __reduce__() -> (cls, state)
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> Ref<Tuple> {
        self.reduced(2, vm)
    }

    #[getter]
    fn hour(&self) -> u8 {
        self.data[0]
    }

    #[getter]
    fn minute(&self) -> u8 {
        self.data[1]
    }

    #[getter]
    fn second(&self) -> u8 {
        self.data[2]
    }

    #[getter]
    fn microsecond(&self) -> i32 {
        self.clock().micro
    }

    #[getter]
    fn tzinfo(&self) -> Option<ObjRef> {
        self.zone()
    }

    #[getter]
    fn fold(&self) -> u8 {
        self.fold
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let Clock { hour, minute, second, micro, fold } = self.clock();
        let mut text = format!("{}({hour}, {minute}", self.ob.ob_type().tp_name_str());
        if second != 0 || micro != 0 {
            text += &format!(", {second}");
        }
        if micro != 0 {
            text += &format!(", {micro}");
        }
        if let Some(zone) = self.zone() {
            text += &format!(", tzinfo={}", zone.repr(vm)?.to_string_lossy());
        }
        if fold != 0 {
            text += ", fold=1";
        }
        Ok(text + ")")
    }

    #[slot]
    fn tp_str(zelf: &Object, vm: &Vm) -> PyResult {
        zelf.call_method(&names(vm).isoformat, &[], vm)
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        if self.hash.get() != -1 {
            return Ok(self.hash.get());
        }
        // Both moments of a fold have one hash.
        let offset = if self.fold != 0 && self.has_zone != 0 {
            let twin = Time::make(Self::type_object(), Clock { fold: 0, ..self.clock() }, self.zone(), vm)?;
            twin.downcast_ref::<Time>().map_or(Ok(None), |twin| twin.offset(vm))?
        } else {
            self.offset(vm)?
        };
        let hash = match offset {
            None => hash_bytes(&self.data, vm),
            Some(offset) => {
                let clock = self.clock();
                Delta::new(0, clock.seconds(), i64::from(clock.micro), vm)?.minus(&offset, vm)?.hash(vm)?
            }
        };
        self.hash.set(hash);
        Ok(hash)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_ref::<Time>() else { return Ok(vm.not_implemented()) };
        if self.zone.as_raw() == other.zone.as_raw() {
            return Ok(vm.new_bool(op.test(self.data.cmp(&other.data))));
        }
        let (mine, its) = (self.offset(vm)?, other.offset(vm)?);
        if same_offset(mine.as_deref(), its.as_deref()) {
            return Ok(vm.new_bool(op.test(self.data.cmp(&other.data))));
        }
        match (mine, its) {
            (Some(mine), Some(its)) => {
                let (a, b) = (self.clock(), other.clock());
                let order = (a.seconds() - mine.whole_seconds(), a.micro)
                    .cmp(&(b.seconds() - its.whole_seconds(), b.micro));
                Ok(vm.new_bool(op.test(order)))
            }
            _ => match op {
                CompareOp::Eq => Ok(vm.new_bool(false)),
                CompareOp::Ne => Ok(vm.new_bool(true)),
                _ => Err(vm.type_error("can't compare offset-naive and offset-aware times")),
            },
        }
    }
}
