//! `ImportError`: knows which module, from where, and which name in it.

use std::mem::size_of;

use crate::prelude::*;

/// `PyImportErrorObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct ImportError {
    /// The common part.
    pub base: BaseException,
    /// The text, when there is exactly one argument.
    pub msg: Slot<Object>,
    /// The module that could not be imported.
    pub name: Slot<Object>,
    /// The file that it was to come from.
    pub path: Slot<Object>,
    /// The name that `from module import name` asked for.
    pub name_from: Slot<Object>,
}

const _: () = assert!(size_of::<ImportError>() == 104);

/// Import can't find module, or can't find name in module.
#[pytype(
    name = "ImportError",
    symbol = "_PyExc_ImportError",
    base = BaseException,
    flags(BASETYPE),
    gc,
    members(msg: OBJECT = msg "exception message", name: OBJECT = name "module name", path: OBJECT = path "module path", name_from: OBJECT = name_from "name imported from module")
)]
impl ImportError {
    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        self.base.init_args(args, None, vm)?;
        let [name, path, name_from] =
            parse_keywords("ImportError", ["name", "path", "name_from"], kwargs, vm)?;
        self.name.set(name);
        self.path.set(path);
        self.name_from.set(name_from);
        self.msg.set(match args.as_slice() {
            [msg] => Some(msg.clone()),
            _ => None,
        });
        Ok(())
    }

    #[slot]
    fn tp_str(&self, vm: &Vm) -> PyResult<ObjRef> {
        match self.msg.get() {
            Some(msg) if msg.downcast_exact::<Str>().is_some() => Ok(msg),
            _ => Ok(self.base.default_str(vm)?.into_object()),
        }
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<ObjRef> {
        let tp = self.as_object().ob_type().as_object().to_ref();
        let args = self.base.args(vm).into_object();
        let fields = [
            (vm.ids().name, self.name.get()),
            (vm.ids().path, self.path.get()),
            (vm.ids().name_from, self.name_from.get()),
        ];
        let dict = self.base.dict.get();
        if fields.iter().all(|(_, value)| value.is_none()) {
            return self.base.reduce_with(args, vm);
        }
        let state = match dict.as_deref().and_then(Object::downcast_ref::<Dict>) {
            Some(dict) => dict.copy(vm),
            None => vm.new_dict(),
        };
        for (name, value) in &fields {
            if let Some(value) = value {
                state.set_str(name, value, vm)?;
            }
        }
        Ok(vm.new_tuple([tp, args, state.into_object()]).into_object())
    }
}

/// The values of keyword-only, optional parameters in the order of `names`. Raises TypeError for any other keyword.
pub(crate) fn parse_keywords<const N: usize>(
    func: &str,
    names: [&'static str; N],
    kwargs: Option<&Dict>,
    vm: &Vm,
) -> PyResult<[Option<ObjRef>; N]> {
    let mut values = [const { None }; N];
    let Some(kwargs) = kwargs else { return Ok(values) };
    if kwargs.len() > N {
        return Err(vm.type_error(format!(
            "{func}() takes at most {N} keyword argument{} ({} given)",
            if N == 1 { "" } else { "s" },
            kwargs.len()
        )));
    }
    let mut pos = 0;
    while let Some((key, value)) = kwargs.next_entry(&mut pos) {
        let key = key.downcast_ref::<Str>().map(|key| key.to_string_lossy().into_owned()).unwrap_or_default();
        let mut known = names.iter().zip(values.iter_mut());
        match known.find(|(name, _)| **name == key) {
            Some((_, slot)) => *slot = Some(value),
            None => return Err(unexpected_keyword(func, &key, &names, vm)),
        }
    }
    Ok(values)
}

#[cold]
fn unexpected_keyword(func: &str, key: &str, names: &[&str], vm: &Vm) -> Raised {
    let hint = super::suggestions::closest(key, names);
    let mut text = format!("{func}() got an unexpected keyword argument '{key}'");
    if let Some(hint) = hint {
        text.push_str(&format!(". Did you mean '{hint}'?"));
    }
    vm.type_error(text)
}

/// Raises `ImportError(text, name=…, path=…, name_from=…)`; `exception` is `ImportError` or `ModuleNotFoundError`.
#[cold]
pub fn raise_import_error(
    exception: &'static Type,
    text: &Str,
    name: Option<&Object>,
    path: Option<&Object>,
    name_from: Option<&Object>,
    vm: &Vm,
) -> Raised {
    let msg = text.as_object().to_ref();
    let args = vm.new_tuple([msg.clone()]);
    let made = vm.new_object(ImportError {
        base: BaseException { ob: Object::new(exception), ..BaseException::with_args(Some(args)) },
        msg: Slot::of(msg),
        name: Slot::new(name.map(Object::to_ref)),
        path: Slot::new(path.map(Object::to_ref)),
        name_from: Slot::new(name_from.map(Object::to_ref)),
    });
    // SAFETY: an `ImportError` begins with a `BaseException`.
    vm.raise_object(unsafe { made.into_object().cast_into() })
}
