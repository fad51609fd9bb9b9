//! Requests whose module runs elsewhere: streamed there and back, with who we are and who asks told by tokens.

use std::sync::Arc;

use actix_web::body::{BodyStream, SizedStream};
use actix_web::http::header::{
    ACCEPT, ACCEPT_LANGUAGE, CONNECTION, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName,
    HeaderValue, TRANSFER_ENCODING, UPGRADE, USER_AGENT,
};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use kernel::{Code, Problem};
use platform::http::Cx;
use service_registry::{CallContext, Class, Registry, Unanswered};
use service_registry_http::{Answer, Rules, ServiceSigner, Upstream, headers_for};
use tokio::sync::mpsc;
use tracing::warn;

use super::problem_response;
use crate::upstreams::Upstreams;

/// What goes on to the module. Everything else stays here, above all what a client could pretend with.
const PASSED_ON: [HeaderName; 6] =
    [ACCEPT, ACCEPT_LANGUAGE, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT];
/// What belongs to one connection (RFC 9110 §7.6.1), or is ours to say.
const NOT_PASSED_BACK: [HeaderName; 7] = [
    CONNECTION,
    CONTENT_LENGTH,
    DATE,
    TRANSFER_ENCODING,
    UPGRADE,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("x-request-id"),
];
/// Chunks of a body that may wait for the module to read them.
const CHUNKS_AHEAD: usize = 8;
/// Bodies up to here are held until they are answered, so that they can be sent again; and answers until they are
/// whole, so that they can be asked for again. Longer ones are streamed.
const HELD_BYTES: usize = 64 * 1024;

/// The way to the modules that run elsewhere.
pub struct Proxy {
    upstreams: Upstreams,
    signer: Option<Arc<ServiceSigner>>,
    registry: Registry,
}

impl Proxy {
    /// A way to every service that is placed elsewhere; `signer` signs as the gateway.
    pub fn new(registry: &Registry, upstreams: Upstreams, signer: Option<Arc<ServiceSigner>>) -> Self {
        Self { upstreams, signer, registry: registry.clone() }
    }

    /// The way to the module that owns `path`, where it does not run here.
    fn way_of(&self, path: &str) -> Option<(&'static str, Arc<Upstream>)> {
        let owner = self.registry.owner_of_path(path)?.name;
        if self.registry.runs(owner) {
            return None;
        }
        let urls = self.registry.placement(owner).urls;
        let way = self.upstreams.reach(owner, &urls);
        let way = way.inspect_err(|error| warn!(owner, %error, "No way to {owner}")).ok()?;
        Some((owner, way))
    }
}

/// Answers what no local route took: passed on where another process owns it.
pub(super) async fn forward_or_not_found(
    req: HttpRequest,
    body: web::Payload,
    cx: Cx,
    proxy: web::Data<Proxy>,
) -> HttpResponse {
    match proxy.way_of(req.path()) {
        Some(target) => {
            let passed = pass_on(&proxy, &target, &req, body, &cx).await;
            passed.unwrap_or_else(|problem| problem_response(&cx, *problem))
        }
        None => problem_response(&cx, Problem::new(Code::NotFound)),
    }
}

async fn pass_on(
    proxy: &Proxy,
    (service, target): &(&'static str, Arc<Upstream>),
    req: &HttpRequest,
    body: web::Payload,
    cx: &Cx,
) -> Result<HttpResponse, Box<Problem>> {
    let mut url = target.base().clone();
    url.set_path(req.path());
    if url.path() != req.path() {
        // Resolved or escaped, it is another path than the one that was matched and authorised.
        return Err(Box::new(Problem::new(Code::NotFound)));
    }
    url.set_query(Some(req.query_string()).filter(|query| !query.is_empty()));
    let (method, headers) = (method(req), headers(proxy, service, req, cx)?);
    let mut body = passable(req, body).await?;
    let rules = rules(req, cx, &body);
    let make = || {
        let mut request = reqwest::Request::new(method.clone(), url.clone());
        headers.clone_into(request.headers_mut());
        *request.body_mut() = body.next();
        Ok(request)
    };
    let retries = proxy.registry.requests_to(service).retries();
    match target.send(make, rules, &retries).await {
        Ok(answer) => Ok(pass_back(answer)),
        Err(Unanswered { error, .. }) => {
            warn!(service, %error, "No answer from {service}");
            Err(Box::new(Problem::of_failed_call(error.kind(), error.retry_after_ms())))
        }
    }
}

/// What is sent again after a failure: a read, and a write that was held here. Every route that writes either knows a
/// repeat by its call id, or has no second effect.
fn rules(req: &HttpRequest, cx: &CallContext, body: &Passed) -> Rules {
    let class = match *req.method() {
        Method::GET | Method::HEAD => Class::Read,
        _ => Class::Once,
    };
    Rules {
        dedupe: true,
        whole_answer_bytes: HELD_BYTES as u64,
        // A module that cannot reach a neighbour of its own says so with 503, and is well itself.
        unavailable_is_failure: false,
        ..Rules::new(class, cx, body.held_bytes())
    }
}

fn headers(
    proxy: &Proxy,
    target: &str,
    req: &HttpRequest,
    cx: &CallContext,
) -> Result<reqwest::header::HeaderMap, Box<Problem>> {
    let mut headers = reqwest::header::HeaderMap::new();
    for name in &PASSED_ON {
        if let Some(value) = req.headers().get(name).and_then(|value| convert(value.as_bytes())) {
            headers.insert(convert_name(name), value);
        }
    }
    let signer = proxy.signer.as_ref().ok_or_else(|| Box::new(Problem::new(Code::Internal)))?;
    let ours = headers_for(cx, target, signer);
    let ours =
        ours.map_err(|error| Box::new(Problem::of_failed_call(error.kind(), error.retry_after_ms())))?;
    headers.extend(ours);
    Ok(headers)
}

/// actix and reqwest stand on different versions of the `http` crate.
fn method(req: &HttpRequest) -> reqwest::Method {
    reqwest::Method::from_bytes(req.method().as_str().as_bytes()).unwrap_or_default()
}

fn convert(value: &[u8]) -> Option<reqwest::header::HeaderValue> {
    reqwest::header::HeaderValue::from_bytes(value).ok()
}

fn convert_name(name: &HeaderName) -> reqwest::header::HeaderName {
    reqwest::header::HeaderName::from_bytes(name.as_str().as_bytes())
        .expect("a header name is one in every version")
}

/// A request's body on its way on.
enum Passed {
    Held(Bytes),
    /// Can be sent once.
    Streamed(Option<reqwest::Body>),
}

impl Passed {
    /// The body of the next attempt.
    fn next(&mut self) -> Option<reqwest::Body> {
        match self {
            Self::Held(bytes) if bytes.is_empty() => None,
            Self::Held(bytes) => Some(bytes.clone().into()),
            Self::Streamed(body) => body.take(),
        }
    }

    fn held_bytes(&self) -> Option<usize> {
        match self {
            Self::Held(bytes) => Some(bytes.len()),
            Self::Streamed(_) => None,
        }
    }
}

async fn passable(req: &HttpRequest, body: web::Payload) -> Result<Passed, Box<Problem>> {
    let length = req.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    match length {
        Some(1..=HELD_BYTES) => match body.to_bytes_limited(HELD_BYTES).await {
            Ok(Ok(bytes)) => Ok(Passed::Held(bytes)),
            _ => Err(Box::new(Problem::new(Code::MalformedRequest).detail("the body broke off"))),
        },
        Some(0) => Ok(Passed::Held(Bytes::new())),
        None if !req.headers().contains_key(TRANSFER_ENCODING) => Ok(Passed::Held(Bytes::new())),
        _ => Ok(Passed::Streamed(Some(sendable(body)))),
    }
}

/// The body of a worker thread's request as one that may leave the thread. Read only as fast as it is sent.
fn sendable(mut body: web::Payload) -> reqwest::Body {
    let (sender, receiver) = mpsc::channel::<Result<Bytes, std::io::Error>>(CHUNKS_AHEAD);
    actix_web::rt::spawn(async move {
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| std::io::Error::other(error.to_string()));
            let broken = chunk.is_err();
            if sender.send(chunk).await.is_err() || broken {
                break;
            }
        }
    });
    let chunks = stream::unfold(receiver, |mut receiver| async { Some((receiver.recv().await?, receiver)) });
    reqwest::Body::wrap_stream(chunks)
}

/// The module's answer as ours, streamed where it is long.
fn pass_back(answer: Answer) -> HttpResponse {
    let Answer { response: answer, body } = answer;
    let status = StatusCode::from_u16(answer.status().as_u16()).unwrap_or(StatusCode::BAD_GATEWAY);
    let mut response = HttpResponse::build(status);
    for (name, value) in answer.headers() {
        let name = HeaderName::from_bytes(name.as_str().as_bytes());
        let value = HeaderValue::from_bytes(value.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value)
            && !NOT_PASSED_BACK.contains(&name)
        {
            response.append_header((name, value));
        }
    }
    if let Some(body) = body {
        return if body.is_empty() { response.finish() } else { response.body(body) };
    }
    let length = answer.content_length();
    let body = answer.bytes_stream().map_err(std::io::Error::other);
    match length {
        Some(0) => response.finish(),
        Some(length) => response.body(SizedStream::new(length, body)),
        None => response.body(BodyStream::new(body)),
    }
}
