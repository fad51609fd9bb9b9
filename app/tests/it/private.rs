//! What the private listener lets in.

use serde_json::Value;

use crate::server::{is, problem, server};

#[tokio::test(flavor = "multi_thread")]
async fn the_private_listener_refuses_users() {
    let server = server(&[]).await;
    let token = server.log_in().await;
    let with = server.get_private("/api/v1/accounts").bearer_auth(&token).send().await.unwrap();
    assert_eq!(problem(with).await, is(403, "forbidden"));
    let pretending = server.get_private("/api/v1/accounts").header("tributary-user-token", &token);
    assert_eq!(problem(pretending.send().await.unwrap()).await, is(403, "forbidden"));
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_without_a_service_token_are_refused() {
    let server = server(&[]).await;
    let call = reqwest::Client::new().post(server.private_url("/rpc/identity/v1/jwks")).body("[]");
    assert_eq!(call.send().await.unwrap().status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn regression_the_error_of_a_call_arrives_as_itself_and_not_as_a_problem_document() {
    let server = server(&[]).await;
    let call = reqwest::Client::new().post(server.private_url("/rpc/identity/v1/jwks")).body("[]");
    let error: service_registry::CallError = call.send().await.unwrap().json().await.unwrap();
    assert_eq!(error.kind(), "refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn readiness_tells_the_inside_what_it_hides_from_the_outside() {
    let server = server(&[]).await;
    let inside: Value = server.get_private("/health/ready").send().await.unwrap().json().await.unwrap();
    assert_eq!(inside["degraded"], serde_json::json!(["connections"]));
    let outside: Value = server.get("/health/ready").send().await.unwrap().json().await.unwrap();
    assert_eq!(outside, serde_json::json!({ "status": "ok" }));
    assert_eq!(problem(server.get("/metrics").send().await.unwrap()).await, is(404, "not_found"));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_requests_by_route_and_never_by_path() {
    let server = server(&[]).await;
    server.get("/api/v1/accounts/0190163d-8694-739b-aea5-966c26f8ad91").send().await.unwrap();
    let metrics = server.get_private("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(
        metrics.contains(r#"http_requests_total{method="GET",route="/api/v1/accounts/{id}",status="401"}"#)
    );
    assert!(metrics.contains("process_resident_memory_bytes"));
    assert!(!metrics.contains("0190163d"));
}

#[tokio::test(flavor = "multi_thread")]
async fn regression_methods_that_a_client_makes_up_are_measured_as_one() {
    let server = server(&[]).await;
    for method in ["BREW", "Get", "X1", "X2"] {
        server.request(method, "/api/v1/accounts").send().await.unwrap();
    }
    let metrics = server.get_private("/metrics").send().await.unwrap().text().await.unwrap();
    assert!(
        metrics.contains(r#"http_requests_total{method="other",route="/api/v1/accounts",status="405"} "#)
    );
    for made_up in [r#"method="BREW""#, r#"method="Get""#, r#"method="X1""#] {
        assert!(!metrics.contains(made_up), "{made_up}");
    }
}
