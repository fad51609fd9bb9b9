//! 2. One line and one measurement for each request; everything logged on the way carries its ids.

use std::time::Instant;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use tracing::{Instrument, info};

use super::{Edge, request_id};

/// Logs method, route template, status and time. Never the path or query as they are: they may hold names.
pub(super) async fn record(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let cx = request_id::context(&req);
    let method = known(req.method());
    let edge = Edge::of(&req);
    let owner = edge.registry.owner_of_path(req.path()).map(|service| service.name);
    let route = edge.routes.template(req.path()).unwrap_or("unknown").to_owned();
    // The level of an error, so that no filter ever takes the ids off the lines that it lets through.
    let span =
        tracing::error_span!("request", request_id = %cx.request_id(), trace_id = cx.trace().trace_id_hex());
    let started = Instant::now();
    let answer = next.call(req).instrument(span.clone()).await;
    let took = started.elapsed();
    let status =
        answer.as_ref().map_or_else(|error| error.as_response_error().status_code(), ServiceResponse::status);
    span.in_scope(|| {
        let (status, took_ms) = (status.as_u16(), took.as_millis());
        info!(
            http.method = method,
            http.route = route,
            http.status = status,
            took_ms,
            "{method} {route} {status}"
        );
    });
    let labels = [("method", method.to_owned()), ("route", route), ("status", status.as_str().to_owned())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_duration_seconds", &labels).record(took.as_secs_f64());
    if let Some(service) = owner {
        let failure = status.is_server_error().then_some("server_error");
        edge.registry.requests_to(service).count(!edge.registry.runs(service), took, failure);
    }
    answer.map(ServiceResponse::map_into_boxed_body)
}

/// A client may make up methods without end, and each would be a series of measurements that is kept for ever.
fn known(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or("other")
}
