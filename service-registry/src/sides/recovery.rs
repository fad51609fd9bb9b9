//! How a side that was away gets its traffic back: a few keys first, all of them after a while.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::context::CallContext;
use crate::sticky::turn;

/// Time over which keys return. A process that has just come back has cold caches and no connections.
const RETURN_OVER: Duration = Duration::from_secs(10);

#[derive(Default)]
pub(super) struct Recovery {
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum State {
    #[default]
    There,
    Away,
    Returning {
        since: Instant,
    },
}

impl Recovery {
    /// Whether the other side is to be asked for this call. While it is away, too: asking costs nothing then, and
    /// is how anybody finds out that it is back.
    pub(super) fn has_returned(&self, cx: &CallContext) -> bool {
        let State::Returning { since } = *self.state() else { return true };
        turn(cx) < since.elapsed().as_secs_f64() / RETURN_OVER.as_secs_f64()
    }

    /// Notes whether the other side has a chance, just after it was asked.
    pub(super) fn note(&self, available: bool) {
        let mut state = self.state();
        *state = match (*state, available) {
            (_, false) => State::Away,
            (State::Away, true) => State::Returning { since: Instant::now() },
            (State::Returning { since }, true) if since.elapsed() >= RETURN_OVER => State::There,
            (state, true) => state,
        };
    }

    /// Nothing panics while it is held.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returned(recovery: &Recovery, keys: &[CallContext]) -> usize {
        keys.iter().filter(|cx| recovery.has_returned(cx)).count()
    }

    #[tokio::test(start_paused = true)]
    async fn keys_come_back_one_after_another_and_none_goes_away_again() {
        let recovery = Recovery::default();
        let keys: Vec<_> = (0..1000).map(|_| CallContext::root()).collect();
        recovery.note(false);
        assert_eq!(returned(&recovery, &keys), 1000, "each asks first, while it is away");
        recovery.note(true);
        let mut before = 0;
        for second in 0..10 {
            let back: Vec<_> = keys.iter().map(|cx| recovery.has_returned(cx)).collect();
            let now = returned(&recovery, &keys);
            assert!(now >= before && now.abs_diff(second * 100) < 50, "{now} after {second} s");
            before = now;
            tokio::time::advance(Duration::from_secs(1)).await;
            recovery.note(true);
            assert!(keys.iter().zip(back).all(|(cx, was)| !was || recovery.has_returned(cx)));
        }
        assert_eq!((returned(&recovery, &keys), *recovery.state()), (1000, State::There));
    }
}
