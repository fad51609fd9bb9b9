//! Services trust each other by keys, a table and certificates; what they refuse can be read in the log.

use std::fs;

use serde_json::json;
use service_registry_http::ServiceSigner;
use uuid::Uuid;

use crate::harness::{Authority, Bank, Client, Household, Installation, Process, patiently};

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

pub async fn who_shows_no_certificate_or_anothers_is_refused_by_name(at: &mut Installation) {
    let token = token(at, "connections", "identity");
    let theirs = ["connections", "ledger"].map(|service| at.process(service).certificates().shown());
    let identity = at.process("identity");
    let [own, anothers] = theirs.map(|shown| Client::showing(&shown, identity.private()).with_token(&*token));
    let none = Client::like_an_orchestrator(identity.private()).with_token(token);
    let jwks = "/rpc/identity/v1/jwks";

    own.post(jwks, &json!([])).await.expect(200);
    assert!(own.get("/metrics").await.text.contains("# TYPE"));
    anothers.post(jwks, &json!([])).await.expect(403);
    assert!(identity.has_logged("Refused connections a call to identity: a certificate of another service"));
    assert!(
        identity.has_logged(r#"reason="other_certificate""#) && identity.has_logged("certificate=ledger")
    );
    for path in [jwks, "/metrics", "/api/v1/users/me"] {
        none.get(path).await.expect(403);
        assert!(identity.has_logged(&format!(r#"method="{path}" caller="unknown" reason="no_certificate""#)));
    }
    none.get("/health/live").await.expect(200);
}

/// The way to another CA without a moment in which two processes do not know each other.
pub async fn certificates_are_replaced_while_everything_runs(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let mut imported = 0;
    let mut works = async |at: &Installation| {
        imported += 1;
        let file = Bank::account(&format!("100{imported}")).cents(3).write();
        assert_eq!(ada.import(file, "").await["report"]["outcomes"]["created"], 3);
        assert_eq!(at.client().try_get("/health/ready").await.unwrap().status, 200);
    };
    works(at).await;

    let (before, after) = (at.authority(), Authority::new("after"));
    let each = |at: &mut Installation, change: &dyn Fn(&Process)| at.processes().iter().for_each(change);
    each(at, &|process| process.certificates().believe(&[before.as_ref(), &after]));
    reload(at).await;
    works(at).await;
    each(at, &|process| process.certificates().issue(&after));
    reload(at).await;
    works(at).await;

    // The last step is noticed by itself.
    let seen = at.processes().iter().map(taken).collect::<Vec<_>>();
    each(at, &|process| process.certificates().believe(&[&after]));
    for (process, seen) in at.processes().iter().zip(seen) {
        patiently("changed files are read", async || (taken(process) > seen).then_some(())).await;
    }
    works(at).await;
    // A process that begins anew has no connection from before.
    at.process("ledger").terminate();
    at.process("ledger").until_stopped().await;
    at.process("ledger").restart().await;
    for process in at.processes() {
        process.until_ready().await;
    }
    works(at).await;

    let ledger = at.process("ledger");
    ledger.certificates().issue(&before);
    ledger.hang_up();
    patiently("bad files are refused", async || {
        ledger.has_logged("Refused the certificates as they are now; those before stay").then_some(())
    })
    .await;
    works(at).await;
}

/// Has every process read its files again.
async fn reload(at: &mut Installation) {
    for process in at.processes() {
        let before = taken(process);
        process.hang_up();
        patiently("new certificates are taken", async || (taken(process) > before).then_some(())).await;
    }
}

fn taken(process: &Process) -> usize {
    process.times_logged("Took the certificates as they are now")
}
