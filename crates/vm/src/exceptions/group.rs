//! `BaseExceptionGroup`, and what `except*` needs (PEP 654).

use std::mem::size_of;

use crate::builtins::str::StrBuilder;
use crate::exceptions::base::{given_exception_matches, is_exception_class, refuse_keywords};
use crate::prelude::*;

/// `PyBaseExceptionGroupObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct BaseExceptionGroup {
    /// The common part.
    pub base: BaseException,
    /// `message`.
    pub msg: Slot<Object>,
    /// `exceptions`.
    pub excs: Slot<Tuple>,
    /// The repr of the sequence given, when it was neither a list nor a tuple: the sequence may change later.
    pub excs_str: Slot<Object>,
}

const _: () = assert!(size_of::<BaseExceptionGroup>() == 96);

impl BaseExceptionGroup {
    /// The nested exceptions.
    pub fn exceptions(&self) -> Vec<ObjRef> {
        self.excs.get().map(|excs| excs.as_slice().to_vec()).unwrap_or_default()
    }
}

/// `BaseExceptionGroup(message, exceptions)`, which makes an `ExceptionGroup` where it can.
pub fn new_group(message: &str, exceptions: Vec<ObjRef>, vm: &Vm) -> PyResult<ObjRef> {
    let message = vm.new_str(message);
    let exceptions = vm.new_list(exceptions);
    types::base_exception_group().as_object().call(&[message.as_object(), exceptions.as_object()], vm)
}

fn is_sequence(object: &Object) -> bool {
    !object.ob_type().has_flag(TypeFlags::DICT_SUBCLASS)
        && object.ob_type().as_sequence().is_some_and(|s| s.sq_item.get().is_some())
}

/// A combination of multiple unrelated exceptions.
#[pytype(
    name = "BaseExceptionGroup",
    symbol = "_PyExc_BaseExceptionGroup",
    base = BaseException,
    flags(BASETYPE),
    gc,
    members(message: OBJECT = msg readonly "exception message", exceptions: OBJECT = excs readonly "nested exceptions")
)]
impl BaseExceptionGroup {
    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult<ObjRef> {
        let [message, given] = args.as_slice() else {
            return Err(vm.type_error(format!(
                "BaseExceptionGroup.__new__() takes exactly 2 arguments ({} given)",
                args.len()
            )));
        };
        if message.downcast_ref::<Str>().is_none() {
            let shown = if vm.is_none(message) { "None" } else { message.ob_type().tp_name_str() };
            return Err(
                vm.type_error(format!("BaseExceptionGroup.__new__() argument 1 must be str, not {shown}"))
            );
        }
        if !is_sequence(given) {
            return Err(vm.type_error("second argument (exceptions) must be a sequence"));
        }
        let excs_str =
            if given.downcast_exact::<List>().is_some() || given.downcast_exact::<Tuple>().is_some() {
                None
            } else {
                Some(given.repr(vm)?.into_object())
            };
        let excs = match given.downcast_exact::<Tuple>() {
            Some(tuple) => Ref::new_ref(tuple),
            None => vm.new_tuple(given.collect_iterable(vm)?),
        };
        if excs.len() == 0 {
            return Err(vm.value_error("second argument (exceptions) must be a non-empty sequence"));
        }
        let mut has_base_exceptions = false;
        for (index, exc) in excs.as_slice().iter().enumerate() {
            if exc.downcast_ref::<BaseException>().is_none() {
                return Err(vm.value_error(format!(
                    "Item {index} of second argument (exceptions) is not an exception"
                )));
            }
            has_base_exceptions |= !exc.ob_type().is_subtype_of(types::exception());
        }
        let exception_group = types::exception_group(vm)?;
        let mut cls = cls;
        if std::ptr::eq(cls, types::base_exception_group()) {
            if !has_base_exceptions {
                cls = exception_group;
            }
        } else if has_base_exceptions {
            if std::ptr::eq(cls, exception_group) {
                return Err(vm.type_error("Cannot nest BaseExceptions in an ExceptionGroup"));
            }
            if cls.is_subtype_of(types::exception()) {
                return Err(vm.type_error(format!("Cannot nest BaseExceptions in '{}'", cls.tp_name_str())));
            }
        }
        vm.new_instance(
            cls,
            BaseExceptionGroup {
                base: BaseException {
                    ob: Object::new(Self::type_object()),
                    ..BaseException::with_args(Some(Ref::new_ref(args)))
                },
                msg: Slot::of(message.clone()),
                excs: Slot::of(excs),
                excs_str: Slot::new(excs_str),
            },
        )
    }

    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        refuse_keywords(self.as_object().ob_type().tp_name_str(), kwargs, vm)?;
        self.base.init_args(args, None, vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
        let shown = match self.excs_str.get() {
            Some(shown) => shown.str(vm)?,
            None => {
                let excs = self.excs.get().unwrap_or_else(|| Tuple::empty(vm));
                let given_as_list = matches!(self.base.args(vm).as_slice(),
                    [_, given] if given.downcast_ref::<List>().is_some());
                if given_as_list {
                    vm.new_list(excs.as_slice().to_vec()).as_object().repr(vm)?
                } else {
                    excs.as_object().repr(vm)?
                }
            }
        };
        let msg = self.msg.get().unwrap_or_else(|| vm.none()).repr(vm)?;
        let mut text = StrBuilder::new();
        text.push_str(self.as_object().ob_type().name());
        text.push_str("(");
        text.push(&msg);
        text.push_str(", ");
        text.push(&shown);
        text.push_str(")");
        Ok(text.finish(vm).into_object())
    }

    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult<ObjRef> {
        let msg = self.msg.get().unwrap_or_else(|| vm.none()).str(vm)?;
        let count = self.excs.get().map_or(0, |excs| excs.len());
        let mut text = StrBuilder::new();
        text.push(&msg);
        text.push_str(&format!(" ({count} sub-exception{})", if count == 1 { "" } else { "s" }));
        Ok(text.finish(vm).into_object())
    }

    /// Exception groups are generic over the type of their contained exceptions
    #[classmethod("($type, object, /)")]
    fn __class_getitem__(cls: &Type, object: &Object, vm: &Vm) -> PyResult<ObjRef> {
        Ok(crate::builtins::generic_alias::GenericAlias::new(cls.as_object(), object, vm))
    }

    #[method("($self, excs, /)")]
    fn derive(&self, excs: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let msg = self.msg.get().unwrap_or_else(|| vm.none());
        types::base_exception_group().as_object().call(&[&msg, excs], vm)
    }

    #[method("($self, matcher_value, /)")]
    fn split(&self, matcher_value: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let matcher = Matcher::from_value(matcher_value, vm)?;
        let parts = split(self.as_object(), &matcher, true, vm)?;
        let or_none = |part: Option<ObjRef>| part.unwrap_or_else(|| vm.none());
        Ok(vm.new_tuple([or_none(parts.matched), or_none(parts.rest)]).into_object())
    }

    #[method("($self, matcher_value, /)")]
    fn subgroup(&self, matcher_value: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let matcher = Matcher::from_value(matcher_value, vm)?;
        let parts = split(self.as_object(), &matcher, false, vm)?;
        Ok(parts.matched.unwrap_or_else(|| vm.none()))
    }
}

/// What `split` asks of each exception.
enum Matcher {
    /// An instance of this class or of one of this tuple.
    Types(ObjRef),
    /// This callable says yes.
    Predicate(ObjRef),
    /// One of these objects.
    Leaves(Vec<*mut Object>),
}

impl Matcher {
    fn from_value(value: &Object, vm: &Vm) -> PyResult<Matcher> {
        if value.is_callable() && value.downcast_ref::<Type>().is_none() {
            return Ok(Matcher::Predicate(value.to_ref()));
        }
        let is_types = is_exception_class(value)
            || value
                .downcast_ref::<Tuple>()
                .is_some_and(|tuple| tuple.as_slice().iter().all(|item| is_exception_class(item)));
        if is_types {
            return Ok(Matcher::Types(value.to_ref()));
        }
        Err(vm.type_error(
            "expected an exception type, a tuple of exception types, or a callable (other than a class)",
        ))
    }

    fn matches(&self, exc: &Object, vm: &Vm) -> PyResult<bool> {
        match self {
            Matcher::Types(types) => Ok(given_exception_matches(exc, types)),
            Matcher::Predicate(predicate) => predicate.call(&[exc], vm)?.is_true(vm),
            Matcher::Leaves(leaves) => {
                Ok(exc.downcast_ref::<BaseExceptionGroup>().is_none() && leaves.contains(&exc.as_ptr()))
            }
        }
    }
}

#[derive(Default)]
struct Parts {
    matched: Option<ObjRef>,
    rest: Option<ObjRef>,
}

/// Splits a group, nested groups included, into what matches and the rest; empty parts are none.
fn split(exc: &Object, matcher: &Matcher, want_rest: bool, vm: &Vm) -> PyResult<Parts> {
    if matcher.matches(exc, vm)? {
        return Ok(Parts { matched: Some(exc.to_ref()), rest: None });
    }
    let Some(group) = exc.downcast_ref::<BaseExceptionGroup>() else {
        return Ok(Parts { matched: None, rest: want_rest.then(|| exc.to_ref()) });
    };
    let mut matched = Vec::new();
    let mut rest = Vec::new();
    for nested in group.exceptions() {
        vm.check_recursion(" in exceptiongroup_split_recursive")?;
        let parts = split(&nested, matcher, want_rest, vm)?;
        matched.extend(parts.matched);
        rest.extend(parts.rest);
    }
    Ok(Parts {
        matched: subset(group, matched, vm)?,
        rest: if want_rest { subset(group, rest, vm)? } else { None },
    })
}

/// A group like `orig` that holds only `excs`: made by `orig.derive`, with the original's traceback, context, cause and notes.
fn subset(orig: &BaseExceptionGroup, excs: Vec<ObjRef>, vm: &Vm) -> PyResult<Option<ObjRef>> {
    if excs.is_empty() {
        return Ok(None);
    }
    let excs = vm.new_list(excs);
    let made = orig.as_object().call_method(&vm.intern("derive"), &[excs.as_object()], vm)?;
    let Some(group) = made.downcast_ref::<BaseExceptionGroup>() else {
        return Err(vm.type_error("derive must return an instance of BaseExceptionGroup"));
    };
    group.base.traceback.set(orig.base.traceback.get());
    group.base.context.set(orig.base.context.get());
    group.base.set_cause(orig.base.cause.get());
    if let Some(notes) = orig.as_object().lookup_attr(vm.ids().__notes__, vm)? {
        if is_sequence(&notes) {
            let copy = vm.new_list(notes.collect_iterable(vm)?);
            group.as_object().set_attr(vm.ids().__notes__, copy.as_object(), vm)?;
        }
    }
    Ok(Some(made))
}

/// The leaves of an exception: itself, or those of its nested exceptions.
fn collect_leaves(exc: &Object, leaves: &mut Vec<*mut Object>, vm: &Vm) -> PyResult<()> {
    match exc.downcast_ref::<BaseExceptionGroup>() {
        None => leaves.push(exc.as_ptr()),
        Some(group) => {
            vm.check_recursion(" in collect_exception_group_leaf_ids")?;
            for nested in group.exceptions() {
                collect_leaves(&nested, leaves, vm)?;
            }
        }
    }
    Ok(())
}

/// The part of `orig` whose leaves are in any of `kept`, with `orig`'s structure.
fn projection(orig: &Object, kept: &[ObjRef], vm: &Vm) -> PyResult<Option<ObjRef>> {
    let mut leaves = Vec::new();
    for exc in kept {
        collect_leaves(exc, &mut leaves, vm)?;
    }
    Ok(split(orig, &Matcher::Leaves(leaves), false, vm)?.matched)
}

/// Whether the two are parts of one raised group: they share notes, traceback, cause and context.
fn same_metadata(a: &Object, b: &Object, vm: &Vm) -> PyResult<bool> {
    let (Some(x), Some(y)) = (a.downcast_ref::<BaseException>(), b.downcast_ref::<BaseException>()) else {
        return Ok(false);
    };
    let same = x.traceback.as_raw() == y.traceback.as_raw()
        && x.cause.as_raw() == y.cause.as_raw()
        && x.context.as_raw() == y.context.as_raw();
    if !same {
        return Ok(false);
    }
    let notes = |exc: &Object| exc.lookup_attr(vm.ids().__notes__, vm);
    match (notes(a)?, notes(b)?) {
        (None, None) => Ok(true),
        // A part made by `split` has a copy of the list.
        (Some(p), Some(q)) => match (p.downcast_ref::<List>(), q.downcast_ref::<List>()) {
            (Some(p), Some(q)) => {
                let (p, q) = (p.to_vec(), q.to_vec());
                Ok(p.len() == q.len() && p.iter().zip(&q).all(|(p, q)| p.is(q)))
            }
            _ => Ok(p.is(&q)),
        },
        _ => Ok(false),
    }
}

/// `CHECK_EG_MATCH`: what `except* matcher` takes of `exc`, and what is left of it. A naked exception is wrapped. None stands
/// for nothing.
pub fn check_match(exc: &Object, matcher: &Object, vm: &Vm) -> PyResult<(Option<ObjRef>, Option<ObjRef>)> {
    if vm.is_none(exc) {
        return Ok((None, None));
    }
    if given_exception_matches(exc, matcher) {
        if exc.downcast_ref::<BaseExceptionGroup>().is_some() {
            return Ok((Some(exc.to_ref()), None));
        }
        let lone = vm.new_tuple([exc.to_ref()]);
        let wrapped = types::base_exception_group()
            .as_object()
            .call(&[vm.ids().empty.as_object(), lone.as_object()], vm)?;
        if let Some(wrapped) = wrapped.downcast_ref::<BaseException>() {
            crate::builtins::traceback::add_current_frame(wrapped, vm)?;
        }
        return Ok((Some(wrapped), None));
    }
    if exc.downcast_ref::<BaseExceptionGroup>().is_none() {
        return Ok((None, Some(exc.to_ref())));
    }
    let pair = exc.call_method(&vm.intern("split"), &[matcher], vm)?;
    let name = exc.ob_type().tp_name_str();
    let Some(pair) = pair.downcast_ref::<Tuple>() else {
        return Err(
            vm.type_error(format!("{name}.split must return a tuple, not {}", pair.ob_type().tp_name_str()))
        );
    };
    let [matched, rest, ..] = pair.as_slice() else {
        return Err(
            vm.type_error(format!("{name}.split must return a 2-tuple, got tuple of size {}", pair.len()))
        );
    };
    let some = |part: &ObjRef| if vm.is_none(part) { None } else { Some(part.clone()) };
    Ok((some(matched), some(rest)))
}

/// Refuses what can't stand behind `except*`.
pub fn check_except_star_type(matcher: &Object, vm: &Vm) -> PyResult<()> {
    super::base::check_except_type(matcher, vm)?;
    let is_group = |item: &Object| {
        item.downcast_ref::<Type>().is_some_and(|tp| tp.is_subtype_of(types::base_exception_group()))
    };
    let any_group = match matcher.downcast_ref::<Tuple>() {
        Some(tuple) => tuple.as_slice().iter().any(|item| is_group(item)),
        None => is_group(matcher),
    };
    if any_group {
        return Err(vm.type_error("catching ExceptionGroup with except* is not allowed. Use except instead."));
    }
    Ok(())
}

/// `INTRINSIC_PREP_RERAISE_STAR`: the exception to raise at the end of a `try`-`except*`, or `None`. `excs` holds what the
/// clauses raised and what none of them handled.
pub fn prep_reraise_star(orig: &Object, excs: &[ObjRef], vm: &Vm) -> PyResult<ObjRef> {
    let Some(first) = excs.first() else { return Ok(vm.none()) };
    if orig.downcast_ref::<BaseExceptionGroup>().is_none() {
        // A naked exception was wrapped: only one clause can have run.
        return Ok(first.clone());
    }
    let mut raised = Vec::new();
    let mut reraised = Vec::new();
    for exc in excs {
        if vm.is_none(exc) {
            continue;
        }
        if same_metadata(exc, orig, vm)? { reraised.push(exc.clone()) } else { raised.push(exc.clone()) }
    }
    let reraised = if reraised.is_empty() { None } else { projection(orig, &reraised, vm)? };
    if raised.is_empty() {
        return Ok(reraised.unwrap_or_else(|| vm.none()));
    }
    raised.extend(reraised);
    match raised.as_slice() {
        [only] => Ok(only.clone()),
        _ => new_group("", raised, vm),
    }
}
