//! `_lsprof`: the profiler behind `cProfile`, a tool of `sys.monitoring`.

use std::cell::{Cell, RefCell};
use std::time::Instant;

use taipan_vm::builtins::builtin_function::BuiltinFunction;
use taipan_vm::builtins::descr::MethodDescriptor;
use taipan_vm::builtins::structseq::StructSeq;
use taipan_vm::builtins::type_::lookup::lookup;
use taipan_vm::exceptions::unraisable::write_unraisable_while;
use taipan_vm::interpreter::instrument::event;
use taipan_vm::prelude::*;

mod record;

use record::{Record, Times};

static ENTRY: StructSeq = StructSeq {
    name: "_lsprof.profiler_entry",
    doc: "",
    fields: &[
        ("code", "code object or built-in function name"),
        ("callcount", "how many times this was called"),
        ("reccallcount", "how many times called recursively"),
        ("totaltime", "total time in this entry"),
        ("inlinetime", "inline time in this entry (not in subcalls)"),
        ("calls", "details of the calls"),
    ],
    visible: 6,
};

static SUBENTRY: StructSeq = StructSeq {
    name: "_lsprof.profiler_subentry",
    doc: "",
    fields: &[
        ("code", "called code object or built-in function name"),
        ("callcount", "how many times this is called"),
        ("reccallcount", "how many times this is called recursively"),
        ("totaltime", "total time spent in this call"),
        ("inlinetime", "inline time (not in further subcalls)"),
    ],
    visible: 5,
};

/// The tool's number, `sys.monitoring.PROFILER_ID`.
const TOOL: i64 = 2;

/// Events, and the methods that are told of them.
const CALLBACKS: [(usize, &str); 9] = [
    (event::PY_START, "_pystart_callback"),
    (event::PY_RESUME, "_pystart_callback"),
    (event::PY_THROW, "_pythrow_callback"),
    (event::PY_RETURN, "_pyreturn_callback"),
    (event::PY_YIELD, "_pyreturn_callback"),
    (event::PY_UNWIND, "_pyreturn_callback"),
    (event::CALL, "_ccall_callback"),
    (event::C_RETURN, "_creturn_callback"),
    (event::C_RAISE, "_creturn_callback"),
];

/// The layout of `_lsprof.Profiler`.
#[repr(C)]
#[derive(Traverse)]
pub struct Profiler {
    #[traverse(skip)]
    ob: Object,
    timer: Slot<Object>,
    record: RefCell<Record>,
    #[traverse(skip)]
    unit: Cell<f64>,
    #[traverse(skip)]
    began: Cell<Option<Instant>>,
    #[traverse(skip)]
    enabled: Cell<bool>,
    #[traverse(skip)]
    subcalls: Cell<bool>,
    #[traverse(skip)]
    builtins: Cell<bool>,
    /// The timer runs.
    #[traverse(skip)]
    timing: Cell<bool>,
}

fn monitoring(vm: &Vm) -> PyResult {
    let sys = vm.interp().sys_dict.get();
    let module = sys.map(|sys| sys.get_str(&vm.intern("monitoring"), vm)).transpose()?.flatten();
    module.ok_or_else(|| vm.runtime_error("sys.monitoring is missing"))
}

impl Profiler {
    /// The time; what the timer raises can't be passed on, and counts as 0.
    fn now(&self, vm: &Vm) -> i64 {
        let Some(timer) = self.timer.get() else {
            let began = self.began.get().unwrap_or_else(|| {
                let now = Instant::now();
                self.began.set(Some(now));
                now
            });
            return i64::try_from(began.elapsed().as_nanos()).unwrap_or(i64::MAX);
        };
        self.timing.set(true);
        let result = timer.call_no_args(vm);
        self.timing.set(false);
        let read = result.and_then(|value| {
            if self.unit.get() > 0.0 {
                let number = value.as_index(vm)?;
                return number.to_i64().ok_or_else(|| vm.overflow_error("int too big to convert"));
            }
            Ok((value.as_f64(vm)? * 1e9).floor() as i64)
        });
        read.unwrap_or_else(|_| {
            write_unraisable_while("while calling _lsprof timer", Some(&timer), vm);
            0
        })
    }

    fn enter(&self, key: usize, user: impl FnOnce() -> PyResult, vm: &Vm) -> PyResult<()> {
        let known = self.record.borrow().find(key);
        let entry = match known {
            Some(entry) => entry,
            None => {
                let user = user()?;
                self.record.borrow_mut().add(key, user)
            }
        };
        self.record.borrow_mut().enter(entry, self.subcalls.get());
        let now = self.now(vm);
        self.record.borrow_mut().started(now);
        Ok(())
    }

    fn leave(&self, key: usize, vm: &Vm) {
        if !self.record.borrow().is_open() {
            return;
        }
        let now = self.now(vm);
        let mut record = self.record.borrow_mut();
        let entry = record.find(key);
        record.leave(entry, now, self.subcalls.get());
    }

    /// The native function that a call event is about.
    fn native(&self, callable: &Object, first: &Object, vm: &Vm) -> PyResult<Option<Ref<BuiltinFunction>>> {
        if let Some(function) = callable.downcast_ref::<BuiltinFunction>() {
            return Ok(Some(function.into()));
        }
        let Some(method) = callable.downcast_ref::<MethodDescriptor>() else { return Ok(None) };
        let missing = monitoring(vm)?.get_attr(&vm.intern("MISSING"), vm)?;
        if first.is(&missing) {
            return Ok(None);
        }
        let bound = method.as_object().call_method(vm.ids().__get__, &[first], vm);
        match bound {
            Ok(bound) => Ok(bound.downcast::<BuiltinFunction>().ok()),
            // A receiver of the wrong type: the call itself will say so.
            Err(_) => {
                vm.clear_exception();
                Ok(None)
            }
        }
    }

    fn check_timer(&self, what: &str, vm: &Vm) -> PyResult<()> {
        if self.timing.get() {
            return Err(vm.runtime_error(format!("cannot {what} profiler in external timer")));
        }
        Ok(())
    }

    /// Takes the tool's callbacks away.
    fn detach(&self, vm: &Vm) -> PyResult<()> {
        let monitoring = monitoring(vm)?;
        let tool = vm.new_int(TOOL);
        for (event, _) in CALLBACKS {
            let args: [&Object; 3] = [&tool, &*vm.new_int(1i64 << event), vm.none_ref()];
            monitoring.call_method(&vm.intern("register_callback"), &args, vm)?;
        }
        monitoring.call_method(&vm.intern("set_events"), &[&*tool, &*vm.new_int(0)], vm)?;
        monitoring.call_method(&vm.intern("free_tool_id"), &[&*tool], vm)?;
        Ok(())
    }
}

fn key_of(function: &BuiltinFunction) -> usize {
    std::ptr::from_ref(function.def()) as usize
}

/// How a native function is shown.
fn shown(function: &BuiltinFunction, vm: &Vm) -> PyResult {
    let name = function.name().to_owned();
    let of_module = function.bound_self().is_none_or(|bound| bound.downcast_ref::<Module>().is_some());
    if of_module {
        let module = match function.m_module.get() {
            Some(module) => match module.downcast_ref::<Module>() {
                Some(module) => module.name(vm),
                None => module.downcast::<Str>().ok(),
            },
            None => None,
        };
        let text = match module {
            Some(module) => format!("<built-in method {}.{name}>", module.to_string_lossy()),
            None => format!("<built-in method {name}>"),
        };
        return Ok(vm.new_str(&text).into_object());
    }
    let receiver = function.bound_self().unwrap_or_else(|| vm.none());
    let method = lookup(receiver.ob_type(), &vm.intern(&name), vm).map(Object::to_ref);
    match method.map(|method| method.repr(vm)) {
        Some(Ok(shown)) => Ok(shown.into_object()),
        Some(Err(_)) | None => {
            vm.clear_exception();
            Ok(vm.new_str(&format!("<built-in method {name}>")).into_object())
        }
    }
}

/// Build a profiler object using the specified timer function.
///
/// The default timer is a fast built-in one based on real time.
/// For custom timer functions returning integers, 'timeunit' can
/// be a float specifying a scale (that is, how long each integer unit
/// is, in seconds).
#[pytype(name = "_lsprof.Profiler", flags(BASETYPE), gc)]
impl Profiler {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            Profiler {
                ob: Object::new(Self::type_object()),
                timer: Slot::empty(),
                record: RefCell::default(),
                unit: Cell::new(0.0),
                began: Cell::new(None),
                enabled: Cell::new(false),
                subcalls: Cell::new(true),
                builtins: Cell::new(true),
                timing: Cell::new(false),
            },
        )
    }

    #[init("(timer=None, timeunit=0.0, subcalls=True, builtins=True)")]
    fn init(
        &self,
        timer: Option<&Object>,
        timeunit: Option<f64>,
        subcalls: Option<bool>,
        builtins: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        self.timer.set(timer.filter(|timer| !vm.is_none(timer)).map(Object::to_ref));
        self.unit.set(timeunit.unwrap_or(0.0));
        self.subcalls.set(subcalls.unwrap_or(true));
        self.builtins.set(builtins.unwrap_or(true));
        Ok(())
    }

    /// list of profiler_entry objects.
    ///
    /// getstats() -> list of profiler_entry objects
    ///
    /// Return all information collected by the profiler.
    /// Each profiler_entry is a tuple-like object with the
    /// following attributes:
    ///
    ///     code          code object
    ///     callcount     how many times this was called
    ///     reccallcount  how many times called recursively
    ///     totaltime     total time in this entry
    ///     inlinetime    inline time in this entry (not in subcalls)
    ///     calls         details of the calls
    ///
    /// The calls attribute is either None or a list of
    /// profiler_subentry objects:
    ///
    ///     code          called code object
    ///     callcount     how many times this is called
    ///     reccallcount  how many times this is called recursively
    ///     totaltime     total time spent in this call
    ///     inlinetime    inline time (not in further subcalls)
    #[method("~($self, /)")]
    fn getstats(&self, vm: &Vm) -> PyResult<Ref<List>> {
        let factor = match self.timer.is_none() || self.unit.get() == 0.0 {
            true => 1e-9,
            false => self.unit.get(),
        };
        let numbers = |times: &Times| {
            [
                vm.new_int(times.calls),
                vm.new_int(times.recursive_calls),
                vm.new_float(factor * times.total as f64),
                vm.new_float(factor * times.inline as f64),
            ]
        };
        // Copied first: making the results runs the collector, which may run Python code.
        let copied: Vec<(ObjRef, Times, Vec<(ObjRef, Times)>)> = {
            let record = self.record.borrow();
            let user = |number: usize| record.entries.get(number).map(|entry| entry.user.clone());
            let used = record.entries.iter().filter(|entry| entry.times.calls > 0);
            used.map(|entry| {
                let mut callees: Vec<_> = entry.callees.iter().filter(|(_, times)| times.calls > 0).collect();
                callees.sort_by_key(|(number, _)| **number);
                let callees = callees.into_iter();
                let callees = callees.filter_map(|(number, times)| Some((user(*number)?, *times))).collect();
                (entry.user.clone(), entry.times, callees)
            })
            .collect()
        };
        let list = List::new(vm);
        for (user, times, callees) in copied {
            let calls = if callees.is_empty() {
                vm.none()
            } else {
                let calls = List::new(vm);
                for (user, times) in callees {
                    let [count, recursive, total, inline] = numbers(&times);
                    calls.append(SUBENTRY.instance(vec![user, count, recursive, total, inline], vm)?);
                }
                calls.into_object()
            };
            let [count, recursive, total, inline] = numbers(&times);
            list.append(ENTRY.instance(vec![user, count, recursive, total, inline, calls], vm)?);
        }
        Ok(list)
    }

    /// Start collecting profiling information.
    ///
    ///   subcalls
    ///     If True, also records for each function
    ///     statistics separated according to its current caller.
    ///   builtins
    ///     If True, records the time spent in
    ///     built-in functions separately from their caller.
    #[method("($self, /, subcalls=True, builtins=True)")]
    fn enable(&self, subcalls: Option<bool>, builtins: Option<bool>, vm: &Vm) -> PyResult<()> {
        self.subcalls.set(subcalls.unwrap_or(true));
        self.builtins.set(builtins.unwrap_or(true));
        let monitoring = monitoring(vm)?;
        let tool = vm.new_int(TOOL);
        let name = vm.new_str("cProfile");
        monitoring.call_method(&vm.intern("use_tool_id"), &[&*tool, name.as_object()], vm)?;
        let mut all = 0i64;
        for (event, name) in CALLBACKS {
            let callback = self.as_object().get_attr(&vm.intern(name), vm)?;
            let args: [&Object; 3] = [&tool, &*vm.new_int(1i64 << event), &callback];
            monitoring.call_method(&vm.intern("register_callback"), &args, vm)?;
            all |= 1 << event;
        }
        monitoring.call_method(&vm.intern("set_events"), &[&*tool, &*vm.new_int(all)], vm)?;
        self.enabled.set(true);
        Ok(())
    }

    /// Stop collecting profiling information.
    #[method("($self, /)")]
    fn disable(&self, vm: &Vm) -> PyResult<()> {
        self.check_timer("disable", vm)?;
        if !self.enabled.get() {
            return Ok(());
        }
        self.detach(vm)?;
        self.enabled.set(false);
        while self.record.borrow().is_open() {
            let now = self.now(vm);
            self.record.borrow_mut().leave_all(now, self.subcalls.get());
        }
        Ok(())
    }

    /// Clear all profiling information collected so far.
    #[method("($self, /)")]
    fn clear(&self, vm: &Vm) -> PyResult<()> {
        self.check_timer("clear", vm)?;
        drop(self.record.take());
        Ok(())
    }

    #[method("($self, code, instruction_offset, /)")]
    fn _pystart_callback(&self, code: &Object, _instruction_offset: &Object, vm: &Vm) -> PyResult<()> {
        self.enter(code.as_ptr() as usize, || Ok(code.to_ref()), vm)
    }

    #[method("($self, code, instruction_offset, exception, /)")]
    fn _pythrow_callback(
        &self,
        code: &Object,
        _instruction_offset: &Object,
        _exception: &Object,
        vm: &Vm,
    ) -> PyResult<()> {
        self.enter(code.as_ptr() as usize, || Ok(code.to_ref()), vm)
    }

    #[method("($self, code, instruction_offset, retval, /)")]
    fn _pyreturn_callback(&self, code: &Object, _instruction_offset: &Object, _retval: &Object, vm: &Vm) {
        self.leave(code.as_ptr() as usize, vm);
    }

    #[method("($self, code, instruction_offset, callable, self_arg, /)")]
    fn _ccall_callback(
        &self,
        _code: &Object,
        _instruction_offset: &Object,
        callable: &Object,
        self_arg: &Object,
        vm: &Vm,
    ) -> PyResult<()> {
        if self.builtins.get() {
            if let Some(function) = self.native(callable, self_arg, vm)? {
                return self.enter(key_of(&function), || shown(&function, vm), vm);
            }
        }
        Ok(())
    }

    #[method("($self, code, instruction_offset, callable, self_arg, /)")]
    fn _creturn_callback(
        &self,
        _code: &Object,
        _instruction_offset: &Object,
        callable: &Object,
        self_arg: &Object,
        vm: &Vm,
    ) -> PyResult<()> {
        if self.builtins.get() {
            if let Some(function) = self.native(callable, self_arg, vm)? {
                self.leave(key_of(&function), vm);
            }
        }
        Ok(())
    }
}

/// The module.
pub struct LsProf;

/// Fast profiler
#[pymodule(name = "_lsprof", types(Profiler))]
impl LsProf {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        module.set("profiler_entry", ENTRY.get(vm)?.as_object(), vm)?;
        module.set("profiler_subentry", SUBENTRY.get(vm)?.as_object(), vm)
    }
}
