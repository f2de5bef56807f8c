//! `Context`: precision, rounding, exponent range, flags and traps.

use std::cell::Cell;
use std::rc::Rc;

use taipan_numeric::decimal::{self as core, Rounding, Status};
use taipan_vm::prelude::*;
use taipan_vm::protocols::attributes::{generic_get, generic_set};

use super::made;
use super::signal_dict::{SignalDict, bits_of_dict};
use super::signals::{self, BY_BIT, bits_of_list, classes_of, rounding_of};

/// The largest IEEE interchange format.
pub const IEEE_MAX_BITS: i64 = 512;

/// What contexts are unless the program says otherwise.
pub const DEFAULT: core::Context =
    core::Context { prec: 28, emax: 999_999, emin: -999_999, rounding: Rounding::HalfEven, clamp: false };

/// The layout.
#[repr(C)]
#[derive(Traverse)]
pub struct Context {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    settings: Cell<core::Context>,
    #[traverse(skip)]
    capitals: Cell<bool>,
    /// The conditions that have arisen; the dictionary `flags` writes to it too.
    #[traverse(skip)]
    status: Rc<Cell<Status>>,
    #[traverse(skip)]
    trapped: Rc<Cell<Status>>,
    flags: Slot<Object>,
    traps: Slot<Object>,
}

impl Context {
    /// The attributes, in the order of the constructor's parameters.
    pub const ATTRIBUTES: [&str; 8] =
        ["prec", "rounding", "Emin", "Emax", "capitals", "clamp", "flags", "traps"];

    fn value(settings: core::Context, capitals: bool, status: Status, traps: Status) -> Context {
        Context {
            ob: Object::new(Context::type_object()),
            settings: Cell::new(settings),
            capitals: Cell::new(capitals),
            status: Rc::new(Cell::new(status)),
            trapped: Rc::new(Cell::new(traps)),
            flags: Slot::empty(),
            traps: Slot::empty(),
        }
    }

    /// A context of given settings and traps.
    pub fn plain(settings: core::Context, traps: Status, vm: &Vm) -> Ref<Context> {
        vm.new_object(Context::value(settings, true, 0, traps))
    }

    /// A copy, flags and traps included.
    pub fn duplicate(&self, vm: &Vm) -> Ref<Context> {
        vm.new_object(Context::value(self.settings(), self.capitals(), self.status.get(), self.trapped.get()))
    }

    /// What the arithmetic needs.
    #[inline]
    pub fn settings(&self) -> core::Context {
        self.settings.get()
    }

    /// Whether exponents are shown with a capital.
    #[inline]
    pub fn capitals(&self) -> bool {
        self.capitals.get()
    }

    /// The conditions that have arisen.
    pub fn status(&self) -> &Cell<Status> {
        &self.status
    }

    /// The conditions that raise.
    pub fn trapped(&self) -> &Cell<Status> {
        &self.trapped
    }

    /// Records conditions; raises if one is trapped.
    #[inline]
    pub fn signal(&self, conditions: Status, vm: &Vm) -> PyResult<()> {
        if conditions == 0 {
            return Ok(());
        }
        self.status.set(self.status.get() | conditions);
        let trapped = conditions & (self.trapped.get() | core::MALLOC_ERROR);
        if trapped == 0 { Ok(()) } else { Err(signals::raise(trapped, vm)) }
    }

    fn update(&self, change: impl FnOnce(&mut core::Context)) {
        let mut settings = self.settings();
        change(&mut settings);
        self.settings.set(settings);
    }

    /// Sets an attribute that the constructor takes.
    pub fn assign(&self, name: &Str, value: &Object, vm: &Vm) -> PyResult<()> {
        let is = |known: &str| name.eq_str(known);
        if is("flags") || is("traps") {
            let bits = match value.downcast_ref::<List>() {
                Some(list) => bits_of_list(list, vm)?,
                None => mapping_bits(value, vm)?,
            };
            if is("flags") { &self.status } else { &self.trapped }.set(bits);
            return Ok(());
        }
        self.as_object().set_attr(name, value, vm)
    }
}

/// The bits of a signal dict or a dict.
fn mapping_bits(value: &Object, vm: &Vm) -> PyResult<Status> {
    if let Some(dict) = value.downcast_ref::<SignalDict>() {
        return dict.get(vm);
    }
    match value.downcast_ref::<Dict>() {
        Some(dict) => bits_of_dict(dict, vm),
        None => Err(vm.type_error("argument must be a signal dict")),
    }
}

/// An int that fits into a machine size.
pub fn size_of_int(value: &Object, vm: &Vm) -> PyResult<i64> {
    match value.downcast_ref::<Int>() {
        Some(int) => {
            int.to_i64().ok_or_else(|| vm.overflow_error("Python int too large to convert to C ssize_t"))
        }
        None => Err(vm.type_error("an integer is required")),
    }
}

fn ranged(
    value: Option<&Object>,
    range: std::ops::RangeInclusive<i64>,
    text: &str,
    vm: &Vm,
) -> PyResult<i64> {
    let Some(value) = value else { return Err(vm.attribute_error("context attributes cannot be deleted")) };
    let value = size_of_int(value, vm)?;
    if range.contains(&value) { Ok(value) } else { Err(vm.value_error(text)) }
}

/// A context of an IEEE interchange format.
pub fn ieee(bits: &Object, vm: &Vm) -> PyResult<Ref<Context>> {
    let bits = size_of_int(bits, vm)?;
    if bits <= 0 || bits > IEEE_MAX_BITS || bits % 32 != 0 {
        return Err(
            vm.value_error(format!("argument must be a multiple of 32, with a maximum of {IEEE_MAX_BITS}"))
        );
    }
    let emax = 3 * (1i64 << (bits / 16 + 3));
    let settings = core::Context {
        prec: 9 * (bits / 32) - 2,
        emax,
        emin: 1 - emax,
        rounding: Rounding::HalfEven,
        clamp: true,
    };
    Ok(Context::plain(settings, 0, vm))
}

/// The context affects almost all operations and controls rounding,
/// Over/Underflow, raising of exceptions and much more.  A new context
/// can be constructed as follows:
///
///     >>> c = Context(prec=28, Emin=-425000000, Emax=425000000,
///     ...             rounding=ROUND_HALF_EVEN, capitals=1, clamp=1,
///     ...             traps=[InvalidOperation, DivisionByZero, Overflow],
///     ...             flags=[])
///     >>>
#[pytype(name = "decimal.Context", flags(BASETYPE), gc, methods(CONTEXT_METHODS))]
impl Context {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        let template = made(vm, |made| made.default_context.clone())?;
        let value = Context::value(template.settings(), template.capitals(), 0, template.trapped.get());
        vm.new_instance(cls, value)
    }

    #[init(
        "?(prec=None, rounding=None, Emin=None, Emax=None, capitals=None, clamp=None, flags=None, traps=None)"
    )]
    #[allow(clippy::too_many_arguments, reason = "Python's parameters")]
    fn init(
        &self,
        prec: Option<&Object>,
        rounding: Option<&Object>,
        emin: Option<&Object>,
        emax: Option<&Object>,
        capitals: Option<&Object>,
        clamp: Option<&Object>,
        flags: Option<&Object>,
        traps: Option<&Object>,
        vm: &Vm,
    ) -> PyResult<()> {
        let values = [prec, rounding, emin, emax, capitals, clamp, flags, traps];
        for (name, value) in Context::ATTRIBUTES.iter().zip(values) {
            if let Some(value) = value.filter(|value| !vm.is_none(value)) {
                self.assign(&vm.intern(name), value, vm)?;
            }
        }
        Ok(())
    }

    #[slot]
    fn tp_getattro(&self, name: &Str, vm: &Vm) -> PyResult {
        let (slot, bits) = match name.as_ascii_str() {
            Some("flags") => (&self.flags, &self.status),
            Some("traps") => (&self.traps, &self.trapped),
            _ => return generic_get(self.as_object(), name, vm),
        };
        if let Some(dict) = slot.get() {
            return Ok(dict);
        }
        let dict = SignalDict::over(bits, vm)?;
        slot.put(dict.clone());
        Ok(dict)
    }

    #[slot]
    fn tp_setattro(&self, name: &Str, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else {
            return Err(vm.attribute_error("context attributes cannot be deleted"));
        };
        match name.as_ascii_str() {
            Some("flags") => self.status.set(mapping_bits(value, vm)?),
            Some("traps") => self.trapped.set(mapping_bits(value, vm)?),
            _ => return generic_set(self.as_object(), name, Some(value), vm),
        }
        Ok(())
    }

    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        let list = |bits: Status| {
            let mut names: Vec<&str> = Vec::new();
            for (name, bit) in BY_BIT {
                if bits & bit != 0 && !names.contains(&name) {
                    names.push(name);
                }
            }
            names.join(", ")
        };
        let of = self.settings();
        Ok(format!(
            "Context(prec={}, rounding={}, Emin={}, Emax={}, capitals={}, clamp={}, flags=[{}], traps=[{}])",
            of.prec,
            of.rounding.name(),
            of.emin,
            of.emax,
            u8::from(self.capitals()),
            u8::from(of.clamp),
            list(self.status.get()),
            list(self.trapped.get()),
        ))
    }

    #[getter]
    fn prec(&self) -> i64 {
        self.settings().prec
    }

    #[setter]
    fn set_prec(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let value = ranged(value, 1..=core::MAX_PREC, "valid range for prec is [1, MAX_PREC]", vm)?;
        self.update(|settings| settings.prec = value);
        Ok(())
    }

    #[getter("Emax")]
    fn emax(&self) -> i64 {
        self.settings().emax
    }

    #[setter("Emax")]
    fn set_emax(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let value = ranged(value, 0..=core::MAX_EMAX, "valid range for Emax is [0, MAX_EMAX]", vm)?;
        self.update(|settings| settings.emax = value);
        Ok(())
    }

    #[getter("Emin")]
    fn emin(&self) -> i64 {
        self.settings().emin
    }

    #[setter("Emin")]
    fn set_emin(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let value = ranged(value, core::MIN_EMIN..=0, "valid range for Emin is [MIN_EMIN, 0]", vm)?;
        self.update(|settings| settings.emin = value);
        Ok(())
    }

    #[getter]
    fn rounding(&self, vm: &Vm) -> Ref<Str> {
        vm.intern(self.settings().rounding.name())
    }

    #[setter]
    fn set_rounding(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let mode = rounding_of(value.unwrap_or(vm.none_ref()), vm)?;
        self.update(|settings| settings.rounding = mode);
        Ok(())
    }

    #[getter("capitals")]
    fn shown_capitals(&self) -> i64 {
        i64::from(self.capitals())
    }

    #[setter("capitals")]
    fn set_capitals(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.capitals.set(ranged(value, 0..=1, "valid values for capitals are 0 or 1", vm)? == 1);
        Ok(())
    }

    #[getter]
    fn clamp(&self) -> i64 {
        i64::from(self.settings().clamp)
    }

    #[setter]
    fn set_clamp(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let value = ranged(value, 0..=1, "valid values for clamp are 0 or 1", vm)? == 1;
        self.update(|settings| settings.clamp = value);
        Ok(())
    }

    /// Return a value equal to Emin - prec + 1.
    ///
    /// This is the minimum exponent value for subnormal results.  When
    /// underflow occurs, the exponent is set to Etiny.
    #[method("($self, /)")]
    fn Etiny(&self) -> i64 {
        self.settings().etiny()
    }

    /// Return a value equal to Emax - prec + 1.
    ///
    /// This is the maximum exponent if the _clamp field of the context is set
    /// to 1 (IEEE clamp mode).  Etop() must not be negative.
    #[method("($self, /)")]
    fn Etop(&self) -> i64 {
        self.settings().etop()
    }

    /// Set all flags to False.
    #[method("($self, /)")]
    fn clear_flags(&self) {
        self.status.set(0);
    }

    /// Set all traps to False.
    #[method("($self, /)")]
    fn clear_traps(&self) {
        self.trapped.set(0);
    }

    #[method("($self, /)")]
    fn __copy__(&self, vm: &Vm) -> Ref<Context> {
        self.duplicate(vm)
    }

    /// Return a duplicate of the context.
    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> Ref<Context> {
        self.duplicate(vm)
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult {
        let of = self.settings();
        let arguments = vm.new_tuple([
            vm.new_int(of.prec),
            self.rounding(vm).into_object(),
            vm.new_int(of.emin),
            vm.new_int(of.emax),
            vm.new_int(self.shown_capitals()),
            vm.new_int(self.clamp()),
            vm.new_list(classes_of(self.status.get(), vm)?).into_object(),
            vm.new_list(classes_of(self.trapped.get(), vm)?).into_object(),
        ]);
        let class = self.as_object().ob_type().as_object().to_ref();
        Ok(vm.new_tuple([class, arguments.into_object()]).into_object())
    }
}
