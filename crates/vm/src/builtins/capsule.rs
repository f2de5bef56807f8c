//! `PyCapsule`: a C pointer as an object (C API manual, "Capsules").

use std::cell::Cell;
use std::ffi::{CStr, c_char, c_void};

use crate::prelude::*;

/// `PyCapsule_Destructor`.
pub type CapsuleDestructor = unsafe extern "C" fn(*mut Object);

/// The layout of a capsule.
#[repr(C)]
#[derive(Traverse)]
pub struct Capsule {
    #[traverse(skip)]
    ob: Object,
    /// What it carries; never null in a valid capsule.
    #[traverse(skip)]
    pub pointer: Cell<*mut c_void>,
    /// Its name, kept by whoever made it, or null.
    #[traverse(skip)]
    pub name: Cell<*const c_char>,
    /// A second pointer for the maker's use.
    #[traverse(skip)]
    pub context: Cell<*mut c_void>,
    /// Called when the capsule ends.
    #[traverse(skip)]
    pub destructor: Cell<Option<CapsuleDestructor>>,
}

impl Capsule {
    /// A capsule of a pointer that is not null.
    pub fn new(
        pointer: *mut c_void,
        name: *const c_char,
        destructor: Option<CapsuleDestructor>,
        vm: &Vm,
    ) -> Ref<Self> {
        vm.new_object(Capsule {
            ob: Object::new(Self::type_object()),
            pointer: Cell::new(pointer),
            name: Cell::new(name),
            context: Cell::new(std::ptr::null_mut()),
            destructor: Cell::new(destructor),
        })
    }

    /// The name for comparison; none when it is null.
    pub fn name(&self) -> Option<&CStr> {
        let name = self.name.get();
        // SAFETY: a name is NUL-terminated and outlives the capsule.
        (!name.is_null()).then(|| unsafe { CStr::from_ptr(name) })
    }
}

unsafe extern "C" fn dealloc(op: *mut Object) {
    // SAFETY: called with a capsule whose count has reached zero.
    unsafe {
        taipan_object::gc::untrack(op);
        if let Some(destructor) = (*op.cast::<Capsule>()).destructor.get() {
            destructor(op);
        }
        crate::builtins::type_::heap::free_instance(op.cast());
    }
}

/// Capsule objects let you wrap a C "void *" pointer in a Python object.
///
/// They're a way of passing data through the Python interpreter without
/// creating your own custom type.
#[pytype(name = "PyCapsule", symbol = "PyCapsule_Type", gc, no_new)]
impl Capsule {
    #[slot]
    unsafe fn tp_dealloc(op: *mut Object) {
        // SAFETY: passed on.
        unsafe { dealloc(op) }
    }

    #[slot]
    fn tp_repr(&self, vm: &Vm) -> ObjRef {
        let text = match self.name() {
            Some(name) => {
                format!("<capsule object \"{}\" at {:p}>", name.to_string_lossy(), self.as_object())
            }
            None => format!("<capsule object NULL at {:p}>", self.as_object()),
        };
        vm.new_str(&text).into_object()
    }
}
