//! `_decimal`: decimal floating-point arithmetic. The numbers are `taipan_numeric::decimal`'s; here are Python's
//! objects around them: `Decimal`, `Context`, the signals and the current context.

mod construct;
mod context;
mod context_methods;
mod current;
mod decimal;
mod format;
mod methods;
mod number;
mod signal_dict;
mod signals;

use std::cell::RefCell;

use taipan_numeric::decimal as core;
use taipan_vm::builtins::type_::TypeExt;
use taipan_vm::import::import_module;
use taipan_vm::prelude::*;

pub use context::Context;
pub use current::ContextManager;
pub use decimal::Decimal;
pub use signal_dict::SignalDict;

use signals::{CONDITIONS, SIGNALS};

/// The module.
pub struct DecimalModule;

/// What the module makes once in an interpreter.
#[derive(Default)]
struct State {
    made: RefCell<Option<Made>>,
    current: current::Cache,
}

/// Classes and objects of the interpreter.
#[derive(Clone)]
struct Made {
    decimal_exception: Ref<Type>,
    /// In the order of [`SIGNALS`].
    signals: Vec<Ref<Type>>,
    /// In the order of [`CONDITIONS`].
    conditions: Vec<Ref<Type>>,
    signal_dict: Ref<Type>,
    decimal_tuple: ObjRef,
    rational: ObjRef,
    variable: ObjRef,
    default_context: Ref<Context>,
    basic_context: Ref<Context>,
    extended_context: Ref<Context>,
}

fn state(vm: &Vm) -> &State {
    vm.interp().state::<State>()
}

/// The interpreter's objects; made when first asked for.
fn made<T>(vm: &Vm, choose: impl FnOnce(&Made) -> T) -> PyResult<T> {
    if let Some(made) = &*state(vm).made.borrow() {
        return Ok(choose(made));
    }
    let new = Made::new(vm)?;
    let result = choose(&new);
    state(vm).made.replace(Some(new));
    Ok(result)
}

/// A class made by calling its metaclass.
fn make_class(
    metatype: &Object,
    name: &str,
    bases: Vec<ObjRef>,
    module: Option<&str>,
    vm: &Vm,
) -> PyResult<Ref<Type>> {
    let dict = vm.new_dict();
    if let Some(module) = module {
        dict.set_item(vm.ids().__module__.as_object(), vm.intern(module).as_object(), vm)?;
    }
    let (name, bases) = (vm.intern(name), vm.new_tuple(bases));
    let class = metatype.call(&[name.as_object(), bases.as_object(), dict.as_object()], vm)?;
    class.downcast::<Type>().map_err(|_| vm.system_error("no type"))
}

impl Made {
    fn new(vm: &Vm) -> PyResult<Made> {
        let metatype = Type::type_type().as_object();
        let class = |name: &str, bases: Vec<ObjRef>| make_class(metatype, name, bases, Some("decimal"), vm);
        let own = |tp: &Ref<Type>| tp.clone().into_object();
        let built_in = |tp: &'static Type| tp.as_object().to_ref();
        let decimal_exception = class("DecimalException", vec![built_in(types::arithmetic_error())])?;
        let mut signals: Vec<Ref<Type>> = Vec::new();
        for signal in &SIGNALS {
            // The bases are signals further up in the table, which is why it is filled in the order of need.
            let base = own(&decimal_exception);
            let bases = match signal.name {
                "FloatOperation" => vec![base, built_in(types::type_error())],
                "DivisionByZero" => vec![base, built_in(types::zero_division_error())],
                _ => vec![base],
            };
            signals.push(class(signal.name, bases)?);
        }
        let at = |signals: &[Ref<Type>], name: &str| {
            let place = SIGNALS.iter().position(|signal| signal.name == name);
            place
                .and_then(|place| signals.get(place))
                .map(own)
                .ok_or_else(|| vm.system_error("no such signal"))
        };
        for (name, bases) in
            [("Overflow", ["Inexact", "Rounded", ""]), ("Underflow", ["Inexact", "Rounded", "Subnormal"])]
        {
            let bases: PyResult<Vec<ObjRef>> =
                bases.iter().filter(|base| !base.is_empty()).map(|base| at(&signals, base)).collect();
            let made = class(name, bases?)?;
            let place = SIGNALS.iter().position(|signal| signal.name == name);
            if let Some(entry) = place.and_then(|place| signals.get_mut(place)) {
                *entry = made;
            }
        }
        let invalid = at(&signals, "InvalidOperation")?;
        let mut conditions = Vec::new();
        for (place, condition) in CONDITIONS.iter().enumerate() {
            conditions.push(match condition.name {
                _ if place == 0 => {
                    invalid.clone().downcast::<Type>().map_err(|_| vm.system_error("no type"))?
                }
                "DivisionUndefined" => {
                    class(condition.name, vec![invalid.clone(), built_in(types::zero_division_error())])?
                }
                name => class(name, vec![invalid.clone()])?,
            });
        }
        let abc = import_module("collections.abc", vm)?;
        let mapping = abc.get_attr(&vm.intern("MutableMapping"), vm)?;
        let meta = import_module("abc", vm)?.get_attr(&vm.intern("ABCMeta"), vm)?;
        let mixin = SignalDict::type_object().as_object().to_ref();
        let signal_dict = make_class(&meta, "SignalDict", vec![mixin, mapping], Some("abc"), vm)?;
        let numbers = import_module("numbers", vm)?;
        let number = numbers.get_attr(&vm.intern("Number"), vm)?;
        number.call_method(&vm.intern("register"), &[Decimal::type_object().as_object()], vm)?;
        let rational = numbers.get_attr(&vm.intern("Rational"), vm)?;
        let collections = import_module("collections", vm)?;
        let namedtuple = collections.get_attr(&vm.intern("namedtuple"), vm)?;
        let (name, fields) = (vm.new_str("DecimalTuple"), vm.new_str("sign digits exponent"));
        let decimal_tuple = namedtuple.call(&[name.as_object(), fields.as_object()], vm)?;
        decimal_tuple.set_attr(vm.ids().__module__, vm.intern("decimal").as_object(), vm)?;
        let variables = import_module("_contextvars", vm)?;
        let variable = variables.get_attr(&vm.intern("ContextVar"), vm)?;
        let variable = variable.call(&[vm.new_str("decimal_context").as_object()], vm)?;
        let usual = core::ANY_INVALID | core::DIVISION_BY_ZERO | core::OVERFLOW;
        let default_context = Context::plain(context::DEFAULT, usual, vm);
        let nine = core::Context { prec: 9, ..context::DEFAULT };
        let half_up = core::Context { rounding: core::Rounding::HalfUp, ..nine };
        let basic_context = Context::plain(half_up, usual | core::UNDERFLOW | core::CLAMPED, vm);
        let extended_context = Context::plain(nine, 0, vm);
        Ok(Made {
            decimal_exception,
            signals,
            conditions,
            signal_dict,
            decimal_tuple,
            rational,
            variable,
            default_context,
            basic_context,
            extended_context,
        })
    }
}

/// C decimal arithmetic module
#[pymodule(name = "_decimal", types(Decimal, Context))]
impl DecimalModule {
    #[constant("MAX_PREC")]
    fn max_prec() -> i64 {
        core::MAX_PREC
    }

    #[constant("MAX_EMAX")]
    fn max_emax() -> i64 {
        core::MAX_EMAX
    }

    #[constant("MIN_EMIN")]
    fn min_emin() -> i64 {
        core::MIN_EMIN
    }

    #[constant("MIN_ETINY")]
    fn min_etiny() -> i64 {
        core::MIN_ETINY
    }

    #[constant("IEEE_CONTEXT_MAX_BITS")]
    fn ieee_context_max_bits() -> i64 {
        context::IEEE_MAX_BITS
    }

    #[constant("HAVE_THREADS")]
    fn have_threads() -> bool {
        true
    }

    #[constant("HAVE_CONTEXTVAR")]
    fn have_contextvar() -> bool {
        true
    }

    #[constant("__version__")]
    fn version() -> &'static str {
        "1.70"
    }

    #[constant("__libmpdec_version__")]
    fn libmpdec_version() -> &'static str {
        "2.5.1"
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        let made = made(vm, Made::clone)?;
        module.set("DecimalException", made.decimal_exception.as_object(), vm)?;
        for (signal, class) in SIGNALS.iter().zip(&made.signals) {
            module.set(signal.name, class.as_object(), vm)?;
        }
        for (condition, class) in CONDITIONS.iter().zip(&made.conditions) {
            module.set(condition.name, class.as_object(), vm)?;
        }
        for mode in core::Rounding::ALL {
            module.set(mode.name(), vm.intern(mode.name()).as_object(), vm)?;
        }
        module.set("DecimalTuple", &made.decimal_tuple, vm)?;
        module.set("DefaultContext", made.default_context.as_object(), vm)?;
        module.set("BasicContext", made.basic_context.as_object(), vm)?;
        module.set("ExtendedContext", made.extended_context.as_object(), vm)
    }

    /// Get the current default context.
    #[function("($module, /)")]
    fn getcontext(vm: &Vm) -> PyResult<Ref<Context>> {
        current::get(vm)
    }

    /// Set a new default context.
    #[function("($module, context, /)")]
    fn setcontext(context: &Object, vm: &Vm) -> PyResult<()> {
        match context.downcast_ref::<Context>() {
            Some(context) => current::set(context, vm),
            None => Err(vm.type_error("argument must be a context")),
        }
    }

    /// Return a context manager for a copy of the supplied context.
    ///
    /// That will set the default context to a copy of ctx on entry to the
    /// with-statement and restore the previous default context when exiting
    /// the with-statement. If no context is supplied, a copy of the current
    /// default context is used.
    #[function("($module, /, ctx=None, **kwargs)")]
    fn localcontext(ctx: Option<&Object>, kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<Ref<ContextManager>> {
        current::local(ctx, kwargs, vm)
    }

    /// Return a context object initialized to the proper values for one of the
    /// IEEE interchange formats.
    ///
    /// The argument must be a multiple of 32 and less than
    /// IEEE_CONTEXT_MAX_BITS.
    #[function("($module, bits, /)")]
    fn IEEEContext(bits: &Object, vm: &Vm) -> PyResult<Ref<Context>> {
        context::ieee(bits, vm)
    }
}
