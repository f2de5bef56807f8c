//! `_sre`: the engine under `re`. The matcher is the crate `rustpython-sre_engine`, which runs the code words that the
//! library's `re._compiler` makes.

use rustpython_sre_engine::{MAXGROUPS, MAXREPEAT, Request, SRE_MAGIC, State};
use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::{Buffer, SIMPLE};

/// The module.
pub struct Sre;

/// A compiled pattern.
#[repr(C)]
#[derive(Traverse)]
pub struct Pattern {
    #[traverse(skip)]
    ob: Object,
    pattern: ObjRef,
    #[traverse(skip)]
    flags: i32,
    #[traverse(skip)]
    code: Vec<u32>,
    #[traverse(skip)]
    groups: usize,
    group_index: ObjRef,
    index_group: Ref<Tuple>,
    #[traverse(skip)]
    weakrefs: WeakList,
}

/// The subject of a match, held so that the engine can read it.
enum Subject {
    /// Text in ASCII or bytes: positions are bytes.
    Bytes(Buffer),
    /// ASCII text.
    Ascii(ObjRef),
    /// Other text, in UTF-8; positions count characters.
    Text(String),
}

/// Start and end of every group, the whole match first; none for a group that took no part.
type Spans = Vec<Option<(usize, usize)>>;

impl Pattern {
    fn subject(&self, string: &Object, vm: &Vm) -> PyResult<Subject> {
        let is_text = string.downcast_ref::<Str>();
        let wants_text = self.pattern.downcast_ref::<Str>().is_some();
        let any = vm.is_none(&self.pattern);
        match is_text {
            Some(_) if !wants_text && !any => {
                Err(vm.type_error("cannot use a bytes pattern on a string-like object"))
            }
            Some(text) if text.as_ascii_str().is_some() => Ok(Subject::Ascii(string.to_ref())),
            Some(text) => Ok(Subject::Text(text.to_string_lossy().into_owned())),
            None => {
                if string.ob_type().as_buffer().is_none_or(|b| b.bf_getbuffer.get().is_none()) {
                    return Err(vm.type_error(format!(
                        "expected string or bytes-like object, got '{}'",
                        string.ob_type().name()
                    )));
                }
                if wants_text && !any {
                    return Err(vm.type_error("cannot use a string pattern on a bytes-like object"));
                }
                Ok(Subject::Bytes(string.get_buffer(SIMPLE, vm)?))
            }
        }
    }

    /// Runs the engine on `subject[start:end]`.
    fn run(&self, subject: &Subject, start: usize, end: usize, how: How) -> Option<Spans> {
        match subject {
            Subject::Bytes(buffer) => self.run_on(buffer.as_bytes(), start, end, how),
            Subject::Ascii(object) => {
                let text = object.downcast_ref::<Str>().and_then(Str::as_ascii_str).unwrap_or("");
                self.run_on(text.as_bytes(), start, end, how)
            }
            Subject::Text(text) => self.run_on(text.as_str(), start, end, how),
        }
    }

    fn run_on<S: rustpython_sre_engine::StrDrive>(
        &self,
        subject: S,
        start: usize,
        end: usize,
        how: How,
    ) -> Option<Spans> {
        let mut request = Request::new(subject, start, end, &self.code, how.kind == Kind::Full);
        request.must_advance = how.must_advance;
        let mut state = State::default();
        let found = if how.kind == Kind::Search {
            state.search(request)
        } else {
            state.reset(&request, start);
            state.py_match(&request)
        };
        if !found {
            return None;
        }
        let mut spans: Spans = vec![Some((state.start, state.cursor.position))];
        for group in 0..self.groups {
            let (from, to) = state.marks.get(group);
            spans.push(match (from.into_option(), to.into_option()) {
                (Some(from), Some(to)) => Some((from, to)),
                _ => None,
            });
        }
        Some(spans)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Match,
    Full,
    Search,
}

#[derive(Clone, Copy)]
struct How {
    kind: Kind,
    must_advance: bool,
}

/// Clamps `pos` and `endpos` to the subject.
fn bounds(length: usize, pos: Option<isize>, endpos: Option<isize>) -> (usize, usize) {
    let clamp = |at: isize| usize::try_from(at).unwrap_or(0).min(length);
    let end = clamp(endpos.unwrap_or(isize::MAX));
    (clamp(pos.unwrap_or(0)).min(end), end)
}

/// A part of the subject, as the same kind of object.
fn cut(string: &Object, from: usize, to: usize, vm: &Vm) -> PyResult {
    if let Some(text) = string.downcast_ref::<Str>() {
        return text.slice(from, to, vm).map(Ref::into_object);
    }
    let buffer = string.get_buffer(SIMPLE, vm)?;
    Ok(vm.new_bytes(buffer.as_bytes().get(from..to).unwrap_or_default()).into_object())
}

fn subject_length(string: &Object, vm: &Vm) -> PyResult<usize> {
    match string.downcast_ref::<Str>() {
        Some(text) => Ok(text.len()),
        None if string.ob_type().as_buffer().is_some_and(|b| b.bf_getbuffer.get().is_some()) => {
            Ok(string.get_buffer(SIMPLE, vm)?.len())
        }
        None => Err(
            vm.type_error(format!("expected string or bytes-like object, got '{}'", string.ob_type().name()))
        ),
    }
}

/// All matches from `start` on that do not overlap, at most `limit` of them (0: all).
fn find_all(
    pattern: &Pattern,
    string: &Object,
    (start, end): (usize, usize),
    limit: usize,
    mut found: impl FnMut(Spans) -> PyResult<()>,
    vm: &Vm,
) -> PyResult<()> {
    let subject = pattern.subject(string, vm)?;
    let (mut at, mut count, mut must_advance) = (start, 0, false);
    while at <= end && (limit == 0 || count < limit) {
        let Some(spans) = pattern.run(&subject, at, end, How { kind: Kind::Search, must_advance }) else {
            break;
        };
        let Some((from, to)) = spans.first().copied().flatten() else { break };
        must_advance = from == to;
        at = to;
        count += 1;
        found(spans)?;
    }
    Ok(())
}

/// Joins parts as the subject's kind of object.
fn join(parts: &[ObjRef], string: &Object, vm: &Vm) -> PyResult {
    let list = vm.new_list(parts.to_vec());
    let empty = if string.downcast_ref::<Str>().is_some() {
        vm.ids().empty.as_object().to_ref()
    } else {
        vm.new_bytes(b"").into_object()
    };
    empty.call_method(&vm.intern("join"), &[list.as_object()], vm)
}

impl Pattern {
    fn match_with(
        &self,
        string: &Object,
        pos: Option<isize>,
        endpos: Option<isize>,
        kind: Kind,
        vm: &Vm,
    ) -> PyResult<Option<Ref<Match>>> {
        let subject = self.subject(string, vm)?;
        let (start, end) = bounds(subject_length(string, vm)?, pos, endpos);
        let spans = self.run(&subject, start, end, How { kind, must_advance: false });
        Ok(spans.map(|spans| Match::make(self, string, spans, (start, end), vm)))
    }

    /// What replaces a match: text, a template, or a callable.
    fn replacement(&self, repl: &Object, vm: &Vm) -> PyResult<ObjRef> {
        if repl.is_callable() {
            return Ok(repl.to_ref());
        }
        let plain = match repl.downcast_ref::<Str>() {
            Some(text) => !text.to_string_lossy().contains('\\'),
            None => repl.downcast_ref::<Bytes>().is_some_and(|bytes| !bytes.as_bytes().contains(&b'\\')),
        };
        if plain {
            return Ok(repl.to_ref());
        }
        let re = taipan_vm::import::import_module("re", vm)?;
        re.call_method(&vm.intern("_compile_template"), &[self.as_object(), repl], vm)
    }

    fn substitute(&self, repl: &Object, string: &Object, count: isize, vm: &Vm) -> PyResult<(ObjRef, usize)> {
        let filter = self.replacement(repl, vm)?;
        let length = subject_length(string, vm)?;
        let (mut parts, mut last, mut done) = (Vec::new(), 0, 0usize);
        find_all(
            self,
            string,
            (0, length),
            usize::try_from(count).unwrap_or(0),
            |spans| {
                let Some((from, to)) = spans.first().copied().flatten() else { return Ok(()) };
                if last < from {
                    parts.push(cut(string, last, from, vm)?);
                }
                let piece = if let Some(template) = filter.downcast_exact::<Template>() {
                    template.expand(&Match::make(self, string, spans, (0, length), vm), vm)?
                } else if filter.is_callable() {
                    let found = Match::make(self, string, spans, (0, length), vm);
                    filter.call(&[found.as_object()], vm)?
                } else {
                    filter.clone()
                };
                if !vm.is_none(&piece) {
                    parts.push(piece);
                }
                last = to;
                done += 1;
                Ok(())
            },
            vm,
        )?;
        if last < length {
            parts.push(cut(string, last, length, vm)?);
        }
        Ok((join(&parts, string, vm)?, done))
    }
}

/// Compiled regular expression object.
#[pytype(name = "re.Pattern", gc, weakrefs = weakrefs, no_new)]
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
        self.match_with(string, pos, endpos, Kind::Match, vm)
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
        self.match_with(string, pos, endpos, Kind::Full, vm)
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
        self.match_with(string, pos, endpos, Kind::Search, vm)
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
        let range = bounds(subject_length(string, vm)?, pos, endpos);
        let list = vm.new_list(Vec::new());
        let empty = cut(string, 0, 0, vm)?;
        let part = |span: Option<(usize, usize)>| match span {
            Some((from, to)) => cut(string, from, to, vm),
            None => Ok(empty.clone()),
        };
        find_all(
            self,
            string,
            range,
            0,
            |spans| {
                list.append(match spans.as_slice() {
                    [whole] => part(*whole)?,
                    [_, only] => part(*only)?,
                    [_, groups @ ..] => {
                        let groups: PyResult<Vec<ObjRef>> = groups.iter().map(|span| part(*span)).collect();
                        vm.new_tuple(groups?).into_object()
                    }
                    [] => return Ok(()),
                });
                Ok(())
            },
            vm,
        )?;
        Ok(list)
    }

    /// Return an iterator over all non-overlapping matches for the RE pattern in string.
    ///
    /// For each match, the iterator returns a match object.
    #[method("($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn finditer(&self, string: &Object, pos: Option<isize>, endpos: Option<isize>, vm: &Vm) -> PyResult {
        let range = bounds(subject_length(string, vm)?, pos, endpos);
        let mut all = Vec::new();
        find_all(
            self,
            string,
            range,
            0,
            |spans| {
                all.push(Match::make(self, string, spans, range, vm).into_object());
                Ok(())
            },
            vm,
        )?;
        vm.new_list(all).as_object().iter(vm)
    }

    /// Split string by the occurrences of pattern.
    #[method("($self, /, string, maxsplit=0)")]
    fn split(&self, string: &Object, maxsplit: Option<isize>, vm: &Vm) -> PyResult<Ref<List>> {
        let length = subject_length(string, vm)?;
        let list = vm.new_list(Vec::new());
        let mut last = 0;
        find_all(
            self,
            string,
            (0, length),
            usize::try_from(maxsplit.unwrap_or(0)).unwrap_or(0),
            |spans| {
                let Some((from, to)) = spans.first().copied().flatten() else { return Ok(()) };
                list.append(cut(string, last, from, vm)?);
                for span in spans.iter().skip(1) {
                    list.append(match span {
                        Some((from, to)) => cut(string, *from, *to, vm)?,
                        None => vm.none(),
                    });
                }
                last = to;
                Ok(())
            },
            vm,
        )?;
        list.append(cut(string, last, length, vm)?);
        Ok(list)
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

    #[method("($self, /, string, pos=0, endpos=sys.maxsize)")]
    fn scanner(
        &self,
        string: &Object,
        pos: Option<isize>,
        endpos: Option<isize>,
        vm: &Vm,
    ) -> PyResult<Ref<Scanner>> {
        let (start, end) = bounds(subject_length(string, vm)?, pos, endpos);
        Ok(vm.new_object(Scanner {
            ob: Object::new(Scanner::type_object()),
            pattern: self.into(),
            string: string.to_ref(),
            at: std::cell::Cell::new(start),
            end,
            must_advance: std::cell::Cell::new(false),
            done: std::cell::Cell::new(false),
        }))
    }

    #[method("($self, /)")]
    fn __copy__(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[method("($self, memo, /)")]
    fn __deepcopy__(&self, _memo: &Object) -> ObjRef {
        self.as_object().to_ref()
    }

    /// See PEP 585
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, item: &Object, vm: &Vm) -> ObjRef {
        taipan_vm::builtins::generic_alias::GenericAlias::new(cls.as_object(), item, vm)
    }

    /// The pattern string from which the RE object was compiled.
    #[getter]
    fn pattern(&self) -> ObjRef {
        self.pattern.clone()
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
        taipan_vm::builtins::descr::MappingProxy::new(&self.group_index, vm).into_object()
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        Ok(self.pattern.hash(vm)? ^ self.flags as isize ^ self.code.len() as isize ^ self.groups as isize)
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let (Some(other), CompareOp::Eq | CompareOp::Ne) = (other.downcast_exact::<Pattern>(), op) else {
            return Ok(vm.not_implemented());
        };
        let same =
            self.flags == other.flags && self.code == other.code && self.pattern.eq(&other.pattern, vm)?;
        Ok(vm.new_bool(same == (op == CompareOp::Eq)))
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        const NAMES: [(i32, &str); 7] = [
            (2, "re.IGNORECASE"),
            (4, "re.LOCALE"),
            (8, "re.MULTILINE"),
            (16, "re.DOTALL"),
            (64, "re.VERBOSE"),
            (128, "re.DEBUG"),
            (256, "re.ASCII"),
        ];
        let text = self.pattern.repr(vm)?;
        let shown: String = text.to_string_lossy().chars().take(200).collect();
        let mut flags = self.flags;
        // Unicode is what text patterns are without saying so.
        if self.pattern.downcast_ref::<Str>().is_some() && flags & (4 | 32 | 256) == 32 {
            flags &= !32;
        }
        let mut names: Vec<String> = Vec::new();
        for (bit, name) in NAMES {
            if flags & bit != 0 {
                names.push(name.to_owned());
                flags &= !bit;
            }
        }
        if flags & 32 != 0 {
            names.push("re.UNICODE".to_owned());
            flags &= !32;
        }
        if flags != 0 {
            names.push(format!("{flags:#x}"));
        }
        Ok(if names.is_empty() {
            format!("re.compile({shown})")
        } else {
            format!("re.compile({shown}, {})", names.join("|"))
        })
    }
}

/// The result of a match.
#[repr(C)]
#[derive(Traverse)]
pub struct Match {
    #[traverse(skip)]
    ob: Object,
    pattern: Ref<Pattern>,
    string: ObjRef,
    #[traverse(skip)]
    spans: Spans,
    #[traverse(skip)]
    range: (usize, usize),
}

impl Match {
    fn make(pattern: &Pattern, string: &Object, spans: Spans, range: (usize, usize), vm: &Vm) -> Ref<Match> {
        vm.new_object(Match {
            ob: Object::new(Match::type_object()),
            pattern: pattern.into(),
            string: string.to_ref(),
            spans,
            range,
        })
    }

    /// The number of a group given by number or name.
    fn number(&self, group: &Object, vm: &Vm) -> PyResult<usize> {
        let index = if group.has_index() {
            group.as_isize(vm).ok()
        } else {
            let found = match self.pattern.group_index.downcast_ref::<Dict>() {
                Some(names) => names.get_item(group, vm)?,
                None => None,
            };
            found.and_then(|n| n.as_isize(vm).ok())
        };
        vm.clear_exception();
        match index.and_then(|n| usize::try_from(n).ok()).filter(|n| *n < self.spans.len()) {
            Some(index) => Ok(index),
            None => Err(vm.index_error("no such group")),
        }
    }

    fn span_at(&self, group: Option<&Object>, vm: &Vm) -> PyResult<Option<(usize, usize)>> {
        let at = group.map_or(Ok(0), |g| self.number(g, vm))?;
        Ok(self.spans.get(at).copied().flatten())
    }

    fn part(&self, at: usize, default: &Object, vm: &Vm) -> PyResult {
        match self.spans.get(at).copied().flatten() {
            Some((from, to)) => cut(&self.string, from, to, vm),
            None => Ok(default.to_ref()),
        }
    }
}

/// The result of re.match() and re.search().
/// Match objects always have a boolean value of True.
#[pytype(name = "re.Match", gc, no_new)]
impl Match {
    /// group([group1, ...]) -> str or tuple.
    /// Return subgroup(s) of the match by indices or names.
    /// For 0 returns the entire match.
    #[method("($self, /, *args)")]
    fn group(&self, args: &[&Object], vm: &Vm) -> PyResult {
        let one = |group: &Object| self.part(self.number(group, vm)?, vm.none_ref(), vm);
        match args {
            [] => self.part(0, vm.none_ref(), vm),
            [only] => one(only),
            several => {
                let parts: PyResult<Vec<ObjRef>> = several.iter().map(|group| one(group)).collect();
                Ok(vm.new_tuple(parts?).into_object())
            }
        }
    }

    /// Return index of the start of the substring matched by group.
    #[method("($self, group=0, /)")]
    fn start(&self, group: Option<&Object>, vm: &Vm) -> PyResult<isize> {
        Ok(self.span_at(group, vm)?.map_or(-1, |(from, _)| from as isize))
    }

    /// Return index of the end of the substring matched by group.
    #[method("($self, group=0, /)")]
    fn end(&self, group: Option<&Object>, vm: &Vm) -> PyResult<isize> {
        Ok(self.span_at(group, vm)?.map_or(-1, |(_, to)| to as isize))
    }

    /// For match object m, return the 2-tuple (m.start(group), m.end(group)).
    #[method("($self, group=0, /)")]
    fn span(&self, group: Option<&Object>, vm: &Vm) -> PyResult<(isize, isize)> {
        Ok(self.span_at(group, vm)?.map_or((-1, -1), |(from, to)| (from as isize, to as isize)))
    }

    /// Return a tuple containing all the subgroups of the match, from 1.
    #[method("($self, /, default=None)")]
    fn groups(&self, default: Option<&Object>, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let default = default.unwrap_or(vm.none_ref());
        let parts: PyResult<Vec<ObjRef>> =
            (1..self.spans.len()).map(|at| self.part(at, default, vm)).collect();
        Ok(vm.new_tuple(parts?))
    }

    /// Return a dictionary containing all the named subgroups of the match, keyed by the subgroup name.
    #[method("($self, /, default=None)")]
    fn groupdict(&self, default: Option<&Object>, vm: &Vm) -> PyResult<Ref<Dict>> {
        let result = vm.new_dict();
        if let Some(names) = self.pattern.group_index.downcast_ref::<Dict>() {
            for (name, index) in names.items_vec() {
                let at = usize::try_from(index.as_isize(vm)?).unwrap_or(0);
                result.set_item(&name, &*self.part(at, default.unwrap_or(vm.none_ref()), vm)?, vm)?;
            }
        }
        Ok(result)
    }

    /// Return the string obtained by doing backslash substitution on the string template, as done by the sub() method.
    #[method("($self, /, template)")]
    fn expand(&self, template: &Object, vm: &Vm) -> PyResult {
        let filter = self.pattern.replacement(template, vm)?;
        match filter.downcast_exact::<Template>() {
            Some(template) => template.expand(self, vm),
            None => Ok(filter),
        }
    }

    #[method("($self, /)")]
    fn __copy__(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[method("($self, memo, /)")]
    fn __deepcopy__(&self, _memo: &Object) -> ObjRef {
        self.as_object().to_ref()
    }

    /// See PEP 585
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, item: &Object, vm: &Vm) -> ObjRef {
        taipan_vm::builtins::generic_alias::GenericAlias::new(cls.as_object(), item, vm)
    }

    /// The string passed to match() or search().
    #[getter]
    fn string(&self) -> ObjRef {
        self.string.clone()
    }

    /// The regular expression object.
    #[getter]
    fn re(&self) -> Ref<Pattern> {
        self.pattern.clone()
    }

    /// The index into the string at which the RE engine started looking for a match.
    #[getter]
    fn pos(&self) -> usize {
        self.range.0
    }

    /// The index into the string beyond which the RE engine will not go.
    #[getter]
    fn endpos(&self) -> usize {
        self.range.1
    }

    /// The integer index of the last matched capturing group.
    #[getter]
    fn lastindex(&self, vm: &Vm) -> ObjRef {
        // The group that closed last: of those that end at the same place, the outermost.
        let mut last: Option<(usize, (usize, usize))> = None;
        for (at, span) in self.spans.iter().enumerate().skip(1) {
            if let Some((from, to)) = *span {
                if last.is_none_or(|(_, (_, end))| to > end) {
                    last = Some((at, (from, to)));
                }
            }
        }
        last.map_or_else(|| vm.none(), |(at, _)| vm.new_int(at))
    }

    /// The name of the last matched capturing group.
    #[getter]
    fn lastgroup(&self, vm: &Vm) -> ObjRef {
        let index = self.lastindex(vm);
        let at = index.downcast_ref::<Int>().and_then(Int::to_i64).and_then(|n| usize::try_from(n).ok());
        at.and_then(|at| self.pattern.index_group.as_slice().get(at).cloned()).unwrap_or_else(|| vm.none())
    }

    #[getter]
    fn regs(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let pairs: PyResult<Vec<ObjRef>> = self
            .spans
            .iter()
            .map(|span| span.map_or((-1, -1), |(from, to)| (from as isize, to as isize)).into_py(vm))
            .collect();
        Ok(vm.new_tuple(pairs?))
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        self.part(self.number(key, vm)?, vm.none_ref(), vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let (from, to) = self.spans.first().copied().flatten().unwrap_or((0, 0));
        let text = self.part(0, vm.none_ref(), vm)?.repr(vm)?;
        Ok(format!("<re.Match object; span=({from}, {to}), match={}>", text.to_string_lossy()))
    }
}

/// What `Pattern.scanner` gives.
#[repr(C)]
#[derive(Traverse)]
pub struct Scanner {
    #[traverse(skip)]
    ob: Object,
    pattern: Ref<Pattern>,
    string: ObjRef,
    #[traverse(skip)]
    at: std::cell::Cell<usize>,
    #[traverse(skip)]
    end: usize,
    #[traverse(skip)]
    must_advance: std::cell::Cell<bool>,
    #[traverse(skip)]
    done: std::cell::Cell<bool>,
}

impl Scanner {
    fn step(&self, kind: Kind, vm: &Vm) -> PyResult<Option<Ref<Match>>> {
        if self.done.get() {
            return Ok(None);
        }
        let subject = self.pattern.subject(&self.string, vm)?;
        let how = How { kind, must_advance: self.must_advance.get() };
        let Some(spans) = self.pattern.run(&subject, self.at.get(), self.end, how) else {
            self.done.set(true);
            return Ok(None);
        };
        let (from, to) = spans.first().copied().flatten().unwrap_or((self.end, self.end));
        self.must_advance.set(from == to);
        let start = self.at.replace(to);
        Ok(Some(Match::make(&self.pattern, &self.string, spans, (start, self.end), vm)))
    }
}

#[pytype(name = "_sre.SRE_Scanner", gc, no_new, doc = "")]
impl Scanner {
    #[method("($self, /)", name = "match")]
    fn match_(&self, vm: &Vm) -> PyResult<Option<Ref<Match>>> {
        self.step(Kind::Match, vm)
    }

    #[method("($self, /)")]
    fn search(&self, vm: &Vm) -> PyResult<Option<Ref<Match>>> {
        self.step(Kind::Search, vm)
    }

    #[getter]
    fn pattern(&self) -> Ref<Pattern> {
        self.pattern.clone()
    }
}

/// A replacement with group references: literals and group numbers in turn.
#[repr(C)]
#[derive(Traverse)]
pub struct Template {
    #[traverse(skip)]
    ob: Object,
    parts: Vec<ObjRef>,
}

impl Template {
    fn expand(&self, found: &Match, vm: &Vm) -> PyResult {
        let mut parts = Vec::with_capacity(self.parts.len());
        let empty = cut(&found.string, 0, 0, vm)?;
        for part in &self.parts {
            match part.downcast_ref::<Int>().and_then(Int::to_i64) {
                Some(group) => parts.push(found.part(usize::try_from(group).unwrap_or(0), &empty, vm)?),
                None => parts.push(part.clone()),
            }
        }
        join(&parts, &found.string, vm)
    }
}

#[pytype(name = "_sre.SRE_Template", gc, no_new, doc = "")]
impl Template {}

fn is_cased(code: u32) -> bool {
    taipan_unicode::simple_lower(code) != code || taipan_unicode::simple_upper(code) != code
}

/// The regular expression engine's module.
#[pymodule(name = "_sre")]
impl Sre {
    #[function("($module, /, pattern, flags, code, groups, groupindex, indexgroup)")]
    fn compile(
        pattern: &Object,
        flags: i32,
        code: &List,
        groups: usize,
        groupindex: &Object,
        indexgroup: &Tuple,
        vm: &Vm,
    ) -> PyResult<Ref<Pattern>> {
        let mut words = Vec::with_capacity(code.len());
        for word in code.to_vec() {
            let word = word.as_index(vm)?.to_u64().and_then(|word| u32::try_from(word).ok());
            words.push(word.ok_or_else(|| vm.overflow_error("regular expression code size limit exceeded"))?);
        }
        Ok(vm.new_object(Pattern {
            ob: Object::new(Pattern::type_object()),
            pattern: pattern.to_ref(),
            flags,
            code: words,
            groups,
            group_index: groupindex.to_ref(),
            index_group: indexgroup.into(),
            weakrefs: WeakList::new(),
        }))
    }

    /// Make a template of the list [literal, group, literal, ..., literal].
    #[function("($module, pattern, template, /)")]
    fn template(_pattern: &Object, template: &List, vm: &Vm) -> Ref<Template> {
        vm.new_object(Template { ob: Object::new(Template::type_object()), parts: template.to_vec() })
    }

    #[function("($module, /)")]
    fn getcodesize() -> usize {
        4
    }

    #[function("($module, character, /)")]
    fn ascii_iscased(character: u32) -> bool {
        character < 128 && (character as u8).is_ascii_alphabetic()
    }

    #[function("($module, character, /)")]
    fn unicode_iscased(character: u32) -> bool {
        is_cased(character)
    }

    #[function("($module, character, /)")]
    fn ascii_tolower(character: u32) -> u32 {
        u8::try_from(character).map_or(character, |byte| u32::from(byte.to_ascii_lowercase()))
    }

    #[function("($module, character, /)")]
    fn unicode_tolower(character: u32) -> u32 {
        taipan_unicode::simple_lower(character)
    }

    #[constant("MAGIC")]
    fn magic() -> usize {
        SRE_MAGIC
    }

    #[constant("CODESIZE")]
    fn code_size() -> usize {
        4
    }

    #[constant("MAXREPEAT")]
    fn max_repeat() -> usize {
        MAXREPEAT
    }

    #[constant("MAXGROUPS")]
    fn max_groups() -> usize {
        MAXGROUPS
    }
}
