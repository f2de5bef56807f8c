//! `Dialect`: how a kind of CSV is written.

use taipan_vm::builtins::type_::shown_name;

use super::registered;
use taipan_vm::prelude::*;

/// The values of `quoting`.
pub const QUOTE_MINIMAL: i32 = 0;
pub const QUOTE_ALL: i32 = 1;
pub const QUOTE_NONNUMERIC: i32 = 2;
pub const QUOTE_NONE: i32 = 3;
pub const QUOTE_STRINGS: i32 = 4;
pub const QUOTE_NOTNULL: i32 = 5;

/// A dialect, checked and unchangeable.
#[repr(C)]
#[derive(Traverse)]
pub struct Dialect {
    #[traverse(skip)]
    ob: Object,
    /// Whether a quote is doubled inside quotes.
    #[traverse(skip)]
    pub doublequote: bool,
    /// Whether spaces behind a delimiter are dropped.
    #[traverse(skip)]
    pub skipinitialspace: bool,
    /// Whether bad input is refused.
    #[traverse(skip)]
    pub strict: bool,
    /// One of the `QUOTE_` constants.
    #[traverse(skip)]
    pub quoting: i32,
    /// The character between fields.
    #[traverse(skip)]
    pub delimiter: u32,
    /// The quote.
    #[traverse(skip)]
    pub quotechar: Option<u32>,
    /// The escape character.
    #[traverse(skip)]
    pub escapechar: Option<u32>,
    /// What ends a row.
    pub lineterminator: Ref<Str>,
}

/// The dialect that `dialect` and overriding keywords mean.
pub fn with_changes(dialect: Option<&Object>, changes: &KwArgs<'_>, vm: &Vm) -> PyResult<Ref<Dialect>> {
    let mut args: Vec<&Object> = dialect.into_iter().collect();
    let mut names = Vec::with_capacity(changes.len());
    for (name, value) in changes.iter() {
        names.push(name.as_object().to_ref());
        args.push(value);
    }
    let names = (!names.is_empty()).then(|| vm.new_tuple(names));
    let made = Dialect::type_object().as_object().call_kw(&args, names.as_deref(), vm)?;
    made.downcast::<Dialect>().map_err(|_| vm.system_error("Dialect() made something else"))
}

/// A parameter: given, or an attribute of the dialect that is started from.
fn parameter(given: Option<&Object>, name: &str, base: Option<&Object>, vm: &Vm) -> PyResult<Option<ObjRef>> {
    match (given, base) {
        (Some(given), _) => Ok(Some(given.to_ref())),
        (None, Some(base)) => base.lookup_attr(&vm.intern(name), vm),
        (None, None) => Ok(None),
    }
}

fn wrong_type(name: &str, wanted: &str, value: &Object, vm: &Vm) -> Raised {
    match shown_name(value.ob_type(), vm) {
        Ok(given) => vm.type_error(format!("\"{name}\" must be {wanted}, not {given}")),
        Err(raised) => raised,
    }
}

/// A character; `None` too when `wanted` says so.
fn character(
    value: Option<&ObjRef>,
    name: &str,
    wanted: &str,
    default: Option<char>,
    vm: &Vm,
) -> PyResult<Option<u32>> {
    let Some(value) = value else { return Ok(default.map(u32::from)) };
    if vm.is_none(value) && wanted.ends_with("None") {
        return Ok(None);
    }
    let Some(text) = value.downcast_ref::<Str>() else { return Err(wrong_type(name, wanted, value, vm)) };
    match text.char_at(0) {
        Some(only) if text.len() == 1 => Ok(Some(only)),
        _ => {
            Err(vm.type_error(format!("\"{name}\" must be {wanted}, not a string of length {}", text.len())))
        }
    }
}

fn truth(value: Option<&ObjRef>, default: bool, vm: &Vm) -> PyResult<bool> {
    value.map_or(Ok(default), |value| value.is_true(vm))
}

impl Dialect {
    fn check_char(&self, name: &str, code: Option<u32>, space: bool, vm: &Vm) -> PyResult<()> {
        let Some(code) = code else { return Ok(()) };
        if code == u32::from('\r') || code == u32::from('\n') || (code == u32::from(' ') && !space) {
            return Err(vm.value_error(format!("bad {name} value")));
        }
        if self.ends_line(code) {
            return Err(vm.value_error(format!("bad {name} or lineterminator value")));
        }
        Ok(())
    }

    fn check(&self, vm: &Vm) -> PyResult<()> {
        if self.quoting != QUOTE_NONE && self.quotechar.is_none() {
            return Err(vm.type_error("quotechar must be set if quoting enabled"));
        }
        let delimiter = Some(self.delimiter);
        self.check_char("delimiter", delimiter, true, vm)?;
        self.check_char("escapechar", self.escapechar, !self.skipinitialspace, vm)?;
        self.check_char("quotechar", self.quotechar, !self.skipinitialspace, vm)?;
        let pairs = [
            ("delimiter", delimiter, "escapechar", self.escapechar),
            ("delimiter", delimiter, "quotechar", self.quotechar),
            ("escapechar", self.escapechar, "quotechar", self.quotechar),
        ];
        for (name, code, other_name, other) in pairs {
            if code.is_some() && code == other {
                return Err(vm.value_error(format!("bad {name} or {other_name} value")));
            }
        }
        Ok(())
    }

    /// Whether a character occurs in the line's end.
    pub fn ends_line(&self, code: u32) -> bool {
        self.lineterminator.data().iter().any(|end| end == code)
    }
}

fn shown(code: Option<u32>, vm: &Vm) -> Option<Ref<Str>> {
    code.map(|code| Str::from_char(code, vm))
}

fn unpicklable(zelf: &Object, vm: &Vm) -> Raised {
    vm.type_error(format!("cannot pickle '{}' instances", zelf.ob_type().name()))
}

/// CSV dialect
///
/// The Dialect type records CSV parsing and generation options.
#[pytype(
    name = "_csv.Dialect",
    flags(BASETYPE),
    gc,
    members(
        skipinitialspace: BOOL = skipinitialspace, readonly;
        doublequote: BOOL = doublequote, readonly;
        strict: BOOL = strict, readonly
    )
)]
impl Dialect {
    #[allow(clippy::too_many_arguments, reason = "the parameters of the Python constructor")]
    #[new(
        "!?(dialect=None, delimiter=',', doublequote=True, escapechar=None, lineterminator='', quotechar='', quoting=0, skipinitialspace=False, strict=False)"
    )]
    fn new(
        cls: &Type,
        dialect: Option<&Object>,
        delimiter: Option<&Object>,
        doublequote: Option<&Object>,
        escapechar: Option<&Object>,
        lineterminator: Option<&Object>,
        quotechar: Option<&Object>,
        quoting: Option<&Object>,
        skipinitialspace: Option<&Object>,
        strict: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let given = [
            delimiter,
            doublequote,
            escapechar,
            lineterminator,
            quotechar,
            quoting,
            skipinitialspace,
            strict,
        ];
        let base = match dialect {
            Some(name) if name.downcast_ref::<Str>().is_some() => Some(registered(name, vm)?),
            other => other.map(Object::to_ref),
        };
        if let Some(base) = &base {
            if base.downcast_ref::<Dialect>().is_some() && given.iter().all(Option::is_none) {
                return Ok(base.clone());
            }
        }
        let fetch = |given, name| parameter(given, name, base.as_deref(), vm);
        let delimiter = fetch(delimiter, "delimiter")?;
        let doublequote = fetch(doublequote, "doublequote")?;
        let escapechar = fetch(escapechar, "escapechar")?;
        let lineterminator = fetch(lineterminator, "lineterminator")?;
        let quotechar = fetch(quotechar, "quotechar")?;
        let quoting = fetch(quoting, "quoting")?;
        let skipinitialspace = fetch(skipinitialspace, "skipinitialspace")?;
        let strict = fetch(strict, "strict")?;

        let (sole, optional) = ("a unicode character", "a unicode character or None");
        let lineterminator = match &lineterminator {
            None => vm.new_str("\r\n"),
            Some(value) => match value.downcast_ref::<Str>() {
                Some(text) => text.into(),
                None => return Err(wrong_type("lineterminator", "a string", value, vm)),
            },
        };
        let no_quotechar = quotechar.as_ref().is_some_and(|value| vm.is_none(value));
        let quoting = match &quoting {
            None if no_quotechar => QUOTE_NONE,
            None => QUOTE_MINIMAL,
            Some(value) => match value.downcast_exact::<Int>() {
                None => return Err(wrong_type("quoting", "an integer", value, vm)),
                Some(value) => match value.to_i64() {
                    Some(value @ 0..=5) => value as i32,
                    _ => return Err(vm.type_error("bad \"quoting\" value")),
                },
            },
        };
        let made = Dialect {
            ob: Object::new(Self::type_object()),
            delimiter: character(delimiter.as_ref(), "delimiter", sole, Some(','), vm)?
                .unwrap_or(u32::from(',')),
            doublequote: truth(doublequote.as_ref(), true, vm)?,
            escapechar: character(escapechar.as_ref(), "escapechar", optional, None, vm)?,
            quotechar: character(quotechar.as_ref(), "quotechar", optional, Some('"'), vm)?,
            quoting,
            skipinitialspace: truth(skipinitialspace.as_ref(), false, vm)?,
            strict: truth(strict.as_ref(), false, vm)?,
            lineterminator,
        };
        made.check(vm)?;
        vm.new_instance(cls, made)
    }

    /// raises an exception to avoid pickling
    #[method("!($self, /)")]
    fn __reduce__(zelf: &Object, vm: &Vm) -> PyResult {
        Err(unpicklable(zelf, vm))
    }

    /// raises an exception to avoid pickling
    #[method("!($self, protocol=0, /)")]
    fn __reduce_ex__(zelf: &Object, _protocol: Option<&Object>, vm: &Vm) -> PyResult {
        Err(unpicklable(zelf, vm))
    }

    #[getter]
    fn delimiter(&self, vm: &Vm) -> Ref<Str> {
        Str::from_char(self.delimiter, vm)
    }

    #[getter]
    fn escapechar(&self, vm: &Vm) -> Option<Ref<Str>> {
        shown(self.escapechar, vm)
    }

    #[getter]
    fn lineterminator(&self) -> Ref<Str> {
        self.lineterminator.clone()
    }

    #[getter]
    fn quotechar(&self, vm: &Vm) -> Option<Ref<Str>> {
        shown(self.quotechar, vm)
    }

    #[getter]
    fn quoting(&self) -> i32 {
        self.quoting
    }
}
