//! `name = "…", version = N`: what stands in the parentheses of `#[service(…)]`.

use proc_macro2::{Span, TokenStream};
use syn::meta::ParseNestedMeta;
use syn::parse::Parser;
use syn::{Error, LitInt, LitStr, Result};

/// Name and version of a service.
pub(crate) struct Arguments {
    pub name: LitStr,
    pub version: LitInt,
}

pub(crate) fn parse(tokens: TokenStream) -> Result<Arguments> {
    let (mut name, mut version) = (None, None);
    let parser = syn::meta::parser(|meta| {
        if meta.path.is_ident("name") {
            set(&mut name, &meta, checked_name(meta.value()?.parse()?)?)
        } else if meta.path.is_ident("version") {
            set(&mut version, &meta, checked_version(meta.value()?.parse()?)?)
        } else {
            Err(meta.error("unknown argument of #[service]: expected `name` or `version`"))
        }
    });
    parser.parse2(tokens)?;
    let missing = |what| Error::new(Span::call_site(), format!("#[service] needs `{what}`"));
    Ok(Arguments {
        name: name.ok_or_else(|| missing("name = \"…\""))?,
        version: version.ok_or_else(|| missing("version = N"))?,
    })
}

fn set<T>(slot: &mut Option<T>, meta: &ParseNestedMeta<'_>, value: T) -> Result<()> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(meta.error("given twice")),
    }
}

/// The name is a segment of a URL and a label in metrics.
fn checked_name(name: LitStr) -> Result<LitStr> {
    let text = name.value();
    let good = text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if good {
        return Ok(name);
    }
    Err(Error::new(name.span(), "a service name is lower-case letters, digits and dashes, a letter first"))
}

fn checked_version(version: LitInt) -> Result<LitInt> {
    match version.base10_parse::<u32>() {
        Ok(1..) if version.suffix().is_empty() => Ok(version),
        _ => Err(Error::new(version.span(), "a service version is a whole number from 1 on")),
    }
}
