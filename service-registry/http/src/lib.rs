//! The one transport: calls over HTTP with JSON, on reqwest-middleware and actix.
//!
//! A call is `POST /rpc/{service}/v{version}/{method}`, its body the JSON array of its arguments. Beside
//! the service token, which says which service calls, travels the proof of who asks: the user's own
//! token, verified again here, or a claim that the calling service signed.

mod auth;
mod client;
mod gone;
mod keys;
mod refusal;
mod server;
mod signer;
mod tls;
mod token;
mod upstream;
mod verifier;
pub mod wire;

pub use auth::{Authenticated, CallerVerifier, NoCallers, authenticate};
pub use client::HttpTransport;
pub use gone::{CallerWatch, remember_connection};
pub use keys::{KeyFault, KeyPair, public_from_pem};
pub use refusal::{Asked, Reason};
pub use server::{BODY_LIMIT_BYTES, RpcAuth, rpc_routes};
pub use signer::{ServiceSigner, Signers};
pub use tls::{Tls, TlsFault, TlsFiles};
pub use upstream::{Answer, Resolve, Rules, Spoken, SystemResolver, Upstream};
pub use verifier::{ServiceVerifier, claimed_service};
pub use wire::{context_from_headers, headers_for};
