//! `pyexpat`: the fast XML parser.
//!
//! `expat` does the work; here are its Python clothes: `parser.rs` the type, `handler.rs` the calls of handlers,
//! `names.rs` the strings.

use taipan_vm::builtins::traceback::Traceback;
use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::prelude::*;

use crate::expat::errors::{CODES, message};
use crate::expat::{Code, Position};

mod handler;
pub mod names;
mod parser;

pub use handler::byte_table;
pub use parser::XmlParser;

/// The module.
pub struct PyExpat;

pub(crate) static ERROR: DeclaredException =
    DeclaredException { name: "xml.parsers.expat.ExpatError", base: types::exception };

/// The version whose behaviour this is.
pub(crate) const VERSION: (i32, i32, i32) = (2, 9, 0);

/// Raises `ExpatError` of a code at a place.
pub(crate) fn raise_error(code: Code, position: Option<Position>, vm: &Vm) -> Raised {
    let (line, column) = position.map_or((1, 0), |position| (position.line, position.column));
    let text = message(code as i64).unwrap_or("");
    match error_object(code, line, column, text, vm) {
        Ok(error) => vm.raise_object(error),
        Err(raised) => raised,
    }
}

fn error_object(code: Code, line: u64, column: u64, text: &str, vm: &Vm) -> PyResult<Ref<BaseException>> {
    let text = vm.new_str(&format!("{text}: line {line}, column {column}"));
    let error = ERROR.get(vm)?.as_object().call(&[text.as_object()], vm)?;
    error.set_attr(&vm.intern("code"), &vm.new_int(code as i32), vm)?;
    error.set_attr(&vm.intern("offset"), &vm.new_int(column), vm)?;
    error.set_attr(&vm.intern("lineno"), &vm.new_int(line), vm)?;
    error.downcast::<BaseException>().map_err(|_| vm.type_error("exceptions must derive from BaseException"))
}

/// Adds a level for a native function to an exception's traceback: the call of a handler.
fn add_traceback_level(exception: &BaseException, name: &str, vm: &Vm) -> PyResult<()> {
    let code = taipan_vm::runtime::compile::compile_file(b"", "pyexpat.c", vm)?;
    let replace = code.as_object().get_attr(&vm.intern("replace"), vm)?;
    let names = vm.new_tuple([vm.intern("co_name").into_object()]);
    let code = replace.call_kw(&[vm.new_str(name).as_object()], Some(&names), vm)?;
    let Some(code) = code.downcast_ref::<taipan_vm::builtins::code::Code>() else { return Ok(()) };
    let function = Function::new_object(code, &vm.new_dict(), vm)?;
    let frame = taipan_vm::builtins::frame::new_detached(&function, vm);
    let level = Traceback::with_line(exception.traceback(), frame, 0, 1, vm);
    exception.traceback.put(level.into_object());
    Ok(())
}

fn errors_module(vm: &Vm) -> PyResult<Ref<Module>> {
    let module = Module::create("pyexpat.errors", Some("Constants used to describe error conditions."), vm)?;
    let (codes, messages) = (vm.new_dict(), vm.new_dict());
    for &(name, number, text) in CODES {
        let (number, text) = (vm.new_int(number), vm.new_str(text).into_object());
        module.set(name, &text, vm)?;
        codes.set_item(&text, &number, vm)?;
        messages.set_item(&number, &text, vm)?;
    }
    module.set("codes", codes.as_object(), vm)?;
    module.set("messages", messages.as_object(), vm)?;
    Ok(module)
}

const MODEL: [(&str, i32); 10] = [
    ("XML_CTYPE_EMPTY", 1),
    ("XML_CTYPE_ANY", 2),
    ("XML_CTYPE_MIXED", 3),
    ("XML_CTYPE_NAME", 4),
    ("XML_CTYPE_CHOICE", 5),
    ("XML_CTYPE_SEQ", 6),
    ("XML_CQUANT_NONE", 0),
    ("XML_CQUANT_OPT", 1),
    ("XML_CQUANT_REP", 2),
    ("XML_CQUANT_PLUS", 3),
];

const FEATURES: [(&str, i64); 10] = [
    ("sizeof(XML_Char)", 1),
    ("sizeof(XML_LChar)", 1),
    ("XML_DTD", 0),
    ("XML_CONTEXT_BYTES", 1024),
    ("XML_NS", 0),
    ("XML_BLAP_MAX_AMP", 100),
    ("XML_BLAP_ACT_THRES", 8 << 20),
    ("XML_GE", 0),
    ("XML_AT_MAX_AMP", 100),
    ("XML_AT_ACT_THRES", 64 << 20),
];

/// Python wrapper for Expat parser.
#[allow(non_snake_case, reason = "the functions have expat's names")]
#[pymodule(name = "pyexpat")]
impl PyExpat {
    /// Return a new XML parser object.
    #[function("($module, /, encoding=None, namespace_separator=None, intern=<unrepresentable>)")]
    fn ParserCreate(
        encoding: OrNone<&str>,
        namespace_separator: OrNone<&str>,
        intern: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let namespaces = match namespace_separator.0.map(str::as_bytes) {
            None => None,
            Some([]) => Some(0),
            Some(&[byte]) => Some(byte),
            Some(_) => {
                return Err(
                    vm.value_error("namespace_separator must be at most one character, omitted, or None")
                );
            }
        };
        let intern = match intern {
            None => Some(vm.new_dict()),
            Some(none) if vm.is_none(none) => None,
            Some(given) => match given.downcast_ref::<Dict>() {
                Some(dict) => Some(Ref::new_ref(dict)),
                None => return Err(vm.type_error("intern must be a dictionary")),
            },
        };
        Ok(parser::create(encoding.0, namespaces, intern, vm))
    }

    /// Returns string error for given number.
    #[function("($module, code, /)")]
    fn ErrorString(code: i64) -> Option<&'static str> {
        message(code)
    }

    #[constant("EXPAT_VERSION")]
    fn expat_version() -> String {
        format!("expat_{}.{}.{}", VERSION.0, VERSION.1, VERSION.2)
    }

    #[constant("native_encoding")]
    fn native_encoding() -> &'static str {
        "UTF-8"
    }

    #[constant("XML_PARAM_ENTITY_PARSING_NEVER")]
    fn never() -> i32 {
        0
    }

    #[constant("XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE")]
    fn unless_standalone() -> i32 {
        1
    }

    #[constant("XML_PARAM_ENTITY_PARSING_ALWAYS")]
    fn always() -> i32 {
        2
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        let error = ERROR.get(vm)?;
        module.set("error", error.as_object(), vm)?;
        module.set("ExpatError", error.as_object(), vm)?;
        module.set("XMLParserType", XmlParser::type_object().as_object(), vm)?;
        let version = [VERSION.0, VERSION.1, VERSION.2].map(|n| vm.new_int(n));
        module.set("version_info", vm.new_tuple(version).as_object(), vm)?;
        let features = FEATURES.map(|(name, value)| {
            vm.new_tuple([vm.new_str(name).into_object(), vm.new_int(value)]).into_object()
        });
        module.set("features", vm.new_list(features).as_object(), vm)?;
        let modules = taipan_vm::import::modules(vm)?;
        let errors = errors_module(vm)?;
        let model = Module::create(
            "pyexpat.model",
            Some("Constants used to interpret content model information."),
            vm,
        )?;
        for (name, value) in MODEL {
            model.set(name, &vm.new_int(value), vm)?;
        }
        modules.set_item(vm.new_str("pyexpat.errors").as_object(), errors.as_object(), vm)?;
        modules.set_item(vm.new_str("pyexpat.model").as_object(), model.as_object(), vm)?;
        module.set("errors", errors.as_object(), vm)?;
        module.set("model", model.as_object(), vm)
    }
}
