//! What keeps one bad neighbour from taking the others with it (semantics §6 and §7).

mod breaker;
mod budget;
mod bulkhead;
mod dice;
mod window;

use std::time::{Duration, Instant};

pub use breaker::{Breaker, BreakerRules, Permit};
pub use budget::Budget;
pub(crate) use budget::publish as publish_budgets;
pub use bulkhead::{Bulkhead, BulkheadLimits, KeptPlace, Place};
pub use dice::Dice;

/// The rules for the calls to one service. What a local binding has no use for does not apply there.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Policy {
    /// Holds in every binding.
    pub bulkhead: BulkheadLimits,
    /// Per endpoint of a remote service.
    pub breaker: BreakerRules,
    pub retry: RetryRules,
    /// A read that has no answer after this long is asked a second time, and the first answer counts.
    pub hedge_after: Option<Duration>,
}

/// How many repeats a remote service may get, whatever its calls would like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RetryRules {
    /// Repeats in percent of the calls of the last ten seconds.
    pub percent: u32,
    /// Repeats a second that are allowed on top, so that a quiet service has some at all.
    pub floor_per_s: u32,
}

impl Default for RetryRules {
    fn default() -> Self {
        Self { percent: 20, floor_per_s: 10 }
    }
}

/// The clock of the runtime, which a test can stop.
fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
