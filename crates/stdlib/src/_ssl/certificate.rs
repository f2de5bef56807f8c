//! Certificates: `_ssl.Certificate`, and their contents as Python has them.

use std::ffi::{c_char, c_int, c_void};

use taipan_vm::prelude::*;

use super::error;
use crate::openssl::{Bio, ffi, owned};

owned!(
    /// A certificate of OpenSSL's.
    Handle(ffi::X509),
    ffi::X509_free
);

owned!(
    /// A stack of names that an extension holds.
    Names(ffi::stack_st_GENERAL_NAME),
    free_names
);

/// `public_bytes(format)`: text.
pub const ENCODING_PEM: i32 = 1;
/// `public_bytes(format)`: bytes.
pub const ENCODING_DER: i32 = 2;

unsafe extern "C" fn free_name(name: *mut c_void) {
    // SAFETY: `free_names` passes the names of its stack.
    unsafe { ffi::GENERAL_NAME_free(name.cast()) }
}

unsafe extern "C" fn free_access(description: *mut c_void) {
    // SAFETY: `access_locations` passes the descriptions of its stack.
    unsafe { ffi::ACCESS_DESCRIPTION_free(description.cast()) }
}

unsafe extern "C" fn free_point(point: *mut c_void) {
    // SAFETY: `distribution_points` passes the points of its stack.
    unsafe { ffi::DIST_POINT_free(point.cast()) }
}

unsafe fn free_names(names: *mut ffi::stack_st_GENERAL_NAME) {
    // SAFETY: the caller gives the stack and what is on it.
    unsafe { ffi::OPENSSL_sk_pop_free(names.cast(), Some(free_name)) }
}

/// The elements of a stack.
///
/// # Safety
/// The stack is null or a live one of `T`, and stays as it is while the result is used.
unsafe fn elements<T>(stack: *const ffi::OPENSSL_STACK) -> impl Iterator<Item = *mut T> {
    // SAFETY: the caller's promise; a null stack has -1 elements.
    let count = unsafe { ffi::OPENSSL_sk_num(stack) };
    // SAFETY: the indices are those of the stack.
    (0..count).map(move |at| unsafe { ffi::OPENSSL_sk_value(stack, at) }.cast::<T>())
}

/// A name or number of an object identifier: its long name, or digits and dots with `as_number`.
///
/// # Safety
/// The object is live.
pub unsafe fn object_text(object: *const ffi::ASN1_OBJECT, as_number: bool) -> Option<String> {
    let mut text = vec![0u8; 256];
    loop {
        // SAFETY: the buffer has that length.
        let length = unsafe {
            let (place, size) = (text.as_mut_ptr().cast::<c_char>(), text.len() as c_int);
            ffi::OBJ_obj2txt(place, size, object, c_int::from(as_number))
        };
        let length = usize::try_from(length).ok().filter(|length| *length > 0)?;
        if length < text.len() {
            text.truncate(length);
            return Some(String::from_utf8_lossy(&text).into_owned());
        }
        text.resize(length + 1, 0);
    }
}

/// The bytes of an ASN.1 string.
///
/// # Safety
/// The string is live.
unsafe fn string_bytes(string: *const ffi::ASN1_STRING) -> Vec<u8> {
    // SAFETY: the caller's promise.
    unsafe {
        let place = ffi::ASN1_STRING_get0_data(string);
        match usize::try_from(ffi::ASN1_STRING_length(string)) {
            Ok(length) if length > 0 && !place.is_null() => {
                std::slice::from_raw_parts(place, length).to_vec()
            }
            _ => Vec::new(),
        }
    }
}

fn utf8(bytes: &[u8], vm: &Vm) -> PyResult {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(vm.new_str(text).into_object()),
        // The codec raises the precise error.
        Err(_) => vm.new_bytes(bytes).as_object().call_method(
            &vm.intern("decode"),
            &[vm.new_str("utf-8").as_object()],
            vm,
        ),
    }
}

/// A distinguished name: a tuple of relative names, each a tuple of (attribute, value).
unsafe fn name_object(name: *const ffi::X509_NAME, vm: &Vm) -> PyResult {
    let mut whole: Vec<ObjRef> = Vec::new();
    let mut relative: Vec<ObjRef> = Vec::new();
    let mut level = -1;
    // SAFETY: the name is live, and so are its entries.
    unsafe {
        for at in 0..ffi::X509_NAME_entry_count(name) {
            let entry = ffi::X509_NAME_get_entry(name, at);
            let set = ffi::X509_NAME_ENTRY_set(entry);
            if level >= 0 && set != level {
                whole.push(vm.new_tuple(std::mem::take(&mut relative)).into_object());
            }
            level = set;
            let Some(attribute) = object_text(ffi::X509_NAME_ENTRY_get_object(entry), false) else {
                return Err(error::newest(line!(), vm));
            };
            let mut text: *mut u8 = std::ptr::null_mut();
            let length = ffi::ASN1_STRING_to_UTF8(&raw mut text, ffi::X509_NAME_ENTRY_get_data(entry));
            let Ok(length) = usize::try_from(length) else { return Err(error::newest(line!(), vm)) };
            let bytes = std::slice::from_raw_parts(text, length).to_vec();
            ffi::CRYPTO_free(text.cast(), c"".as_ptr(), 0);
            let pair = [vm.new_str(&attribute).into_object(), utf8(&bytes, vm)?];
            relative.push(vm.new_tuple(pair).into_object());
        }
    }
    if !relative.is_empty() {
        whole.push(vm.new_tuple(relative).into_object());
    }
    Ok(vm.new_tuple(whole).into_object())
}

fn address_text(bytes: &[u8]) -> String {
    match bytes {
        [a, b, c, d] => format!("{a}.{b}.{c}.{d}"),
        bytes if bytes.len() == 16 => {
            let (groups, _) = bytes.as_chunks::<2>();
            let groups: Vec<String> =
                groups.iter().map(|g| format!("{:X}", u16::from_be_bytes(*g))).collect();
            groups.join(":")
        }
        _ => "<invalid>".to_owned(),
    }
}

/// An alternative name: (kind, value).
unsafe fn general_name(name: *mut ffi::GENERAL_NAME, vm: &Vm) -> PyResult {
    // SAFETY: the name is live, and its kind says what it points to.
    let (kind, value) = unsafe {
        let data = (*name).d;
        match (*name).type_ {
            ffi::GEN_DIRNAME => ("DirName", name_object(data.cast(), vm)?),
            ffi::GEN_EMAIL => ("email", utf8(&string_bytes(data.cast()), vm)?),
            ffi::GEN_DNS => ("DNS", utf8(&string_bytes(data.cast()), vm)?),
            ffi::GEN_URI => ("URI", utf8(&string_bytes(data.cast()), vm)?),
            ffi::GEN_RID => {
                let text = object_text(data.cast(), false).unwrap_or_else(|| "<INVALID>".to_owned());
                ("Registered ID", vm.new_str(&text).into_object())
            }
            ffi::GEN_IPADD => {
                ("IP Address", vm.new_str(&address_text(&string_bytes(data.cast()))).into_object())
            }
            other => {
                if !matches!(other, ffi::GEN_OTHERNAME | ffi::GEN_X400 | ffi::GEN_EDIPARTY) {
                    let text = format!("Unknown general name type {other}");
                    taipan_vm::builtins::warn::warn(types::runtime_warning(), &text, 1, vm)?;
                }
                let Some(out) = Bio::memory() else { return Err(vm.memory_error()) };
                ffi::GENERAL_NAME_print(out.as_ptr(), name);
                let shown = String::from_utf8_lossy(&out.contents()).into_owned();
                let Some((kind, value)) = shown.split_once(':') else {
                    return Err(vm.value_error(format!("Invalid value {shown}")));
                };
                let pair = [vm.new_str(kind).into_object(), vm.new_str(value).into_object()];
                return Ok(vm.new_tuple(pair).into_object());
            }
        }
    };
    Ok(vm.new_tuple([vm.new_str(kind).into_object(), value]).into_object())
}

/// The value of an extension, to be freed by the caller.
unsafe fn extension<T>(certificate: *const ffi::X509, number: c_int) -> *mut T {
    let (none, no_place) = (std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: the certificate is live; its extensions' kinds are known by their numbers.
    unsafe { ffi::X509_get_ext_d2i(certificate, number, none, no_place).cast() }
}

unsafe fn alternative_names(certificate: *const ffi::X509, vm: &Vm) -> PyResult<Option<ObjRef>> {
    // SAFETY: the extension of that number is a stack of names.
    unsafe {
        let Some(names) = Names::from_raw(extension(certificate, ffi::NID_subject_alt_name)) else {
            return Ok(None);
        };
        let found: PyResult<Vec<ObjRef>> =
            elements(names.as_ptr().cast_const().cast()).map(|name| general_name(name, vm)).collect();
        let found = found?;
        Ok(if found.is_empty() { None } else { Some(vm.new_tuple(found).into_object()) })
    }
}

/// The URIs of the authority's information under a method (OCSP, CA issuers).
unsafe fn access_locations(
    certificate: *const ffi::X509,
    method: c_int,
    vm: &Vm,
) -> PyResult<Option<ObjRef>> {
    // SAFETY: the extension of that number is a stack of access descriptions.
    unsafe {
        let stack: *mut ffi::OPENSSL_STACK = extension(certificate, ffi::NID_info_access);
        let mut found = Vec::new();
        for description in elements::<ffi::ACCESS_DESCRIPTION>(stack) {
            let (kind, location) = ((*description).method, (*description).location);
            if ffi::OBJ_obj2nid(kind) == method && (*location).type_ == ffi::GEN_URI {
                found.push(string_bytes((*location).d.cast()));
            }
        }
        ffi::OPENSSL_sk_pop_free(stack, Some(free_access));
        tuple_of_texts(found, vm)
    }
}

/// The URIs at which the lists of revoked certificates are.
unsafe fn distribution_points(certificate: *const ffi::X509, vm: &Vm) -> PyResult<Option<ObjRef>> {
    // SAFETY: the extension of that number is a stack of distribution points; a point's name of kind 0 is full.
    unsafe {
        let stack: *mut ffi::OPENSSL_STACK = extension(certificate, ffi::NID_crl_distribution_points);
        let mut found = Vec::new();
        for point in elements::<ffi::DIST_POINT>(stack) {
            let Some(name) = (*point).distpoint.as_ref().filter(|name| name.type_ == 0) else { continue };
            for general in elements::<ffi::GENERAL_NAME>(name.name.fullname.cast_const().cast()) {
                if (*general).type_ == ffi::GEN_URI {
                    found.push(string_bytes((*general).d.cast()));
                }
            }
        }
        ffi::OPENSSL_sk_pop_free(stack, Some(free_point));
        tuple_of_texts(found, vm)
    }
}

fn tuple_of_texts(found: Vec<Vec<u8>>, vm: &Vm) -> PyResult<Option<ObjRef>> {
    if found.is_empty() {
        return Ok(None);
    }
    let texts: PyResult<Vec<ObjRef>> = found.iter().map(|bytes| utf8(bytes, vm)).collect();
    Ok(Some(vm.new_tuple(texts?).into_object()))
}

/// What a printing function of OpenSSL's writes.
fn printed(print: impl FnOnce(*mut ffi::BIO) -> bool, vm: &Vm) -> PyResult {
    let Some(out) = Bio::memory() else { return Err(vm.memory_error()) };
    if !print(out.as_ptr()) {
        return Err(error::newest(line!(), vm));
    }
    let bytes = out.contents();
    // Long numbers go over several lines, of which the first counts.
    let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    Ok(vm.new_str(&String::from_utf8_lossy(line)).into_object())
}

/// The contents of a certificate as `getpeercert()` gives them.
///
/// # Safety
/// The certificate is live.
pub unsafe fn decode(certificate: *mut ffi::X509, vm: &Vm) -> PyResult<Ref<Dict>> {
    let contents = vm.new_dict();
    let set = |name: &str, value: ObjRef| contents.set_str(&vm.intern(name), &value, vm);
    // SAFETY: the certificate is live, and so are its parts.
    unsafe {
        set("subject", name_object(ffi::X509_get_subject_name(certificate), vm)?)?;
        set("issuer", name_object(ffi::X509_get_issuer_name(certificate), vm)?)?;
        set("version", vm.new_int(i64::from(ffi::X509_get_version(certificate)) + 1))?;
        let serial = ffi::X509_get_serialNumber(certificate);
        set("serialNumber", printed(|out| ffi::i2a_ASN1_INTEGER(out, serial) > 0, vm)?)?;
        let before = ffi::X509_getm_notBefore(certificate);
        set("notBefore", printed(|out| ffi::ASN1_TIME_print(out, before) > 0, vm)?)?;
        let after = ffi::X509_getm_notAfter(certificate);
        set("notAfter", printed(|out| ffi::ASN1_TIME_print(out, after) > 0, vm)?)?;
        let optional = [
            ("subjectAltName", alternative_names(certificate, vm)?),
            ("OCSP", access_locations(certificate, ffi::NID_ad_OCSP, vm)?),
            ("caIssuers", access_locations(certificate, ffi::NID_ad_ca_issuers, vm)?),
            ("crlDistributionPoints", distribution_points(certificate, vm)?),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                set(name, value)?;
            }
        }
    }
    Ok(contents)
}

/// The DER form of a certificate.
///
/// # Safety
/// The certificate is live.
pub unsafe fn der(certificate: *mut ffi::X509, vm: &Vm) -> PyResult<Ref<Bytes>> {
    let mut place: *mut u8 = std::ptr::null_mut();
    // SAFETY: OpenSSL allocates the bytes; they are copied and given back.
    unsafe {
        let length = ffi::i2d_X509(certificate, &raw mut place);
        let Ok(length) = usize::try_from(length) else { return Err(error::newest(line!(), vm)) };
        let bytes = vm.new_bytes(std::slice::from_raw_parts(place, length));
        ffi::CRYPTO_free(place.cast(), c"".as_ptr(), 0);
        Ok(bytes)
    }
}

/// The layout of `_ssl.Certificate`.
#[repr(C)]
pub struct Certificate {
    ob: Object,
    handle: Handle,
}

impl Certificate {
    /// An object for a certificate that stays OpenSSL's too.
    ///
    /// # Safety
    /// The certificate is live.
    pub unsafe fn share(certificate: *mut ffi::X509, vm: &Vm) -> PyResult<Ref<Certificate>> {
        // SAFETY: the caller's promise; the count just taken is the object's.
        let handle = unsafe {
            ffi::X509_up_ref(certificate);
            Handle::from_raw(certificate)
        };
        match handle {
            Some(handle) => Ok(vm.new_object(Certificate { ob: Object::new(Self::type_object()), handle })),
            None => Err(vm.memory_error()),
        }
    }

    /// A list of the certificates of a chain.
    ///
    /// # Safety
    /// The chain is live.
    pub unsafe fn list(chain: *const ffi::stack_st_X509, vm: &Vm) -> PyResult<Vec<ObjRef>> {
        // SAFETY: the caller's promise.
        unsafe {
            elements::<ffi::X509>(chain.cast())
                .map(|certificate| Certificate::share(certificate, vm).map(Ref::into_object))
                .collect()
        }
    }
}

#[pytype(name = "_ssl.Certificate", no_new)]
impl Certificate {
    #[method("($self, /)")]
    fn get_info(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        // SAFETY: the certificate is live.
        unsafe { decode(self.handle.as_ptr(), vm) }
    }

    #[method("($self, /, format=Encoding.PEM)")]
    fn public_bytes(&self, format: Option<i32>, vm: &Vm) -> PyResult {
        match format.unwrap_or(ENCODING_PEM) {
            ENCODING_PEM => {
                let Some(out) = Bio::memory() else { return Err(vm.memory_error()) };
                // SAFETY: both are live.
                if unsafe { ffi::PEM_write_bio_X509_AUX(out.as_ptr(), self.handle.as_ptr()) } != 1 {
                    return Err(error::newest(line!(), vm));
                }
                utf8(&out.contents(), vm)
            }
            // SAFETY: the certificate is live.
            ENCODING_DER => Ok(unsafe { der(self.handle.as_ptr(), vm) }?.into_object()),
            _ => Err(vm.value_error("Unsupported format")),
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let Some(out) = Bio::memory() else { return Err(vm.memory_error()) };
        // SAFETY: the certificate is live.
        let printed = unsafe {
            let name = ffi::X509_get_subject_name(self.handle.as_ptr());
            ffi::X509_NAME_print_ex(out.as_ptr(), name, 0, ffi::NAME_RFC2253_READABLE)
        };
        if printed < 0 {
            return Err(error::newest(line!(), vm));
        }
        let class = self.as_object().ob_type().tp_name_str();
        Ok(format!("<{class} '{}'>", String::from_utf8_lossy(&out.contents())))
    }

    #[slot]
    fn tp_hash(&self) -> PyResult<isize> {
        // SAFETY: the certificate is live.
        let hash = unsafe { ffi::X509_subject_name_hash(self.handle.as_ptr()) } as isize;
        Ok(if hash == -1 { -2 } else { hash })
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_ref::<Certificate>() else { return Ok(vm.not_implemented()) };
        // SAFETY: both are live.
        let same = unsafe { ffi::X509_cmp(self.handle.as_ptr(), other.handle.as_ptr()) } == 0;
        match op {
            CompareOp::Eq => Ok(vm.new_bool(same)),
            CompareOp::Ne => Ok(vm.new_bool(!same)),
            _ => Ok(vm.not_implemented()),
        }
    }
}

/// The contents of the certificate in a PEM file (`ssl._ssl._test_decode_cert`).
pub fn decode_file(path: &std::ffi::CStr, vm: &Vm) -> PyResult<Ref<Dict>> {
    // SAFETY: path and mode are NUL-terminated; the results are owned.
    unsafe {
        let Some(file) = Bio::from_raw(ffi::BIO_new_file(path.as_ptr(), c"r".as_ptr())) else {
            return Err(error::bare("Can't open file", vm));
        };
        let (none, nothing) = (std::ptr::null_mut(), std::ptr::null_mut());
        let Some(certificate) = Handle::from_raw(ffi::PEM_read_bio_X509(file.as_ptr(), none, None, nothing))
        else {
            return Err(error::bare("Error decoding PEM-encoded file", vm));
        };
        decode(certificate.as_ptr(), vm)
    }
}
