//! `_types`: the built-in types that have no name of their own among the built-ins.

use taipan_vm::builtins::builtin_function::BuiltinFunction;
use taipan_vm::builtins::capsule::Capsule;
use taipan_vm::builtins::descr::{
    ClassMethodDescriptor, GetSetDescriptor, MappingProxy, MemberDescriptor, MethodDescriptor, MethodWrapper,
    WrapperDescriptor,
};
use taipan_vm::builtins::generator::{AsyncGenerator, Coroutine, Generator};
use taipan_vm::builtins::generic_alias::GenericAlias;
use taipan_vm::builtins::namespace::Namespace;
use taipan_vm::builtins::traceback::Traceback;
use taipan_vm::builtins::union::Union;
use taipan_vm::prelude::*;

/// The module.
pub struct Types;

/// Define names for built-in types.
#[pymodule(name = "_types")]
impl Types {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        let types: [(&str, &Type); 24] = [
            ("AsyncGeneratorType", AsyncGenerator::type_object()),
            ("BuiltinFunctionType", BuiltinFunction::type_object()),
            ("BuiltinMethodType", BuiltinFunction::type_object()),
            ("CapsuleType", Capsule::type_object()),
            ("CellType", PyCell::type_object()),
            ("ClassMethodDescriptorType", ClassMethodDescriptor::type_object()),
            ("CodeType", Code::type_object()),
            ("CoroutineType", Coroutine::type_object()),
            ("FrameType", Frame::type_object()),
            ("FunctionType", Function::type_object()),
            ("GeneratorType", Generator::type_object()),
            ("GenericAlias", GenericAlias::type_object()),
            ("GetSetDescriptorType", GetSetDescriptor::type_object()),
            ("LambdaType", Function::type_object()),
            ("MappingProxyType", MappingProxy::type_object()),
            ("MemberDescriptorType", MemberDescriptor::type_object()),
            ("MethodDescriptorType", MethodDescriptor::type_object()),
            ("MethodType", Method::type_object()),
            ("MethodWrapperType", MethodWrapper::type_object()),
            ("ModuleType", Module::type_object()),
            ("SimpleNamespace", Namespace::type_object()),
            ("TracebackType", Traceback::type_object()),
            ("UnionType", Union::type_object()),
            ("WrapperDescriptorType", WrapperDescriptor::type_object()),
        ];
        for (name, tp) in types {
            module.set(name, tp.as_object(), vm)?;
        }
        let singletons = [
            ("EllipsisType", vm.ellipsis()),
            ("NoneType", vm.none()),
            ("NotImplementedType", vm.not_implemented()),
        ];
        for (name, singleton) in singletons {
            module.set(name, singleton.ob_type().as_object(), vm)?;
        }
        Ok(())
    }
}
