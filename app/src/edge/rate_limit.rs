//! 7. and 10. How often one client may ask (draft-ietf-httpapi-ratelimit-headers), by GCRA.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use kernel::{Code, Problem};

use super::network::client_address;
use super::{Edge, problem_response, request_id};
use crate::config::{Rate, Rates};

/// One limiter for all worker threads, made outside of them.
pub(super) struct Limiter {
    default: Policy,
    address: Policy,
    login: Policy,
    refresh: Policy,
}

struct Policy {
    name: &'static str,
    rate: Rate,
    buckets: RateLimiter<String, DefaultKeyedStateStore<String>, DefaultClock, StateInformationMiddleware>,
}

/// What one request left of its quota.
struct Standing {
    name: &'static str,
    rate: Rate,
    remaining: u32,
    /// Seconds until the quota is whole again, or, where it is used up, until one more request is let in.
    reset_s: u64,
    refused: bool,
}

impl Limiter {
    pub(super) fn new(rates: &Rates) -> Self {
        Self {
            default: Policy::new("default", rates.default),
            address: Policy::new("address", rates.address),
            login: Policy::new("login", rates.login),
            refresh: Policy::new("refresh", rates.refresh),
        }
    }

    pub(super) fn tidy(&self) {
        for policy in [&self.default, &self.address, &self.login, &self.refresh] {
            policy.buckets.retain_recent();
            policy.buckets.shrink_to_fit();
        }
    }
}

impl Policy {
    fn new(name: &'static str, rate: Rate) -> Self {
        let burst = NonZeroU32::new(rate.quota).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(period(rate)).expect("a period is never zero").allow_burst(burst);
        Self { name, rate, buckets: RateLimiter::keyed(quota).with_middleware() }
    }

    fn take(&self, key: String) -> Standing {
        let standing = |remaining, reset: Duration, refused| Standing {
            name: self.name,
            rate: self.rate,
            remaining,
            reset_s: reset.as_secs() + u64::from(reset.subsec_nanos() > 0),
            refused,
        };
        match self.buckets.check_key(&key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                standing(remaining, period(self.rate) * self.rate.quota.saturating_sub(remaining), false)
            }
            Err(until) => standing(0, until.wait_time_from(self.buckets.clock().now()), true),
        }
    }
}

/// Time in which one request's worth of quota grows back.
fn period(rate: Rate) -> Duration {
    let window = Duration::from_secs(u64::from(rate.window_s.max(1)));
    (window / rate.quota.max(1)).max(Duration::from_nanos(1))
}

/// Before we know who asks: the address of the client, more strictly where passwords and tokens are tried.
pub(super) async fn by_address(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let edge = Edge::of(&req);
    let Some(address) = client_address(&req, &edge.trusted_proxies) else {
        return next.call(req).await.map(ServiceResponse::map_into_boxed_body);
    };
    let policy = match (req.method().as_str(), req.path()) {
        ("POST", "/api/v1/sessions" | "/api/v1/users") => &edge.limiter.login,
        ("POST", "/api/v1/tokens") => &edge.limiter.refresh,
        _ => &edge.limiter.address,
    };
    limit(req, next, policy.take(network_of(address)), policy.name != "address").await
}

/// Who counts as one client: an IPv4 address, or the /64 network that is given to one IPv6 customer and holds more
/// addresses than anybody could count (RFC 6177).
fn network_of(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let network = address.to_bits() & (u128::MAX << 64);
            format!("{}/64", Ipv6Addr::from_bits(network))
        }
    }
}

/// Once we know: the user, wherever they are.
pub(super) async fn by_principal(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(user) = request_id::context(&req).caller().map(|caller| caller.subject) else {
        return next.call(req).await.map(ServiceResponse::map_into_boxed_body);
    };
    let standing = Edge::of(&req).limiter.default.take(user.to_string());
    limit(req, next, standing, true).await
}

async fn limit(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    standing: Standing,
    tell: bool,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if standing.refused {
        metrics::counter!("http_rate_limited_total", "policy" => standing.name).increment(1);
        let mut response = problem_response(&request_id::context(&req), standing.problem());
        standing.write(response.headers_mut());
        return Ok(req.into_response(response));
    }
    let mut answer = next.call(req).await?;
    if tell {
        standing.write(answer.headers_mut());
    }
    Ok(answer.map_into_boxed_body())
}

impl Standing {
    fn problem(&self) -> Problem {
        let mut problem = Problem::new(Code::QuotaExceeded).retry_after(self.reset_s.max(1));
        problem.violated_policies.push(self.name.to_owned());
        problem
    }

    fn write(&self, headers: &mut HeaderMap) {
        let Self { name, rate: Rate { quota, window_s }, remaining, reset_s, .. } = self;
        let mut set = |header, value: String| {
            let value = HeaderValue::from_str(&value).expect("numbers and a policy's name are visible ASCII");
            headers.insert(HeaderName::from_static(header), value);
        };
        set("ratelimit-policy", format!("\"{name}\";q={quota};w={window_s}"));
        set("ratelimit", format!("\"{name}\";r={remaining};t={reset_s}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_up_quota_says_when_the_next_request_is_let_in() {
        let policy = Policy::new("login", Rate { quota: 2, window_s: 60 });
        let first = policy.take("a".into());
        assert_eq!((first.remaining, first.reset_s, first.refused), (1, 30, false));
        assert!(!policy.take("a".into()).refused);
        let third = policy.take("a".into());
        assert!(third.refused && third.reset_s <= 30 && third.reset_s > 25);
        assert!(!policy.take("b".into()).refused, "another client has its own quota");
    }

    #[test]
    fn regression_all_addresses_of_an_ipv6_network_share_a_quota() {
        let key = |address: &str| network_of(address.parse().unwrap());
        assert_eq!(key("2001:db8:1:2::1"), "2001:db8:1:2::/64");
        assert_eq!(key("2001:db8:1:2:ffff:ffff:ffff:ffff"), key("2001:db8:1:2::1"));
        assert_ne!(key("2001:db8:1:3::1"), key("2001:db8:1:2::1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
    }
}
