//! Raising: one short method per built-in exception. All are cold: they run when something went wrong.

use crate::exceptions::base::new_exception;
use crate::prelude::*;

macro_rules! raisers {
    ($($(#[$doc:meta])* $name:ident => $exception:ident),* $(,)?) => {
        impl Vm {$(
            $(#[$doc])*
            #[cold]
            #[inline(never)]
            pub fn $name(&self, text: impl AsRef<str>) -> Raised {
                self.raise(types::$exception(), text)
            }
        )*}
    };
}

raisers! {
    /// Raises `TypeError(text)`.
    type_error => type_error,
    /// Raises `ValueError(text)`.
    value_error => value_error,
    /// Raises `IndexError(text)`.
    index_error => index_error,
    /// Raises `LookupError(text)`.
    lookup_error => lookup_error,
    /// Raises `OverflowError(text)`.
    overflow_error => overflow_error,
    /// Raises `ZeroDivisionError(text)`.
    zero_division_error => zero_division_error,
    /// Raises `ArithmeticError(text)`.
    arithmetic_error => arithmetic_error,
    /// Raises `FloatingPointError(text)`.
    floating_point_error => floating_point_error,
    /// Raises `AttributeError(text)` without `name` and `obj`; see `attribute_error_for`.
    attribute_error => attribute_error,
    /// Raises `NameError(text)` without `name`.
    name_error => name_error,
    /// Raises `UnboundLocalError(text)`.
    unbound_local_error => unbound_local_error,
    /// Raises `RuntimeError(text)`.
    runtime_error => runtime_error,
    /// Raises `RecursionError(text)`.
    recursion_error => recursion_error,
    /// Raises `NotImplementedError(text)`.
    not_implemented_error => not_implemented_error,
    /// Raises `SystemError(text)`: native code broke a rule.
    system_error => system_error,
    /// Raises `BufferError(text)`.
    buffer_error => buffer_error,
    /// Raises `AssertionError(text)`.
    assertion_error => assertion_error,
    /// Raises `EOFError(text)`.
    eof_error => eof_error,
    /// Raises `ReferenceError(text)`.
    reference_error => reference_error,
    /// Raises `UnicodeError(text)`.
    unicode_error => unicode_error,
    /// Raises `ImportError(text)` without `name` and `path`.
    import_error => import_error,
    /// Raises `ModuleNotFoundError(text)` without `name`.
    module_not_found_error => module_not_found_error,
    /// Raises `SyntaxError(text)` without position.
    syntax_error => syntax_error,
    /// Raises `StopAsyncIteration(text)`.
    stop_async_iteration => stop_async_iteration,
    /// Raises `TimeoutError(text)`.
    timeout_error => timeout_error,
}

impl Vm {
    /// Raises `exception(text)`.
    #[cold]
    pub fn raise(&self, exception: &Type, text: impl AsRef<str>) -> Raised {
        let text = self.new_str(text.as_ref()).into_object();
        self.raise_with(exception, vec![text])
    }

    /// Raises `exception(*args)`.
    #[cold]
    pub fn raise_with(&self, exception: &Type, args: Vec<ObjRef>) -> Raised {
        match new_exception(exception, args, self) {
            Ok(exception) => self.raise_object(exception),
            Err(raised) => raised,
        }
    }

    /// Raises an exception object. The exception being handled becomes its `__context__`, unless that would
    /// close a circle.
    pub fn raise_object(&self, exception: Ref<BaseException>) -> Raised {
        if let Some(handled) = self.handled_exception() {
            if !handled.as_object().is(exception.as_object()) {
                break_context_circle(&handled, &exception);
                exception.context.set(Some(handled.into_object()));
            }
        }
        self.current_exception.set(Some(exception));
        Raised
    }

    /// Raises again an exception that was taken, context untouched.
    pub fn reraise(&self, exception: Ref<BaseException>) -> Raised {
        self.current_exception.set(Some(exception));
        Raised
    }

    /// The innermost exception that is being handled (`sys.exception()`).
    pub fn handled_exception(&self) -> Option<Ref<BaseException>> {
        let mut item = self.exc_info.get();
        loop {
            // SAFETY: the stack items live in the thread state, in generators that run and in native frames above.
            let level = unsafe { item.as_ref() }?;
            if let Some(value) = level.exc_value.get() {
                if !value.is(self.none_ref()) {
                    return value.downcast::<BaseException>().ok();
                }
            }
            item = level.previous_item.get();
        }
    }

    /// Whether the waiting exception is an instance of `exception` (real subclassing, as PyErr_ExceptionMatches for classes).
    pub fn exception_matches(&self, exception: &Type) -> bool {
        self.current_exception.get().is_some_and(|e| e.as_object().ob_type().is_subtype_of(exception))
    }

    /// Raises `KeyError(key)`.
    #[cold]
    pub fn key_error(&self, key: &Object) -> Raised {
        self.raise_with(types::key_error(), vec![key.to_ref()])
    }

    /// Raises `StopIteration(value)`; without a value, with empty args.
    #[cold]
    pub fn stop_iteration(&self, value: Option<ObjRef>) -> Raised {
        self.raise_with(types::stop_iteration(), value.into_iter().collect())
    }

    /// Raises `MemoryError()`.
    #[cold]
    pub fn memory_error(&self) -> Raised {
        self.raise_with(types::memory_error(), Vec::new())
    }

    /// Raises `AttributeError(text, name=name, obj=obj)`.
    #[cold]
    pub fn attribute_error_for(&self, text: impl AsRef<str>, obj: &Object, name: &Object) -> Raised {
        crate::exceptions::name_error::raise_attribute_error(text.as_ref(), obj, name, self)
    }

    /// Raises the usual "'T' object has no attribute 'x'".
    #[cold]
    pub fn no_attribute(&self, obj: &Object, name: &Object) -> Raised {
        let shown = name.downcast_ref::<Str>().map_or_else(|| "?".into(), |s| s.to_string_lossy());
        let text = format!("'{}' object has no attribute '{}'", obj.ob_type().tp_name_str(), shown);
        self.attribute_error_for(text, obj, name)
    }

    /// Raises the `OSError` subclass that belongs to `errno`, with `strerror`'s text and the file name when given (PEP 3151).
    #[cold]
    pub fn os_error(&self, errno: i32, filename: Option<&Object>) -> Raised {
        crate::exceptions::os_error::raise(errno, filename, None, self)
    }

    /// `os_error` for the C library's current `errno`.
    #[cold]
    pub fn last_os_error(&self, filename: Option<&Object>) -> Raised {
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(0);
        self.os_error(errno, filename)
    }

    /// Reports the waiting exception, which nobody can receive, through `sys.unraisablehook`.
    #[cold]
    pub fn write_unraisable(&self, object: Option<&Object>, message: Option<&str>) {
        crate::exceptions::print::write_unraisable(object, message, self);
    }

    /// Raises what was raised with `cause` as its `__cause__` and `__context__`: `raise new from old`.
    #[cold]
    pub fn chain_cause(&self, cause: Ref<BaseException>) -> Raised {
        if let Some(raised) = self.current_exception.get() {
            raised.set_cause(Some(cause.clone().into_object()));
            raised.context.set(Some(cause.into_object()));
        }
        Raised
    }
}

/// Cuts the link in the chain of contexts of `handled` that leads to `new`. Bounded, since the chain may be a circle
/// that doesn't go through `new` (Floyd's hare and tortoise).
fn break_context_circle(handled: &Ref<BaseException>, new: &Ref<BaseException>) {
    let mut walk = handled.clone();
    let mut slow = handled.clone();
    let mut advance_slow = false;
    while let Some(context) = walk.context.get() {
        if context.is(new.as_object()) {
            walk.context.set(None);
            return;
        }
        let Ok(context) = context.downcast::<BaseException>() else { return };
        walk = context;
        if walk.as_object().is(slow.as_object()) {
            return;
        }
        if advance_slow {
            if let Some(next) = slow.context.get().and_then(|c| c.downcast::<BaseException>().ok()) {
                slow = next;
            }
        }
        advance_slow = !advance_slow;
    }
}
