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
    let services = told["processes"][0]["services"].as_array().unwrap();
    let left =
        &services.iter().find(|service| service["name"] == "connections").unwrap()["retry_budget_left"];
    let table = String::from_utf8(topology(&server, &["--at", &at]).stdout).unwrap();
    assert!(table.contains("connections.request") && table.contains("1 server_error"), "{table}");
    assert!(left.is_u64() && table.contains(&format!("repeats left: {left}")), "{left}\n{table}");
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

fn advise(server: &Server, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tributary"))
        .env_clear()
        .args(["placement", "advise", "--at", &server.private_url(""), "--data-dir"])
        .arg(server.data_file(""))
        .args(args)
        .output()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn advice_counts_what_would_cross_between_processes_for_each_request() {
    let server = server(&[]).await;
    let early = advise(&server, &[]);
    let said = String::from_utf8_lossy(&early.stderr).into_owned();
    assert!(early.status.code() == Some(1) && said.contains("no public request yet"), "{said}");

    let token = server.log_in().await;
    for _ in 0..4 {
        server.get("/api/v1/accounts").bearer_auth(&token).send().await.unwrap();
    }
    let output = advise(&server, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    // Somebody registered, logged in, and asked for accounts four times.
    assert_eq!(told["requests"], 6);
    let services = told["services"].as_array().unwrap();
    let names: Vec<_> = services.iter().map(|moved| moved["service"].as_str().unwrap()).collect();
    assert_eq!(names, ["identity", "ledger"], "connections runs elsewhere already");
    let ledger = &services[1];
    assert!((ledger["passed_on_per_request"].as_f64().unwrap() - 4.0 / 6.0).abs() < 1e-9, "{ledger}");
    let number = |value: &Value| value.as_f64().unwrap();
    let hops = number(&ledger["calls_per_request"]) + number(&ledger["passed_on_per_request"]);
    let expected = hops * number(&told["hop"]["p50_us"]);
    assert!((number(&ledger["added_p50_us"]) - expected).abs() < 1e-6 && expected > 0.0, "{told}");
    let table = String::from_utf8(advise(&server, &[]).stdout).unwrap();
    assert!(table.contains("moved out") && table.contains("6 public requests"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_behind_a_simulated_network_answers_the_same_but_later_and_is_reckoned_with() {
    let simulated = [("services.ledger.simulate_latency_ms", "40.0")];
    let server = server(&simulated).await;
    let token = server.log_in().await;
    let started = std::time::Instant::now();
    let answer = server.get("/api/v1/accounts").bearer_auth(&token).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), started.elapsed().as_millis() >= 40), (200, true));
    let at = server.private_url("");
    let told: Value = serde_json::from_slice(&topology(&server, &["--json", "--at", &at]).stdout).unwrap();
    let edges = told["processes"][0]["edges"].as_array().unwrap();
    let call = edges.iter().find(|edge| edge["service"] == "ledger" && edge["method"] != "request").unwrap();
    assert_eq!(call["binding"], "remote");
    assert!(call["answer_bytes"].as_u64().unwrap() > 0, "{call}");
    let advice: Value = serde_json::from_slice(&advise(&server, &["--json"]).stdout).unwrap();
    assert!(advice["services"][1]["bytes_per_call"].as_f64().unwrap() > 0.0, "{advice}");
}

#[test]
fn a_network_that_cannot_be_simulated_is_wrong_usage() {
    for (network, said) in [
        ("remote=ledger,latency=2", "such as 2ms"),
        ("latency=2ms", "remote=SERVICE is missing"),
        ("remote=ledger,jitter=2ms", "none of remote, latency and loss"),
        ("remote=ledgre,latency=2ms", "services.ledgre"),
        ("remote=ledger,loss=101%", "must be 0 to 100"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_tributary"))
            .env_clear()
            .args(["serve", "--simulate", network])
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && stderr.contains(said), "{network}: {stderr}");
    }
}
