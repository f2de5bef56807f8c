//! `_json`: the fast half of `json`.

use std::cell::RefCell;

use taipan_vm::builtins::str::StrBuilder;
use taipan_vm::prelude::*;

mod decode_error;
mod encoder;
mod quote;
mod scanner;
mod string;

pub use encoder::Encoder;
pub use scanner::Scanner;

use quote::Quoting;

/// The module's own string encoders, which `Encoder` need not call.
#[derive(Default)]
struct Encoders(RefCell<Vec<(ObjRef, Quoting)>>);

impl Encoders {
    fn find(function: &Object, vm: &Vm) -> Option<Quoting> {
        let known = &vm.interp().state::<Encoders>().0;
        let known = known.borrow();
        known.iter().find(|(own, _)| own.is(function)).map(|(_, quoting)| *quoting)
    }
}

/// The module.
pub struct Json;

/// json speedups
#[pymodule(name = "_json")]
impl Json {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        for tp in [Scanner::type_object(), Encoder::type_object()] {
            taipan_vm::builtins::type_::ready::type_ready(tp, vm)?;
        }
        module.set("make_scanner", Scanner::type_object().as_object(), vm)?;
        module.set("make_encoder", Encoder::type_object().as_object(), vm)?;
        let dict = module.dict(vm);
        let mut found = Vec::new();
        for (name, quoting) in
            [("encode_basestring_ascii", Quoting::Ascii), ("encode_basestring", Quoting::Unicode)]
        {
            if let Some(function) = dict.get_str(&vm.intern(name), vm)? {
                found.push((function, quoting));
            }
        }
        let old = vm.interp().state::<Encoders>().0.replace(found);
        drop(old);
        Ok(())
    }

    /// encode_basestring(string) -> string
    ///
    /// Return a JSON representation of a Python string
    #[function("($self, object, /)")]
    fn encode_basestring(object: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
        quoted(object, Quoting::Unicode, vm)
    }

    /// encode_basestring_ascii(string) -> string
    ///
    /// Return an ASCII-only JSON representation of a Python string
    #[function("($self, object, /)")]
    fn encode_basestring_ascii(object: &Object, vm: &Vm) -> PyResult<Ref<Str>> {
        quoted(object, Quoting::Ascii, vm)
    }

    /// scanstring(string, end, strict=True) -> (string, end)
    ///
    /// Scan the string s for a JSON string. End is the index of the
    /// character in s after the quote that started the JSON string.
    /// Unescapes all valid JSON string escape sequences and raises ValueError
    /// on attempt to decode an invalid string. If strict is False then literal
    /// control characters are allowed in the string.
    ///
    /// Returns a tuple of the decoded string and the index of the character in s
    /// after the end quote.
    #[function("!(*args)")]
    fn scanstring(args: &[&Object], vm: &Vm) -> PyResult<(Ref<Str>, usize)> {
        let (text, end, strict) = match args {
            [text, end] => (text, end, true),
            [text, end, strict] => (text, end, strict.is_true(vm)?),
            _ => {
                let bound = if args.len() < 2 { "at least 2" } else { "at most 3" };
                return Err(
                    vm.type_error(format!("scanstring() takes {bound} arguments ({} given)", args.len()))
                );
            }
        };
        let end = end.as_isize(vm)?;
        let text = text_argument(text, vm)?;
        match usize::try_from(end) {
            Ok(end) if end <= text.len() => string::scan(text, end, strict, vm),
            _ => Err(vm.value_error("end is out of bounds")),
        }
    }
}

/// The str that the scanners work on.
fn text_argument<'a>(object: &'a Object, vm: &Vm) -> PyResult<&'a Str> {
    object.downcast_ref::<Str>().ok_or_else(|| {
        vm.type_error(format!("first argument must be a string, not {}", object.ob_type().tp_name_str()))
    })
}

fn quoted(object: &Object, quoting: Quoting, vm: &Vm) -> PyResult<Ref<Str>> {
    let text = text_argument(object, vm)?;
    let mut out = StrBuilder::with_capacity(text.len().saturating_add(2));
    quote::push_quoted(&mut out, text, quoting);
    out.try_finish(vm)
}
