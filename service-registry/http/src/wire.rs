//! The headers of a call, written and read in one place.

use std::fmt::{self, Write};
use std::str::FromStr;
use std::time::Duration;

use actix_web::http::header::{self, HeaderMap, HeaderName};
use bytes::BytesMut;
use http::HeaderValue;
use service_registry::{
    CallContext, CallError, Caller, DEFAULT_TIMEOUT, IdempotencyKey, Proof, TraceContext,
};
use uuid::Uuid;

use crate::signer::ServiceSigner;

/// A header by both its names: reqwest writes with one version of the `http` crate, actix reads with another.
pub struct Name {
    pub(crate) written: http::HeaderName,
    pub(crate) read: HeaderName,
}

impl Name {
    const fn new(name: &'static str) -> Self {
        Self { written: http::HeaderName::from_static(name), read: HeaderName::from_static(name) }
    }
}

pub static AUTHORIZATION: Name = Name::new("authorization");
/// The user's own access token, beside the service token and never in its place.
pub static USER_TOKEN: Name = Name::new("tributary-user-token");
pub static TRACEPARENT: Name = Name::new("traceparent");
pub static REQUEST_ID: Name = Name::new("x-request-id");
/// Remaining milliseconds when the request left; relative, so that clocks need not agree.
pub static DEADLINE_MS: Name = Name::new("x-request-deadline-ms");
pub static CALL_ID: Name = Name::new("x-call-id");
pub static CALL_DEPTH: Name = Name::new("x-call-depth");
pub static RETRY_ATTEMPT: Name = Name::new("x-retry-attempt");
/// The client's idempotency key, its route and its fingerprint, as JSON.
pub static IDEMPOTENCY: Name = Name::new("x-idempotency");
/// What the caller believes the callee to offer; another callee answers 412 and does nothing.
pub static CONTRACT: Name = Name::new("x-contract");
/// On an answer: its body is the service's own error.
pub static REFUSAL: Name = Name::new("x-rpc-refusal");
/// On an answer: it comes from the record of an earlier, equal request.
pub static REPLAYED: Name = Name::new("idempotent-replayed");

/// Taken off the remaining time at each hop, so that the callee gives up before its caller does.
pub const HOP: Duration = Duration::from_millis(10);

/// The longest that a call may take, whatever its sender says. Far later points in time cannot be counted.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The headers that carry `cx` to `target`, the same for an RPC call and for a proxied public request.
///
/// Fails with [`CallError::DeadlineExceeded`] when too little time is left to send anything.
pub fn headers_for(
    cx: &CallContext,
    target: &str,
    signer: &ServiceSigner,
) -> Result<http::HeaderMap, CallError> {
    let remaining = remaining_ms(cx).ok_or_else(|| CallError::deadline_exceeded(target, "request"))?;
    // Each header costs about a hundred nanoseconds a side, so what says nothing is left out.
    let mut headers = http::HeaderMap::with_capacity(12);
    headers.insert(&AUTHORIZATION.written, authorization(cx, target, signer)?);
    if let Some(Proof::UserToken(token)) = cx.caller().map(|caller| &caller.proof) {
        let token = HeaderValue::from_str(token).map_err(|_| unwritable(&USER_TOKEN))?;
        headers.insert(&USER_TOKEN.written, token);
    }
    if let Some(key) = cx.idempotency() {
        let json = serde_json::to_vec(key).map_err(|error| CallError::failed(error.to_string()))?;
        let json = HeaderValue::try_from(json).map_err(|_| unwritable(&IDEMPOTENCY))?;
        headers.insert(&IDEMPOTENCY.written, json);
    }
    // One piece of memory for all values of the call itself: reqwest copies the headers twice.
    let mut memory = BytesMut::with_capacity(160);
    let mut insert = |name: &Name, value: &dyn fmt::Display| {
        headers.insert(&name.written, written(&mut memory, value).ok_or_else(|| unwritable(name))?);
        Ok::<(), CallError>(())
    };
    insert(&TRACEPARENT, &cx.trace())?;
    insert(&REQUEST_ID, &cx.request_id())?;
    insert(&DEADLINE_MS, &remaining)?;
    insert(&CALL_ID, &cx.call_id())?;
    insert(&CALL_DEPTH, &cx.depth())?;
    if cx.retry_attempt() > 0 {
        insert(&RETRY_ATTEMPT, &cx.retry_attempt())?;
    }
    Ok(headers)
}

fn authorization(cx: &CallContext, target: &str, signer: &ServiceSigner) -> Result<HeaderValue, CallError> {
    match cx.caller() {
        Some(caller @ Caller { proof: Proof::Delegated, .. }) => signer.delegated_bearer(target, caller),
        _ => signer.bearer(target),
    }
}

fn written(memory: &mut BytesMut, value: &dyn fmt::Display) -> Option<HeaderValue> {
    write!(memory, "{value}").ok()?;
    HeaderValue::from_maybe_shared(memory.split().freeze()).ok()
}

fn unwritable(name: &Name) -> CallError {
    CallError::protocol(format!("header {} cannot be written", name.read))
}

/// What the callee may still use; none when nothing would be left for it.
pub(crate) fn remaining_ms(cx: &CallContext) -> Option<u64> {
    let left = cx.remaining().saturating_sub(HOP).as_millis();
    u64::try_from(left).ok().filter(|left| *left > 0)
}

/// The context of a request as its sender wrote it, for `caller` as [`crate::authenticate`] found it.
///
/// A header that cannot be read refuses the request: to go on without a deadline or an idempotency key
/// that somebody sent would break what it promises. Only the request id and the trace, which steer
/// nothing, are replaced.
pub fn context_from_headers(headers: &HeaderMap, caller: Option<Caller>) -> Result<CallContext, CallError> {
    let deadline_ms: Option<i64> = parsed(headers, &DEADLINE_MS)?;
    let remaining = match deadline_ms {
        Some(ms) => Duration::from_millis(u64::try_from(ms).unwrap_or(0)).min(LONGEST),
        None => DEFAULT_TIMEOUT,
    };
    let trace = TraceContext::from_header(text_header(headers, &TRACEPARENT).ok().flatten());
    let request_id = parsed(headers, &REQUEST_ID).ok().flatten().unwrap_or_else(Uuid::now_v7);
    let mut cx = CallContext::of_request(request_id, trace)
        .with_position(
            parsed(headers, &CALL_ID)?.unwrap_or_else(Uuid::now_v7),
            parsed(headers, &CALL_DEPTH)?.unwrap_or(0),
            parsed(headers, &RETRY_ATTEMPT)?.unwrap_or(0),
        )
        .with_remaining(remaining);
    if let Some(json) = text_header(headers, &IDEMPOTENCY)? {
        let key: IdempotencyKey = serde_json::from_str(json).map_err(|_| unreadable(&IDEMPOTENCY))?;
        cx = cx.with_idempotency(key);
    }
    Ok(match caller {
        Some(caller) => cx.with_caller(caller),
        None => cx,
    })
}

/// The one value of a header; two values are refused, since two readers could choose differently.
pub(crate) fn one_header<'a>(
    headers: &'a HeaderMap,
    name: &Name,
) -> Result<Option<&'a header::HeaderValue>, CallError> {
    let mut values = headers.get_all(&name.read);
    match (values.next(), values.next()) {
        (value, None) => Ok(value),
        (_, Some(_)) => Err(unreadable(name)),
    }
}

/// The same as text.
pub(crate) fn text_header<'a>(headers: &'a HeaderMap, name: &Name) -> Result<Option<&'a str>, CallError> {
    let value = one_header(headers, name)?;
    value.map(|value| value.to_str().map_err(|_| unreadable(name))).transpose()
}

fn parsed<T: FromStr>(headers: &HeaderMap, name: &Name) -> Result<Option<T>, CallError> {
    match text_header(headers, name)? {
        None => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| unreadable(name)),
    }
}

fn unreadable(name: &Name) -> CallError {
    CallError::protocol(format!("header {} cannot be read", name.read))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use actix_web::http::header::HeaderValue;

    use super::*;
    use crate::keys::KeyPair;

    /// What arrives of a context that leaves.
    fn carried(cx: &CallContext) -> HeaderMap {
        let signer = ServiceSigner::new("identity", &KeyPair::generate().unwrap());
        let mut headers = HeaderMap::new();
        for (name, value) in &headers_for(cx, "ledger", &signer).unwrap() {
            let name = HeaderName::from_bytes(name.as_str().as_bytes()).unwrap();
            headers.insert(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn a_context_arrives_as_it_left_with_a_hop_less_of_time() {
        let key = IdempotencyKey { route: "POST /x".into(), key: "k".into(), fingerprint: "f".into() };
        let left = CallContext::root()
            .with_trace(TraceContext::new(true))
            .with_idempotency(key.clone())
            .with_position(Uuid::from_u128(9), 3, 1)
            .with_remaining(Duration::from_secs(2));
        let arrived = context_from_headers(&carried(&left), None).unwrap();
        assert_eq!(arrived.request_id(), left.request_id());
        assert_eq!(arrived.trace(), left.trace());
        assert_eq!((arrived.call_id(), arrived.depth(), arrived.retry_attempt()), (Uuid::from_u128(9), 3, 1));
        assert_eq!(arrived.idempotency(), Some(&key));
        assert!(arrived.remaining() <= Duration::from_secs(2) - HOP);
    }

    #[test]
    fn a_user_token_travels_beside_the_service_token_and_a_delegated_user_inside_it() {
        let token = Proof::UserToken("user-token".into());
        let caller = |proof| Caller {
            subject: Uuid::nil(),
            space: None,
            session: None,
            role: "owner".into(),
            scopes: Arc::new([]),
            proof,
        };
        let beside = carried(&CallContext::root().with_caller(caller(token)));
        assert_eq!(text_header(&beside, &USER_TOKEN), Ok(Some("user-token")));
        let inside = carried(&CallContext::root().with_caller(caller(Proof::Delegated)));
        assert_eq!(text_header(&inside, &USER_TOKEN), Ok(None));
    }

    #[test]
    fn nothing_is_sent_when_no_time_is_left() {
        let signer = ServiceSigner::new("identity", &KeyPair::generate().unwrap());
        let late = CallContext::root().with_remaining(Duration::from_millis(5));
        assert!(matches!(headers_for(&late, "ledger", &signer), Err(CallError::DeadlineExceeded { .. })));
    }

    #[test]
    fn headers_that_steer_a_call_are_refused_when_unreadable() {
        for name in [&DEADLINE_MS, &CALL_ID, &CALL_DEPTH, &RETRY_ATTEMPT, &IDEMPOTENCY] {
            let mut headers = carried(&CallContext::root());
            headers.insert(name.read.clone(), HeaderValue::from_static("nonsense"));
            assert_eq!(context_from_headers(&headers, None).err(), Some(unreadable(name)));
        }
    }

    #[test]
    fn regression_a_deadline_beyond_all_bounds_is_an_hour() {
        let mut headers = carried(&CallContext::root());
        headers.insert(DEADLINE_MS.read.clone(), HeaderValue::from(i64::MAX));
        let remaining = context_from_headers(&headers, None).unwrap().remaining();
        assert!(remaining <= LONGEST && remaining > LONGEST - Duration::from_secs(60), "{remaining:?}");
    }

    #[test]
    fn a_header_given_twice_is_refused() {
        let mut headers = carried(&CallContext::root());
        headers.append(CALL_DEPTH.read.clone(), HeaderValue::from_static("0"));
        assert_eq!(context_from_headers(&headers, None).err(), Some(unreadable(&CALL_DEPTH)));
    }

    #[test]
    fn a_broken_trace_or_request_id_is_replaced() {
        let mut headers = carried(&CallContext::root());
        headers.insert(TRACEPARENT.read.clone(), HeaderValue::from_static("00-xyz"));
        headers.insert(REQUEST_ID.read.clone(), HeaderValue::from_static("42"));
        let cx = context_from_headers(&headers, None).unwrap();
        assert_eq!((cx.trace().sampled, cx.request_id().get_version_num()), (false, 7));
    }
}
