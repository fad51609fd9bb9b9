//! The edges that were actually seen, as plain data.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Edge, Edges, Requests, UNNAMED, classes, lock, requests};
use crate::contract::Contract;
use crate::permissions::Permissions;

/// What was seen of the calls from one caller to one method over one kind of binding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EdgeSeen {
    /// Who calls: the service that holds the client, or whose token came with the call.
    pub caller: String,
    pub service: String,
    pub method: String,
    /// `local`, `remote`, `serve` (the receiving end of somebody's remote call) or `unbound`.
    pub binding: String,
    /// Calls that ended since the process started.
    pub calls: u64,
    /// Those of them without an answer by their kind, those that the callee refused as `refusal`, and beside them the
    /// calls whose caller went away as `cancelled`.
    pub errors: BTreeMap<String, u64>,
    /// Calls that have not ended.
    pub in_flight: u64,
    pub retries: u64,
    /// What the calls wrote on the wire; nothing where both sides are one process.
    pub request_bytes: u64,
    pub answer_bytes: u64,
    pub recent: Recent,
}

/// The same for the last half minute to minute, or since the process started if that is less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recent {
    pub seconds: f64,
    pub calls: u64,
    pub per_second: f64,
    /// Microseconds within which half, and all but a hundredth, of the calls ended; absent without calls.
    pub p50_us: Option<f64>,
    pub p99_us: Option<f64>,
}

/// All edges of one registry.
#[derive(Default)]
pub(crate) struct Seen {
    /// Who may use which; all of them where there is no table.
    permissions: Option<Arc<Permissions>>,
    calls: Mutex<Vec<Arc<Edges>>>,
    requests: Mutex<Vec<Arc<Edges>>>,
}

impl Seen {
    pub(crate) fn new(permissions: Arc<Permissions>) -> Self {
        Self { permissions: Some(permissions), ..Self::default() }
    }

    /// The edges from `caller` to a contract; made when first asked for.
    pub(crate) fn edges<T: Contract + ?Sized>(&self, caller: &str) -> Arc<Edges> {
        // Nobody in particular, such as a test, is not in the table either.
        let table = self.permissions.as_ref().filter(|_| caller != UNNAMED);
        let may = |method: &str| table.is_none_or(|table| table.allow(caller, T::NAME, method));
        find_or_add(&self.calls, caller, (T::NAME, T::VERSION), || Edges::of::<T>(caller, may))
    }

    /// The same for the public requests to a service.
    pub(crate) fn requests(&self, caller: &str, service: &'static str) -> Requests {
        let make = || Requests::edges(caller, service);
        Requests::new(find_or_add(&self.requests, caller, (service, requests::VERSION), make))
    }

    /// Every edge that was used, by service, caller, method and binding.
    pub(crate) fn report(&self) -> Vec<EdgeSeen> {
        let mut all = lock(&self.calls).clone();
        all.extend(lock(&self.requests).iter().cloned());
        let mut seen: Vec<_> = all.iter().flat_map(|edges| edges.used()).map(Edge::seen).collect();
        let order =
            |edge: &EdgeSeen| [&edge.service, &edge.caller, &edge.method, &edge.binding].map(String::clone);
        seen.sort_by_cached_key(order);
        seen
    }
}

fn find_or_add(
    all: &Mutex<Vec<Arc<Edges>>>,
    caller: &str,
    service: (&str, u32),
    make: impl FnOnce() -> Arc<Edges>,
) -> Arc<Edges> {
    let mut all = lock(all);
    if let Some(known) =
        all.iter().find(|edges| (edges.service, edges.version) == service && *edges.caller == *caller)
    {
        return Arc::clone(known);
    }
    let edges = make();
    all.push(Arc::clone(&edges));
    edges
}

/// How far back what counts as recent goes at least, where there is so much.
const WINDOW: Duration = Duration::from_secs(30);

/// The counts at two earlier moments: the older one is where what is recent begins.
pub(super) struct Earlier {
    older: (Instant, Box<[u64]>),
    newer: (Instant, Box<[u64]>),
}

impl Default for Earlier {
    fn default() -> Self {
        let nothing = (Instant::now(), Box::default());
        Self { older: nothing.clone(), newer: nothing }
    }
}

impl Edge {
    /// Keeps the counts of now as those of a moment ago, if the last such moment is long enough ago.
    pub(super) fn remember(&self) {
        let earlier = &mut *lock(&self.earlier);
        let now = Instant::now();
        if now.duration_since(earlier.newer.0) >= WINDOW {
            earlier.older = std::mem::replace(&mut earlier.newer, (now, self.ended()));
        }
    }

    fn seen(&self) -> EdgeSeen {
        let ended = self.ended();
        EdgeSeen {
            caller: self.caller.to_string(),
            service: self.service.to_owned(),
            method: self.method.to_owned(),
            binding: self.kind.label().to_owned(),
            calls: ended.iter().sum(),
            errors: self.errors().into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect(),
            in_flight: self.in_flight(),
            retries: self.retries.total(),
            request_bytes: self.request_bytes.load(Ordering::Relaxed),
            answer_bytes: self.answer_bytes.load(Ordering::Relaxed),
            recent: self.recent(&ended),
        }
    }

    fn recent(&self, ended: &[u64]) -> Recent {
        let (since, before) = &lock(&self.earlier).older;
        let new = |(class, count): (usize, &u64)| count.saturating_sub(*before.get(class).unwrap_or(&0));
        let counts: Vec<u64> = ended.iter().enumerate().map(new).collect();
        let (seconds, calls) = (since.elapsed().as_secs_f64(), counts.iter().sum());
        let us = |share| classes::quantile(&counts, share).map(|time| time.as_nanos() as f64 / 1000.0);
        Recent {
            seconds,
            calls,
            per_second: if seconds > 0.0 { calls as f64 / seconds } else { 0.0 },
            p50_us: us(0.5),
            p99_us: us(0.99),
        }
    }
}
