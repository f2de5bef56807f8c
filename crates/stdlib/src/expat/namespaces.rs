//! Prefixes and what they are bound to (Namespaces in XML 1.0).

use std::collections::HashMap;

use super::dtd::Text;
use super::errors::{Code, Flow};

const XML_URI: &[u8] = b"http://www.w3.org/XML/1998/namespace";
const XMLNS_URI: &[u8] = b"http://www.w3.org/2000/xmlns/";

struct Prefix {
    /// None of the default namespace.
    name: Option<Box<[u8]>>,
    uri: Option<Text>,
}

/// The bindings in force.
pub struct Namespaces {
    prefixes: Vec<Prefix>,
    by_name: HashMap<Box<[u8]>, usize>,
    /// What to put back: a prefix and what it was bound to.
    undo: Vec<(usize, Option<Text>)>,
}

impl Namespaces {
    /// `xml` alone is bound.
    pub fn new() -> Namespaces {
        let mut new = Namespaces {
            prefixes: vec![Prefix { name: None, uri: None }],
            by_name: HashMap::new(),
            undo: Vec::new(),
        };
        let xml = new.prefix(b"xml");
        if let Some(prefix) = new.prefixes.get_mut(xml) {
            prefix.uri = Some(XML_URI.into());
        }
        new
    }

    fn prefix(&mut self, name: &[u8]) -> usize {
        if let Some(&known) = self.by_name.get(name) {
            return known;
        }
        let index = self.prefixes.len();
        self.prefixes.push(Prefix { name: Some(name.into()), uri: None });
        self.by_name.insert(name.into(), index);
        index
    }

    /// What the default namespace is.
    pub fn default_uri(&self) -> Option<&Text> {
        self.prefixes.first()?.uri.as_ref()
    }

    /// What a prefix is bound to.
    pub fn uri(&self, prefix: &[u8]) -> Option<&Text> {
        self.prefixes.get(*self.by_name.get(prefix)?)?.uri.as_ref()
    }

    /// How many bindings can be undone.
    pub fn depth(&self) -> usize {
        self.undo.len()
    }

    /// Binds a prefix (none: the default namespace) to a URI. Gives whether it is bound now.
    pub fn bind(&mut self, prefix: Option<&[u8]>, uri: &[u8], separator: u8) -> Flow<bool> {
        if uri.is_empty() && prefix.is_some() {
            return Err(Code::UndeclaringPrefix.into());
        }
        let must_be_xml = match prefix {
            Some(b"xmlns") => return Err(Code::ReservedPrefixXmlns.into()),
            Some(b"xml") => true,
            _ => false,
        };
        if must_be_xml != (uri == XML_URI) {
            let code = if must_be_xml { Code::ReservedPrefixXml } else { Code::ReservedNamespaceUri };
            return Err(code.into());
        }
        if uri == XMLNS_URI {
            return Err(Code::ReservedNamespaceUri.into());
        }
        if uri.contains(&separator) && separator != 0 && !is_uri_byte(separator) {
            return Err(Code::Syntax.into());
        }
        self.set(prefix, uri);
        Ok(!uri.is_empty())
    }

    fn set(&mut self, prefix: Option<&[u8]>, uri: &[u8]) {
        let index = prefix.map_or(0, |name| self.prefix(name));
        if let Some(prefix) = self.prefixes.get_mut(index) {
            let uri = (!uri.is_empty()).then(|| Text::from(uri));
            let old = std::mem::replace(&mut prefix.uri, uri);
            self.undo.push((index, old));
        }
    }

    /// Undoes the last binding and gives its prefix.
    pub fn unbind(&mut self) -> Option<Box<[u8]>> {
        let (index, old) = self.undo.pop()?;
        let prefix = self.prefixes.get_mut(index)?;
        prefix.uri = old;
        prefix.name.clone()
    }

    /// Appends the bindings in the form that `set_context` reads.
    pub fn context(&self, out: &mut Vec<u8>) {
        for prefix in &self.prefixes {
            let Some(uri) = &prefix.uri else { continue };
            if prefix.name.as_deref() == Some(b"xml") {
                continue;
            }
            if !out.is_empty() {
                out.push(CONTEXT_SEPARATOR);
            }
            out.extend_from_slice(prefix.name.as_deref().unwrap_or(&[]));
            out.push(b'=');
            out.extend_from_slice(uri);
        }
    }

    /// Takes one binding of a context.
    pub fn set_context(&mut self, prefix: &[u8], uri: &[u8]) {
        self.set((!prefix.is_empty()).then_some(prefix), uri);
    }
}

/// Between the entries of a context.
pub const CONTEXT_SEPARATOR: u8 = 0x0C;

/// Whether the byte may be part of a URI (RFC 3986).
fn is_uri_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"%-._~:/?#[]@!$&'()*+,;=".contains(&byte)
}
