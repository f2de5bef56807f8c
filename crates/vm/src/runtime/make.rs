//! Making objects: the short names that ordinary code uses.

use taipan_object::{alloc, gc};

use crate::builtins::singletons;
use crate::prelude::*;

/// Rust integers that `vm.new_int` takes.
pub trait IntoInt {
    /// Makes the Python int.
    fn into_int(self, vm: &Vm) -> ObjRef;
}

macro_rules! into_int {
    ($($t:ty => $make:ident as $wide:ty),* $(,)?) => {$(
        impl IntoInt for $t {
            #[inline(always)]
            fn into_int(self, vm: &Vm) -> ObjRef {
                Int::$make(self as $wide, vm)
            }
        }
    )*};
}
into_int!(
    i8 => from_i64 as i64, i16 => from_i64 as i64, i32 => from_i64 as i64, i64 => from_i64 as i64,
    isize => from_i64 as i64, u8 => from_i64 as i64, u16 => from_i64 as i64, u32 => from_i64 as i64,
    u64 => from_u64 as u64, usize => from_u64 as u64,
);

impl Vm {
    /// A reference to `None`.
    #[inline(always)]
    pub fn none(&self) -> ObjRef {
        // SAFETY: `None` is immortal, so a reference needs no count.
        unsafe { Ref::from_raw(singletons::none_ptr()) }
    }

    /// `None`, borrowed.
    #[inline(always)]
    pub fn none_ref(&self) -> &'static Object {
        // SAFETY: static storage.
        unsafe { &*singletons::none_ptr() }
    }

    /// Whether the object is `None`.
    #[inline(always)]
    pub fn is_none(&self, object: &Object) -> bool {
        std::ptr::eq(object, singletons::none_ptr())
    }

    /// `NotImplemented`.
    #[inline(always)]
    pub fn not_implemented(&self) -> ObjRef {
        // SAFETY: immortal.
        unsafe { Ref::from_raw(singletons::not_implemented_ptr()) }
    }

    /// Whether the object is `NotImplemented`.
    #[inline(always)]
    pub fn is_not_implemented(&self, object: &Object) -> bool {
        std::ptr::eq(object, singletons::not_implemented_ptr())
    }

    /// `...`.
    #[inline(always)]
    pub fn ellipsis(&self) -> ObjRef {
        // SAFETY: immortal.
        unsafe { Ref::from_raw(singletons::ellipsis_ptr()) }
    }

    /// `True`, borrowed.
    #[inline(always)]
    pub fn true_ref(&self) -> &'static Object {
        crate::builtins::bool_::true_ref()
    }

    /// `False`, borrowed.
    #[inline(always)]
    pub fn false_ref(&self) -> &'static Object {
        crate::builtins::bool_::false_ref()
    }

    /// `True` or `False`.
    #[inline(always)]
    pub fn new_bool(&self, value: bool) -> ObjRef {
        if value { self.true_ref().to_ref() } else { self.false_ref().to_ref() }
    }

    /// An int.
    #[inline(always)]
    pub fn new_int(&self, value: impl IntoInt) -> ObjRef {
        value.into_int(self)
    }

    /// A float.
    #[inline(always)]
    pub fn new_float(&self, value: f64) -> ObjRef {
        Float::new(value, self)
    }

    /// A str.
    #[inline]
    pub fn new_str(&self, text: &str) -> Ref<Str> {
        Str::from_str(text, self)
    }

    /// The interned str of that text.
    #[inline]
    pub fn intern(&self, text: &str) -> Ref<Str> {
        Str::intern_text(text, self)
    }

    /// A bytes object.
    #[inline]
    pub fn new_bytes(&self, data: &[u8]) -> Ref<Bytes> {
        Bytes::from_slice(data, self)
    }

    /// A tuple of the given items.
    #[inline]
    pub fn new_tuple(&self, items: impl Into<Vec<ObjRef>>) -> Ref<Tuple> {
        Tuple::from_vec(items.into(), self)
    }

    /// A list of the given items.
    #[inline]
    pub fn new_list(&self, items: impl Into<Vec<ObjRef>>) -> Ref<List> {
        List::from_vec(items.into(), self)
    }

    /// An empty dict.
    #[inline]
    pub fn new_dict(&self) -> Ref<Dict> {
        Dict::new(self)
    }

    /// A new instance of a static type: `value` is moved behind fresh header words and tracked when its type is collectable.
    /// `value`'s own header names the type.
    #[inline]
    pub fn new_object<T: PyLayout>(&self, value: T) -> Ref<T> {
        const PLAIN: u64 = TypeFlags::READY;
        const SPECIAL: u64 = TypeFlags::HEAPTYPE | TypeFlags::PREHEADER;
        // SAFETY: the value's header names a live type.
        let flags = unsafe { (*value.as_object().type_ptr()).tp_flags.get() };
        if flags & (PLAIN | SPECIAL) != PLAIN {
            return self.new_special_object(value);
        }
        let is_gc = flags & TypeFlags::HAVE_GC != 0;
        let size = size_of::<T>();
        let op = if is_gc { gc::allocate_unlinked(size) } else { alloc::allocate(size).cast() };
        if op.is_null() {
            out_of_memory();
        }
        // SAFETY: the memory is large enough, and becomes a whole object before the collector sees it.
        unsafe {
            let op = op.cast::<T>();
            op.write(value);
            if is_gc {
                gc::link(op.cast());
            }
            Ref::from_raw(op)
        }
    }

    /// `new_object` of types that are not ready, that instances keep alive, or whose instances have words in front.
    #[cold]
    fn new_special_object<T: PyLayout>(&self, value: T) -> Ref<T> {
        let tp = value.as_object().type_ptr();
        // SAFETY: the type is alive; the memory is large enough, and becomes a whole object before it is tracked.
        unsafe {
            if !(*tp).has_flag(TypeFlags::READY) {
                self.ready_on_first_use(&*tp);
            }
            let op = gc::allocate(&*tp, size_of::<T>()).cast::<T>();
            if op.is_null() {
                out_of_memory();
            }
            op.write(value);
            if (*tp).has_flag(TypeFlags::HEAPTYPE) {
                (*tp).as_object().incref();
            }
            if (*tp).is_gc() {
                gc::track(op.cast());
            }
            Ref::from_raw(op)
        }
    }

    /// Static types that only instances lead to are readied when the first instance is made.
    #[cold]
    fn ready_on_first_use(&self, tp: &Type) {
        let wait = self.interp().types.starting.get() || tp.has_flag(TypeFlags::READYING);
        if !wait && crate::builtins::type_::type_ready(tp, self).is_err() {
            self.clear_exception();
        }
    }

    /// A new instance of `cls`, which is `T`'s type or a subtype of it: allocated by `cls.tp_alloc`, so that a managed
    /// dictionary, slots and inline values are in place. `value`'s header is not used.
    pub fn new_instance<T: PyLayout>(&self, cls: &Type, value: T) -> PyResult<ObjRef> {
        if std::ptr::eq(cls, T::static_type()) {
            return Ok(self.new_object(value).into_object());
        }
        let Some(alloc) = cls.tp_alloc.get() else { return Err(self.system_error("type without tp_alloc")) };
        // SAFETY: `tp_alloc` returns zeroed memory of at least `tp_basicsize` bytes with the header set. The collector must
        // not see the object while the payload is copied in, which runs no Python code.
        unsafe {
            let op = alloc(std::ptr::from_ref(cls).cast_mut(), 0);
            if op.is_null() {
                return Err(Raised);
            }
            let head = size_of::<Object>();
            let value = std::mem::ManuallyDrop::new(value);
            std::ptr::copy_nonoverlapping(
                (&raw const *value).cast::<u8>().add(head),
                op.cast::<u8>().add(head),
                size_of::<T>() - head,
            );
            Ok(Ref::from_raw(op))
        }
    }
}

/// Ends the process as every program does that can't get a few bytes.
#[cold]
pub fn out_of_memory() -> ! {
    eprintln!("taipan: out of memory");
    std::process::abort()
}
