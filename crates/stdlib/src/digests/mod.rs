//! Hash functions behind `_md5`, `_sha1`, `_sha2`, `_sha3`, `_blake2` and `_hmac`: states that take bytes and give digests,
//! and the arguments that their constructors share.

use sha2::digest::{Digest, OutputSizeUser};
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::{self, Buffer};

pub mod blake2;

/// Above this many bytes CPython lets other threads run while it hashes; modules show the number.
pub const GIL_MINSIZE: i32 = 2048;

/// A hash function's state, whichever function it is.
trait State {
    fn update(&mut self, data: &[u8]);
    fn digest(&self) -> Vec<u8>;
    fn digest_size(&self) -> usize;
    fn copy(&self) -> Box<dyn State>;
}

impl<D: Digest + Clone + 'static> State for D {
    fn update(&mut self, data: &[u8]) {
        Digest::update(self, data);
    }

    fn digest(&self) -> Vec<u8> {
        self.clone().finalize().to_vec()
    }

    fn digest_size(&self) -> usize {
        <D as OutputSizeUser>::output_size()
    }

    fn copy(&self) -> Box<dyn State> {
        Box::new(self.clone())
    }
}

/// A fixed-length hash in progress.
pub struct Hasher(Box<dyn State>);

impl Hasher {
    /// The state of a named function, or none.
    pub fn new(name: &str) -> Option<Hasher> {
        Some(Hasher(match name {
            "md5" => Box::new(md5::Md5::default()),
            "sha1" => Box::new(sha1::Sha1::default()),
            "sha224" => Box::new(sha2::Sha224::default()),
            "sha256" => Box::new(sha2::Sha256::default()),
            "sha384" => Box::new(sha2::Sha384::default()),
            "sha512" => Box::new(sha2::Sha512::default()),
            "sha3_224" => Box::new(sha3::Sha3_224::default()),
            "sha3_256" => Box::new(sha3::Sha3_256::default()),
            "sha3_384" => Box::new(sha3::Sha3_384::default()),
            "sha3_512" => Box::new(sha3::Sha3_512::default()),
            _ => return None,
        }))
    }

    /// The length of blocks, in bytes.
    pub fn block_size(name: &str) -> usize {
        match name {
            "sha384" | "sha512" | "blake2b" => 128,
            "sha3_224" => 144,
            "sha3_256" => 136,
            "sha3_384" => 104,
            "sha3_512" => 72,
            _ => 64,
        }
    }

    /// Takes more bytes.
    pub fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    /// The digest of what was taken so far.
    pub fn digest(&self) -> Vec<u8> {
        self.0.digest()
    }

    /// The length of the digest.
    pub fn digest_size(&self) -> usize {
        self.0.digest_size()
    }
}

impl Clone for Hasher {
    fn clone(&self) -> Hasher {
        Hasher(self.0.copy())
    }
}

/// Bytes to hash. Raises what hash functions raise for text and other objects.
pub fn data_of(object: &Object, vm: &Vm) -> PyResult<Buffer> {
    if object.downcast_ref::<Str>().is_some() {
        return Err(vm.type_error("Strings must be encoded before hashing"));
    }
    if !buffer::has_buffer(object) {
        return Err(vm.type_error("object supporting the buffer API required"));
    }
    let buffer = object.get_buffer(buffer::SIMPLE, vm)?;
    if buffer.view().is_some_and(|view| view.ndim > 1) {
        return Err(vm.buffer_error("Buffer must be single dimension"));
    }
    Ok(buffer)
}

/// The data that a constructor was given as `data` or, by the old name, as `string`.
pub fn initial_data(data: Option<&Object>, string: Option<&Object>, vm: &Vm) -> PyResult<Option<Buffer>> {
    let given = match (data, string.filter(|string| !vm.is_none(string))) {
        (Some(_), Some(_)) => {
            return Err(vm.type_error(
                "'data' and 'string' are mutually exclusive and support for 'string' keyword parameter is slated for removal in a future version.",
            ));
        }
        (data, string) => data.or(string),
    };
    given.map(|given| data_of(given, vm)).transpose()
}

/// Hexadecimal digits of a digest.
pub fn hex(digest: &[u8]) -> String {
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'a' + value - 10 });
    digest.iter().flat_map(|&byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Declares the type of a hash function's objects: `fixed_hash!(Layout, "module.name", "name", "signature of update", new)`.
/// `new` functions make the objects of those types that can be called.
macro_rules! fixed_hash {
    ($layout:ident, $full:literal, $name:literal, $block:literal $(, $option:ident)?) => {
        #[doc = concat!("The layout of `", $full, "`.")]
        #[repr(C)]
        pub struct $layout {
            ob: Object,
            state: std::cell::RefCell<$crate::digests::Hasher>,
        }

        impl $layout {
            fn with(state: $crate::digests::Hasher) -> Self {
                $layout { ob: Object::new(Self::type_object()), state: std::cell::RefCell::new(state) }
            }

            /// A new object that has taken the data given.
            fn start(data: Option<&Object>, string: Option<&Object>, vm: &Vm) -> PyResult<Self> {
                let data = $crate::digests::initial_data(data, string, vm)?;
                let Some(mut state) = $crate::digests::Hasher::new($name) else {
                    return Err(vm.value_error(concat!("unsupported hash type ", $name)));
                };
                if let Some(data) = data {
                    state.update(data.as_bytes());
                }
                Ok(Self::with(state))
            }
        }

        #[pymethods(table = HASH_METHODS)]
        impl $layout {
            /// Return a copy of the hash object.
            #[method("($self, /)")]
            fn copy(&self, vm: &Vm) -> ObjRef {
                vm.new_object(Self::with(self.state.borrow().clone())).into_object()
            }

            /// Return the digest value as a bytes object.
            #[method("($self, /)")]
            fn digest(&self, vm: &Vm) -> Ref<Bytes> {
                vm.new_bytes(&self.state.borrow().digest())
            }

            /// Return the digest value as a string of hexadecimal digits.
            #[method("($self, /)")]
            fn hexdigest(&self) -> String {
                $crate::digests::hex(&self.state.borrow().digest())
            }

            /// Update this hash object's state with the provided bytes-like object.
            #[method("($self, obj, /)")]
            fn update(&self, obj: &Object, vm: &Vm) -> PyResult<()> {
                let data = $crate::digests::data_of(obj, vm)?;
                self.state.borrow_mut().update(data.as_bytes());
                Ok(())
            }
        }
    };
}
pub(crate) use fixed_hash;
