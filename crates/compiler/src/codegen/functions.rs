//! Functions, lambdas, decorators, defaults and closures.

use std::rc::Rc;

use taipan_bytecode::opcode::{Intrinsic1, Intrinsic2, function_attribute as attribute};
use taipan_bytecode::{AnyOpcode as Op, CodeObject, Const};
use taipan_parser::ast::{Arguments, Expr, ExprKind, FunctionDef, Stmt};

use super::unwind::BlockKind;
use super::{Compiler, Done, ScopeType};
use crate::SyntaxError;
use crate::constants::{clean_docstring, docstring, str_const, without_docstring};
use crate::instruction::{Instr, Loc};
use crate::symtable::{KeyKind, Scope, key};

impl<'a> Compiler<'a, '_> {
    pub(super) fn decorators(&mut self, list: &'a [&'a Expr<'a>]) -> Done {
        list.iter().try_for_each(|decorator| self.expr(decorator))
    }

    pub(super) fn apply_decorators(&mut self, list: &'a [&'a Expr<'a>]) {
        for decorator in list.iter().rev() {
            self.op_arg(Op::Call, 0, decorator.range);
        }
    }

    /// Pushes a function of a code object; what `attributes` names is on the stack already.
    pub(super) fn make_closure(&mut self, code: Rc<CodeObject>, mut attributes: u32, loc: Loc) -> Done {
        let free: Vec<_> = code.freevars().cloned().collect();
        if !free.is_empty() {
            for name in &free {
                let Some(index) = self.closure_index(name) else {
                    return self.error(format!("unknown free variable '{name}'"), loc);
                };
                self.op_arg(Op::LoadClosure, index, loc);
            }
            self.op_arg(Op::BuildTuple, free.len() as u32, loc);
            attributes |= attribute::CLOSURE;
        }
        self.load_const(Const::Code(code), loc);
        self.op(Op::MakeFunction, loc);
        for bit in [
            attribute::CLOSURE,
            attribute::ANNOTATIONS,
            attribute::ANNOTATE,
            attribute::KWDEFAULTS,
            attribute::DEFAULTS,
        ] {
            if attributes & bit != 0 {
                self.op_arg(Op::SetFunctionAttribute, bit, loc);
            }
        }
        Ok(())
    }

    fn closure_index(&self, name: &str) -> Option<u32> {
        let implicit = matches!(name, "__class__" | "__classdict__" | "__conditional_annotations__");
        if implicit && self.unit.scope_type == ScopeType::Class || self.scope_of(name) == Scope::Cell {
            return self.unit.cellvars.get(name);
        }
        self.unit.freevars.get(name).map(|index| index + self.unit.cellvars.list.len() as u32)
    }

    /// Pushes defaults; gives the bits for `SET_FUNCTION_ATTRIBUTE`.
    fn defaults(&mut self, args: &'a Arguments<'a>, loc: Loc) -> Result<u32, SyntaxError> {
        let mut bits = 0;
        if !args.defaults.is_empty() {
            bits |= attribute::DEFAULTS;
            args.defaults.iter().try_for_each(|default| self.expr(default))?;
            self.op_arg(Op::BuildTuple, args.defaults.len() as u32, loc);
        }
        let mut count = 0;
        for (arg, default) in args.kwonlyargs.iter().zip(args.kw_defaults) {
            let Some(default) = default else { continue };
            let name = self.mangle(arg.arg);
            self.load_str(name, loc);
            self.expr(default)?;
            count += 1;
        }
        if count > 0 {
            bits |= attribute::KWDEFAULTS;
            self.op_arg(Op::BuildMap, count, loc);
        }
        Ok(bits)
    }

    pub(super) fn function(&mut self, stmt: &'a Stmt<'a>, node: &'a FunctionDef<'a>, is_async: bool) -> Done {
        self.decorators(node.decorator_list)?;
        let firstlineno = node.decorator_list.first().map_or(stmt.range.line, |d| d.range.line);
        let loc = Loc::from(stmt.range);
        let mut attributes = self.defaults(node.args, loc)?;
        let generic = !node.type_params.is_empty();
        let mut passed = 0;
        if generic {
            passed = (attributes & (attribute::DEFAULTS | attribute::KWDEFAULTS)).count_ones();
            if passed == 2 {
                self.op_arg(Op::Swap, 2, loc);
            }
            let name = self.arena.alloc_str(&format!("<generic parameters of {}>", node.name));
            let key = key(node, KeyKind::TypeParams);
            self.enter_scope(name, ScopeType::Annotations, key, firstlineno, None)?;
            self.unit.argcount = passed;
            self.type_params(node.type_params)?;
            for index in 0..passed {
                self.op_arg(Op::LoadFast, index, loc);
            }
        }
        attributes |= self.signature_annotations(node, loc)?;
        self.function_body(node, is_async, attributes, firstlineno, loc)?;
        if generic {
            self.op_arg(Op::Swap, 2, loc);
            self.op_arg(Op::CallIntrinsic2, Intrinsic2::SetFunctionTypeParams as u32, loc);
            let code = self.leave_scope(false)?;
            self.make_closure(code, 0, loc)?;
            if passed > 0 {
                self.op_arg(Op::Swap, passed + 1, loc);
                self.op_arg(Op::Call, passed - 1, loc);
            } else {
                self.op(Op::PushNull, loc);
                self.op_arg(Op::Call, 0, loc);
            }
        }
        self.apply_decorators(node.decorator_list);
        self.store_name(node.name, loc)
    }

    fn set_parameters(&mut self, args: &'a Arguments<'a>) {
        self.unit.posonlyargcount = args.posonlyargs.len() as u32;
        self.unit.argcount = (args.args.len() + args.posonlyargs.len()) as u32;
        self.unit.kwonlyargcount = args.kwonlyargs.len() as u32;
    }

    fn function_body(
        &mut self,
        node: &'a FunctionDef<'a>,
        is_async: bool,
        attributes: u32,
        firstlineno: u32,
        loc: Loc,
    ) -> Done {
        let scope = if is_async { ScopeType::AsyncFunction } else { ScopeType::Function };
        self.enter_scope(node.name, scope, key(node, KeyKind::Body), firstlineno, None)?;
        self.set_parameters(node.args);
        let mut body = without_docstring(node.body, self.options.optimize);
        if let Some((text, _)) = docstring(body).filter(|_| self.options.optimize < 2) {
            self.unit.has_docstring = true;
            self.unit.consts.add(str_const(&clean_docstring(text)));
            body = body.get(1..).unwrap_or(&[]);
        }
        let start = self.new_label();
        self.use_label(start);
        let suspends = self.block().coroutine || self.block().generator;
        if suspends {
            self.push_block(BlockKind::StopIteration, start, None, Loc::NONE)?;
        }
        body.iter().try_for_each(|stmt| self.stmt(stmt))?;
        self.stand_in_for_docstring(node.body);
        if suspends {
            self.stop_iteration_handler();
            self.pop_block();
        }
        let code = self.leave_scope(true)?;
        self.make_closure(code, attributes, loc)
    }

    /// A body of nothing but a docstring becomes `pass` when `-OO` strips it.
    pub(super) fn stand_in_for_docstring(&mut self, body: &'a [&'a Stmt<'a>]) {
        if let [only] = body
            && self.options.optimize >= 2
            && docstring(body).is_some()
        {
            let start = Loc::from(only.range);
            self.op(Op::Nop, Loc { end_line: start.line, end_col: start.col + 4, ..start });
        }
    }

    /// Wraps the unit in a handler that turns `StopIteration` into `RuntimeError` (PEP 479).
    pub(super) fn stop_iteration_handler(&mut self) {
        let handler = self.new_label();
        let setup = Instr { op: Op::SetupCleanup, arg: 0, target: Some(handler), loc: Loc::NONE };
        self.unit.seq.insert_first(setup);
        self.load_const(Const::None, Loc::NONE);
        self.op(Op::ReturnValue, Loc::NONE);
        self.use_label(handler);
        self.op_arg(Op::CallIntrinsic1, Intrinsic1::StopIterationError as u32, Loc::NONE);
        self.op_arg(Op::Reraise, 1, Loc::NONE);
    }

    pub(super) fn lambda(&mut self, expr: &'a Expr<'a>) -> Done {
        let ExprKind::Lambda { args, body } = expr.kind else { return Ok(()) };
        let loc = Loc::from(expr.range);
        let attributes = self.defaults(args, loc)?;
        self.enter_scope("<lambda>", ScopeType::Lambda, key(expr, KeyKind::Body), expr.range.line, None)?;
        self.set_parameters(args);
        self.expr(body)?;
        let code = if self.block().generator {
            self.leave_scope(false)?
        } else {
            self.op(Op::ReturnValue, body.range);
            self.leave_scope(true)?
        };
        self.make_closure(code, attributes, loc)
    }
}
