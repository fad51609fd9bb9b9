//! Requests whose module runs elsewhere: streamed there and back, with who we are and who asks told by tokens.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

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
use service_registry::{CallContext, CallError, Placement, Registry};
use service_registry_http::{ServiceSigner, headers_for};
use tokio::sync::mpsc;
use tracing::warn;

use super::problem_response;

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
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);
/// Shorter than the private listener's keep-alive, so that no request is sent into a connection that just closes.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);
const RETRIES: u8 = 2;

/// The way to the modules that run elsewhere.
pub struct Proxy {
    client: reqwest::Client,
    targets: BTreeMap<&'static str, reqwest::Url>,
    signer: Option<Arc<ServiceSigner>>,
    registry: Registry,
}

impl Proxy {
    /// A way to every service of `registry` that is placed elsewhere; `signer` signs as the gateway.
    pub fn new(registry: &Registry, signer: Option<Arc<ServiceSigner>>) -> anyhow::Result<Self> {
        let mut targets = BTreeMap::new();
        for service in registry.services() {
            if let Placement::Remote { url } = registry.placement(service.name) {
                targets.insert(service.name, url.parse::<reqwest::Url>()?);
            }
        }
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT);
        // Reading the system's certificates costs time, and fails where there are none.
        let tls = targets.values().any(|url| url.scheme() == "https");
        let client = if tls { client.build()? } else { client.tls_certs_only([]).build()? };
        Ok(Self { client, targets, signer, registry: registry.clone() })
    }
}

/// Answers what no local route took: passed on where another process owns it.
pub(super) async fn forward_or_not_found(
    req: HttpRequest,
    body: web::Payload,
    cx: Cx,
    proxy: web::Data<Proxy>,
) -> HttpResponse {
    let owner = proxy.registry.owner_of_path(req.path()).map(|service| service.name);
    match owner.and_then(|name| Some((name, proxy.targets.get(name)?))) {
        Some((target, base)) => {
            let passed = pass_on(&proxy, target, base, &req, body, &cx).await;
            passed.unwrap_or_else(|problem| problem_response(&cx, *problem))
        }
        None => problem_response(&cx, Problem::new(Code::NotFound)),
    }
}

async fn pass_on(
    proxy: &Proxy,
    target: &'static str,
    base: &reqwest::Url,
    req: &HttpRequest,
    body: web::Payload,
    cx: &Cx,
) -> Result<HttpResponse, Box<Problem>> {
    let mut url = base.clone();
    url.set_path(req.path());
    if url.path() != req.path() {
        // Resolved or escaped, it is another path than the one that was matched and authorised.
        return Err(Box::new(Problem::new(Code::NotFound)));
    }
    url.set_query(Some(req.query_string()).filter(|query| !query.is_empty()));
    let request = |attempt: u8| {
        let headers = headers(proxy, target, req, &repeated(cx, attempt))?;
        Ok::<_, Box<Problem>>(proxy.client.request(method(req), url.clone()).headers(headers))
    };
    let sent = if [Method::GET, Method::DELETE].contains(req.method()) && !has_body(req) {
        send_again(request, req.method() == Method::GET).await?
    } else {
        request(0)?.body(sendable(body)).send().await
    };
    match sent {
        Ok(answer) => Ok(pass_back(answer)),
        Err(error) => {
            warn!(service = target, %error, "No answer from {target}");
            Err(Box::new(unavailable()))
        }
    }
}

fn unavailable() -> Problem {
    Problem::new(Code::UpstreamUnavailable).retry_after(1)
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
    let ours = headers_for(cx, target, signer).map_err(|error| Box::new(call_problem(&error)))?;
    for (name, value) in ours {
        let value = reqwest::header::HeaderValue::try_from(value)
            .map_err(|_| Box::new(Problem::new(Code::Internal)))?;
        headers.insert(name, value);
    }
    Ok(headers)
}

fn call_problem(error: &CallError) -> Problem {
    match error {
        CallError::DeadlineExceeded { .. } => Problem::new(Code::DeadlineExceeded),
        _ => Problem::new(Code::Internal),
    }
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

fn has_body(req: &HttpRequest) -> bool {
    req.headers().contains_key(TRANSFER_ENCODING)
        || req.headers().get(CONTENT_LENGTH).is_some_and(|length| length.as_bytes() != b"0")
}

/// The context of one attempt: below a repeat nobody repeats, and each has only the time that is left by then.
fn repeated(cx: &CallContext, attempt: u8) -> CallContext {
    cx.clone().with_position(cx.call_id(), cx.depth(), cx.retry_attempt().saturating_add(attempt))
}

/// Sends again what may be sent again: a read after any failure, else what never left.
async fn send_again(
    request: impl Fn(u8) -> Result<reqwest::RequestBuilder, Box<Problem>>,
    safe: bool,
) -> Result<reqwest::Result<reqwest::Response>, Box<Problem>> {
    let mut attempt = 0;
    loop {
        match request(attempt)?.send().await {
            Err(error) if attempt < RETRIES && (safe || error.is_connect()) => {
                tokio::time::sleep(pause(attempt)).await;
                attempt += 1;
            }
            outcome => return Ok(outcome),
        }
    }
}

/// Full jitter up to 50 ms, then 100 ms: those who were cut off together do not come back together.
fn pause(attempt: u8) -> Duration {
    let random = uuid::Uuid::new_v4().as_u128() as u64 % 1000;
    Duration::from_millis(50 << attempt).mul_f64(random as f64 / 1000.0)
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

/// The module's answer as ours, streamed.
fn pass_back(answer: reqwest::Response) -> HttpResponse {
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
    let length = answer.content_length();
    let body = answer.bytes_stream().map_err(std::io::Error::other);
    match length {
        Some(0) => response.finish(),
        Some(length) => response.body(SizedStream::new(length, body)),
        None => response.body(BodyStream::new(body)),
    }
}
