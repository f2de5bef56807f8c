//! Runs of SWAP, and SWAPs before stores that can change places instead.

use taipan_bytecode::AnyOpcode as Op;

use super::Instr;

fn swappable(op: Op) -> bool {
    matches!(op, Op::StoreFast | Op::StoreFastMaybeNull | Op::PopTop)
}

fn stores_to(instr: &Instr) -> Option<u32> {
    matches!(instr.op, Op::StoreFast | Op::StoreFastMaybeNull).then_some(instr.arg)
}

pub fn optimize_swaps(instrs: &mut [Instr]) {
    let mut i = 0;
    while i < instrs.len() {
        if instrs[i].op == Op::Swap {
            i = shorten_run(instrs, i);
            apply_static(instrs, i);
        }
        i += 1;
    }
}

/// Replaces a run of SWAPs by the fewest that permute the same way; gives the index of its last instruction.
fn shorten_run(instrs: &mut [Instr], start: usize) -> usize {
    let mut depth = instrs[start].arg as usize;
    let mut end = start + 1;
    let mut more = false;
    while let Some(instr) = instrs.get(end) {
        match instr.op {
            Op::Swap => {
                depth = depth.max(instr.arg as usize);
                more = true;
            }
            Op::Nop => {}
            _ => break,
        }
        end += 1;
    }
    if !more {
        return start;
    }
    let mut stack: Vec<Option<usize>> = (0..depth).map(Some).collect();
    for instr in &instrs[start..end] {
        if instr.op == Op::Swap {
            stack.swap(0, instr.arg as usize - 1);
        }
    }
    let mut free = end;
    for i in 0..depth {
        if stack[i].is_none() || stack[i] == Some(i) {
            continue;
        }
        let mut j = i;
        loop {
            if j != 0 {
                free -= 1;
                instrs[free].set(Op::Swap, j as u32 + 1);
            }
            match stack[j].take() {
                Some(next) => j = next,
                None => break,
            }
        }
    }
    instrs[start..free].iter_mut().for_each(Instr::set_nop);
    end - 1
}

fn next_swappable(instrs: &[Instr], after: usize, line: Option<i32>) -> Option<usize> {
    for (i, instr) in instrs.iter().enumerate().skip(after + 1) {
        if line.is_some_and(|line| line >= 0 && instr.loc.line != line) {
            return None;
        }
        if instr.op == Op::Nop {
            continue;
        }
        return swappable(instr.op).then_some(i);
    }
    None
}

/// Goes left from `last` and lets stores change places where a SWAP stands before them.
fn apply_static(instrs: &mut [Instr], last: usize) {
    for i in (0..=last).rev() {
        let swap = instrs[i];
        if swap.op != Op::Swap {
            if swap.op == Op::Nop || swappable(swap.op) {
                continue;
            }
            return;
        }
        let Some(j) = next_swappable(instrs, i, None) else { return };
        let line = instrs[j].loc.line;
        let mut k = j;
        for _ in 1..swap.arg {
            match next_swappable(instrs, k, Some(line)) {
                Some(next) => k = next,
                None => return,
            }
        }
        let (a, b) = (stores_to(&instrs[j]), stores_to(&instrs[k]));
        if a.is_some() || b.is_some() {
            if a == b {
                return;
            }
            let between = instrs[j + 1..k].iter().filter_map(stores_to);
            for local in between {
                if Some(local) == a || Some(local) == b {
                    return;
                }
            }
        }
        instrs[i].set_nop();
        instrs.swap(j, k);
    }
}
