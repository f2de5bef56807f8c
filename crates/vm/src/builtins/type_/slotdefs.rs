//! The table that ties special method names to slots: from it come the slot wrappers of built-in types and the slots of
//! classes written in Python (data model, "Special method names").

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::offset_of;
use std::ptr::null;

use taipan_object::typeobject::{
    AsyncMethods, BufferProcs, HeapType, MappingMethods, NumberMethods, SequenceMethods, Type,
};

use super::slots::*;
use super::wrappers::*;
use taipan_object::Object;

/// `struct wrapperbase`: what a slot wrapper descriptor points to. Extensions copy it, so it is ABI.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct WrapperBase {
    /// The special method's name.
    pub name: *const c_char,
    /// The slot's offset in `HeapType`.
    pub offset: c_int,
    /// What goes into the slot of a class that defines the method in Python.
    pub function: *const (),
    /// Calls a native slot with Python arguments; null where no wrapper descriptor is made.
    pub wrapper: *const (),
    /// Signature and docstring.
    pub doc: *const c_char,
    /// `WRAPPER_KEYWORDS`.
    pub flags: c_int,
    /// The interned name; made at start.
    pub name_strobj: *mut Object,
}

const _: () = assert!(size_of::<WrapperBase>() == 56);

// SAFETY: the table is constant data; `name_strobj` stays null in it.
unsafe impl Sync for WrapperBase {}

/// The wrapper takes keyword arguments too.
pub const WRAPPER_KEYWORDS: c_int = 1;

impl WrapperBase {
    /// The special method's name.
    pub fn name(&self) -> &str {
        // SAFETY: names in the table, and in copies that extensions make, are NUL-terminated.
        unsafe { CStr::from_ptr(self.name) }.to_str().unwrap_or("")
    }
}

macro_rules! offset {
    (TP $slot:ident) => {
        offset_of!(Type, $slot)
    };
    (AM $slot:ident) => {
        offset_of!(HeapType, as_async) + offset_of!(AsyncMethods, $slot)
    };
    (NB $slot:ident) => {
        offset_of!(HeapType, as_number) + offset_of!(NumberMethods, $slot)
    };
    (MP $slot:ident) => {
        offset_of!(HeapType, as_mapping) + offset_of!(MappingMethods, $slot)
    };
    (SQ $slot:ident) => {
        offset_of!(HeapType, as_sequence) + offset_of!(SequenceMethods, $slot)
    };
    (BF $slot:ident) => {
        offset_of!(HeapType, as_buffer) + offset_of!(BufferProcs, $slot)
    };
}

const fn row(
    name: &'static CStr,
    offset: usize,
    function: *const (),
    wrapper: *const (),
    doc: &'static CStr,
    flags: c_int,
) -> WrapperBase {
    WrapperBase {
        name: name.as_ptr(),
        offset: offset as c_int,
        function,
        wrapper,
        doc: doc.as_ptr(),
        flags,
        name_strobj: std::ptr::null_mut(),
    }
}

/// The table, in the order in which the slots are filled. Rows of one slot stand together within a suite.
#[rustfmt::skip]
pub static SLOT_DEFS: [WrapperBase; 94] = [
    row(c"__getattribute__", offset!(TP tp_getattr), null(), null(), c"", 0),
    row(c"__getattr__", offset!(TP tp_getattr), null(), null(), c"", 0),
    row(c"__setattr__", offset!(TP tp_setattr), null(), null(), c"", 0),
    row(c"__delattr__", offset!(TP tp_setattr), null(), null(), c"", 0),
    row(c"__repr__", offset!(TP tp_repr), slot_repr as *const (), wrap_unary as *const (), c"__repr__($self, /)\n--\n\nReturn repr(self).", 0),
    row(c"__hash__", offset!(TP tp_hash), slot_hash as *const (), wrap_hash as *const (), c"__hash__($self, /)\n--\n\nReturn hash(self).", 0),
    row(c"__call__", offset!(TP tp_call), slot_call as *const (), wrap_call as *const (), c"__call__($self, /, *args, **kwargs)\n--\n\nCall self as a function.", 1),
    row(c"__str__", offset!(TP tp_str), slot_str as *const (), wrap_unary as *const (), c"__str__($self, /)\n--\n\nReturn str(self).", 0),
    row(c"__getattribute__", offset!(TP tp_getattro), slot_getattr_hook as *const (), wrap_binary as *const (), c"__getattribute__($self, name, /)\n--\n\nReturn getattr(self, name).", 0),
    row(c"__getattr__", offset!(TP tp_getattro), slot_getattr_hook as *const (), null(), c"Implement getattr(self, name).", 0),
    row(c"__setattr__", offset!(TP tp_setattro), slot_setattro as *const (), wrap_setattr as *const (), c"__setattr__($self, name, value, /)\n--\n\nImplement setattr(self, name, value).", 0),
    row(c"__delattr__", offset!(TP tp_setattro), slot_setattro as *const (), wrap_delattr as *const (), c"__delattr__($self, name, /)\n--\n\nImplement delattr(self, name).", 0),
    row(c"__lt__", offset!(TP tp_richcompare), slot_richcompare as *const (), wrap_lt as *const (), c"__lt__($self, value, /)\n--\n\nReturn self<value.", 0),
    row(c"__le__", offset!(TP tp_richcompare), slot_richcompare as *const (), wrap_le as *const (), c"__le__($self, value, /)\n--\n\nReturn self<=value.", 0),
    row(c"__eq__", offset!(TP tp_richcompare), slot_richcompare as *const (), wrap_eq as *const (), c"__eq__($self, value, /)\n--\n\nReturn self==value.", 0),
    row(c"__ne__", offset!(TP tp_richcompare), slot_richcompare as *const (), wrap_ne as *const (), c"__ne__($self, value, /)\n--\n\nReturn self!=value.", 0),
    row(c"__gt__", offset!(TP tp_richcompare), slot_richcompare as *const (), wrap_gt as *const (), c"__gt__($self, value, /)\n--\n\nReturn self>value.", 0),
    row(c"__ge__", offset!(TP tp_richcompare), slot_richcompare as *const (), wrap_ge as *const (), c"__ge__($self, value, /)\n--\n\nReturn self>=value.", 0),
    row(c"__iter__", offset!(TP tp_iter), slot_iter as *const (), wrap_unary as *const (), c"__iter__($self, /)\n--\n\nImplement iter(self).", 0),
    row(c"__next__", offset!(TP tp_iternext), slot_iternext as *const (), wrap_next as *const (), c"__next__($self, /)\n--\n\nImplement next(self).", 0),
    row(c"__get__", offset!(TP tp_descr_get), slot_descr_get as *const (), wrap_descr_get as *const (), c"__get__($self, instance, owner=None, /)\n--\n\nReturn an attribute of instance, which is of type owner.", 0),
    row(c"__set__", offset!(TP tp_descr_set), slot_descr_set as *const (), wrap_descr_set as *const (), c"__set__($self, instance, value, /)\n--\n\nSet an attribute of instance to value.", 0),
    row(c"__delete__", offset!(TP tp_descr_set), slot_descr_set as *const (), wrap_descr_delete as *const (), c"__delete__($self, instance, /)\n--\n\nDelete an attribute of instance.", 0),
    row(c"__init__", offset!(TP tp_init), slot_init as *const (), wrap_init as *const (), c"__init__($self, /, *args, **kwargs)\n--\n\nInitialize self.  See help(type(self)) for accurate signature.", 1),
    row(c"__new__", offset!(TP tp_new), slot_new as *const (), null(), c"Create and return new object.", 0),
    row(c"__del__", offset!(TP tp_finalize), slot_finalize as *const (), wrap_del as *const (), c"__del__($self, /)\n--\n\nCalled when the instance is about to be destroyed.", 0),
    row(c"__buffer__", offset!(BF bf_getbuffer), slot_getbuffer as *const (), wrap_buffer as *const (), c"__buffer__($self, flags, /)\n--\n\nReturn a buffer object that exposes the underlying memory of the object.", 0),
    row(c"__release_buffer__", offset!(BF bf_releasebuffer), slot_releasebuffer as *const (), wrap_releasebuffer as *const (), c"__release_buffer__($self, buffer, /)\n--\n\nRelease the buffer object that exposes the underlying memory of the object.", 0),
    row(c"__await__", offset!(AM am_await), slot_await as *const (), wrap_unary as *const (), c"__await__($self, /)\n--\n\nReturn an iterator to be used in await expression.", 0),
    row(c"__aiter__", offset!(AM am_aiter), slot_aiter as *const (), wrap_unary as *const (), c"__aiter__($self, /)\n--\n\nReturn an awaitable, that resolves in asynchronous iterator.", 0),
    row(c"__anext__", offset!(AM am_anext), slot_anext as *const (), wrap_unary as *const (), c"__anext__($self, /)\n--\n\nReturn a value or raise StopAsyncIteration.", 0),
    row(c"__add__", offset!(NB nb_add), slot_add as *const (), wrap_binary_l as *const (), c"__add__($self, value, /)\n--\n\nReturn self+value.", 0),
    row(c"__radd__", offset!(NB nb_add), slot_add as *const (), wrap_binary_r as *const (), c"__radd__($self, value, /)\n--\n\nReturn value+self.", 0),
    row(c"__sub__", offset!(NB nb_subtract), slot_sub as *const (), wrap_binary_l as *const (), c"__sub__($self, value, /)\n--\n\nReturn self-value.", 0),
    row(c"__rsub__", offset!(NB nb_subtract), slot_sub as *const (), wrap_binary_r as *const (), c"__rsub__($self, value, /)\n--\n\nReturn value-self.", 0),
    row(c"__mul__", offset!(NB nb_multiply), slot_mul as *const (), wrap_binary_l as *const (), c"__mul__($self, value, /)\n--\n\nReturn self*value.", 0),
    row(c"__rmul__", offset!(NB nb_multiply), slot_mul as *const (), wrap_binary_r as *const (), c"__rmul__($self, value, /)\n--\n\nReturn value*self.", 0),
    row(c"__mod__", offset!(NB nb_remainder), slot_mod as *const (), wrap_binary_l as *const (), c"__mod__($self, value, /)\n--\n\nReturn self%value.", 0),
    row(c"__rmod__", offset!(NB nb_remainder), slot_mod as *const (), wrap_binary_r as *const (), c"__rmod__($self, value, /)\n--\n\nReturn value%self.", 0),
    row(c"__divmod__", offset!(NB nb_divmod), slot_divmod as *const (), wrap_binary_l as *const (), c"__divmod__($self, value, /)\n--\n\nReturn divmod(self, value).", 0),
    row(c"__rdivmod__", offset!(NB nb_divmod), slot_divmod as *const (), wrap_binary_r as *const (), c"__rdivmod__($self, value, /)\n--\n\nReturn divmod(value, self).", 0),
    row(c"__pow__", offset!(NB nb_power), slot_pow as *const (), wrap_ternary as *const (), c"__pow__($self, value, mod=None, /)\n--\n\nReturn pow(self, value, mod).", 0),
    row(c"__rpow__", offset!(NB nb_power), slot_pow as *const (), wrap_ternary_r as *const (), c"__rpow__($self, value, mod=None, /)\n--\n\nReturn pow(value, self, mod).", 0),
    row(c"__neg__", offset!(NB nb_negative), slot_neg as *const (), wrap_unary as *const (), c"__neg__($self, /)\n--\n\n-self", 0),
    row(c"__pos__", offset!(NB nb_positive), slot_pos as *const (), wrap_unary as *const (), c"__pos__($self, /)\n--\n\n+self", 0),
    row(c"__abs__", offset!(NB nb_absolute), slot_abs as *const (), wrap_unary as *const (), c"__abs__($self, /)\n--\n\nabs(self)", 0),
    row(c"__bool__", offset!(NB nb_bool), slot_bool as *const (), wrap_inquiry as *const (), c"__bool__($self, /)\n--\n\nTrue if self else False", 0),
    row(c"__invert__", offset!(NB nb_invert), slot_invert as *const (), wrap_unary as *const (), c"__invert__($self, /)\n--\n\n~self", 0),
    row(c"__lshift__", offset!(NB nb_lshift), slot_lshift as *const (), wrap_binary_l as *const (), c"__lshift__($self, value, /)\n--\n\nReturn self<<value.", 0),
    row(c"__rlshift__", offset!(NB nb_lshift), slot_lshift as *const (), wrap_binary_r as *const (), c"__rlshift__($self, value, /)\n--\n\nReturn value<<self.", 0),
    row(c"__rshift__", offset!(NB nb_rshift), slot_rshift as *const (), wrap_binary_l as *const (), c"__rshift__($self, value, /)\n--\n\nReturn self>>value.", 0),
    row(c"__rrshift__", offset!(NB nb_rshift), slot_rshift as *const (), wrap_binary_r as *const (), c"__rrshift__($self, value, /)\n--\n\nReturn value>>self.", 0),
    row(c"__and__", offset!(NB nb_and), slot_and as *const (), wrap_binary_l as *const (), c"__and__($self, value, /)\n--\n\nReturn self&value.", 0),
    row(c"__rand__", offset!(NB nb_and), slot_and as *const (), wrap_binary_r as *const (), c"__rand__($self, value, /)\n--\n\nReturn value&self.", 0),
    row(c"__xor__", offset!(NB nb_xor), slot_xor as *const (), wrap_binary_l as *const (), c"__xor__($self, value, /)\n--\n\nReturn self^value.", 0),
    row(c"__rxor__", offset!(NB nb_xor), slot_xor as *const (), wrap_binary_r as *const (), c"__rxor__($self, value, /)\n--\n\nReturn value^self.", 0),
    row(c"__or__", offset!(NB nb_or), slot_or as *const (), wrap_binary_l as *const (), c"__or__($self, value, /)\n--\n\nReturn self|value.", 0),
    row(c"__ror__", offset!(NB nb_or), slot_or as *const (), wrap_binary_r as *const (), c"__ror__($self, value, /)\n--\n\nReturn value|self.", 0),
    row(c"__int__", offset!(NB nb_int), slot_int as *const (), wrap_unary as *const (), c"__int__($self, /)\n--\n\nint(self)", 0),
    row(c"__float__", offset!(NB nb_float), slot_float as *const (), wrap_unary as *const (), c"__float__($self, /)\n--\n\nfloat(self)", 0),
    row(c"__iadd__", offset!(NB nb_inplace_add), slot_iadd as *const (), wrap_binary as *const (), c"__iadd__($self, value, /)\n--\n\nReturn self+=value.", 0),
    row(c"__isub__", offset!(NB nb_inplace_subtract), slot_isub as *const (), wrap_binary as *const (), c"__isub__($self, value, /)\n--\n\nReturn self-=value.", 0),
    row(c"__imul__", offset!(NB nb_inplace_multiply), slot_imul as *const (), wrap_binary as *const (), c"__imul__($self, value, /)\n--\n\nReturn self*=value.", 0),
    row(c"__imod__", offset!(NB nb_inplace_remainder), slot_imod as *const (), wrap_binary as *const (), c"__imod__($self, value, /)\n--\n\nReturn self%=value.", 0),
    row(c"__ipow__", offset!(NB nb_inplace_power), slot_ipow as *const (), wrap_ternary as *const (), c"__ipow__($self, value, /)\n--\n\nReturn self**=value.", 0),
    row(c"__ilshift__", offset!(NB nb_inplace_lshift), slot_ilshift as *const (), wrap_binary as *const (), c"__ilshift__($self, value, /)\n--\n\nReturn self<<=value.", 0),
    row(c"__irshift__", offset!(NB nb_inplace_rshift), slot_irshift as *const (), wrap_binary as *const (), c"__irshift__($self, value, /)\n--\n\nReturn self>>=value.", 0),
    row(c"__iand__", offset!(NB nb_inplace_and), slot_iand as *const (), wrap_binary as *const (), c"__iand__($self, value, /)\n--\n\nReturn self&=value.", 0),
    row(c"__ixor__", offset!(NB nb_inplace_xor), slot_ixor as *const (), wrap_binary as *const (), c"__ixor__($self, value, /)\n--\n\nReturn self^=value.", 0),
    row(c"__ior__", offset!(NB nb_inplace_or), slot_ior as *const (), wrap_binary as *const (), c"__ior__($self, value, /)\n--\n\nReturn self|=value.", 0),
    row(c"__floordiv__", offset!(NB nb_floor_divide), slot_floordiv as *const (), wrap_binary_l as *const (), c"__floordiv__($self, value, /)\n--\n\nReturn self//value.", 0),
    row(c"__rfloordiv__", offset!(NB nb_floor_divide), slot_floordiv as *const (), wrap_binary_r as *const (), c"__rfloordiv__($self, value, /)\n--\n\nReturn value//self.", 0),
    row(c"__truediv__", offset!(NB nb_true_divide), slot_truediv as *const (), wrap_binary_l as *const (), c"__truediv__($self, value, /)\n--\n\nReturn self/value.", 0),
    row(c"__rtruediv__", offset!(NB nb_true_divide), slot_truediv as *const (), wrap_binary_r as *const (), c"__rtruediv__($self, value, /)\n--\n\nReturn value/self.", 0),
    row(c"__ifloordiv__", offset!(NB nb_inplace_floor_divide), slot_ifloordiv as *const (), wrap_binary as *const (), c"__ifloordiv__($self, value, /)\n--\n\nReturn self//=value.", 0),
    row(c"__itruediv__", offset!(NB nb_inplace_true_divide), slot_itruediv as *const (), wrap_binary as *const (), c"__itruediv__($self, value, /)\n--\n\nReturn self/=value.", 0),
    row(c"__index__", offset!(NB nb_index), slot_index as *const (), wrap_unary as *const (), c"__index__($self, /)\n--\n\nReturn self converted to an integer, if self is suitable for use as an index into a list.", 0),
    row(c"__matmul__", offset!(NB nb_matrix_multiply), slot_matmul as *const (), wrap_binary_l as *const (), c"__matmul__($self, value, /)\n--\n\nReturn self@value.", 0),
    row(c"__rmatmul__", offset!(NB nb_matrix_multiply), slot_matmul as *const (), wrap_binary_r as *const (), c"__rmatmul__($self, value, /)\n--\n\nReturn value@self.", 0),
    row(c"__imatmul__", offset!(NB nb_inplace_matrix_multiply), slot_imatmul as *const (), wrap_binary as *const (), c"__imatmul__($self, value, /)\n--\n\nReturn self@=value.", 0),
    row(c"__len__", offset!(MP mp_length), slot_len as *const (), wrap_len as *const (), c"__len__($self, /)\n--\n\nReturn len(self).", 0),
    row(c"__getitem__", offset!(MP mp_subscript), slot_getitem as *const (), wrap_binary as *const (), c"__getitem__($self, key, /)\n--\n\nReturn self[key].", 0),
    row(c"__setitem__", offset!(MP mp_ass_subscript), slot_setitem as *const (), wrap_setitem as *const (), c"__setitem__($self, key, value, /)\n--\n\nSet self[key] to value.", 0),
    row(c"__delitem__", offset!(MP mp_ass_subscript), slot_setitem as *const (), wrap_delitem as *const (), c"__delitem__($self, key, /)\n--\n\nDelete self[key].", 0),
    row(c"__len__", offset!(SQ sq_length), slot_len as *const (), wrap_len as *const (), c"__len__($self, /)\n--\n\nReturn len(self).", 0),
    row(c"__add__", offset!(SQ sq_concat), null(), wrap_binary as *const (), c"__add__($self, value, /)\n--\n\nReturn self+value.", 0),
    row(c"__mul__", offset!(SQ sq_repeat), null(), wrap_sq_repeat as *const (), c"__mul__($self, value, /)\n--\n\nReturn self*value.", 0),
    row(c"__rmul__", offset!(SQ sq_repeat), null(), wrap_sq_repeat as *const (), c"__rmul__($self, value, /)\n--\n\nReturn value*self.", 0),
    row(c"__getitem__", offset!(SQ sq_item), slot_sq_item as *const (), wrap_sq_item as *const (), c"__getitem__($self, key, /)\n--\n\nReturn self[key].", 0),
    row(c"__setitem__", offset!(SQ sq_ass_item), slot_sq_ass_item as *const (), wrap_sq_setitem as *const (), c"__setitem__($self, key, value, /)\n--\n\nSet self[key] to value.", 0),
    row(c"__delitem__", offset!(SQ sq_ass_item), slot_sq_ass_item as *const (), wrap_sq_delitem as *const (), c"__delitem__($self, key, /)\n--\n\nDelete self[key].", 0),
    row(c"__contains__", offset!(SQ sq_contains), slot_contains as *const (), wrap_contains as *const (), c"__contains__($self, key, /)\n--\n\nReturn bool(key in self).", 0),
    row(c"__iadd__", offset!(SQ sq_inplace_concat), null(), wrap_binary as *const (), c"__iadd__($self, value, /)\n--\n\nImplement self+=value.", 0),
    row(c"__imul__", offset!(SQ sq_inplace_repeat), null(), wrap_sq_repeat as *const (), c"__imul__($self, value, /)\n--\n\nImplement self*=value.", 0),
];

/// The address of a slot in a type, or null when the type has no such suite.
pub fn slot_ptr(tp: &Type, offset: c_int) -> *mut *const () {
    let offset = offset as usize;
    let (suite, start): (*const c_void, usize) = if offset >= offset_of!(HeapType, as_buffer) {
        (tp.tp_as_buffer.get().cast(), offset_of!(HeapType, as_buffer))
    } else if offset >= offset_of!(HeapType, as_sequence) {
        (tp.tp_as_sequence.get().cast(), offset_of!(HeapType, as_sequence))
    } else if offset >= offset_of!(HeapType, as_mapping) {
        (tp.tp_as_mapping.get().cast(), offset_of!(HeapType, as_mapping))
    } else if offset >= offset_of!(HeapType, as_number) {
        (tp.tp_as_number.get().cast(), offset_of!(HeapType, as_number))
    } else if offset >= offset_of!(HeapType, as_async) {
        (tp.tp_as_async.get().cast(), offset_of!(HeapType, as_async))
    } else {
        (std::ptr::from_ref(tp).cast(), 0)
    };
    if suite.is_null() {
        return std::ptr::null_mut();
    }
    suite.cast_mut().cast::<u8>().wrapping_add(offset - start).cast()
}
