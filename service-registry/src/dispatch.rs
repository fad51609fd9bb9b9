//! The receiving end of a remote call, whatever carried it here.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;

use crate::binding::Kind;
use crate::call::Call;
use crate::context::CallContext;
use crate::contract::{Class, Contract, Document, Method, Part};
use crate::edge::Seen;
use crate::error::CallError;
use crate::transport::Reply;

/// A service that can be called by method name and JSON.
#[async_trait]
pub trait Dispatch: Send + Sync + 'static {
    fn service(&self) -> &'static str;
    fn version(&self) -> u32;
    fn methods(&self) -> &'static [Method];
    /// What callers must agree with.
    fn contract(&self) -> &'static Document;
    /// One word for that contract; see [`crate::contract::Offer::mark`].
    fn mark(&self) -> &str;

    /// Answers one call of `caller`, a service by name, under the same rules as a local one. `cx` is the
    /// callee's context, as the transport read it; `arguments` is the JSON array that the caller wrote.
    async fn dispatch(
        &self,
        caller: &str,
        method: &str,
        cx: CallContext,
        arguments: Bytes,
    ) -> Result<Reply, CallError>;

    /// Reads one part of a call and writes it again; see [`Contract::recode`].
    fn recode(&self, method: &str, part: Part, json: &[u8]) -> Result<Bytes, CallError>;
}

/// Dispatches to an implementation in this process.
pub struct Dispatcher<T: Contract + ?Sized> {
    service: Arc<T>,
    seen: Arc<Seen>,
    mark: OnceLock<String>,
}

impl<T: Contract + ?Sized> Dispatcher<T> {
    pub fn new(service: Arc<T>) -> Self {
        Self::seen_in(service, Arc::default())
    }

    pub(crate) fn seen_in(service: Arc<T>, seen: Arc<Seen>) -> Self {
        Self { service, seen, mark: OnceLock::new() }
    }
}

#[async_trait]
impl<T: Contract + ?Sized> Dispatch for Dispatcher<T> {
    fn service(&self) -> &'static str {
        T::NAME
    }

    fn version(&self) -> u32 {
        T::VERSION
    }

    fn methods(&self) -> &'static [Method] {
        T::METHODS
    }

    fn contract(&self) -> &'static Document {
        T::document()
    }

    fn mark(&self) -> &str {
        self.mark.get_or_init(|| T::document().mark())
    }

    async fn dispatch(
        &self,
        caller: &str,
        method: &str,
        cx: CallContext,
        arguments: Bytes,
    ) -> Result<Reply, CallError> {
        let index = index_of::<T>(method)?;
        let known = &T::METHODS[index];
        let edges = self.seen.edges::<T>(caller);
        let call = Call::resume(T::NAME, known, Kind::Serve, edges.edge(index, Kind::Serve), cx).counted();
        call.edge().count_request(arguments.len());
        if let Some(refusal) = call.refusal() {
            return call.close_reply(Err(refusal));
        }
        let outcome = match known.class {
            Class::Read => call.run(self.service.dispatch(index, call.cx(), &arguments)).await,
            Class::Idempotent | Class::Once => {
                let (service, cx) = (Arc::clone(&self.service), call.cx().clone());
                call.detach(async move { service.dispatch(index, &cx, &arguments).await }).await
            }
        };
        let reply = outcome.flatten();
        call.edge().count_answer(reply.as_ref().map_or(0, Reply::size_bytes));
        call.close_reply(reply)
    }

    fn recode(&self, method: &str, part: Part, json: &[u8]) -> Result<Bytes, CallError> {
        T::recode(index_of::<T>(method)?, part, json)
    }
}

pub(crate) fn index_of<T: Contract + ?Sized>(method: &str) -> Result<usize, CallError> {
    T::METHODS.iter().position(|known| known.name == method).ok_or_else(|| {
        CallError::protocol(format!("service {} v{} has no method {method}", T::NAME, T::VERSION))
    })
}
