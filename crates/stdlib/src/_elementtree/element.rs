//! `Element`.

use std::cell::{Cell, RefCell};

use taipan_vm::builtins::list::List;
use taipan_vm::builtins::slice::SliceIndices;
use taipan_vm::builtins::warn;
use taipan_vm::prelude::*;
use taipan_vm::protocols::container::subscript_index;

use super::iterator::ElementIterator;
use super::state;

/// The layout of an element.
#[repr(C)]
#[derive(Traverse)]
pub struct Element {
    #[traverse(skip)]
    ob: Object,
    pub tag: Slot<Object>,
    pub text: Slot<Object>,
    pub tail: Slot<Object>,
    /// Empty until there is an attribute or somebody asks.
    attrib: Slot<Dict>,
    children: RefCell<Vec<Ref<Element>>>,
    /// For how many children CPython would have room by now; told by `__sizeof__`.
    #[traverse(skip)]
    room: Cell<usize>,
    #[traverse(skip)]
    weakrefs: WeakList,
}

/// Children that need no memory of their own.
const STATIC_CHILDREN: usize = 4;

fn no_element(object: &Object, vm: &Vm) -> Raised {
    vm.type_error(format!("expected an Element, not \"{}\"", object.ob_type().tp_name_str()))
}

fn as_element(object: &Object, vm: &Vm) -> PyResult<Ref<Element>> {
    object.downcast_ref::<Element>().map(Ref::new_ref).ok_or_else(|| no_element(object, vm))
}

fn as_attrib(object: &Object, vm: &Vm) -> PyResult<Ref<Dict>> {
    object
        .downcast_ref::<Dict>()
        .map(Ref::new_ref)
        .ok_or_else(|| vm.type_error(format!("attrib must be dict, not {}", object.ob_type().tp_name_str())))
}

/// Splits `(…, tag, attrib={}, **extra)` behind `first` parameters.
fn tag_and_attrib(
    function: &str,
    first: usize,
    args: &[ObjRef],
    extra: Option<&Dict>,
    vm: &Vm,
) -> PyResult<(ObjRef, Option<Ref<Dict>>)> {
    let Some(tag) = args.get(first) else {
        let (least, plural) = (first + 1, if first == 0 { "" } else { "s" });
        return Err(vm.type_error(format!(
            "{function}() takes at least {least} argument{plural} ({} given)",
            args.len()
        )));
    };
    if args.len() > first + 2 {
        let most = first + 2;
        return Err(
            vm.type_error(format!("{function}() takes at most {most} arguments ({} given)", args.len()))
        );
    }
    let extra = extra.filter(|extra| !extra.is_empty());
    let attrib = match (args.get(first + 1), extra) {
        (None, None) => None,
        (Some(given), extra) => {
            let Some(given) = given.downcast_ref::<Dict>() else {
                return Err(vm.type_error(format!(
                    "{function}() argument {} must be dict, not {}",
                    first + 2,
                    if vm.is_none(given) { "None" } else { given.ob_type().tp_name_str() }
                )));
            };
            let copy = given.try_copy(vm)?;
            if let Some(extra) = extra {
                copy.update_from(extra.as_object(), true, vm)?;
            }
            Some(copy)
        }
        (None, Some(extra)) => {
            let name = vm.intern("attrib");
            let copy = match extra.get_str(&name, vm)? {
                Some(given) => as_attrib(&given, vm)?.try_copy(vm)?,
                None => vm.new_dict(),
            };
            let rest = extra.try_copy(vm)?;
            rest.del_item(name.as_object(), vm)?;
            copy.update_from(rest.as_object(), true, vm)?;
            Some(copy)
        }
    };
    Ok((tag.clone(), attrib))
}

/// `SubElement(parent, tag, attrib={}, **extra)`.
pub fn sub_element(args: &[ObjRef], extra: Option<&Dict>, vm: &Vm) -> PyResult {
    let parent = match args.first() {
        None => None,
        Some(parent) => match parent.downcast_ref::<Element>() {
            Some(parent) => Some(parent),
            None if args.len() < 2 => None,
            None => {
                let given = if vm.is_none(parent) { "None" } else { parent.ob_type().tp_name_str() };
                return Err(vm.type_error(format!(
                    "SubElement() argument 1 must be xml.etree.ElementTree.Element, not {given}"
                )));
            }
        },
    };
    let (tag, attrib) = tag_and_attrib("SubElement", 1, args, extra, vm)?;
    let element = Element::create(tag, attrib.filter(|attrib| !attrib.is_empty()), vm);
    if let Some(parent) = parent {
        parent.add(element.clone());
    }
    Ok(element.into_object())
}

/// Whether a path needs the path language. Texts that are none are left to it, too.
fn is_path(tag: &Object) -> bool {
    let special = |c: u32| matches!(char::from_u32(c), Some('/' | '*' | '[' | '@' | '.'));
    fn check(mut codes: impl Iterator<Item = u32> + Clone, special: impl Fn(u32) -> bool) -> bool {
        let head: Vec<u32> = codes.clone().take(3).collect();
        let is = |at: usize, c: char| head.get(at) == Some(&u32::from(c));
        // Any namespace, or none.
        if head.len() >= 3 && is(0, '{') && (is(1, '}') || (is(1, '*') && is(2, '}'))) {
            return true;
        }
        let mut outside = true;
        codes.any(|code| {
            if code == u32::from('{') {
                outside = false;
            } else if code == u32::from('}') {
                outside = true;
            }
            outside && special(code)
        })
    }
    if let Some(text) = tag.downcast_ref::<Str>() {
        let codes: Vec<u32> = text.data().iter().collect();
        return check(codes.iter().copied(), special);
    }
    match tag.downcast_ref::<Bytes>() {
        Some(bytes) => check(bytes.as_bytes().iter().map(|&b| u32::from(b)), special),
        None => true,
    }
}

impl Element {
    fn empty() -> Element {
        Element {
            ob: Object::new(Self::type_object()),
            tag: Slot::empty(),
            text: Slot::empty(),
            tail: Slot::empty(),
            attrib: Slot::empty(),
            children: RefCell::default(),
            room: Cell::new(0),
            weakrefs: WeakList::new(),
        }
    }

    /// An element with these attributes, which it takes over.
    pub fn create(tag: ObjRef, attrib: Option<Ref<Dict>>, vm: &Vm) -> Ref<Element> {
        let element = vm.new_object(Element::empty());
        element.tag.put(tag);
        element.attrib.set(attrib);
        element
    }

    /// How many children there are.
    pub fn len(&self) -> usize {
        self.children.borrow().len()
    }

    /// A child.
    pub fn child(&self, index: usize) -> Option<Ref<Element>> {
        self.children.borrow().get(index).cloned()
    }

    /// Adds a child behind the others.
    pub fn add(&self, child: Ref<Element>) {
        let mut children = self.children.borrow_mut();
        children.push(child);
        let count = children.len();
        drop(children);
        self.grow(count);
    }

    fn grow(&self, count: usize) {
        if count > self.room.get().max(STATIC_CHILDREN) {
            self.room.set((count >> 3) + if count < 9 { 3 } else { 6 } + count);
        }
    }

    fn get_or_none(slot: &Slot<Object>, vm: &Vm) -> ObjRef {
        slot.get().unwrap_or_else(|| vm.none())
    }

    /// The attributes, made if there are none.
    pub fn attributes(&self, vm: &Vm) -> Ref<Dict> {
        self.attrib.get().unwrap_or_else(|| {
            let made = vm.new_dict();
            self.attrib.put(made.clone());
            made
        })
    }

    /// Runs `seen` on the children whose tag equals `tag` until it says that it is enough.
    fn each_tagged(&self, tag: &Object, mut seen: impl FnMut(Ref<Element>) -> bool, vm: &Vm) -> PyResult<()> {
        let mut at = 0;
        while let Some(child) = self.child(at) {
            let own = Self::get_or_none(&child.tag, vm);
            if own.rich_compare_bool(tag, CompareOp::Eq, vm)? && seen(child) {
                break;
            }
            at += 1;
        }
        Ok(())
    }

    /// Calls a function of `ElementPath` for this element.
    fn by_path(&self, name: &str, args: &[&Object], vm: &Vm) -> PyResult {
        let mut all = vec![self.as_object()];
        all.extend_from_slice(args);
        state(vm).element_path(vm)?.get_attr(&vm.intern(name), vm)?.call(&all, vm)
    }

    /// Takes the children of a slice out of the list and puts others there. `None` deletes.
    fn put_slice(&self, slice: &Slice, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let items = match value {
            None => None,
            Some(value) => Some(super::items_of(value, "assignment expects an iterable", vm)?),
        };
        let SliceIndices { start, stop, step, count } = slice.indices_for(|| self.len(), vm)?;
        let mut new: Vec<Ref<Element>> = Vec::new();
        if let Some(items) = &items {
            if step != 1 && items.len() != count {
                return Err(vm.value_error(format!(
                    "attempt to assign sequence of size {} to extended slice of size {count}",
                    items.len()
                )));
            }
            for item in items {
                new.push(as_element(item, vm)?);
            }
        }
        let removed: Vec<Ref<Element>> = {
            let mut children = self.children.borrow_mut();
            let length = children.len();
            if step == 1 {
                let start = usize::try_from(start).unwrap_or(0).min(length);
                let stop = usize::try_from(stop).unwrap_or(0).clamp(start, length);
                children.splice(start..stop, new).collect()
            } else if items.is_some() {
                let mut removed = Vec::with_capacity(count);
                for (at, item) in new.into_iter().enumerate() {
                    let place = start.wrapping_add((at as isize).wrapping_mul(step)) as usize;
                    if let Some(place) = children.get_mut(place) {
                        removed.push(std::mem::replace(place, item));
                    }
                }
                removed
            } else {
                let mut gone = vec![false; length];
                for at in 0..count {
                    let place = start.wrapping_add((at as isize).wrapping_mul(step)) as usize;
                    if let Some(gone) = gone.get_mut(place) {
                        *gone = true;
                    }
                }
                let old = std::mem::take(&mut *children);
                let mut removed = Vec::with_capacity(count);
                for (child, gone) in old.into_iter().zip(gone) {
                    if gone {
                        removed.push(child);
                    } else {
                        children.push(child);
                    }
                }
                removed
            }
        };
        self.grow(self.len());
        drop(removed);
        Ok(())
    }

    fn index_of(&self, key: &Object, vm: &Vm) -> PyResult<usize> {
        let index = subscript_index(key, vm)?;
        let index = if index < 0 { index.saturating_add(self.len() as isize) } else { index };
        Ok(usize::try_from(index).unwrap_or(usize::MAX))
    }

    /// A deep copy of a part of an element.
    fn deep_copy_of(object: &Object, memo: &Dict, vm: &Vm) -> PyResult {
        if object.downcast_exact::<Str>().is_some() || vm.is_none(object) {
            return Ok(object.to_ref());
        }
        if let Some(dict) = object.downcast_exact::<Dict>() {
            let is_plain = |o: &Object| o.downcast_exact::<Str>().is_some();
            if object.refcount() <= 2 && dict.items_vec().iter().all(|(k, v)| is_plain(k) && is_plain(v)) {
                return Ok(dict.try_copy(vm)?.into_object());
            }
        }
        state(vm).deep_copy(vm)?.call(&[object, memo.as_object()], vm)
    }

    fn deep_copy(&self, memo: &Dict, vm: &Vm) -> PyResult<Ref<Element>> {
        vm.check_recursion(" in Element.__deepcopy__")?;
        let tag = Self::deep_copy_of(&Self::get_or_none(&self.tag, vm), memo, vm)?;
        let attrib = match self.attrib.get() {
            None => None,
            Some(attrib) => {
                let copy = Self::deep_copy_of(attrib.as_object(), memo, vm)?;
                Some(as_attrib(&copy, vm)?)
            }
        };
        let copy = Element::create(tag, attrib, vm);
        copy.text.put(Self::deep_copy_of(&Self::get_or_none(&self.text, vm), memo, vm)?);
        copy.tail.put(Self::deep_copy_of(&Self::get_or_none(&self.tail, vm), memo, vm)?);
        let mut at = 0;
        while let Some(child) = self.child(at) {
            let is_plain = std::ptr::eq(child.as_object().ob_type(), Self::type_object());
            if is_plain && child.as_object().refcount() <= 2 {
                copy.add(child.deep_copy(memo, vm)?);
            } else {
                let made = state(vm).deep_copy(vm)?.call(&[child.as_object(), memo.as_object()], vm)?;
                copy.add(as_element(&made, vm)?);
            }
            at += 1;
        }
        let id = vm.new_int(self.as_object().as_ptr() as usize);
        memo.set_item(&id, copy.as_object(), vm)?;
        Ok(copy)
    }

    fn set_part(slot: &Slot<Object>, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.attribute_error("can't delete element attribute")) };
        slot.put(value.to_ref());
        Ok(())
    }

    fn without_children(&self) {
        let gone = std::mem::take(&mut *self.children.borrow_mut());
        self.room.set(0);
        drop(gone);
    }
}

#[pytype(
    name = "xml.etree.ElementTree.Element",
    flags(BASETYPE),
    gc,
    weakrefs = weakrefs,
    doc = ""
)]
impl Element {
    #[slot]
    fn tp_new(cls: &Type, _args: &Tuple, _kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        vm.new_instance(cls, Element::empty())
    }

    #[slot]
    fn tp_init(&self, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<()> {
        let (tag, attrib) = tag_and_attrib("Element", 0, args.as_slice(), kwargs, vm)?;
        if let Some(attrib) = attrib.filter(|attrib| !attrib.is_empty()) {
            self.attrib.put(attrib);
        }
        self.tag.put(tag);
        self.text.set(None);
        self.tail.set(None);
        Ok(())
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<ObjRef> {
        let address = format!("{:p}", self.as_object());
        let Some(tag) = self.tag.get() else {
            return Ok(vm.new_str(&format!("<Element None at {address}>")).into_object());
        };
        let name = self.as_object().ob_type().tp_name_str();
        let Some(_guard) = taipan_vm::builtins::dict::repr_guard::ReprGuard::enter(self.as_object(), vm)
        else {
            return Err(vm.runtime_error(format!("reentrant call inside {name}.__repr__")));
        };
        let mut text = taipan_vm::builtins::str::StrBuilder::new();
        text.push_str("<Element ");
        text.push(&*tag.repr(vm)?);
        text.push_str(&format!(" at {address}>"));
        Ok(text.finish(vm).into_object())
    }

    #[slot]
    fn nb_bool(&self, vm: &Vm) -> PyResult<bool> {
        warn::warn(
            types::deprecation_warning(),
            "Testing an element's truth value will always return True in future versions.  \
             Use specific 'len(elem)' or 'elem is not None' test instead.",
            1,
            vm,
        )?;
        Ok(self.len() > 0)
    }

    #[slot]
    fn sq_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn sq_item(&self, i: isize, vm: &Vm) -> PyResult<Ref<Element>> {
        let child = usize::try_from(i).ok().and_then(|i| self.child(i));
        child.ok_or_else(|| vm.index_error("child index out of range"))
    }

    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(self.len())
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        if key.has_index() {
            let index = self.index_of(key, vm)?;
            let child = self.child(index);
            return child.map(Ref::into_object).ok_or_else(|| vm.index_error("child index out of range"));
        }
        let Some(slice) = key.downcast_ref::<Slice>() else {
            return Err(vm.type_error("element indices must be integers"));
        };
        let SliceIndices { start, step, count, .. } = slice.indices_for(|| self.len(), vm)?;
        let mut items = Vec::with_capacity(count.min(self.len()));
        for at in 0..count {
            let place = start.wrapping_add((at as isize).wrapping_mul(step)) as usize;
            items.extend(self.child(place).map(Ref::into_object));
        }
        Ok(vm.new_list(items).into_object())
    }

    #[slot]
    fn mp_ass_subscript(&self, key: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        if key.has_index() {
            let index = self.index_of(key, vm)?;
            if index >= self.len() {
                return Err(vm.index_error("child assignment index out of range"));
            }
            let value = value.map(|value| as_element(value, vm)).transpose()?;
            let old = {
                let mut children = self.children.borrow_mut();
                match value {
                    Some(value) => children.get_mut(index).map(|place| std::mem::replace(place, value)),
                    None if index < children.len() => Some(children.remove(index)),
                    None => None,
                }
            };
            drop(old);
            return Ok(());
        }
        match key.downcast_ref::<Slice>() {
            Some(slice) => self.put_slice(slice, value, vm),
            None => Err(vm.type_error("element indices must be integers")),
        }
    }

    #[method("($self, /)")]
    fn clear(&self) {
        self.attrib.set(None);
        self.without_children();
        self.text.set(None);
        self.tail.set(None);
    }

    #[method("($self, /, key, default=None)")]
    fn get(&self, key: &Object, default: Option<&Object>, vm: &Vm) -> PyResult {
        let found = match self.attrib.get() {
            Some(attrib) => attrib.get_item(key, vm)?,
            None => None,
        };
        Ok(found.unwrap_or_else(|| default.map_or_else(|| vm.none(), Object::to_ref)))
    }

    #[method("($self, key, value, /)")]
    fn set(&self, key: &Object, value: &Object, vm: &Vm) -> PyResult<()> {
        self.attributes(vm).set_item(key, value, vm)
    }

    #[method("($self, /, path, namespaces=None)")]
    fn find(&self, path: &Object, namespaces: Option<&Object>, vm: &Vm) -> PyResult {
        let namespaces = namespaces.unwrap_or_else(|| vm.none_ref());
        if is_path(path) || !vm.is_none(namespaces) {
            return self.by_path("find", &[path, namespaces], vm);
        }
        let mut found = None;
        let take = |child: Ref<Element>| {
            found = Some(child);
            true
        };
        self.each_tagged(path, take, vm)?;
        Ok(found.map_or_else(|| vm.none(), Ref::into_object))
    }

    #[method("($self, /, path, default=None, namespaces=None)")]
    fn findtext(
        &self,
        path: &Object,
        default: Option<&Object>,
        namespaces: Option<&Object>,
        vm: &Vm,
    ) -> PyResult {
        let namespaces = namespaces.unwrap_or_else(|| vm.none_ref());
        let default = default.unwrap_or_else(|| vm.none_ref());
        if is_path(path) || !vm.is_none(namespaces) {
            return self.by_path("findtext", &[path, default, namespaces], vm);
        }
        let mut found = None;
        let take = |child: Ref<Element>| {
            found = Some(child);
            true
        };
        self.each_tagged(path, take, vm)?;
        let Some(child) = found else { return Ok(default.to_ref()) };
        let text = Self::get_or_none(&child.text, vm);
        Ok(if vm.is_none(&text) { vm.new_str("").into_object() } else { text })
    }

    #[method("($self, /, path, namespaces=None)")]
    fn findall(&self, path: &Object, namespaces: Option<&Object>, vm: &Vm) -> PyResult {
        let namespaces = namespaces.unwrap_or_else(|| vm.none_ref());
        if is_path(path) || !vm.is_none(namespaces) {
            return self.by_path("findall", &[path, namespaces], vm);
        }
        let mut found = Vec::new();
        let take = |child: Ref<Element>| {
            found.push(child.into_object());
            false
        };
        self.each_tagged(path, take, vm)?;
        Ok(vm.new_list(found).into_object())
    }

    #[method("~($self, subelement, /)")]
    fn append(&self, subelement: &Element) {
        self.add(Ref::new_ref(subelement));
    }

    #[method("~($self, elements, /)")]
    fn extend(&self, elements: &Object, vm: &Vm) -> PyResult<()> {
        for item in super::items_of(elements, "'elements' must be an iterable", vm)? {
            self.add(as_element(&item, vm)?);
        }
        Ok(())
    }

    #[method("($self, index, subelement, /)")]
    fn insert(&self, index: isize, subelement: &Element) {
        let mut children = self.children.borrow_mut();
        let length = children.len() as isize;
        let index = if index < 0 { index.saturating_add(length) } else { index };
        children.insert(index.clamp(0, length) as usize, Ref::new_ref(subelement));
        let count = children.len();
        drop(children);
        self.grow(count);
    }

    #[method("($self, subelement, /)")]
    fn remove(&self, subelement: &Element, vm: &Vm) -> PyResult<()> {
        let wanted = subelement.as_object();
        let mut at = 0;
        loop {
            // Comparing may change the children.
            let Some(child) = self.child(at) else {
                return Err(vm.value_error("Element.remove(x): element not found"));
            };
            if child.as_object().rich_compare_bool(wanted, CompareOp::Eq, vm)? {
                break;
            }
            at += 1;
        }
        let gone = {
            let mut children = self.children.borrow_mut();
            (at < children.len()).then(|| children.remove(at))
        };
        drop(gone);
        Ok(())
    }

    #[method("($self, /, tag=None)")]
    fn iter(&self, tag: Option<&Object>, vm: &Vm) -> Ref<ElementIterator> {
        let tag = tag.filter(|tag| {
            let is_star = tag.downcast_ref::<Str>().is_some_and(|tag| tag.eq_str("*"))
                || tag.downcast_ref::<Bytes>().is_some_and(|tag| tag.as_bytes() == b"*");
            !is_star && !vm.is_none(tag)
        });
        ElementIterator::make(self, tag, false, vm)
    }

    #[method("~($self, /)")]
    fn itertext(&self, vm: &Vm) -> Ref<ElementIterator> {
        ElementIterator::make(self, None, true, vm)
    }

    #[method("($self, /, path, namespaces=None)")]
    fn iterfind(&self, path: &Object, namespaces: Option<&Object>, vm: &Vm) -> PyResult {
        self.by_path("iterfind", &[path, namespaces.unwrap_or_else(|| vm.none_ref())], vm)
    }

    #[method("($self, /)")]
    fn items(&self, vm: &Vm) -> Ref<List> {
        let items = self.attrib.get().map(|attrib| attrib.items_vec()).unwrap_or_default();
        let pairs = items.into_iter().map(|(key, value)| Tuple::pair(key, value, vm).into_object());
        vm.new_list(pairs.collect::<Vec<_>>())
    }

    #[method("($self, /)")]
    fn keys(&self, vm: &Vm) -> Ref<List> {
        vm.new_list(self.attrib.get().map(|attrib| attrib.keys_vec()).unwrap_or_default())
    }

    #[method("~($self, tag, attrib, /)")]
    fn makeelement(&self, tag: &Object, attrib: &Dict, vm: &Vm) -> PyResult<Ref<Element>> {
        Ok(Element::create(tag.to_ref(), Some(attrib.try_copy(vm)?), vm))
    }

    #[method("~($self, /)")]
    fn __copy__(&self, vm: &Vm) -> Ref<Element> {
        let copy = Element::create(Self::get_or_none(&self.tag, vm), self.attrib.get(), vm);
        copy.text.set(self.text.get());
        copy.tail.set(self.tail.get());
        let children = self.children.borrow().clone();
        copy.grow(children.len());
        *copy.children.borrow_mut() = children;
        copy
    }

    #[method("($self, memo, /)")]
    fn __deepcopy__(&self, memo: &Dict, vm: &Vm) -> PyResult<Ref<Element>> {
        self.deep_copy(memo, vm)
    }

    #[method("($self, /)")]
    fn __sizeof__(&self) -> usize {
        // CPython's sizes: the object, and what it allocates on first need.
        let mut size = 56;
        if !self.attrib.is_none() || self.len() > 0 || self.room.get() > 0 {
            size += 64;
            if self.room.get() > STATIC_CHILDREN {
                size += self.room.get() * 8;
            }
        }
        size
    }

    #[method("($self, /)")]
    fn __getstate__(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        let state = vm.new_dict();
        let children: Vec<ObjRef> =
            self.children.borrow().iter().map(|child| child.clone().into_object()).collect();
        let attrib = self.attrib.get().unwrap_or_else(|| vm.new_dict());
        let set = |name: &str, value: &Object| state.set_str(&vm.intern(name), value, vm);
        set("tag", &Self::get_or_none(&self.tag, vm))?;
        set("_children", vm.new_list(children).as_object())?;
        set("attrib", attrib.as_object())?;
        set("text", &Self::get_or_none(&self.text, vm))?;
        set("tail", &Self::get_or_none(&self.tail, vm))?;
        Ok(state)
    }

    #[method("~($self, state, /)")]
    fn __setstate__(&self, state: &Object, vm: &Vm) -> PyResult<()> {
        let Some(state) = state.downcast_ref::<Dict>() else {
            let text = state.repr(vm)?;
            let text = text.to_string_lossy();
            return Err(vm.type_error(format!("Don't know how to unpickle \"{text}\" as an Element")));
        };
        let get = |name: &str| state.get_str(&vm.intern(name), vm);
        let Some(tag) = get("tag")? else { return Err(vm.type_error("tag may not be NULL")) };
        self.tag.put(tag);
        self.text.set(get("text")?);
        self.tail.set(get("tail")?);
        let children = match get("_children")? {
            None => Vec::new(),
            Some(children) => match children.downcast_ref::<List>() {
                None => return Err(vm.type_error("'_children' is not a list")),
                Some(list) => {
                    let items = list.to_vec();
                    let mut children = Vec::with_capacity(items.len());
                    for item in &items {
                        children.push(as_element(item, vm)?);
                    }
                    children
                }
            },
        };
        self.grow(children.len());
        let old = std::mem::replace(&mut *self.children.borrow_mut(), children);
        drop(old);
        if let Some(attrib) = get("attrib")? {
            if let Ok(attrib) = attrib.downcast::<Dict>() {
                self.attrib.put(attrib);
            }
        }
        Ok(())
    }

    /// A string identifying what kind of data this element represents
    #[getter(tag)]
    fn get_tag(&self, vm: &Vm) -> ObjRef {
        Self::get_or_none(&self.tag, vm)
    }

    #[setter(tag)]
    fn set_tag(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        Self::set_part(&self.tag, value, vm)
    }

    /// A string of text directly after the start tag, or None
    #[getter(text)]
    fn get_text(&self, vm: &Vm) -> ObjRef {
        Self::get_or_none(&self.text, vm)
    }

    #[setter(text)]
    fn set_text(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        Self::set_part(&self.text, value, vm)
    }

    /// A string of text directly after the end tag, or None
    #[getter(tail)]
    fn get_tail(&self, vm: &Vm) -> ObjRef {
        Self::get_or_none(&self.tail, vm)
    }

    #[setter(tail)]
    fn set_tail(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        Self::set_part(&self.tail, value, vm)
    }

    /// A dictionary containing the element's attributes
    #[getter(attrib)]
    fn get_attrib(&self, vm: &Vm) -> Ref<Dict> {
        self.attributes(vm)
    }

    #[setter(attrib)]
    fn set_attrib(&self, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let Some(value) = value else { return Err(vm.attribute_error("can't delete element attribute")) };
        self.attrib.put(as_attrib(value, vm)?);
        Ok(())
    }
}
