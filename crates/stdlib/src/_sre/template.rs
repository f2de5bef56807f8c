//! `_sre.SRE_Template`: a replacement with group references.

use taipan_vm::prelude::*;

/// Literals and group numbers in turn, a literal first and last.
#[repr(C)]
#[derive(Traverse)]
pub struct Template {
    #[traverse(skip)]
    ob: Object,
    first: ObjRef,
    /// Each group with the literal behind it.
    #[traverse(skip)]
    rest: Vec<(usize, ObjRef)>,
}

fn is_empty(literal: &Object) -> bool {
    match literal.downcast_ref::<Str>() {
        Some(text) => text.is_empty(),
        None => literal.downcast_ref::<Bytes>().is_some_and(|bytes| bytes.as_bytes().is_empty()),
    }
}

impl Template {
    /// A template of the library's list. Raises `TypeError` when it isn't one.
    pub fn make(list: &List, vm: &Vm) -> PyResult<Ref<Template>> {
        let mut parts = list.to_vec().into_iter();
        let Some(first) = parts.next() else { return Err(vm.type_error("invalid template")) };
        let mut rest = Vec::new();
        while let Some(group) = parts.next() {
            let number = match group.downcast_ref::<Int>() {
                Some(number) => number.to_i64().and_then(|number| usize::try_from(number).ok()),
                None => return Err(vm.type_error("an integer is required")),
            };
            match (number, parts.next()) {
                (Some(number), Some(literal)) => rest.push((number, literal)),
                _ => return Err(vm.type_error("invalid template")),
            }
        }
        Ok(vm.new_object(Template { ob: Object::new(Template::type_object()), first, rest }))
    }

    /// The text of a template without references.
    pub fn literal(&self) -> Option<ObjRef> {
        self.rest.is_empty().then(|| self.first.clone())
    }

    /// Whether all literals are text.
    pub fn is_text(&self) -> bool {
        let text = |literal: &Object| literal.downcast_ref::<Str>().is_some();
        text(&self.first) && self.rest.iter().all(|(_, literal)| text(literal))
    }

    /// Hands the literals (`Ok`) and group numbers (`Err`) to `each`. Raises `IndexError` for a group beyond `groups`.
    pub fn each(
        &self,
        groups: usize,
        vm: &Vm,
        mut each: impl FnMut(Result<&Object, usize>) -> PyResult<()>,
    ) -> PyResult<()> {
        if !is_empty(&self.first) {
            each(Ok(&self.first))?;
        }
        for (group, literal) in &self.rest {
            if *group > groups {
                return Err(vm.index_error("no such group"));
            }
            each(Err(*group))?;
            if !is_empty(literal) {
                each(Ok(literal))?;
            }
        }
        Ok(())
    }
}

#[pytype(name = "_sre.SRE_Template", gc, no_new, doc = "")]
impl Template {}
