//! The C API: the functions and data that extension modules and embedding programs link to.
//!
//! One file an area, as in the chapters of the C API manual, which says what each function does; thin over `vm`. Functions
//! that C code may call without the interpreter's lock are written out; all others are declared with `capi!`, which
//! fetches the thread state and converts arguments and result. Data symbols of types and exceptions stand where `vm`
//! defines the objects.

#![allow(non_snake_case, reason = "C's names")]
#![allow(
    clippy::missing_safety_doc,
    clippy::not_unsafe_ptr_arg_deref,
    reason = "C's contract is the manual's: live objects, the lock held"
)]

use taipan_vm::prelude::*;

mod arguments;
mod buffer;
mod build_value;
mod bytes;
mod call;
mod capsule;
mod code_extra;
mod codec;
mod containers;
mod data;
mod dict;
mod errors;
mod extension;
mod float;
mod format;
mod identifier;
mod import;
mod instance_method;
mod iter;
mod long;
mod mapping;
mod memory;
mod module;
mod number;
mod object;
mod objects;
mod process;
mod sequence;
mod structseq;
mod stubs;
mod support;
mod sys;
mod thread;
mod thread_state;
mod time;
mod type_;
mod type_spec;
mod unicode;
mod unicode_data;
mod unicode_errors;
mod unicode_writer;
mod units;
mod va_list;

/// Plugs the API into a started interpreter: extension modules can be imported from now on.
pub fn install(vm: &Vm) {
    let hooks = &vm.interp().hooks;
    hooks.load_extension.set(Some(extension::load));
    hooks.exec_extension.set(Some(module::exec));
    hooks.input_hook.set(Some(&data::PyOS_InputHook));
    hooks.run_pending_calls.set(Some(thread_state::run_pending_calls));
}

/// Readies the types that C code may refer to by their symbols and that nothing has used yet.
fn prepare(vm: &Vm) -> PyResult<()> {
    use taipan_vm::builtins as b;
    let types: &[&Type] = &[
        module::ModuleDef::type_object(),
        instance_method::InstanceMethod::type_object(),
        b::capsule::Capsule::type_object(),
        b::bytearray::ByteArray::type_object(),
        b::memoryview::MemoryView::type_object(),
        b::pickle_buffer::PickleBuffer::type_object(),
        b::complex::Complex::type_object(),
        b::slice::Slice::type_object(),
        b::range::Range::type_object(),
        b::traceback::Traceback::type_object(),
        b::weakref::reference::WeakReference::type_object(),
        b::cell::PyCell::type_object(),
        b::code::Code::type_object(),
        b::frame::Frame::type_object(),
        b::method::Method::type_object(),
        b::classmethod::ClassMethod::type_object(),
        b::property::Property::type_object(),
        b::super_::Super::type_object(),
        b::generator::Generator::type_object(),
        b::descr::MappingProxy::type_object(),
        b::enumerate::Enumerate::type_object(),
        b::filter::Filter::type_object(),
        b::map::Map::type_object(),
        b::zip::Zip::type_object(),
        b::reversed::Reversed::type_object(),
    ];
    types.iter().try_for_each(|tp| b::type_::type_ready(tp, vm))
}
