//! `string.templatelib.Template` and `Interpolation`: what t-strings make (PEP 750).

use std::cell::Cell;

use crate::builtins::generic_alias::GenericAlias;
use crate::builtins::type_::ready::type_ready;
use crate::prelude::*;

/// A literal with the values between its strings.
#[repr(C)]
#[derive(Traverse)]
pub struct Template {
    /// The header.
    pub ob: Object,
    /// One more than the interpolations.
    strings: Slot<Tuple>,
    interpolations: Slot<Tuple>,
}

/// One replacement field.
#[repr(C)]
#[derive(Traverse)]
pub struct Interpolation {
    /// The header.
    pub ob: Object,
    value: Slot<Object>,
    expression: Slot<Object>,
    conversion: Slot<Object>,
    format_spec: Slot<Object>,
}

/// Iterates over the strings that are not empty and the interpolations, in order.
#[repr(C)]
#[derive(Traverse)]
pub struct TemplateIter {
    /// The header.
    pub ob: Object,
    strings: Slot<Tuple>,
    interpolations: Slot<Tuple>,
    /// Twice the number of the next pair, plus one when its string has been passed.
    position: Cell<usize>,
}

impl Template {
    fn create(strings: Ref<Tuple>, interpolations: Ref<Tuple>, vm: &Vm) -> PyResult<ObjRef> {
        type_ready(Self::type_object(), vm)?;
        let made = Template {
            ob: Object::new(Self::type_object()),
            strings: Slot::of(strings),
            interpolations: Slot::of(interpolations),
        };
        Ok(vm.new_object(made).into_object())
    }

    fn strings(&self, vm: &Vm) -> Ref<Tuple> {
        self.strings.get().unwrap_or_else(|| Tuple::empty(vm))
    }

    fn interpolations(&self, vm: &Vm) -> Ref<Tuple> {
        self.interpolations.get().unwrap_or_else(|| Tuple::empty(vm))
    }
}

/// `BUILD_TEMPLATE`: a template of a tuple of strings and a tuple of interpolations.
pub fn new_template(strings: &Object, interpolations: &Object, vm: &Vm) -> PyResult<ObjRef> {
    match (strings.downcast_ref::<Tuple>(), interpolations.downcast_ref::<Tuple>()) {
        (Some(strings), Some(interpolations)) => {
            Template::create(Ref::new_ref(strings), Ref::new_ref(interpolations), vm)
        }
        _ => Err(vm.system_error("a template is made of two tuples")),
    }
}

/// `BUILD_INTERPOLATION`: one replacement field of a t-string.
pub fn new_interpolation(
    value: &Object,
    expression: &Object,
    conversion: Option<char>,
    format_spec: &Object,
    vm: &Vm,
) -> PyResult<ObjRef> {
    let conversion = match conversion {
        Some(conversion) => vm.intern(conversion.encode_utf8(&mut [0; 4])).into_object(),
        None => vm.none(),
    };
    Interpolation::create(value, expression, conversion, format_spec, vm)
}

/// Template object
#[pytype(
    name = "string.templatelib.Template",
    symbol = "_PyTemplate_Type",
    gc,
    members(strings: OBJECT = strings readonly "Strings", interpolations: OBJECT = interpolations readonly "Interpolations")
)]
impl Template {
    #[slot]
    fn tp_new(_cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<ObjRef> {
        if kwargs.is_some_and(|kwargs| kwargs.len() > 0) {
            return Err(vm.type_error("Template.__new__ only accepts *args arguments"));
        }
        let (mut strings, mut interpolations) = (Vec::new(), Vec::new());
        // The string that goes on growing until an interpolation ends it.
        let mut current = vm.new_str("");
        for arg in args.as_slice() {
            if let Some(text) = arg.downcast_ref::<Str>() {
                current = if current.len() == 0 { Ref::new_ref(text) } else { current.concat(text, vm)? };
            } else if arg.downcast_exact::<Interpolation>().is_some() {
                strings.push(std::mem::replace(&mut current, vm.new_str("")).into_object());
                interpolations.push(arg.clone());
            } else {
                return Err(vm.type_error(format!(
                    "Template.__new__ *args need to be of type 'str' or 'Interpolation', got {}",
                    arg.ob_type().tp_name_str()
                )));
            }
        }
        strings.push(current.into_object());
        Template::create(vm.new_tuple(strings), vm.new_tuple(interpolations), vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
        let strings = self.strings(vm).as_object().repr(vm)?;
        let interpolations = self.interpolations(vm).as_object().repr(vm)?;
        let text = format!(
            "Template(strings={}, interpolations={})",
            strings.to_string_lossy(),
            interpolations.to_string_lossy()
        );
        Ok(vm.new_str(&text).into_object())
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult<ObjRef> {
        type_ready(TemplateIter::type_object(), vm)?;
        let made = TemplateIter {
            ob: Object::new(TemplateIter::type_object()),
            strings: Slot::of(self.strings(vm)),
            interpolations: Slot::of(self.interpolations(vm)),
            position: Cell::new(0),
        };
        Ok(vm.new_object(made).into_object())
    }

    #[slot]
    fn sq_concat(&self, other: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let Some(other) = other.downcast_exact::<Template>() else {
            return Err(vm.type_error(format!(
                "can only concatenate {} (not \"{}\") to {}",
                "string.templatelib.Template",
                other.ob_type().tp_name_str(),
                "string.templatelib.Template"
            )));
        };
        let mut strings = self.strings(vm).as_slice().to_vec();
        let more = other.strings(vm);
        let mut more = more.as_slice().iter();
        // The last string of one and the first of the other become one.
        if let (Some(last), Some(first)) = (strings.pop(), more.next()) {
            match (last.downcast_ref::<Str>(), first.downcast_ref::<Str>()) {
                (Some(last), Some(first)) => strings.push(last.concat(first, vm)?.into_object()),
                _ => return Err(vm.system_error("a template's strings are str")),
            }
        }
        strings.extend(more.cloned());
        let mut interpolations = self.interpolations(vm).as_slice().to_vec();
        interpolations.extend(other.interpolations(vm).as_slice().iter().cloned());
        Template::create(vm.new_tuple(strings), vm.new_tuple(interpolations), vm)
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<ObjRef> {
        let module = crate::import::import_module("string.templatelib", vm)?;
        let unpickle = module.get_attr(&vm.intern("_template_unpickle"), vm)?;
        let parts = vm.new_tuple([self.strings(vm).into_object(), self.interpolations(vm).into_object()]);
        Ok(vm.new_tuple([unpickle, parts.into_object()]).into_object())
    }

    /// Template supports [] for generic usage
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> ObjRef {
        GenericAlias::new(cls.as_object(), object, vm)
    }

    /// Values of interpolations
    #[getter]
    fn values(&self, vm: &Vm) -> Ref<Tuple> {
        let values: Vec<ObjRef> = self
            .interpolations(vm)
            .as_slice()
            .iter()
            .filter_map(|item| item.downcast_exact::<Interpolation>()?.value.get())
            .collect();
        vm.new_tuple(values)
    }
}

/// Template iterator object
#[pytype(name = "string.templatelib.TemplateIter", symbol = "_PyTemplateIter_Type", gc, no_new)]
impl TemplateIter {
    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self) -> PyResult<Option<ObjRef>> {
        loop {
            let position = self.position.get();
            let from = if position % 2 == 0 { self.strings.get() } else { self.interpolations.get() };
            let Some(item) = from.and_then(|tuple| tuple.as_slice().get(position / 2).cloned()) else {
                return Ok(None);
            };
            self.position.set(position + 1);
            if item.downcast_ref::<Str>().is_none_or(|text| text.len() > 0) {
                return Ok(Some(item));
            }
        }
    }
}

/// Makes the type usable, with the attribute by which patterns take it apart.
fn ready_interpolation(vm: &Vm) -> PyResult<()> {
    let tp = Interpolation::type_object();
    type_ready(tp, vm)?;
    let fields =
        ["value", "expression", "conversion", "format_spec"].map(|field| vm.intern(field).into_object());
    crate::builtins::type_::set_constant(tp, "__match_args__", vm.new_tuple(fields).as_object(), vm)
}

impl Interpolation {
    fn create(
        value: &Object,
        expression: &Object,
        conversion: ObjRef,
        format_spec: &Object,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        ready_interpolation(vm)?;
        let made = Interpolation {
            ob: Object::new(Self::type_object()),
            value: Slot::of(value.to_ref()),
            expression: Slot::of(expression.to_ref()),
            conversion: Slot::of(conversion),
            format_spec: Slot::of(format_spec.to_ref()),
        };
        Ok(vm.new_object(made).into_object())
    }

    fn fields(&self, vm: &Vm) -> [ObjRef; 4] {
        [&self.value, &self.expression, &self.conversion, &self.format_spec]
            .map(|field| field.get().unwrap_or_else(|| vm.none()))
    }
}

/// Interpolation object
#[pytype(
    name = "string.templatelib.Interpolation",
    symbol = "_PyInterpolation_Type",
    gc,
    members(
        value: OBJECT = value readonly "Value",
        expression: OBJECT = expression readonly "Expression",
        conversion: OBJECT = conversion readonly "Conversion",
        format_spec: OBJECT = format_spec readonly "Format specifier"
    )
)]
impl Interpolation {
    #[new("(value, expression='', conversion=None, format_spec='')")]
    fn new(
        _cls: &Type,
        value: &Object,
        expression: Option<&Str>,
        conversion: Option<&Object>,
        format_spec: Option<&Str>,
        vm: &Vm,
    ) -> PyResult<ObjRef> {
        let conversion = conversion.filter(|conversion| !vm.is_none(conversion));
        if let Some(conversion) = conversion {
            let Some(text) = conversion.downcast_ref::<Str>() else {
                return Err(vm.type_error(format!(
                    "Interpolation() argument 'conversion' must be str, not {}",
                    conversion.ob_type().name()
                )));
            };
            if !["s", "a", "r"].iter().any(|known| text.eq_str(known)) {
                return Err(
                    vm.value_error("Interpolation() argument 'conversion' must be one of 's', 'a' or 'r'")
                );
            }
        }
        let empty = vm.ids().empty;
        Interpolation::create(
            value,
            expression.unwrap_or(empty).as_object(),
            conversion.map_or_else(|| vm.none(), Object::to_ref),
            format_spec.unwrap_or(empty).as_object(),
            vm,
        )
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
        let mut shown = Vec::with_capacity(4);
        for field in self.fields(vm) {
            shown.push(field.repr(vm)?.to_string_lossy().into_owned());
        }
        Ok(vm.new_str(&format!("Interpolation({})", shown.join(", "))).into_object())
    }

    /// __reduce__() -> (cls, state)
    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> Ref<Tuple> {
        let tp = self.as_object().ob_type().as_object().to_ref();
        vm.new_tuple([tp, vm.new_tuple(self.fields(vm)).into_object()])
    }

    /// Interpolations are generic over the types of their values
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> ObjRef {
        GenericAlias::new(cls.as_object(), object, vm)
    }
}
