//! Building values and calling with them (C API manual, "Building values" and "Call Protocol").

use std::ffi::{CStr, c_char, c_ulong, c_void};

use taipan_vm::prelude::*;

use crate::support::*;
use crate::units::Units;
use crate::va_list::{Args, VaList};

type Maker = unsafe extern "C" fn(*mut c_void) -> Ptr;

impl Units<'_> {
    fn skip_separators(&mut self) {
        while matches!(self.peek(), b',' | b':' | b' ' | b'\t') {
            self.at += 1;
        }
    }

    /// The values up to `end`. All are made even after a failure, since `N` gives its references away in any case.
    fn values(&mut self, end: u8, vm: &Vm) -> PyResult<Vec<ObjRef>> {
        let mut values = Vec::new();
        let mut failed: Option<Ref<BaseException>> = None;
        loop {
            self.skip_separators();
            let next = self.peek();
            if next == end || next == 0 {
                if next != end {
                    return Err(vm.system_error("unmatched paren in format"));
                }
                self.at += 1;
                break;
            }
            match self.value(vm) {
                Ok(value) => values.push(value),
                Err(Raised) => failed = failed.or(vm.take_exception()),
            }
        }
        match failed {
            Some(exception) => {
                vm.current_exception.set(Some(exception));
                Err(Raised)
            }
            None => Ok(values),
        }
    }

    /// The optional length behind a text unit.
    fn length(&mut self) -> Option<isize> {
        self.accept(b'#').then(|| self.args.size())
    }

    fn value(&mut self, vm: &Vm) -> PyResult {
        Ok(match self.take() {
            b'(' => vm.new_tuple(self.values(b')', vm)?).into_object(),
            b'[' => vm.new_list(self.values(b']', vm)?).into_object(),
            b'{' => {
                let values = self.values(b'}', vm)?;
                let dict = vm.new_dict();
                if values.len() % 2 != 0 {
                    return Err(vm.system_error("Bad dict format"));
                }
                for pair in values.chunks_exact(2) {
                    if let [key, value] = pair {
                        dict.set_item(key, value, vm)?;
                    }
                }
                dict.into_object()
            }
            b'b' | b'B' | b'h' | b'i' => vm.new_int(self.args.int()),
            b'H' => vm.new_int(self.args.int()),
            b'I' => vm.new_int(self.args.int() as u32),
            b'l' => vm.new_int(self.args.long()),
            b'k' => vm.new_int(self.args.long() as c_ulong),
            b'L' => vm.new_int(self.args.long_long()),
            b'K' => vm.new_int(self.args.long_long() as u64),
            b'n' => vm.new_int(self.args.size()),
            b'p' => vm.new_bool(self.args.int() != 0),
            b'c' => vm.new_bytes(&[self.args.int() as u8]).into_object(),
            b'C' => {
                let code = self.args.int();
                match u32::try_from(code).ok().filter(|&code| code < 0x11_0000) {
                    Some(code) => Str::from_char(code, vm).into_object(),
                    None => return Err(vm.value_error("%c arg not in range(0x110000)")),
                }
            }
            b'd' | b'f' => vm.new_float(self.args.double()),
            b'D' => {
                let place = self.args.place::<[f64; 2]>();
                // SAFETY: the format says that the argument points to a Py_complex.
                let [re, im] = unsafe { *place };
                Complex::new(re, im, vm)
            }
            b's' | b'z' | b'U' => {
                let text = self.args.text();
                let length = self.length();
                if text.is_null() {
                    vm.none()
                } else {
                    // SAFETY: the format says that a text, and its length after `#`, were passed.
                    decode_utf8(unsafe { bytes_of(text, length) }, vm)?.into_object()
                }
            }
            b'y' => {
                let text = self.args.text();
                let length = self.length();
                if text.is_null() {
                    vm.none()
                } else {
                    // SAFETY: the format says that bytes, and their length after `#`, were passed.
                    Bytes::try_from_slice(unsafe { bytes_of(text, length) }, vm)?.into_object()
                }
            }
            b'u' => {
                let text = self.args.place::<u32>();
                let length = self.length();
                if text.is_null() {
                    vm.none()
                } else {
                    // SAFETY: the format says that a wide text, and its length after `#`, were passed.
                    unsafe { crate::unicode::from_wide(text, length.unwrap_or(-1), vm)? }.into_object()
                }
            }
            unit @ (b'O' | b'S' | b'N') => {
                if unit == b'O' && self.accept(b'&') {
                    let maker = self.args.pointer();
                    let argument = self.args.pointer();
                    // SAFETY: `O&` passes a function pointer of this type, or null.
                    let maker = unsafe { std::mem::transmute::<*mut c_void, Option<Maker>>(maker) };
                    let Some(maker) = maker else { return Err(bad_internal_call(vm)) };
                    // SAFETY: the caller's function takes the argument passed with it and gives a new reference.
                    return unsafe { vm.owned(maker(argument)) };
                }
                let object = self.args.object();
                // SAFETY: the format says that the argument is an object, or null.
                match unsafe { object.as_ref() } {
                    // SAFETY: `N` passes a reference of the caller's own.
                    Some(object) if unit == b'N' => unsafe { Ref::from_raw(object.as_ptr()) },
                    Some(object) => object.to_ref(),
                    None if vm.has_exception() => return Err(Raised),
                    None => return Err(vm.system_error("NULL object passed to Py_BuildValue")),
                }
            }
            _ => return Err(vm.system_error("bad format char passed to Py_BuildValue")),
        })
    }
}

/// # Safety
/// `text` has `length` bytes, or ends with NUL when there is no length.
unsafe fn bytes_of<'a>(text: *const c_char, length: Option<isize>) -> &'a [u8] {
    // SAFETY: the caller's promise.
    unsafe {
        match length.and_then(|length| usize::try_from(length).ok()) {
            Some(length) => bytes_at(text.cast(), length),
            None => CStr::from_ptr(text).to_bytes(),
        }
    }
}

/// The values of a whole format.
fn values(format: &[u8], args: Args, vm: &Vm) -> PyResult<Vec<ObjRef>> {
    Units::new(&[format, b"\x01"].concat(), args).values(1, vm)
}

/// # Safety
/// The arguments are those that the format says.
unsafe fn build(format: *const c_char, args: *mut VaList, vm: &Vm) -> PyResult {
    // SAFETY: the caller's promise.
    let (format, args) = unsafe { (<&CStr>::from_c(format), Args::new(args)) };
    let mut values = values(format.to_bytes(), args, vm)?;
    Ok(match (values.len(), values.pop()) {
        (1, Some(value)) => value,
        (_, Some(last)) => {
            values.push(last);
            vm.new_tuple(values).into_object()
        }
        (_, None) => vm.none(),
    })
}

/// The arguments of a call: a single tuple is the argument tuple.
unsafe fn call_arguments(format: *const c_char, args: *mut VaList, vm: &Vm) -> PyResult<Vec<ObjRef>> {
    // SAFETY: passed on.
    let (format, args) = unsafe { (<&CStr>::from_c(format), Args::new(args)) };
    let values = values(format.to_bytes(), args, vm)?;
    if let [only] = values.as_slice() {
        if let Some(tuple) = only.downcast_ref::<Tuple>() {
            return Ok(tuple.as_slice().to_vec());
        }
    }
    Ok(values)
}

/// The objects up to null.
fn objects<'a>(mut args: Args) -> Vec<&'a Object> {
    let mut found = Vec::new();
    // SAFETY: C code gives live objects and a final null.
    while let Some(object) = unsafe { args.object().as_ref() } {
        found.push(object);
    }
    found
}

capi! {
    fn taipan_build(vm, format: *const c_char, args: *mut VaList) -> PyResult {
        build(format, args, vm)
    }

    fn taipan_call(vm, callable: Option<&Object>, format: *const c_char, args: *mut VaList) -> PyResult {
        let arguments = call_arguments(format, args, vm)?;
        present(callable, vm)?.call(taipan_vm::protocols::native::borrow_all(&arguments), vm)
    }

    fn taipan_call_method(vm, object: Option<&Object>, method: &CStr, format: *const c_char, args: *mut VaList) -> PyResult {
        let arguments = call_arguments(format, args, vm)?;
        let method = present(object, vm)?.get_attr(&*name(method, vm)?, vm)?;
        if !method.is_callable() {
            return Err(vm.type_error(format!("attribute of type '{}' is not callable", method.ob_type().name())));
        }
        method.call(taipan_vm::protocols::native::borrow_all(&arguments), vm)
    }

    fn taipan_call_objects(vm, callable: Option<&Object>, args: *mut VaList) -> PyResult {
        present(callable, vm)?.call(&objects(Args::new(args)), vm)
    }

    fn taipan_call_method_objects(vm, object: Option<&Object>, method: Option<&Object>, args: *mut VaList) -> PyResult {
        let object = present(object, vm)?;
        let method = attr_name(present(method, vm)?, vm)?;
        object.call_method(method, &objects(Args::new(args)), vm)
    }

    fn taipan_pack(vm, count: isize, args: *mut VaList) -> PyResult {
        let mut args = Args::new(args);
        let mut items = Vec::new();
        for _ in 0..count {
            items.push((&*args.object()).to_ref());
        }
        Ok(vm.new_tuple(items).into_object())
    }

    fn taipan_audit(vm, event: &CStr, format: Option<&CStr>, args: *mut VaList) -> PyResult<()> {
        if !taipan_vm::runtime::audit::is_active(vm) {
            return Ok(());
        }
        let values = match format {
            Some(format) => call_arguments(format.as_ptr(), args, vm)?,
            None => Vec::new(),
        };
        taipan_vm::runtime::audit::call_hooks(&lossy(event), vm.new_tuple(values), vm)
    }
}
