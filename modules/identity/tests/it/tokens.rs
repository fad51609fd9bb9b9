use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use identity::SigningKey;
use identity_api::{AccessTokens, Identity, TokenFault, Tokens};
use serde_json::{Value, json};
use service_registry::{CallContext, ServiceClient};

use crate::home::{Home, ISSUER, in_each_home};

#[tokio::test]
async fn an_expired_token_says_so() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        home.wait(TimeDelta::seconds(609));
        assert!(home.verify(&tokens).await.is_ok(), "within the leeway");
        home.wait(TimeDelta::seconds(2));
        assert_eq!(home.verify(&tokens).await, Err(TokenFault::Expired));
    })
    .await;
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        let (header, claims) = parts(&tokens);
        let strange = SigningKey::generate().unwrap();
        let forged = [
            ("another key", sign(&strange, &header, &claims)),
            ("a changed claim", tampered(&tokens)),
            ("no signature", format!("{}.{}.", encode(&header), encode(&claims))),
            (
                "no algorithm",
                format!("{}.{}.", encode(&with(&header, "alg", json!("none"))), encode(&claims)),
            ),
            ("no token", "nonsense".into()),
            ("nothing", String::new()),
            ("too long", "a".repeat(5_000)),
        ];
        for (what, token) in forged {
            assert_eq!(home.access.verify(&token).await, Err(TokenFault::Invalid), "{what}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_public_key_is_no_shared_secret() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        let (header, claims) = parts(&tokens);
        let jwks = home.identity.jwks(&CallContext::root()).await.unwrap();
        let public = URL_SAFE_NO_PAD.decode(&jwks.keys[0].x).unwrap();
        let body = format!("{}.{}", encode(&with(&header, "alg", json!("HS256"))), encode(&claims));
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &public);
        let tag = URL_SAFE_NO_PAD.encode(aws_lc_rs::hmac::sign(&key, body.as_bytes()));
        assert_eq!(home.access.verify(&format!("{body}.{tag}")).await, Err(TokenFault::Invalid));
    })
    .await;
}

#[tokio::test]
async fn a_token_for_another_audience_is_refused() {
    refuses_claim("aud", json!("somebody-else")).await;
}

#[tokio::test]
async fn a_token_of_another_issuer_is_refused() {
    refuses_claim("iss", json!("https://elsewhere.test")).await;
}

#[tokio::test]
async fn a_token_from_the_future_is_refused() {
    let future = kernel::now().timestamp() + 3600;
    refuses_claim("iat", json!(future)).await;
    refuses_claim("nbf", json!(future)).await;
}

#[tokio::test]
async fn a_token_without_its_claims_is_refused() {
    for claim in ["aud", "iss", "sub", "sid", "exp", "iat"] {
        refuses_claim(claim, Value::Null).await;
    }
}

/// A token that our own key signed, right but for one claim, is refused; and right without that, it is not.
async fn refuses_claim(claim: &str, value: Value) {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        let (header, claims) = parts(&tokens);
        assert!(home.access.verify(&sign(&home.signing_key, &header, &claims)).await.is_ok());
        let wrong = sign(&home.signing_key, &header, &with(&claims, claim, value.clone()));
        assert_eq!(home.access.verify(&wrong).await, Err(TokenFault::Invalid), "{claim}: {value}");
    })
    .await;
}

#[tokio::test]
async fn a_token_of_another_kind_is_refused() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        let (header, claims) = parts(&tokens);
        for (member, value) in [
            ("typ", json!("JWT")),
            ("typ", json!("svc+jwt")),
            ("typ", Value::Null),
            ("kid", json!("another")),
            ("kid", Value::Null),
            ("crit", json!(["exp"])),
        ] {
            let wrong = sign(&home.signing_key, &with(&header, member, value.clone()), &claims);
            assert_eq!(home.access.verify(&wrong).await, Err(TokenFault::Invalid), "{member}: {value}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_that_the_token_brings_along_is_not_used() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        let (header, claims) = parts(&tokens);
        let strange = SigningKey::generate().unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(strange.to_pkcs8()).unwrap();
        let x = URL_SAFE_NO_PAD.encode(aws_lc_rs::signature::KeyPair::public_key(&pair));
        let header = with(&header, "jwk", json!({ "kty": "OKP", "crv": "Ed25519", "x": x }));
        assert_eq!(home.access.verify(&sign(&strange, &header, &claims)).await, Err(TokenFault::Invalid));
    })
    .await;
}

#[tokio::test]
async fn tokens_stay_good_while_identity_is_away() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        home.identity.unbind();
        assert!(home.identity.jwks(&CallContext::root()).await.is_err());
        assert!(home.verify(&tokens).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn before_identity_has_answered_nothing_is_said_of_a_token() {
    in_each_home(async |home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        let early = AccessTokens::new(ISSUER, ServiceClient::unbound(), home.clock());
        assert!(!early.is_ready());
        let verdict = early.verify(tokens.access_token.reveal()).await;
        assert_eq!(verdict, Err(TokenFault::Unavailable));
        // With keys but without word of revocations it is no different.
        let half = AccessTokens::new(ISSUER, home.identity.clone(), home.clock());
        assert_eq!(half.verify(tokens.access_token.reveal()).await, Err(TokenFault::Unavailable));
    })
    .await;
}

#[tokio::test]
async fn a_token_does_not_show_itself() {
    in_each_home(async |home: &Home| {
        let (_, tokens) = home.move_in("ada@example.org").await;
        let caller = home.verify(&tokens).await.unwrap();
        let shown = format!("{tokens:?} {caller:?}");
        assert!(
            !shown.contains(tokens.access_token.reveal()) && !shown.contains(tokens.refresh_token.reveal())
        );
    })
    .await;
}

fn parts(tokens: &Tokens) -> (Value, Value) {
    let mut parts = tokens.access_token.reveal().split('.').map(|part| {
        let json = URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        serde_json::from_slice(&json).unwrap_or_default()
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

/// The object with one member changed, or left out where the value is null.
fn with(object: &Value, member: &str, value: Value) -> Value {
    let mut object = object.as_object().unwrap().clone();
    match value {
        Value::Null => object.remove(member),
        value => object.insert(member.into(), value),
    };
    object.into()
}

fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

/// Signed by hand: the crate that makes our tokens would not make these.
fn sign(key: &SigningKey, header: &Value, claims: &Value) -> String {
    let body = format!("{}.{}", encode(header), encode(claims));
    let pair = Ed25519KeyPair::from_pkcs8(key.to_pkcs8()).unwrap();
    format!("{body}.{}", URL_SAFE_NO_PAD.encode(pair.sign(body.as_bytes())))
}

fn tampered(tokens: &Tokens) -> String {
    let (_, claims) = parts(tokens);
    let token: Vec<_> = tokens.access_token.reveal().split('.').collect();
    format!("{}.{}.{}", token[0], encode(&with(&claims, "role", json!("superuser"))), token[2])
}
