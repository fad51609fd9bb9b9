//! How a call leaves the process, whatever carries it.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::context::CallContext;
use crate::contract::{ContractState, Document, Method};
use crate::edge::Tally;
use crate::error::CallError;
use crate::service::ServiceDescriptor;
use crate::topology::Endpoint;

/// Carries calls to one service somewhere else.
///
/// It need not watch the deadline: whoever calls it drops the future when time is up. It does pass the
/// remaining time on, and repeats only what the method's class allows.
#[async_trait]
pub trait Transport: Send + Sync + 'static {
    async fn call(&self, call: Outgoing<'_>) -> Result<Reply, Unanswered>;

    /// Whether a call that begins now has a chance: not while everybody there is being left alone.
    fn is_available(&self) -> bool {
        true
    }

    /// What came of comparing contracts with whoever answers; nothing before the first call.
    fn contract_state(&self) -> Vec<ContractState> {
        Vec::new()
    }

    /// Where it goes, and how well that works; nothing where there is nothing to tell.
    fn endpoints(&self) -> Vec<Endpoint> {
        Vec::new()
    }

    /// How many repeats it may still make; nothing where it makes none.
    fn retry_budget_left(&self) -> Option<u64> {
        None
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
    /// Where the transport counts each time that it sends the call again.
    pub retries: &'a Tally,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// The method's answer as JSON.
    Answer(Bytes),
    /// The service's own error as JSON.
    Refusal(Bytes),
}

impl Reply {
    /// The length of its body.
    pub fn size_bytes(&self) -> usize {
        let (Self::Answer(body) | Self::Refusal(body)) = self;
        body.len()
    }
}

/// A call that brought no reply.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct Unanswered {
    pub error: CallError,
    /// Whether the callee may know of it. If not, anybody else may be asked instead.
    pub sent: bool,
}

impl Unanswered {
    /// Nothing of the call left this process.
    pub fn unsent(error: CallError) -> Self {
        Self { error, sent: false }
    }
}

/// Sent, for all we know.
impl From<CallError> for Unanswered {
    fn from(error: CallError) -> Self {
        Self { error, sent: true }
    }
}

impl From<Unanswered> for CallError {
    fn from(unanswered: Unanswered) -> Self {
        unanswered.error
    }
}

/// Makes the transport to a service that is placed at these urls.
pub type TransportFactory =
    Arc<dyn Fn(&ServiceDescriptor, &[String]) -> Result<Arc<dyn Transport>, CallError> + Send + Sync>;
