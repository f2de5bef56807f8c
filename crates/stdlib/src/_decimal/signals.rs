//! Conditions, the exceptions that they raise when trapped, and rounding modes by name.

use taipan_numeric::decimal::{self as core, Rounding, Status};
use taipan_vm::prelude::*;

use super::made;

/// A signal or condition: its class's name and its bits.
pub struct Signal {
    pub name: &'static str,
    pub bits: Status,
}

const fn signal(name: &'static str, bits: Status) -> Signal {
    Signal { name, bits }
}

/// The signals, in the order in which contexts show them in dictionaries.
pub const SIGNALS: [Signal; 9] = [
    signal("InvalidOperation", core::ANY_INVALID),
    signal("FloatOperation", core::FLOAT_OPERATION),
    signal("DivisionByZero", core::DIVISION_BY_ZERO),
    signal("Overflow", core::OVERFLOW),
    signal("Underflow", core::UNDERFLOW),
    signal("Subnormal", core::SUBNORMAL),
    signal("Inexact", core::INEXACT),
    signal("Rounded", core::ROUNDED),
    signal("Clamped", core::CLAMPED),
];

/// The conditions that make `InvalidOperation`.
pub const CONDITIONS: [Signal; 5] = [
    signal("InvalidOperation", core::INVALID_OPERATION),
    signal("ConversionSyntax", core::CONVERSION_SYNTAX),
    signal("DivisionImpossible", core::DIVISION_IMPOSSIBLE),
    signal("DivisionUndefined", core::DIVISION_UNDEFINED),
    signal("InvalidContext", core::INVALID_CONTEXT),
];

/// The signals' names in the order of their bits, as a context's repr lists them.
pub const BY_BIT: [(&str, Status); 15] = [
    ("Clamped", core::CLAMPED),
    ("InvalidOperation", core::CONVERSION_SYNTAX),
    ("DivisionByZero", core::DIVISION_BY_ZERO),
    ("InvalidOperation", core::DIVISION_IMPOSSIBLE),
    ("InvalidOperation", core::DIVISION_UNDEFINED),
    ("InvalidOperation", 0x20),
    ("Inexact", core::INEXACT),
    ("InvalidOperation", core::INVALID_CONTEXT),
    ("InvalidOperation", core::INVALID_OPERATION),
    ("InvalidOperation", core::MALLOC_ERROR),
    ("FloatOperation", core::FLOAT_OPERATION),
    ("Overflow", core::OVERFLOW),
    ("Rounded", core::ROUNDED),
    ("Subnormal", core::SUBNORMAL),
    ("Underflow", core::UNDERFLOW),
];

const SIGNALS_TEXT: &str = "valid values for signals are:\n  [InvalidOperation, FloatOperation, DivisionByZero,\n   Overflow, Underflow, Subnormal, Inexact, Rounded,\n   Clamped]";
const ROUNDING_TEXT: &str = "valid values for rounding are:\n  [ROUND_CEILING, ROUND_FLOOR, ROUND_UP, ROUND_DOWN,\n   ROUND_HALF_UP, ROUND_HALF_DOWN, ROUND_HALF_EVEN,\n   ROUND_05UP]";

/// Raises the exception for conditions of which at least one is trapped.
#[cold]
pub fn raise(trapped: Status, vm: &Vm) -> Raised {
    if trapped & core::MALLOC_ERROR != 0 {
        return vm.memory_error();
    }
    let found = made(vm, |made| {
        let hit = |signal: &Signal| trapped & signal.bits != 0;
        let class =
            SIGNALS.iter().zip(&made.signals).find(|(signal, _)| hit(signal)).map(|(_, class)| class.clone());
        let conditions = CONDITIONS.iter().zip(&made.conditions);
        let signals = SIGNALS.iter().zip(&made.signals).skip(1);
        let all = conditions.chain(signals).filter(|(signal, _)| hit(signal));
        class.map(|class| (class, all.map(|(_, class)| class.clone().into_object()).collect::<Vec<ObjRef>>()))
    });
    match found {
        Ok(Some((class, all))) => vm.raise_with(&class, vec![vm.new_list(all).into_object()]),
        Ok(None) => vm.system_error("unknown decimal condition"),
        Err(raised) => raised,
    }
}

/// The bits of a signal's class.
pub fn bits_of(class: &Object, vm: &Vm) -> PyResult<Status> {
    let found = made(vm, |made| {
        SIGNALS
            .iter()
            .zip(&made.signals)
            .find(|(_, known)| known.as_object().is(class))
            .map(|(signal, _)| signal.bits)
    })?;
    found.ok_or_else(|| vm.raise(types::key_error(), SIGNALS_TEXT))
}

/// The bits of a list of signals' classes; conditions are signals here too.
pub fn bits_of_list(list: &List, vm: &Vm) -> PyResult<Status> {
    let mut bits = 0;
    for class in list.to_vec() {
        let condition = made(vm, |made| {
            let known = CONDITIONS.iter().zip(&made.conditions).skip(1);
            known.into_iter().find(|(_, known)| known.as_object().is(&class)).map(|(signal, _)| signal.bits)
        })?;
        bits |= match condition {
            Some(condition) => condition,
            None => bits_of(&class, vm)?,
        };
    }
    Ok(bits)
}

/// The signals' classes of a status.
pub fn classes_of(status: Status, vm: &Vm) -> PyResult<Vec<ObjRef>> {
    made(vm, |made| {
        let all = SIGNALS.iter().zip(&made.signals).filter(|(signal, _)| status & signal.bits != 0);
        all.map(|(_, class)| class.clone().into_object()).collect()
    })
}

/// The rounding mode of a name.
pub fn rounding_of(name: &Object, vm: &Vm) -> PyResult<Rounding> {
    let name = name.downcast_ref::<Str>();
    let mode = name.and_then(|name| Rounding::ALL.into_iter().find(|mode| name.eq_str(mode.name())));
    mode.ok_or_else(|| vm.type_error(ROUNDING_TEXT))
}
