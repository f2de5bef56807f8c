//! Public keys that no chain may contain, whoever vouches for them (CPython 3.14.10 refuses the same).

use std::ffi::c_int;

use crate::openssl::ffi;

/// SHA-256 of the keys (`SubjectPublicKeyInfo`), sorted.
const KEYS: [[u8; 32]; 8] = [
    hash("43bffa19d6ef651451f6841e019931e96f6f2eaeff28ab4b6f1ce4576de2717b"),
    hash("49dd353dc2b919a3770645117d0e60c16115e7d1bc259eefe734b00ea434fe5f"),
    hash("5c0660a2b164910d8ff589c18e14552e9e0ec237dcefe2cb736d41a4811f81a0"),
    hash("63ecefee431d49523bc1136c4e72d0206a477086caf606cd5cf025686c109cf8"),
    hash("92c063d67e8f14db71d288e11266ffdaf69cbf115f7bab14f3bc2f68d25e0e30"),
    hash("e0254c7fcdc265e2f0f8a428dabb75ab4ae039b4872d62f5ee57f0877d5a8a41"),
    hash("ebed6475c2c2d80fcb199f3fe8dd6e6b3ce60b77eb15d4e42c3dec0c6f5b5105"),
    hash("ec4ffa1ad0ac88081314b7aaffef6a91f97cd57291bb5ba686c5415f5eb4f6b6"),
];

const fn digit(c: u8) -> u8 {
    if c <= b'9' { c - b'0' } else { c - b'a' + 10 }
}

#[allow(clippy::indexing_slicing, reason = "evaluated at build time only")]
const fn hash(text: &str) -> [u8; 32] {
    let text = text.as_bytes();
    let mut bytes = [0; 32];
    let mut at = 0;
    while at < 32 {
        bytes[at] = digit(text[2 * at]) << 4 | digit(text[2 * at + 1]);
        at += 1;
    }
    bytes
}

unsafe fn is_distrusted(certificate: *mut ffi::X509) -> bool {
    let mut place: *mut u8 = std::ptr::null_mut();
    let mut found = [0u8; 32];
    // SAFETY: the certificate is live; OpenSSL allocates the key's bytes, which are given back.
    unsafe {
        let key = ffi::X509_get_X509_PUBKEY(certificate);
        let Ok(length) = usize::try_from(ffi::i2d_X509_PUBKEY(key, &raw mut place)) else { return false };
        ffi::SHA256(place, length, found.as_mut_ptr());
        ffi::CRYPTO_free(place.cast(), c"".as_ptr(), 0);
    }
    KEYS.binary_search(&found).is_ok()
}

/// What verification asks for each certificate of a chain.
pub extern "C" fn verify(accepted: c_int, chain: *mut ffi::X509_STORE_CTX) -> c_int {
    // SAFETY: OpenSSL passes a live chain.
    unsafe {
        let certificate = ffi::X509_STORE_CTX_get_current_cert(chain);
        if accepted == 0 || certificate.is_null() || !is_distrusted(certificate) {
            return accepted;
        }
        ffi::X509_STORE_CTX_set_error(chain, ffi::X509_V_ERR_CERT_REJECTED);
    }
    0
}
