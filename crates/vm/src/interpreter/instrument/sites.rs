//! What is watched in one code object: an entry for each of its code units.

use taipan_bytecode::opcode::Opcode;
use taipan_bytecode::{exception_table, line_table};

use crate::builtins::code::CodeUnit;
use crate::interpreter::instrument::event::{self, LOCAL_COUNT};
use crate::interpreter::instrument::{Monitoring, TOOLS, monitoring};
use crate::prelude::*;

/// No line, no source.
pub const NONE: i32 = -1;

/// The three kinds of events that one instruction can fire.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Layer {
    /// `LINE`.
    Line,
    /// `INSTRUCTION`.
    Instruction,
    /// The event of the instruction's own kind.
    Own,
}

/// One code unit.
#[derive(Clone, Copy)]
struct Site {
    /// The general opcode; `CACHE` for what is no instruction.
    base: Opcode,
    /// Whether arriving here from another line begins this one.
    starts_line: bool,
    /// The instruction's line.
    line: i32,
    /// For `POP_ITER` at the end of a loop: the loop's `FOR_ITER`.
    source: i32,
    /// The tools to be told, by layer.
    active: [u8; 3],
    /// The tools that asked not to be told again, by layer.
    off: [u8; 3],
}

/// What a code object's `monitoring` field owns.
pub struct Sites {
    local: [u8; LOCAL_COUNT],
    /// The version at which each tool last chose its events for this code.
    local_versions: [usize; TOOLS],
    restarted: usize,
    /// A tool was told of a line and wants to be told again. From then on, the beginnings of lines that no tool asks for are
    /// visited, too: coming back to that line needs to know that another one was run.
    keeps_lines: bool,
    sites: Box<[Site]>,
}

fn own_event(base: Opcode, oparg: u8) -> Option<usize> {
    Some(match base {
        Opcode::Resume if oparg == 0 => event::PY_START,
        Opcode::Resume => event::PY_RESUME,
        Opcode::ReturnValue => event::PY_RETURN,
        Opcode::YieldValue => event::PY_YIELD,
        Opcode::Call | Opcode::CallKw | Opcode::CallFunctionEx | Opcode::LoadSuperAttr => event::CALL,
        Opcode::JumpForward | Opcode::JumpBackward => event::JUMP,
        Opcode::PopJumpIfFalse
        | Opcode::PopJumpIfTrue
        | Opcode::PopJumpIfNone
        | Opcode::PopJumpIfNotNone
        | Opcode::PopIter
        | Opcode::EndAsyncFor => event::BRANCH_RIGHT,
        Opcode::ForIter | Opcode::NotTaken => event::BRANCH_LEFT,
        Opcode::EndFor | Opcode::EndSend => event::STOP_ITERATION,
        _ => return None,
    })
}

fn instrumented(base: Opcode) -> Opcode {
    match base {
        Opcode::Resume => Opcode::InstrumentedResume,
        Opcode::ReturnValue => Opcode::InstrumentedReturnValue,
        Opcode::YieldValue => Opcode::InstrumentedYieldValue,
        Opcode::Call => Opcode::InstrumentedCall,
        Opcode::CallKw => Opcode::InstrumentedCallKw,
        Opcode::CallFunctionEx => Opcode::InstrumentedCallFunctionEx,
        Opcode::LoadSuperAttr => Opcode::InstrumentedLoadSuperAttr,
        Opcode::JumpForward => Opcode::InstrumentedJumpForward,
        Opcode::JumpBackward => Opcode::InstrumentedJumpBackward,
        Opcode::PopJumpIfFalse => Opcode::InstrumentedPopJumpIfFalse,
        Opcode::PopJumpIfTrue => Opcode::InstrumentedPopJumpIfTrue,
        Opcode::PopJumpIfNone => Opcode::InstrumentedPopJumpIfNone,
        Opcode::PopJumpIfNotNone => Opcode::InstrumentedPopJumpIfNotNone,
        Opcode::PopIter => Opcode::InstrumentedPopIter,
        Opcode::EndAsyncFor => Opcode::InstrumentedEndAsyncFor,
        Opcode::ForIter => Opcode::InstrumentedForIter,
        Opcode::NotTaken => Opcode::InstrumentedNotTaken,
        Opcode::EndFor => Opcode::InstrumentedEndFor,
        Opcode::EndSend => Opcode::InstrumentedEndSend,
        other => other,
    }
}

/// The data of a code object that was watched at some time.
pub fn of(code: &Code) -> Option<&mut Sites> {
    // SAFETY: the field is null or a box that the code owns; callers hold the interpreter's lock and let go of the
    // borrow before anything else can ask for it.
    unsafe { code.monitoring().cast::<Sites>().as_mut() }
}

/// The data of a code object, made when there is none.
pub fn make(code: &Code) -> &mut Sites {
    if code.monitoring().is_null() {
        code.set_monitoring(Box::into_raw(Box::new(Sites::new(code))).cast());
    }
    match of(code) {
        Some(sites) => sites,
        None => crate::runtime::make::out_of_memory(),
    }
}

/// Frees the data of a code object that ends.
pub fn free(code: &Code) {
    let data = code.monitoring().cast::<Sites>();
    if !data.is_null() {
        code.set_monitoring(std::ptr::null_mut());
        // SAFETY: the field held a box, and nobody else has it.
        drop(unsafe { Box::from_raw(data) });
    }
}

/// Brings the instructions of a code object in line with what tools watch. True when they may have changed.
pub fn update(code: &Code, vm: &Vm) -> bool {
    let state = monitoring(vm);
    if code.instrumentation_version() == state.version() {
        return false;
    }
    code.set_instrumentation_version(state.version());
    let watched = (0..LOCAL_COUNT).any(|event| state.global_tools(event) != 0);
    if code.monitoring().is_null() && !watched {
        return false;
    }
    let sites = make(code);
    sites.refresh(code, state);
    true
}

impl Sites {
    fn new(code: &Code) -> Sites {
        let units = code.len_units();
        let empty = Site {
            base: Opcode::Cache,
            starts_line: false,
            line: NONE,
            source: NONE,
            active: [0; 3],
            off: [0; 3],
        };
        let mut sites = vec![empty; units];
        let mut lines = Vec::with_capacity(units);
        for (location, count) in line_table::entries(code.line_table(), code.firstlineno.get()) {
            lines.resize(lines.len() + count, location.line.unwrap_or(NONE));
        }
        let mut at = 0;
        while at < units {
            // SAFETY: below the number of units.
            let base = unsafe { *code.code_ptr().add(at) }.opcode().base();
            if let Some(site) = sites.get_mut(at) {
                site.base = base;
                site.line = lines.get(at).copied().unwrap_or(NONE);
            }
            at += 1 + base.caches();
        }
        let mut made = Sites {
            local: [0; LOCAL_COUNT],
            local_versions: [0; TOOLS],
            restarted: 0,
            keeps_lines: false,
            sites: sites.into(),
        };
        made.find_line_starts(code);
        made
    }

    /// Lines begin where the line changes, at the targets of jumps, and at handlers.
    fn find_line_starts(&mut self, code: &Code) {
        let first = code.first_traceable();
        let mut current = NONE;
        for (i, site) in self.sites.iter_mut().enumerate() {
            if site.base == Opcode::Cache || i < first {
                continue;
            }
            if !Self::may_start_line(site.base) {
                continue;
            }
            site.starts_line = site.line != current && site.line >= 0;
            current = site.line;
            if matches!(site.base, Opcode::ReturnValue | Opcode::RaiseVarargs | Opcode::Reraise) {
                current = NONE;
            }
        }
        let mut targets = Vec::new();
        let mut extended = 0;
        for i in first..self.sites.len() {
            let Some(base) = self.base_at(i).filter(|&base| base != Opcode::Cache) else { continue };
            // SAFETY: below the number of units.
            let oparg = extended << 8 | unsafe { *code.code_ptr().add(i) }.oparg() as usize;
            if base == Opcode::ExtendedArg {
                extended = oparg;
                continue;
            }
            extended = 0;
            let next = i + 1 + base.caches();
            match base {
                Opcode::PopJumpIfFalse
                | Opcode::PopJumpIfTrue
                | Opcode::PopJumpIfNone
                | Opcode::PopJumpIfNotNone
                | Opcode::JumpForward => targets.push(next + oparg),
                Opcode::ForIter | Opcode::Send => {
                    // What stands there ends the loop and can't begin a line; what follows can.
                    let end = next + oparg;
                    if let Some(site) = self.sites.get_mut(end + 1) {
                        if site.base == Opcode::PopIter {
                            site.source = i as i32;
                        }
                    }
                    targets.push(end + if base == Opcode::ForIter { 2 } else { 1 });
                }
                Opcode::JumpBackward | Opcode::JumpBackwardNoInterrupt => {
                    targets.push(next.saturating_sub(oparg))
                }
                _ => {}
            }
        }
        targets.extend(exception_table::entries(code.exception_table()).map(|entry| entry.target as usize));
        for target in targets {
            if let Some(site) = self.sites.get_mut(target) {
                site.starts_line = site.line >= 0 && Self::may_start_line(site.base);
            }
        }
    }

    fn may_start_line(base: Opcode) -> bool {
        !matches!(
            base,
            Opcode::EndAsyncFor | Opcode::EndFor | Opcode::EndSend | Opcode::Resume | Opcode::PopIter
        )
    }

    /// The tools that watch an event in this code alone.
    pub fn local_tools(&self, event: usize) -> u8 {
        self.local.get(event).copied().unwrap_or(0)
    }

    /// Sets what `tool` watches in this code alone.
    pub fn set_local(&mut self, tool: usize, events: u32, version: usize) {
        if let Some(at) = self.local_versions.get_mut(tool) {
            *at = version;
        }
        for (number, tools) in self.local.iter_mut().enumerate() {
            let bit = 1 << tool;
            *tools = if events >> number & 1 != 0 { *tools | bit } else { *tools & !bit };
        }
    }

    /// The version at which a tool last chose its events for this code.
    pub fn local_version(&self, tool: usize) -> usize {
        self.local_versions.get(tool).copied().unwrap_or(0)
    }

    fn refresh(&mut self, code: &Code, state: &Monitoring) {
        if self.restarted != state.restarted.get() {
            self.restarted = state.restarted.get();
            for site in &mut self.sites {
                site.off = [0; 3];
            }
        }
        for (tool, (at, ended)) in self.local_versions.iter().zip(&state.ended).enumerate() {
            if *at < ended.get() {
                for tools in &mut self.local {
                    *tools &= !(1 << tool);
                }
            }
        }
        let mut tools = [0; LOCAL_COUNT];
        for (number, (tools, local)) in tools.iter_mut().zip(self.local).enumerate() {
            *tools = local | state.global_tools(number);
        }
        let tools_of = |event: usize| tools.get(event).copied().unwrap_or(0);
        let lines = tools_of(event::LINE) != 0;
        let first = code.first_traceable();
        let units = code.code_ptr();
        for (i, site) in self.sites.iter_mut().enumerate() {
            if site.base == Opcode::Cache || i < first {
                continue;
            }
            // SAFETY: there are as many sites as units.
            let unit = unsafe { units.add(i) };
            // SAFETY: as above.
            let oparg = unsafe { (*unit).oparg() };
            let own = own_event(site.base, oparg).map_or(0, tools_of);
            let own = if site.base == Opcode::PopIter && site.source < 0 { 0 } else { own };
            let line = if site.starts_line { tools_of(event::LINE) } else { 0 };
            let each = if site.base == Opcode::Resume { 0 } else { tools_of(event::INSTRUCTION) };
            let [line_off, each_off, own_off] = site.off;
            site.active = [line & !line_off, each & !each_off, own & !own_off];
            // SAFETY: as above.
            unsafe { site.write(unit, lines, self.keeps_lines) };
        }
    }

    /// Has the beginnings of all lines visited from now on, where line events are watched at all.
    pub fn keep_lines(&mut self, code: &Code) {
        if std::mem::replace(&mut self.keeps_lines, true) {
            return;
        }
        let units = code.code_ptr();
        for (i, site) in self.sites.iter().enumerate().filter(|(_, site)| site.off[0] != 0) {
            // SAFETY: there are as many sites as units.
            unsafe { site.write(units.add(i), true, true) };
        }
    }

    /// The general opcode of a unit; `CACHE` for what is no instruction.
    pub fn base_at(&self, unit: usize) -> Option<Opcode> {
        self.sites.get(unit).map(|site| site.base)
    }

    /// The line of a unit.
    pub fn line_at(&self, unit: usize) -> i32 {
        self.sites.get(unit).map_or(NONE, |site| site.line)
    }

    /// Whether the unit begins a line.
    pub fn starts_line(&self, unit: usize) -> bool {
        self.sites.get(unit).is_some_and(|site| site.starts_line)
    }

    /// The loop that ends at a `POP_ITER`.
    pub fn source_at(&self, unit: usize) -> usize {
        self.sites.get(unit).map_or(unit, |site| usize::try_from(site.source).unwrap_or(unit))
    }

    /// Where the other way of the branch is told whose one way is told at `unit`.
    pub fn other_way(&self, unit: usize) -> Option<usize> {
        match self.base_at(unit)? {
            Opcode::ForIter => self.sites.iter().position(|site| site.source == unit as i32),
            Opcode::PopIter => Some(self.source_at(unit)).filter(|&source| source != unit),
            Opcode::NotTaken => unit.checked_sub(2),
            _ => Some(unit + 2).filter(|&other| self.base_at(other) == Some(Opcode::NotTaken)),
        }
    }

    /// The tools to be told at a unit.
    pub fn tools_at(&self, unit: usize, layer: Layer) -> u8 {
        self.sites.get(unit).and_then(|site| site.active.get(layer as usize)).copied().unwrap_or(0)
    }

    /// What to run at a unit once the events of the layers down to `layer` have been fired.
    pub fn below(&self, unit: usize, layer: Layer) -> Opcode {
        let Some(site) = self.sites.get(unit) else { return Opcode::Nop };
        let [_, each, _] = site.active;
        if layer == Layer::Line && each != 0 {
            return Opcode::InstrumentedInstruction;
        }
        if site.base == Opcode::Resume { Opcode::InstrumentedResume } else { site.own_form() }
    }

    /// A tool doesn't want to be told again of a unit's event.
    pub fn switch_off(&mut self, code: &Code, unit: usize, layer: Layer, tool: usize) {
        let lines = self.sites.iter().any(|site| site.active[0] != 0);
        let Some(site) = self.sites.get_mut(unit) else { return };
        let bit = 1 << tool;
        if let (Some(active), Some(off)) =
            (site.active.get_mut(layer as usize), site.off.get_mut(layer as usize))
        {
            *active &= !bit;
            *off |= bit;
        }
        // SAFETY: there are as many sites as units.
        unsafe { site.write(code.code_ptr().add(unit), lines, self.keeps_lines) };
    }
}

impl Site {
    fn own_form(&self) -> Opcode {
        let [_, _, own] = self.active;
        if own != 0 { instrumented(self.base) } else { self.base }
    }

    /// Writes the instruction's opcode. With `lines`, instructions without a line are visited, too: after them any line
    /// begins anew, as it does after `RESUME`. With `keeps`, the lines that were switched off are visited, too.
    unsafe fn write(&self, unit: *mut CodeUnit, lines: bool, keeps: bool) {
        let ([line, each, _], [off, ..]) = (self.active, self.off);
        let opcode = if line != 0 || (lines && keeps && off != 0) {
            Opcode::InstrumentedLine
        } else if lines && self.base == Opcode::Resume {
            if each != 0 { Opcode::InstrumentedInstruction } else { Opcode::InstrumentedResume }
        } else if lines && self.line < 0 && self.base != Opcode::ExtendedArg {
            Opcode::InstrumentedLine
        } else if each != 0 {
            Opcode::InstrumentedInstruction
        } else {
            self.own_form()
        };
        // SAFETY: the caller gives a unit of the code. A specialised form stays where nothing is fired.
        unsafe {
            if opcode != self.base || (*unit).opcode().is_instrumented() {
                (*unit).set_opcode(opcode);
            }
        }
    }
}
