//! `re.Pattern`.

use std::cell::Cell;

use taipan_vm::builtins::str::StrBuilder;
use taipan_vm::prelude::*;

use super::machine::{Machine, Mode};
use super::match_::Match;
use super::program::Program;
use super::scanner::Scanner;
use super::subject::{Search, Span, Subject, bounds};
use super::template::Template;

/// A compiled pattern.
#[repr(C)]
#[derive(Traverse)]
pub struct Pattern {
    #[traverse(skip)]
    ob: Object,
    /// The source: `str`, `bytes`, or `None` for one made without.
    pub pattern: ObjRef,
    /// The flags of `re`.
    #[traverse(skip)]
    pub flags: i32,
    /// The number of groups.
    #[traverse(skip)]
    pub groups: usize,
    /// Names to numbers.
    pub group_index: Ref<Dict>,
    /// Numbers to names.
    pub index_group: Ref<Tuple>,
    #[traverse(skip)]
    code: Box<[u32]>,
    /// What the machine runs.
    #[traverse(skip)]
    pub program: Program,
    /// The machine when it is not in use.
    #[traverse(skip)]
    pub machine: Cell<Option<Box<Machine>>>,
    #[traverse(skip)]
    weakrefs: WeakList,
}

/// What a match is replaced with.
enum Replacement {
    Literal(ObjRef),
    Template(Ref<Template>),
    Callable(ObjRef),
}

/// What comes out of a substitution, kept as text while all pieces are text.
enum Output {
    Text(StrBuilder),
    Pieces(Vec<ObjRef>),
}

impl Output {
    fn part(&mut self, subject: &Subject, from: usize, to: usize, vm: &Vm) -> PyResult<()> {
        match (self, subject.text()) {
            (Output::Text(builder), Some(text)) => {
                builder.reserve(to.saturating_sub(from), vm)?;
                builder.push_data(text.data().slice(from, to));
            }
            (Output::Text(_), None) => {}
            (Output::Pieces(pieces), _) => pieces.push(subject.cut(from, to, vm)?),
        }
        Ok(())
    }

    fn piece(&mut self, piece: &Object, vm: &Vm) -> PyResult<()> {
        match (self, piece.downcast_ref::<Str>()) {
            (Output::Text(builder), Some(text)) => {
                builder.reserve(text.len(), vm)?;
                builder.push(text);
            }
            (Output::Text(_), None) => {}
            (Output::Pieces(pieces), _) => pieces.push(piece.to_ref()),
        }
        Ok(())
    }
}

impl Pattern {
    /// A pattern from its parts.
    #[allow(clippy::too_many_arguments, reason = "the arguments of the library's call")]
    pub fn make(
        pattern: &Object,
        flags: i32,
        code: Vec<u32>,
        program: Program,
        groups: usize,
        group_index: &Dict,
        index_group: &Tuple,
        vm: &Vm,
    ) -> Ref<Pattern> {
        vm.new_object(Pattern {
            ob: Object::new(Pattern::type_object()),
            pattern: pattern.to_ref(),
            flags,
            groups,
            group_index: group_index.into(),
            index_group: index_group.into(),
            code: code.into(),
            program,
            machine: Cell::new(None),
            weakrefs: WeakList::new(),
        })
    }

    /// Whether the pattern is for bytes; none when it was made without a source.
    pub fn is_bytes(&self) -> Option<bool> {
        if self.pattern.downcast_ref::<Str>().is_some() {
            Some(false)
        } else {
            self.pattern.ob_type().as_buffer().map(|_| true)
        }
    }

    fn match_with(
        &self,
        string: &Object,
        pos: Option<isize>,
        endpos: Option<isize>,
        mode: Mode,
        vm: &Vm,
    ) -> PyResult<Option<Ref<Match>>> {
        let subject = Subject::new(self, string, vm)?;
        let (start, end) = bounds(subject.len(), pos, endpos);
        let mut search = Search::new(self, &subject, end);
        if !search.run(start, mode, false, vm)? {
            return Ok(None);
        }
        Ok(Some(Match::make(self, string, search.found(), (start, end), vm)))
    }

    /// Hands each match that doesn't overlap the one before to `each`, at most `limit` of them (0: all).
    fn for_each(
        &self,
        search: &mut Search<'_>,
        start: usize,
        limit: usize,
        mut each: impl FnMut(&Search<'_>) -> PyResult<()>,
        vm: &Vm,
    ) -> PyResult<usize> {
        let (mut at, mut count, mut must_advance) = (start, 0, false);
        while (limit == 0 || count < limit) && search.run(at, Mode::Search, must_advance, vm)? {
            let (from, to) = search.whole();
            each(search)?;
            must_advance = from == to;
            at = to;
            count += 1;
        }
        Ok(count)
    }

    /// A replacement that is text without references stands for itself; other text is a template.
    fn replacement(&self, repl: &Object, vm: &Vm) -> PyResult<Replacement> {
        if repl.is_callable() {
            return Ok(Replacement::Callable(repl.to_ref()));
        }
        let plain = match repl.downcast_ref::<Str>() {
            Some(text) => !text.data().iter().any(|code| code == u32::from(b'\\')),
            None => repl.downcast_ref::<Bytes>().is_some_and(|bytes| !bytes.as_bytes().contains(&b'\\')),
        };
        if plain {
            return Ok(Replacement::Literal(repl.to_ref()));
        }
        self.template(repl, vm).map(|template| match template.literal() {
            Some(literal) => Replacement::Literal(literal),
            None => Replacement::Template(template),
        })
    }

    /// The template that the library makes of a replacement.
    pub fn template(&self, repl: &Object, vm: &Vm) -> PyResult<Ref<Template>> {
        let re = taipan_vm::import::import_module("re", vm)?;
        let name = vm.intern("_compile_template");
        let made = match re.call_method(&name, &[self.as_object(), repl], vm) {
            // The library keeps templates by their text: what can't be a key is taken as plain text.
            Err(_) if vm.exception_matches(types::type_error()) && repl.hash(vm).is_err() => {
                vm.clear_exception();
                let plain = match repl.downcast_ref::<Str>() {
                    Some(text) => Str::try_from_data(text.data(), vm)?.into_object(),
                    None => {
                        let buffer = repl.get_buffer(taipan_vm::protocols::buffer::SIMPLE, vm)?;
                        vm.new_bytes(buffer.as_bytes()).into_object()
                    }
                };
                re.call_method(&name, &[self.as_object(), &plain], vm)?
            }
            made => made?,
        };
        made.downcast::<Template>().map_err(|_| vm.type_error("invalid template"))
    }

    fn substitute(&self, repl: &Object, string: &Object, count: isize, vm: &Vm) -> PyResult<(ObjRef, usize)> {
        let replacement = self.replacement(repl, vm)?;
        let subject = Subject::new(self, string, vm)?;
        let length = subject.len();
        let all_text = subject.text().is_some()
            && match &replacement {
                Replacement::Literal(literal) => literal.downcast_ref::<Str>().is_some(),
                Replacement::Template(template) => template.is_text(),
                Replacement::Callable(_) => false,
            };
        let mut output = if all_text { Output::Text(StrBuilder::new()) } else { Output::Pieces(Vec::new()) };
        let mut last = 0;
        let each = |search: &Search<'_>| {
            let (from, to) = search.whole();
            if last < from {
                output.part(&subject, last, from, vm)?;
            }
            match &replacement {
                Replacement::Literal(literal) => output.piece(literal, vm)?,
                Replacement::Template(template) => template.each(self.groups, vm, |part| match part {
                    Ok(literal) => output.piece(literal, vm),
                    Err(group) => match if group == 0 { Some((from, to)) } else { search.group(group) } {
                        Some((from, to)) => output.part(&subject, from, to, vm),
                        None => Ok(()),
                    },
                })?,
                Replacement::Callable(callable) => {
                    let found = Match::make(self, string, search.found(), (0, length), vm);
                    let piece = callable.call(&[found.as_object()], vm)?;
                    if !vm.is_none(&piece) {
                        output.piece(&piece, vm)?;
                    }
                }
            }
            last = to;
            Ok(())
        };
        let limit = usize::try_from(count).unwrap_or(0);
        let mut search = Search::new(self, &subject, length);
        let done = self.for_each(&mut search, 0, limit, each, vm)?;
        if done == 0 {
            return Ok((subject.cut(0, length, vm)?, 0));
        }
        if last < length {
            output.part(&subject, last, length, vm)?;
        }
        let result = match output {
            Output::Text(builder) => builder.try_finish(vm)?.into_object(),
            Output::Pieces(pieces) => {
                let list = vm.new_list(pieces);
                subject.empty(vm).call_method(&vm.intern("join"), &[list.as_object()], vm)?
            }
        };
        Ok((result, done))
    }
}

/// Compiled regular expression object.
#[pytype(
    name = "re.Pattern",
    gc,
    weakrefs = weakrefs,
    no_new,
    members(pattern: OBJECT = pattern readonly "The pattern string from which the RE object was compiled.")
)]
impl Pattern {
    /// Matches zero or more characters at the beginning of the string.
    #[method("($self, /, string, pos=0, endpos=sys.maxsize)", name = "match")]
    fn match_(
        &self,
        string: &Object,
        pos: Option<isize>,
        endpos: Option<isize>,
        vm: &Vm,
    ) -> PyResult<Option<Ref<Match>>> {
        self.match_with(string, pos, endpos, Mode::Match, vm)
    }

    /// Matches against all of the string.
    #[method("($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn fullmatch(
        &self,
        string: &Object,
        pos: Option<isize>,
        endpos: Option<isize>,
        vm: &Vm,
    ) -> PyResult<Option<Ref<Match>>> {
        self.match_with(string, pos, endpos, Mode::Full, vm)
    }

    /// Scan through string looking for a match, and return a corresponding match object instance.
    ///
    /// Return None if no position in the string matches.
    #[method("($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn search(
        &self,
        string: &Object,
        pos: Option<isize>,
        endpos: Option<isize>,
        vm: &Vm,
    ) -> PyResult<Option<Ref<Match>>> {
        self.match_with(string, pos, endpos, Mode::Search, vm)
    }

    /// Return the string obtained by replacing the leftmost non-overlapping occurrences of pattern in string by the replacement repl.
    #[method("($self, /, repl, string, count=0)")]
    fn sub(&self, repl: &Object, string: &Object, count: Option<isize>, vm: &Vm) -> PyResult {
        self.substitute(repl, string, count.unwrap_or(0), vm).map(|(text, _)| text)
    }

    /// Return the tuple (new_string, number_of_subs_made) found by replacing the leftmost non-overlapping occurrences of pattern with the replacement repl.
    #[method("($self, /, repl, string, count=0)")]
    fn subn(&self, repl: &Object, string: &Object, count: Option<isize>, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let (text, done) = self.substitute(repl, string, count.unwrap_or(0), vm)?;
        Ok(vm.new_tuple([text, vm.new_int(done)]))
    }

    /// Return a list of all non-overlapping matches of pattern in string.
    #[method("($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn findall(
        &self,
        string: &Object,
        pos: Option<isize>,
        endpos: Option<isize>,
        vm: &Vm,
    ) -> PyResult<Ref<List>> {
        let subject = Subject::new(self, string, vm)?;
        let (start, end) = bounds(subject.len(), pos, endpos);
        let mut found = Vec::new();
        let part = |span: Span| match span {
            Some((from, to)) => subject.cut(from, to, vm),
            None => Ok(subject.empty(vm)),
        };
        let each = |search: &Search<'_>| {
            found.push(match self.groups {
                0 => part(Some(search.whole()))?,
                1 => part(search.group(1))?,
                groups => {
                    let parts: PyResult<Vec<ObjRef>> =
                        (1..=groups).map(|number| part(search.group(number))).collect();
                    vm.new_tuple(parts?).into_object()
                }
            });
            Ok(())
        };
        self.for_each(&mut Search::new(self, &subject, end), start, 0, each, vm)?;
        Ok(vm.new_list(found))
    }

    /// Split string by the occurrences of pattern.
    #[method("($self, /, string, maxsplit=0)")]
    fn split(&self, string: &Object, maxsplit: Option<isize>, vm: &Vm) -> PyResult<Ref<List>> {
        let subject = Subject::new(self, string, vm)?;
        let length = subject.len();
        let (mut parts, mut last) = (Vec::new(), 0);
        let each = |search: &Search<'_>| {
            let (from, to) = search.whole();
            parts.push(subject.cut(last, from, vm)?);
            for number in 1..=self.groups {
                parts.push(match search.group(number) {
                    Some((from, to)) => subject.cut(from, to, vm)?,
                    None => vm.none(),
                });
            }
            last = to;
            Ok(())
        };
        let limit = usize::try_from(maxsplit.unwrap_or(0)).unwrap_or(0);
        self.for_each(&mut Search::new(self, &subject, length), 0, limit, each, vm)?;
        parts.push(subject.cut(last, length, vm)?);
        Ok(vm.new_list(parts))
    }

    /// Return an iterator over all non-overlapping matches for the RE pattern in string.
    ///
    /// For each match, the iterator returns a match object.
    #[method("($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn finditer(&self, string: &Object, pos: Option<isize>, endpos: Option<isize>, vm: &Vm) -> PyResult {
        let scanner = Scanner::make(self, string, pos, endpos, vm)?;
        let search = scanner.as_object().get_attr(&vm.intern("search"), vm)?;
        Ok(taipan_vm::builtins::iterators::CallableIterator::new(&search, vm.none_ref(), vm))
    }

    #[method("($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn scanner(
        &self,
        string: &Object,
        pos: Option<isize>,
        endpos: Option<isize>,
        vm: &Vm,
    ) -> PyResult<Ref<Scanner>> {
        Scanner::make(self, string, pos, endpos, vm)
    }

    #[method("($self, /)")]
    fn __copy__(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[method("($self, memo, /)")]
    fn __deepcopy__(&self, _memo: &Object) -> ObjRef {
        self.as_object().to_ref()
    }

    /// Patterns are generic over the type of string they handle (str or bytes)
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> ObjRef {
        taipan_vm::builtins::generic_alias::GenericAlias::new(cls.as_object(), object, vm)
    }

    /// The regex matching flags.
    #[getter]
    fn flags(&self) -> i32 {
        self.flags
    }

    /// The number of capturing groups in the pattern.
    #[getter]
    fn groups(&self) -> usize {
        self.groups
    }

    /// A dictionary mapping group names to group numbers.
    #[getter]
    fn groupindex(&self, vm: &Vm) -> ObjRef {
        taipan_vm::builtins::descr::MappingProxy::new(self.group_index.as_object(), vm).into_object()
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        let mut hash = self.pattern.hash(vm)? ^ self.flags as isize ^ self.groups as isize;
        for word in &self.code {
            hash = hash.rotate_left(5) ^ *word as isize;
        }
        Ok(if hash == -1 { -2 } else { hash })
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let (Some(other), CompareOp::Eq | CompareOp::Ne) = (other.downcast_exact::<Pattern>(), op) else {
            return Ok(vm.not_implemented());
        };
        let same = self.flags == other.flags
            && self.is_bytes() == other.is_bytes()
            && self.code == other.code
            && self.pattern.eq(&other.pattern, vm)?;
        Ok(vm.new_bool(same == (op == CompareOp::Eq)))
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        const UNICODE: i32 = 32;
        /// Flags of which text patterns have one, `re.UNICODE` without saying so.
        const KINDS: i32 = 4 | UNICODE | 256;
        const NAMES: [(i32, &str); 8] = [
            (2, "re.IGNORECASE"),
            (4, "re.LOCALE"),
            (8, "re.MULTILINE"),
            (16, "re.DOTALL"),
            (UNICODE, "re.UNICODE"),
            (64, "re.VERBOSE"),
            (128, "re.DEBUG"),
            (256, "re.ASCII"),
        ];
        let text = self.pattern.repr(vm)?;
        let mut flags = self.flags;
        if self.is_bytes() == Some(false) && flags & KINDS == UNICODE {
            flags &= !UNICODE;
        }
        let mut names: Vec<String> = Vec::new();
        for (bit, name) in NAMES {
            if flags & bit != 0 {
                names.push(name.to_owned());
                flags &= !bit;
            }
        }
        if flags != 0 {
            names.push(format!("{flags:#x}"));
        }
        let mut shown = StrBuilder::new();
        shown.push_str("re.compile(");
        shown.push_data(text.data().slice(0, text.len().min(200)));
        if !names.is_empty() {
            shown.push_str(", ");
            shown.push_str(&names.join("|"));
        }
        shown.push_str(")");
        Ok(shown.finish(vm))
    }
}
