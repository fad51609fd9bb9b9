//! 12. The client's `Idempotency-Key` (IETF draft `idempotency-key-header`), and what it was used for.
//!
//! Only read here: the module that writes keeps it beside the effect, in its own transaction.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, web};
use aws_lc_rs::digest::{SHA256, digest};
use futures_util::StreamExt;
use kernel::{Code, Problem};
use serde_json::Value;
use service_registry::IdempotencyKey;

use super::{Edge, problem_response, request_id};
use crate::config::Idempotency;

const HEADER: &str = "idempotency-key";

/// Puts key, route and fingerprint of a POST or PATCH into its context; other methods need none.
pub(super) async fn read_key(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if [Method::POST, Method::PATCH].contains(req.method()) {
        let cx = request_id::context(&req);
        match key(&mut req).await {
            Ok(Some(key)) => drop(req.extensions_mut().insert(cx.with_idempotency(key))),
            Ok(None) => {}
            Err(problem) => return Ok(req.into_response(problem_response(&cx, *problem))),
        }
    }
    next.call(req).await.map(ServiceResponse::map_into_boxed_body)
}

async fn key(req: &mut ServiceRequest) -> Result<Option<IdempotencyKey>, Box<Problem>> {
    let edge = Edge::of(req);
    let Some(header) = req.headers().get(HEADER) else {
        // Logging in again under the same key would hand out the same tokens again, so nobody has to send one there.
        let required = edge.settings.idempotency == Idempotency::Required
            && !edge.routes.is_open(req.method(), req.path());
        let missing = || Box::new(Problem::new(Code::IdempotencyKeyMissing));
        return if required { Err(missing()) } else { Ok(None) };
    };
    let key = header.to_str().ok().and_then(parse).ok_or_else(|| {
        let detail = "send 16 to 255 letters, digits, - or _";
        Box::new(Problem::new(Code::IdempotencyKeyInvalid).detail(detail))
    })?;
    let template = edge.routes.template(req.path()).unwrap_or(req.path());
    let route = format!("{} {template}", req.method());
    let mut fingerprinted =
        req.uri().path_and_query().map_or_else(String::new, ToString::to_string).into_bytes();
    // An upload is fingerprinted by the module as it reads it: nobody holds 100 MB here.
    if !edge.routes.takes_uploads(req.method(), req.path()) {
        let limit = edge.settings.body_limit_bytes;
        let body = take_body(req, limit).await?;
        fingerprinted.push(b'\n');
        fingerprinted.extend_from_slice(&canonical(&body, req.headers().get(CONTENT_TYPE).is_some()));
        req.set_payload(Payload::from(body));
    }
    let fingerprint =
        digest(&SHA256, &fingerprinted).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Some(IdempotencyKey { route, key, fingerprint }))
}

/// A bare key, or a string of RFC 8941 §3.3.3; the same key means the same either way.
fn parse(header: &str) -> Option<String> {
    let header = header.trim();
    let key = header.strip_prefix('"').map_or(Some(header), |rest| rest.strip_suffix('"'))?;
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    ((16..=255).contains(&key.len()) && key.bytes().all(allowed)).then(|| key.to_owned())
}

async fn take_body(req: &mut ServiceRequest, limit: u64) -> Result<web::Bytes, Box<Problem>> {
    let too_large =
        || Box::new(Problem::new(Code::BodyTooLarge).detail(format!("the limit is {limit} bytes")));
    let mut payload = req.take_payload();
    let mut body = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|error| match error {
            actix_web::error::PayloadError::Overflow => too_large(),
            _ => Box::new(Problem::new(Code::MalformedRequest).detail("the body broke off")),
        })?;
        if (body.len() + chunk.len()) as u64 > limit {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The body with its keys in order and without white space, so that the same request has the same fingerprint;
/// what is no JSON stands for itself, and its module will refuse it.
fn canonical(body: &[u8], typed: bool) -> Vec<u8> {
    let value = serde_json::from_slice::<Value>(body).ok().filter(|_| typed);
    value.and_then(|value| serde_json::to_vec(&sorted(value)).ok()).unwrap_or_else(|| body.to_vec())
}

/// serde_json keeps keys in order by itself, unless some crate of the build asks it not to.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_and_bare_keys_mean_the_same() {
        let bare = "8e03978e-40d5-43dd-bc93-6894a57f9324";
        assert_eq!(parse(bare), parse(&format!("\"{bare}\"")));
        assert_eq!(parse(bare).as_deref(), Some(bare));
    }

    #[test]
    fn keys_that_are_short_long_or_odd_are_refused() {
        for bad in [
            "",
            "short",
            "\"8e03978e40d543ddbc93",
            "8e03978e 40d543ddbc93",
            "8e03978e/40d543ddbc93",
            &"x".repeat(256),
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
        assert!(parse(&"x".repeat(16)).is_some() && parse(&"x".repeat(255)).is_some());
    }

    #[test]
    fn the_order_of_keys_and_white_space_do_not_matter() {
        let (one, two) = (br#"{"b": [1, {"d":2,"c":3}], "a": "x"}"#, br#"{"a":"x","b":[1,{"c":3,"d":2}]}"#);
        assert_eq!(canonical(one, true), canonical(two, true));
        assert_ne!(canonical(one, true), canonical(br#"{"a":"y"}"#, true));
    }
}
