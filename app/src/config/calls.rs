//! How services are called: the rules for all of them, and what one of them does otherwise.

use std::time::Duration;

use serde::Deserialize;
use service_registry::policy::{BreakerRules, BulkheadLimits, Policy, RetryRules};

use super::{Faults, Settings};
use crate::modules;

/// The rules for every service.
#[derive(Clone, Debug, Deserialize)]
pub struct Calls {
    pub concurrent: usize,
    pub queued: usize,
    pub retry_percent: u32,
    pub retry_floor_per_s: u32,
    pub hedge_after_ms: u64,
    pub breaker: BreakerSettings,
}

#[derive(Clone, Debug, Deserialize)]
pub struct BreakerSettings {
    pub failures_in_a_row: u32,
    pub failing_percent: u32,
    pub least_calls: u32,
    pub window_ms: u64,
    pub open_ms: u64,
    pub open_most_ms: u64,
    pub fair_chance_ms: u64,
}

/// Where one service is, and what is different for it; 0 is as for all.
#[derive(Clone, Debug, Deserialize)]
pub struct ServiceSettings {
    pub url: String,
    pub urls: Vec<String>,
    pub placement: String,
    pub share: f64,
    pub fallback: String,
    pub guard_error_percent: f64,
    pub guard_p99_ms: u64,
    pub shadow: bool,
    pub concurrent: usize,
    pub queued: usize,
    pub retry_percent: u32,
    pub hedge_after_ms: u64,
    pub breaker_failures_in_a_row: u32,
    pub breaker_open_ms: u64,
    pub simulate_latency_ms: f64,
    pub simulate_loss_percent: f64,
}

impl Settings {
    /// What is set for `service`, if it is one.
    pub fn service(&self, service: &str) -> Option<&ServiceSettings> {
        match service {
            "identity" => Some(&self.services.identity),
            "ledger" => Some(&self.services.ledger),
            "connections" => Some(&self.services.connections),
            _ => None,
        }
    }

    /// The base URLs that are set for `service`; empty for none.
    pub fn service_urls(&self, service: &str) -> Vec<String> {
        match self.service(service) {
            Some(set) if !set.urls.is_empty() => set.urls.clone(),
            Some(set) if !set.url.is_empty() => vec![set.url.clone()],
            _ => Vec::new(),
        }
    }

    /// The rules under which `service` is called.
    pub fn policy(&self, service: &str) -> Policy {
        let Calls { breaker, .. } = &self.calls;
        let rules = BreakerRules {
            failures_in_a_row: breaker.failures_in_a_row,
            failing_percent: breaker.failing_percent,
            least_calls: breaker.least_calls,
            window: Duration::from_millis(breaker.window_ms),
            open: Duration::from_millis(breaker.open_ms),
            open_most: Duration::from_millis(breaker.open_most_ms),
            fair_chance: Duration::from_millis(breaker.fair_chance_ms),
        };
        let calls = &self.calls;
        let hedge = |ms: u64| (ms > 0).then(|| Duration::from_millis(ms));
        let all = Policy {
            bulkhead: BulkheadLimits { concurrent: calls.concurrent, queued: calls.queued },
            breaker: rules,
            retry: RetryRules { percent: calls.retry_percent, floor_per_s: calls.retry_floor_per_s },
            hedge_after: hedge(calls.hedge_after_ms),
        };
        self.service(service).map_or(all, |own| own.over(all))
    }
}

impl ServiceSettings {
    fn over(&self, all: Policy) -> Policy {
        let mut policy = all;
        let open = if self.breaker_open_ms > 0 {
            Duration::from_millis(self.breaker_open_ms)
        } else {
            all.breaker.open
        };
        policy.bulkhead.concurrent = or(self.concurrent, all.bulkhead.concurrent);
        policy.bulkhead.queued = or(self.queued, all.bulkhead.queued);
        policy.retry.percent = or(self.retry_percent, all.retry.percent);
        policy.breaker.failures_in_a_row = or(self.breaker_failures_in_a_row, all.breaker.failures_in_a_row);
        policy.breaker.open = open;
        policy.breaker.open_most = all.breaker.open_most.max(open);
        if self.hedge_after_ms > 0 {
            policy.hedge_after = Some(Duration::from_millis(self.hedge_after_ms));
        }
        policy
    }

    /// What is set here that a service in the same process has no use for.
    fn remote_only(&self) -> impl Iterator<Item = &'static str> {
        let set = [
            ("retry_percent", self.retry_percent > 0),
            ("hedge_after_ms", self.hedge_after_ms > 0),
            ("breaker_failures_in_a_row", self.breaker_failures_in_a_row > 0),
            ("breaker_open_ms", self.breaker_open_ms > 0),
        ];
        set.into_iter().filter_map(|(key, is_set)| is_set.then_some(key))
    }
}

fn or<T: Default + PartialEq>(own: T, all: T) -> T {
    if own == T::default() { all } else { own }
}

/// Notes rules that make no sense, and such as could never apply.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    let Calls { breaker, .. } = &settings.calls;
    let percent = 1..=100;
    for (key, broken, what) in [
        ("calls.concurrent", settings.calls.concurrent == 0, "must be at least 1"),
        ("calls.retry_percent", settings.calls.retry_percent > 100, "must be 0 to 100"),
        ("calls.retry_floor_per_s", settings.calls.retry_floor_per_s > 10_000, "must be 0 to 10000"),
        ("calls.breaker.failures_in_a_row", breaker.failures_in_a_row == 0, "must be at least 1"),
        ("calls.breaker.failing_percent", !percent.contains(&breaker.failing_percent), "must be 1 to 100"),
        ("calls.breaker.least_calls", breaker.least_calls == 0, "must be at least 1"),
        ("calls.breaker.window_ms", breaker.window_ms < 10, "must be at least 10"),
        ("calls.breaker.open_ms", breaker.open_ms == 0, "must be at least 1"),
        ("calls.breaker.open_most_ms", breaker.open_most_ms < breaker.open_ms, "must not be below open_ms"),
    ] {
        if broken {
            faults.add(key, what);
        }
    }
    for module in modules::ALL {
        let Some(own) = settings.service(module.name) else { continue };
        if own.retry_percent > 100 {
            faults.add(format_args!("services.{}.retry_percent", module.name), "must be 0 to 100");
        }
        // With a url it may run elsewhere in another process with the same settings.
        if settings.runs(module.name) && settings.service_urls(module.name).is_empty() {
            for key in own.remote_only() {
                faults.add(
                    format_args!("services.{}.{key}", module.name),
                    format_args!(
                        "{} runs in this process and has no url, so this could never apply",
                        module.name
                    ),
                );
            }
        }
    }
}
