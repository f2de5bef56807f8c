//! `_blake2`: BLAKE2b and BLAKE2s with all their parameters.

use std::cell::RefCell;

use taipan_vm::builtins::type_::ready::type_ready;
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::SIMPLE;

use crate::digests::blake2::{Blake2b, Blake2s, Parameters};
use crate::digests::{self, GIL_MINSIZE};

/// The arguments of a constructor, as they were given.
struct Given<'a> {
    digest_size: Option<&'a Object>,
    key: Option<&'a Object>,
    salt: Option<&'a Object>,
    person: Option<&'a Object>,
    fanout: Option<&'a Object>,
    depth: Option<&'a Object>,
    leaf_size: Option<&'a Object>,
    node_offset: Option<&'a Object>,
    node_depth: Option<&'a Object>,
    inner_size: Option<&'a Object>,
    last_node: bool,
}

/// What distinguishes the variants.
struct Limits {
    name: &'static str,
    digest: i64,
    key: usize,
    salt: usize,
    node_offset: u64,
}

fn small(object: Option<&Object>, default: i64, vm: &Vm) -> PyResult<i64> {
    let Some(object) = object else { return Ok(default) };
    let int = object.as_index(vm)?;
    let int = int.to_i64().and_then(|value| i32::try_from(value).ok());
    int.map(i64::from).ok_or_else(|| vm.overflow_error("Python int too large to convert to C int"))
}

fn large(object: Option<&Object>, what: &str, vm: &Vm) -> PyResult<u64> {
    let Some(object) = object else { return Ok(0) };
    let int = object.as_index(vm)?;
    int.to_u64().ok_or_else(|| {
        if int.is_negative() {
            vm.value_error("Cannot convert negative int")
        } else {
            vm.overflow_error(format!("Python int too large for C {what}"))
        }
    })
}

fn bytes(object: Option<&Object>, vm: &Vm) -> PyResult<Vec<u8>> {
    let Some(object) = object else { return Ok(Vec::new()) };
    if !taipan_vm::protocols::buffer::has_buffer(object) {
        let given = object.ob_type().name();
        return Err(vm.type_error(format!("a bytes-like object is required, not '{given}'")));
    }
    Ok(object.get_buffer(SIMPLE, vm)?.as_bytes().to_vec())
}

fn byte(value: i64, range: std::ops::RangeInclusive<i64>, text: &str, vm: &Vm) -> PyResult<u8> {
    if range.contains(&value) { Ok(value as u8) } else { Err(vm.value_error(text)) }
}

/// Checks all parameters and makes a state of them.
fn with_parameters<T>(
    given: &Given<'_>,
    limits: &Limits,
    make: impl FnOnce(&Parameters<'_>) -> T,
    vm: &Vm,
) -> PyResult<T> {
    let digest_size = small(given.digest_size, limits.digest, vm)?;
    let (key, salt, person) = (bytes(given.key, vm)?, bytes(given.salt, vm)?, bytes(given.person, vm)?);
    let (fanout, depth) = (small(given.fanout, 1, vm)?, small(given.depth, 1, vm)?);
    let leaf_size = large(given.leaf_size, "unsigned long", vm)?;
    let node_offset = large(given.node_offset, "unsigned long long", vm)?;
    let (node_depth, inner_size) = (small(given.node_depth, 0, vm)?, small(given.inner_size, 0, vm)?);
    let sizes = format!(
        "digest_size for {} must be between 1 and {} bytes, here it is {digest_size}",
        limits.name, limits.digest
    );
    let digest_size = byte(digest_size, 1..=limits.digest, &sizes, vm)?;
    for (what, value, limit) in [("salt", &salt, limits.salt), ("person", &person, limits.salt)] {
        if value.len() > limit {
            return Err(vm.value_error(format!("maximum {what} length is {limit} bytes")));
        }
    }
    let fanout = byte(fanout, 0..=255, "fanout must be between 0 and 255", vm)?;
    let depth = byte(depth, 1..=255, "depth must be between 1 and 255", vm)?;
    let leaf_size = u32::try_from(leaf_size).map_err(|_| vm.overflow_error("leaf_size is too large"))?;
    if node_offset > limits.node_offset {
        return Err(vm.overflow_error("node_offset is too large"));
    }
    let node_depth = byte(node_depth, 0..=255, "node_depth must be between 0 and 255", vm)?;
    let text = format!("inner_size must be between 0 and is {}", limits.digest);
    let inner_size = byte(inner_size, 0..=limits.digest, &text, vm)?;
    if key.len() > limits.key {
        return Err(vm.value_error(format!("maximum key length is {} bytes", limits.key)));
    }
    Ok(make(&Parameters {
        digest_size,
        key: &key,
        salt: &salt,
        person: &person,
        fanout,
        depth,
        leaf_size,
        node_offset,
        node_depth,
        inner_size,
        last_node: given.last_node,
    }))
}

/// The layout of `_blake2.blake2b`.
#[repr(C)]
pub struct HashB {
    ob: Object,
    state: RefCell<Blake2b>,
}

/// Return a new BLAKE2b hash object.
#[pytype(name = "_blake2.blake2b")]
impl HashB {
    #[new(
        "(data=b'', *, digest_size=_blake2.blake2b.MAX_DIGEST_SIZE, key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0, node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True, string=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "the constructor's signature")]
    fn new(
        _cls: &Type,
        data: Option<&Object>,
        digest_size: Option<&Object>,
        key: Option<&Object>,
        salt: Option<&Object>,
        person: Option<&Object>,
        fanout: Option<&Object>,
        depth: Option<&Object>,
        leaf_size: Option<&Object>,
        node_offset: Option<&Object>,
        node_depth: Option<&Object>,
        inner_size: Option<&Object>,
        last_node: Option<bool>,
        usedforsecurity: Option<bool>,
        string: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let _ = usedforsecurity;
        let given = Given {
            digest_size,
            key,
            salt,
            person,
            fanout,
            depth,
            leaf_size,
            node_offset,
            node_depth,
            inner_size,
            last_node: last_node.unwrap_or(false),
        };
        let data = digests::initial_data(data, string, vm)?;
        let limits = Limits { name: "Blake2b", digest: 64, key: 64, salt: 16, node_offset: u64::MAX };
        let mut state = with_parameters(&given, &limits, Blake2b::new, vm)?;
        if let Some(data) = data {
            state.update(data.as_bytes());
        }
        let made = HashB { ob: Object::new(Self::type_object()), state: RefCell::new(state) };
        Ok(vm.new_object(made).into_object())
    }

    /// Return a copy of the hash object.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> ObjRef {
        let state = RefCell::new(self.state.borrow().clone());
        vm.new_object(HashB { ob: Object::new(Self::type_object()), state }).into_object()
    }

    /// Return the digest value as a bytes object.
    #[method("($self, /)")]
    fn digest(&self, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(&self.state.borrow().digest())
    }

    /// Return the digest value as a string of hexadecimal digits.
    #[method("($self, /)")]
    fn hexdigest(&self) -> String {
        digests::hex(&self.state.borrow().digest())
    }

    /// Update this hash object's state with the provided bytes-like object.
    #[method("($self, data, /)")]
    fn update(&self, data: &Object, vm: &Vm) -> PyResult<()> {
        let data = digests::data_of(data, vm)?;
        self.state.borrow_mut().update(data.as_bytes());
        Ok(())
    }

    #[getter]
    fn name(&self) -> &'static str {
        "blake2b"
    }

    #[getter]
    fn block_size(&self) -> usize {
        128
    }

    #[getter]
    fn digest_size(&self) -> usize {
        self.state.borrow().digest_size()
    }
}

/// The layout of `_blake2.blake2s`.
#[repr(C)]
pub struct HashS {
    ob: Object,
    state: RefCell<Blake2s>,
}

/// Return a new BLAKE2s hash object.
#[pytype(name = "_blake2.blake2s")]
impl HashS {
    #[new(
        "(data=b'', *, digest_size=_blake2.blake2s.MAX_DIGEST_SIZE, key=b'', salt=b'', person=b'', fanout=1, depth=1, leaf_size=0, node_offset=0, node_depth=0, inner_size=0, last_node=False, usedforsecurity=True, string=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "the constructor's signature")]
    fn new(
        _cls: &Type,
        data: Option<&Object>,
        digest_size: Option<&Object>,
        key: Option<&Object>,
        salt: Option<&Object>,
        person: Option<&Object>,
        fanout: Option<&Object>,
        depth: Option<&Object>,
        leaf_size: Option<&Object>,
        node_offset: Option<&Object>,
        node_depth: Option<&Object>,
        inner_size: Option<&Object>,
        last_node: Option<bool>,
        usedforsecurity: Option<bool>,
        string: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let _ = usedforsecurity;
        let given = Given {
            digest_size,
            key,
            salt,
            person,
            fanout,
            depth,
            leaf_size,
            node_offset,
            node_depth,
            inner_size,
            last_node: last_node.unwrap_or(false),
        };
        let data = digests::initial_data(data, string, vm)?;
        let limits = Limits { name: "Blake2s", digest: 32, key: 32, salt: 8, node_offset: (1 << 48) - 1 };
        let mut state = with_parameters(&given, &limits, Blake2s::new, vm)?;
        if let Some(data) = data {
            state.update(data.as_bytes());
        }
        let made = HashS { ob: Object::new(Self::type_object()), state: RefCell::new(state) };
        Ok(vm.new_object(made).into_object())
    }

    /// Return a copy of the hash object.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> ObjRef {
        let state = RefCell::new(self.state.borrow().clone());
        vm.new_object(HashS { ob: Object::new(Self::type_object()), state }).into_object()
    }

    /// Return the digest value as a bytes object.
    #[method("($self, /)")]
    fn digest(&self, vm: &Vm) -> Ref<Bytes> {
        vm.new_bytes(&self.state.borrow().digest())
    }

    /// Return the digest value as a string of hexadecimal digits.
    #[method("($self, /)")]
    fn hexdigest(&self) -> String {
        digests::hex(&self.state.borrow().digest())
    }

    /// Update this hash object's state with the provided bytes-like object.
    #[method("($self, data, /)")]
    fn update(&self, data: &Object, vm: &Vm) -> PyResult<()> {
        let data = digests::data_of(data, vm)?;
        self.state.borrow_mut().update(data.as_bytes());
        Ok(())
    }

    #[getter]
    fn name(&self) -> &'static str {
        "blake2s"
    }

    #[getter]
    fn block_size(&self) -> usize {
        64
    }

    #[getter]
    fn digest_size(&self) -> usize {
        self.state.borrow().digest_size()
    }
}

/// The module.
pub struct Blake2Module;

/// _blake2b provides BLAKE2b for hashlib
#[pymodule(name = "_blake2")]
impl Blake2Module {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        module.set("_GIL_MINSIZE", &*vm.new_int(GIL_MINSIZE), vm)?;
        for (tp, digest, salt) in [(HashB::type_object(), 64, 16), (HashS::type_object(), 32, 8)] {
            type_ready(tp, vm)?;
            module.set(tp.name(), tp.as_object(), vm)?;
            let prefix = tp.name().to_uppercase();
            let numbers = [
                ("SALT_SIZE", salt),
                ("PERSON_SIZE", salt),
                ("MAX_KEY_SIZE", digest),
                ("MAX_DIGEST_SIZE", digest),
            ];
            for (name, value) in numbers {
                let value = vm.new_int(value);
                module.set(&format!("{prefix}_{name}"), &*value, vm)?;
                taipan_vm::builtins::type_::set_constant(tp, name, &value, vm)?;
            }
        }
        Ok(())
    }
}
