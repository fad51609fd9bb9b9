//! 3. Whatever goes wrong inside, a client sees a problem document (RFC 9457).

use std::panic::AssertUnwindSafe;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};
use futures_util::FutureExt;
use kernel::{Code, Problem};
use service_registry::CallContext;
use tracing::error;

use super::{request_id, security};

const PROBLEM_JSON: &str = "application/problem+json";

/// Turns panics, framework errors and bare error statuses into problem documents.
pub(crate) async fn map(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let cx = request_id::context(&req);
    // What a probe is told stays in its own words.
    if req.path().starts_with("/health/") {
        return next.call(req).await.map(ServiceResponse::map_into_boxed_body);
    }
    // Nothing is shared over the border but the request itself, and that is gone with the panic.
    match AssertUnwindSafe(next.call(req)).catch_unwind().await {
        Ok(Ok(answer)) => Ok(mapped(&cx, answer.map_into_boxed_body())),
        Ok(Err(cause)) => {
            let answer = as_problem(&cx, cause.error_response());
            Err(InternalError::from_response(cause, answer).into())
        }
        Err(panic) => {
            error!(panic = panic_message(&*panic), "A request handler panicked");
            metrics::counter!("http_panics_total").increment(1);
            Err(refuse(&cx, Problem::new(Code::Internal)))
        }
    }
}

fn mapped(cx: &CallContext, answer: ServiceResponse) -> ServiceResponse {
    let (req, response) = answer.into_parts();
    ServiceResponse::new(req, as_problem(cx, response))
}

/// The response itself where it is no error or speaks for itself, else the problem for its status.
fn as_problem(cx: &CallContext, mut response: HttpResponse) -> HttpResponse {
    let status = response.status();
    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }
    let speaks = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(PROBLEM_JSON.as_bytes()));
    if speaks {
        response = named(cx, response);
    } else {
        let plain = std::mem::replace(&mut response, problem_response(cx, Problem::new(code_of(status))));
        keep(plain.headers(), response.headers_mut());
    }
    // As answers of other kinds do by themselves.
    if cx.was_replayed() {
        let replayed = HeaderName::from_static("idempotent-replayed");
        response.headers_mut().insert(replayed, HeaderValue::from_static("true"));
    }
    response.headers_mut().insert(request_id::REQUEST_ID, request_id::header_value(cx.request_id()));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    security::insert(response.headers_mut(), false);
    response
}

/// Names the request in a module's problem. One that another process sent along was named there.
fn named(cx: &CallContext, response: HttpResponse) -> HttpResponse {
    let (head, body) = response.into_parts();
    let body = match body.try_into_bytes() {
        Ok(bytes) => match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) if problem.request_id.is_none() => {
                BoxBody::new(to_json(&problem.for_request(cx.request_id())))
            }
            _ => BoxBody::new(bytes),
        },
        Err(streamed) => streamed,
    };
    head.set_body(body)
}

fn to_json(problem: &Problem) -> Vec<u8> {
    serde_json::to_vec(problem).expect("a problem is plain strings and numbers")
}

/// What a bare answer said besides its status, and what the layers inside us already added.
fn keep(from: &HeaderMap, to: &mut HeaderMap) {
    for (name, value) in from {
        let ours = name.as_str().starts_with("access-control-") || name.as_str().starts_with("ratelimit");
        if ours || [ALLOW, RETRY_AFTER, WWW_AUTHENTICATE].contains(name) || name == "vary" {
            to.append(name.clone(), value.clone());
        }
    }
}

/// The code for an error that came without one; its status becomes the code's.
fn code_of(status: StatusCode) -> Code {
    match status.as_u16() {
        401 => Code::Unauthenticated,
        403 => Code::Forbidden,
        404 => Code::NotFound,
        405 => Code::MethodNotAllowed,
        408 | 504 => Code::DeadlineExceeded,
        409 => Code::Conflict,
        413 => Code::BodyTooLarge,
        415 => Code::UnsupportedMediaType,
        422 => Code::ValidationFailed,
        429 => Code::QuotaExceeded,
        502 | 503 => Code::UpstreamUnavailable,
        400..=499 => Code::MalformedRequest,
        _ => Code::Internal,
    }
}

/// `problem` as the answer to the request of `cx`.
pub(crate) fn problem_response(cx: &CallContext, problem: Problem) -> HttpResponse {
    let problem = problem.for_request(cx.request_id());
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response.insert_header((request_id::REQUEST_ID, request_id::header_value(cx.request_id())));
    response.insert_header((CACHE_CONTROL, "no-store"));
    if let Some(seconds) = problem.retry_after {
        response.insert_header((RETRY_AFTER, seconds));
    }
    let mut response = response.insert_header((CONTENT_TYPE, PROBLEM_JSON)).body(to_json(&problem));
    security::insert(response.headers_mut(), false);
    response
}

/// `problem` as an error, for where the request is gone already, such as after a timeout.
pub(crate) fn refuse(cx: &CallContext, problem: Problem) -> Error {
    let cause = problem.code.clone();
    InternalError::from_response(cause, problem_response(cx, problem)).into()
}

/// What answers a path that nobody owns.
pub(crate) async fn not_found() -> HttpResponse {
    HttpResponse::NotFound().finish()
}

/// What a panic said, as far as it said it in words.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

#[cfg(test)]
mod tests {
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, init_service, read_body_json, try_call_service};
    use actix_web::{App, web};

    use super::*;

    async fn broken() -> HttpResponse {
        panic!("the secret is hunter2")
    }

    #[actix_web::test]
    async fn a_panic_is_a_500_problem_that_tells_nothing() {
        let app = App::new().route("/", web::get().to(broken)).wrap(from_fn(map));
        let app = init_service(app).await;
        let error = try_call_service(&app, TestRequest::get().to_request()).await.unwrap_err();
        let answer = error.error_response();
        assert_eq!(answer.status(), 500);
        let body = actix_web::body::to_bytes(answer.into_body()).await.unwrap_or_default();
        let problem: Problem = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem.code, "internal");
        assert!(problem.request_id.is_some() && !String::from_utf8_lossy(&body).contains("hunter2"));
    }

    #[actix_web::test]
    async fn a_bare_status_becomes_a_problem_and_keeps_its_allow_header() {
        let bare = async || HttpResponse::MethodNotAllowed().insert_header((ALLOW, "GET")).body("no");
        let app = init_service(App::new().route("/", web::get().to(bare)).wrap(from_fn(map))).await;
        let answer = try_call_service(&app, TestRequest::get().to_request()).await.unwrap();
        assert_eq!(answer.headers().get(ALLOW).unwrap(), "GET");
        assert_eq!(answer.headers().get(CONTENT_TYPE).unwrap(), PROBLEM_JSON);
        let problem: Problem = read_body_json(answer).await;
        assert_eq!(problem.code, "method_not_allowed");
    }
}
