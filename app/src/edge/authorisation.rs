//! 11. Whether anybody may pass at all. What exactly a user may do, each module decides, on one line in every mode.

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;

use super::{Edge, authentication, request_id};

/// Lets in who is known; the few open routes let in everybody.
pub(super) async fn authorise(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let cx = request_id::context(&req);
    if cx.caller().is_none() && !Edge::of(&req).routes.is_open(req.method(), req.path()) {
        return Ok(req.into_response(authentication::log_in_first(&cx)));
    }
    next.call(req).await.map(ServiceResponse::map_into_boxed_body)
}
