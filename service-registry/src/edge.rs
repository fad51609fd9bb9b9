//! The counters of one (caller, service, method, binding), cheap enough for calls that take 50 ns.
//!
//! A call in this process adds one when it begins and one when it ends, and no more. What the metrics recorder wants to
//! know is told to it by [`publish_metrics`], all at once: recording each call there costs as much as a small call
//! itself.

pub(crate) mod classes;
mod publish;
mod requests;
mod seen;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tracing::warn;

use crate::binding::Kind;
use crate::contract::Contract;
use crate::permissions::Permissions;
pub use publish::publish_metrics;
pub use requests::Requests;
pub(crate) use seen::Seen;
pub use seen::{EdgeSeen, Recent};

/// Who calls through a client that nobody gave a name.
pub(crate) const UNNAMED: &str = "unnamed";

/// The edges from one caller to one contract, for every method and kind of binding.
pub(crate) struct Edges {
    caller: Arc<str>,
    service: &'static str,
    version: u32,
    /// By name, and whether the caller may call them.
    methods: Vec<(&'static str, bool)>,
    edges: Vec<[OnceLock<Edge>; Kind::ALL.len()]>,
}

impl Edges {
    /// Those of a caller who may call whatever `may` says.
    pub(crate) fn of<T: Contract + ?Sized>(caller: &str, may: impl Fn(&str) -> bool) -> Arc<Self> {
        let methods = T::METHODS.iter().map(|method| (method.name, may(method.name))).collect();
        Self::new(caller, T::NAME, T::VERSION, methods)
    }

    fn new(
        caller: &str,
        service: &'static str,
        version: u32,
        methods: Vec<(&'static str, bool)>,
    ) -> Arc<Self> {
        let edges = methods.iter().map(|_| Default::default()).collect();
        let edges = Arc::new(Self { caller: caller.into(), service, version, methods, edges });
        publish::list(&edges);
        edges
    }

    #[inline]
    pub(crate) fn edge(&self, method: usize, kind: Kind) -> &Edge {
        self.edges[method][kind as usize].get_or_init(|| self.make(method, kind))
    }

    #[cold]
    fn make(&self, method: usize, kind: Kind) -> Edge {
        let (caller, service, (method, may)) = (&self.caller, self.service, self.methods[method]);
        // Who calls from another process was asked at the door.
        let allowed = may || kind == Kind::Serve;
        if !allowed {
            let (caller, reason) = (&**caller, "method");
            warn!(service, method, caller, reason, "Refusing {caller} its calls: {}", Permissions::REFUSAL);
        }
        Edge { allowed, ..Edge::new(caller, service, method, kind) }
    }

    /// Those that were ever used.
    fn used(&self) -> impl Iterator<Item = &Edge> {
        let made = self.edges.iter().flatten().filter_map(OnceLock::get);
        made.filter(|edge| edge.begun.load(Ordering::Relaxed) > 0)
    }
}

/// What is measured of the calls from one caller to one method over one kind of binding.
pub(crate) struct Edge {
    caller: Arc<str>,
    service: &'static str,
    method: &'static str,
    kind: Kind,
    /// Whether the caller may call the method at all; settled when the edge is made.
    allowed: bool,
    begun: AtomicU64,
    /// Calls that ended, by the class of their duration.
    ended: Box<[AtomicU64]>,
    /// Calls whose caller went away before they ended.
    dropped: AtomicU64,
    request_bytes: AtomicU64,
    answer_bytes: AtomicU64,
    retries: Tally,
    errors: Mutex<BTreeMap<&'static str, u64>>,
    told: Mutex<publish::Told>,
    earlier: Mutex<seen::Earlier>,
}

impl Edge {
    pub(crate) fn new(caller: &Arc<str>, service: &'static str, method: &'static str, kind: Kind) -> Self {
        let [begun, dropped, request_bytes, answer_bytes] = [const { AtomicU64::new(0) }; 4];
        Self {
            caller: Arc::clone(caller),
            service,
            method,
            kind,
            allowed: true,
            begun,
            ended: (0..classes::COUNT).map(|_| AtomicU64::new(0)).collect(),
            dropped,
            request_bytes,
            answer_bytes,
            retries: Tally::default(),
            errors: Mutex::default(),
            told: Mutex::default(),
            earlier: Mutex::default(),
        }
    }

    /// Whether its calls may run.
    #[inline(always)]
    pub(crate) fn is_allowed(&self) -> bool {
        self.allowed
    }

    /// Counts a call that begins.
    #[inline]
    pub(crate) fn begin(&self) {
        self.begun.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a call that ended after so long.
    #[inline]
    pub(crate) fn end(&self, elapsed: Duration) {
        self.ended[classes::of(elapsed)].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a call whose caller did not wait for its end.
    #[cold]
    pub(crate) fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a call without an answer by its kind, or an error that the callee answered with as `refusal`.
    #[cold]
    pub(crate) fn count_error(&self, kind: &'static str) {
        *lock(&self.errors).entry(kind).or_default() += 1;
    }

    /// Counts what crossed the wire; nothing does where both sides are one process.
    pub(crate) fn count_request(&self, bytes: usize) {
        self.request_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_answer(&self, bytes: usize) {
        self.answer_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Where a transport counts what it sends again.
    pub(crate) fn retries(&self) -> &Tally {
        &self.retries
    }

    fn ended(&self) -> Box<[u64]> {
        self.ended.iter().map(|count| count.load(Ordering::Relaxed)).collect()
    }

    /// Errors by kind; a caller that went away is one of them.
    fn errors(&self) -> BTreeMap<&'static str, u64> {
        let mut errors = lock(&self.errors).clone();
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > 0 {
            errors.insert("cancelled", dropped);
        }
        errors
    }

    /// Calls that have begun and not ended.
    fn in_flight(&self) -> u64 {
        // Read in this order: what ends in between is seen as begun too.
        let ended = self.ended().iter().sum::<u64>() + self.dropped.load(Ordering::Relaxed);
        self.begun.load(Ordering::Relaxed).saturating_sub(ended)
    }
}

/// A number that only grows; all clones are one.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<AtomicU64>);

impl Tally {
    pub fn add_one(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn total(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Nothing panics while one of these locks is held.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
