//! Parameters of compression and decompression, and the constants that name them.

use taipan_vm::prelude::*;
use zstd_sys as zs;

use super::{Failure, state};

/// `ZSTD_CLEVEL_DEFAULT`.
pub const DEFAULT_LEVEL: i32 = 3;
/// The number of the parameter that is a level.
pub const COMPRESSION_LEVEL: i32 = 100;
/// The number of the parameter that is a number of threads.
pub const NB_WORKERS: i32 = 400;

/// The module's constants.
pub const CONSTANTS: &[(&str, i32)] = &[
    ("ZSTD_c_compressionLevel", COMPRESSION_LEVEL),
    ("ZSTD_c_windowLog", 101),
    ("ZSTD_c_hashLog", 102),
    ("ZSTD_c_chainLog", 103),
    ("ZSTD_c_searchLog", 104),
    ("ZSTD_c_minMatch", 105),
    ("ZSTD_c_targetLength", 106),
    ("ZSTD_c_strategy", 107),
    ("ZSTD_c_enableLongDistanceMatching", 160),
    ("ZSTD_c_ldmHashLog", 161),
    ("ZSTD_c_ldmMinMatch", 162),
    ("ZSTD_c_ldmBucketSizeLog", 163),
    ("ZSTD_c_ldmHashRateLog", 164),
    ("ZSTD_c_contentSizeFlag", 200),
    ("ZSTD_c_checksumFlag", 201),
    ("ZSTD_c_dictIDFlag", 202),
    ("ZSTD_c_nbWorkers", NB_WORKERS),
    ("ZSTD_c_jobSize", 401),
    ("ZSTD_c_overlapLog", 402),
    ("ZSTD_d_windowLogMax", 100),
    ("ZSTD_fast", 1),
    ("ZSTD_dfast", 2),
    ("ZSTD_greedy", 3),
    ("ZSTD_lazy", 4),
    ("ZSTD_lazy2", 5),
    ("ZSTD_btlazy2", 6),
    ("ZSTD_btopt", 7),
    ("ZSTD_btultra", 8),
    ("ZSTD_btultra2", 9),
];

/// Python's names of parameters.
const NAMES: [(i32, &str); 19] = [
    (100, "compression_level"),
    (101, "window_log"),
    (102, "hash_log"),
    (103, "chain_log"),
    (104, "search_log"),
    (105, "min_match"),
    (106, "target_length"),
    (107, "strategy"),
    (160, "enable_long_distance_matching"),
    (161, "ldm_hash_log"),
    (162, "ldm_min_match"),
    (163, "ldm_bucket_size_log"),
    (164, "ldm_hash_rate_log"),
    (200, "content_size_flag"),
    (201, "checksum_flag"),
    (202, "dict_id_flag"),
    (400, "nb_workers"),
    (401, "job_size"),
    (402, "overlap_log"),
];

/// The library's functions that take a parameter, with the parameter as a number: programs may give any, the enumeration
/// of the bindings may hold only what it lists.
mod numbered {
    use super::zs;

    unsafe extern "C" {
        pub fn ZSTD_cParam_getBounds(parameter: i32) -> zs::ZSTD_bounds;
        pub fn ZSTD_dParam_getBounds(parameter: i32) -> zs::ZSTD_bounds;
        pub fn ZSTD_CCtx_setParameter(context: *mut zs::ZSTD_CCtx, parameter: i32, value: i32) -> usize;
        pub fn ZSTD_DCtx_setParameter(context: *mut zs::ZSTD_DCtx, parameter: i32, value: i32) -> usize;
    }
}

/// The least and greatest value of a parameter.
pub fn bounds(parameter: i32, compression: bool) -> Result<(i32, i32), Failure> {
    // SAFETY: the functions take any number.
    let bounds = unsafe {
        if compression {
            numbered::ZSTD_cParam_getBounds(parameter)
        } else {
            numbered::ZSTD_dParam_getBounds(parameter)
        }
    };
    Failure::check(bounds.error)?;
    Ok((bounds.lowerBound, bounds.upperBound))
}

fn refused(parameter: i32, value: i32, compression: bool, vm: &Vm) -> Raised {
    let kind = if compression { "compression" } else { "decompression" };
    let name = if compression {
        NAMES.iter().find(|(number, _)| *number == parameter).map(|(_, name)| *name)
    } else {
        (parameter == 100).then_some("window_log_max")
    };
    let name = match name {
        Some(name) => name.to_owned(),
        None => format!("unknown parameter (key {parameter})"),
    };
    match bounds(parameter, compression) {
        Err(_) => vm.value_error(format!("invalid {kind} parameter '{name}'")),
        Ok((lower, upper)) => vm.value_error(format!(
            "{kind} parameter '{name}' received an illegal value {value}; the valid range is [{lower}, {upper}]"
        )),
    }
}

/// A level that the library takes.
pub fn check_level(level: i32, vm: &Vm) -> PyResult<i32> {
    let (lower, upper) = level_bounds();
    if level < lower || level > upper {
        return Err(vm.value_error(format!(
            "illegal compression level {level}; the valid range is [{lower}, {upper}]"
        )));
    }
    Ok(level)
}

fn level_bounds() -> (i32, i32) {
    bounds(COMPRESSION_LEVEL, true).unwrap_or((i32::MIN, i32::MAX))
}

/// The `level` argument.
pub fn level_argument(level: &Object, vm: &Vm) -> PyResult<i32> {
    let Some(number) = level.downcast_ref::<Int>() else {
        return Err(vm.type_error("invalid type for level, expected int"));
    };
    match number.to_i64().and_then(|level| i32::try_from(level).ok()) {
        Some(level) => check_level(level, vm),
        None => {
            let (lower, upper) = level_bounds();
            let text = format!("illegal compression level; the valid range is [{lower}, {upper}]");
            Err(vm.value_error(text))
        }
    }
}

/// The numbers of an `options` dictionary, whose keys may not be of the other direction's enumeration.
pub fn numbers(options: &Dict, compression: bool, vm: &Vm) -> PyResult<Vec<(i32, i32)>> {
    let state = state(vm);
    let (other, kind, name) = if compression {
        (state.decompression.get(), "compression", "DecompressionParameter")
    } else {
        (state.compression.get(), "decompression", "CompressionParameter")
    };
    let mut numbers = Vec::with_capacity(options.len());
    for (key, value) in options.items_vec() {
        if other.as_ref().is_some_and(|other| key.ob_type().as_object().is(other.as_object())) {
            let text = format!("{kind} options dictionary key must not be a {name} attribute");
            return Err(vm.type_error(text));
        }
        numbers.push((c_int(&key, vm)?, c_int(&value, vm)?));
    }
    Ok(numbers)
}

fn c_int(value: &Object, vm: &Vm) -> PyResult<i32> {
    value
        .as_index(vm)?
        .to_i64()
        .and_then(|value| i32::try_from(value).ok())
        .ok_or_else(|| vm.overflow_error("Python int too large to convert to C int"))
}

/// Sets a parameter of compression.
///
/// # Safety
/// The context is alive.
pub unsafe fn set_compression(
    context: *mut zs::ZSTD_CCtx,
    parameter: i32,
    value: i32,
    vm: &Vm,
) -> PyResult<()> {
    // SAFETY: the caller vouches for the context.
    Failure::check(unsafe { numbered::ZSTD_CCtx_setParameter(context, parameter, value) })
        .map(drop)
        .map_err(|_| refused(parameter, value, true, vm))
}

/// Sets a parameter of decompression.
///
/// # Safety
/// The context is alive.
pub unsafe fn set_decompression(
    context: *mut zs::ZSTD_DCtx,
    parameter: i32,
    value: i32,
    vm: &Vm,
) -> PyResult<()> {
    // SAFETY: the caller vouches for the context.
    Failure::check(unsafe { numbered::ZSTD_DCtx_setParameter(context, parameter, value) })
        .map(drop)
        .map_err(|_| refused(parameter, value, false, vm))
}
