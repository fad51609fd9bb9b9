//! What a process tells of who calls whom, and to whom it tells it.

use std::process::{Command, Output};

use serde_json::Value;
use service_registry_http::ServiceSigner;

use crate::server::{Server, server};

fn topology(server: &Server, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tributary"))
        .env_clear()
        .args(["topology", "--data-dir"])
        .arg(server.data_file(""))
        .args(args)
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_operator_is_told() {
    let server = server(&[]).await;
    let user = server.log_in().await;
    let ask = async |token: Option<String>| {
        let request = server.get_private("/topology");
        let request = if let Some(token) = token { request.bearer_auth(token) } else { request };
        request.send().await.unwrap()
    };
    assert_eq!(ask(None).await.status(), 403);
    assert_eq!(ask(Some(user)).await.status(), 403);
    let pem = |name: &str| std::fs::read_to_string(server.data_file(&format!("keys/{name}.key"))).unwrap();
    let token =
        |name| ServiceSigner::from_pem(name, &pem(name)).unwrap().token("placement").unwrap().to_string();
    assert_eq!(ask(Some(token("gateway"))).await.status(), 403);
    let told: Value = ask(Some(token("operator"))).await.json().await.unwrap();
    assert_eq!(told["modules"], serde_json::json!(["gateway", "identity", "ledger"]));
    assert_eq!(told["services"].as_array().unwrap().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_to_nobody_is_seen_as_an_error_of_its_edge() {
    let server = server(&[]).await;
    let token = server.log_in().await;
    server.get("/api/v1/imports").bearer_auth(token).send().await.unwrap();
    let at = server.private_url("");
    let output = topology(&server, &["--json", "--at", &at]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let edges = told["processes"][0]["edges"].as_array().unwrap();
    let edge = |service: &str| {
        let mut found = edges.iter().filter(|edge| edge["service"] == service && edge["method"] == "request");
        found.next().unwrap_or_else(|| panic!("{edges:#?}"))
    };
    assert_eq!(edge("connections")["binding"], "remote");
    assert_eq!(edge("connections")["errors"]["server_error"], 1);
    assert_eq!((&edge("identity")["binding"], &edge("identity")["calls"]), (&"local".into(), &2.into()));
    let table = String::from_utf8(topology(&server, &["--at", &at]).stdout).unwrap();
    assert!(table.contains("connections.request") && table.contains("1 server_error"), "{table}");
    let chart = String::from_utf8(topology(&server, &["--mermaid", "--at", &at]).stdout).unwrap();
    assert!(chart.contains("==>|\"1 calls") && chart.contains("elsewhere_connections([\""), "{chart}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_does_not_answer_is_named_and_exits_with_1() {
    let server = server(&[]).await;
    let output = topology(&server, &["--at", "http://127.0.0.1:9"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("no answer from http://127.0.0.1:9"), "{said}");
}
