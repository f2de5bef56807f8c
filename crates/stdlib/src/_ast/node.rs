//! `ast.AST`: the base of all nodes.

use taipan_vm::builtins::dict::managed::instance_dict;
use taipan_vm::builtins::generic_alias::GenericAlias;
use taipan_vm::builtins::union::Union;
use taipan_vm::builtins::warn::deprecation;
use taipan_vm::prelude::*;

use super::Classes;

/// A node: its attributes.
#[repr(C)]
#[derive(Traverse)]
pub struct Ast {
    /// The header.
    pub ob: Object,
    dict: Slot<Object>,
}

/// How deep `repr` shows nodes.
const SHOWN_DEPTH: u32 = 3;

impl Ast {
    /// A node of a class, without attributes.
    pub fn instance(class: &Type, vm: &Vm) -> PyResult {
        let dict = Slot::of(vm.new_dict().into_object());
        vm.new_instance(class, Ast { ob: Object::new(Self::type_object()), dict })
    }

    /// The class's `_fields`, without which AttributeError is raised, or `_attributes`, if it has any.
    fn names(&self, name: &str, vm: &Vm) -> PyResult<Option<Vec<ObjRef>>> {
        let class = self.as_object().ob_type().as_object();
        if name == "_fields" {
            return class.get_attr(&vm.intern(name), vm)?.collect_iterable(vm).map(Some);
        }
        match class.lookup_attr(&vm.intern(name), vm)? {
            Some(names) => names.collect_iterable(vm).map(Some),
            None => Ok(None),
        }
    }

    /// Raises TypeError when `attributes` lacks fields that have no default.
    fn check_complete(&self, attributes: &Dict, vm: &Vm) -> PyResult<()> {
        let types = self.as_object().ob_type().as_object().lookup_attr(&vm.intern("_field_types"), vm)?;
        let types = types.as_deref().and_then(|types| types.downcast_ref::<Dict>());
        let mut missing = Vec::new();
        for field in self.names("_fields", vm)?.unwrap_or_default() {
            let tp = types.map(|types| types.get_item(&field, vm)).transpose()?.flatten();
            let optional = tp.is_some_and(|tp| tp.downcast_ref::<Union>().is_some());
            if !optional && attributes.get_item(&field, vm)?.is_none() {
                missing.push(field.repr(vm)?.to_string_lossy().into_owned());
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        missing.sort();
        let plural = if missing.len() == 1 { "" } else { "s" };
        Err(vm.type_error(format!(
            "{}.__replace__ missing {} keyword argument{plural}: {}.",
            self.class_name(),
            missing.len(),
            missing.join(", ")
        )))
    }

    fn class_name(&self) -> String {
        self.as_object().ob_type().name().to_owned()
    }

    fn warn_untyped(&self, field: &Object, vm: &Vm) -> PyResult<()> {
        deprecation(
            &format!(
                "Field {} is missing from {}._field_types. This will become an error in Python 3.15.",
                field.repr(vm)?.to_string_lossy(),
                self.class_name()
            ),
            vm,
        )
    }

    /// Gives a field that was not given its default.
    fn set_default(&self, name: &Str, field_types: Option<&Object>, vm: &Vm) -> PyResult<()> {
        let (class, shown) = (self.class_name(), name.to_string_lossy());
        let tp = match field_types.and_then(|types| types.downcast_ref::<Dict>()) {
            Some(types) => types.get_item(name.as_object(), vm)?,
            None => None,
        };
        let Some(tp) = tp else {
            return self.warn_untyped(name.as_object(), vm);
        };
        if tp.downcast_ref::<Union>().is_some() {
            // The class says None.
            return Ok(());
        }
        if tp.downcast_ref::<GenericAlias>().is_some() {
            return self.as_object().set_attr(name, vm.new_list(Vec::new()).as_object(), vm);
        }
        let classes = Classes::of(vm)?;
        if tp.is(classes.get("expr_context", vm)?.class.as_object()) {
            return self.as_object().set_attr(name, &*classes.singleton("Load", vm)?, vm);
        }
        deprecation(
            &format!(
                "{class}.__init__ missing 1 required positional argument: '{shown}'. This will become an error in Python 3.15."
            ),
            vm,
        )
    }

    fn shown(&self, depth: u32, vm: &Vm) -> PyResult<String> {
        vm.check_recursion(" while getting the repr of an object")?;
        let class = self.class_name();
        if depth == 0 {
            return Ok(format!("{class}(...)"));
        }
        let mut parts = Vec::new();
        for name in self.names("_fields", vm)?.unwrap_or_default() {
            let Some(name) = name.downcast_ref::<Str>() else { continue };
            let value = self.as_object().get_attr(name, vm)?;
            let text = if let Some(list) = value.downcast_exact::<List>() {
                shown_items(&list.to_vec(), '[', ']', depth, vm)?
            } else if let Some(tuple) = value.downcast_exact::<Tuple>() {
                shown_items(tuple.as_slice(), '(', ')', depth, vm)?
            } else {
                shown_value(&value, depth, vm)?
            };
            parts.push(format!("{}={text}", name.to_string_lossy()));
        }
        Ok(format!("{class}({})", parts.join(", ")))
    }
}

fn shown_value(value: &Object, depth: u32, vm: &Vm) -> PyResult<String> {
    match value.downcast_ref::<Ast>() {
        Some(node) => node.shown(depth - 1, vm),
        None => Ok(value.repr(vm)?.to_string_lossy().into_owned()),
    }
}

/// The first and the last of the items.
fn shown_items(items: &[ObjRef], open: char, close: char, depth: u32, vm: &Vm) -> PyResult<String> {
    let mut parts = Vec::new();
    if let Some(first) = items.first() {
        parts.push(shown_value(first, depth, vm)?);
    }
    if items.len() > 2 {
        parts.push("...".to_owned());
    }
    if let Some(last) = items.last().filter(|_| items.len() > 1) {
        parts.push(shown_value(last, depth, vm)?);
    }
    Ok(format!("{open}{}{close}", parts.join(", ")))
}

#[pytype(name = "ast.AST", flags(BASETYPE), gc, dict = dict)]
impl Ast {
    #[new("(*args, **kwargs)")]
    fn construct(cls: &Type, _args: &[&Object], _kwargs: KwArgs<'_>, vm: &Vm) -> PyResult {
        Ast::instance(cls, vm)
    }

    #[init("(*args, **kwargs)")]
    fn init(&self, args: &[&Object], kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<()> {
        let class = self.class_name();
        let fields = self.names("_fields", vm)?.unwrap_or_default();
        if fields.len() < args.len() {
            let count = fields.len();
            let plural = if count == 1 { "" } else { "s" };
            return Err(vm.type_error(format!(
                "{class} constructor takes at most {count} positional argument{plural}"
            )));
        }
        let mut remaining: Vec<ObjRef> = fields.iter().skip(args.len()).cloned().collect();
        for (field, value) in fields.iter().zip(args) {
            let Some(name) = field.downcast_ref::<Str>() else { continue };
            self.as_object().set_attr(name, value, vm)?;
        }
        for (name, value) in kwargs.iter() {
            let same =
                |field: &ObjRef| field.downcast_ref::<Str>().is_some_and(|field| Str::equal(field, name));
            if fields.iter().any(same) {
                let before = remaining.len();
                remaining.retain(|field| !same(field));
                if remaining.len() == before {
                    let shown = name.as_object().repr(vm)?;
                    return Err(vm.type_error(format!(
                        "{class} got multiple values for argument {}",
                        shown.to_string_lossy()
                    )));
                }
            } else if !self.names("_attributes", vm)?.unwrap_or_default().iter().any(same) {
                let shown = name.as_object().repr(vm)?;
                deprecation(
                    &format!(
                        "{class}.__init__ got an unexpected keyword argument {}. Support for arbitrary keyword arguments is deprecated and will be removed in Python 3.15.",
                        shown.to_string_lossy()
                    ),
                    vm,
                )?;
            }
            self.as_object().set_attr(name, value, vm)?;
        }
        if remaining.is_empty() {
            return Ok(());
        }
        let types = self.as_object().ob_type().as_object().lookup_attr(&vm.intern("_field_types"), vm)?;
        for field in &remaining {
            match field.downcast_ref::<Str>() {
                Some(name) => self.set_default(name, types.as_deref(), vm)?,
                None => self.warn_untyped(field, vm)?,
            }
        }
        Ok(())
    }

    #[getter(__dict__)]
    fn attributes(&self, vm: &Vm) -> PyResult<Ref<Dict>> {
        instance_dict(self.as_object(), vm)
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> PyResult {
        Ok(vm.new_str(&self.shown(SHOWN_DEPTH, vm)?).into_object())
    }

    #[method("($self, /)")]
    fn __reduce__(&self, vm: &Vm) -> PyResult<Ref<Tuple>> {
        let state = instance_dict(self.as_object(), vm)?.copy(vm);
        let class = self.as_object().ob_type().as_object().to_ref();
        // Positional arguments keep the constructor from warning about what the state brings.
        let count = self.names("_fields", vm)?.unwrap_or_default().len();
        let args = vm.new_tuple((0..count).map(|_| vm.none()).collect::<Vec<_>>());
        Ok(vm.new_tuple([class, args.into_object(), state.into_object()]))
    }

    /// Return a copy of the AST node with new values for the specified fields.
    #[method("($self, /, **fields)")]
    fn __replace__(&self, fields: KwArgs<'_>, vm: &Vm) -> PyResult {
        let class = self.class_name();
        let mut known = self.names("_fields", vm)?.unwrap_or_default();
        known.extend(self.names("_attributes", vm)?.unwrap_or_default());
        for (name, _) in fields.iter() {
            let expected = known.iter().any(|k| k.downcast_ref::<Str>().is_some_and(|k| Str::equal(k, name)));
            if !expected {
                let shown = name.as_object().repr(vm)?;
                return Err(vm.type_error(format!(
                    "{class}.__replace__ got an unexpected keyword argument {}.",
                    shown.to_string_lossy()
                )));
            }
        }
        let copy = Ast::instance(self.as_object().ob_type(), vm)?;
        let attributes = instance_dict(&copy, vm)?;
        let own = instance_dict(self.as_object(), vm)?;
        for name in &known {
            if let Some(value) = own.get_item(name, vm)? {
                attributes.set_item(name, &value, vm)?;
            }
        }
        for (name, value) in fields.iter() {
            attributes.set_item(name.as_object(), value, vm)?;
        }
        self.check_complete(&attributes, vm)?;
        Ok(copy)
    }
}
