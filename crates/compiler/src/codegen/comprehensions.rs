//! Comprehensions: inlined into the scope around them (PEP 709), or as functions.

use taipan_bytecode::AnyOpcode as Op;
use taipan_parser::ast::{Comprehension as Clause, Expr, ExprKind};

use super::unwind::BlockKind;
use super::{Compiler, Done, ScopeType};
use crate::instruction::{Label, Loc};
use crate::symtable::{BlockId, KeyKind, Scope, def, key};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    List,
    Set,
    Dict,
    Generator,
}

/// Where the iterator of a clause comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    Expression,
    Iterator,
    Parameter,
}

struct Parts<'a> {
    kind: Kind,
    generators: &'a [Clause<'a>],
    elt: &'a Expr<'a>,
    value: Option<&'a Expr<'a>>,
}

/// What inlining a comprehension changed.
struct Inlined<'a> {
    pushed: Vec<&'a str>,
    overridden: Vec<&'a str>,
    hidden: Vec<&'a str>,
    cleanup: Option<Label>,
}

impl<'a> Compiler<'a, '_> {
    pub(super) fn comprehension(&mut self, expr: &'a Expr<'a>) -> Done {
        let (parts, name) = match expr.kind {
            ExprKind::ListComp { elt, generators } => {
                (Parts { kind: Kind::List, generators, elt, value: None }, "<listcomp>")
            }
            ExprKind::SetComp { elt, generators } => {
                (Parts { kind: Kind::Set, generators, elt, value: None }, "<setcomp>")
            }
            ExprKind::DictComp { key, value, generators } => {
                (Parts { kind: Kind::Dict, generators, elt: key, value: Some(value) }, "<dictcomp>")
            }
            ExprKind::GeneratorExp { elt, generators } => {
                (Parts { kind: Kind::Generator, generators, elt, value: None }, "<genexpr>")
            }
            _ => return Ok(()),
        };
        let loc = Loc::from(expr.range);
        let Some(outermost) = parts.generators.first() else { return Ok(()) };
        let key = key(expr, KeyKind::Body);
        let Some(block) = self.table.lookup(key) else {
            return self.error("unknown symbol table entry", loc);
        };
        let inlined = self.table.blocks[block].inlined;
        let is_async = self.table.blocks[block].coroutine;
        let is_generator = parts.kind == Kind::Generator;
        let get_iter = if outermost.is_async { Op::GetAiter } else { Op::GetIter };
        let build = match parts.kind {
            Kind::List => Some(Op::BuildList),
            Kind::Set => Some(Op::BuildSet),
            Kind::Dict => Some(Op::BuildMap),
            Kind::Generator => None,
        };
        if inlined {
            self.expr(outermost.iter)?;
            self.op(get_iter, outermost.iter.range);
            let state = self.enter_inlined(block, loc)?;
            if let Some(build) = build {
                self.op_arg(build, 0, loc);
                self.op_arg(Op::Swap, 2, loc);
            }
            self.clause(&parts, 0, 0, Source::Iterator, loc)?;
            self.leave_inlined(state, loc);
            return Ok(());
        }
        self.enter_scope(name, ScopeType::Comprehension, key, expr.range.line, None)?;
        self.unit.argcount = 1;
        if let Some(build) = build {
            self.op_arg(build, 0, loc);
        }
        self.clause(&parts, 0, 0, Source::Parameter, loc)?;
        if is_generator {
            self.stop_iteration_handler();
        } else {
            self.op(Op::ReturnValue, parts.elt.range);
        }
        let code = self.leave_scope(true)?;
        self.make_closure(code, 0, loc)?;
        self.expr(outermost.iter)?;
        self.op(get_iter, outermost.iter.range);
        self.op_arg(Op::Call, 0, loc);
        if is_async && !is_generator {
            self.op_arg(Op::GetAwaitable, 0, loc);
            self.load_none(loc);
            self.yield_from(true, loc);
        }
        Ok(())
    }

    fn clause(&mut self, parts: &Parts<'a>, index: usize, depth: u32, source: Source, loc: Loc) -> Done {
        let Some(clause) = parts.generators.get(index) else { return Ok(()) };
        if clause.is_async {
            return self.async_clause(parts, clause, index, depth, source, loc);
        }
        let (start, skip, anchor) = (self.new_label(), self.new_label(), self.new_label());
        let mut single = None;
        match source {
            Source::Parameter => self.op_arg(Op::LoadFast, 0, loc),
            Source::Iterator => {}
            Source::Expression => {
                if let ExprKind::List { elts: [only], .. } | ExprKind::Tuple { elts: [only], .. } =
                    clause.iter.kind
                    && !matches!(only.kind, ExprKind::Starred { .. })
                {
                    single = Some(*only);
                }
                self.expr(single.unwrap_or(clause.iter))?;
            }
        }
        let mut depth = depth;
        let iter_loc = Loc::from(clause.iter.range);
        if single.is_none() {
            depth += 1;
            if source == Source::Expression {
                self.op(Op::GetIter, iter_loc);
            }
            self.use_label(start);
            self.jump(Op::ForIter, anchor, iter_loc);
        }
        self.expr(clause.target)?;
        let end_loc = self.clause_body(parts, clause, index, depth, skip, loc)?;
        self.use_label(skip);
        if single.is_none() {
            self.jump(Op::Jump, start, end_loc);
            self.use_label(anchor);
            self.op(Op::EndFor, Loc::NONE);
            self.op(Op::PopIter, Loc::NONE);
        }
        Ok(())
    }

    fn async_clause(
        &mut self,
        parts: &Parts<'a>,
        clause: &'a Clause<'a>,
        index: usize,
        depth: u32,
        source: Source,
        loc: Loc,
    ) -> Done {
        let (start, send) = (self.new_label(), self.new_label());
        let (except, skip) = (self.new_label(), self.new_label());
        match source {
            Source::Parameter => self.op_arg(Op::LoadFast, 0, loc),
            Source::Iterator => {}
            Source::Expression => self.expr(clause.iter)?,
        }
        if source == Source::Expression {
            self.op(Op::GetAiter, clause.iter.range);
        }
        self.use_label(start);
        self.push_block(BlockKind::AsyncComprehensionGenerator, start, None, loc)?;
        self.jump(Op::SetupFinally, except, loc);
        self.op(Op::GetAnext, loc);
        self.load_none(loc);
        self.use_label(send);
        self.yield_from(true, loc);
        self.op(Op::PopBlock, loc);
        self.expr(clause.target)?;
        let end_loc = self.clause_body(parts, clause, index, depth + 1, skip, loc)?;
        self.use_label(skip);
        self.jump(Op::Jump, start, end_loc);
        self.pop_block();
        self.use_label(except);
        self.jump(Op::EndAsyncFor, send, loc);
        Ok(())
    }

    /// Conditions, inner clauses and the element; gives the element's position.
    fn clause_body(
        &mut self,
        parts: &Parts<'a>,
        clause: &'a Clause<'a>,
        index: usize,
        depth: u32,
        skip: Label,
        loc: Loc,
    ) -> Result<Loc, crate::SyntaxError> {
        for condition in clause.ifs {
            self.jump_if(loc, condition, skip, false)?;
        }
        let mut at = Loc::from(parts.elt.range);
        if index + 1 < parts.generators.len() {
            self.deeper()?;
            self.clause(parts, index + 1, depth, Source::Expression, loc)?;
            self.depth -= 1;
            return Ok(at);
        }
        self.expr(parts.elt)?;
        match parts.kind {
            Kind::Generator => {
                self.yield_value(at);
                self.op(Op::PopTop, at);
            }
            Kind::List => self.op_arg(Op::ListAppend, depth + 1, at),
            Kind::Set => self.op_arg(Op::SetAdd, depth + 1, at),
            Kind::Dict => {
                if let Some(value) = parts.value {
                    self.expr(value)?;
                    at.end_line = value.range.end_line as i32;
                    at.end_col = value.range.end_col as i32;
                }
                self.op_arg(Op::MapAdd, depth + 1, at);
            }
        }
        Ok(at)
    }

    /// Saves what the comprehension's variables shadow and lets its scopes override those around it.
    fn enter_inlined(&mut self, block: BlockId, loc: Loc) -> Result<Inlined<'a>, crate::SyntaxError> {
        let in_class = !self.block().is_function_like() && self.unit.inlined_comprehensions == 0;
        self.unit.inlined_comprehensions += 1;
        let mut state =
            Inlined { pushed: Vec::new(), overridden: Vec::new(), hidden: Vec::new(), cleanup: None };
        for (name, flags) in self.table.blocks[block].symbols.iter() {
            let bound = flags & def::LOCAL != 0 && flags & def::NONLOCAL == 0;
            let scope = Scope::of(flags);
            let outside = self.scope_of(name);
            // An earlier comprehension of this block may have brought a local variable of that name with it.
            let reclaimed = matches!(scope, Scope::GlobalImplicit | Scope::GlobalExplicit)
                && outside == Scope::Local
                && self.block().is_function_like();
            if !bound && !in_class && !reclaimed {
                continue;
            }
            let differs =
                scope != outside && scope != Scope::Free && !(scope == Scope::Cell && outside == Scope::Free);
            if differs || in_class {
                self.unit.scope_overrides.entry(name).or_default().push(flags);
                state.overridden.push(name);
            }
            if !bound {
                continue;
            }
            if !self.block().is_function_like() && self.unit.fast_hidden.get(name) != Some(&true) {
                self.unit.fast_hidden.insert(name, true);
                state.hidden.push(name);
            }
            state.pushed.push(name);
            let index = self.unit.varnames.add(name);
            self.op_arg(Op::LoadFastAndClear, index, loc);
            if scope == Scope::Cell {
                let index = if outside == Scope::Free {
                    self.unit.freevars.get(name).map(|index| index + self.unit.cellvars.list.len() as u32)
                } else {
                    self.unit.cellvars.get(name)
                };
                self.op_arg(Op::MakeCell, index.unwrap_or(0), loc);
            }
        }
        if !state.pushed.is_empty() {
            self.op_arg(Op::Swap, state.pushed.len() as u32 + 1, loc);
            let cleanup = self.new_label();
            self.jump(Op::SetupFinally, cleanup, loc);
            state.cleanup = Some(cleanup);
        }
        Ok(state)
    }

    fn leave_inlined(&mut self, state: Inlined<'a>, loc: Loc) {
        self.unit.inlined_comprehensions -= 1;
        if let Some(cleanup) = state.cleanup {
            self.op(Op::PopBlock, Loc::NONE);
            let end = self.new_label();
            self.jump(Op::JumpNoInterrupt, end, Loc::NONE);
            self.use_label(cleanup);
            self.op_arg(Op::Swap, 2, Loc::NONE);
            self.op(Op::PopTop, Loc::NONE);
            self.restore_shadowed(&state.pushed, loc);
            self.op_arg(Op::Reraise, 0, Loc::NONE);
            self.use_label(end);
            self.restore_shadowed(&state.pushed, loc);
        }
        for name in state.overridden {
            if let Some(stack) = self.unit.scope_overrides.get_mut(name) {
                stack.pop();
            }
        }
        for name in state.hidden {
            self.unit.fast_hidden.insert(name, false);
        }
    }

    fn restore_shadowed(&mut self, names: &[&'a str], loc: Loc) {
        self.op_arg(Op::Swap, names.len() as u32 + 1, loc);
        for name in names.iter().rev() {
            let index = self.unit.varnames.add(name);
            self.op_arg(Op::StoreFastMaybeNull, index, loc);
        }
    }
}
