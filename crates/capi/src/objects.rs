//! The other concrete objects (C API manual, "Other Objects"): functions, methods, cells, descriptors, weak references,
//! generators, code, frames.

use std::ffi::{CStr, c_char, c_int, c_void};

use taipan_object::defs::GetSetDef;
use taipan_object::typeobject::VectorcallFunc;
use taipan_vm::builtins::builtin_function::BuiltinFunction;
use taipan_vm::builtins::classmethod::{ClassMethod, StaticMethod};
use taipan_vm::builtins::code::CodeParts;
use taipan_vm::builtins::descr::{
    ClassMethodDescriptor, GetSetDescriptor, MemberDescriptor, MethodDescriptor, WrapperDescriptor,
};
use taipan_vm::builtins::generator::any_kind;
use taipan_vm::builtins::traceback::Traceback;
use taipan_vm::builtins::type_::slotdefs::WrapperBase;
use taipan_vm::builtins::weakref::{new_proxy, new_reference, reference::WeakReference};
use taipan_vm::prelude::*;

use crate::support::*;

fn function<'a>(object: Option<&'a Object>, vm: &Vm) -> PyResult<&'a Function> {
    expect::<Function>(object, vm)
}

/// A field's content, borrowed from its owner.
fn lent<T: PyLayout>(field: &Slot<T>) -> Ptr {
    field.as_raw().cast()
}

fn code_of<'a>(object: Option<&'a Object>, vm: &Vm) -> PyResult<&'a Code> {
    expect::<Code>(object, vm)
}

fn new_c_function(
    def: *const MethodDef,
    object: Option<&Object>,
    module: Option<&Object>,
    class: Option<&Type>,
    vm: &Vm,
) -> PyResult<Ref<BuiltinFunction>> {
    // SAFETY: definitions of functions are never freed.
    let Some(def) = (unsafe { def.as_ref() }) else { return Err(bad_internal_call(vm)) };
    let function = BuiltinFunction::new(def, object.map(Object::to_ref), module.map(Object::to_ref), vm);
    if let Some(class) = class {
        function.mm_class.put(class.into());
    }
    Ok(function)
}

/// Kinds of variables in a code object.
const LOCAL: u8 = 0x20;
const CELL: u8 = 0x40;
const FREE: u8 = 0x80;

/// The parts of `PyUnstable_Code_New`.
struct NewCode<'a> {
    counts: [c_int; 3],
    stacksize: c_int,
    flags: c_int,
    code: &'a Object,
    consts: &'a Object,
    names: &'a Object,
    varnames: &'a Object,
    freevars: &'a Object,
    cellvars: &'a Object,
    filename: &'a Object,
    name: &'a Object,
    qualname: &'a Object,
    firstlineno: c_int,
    linetable: &'a Object,
    exceptiontable: &'a Object,
}

impl NewCode<'_> {
    fn make(&self, vm: &Vm) -> PyResult<Ref<Code>> {
        let tuple = |object| expect::<Tuple>(Some(object), vm);
        let text = |object| expect::<Str>(Some(object), vm);
        let bytes = |object| expect::<Bytes>(Some(object), vm);
        let (varnames, cellvars, freevars) =
            (tuple(self.varnames)?, tuple(self.cellvars)?, tuple(self.freevars)?);
        let mut names: Vec<ObjRef> = Vec::new();
        let mut kinds = Vec::new();
        for name in varnames.as_slice() {
            let is_cell = cellvars.as_slice().iter().any(|cell| same_text(cell, name));
            names.push(name.clone());
            kinds.push(if is_cell { LOCAL | CELL } else { LOCAL });
        }
        for name in cellvars.as_slice() {
            if !varnames.as_slice().iter().any(|variable| same_text(variable, name)) {
                names.push(name.clone());
                kinds.push(CELL);
            }
        }
        for name in freevars.as_slice() {
            names.push(name.clone());
            kinds.push(FREE);
        }
        let [argcount, posonlyargcount, kwonlyargcount] = self.counts;
        Code::create(
            CodeParts {
                argcount,
                posonlyargcount,
                kwonlyargcount,
                stacksize: self.stacksize,
                flags: self.flags,
                firstlineno: self.firstlineno,
                code: bytes(self.code)?.as_bytes().into(),
                consts: tuple(self.consts)?.into(),
                names: tuple(self.names)?.into(),
                localsplusnames: vm.new_tuple(names),
                localspluskinds: vm.new_bytes(&kinds),
                filename: text(self.filename)?.into(),
                name: text(self.name)?.into(),
                qualname: text(self.qualname)?.into(),
                linetable: bytes(self.linetable)?.into(),
                exceptiontable: bytes(self.exceptiontable)?.into(),
            },
            vm,
        )
    }
}

fn same_text(a: &Object, b: &Object) -> bool {
    match (a.downcast_ref::<Str>(), b.downcast_ref::<Str>()) {
        (Some(a), Some(b)) => Str::equal(a, b),
        _ => false,
    }
}

/// A code object that only names a place, for tracebacks of C code.
fn empty_code(filename: &CStr, name: &CStr, line: c_int, vm: &Vm) -> PyResult<Ref<Code>> {
    /// `RESUME 0`, then `LOAD_COMMON_CONSTANT AssertionError` and `RAISE_VARARGS 1`: running it raises.
    const CODE: [u8; 6] = [128, 0, 81, 0, 104, 1];
    let filename = taipan_vm::protocols::path::decode(filename.to_bytes(), vm);
    let name = decode_utf8(name.to_bytes(), vm)?;
    let empty = Tuple::empty(vm);
    let code = vm.new_bytes(&CODE);
    // One location entry without columns for all three units.
    let table = vm.new_bytes(&[0xe8 | 2, 0]);
    let none = vm.new_bytes(b"");
    NewCode {
        counts: [0; 3],
        stacksize: 1,
        flags: 3,
        code: code.as_object(),
        consts: empty.as_object(),
        names: empty.as_object(),
        varnames: empty.as_object(),
        freevars: empty.as_object(),
        cellvars: empty.as_object(),
        filename: filename.as_object(),
        name: name.as_object(),
        qualname: name.as_object(),
        firstlineno: line,
        linetable: table.as_object(),
        exceptiontable: none.as_object(),
    }
    .make(vm)
}

capi! {
    fn PyCFunction_New(vm, def: *const MethodDef, object: Option<&Object>) -> PyResult<Ref<BuiltinFunction>> {
        new_c_function(def, object, None, None, vm)
    }

    fn PyCFunction_NewEx(vm, def: *const MethodDef, object: Option<&Object>, module: Option<&Object>) -> PyResult<Ref<BuiltinFunction>> {
        new_c_function(def, object, module, None, vm)
    }

    fn PyCMethod_New(vm, def: *const MethodDef, object: Option<&Object>, module: Option<&Object>, class: Option<&Type>) -> PyResult<Ref<BuiltinFunction>> {
        new_c_function(def, object, module, class, vm)
    }

    fn PyCFunction_GetFunction(vm, object: Option<&Object>) -> PyResult<*mut c_void> {
        let function = expect::<BuiltinFunction>(object, vm)?;
        Ok(function.def().ml_meth.map_or(std::ptr::null_mut(), |f| f as *mut c_void))
    }

    fn PyCFunction_GetSelf(vm, object: Option<&Object>) -> PyResult<Ptr> {
        Ok(lent(&expect::<BuiltinFunction>(object, vm)?.m_self))
    }

    fn PyCFunction_GetFlags(vm, object: Option<&Object>) -> PyResult<c_int> {
        Ok(expect::<BuiltinFunction>(object, vm)?.def().ml_flags)
    }

    fn PyMethod_New(vm, function: Option<&Object>, object: Option<&Object>) -> PyResult<Ref<Method>> {
        match (function, object) {
            (Some(function), Some(object)) => Ok(Method::new(function.to_ref(), object.to_ref(), vm)),
            _ => Err(bad_internal_call(vm)),
        }
    }

    fn PyMethod_Function(vm, object: Option<&Object>) -> PyResult<Ptr> {
        Ok(expect::<Method>(object, vm)?.function(vm).as_raw())
    }

    fn PyMethod_Self(vm, object: Option<&Object>) -> PyResult<Ptr> {
        Ok(expect::<Method>(object, vm)?.receiver(vm).as_raw())
    }

    fn PyStaticMethod_New(vm, callable: &Object) -> ObjRef {
        StaticMethod::new_for(callable, vm)
    }

    fn PyClassMethod_New(vm, callable: &Object) -> ObjRef {
        ClassMethod::new_for(callable, vm)
    }

    fn PyDescr_NewMethod(vm, owner: &Type, def: *const MethodDef) -> Ref<MethodDescriptor> {
        MethodDescriptor::new(owner, &*def, vm)
    }

    fn PyDescr_NewClassMethod(vm, owner: &Type, def: *const MethodDef) -> Ref<ClassMethodDescriptor> {
        ClassMethodDescriptor::new(owner, &*def, vm)
    }

    fn PyDescr_NewMember(vm, owner: &Type, def: *const MemberDef) -> Ref<MemberDescriptor> {
        MemberDescriptor::new(owner, &*def, vm)
    }

    fn PyDescr_NewGetSet(vm, owner: &Type, def: *const GetSetDef) -> Ref<GetSetDescriptor> {
        GetSetDescriptor::new(owner, &*def, vm)
    }

    fn PyDescr_NewWrapper(vm, owner: &Type, base: *const WrapperBase, wrapped: *const ()) -> Ref<WrapperDescriptor> {
        WrapperDescriptor::new(owner, &*base, wrapped, vm)
    }

    fn PyDescr_IsData(vm, object: &Object) -> bool {
        object.ob_type().tp_descr_set.get().is_some()
    }

    fn PyMember_GetOne(vm, object: *const c_char, def: *const MemberDef) -> PyResult {
        taipan_vm::builtins::descr::member::get_member(&*object.cast::<Object>(), &*def, vm)
    }

    fn PyMember_SetOne(vm, object: *mut c_char, def: *const MemberDef, value: Option<&Object>) -> PyResult<()> {
        taipan_vm::builtins::descr::member::set_member(&*object.cast::<Object>(), &*def, value, vm)
    }

    fn PyCell_New(vm, content: Option<&Object>) -> Ref<PyCell> {
        PyCell::create(content.map(Object::to_ref), vm)
    }

    fn PyCell_Get(vm, object: Option<&Object>) -> PyResult<Option<ObjRef>> {
        Ok(expect::<PyCell>(object, vm)?.contents.get())
    }

    fn PyCell_Set(vm, object: Option<&Object>, value: Option<&Object>) -> PyResult<()> {
        expect::<PyCell>(object, vm)?.contents.set(value.map(Object::to_ref));
        Ok(())
    }

    fn PyFunction_New(vm, code: &Object, globals: &Object) -> PyResult<Ref<Function>> {
        Function::new_object(code_of(Some(code), vm)?, expect::<Dict>(Some(globals), vm)?, vm)
    }

    fn PyFunction_NewWithQualName(vm, code: &Object, globals: &Object, qualname: Option<&Object>) -> PyResult<Ref<Function>> {
        let function = Function::new_object(code_of(Some(code), vm)?, expect::<Dict>(Some(globals), vm)?, vm)?;
        if let Some(qualname) = qualname.and_then(Object::downcast_ref::<Str>) {
            function.qualname.put(qualname.into());
        }
        Ok(function)
    }

    fn PyFunction_GetCode(vm, object: Option<&Object>) -> PyResult<Ptr> {
        Ok(lent(&function(object, vm)?.code))
    }

    fn PyFunction_GetGlobals(vm, object: Option<&Object>) -> PyResult<Ptr> {
        Ok(lent(&function(object, vm)?.globals))
    }

    fn PyFunction_GetModule(vm, object: Option<&Object>) -> PyResult<Ptr> {
        Ok(lent(&function(object, vm)?.module))
    }

    fn PyFunction_GetDefaults(vm, object: Option<&Object>) -> PyResult<Ptr> {
        Ok(lent(&function(object, vm)?.defaults))
    }

    fn PyFunction_GetKwDefaults(vm, object: Option<&Object>) -> PyResult<Ptr> {
        Ok(lent(&function(object, vm)?.kwdefaults))
    }

    fn PyFunction_GetClosure(vm, object: Option<&Object>) -> PyResult<Ptr> {
        Ok(lent(&function(object, vm)?.closure))
    }

    fn PyFunction_GetAnnotations(vm, object: Option<&Object>) -> PyResult<Ptr> {
        let annotations = function(object, vm)?.as_object().get_attr(&vm.intern("__annotations__"), vm)?;
        Ok(annotations.as_raw())
    }

    fn PyFunction_SetDefaults(vm, object: &Object, value: &Object) -> PyResult<()> {
        object.set_attr(&vm.intern("__defaults__"), value, vm)
    }

    fn PyFunction_SetKwDefaults(vm, object: &Object, value: &Object) -> PyResult<()> {
        object.set_attr(&vm.intern("__kwdefaults__"), value, vm)
    }

    fn PyFunction_SetAnnotations(vm, object: &Object, value: &Object) -> PyResult<()> {
        object.set_attr(&vm.intern("__annotations__"), value, vm)
    }

    fn PyFunction_SetVectorcall(vm, object: Option<&Object>, vectorcall: *mut c_void) -> Void {
        if let Ok(function) = function(object, vm) {
            function.version.set(0);
            function.vectorcall.set(std::mem::transmute::<*mut c_void, Option<VectorcallFunc>>(vectorcall));
        }
        Void
    }

    fn PyWeakref_NewRef(vm, target: &Object, callback: Option<&Object>) -> PyResult {
        new_reference(WeakReference::type_object(), target, callback.filter(|c| !vm.is_none(c)), vm)
    }

    fn PyWeakref_NewProxy(vm, target: &Object, callback: Option<&Object>) -> PyResult {
        new_proxy(target, callback.filter(|c| !vm.is_none(c)), vm)
    }

    fn PyWeakref_GetRef(vm, reference: Option<&Object>, result: *mut Ptr) -> PyResult<bool> {
        *result = std::ptr::null_mut();
        crate::object::give(weakref(reference, vm)?.get(), result)
    }

    fn PyWeakref_GetObject(vm, reference: Option<&Object>) -> PyResult<Ptr> {
        let reference = weakref(reference, vm)?;
        // Borrowed: what keeps the target alive is the caller's business.
        Ok(reference.get().map_or(vm.none_ref().as_ptr(), |target| target.as_raw()))
    }

    fn PyWeakref_IsDead(vm, reference: Option<&Object>) -> PyResult<bool> {
        Ok(weakref(reference, vm)?.is_dead())
    }

    fn PyGen_GetCode(vm, object: &Object) -> PyResult {
        match any_kind(object) {
            Some(generator) => Ok(generator.code().as_object().to_ref()),
            None => Err(bad_internal_call(vm)),
        }
    }

    fn _PyGen_FetchStopIterationValue(vm, place: *mut Ptr) -> PyResult<()> {
        let value = if vm.has_exception() {
            if !vm.exception_matches(types::stop_iteration()) {
                return Err(Raised);
            }
            match vm.take_exception() {
                Some(exception) => taipan_vm::exceptions::stop_iteration::StopIteration::value_of(&exception, vm),
                None => vm.none(),
            }
        } else {
            vm.none()
        };
        *place = value.into_raw();
        Ok(())
    }

    fn PyCode_NewEmpty(vm, filename: &CStr, name: &CStr, line: c_int) -> PyResult<Ref<Code>> {
        empty_code(filename, name, line, vm)
    }

    fn PyUnstable_Code_NewWithPosOnlyArgs(
        vm, argcount: c_int, posonly: c_int, kwonly: c_int, nlocals: c_int, stacksize: c_int, flags: c_int, code: &Object,
        consts: &Object, names: &Object, varnames: &Object, freevars: &Object, cellvars: &Object, filename: &Object, name: &Object,
        qualname: &Object, firstlineno: c_int, linetable: &Object, exceptiontable: &Object,
    ) -> PyResult<Ref<Code>> {
        NewCode {
            counts: [argcount, posonly, kwonly], stacksize, flags, code, consts, names, varnames, freevars, cellvars, filename,
            name, qualname, firstlineno, linetable, exceptiontable,
        }
        .make(vm)
    }

    fn PyUnstable_Code_New(
        vm, argcount: c_int, kwonly: c_int, nlocals: c_int, stacksize: c_int, flags: c_int, code: &Object, consts: &Object,
        names: &Object, varnames: &Object, freevars: &Object, cellvars: &Object, filename: &Object, name: &Object,
        qualname: &Object, firstlineno: c_int, linetable: &Object, exceptiontable: &Object,
    ) -> PyResult<Ref<Code>> {
        NewCode {
            counts: [argcount, 0, kwonly], stacksize, flags, code, consts, names, varnames, freevars, cellvars, filename, name,
            qualname, firstlineno, linetable, exceptiontable,
        }
        .make(vm)
    }

    fn PyCode_GetCode(vm, object: Option<&Object>) -> PyResult<Ref<Bytes>> {
        Ok(vm.new_bytes(&code_of(object, vm)?.original_code()))
    }

    fn PyCode_GetVarnames(vm, object: Option<&Object>) -> PyResult<Ref<Tuple>> {
        Ok(code_of(object, vm)?.varnames(vm))
    }

    fn PyCode_GetCellvars(vm, object: Option<&Object>) -> PyResult<Ref<Tuple>> {
        Ok(code_of(object, vm)?.cellvars(vm))
    }

    fn PyCode_GetFreevars(vm, object: Option<&Object>) -> PyResult<Ref<Tuple>> {
        Ok(code_of(object, vm)?.freevars(vm))
    }

    fn PyCode_GetNumFree(vm, object: Option<&Object>) -> PyResult<isize> {
        Ok(signed(code_of(object, vm)?.nfreevars()))
    }

    fn PyCode_Addr2Line(vm, object: Option<&Object>, lasti: c_int) -> PyResult<c_int> {
        Ok(code_of(object, vm)?.line_at(lasti).unwrap_or(-1))
    }

    fn PyFrame_New(vm, state: *mut c_void, code: &Object, globals: &Object, locals: Option<&Object>) -> PyResult<Ref<Frame>> {
        let function = Function::new_object(code_of(Some(code), vm)?, expect::<Dict>(Some(globals), vm)?, vm)?;
        Ok(taipan_vm::builtins::frame::new_detached(&function, vm))
    }

    fn PyFrame_GetCode(vm, object: &Object) -> PyResult<Ref<Code>> {
        Ok(expect::<Frame>(Some(object), vm)?.code())
    }

    fn PyFrame_GetLineNumber(vm, object: &Object) -> PyResult<c_int> {
        Ok(expect::<Frame>(Some(object), vm)?.lineno().unwrap_or(-1))
    }

    fn PyFrame_GetBack(vm, object: &Object) -> PyResult<Option<Ref<Frame>>> {
        // Greenlet passes a frame of its own making, on the stack and without a type, to reach what lies before it.
        Ok((*object.as_ptr().cast::<Frame>()).back(vm))
    }

    fn PyFrame_GetGlobals(vm, object: &Object) -> PyResult {
        Ok(expect::<Frame>(Some(object), vm)?.globals(vm))
    }

    fn PyFrame_GetLocals(vm, object: &Object) -> PyResult {
        Ok(expect::<Frame>(Some(object), vm)?.locals(vm))
    }

    fn PyFrame_GetBuiltins(vm, object: &Object) -> PyResult {
        object.get_attr(&vm.intern("f_builtins"), vm)
    }

    fn PyFrame_GetLasti(vm, object: &Object) -> PyResult<c_int> {
        let lasti = object.get_attr(&vm.intern("f_lasti"), vm)?;
        Ok(crate::long::as_signed(&lasti, vm)? as c_int)
    }

    fn PyFrame_GetGenerator(vm, object: &Object) -> PyResult<Option<ObjRef>> {
        let generator = object.get_attr(&vm.intern("f_generator"), vm)?;
        Ok(Some(generator).filter(|g| !vm.is_none(g)))
    }

    fn PyFrame_GetVar(vm, object: &Object, name: &Object) -> PyResult {
        variable(object, attr_name(name, vm)?, vm)
    }

    fn PyFrame_GetVarString(vm, object: &Object, variable_name: &CStr) -> PyResult {
        variable(object, &*name(variable_name, vm)?, vm)
    }

    fn PyTraceBack_Here(vm, frame: &Object) -> PyResult<()> {
        let frame = expect::<Frame>(Some(frame), vm)?;
        let Some(exception) = vm.current_exception.get() else { return Ok(()) };
        let line = match frame.f_lineno.get() {
            0 => frame.lineno().unwrap_or(-1),
            line => line,
        };
        let traceback = Traceback::with_line(exception.traceback(), frame.into(), 0, line, vm);
        exception.traceback.put(traceback.into_object());
        Ok(())
    }
}

fn weakref<'a>(object: Option<&'a Object>, vm: &Vm) -> PyResult<&'a WeakReference> {
    match object.and_then(Object::downcast_ref::<WeakReference>) {
        Some(reference) => Ok(reference),
        None => Err(vm.type_error("expected a weakref")),
    }
}

fn variable(frame: &Object, name: &Str, vm: &Vm) -> PyResult {
    let locals = expect::<Frame>(Some(frame), vm)?.locals(vm);
    match locals.get_item(name.as_object(), vm) {
        Err(Raised) if vm.exception_matches(types::key_error()) => {
            vm.clear_exception();
            Err(vm.name_error(format!("variable '{}' does not exist", name.to_string_lossy())))
        }
        other => other,
    }
}
