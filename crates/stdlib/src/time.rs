//! `time`: clocks and calendar time.

use std::time::Duration;

use taipan_vm::builtins::str::StrBuilder;
use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::prelude::*;

/// The module.
pub struct Time;

static STRUCT_TIME: StructSeq = StructSeq {
    name: "time.struct_time",
    doc: "The time value as returned by gmtime(), localtime(), and strptime(), and\n accepted by asctime(), mktime() and strftime().  May be considered as a\n sequence of 9 integers.",
    fields: &[
        ("tm_year", "year, for example, 1993"),
        ("tm_mon", "month of year, range [1, 12]"),
        ("tm_mday", "day of month, range [1, 31]"),
        ("tm_hour", "hours, range [0, 23]"),
        ("tm_min", "minutes, range [0, 59]"),
        ("tm_sec", "seconds, range [0, 61])"),
        ("tm_wday", "day of week, range [0, 6], Monday is 0"),
        ("tm_yday", "day of year, range [1, 366]"),
        ("tm_isdst", "1 if summer time is in effect, 0 if not, and -1 if unknown"),
        ("tm_zone", "abbreviation of timezone name"),
        ("tm_gmtoff", "offset from UTC in seconds"),
    ],
    visible: 9,
};

/// Nanoseconds of a clock.
fn clock(id: libc::clockid_t, vm: &Vm) -> PyResult<i64> {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the structure is ours.
    if unsafe { libc::clock_gettime(id, &raw mut now) } != 0 {
        return Err(vm.last_os_error(None));
    }
    Ok(now.tv_sec.saturating_mul(1_000_000_000).saturating_add(now.tv_nsec))
}

fn set_clock(id: libc::clockid_t, seconds: i64, nanoseconds: i64, vm: &Vm) -> PyResult<()> {
    let time = libc::timespec { tv_sec: seconds, tv_nsec: nanoseconds };
    // SAFETY: the structure is ours.
    if unsafe { libc::clock_settime(id, &raw const time) } != 0 {
        return Err(vm.last_os_error(None));
    }
    Ok(())
}

fn seconds(nanoseconds: i64) -> f64 {
    nanoseconds as f64 / 1e9
}

/// The moment that an argument means; now without one.
fn moment(secs: Option<&Object>, vm: &Vm) -> PyResult<i64> {
    match secs.filter(|s| !vm.is_none(s)) {
        None => Ok(clock(libc::CLOCK_REALTIME, vm)?.div_euclid(1_000_000_000)),
        Some(secs) => {
            if let Some(int) = secs.downcast_ref::<Int>() {
                return int
                    .to_i64()
                    .ok_or_else(|| vm.overflow_error("timestamp out of range for platform time_t"));
            }
            if secs.downcast_ref::<Float>().is_none() {
                return match secs.as_index(vm)?.to_i64() {
                    Some(secs) => Ok(secs),
                    None => Err(vm.overflow_error("timestamp out of range for platform time_t")),
                };
            }
            let value = secs.as_f64(vm)?.floor();
            if value.is_nan() {
                return Err(vm.value_error("Invalid value NaN (not a number)"));
            }
            if value.abs() >= 9.2e18 {
                return Err(vm.overflow_error("timestamp out of range for platform time_t"));
            }
            Ok(value as i64)
        }
    }
}

fn broken_down(secs: i64, local: bool, vm: &Vm) -> PyResult<libc::tm> {
    // SAFETY: zero is a valid value of every field; the structure is ours.
    unsafe {
        let mut tm: libc::tm = std::mem::zeroed();
        let found = if local {
            libc::localtime_r(&raw const secs, &raw mut tm)
        } else {
            libc::gmtime_r(&raw const secs, &raw mut tm)
        };
        if found.is_null() { Err(vm.last_os_error(None)) } else { Ok(tm) }
    }
}

fn to_object(tm: &libc::tm, vm: &Vm) -> PyResult {
    let int = |value: i32| vm.new_int(value);
    let zone = if tm.tm_zone.is_null() {
        vm.none()
    } else {
        // SAFETY: the library's zone names are NUL-terminated.
        vm.new_str(&unsafe { std::ffi::CStr::from_ptr(tm.tm_zone) }.to_string_lossy()).into_object()
    };
    let values = vec![
        vm.new_int(i64::from(tm.tm_year) + 1900),
        int(tm.tm_mon + 1),
        int(tm.tm_mday),
        int(tm.tm_hour),
        int(tm.tm_min),
        int(tm.tm_sec),
        int((tm.tm_wday + 6) % 7),
        int(tm.tm_yday + 1),
        int(tm.tm_isdst),
        zone,
        vm.new_int(tm.tm_gmtoff),
    ];
    STRUCT_TIME.instance(values, vm)
}

/// Reads a time tuple as it is: `mktime` carries fields that are out of range over to the others.
fn from_object(tuple: &Object, vm: &Vm) -> PyResult<libc::tm> {
    let Some(items) = tuple.downcast_ref::<Tuple>() else {
        return Err(vm.type_error("Tuple or struct_time argument required"));
    };
    if items.len() < 9 {
        return Err(vm.type_error("time tuple must have exactly 9 items"));
    }
    let mut fields = [0i64; 9];
    for (place, item) in fields.iter_mut().zip(items.as_slice()) {
        *place = item
            .as_index(vm)?
            .to_i64()
            .ok_or_else(|| vm.overflow_error("signed integer is greater than maximum"))?;
    }
    if fields.iter().any(|field| *field > i64::from(i32::MAX)) {
        return Err(vm.overflow_error("signed integer is greater than maximum"));
    }
    if fields.iter().any(|field| *field < i64::from(i32::MIN)) {
        return Err(vm.overflow_error("signed integer is less than minimum"));
    }
    let [year, month, day, hour, minute, second, weekday, yearday, dst] = fields;
    // SAFETY: zero is a valid value of every field.
    let mut tm: libc::tm = unsafe { std::mem::zeroed() };
    tm.tm_year = i32::try_from(year - 1900).map_err(|_| vm.overflow_error("year out of range"))?;
    tm.tm_mon = (month - 1) as i32;
    tm.tm_mday = day as i32;
    tm.tm_hour = hour as i32;
    tm.tm_min = minute as i32;
    tm.tm_sec = second as i32;
    // Sunday is 0 in C; what lies before -1 stays negative.
    tm.tm_wday = ((weekday + 1) % 7) as i32;
    tm.tm_yday = (yearday - 1) as i32;
    tm.tm_isdst = dst.clamp(-1, 1) as i32;
    Ok(tm)
}

/// Reads a time tuple to be shown: 0 stands for the first month, day or day of the year, else all is in range.
fn checked(tuple: &Object, vm: &Vm) -> PyResult<libc::tm> {
    let mut tm = from_object(tuple, vm)?;
    if tm.tm_mon == -1 {
        tm.tm_mon = 0;
    }
    if tm.tm_mday == 0 {
        tm.tm_mday = 1;
    }
    if tm.tm_yday == -1 {
        tm.tm_yday = 0;
    }
    let checks: [(bool, &str); 7] = [
        ((0..=11).contains(&tm.tm_mon), "month out of range"),
        ((1..=31).contains(&tm.tm_mday), "day of month out of range"),
        ((0..=23).contains(&tm.tm_hour), "hour out of range"),
        ((0..=59).contains(&tm.tm_min), "minute out of range"),
        ((0..=61).contains(&tm.tm_sec), "seconds out of range"),
        (tm.tm_wday >= 0, "day of week out of range"),
        ((0..=365).contains(&tm.tm_yday), "day of year out of range"),
    ];
    for (fine, text) in checks {
        if !fine {
            return Err(vm.value_error(text));
        }
    }
    Ok(tm)
}

fn time_or_now(tuple: Option<&Object>, vm: &Vm) -> PyResult<libc::tm> {
    match tuple {
        Some(tuple) => checked(tuple, vm),
        None => broken_down(moment(None, vm)?, true, vm),
    }
}

/// Formats a part of ASCII characters, which is emptied.
fn library_strftime(part: &mut Vec<u8>, tm: &libc::tm, out: &mut StrBuilder, vm: &Vm) -> PyResult<()> {
    if part.is_empty() {
        return Ok(());
    }
    // A mark in front tells an empty result from a buffer that was too small.
    let mut pattern = vec![b'x'];
    pattern.append(part);
    let size = 1024.max(pattern.len().saturating_mul(4));
    let Ok(pattern) = std::ffi::CString::new(pattern) else {
        return Err(vm.value_error("embedded null character"));
    };
    let mut buffer: Vec<u8> = vec![0; size];
    loop {
        // SAFETY: the buffer has the length told; the pattern is NUL-terminated.
        let written = unsafe {
            libc::strftime(buffer.as_mut_ptr().cast(), buffer.len(), pattern.as_ptr(), std::ptr::from_ref(tm))
        };
        if written > 0 {
            let text = buffer.get(1..written).unwrap_or_default();
            out.push(&*taipan_vm::protocols::path::decode(text, vm));
            return Ok(());
        }
        if buffer.len() > 1 << 24 {
            return Err(vm.memory_error());
        }
        buffer.resize(buffer.len() * 4, 0);
    }
}

fn asctime(tm: &libc::tm) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let day = usize::try_from(tm.tm_wday).ok().and_then(|at| DAYS.get(at)).unwrap_or(&"???");
    let month = usize::try_from(tm.tm_mon).ok().and_then(|at| MONTHS.get(at)).unwrap_or(&"???");
    format!(
        "{day} {month}{:3} {:02}:{:02}:{:02} {}",
        tm.tm_mday,
        tm.tm_hour,
        tm.tm_min,
        tm.tm_sec,
        i64::from(tm.tm_year) + 1900
    )
}

/// This module provides various functions to manipulate time values.
#[pymodule(name = "time")]
impl Time {
    /// Return the current time in seconds since the Epoch.
    #[function("($self, /)")]
    fn time(vm: &Vm) -> PyResult<f64> {
        clock(libc::CLOCK_REALTIME, vm).map(seconds)
    }

    /// Return the current time in nanoseconds since the Epoch.
    #[function("($self, /)")]
    fn time_ns(vm: &Vm) -> PyResult<i64> {
        clock(libc::CLOCK_REALTIME, vm)
    }

    /// Monotonic clock, cannot go backward.
    #[function("($self, /)")]
    fn monotonic(vm: &Vm) -> PyResult<f64> {
        clock(libc::CLOCK_MONOTONIC, vm).map(seconds)
    }

    /// Monotonic clock, cannot go backward, as nanoseconds.
    #[function("($self, /)")]
    fn monotonic_ns(vm: &Vm) -> PyResult<i64> {
        clock(libc::CLOCK_MONOTONIC, vm)
    }

    /// Return the resolution (precision) of the specified clock clk_id.
    #[function("!($module, clk_id, /)")]
    fn clock_getres(clk_id: i32, vm: &Vm) -> PyResult<f64> {
        let mut step = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the structure is ours.
        if unsafe { libc::clock_getres(clk_id, &raw mut step) } != 0 {
            return Err(vm.last_os_error(None));
        }
        Ok(step.tv_sec as f64 + step.tv_nsec as f64 * 1e-9)
    }

    /// Set the time of the specified clock clk_id.
    #[function("!($module, clk_id, time, /)")]
    fn clock_settime(clk_id: i32, time: f64, vm: &Vm) -> PyResult<()> {
        if time.is_nan() {
            return Err(vm.value_error("Invalid value NaN (not a number)"));
        }
        if time.abs() >= 9.2e18 {
            return Err(vm.overflow_error("timestamp out of range for platform time_t"));
        }
        let whole = time.floor();
        set_clock(clk_id, whole as i64, ((time - whole) * 1e9) as i64, vm)
    }

    /// Set the time of the specified clock clk_id with nanoseconds.
    #[function("!($module, clk_id, time, /)")]
    fn clock_settime_ns(clk_id: i32, time: i64, vm: &Vm) -> PyResult<()> {
        set_clock(clk_id, time.div_euclid(1_000_000_000), time.rem_euclid(1_000_000_000), vm)
    }

    /// Return the number of the clock that counts a thread's CPU time.
    #[function("!($module, thread_id, /)")]
    fn pthread_getcpuclockid(thread_id: u64, vm: &Vm) -> PyResult<i32> {
        let mut known = false;
        while !vm.interp().monitoring.visit_threads(|thread| known |= thread.thread_id.get() == thread_id) {
            std::thread::yield_now();
        }
        if !known {
            // The C library takes the number for an address, without a look at it.
            return Err(vm.os_error(libc::ESRCH, None));
        }
        let mut clock = 0;
        // SAFETY: the thread is one of ours, and alive as long as its state.
        match unsafe { libc::pthread_getcpuclockid(thread_id as libc::pthread_t, &raw mut clock) } {
            0 => Ok(clock),
            error => Err(vm.os_error(error, None)),
        }
    }

    /// Performance counter for benchmarking.
    #[function("($self, /)")]
    fn perf_counter(vm: &Vm) -> PyResult<f64> {
        clock(libc::CLOCK_MONOTONIC, vm).map(seconds)
    }

    /// Performance counter for benchmarking as nanoseconds.
    #[function("($self, /)")]
    fn perf_counter_ns(vm: &Vm) -> PyResult<i64> {
        clock(libc::CLOCK_MONOTONIC, vm)
    }

    /// Process time for profiling: sum of the kernel and user-space CPU time.
    #[function("($self, /)")]
    fn process_time(vm: &Vm) -> PyResult<f64> {
        clock(libc::CLOCK_PROCESS_CPUTIME_ID, vm).map(seconds)
    }

    /// Process time for profiling as nanoseconds.
    #[function("($self, /)")]
    fn process_time_ns(vm: &Vm) -> PyResult<i64> {
        clock(libc::CLOCK_PROCESS_CPUTIME_ID, vm)
    }

    /// Thread time for profiling: sum of the kernel and user-space CPU time.
    #[function("($self, /)")]
    fn thread_time(vm: &Vm) -> PyResult<f64> {
        clock(libc::CLOCK_THREAD_CPUTIME_ID, vm).map(seconds)
    }

    /// Thread time for profiling as nanoseconds.
    #[function("($self, /)")]
    fn thread_time_ns(vm: &Vm) -> PyResult<i64> {
        clock(libc::CLOCK_THREAD_CPUTIME_ID, vm)
    }

    /// Return the time of the specified clock clk_id as a float.
    #[function("($module, clk_id, /)")]
    fn clock_gettime(clk_id: i32, vm: &Vm) -> PyResult<f64> {
        clock(clk_id, vm).map(seconds)
    }

    /// Return the time of the specified clock clk_id as nanoseconds (int).
    #[function("($module, clk_id, /)")]
    fn clock_gettime_ns(clk_id: i32, vm: &Vm) -> PyResult<i64> {
        clock(clk_id, vm)
    }

    /// Delay execution for a given number of seconds.  The argument may be
    /// a floating-point number for subsecond precision.
    #[function("($self, object, /)")]
    fn sleep(seconds: &Object, vm: &Vm) -> PyResult<()> {
        taipan_vm::runtime::audit::audit("time.sleep", &[seconds], vm)?;
        if seconds.downcast_ref::<Float>().is_none() && !seconds.has_index() {
            let given = seconds.ob_type().tp_name_str();
            return Err(
                vm.type_error(format!("'{given}' object cannot be interpreted as an integer or float"))
            );
        }
        let secs = match seconds.downcast_ref::<Float>() {
            Some(float) => float.value(),
            None => seconds.as_index(vm)?.to_i64().map_or(f64::INFINITY, |secs| secs as f64),
        };
        if secs.is_nan() {
            return Err(vm.value_error("Invalid value NaN (not a number)"));
        }
        if secs < 0.0 {
            return Err(vm.value_error("sleep length must be non-negative"));
        }
        let total = Duration::try_from_secs_f64(secs).ok().filter(|total| total.as_secs() < 9_223_372_036);
        let Some(total) = total else {
            return Err(vm.overflow_error("timestamp out of range for C PyTime_t"));
        };
        let deadline =
            clock(libc::CLOCK_MONOTONIC, vm)?.saturating_add(total.as_nanos().min(i64::MAX as u128) as i64);
        loop {
            let left = deadline.saturating_sub(clock(libc::CLOCK_MONOTONIC, vm)?);
            if left <= 0 && secs > 0.0 {
                return Ok(());
            }
            let left = left.max(0);
            let request = libc::timespec { tv_sec: left / 1_000_000_000, tv_nsec: left % 1_000_000_000 };
            // A signal that came before would not end the sleep.
            taipan_vm::runtime::pending::check_signals(vm)?;
            // SAFETY: the structure is ours.
            vm.allow_threads(|| unsafe { libc::nanosleep(&raw const request, std::ptr::null_mut()) });
            // A signal's handler may raise, which ends the sleep.
            taipan_vm::runtime::pending::handle(vm)?;
            if secs == 0.0 {
                return Ok(());
            }
        }
    }

    /// Convert seconds since the Epoch to a time tuple expressing UTC (a.k.a. GMT).
    /// When 'seconds' is not passed in, convert the current time instead.
    #[function("!($module, seconds=None, /)")]
    fn gmtime(seconds: Option<&Object>, vm: &Vm) -> PyResult {
        to_object(&broken_down(moment(seconds, vm)?, false, vm)?, vm)
    }

    /// Convert seconds since the Epoch to a time tuple expressing local time.
    /// When 'seconds' is not passed in, convert the current time instead.
    #[function("!($module, seconds=None, /)")]
    fn localtime(seconds: Option<&Object>, vm: &Vm) -> PyResult {
        to_object(&broken_down(moment(seconds, vm)?, true, vm)?, vm)
    }

    /// Convert a time tuple in local time to seconds since the Epoch.
    #[function("($self, object, /)")]
    fn mktime(time_tuple: &Object, vm: &Vm) -> PyResult<f64> {
        let mut tm = from_object(time_tuple, vm)?;
        tm.tm_wday = -1;
        // SAFETY: the structure is ours.
        let seconds = unsafe { libc::mktime(&raw mut tm) };
        if seconds == -1 && tm.tm_wday == -1 {
            return Err(vm.overflow_error("mktime argument out of range"));
        }
        Ok(seconds as f64)
    }

    /// Convert a time tuple to a string, e.g. 'Sat Jun 06 16:26:11 1998'.
    /// When the time tuple is not present, current time as returned by localtime()
    /// is used.
    #[function("!($module, time_tuple=None, /)")]
    fn asctime(time_tuple: Option<&Object>, vm: &Vm) -> PyResult<String> {
        Ok(asctime(&time_or_now(time_tuple, vm)?))
    }

    /// Convert a time in seconds since the Epoch to a string in local time.
    #[function("!($module, seconds=None, /)")]
    fn ctime(seconds: Option<&Object>, vm: &Vm) -> PyResult<String> {
        Ok(asctime(&broken_down(moment(seconds, vm)?, true, vm)?))
    }

    /// Convert a time tuple to a string according to a format specification.
    #[function("!($module, format, time_tuple=None, /)")]
    fn strftime(format: &Str, time_tuple: Option<&Object>, vm: &Vm) -> PyResult<Ref<Str>> {
        let tm = time_or_now(time_tuple, vm)?;
        let mut out = StrBuilder::with_capacity(format.len());
        // The library gets the ASCII parts; what it could not pass through is copied.
        let mut part: Vec<u8> = Vec::new();
        for code in format.data().iter() {
            match u8::try_from(code) {
                Ok(byte @ 1..=127) => part.push(byte),
                _ => {
                    library_strftime(&mut part, &tm, &mut out, vm)?;
                    out.push_char(code);
                }
            }
        }
        library_strftime(&mut part, &tm, &mut out, vm)?;
        out.try_finish(vm)
    }

    /// Parse a string to a time tuple according to a format specification.
    #[function("!($module, string, format='%a %b %d %H:%M:%S %Y', /)")]
    fn strptime(string: &Object, format: Option<&Object>, vm: &Vm) -> PyResult {
        let module = taipan_vm::import::import_module("_strptime", vm)?;
        let function = module.get_attr(&vm.intern("_strptime_time"), vm)?;
        match format {
            Some(format) => function.call(&[string, format], vm),
            None => function.call(&[string], vm),
        }
    }

    /// Initialize, or reinitialize, the local timezone to the value stored in os.environ['TZ'].
    #[function("($self, /)")]
    fn tzset(module: &Module, vm: &Vm) -> PyResult<()> {
        set_zone(module, vm)
    }

    /// Get information of the specified clock.
    #[function("!($module, name, /)")]
    fn get_clock_info(name: &str, vm: &Vm) -> PyResult {
        let (implementation, monotonic, adjustable) = match name {
            "time" => ("clock_gettime(CLOCK_REALTIME)", false, true),
            "monotonic" | "perf_counter" => ("clock_gettime(CLOCK_MONOTONIC)", true, false),
            "process_time" => ("clock_gettime(CLOCK_PROCESS_CPUTIME_ID)", true, false),
            "thread_time" => ("clock_gettime(CLOCK_THREAD_CPUTIME_ID)", true, false),
            _ => return Err(vm.value_error("unknown clock")),
        };
        let dict = vm.new_dict();
        let set = |key: &str, value: ObjRef| dict.set_item(vm.intern(key).as_object(), &value, vm);
        set("implementation", vm.new_str(implementation).into_object())?;
        set("monotonic", vm.new_bool(monotonic))?;
        set("adjustable", vm.new_bool(adjustable))?;
        set("resolution", vm.new_float(1e-9))?;
        Ok(taipan_vm::builtins::namespace::Namespace::new(dict, vm))
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        for (name, value) in [
            ("CLOCK_REALTIME", libc::CLOCK_REALTIME),
            ("CLOCK_MONOTONIC", libc::CLOCK_MONOTONIC),
            ("CLOCK_MONOTONIC_RAW", libc::CLOCK_MONOTONIC_RAW),
            ("CLOCK_PROCESS_CPUTIME_ID", libc::CLOCK_PROCESS_CPUTIME_ID),
            ("CLOCK_THREAD_CPUTIME_ID", libc::CLOCK_THREAD_CPUTIME_ID),
            ("CLOCK_BOOTTIME", libc::CLOCK_BOOTTIME),
            ("CLOCK_TAI", libc::CLOCK_TAI),
        ] {
            module.set(name, &vm.new_int(value), vm)?;
        }
        module.set("_STRUCT_TM_ITEMS", &vm.new_int(11), vm)?;
        module.set("struct_time", STRUCT_TIME.get(vm)?.as_object(), vm)?;
        set_zone(module, vm)
    }
}

unsafe extern "C" {
    fn tzset();
    static tzname: [*const std::ffi::c_char; 2];
    static timezone: std::ffi::c_long;
    static daylight: std::ffi::c_int;
}

/// `timezone`, `altzone`, `daylight` and `tzname`.
fn set_zone(module: &Module, vm: &Vm) -> PyResult<()> {
    // SAFETY: the library's own variables, set by `tzset`; names are NUL-terminated.
    let (offset, has_dst, names) = unsafe {
        tzset();
        let text =
            |name: *const std::ffi::c_char| std::ffi::CStr::from_ptr(name).to_string_lossy().into_owned();
        (timezone, daylight, [text(tzname[0]), text(tzname[1])])
    };
    module.set("timezone", &vm.new_int(offset), vm)?;
    let alternative = if has_dst != 0 { offset - 3600 } else { offset };
    module.set("altzone", &vm.new_int(alternative), vm)?;
    module.set("daylight", &vm.new_int(has_dst), vm)?;
    let names = names.map(|name| vm.new_str(&name).into_object());
    module.set("tzname", vm.new_tuple(names).as_object(), vm)
}
