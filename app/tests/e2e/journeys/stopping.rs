//! SIGTERM: nothing new is taken, and what was begun is finished.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::harness::{Bank, Client, Household, Installation, patiently};

type Piece = Result<Bytes, std::io::Error>;

/// An upload whose body is what is sent to the channel, begun.
fn slow_upload(ada: &Household) -> (mpsc::Sender<Piece>, JoinHandle<reqwest::Result<reqwest::Response>>) {
    let (sender, receiver) = mpsc::channel::<Piece>(1);
    let pieces = stream::unfold(receiver, |mut pieces| async { Some((pieces.recv().await?, pieces)) });
    let upload = ada.client.upload_request(reqwest::Body::wrap_stream(pieces), "");
    (sender, tokio::spawn(upload.send()))
}

/// Long enough for a request to be somewhere inside.
const INSIDE: Duration = Duration::from_millis(300);

pub async fn a_stopping_server_finishes_the_request_in_flight_and_exits_0(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let file = Bytes::from(Bank::account("1001").cents(30).write());
    let (first, rest) = (file.slice(..100), file.slice(100..));
    let (sender, answer) = slow_upload(&ada);
    sender.send(Ok(first)).await.unwrap();
    sleep(INSIDE).await;

    for process in at.processes() {
        process.terminate();
    }
    let public = at.client();
    patiently("nothing new is taken", async || public.try_get("/health/live").await.is_none().then_some(()))
        .await;
    sender.send(Ok(rest)).await.unwrap();
    drop(sender);
    let answer = answer.await.unwrap().expect("the request in flight is answered");
    assert_eq!(answer.status(), 202);
    let import: serde_json::Value = answer.json().await.unwrap();
    for process in at.processes() {
        process.until_stopped().await;
    }

    // What was promised is kept by those who come after.
    for process in at.processes() {
        process.start().await;
    }
    for process in at.processes() {
        process.until_ready().await;
    }
    let import = ada.rested(import["id"].as_str().unwrap()).await;
    assert_eq!(import["report"]["outcomes"]["created"], 30, "{import}");
}

pub async fn a_second_signal_ends_a_server_at_once_and_says_that_it_did(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let (sender, answer) = slow_upload(&ada);
    sender.send(Ok(Bytes::from_static(b"OFXHEADER:100\n"))).await.unwrap();
    sleep(INSIDE).await;
    let gateway = at.process("gateway");
    gateway.terminate();
    sleep(INSIDE).await;
    gateway.terminate();
    assert_eq!(gateway.exit_code().await, Some(1));
    assert!(gateway.has_logged("Ended at once after a second signal (SIGTERM)"));
    assert!(answer.await.unwrap().is_err(), "the request in flight was cut");
    gateway.restart().await;
    assert_eq!(ada.client.get("/api/v1/imports").await.expect(200)["data"], json!([]));
}

pub async fn processes_say_whether_they_are_of_use_and_what_is_missing(at: &mut Installation) {
    let all_well = json!({ "status": "ok", "missing": [], "degraded": [] });
    for process in at.processes() {
        let inside = Client::new(process.private());
        for probe in ["live", "startup"] {
            assert_eq!(inside.get(&format!("/health/{probe}")).await.expect(200)["status"], "ok");
        }
        assert_eq!(inside.get("/health/ready").await.expect(200), all_well);
    }
    let public = at.client().get("/health/ready").await.expect(200);
    assert_eq!(public, json!({ "status": "ok" }), "outside hears whether, and not why");
    if !at.is_apart("connections") {
        return;
    }
    at.process("connections").kill();
    let gateway = Client::new(at.process("gateway").private());
    let degraded = async || gateway.get("/health/ready").await.expect(200)["degraded"].clone();
    // One lost part must not take the others out of a load balancer: it is told, and the answer stays 200.
    patiently("the loss is told", async || (degraded().await == json!(["connections"])).then_some(())).await;
    at.process("connections").restart().await;
    patiently("the return is told", async || (degraded().await == json!([])).then_some(())).await;
}
