//! Reads that run on both sides.

use std::io::Write;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use service_registry::{CallContext, Placement};

use crate::world::{Network, Notes, URL, World, assert_lines, measured, of_space, remote, split};

fn shadowed(placement: Placement) -> Placement {
    Placement { shadow: true, urls: vec![URL.to_owned()], ..placement }
}

fn asked(world: &World) -> (usize, usize) {
    (world.here.asked.load(Ordering::SeqCst), world.there.asked.load(Ordering::SeqCst))
}

/// Lets the shadows end.
async fn settle() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn callers_get_the_answers_of_their_side_and_differences_are_counted() {
    let page = measured(|| async {
        let (world, cx) = (World::new(), CallContext::root());
        for (placement, side) in [(Placement::local(), "here"), (remote(), "there")] {
            world.place(shadowed(placement));
            for _ in 0..3 {
                assert_eq!(world.client.side(&cx).await.unwrap(), side);
                assert_eq!(world.client.all(&cx).await.unwrap().notes, 0);
            }
            settle().await;
        }
        assert_eq!(asked(&world), (6, 6));
    });
    assert_lines(
        &page,
        &[
            r#"shadow_calls_total{service="notes",method="side"} 6"#,
            r#"shadow_differences_total{service="notes",method="side"} 6"#,
            r#"shadow_calls_total{service="notes",method="all"} 6"#,
            r#"placement_share{service="notes"} 100"#,
        ],
    );
    assert!(!page.contains(r#"shadow_differences_total{service="notes",method="all"}"#));
}

#[tokio::test]
async fn both_sides_of_a_split_are_shadowed_by_the_other() {
    let world = World::new();
    world.place(shadowed(split(50.0)));
    let there = world.there_of(0..16).await;
    settle().await;
    assert!((1..16).contains(&there));
    assert_eq!(asked(&world), (16, 16));
}

#[tokio::test]
async fn what_changes_something_runs_once() {
    let (world, cx) = (World::new(), CallContext::root());
    for placement in [Placement::local(), remote(), split(50.0)] {
        world.place(shadowed(placement));
        world.client.add(&cx).await.unwrap();
        world.client.put(&cx, uuid::Uuid::now_v7()).await.unwrap();
    }
    settle().await;
    assert_eq!(world.notes(), 6);
}

#[test]
fn nobody_waits_for_a_shadow_and_one_that_fails_harms_nobody() {
    let page = measured(|| async {
        let (world, cx) = (World::new(), CallContext::root());
        world.place(shadowed(Placement::local()));
        world.far.set(Network::Slow(Duration::from_secs(60)));
        let started = Instant::now();
        // More than are shadowed at once.
        for _ in 0..100 {
            assert_eq!(world.client.side(&cx).await.unwrap(), "here");
        }
        settle().await;
        assert!(started.elapsed() < Duration::from_secs(1));
        world.place(Placement::local());
        world.place(shadowed(Placement::local()));
        world.far.set(Network::Down);
        assert_eq!(world.client.side(&cx).await.unwrap(), "here");
        settle().await;
    });
    assert_lines(
        &page,
        &[
            r#"shadow_calls_total{service="notes",method="side"} 1"#,
            r#"shadow_failures_total{service="notes",method="side"} 1"#,
        ],
    );
}

#[tokio::test]
async fn a_sample_is_logged_once_a_minute_without_what_it_says() {
    let written = Written::default();
    let sink = written.clone();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(move || sink.clone()).finish();
    let _subscribed = tracing::subscriber::set_default(subscriber);
    let world = World::new();
    world.place(shadowed(Placement::local()));
    for space in 0..5 {
        world.client.side(&of_space(space)).await.unwrap();
        settle().await;
    }
    let text = written.text();
    let told: Vec<_> = text.lines().filter(|line| line.contains("answer side differently")).collect();
    assert_eq!(told.len(), 1, "{text}");
    assert!(told[0].contains(r#"differences=": string, string""#), "{}", told[0]);
    assert!(!told[0].contains("here") && !told[0].contains("there"), "{}", told[0]);
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
