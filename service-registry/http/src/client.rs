//! The calling side.

use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, StatusCode};
use reqwest::{Request, Url};
use service_registry::contract::ContractState;
use service_registry::policy::Policy;
use service_registry::{CallError, Endpoint, Outgoing, Reply, Transport, Unanswered};

use crate::signer::{ServiceSigner, Signers};
use crate::upstream::{Answer, Rules, Spoken, Upstream};
use crate::wire::{REFUSAL, REPLAYED, headers_for};

/// Calls to one service, at one address or several.
pub struct HttpTransport {
    upstream: Arc<Upstream>,
    signers: Signers,
    /// By version and method.
    addresses: ArcSwap<Vec<((u32, &'static str), Url)>>,
}

impl HttpTransport {
    /// A transport to `service` at `url` (scheme, host and port, or a socket) under the default policy, signing as `signer`.
    pub fn new(service: impl Into<String>, url: &str, signer: Arc<ServiceSigner>) -> Result<Self, CallError> {
        let upstream = Upstream::new(&service.into(), &[url.to_owned()], &Policy::default())?;
        Ok(Self::over(Arc::new(upstream), signer))
    }

    /// A transport to a service that others here may ask too.
    pub fn over(upstream: Arc<Upstream>, signers: impl Into<Signers>) -> Self {
        let signers = signers.into();
        signers.first().into_iter().for_each(|signer| upstream.greet_as(signer));
        Self { upstream, signers, addresses: ArcSwap::default() }
    }

    fn request(&self, call: &Outgoing<'_>) -> Result<Request, CallError> {
        let mut request = Request::new(Method::POST, self.address(call));
        *request.body_mut() = Some(call.arguments.clone().into());
        let signer = self.signers.of(call.service, call.method.name)?;
        let headers = headers_for(call.cx, call.service, signer);
        *request.headers_mut() = headers.map_err(|error| name_method(error, call))?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Ok(request)
    }

    /// Where the method is called; parsed at its first call.
    fn address(&self, call: &Outgoing<'_>) -> Url {
        let known = self.addresses.load();
        let key = (call.version, call.method.name);
        let this = |(known, _): &&((u32, &str), Url)| *known == key;
        if let Some((_, url)) = known.iter().find(this) {
            return url.clone();
        }
        let mut url = self.upstream.base().clone();
        url.set_path(&format!("rpc/{}/v{}/{}", call.service, call.version, call.method.name));
        self.addresses.rcu(|known| {
            known.iter().filter(|other| !this(other)).cloned().chain([(key, url.clone())]).collect::<Vec<_>>()
        });
        url
    }

    /// Reads an answer: 200 is the method's, 422 with its mark the service's own error, all else a [`CallError`].
    fn reply(&self, answer: Answer, call: &Outgoing<'_>) -> Result<Reply, CallError> {
        let Answer { response, body } = answer;
        let status = response.status();
        let refusal = response.headers().contains_key(&REFUSAL.written);
        if response.headers().contains_key(&REPLAYED.written) {
            call.cx.mark_replayed();
        }
        // Read to its end by our rules.
        let body = body.unwrap_or_default();
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
                CallError::unavailable(self.upstream.service())
            }
            _ => CallError::protocol(format!("{} answered with status {status}", self.upstream.service())),
        })
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn call(&self, call: Outgoing<'_>) -> Result<Reply, Unanswered> {
        let spoken = Spoken { contract: call.contract, version: call.version, method: call.method.name };
        let rules = Rules {
            spoken: Some(spoken),
            dedupe: call.method.dedupe,
            ..Rules::new(call.method.class, call.cx, Some(call.arguments.len()))
        };
        match self.upstream.send(|| self.request(&call), rules, call.retries).await {
            Ok(answer) => Ok(self.reply(answer, &call)?),
            Err(Unanswered { error, sent }) => Err(Unanswered { error: name_method(error, &call), sent }),
        }
    }

    fn is_available(&self) -> bool {
        self.upstream.is_available()
    }

    fn contract_state(&self) -> Vec<ContractState> {
        self.upstream.contract_states()
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        self.upstream.endpoints()
    }

    fn retry_budget_left(&self) -> Option<u64> {
        Some(self.upstream.retry_budget_left())
    }
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
