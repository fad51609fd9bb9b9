//! 4. How large a request may be and how long it may take.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header::{CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse};
use futures_util::StreamExt;
use kernel::{Code, Problem};
use service_registry::CallContext;

use super::{Edge, problem_response, refuse, request_id};

const DEADLINE: &str = "x-request-deadline-ms";

/// Refuses what is too large, and gives up on what takes too long.
pub(super) async fn enforce(
    mut req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let edge = Edge::of(&req);
    let cx = request_id::context(&req);
    let upload = edge.routes.takes_uploads(req.method(), req.path());
    let limit = if upload { edge.upload_limit_bytes } else { edge.settings.body_limit_bytes };
    let overflow = Rc::new(Cell::new(false));
    if let Err(problem) = check_body(&mut req, limit, &overflow) {
        return Ok(req.into_response(unread(&cx, *problem)));
    }
    let longest = if upload { edge.settings.upload_deadline() } else { edge.settings.deadline() };
    let time = asked_deadline(&req).map_or(longest, |asked| asked.min(longest));
    let cx = cx.with_remaining(time);
    req.extensions_mut().insert(cx.clone());
    if time.is_zero() {
        return Ok(req.into_response(problem_response(&cx, Problem::new(Code::DeadlineExceeded))));
    }
    let mut answer = match tokio::time::timeout(time, next.call(req)).await {
        Ok(answer) => answer?.map_into_boxed_body(),
        Err(_) => return Err(refuse(&cx, Problem::new(Code::DeadlineExceeded))),
    };
    if overflow.get() {
        // Whatever became of a body that we broke off, here or in another process, this is why.
        return Ok(answer.into_response(unread(&cx, too_large(limit))));
    }
    if edge.is_draining() {
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(answer)
}

fn too_large(limit: u64) -> Problem {
    Problem::new(Code::BodyTooLarge).detail(format!("the limit is {limit} bytes"))
}

/// The answer to a request whose body we do not read to its end: so nothing after it can be read either.
fn unread(cx: &CallContext, problem: Problem) -> HttpResponse {
    let mut response = problem_response(cx, problem);
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A caller may have less patience than we do, never more.
fn asked_deadline(req: &ServiceRequest) -> Option<Duration> {
    let asked = req.headers().get(DEADLINE)?.to_str().ok()?.trim().parse::<i64>().ok()?;
    Some(Duration::from_millis(asked.max(0).unsigned_abs()))
}

/// Looks at what the headers say, and counts along where they do not.
fn check_body(req: &mut ServiceRequest, limit: u64, overflow: &Rc<Cell<bool>>) -> Result<(), Box<Problem>> {
    let header = |name| req.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if header(CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        // A few kilobytes can unpack to gigabytes.
        let detail = "compressed bodies are not read";
        return Err(Box::new(Problem::new(Code::UnsupportedMediaType).detail(detail)));
    }
    let length = header(CONTENT_LENGTH).and_then(|length| length.parse::<u64>().ok());
    match length {
        Some(length) if length > limit => Err(Box::new(too_large(limit))),
        Some(_) => Ok(()),
        None => {
            let body = req.take_payload();
            req.set_payload(at_most(body, limit, Rc::clone(overflow)));
            Ok(())
        }
    }
}

/// The same body, which breaks off with `Overflow` after `limit` bytes and says so.
fn at_most(body: Payload, limit: u64, overflow: Rc<Cell<bool>>) -> Payload {
    if matches!(body, Payload::None) {
        return body;
    }
    let counted = body.scan(0_u64, move |read, chunk| {
        let chunk = chunk.and_then(|chunk| {
            *read = read.saturating_add(chunk.len() as u64);
            overflow.set(*read > limit);
            if overflow.get() { Err(PayloadError::Overflow) } else { Ok(chunk) }
        });
        std::future::ready(Some(chunk))
    });
    Payload::Stream { payload: Box::pin(counted) }
}
