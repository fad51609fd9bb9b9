//! Calls over TLS where each side shows a certificate, and what becomes of those who show another or none.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it is")]

mod world;

use std::time::Duration;

use service_registry::policy::Policy;
use service_registry::{CallContext, CallError};
use service_registry_http::{ServiceSigner, Tls, Upstream};

use world::{Authority, Door, Near, World, patiently};

/// What a caller hears that nobody answers.
fn nobody() -> Result<u32, CallError> {
    Err(CallError::unavailable("near"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_arrives_where_each_side_is_named_by_its_certificate() {
    let world = World::new(&Authority::new());
    let door = Door::open(&world, "near");
    let answer = world.client(&door, "far", "far").double(&CallContext::root(), 21).await;
    assert_eq!(answer, Ok(42));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_with_the_certificate_of_another_is_refused() {
    let world = World::new(&Authority::new());
    let door = Door::open(&world, "near");
    let answer = world.client(&door, "far", "other").double(&CallContext::root(), 21).await;
    let reason = "a certificate of another service (call to near)";
    assert_eq!(answer, Err(CallError::refused(reason)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_without_a_certificate_is_refused() {
    let world = World::new(&Authority::new());
    let door = Door::open(&world, "near");
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).build().unwrap();
    let token = ServiceSigner::new("far", &world.key).token("near").unwrap();
    let call = client.post(format!("{}/rpc/near/v1/double", door.url)).bearer_auth(token).body("[21]");
    let answer = call.send().await.unwrap();
    assert_eq!(answer.status(), 403);
    let error: CallError = answer.json().await.unwrap();
    assert_eq!(error, CallError::refused("no certificate (call to near)"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_ca_does_not_connect() {
    let (ours, theirs) = (World::new(&Authority::new()), World::new(&Authority::new()));
    let door = Door::open(&ours, "near");
    assert_eq!(theirs.client(&door, "far", "far").double(&CallContext::root(), 21).await, nobody());

    // Nor does it where the caller would believe whoever answers.
    let identity = ["far.pem", "far.key"].map(|name| std::fs::read_to_string(theirs.path(name)).unwrap());
    let trusting = reqwest::Client::builder().tls_danger_accept_invalid_certs(true);
    let trusting = trusting.identity(reqwest::Identity::from_pem(identity.concat().as_bytes()).unwrap());
    let live = trusting.build().unwrap().get(format!("{}/health/live", door.url));
    assert!(live.send().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_answers_for_a_service_who_is_not_named_as_that_service() {
    let world = World::new(&Authority::new());
    let door = Door::open(&world, "impostor");
    let answer = world.client(&door, "far", "far").double(&CallContext::root(), 21).await;
    assert_eq!(answer, nobody());
}

#[tokio::test(flavor = "multi_thread")]
async fn where_one_of_several_services_may_answer_nobody_else_does() {
    let world = World::new(&Authority::new());
    let tls = Tls::load(world.named("other"), &["other".to_owned()]).unwrap();
    let config = tls.client_config_for_any(["far", "near"]);
    let client = reqwest::Client::builder().tls_backend_preconfigured(config).build().unwrap();
    for (shown, answers) in [("near", true), ("far", true), ("impostor", false)] {
        let door = Door::open(&world, shown);
        let answer = client.get(format!("{}/health/live", door.url)).send().await;
        assert_eq!(answer.is_ok(), answers, "{shown}");
    }
}

#[test]
fn nobody_is_asked_over_a_socket_where_calls_go_over_tls() {
    let world = World::new(&Authority::new());
    let tls = Tls::load(world.named("far"), &["far".to_owned()]).unwrap();
    let urls = ["https://near:1", "unix:///run/near.sock"].map(str::to_owned);
    let refused = Upstream::over_tls("near", &urls, &Policy::default(), &tls).err();
    let why = CallError::failed("nobody shows a certificate on unix:///run/near.sock");
    assert_eq!(refused, Some(why));
}

#[test]
fn a_dns_name_that_is_the_services_whole_name_will_do_and_no_other() {
    let world = World::new(&Authority::new());
    let authority = Authority::new();
    world.replace(&authority, &[]);
    for (name, good) in [("near", true), ("near.example", false), ("*.near", false)] {
        world.write(&authority.leaf_with_dns(&[name]), "dns");
        assert_eq!(Tls::load(world.named("dns"), &["near".to_owned()]).is_ok(), good, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn older_versions_of_tls_are_not_spoken() {
    let world = World::new(&Authority::new());
    let door = Door::open(&world, "near");
    let old = reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .tls_version_max(reqwest::tls::Version::TLS_1_2);
    assert!(old.build().unwrap().get(format!("{}/health/live", door.url)).send().await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_replaced_without_a_restart() {
    let world = World::new(&Authority::new());
    let door = Door::open(&world, "near");
    let (far, tls) = world.client_and_tls(&door, "far", "far");
    let stale = world.client(&door, "far", "far");
    assert_eq!(far.double(&CallContext::root(), 1).await, Ok(2));

    world.replace(&Authority::new(), &["near", "far"]);
    assert!(door.tls.have_files_changed());
    door.tls.reload().unwrap();
    assert!(!door.tls.have_files_changed());
    assert_eq!(far.double(&CallContext::root(), 2).await, Ok(4), "the open connection stays");
    assert_eq!(stale.double(&CallContext::root(), 3).await, nobody(), "a new one is judged by the new CA");

    tls.reload().unwrap();
    tokio::time::sleep(Duration::from_millis(4_500)).await;
    assert_eq!(
        far.double(&CallContext::root(), 4).await,
        Ok(8),
        "on a new one, for idle ones are gone by now"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_no_good_are_refused_by_name_and_change_nothing() {
    let world = World::new(&Authority::new());
    let door = Door::open(&world, "near");
    let good = |name: &str| std::fs::read_to_string(world.path(name)).unwrap();
    let (cert, key, ca) = (good("near.pem"), good("near.key"), good("ca.pem"));
    let other = Authority::new();
    let cases = [
        ("near.pem", "hello".to_owned(), "near.pem holds no certificate in PEM"),
        ("near.pem", good("other.pem"), "near.key: "),
        ("near.key", "hello".to_owned(), "near.key holds no private key in PEM"),
        ("ca.pem", other.pem(), "near.pem: invalid peer certificate"),
    ];
    for (file, content, problem) in cases {
        std::fs::write(world.path(file), content).unwrap();
        let fault = door.tls.reload().unwrap_err().to_string();
        assert!(fault.contains(problem), "{fault}");
        for (file, content) in [("near.pem", &cert), ("near.key", &key), ("ca.pem", &ca)] {
            std::fs::write(world.path(file), content).unwrap();
        }
        let far = world.client(&door, "far", "far");
        assert_eq!(far.double(&CallContext::root(), 1).await, Ok(2), "those before stay");
    }
    std::fs::remove_file(world.path("near.key")).unwrap();
    assert!(door.tls.reload().unwrap_err().to_string().contains("cannot read"));
}

#[test]
fn a_certificate_that_peers_would_refuse_is_refused_at_home() {
    let authority = Authority::new();
    let world = World::new(&authority);
    let fault = |leaf: &(String, String), service: &str| {
        world.write(leaf, "own");
        Tls::load(world.named("own"), &[service.to_owned()]).unwrap_err().to_string()
    };
    assert!(fault(&authority.leaf(&["far"]), "near").contains("does not name near"));
    assert!(fault(&authority.expired_leaf("near"), "near").contains("expired"));
    let for_callers = fault(&authority.leaf_for_callers_only("near"), "near");
    assert!(for_callers.contains("server authentication"), "{for_callers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_is_noticed_over_tls_too() {
    let world = World::new(&Authority::new());
    let door = Door::open(&world, "near");
    let far = world.client(&door, "far", "far");
    let waiting = tokio::spawn(async move { far.wait(&CallContext::root()).await });
    patiently(|| door.waiting() == 1).await;
    waiting.abort();
    patiently(|| door.waiting() == 0).await;
}
