//! `#[derive(Traverse)]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Data, DeriveInput, Index};

/// Expands the derive for structs.
pub fn expand(item: TokenStream) -> syn::Result<TokenStream> {
    let input: DeriveInput = syn::parse2(item)?;
    let Data::Struct(data) = &input.data else {
        return Err(syn::Error::new_spanned(&input.ident, "Traverse can be derived for structs only"));
    };
    let mut fields = Vec::new();
    for (at, field) in data.fields.iter().enumerate() {
        let mut skip = false;
        for attr in field.attrs.iter().filter(|attr| attr.path().is_ident("traverse")) {
            attr.parse_nested_meta(|meta| {
                skip = meta.path.is_ident("skip");
                if skip { Ok(()) } else { Err(meta.error("only #[traverse(skip)] is known")) }
            })?;
        }
        if skip {
            continue;
        }
        match &field.ident {
            // The header holds no reference of the instance's own.
            Some(ident) if ident == "ob" => {}
            Some(ident) => fields.push(quote!(self.#ident)),
            None => {
                let index = Index::from(at);
                fields.push(quote!(self.#index));
            }
        }
    }
    let (name, (generics, arguments, bounds)) = (&input.ident, input.generics.split_for_impl());
    Ok(quote! {
        impl #generics ::taipan_object::Traverse for #name #arguments #bounds {
            fn traverse(&self, visit: &mut ::taipan_object::Visit) {
                #(::taipan_object::Traverse::traverse(&#fields, visit);)*
                let _ = visit;
            }
            fn clear(&self) {
                #(::taipan_object::Traverse::clear(&#fields);)*
            }
        }
    })
}
