//! The `PYTHON*` environment variables and the `-X` options, which mostly say the same.

use std::io::Write as _;

use taipan_vm::runtime::config::Config;

use crate::command_line::Failure;

/// The state of the runtime in which bad values are found.
const PREINITIALIZED: &str = "preinitialized";

/// Puts the environment, unless `-E` or `-I` forbid it, and the `-X` options into the configuration, and derives what depends
/// on several of them.
pub fn apply(config: &mut Config) -> Result<(), Failure> {
    // In the C locale, UTF-8 is used all the same (PEP 540).
    config.utf8_mode = locale_is_c();
    let coercion = variable("PYTHONCOERCECLOCALE").filter(|_| config.use_environment);
    let coerced = config.utf8_mode && coercion.as_deref() != Some("0") && coerce_locale(coercion.as_deref());
    if config.use_environment {
        variables(config)?;
    }
    for (name, value) in config.xoptions.clone() {
        x_option(config, &name, value.as_deref())?;
    }
    if coercion.as_deref() == Some("warn") && !coerced && !config.utf8_mode && locale_is_c() {
        let _ = writeln!(
            std::io::stderr(),
            "Python runtime initialized with LC_CTYPE=C (a locale with default ASCII encoding), which may cause Unicode compatibility problems. Using C.UTF-8, C.utf8, or UTF-8 (if available) as alternative Unicode-compatible locales is recommended."
        );
    }
    let mut options = Vec::new();
    if config.dev_mode {
        options.push("default".to_owned());
    }
    if let Some(given) = variable("PYTHONWARNINGS").filter(|_| config.use_environment) {
        options.extend(given.split(',').map(str::to_owned));
    }
    options.append(&mut config.warn_options);
    match config.bytes_warning {
        0 => {}
        1 => options.push("default::BytesWarning".to_owned()),
        _ => options.push("error::BytesWarning".to_owned()),
    }
    config.warn_options = options;
    Ok(())
}

/// Takes the locale of the environment over, and says whether it is the C locale, in which UTF-8 mode is on (PEP 540).
fn locale_is_c() -> bool {
    // SAFETY: the program has one thread yet.
    unsafe { libc::setlocale(libc::LC_CTYPE, c"".as_ptr()) };
    matches!(&*taipan_vm::runtime::start::locale_name(), "" | "C" | "POSIX")
}

/// Replaces the C locale by one of UTF-8, for libraries and child processes too, unless `LC_ALL` forbids it (PEP 538). Says
/// whether that was done.
fn coerce_locale(wish: Option<&str>) -> bool {
    if variable("LC_ALL").is_some() {
        return false;
    }
    let has = |target: &std::ffi::CStr| {
        // SAFETY: the program has one thread yet; the name is NUL-terminated.
        unsafe { !libc::setlocale(libc::LC_CTYPE, target.as_ptr()).is_null() }
    };
    let Some(target) = [c"C.UTF-8", c"C.utf8", c"UTF-8"].into_iter().find(|target| has(target)) else {
        return false;
    };
    let target = target.to_string_lossy();
    // SAFETY: the program has one thread yet.
    unsafe { std::env::set_var("LC_CTYPE", &*target) };
    if wish == Some("warn") {
        let _ = writeln!(
            std::io::stderr(),
            "Python detected LC_CTYPE=C: LC_CTYPE coerced to {target} (set another locale or PYTHONCOERCECLOCALE=0 to disable this locale coercion behavior)."
        );
    }
    true
}

/// A variable that is set but empty counts as not set.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable that is a number, or any word, which counts as 1.
fn level(name: &str) -> Option<i32> {
    variable(name).map(|value| value.parse::<i32>().ok().filter(|level| *level >= 0).unwrap_or(1))
}

/// How much is told of imports: the numbers 0 to 2, and 1 for any word.
fn import_time(value: Option<&str>, text: &str) -> Result<i32, Failure> {
    match value.map(str::parse::<i32>) {
        Some(Ok(level @ 0..=2)) => Ok(level),
        Some(Ok(_)) => Err(bad(text)),
        _ => Ok(1),
    }
}

fn bad(text: &str) -> Failure {
    Failure::fatal(text, PREINITIALIZED)
}

/// A limit of `int_max_str_digits`.
fn digits(value: Option<&str>, what: &str) -> Result<i32, Failure> {
    match value.and_then(|v| v.parse::<i32>().ok()) {
        Some(digits) if digits == 0 || digits >= 640 => Ok(digits),
        _ => Err(bad(&format!(
            "config_init_int_max_str_digits: {what}: invalid limit; must be >= 640 or 0 for unlimited."
        ))),
    }
}

fn frames(value: &str, what: &str) -> Result<i32, Failure> {
    let number = value.parse::<i32>().ok().filter(|n| *n >= 0);
    number.ok_or_else(|| bad(&format!("config_init_tracemalloc: {what}: invalid number of frames")))
}

fn switch(value: Option<&str>, text: &str) -> Result<bool, Failure> {
    match value {
        Some("1") => Ok(true),
        Some("0") => Ok(false),
        _ => Err(bad(text)),
    }
}

/// A processor count; -1 is what the system says.
fn processors(value: Option<&str>, text: &str) -> Result<i32, Failure> {
    match value {
        Some("default") => Ok(-1),
        value => value.and_then(|v| v.parse::<i32>().ok()).filter(|n| *n > 0).ok_or_else(|| bad(text)),
    }
}

fn variables(config: &mut Config) -> Result<(), Failure> {
    let at_least = |now: i32, name: &str| level(name).map_or(now, |level| now.max(level));
    let is_set = |name: &str| level(name).is_some_and(|level| level > 0);
    config.optimization_level = at_least(config.optimization_level, "PYTHONOPTIMIZE");
    config.verbose = at_least(config.verbose, "PYTHONVERBOSE");
    config.debug = at_least(config.debug, "PYTHONDEBUG");
    config.write_bytecode &= !is_set("PYTHONDONTWRITEBYTECODE");
    config.user_site &= !is_set("PYTHONNOUSERSITE");
    config.inspect |= is_set("PYTHONINSPECT");
    config.unbuffered |= is_set("PYTHONUNBUFFERED");
    config.safe_path |= is_set("PYTHONSAFEPATH");
    config.dev_mode |= variable("PYTHONDEVMODE").is_some();
    config.faulthandler |= variable("PYTHONFAULTHANDLER").is_some();
    config.warn_default_encoding |= variable("PYTHONWARNDEFAULTENCODING").is_some();
    config.code_debug_ranges &= variable("PYTHONNODEBUGRANGES").is_none();
    if let Some(value) = variable("PYTHONPROFILEIMPORTTIME") {
        let text = "config_init_import_time: PYTHONPROFILEIMPORTTIME: numeric values other than 1 and 2 are reserved for future use.";
        config.import_time = import_time(Some(&value), text)?;
    }
    if let Some(paths) = variable("PYTHONPATH") {
        config.python_path = paths.split(':').map(str::to_owned).collect();
    }
    if let Some(home) = variable("PYTHONHOME") {
        let home = home.split(':').next().unwrap_or_default().to_owned();
        config.stdlib_dir = Some(format!("{home}/lib/python3.14"));
    }
    config.pycache_prefix = variable("PYTHONPYCACHEPREFIX");
    match variable("PYTHONUTF8").as_deref() {
        None => {}
        Some("1") => config.utf8_mode = true,
        Some("0") => config.utf8_mode = false,
        Some(_) => {
            let text = "preconfig_init_utf8_mode: invalid PYTHONUTF8 environment variable value";
            return Err(Failure::fatal(text, "preinitializing"));
        }
    }
    if let Some(seed) = variable("PYTHONHASHSEED").filter(|seed| seed != "random" && !config.random_hashes) {
        let Ok(seed) = seed.parse::<u32>() else {
            return Err(bad(
                "config_init_hash_seed: PYTHONHASHSEED must be \"random\" or an integer in range [0; 4294967295]",
            ));
        };
        config.hash_seed = Some(seed);
    }
    if let Some(value) = variable("PYTHONINTMAXSTRDIGITS") {
        config.int_max_str_digits = digits(Some(&value), "PYTHONINTMAXSTRDIGITS")?;
    }
    if let Some(value) = variable("PYTHONTRACEMALLOC") {
        config.tracemalloc = frames(&value, "PYTHONTRACEMALLOC")?;
    }
    if let Some(value) = variable("PYTHON_CPU_COUNT") {
        let text = "config_init_cpu_count: PYTHON_CPU_COUNT=n environment variable: n is missing or an invalid number, n must be greater than 0";
        config.cpu_count = processors(Some(&value), text)?;
    }
    if let Some(value) = variable("PYTHON_THREAD_INHERIT_CONTEXT") {
        let text =
            "config_init_thread_inherit_context: PYTHON_THREAD_INHERIT_CONTEXT=N: N is missing or invalid";
        config.thread_inherit_context = switch(Some(&value), text)?;
    }
    if let Some(value) = variable("PYTHON_CONTEXT_AWARE_WARNINGS") {
        let text =
            "config_init_context_aware_warnings: PYTHON_CONTEXT_AWARE_WARNINGS=N: N is missing or invalid";
        config.context_aware_warnings = switch(Some(&value), text)?;
    }
    Ok(())
}

fn x_option(config: &mut Config, name: &str, value: Option<&str>) -> Result<(), Failure> {
    match name {
        "dev" => config.dev_mode = true,
        "utf8" => match value {
            None | Some("1") => config.utf8_mode = true,
            Some("0") => config.utf8_mode = false,
            Some(_) => {
                let text = "preconfig_init_utf8_mode: invalid -X utf8 option value";
                return Err(Failure::fatal(text, "preinitializing"));
            }
        },
        "stdlib" => config.stdlib_dir = value.map(str::to_owned),
        "pycache_prefix" => config.pycache_prefix = value.filter(|v| !v.is_empty()).map(str::to_owned),
        "importtime" => {
            let text = "config_init_import_time: -X importtime: values other than 1 and 2 are reserved for future use.";
            config.import_time = import_time(value, text)?;
        }
        "faulthandler" => config.faulthandler = true,
        "no_debug_ranges" => config.code_debug_ranges = false,
        "warn_default_encoding" => config.warn_default_encoding = true,
        "tracemalloc" => config.tracemalloc = frames(value.unwrap_or("1"), "-X tracemalloc=NFRAME")?,
        "int_max_str_digits" => config.int_max_str_digits = digits(value, "-X int_max_str_digits")?,
        "cpu_count" => {
            let text = "config_init_cpu_count: -X cpu_count=n option: n is missing or an invalid number, n must be greater than 0";
            config.cpu_count = processors(value, text)?;
        }
        "frozen_modules" => {
            if !matches!(value, None | Some("" | "on" | "off")) {
                return Err(bad("bad value for option -X frozen_modules (expected \"on\" or \"off\")"));
            }
        }
        "thread_inherit_context" => {
            let text =
                "config_init_thread_inherit_context: -X thread_inherit_context=n: n is missing or invalid";
            config.thread_inherit_context = switch(value, text)?;
        }
        "context_aware_warnings" => {
            let text =
                "config_init_context_aware_warnings: -X context_aware_warnings=n: n is missing or invalid";
            config.context_aware_warnings = switch(value, text)?;
        }
        _ => {}
    }
    Ok(())
}
