//! `xmlparser` objects.

#![allow(non_snake_case, reason = "the methods have expat's names")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use taipan_vm::prelude::*;
use taipan_vm::protocols::buffer::SIMPLE;

use super::handler::Calls;
use super::names::{NameCache, text, text_or_none};
use super::raise_error;
use crate::expat::{Code, Event, Parser, Shared, Stop, Width};

/// The place of `DefaultHandlerExpand` among the handlers: behind those of the events.
pub const DEFAULT_EXPAND: usize = Event::SkippedEntity as usize + 1;
const HANDLERS: usize = DEFAULT_EXPAND + 1;
/// How much `ParseFile` reads at once.
const CHUNK: usize = 2048;
const BUFFER_SIZE: usize = 8192;
/// What the levels of tracebacks are called.
const HANDLER_NAMES: [&str; HANDLERS] = [
    "StartElement",
    "EndElement",
    "ProcessingInstruction",
    "CharacterData",
    "UnparsedEntityDecl",
    "NotationDecl",
    "StartNamespaceDecl",
    "EndNamespaceDecl",
    "Comment",
    "StartCdataSection",
    "EndCdataSection",
    "Default",
    "NotStandalone",
    "ExternalEntityRef",
    "StartDoctypeDecl",
    "EndDoctypeDecl",
    "EntityDecl",
    "XmlDecl",
    "ElementDecl",
    "AttlistDecl",
    "SkippedEntity",
    "DefaultHandlerExpand",
];

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
    shared: Rc<Shared>,
    #[traverse(skip)]
    namespaces: Option<u8>,
    handlers: Vec<Slot<Object>>,
    intern: Slot<Dict>,
    #[traverse(skip)]
    names: NameCache,
    /// Character data that is held back.
    #[traverse(skip)]
    held: RefCell<Vec<u8>>,
    #[traverse(skip)]
    buffer_size: Cell<usize>,
    #[traverse(skip)]
    buffer_text: Cell<bool>,
    /// Whether attributes come as a list.
    #[traverse(skip)]
    pub ordered_attributes: Cell<bool>,
    /// Whether defaults from the DTD are left out.
    #[traverse(skip)]
    pub specified_attributes: Cell<bool>,
    /// The default handler that was set last expands entities.
    #[traverse(skip)]
    pub default_expands: Cell<bool>,
    #[traverse(skip)]
    in_callback: Cell<bool>,
}

/// `ParserCreate`.
pub fn create(encoding: Option<&str>, namespaces: Option<u8>, intern: Option<Ref<Dict>>, vm: &Vm) -> ObjRef {
    let parser = Parser::new(encoding.map(str::as_bytes), namespaces);
    XmlParser::with(parser, namespaces, intern, vm).into_object()
}

impl XmlParser {
    fn with(parser: Parser, namespaces: Option<u8>, intern: Option<Ref<Dict>>, vm: &Vm) -> Ref<XmlParser> {
        let shared = Rc::clone(&parser.shared);
        vm.new_object(XmlParser {
            ob: Object::new(Self::type_object()),
            parser: RefCell::new(Some(Box::new(parser))),
            shared,
            namespaces,
            handlers: (0..HANDLERS).map(|_| Slot::empty()).collect(),
            intern: Slot::new(intern),
            names: NameCache::default(),
            held: RefCell::default(),
            buffer_size: Cell::new(BUFFER_SIZE),
            buffer_text: Cell::new(false),
            ordered_attributes: Cell::new(false),
            specified_attributes: Cell::new(false),
            default_expands: Cell::new(false),
            in_callback: Cell::new(false),
        })
    }

    fn handler(&self, index: usize) -> Option<ObjRef> {
        self.handlers.get(index)?.get()
    }

    /// Whether the event has a handler.
    #[inline]
    pub fn has_handler(&self, index: usize) -> bool {
        let index = if index == Event::Default as usize && self.default_expands.get() {
            DEFAULT_EXPAND
        } else {
            index
        };
        self.handlers.get(index).is_some_and(|slot| !slot.is_none())
    }

    /// Takes all handlers away, as an exception does.
    pub fn drop_handlers(&self) {
        for slot in &self.handlers {
            slot.set(None);
        }
    }

    fn set_handler(&self, index: usize, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.runtime_error("Cannot delete attribute")) };
        if index == Event::CharacterData as usize {
            // What was held back is the old handler's.
            self.flush(vm)?;
        }
        if index == Event::Default as usize || index == DEFAULT_EXPAND {
            self.default_expands.set(index == DEFAULT_EXPAND);
            self.shared.expand_internal_entities.set(index == DEFAULT_EXPAND);
        }
        if let Some(slot) = self.handlers.get(index) {
            slot.set((!vm.is_none(value)).then(|| value.to_ref()));
        }
        Ok(())
    }

    /// Calls a handler; nothing when it is gone.
    pub fn call_handler(&self, index: usize, args: &[&Object], vm: &Vm) -> PyResult<Option<ObjRef>> {
        let Some(handler) = self.handler(index) else { return Ok(None) };
        let outer = self.in_callback.replace(true);
        let result = handler.call(args, vm);
        self.in_callback.set(outer);
        match result {
            Ok(answer) => Ok(Some(answer)),
            Err(raised) => {
                // Giving the handlers up may run code: the exception waits elsewhere.
                let exception = vm.take_exception();
                self.drop_handlers();
                let Some(exception) = exception else { return Err(raised) };
                let name = HANDLER_NAMES.get(index).copied().unwrap_or("Default");
                super::add_traceback_level(&exception, name, vm)?;
                Err(vm.reraise(exception))
            }
        }
    }

    /// Hands on the character data that was held back.
    pub fn flush(&self, vm: &Vm) -> PyResult<()> {
        if self.held.borrow().is_empty() {
            return Ok(());
        }
        let held = std::mem::take(&mut *self.held.borrow_mut());
        self.tell_data(&held, vm)
    }

    fn tell_data(&self, data: &[u8], vm: &Vm) -> PyResult<()> {
        let data = text(data, vm)?;
        self.call_handler(Event::CharacterData as usize, &[data.as_object()], vm).map(|_| ())
    }

    /// More character data.
    pub fn character_data(&self, data: &[u8], vm: &Vm) -> PyResult<()> {
        if !self.buffer_text.get() {
            return self.tell_data(data, vm);
        }
        let size = self.buffer_size.get();
        if self.held.borrow().len() + data.len() > size {
            self.flush(vm)?;
            if !self.has_handler(Event::CharacterData as usize) {
                return Ok(());
            }
        }
        if data.len() > size {
            return self.tell_data(data, vm);
        }
        self.held.borrow_mut().extend_from_slice(data);
        Ok(())
    }

    /// The string of a name: the same object each time.
    pub fn intern_name(&self, name: &[u8], vm: &Vm) -> PyResult<ObjRef> {
        if let Some(known) = self.names.get(name) {
            return Ok(known);
        }
        let made = text(name, vm)?.into_object();
        let interned = match self.intern.get() {
            None => made,
            Some(dict) => match dict.get_item(&made, vm)? {
                Some(known) => known,
                None => {
                    dict.set_item(&made, &made, vm)?;
                    made
                }
            },
        };
        if interned.downcast_exact::<Str>().is_some() {
            self.names.put(name, interned.clone());
        }
        Ok(interned)
    }

    fn feed(&self, data: &[u8], last: bool, encoding: Option<&[u8]>, vm: &Vm) -> PyResult<i32> {
        let taken = self.parser.borrow_mut().take();
        let Some(mut parser) = taken else { return Err(vm.runtime_error("parser is in use")) };
        if let Some(encoding) = encoding {
            parser.set_encoding(encoding);
        }
        let result = parser.parse(data, last, &Calls { parser: self, vm });
        *self.parser.borrow_mut() = Some(parser);
        match result {
            Ok(()) => {}
            Err(Stop::Raised) => return Err(vm.check_raised()),
            Err(Stop::Error(code)) => return Err(self.raise(code, vm)),
        }
        self.flush(vm)?;
        Ok(1)
    }

    fn raise(&self, code: Code, vm: &Vm) -> Raised {
        raise_error(code, self.shared.position(), vm)
    }

    fn refuse_reentrance(&self, method: &str, vm: &Vm) -> PyResult<()> {
        if self.in_callback.get() {
            return Err(vm.runtime_error(format!("cannot call {method}() from within a handler")));
        }
        Ok(())
    }

    fn check_root(&self, vm: &Vm) -> PyResult<()> {
        if self.shared.is_root { Ok(()) } else { Err(super::ERROR.raise("parser must be a root parser", vm)) }
    }

    /// A factor for the limits, which must be sane.
    fn factor(&self, given: f64, vm: &Vm) -> PyResult<f32> {
        self.check_root(vm)?;
        // Also for NaN.
        if !(given as f32 >= 1.0) {
            return Err(super::ERROR.raise("'max_factor' must be at least 1.0", vm));
        }
        Ok(given as f32)
    }
}

/// A threshold for the limits.
fn threshold(given: &Object, vm: &Vm) -> PyResult<u64> {
    let number = given.as_index(vm)?;
    match number.to_u64() {
        Some(number) => Ok(number),
        None if number.is_negative() => Err(vm.value_error("Cannot convert negative int")),
        None => Err(vm.overflow_error("Python int too large for C unsigned long long")),
    }
}

fn given_bool(value: Option<&Object>, vm: &Vm) -> PyResult<bool> {
    match value {
        None => Err(vm.runtime_error("Cannot delete attribute")),
        Some(value) => value.is_true(vm),
    }
}

/// XML parser
#[pytype(
    name = "pyexpat.xmlparser",
    gc,
    no_new,
    members(intern: OBJECT = intern, readonly)
)]
impl XmlParser {
    /// Parse XML data.
    ///
    /// 'data' can be a bytes-like object or a string.  If it is a string,
    /// the encoding declaration in the XML data is ignored.
    /// 'isfinal' should be true at end of input.
    #[method("($self, data, isfinal=False, /)")]
    fn Parse(&self, data: &Object, isfinal: Option<bool>, vm: &Vm) -> PyResult<i32> {
        self.refuse_reentrance("Parse", vm)?;
        let last = isfinal.unwrap_or(false);
        if let Some(data) = data.downcast_ref::<Str>() {
            let data = data.to_utf8(vm)?;
            return self.feed(data.as_bytes(), last, Some(b"utf-8"), vm);
        }
        let buffer = data.get_buffer(SIMPLE, vm)?;
        self.feed(buffer.as_bytes(), last, None, vm)
    }

    /// Parse XML data from a binary file-like object.
    ///
    /// Its read() method should return bytes.
    #[method("($self, file, /)")]
    fn ParseFile(&self, file: &Object, vm: &Vm) -> PyResult<i32> {
        self.refuse_reentrance("ParseFile", vm)?;
        let Some(read) = file.lookup_attr(vm.ids().read, vm)? else {
            return Err(vm.type_error("argument must have 'read' attribute"));
        };
        let size = vm.new_int(CHUNK);
        loop {
            let chunk = read.call(&[&size], vm)?;
            let data = match (chunk.downcast_ref::<Bytes>(), chunk.downcast_ref::<ByteArray>()) {
                (Some(bytes), _) => bytes.as_bytes().to_vec(),
                (_, Some(_)) => chunk.get_buffer(SIMPLE, vm)?.as_bytes().to_vec(),
                _ => {
                    let given = chunk.ob_type().tp_name_str();
                    return Err(vm.type_error(format!("read() did not return a bytes object (type={given})")));
                }
            };
            if data.len() > CHUNK {
                return Err(vm.value_error(format!(
                    "read() returned too much data: {CHUNK} bytes requested, {} returned",
                    data.len()
                )));
            }
            let answer = self.feed(&data, data.is_empty(), None, vm)?;
            if data.is_empty() {
                return Ok(answer);
            }
        }
    }

    /// Set the base URL for the parser.
    #[method("($self, base, /)")]
    fn SetBase(&self, base: &str) {
        *self.shared.base_uri.borrow_mut() = Some(base.as_bytes().into());
    }

    /// Return base URL string for the parser.
    #[method("($self, /)")]
    fn GetBase(&self, vm: &Vm) -> PyResult {
        let base = self.shared.base_uri.borrow().clone();
        text_or_none(base.as_deref(), vm)
    }

    /// Return the input which generated the current event as bytes.
    ///
    /// The data is in the encoding of the entity which contains the text.
    /// It extends to the end of the currently buffered input, therefore it
    /// can contain also the data of the following events, and if the event
    /// was generated by a large amount of text, not all of it may be
    /// available.
    #[method("($self, /)")]
    fn GetInputContext(&self, vm: &Vm) -> Option<Ref<Bytes>> {
        if !self.in_callback.get() {
            return None;
        }
        let (text, width) = self.shared.input_context()?;
        if width == Width::Utf16 {
            let text = String::from_utf8_lossy(text);
            let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            return Some(vm.new_bytes(&bytes));
        }
        Some(vm.new_bytes(text))
    }

    /// Create a parser for parsing an external entity based on the information passed to the ExternalEntityRefHandler.
    #[method("($self, context, encoding=<unrepresentable>, /)")]
    fn ExternalEntityParserCreate(
        &self,
        context: &Object,
        encoding: Option<&str>,
        vm: &Vm,
    ) -> PyResult<Ref<XmlParser>> {
        let context = match context.downcast_ref::<Str>() {
            _ if vm.is_none(context) => None,
            Some(context) => Some(context.to_utf8(vm)?.as_bytes().to_vec()),
            None => {
                let given = context.ob_type().tp_name_str();
                return Err(vm.type_error(format!(
                    "ExternalEntityParserCreate() argument 1 must be str or None, not {given}"
                )));
            }
        };
        let encoding = encoding.map(str::as_bytes);
        let parser = Parser::for_entity(&self.shared, context.as_deref(), encoding, self.namespaces);
        let made = XmlParser::with(parser, self.namespaces, self.intern.get(), vm);
        made.buffer_size.set(self.buffer_size.get());
        made.buffer_text.set(self.buffer_text.get());
        made.ordered_attributes.set(self.ordered_attributes.get());
        made.specified_attributes.set(self.specified_attributes.get());
        for (own, other) in self.handlers.iter().zip(&made.handlers) {
            other.set(own.get());
        }
        // They are set one after the other: the last one counts.
        let expands = self.handler(DEFAULT_EXPAND).is_some();
        made.default_expands.set(expands);
        if expands || self.handler(Event::Default as usize).is_some() {
            made.shared.expand_internal_entities.set(expands);
        }
        Ok(made)
    }

    /// Controls parsing of parameter entities (including the external DTD subset).
    ///
    /// Possible flag values are XML_PARAM_ENTITY_PARSING_NEVER,
    /// XML_PARAM_ENTITY_PARSING_UNLESS_STANDALONE and
    /// XML_PARAM_ENTITY_PARSING_ALWAYS. Returns true if setting the flag
    /// was successful.
    #[method("($self, flag, /)")]
    fn SetParamEntityParsing(&self, flag: i32) -> i32 {
        if self.shared.started.get() {
            return 0;
        }
        self.shared.param_entity_parsing.set(flag);
        1
    }

    /// Allows the application to provide an artificial external subset if one is not specified as part of the document instance.
    ///
    /// This readily allows the use of a 'default' document type controlled
    /// by the application, while still getting the advantage of providing
    /// document type information to the parser.  'flag' defaults to True if
    /// not provided.
    #[method("($self, flag=True, /)")]
    fn UseForeignDTD(&self, flag: Option<bool>, vm: &Vm) -> PyResult<()> {
        if self.shared.started.get() {
            return Err(self.raise(Code::CantChangeFeatureOnceParsing, vm));
        }
        self.shared.use_foreign_dtd.set(flag.unwrap_or(true));
        Ok(())
    }

    /// Sets the number of output bytes needed to activate protection against billion laughs attacks.
    ///
    /// The number of output bytes includes amplification from entity expansion
    /// and reading DTD files.
    ///
    /// Parser objects usually have a protection activation threshold of 8 MiB,
    /// but the actual default value depends on the underlying Expat library.
    ///
    /// Activation thresholds below 4 MiB are known to break support for DITA 1.3
    /// payload and are hence not recommended.
    #[method("($self, threshold, /)")]
    fn SetBillionLaughsAttackProtectionActivationThreshold(
        &self,
        threshold: &Object,
        vm: &Vm,
    ) -> PyResult<()> {
        let limit = self::threshold(threshold, vm)?;
        self.check_root(vm)?;
        self.shared.accounting.threshold.set(limit);
        Ok(())
    }

    /// Sets the maximum tolerated amplification factor for protection against billion laughs attacks.
    ///
    /// The amplification factor is calculated as "(direct + indirect) / direct"
    /// while parsing, where "direct" is the number of bytes read from the primary
    /// document in parsing and "indirect" is the number of bytes added by expanding
    /// entities and reading external DTD files, combined.
    ///
    /// The 'max_factor' value must be a non-NaN floating point value greater than
    /// or equal to 1.0. Amplification factors greater than 30,000 can be observed
    /// in the middle of parsing even with benign files in practice. In particular,
    /// the activation threshold should be carefully chosen to avoid false positives.
    ///
    /// Parser objects usually have a maximum amplification factor of 100,
    /// but the actual default value depends on the underlying Expat library.
    #[method("($self, max_factor, /)")]
    fn SetBillionLaughsAttackProtectionMaximumAmplification(&self, max_factor: f64, vm: &Vm) -> PyResult<()> {
        self.shared.accounting.factor.set(self.factor(max_factor, vm)?);
        Ok(())
    }

    /// Sets the number of allocated bytes of dynamic memory needed to activate protection against disproportionate use of RAM.
    ///
    /// Parser objects usually have an allocation activation threshold of 64 MiB,
    /// but the actual default value depends on the underlying Expat library.
    #[method("($self, threshold, /)")]
    fn SetAllocTrackerActivationThreshold(&self, threshold: &Object, vm: &Vm) -> PyResult<()> {
        let limit = self::threshold(threshold, vm)?;
        self.check_root(vm)?;
        self.shared.accounting.alloc_threshold.set(limit);
        Ok(())
    }

    /// Sets the maximum amplification factor between direct input and bytes of dynamic memory allocated.
    ///
    /// The amplification factor is calculated as "allocated / direct" while
    /// parsing, where "direct" is the number of bytes read from the primary
    /// document in parsing and "allocated" is the number of bytes of
    /// dynamic memory allocated in the parser hierarchy.
    ///
    /// The 'max_factor' value must be a non-NaN floating point value
    /// greater than or equal to 1.0.  Amplification factors greater than
    /// 100.0 can be observed near the start of parsing even with benign
    /// files in practice.  In particular, the activation threshold should
    /// be carefully chosen to avoid false positives.
    ///
    /// Parser objects usually have a maximum amplification factor of 100,
    /// but the actual default value depends on the underlying Expat library.
    #[method("($self, max_factor, /)")]
    fn SetAllocTrackerMaximumAmplification(&self, max_factor: f64, vm: &Vm) -> PyResult<()> {
        self.shared.accounting.alloc_factor.set(self.factor(max_factor, vm)?);
        Ok(())
    }

    /// Enable/Disable reparse deferral; enabled by default with Expat >=2.6.0.
    #[method("($self, enabled, /)")]
    fn SetReparseDeferralEnabled(&self, enabled: bool) {
        self.shared.reparse_deferral.set(enabled);
    }

    /// Retrieve reparse deferral enabled status; always returns false with Expat <2.6.0.
    #[method("($self, /)")]
    fn GetReparseDeferralEnabled(&self) -> bool {
        self.shared.reparse_deferral.get()
    }

    #[getter(ErrorCode)]
    fn get_error_code(&self) -> i32 {
        self.shared.error.get()
    }

    #[getter(ErrorLineNumber)]
    fn get_error_line_number(&self) -> u64 {
        self.shared.position().map_or(1, |position| position.line)
    }

    #[getter(ErrorColumnNumber)]
    fn get_error_column_number(&self) -> u64 {
        self.shared.position().map_or(0, |position| position.column)
    }

    #[getter(ErrorByteIndex)]
    fn get_error_byte_index(&self) -> i64 {
        self.shared.position().map_or(-1, |position| position.byte as i64)
    }

    #[getter(CurrentLineNumber)]
    fn get_current_line_number(&self) -> u64 {
        self.get_error_line_number()
    }

    #[getter(CurrentColumnNumber)]
    fn get_current_column_number(&self) -> u64 {
        self.get_error_column_number()
    }

    #[getter(CurrentByteIndex)]
    fn get_current_byte_index(&self) -> i64 {
        self.get_error_byte_index()
    }

    #[getter(buffer_size)]
    fn get_buffer_size(&self) -> usize {
        self.buffer_size.get()
    }

    #[setter(buffer_size)]
    fn set_buffer_size(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.runtime_error("Cannot delete attribute")) };
        let Some(size) = value.downcast_ref::<Int>() else {
            return Err(vm.type_error("buffer_size must be an integer"));
        };
        let Some(size) = size.to_i64() else {
            return Err(vm.overflow_error("Python int too large to convert to C long"));
        };
        if size <= 0 {
            return Err(vm.value_error("buffer_size must be greater than zero"));
        }
        if size > i64::from(i32::MAX) {
            return Err(vm.value_error(format!("buffer_size must not be greater than {}", i32::MAX)));
        }
        self.flush(vm)?;
        self.buffer_size.set(size as usize);
        Ok(())
    }

    #[getter(buffer_text)]
    fn get_buffer_text(&self) -> bool {
        self.buffer_text.get()
    }

    #[setter(buffer_text)]
    fn set_buffer_text(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let holds = given_bool(value, vm)?;
        if !holds {
            self.flush(vm)?;
        }
        self.buffer_text.set(holds);
        Ok(())
    }

    #[getter(buffer_used)]
    fn get_buffer_used(&self) -> usize {
        self.held.borrow().len()
    }

    #[getter(namespace_prefixes)]
    fn get_namespace_prefixes(&self) -> bool {
        self.shared.triplets.get()
    }

    #[setter(namespace_prefixes)]
    fn set_namespace_prefixes(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.shared.triplets.set(given_bool(value, vm)?);
        Ok(())
    }

    #[getter(ordered_attributes)]
    fn get_ordered_attributes(&self) -> bool {
        self.ordered_attributes.get()
    }

    #[setter(ordered_attributes)]
    fn set_ordered_attributes(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.ordered_attributes.set(given_bool(value, vm)?);
        Ok(())
    }

    #[getter(specified_attributes)]
    fn get_specified_attributes(&self) -> bool {
        self.specified_attributes.get()
    }

    #[setter(specified_attributes)]
    fn set_specified_attributes(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.specified_attributes.set(given_bool(value, vm)?);
        Ok(())
    }

    #[getter(StartElementHandler)]
    fn get_start_element_handler(&self) -> Option<ObjRef> {
        self.handler(Event::StartElement as usize)
    }

    #[setter(StartElementHandler)]
    fn set_start_element_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::StartElement as usize, value, vm)
    }

    #[getter(EndElementHandler)]
    fn get_end_element_handler(&self) -> Option<ObjRef> {
        self.handler(Event::EndElement as usize)
    }

    #[setter(EndElementHandler)]
    fn set_end_element_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::EndElement as usize, value, vm)
    }

    #[getter(ProcessingInstructionHandler)]
    fn get_processing_instruction_handler(&self) -> Option<ObjRef> {
        self.handler(Event::ProcessingInstruction as usize)
    }

    #[setter(ProcessingInstructionHandler)]
    fn set_processing_instruction_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::ProcessingInstruction as usize, value, vm)
    }

    #[getter(CharacterDataHandler)]
    fn get_character_data_handler(&self) -> Option<ObjRef> {
        self.handler(Event::CharacterData as usize)
    }

    #[setter(CharacterDataHandler)]
    fn set_character_data_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::CharacterData as usize, value, vm)
    }

    #[getter(UnparsedEntityDeclHandler)]
    fn get_unparsed_entity_decl_handler(&self) -> Option<ObjRef> {
        self.handler(Event::UnparsedEntityDecl as usize)
    }

    #[setter(UnparsedEntityDeclHandler)]
    fn set_unparsed_entity_decl_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::UnparsedEntityDecl as usize, value, vm)
    }

    #[getter(NotationDeclHandler)]
    fn get_notation_decl_handler(&self) -> Option<ObjRef> {
        self.handler(Event::NotationDecl as usize)
    }

    #[setter(NotationDeclHandler)]
    fn set_notation_decl_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::NotationDecl as usize, value, vm)
    }

    #[getter(StartNamespaceDeclHandler)]
    fn get_start_namespace_decl_handler(&self) -> Option<ObjRef> {
        self.handler(Event::StartNamespaceDecl as usize)
    }

    #[setter(StartNamespaceDeclHandler)]
    fn set_start_namespace_decl_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::StartNamespaceDecl as usize, value, vm)
    }

    #[getter(EndNamespaceDeclHandler)]
    fn get_end_namespace_decl_handler(&self) -> Option<ObjRef> {
        self.handler(Event::EndNamespaceDecl as usize)
    }

    #[setter(EndNamespaceDeclHandler)]
    fn set_end_namespace_decl_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::EndNamespaceDecl as usize, value, vm)
    }

    #[getter(CommentHandler)]
    fn get_comment_handler(&self) -> Option<ObjRef> {
        self.handler(Event::Comment as usize)
    }

    #[setter(CommentHandler)]
    fn set_comment_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::Comment as usize, value, vm)
    }

    #[getter(StartCdataSectionHandler)]
    fn get_start_cdata_section_handler(&self) -> Option<ObjRef> {
        self.handler(Event::StartCdataSection as usize)
    }

    #[setter(StartCdataSectionHandler)]
    fn set_start_cdata_section_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::StartCdataSection as usize, value, vm)
    }

    #[getter(EndCdataSectionHandler)]
    fn get_end_cdata_section_handler(&self) -> Option<ObjRef> {
        self.handler(Event::EndCdataSection as usize)
    }

    #[setter(EndCdataSectionHandler)]
    fn set_end_cdata_section_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::EndCdataSection as usize, value, vm)
    }

    #[getter(DefaultHandler)]
    fn get_default_handler(&self) -> Option<ObjRef> {
        self.handler(Event::Default as usize)
    }

    #[setter(DefaultHandler)]
    fn set_default_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::Default as usize, value, vm)
    }

    #[getter(DefaultHandlerExpand)]
    fn get_default_handler_expand(&self) -> Option<ObjRef> {
        self.handler(DEFAULT_EXPAND)
    }

    #[setter(DefaultHandlerExpand)]
    fn set_default_handler_expand(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(DEFAULT_EXPAND, value, vm)
    }

    #[getter(NotStandaloneHandler)]
    fn get_not_standalone_handler(&self) -> Option<ObjRef> {
        self.handler(Event::NotStandalone as usize)
    }

    #[setter(NotStandaloneHandler)]
    fn set_not_standalone_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::NotStandalone as usize, value, vm)
    }

    #[getter(ExternalEntityRefHandler)]
    fn get_external_entity_ref_handler(&self) -> Option<ObjRef> {
        self.handler(Event::ExternalEntityRef as usize)
    }

    #[setter(ExternalEntityRefHandler)]
    fn set_external_entity_ref_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::ExternalEntityRef as usize, value, vm)
    }

    #[getter(StartDoctypeDeclHandler)]
    fn get_start_doctype_decl_handler(&self) -> Option<ObjRef> {
        self.handler(Event::StartDoctypeDecl as usize)
    }

    #[setter(StartDoctypeDeclHandler)]
    fn set_start_doctype_decl_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::StartDoctypeDecl as usize, value, vm)
    }

    #[getter(EndDoctypeDeclHandler)]
    fn get_end_doctype_decl_handler(&self) -> Option<ObjRef> {
        self.handler(Event::EndDoctypeDecl as usize)
    }

    #[setter(EndDoctypeDeclHandler)]
    fn set_end_doctype_decl_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::EndDoctypeDecl as usize, value, vm)
    }

    #[getter(EntityDeclHandler)]
    fn get_entity_decl_handler(&self) -> Option<ObjRef> {
        self.handler(Event::EntityDecl as usize)
    }

    #[setter(EntityDeclHandler)]
    fn set_entity_decl_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::EntityDecl as usize, value, vm)
    }

    #[getter(XmlDeclHandler)]
    fn get_xml_decl_handler(&self) -> Option<ObjRef> {
        self.handler(Event::XmlDecl as usize)
    }

    #[setter(XmlDeclHandler)]
    fn set_xml_decl_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::XmlDecl as usize, value, vm)
    }

    #[getter(ElementDeclHandler)]
    fn get_element_decl_handler(&self) -> Option<ObjRef> {
        self.handler(Event::ElementDecl as usize)
    }

    #[setter(ElementDeclHandler)]
    fn set_element_decl_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::ElementDecl as usize, value, vm)
    }

    #[getter(AttlistDeclHandler)]
    fn get_attlist_decl_handler(&self) -> Option<ObjRef> {
        self.handler(Event::AttlistDecl as usize)
    }

    #[setter(AttlistDeclHandler)]
    fn set_attlist_decl_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::AttlistDecl as usize, value, vm)
    }

    #[getter(SkippedEntityHandler)]
    fn get_skipped_entity_handler(&self) -> Option<ObjRef> {
        self.handler(Event::SkippedEntity as usize)
    }

    #[setter(SkippedEntityHandler)]
    fn set_skipped_entity_handler(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        self.set_handler(Event::SkippedEntity as usize, value, vm)
    }
}
