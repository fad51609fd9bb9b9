//! What only a wire can get wrong: repeats, tokens, addresses, sizes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use service_registry::{CallContext, CallError, Caller, Proof, ServiceClient};
use service_registry_http::{BODY_LIMIT_BYTES, HttpTransport, KeyPair, ServiceSigner};
use uuid::Uuid;

use crate::bindings::{Fault, Http, Server, http, user};
use crate::probe::{Probe, ProbeError};

#[tokio::test]
async fn an_idempotent_call_whose_answer_was_lost_is_repeated() {
    let world = http(Fault::FirstAnswerLost);
    let balance = world.client.deposit(&CallContext::root(), Uuid::from_u128(1), 250).await;
    assert_eq!((balance, world.probe.executions()), (Ok(250), 2));
}

#[tokio::test]
async fn a_call_that_acts_once_is_not_repeated_after_its_answer_was_lost() {
    let world = http(Fault::EveryAnswerLost);
    let lost = world.client.increment(&CallContext::root()).await;
    assert!(matches!(lost, Err(ProbeError::Call(CallError::Unavailable { .. }))), "{lost:?}");
    assert_eq!(world.probe.executions(), 1);
}

#[tokio::test]
async fn a_call_is_repeated_twice_and_no_more() {
    let world = http(Fault::EveryAnswerLost);
    let lost = world.client.nothing(&CallContext::root()).await;
    assert!(matches!(lost, Err(ProbeError::Call(CallError::Unavailable { .. }))), "{lost:?}");
    assert_eq!(world.probe.executions(), 3);
}

#[tokio::test]
async fn nobody_repeats_below_a_repeat() {
    let world = http(Fault::EveryAnswerLost);
    let repeated = CallContext::root().with_position(Uuid::from_u128(1), 1, 1);
    assert!(world.client.nothing(&repeated).await.is_err());
    assert_eq!(world.probe.executions(), 1);
}

#[tokio::test]
async fn a_repeat_carries_the_same_call_id() {
    let world = http(Fault::FirstAnswerLost);
    for id in [1, 2] {
        world.client.deposit(&CallContext::root(), Uuid::from_u128(id), 250).await.unwrap();
    }
    let ids = world.probe.deposits.lock().unwrap().clone();
    assert_eq!(ids.len(), 4);
    assert!(ids[0] == ids[1] && ids[2] == ids[3] && ids[0] != ids[2], "{ids:?}");
}

#[tokio::test]
async fn a_service_that_is_not_there_is_unavailable_at_once() {
    let signer = Arc::new(ServiceSigner::new("tester", &KeyPair::generate().unwrap()));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let transport = HttpTransport::new("probe", &format!("http://{closed}"), signer).unwrap();
    let client: ServiceClient<dyn Probe> = ServiceClient::remote(Arc::new(transport));
    let started = Instant::now();
    let absent = client.increment(&CallContext::root()).await;
    assert_eq!(absent, Err(ProbeError::Call(CallError::unavailable("probe"))));
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_user_token_that_does_not_verify_again_is_refused() {
    let world = http(Fault::None);
    let forged = Caller { proof: Proof::UserToken("forged-token".into()), ..user() };
    let refused = world.client.nothing(&CallContext::root().with_caller(forged)).await;
    assert_eq!(refused, Err(ProbeError::Call(CallError::refused("bad user token"))));
    assert_eq!(world.probe.executions(), 0);
}

#[tokio::test]
async fn regression_a_service_that_may_call_but_not_vouch_for_users_is_refused() {
    let world = http(Fault::None);
    let server = &world.server;
    let signer = Arc::new(ServiceSigner::new("colleague", &server.tester));
    let transport = HttpTransport::new("probe", &server.url, signer).unwrap();
    let client: ServiceClient<dyn Probe> = ServiceClient::remote(Arc::new(transport));
    assert_eq!(client.nothing(&CallContext::root()).await, Ok(()));
    let delegated = Caller { proof: Proof::Delegated, ..user() };
    let refused = client.nothing(&CallContext::root().with_caller(delegated)).await;
    assert!(matches!(refused, Err(ProbeError::Call(CallError::Refused { .. }))), "{refused:?}");
    assert_eq!(world.probe.executions(), 1);
}

#[tokio::test]
async fn a_service_that_may_not_call_is_refused() {
    let world = http(Fault::None);
    let server = &world.server;
    let signer = Arc::new(ServiceSigner::new("stranger", &server.tester));
    let transport = HttpTransport::new("probe", &server.url, signer).unwrap();
    let stranger: ServiceClient<dyn Probe> = ServiceClient::remote(Arc::new(transport));
    let refused = stranger.nothing(&CallContext::root()).await;
    assert!(matches!(refused, Err(ProbeError::Call(CallError::Refused { .. }))), "{refused:?}");
    assert_eq!(world.probe.executions(), 0);
}

#[tokio::test]
async fn only_a_service_token_for_this_target_opens_the_door() {
    let world = http(Fault::None);
    let server = &world.server;
    let signer = ServiceSigner::new("tester", &server.tester);
    let user_token = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.AAAA";
    let refused =
        [None, Some(user_token.to_owned()), Some("good-token".to_owned()), bearer(&signer, "ledger")];
    for token in refused {
        let (status, error) = post(server, "probe/v3/nothing", token.as_deref(), "[]").await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{token:?}");
        assert!(matches!(error, Some(CallError::Refused { .. })), "{error:?}");
    }
    assert_eq!(world.probe.executions(), 0);
    assert_eq!(
        post(server, "probe/v3/nothing", bearer(&signer, "probe").as_deref(), "[]").await.0,
        StatusCode::OK
    );
}

#[tokio::test]
async fn what_is_not_here_is_named() {
    let world = http(Fault::None);
    let server = &world.server;
    let token = bearer(&ServiceSigner::new("tester", &server.tester), "probe");
    for address in ["probe/v2/nothing", "probe/v3/vanish"] {
        let (status, error) = post(server, address, token.as_deref(), "[]").await;
        assert_eq!(status, StatusCode::NOT_FOUND, "{address}");
        assert!(matches!(error, Some(CallError::Protocol { .. })), "{error:?}");
    }
}

#[tokio::test]
async fn arguments_that_cannot_be_read_are_refused_without_showing_them() {
    let world = http(Fault::None);
    let server = &world.server;
    let token = bearer(&ServiceSigner::new("tester", &server.tester), "probe");
    for body in ["", "[", "{}", "[\"secret\"]", "[1, 2, 3]", "[-1]"] {
        let (status, error) = post(server, "probe/v3/sleep", token.as_deref(), body).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{body}");
        let Some(CallError::Protocol { message }) = error else { panic!("{body}: {error:?}") };
        assert!(!message.contains("secret"), "{message}");
    }
    assert_eq!(world.probe.executions(), 0);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused() {
    let world = http(Fault::None);
    let server = &world.server;
    let token = bearer(&ServiceSigner::new("tester", &server.tester), "probe");
    let large = " ".repeat(BODY_LIMIT_BYTES + 1);
    let (status, error) = post(server, "probe/v3/nothing", token.as_deref(), &large).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(matches!(error, Some(CallError::Protocol { .. })), "{error:?}");
}

#[tokio::test]
async fn a_late_request_does_no_work() {
    let world = http(Fault::None);
    let server = &world.server;
    let token = bearer(&ServiceSigner::new("tester", &server.tester), "probe").unwrap();
    for late in ["0", "-5"] {
        let request = reqwest::Client::new().post(format!("{}/rpc/probe/v3/nothing", server.url));
        let request = request.bearer_auth(&token).header("x-request-deadline-ms", late).body("[]");
        assert_eq!(request.send().await.unwrap().status(), StatusCode::GATEWAY_TIMEOUT);
    }
    assert_eq!(world.probe.executions(), 0);
}

#[tokio::test]
async fn a_client_can_be_moved_while_it_is_held() {
    let Http { client, probe, server } = http(Fault::None);
    let held = client.clone();
    assert_eq!((held.increment(&CallContext::root()).await, held.binding_kind()), (Ok(1), "remote"));
    client.bind_local(probe);
    assert_eq!((held.increment(&CallContext::root()).await, held.binding_kind()), (Ok(2), "local"));
    client.unbind();
    let absent = Err(ProbeError::Call(CallError::unavailable("probe")));
    assert_eq!((held.increment(&CallContext::root()).await, held.binding_kind()), (absent, "unbound"));
    drop(server);
}

fn bearer(signer: &ServiceSigner, target: &str) -> Option<String> {
    Some(signer.token(target).unwrap().to_string())
}

/// A call without our client: its status, and the error in its body if there is one.
async fn post(
    server: &Server,
    address: &str,
    token: Option<&str>,
    body: &str,
) -> (StatusCode, Option<CallError>) {
    let mut request =
        reqwest::Client::new().post(format!("{}/rpc/{address}", server.url)).body(body.to_owned());
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await.unwrap();
    (response.status(), response.json().await.ok())
}
