//! A bound on what one callee may hold of its callers: so many calls at once, so many waiting, no more.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use metrics::counter;
use tokio::sync::Semaphore;

use crate::error::{CallError, DEFAULT_RETRY_AFTER_MS};

/// How many calls of one target may run and wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkheadLimits {
    /// Calls at once. Too low: callers wait for nothing; too high: one slow callee holds all of a process.
    pub concurrent: usize,
    /// Calls that wait for one of those to end; the next one is turned away at once.
    pub queued: usize,
}

impl Default for BulkheadLimits {
    fn default() -> Self {
        Self { concurrent: 64, queued: 64 }
    }
}

/// The places of one target. Cheap to clone; all clones share them.
#[derive(Clone, Debug)]
pub struct Bulkhead {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    limits: BulkheadLimits,
    places: Semaphore,
    queued: AtomicUsize,
    service: String,
    binding: &'static str,
}

impl Bulkhead {
    /// For calls to `service` over `binding`, which are its labels in metrics.
    pub fn new(limits: BulkheadLimits, service: &str, binding: &'static str) -> Self {
        let places = Semaphore::new(limits.concurrent.min(Semaphore::MAX_PERMITS));
        let queued = AtomicUsize::new(0);
        Self { inner: Arc::new(Inner { limits, places, queued, service: service.to_owned(), binding }) }
    }

    /// A place, if one is free.
    #[inline]
    pub fn try_enter(&self) -> Option<Place<'_>> {
        let permit = self.inner.places.try_acquire().ok()?;
        permit.forget();
        Some(Place { bulkhead: self })
    }

    /// A place, after a wait in the queue if need be. Whoever waits bounds the time.
    ///
    /// # Errors
    /// [`CallError::Overloaded`] at once when the queue is full.
    pub async fn enter(&self) -> Result<Place<'_>, CallError> {
        if let Some(place) = self.try_enter() {
            return Ok(place);
        }
        let _waiting = Waiting::begin(&self.inner).ok_or_else(|| self.shed())?;
        // Closed by nobody; an error would mean the same as no place.
        self.inner.places.acquire().await.map_err(|_| self.shed())?.forget();
        Ok(Place { bulkhead: self })
    }

    /// Calls that have a place now.
    pub fn occupied(&self) -> usize {
        self.inner.limits.concurrent.saturating_sub(self.inner.places.available_permits())
    }

    #[cold]
    fn shed(&self) -> CallError {
        let Inner { service, binding, .. } = &*self.inner;
        counter!("bulkhead_shed_total", "service" => service.clone(), "binding" => *binding).increment(1);
        CallError::Overloaded { service: service.clone(), retry_after_ms: DEFAULT_RETRY_AFTER_MS }
    }
}

/// A place that one call holds; free again when dropped.
#[derive(Debug)]
#[must_use]
pub struct Place<'a> {
    bulkhead: &'a Bulkhead,
}

impl Place<'_> {
    /// The same place for work that outlives its caller.
    pub fn keep(self) -> KeptPlace {
        let inner = Arc::clone(&self.bulkhead.inner);
        std::mem::forget(self);
        KeptPlace(inner)
    }
}

impl Drop for Place<'_> {
    #[inline]
    fn drop(&mut self) {
        self.bulkhead.inner.places.add_permits(1);
    }
}

/// A place without a lifetime.
#[derive(Debug)]
#[must_use]
pub struct KeptPlace(Arc<Inner>);

impl Drop for KeptPlace {
    fn drop(&mut self) {
        self.0.places.add_permits(1);
    }
}

/// One in the queue; leaves it when it gets a place, and when its caller goes away.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(inner: &'a Inner) -> Option<Self> {
        let room = |queued| (queued < inner.limits.queued).then_some(queued + 1);
        inner.queued.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).ok()?;
        Some(Self(&inner.queued))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use futures_util::future::join_all;

    use super::*;

    fn small() -> Bulkhead {
        Bulkhead::new(BulkheadLimits { concurrent: 2, queued: 1 }, "ledger", "local")
    }

    #[tokio::test]
    async fn the_third_waits_and_the_fourth_is_turned_away() {
        let bulkhead = small();
        let (first, _second) = (bulkhead.enter().await.unwrap(), bulkhead.enter().await.unwrap());
        let mut third = Box::pin(bulkhead.enter());
        assert!((&mut third).now_or_never().is_none());
        let full = bulkhead.enter().await.map(drop);
        assert!(matches!(full, Err(CallError::Overloaded { .. })), "{full:?}");
        drop(first);
        let _third = third.await.unwrap();
        assert_eq!(bulkhead.occupied(), 2);
    }

    #[tokio::test]
    async fn whoever_leaves_the_queue_makes_room_in_it() {
        let bulkhead = small();
        let _held = join_all([bulkhead.enter(), bulkhead.enter()]).await;
        for _ in 0..10 {
            let mut waiting = Box::pin(bulkhead.enter());
            assert!((&mut waiting).now_or_never().is_none());
        }
    }

    #[tokio::test]
    async fn a_kept_place_is_held_until_the_work_is_done() {
        let bulkhead = small();
        let kept = bulkhead.enter().await.unwrap().keep();
        assert_eq!(bulkhead.occupied(), 1);
        drop(kept);
        assert_eq!(bulkhead.occupied(), 0);
    }
}
