//! A network between a caller and a callee of one process, to see what moving the callee out would cost.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::sleep;

use crate::contract::Class;
use crate::error::CallError;
use crate::policy::Dice;
use crate::transport::{Outgoing, Reply, Transport, Unanswered};

/// Repeats of one call beyond its first attempt: as many as over a real network.
const MOST_RETRIES: u32 = 2;

/// What a simulated network does to each attempt of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Network {
    /// There and back again, together.
    pub latency: Duration,
    /// The part of the attempts, from 0 to 1, that bring no answer: half of them lose the request, the others the
    /// answer.
    pub loss: f64,
}

/// Calls that are answered in this process and travel as if they were not: written as JSON and read again, late, and
/// now and then lost. What is lost is repeated as its class allows.
pub(crate) struct Simulated {
    here: Arc<dyn Transport>,
    network: Network,
    dice: Mutex<Dice>,
}

impl Simulated {
    pub(crate) fn new(here: Arc<dyn Transport>, network: Network) -> Self {
        Self { here, network, dice: Mutex::new(Dice::new()) }
    }

    /// Whether the request and whether the answer of an attempt is lost.
    fn draw(&self) -> (bool, bool) {
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = dice.share() < self.network.loss;
        let request = lost && dice.below(2) == 0;
        (request, lost && !request)
    }

    async fn attempt(&self, call: &Outgoing<'_>) -> Result<Reply, Unanswered> {
        let (request_lost, answer_lost) = self.draw();
        let lost = || CallError::unavailable(call.service);
        sleep(self.network.latency / 2).await;
        if request_lost {
            return Err(Unanswered::unsent(lost()));
        }
        let cx = call.cx.carried();
        let reply = self.here.call(Outgoing { cx: &cx, ..call.clone() }).await;
        sleep(self.network.latency / 2).await;
        if answer_lost {
            return Err(lost().into());
        }
        if cx.was_replayed() {
            call.cx.mark_replayed();
        }
        reply
    }
}

#[async_trait]
impl Transport for Simulated {
    async fn call(&self, call: Outgoing<'_>) -> Result<Reply, Unanswered> {
        let repeatable = call.method.class != Class::Once || call.method.dedupe;
        let mut retries = if call.cx.is_edge_most() { MOST_RETRIES } else { 0 };
        loop {
            let outcome = self.attempt(&call).await;
            let Err(Unanswered { error: CallError::Unavailable { .. }, sent }) = outcome else {
                return outcome;
            };
            if (sent && !repeatable) || retries == 0 {
                return outcome;
            }
            retries -= 1;
            call.retries.add_one();
        }
    }
}
