//! Descriptors of built-in types: methods, slot wrappers, members, computed attributes (how-to guide "Descriptors").

use std::ffi::{CStr, c_char};

use taipan_object::defs::meth;

use crate::prelude::*;

pub mod getset;
pub mod mapping_proxy;
pub mod member;
pub mod method;
pub mod wrapper;

pub use getset::GetSetDescriptor;
pub use mapping_proxy::MappingProxy;
pub use member::MemberDescriptor;
pub use method::{ClassMethodDescriptor, MethodDescriptor};
pub use wrapper::{MethodWrapper, WrapperDescriptor};

/// `PyDescrObject`: the head of all descriptors of built-in types.
#[repr(C)]
#[derive(Traverse)]
pub struct DescrHead {
    /// The header.
    #[traverse(skip)]
    pub ob: Object,
    /// The type that the attribute belongs to.
    pub d_type: Slot<Type>,
    /// The name.
    pub d_name: Slot<Str>,
    /// The qualified name, made on first use.
    pub d_qualname: Slot<Object>,
}

const _: () = assert!(size_of::<DescrHead>() == 40);

impl DescrHead {
    /// The head of a descriptor of type `kind` for `name` in `owner`.
    pub fn new(kind: &Type, owner: &Type, name: Ref<Str>) -> Self {
        DescrHead {
            ob: Object::new(kind),
            d_type: Slot::of(owner.into()),
            d_name: Slot::of(name),
            d_qualname: Slot::empty(),
        }
    }

    /// The type that the attribute belongs to.
    pub fn owner(&self) -> &Type {
        // SAFETY: set when made and never changed, so it lives as long as the descriptor.
        match unsafe { self.d_type.borrow() } {
            Some(owner) => owner,
            None => crate::builtins::object::object_type(),
        }
    }

    /// The name as text.
    pub fn name(&self) -> String {
        self.d_name.get().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// `__qualname__`.
    pub fn qualname(&self, vm: &Vm) -> PyResult {
        if let Some(made) = self.d_qualname.get() {
            return Ok(made);
        }
        let owner = crate::builtins::type_::type_qualname(self.owner(), vm).str(vm)?;
        let made = vm.new_str(&format!("{}.{}", owner.to_string_lossy(), self.name())).into_object();
        self.d_qualname.put(made.clone());
        Ok(made)
    }

    /// Raises unless `object` is an instance of the owner.
    pub fn check(&self, object: &Object, vm: &Vm) -> PyResult<()> {
        if object.ob_type().is_subtype_of(self.owner()) {
            return Ok(());
        }
        Err(vm.type_error(format!(
            "descriptor '{}' for '{}' objects doesn't apply to a '{}' object",
            self.name(),
            self.owner().tp_name_str(),
            object.ob_type().tp_name_str()
        )))
    }

    /// "<KIND 'name' of 'type' objects>".
    pub fn show(&self, kind: &str, vm: &Vm) -> ObjRef {
        vm.new_str(&format!("<{kind} '{}' of '{}' objects>", self.name(), self.owner().tp_name_str()))
            .into_object()
    }

    /// `__reduce__`: pickled as `getattr(type, name)`.
    pub fn reduce(&self, vm: &Vm) -> PyResult {
        let getattr = crate::builtins::builtins_module::builtin(vm.ids().getattr, vm)?;
        let name = self.d_name.get().map_or_else(|| vm.none(), Ref::into_object);
        let args = vm.new_tuple([self.owner().as_object().to_ref(), name]);
        Ok(vm.new_tuple([getattr, args.into_object()]).into_object())
    }
}

/// The text of a docstring pointer.
pub fn doc_text<'a>(doc: *const c_char) -> Option<&'a str> {
    if doc.is_null() {
        return None;
    }
    // SAFETY: docstrings are NUL-terminated and live as long as what they document.
    unsafe { CStr::from_ptr(doc) }.to_str().ok()
}

const SIGNATURE_END: &str = ")\n--\n\n";

/// Splits "name(signature)\n--\n\nbody".
fn split_doc<'a>(name: &str, doc: &'a str) -> Option<(&'a str, &'a str)> {
    let short = name.rsplit_once('.').map_or(name, |(_, short)| short);
    let rest = doc.strip_prefix(short)?;
    if !rest.starts_with('(') {
        return None;
    }
    let at = rest.find(SIGNATURE_END)?;
    // A blank line before the end means that the parenthesis was none of a signature.
    let signature = rest.get(..=at)?;
    if signature.contains("\n\n") {
        return None;
    }
    Some((signature, rest.get(at + SIGNATURE_END.len()..)?))
}

/// `__text_signature__`.
pub fn doc_signature<'a>(name: &str, doc: &'a str) -> Option<&'a str> {
    split_doc(name, doc).map(|(signature, _)| signature)
}

/// `__doc__`: the text without the signature.
pub fn doc_body<'a>(name: &str, doc: &'a str) -> &'a str {
    split_doc(name, doc).map_or(doc, |(_, body)| body)
}

/// A docstring of a table as `__doc__` shows it.
pub fn doc_object(name: &str, doc: *const c_char, vm: &Vm) -> ObjRef {
    match doc_text(doc).map(|text| doc_body(name, text)).filter(|body| !body.is_empty()) {
        Some(body) => vm.new_str(body).into_object(),
        None => vm.none(),
    }
}

/// The signature of a docstring of a table.
pub fn signature_object(name: &str, doc: *const c_char, vm: &Vm) -> ObjRef {
    match doc_text(doc).and_then(|text| doc_signature(name, text)) {
        Some(signature) => vm.new_str(signature).into_object(),
        None => vm.none(),
    }
}

/// What stands in a type's dictionary for an entry of its method table.
pub fn method_for_type(owner: &Type, def: &'static MethodDef, vm: &Vm) -> PyResult {
    if def.ml_flags & meth::CLASS != 0 {
        if def.ml_flags & meth::STATIC != 0 {
            return Err(vm.value_error("method cannot be both class and static"));
        }
        return Ok(ClassMethodDescriptor::new(owner, def, vm).into_object());
    }
    if def.ml_flags & meth::STATIC != 0 {
        let function = crate::builtins::builtin_function::BuiltinFunction::new(
            def,
            Some(owner.as_object().to_ref()),
            None,
            vm,
        );
        return Ok(crate::builtins::classmethod::StaticMethod::new_for(function.as_object(), vm));
    }
    Ok(MethodDescriptor::new(owner, def, vm).into_object())
}
