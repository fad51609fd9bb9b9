use std::sync::atomic::{AtomicUsize, Ordering};

use service_registry::async_trait;
use service_registry::testing::Serialised;
use service_registry::{Outgoing, Reply, Transport, Unanswered};
use tokio::sync::watch;

/// The way to the ledger, as far as another process; it can be made to stop at one call.
pub struct Gate {
    ledger: Serialised,
    held: watch::Sender<Option<Hold>>,
    reached: watch::Sender<bool>,
    calls: AtomicUsize,
}

/// Where the way is blocked.
#[derive(Clone, Copy, PartialEq)]
pub enum Hold {
    /// Before the n-th call of a method, counted from 1 and from now.
    Before(&'static str, usize),
    /// After the ledger has done what a method asked for, so that its answer is lost.
    AnswerOf(&'static str),
}

impl Gate {
    pub fn new(ledger: Serialised) -> Self {
        let (held, reached) = (watch::Sender::new(None), watch::Sender::new(false));
        Self { ledger, held, reached, calls: AtomicUsize::new(0) }
    }

    pub fn hold(&self, hold: Hold) {
        self.calls.store(0, Ordering::SeqCst);
        self.reached.send_replace(false);
        self.held.send_replace(Some(hold));
    }

    pub fn open(&self) {
        self.held.send_replace(None);
    }

    /// Returns once somebody stands before the closed gate.
    pub async fn reached(&self) {
        let mut reached = self.reached.subscribe();
        let waiting = reached.wait_for(|reached| *reached);
        tokio::time::timeout(std::time::Duration::from_secs(20), waiting)
            .await
            .expect("nobody came")
            .unwrap();
    }

    async fn stand(&self) {
        self.reached.send_replace(true);
        self.held.subscribe().wait_for(Option::is_none).await.unwrap();
    }
}

#[async_trait]
impl Transport for Gate {
    async fn call(&self, call: Outgoing<'_>) -> Result<Reply, Unanswered> {
        let (method, held) = (call.method.name, *self.held.borrow());
        if let Some(Hold::Before(name, nth)) = held
            && name == method
            && self.calls.fetch_add(1, Ordering::SeqCst) + 1 == nth
        {
            self.stand().await;
        }
        let answer = self.ledger.call(call).await;
        if held == Some(Hold::AnswerOf(method)) {
            self.stand().await;
        }
        answer
    }
}
