//! `MultibyteStreamReader` and `MultibyteStreamWriter`.

use taipan_vm::prelude::*;

use super::objects::{Core, PendingBytes, PendingText, text_of};

/// The layout of a stream reader.
#[repr(C)]
#[derive(Traverse)]
pub struct MultibyteStreamReader {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    core: Core,
    #[traverse(skip)]
    pending: PendingBytes,
    stream: Slot<Object>,
}

/// An optional size; negative for all.
fn size_of(given: Option<&Object>, vm: &Vm) -> PyResult<isize> {
    match given {
        None => Ok(-1),
        Some(none) if vm.is_none(none) => Ok(-1),
        Some(size) => match size.downcast_ref::<Int>() {
            Some(_) => size.as_isize(vm),
            None => Err(vm.type_error("arg 1 must be an integer")),
        },
    }
}

impl MultibyteStreamReader {
    /// Reads by a method of the stream until there is a character, or all.
    fn read_by(&self, method: &str, size: isize, vm: &Vm) -> PyResult<Ref<Str>> {
        if size == 0 {
            return Ok(Str::empty());
        }
        let Some(stream) = self.stream.get() else { return Err(vm.value_error("no stream")) };
        let method = vm.intern(method);
        let mut size = size;
        loop {
            let data = if size < 0 {
                stream.call_method(&method, &[], vm)?
            } else {
                stream.call_method(&method, &[&vm.new_int(size)], vm)?
            };
            let Some(bytes) = data.downcast_ref::<Bytes>() else {
                let given = data.ob_type().tp_name_str();
                return Err(vm.type_error(format!("stream function returned a non-bytes object ({given})")));
            };
            let ended = bytes.as_bytes().is_empty();
            let nothing = ended && self.pending.get().is_empty();
            let text = self.pending.decode(&self.core, bytes.as_bytes(), ended || size < 0, vm)?;
            if size < 0 || text.len() != 0 || nothing || ended {
                return Ok(text);
            }
            size = 1;
        }
    }
}

#[pytype(
    name = "_multibytecodec.MultibyteStreamReader",
    flags(BASETYPE),
    gc,
    doc = "",
    members(stream: OBJECT = stream, readonly)
)]
impl MultibyteStreamReader {
    #[new("(stream, errors='strict')")]
    fn new(cls: &Type, stream: &Object, errors: Option<&Str>, vm: &Vm) -> PyResult {
        let core = Core::new(cls, errors, true, vm)?;
        vm.new_instance(
            cls,
            MultibyteStreamReader {
                ob: Object::new(Self::type_object()),
                core,
                pending: PendingBytes::default(),
                stream: Slot::of(stream.to_ref()),
            },
        )
    }

    #[slot]
    fn tp_init(&self, _args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<()> {
        Ok(())
    }

    #[method("($self, sizeobj=None, /)")]
    fn read(&self, sizeobj: Option<&Object>, vm: &Vm) -> PyResult<Ref<Str>> {
        self.read_by("read", size_of(sizeobj, vm)?, vm)
    }

    #[method("($self, sizeobj=None, /)")]
    fn readline(&self, sizeobj: Option<&Object>, vm: &Vm) -> PyResult<Ref<Str>> {
        self.read_by("readline", size_of(sizeobj, vm)?, vm)
    }

    #[method("($self, sizehintobj=None, /)")]
    fn readlines(&self, sizehintobj: Option<&Object>, vm: &Vm) -> PyResult {
        let text = self.read_by("read", size_of(sizehintobj, vm)?, vm)?;
        text.as_object().call_method(&vm.intern("splitlines"), &[vm.true_ref()], vm)
    }

    #[method("($self, /)")]
    fn reset(&self) {
        let mut state = self.core.state.get();
        self.core.codec.decode_reset(&mut state);
        self.core.state.set(state);
        self.pending.put(&[]);
    }

    /// how to treat errors
    #[getter(errors)]
    fn get_errors(&self) -> Ref<Str> {
        self.core.errors.borrow().clone()
    }

    #[setter(errors)]
    fn set_errors(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.core.set_errors(value, vm)
    }
}

/// The layout of a stream writer.
#[repr(C)]
#[derive(Traverse)]
pub struct MultibyteStreamWriter {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    core: Core,
    #[traverse(skip)]
    pending: PendingText,
    stream: Slot<Object>,
}

impl MultibyteStreamWriter {
    fn put(&self, text: &Object, vm: &Vm) -> PyResult<()> {
        let text = text_of(text, vm)?;
        let out = self.pending.encode(&self.core, &text, false, vm)?;
        self.send(&out, vm)
    }

    fn send(&self, bytes: &[u8], vm: &Vm) -> PyResult<()> {
        let Some(stream) = self.stream.get() else { return Err(vm.value_error("no stream")) };
        let bytes = vm.new_bytes(bytes);
        stream.call_method(&vm.intern("write"), &[bytes.as_object()], vm).map(|_| ())
    }
}

#[pytype(
    name = "_multibytecodec.MultibyteStreamWriter",
    flags(BASETYPE),
    gc,
    doc = "",
    members(stream: OBJECT = stream, readonly)
)]
impl MultibyteStreamWriter {
    #[new("(stream, errors='strict')")]
    fn new(cls: &Type, stream: &Object, errors: Option<&Str>, vm: &Vm) -> PyResult {
        let core = Core::new(cls, errors, false, vm)?;
        vm.new_instance(
            cls,
            MultibyteStreamWriter {
                ob: Object::new(Self::type_object()),
                core,
                pending: PendingText::default(),
                stream: Slot::of(stream.to_ref()),
            },
        )
    }

    #[slot]
    fn tp_init(&self, _args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<()> {
        Ok(())
    }

    #[method("($self, strobj, /)")]
    fn write(&self, strobj: &Object, vm: &Vm) -> PyResult<()> {
        self.put(strobj, vm)
    }

    #[method("($self, lines, /)")]
    fn writelines(&self, lines: &Object, vm: &Vm) -> PyResult<()> {
        if !taipan_vm::protocols::container::is_sequence(lines) {
            return Err(vm.type_error("arg must be a sequence object"));
        }
        let mut at = 0;
        while at < lines.length(vm)? {
            let line = taipan_vm::protocols::container::sequence_item(lines, at as isize, vm)?;
            self.put(&line, vm)?;
            at += 1;
        }
        Ok(())
    }

    #[method("($self, /)")]
    fn reset(&self, vm: &Vm) -> PyResult<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let out = self.pending.encode(&self.core, &Str::empty(), true, vm)?;
        if out.is_empty() { Ok(()) } else { self.send(&out, vm) }
    }

    /// how to treat errors
    #[getter(errors)]
    fn get_errors(&self) -> Ref<Str> {
        self.core.errors.borrow().clone()
    }

    #[setter(errors)]
    fn set_errors(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.core.set_errors(value, vm)
    }
}
