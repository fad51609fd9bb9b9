//! Requests that are not as they should be: a problem document each, and nothing changes.

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::{Client, Household, Installation};

const ACCOUNTS: &str = "/api/v1/accounts";

pub async fn bodies_that_are_not_acceptable_are_refused_and_change_nothing(at: &mut Installation) {
    let ada = Household::new(at, "ada").await.client;
    let send = async |content_type: &str, body: Vec<u8>| {
        ada.send(ada.request(Method::POST, ACCOUNTS).header("content-type", content_type).body(body)).await
    };
    send("application/json", b"{\"name\": ".to_vec()).await.problem(400, "malformed_json");
    send("application/json", Vec::new()).await.problem(400, "malformed_json");
    send("text/plain", b"{}".to_vec()).await.problem(415, "unsupported_media_type");
    send("application/json", vec![b' '; 300 * 1024]).await.problem(413, "body_too_large");
    let account = json!({ "name": "Giro", "kind": "checking", "currency": "EUR" });
    let zipped = ada.request(Method::POST, ACCOUNTS).header("content-encoding", "gzip").json(&account);
    ada.send(zipped).await.problem(415, "unsupported_media_type");

    let with = |key: &str, value: serde_json::Value| {
        let mut body = account.clone();
        body[key] = value;
        body
    };
    let faults = [
        (with("colour", json!("red")), "/colour"),
        (with("currency", json!("XXQ")), "/currency"),
        (with("currency", json!(7)), "/currency"),
        (with("kind", json!("piggy_bank")), "/kind"),
        (with("name", json!("")), "/name"),
        (with("opening", json!("1.234")), "/opening"),
    ];
    for (body, pointer) in faults {
        let problem = ada.post(ACCOUNTS, &body).await.problem(422, "validation_failed");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    }
    assert_eq!(ada.get(ACCOUNTS).await.expect(200)["data"], json!([]));
}

pub async fn queries_and_headers_that_are_not_acceptable_are_refused(at: &mut Installation) {
    let ada = Household::new(at, "ada").await.client;
    for query in ["limit=0", "limit=201", "limit=ten", "cursor=nonsense", "colour=red", "with_total=perhaps"]
    {
        ada.get(&format!("{ACCOUNTS}?{query}")).await.problem(422, "validation_failed");
    }
    ada.get("/api/v1/transactions?from=yesterday").await.problem(422, "validation_failed");
    let key = ada.post_once(ACCOUNTS, "too short", &json!({})).await;
    key.problem(400, "idempotency_key_invalid");
    let late = ada.request(Method::GET, ACCOUNTS).header("x-request-deadline-ms", "0");
    ada.send(late).await.problem(504, "deadline_exceeded");
    let form = ada.request(Method::POST, "/api/v1/imports").header("content-type", "multipart/form-data");
    ada.send(form.body("x")).await.problem(415, "unsupported_media_type");
}

pub async fn what_is_not_there_is_404_and_what_cannot_be_done_405_with_what_can(at: &mut Installation) {
    let ada = Household::new(at, "ada").await.client;
    let unknown = ["/", "/api/v1/nothing", "/api/v2/accounts", "/api/v1/accounts/", "/.env"];
    for path in unknown {
        ada.get(path).await.problem(404, "not_found");
        at.client().get(path).await.problem(404, "not_found");
    }
    let ids = [
        "accounts/7",
        "imports/x",
        "transactions/7",
        "sessions/7",
        "spaces/7/members",
        "accounts/7/transactions",
    ];
    for path in ids {
        ada.get(&format!("/api/v1/{path}")).await.problem(404, "not_found");
    }
    let refused = ada.delete(ACCOUNTS).await;
    refused.problem(405, "method_not_allowed");
    assert_eq!(refused.header("allow"), "GET, HEAD, POST");
    let refused = at.client().patch("/api/v1/imports", &json!({})).await;
    refused.problem(405, "method_not_allowed");
    assert_eq!(refused.header("allow"), "GET, HEAD, POST");

    let head = ada.send(ada.request(Method::HEAD, ACCOUNTS)).await;
    assert_eq!((head.status, head.text.as_str(), head.header("content-type")), (200, "", "application/json"));
}

/// One byte more than an upload may have.
const TOO_MUCH: u64 = 100 * 1024 * 1024 + 1;

pub async fn an_upload_that_says_it_is_too_large_is_refused_before_it_is_sent(at: &mut Installation) {
    let ada = Household::new(at, "ada").await.client;
    let mut line = TcpStream::connect(at.public()).await.unwrap();
    let token = ada.token.as_deref().unwrap();
    let head = format!(
        "POST /api/v1/imports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/octet-stream\r\nContent-Length: {TOO_MUCH}\r\n\r\n"
    );
    line.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    // To the end: the connection is closed, since the body will never be read.
    line.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 413 ") && answer.contains("\"code\":\"body_too_large\""),
        "{answer}"
    );
}

pub async fn an_upload_that_turns_out_too_large_is_refused_and_leaves_nothing(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let piece = bytes::Bytes::from("2026-01-01;Shop;-1,00;a line of a very long table\n".repeat(20_000));
    let pieces = 101 * 1024 * 1024 / piece.len() + 1;
    // Streamed, so that nobody is told the size beforehand.
    let body = futures_util::stream::iter((0..pieces).map(move |_| Ok::<_, std::io::Error>(piece.clone())));
    let refused = ada.client.upload(reqwest::Body::wrap_stream(body), "").await;
    refused.problem(413, "body_too_large");
    assert_eq!(ada.client.get("/api/v1/imports").await.expect(200)["data"], json!([]));
    let peak_kib = at.process("connections").peak_memory_kib();
    assert!(peak_kib.is_none_or(|kib| kib < 200 * 1024), "{peak_kib:?} KiB for a streamed file");
}

pub async fn the_private_listener_does_nothing_for_users(at: &mut Installation) {
    let ada = Household::new(at, "ada").await.client;
    let token = ada.token.clone().unwrap();
    let addresses: Vec<_> = at.processes().iter().map(|process| process.private()).collect();
    for address in addresses {
        let inside = Client::new(address);
        inside.get("/health/live").await.expect(200);
        assert!(inside.get("/metrics").await.text.contains("# TYPE"));
        for client in [inside.clone(), inside.with_token(token.as_str())] {
            for path in [ACCOUNTS, "/api/v1/imports", "/api/v1/users/me"] {
                let answer = client.get(path).await;
                assert!([401, 403, 404].contains(&answer.status), "{path}: {}", answer.text);
            }
            for method in ["ledger/v1/list_accounts", "identity/v1/me", "connections/v1/list_imports"] {
                let answer = client.post(&format!("/rpc/{method}"), &json!([])).await;
                assert!(
                    [401, 403, 404].contains(&answer.status),
                    "{method}: {} {}",
                    answer.status,
                    answer.text
                );
            }
        }
    }
}
