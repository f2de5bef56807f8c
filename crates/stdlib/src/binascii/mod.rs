//! `binascii`: bytes as text and back: base64, hex, uuencode, quoted-printable; checksums.

use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::prelude::*;

mod base64;
mod checksum;
mod hex;
mod quoted_printable;
mod uu;

/// `binascii.Error`.
pub static ERROR: DeclaredException = DeclaredException { name: "binascii.Error", base: types::value_error };

static INCOMPLETE: DeclaredException =
    DeclaredException { name: "binascii.Incomplete", base: types::exception };

/// Text to decode: bytes-like, or an ASCII str.
pub struct AsciiArg<'a>(AsciiData<'a>);

enum AsciiData<'a> {
    Text(&'a [u8]),
    Buffer(BufferArg),
}

impl AsciiArg<'_> {
    fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            AsciiData::Text(text) => text,
            AsciiData::Buffer(buffer) => buffer.as_bytes(),
        }
    }
}

impl<'a> FromArg<'a> for AsciiArg<'a> {
    fn from_arg(object: &'a Object, _what: &taipan_vm::args::ArgName, vm: &Vm) -> PyResult<Self> {
        if let Some(text) = object.downcast_ref::<Str>() {
            return match text.ascii_bytes() {
                Some(ascii) => Ok(AsciiArg(AsciiData::Text(ascii))),
                None => Err(vm.value_error("string argument should contain only ASCII characters")),
            };
        }
        if !taipan_vm::protocols::buffer::has_buffer(object) {
            return Err(vm.type_error(format!(
                "argument should be bytes, buffer or ASCII string, not '{}'",
                object.ob_type().name()
            )));
        }
        BufferArg::from_object(object, vm).map(|buffer| AsciiArg(AsciiData::Buffer(buffer)))
    }
}

/// The module.
pub struct Binascii;

/// Conversion between binary data and ASCII
#[pymodule(name = "binascii")]
impl Binascii {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        module.set("Error", ERROR.get(vm)?.as_object(), vm)?;
        module.set("Incomplete", INCOMPLETE.get(vm)?.as_object(), vm)
    }

    /// Decode a line of base64 data.
    ///
    ///   strict_mode
    ///     When set to True, bytes that are not part of the base64 standard are not allowed.
    ///     The same applies to excess data after padding (= / ==).
    #[function("($module, data, /, *, strict_mode=False)")]
    fn a2b_base64(data: AsciiArg<'_>, strict_mode: Option<bool>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        let bytes = base64::decode(data.as_bytes(), strict_mode.unwrap_or(false), vm)?;
        Ok(vm.new_bytes(&bytes))
    }

    /// Base64-code line of data.
    #[function("($module, data, /, *, newline=True)")]
    fn b2a_base64(data: BufferArg, newline: Option<bool>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        Ok(vm.new_bytes(&base64::encode(data.as_bytes(), newline.unwrap_or(true))))
    }

    /// Binary data of hexadecimal representation.
    ///
    /// hexstr must contain an even number of hex digits (upper or lower case).
    /// This function is also available as "unhexlify()".
    #[function("($module, hexstr, /)")]
    fn a2b_hex(hexstr: AsciiArg<'_>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        hex::decode(hexstr.as_bytes(), vm)
    }

    /// Binary data of hexadecimal representation.
    ///
    /// hexstr must contain an even number of hex digits (upper or lower case).
    #[function("($module, hexstr, /)")]
    fn unhexlify(hexstr: AsciiArg<'_>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        hex::decode(hexstr.as_bytes(), vm)
    }

    /// Hexadecimal representation of binary data.
    ///
    ///   sep
    ///     An optional single character or byte to separate hex bytes.
    ///   bytes_per_sep
    ///     How many bytes between separators.  Positive values count from the
    ///     right, negative values count from the left.
    ///
    /// The return value is a bytes object.  This function is also
    /// available as "hexlify()".
    ///
    /// Example:
    /// >>> binascii.b2a_hex(b'\xb9\x01\xef')
    /// b'b901ef'
    /// >>> binascii.hexlify(b'\xb9\x01\xef', ':')
    /// b'b9:01:ef'
    /// >>> binascii.b2a_hex(b'\xb9\x01\xef', b'_', 2)
    /// b'b9_01ef'
    #[function("($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)")]
    fn b2a_hex(
        data: BufferArg,
        sep: Option<&Object>,
        bytes_per_sep: Option<i32>,
        vm: &Vm,
    ) -> PyResult<Ref<Bytes>> {
        hex::encode(data.as_bytes(), sep, bytes_per_sep.unwrap_or(1), vm)
    }

    /// Hexadecimal representation of binary data.
    ///
    ///   sep
    ///     An optional single character or byte to separate hex bytes.
    ///   bytes_per_sep
    ///     How many bytes between separators.  Positive values count from the
    ///     right, negative values count from the left.
    ///
    /// The return value is a bytes object.  This function is also
    /// available as "b2a_hex()".
    #[function("($module, /, data, sep=<unrepresentable>, bytes_per_sep=1)")]
    fn hexlify(
        data: BufferArg,
        sep: Option<&Object>,
        bytes_per_sep: Option<i32>,
        vm: &Vm,
    ) -> PyResult<Ref<Bytes>> {
        hex::encode(data.as_bytes(), sep, bytes_per_sep.unwrap_or(1), vm)
    }

    /// Decode a string of qp-encoded data.
    #[function("($module, /, data, header=False)")]
    fn a2b_qp(data: AsciiArg<'_>, header: Option<bool>, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(&quoted_printable::decode(data.as_bytes(), header.unwrap_or(false)))
    }

    /// Encode a string using quoted-printable encoding.
    ///
    /// On encoding, when istext is set, newlines are not encoded, and white
    /// space at end of lines is.  When istext is not set, \r and \n (CR/LF)
    /// are both encoded.  When quotetabs is set, space and tabs are encoded.
    #[function("($module, /, data, quotetabs=False, istext=True, header=False)")]
    fn b2a_qp(
        data: BufferArg,
        quotetabs: Option<bool>,
        istext: Option<bool>,
        header: Option<bool>,
        vm: &Vm,
    ) -> Ref<Bytes> {
        let options = quoted_printable::Options {
            quote_tabs: quotetabs.unwrap_or(false),
            is_text: istext.unwrap_or(true),
            header: header.unwrap_or(false),
        };
        vm.new_bytes(&quoted_printable::encode(data.as_bytes(), &options))
    }

    /// Decode a line of uuencoded data.
    #[function("($module, data, /)")]
    fn a2b_uu(data: AsciiArg<'_>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        Ok(vm.new_bytes(&uu::decode(data.as_bytes(), vm)?))
    }

    /// Uuencode line of data.
    #[function("($module, data, /, *, backtick=False)")]
    fn b2a_uu(data: BufferArg, backtick: Option<bool>, vm: &Vm) -> PyResult<Ref<Bytes>> {
        Ok(vm.new_bytes(&uu::encode(data.as_bytes(), backtick.unwrap_or(false), vm)?))
    }

    /// Compute CRC-32 incrementally.
    #[function("($module, data, crc=0, /)")]
    fn crc32(data: BufferArg, crc: Option<&Object>, vm: &Vm) -> PyResult<u32> {
        let start = match crc {
            Some(crc) => crc.as_index(vm)?.as_int_ref().wrap_to_u64() as u32,
            None => 0,
        };
        Ok(checksum::crc32(data.as_bytes(), start))
    }

    /// Compute CRC-CCITT incrementally.
    #[function("($module, data, crc, /)")]
    fn crc_hqx(data: BufferArg, crc: &Object, vm: &Vm) -> PyResult<u32> {
        let start = crc.as_index(vm)?.as_int_ref().wrap_to_u64() as u16;
        Ok(u32::from(checksum::crc_hqx(data.as_bytes(), start)))
    }
}
