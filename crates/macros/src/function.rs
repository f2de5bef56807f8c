//! Methods and functions: their trampolines and their rows in the method table.

use proc_macro2::{Literal, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
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
    /// The text signature to show, for functions that parse their arguments themselves: `shown = "(…)"`.
    pub shown: Option<String>,
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

/// The section of texts that a start reads: names, and the docstrings of types and modules. They lie close together there.
const NAMES: &str = "taipan_names";
/// The section of the other docstrings.
const DOCS: &str = "taipan_docs";

/// A static with a text's bytes in a section, and the expression that is made of it.
fn text_in(section: &str, bytes: &[u8], made: &TokenStream) -> TokenStream {
    let size = bytes.len();
    let literal = Literal::byte_string(bytes);
    quote!({
        #[cfg_attr(target_os = "linux", unsafe(link_section = #section))]
        static TEXT: [u8; #size] = *#literal;
        #made
    })
}

fn c_string_in(section: &str, text: &str) -> TokenStream {
    let mut bytes: Vec<u8> = text.bytes().filter(|&byte| byte != 0).collect();
    bytes.push(0);
    text_in(section, &bytes, &quote!((&raw const TEXT).cast::<::std::ffi::c_char>()))
}

/// A name or a type's docstring, as a C string.
pub fn c_string(text: &str) -> TokenStream {
    c_string_in(NAMES, text)
}

/// The docstring of a function or attribute, as a C string.
pub fn doc_string(text: &str) -> TokenStream {
    c_string_in(DOCS, text)
}

/// The name of a module or of a constant in it, or a module's docstring, as a `str`.
pub fn name_str(text: &str) -> TokenStream {
    let made = quote! {
        // SAFETY: the bytes of a string.
        unsafe { ::std::str::from_utf8_unchecked(&TEXT) }
    };
    text_in(NAMES, text.as_bytes(), &made)
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
            shown: None,
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
                        let ident = syn::Ident::parse_any(input)?;
                        let in_table = matches!(
                            role,
                            Role::Method | Role::ClassMethod | Role::StaticMethod | Role::Function
                        );
                        let attribute = matches!(role, Role::Getter | Role::Setter | Role::Constant);
                        if ident == "name" && input.peek(syn::Token![=]) && (in_table || attribute) {
                            input.parse::<syn::Token![=]>()?;
                            declared.name = input.parse::<LitStr>()?.value();
                        } else if ident == "shown" && in_table {
                            input.parse::<syn::Token![=]>()?;
                            declared.shown = Some(input.parse::<LitStr>()?.value());
                        } else if ident == "coexist" && in_table {
                            declared.coexist = true;
                        } else if matches!(role, Role::Getter | Role::Setter) {
                            declared.name = ident.to_string();
                        } else {
                            let path = attr.path();
                            let text = format!("unknown option of {}", quote!(#path));
                            return Err(syn::Error::new(ident.span(), text));
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

/// A default's text as a Rust literal: an integer, a float, True, False or a plain string.
fn default_expr(text: &str, ty: &Type) -> syn::Result<TokenStream> {
    if last_segment(ty).is_some_and(|name| name == "OrNone") {
        return Ok(quote!(::taipan_vm::args::OrNone(None)));
    }
    let quoted = |mark: char| text.strip_prefix(mark).and_then(|t| t.strip_suffix(mark));
    let span = ty.span().resolved_at(proc_macro2::Span::call_site());
    if let Some(inner) = quoted('\'').or_else(|| quoted('"')).filter(|inner| !inner.contains('\\')) {
        return Ok(quote_spanned!(span=> ::std::convert::Into::into(#inner)));
    }
    let rust = match text {
        "True" => "true",
        "False" => "false",
        _ => text,
    };
    let (sign, digits) = rust.strip_prefix('-').map_or((quote!(), rust), |digits| (quote!(-), digits));
    match syn::parse_str::<syn::Lit>(digits) {
        Ok(literal @ (syn::Lit::Int(_) | syn::Lit::Float(_) | syn::Lit::Bool(_))) => {
            Ok(quote_spanned!(span=> #sign #literal))
        }
        _ => Err(syn::Error::new(
            ty.span(),
            format!("a parameter with the default {text} is an Option or an OrNone"),
        )),
    }
}

/// What the arguments are parsed for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A function whose caller has ruled out keywords when it takes none.
    Function,
    /// A function of exactly one positional parameter, which was counted by the caller.
    Sole,
    /// `__new__`.
    New,
    /// `__init__`.
    Init,
}

/// The expression that parses `args`, `nargs`, `kwnames` by the signature and calls the function with what it finds.
/// `first` is passed in front (receiver or class), with its own trailing comma.
pub fn call_parsed(
    declared: &Declared,
    shown: &str,
    first: &TokenStream,
    inputs: &Inputs<'_>,
    target: Target,
) -> syn::Result<TokenStream> {
    let Some(signature) = &declared.signature else {
        return Err(syn::Error::new(declared.function.sig.span(), "no signature"));
    };
    let shown = if signature.nameless { "" } else { shown };
    if signature.params.len() != inputs.params.len() {
        return Err(syn::Error::new(
            declared.function.sig.inputs.span(),
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
                // Argument Clinic tells parameters that can be keywords by name, a lone positional one by nothing.
                let told = match (target, kind) {
                    (Target::Sole, _) => quote!(::taipan_vm::args::ArgName::SOLE),
                    (_, Kind::PositionalOnly) => {
                        let position = slot + 1;
                        quote!(#position)
                    }
                    _ => quote!(0),
                };
                let text = &param.name;
                let convert = quote_spanned! {span=>
                    ::taipan_vm::macro_support::convert(
                        given,
                        &::taipan_vm::args::ArgName { func: #shown, pos: #told, name: #text },
                        vm,
                    )?
                };
                let absent = match &param.default {
                    None => {
                        let position = slot + 1;
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
    let needed = simple.iter().map(|p| p.default.is_none());
    let positional_only = simple.iter().filter(|p| p.kind == Kind::PositionalOnly).count();
    let positional = simple.iter().filter(|p| p.kind != Kind::KeywordOnly).count();
    let required = simple.iter().filter(|p| p.kind != Kind::KeywordOnly && p.default.is_none()).count();
    let required_keywords =
        simple.iter().filter(|p| p.kind == Kind::KeywordOnly && p.default.is_none()).count();
    let var_positional = signature.params.iter().any(|p| p.kind == Kind::VarPositional);
    let var_keyword = signature.params.iter().any(|p| p.kind == Kind::VarKeyword);
    let parse = if signature.takes_no_keywords() {
        let any = !signature.params.is_empty();
        let refuse = match target {
            Target::Function | Target::Sole => quote!(),
            Target::New => quote! {
                ::taipan_vm::macro_support::check_new(#shown, cls, Self::TYPE_PTR, #any, nargs, kwnames, vm)?;
            },
            Target::Init => quote! {
                ::taipan_vm::macro_support::check_init(#shown, zelf, Self::TYPE_PTR, #any, nargs, kwnames, vm)?;
            },
        };
        let most = if var_positional { quote!(usize::MAX) } else { quote!(#count) };
        // A constructor without parameters refuses arguments by itself, and not those of subclasses.
        let check = (any && target != Target::Sole).then(
            || quote!(::taipan_vm::macro_support::check_positional(#shown, nargs, #required, #most, vm)?;),
        );
        let rest = var_positional.then(|| quote!(let rest = given.get(#count..).unwrap_or_default();));
        quote! {
            #refuse
            #check
            let mut found: [Option<&::taipan_object::Object>; #count] = [None; #count];
            // SAFETY: the array holds `nargs` arguments.
            let given = unsafe { ::taipan_vm::macro_support::arg_slice(args, nargs) };
            for (place, value) in found.iter_mut().zip(given) {
                *place = Some(*value);
            }
            #rest
        }
    } else {
        quote! {
            static PARAMS: ::taipan_vm::macro_support::Params = ::taipan_vm::macro_support::Params {
                func: #shown,
                names: &[#(#param_names),*],
                needed: &[#(#needed),*],
                positional_only: #positional_only,
                positional: #positional,
                required: #required,
                required_keywords: #required_keywords,
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

// `METH_*`.
const CLASS: i32 = 0x10;
const STATIC: i32 = 0x20;
const COEXIST: i32 = 0x40;

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
            // SAFETY: methods are called with their own type's object first.
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
                // SAFETY: methods are called with their own type's object first.
                quote!(unsafe { ::taipan_vm::macro_support::receiver(zelf) },)
            } else {
                quote!()
            };
            (inputs, first)
        }
    };
    let (mut flags, kind) = convention(signature);
    match declared.role {
        Role::ClassMethod => flags |= CLASS,
        Role::StaticMethod => flags |= STATIC,
        _ => {}
    }
    if declared.coexist {
        flags |= COEXIST;
    }
    let target = if matches!(kind, Convention::One) { Target::Sole } else { Target::Function };
    let body = call_parsed(declared, shown, &first, &inputs, target)?;
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
            // SAFETY: C slots and methods run on an attached thread.
            let vm = unsafe { ::taipan_vm::Vm::current() };
            #prelude
            ::taipan_vm::macro_support::to_c((|| -> ::taipan_vm::PyResult { #body })())
        }
    };
    let name = c_string(shown);
    let text = declared.shown.as_ref().unwrap_or(&signature.text);
    let doc = match signature.shown {
        true => doc_string(&format!("{shown}{text}\n--\n\n{}", declared.doc)),
        false => doc_string(&declared.doc),
    };
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
    const KEYWORDS: i32 = 0x02;
    const NOARGS: i32 = 0x04;
    const O: i32 = 0x08;
    const FASTCALL: i32 = 0x80;
    match &*signature.params {
        _ if signature.open => (FASTCALL | KEYWORDS, Convention::FastKeywords),
        [] => (NOARGS, Convention::NoArgs),
        [param] if param.kind == Kind::PositionalOnly && param.default.is_none() => (O, Convention::One),
        _ if signature.takes_no_keywords() => (FASTCALL, Convention::Fast),
        _ => (FASTCALL | KEYWORDS, Convention::FastKeywords),
    }
}
