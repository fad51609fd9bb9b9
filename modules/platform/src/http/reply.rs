use actix_web::HttpResponse;
use actix_web::http::header::LOCATION;
use serde::Serialize;
use service_registry::CallContext;

/// 200 with a body.
pub fn ok(cx: &CallContext, body: &impl Serialize) -> HttpResponse {
    replayable(cx, HttpResponse::Ok()).json(body)
}

/// 201 with the new thing and where it is (RFC 9110 §15.3.2).
pub fn created(cx: &CallContext, location: String, body: &impl Serialize) -> HttpResponse {
    replayable(cx, HttpResponse::Created()).insert_header((LOCATION, location)).json(body)
}

/// 202: begun, and where to see how far it is (RFC 9110 §15.3.3).
pub fn accepted(cx: &CallContext, location: String, body: &impl Serialize) -> HttpResponse {
    replayable(cx, HttpResponse::Accepted()).insert_header((LOCATION, location)).json(body)
}

/// 204: done, and nothing to say.
pub fn no_content() -> HttpResponse {
    HttpResponse::NoContent().finish()
}

/// Says whether the answer is that of an earlier request with the same key.
fn replayable(
    cx: &CallContext,
    mut response: actix_web::HttpResponseBuilder,
) -> actix_web::HttpResponseBuilder {
    if cx.was_replayed() {
        response.insert_header(("Idempotent-Replayed", "true"));
    }
    response
}
