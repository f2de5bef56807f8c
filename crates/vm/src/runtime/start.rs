//! Starting and ending an interpreter (C API manual, "Initialization, Finalization, and Threads").

use std::sync::Arc;

use taipan_numeric::siphash::HashKey;

use crate::import::EmbeddedLibrary;
use crate::module_def::NativeModule;
use crate::prelude::*;
use crate::runtime::config::Config;
use crate::runtime::gil::Gil;
use crate::runtime::ids::Ids;
use crate::runtime::interpreter::{Features, Interpreter};

/// What an executable puts into an interpreter.
pub struct Parts {
    /// Native modules besides those of this crate.
    pub modules: Vec<&'static NativeModule>,
    /// The embedded standard library.
    pub library: Option<&'static dyn EmbeddedLibrary>,
}

/// The modules that this crate brings itself.
fn own_modules() -> Vec<&'static NativeModule> {
    vec![
        &crate::builtins::builtins_module::Builtins::DEF,
        &crate::builtins::codecs_core::module::CodecsModule::DEF,
        &crate::builtins::gc_module::GcModule::DEF,
        &crate::builtins::str::string_module::StringModule::DEF,
        &crate::builtins::sys_module::Sys::DEF,
        &crate::builtins::typevars::module::TypingModule::DEF,
        &crate::builtins::weakref::module::WeakrefModule::DEF,
        &crate::exceptions::suggestions::SuggestionsModule::DEF,
        &crate::import::embedded::Embedded::DEF,
        &crate::import::imp_module::Imp::DEF,
    ]
}

/// Makes the main interpreter and its thread state, attached to the calling thread. Both live as long as the process.
/// Everything up to the import machinery is there; `site` and the program are the caller's.
pub fn start(config: Config, parts: Parts) -> Result<&'static Vm, String> {
    let hash_seed = config.hash_seed;
    let interp: &'static Interpreter =
        Box::leak(Interpreter::new(config, 0, Features::MAIN, Arc::new(Gil::new())));
    let vm: &'static Vm = Box::leak(Vm::new(interp));
    interp.main_thread.set(vm);
    super::interpreters::set_main(interp);
    interp.hash_key.set(hash_key(hash_seed));
    interp.import.library.set(parts.library);
    // SAFETY: the thread state is leaked, and this thread takes the lock right away.
    unsafe {
        vm.thread_id.set(libc::pthread_self() as u64);
        interp.gil.acquire(vm);
        vm.attach();
    }
    interp.ids.set(Box::leak(Box::new(Ids::new(vm))));
    let mut modules = own_modules();
    modules.extend(parts.modules);
    *interp.import.builtin.borrow_mut() = modules;
    crate::builtins::sys_module::remote::prepare(vm);
    let made = ready_types(vm).and_then(|()| set_up(vm));
    made.map(|()| vm).map_err(|Raised| describe_exception(vm))
}

/// The waiting exception as text, when Python can't print it yet.
pub(super) fn describe_exception(vm: &Vm) -> String {
    match vm.take_exception() {
        Some(exception) => crate::exceptions::print::native_text(&exception, vm),
        None => "unknown error".to_owned(),
    }
}

/// The key of string hashes: from the seed, or random.
fn hash_key(seed: Option<u32>) -> HashKey {
    match seed {
        Some(seed) => HashKey::from_seed(seed),
        None => {
            let mut bytes = [0u8; 16];
            // SAFETY: the buffer has sixteen bytes.
            unsafe { libc::getrandom(bytes.as_mut_ptr().cast(), bytes.len(), 0) };
            HashKey::from_bytes(bytes)
        }
    }
}

/// The modules that all others need, and the import machinery.
pub(super) fn set_up(vm: &Vm) -> PyResult<()> {
    let interp = vm.interp();
    interp.int_max_str_digits.set(interp.config.borrow().int_max_str_digits);
    let modules = vm.new_dict();
    interp.import.modules.put(modules.clone().into_object());
    let builtins = Module::create("builtins", Some(crate::builtins::builtins_module::Builtins::DEF.doc), vm)?;
    interp.builtins_dict.put(builtins.dict(vm));
    builtins.fill(&crate::builtins::builtins_module::Builtins::DEF, vm)?;
    let sys = Module::create("sys", Some(crate::builtins::sys_module::Sys::DEF.doc), vm)?;
    interp.sys_dict.put(sys.dict(vm));
    modules.set_item(vm.ids().sys.as_object(), sys.as_object(), vm)?;
    modules.set_item(vm.ids().builtins.as_object(), builtins.as_object(), vm)?;
    sys.fill(&crate::builtins::sys_module::Sys::DEF, vm)?;
    sys.set("modules", modules.as_object(), vm)?;
    for hook in ["displayhook", "excepthook", "breakpointhook", "unraisablehook"] {
        if let Some(function) = sys.dict(vm).get_str(&vm.intern(hook), vm)? {
            sys.set(&format!("__{hook}__"), &function, vm)?;
        }
    }
    // Until the streams are open, messages can be written all the same.
    let printer = crate::builtins::std_printer::StdPrinter::create(2, vm);
    sys.set("stderr", printer.as_object(), vm)?;
    sys.set("__stderr__", printer.as_object(), vm)?;
    start_importlib(&sys, vm)
}

/// Readies the static types whose instances are not made by `vm.new_object`, which readies the others when first used.
fn ready_types(vm: &Vm) -> PyResult<()> {
    use crate::builtins as b;
    use b::type_::TypeExt;
    // Specialised instructions and extensions recognise these slots by the functions' addresses.
    let object = b::object::object_type();
    object.tp_getattro.set(Some(crate::protocols::attributes::generic_getattro));
    object.tp_setattro.set(Some(crate::protocols::attributes::generic_setattro));
    // `object` and `type` come first: all others are made of them.
    let types: &[&'static Type] = &[
        b::object::object_type(),
        Type::type_type(),
        b::descr::WrapperDescriptor::type_object(),
        b::descr::MethodDescriptor::type_object(),
        b::descr::ClassMethodDescriptor::type_object(),
        b::descr::GetSetDescriptor::type_object(),
        b::descr::MemberDescriptor::type_object(),
        b::classmethod::StaticMethod::type_object(),
        b::builtin_function::BuiltinFunction::type_object(),
        Str::type_object(),
        Int::type_object(),
        Bool::type_object(),
        Float::type_object(),
        Bytes::type_object(),
        Tuple::type_object(),
        List::type_object(),
        Dict::type_object(),
        Set::type_object(),
        b::set::FrozenSet::type_object(),
        b::singletons::NoneType::type_object(),
        b::singletons::NotImplementedType::type_object(),
        b::singletons::EllipsisType::type_object(),
        Module::type_object(),
        Method::type_object(),
        Function::type_object(),
        Code::type_object(),
        Frame::type_object(),
        PyCell::type_object(),
        b::generator::Generator::type_object(),
        b::generator::Coroutine::type_object(),
        b::generator::AsyncGenerator::type_object(),
    ];
    for tp in types {
        b::type_::type_ready(tp, vm)?;
    }
    vm.interp().types.starting.set(false);
    crate::exceptions::types::prepare();
    crate::exceptions::types::all().try_for_each(|(_, tp)| b::type_::type_ready(tp, vm))
}

/// `__main__`, still empty.
pub fn add_main(vm: &Vm) -> PyResult<Ref<Module>> {
    let main = Module::create("__main__", None, vm)?;
    crate::import::modules(vm)?.set_item(vm.ids().__main__.as_object(), main.as_object(), vm)?;
    let builtins = crate::import::import_module("builtins", vm)?;
    main.set("__builtins__", &builtins, vm)?;
    Ok(main)
}

/// Runs importlib's two halves and installs the importer of the embedded library.
fn start_importlib(sys: &Module, vm: &Vm) -> PyResult<()> {
    let interp = vm.interp();
    if interp.import.library.get().is_none() {
        return Ok(());
    }
    // Frozen modules get their `__file__` from `sys._stdlib_dir`.
    set_paths(sys, vm)?;
    let imp = crate::import::import_module("_imp", vm)?;
    let init = imp.get_attr(&vm.intern("init_frozen"), vm)?;
    let bootstrap = init.call(&[vm.intern("_frozen_importlib").as_object()], vm)?;
    if interp.config.borrow().verbose > 0 {
        eprintln!("import _frozen_importlib # frozen\nimport _imp # builtin");
    }
    bootstrap.call_method(&vm.intern("_install"), &[sys.as_object(), &imp], vm)?;
    interp.import.importlib.put(bootstrap.clone());
    bootstrap.call_method(&vm.intern("_install_external_importers"), &[], vm)?;
    let importer = interp.import.library.get().and_then(|library| library.find("_embedded_importer"));
    let Some(importer) = importer else {
        return Err(vm.import_error("the embedded library has no importer"));
    };
    let code = crate::import::imp_module::embedded_code(&importer, vm)?;
    let module = Module::create("_embedded_importer", None, vm)?;
    crate::import::modules(vm)?.set_item(
        vm.intern("_embedded_importer").as_object(),
        module.as_object(),
        vm,
    )?;
    crate::interpreter::eval_code(&code, &module.dict(vm), None, vm)?;
    module.as_object().call_method(&vm.intern("_install"), &[], vm)?;
    Ok(())
}

/// `sys.prefix`, `sys.executable`, `sys.path` and their kin.
fn set_paths(sys: &Module, vm: &Vm) -> PyResult<()> {
    let config = vm.interp().config.borrow().clone();
    let places = super::getpath::Places::find(&config.executable);
    let text = |value: &str| vm.new_str(value).into_object();
    sys.set("executable", &text(&config.executable), vm)?;
    sys.set("_base_executable", &text(&places.base_executable), vm)?;
    for (name, value) in [
        ("prefix", &places.prefix),
        ("exec_prefix", &places.prefix),
        ("base_prefix", &places.base_prefix),
        ("base_exec_prefix", &places.base_prefix),
    ] {
        sys.set(name, &text(value), vm)?;
    }
    let library = format!("{}/lib/python314.zip", places.base_prefix.trim_end_matches('/'));
    sys.set("_stdlib_dir", &text(&config.stdlib_dir.clone().unwrap_or_else(|| library.clone())), vm)?;
    let mut path: Vec<String> = config.python_path.clone();
    if let Some(stdlib) = &config.stdlib_dir {
        path.push(stdlib.clone());
    }
    vm.interp().import.library_folder.replace(library.clone());
    path.push(library);
    let path: Vec<ObjRef> = path.iter().map(|entry| text(entry)).collect();
    sys.set("path", vm.new_list(path).as_object(), vm)
}

/// Puts the folder of the process's program in front of `sys.path`.
pub(super) fn add_first_path(vm: &Vm) -> PyResult<()> {
    let first = vm.interp().config.borrow().first_path.clone();
    let (Some(first), Some(sys)) = (first, vm.interp().sys_dict.get()) else { return Ok(()) };
    let Some(path) = sys.get_str(vm.ids().path, vm)? else { return Ok(()) };
    path.call_method(vm.ids().insert, &[&vm.new_int(0), vm.new_str(&first).as_object()], vm).map(drop)
}

/// Makes `sys.stdin`, `sys.stdout` and `sys.stderr`, and `open` (`init_sys_streams`).
pub fn open_streams(vm: &Vm) -> PyResult<()> {
    let ids = vm.ids();
    // As in CPython, whoever asks for the file-system encoding's codec finds it, and in `sys.modules` its module.
    crate::builtins::codecs_core::registry::lookup("utf-8", vm)?;
    let io = crate::import::import_module("_io", vm)?;
    let open = io.get_attr(ids.open, vm)?;
    if let Some(builtins) = vm.interp().builtins_dict.get() {
        builtins.set_item(ids.open.as_object(), &open, vm)?;
    }
    let Some(sys) = vm.interp().sys_dict.get() else { return Ok(()) };
    let (encoding, errors) = stdio_encoding(vm)?;
    for (fd, name, mode) in [(0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")] {
        // Whatever an error message contains, it can be shown.
        let errors = if fd == 2 { "backslashreplace" } else { &errors };
        let stream = open_stream(fd, name, mode, &encoding, errors, &io, vm)?;
        sys.set_item(vm.intern(name).as_object(), &stream, vm)?;
        sys.set_item(vm.intern(&format!("__{name}__")).as_object(), &stream, vm)?;
    }
    Ok(())
}

/// Encoding and error handler of the standard streams: by `PYTHONIOENCODING` and the locale. In the C locale, what can't
/// be decoded goes through unchanged.
fn stdio_encoding(vm: &Vm) -> PyResult<(String, String)> {
    let (use_environment, utf8_mode) = {
        let config = vm.interp().config.borrow();
        (config.use_environment, config.utf8_mode)
    };
    let given = std::env::var("PYTHONIOENCODING").ok().filter(|_| use_environment).unwrap_or_default();
    let (encoding, errors) = given.split_once(':').unwrap_or((&given, ""));
    let lenient = encoding.is_empty()
        && (utf8_mode || matches!(&*locale_name(), "C" | "POSIX" | "C.UTF-8" | "C.utf8" | "UTF-8"));
    let errors = match errors {
        "" if lenient => "surrogateescape",
        "" => "strict",
        given => given,
    };
    if encoding.is_empty() {
        return Ok(("utf-8".to_owned(), errors.to_owned()));
    }
    // The streams name their encoding as the codec does.
    let codec = crate::builtins::codecs_core::registry::lookup(encoding, vm)?;
    let name = match codec.as_object().lookup_attr(vm.ids().name, vm)? {
        Some(name) => name.str(vm)?.to_string_lossy().into_owned(),
        None => encoding.to_owned(),
    };
    Ok((name, errors.to_owned()))
}

/// The name of the locale that characters are of (`LC_CTYPE`).
pub fn locale_name() -> String {
    // SAFETY: asks only; the answer is NUL-terminated and copied at once.
    unsafe {
        let name = libc::setlocale(libc::LC_CTYPE, std::ptr::null());
        if name.is_null() {
            String::new()
        } else {
            std::ffi::CStr::from_ptr(name).to_string_lossy().into_owned()
        }
    }
}

fn open_stream(
    fd: i32,
    name: &str,
    mode: &str,
    encoding: &str,
    errors: &str,
    io: &Object,
    vm: &Vm,
) -> PyResult {
    // SAFETY: a plain system call.
    if unsafe { libc::fcntl(fd, libc::F_GETFD) } < 0 {
        return Ok(vm.none());
    }
    let ids = vm.ids();
    let unbuffered = vm.interp().config.borrow().unbuffered;
    let raw_output = unbuffered && fd != 0;
    let text = |value: &str| vm.new_str(value).into_object();
    let buffering = vm.new_int(if raw_output { 0 } else { -1 });
    let raw_mode = text(if fd == 0 { "rb" } else { "wb" });
    let open = io.get_attr(ids.open, vm)?;
    let none = vm.none_ref();
    let fd_object = vm.new_int(fd);
    let arguments = [&*fd_object, &raw_mode, &buffering, none, none, none, vm.false_ref()];
    let buffer = open.call(&arguments, vm)?;
    let raw = if raw_output { buffer.clone() } else { buffer.get_attr(ids.raw, vm)? };
    raw.set_attr(ids.name, vm.new_str(&format!("<{name}>")).as_object(), vm)?;
    let is_tty = raw.call_method(ids.isatty, &[], vm)?.is_true(vm)?;
    let line_buffering = vm.new_bool(!unbuffered && (is_tty || fd == 2));
    let (encoding, errors) = (text(encoding), text(errors));
    let wrapper = io.get_attr(&vm.intern("TextIOWrapper"), vm)?;
    let arguments =
        [&*buffer, &encoding, &errors, ids.newline.as_object(), &line_buffering, &vm.new_bool(unbuffered)];
    let stream = wrapper.call(&arguments, vm)?;
    stream.set_attr(ids.mode, vm.new_str(mode).as_object(), vm)?;
    Ok(stream)
}
