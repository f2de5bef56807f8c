//! Declarations of OpenSSL 3: those of `openssl-sys`, and those that it lacks.

use std::ffi::{c_char, c_int, c_long, c_uchar, c_uint, c_ulong, c_void};

pub use openssl_sys::*;

/// Libraries' numbers in error codes (`openssl/err.h`).
pub const ERR_LIB_SYS: c_int = 2;
/// See `ERR_LIB_SYS`.
pub const ERR_LIB_PEM: c_int = 9;
/// See `ERR_LIB_SYS`.
pub const ERR_LIB_X509: c_int = 11;
/// See `ERR_LIB_SYS`.
pub const ERR_LIB_ASN1: c_int = 13;
/// See `ERR_LIB_SYS`.
pub const ERR_LIB_SSL: c_int = 20;

/// Reasons' numbers (`openssl/sslerr.h` and its like).
pub const SSL_R_CERTIFICATE_VERIFY_FAILED: c_int = 134;
/// See `SSL_R_CERTIFICATE_VERIFY_FAILED`.
pub const SSL_R_UNEXPECTED_EOF_WHILE_READING: c_int = 294;
/// See `SSL_R_CERTIFICATE_VERIFY_FAILED`.
pub const PEM_R_NO_START_LINE: c_int = 108;
/// See `SSL_R_CERTIFICATE_VERIFY_FAILED`.
pub const ASN1_R_HEADER_TOO_LONG: c_int = 123;
/// See `SSL_R_CERTIFICATE_VERIFY_FAILED`.
pub const X509_R_CERT_ALREADY_IN_HASH_TABLE: c_int = 101;

/// Commands of `SSL_CTX_ctrl` and `SSL_ctrl` (`openssl/ssl.h`).
pub const SSL_CTRL_SET_GROUPS: c_int = 91;
/// The first of the counters of sessions; the others follow in the order of the manual.
pub const SSL_CTRL_SESS_NUMBER: c_int = 20;

/// Kinds of entries in a store (`openssl/x509.h`).
pub const X509_LU_X509: c_int = 1;
/// See `X509_LU_X509`.
pub const X509_LU_CRL: c_int = 2;

/// How a name is printed by RFC 2253, without the escape of bytes above 127.
pub const NAME_RFC2253_READABLE: c_ulong = (1 | 2 | 0x10 | 0x100 | 0x200) | (1 << 16) | (1 << 20);

/// Called with each message of the protocol.
pub type MessageCallback = unsafe extern "C" fn(
    write_p: c_int,
    version: c_int,
    content_type: c_int,
    buf: *const c_void,
    len: usize,
    ssl: *mut SSL,
    arg: *mut c_void,
);

unsafe extern "C" {
    pub fn EVP_MD_do_all_provided(
        libctx: *mut c_void,
        callback: unsafe extern "C" fn(*mut EVP_MD, *mut c_void),
        arg: *mut c_void,
    );
    pub fn EVP_MD_get_flags(md: *const EVP_MD) -> c_ulong;
    pub fn HMAC_CTX_get_md(ctx: *const HMAC_CTX) -> *const EVP_MD;
    pub fn HMAC(
        md: *const EVP_MD,
        key: *const c_void,
        key_length: c_int,
        data: *const c_uchar,
        length: usize,
        digest: *mut c_uchar,
        digest_length: *mut c_uint,
    ) -> *mut c_uchar;

    pub fn TLSv1_method() -> *const SSL_METHOD;
    pub fn TLSv1_1_method() -> *const SSL_METHOD;
    pub fn TLSv1_2_method() -> *const SSL_METHOD;

    pub fn SSL_CTX_set_default_passwd_cb(ctx: *mut SSL_CTX, callback: pem_password_cb);
    pub fn SSL_CTX_set_default_passwd_cb_userdata(ctx: *mut SSL_CTX, data: *mut c_void);
    pub fn SSL_CTX_get_default_passwd_cb(ctx: *mut SSL_CTX) -> pem_password_cb;
    pub fn SSL_CTX_get_default_passwd_cb_userdata(ctx: *mut SSL_CTX) -> *mut c_void;
    pub fn SSL_CTX_set_msg_callback(ctx: *mut SSL_CTX, callback: Option<MessageCallback>);
    pub fn SSL_set_msg_callback(ssl: *mut SSL, callback: Option<MessageCallback>);
    pub fn SSL_CTX_use_psk_identity_hint(ctx: *mut SSL_CTX, hint: *const c_char) -> c_int;
    pub fn SSL_CTX_load_verify_dir(ctx: *mut SSL_CTX, path: *const c_char) -> c_int;
    pub fn SSL_CTX_load_verify_file(ctx: *mut SSL_CTX, path: *const c_char) -> c_int;
    pub fn SSL_get_verify_callback(
        ssl: *const SSL,
    ) -> Option<extern "C" fn(c_int, *mut X509_STORE_CTX) -> c_int>;
    pub fn SSL_set_post_handshake_auth(ssl: *mut SSL, value: c_int);
    pub fn SSL_verify_client_post_handshake(ssl: *mut SSL) -> c_int;
    pub fn SSL_get_ciphers(ssl: *const SSL) -> *mut c_void;
    pub fn SSL_get_client_ciphers(ssl: *const SSL) -> *mut c_void;
    pub fn SSL_CIPHER_is_aead(cipher: *const SSL_CIPHER) -> c_int;
    pub fn SSL_CIPHER_get_id(cipher: *const SSL_CIPHER) -> u32;
    pub fn SSL_CIPHER_get_kx_nid(cipher: *const SSL_CIPHER) -> c_int;
    pub fn SSL_CIPHER_get_auth_nid(cipher: *const SSL_CIPHER) -> c_int;
    pub fn SSL_SESSION_dup(session: *const SSL_SESSION) -> *mut SSL_SESSION;
    pub fn SSL_SESSION_has_ticket(session: *const SSL_SESSION) -> c_int;
    pub fn SSL_SESSION_get_ticket_lifetime_hint(session: *const SSL_SESSION) -> c_ulong;

    pub fn X509_get_X509_PUBKEY(certificate: *const X509) -> *mut c_void;
    pub fn i2d_X509_PUBKEY(key: *const c_void, out: *mut *mut c_uchar) -> c_int;
    pub fn BIO_up_ref(bio: *mut BIO) -> c_int;
    pub fn X509_check_ca(certificate: *mut X509) -> c_int;
    pub fn X509_OBJECT_get_type(object: *const X509_OBJECT) -> c_int;
    pub fn X509_STORE_get1_objects(store: *mut X509_STORE) -> *mut c_void;
    pub fn X509_NAME_ENTRY_set(entry: *const X509_NAME_ENTRY) -> c_int;
    pub fn X509_NAME_print_ex(out: *mut BIO, name: *const X509_NAME, indent: c_int, flags: c_ulong) -> c_int;
    pub fn GENERAL_NAME_print(out: *mut BIO, name: *mut GENERAL_NAME) -> c_int;
    pub fn i2a_ASN1_INTEGER(out: *mut BIO, integer: *const ASN1_INTEGER) -> c_int;
    pub fn SSL_set_session_id_context(ssl: *mut SSL, id: *const c_uchar, length: c_uint) -> c_int;
    pub fn BIO_new_file(path: *const c_char, mode: *const c_char) -> *mut BIO;
    pub fn OBJ_obj2txt(
        buffer: *mut c_char,
        length: c_int,
        object: *const ASN1_OBJECT,
        no_name: c_int,
    ) -> c_int;

    pub fn BIO_meth_set_write(
        method: *mut BIO_METHOD,
        write: unsafe extern "C" fn(*mut BIO, *const c_char, c_int) -> c_int,
    ) -> c_int;
    pub fn BIO_meth_set_read(
        method: *mut BIO_METHOD,
        read: unsafe extern "C" fn(*mut BIO, *mut c_char, c_int) -> c_int,
    ) -> c_int;
    pub fn BIO_meth_set_ctrl(
        method: *mut BIO_METHOD,
        ctrl: unsafe extern "C" fn(*mut BIO, c_int, c_long, *mut c_void) -> c_long,
    ) -> c_int;
    pub fn BIO_meth_set_destroy(
        method: *mut BIO_METHOD,
        destroy: unsafe extern "C" fn(*mut BIO) -> c_int,
    ) -> c_int;
    pub fn BIO_get_new_index() -> c_int;

    pub fn SSL_CTX_set_alpn_protos(ctx: *mut SSL_CTX, protos: *const c_uchar, length: c_uint) -> c_int;
}
