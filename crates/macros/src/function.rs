//! Methods and functions: their trampolines and their rows in the method table.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, FnArg, ImplItemFn, LitStr, Type};

use crate::signature::{Kind, Signature};

/// What a table of functions belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    Type,
    Module,
}

/// What a function is declared as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Method,
    ClassMethod,
    StaticMethod,
    Function,
    New,
    Init,
    Getter,
    Setter,
    Slot,
    Constant,
    Exec,
}

/// A declared function with its attribute taken off.
pub struct Declared {
    pub role: Role,
    /// The Python name.
    pub name: String,
    pub signature: Option<Signature>,
    pub coexist: bool,
    pub doc: String,
    pub function: ImplItemFn,
}

/// The text of `///` lines.
pub fn doc_text(attrs: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attr in attrs {
        if let syn::Meta::NameValue(pair) = &attr.meta {
            if pair.path.is_ident("doc") {
                if let syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(text), .. }) = &pair.value {
                    let line = text.value();
                    lines.push(line.strip_prefix(' ').unwrap_or(&line).to_owned());
                }
            }
        }
    }
    lines.join("\n")
}

/// A C string literal of a text.
pub fn c_string(text: &str) -> TokenStream {
    let clean = text.replace('\0', "");
    let literal = Literal::c_string(&std::ffi::CString::new(clean).unwrap_or_default());
    quote!(#literal.as_ptr())
}

fn python_name(text: &str) -> String {
    let text = text.strip_prefix("r#").unwrap_or(text);
    let dunder = text.starts_with("__") && text.ends_with("__");
    if dunder { text.to_owned() } else { text.strip_suffix('_').unwrap_or(text).to_owned() }
}

impl Declared {
    /// Takes the declaring attribute off a function. `None` when it has none: a plain helper.
    pub fn take(function: &mut ImplItemFn) -> syn::Result<Option<Declared>> {
        let roles = [
            ("method", Role::Method),
            ("classmethod", Role::ClassMethod),
            ("staticmethod", Role::StaticMethod),
            ("function", Role::Function),
            ("new", Role::New),
            ("init", Role::Init),
            ("getter", Role::Getter),
            ("setter", Role::Setter),
            ("slot", Role::Slot),
            ("constant", Role::Constant),
            ("exec", Role::Exec),
        ];
        let Some((at, role)) = function.attrs.iter().enumerate().find_map(|(at, attr)| {
            roles.iter().find(|(name, _)| attr.path().is_ident(name)).map(|(_, role)| (at, *role))
        }) else {
            return Ok(None);
        };
        let attr = function.attrs.remove(at);
        let mut declared = Declared {
            role,
            name: python_name(&function.sig.ident.to_string()),
            signature: None,
            coexist: false,
            doc: doc_text(&function.attrs),
            function: function.clone(),
        };
        if role == Role::Setter {
            let text = function.sig.ident.to_string();
            if let Some(name) = text.strip_prefix("set_") {
                declared.name = python_name(name);
            }
        }
        if let syn::Meta::List(list) = &attr.meta {
            list.parse_args_with(|input: syn::parse::ParseStream<'_>| {
                while !input.is_empty() {
                    if input.peek(LitStr) {
                        let literal: LitStr = input.parse()?;
                        match role {
                            Role::Constant | Role::Getter | Role::Setter => declared.name = literal.value(),
                            _ => declared.signature = Some(Signature::parse(&literal)?),
                        }
                    } else {
                        let ident: syn::Ident = syn::Ident::parse_any_ident(input)?;
                        if ident == "name" {
                            input.parse::<syn::Token![=]>()?;
                            declared.name = input.parse::<LitStr>()?.value();
                        } else if ident == "coexist" {
                            declared.coexist = true;
                        } else if matches!(role, Role::Getter | Role::Setter) {
                            declared.name = ident.to_string();
                        } else {
                            return Err(syn::Error::new(ident.span(), "unknown option"));
                        }
                    }
                    if !input.is_empty() {
                        input.parse::<syn::Token![,]>()?;
                    }
                }
                Ok(())
            })?;
        }
        let wants = matches!(
            role,
            Role::Method | Role::ClassMethod | Role::StaticMethod | Role::Function | Role::New | Role::Init
        );
        if wants && declared.signature.is_none() {
            return Err(syn::Error::new(
                attr.span(),
                "a text signature is wanted, e.g. #[method(\"($self, x, /)\")]",
            ));
        }
        Ok(Some(declared))
    }

    /// The wrapper's name.
    pub fn wrapper(&self) -> syn::Ident {
        let text = self.function.sig.ident.to_string();
        format_ident!("__c_{}", text.strip_prefix("r#").unwrap_or(&text))
    }
}

trait ParseAnyIdent: Sized {
    fn parse_any_ident(input: syn::parse::ParseStream<'_>) -> syn::Result<Self>;
}

impl ParseAnyIdent for syn::Ident {
    fn parse_any_ident(input: syn::parse::ParseStream<'_>) -> syn::Result<Self> {
        use syn::ext::IdentExt;
        syn::Ident::parse_any(input)
    }
}

/// Whether a type is `&Vm`.
pub fn is_vm(ty: &Type) -> bool {
    last_segment_of_reference(ty).is_some_and(|name| name == "Vm")
}

/// `Name` of `&Name` or `&path::Name`.
pub fn last_segment_of_reference(ty: &Type) -> Option<String> {
    let Type::Reference(reference) = ty else { return None };
    let Type::Path(path) = &*reference.elem else { return None };
    path.path.segments.last().map(|s| s.ident.to_string())
}

fn last_segment(ty: &Type) -> Option<String> {
    let Type::Path(path) = ty else { return None };
    path.path.segments.last().map(|s| s.ident.to_string())
}

/// The Rust parameters of a function, taken apart.
pub struct Inputs<'a> {
    pub receiver: Option<Receiver>,
    pub params: Vec<&'a Type>,
    pub vm: bool,
}

/// How the receiver is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Receiver {
    /// `&self`.
    Layout,
    /// The first parameter, a reference to an object or a layout.
    Typed,
}

/// Takes the parameters apart; `has_receiver` says that the first is one.
pub fn inputs(function: &ImplItemFn, has_receiver: bool) -> syn::Result<Inputs<'_>> {
    let mut receiver = None;
    let mut params = Vec::new();
    let mut vm = false;
    for (at, input) in function.sig.inputs.iter().enumerate() {
        match input {
            FnArg::Receiver(_) => receiver = Some(Receiver::Layout),
            FnArg::Typed(typed) if at == 0 && has_receiver && !is_vm(&typed.ty) => {
                receiver = Some(Receiver::Typed);
            }
            FnArg::Typed(typed) if is_vm(&typed.ty) => vm = true,
            FnArg::Typed(typed) => params.push(&*typed.ty),
        }
    }
    if has_receiver && receiver.is_none() {
        return Err(syn::Error::new(function.sig.span(), "a receiver is wanted: &self or zelf: &Object"));
    }
    Ok(Inputs { receiver, params, vm })
}

/// The expression that passes the object behind a raw pointer as receiver.
pub fn receiver_expr(receiver: Option<Receiver>, pointer: &TokenStream) -> TokenStream {
    match receiver {
        // SAFETY comments stand in the generated code's home, `macro_support`.
        Some(Receiver::Layout) => quote!(unsafe { &*#pointer.cast::<Self>() },),
        Some(Receiver::Typed) => quote!(unsafe { ::taipan_vm::macro_support::receiver(#pointer) },),
        None => quote!(),
    }
}

fn default_expr(text: &str, ty: &Type) -> syn::Result<TokenStream> {
    if last_segment(ty).is_some_and(|name| name == "OrNone") {
        return Ok(quote!(::taipan_vm::args::OrNone(None)));
    }
    let rust = match text {
        "True" => "true".to_owned(),
        "False" => "false".to_owned(),
        _ if text.starts_with('\'') => {
            format!("{:?}", text.trim_matches('\''))
        }
        _ => text.to_owned(),
    };
    let expr: syn::Expr = syn::parse_str(&rust)
        .map_err(|_| syn::Error::new(ty.span(), format!("the default {text} needs an Option parameter")))?;
    Ok(quote_spanned!(ty.span().resolved_at(proc_macro2::Span::call_site())=> #expr))
}

/// The expression that parses `args`, `nargs`, `kwnames` by the signature and calls the function with what it finds.
/// `first` is passed in front (receiver or class), with its own trailing comma.
pub fn call_parsed(
    declared: &Declared,
    shown: &str,
    first: &TokenStream,
    inputs: &Inputs<'_>,
) -> syn::Result<TokenStream> {
    let Some(signature) = &declared.signature else {
        return Err(syn::Error::new(declared.function.sig.span(), "no signature"));
    };
    if signature.params.len() != inputs.params.len() {
        return Err(syn::Error::new(
            declared.function.sig.span(),
            format!(
                "the signature has {} parameters, the function takes {}",
                signature.params.len(),
                inputs.params.len()
            ),
        ));
    }
    let name = &declared.function.sig.ident;
    let vm = if inputs.vm { quote!(vm) } else { quote!() };
    let mut conversions = Vec::new();
    let mut names = Vec::new();
    let simple: Vec<_> = signature
        .params
        .iter()
        .filter(|p| !matches!(p.kind, Kind::VarPositional | Kind::VarKeyword))
        .collect();
    let mut slot = 0usize;
    for (at, (param, ty)) in signature.params.iter().zip(&inputs.params).enumerate() {
        let local = format_ident!("a{at}");
        names.push(local.clone());
        let span = ty.span().resolved_at(proc_macro2::Span::call_site());
        match param.kind {
            Kind::VarPositional => conversions.push(quote_spanned!(span=> let #local: #ty = rest;)),
            Kind::VarKeyword => conversions.push(quote_spanned!(span=> let #local: #ty = keywords;)),
            kind => {
                let position = if kind == Kind::KeywordOnly { 0 } else { slot + 1 };
                let text = &param.name;
                // Argument Clinic tells parameters that can be keywords by name, a lone positional one by nothing.
                let lone = signature.params.len() == 1 && param.default.is_none();
                let (told_position, told_name) = match kind {
                    Kind::PositionalOnly if lone => (0, ""),
                    Kind::PositionalOnly => (position, text.as_str()),
                    _ => (0, text.as_str()),
                };
                let convert = quote_spanned! {span=>
                    ::taipan_vm::macro_support::convert(
                        given,
                        &::taipan_vm::args::ArgName { func: #shown, pos: #told_position, name: #told_name },
                        vm,
                    )?
                };
                let absent = match &param.default {
                    None => {
                        quote!(return Err(::taipan_vm::macro_support::missing(#shown, #text, #position, vm)))
                    }
                    Some(_) if last_segment(ty).is_some_and(|n| n == "Option") => quote!(None),
                    Some(default) => default_expr(default, ty)?,
                };
                conversions.push(quote_spanned! {span=>
                    let #local: #ty = match found[#slot] { Some(given) => #convert, None => #absent };
                });
                slot += 1;
            }
        }
    }
    let count = simple.len();
    let param_names: Vec<&String> = simple.iter().map(|p| &p.name).collect();
    let positional_only = simple.iter().filter(|p| p.kind == Kind::PositionalOnly).count();
    let positional = simple.iter().filter(|p| p.kind != Kind::KeywordOnly).count();
    let required = simple.iter().filter(|p| p.kind != Kind::KeywordOnly && p.default.is_none()).count();
    let var_positional = signature.params.iter().any(|p| p.kind == Kind::VarPositional);
    let var_keyword = signature.params.iter().any(|p| p.kind == Kind::VarKeyword);
    let parse = if signature.positional_only() {
        quote! {
            ::taipan_vm::macro_support::check_positional(#shown, nargs, #required, #count, vm)?;
            let mut found: [Option<&::taipan_object::Object>; #count] = [None; #count];
            // SAFETY: the array holds `nargs` arguments, which is no more than there are places.
            let given = unsafe { ::taipan_vm::macro_support::arg_slice(args, nargs) };
            for (place, value) in found.iter_mut().zip(given) {
                *place = Some(*value);
            }
        }
    } else {
        quote! {
            static PARAMS: ::taipan_vm::macro_support::Params = ::taipan_vm::macro_support::Params {
                func: #shown,
                names: &[#(#param_names),*],
                positional_only: #positional_only,
                positional: #positional,
                required: #required,
                var_positional: #var_positional,
                var_keyword: #var_keyword,
            };
            let mut found: [Option<&::taipan_object::Object>; #count] = [None; #count];
            // SAFETY: the array holds `nargs` arguments and the values of `kwnames`.
            let (rest, keywords) =
                unsafe { ::taipan_vm::macro_support::parse(&PARAMS, args, nargs, kwnames, &mut found, vm)? };
            let _ = (&rest, &keywords);
        }
    };
    Ok(quote! {{
        #parse
        #(#conversions)*
        ::taipan_vm::args::IntoPy::into_py(Self::#name(#first #(#names,)* #vm), vm)
    }})
}

/// The wrapper of a method or function and its row in the table.
pub fn method(declared: &Declared, owner: Owner) -> syn::Result<(TokenStream, TokenStream)> {
    let Some(signature) = &declared.signature else {
        return Err(syn::Error::new(declared.function.sig.span(), "no signature"));
    };
    let wrapper = declared.wrapper();
    let shown = declared.name.as_str();
    let (inputs, first) = match declared.role {
        Role::Method => {
            let inputs = inputs(&declared.function, true)?;
            let first = receiver_expr(inputs.receiver, &quote!(zelf));
            (inputs, first)
        }
        Role::ClassMethod => {
            let inputs = inputs(&declared.function, true)?;
            (inputs, quote!(unsafe { ::taipan_vm::macro_support::receiver(zelf) },))
        }
        _ => {
            let takes_module = owner == Owner::Module
                && declared.function.sig.inputs.first().is_some_and(|input| match input {
                    FnArg::Typed(typed) => {
                        last_segment_of_reference(&typed.ty).is_some_and(|n| n == "Module")
                    }
                    FnArg::Receiver(_) => false,
                });
            let inputs = inputs(&declared.function, takes_module)?;
            let first = if takes_module {
                quote!(unsafe { ::taipan_vm::macro_support::receiver(zelf) },)
            } else {
                quote!()
            };
            (inputs, first)
        }
    };
    let (mut flags, kind) = convention(signature);
    match declared.role {
        Role::ClassMethod => flags |= 0x10,
        Role::StaticMethod => flags |= 0x20,
        _ => {}
    }
    if declared.coexist {
        flags |= 0x40;
    }
    let body = call_parsed(declared, shown, &first, &inputs)?;
    let object = quote!(*mut ::taipan_object::Object);
    let (parameters, prelude, from) = match kind {
        Convention::NoArgs => (
            quote!(zelf: #object, _nothing: #object),
            quote!(let (args, nargs) = (::std::ptr::null::<#object>(), 0usize);),
            quote!(CFunction),
        ),
        Convention::One => (
            quote!(zelf: #object, one: #object),
            quote!(let (args, nargs) = (&raw const one, 1usize);),
            quote!(CFunction),
        ),
        Convention::Fast => (
            quote!(zelf: #object, args: *const #object, nargs: isize),
            quote!(let nargs = nargs as usize;),
            quote!(CFunctionFast),
        ),
        Convention::FastKeywords => (
            quote!(zelf: #object, args: *const #object, nargs: isize, kwnames: #object),
            quote!(let nargs = nargs as usize;),
            quote!(CFunctionFastKw),
        ),
    };
    let function = quote! {
        #[doc(hidden)]
        #[allow(unused_variables, non_snake_case, clippy::undocumented_unsafe_blocks, clippy::indexing_slicing, clippy::useless_conversion)]
        pub unsafe extern "C" fn #wrapper(#parameters) -> #object {
            let vm = unsafe { ::taipan_vm::Vm::current() };
            #prelude
            ::taipan_vm::macro_support::to_c((|| -> ::taipan_vm::PyResult { #body })())
        }
    };
    let name = c_string(shown);
    let doc = c_string(&format!("{shown}{}\n--\n\n{}", signature.text, declared.doc));
    let row = quote! {
        ::taipan_object::defs::MethodDef {
            ml_name: #name,
            // SAFETY: the flags tell callers the true signature.
            ml_meth: Some(unsafe {
                ::std::mem::transmute::<::taipan_object::defs::#from, ::taipan_object::defs::CFunction>(Self::#wrapper)
            }),
            ml_flags: #flags,
            ml_doc: #doc,
        }
    };
    Ok((function, row))
}

enum Convention {
    NoArgs,
    One,
    Fast,
    FastKeywords,
}

fn convention(signature: &Signature) -> (i32, Convention) {
    let params = &signature.params;
    if params.is_empty() {
        return (4, Convention::NoArgs);
    }
    if signature.positional_only() {
        if params.len() == 1 && params.iter().all(|p| p.default.is_none()) {
            return (8, Convention::One);
        }
        return (0x80, Convention::Fast);
    }
    (0x80 | 2, Convention::FastKeywords)
}
