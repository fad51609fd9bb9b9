//! The states of a breaker and nothing else: no clock of its own, no lock, no metrics.

use std::time::{Duration, Instant};

use super::BreakerRules;
use crate::policy::dice::Dice;
use crate::policy::window::Window;

#[derive(Debug)]
pub(super) struct Machine {
    rules: BreakerRules,
    dice: Dice,
    state: State,
    /// Counts changes of state: what was let in under an earlier one says nothing about this one.
    era: u64,
    in_a_row: u32,
    /// Calls, and failures among them.
    window: Window,
    /// How long it was open last, before jitter.
    period: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Closed,
    Open {
        until: Instant,
    },
    /// One probe is on its way.
    Probing,
}

/// What became of something that was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    Failure,
    /// Its caller went away before anything could be told.
    Cancelled,
}

impl Machine {
    pub(super) fn new(rules: BreakerRules, dice: Dice, now: Instant) -> Self {
        let window = Window::new(rules.window, now);
        Self { rules, dice, state: State::Closed, era: 0, in_a_row: 0, window, period: Duration::ZERO }
    }

    pub(super) fn state(&self) -> State {
        self.state
    }

    /// Lets somebody in and answers with the era they belong to, or says how long to stay away.
    pub(super) fn admit(&mut self, now: Instant) -> Result<u64, Duration> {
        match self.state {
            State::Closed => Ok(self.era),
            State::Open { until } if now < until => Err(until - now),
            State::Open { .. } => {
                self.enter(State::Probing);
                Ok(self.era)
            }
            State::Probing => Err(self.rules.open),
        }
    }

    /// How long an arrival would be kept away just now; nothing if it would be let in.
    pub(super) fn wait(&self, now: Instant) -> Option<Duration> {
        match self.state {
            State::Closed => None,
            State::Open { until } => until.checked_duration_since(now).filter(|wait| !wait.is_zero()),
            State::Probing => Some(self.rules.open),
        }
    }

    /// Notes what became of one that was let in during `era`.
    pub(super) fn note(&mut self, era: u64, outcome: Outcome, now: Instant) {
        if era != self.era {
            return;
        }
        match (self.state, outcome) {
            (State::Closed, Outcome::Cancelled) | (State::Open { .. }, _) => {}
            (State::Closed, outcome) => self.count(outcome == Outcome::Failure, now),
            (State::Probing, Outcome::Success) => self.close(now),
            (State::Probing, Outcome::Failure) => self.open(self.period.saturating_mul(2), now),
            // The probe told nothing. Another one waits as long again, so that no period has two.
            (State::Probing, Outcome::Cancelled) => self.open(self.period, now),
        }
    }

    fn count(&mut self, failed: bool, now: Instant) {
        self.in_a_row = if failed { self.in_a_row + 1 } else { 0 };
        self.window.count(1, u32::from(failed), now);
        if failed && (self.in_a_row >= self.rules.failures_in_a_row || self.too_many(now)) {
            self.open(self.rules.open, now);
        }
    }

    fn too_many(&mut self, now: Instant) -> bool {
        let (calls, failures) = self.window.sum(now);
        calls >= self.rules.least_calls
            && u64::from(failures) * 100 >= u64::from(calls) * u64::from(self.rules.failing_percent)
    }

    fn open(&mut self, period: Duration, now: Instant) {
        self.period = period.clamp(self.rules.open, self.rules.open_most);
        // Those who were cut off together do not come back together.
        let jittered = self.period.mul_f64(0.5 + self.dice.share());
        self.enter(State::Open { until: now + jittered });
    }

    fn close(&mut self, now: Instant) {
        self.in_a_row = 0;
        self.window = Window::new(self.rules.window, now);
        self.enter(State::Closed);
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.era += 1;
    }
}
