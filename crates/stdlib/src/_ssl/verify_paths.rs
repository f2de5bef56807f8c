//! Where the system keeps the certificates that it trusts. OpenSSL's own built-in place is of no use: the library is
//! part of the program, so the distribution's OpenSSL is asked for in the places that distributions build in.

use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::openssl::{ErrorCode, ffi};

/// The variables that name a file and folders instead.
pub const FILE_VARIABLE: &str = "SSL_CERT_FILE";
/// See `FILE_VARIABLE`.
pub const FOLDER_VARIABLE: &str = "SSL_CERT_DIR";

/// The base folders that distributions build into OpenSSL: Debian's, Fedora's, most others', OpenSSL's own.
const BASES: [&str; 4] = ["/usr/lib/ssl", "/etc/pki/tls", "/etc/ssl", "/usr/local/ssl"];

/// Whole bundles in one file, for systems whose base folder has neither a bundle nor hashed names.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The file and the folder that an OpenSSL of this system has built in.
pub struct BuiltIn {
    /// A bundle; it need not exist.
    pub file: PathBuf,
    /// A folder of certificates by their names' hashes.
    pub folder: PathBuf,
}

/// What this system has.
pub fn built_in() -> BuiltIn {
    let base = BASES.iter().map(Path::new).find(|base| base.join("certs").is_dir());
    let base = base.unwrap_or(Path::new("/usr/local/ssl"));
    BuiltIn { file: base.join("cert.pem"), folder: base.join("certs") }
}

/// Whether a folder has certificates by their names' hashes: "5ed36f99.0".
fn is_hashed(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|entries| {
        entries.flatten().any(|entry| {
            let name = entry.file_name();
            let name = name.as_bytes();
            name.len() >= 10
                && name.get(8) == Some(&b'.')
                && name.iter().take(8).all(|c| c.is_ascii_hexdigit())
        })
    })
}

/// Makes a context trust the system's certificates. Missing files and folders are no errors.
///
/// # Safety
/// The context is live.
pub unsafe fn load(context: *mut ffi::SSL_CTX) {
    let found = built_in();
    let given = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let (file, folders) = (given(FILE_VARIABLE), given(FOLDER_VARIABLE));
    let nothing_given = file.is_none() && folders.is_none();
    let mut file = file.unwrap_or(found.file);
    let folders = folders.unwrap_or(found.folder);
    if nothing_given && !file.is_file() && !is_hashed(&folders) {
        if let Some(bundle) = BUNDLES.iter().map(Path::new).find(|bundle| bundle.is_file()) {
            file = bundle.to_path_buf();
        }
    }
    let text = |path: &Path| CString::new(path.as_os_str().as_bytes()).ok();
    // SAFETY: the context is live, the texts are NUL-terminated.
    unsafe {
        if let Some(file) = text(&file).filter(|_| file.is_file()) {
            ffi::SSL_CTX_load_verify_file(context, file.as_ptr());
        }
        // OpenSSL itself takes a list of folders apart.
        if let Some(folders) = text(&folders) {
            ffi::SSL_CTX_load_verify_dir(context, folders.as_ptr());
        }
    }
    ErrorCode::forget_all();
}
