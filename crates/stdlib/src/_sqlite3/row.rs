//! `Row`: a row that knows its columns' names.

use taipan_vm::prelude::*;

use super::Cursor;

/// The layout of a row.
#[repr(C)]
#[derive(Traverse)]
pub struct Row {
    #[traverse(skip)]
    ob: Object,
    data: Ref<Tuple>,
    /// The cursor's description: a tuple of tuples, or None.
    description: ObjRef,
}

impl Row {
    fn names(&self) -> impl Iterator<Item = ObjRef> + '_ {
        let columns = self.description.downcast_ref::<Tuple>().map_or(&[][..], Tuple::as_slice);
        columns.iter().filter_map(|column| {
            column.downcast_ref::<Tuple>().and_then(|column| column.as_slice().first().cloned())
        })
    }
}

fn same_name(name: &Str, wanted: &Str) -> bool {
    if name.as_object().is(wanted.as_object()) || Str::equal(name, wanted) {
        return true;
    }
    match (name.as_ascii_str(), wanted.as_ascii_str()) {
        (Some(name), Some(wanted)) => name.eq_ignore_ascii_case(wanted),
        _ => {
            // Only the letters A to Z have another case here.
            let lower = |code: u32| if (0x41..=0x5a).contains(&code) { code + 0x20 } else { code };
            name.len() == wanted.len() && name.data().iter().map(lower).eq(wanted.data().iter().map(lower))
        }
    }
}

#[pytype(name = "sqlite3.Row", flags(BASETYPE), gc, doc = "")]
impl Row {
    #[slot]
    fn tp_new(cls: &Type, args: &Tuple, kwargs: Option<&Dict>, vm: &Vm) -> PyResult {
        if kwargs.is_some_and(|kwargs| kwargs.len() > 0) && std::ptr::eq(cls, Self::type_object()) {
            return Err(vm.type_error("Row() takes no keyword arguments"));
        }
        let [cursor, data] = args.as_slice() else {
            return Err(vm.type_error(format!("Row expected 2 arguments, got {}", args.len())));
        };
        let Some(cursor) = cursor.downcast_ref::<Cursor>() else {
            let given = shown_type(cursor, vm);
            return Err(vm.type_error(format!("Row() argument 1 must be sqlite3.Cursor, not {given}")));
        };
        let Some(data) = data.downcast_ref::<Tuple>() else {
            let given = shown_type(data, vm);
            return Err(vm.type_error(format!("Row() argument 2 must be tuple, not {given}")));
        };
        let description = cursor.description(vm);
        let made = Row { ob: Object::new(Self::type_object()), data: data.into(), description };
        vm.new_instance(cls, made)
    }

    #[slot]
    fn tp_repr(zelf: &Object, _vm: &Vm) -> PyResult<String> {
        Ok(format!("<{} object at {:p}>", zelf.ob_type().tp_name_str(), zelf.as_ptr()))
    }

    #[slot]
    fn tp_hash(&self, vm: &Vm) -> PyResult<isize> {
        let hash = self.description.hash(vm)? ^ self.data.as_object().hash(vm)?;
        Ok(if hash == -1 { -2 } else { hash })
    }

    #[slot]
    fn tp_richcompare(&self, other: &Object, op: CompareOp, vm: &Vm) -> PyResult {
        let (CompareOp::Eq | CompareOp::Ne, Some(other)) = (op, other.downcast_ref::<Row>()) else {
            return Ok(vm.not_implemented());
        };
        if self.description.eq(&other.description, vm)? {
            return self.data.as_object().rich_compare(other.data.as_object(), op, vm);
        }
        Ok(vm.new_bool(op == CompareOp::Ne))
    }

    #[slot]
    fn tp_iter(&self, vm: &Vm) -> PyResult {
        self.data.as_object().iter(vm)
    }

    #[slot]
    fn sq_length(&self, _vm: &Vm) -> PyResult<usize> {
        Ok(self.data.len())
    }

    #[slot]
    fn mp_length(&self, _vm: &Vm) -> PyResult<usize> {
        Ok(self.data.len())
    }

    #[slot]
    fn sq_item(&self, index: isize, vm: &Vm) -> PyResult {
        item(&self.data, index, vm)
    }

    #[slot]
    fn mp_subscript(&self, key: &Object, vm: &Vm) -> PyResult {
        if key.downcast_ref::<Int>().is_some() {
            let index = taipan_vm::protocols::container::subscript_index(key, vm)?;
            let index = if index < 0 { index.saturating_add(self.data.len() as isize) } else { index };
            return item(&self.data, index, vm);
        }
        if let Some(wanted) = key.downcast_ref::<Str>() {
            let place = self
                .names()
                .position(|name| name.downcast_ref::<Str>().is_some_and(|name| same_name(name, wanted)));
            return match place.and_then(|place| self.data.as_slice().get(place)) {
                Some(value) => Ok(value.clone()),
                None if vm.is_none(&self.description) => {
                    let shown = key.repr(vm)?.to_string_lossy().into_owned();
                    Err(vm.index_error(format!("No item with key {shown}")))
                }
                None => Err(vm.index_error("No item with that key")),
            };
        }
        if key.downcast_ref::<Slice>().is_some() {
            return self.data.as_object().get_item(key, vm);
        }
        Err(vm.index_error("Index must be int or string"))
    }

    /// Returns the keys of the row.
    #[method("($self, /)")]
    fn keys(&self, vm: &Vm) -> Ref<List> {
        vm.new_list(self.names().collect::<Vec<_>>())
    }
}

fn item(data: &Tuple, index: isize, vm: &Vm) -> PyResult {
    usize::try_from(index)
        .ok()
        .and_then(|index| data.as_slice().get(index).cloned())
        .ok_or_else(|| vm.index_error("tuple index out of range"))
}

fn shown_type(object: &Object, vm: &Vm) -> String {
    if vm.is_none(object) { "None".to_owned() } else { object.ob_type().tp_name_str().to_owned() }
}
