//! `XMLParser`.

use std::cell::RefCell;
use std::rc::Rc;

use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::SIMPLE;

use super::builder::{REPORT_NAMES, Report, TreeBuilder};
use super::expat_error;
use crate::expat::{Attributes, ByteTable, Code, Event, Flow, Handler, Parser, Shared, Stop};
use crate::pyexpat::names::{NameCache, text, text_or_none};

/// How much `_parse_whole` reads at once.
const CHUNK: usize = 64 * 1024;
/// Between a namespace and a name.
const SEPARATOR: u8 = b'}';

/// The methods of a target that isn't a plain `TreeBuilder`.
#[derive(Debug, Clone, Copy)]
enum Method {
    Start,
    Data,
    End,
    Comment,
    Pi,
    Close,
    Doctype,
    StartNs,
    EndNs,
}

const METHODS: [&str; 9] =
    ["start", "data", "end", "comment", "pi", "close", "doctype", "start_ns", "end_ns"];

/// The layout of a parser.
#[repr(C)]
#[derive(Traverse)]
pub struct XmlParser {
    #[traverse(skip)]
    ob: Object,
    /// Taken out while it works.
    #[traverse(skip)]
    parser: RefCell<Option<Box<Parser>>>,
    #[traverse(skip)]
    shared: RefCell<Option<Rc<Shared>>>,
    target: Slot<Object>,
    entity: Slot<Object>,
    methods: Vec<Slot<Object>>,
    #[traverse(skip)]
    names: NameCache,
}

impl XmlParser {
    /// The target when it is a plain builder, which is used without calls.
    fn builder(&self) -> Option<Ref<TreeBuilder>> {
        let target = self.target.get()?;
        let is_plain = std::ptr::eq(target.ob_type(), TreeBuilder::type_object());
        if is_plain { target.downcast::<TreeBuilder>().ok() } else { None }
    }

    fn method(&self, method: Method) -> Option<ObjRef> {
        self.methods.get(method as usize)?.get()
    }

    fn has(&self, method: Method) -> bool {
        self.methods.get(method as usize).is_some_and(|slot| !slot.is_none())
    }

    /// The name in universal form, "{uri}local".
    fn universal(&self, name: &[u8], vm: &Vm) -> PyResult<ObjRef> {
        if let Some(known) = self.names.get(name) {
            return Ok(known);
        }
        let made = if memchr::memchr(SEPARATOR, name).is_some() {
            let mut full = Vec::with_capacity(name.len() + 1);
            full.push(b'{');
            full.extend_from_slice(name);
            text(&full, vm)?
        } else {
            text(name, vm)?
        };
        let made = made.into_object();
        self.names.put(name, made.clone());
        Ok(made)
    }

    fn check(&self, vm: &Vm) -> PyResult<Rc<Shared>> {
        match &*self.shared.borrow() {
            Some(shared) if !self.target.is_none() => Ok(Rc::clone(shared)),
            _ => Err(vm.value_error("XMLParser.__init__() wasn't called")),
        }
    }

    fn parse(&self, data: &[u8], last: bool, encoding: Option<&[u8]>, vm: &Vm) -> PyResult<()> {
        let shared = self.check(vm)?;
        let taken = self.parser.borrow_mut().take();
        let Some(mut parser) = taken else {
            return Err(vm.runtime_error("cannot use the parser from within a handler"));
        };
        if let Some(encoding) = encoding {
            parser.set_encoding(encoding);
        }
        let builder = self.builder();
        let result = parser.parse(data, last, &Calls { parser: self, builder: builder.as_deref(), vm });
        *self.parser.borrow_mut() = Some(parser);
        match result {
            Ok(()) => Ok(()),
            Err(Stop::Raised) => Err(vm.check_raised()),
            Err(Stop::Error(code)) => Err(expat_error(code, shared.position(), None, vm)),
        }
    }

    fn finish(&self, vm: &Vm) -> PyResult<()> {
        self.parse(b"", true, None, vm)
    }
}

/// A parser while it works.
struct Calls<'a> {
    parser: &'a XmlParser,
    builder: Option<&'a TreeBuilder>,
    vm: &'a Vm,
}

fn stop<T>(result: PyResult<T>) -> Flow<T> {
    result.map_err(|_| Stop::Raised)
}

impl Calls<'_> {
    fn call(&self, method: Method, args: &[&Object]) -> PyResult<()> {
        match self.parser.method(method) {
            Some(method) => method.call(args, self.vm).map(|_| ()),
            None => Ok(()),
        }
    }

    fn start(&self, name: &[u8], attributes: &Attributes<'_>) -> PyResult<()> {
        let (parser, vm) = (self.parser, self.vm);
        let tag = parser.universal(name, vm)?;
        let attrib = if attributes.is_empty() {
            None
        } else {
            let dict = vm.new_dict();
            for (name, value) in attributes.iter() {
                let (name, value) = (parser.universal(name, vm)?, text(value, vm)?);
                dict.set_item(&name, value.as_object(), vm)?;
            }
            Some(dict)
        };
        match self.builder {
            Some(builder) => builder.begin(&tag, attrib, vm).map(|_| ()),
            None => {
                let attrib = attrib.unwrap_or_else(|| vm.new_dict());
                self.call(Method::Start, &[&tag, attrib.as_object()])
            }
        }
    }

    fn end(&self, name: &[u8]) -> PyResult<()> {
        match self.builder {
            Some(builder) => builder.finish(self.vm).map(|_| ()),
            None if !self.parser.has(Method::End) => Ok(()),
            None => {
                let tag = self.parser.universal(name, self.vm)?;
                self.call(Method::End, &[&tag])
            }
        }
    }

    fn data(&self, data: &[u8]) -> PyResult<()> {
        match self.builder {
            Some(builder) => {
                builder.raw_data(data);
                Ok(())
            }
            None if !self.parser.has(Method::Data) => Ok(()),
            None => self.call(Method::Data, &[text(data, self.vm)?.as_object()]),
        }
    }

    /// What is no markup and no text: a reference to an entity that isn't known.
    fn unknown(&self, data: &[u8]) -> PyResult<()> {
        let [b'&', name @ .., _] = data else { return Ok(()) };
        if name.is_empty() {
            return Ok(());
        }
        let (parser, vm) = (self.parser, self.vm);
        let key = text(name, vm)?;
        let entities = parser.entity.get();
        let known = match entities.as_deref().and_then(|entities| entities.downcast_ref::<Dict>()) {
            Some(entities) => entities.get_item(key.as_object(), vm)?,
            None => None,
        };
        let Some(value) = known else {
            let shared = parser.check(vm)?;
            let message = format!("undefined entity &{};", key.to_string_lossy());
            return Err(expat_error(Code::UndefinedEntity, shared.position(), Some(&message), vm));
        };
        match self.builder {
            Some(builder) => builder.as_object().call_method(&vm.intern("data"), &[&value], vm).map(|_| ()),
            None => self.call(Method::Data, &[&value]),
        }
    }

    fn namespace(&self, prefix: Option<&[u8]>, uri: Option<&[u8]>) -> PyResult<()> {
        let vm = self.vm;
        let prefix = text(prefix.unwrap_or(b""), vm)?.into_object();
        let uri = text(uri.unwrap_or(b""), vm)?.into_object();
        match self.builder {
            Some(builder) => builder.tell(Report::StartNs, Tuple::pair(prefix, uri, vm).as_object(), vm),
            None => self.call(Method::StartNs, &[&prefix, &uri]),
        }
    }
}

impl Handler for Calls<'_> {
    fn wants(&self, event: Event) -> bool {
        let parser = self.parser;
        match (event, self.builder) {
            (Event::StartElement | Event::EndElement, _) => {
                self.builder.is_some() || parser.has(Method::Start) || event == Event::EndElement
            }
            (Event::CharacterData | Event::Default, _) => true,
            (Event::Comment | Event::ProcessingInstruction, Some(_)) => true,
            (Event::StartNamespaceDecl, Some(builder)) => builder.reports(Report::StartNs),
            (Event::EndNamespaceDecl, Some(builder)) => builder.reports(Report::EndNs),
            (Event::StartDoctypeDecl, _) => true,
            (Event::Comment, None) => parser.has(Method::Comment),
            (Event::ProcessingInstruction, None) => parser.has(Method::Pi),
            (Event::StartNamespaceDecl, None) => parser.has(Method::StartNs),
            (Event::EndNamespaceDecl, None) => parser.has(Method::EndNs),
            _ => false,
        }
    }

    fn start_element(&self, name: &[u8], attributes: &Attributes<'_>) -> Flow {
        stop(self.start(name, attributes))
    }

    fn end_element(&self, name: &[u8]) -> Flow {
        stop(self.end(name))
    }

    fn character_data(&self, data: &[u8]) -> Flow {
        stop(self.data(data))
    }

    fn default(&self, data: &[u8]) -> Flow {
        stop(self.unknown(data))
    }

    fn comment(&self, data: &[u8]) -> Flow {
        let data = stop(text(data, self.vm))?;
        stop(match self.builder {
            Some(builder) => builder.add_comment(data.as_object(), self.vm).map(|_| ()),
            None => self.call(Method::Comment, &[data.as_object()]),
        })
    }

    fn processing_instruction(&self, target: &[u8], data: &[u8]) -> Flow {
        let target = stop(text(target, self.vm))?;
        let data = stop(text(data, self.vm))?;
        stop(match self.builder {
            Some(builder) => builder.add_pi(target.as_object(), data.as_object(), self.vm).map(|_| ()),
            None => self.call(Method::Pi, &[target.as_object(), data.as_object()]),
        })
    }

    fn start_namespace_decl(&self, prefix: Option<&[u8]>, uri: Option<&[u8]>) -> Flow {
        stop(self.namespace(prefix, uri))
    }

    fn end_namespace_decl(&self, prefix: Option<&[u8]>) -> Flow {
        let prefix = stop(text(prefix.unwrap_or(b""), self.vm))?;
        stop(match self.builder {
            Some(builder) => builder.tell(Report::EndNs, self.vm.none_ref(), self.vm),
            None => self.call(Method::EndNs, &[prefix.as_object()]),
        })
    }

    fn start_doctype_decl(
        &self,
        name: &[u8],
        system_id: Option<&[u8]>,
        public_id: Option<&[u8]>,
        _has_internal_subset: bool,
    ) -> Flow {
        let vm = self.vm;
        let name = stop(self.parser.universal(name, vm))?;
        let system_id = stop(text_or_none(system_id, vm))?;
        let public_id = stop(text_or_none(public_id, vm))?;
        if self.parser.has(Method::Doctype) {
            return stop(self.call(Method::Doctype, &[&name, &public_id, &system_id]));
        }
        // A subclass that still has the method of old.
        let own = stop(self.parser.as_object().lookup_attr(&vm.intern("doctype"), vm))?;
        if own.is_some() {
            stop(taipan_vm::builtins::warn::warn(
                types::runtime_warning(),
                "The doctype() method of XMLParser is ignored.  Define doctype() method on the TreeBuilder target.",
                1,
                vm,
            ))?;
        }
        Ok(())
    }

    fn unknown_encoding(&self, name: &[u8]) -> Flow<Option<Box<ByteTable>>> {
        stop(crate::pyexpat::byte_table(name, self.vm)).map(Some)
    }
}

#[pytype(
    name = "xml.etree.ElementTree.XMLParser",
    flags(BASETYPE),
    gc,
    doc = "",
    members(entity: OBJECT = entity, readonly; target: OBJECT = target, readonly)
)]
impl XmlParser {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(
            cls,
            XmlParser {
                ob: Object::new(Self::type_object()),
                parser: RefCell::new(None),
                shared: RefCell::new(None),
                target: Slot::empty(),
                entity: Slot::empty(),
                methods: METHODS.iter().map(|_| Slot::empty()).collect(),
                names: NameCache::default(),
            },
        )
    }

    #[init("(*, target=None, encoding=None)")]
    fn init(&self, target: Option<&Object>, encoding: Option<OrNone<&str>>, vm: &Vm) -> PyResult<()> {
        let encoding = encoding.and_then(|encoding| encoding.0).map(str::as_bytes);
        let target = match target.filter(|target| !vm.is_none(target)) {
            Some(target) => target.to_ref(),
            None => TreeBuilder::create(vm).into_object(),
        };
        let mut methods = Vec::with_capacity(METHODS.len());
        for name in METHODS {
            methods.push(target.lookup_attr(&vm.intern(name), vm)?);
        }
        let parser = Parser::new(encoding, Some(SEPARATOR));
        *self.shared.borrow_mut() = Some(Rc::clone(&parser.shared));
        let old = self.parser.borrow_mut().replace(Box::new(parser));
        drop(old);
        for (slot, method) in self.methods.iter().zip(methods) {
            slot.set(method);
        }
        self.entity.put(vm.new_dict().into_object());
        self.target.put(target);
        Ok(())
    }

    #[method("($self, data, /)")]
    fn feed(&self, data: &Object, vm: &Vm) -> PyResult<()> {
        self.check(vm)?;
        if let Some(data) = data.downcast_ref::<Str>() {
            let data = data.to_utf8(vm)?;
            return self.parse(data.as_bytes(), false, Some(b"utf-8"), vm);
        }
        let buffer = data.get_buffer(SIMPLE, vm)?;
        self.parse(buffer.as_bytes(), false, None, vm)
    }

    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> PyResult {
        self.check(vm)?;
        self.finish(vm)?;
        if let Some(builder) = self.builder() {
            return Ok(builder.result(vm));
        }
        match self.method(Method::Close) {
            Some(close) => close.call(&[], vm),
            None => Ok(vm.none()),
        }
    }

    #[method("($self, /)")]
    fn flush(&self, vm: &Vm) -> PyResult<()> {
        let shared = self.check(vm)?;
        let deferred = shared.reparse_deferral.replace(false);
        let result = self.parse(b"", false, None, vm);
        shared.reparse_deferral.set(deferred);
        result
    }

    #[method("($self, file, /)")]
    fn _parse_whole(&self, file: &Object, vm: &Vm) -> PyResult {
        self.check(vm)?;
        let read = file.get_attr(vm.ids().read, vm)?;
        let size = vm.new_int(CHUNK);
        loop {
            let chunk = read.call(&[&size], vm)?;
            if let Some(data) = chunk.downcast_exact::<Str>() {
                if data.is_empty() {
                    break;
                }
                let data = taipan_vm::builtins::codecs_core::encode_str(data, "utf-8", "surrogatepass", vm)?;
                let Some(data) = data.downcast_ref::<Bytes>() else { break };
                self.parse(data.as_bytes(), false, Some(b"utf-8"), vm)?;
                continue;
            }
            match chunk.downcast_exact::<Bytes>() {
                Some(data) if !data.as_bytes().is_empty() => self.parse(data.as_bytes(), false, None, vm)?,
                _ => break,
            }
        }
        self.finish(vm)?;
        match self.builder() {
            Some(builder) => Ok(builder.result(vm)),
            None => Ok(vm.none()),
        }
    }

    #[method("($self, events_queue, events_to_report=None, /)")]
    fn _setevents(&self, events_queue: &Object, events_to_report: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.check(vm)?;
        let Some(builder) = self.builder() else {
            return Err(vm.type_error("event handling only supported for ElementTree.TreeBuilder targets"));
        };
        let append = events_queue.get_attr(&vm.intern("append"), vm)?;
        builder.set_reports(append);
        let Some(events) = events_to_report.filter(|events| !vm.is_none(events)) else {
            builder.add_report(Report::End, vm.intern("end").into_object());
            return Ok(());
        };
        let events = events.collect_iterable(vm).map_err(|raised| {
            if !vm.exception_matches(types::type_error()) {
                return raised;
            }
            vm.clear_exception();
            vm.type_error("events must be a sequence")
        })?;
        for event in events {
            let name = match (event.downcast_ref::<Str>(), event.downcast_ref::<Bytes>()) {
                (Some(name), _) => name.to_utf8(vm)?.to_owned(),
                (_, Some(name)) => String::from_utf8_lossy(name.as_bytes()).into_owned(),
                _ => return Err(vm.value_error("invalid events sequence")),
            };
            let report = match REPORT_NAMES.iter().position(|known| *known == name) {
                Some(0) => Report::Start,
                Some(1) => Report::End,
                Some(2) => Report::StartNs,
                Some(3) => Report::EndNs,
                Some(4) => Report::Comment,
                Some(_) => Report::Pi,
                None => return Err(vm.value_error(format!("unknown event '{name}'"))),
            };
            builder.add_report(report, event);
        }
        Ok(())
    }

    #[getter(version)]
    fn get_version(&self) -> String {
        let (major, minor, micro) = crate::pyexpat::VERSION;
        format!("Expat {major}.{minor}.{micro}")
    }
}
