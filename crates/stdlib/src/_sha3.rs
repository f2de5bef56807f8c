//! `_sha3`: the SHA-3 hashes and the SHAKE functions.

use std::cell::RefCell;

use sha3::digest::{ExtendableOutput, Update, XofReader};
use taipan_vm::prelude::*;

use crate::digests::{self, GIL_MINSIZE, fixed_hash};

/// The longest digest that SHAKE gives.
const MAX_LENGTH: u64 = 1 << 29;

fixed_hash!(Sha3x224, "_sha3.sha3_224", "sha3_224", 144);

/// sha3_224([data], *, usedforsecurity=True) -> SHA3 object
///
/// Return a new SHA3 hash object with a hashbit length of 28 bytes.
#[pytype(name = "_sha3.sha3_224", methods(Sha3x224::HASH_METHODS))]
impl Sha3x224 {
    #[new("(data=b'', *, usedforsecurity=True, string=None)")]
    fn new(
        _cls: &Type,
        data: Option<&Object>,
        usedforsecurity: Option<bool>,
        string: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let _ = usedforsecurity;
        Ok(vm.new_object(Self::start(data, string, vm)?).into_object())
    }

    #[getter]
    fn block_size(&self) -> usize {
        144
    }

    #[getter]
    fn name(&self) -> &'static str {
        "sha3_224"
    }

    #[getter]
    fn digest_size(&self) -> usize {
        28
    }

    #[getter]
    fn _capacity_bits(&self) -> usize {
        448
    }

    #[getter]
    fn _rate_bits(&self) -> usize {
        1152
    }

    #[getter]
    fn _suffix(&self, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(b"\x06")
    }
}

fixed_hash!(Sha3x256, "_sha3.sha3_256", "sha3_256", 136);

/// sha3_256([data], *, usedforsecurity=True) -> SHA3 object
///
/// Return a new SHA3 hash object with a hashbit length of 32 bytes.
#[pytype(name = "_sha3.sha3_256", methods(Sha3x256::HASH_METHODS))]
impl Sha3x256 {
    #[new("(data=b'', *, usedforsecurity=True, string=None)")]
    fn new(
        _cls: &Type,
        data: Option<&Object>,
        usedforsecurity: Option<bool>,
        string: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let _ = usedforsecurity;
        Ok(vm.new_object(Self::start(data, string, vm)?).into_object())
    }

    #[getter]
    fn block_size(&self) -> usize {
        136
    }

    #[getter]
    fn name(&self) -> &'static str {
        "sha3_256"
    }

    #[getter]
    fn digest_size(&self) -> usize {
        32
    }

    #[getter]
    fn _capacity_bits(&self) -> usize {
        512
    }

    #[getter]
    fn _rate_bits(&self) -> usize {
        1088
    }

    #[getter]
    fn _suffix(&self, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(b"\x06")
    }
}

fixed_hash!(Sha3x384, "_sha3.sha3_384", "sha3_384", 104);

/// sha3_384([data], *, usedforsecurity=True) -> SHA3 object
///
/// Return a new SHA3 hash object with a hashbit length of 48 bytes.
#[pytype(name = "_sha3.sha3_384", methods(Sha3x384::HASH_METHODS))]
impl Sha3x384 {
    #[new("(data=b'', *, usedforsecurity=True, string=None)")]
    fn new(
        _cls: &Type,
        data: Option<&Object>,
        usedforsecurity: Option<bool>,
        string: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let _ = usedforsecurity;
        Ok(vm.new_object(Self::start(data, string, vm)?).into_object())
    }

    #[getter]
    fn block_size(&self) -> usize {
        104
    }

    #[getter]
    fn name(&self) -> &'static str {
        "sha3_384"
    }

    #[getter]
    fn digest_size(&self) -> usize {
        48
    }

    #[getter]
    fn _capacity_bits(&self) -> usize {
        768
    }

    #[getter]
    fn _rate_bits(&self) -> usize {
        832
    }

    #[getter]
    fn _suffix(&self, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(b"\x06")
    }
}

fixed_hash!(Sha3x512, "_sha3.sha3_512", "sha3_512", 72);

/// sha3_512([data], *, usedforsecurity=True) -> SHA3 object
///
/// Return a new SHA3 hash object with a hashbit length of 64 bytes.
#[pytype(name = "_sha3.sha3_512", methods(Sha3x512::HASH_METHODS))]
impl Sha3x512 {
    #[new("(data=b'', *, usedforsecurity=True, string=None)")]
    fn new(
        _cls: &Type,
        data: Option<&Object>,
        usedforsecurity: Option<bool>,
        string: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let _ = usedforsecurity;
        Ok(vm.new_object(Self::start(data, string, vm)?).into_object())
    }

    #[getter]
    fn block_size(&self) -> usize {
        72
    }

    #[getter]
    fn name(&self) -> &'static str {
        "sha3_512"
    }

    #[getter]
    fn digest_size(&self) -> usize {
        64
    }

    #[getter]
    fn _capacity_bits(&self) -> usize {
        1024
    }

    #[getter]
    fn _rate_bits(&self) -> usize {
        576
    }

    #[getter]
    fn _suffix(&self, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(b"\x06")
    }
}

/// The layout of `_sha3.shake_128`.
#[repr(C)]
pub struct Shake128 {
    ob: Object,
    state: RefCell<sha3::Shake128>,
}

impl Shake128 {
    fn output(&self, length: &Object, vm: &Vm) -> PyResult<Vec<u8>> {
        let length = shake_length(length, vm)?;
        let mut out = vec![0; length];
        self.state.borrow().clone().finalize_xof().read(&mut out);
        Ok(out)
    }
}

/// shake_128([data], *, usedforsecurity=True) -> SHAKE object
///
/// Return a new SHAKE hash object.
#[pytype(name = "_sha3.shake_128")]
impl Shake128 {
    #[new("!(data=b'', *, usedforsecurity=True, string=None)")]
    fn new(
        _cls: &Type,
        data: Option<&Object>,
        usedforsecurity: Option<bool>,
        string: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let _ = usedforsecurity;
        let mut state = sha3::Shake128::default();
        if let Some(data) = digests::initial_data(data, string, vm)? {
            state.update(data.as_bytes());
        }
        let made = Shake128 { ob: Object::new(Self::type_object()), state: RefCell::new(state) };
        Ok(vm.new_object(made).into_object())
    }

    /// Return a copy of the hash object.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> ObjRef {
        let state = RefCell::new(self.state.borrow().clone());
        vm.new_object(Shake128 { ob: Object::new(Self::type_object()), state }).into_object()
    }

    /// Return the digest value as a bytes object.
    #[method("($self, /, length)")]
    fn digest(&self, length: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        Ok(vm.new_bytes(&self.output(length, vm)?))
    }

    /// Return the digest value as a string of hexadecimal digits.
    #[method("($self, /, length)")]
    fn hexdigest(&self, length: &Object, vm: &Vm) -> PyResult<String> {
        Ok(digests::hex(&self.output(length, vm)?))
    }

    /// Update this hash object's state with the provided bytes-like object.
    #[method("($self, data, /)")]
    fn update(&self, data: &Object, vm: &Vm) -> PyResult<()> {
        let data = digests::data_of(data, vm)?;
        self.state.borrow_mut().update(data.as_bytes());
        Ok(())
    }

    #[getter]
    fn block_size(&self) -> usize {
        168
    }

    #[getter]
    fn name(&self) -> &'static str {
        "shake_128"
    }

    #[getter]
    fn digest_size(&self) -> usize {
        0
    }

    #[getter]
    fn _capacity_bits(&self) -> usize {
        256
    }

    #[getter]
    fn _rate_bits(&self) -> usize {
        1344
    }

    #[getter]
    fn _suffix(&self, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(b"\x1f")
    }
}

/// The layout of `_sha3.shake_256`.
#[repr(C)]
pub struct Shake256 {
    ob: Object,
    state: RefCell<sha3::Shake256>,
}

impl Shake256 {
    fn output(&self, length: &Object, vm: &Vm) -> PyResult<Vec<u8>> {
        let length = shake_length(length, vm)?;
        let mut out = vec![0; length];
        self.state.borrow().clone().finalize_xof().read(&mut out);
        Ok(out)
    }
}

/// shake_256([data], *, usedforsecurity=True) -> SHAKE object
///
/// Return a new SHAKE hash object.
#[pytype(name = "_sha3.shake_256")]
impl Shake256 {
    #[new("!(data=b'', *, usedforsecurity=True, string=None)")]
    fn new(
        _cls: &Type,
        data: Option<&Object>,
        usedforsecurity: Option<bool>,
        string: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let _ = usedforsecurity;
        let mut state = sha3::Shake256::default();
        if let Some(data) = digests::initial_data(data, string, vm)? {
            state.update(data.as_bytes());
        }
        let made = Shake256 { ob: Object::new(Self::type_object()), state: RefCell::new(state) };
        Ok(vm.new_object(made).into_object())
    }

    /// Return a copy of the hash object.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> ObjRef {
        let state = RefCell::new(self.state.borrow().clone());
        vm.new_object(Shake256 { ob: Object::new(Self::type_object()), state }).into_object()
    }

    /// Return the digest value as a bytes object.
    #[method("($self, /, length)")]
    fn digest(&self, length: &Object, vm: &Vm) -> PyResult<Ref<Bytes>> {
        Ok(vm.new_bytes(&self.output(length, vm)?))
    }

    /// Return the digest value as a string of hexadecimal digits.
    #[method("($self, /, length)")]
    fn hexdigest(&self, length: &Object, vm: &Vm) -> PyResult<String> {
        Ok(digests::hex(&self.output(length, vm)?))
    }

    /// Update this hash object's state with the provided bytes-like object.
    #[method("($self, data, /)")]
    fn update(&self, data: &Object, vm: &Vm) -> PyResult<()> {
        let data = digests::data_of(data, vm)?;
        self.state.borrow_mut().update(data.as_bytes());
        Ok(())
    }

    #[getter]
    fn block_size(&self) -> usize {
        136
    }

    #[getter]
    fn name(&self) -> &'static str {
        "shake_256"
    }

    #[getter]
    fn digest_size(&self) -> usize {
        0
    }

    #[getter]
    fn _capacity_bits(&self) -> usize {
        512
    }

    #[getter]
    fn _rate_bits(&self) -> usize {
        1088
    }

    #[getter]
    fn _suffix(&self, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(b"\x1f")
    }
}

fn shake_length(length: &Object, vm: &Vm) -> PyResult<usize> {
    let length = length.as_index(vm)?;
    match length.to_u64() {
        Some(length) if length < MAX_LENGTH => Ok(length as usize),
        Some(_) => Err(vm.value_error("length is too large")),
        None if length.is_negative() => Err(vm.value_error("Cannot convert negative int")),
        None => Err(vm.overflow_error("Python int too large for C unsigned long")),
    }
}

/// The module.
pub struct Sha3Module;

#[pymodule(name = "_sha3", types(Sha3x224, Sha3x256, Sha3x384, Sha3x512, Shake128, Shake256))]
impl Sha3Module {
    #[constant("_GIL_MINSIZE")]
    fn gil_minsize() -> i32 {
        GIL_MINSIZE
    }

    #[constant("implementation")]
    fn implementation() -> &'static str {
        "RustCrypto"
    }
}
