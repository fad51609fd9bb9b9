//! Which service may call what, and what becomes of those who may not.

use std::collections::BTreeMap;

use service_registry::CallError;
use tributary::modules;

use crate::server::{is, problem, server};

/// The table of who may call what, as docs/trust.md prints it.
fn table() -> String {
    let mut rows: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for (caller, service, method) in modules::permissions().iter() {
        rows.entry((caller, service)).or_default().push(format!("`{method}`"));
    }
    let row = |((caller, service), methods): (&(&str, &str), &Vec<String>)| {
        format!("| {caller} | {service} | {} |\n", methods.join(", "))
    };
    let head = "| who calls | whom | which methods |\n|---|---|---|\n".to_owned();
    head + &rows.iter().map(row).collect::<String>()
}

#[test]
fn the_manual_prints_the_table_as_it_is() {
    let manual = include_str!("../../../docs/trust.md");
    assert!(manual.contains(&table()), "docs/trust.md should hold\n{}", table());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_makes_only_the_calls_that_it_has_listed() {
    let server = server(&[]).await;
    assert_eq!(server.call("connections", "identity", "jwks").await.0, 200);
    for (caller, target, method) in [
        ("connections", "ledger", "list_accounts"),
        ("connections", "identity", "me"),
        ("gateway", "ledger", "ingest"),
        ("ledger", "identity", "register"),
    ] {
        let reason = format!("a method that this service may not call (call to {target})");
        let refused = (403, Some(CallError::refused(reason)));
        assert_eq!(server.call(caller, target, method).await, refused, "{caller} → {target}.{method}");
    }
    let metrics = server.get_private("/metrics").send().await.unwrap().text().await.unwrap();
    let counted = r#"rpc_refusals_total{service="ledger",caller="connections",reason="method"}"#;
    assert!(metrics.contains(counted), "{metrics}");
}

/// Whoever has no name is held to no table.
#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_made_by_a_nameless_caller() {
    let server = server(&[]).await;
    let token = server.log_in().await;
    assert_eq!(server.get("/api/v1/accounts").bearer_auth(token).send().await.unwrap().status(), 200);
    let metrics = server.get_private("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains(r#"service_calls_total{caller="ledger""#), "{metrics}");
    assert!(!metrics.contains(r#"caller="unnamed""#), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_comes_before_the_body_is_read() {
    let server = server(&[]).await;
    let url = server.private_url("/rpc/ledger/v1/list_accounts");
    let never = futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>();
    let call = reqwest::Client::new().post(url).bearer_auth(server.service_token("connections", "ledger"));
    let answer = call.body(reqwest::Body::wrap_stream(never)).send().await.unwrap();
    assert_eq!(answer.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_gateway_passes_public_requests_on() {
    let server = server(&[]).await;
    let status = async |service: &str| {
        let asked = server.get_private("/api/v1/accounts");
        asked.bearer_auth(server.service_token(service, "ledger")).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status("connections").await, 403);
    // A gateway gets as far as the user, of whom there is none.
    assert_eq!(status("gateway").await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_public_listener_refuses_services() {
    let server = server(&[]).await;
    for (service, target) in [("gateway", "ledger"), ("connections", "identity")] {
        let token = server.service_token(service, target);
        let asked = server.get("/api/v1/accounts").bearer_auth(token).send().await.unwrap();
        assert_eq!(problem(asked).await.0, 401);
    }
    let beside = server.get("/api/v1/accounts").header("tributary-user-token", server.log_in().await);
    assert_eq!(problem(beside.send().await.unwrap()).await, is(401, "unauthenticated"));
    let call = server.post("/rpc/identity/v1/jwks").bearer_auth(server.service_token("ledger", "identity"));
    assert!([401, 404].contains(&problem(call.body("[]").send().await.unwrap()).await.0));
}
