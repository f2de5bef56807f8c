//! Libraries of the system that a module opens when it is imported: the executable is linked with none of them, and where
//! one is absent the import fails as it does in a CPython that was built without it.
//!
//! `dynamic_library!` declares what is taken from a library, as a header does; the structure it makes holds the addresses.

use std::ffi::{CStr, CString, c_void};
use std::marker::PhantomData;
use std::os::raw::c_char;
use std::ptr::NonNull;

use taipan_vm::prelude::*;

/// An open library. It stays open for good, since its functions' addresses are kept.
#[derive(Clone, Copy)]
pub struct Library(NonNull<c_void>);

impl Library {
    /// Opens the first of the files that there is; else tells what the loader says of the first.
    pub fn open(files: &[&CStr]) -> Result<Library, String> {
        let mut reason = None;
        for file in files {
            // SAFETY: the name is NUL-terminated; the initialisers of the libraries named here do nothing to us.
            let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
            match NonNull::new(handle) {
                Some(handle) => return Ok(Library(handle)),
                None => reason = reason.or_else(last_error),
            }
        }
        Err(reason.unwrap_or_default())
    }

    /// The address of a function or variable.
    pub fn symbol(self, name: &str) -> Option<NonNull<c_void>> {
        let name = CString::new(name).ok()?;
        // SAFETY: the handle is open, the name NUL-terminated.
        NonNull::new(unsafe { libc::dlsym(self.0.as_ptr(), name.as_ptr()) })
    }

    /// The address of what the library can't be without.
    pub fn required(self, name: &str) -> Result<NonNull<c_void>, String> {
        self.symbol(name).ok_or_else(|| format!("undefined symbol: {name}"))
    }
}

fn last_error() -> Option<String> {
    // SAFETY: the loader gives null or a NUL-terminated text of this thread.
    unsafe {
        let text = libc::dlerror();
        (!text.is_null()).then(|| CStr::from_ptr(text).to_string_lossy().into_owned())
    }
}

/// `ImportError` for a module whose library can't be used.
pub fn import_error(module: &str, reason: &str, vm: &Vm) -> Raised {
    let name = vm.new_str(module);
    let text = vm.new_str(reason);
    taipan_vm::exceptions::import_error::raise_import_error(
        types::import_error(),
        &text,
        Some(name.as_object()),
        None,
        None,
        vm,
    )
}

/// A NUL-terminated text on its way into C: alive for the call, and not kept by the function.
#[repr(transparent)]
#[derive(Clone, Copy)]
pub struct CText<'a>(*const c_char, PhantomData<&'a CStr>);

impl<'a> From<&'a CStr> for CText<'a> {
    fn from(text: &'a CStr) -> Self {
        CText(text.as_ptr(), PhantomData)
    }
}

/// Declares what is taken from a library, in up to five groups, in this order:
/// - `safe`: functions that are sound for all values of their parameters' types; they become safe methods;
/// - `vouched`: functions whose caller has something to vouch for; unsafe methods;
/// - `optional`: functions that not all versions have; methods that give the function, if it is there;
/// - `data`: variables; methods that give their address;
/// - `optional data`.
///
/// `resolve(library, prefix)` finds all of it under the names with the prefix.
macro_rules! dynamic_library {
    (
        $(#[$meta:meta])*
        pub struct $name:ident;
        $(safe { $($(#[$smeta:meta])* fn $safe:ident($($sarg:ident: $sty:ty),* $(,)?) $(-> $sret:ty)?;)* })?
        $(vouched { $($(#[$umeta:meta])* fn $unsafe_:ident($($uarg:ident: $uty:ty),* $(,)?) $(-> $uret:ty)?;)* })?
        $(optional { $(fn $opt:ident($($oty:ty),* $(,)?) $(-> $oret:ty)?;)* })?
        $(data { $($data:ident: $dty:ty;)* })?
        $(optional data { $($odata:ident: $odty:ty;)* })?
    ) => {
        $(#[$meta])*
        #[allow(non_snake_case, missing_docs, reason = "C's names, which the library's manual explains")]
        pub struct $name {
            $($($safe: unsafe extern "C" fn($($sty),*) $(-> $sret)?,)*)?
            $($($unsafe_: unsafe extern "C" fn($($uty),*) $(-> $uret)?,)*)?
            $($($opt: Option<unsafe extern "C" fn($($oty),*) $(-> $oret)?>,)*)?
            $($($data: std::ptr::NonNull<std::ffi::c_void>,)*)?
            $($($odata: Option<std::ptr::NonNull<std::ffi::c_void>>,)*)?
        }

        // SAFETY: addresses of code and of the library's variables; what may be done with them is each user's affair.
        unsafe impl Send for $name {}
        // SAFETY: as above.
        unsafe impl Sync for $name {}

        #[allow(
            non_snake_case, missing_docs, clippy::too_many_arguments, dead_code,
            reason = "C's names and parameters, which the library's manual explains"
        )]
        impl $name {
            /// Finds everything in a library; the error names what it lacks.
            pub fn resolve(library: $crate::dynamic::Library, prefix: &str) -> Result<Self, String> {
                let find = |name: &str| library.required(&format!("{prefix}{name}"));
                let _ = &find;
                Ok($name {
                    $($($safe: {
                        let address = find(stringify!($safe))?.as_ptr();
                        // SAFETY: the library's header declares the function of this name so.
                        unsafe {
                            std::mem::transmute::<*mut std::ffi::c_void, unsafe extern "C" fn($($sty),*) $(-> $sret)?>(
                                address,
                            )
                        }
                    },)*)?
                    $($($unsafe_: {
                        let address = find(stringify!($unsafe_))?.as_ptr();
                        // SAFETY: the library's header declares the function of this name so.
                        unsafe {
                            std::mem::transmute::<*mut std::ffi::c_void, unsafe extern "C" fn($($uty),*) $(-> $uret)?>(
                                address,
                            )
                        }
                    },)*)?
                    $($($opt: {
                        let address = library.symbol(&format!("{prefix}{}", stringify!($opt)));
                        let address = address.map_or(std::ptr::null_mut(), std::ptr::NonNull::as_ptr);
                        // SAFETY: the library's header declares the function of this name so; null is none.
                        unsafe {
                            std::mem::transmute::<
                                *mut std::ffi::c_void,
                                Option<unsafe extern "C" fn($($oty),*) $(-> $oret)?>,
                            >(address)
                        }
                    },)*)?
                    $($($data: find(stringify!($data))?,)*)?
                    $($($odata: library.symbol(&format!("{prefix}{}", stringify!($odata))),)*)?
                })
            }

            $($($(#[$smeta])* pub fn $safe(&self, $($sarg: $sty),*) $(-> $sret)? {
                // SAFETY: it is declared among those that are sound for all values of their parameters' types.
                unsafe { (self.$safe)($($sarg),*) }
            })*)?
            $($($(#[$umeta])*
            /// # Safety
            /// As the library's manual asks.
            pub unsafe fn $unsafe_(&self, $($uarg: $uty),*) $(-> $uret)? {
                // SAFETY: passed on to the caller.
                unsafe { (self.$unsafe_)($($uarg),*) }
            })*)?
            $($(pub fn $opt(&self) -> Option<unsafe extern "C" fn($($oty),*) $(-> $oret)?> {
                self.$opt
            })*)?
            $($(pub fn $data(&self) -> *mut $dty {
                self.$data.as_ptr().cast()
            })*)?
            $($(pub fn $odata(&self) -> Option<*mut $odty> {
                Some(self.$odata?.as_ptr().cast())
            })*)?
        }
    };
}
pub(crate) use dynamic_library;
