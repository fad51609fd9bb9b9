//! One attempt: an endpoint is chosen, its breaker asked, the answer awaited and judged.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Extensions, StatusCode};
use reqwest::{Request, Response};
use reqwest_middleware::{Error, Middleware, Next, Result};
use service_registry::policy::Permit;

use super::endpoints::{Endpoint, Endpoints};
use super::rules::Rules;

/// Every endpoint is being left alone.
#[derive(Debug, thiserror::Error)]
#[error("left alone for another {wait:?}: it keeps failing")]
pub(super) struct ShortCircuited {
    pub(super) wait: Duration,
}

/// What the layers tell each other of one request; the only thing in its extensions, since each costs an allocation.
#[derive(Clone)]
pub(super) struct Journey {
    pub(super) rules: Rules,
    /// The endpoint of the attempt before; a repeat goes elsewhere if there is an elsewhere.
    tried: Option<Arc<Endpoint>>,
    /// Whether an attempt may have arrived. Not kept of the second of two that ran at once: only reads do, and they
    /// may be repeated anyway.
    pub(super) sent: bool,
    /// The body of the last answer, if it was read here.
    pub(super) body: Option<Bytes>,
}

impl Journey {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, tried: None, sent: false, body: None }
    }
}

pub(super) struct Attempt {
    endpoints: Arc<Endpoints>,
}

impl Attempt {
    pub(super) fn new(endpoints: Arc<Endpoints>) -> Self {
        Self { endpoints }
    }
}

#[async_trait]
impl Middleware for Attempt {
    async fn handle(
        &self,
        mut request: Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> Result<Response> {
        let tried = extensions.get::<Journey>().and_then(|journey| journey.tried.as_ref());
        let (endpoint, permit) = self.endpoints.choose(tried)?;
        let _busy = endpoint.busy();
        endpoint.address(&mut request);
        let answer = match endpoint.client() {
            Some(client) => client.execute(request).await.map_err(Error::Reqwest),
            None => next.run(request, extensions).await,
        };
        let Some(journey) = extensions.get_mut::<Journey>() else { return answer };
        journey.tried = Some(Arc::clone(&endpoint));
        journey.sent |= !matches!(&answer, Err(Error::Reqwest(error)) if error.is_connect());
        journey.body = None;
        let answer = match answer {
            Ok(answer) => read(answer, journey).await,
            failed => failed,
        };
        judge(permit, &answer, journey.rules.unavailable_is_failure);
        answer
    }
}

/// Reads an answer to its end if it is not too long for that, and keeps what it says beside it.
async fn read(mut answer: Response, journey: &mut Journey) -> Result<Response> {
    let limit = journey.rules.whole_answer_bytes;
    if limit < u64::MAX && answer.content_length().is_none_or(|length| length > limit) {
        return Ok(answer);
    }
    let first = answer.chunk().await?.unwrap_or_default();
    // Most answers are one chunk, and need no copy.
    journey.body = Some(match answer.chunk().await? {
        None => first,
        Some(second) => {
            let mut whole = BytesMut::from(first);
            whole.extend_from_slice(&second);
            while let Some(more) = answer.chunk().await? {
                whole.extend_from_slice(&more);
            }
            whole.freeze()
        }
    });
    Ok(answer)
}

/// A transport error or a 5xx is a failure, what a caller did wrong is not. A callee that says that the time ran
/// out is judged as if it had been cut off: it matters how long it had.
fn judge(permit: Permit, answer: &Result<Response>, unavailable_is_failure: bool) {
    match answer.as_ref().map(Response::status) {
        Ok(StatusCode::GATEWAY_TIMEOUT) => drop(permit),
        Ok(StatusCode::SERVICE_UNAVAILABLE) if !unavailable_is_failure => permit.succeeded(),
        Ok(status) if !status.is_server_error() => permit.succeeded(),
        Ok(_) | Err(_) => permit.failed(),
    }
}
