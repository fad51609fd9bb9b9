//! The calling side.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest::{Client, Request, Response, Url, redirect};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error};
use service_registry::{CallError, Outgoing, Reply, Transport, TransportFactory};
use tracing::debug;

use crate::retry::{RetryByClass, Rules};
use crate::signer::ServiceSigner;
use crate::wire::{REFUSAL, REPLAYED, headers_for};

/// Time to open a connection: a neighbour that needs more is as good as absent.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// Idle connections are dropped before the server's own five seconds of keep-alive: a call sent into a
/// closing connection would fail, and one that must not be repeated would stay failed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Calls to one service at one address.
pub struct HttpTransport {
    client: ClientWithMiddleware,
    service: String,
    base: Url,
    signer: Arc<ServiceSigner>,
}

impl HttpTransport {
    /// A transport to `service` at `url` (scheme, host and port), signing as `signer`.
    pub fn new(service: impl Into<String>, url: &str, signer: Arc<ServiceSigner>) -> Result<Self, CallError> {
        let base = Url::parse(url).map_err(|error| CallError::failed(format!("bad url {url}: {error}")))?;
        let client = http_client(base.scheme() == "https")
            .map_err(|error| CallError::failed(format!("no http client: {error}")))?;
        let client = ClientBuilder::new(client).with(RetryByClass::new()).build();
        Ok(Self { client, service: service.into(), base, signer })
    }

    /// Makes transports for a registry; all sign as `signer`.
    pub fn factory(signer: Arc<ServiceSigner>) -> TransportFactory {
        Arc::new(move |service, url| {
            let transport = Self::new(service.name, url, Arc::clone(&signer))?;
            Ok(Arc::new(transport) as Arc<dyn Transport>)
        })
    }

    fn request(&self, call: &Outgoing<'_>) -> Result<Request, CallError> {
        let mut url = self.base.clone();
        url.set_path(&format!("rpc/{}/v{}/{}", call.service, call.version, call.method.name));
        let mut request = Request::new(Method::POST, url);
        *request.body_mut() = Some(call.arguments.clone().into());
        *request.headers_mut() = self.headers(call)?;
        Ok(request)
    }

    fn headers(&self, call: &Outgoing<'_>) -> Result<HeaderMap, CallError> {
        let pairs =
            headers_for(call.cx, call.service, &self.signer).map_err(|error| name_method(error, call))?;
        let mut headers = HeaderMap::with_capacity(pairs.len() + 2);
        for (name, value) in pairs {
            let value = HeaderValue::try_from(value)
                .map_err(|_| CallError::protocol(format!("header {name} cannot be written")))?;
            headers.insert(HeaderName::from_static(name), value);
        }
        Ok(headers)
    }

    fn unreachable(&self, error: &Error, call: &Outgoing<'_>) -> CallError {
        debug!(service = self.service, %error, "No answer from {} at {}", self.service, self.base);
        match error {
            Error::Reqwest(error) if error.is_timeout() && !error.is_connect() => deadline_exceeded(call),
            _ => CallError::unavailable(&self.service),
        }
    }

    /// Reads an answer: 200 is the method's, 422 with its mark the service's own error, all else a [`CallError`].
    async fn reply(&self, response: Response, call: &Outgoing<'_>) -> Result<Reply, CallError> {
        let status = response.status();
        let refusal = response.headers().contains_key(REFUSAL);
        if response.headers().contains_key(REPLAYED) {
            call.cx.mark_replayed();
        }
        let body = response.bytes().await.map_err(|error| self.unreachable(&error.into(), call))?;
        match status {
            StatusCode::OK => Ok(Reply::Answer(body)),
            StatusCode::UNPROCESSABLE_ENTITY if refusal => Ok(Reply::Refusal(body)),
            _ => Err(self.failure(status, &body)),
        }
    }

    /// The callee's own [`CallError`], or what the status says when something between us answered.
    fn failure(&self, status: StatusCode, body: &Bytes) -> CallError {
        serde_json::from_slice(body).unwrap_or_else(|_| match status {
            StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                CallError::unavailable(&self.service)
            }
            _ => CallError::protocol(format!("{} answered with status {status}", self.service)),
        })
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn call(&self, call: Outgoing<'_>) -> Result<Reply, CallError> {
        let request = self.request(&call)?;
        let mut extensions = Extensions::new();
        extensions.insert(Rules {
            class: call.method.class,
            deadline: call.cx.deadline(),
            attempt_above: call.cx.retry_attempt(),
            body_bytes: call.arguments.len(),
        });
        match self.client.execute_with_extensions(request, &mut extensions).await {
            Ok(response) => self.reply(response, &call).await,
            Err(error) => Err(self.unreachable(&error, &call)),
        }
    }
}

/// A client for private listeners: no proxy of the environment, no redirects, and no certificates read
/// where no TLS is spoken (reading them fails on an image that has none).
fn http_client(tls: bool) -> reqwest::Result<Client> {
    let builder = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        // Its own repeats are for HTTP/2; for them it would copy each request before sending it.
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT);
    if tls { builder.build() } else { builder.tls_certs_only([]).build() }
}

fn deadline_exceeded(call: &Outgoing<'_>) -> CallError {
    CallError::deadline_exceeded(call.service, call.method.name)
}

fn name_method(error: CallError, call: &Outgoing<'_>) -> CallError {
    match error {
        CallError::DeadlineExceeded { .. } => deadline_exceeded(call),
        other => other,
    }
}
