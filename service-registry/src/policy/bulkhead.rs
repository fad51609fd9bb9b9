//! A bound on what one callee may hold of its callers: so many calls at once, so many waiting, no more.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use metrics::counter;
use tokio::sync::Notify;

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

/// Not a semaphore of tokio: that locks to give a place back, which costs as much as a third of a local call.
#[derive(Debug)]
struct Inner {
    limits: BulkheadLimits,
    occupied: AtomicUsize,
    queued: AtomicUsize,
    freed: Notify,
    service: String,
    binding: &'static str,
}

impl Bulkhead {
    /// For calls to `service` over `binding`, which are its labels in metrics.
    pub fn new(limits: BulkheadLimits, service: &str, binding: &'static str) -> Self {
        let (occupied, queued, freed) = (AtomicUsize::new(0), AtomicUsize::new(0), Notify::new());
        Self {
            inner: Arc::new(Inner { limits, occupied, queued, freed, service: service.to_owned(), binding }),
        }
    }

    /// A place, if one is free and nobody waits for it.
    #[inline]
    pub fn try_enter(&self) -> Option<Place<'_>> {
        if self.inner.queued.load(SeqCst) == 0 { self.take() } else { None }
    }

    #[inline]
    fn take(&self) -> Option<Place<'_>> {
        // Never one too many for a moment: two that step back from that could both miss a place that is free.
        let most = self.inner.limits.concurrent;
        let one_more = |occupied| (occupied < most).then_some(occupied + 1);
        self.inner.occupied.fetch_update(SeqCst, SeqCst, one_more).ok()?;
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
        loop {
            // Listens before it looks: a place that is given back in between is not missed.
            let mut freed = pin!(self.inner.freed.notified());
            freed.as_mut().enable();
            if let Some(place) = self.take() {
                return Ok(place);
            }
            freed.await;
        }
    }

    /// Calls that have a place now.
    pub fn occupied(&self) -> usize {
        self.inner.occupied.load(SeqCst)
    }

    #[cold]
    fn shed(&self) -> CallError {
        let Inner { service, binding, .. } = &*self.inner;
        counter!("bulkhead_shed_total", "service" => service.clone(), "binding" => *binding).increment(1);
        CallError::Overloaded { service: service.clone(), retry_after_ms: DEFAULT_RETRY_AFTER_MS }
    }
}

impl Inner {
    /// Gives a place back, and wakes one that waits for it. Both sides write their own number before they read the
    /// other's, so that one of them sees the other.
    #[inline]
    fn leave(&self) {
        self.occupied.fetch_sub(1, SeqCst);
        if self.queued.load(SeqCst) > 0 {
            self.freed.notify_one();
        }
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
        self.bulkhead.inner.leave();
    }
}

/// A place without a lifetime.
#[derive(Debug)]
#[must_use]
pub struct KeptPlace(Arc<Inner>);

impl Drop for KeptPlace {
    fn drop(&mut self) {
        self.0.leave();
    }
}

/// One in the queue; leaves it when it gets a place, and when its caller goes away.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(inner: &'a Inner) -> Option<Self> {
        let room = |queued| (queued < inner.limits.queued).then_some(queued + 1);
        inner.queued.fetch_update(SeqCst, SeqCst, room).ok()?;
        Some(Self(&inner.queued))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;
    use futures_util::future::join_all;
    use tokio::time::timeout;

    use super::*;
    use crate::policy::Dice;

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

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn simulation_no_place_is_lost_or_given_twice_whoever_goes_away() {
        let bulkhead = Bulkhead::new(BulkheadLimits { concurrent: 3, queued: 40 }, "ledger", "local");
        let inside = Arc::new(AtomicUsize::new(0));
        let crowd = (0..32).map(|seed| {
            let (bulkhead, inside) = (bulkhead.clone(), Arc::clone(&inside));
            tokio::spawn(async move {
                let mut dice = Dice::seeded(seed);
                for _ in 0..300 {
                    let patience = Duration::from_micros(dice.throw() % 300);
                    let Ok(Ok(place)) = timeout(patience, bulkhead.enter()).await else { continue };
                    assert!(inside.fetch_add(1, SeqCst) < 3);
                    if dice.below(2) == 0 {
                        tokio::task::yield_now().await;
                    }
                    inside.fetch_sub(1, SeqCst);
                    drop(place);
                }
            })
        });
        for member in join_all(crowd).await {
            member.unwrap();
        }
        assert_eq!((bulkhead.occupied(), bulkhead.inner.queued.load(SeqCst)), (0, 0));
        let all = [bulkhead.try_enter(), bulkhead.try_enter(), bulkhead.try_enter()];
        assert!(all.iter().all(Option::is_some) && bulkhead.try_enter().is_none());
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
