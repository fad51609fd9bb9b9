//! How a call can fail by itself, apart from what the callee refuses.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::contract::Difference;

/// A call that brought no answer from the callee, and why.
///
/// It travels unchanged over every binding. What a callee *refuses* (an unknown account, a closed one)
/// is not here: that is the service's own error type, which wraps this one as one of its variants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
pub enum CallError {
    /// Nobody answers for this service now: not bound yet, not reachable, or not started.
    #[error("service {service} is unavailable")]
    Unavailable { service: String, retry_after_ms: u64 },

    /// The time given to this call ran out. Whether the callee did the work is not known.
    #[error("{service}.{method} did not answer within its deadline")]
    DeadlineExceeded { service: String, method: String },

    /// The chain of calls is longer than [`crate::MAX_DEPTH`]: services call each other in a circle.
    #[error("the chain of calls is too deep")]
    DepthExceeded,

    /// The callee has more to do than it can; nothing was done for this call.
    #[error("service {service} is overloaded")]
    Overloaded { service: String, retry_after_ms: u64 },

    /// The callee does not let the calling service in. Not a refusal of the user: that is the callee's to make.
    #[error("call refused: {reason}")]
    Refused { reason: String },

    /// The callee panicked; its own log says where.
    #[error("{method} panicked")]
    Panicked { method: String },

    /// The callee failed by its own fault; the cause was logged where it happened.
    #[error("{message}")]
    Failed { message: String },

    /// The contracts of the two sides do not agree, so the call was not sent: it names service, method and field.
    #[error("contract refused: {0}")]
    Incompatible(Box<Difference>),

    /// The two sides do not understand each other: unknown service, version or method, or an unreadable body.
    #[error("protocol error: {message}")]
    Protocol { message: String },
}

/// How long a refused contract is believed before it is compared again: a neighbour may be replaced meanwhile.
pub const CONTRACT_RECHECK: Duration = Duration::from_secs(2);

/// How long to wait before asking an absent service again, when it did not say.
pub(crate) const DEFAULT_RETRY_AFTER_MS: u64 = 1_000;

impl CallError {
    /// `service` is not there; try again in a second.
    pub fn unavailable(service: impl Into<String>) -> Self {
        Self::Unavailable { service: service.into(), retry_after_ms: DEFAULT_RETRY_AFTER_MS }
    }

    pub fn deadline_exceeded(service: impl Into<String>, method: impl Into<String>) -> Self {
        Self::DeadlineExceeded { service: service.into(), method: method.into() }
    }

    pub fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into() }
    }

    pub fn failed(message: impl Into<String>) -> Self {
        Self::Failed { message: message.into() }
    }

    pub fn protocol(message: impl Into<String>) -> Self {
        Self::Protocol { message: message.into() }
    }

    /// Milliseconds after which a repeat has a chance, for the failures where waiting helps.
    pub fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Self::Unavailable { retry_after_ms, .. } | Self::Overloaded { retry_after_ms, .. } => {
                Some(*retry_after_ms)
            }
            Self::Incompatible(_) => u64::try_from(CONTRACT_RECHECK.as_millis()).ok(),
            _ => None,
        }
    }

    /// The label of this failure in metrics; stable.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unavailable { .. } => "unavailable",
            Self::DeadlineExceeded { .. } => "deadline_exceeded",
            Self::DepthExceeded => "depth_exceeded",
            Self::Overloaded { .. } => "overloaded",
            Self::Refused { .. } => "refused",
            Self::Panicked { .. } => "panicked",
            Self::Failed { .. } => "failed",
            Self::Incompatible(_) => "incompatible",
            Self::Protocol { .. } => "protocol",
        }
    }
}
