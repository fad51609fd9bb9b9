//! Reads run on both sides, and their answers are compared.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::FutureExt;
use metrics::counter;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use super::difference::differences;
use crate::context::CallContext;
use crate::contract::{Class, Document, Method};
use crate::edge::Tally;
use crate::topology::Endpoint;
use crate::transport::{Outgoing, Reply, Transport, Unanswered};

/// Calls that are shadowed at once. More would take the places of calls that somebody waits for.
const MOST_SHADOWS: usize = 16;

/// A sample is logged this often at most: one tells as much as a thousand.
const SAMPLE_EVERY: Duration = Duration::from_secs(60);

/// One side, whose reads run on the other one too. Callers get this one's answers, as soon as they are there.
pub(crate) struct Shadowed {
    primary: Arc<dyn Transport>,
    other: Arc<dyn Transport>,
    room: Arc<Semaphore>,
    sampled: Arc<Sampled>,
}

impl Shadowed {
    pub(crate) fn new(primary: Arc<dyn Transport>, other: Arc<dyn Transport>) -> Self {
        Self { primary, other, room: Arc::new(Semaphore::new(MOST_SHADOWS)), sampled: Arc::default() }
    }

    /// Begins the same call on the other side. What is sent into the answer is compared with its own.
    fn begin(&self, call: &Outgoing<'_>) -> Option<oneshot::Sender<Reply>> {
        let room = Arc::clone(&self.room).try_acquire_owned().ok()?;
        let (answer, answered) = oneshot::channel();
        let shadow = Shadow {
            contract: call.contract,
            service: call.service,
            version: call.version,
            method: call.method,
            // Neither repeated, nor able to mark the request of the first as replayed.
            cx: call.cx.carried(),
            arguments: call.arguments.clone(),
        };
        let (other, sampled) = (Arc::clone(&self.other), Arc::clone(&self.sampled));
        tokio::spawn(async move {
            let _room = room;
            let seen = shadow.run(&*other).await;
            // Without an answer to compare with there is nothing to tell.
            if let Ok(expected) = answered.await {
                shadow.compare(&expected, seen, &sampled);
            }
        });
        Some(answer)
    }
}

#[async_trait]
impl Transport for Shadowed {
    async fn call(&self, call: Outgoing<'_>) -> Result<Reply, Unanswered> {
        let shadow = match call.method.class {
            Class::Read => self.begin(&call),
            Class::Idempotent | Class::Once => None,
        };
        let outcome = self.primary.call(call).await;
        if let (Some(shadow), Ok(reply)) = (shadow, &outcome) {
            // It has given up if nobody listens.
            let _ = shadow.send(reply.clone());
        }
        outcome
    }

    fn is_available(&self) -> bool {
        self.primary.is_available()
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        self.primary.endpoints()
    }
}

/// A call that outlives the one it belongs to.
struct Shadow {
    contract: fn() -> &'static Document,
    service: &'static str,
    version: u32,
    method: &'static Method,
    cx: CallContext,
    arguments: bytes::Bytes,
}

impl Shadow {
    async fn run(&self, other: &dyn Transport) -> Option<Reply> {
        let Self { contract, service, version, method, cx, arguments } = self;
        // Nobody made this call, and so no edge counts it.
        let retries = &Tally::default();
        let (contract, version, arguments) = (*contract, *version, arguments.clone());
        let call = other.call(Outgoing { contract, service, version, method, cx, arguments, retries });
        let bounded = timeout_at(cx.deadline().into(), AssertUnwindSafe(call).catch_unwind());
        bounded.await.ok()?.ok()?.ok()
    }

    fn compare(&self, expected: &Reply, seen: Option<Reply>, sampled: &Sampled) {
        let labels = [("service", self.service), ("method", self.method.name)];
        counter!("shadow_calls_total", &labels).increment(1);
        let Some(seen) = seen else {
            counter!("shadow_failures_total", &labels).increment(1);
            return;
        };
        let differences = differences(expected, &seen);
        if differences.is_empty() {
            return;
        }
        counter!("shadow_differences_total", &labels).increment(1);
        if sampled.is_time() {
            let [(_, service), (_, method)] = labels;
            let differences = differences.join("; ");
            warn!(service, method, differences, "The two sides of {service} answer {method} differently");
        }
    }
}

/// When a sample was logged last.
#[derive(Default)]
struct Sampled(Mutex<Option<Instant>>);

impl Sampled {
    fn is_time(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_time = last.is_none_or(|last| last.elapsed() >= SAMPLE_EVERY);
        if is_time {
            *last = Some(Instant::now());
        }
        is_time
    }
}
