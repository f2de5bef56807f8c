//! All opcodes of Python 3.14 in one table, from which everything that speaks of opcodes is derived.
//!
//! A row says: number, Rust name, Python name, for specialised and instrumented forms the opcode they are a form
//! `of`, the number of inline cache units that follow, the stack effect as function of the argument (popped => pushed),
//! flags, meaning. Jumps have the effect of falling through. Pseudo opcodes exist in the compiler only.

/// What an instruction does or needs, as bits; see [`Opcode::flags`].
#[allow(missing_docs, reason = "each bit is a column of the opcode table with a speaking name")]
pub mod flag {
    pub const ARG: u16 = 1;
    pub const CONST: u16 = 2;
    pub const NAME: u16 = 4;
    pub const JUMP: u16 = 8;
    pub const FREE: u16 = 16;
    pub const LOCAL: u16 = 32;
    pub const EVAL_BREAK: u16 = 64;
    pub const DEOPT: u16 = 128;
    pub const ERROR: u16 = 256;
    pub const ESCAPES: u16 = 512;
    pub const EXIT: u16 = 1024;
    pub const PURE: u16 = 2048;
    pub const PASSTHROUGH: u16 = 4096;
    pub const OPARG_AND_1: u16 = 8192;
    pub const ERROR_NO_POP: u16 = 16384;
    pub const NO_SAVE_IP: u16 = 32768;
}

macro_rules! base_or_self {
    ($name:ident) => {
        Opcode::$name
    };
    ($name:ident $base:ident) => {
        Opcode::$base
    };
}

macro_rules! opcodes {
    (
        real { $($num:literal $name:ident $py:ident $(of $base:ident)? caches $caches:literal, |$n:ident| $pop:expr => $push:expr, [$($flag:ident)*], $doc:literal;)* }
        pseudo { $($pnum:literal $pname:ident $ppy:ident, |$pn:ident| $ppop:expr => $ppush:expr, [$($pflag:ident)*], $pdoc:literal;)* }
    ) => {
        /// An opcode that can stand in a code object.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        pub enum Opcode { $(#[doc = $doc] $name = $num,)* }

        /// An opcode of the compiler's intermediate code: those of [`Opcode`] with the same numbers, and pseudo ones.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u16)]
        pub enum AnyOpcode { $(#[doc = $doc] $name = $num,)* $(#[doc = $pdoc] $pname = $pnum,)* }

        impl Opcode {
            /// Every opcode in the order of its number.
            pub const ALL: &[Opcode] = &[$(Opcode::$name),*];

            /// The opcode with this number, if there is one.
            #[inline]
            pub const fn from_u8(number: u8) -> Option<Opcode> {
                match number { $($num => Some(Opcode::$name),)* _ => None }
            }

            /// The name that `dis` shows.
            pub const fn name(self) -> &'static str {
                match self { $(Opcode::$name => stringify!($py),)* }
            }

            /// One sentence on what it does.
            pub const fn meaning(self) -> &'static str {
                match self { $(Opcode::$name => $doc,)* }
            }

            /// The number of 16-bit cache units behind the instruction.
            #[inline]
            pub const fn caches(self) -> usize {
                CACHES[self as usize] as usize
            }

            /// The opcode that this one is a specialised or instrumented form of, or itself.
            #[inline]
            pub const fn base(self) -> Opcode {
                match self { $(Opcode::$name => base_or_self!($name $($base)?),)* }
            }

            /// The bits of [`flag`].
            #[inline]
            pub const fn flags(self) -> u16 {
                match self { $(Opcode::$name => 0 $(| flag::$flag)*,)* }
            }

            /// How many values it takes off the stack.
            pub const fn popped(self, oparg: u32) -> u32 {
                match self { $(Opcode::$name => { let $n = oparg; let _ = $n; $pop })* }
            }

            /// How many values it puts on the stack (without a jump).
            pub const fn pushed(self, oparg: u32) -> u32 {
                match self { $(Opcode::$name => { let $n = oparg; let _ = $n; $push })* }
            }
        }

        impl AnyOpcode {
            /// The name that `dis` shows.
            pub const fn name(self) -> &'static str {
                match self { $(AnyOpcode::$name => stringify!($py),)* $(AnyOpcode::$pname => stringify!($ppy),)* }
            }

            /// The opcode with this number, if there is one.
            pub const fn from_number(number: u16) -> Option<AnyOpcode> {
                match number {
                    $($num => Some(AnyOpcode::$name),)*
                    $($pnum => Some(AnyOpcode::$pname),)*
                    _ => None,
                }
            }

            /// The opcode with this name.
            pub fn from_name(name: &str) -> Option<AnyOpcode> {
                match name {
                    $(stringify!($py) => Some(AnyOpcode::$name),)*
                    $(stringify!($ppy) => Some(AnyOpcode::$pname),)*
                    _ => None,
                }
            }

            /// The bits of [`flag`].
            #[inline]
            pub const fn flags(self) -> u16 {
                match self { $(AnyOpcode::$name => 0 $(| flag::$flag)*,)* $(AnyOpcode::$pname => 0 $(| flag::$pflag)*,)* }
            }

            /// The opcode as it can stand in a code object; none for a pseudo opcode.
            #[inline]
            pub const fn real(self) -> Option<Opcode> {
                match self { $(AnyOpcode::$name => Some(Opcode::$name),)* $(AnyOpcode::$pname => None,)* }
            }

            /// How many values it takes off the stack.
            pub const fn popped(self, oparg: u32) -> u32 {
                match self {
                    $(AnyOpcode::$name => { let $n = oparg; let _ = $n; $pop })*
                    $(AnyOpcode::$pname => { let $pn = oparg; let _ = $pn; $ppop })*
                }
            }

            /// How many values it puts on the stack (for block set-ups: at the handler).
            pub const fn pushed(self, oparg: u32) -> u32 {
                match self {
                    $(AnyOpcode::$name => { let $n = oparg; let _ = $n; $push })*
                    $(AnyOpcode::$pname => { let $pn = oparg; let _ = $pn; $ppush })*
                }
            }
        }

        impl From<Opcode> for AnyOpcode {
            fn from(opcode: Opcode) -> AnyOpcode {
                match opcode { $(Opcode::$name => AnyOpcode::$name,)* }
            }
        }

        /// The numbers of the opcodes by their Python names, for matching on raw code units.
        #[allow(missing_docs, reason = "see the variants of Opcode")]
        pub mod op {
            $(pub const $py: u8 = $num;)*
        }

        /// The number of cache units for each opcode number (0 where there is no opcode).
        pub static CACHES: [u8; 256] = {
            let mut table = [0; 256];
            $(table[$num] = $caches;)*
            table
        };

        /// The base opcode for each opcode number; numbers without opcode stand for themselves.
        pub static BASE: [u8; 256] = {
            let mut table = [0; 256];
            let mut i = 0;
            while i < 256 {
                table[i] = i as u8;
                i += 1;
            }
            $(table[$num] = base_or_self!($name $($base)?) as u8;)*
            table
        };
    };
}

opcodes! {
real {
      0 Cache CACHE caches 0, |_n| 0 => 0, [], "Room for inline data of the instruction before it; never executed.";
      1 BinarySlice BINARY_SLICE caches 0, |_n| 3 => 1, [ERROR ESCAPES], "Replace container, start, stop by `container[start:stop]`.";
      2 BuildTemplate BUILD_TEMPLATE caches 0, |_n| 2 => 1, [ERROR ESCAPES], "Build a `string.templatelib.Template` from a tuple of strings and a tuple of interpolations.";
      3 BinaryOpInplaceAddUnicode BINARY_OP_INPLACE_ADD_UNICODE of BinaryOp caches 5, |_n| 2 => 0, [LOCAL DEOPT EXIT ERROR ESCAPES], "`x = x + y` for exact strings where the next instruction stores to `x`: append in place.";
      4 CallFunctionEx CALL_FUNCTION_EX caches 0, |_n| 4 => 1, [EVAL_BREAK ERROR ERROR_NO_POP ESCAPES], "Call with a tuple (or any iterable) of positional and a dict (or NULL) of keyword arguments.";
      5 CheckEgMatch CHECK_EG_MATCH caches 0, |_n| 2 => 2, [ERROR ESCAPES], "Split an exception group by type (`except*`): push the rest and the match (or None).";
      6 CheckExcMatch CHECK_EXC_MATCH caches 0, |_n| 2 => 2, [ERROR ERROR_NO_POP ESCAPES], "Push whether the exception below matches the type or tuple of types on top.";
      7 CleanupThrow CLEANUP_THROW caches 0, |_n| 3 => 2, [ERROR ERROR_NO_POP ESCAPES], "After `throw()` into a delegating generator: turn `StopIteration` into its value, re-raise others.";
      8 DeleteSubscr DELETE_SUBSCR caches 0, |_n| 2 => 0, [ERROR ESCAPES], "`del container[sub]`.";
      9 EndFor END_FOR caches 0, |_n| 1 => 0, [ESCAPES NO_SAVE_IP], "Pop the value a loop's iterator would have produced.";
     10 EndSend END_SEND caches 0, |_n| 2 => 1, [ESCAPES PURE], "Drop the receiver below the value that a `yield from` or `await` gave.";
     11 ExitInitCheck EXIT_INIT_CHECK caches 0, |_n| 1 => 0, [ERROR ERROR_NO_POP ESCAPES], "Check that `__init__` returned None, after an inlined construction.";
     12 FormatSimple FORMAT_SIMPLE caches 0, |_n| 1 => 1, [ERROR ESCAPES], "`format(value, '')`, or the value itself when it is an exact string.";
     13 FormatWithSpec FORMAT_WITH_SPEC caches 0, |_n| 2 => 1, [ERROR ESCAPES], "`format(value, spec)`.";
     14 GetAiter GET_AITER caches 0, |_n| 1 => 1, [ERROR ESCAPES], "`aiter(x)` with a check that the result has `__anext__`.";
     15 GetAnext GET_ANEXT caches 0, |_n| 1 => 2, [ERROR ERROR_NO_POP ESCAPES], "Push the awaitable of the asynchronous iterator's `__anext__()`.";
     16 GetIter GET_ITER caches 0, |_n| 1 => 1, [ERROR ESCAPES], "`iter(x)`.";
     17 Reserved RESERVED caches 0, |_n| 0 => 0, [], "Not used; keeps a number free.";
     18 GetLen GET_LEN caches 0, |_n| 1 => 2, [ERROR ESCAPES], "Push `len()` of the top, which stays.";
     19 GetYieldFromIter GET_YIELD_FROM_ITER caches 0, |_n| 1 => 1, [ERROR ERROR_NO_POP ESCAPES], "`iter(x)` for `yield from`; generators and, inside coroutines, coroutines stay as they are.";
     20 InterpreterExit INTERPRETER_EXIT caches 0, |_n| 1 => 0, [ESCAPES], "Leave the evaluation loop with the value.";
     21 LoadBuildClass LOAD_BUILD_CLASS caches 0, |_n| 0 => 1, [ERROR ESCAPES], "Push `builtins.__build_class__`.";
     22 LoadLocals LOAD_LOCALS caches 0, |_n| 0 => 1, [ERROR ESCAPES], "Push the mapping of the frame's local names.";
     23 MakeFunction MAKE_FUNCTION caches 0, |_n| 1 => 1, [ERROR ESCAPES], "Make a function from a code object.";
     24 MatchKeys MATCH_KEYS caches 0, |_n| 2 => 3, [ERROR ESCAPES], "Push a tuple of the subject's values for the tuple of keys, or None when one is missing.";
     25 MatchMapping MATCH_MAPPING caches 0, |_n| 1 => 2, [], "Push whether the subject is a mapping for pattern matching.";
     26 MatchSequence MATCH_SEQUENCE caches 0, |_n| 1 => 2, [], "Push whether the subject is a sequence for pattern matching.";
     27 Nop NOP caches 0, |_n| 0 => 0, [PURE], "Nothing; carries a line number.";
     28 NotTaken NOT_TAKEN caches 0, |_n| 0 => 0, [PURE], "Nothing; marks the fall-through side of a branch for monitoring.";
     29 PopExcept POP_EXCEPT caches 0, |_n| 1 => 0, [ESCAPES], "Restore the previously handled exception.";
     30 PopIter POP_ITER caches 0, |_n| 1 => 0, [ESCAPES PURE], "Pop the iterator of a finished loop.";
     31 PopTop POP_TOP caches 0, |_n| 1 => 0, [ESCAPES PURE], "Drop the top.";
     32 PushExcInfo PUSH_EXC_INFO caches 0, |_n| 1 => 2, [], "Make the raised exception the handled one; the previous one goes below it.";
     33 PushNull PUSH_NULL caches 0, |_n| 0 => 1, [PURE], "Push NULL.";
     34 ReturnGenerator RETURN_GENERATOR caches 0, |_n| 0 => 1, [ERROR ESCAPES], "Make the generator, coroutine or asynchronous generator of this frame and return it.";
     35 ReturnValue RETURN_VALUE caches 0, |_n| 1 => 1, [ESCAPES], "Return the top to the caller.";
     36 SetupAnnotations SETUP_ANNOTATIONS caches 0, |_n| 0 => 0, [ERROR ESCAPES], "Make sure that the local names have a dict `__annotations__`.";
     37 StoreSlice STORE_SLICE caches 0, |_n| 4 => 0, [ERROR ESCAPES], "`container[start:stop] = value`.";
     38 StoreSubscr STORE_SUBSCR caches 1, |_n| 3 => 0, [ERROR ESCAPES], "`container[sub] = value`.";
     39 ToBool TO_BOOL caches 3, |_n| 1 => 1, [ERROR ESCAPES], "Replace the top by its truth value.";
     40 UnaryInvert UNARY_INVERT caches 0, |_n| 1 => 1, [ERROR ESCAPES], "`~x`.";
     41 UnaryNegative UNARY_NEGATIVE caches 0, |_n| 1 => 1, [ERROR ESCAPES], "`-x`.";
     42 UnaryNot UNARY_NOT caches 0, |_n| 1 => 1, [PURE], "`not x`, where `x` is an exact bool.";
     43 WithExceptStart WITH_EXCEPT_START caches 0, |_n| 5 => 6, [ERROR ESCAPES], "Call the context manager's exit function with the exception that was raised.";
     44 BinaryOp BINARY_OP caches 5, |_n| 2 => 1, [ARG ERROR ERROR_NO_POP ESCAPES], "Binary, in-place or subscript operation; the argument says which ([`BinaryOp`]).";
     45 BuildInterpolation BUILD_INTERPOLATION caches 0, |n| 2 + (n & 1) => 1, [ARG ERROR ESCAPES], "Build a `string.templatelib.Interpolation`; bit 0: a format spec is on the stack, the rest: conversion.";
     46 BuildList BUILD_LIST caches 0, |n| n => 1, [ARG ERROR ERROR_NO_POP ESCAPES], "Build a list of the top `oparg` values.";
     47 BuildMap BUILD_MAP caches 0, |n| n * 2 => 1, [ARG ERROR ESCAPES], "Build a dict of the top `oparg` pairs.";
     48 BuildSet BUILD_SET caches 0, |n| n => 1, [ARG ERROR ESCAPES], "Build a set of the top `oparg` values.";
     49 BuildSlice BUILD_SLICE caches 0, |n| n => 1, [ARG ERROR], "Build a slice of two or three values.";
     50 BuildString BUILD_STRING caches 0, |n| n => 1, [ARG ERROR], "Join the top `oparg` strings.";
     51 BuildTuple BUILD_TUPLE caches 0, |n| n => 1, [ARG ERROR ERROR_NO_POP], "Build a tuple of the top `oparg` values.";
     52 Call CALL caches 3, |n| 2 + n => 1, [ARG EVAL_BREAK ERROR ERROR_NO_POP ESCAPES], "Call a callable (with self or NULL above it) with `oparg` positional arguments.";
     53 CallIntrinsic1 CALL_INTRINSIC_1 caches 0, |_n| 1 => 1, [ARG ERROR ESCAPES], "Call a one-argument helper ([`Intrinsic1`]).";
     54 CallIntrinsic2 CALL_INTRINSIC_2 caches 0, |_n| 2 => 1, [ARG ERROR ESCAPES], "Call a two-argument helper ([`Intrinsic2`]).";
     55 CallKw CALL_KW caches 3, |n| 3 + n => 1, [ARG ERROR ERROR_NO_POP ESCAPES], "As CALL; the top is the tuple of names of the last arguments.";
     56 CompareOp COMPARE_OP caches 1, |_n| 2 => 1, [ARG ERROR ESCAPES], "Rich comparison; the operator in bits 5-7, bit 4: convert to bool, bits 0-3: mask for specialised forms.";
     57 ContainsOp CONTAINS_OP caches 1, |_n| 2 => 1, [ARG ERROR ESCAPES], "`in`, or `not in` when the argument is 1.";
     58 ConvertValue CONVERT_VALUE caches 0, |_n| 1 => 1, [ARG ERROR ESCAPES], "`str()`, `repr()` or `ascii()` of an f-string's value (1, 2, 3).";
     59 Copy COPY caches 0, |n| n => n + 1, [ARG PURE], "Push a copy of the value at depth `oparg` (1 is the top).";
     60 CopyFreeVars COPY_FREE_VARS caches 0, |_n| 0 => 0, [ARG], "Copy `oparg` cells of the function's closure to the frame.";
     61 DeleteAttr DELETE_ATTR caches 0, |_n| 1 => 0, [ARG NAME ERROR ESCAPES], "`del x.name`.";
     62 DeleteDeref DELETE_DEREF caches 0, |_n| 0 => 0, [ARG FREE ERROR ERROR_NO_POP ESCAPES], "Empty a cell.";
     63 DeleteFast DELETE_FAST caches 0, |_n| 0 => 0, [ARG LOCAL ERROR ESCAPES], "Unbind a fast local.";
     64 DeleteGlobal DELETE_GLOBAL caches 0, |_n| 0 => 0, [ARG NAME ERROR ERROR_NO_POP ESCAPES], "Unbind a global name.";
     65 DeleteName DELETE_NAME caches 0, |_n| 0 => 0, [ARG NAME ERROR ERROR_NO_POP ESCAPES], "Unbind a name in the local mapping.";
     66 DictMerge DICT_MERGE caches 0, |n| n + 4 => n + 3, [ARG ERROR ESCAPES], "Merge a mapping into the dict for a call's keyword arguments; duplicates raise.";
     67 DictUpdate DICT_UPDATE caches 0, |n| n + 1 => n, [ARG ERROR ESCAPES], "Update the dict at depth `oparg` by the top.";
     68 EndAsyncFor END_ASYNC_FOR caches 0, |_n| 2 => 0, [ARG JUMP ERROR ERROR_NO_POP ESCAPES], "End `async for`: swallow `StopAsyncIteration`, re-raise others.";
     69 ExtendedArg EXTENDED_ARG caches 0, |_n| 0 => 0, [ARG], "Eight more significant bits of the next instruction's argument.";
     70 ForIter FOR_ITER caches 1, |_n| 1 => 2, [ARG JUMP ERROR ERROR_NO_POP ESCAPES], "Push the iterator's next value, or jump when it is exhausted.";
     71 GetAwaitable GET_AWAITABLE caches 0, |_n| 1 => 1, [ARG ERROR ESCAPES], "The awaitable iterator of the top; the argument tells `async with` steps for the error message.";
     72 ImportFrom IMPORT_FROM caches 0, |_n| 1 => 2, [ARG NAME ERROR ESCAPES], "Push the attribute (or submodule) of the module on top.";
     73 ImportName IMPORT_NAME caches 0, |_n| 2 => 1, [ARG NAME ERROR ESCAPES], "Import a module: fromlist on top, level below it.";
     74 IsOp IS_OP caches 0, |_n| 2 => 1, [ARG], "`is`, or `is not` when the argument is 1.";
     75 JumpBackward JUMP_BACKWARD caches 1, |_n| 0 => 0, [ARG JUMP EVAL_BREAK ERROR ESCAPES], "Jump back; polls the eval breaker and counts for the JIT.";
     76 JumpBackwardNoInterrupt JUMP_BACKWARD_NO_INTERRUPT caches 0, |_n| 0 => 0, [ARG JUMP], "Jump back without polling the eval breaker.";
     77 JumpForward JUMP_FORWARD caches 0, |_n| 0 => 0, [ARG JUMP], "Jump forward.";
     78 ListAppend LIST_APPEND caches 0, |n| n + 1 => n, [ARG ERROR], "Append the top to the list at depth `oparg`.";
     79 ListExtend LIST_EXTEND caches 0, |n| n + 1 => n, [ARG ERROR ESCAPES], "Extend the list at depth `oparg` by the top.";
     80 LoadAttr LOAD_ATTR caches 9, |n| 1 => 1 + (n & 1), [ARG NAME ERROR ESCAPES], "Push an attribute; bit 0: load a method and push self or NULL above it.";
     81 LoadCommonConstant LOAD_COMMON_CONSTANT caches 0, |_n| 0 => 1, [ARG], "Push a well-known object ([`CommonConstant`]).";
     82 LoadConst LOAD_CONST caches 0, |_n| 0 => 1, [ARG CONST], "Push a constant.";
     83 LoadDeref LOAD_DEREF caches 0, |_n| 0 => 1, [ARG LOCAL ERROR ESCAPES], "Push a cell's content; unbound raises.";
     84 LoadFast LOAD_FAST caches 0, |_n| 0 => 1, [ARG LOCAL PURE], "Push a fast local that is known to be bound.";
     85 LoadFastAndClear LOAD_FAST_AND_CLEAR caches 0, |_n| 0 => 1, [ARG LOCAL], "Push a fast local or NULL and unbind it (inlined comprehensions).";
     86 LoadFastBorrow LOAD_FAST_BORROW caches 0, |_n| 0 => 1, [ARG LOCAL PURE], "Push a fast local as a borrowed reference that does not outlive it.";
     87 LoadFastBorrowLoadFastBorrow LOAD_FAST_BORROW_LOAD_FAST_BORROW caches 0, |_n| 0 => 2, [ARG LOCAL], "Two LOAD_FAST_BORROW; the locals in bits 4-7 and 0-3.";
     88 LoadFastCheck LOAD_FAST_CHECK caches 0, |_n| 0 => 1, [ARG LOCAL ERROR ESCAPES], "Push a fast local; unbound raises.";
     89 LoadFastLoadFast LOAD_FAST_LOAD_FAST caches 0, |_n| 0 => 2, [ARG LOCAL], "Two LOAD_FAST; the locals in bits 4-7 and 0-3.";
     90 LoadFromDictOrDeref LOAD_FROM_DICT_OR_DEREF caches 0, |_n| 1 => 1, [ARG FREE ERROR ERROR_NO_POP ESCAPES], "Look a name up in the mapping on top, then in the cell.";
     91 LoadFromDictOrGlobals LOAD_FROM_DICT_OR_GLOBALS caches 0, |_n| 1 => 1, [ARG NAME ERROR ERROR_NO_POP ESCAPES], "Look a name up in the mapping on top, then in globals and builtins.";
     92 LoadGlobal LOAD_GLOBAL caches 4, |n| 0 => 1 + (n & 1), [ARG NAME ERROR ESCAPES], "Push a global or built-in; bit 0: push NULL above it.";
     93 LoadName LOAD_NAME caches 0, |_n| 0 => 1, [ARG NAME ERROR ESCAPES], "Push a name from locals, globals or builtins.";
     94 LoadSmallInt LOAD_SMALL_INT caches 0, |_n| 0 => 1, [ARG], "Push the int `oparg` (0 to 255).";
     95 LoadSpecial LOAD_SPECIAL caches 0, |_n| 1 => 2, [ARG ERROR ERROR_NO_POP ESCAPES], "Load a special method ([`SpecialMethod`]) from the type; push it and self (or NULL).";
     96 LoadSuperAttr LOAD_SUPER_ATTR caches 1, |n| 3 => 1 + (n & 1), [ARG NAME ERROR ESCAPES], "`super(cls, self).name`; bit 0: as a method, bit 1: `super` was called with arguments.";
     97 MakeCell MAKE_CELL caches 0, |_n| 0 => 0, [ARG FREE ERROR ERROR_NO_POP ESCAPES], "Put a fast local (or nothing) into a new cell.";
     98 MapAdd MAP_ADD caches 0, |n| n + 2 => n, [ARG ERROR ESCAPES], "Add key and value to the dict at depth `oparg`.";
     99 MatchClass MATCH_CLASS caches 0, |_n| 3 => 1, [ARG ERROR ESCAPES], "Match a class pattern with `oparg` positional patterns: push a tuple of attributes or None.";
    100 PopJumpIfFalse POP_JUMP_IF_FALSE caches 1, |_n| 1 => 0, [ARG JUMP], "Pop an exact bool, jump when False.";
    101 PopJumpIfNone POP_JUMP_IF_NONE caches 1, |_n| 1 => 0, [ARG JUMP], "Pop, jump when None.";
    102 PopJumpIfNotNone POP_JUMP_IF_NOT_NONE caches 1, |_n| 1 => 0, [ARG JUMP], "Pop, jump when not None.";
    103 PopJumpIfTrue POP_JUMP_IF_TRUE caches 1, |_n| 1 => 0, [ARG JUMP], "Pop an exact bool, jump when True.";
    104 RaiseVarargs RAISE_VARARGS caches 0, |n| n => 0, [ARG ERROR ERROR_NO_POP ESCAPES], "`raise`, `raise x`, `raise x from y` by the number of values.";
    105 Reraise RERAISE caches 0, |n| 1 + n => n, [ARG ERROR ERROR_NO_POP ESCAPES], "Raise the top again; with an argument, the instruction offset below is restored for tracebacks.";
    106 Send SEND caches 1, |_n| 2 => 2, [ARG JUMP ERROR ESCAPES], "Send the top to the receiver below; on its end jump with the result.";
    107 SetAdd SET_ADD caches 0, |n| n + 1 => n, [ARG ERROR ESCAPES], "Add the top to the set at depth `oparg`.";
    108 SetFunctionAttribute SET_FUNCTION_ATTRIBUTE caches 0, |_n| 2 => 1, [ARG ERROR ESCAPES], "Set defaults, keyword defaults, annotations, closure or annotate function of the function on top.";
    109 SetUpdate SET_UPDATE caches 0, |n| n + 1 => n, [ARG ERROR ESCAPES], "Update the set at depth `oparg` by the top.";
    110 StoreAttr STORE_ATTR caches 4, |_n| 2 => 0, [ARG NAME ERROR ESCAPES], "`x.name = value`.";
    111 StoreDeref STORE_DEREF caches 0, |_n| 1 => 0, [ARG FREE ESCAPES], "Store to a cell.";
    112 StoreFast STORE_FAST caches 0, |_n| 1 => 0, [ARG LOCAL ESCAPES], "Store to a fast local.";
    113 StoreFastLoadFast STORE_FAST_LOAD_FAST caches 0, |_n| 1 => 1, [ARG LOCAL ESCAPES], "STORE_FAST (bits 4-7), then LOAD_FAST (bits 0-3).";
    114 StoreFastStoreFast STORE_FAST_STORE_FAST caches 0, |_n| 2 => 0, [ARG LOCAL ESCAPES], "Two STORE_FAST; the locals in bits 4-7 and 0-3.";
    115 StoreGlobal STORE_GLOBAL caches 0, |_n| 1 => 0, [ARG NAME ERROR ESCAPES], "Store to a global name.";
    116 StoreName STORE_NAME caches 0, |_n| 1 => 0, [ARG NAME ERROR ESCAPES], "Store to a name of the local mapping.";
    117 Swap SWAP caches 0, |n| n => n, [ARG PURE], "Swap the top with the value at depth `oparg`.";
    118 UnpackEx UNPACK_EX caches 0, |n| 1 => 1 + (n & 0xFF) + (n >> 8), [ARG ERROR ESCAPES], "Unpack with a starred target: count before in bits 0-7, after it in the rest.";
    119 UnpackSequence UNPACK_SEQUENCE caches 1, |n| 1 => n, [ARG ERROR ESCAPES], "Unpack to exactly `oparg` values, the first on top.";
    120 YieldValue YIELD_VALUE caches 0, |_n| 1 => 1, [ARG ESCAPES], "Yield the top; the argument is the depth of the exception block as for RESUME.";
    128 Resume RESUME caches 0, |_n| 0 => 0, [ARG EVAL_BREAK ERROR ERROR_NO_POP ESCAPES], "Start of a function, or after a yield or await: eval breaker and tracing.";
    129 BinaryOpAddFloat BINARY_OP_ADD_FLOAT of BinaryOp caches 5, |_n| 2 => 1, [EXIT ERROR], "`float + float`.";
    130 BinaryOpAddInt BINARY_OP_ADD_INT of BinaryOp caches 5, |_n| 2 => 1, [EXIT ERROR ESCAPES], "`int + int`, exact compact ints.";
    131 BinaryOpAddUnicode BINARY_OP_ADD_UNICODE of BinaryOp caches 5, |_n| 2 => 1, [EXIT ERROR], "`str + str`.";
    132 BinaryOpExtend BINARY_OP_EXTEND of BinaryOp caches 5, |_n| 2 => 1, [DEOPT ERROR ESCAPES], "A pair of types from a table, kept in the cache as descriptor.";
    133 BinaryOpMultiplyFloat BINARY_OP_MULTIPLY_FLOAT of BinaryOp caches 5, |_n| 2 => 1, [EXIT ERROR], "`float * float`.";
    134 BinaryOpMultiplyInt BINARY_OP_MULTIPLY_INT of BinaryOp caches 5, |_n| 2 => 1, [EXIT ERROR ESCAPES], "`int * int`, exact compact ints.";
    135 BinaryOpSubscrDict BINARY_OP_SUBSCR_DICT of BinaryOp caches 5, |_n| 2 => 1, [EXIT ERROR ESCAPES], "`dict[key]`.";
    136 BinaryOpSubscrGetitem BINARY_OP_SUBSCR_GETITEM of BinaryOp caches 5, |_n| 2 => 0, [DEOPT], "`x[y]` where the type's `__getitem__` is a Python function.";
    137 BinaryOpSubscrListInt BINARY_OP_SUBSCR_LIST_INT of BinaryOp caches 5, |_n| 2 => 1, [DEOPT EXIT ESCAPES], "`list[int]`.";
    138 BinaryOpSubscrListSlice BINARY_OP_SUBSCR_LIST_SLICE of BinaryOp caches 5, |_n| 2 => 1, [EXIT ERROR ESCAPES], "`list[slice]`.";
    139 BinaryOpSubscrStrInt BINARY_OP_SUBSCR_STR_INT of BinaryOp caches 5, |_n| 2 => 1, [DEOPT EXIT ESCAPES], "`str[int]` with an ASCII result.";
    140 BinaryOpSubscrTupleInt BINARY_OP_SUBSCR_TUPLE_INT of BinaryOp caches 5, |_n| 2 => 1, [DEOPT EXIT], "`tuple[int]`.";
    141 BinaryOpSubtractFloat BINARY_OP_SUBTRACT_FLOAT of BinaryOp caches 5, |_n| 2 => 1, [EXIT ERROR], "`float - float`.";
    142 BinaryOpSubtractInt BINARY_OP_SUBTRACT_INT of BinaryOp caches 5, |_n| 2 => 1, [EXIT ERROR ESCAPES], "`int - int`, exact compact ints.";
    143 CallAllocAndEnterInit CALL_ALLOC_AND_ENTER_INIT of Call caches 3, |n| 2 + n => 0, [ARG DEOPT ERROR ERROR_NO_POP ESCAPES], "Construct an instance of a plain class whose `__init__` is a Python function, without recursion.";
    144 CallBoundMethodExactArgs CALL_BOUND_METHOD_EXACT_ARGS of Call caches 3, |n| 2 + n => 0, [ARG DEOPT EXIT ESCAPES], "Bound method of a Python function with exactly its positional parameters.";
    145 CallBoundMethodGeneral CALL_BOUND_METHOD_GENERAL of Call caches 3, |n| 2 + n => 0, [ARG DEOPT EXIT ERROR ERROR_NO_POP ESCAPES], "Bound method of a Python function, any parameters.";
    146 CallBuiltinClass CALL_BUILTIN_CLASS of Call caches 3, |n| 2 + n => 1, [ARG EVAL_BREAK DEOPT ERROR ESCAPES], "A built-in class with vectorcall.";
    147 CallBuiltinFast CALL_BUILTIN_FAST of Call caches 3, |n| 2 + n => 1, [ARG EVAL_BREAK DEOPT ERROR ESCAPES], "A METH_FASTCALL function.";
    148 CallBuiltinFastWithKeywords CALL_BUILTIN_FAST_WITH_KEYWORDS of Call caches 3, |n| 2 + n => 1, [ARG EVAL_BREAK DEOPT ERROR ESCAPES], "A METH_FASTCALL with METH_KEYWORDS function.";
    149 CallBuiltinO CALL_BUILTIN_O of Call caches 3, |n| 2 + n => 1, [ARG EVAL_BREAK EXIT ERROR ESCAPES], "A METH_O function.";
    150 CallIsinstance CALL_ISINSTANCE of Call caches 3, |n| 2 + n => 1, [ARG DEOPT ERROR ERROR_NO_POP ESCAPES], "`isinstance(x, y)`.";
    151 CallKwBoundMethod CALL_KW_BOUND_METHOD of CallKw caches 3, |n| 3 + n => 0, [ARG DEOPT EXIT ERROR ESCAPES], "CALL_KW of a bound method of a Python function.";
    152 CallKwNonPy CALL_KW_NON_PY of CallKw caches 3, |n| 3 + n => 1, [ARG EVAL_BREAK EXIT ERROR ESCAPES], "CALL_KW of anything that is no Python function.";
    153 CallKwPy CALL_KW_PY of CallKw caches 3, |n| 3 + n => 0, [ARG DEOPT EXIT ERROR ESCAPES], "CALL_KW of a Python function.";
    154 CallLen CALL_LEN of Call caches 3, |_n| 3 => 1, [DEOPT ERROR ERROR_NO_POP ESCAPES], "`len(x)`.";
    155 CallListAppend CALL_LIST_APPEND of Call caches 3, |_n| 3 => 0, [ARG DEOPT ERROR ESCAPES], "`list.append(x)` whose result is dropped.";
    156 CallMethodDescriptorFast CALL_METHOD_DESCRIPTOR_FAST of Call caches 3, |n| 2 + n => 1, [ARG EVAL_BREAK EXIT ERROR ESCAPES], "A METH_FASTCALL method descriptor.";
    157 CallMethodDescriptorFastWithKeywords CALL_METHOD_DESCRIPTOR_FAST_WITH_KEYWORDS of Call caches 3, |n| 2 + n => 1, [ARG EVAL_BREAK EXIT ERROR ESCAPES], "A METH_FASTCALL with METH_KEYWORDS method descriptor.";
    158 CallMethodDescriptorNoargs CALL_METHOD_DESCRIPTOR_NOARGS of Call caches 3, |n| 2 + n => 1, [ARG EVAL_BREAK EXIT ERROR ESCAPES], "A METH_NOARGS method descriptor.";
    159 CallMethodDescriptorO CALL_METHOD_DESCRIPTOR_O of Call caches 3, |n| 2 + n => 1, [ARG EVAL_BREAK EXIT ERROR ESCAPES], "A METH_O method descriptor.";
    160 CallNonPyGeneral CALL_NON_PY_GENERAL of Call caches 3, |n| 2 + n => 1, [ARG EVAL_BREAK EXIT ERROR ESCAPES], "Any callable that is no Python function.";
    161 CallPyExactArgs CALL_PY_EXACT_ARGS of Call caches 3, |n| 2 + n => 0, [ARG DEOPT EXIT], "A Python function with exactly its positional parameters.";
    162 CallPyGeneral CALL_PY_GENERAL of Call caches 3, |n| 2 + n => 0, [ARG DEOPT EXIT ERROR ERROR_NO_POP ESCAPES], "A Python function, any parameters.";
    163 CallStr1 CALL_STR_1 of Call caches 3, |_n| 3 => 1, [ARG EVAL_BREAK DEOPT ERROR ESCAPES], "`str(x)`.";
    164 CallTuple1 CALL_TUPLE_1 of Call caches 3, |_n| 3 => 1, [ARG EVAL_BREAK DEOPT ERROR ESCAPES], "`tuple(x)`.";
    165 CallType1 CALL_TYPE_1 of Call caches 3, |_n| 3 => 1, [ARG DEOPT ESCAPES], "`type(x)`.";
    166 CompareOpFloat COMPARE_OP_FLOAT of CompareOp caches 1, |_n| 2 => 1, [ARG EXIT], "Comparison of exact floats.";
    167 CompareOpInt COMPARE_OP_INT of CompareOp caches 1, |_n| 2 => 1, [ARG DEOPT EXIT], "Comparison of exact compact ints.";
    168 CompareOpStr COMPARE_OP_STR of CompareOp caches 1, |_n| 2 => 1, [ARG EXIT], "Equality of exact strings.";
    169 ContainsOpDict CONTAINS_OP_DICT of ContainsOp caches 1, |_n| 2 => 1, [ARG EXIT ERROR ESCAPES], "`x in dict`.";
    170 ContainsOpSet CONTAINS_OP_SET of ContainsOp caches 1, |_n| 2 => 1, [ARG DEOPT ERROR ESCAPES], "`x in set` or frozenset.";
    171 ForIterGen FOR_ITER_GEN of ForIter caches 1, |_n| 1 => 1, [ARG DEOPT], "Resume a generator without recursion.";
    172 ForIterList FOR_ITER_LIST of ForIter caches 1, |_n| 1 => 2, [ARG JUMP DEOPT EXIT ESCAPES], "Next item of a list iterator.";
    173 ForIterRange FOR_ITER_RANGE of ForIter caches 1, |_n| 1 => 2, [ARG JUMP EXIT ERROR], "Next int of a range iterator.";
    174 ForIterTuple FOR_ITER_TUPLE of ForIter caches 1, |_n| 1 => 2, [ARG JUMP EXIT ESCAPES], "Next item of a tuple iterator.";
    175 JumpBackwardJit JUMP_BACKWARD_JIT of JumpBackward caches 1, |_n| 0 => 0, [ARG JUMP EVAL_BREAK ERROR ESCAPES], "JUMP_BACKWARD that counts towards compilation.";
    176 JumpBackwardNoJit JUMP_BACKWARD_NO_JIT of JumpBackward caches 1, |_n| 0 => 0, [ARG JUMP EVAL_BREAK ERROR ESCAPES], "JUMP_BACKWARD with compilation off.";
    177 LoadAttrClass LOAD_ATTR_CLASS of LoadAttr caches 9, |n| 1 => 1 + (n & 1), [ARG EXIT], "An attribute of a class.";
    178 LoadAttrClassWithMetaclassCheck LOAD_ATTR_CLASS_WITH_METACLASS_CHECK of LoadAttr caches 9, |n| 1 => 1 + (n & 1), [ARG EXIT], "An attribute of a class whose metaclass is checked.";
    179 LoadAttrGetattributeOverridden LOAD_ATTR_GETATTRIBUTE_OVERRIDDEN of LoadAttr caches 9, |_n| 1 => 1, [ARG NAME DEOPT], "The type's `__getattribute__` is a Python function.";
    180 LoadAttrInstanceValue LOAD_ATTR_INSTANCE_VALUE of LoadAttr caches 9, |n| 1 => 1 + (n & 1), [ARG DEOPT EXIT ESCAPES], "An inline instance value.";
    181 LoadAttrMethodLazyDict LOAD_ATTR_METHOD_LAZY_DICT of LoadAttr caches 9, |_n| 1 => 2, [ARG DEOPT EXIT], "A method; the instance's dict does not exist yet.";
    182 LoadAttrMethodNoDict LOAD_ATTR_METHOD_NO_DICT of LoadAttr caches 9, |_n| 1 => 2, [ARG EXIT], "A method; instances have no dict.";
    183 LoadAttrMethodWithValues LOAD_ATTR_METHOD_WITH_VALUES of LoadAttr caches 9, |_n| 1 => 2, [ARG DEOPT EXIT], "A method; instances have inline values that don't shadow it.";
    184 LoadAttrModule LOAD_ATTR_MODULE of LoadAttr caches 9, |n| 1 => 1 + (n & 1), [ARG DEOPT ESCAPES], "An attribute of a module.";
    185 LoadAttrNondescriptorNoDict LOAD_ATTR_NONDESCRIPTOR_NO_DICT of LoadAttr caches 9, |_n| 1 => 1, [ARG EXIT ESCAPES], "A plain class attribute; instances have no dict.";
    186 LoadAttrNondescriptorWithValues LOAD_ATTR_NONDESCRIPTOR_WITH_VALUES of LoadAttr caches 9, |_n| 1 => 1, [ARG DEOPT EXIT ESCAPES], "A plain class attribute; instances have inline values.";
    187 LoadAttrProperty LOAD_ATTR_PROPERTY of LoadAttr caches 9, |_n| 1 => 0, [ARG DEOPT EXIT], "A property whose getter is a Python function.";
    188 LoadAttrSlot LOAD_ATTR_SLOT of LoadAttr caches 9, |n| 1 => 1 + (n & 1), [ARG DEOPT EXIT], "A slot of `__slots__`.";
    189 LoadAttrWithHint LOAD_ATTR_WITH_HINT of LoadAttr caches 9, |n| 1 => 1 + (n & 1), [ARG NAME DEOPT EXIT ESCAPES], "An attribute in the instance's dict, at a remembered index.";
    190 LoadConstImmortal LOAD_CONST_IMMORTAL of LoadConst caches 0, |_n| 0 => 1, [ARG CONST], "LOAD_CONST of an immortal object.";
    191 LoadConstMortal LOAD_CONST_MORTAL of LoadConst caches 0, |_n| 0 => 1, [ARG CONST], "LOAD_CONST of a mortal object.";
    192 LoadGlobalBuiltin LOAD_GLOBAL_BUILTIN of LoadGlobal caches 4, |n| 0 => 1 + (n & 1), [ARG DEOPT], "LOAD_GLOBAL found in builtins.";
    193 LoadGlobalModule LOAD_GLOBAL_MODULE of LoadGlobal caches 4, |n| 0 => 1 + (n & 1), [ARG DEOPT], "LOAD_GLOBAL found in the module.";
    194 LoadSuperAttrAttr LOAD_SUPER_ATTR_ATTR of LoadSuperAttr caches 1, |_n| 3 => 1, [ARG NAME DEOPT ERROR ESCAPES], "LOAD_SUPER_ATTR of an attribute.";
    195 LoadSuperAttrMethod LOAD_SUPER_ATTR_METHOD of LoadSuperAttr caches 1, |_n| 3 => 2, [ARG NAME DEOPT ERROR ERROR_NO_POP ESCAPES], "LOAD_SUPER_ATTR of a method.";
    196 ResumeCheck RESUME_CHECK of Resume caches 0, |_n| 0 => 0, [DEOPT], "RESUME when the eval breaker is unset and no instrumentation is pending.";
    197 SendGen SEND_GEN of Send caches 1, |_n| 2 => 1, [ARG DEOPT], "SEND to a generator or coroutine without recursion.";
    198 StoreAttrInstanceValue STORE_ATTR_INSTANCE_VALUE of StoreAttr caches 4, |_n| 2 => 0, [EXIT ESCAPES], "Store to an inline instance value.";
    199 StoreAttrSlot STORE_ATTR_SLOT of StoreAttr caches 4, |_n| 2 => 0, [DEOPT EXIT ESCAPES], "Store to a slot of `__slots__`.";
    200 StoreAttrWithHint STORE_ATTR_WITH_HINT of StoreAttr caches 4, |_n| 2 => 0, [ARG NAME DEOPT EXIT ESCAPES], "Store to the instance's dict, at a remembered index.";
    201 StoreSubscrDict STORE_SUBSCR_DICT of StoreSubscr caches 1, |_n| 3 => 0, [EXIT ERROR ESCAPES], "`dict[key] = value`.";
    202 StoreSubscrListInt STORE_SUBSCR_LIST_INT of StoreSubscr caches 1, |_n| 3 => 0, [DEOPT EXIT ESCAPES], "`list[int] = value`.";
    203 ToBoolAlwaysTrue TO_BOOL_ALWAYS_TRUE of ToBool caches 3, |_n| 1 => 1, [EXIT ESCAPES], "Truth of a type that has neither `__bool__` nor `__len__`.";
    204 ToBoolBool TO_BOOL_BOOL of ToBool caches 3, |_n| 1 => 1, [EXIT], "Truth of a bool.";
    205 ToBoolInt TO_BOOL_INT of ToBool caches 3, |_n| 1 => 1, [EXIT ESCAPES], "Truth of an int.";
    206 ToBoolList TO_BOOL_LIST of ToBool caches 3, |_n| 1 => 1, [EXIT], "Truth of a list.";
    207 ToBoolNone TO_BOOL_NONE of ToBool caches 3, |_n| 1 => 1, [EXIT], "Truth of None.";
    208 ToBoolStr TO_BOOL_STR of ToBool caches 3, |_n| 1 => 1, [EXIT ESCAPES], "Truth of a str.";
    209 UnpackSequenceList UNPACK_SEQUENCE_LIST of UnpackSequence caches 1, |n| 1 => n, [ARG DEOPT EXIT], "Unpack a list.";
    210 UnpackSequenceTuple UNPACK_SEQUENCE_TUPLE of UnpackSequence caches 1, |n| 1 => n, [ARG DEOPT EXIT], "Unpack a tuple.";
    211 UnpackSequenceTwoTuple UNPACK_SEQUENCE_TWO_TUPLE of UnpackSequence caches 1, |_n| 1 => 2, [ARG DEOPT EXIT ESCAPES], "Unpack a tuple of two.";
    234 InstrumentedEndFor INSTRUMENTED_END_FOR of EndFor caches 0, |_n| 2 => 1, [ERROR ERROR_NO_POP ESCAPES NO_SAVE_IP], "END_FOR that fires its monitoring events.";
    235 InstrumentedPopIter INSTRUMENTED_POP_ITER of PopIter caches 0, |_n| 1 => 0, [ESCAPES], "POP_ITER that fires its monitoring events.";
    236 InstrumentedEndSend INSTRUMENTED_END_SEND of EndSend caches 0, |_n| 2 => 1, [ERROR ERROR_NO_POP ESCAPES], "END_SEND that fires its monitoring events.";
    237 InstrumentedForIter INSTRUMENTED_FOR_ITER of ForIter caches 1, |_n| 1 => 2, [ARG JUMP ERROR ERROR_NO_POP ESCAPES], "FOR_ITER that fires its monitoring events.";
    238 InstrumentedInstruction INSTRUMENTED_INSTRUCTION caches 0, |_n| 0 => 0, [ERROR ESCAPES], "Fire the INSTRUCTION event, then run the original instruction.";
    239 InstrumentedJumpForward INSTRUMENTED_JUMP_FORWARD of JumpForward caches 0, |_n| 0 => 0, [ARG], "JUMP_FORWARD that fires its monitoring events.";
    240 InstrumentedNotTaken INSTRUMENTED_NOT_TAKEN of NotTaken caches 0, |_n| 0 => 0, [], "NOT_TAKEN that fires its monitoring events.";
    241 InstrumentedPopJumpIfTrue INSTRUMENTED_POP_JUMP_IF_TRUE of PopJumpIfTrue caches 1, |_n| 1 => 0, [ARG], "POP_JUMP_IF_TRUE that fires its monitoring events.";
    242 InstrumentedPopJumpIfFalse INSTRUMENTED_POP_JUMP_IF_FALSE of PopJumpIfFalse caches 1, |_n| 1 => 0, [ARG], "POP_JUMP_IF_FALSE that fires its monitoring events.";
    243 InstrumentedPopJumpIfNone INSTRUMENTED_POP_JUMP_IF_NONE of PopJumpIfNone caches 1, |_n| 1 => 0, [ARG ESCAPES], "POP_JUMP_IF_NONE that fires its monitoring events.";
    244 InstrumentedPopJumpIfNotNone INSTRUMENTED_POP_JUMP_IF_NOT_NONE of PopJumpIfNotNone caches 1, |_n| 1 => 0, [ARG ESCAPES], "POP_JUMP_IF_NOT_NONE that fires its monitoring events.";
    245 InstrumentedResume INSTRUMENTED_RESUME of Resume caches 0, |_n| 0 => 0, [ARG EVAL_BREAK ERROR ERROR_NO_POP ESCAPES], "RESUME that fires its monitoring events.";
    246 InstrumentedReturnValue INSTRUMENTED_RETURN_VALUE of ReturnValue caches 0, |_n| 1 => 1, [ERROR ESCAPES], "RETURN_VALUE that fires its monitoring events.";
    247 InstrumentedYieldValue INSTRUMENTED_YIELD_VALUE of YieldValue caches 0, |_n| 1 => 1, [ARG ERROR ERROR_NO_POP ESCAPES], "YIELD_VALUE that fires its monitoring events.";
    248 InstrumentedEndAsyncFor INSTRUMENTED_END_ASYNC_FOR of EndAsyncFor caches 0, |_n| 2 => 0, [ARG JUMP ERROR ERROR_NO_POP ESCAPES], "END_ASYNC_FOR that fires its monitoring events.";
    249 InstrumentedLoadSuperAttr INSTRUMENTED_LOAD_SUPER_ATTR of LoadSuperAttr caches 1, |n| 3 => 1 + (n & 1), [ARG NAME ERROR ESCAPES], "LOAD_SUPER_ATTR that fires its monitoring events.";
    250 InstrumentedCall INSTRUMENTED_CALL of Call caches 3, |n| 2 + n => 1, [ARG EVAL_BREAK ERROR ERROR_NO_POP ESCAPES], "CALL that fires its monitoring events.";
    251 InstrumentedCallKw INSTRUMENTED_CALL_KW of CallKw caches 3, |n| 3 + n => 1, [ARG ERROR ERROR_NO_POP ESCAPES], "CALL_KW that fires its monitoring events.";
    252 InstrumentedCallFunctionEx INSTRUMENTED_CALL_FUNCTION_EX of CallFunctionEx caches 0, |_n| 4 => 1, [EVAL_BREAK ERROR ERROR_NO_POP ESCAPES], "CALL_FUNCTION_EX that fires its monitoring events.";
    253 InstrumentedJumpBackward INSTRUMENTED_JUMP_BACKWARD of JumpBackward caches 1, |_n| 0 => 0, [ARG EVAL_BREAK ERROR ESCAPES], "JUMP_BACKWARD that fires its monitoring events.";
    254 InstrumentedLine INSTRUMENTED_LINE caches 0, |_n| 0 => 0, [ESCAPES], "Fire the LINE event, then run the original instruction.";
    255 EnterExecutor ENTER_EXECUTOR caches 0, |_n| 0 => 0, [ARG], "Run compiled code in place of the original instruction.";
}
pseudo {
    256 AnnotationsPlaceholder ANNOTATIONS_PLACEHOLDER, |_n| 0 => 0, [PURE], "Where the set-up of a module's or class's annotations goes, once it is known whether it is needed.";
    257 Jump JUMP, |_n| 0 => 0, [ARG JUMP EVAL_BREAK ERROR ESCAPES], "Jump in either direction.";
    258 JumpIfFalse JUMP_IF_FALSE, |_n| 1 => 1, [ARG JUMP ERROR ESCAPES], "Jump when the top is false, without popping it.";
    259 JumpIfTrue JUMP_IF_TRUE, |_n| 1 => 1, [ARG JUMP ERROR ESCAPES], "Jump when the top is true, without popping it.";
    260 JumpNoInterrupt JUMP_NO_INTERRUPT, |_n| 0 => 0, [ARG JUMP], "Jump in either direction without polling the eval breaker.";
    261 LoadClosure LOAD_CLOSURE, |_n| 0 => 1, [ARG LOCAL PURE], "Push a cell for a closure; becomes LOAD_FAST.";
    262 PopBlock POP_BLOCK, |_n| 0 => 0, [PURE], "End of the innermost block.";
    263 SetupCleanup SETUP_CLEANUP, |_n| 0 => 2, [PURE ARG], "Start of a block with a handler that gets the instruction offset and the exception.";
    264 SetupFinally SETUP_FINALLY, |_n| 0 => 1, [PURE ARG], "Start of a block with a handler that gets the exception.";
    265 SetupWith SETUP_WITH, |_n| 0 => 1, [PURE ARG], "Start of a `with` block: as SETUP_CLEANUP, the handler keeps the value below.";
    266 StoreFastMaybeNull STORE_FAST_MAYBE_NULL, |_n| 1 => 0, [ARG LOCAL ESCAPES], "STORE_FAST of a value that may be NULL.";
}
}

/// The number of cache units behind an instruction with this opcode number; 0 for numbers without opcode.
#[inline(always)]
pub const fn caches(number: u8) -> usize {
    CACHES[number as usize] as usize
}

/// The number of the opcode that this one is a specialised or instrumented form of, or itself.
#[inline(always)]
pub const fn deopt(number: u8) -> u8 {
    BASE[number as usize]
}

/// Arguments from this opcode number on are meaningful (`opcode.HAVE_ARGUMENT`).
pub const HAVE_ARGUMENT: u8 = 43;
/// The first specialised opcode (`_opcode_metadata.MIN_SPECIALIZED_OPCODE`).
pub const MIN_SPECIALIZED_OPCODE: u8 = 129;
/// The first instrumented opcode.
pub const MIN_INSTRUMENTED_OPCODE: u8 = 234;

impl Opcode {
    /// The opcode with this name, in the spelling of `dis`.
    pub fn from_name(name: &str) -> Option<Opcode> {
        AnyOpcode::from_name(name)?.real()
    }

    /// Whether all bits of `flags` are set.
    #[inline]
    pub const fn has(self, flags: u16) -> bool {
        self.flags() & flags == flags
    }

    /// Whether it fires `sys.monitoring` events.
    #[inline]
    pub const fn is_instrumented(self) -> bool {
        self as u8 >= MIN_INSTRUMENTED_OPCODE && !matches!(self, Opcode::EnterExecutor)
    }

    /// Whether it is a specialised form that the interpreter wrote over its base.
    #[inline]
    pub const fn is_specialized(self) -> bool {
        (self as u8) < MIN_INSTRUMENTED_OPCODE && self as u8 != BASE[self as usize]
    }

    /// The specialised forms of this opcode, in the order of their numbers.
    pub fn specializations(self) -> impl Iterator<Item = Opcode> {
        Opcode::ALL.iter().copied().filter(move |op| op.is_specialized() && op.base() == self)
    }

    /// The form that fires monitoring events, if there is one.
    pub fn instrumented(self) -> Option<Opcode> {
        Opcode::ALL.iter().copied().find(|op| op.is_instrumented() && *op != self && op.base() == self)
    }
}

impl AnyOpcode {
    /// Whether all bits of `flags` are set.
    #[inline]
    pub const fn has(self, flags: u16) -> bool {
        self.flags() & flags == flags
    }
}

/// An enumeration of consecutive arguments of one instruction, with the names that `dis` or the C headers use.
macro_rules! arguments {
    ($(#[$meta:meta])* $enum:ident { $($name:ident $text:literal),* $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "the strings name them")]
        pub enum $enum { $($name),* }

        impl $enum {
            /// Every member in order of its number.
            pub const ALL: &[$enum] = &[$($enum::$name),*];

            /// The member with this number.
            #[inline]
            pub fn from_oparg(oparg: u32) -> Option<$enum> {
                Self::ALL.get(oparg as usize).copied()
            }

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self { $($enum::$name => $text),* }
            }
        }
    };
}

arguments! {
    /// The argument of `CALL_INTRINSIC_1`.
    Intrinsic1 {
        Invalid "INTRINSIC_1_INVALID", Print "INTRINSIC_PRINT", ImportStar "INTRINSIC_IMPORT_STAR",
        StopIterationError "INTRINSIC_STOPITERATION_ERROR", AsyncGenWrap "INTRINSIC_ASYNC_GEN_WRAP",
        UnaryPositive "INTRINSIC_UNARY_POSITIVE", ListToTuple "INTRINSIC_LIST_TO_TUPLE",
        TypeVar "INTRINSIC_TYPEVAR", ParamSpec "INTRINSIC_PARAMSPEC", TypeVarTuple "INTRINSIC_TYPEVARTUPLE",
        SubscriptGeneric "INTRINSIC_SUBSCRIPT_GENERIC", TypeAlias "INTRINSIC_TYPEALIAS",
    }
}

arguments! {
    /// The argument of `CALL_INTRINSIC_2`.
    Intrinsic2 {
        Invalid "INTRINSIC_2_INVALID", PrepReraiseStar "INTRINSIC_PREP_RERAISE_STAR",
        TypeVarWithBound "INTRINSIC_TYPEVAR_WITH_BOUND",
        TypeVarWithConstraints "INTRINSIC_TYPEVAR_WITH_CONSTRAINTS",
        SetFunctionTypeParams "INTRINSIC_SET_FUNCTION_TYPE_PARAMS",
        SetTypeparamDefault "INTRINSIC_SET_TYPEPARAM_DEFAULT",
    }
}

arguments! {
    /// The argument of `BINARY_OP`; the names are the operators.
    BinaryOp {
        Add "+", And "&", FloorDivide "//", Lshift "<<", MatrixMultiply "@", Multiply "*", Remainder "%", Or "|",
        Power "**", Rshift ">>", Subtract "-", TrueDivide "/", Xor "^",
        InplaceAdd "+=", InplaceAnd "&=", InplaceFloorDivide "//=", InplaceLshift "<<=",
        InplaceMatrixMultiply "@=", InplaceMultiply "*=", InplaceRemainder "%=", InplaceOr "|=",
        InplacePower "**=", InplaceRshift ">>=", InplaceSubtract "-=", InplaceTrueDivide "/=", InplaceXor "^=",
        Subscr "[]",
    }
}

arguments! {
    /// The operator of `COMPARE_OP`, as in `operator` and `Py_LT` to `Py_GE`.
    CompareOp { Lt "<", Le "<=", Eq "==", Ne "!=", Gt ">", Ge ">=" }
}

arguments! {
    /// The argument of `LOAD_COMMON_CONSTANT`.
    CommonConstant {
        AssertionError "AssertionError", NotImplementedError "NotImplementedError", Tuple "tuple", All "all",
        Any "any",
    }
}

arguments! {
    /// The argument of `LOAD_SPECIAL`.
    SpecialMethod { Enter "__enter__", Exit "__exit__", Aenter "__aenter__", Aexit "__aexit__" }
}

impl CompareOp {
    /// The outcomes for which the operator is true: bit 0 unordered, 1 less, 2 greater, 3 equal.
    pub const fn mask(self) -> u32 {
        match self {
            CompareOp::Lt => 2,
            CompareOp::Le => 2 | 8,
            CompareOp::Eq => 8,
            CompareOp::Ne => 1 | 2 | 4,
            CompareOp::Gt => 4,
            CompareOp::Ge => 4 | 8,
        }
    }

    /// The argument of `COMPARE_OP` for this operator; `to_bool` asks for a conversion of the result.
    pub const fn oparg(self, to_bool: bool) -> u32 {
        (self as u32) << 5 | (to_bool as u32) << 4 | self.mask()
    }
}

/// Bits of the argument of `SET_FUNCTION_ATTRIBUTE`.
pub mod function_attribute {
    /// A tuple of positional defaults.
    pub const DEFAULTS: u32 = 1;
    /// A dict of keyword-only defaults.
    pub const KWDEFAULTS: u32 = 2;
    /// A tuple of names and annotations (`from __future__ import annotations`).
    pub const ANNOTATIONS: u32 = 4;
    /// A tuple of cells.
    pub const CLOSURE: u32 = 8;
    /// The `__annotate__` function (PEP 649).
    pub const ANNOTATE: u32 = 16;
}

/// Values of the argument of `RESUME`: where it stands, and a bit for exception depth 1.
pub mod resume {
    /// At the start of a code object.
    pub const FUNC_START: u32 = 0;
    /// After `yield`.
    pub const AFTER_YIELD: u32 = 1;
    /// After `yield from`.
    pub const AFTER_YIELD_FROM: u32 = 2;
    /// After `await`.
    pub const AFTER_AWAIT: u32 = 3;
    /// The bits that say where.
    pub const LOCATION_MASK: u32 = 3;
    /// Set when only the generator's own `StopIteration` handler is around.
    pub const DEPTH1: u32 = 4;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_round_trip() {
        for &op in Opcode::ALL {
            assert_eq!(Opcode::from_u8(op as u8), Some(op));
            assert_eq!(Opcode::from_name(op.name()), Some(op));
            assert_eq!(AnyOpcode::from(op).real(), Some(op));
            assert_eq!(op.base().caches(), op.caches(), "{}", op.name());
        }
    }

    #[test]
    fn facts() {
        assert_eq!(Opcode::LoadAttr.caches(), 9);
        assert_eq!(Opcode::LoadAttrSlot.base(), Opcode::LoadAttr);
        assert_eq!(Opcode::BinaryOp.specializations().count(), 15);
        assert_eq!(CompareOp::Le.oparg(true), 58);
        assert_eq!(Opcode::Resume.instrumented(), Some(Opcode::InstrumentedResume));
        assert_eq!(Opcode::UnpackEx.pushed(0x102), 4);
    }
}
