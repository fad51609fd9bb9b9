//! A clock that costs half of the system's: two readings are the largest part of a local call.

use std::time::{Duration, Instant};

/// A reading of the processor's own counter, in nanoseconds, where it runs evenly; else of the system's
/// monotonic clock (quanta decides).
pub(crate) type Tick = quanta::Instant;

/// One moment on both clocks.
///
/// The two may drift apart by some microseconds a second, so each request has an anchor of its own, and
/// the drift lasts no longer than the request.
#[derive(Clone, Copy)]
pub(crate) struct Anchor {
    pub(crate) tick: Tick,
    instant: Instant,
}

impl Anchor {
    pub(crate) fn now() -> Self {
        Self { tick: Tick::now(), instant: Instant::now() }
    }

    pub(crate) fn instant_at(&self, tick: Tick) -> Instant {
        let earlier = || self.instant.checked_sub(self.tick.saturating_duration_since(tick));
        match tick.checked_duration_since(self.tick) {
            Some(later) if later > Duration::ZERO => self.instant.checked_add(later).unwrap_or(self.instant),
            _ => earlier().unwrap_or(self.instant),
        }
    }

    pub(crate) fn tick_at(&self, instant: Instant) -> Tick {
        match instant.checked_duration_since(self.instant) {
            Some(later) => self.tick.checked_add(later).unwrap_or(self.tick),
            None => {
                self.tick.checked_sub(self.instant.saturating_duration_since(instant)).unwrap_or(self.tick)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_before_or_after_survives_both_ways() {
        let anchor = Anchor::now();
        for offset in [Duration::ZERO, Duration::from_nanos(1), Duration::from_secs(1)] {
            let (before, after) = (anchor.instant.checked_sub(offset).unwrap(), anchor.instant + offset);
            assert_eq!(anchor.instant_at(anchor.tick_at(after)), after);
            assert_eq!(anchor.instant_at(anchor.tick_at(before)), before);
        }
    }
}
