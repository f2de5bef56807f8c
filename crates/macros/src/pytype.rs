//! `#[pytype]` and `#[pymethods]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Ident, ImplItem, ItemImpl, LitStr, Path, Token};

use crate::function::{
    Declared, Owner, Role, Target, c_string, call_parsed, doc_string, doc_text, inputs, method, receiver_expr,
};
use crate::slots::{self, Suite};

/// One `name: KIND = field[,] [readonly] ["doc"]` of `members(...)`, ended by `,` or `;`; a field within a field is
/// `outer.inner`.
struct Member {
    name: String,
    kind: Ident,
    field: Punctuated<Ident, Token![.]>,
    readonly: bool,
    doc: Option<String>,
}

#[derive(Default)]
struct Options {
    name: Option<String>,
    symbol: Option<String>,
    base: Option<Path>,
    no_base: bool,
    flags: Vec<Ident>,
    gc: bool,
    metatype: Option<Path>,
    dict: Option<Ident>,
    weakrefs: Option<Punctuated<Ident, Token![.]>>,
    vectorcall: Option<Ident>,
    vectorcall_offset: Option<Expr>,
    weaklist_offset: Option<Expr>,
    dict_offset: Option<Expr>,
    methods: Vec<Path>,
    members: Vec<Member>,
    itemsize: Option<Expr>,
    basicsize: Option<Expr>,
    no_layout: bool,
    static_name: Option<Ident>,
    doc: Option<String>,
    /// `__text_signature__`, for constructors that parse their arguments themselves.
    text_signature: Option<String>,
    unhashable: bool,
    no_new: bool,
}

fn parse_options(input: ParseStream<'_>) -> syn::Result<Options> {
    let mut options = Options::default();
    let mut seen = std::collections::HashSet::new();
    while !input.is_empty() {
        let key = Ident::parse_any(input)?;
        let text = key.to_string();
        if !seen.insert(text.clone()) {
            return Err(syn::Error::new(key.span(), "this option is given twice"));
        }
        match text.as_str() {
            "gc" => options.gc = true,
            "no_layout" => options.no_layout = true,
            "no_base" => options.no_base = true,
            "unhashable" => options.unhashable = true,
            "no_new" => options.no_new = true,
            "flags" | "methods" | "members" => {
                let inner;
                syn::parenthesized!(inner in input);
                match text.as_str() {
                    "flags" => {
                        let all = Punctuated::<Ident, Token![,]>::parse_terminated(&inner)?;
                        options.flags = all.into_iter().collect();
                    }
                    "methods" => {
                        let all = Punctuated::<Path, Token![,]>::parse_terminated(&inner)?;
                        options.methods = all.into_iter().collect();
                    }
                    _ => {
                        while !inner.is_empty() {
                            let name = Ident::parse_any(&inner)?.to_string();
                            inner.parse::<Token![:]>()?;
                            let kind = inner.parse()?;
                            inner.parse::<Token![=]>()?;
                            let field = Punctuated::parse_separated_nonempty(&inner)?;
                            let after_comma = inner.fork();
                            let is_word = |input: ParseStream<'_>| {
                                input.parse::<Ident>().is_ok_and(|word| word == "readonly")
                            };
                            if after_comma.parse::<Token![,]>().is_ok()
                                && is_word(&after_comma)
                                && !after_comma.peek(Token![:])
                            {
                                inner.parse::<Token![,]>()?;
                            }
                            let readonly = inner.peek(Ident) && is_word(&inner);
                            let doc = inner.parse::<Option<LitStr>>()?.map(|doc| doc.value());
                            options.members.push(Member { name, kind, field, readonly, doc });
                            if inner.peek(Token![;]) {
                                inner.parse::<Token![;]>()?;
                            } else if !inner.is_empty() {
                                inner.parse::<Token![,]>()?;
                            }
                        }
                    }
                }
            }
            _ => {
                const VALUED: [&str; 15] = [
                    "name",
                    "symbol",
                    "doc",
                    "text_signature",
                    "base",
                    "metatype",
                    "dict",
                    "weakrefs",
                    "vectorcall",
                    "vectorcall_offset",
                    "weaklist_offset",
                    "dict_offset",
                    "itemsize",
                    "basicsize",
                    "static",
                ];
                if !VALUED.contains(&text.as_str()) {
                    return Err(syn::Error::new(key.span(), "unknown option of pytype"));
                }
                input.parse::<Token![=]>()?;
                match text.as_str() {
                    "name" => options.name = Some(input.parse::<LitStr>()?.value()),
                    "symbol" => options.symbol = Some(input.parse::<LitStr>()?.value()),
                    "doc" => options.doc = Some(input.parse::<LitStr>()?.value()),
                    "text_signature" => options.text_signature = Some(input.parse::<LitStr>()?.value()),
                    "base" => options.base = Some(input.parse()?),
                    "metatype" => options.metatype = Some(input.parse()?),
                    "dict" => options.dict = Some(input.parse()?),
                    "weakrefs" => options.weakrefs = Some(Punctuated::parse_separated_nonempty(input)?),
                    "vectorcall" => options.vectorcall = Some(input.parse()?),
                    "vectorcall_offset" => options.vectorcall_offset = Some(input.parse()?),
                    "weaklist_offset" => options.weaklist_offset = Some(input.parse()?),
                    "dict_offset" => options.dict_offset = Some(input.parse()?),
                    "itemsize" => options.itemsize = Some(input.parse()?),
                    "basicsize" => options.basicsize = Some(input.parse()?),
                    _ => options.static_name = Some(input.parse()?),
                }
            }
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(options)
}

/// The layout's name, for the names of generated statics.
fn layout_ident(item: &ItemImpl) -> syn::Result<Ident> {
    if let syn::Type::Path(path) = &*item.self_ty {
        if let Some(last) = path.path.segments.last() {
            return Ok(last.ident.clone());
        }
    }
    Err(syn::Error::new_spanned(&item.self_ty, "an impl block of a struct is wanted"))
}

/// Takes the declared functions out of an impl block; they stay in it as plain functions.
pub fn take_declared(item: &mut ItemImpl) -> syn::Result<Vec<Declared>> {
    let mut found = Vec::new();
    for entry in &mut item.items {
        if let ImplItem::Fn(function) = entry {
            if let Some(declared) = Declared::take(function)? {
                found.push(declared);
            }
        }
    }
    Ok(found)
}

/// `#[pymethods(table = NAME)]` and `#[pyfunctions(table = NAME)]`.
pub fn expand_table(args: TokenStream, item: TokenStream, owner: Owner) -> syn::Result<TokenStream> {
    let parser = |input: ParseStream<'_>| -> syn::Result<Ident> {
        let key: Ident = input.parse()?;
        if key != "table" {
            return Err(syn::Error::new(key.span(), "table = NAME is wanted"));
        }
        input.parse::<Token![=]>()?;
        input.parse()
    };
    let table = parser.parse2(args)?;
    let mut item: ItemImpl = syn::parse2(item)?;
    let declared = take_declared(&mut item)?;
    let (mut wrappers, mut rows) = (Vec::new(), Vec::new());
    for function in &declared {
        if !matches!(function.role, Role::Method | Role::ClassMethod | Role::StaticMethod | Role::Function) {
            return Err(syn::Error::new_spanned(
                &function.function.sig.ident,
                "a further table holds methods or functions only",
            ));
        }
        let (wrapper, row) = method(function, owner)?;
        wrappers.push(wrapper);
        rows.push(row);
    }
    let ty = &item.self_ty;
    Ok(quote! {
        #[allow(non_snake_case, reason = "methods bear their Python names")]
        #item
        impl #ty {
            #(#wrappers)*
            /// A table of functions for the declaration of the type or module.
            pub(crate) const #table: &'static [::taipan_object::defs::MethodDef] = &[#(#rows),*];
        }
    })
}

/// `#[pytype(...)]`.
pub fn expand(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let options = parse_options.parse2(args)?;
    let mut item: ItemImpl = syn::parse2(item)?;
    let layout = layout_ident(&item)?;
    let Some(python_name) = &options.name else {
        return Err(syn::Error::new(layout.span(), "name = \"...\" is wanted"));
    };
    let declared = take_declared(&mut item)?;
    let doc = options.doc.clone().unwrap_or_else(|| doc_text(&item.attrs));
    let upper = layout.to_string().to_uppercase();
    let static_name = options.static_name.clone().unwrap_or_else(|| format_ident!("{upper}_TYPE_OBJECT"));
    let (methods_name, getsets_name, members_name) = (
        format_ident!("__{upper}_METHODS"),
        format_ident!("__{upper}_GETSETS"),
        format_ident!("__{upper}_MEMBERS"),
    );

    let mut wrappers = Vec::new();
    let mut rows = Vec::new();
    let mut slot_fields: Vec<(Suite, TokenStream)> = Vec::new();
    let mut getsets: Vec<(String, Option<Ident>, Option<Ident>, String)> = Vec::new();
    let (mut new, mut init) = (None, None);
    let mut has = std::collections::HashSet::new();
    for function in &declared {
        match function.role {
            Role::Method | Role::ClassMethod | Role::StaticMethod => {
                let (wrapper, row) = method(function, Owner::Type)?;
                wrappers.push(wrapper);
                rows.push(row);
            }
            Role::Slot => {
                let (suite, field, code) = slots::wrap(function)?;
                let wrapper = function.wrapper();
                wrappers.push(code);
                has.insert(field.to_string());
                slot_fields.push((suite, quote!(#field: ::std::cell::Cell::new(Some(Self_::#wrapper)))));
            }
            Role::Getter => {
                wrappers.push(getter(function)?);
                let wrapper = function.wrapper();
                match getsets.iter_mut().find(|g| g.0 == function.name) {
                    Some(entry) => {
                        entry.1 = Some(wrapper);
                        entry.3.clone_from(&function.doc);
                    }
                    None => getsets.push((function.name.clone(), Some(wrapper), None, function.doc.clone())),
                }
            }
            Role::Setter => {
                wrappers.push(setter(function)?);
                let wrapper = function.wrapper();
                match getsets.iter_mut().find(|g| g.0 == function.name) {
                    Some(entry) => entry.2 = Some(wrapper),
                    None => getsets.push((function.name.clone(), None, Some(wrapper), function.doc.clone())),
                }
            }
            Role::New => new = Some(function),
            Role::Init => init = Some(function),
            Role::Function | Role::Constant | Role::Exec => {
                return Err(syn::Error::new_spanned(
                    &function.function.sig.ident,
                    "this belongs to a pymodule",
                ));
            }
        }
    }
    // The docstring of a type is headed by its constructor's signature, as in the method tables.
    let short = python_name.rsplit('.').next().unwrap_or(python_name);
    let signature = init.or(new).and_then(|f| f.signature.as_ref());
    let shown_doc = match signature {
        _ if options.text_signature.is_some() => {
            format!("{short}{}\n--\n\n{doc}", options.text_signature.as_deref().unwrap_or_default())
        }
        Some(signature)
            if signature.shown
                && !doc.is_empty()
                && !signature.text.contains("*args, **kwargs")
                && !options.no_layout =>
        {
            format!("{short}{}\n--\n\n{doc}", signature.text)
        }
        _ => doc,
    };
    let doc_field = if shown_doc.is_empty() { quote!(::std::ptr::null()) } else { c_string(&shown_doc) };

    let mut type_fields: Vec<TokenStream> = Vec::new();
    if let Some(new) = new {
        wrappers.push(constructor(new, short)?);
        type_fields.push(quote!(tp_new: ::std::cell::Cell::new(Some(Self_::__c_tp_new))));
        if init.is_none() && !has.contains("tp_init") && !has.contains("tp_vectorcall") {
            let inherits = options.base.as_ref().is_some_and(|base| !base.is_ident("Object"));
            wrappers.push(type_vectorcall(inherits));
            type_fields.push(quote!(tp_vectorcall: ::std::cell::Cell::new(Some(Self_::__c_tp_vectorcall))));
        }
    }
    if let Some(init) = init {
        wrappers.push(initializer(init, short)?);
        type_fields.push(quote!(tp_init: ::std::cell::Cell::new(Some(Self_::__c_tp_init))));
    }
    for (suite, field) in &slot_fields {
        if *suite == Suite::Type {
            type_fields.push(field.clone());
        }
    }

    let mut suites = Vec::new();
    for (suite, struct_name, field) in [
        (Suite::Number, "NumberMethods", "tp_as_number"),
        (Suite::Sequence, "SequenceMethods", "tp_as_sequence"),
        (Suite::Mapping, "MappingMethods", "tp_as_mapping"),
        (Suite::Async, "AsyncMethods", "tp_as_async"),
        (Suite::Buffer, "BufferProcs", "tp_as_buffer"),
    ] {
        let fields: Vec<_> = slot_fields.iter().filter(|(s, _)| *s == suite).map(|(_, f)| f).collect();
        if fields.is_empty() {
            continue;
        }
        let (struct_name, field) = (format_ident!("{struct_name}"), format_ident!("{field}"));
        let name = format_ident!("__{upper}_{}", struct_name.to_string().to_uppercase());
        suites.push(quote! {
            static #name: ::taipan_object::typeobject::#struct_name = {
                type Self_ = #layout;
                ::taipan_object::typeobject::#struct_name {
                    #(#fields,)*
                    ..::taipan_object::typeobject::#struct_name::EMPTY
                }
            };
        });
        type_fields.push(quote!(#field: ::std::cell::Cell::new(&raw const #name)));
    }

    if !rows.is_empty() || !options.methods.is_empty() {
        let extra: Vec<TokenStream> = options
            .methods
            .iter()
            .map(|path| match path.get_ident() {
                Some(ident) => quote!(#layout::#ident),
                None => quote!(#path),
            })
            .collect();
        let own = rows.len();
        suites.push(quote! {
            static #methods_name: [::taipan_object::defs::MethodDef; #own #(+ #extra.len())* + 1] = {
                const OWN: [::taipan_object::defs::MethodDef; #own] = #layout::__OWN_METHODS;
                ::taipan_vm::macro_support::concat_methods(&[&OWN, #(#extra),*])
            };
        });
        wrappers.push(quote! {
            const __OWN_METHODS: [::taipan_object::defs::MethodDef; #own] = [#(#rows),*];
        });
        type_fields.push(quote!(tp_methods: ::std::cell::Cell::new((&raw const #methods_name).cast())));
    }
    if !getsets.is_empty() {
        let entries = getsets.iter().map(|(name, get, set, doc)| {
            let name = c_string(name);
            let doc = if doc.is_empty() { quote!(::std::ptr::null()) } else { doc_string(doc) };
            let option = |f: &Option<Ident>| match f {
                Some(f) => quote!(Some(Self_::#f)),
                None => quote!(None),
            };
            let (get, set) = (option(get), option(set));
            quote! {
                ::taipan_object::defs::GetSetDef {
                    name: #name, get: #get, set: #set, doc: #doc, closure: ::std::ptr::null_mut(),
                }
            }
        });
        let count = getsets.len() + 1;
        suites.push(quote! {
            static #getsets_name: [::taipan_object::defs::GetSetDef; #count] = {
                type Self_ = #layout;
                [#(#entries,)* ::taipan_object::defs::GetSetDef::END]
            };
        });
        type_fields.push(quote!(tp_getset: ::std::cell::Cell::new((&raw const #getsets_name).cast())));
    }
    if !options.members.is_empty() {
        let entries = options.members.iter().map(|member| {
            let (name, kind, field) = (c_string(&member.name), &member.kind, &member.field);
            let flags = i32::from(member.readonly);
            let doc = member.doc.as_ref().map_or_else(|| quote!(::std::ptr::null()), |doc| doc_string(doc));
            quote! {
                ::taipan_object::defs::MemberDef {
                    name: #name,
                    kind: ::taipan_object::defs::member::#kind,
                    offset: ::std::mem::offset_of!(#layout, #field) as isize,
                    flags: #flags,
                    doc: #doc,
                }
            }
        });
        let count = options.members.len() + 1;
        suites.push(quote! {
            static #members_name: [::taipan_object::defs::MemberDef; #count] =
                [#(#entries,)* ::taipan_object::defs::MemberDef::END];
        });
        type_fields.push(quote!(tp_members: ::std::cell::Cell::new((&raw const #members_name).cast())));
    }

    let mut flags: Vec<TokenStream> =
        options.flags.iter().map(|flag| quote!(::taipan_object::TypeFlags::#flag)).collect();
    flags.push(quote!(::taipan_object::TypeFlags::IMMUTABLETYPE));
    if options.no_new {
        flags.push(quote!(::taipan_object::TypeFlags::DISALLOW_INSTANTIATION));
    }
    if options.gc {
        flags.push(quote!(::taipan_object::TypeFlags::HAVE_GC));
        if !has.contains("tp_traverse") {
            wrappers.push(quote! {
                #[doc(hidden)]
                #[allow(clippy::undocumented_unsafe_blocks)]
                pub unsafe extern "C" fn __c_tp_traverse(
                    op: *mut ::taipan_object::Object,
                    visit: ::taipan_object::traverse::VisitProc,
                    arg: *mut ::std::ffi::c_void,
                ) -> ::std::ffi::c_int {
                    let mut visitor = ::taipan_object::Visit::new(visit, arg);
                    // SAFETY: the collector calls a type's slots with its objects.
                    ::taipan_object::Traverse::traverse(unsafe { &*op.cast::<Self>() }, &mut visitor);
                    visitor.result()
                }
            });
            type_fields.push(quote!(tp_traverse: ::std::cell::Cell::new(Some(Self_::__c_tp_traverse))));
        }
        if !has.contains("tp_clear") {
            wrappers.push(quote! {
                #[doc(hidden)]
                #[allow(clippy::undocumented_unsafe_blocks)]
                pub unsafe extern "C" fn __c_tp_clear(op: *mut ::taipan_object::Object) -> ::std::ffi::c_int {
                    // SAFETY: the collector calls a type's slots with its objects.
                    ::taipan_object::Traverse::clear(unsafe { &*op.cast::<Self>() });
                    0
                }
            });
            type_fields.push(quote!(tp_clear: ::std::cell::Cell::new(Some(Self_::__c_tp_clear))));
        }
    }
    if !has.contains("tp_dealloc") && !options.no_layout {
        type_fields.push(quote! {
            tp_dealloc: ::std::cell::Cell::new(Some(::taipan_vm::macro_support::default_dealloc::<#layout>))
        });
    }
    if options.unhashable {
        type_fields.push(quote! {
            tp_hash: ::std::cell::Cell::new(Some(::taipan_vm::builtins::object::hash_not_implemented))
        });
    }
    if let Some(field) = &options.dict {
        type_fields.push(
            quote!(tp_dictoffset: ::std::cell::Cell::new(::std::mem::offset_of!(#layout, #field) as isize)),
        );
    }
    if let Some(field) = &options.weakrefs {
        type_fields
            .push(quote!(tp_weaklistoffset: ::std::cell::Cell::new(::std::mem::offset_of!(#layout, #field) as isize)));
    }
    if let Some(offset) = &options.weaklist_offset {
        type_fields.push(quote!(tp_weaklistoffset: ::std::cell::Cell::new((#offset) as isize)));
    }
    if let Some(offset) = &options.dict_offset {
        type_fields.push(quote!(tp_dictoffset: ::std::cell::Cell::new((#offset) as isize)));
    }
    let vectorcall_offset = match (&options.vectorcall, &options.vectorcall_offset) {
        (Some(field), _) => Some(quote!(::std::mem::offset_of!(#layout, #field))),
        (None, Some(expr)) => Some(quote!(#expr)),
        (None, None) => None,
    };
    if let Some(offset) = vectorcall_offset {
        flags.push(quote!(::taipan_object::TypeFlags::HAVE_VECTORCALL));
        type_fields.push(quote!(tp_vectorcall_offset: ::std::cell::Cell::new(#offset as isize)));
    }
    let basicsize = match &options.basicsize {
        Some(expr) => quote!(#expr),
        None => quote!(::std::mem::size_of::<#layout>()),
    };
    if let Some(itemsize) = &options.itemsize {
        type_fields.push(quote!(tp_itemsize: ::std::cell::Cell::new(#itemsize as isize)));
    }
    if !options.no_base {
        let base = match &options.base {
            Some(path) if !path.is_ident("Object") => quote!(<#path>::TYPE_PTR),
            _ => quote!(&raw const ::taipan_object::typeobject::PyBaseObject_Type),
        };
        type_fields.push(quote!(tp_base: ::std::cell::Cell::new(#base)));
    }
    let metatype = match &options.metatype {
        Some(path) => quote!(<#path>::TYPE_PTR),
        None => quote!(&raw const ::taipan_object::typeobject::PyType_Type),
    };
    let export = options.symbol.as_ref().map(|symbol| quote!(#[unsafe(export_name = #symbol)]));
    let name = c_string(python_name);
    let subclass_flag = options.flags.iter().find(|f| f.to_string().ends_with("_SUBCLASS")).map(|flag| {
        quote! {
            #[inline(always)]
            fn is_instance(object: &::taipan_object::Object) -> bool {
                object.ob_type().has_flag(::taipan_object::TypeFlags::#flag)
            }
        }
    });
    let layout_impl = if options.no_layout {
        quote!()
    } else {
        quote! {
            // SAFETY: the layout is `repr(C)` and begins with the object header.
            unsafe impl ::taipan_object::PyLayout for #layout {
                #[inline(always)]
                fn static_type() -> *const ::taipan_object::Type {
                    Self::TYPE_PTR
                }
                #subclass_flag
            }
        }
    };
    Ok(quote! {
        #[allow(non_snake_case, reason = "methods bear their Python names")]
        #item

        impl #layout {
            /// The address of the type object.
            pub const TYPE_PTR: *const ::taipan_object::Type = &raw const #static_name;

            /// The type object.
            #[inline(always)]
            pub fn type_object() -> &'static ::taipan_object::Type {
                &#static_name
            }

            #(#wrappers)*
        }

        #layout_impl

        #(#suites)*

        #[allow(missing_docs)]
        #export
        #[unsafe(link_section = "taipan_types")]
        pub static #static_name: ::taipan_object::Type = {
            type Self_ = #layout;
            ::taipan_object::Type {
                tp_name: ::std::cell::Cell::new(#name),
                tp_doc: ::std::cell::Cell::new(#doc_field),
                tp_basicsize: ::std::cell::Cell::new(#basicsize as isize),
                tp_flags: ::std::cell::Cell::new(#(#flags)|*),
                #(#type_fields,)*
                ..::taipan_object::Type::static_empty(#metatype)
            }
        };
    })
}

fn getter(declared: &Declared) -> syn::Result<TokenStream> {
    let inputs = inputs(&declared.function, true)?;
    let (wrapper, name) = (declared.wrapper(), &declared.function.sig.ident);
    let first = receiver_expr(inputs.receiver, &quote!(zelf));
    let vm = if inputs.vm { quote!(vm) } else { quote!() };
    Ok(quote! {
        #[doc(hidden)]
        #[allow(non_snake_case, clippy::undocumented_unsafe_blocks, clippy::useless_conversion)]
        pub unsafe extern "C" fn #wrapper(
            zelf: *mut ::taipan_object::Object,
            _closure: *mut ::std::ffi::c_void,
        ) -> *mut ::taipan_object::Object {
            // SAFETY: C slots and methods run on an attached thread.
            let vm = unsafe { ::taipan_vm::Vm::current() };
            ::taipan_vm::macro_support::to_c(::taipan_vm::args::IntoPy::into_py(Self::#name(#first #vm), vm))
        }
    })
}

fn setter(declared: &Declared) -> syn::Result<TokenStream> {
    let inputs = inputs(&declared.function, true)?;
    let (wrapper, name) = (declared.wrapper(), &declared.function.sig.ident);
    let first = receiver_expr(inputs.receiver, &quote!(zelf));
    let vm = if inputs.vm { quote!(vm) } else { quote!() };
    Ok(quote! {
        #[doc(hidden)]
        #[allow(unused_variables, non_snake_case, clippy::undocumented_unsafe_blocks)]
        pub unsafe extern "C" fn #wrapper(
            zelf: *mut ::taipan_object::Object,
            value: *mut ::taipan_object::Object,
            _closure: *mut ::std::ffi::c_void,
        ) -> ::std::ffi::c_int {
            // SAFETY: C slots and methods run on an attached thread.
            let vm = unsafe { ::taipan_vm::Vm::current() };
            // SAFETY: a setter gets a live value, or null to delete.
            ::taipan_vm::macro_support::status_to_c(Self::#name(#first unsafe { value.as_ref() }, #vm))
        }
    })
}

/// `tp_new` from `#[new]`, on top of one function that takes a vectorcall array.
fn constructor(declared: &Declared, shown: &str) -> syn::Result<TokenStream> {
    let inputs = inputs(&declared.function, true)?;
    let body = call_parsed(declared, shown, &quote!(cls,), &inputs, Target::New)?;
    let object = quote!(*mut ::taipan_object::Object);
    Ok(quote! {
        #[doc(hidden)]
        #[allow(unused_variables, clippy::undocumented_unsafe_blocks, clippy::indexing_slicing, clippy::useless_conversion)]
        fn __construct(
            cls: &::taipan_object::Type,
            args: *const #object,
            nargs: usize,
            kwnames: #object,
            vm: &::taipan_vm::Vm,
        ) -> ::taipan_vm::PyResult { #body }

        #[doc(hidden)]
        #[allow(clippy::undocumented_unsafe_blocks)]
        pub unsafe extern "C" fn __c_tp_new(
            cls: *mut ::taipan_object::Type,
            args: #object,
            kwargs: #object,
        ) -> #object {
            // SAFETY: the slot's caller passes a live tuple, and a dict or null.
            unsafe {
                ::taipan_vm::macro_support::spread(args, kwargs, |args, nargs, kwnames, vm| {
                    Self::__construct(&*cls, args, nargs, kwnames, vm)
                })
            }
        }
    })
}

/// Calling the type itself without a tuple in between. `inherits` says that a base may hand down an `__init__`.
fn type_vectorcall(inherits: bool) -> TokenStream {
    let object = quote!(*mut ::taipan_object::Object);
    let init = inherits.then(|| {
        quote! {
            // SAFETY: the constructor's arguments, passed on; `cls` is the type being called.
            .and_then(|made| unsafe {
                ::taipan_vm::macro_support::init_after_new(&*cls.cast(), made, args, nargs, kwnames, vm)
            })
        }
    });
    quote! {
        #[doc(hidden)]
        #[allow(clippy::undocumented_unsafe_blocks)]
        pub unsafe extern "C" fn __c_tp_vectorcall(
            cls: #object,
            args: *const #object,
            nargsf: usize,
            kwnames: #object,
        ) -> #object {
            // SAFETY: C slots and methods run on an attached thread.
            let vm = unsafe { ::taipan_vm::Vm::current() };
            let nargs = nargsf & !::taipan_vm::protocols::call::ARGUMENTS_OFFSET;
            // SAFETY: the slot's caller passes the type being called.
            let made = Self::__construct(unsafe { &*cls.cast() }, args, nargs, kwnames, vm);
            ::taipan_vm::macro_support::to_c(made #init)
        }
    }
}

/// `tp_init` from `#[init]`.
fn initializer(declared: &Declared, shown: &str) -> syn::Result<TokenStream> {
    let inputs = inputs(&declared.function, true)?;
    let first = receiver_expr(inputs.receiver, &quote!(zelf));
    let body = call_parsed(declared, shown, &first, &inputs, Target::Init)?;
    let object = quote!(*mut ::taipan_object::Object);
    Ok(quote! {
        #[doc(hidden)]
        #[allow(unused_variables, clippy::undocumented_unsafe_blocks, clippy::indexing_slicing, clippy::useless_conversion)]
        pub unsafe extern "C" fn __c_tp_init(
            zelf: #object,
            args: #object,
            kwargs: #object,
        ) -> ::std::ffi::c_int {
            // SAFETY: the slot's caller passes a live tuple, and a dict or null.
            unsafe {
                ::taipan_vm::macro_support::spread_status(args, kwargs, |args, nargs, kwnames, vm| {
                    #body
                })
            }
        }
    })
}
