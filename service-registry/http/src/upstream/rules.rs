//! What the layers must know of one request.

use std::time::{Duration, Instant};

use service_registry::{CallContext, Class};

use super::contracts::Spoken;

/// Largest body that is sent again after a first copy of it may have arrived (semantics §6).
pub(super) const LARGEST_REPEATED_BYTES: usize = 64 * 1024;

/// How one request may be treated; travels in its extensions.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// What a repeat does.
    pub class: Class,
    /// Whether the receiver knows a repeat of what acts once, and answers it as before.
    pub dedupe: bool,
    pub deadline: Instant,
    /// Whether nobody above repeats this request: only the edge-most caller does.
    pub edge_most: bool,
    /// How often somebody above has repeated it already.
    pub attempt_above: u8,
    /// How much would be sent again; nothing if it is streamed and gone once it was read.
    pub body_bytes: Option<usize>,
    /// An answer of up to so many bytes is read before it counts as one, so that it can be asked for again if
    /// it breaks off. A longer one is handed on as it comes.
    pub whole_answer_bytes: u64,
    /// Whether a 503 tells that the callee itself is broken. One that a module answers a user with may be
    /// about somebody behind it.
    pub unavailable_is_failure: bool,
    /// For a call: what its caller knows of the service, to be compared with what an endpoint says.
    pub spoken: Option<Spoken>,
}

impl Rules {
    /// For a request of `class` with a body of so many bytes, made for `cx`.
    pub fn new(class: Class, cx: &CallContext, body_bytes: Option<usize>) -> Self {
        Self {
            class,
            dedupe: false,
            deadline: cx.deadline(),
            edge_most: cx.is_edge_most(),
            attempt_above: cx.retry_attempt(),
            body_bytes,
            whole_answer_bytes: u64::MAX,
            unavailable_is_failure: true,
            spoken: None,
        }
    }

    pub(super) fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(now())
    }

    /// Whether a repeat after the first copy may have arrived does no harm.
    pub(super) fn repeatable(&self) -> bool {
        (self.class != Class::Once || self.dedupe)
            && self.body_bytes.is_some_and(|bytes| bytes <= LARGEST_REPEATED_BYTES)
    }

    /// Below the edge-most caller, and below a repeat, a failure goes straight up; so does one of a streamed body.
    pub(super) fn may_repeat_at_all(&self) -> bool {
        self.edge_most && self.attempt_above == 0 && self.body_bytes.is_some()
    }
}

/// The clock of the runtime, which a test can stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
