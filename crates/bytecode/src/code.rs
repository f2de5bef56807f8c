//! The code object and its constants as plain data.

use std::rc::Rc;

/// Bits of `co_flags`.
pub mod flags {
    /// Locals are fast: a function body.
    pub const OPTIMIZED: u32 = 0x1;
    /// Each call gets a namespace of its own.
    pub const NEWLOCALS: u32 = 0x2;
    /// `*args` is there.
    pub const VARARGS: u32 = 0x4;
    /// `**kwargs` is there.
    pub const VARKEYWORDS: u32 = 0x8;
    /// Defined inside a function.
    pub const NESTED: u32 = 0x10;
    /// A generator.
    pub const GENERATOR: u32 = 0x20;
    /// A coroutine.
    pub const COROUTINE: u32 = 0x80;
    /// A generator that `types.coroutine` made awaitable.
    pub const ITERABLE_COROUTINE: u32 = 0x100;
    /// An asynchronous generator.
    pub const ASYNC_GENERATOR: u32 = 0x200;
    /// `from __future__ import division`
    pub const FUTURE_DIVISION: u32 = 0x20000;
    /// `from __future__ import absolute_import`
    pub const FUTURE_ABSOLUTE_IMPORT: u32 = 0x40000;
    /// `from __future__ import with_statement`
    pub const FUTURE_WITH_STATEMENT: u32 = 0x80000;
    /// `from __future__ import print_function`
    pub const FUTURE_PRINT_FUNCTION: u32 = 0x100000;
    /// `from __future__ import unicode_literals`
    pub const FUTURE_UNICODE_LITERALS: u32 = 0x200000;
    /// `from __future__ import barry_as_FLUFL`
    pub const FUTURE_BARRY_AS_BDFL: u32 = 0x400000;
    /// `from __future__ import generator_stop`
    pub const FUTURE_GENERATOR_STOP: u32 = 0x800000;
    /// `from __future__ import annotations`
    pub const FUTURE_ANNOTATIONS: u32 = 0x1000000;
    /// The first constant is the docstring.
    pub const HAS_DOCSTRING: u32 = 0x4000000;
    /// A function defined in a class body.
    pub const METHOD: u32 = 0x8000000;
}

/// Kinds of fast variables, one byte of `co_localspluskinds` each.
pub mod local_kind {
    /// A positional parameter.
    pub const ARG_POS: u8 = 0x02;
    /// A parameter that can be given by keyword.
    pub const ARG_KW: u8 = 0x04;
    /// `*args` or `**kwargs`.
    pub const ARG_VAR: u8 = 0x08;
    /// Not visible in `locals()`: a variable of an inlined comprehension.
    pub const HIDDEN: u8 = 0x10;
    /// A local.
    pub const LOCAL: u8 = 0x20;
    /// A cell: a local that inner functions see.
    pub const CELL: u8 = 0x40;
    /// Comes from the closure.
    pub const FREE: u8 = 0x80;
}

/// A Python string: UTF-8 in which a lone surrogate may stand as three bytes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Str {
    /// The encoded characters.
    pub value: Rc<[u8]>,
    /// Whether marshal wrote it as interned.
    pub interned: bool,
}

/// A constant. Equality is that of the compiler: type, sign of zeros and order of tuples count, that of sets doesn't.
#[derive(Clone, Debug)]
pub enum Const {
    /// `None`
    None,
    /// `True`
    True,
    /// `False`
    False,
    /// `...`
    Ellipsis,
    /// `StopIteration`, which only marshal knows.
    StopIteration,
    /// An int that fits into 64 bits; a larger one is `BigInt`.
    Int(i64),
    /// Sign and magnitude in 30-bit digits, least significant first, without leading zeros.
    BigInt {
        /// Below zero.
        negative: bool,
        /// The digits.
        digits: Rc<[u32]>,
    },
    /// A float.
    Float(f64),
    /// Real and imaginary part.
    Complex(f64, f64),
    /// A str.
    Str(Str),
    /// A bytes object.
    Bytes(Rc<[u8]>),
    /// A tuple.
    Tuple(Rc<[Const]>),
    /// A list (in marshal data only).
    List(Rc<[Const]>),
    /// A set (in marshal data only).
    Set(Rc<[Const]>),
    /// A frozenset, each element once, in the order in which they are added.
    FrozenSet(Rc<[Const]>),
    /// A dict (in marshal data only).
    Dict(Rc<[(Const, Const)]>),
    /// A slice: start, stop, step.
    Slice(Rc<[Const; 3]>),
    /// A code object.
    Code(Rc<CodeObject>),
}

impl Const {
    /// A str constant.
    pub fn str(text: &str) -> Const {
        Const::Str(Str { value: text.as_bytes().into(), interned: false })
    }
}

impl PartialEq for Const {
    fn eq(&self, other: &Const) -> bool {
        use Const::*;
        match (self, other) {
            (None, None)
            | (True, True)
            | (False, False)
            | (Ellipsis, Ellipsis)
            | (StopIteration, StopIteration) => true,
            (Int(a), Int(b)) => a == b,
            (BigInt { negative: n, digits: a }, BigInt { negative: m, digits: b }) => n == m && a == b,
            (Float(a), Float(b)) => a.to_bits() == b.to_bits(),
            (Complex(a, b), Complex(c, d)) => a.to_bits() == c.to_bits() && b.to_bits() == d.to_bits(),
            (Str(a), Str(b)) => a.value == b.value,
            (Bytes(a), Bytes(b)) => a == b,
            (Tuple(a), Tuple(b)) | (List(a), List(b)) => a == b,
            (Set(a), Set(b)) | (FrozenSet(a), FrozenSet(b)) => {
                let all: crate::hash::FastSet<&Const> = a.iter().collect();
                a.len() == b.len() && b.iter().all(|item| all.contains(item))
            }
            (Dict(a), Dict(b)) => a == b,
            (Slice(a), Slice(b)) => a == b,
            (Code(a), Code(b)) => Rc::ptr_eq(a, b) || a == b,
            _ => false,
        }
    }
}

impl Eq for Const {}

impl std::hash::Hash for Const {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Const::Int(value) => value.hash(state),
            Const::BigInt { negative, digits } => (negative, digits).hash(state),
            Const::Float(value) => value.to_bits().hash(state),
            Const::Complex(real, imag) => (real.to_bits(), imag.to_bits()).hash(state),
            Const::Str(text) => text.value.hash(state),
            Const::Bytes(bytes) => bytes.hash(state),
            Const::Tuple(items) | Const::List(items) => items.hash(state),
            // In any order.
            Const::Set(items) | Const::FrozenSet(items) => items.len().hash(state),
            Const::Dict(items) => items.hash(state),
            Const::Slice(parts) => parts.hash(state),
            Const::Code(code) => (&code.name, code.firstlineno).hash(state),
            _ => {}
        }
    }
}

/// A name in a code object.
pub type Name = Rc<str>;

/// A code object: the fields of `types.CodeType`, with fast variables in one list as in its constructor in C.
#[derive(Clone, Debug, PartialEq)]
pub struct CodeObject {
    /// Positional parameters, positional-only ones included.
    pub argcount: u32,
    /// Positional-only parameters.
    pub posonlyargcount: u32,
    /// Keyword-only parameters.
    pub kwonlyargcount: u32,
    /// How deep the evaluation stack gets.
    pub stacksize: u32,
    /// Bits of [`flags`].
    pub flags: u32,
    /// Code units: opcode and argument byte in turn, caches zero.
    pub code: Box<[u8]>,
    /// `co_consts`
    pub consts: Vec<Const>,
    /// `co_names`
    pub names: Vec<Name>,
    /// Names of all fast variables: locals, cells, free variables.
    pub localsplusnames: Vec<Name>,
    /// Whether the tuple of these names is not shared with other code: annotation scopes have renamed their parameter in it.
    pub owns_names: bool,
    /// Their kinds ([`local_kind`]).
    pub localspluskinds: Box<[u8]>,
    /// `co_filename`, where undecodable bytes are surrogates as in [`Str`].
    pub filename: Rc<[u8]>,
    /// `co_name`
    pub name: Name,
    /// `co_qualname`
    pub qualname: Name,
    /// `co_firstlineno`
    pub firstlineno: i32,
    /// `co_linetable`, see [`crate::line_table`].
    pub linetable: Box<[u8]>,
    /// `co_exceptiontable`, see [`crate::exception_table`].
    pub exceptiontable: Box<[u8]>,
}

impl CodeObject {
    fn of_kind(&self, kind: u8) -> impl Iterator<Item = &Name> {
        self.localsplusnames
            .iter()
            .zip(&*self.localspluskinds)
            .filter(move |(_, k)| **k & kind != 0)
            .map(|p| p.0)
    }

    /// `co_varnames`
    pub fn varnames(&self) -> impl Iterator<Item = &Name> {
        self.of_kind(local_kind::LOCAL)
    }

    /// `co_cellvars`
    pub fn cellvars(&self) -> impl Iterator<Item = &Name> {
        self.of_kind(local_kind::CELL)
    }

    /// `co_freevars`
    pub fn freevars(&self) -> impl Iterator<Item = &Name> {
        self.of_kind(local_kind::FREE)
    }
}
