//! What cannot apply is a fault by name, at the start and later.

use service_registry::{Fallback, Faults, Guard, Percent, Placement, Registry, Side};

use crate::world::{Notes, SERVICE, URL, World, remote, split};

fn words(faults: &Faults) -> Vec<String> {
    faults.0.iter().map(ToString::to_string).collect()
}

fn guard() -> Guard {
    Guard { error_percent: Percent::try_from(5.0).ok(), p99_ms: None, window_ms: 10_000, least_calls: 20 }
}

/// Placements that nobody can have, and what is said of each.
fn wrong() -> Vec<(Placement, &'static str)> {
    let guarded = |guard| Placement { guard: Some(guard), ..split(5.0) };
    vec![
        (
            Placement { side: Side::Remote, ..Placement::default() },
            "service notes needs a url: another process shall answer calls of it",
        ),
        (
            Placement { urls: Vec::new(), ..split(5.0) },
            "service notes needs a url: another process shall answer calls of it",
        ),
        (
            Placement { shadow: true, ..Placement::local() },
            "service notes needs a url: another process shall answer calls of it",
        ),
        (
            Placement::remote("notes:1"),
            "url notes:1 of remote service notes must start with http://, https:// or unix://",
        ),
        (
            Placement::remote("unix://notes.sock"),
            "url unix://notes.sock of remote service notes must name a socket by its absolute path, as \
             unix:///run/tributary/ledger.sock does",
        ),
        (Placement { side: Side::Remote, ..split(5.0) }, "service notes has a share and is not split"),
        (
            Placement { fallback: Fallback::Local, ..Placement::local() },
            "service notes has a fallback and is placed local: nothing of it goes elsewhere",
        ),
        (
            Placement { guard: Some(guard()), ..Placement::local() },
            "service notes has a guard and is placed local: nothing of it goes elsewhere",
        ),
        (
            guarded(Guard { error_percent: None, ..guard() }),
            "the guard of service notes has no limit: give error_percent or p99_ms",
        ),
        (guarded(Guard { window_ms: 0, ..guard() }), "the guard of service notes looks back for 0 ms"),
        (guarded(Guard { least_calls: 0, ..guard() }), "the guard of service notes judges after 0 calls"),
    ]
}

#[tokio::test]
async fn what_cannot_apply_is_named_and_changes_nothing() {
    let world = World::new();
    for (placement, said) in wrong() {
        let refused = world.registry.place("notes", placement).unwrap_err();
        assert_eq!(words(&refused), [said]);
    }
    let unknown = world.registry.place("bank", remote()).unwrap_err();
    assert_eq!(words(&unknown), ["placement names bank, which is not a service"]);
    assert_eq!(world.registry.placement("notes"), Placement::local());
}

#[test]
fn the_same_is_said_at_the_start() {
    for (placement, said) in wrong() {
        let built = Registry::builder().service(SERVICE).runs("notes").place("notes", placement).build();
        assert_eq!(words(&built.err().unwrap()), [said]);
    }
}

#[tokio::test]
async fn what_does_not_run_here_cannot_be_asked_here() {
    let elsewhere = World::placed(remote());
    let said = |placement| words(&elsewhere.registry.place("notes", placement).unwrap_err());
    let not_here = |what| [format!("service notes cannot be placed {what}: it does not run in this process")];
    assert_eq!(said(Placement::local()), not_here("local"));
    assert_eq!(said(split(5.0)), not_here("split, 5 % remote"));
    assert_eq!(said(Placement { fallback: Fallback::Local, ..remote() }), not_here("remote, fallback local"));
    assert_eq!(said(Placement { shadow: true, ..remote() }), not_here("remote, reads shadowed"));
    assert_eq!(
        said(Placement { guard: Some(guard()), ..remote() }),
        ["the guard of service notes has nothing to roll back to: the service does not run in this process"]
    );

    let with_fallback = || Placement { fallback: Fallback::Local, ..remote() };
    let built = Registry::builder().service(SERVICE).place("notes", with_fallback()).build();
    assert_eq!(words(&built.err().unwrap()), not_here("remote, fallback local"));
    assert!(
        Registry::builder().service(SERVICE).runs("notes").place("notes", with_fallback()).build().is_ok()
    );

    elsewhere.registry.provide::<dyn Notes>(elsewhere.here.clone());
    assert!(elsewhere.registry.place("notes", Placement::local()).is_ok());
}

#[tokio::test]
async fn a_process_that_calls_nobody_elsewhere_says_so() {
    let registry = Registry::builder().service(SERVICE).build().unwrap();
    let refused = registry.place("notes", remote()).unwrap_err();
    assert_eq!(
        words(&refused),
        [format!("no transport to notes at {URL}: this process calls nobody elsewhere")]
    );
}
