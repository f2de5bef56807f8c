//! What a parser tells its user.

use super::encoding::ByteTable;
use super::errors::Flow;
use super::roles::Quantity;

/// The events that a user may want to hear of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    StartElement,
    EndElement,
    ProcessingInstruction,
    CharacterData,
    UnparsedEntityDecl,
    NotationDecl,
    StartNamespaceDecl,
    EndNamespaceDecl,
    Comment,
    StartCdataSection,
    EndCdataSection,
    Default,
    NotStandalone,
    ExternalEntityRef,
    StartDoctypeDecl,
    EndDoctypeDecl,
    EntityDecl,
    XmlDecl,
    ElementDecl,
    AttlistDecl,
    SkippedEntity,
}

/// A name or value: part of the document's text, or of text that was made of it.
#[derive(Debug, Clone, Copy)]
pub struct Piece {
    pub made: bool,
    pub start: usize,
    pub end: usize,
}

/// The attributes of a start tag.
pub struct Attributes<'a> {
    pub(super) items: &'a [(Piece, Piece)],
    pub(super) specified: usize,
    pub(super) text: &'a [u8],
    pub(super) made: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many of them, the first, stand in the document.
    pub fn specified(&self) -> usize {
        self.specified
    }

    /// Names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + '_ {
        let (text, made) = (self.text, self.made);
        let get = move |piece: Piece| {
            let whole = if piece.made { made } else { text };
            whole.get(piece.start..piece.end).unwrap_or(&[])
        };
        self.items.iter().map(move |&(name, value)| (get(name), get(value)))
    }
}

/// `enum XML_Content_Type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelType {
    Empty = 1,
    Any = 2,
    Mixed = 3,
    Name = 4,
    Choice = 5,
    Seq = 6,
}

/// A node of a content model.
#[derive(Debug)]
pub struct Model {
    pub kind: ModelType,
    pub quantity: Quantity,
    pub name: Option<Box<[u8]>>,
    /// Places of the parts, which come later.
    pub children: Vec<usize>,
}

/// The ways to an external entity.
#[derive(Debug, Clone, Copy)]
pub struct Ids<'a> {
    pub base: Option<&'a [u8]>,
    pub system_id: Option<&'a [u8]>,
    pub public_id: Option<&'a [u8]>,
}

/// A parser's user. Texts are UTF-8; a function is called only when its event is wanted.
#[allow(unused_variables, reason = "the names are what the parameters are for")]
pub trait Handler {
    fn wants(&self, event: Event) -> bool;

    fn start_element(&self, name: &[u8], attributes: &Attributes<'_>) -> Flow {
        Ok(())
    }
    fn end_element(&self, name: &[u8]) -> Flow {
        Ok(())
    }
    fn processing_instruction(&self, target: &[u8], data: &[u8]) -> Flow {
        Ok(())
    }
    fn character_data(&self, data: &[u8]) -> Flow {
        Ok(())
    }
    fn unparsed_entity_decl(&self, name: &[u8], ids: Ids<'_>, notation: &[u8]) -> Flow {
        Ok(())
    }
    fn notation_decl(&self, name: &[u8], ids: Ids<'_>) -> Flow {
        Ok(())
    }
    fn start_namespace_decl(&self, prefix: Option<&[u8]>, uri: Option<&[u8]>) -> Flow {
        Ok(())
    }
    fn end_namespace_decl(&self, prefix: Option<&[u8]>) -> Flow {
        Ok(())
    }
    fn comment(&self, data: &[u8]) -> Flow {
        Ok(())
    }
    fn start_cdata_section(&self) -> Flow {
        Ok(())
    }
    fn end_cdata_section(&self) -> Flow {
        Ok(())
    }
    fn default(&self, data: &[u8]) -> Flow {
        Ok(())
    }
    fn not_standalone(&self) -> Flow<bool> {
        Ok(true)
    }
    fn external_entity_ref(&self, context: Option<&[u8]>, ids: Ids<'_>) -> Flow<bool> {
        Ok(true)
    }
    fn start_doctype_decl(
        &self,
        name: &[u8],
        system_id: Option<&[u8]>,
        public_id: Option<&[u8]>,
        has_internal_subset: bool,
    ) -> Flow {
        Ok(())
    }
    fn end_doctype_decl(&self) -> Flow {
        Ok(())
    }
    fn entity_decl(
        &self,
        name: &[u8],
        is_param: bool,
        value: Option<&[u8]>,
        ids: Ids<'_>,
        notation: Option<&[u8]>,
    ) -> Flow {
        Ok(())
    }
    fn xml_decl(&self, version: Option<&[u8]>, encoding: Option<&[u8]>, standalone: i32) -> Flow {
        Ok(())
    }
    fn element_decl(&self, name: &[u8], model: &[Model]) -> Flow {
        Ok(())
    }
    fn attlist_decl(
        &self,
        element: &[u8],
        attribute: &[u8],
        kind: &[u8],
        default: Option<&[u8]>,
        required: bool,
    ) -> Flow {
        Ok(())
    }
    fn skipped_entity(&self, name: &[u8], is_param: bool) -> Flow {
        Ok(())
    }
    /// What the bytes of an encoding stand for; none when the encoding is unknown.
    fn unknown_encoding(&self, name: &[u8]) -> Flow<Option<Box<ByteTable>>> {
        Ok(None)
    }
}
