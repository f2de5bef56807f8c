//! The attribute names that the module looks up, interned once for each interpreter.

use std::cell::OnceCell;

use taipan_vm::prelude::*;

macro_rules! names {
    ($($name:ident = $text:literal),* $(,)?) => {
        /// Interned names.
        pub struct Names { $(pub $name: Ref<Str>),* }

        impl Names {
            fn new(vm: &Vm) -> Names {
                Names { $($name: vm.intern($text)),* }
            }
        }
    };
}

names! {
    dst = "dst",
    fromtimestamp = "fromtimestamp",
    fromutc = "fromutc",
    getinitargs = "__getinitargs__",
    as_integer_ratio = "as_integer_ratio",
    isoformat = "isoformat",
    replace = "replace",
    strftime = "strftime",
    struct_time = "struct_time",
    time = "time",
    timetuple = "timetuple",
    tzname = "tzname",
    utcoffset = "utcoffset",
}

#[derive(Default)]
struct State(OnceCell<Names>);

/// The interpreter's names.
pub fn names(vm: &Vm) -> &Names {
    vm.interp().state::<State>().0.get_or_init(|| Names::new(vm))
}
