//! Durations, kept as so many calls in each of a few hundred classes.

use std::time::Duration;

/// Powers of two of nanoseconds that are told apart: from 32 ns to 68 s, with what lies beyond at the ends.
const LOWEST: u32 = 5;
const HIGHEST: u32 = 36;
/// Eight classes for each power of two.
const FINE_BITS: u32 = 3;
pub(crate) const COUNT: usize = ((HIGHEST - LOWEST) << FINE_BITS) as usize;

#[inline]
pub(crate) fn of(elapsed: Duration) -> usize {
    let ns = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX).clamp(1 << LOWEST, (1 << HIGHEST) - 1);
    let power = ns.ilog2();
    let fine = (ns >> (power - FINE_BITS)) & ((1 << FINE_BITS) - 1);
    (((power - LOWEST) << FINE_BITS) as usize) + fine as usize
}

/// The time in the middle of a class.
pub(super) fn middle(class: usize) -> Duration {
    let power = LOWEST + (class >> FINE_BITS) as u32;
    let fine = (class & ((1 << FINE_BITS) - 1)) as u64;
    let width = 1_u64 << (power - FINE_BITS);
    Duration::from_nanos((1 << power) + fine * width + width / 2)
}

/// The time within which `share` of the calls ended; none where there are none.
pub(crate) fn quantile(counts: &[u64], share: f64) -> Option<Duration> {
    let total: u64 = counts.iter().sum();
    let rank = ((total as f64) * share).ceil().max(1.0) as u64;
    let mut below = 0;
    let class = counts.iter().position(|count| {
        below += count;
        below >= rank
    })?;
    Some(middle(class))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_tells_a_time_to_within_seven_percent() {
        for ns in [40, 100, 999, 12_345, 1_000_000, 3_000_000_000, 60_000_000_000_u64] {
            let middle = middle(of(Duration::from_nanos(ns))).as_nanos() as f64;
            assert!((middle / ns as f64 - 1.0).abs() < 0.07, "{ns} ns is told as {middle}");
        }
    }

    #[test]
    fn times_beyond_the_ends_are_counted_at_the_ends() {
        assert_eq!(of(Duration::ZERO), 0);
        assert_eq!(of(Duration::MAX), COUNT - 1);
    }

    #[test]
    fn half_of_the_calls_end_within_the_median_and_all_but_one_within_the_rest() {
        let mut counts = vec![0; COUNT];
        counts[of(Duration::from_millis(1))] = 98;
        counts[of(Duration::from_millis(100))] = 2;
        let at = |share| quantile(&counts, share).unwrap().as_millis();
        assert_eq!((at(0.5), at(0.98)), (1, 1));
        assert!((93..=107).contains(&at(0.99)), "{}", at(0.99));
        assert_eq!(quantile(&vec![0; COUNT], 0.5), None);
    }
}
