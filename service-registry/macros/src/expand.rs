//! Writes what `#[service]` stands for.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::method::{Class, Method};
use crate::parse::Service;

pub(crate) fn expand(service: &Service) -> TokenStream {
    let item = &service.item;
    let contract = contract(service);
    let client = client(service);
    quote! {
        #[::service_registry::async_trait]
        #item
        #contract
        #client
    }
}

/// `impl Contract for dyn Trait`: the table of methods, and the receiving end of a remote call.
fn contract(service: &Service) -> TokenStream {
    let name = &service.item.ident;
    let (text, version) = (&service.arguments.name, &service.arguments.version);
    let methods = service.methods.iter().map(table_row);
    let arms = service.methods.iter().enumerate().map(|(index, method)| dispatch_arm(name, index, method));
    let shapes = service.methods.iter().enumerate().map(|(index, method)| shape_line(index, method));
    let recodings = service.methods.iter().enumerate().map(|(index, method)| recode_arm(index, method));
    quote! {
        impl ::service_registry::Contract for dyn #name {
            const NAME: &'static str = #text;
            const VERSION: u32 = #version;
            const METHODS: &'static [::service_registry::Method] = &[#(#methods),*];

            fn dispatch<'a>(
                &'a self,
                method: usize,
                cx: &'a ::service_registry::CallContext,
                arguments: &'a [u8],
            ) -> ::service_registry::generated::BoxFuture<
                'a,
                ::core::result::Result<::service_registry::Reply, ::service_registry::CallError>,
            > {
                ::std::boxed::Box::pin(async move {
                    match method {
                        #(#arms)*
                        unknown => ::core::result::Result::Err(::service_registry::generated::no_such_method(
                            <Self as ::service_registry::Contract>::NAME,
                            unknown,
                        )),
                    }
                })
            }

            fn document() -> &'static ::service_registry::contract::Document {
                static DOCUMENT: ::std::sync::OnceLock<::service_registry::contract::Document> =
                    ::std::sync::OnceLock::new();
                DOCUMENT.get_or_init(|| {
                    ::service_registry::generated::describe::<Self>(|shapes| { #(#shapes)* })
                })
            }

            fn recode(
                method: usize,
                part: ::service_registry::Part,
                json: &[u8],
            ) -> ::core::result::Result<::service_registry::generated::Bytes, ::service_registry::CallError> {
                match method {
                    #(#recodings)*
                    unknown => ::core::result::Result::Err(::service_registry::generated::no_such_method(
                        <Self as ::service_registry::Contract>::NAME,
                        unknown,
                    )),
                }
            }
        }
    }
}

fn table_row(method: &Method) -> TokenStream {
    let name = method.signature.ident.to_string();
    let (class, dedupe, optional) = (method.class.variant(), method.dedupe, method.optional);
    let arguments = method.arguments.iter().map(|(name, _)| name.to_string());
    let timeout = match &method.timeout_ms {
        Some(timeout_ms) => quote!(::core::time::Duration::from_millis(#timeout_ms)),
        None => quote!(::service_registry::DEFAULT_TIMEOUT),
    };
    quote! {
        ::service_registry::Method {
            name: #name,
            class: ::service_registry::Class::#class,
            dedupe: #dedupe,
            optional: #optional,
            arguments: &[#(#arguments),*],
            timeout: #timeout,
        }
    }
}

fn dispatch_arm(service: &Ident, index: usize, method: &Method) -> TokenStream {
    let name = &method.signature.ident;
    let values: Vec<Ident> = (0..method.arguments.len()).map(|n| format_ident!("argument_{n}")).collect();
    let shape = arguments_type(method);
    let pattern = match values.is_empty() {
        true => quote!([]),
        false => quote!((#(#values,)*)),
    };
    quote! {
        #index => {
            let #pattern: #shape = ::service_registry::generated::decode_arguments(arguments)?;
            let outcome = <Self as #service>::#name(self, cx #(, #values)*).await;
            ::service_registry::generated::encode_reply(outcome)
        }
    }
}

fn recode_arm(index: usize, method: &Method) -> TokenStream {
    let (shape, answer, error) = (arguments_type(method), &method.answer, &method.error);
    quote! {
        #index => ::service_registry::generated::recode::<#shape, #answer, #error>(part, json),
    }
}

fn shape_line(index: usize, method: &Method) -> TokenStream {
    let (shape, answer, error) = (arguments_type(method), &method.answer, &method.error);
    quote! {
        shapes.add::<#shape, #answer, #error>(&<Self as ::service_registry::Contract>::METHODS[#index]);
    }
}

/// The arguments as one value that serde writes as a JSON array.
fn arguments_type(method: &Method) -> TokenStream {
    let types = method.arguments.iter().map(|(_, ty)| ty);
    match method.arguments.is_empty() {
        // serde writes `()` as null; an empty array is what "no arguments" looks like as a JSON array.
        true => quote!([u8; 0]),
        false => quote!((#(#types,)*)),
    }
}

/// `impl Trait for ServiceClient<dyn Trait>`: what callers call.
fn client(service: &Service) -> TokenStream {
    let name = &service.item.ident;
    let methods =
        service.methods.iter().enumerate().map(|(index, method)| client_method(name, index, method));
    let checks = service.methods.iter().map(error_check);
    quote! {
        #[::service_registry::async_trait]
        impl #name for ::service_registry::ServiceClient<dyn #name> {
            #(#methods)*
        }
        const _: () = { #(#checks)* };
    }
}

fn client_method(service: &Ident, index: usize, method: &Method) -> TokenStream {
    let name = &method.signature.ident;
    let (answer, error) = (&method.answer, &method.error);
    let names: Vec<&Ident> = method.arguments.iter().map(|(name, _)| name).collect();
    let types: Vec<&Type> = method.arguments.iter().map(|(_, ty)| ty).collect();
    let tuple = match names.is_empty() {
        true => quote!(&[0u8; 0]),
        false => quote!(&(#(&#names,)*)),
    };
    let run = match method.class {
        // Dropped with its caller.
        Class::Read => quote! {
            let __callee = #service::#name(&**__service, __call.cx() #(, #names)*);
            __call.close(__call.run(__callee).await)
        },
        // Goes on without its caller.
        Class::Idempotent | Class::Once => quote! {
            let (__service, __cx) = (::std::sync::Arc::clone(__service), __call.cx().clone());
            let __callee = async move { #service::#name(&*__service, &__cx #(, #names)*).await };
            let __done = ::service_registry::generated::complete(&__call, __place.keep(), __callee);
            __call.close(::std::boxed::Box::pin(__done).await)
        },
    };
    // Prefixed, so that no argument of the trait's author can shadow what the body needs.
    quote! {
        async fn #name(
            &self,
            __cx: &::service_registry::CallContext
            #(, #names: #types)*
        ) -> ::core::result::Result<#answer, #error> {
            let __bound = ::service_registry::generated::bound(self);
            let __route = __bound.route(#index, __cx);
            let __call = ::service_registry::generated::open(self, &__route, #index, __cx);
            if let ::core::option::Option::Some(__refusal) = __call.refusal() {
                return ::service_registry::generated::refuse(&__call, __refusal);
            }
            match __route {
                ::service_registry::generated::Route::Local(__service, __bulkhead) => {
                    let __place = match __bulkhead.try_enter() {
                        ::core::option::Option::Some(__place) => __place,
                        ::core::option::Option::None => {
                            let __queued = ::service_registry::generated::queue(&__call, __bulkhead);
                            match ::std::boxed::Box::pin(__queued).await {
                                ::core::result::Result::Ok(__place) => __place,
                                ::core::result::Result::Err(__full) => {
                                    return ::service_registry::generated::refuse(&__call, __full);
                                }
                            }
                        }
                    };
                    #run
                }
                ::service_registry::generated::Route::Sent(__way) => {
                    // The way keeps what it needs itself: a thread has room for few bindings at a time.
                    ::core::mem::drop(__bound);
                    // Boxed, so that a local call does not carry the room that a remote one needs.
                    ::std::boxed::Box::pin(
                        ::service_registry::generated::send::<dyn #service, #answer, #error>(
                            &__call, __way, #index, #tuple,
                        )
                    ).await
                }
                ::service_registry::generated::Route::Unbound => {
                    ::service_registry::generated::unbound(&__call)
                }
            }
        }
    }
}

/// Asks for the bounds of the error where it is written, so that a missing one is reported there.
fn error_check(method: &Method) -> TokenStream {
    let error = &method.error;
    quote_spanned! { error.span() =>
        const _: fn() = ::service_registry::generated::error_can_travel::<#error>;
    }
}
