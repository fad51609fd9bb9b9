//! 13. A read whose client went away is dropped. A write ends by itself (semantics §6), and is left alone here.

use std::pin::pin;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, error::InternalError};
use service_registry_http::CallerWatch;

pub(super) async fn drop_reads(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if ![Method::GET, Method::HEAD].contains(req.method()) {
        return next.call(req).await.map(ServiceResponse::map_into_boxed_body);
    }
    let watch = CallerWatch::of(req.request());
    match watch.unless_gone(pin!(next.call(req))).await {
        Some(answer) => answer.map(ServiceResponse::map_into_boxed_body),
        // Nobody hears this.
        None => Err(InternalError::from_response("gone", HttpResponse::RequestTimeout().finish()).into()),
    }
}
