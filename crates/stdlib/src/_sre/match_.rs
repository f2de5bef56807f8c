//! `re.Match`.

use taipan_vm::builtins::str::StrBuilder;
use taipan_vm::prelude::*;

use super::pattern::Pattern;
use super::subject::{Found, Span, Subject};

/// The result of a match.
#[repr(C)]
#[derive(Traverse)]
pub struct Match {
    #[traverse(skip)]
    ob: Object,
    /// The pattern.
    pub re: Ref<Pattern>,
    string: ObjRef,
    #[traverse(skip)]
    found: Found,
    #[traverse(skip)]
    range: (usize, usize),
}

impl Match {
    /// The match that `pattern` found in `string`, searched within `range`.
    pub fn make(
        pattern: &Pattern,
        string: &Object,
        found: Found,
        range: (usize, usize),
        vm: &Vm,
    ) -> Ref<Match> {
        vm.new_object(Match {
            ob: Object::new(Match::type_object()),
            re: pattern.into(),
            string: string.to_ref(),
            found,
            range,
        })
    }

    /// The number of a group given by number or name.
    fn number(&self, group: &Object, vm: &Vm) -> PyResult<usize> {
        let number = if group.has_index() {
            group.as_index(vm)?.to_i64()
        } else {
            match self.re.group_index.get_item(group, vm) {
                Ok(found) => found.and_then(|number| number.downcast_ref::<Int>().and_then(Int::to_i64)),
                Err(_) => {
                    vm.clear_exception();
                    None
                }
            }
        };
        number
            .and_then(|number| usize::try_from(number).ok())
            .filter(|number| *number < self.found.spans.len())
            .ok_or_else(|| vm.index_error("no such group"))
    }

    fn span_of(&self, group: Option<&Object>, vm: &Vm) -> PyResult<Span> {
        let number = group.map_or(Ok(0), |group| self.number(group, vm))?;
        Ok(self.found.spans.get(number).copied().flatten())
    }

    fn part(&self, number: usize, default: &Object, vm: &Vm) -> PyResult {
        match self.found.spans.get(number).copied().flatten() {
            Some((from, to)) => match self.string.downcast_ref::<Str>() {
                Some(text) => text.slice(from, to, vm).map(Ref::into_object),
                None => {
                    let subject = Subject::new(&self.re, &self.string, vm)?;
                    // A mutable subject may have shrunk since.
                    let end = subject.len();
                    subject.cut(from.min(end), to.min(end), vm)
                }
            },
            None => Ok(default.to_ref()),
        }
    }
}

/// The result of re.match() and re.search().
/// Match objects always have a boolean value of True.
#[pytype(
    name = "re.Match",
    gc,
    no_new,
    members(
        string: OBJECT = string readonly "The string passed to match() or search().";
        re: OBJECT = re readonly "The regular expression object.";
    )
)]
impl Match {
    /// group([group1, ...]) -> str or tuple.
    ///     Return subgroup(s) of the match by indices or names.
    ///     For 0 returns the entire match.
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
        Ok(self.span_of(group, vm)?.map_or(-1, |(from, _)| from as isize))
    }

    /// Return index of the end of the substring matched by group.
    #[method("($self, group=0, /)")]
    fn end(&self, group: Option<&Object>, vm: &Vm) -> PyResult<isize> {
        Ok(self.span_of(group, vm)?.map_or(-1, |(_, to)| to as isize))
    }

    /// For match object m, return the 2-tuple (m.start(group), m.end(group)).
    #[method("($self, group=0, /)")]
    fn span(&self, group: Option<&Object>, vm: &Vm) -> PyResult<(isize, isize)> {
        Ok(self.span_of(group, vm)?.map_or((-1, -1), |(from, to)| (from as isize, to as isize)))
    }

    /// Return a tuple containing all the subgroups of the match, from 1.
    ///
    ///   default
    ///     Is used for groups that did not participate in the match.
    #[method("($self, /, default=None)")]
    fn groups(&self, default: Option<&Object>, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let default = default.unwrap_or(vm.none_ref());
        let parts: PyResult<Vec<ObjRef>> =
            (1..self.found.spans.len()).map(|number| self.part(number, default, vm)).collect();
        Ok(vm.new_tuple(parts?))
    }

    /// Return a dictionary containing all the named subgroups of the match, keyed by the subgroup name.
    ///
    ///   default
    ///     Is used for groups that did not participate in the match.
    #[method("($self, /, default=None)")]
    fn groupdict(&self, default: Option<&Object>, vm: &Vm) -> PyResult<Ref<Dict>> {
        let result = vm.new_dict();
        for (name, number) in self.re.group_index.items_vec() {
            let number = self.number(&number, vm)?;
            result.set_item(&name, &*self.part(number, default.unwrap_or(vm.none_ref()), vm)?, vm)?;
        }
        Ok(result)
    }

    /// Return the string obtained by doing backslash substitution on the string template, as done by the sub() method.
    #[method("($self, /, template)")]
    fn expand(&self, template: &Object, vm: &Vm) -> PyResult {
        let template = self.re.template(template, vm)?;
        if let Some(literal) = template.literal() {
            return Ok(literal);
        }
        let mut pieces = Vec::new();
        template.each(self.re.groups, vm, |part| {
            match part {
                Ok(literal) => pieces.push(literal.to_ref()),
                Err(group) => {
                    let piece = self.part(group, vm.none_ref(), vm)?;
                    if !vm.is_none(&piece) {
                        pieces.push(piece);
                    }
                }
            }
            Ok(())
        })?;
        let empty = match self.string.downcast_ref::<Str>() {
            Some(_) => Str::empty().into_object(),
            None => vm.new_bytes(b"").into_object(),
        };
        let list = vm.new_list(pieces);
        empty.call_method(&vm.intern("join"), &[list.as_object()], vm)
    }

    #[method("($self, /)")]
    fn __copy__(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[method("($self, memo, /)")]
    fn __deepcopy__(&self, _memo: &Object) -> ObjRef {
        self.as_object().to_ref()
    }

    /// Matches are generic over the type of string which was matched (str or bytes)
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> ObjRef {
        taipan_vm::builtins::generic_alias::GenericAlias::new(cls.as_object(), object, vm)
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
    fn lastindex(&self) -> Option<usize> {
        Some(self.found.last_group).filter(|group| *group > 0)
    }

    /// The name of the last matched capturing group.
    #[getter]
    fn lastgroup(&self) -> Option<ObjRef> {
        self.lastindex().and_then(|group| self.re.index_group.as_slice().get(group).cloned())
    }

    #[getter]
    fn regs(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let pair = |span: &Span| span.map_or((-1, -1), |(from, to)| (from as isize, to as isize)).into_py(vm);
        let pairs: PyResult<Vec<ObjRef>> = self.found.spans.iter().map(pair).collect();
        Ok(vm.new_tuple(pairs?))
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        self.part(self.number(key, vm)?, vm.none_ref(), vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        let (from, to) = self.found.whole();
        let text = self.part(0, vm.none_ref(), vm)?.repr(vm)?;
        let mut shown = StrBuilder::new();
        shown.push_str(&format!(
            "<{} object; span=({from}, {to}), match=",
            self.as_object().ob_type().tp_name_str()
        ));
        shown.push_data(text.data().slice(0, text.len().min(50)));
        shown.push_str(">");
        Ok(shown.finish(vm))
    }
}
