//! `_ast`: the classes of the syntax tree, and the trees of the parser as objects of them.

pub mod from_python;
pub mod grammar;
pub mod node;
pub mod patterns;
pub mod to_python;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use taipan_object::TypeFlags;
use taipan_parser::ast::Arena;
use taipan_vm::prelude::*;
use taipan_vm::runtime::compile::{self, CompileFlags, Mode};

use grammar::{Field, Position, RULES, Rule};
pub use node::Ast;
use taipan_vm::builtins::type_::{TypeExt as _, set_constant};

/// The module.
pub struct AstModule;

/// A class of the tree, with the names of its fields.
pub struct Class {
    /// The class in Python.
    pub class: Ref<Type>,
    /// The names of its fields, in order.
    pub fields: Vec<Ref<Str>>,
}

/// The classes by name, and the only instances of those without fields.
#[derive(Default)]
pub struct Classes {
    classes: RefCell<HashMap<&'static str, Rc<Class>>>,
    singletons: RefCell<HashMap<&'static str, ObjRef>>,
    /// Rule and name of each class that nodes are of.
    constructors: RefCell<HashMap<*const Type, (&'static str, &'static str)>>,
}

impl Classes {
    /// The interpreter's classes, made when first asked for.
    pub fn of(vm: &Vm) -> PyResult<&Classes> {
        let classes = vm.interp().state::<Classes>();
        if classes.classes.borrow().is_empty() {
            classes.fill(vm)?;
        }
        Ok(classes)
    }

    /// The class of that name.
    pub fn get(&self, name: &str, vm: &Vm) -> PyResult<Rc<Class>> {
        let found = self.classes.borrow().get(name).cloned();
        found.ok_or_else(|| vm.system_error(format!("no class of the syntax tree is named {name}")))
    }

    /// The name of a class that is a constructor of the rule `kind`.
    pub fn constructor_of(&self, tp: &Type, kind: &str) -> Option<&'static str> {
        self.constructors
            .borrow()
            .get(&std::ptr::from_ref(tp))
            .filter(|(rule, _)| *rule == kind)
            .map(|(_, name)| *name)
    }

    /// The instance of a class without fields.
    pub fn singleton(&self, name: &'static str, vm: &Vm) -> PyResult {
        if let Some(made) = self.singletons.borrow().get(name) {
            return Ok(made.clone());
        }
        let made = Ast::instance(&self.get(name, vm)?.class, vm)?;
        self.singletons.borrow_mut().insert(name, made.clone());
        Ok(made)
    }

    fn fill(&self, vm: &Vm) -> PyResult<()> {
        let root = Ast::type_object().as_object();
        // Programs may change the class, as all others of the module.
        let flags = &Ast::type_object().tp_flags;
        flags.set(flags.get() & !TypeFlags::IMMUTABLETYPE);
        let none = Tuple::empty(vm);
        for name in ["_fields", "_attributes", "__match_args__"] {
            set_constant(Ast::type_object(), name, none.as_object(), vm)?;
        }
        set_constant(Ast::type_object(), "__module__", vm.intern("ast").as_object(), vm)?;
        for rule in RULES {
            let is_choice =
                rule.constructors.first().is_none_or(|first| grammar::parse(first).0 != rule.name);
            let base = if is_choice {
                let choice = self.make(rule.name, &choice_doc(rule), root, &[], rule.position, vm)?;
                choice.as_object().to_ref()
            } else {
                root.to_ref()
            };
            for constructor in rule.constructors {
                let (name, fields) = grammar::parse(constructor);
                let position = if is_choice { None } else { Some(rule.position) };
                let class =
                    self.make(name, constructor, &base, &fields, position.unwrap_or(Position::None), vm)?;
                self.constructors.borrow_mut().insert(std::ptr::from_ref(&*class), (rule.name, name));
            }
        }
        // Types of fields name classes that come later.
        for rule in RULES {
            for constructor in rule.constructors {
                let (name, fields) = grammar::parse(constructor);
                self.set_field_types(name, &fields, vm)?;
            }
        }
        Ok(())
    }

    fn make(
        &self,
        name: &'static str,
        doc: &str,
        base: &Object,
        fields: &[Field],
        position: Position,
        vm: &Vm,
    ) -> PyResult<Ref<Type>> {
        let members = vm.new_dict();
        let set = |key: &str, value: &Object| members.set_item(vm.intern(key).as_object(), value, vm);
        let names: Vec<Ref<Str>> = fields.iter().map(|field| vm.intern(field.name)).collect();
        let tuple = vm.new_tuple(names.iter().map(|name| name.clone().into_object()).collect::<Vec<_>>());
        set("_fields", tuple.as_object())?;
        set("__match_args__", tuple.as_object())?;
        set("__module__", vm.intern("ast").as_object())?;
        set("__doc__", vm.new_str(doc).as_object())?;
        for field in fields.iter().filter(|field| field.quantifier == "?") {
            set(field.name, vm.none_ref())?;
        }
        if base.is(Ast::type_object().as_object()) {
            let attributes: &[&str] = match position {
                Position::None => &[],
                _ => &["lineno", "col_offset", "end_lineno", "end_col_offset"],
            };
            let attributes: Vec<ObjRef> = attributes.iter().map(|a| vm.intern(a).into_object()).collect();
            set("_attributes", vm.new_tuple(attributes).as_object())?;
            if position == Position::EndOptional {
                set("end_lineno", vm.none_ref())?;
                set("end_col_offset", vm.none_ref())?;
            }
        }
        let bases = vm.new_tuple([base.to_ref()]);
        let class = Type::type_type()
            .as_object()
            .call(&[vm.intern(name).as_object(), bases.as_object(), members.as_object()], vm)?;
        let Ok(class) = class.downcast::<Type>() else { return Err(vm.system_error("type() made no type")) };
        let entry = Rc::new(Class { class: class.clone(), fields: names });
        self.classes.borrow_mut().insert(name, entry);
        Ok(class)
    }

    fn set_field_types(&self, name: &str, fields: &[Field], vm: &Vm) -> PyResult<()> {
        let all = vm.new_dict();
        for field in fields {
            let single = match field.kind {
                "identifier" | "string" => Str::type_object().as_object().to_ref(),
                "int" => Int::type_object().as_object().to_ref(),
                "constant" => taipan_vm::builtins::object::object_type().as_object().to_ref(),
                kind => self.get(kind, vm)?.class.as_object().to_ref(),
            };
            let tp = match field.quantifier {
                "" => single,
                "?" => taipan_vm::protocols::number::or(&single, vm.none_ref(), vm)?,
                _ => List::type_object().as_object().get_item(&single, vm)?,
            };
            all.set_item(vm.intern(field.name).as_object(), &tp, vm)?;
        }
        let class = self.get(name, vm)?;
        let class = class.class.as_object();
        set_on(class, "_field_types", all.as_object(), vm)?;
        set_on(class, "__annotations__", all.as_object(), vm)
    }
}

/// Sets an attribute of a class, native ones included.
fn set_on(class: &Object, name: &str, value: &Object, vm: &Vm) -> PyResult<()> {
    let native = class.downcast_ref::<Type>().filter(|tp| !tp.has_flag(TypeFlags::HEAPTYPE));
    if let Some(dict) = native.and_then(taipan_vm::builtins::type_::type_dict) {
        return dict.set_str(&vm.intern(name), value, vm);
    }
    class.set_attr(&vm.intern(name), value, vm)
}

/// "stmt = A | B", a choice a line.
fn choice_doc(rule: &Rule) -> String {
    let fields = rule.constructors.iter().any(|constructor| constructor.contains('('));
    let between = if fields { format!("\n{}| ", " ".repeat(rule.name.len() + 1)) } else { " | ".to_owned() };
    format!("{} = {}", rule.name, rule.constructors.join(&between))
}

/// `compile` for trees, and for text with `PyCF_ONLY_AST`.
fn compile_ast(
    source: &Object,
    filename: &Str,
    mode: Mode,
    flags: CompileFlags,
    optimize: i32,
    feature_version: i32,
    vm: &Vm,
) -> PyResult<Option<ObjRef>> {
    let wants_tree = flags.0 & CompileFlags::ONLY_AST != 0;
    let optimized = flags.0 & CompileFlags::OPTIMIZED_AST == CompileFlags::OPTIMIZED_AST;
    let level = optimized.then(|| compile::optimization_level(optimize, vm) as u8);
    let name = filename.to_string_lossy().into_owned();
    if source.downcast_ref::<Ast>().is_some() {
        if wants_tree && !optimized {
            from_python::check_root(source, mode, vm)?;
            return Ok(Some(source.to_ref()));
        }
        let arena = Arena::new();
        let tree = from_python::convert(source, mode, &arena, vm)?;
        if wants_tree {
            return to_python::convert(&tree, level, vm).map(Some);
        }
        return compile::compile_tree(&arena, &tree, &[], &name, flags, optimize, None, vm)
            .map(|code| Some(code.into_object()));
    }
    if !wants_tree {
        return Ok(None);
    }
    let text = compile::source_text(source, "compile", vm)?;
    let arena = Arena::new();
    let tree = compile::parse_source(&text, source, &name, mode, flags, feature_version, &arena, vm)?;
    to_python::convert(&tree, level, vm).map(Some)
}

#[pymodule(name = "_ast", types(Ast))]
impl AstModule {
    #[exec]
    fn exec(module: &Module, vm: &Vm) -> PyResult<()> {
        module.set("PyCF_ALLOW_TOP_LEVEL_AWAIT", &vm.new_int(CompileFlags::ALLOW_TOP_LEVEL_AWAIT), vm)?;
        module.set("PyCF_ONLY_AST", &vm.new_int(CompileFlags::ONLY_AST), vm)?;
        module.set("PyCF_TYPE_COMMENTS", &vm.new_int(CompileFlags::TYPE_COMMENTS), vm)?;
        module.set("PyCF_OPTIMIZED_AST", &vm.new_int(CompileFlags::OPTIMIZED_AST), vm)?;
        let classes = Classes::of(vm)?;
        for rule in RULES {
            module.set(rule.name, classes.get(rule.name, vm)?.class.as_object(), vm)?;
            for constructor in rule.constructors {
                let (name, _) = grammar::parse(constructor);
                module.set(name, classes.get(name, vm)?.class.as_object(), vm)?;
            }
        }
        vm.interp().hooks.compile_ast.set(Some(compile_ast));
        Ok(())
    }
}
