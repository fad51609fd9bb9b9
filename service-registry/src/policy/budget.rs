//! How many repeats the calls to one service may still have (semantics §6).
//!
//! As tower's `TpsBudget`, which does not tell what is left of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use metrics::gauge;

use super::window::Window;
use super::{RetryRules, now};

/// How long calls and repeats are remembered.
const WINDOW: Duration = Duration::from_secs(10);

/// Every budget that is in use.
static ALL: Mutex<Vec<Weak<Budget>>> = Mutex::new(Vec::new());

/// The repeats that a service may get in ten seconds: a part of its calls of that time, and a floor.
#[derive(Debug)]
pub struct Budget {
    rules: RetryRules,
    service: String,
    used: Mutex<Used>,
}

#[derive(Debug)]
struct Used {
    /// Calls, and repeats.
    window: Window,
    last: Instant,
}

impl Budget {
    /// For `service`, its label in metrics.
    pub fn new(rules: RetryRules, service: &str) -> Arc<Self> {
        let used = Mutex::new(Used { window: Window::new(WINDOW, now()), last: now() });
        let budget = Arc::new(Self { rules, service: service.to_owned(), used });
        lock(&ALL).push(Arc::downgrade(&budget));
        budget
    }

    /// Counts a call, from which repeats may be paid.
    pub fn deposit(&self) {
        let (mut used, now) = (lock(&self.used), now());
        used.last = now;
        used.window.count(1, 0, now);
    }

    /// Takes a repeat, if there is one.
    pub fn withdraw(&self) -> bool {
        let (mut used, now) = (lock(&self.used), now());
        let may = self.left_of(&mut used, now) > 0;
        used.window.count(0, u32::from(may), now);
        may
    }

    /// Repeats that could be taken now.
    pub fn left(&self) -> u64 {
        self.left_of(&mut lock(&self.used), now())
    }

    fn left_of(&self, used: &mut Used, now: Instant) -> u64 {
        let RetryRules { percent, floor_per_s } = self.rules;
        let (calls, repeats) = used.window.sum(now);
        let earned = u64::from(calls) * u64::from(percent) / 100;
        let floor = u64::from(floor_per_s) * WINDOW.as_secs();
        (earned + floor).saturating_sub(u64::from(repeats))
    }
}

/// Tells the metrics recorder what is left of each budget, as `retry_budget_left` by `service`. Where there are several
/// ways to a service, it is that of the one which was taken last.
pub(crate) fn publish() {
    let mut budgets: Vec<Arc<Budget>> = {
        let mut all = lock(&ALL);
        all.retain(|budget| budget.strong_count() > 0);
        all.iter().filter_map(Weak::upgrade).collect()
    };
    budgets.sort_by_cached_key(|budget| lock(&budget.used).last);
    for budget in budgets {
        gauge!("retry_budget_left", "service" => budget.service.clone()).set(budget.left() as f64);
    }
}

/// Nothing panics while one of these locks is held.
fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(percent: u32, floor_per_s: u32) -> Arc<Budget> {
        Budget::new(RetryRules { percent, floor_per_s }, "ledger")
    }

    fn calls(budget: &Budget, times: usize) {
        (0..times).for_each(|_| budget.deposit());
    }

    /// How many repeats there are for somebody who wants them all.
    fn spend(budget: &Budget) -> usize {
        (0..1000).take_while(|_| budget.withdraw()).count()
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_what_can_be_taken() {
        for (percent, floor_per_s, most) in [(20, 0, 40), (20, 1, 50), (30, 0, 60), (0, 1, 10), (0, 0, 0)] {
            let budget = budget(percent, floor_per_s);
            calls(&budget, 200);
            assert_eq!((budget.left(), spend(&budget)), (most, most as usize));
            assert_eq!((budget.left(), budget.withdraw()), (0, false));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_and_repeats_are_forgotten_after_ten_seconds() {
        let budget = budget(20, 1);
        calls(&budget, 100);
        assert_eq!(spend(&budget), 30);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(budget.left(), 0, "all of it was within ten seconds");
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!(budget.left(), 10);
        // Repeats outlive the calls that have paid for them, and then there are none for a while.
        calls(&budget, 100);
        tokio::time::advance(Duration::from_secs(9)).await;
        assert_eq!(spend(&budget), 30);
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!((budget.left(), budget.withdraw()), (0, false));
    }

    #[test]
    fn an_operator_sees_what_is_left_on_the_way_that_was_taken_last() {
        let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
        let page = recorder.handle();
        let of_page =
            || page.render().lines().find(|line| line.contains(r#"{service="bank"}"#)).map(str::to_owned);
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        metrics::with_local_recorder(&recorder, || {
            runtime.block_on(async {
                let [one, other] = [0, 0].map(|_| Budget::new(RetryRules::default(), "bank"));
                for (taken, left) in [(&one, 99), (&other, 98), (&one, 97)] {
                    tokio::time::advance(Duration::from_millis(1)).await;
                    taken.deposit();
                    while taken.left() > left {
                        assert!(taken.withdraw());
                    }
                    publish();
                    assert_eq!(of_page(), Some(format!(r#"retry_budget_left{{service="bank"}} {left}"#)));
                }
            });
        });
    }
}
