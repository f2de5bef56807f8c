//! How Python arguments become Rust values and Rust results become Python objects.

use crate::prelude::*;
use taipan_object::Object as Obj;

/// Where an argument stands, for error texts only.
pub struct ArgName {
    /// The function's name.
    pub func: &'static str,
    /// Position from 1; 0 when the argument is told by its name; `SOLE` when it needs neither.
    pub pos: usize,
    /// The parameter's name.
    pub name: &'static str,
}

impl ArgName {
    /// The position of the one argument of a function that takes exactly one.
    pub const SOLE: usize = 1 << 40;
    /// Set in a position: None is fine, too.
    const OR_NONE: usize = 1 << 41;

    /// "argument", "argument 2" or "argument 'name'".
    pub fn shown(&self) -> String {
        match self.pos & !Self::OR_NONE {
            Self::SOLE => "argument".to_owned(),
            0 => format!("argument '{}'", self.name),
            pos => format!("argument {pos}"),
        }
    }

    /// Raises "f() argument 1 must be WHAT, not T".
    #[cold]
    pub fn wrong_type(&self, what: &str, object: &Object, vm: &Vm) -> Raised {
        let given = if object.is(vm.none_ref()) { "None" } else { object.ob_type().tp_name_str() };
        let what = if self.pos & Self::OR_NONE != 0 { format!("{what} or None") } else { what.to_owned() };
        if self.func.is_empty() {
            return vm.type_error(format!("expected {what}, got {given}"));
        }
        vm.type_error(format!("{}() {} must be {what}, not {given}", self.func, self.shown()))
    }
}

/// A Rust type that a Python argument can be converted to.
pub trait FromArg<'a>: Sized {
    /// Converts, or raises what CPython's Argument Clinic would.
    fn from_arg(object: &'a Object, what: &ArgName, vm: &Vm) -> PyResult<Self>;
}

/// A Rust value that can be handed to Python.
pub trait IntoPy {
    /// Makes the object.
    fn into_py(self, vm: &Vm) -> PyResult<ObjRef>;
}

impl<'a, T: PyLayout> FromArg<'a> for &'a T {
    #[inline]
    fn from_arg(object: &'a Object, what: &ArgName, vm: &Vm) -> PyResult<Self> {
        match object.downcast_ref::<T>() {
            Some(value) => Ok(value),
            None => {
                // SAFETY: every layout but `Object`, which never fails, has a static type.
                let name = unsafe { T::static_type().as_ref() }.map_or("object", Type::name);
                Err(what.wrong_type(name, object, vm))
            }
        }
    }
}

impl<'a, T: PyLayout> FromArg<'a> for Ref<T> {
    #[inline]
    fn from_arg(object: &'a Object, what: &ArgName, vm: &Vm) -> PyResult<Self> {
        <&T>::from_arg(object, what, vm).map(Ref::new_ref)
    }
}

impl<'a, T: FromArg<'a>> FromArg<'a> for Option<T> {
    #[inline]
    fn from_arg(object: &'a Object, what: &ArgName, vm: &Vm) -> PyResult<Self> {
        T::from_arg(object, what, vm).map(Some)
    }
}

/// An argument for which Python's `None` means "not given".
pub struct OrNone<T>(pub Option<T>);

impl<'a, T: FromArg<'a>> FromArg<'a> for OrNone<T> {
    #[inline]
    fn from_arg(object: &'a Object, what: &ArgName, vm: &Vm) -> PyResult<Self> {
        if object.is(vm.none_ref()) {
            Ok(OrNone(None))
        } else {
            let what = ArgName { func: what.func, pos: what.pos | ArgName::OR_NONE, name: what.name };
            T::from_arg(object, &what, vm).map(|v| OrNone(Some(v)))
        }
    }
}

impl FromArg<'_> for bool {
    #[inline]
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        object.is_true(vm)
    }
}

impl FromArg<'_> for f64 {
    #[inline]
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        object.as_f64(vm)
    }
}

impl FromArg<'_> for isize {
    #[inline]
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        let index = object.as_index(vm)?;
        match index.to_i64() {
            Some(value) => Ok(value as isize),
            None => Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
        }
    }
}

impl FromArg<'_> for i64 {
    #[inline]
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        let index = object.as_index(vm)?;
        index.to_i64().ok_or_else(|| vm.overflow_error("Python int too large to convert to C long"))
    }
}

impl FromArg<'_> for i32 {
    #[inline]
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        let index = object.as_index(vm)?;
        let wide =
            index.to_i64().ok_or_else(|| vm.overflow_error("Python int too large to convert to C int"))?;
        i32::try_from(wide).map_err(|_| vm.overflow_error("Python int too large to convert to C int"))
    }
}

impl FromArg<'_> for usize {
    #[inline]
    fn from_arg(object: &Object, what: &ArgName, vm: &Vm) -> PyResult<Self> {
        let value = isize::from_arg(object, what, vm)?;
        usize::try_from(value).map_err(|_| vm.value_error(format!("{} cannot be negative", what.name)))
    }
}

impl FromArg<'_> for u64 {
    #[inline]
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        let index = object.as_index(vm)?;
        index.to_u64().ok_or_else(|| {
            if index.is_negative() {
                vm.value_error("can't convert negative int to unsigned")
            } else {
                vm.overflow_error("Python int too large to convert to C unsigned long")
            }
        })
    }
}

impl FromArg<'_> for u32 {
    #[inline]
    fn from_arg(object: &Object, what: &ArgName, vm: &Vm) -> PyResult<Self> {
        let wide = u64::from_arg(object, what, vm)?;
        u32::try_from(wide)
            .map_err(|_| vm.overflow_error("Python int too large to convert to C unsigned int"))
    }
}

impl FromArg<'_> for u8 {
    #[inline]
    fn from_arg(object: &Object, what: &ArgName, vm: &Vm) -> PyResult<Self> {
        let wide = i64::from_arg(object, what, vm)?;
        u8::try_from(wide).map_err(|_| {
            vm.overflow_error(if wide < 0 {
                "unsigned byte integer is less than minimum"
            } else {
                "unsigned byte integer is greater than maximum"
            })
        })
    }
}

impl FromArg<'_> for char {
    fn from_arg(object: &Object, what: &ArgName, vm: &Vm) -> PyResult<Self> {
        match object.downcast_ref::<Str>() {
            Some(s) if s.len() == 1 => {
                s.char_at(0).and_then(char::from_u32).ok_or_else(|| vm.value_error("surrogates not allowed"))
            }
            Some(s) => Err(vm.type_error(format!(
                "{}(): {} must be a unicode character, not a string of length {}",
                what.func,
                what.shown(),
                s.len()
            ))),
            None => Err(what.wrong_type("a unicode character", object, vm)),
        }
    }
}

impl<'a> FromArg<'a> for &'a str {
    #[inline]
    fn from_arg(object: &'a Object, what: &ArgName, vm: &Vm) -> PyResult<Self> {
        <&Str>::from_arg(object, what, vm)?.to_utf8(vm)
    }
}

impl FromArg<'_> for String {
    fn from_arg(object: &Object, what: &ArgName, vm: &Vm) -> PyResult<Self> {
        Ok(<&str>::from_arg(object, what, vm)?.to_owned())
    }
}

/// Any bytes-like argument: a contiguous buffer, released on drop.
pub struct BufferArg(pub crate::protocols::buffer::Buffer);

impl BufferArg {
    /// The bytes. They may change or move only when Python code runs.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The memory of a bytes-like object. Raises `TypeError` for anything else.
    pub fn from_object(object: &Object, vm: &Vm) -> PyResult<BufferArg> {
        if object.ob_type().as_buffer().is_none_or(|b| b.bf_getbuffer.get().is_none()) {
            let given = object.ob_type().name();
            return Err(vm.type_error(format!("a bytes-like object is required, not '{given}'")));
        }
        object.get_buffer(crate::protocols::buffer::SIMPLE, vm).map(BufferArg)
    }
}

impl FromArg<'_> for BufferArg {
    fn from_arg(object: &Object, _what: &ArgName, vm: &Vm) -> PyResult<Self> {
        BufferArg::from_object(object, vm)
    }
}

/// A file-system path: str, bytes, `os.PathLike`; or a file descriptor where the function allows.
pub struct PathArg {
    /// The path as the system takes it, without NUL.
    pub path: std::ffi::OsString,
    /// The object given (after `__fspath__`), for error messages and to choose the result's type.
    pub object: ObjRef,
}

impl PathArg {
    /// Whether the path was given as bytes: results are bytes then.
    pub fn is_bytes(&self) -> bool {
        self.object.downcast_ref::<Bytes>().is_some()
    }
}

impl FromArg<'_> for PathArg {
    fn from_arg(object: &Object, what: &ArgName, vm: &Vm) -> PyResult<Self> {
        crate::protocols::path::to_path(object, what, vm)
    }
}

/// The keyword arguments that no named parameter took.
pub struct KwArgs<'a> {
    names: Option<&'a Tuple>,
    values: &'a [&'a Obj],
    /// The places of those that count, when not all do.
    chosen: Option<Vec<usize>>,
}

impl<'a> KwArgs<'a> {
    /// Wraps vectorcall's names and the values that belong to them.
    pub fn new(names: Option<&'a Tuple>, values: &'a [&'a Obj]) -> Self {
        KwArgs { names, values, chosen: None }
    }

    /// Some of vectorcall's keywords.
    pub fn chosen(names: &'a Tuple, values: &'a [&'a Obj], places: Vec<usize>) -> Self {
        KwArgs { names: Some(names), values, chosen: Some(places) }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        match &self.chosen {
            Some(places) => places.len(),
            None => self.names.map_or(0, Tuple::len),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Name and value of each, in the order of the call.
    pub fn iter(&self) -> impl Iterator<Item = (&'a Str, &'a Object)> + '_ {
        let names: &'a [ObjRef] = self.names.map_or(&[], Tuple::as_slice);
        names.iter().zip(self.values).enumerate().filter_map(|(at, (name, value))| {
            if self.chosen.as_ref().is_some_and(|places| !places.binary_search(&at).is_ok()) {
                return None;
            }
            Some((name.downcast_ref::<Str>()?, *value))
        })
    }

    /// A new dict of them.
    pub fn to_dict(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        let dict = Dict::new(vm);
        for (name, value) in self.iter() {
            dict.set_item(name.as_object(), value, vm)?;
        }
        Ok(dict)
    }
}

impl<T: PyLayout> IntoPy for Ref<T> {
    #[inline(always)]
    fn into_py(self, _vm: &Vm) -> PyResult<ObjRef> {
        Ok(self.into_object())
    }
}

impl<T: PyLayout> IntoPy for &T {
    #[inline(always)]
    fn into_py(self, _vm: &Vm) -> PyResult<ObjRef> {
        Ok(self.as_object().to_ref())
    }
}

impl<T: IntoPy> IntoPy for PyResult<T> {
    #[inline(always)]
    fn into_py(self, vm: &Vm) -> PyResult<ObjRef> {
        self.and_then(|value| value.into_py(vm))
    }
}

impl<T: IntoPy> IntoPy for Option<T> {
    #[inline]
    fn into_py(self, vm: &Vm) -> PyResult<ObjRef> {
        match self {
            Some(value) => value.into_py(vm),
            None => Ok(vm.none()),
        }
    }
}

impl IntoPy for () {
    #[inline(always)]
    fn into_py(self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(vm.none())
    }
}

impl IntoPy for bool {
    #[inline(always)]
    fn into_py(self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(vm.new_bool(self))
    }
}

impl IntoPy for f64 {
    #[inline]
    fn into_py(self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(Float::new(self, vm))
    }
}

impl IntoPy for &str {
    fn into_py(self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(vm.new_str(self).into_object())
    }
}

impl IntoPy for String {
    fn into_py(self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(vm.new_str(&self).into_object())
    }
}

macro_rules! into_py_ints {
    ($($t:ty),*) => {$(
        impl IntoPy for $t {
            #[inline]
            fn into_py(self, vm: &Vm) -> PyResult<ObjRef> {
                Ok(vm.new_int(self))
            }
        }
    )*};
}
into_py_ints!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

impl<A: IntoPy, B: IntoPy> IntoPy for (A, B) {
    fn into_py(self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(Tuple::from_vec(vec![self.0.into_py(vm)?, self.1.into_py(vm)?], vm).into_object())
    }
}

impl<A: IntoPy, B: IntoPy, C: IntoPy> IntoPy for (A, B, C) {
    fn into_py(self, vm: &Vm) -> PyResult<ObjRef> {
        Ok(Tuple::from_vec(vec![self.0.into_py(vm)?, self.1.into_py(vm)?, self.2.into_py(vm)?], vm)
            .into_object())
    }
}
