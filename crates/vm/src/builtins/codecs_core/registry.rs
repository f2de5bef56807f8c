//! The codec registry: search functions, codecs found by them, error handlers by name.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use super::handlers::ErrorCallbacks;
use crate::builtins::builtin_function::BuiltinFunction;
use crate::prelude::*;

/// One interpreter's codecs.
#[derive(Default)]
pub struct CodecRegistry {
    search: RefCell<Vec<ObjRef>>,
    found: RefCell<HashMap<String, Ref<Tuple>>>,
    handlers: RefCell<HashMap<String, ObjRef>>,
    ready: Cell<bool>,
}

fn registry(vm: &Vm) -> &CodecRegistry {
    vm.interp().state::<CodecRegistry>()
}

const NATIVE_HANDLERS: [(&str, &str); 8] = [
    ("strict", "strict_errors"),
    ("ignore", "ignore_errors"),
    ("replace", "replace_errors"),
    ("xmlcharrefreplace", "xmlcharrefreplace_errors"),
    ("backslashreplace", "backslashreplace_errors"),
    ("namereplace", "namereplace_errors"),
    ("surrogatepass", "surrogatepass"),
    ("surrogateescape", "surrogateescape"),
];

/// Imports `encodings`, which registers the search function of the standard library, on first use.
fn prepare(vm: &Vm) -> PyResult<()> {
    let registry = registry(vm);
    if !registry.ready.get() {
        if registry.search.borrow().is_empty() {
            crate::import::import_module("encodings", vm)?;
        }
        registry.ready.set(true);
    }
    Ok(())
}

/// The name under which codecs are kept: lower case, with `_` for anything but letters, digits and dots.
pub fn normalize(encoding: &str) -> String {
    let mut out = String::with_capacity(encoding.len());
    let mut gap = false;
    for byte in encoding.bytes() {
        if byte.is_ascii_alphanumeric() || byte == b'.' {
            if gap && !out.is_empty() {
                out.push('_');
            }
            gap = false;
            out.push(char::from(byte.to_ascii_lowercase()));
        } else {
            gap = true;
        }
    }
    out
}

/// `codecs.register`.
pub fn register(search: &Object, vm: &Vm) -> PyResult<()> {
    if !search.is_callable() {
        return Err(vm.type_error("argument must be callable"));
    }
    registry(vm).search.borrow_mut().push(search.to_ref());
    Ok(())
}

/// `codecs.unregister`.
pub fn unregister(search: &Object, vm: &Vm) {
    let registry = registry(vm);
    let at = registry.search.borrow().iter().position(|known| known.is(search));
    if let Some(at) = at {
        let old = registry.search.borrow_mut().remove(at);
        let dropped = std::mem::take(&mut *registry.found.borrow_mut());
        drop((old, dropped));
    }
}

/// `codecs.lookup`: a tuple of encoder, decoder, stream reader and stream writer.
pub fn lookup(encoding: &str, vm: &Vm) -> PyResult<Ref<Tuple>> {
    let registry = registry(vm);
    let name = normalize(encoding);
    if let Some(found) = registry.found.borrow().get(&name) {
        return Ok(found.clone());
    }
    prepare(vm)?;
    let search = registry.search.borrow().clone();
    let key = vm.intern(&name);
    for function in &search {
        let result = function.call(&[key.as_object()], vm)?;
        if vm.is_none(&result) {
            continue;
        }
        return match result.downcast::<Tuple>() {
            Ok(codec) if codec.len() == 4 => {
                let old = registry.found.borrow_mut().insert(name, codec.clone());
                drop(old);
                Ok(codec)
            }
            _ => Err(vm.type_error("codec search functions must return 4-tuples")),
        };
    }
    Err(vm.lookup_error(format!("unknown encoding: {encoding}")))
}

/// `codecs.register_error`.
pub fn register_error(name: &str, handler: &Object, vm: &Vm) -> PyResult<()> {
    if !handler.is_callable() {
        return Err(vm.type_error("handler must be callable"));
    }
    let old = registry(vm).handlers.borrow_mut().insert(name.to_owned(), handler.to_ref());
    drop(old);
    Ok(())
}

/// `codecs._unregister_error`: whether there was one.
pub fn unregister_error(name: &str, vm: &Vm) -> PyResult<bool> {
    if NATIVE_HANDLERS.iter().any(|(native, _)| *native == name) {
        return Err(vm.value_error(format!("cannot un-register built-in error handler '{name}'")));
    }
    let old = registry(vm).handlers.borrow_mut().remove(name);
    Ok(old.is_some())
}

/// `codecs.lookup_error`.
pub fn lookup_error(name: &str, vm: &Vm) -> PyResult<ObjRef> {
    let registry = registry(vm);
    let name = if name.is_empty() { "strict" } else { name };
    if let Some(handler) = registry.handlers.borrow().get(name) {
        return Ok(handler.clone());
    }
    let native = NATIVE_HANDLERS.iter().find(|(native, _)| *native == name);
    let def = native.and_then(|(_, function)| {
        // SAFETY: names in method tables are NUL-terminated; the entry that ends a table has none.
        ErrorCallbacks::ERROR_CALLBACKS.iter().find(|def| unsafe {
            !def.ml_name.is_null() && std::ffi::CStr::from_ptr(def.ml_name).to_bytes() == function.as_bytes()
        })
    });
    let Some(def) = def else {
        return Err(vm.lookup_error(format!("unknown error handler name '{name}'")));
    };
    let handler = BuiltinFunction::new(def, None, None, vm).into_object();
    registry.handlers.borrow_mut().insert(name.to_owned(), handler.clone());
    Ok(handler)
}

/// Calls one of a codec's functions and takes the first item of what it returns.
fn convert(
    function: &Object,
    object: &Object,
    errors: Option<&str>,
    what: &str,
    vm: &Vm,
) -> PyResult<ObjRef> {
    let result = match errors {
        Some(errors) => function.call(&[object, vm.new_str(errors).as_object()], vm)?,
        None => function.call(&[object], vm)?,
    };
    match result.downcast_ref::<Tuple>().map(Tuple::as_slice) {
        Some([value, _]) => Ok(value.clone()),
        _ => Err(vm.type_error(format!("{what}r must return a tuple (object, integer)"))),
    }
}

/// Tells in a note which codec failed.
fn note_failure<T>(result: PyResult<T>, what: &str, encoding: &str, vm: &Vm) -> PyResult<T> {
    if result.is_err() {
        if let Some(error) = vm.take_exception() {
            let note = vm.new_str(&format!("{what} with '{encoding}' codec failed"));
            let added = error.as_object().call_method(vm.ids().add_note, &[note.as_object()], vm);
            if added.is_err() {
                vm.clear_exception();
            }
            vm.reraise(error);
        }
    }
    result
}

fn part(codec: &Tuple, index: usize, vm: &Vm) -> PyResult<ObjRef> {
    codec.as_slice().get(index).cloned().ok_or_else(|| vm.system_error("incomplete codec"))
}

/// `codecs.encode`: any object by any codec.
pub fn encode(object: &Object, encoding: &str, errors: Option<&str>, vm: &Vm) -> PyResult<ObjRef> {
    let codec = lookup(encoding, vm)?;
    let result = convert(&*part(&codec, 0, vm)?, object, errors, "encode", vm);
    note_failure(result, "encoding", encoding, vm)
}

/// `codecs.decode`: any object by any codec.
pub fn decode(object: &Object, encoding: &str, errors: Option<&str>, vm: &Vm) -> PyResult<ObjRef> {
    let codec = lookup(encoding, vm)?;
    let result = convert(&*part(&codec, 1, vm)?, object, errors, "decode", vm);
    note_failure(result, "decoding", encoding, vm)
}

/// A codec that says that it is one between text and bytes.
fn lookup_text(encoding: &str, instead: &str, vm: &Vm) -> PyResult<Ref<Tuple>> {
    let codec = lookup(encoding, vm)?;
    if codec.as_object().type_ptr() != Tuple::static_type() {
        if let Some(flag) = codec.as_object().lookup_attr(vm.ids()._is_text_encoding, vm)? {
            if !flag.is_true(vm)? {
                return Err(vm.lookup_error(format!(
                    "'{encoding}' is not a text encoding; use {instead} to handle arbitrary codecs"
                )));
            }
        }
    }
    Ok(codec)
}

/// `str.encode` by a codec of the registry.
pub fn encode_text(text: &Str, encoding: &str, errors: &str, vm: &Vm) -> PyResult<ObjRef> {
    let codec = lookup_text(encoding, "codecs.encode()", vm)?;
    let result = convert(&*part(&codec, 0, vm)?, text.as_object(), Some(errors), "encode", vm);
    let made = note_failure(result, "encoding", encoding, vm)?;
    if made.downcast_ref::<Bytes>().is_some() {
        return Ok(made);
    }
    if let Some(array) = made.downcast_ref::<ByteArray>() {
        crate::builtins::warn::warn(
            types::runtime_warning(),
            &format!(
                "encoder {encoding} returned bytearray instead of bytes; use codecs.encode() to encode to arbitrary types"
            ),
            1,
            vm,
        )?;
        return Bytes::try_from_slice(array.as_bytes(), vm).map(Ref::into_object);
    }
    Err(vm.type_error(format!(
        "'{encoding}' encoder returned '{}' instead of 'bytes'; use codecs.encode() to encode to arbitrary types",
        made.ob_type().name()
    )))
}

/// `bytes.decode` by a codec of the registry.
pub fn decode_text(object: &Object, encoding: &str, errors: &str, vm: &Vm) -> PyResult<Ref<Str>> {
    let codec = lookup_text(encoding, "codecs.decode()", vm)?;
    let result = convert(&*part(&codec, 1, vm)?, object, Some(errors), "decode", vm);
    let made = note_failure(result, "decoding", encoding, vm)?;
    made.downcast::<Str>().map_err(|other| {
        vm.type_error(format!(
            "'{encoding}' decoder returned '{}' instead of 'str'; use codecs.decode() to decode to arbitrary types",
            other.ob_type().name()
        ))
    })
}
