use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::Value;
use tokio::time::sleep;

/// Longer than anything here takes on a busy machine, so that a test ends rather than hangs.
const PATIENCE: Duration = Duration::from_secs(60);
const ASK_EVERY: Duration = Duration::from_millis(15);

/// Somebody who calls the API.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    pub token: Option<String>,
}

/// A whole answer.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

/// Asks again and again until there is something, and fails when there never is.
pub async fn patiently<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(there) = ask().await {
            return there;
        }
        assert!(started.elapsed() < PATIENCE, "waited in vain: {what}");
        sleep(ASK_EVERY).await;
    }
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        // No system certificates: there is nothing but plain HTTP on this machine.
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).tls_certs_only([]);
        let http = http.user_agent("journey").build().expect("a plain client can be built");
        Self { http, base: format!("http://{address}"), token: None }
    }

    /// Somebody who asks over TLS as orchestrators do: without a certificate, and without a look at the other's.
    pub fn like_an_orchestrator(address: SocketAddr) -> Self {
        Self::over_tls(address, reqwest::Client::builder())
    }

    /// Somebody who shows this certificate and key, in PEM, to whoever answers.
    pub fn showing(certificate: &str, address: SocketAddr) -> Self {
        let identity =
            reqwest::Identity::from_pem(certificate.as_bytes()).expect("a certificate and its key");
        Self::over_tls(address, reqwest::Client::builder().identity(identity))
    }

    fn over_tls(address: SocketAddr, http: reqwest::ClientBuilder) -> Self {
        let http = http.no_proxy().timeout(PATIENCE).tls_danger_accept_invalid_certs(true);
        let http = http.build().expect("a client can be built");
        Self { http, base: format!("https://{address}"), token: None }
    }

    pub fn with_token(&self, token: impl Into<String>) -> Self {
        Self { token: Some(token.into()), ..self.clone() }
    }

    /// A request to be completed and [sent](Self::send).
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        }
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        Self::try_send(request).await.expect("the server answers")
    }

    /// The answer, or nothing where nobody answers.
    pub async fn try_send(request: RequestBuilder) -> Option<Answer> {
        Answer::of(request.send().await.ok()?).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn try_get(&self, path: &str) -> Option<Answer> {
        Self::try_send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// POST under an `Idempotency-Key`.
    pub async fn post_once(&self, path: &str, key: &str, body: &Value) -> Answer {
        self.send(self.request(Method::POST, path).header("idempotency-key", key).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(self.request(Method::PATCH, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Sends a bank file; `query` is `file_name=…` and the like.
    pub async fn upload(&self, file: impl Into<reqwest::Body>, query: &str) -> Answer {
        self.send(self.upload_request(file, query)).await
    }

    pub fn upload_request(&self, file: impl Into<reqwest::Body>, query: &str) -> RequestBuilder {
        let request = self.request(Method::POST, &format!("/api/v1/imports?{query}"));
        request.header("content-type", "application/octet-stream").body(file)
    }
}

impl Answer {
    async fn of(response: Response) -> Option<Self> {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Some(Self { status, headers, text: response.text().await.ok()? })
    }

    /// The body, where the status is the one that was hoped for.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        if self.text.is_empty() { Value::Null } else { self.json() }
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error} in {}", self.text))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The problem document, which has to be whole: RFC 9457, named by the request's id, stored by nobody.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(self.header("cache-control"), "no-store");
        assert!(problem["type"].as_str().is_some_and(|kind| kind.starts_with("https://")), "{problem}");
        assert!(problem["title"].is_string(), "{problem}");
        let id = self.header("x-request-id");
        assert!(uuid::Uuid::try_parse(id).is_ok(), "a request id: {id:?}");
        assert_eq!(problem["request_id"], id);
        assert_eq!(problem["instance"], format!("urn:uuid:{id}"));
        problem
    }
}
