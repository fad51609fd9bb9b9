//! Who is let in, with what, and until when.

use std::time::{Duration, Instant};

use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::time::sleep;

use crate::harness::{Household, Installation, PASSWORD};

/// A route of each module, so that each process that checks tokens is asked.
const ROUTES: [&str; 3] = ["/api/v1/users/me", "/api/v1/accounts", "/api/v1/imports"];

pub async fn passwords_and_addresses_are_checked(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let client = at.client();
    let log_in = async |email: &str, password: &str| {
        client.post("/api/v1/sessions", &json!({ "email": email, "password": password })).await
    };
    let wrong = log_in(&ada.email, "correct-horse-battery-stable").await.problem(401, "invalid_credentials");
    let unknown = log_in("bob@example.org", PASSWORD).await.problem(401, "invalid_credentials");
    assert_eq!(wrong["detail"], unknown["detail"], "which of the two was wrong is not said");
    let register = async |email: &str, password: &str| {
        client.post("/api/v1/users", &json!({ "email": email, "password": password })).await
    };
    register("ADA@example.org", PASSWORD).await.problem(409, "email_taken");
    register("bob@example.org", "short").await.problem(422, "validation_failed");
    register("no address", PASSWORD).await.problem(422, "validation_failed");
}

/// Signs `claims` as identity does, with its own key: only what the claims say can be wrong with it.
fn signed(at: &Installation, header: &Value, claims: &Value) -> String {
    let pem = std::fs::read_to_string(at.data_file("keys/identity-signing.key")).unwrap();
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let key = Ed25519KeyPair::from_pkcs8(&STANDARD.decode(base64).unwrap()).unwrap();
    let unsigned = format!("{}.{}", encoded(header), encoded(claims));
    format!("{unsigned}.{}", URL_SAFE_NO_PAD.encode(key.sign(unsigned.as_bytes())))
}

fn encoded(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

fn part(token: &str, number: usize) -> Value {
    let part = URL_SAFE_NO_PAD.decode(token.split('.').nth(number).unwrap()).unwrap();
    serde_json::from_slice(&part).unwrap()
}

pub async fn tokens_that_are_missing_forged_foreign_or_expired_are_refused(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let good = ada.client.token.clone().unwrap();
    let (header, claims) = (part(&good, 0), part(&good, 1));
    let with = |key: &str, value: Value| {
        let mut claims = claims.clone();
        claims[key] = value;
        signed(at, &header, &claims)
    };
    let (signed_part, _) = good.rsplit_once('.').unwrap();
    let with_header = |key: &str, value: &str| {
        let mut header = header.clone();
        header[key] = json!(value);
        signed(at, &header, &claims)
    };
    let unsigned = format!("{}.{}.", encoded(&json!({ "alg": "none", "typ": "at+jwt" })), encoded(&claims));
    let now = claims["iat"].as_i64().unwrap();
    let bad = [
        ("forged", format!("{signed_part}.{}", URL_SAFE_NO_PAD.encode([7; 64])), "token_invalid"),
        ("unsigned", unsigned, "token_invalid"),
        ("not a token", "open-sesame".to_owned(), "token_invalid"),
        ("for another audience", with("aud", json!("somebody-else")), "token_invalid"),
        ("of another issuer", with("iss", json!("https://evil.example")), "token_invalid"),
        ("from tomorrow", with("iat", json!(now + 86_400)), "token_invalid"),
        ("not an access token", with_header("typ", "svc+jwt"), "token_invalid"),
        ("of an unknown key", with_header("kid", "somebody-elses"), "token_invalid"),
        ("expired", with("exp", json!(now - 60)), "token_expired"),
    ];
    for route in ROUTES {
        let answer = at.client().get(route).await;
        answer.problem(401, "unauthenticated");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        for (what, token, code) in &bad {
            println!("{what} at {route}");
            let answer = at.client().with_token(token.as_str()).get(route).await;
            answer.problem(401, code);
            assert!(answer.header("www-authenticate").contains("invalid_token"), "{what}");
        }
        // So it is what the claims say that was refused, and not how the test signs.
        at.client().with_token(signed(at, &header, &claims)).get(route).await.expect(200);
    }
}

pub async fn a_revoked_session_stops_within_a_second_everywhere(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let other = Household::log_in(&at.client(), &ada.email, None).await;
    for route in ROUTES {
        other.client.get(route).await.expect(200);
    }
    ada.client.delete(&format!("/api/v1/sessions/{}", other.session)).await.expect(204);
    let revoked = Instant::now();
    for route in ROUTES {
        loop {
            let asked = revoked.elapsed();
            let answer = other.client.get(route).await;
            if answer.status == 401 {
                answer.problem(401, "session_revoked");
                break;
            }
            assert!(
                asked < Duration::from_secs(1),
                "{route} still answers {} after {asked:?}",
                answer.status
            );
            sleep(Duration::from_millis(20)).await;
        }
    }
    let refresh = at.client().post("/api/v1/tokens", &json!({ "refresh_token": other.refresh_token })).await;
    refresh.problem(401, "session_revoked");
    ada.client.get("/api/v1/users/me").await.expect(200);
    let sessions = ada.client.get("/api/v1/sessions?with_total=true").await.expect(200);
    assert_eq!(sessions["total"], 1);
}

pub async fn a_refresh_token_works_once_and_reuse_by_another_ends_the_session(at: &mut Installation) {
    let ada = Household::new(at, "ada").await;
    let refresh = async |token: &str, agent: &str| {
        let body = json!({ "refresh_token": token });
        let request = at.client().request(reqwest::Method::POST, "/api/v1/tokens");
        at.client().send(request.header("user-agent", agent).json(&body)).await
    };
    let second = refresh(&ada.refresh_token, "journey").await.expect(200);
    assert_ne!(second["refresh_token"], ada.refresh_token);
    let lost_answer = refresh(&ada.refresh_token, "journey").await.expect(200);
    assert_eq!(lost_answer["refresh_token"], second["refresh_token"]);
    let fresh = at.client().with_token(second["access_token"].as_str().unwrap());
    fresh.get("/api/v1/accounts").await.expect(200);

    refresh(&ada.refresh_token, "thief").await.problem(401, "refresh_token_reused");
    refresh(second["refresh_token"].as_str().unwrap(), "journey").await.problem(401, "session_revoked");
    refresh("nonsense", "journey").await.problem(401, "refresh_token_invalid");
}
