//! `_tuplegetter`: the attributes of named tuples.

use taipan_vm::prelude::*;

/// A descriptor that fetches one item.
#[repr(C)]
#[derive(Traverse)]
pub struct TupleGetter {
    #[traverse(skip)]
    ob: Object,
    #[traverse(skip)]
    index: isize,
    doc: Slot<Object>,
}

#[pytype(name = "collections._tuplegetter", gc, members(__doc__: OBJECT = doc), doc = "")]
impl TupleGetter {
    #[new("(index, doc, /)")]
    fn new(cls: &Type, index: isize, doc: &Object, vm: &Vm) -> PyResult {
        let ob = Object::new(Self::type_object());
        vm.new_instance(cls, TupleGetter { ob, index, doc: Slot::of(doc.to_ref()) })
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> Ref<Tuple> {
        let cls = self.as_object().ob_type().as_object().to_ref();
        let doc = self.doc.get().unwrap_or_else(|| vm.none());
        vm.new_tuple([cls, vm.new_tuple([vm.new_int(self.index), doc]).into_object()])
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<String> {
        let doc = self.doc.get().unwrap_or_else(|| vm.none()).repr(vm)?;
        Ok(format!("{}({}, {})", self.as_object().ob_type().name(), self.index, doc.to_string_lossy()))
    }

    #[slot]
    fn tp_descr_get(&self, object: Option<&Object>, _cls: Option<&Object>, vm: &Vm) -> PyResult {
        let Some(object) = object.filter(|object| !vm.is_none(object)) else {
            return Ok(self.as_object().to_ref());
        };
        let Some(tuple) = object.downcast_ref::<Tuple>() else {
            return Err(vm.type_error(format!(
                "descriptor for index '{}' for tuple subclasses doesn't apply to '{}' object",
                self.index,
                object.ob_type().tp_name_str()
            )));
        };
        match usize::try_from(self.index).ok().and_then(|index| tuple.get(index)) {
            Some(item) => Ok(item.to_ref()),
            None => Err(vm.index_error("tuple index out of range")),
        }
    }

    #[slot]
    fn tp_descr_set(&self, _object: &Object, value: Option<&Object>, vm: &Vm) -> PyResult<()> {
        Err(vm.attribute_error(if value.is_some() {
            "can't set attribute"
        } else {
            "can't delete attribute"
        }))
    }
}
