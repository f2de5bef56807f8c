//! `sys.monitoring` (PEP 669).

use crate::interpreter::instrument::event::{self, COUNT, GLOBAL_COUNT, LOCAL_COUNT};
use crate::interpreter::instrument::{self, PROFILE_TOOL};
use crate::prelude::*;

const DEBUGGER: i64 = 0;
const COVERAGE: i64 = 1;
const PROFILER: i64 = 2;
const OPTIMIZER: i64 = 5;

const C_EVENTS: u32 = 1 << event::C_RETURN | 1 << event::C_RAISE;
const BOTH_BRANCHES: u32 = 1 << event::BRANCH_LEFT | 1 << event::BRANCH_RIGHT;

fn check_tool(tool: i32, vm: &Vm) -> PyResult<usize> {
    usize::try_from(tool)
        .ok()
        .filter(|&tool| tool < PROFILE_TOOL)
        .ok_or_else(|| vm.value_error(format!("invalid tool {tool} (must be between 0 and 5)")))
}

fn name_of(tool: usize, vm: &Vm) -> Option<ObjRef> {
    instrument::monitoring(vm).names.get(tool).and_then(Slot::get)
}

fn check_in_use(tool: usize, vm: &Vm) -> PyResult<()> {
    if name_of(tool, vm).is_none() {
        return Err(vm.value_error(format!("tool {tool} is not in use")));
    }
    Ok(())
}

/// Splits an event set into what instructions fire; calls' ends come with `CALL`.
fn normal(events: i32, local: bool, vm: &Vm) -> PyResult<u32> {
    let mut events = events as u32;
    let invalid = |events: u32| {
        let what = if local { "local event" } else { "event" };
        Err(vm.value_error(format!("invalid {what} set 0x{events:x}")))
    };
    if !local && events >= 1 << COUNT {
        return invalid(events);
    }
    if events & C_EVENTS != 0 && !(local && events as i32 <= 0) {
        let with_call = C_EVENTS | 1 << event::CALL;
        if events & with_call != with_call {
            return Err(vm.value_error("cannot set C_RETURN or C_RAISE events independently"));
        }
    }
    events &= !C_EVENTS;
    if events & 1 << event::BRANCH != 0 && events < 1 << COUNT {
        events = events & !(1 << event::BRANCH) | BOTH_BRANCHES;
    }
    if local && events >= 1 << LOCAL_COUNT {
        return invalid(events);
    }
    if !local && events >= 1 << GLOBAL_COUNT {
        return invalid(events);
    }
    Ok(events)
}

fn expect_code<'a>(code: &'a Object, vm: &Vm) -> PyResult<&'a Code> {
    code.downcast_exact::<Code>().ok_or_else(|| vm.type_error("code must be a code object"))
}

fn clear(tool: usize, vm: &Vm) {
    for number in 0..COUNT {
        instrument::monitoring(vm).set_callback(tool, number, None);
    }
    instrument::set_events(tool, 0, vm);
    instrument::forget_tool(tool, vm);
}

/// The submodule.
pub struct Monitoring;

#[pymodule(name = "sys.monitoring")]
impl Monitoring {
    #[function("($module, tool_id, name, /)")]
    fn use_tool_id(tool_id: i32, name: &Object, vm: &Vm) -> PyResult<()> {
        let tool = check_tool(tool_id, vm)?;
        if name.downcast_ref::<Str>().is_none() {
            return Err(vm.value_error("tool name must be a str"));
        }
        if name_of(tool, vm).is_some() {
            return Err(vm.value_error(format!("tool {tool} is already in use")));
        }
        if let Some(slot) = instrument::monitoring(vm).names.get(tool) {
            slot.put(name.to_ref());
        }
        Ok(())
    }

    #[function("($module, tool_id, /)")]
    fn clear_tool_id(tool_id: i32, vm: &Vm) -> PyResult<()> {
        let tool = check_tool(tool_id, vm)?;
        if name_of(tool, vm).is_some() {
            clear(tool, vm);
        }
        Ok(())
    }

    #[function("($module, tool_id, /)")]
    fn free_tool_id(tool_id: i32, vm: &Vm) -> PyResult<()> {
        let tool = check_tool(tool_id, vm)?;
        if name_of(tool, vm).is_some() {
            clear(tool, vm);
            if let Some(slot) = instrument::monitoring(vm).names.get(tool) {
                slot.set(None);
            }
        }
        Ok(())
    }

    #[function("($module, tool_id, /)")]
    fn get_tool(tool_id: i32, vm: &Vm) -> PyResult<Option<ObjRef>> {
        Ok(name_of(check_tool(tool_id, vm)?, vm))
    }

    #[function("($module, tool_id, event, func, /)")]
    fn register_callback(tool_id: i32, event: i32, func: &Object, vm: &Vm) -> PyResult<Option<ObjRef>> {
        let tool = check_tool(tool_id, vm)?;
        if event.count_ones() != 1 {
            return Err(vm.value_error("The callback can only be set for one event at a time"));
        }
        let number = event.trailing_zeros() as usize;
        if number >= COUNT {
            return Err(vm.value_error(format!("invalid event {event}")));
        }

        crate::runtime::audit::audit("sys.monitoring.register_callback", &[func], vm)?;
        let callback = Some(func).filter(|func| !vm.is_none(func)).map(Object::to_ref);
        Ok(instrument::monitoring(vm).set_callback(tool, number, callback))
    }

    #[function("($module, tool_id, /)")]
    fn get_events(tool_id: i32, vm: &Vm) -> PyResult<u32> {
        let tool = check_tool(tool_id, vm)?;
        let events = instrument::monitoring(vm).events_of(tool);
        Ok(events)
    }

    #[function("($module, tool_id, event_set, /)")]
    fn set_events(tool_id: i32, event_set: i32, vm: &Vm) -> PyResult<()> {
        let tool = check_tool(tool_id, vm)?;
        let events = normal(event_set, false, vm)?;
        check_in_use(tool, vm)?;
        instrument::set_events(tool, events, vm);
        Ok(())
    }

    #[function("($module, tool_id, code, /)")]
    fn get_local_events(tool_id: i32, code: &Object, vm: &Vm) -> PyResult<u32> {
        let code = expect_code(code, vm)?;
        let tool = check_tool(tool_id, vm)?;
        Ok(instrument::local_events(tool, code, vm))
    }

    #[function("($module, tool_id, code, event_set, /)")]
    fn set_local_events(tool_id: i32, code: &Object, event_set: i32, vm: &Vm) -> PyResult<()> {
        let code = expect_code(code, vm)?;
        let tool = check_tool(tool_id, vm)?;
        let events = normal(event_set, true, vm)?;
        check_in_use(tool, vm)?;
        instrument::set_local_events(tool, code, events, vm);
        Ok(())
    }

    #[function("($module, /)")]
    fn restart_events(vm: &Vm) {
        instrument::restart_events(vm);
    }

    #[function("($module, /)")]
    fn _all_events(vm: &Vm) -> PyResult<Ref<Dict>> {
        let all = vm.new_dict();
        for number in 0..GLOBAL_COUNT {
            let tools = instrument::monitoring(vm).global_tools(number);
            if tools != 0 {
                let name = vm.new_str(event::NAMES.get(number).copied().unwrap_or_default());
                all.set_item(name.as_object(), &vm.new_int(i64::from(tools)), vm)?;
            }
        }
        Ok(all)
    }
}

/// `sys._jit`: whether code is compiled while it runs.
pub struct Jit;

/// Utilities for observing just-in-time compilation.
#[pymodule(name = "sys._jit")]
impl Jit {
    /// Return True if the current Python executable supports JIT compilation, and False otherwise.
    #[function("($module, /)")]
    fn is_available() -> bool {
        false
    }

    /// Return True if JIT compilation is enabled for the current Python process (implies sys._jit.is_available()), and False otherwise.
    #[function("($module, /)")]
    fn is_enabled() -> bool {
        false
    }

    /// Return True if the topmost Python frame is currently executing JIT code (implies sys._jit.is_enabled()), and False otherwise.
    #[function("($module, /)")]
    fn is_active() -> bool {
        false
    }
}

/// Makes `sys._jit`.
pub fn create_jit(vm: &Vm) -> PyResult<ObjRef> {
    let module = Module::create("sys._jit", Some(Jit::DEF.doc), vm)?;
    module.fill(&Jit::DEF, vm)?;
    Ok(module.into_object())
}

/// Makes the module with its constants.
pub fn create(vm: &Vm) -> PyResult<ObjRef> {
    let module = Module::create("sys.monitoring", None, vm)?;
    module.fill(&Monitoring::DEF, vm)?;
    let state = instrument::monitoring(vm);
    let base = crate::builtins::object::object_type();
    let sentinel = || base.as_object().call_no_args(vm);
    let (disable, missing) = (sentinel()?, sentinel()?);
    module.set("DISABLE", &disable, vm)?;
    module.set("MISSING", &missing, vm)?;
    state.disable.put(disable);
    state.missing.put(missing);
    for (name, tool) in [
        ("DEBUGGER_ID", DEBUGGER),
        ("COVERAGE_ID", COVERAGE),
        ("PROFILER_ID", PROFILER),
        ("OPTIMIZER_ID", OPTIMIZER),
    ] {
        module.set(name, &vm.new_int(tool), vm)?;
    }
    let events = vm.new_dict();
    for (number, name) in event::NAMES.iter().enumerate() {
        events.set_str(&vm.intern(name), &vm.new_int(1_i64 << number), vm)?;
    }
    events.set_str(&vm.intern("NO_EVENTS"), &vm.new_int(0), vm)?;
    module.set("events", &crate::builtins::namespace::Namespace::new(events, vm), vm)?;
    Ok(module.into_object())
}
