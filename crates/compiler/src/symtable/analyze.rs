//! Second pass: from definitions and uses to scopes.

use taipan_bytecode::hash::{FastMap, FastSet};

use super::{Block, BlockId, BlockType, Comprehension, SCOPE_OFFSET, Scope, SymbolTable, def};
use crate::SyntaxError;

type Names<'a> = FastSet<&'a str>;
type Scopes<'a> = FastMap<&'a str, Scope>;

pub(super) fn analyze(table: &mut SymbolTable<'_>) -> Result<(), SyntaxError> {
    let mut outer =
        Outer { bound: None, global: Names::default(), type_params: Names::default(), class: None };
    block(table, 0, &mut outer)?;
    Ok(())
}

/// What the enclosing blocks tell a block.
#[derive(Clone)]
struct Outer<'a> {
    /// Names bound in enclosing functions; `None` for the module itself.
    bound: Option<Names<'a>>,
    global: Names<'a>,
    type_params: Names<'a>,
    /// The class whose names an annotation scope sees.
    class: Option<BlockId>,
}

fn error<'a>(block: &Block<'a>, name: &str, message: String) -> SyntaxError {
    let range = block.directives.iter().find(|d| d.0 == name).map(|d| d.1).unwrap_or(block.range);
    SyntaxError::new(message, range)
}

/// Resolves a block and all in it; gives the names that are free in it.
fn block<'a>(
    table: &mut SymbolTable<'a>,
    id: BlockId,
    outer: &mut Outer<'a>,
) -> Result<Names<'a>, SyntaxError> {
    let is_class = table.blocks[id].kind == BlockType::Class;
    let function_like = table.blocks[id].is_function_like();
    let mut free = Names::default();
    let mut local = Names::default();
    let mut scopes = Scopes::default();
    let (mut new_bound, mut new_global) = (Names::default(), Names::default());
    if is_class {
        new_global.extend(&outer.global);
        new_bound.extend(outer.bound.iter().flatten());
    }
    let symbols: Vec<_> = table.blocks[id].symbols.iter().collect();
    table.blocks[id].origins.own = symbols.len();
    for (name, flags) in symbols {
        let scope = resolve(table, id, name, flags, outer, &mut local, &mut free)?;
        scopes.insert(name, scope);
    }
    if is_class {
        new_bound.extend(["__class__", "__classdict__", "__conditional_annotations__"]);
    } else {
        if function_like {
            new_bound.extend(&local);
        }
        new_bound.extend(outer.bound.iter().flatten());
        new_global.extend(&outer.global);
    }
    // What is free in the block itself is no name of an inner block.
    let mut new_free = Names::default();
    let mut inlined_cells = Names::default();
    let mut children = Vec::new();
    let inner_blocks = std::mem::take(&mut table.blocks[id].children);
    for &child in &inner_blocks {
        let class = match table.blocks[child].can_see_class_scope {
            true if is_class => Some(id),
            true => outer.class,
            false => None,
        };
        let inline =
            !matches!(table.blocks[child].comprehension, Comprehension::None | Comprehension::Generator)
                && !table.blocks[id].can_see_class_scope;
        let mut inner = Outer {
            bound: Some(new_bound.clone()),
            global: new_global.clone(),
            type_params: outer.type_params.clone(),
            class,
        };
        let mut child_free = block(table, child, &mut inner)?;
        if inline {
            inline_comprehension(table, id, child, &mut scopes, &mut child_free, &mut inlined_cells);
            table.blocks[child].inlined = true;
            children.extend(table.blocks[child].children.iter().copied());
        } else {
            children.push(child);
        }
        new_free.extend(child_free);
    }
    table.blocks[id].children = children;
    table.blocks[id].origins.inner = inner_blocks;
    if function_like {
        for (name, scope) in &mut scopes {
            if *scope == Scope::Local && (new_free.contains(name) || inlined_cells.contains(name)) {
                *scope = Scope::Cell;
                new_free.remove(name);
            }
        }
    } else if is_class {
        let this = &mut table.blocks[id];
        this.needs_class_closure |= new_free.remove("__class__");
        this.needs_classdict |= new_free.remove("__classdict__");
        this.has_conditional_annotations |= new_free.remove("__conditional_annotations__");
    }
    record(&mut table.blocks[id], &scopes, outer.bound.as_ref(), &new_free, &inlined_cells);
    new_free.extend(free);
    Ok(new_free)
}

fn resolve<'a>(
    table: &SymbolTable<'a>,
    id: BlockId,
    name: &'a str,
    flags: u32,
    outer: &mut Outer<'a>,
    local: &mut Names<'a>,
    free: &mut Names<'a>,
) -> Result<Scope, SyntaxError> {
    let this = &table.blocks[id];
    if flags & def::GLOBAL != 0 {
        if flags & def::NONLOCAL != 0 {
            return Err(error(this, name, format!("name '{name}' is nonlocal and global")));
        }
        outer.global.insert(name);
        if let Some(bound) = &mut outer.bound {
            bound.remove(name);
        }
        return Ok(Scope::GlobalExplicit);
    }
    if flags & def::NONLOCAL != 0 {
        let Some(bound) = &outer.bound else {
            return Err(error(this, name, "nonlocal declaration not allowed at module level".into()));
        };
        if !bound.contains(name) {
            return Err(error(this, name, format!("no binding for nonlocal '{name}' found")));
        }
        if outer.type_params.contains(name) {
            let message = format!("nonlocal binding not allowed for type parameter '{name}'");
            return Err(error(this, name, message));
        }
        free.insert(name);
        return Ok(Scope::Free);
    }
    if flags & def::BOUND != 0 {
        local.insert(name);
        outer.global.remove(name);
        if flags & def::TYPE_PARAM != 0 {
            outer.type_params.insert(name);
        } else {
            outer.type_params.remove(name);
        }
        return Ok(Scope::Local);
    }
    // The reader of a class's names is a cell of its own, whatever the class itself calls `__classdict__`.
    if let Some(class) = outer.class.filter(|_| name != "__classdict__") {
        let class_flags = table.blocks[class].symbols.get(name);
        if class_flags & def::GLOBAL != 0 {
            return Ok(Scope::GlobalExplicit);
        }
        if class_flags & def::BOUND != 0 && class_flags & def::NONLOCAL == 0 {
            return Ok(Scope::GlobalImplicit);
        }
    }
    if outer.bound.as_ref().is_some_and(|bound| bound.contains(name)) {
        free.insert(name);
        return Ok(Scope::Free);
    }
    Ok(Scope::GlobalImplicit)
}

/// Whether a name is free in a block inside this one.
fn free_in_child(table: &SymbolTable<'_>, id: BlockId, name: &str) -> bool {
    table.blocks[id].children.iter().any(|child| table.blocks[*child].scope(name) == Scope::Free)
}

/// Moves the names of a comprehension into the block around it (PEP 709).
fn inline_comprehension<'a>(
    table: &mut SymbolTable<'a>,
    id: BlockId,
    comprehension: BlockId,
    scopes: &mut Scopes<'a>,
    child_free: &mut Names<'a>,
    inlined_cells: &mut Names<'a>,
) {
    let is_class = table.blocks[id].kind == BlockType::Class;
    let symbols: Vec<_> = table.blocks[comprehension].symbols.iter().collect();
    for (name, flags) in symbols {
        if flags & def::PARAM != 0 {
            continue;
        }
        let mut scope = Scope::of(flags);
        let only_flags = flags & ((1 << SCOPE_OFFSET) - 1);
        if scope == Scope::Cell || only_flags & def::COMP_CELL != 0 {
            inlined_cells.insert(name);
        }
        let existing = table.blocks[id].symbols.get(name);
        if !table.blocks[id].symbols.contains(name) {
            let implicit = matches!(name, "__class__" | "__classdict__" | "__conditional_annotations__");
            if scope == Scope::Free && is_class && implicit {
                scope = Scope::GlobalImplicit;
                if !free_in_child(table, comprehension, name) {
                    child_free.remove(name);
                    table.blocks[comprehension].origins.dropped.push(name);
                }
            }
            table.blocks[id].symbols.set(name, only_flags);
            scopes.insert(name, scope);
            continue;
        }
        if scope == Scope::Free && !is_class {
            table.blocks[id].symbols.set(name, existing | only_flags & def::USE);
        }
        if existing & def::BOUND != 0 && !is_class && !free_in_child(table, comprehension, name) {
            child_free.remove(name);
            table.blocks[comprehension].origins.dropped.push(name);
        }
    }
}

/// Writes the scopes into the flags and passes free names of inner blocks on.
fn record<'a>(
    this: &mut Block<'a>,
    scopes: &Scopes<'a>,
    bound: Option<&Names<'a>>,
    free: &Names<'a>,
    inlined_cells: &Names<'a>,
) {
    for (name, flags) in &mut this.symbols.list {
        if inlined_cells.contains(name) {
            *flags |= def::COMP_CELL;
        }
        *flags |= (scopes.get(name).copied().unwrap_or(Scope::Unknown) as u32) << SCOPE_OFFSET;
    }
    this.origins.without_passed_on = this.symbols.list.len();
    let class_flag = this.kind == BlockType::Class || this.can_see_class_scope;
    let mut names: Vec<&str> = free.iter().copied().collect();
    names.sort_unstable();
    for name in names {
        if this.symbols.contains(name) {
            if class_flag {
                let flags = this.symbols.get(name);
                this.symbols.set(name, flags | def::FREE_CLASS);
            }
            continue;
        }
        if bound.is_some_and(|bound| !bound.contains(name)) {
            continue;
        }
        this.symbols.set(name, (Scope::Free as u32) << SCOPE_OFFSET);
    }
}
