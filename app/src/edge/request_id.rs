//! 1. Every request has an id and a place in a trace, and its answer says which id.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage};
use service_registry::{CallContext, TraceContext};
use uuid::Uuid;

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Takes the caller's id if it is a UUID, else makes one.
pub(super) async fn assign(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let header = |name| req.headers().get(name).and_then(|value| value.to_str().ok());
    // Anything but a UUID could be made to look like another log line.
    let id = header("x-request-id").and_then(|id| Uuid::try_parse(id).ok()).unwrap_or_else(Uuid::now_v7);
    let trace = TraceContext::from_header(header("traceparent")).child();
    req.extensions_mut().insert(CallContext::root().with_request_id(id).with_trace(trace));
    let mut answer = next.call(req).await?;
    answer.headers_mut().insert(REQUEST_ID, header_value(id));
    Ok(answer.map_into_boxed_body())
}

pub(super) fn header_value(id: Uuid) -> HeaderValue {
    HeaderValue::from_str(&id.to_string()).expect("a UUID is visible ASCII")
}

/// The context of a request; every request has one from here on.
pub(super) fn context(req: &ServiceRequest) -> CallContext {
    req.extensions().get::<CallContext>().cloned().unwrap_or_else(CallContext::root)
}
