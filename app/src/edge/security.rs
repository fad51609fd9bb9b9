//! 5. Headers that tell a browser to expect nothing but data from us.

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;

use super::docs;

/// Data is never a page: nothing may be loaded by it, and nobody may frame it.
const DATA: &str = "default-src 'none'; frame-ancestors 'none'";
/// The documentation is a page with its own scripts, and styles that they set.
const PAGE: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
    font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

pub(super) async fn add_headers(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let page = docs::is_page(req.path());
    let mut answer = next.call(req).await?;
    insert(answer.headers_mut(), page);
    Ok(answer.map_into_boxed_body())
}

/// Puts them in; a `Cache-Control` that the handler chose stays.
pub(super) fn insert(headers: &mut HeaderMap, page: bool) {
    let mut set =
        |name: HeaderName, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(STRICT_TRANSPORT_SECURITY, "max-age=31536000; includeSubDomains");
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(CONTENT_SECURITY_POLICY, if page { PAGE } else { DATA });
    set(REFERRER_POLICY, "no-referrer");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("x-frame-options"), "DENY");
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}
