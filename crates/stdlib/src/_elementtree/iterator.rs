//! What `Element.iter` and `Element.itertext` give.

use std::cell::RefCell;

use taipan_vm::prelude::*;

use super::element::Element;

/// An element whose children are being visited.
struct Level {
    element: Ref<Element>,
    next: usize,
}

impl Traverse for Level {
    fn traverse(&self, visit: &mut Visit) {
        self.element.traverse(visit);
    }
}

/// The layout of an element iterator.
#[repr(C)]
#[derive(Traverse)]
pub struct ElementIterator {
    #[traverse(skip)]
    ob: Object,
    root: Slot<Element>,
    levels: RefCell<Vec<Level>>,
    tag: Option<ObjRef>,
    #[traverse(skip)]
    texts: bool,
}

impl ElementIterator {
    /// Over an element and all inside, in document order: those with a tag, or the texts.
    pub fn make(root: &Element, tag: Option<&Object>, texts: bool, vm: &Vm) -> Ref<ElementIterator> {
        vm.new_object(ElementIterator {
            ob: Object::new(Self::type_object()),
            root: Slot::of(Ref::new_ref(root)),
            levels: RefCell::default(),
            tag: tag.map(Object::to_ref),
            texts,
        })
    }

    /// A text that is to be given: one that is true.
    fn shown(text: Option<ObjRef>, vm: &Vm) -> PyResult<Option<ObjRef>> {
        match text {
            Some(text) if !vm.is_none(&text) && text.is_true(vm)? => Ok(Some(text)),
            _ => Ok(None),
        }
    }
}

#[pytype(name = "_elementtree._element_iterator", gc, no_new, doc = "")]
impl ElementIterator {
    #[slot]
    fn tp_iter(&self) -> ObjRef {
        self.as_object().to_ref()
    }

    #[slot]
    fn tp_iternext(&self, vm: &Vm) -> PyResult<Option<ObjRef>> {
        loop {
            let element = match self.root.take() {
                Some(root) => root,
                None => {
                    // One step at the innermost level; what it gives up is released behind the borrow.
                    let mut levels = self.levels.borrow_mut();
                    let Some(level) = levels.last_mut() else { return Ok(None) };
                    match level.element.child(level.next) {
                        Some(child) => {
                            level.next += 1;
                            child
                        }
                        None => {
                            let done = levels.pop();
                            let inside = !levels.is_empty();
                            drop(levels);
                            // What follows the element that iteration began at is outside of it.
                            if let (true, true, Some(done)) = (self.texts, inside, &done) {
                                if let Some(text) = Self::shown(done.element.tail.get(), vm)? {
                                    return Ok(Some(text));
                                }
                            }
                            continue;
                        }
                    }
                }
            };
            // What is inside comments and processing instructions, whose tags are functions, is no text.
            let is_text =
                element.tag.get().is_none_or(|tag| tag.downcast_ref::<Str>().is_some() || vm.is_none(&tag));
            let next = if self.texts && !is_text { usize::MAX } else { 0 };
            self.levels.borrow_mut().push(Level { element: element.clone(), next });
            if self.texts && !is_text {
                continue;
            }
            if self.texts {
                if let Some(text) = Self::shown(element.text.get(), vm)? {
                    return Ok(Some(text));
                }
                continue;
            }
            let Some(wanted) = &self.tag else { return Ok(Some(element.into_object())) };
            let tag = element.tag.get().unwrap_or_else(|| vm.none());
            if tag.rich_compare_bool(wanted, CompareOp::Eq, vm)? {
                return Ok(Some(element.into_object()));
            }
        }
    }
}
