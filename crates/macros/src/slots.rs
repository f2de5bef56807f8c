//! Slots: one row per slot with where it lives and what its C function looks like.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::FnArg;
use syn::spanned::Spanned;

use crate::function::{Declared, inputs, receiver_expr};

/// Which struct the slot is a field of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    Type,
    Number,
    Sequence,
    Mapping,
    Async,
    Buffer,
}

/// The shape of a slot's Rust function.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// `(&self) -> value`
    Unary,
    /// `(&self) -> PyResult<Option<value>>`
    Next,
    /// `(&self) -> PyResult<isize>`
    Hash,
    /// `(&self) -> PyResult<usize>`
    Length,
    /// `(&self) -> PyResult<bool>`
    Bool,
    /// `(a, b) -> value`
    BinaryFree,
    /// `(a, b, c) -> value`
    TernaryFree,
    /// `(&self, &Object) -> value`
    Binary,
    /// `(&self, &Object, None) -> value`
    InplacePower,
    /// `(&self, isize) -> value`
    Index,
    /// `(&self, isize, Option<&Object>) -> PyResult<()>`
    AssignIndex,
    /// `(&self, &Object) -> PyResult<bool>`
    Contains,
    /// `(&self, &Object, Option<&Object>) -> PyResult<()>`
    Assign,
    /// `(&self, &Str) -> value`
    GetAttr,
    /// `(&self, &Str, Option<&Object>) -> PyResult<()>`
    SetAttr,
    /// `(&self, &Object, CompareOp) -> value`
    Compare,
    /// `(&self, Option<&Object>, Option<&Object>) -> value`
    DescrGet,
    /// `(&self, &Tuple, Option<&Dict>) -> value`
    Call,
    /// `(&self, &Tuple, Option<&Dict>) -> PyResult<()>`
    Init,
    /// `(&Type, &Tuple, Option<&Dict>) -> value`
    New,
    /// `(&Type, &[&Object], Option<&Tuple>) -> value`
    TypeVectorcall,
    /// `(&self, &Object) -> PyResult<SendResult>`
    Send,
    /// `(&self, &mut PyBuffer, i32) -> PyResult<()>`
    GetBuffer,
    /// `(&self, &mut PyBuffer)`
    ReleaseBuffer,
    /// `(&self)`
    Finalize,
    /// Only written raw.
    Raw,
}

fn row(name: &str) -> Option<(Suite, Shape)> {
    use Shape as S;
    use Suite as U;
    Some(match name {
        "tp_repr" | "tp_str" | "tp_iter" => (U::Type, S::Unary),
        "tp_iternext" => (U::Type, S::Next),
        "tp_hash" => (U::Type, S::Hash),
        "tp_call" => (U::Type, S::Call),
        "tp_getattro" => (U::Type, S::GetAttr),
        "tp_setattro" => (U::Type, S::SetAttr),
        "tp_richcompare" => (U::Type, S::Compare),
        "tp_descr_get" => (U::Type, S::DescrGet),
        "tp_descr_set" => (U::Type, S::Assign),
        "tp_init" => (U::Type, S::Init),
        "tp_new" => (U::Type, S::New),
        "tp_vectorcall" => (U::Type, S::TypeVectorcall),
        "tp_finalize" => (U::Type, S::Finalize),
        "tp_dealloc" | "tp_traverse" | "tp_clear" | "tp_alloc" | "tp_free" | "tp_is_gc" | "tp_del" => {
            (U::Type, S::Raw)
        }
        "nb_power" => (U::Number, S::TernaryFree),
        "nb_inplace_power" => (U::Number, S::InplacePower),
        "nb_bool" => (U::Number, S::Bool),
        "nb_negative" | "nb_positive" | "nb_absolute" | "nb_invert" | "nb_int" | "nb_float" | "nb_index" => {
            (U::Number, S::Unary)
        }
        "nb_inplace_add"
        | "nb_inplace_subtract"
        | "nb_inplace_multiply"
        | "nb_inplace_remainder"
        | "nb_inplace_lshift"
        | "nb_inplace_rshift"
        | "nb_inplace_and"
        | "nb_inplace_xor"
        | "nb_inplace_or"
        | "nb_inplace_floor_divide"
        | "nb_inplace_true_divide"
        | "nb_inplace_matrix_multiply" => (U::Number, S::Binary),
        "nb_add" | "nb_subtract" | "nb_multiply" | "nb_remainder" | "nb_divmod" | "nb_lshift"
        | "nb_rshift" | "nb_and" | "nb_xor" | "nb_or" | "nb_floor_divide" | "nb_true_divide"
        | "nb_matrix_multiply" => (U::Number, S::BinaryFree),
        "sq_length" => (U::Sequence, S::Length),
        "sq_concat" | "sq_inplace_concat" => (U::Sequence, S::Binary),
        "sq_repeat" | "sq_inplace_repeat" | "sq_item" => (U::Sequence, S::Index),
        "sq_ass_item" => (U::Sequence, S::AssignIndex),
        "sq_contains" => (U::Sequence, S::Contains),
        "mp_length" => (U::Mapping, S::Length),
        "mp_subscript" => (U::Mapping, S::Binary),
        "mp_ass_subscript" => (U::Mapping, S::Assign),
        "am_await" | "am_aiter" | "am_anext" => (U::Async, S::Unary),
        "am_send" => (U::Async, S::Send),
        "bf_getbuffer" => (U::Buffer, S::GetBuffer),
        "bf_releasebuffer" => (U::Buffer, S::ReleaseBuffer),
        _ => return None,
    })
}

/// The C wrapper of a slot function: suite, field and code.
pub fn wrap(declared: &Declared) -> syn::Result<(Suite, syn::Ident, TokenStream)> {
    let function = &declared.function;
    let ident = &function.sig.ident;
    let Some((suite, shape)) = row(&ident.to_string()) else {
        return Err(syn::Error::new(ident.span(), "no such slot"));
    };
    let field = format_ident!("{}", ident);
    let wrapper = declared.wrapper();
    let object = quote!(*mut ::taipan_object::Object);
    let support = quote!(::taipan_vm::macro_support);
    let head = quote! {
        #[doc(hidden)]
        #[allow(unused_variables, non_snake_case, clippy::undocumented_unsafe_blocks, clippy::useless_conversion)]
    };
    if function.sig.unsafety.is_some() {
        // Raw: the same signature with C's calling convention.
        let (parameters, output) = (&function.sig.inputs, &function.sig.output);
        let names = parameters
            .iter()
            .map(|input| match input {
                FnArg::Typed(typed) => {
                    let pattern = &typed.pat;
                    Ok(quote!(#pattern))
                }
                FnArg::Receiver(receiver) => {
                    Err(syn::Error::new(receiver.span(), "a raw slot takes pointers"))
                }
            })
            .collect::<syn::Result<Vec<_>>>()?;
        let code = quote! {
            #head
            pub unsafe extern "C" fn #wrapper(#parameters) #output {
                unsafe { Self::#ident(#(#names),*) }
            }
        };
        return Ok((suite, field, code));
    }
    let has_receiver =
        !matches!(shape, Shape::BinaryFree | Shape::TernaryFree | Shape::New | Shape::TypeVectorcall);
    let inputs = inputs(function, has_receiver)?;
    let first = receiver_expr(inputs.receiver, &quote!(zelf));
    let vm = if inputs.vm { quote!(vm) } else { quote!() };
    let current = quote!(let vm = unsafe { ::taipan_vm::Vm::current() };);
    let value = |call: TokenStream| quote!(#support::to_c(::taipan_vm::args::IntoPy::into_py(#call, vm)));
    let (parameters, output, body) = match shape {
        Shape::Unary => (quote!(zelf: #object), object.clone(), value(quote!(Self::#ident(#first #vm)))),
        Shape::Next => {
            (quote!(zelf: #object), object.clone(), quote!(#support::next_to_c(Self::#ident(#first #vm), vm)))
        }
        Shape::Hash => {
            (quote!(zelf: #object), quote!(isize), quote!(#support::hash_to_c(Self::#ident(#first #vm))))
        }
        Shape::Length => (
            quote!(zelf: #object),
            quote!(isize),
            quote!(#support::length_to_c(Self::#ident(#first #vm), vm)),
        ),
        Shape::Bool => (
            quote!(zelf: #object),
            quote!(::std::ffi::c_int),
            quote!(#support::bool_to_c(Self::#ident(#first #vm))),
        ),
        Shape::BinaryFree => (
            quote!(a: #object, b: #object),
            object.clone(),
            value(quote!(Self::#ident(unsafe { &*a }, unsafe { &*b }, #vm))),
        ),
        Shape::TernaryFree => (
            quote!(a: #object, b: #object, c: #object),
            object.clone(),
            value(quote!(Self::#ident(unsafe { &*a }, unsafe { &*b }, unsafe { &*c }, #vm))),
        ),
        Shape::Binary => (
            quote!(zelf: #object, other: #object),
            object.clone(),
            value(quote!(Self::#ident(#first unsafe { &*other }, #vm))),
        ),
        Shape::InplacePower => (
            quote!(zelf: #object, other: #object, _modulus: #object),
            object.clone(),
            value(quote!(Self::#ident(#first unsafe { &*other }, #vm))),
        ),
        Shape::Index => (
            quote!(zelf: #object, index: isize),
            object.clone(),
            value(quote!(Self::#ident(#first index, #vm))),
        ),
        Shape::AssignIndex => (
            quote!(zelf: #object, index: isize, value: #object),
            quote!(::std::ffi::c_int),
            quote!(#support::status_to_c(Self::#ident(#first index, unsafe { value.as_ref() }, #vm))),
        ),
        Shape::Contains => (
            quote!(zelf: #object, item: #object),
            quote!(::std::ffi::c_int),
            quote!(#support::bool_to_c(Self::#ident(#first unsafe { &*item }, #vm))),
        ),
        Shape::Assign => (
            quote!(zelf: #object, key: #object, value: #object),
            quote!(::std::ffi::c_int),
            quote!(#support::status_to_c(Self::#ident(#first unsafe { &*key }, unsafe { value.as_ref() }, #vm))),
        ),
        Shape::GetAttr => (
            quote!(zelf: #object, name: #object),
            object.clone(),
            quote!(#support::to_c(#support::attr_name(name, vm).and_then(|name| {
                ::taipan_vm::args::IntoPy::into_py(Self::#ident(#first name, #vm), vm)
            }))),
        ),
        Shape::SetAttr => (
            quote!(zelf: #object, name: #object, value: #object),
            quote!(::std::ffi::c_int),
            quote!(#support::status_to_c(#support::attr_name(name, vm).and_then(|name| {
                Self::#ident(#first name, unsafe { value.as_ref() }, #vm)
            }))),
        ),
        Shape::Compare => (
            quote!(zelf: #object, other: #object, op: ::std::ffi::c_int),
            object.clone(),
            value(quote!(Self::#ident(
                #first unsafe { &*other }, ::taipan_vm::protocols::compare::CompareOp::from_c(op), #vm
            ))),
        ),
        Shape::DescrGet => (
            quote!(zelf: #object, object: #object, owner: #object),
            object.clone(),
            value(quote!(Self::#ident(#first unsafe { object.as_ref() }, unsafe { owner.as_ref() }, #vm))),
        ),
        Shape::Call => (
            quote!(zelf: #object, args: #object, kwargs: #object),
            object.clone(),
            value(quote!(Self::#ident(
                #first unsafe { #support::receiver(args) }, unsafe { #support::optional(kwargs) }, #vm
            ))),
        ),
        Shape::Init => (
            quote!(zelf: #object, args: #object, kwargs: #object),
            quote!(::std::ffi::c_int),
            quote!(#support::status_to_c(Self::#ident(
                #first unsafe { #support::receiver(args) }, unsafe { #support::optional(kwargs) }, #vm
            ))),
        ),
        Shape::New => (
            quote!(cls: *mut ::taipan_object::Type, args: #object, kwargs: #object),
            object.clone(),
            value(quote!(Self::#ident(
                unsafe { &*cls }, unsafe { #support::receiver(args) }, unsafe { #support::optional(kwargs) }, #vm
            ))),
        ),
        Shape::TypeVectorcall => (
            quote!(cls: #object, args: *const #object, nargsf: usize, kwnames: #object),
            object.clone(),
            quote! {{
                let names: Option<&::taipan_vm::builtins::tuple::Tuple> = unsafe { #support::optional(kwnames) };
                let total = (nargsf & !::taipan_vm::protocols::call::ARGUMENTS_OFFSET) + names.map_or(0, |n| n.len());
                #support::to_c(::taipan_vm::args::IntoPy::into_py(Self::#ident(
                    unsafe { #support::receiver(cls) }, unsafe { #support::arg_slice(args, total) }, names, #vm
                ), vm))
            }},
        ),
        Shape::Send => (
            quote!(zelf: #object, value: #object, result: *mut #object),
            quote!(::std::ffi::c_int),
            quote!(unsafe { #support::send_to_c(Self::#ident(#first &*value, #vm), result) }),
        ),
        Shape::GetBuffer => (
            quote!(zelf: #object, view: *mut ::taipan_object::defs::PyBuffer, flags: ::std::ffi::c_int),
            quote!(::std::ffi::c_int),
            quote! {{
                unsafe { (*view).obj = ::std::ptr::null_mut() };
                #support::status_to_c(Self::#ident(#first unsafe { &mut *view }, flags, #vm))
            }},
        ),
        Shape::ReleaseBuffer => (
            quote!(zelf: #object, view: *mut ::taipan_object::defs::PyBuffer),
            quote!(()),
            quote!(Self::#ident(#first unsafe { &mut *view }, #vm)),
        ),
        Shape::Finalize => (quote!(zelf: #object), quote!(()), quote!({ Self::#ident(#first #vm); })),
        Shape::Raw => {
            return Err(syn::Error::new(ident.span(), "this slot is written raw: an unsafe fn of pointers"));
        }
    };
    let code = quote! {
        #head
        pub unsafe extern "C" fn #wrapper(#parameters) -> #output {
            #current
            #body
        }
    };
    Ok((suite, field, code))
}
