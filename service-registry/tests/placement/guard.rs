//! A bad other side is given up, and said to be.

use std::time::Duration;

use service_registry::{Fallback, Guard, Percent, Placement, Side};

use crate::world::{Network, Notes, URL, World, assert_lines, measured, of_space, remote, split};

fn guard() -> Guard {
    Guard { error_percent: None, p99_ms: None, window_ms: 10_000, least_calls: 20 }
}

fn guarded(placement: Placement, guard: Guard) -> Placement {
    Placement { guard: Some(guard), ..placement }
}

fn ten_percent() -> Guard {
    Guard { error_percent: Percent::try_from(10.0).ok(), ..guard() }
}

/// How many of so many calls failed, one for each household.
async fn failed_of(world: &World, calls: std::ops::Range<u128>) -> usize {
    let mut failed = 0;
    for space in calls {
        failed += usize::from(world.client.side(&of_space(space)).await.is_err());
    }
    failed
}

#[test]
fn too_many_errors_roll_back_to_local_and_say_why() {
    let page = measured(|| async {
        let world = World::new();
        world.place(guarded(split(50.0), ten_percent()));
        assert_eq!(failed_of(&world, 0..200).await, 0);
        world.far.set(Network::Fails);
        let failed = failed_of(&world, 0..400).await;
        assert!((8..=20).contains(&failed), "{failed} failed before it was given up");
        assert_eq!(failed_of(&world, 0..200).await, 0);

        let told = world.registry.topology().services.remove(0);
        assert_eq!(told.placement, Placement { urls: vec![URL.to_owned()], ..Placement::local() });
        let rolled_back = told.rolled_back.unwrap();
        assert_eq!(rolled_back.from, guarded(split(50.0), ten_percent()));
        assert!(rolled_back.reason.ends_with("calls failed, 10 % allowed"), "{}", rolled_back.reason);
        assert_eq!(rolled_back.at_ms, told.since_ms);

        world.far.set(Network::Well);
        world.place(split(50.0));
        assert_eq!(world.registry.topology().services[0].rolled_back, None, "somebody has decided anew");
    });
    assert_lines(
        &page,
        &[
            r#"placement_rollbacks_total{service="notes",reason="error_percent"} 1"#,
            r#"placement_changes_total{service="notes"} 3"#,
            r#"placement_share{service="notes"} 50"#,
        ],
    );
}

#[tokio::test]
async fn a_dead_other_side_is_given_up_for_good_though_a_fallback_answers_for_it() {
    let world = World::new();
    world.place(guarded(Placement { fallback: Fallback::Local, ..remote() }, ten_percent()));
    world.far.set(Network::Down);
    assert_eq!(failed_of(&world, 0..100).await, 0);
    let told = world.registry.topology().services.remove(0);
    assert_eq!(told.placement.side, Side::Local);
    assert_eq!(told.rolled_back.unwrap().reason, "20 of 20 calls failed, 10 % allowed");
    world.far.set(Network::Well);
    assert_eq!(world.there_of(0..100).await, 0, "nobody has placed it anew");
}

#[tokio::test]
async fn a_slow_other_side_is_given_up_by_its_p99() {
    let world = World::new();
    world.place(guarded(remote(), Guard { p99_ms: Some(20), ..guard() }));
    assert_eq!(failed_of(&world, 0..100).await, 0);
    world.far.set(Network::Slow(Duration::from_millis(30)));
    assert_eq!(failed_of(&world, 0..5).await, 0);
    assert_eq!(world.client.side(&of_space(1)).await.unwrap(), "here");
    let reason = world.registry.topology().services.remove(0).rolled_back.unwrap().reason;
    assert!(reason.contains("99 of 100 calls") && reason.ends_with("20 allowed"), "{reason}");
}

#[tokio::test]
async fn a_call_that_its_deadline_cuts_off_has_failed() {
    let world = World::new();
    world.place(guarded(remote(), Guard { least_calls: 3, ..ten_percent() }));
    world.far.set(Network::Slow(Duration::from_secs(60)));
    for space in 0..3 {
        let short = of_space(space).with_remaining(Duration::from_millis(20));
        assert!(world.client.side(&short).await.is_err());
    }
    assert_eq!(world.registry.placement("notes").side, Side::Local);
}

#[tokio::test]
async fn a_few_calls_say_nothing_and_callers_who_go_away_neither() {
    let world = World::new();
    world.place(guarded(remote(), ten_percent()));
    world.far.set(Network::Fails);
    assert_eq!(failed_of(&world, 0..19).await, 19);
    world.far.set(Network::Slow(Duration::from_secs(60)));
    for space in 0..10 {
        let cx = of_space(space);
        let mut call = Box::pin(world.client.side(&cx));
        assert!(futures_util::poll!(&mut call).is_pending());
    }
    assert_eq!(world.registry.placement("notes").side, Side::Remote);
}

#[tokio::test]
async fn a_placement_that_somebody_has_chosen_since_stays() {
    let world = World::new();
    world.place(guarded(remote(), Guard { least_calls: 1, ..ten_percent() }));
    world.far.set(Network::LosesAnswers);
    let cx = of_space(1);
    let mut late = Box::pin(world.client.side_slowly(&cx, 30));
    assert!(futures_util::poll!(&mut late).is_pending());
    world.place(split(5.0));
    assert!(late.await.is_err());
    assert_eq!(world.registry.placement("notes"), split(5.0));
}

#[tokio::test]
async fn a_service_that_does_not_run_here_goes_back_to_where_it_was() {
    let world = World::placed(remote());
    world.place(guarded(Placement::remote("http://other:1"), Guard { least_calls: 1, ..ten_percent() }));
    world.far.set(Network::Fails);
    assert_eq!(failed_of(&world, 0..1).await, 1);
    assert_eq!(world.registry.placement("notes"), remote());
}
