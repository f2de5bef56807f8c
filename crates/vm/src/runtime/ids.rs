//! Identifiers known at build time: interned, immortal strings that Rust code names as `vm.ids().__init__`.

use crate::prelude::*;

macro_rules! identifiers {
    ($($name:ident $(= $text:literal)?),* $(,)?) => {
        /// The identifiers, one field each. The strings are immortal.
        #[allow(missing_docs, non_snake_case)]
        pub struct Ids {
            $(pub $name: &'static Str,)*
        }

        impl Ids {
            /// Interns all identifiers in the interpreter of `vm`.
            pub fn new(vm: &Vm) -> Ids {
                // One text, since every start reads all of it.
                let mut texts = concat!($(identifiers!(@text $name $($text)?), "\0"),*).split('\0');
                Ids { $($name: next_identifier(&mut texts, vm),)* }
            }
        }
    };
    (@text $name:ident $text:literal) => { $text };
    (@text $name:ident) => { stringify!($name) };
}

#[inline(never)]
fn next_identifier(texts: &mut std::str::Split<'_, char>, vm: &Vm) -> &'static Str {
    let string = vm.intern(texts.next().unwrap_or_default());
    string.as_object().make_immortal();
    // SAFETY: immortal objects are never destroyed.
    unsafe { &*string.into_raw() }
}

impl Vm {
    /// The interpreter's identifiers.
    #[inline(always)]
    pub fn ids(&self) -> &'static Ids {
        // SAFETY: set once when the interpreter is made, and never freed.
        unsafe { &*self.interp().ids.get() }
    }
}

identifiers! {
    empty = "", dot = ".", space = " ", newline = "\n", dunder_name_main = "__main__", anon_dictcomp = "<dictcomp>",
    anon_genexpr = "<genexpr>", anon_lambda = "<lambda>", anon_listcomp = "<listcomp>", anon_module = "<module>",
    anon_setcomp = "<setcomp>", anon_string = "<string>", anon_stdin = "<stdin>", anon_unknown = "<unknown>",
    list_err = "list", defaults_dot = ".defaults", generic_base = ".generic_base", type_params_dot = ".type_params",
    kwdefaults_dot = ".kwdefaults",
    False_ = "False", None_ = "None", True_ = "True", Py_Repr,
    __abc_tpflags__, __abs__, __abstractmethods__, __add__, __aenter__, __aexit__, __aiter__, __all__, __and__, __anext__,
    __annotate__, __annotate_func__, __annotations__, __annotations_cache__, __args__, __asyncio_running_event_loop__,
    __await__, __bases__, __bool__, __buffer__, __build_class__, __builtins__, __bytes__, __cached__, __call__, __cause__,
    __ceil__, __class__, __class_getitem__, __classcell__, __classdict__, __classdictcell__, __closure__, __code__, __complex__,
    __conditional_annotations__, __contains__, __context__, __copy__, __ctypes_from_outparam__, __debug__, __defaults__,
    __deepcopy__, __del__, __delattr__, __delete__, __delitem__, __dict__, __dictoffset__, __dir__, __divmod__, __doc__,
    __enter__, __eq__, __exit__, __file__, __firstlineno__, __float__, __floor__, __floordiv__, __format__, __fspath__,
    __func__, __ge__, __get__, __getattr__, __getattribute__, __getinitargs__, __getitem__, __getnewargs__,
    __getnewargs_ex__, __getstate__, __globals__, __gt__, __hash__, __iadd__, __iand__, __ifloordiv__, __ilshift__,
    __imatmul__, __imod__, __import__, __imul__, __index__, __init__, __init_subclass__, __instancecheck__, __int__,
    __invert__, __ior__, __ipow__, __irshift__, __isabstractmethod__, __isub__, __iter__, __itruediv__, __ixor__,
    __kwdefaults__, __le__, __len__, __length_hint__, __lltrace__, __loader__, __lshift__, __lt__, __main__, __match_args__,
    __matmul__, __missing__, __mod__, __module__, __mro_entries__, __mul__, __name__, __ne__, __neg__, __new__,
    __newobj__, __newobj_ex__, __next__, __notes__, __or__, __orig_bases__, __orig_class__, __origin__, __package__,
    __parameters__, __path__, __pos__, __pow__, __prepare__, __qualname__, __radd__, __rand__, __rdivmod__, __reduce__,
    __reduce_ex__, __release_buffer__, __repr__, __reversed__, __rfloordiv__, __rlshift__, __rmatmul__, __rmod__, __rmul__,
    __ror__, __round__, __rpow__, __rrshift__, __rshift__, __rsub__, __rtruediv__, __rxor__, __self__, __set__,
    __set_name__, __setattr__, __setitem__, __setstate__, __sizeof__, __slotnames__, __slots__, __spec__,
    __static_attributes__, __str__, __sub__, __subclasscheck__, __subclasshook__, __suppress_context__, __text_signature__,
    __traceback__, __truediv__, __trunc__, __type_params__, __typing_is_unpacked_typevartuple__,
    __typing_prepare_subst__, __typing_subst__, __typing_unpacked_tuple_args__, __unpacked__, __vectorcalloffset__,
    __warningregistry__, __weaklistoffset__, __weakref__, __wrapped__, __xor__, _fix_up_module, _abc_impl,
    _find_and_load, _handle_fromlist, _initializing, _lock_unlock_module, _uninitialized_submodules, _is_text_encoding,
    _needs_com_addref_, _load_unlocked, _showwarnmsg, _strptime, _warn_unawaited_coroutine, _type_,
    abs, add, add_note, append, argdefs, args, as_, big, buffer, buffering, builtins, byteorder, cell_contents, clear, close,
    closed, closefd, closure, code, codecs, co_consts, copy, copyreg, count, cwd, decode, default, defaultdict, delete,
    deleter, dict, dir, dont_inherit, encode, encoding, end, end_lineno, end_offset, env, errors, exc_type, exc_value,
    excepthook, exceptions, extend, extra, file, filename, filename2, fileno, flush, fget, fset, fdel, fromlist, func,
    get, get_source, getattr, getter, globals, group, id, index, indexgroup, inf, input, insert, int, io, is_async,
    isatty, isinstance, issubclass, items, iter, key, keys, kwdefaults, last, last_exc, last_traceback, last_type, last_value,
    len, level, lineno, little, loader, locals, main, max, maxsplit, memo, metaclass, min, mode, module, modules,
    module_globals, msg, name, name_from, namespace, nan, ndigits, newline_kw = "newline", next, obj, object, offset, old, opcode,
    open, opener, optimize, origin, out, parent, path, patch, pathlib, pattern, pos, posix, print_file_and_line, prompt,
    ps1, ps2, raw, read, read1, readable, readall, readinto, readinto1, readline, readlines, real, reason, registry, replace,
    repr, reset, reverse, reversed, seek, seekable, send, sep, sequence, setcomp, setter, signal, site, size, sort,
    source, source_traceback, stack_, start, stderr, stdin, stdout, step, stop, str, strict, strict_mode, string, super_ = "super",
    sys, take_bytes, tb, tb_frame, tb_lasti, tb_lineno, tb_next, tell, text, threading, throw, times, traceback, truncate, type_ = "type",
    tz, update, utf_8 = "utf-8", value, values, version, warn, warning, warnings, warnoptions, wraps, writable, write, write_through,
    year, zipimporter, sorted, set, frozenset, list, tuple, bytes, bytearray, float, complex, bool, range, slice, latin_1 = "latin-1", ascii,
    surrogateescape, surrogatepass, ignore, backslashreplace, xmlcharrefreplace, namereplace, imag, numerator, denominator,
    conjugate, path_hooks, path_importer_cache, meta_path, argv, executable, implementation, unraisablehook, displayhook,
    breakpointhook,  bound, covariant, contravariant, infer_variance, underscore = "_", has_default, has_location, evaluate_value, evaluate_bound,
    evaluate_constraints, evaluate_default, constraints, typing, tzinfo, fold, utcoffset, dst, tzname, isoformat, strftime,
    partial,
    __subclasses__,
}
