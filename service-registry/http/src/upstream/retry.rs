//! Who may repeat what, and when (semantics §6).
//!
//! The backoff and the reading of errors come from reqwest-retry. Its own middleware does not: it would repeat any method,
//! does not see the request it repeats, and does not know `Retry-After`.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::header::RETRY_AFTER;
use http::{Extensions, HeaderValue, StatusCode};
use metrics::counter;
use reqwest::{Request, Response};
use reqwest_middleware::{ClientWithMiddleware, Error, Result};
use reqwest_retry::policies::ExponentialBackoff;
use reqwest_retry::{Jitter, RetryDecision, RetryPolicy, Retryable, default_on_request_failure};

use service_registry::policy::{Budget, Policy};
use service_registry::{CallError, Class, Tally};
use tracing::debug;

use super::attempt::Journey;
use super::contracts::Unreached;
use super::hedge::hedged;
use super::rules::Rules;
use crate::wire::{DEADLINE_MS, HOP, RETRY_ATTEMPT};

/// Repeats of one call, beyond its first attempt.
const MOST_RETRIES: u32 = 2;

/// Whether this outcome may be followed by another attempt.
fn may_repeat(rules: &Rules, outcome: &Result<Response>) -> bool {
    rules.may_repeat_at_all() && (nothing_was_sent(outcome) || (rules.repeatable() && may_pass(outcome)))
}

fn nothing_was_sent(outcome: &Result<Response>) -> bool {
    match outcome {
        Err(Error::Reqwest(error)) => error.is_connect(),
        Err(Error::Middleware(error)) => error.is::<Unreached>(),
        Ok(_) => false,
    }
}

/// A failure that may be gone at the next attempt.
fn may_pass(outcome: &Result<Response>) -> bool {
    match outcome {
        Ok(response) => matches!(
            response.status(),
            StatusCode::BAD_GATEWAY
                | StatusCode::SERVICE_UNAVAILABLE
                | StatusCode::GATEWAY_TIMEOUT
                | StatusCode::TOO_MANY_REQUESTS
                // Said to calls only, by a build that is not the one they were meant for.
                | StatusCode::PRECONDITION_FAILED
        ),
        // The answer broke off half-way.
        Err(Error::Reqwest(error)) if error.is_body() || error.is_decode() => true,
        Err(error) => matches!(default_on_request_failure(error), Some(Retryable::Transient)),
    }
}

/// Makes the request of one attempt. A repeat is stamped with its number and the time that is left then.
pub trait Make: FnMut() -> std::result::Result<Request, CallError> + Send {}

impl<F: FnMut() -> std::result::Result<Request, CallError> + Send> Make for F {}

/// What came of a request, and its [`Journey`].
pub(super) type Sent = (Result<Response>, Extensions);

/// Sends a request, and again if its [`Rules`] and the budget allow.
pub(super) struct Repeats {
    service: String,
    pub(super) backoff: ExponentialBackoff,
    pub(super) budget: Arc<Budget>,
    hedge_after: Option<Duration>,
}

impl Repeats {
    /// Full jitter: a random wait between nothing and 50 ms · 2ⁿ, at most a second.
    pub(super) fn new(service: &str, policy: &Policy) -> Self {
        let backoff = ExponentialBackoff::builder()
            .retry_bounds(Duration::from_millis(50), Duration::from_secs(1))
            .jitter(Jitter::Full)
            .base(2)
            .build_with_max_retries(MOST_RETRIES);
        let budget = Budget::new(policy.retry, service);
        Self { service: service.to_owned(), backoff, budget, hedge_after: policy.hedge_after }
    }

    /// How long to wait before the next attempt; none if there is none, or no time for it.
    fn wait(&self, rules: &Rules, past_retries: u32, outcome: &Result<Response>) -> Option<Duration> {
        if !may_repeat(rules, outcome) {
            return None;
        }
        let now = SystemTime::now();
        let RetryDecision::Retry { execute_after } = self.backoff.should_retry(now, past_retries) else {
            return None;
        };
        let jittered = execute_after.duration_since(now).unwrap_or_default();
        let wait = jittered.max(retry_after(outcome).unwrap_or_default());
        (wait + HOP < rules.remaining() && self.may_spend()).then_some(wait)
    }

    /// Takes one repeat from the budget of this target. What all callers together may add to a target that fails
    /// already is bounded by it.
    fn may_spend(&self) -> bool {
        let may = self.budget.withdraw();
        let name = if may { "service_retries_total" } else { "retry_budget_exhausted_total" };
        counter!(name, "service" => self.service.clone()).increment(1);
        may
    }

    /// # Errors
    /// What `make` fails with.
    pub(super) async fn send(
        &self,
        client: &ClientWithMiddleware,
        mut make: impl Make,
        rules: Rules,
        retries: &Tally,
    ) -> std::result::Result<Sent, CallError> {
        self.budget.deposit();
        let mut notes = Extensions::new();
        notes.insert(Journey::new(rules));
        let mut past_retries = 0;
        loop {
            let mut request = make()?;
            if past_retries > 0 {
                stamp(&mut request, &rules, past_retries);
            }
            let sent = match self.hedge_after(&rules) {
                None => execute(client, request, notes).await,
                // Boxed, so that calls without one do not carry the room that a second needs.
                Some(patience) => {
                    let again = make()?;
                    Box::pin(self.hedged(client, [request, again], notes, rules, patience)).await
                }
            };
            // What was not taken may be sent again like a call whose repeats are known.
            let unsent = sent.1.get().is_some_and(|journey: &Journey| journey.unsent);
            let now = Rules { dedupe: rules.dedupe || unsent, ..rules };
            let Some(wait) = self.wait(&now, past_retries, &sent.0) else { return Ok(sent) };
            past_retries += 1;
            retries.add_one();
            debug!(
                service = self.service,
                attempt = past_retries,
                wait_ms = wait.as_millis(),
                "Repeating a call"
            );
            notes = sent.1;
            tokio::time::sleep(wait).await;
        }
    }

    /// How long to wait for an answer before a second request is sent beside the first, if it may be.
    fn hedge_after(&self, rules: &Rules) -> Option<Duration> {
        self.hedge_after.filter(|_| rules.class == Class::Read && rules.may_repeat_at_all())
    }

    async fn hedged(
        &self,
        client: &ClientWithMiddleware,
        [first, mut again]: [Request; 2],
        notes: Extensions,
        rules: Rules,
        patience: Duration,
    ) -> Sent {
        // The second sees what the first knew before it chose, and so may come to the same endpoint; with two in
        // flight there it is the less likely choice.
        let beside = notes.clone();
        let second = || {
            stamp(&mut again, &rules, 1);
            counter!("service_hedges_total", "service" => self.service.clone()).increment(1);
            execute(client, again, beside)
        };
        let may = || rules.remaining() > HOP && self.budget.withdraw();
        hedged(execute(client, first, notes), patience, may, second).await
    }
}

async fn execute(client: &ClientWithMiddleware, request: Request, mut notes: Extensions) -> Sent {
    (client.execute_with_extensions(request, &mut notes).await, notes)
}

fn stamp(attempt: &mut Request, rules: &Rules, past_retries: u32) {
    let left_ms = u64::try_from(rules.remaining().saturating_sub(HOP).as_millis()).unwrap_or(u64::MAX);
    let headers = attempt.headers_mut();
    headers.insert(&DEADLINE_MS.written, HeaderValue::from(left_ms));
    headers.insert(&RETRY_ATTEMPT.written, HeaderValue::from(u32::from(rules.attempt_above) + past_retries));
}

/// The wait that the callee asked for, in whole seconds (RFC 9110 § 10.2.3; services send no dates).
fn retry_after(outcome: &Result<Response>) -> Option<Duration> {
    let value = outcome.as_ref().ok()?.headers().get(RETRY_AFTER)?;
    value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use service_registry::CallContext;
    use service_registry::policy::RetryRules;

    use super::*;
    use crate::upstream::rules::LARGEST_REPEATED_BYTES;

    fn rules(class: Class) -> Rules {
        Rules::new(class, &CallContext::root().with_remaining(Duration::from_secs(5)), Some(100))
    }

    fn answered(status: u16, retry_after: Option<&str>) -> Result<Response> {
        let mut response = http::Response::builder().status(status);
        if let Some(seconds) = retry_after {
            response = response.header(RETRY_AFTER, seconds);
        }
        Ok(response.body("").unwrap().into())
    }

    /// What sending gives when nobody listens.
    async fn unsent() -> Result<Response> {
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
        client.get(format!("http://{closed}")).send().await.map_err(Error::Reqwest)
    }

    fn retry() -> Repeats {
        Repeats::new("ledger", &Policy::default())
    }

    fn waits(rules: &Rules, outcome: &Result<Response>) -> Option<Duration> {
        retry().wait(rules, 0, outcome)
    }

    #[test]
    fn gateway_failures_are_repeated_for_reads_and_idempotent_calls_only() {
        for status in [502, 503, 504] {
            assert!(waits(&rules(Class::Read), &answered(status, None)).is_some());
            assert!(waits(&rules(Class::Idempotent), &answered(status, None)).is_some());
            assert!(waits(&rules(Class::Once), &answered(status, None)).is_none());
        }
    }

    #[test]
    fn answers_and_refusals_are_never_repeated() {
        for status in [200, 400, 401, 403, 404, 409, 422, 500] {
            assert!(waits(&rules(Class::Read), &answered(status, None)).is_none(), "{status}");
        }
    }

    #[tokio::test]
    async fn what_was_never_sent_is_repeated_in_every_class() {
        for class in [Class::Read, Class::Idempotent, Class::Once] {
            assert!(waits(&rules(class), &unsent().await).is_some(), "{class:?}");
        }
    }

    #[tokio::test]
    async fn nobody_repeats_below_a_repeat() {
        let below = Rules { attempt_above: 1, ..rules(Class::Read) };
        assert!(waits(&below, &unsent().await).is_none());
        assert!(waits(&below, &answered(503, None)).is_none());
    }

    #[tokio::test]
    async fn nobody_repeats_what_came_from_another_process_that_repeats_it() {
        let below = Rules { edge_most: false, ..rules(Class::Read) };
        assert!(waits(&below, &unsent().await).is_none());
    }

    #[test]
    fn what_acts_once_is_repeated_where_the_receiver_knows_a_repeat() {
        let known = Rules { dedupe: true, ..rules(Class::Once) };
        assert!(waits(&known, &answered(503, None)).is_some());
    }

    #[tokio::test]
    async fn repeats_are_a_fifth_of_the_calls_and_a_floor() {
        let rules_of = |percent, floor_per_s| {
            let retry = RetryRules { percent, floor_per_s };
            Repeats::new("ledger", &Policy { retry, ..Policy::default() })
        };
        for (retry, most) in
            [(rules_of(20, 0), 40), (rules_of(20, 1), 50), (rules_of(0, 1), 10), (rules_of(0, 0), 0)]
        {
            (0..200).for_each(|_| retry.budget.deposit());
            let repeats = (0..500)
                .filter(|_| retry.wait(&rules(Class::Read), 0, &answered(503, None)).is_some())
                .count();
            assert_eq!(repeats, most);
        }
    }

    #[tokio::test]
    async fn a_large_body_is_repeated_only_when_it_was_never_sent() {
        let large = Rules { body_bytes: Some(LARGEST_REPEATED_BYTES + 1), ..rules(Class::Read) };
        assert!(waits(&large, &answered(503, None)).is_none());
        assert!(waits(&large, &unsent().await).is_some());
    }

    #[test]
    fn the_callee_says_how_long_to_wait_while_there_is_time() {
        let wait = waits(&rules(Class::Read), &answered(503, Some("2"))).unwrap();
        assert_eq!(wait, Duration::from_secs(2));
        assert!(waits(&rules(Class::Read), &answered(503, Some("60"))).is_none());
    }

    #[test]
    fn waits_are_short_and_two_at_most() {
        let retry = retry();
        for (past, most_ms) in [(0, 50), (1, 100)] {
            for _ in 0..50 {
                let wait = retry.wait(&rules(Class::Read), past, &answered(503, None)).unwrap();
                assert!(wait <= Duration::from_millis(most_ms), "{wait:?} after {past}");
            }
        }
        assert!(retry.wait(&rules(Class::Read), MOST_RETRIES, &answered(503, None)).is_none());
    }
}
