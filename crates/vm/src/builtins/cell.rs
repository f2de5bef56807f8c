//! `cell`: a variable shared by a function and the functions inside it.

use crate::prelude::*;

/// `PyCellObject`.
#[repr(C)]
#[derive(Traverse)]
pub struct PyCell {
    /// The header.
    #[traverse(skip)]
    pub ob: Object,
    /// The variable's value.
    pub contents: Slot<Object>,
}

const _: () = assert!(size_of::<PyCell>() == 24);

impl PyCell {
    /// A cell with a value, or an empty one.
    pub fn create(contents: Option<ObjRef>, vm: &Vm) -> Ref<PyCell> {
        vm.new_object(PyCell { ob: Object::new(Self::type_object()), contents: Slot::new(contents) })
    }
}

/// Create a new cell object.
///
///   contents
///     the contents of the cell. If not specified, the cell will be empty,
///     and further attempts to access its cell_contents attribute will
///     raise a ValueError.
#[pytype(name = "cell", symbol = "PyCell_Type", gc, unhashable, text_signature = "([contents])")]
impl PyCell {
    #[slot]
    fn tp_new(_cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult<ObjRef> {
        if kwargs.is_some_and(|k| k.len() > 0) {
            return Err(vm.type_error("cell() takes no keyword arguments"));
        }
        match args.as_slice() {
            [] => Ok(PyCell::create(None, vm).into_object()),
            [value] => Ok(PyCell::create(Some(value.clone()), vm).into_object()),
            more => Err(vm.type_error(format!("cell expected at most 1 argument, got {}", more.len()))),
        }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult<Ref<Str>> {
        let address = self.as_object().as_ptr() as usize;
        Ok(vm.new_str(&match self.contents.get() {
            None => format!("<cell at {address:#x}: empty>"),
            Some(value) => format!(
                "<cell at {address:#x}: {} object at {:#x}>",
                value.ob_type().tp_name_str(),
                value.as_ptr() as usize
            ),
        }))
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let Some(other) = other.downcast_ref::<PyCell>() else { return Ok(vm.not_implemented()) };
        match (self.contents.get(), other.contents.get()) {
            (Some(a), Some(b)) => a.rich_compare(&b, op, vm),
            // An empty cell comes before all others.
            (a, b) => Ok(vm.new_bool(op.test(a.is_some().cmp(&b.is_some())))),
        }
    }

    #[getter]
    fn cell_contents(&self, vm: &Vm) -> PyResult<ObjRef> {
        self.contents.get().ok_or_else(|| vm.value_error("cell is empty"))
    }

    #[setter(cell_contents)]
    fn set_cell_contents(&self, value: Option<&Object>, _vm: &Vm) -> PyResult<()> {
        self.contents.set(value.map(Object::to_ref));
        Ok(())
    }
}
