//! Annotations (PEP 649, PEP 749) and type parameters (PEP 695, PEP 696).

use std::rc::Rc;

use taipan_bytecode::opcode::{CommonConstant, CompareOp, Intrinsic1, Intrinsic2, function_attribute};
use taipan_bytecode::{AnyOpcode as Op, CodeObject, Const};
use taipan_parser::ast::{Arguments, Expr, ExprKind, FunctionDef, Stmt, StmtKind, TypeParam, TypeParamKind};

use super::{Compiler, Done, ScopeType};
use crate::SyntaxError;
use crate::instruction::{InstrSeq, Loc};
use crate::symtable::{BlockType, Key, KeyKind, key};

impl<'a> Compiler<'a, '_> {
    /// Enters the scope of an annotate function, which refuses formats beyond `VALUE_WITH_FAKE_GLOBALS`.
    fn enter_annotate(&mut self, name: &'a str, key: Key, loc: Loc) -> Done {
        self.enter_scope(name, ScopeType::Annotations, key, loc.line.max(0) as u32, None)?;
        self.unit.argcount = 1;
        self.unit.posonlyargcount = 1;
        self.op_arg(Op::LoadFast, 0, loc);
        self.load_const(Const::Int(2), loc);
        self.op_arg(Op::CompareOp, (CompareOp::Gt as u32) << 5 | CompareOp::Gt.mask(), loc);
        let body = self.new_label();
        self.jump(Op::PopJumpIfFalse, body, loc);
        self.op_arg(Op::LoadCommonConstant, CommonConstant::NotImplementedError as u32, loc);
        self.op_arg(Op::RaiseVarargs, 1, loc);
        self.use_label(body);
        Ok(())
    }

    /// Leaves it and pushes the function. Its parameter is called `format` for `inspect`.
    fn leave_annotate(&mut self, loc: Loc) -> Done {
        self.op(Op::ReturnValue, loc);
        let code = self.leave_scope(true)?;
        let code = with_format_parameter(code);
        self.make_closure(code, 0, loc)
    }

    /// The annotations of a signature; gives the bit for `SET_FUNCTION_ATTRIBUTE`.
    pub(super) fn signature_annotations(
        &mut self,
        node: &'a FunctionDef<'a>,
        loc: Loc,
    ) -> Result<u32, SyntaxError> {
        let key = key(node.args, KeyKind::Annotations);
        let used = self.table.lookup(key).is_some_and(|block| self.table.blocks[block].annotations_used);
        if !used {
            return Ok(0);
        }
        self.enter_annotate("__annotate__", key, loc)?;
        let count = self.annotation_pairs(node.args, node.returns, loc)?;
        self.op_arg(Op::BuildMap, count, loc);
        self.leave_annotate(loc)?;
        Ok(function_attribute::ANNOTATE)
    }

    fn annotation_pairs(
        &mut self,
        args: &'a Arguments<'a>,
        returns: Option<&'a Expr<'a>>,
        loc: Loc,
    ) -> Result<u32, SyntaxError> {
        let mut count = 0;
        let parameters = args.args.iter().chain(args.posonlyargs).chain(args.vararg).chain(args.kwonlyargs);
        for arg in parameters.chain(args.kwarg) {
            if let Some(annotation) = arg.annotation {
                self.annotation_pair(arg.arg, annotation, loc)?;
                count += 1;
            }
        }
        if let Some(annotation) = returns {
            self.annotation_pair("return", annotation, loc)?;
            count += 1;
        }
        Ok(count)
    }

    fn annotation_pair(&mut self, name: &'a str, annotation: &'a Expr<'a>, loc: Loc) -> Done {
        let name = self.mangle(name);
        self.load_str(name, loc);
        if self.future_annotations() {
            return self.annotation_text(annotation);
        }
        if let ExprKind::Starred { value, .. } = annotation.kind {
            self.expr(value)?;
            self.op_arg(Op::UnpackSequence, 1, loc);
            return Ok(());
        }
        self.expr(annotation)
    }

    fn annotation_text(&mut self, annotation: &'a Expr<'a>) -> Done {
        let text = crate::unparse(annotation);
        self.load_const(crate::constants::str_const(&text), annotation.range);
        Ok(())
    }

    /// `x: T` and `x: T = value`.
    pub(super) fn ann_assign(&mut self, stmt: &'a Stmt<'a>) -> Done {
        let StmtKind::AnnAssign { target, annotation, value, simple } = stmt.kind else { return Ok(()) };
        if let Some(value) = value {
            self.expr(value)?;
            self.expr(target)?;
        }
        match target.kind {
            ExprKind::Name { id, .. } => {
                let keeps = matches!(self.unit.scope_type, ScopeType::Module | ScopeType::Class);
                if simple && keeps {
                    let loc = stmt.range;
                    if self.future_annotations() {
                        self.annotation_text(annotation)?;
                        self.op_name_unmangled(Op::LoadName, "__annotations__", loc);
                        let name = self.mangle(id);
                        self.load_str(name, loc);
                        self.op(Op::StoreSubscr, loc);
                    } else {
                        let conditional =
                            self.unit.scope_type == ScopeType::Module || self.unit.in_conditional_block;
                        let mut index = None;
                        if conditional {
                            index = Some(self.unit.conditional_annotations);
                            self.unit.conditional_annotations += 1;
                            self.load_conditional_set(loc.into(), true)?;
                            self.load_const(
                                Const::Int(i64::from(self.unit.conditional_annotations - 1)),
                                loc,
                            );
                            self.op_arg(Op::SetAdd, 1, loc);
                            self.op(Op::PopTop, loc);
                        }
                        self.unit.deferred_annotations.push((stmt, index));
                    }
                }
            }
            ExprKind::Attribute { value: owner, .. } => {
                if value.is_none() {
                    self.check_expr(owner)?;
                }
            }
            ExprKind::Subscript { value: owner, slice, .. } => {
                if value.is_none() {
                    self.check_expr(owner)?;
                    self.check_subscript(slice)?;
                }
            }
            _ => return self.error("invalid node type for annotated assignment", stmt.range),
        }
        Ok(())
    }

    fn op_name_unmangled(&mut self, op: Op, name: &'a str, loc: impl Into<Loc>) {
        let index = self.unit.names.add(name);
        self.op_arg(op, index, loc);
    }

    fn load_conditional_set(&mut self, loc: Loc, here: bool) -> Done {
        let in_class = if here { self.unit.scope_type == ScopeType::Class } else { self.annotates_class() };
        if in_class {
            // Not a name of the annotations' own symbol table: the class's cell is handed in all the same.
            let index = self.cell_index("__conditional_annotations__").unwrap_or_else(|| {
                self.unit.freevars.add("__conditional_annotations__") + self.unit.cellvars.list.len() as u32
            });
            self.op_arg(Op::LoadDeref, index, loc);
            return Ok(());
        }
        if here {
            return self.load_name("__conditional_annotations__", loc);
        }
        let index = self.unit.names.add("__conditional_annotations__");
        self.op_arg(Op::LoadGlobal, index << 1, loc);
        Ok(())
    }

    fn annotates_class(&self) -> bool {
        self.outer.last().is_some_and(|unit| unit.scope_type == ScopeType::Class)
    }

    /// An expression that is evaluated for its errors only.
    fn check_expr(&mut self, expr: &'a Expr<'a>) -> Done {
        self.expr(expr)?;
        self.op(Op::PopTop, expr.range);
        Ok(())
    }

    fn check_subscript(&mut self, slice: &'a Expr<'a>) -> Done {
        match slice.kind {
            ExprKind::Slice { lower, upper, step } => {
                [lower, upper, step].into_iter().flatten().try_for_each(|part| self.check_expr(part))
            }
            ExprKind::Tuple { elts, .. } => elts.iter().try_for_each(|part| self.check_subscript(part)),
            _ => self.check_expr(slice),
        }
    }

    /// The annotate function of a module's or class's variables.
    pub(super) fn deferred_annotations(&mut self, loc: Loc) -> Done {
        let annotations = std::mem::take(&mut self.unit.deferred_annotations);
        if annotations.is_empty() {
            return Ok(());
        }
        let is_module = self.unit.scope_type == ScopeType::Module;
        if is_module {
            self.unit.set_aside = Some(std::mem::take(&mut self.unit.seq));
        }
        self.enter_annotate("__annotate__", (self.unit.block, KeyKind::Annotations), loc)?;
        self.op_arg(Op::BuildMap, 0, loc);
        for (stmt, conditional) in annotations {
            let StmtKind::AnnAssign { target, annotation, .. } = stmt.kind else { continue };
            let ExprKind::Name { id, .. } = target.kind else { continue };
            let at = Loc::from(stmt.range);
            let not_set = self.new_label();
            if let Some(index) = conditional {
                self.load_const(Const::Int(i64::from(index)), at);
                self.load_conditional_set(at, false)?;
                self.op_arg(Op::ContainsOp, 0, at);
                self.jump(Op::PopJumpIfFalse, not_set, at);
            }
            self.expr(annotation)?;
            self.op_arg(Op::Copy, 2, at);
            let name = self.mangle(id);
            self.load_str(name, at);
            self.op(Op::StoreSubscr, loc);
            self.use_label(not_set);
        }
        self.leave_annotate(loc)?;
        let is_class = self.block().kind == BlockType::Class;
        self.store_name(if is_class { "__annotate_func__" } else { "__annotate__" }, loc)?;
        if let Some(seq) = self.unit.set_aside.take() {
            let annotations: InstrSeq = std::mem::replace(&mut self.unit.seq, seq);
            self.unit.seq.annotations = Some(Box::new(annotations));
        }
        Ok(())
    }

    fn lazy_scope(&mut self, expr: &'a Expr<'a>, name: &'a str, key: Key, allow_starred: bool) -> Done {
        self.op_arg_default_format(expr.range.into());
        self.enter_annotate(name, key, expr.range.into())?;
        let loc = Loc::from(expr.range);
        match expr.kind {
            ExprKind::Starred { value, .. } if allow_starred => {
                self.expr(value)?;
                self.op_arg(Op::UnpackSequence, 1, loc);
            }
            _ => self.expr(expr)?,
        }
        self.op(Op::ReturnValue, loc);
        let code = self.leave_scope(true)?;
        self.make_closure(code, function_attribute::DEFAULTS, loc)
    }

    /// The default of the parameter `.format`: `(1,)`.
    fn op_arg_default_format(&mut self, loc: Loc) {
        self.load_const(Const::Tuple(vec![Const::Int(1)].into()), loc);
    }

    /// The type parameters of a function, class or alias, as a tuple.
    pub(super) fn type_params(&mut self, params: &'a [TypeParam<'a>]) -> Done {
        let mut seen_default = false;
        for param in params {
            let loc = Loc::from(param.range);
            let (name, default) = match param.kind {
                TypeParamKind::TypeVar { name, bound, default_value } => {
                    self.load_str(name, loc);
                    match bound {
                        Some(bound) => {
                            self.lazy_scope(bound, name, key(param, KeyKind::Bound), false)?;
                            let intrinsic = match bound.kind {
                                ExprKind::Tuple { .. } => Intrinsic2::TypeVarWithConstraints,
                                _ => Intrinsic2::TypeVarWithBound,
                            };
                            self.op_arg(Op::CallIntrinsic2, intrinsic as u32, loc);
                        }
                        None => self.op_arg(Op::CallIntrinsic1, Intrinsic1::TypeVar as u32, loc),
                    }
                    (name, default_value)
                }
                TypeParamKind::TypeVarTuple { name, default_value } => {
                    self.load_str(name, loc);
                    self.op_arg(Op::CallIntrinsic1, Intrinsic1::TypeVarTuple as u32, loc);
                    (name, default_value)
                }
                TypeParamKind::ParamSpec { name, default_value } => {
                    self.load_str(name, loc);
                    self.op_arg(Op::CallIntrinsic1, Intrinsic1::ParamSpec as u32, loc);
                    (name, default_value)
                }
            };
            match default {
                Some(default) => {
                    seen_default = true;
                    let starred = matches!(param.kind, TypeParamKind::TypeVarTuple { .. });
                    self.lazy_scope(default, name, key(param, KeyKind::Default), starred)?;
                    self.op_arg(Op::CallIntrinsic2, Intrinsic2::SetTypeparamDefault as u32, loc);
                }
                None if seen_default => {
                    let message =
                        format!("non-default type parameter '{name}' follows default type parameter");
                    return self.error(message, param.range);
                }
                None => {}
            }
            self.op_arg(Op::Copy, 1, loc);
            self.store_name(name, loc)?;
        }
        let loc = params.first().map_or(Loc::NONE, |param| param.range.into());
        self.op_arg(Op::BuildTuple, params.len() as u32, loc);
        Ok(())
    }

    /// `type X = …`
    pub(super) fn type_alias(&mut self, stmt: &'a Stmt<'a>) -> Done {
        let StmtKind::TypeAlias { name: target, type_params, value } = stmt.kind else { return Ok(()) };
        let ExprKind::Name { id, .. } = target.kind else { return Ok(()) };
        let loc = Loc::from(stmt.range);
        if type_params.is_empty() {
            self.load_str(id, loc);
            self.load_const(Const::None, loc);
        } else {
            let scope_name = self.arena.alloc_str(&format!("<generic parameters of {id}>"));
            let key = key(stmt, KeyKind::TypeParams);
            self.enter_scope(scope_name, ScopeType::Annotations, key, stmt.range.line, None)?;
            self.load_str(id, loc);
            self.type_params(type_params)?;
        }
        self.op_arg_default_format(loc);
        self.enter_annotate(id, key(stmt, KeyKind::Body), loc)?;
        self.expr(value)?;
        self.op(Op::ReturnValue, loc);
        let code = self.leave_scope(false)?;
        self.make_closure(code, function_attribute::DEFAULTS, loc)?;
        self.op_arg(Op::BuildTuple, 3, loc);
        self.op_arg(Op::CallIntrinsic1, Intrinsic1::TypeAlias as u32, loc);
        if !type_params.is_empty() {
            let code = self.leave_scope(false)?;
            self.make_closure(code, 0, loc)?;
            self.op(Op::PushNull, loc);
            self.op_arg(Op::Call, 0, loc);
        }
        self.store_name(id, loc)
    }
}

fn with_format_parameter(code: Rc<CodeObject>) -> Rc<CodeObject> {
    let mut code = Rc::unwrap_or_clone(code);
    if let Some(first) = code.localsplusnames.first_mut() {
        *first = "format".into();
        code.owns_names = true;
    }
    Rc::new(code)
}
