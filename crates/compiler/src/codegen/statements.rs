//! Statements.

use taipan_bytecode::opcode::{CommonConstant, Intrinsic1};
use taipan_bytecode::{AnyOpcode as Op, Const};
use taipan_parser::ast::{Body, Constant, ExprKind, Stmt, StmtKind};

use super::{Compiler, Done, ScopeType};
use crate::SyntaxError;
use crate::constants::{clean_docstring, docstring, str_const};
use crate::instruction::Loc;
use crate::symtable::BlockType;

impl<'a> Compiler<'a, '_> {
    /// A module's or class's body; `class` is the class's position.
    pub(super) fn body(&mut self, mut body: Body<'a>, class: Option<Loc>) -> Done {
        let mut loc = class.unwrap_or(Loc::line(1));
        if self.unit.scope_type == ScopeType::Module
            && let Some(first) = body.first()
        {
            loc = first.range.into();
        }
        if class.is_none() && self.block().has_conditional_annotations {
            self.op_arg(Op::BuildSet, 0, loc);
            let index = self.unit.names.add("__conditional_annotations__");
            self.op_arg(Op::StoreName, index, loc);
        }
        if self.future_annotations() && self.block().annotations_used {
            self.op(Op::SetupAnnotations, loc);
        }
        if let Some((text, expr)) = docstring(body).filter(|_| !self.at_interactive_top()) {
            self.load_const(str_const(&clean_docstring(text)), expr.range);
            self.store_name("__doc__", Loc::NONE)?;
            body = body.get(1..).unwrap_or(&[]);
        }
        body.iter().try_for_each(|stmt| self.stmt(stmt))?;
        if !self.future_annotations() {
            self.deferred_annotations(loc)?;
        }
        Ok(())
    }

    fn at_interactive_top(&self) -> bool {
        self.interactive && self.outer.is_empty()
    }

    pub(super) fn conditional(&mut self, compile: impl FnOnce(&mut Self) -> Result<(), SyntaxError>) -> Done {
        let before = std::mem::replace(&mut self.unit.in_conditional_block, true);
        compile(self)?;
        self.unit.in_conditional_block = before;
        Ok(())
    }

    pub(super) fn stmts(&mut self, body: Body<'a>) -> Done {
        body.iter().try_for_each(|stmt| self.stmt(stmt))
    }

    pub(super) fn stmt(&mut self, stmt: &'a Stmt<'a>) -> Done {
        self.check_stack()?;
        self.stmt_kind(stmt)?;
        Ok(())
    }

    fn stmt_kind(&mut self, stmt: &'a Stmt<'a>) -> Done {
        let range = stmt.range;
        match stmt.kind {
            StmtKind::FunctionDef(node) => self.function(stmt, node, false),
            StmtKind::AsyncFunctionDef(node) => self.function(stmt, node, true),
            StmtKind::ClassDef(node) => self.class(stmt, node),
            StmtKind::TypeAlias { .. } => self.type_alias(stmt),
            StmtKind::Return { value } => self.return_stmt(value, range),
            StmtKind::Delete { targets } => targets.iter().try_for_each(|target| self.expr(target)),
            StmtKind::Assign { targets, value, .. } => {
                self.expr(value)?;
                for (i, target) in targets.iter().enumerate() {
                    if i + 1 < targets.len() {
                        self.op_arg(Op::Copy, 1, range);
                    }
                    self.expr(target)?;
                }
                Ok(())
            }
            StmtKind::AugAssign { target, op, value } => self.aug_assign(range.into(), target, op, value),
            StmtKind::AnnAssign { .. } => self.ann_assign(stmt),
            StmtKind::For(node) => self.conditional(|c| c.for_stmt(node, range.into())),
            StmtKind::AsyncFor(node) => self.conditional(|c| c.async_for_stmt(node, range.into())),
            StmtKind::While { test, body, orelse } => {
                self.conditional(|c| c.while_stmt(test, body, orelse, range.into()))
            }
            StmtKind::If { test, body, orelse } => {
                self.conditional(|c| c.if_stmt(test, body, orelse, range.into()))
            }
            StmtKind::Match { subject, cases } => self.conditional(|c| c.match_stmt(subject, cases)),
            StmtKind::Raise { exc, cause } => {
                let mut count = 0;
                for value in exc.into_iter().chain(cause) {
                    self.expr(value)?;
                    count += 1;
                }
                self.op_arg(Op::RaiseVarargs, count, range);
                Ok(())
            }
            StmtKind::Try(node) => self.conditional(|c| c.try_stmt(node, false, range.into())),
            StmtKind::TryStar(node) => self.conditional(|c| c.try_stmt(node, true, range.into())),
            StmtKind::With(node) => self.conditional(|c| c.with_stmt(node, 0, false, range.into())),
            StmtKind::AsyncWith(node) => self.conditional(|c| c.with_stmt(node, 0, true, range.into())),
            StmtKind::Assert { test, msg } => {
                let tuple = match test.kind {
                    ExprKind::Tuple { elts, .. } => !elts.is_empty(),
                    ExprKind::Constant(Constant::Tuple(items)) => !items.is_empty(),
                    _ => false,
                };
                if tuple {
                    self.warn("assertion is always true, perhaps remove parentheses?".into(), range);
                }
                if self.options.optimize > 0 {
                    return Ok(());
                }
                let end = self.new_label();
                self.jump_if(range.into(), test, end, true)?;
                self.op_arg(Op::LoadCommonConstant, CommonConstant::AssertionError as u32, range);
                if let Some(msg) = msg {
                    self.expr(msg)?;
                    self.op_arg(Op::Call, 0, range);
                }
                self.op_arg(Op::RaiseVarargs, 1, test.range);
                self.use_label(end);
                Ok(())
            }
            StmtKind::Import { names } => self.import(names, range.into()),
            StmtKind::ImportFrom { module, names, level } => self.import_from(module, names, level, range),
            StmtKind::Global { .. } | StmtKind::Nonlocal { .. } => Ok(()),
            StmtKind::Expr { value } => {
                if self.at_interactive_top() {
                    self.expr(value)?;
                    self.op_arg(Op::CallIntrinsic1, Intrinsic1::Print as u32, range);
                } else if self.constant_of(value).is_some() {
                    self.op(Op::Nop, range);
                    return Ok(());
                } else {
                    self.expr(value)?;
                }
                self.op(Op::PopTop, Loc::NONE);
                Ok(())
            }
            StmtKind::Pass => {
                self.op(Op::Nop, range);
                Ok(())
            }
            StmtKind::Break => self.break_stmt(range),
            StmtKind::Continue => self.continue_stmt(range),
        }
    }

    pub(super) fn top_level_await(&self) -> bool {
        self.options.top_level_await && self.block().kind == BlockType::Module
    }

    pub(super) fn load_none(&mut self, loc: impl Into<Loc>) {
        self.load_const(Const::None, loc);
    }
}
