//! Two numbers that are counted side by side, and forgotten when they are old.

use std::time::{Duration, Instant};

/// What is old leaves a part at a time: each number counts for the length of the window at least, and for a tenth longer
/// at most.
const PARTS: usize = 11;

/// The counts of the last while.
#[derive(Debug)]
pub(super) struct Window {
    parts: [(u32, u32); PARTS],
    current: usize,
    part: Duration,
    /// When another part begins.
    ends: Instant,
}

impl Window {
    pub(super) fn new(length: Duration, now: Instant) -> Self {
        let part = (length / (PARTS as u32 - 1)).max(Duration::from_millis(1));
        Self { parts: [(0, 0); PARTS], current: 0, part, ends: now + part }
    }

    /// Counts so many more of the one and of the other.
    pub(super) fn count(&mut self, one: u32, other: u32, now: Instant) {
        self.forget(now);
        let part = &mut self.parts[self.current];
        *part = (part.0.saturating_add(one), part.1.saturating_add(other));
    }

    pub(super) fn sum(&mut self, now: Instant) -> (u32, u32) {
        self.forget(now);
        self.parts
            .iter()
            .fold((0, 0), |(one, other), part| (one.saturating_add(part.0), other.saturating_add(part.1)))
    }

    fn forget(&mut self, now: Instant) {
        let Some(over) = now.checked_duration_since(self.ends) else { return };
        let (over, part) = (over.as_nanos(), self.part.as_nanos());
        for _ in 0..(over / part + 1).min(PARTS as u128) {
            self.current = (self.current + 1) % PARTS;
            self.parts[self.current] = (0, 0);
        }
        let begun = Duration::from_nanos(u64::try_from(over % part).unwrap_or(u64::MAX));
        self.ends = now + (self.part - begun);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_as_old_as_the_window_still_counts_and_what_is_a_part_older_does_not() {
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let mut window = Window::new(Duration::from_secs(1), began);
        window.count(3, 1, at(50));
        window.count(4, 2, at(150));
        assert_eq!(window.sum(at(1099)), (7, 3));
        assert_eq!(window.sum(at(1100)), (4, 2));
        assert_eq!(window.sum(at(1200)), (0, 0));
    }

    #[test]
    fn after_a_long_silence_nothing_is_left_and_parts_begin_where_they_would_have() {
        let began = Instant::now();
        let at = |ms| began + Duration::from_millis(ms);
        let mut window = Window::new(Duration::from_secs(1), began);
        window.count(5, 5, at(0));
        assert_eq!(window.sum(at(86_400_050)), (0, 0));
        window.count(1, 0, at(86_400_060));
        assert_eq!(window.sum(at(86_401_099)), (1, 0));
        assert_eq!(window.sum(at(86_401_100)), (0, 0));
    }
}
