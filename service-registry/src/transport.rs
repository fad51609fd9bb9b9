//! How a call leaves the process, whatever carries it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::context::CallContext;
use crate::contract::{ContractState, Document, Method};
use crate::error::CallError;
use crate::service::ServiceDescriptor;

/// Carries calls to one service somewhere else.
///
/// It need not watch the deadline: whoever calls it drops the future when time is up. It does pass the
/// remaining time on, and repeats only what the method's class allows.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    async fn call(&self, call: Outgoing<'_>) -> Result<Reply, CallError>;

    /// What came of comparing contracts with whoever answers; nothing before the first call.
    fn contract_state(&self) -> Vec<ContractState> {
        Vec::new()
    }
}

/// One call on its way out.
#[derive(Clone, Debug)]
pub struct Outgoing<'a> {
    pub service: &'static str,
    pub version: u32,
    /// What the caller knows of the service; not looked at for each call.
    pub contract: fn() -> &'static Document,
    pub method: &'static Method,
    /// The callee's context, already one deeper than the caller's.
    pub cx: &'a CallContext,
    /// A JSON array, one element for each argument after the context.
    pub arguments: Bytes,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The method's answer as JSON.
    Answer(Bytes),
    /// The service's own error as JSON.
    Refusal(Bytes),
}

/// Makes the transport to a service that is placed at these urls.
pub type TransportFactory =
    Arc<dyn Fn(&ServiceDescriptor, &[String]) -> Result<Arc<dyn Transport>, CallError> + Send + Sync>;
