//! `_symtable`: the compiler's symbol tables as objects.

use std::collections::HashMap;

use taipan_vm::prelude::*;
use taipan_vm::runtime::compile::symtable::{BlockId, BlockType, SCOPE_OFFSET, Scope, SymbolTable, def};
use taipan_vm::runtime::compile::{self, Mode};

/// The module.
pub struct SymtableModule;

/// The layout of a block of the table.
#[repr(C)]
#[derive(Traverse)]
pub struct Entry {
    #[traverse(skip)]
    ob: Object,
    name: Ref<Str>,
    symbols: Ref<Dict>,
    varnames: Ref<List>,
    children: Ref<List>,
    #[traverse(skip)]
    nested: bool,
    #[traverse(skip)]
    kind: BlockType,
    #[traverse(skip)]
    line: i64,
}

impl Entry {
    fn new(
        table: &SymbolTable<'_>,
        id: BlockId,
        passed_on: &PassedOn,
        vm: &Vm,
    ) -> PyResult<Option<Ref<Entry>>> {
        let Some(block) = table.blocks.get(id) else { return Ok(None) };
        let symbols = vm.new_dict();
        for (name, flags) in block.symbols.iter().take(block.origins.without_passed_on) {
            symbols.set_item(vm.intern(name).as_object(), &vm.new_int(flags), vm)?;
        }
        let free = vm.new_int((Scope::Free as u32) << SCOPE_OFFSET);
        for name in passed_on.get(&id).into_iter().flatten() {
            symbols.set_item(&**name, &free, vm)?;
        }
        let varnames: Vec<ObjRef> = block.varnames.iter().map(|name| vm.intern(name).into_object()).collect();
        let mut children = Vec::new();
        for child in &block.children {
            children.extend(Entry::new(table, *child, passed_on, vm)?.map(Ref::into_object));
        }
        Ok(Some(vm.new_object(Entry {
            ob: Object::new(Self::type_object()),
            name: vm.intern(block.name),
            symbols,
            varnames: vm.new_list(varnames),
            children: vm.new_list(children),
            nested: block.nested,
            kind: block.kind,
            line: if block.kind == BlockType::Module { 0 } else { i64::from(block.range.line) },
        })))
    }
}

/// The names of each block that only inner blocks use, in their order.
type PassedOn = HashMap<BlockId, Vec<ObjRef>>;

/// The names that are free in a block, added to those of the blocks beside it. Sets take and lose names here as they do in
/// CPython, whose order thereby is that of the names' hashes in all blocks.
fn free_names(
    table: &SymbolTable<'_>,
    id: BlockId,
    beside: &Set,
    passed_on: &mut PassedOn,
    vm: &Vm,
) -> PyResult<Ref<Set>> {
    let own_free = Set::from_iterable(beside.as_object(), vm)?;
    let inner_free = Set::new(vm);
    let Some(block) = table.blocks.get(id) else { return Ok(own_free) };
    for (name, flags) in block.symbols.iter().take(block.origins.own) {
        if Scope::of(flags) == Scope::Free {
            own_free.add(vm.intern(name).as_object(), vm)?;
        }
    }
    for inner in &block.origins.inner {
        let free = free_names(table, *inner, &inner_free, passed_on, vm)?;
        for name in table.blocks.get(*inner).map_or(&[][..], |inner| &inner.origins.dropped) {
            free.discard(vm.intern(name).as_object(), vm)?;
        }
        inner_free.update_from(free.as_object(), vm)?;
    }
    if block.is_function_like() {
        for (name, _) in block.symbols.iter().filter(|symbol| Scope::of(symbol.1) == Scope::Cell) {
            inner_free.discard(vm.intern(name).as_object(), vm)?;
        }
    } else if block.kind == BlockType::Class {
        for name in ["__class__", "__classdict__", "__conditional_annotations__"] {
            inner_free.discard(vm.intern(name).as_object(), vm)?;
        }
    }
    let rest = Set::new(vm);
    for (name, _) in block.symbols.iter().skip(block.origins.without_passed_on) {
        rest.add(vm.intern(name).as_object(), vm)?;
    }
    if !rest.is_empty() {
        let mut ordered = inner_free.items_vec();
        ordered.retain(|name| matches!(rest.contains(name, vm), Ok(true)));
        passed_on.insert(id, ordered);
    }
    own_free.update_from(inner_free.as_object(), vm)?;
    Ok(own_free)
}

/// The number of a block's type.
fn number_of(kind: BlockType) -> i64 {
    match kind {
        BlockType::Function => 0,
        BlockType::Class => 1,
        BlockType::Module => 2,
        BlockType::Annotation => 3,
        BlockType::TypeAlias => 4,
        BlockType::TypeParameters => 5,
        BlockType::TypeVariable => 6,
    }
}

#[pytype(name = "symtable entry", gc, no_new, doc = "")]
impl Entry {
    #[slot]
    fn tp_repr(&self) -> PyResult<String> {
        Ok(format!("<symtable entry {}({}), line {}>", self.name.to_string_lossy(), self.id(), self.line))
    }

    #[getter]
    fn id(&self) -> usize {
        std::ptr::from_ref(self.as_object()) as usize
    }

    #[getter]
    fn name(&self) -> Ref<Str> {
        self.name.clone()
    }

    #[getter]
    fn symbols(&self) -> Ref<Dict> {
        self.symbols.clone()
    }

    #[getter]
    fn varnames(&self) -> Ref<List> {
        self.varnames.clone()
    }

    #[getter]
    fn children(&self) -> Ref<List> {
        self.children.clone()
    }

    #[getter]
    fn nested(&self) -> i64 {
        i64::from(self.nested)
    }

    #[getter]
    fn r#type(&self) -> i64 {
        number_of(self.kind)
    }

    #[getter]
    fn lineno(&self) -> i64 {
        self.line
    }
}

#[pymodule(name = "_symtable")]
impl SymtableModule {
    /// Return symbol and scope dictionaries used internally by compiler.
    #[function("($module, source, filename, startstr, /)")]
    fn symtable(source: &Object, filename: &Object, startstr: &Str, vm: &Vm) -> PyResult {
        let filename = compile::filename_text(filename, vm)?.to_string_lossy().into_owned();
        let mode = match startstr.as_ascii_str() {
            Some("exec") => Mode::Exec,
            Some("eval") => Mode::Eval,
            Some("single") => Mode::Single,
            _ => return Err(vm.value_error("symtable() arg 3 must be 'exec' or 'eval' or 'single'")),
        };
        let top = compile::with_symbols(source, &filename, mode, vm, |table| {
            let mut passed_on = PassedOn::default();
            free_names(table, 0, &Set::new(vm), &mut passed_on, vm)?;
            Entry::new(table, 0, &passed_on, vm)
        })?;
        top.map(Ref::into_object).ok_or_else(|| vm.system_error("no symbol table"))
    }

    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        let flags = [
            ("USE", def::USE),
            ("DEF_GLOBAL", def::GLOBAL),
            ("DEF_NONLOCAL", def::NONLOCAL),
            ("DEF_LOCAL", def::LOCAL),
            ("DEF_PARAM", def::PARAM),
            ("DEF_TYPE_PARAM", def::TYPE_PARAM),
            ("DEF_FREE_CLASS", def::FREE_CLASS),
            ("DEF_IMPORT", def::IMPORT),
            // A type parameter is local too.
            ("DEF_BOUND", def::LOCAL | def::PARAM | def::IMPORT),
            ("DEF_ANNOT", def::ANNOT),
            ("DEF_COMP_ITER", def::COMP_ITER),
            ("DEF_COMP_CELL", def::COMP_CELL),
            ("LOCAL", Scope::Local as u32),
            ("GLOBAL_EXPLICIT", Scope::GlobalExplicit as u32),
            ("GLOBAL_IMPLICIT", Scope::GlobalImplicit as u32),
            ("FREE", Scope::Free as u32),
            ("CELL", Scope::Cell as u32),
            ("SCOPE_OFF", SCOPE_OFFSET),
            ("SCOPE_MASK", 15),
        ];
        for (name, value) in flags {
            module.set(name, &vm.new_int(value), vm)?;
        }
        let kinds = [
            ("TYPE_FUNCTION", BlockType::Function),
            ("TYPE_CLASS", BlockType::Class),
            ("TYPE_MODULE", BlockType::Module),
            ("TYPE_ANNOTATION", BlockType::Annotation),
            ("TYPE_TYPE_ALIAS", BlockType::TypeAlias),
            ("TYPE_TYPE_PARAMETERS", BlockType::TypeParameters),
            ("TYPE_TYPE_VARIABLE", BlockType::TypeVariable),
        ];
        for (name, kind) in kinds {
            module.set(name, &vm.new_int(number_of(kind)), vm)?;
        }
        Ok(())
    }
}
