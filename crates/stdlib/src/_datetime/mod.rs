//! `_datetime`: dates, times of day, both together, durations and time zones.
//!
//! A value lies in the object itself, in the bytes that extensions read (`datetime.h`); nothing is allocated beside it.

mod calendar;
mod capi;
mod clock;
mod date;
mod datetime;
mod datetime_arithmetic;
mod datetime_local;
mod delta;
mod delta_float;
mod iso_calendar;
mod iso_parse;
mod names;
mod strftime;
mod time;
mod timezone;
mod tzinfo;

pub use date::Date;
pub use datetime::DateTime;
pub use datetime_arithmetic::add_delta;
pub use delta::Delta;
pub use time::Time;
pub use timezone::TimeZone;
pub use tzinfo::TzInfo;

use taipan_vm::builtins::type_::set_constant;
use taipan_vm::prelude::*;

/// The module.
pub struct DateTimeModule;

/// Fast implementation of the datetime module.
#[pymodule(name = "_datetime", types(Date, DateTime, Time, Delta, TzInfo, TimeZone))]
impl DateTimeModule {
    #[constant("MINYEAR")]
    fn min_year() -> i32 {
        calendar::MIN_YEAR
    }

    #[constant("MAXYEAR")]
    fn max_year() -> i32 {
        calendar::MAX_YEAR
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        const LAST_DAY: i64 = delta::MAX_DAYS;
        taipan_vm::builtins::type_::ready::type_ready(iso_calendar::IsoCalendarDate::type_object(), vm)?;
        let (date, time, both) = (Date::type_object(), Time::type_object(), DateTime::type_object());
        let (delta, zone) = (Delta::type_object(), TimeZone::type_object());
        for (name, value) in [
            ("resolution", Delta::new(0, 0, 1, vm)?),
            ("min", Delta::new(-LAST_DAY, 0, 0, vm)?),
            ("max", Delta::new(LAST_DAY, 86_399, 999_999, vm)?),
        ] {
            set_constant(delta, name, value.as_object(), vm)?;
        }
        let first = calendar::Day::FIRST;
        let last = calendar::Day::LAST;
        set_constant(date, "min", &*Date::make(date, first, vm)?, vm)?;
        set_constant(date, "max", &*Date::make(date, last, vm)?, vm)?;
        set_constant(date, "resolution", Delta::new(1, 0, 0, vm)?.as_object(), vm)?;
        let (midnight, end) = (clock::Clock::MIDNIGHT, clock::Clock::LAST);
        set_constant(time, "min", &*Time::make(time, midnight, None, vm)?, vm)?;
        set_constant(time, "max", &*Time::make(time, end, None, vm)?, vm)?;
        set_constant(time, "resolution", Delta::new(0, 0, 1, vm)?.as_object(), vm)?;
        set_constant(both, "min", &*DateTime::make(both, first, midnight, None, vm)?, vm)?;
        set_constant(both, "max", &*DateTime::make(both, last, end, None, vm)?, vm)?;
        set_constant(both, "resolution", Delta::new(0, 0, 1, vm)?.as_object(), vm)?;
        let day_less_a_minute = Delta::new(0, 86_340, 0, vm)?;
        let least = Delta::new(0, -86_340, 0, vm)?;
        set_constant(zone, "utc", &*timezone::utc(vm), vm)?;
        set_constant(zone, "min", &*TimeZone::make(&least, None, vm)?, vm)?;
        set_constant(zone, "max", &*TimeZone::make(&day_less_a_minute, None, vm)?, vm)?;
        module.set("datetime_CAPI", &capi::capsule(vm), vm)?;
        module.set("UTC", &timezone::utc(vm), vm)
    }
}
