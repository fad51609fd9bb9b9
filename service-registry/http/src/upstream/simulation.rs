//! The calling side against a callee that fails by a script with a seed. Time passes only as it is told to, so that
//! thousands of stories take seconds, and the same seed tells the same story.

mod callee;

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use reqwest::dns::{Name, Resolving};
use reqwest::{Client, Method, Request, Url};
use reqwest_middleware::ClientBuilder;
use reqwest_retry::Jitter;
use service_registry::policy::{BreakerRules, Bulkhead, BulkheadLimits, Dice, Policy, RetryRules};
use service_registry::{CallError, Class, Tally, Unanswered};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout_at};

use self::callee::{CALL, Callee, Fault, Story};
use super::attempt::Attempt;
use super::endpoints::Endpoints;
use super::retry::Repeats;
use super::{Answer, Rules, SystemResolver, Upstream};
use crate::wire::{DEADLINE_MS, HOP};

/// Stories told in one run, each of so many calls.
const STORIES: u64 = 2_000;
const CALLS: u64 = 60;

/// Longer than any breaker stays open.
const LONG_ENOUGH: Duration = Duration::from_secs(91);

/// What a story is told with. The promise is what the callers' policy is held to, whatever they really do.
struct Setup {
    policy: Policy,
    promised: RetryRules,
    callee_knows_repeats: bool,
}

impl Setup {
    fn draw(dice: &mut Dice) -> Self {
        let rules = [(20, 10), (20, 1), (50, 0), (0, 1), (0, 0)][dice.below(5)];
        let promised = RetryRules { percent: rules.0, floor_per_s: rules.1 };
        let policy = Policy {
            bulkhead: BulkheadLimits { concurrent: 12, queued: 6 },
            retry: promised,
            hedge_after: (dice.below(3) == 0).then_some(Duration::from_millis(100)),
            ..Policy::default()
        };
        Self { policy, promised, callee_knows_repeats: true }
    }

    /// The calling side as it is, with nobody but the script below it, and without chances of its own.
    fn upstream(&self, seed: u64, callee: &Arc<Callee>) -> Upstream {
        let base = Url::parse("http://127.0.0.1:1").unwrap();
        let rules = self.policy.breaker;
        let endpoints = Endpoints::new("callee", vec![base.clone()], rules, SystemResolver::shared(), None);
        let endpoints = endpoints.unwrap();
        let attempt = Arc::new(Attempt::new(endpoints.foretold(rules, seed)));
        let script = Arc::clone(callee);
        let client = ClientBuilder::new(NOBODY.clone()).with_arc(attempt.clone()).with_arc(script).build();
        let mut repeats = Repeats::new("callee", &self.policy);
        repeats.backoff.jitter = Jitter::None;
        let bulkhead = Bulkhead::new(self.policy.bulkhead, "callee", "remote");
        Upstream { service: "callee".to_owned(), urls: Vec::new(), base, client, attempt, repeats, bulkhead }
    }
}

/// Reaches nobody, which takes no time.
static NOBODY: LazyLock<Client> = LazyLock::new(|| {
    struct NoNames;
    impl reqwest::dns::Resolve for NoNames {
        fn resolve(&self, _: Name) -> Resolving {
            Box::pin(async { Err("nobody is called that".into()) })
        }
    }
    Client::builder().no_proxy().tls_certs_only([]).dns_resolver(Arc::new(NoNames)).build().unwrap()
});

/// What a call is for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Read,
    Once,
    OnceKnown,
}

impl Kind {
    fn rules(self, deadline: Instant) -> Rules {
        Rules {
            class: if self == Self::Read { Class::Read } else { Class::Once },
            dedupe: self == Self::OnceKnown,
            deadline: deadline.into_std(),
            edge_most: true,
            attempt_above: 0,
            body_bytes: Some(2),
            whole_answer_bytes: u64::MAX,
            unavailable_is_failure: true,
            spoken: None,
        }
    }
}

/// One call from its beginning to its end or its deadline, at which a client drops it.
async fn call(
    upstream: &Upstream,
    callee: &Callee,
    id: u64,
    kind: Kind,
    patience: Duration,
) -> Result<bool, Fault> {
    let deadline = Instant::now() + patience;
    callee.expect(id, kind, deadline);
    let make = || {
        callee.has_place(id);
        let left_ms = deadline.saturating_duration_since(Instant::now() + HOP).as_millis();
        let left_ms = u64::try_from(left_ms).unwrap_or(u64::MAX);
        if left_ms == 0 {
            return Err(CallError::deadline_exceeded("callee", "call"));
        }
        let mut request = Request::new(Method::POST, upstream.base().clone());
        request.headers_mut().insert(CALL, id.into());
        request.headers_mut().insert(&DEADLINE_MS.written, left_ms.into());
        Ok(request)
    };
    let retries = Tally::default();
    let sent = timeout_at(deadline, upstream.send(make, kind.rules(deadline), &retries)).await;
    let effects = callee.effects(id);
    match sent {
        Ok(Ok(Answer { response, body })) if response.status() == 200 && body.is_some() => {
            if effects == 0 {
                Err(Fault::AnsweredWithoutEffect { id })
            } else {
                Ok(true)
            }
        }
        // Whoever hears that may do it elsewhere, which is no matter for a read.
        Ok(Err(Unanswered { sent: false, .. })) if effects > 0 && kind != Kind::Read => {
            Err(Fault::SaidUnsent { id })
        }
        _ => Ok(false),
    }
}

/// A story up to its first fault: calls on bad days, and two long after them.
async fn tell(seed: u64, change: fn(&mut Setup)) -> Result<Story, Fault> {
    let mut dice = Dice::seeded(seed);
    let mut setup = Setup::draw(&mut dice);
    change(&mut setup);
    let callee = Arc::new(Callee::new(dice.throw(), setup.promised, setup.callee_knows_repeats));
    let upstream = Arc::new(setup.upstream(dice.throw(), &callee));
    let mut calls = JoinSet::new();
    for id in 0..CALLS {
        if dice.below(5) < 2 {
            sleep(Duration::from_millis(dice.throw() % 800)).await;
        }
        let kind = [Kind::Read, Kind::Once, Kind::OnceKnown][dice.below(3)];
        let patience = Duration::from_millis(50 + dice.throw() % 3000);
        let (upstream, callee) = (Arc::clone(&upstream), Arc::clone(&callee));
        calls.spawn(async move { call(&upstream, &callee, id, kind, patience).await });
    }
    while let Some(ended) = calls.join_next().await {
        ended.unwrap()?;
    }
    callee.get_well();
    sleep(LONG_ENOUGH).await;
    for id in CALLS..CALLS + 2 {
        let answered = call(&upstream, &callee, id, Kind::OnceKnown, Duration::from_secs(1)).await?;
        if !answered {
            return Err(Fault::StaysBad("it does not answer"));
        }
    }
    let story = callee.story()?;
    is_as_before(&upstream, setup.policy.retry)?;
    Ok(story)
}

/// Nothing is left of two good calls and all the bad ones before them.
fn is_as_before(upstream: &Upstream, RetryRules { percent, floor_per_s }: RetryRules) -> Result<(), Fault> {
    let endpoint = &upstream.endpoints()[0];
    let left = u64::from(2 * percent / 100 + 10 * floor_per_s);
    for (is_bad, what) in [
        (endpoint.breaker != "closed", "its breaker is open"),
        (endpoint.in_flight > 0, "its endpoint is busy"),
        (upstream.bulkhead.occupied() > 0, "a place is lost"),
        (upstream.retry_budget_left() != left, "its budget is not what it was"),
    ] {
        if is_bad {
            return Err(Fault::StaysBad(what));
        }
    }
    Ok(())
}

fn story(seed: u64, change: fn(&mut Setup)) -> Result<Story, Fault> {
    in_its_own_time(tell(seed, change))
}

fn in_its_own_time<F: Future>(told: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(told)
}

/// Whether some story shows the fault.
fn shows(change: fn(&mut Setup), fault: fn(&Fault) -> bool) -> bool {
    (0..200).any(|seed| story(seed, change).is_err_and(|found| fault(&found)))
}

#[test]
fn simulation_whatever_is_lost_budgets_breakers_deadlines_and_single_effects_hold() {
    let mut attempts = 0;
    for seed in 0..STORIES {
        match story(seed, |_| {}) {
            Ok(Story(log)) => attempts += log.len() as u64,
            Err(fault) => panic!("seed {seed}: {fault}"),
        }
    }
    // Neither a script that lets everything through nor one that lets nothing through would show much.
    let each = attempts / STORIES;
    assert!((CALLS / 2..CALLS * 2).contains(&each), "{each} attempts in a story");
}

#[test]
fn simulation_the_same_seed_tells_the_same_story() {
    for seed in 0..20 {
        assert_eq!(story(seed, |_| {}).unwrap(), story(seed, |_| {}).unwrap(), "seed {seed}");
    }
}

#[test]
fn regression_a_read_is_not_asked_a_second_time_when_there_is_no_time_left_for_an_answer() {
    for (patience_ms, attempts) in [(105, 1), (150, 2)] {
        let Story(log) = in_its_own_time(async {
            let mut setup = Setup::draw(&mut Dice::seeded(0));
            setup.policy.hedge_after = Some(Duration::from_millis(100));
            setup.policy.retry = RetryRules::default();
            let callee = Arc::new(Callee::silent(setup.policy.retry));
            let upstream = setup.upstream(0, &callee);
            let answered = call(&upstream, &callee, 0, Kind::Read, Duration::from_millis(patience_ms)).await;
            assert!(matches!(answered, Ok(false)));
            callee.story().unwrap()
        });
        assert_eq!(log.len(), attempts, "within {patience_ms} ms");
    }
}

#[test]
fn simulation_finds_a_budget_that_is_not_kept() {
    let spend = |setup: &mut Setup| setup.policy.retry = RetryRules { percent: 1000, floor_per_s: 1000 };
    assert!(shows(spend, |fault| matches!(fault, Fault::RepeatsUnpaid { .. })));
}

#[test]
fn simulation_finds_a_callee_that_does_not_know_repeats() {
    let forget = |setup: &mut Setup| setup.callee_knows_repeats = false;
    assert!(shows(forget, |fault| matches!(fault, Fault::HappenedTwice { .. })));
}

#[test]
fn simulation_finds_a_breaker_that_does_not_open() {
    const NEVER: u32 = u32::MAX;
    let hold = |setup: &mut Setup| {
        setup.policy.breaker =
            BreakerRules { failures_in_a_row: NEVER, least_calls: NEVER, ..BreakerRules::default() };
    };
    assert!(shows(hold, |fault| matches!(fault, Fault::NotLeftAlone { .. })));
}
