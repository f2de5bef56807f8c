//! `Interpreter`: everything that one interpreter owns and its threads share.

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use taipan_object::gc::GcState;
use taipan_object::{Object, Slot};

use crate::Vm;
use crate::builtins::str::interned::InternTable;
use crate::builtins::type_::state::TypeState;
use crate::import::ImportState;
use crate::prelude::Dict;
use crate::runtime::config::Config;
use crate::runtime::gil::Gil;
use crate::runtime::ids::Ids;

/// A `TypeId` is a hash already: the last word of it that is fed serves as it is.
#[derive(Default)]
struct TypeIdHasher(u64);

impl Hasher for TypeIdHasher {
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    #[inline]
    fn write_u64(&mut self, word: u64) {
        self.0 = word;
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

/// What programs in an interpreter may do (`PyInterpreterConfig`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Features {
    pub use_main_obmalloc: bool,
    pub allow_fork: bool,
    pub allow_exec: bool,
    pub allow_threads: bool,
    pub allow_daemon_threads: bool,
    pub check_multi_interp_extensions: bool,
    pub own_gil: bool,
}

impl Features {
    /// The main interpreter's.
    pub const MAIN: Features = Features {
        use_main_obmalloc: true,
        allow_fork: true,
        allow_exec: true,
        allow_threads: true,
        allow_daemon_threads: true,
        check_multi_interp_extensions: false,
        own_gil: true,
    };
}

/// One interpreter. It stays where it was made until it ends.
pub struct Interpreter {
    /// The cycle collector's generations.
    pub gc: GcState,
    /// Type versions and the method cache.
    pub types: TypeState,
    /// Interned strings.
    pub interned: InternTable,
    /// Identifiers known at build time.
    pub ids: Cell<*const Ids>,
    /// Command line and environment.
    pub config: RefCell<Config>,
    /// `sys.__dict__`.
    pub sys_dict: Slot<Dict>,
    /// `builtins.__dict__`.
    pub builtins_dict: Slot<Dict>,
    /// Modules and importers.
    pub import: ImportState,
    /// The key of string hashes (PEP 456).
    pub hash_key: Cell<taipan_numeric::siphash::HashKey>,
    /// Builtins that instructions mean by themselves.
    pub originals: crate::interpreter::Originals,
    /// Set while the interpreter ends.
    pub finalizing: Cell<bool>,
    /// The thread that started the interpreter.
    pub main_thread: Cell<*const crate::Vm>,
    states: RefCell<HashMap<TypeId, Box<dyn Any>, BuildHasherDefault<TypeIdHasher>>>,
    /// `sys.int_max_str_digits`.
    pub int_max_str_digits: Cell<i32>,
    /// The lock that Python code runs under: its own, or the main interpreter's.
    pub gil: Arc<Gil>,
    /// Its number; the main interpreter's is 0.
    pub id: i64,
    /// What programs in it may do.
    pub features: Features,
    /// What other crates plug in.
    pub hooks: crate::runtime::hooks::Hooks,
    /// What is watched: `sys.monitoring`, tracing and profiling functions.
    pub monitoring: crate::interpreter::instrument::Monitoring,
    /// Whether audit events have listeners.
    pub has_audit_hooks: Cell<bool>,
    /// Where `_asyncio` keeps the address of its newest task; null until it is loaded.
    pub async_tasks: Cell<*const Cell<*const Object>>,
    /// Objects that live as long as the interpreter.
    pub kept: RefCell<Vec<taipan_object::ObjRef>>,
}

impl Interpreter {
    /// An interpreter without types and modules; `runtime::make` fills it.
    pub fn new(config: Config, id: i64, features: Features, gil: Arc<Gil>) -> Box<Interpreter> {
        let interp = Box::new(Interpreter {
            gc: GcState::new(),
            types: TypeState::new(),
            interned: InternTable::new(),
            ids: Cell::new(std::ptr::null()),
            config: RefCell::new(config),
            sys_dict: Slot::empty(),
            builtins_dict: Slot::empty(),
            import: ImportState::new(),
            hash_key: Cell::new(taipan_numeric::siphash::HashKey::default()),
            originals: crate::interpreter::Originals::new(),
            finalizing: Cell::new(false),
            main_thread: Cell::new(std::ptr::null()),
            states: RefCell::default(),
            int_max_str_digits: Cell::new(4300),
            gil,
            id,
            features,
            hooks: crate::runtime::hooks::Hooks::default(),
            monitoring: Default::default(),
            has_audit_hooks: Cell::new(false),
            async_tasks: Cell::new(std::ptr::null()),
            kept: RefCell::default(),
        });
        interp.gc.init();
        interp
    }

    /// The interpreter's state of one native module, made on first use.
    pub fn state<T: Default + 'static>(&self) -> &T {
        let known = self.states.borrow().get(&TypeId::of::<T>()).map(|state| &raw const **state);
        let state: *const dyn Any = match known {
            Some(state) => state,
            None => self.make_state(TypeId::of::<T>(), || Box::new(T::default())),
        };
        // SAFETY: the box is never removed or replaced while the interpreter lives, and it holds a `T`.
        unsafe { &*state.cast::<T>() }
    }

    #[cold]
    fn make_state(&self, id: TypeId, make: impl FnOnce() -> Box<dyn Any>) -> *const dyn Any {
        let mut states = self.states.borrow_mut();
        &raw const **states.entry(id).or_insert_with(make)
    }

    /// Drops all that the interpreter holds, at its end. `vm` is its last thread.
    pub fn clear(&self, vm: &Vm) {
        for slot in [&self.sys_dict, &self.builtins_dict] {
            drop(slot.take());
        }
        self.import.clear();
        self.originals.clear();
        self.monitoring.clear();
        // What is destroyed may ask for a state again.
        while !self.states.borrow().is_empty() {
            let states = self.states.take();
            drop(states);
        }
        let kept = self.kept.take();
        drop(kept);
        self.types.clear_cache();
        crate::runtime::gc::collect(
            vm,
            crate::runtime::gc::GENERATIONS - 1,
            crate::runtime::gc::Reason::Shutdown,
        );
    }

    /// Keeps an object alive as long as the interpreter.
    pub fn keep<T: taipan_object::PyLayout>(&self, object: taipan_object::Ref<T>) -> &Object {
        let object = object.into_object();
        let ptr = object.as_raw();
        self.kept.borrow_mut().push(object);
        // SAFETY: the list owns the reference until the interpreter ends.
        unsafe { &*ptr }
    }
}
