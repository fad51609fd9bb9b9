//! Drills 1 and 2 of live placement, with a real second process.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::iter;
use service_registry::policy::Policy;
use service_registry::{
    CallContext, CallError, Caller, Fallback, Percent, Placement, Proof, Registry, ServiceClient,
};
use uuid::Uuid;

use crate::bindings::both_sides;
use crate::probe::{Probe, ProbeError, ProbeService};
use crate::second::Second;

/// Households that call.
const SPACES: u128 = 2000;

struct Drill {
    second: Second,
    registry: Registry,
    client: ServiceClient<dyn Probe>,
}

impl Drill {
    fn new() -> Self {
        let second = Second::start();
        let registry = both_sides(&second.url, &second.tester, &Policy::default());
        registry.provide::<dyn Probe>(Arc::new(ProbeService::default()));
        let client = registry.client();
        Self { second, registry, client }
    }

    fn place(&self, share: f64, fallback: Fallback) {
        let share = Percent::try_from(share).unwrap();
        let placement = Placement { fallback, ..Placement::split(share, [self.second.url.clone()]) };
        self.registry.place("probe", placement).unwrap();
    }

    /// One call for each household: whether the other process answered it.
    async fn round(&self) -> BTreeMap<u128, bool> {
        let process = self.second.process();
        let calls = iter(0..SPACES).map(|space| async move {
            let tally = self.client.tally(&of_space(space)).await;
            (space, tally.expect("no call may fail").process == process)
        });
        calls.buffer_unordered(32).collect().await
    }
}

fn of_space(space: u128) -> CallContext {
    CallContext::root().with_caller(Caller {
        subject: Uuid::from_u128(1),
        space: Some(Uuid::from_u128(space)),
        session: None,
        role: "owner".to_owned(),
        scopes: [].into(),
        proof: Proof::Delegated,
    })
}

/// Calls without end until told, from 16 callers: how many, and the errors among them.
async fn calls_while(client: &ServiceClient<dyn Probe>, over: &AtomicBool) -> (usize, Vec<ProbeError>) {
    let callers = (0..16).map(|caller| async move {
        let (mut calls, mut errors) = (0, Vec::new());
        while !over.load(Ordering::Relaxed) {
            calls += 1;
            let cx = of_space(caller + 16 * calls as u128);
            let done = client.deposit(&cx, Uuid::now_v7(), 1).await;
            errors.extend(done.err());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        (calls, errors)
    });
    let all = join_all(callers).await;
    (all.iter().map(|(calls, _)| calls).sum(), all.into_iter().flat_map(|(_, errors)| errors).collect())
}

#[tokio::test]
async fn drill_1_nobody_notices_when_the_service_moves_under_load() {
    let drill = Drill::new();
    let over = AtomicBool::new(false);
    let moves = async {
        let mut before = BTreeMap::new();
        for share in [0.0, 5.0, 50.0, 100.0] {
            drill.place(share, Fallback::None);
            let (first, second) = (drill.round().await, drill.round().await);
            assert_eq!(first, second, "the same household on the same side");
            let there = first.values().filter(|there| **there).count();
            assert!((there as f64 / 20.0 - share).abs() <= 2.0, "{there} of {SPACES} for {share} %");
            assert!(before.iter().all(|(space, was_there)| !was_there || first[space]), "moved once");
            before = first;
        }
        drill.registry.place("probe", Placement::local()).unwrap();
        assert!(drill.round().await.values().all(|there| !there));
        over.store(true, Ordering::Relaxed);
    };
    let ((), (calls, errors)) = tokio::join!(moves, calls_while(&drill.client, &over));
    assert_eq!(errors, [], "of {calls} calls");
    assert!(calls > 100);
}

#[tokio::test]
async fn drill_2_with_a_fallback_hardly_anybody_notices_a_killed_process() {
    let mut drill = Drill::new();
    drill.place(50.0, Fallback::Local);
    let (over, client, registry) = (AtomicBool::new(false), drill.client.clone(), drill.registry.clone());
    let breaker = || registry.topology().services[0].endpoints[0].breaker.clone();
    let murder = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        drill.second.kill();
        let killed = Instant::now();
        while breaker() == "closed" {
            assert!(killed.elapsed() < Duration::from_secs(2), "the breaker is still closed");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_secs(2)).await;
        over.store(true, Ordering::Relaxed);
    };
    let ((), (calls, errors)) = tokio::join!(murder, calls_while(&client, &over));
    assert!(errors.len() * 200 <= calls, "{} of {calls} calls failed: {errors:?}", errors.len());
}

#[tokio::test]
async fn drill_2_without_a_fallback_everybody_is_told_in_time() {
    let mut drill = Drill::new();
    drill.place(50.0, Fallback::None);
    let there: Vec<u128> =
        drill.round().await.into_iter().filter(|(_, there)| *there).map(|(space, _)| space).collect();
    drill.second.kill();
    for space in there.into_iter().take(100) {
        let (began, limit) = (Instant::now(), Duration::from_millis(1000));
        let refused = drill.client.deposit(&of_space(space).with_remaining(limit), Uuid::now_v7(), 1).await;
        let Err(ProbeError::Call(error @ CallError::Unavailable { .. })) = refused else {
            panic!("{refused:?}")
        };
        assert!(error.retry_after_ms().is_some() && began.elapsed() < limit, "{:?}", began.elapsed());
    }
}
