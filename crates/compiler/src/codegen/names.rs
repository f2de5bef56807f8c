//! Loading, storing and deleting names by their scope.

use taipan_bytecode::AnyOpcode as Op;
use taipan_parser::ast::ExprContext;

use super::{Compiler, Done};
use crate::instruction::Loc;
use crate::symtable::{BlockType, Scope};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Fast,
    Global,
    Deref(u32),
    Name,
}

impl<'a> Compiler<'a, '_> {
    /// What a (mangled) name refers to, with what an inlined comprehension overrides.
    pub(super) fn scope_of(&self, name: &str) -> Scope {
        match self.unit.scope_overrides.get(name).and_then(|stack| stack.last()) {
            Some(flags) => Scope::of(*flags),
            None => self.block().scope(name),
        }
    }

    /// The number of a cell or free variable; free variables are numbered behind the cells.
    pub(super) fn cell_index(&self, name: &str) -> Option<u32> {
        let behind = self.unit.cellvars.list.len() as u32;
        self.unit.cellvars.get(name).or_else(|| self.unit.freevars.get(name).map(|index| index + behind))
    }

    fn access(&self, name: &str) -> Access {
        let cells = self.unit.cellvars.list.len() as u32;
        let fallback = Access::Name;
        match self.scope_of(name) {
            Scope::Free => {
                self.unit.freevars.get(name).map_or(fallback, |index| Access::Deref(index + cells))
            }
            Scope::Cell => self.unit.cellvars.get(name).map_or(fallback, Access::Deref),
            Scope::Local => {
                if self.block().is_function_like() || self.unit.fast_hidden.get(name) == Some(&true) {
                    Access::Fast
                } else {
                    Access::Name
                }
            }
            Scope::GlobalImplicit if self.block().is_function_like() => Access::Global,
            Scope::GlobalExplicit => Access::Global,
            _ => Access::Name,
        }
    }

    fn load_class_dict(&mut self, loc: Loc) {
        let index = self.cell_index("__classdict__").unwrap_or(0);
        self.op_arg(Op::LoadDeref, index, loc);
    }

    /// Reads, writes or deletes a name.
    pub(super) fn name(&mut self, name: &'a str, context: ExprContext, loc: impl Into<Loc>) -> Done {
        let loc = loc.into();
        let name = self.mangle(name);
        let in_class = self.block().kind == BlockType::Class;
        let inlined = self.unit.inlined_comprehensions > 0;
        let sees_class = self.block().can_see_class_scope;
        match self.access(name) {
            Access::Deref(index) => {
                let op = match context {
                    ExprContext::Load if in_class && !inlined => {
                        self.op(Op::LoadLocals, loc);
                        Op::LoadFromDictOrDeref
                    }
                    ExprContext::Load if sees_class => {
                        self.load_class_dict(loc);
                        Op::LoadFromDictOrDeref
                    }
                    ExprContext::Load => Op::LoadDeref,
                    ExprContext::Store => Op::StoreDeref,
                    ExprContext::Del => Op::DeleteDeref,
                };
                self.op_arg(op, index, loc);
            }
            Access::Fast => {
                let op = match context {
                    ExprContext::Load => Op::LoadFast,
                    ExprContext::Store => Op::StoreFast,
                    ExprContext::Del => Op::DeleteFast,
                };
                let index = self.unit.varnames.add(name);
                self.op_arg(op, index, loc);
            }
            Access::Global => {
                let implicit = self.scope_of(name) == Scope::GlobalImplicit;
                let mut shift = 0;
                let op = match context {
                    ExprContext::Load if sees_class && implicit => {
                        self.load_class_dict(loc);
                        Op::LoadFromDictOrGlobals
                    }
                    ExprContext::Load => {
                        shift = 1;
                        Op::LoadGlobal
                    }
                    ExprContext::Store => Op::StoreGlobal,
                    ExprContext::Del => Op::DeleteGlobal,
                };
                let index = self.unit.names.add(name);
                self.op_arg(op, index << shift, loc);
            }
            Access::Name => {
                let mut shift = 0;
                let op = match context {
                    ExprContext::Load if in_class && inlined => {
                        shift = 1;
                        Op::LoadGlobal
                    }
                    ExprContext::Load => Op::LoadName,
                    ExprContext::Store => Op::StoreName,
                    ExprContext::Del => Op::DeleteName,
                };
                let index = self.unit.names.add(name);
                self.op_arg(op, index << shift, loc);
            }
        }
        Ok(())
    }

    /// Writes a name.
    pub(super) fn store_name(&mut self, name: &'a str, loc: impl Into<Loc>) -> Done {
        self.name(name, ExprContext::Store, loc)
    }

    /// Reads a name.
    pub(super) fn load_name(&mut self, name: &'a str, loc: impl Into<Loc>) -> Done {
        self.name(name, ExprContext::Load, loc)
    }
}
