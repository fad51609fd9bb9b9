//! What the metrics recorder is told of the edges.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, Weak};

use metrics::{Label, counter, gauge, histogram};

use super::{Edge, Edges, classes, lock};
use crate::policy::publish_budgets;

/// Every set of edges that is in use.
static ALL: Mutex<Vec<Weak<Edges>>> = Mutex::new(Vec::new());

/// Tells the metrics recorder what happened since it was last told, by caller, service, method and binding:
/// `service_calls_total`, `service_call_seconds`, `service_call_errors_total`, `service_call_retries_total`,
/// `service_call_bytes_total` and `service_calls_in_flight`; and what is left for repeats, by service:
/// `retry_budget_left`.
///
/// To be called before each scrape is answered, and on a timer so that no scrape has much to do. Times are
/// exact to about 6 %: they are kept in eight classes for each power of two.
pub fn publish_metrics() {
    let edges: Vec<Arc<Edges>> = {
        let mut all = lock(&ALL);
        all.retain(|edges| edges.strong_count() > 0);
        all.iter().filter_map(Weak::upgrade).collect()
    };
    for edge in edges.iter().flat_map(|edges| edges.used()) {
        edge.publish();
        edge.remember();
    }
    publish_budgets();
}

pub(super) fn list(edges: &Arc<Edges>) {
    lock(&ALL).push(Arc::downgrade(edges));
}

/// What the recorder knows already.
#[derive(Default)]
pub(super) struct Told {
    ended: Box<[u64]>,
    rest: BTreeMap<(&'static str, &'static str), u64>,
}

impl Told {
    /// What is new of a total that was told before.
    fn news(&mut self, name: &'static str, part: &'static str, total: u64) -> u64 {
        let told = self.rest.entry((name, part)).or_default();
        let new = total.saturating_sub(*told);
        *told = total;
        new
    }
}

impl Edge {
    fn publish(&self) {
        let told = &mut *lock(&self.told);
        self.publish_calls(told);
        for (kind, total) in self.errors() {
            self.publish_total(told, "service_call_errors_total", ("kind", kind), total);
        }
        for (part, bytes) in [("request", &self.request_bytes), ("answer", &self.answer_bytes)] {
            let total = bytes.load(Ordering::Relaxed);
            self.publish_total(told, "service_call_bytes_total", ("part", part), total);
        }
        let retries = told.news("service_call_retries_total", "", self.retries.total());
        if retries > 0 {
            counter!("service_call_retries_total", self.labels()).increment(retries);
        }
        gauge!("service_calls_in_flight", self.labels()).set(self.in_flight() as f64);
    }

    fn publish_calls(&self, told: &mut Told) {
        let ended = self.ended();
        let calls = counter!("service_calls_total", self.labels());
        let seconds = histogram!("service_call_seconds", self.labels());
        for (class, count) in ended.iter().enumerate() {
            let new = count - told.ended.get(class).unwrap_or(&0);
            if new > 0 {
                calls.increment(new);
                let new = usize::try_from(new).unwrap_or(usize::MAX);
                seconds.record_many(classes::middle(class).as_secs_f64(), new);
            }
        }
        told.ended = ended;
    }

    fn publish_total(
        &self,
        told: &mut Told,
        name: &'static str,
        part: (&'static str, &'static str),
        total: u64,
    ) {
        let new = told.news(name, part.1, total);
        if new > 0 {
            let mut labels = self.labels();
            labels.push(Label::from(&part));
            counter!(name, labels).increment(new);
        }
    }

    fn labels(&self) -> Vec<Label> {
        vec![
            Label::new("caller", self.caller.to_string()),
            Label::new("service", self.service),
            Label::new("method", self.method),
            Label::new("binding", self.kind.label()),
        ]
    }
}
