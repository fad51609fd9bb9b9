//! A service that shows what reached it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use service_registry::{
    CallContext, CallError, Caller, Contract, IdempotencyKey, ServiceClient, ServiceDescriptor, async_trait,
    service,
};
use uuid::Uuid;

pub const SERVICE: ServiceDescriptor = ServiceDescriptor {
    name: "probe",
    version: 3,
    methods: <dyn Probe as Contract>::METHODS,
    routes: &["/api/v1/probes"],
    calls: &[],
    default_port: 9199,
};

#[service(name = "probe", version = 3)]
pub trait Probe: Send + Sync {
    /// Answers with what it was asked.
    #[read]
    async fn echo(
        &self,
        cx: &CallContext,
        thing: Thing,
        more: Option<Thing>,
    ) -> Result<Vec<Thing>, ProbeError>;

    #[read]
    async fn nothing(&self, cx: &CallContext) -> Result<(), ProbeError>;

    /// Answers with this refusal.
    #[read]
    async fn refuse(&self, cx: &CallContext, refusal: ProbeError) -> Result<(), ProbeError>;

    /// What the callee knows of the call.
    #[read]
    async fn seen(&self, cx: &CallContext) -> Result<Seen, ProbeError>;

    /// What the callee has done so far.
    #[read]
    async fn tally(&self, cx: &CallContext) -> Result<Tally, ProbeError>;

    #[read]
    async fn sleep(&self, cx: &CallContext, ms: u64) -> Result<(), ProbeError>;

    #[read(timeout_ms = 60)]
    async fn sleep_briefly(&self, cx: &CallContext, ms: u64) -> Result<(), ProbeError>;

    #[read]
    async fn panic(&self, cx: &CallContext, after_ms: u64) -> Result<(), ProbeError>;

    /// Calls itself through its own client, so many times.
    #[read]
    async fn nest(&self, cx: &CallContext, levels: u8) -> Result<u8, ProbeError>;

    #[read]
    async fn replay(&self, cx: &CallContext) -> Result<(), ProbeError>;

    /// Adds an amount under an id; the same id adds once.
    #[idempotent]
    async fn deposit(&self, cx: &CallContext, id: Uuid, amount: i64) -> Result<i64, ProbeError>;

    /// Takes its time, and must not be left half-way.
    async fn write_slowly(&self, cx: &CallContext, ms: u64) -> Result<(), ProbeError>;

    /// Makes a row, and knows a repeat by its call id.
    #[once(dedupe)]
    async fn make_row(&self, cx: &CallContext) -> Result<usize, ProbeError>;

    /// Adds one, every time.
    async fn increment(&self, cx: &CallContext) -> Result<u32, ProbeError>;
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Thing {
    pub id: Uuid,
    pub name: String,
    pub amount_minor: i64,
    pub largest: u64,
    pub maybe: Option<String>,
    pub kind: Kind,
    pub by_name: BTreeMap<String, Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub enum Kind {
    Plain,
    Pair(i64, i64),
    Named { field: String },
}

impl Thing {
    pub fn difficult() -> Self {
        Self {
            id: Uuid::from_u128(7),
            name: "Ünïcödé \"quoted\" \\ \n 🦀 \u{0}".to_owned(),
            amount_minor: i64::MIN,
            largest: u64::MAX,
            maybe: None,
            kind: Kind::Named { field: String::new() },
            by_name: BTreeMap::from([("a".to_owned(), vec![0, 255]), (String::new(), vec![])]),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema, thiserror::Error)]
pub enum ProbeError {
    #[error("probe {id} is not known")]
    NotFound { id: Uuid },
    #[error("probe is closed")]
    Closed,
    #[error("{0} fields are wrong")]
    Wrong(u32, Vec<String>),
    #[error(transparent)]
    Call(#[from] CallError),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Seen {
    pub request_id: Uuid,
    pub call_id: Uuid,
    pub trace_id: String,
    pub sampled: bool,
    pub depth: u8,
    pub remaining_ms: u128,
    #[schemars(with = "serde_json::Value")]
    pub caller: Option<Caller>,
    pub user_token: Option<String>,
    #[schemars(with = "serde_json::Value")]
    pub idempotency: Option<IdempotencyKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Tally {
    pub executions: u32,
    pub finished: u32,
    pub cancelled: u32,
    pub rows: usize,
    /// The process that it answers in.
    pub process: u32,
}

/// The implementation, and what it did.
#[derive(Default)]
pub struct ProbeService {
    pub itself: OnceLock<ServiceClient<dyn Probe>>,
    pub executions: AtomicU32,
    pub finished: AtomicU32,
    pub cancelled: AtomicU32,
    /// The call ids under which `deposit` ran, in order.
    pub deposits: Mutex<Vec<Uuid>>,
    /// The rows that were made, each under the id by which a repeat is known.
    pub rows: Mutex<Vec<Option<Uuid>>>,
    balance: Mutex<(i64, BTreeSet<Uuid>)>,
}

impl ProbeService {
    pub fn executions(&self) -> u32 {
        self.executions.load(Ordering::SeqCst)
    }

    async fn sleep_watched(&self, ms: u64) {
        self.executions.fetch_add(1, Ordering::SeqCst);
        let mut watch = Watch { service: self, finished: false };
        tokio::time::sleep(Duration::from_millis(ms)).await;
        watch.finished = true;
    }
}

/// Counts whether work ended or was dropped.
struct Watch<'a> {
    service: &'a ProbeService,
    finished: bool,
}

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        let counter = if self.finished { &self.service.finished } else { &self.service.cancelled };
        counter.fetch_add(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Probe for ProbeService {
    async fn echo(
        &self,
        _: &CallContext,
        thing: Thing,
        more: Option<Thing>,
    ) -> Result<Vec<Thing>, ProbeError> {
        Ok([thing].into_iter().chain(more).collect())
    }

    async fn nothing(&self, _: &CallContext) -> Result<(), ProbeError> {
        self.executions.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    async fn refuse(&self, _: &CallContext, refusal: ProbeError) -> Result<(), ProbeError> {
        Err(refusal)
    }

    async fn seen(&self, cx: &CallContext) -> Result<Seen, ProbeError> {
        Ok(Seen {
            request_id: cx.request_id(),
            call_id: cx.call_id(),
            trace_id: cx.trace().trace_id_hex(),
            sampled: cx.trace().sampled,
            depth: cx.depth(),
            remaining_ms: cx.remaining().as_millis(),
            caller: cx.caller().cloned(),
            user_token: cx.caller().and_then(|caller| match &caller.proof {
                service_registry::Proof::UserToken(token) => Some(token.to_string()),
                service_registry::Proof::Delegated => None,
            }),
            idempotency: cx.idempotency().cloned(),
        })
    }

    async fn tally(&self, _: &CallContext) -> Result<Tally, ProbeError> {
        Ok(Tally {
            executions: self.executions(),
            finished: self.finished.load(Ordering::SeqCst),
            cancelled: self.cancelled.load(Ordering::SeqCst),
            rows: self.rows.lock().unwrap().len(),
            process: std::process::id(),
        })
    }

    async fn sleep(&self, _: &CallContext, ms: u64) -> Result<(), ProbeError> {
        self.sleep_watched(ms).await;
        Ok(())
    }

    async fn sleep_briefly(&self, _: &CallContext, ms: u64) -> Result<(), ProbeError> {
        self.sleep_watched(ms).await;
        Ok(())
    }

    async fn panic(&self, _: &CallContext, after_ms: u64) -> Result<(), ProbeError> {
        if after_ms > 0 {
            tokio::time::sleep(Duration::from_millis(after_ms)).await;
        }
        panic!("on purpose");
    }

    async fn nest(&self, cx: &CallContext, levels: u8) -> Result<u8, ProbeError> {
        match (levels, self.itself.get()) {
            (1.., Some(itself)) => itself.nest(cx, levels - 1).await,
            _ => Ok(cx.depth()),
        }
    }

    async fn replay(&self, cx: &CallContext) -> Result<(), ProbeError> {
        cx.mark_replayed();
        Ok(())
    }

    async fn deposit(&self, cx: &CallContext, id: Uuid, amount: i64) -> Result<i64, ProbeError> {
        self.executions.fetch_add(1, Ordering::SeqCst);
        self.deposits.lock().unwrap().push(cx.call_id());
        let mut balance = self.balance.lock().unwrap();
        if balance.1.insert(id) {
            balance.0 += amount;
        }
        Ok(balance.0)
    }

    async fn write_slowly(&self, _: &CallContext, ms: u64) -> Result<(), ProbeError> {
        self.sleep_watched(ms).await;
        Ok(())
    }

    async fn make_row(&self, cx: &CallContext) -> Result<usize, ProbeError> {
        let mut rows = self.rows.lock().unwrap();
        let known = rows.iter().position(|row| row.is_some() && *row == cx.repeat_id());
        Ok(known.unwrap_or_else(|| {
            rows.push(cx.repeat_id());
            rows.len() - 1
        }))
    }

    async fn increment(&self, _: &CallContext) -> Result<u32, ProbeError> {
        Ok(self.executions.fetch_add(1, Ordering::SeqCst) + 1)
    }
}
