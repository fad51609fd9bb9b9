//! Who may repeat what, and when (semantics §6).
//!
//! The backoff and the reading of errors come from reqwest-retry. Its own middleware does not: it would
//! repeat any method, does not see the request it repeats, and does not know `Retry-After`.

use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{Extensions, HeaderValue, StatusCode};
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next, Result};
use reqwest_retry::policies::ExponentialBackoff;
use reqwest_retry::{Jitter, RetryDecision, RetryPolicy, Retryable, default_on_request_failure};
use service_registry::Class;
use tracing::debug;

use crate::wire::{DEADLINE_MS, HOP, RETRY_ATTEMPT};

/// Repeats of one call, beyond its first attempt.
const MOST_RETRIES: u32 = 2;

/// Largest body that is sent again after a first copy of it may have arrived.
const LARGEST_REPEATED_BYTES: usize = 64 * 1024;

/// What the middleware must know of a call; travels in the request's extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub class: Class,
    pub deadline: Instant,
    /// How often somebody above has repeated the request that this call belongs to.
    pub attempt_above: u8,
    pub body_bytes: usize,
}

impl Rules {
    fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Only the edge-most caller repeats: below a repeat, a failure goes straight up.
    fn may_repeat(&self, outcome: &Result<Response>) -> bool {
        self.attempt_above == 0 && (nothing_was_sent(outcome) || (self.repeatable() && may_pass(outcome)))
    }

    fn repeatable(&self) -> bool {
        self.class != Class::Once && self.body_bytes <= LARGEST_REPEATED_BYTES
    }
}

fn nothing_was_sent(outcome: &Result<Response>) -> bool {
    matches!(outcome, Err(Error::Reqwest(error)) if error.is_connect())
}

/// A failure that may be gone at the next attempt.
fn may_pass(outcome: &Result<Response>) -> bool {
    match outcome {
        Ok(response) => matches!(
            response.status(),
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT
        ),
        Err(error) => matches!(default_on_request_failure(error), Some(Retryable::Transient)),
    }
}

/// Sends a call, and again if its [`Rules`] allow; stamps each attempt with its number and the time left.
pub(crate) struct RetryByClass {
    backoff: ExponentialBackoff,
}

impl RetryByClass {
    /// Full jitter: a random wait between nothing and 50 ms · 2ⁿ, at most a second.
    pub(crate) fn new() -> Self {
        let backoff = ExponentialBackoff::builder()
            .retry_bounds(Duration::from_millis(50), Duration::from_secs(1))
            .jitter(Jitter::Full)
            .base(2)
            .build_with_max_retries(MOST_RETRIES);
        Self { backoff }
    }

    /// How long to wait before the next attempt; none if there is none, or no time for it.
    fn wait(&self, rules: &Rules, past_retries: u32, outcome: &Result<Response>) -> Option<Duration> {
        if !rules.may_repeat(outcome) {
            return None;
        }
        let now = SystemTime::now();
        let RetryDecision::Retry { execute_after } = self.backoff.should_retry(now, past_retries) else {
            return None;
        };
        let jittered = execute_after.duration_since(now).unwrap_or_default();
        let wait = jittered.max(retry_after(outcome).unwrap_or_default());
        (wait + HOP < rules.remaining()).then_some(wait)
    }
}

#[async_trait]
impl Middleware for RetryByClass {
    async fn handle(
        &self,
        request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let Some(rules) = extensions.get::<Rules>().copied() else {
            return next.run(request, extensions).await;
        };
        let mut past_retries = 0;
        loop {
            let Some(mut attempt) = request.try_clone() else { return next.run(request, extensions).await };
            stamp(&mut attempt, &rules, past_retries);
            let outcome = next.clone().run(attempt, extensions).await;
            let Some(wait) = self.wait(&rules, past_retries, &outcome) else { return outcome };
            past_retries += 1;
            debug!(url = %request.url(), attempt = past_retries, wait_ms = wait.as_millis(), "Repeating a call");
            tokio::time::sleep(wait).await;
        }
    }
}

fn stamp(attempt: &mut Request, rules: &Rules, past_retries: u32) {
    let left_ms = u64::try_from(rules.remaining().saturating_sub(HOP).as_millis()).unwrap_or(u64::MAX);
    let headers = attempt.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(DEADLINE_MS, HeaderValue::from(left_ms));
    headers.insert(RETRY_ATTEMPT, HeaderValue::from(u32::from(rules.attempt_above) + past_retries));
}

/// The wait that the callee asked for, in whole seconds (RFC 9110 § 10.2.3; services send no dates).
fn retry_after(outcome: &Result<Response>) -> Option<Duration> {
    let value = outcome.as_ref().ok()?.headers().get(RETRY_AFTER)?;
    value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(class: Class) -> Rules {
        Rules { class, deadline: Instant::now() + Duration::from_secs(5), attempt_above: 0, body_bytes: 100 }
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

    fn waits(rules: &Rules, outcome: &Result<Response>) -> Option<Duration> {
        RetryByClass::new().wait(rules, 0, outcome)
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
    async fn a_large_body_is_repeated_only_when_it_was_never_sent() {
        let large = Rules { body_bytes: LARGEST_REPEATED_BYTES + 1, ..rules(Class::Read) };
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
        let retry = RetryByClass::new();
        for (past, most_ms) in [(0, 50), (1, 100)] {
            for _ in 0..50 {
                let wait = retry.wait(&rules(Class::Read), past, &answered(503, None)).unwrap();
                assert!(wait <= Duration::from_millis(most_ms), "{wait:?} after {past}");
            }
        }
        assert!(retry.wait(&rules(Class::Read), MOST_RETRIES, &answered(503, None)).is_none());
    }
}
