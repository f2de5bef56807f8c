//! `_opcode`: what `dis` and `opcode` ask of the instruction table.

use taipan_vm::bytecode::opcode::{AnyOpcode, BinaryOp, Intrinsic1, Intrinsic2, SpecialMethod, deopt, flag};

use taipan_vm::prelude::*;

/// The module.
pub struct OpcodeModule;

fn known(opcode: i32) -> Option<AnyOpcode> {
    u16::try_from(opcode).ok().and_then(AnyOpcode::from_number)
}

fn has(opcode: i32, flag: u16) -> bool {
    known(opcode).is_some_and(|opcode| opcode.has(flag))
}

/// Whether it starts a block with a handler, in the compiler's intermediate code.
fn is_block_start(opcode: AnyOpcode) -> bool {
    matches!(opcode, AnyOpcode::SetupFinally | AnyOpcode::SetupCleanup | AnyOpcode::SetupWith)
}

fn is_instrumented(opcode: AnyOpcode) -> bool {
    opcode.real().is_some_and(|real| real.is_instrumented())
}

fn names<'a>(all: impl Iterator<Item = &'a str>, vm: &Vm) -> Ref<List> {
    vm.new_list(all.map(|name| vm.new_str(name).into_object()).collect::<Vec<_>>())
}

/// The C name of an operator of `BINARY_OP`.
fn operator_name(operator: BinaryOp) -> String {
    let mut name = String::from("NB");
    for letter in format!("{operator:?}").chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}

/// Opcode support module.
#[pymodule(name = "_opcode")]
impl OpcodeModule {
    /// Compute the stack effect of the opcode.
    #[function("($module, opcode, oparg=None, /, *, jump=None)")]
    fn stack_effect(opcode: i32, oparg: Option<&Object>, jump: Option<&Object>, vm: &Vm) -> PyResult<i64> {
        let oparg = match oparg.filter(|oparg| !vm.is_none(oparg)) {
            Some(oparg) => i32::from_arg(
                oparg,
                &taipan_vm::args::ArgName { func: "stack_effect", pos: 2, name: "oparg" },
                vm,
            )?,
            None => 0,
        };
        let jump = match jump {
            None => true,
            Some(jump) if vm.is_none(jump) || jump.is(vm.true_ref()) => true,
            Some(jump) if jump.is(vm.false_ref()) => false,
            Some(_) => return Err(vm.value_error("stack_effect: jump must be False, True or None")),
        };
        let invalid = || vm.value_error("invalid opcode or oparg");
        let known = known(opcode).ok_or_else(invalid)?;
        let specialized = u8::try_from(opcode).is_ok_and(|number| deopt(number) != number);
        if specialized && !is_instrumented(known) {
            return Err(invalid());
        }
        if is_block_start(known) && !jump {
            return Ok(0);
        }
        let oparg = u32::try_from(oparg).map_err(|_| invalid())?;
        Ok(i64::from(known.pushed(oparg)) - i64::from(known.popped(oparg)))
    }

    /// Return True if opcode is valid, False otherwise.
    #[function("($module, /, opcode)")]
    fn is_valid(opcode: i32) -> bool {
        known(opcode).is_some()
    }

    /// Return True if the opcode uses its oparg, False otherwise.
    #[function("($module, /, opcode)")]
    fn has_arg(opcode: i32) -> bool {
        has(opcode, flag::ARG)
    }

    /// Return True if the opcode accesses a constant, False otherwise.
    #[function("($module, /, opcode)")]
    fn has_const(opcode: i32) -> bool {
        has(opcode, flag::CONST)
    }

    /// Return True if the opcode accesses an attribute by name, False otherwise.
    #[function("($module, /, opcode)")]
    fn has_name(opcode: i32) -> bool {
        has(opcode, flag::NAME)
    }

    /// Return True if the opcode has a jump target, False otherwise.
    #[function("($module, /, opcode)")]
    fn has_jump(opcode: i32) -> bool {
        has(opcode, flag::JUMP)
    }

    /// Return True if the opcode accesses a free variable, False otherwise.
    ///
    /// Note that 'free' in this context refers to names in the current scope
    /// that are referenced by inner scopes or names in outer scopes that are
    /// referenced from this scope. It does not include references to global
    /// or builtin scopes.
    #[function("($module, /, opcode)")]
    fn has_free(opcode: i32) -> bool {
        has(opcode, flag::FREE)
    }

    /// Return True if the opcode accesses a local variable, False otherwise.
    #[function("($module, /, opcode)")]
    fn has_local(opcode: i32) -> bool {
        has(opcode, flag::LOCAL)
    }

    /// Return True if the opcode sets an exception handler, False otherwise.
    #[function("($module, /, opcode)")]
    fn has_exc(opcode: i32) -> bool {
        known(opcode).is_some_and(is_block_start)
    }

    /// Return the specialization stats
    #[function("($module, /)")]
    fn get_specialization_stats() {}

    /// Return array of symbols of binary ops.
    ///
    /// Indexed by the BINARY_OP oparg value.
    #[function("($module, /)")]
    fn get_nb_ops(vm: &Vm) -> Ref<List> {
        let pair = |operator: &BinaryOp| {
            let name = vm.new_str(&operator_name(*operator)).into_object();
            vm.new_tuple([name, vm.new_str(operator.name()).into_object()]).into_object()
        };
        vm.new_list(BinaryOp::ALL.iter().map(pair).collect::<Vec<_>>())
    }

    /// Return a list of names of the unary intrinsics.
    #[function("($module, /)")]
    fn get_intrinsic1_descs(vm: &Vm) -> Ref<List> {
        names(Intrinsic1::ALL.iter().map(|one| one.name()), vm)
    }

    /// Return a list of names of the binary intrinsics.
    #[function("($module, /)")]
    fn get_intrinsic2_descs(vm: &Vm) -> Ref<List> {
        names(Intrinsic2::ALL.iter().map(|one| one.name()), vm)
    }

    /// Return a list of special method names.
    #[function("($module, /)")]
    fn get_special_method_names(vm: &Vm) -> Ref<List> {
        names(SpecialMethod::ALL.iter().map(|one| one.name()), vm)
    }

    /// Return the executor object at offset in code if exists, None otherwise.
    #[function("($module, /, code, offset)")]
    fn get_executor(code: &Object, _offset: i32, vm: &Vm) -> PyResult {
        if code.downcast_ref::<Code>().is_none() {
            let given = code.ob_type().tp_name_str();
            return Err(vm.type_error(format!("expected a code object, not '{given}'")));
        }
        // Compiled code hangs from no instruction here.
        Err(vm.value_error("no executor at given byte offset"))
    }

    #[constant("ENABLE_SPECIALIZATION")]
    fn enable_specialization() -> i32 {
        1
    }

    #[constant("ENABLE_SPECIALIZATION_FT")]
    fn enable_specialization_ft() -> i32 {
        1
    }
}
