//! What declarations say: entities, and the attributes of elements.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// Text that several places hold.
pub type Text = Rc<[u8]>;

/// An entity.
#[derive(Debug, Default)]
pub struct Entity {
    pub name: Box<[u8]>,
    /// The replacement text of an internal entity.
    pub text: RefCell<Option<Text>>,
    pub system_id: RefCell<Option<Text>>,
    pub public_id: RefCell<Option<Text>>,
    pub base: RefCell<Option<Text>>,
    pub notation: RefCell<Option<Text>>,
    /// Being expanded right now.
    pub open: Cell<bool>,
    pub is_param: bool,
    /// Declared in the document itself.
    pub is_internal: bool,
}

impl Entity {
    fn duplicate(&self) -> Rc<Entity> {
        Rc::new(Entity {
            name: self.name.clone(),
            text: self.text.clone(),
            system_id: self.system_id.clone(),
            public_id: self.public_id.clone(),
            base: self.base.clone(),
            notation: self.notation.clone(),
            open: Cell::new(false),
            is_param: self.is_param,
            is_internal: self.is_internal,
        })
    }
}

/// A declared attribute of an element.
#[derive(Debug, Clone)]
pub struct Attribute {
    pub name: Text,
    pub is_cdata: bool,
    /// The value that it has where it is not given.
    pub default: Option<Text>,
}

/// Everything that was declared.
#[derive(Debug)]
pub struct Dtd {
    pub general: HashMap<Box<[u8]>, Rc<Entity>>,
    pub params: HashMap<Box<[u8]>, Rc<Entity>>,
    /// The external subset, which has no name.
    pub external_subset: Option<Rc<Entity>>,
    pub attributes: HashMap<Box<[u8]>, Vec<Attribute>>,
    /// Declarations count: none that is unknown came before.
    pub keep_processing: bool,
    pub has_param_entity_refs: bool,
    pub standalone: bool,
    pub param_entity_read: bool,
    /// The entity value under construction, to which external parameter entities add.
    pub entity_value: Vec<u8>,
}

impl Default for Dtd {
    fn default() -> Self {
        Dtd {
            general: HashMap::new(),
            params: HashMap::new(),
            external_subset: None,
            attributes: HashMap::new(),
            keep_processing: true,
            has_param_entity_refs: false,
            standalone: false,
            param_entity_read: false,
            entity_value: Vec::new(),
        }
    }
}

impl Dtd {
    /// A copy for the parser of an external entity.
    pub fn duplicate(&self) -> Dtd {
        let copy = |map: &HashMap<Box<[u8]>, Rc<Entity>>| {
            map.iter().map(|(name, entity)| (name.clone(), entity.duplicate())).collect()
        };
        Dtd {
            general: copy(&self.general),
            params: copy(&self.params),
            external_subset: self.external_subset.as_ref().map(|entity| entity.duplicate()),
            attributes: self.attributes.clone(),
            keep_processing: self.keep_processing,
            has_param_entity_refs: self.has_param_entity_refs,
            standalone: self.standalone,
            param_entity_read: self.param_entity_read,
            entity_value: Vec::new(),
        }
    }

    /// Declares an attribute unless it is declared already.
    pub fn define_attribute(&mut self, element: &[u8], name: &[u8], is_cdata: bool, default: Option<Text>) {
        if !self.attributes.contains_key(element) {
            self.attributes.insert(element.into(), Vec::new());
        }
        if let Some(known) = self.attributes.get_mut(element) {
            if !known.iter().any(|attribute| *attribute.name == *name) {
                known.push(Attribute { name: name.into(), is_cdata, default });
            }
        }
    }
}
