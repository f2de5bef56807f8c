//! `SignalDict`: a context's flags or traps as a mapping from signals to truth values.

use std::cell::Cell;
use std::rc::{Rc, Weak};

use taipan_numeric::decimal::Status;
use taipan_vm::prelude::*;

use super::signals::{SIGNALS, bits_of};
use super::{Made, made};

/// The layout, whose type is the native base of the class that `_decimal` makes.
#[repr(C)]
pub struct SignalDict {
    ob: Object,
    /// The context's bits; gone with the context, and never there if the object was made by the program.
    bits: Weak<Cell<Status>>,
}

impl SignalDict {
    /// The mapping over a context's bits.
    pub fn over(bits: &Rc<Cell<Status>>, vm: &Vm) -> PyResult {
        let class = made(vm, |made: &Made| made.signal_dict.clone())?;
        vm.new_instance(
            &class,
            SignalDict { ob: Object::new(Self::type_object()), bits: Rc::downgrade(bits) },
        )
    }

    fn shared(&self, vm: &Vm) -> PyResult<Rc<Cell<Status>>> {
        self.bits.upgrade().ok_or_else(|| vm.value_error("invalid signal dict"))
    }

    /// The bits now.
    pub fn get(&self, vm: &Vm) -> PyResult<Status> {
        Ok(self.shared(vm)?.get())
    }
}

/// The bits of a plain dict with exactly the signals as keys.
pub fn bits_of_dict(dict: &Dict, vm: &Vm) -> PyResult<Status> {
    let invalid = || vm.raise(types::key_error(), "invalid signal dict");
    if dict.len() != SIGNALS.len() {
        return Err(invalid());
    }
    let classes = made(vm, |made| made.signals.clone())?;
    let mut bits = 0;
    for (signal, class) in SIGNALS.iter().zip(classes) {
        let value = dict.get_item(class.as_object(), vm)?.ok_or_else(invalid)?;
        if value.is_true(vm)? {
            bits |= signal.bits;
        }
    }
    Ok(bits)
}

#[pytype(name = "decimal.SignalDictMixin", flags(BASETYPE), unhashable, doc = "")]
impl SignalDict {
    #[new("(*args, **kwargs)")]
    fn new(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, SignalDict { ob: Object::new(Self::type_object()), bits: Weak::new() })
    }

    #[slot]
    fn tp_init(&self, _args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<()> {
        Ok(())
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let bits = self.get(vm)?;
        let items = SIGNALS.iter().map(|signal| {
            let value = if bits & signal.bits != 0 { "True" } else { "False" };
            format!("<class 'decimal.{}'>:{value}", signal.name)
        });
        Ok(format!("{{{}}}", items.collect::<Vec<String>>().join(", ")))
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult {
        self.get(vm)?;
        let classes = made(vm, |made| made.signals.clone())?;
        let classes: Vec<ObjRef> = classes.into_iter().map(Ref::into_object).collect();
        vm.new_tuple(classes).as_object().iter(vm)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let own = self.get(vm)?;
        let (CompareOp::Eq | CompareOp::Ne) = op else { return Ok(vm.not_implemented()) };
        let others = if let Some(other) = other.downcast_ref::<SignalDict>() {
            other.get(vm)?
        } else if let Some(dict) = other.downcast_ref::<Dict>() {
            if dict.len() == 0 {
                return Err(vm.value_error("invalid signal dict"));
            }
            match bits_of_dict(dict, vm) {
                Ok(bits) => bits,
                Err(_) if vm.exception_matches(types::key_error()) => {
                    vm.clear_exception();
                    return Ok(vm.not_implemented());
                }
                Err(raised) => return Err(raised),
            }
        } else {
            return Ok(vm.not_implemented());
        };
        // Conditions of one signal are the same here.
        let signals = |bits: Status| SIGNALS.each_ref().map(|signal| bits & signal.bits != 0);
        Ok(vm.new_bool((signals(own) == signals(others)) == (op == CompareOp::Eq)))
    }

    #[slot]
    fn mp_length(&self, vm: &Vm) -> PyResult<usize> {
        self.get(vm)?;
        Ok(SIGNALS.len())
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        let own = self.get(vm)?;
        Ok(vm.new_bool(own & bits_of(key, vm)? != 0))
    }

    #[slot]
    fn mp_ass_subscript(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let shared = self.shared(vm)?;
        let Some(value) = value else { return Err(vm.value_error("signal keys cannot be deleted")) };
        let bits = bits_of(key, vm)?;
        if value.is_true(vm)? {
            shared.set(shared.get() | bits);
        } else {
            shared.set(shared.get() & !bits);
        }
        Ok(())
    }

    #[method("($self, /)")]
    fn copy(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        let own = self.get(vm)?;
        let classes = made(vm, |made| made.signals.clone())?;
        let dict = vm.new_dict();
        for (signal, class) in SIGNALS.iter().zip(classes) {
            dict.set_item(class.as_object(), &vm.new_bool(own & signal.bits != 0), vm)?;
        }
        Ok(dict)
    }
}
