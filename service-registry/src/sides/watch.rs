//! Looks at how the other side does, and says once when it is worse than a guard allows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::window::{Sum, Window};
use crate::error::CallError;
use crate::placement::Guard;
use crate::topology::Endpoint;
use crate::transport::{Outgoing, Reply, Transport, Unanswered};

/// A limit that was breached.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Breach {
    /// The name of the limit, a label of metrics.
    pub(crate) limit: &'static str,
    /// What was seen against what was allowed.
    pub(crate) seen: String,
}

/// Told of the first breach, in the task of the call that it was seen in.
pub(crate) type OnBreach = Box<dyn Fn(Breach) + Send + Sync>;

/// The other side under a guard.
pub(crate) struct Watched {
    there: Arc<dyn Transport>,
    guard: Guard,
    window: Mutex<Window>,
    breached: AtomicBool,
    on_breach: OnBreach,
}

impl Watched {
    pub(crate) fn new(there: Arc<dyn Transport>, guard: Guard, on_breach: OnBreach) -> Self {
        let window = Mutex::new(Window::new(Duration::from_millis(guard.window_ms)));
        Self { there, guard, window, breached: AtomicBool::new(false), on_breach }
    }

    fn count(&self, elapsed: Duration, failed: bool) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        let breach = judge(&self.guard, window.count(elapsed, failed));
        drop(window);
        if let Some(breach) = breach
            && !self.breached.swap(true, Ordering::AcqRel)
        {
            (self.on_breach)(breach);
        }
    }
}

fn judge(guard: &Guard, seen: &Sum) -> Option<Breach> {
    if seen.calls() < guard.least_calls {
        return None;
    }
    if let Some(most) = guard.error_percent
        && seen.failures() * 1000 > seen.calls() * u64::from(most.tenths())
    {
        let seen = format!("{} of {} calls failed, {most} allowed", seen.failures(), seen.calls());
        return Some(Breach { limit: "error_percent", seen });
    }
    let most_ms = guard.p99_ms?;
    let p99 = seen.p99();
    (p99 > Duration::from_millis(most_ms)).then(|| {
        let seen = format!("99 of 100 calls took up to {} ms, {most_ms} allowed", p99.as_millis());
        Breach { limit: "p99_ms", seen }
    })
}

#[async_trait]
impl Transport for Watched {
    async fn call(&self, call: Outgoing<'_>) -> Result<Reply, Unanswered> {
        let deadline = call.cx.deadline().into();
        let mut asked = Asked { watched: self, began: Instant::now(), deadline, told: false };
        let outcome = self.there.call(call).await;
        asked.told = true;
        self.count(asked.began.elapsed(), outcome.as_ref().is_err_and(is_failure));
        outcome
    }

    fn is_available(&self) -> bool {
        self.there.is_available()
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        self.there.endpoints()
    }
}

/// Too many calls of services to each other is nobody's fault over there.
fn is_failure(unanswered: &Unanswered) -> bool {
    unanswered.error != CallError::DepthExceeded
}

/// A call under way. Cut off at its deadline it has failed; a caller who goes away sooner tells nothing.
struct Asked<'a> {
    watched: &'a Watched,
    began: Instant,
    deadline: Instant,
    told: bool,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if !self.told && Instant::now() >= self.deadline {
            self.watched.count(self.began.elapsed(), true);
        }
    }
}
