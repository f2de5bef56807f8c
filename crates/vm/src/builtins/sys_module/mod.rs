//! The module `sys`.

use crate::builtins::structseq::StructSeq;
use crate::prelude::*;

mod functions;
pub mod hooks;
mod monitoring;
pub mod remote;
mod tracing;

/// The module.
pub struct Sys;

static FLAGS: StructSeq = StructSeq {
    name: "sys.flags",
    doc: "sys.flags\n\nFlags provided through command line arguments or environment vars.",
    fields: &[
        ("debug", "-d"),
        ("inspect", "-i"),
        ("interactive", "-i"),
        ("optimize", "-O or -OO"),
        ("dont_write_bytecode", "-B"),
        ("no_user_site", "-s"),
        ("no_site", "-S"),
        ("ignore_environment", "-E"),
        ("verbose", "-v"),
        ("bytes_warning", "-b"),
        ("quiet", "-q"),
        ("hash_randomization", "-R"),
        ("isolated", "-I"),
        ("dev_mode", "-X dev"),
        ("utf8_mode", "-X utf8"),
        ("warn_default_encoding", "-X warn_default_encoding"),
        ("safe_path", "-P"),
        ("int_max_str_digits", "-X int_max_str_digits"),
        ("gil", "-X gil"),
        ("thread_inherit_context", "-X thread_inherit_context"),
        ("context_aware_warnings", "-X context_aware_warnings"),
    ],
    visible: 18,
};

static VERSION_INFO: StructSeq = StructSeq {
    name: "sys.version_info",
    doc: "sys.version_info\n\nVersion information as a named tuple.",
    fields: &[
        ("major", "Major release number"),
        ("minor", "Minor release number"),
        ("micro", "Patch release number"),
        ("releaselevel", "'alpha', 'beta', 'candidate', or 'final'"),
        ("serial", "Serial release number"),
    ],
    visible: 5,
};

static FLOAT_INFO: StructSeq = StructSeq {
    name: "sys.float_info",
    doc: "sys.float_info\n\nA named tuple holding information about the float type. It contains low level\ninformation about the precision and internal representation. Please study\nyour system's :file:`float.h` for more information.",
    fields: &[
        ("max", "DBL_MAX -- maximum representable finite float"),
        ("max_exp", "DBL_MAX_EXP -- maximum int e such that radix**(e-1) is representable"),
        ("max_10_exp", "DBL_MAX_10_EXP -- maximum int e such that 10**e is representable"),
        ("min", "DBL_MIN -- Minimum positive normalized float"),
        ("min_exp", "DBL_MIN_EXP -- minimum int e such that radix**(e-1) is a normalized float"),
        ("min_10_exp", "DBL_MIN_10_EXP -- minimum int e such that 10**e is a normalized float"),
        ("dig", "DBL_DIG -- maximum number of decimal digits that can be faithfully represented in a float"),
        ("mant_dig", "DBL_MANT_DIG -- mantissa digits"),
        ("epsilon", "DBL_EPSILON -- Difference between 1 and the next representable float"),
        ("radix", "FLT_RADIX -- radix of exponent"),
        ("rounds", "FLT_ROUNDS -- rounding mode used for arithmetic operations"),
    ],
    visible: 11,
};

static INT_INFO: StructSeq = StructSeq {
    name: "sys.int_info",
    doc: "sys.int_info\n\nA named tuple that holds information about Python's\ninternal representation of integers.  The attributes are read only.",
    fields: &[
        ("bits_per_digit", "size of a digit in bits"),
        ("sizeof_digit", "size in bytes of the C type used to represent a digit"),
        ("default_max_str_digits", "maximum string conversion digits limitation"),
        ("str_digits_check_threshold", "minimum positive value for int_max_str_digits"),
    ],
    visible: 4,
};

static HASH_INFO: StructSeq = StructSeq {
    name: "sys.hash_info",
    doc: "hash_info\n\nA named tuple providing parameters used for computing hashes.\nThe attributes are read only.",
    fields: &[
        ("width", "width of the type used for hashing, in bits"),
        ("modulus", "prime number giving the modulus on which the hash function is based"),
        ("inf", "value to be used for hash of a positive infinity"),
        ("nan", "value to be used for hash of a nan"),
        ("imag", "multiplier used for the imaginary part of a complex number"),
        ("algorithm", "name of the algorithm for hashing of str, bytes and memoryviews"),
        ("hash_bits", "internal output size of hash algorithm"),
        ("seed_bits", "seed size of hash algorithm"),
        ("cutoff", "small string optimization cutoff"),
    ],
    visible: 9,
};

static THREAD_INFO: StructSeq = StructSeq {
    name: "sys.thread_info",
    doc: "sys.thread_info\n\nA named tuple holding information about the thread implementation.",
    fields: &[
        ("name", "name of the thread implementation"),
        ("lock", "name of the lock implementation"),
        ("version", "name and version of the thread library"),
    ],
    visible: 3,
};

static ASYNCGEN_HOOKS: StructSeq = StructSeq {
    name: "sys.asyncgen_hooks",
    doc: "",
    fields: &[("firstiter", ""), ("finalizer", "")],
    visible: 2,
};

/// What `sys.unraisablehook` is called with.
pub(crate) static UNRAISABLE_HOOK_ARGS: StructSeq = StructSeq {
    name: "UnraisableHookArgs",
    doc: "UnraisableHookArgs\n\nType used to pass arguments to sys.unraisablehook.",
    fields: &[
        ("exc_type", "Exception type"),
        ("exc_value", "Exception value"),
        ("exc_traceback", "Exception traceback"),
        ("err_msg", "Error message"),
        ("object", "Object causing the exception"),
    ],
    visible: 5,
};
/// `sys.version`.
pub const VERSION: &str = concat!("3.14.10 (taipan ", env!("CARGO_PKG_VERSION"), ") [Rust]");

const HEX_VERSION: u32 = 0x030e_0af0;

fn flags(vm: &Vm) -> PyResult {
    let config = vm.interp().config.borrow().clone();
    let int = |value: i64| vm.new_int(value);
    let flag = |value: bool| vm.new_int(i64::from(value));
    let values = vec![
        int(config.debug.min(1).into()),
        flag(config.inspect),
        flag(config.interactive),
        int(config.optimization_level.into()),
        flag(!config.write_bytecode),
        flag(!config.user_site),
        flag(!config.site_import),
        flag(!config.use_environment),
        int(config.verbose.into()),
        int(config.bytes_warning.into()),
        flag(config.quiet),
        flag(config.hash_seed != Some(0)),
        flag(config.isolated),
        vm.new_bool(config.dev_mode),
        flag(config.utf8_mode),
        flag(config.warn_default_encoding),
        vm.new_bool(config.safe_path),
        int(config.int_max_str_digits.into()),
        int(1),
        flag(config.thread_inherit_context),
        flag(config.context_aware_warnings),
    ];
    FLAGS.close(vm)?;
    FLAGS.instance(values, vm)
}

fn version_info(vm: &Vm) -> PyResult {
    let parts =
        vec![vm.new_int(3), vm.new_int(14), vm.new_int(10), vm.new_str("final").into_object(), vm.new_int(0)];
    VERSION_INFO.close(vm)?;
    VERSION_INFO.instance(parts, vm)
}

fn strings(items: impl IntoIterator<Item = String>, vm: &Vm) -> Vec<ObjRef> {
    items.into_iter().map(|text| vm.new_str(&text).into_object()).collect()
}

/// Everything of `sys` that is no function.
fn fill(module: &Module, vm: &Vm) -> PyResult<()> {
    let config = vm.interp().config.borrow().clone();
    let set = |name: &str, value: ObjRef| module.set(name, &value, vm);
    let text = |value: &str| vm.new_str(value).into_object();
    set("version", text(VERSION))?;
    set("hexversion", vm.new_int(HEX_VERSION))?;
    set("api_version", vm.new_int(1013))?;
    set(
        "copyright",
        text(
            "Copyright (c) 2001 Python Software Foundation.\nAll Rights Reserved.\n\nCopyright (c) The Taipan developers.\nAll Rights Reserved.",
        ),
    )?;
    set("platform", text("linux"))?;
    set("platlibdir", text("lib"))?;
    set("byteorder", text(if cfg!(target_endian = "little") { "little" } else { "big" }))?;
    set("maxsize", vm.new_int(i64::MAX))?;
    set("maxunicode", vm.new_int(0x10ffff))?;
    set("float_repr_style", text("short"))?;
    set("abiflags", text(""))?;
    set("_git", vm.new_tuple([text("Taipan"), text(""), text("")]).into_object())?;
    set("_framework", text(""))?;
    set("version_info", version_info(vm)?)?;
    set("flags", flags(vm)?)?;
    let float_info = vec![
        vm.new_float(f64::MAX),
        vm.new_int(f64::MAX_EXP),
        vm.new_int(f64::MAX_10_EXP),
        vm.new_float(f64::MIN_POSITIVE),
        vm.new_int(f64::MIN_EXP),
        vm.new_int(f64::MIN_10_EXP),
        vm.new_int(f64::DIGITS),
        vm.new_int(f64::MANTISSA_DIGITS),
        vm.new_float(f64::EPSILON),
        vm.new_int(f64::RADIX),
        vm.new_int(1),
    ];
    set("float_info", FLOAT_INFO.instance(float_info, vm)?)?;
    let int_info = [30, 4, 4300, 640].map(|n: i64| vm.new_int(n)).to_vec();
    set("int_info", INT_INFO.instance(int_info, vm)?)?;
    let hash_info = vec![
        vm.new_int(64),
        vm.new_int((1i64 << 61) - 1),
        vm.new_int(314_159),
        vm.new_int(0),
        vm.new_int(1_000_003),
        text("siphash13"),
        vm.new_int(64),
        vm.new_int(128),
        vm.new_int(0),
    ];
    set("hash_info", HASH_INFO.instance(hash_info, vm)?)?;
    let thread_info = vec![text("pthread"), text("semaphore"), thread_library_version(vm)];
    set("thread_info", THREAD_INFO.instance(thread_info, vm)?)?;
    let names: Vec<&'static str> = vm.interp().import.builtin.borrow().iter().map(|def| def.name).collect();
    let mut names = strings(names.into_iter().map(str::to_owned), vm);
    names.sort_by_key(|n| n.str(vm).map(|s| s.to_string_lossy().into_owned()).unwrap_or_default());
    set("builtin_module_names", vm.new_tuple(names).into_object())?;
    let stdlib = strings(STDLIB_MODULE_NAMES.split_whitespace().map(str::to_owned), vm);
    let stdlib = crate::builtins::set::FrozenSet::from_iterable(vm.new_tuple(stdlib).as_object(), vm)?;
    set("stdlib_module_names", stdlib.into_object())?;
    let os_text = |value: &std::ffi::OsStr| crate::protocols::path::from_os(value, vm).into_object();
    set("argv", vm.new_list(config.argv.iter().map(|a| os_text(a)).collect::<Vec<_>>()).into_object())?;
    set(
        "orig_argv",
        vm.new_list(config.orig_argv.iter().map(|a| os_text(a)).collect::<Vec<_>>()).into_object(),
    )?;
    set("warnoptions", vm.new_list(strings(config.warn_options.clone(), vm)).into_object())?;
    let xoptions = vm.new_dict();
    for (name, value) in &config.xoptions {
        let value = value.as_ref().map_or_else(|| vm.new_bool(true), |v| text(v));
        xoptions.set_item(vm.new_str(name).as_object(), &value, vm)?;
    }
    set("_xoptions", xoptions.into_object())?;
    set("dont_write_bytecode", vm.new_bool(!config.write_bytecode))?;
    set("pycache_prefix", config.pycache_prefix.as_deref().map_or_else(|| vm.none(), text))?;
    set("path_hooks", vm.new_list(Vec::new()).into_object())?;
    set("path_importer_cache", vm.new_dict().into_object())?;
    set("meta_path", vm.new_list(Vec::new()).into_object())?;
    set("path", vm.new_list(Vec::new()).into_object())?;
    implementation(module, vm)
}

/// The version of the C library's threads, as its configuration tells it; None where there is none.
fn thread_library_version(vm: &Vm) -> ObjRef {
    let mut text = [0_u8; 64];
    // SAFETY: the buffer has room for as many bytes as are said.
    let len =
        unsafe { libc::confstr(libc::_CS_GNU_LIBPTHREAD_VERSION, text.as_mut_ptr().cast(), text.len()) };
    match std::ffi::CStr::from_bytes_until_nul(&text) {
        Ok(text) if len > 0 => vm.new_str(&text.to_string_lossy()).into_object(),
        _ => vm.none(),
    }
}

/// `sys.implementation` (PEP 421): the name is the ABI's.
fn implementation(module: &Module, vm: &Vm) -> PyResult<()> {
    let attributes = vm.new_dict();
    let set = |name: &str, value: ObjRef| attributes.set_item(vm.intern(name).as_object(), &value, vm);
    set("name", vm.new_str("cpython").into_object())?;
    set("cache_tag", vm.new_str("cpython-314").into_object())?;
    set("version", version_info(vm)?)?;
    set("hexversion", vm.new_int(HEX_VERSION))?;
    set("_multiarch", vm.new_str("x86_64-linux-gnu").into_object())?;
    set("supports_isolated_interpreters", vm.new_bool(true))?;
    set("taipan", vm.new_str(env!("CARGO_PKG_VERSION")).into_object())?;
    let namespace = crate::builtins::namespace::Namespace::new(attributes, vm);
    module.set("implementation", &namespace, vm)
}

/// The names of the standard library's modules, those of other systems included (documentation of
/// `sys.stdlib_module_names`).
const STDLIB_MODULE_NAMES: &str = include_str!("stdlib_module_names.txt");

/// This module provides access to some objects used or maintained by the
/// interpreter and to functions that interact strongly with the interpreter.
#[pymodule(name = "sys", functions(FUNCTIONS, HOOK_FUNCTIONS, REMOTE_FUNCTIONS, TRACING_FUNCTIONS))]
impl Sys {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        fill(module, vm)?;
        module.set("_jit", &*monitoring::create_jit(vm)?, vm)?;
        let watching = monitoring::create(vm)?;
        module.set("monitoring", &watching, vm)
    }
}
