//! 9. Who asks, by the access token (RFC 6750, RFC 9068).

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse};
use identity_api::TokenFault;
use kernel::{Code, Problem, ToProblem};
use metrics::counter;
use service_registry::CallContext;
use service_registry_http::claimed_service;
use tracing::warn;

use super::{Edge, problem_response, request_id};
use crate::config::GATEWAY;

/// Verifies the token that came along, if one did and the route asks for one.
pub(super) async fn authenticate(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let edge = Edge::of(&req);
    let cx = request_id::context(&req);
    // Who logs in may well send the old, expired token along.
    if !edge.routes.is_open(req.method(), req.path()) {
        match caller(&edge, &req).await {
            Ok(Some(caller)) => drop(req.extensions_mut().insert(cx.with_caller(caller))),
            Ok(None) => {}
            Err(fault) => return Ok(req.into_response(refusal(&cx, fault))),
        }
    }
    next.call(req).await.map(ServiceResponse::map_into_boxed_body)
}

async fn caller(edge: &Edge, req: &ServiceRequest) -> Result<Option<service_registry::Caller>, TokenFault> {
    let Some(header) = req.headers().get(AUTHORIZATION) else { return Ok(None) };
    let header = header.to_str().map_err(|_| TokenFault::Invalid)?;
    // The scheme is case-insensitive (RFC 9110 §11.1).
    let (scheme, token) = header.split_once(' ').ok_or(TokenFault::Invalid)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(TokenFault::Invalid);
    }
    let verified = edge.tokens.verify(token.trim()).await;
    verified.inspect_err(|_| note_service(edge, req, token.trim())).map(Some)
}

/// A service that comes in by the door of users is either set up wrongly or no service.
fn note_service(edge: &Edge, req: &ServiceRequest, token: &str) {
    let Some(caller) = claimed_service(token) else { return };
    let method = edge.routes.template(req.path()).unwrap_or("unknown");
    let reason = "public_listener";
    counter!("rpc_refusals_total", "service" => GATEWAY, "caller" => "unknown", "reason" => reason)
        .increment(1);
    warn!(service = GATEWAY, method, caller, reason, "Refused the token of a service on the public listener");
}

fn refusal(cx: &CallContext, fault: TokenFault) -> HttpResponse {
    let mut response = problem_response(cx, fault.to_problem());
    if response.status() == 401 {
        let challenge = HeaderValue::from_static("Bearer realm=\"tributary\", error=\"invalid_token\"");
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// The answer to a request that should have brought a token.
pub(super) fn log_in_first(cx: &CallContext) -> HttpResponse {
    let mut response = problem_response(cx, Problem::new(Code::Unauthenticated));
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"tributary\""));
    response
}
