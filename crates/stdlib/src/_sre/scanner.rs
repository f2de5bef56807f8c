//! `_sre.SRE_Scanner`: one match after the other.

use std::cell::Cell;

use taipan_vm::prelude::*;

use super::machine::Mode;
use super::match_::Match;
use super::pattern::Pattern;
use super::subject::{Search, Subject, bounds};

/// What `Pattern.scanner` gives.
#[repr(C)]
#[derive(Traverse)]
pub struct Scanner {
    #[traverse(skip)]
    ob: Object,
    pattern: Ref<Pattern>,
    #[traverse(skip)]
    subject: Subject,
    #[traverse(skip)]
    range: (usize, usize),
    /// Where to go on; none at the end.
    #[traverse(skip)]
    at: Cell<Option<usize>>,
    #[traverse(skip)]
    must_advance: Cell<bool>,
    #[traverse(skip)]
    running: Cell<bool>,
}

impl Scanner {
    /// A scanner over a part of `string`. Raises `TypeError` when the pattern is not for such a subject.
    pub fn make(
        pattern: &Pattern,
        string: &Object,
        pos: Option<isize>,
        endpos: Option<isize>,
        vm: &Vm,
    ) -> PyResult<Ref<Scanner>> {
        let subject = Subject::new(pattern, string, vm)?;
        let range = bounds(subject.len(), pos, endpos);
        Ok(vm.new_object(Scanner {
            ob: Object::new(Scanner::type_object()),
            pattern: pattern.into(),
            subject,
            range,
            at: Cell::new(Some(range.0)),
            must_advance: Cell::new(false),
            running: Cell::new(false),
        }))
    }

    fn step(&self, mode: Mode, vm: &Vm) -> PyResult<Option<Ref<Match>>> {
        if self.running.replace(true) {
            return Err(vm.value_error("regular expression scanner already executing"));
        }
        let result = self.next(mode, vm);
        self.running.set(false);
        result
    }

    fn next(&self, mode: Mode, vm: &Vm) -> PyResult<Option<Ref<Match>>> {
        let Some(at) = self.at.get() else { return Ok(None) };
        let mut search = Search::new(&self.pattern, &self.subject, self.range.1);
        if !search.run(at, mode, self.must_advance.get(), vm)? {
            self.at.set(None);
            return Ok(None);
        }
        let (from, to) = search.whole();
        self.must_advance.set(from == to);
        self.at.set(Some(to));
        Ok(Some(Match::make(&self.pattern, &self.subject.object, search.found(), self.range, vm)))
    }
}

#[pytype(name = "_sre.SRE_Scanner", gc, no_new, doc = "", members(pattern: OBJECT = pattern readonly))]
impl Scanner {
    #[method("($self, /)", name = "match")]
    fn match_(&self, vm: &Vm) -> PyResult<Option<Ref<Match>>> {
        self.step(Mode::Match, vm)
    }

    #[method("($self, /)")]
    fn search(&self, vm: &Vm) -> PyResult<Option<Ref<Match>>> {
        self.step(Mode::Search, vm)
    }
}
