use super::machine::{Machine, Outcome, State};
use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn breaker() -> Arc<Breaker> {
    Arc::new(Breaker::with_dice(BreakerRules::default(), "ledger", "here", Dice::seeded(1)))
}

fn fail(breaker: &Arc<Breaker>, times: u32) {
    for _ in 0..times {
        breaker.admit().unwrap().failed();
    }
}

#[tokio::test(start_paused = true)]
async fn seven_failures_in_a_row_open_it_and_a_success_between_them_does_not() {
    let breaker = breaker();
    fail(&breaker, 6);
    breaker.admit().unwrap().succeeded();
    fail(&breaker, 6);
    assert_eq!(breaker.state(), "closed");
    fail(&breaker, 1);
    assert_eq!(breaker.state(), "open");
    let wait = breaker.admit().unwrap_err();
    assert!(wait >= SECOND / 2 && wait <= SECOND * 3 / 2, "{wait:?}");
}

#[tokio::test(start_paused = true)]
async fn half_of_twenty_within_ten_seconds_open_it_and_half_of_nineteen_do_not() {
    let breaker = breaker();
    for _ in 0..9 {
        fail(&breaker, 1);
        breaker.admit().unwrap().succeeded();
    }
    breaker.admit().unwrap().succeeded();
    assert_eq!(breaker.state(), "closed");
    fail(&breaker, 1);
    assert_eq!(breaker.state(), "open");
}

#[tokio::test(start_paused = true)]
async fn what_is_older_than_the_window_does_not_count() {
    let breaker = breaker();
    for _ in 0..9 {
        fail(&breaker, 1);
        breaker.admit().unwrap().succeeded();
    }
    tokio::time::advance(SECOND * 11).await;
    breaker.admit().unwrap().succeeded();
    fail(&breaker, 1);
    assert_eq!(breaker.state(), "closed");
}

#[tokio::test(start_paused = true)]
async fn one_probe_goes_through_and_decides() {
    let breaker = breaker();
    fail(&breaker, 7);
    tokio::time::advance(SECOND * 2).await;
    let probe = breaker.admit().unwrap();
    assert_eq!((breaker.state(), breaker.admit().is_err()), ("probing", true));
    probe.failed();
    assert_eq!(breaker.state(), "open");
    let wait = breaker.admit().unwrap_err();
    assert!(wait >= SECOND && wait <= SECOND * 3, "the second time is twice the first: {wait:?}");
    tokio::time::advance(SECOND * 3).await;
    breaker.admit().unwrap().succeeded();
    assert_eq!(breaker.state(), "closed");
    fail(&breaker, 6);
    assert_eq!(breaker.state(), "closed", "it begins anew");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_probe_gives_its_place_back() {
    let breaker = breaker();
    fail(&breaker, 7);
    tokio::time::advance(SECOND * 2).await;
    drop(breaker.admit().unwrap());
    assert_eq!(breaker.state(), "open");
    tokio::time::advance(SECOND * 2).await;
    breaker.admit().unwrap().succeeded();
    assert_eq!(breaker.state(), "closed");
}

#[tokio::test(start_paused = true)]
async fn a_call_cut_off_late_is_a_failure_and_one_cut_off_early_is_nothing() {
    let breaker = breaker();
    for _ in 0..100 {
        drop(breaker.admit().unwrap());
    }
    assert_eq!(breaker.state(), "closed");
    let permits: Vec<_> = (0..7).map(|_| breaker.admit().unwrap()).collect();
    tokio::time::advance(SECOND * 2).await;
    drop(permits);
    assert_eq!(breaker.state(), "open");
}

#[test]
fn an_operator_sees_its_state_and_what_it_kept_away() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let page = recorder.handle();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    metrics::with_local_recorder(&recorder, || {
        runtime.block_on(async {
            let breaker = breaker();
            fail(&breaker, 7);
            assert!(breaker.admit().is_err() && breaker.admit().is_err());
        });
    });
    let labels = r#"{service="ledger",endpoint="here"}"#;
    for line in [
        format!("breaker_state{labels} 2"),
        format!("breaker_opens_total{labels} 1"),
        format!("breaker_short_circuited_total{labels} 2"),
    ] {
        assert!(page.render().lines().any(|found| found == line), "no {line} in\n{}", page.render());
    }
}

/// What a thousand callers do at random: come, answer well, fail, go away, in any order and time.
struct Crowd {
    machine: Machine,
    dice: Dice,
    now: Instant,
    inside: Vec<u64>,
    probe: Option<u64>,
}

impl Crowd {
    fn new(seed: u64) -> Self {
        let now = Instant::now();
        let machine = Machine::new(BreakerRules::default(), Dice::seeded(seed), now);
        Self { machine, dice: Dice::seeded(!seed), now, inside: Vec::new(), probe: None }
    }

    fn step(&mut self, seed: u64) {
        self.now += Duration::from_millis(self.dice.throw() % 400);
        let before = self.machine.state();
        if self.dice.below(2) == 0 || self.inside.is_empty() {
            if let Ok(era) = self.machine.admit(self.now) {
                let is_probe = self.machine.state() == State::Probing;
                assert!(!(is_probe && self.probe.is_some()), "seed {seed}: two probes in one open period");
                assert!(is_probe || before == State::Closed, "seed {seed}: let in while {before:?}");
                self.probe = is_probe.then_some(era).or(self.probe);
                self.inside.push(era);
            }
        } else {
            let leaving = self.dice.below(self.inside.len());
            let era = self.inside.swap_remove(leaving);
            let outcome = [Outcome::Success, Outcome::Failure, Outcome::Failure, Outcome::Cancelled]
                [self.dice.below(4)];
            self.machine.note(era, outcome, self.now);
            if self.probe == Some(era) {
                assert_ne!(self.machine.state(), State::Probing, "seed {seed}: a probe was lost");
                self.probe = None;
            }
        }
    }

    /// From whatever state: once the callee is well again, so is the breaker, in bounded time.
    fn heals(mut self, seed: u64) {
        for era in std::mem::take(&mut self.inside) {
            self.machine.note(era, Outcome::Cancelled, self.now);
        }
        for _ in 0..2 {
            self.now += Duration::from_secs(91);
            let era = self.machine.admit(self.now);
            self.machine.note(
                era.unwrap_or_else(|wait| panic!("seed {seed}: {wait:?}")),
                Outcome::Success,
                self.now,
            );
        }
        assert_eq!(self.machine.state(), State::Closed, "seed {seed}: it never healed");
    }
}

#[test]
fn simulation_no_period_has_two_probes_no_probe_is_lost_and_it_always_heals() {
    for seed in 0..5_000 {
        let mut crowd = Crowd::new(seed);
        for _ in 0..200 {
            crowd.step(seed);
        }
        crowd.heals(seed);
    }
}
