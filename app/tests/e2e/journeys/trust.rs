//! Services trust each other by keys and a table; what they refuse can be read in the log.

use std::fs;

use serde_json::json;
use service_registry_http::ServiceSigner;
use uuid::Uuid;

use crate::harness::{Client, Household, Installation};

pub async fn a_refusal_is_logged_with_who_asked_for_what(at: &mut Installation) {
    at.expect_refusals();
    let ada = Household::new(at, "ada").await;
    let (token, users) = (token(at, "connections", "ledger"), ada.client.token.clone().unwrap());
    let ledger = at.process("ledger");
    let inside = Client::new(ledger.private());
    for (bearer, caller, reason) in
        [(token.clone(), "connections", "method"), (users, "unknown", "not_a_service_token")]
    {
        let id = Uuid::now_v7().to_string();
        let client = inside.with_token(bearer);
        let call = client.request(reqwest::Method::POST, "/rpc/ledger/v1/list_accounts");
        client.send(call.header("x-request-id", &id).json(&json!([]))).await.expect(403);
        let told = format!(
            r#"service="ledger" method="list_accounts" caller="{caller}" reason="{reason}" request_id="{id}""#
        );
        assert!(ledger.has_logged(&told), "{told}");
        let counted =
            format!(r#"rpc_refusals_total{{service="ledger",caller="{caller}",reason="{reason}"}} 1"#);
        assert!(inside.get("/metrics").await.text.contains(&counted), "{counted}");
    }

    let outside = at.client().with_token(token);
    outside.get("/api/v1/accounts").await.problem(401, "token_invalid");
    let told = r#"method="/api/v1/accounts" caller="connections" reason="public_listener""#;
    assert!(at.process("gateway").has_logged(told));
}

/// What `service` shows to `target`.
fn token(at: &Installation, service: &str, target: &str) -> String {
    let key = fs::read_to_string(at.data_file(&format!("keys/{service}.key"))).unwrap();
    ServiceSigner::from_pem(service, &key).unwrap().token(target).unwrap().to_string()
}
