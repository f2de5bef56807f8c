//! `_elementtree`: the fast part of `xml.etree.ElementTree`.
//!
//! - `element.rs`, `iterator.rs`: elements
//! - `builder.rs`: from events to elements; `xmlparser.rs`: from a document to events, by `expat`

use taipan_vm::exceptions::declared::DeclaredException;
use taipan_vm::prelude::*;

use crate::expat::errors::message;
use crate::expat::{Code, Position};

mod builder;
mod element;
mod iterator;
mod xmlparser;

use builder::TreeBuilder;
use element::Element;
use xmlparser::XmlParser;

/// The module.
pub struct ElementTree;

static PARSE_ERROR: DeclaredException =
    DeclaredException { name: "xml.etree.ElementTree.ParseError", base: types::syntax_error };

/// What the module's objects share.
#[derive(Default)]
pub struct State {
    /// What makes elements of comments.
    pub comment_factory: Slot<Object>,
    /// What makes elements of processing instructions.
    pub pi_factory: Slot<Object>,
    element_path: Slot<Object>,
    deep_copy: Slot<Object>,
}

fn state(vm: &Vm) -> &State {
    vm.interp().state::<State>()
}

impl State {
    /// The module `xml.etree.ElementPath`.
    pub fn element_path(&self, vm: &Vm) -> PyResult {
        if let Some(known) = self.element_path.get() {
            return Ok(known);
        }
        taipan_vm::import::import_module("xml.etree.ElementPath", vm)?;
        let name = vm.intern("xml.etree.ElementPath");
        let module = taipan_vm::import::loaded_module(&name, vm)?
            .ok_or_else(|| vm.import_error("No module named 'xml.etree.ElementPath'"))?;
        self.element_path.put(module.clone());
        Ok(module)
    }

    /// `copy.deepcopy`.
    pub fn deep_copy(&self, vm: &Vm) -> PyResult {
        if let Some(known) = self.deep_copy.get() {
            return Ok(known);
        }
        let function = taipan_vm::import::import_module("copy", vm)?.get_attr(&vm.intern("deepcopy"), vm)?;
        self.deep_copy.put(function.clone());
        Ok(function)
    }
}

/// The items of an iterable; `TypeError(text)` for what is none.
fn items_of(object: &Object, text: &str, vm: &Vm) -> PyResult<Vec<ObjRef>> {
    let iterator = object.iter(vm).map_err(|raised| {
        if !vm.exception_matches(types::type_error()) {
            return raised;
        }
        vm.clear_exception();
        vm.type_error(text)
    })?;
    let mut items = Vec::new();
    while let Some(item) = iterator.iter_next(vm)? {
        items.push(item);
    }
    Ok(items)
}

/// Raises `ParseError(text)`.
fn parse_error(text: &str, vm: &Vm) -> Raised {
    PARSE_ERROR.raise(text, vm)
}

/// Raises `ParseError` of a code at a place.
fn expat_error(code: Code, position: Option<Position>, text: Option<&str>, vm: &Vm) -> Raised {
    match error_object(code, position, text, vm) {
        Ok(error) => vm.raise_object(error),
        Err(raised) => raised,
    }
}

fn error_object(
    code: Code,
    position: Option<Position>,
    text: Option<&str>,
    vm: &Vm,
) -> PyResult<Ref<BaseException>> {
    let (line, column) = position.map_or((1, 0), |position| (position.line, position.column));
    let text = text.or_else(|| message(code as i64)).unwrap_or("");
    let text = vm.new_str(&format!("{text}: line {line}, column {column}"));
    let error = PARSE_ERROR.get(vm)?.as_object().call(&[text.as_object()], vm)?;
    error.set_attr(&vm.intern("code"), &vm.new_int(code as i32), vm)?;
    let place = Tuple::pair(vm.new_int(line), vm.new_int(column), vm);
    error.set_attr(&vm.intern("position"), place.as_object(), vm)?;
    error.downcast::<BaseException>().map_err(|_| vm.type_error("exceptions must derive from BaseException"))
}

#[allow(non_snake_case, reason = "the functions have ElementTree's names")]
#[pymodule(name = "_elementtree", types(Element, TreeBuilder, XmlParser))]
impl ElementTree {
    #[function("!($module, /, *args, **extra)")]
    fn SubElement(args: &[&Object], extra: KwArgs<'_>, vm: &Vm) -> PyResult {
        let args: Vec<ObjRef> = args.iter().map(|arg| arg.to_ref()).collect();
        let extra = extra.to_dict(vm)?;
        element::sub_element(&args, Some(&extra), vm)
    }

    /// Change the factories used to create comments and processing instructions.
    ///
    /// For internal use only.
    #[function("($module, comment_factory, pi_factory, /)")]
    fn _set_factories(comment_factory: &Object, pi_factory: &Object, vm: &Vm) -> PyResult<Ref<Tuple>> {
        for (factory, what) in [(comment_factory, "Comment"), (pi_factory, "PI")] {
            if !factory.is_callable() && !vm.is_none(factory) {
                let given = factory.ob_type().tp_name_str();
                return Err(vm.type_error(format!("{what} factory must be callable, not {given}")));
            }
        }
        let given = |factory: &Object| (!vm.is_none(factory)).then(|| factory.to_ref());
        let comments = state(vm).comment_factory.replace(given(comment_factory));
        let pis = state(vm).pi_factory.replace(given(pi_factory));
        let shown = |old: Option<ObjRef>| old.unwrap_or_else(|| vm.none());
        Ok(Tuple::pair(shown(comments), shown(pis), vm))
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        state(vm).deep_copy(vm)?;
        module.set("ParseError", PARSE_ERROR.get(vm)?.as_object(), vm)
    }
}
