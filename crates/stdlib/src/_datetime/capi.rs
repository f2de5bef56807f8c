//! `datetime_CAPI`: the table of functions that extensions fetch (C API manual, "DateTime Objects").

use std::ffi::{c_int, c_void};

use taipan_vm::builtins::capsule::Capsule;
use taipan_vm::prelude::*;
use taipan_vm::protocols::native::to_c;

use super::calendar::Day;
use super::clock::Clock;
use super::names::names;
use super::tzinfo::zone_arg;
use super::{Date, DateTime, Delta, Time, TimeZone, TzInfo, timezone};

type TypePtr = *mut Type;
type ObjectPtr = *mut Object;

/// `PyDateTime_CAPI`, in C's order.
#[repr(C)]
struct Table {
    date_type: *const Type,
    date_time_type: *const Type,
    time_type: *const Type,
    delta_type: *const Type,
    tzinfo_type: *const Type,
    utc: ObjectPtr,
    date: unsafe extern "C" fn(c_int, c_int, c_int, TypePtr) -> ObjectPtr,
    date_time: unsafe extern "C" fn(
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        ObjectPtr,
        TypePtr,
    ) -> ObjectPtr,
    time: unsafe extern "C" fn(c_int, c_int, c_int, c_int, ObjectPtr, TypePtr) -> ObjectPtr,
    delta: unsafe extern "C" fn(c_int, c_int, c_int, c_int, TypePtr) -> ObjectPtr,
    time_zone: unsafe extern "C" fn(ObjectPtr, ObjectPtr) -> ObjectPtr,
    date_time_from_timestamp: unsafe extern "C" fn(ObjectPtr, ObjectPtr, ObjectPtr) -> ObjectPtr,
    date_from_timestamp: unsafe extern "C" fn(ObjectPtr, ObjectPtr) -> ObjectPtr,
    date_time_and_fold: unsafe extern "C" fn(
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        c_int,
        ObjectPtr,
        c_int,
        TypePtr,
    ) -> ObjectPtr,
    time_and_fold: unsafe extern "C" fn(c_int, c_int, c_int, c_int, ObjectPtr, c_int, TypePtr) -> ObjectPtr,
}

const _: () = assert!(size_of::<Table>() == 120);

/// The thread's state.
///
/// # Safety
/// Extensions call on attached threads.
unsafe fn current<'a>() -> &'a Vm {
    // SAFETY: passed on to the caller.
    unsafe { Vm::current() }
}

unsafe extern "C" fn date(year: c_int, month: c_int, day: c_int, cls: TypePtr) -> ObjectPtr {
    // SAFETY: called on an attached thread with a live class.
    let (vm, cls) = unsafe { (current(), &*cls) };
    to_c(Day::new(year, month, day).check(vm).and_then(|day| Date::make(cls, day, vm)))
}

#[allow(clippy::too_many_arguments, reason = "the C signature")]
unsafe extern "C" fn date_time_and_fold(
    year: c_int,
    month: c_int,
    day: c_int,
    hour: c_int,
    minute: c_int,
    second: c_int,
    micro: c_int,
    zone: ObjectPtr,
    fold: c_int,
    cls: TypePtr,
) -> ObjectPtr {
    // SAFETY: called on an attached thread with live objects.
    let (vm, cls, zone) = unsafe { (current(), &*cls, zone.as_ref()) };
    to_c((|| {
        let day = Day::new(year, month, day).check(vm)?;
        let clock = Clock { hour, minute, second, micro, fold }.check(vm)?;
        DateTime::make(cls, day, clock, zone_arg(zone, vm)?, vm)
    })())
}

#[allow(clippy::too_many_arguments, reason = "the C signature")]
unsafe extern "C" fn date_time(
    year: c_int,
    month: c_int,
    day: c_int,
    hour: c_int,
    minute: c_int,
    second: c_int,
    micro: c_int,
    zone: ObjectPtr,
    cls: TypePtr,
) -> ObjectPtr {
    // SAFETY: passed on to the caller.
    unsafe { date_time_and_fold(year, month, day, hour, minute, second, micro, zone, 0, cls) }
}

unsafe extern "C" fn time_and_fold(
    hour: c_int,
    minute: c_int,
    second: c_int,
    micro: c_int,
    zone: ObjectPtr,
    fold: c_int,
    cls: TypePtr,
) -> ObjectPtr {
    // SAFETY: called on an attached thread with live objects.
    let (vm, cls, zone) = unsafe { (current(), &*cls, zone.as_ref()) };
    to_c((|| {
        let clock = Clock { hour, minute, second, micro, fold }.check(vm)?;
        Time::make(cls, clock, zone_arg(zone, vm)?, vm)
    })())
}

unsafe extern "C" fn time(
    hour: c_int,
    minute: c_int,
    second: c_int,
    micro: c_int,
    zone: ObjectPtr,
    cls: TypePtr,
) -> ObjectPtr {
    // SAFETY: passed on to the caller.
    unsafe { time_and_fold(hour, minute, second, micro, zone, 0, cls) }
}

unsafe extern "C" fn delta(
    days: c_int,
    seconds: c_int,
    micros: c_int,
    _normalize: c_int,
    cls: TypePtr,
) -> ObjectPtr {
    // SAFETY: called on an attached thread with a live class.
    let (vm, cls) = unsafe { (current(), &*cls) };
    to_c(Delta::normal(cls, i64::from(days), i64::from(seconds), i64::from(micros), vm))
}

unsafe extern "C" fn time_zone(offset: ObjectPtr, name: ObjectPtr) -> ObjectPtr {
    // SAFETY: called on an attached thread with live objects.
    let (vm, offset, name) = unsafe { (current(), &*offset, name.as_ref()) };
    to_c((|| {
        let Some(offset) = offset.downcast_ref::<Delta>() else {
            return Err(vm.type_error("offset must be a timedelta"));
        };
        TimeZone::make(offset, name.and_then(|name| name.downcast_ref::<Str>()), vm)
    })())
}

unsafe extern "C" fn date_time_from_timestamp(cls: ObjectPtr, args: ObjectPtr, kw: ObjectPtr) -> ObjectPtr {
    // SAFETY: called on an attached thread with live objects; the keywords may be null.
    let (vm, cls, args, kw) = unsafe { (current(), &*cls, &*args, kw.as_ref()) };
    to_c((|| {
        let Some(args) = args.downcast_ref::<Tuple>() else {
            return Err(vm.type_error("argument list must be a tuple"));
        };
        let method = cls.get_attr(&names(vm).fromtimestamp, vm)?;
        method.call_tuple_dict(args, kw.and_then(|kw| kw.downcast_ref::<Dict>()), vm)
    })())
}

unsafe extern "C" fn date_from_timestamp(cls: ObjectPtr, args: ObjectPtr) -> ObjectPtr {
    // SAFETY: passed on to the caller.
    unsafe { date_time_from_timestamp(cls, args, std::ptr::null_mut()) }
}

/// The capsule of the table, which lives as long as the process.
pub fn capsule(vm: &Vm) -> ObjRef {
    let table = Box::new(Table {
        date_type: Date::type_object(),
        date_time_type: DateTime::type_object(),
        time_type: Time::type_object(),
        delta_type: Delta::type_object(),
        tzinfo_type: TzInfo::type_object(),
        utc: timezone::utc(vm).into_raw(),
        date,
        date_time,
        time,
        delta,
        time_zone,
        date_time_from_timestamp,
        date_from_timestamp,
        date_time_and_fold,
        time_and_fold,
    });
    let pointer: *mut c_void = Box::into_raw(table).cast();
    Capsule::new(pointer, c"datetime.datetime_CAPI".as_ptr(), None, vm).into_object()
}
