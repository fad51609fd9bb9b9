//! The `#[service]` attribute: a trait in; a contract, a client and a dispatcher out.

mod arguments;
mod expand;
mod method;
mod parse;

use proc_macro::TokenStream;

/// Makes a trait callable in this process and from others.
///
/// ```ignore
/// #[service(name = "ledger", version = 1)]
/// pub trait Ledger: Send + Sync {
///     #[read]
///     async fn account(&self, cx: &CallContext, id: AccountId) -> Result<Account, LedgerError>;
///     #[idempotent(timeout_ms = 30_000)]
///     async fn ingest(&self, cx: &CallContext, batch: Batch) -> Result<Report, LedgerError>;
///     #[once]
///     async fn close(&self, cx: &CallContext, id: AccountId) -> Result<(), LedgerError>;
/// }
/// ```
///
/// The trait becomes an `async_trait`, `dyn Ledger` gets a `Contract`, and `ServiceClient<dyn Ledger>`
/// implements `Ledger`. A method without a class is `#[once]`; one without `timeout_ms` has three seconds.
/// Arguments and answers are owned values that serde can carry and schemars can describe, errors hold a `CallError`.
/// `#[optional]` beside the class: callers go on where a callee does not have the method yet.
#[proc_macro_attribute]
pub fn service(arguments: TokenStream, item: TokenStream) -> TokenStream {
    parse::service(arguments.into(), item.into())
        .map(|service| expand::expand(&service))
        .unwrap_or_else(|error| error.into_compile_error())
        .into()
}
