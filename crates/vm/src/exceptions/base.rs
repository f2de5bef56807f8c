//! `BaseException`: the object every exception is (library reference, "Built-in Exceptions").

use std::cell::Cell;
use std::mem::size_of;

use crate::builtins::dict::managed;
use crate::builtins::str::StrBuilder;
use crate::builtins::traceback::Traceback;
use crate::prelude::*;

/// `PyBaseExceptionObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct BaseException {
    /// The header.
    pub ob: Object,
    /// The instance dictionary, made on demand.
    pub dict: Slot<Object>,
    /// `args`; empty only while an instance is under construction in C.
    pub args: Slot<Tuple>,
    /// Kept for the layout; notes live in `__notes__`.
    pub notes: Slot<Object>,
    /// `__traceback__`.
    pub traceback: Slot<Object>,
    /// `__context__`.
    pub context: Slot<Object>,
    /// `__cause__`.
    pub cause: Slot<Object>,
    /// `__suppress_context__`.
    pub suppress_context: Cell<bool>,
}

const _: () = assert!(size_of::<BaseException>() == 72);

impl BaseException {
    /// The common part of a new exception of any type.
    pub fn with_args(args: Option<Ref<Tuple>>) -> BaseException {
        BaseException {
            ob: Object::new(Self::type_object()),
            dict: Slot::empty(),
            args: Slot::new(args),
            notes: Slot::empty(),
            traceback: Slot::empty(),
            context: Slot::empty(),
            cause: Slot::empty(),
            suppress_context: Cell::new(false),
        }
    }

    /// `args`.
    pub fn args(&self, vm: &Vm) -> Ref<Tuple> {
        self.args.get().unwrap_or_else(|| Tuple::empty(vm))
    }

    /// Sets `__cause__`, which also hides the context (PEP 415).
    pub fn set_cause(&self, cause: Option<ObjRef>) {
        self.suppress_context.set(true);
        self.cause.set(cause);
    }

    /// `__traceback__` as a traceback.
    pub fn traceback(&self) -> Option<Ref<Traceback>> {
        self.traceback.get()?.downcast::<Traceback>().ok()
    }

    /// `__context__` as an exception.
    pub fn context(&self) -> Option<Ref<BaseException>> {
        self.context.get()?.downcast::<BaseException>().ok()
    }

    /// `__cause__` as an exception.
    pub fn cause(&self) -> Option<Ref<BaseException>> {
        self.cause.get()?.downcast::<BaseException>().ok()
    }

    /// The arguments and, when there is one, the instance dictionary: what most `__reduce__` return after the type.
    pub(crate) fn reduce_with(&self, args: ObjRef, vm: &Vm) -> PyResult {
        let tp = self.ob.ob_type().as_object().to_ref();
        Ok(match self.dict.get() {
            Some(dict) => vm.new_tuple([tp, args, dict]).into_object(),
            None => vm.new_tuple([tp, args]).into_object(),
        })
    }

    /// `str()` as `BaseException` has it.
    pub(crate) fn default_str(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        let args = self.args(vm);
        match args.as_slice() {
            [] => Ok(vm.new_str("")),
            [only] => only.clone().str(vm),
            _ => args.as_object().str(vm),
        }
    }

    /// Stores the positional arguments; keywords are refused (`BaseException.__init__`).
    pub(crate) fn init_args(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        refuse_keywords(self.ob.ob_type().tp_name_str(), kwargs, vm)?;
        self.args.put(Ref::new_ref(args));
        Ok(())
    }
}

/// Raises "NAME() takes no keyword arguments" when there are any.
pub(crate) fn refuse_keywords(name: &str, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
    match kwargs {
        Some(kwargs) if kwargs.len() > 0 => {
            Err(vm.type_error(format!("{name}() takes no keyword arguments")))
        }
        _ => Ok(()),
    }
}

fn is_exception_or_none(value: &Object, vm: &Vm) -> bool {
    vm.is_none(value) || value.downcast_ref::<BaseException>().is_some()
}

fn none_as_empty(value: &Object, vm: &Vm) -> Option<ObjRef> {
    if vm.is_none(value) { None } else { Some(value.to_ref()) }
}

/// Common base class for all exceptions
#[pytype(
    name = "BaseException",
    symbol = "_PyExc_BaseException",
    flags(BASETYPE, BASE_EXC_SUBCLASS),
    gc,
    dict = dict,
    members(__suppress_context__: BOOL = suppress_context)
)]
impl BaseException {
    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult<ObjRef> {
        vm.new_instance(cls, BaseException::with_args(Some(Ref::new_ref(args))))
    }

    #[slot]
    fn tp_vectorcall(cls: &Type, args: &[&Object], kwnames: Option<&Tuple>, vm: &Vm) -> PyResult<ObjRef> {
        if kwnames.is_some_and(|names| names.len() > 0) {
            return Err(vm.type_error(format!("{}() takes no keyword arguments", cls.tp_name_str())));
        }
        vm.new_instance(cls, BaseException::with_args(Some(Tuple::from_slice(args, vm))))
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
        let args = self.args(vm);
        let shown = match args.as_slice() {
            [only] => {
                let only = only.clone().repr(vm)?;
                let mut text = StrBuilder::new();
                text.push_str("(");
                text.push(&only);
                text.push_str(")");
                text.finish(vm)
            }
            _ => args.as_object().repr(vm)?,
        };
        let mut text = StrBuilder::new();
        text.push_str(self.ob.ob_type().name());
        text.push(&shown);
        Ok(text.finish(vm).into_object())
    }

    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult<ObjRef> {
        self.default_str(vm).map(Ref::into_object)
    }

    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        self.init_args(args, kwargs, vm)
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<ObjRef> {
        self.reduce_with(self.args(vm).into_object(), vm)
    }

    #[method("($self, state, /)")]
    fn __setstate__(&self, state: &Object, vm: &Vm) -> PyResult<()> {
        if vm.is_none(state) {
            return Ok(());
        }
        let Some(state) = state.downcast_ref::<Dict>() else {
            return Err(vm.type_error("state is not a dictionary"));
        };
        let mut pos = 0;
        while let Some((key, value)) = state.next_entry(&mut pos) {
            let Some(name) = key.downcast_ref::<Str>() else {
                let given = key.ob_type().tp_name_str();
                return Err(vm.type_error(format!("attribute name must be string, not '{given}'")));
            };
            self.as_object().set_attr(name, &value, vm)?;
        }
        Ok(())
    }

    /// Set self.__traceback__ to tb and return self.
    #[method("($self, tb, /)")]
    fn with_traceback(&self, tb: &Object, vm: &Vm) -> PyResult<ObjRef> {
        self.set_traceback(Some(tb), vm)?;
        Ok(self.as_object().to_ref())
    }

    /// Add a note to the exception
    #[method("($self, note, /)")]
    pub fn add_note(&self, note: &Str, vm: &Vm) -> PyResult<()> {
        let object = self.as_object();
        let notes = match object.lookup_attr(vm.ids().__notes__, vm)? {
            Some(notes) => notes,
            None => {
                let notes = vm.new_list([]).into_object();
                object.set_attr(vm.ids().__notes__, &notes, vm)?;
                notes
            }
        };
        let Some(list) = notes.downcast_ref::<List>() else {
            return Err(vm.type_error("Cannot add note: __notes__ is not a list"));
        };
        list.append(note.as_object().to_ref());
        Ok(())
    }

    #[getter]
    fn __dict__(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        managed::instance_dict(self.as_object(), vm)
    }

    #[setter(__dict__)]
    fn set_dict(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.type_error("cannot delete __dict__")) };
        if value.downcast_ref::<Dict>().is_none() {
            return Err(vm.type_error(format!(
                "__dict__ must be set to a dictionary, not a '{}'",
                value.ob_type().tp_name_str()
            )));
        }
        self.dict.put(value.to_ref());
        Ok(())
    }

    #[getter(args)]
    fn get_args(&self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(self.args.get().map_or_else(|| vm.none(), Ref::into_object))
    }

    #[setter(args)]
    fn set_args(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.type_error("args may not be deleted")) };
        let args = match value.downcast_exact::<Tuple>() {
            Some(tuple) => Ref::new_ref(tuple),
            None => vm.new_tuple(value.collect_iterable(vm)?),
        };
        self.args.put(args);
        Ok(())
    }

    #[getter(__traceback__)]
    fn get_traceback(&self) -> Option<ObjRef> {
        self.traceback.get()
    }

    #[setter(__traceback__)]
    fn set_traceback(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.type_error("__traceback__ may not be deleted")) };
        if !vm.is_none(value) && value.downcast_ref::<Traceback>().is_none() {
            return Err(vm.type_error("__traceback__ must be a traceback or None"));
        }
        self.traceback.set(none_as_empty(value, vm));
        Ok(())
    }

    #[getter(__context__)]
    fn get_context(&self) -> Option<ObjRef> {
        self.context.get()
    }

    #[setter(__context__)]
    fn set_context(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.type_error("__context__ may not be deleted")) };
        if !is_exception_or_none(value, vm) {
            return Err(vm.type_error("exception context must be None or derive from BaseException"));
        }
        self.context.set(none_as_empty(value, vm));
        Ok(())
    }

    #[getter(__cause__)]
    fn get_cause(&self) -> Option<ObjRef> {
        self.cause.get()
    }

    #[setter(__cause__)]
    fn set_cause_attr(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.type_error("__cause__ may not be deleted")) };
        if !is_exception_or_none(value, vm) {
            return Err(vm.type_error("exception cause must be None or derive from BaseException"));
        }
        self.set_cause(none_as_empty(value, vm));
        Ok(())
    }
}

fn same_slot<T: Copy>(a: Option<T>, b: Option<T>) -> bool {
    match (a, b) {
        // SAFETY: both are function pointers of the same type, compared as the bytes they are.
        (Some(a), Some(b)) if size_of::<T>() == size_of::<usize>() => unsafe {
            std::mem::transmute_copy::<T, usize>(&a) == std::mem::transmute_copy::<T, usize>(&b)
        },
        _ => false,
    }
}

/// `cls(*args)` for an exception class. The classes that are built like `BaseException` are built without a call.
/// Raises TypeError when the class makes something else than an exception.
pub fn new_exception(cls: &Type, args: Vec<ObjRef>, vm: &Vm) -> PyResult<Ref<BaseException>> {
    let base = types::base_exception();
    if same_slot(cls.tp_new.get(), base.tp_new.get()) && same_slot(cls.tp_init.get(), base.tp_init.get()) {
        let made = vm.new_instance(cls, BaseException::with_args(Some(vm.new_tuple(args))))?;
        // SAFETY: an exception class makes exceptions: `tp_new` is `BaseException`'s.
        return Ok(unsafe { made.cast_into() });
    }
    let args: Vec<&Object> = args.iter().map(|arg| &**arg).collect();
    let made = cls.as_object().call(&args, vm)?;
    into_exception(cls.as_object(), made, vm)
}

fn into_exception(cls: &Object, made: ObjRef, vm: &Vm) -> PyResult<Ref<BaseException>> {
    made.downcast::<BaseException>().map_err(|other| {
        let Ok(shown) = cls.repr(vm) else { return Raised };
        vm.type_error(format!(
            "calling {} should have returned an instance of BaseException, not {}",
            shown.to_string_lossy(),
            other
                .ob_type()
                .as_object()
                .repr(vm)
                .map_or_else(|_| "?".to_owned(), |r| r.to_string_lossy().into_owned())
        ))
    })
}

/// Whether the object is a class derived from `BaseException`.
pub fn is_exception_class(object: &Object) -> bool {
    object.downcast_ref::<Type>().is_some_and(|tp| tp.has_flag(TypeFlags::BASE_EXC_SUBCLASS))
}

/// What `raise value` raises: an instance as it is, a class called without arguments. Else raises TypeError.
pub fn instantiate(value: &Object, vm: &Vm) -> PyResult<Ref<BaseException>> {
    if is_exception_class(value) {
        let made = value.call_no_args(vm)?;
        return into_exception(value, made, vm);
    }
    match value.downcast_ref::<BaseException>() {
        Some(exception) => Ok(Ref::new_ref(exception)),
        None => Err(vm.type_error("exceptions must derive from BaseException")),
    }
}

/// `raise value from cause`. Returns with the exception set.
pub fn raise_from(value: &Object, cause: &Object, vm: &Vm) -> Raised {
    let exception = match instantiate(value, vm) {
        Ok(exception) => exception,
        Err(raised) => return raised,
    };
    let cause = if is_exception_class(cause) {
        match cause.call_no_args(vm) {
            Ok(made) if made.downcast_ref::<BaseException>().is_some() => Some(made),
            Ok(other) => {
                return vm.type_error(format!(
                    "calling {} should have returned an instance of BaseException, not {}",
                    cause.repr(vm).map_or_else(|_| "?".to_owned(), |r| r.to_string_lossy().into_owned()),
                    other
                        .ob_type()
                        .as_object()
                        .repr(vm)
                        .map_or_else(|_| "?".to_owned(), |r| r.to_string_lossy().into_owned())
                ));
            }
            Err(raised) => return raised,
        }
    } else if cause.downcast_ref::<BaseException>().is_some() {
        Some(cause.to_ref())
    } else if vm.is_none(cause) {
        None
    } else {
        return vm.type_error("exception causes must derive from BaseException");
    };
    exception.set_cause(cause);
    vm.raise_object(exception)
}

/// Whether `exception` (an instance or a class) is caught by `except matcher:` where `matcher` is a class or a tuple, nested
/// or not, of classes. Real subclassing: no hooks are called.
pub fn given_exception_matches(exception: &Object, matcher: &Object) -> bool {
    if let Some(tuple) = matcher.downcast_ref::<Tuple>() {
        return tuple.as_slice().iter().any(|item| given_exception_matches(exception, item));
    }
    let tp = if exception.downcast_ref::<BaseException>().is_some() {
        exception.ob_type()
    } else {
        match exception.downcast_ref::<Type>() {
            Some(tp) => tp,
            None => return exception.is(matcher),
        }
    };
    match matcher.downcast_ref::<Type>() {
        Some(matcher) if is_exception_class(tp.as_object()) && is_exception_class(matcher.as_object()) => {
            tp.is_subtype_of(matcher)
        }
        _ => tp.as_object().is(matcher),
    }
}

/// Refuses what can't stand behind `except`.
pub fn check_except_type(matcher: &Object, vm: &Vm) -> PyResult<()> {
    let ok = match matcher.downcast_ref::<Tuple>() {
        Some(tuple) => tuple.as_slice().iter().all(|item| is_exception_class(item)),
        None => is_exception_class(matcher),
    };
    if ok {
        return Ok(());
    }
    Err(vm.type_error("catching classes that do not inherit from BaseException is not allowed"))
}
