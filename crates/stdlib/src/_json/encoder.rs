//! `make_encoder`: Python objects to JSON text.

use taipan_numeric::float;
use taipan_vm::builtins::str::StrBuilder;
use taipan_vm::prelude::*;

use super::Encoders;
use super::quote::{Quoting, push_quoted};

/// The layout of `_json.Encoder`.
#[repr(C)]
#[derive(Traverse)]
pub struct Encoder {
    #[traverse(skip)]
    ob: Object,
    markers: ObjRef,
    default: ObjRef,
    encoder: ObjRef,
    indent: ObjRef,
    key_separator: ObjRef,
    item_separator: ObjRef,
    #[traverse(skip)]
    sort_keys: bool,
    #[traverse(skip)]
    skipkeys: bool,
    #[traverse(skip)]
    allow_nan: bool,
    /// How strings are written when `encoder` is one of the module's own.
    #[traverse(skip)]
    quoting: Option<Quoting>,
}

/// Encoder(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)
#[pytype(
    name = "_json.Encoder",
    gc,
    members(
        markers: OBJECT = markers readonly,
        default: OBJECT = default readonly,
        encoder: OBJECT = encoder readonly,
        indent: OBJECT = indent readonly,
        key_separator: OBJECT = key_separator readonly,
        item_separator: OBJECT = item_separator readonly
    )
)]
impl Encoder {
    #[new(
        "!(markers, default, encoder, indent, key_separator, item_separator, sort_keys, skipkeys, allow_nan)"
    )]
    #[expect(clippy::too_many_arguments, reason = "the constructor's signature")]
    fn new(
        cls: &Type,
        markers: &Object,
        default: &Object,
        encoder: &Object,
        indent: &Object,
        key_separator: &Str,
        item_separator: &Str,
        sort_keys: bool,
        skipkeys: bool,
        allow_nan: bool,
        vm: &Vm,
    ) -> PyResult {
        if !vm.is_none(markers) && markers.downcast_ref::<Dict>().is_none() {
            return Err(vm.type_error(format!(
                "make_encoder() argument 1 must be dict or None, not {}",
                markers.ob_type().tp_name_str()
            )));
        }
        let made = Encoder {
            ob: Object::new(Self::type_object()),
            markers: markers.to_ref(),
            default: default.to_ref(),
            encoder: encoder.to_ref(),
            indent: indent.to_ref(),
            key_separator: key_separator.as_object().to_ref(),
            item_separator: item_separator.as_object().to_ref(),
            sort_keys,
            skipkeys,
            allow_nan,
            quoting: Encoders::find(encoder, vm),
        };
        vm.new_instance(cls, made)
    }

    #[getter]
    fn sort_keys(&self) -> bool {
        self.sort_keys
    }

    #[getter]
    fn skipkeys(&self) -> bool {
        self.skipkeys
    }

    #[slot]
    fn tp_call(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let mut given: [Option<ObjRef>; 2] = [None, None];
        let count = args.len() + kwargs.map_or(0, Dict::len);
        if count > 2 {
            return Err(vm.type_error(format!("_iterencode() takes at most 2 arguments ({count} given)")));
        }
        for (place, item) in given.iter_mut().zip(args.as_slice()) {
            *place = Some(item.clone());
        }
        for ((place, name), at) in given.iter_mut().zip(["obj", "_current_indent_level"]).zip(1..) {
            if let (None, Some(kwargs)) = (&place, kwargs) {
                *place = kwargs.get_str(&vm.intern(name), vm)?;
            }
            if place.is_none() {
                return Err(
                    vm.type_error(format!("_iterencode() missing required argument '{name}' (pos {at})"))
                );
            }
        }
        let [Some(object), Some(level)] = given else {
            return Err(vm.type_error("_iterencode() takes 2 arguments"));
        };
        let level = usize::try_from(level.as_isize(vm)?).unwrap_or(0);
        let mut writer = Writer {
            encoder: self,
            vm,
            out: StrBuilder::with_capacity(128),
            open: Vec::new(),
            check_circles: !vm.is_none(&self.markers),
        };
        writer.value(&object, level)?;
        let text = writer.out.try_finish(vm)?;
        Ok(vm.new_tuple([text.into_object()]))
    }
}

/// One call: the text so far.
struct Writer<'a> {
    encoder: &'a Encoder,
    vm: &'a Vm,
    out: StrBuilder,
    /// The containers around the value that is written, as addresses.
    open: Vec<usize>,
    check_circles: bool,
}

impl Writer<'_> {
    fn value(&mut self, object: &Object, level: usize) -> PyResult<()> {
        let vm = self.vm;
        if let Some(text) = object.downcast_ref::<Str>() {
            return self.text(text);
        }
        if vm.is_none(object) {
            self.out.push_ascii(b"null");
            return Ok(());
        }
        if object.is(vm.true_ref()) {
            self.out.push_ascii(b"true");
            return Ok(());
        }
        if object.is(vm.false_ref()) {
            self.out.push_ascii(b"false");
            return Ok(());
        }
        if let Some(int) = object.downcast_ref::<Int>() {
            return self.int(int);
        }
        if let Some(value) = object.downcast_ref::<Float>() {
            return self.float(value);
        }
        if object.downcast_ref::<List>().is_some() || object.downcast_ref::<Tuple>().is_some() {
            vm.check_recursion(" while encoding a JSON object")?;
            return self.sequence(object, level);
        }
        if let Some(dict) = object.downcast_ref::<Dict>() {
            vm.check_recursion(" while encoding a JSON object")?;
            return self.dict(dict, level);
        }
        self.enter(object)?;
        let replacement = self.encoder.default.call(&[object], vm)?;
        vm.check_recursion(" while encoding a JSON object")?;
        if let Err(raised) = self.value(&replacement, level) {
            self.note(format!("when serializing {} object", full_name(object, vm)))?;
            return Err(raised);
        }
        self.leave();
        Ok(())
    }

    fn enter(&mut self, object: &Object) -> PyResult<()> {
        if !self.check_circles {
            return Ok(());
        }
        let address = std::ptr::from_ref(object) as usize;
        if self.open.contains(&address) {
            return Err(self.vm.value_error("Circular reference detected"));
        }
        self.open.push(address);
        Ok(())
    }

    fn leave(&mut self) {
        if self.check_circles {
            self.open.pop();
        }
    }

    #[cold]
    fn note(&self, text: String) -> PyResult<()> {
        let Some(exception) = self.vm.take_exception() else { return Ok(()) };
        let text = self.vm.new_str(&text);
        exception.add_note(&text, self.vm)?;
        self.vm.reraise(exception);
        Ok(())
    }

    fn text(&mut self, text: &Str) -> PyResult<()> {
        if let Some(quoting) = self.encoder.quoting {
            push_quoted(&mut self.out, text, quoting);
            return Ok(());
        }
        let vm = self.vm;
        let encoded = self.encoder.encoder.call(&[text.as_object()], vm)?;
        match encoded.downcast_ref::<Str>() {
            Some(encoded) => self.out.push(encoded),
            None => {
                return Err(vm.type_error(format!(
                    "encoder() must return a string, not {}",
                    encoded.ob_type().tp_name_str()
                )));
            }
        }
        Ok(())
    }

    fn int(&mut self, int: &Int) -> PyResult<()> {
        let Some(value) = int.to_i64() else {
            self.out.push_ascii(int.to_text(self.vm)?.as_bytes());
            return Ok(());
        };
        let mut digits = [0u8; 20];
        let mut at = digits.len();
        let mut rest = value.unsigned_abs();
        loop {
            at -= 1;
            if let Some(place) = digits.get_mut(at) {
                *place = b'0' + (rest % 10) as u8;
            }
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        if value < 0 {
            self.out.push_ascii(b"-");
        }
        self.out.push_ascii(digits.get(at..).unwrap_or_default());
        Ok(())
    }

    fn float_text(&self, float: &Float) -> PyResult<String> {
        let value = float.value();
        if value.is_finite() {
            return Ok(float::repr(value));
        }
        if !self.encoder.allow_nan {
            let shown = float.as_object().repr(self.vm)?;
            return Err(self.vm.value_error(format!(
                "Out of range float values are not JSON compliant: {}",
                shown.to_string_lossy()
            )));
        }
        let text = if value.is_nan() {
            "NaN"
        } else if value > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        };
        Ok(text.to_owned())
    }

    fn float(&mut self, float: &Float) -> PyResult<()> {
        let text = self.float_text(float)?;
        self.out.push_ascii(text.as_bytes());
        Ok(())
    }

    fn separate(&mut self) {
        if let Some(separator) = self.encoder.item_separator.downcast_ref::<Str>() {
            self.out.push(separator);
        }
    }

    fn new_line(&mut self, level: usize) -> PyResult<()> {
        if self.vm.is_none(&self.encoder.indent) {
            return Ok(());
        }
        self.out.push_ascii(b"\n");
        match self.encoder.indent.downcast_ref::<Str>() {
            Some(indent) => (0..level).for_each(|_| self.out.push(indent)),
            None => return Err(self.vm.type_error("make_encoder() argument 4 must be str or None")),
        }
        Ok(())
    }

    fn sequence(&mut self, object: &Object, level: usize) -> PyResult<()> {
        // A list may shrink or grow while its items are written.
        let (list, tuple) = (object.downcast_ref::<List>(), object.downcast_ref::<Tuple>());
        let get = |at: usize| match (list, tuple) {
            (Some(list), _) => list.get(at),
            (None, Some(tuple)) => tuple.get(at).map(Object::to_ref),
            _ => None,
        };
        let Some(mut item) = get(0) else {
            self.out.push_ascii(b"[]");
            return Ok(());
        };
        self.enter(object)?;
        self.out.push_ascii(b"[");
        self.new_line(level + 1)?;
        let mut at = 0;
        loop {
            if let Err(raised) = self.value(&item, level + 1) {
                self.note(format!("when serializing {} item {at}", full_name(object, self.vm)))?;
                return Err(raised);
            }
            at += 1;
            match get(at) {
                Some(next) => item = next,
                None => break,
            }
            self.separate();
            self.new_line(level + 1)?;
        }
        self.leave();
        self.new_line(level)?;
        self.out.push_ascii(b"]");
        Ok(())
    }

    fn dict(&mut self, dict: &Dict, level: usize) -> PyResult<()> {
        if dict.is_empty() {
            self.out.push_ascii(b"{}");
            return Ok(());
        }
        let vm = self.vm;
        self.enter(dict.as_object())?;
        self.out.push_ascii(b"{");
        let mut first = true;
        if self.encoder.sort_keys || !dict.is_exact() {
            let items = dict.as_object().call_method(&vm.intern("items"), &[], vm)?;
            let items = vm.new_list(items.collect_iterable(vm)?);
            if self.encoder.sort_keys {
                items.sort(None, false, vm)?;
            }
            let mut at = 0;
            while let Some(item) = items.get(at) {
                at += 1;
                let pair = item.downcast_ref::<Tuple>().map(Tuple::as_slice);
                let Some([key, value]) = pair else {
                    return Err(vm.value_error("items must return 2-tuples"));
                };
                self.entry(dict, key, value, &mut first, level + 1)?;
            }
        } else {
            let mut position = 0;
            while let Some((key, value)) = dict.next_entry(&mut position) {
                self.entry(dict, &key, &value, &mut first, level + 1)?;
            }
        }
        self.leave();
        if !first {
            self.new_line(level)?;
        }
        self.out.push_ascii(b"}");
        Ok(())
    }

    fn entry(
        &mut self,
        dict: &Dict,
        key: &Object,
        value: &Object,
        first: &mut bool,
        level: usize,
    ) -> PyResult<()> {
        let vm = self.vm;
        let converted: Ref<Str>;
        let text = if let Some(text) = key.downcast_ref::<Str>() {
            text
        } else {
            let text = if let Some(float) = key.downcast_ref::<Float>() {
                self.float_text(float)?
            } else if vm.is_none(key) {
                "null".to_owned()
            } else if key.is(vm.true_ref()) {
                "true".to_owned()
            } else if key.is(vm.false_ref()) {
                "false".to_owned()
            } else if let Some(int) = key.downcast_ref::<Int>() {
                int.to_text(vm)?
            } else if self.encoder.skipkeys {
                return Ok(());
            } else {
                return Err(vm.type_error(format!(
                    "keys must be str, int, float, bool or None, not {}",
                    key.ob_type().tp_name_str()
                )));
            };
            converted = vm.new_str(&text);
            &*converted
        };
        if !std::mem::take(first) {
            self.separate();
        }
        self.new_line(level)?;
        self.text(text)?;
        if let Some(separator) = self.encoder.key_separator.downcast_ref::<Str>() {
            self.out.push(separator);
        }
        if let Err(raised) = self.value(value, level) {
            // Showing the key may raise in its turn; then that is the error.
            let exception = vm.take_exception();
            let shown = key.repr(vm)?;
            if let Some(exception) = exception {
                vm.reraise(exception);
            }
            let name = full_name(dict.as_object(), vm);
            self.note(format!("when serializing {name} item {}", shown.to_string_lossy()))?;
            return Err(raised);
        }
        Ok(())
    }
}

/// The type's name with its module, unless that is `builtins`.
fn full_name(object: &Object, vm: &Vm) -> String {
    let tp = object.ob_type();
    if !tp.has_flag(TypeFlags::HEAPTYPE) {
        return tp.tp_name_str().to_owned();
    }
    let part = |name: &Str| {
        let found = tp.as_object().get_attr(name, vm).ok()?;
        found.downcast_ref::<Str>().map(|text| text.to_string_lossy().into_owned())
    };
    let name = part(vm.ids().__qualname__).unwrap_or_default();
    match part(vm.ids().__module__) {
        Some(module) if module != "builtins" && module != "__main__" => format!("{module}.{name}"),
        _ => name,
    }
}
