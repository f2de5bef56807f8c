//! `datetime`.

use std::cell::Cell;

use taipan_vm::builtins::str::hash::hash_bytes;
use taipan_vm::builtins::warn::deprecation;
use taipan_vm::prelude::*;

use super::calendar::{Day, needed, pickled};
use super::clock::Clock;
use super::date::{Date, bytes_day, ctime_text, day_bytes};
use super::datetime_arithmetic::{add_delta, compare, difference, shifted};
use super::datetime_local::{self, EPOCH, Zone};
use super::delta::Delta;
use super::iso_parse;
use super::names::names;
use super::strftime;
use super::time::{Time, part, state_zone};
use super::timezone;
use super::tzinfo::{self, zone_arg};

/// The layout of a datetime. It starts as a date does.
#[repr(C)]
pub struct DateTime {
    ob: Object,
    hash: Cell<isize>,
    has_zone: u8,
    data: [u8; 10],
    fold: u8,
    zone: Slot<Object>,
}

const _: () = assert!(size_of::<DateTime>() == 48);

impl DateTime {
    /// A datetime of exactly this class, from checked fields.
    pub fn make(cls: &Type, day: Day, clock: Clock, zone: Option<ObjRef>, vm: &Vm) -> PyResult {
        let mut data = [0; 10];
        let bytes = day_bytes(day).into_iter().chain(clock.bytes());
        data.iter_mut().zip(bytes).for_each(|(place, byte)| *place = byte);
        vm.new_instance(
            cls,
            DateTime {
                ob: Object::new(Self::type_object()),
                hash: Cell::new(-1),
                has_zone: u8::from(zone.is_some()),
                data,
                fold: clock.fold as u8,
                zone: Slot::new(zone),
            },
        )
    }

    /// What a class method or an operator returns: subclasses are called.
    pub fn build(cls: &Type, day: Day, clock: Clock, zone: Option<ObjRef>, vm: &Vm) -> PyResult {
        if std::ptr::eq(cls, Self::type_object()) {
            return DateTime::make(cls, day.check(vm)?, clock.check(vm)?, zone, vm);
        }
        let [year, month, day] = [day.year, day.month, day.day].map(|part| vm.new_int(part));
        let [hour, minute, second, micro] =
            [clock.hour, clock.minute, clock.second, clock.micro].map(|part| vm.new_int(part));
        let zone = zone.unwrap_or_else(|| vm.none());
        let cls = cls.as_object();
        if clock.fold == 0 {
            return cls.call(&[&year, &month, &day, &hour, &minute, &second, &micro, &zone], vm);
        }
        let fold = vm.new_int(clock.fold);
        let names = vm.new_tuple([vm.intern("fold").into_object()]);
        let args: [&Object; 9] = [&year, &month, &day, &hour, &minute, &second, &micro, &zone, &fold];
        cls.call_kw(&args, Some(&names), vm)
    }

    fn date_bytes(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = self.data;
        [a, b, c, d]
    }

    /// The packed fields, as in pickles.
    pub fn bytes(&self) -> &[u8; 10] {
        &self.data
    }

    /// The day.
    pub fn day(&self) -> Day {
        bytes_day(self.date_bytes())
    }

    /// The time of day.
    pub fn clock(&self) -> Clock {
        let [_, _, _, _, hour, minute, second, high, middle, low] = self.data;
        Clock::from_bytes([hour, minute, second, high, middle, low], self.fold)
    }

    /// `tzinfo`; `None` for naive ones.
    pub fn zone(&self) -> Option<ObjRef> {
        self.zone.get()
    }

    /// Whether both have the same `tzinfo` object, or none.
    pub fn same_zone(&self, other: &DateTime) -> bool {
        self.zone.as_raw() == other.zone.as_raw()
    }

    /// `utcoffset()`.
    pub fn offset(&self, vm: &Vm) -> PyResult<Option<Ref<Delta>>> {
        tzinfo::utcoffset(self.zone().as_deref(), self.as_object(), vm)
    }

    fn saving(&self, vm: &Vm) -> PyResult<Option<Ref<Delta>>> {
        tzinfo::dst(self.zone().as_deref(), self.as_object(), vm)
    }

    fn cls(&self) -> &Type {
        self.ob.ob_type()
    }

    fn from_seconds(
        cls: &Type,
        (seconds, micro): (i64, i32),
        clock_zone: Zone,
        zone: Option<ObjRef>,
        vm: &Vm,
    ) -> PyResult {
        let (day, clock) = datetime_local::broken_down(seconds, clock_zone, vm)?;
        let mut clock = Clock { micro, ..clock };
        if zone.is_none() && clock_zone == Zone::Local {
            day.check(vm)?;
            clock.fold = datetime_local::fold_at(seconds, day, clock, vm)?;
        }
        DateTime::build(cls, day, clock, zone, vm)
    }

    /// The moment in a zone, or in local time without one.
    fn at(cls: &Type, moment: (i64, i32), zone: Option<ObjRef>, vm: &Vm) -> PyResult {
        let Some(zone) = zone else { return DateTime::from_seconds(cls, moment, Zone::Local, None, vm) };
        let utc = DateTime::from_seconds(cls, moment, Zone::Utc, Some(zone.clone()), vm)?;
        zone.call_method(&names(vm).fromutc, &[&utc], vm)
    }

    fn state(&self, keep_fold: bool, vm: &Vm) -> Ref<Tuple> {
        let [high, low, month, rest @ ..] = self.data;
        let flag = if keep_fold && self.fold != 0 { 128 } else { 0 };
        let mut data = vec![high, low, month | flag];
        data.extend(rest);
        let bytes = vm.new_bytes(&data).into_object();
        match self.zone() {
            Some(zone) => Tuple::pair(bytes, zone, vm),
            None => vm.new_tuple([bytes]),
        }
    }

    fn reduced(&self, protocol: i32, vm: &Vm) -> Ref<Tuple> {
        let cls = self.cls().as_object().to_ref();
        Tuple::pair(cls, self.state(protocol > 3, vm).into_object(), vm)
    }

    fn struct_time(day: Day, clock: Clock, dst: i32, vm: &Vm) -> PyResult {
        let date = (day.year, day.month, day.day, day.weekday(), day.day_of_year());
        strftime::struct_time(date, [clock.hour, clock.minute, clock.second], dst, vm)
    }

    /// The fixed zone of the local clock when it shows this.
    fn local_zone(&self, vm: &Vm) -> PyResult {
        let clock = self.clock();
        let mut moment = datetime_local::from_local(self.day(), clock, vm)?;
        let other = datetime_local::from_local(self.day(), Clock { fold: 1 - clock.fold, ..clock }, vm)?;
        // In a gap, the earlier of the two moments has the offset from before it, and belongs to fold 0.
        if other != moment && (other > moment) == (clock.fold == 1) {
            moment = other;
        }
        datetime_local::local_zone(moment - EPOCH, vm)
    }

    #[allow(clippy::too_many_arguments, reason = "the fields of a datetime")]
    fn replaced(
        &self,
        date: [Option<i32>; 3],
        time: [Option<i32>; 4],
        zone: Option<&Object>,
        fold: Option<i32>,
        vm: &Vm,
    ) -> PyResult {
        let (old_day, old) = (self.day(), self.clock());
        let ([year, month, day], [hour, minute, second, micro]) = (date, time);
        let zone = match zone {
            Some(zone) => zone_arg(Some(zone), vm)?,
            None => self.zone(),
        };
        let day = Day::new(
            year.unwrap_or(old_day.year),
            month.unwrap_or(old_day.month),
            day.unwrap_or(old_day.day),
        );
        let clock = Clock {
            hour: hour.unwrap_or(old.hour),
            minute: minute.unwrap_or(old.minute),
            second: second.unwrap_or(old.second),
            micro: micro.unwrap_or(old.micro),
            fold: fold.unwrap_or(old.fold),
        };
        DateTime::build(self.cls(), day, clock, zone, vm)
    }
}

/// datetime(year, month, day[, hour[, minute[, second[, microsecond[,tzinfo]]]]])
///
/// The year, month and day arguments are required. tzinfo may be None, or an
/// instance of a tzinfo subclass. The remaining arguments may be ints.
#[pytype(name = "datetime.datetime", base = Date, flags(BASETYPE))]
impl DateTime {
    #[new(
        "!(year=<unrepresentable>, month=<unrepresentable>, day=<unrepresentable>, hour=0, minute=0, second=0, microsecond=0, tzinfo=None, *, fold=0)"
    )]
    #[allow(clippy::too_many_arguments, reason = "the fields of a datetime")]
    fn new(
        cls: &Type,
        year: Option<&Object>,
        month: Option<&Object>,
        day: Option<&Object>,
        hour: Option<&Object>,
        minute: Option<&Object>,
        second: Option<&Object>,
        micro: Option<&Object>,
        zone: Option<&Object>,
        fold: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        if let (Some(state), None, None, None) = (year, day, hour, fold) {
            if month.is_none() || zone.is_none() {
                let valid = |[_, _, month, ..]: &[u8; 10]| (1..=12).contains(&(month & 127));
                if let Some([high, low, month_fold, day, rest @ ..]) = pickled(state, "datetime", valid, vm)?
                {
                    let zone = state_zone(month.or(zone), vm)?;
                    let date = bytes_day([high, low, month_fold & 127, day]);
                    return DateTime::make(cls, date, Clock::from_bytes(rest, month_fold >> 7), zone, vm);
                }
            }
        }
        let year = needed(year, "year", 1, vm)?;
        let month = needed(month, "month", 2, vm)?;
        let day = needed(day, "day", 3, vm)?;
        let (hour, minute) = (part(hour, vm)?, part(minute, vm)?);
        let (second, micro, fold) = (part(second, vm)?, part(micro, vm)?, part(fold, vm)?);
        let day = Day::new(year, month, day).check(vm)?;
        let clock = Clock { hour, minute, second, micro, fold }.check(vm)?;
        DateTime::make(cls, day, clock, zone_arg(zone, vm)?, vm)
    }

    /// Returns new datetime object representing current time local to tz.
    ///
    ///   tz
    ///     Timezone object.
    ///
    /// If no tz is specified, uses local timezone.
    #[classmethod("($type, /, tz=None)")]
    fn now(cls: &Type, tz: Option<&Object>, vm: &Vm) -> PyResult {
        let zone = zone_arg(tz, vm)?;
        DateTime::at(cls, datetime_local::now(vm)?, zone, vm)
    }

    /// Return a new datetime representing UTC day and time.
    #[classmethod("($type, /)")]
    fn utcnow(cls: &Type, vm: &Vm) -> PyResult {
        deprecation(
            "datetime.datetime.utcnow() is deprecated and scheduled for removal in a future version. Use timezone-aware objects to represent datetimes in UTC: datetime.datetime.now(datetime.UTC).",
            vm,
        )?;
        DateTime::from_seconds(cls, datetime_local::now(vm)?, Zone::Utc, None, vm)
    }

    /// timestamp[, tz] -> tz's local time from POSIX timestamp.
    #[classmethod("!($type, /, timestamp, tz=None)")]
    fn fromtimestamp(cls: &Type, timestamp: &Object, tz: Option<&Object>, vm: &Vm) -> PyResult {
        let zone = zone_arg(tz, vm)?;
        DateTime::at(cls, datetime_local::exact_timestamp(timestamp, vm)?, zone, vm)
    }

    /// Construct a naive UTC datetime from a POSIX timestamp.
    #[classmethod("!($type, timestamp, /)")]
    fn utcfromtimestamp(cls: &Type, timestamp: &Object, vm: &Vm) -> PyResult {
        deprecation(
            "datetime.datetime.utcfromtimestamp() is deprecated and scheduled for removal in a future version. Use timezone-aware objects to represent datetimes in UTC: datetime.datetime.fromtimestamp(timestamp, datetime.UTC).",
            vm,
        )?;
        let moment = datetime_local::exact_timestamp(timestamp, vm)?;
        DateTime::from_seconds(cls, moment, Zone::Utc, None, vm)
    }

    /// string, format -> new datetime parsed from a string (like time.strptime()).
    #[classmethod("!($type, string, format, /)")]
    fn strptime(cls: &Type, string: &Str, format: &Str, vm: &Vm) -> PyResult {
        strftime::parsed_by("_strptime_datetime_datetime", cls, string, format, vm)
    }

    /// date, time -> datetime with same date and time fields
    #[classmethod("!($type, /, date, time, tzinfo=unchanged)")]
    fn combine(cls: &Type, date: &Object, time: &Object, tzinfo: Option<&Object>, vm: &Vm) -> PyResult {
        let wrong = |place: usize, kind: &str, given: &Object| {
            let given = given.ob_type().tp_name_str();
            vm.type_error(format!("combine() argument {place} must be datetime.{kind}, not {given}"))
        };
        let date = date.downcast_ref::<Date>().ok_or_else(|| wrong(1, "date", date))?;
        let time = time.downcast_ref::<Time>().ok_or_else(|| wrong(2, "time", time))?;
        let zone = match tzinfo {
            Some(zone) => zone_arg(Some(zone), vm)?,
            None => time.zone(),
        };
        DateTime::build(cls, date.value(), time.clock(), zone, vm)
    }

    /// string -> datetime from a string in most ISO 8601 formats
    #[classmethod("($type, object, /)")]
    fn fromisoformat(cls: &Type, text: &Object, vm: &Vm) -> PyResult {
        let text = iso_parse::text_arg(text, vm)?;
        let bytes = iso_parse::to_bytes(text);
        let parsed = (|| {
            let end = iso_parse::separator(&bytes)?.min(bytes.len());
            let day = iso_parse::parse_date(bytes.get(..end)?)?;
            Some((day, bytes.get(end + 1..)))
        })();
        let Some((mut day, rest)) = parsed else { return Err(iso_parse::invalid(text, vm)) };
        let (mut clock, mut zone) = (Clock::MIDNIGHT, None);
        if let Some(rest) = rest {
            let Some(time) = iso_parse::parse_time(rest, vm)? else {
                return Err(iso_parse::invalid(text, vm));
            };
            (clock, zone) = (time.clock, time.zone);
            if time.next_day {
                day = match day.check(vm)? {
                    Day::LAST => Day::new(day.year + 1, 1, 1),
                    day => Day::from_ordinal(day.ordinal() + 1),
                };
            }
        }
        DateTime::build(cls, day, clock, zone, vm)
    }

    /// Return date object with same year, month and day.
    #[method("($self, /)")]
    fn date(&self, vm: &Vm) -> PyResult {
        Date::make(Date::type_object(), self.day(), vm)
    }

    /// Return time object with same time but with tzinfo=None.
    #[method("($self, /)")]
    fn time(&self, vm: &Vm) -> PyResult {
        Time::make(Time::type_object(), self.clock(), None, vm)
    }

    /// Return time object with same time and tzinfo.
    #[method("($self, /)")]
    fn timetz(&self, vm: &Vm) -> PyResult {
        Time::make(Time::type_object(), self.clock(), self.zone(), vm)
    }

    /// Return ctime() style string.
    #[method("($self, /)")]
    fn ctime(&self) -> String {
        let Clock { hour, minute, second, .. } = self.clock();
        ctime_text(self.day(), hour, minute, second)
    }

    /// Return time tuple, compatible with time.localtime().
    #[method("($self, /)")]
    fn timetuple(&self, vm: &Vm) -> PyResult {
        let dst = self.saving(vm)?.map_or(-1, |saving| i32::from(!saving.is_zero()));
        DateTime::struct_time(self.day(), self.clock(), dst, vm)
    }

    /// Return POSIX timestamp as float.
    #[method("($self, /)")]
    fn timestamp(&self, vm: &Vm) -> PyResult {
        if self.zone.is_none() {
            let seconds = datetime_local::from_local(self.day(), self.clock(), vm)? - EPOCH;
            return Ok(vm.new_float(seconds as f64 + f64::from(self.clock().micro) / 1e6));
        }
        let epoch = DateTime::make(
            Self::type_object(),
            Day::new(1970, 1, 1),
            Clock::MIDNIGHT,
            Some(timezone::utc(vm)),
            vm,
        )?;
        match epoch.downcast_ref::<DateTime>() {
            Some(epoch) => difference(self, epoch, vm)?.total_seconds(vm),
            None => Err(vm.system_error("no datetime")),
        }
    }

    /// Return UTC time tuple, compatible with time.localtime().
    #[method("($self, /)")]
    fn utctimetuple(&self, vm: &Vm) -> PyResult {
        let (day, clock) = match self.offset(vm)? {
            Some(offset) => shifted(self, &offset, -1, vm)?,
            None => (self.day(), self.clock()),
        };
        DateTime::struct_time(day, clock, 0, vm)
    }

    /// [sep] -> string in ISO 8601 format, YYYY-MM-DDT[HH[:MM[:SS[.mmm[uuu]]]]][+HH:MM].
    /// sep is used to separate the year from the time, and defaults to 'T'.
    /// The optional argument timespec specifies the number of additional terms
    /// of the time to include. Valid options are 'auto', 'hours', 'minutes',
    /// 'seconds', 'milliseconds' and 'microseconds'.
    #[method("!($self, /, sep='T', timespec='auto')")]
    fn isoformat(&self, sep: Option<&Object>, timespec: Option<&Str>, vm: &Vm) -> PyResult<Ref<Str>> {
        let separator = match sep {
            None => u32::from('T'),
            Some(sep) => match sep.downcast_ref::<Str>() {
                Some(text) if text.len() == 1 => text.char_at(0).unwrap_or(0),
                Some(text) => {
                    return Err(vm.type_error(format!(
                        "isoformat() argument 1 must be a unicode character, not a string of length {}",
                        text.len()
                    )));
                }
                None => {
                    return Err(vm.type_error(format!(
                        "isoformat() argument 1 must be a unicode character, not {}",
                        sep.ob_type().tp_name_str()
                    )));
                }
            },
        };
        let timespec = timespec.map(|timespec| timespec.to_string_lossy());
        let clock = self.clock().iso_text(timespec.as_deref(), vm)?;
        let Day { year, month, day } = self.day();
        let mut out = taipan_vm::builtins::str::StrBuilder::with_capacity(32);
        out.push_str(&format!("{year:04}-{month:02}-{day:02}"));
        out.push_char(separator);
        out.push_str(&clock);
        out.push_str(&tzinfo::offset_text(self.offset(vm)?.as_deref(), ":"));
        Ok(out.finish(vm))
    }

    /// Return self.tzinfo.utcoffset(self).
    #[method("($self, /)")]
    fn utcoffset(&self, vm: &Vm) -> PyResult<Option<Ref<Delta>>> {
        self.offset(vm)
    }

    /// Return self.tzinfo.tzname(self).
    #[method("($self, /)")]
    fn tzname(&self, vm: &Vm) -> PyResult {
        tzinfo::tzname(self.zone().as_deref(), self.as_object(), vm)
    }

    /// Return self.tzinfo.dst(self).
    #[method("($self, /)")]
    fn dst(&self, vm: &Vm) -> PyResult<Option<Ref<Delta>>> {
        self.saving(vm)
    }

    /// Return datetime with new specified fields.
    #[method(
        "($self, /, year=unchanged, month=unchanged, day=unchanged, hour=unchanged, minute=unchanged, second=unchanged, microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)"
    )]
    #[allow(clippy::too_many_arguments, reason = "the fields of a datetime")]
    fn replace(
        &self,
        year: Option<i32>,
        month: Option<i32>,
        day: Option<i32>,
        hour: Option<i32>,
        minute: Option<i32>,
        second: Option<i32>,
        micro: Option<i32>,
        tzinfo: Option<&Object>,
        fold: Option<i32>,
        vm: &Vm,
    ) -> PyResult {
        self.replaced([year, month, day], [hour, minute, second, micro], tzinfo, fold, vm)
    }

    /// The same as replace().
    #[method(
        "($self, /, year=unchanged, month=unchanged, day=unchanged, hour=unchanged, minute=unchanged, second=unchanged, microsecond=unchanged, tzinfo=unchanged, *, fold=unchanged)",
        name = "__replace__",
        shown = "($self, /, **changes)"
    )]
    #[allow(clippy::too_many_arguments, reason = "the fields of a datetime")]
    fn replace_copy(
        &self,
        year: Option<i32>,
        month: Option<i32>,
        day: Option<i32>,
        hour: Option<i32>,
        minute: Option<i32>,
        second: Option<i32>,
        micro: Option<i32>,
        tzinfo: Option<&Object>,
        fold: Option<i32>,
        vm: &Vm,
    ) -> PyResult {
        self.replaced([year, month, day], [hour, minute, second, micro], tzinfo, fold, vm)
    }

    /// tz -> convert to local time in new timezone tz
    #[method("!($self, /, tz=None)")]
    fn astimezone(&self, tz: Option<&Object>, vm: &Vm) -> PyResult {
        let target = zone_arg(tz, vm)?;
        let mut own = match self.zone() {
            Some(zone) => zone,
            None => self.local_zone(vm)?,
        };
        // Nothing to convert.
        if target.as_ref().is_some_and(|target| target.is(&own)) {
            return Ok(self.as_object().to_ref());
        }
        let mut offset = tzinfo::utcoffset(Some(&own), self.as_object(), vm)?;
        if offset.is_none() {
            own = self.local_zone(vm)?;
            if target.as_ref().is_some_and(|target| target.is(&own)) {
                return Ok(self.as_object().to_ref());
            }
            offset = tzinfo::utcoffset(Some(&own), self.as_object(), vm)?;
        }
        let Some(offset) = offset else { return Err(vm.system_error("no local offset")) };
        let utc = add_delta(self, &offset, -1, vm)?;
        let Some(utc) = utc.downcast_ref::<DateTime>() else {
            return Err(vm.type_error("a datetime was expected"));
        };
        let target = match target {
            Some(target) => target,
            None => {
                let seconds = datetime_local::calendar_seconds(utc.day(), utc.clock()) - EPOCH;
                datetime_local::local_zone(seconds, vm)?
            }
        };
        let moved = DateTime::make(self.cls(), utc.day(), utc.clock(), Some(target.clone()), vm)?;
        target.call_method(&names(vm).fromutc, &[&moved], vm)
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
    fn hour(&self) -> i32 {
        self.clock().hour
    }

    #[getter]
    fn minute(&self) -> i32 {
        self.clock().minute
    }

    #[getter]
    fn second(&self) -> i32 {
        self.clock().second
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
        let Day { year, month, day } = self.day();
        let Clock { hour, minute, second, micro, fold } = self.clock();
        let name = self.cls().tp_name_str();
        let mut text = format!("{name}({year}, {month}, {day}, {hour}, {minute}");
        if second != 0 || micro != 0 {
            text += &format!(", {second}");
        }
        if micro != 0 {
            text += &format!(", {micro}");
        }
        if fold != 0 {
            text += ", fold=1";
        }
        if let Some(zone) = self.zone() {
            text += &format!(", tzinfo={}", zone.repr(vm)?.to_string_lossy());
        }
        Ok(text + ")")
    }

    #[slot]
    fn tp_str(zelf: &Object, vm: &Vm) -> PyResult {
        zelf.call_method(&names(vm).isoformat, &[vm.new_str(" ").as_object()], vm)
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        if self.hash.get() != -1 {
            return Ok(self.hash.get());
        }
        // Both moments of a fold have one hash.
        let offset = if self.fold != 0 && self.has_zone != 0 {
            let clock = Clock { fold: 0, ..self.clock() };
            let twin = DateTime::make(Self::type_object(), self.day(), clock, self.zone(), vm)?;
            twin.downcast_ref::<DateTime>().map_or(Ok(None), |twin| twin.offset(vm))?
        } else {
            self.offset(vm)?
        };
        let hash = match offset {
            None => hash_bytes(&self.data, vm),
            Some(offset) => {
                let (days, clock) = (i64::from(self.day().ordinal()), self.clock());
                let shown = Delta::new(days, clock.seconds(), i64::from(clock.micro), vm)?;
                shown.minus(&offset, vm)?.hash(vm)?
            }
        };
        self.hash.set(hash);
        Ok(hash)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        match other.downcast_ref::<DateTime>() {
            Some(other) => compare(self, other, op, vm),
            None => Ok(vm.not_implemented()),
        }
    }

    #[slot]
    fn nb_add(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        let pair = match (a.downcast_ref::<DateTime>(), b.downcast_ref::<DateTime>()) {
            (Some(dt), _) => b.downcast_ref::<Delta>().map(|delta| (dt, delta)),
            (_, Some(dt)) => a.downcast_ref::<Delta>().map(|delta| (dt, delta)),
            _ => None,
        };
        match pair {
            Some((dt, delta)) => add_delta(dt, delta, 1, vm),
            None => Ok(vm.not_implemented()),
        }
    }

    #[slot]
    fn nb_subtract(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        let Some(dt) = a.downcast_ref::<DateTime>() else { return Ok(vm.not_implemented()) };
        if let Some(other) = b.downcast_ref::<DateTime>() {
            return Ok(difference(dt, other, vm)?.into_object());
        }
        match b.downcast_ref::<Delta>() {
            Some(delta) => add_delta(dt, delta, -1, vm),
            None => Ok(vm.not_implemented()),
        }
    }
}
