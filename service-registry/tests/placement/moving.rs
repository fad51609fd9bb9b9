//! Placing a service elsewhere under its callers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use service_registry::{CallContext, CallError, Placement};
use uuid::Uuid;

use crate::world::{Notes, URL, World, assert_lines, measured, of_space, remote, split};

#[tokio::test]
async fn every_holder_follows_and_a_call_under_way_ends_where_it_began() {
    let world = World::new();
    let (early, cx) = (world.client.clone(), CallContext::root());
    let mut slow = Box::pin(early.side_slowly(&cx, 50));
    assert!(futures_util::poll!(&mut slow).is_pending());
    world.place(remote());
    assert_eq!(early.side(&cx).await.unwrap(), "there");
    assert_eq!(slow.await.unwrap(), "here");
    let mut slow = Box::pin(early.side_slowly(&cx, 50));
    assert!(futures_util::poll!(&mut slow).is_pending());
    world.place(Placement::local());
    assert_eq!(early.side(&cx).await.unwrap(), "here");
    assert_eq!(slow.await.unwrap(), "there");
}

#[tokio::test]
async fn a_share_of_the_households_goes_elsewhere_and_each_stays_on_its_side() {
    let world = World::new();
    for share in [0.0, 5.0, 50.0, 100.0] {
        world.place(split(share));
        let there = world.there_of(0..2000).await;
        assert!((there as f64 / 20.0 - share).abs() < 2.0, "{there} of 2000 for {share} %");
    }
    world.place(split(50.0));
    for space in 0..50 {
        let first = world.client.side(&of_space(space)).await.unwrap();
        for _ in 0..3 {
            assert_eq!(world.client.side(&of_space(space)).await.unwrap(), first);
        }
    }
}

#[tokio::test]
async fn a_household_moves_once_as_the_share_grows() {
    let world = World::new();
    let mut moved = vec![false; 500];
    for share in [0.0, 0.1, 1.0, 7.5, 30.0, 31.0, 80.0, 100.0] {
        world.place(split(share));
        for (space, moved) in moved.iter_mut().enumerate() {
            let there = world.client.side(&of_space(space as u128)).await.unwrap() == "there";
            assert!(there || !*moved, "{space} came back at {share} %");
            *moved = there;
        }
    }
    assert!(moved.iter().all(|moved| *moved));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_call_is_lost_or_doubled_while_the_service_moves() {
    let world = Arc::new(World::new());
    let over = Arc::new(AtomicBool::new(false));
    let callers = (0..8).map(|_| {
        let (client, over) = (world.client.clone(), Arc::clone(&over));
        tokio::spawn(async move {
            let mut calls = 0;
            while !over.load(Ordering::Relaxed) {
                client.add(&CallContext::root()).await.unwrap();
                calls += 1;
            }
            calls
        })
    });
    let callers: Vec<_> = callers.collect();
    for _ in 0..50 {
        for placement in [split(5.0), split(50.0), remote(), split(90.0), Placement::local()] {
            world.place(placement);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    over.store(true, Ordering::Relaxed);
    let calls: usize = join_all(callers).await.into_iter().map(Result::unwrap).sum();
    let mut notes = world.database.lock().unwrap().clone();
    notes.sort_unstable();
    notes.dedup();
    assert_eq!((notes.len(), world.notes()), (calls, calls));
    assert!(calls > 500, "{calls}");
}

#[tokio::test]
async fn a_service_placed_on_both_sides_at_the_start_waits_for_its_implementation() {
    let world = World::placed(Placement::local());
    assert_eq!(world.client.side(&CallContext::root()).await, Err(CallError::unavailable("notes")));
    world.place(split(50.0));
    assert_eq!(world.client.side(&CallContext::root()).await, Err(CallError::unavailable("notes")));
    world.registry.provide::<dyn Notes>(world.here.clone());
    assert!((1..100).contains(&world.there_of(0..100).await));
}

#[tokio::test]
async fn both_sides_work_on_the_same_data() {
    let world = World::new();
    world.place(split(50.0));
    let id = Uuid::from_u128(9);
    for space in 0..20 {
        world.client.put(&of_space(space), id).await.unwrap();
        assert_eq!(world.client.all(&of_space(space)).await.unwrap().notes, 1);
    }
}

#[test]
fn where_a_service_is_can_be_read_from_the_registry_and_from_metrics() {
    let page = measured(|| async {
        let world = World::new();
        let told = |world: &World| world.registry.topology().services.remove(0);
        let first = told(&world);
        assert_eq!((first.name.as_str(), first.version, first.provided), ("notes", 1, true));
        assert_eq!((first.placement, first.rolled_back), (Placement::local(), None));
        let placed = world.registry.place("notes", split(12.5)).unwrap();
        assert_eq!((placed.before, placed.after), (Placement::local(), split(12.5)));
        world.place(split(12.5));
        assert_eq!(world.registry.placement("notes"), split(12.5));
        assert_eq!(world.registry.configured("notes"), Placement::local());
        let second = told(&world);
        assert!(second.placement.urls == [URL] && second.since_ms >= first.since_ms);
        let json = serde_json::to_string(&world.registry.topology()).unwrap();
        assert_eq!(serde_json::from_str::<service_registry::Topology>(&json).unwrap().services, [second]);
    });
    // Placed twice the same way is one change.
    assert_lines(
        &page,
        &[r#"placement_share{service="notes"} 12.5"#, r#"placement_changes_total{service="notes"} 1"#],
    );
}
