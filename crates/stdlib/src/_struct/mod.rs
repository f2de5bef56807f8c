//! `_struct`: Python values from and to the bytes of C structs.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use taipan_vm::builtins::codecs_core::decode_object;
use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::{self, Buffer};

mod convert;
mod half;
mod layout;

use layout::Layout;

/// `struct.error`.
pub static ERROR: DeclaredException = DeclaredException { name: "struct.error", base: types::exception };

/// How many formats are remembered.
const CACHE_SIZE: usize = 100;

/// Formats parsed by the module's functions.
#[derive(Default)]
struct Cache {
    /// The last one, found by identity.
    last: RefCell<Option<(ObjRef, Rc<Layout>)>>,
    structs: RefCell<Option<Ref<Dict>>>,
}

/// The module.
pub struct StructModule;

/// Functions to convert between Python values and C structs.
/// Python bytes objects are used to hold the data representing the C struct.
/// The format string (explained below) describes the layout of data
/// in the C struct.
///
/// The optional first format char indicates byte order, size and alignment:
///   @: native order, size & alignment (default)
///   =: native order, std. size & alignment
///   <: little-endian, std. size & alignment
///   >: big-endian, std. size & alignment
///   !: same as >
///
/// The remaining characters indicate types of args and must match exactly;
/// these can be preceded by a decimal repeat count:
///   x: pad byte (no data); c: char; b: signed byte; B: unsigned byte;
///   ?: _Bool; h: short; H: unsigned short; i: int; I: unsigned int;
///   l: long; L: unsigned long; q: long long; Q: unsigned long long;
///   f: float; d: double; e: half-float;
///   F: float complex; D: double complex.
/// Special cases (preceding decimal count indicates length):
///   s: byte string (array of char); p: Pascal string (with count byte).
/// Special cases (only available in native format):
///   n: ssize_t; N: size_t;
///   P: an integer type that is wide enough to hold a pointer.
/// Whitespace between formats is ignored.
///
/// The variable struct.error is an exception raised on errors.
#[pymodule(name = "_struct", types(Struct))]
impl StructModule {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        module.set("error", ERROR.get(vm)?.as_object(), vm)
    }

    /// Clear the internal cache.
    #[function("($module, /)")]
    fn _clearcache(vm: &Vm) {
        let cache = vm.interp().state::<Cache>();
        let last = cache.last.borrow_mut().take();
        let structs = cache.structs.borrow_mut().take();
        drop((last, structs));
    }

    /// Return size in bytes of the struct described by the format string.
    #[function("($module, format, /)")]
    fn calcsize(format: &Object, vm: &Vm) -> PyResult<usize> {
        Ok(cached(format, vm)?.size)
    }

    /// Return an iterator yielding tuples unpacked from the given bytes.
    ///
    /// The bytes are unpacked according to the format string, like
    /// a repeated invocation of unpack_from().
    ///
    /// Requires that the bytes length be a multiple of the format struct size.
    #[function("($module, format, buffer, /)")]
    fn iter_unpack(format: &Object, buffer: &Object, vm: &Vm) -> PyResult {
        iterate(cached(format, vm)?, buffer, vm)
    }

    /// pack(format, v1, v2, ...) -> bytes
    ///
    /// Return a bytes object containing the values v1, v2, ... packed according
    /// to the format string.  See help(struct) for more on format strings.
    #[function("!(*args)")]
    fn pack(args: &[&Object], vm: &Vm) -> PyResult {
        let Some((format, values)) = args.split_first() else {
            return Err(vm.type_error("missing format argument"));
        };
        pack(&*cached(format, vm)?, values, vm)
    }

    /// pack_into(format, buffer, offset, v1, v2, ...)
    ///
    /// Pack the values v1, v2, ... according to the format string and write
    /// the packed bytes into the writable buffer buf starting at offset.  Note
    /// that the offset is a required argument.  A negative offset counts from
    /// the end of the buffer.  See help(struct) for more on format strings.
    #[function("!(*args)")]
    fn pack_into(args: &[&Object], vm: &Vm) -> PyResult<()> {
        let Some((format, values)) = args.split_first() else {
            return Err(vm.type_error("missing format argument"));
        };
        pack_into(&*cached(format, vm)?, values, vm)
    }

    /// Return a tuple containing values unpacked according to the format string.
    ///
    /// The buffer's size in bytes must be calcsize(format).
    ///
    /// See help(struct) for more on format strings.
    #[function("($module, format, buffer, /)")]
    fn unpack(format: &Object, buffer: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        unpack(&*cached(format, vm)?, &BufferArg::from_object(buffer, vm)?, vm)
    }

    /// Return a tuple containing values unpacked according to the format string.
    ///
    /// The buffer's size, minus offset, must be at least calcsize(format).
    /// A negative offset counts from the end of the buffer.
    ///
    /// See help(struct) for more on format strings.
    #[function("($module, format, /, buffer, offset=0)")]
    fn unpack_from(
        format: &Object,
        buffer: BufferArg,
        offset: Option<isize>,
        vm: &Vm,
    ) -> PyResult<Ref<Tuple>> {
        unpack_from(&*cached(format, vm)?, &buffer, offset.unwrap_or(0), vm)
    }
}

/// The layout of `_struct.Struct`.
#[repr(C)]
#[derive(Traverse)]
pub struct Struct {
    ob: Object,
    #[traverse(skip)]
    layout: RefCell<Option<Rc<Layout>>>,
    format: Slot<Object>,
    weakrefs: WeakList,
}

/// Struct(fmt) --> compiled struct object
#[pytype(name = "_struct.Struct", flags(BASETYPE), gc, weakrefs = weakrefs)]
impl Struct {
    #[new("(*args, **kwargs)")]
    fn new(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            Struct {
                ob: Object::new(Self::type_object()),
                layout: RefCell::default(),
                format: Slot::of(vm.none()),
                weakrefs: WeakList::default(),
            },
        )
    }

    #[init("!(format)")]
    fn init(&self, format: &Object, vm: &Vm) -> PyResult<()> {
        let (text, bytes) = format_bytes(format, vm)?;
        let layout = Layout::parse(&bytes, vm)?;
        self.format.put(text);
        self.layout.replace(Some(Rc::new(layout)));
        Ok(())
    }

    fn ready(&self, vm: &Vm) -> PyResult<Rc<Layout>> {
        self.layout.borrow().clone().ok_or_else(|| vm.runtime_error("Struct object is not initialized"))
    }

    /// Return an iterator yielding tuples.
    ///
    /// Tuples are unpacked from the given bytes source, like a repeated
    /// invocation of unpack_from().
    ///
    /// Requires that the bytes length be a multiple of the struct size.
    #[method("($self, buffer, /)")]
    fn iter_unpack(&self, buffer: &Object, vm: &Vm) -> PyResult {
        iterate(self.ready(vm)?, buffer, vm)
    }

    /// S.pack(v1, v2, ...) -> bytes
    ///
    /// Return a bytes object containing values v1, v2, ... packed according
    /// to the format string S.format.  See help(struct) for more on format
    /// strings.
    #[method("!(*args)")]
    fn pack(&self, args: &[&Object], vm: &Vm) -> PyResult {
        pack(&*self.ready(vm)?, args, vm)
    }

    /// S.pack_into(buffer, offset, v1, v2, ...)
    ///
    /// Pack the values v1, v2, ... according to the format string S.format
    /// and write the packed bytes into the writable buffer buf starting at
    /// offset.  Note that the offset is a required argument.  A negative
    /// offset counts from the end of the buffer.  See help(struct) for more
    /// on format strings.
    #[method("!(*args)")]
    fn pack_into(&self, args: &[&Object], vm: &Vm) -> PyResult<()> {
        pack_into(&*self.ready(vm)?, args, vm)
    }

    /// Return a tuple containing unpacked values.
    ///
    /// Unpack according to the format string Struct.format. The buffer's size
    /// in bytes must be Struct.size.
    ///
    /// See help(struct) for more on format strings.
    #[method("($self, buffer, /)")]
    fn unpack(&self, buffer: BufferArg, vm: &Vm) -> PyResult<Ref<Tuple>> {
        unpack(&*self.ready(vm)?, &buffer, vm)
    }

    /// Return a tuple containing unpacked values.
    ///
    /// Values are unpacked according to the format string Struct.format.
    ///
    /// The buffer's size in bytes, starting at position offset, must be
    /// at least Struct.size.  A negative offset counts from the end of the
    /// buffer.
    ///
    /// See help(struct) for more on format strings.
    #[method("($self, /, buffer, offset=0)")]
    fn unpack_from(&self, buffer: BufferArg, offset: Option<isize>, vm: &Vm) -> PyResult<Ref<Tuple>> {
        unpack_from(&*self.ready(vm)?, &buffer, offset.unwrap_or(0), vm)
    }

    /// S.__sizeof__() -> size of S in memory, in bytes
    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        // As CPython counts: the object and one row a code, one more as the end.
        56 + 32 * (self.layout.borrow().as_ref().map_or(0, |layout| layout.codes) + 1)
    }

    /// struct format string
    #[getter]
    fn format(&self, vm: &Vm) -> PyResult {
        self.ready(vm)?;
        Ok(self.format.get().unwrap_or_else(|| vm.none()))
    }

    /// struct size in bytes
    #[getter]
    fn size(&self) -> isize {
        self.layout.borrow().as_ref().map_or(-1, |layout| layout.size as isize)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        self.ready(vm)?;
        let format = self.format.get().unwrap_or_else(|| vm.none()).repr(vm)?;
        Ok(format!("{}({})", self.as_object().ob_type().name(), format.to_string_lossy()))
    }
}

/// The layout of `_struct.unpack_iterator`.
#[repr(C)]
pub struct UnpackIterator {
    ob: Object,
    layout: Rc<Layout>,
    buffer: RefCell<Option<Buffer>>,
    at: Cell<usize>,
}

impl UnpackIterator {
    fn left(&self) -> usize {
        let length = self.buffer.borrow().as_ref().map_or(0, Buffer::len);
        length.saturating_sub(self.at.get()) / self.layout.size.max(1)
    }
}

#[pytype(name = "_struct.unpack_iterator", no_new)]
impl UnpackIterator {
    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<Ref<Tuple>>> {
        let at = self.at.get();
        let found = {
            let buffer = self.buffer.borrow();
            let bytes = buffer.as_ref().and_then(|buffer| buffer.as_bytes().get(at..at + self.layout.size));
            bytes.map(|bytes| self.layout.unpack(bytes, vm))
        };
        if found.is_none() {
            let done = self.buffer.borrow_mut().take();
            drop(done);
        }
        self.at.set(at + self.layout.size);
        Ok(found)
    }

    /// Private method returning an estimate of len(list(it)).
    #[method("($self, /)")]
    fn __length_hint__(&self) -> usize {
        self.left()
    }
}

/// The format as a str object and its bytes.
fn format_bytes(format: &Object, vm: &Vm) -> PyResult<(ObjRef, Vec<u8>)> {
    if let Some(text) = format.downcast_ref::<Str>() {
        if let Some(ascii) = text.ascii_bytes() {
            return Ok((format.to_ref(), ascii.to_vec()));
        }
        // Raises UnicodeEncodeError.
        let encode = vm.intern("encode");
        format.call_method(&encode, &[vm.new_str("ascii").as_object()], vm)?;
    }
    match format.downcast_ref::<Bytes>() {
        Some(bytes) => {
            let none = vm.none_ref();
            let text = decode_object(none, bytes.as_bytes(), "ascii", "surrogateescape", vm)?;
            format_bytes(text.as_object(), vm)
        }
        None => Err(vm.type_error(format!(
            "Struct() argument 1 must be a str or bytes object, not {}",
            format.ob_type().tp_name_str()
        ))),
    }
}

/// The layout of a format, remembered.
fn cached(format: &Object, vm: &Vm) -> PyResult<Rc<Layout>> {
    let cache = vm.interp().state::<Cache>();
    if let Some((known, layout)) = &*cache.last.borrow() {
        if known.is(format) {
            return Ok(layout.clone());
        }
    }
    let cacheable = format.downcast_exact::<Str>().is_some() || format.downcast_exact::<Bytes>().is_some();
    let structs = cache.structs.borrow().clone();
    if let (Some(structs), true) = (&structs, cacheable) {
        if let Some(found) = structs.get_item(format, vm)? {
            if let Some(layout) = found.downcast_ref::<Struct>().and_then(|s| s.layout.borrow().clone()) {
                let old = cache.last.replace(Some((format.to_ref(), layout.clone())));
                drop(old);
                return Ok(layout);
            }
        }
    }
    let made = Struct::type_object().as_object().call(&[format], vm)?;
    let layout = match made.downcast_ref::<Struct>() {
        Some(made) => made.ready(vm)?,
        None => return Err(vm.system_error("Struct() made no Struct")),
    };
    if cacheable {
        let structs = structs.unwrap_or_else(|| vm.new_dict());
        if structs.len() >= CACHE_SIZE {
            Dict::clear(&structs, vm);
        }
        structs.set_item(format, &made, vm)?;
        let old = cache.structs.replace(Some(structs));
        drop(old);
        let old = cache.last.replace(Some((format.to_ref(), layout.clone())));
        drop(old);
    }
    Ok(layout)
}

fn check_count(layout: &Layout, given: usize, function: &str, vm: &Vm) -> PyResult<()> {
    if given == layout.values {
        return Ok(());
    }
    Err(ERROR.raise(format!("{function} expected {} items for packing (got {given})", layout.values), vm))
}

fn pack(layout: &Layout, values: &[&Object], vm: &Vm) -> PyResult {
    check_count(layout, values.len(), "pack", vm)?;
    let mut small = [0u8; 64];
    if let Some(out) = small.get_mut(..layout.size) {
        layout.pack(values, out, vm)?;
        return Ok(vm.new_bytes(out).into_object());
    }
    let mut out = Vec::new();
    out.try_reserve_exact(layout.size).map_err(|_| vm.memory_error())?;
    out.resize(layout.size, 0);
    layout.pack(values, &mut out, vm)?;
    Ok(vm.new_bytes(&out).into_object())
}

fn pack_into(layout: &Layout, args: &[&Object], vm: &Vm) -> PyResult<()> {
    let (buffer, offset, values) = match args {
        [] => return Err(ERROR.raise("pack_into expected buffer argument", vm)),
        [_] => return Err(ERROR.raise("pack_into expected offset argument", vm)),
        [buffer, offset, values @ ..] => (buffer, offset, values),
    };
    check_count(layout, values.len(), "pack_into", vm)?;
    let Ok(mut target) = buffer.get_buffer(buffer::WRITABLE, vm) else {
        vm.clear_exception();
        return Err(vm.type_error(format!(
            "argument must be read-write bytes-like object, not {}",
            buffer.ob_type().tp_name_str()
        )));
    };
    let index = offset.as_index(vm)?;
    let offset = index.to_i64().ok_or_else(|| {
        vm.index_error(format!("cannot fit '{}' into an index-sized integer", offset.ob_type().tp_name_str()))
    })?;
    let start = locate(layout.size, target.len(), offset as isize, "pack", vm)?;
    // Converting the values may run Python code that sees the buffer: it is written to at the end.
    let mut out = vec![0; layout.size];
    layout.pack(values, &mut out, vm)?;
    if let Some(place) = target.as_bytes_mut().and_then(|bytes| bytes.get_mut(start..start + layout.size)) {
        place.copy_from_slice(&out);
    }
    Ok(())
}

/// The place of `size` bytes in a buffer, counted from its end when negative.
fn locate(size: usize, length: usize, offset: isize, verb: &str, vm: &Vm) -> PyResult<usize> {
    let (size_, length_) = (size as isize, length as isize);
    let mut at = offset;
    if at < 0 {
        if at.saturating_add(size_) > 0 {
            let what = if verb == "pack" { "no space to pack" } else { "not enough data to unpack" };
            return Err(ERROR.raise(format!("{what} {size} bytes at offset {offset}"), vm));
        }
        if at.saturating_add(length_) < 0 {
            return Err(ERROR.raise(format!("offset {offset} out of range for {length}-byte buffer"), vm));
        }
        at += length_;
    }
    if length_ - at < size_ {
        let function = if verb == "pack" { "pack_into" } else { "unpack_from" };
        return Err(ERROR.raise(
            format!(
                "{function} requires a buffer of at least {} bytes for {verb}ing {size} bytes at offset {at} (actual buffer size is {length})",
                size + at as usize
            ),
            vm,
        ));
    }
    Ok(at as usize)
}

fn unpack(layout: &Layout, buffer: &BufferArg, vm: &Vm) -> PyResult<Ref<Tuple>> {
    let bytes = buffer.as_bytes();
    if bytes.len() != layout.size {
        return Err(ERROR.raise(format!("unpack requires a buffer of {} bytes", layout.size), vm));
    }
    Ok(layout.unpack(bytes, vm))
}

fn unpack_from(layout: &Layout, buffer: &BufferArg, offset: isize, vm: &Vm) -> PyResult<Ref<Tuple>> {
    let bytes = buffer.as_bytes();
    let start = locate(layout.size, bytes.len(), offset, "unpack", vm)?;
    Ok(layout.unpack(bytes.get(start..start + layout.size).unwrap_or_default(), vm))
}

fn iterate(layout: Rc<Layout>, buffer: &Object, vm: &Vm) -> PyResult {
    if layout.size == 0 {
        return Err(ERROR.raise("cannot iteratively unpack with a struct of length 0", vm));
    }
    let buffer = BufferArg::from_object(buffer, vm)?.0;
    if buffer.len() % layout.size != 0 {
        return Err(ERROR.raise(
            format!("iterative unpacking requires a buffer of a multiple of {} bytes", layout.size),
            vm,
        ));
    }
    let iterator = UnpackIterator {
        ob: Object::new(UnpackIterator::type_object()),
        layout,
        buffer: RefCell::new(Some(buffer)),
        at: Cell::new(0),
    };
    Ok(vm.new_object(iterator).into_object())
}
