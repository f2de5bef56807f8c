//! The variable arguments of a C call, read in order through `variadic.c`.

use std::ffi::{c_char, c_double, c_int, c_long, c_longlong, c_void};

use crate::support::Ptr;

/// `Arguments` of `variadic.c`.
#[repr(C)]
pub struct VaList {
    opaque: [u8; 0],
}

unsafe extern "C" {
    fn taipan_next_int(args: *mut VaList) -> c_int;
    fn taipan_next_long(args: *mut VaList) -> c_long;
    fn taipan_next_long_long(args: *mut VaList) -> c_longlong;
    fn taipan_next_size(args: *mut VaList) -> isize;
    fn taipan_next_double(args: *mut VaList) -> c_double;
    fn taipan_next_pointer(args: *mut VaList) -> *mut c_void;
}

macro_rules! reader {
    ($($(#[$doc:meta])* $method:ident $function:ident $t:ty;)*) => {
        /// A cursor over the arguments. The format that the caller wrote decides the types: each method is as unsafe as
        /// `va_arg`, which the constructor's caller answers for.
        impl Args {$(
            $(#[$doc])*
            pub fn $method(&mut self) -> $t {
                // SAFETY: the caller of `new` vouches that the arguments match the format.
                unsafe { $function(self.0) }
            }
        )*}
    };
}

/// The reading end of a `VaList`.
pub struct Args(*mut VaList);

reader! {
    /// `int`, and what is promoted to it.
    int taipan_next_int c_int;
    /// `long` and `unsigned long`.
    long taipan_next_long c_long;
    /// `long long` and `unsigned long long`.
    long_long taipan_next_long_long c_longlong;
    /// `Py_ssize_t` and `size_t`.
    size taipan_next_size isize;
    /// `double`, and what is promoted to it.
    double taipan_next_double c_double;
    /// Any data pointer.
    pointer taipan_next_pointer *mut c_void;
}

impl Args {
    /// # Safety
    /// `list` is live, and the arguments in it are those that the format says.
    pub unsafe fn new(list: *mut VaList) -> Args {
        Args(list)
    }

    /// `PyObject *`.
    pub fn object(&mut self) -> Ptr {
        self.pointer().cast()
    }

    /// `const char *`.
    pub fn text(&mut self) -> *const c_char {
        self.pointer().cast()
    }

    /// A pointer to store a result through.
    pub fn place<T>(&mut self) -> *mut T {
        self.pointer().cast()
    }
}
