//! Reads the trait under `#[service]` and refuses what could not cross a process border.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Error, ItemTrait, Result, TraitItem, TypeParamBound};

use crate::arguments::{self, Arguments};
use crate::method::Method;

/// A trait that can be a service.
pub(crate) struct Service {
    pub arguments: Arguments,
    /// The trait as written, less the attributes that are ours.
    pub item: ItemTrait,
    pub methods: Vec<Method>,
}

pub(crate) fn service(arguments: TokenStream, item: TokenStream) -> Result<Service> {
    let arguments = arguments::parse(arguments)?;
    let mut item: ItemTrait = syn::parse2(item)
        .map_err(|error| Error::new(error.span(), format!("#[service] stands on a trait: {error}")))?;
    let mut faults = trait_faults(&item);
    let mut methods = Vec::new();
    for entry in &mut item.items {
        match method(entry) {
            Ok(method) => methods.push(method),
            Err(error) => faults.push(error),
        }
    }
    match faults.into_iter().reduce(|mut all, next| {
        all.combine(next);
        all
    }) {
        Some(faults) => Err(faults),
        None => Ok(Service { arguments, item, methods }),
    }
}

fn method(entry: &mut TraitItem) -> Result<Method> {
    match entry {
        TraitItem::Fn(function) => Method::read(function),
        other => {
            Err(Error::new_spanned(other, "a service has methods only: its implementations may be far away"))
        }
    }
}

fn trait_faults(item: &ItemTrait) -> Vec<Error> {
    let mut faults = Vec::new();
    if !item.generics.params.is_empty() || item.generics.where_clause.is_some() {
        faults.push(Error::new_spanned(
            &item.generics,
            "a service trait cannot be generic: it has one shape on the wire",
        ));
    }
    for needed in ["Send", "Sync"] {
        if !item.supertraits.iter().any(|bound| is_bound(bound, needed)) {
            let message = format!("a service trait needs `{needed}` among its supertraits: `: Send + Sync`");
            faults.push(Error::new_spanned(&item.ident, message));
        }
    }
    faults
}

fn is_bound(bound: &TypeParamBound, name: &str) -> bool {
    match bound {
        TypeParamBound::Trait(bound) => {
            bound.path.segments.last().is_some_and(|segment| segment.ident == name)
        }
        other => other.to_token_stream().to_string() == name,
    }
}
