//! Class definitions.

use taipan_bytecode::opcode::Intrinsic1;
use taipan_bytecode::{AnyOpcode as Op, Const};
use taipan_parser::ast::{ClassDef, Stmt};

use super::{Compiler, Done, ScopeType};
use crate::constants::{str_const, without_docstring};
use crate::instruction::Loc;
use crate::symtable::{KeyKind, key};

impl<'a> Compiler<'a, '_> {
    pub(super) fn class(&mut self, stmt: &'a Stmt<'a>, node: &'a ClassDef<'a>) -> Done {
        self.decorators(node.decorator_list)?;
        let firstlineno = node.decorator_list.first().map_or(stmt.range.line, |d| d.range.line);
        let loc = Loc::from(stmt.range);
        let generic = !node.type_params.is_empty();
        if generic {
            let name = self.arena.alloc_str(&format!("<generic parameters of {}>", node.name));
            let key = key(node, KeyKind::TypeParams);
            self.enter_scope(name, ScopeType::Annotations, key, firstlineno, Some(node.name))?;
            self.type_params(node.type_params)?;
            self.store_name(".type_params", loc)?;
        }
        self.class_body(node, firstlineno, loc)?;
        if generic {
            self.load_name(".type_params", loc)?;
            self.op_arg(Op::CallIntrinsic1, Intrinsic1::SubscriptGeneric as u32, loc);
            self.store_name(".generic_base", loc)?;
            self.call_with(2, node.bases, Some(".generic_base"), node.keywords, loc)?;
            let code = self.leave_scope(false)?;
            self.make_closure(code, 0, loc)?;
            self.op(Op::PushNull, loc);
            self.op_arg(Op::Call, 0, loc);
        } else {
            self.call_with(2, node.bases, None, node.keywords, loc)?;
        }
        self.apply_decorators(node.decorator_list);
        self.store_name(node.name, loc)
    }

    fn class_body(&mut self, node: &'a ClassDef<'a>, firstlineno: u32, call: Loc) -> Done {
        self.enter_scope(
            node.name,
            ScopeType::Class,
            key(node, KeyKind::Body),
            firstlineno,
            Some(node.name),
        )?;
        let loc = Loc::line(firstlineno);
        self.load_name("__name__", loc)?;
        self.store_name("__module__", loc)?;
        let qualname = self.unit.qualname.clone();
        self.load_str(&qualname, loc);
        self.store_name("__qualname__", loc)?;
        self.load_const(Const::Int(i64::from(firstlineno)), loc);
        self.store_name("__firstlineno__", loc)?;
        if !node.type_params.is_empty() {
            self.load_name(".type_params", loc)?;
            self.store_name("__type_params__", loc)?;
        }
        if self.block().needs_classdict {
            self.op(Op::LoadLocals, loc);
            let index = self.unit.cellvars.get("__classdict__").unwrap_or(0);
            self.op_arg(Op::StoreDeref, index, loc);
        }
        if self.block().has_conditional_annotations {
            self.op_arg(Op::BuildSet, 0, loc);
            let index = self.unit.cellvars.get("__conditional_annotations__").unwrap_or(0);
            self.op_arg(Op::StoreDeref, index, loc);
        }
        self.body(without_docstring(node.body, self.options.optimize), Some(loc))?;
        self.stand_in_for_docstring(node.body);
        let attributes = self.unit.static_attributes.iter().map(|name| str_const(name.as_bytes())).collect();
        self.load_const(Const::Tuple(attributes), Loc::NONE);
        self.store_name("__static_attributes__", Loc::NONE)?;
        if self.block().needs_classdict {
            let index = self.unit.cellvars.get("__classdict__").unwrap_or(0);
            self.op_arg(Op::LoadClosure, index, Loc::NONE);
            self.store_name("__classdictcell__", Loc::NONE)?;
        }
        if self.block().needs_class_closure {
            let index = self.unit.cellvars.get("__class__").unwrap_or(0);
            self.op_arg(Op::LoadClosure, index, Loc::NONE);
            self.op_arg(Op::Copy, 1, Loc::NONE);
            self.store_name("__classcell__", Loc::NONE)?;
        } else {
            self.load_const(Const::None, Loc::NONE);
        }
        self.op(Op::ReturnValue, Loc::NONE);
        let code = self.leave_scope(true)?;
        self.op(Op::LoadBuildClass, call);
        self.op(Op::PushNull, call);
        self.make_closure(code, 0, call)?;
        self.load_str(node.name, call);
        Ok(())
    }
}
