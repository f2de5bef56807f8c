//! Moments as seconds since the epoch, and the system's local time.

use taipan_vm::prelude::*;

use super::calendar::{Day, MAX_YEAR, MIN_YEAR, year_error};
use super::clock::Clock;
use super::delta::Delta;
use super::timezone::TimeZone;

/// Seconds from the start of the day before the calendar's first to 1970.
pub const EPOCH: i64 = 719_163 * 86_400;
/// A fold lasts a day at most.
const MAX_FOLD: i64 = 24 * 3600;

/// Whose clock is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    Local,
    Utc,
}

fn library_time(seconds: i64, zone: Zone, vm: &Vm) -> PyResult<libc::tm> {
    // SAFETY: zero is a valid value of every field; the structure is ours.
    unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        let found = match zone {
            Zone::Local => libc::localtime_r(&raw const seconds, &raw mut tm),
            Zone::Utc => libc::gmtime_r(&raw const seconds, &raw mut tm),
        };
        if found.is_null() { Err(vm.last_os_error(None)) } else { Ok(tm) }
    }
}

fn of_tm(tm: &libc::tm) -> (Day, Clock) {
    let year = tm.tm_year.saturating_add(1900);
    let day = Day::new(year, tm.tm_mon + 1, tm.tm_mday);
    // Leap seconds are not shown.
    let second = tm.tm_sec.min(59);
    (day, Clock { hour: tm.tm_hour, minute: tm.tm_min, second, micro: 0, fold: 0 })
}

/// What the clock of a zone shows. The year may lie outside of the calendar.
pub fn broken_down(seconds: i64, zone: Zone, vm: &Vm) -> PyResult<(Day, Clock)> {
    library_time(seconds, zone, vm).map(|tm| of_tm(&tm))
}

/// The seconds of a day and time, as if in UTC, from the calendar's start.
pub fn calendar_seconds(day: Day, clock: Clock) -> i64 {
    i64::from(day.ordinal()) * 86_400 + clock.seconds()
}

/// What the local clock shows, in seconds from the calendar's start.
fn local(seconds: i64, vm: &Vm) -> PyResult<i64> {
    let (day, clock) = broken_down(seconds - EPOCH, Zone::Local, vm)?;
    if !(MIN_YEAR..=MAX_YEAR).contains(&day.year) {
        return Err(year_error(i64::from(day.year), vm));
    }
    Ok(calendar_seconds(day, clock))
}

/// 1 when the local clock shows what it shows at `seconds` for the second time.
pub fn fold_at(seconds: i64, day: Day, clock: Clock, vm: &Vm) -> PyResult<i32> {
    let shown = calendar_seconds(day, clock);
    let before = local(EPOCH.saturating_add(seconds).saturating_sub(MAX_FOLD), vm)?;
    let transition = shown - before - MAX_FOLD;
    if transition < 0 && local(EPOCH + seconds + transition, vm)? == shown {
        return Ok(1);
    }
    Ok(0)
}

/// The moment, in seconds from the calendar's start, at which the local clock shows this (PEP 495).
pub fn from_local(day: Day, clock: Clock, vm: &Vm) -> PyResult<i64> {
    let shown = calendar_seconds(day, clock);
    let folded = clock.fold != 0;
    let offset = local(shown, vm)? - shown;
    let first = shown - offset;
    let first_shown = local(first, vm)?;
    let other_offset = if first_shown == shown {
        // One solution; the other lies earlier, or later for a fold.
        let probe = if folded { first + MAX_FOLD } else { first - MAX_FOLD };
        let other = local(probe, vm)? - probe;
        if other == offset {
            return Ok(first);
        }
        other
    } else {
        first_shown - first
    };
    let second = shown - other_offset;
    if local(second, vm)? == shown {
        return Ok(second);
    }
    if first_shown == shown {
        return Ok(first);
    }
    // The time lies in a gap.
    Ok(if folded { first.min(second) } else { first.max(second) })
}

/// The local time zone at a moment, as a fixed offset.
pub fn local_zone(seconds: i64, vm: &Vm) -> PyResult {
    let tm = library_time(seconds, Zone::Local, vm)?;
    let name = if tm.tm_zone.is_null() {
        None
    } else {
        // SAFETY: the library's zone names are NUL-terminated.
        let text = unsafe { std::ffi::CStr::from_ptr(tm.tm_zone) };
        Some(vm.new_str(&text.to_string_lossy()))
    };
    TimeZone::make(&*Delta::new(0, tm.tm_gmtoff, 0, vm)?, name.as_deref(), vm)
}

#[cold]
fn out_of_range(vm: &Vm) -> Raised {
    vm.overflow_error("timestamp out of range for platform time_t")
}

fn float_seconds(value: f64, vm: &Vm) -> PyResult<i64> {
    if value.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&value) {
        return Err(out_of_range(vm));
    }
    Ok(value as i64)
}

fn int_seconds(object: &Object, vm: &Vm) -> PyResult<i64> {
    object.as_index(vm)?.to_i64().ok_or_else(|| out_of_range(vm))
}

/// A timestamp in whole seconds, rounded down.
pub fn floor_timestamp(object: &Object, vm: &Vm) -> PyResult<i64> {
    match object.downcast_ref::<Float>() {
        Some(float) => float_seconds(float.value().floor(), vm),
        None => int_seconds(object, vm),
    }
}

/// A timestamp in seconds and microseconds, rounded to the nearest.
pub fn exact_timestamp(object: &Object, vm: &Vm) -> PyResult<(i64, i32)> {
    let Some(float) = object.downcast_ref::<Float>() else {
        if !object.has_index() {
            let given = object.ob_type().tp_name_str();
            return Err(vm.type_error(format!("argument must be int or float, not {given}")));
        }
        return Ok((int_seconds(object, vm)?, 0));
    };
    let value = float.value();
    if value.is_nan() {
        return Err(vm.value_error("Invalid value NaN (not a number)"));
    }
    let mut whole = value.trunc();
    let mut micros = ((value - whole) * 1e6).round_ties_even();
    if micros >= 1e6 {
        micros -= 1e6;
        whole += 1.0;
    } else if micros < 0.0 {
        micros += 1e6;
        whole -= 1.0;
    }
    Ok((float_seconds(whole, vm)?, micros as i32))
}

/// Now, in seconds and microseconds.
pub fn now(vm: &Vm) -> PyResult<(i64, i32)> {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is ours.
    if unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut time) } != 0 {
        return Err(vm.last_os_error(None));
    }
    Ok((time.tv_sec, (time.tv_nsec / 1000) as i32))
}
