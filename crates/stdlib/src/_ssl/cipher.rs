//! Ciphers as Python has them.

use std::ffi::{CStr, c_char, c_int};

use taipan_vm::prelude::*;

use crate::openssl::{ffi, text};

/// (name, protocol, secret bits), as `cipher()` gives it.
///
/// # Safety
/// The cipher is live; OpenSSL's are static.
pub unsafe fn triple(cipher: *const ffi::SSL_CIPHER, vm: &Vm) -> Ref<Tuple> {
    // SAFETY: the caller's promise; the texts are static.
    unsafe {
        let shown = |text: Option<String>| text.map_or(vm.none(), |text| vm.new_str(&text).into_object());
        let bits = ffi::SSL_CIPHER_get_bits(cipher, std::ptr::null_mut());
        vm.new_tuple([
            shown(text(ffi::SSL_CIPHER_get_name(cipher))),
            shown(text(ffi::SSL_CIPHER_get_version(cipher))),
            vm.new_int(bits),
        ])
    }
}

/// All that OpenSSL tells of a cipher, as `get_ciphers()` gives it.
///
/// # Safety
/// As `triple`.
pub unsafe fn details(cipher: *const ffi::SSL_CIPHER, vm: &Vm) -> PyResult<Ref<Dict>> {
    let contents = vm.new_dict();
    let set = |name: &str, value: ObjRef| contents.set_str(&vm.intern(name), &value, vm);
    let shown = |text: Option<String>| text.map_or(vm.none(), |text| vm.new_str(&text).into_object());
    let named = |number: c_int| {
        // SAFETY: the texts are static.
        let name = if number == ffi::NID_undef { None } else { unsafe { text(ffi::OBJ_nid2ln(number)) } };
        shown(name)
    };
    // SAFETY: the caller's promise; the buffer has that length, and OpenSSL ends the text within it.
    unsafe {
        let mut description = [0u8; 512];
        ffi::SSL_CIPHER_description(cipher, description.as_mut_ptr().cast::<c_char>(), 511);
        let description = CStr::from_bytes_until_nul(&description).unwrap_or_default().to_string_lossy();
        let mut bits: c_int = 0;
        let strength = ffi::SSL_CIPHER_get_bits(cipher, &raw mut bits);
        set("id", vm.new_int(ffi::SSL_CIPHER_get_id(cipher)))?;
        set("name", shown(text(ffi::SSL_CIPHER_get_name(cipher))))?;
        set("protocol", shown(text(ffi::SSL_CIPHER_get_version(cipher))))?;
        set("description", vm.new_str(description.trim_end()).into_object())?;
        set("strength_bits", vm.new_int(strength))?;
        set("alg_bits", vm.new_int(bits))?;
        set("aead", vm.new_bool(ffi::SSL_CIPHER_is_aead(cipher) != 0))?;
        set("symmetric", named(ffi::SSL_CIPHER_get_cipher_nid(cipher)))?;
        set("digest", named(ffi::SSL_CIPHER_get_digest_nid(cipher)))?;
        set("kea", named(ffi::SSL_CIPHER_get_kx_nid(cipher)))?;
        set("auth", named(ffi::SSL_CIPHER_get_auth_nid(cipher)))?;
    }
    Ok(contents)
}
