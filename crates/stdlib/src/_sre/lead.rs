//! Where a match may begin: a quick look at the first few characters, so that most places of a subject are passed over
//! without starting the machine.
//!
//! The pattern's beginnings are written out as sequences of sets of characters. Each sequence has a bit; `masks[i][c]`
//! holds the bits of the sequences that take the character `c` at their place `i`. A place where no bit survives
//! cannot begin a match.

use super::machine::Unit;
use super::program::{Op, Program, Single};

/// How many characters are looked at.
const DEPTH: usize = 4;
/// The first characters, for which there are answers in a table.
const LOW: usize = 256;
/// From this many beginnings on the sequences would say too little.
const MOST: usize = 64;
/// How many instructions are looked at before a pattern counts as too intricate.
const FUEL: usize = 2000;

/// The filter of a pattern.
#[derive(Debug)]
pub struct Lead {
    /// How many places count; the least width of a match is no smaller.
    depth: usize,
    masks: Box<[[u8; LOW]; DEPTH]>,
    /// The bits for all other characters.
    wide: [u8; DEPTH],
}

impl Lead {
    /// The filter of a program; none when it would let everything pass.
    pub fn new(program: &Program) -> Option<Lead> {
        let mut walk = Walk { ops: &program.ops, done: Vec::new(), fuel: FUEL };
        walk.go(0, Vec::new())?;
        let depth = walk.done.iter().map(Vec::len).min()?.min(program.start.width);
        if depth == 0 {
            return None;
        }
        let mut lead = Lead { depth, masks: Box::new([[0; LOW]; DEPTH]), wide: [0; DEPTH] };
        for (index, sequence) in walk.done.iter().enumerate() {
            let bit = 1 << (index % 8);
            let places = lead.masks.iter_mut().zip(&mut lead.wide);
            for ((mask, wide), test) in places.zip(sequence).take(depth) {
                *wide |= bit * u8::from(test.may_be_wide());
                for (code, bits) in mask.iter_mut().enumerate() {
                    *bits |= bit * u8::from(test.may_take(code));
                }
            }
        }
        let open = |mask: &[u8; LOW]| mask.iter().filter(|bits| **bits != 0).count() > LOW * 7 / 8;
        if lead.masks.iter().take(depth).all(open) { None } else { Some(lead) }
    }

    /// The first place from `from` to `last` where a match may begin. The subject holds `depth` units from `last` on.
    pub fn find<T: Unit>(&self, units: &[T], from: usize, last: usize) -> Option<usize> {
        let part = units.get(from..last.checked_add(self.depth)?)?;
        let offset = match self.depth {
            1 => self.position::<T, 1>(part),
            2 => self.position::<T, 2>(part),
            3 => self.position::<T, 3>(part),
            _ => self.position::<T, DEPTH>(part),
        };
        offset.map(|offset| from + offset)
    }

    fn position<T: Unit, const D: usize>(&self, units: &[T]) -> Option<usize> {
        units.windows(D).position(|window| {
            let tables = self.masks.iter().zip(&self.wide);
            let bits = window.iter().zip(tables).fold(u8::MAX, |bits, (unit, (mask, wide))| {
                bits & mask.get(unit.code() as usize).unwrap_or(wide)
            });
            bits != 0
        })
    }
}

/// The test of one place of a beginning.
#[derive(Clone, Copy)]
enum Test<'a> {
    Char(u32),
    Single(&'a Single),
}

impl Test<'_> {
    /// Whether it may take one of the first characters.
    fn may_take(self, code: usize) -> bool {
        match self {
            Test::Char(wanted) => wanted as usize == code,
            // What the locale has a say in is known only when the machine runs.
            Test::Single(Single::Set(set)) => {
                set.low().and_then(|low| low.get(code)).is_none_or(|answer| *answer)
            }
            Test::Single(single) => single.takes(code as u32),
        }
    }

    /// Whether it may take a character that is none of the first.
    fn may_be_wide(self) -> bool {
        match self {
            Test::Char(code) => code as usize >= LOW,
            Test::Single(Single::Char(code)) => *code as usize >= LOW,
            Test::Single(_) => true,
        }
    }
}

/// Writes a program's beginnings out.
struct Walk<'a> {
    ops: &'a [Op],
    done: Vec<Vec<Test<'a>>>,
    fuel: usize,
}

impl<'a> Walk<'a> {
    /// Follows the program from an instruction on, behind the tests passed so far. None when there is too much to write.
    fn go(&mut self, mut at: usize, mut passed: Vec<Test<'a>>) -> Option<()> {
        while passed.len() < DEPTH {
            self.fuel = self.fuel.checked_sub(1)?;
            match self.ops.get(at)? {
                Op::Char(code) => {
                    passed.push(Test::Char(*code));
                    at += 1;
                }
                Op::One(single) => {
                    passed.push(Test::Single(single));
                    at += 1;
                }
                // These take no character. What an assertion asks for besides is left to the machine.
                Op::Mark(_) | Op::At(_) | Op::AtomicStart | Op::AtomicEnd => at += 1,
                Op::Jump(to) => at = *to,
                Op::LookStart { after, .. } => at = *after,
                Op::Branch(ways) => {
                    for way in ways {
                        self.go(way.start, passed.clone())?;
                    }
                    return Some(());
                }
                Op::IfGroup { absent, .. } => {
                    self.go(*absent, passed.clone())?;
                    at += 1;
                }
                Op::RepeatOne { single, min, max, .. } => {
                    if *min == 0 {
                        self.go(at + 1, passed.clone())?;
                        passed.push(Test::Single(single));
                        break;
                    }
                    let room = DEPTH - passed.len();
                    passed.extend(std::iter::repeat_n(Test::Single(single), room.min(*min)));
                    if min != max {
                        break;
                    }
                    at += 1;
                }
                Op::LoopStart { end, .. } => {
                    if matches!(self.ops.get(*end), Some(Op::LoopEnd { min: 0, .. })) {
                        self.go(end + 1, passed.clone())?;
                    }
                    at += 1;
                }
                Op::Fail => return Some(()),
                Op::LoopEnd { .. } | Op::LookEnd { .. } | Op::GroupRef { .. } | Op::Success => break,
            }
        }
        if self.done.len() == MOST {
            return None;
        }
        self.done.push(passed);
        Some(())
    }
}
