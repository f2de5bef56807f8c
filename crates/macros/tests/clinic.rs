//! Types and modules declared by the macros, called in a running interpreter: argument parsing against what CPython says
//! (`clinic.txt`, made by `clinic.py`), method tables, constructors, slots and traversal.

use std::cell::Cell;

use taipan_vm::prelude::*;
use taipan_vm::runtime::config::Config;
use taipan_vm::runtime::start::{self, Parts};

/// The functions of CPython's `_testclinic`, with its signatures.
pub struct TestClinic;

#[pymodule(name = "_testclinic", types(Pair, Plain, Derived))]
#[allow(clippy::too_many_arguments)]
impl TestClinic {
    #[function("($module, /)")]
    fn test_empty_function() {}

    #[function("($module, a, b=None, /)")]
    fn objects_converter(_a: &Object, _b: Option<&Object>) {}

    #[function("($module, a, b, /)")]
    fn two(_a: &Object, _b: &Object) {}

    #[function("($module, /, *, a)")]
    fn keyword_only_parameter(_a: &Object) {}

    #[function("($module, /, a, b)")]
    fn keywords(_a: &Object, _b: &Object) {}

    #[function("($module, /, a, *, b)")]
    fn keywords_kwonly(_a: &Object, _b: &Object) {}

    #[function("($module, /, a, b=None, c=None)")]
    fn keywords_opt(_a: &Object, _b: Option<&Object>, _c: Option<&Object>) {}

    #[function("($module, /, a, b=None, *, c=None, d=None)")]
    fn keywords_opt_kwonly(_a: &Object, _b: Option<&Object>, _c: Option<&Object>, _d: Option<&Object>) {}

    #[function("($module, a, /, b)")]
    fn posonly_keywords(_a: &Object, _b: &Object) {}

    #[function("($module, a, /, b, *, c)")]
    fn posonly_keywords_kwonly(_a: &Object, _b: &Object, _c: &Object) {}

    #[function("($module, a, /, b, *, c, d=None, e=None)")]
    fn posonly_keywords_kwonly_opt(
        _a: &Object,
        _b: &Object,
        _c: &Object,
        _d: Option<&Object>,
        _e: Option<&Object>,
    ) {
    }

    #[function("($module, a, /, b, c=None, d=None)")]
    fn posonly_keywords_opt(_a: &Object, _b: &Object, _c: Option<&Object>, _d: Option<&Object>) {}

    #[function("($module, a, /, *, b)")]
    fn posonly_kwonly(_a: &Object, _b: &Object) {}

    #[function("($module, a, /, *, b, c=None, d=None)")]
    fn posonly_kwonly_opt(_a: &Object, _b: &Object, _c: Option<&Object>, _d: Option<&Object>) {}

    #[function("($module, a, b=None, /, c=None, d=None)")]
    fn posonly_opt_keywords_opt(_a: &Object, _b: Option<&Object>, _c: Option<&Object>, _d: Option<&Object>) {}

    #[function("($module, a, b=None, /, c=None, *, d=None)")]
    fn posonly_opt_keywords_opt_kwonly_opt(
        _a: &Object,
        _b: Option<&Object>,
        _c: Option<&Object>,
        _d: Option<&Object>,
    ) {
    }

    #[function("($module, a, b=None, /, *, c=None, d=None)")]
    fn posonly_opt_kwonly_opt(_a: &Object, _b: Option<&Object>, _c: Option<&Object>, _d: Option<&Object>) {}

    #[function("($module, a, /, b, *args)")]
    fn posonly_poskw_varpos(_a: &Object, _b: &Object, _args: &[&Object]) {}

    #[function("($module, a, b=False, /, *args)")]
    fn posonly_req_opt_varpos(_a: &Object, _b: bool, _args: &[&Object]) {}

    #[function("($module, a, b, /, *args)")]
    fn posonly_varpos(_a: &Object, _b: &Object, args: &[&Object]) -> usize {
        args.len()
    }

    #[function("($module, /, a, *args)")]
    fn poskw_varpos(_a: &Object, _args: &[&Object]) {}

    #[function("($module, /, a, *args, b=False)")]
    fn poskw_varpos_kwonly_opt(_a: &Object, _args: &[&Object], _b: bool) {}

    #[function("($module, /, *args)")]
    fn varpos(_args: &[&Object]) {}

    #[function("($module, /, *args, b=False)")]
    fn varpos_kwonly_opt(_args: &[&Object], _b: bool) {}

    #[function("($module, /, *args, a, b=False, c=False)")]
    fn varpos_kwonly_req_opt(_args: &[&Object], _a: &Object, _b: bool, _c: bool) {}

    /// What was passed how.
    #[function("($module, a, b=-7, /, *args, c='x', **kwargs)")]
    fn spread(a: i64, b: i64, args: &[&Object], c: &str, kwargs: KwArgs<'_>, vm: &Vm) -> PyResult<Ref<Str>> {
        let names: Vec<_> = kwargs.iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
        Ok(vm.new_str(&format!("{a} {b} {} {c} {}", args.len(), names.join("+"))))
    }

    #[function("($module, text, /)")]
    fn sole(text: &str) -> usize {
        text.len()
    }

    #[function("($module, text, other=None, /, third=None)")]
    fn told(_text: &Str, _other: OrNone<&Str>, _third: OrNone<&Str>) {}

    #[function("($module, text, /)", name = "type")]
    fn renamed(_text: &Object) {}

    #[function("($module, /)")]
    fn r#match(vm: &Vm) -> Ref<Str> {
        vm.new_str("match")
    }

    #[constant("answer")]
    fn answer() -> i64 {
        42
    }
}

/// Two slots.
#[repr(C)]
#[derive(Traverse)]
pub struct Pair {
    ob: Object,
    first: Slot<Object>,
    second: Slot<Object>,
    #[traverse(skip)]
    hash: Cell<isize>,
}

/// A pair of objects.
#[pytype(name = "_testclinic.Pair", flags(BASETYPE), gc, members(first: OBJECT = first, readonly), methods(MORE))]
impl Pair {
    #[new("(first, second=None, /)")]
    fn new(cls: &Type, first: &Object, second: Option<&Object>, vm: &Vm) -> PyResult<ObjRef> {
        vm.new_instance(
            cls,
            Pair {
                ob: Object::new(Self::type_object()),
                first: Slot::new(Some(first.to_ref())),
                second: Slot::new(second.map(Object::to_ref)),
                hash: Cell::new(-1),
            },
        )
    }

    #[getter]
    fn second(&self) -> Option<ObjRef> {
        self.second.get()
    }

    #[setter]
    fn set_second(&self, value: Option<&Object>) -> PyResult<()> {
        self.second.set(value.map(Object::to_ref));
        Ok(())
    }

    #[slot]
    fn tp_hash(&self) -> PyResult<isize> {
        Ok(self.hash.get())
    }

    #[slot]
    fn mp_length(&self) -> PyResult<usize> {
        Ok(2)
    }
}

#[pymethods(table = MORE)]
impl Pair {
    /// Exchange the two.
    #[method("($self, /)")]
    fn swap(&self) {
        let first = self.first.get();
        self.first.set(self.second.get());
        self.second.set(first);
    }

    #[classmethod("($type, /)")]
    fn name_of(cls: &Type) -> String {
        cls.name().to_owned()
    }

    #[staticmethod("(x, /)")]
    fn same(x: &Object) -> ObjRef {
        x.to_ref()
    }
}

/// No parameter.
#[repr(C)]
#[derive(Traverse)]
pub struct Plain {
    ob: Object,
    inits: Cell<u32>,
}

#[pytype(name = "_testclinic.Plain", flags(BASETYPE), members(inits: UINT = inits, readonly))]
impl Plain {
    #[new("()")]
    fn new(cls: &Type, vm: &Vm) -> PyResult<ObjRef> {
        vm.new_instance(cls, Plain { ob: Object::new(Self::type_object()), inits: Cell::new(0) })
    }

    #[slot]
    fn tp_init(&self, _args: &Tuple, _kwargs: Option<&Dict>) -> PyResult<()> {
        self.inits.set(self.inits.get() + 1);
        Ok(())
    }
}

/// Takes its `__init__` from `Plain`.
#[repr(C)]
#[derive(Traverse)]
pub struct Derived {
    base: Plain,
}

#[pytype(name = "_testclinic.Derived", base = Plain)]
impl Derived {
    #[new("(x, /)")]
    fn new(cls: &Type, _x: &Object, vm: &Vm) -> PyResult<ObjRef> {
        let base = Plain { ob: Object::new(Self::type_object()), inits: Cell::new(0) };
        vm.new_instance(cls, Derived { base })
    }
}

fn text(result: PyResult, vm: &Vm) -> String {
    match result {
        Ok(value) if value.is(vm.none_ref()) => "=".to_owned(),
        Ok(value) => value.str(vm).map(|s| s.to_string_lossy().into_owned()).unwrap_or_default(),
        Err(Raised) => {
            let raised = vm.take_exception().expect("an exception waits");
            raised.as_object().str(vm).map(|s| s.to_string_lossy().into_owned()).unwrap_or_default()
        }
    }
}

/// Calls with `count` integers from 1 and a 1 for each keyword.
fn call(function: &Object, count: usize, keywords: &[&str], vm: &Vm) -> String {
    let values: Vec<ObjRef> = (0..count + keywords.len()).map(|i| vm.new_int(i as i64 + 1)).collect();
    let values: Vec<&Object> = values.iter().map(|v| &**v).collect();
    call_with(function, &values, keywords, vm)
}

fn call_with(function: &Object, values: &[&Object], keywords: &[&str], vm: &Vm) -> String {
    let names: Vec<ObjRef> = keywords.iter().map(|name| vm.intern(name).into_object()).collect();
    let names = (!names.is_empty()).then(|| vm.new_tuple(names));
    text(function.call_kw(values, names.as_deref(), vm), vm)
}

#[test]
fn declarations() {
    let run = || {
        let parts = Parts { modules: vec![&TestClinic::DEF], library: None };
        let vm = start::start(Config::default(), parts).expect("the interpreter starts");
        let module = taipan_vm::import::import_module("_testclinic", vm).expect("the module is imported");
        let get = |name: &str| module.get_attr(&vm.intern(name), vm).expect(name);
        clinic(&get, vm);
        functions(&get, vm);
        types(&get, vm);
    };
    // Start-up of an unoptimised build wants more than a test thread's stack.
    let thread = std::thread::Builder::new().stack_size(64 << 20).spawn(run).expect("a thread starts");
    thread.join().expect("no assertion failed");
}

fn clinic(get: &dyn Fn(&str) -> ObjRef, vm: &Vm) {
    let mut wrong = Vec::new();
    for line in include_str!("clinic.txt").lines() {
        let parts: Vec<&str> = line.splitn(4, ' ').collect();
        let [name, count, keywords, expected] = parts[..] else { panic!("malformed: {line}") };
        let keywords: Vec<&str> = keywords.split(',').filter(|name| *name != "-").collect();
        let given = call(&get(name), count.parse().expect(line), &keywords, vm);
        // `posonly_varpos` gives a number here.
        let same = given == expected || expected == "=" && given.parse::<usize>().is_ok();
        if !same {
            wrong.push(format!("{line}\n    here: {given}"));
        }
    }
    assert!(wrong.is_empty(), "{} calls differ:\n{}", wrong.len(), wrong.join("\n"));
}

fn functions(get: &dyn Fn(&str) -> ObjRef, vm: &Vm) {
    assert_eq!(call(&get("spread"), 1, &[], vm), "1 -7 0 x ");
    assert_eq!(call(&get("spread"), 4, &[], vm), "1 2 2 x ");
    assert_eq!(call(&get("spread"), 2, &["q", "r"], vm), "1 2 0 x q+r");
    let (one, word) = (vm.new_int(1), vm.new_str("w"));
    assert_eq!(
        call_with(&get("spread"), &[&one, word.as_object(), &one, &one], &["q", "c", "a"], vm),
        "spread() argument 'c' must be str, not int"
    );
    assert_eq!(
        call_with(&get("spread"), &[&one, &one, word.as_object(), &one], &["q", "a"], vm),
        "1 1 0 x q+a"
    );
    assert_eq!(
        call_with(&get("spread"), &[&one, &one, word.as_object(), &one], &["c", "a"], vm),
        "1 1 0 w a"
    );
    assert_eq!(call(&get("sole"), 1, &[], vm), "sole() argument must be str, not int");
    assert_eq!(call(&get("sole"), 0, &[], vm), "_testclinic.sole() takes exactly one argument (0 given)");
    assert_eq!(call(&get("told"), 1, &[], vm), "told() argument 1 must be str, not int");
    assert_eq!(
        call_with(&get("told"), &[word.as_object(), &one], &[], vm),
        "told() argument 2 must be str or None, not int"
    );
    assert_eq!(
        call_with(&get("told"), &[word.as_object(), vm.none_ref(), &one], &[], vm),
        "told() argument 'third' must be str or None, not int"
    );
    // As CPython says of `divmod`.
    assert_eq!(call(&get("two"), 1, &[], vm), "two expected 2 arguments, got 1");
    assert_eq!(call(&get("match"), 0, &[], vm), "match");
    assert_eq!(call(&get("type"), 1, &[], vm), "=");
    assert_eq!(text(Ok(get("answer")), vm), "42");
}

fn types(get: &dyn Fn(&str) -> ObjRef, vm: &Vm) {
    let attr = |object: &Object, name: &str| object.get_attr(&vm.intern(name), vm).expect(name);
    let (pair, plain, derived) = (get("Pair"), get("Plain"), get("Derived"));
    assert_eq!(call(&pair, 0, &[], vm), "Pair expected at least 1 argument, got 0");
    assert_eq!(call(&pair, 3, &[], vm), "Pair expected at most 2 arguments, got 3");
    assert_eq!(call(&pair, 1, &["x"], vm), "Pair() takes no keyword arguments");
    assert_eq!(text(Ok(attr(&pair, "__doc__")), vm), "A pair of objects.");
    assert_eq!(text(Ok(attr(&pair, "__text_signature__")), vm), "(first, second=None, /)");
    assert_eq!(call(&attr(&pair, "name_of"), 0, &[], vm), "Pair");
    assert_eq!(call(&attr(&pair, "same"), 1, &[], vm), "1");
    let (one, two) = (vm.new_int(1), vm.new_int(2));
    let made = pair.call(&[&one, &two], vm).expect("a pair");
    assert_eq!(made.hash(vm).ok(), Some(-2));
    assert_eq!(made.length(vm).ok(), Some(2));
    let swap = attr(&made, "swap");
    assert_eq!(text(Ok(attr(&swap, "__doc__")), vm), "Exchange the two.");
    assert_eq!(call(&swap, 1, &[], vm), "Pair.swap() takes no arguments (1 given)");
    assert_eq!(call(&swap, 0, &[], vm), "=");
    assert_eq!(text(Ok(attr(&made, "first")), vm), "2");
    made.set_attr(&vm.intern("second"), &two, vm).expect("second is set");
    assert_eq!(text(Ok(attr(&made, "second")), vm), "2");
    assert!(made.ob_type().is_gc());
    drop(made);

    // A subclass with an `__init__` of its own may take what the constructor refuses.
    let subclass = |base: &Object, name: &str, member: &str, value: &Object| {
        let body = vm.new_dict();
        body.set_item(vm.intern(member).as_object(), value, vm).expect("a body");
        let bases = vm.new_tuple([base.to_ref()]);
        base.ob_type()
            .as_object()
            .call(&[vm.new_str(name).as_object(), bases.as_object(), body.as_object()], vm)
            .expect("a class")
    };
    let open = subclass(&pair, "Open", "__init__", &get("spread"));
    assert!(!call(&open, 1, &["x"], vm).contains("takes no keyword arguments"));
    let closed = subclass(&pair, "Closed", "x", &one);
    assert_eq!(call(&closed, 1, &["x"], vm), "Pair() takes no keyword arguments");

    // `Plain` has its own `__init__`, so it is called the long way, and `Derived` inherits that.
    assert_eq!(call(&plain, 1, &[], vm), "Plain() takes no positional arguments");
    assert_eq!(call(&plain, 0, &["x"], vm), "Plain() takes no keyword arguments");
    let made = plain.call(&[], vm).expect("a plain");
    assert_eq!(text(Ok(attr(&made, "inits")), vm), "1");
    let made = derived.call(&[&one], vm).expect("a derived");
    assert_eq!(text(Ok(attr(&made, "inits")), vm), "1");
}
