//! Calls that the other side did not get, or may get twice, are answered here instead.

use std::sync::Arc;

use async_trait::async_trait;
use metrics::counter;

use super::recovery::Recovery;
use crate::contract::Class;
use crate::error::CallError;
use crate::topology::Endpoint;
use crate::transport::{Outgoing, Reply, Transport, Unanswered};

/// Asks the other side first and this one if that was of no use; gives the other one its traffic back gradually.
pub(crate) struct WithFallback {
    there: Arc<dyn Transport>,
    here: Arc<dyn Transport>,
    recovery: Recovery,
}

impl WithFallback {
    pub(crate) fn new(there: Arc<dyn Transport>, here: Arc<dyn Transport>) -> Self {
        Self { there, here, recovery: Recovery::default() }
    }

    async fn answer_here(&self, call: Outgoing<'_>, reason: &'static str) -> Result<Reply, Unanswered> {
        counter!("placement_fallbacks_total", "service" => call.service, "reason" => reason).increment(1);
        self.here.call(call).await
    }
}

#[async_trait]
impl Transport for WithFallback {
    async fn call(&self, call: Outgoing<'_>) -> Result<Reply, Unanswered> {
        if !self.recovery.has_returned(call.cx) {
            return self.answer_here(call, "returning").await;
        }
        let outcome = self.there.call(call.clone()).await;
        self.recovery.note(self.there.is_available());
        match outcome {
            Err(unanswered) if may_be_asked_again(&call, &unanswered) => {
                self.answer_here(call, "unavailable").await
            }
            outcome => outcome,
        }
    }

    /// One of the two always has a chance.
    fn is_available(&self) -> bool {
        true
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        self.there.endpoints()
    }
}

/// Nothing was sent, or a repeat has no second effect: both sides work on one database, where what is known by its
/// call id is known to both.
fn may_be_asked_again(call: &Outgoing<'_>, unanswered: &Unanswered) -> bool {
    let repeatable = call.method.class != Class::Once || call.method.dedupe;
    matches!(unanswered.error, CallError::Unavailable { .. }) && (!unanswered.sent || repeatable)
}
