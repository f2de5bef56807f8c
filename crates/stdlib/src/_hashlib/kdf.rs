//! Keys from passwords: PBKDF2 (RFC 8018) and scrypt (RFC 7914).

use std::ffi::c_int;

use taipan_vm::prelude::*;

use super::names::{self, openssl_error};
use crate::openssl::ffi;
use crate::room;

fn c_length(length: usize, what: &str, vm: &Vm) -> PyResult<c_int> {
    c_int::try_from(length).map_err(|_| vm.overflow_error(format!("{what} is too long.")))
}

/// `pbkdf2_hmac`.
pub fn pbkdf2(
    hash_name: &str,
    password: &[u8],
    salt: &[u8],
    iterations: i64,
    dklen: Option<&Object>,
    vm: &Vm,
) -> PyResult<Ref<Bytes>> {
    let algorithm = names::fetch(hash_name, vm)?;
    let password_length = c_length(password.len(), "password", vm)?;
    let salt_length = c_length(salt.len(), "salt", vm)?;
    if iterations < 1 {
        return Err(vm.value_error("iteration value must be greater than 0."));
    }
    let Ok(iterations) = c_int::try_from(iterations) else {
        return Err(vm.overflow_error("iteration value is too great."));
    };
    let length = match dklen {
        // SAFETY: the function is live.
        None => i64::from(unsafe { ffi::EVP_MD_get_size(algorithm.as_ptr()) }),
        Some(given) => match given.as_index(vm)?.to_i64() {
            Some(length) => length,
            None => return Err(vm.overflow_error("Python int too large to convert to C long")),
        },
    };
    if length < 1 {
        return Err(vm.value_error("key length must be greater than 0."));
    }
    let Ok(c_length) = c_int::try_from(length) else {
        return Err(vm.overflow_error("key length is too great."));
    };
    let mut key = room::zeroed(length as usize, vm)?;
    let (place, function): (*mut u8, _) = (key.as_mut_ptr(), algorithm.as_ptr());
    // SAFETY: password, salt and key have their lengths.
    let done = vm.allow_threads(|| unsafe {
        ffi::PKCS5_PBKDF2_HMAC(
            password.as_ptr().cast(),
            password_length,
            salt.as_ptr(),
            salt_length,
            iterations,
            function,
            c_length,
            place,
        )
    });
    if done == 0 { Err(openssl_error(types::value_error(), vm)) } else { Ok(vm.new_bytes(&key)) }
}

fn unsigned(object: &Object, vm: &Vm) -> PyResult<u64> {
    let number = object.as_index(vm)?;
    number.to_u64().ok_or_else(|| {
        if number.is_negative() {
            vm.value_error("Cannot convert negative int")
        } else {
            vm.overflow_error("Python int too large for C unsigned long")
        }
    })
}

/// The costs of scrypt.
pub struct Costs<'a> {
    /// CPU and memory.
    pub n: &'a Object,
    /// The size of blocks.
    pub r: &'a Object,
    /// Parallelism.
    pub p: &'a Object,
    /// The limit of memory; 0 for OpenSSL's own.
    pub maxmem: i64,
}

/// `scrypt`.
pub fn scrypt(password: &[u8], salt: &[u8], costs: &Costs<'_>, dklen: i64, vm: &Vm) -> PyResult<Ref<Bytes>> {
    let (n, r, p) = (unsigned(costs.n, vm)?, unsigned(costs.r, vm)?, unsigned(costs.p, vm)?);
    c_length(password.len(), "password", vm)?;
    c_length(salt.len(), "salt", vm)?;
    if n < 2 || !n.is_power_of_two() {
        return Err(vm.value_error("n must be a power of 2."));
    }
    let limit = i64::from(i32::MAX);
    if !(0..=limit).contains(&costs.maxmem) {
        return Err(vm.value_error(format!("maxmem must be positive and smaller than {limit}")));
    }
    if !(1..=limit).contains(&dklen) {
        return Err(vm.value_error(format!("dklen must be greater than 0 and smaller than {limit}")));
    }
    let maxmem = costs.maxmem as u64;
    // A trial without a key: whether the costs fit together.
    // SAFETY: null places are allowed for that.
    let fits = unsafe {
        ffi::EVP_PBE_scrypt(
            std::ptr::null(),
            0,
            std::ptr::null(),
            0,
            n,
            r,
            p,
            maxmem,
            std::ptr::null_mut(),
            0,
        )
    };
    if fits == 0 {
        if crate::openssl::ErrorCode::newest().is_some() {
            return Err(openssl_error(types::value_error(), vm));
        }
        return Err(vm.value_error("Invalid parameter combination for n, r, p, maxmem."));
    }
    let mut key = room::zeroed(dklen as usize, vm)?;
    let (place, length): (*mut u8, usize) = (key.as_mut_ptr(), key.len());
    // SAFETY: password, salt and key have their lengths.
    let done = vm.allow_threads(|| unsafe {
        ffi::EVP_PBE_scrypt(
            password.as_ptr().cast(),
            password.len(),
            salt.as_ptr(),
            salt.len(),
            n,
            r,
            p,
            maxmem,
            place,
            length,
        )
    });
    if done == 0 { Err(openssl_error(types::value_error(), vm)) } else { Ok(vm.new_bytes(&key)) }
}
