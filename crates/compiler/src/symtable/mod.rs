//! The symbol table: which scope each name of each block belongs to (`symtable` in the library reference).
//!
//! A first pass ([`visit`]) collects definitions and uses block by block; a second one ([`analyze`]) decides from the
//! module down what is local, global, free or a cell, and inlines comprehensions (PEP 709).

mod analyze;
mod visit;

use taipan_bytecode::hash::{FastMap, FastSet};
use taipan_parser::ast::{Arena, Mod, Range};

use crate::{CompileOptions, SyntaxError};

/// Bits that say how a name occurs in a block.
#[allow(missing_docs, reason = "they are the constants of the _symtable module")]
pub mod def {
    pub const GLOBAL: u32 = 1;
    pub const LOCAL: u32 = 2;
    pub const PARAM: u32 = 4;
    pub const NONLOCAL: u32 = 8;
    pub const USE: u32 = 16;
    pub const FREE_CLASS: u32 = 64;
    pub const IMPORT: u32 = 128;
    pub const ANNOT: u32 = 256;
    pub const COMP_ITER: u32 = 512;
    pub const TYPE_PARAM: u32 = 1024;
    pub const COMP_CELL: u32 = 2048;
    pub const BOUND: u32 = LOCAL | PARAM | IMPORT | TYPE_PARAM;
}

/// Where the bits of the scope start in a symbol's flags.
pub const SCOPE_OFFSET: u32 = 12;

/// What a name in a block refers to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
#[allow(missing_docs, reason = "they are the terms of the language reference")]
pub enum Scope {
    Unknown = 0,
    Local = 1,
    GlobalExplicit = 2,
    GlobalImplicit = 3,
    Free = 4,
    Cell = 5,
}

impl Scope {
    /// The scope in a symbol's flags.
    pub fn of(flags: u32) -> Scope {
        match flags >> SCOPE_OFFSET & 15 {
            1 => Scope::Local,
            2 => Scope::GlobalExplicit,
            3 => Scope::GlobalImplicit,
            4 => Scope::Free,
            5 => Scope::Cell,
            _ => Scope::Unknown,
        }
    }
}

/// What kind of code a block is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the names speak")]
pub enum BlockType {
    Function,
    Class,
    Module,
    Annotation,
    TypeAlias,
    TypeParameters,
    TypeVariable,
}

/// Which comprehension a block is the body of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the names speak")]
pub enum Comprehension {
    None,
    List,
    Dict,
    Set,
    Generator,
}

/// Identifies a block: the address of its node, and which of the node's blocks it is.
pub type Key = (usize, KeyKind);

/// Which of a node's blocks is meant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KeyKind {
    /// The node's own block.
    Body,
    /// The block of its type parameters.
    TypeParams,
    /// The bound of a type parameter.
    Bound,
    /// The default of a type parameter.
    Default,
    /// The annotations.
    Annotations,
}

/// The key of a node's block.
pub fn key<T>(node: &T, kind: KeyKind) -> Key {
    (std::ptr::from_ref(node).addr(), kind)
}

/// A block's index in [`SymbolTable::blocks`].
pub type BlockId = usize;

/// Names with their flags in the order of their first occurrence.
#[derive(Default, Debug, Clone)]
pub struct Symbols<'a> {
    list: Vec<(&'a str, u32)>,
    index: FastMap<&'a str, usize>,
}

impl<'a> Symbols<'a> {
    /// The flags of a name, 0 when it does not occur.
    pub fn get(&self, name: &str) -> u32 {
        self.index.get(name).and_then(|i| self.list.get(*i)).map_or(0, |entry| entry.1)
    }

    /// Whether the name occurs.
    pub fn contains(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    /// Sets the flags of a name.
    pub fn set(&mut self, name: &'a str, flags: u32) {
        if let Some(entry) = self.index.get(name).and_then(|i| self.list.get_mut(*i)) {
            entry.1 = flags;
            return;
        }
        self.index.insert(name, self.list.len());
        self.list.push((name, flags));
    }

    /// All names with their flags.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, u32)> + '_ {
        self.list.iter().copied()
    }
}

/// How names got into a block. `symtable` shows those that are free in inner blocks in the order of a set of strings, which
/// only who knows their hashes can tell.
#[derive(Default, Debug)]
pub struct Origins<'a> {
    /// How many symbols are the block's own: the first ones.
    pub own: usize,
    /// How many there are without those that only inner blocks use: the rest.
    pub without_passed_on: usize,
    /// All inner blocks, also inlined comprehensions.
    pub inner: Vec<BlockId>,
    /// Free names of an inlined comprehension that are no longer free around it.
    pub dropped: Vec<&'a str>,
}

/// One block: a module, class, function, or annotation scope.
#[derive(Debug)]
pub struct Block<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its type.
    pub kind: BlockType,
    /// Its names.
    pub symbols: Symbols<'a>,
    /// Its parameters in the order of their slots.
    pub varnames: Vec<&'a str>,
    /// The blocks in it.
    pub children: Vec<BlockId>,
    /// How its names got into it.
    pub origins: Origins<'a>,
    /// Where it starts.
    pub range: Range,
    /// Whether it is inside a function.
    pub nested: bool,
    /// Whether it contains `yield`.
    pub generator: bool,
    /// Whether it is `async` or awaits.
    pub coroutine: bool,
    /// Whether it has annotations.
    pub annotations_used: bool,
    /// Which comprehension it is.
    pub comprehension: Comprehension,
    /// Whether it is a comprehension that was inlined.
    pub inlined: bool,
    /// Whether there is `*args`.
    pub varargs: bool,
    /// Whether there is `**kwargs`.
    pub varkeywords: bool,
    /// Whether it returns a value.
    pub returns_value: bool,
    /// For classes: whether a cell `__class__` is needed.
    pub needs_class_closure: bool,
    /// For classes: whether a cell `__classdict__` is needed.
    pub needs_classdict: bool,
    /// For annotation scopes: whether names of the enclosing class are visible.
    pub can_see_class_scope: bool,
    /// Whether it is a function right inside a class.
    pub method: bool,
    /// Whether it has annotations that may not be executed.
    pub has_conditional_annotations: bool,
    /// The block of the annotations of its variables.
    pub annotation_block: Option<BlockId>,
    in_conditional_block: bool,
    in_unevaluated_annotation: bool,
    comp_iter_target: bool,
    comp_iter_expr: u32,
    scope_info: &'static str,
    directives: Vec<(&'a str, Range)>,
    mangled_names: Option<FastSet<&'a str>>,
}

impl<'a> Block<'a> {
    /// Whether its locals are those of a function.
    pub fn is_function_like(&self) -> bool {
        !matches!(self.kind, BlockType::Class | BlockType::Module)
    }

    /// What a name refers to here.
    pub fn scope(&self, name: &str) -> Scope {
        Scope::of(self.symbols.get(name))
    }

    /// The name as it is stored: private names of a class are mangled.
    pub fn mangle(&self, arena: &'a Arena, private: Option<&str>, name: &'a str) -> &'a str {
        match &self.mangled_names {
            Some(names) if !names.contains(name) => name,
            _ => mangle(arena, private, name),
        }
    }
}

/// The whole table.
#[derive(Debug)]
pub struct SymbolTable<'a> {
    /// All blocks; the module is the first.
    pub blocks: Vec<Block<'a>>,
    by_key: FastMap<Key, BlockId>,
}

impl<'a> SymbolTable<'a> {
    /// The block of a node.
    pub fn lookup(&self, key: Key) -> Option<BlockId> {
        self.by_key.get(&key).copied()
    }
}

/// Makes the table of a syntax tree; `future_annotations` tells of `from __future__ import annotations`.
pub fn build<'a>(
    arena: &'a Arena,
    module: &'a Mod<'a>,
    future_annotations: bool,
    keeps_debug: bool,
    options: &CompileOptions<'_>,
) -> Result<SymbolTable<'a>, SyntaxError> {
    let mut table = visit::collect(arena, module, future_annotations, keeps_debug, options)?;
    analyze::analyze(&mut table)?;
    Ok(table)
}

/// Private name mangling: `__x` in class `C` is `_C__x`.
pub fn mangle<'a>(arena: &'a Arena, private: Option<&str>, name: &'a str) -> &'a str {
    let Some(class) = private else { return name };
    if !name.starts_with("__") || name.ends_with("__") || name.contains('.') {
        return name;
    }
    let class = class.trim_start_matches('_');
    if class.is_empty() {
        return name;
    }
    let mut text = String::with_capacity(class.len() + name.len() + 1);
    text.push('_');
    text.push_str(class);
    text.push_str(name);
    arena.alloc_str(&text)
}
