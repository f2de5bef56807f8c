//! `#[pymodule]`.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Ident, ItemImpl, LitStr, Path, Token, Type};

use crate::function::{Owner, Role, doc_text, inputs, method, name_str};
use crate::pytype::take_declared;

#[derive(Default)]
struct Options {
    name: Option<String>,
    types: Vec<Type>,
    functions: Vec<Path>,
}

fn parse_options(input: ParseStream<'_>) -> syn::Result<Options> {
    let mut options = Options::default();
    while !input.is_empty() {
        let key = Ident::parse_any(input)?;
        match key.to_string().as_str() {
            "name" => {
                input.parse::<Token![=]>()?;
                options.name = Some(input.parse::<LitStr>()?.value());
            }
            "types" => {
                let inner;
                syn::parenthesized!(inner in input);
                options.types =
                    Punctuated::<Type, Token![,]>::parse_terminated(&inner)?.into_iter().collect();
            }
            "functions" => {
                let inner;
                syn::parenthesized!(inner in input);
                options.functions =
                    Punctuated::<Path, Token![,]>::parse_terminated(&inner)?.into_iter().collect();
            }
            _ => return Err(syn::Error::new(key.span(), "unknown option of pymodule")),
        }
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
    }
    Ok(options)
}

/// Expands the attribute.
pub fn expand(args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let options = parse_options.parse2(args)?;
    let mut item: ItemImpl = syn::parse2(item)?;
    let ty = item.self_ty.clone();
    let Some(name) = &options.name else {
        return Err(syn::Error::new_spanned(&ty, "name = \"...\" is wanted"));
    };
    let declared = take_declared(&mut item)?;
    let (shown_name, doc) = (name_str(name), name_str(&doc_text(&item.attrs)));
    let (mut wrappers, mut rows, mut constants, mut exec) =
        (Vec::new(), Vec::new(), Vec::new(), quote!(None));
    for function in &declared {
        let ident = &function.function.sig.ident;
        match function.role {
            Role::Function => {
                let (wrapper, row) = method(function, Owner::Module)?;
                wrappers.push(wrapper);
                rows.push(row);
            }
            Role::Constant => {
                let inputs = inputs(&function.function, false)?;
                let vm = if inputs.vm { quote!(vm) } else { quote!() };
                let wrapper = function.wrapper();
                wrappers.push(quote! {
                    #[doc(hidden)]
                    #[allow(non_snake_case, clippy::useless_conversion)]
                    fn #wrapper(vm: &::taipan_vm::Vm) -> ::taipan_vm::PyResult {
                        ::taipan_vm::args::IntoPy::into_py(Self::#ident(#vm), vm)
                    }
                });
                let shown = name_str(&function.name);
                constants.push(quote!((#shown, Self::#wrapper)));
            }
            Role::Exec => exec = quote!(Some(Self::#ident)),
            _ => return Err(syn::Error::new_spanned(ident, "this belongs to a pytype")),
        }
    }
    let extra: Vec<TokenStream> = options
        .functions
        .iter()
        .map(|path| match path.get_ident() {
            Some(ident) => quote!(<#ty>::#ident),
            None => quote!(#path),
        })
        .collect();
    let upper = match &*ty {
        Type::Path(path) => path.path.segments.last().map(|s| s.ident.to_string().to_uppercase()),
        _ => None,
    }
    .unwrap_or_default();
    let table = format_ident!("__{upper}_FUNCTIONS");
    let own = rows.len();
    let types =
        options.types.iter().map(|tp| quote!(<#tp>::type_object as fn() -> &'static ::taipan_object::Type));
    Ok(quote! {
        #[allow(non_snake_case, reason = "methods bear their Python names")]
        #item

        static #table: [::taipan_object::defs::MethodDef; #own #(+ #extra.len())* + 1] =
            ::taipan_vm::macro_support::concat_methods(&[&<#ty>::__OWN_FUNCTIONS, #(#extra),*]);

        impl #ty {
            /// The module's definition.
            pub const DEF: ::taipan_vm::module_def::NativeModule = ::taipan_vm::module_def::NativeModule {
                name: #shown_name,
                doc: #doc,
                methods: &#table,
                types: &[#(#types),*],
                constants: &[#(#constants),*],
                exec: #exec,
            };

            const __OWN_FUNCTIONS: [::taipan_object::defs::MethodDef; #own] = [#(#rows),*];

            #(#wrappers)*
        }
    })
}
