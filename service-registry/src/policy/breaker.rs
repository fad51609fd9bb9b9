//! A circuit breaker: a callee that keeps failing is left alone for a while (semantics §7).

mod machine;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use metrics::{counter, gauge};
use tracing::{info, warn};

use self::machine::{Machine, Outcome, State};
use super::dice::Dice;
use super::now;

/// When a breaker opens and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerRules {
    /// Failures one after another that open it.
    pub failures_in_a_row: u32,
    /// Or failures in percent of the calls within `window`, if there are at least `least_calls` of them.
    pub failing_percent: u32,
    pub least_calls: u32,
    pub window: Duration,
    /// How long it is open at first, and at most: each probe that fails doubles the time. A random part of
    /// up to half of it is taken off or put on.
    pub open: Duration,
    pub open_most: Duration,
    /// What is cut off after this long counts as a failure; sooner, it was its caller who had no patience.
    pub fair_chance: Duration,
}

impl Default for BreakerRules {
    fn default() -> Self {
        Self {
            failures_in_a_row: 7,
            failing_percent: 50,
            least_calls: 20,
            window: Duration::from_secs(10),
            open: Duration::from_secs(1),
            open_most: Duration::from_secs(60),
            fair_chance: Duration::from_secs(2),
        }
    }
}

/// Watches the calls to one endpoint.
#[derive(Debug)]
pub struct Breaker {
    rules: BreakerRules,
    machine: Mutex<Machine>,
    labels: [(&'static str, String); 2],
}

impl Breaker {
    /// A closed breaker for `endpoint` of `service`, which are its labels in metrics.
    pub fn new(rules: BreakerRules, service: &str, endpoint: &str) -> Self {
        Self::with_dice(rules, service, endpoint, Dice::new())
    }

    /// The same with the dice that spread its waits.
    pub fn with_dice(rules: BreakerRules, service: &str, endpoint: &str, dice: Dice) -> Self {
        let labels = [("service", service.to_owned()), ("endpoint", endpoint.to_owned())];
        let breaker = Self { rules, machine: Mutex::new(Machine::new(rules, dice, now())), labels };
        breaker.show(State::Closed);
        breaker
    }

    /// Lets a call through, or says after which time another try has a chance.
    ///
    /// # Errors
    /// While it is open, and while its one probe is on its way.
    pub fn admit(self: &Arc<Self>) -> Result<Permit, Duration> {
        let started = now();
        match self.change(|machine| machine.admit(started)) {
            Ok(era) => Ok(Permit { breaker: Arc::clone(self), era, started, told: false }),
            Err(wait) => {
                counter!("breaker_short_circuited_total", &self.labels).increment(1);
                Err(wait)
            }
        }
    }

    /// After which time a call would have a chance; nothing if it has one now.
    pub fn wait(&self) -> Option<Duration> {
        self.machine().wait(now())
    }

    /// `closed`, `open` or `probing`, as an operator is told.
    pub fn state(&self) -> &'static str {
        word(self.machine().state())
    }

    fn note(&self, era: u64, outcome: Outcome) {
        self.change(|machine| machine.note(era, outcome, now()));
    }

    /// Changes the machine, and tells metrics and the log if it is in another state then.
    fn change<T>(&self, change: impl FnOnce(&mut Machine) -> T) -> T {
        let mut machine = self.machine();
        let before = machine.state();
        let answer = change(&mut machine);
        let after = machine.state();
        if before != after {
            // Shown under the lock, or two changes at once could be shown in the wrong order.
            self.show(after);
        }
        drop(machine);
        if before != after {
            self.tell(after);
        }
        answer
    }

    fn show(&self, state: State) {
        let number = match state {
            State::Closed => 0.0,
            State::Probing => 1.0,
            State::Open { .. } => 2.0,
        };
        gauge!("breaker_state", &self.labels).set(number);
    }

    fn tell(&self, state: State) {
        let [(_, service), (_, endpoint)] = &self.labels;
        match state {
            State::Open { until } => {
                counter!("breaker_opens_total", &self.labels).increment(1);
                let wait_ms = until.saturating_duration_since(now()).as_millis();
                warn!(service, endpoint, wait_ms, "Leaving {service} at {endpoint} alone: it keeps failing");
            }
            State::Closed => info!(service, endpoint, "Service {service} at {endpoint} answers again"),
            State::Probing => {}
        }
    }

    /// Nothing panics while it is held.
    fn machine(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call that a breaker let through. Dropped without a word, it was cut off.
#[derive(Debug)]
#[must_use]
pub struct Permit {
    breaker: Arc<Breaker>,
    era: u64,
    started: Instant,
    told: bool,
}

impl Permit {
    /// The callee answered, whatever it said.
    pub fn succeeded(self) {
        self.tell(Outcome::Success);
    }

    /// There was no answer, or one that says the callee is broken.
    pub fn failed(self) {
        self.tell(Outcome::Failure);
    }

    fn tell(mut self, outcome: Outcome) {
        self.told = true;
        self.breaker.note(self.era, outcome);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if self.told {
            return;
        }
        let waited = now().saturating_duration_since(self.started) >= self.breaker.rules.fair_chance;
        self.breaker.note(self.era, if waited { Outcome::Failure } else { Outcome::Cancelled });
    }
}

fn word(state: State) -> &'static str {
    match state {
        State::Closed => "closed",
        State::Probing => "probing",
        State::Open { .. } => "open",
    }
}
