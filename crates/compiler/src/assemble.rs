//! From the flow graph to the bytes of a code object.

use std::rc::Rc;

use taipan_bytecode::code::{flags as code_flags, local_kind};
use taipan_bytecode::opcode::flag;
use taipan_bytecode::{CodeObject, Opcode, exception_table, line_table};
use taipan_parser::ast::Range;

use crate::SyntaxError;
use crate::codegen::Unit;
use crate::flowgraph::{BlockId, Graph, Instr, Scope};
use crate::instruction::Loc;

/// Optimises and assembles a unit.
pub fn code_object(unit: &mut Unit<'_>, flags: u32, filename: Rc<[u8]>) -> Result<CodeObject, SyntaxError> {
    let mut graph = Graph::new(&unit.seq);
    let cells = unit.cellvars.list.iter().chain(&unit.freevars.list);
    let generator = code_flags::GENERATOR | code_flags::COROUTINE | code_flags::ASYNC_GENERATOR;
    let cell_locals = cells
        .enumerate()
        .map(|(i, name)| unit.varnames.get(name).filter(|_| i < unit.cellvars.list.len()))
        .collect();
    let mut scope = Scope {
        consts: &mut unit.consts,
        local_count: unit.varnames.list.len(),
        parameter_count: unit.parameter_count,
        cell_count: unit.cellvars.list.len(),
        free_count: unit.freevars.list.len(),
        cell_locals,
        firstlineno: unit.firstlineno,
        is_generator: flags & generator != 0,
    };
    let stacksize = graph.optimize(&mut scope)?;
    let mut instrs = flatten(&graph);
    resolve_next_lines(&mut instrs);
    let sizes = jump_offsets(&mut instrs)?;
    let (localsplusnames, localspluskinds) = locals(unit, flags);
    Ok(CodeObject {
        argcount: unit.argcount,
        posonlyargcount: unit.posonlyargcount,
        kwonlyargcount: unit.kwonlyargcount,
        stacksize: stacksize.max(1),
        flags,
        code: bytes(&instrs),
        consts: std::mem::take(&mut unit.consts.list),
        names: unit.names.list.iter().map(|name| Rc::from(*name)).collect(),
        owns_names: false,
        localsplusnames,
        localspluskinds,
        filename,
        name: unit.name.into(),
        qualname: unit.qualname.as_str().into(),
        firstlineno: unit.firstlineno as i32,
        linetable: locations(&instrs, unit.firstlineno as i32),
        exceptiontable: handlers(&instrs, &sizes, &graph),
    })
}

/// How far behind a `SEND` its `END_SEND` stands, if nothing was moved between; `END_ASYNC_FOR` counts to there.
const END_SEND_OFFSET: u32 = 5;

/// An instruction with the index of its target.
struct Flat {
    instr: Instr,
    op: Opcode,
    arg: u32,
    target: Option<usize>,
    handler: Option<usize>,
}

fn flatten(graph: &Graph) -> Vec<Flat> {
    let order = graph.order();
    let mut start = vec![0; graph.blocks.len()];
    let mut at = 0;
    for &block in &order {
        start[block.index()] = at;
        at += graph.blocks[block].instrs.len();
    }
    order
        .iter()
        .flat_map(|block| &graph.blocks[*block].instrs)
        .map(|instr| Flat {
            instr: *instr,
            op: instr.op.real().unwrap_or(Opcode::Nop),
            // CPython starts with the target's index as argument, which decides whether a jump at the limit needs
            // a prefix.
            arg: jump_target(instr).map_or(instr.arg, |block| start[block.index()] as u32),
            target: jump_target(instr).map(|block| start[block.index()]),
            handler: instr.except.map(|block| start[block.index()]),
        })
        .collect()
}

fn jump_target(instr: &Instr) -> Option<BlockId> {
    instr.target.filter(|_| instr.op.has(flag::JUMP))
}

fn resolve_next_lines(instrs: &mut [Flat]) {
    let mut next = Loc::NONE;
    for flat in instrs.iter_mut().rev() {
        if flat.instr.loc.line == Loc::NEXT.line {
            flat.instr.loc = if crate::instruction::is_terminator(flat.instr.op) { Loc::NONE } else { next };
        }
        next = flat.instr.loc;
    }
}

/// The size of an instruction with its prefixes and caches, in code units.
fn size(flat: &Flat) -> u32 {
    let prefixes = match flat.arg {
        0..=0xff => 0,
        0x100..=0xffff => 1,
        0x1_0000..=0xff_ffff => 2,
        _ => 3,
    };
    prefixes + 1 + flat.op.caches() as u32
}

/// Fills in the arguments of jumps; gives the offset of each instruction and of the end.
fn jump_offsets(instrs: &mut [Flat]) -> Result<Vec<u32>, SyntaxError> {
    loop {
        let mut offsets = Vec::with_capacity(instrs.len() + 1);
        let mut at = 0u32;
        for flat in instrs.iter() {
            offsets.push(at);
            at = at
                .checked_add(size(flat))
                .ok_or_else(|| SyntaxError::new("code object too large".into(), Range::default()))?;
        }
        offsets.push(at);
        let mut changed = false;
        for (i, flat) in instrs.iter_mut().enumerate() {
            let Some(target) = flat.target else { continue };
            let mut arg = offsets[target].abs_diff(offsets[i + 1]);
            if flat.op == Opcode::EndAsyncFor {
                arg = arg.saturating_sub(END_SEND_OFFSET);
            }
            let before = size(flat);
            flat.arg = arg;
            changed |= size(flat) != before;
        }
        if !changed {
            return Ok(offsets);
        }
    }
}

fn bytes(instrs: &[Flat]) -> Box<[u8]> {
    let mut out = Vec::with_capacity(instrs.len() * 4);
    for flat in instrs {
        for shift in [24, 16, 8] {
            if flat.arg >> shift != 0 {
                out.extend([Opcode::ExtendedArg as u8, (flat.arg >> shift) as u8]);
            }
        }
        out.extend([flat.op as u8, flat.arg as u8]);
        out.resize(out.len() + flat.op.caches() * 2, 0);
    }
    out.into()
}

fn locations(instrs: &[Flat], firstlineno: i32) -> Box<[u8]> {
    let mut writer = line_table::Writer::new(firstlineno);
    let (mut loc, mut units) = (Loc::NONE, 0);
    for flat in instrs {
        if flat.instr.loc != loc {
            writer.push(location(loc), units);
            loc = flat.instr.loc;
            units = 0;
        }
        units += size(flat) as usize;
    }
    writer.push(location(loc), units);
    writer.finish()
}

fn location(loc: Loc) -> line_table::Location {
    let at = |value: i32| (value >= 0).then_some(value);
    line_table::Location {
        line: at(loc.line),
        end_line: at(loc.end_line),
        col: at(loc.col),
        end_col: at(loc.end_col),
    }
}

fn handlers(instrs: &[Flat], offsets: &[u32], graph: &Graph) -> Box<[u8]> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut current: Option<(BlockId, usize)> = None;
    let mut emit = |start: usize, end: usize, handler: Option<(BlockId, usize)>| {
        let Some((block, target)) = handler.filter(|_| end > start) else { return };
        let lasti = graph.blocks[block].preserve_lasti;
        let depth = graph.blocks[block].start_depth.unwrap_or(0);
        exception_table::push_entry(
            &mut out,
            exception_table::Entry {
                start: offsets[start],
                end: offsets[end],
                target: offsets[target],
                depth: depth.saturating_sub(1 + u32::from(lasti)),
                lasti,
            },
        );
    };
    for (i, flat) in instrs.iter().enumerate() {
        let handler = flat.instr.except.zip(flat.handler);
        if handler.map(|h| h.0) != current.map(|h| h.0) {
            emit(start, i, current);
            start = i;
            current = handler;
        }
    }
    emit(start, instrs.len(), current);
    out.into()
}

fn locals(unit: &Unit<'_>, flags: u32) -> (Vec<Rc<str>>, Box<[u8]>) {
    let mut names = Vec::new();
    let mut kinds = Vec::new();
    let mut left = [
        (unit.posonlyargcount, local_kind::ARG_POS),
        (unit.argcount - unit.posonlyargcount, local_kind::ARG_POS | local_kind::ARG_KW),
        (unit.kwonlyargcount, local_kind::ARG_KW),
        (u32::from(flags & code_flags::VARARGS != 0), local_kind::ARG_VAR | local_kind::ARG_POS),
        (u32::from(flags & code_flags::VARKEYWORDS != 0), local_kind::ARG_VAR | local_kind::ARG_KW),
    ];
    for name in &unit.varnames.list {
        let mut kind = local_kind::LOCAL;
        if let Some(group) = left.iter_mut().find(|group| group.0 > 0) {
            group.0 -= 1;
            kind |= group.1;
        }
        if unit.fast_hidden.contains_key(name) {
            kind |= local_kind::HIDDEN;
        }
        if unit.cellvars.get(name).is_some() {
            kind |= local_kind::CELL;
        }
        names.push(Rc::from(*name));
        kinds.push(kind);
    }
    for name in unit.cellvars.list.iter().filter(|name| unit.varnames.get(name).is_none()) {
        names.push(Rc::from(*name));
        kinds.push(local_kind::CELL);
    }
    for name in &unit.freevars.list {
        names.push(Rc::from(*name));
        kinds.push(local_kind::FREE);
    }
    (names, kinds.into())
}
