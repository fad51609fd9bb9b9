//! The counters of one (service, method, binding), cheap enough for calls that take 50 ns.
//!
//! A call adds one to one number and no more. What the metrics recorder wants to know is told to it by
//! [`publish_metrics`], all at once: recording each call there costs as much as a small call itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use metrics::{counter, histogram};

use crate::binding::Kind;
use crate::contract::Contract;

/// Every set of edges that is in use, for [`publish_metrics`].
static ALL: Mutex<Vec<Weak<Edges>>> = Mutex::new(Vec::new());

/// Tells the metrics recorder what happened since it was last told: `service_calls_total` and
/// `service_call_seconds`, by service, method and binding.
///
/// To be called before each scrape is answered, and on a timer so that no scrape has much to do. Times are
/// exact to about 6 %: they are kept in eight classes for each power of two.
pub fn publish_metrics() {
    let edges: Vec<Arc<Edges>> = {
        let mut all = lock(&ALL);
        all.retain(|edges| edges.strong_count() > 0);
        all.iter().filter_map(Weak::upgrade).collect()
    };
    edges.iter().for_each(|edges| edges.publish());
}

/// The edges of one contract, for every method and kind of binding.
pub(crate) struct Edges {
    service: &'static str,
    methods: Vec<&'static str>,
    edges: Vec<[OnceLock<Edge>; Kind::ALL.len()]>,
}

impl Edges {
    pub(crate) fn of<T: Contract + ?Sized>() -> Arc<Self> {
        let edges = Arc::new(Self {
            service: T::NAME,
            methods: T::METHODS.iter().map(|method| method.name).collect(),
            edges: T::METHODS.iter().map(|_| Default::default()).collect(),
        });
        lock(&ALL).push(Arc::downgrade(&edges));
        edges
    }

    #[inline]
    pub(crate) fn edge(&self, method: usize, kind: Kind) -> &Edge {
        self.edges[method][kind as usize].get_or_init(|| Edge::new(self.service, self.methods[method], kind))
    }

    fn publish(&self) {
        self.edges.iter().flatten().filter_map(OnceLock::get).for_each(Edge::publish);
    }
}

/// What is measured of the calls to one method over one kind of binding.
pub(crate) struct Edge {
    labels: [(&'static str, &'static str); 3],
    calls: Box<[AtomicU64]>,
    published: Mutex<Box<[u64]>>,
}

impl Edge {
    pub(crate) fn new(service: &'static str, method: &'static str, kind: Kind) -> Self {
        Self {
            labels: [("service", service), ("method", method), ("binding", kind.label())],
            calls: (0..CLASSES).map(|_| AtomicU64::new(0)).collect(),
            published: Mutex::new(vec![0; CLASSES].into()),
        }
    }

    /// Counts a call that took so long.
    #[inline]
    pub(crate) fn count(&self, elapsed: Duration) {
        self.calls[class_of(elapsed)].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a call without an answer by its kind, or an error that the callee answered with as
    /// `refusal`, in `service_call_errors_total`. Told to the recorder at once: errors are rare.
    #[cold]
    pub(crate) fn count_error(&self, kind: &'static str) {
        let [service, method, binding] = self.labels;
        counter!("service_call_errors_total", &[service, method, binding, ("kind", kind)]).increment(1);
    }

    fn publish(&self) {
        let mut published = lock(&self.published);
        let (calls, seconds) =
            (counter!("service_calls_total", &self.labels), histogram!("service_call_seconds", &self.labels));
        for (class, (count, told)) in self.calls.iter().zip(published.iter_mut()).enumerate() {
            let count = count.load(Ordering::Relaxed);
            let new = count - *told;
            if new > 0 {
                calls.increment(new);
                seconds
                    .record_many(middle_of(class).as_secs_f64(), usize::try_from(new).unwrap_or(usize::MAX));
                *told = count;
            }
        }
    }
}

/// Powers of two of nanoseconds that are told apart: from 32 ns to 68 s, with what lies beyond at the ends.
const LOWEST: u32 = 5;
const HIGHEST: u32 = 36;
/// Eight classes for each power of two.
const FINE_BITS: u32 = 3;
pub(crate) const CLASSES: usize = ((HIGHEST - LOWEST) << FINE_BITS) as usize;

#[inline]
pub(crate) fn class_of(elapsed: Duration) -> usize {
    let ns = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX).clamp(1 << LOWEST, (1 << HIGHEST) - 1);
    let power = ns.ilog2();
    let fine = (ns >> (power - FINE_BITS)) & ((1 << FINE_BITS) - 1);
    (((power - LOWEST) << FINE_BITS) as usize) + fine as usize
}

/// The time in the middle of a class.
pub(crate) fn middle_of(class: usize) -> Duration {
    let power = LOWEST + (class >> FINE_BITS) as u32;
    let fine = (class & ((1 << FINE_BITS) - 1)) as u64;
    let width = 1_u64 << (power - FINE_BITS);
    Duration::from_nanos((1 << power) + fine * width + width / 2)
}

/// Nothing panics while one of these locks is held.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_tells_a_time_to_within_seven_percent() {
        for ns in [40, 100, 999, 12_345, 1_000_000, 3_000_000_000, 60_000_000_000_u64] {
            let middle = middle_of(class_of(Duration::from_nanos(ns))).as_nanos() as f64;
            assert!((middle / ns as f64 - 1.0).abs() < 0.07, "{ns} ns is told as {middle}");
        }
    }

    #[test]
    fn times_beyond_the_ends_are_counted_at_the_ends() {
        assert_eq!(class_of(Duration::ZERO), 0);
        assert_eq!(class_of(Duration::MAX), CLASSES - 1);
    }
}
