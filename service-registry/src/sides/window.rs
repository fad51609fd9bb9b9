//! What became of the calls of the last while.

use std::time::Duration;

use tokio::time::Instant;

use crate::edge::classes;

/// Parts that the window is counted in: what is older leaves it a part at a time.
const PARTS: u64 = 10;

pub(super) struct Window {
    began: Instant,
    part: Duration,
    /// The number of the part that is being counted, since `began`.
    current: u64,
    parts: [Sum; PARTS as usize],
    /// Of all parts.
    sum: Sum,
}

/// Calls, by how long they took, and how many of them failed.
pub(super) struct Sum {
    times: Box<[u64; classes::COUNT]>,
    calls: u64,
    failures: u64,
}

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        let part = (length / PARTS as u32).max(Duration::from_millis(1));
        let parts = std::array::from_fn(|_| Sum::empty());
        Self { began: Instant::now(), part, current: 0, parts, sum: Sum::empty() }
    }

    /// Counts a call and gives what the window holds then.
    pub(super) fn count(&mut self, elapsed: Duration, failed: bool) -> &Sum {
        let now = u64::try_from(self.began.elapsed().as_nanos() / self.part.as_nanos()).unwrap_or(u64::MAX);
        for part in (self.current + 1..=now).take(PARTS as usize) {
            let left = std::mem::replace(&mut self.parts[place(part)], Sum::empty());
            self.sum.subtract(&left);
        }
        self.current = self.current.max(now);
        self.parts[place(self.current)].count(elapsed, failed);
        self.sum.count(elapsed, failed);
        &self.sum
    }
}

fn place(part: u64) -> usize {
    (part % PARTS) as usize
}

impl Sum {
    fn empty() -> Self {
        Self { times: Box::new([0; classes::COUNT]), calls: 0, failures: 0 }
    }

    pub(super) fn calls(&self) -> u64 {
        self.calls
    }

    pub(super) fn failures(&self) -> u64 {
        self.failures
    }

    /// The time within which 99 of 100 calls ended, to about 6 %.
    pub(super) fn p99(&self) -> Duration {
        classes::quantile(&self.times[..], 0.99).unwrap_or_default()
    }

    fn count(&mut self, elapsed: Duration, failed: bool) {
        self.times[classes::of(elapsed)] += 1;
        self.calls += 1;
        self.failures += u64::from(failed);
    }

    fn subtract(&mut self, other: &Self) {
        self.times.iter_mut().zip(other.times.iter()).for_each(|(sum, part)| *sum -= part);
        self.calls -= other.calls;
        self.failures -= other.failures;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_older_than_the_window_is_forgotten() {
        let mut window = Window::new(Duration::from_secs(1));
        for _ in 0..30 {
            window.count(Duration::from_millis(900), true);
        }
        tokio::time::advance(Duration::from_millis(500)).await;
        let sum = window.count(Duration::from_millis(1), false);
        assert_eq!((sum.calls(), sum.failures()), (31, 30));
        tokio::time::advance(Duration::from_millis(600)).await;
        let sum = window.count(Duration::from_millis(1), false);
        assert_eq!((sum.calls(), sum.failures()), (2, 0));
        tokio::time::advance(Duration::from_secs(3600)).await;
        let sum = window.count(Duration::from_millis(1), false);
        assert_eq!((sum.calls(), sum.failures()), (1, 0));
        assert!(sum.p99() < Duration::from_millis(2));
    }

    #[tokio::test(start_paused = true)]
    async fn one_slow_call_of_a_hundred_is_within_the_p99_and_two_are_not() {
        let mut window = Window::new(Duration::from_secs(1));
        for _ in 0..99 {
            window.count(Duration::from_millis(1), false);
        }
        assert!(window.count(Duration::from_secs(1), false).p99() < Duration::from_millis(2));
        assert!(window.count(Duration::from_secs(1), false).p99() > Duration::from_millis(900));
    }
}
