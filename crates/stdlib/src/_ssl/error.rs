//! `ssl`'s exceptions, made from OpenSSL's error queue.

use std::cell::RefCell;
use std::ffi::c_int;

use taipan_vm::builtins::type_::TypeExt;
use taipan_vm::builtins::type_::new::type_new;
use taipan_vm::builtins::type_::ready::type_ready;
use taipan_vm::exceptions::base::new_exception;
use taipan_vm::exceptions::os_error::OsError;
use taipan_vm::prelude::*;

use crate::openssl::{ErrorCode, ffi};

/// The layout of `ssl.SSLError`.
#[repr(C)]
#[derive(Traverse)]
pub struct SslError {
    base: OsError,
}

/// An error occurred in the SSL implementation.
#[pytype(name = "ssl.SSLError", base = OsError, flags(BASETYPE), gc)]
impl SslError {
    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult<ObjRef> {
        if let Some(text) = self.base.strerror.get() {
            if text.downcast_ref::<Str>().is_some() {
                return Ok(text);
            }
        }
        Ok(self.base.base.args(vm).as_object().str(vm)?.into_object())
    }
}

/// Which of the exceptions.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `SSLError` itself.
    Plain,
    /// `SSLZeroReturnError`.
    ZeroReturn,
    /// `SSLWantReadError`.
    WantRead,
    /// `SSLWantWriteError`.
    WantWrite,
    /// `SSLSyscallError`.
    Syscall,
    /// `SSLEOFError`.
    Eof,
    /// `SSLCertVerificationError`.
    CertVerification,
}

/// Kind, name and documentation of those derived from `SSLError`.
const DERIVED: [(Kind, &str, &str); 6] = [
    (Kind::ZeroReturn, "SSLZeroReturnError", "SSL/TLS session closed cleanly."),
    (
        Kind::WantRead,
        "SSLWantReadError",
        "Non-blocking SSL socket needs to read more data\nbefore the requested operation can be completed.",
    ),
    (
        Kind::WantWrite,
        "SSLWantWriteError",
        "Non-blocking SSL socket needs to write more data\nbefore the requested operation can be completed.",
    ),
    (Kind::Syscall, "SSLSyscallError", "System error when attempting SSL operation."),
    (Kind::Eof, "SSLEOFError", "SSL/TLS connection terminated abruptly."),
    (Kind::CertVerification, "SSLCertVerificationError", "A certificate could not be verified."),
];

#[derive(Default)]
struct Made(RefCell<Vec<(Kind, Ref<Type>)>>);

fn make(kind: Kind, name: &str, doc: &str, vm: &Vm) -> PyResult<Ref<Type>> {
    let dict = vm.new_dict();
    dict.set_str(vm.ids().__module__, vm.intern("ssl").as_object(), vm)?;
    dict.set_str(vm.ids().__doc__, vm.new_str(doc).as_object(), vm)?;
    let mut bases = vec![SslError::type_object().as_object().to_ref()];
    if kind == Kind::CertVerification {
        bases.push(types::value_error().as_object().to_ref());
    }
    let args =
        vm.new_tuple([vm.intern(name).into_object(), vm.new_tuple(bases).into_object(), dict.into_object()]);
    let tp = type_new(Type::type_type(), &args, None, vm)?;
    tp.downcast::<Type>().map_err(|_| vm.system_error("no type"))
}

/// Puts the exceptions into the module.
pub fn add_to(module: &Module, vm: &Vm) -> PyResult<()> {
    type_ready(SslError::type_object(), vm)?;
    module.set("SSLError", SslError::type_object().as_object(), vm)?;
    for (kind, name, _) in DERIVED {
        module.set(name, class(kind, vm)?.as_object(), vm)?;
    }
    Ok(())
}

fn class(kind: Kind, vm: &Vm) -> PyResult<Ref<Type>> {
    let made = vm.interp().state::<Made>();
    if let Some((_, tp)) = made.0.borrow().iter().find(|(known, _)| *known == kind) {
        return Ok(tp.clone());
    }
    let Some((_, name, doc)) = DERIVED.iter().find(|(known, _, _)| *known == kind) else {
        return Ok(Ref::new_ref(SslError::type_object()));
    };
    let tp = make(kind, name, doc, vm)?;
    made.0.borrow_mut().push((kind, tp.clone()));
    Ok(tp)
}

/// The names by which `exception.library` tells OpenSSL's parts (`ERR_LIB_` in `openssl/err.h`).
const LIBRARIES: [(c_int, &str); 46] = [
    (1, "NONE"),
    (2, "SYS"),
    (3, "BN"),
    (4, "RSA"),
    (5, "DH"),
    (6, "EVP"),
    (7, "BUF"),
    (8, "OBJ"),
    (9, "PEM"),
    (10, "DSA"),
    (11, "X509"),
    (13, "ASN1"),
    (14, "CONF"),
    (15, "CRYPTO"),
    (16, "EC"),
    (20, "SSL"),
    (32, "BIO"),
    (33, "PKCS7"),
    (34, "X509V3"),
    (35, "PKCS12"),
    (36, "RAND"),
    (37, "DSO"),
    (38, "ENGINE"),
    (39, "OCSP"),
    (40, "UI"),
    (41, "COMP"),
    (42, "ECDSA"),
    (43, "ECDH"),
    (44, "OSSL_STORE"),
    (45, "FIPS"),
    (46, "CMS"),
    (47, "TS"),
    (48, "HMAC"),
    (50, "CT"),
    (51, "ASYNC"),
    (52, "KDF"),
    (53, "SM2"),
    (54, "ESS"),
    (55, "PROP"),
    (56, "CRMF"),
    (57, "PROV"),
    (58, "CMP"),
    (59, "OSSL_ENCODER"),
    (60, "OSSL_DECODER"),
    (61, "HTTP"),
    (128, "USER"),
];

/// Reasons that are named otherwise than their text reads: text, name.
const RENAMED: [(&str, &str); 30] = [
    ("at least (D)TLS 1.2 needed in Suite B mode", "AT_LEAST_TLS_1_2_NEEDED_IN_SUITEB_MODE"),
    ("illegal Suite B digest", "ILLEGAL_SUITEB_DIGEST"),
    ("can't find SRP server param", "MISSING_SRP_PARAM"),
    (
        "Peer haven't sent GOST certificate, required for selected ciphersuite",
        "NO_GOST_CERTIFICATE_SENT_BY_PEER",
    ),
    ("error with the srp params", "SRP_A_CALC"),
    ("error creating crlstatus", "GENERATE_CRLSTATUS"),
    ("local address not available", "LOCAL_ADDR_NOT_AVAILABLE"),
    ("peer address not available", "PEER_ADDR_NOT_AVAILABLE"),
    ("non-fatal or transient error", "NON_FATAL"),
    ("seed_len is less than the length of q", "SEED_LEN_SMALL"),
    ("salt length check failed", "SLEN_CHECK_FAILED"),
    ("salt length recovery failed", "SLEN_RECOVERY_FAILED"),
    ("control command failed", "CTRL_FAILED"),
    ("cleanup method function failed", "FINISH_FAILED"),
    ("could not load the shared library", "LOAD_FAILED"),
    ("a null shared library handle was used", "NULL_HANDLE"),
    ("the meth_data stack is corrupt", "STACK_ERROR"),
    ("could not bind to the requested symbol name", "SYM_FAILURE"),
    ("could not unload the shared library", "UNLOAD_FAILED"),
    ("functionality not supported", "UNSUPPORTED"),
    ("Function not implemented", "FUNC_NOT_IMPLEMENTED"),
    ("Error writing file", "FWRITE_ERROR"),
    ("engine is not in the list", "ENGINE_IS_NOT_IN_LIST"),
    ("'id' or 'name' missing", "ID_OR_NAME_MISSING"),
    ("invalid public key", "INVALID_PUBKEY"),
    ("cannot load certificate", "CANNOT_LOAD_CERT"),
    ("cannot load private key", "CANNOT_LOAD_KEY"),
    ("cannot find config variable", "VAR_LOOKUP_FAILURE"),
    ("can't check dh key", "CANT_CHECK_DH_KEY"),
    ("partially overlapping buffers", "PARTIALLY_OVERLAPPING"),
];

/// Reasons from here on are common to all libraries, and `exception.reason` doesn't tell them.
const FIRST_COMMON_REASON: c_int = 1 << 18;

fn library_name(code: ErrorCode) -> Option<&'static str> {
    LIBRARIES.iter().find(|(number, _)| *number == code.library()).map(|(_, name)| *name)
}

/// The name that the reason has in OpenSSL's headers: "CERTIFICATE_VERIFY_FAILED".
fn reason_name(code: ErrorCode) -> Option<String> {
    if code.library() == ffi::ERR_LIB_SYS || code.reason() >= FIRST_COMMON_REASON {
        return None;
    }
    let text = code.reason_text()?;
    if let Some((_, name)) = RENAMED.iter().find(|(known, _)| *known == text) {
        return Some((*name).to_owned());
    }
    // Alerts that SSL 3 had are named for it.
    let text = text.replace("ssl/tls alert", "sslv3 alert");
    Some(text.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect())
}

/// What is wrong with the peer's certificate.
pub struct Verification {
    /// OpenSSL's number (`X509_V_ERR_…`).
    pub code: i64,
    /// Its text.
    pub message: String,
}

/// An exception before it is made.
pub struct Report<'a> {
    /// The class.
    pub kind: Kind,
    /// `errno`.
    pub number: i64,
    /// What OpenSSL said.
    pub code: Option<ErrorCode>,
    /// The text, where it isn't OpenSSL's.
    pub text: Option<&'a str>,
    /// With `Kind::CertVerification`.
    pub verification: Option<Verification>,
    /// The line shown: CPython's of the same operation, by which logs are compared.
    pub line: u32,
}

impl Report<'_> {
    /// Raises it.
    pub fn raise(self, vm: &Vm) -> Raised {
        match self.make(vm) {
            Ok(exception) => vm.raise_object(exception),
            Err(raised) => raised,
        }
    }

    fn make(self, vm: &Vm) -> PyResult<Ref<BaseException>> {
        let library = self.code.and_then(library_name);
        let reason = self.code.and_then(reason_name);
        let text = match self.text {
            Some(text) => text.to_owned(),
            None => self.code.and_then(ErrorCode::reason_text).unwrap_or_else(|| "unknown error".to_owned()),
        };
        let line = self.line;
        let message = match (&self.verification, library, &reason) {
            (Some(found), Some(library), Some(reason)) => {
                format!("[{library}: {reason}] {text}: {} (_ssl.c:{line})", found.message)
            }
            (_, Some(library), Some(reason)) => format!("[{library}: {reason}] {text} (_ssl.c:{line})"),
            (_, Some(library), None) => format!("[{library}] {text} (_ssl.c:{line})"),
            _ => format!("{text} (_ssl.c:{line})"),
        };
        let args = vec![vm.new_int(self.number), vm.new_str(&message).into_object()];
        let exception = new_exception(&*class(self.kind, vm)?, args, vm)?;
        let set = |name: &str, value: ObjRef| exception.as_object().set_attr(&vm.intern(name), &value, vm);
        let optional = |text: Option<&str>| text.map_or(vm.none(), |text| vm.intern(text).into_object());
        set("reason", optional(reason.as_deref()))?;
        set("library", optional(library))?;
        if self.kind == Kind::CertVerification {
            let (code, message) = match self.verification {
                Some(found) => (vm.new_int(found.code), vm.new_str(&found.message).into_object()),
                None => (vm.none(), vm.none()),
            };
            set("verify_code", code)?;
            set("verify_message", message)?;
        }
        Ok(exception)
    }
}

/// Raises `SSLError` for the newest entry of OpenSSL's queue, which is emptied.
#[cold]
pub fn newest(line: u32, vm: &Vm) -> Raised {
    let code = ErrorCode::newest();
    let number = code.map_or(0, |code| i64::from(code.reason()));
    let report = Report { kind: Kind::Plain, number, code, text: None, verification: None, line };
    let raised = report.raise(vm);
    ErrorCode::forget_all();
    raised
}

/// Raises `SSLError` with a text of our own.
#[cold]
pub fn plain(text: &str, line: u32, vm: &Vm) -> Raised {
    ErrorCode::forget_all();
    Report { kind: Kind::Plain, number: 0, code: None, text: Some(text), verification: None, line }.raise(vm)
}

/// Raises `SSLError(text)`: the text is the only argument.
#[cold]
pub fn bare(text: &str, vm: &Vm) -> Raised {
    ErrorCode::forget_all();
    vm.raise(SslError::type_object(), text)
}
