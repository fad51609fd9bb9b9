//! One method of a service: its class, its timeout, its arguments, and what it answers.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Error, FnArg, GenericArgument, Lifetime, LitInt, Meta, Pat, PathArguments, ReceiverKind,
    Result, ReturnType, Signature, TraitItemFn, Type, TypeImplTrait, TypeReference,
};

/// serde carries a tuple of at most sixteen.
const MOST_ARGUMENTS: usize = 12;

pub(crate) struct Method {
    pub signature: Signature,
    pub class: Class,
    pub dedupe: bool,
    pub optional: bool,
    pub timeout_ms: Option<LitInt>,
    pub arguments: Vec<(Ident, Type)>,
    pub answer: Type,
    pub error: Type,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Read,
    Idempotent,
    Once,
}

impl Class {
    fn of(attribute: &Attribute) -> Option<Self> {
        let path = attribute.path();
        if path.is_ident("read") {
            Some(Self::Read)
        } else if path.is_ident("idempotent") {
            Some(Self::Idempotent)
        } else if path.is_ident("once") {
            Some(Self::Once)
        } else {
            None
        }
    }

    pub(crate) fn variant(self) -> TokenStream {
        match self {
            Self::Read => quote!(Read),
            Self::Idempotent => quote!(Idempotent),
            Self::Once => quote!(Once),
        }
    }
}

impl Method {
    /// Reads one method and takes the attributes that are ours off it.
    pub(crate) fn read(function: &mut TraitItemFn) -> Result<Self> {
        let optional = take_optional(&mut function.attrs)?;
        let (class, Promises { dedupe, timeout_ms }) = take_class(&mut function.attrs)?;
        if let Some(body) = &function.default {
            return Err(Error::new_spanned(
                body,
                "a service method has no body: every call goes to the service",
            ));
        }
        let signature = function.sig.clone();
        check_shape(&signature)?;
        let arguments = arguments(&signature)?;
        let (answer, error) = result_of(&signature)?;
        Ok(Self { signature, class, dedupe, optional, timeout_ms, arguments, answer, error })
    }
}

/// What stands in the brackets of a class.
#[derive(Default)]
struct Promises {
    dedupe: bool,
    timeout_ms: Option<LitInt>,
}

/// Whether callers go on without this method.
fn take_optional(attributes: &mut Vec<Attribute>) -> Result<bool> {
    let before = attributes.len();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("optional")) {
        attribute.meta.require_path_only()?;
    }
    attributes.retain(|attribute| !attribute.path().is_ident("optional"));
    Ok(attributes.len() < before)
}

/// The class of a method and its promises; without an attribute it is `#[once]`, which promises least.
fn take_class(attributes: &mut Vec<Attribute>) -> Result<(Class, Promises)> {
    let mut found = None;
    for attribute in attributes.iter() {
        if let Some(class) = Class::of(attribute) {
            if found.is_some() {
                return Err(Error::new_spanned(
                    attribute,
                    "a method has one class: #[read], #[idempotent] or #[once]",
                ));
            }
            found = Some((class, promises(attribute, class)?));
        } else if !harmless(attribute) {
            return Err(Error::new_spanned(
                attribute,
                "unknown attribute on a service method: expected #[read], #[idempotent], #[once] or #[optional]",
            ));
        }
    }
    attributes.retain(|attribute| Class::of(attribute).is_none());
    Ok(found.unwrap_or((Class::Once, Promises::default())))
}

/// Attributes that change nothing of what crosses the wire. `cfg` is not among them: two sides built with
/// different features would differ in silence.
fn harmless(attribute: &Attribute) -> bool {
    ["doc", "allow", "expect", "deprecated", "must_use"].iter().any(|known| attribute.path().is_ident(known))
}

fn promises(attribute: &Attribute, class: Class) -> Result<Promises> {
    let mut promises = Promises::default();
    if matches!(attribute.meta, Meta::Path(_)) {
        return Ok(promises);
    }
    attribute.parse_nested_meta(|meta| {
        if meta.path.is_ident("dedupe") && class == Class::Once {
            promises.dedupe = true;
            return Ok(());
        }
        if meta.path.is_ident("dedupe") {
            return Err(meta.error("`dedupe` is for #[once]: a repeat of this has no second effect anyway"));
        }
        if !meta.path.is_ident("timeout_ms") {
            return Err(meta.error("unknown argument: expected `timeout_ms = N`"));
        }
        let given: LitInt = meta.value()?.parse()?;
        match given.base10_parse::<u64>() {
            Ok(1..) => promises.timeout_ms = Some(given),
            _ => return Err(Error::new(given.span(), "a timeout is at least one millisecond")),
        }
        Ok(())
    })?;
    Ok(promises)
}

fn check_shape(signature: &Signature) -> Result<()> {
    if signature.asyncness.is_none() {
        let message = "a service method must be `async fn`: the callee may be in another process";
        return Err(Error::new(signature.fn_token.span(), message));
    }
    if !signature.generics.params.is_empty() || signature.generics.where_clause.is_some() {
        let message = "a service method cannot be generic: its types must be known to both sides";
        return Err(Error::new_spanned(&signature.generics, message));
    }
    Ok(())
}

/// The arguments after `&self, cx: &CallContext`.
fn arguments(signature: &Signature) -> Result<Vec<(Ident, Type)>> {
    let mut inputs = signature.inputs.iter();
    match inputs.next() {
        Some(FnArg::Receiver(receiver)) if is_shared_self(receiver) => {}
        Some(other) => return Err(Error::new_spanned(other, "a service method takes `&self` first")),
        None => {
            return Err(Error::new(
                signature.paren_token.span.join(),
                "a service method takes `&self` first",
            ));
        }
    }
    let missing = "a service method takes `cx: &CallContext` right after `&self`";
    match inputs.next() {
        Some(FnArg::Typed(context)) if is_context(&context.ty) => {}
        Some(other) => return Err(Error::new_spanned(other, missing)),
        None => return Err(Error::new_spanned(&signature.inputs, missing)),
    }
    let arguments: Vec<(Ident, Type)> = inputs.map(argument).collect::<Result<_>>()?;
    match arguments.get(MOST_ARGUMENTS) {
        Some((name, _)) => Err(Error::new_spanned(name, "too many arguments: put them into a struct")),
        None => Ok(arguments),
    }
}

fn is_shared_self(receiver: &syn::Receiver) -> bool {
    matches!(receiver.kind, ReceiverKind::Reference(_, None, None))
}

fn is_context(ty: &Type) -> bool {
    let Type::Reference(reference) = ty else { return false };
    let Type::Path(path) = &*reference.elem else { return false };
    reference.mutability.is_none()
        && path.path.segments.last().is_some_and(|last| last.ident == "CallContext")
}

fn argument(input: &FnArg) -> Result<(Ident, Type)> {
    let FnArg::Typed(argument) = input else {
        return Err(Error::new_spanned(input, "a service method takes `&self` once"));
    };
    let Pat::Ident(name) = &*argument.pat else {
        return Err(Error::new_spanned(&argument.pat, "an argument of a service method is a plain name"));
    };
    refuse_borrowed(&argument.ty, "argument")?;
    Ok((name.ident.clone(), (*argument.ty).clone()))
}

/// `A` and `E` of the `Result<A, E>` that the method answers.
fn result_of(signature: &Signature) -> Result<(Type, Type)> {
    let message = "a service method answers `Result<T, E>`: every call can fail";
    let ReturnType::Type(_, ty) = &signature.output else {
        return Err(Error::new_spanned(&signature.ident, message));
    };
    let wrong = || Error::new_spanned(ty, message);
    let Type::Path(path) = &**ty else { return Err(wrong()) };
    let last = path.path.segments.last().filter(|last| last.ident == "Result").ok_or_else(wrong)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return Err(wrong()) };
    let types: Vec<&Type> = arguments
        .args
        .iter()
        .filter_map(|argument| if let GenericArgument::Type(ty) = argument { Some(ty) } else { None })
        .collect();
    let [answer, error] = types[..] else { return Err(wrong()) };
    refuse_borrowed(answer, "answer")?;
    refuse_borrowed(error, "error")?;
    Ok((answer.clone(), error.clone()))
}

/// Nothing that points into the caller's memory can cross a process border.
fn refuse_borrowed(ty: &Type, what: &str) -> Result<()> {
    let mut search = Borrowed(None);
    search.visit_type(ty);
    match search.0 {
        None => Ok(()),
        Some(found) => {
            let message =
                format!("the {what} of a service method must be an owned value, such as `String` for `&str`");
            Err(Error::new(found, message))
        }
    }
}

struct Borrowed(Option<proc_macro2::Span>);

impl Visit<'_> for Borrowed {
    fn visit_type_reference(&mut self, reference: &TypeReference) {
        self.0.get_or_insert(reference.span());
    }

    fn visit_lifetime(&mut self, lifetime: &Lifetime) {
        if lifetime.ident != "static" {
            self.0.get_or_insert(lifetime.span());
        }
    }

    fn visit_type_impl_trait(&mut self, ty: &TypeImplTrait) {
        self.0.get_or_insert(ty.span());
        visit::visit_type_impl_trait(self, ty);
    }
}
