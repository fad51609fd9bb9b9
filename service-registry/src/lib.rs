//! What a call is and who answers it; imports nothing of ours.
//!
//! A service's face is one async trait under [`service`]. Callers hold a [`ServiceClient`] of it and
//! nothing else; whether the callee answers in this process or in another one is a *binding* of that
//! client, and may change while the program runs. The README beside this crate follows one call through.

mod binding;
mod call;
mod client;
mod clock;
mod context;
pub mod contract;
mod dispatch;
mod edge;
mod error;
mod guard;
mod ids;
mod permissions;
mod placement;
pub mod policy;
mod registry;
mod routes;
mod service;
mod sides;
mod sticky;
pub mod testing;
mod topology;
mod trace;
mod transaction;
mod transport;
mod validate;

/// What the code written by [`service`] calls. Not an interface for people.
#[doc(hidden)]
pub mod generated;

pub use async_trait::async_trait;
pub use client::ServiceClient;
pub use context::{CallContext, Caller, DEFAULT_BUDGET, IdempotencyKey, MAX_DEPTH, Proof};
pub use contract::{Class, Contract, DEFAULT_TIMEOUT, Method, Part, SeamError};
pub use dispatch::{Dispatch, Dispatcher};
pub use edge::{EdgeSeen, Recent, Requests, Tally, publish_metrics};
pub use error::{CONTRACT_RECHECK, CallError};
pub use permissions::Permissions;
pub use placement::{Fallback, Guard, Percent, Placement, Side, check_url, socket_of};
pub use registry::{Registry, RegistryBuilder};
pub use service::{Calls, ServiceDescriptor};
pub use service_registry_macros::service;
pub use sides::Network;
pub use topology::{Endpoint, Placed, PlacedService, RolledBack, Topology};
pub use trace::TraceContext;
pub use transaction::watch_transactions;
pub use transport::{Outgoing, Reply, Transport, TransportFactory, Unanswered};
pub use validate::{Fault, Faults};
