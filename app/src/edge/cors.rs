//! 6. Which pages of other origins may call us: those on the list.

use actix_cors::Cors;
use actix_web::http::Method;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, RETRY_AFTER};

/// How long, in seconds, a browser may remember the answer to a preflight.
const MAX_AGE_S: usize = 600;

/// Lets pages of `origins` call; a page of another origin gets no permission and its browser keeps the answer from it.
pub(super) fn allow(origins: &[String]) -> Cors {
    let known = [
        AUTHORIZATION,
        CONTENT_TYPE,
        HeaderName::from_static("idempotency-key"),
        HeaderName::from_static("x-request-id"),
        HeaderName::from_static("x-request-deadline-ms"),
        HeaderName::from_static("traceparent"),
    ];
    let shown = [
        RETRY_AFTER,
        HeaderName::from_static("x-request-id"),
        HeaderName::from_static("idempotent-replayed"),
        HeaderName::from_static("ratelimit"),
        HeaderName::from_static("ratelimit-policy"),
    ];
    // No credentials: access tokens travel in a header that a page sets itself, never in a cookie.
    let cors = Cors::default()
        .allowed_methods([
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ])
        .allowed_headers(known)
        .expose_headers(shown)
        .max_age(MAX_AGE_S);
    origins.iter().fold(cors, |cors, origin| cors.allowed_origin(origin))
}
