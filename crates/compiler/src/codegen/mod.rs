//! Code generation: from the tree to instructions with labels, one unit for each scope.

mod annotations;
mod assignments;
mod calls;
mod classes;
mod comprehensions;
mod exceptions;
mod expressions;
pub use expressions::STACK_GUIDELINE;
mod functions;
mod imports;
mod jumps;
mod loops;
mod names;
mod patterns;
mod statements;
mod unwind;

use std::collections::BTreeSet;
use std::rc::Rc;

use taipan_bytecode::code::flags;
use taipan_bytecode::hash::FastMap;
use taipan_bytecode::{AnyOpcode as Op, CodeObject, Const, Str};
use taipan_parser::ast::{Arena, Mod, Range, Stmt};

use crate::constants::{self, ConstTable};
use crate::instruction::{InstrSeq, Label, Loc};
use crate::symtable::{Block, BlockId, Key, Scope, SymbolTable, def};
use crate::{CompileOptions, SyntaxError, Warning, assemble, stack_is_low};
use unwind::FrameBlock;

type Done = Result<(), SyntaxError>;

/// What kind of scope a unit compiles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum ScopeType {
    Module,
    Class,
    Function,
    AsyncFunction,
    Lambda,
    Comprehension,
    Annotations,
}

/// Names in the order of their first use, each once.
#[derive(Default, Clone)]
pub struct NameTable<'a> {
    pub list: Vec<&'a str>,
    index: FastMap<&'a str, u32>,
}

impl<'a> NameTable<'a> {
    pub fn add(&mut self, name: &'a str) -> u32 {
        if let Some(index) = self.index.get(name) {
            return *index;
        }
        let index = self.list.len() as u32;
        self.index.insert(name, index);
        self.list.push(name);
        index
    }

    pub fn get(&self, name: &str) -> Option<u32> {
        self.index.get(name).copied()
    }
}

/// The scope that is being compiled: what becomes one code object.
pub struct Unit<'a> {
    scope_type: ScopeType,
    block: BlockId,
    pub name: &'a str,
    pub qualname: String,
    private: Option<&'a str>,
    pub consts: ConstTable,
    pub names: NameTable<'a>,
    pub varnames: NameTable<'a>,
    pub cellvars: NameTable<'a>,
    pub freevars: NameTable<'a>,
    /// Names that are fast locals though the scope is none of a function: `true` inside the inlined comprehension.
    pub fast_hidden: FastMap<&'a str, bool>,
    pub argcount: u32,
    pub posonlyargcount: u32,
    pub kwonlyargcount: u32,
    pub firstlineno: u32,
    /// Slots that a call fills, `*args` and `**kwargs` included.
    pub parameter_count: usize,
    pub seq: InstrSeq,
    /// The module's own sequence while annotations are compiled aside.
    set_aside: Option<InstrSeq>,
    blocks: Vec<FrameBlock<'a>>,
    static_attributes: BTreeSet<&'a str>,
    deferred_annotations: Vec<(&'a Stmt<'a>, Option<u32>)>,
    conditional_annotations: u32,
    in_conditional_block: bool,
    inlined_comprehensions: u32,
    has_docstring: bool,
    /// Blocks that inlined comprehensions are in to restore variables.
    comprehension_blocks: usize,
    /// Scopes that an inlined comprehension overrides.
    scope_overrides: FastMap<&'a str, Vec<u32>>,
}

/// The compiler's state.
pub struct Compiler<'a, 'o> {
    arena: &'a Arena,
    table: &'o SymbolTable<'a>,
    options: &'o CompileOptions<'o>,
    filename: Rc<[u8]>,
    future: u32,
    interactive: bool,
    warnings: &'o mut Vec<Warning>,
    unit: Unit<'a>,
    outer: Vec<Unit<'a>>,
    /// String constants that look like names, and whether each was a name when it was loaded first.
    first_uses: FastMap<Rc<[u8]>, bool>,
    /// Above zero while the same `finally` body is compiled again, so that warnings come once.
    silent: u32,
}

/// Compiles a module, an interactive statement or an expression.
pub fn module<'a>(
    arena: &'a Arena,
    module: &'a Mod<'a>,
    table: &SymbolTable<'a>,
    options: &CompileOptions<'_>,
    future: u32,
    warnings: &mut Vec<Warning>,
) -> Result<(Rc<CodeObject>, Vec<Rc<[u8]>>), SyntaxError> {
    let unit = Unit::new(table, 0, ScopeType::Module, "<module>", 1, None);
    let mut compiler = Compiler {
        arena,
        table,
        options,
        filename: options.filename.into(),
        future,
        interactive: matches!(module, Mod::Interactive { .. }),
        warnings,
        unit,
        outer: Vec::new(),
        silent: 0,
        first_uses: FastMap::default(),
    };
    compiler.unit.qualname = "<module>".into();
    compiler.start_scope();
    match *module {
        Mod::Module { body, .. } => {
            compiler.body(constants::without_docstring(body, options.optimize), None)?
        }
        Mod::Interactive { body } => compiler.body(body, None)?,
        Mod::Expression { body } => compiler.expr(body)?,
        Mod::FunctionType { .. } => {
            return Err(SyntaxError::new("a function type can't be compiled".into(), Range::default()));
        }
    }
    let code = compiler.finish(!matches!(module, Mod::Expression { .. }))?;
    let names =
        compiler.first_uses.into_iter().filter(|(_, is_name)| *is_name).map(|(text, _)| text).collect();
    Ok((code, names))
}

impl<'a> Unit<'a> {
    fn new(
        table: &SymbolTable<'a>,
        block: BlockId,
        scope_type: ScopeType,
        name: &'a str,
        firstlineno: u32,
        private: Option<&'a str>,
    ) -> Unit<'a> {
        let symbols = &table.blocks[block];
        let mut varnames = NameTable::default();
        symbols.varnames.iter().for_each(|name| _ = varnames.add(name));
        let sorted = |wanted: &dyn Fn(u32) -> bool| {
            let mut names: Vec<&'a str> =
                symbols.symbols.iter().filter(|(_, flags)| wanted(*flags)).map(|(name, _)| name).collect();
            names.sort_unstable();
            names
        };
        let mut cellvars = NameTable::default();
        for name in sorted(&|flags| Scope::of(flags) == Scope::Cell || flags & def::COMP_CELL != 0) {
            cellvars.add(name);
        }
        if symbols.needs_class_closure {
            cellvars.add("__class__");
        }
        if symbols.needs_classdict {
            cellvars.add("__classdict__");
        }
        if symbols.has_conditional_annotations {
            cellvars.add("__conditional_annotations__");
        }
        let mut freevars = NameTable::default();
        for name in sorted(&|flags| Scope::of(flags) == Scope::Free || flags & def::FREE_CLASS != 0) {
            freevars.add(name);
        }
        Unit {
            scope_type,
            block,
            name,
            qualname: String::new(),
            private,
            consts: ConstTable::default(),
            names: NameTable::default(),
            varnames,
            cellvars,
            freevars,
            fast_hidden: FastMap::default(),
            argcount: 0,
            posonlyargcount: 0,
            kwonlyargcount: 0,
            firstlineno,
            parameter_count: symbols.varnames.len(),
            seq: InstrSeq::default(),
            set_aside: None,
            blocks: Vec::new(),
            static_attributes: BTreeSet::new(),
            deferred_annotations: Vec::new(),
            conditional_annotations: 0,
            in_conditional_block: false,
            inlined_comprehensions: 0,
            has_docstring: false,
            comprehension_blocks: 0,
            scope_overrides: FastMap::default(),
        }
    }
}

impl<'a, 'o> Compiler<'a, 'o> {
    fn block(&self) -> &'o Block<'a> {
        &self.table.blocks[self.unit.block]
    }

    fn future_annotations(&self) -> bool {
        self.future & flags::FUTURE_ANNOTATIONS != 0
    }

    fn error<T>(&self, message: impl Into<String>, range: impl Into<Loc>) -> Result<T, SyntaxError> {
        Err(SyntaxError::new(message.into(), range.into().range()))
    }

    fn warn(&mut self, message: String, range: Range) {
        if self.silent == 0 {
            self.warnings.push(Warning { message, range });
        }
    }

    fn check_stack(&self) -> Done {
        if stack_is_low(self.options.stack_limit) {
            return Err(SyntaxError::recursion("during compilation"));
        }
        Ok(())
    }

    fn mangle(&self, name: &'a str) -> &'a str {
        self.block().mangle(self.arena, self.unit.private, name)
    }

    /// Starts a unit for the block with this key.
    fn enter_scope(
        &mut self,
        name: &'a str,
        scope_type: ScopeType,
        key: Key,
        firstlineno: u32,
        private: Option<&'a str>,
    ) -> Done {
        let Some(block) = self.table.lookup(key) else {
            return self.error("unknown symbol table entry", Range::default());
        };
        let private = private.or(self.unit.private);
        let unit = Unit::new(self.table, block, scope_type, name, firstlineno, private);
        self.outer.push(std::mem::replace(&mut self.unit, unit));
        self.unit.qualname = self.qualname();
        self.start_scope();
        Ok(())
    }

    fn start_scope(&mut self) {
        let mut loc = Loc::line(self.unit.firstlineno);
        if self.unit.scope_type == ScopeType::Module {
            loc.line = 0;
        }
        self.op_arg(Op::Resume, 0, loc);
        if self.unit.scope_type == ScopeType::Module {
            self.op(Op::AnnotationsPlaceholder, loc);
        }
    }

    /// PEP 3155.
    fn qualname(&self) -> String {
        let unit = &self.unit;
        let mut parents = self.outer.iter().rev();
        let Some(mut parent) = parents.next() else { return unit.name.into() };
        if parent.scope_type == ScopeType::Annotations {
            if self.outer.len() == 1 {
                return unit.name.into();
            }
            match parents.next() {
                Some(outer) => parent = outer,
                None => return unit.name.into(),
            }
            if self.outer.len() <= 2 {
                return unit.name.into();
            }
        } else if self.outer.len() == 1 {
            return unit.name.into();
        }
        let is_definition =
            matches!(unit.scope_type, ScopeType::Function | ScopeType::AsyncFunction | ScopeType::Class);
        if is_definition {
            let mangled = self.table.blocks[parent.block].mangle(self.arena, parent.private, unit.name);
            if self.table.blocks[parent.block].scope(mangled) == Scope::GlobalExplicit {
                return unit.name.into();
            }
        }
        let function_like =
            matches!(parent.scope_type, ScopeType::Function | ScopeType::AsyncFunction | ScopeType::Lambda);
        let locals = if function_like { ".<locals>" } else { "" };
        format!("{}{locals}.{}", parent.qualname, unit.name)
    }

    /// Ends the unit and assembles its code.
    fn finish(&mut self, add_none: bool) -> Result<Rc<CodeObject>, SyntaxError> {
        if add_none {
            self.load_const(Const::None, Loc::NONE);
        }
        self.op(Op::ReturnValue, Loc::NONE);
        let flags = self.code_flags();
        let filename = self.filename.clone();
        assemble::code_object(&mut self.unit, flags, filename).map(Rc::new)
    }

    fn leave_scope(&mut self, add_none: bool) -> Result<Rc<CodeObject>, SyntaxError> {
        let code = self.finish(add_none)?;
        if let Some(outer) = self.outer.pop() {
            self.unit = outer;
        }
        Ok(code)
    }

    fn code_flags(&self) -> u32 {
        let block = self.block();
        let mut bits = 0;
        if block.is_function_like() {
            bits |= flags::NEWLOCALS | flags::OPTIMIZED;
            if block.nested {
                bits |= flags::NESTED;
            }
            bits |= match (block.generator, block.coroutine) {
                (true, false) => flags::GENERATOR,
                (false, true) => flags::COROUTINE,
                (true, true) => flags::ASYNC_GENERATOR,
                _ => 0,
            };
            if block.method {
                bits |= flags::METHOD;
            }
            if self.unit.has_docstring {
                bits |= flags::HAS_DOCSTRING;
            }
            if block.varargs {
                bits |= flags::VARARGS;
            }
            if block.varkeywords {
                bits |= flags::VARKEYWORDS;
            }
        }
        if self.options.top_level_await && self.unit.scope_type == ScopeType::Module && block.coroutine {
            bits |= flags::COROUTINE;
        }
        bits | self.future
    }

    fn op(&mut self, op: Op, loc: impl Into<Loc>) {
        self.unit.seq.push(op, 0, None, loc.into());
    }

    fn op_arg(&mut self, op: Op, arg: u32, loc: impl Into<Loc>) {
        self.unit.seq.push(op, arg, None, loc.into());
    }

    fn op_name(&mut self, op: Op, name: &'a str, loc: impl Into<Loc>) {
        let name = self.mangle(name);
        let index = self.unit.names.add(name);
        self.op_arg(op, index, loc);
    }

    fn jump(&mut self, op: Op, target: Label, loc: impl Into<Loc>) {
        self.unit.seq.push(op, 0, Some(target), loc.into());
    }

    fn load_const(&mut self, value: Const, loc: impl Into<Loc>) {
        match &value {
            Const::Str(text) => self.note_use(text, false),
            // Tuples that are not folded later are of names.
            Const::Tuple(items) => items.iter().for_each(|item| {
                if let Const::Str(text) = item {
                    self.note_use(text, true);
                }
            }),
            _ => {}
        }
        let index = self.unit.consts.add(value);
        self.op_arg(Op::LoadConst, index, loc);
    }

    /// Loads a name as a string.
    fn load_str(&mut self, text: &str, loc: impl Into<Loc>) {
        let name = constants::str_const(text.as_bytes());
        if let Const::Str(name) = &name {
            self.note_use(name, true);
        }
        self.load_const(name, loc);
    }

    fn note_use(&mut self, text: &Str, is_name: bool) {
        if text.interned && !self.first_uses.contains_key(&text.value) {
            self.first_uses.insert(text.value.clone(), is_name);
        }
    }

    fn new_label(&mut self) -> Label {
        self.unit.seq.new_label()
    }

    fn use_label(&mut self, label: Label) {
        self.unit.seq.use_label(label);
    }
}
