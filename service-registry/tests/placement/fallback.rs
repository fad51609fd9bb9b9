//! What the other side cannot answer is answered here, if nothing can happen twice by that.

use std::time::Duration;

use service_registry::{CallContext, CallError, Fallback, Placement};
use uuid::Uuid;

use crate::world::{Network, Notes, World, assert_lines, measured, remote, split};

fn with_fallback(placement: Placement) -> Placement {
    Placement { fallback: Fallback::Local, ..placement }
}

fn unavailable<A>() -> Result<A, CallError> {
    Err(CallError::Unavailable { service: "notes".to_owned(), retry_after_ms: 700 })
}

#[tokio::test]
async fn where_nobody_listens_everything_is_answered_here() {
    let (world, cx) = (World::new(), CallContext::root());
    for placement in [remote(), split(100.0)] {
        world.place(with_fallback(placement));
        world.far.set(Network::Down);
        assert_eq!(world.client.side(&cx).await.unwrap(), "here");
        world.client.put(&cx, Uuid::from_u128(1)).await.unwrap();
        world.client.add(&cx).await.unwrap();
        world.client.add_known(&cx).await.unwrap();
    }
    assert_eq!(world.notes(), 5);
}

#[tokio::test]
async fn without_a_fallback_the_caller_is_told_when_to_ask_again() {
    let (world, cx) = (World::new(), CallContext::root());
    world.place(remote());
    world.far.set(Network::Down);
    assert_eq!(world.client.side(&cx).await, unavailable());
    assert_eq!(world.client.add(&cx).await, unavailable());
}

#[tokio::test]
async fn what_the_other_side_may_have_done_is_asked_again_here_only_if_it_cannot_happen_twice() {
    let (world, cx) = (World::new(), CallContext::root());
    world.place(with_fallback(remote()));
    world.far.set(Network::LosesAnswers);
    assert_eq!(world.client.side(&cx).await.unwrap(), "here");
    world.client.put(&cx, Uuid::from_u128(1)).await.unwrap();
    assert_eq!(world.notes(), 1);
    world.client.add_known(&cx).await.unwrap();
    assert_eq!(world.notes(), 2, "here it was known by its call id");
    assert_eq!(world.client.add(&cx).await, unavailable());
    assert_eq!(world.notes(), 3, "done there, and not once more here");
}

#[tokio::test]
async fn what_the_other_side_says_is_never_asked_again_here() {
    let (world, cx) = (World::new(), CallContext::root());
    world.place(with_fallback(remote()));
    world.far.set(Network::Fails);
    assert_eq!(world.client.side(&cx).await, Err(CallError::failed("disk is full")));
}

#[test]
fn the_other_side_gets_its_traffic_back_gradually() {
    let page = measured(|| async {
        let world = World::new();
        world.place(with_fallback(remote()));
        assert_eq!(world.there_of(0..200).await, 200);
        world.far.set(Network::Down);
        assert_eq!(world.there_of(0..200).await, 0);
        world.far.set(Network::Well);
        // The first to ask finds it well.
        assert_eq!(world.there_of(0..1).await, 1);
        assert!(world.there_of(0..200).await <= 5);
        tokio::time::sleep(Duration::from_secs(2)).await;
        let there = world.there_of(0..200).await;
        assert!((20..=65).contains(&there), "{there} of 200 after two of ten seconds");
    });
    assert_lines(&page, &[r#"placement_fallbacks_total{service="notes",reason="unavailable"} 200"#]);
}
