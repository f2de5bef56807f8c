//! The proleptic Gregorian calendar: days and their ordinals. Day 1 is the first of January of the year 1.

use taipan_vm::prelude::*;

pub const MIN_YEAR: i32 = 1;
pub const MAX_YEAR: i32 = 9999;
/// The ordinal of the 31st of December 9999.
pub const MAX_ORDINAL: i64 = 3_652_059;

const DAYS_IN_4_YEARS: i32 = 1461;
const DAYS_IN_100_YEARS: i32 = 36_524;
const DAYS_IN_400_YEARS: i32 = 146_097;

/// A day of the calendar. Unchecked until `check` is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Day {
    pub year: i32,
    pub month: i32,
    pub day: i32,
}

pub fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub fn days_in_month(year: i32, month: i32) -> i32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap(year) => 29,
        2 => 28,
        _ => 31,
    }
}

fn days_before_month(year: i32, month: i32) -> i32 {
    const BEFORE: [i32; 13] = [0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let plain = usize::try_from(month).ok().and_then(|month| BEFORE.get(month)).copied().unwrap_or(0);
    plain + i32::from(month > 2 && is_leap(year))
}

fn days_before_year(year: i32) -> i32 {
    let past = year - 1;
    past * 365 + past.div_euclid(4) - past.div_euclid(100) + past.div_euclid(400)
}

impl Day {
    pub const FIRST: Day = Day { year: MIN_YEAR, month: 1, day: 1 };
    pub const LAST: Day = Day { year: MAX_YEAR, month: 12, day: 31 };

    pub fn new(year: i32, month: i32, day: i32) -> Day {
        Day { year, month, day }
    }

    /// Raises `ValueError` for a day that the calendar lacks.
    #[inline]
    pub fn check(self, vm: &Vm) -> PyResult<Day> {
        let Day { year, month, day } = self;
        let fine = (MIN_YEAR..=MAX_YEAR).contains(&year)
            && (1..=12).contains(&month)
            && day >= 1
            && (day <= 28 || day <= days_in_month(year, month));
        if fine { Ok(self) } else { Err(self.refuse(vm)) }
    }

    #[cold]
    fn refuse(self, vm: &Vm) -> Raised {
        let Day { year, month, day } = self;
        if !(MIN_YEAR..=MAX_YEAR).contains(&year) {
            return year_error(i64::from(year), vm);
        }
        if !(1..=12).contains(&month) {
            return vm.value_error(format!("month must be in 1..12, not {month}"));
        }
        let last = days_in_month(year, month);
        vm.value_error(format!("day {day} must be in range 1..{last} for month {month} in year {year}"))
    }

    pub fn ordinal(self) -> i32 {
        days_before_year(self.year) + self.day_of_year()
    }

    /// The place in the year, from 1.
    pub fn day_of_year(self) -> i32 {
        days_before_month(self.year, self.month) + self.day
    }

    /// The day of an ordinal of at least 1.
    pub fn from_ordinal(ordinal: i32) -> Day {
        let rest = ordinal - 1;
        let (n400, rest) = (rest / DAYS_IN_400_YEARS, rest % DAYS_IN_400_YEARS);
        let (n100, rest) = (rest / DAYS_IN_100_YEARS, rest % DAYS_IN_100_YEARS);
        let (n4, rest) = (rest / DAYS_IN_4_YEARS, rest % DAYS_IN_4_YEARS);
        let (n1, rest) = (rest / 365, rest % 365);
        let year = n400 * 400 + n100 * 100 + n4 * 4 + n1 + 1;
        if n1 == 4 || n100 == 4 {
            return Day { year: year - 1, month: 12, day: 31 };
        }
        // The estimate is right or one too large.
        let mut month = (rest + 50) >> 5;
        if days_before_month(year, month) > rest {
            month -= 1;
        }
        Day { year, month, day: rest - days_before_month(year, month) + 1 }
    }

    /// The day of an ordinal. Raises `OverflowError` outside of the calendar.
    pub fn from_wide_ordinal(ordinal: i64, vm: &Vm) -> PyResult<Day> {
        if (1..=MAX_ORDINAL).contains(&ordinal) {
            return Ok(Day::from_ordinal(ordinal as i32));
        }
        Err(vm.overflow_error("date value out of range"))
    }

    /// 0 for Monday.
    pub fn weekday(self) -> i32 {
        (self.ordinal() + 6) % 7
    }

    /// ISO year, week and weekday (from 1).
    pub fn iso_calendar(self) -> (i32, i32, i32) {
        let today = self.ordinal();
        let mut year = self.year;
        let week1 = first_iso_monday(year);
        let mut week = (today - week1).div_euclid(7);
        let day = (today - week1).rem_euclid(7);
        if week < 0 {
            year -= 1;
            week = (today - first_iso_monday(year)).div_euclid(7);
        } else if week >= 52 && today >= first_iso_monday(year + 1) {
            year += 1;
            week = 0;
        }
        (year, week + 1, day + 1)
    }
}

#[cold]
pub fn year_error(year: i64, vm: &Vm) -> Raised {
    vm.value_error(format!("year must be in {MIN_YEAR}..{MAX_YEAR}, not {year}"))
}

/// The ordinal of the Monday that starts the ISO year.
fn first_iso_monday(year: i32) -> i32 {
    let first = days_before_year(year) + 1;
    let weekday = (first + 6).rem_euclid(7);
    let monday = first - weekday;
    if weekday > 3 { monday + 7 } else { monday }
}

/// What is wrong with an ISO week date.
pub enum IsoError {
    Year,
    Week,
    Weekday,
}

/// The day of an ISO week date. It may lie after the year 9999.
pub fn from_iso(year: i64, week: i64, weekday: i64) -> Result<Day, IsoError> {
    if !(i64::from(MIN_YEAR)..=i64::from(MAX_YEAR)).contains(&year) {
        return Err(IsoError::Year);
    }
    let year = year as i32;
    if !(1..=52).contains(&week) {
        // Years that begin or end on a Thursday have 53 weeks.
        let first = (days_before_year(year) + 7) % 7;
        if week != 53 || !(first == 3 || (first == 2 && is_leap(year))) {
            return Err(IsoError::Week);
        }
    }
    if !(1..=7).contains(&weekday) {
        return Err(IsoError::Weekday);
    }
    let ordinal = first_iso_monday(year) + (week as i32 - 1) * 7 + weekday as i32 - 1;
    if ordinal < 1 { Err(IsoError::Year) } else { Ok(Day::from_ordinal(ordinal)) }
}

/// An argument of the C type int.
pub fn int_arg(object: &Object, vm: &Vm) -> PyResult<i32> {
    let index = object.as_index(vm)?;
    let wide =
        index.to_i64().ok_or_else(|| vm.overflow_error("Python int too large to convert to C long"))?;
    i32::try_from(wide).map_err(|_| {
        vm.overflow_error(if wide > 0 {
            "signed integer is greater than maximum"
        } else {
            "signed integer is less than minimum"
        })
    })
}

/// An argument that a constructor needs.
pub fn needed(object: Option<&Object>, name: &str, place: usize, vm: &Vm) -> PyResult<i32> {
    match object {
        Some(object) => int_arg(object, vm),
        None => Err(vm.type_error(format!("function missing required argument '{name}' (pos {place})"))),
    }
}

/// The bytes of a pickled state: bytes, or text that was bytes in Python 2. `valid` tells whether they can be one;
/// anything else is an ordinary argument.
pub fn pickled<const N: usize>(
    object: &Object,
    kind: &str,
    valid: impl Fn(&[u8; N]) -> bool,
    vm: &Vm,
) -> PyResult<Option<[u8; N]>> {
    if let Some(bytes) = object.downcast_ref::<Bytes>() {
        return Ok(<[u8; N]>::try_from(bytes.as_bytes()).ok().filter(|state| valid(state)));
    }
    let Some(text) = object.downcast_ref::<Str>().filter(|text| text.len() == N) else { return Ok(None) };
    let mut state = [0; N];
    let mut narrow = true;
    for (place, code) in state.iter_mut().zip(text.data().iter()) {
        narrow &= code < 256;
        *place = code as u8;
    }
    // A wide character elsewhere than at the byte that is looked at.
    if !valid(&state) {
        return Ok(None);
    }
    if !narrow {
        return Err(vm.value_error(format!(
            "Failed to encode latin1 string when unpickling a {kind} object. pickle.load(data, encoding='latin1') is assumed."
        )));
    }
    Ok(Some(state))
}
