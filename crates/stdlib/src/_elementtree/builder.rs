//! `TreeBuilder`.

use std::cell::{Cell, RefCell};

use taipan_vm::prelude::*;

use super::element::Element;
use super::{parse_error, state};

/// The events that a queue may want to have.
#[derive(Debug, Clone, Copy)]
pub enum Report {
    Start,
    End,
    StartNs,
    EndNs,
    Comment,
    Pi,
}

const REPORTS: usize = 6;

/// The names of events, by number.
pub const REPORT_NAMES: [&str; REPORTS] = ["start", "end", "start-ns", "end-ns", "comment", "pi"];

/// The layout of a tree builder.
#[repr(C)]
#[derive(Traverse)]
pub struct TreeBuilder {
    #[traverse(skip)]
    ob: Object,
    root: Slot<Object>,
    this: Slot<Object>,
    /// The element that was made or ended last: text belongs inside it.
    last: Slot<Object>,
    /// The element whose tail text is.
    last_for_tail: Slot<Object>,
    data: RefCell<Vec<ObjRef>>,
    /// Text from the parser that is no object yet.
    #[traverse(skip)]
    raw: RefCell<Vec<u8>>,
    stack: RefCell<Vec<ObjRef>>,
    element_factory: Slot<Object>,
    comment_factory: Slot<Object>,
    pi_factory: Slot<Object>,
    /// `append` of the queue.
    report: Slot<Object>,
    /// The objects that stand for the events there.
    reported: Vec<Slot<Object>>,
    #[traverse(skip)]
    insert_comments: Cell<bool>,
    #[traverse(skip)]
    insert_pis: Cell<bool>,
}

/// One text of several. Raises `TypeError` for what is none.
fn join(parts: &[ObjRef], vm: &Vm) -> PyResult {
    Str::join_items(&Str::empty(), parts, vm).map(Ref::into_object)
}

impl TreeBuilder {
    fn empty() -> TreeBuilder {
        TreeBuilder {
            ob: Object::new(Self::type_object()),
            root: Slot::empty(),
            this: Slot::empty(),
            last: Slot::empty(),
            last_for_tail: Slot::empty(),
            data: RefCell::default(),
            raw: RefCell::default(),
            stack: RefCell::default(),
            element_factory: Slot::empty(),
            comment_factory: Slot::empty(),
            pi_factory: Slot::empty(),
            report: Slot::empty(),
            reported: (0..REPORTS).map(|_| Slot::empty()).collect(),
            insert_comments: Cell::new(false),
            insert_pis: Cell::new(false),
        }
    }

    /// A builder for a parser that was given none: comments and instructions are no elements there.
    pub fn create(vm: &Vm) -> Ref<TreeBuilder> {
        vm.new_object(TreeBuilder::empty())
    }

    /// Sets what is reported where.
    pub fn set_reports(&self, append: ObjRef) {
        self.report.put(append);
        for slot in &self.reported {
            slot.set(None);
        }
    }

    /// Has an event reported as `object`.
    pub fn add_report(&self, report: Report, object: ObjRef) {
        if let Some(slot) = self.reported.get(report as usize) {
            slot.put(object);
        }
    }

    /// Whether anybody wants to hear of the event.
    pub fn reports(&self, report: Report) -> bool {
        !self.report.is_none() && self.reported.get(report as usize).is_some_and(|slot| !slot.is_none())
    }

    /// Reports an event.
    pub fn tell(&self, report: Report, value: &Object, vm: &Vm) -> PyResult<()> {
        let (Some(append), Some(event)) =
            (self.report.get(), self.reported.get(report as usize).and_then(Slot::get))
        else {
            return Ok(());
        };
        let pair = Tuple::pair(event, value.to_ref(), vm);
        append.call(&[pair.as_object()], vm).map(|_| ())
    }

    /// Makes one object of the text so far and puts it where it belongs.
    fn flush(&self, vm: &Vm) -> PyResult<()> {
        self.flush_raw(vm)?;
        let data = std::mem::take(&mut *self.data.borrow_mut());
        let text = match data.as_slice() {
            [] => return Ok(()),
            [one] => one.clone(),
            more => join(more, vm)?,
        };
        let tail_of = self.last_for_tail.get();
        let (owner, is_tail) = match tail_of {
            Some(owner) => (owner, true),
            None => match self.last.get() {
                Some(owner) => (owner, false),
                None => return Ok(()),
            },
        };
        let is_plain = std::ptr::eq(owner.ob_type(), Element::type_object());
        if let (true, Some(element)) = (is_plain, owner.downcast_ref::<Element>()) {
            let slot = if is_tail { &element.tail } else { &element.text };
            let joined = match slot.get().filter(|old| !vm.is_none(old)) {
                None => text,
                Some(old) => join(&[old, text], vm)?,
            };
            slot.put(joined);
            return Ok(());
        }
        let name = vm.intern(if is_tail { "tail" } else { "text" });
        let old = owner.get_attr(&name, vm)?;
        let joined = if vm.is_none(&old) { text } else { join(&[old, text], vm)? };
        owner.set_attr(&name, &joined, vm)
    }

    fn flush_raw(&self, vm: &Vm) -> PyResult<()> {
        if self.raw.borrow().is_empty() {
            return Ok(());
        }
        let text = crate::pyexpat::names::text(&self.raw.borrow(), vm)?;
        self.raw.borrow_mut().truncate(0);
        self.data.borrow_mut().push(text.into_object());
        Ok(())
    }

    /// Text from the parser. What comes before the first element is ignored.
    pub fn raw_data(&self, data: &[u8]) {
        if !self.last.is_none() {
            self.raw.borrow_mut().extend_from_slice(data);
        }
    }

    fn add_child(parent: &Object, child: &Object, vm: &Vm) -> PyResult<()> {
        let is_plain = std::ptr::eq(parent.ob_type(), Element::type_object());
        match (is_plain, parent.downcast_ref::<Element>(), child.downcast_ref::<Element>()) {
            (true, Some(parent), Some(child)) => {
                parent.add(Ref::new_ref(child));
                Ok(())
            }
            _ => parent.call_method(&vm.intern("append"), &[child], vm).map(|_| ()),
        }
    }

    /// An element starts. `attrib` is the element's own from now on.
    pub fn begin(&self, tag: &Object, attrib: Option<Ref<Dict>>, vm: &Vm) -> PyResult {
        self.flush(vm)?;
        let node = match self.element_factory.get() {
            None => Element::create(tag.to_ref(), attrib, vm).into_object(),
            Some(factory) => {
                let attrib = attrib.unwrap_or_else(|| vm.new_dict());
                factory.call(&[tag, attrib.as_object()], vm)?
            }
        };
        match self.this.get() {
            Some(this) => Self::add_child(&this, &node, vm)?,
            None if !self.root.is_none() => {
                return Err(parse_error("multiple elements on top level", vm));
            }
            None => self.root.put(node.clone()),
        }
        self.stack.borrow_mut().push(self.this.get().unwrap_or_else(|| vm.none()));
        self.this.put(node.clone());
        self.last.put(node.clone());
        self.last_for_tail.set(None);
        if self.reports(Report::Start) {
            self.tell(Report::Start, &node, vm)?;
        }
        Ok(node)
    }

    /// The innermost element ends.
    pub fn finish(&self, vm: &Vm) -> PyResult {
        self.flush(vm)?;
        let Some(outer) = self.stack.borrow_mut().pop() else {
            return Err(vm.index_error("pop from empty stack"));
        };
        let ended = self.this.get();
        self.this.set((!vm.is_none(&outer)).then_some(outer));
        self.last.set(ended.clone());
        self.last_for_tail.set(ended.clone());
        let ended = ended.unwrap_or_else(|| vm.none());
        if self.reports(Report::End) {
            self.tell(Report::End, &ended, vm)?;
        }
        Ok(ended)
    }

    fn insert_beside(&self, node: &Object, vm: &Vm) -> PyResult<()> {
        if let Some(this) = self.this.get() {
            Self::add_child(&this, node, vm)?;
            self.last_for_tail.put(node.to_ref());
        }
        Ok(())
    }

    /// A comment.
    pub fn add_comment(&self, text: &Object, vm: &Vm) -> PyResult {
        self.flush(vm)?;
        let comment = match self.comment_factory.get() {
            None => text.to_ref(),
            Some(factory) => {
                let comment = factory.call(&[text], vm)?;
                if self.insert_comments.get() {
                    self.insert_beside(&comment, vm)?;
                }
                comment
            }
        };
        if self.reports(Report::Comment) {
            self.tell(Report::Comment, &comment, vm)?;
        }
        Ok(comment)
    }

    /// A processing instruction.
    pub fn add_pi(&self, target: &Object, text: &Object, vm: &Vm) -> PyResult {
        self.flush(vm)?;
        let pi = match self.pi_factory.get() {
            None => Tuple::pair(target.to_ref(), text.to_ref(), vm).into_object(),
            Some(factory) => {
                let pi = factory.call(&[target, text], vm)?;
                if self.insert_pis.get() {
                    self.insert_beside(&pi, vm)?;
                }
                pi
            }
        };
        if self.reports(Report::Pi) {
            self.tell(Report::Pi, &pi, vm)?;
        }
        Ok(pi)
    }

    /// The root.
    pub fn result(&self, vm: &Vm) -> ObjRef {
        self.root.get().unwrap_or_else(|| vm.none())
    }
}

#[pytype(name = "xml.etree.ElementTree.TreeBuilder", flags(BASETYPE), gc, doc = "")]
impl TreeBuilder {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, TreeBuilder::empty())
    }

    #[init(
        "(element_factory=None, *, comment_factory=None, pi_factory=None, insert_comments=False, insert_pis=False)"
    )]
    fn init(
        &self,
        element_factory: Option<&Object>,
        comment_factory: Option<&Object>,
        pi_factory: Option<&Object>,
        insert_comments: Option<bool>,
        insert_pis: Option<bool>,
        vm: &Vm,
    ) -> PyResult<()> {
        let given = |factory: Option<&Object>| factory.filter(|f| !vm.is_none(f)).map(Object::to_ref);
        self.element_factory.set(given(element_factory));
        let comments = given(comment_factory).or_else(|| state(vm).comment_factory.get());
        self.insert_comments.set(comments.is_some() && insert_comments.unwrap_or(false));
        self.comment_factory.set(comments);
        let pis = given(pi_factory).or_else(|| state(vm).pi_factory.get());
        self.insert_pis.set(pis.is_some() && insert_pis.unwrap_or(false));
        self.pi_factory.set(pis);
        Ok(())
    }

    #[method("($self, data, /)")]
    fn data(&self, data: &Object, vm: &Vm) -> PyResult<()> {
        if self.last.is_none() {
            return Ok(());
        }
        self.flush_raw(vm)?;
        self.data.borrow_mut().push(data.to_ref());
        Ok(())
    }

    #[method("($self, tag, attrs, /)")]
    fn start(&self, tag: &Object, attrs: &Dict, vm: &Vm) -> PyResult {
        self.begin(tag, Some(Ref::new_ref(attrs)), vm)
    }

    #[method("($self, tag, /)")]
    fn end(&self, tag: &Object, vm: &Vm) -> PyResult {
        let _ = tag;
        self.finish(vm)
    }

    #[method("($self, text, /)")]
    fn comment(&self, text: &Object, vm: &Vm) -> PyResult {
        self.add_comment(text, vm)
    }

    #[method("($self, target, text=None, /)")]
    fn pi(&self, target: &Object, text: Option<&Object>, vm: &Vm) -> PyResult {
        self.add_pi(target, text.unwrap_or_else(|| vm.none_ref()), vm)
    }

    #[method("($self, /)")]
    fn close(&self, vm: &Vm) -> ObjRef {
        self.result(vm)
    }
}
