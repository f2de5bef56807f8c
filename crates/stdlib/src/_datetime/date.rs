//! `date`.

use std::cell::Cell;

use taipan_vm::builtins::str::hash::hash_bytes;
use taipan_vm::import::import_module;
use taipan_vm::prelude::*;

use super::calendar::{self, Day, IsoError, int_arg, needed, pickled};
use super::datetime::DateTime;
use super::datetime_local::{Zone, broken_down, floor_timestamp};
use super::delta::Delta;
use super::iso_calendar;
use super::iso_parse;
use super::names::names;
use super::strftime;

/// The layout of a date, and the head of a datetime's.
#[repr(C)]
pub struct Date {
    ob: Object,
    hash: Cell<isize>,
    /// Only a datetime can have a time zone.
    has_zone: u8,
    data: [u8; 4],
}

const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// "Wed Jan  1 00:00:00 2020".
pub fn ctime_text(day: Day, hour: i32, minute: i32, second: i32) -> String {
    let weekday = WEEKDAYS.get(day.weekday() as usize).copied().unwrap_or("???");
    let month = MONTHS.get((day.month - 1) as usize).copied().unwrap_or("???");
    format!("{weekday} {month} {:2} {hour:02}:{minute:02}:{second:02} {:04}", day.day, day.year)
}

/// The four bytes of a day.
pub fn day_bytes(day: Day) -> [u8; 4] {
    [(day.year >> 8) as u8, day.year as u8, day.month as u8, day.day as u8]
}

/// The day of four bytes.
pub fn bytes_day([high, low, month, day]: [u8; 4]) -> Day {
    Day::new(i32::from(high) << 8 | i32::from(low), i32::from(month), i32::from(day))
}

impl Date {
    /// A date of exactly this class, from a day that exists.
    pub fn make(cls: &Type, day: Day, vm: &Vm) -> PyResult {
        let ob = Object::new(Self::type_object());
        vm.new_instance(cls, Date { ob, hash: Cell::new(-1), has_zone: 0, data: day_bytes(day) })
    }

    /// What a class method returns: subclasses are called.
    pub fn build(cls: &Type, day: Day, vm: &Vm) -> PyResult {
        if std::ptr::eq(cls, Self::type_object()) {
            return Date::make(cls, day.check(vm)?, vm);
        }
        let (year, month, day) = (vm.new_int(day.year), vm.new_int(day.month), vm.new_int(day.day));
        cls.as_object().call(&[&year, &month, &day], vm)
    }

    /// The day.
    pub fn value(&self) -> Day {
        bytes_day(self.data)
    }

    fn add_days(&self, delta: &Delta, sign: i64, vm: &Vm) -> PyResult {
        let ordinal = i64::from(self.value().ordinal()) + sign * i64::from(delta.days);
        Date::build(self.ob.ob_type(), Day::from_wide_ordinal(ordinal, vm)?, vm)
    }
}

/// A date that is not a datetime.
fn plain(object: &Object) -> Option<&Date> {
    object.downcast_ref::<Date>().filter(|_| object.downcast_ref::<DateTime>().is_none())
}

/// date(year, month, day) --> date object
#[pytype(name = "datetime.date", flags(BASETYPE))]
impl Date {
    #[new("!(year=<unrepresentable>, month=<unrepresentable>, day=<unrepresentable>)")]
    fn new(
        cls: &Type,
        year: Option<&Object>,
        month: Option<&Object>,
        day: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        if let (Some(state), None, None) = (year, month, day) {
            let valid = |state: &[u8; 4]| (1..=12).contains(&state[2]);
            if let Some(state) = pickled(state, "date", valid, vm)? {
                return Date::make(cls, bytes_day(state), vm);
            }
        }
        let year = needed(year, "year", 1, vm)?;
        let month = needed(month, "month", 2, vm)?;
        let day = needed(day, "day", 3, vm)?;
        Date::make(cls, Day::new(year, month, day).check(vm)?, vm)
    }

    /// Create a date from a POSIX timestamp.
    ///
    /// The timestamp is a number, e.g. created via time.time(), that is
    /// interpreted as local time.
    #[classmethod("($type, timestamp, /)")]
    fn fromtimestamp(cls: &Type, timestamp: &Object, vm: &Vm) -> PyResult {
        let seconds = floor_timestamp(timestamp, vm)?;
        let (day, _) = broken_down(seconds, Zone::Local, vm)?;
        Date::build(cls, day, vm)
    }

    /// int -> date corresponding to a proleptic Gregorian ordinal.
    #[classmethod("!($type, ordinal, /)")]
    fn fromordinal(cls: &Type, ordinal: &Object, vm: &Vm) -> PyResult {
        let ordinal = int_arg(ordinal, vm)?;
        if ordinal < 1 {
            return Err(vm.value_error("ordinal must be >= 1"));
        }
        Date::build(cls, Day::from_ordinal(ordinal), vm)
    }

    /// str -> Construct a date from a string in ISO 8601 format.
    #[classmethod("($type, object, /)")]
    fn fromisoformat(cls: &Type, text: &Object, vm: &Vm) -> PyResult {
        let text = iso_parse::text_arg(text, vm)?;
        let day = match text.len() {
            7 | 8 | 10 => iso_parse::parse_date(&iso_parse::to_bytes(text)),
            _ => None,
        };
        match day {
            Some(day) => Date::build(cls, day, vm),
            None => Err(iso_parse::invalid(text, vm)),
        }
    }

    /// int, int, int -> Construct a date from the ISO year, week number and weekday.
    ///
    /// This is the inverse of the date.isocalendar() function
    #[classmethod("!($type, year, week, day)")]
    fn fromisocalendar(cls: &Type, year: &Object, week: &Object, day: &Object, vm: &Vm) -> PyResult {
        let part = |object: &Object| -> PyResult<i64> {
            let index = object.as_index(vm)?;
            match index.to_i64().filter(|value| i32::try_from(*value).is_ok()) {
                Some(value) => Ok(value),
                None => Err(vm.value_error("ISO calendar component out of range")),
            }
        };
        let (year, week, weekday) = (part(year)?, part(week)?, part(day)?);
        match calendar::from_iso(year, week, weekday) {
            Ok(day) => Date::build(cls, day, vm),
            Err(IsoError::Year) => Err(calendar::year_error(year, vm)),
            Err(IsoError::Week) => Err(vm.value_error(format!("Invalid week: {week}"))),
            Err(IsoError::Weekday) => {
                Err(vm.value_error(format!("Invalid weekday: {weekday} (range is [1, 7])")))
            }
        }
    }

    /// string, format -> new date parsed from a string (like time.strptime()).
    #[classmethod("!($type, string, format, /)")]
    fn strptime(cls: &Type, string: &Str, format: &Str, vm: &Vm) -> PyResult {
        strftime::parsed_by("_strptime_datetime_date", cls, string, format, vm)
    }

    /// Current date or datetime:  same as self.__class__.fromtimestamp(time.time()).
    #[classmethod("($type, /)")]
    fn today(cls: &Type, vm: &Vm) -> PyResult {
        let now = import_module("time", vm)?.call_method(&names(vm).time, &[], vm)?;
        if std::ptr::eq(cls, Date::type_object()) {
            return Date::fromtimestamp(cls, &now, vm);
        }
        cls.as_object().call_method(&names(vm).fromtimestamp, &[&now], vm)
    }

    /// Return ctime() style string.
    #[method("($self, /)")]
    fn ctime(&self) -> String {
        ctime_text(self.value(), 0, 0, 0)
    }

    /// format -> strftime() style string.
    #[method("!($self, /, format)")]
    fn strftime(zelf: &Object, format: &Str, vm: &Vm) -> PyResult {
        let tuple = zelf.call_method(&names(vm).timetuple, &[], vm)?;
        strftime::wrap_strftime(zelf, format, &tuple, zelf, vm)
    }

    /// Formats self with strftime.
    #[method("!($self, format, /)")]
    fn __format__(zelf: &Object, format: &Object, vm: &Vm) -> PyResult {
        format_spec(zelf, format, vm)
    }

    /// Return time tuple, compatible with time.localtime().
    #[method("($self, /)")]
    fn timetuple(&self, vm: &Vm) -> PyResult {
        let day = self.value();
        let date = (day.year, day.month, day.day, day.weekday(), day.day_of_year());
        strftime::struct_time(date, [0, 0, 0], -1, vm)
    }

    /// Return a named tuple containing ISO year, week number, and weekday.
    #[method("($self, /)")]
    fn isocalendar(&self, vm: &Vm) -> PyResult {
        iso_calendar::make(self.value().iso_calendar(), vm)
    }

    /// Return string in ISO 8601 format, YYYY-MM-DD.
    #[method("($self, /)")]
    fn isoformat(&self) -> String {
        let Day { year, month, day } = self.value();
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// Return the day of the week represented by the date.
    /// Monday == 1 ... Sunday == 7
    #[method("($self, /)")]
    fn isoweekday(&self) -> i32 {
        self.value().weekday() + 1
    }

    /// Return proleptic Gregorian ordinal.  January 1 of year 1 is day 1.
    #[method("($self, /)")]
    fn toordinal(&self) -> i32 {
        self.value().ordinal()
    }

    /// Return the day of the week represented by the date.
    /// Monday == 0 ... Sunday == 6
    #[method("($self, /)")]
    fn weekday(&self) -> i32 {
        self.value().weekday()
    }

    /// Return date with new specified fields.
    #[method("($self, /, year=unchanged, month=unchanged, day=unchanged)")]
    fn replace(&self, year: Option<i32>, month: Option<i32>, day: Option<i32>, vm: &Vm) -> PyResult {
        let old = self.value();
        let day = Day::new(year.unwrap_or(old.year), month.unwrap_or(old.month), day.unwrap_or(old.day));
        Date::build(self.ob.ob_type(), day, vm)
    }

    /// The same as replace().
    #[method(
        "($self, /, year=unchanged, month=unchanged, day=unchanged)",
        name = "__replace__",
        shown = "($self, /, **changes)"
    )]
    fn replace_copy(&self, year: Option<i32>, month: Option<i32>, day: Option<i32>, vm: &Vm) -> PyResult {
        self.replace(year, month, day, vm)
    }

    /// __reduce__() -> (cls, state)
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> Ref<Tuple> {
        let cls = self.ob.ob_type().as_object().to_ref();
        let state = vm.new_tuple([vm.new_bytes(&self.data).into_object()]);
        Tuple::pair(cls, state.into_object(), vm)
    }

    #[getter]
    fn year(&self) -> i32 {
        self.value().year
    }

    #[getter]
    fn month(&self) -> i32 {
        self.value().month
    }

    #[getter]
    fn day(&self) -> i32 {
        self.value().day
    }

    #[slot]
    fn tp_repr(&self) -> String {
        let Day { year, month, day } = self.value();
        format!("{}({year}, {month}, {day})", self.ob.ob_type().tp_name_str())
    }

    #[slot]
    fn tp_str(zelf: &Object, vm: &Vm) -> PyResult {
        zelf.call_method(&names(vm).isoformat, &[], vm)
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        if self.hash.get() == -1 {
            self.hash.set(hash_bytes(&self.data, vm));
        }
        Ok(self.hash.get())
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        // A datetime has more than a date: they are neither equal nor ordered.
        match plain(other) {
            Some(other) if plain(self.as_object()).is_some() => {
                Ok(vm.new_bool(op.test(self.data.cmp(&other.data))))
            }
            _ => Ok(vm.not_implemented()),
        }
    }

    #[slot]
    fn nb_add(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        match (plain(a), b.downcast_ref::<Delta>(), plain(b), a.downcast_ref::<Delta>()) {
            (Some(date), Some(delta), _, _) | (_, _, Some(date), Some(delta)) => date.add_days(delta, 1, vm),
            _ => Ok(vm.not_implemented()),
        }
    }

    #[slot]
    fn nb_subtract(a: &Object, b: &Object, vm: &Vm) -> PyResult {
        let Some(date) = plain(a) else { return Ok(vm.not_implemented()) };
        if let Some(other) = plain(b) {
            let days = date.value().ordinal() - other.value().ordinal();
            return Ok(Delta::new(i64::from(days), 0, 0, vm)?.into_object());
        }
        match b.downcast_ref::<Delta>() {
            Some(delta) => date.add_days(delta, -1, vm),
            None => Ok(vm.not_implemented()),
        }
    }
}

/// `__format__` of dates and times.
pub fn format_spec(zelf: &Object, format: &Object, vm: &Vm) -> PyResult {
    let Some(spec) = format.downcast_ref::<Str>() else {
        let given = if vm.is_none(format) { "None" } else { format.ob_type().tp_name_str() };
        return Err(vm.type_error(format!("__format__() argument 1 must be str, not {given}")));
    };
    strftime::formatted(zelf, spec, vm)
}
