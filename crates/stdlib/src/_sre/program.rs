//! From the code words of the library's `re._compiler` to what the machine runs. Every word is checked on the way: words
//! that come from elsewhere end in an error, never in a wrong jump.

use std::cell::OnceCell;

use super::charset::{Category, CharSet, Fold};
use super::lead::Lead;

/// The words of the code, numbered as in the library's `re._constants.OPCODES`.
pub mod op {
    macro_rules! words {
        ($($name:ident)*) => { words!(@from 0u32; $($name)*); };
        (@from $at:expr; $name:ident $($rest:ident)*) => {
            #[allow(missing_docs, dead_code, reason = "the names are those of the library's table, all of them")]
            pub const $name: u32 = $at;
            words!(@from $at + 1; $($rest)*);
        };
        (@from $at:expr;) => {};
    }
    words! {
        FAILURE SUCCESS ANY ANY_ALL ASSERT ASSERT_NOT AT BRANCH CATEGORY CHARSET BIGCHARSET GROUPREF GROUPREF_EXISTS IN
        INFO JUMP LITERAL MARK MAX_UNTIL MIN_UNTIL NOT_LITERAL NEGATE RANGE REPEAT REPEAT_ONE SUBPATTERN MIN_REPEAT_ONE
        ATOMIC_GROUP POSSESSIVE_REPEAT POSSESSIVE_REPEAT_ONE GROUPREF_IGNORE IN_IGNORE LITERAL_IGNORE NOT_LITERAL_IGNORE
        GROUPREF_LOC_IGNORE IN_LOC_IGNORE LITERAL_LOC_IGNORE NOT_LITERAL_LOC_IGNORE GROUPREF_UNI_IGNORE IN_UNI_IGNORE
        LITERAL_UNI_IGNORE NOT_LITERAL_UNI_IGNORE RANGE_UNI_IGNORE
    }
}

/// The version of the code words, as the library's `re._constants.MAGIC` has it.
pub const MAGIC: u32 = 20_230_612;
/// "No upper bound" in a repetition.
pub const MAXREPEAT: u32 = u32::MAX;
/// The largest number of groups.
pub const MAXGROUPS: u32 = (i32::MAX / 2) as u32;

/// How deep constructs may nest: far beyond what the library's parser, which recurses, can produce.
const MAX_DEPTH: usize = 4000;

/// The words don't make a program.
#[derive(Debug)]
pub struct BadCode;

/// Reads words one after the other.
pub struct Words<'a> {
    code: &'a [u32],
    at: usize,
}

impl Words<'_> {
    /// The next word.
    pub fn next(&mut self) -> Result<u32, BadCode> {
        let word = self.code.get(self.at).copied().ok_or(BadCode)?;
        self.at += 1;
        Ok(word)
    }

    fn peek(&self) -> Option<u32> {
        self.code.get(self.at).copied()
    }

    /// Reads a skip word; gives the place that it leads to.
    fn target(&mut self) -> Result<usize, BadCode> {
        let from = self.at;
        let to = from.checked_add(self.next()? as usize).ok_or(BadCode)?;
        if to >= self.at && to <= self.code.len() { Ok(to) } else { Err(BadCode) }
    }
}

/// A test of one character.
#[derive(Debug)]
pub enum Single {
    /// Everything but a newline.
    Any,
    /// Everything.
    All,
    /// This character.
    Char(u32),
    /// Any other than this.
    NotChar(u32),
    /// A set.
    Set(Box<CharSet>),
}

/// Places that match without a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum At {
    /// The beginning of the subject.
    Beginning,
    /// Behind the beginning or a newline.
    BeginningLine,
    /// The end, or in front of a newline there.
    End,
    /// In front of the end or of a newline.
    EndLine,
    /// The very end.
    EndString,
    /// Between a word and something else (`\b`), or not (`\B`).
    Boundary(WordKind, bool),
}

/// Whose idea of a word a boundary follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordKind {
    /// `re.ASCII`.
    Ascii,
    /// `re.LOCALE`.
    Locale,
    /// Text.
    Unicode,
}

/// What a repetition prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Greed {
    /// As much as possible.
    Greedy,
    /// As little as possible.
    Lazy,
    /// As much as possible, and never less.
    Possessive,
}

/// One way of a branch: where it begins and what its first character must be.
#[derive(Debug)]
pub struct Alternative {
    /// The first instruction.
    pub start: usize,
    /// The instruction that tests the first character, when the way begins with one.
    pub first: Option<usize>,
}

/// An instruction. The next one follows unless it says otherwise; targets are indices of instructions.
#[derive(Debug)]
pub enum Op {
    /// Matches nothing.
    Fail,
    /// The end of the pattern.
    Success,
    /// One character.
    Char(u32),
    /// One character of several.
    One(Single),
    /// A place.
    At(At),
    /// Notes the place: of group n the start is mark 2n, the end 2n+1.
    Mark(usize),
    /// Goes on elsewhere.
    Jump(usize),
    /// Tries ways in turn.
    Branch(Box<[Alternative]>),
    /// Repeats one character. `first` is the instruction that tests the character behind, when one does.
    RepeatOne { single: Single, min: usize, max: usize, greed: Greed, first: Option<usize> },
    /// Resets a loop's counter and goes to its end.
    LoopStart { slot: usize, end: usize },
    /// The end of a loop's body, where it is decided whether to go round.
    LoopEnd { slot: usize, min: usize, max: usize, body: usize, greed: Greed },
    /// Begins a look around: `back` characters back; `after` is what follows.
    LookStart { back: usize, negative: bool, after: usize },
    /// Ends a look around.
    LookEnd { negative: bool },
    /// Begins what is not tried again once it has matched.
    AtomicStart,
    /// Ends it.
    AtomicEnd,
    /// What the group matched, again.
    GroupRef { group: usize, fold: Fold },
    /// Goes on at `absent` when the group has not matched.
    IfGroup { group: usize, absent: usize },
}

/// What helps to find where a match may begin.
#[derive(Debug, Default)]
pub struct Start {
    /// Characters with which every match begins.
    pub prefix: Vec<u32>,
    /// The prefix is the whole pattern.
    pub whole: bool,
    /// The set to which the first character belongs.
    pub set: Option<CharSet>,
    /// The least number of characters of a match.
    pub width: usize,
}

/// A pattern ready to run.
#[derive(Debug)]
pub struct Program {
    /// The instructions.
    pub ops: Vec<Op>,
    /// The number of loops.
    pub loops: usize,
    /// Where matches begin.
    pub start: Start,
    /// The filter of the places where they may begin, made for the first search.
    lead: OnceCell<Option<Lead>>,
}

impl Program {
    /// The filter of the places where a match may begin, when it would say anything.
    pub fn lead(&self) -> Option<&Lead> {
        self.lead.get_or_init(|| Lead::new(self)).as_ref()
    }
}

/// Translates the words of a pattern with so many groups.
pub fn translate(code: &[u32], groups: usize) -> Result<Program, BadCode> {
    let mut words = Words { code, at: 0 };
    let start = if words.peek() == Some(op::INFO) { read_info(&mut words)? } else { Start::default() };
    let mut writer = Writer { ops: Vec::new(), loops: 0, groups };
    writer.sequence(&mut words, code.len(), 0)?;
    // The last word is the pattern's SUCCESS, and nothing else is one here.
    match writer.ops.last() {
        Some(Op::Success) => {}
        _ => return Err(BadCode),
    }
    writer.find_first_tests();
    Ok(Program { ops: writer.ops, loops: writer.loops, start, lead: OnceCell::new() })
}

fn read_info(words: &mut Words<'_>) -> Result<Start, BadCode> {
    const PREFIX: u32 = 1;
    const LITERAL: u32 = 2;
    const CHARSET: u32 = 4;
    words.next()?;
    let end = words.target()?;
    let flags = words.next()?;
    let mut start = Start { width: words.next()? as usize, ..Start::default() };
    words.next()?;
    if flags & PREFIX != 0 {
        let length = words.next()?;
        words.next()?;
        for _ in 0..length {
            start.prefix.push(words.next()?);
        }
        start.whole = flags & LITERAL != 0;
    } else if flags & CHARSET != 0 {
        start.set = Some(CharSet::read(words, Fold::None)?);
    }
    words.at = end;
    Ok(start)
}

struct Writer {
    ops: Vec<Op>,
    loops: usize,
    groups: usize,
}

impl Writer {
    fn emit(&mut self, instruction: Op) -> usize {
        self.ops.push(instruction);
        self.ops.len() - 1
    }

    fn here(&self) -> usize {
        self.ops.len()
    }

    fn put(&mut self, at: usize, instruction: Op) {
        if let Some(slot) = self.ops.get_mut(at) {
            *slot = instruction;
        }
    }

    fn group(&self, word: u32) -> Result<usize, BadCode> {
        if (word as usize) < self.groups { Ok(word as usize) } else { Err(BadCode) }
    }

    /// Translates up to `end`.
    fn sequence(&mut self, words: &mut Words<'_>, end: usize, depth: usize) -> Result<(), BadCode> {
        if depth > MAX_DEPTH {
            return Err(BadCode);
        }
        while words.at < end {
            self.construct(words, depth)?;
        }
        if words.at == end { Ok(()) } else { Err(BadCode) }
    }

    /// Translates what lies in front of the `SUCCESS` that ends at `end`.
    fn body(&mut self, words: &mut Words<'_>, end: usize, depth: usize) -> Result<(), BadCode> {
        self.sequence(words, end.checked_sub(1).ok_or(BadCode)?, depth + 1)?;
        if words.next()? == op::SUCCESS { Ok(()) } else { Err(BadCode) }
    }

    fn construct(&mut self, words: &mut Words<'_>, depth: usize) -> Result<(), BadCode> {
        if let Some(single) = read_single(words)? {
            self.emit(match single {
                Single::Char(code) => Op::Char(code),
                single => Op::One(single),
            });
            return Ok(());
        }
        match words.next()? {
            op::FAILURE => {
                self.emit(Op::Fail);
            }
            op::SUCCESS if depth == 0 && words.at == words.code.len() => {
                self.emit(Op::Success);
            }
            op::AT => {
                let place = read_at(words.next()?)?;
                self.emit(Op::At(place));
            }
            op::MARK => {
                let mark = words.next()?;
                self.group(mark / 2)?;
                self.emit(Op::Mark(mark as usize));
            }
            op::BRANCH => self.branch(words, depth)?,
            op::REPEAT => self.repeat(words, depth)?,
            op::REPEAT_ONE => self.repeat_one(words, Greed::Greedy)?,
            op::MIN_REPEAT_ONE => self.repeat_one(words, Greed::Lazy)?,
            op::POSSESSIVE_REPEAT_ONE => self.repeat_one(words, Greed::Possessive)?,
            op::POSSESSIVE_REPEAT => self.possessive_repeat(words, depth)?,
            op::ATOMIC_GROUP => {
                let end = words.target()?;
                self.emit(Op::AtomicStart);
                self.body(words, end, depth)?;
                self.emit(Op::AtomicEnd);
            }
            op::ASSERT => self.look(words, false, depth)?,
            op::ASSERT_NOT => self.look(words, true, depth)?,
            op::GROUPREF => self.group_ref(words, Fold::None)?,
            op::GROUPREF_IGNORE => self.group_ref(words, Fold::Ascii)?,
            op::GROUPREF_UNI_IGNORE => self.group_ref(words, Fold::Unicode)?,
            op::GROUPREF_LOC_IGNORE => self.group_ref(words, Fold::Locale)?,
            op::GROUPREF_EXISTS => self.if_group(words, depth)?,
            _ => return Err(BadCode),
        }
        Ok(())
    }

    fn group_ref(&mut self, words: &mut Words<'_>, fold: Fold) -> Result<(), BadCode> {
        let group = self.group(words.next()?)?;
        self.emit(Op::GroupRef { group, fold });
        Ok(())
    }

    fn look(&mut self, words: &mut Words<'_>, negative: bool, depth: usize) -> Result<(), BadCode> {
        let end = words.target()?;
        let back = words.next()? as usize;
        let start = self.emit(Op::Fail);
        self.body(words, end, depth)?;
        self.emit(Op::LookEnd { negative });
        let after = self.here();
        self.put(start, Op::LookStart { back, negative, after });
        Ok(())
    }

    /// `GROUPREF_EXISTS group skip yes…`, or with another way `… yes… JUMP skip no…`: then the first skip leads behind
    /// the `JUMP`.
    fn if_group(&mut self, words: &mut Words<'_>, depth: usize) -> Result<(), BadCode> {
        let group = self.group(words.next()?)?;
        let from = words.at;
        let no = from + words.next()? as usize;
        if no <= words.at || no > words.code.len() {
            return Err(BadCode);
        }
        // The skip counts one word more than it spans.
        let no = no - 1;
        let test = self.emit(Op::Fail);
        // `JUMP` stands nowhere else among constructs.
        while words.at < no && !(words.at + 2 == no && words.peek() == Some(op::JUMP)) {
            self.construct(words, depth + 1)?;
        }
        if words.at == no {
            let absent = self.here();
            self.put(test, Op::IfGroup { group, absent });
            return Ok(());
        }
        if words.next()? != op::JUMP {
            return Err(BadCode);
        }
        let end = words.target()?;
        let over = self.emit(Op::Fail);
        let absent = self.here();
        self.sequence(words, end, depth + 1)?;
        let after = self.here();
        self.put(over, Op::Jump(after));
        self.put(test, Op::IfGroup { group, absent });
        Ok(())
    }

    /// `BRANCH (skip way… JUMP skip)… FAILURE`.
    fn branch(&mut self, words: &mut Words<'_>, depth: usize) -> Result<(), BadCode> {
        let branch = self.emit(Op::Fail);
        let (mut ways, mut jumps, mut goal) = (Vec::new(), Vec::new(), None);
        while words.peek() != Some(op::FAILURE) {
            let end = words.target()?;
            ways.push(Alternative { start: self.here(), first: None });
            self.sequence(words, end.checked_sub(2).ok_or(BadCode)?, depth + 1)?;
            if words.next()? != op::JUMP {
                return Err(BadCode);
            }
            let target = words.target()?;
            if goal.is_some_and(|goal| goal != target) {
                return Err(BadCode);
            }
            goal = Some(target);
            jumps.push(self.emit(Op::Fail));
        }
        words.next()?;
        if goal.is_some_and(|goal| goal != words.at) {
            return Err(BadCode);
        }
        let after = self.here();
        for jump in jumps {
            self.put(jump, Op::Jump(after));
        }
        self.put(branch, Op::Branch(ways.into()));
        Ok(())
    }

    /// `REPEAT skip min max body… MAX_UNTIL` or `… MIN_UNTIL`; the skip leads to the last word.
    fn repeat(&mut self, words: &mut Words<'_>, depth: usize) -> Result<(), BadCode> {
        let end = words.target()?;
        let (min, max) = read_bounds(words)?;
        let (slot, start) = self.loop_start();
        self.sequence(words, end, depth + 1)?;
        let greed = match words.next()? {
            op::MAX_UNTIL => Greed::Greedy,
            op::MIN_UNTIL => Greed::Lazy,
            _ => return Err(BadCode),
        };
        self.loop_end(slot, start, (min, max), greed);
        Ok(())
    }

    fn possessive_repeat(&mut self, words: &mut Words<'_>, depth: usize) -> Result<(), BadCode> {
        let end = words.target()?;
        let (min, max) = read_bounds(words)?;
        let (slot, start) = self.loop_start();
        self.sequence(words, end, depth + 1)?;
        if words.next()? != op::SUCCESS {
            return Err(BadCode);
        }
        // Each round is settled when it ends; the loop's end opened it.
        self.emit(Op::AtomicEnd);
        self.loop_end(slot, start, (min, max), Greed::Possessive);
        Ok(())
    }

    fn loop_start(&mut self) -> (usize, usize) {
        self.loops += 1;
        (self.loops - 1, self.emit(Op::Fail))
    }

    fn loop_end(&mut self, slot: usize, start: usize, (min, max): (usize, usize), greed: Greed) {
        let end = self.emit(Op::LoopEnd { slot, min, max, body: start + 1, greed });
        self.put(start, Op::LoopStart { slot, end });
    }

    fn repeat_one(&mut self, words: &mut Words<'_>, greed: Greed) -> Result<(), BadCode> {
        let end = words.target()?;
        let (min, max) = read_bounds(words)?;
        let single = read_single(words)?.ok_or(BadCode)?;
        if words.next()? != op::SUCCESS || words.at != end {
            return Err(BadCode);
        }
        self.emit(Op::RepeatOne { single, min, max, greed, first: None });
        Ok(())
    }

    /// The test of the first character from an instruction on, when there is one.
    fn first_test(&self, mut at: usize) -> Option<usize> {
        loop {
            match self.ops.get(at)? {
                Op::Char(_) | Op::One(_) => return Some(at),
                Op::Mark(_) => at += 1,
                // Jumps lead forward.
                Op::Jump(to) => at = *to,
                _ => return None,
            }
        }
    }

    fn find_first_tests(&mut self) {
        for at in 0..self.ops.len() {
            let behind = self.first_test(at + 1);
            let starts: Vec<usize> = match self.ops.get(at) {
                Some(Op::Branch(ways)) => ways.iter().map(|way| way.start).collect(),
                _ => Vec::new(),
            };
            let tests: Vec<Option<usize>> = starts.into_iter().map(|start| self.first_test(start)).collect();
            match self.ops.get_mut(at) {
                Some(Op::RepeatOne { first, .. }) => *first = behind,
                Some(Op::Branch(ways)) => {
                    for (way, test) in ways.iter_mut().zip(tests) {
                        way.first = test;
                    }
                }
                _ => {}
            }
        }
    }
}

fn read_bounds(words: &mut Words<'_>) -> Result<(usize, usize), BadCode> {
    let (min, max) = (words.next()?, words.next()?);
    if min > max {
        return Err(BadCode);
    }
    Ok((min as usize, if max == MAXREPEAT { usize::MAX } else { max as usize }))
}

/// Reads a test of one character, when one comes.
fn read_single(words: &mut Words<'_>) -> Result<Option<Single>, BadCode> {
    let Some(word) = words.peek() else { return Ok(None) };
    let fold = match word {
        op::LITERAL_IGNORE | op::NOT_LITERAL_IGNORE | op::IN_IGNORE => Fold::Ascii,
        op::LITERAL_UNI_IGNORE | op::NOT_LITERAL_UNI_IGNORE | op::IN_UNI_IGNORE => Fold::Unicode,
        op::LITERAL_LOC_IGNORE | op::NOT_LITERAL_LOC_IGNORE | op::IN_LOC_IGNORE => Fold::Locale,
        _ => Fold::None,
    };
    let set = |set| Single::Set(Box::new(set));
    let at = words.at;
    words.next()?;
    Ok(Some(match word {
        op::ANY => Single::Any,
        op::ANY_ALL => Single::All,
        op::LITERAL => Single::Char(words.next()?),
        op::NOT_LITERAL => Single::NotChar(words.next()?),
        op::LITERAL_LOC_IGNORE => set(CharSet::of_either_case(words.next()?, false)),
        op::NOT_LITERAL_LOC_IGNORE => set(CharSet::of_either_case(words.next()?, true)),
        op::LITERAL_IGNORE | op::LITERAL_UNI_IGNORE => set(CharSet::of_char(words.next()?, false, fold)),
        op::NOT_LITERAL_IGNORE | op::NOT_LITERAL_UNI_IGNORE => {
            set(CharSet::of_char(words.next()?, true, fold))
        }
        op::CATEGORY => set(CharSet::of_category(Category::new(words.next()?)?)),
        op::IN | op::IN_IGNORE | op::IN_UNI_IGNORE | op::IN_LOC_IGNORE => {
            let end = words.target()?;
            let found = CharSet::read(words, fold)?;
            if words.at != end {
                return Err(BadCode);
            }
            set(found)
        }
        _ => {
            words.at = at;
            return Ok(None);
        }
    }))
}

/// Reads a place, numbered as in the library's `re._constants.ATCODES`.
fn read_at(word: u32) -> Result<At, BadCode> {
    Ok(match word {
        0 | 2 => At::Beginning,
        1 => At::BeginningLine,
        3 => At::Boundary(WordKind::Ascii, true),
        4 => At::Boundary(WordKind::Ascii, false),
        5 => At::End,
        6 => At::EndLine,
        7 => At::EndString,
        8 => At::Boundary(WordKind::Locale, true),
        9 => At::Boundary(WordKind::Locale, false),
        10 => At::Boundary(WordKind::Unicode, true),
        11 => At::Boundary(WordKind::Unicode, false),
        _ => return Err(BadCode),
    })
}
