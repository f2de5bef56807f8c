//! What goes from one interpreter to another ("cross-interpreter data"): Rust values, from which the other makes its own objects.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use taipan_vm::builtins::memoryview::MemoryView;
use taipan_vm::prelude::*;

use super::buffer_view::{BufferView, Lent};
use super::exceptions::not_shareable_error;
use super::stateless;
use crate::_interpchannels::channel::{self, End};
use crate::marshal::write::Writer;

/// An object on its way.
pub(crate) enum Shared {
    None,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    /// Code points of a str with surrogates.
    CodePoints(Vec<u32>),
    Bytes(Vec<u8>),
    Tuple(Vec<Shared>),
    /// A queue's number.
    Queue(i64),
    Buffer(Lent),
    /// A channel's number and end, and the module of the object's class when that was the Python part's.
    Channel(ChannelHold, Option<String>),
    /// A function that is nothing but code, marshalled.
    Function(Vec<u8>),
    /// Anything else, pickled, and the file of the program whose `__main__` it may refer to.
    Pickled(Vec<u8>, Option<String>),
}

/// Keeps a channel while its number is on its way.
pub(crate) struct ChannelHold {
    id: i64,
    end: End,
}

impl ChannelHold {
    fn new(id: i64, end: End) -> ChannelHold {
        channel::add_id(id);
        ChannelHold { id, end }
    }
}

impl Drop for ChannelHold {
    fn drop(&mut self) {
        channel::drop_id(self.id);
    }
}

/// Memory views that other interpreters have given back, by the interpreter that owns them.
static GIVEN_BACK: Mutex<BTreeMap<i64, Vec<usize>>> = Mutex::new(BTreeMap::new());

/// Gives a borrowed memory view back to its interpreter, which destroys it at its next exchange.
pub(super) fn give_back(owner: i64, view: usize) {
    GIVEN_BACK.lock().unwrap_or_else(PoisonError::into_inner).entry(owner).or_default().push(view);
}

/// Destroys the memory views that came back.
fn release_returned(vm: &Vm) {
    let returned = GIVEN_BACK.lock().unwrap_or_else(PoisonError::into_inner).remove(&vm.interp().id);
    for view in returned.unwrap_or_default() {
        // SAFETY: the reference that `lend` took in this interpreter.
        drop(unsafe { ObjRef::from_raw(view as *mut Object) });
    }
}

/// Whether an object may be handed over without being copied by pickle.
pub(crate) fn is_shareable(object: &Object, vm: &Vm) -> bool {
    if let Some(tuple) = object.downcast_exact::<Tuple>() {
        return tuple.as_slice().iter().all(|item| is_shareable(item, vm));
    }
    vm.is_none(object)
        || object.downcast_exact::<Int>().is_some()
        || object.downcast_exact::<Bool>().is_some()
        || object.downcast_exact::<Str>().is_some()
        || object.downcast_exact::<Bytes>().is_some()
        || object.downcast_exact::<Float>().is_some()
        || object.downcast_exact::<MemoryView>().is_some()
        || crate::_interpqueues::is_queue(object, vm)
        || crate::_interpchannels::is_channel(object, vm)
}

/// Raises `NotShareableError`, caused by what was raised before.
pub(super) fn not_shareable(text: String, vm: &Vm) -> Raised {
    let cause = vm.take_exception();
    let raised = match not_shareable_error(vm) {
        Ok(class) => vm.raise(&class, text),
        Err(Raised) => return Raised,
    };
    let Some(cause) = cause else { return raised };
    let Some(exception) = vm.take_exception() else { return raised };
    exception.set_cause(Some(cause.into_object()));
    vm.raise_object(exception)
}

fn unsupported(object: &Object, vm: &Vm) -> Raised {
    let cause = vm.take_exception();
    let shown = object.repr(vm).map(|text| text.to_string_lossy().into_owned());
    if let Some(cause) = cause {
        let Raised = vm.raise_object(cause);
    }
    match shown {
        Ok(shown) => not_shareable(format!("{shown} does not support cross-interpreter data"), vm),
        Err(Raised) => Raised,
    }
}

/// Takes an object apart for another interpreter. With `fully`, functions go as code and all else as a pickle. Raises
/// `NotShareableError`.
pub(crate) fn pack(object: &Object, fully: bool, vm: &Vm) -> PyResult<Shared> {
    release_returned(vm);
    pack_part(object, fully, vm)
}

fn pack_part(object: &Object, fully: bool, vm: &Vm) -> PyResult<Shared> {
    if vm.is_none(object) {
        return Ok(Shared::None);
    }
    if let Some(flag) = object.downcast_exact::<Bool>() {
        return Ok(Shared::Bool(flag.as_object().is(vm.true_ref())));
    }
    if let Some(int) = object.downcast_exact::<Int>() {
        return match int.to_i64() {
            Some(value) => Ok(Shared::Int(value)),
            None => {
                let Raised = vm.overflow_error("try sending as bytes");
                Err(unsupported(object, vm))
            }
        };
    }
    if let Some(float) = object.downcast_exact::<Float>() {
        return Ok(Shared::Float(float.value()));
    }
    if let Some(text) = object.downcast_exact::<Str>() {
        if let Ok(utf8) = text.to_utf8(vm) {
            return Ok(Shared::Text(utf8.to_owned()));
        }
        vm.clear_exception();
        return Ok(Shared::CodePoints((0..text.len()).filter_map(|at| text.char_at(at)).collect()));
    }
    if let Some(bytes) = object.downcast_exact::<Bytes>() {
        return Ok(Shared::Bytes(bytes.as_bytes().to_vec()));
    }
    if let Some(tuple) = object.downcast_exact::<Tuple>() {
        vm.check_recursion(" while sharing a tuple")?;
        let parts = tuple.as_slice().iter().map(|item| pack_part(item, fully, vm));
        return parts
            .collect::<PyResult<Vec<_>>>()
            .map(Shared::Tuple)
            .map_err(|Raised| unsupported(object, vm));
    }
    if crate::_interpqueues::is_queue(object, vm) {
        return object.get_attr(&vm.intern("id"), vm)?.as_isize(vm).map(|id| Shared::Queue(id as i64));
    }
    if let Some((id, end, module)) = crate::_interpchannels::as_channel(object, vm)? {
        return Ok(Shared::Channel(ChannelHold::new(id, end), module));
    }
    if let Some(view) = object.downcast_exact::<MemoryView>() {
        return Lent::lend(view, vm).map(Shared::Buffer);
    }
    if !fully {
        return Err(unsupported(object, vm));
    }
    if let Some(function) = object.downcast_exact::<Function>() {
        return pack_function(function, vm);
    }
    pickled(object, vm).map_err(|Raised| unsupported(object, vm))
}

fn pack_function(function: &Function, vm: &Vm) -> PyResult<Shared> {
    if stateless::check_function(function, vm).is_ok() {
        return marshalled(function.code(), vm).map(Shared::Function);
    }
    let why = vm.take_exception();
    pickled(function.as_object(), vm).map_err(|Raised| {
        vm.clear_exception();
        if let Some(why) = why {
            let Raised = vm.raise_object(why);
        }
        not_shareable("only stateless functions are shareable".to_owned(), vm)
    })
}

/// A code object as `marshal` writes it.
pub(super) fn marshalled(code: &taipan_vm::builtins::code::Code, vm: &Vm) -> PyResult<Vec<u8>> {
    let mut writer = Writer::new(5, true, vm);
    writer.value(code.as_object(), 0)?;
    Ok(writer.out)
}

fn pickled(object: &Object, vm: &Vm) -> PyResult<Shared> {
    let pickle = taipan_vm::import::import_module("pickle", vm)?;
    let data = pickle.call_method(&vm.intern("dumps"), &[object], vm)?;
    let Some(data) = data.downcast_ref::<Bytes>() else {
        return Err(vm.type_error("pickle.dumps() gave no bytes"));
    };
    let main = taipan_vm::import::import_module("__main__", vm)?;
    let file = match main.lookup_attr(&vm.intern("__file__"), vm)? {
        Some(file) => file.downcast_ref::<Str>().map(|file| file.to_string_lossy().into_owned()),
        None => None,
    };
    Ok(Shared::Pickled(data.as_bytes().to_vec(), file))
}

impl Shared {
    /// The object in the interpreter of `vm`. Raises `NotShareableError` when a pickle can't be read there.
    pub(crate) fn unpack(self, vm: &Vm) -> PyResult {
        release_returned(vm);
        Ok(match self {
            Shared::None => vm.none(),
            Shared::Bool(value) => vm.new_bool(value),
            Shared::Int(value) => vm.new_int(value),
            Shared::Float(value) => vm.new_float(value),
            Shared::Text(text) => Str::try_from_str(&text, vm)?.into_object(),
            Shared::CodePoints(codes) => Str::try_from_code_points(&codes, vm)?.into_object(),
            Shared::Bytes(bytes) => vm.new_bytes(&bytes).into_object(),
            Shared::Tuple(parts) => {
                let parts = parts.into_iter().map(|part| part.unpack(vm)).collect::<PyResult<Vec<_>>>()?;
                vm.new_tuple(parts).into_object()
            }
            Shared::Queue(id) => crate::_interpqueues::queue_object(id, vm)?,
            Shared::Channel(hold, module) => {
                crate::_interpchannels::channel_object(hold.id, hold.end, module.as_deref(), vm)?
            }
            Shared::Buffer(lent) => {
                let view = BufferView::create(lent, vm);
                MemoryView::from_object(view.as_object(), vm)?.into_object()
            }
            Shared::Function(code) => {
                let code = taipan_vm::runtime::marshal::load_code(&code, vm)?;
                let main = taipan_vm::import::import_module("__main__", vm)?;
                let Some(main) = main.downcast_ref::<Module>() else {
                    return Err(vm.type_error("__main__ is no module"));
                };
                Function::new_object(&code, &main.dict(vm), vm)?.into_object()
            }
            Shared::Pickled(data, file) => {
                let loaded = unpickle(&data, vm);
                match file {
                    Some(file) if loaded.is_err() && vm.exception_matches(types::attribute_error()) => {
                        vm.clear_exception();
                        with_main_of(&file, || unpickle(&data, vm), vm)
                    }
                    _ => loaded,
                }
                .map_err(|Raised| not_shareable("object could not be unpickled".to_owned(), vm))?
            }
        })
    }
}

fn unpickle(data: &[u8], vm: &Vm) -> PyResult {
    let pickle = taipan_vm::import::import_module("pickle", vm)?;
    pickle.call_method(&vm.intern("loads"), &[vm.new_bytes(data).as_object()], vm)
}

/// Modules made of other interpreters' programs, by file.
#[derive(Default)]
struct ForeignMains(RefCell<BTreeMap<String, ObjRef>>);

/// Runs something while `__main__` is the program in `file`, run under another name, as `multiprocessing` does.
fn with_main_of(file: &str, work: impl FnOnce() -> PyResult, vm: &Vm) -> PyResult {
    let known = vm.interp().state::<ForeignMains>().0.borrow().get(file).cloned();
    let module = match known {
        Some(module) => module,
        None => {
            let runpy = taipan_vm::import::import_module("runpy", vm)?;
            let (path, name) = (vm.new_str(file), vm.intern("<fake __main__>"));
            let names = vm.new_tuple([vm.intern("run_name").into_object()]);
            let run = runpy.get_attr(&vm.intern("run_path"), vm)?;
            let dict = run.call_kw(&[path.as_object(), name.as_object()], Some(&names), vm)?;
            let module = Module::create("__main__", None, vm)?;
            if let Some(dict) = dict.downcast_ref::<Dict>() {
                for (name, value) in dict.items_vec() {
                    module.dict(vm).set_item(&name, &value, vm)?;
                }
            }
            let module = module.into_object();
            vm.interp().state::<ForeignMains>().0.borrow_mut().insert(file.to_owned(), module.clone());
            module
        }
    };
    let modules = taipan_vm::import::modules(vm)?;
    let name = vm.ids().__main__.as_object();
    let own = modules.get_item(name, vm)?;
    modules.set_item(name, &module, vm)?;
    let result = work();
    let raised = vm.take_exception();
    let back = modules.set_item(name, &own, vm);
    if let Some(raised) = raised {
        let Raised = vm.raise_object(raised);
    }
    back.and(result)
}
