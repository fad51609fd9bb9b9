//! Round trips that take turns, so that a busy moment of the machine falls on all alike.

use crate::load::{Spent, concurrent, sequential};
use crate::report::{Report, median, quantile, quiet};
use crate::trip::Trip;

const ROUNDS: usize = 40;

/// What was seen of one way.
#[derive(Default)]
struct Seen {
    p50_us: Vec<f64>,
    rates: Vec<f64>,
    spent: Spent,
}

/// Tells how each of `trips` does beside the first of them.
pub async fn run(report: &mut Report, what: &str, trips: Vec<(&'static str, Trip)>) {
    let mut runners: Vec<_> = trips.into_iter().map(|(name, trip)| (name, trip, Seen::default())).collect();
    for _ in 0..ROUNDS {
        for (_, trip, seen) in &mut runners {
            seen.p50_us.push(median(&mut sequential(trip).await));
        }
    }
    for _ in 0..ROUNDS {
        for (_, trip, seen) in &mut runners {
            seen.rates.push(seen.spent.during(concurrent(trip)).await);
        }
    }
    let told = runners.iter_mut().map(|(name, _, seen)| {
        let figures = [quiet(&mut seen.p50_us), quantile(&mut seen.rates, 0.9), seen.spent.per_call()];
        (*name, figures)
    });
    let told: Vec<_> = told.collect();
    let Some(((_, floor), others)) = told.split_first() else { return };
    for (name, figures) in others {
        let kinds = [
            ("one after another, p50", "µs"),
            ("a second, 64 at a time", "/s"),
            ("processor time of both sides", "µs"),
        ];
        for ((kind, unit), (floor, figure)) in kinds.into_iter().zip(floor.iter().zip(figures)) {
            report.told(&format!("{name}: {what}, {kind}"), unit, *floor, *figure);
        }
    }
}
