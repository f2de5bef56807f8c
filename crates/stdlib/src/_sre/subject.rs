//! What is searched: text in one of its widths, or the bytes of a buffer.

use taipan_vm::builtins::str::StrData;
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::{Buffer, SIMPLE, has_buffer};

use super::machine::{Machine, Mode, Request, UNSET};
use super::pattern::Pattern;

/// Start and end of a part of the subject; none for a group that took no part.
pub type Span = Option<(usize, usize)>;

/// The parts that a match found, the whole first.
pub struct Found {
    /// One span for the whole and for each group.
    pub spans: Box<[Span]>,
    /// The group closed last; 0 for none.
    pub last_group: usize,
}

impl Found {
    /// The whole match.
    pub fn whole(&self) -> (usize, usize) {
        self.spans.first().copied().flatten().unwrap_or((0, 0))
    }
}

enum Units {
    Text(Ref<Str>),
    Bytes(Buffer),
}

/// A subject held in memory for the time of a search.
pub struct Subject {
    /// The object as it was given.
    pub object: ObjRef,
    units: Units,
}

impl Subject {
    /// Raises `TypeError` for what is neither text nor bytes-like, or is of the other kind than the pattern.
    pub fn new(pattern: &Pattern, object: &Object, vm: &Vm) -> PyResult<Subject> {
        let units = if let Some(text) = object.downcast_ref::<Str>() {
            if pattern.is_bytes() == Some(true) {
                return Err(vm.type_error("cannot use a bytes pattern on a string-like object"));
            }
            Units::Text(text.into())
        } else {
            if !has_buffer(object) {
                let name = object.ob_type().name();
                return Err(vm.type_error(format!("expected string or bytes-like object, got '{name}'")));
            }
            let buffer = object.get_buffer(SIMPLE, vm)?;
            if pattern.is_bytes() == Some(false) {
                return Err(vm.type_error("cannot use a string pattern on a bytes-like object"));
            }
            Units::Bytes(buffer)
        };
        Ok(Subject { object: object.to_ref(), units })
    }

    /// The number of characters or bytes.
    pub fn len(&self) -> usize {
        match &self.units {
            Units::Text(text) => text.len(),
            Units::Bytes(buffer) => buffer.len(),
        }
    }

    /// The text, when it is one.
    pub fn text(&self) -> Option<&Str> {
        match &self.units {
            Units::Text(text) => Some(text),
            Units::Bytes(_) => None,
        }
    }

    /// A part as an object of the same kind: `str` or `bytes`.
    pub fn cut(&self, from: usize, to: usize, vm: &Vm) -> PyResult {
        match &self.units {
            Units::Text(text) => text.slice(from, to, vm).map(Ref::into_object),
            Units::Bytes(buffer) => {
                let bytes = buffer.as_bytes();
                if from == 0 && to == bytes.len() && self.object.downcast_exact::<Bytes>().is_some() {
                    return Ok(self.object.clone());
                }
                Ok(vm.new_bytes(bytes.get(from..to).unwrap_or_default()).into_object())
            }
        }
    }

    /// Nothing, as an object of the same kind.
    pub fn empty(&self, vm: &Vm) -> ObjRef {
        match &self.units {
            Units::Text(_) => Str::empty().into_object(),
            Units::Bytes(_) => vm.new_bytes(b"").into_object(),
        }
    }
}

/// Clamps `pos` and `endpos` to the subject's length.
pub fn bounds(length: usize, pos: Option<isize>, endpos: Option<isize>) -> (usize, usize) {
    let clamp = |at: isize| usize::try_from(at).unwrap_or(0).min(length);
    let end = clamp(endpos.unwrap_or(isize::MAX));
    (clamp(pos.unwrap_or(0)), end)
}

/// A pattern at work on a subject. The pattern's machine is borrowed for the time, or a new one made when it is in use.
pub struct Search<'a> {
    pattern: &'a Pattern,
    /// What is searched.
    pub subject: &'a Subject,
    /// Where the search may not go.
    pub end: usize,
    machine: Box<Machine>,
}

impl<'a> Search<'a> {
    /// Prepares a search up to `end`.
    pub fn new(pattern: &'a Pattern, subject: &'a Subject, end: usize) -> Search<'a> {
        let mut machine = pattern.machine.take().unwrap_or_default();
        machine.marks.resize(2 * pattern.groups, UNSET);
        Search { pattern, subject, end, machine }
    }

    /// Whether there is a match from `start` on; [`Search::found`] tells which.
    pub fn run(&mut self, start: usize, mode: Mode, must_advance: bool, vm: &Vm) -> PyResult<bool> {
        let program = &self.pattern.program;
        macro_rules! with {
            ($units:expr) => {{
                let units = $units.get(..self.end).unwrap_or($units);
                self.machine.run(&Request { program, units, start, mode, must_advance }, vm)
            }};
        }
        match &self.subject.units {
            Units::Text(text) => match text.data() {
                StrData::Ucs1(units) => with!(units),
                StrData::Ucs2(units) => with!(units),
                StrData::Ucs4(units) => with!(units),
            },
            Units::Bytes(buffer) => with!(buffer.as_bytes()),
        }
    }

    /// The whole of the latest match.
    pub fn whole(&self) -> (usize, usize) {
        (self.machine.from, self.machine.to)
    }

    /// A group of the latest match, from 1.
    pub fn group(&self, number: usize) -> Span {
        let at = 2 * number.checked_sub(1)?;
        match self.machine.marks.get(at..at + 2) {
            Some(&[from, to]) if from != UNSET && to != UNSET && from <= to => Some((from, to)),
            _ => None,
        }
    }

    /// The parts of the latest match.
    pub fn found(&self) -> Found {
        let groups = (1..=self.pattern.groups).map(|number| self.group(number));
        Found {
            spans: std::iter::once(Some(self.whole())).chain(groups).collect(),
            last_group: self.machine.last_group,
        }
    }
}

impl Drop for Search<'_> {
    fn drop(&mut self) {
        self.pattern.machine.set(Some(std::mem::take(&mut self.machine)));
    }
}
