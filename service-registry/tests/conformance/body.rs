//! What every binding must do.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::future::{Either, select};
use service_registry::{CallContext, CallError, Caller, IdempotencyKey, MAX_DEPTH, Proof, TraceContext};
use uuid::Uuid;

use crate::bindings::{World, user};
use crate::probe::{Probe, ProbeError, Thing};

pub async fn arguments_and_answers_arrive_unchanged(world: World) {
    let (cx, thing) = (CallContext::root(), Thing::difficult());
    let echoed = world.client.echo(&cx, thing.clone(), Some(thing.clone())).await;
    assert_eq!(echoed, Ok(vec![thing.clone(), thing.clone()]));
    assert_eq!(world.client.echo(&cx, thing.clone(), None).await, Ok(vec![thing]));
    assert_eq!(world.client.nothing(&cx).await, Ok(()));
}

pub async fn refusals_arrive_as_the_same_variant(world: World) {
    let refusals = [
        ProbeError::NotFound { id: Uuid::from_u128(5) },
        ProbeError::Closed,
        ProbeError::Wrong(2, vec!["/amount".to_owned(), "/date".to_owned()]),
    ];
    for refusal in refusals {
        assert_eq!(world.client.refuse(&CallContext::root(), refusal.clone()).await, Err(refusal));
    }
}

pub async fn a_failed_call_inside_the_callee_keeps_its_kind(world: World) {
    let failures = [
        CallError::Unavailable { service: "bank".to_owned(), retry_after_ms: 1500 },
        CallError::DeadlineExceeded { service: "bank".to_owned(), method: "ask".to_owned() },
        CallError::DepthExceeded,
        CallError::Overloaded { service: "bank".to_owned(), retry_after_ms: 10 },
        CallError::Refused { reason: "no".to_owned() },
        CallError::Panicked { method: "bank.ask".to_owned() },
        CallError::Failed { message: "disk is full".to_owned() },
        CallError::Protocol { message: "what".to_owned() },
    ];
    for failure in failures {
        let refusal = ProbeError::Call(failure);
        assert_eq!(world.client.refuse(&CallContext::root(), refusal.clone()).await, Err(refusal));
    }
}

pub async fn the_callee_sees_the_request_the_trace_and_the_user(world: World) {
    let key = IdempotencyKey {
        route: "POST /api/v1/probes".to_owned(),
        key: "key-of-the-client-1".to_owned(),
        fingerprint: "ab".repeat(32),
    };
    let cx = CallContext::root()
        .with_trace(TraceContext::new(true))
        .with_caller(user())
        .with_idempotency(key.clone());
    let seen = world.client.seen(&cx).await.unwrap();
    assert_eq!(seen.request_id, cx.request_id());
    assert_eq!((seen.trace_id, seen.sampled), (cx.trace().trace_id_hex(), true));
    assert_eq!((seen.depth, seen.idempotency), (1, Some(key)));
    assert_ne!(seen.call_id, cx.call_id());
    assert_eq!(seen.user_token.as_deref(), Some("good-token"));
    // The answer crosses the wire too, and a proof never does.
    assert_eq!(seen.caller.map(|caller| Caller { proof: user().proof, ..caller }), Some(user()));
}

pub async fn a_delegated_user_arrives_as_delegated(world: World) {
    let delegated = Caller { proof: Proof::Delegated, ..user() };
    let seen = world.client.seen(&CallContext::root().with_caller(delegated.clone())).await.unwrap();
    assert_eq!((seen.caller, seen.user_token), (Some(delegated), None));
}

pub async fn the_callee_has_no_more_time_than_its_method(world: World) {
    let seen = world.client.seen(&CallContext::root().with_remaining(Duration::from_secs(10))).await.unwrap();
    assert!((2000..=3000).contains(&seen.remaining_ms), "{}", seen.remaining_ms);
    let seen =
        world.client.seen(&CallContext::root().with_remaining(Duration::from_millis(1500))).await.unwrap();
    assert!((500..=1500).contains(&seen.remaining_ms), "{}", seen.remaining_ms);
}

pub async fn a_call_that_takes_too_long_is_cut_and_its_work_dropped(world: World) {
    let started = Instant::now();
    let cut =
        world.client.sleep(&CallContext::root().with_remaining(Duration::from_millis(120)), 60_000).await;
    let expected = CallError::deadline_exceeded("probe", "sleep");
    assert_eq!(cut, Err(ProbeError::Call(expected)));
    assert!(started.elapsed() < Duration::from_secs(2));
    world.until(|tally| tally.cancelled == tally.executions).await;
    assert_eq!(world.tally().await.executions, 1);
}

pub async fn the_timeout_of_a_method_holds_when_the_caller_has_more_time(world: World) {
    let cut = world.client.sleep_briefly(&CallContext::root(), 60_000).await;
    assert_eq!(cut, Err(ProbeError::Call(CallError::deadline_exceeded("probe", "sleep_briefly"))));
}

pub async fn an_expired_deadline_does_no_work(world: World) {
    let late = CallContext::root().with_deadline(Instant::now() - Duration::from_millis(1));
    let refused = world.client.nothing(&late).await;
    assert_eq!(refused, Err(ProbeError::Call(CallError::deadline_exceeded("probe", "nothing"))));
    assert_eq!(world.tally().await.executions, 0);
}

pub async fn a_read_ends_when_its_caller_goes_away(world: World) {
    let cx = CallContext::root();
    drop(begun(&world, world.client.sleep(&cx, 300)).await);
    world.until(|tally| tally.cancelled == 1).await;
    assert_eq!(world.tally().await.finished, 0);
}

pub async fn a_write_goes_on_when_its_caller_goes_away(world: World) {
    let cx = CallContext::root();
    drop(begun(&world, world.client.write_slowly(&cx, 300)).await);
    world.until(|tally| tally.finished == 1).await;
    let tally = world.tally().await;
    assert_eq!((tally.executions, tally.cancelled), (1, 0));
}

pub async fn a_write_that_takes_too_long_is_cut_all_the_same(world: World) {
    let short = CallContext::root().with_remaining(Duration::from_millis(120));
    let cut = world.client.write_slowly(&short, 60_000).await;
    assert_eq!(cut, Err(ProbeError::Call(CallError::deadline_exceeded("probe", "write_slowly"))));
    world.until(|tally| tally.cancelled == 1).await;
}

/// A call that the callee has begun to work on.
async fn begun<F: Future>(world: &World, call: F) -> Pin<Box<F>> {
    let mut call = Box::pin(call);
    let begun = world.until(|tally| tally.executions == 1);
    assert!(matches!(select(&mut call, Box::pin(begun)).await, Either::Right(_)), "it answered too soon");
    call
}

pub async fn a_panic_is_an_error_and_the_next_call_works(world: World) {
    let cx = CallContext::root();
    for after_ms in [0, 5] {
        let panicked = CallError::Panicked { method: "probe.panic".to_owned() };
        assert_eq!(world.client.panic(&cx, after_ms).await, Err(ProbeError::Call(panicked)));
    }
    assert_eq!(world.client.nothing(&cx).await, Ok(()));
}

pub async fn a_circle_of_calls_ends_at_the_depth_limit(world: World) {
    let cx = CallContext::root();
    assert_eq!(world.client.nest(&cx, MAX_DEPTH - 1).await, Ok(MAX_DEPTH));
    assert_eq!(world.client.nest(&cx, MAX_DEPTH).await, Err(ProbeError::Call(CallError::DepthExceeded)));
}

pub async fn a_replayed_answer_is_known_to_the_caller(world: World) {
    let cx = CallContext::root();
    world.client.nothing(&cx).await.unwrap();
    assert!(!cx.was_replayed());
    world.client.replay(&cx).await.unwrap();
    assert!(cx.was_replayed());
}

pub async fn an_idempotent_call_has_one_effect(world: World) {
    let balance = world.client.deposit(&CallContext::root(), Uuid::from_u128(1), 250).await;
    assert_eq!(balance, Ok(250));
}

pub async fn a_call_whose_repeats_are_known_acts_once(world: World) {
    for row in 0..3 {
        assert_eq!(world.client.make_row(&CallContext::root()).await, Ok(row));
    }
    assert_eq!(world.tally().await.rows, 3);
}

pub async fn calls_for_a_request_that_may_come_again_are_known_again(world: World) {
    let request = CallContext::root().of_repeatable_request();
    for row in [0, 0] {
        assert_eq!(world.client.make_row(&request).await, Ok(row));
    }
    assert_eq!(world.client.make_row(&CallContext::root().of_repeatable_request()).await, Ok(1));
    // What such a call calls in turn is its own affair.
    assert_eq!(world.client.make_row(&CallContext::root()).await, Ok(2));
}

pub async fn a_call_that_acts_once_acts_once(world: World) {
    assert_eq!(world.client.increment(&CallContext::root()).await, Ok(1));
    assert_eq!(world.tally().await.executions, 1);
}
