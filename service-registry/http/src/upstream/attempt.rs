//! One attempt: an endpoint is chosen, its breaker asked, the answer awaited and judged.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
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

/// The endpoint of the attempt before; a repeat goes elsewhere if there is an elsewhere.
#[derive(Clone)]
struct Tried(Arc<Endpoint>);

pub(super) struct Attempt {
    endpoints: Endpoints,
}

impl Attempt {
    pub(super) fn new(endpoints: Endpoints) -> Self {
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
        let rules = extensions.get::<Rules>().copied();
        let tried = extensions.get::<Tried>().map(|tried| Arc::clone(&tried.0));
        let (endpoint, permit) = self.endpoints.choose(tried.as_ref())?;
        extensions.insert(Tried(Arc::clone(&endpoint)));
        let _busy = endpoint.busy();
        endpoint.address(&mut request);
        let answer = match endpoint.client() {
            Some(client) => client.execute(request).await.map_err(Error::Reqwest),
            None => next.run(request, extensions).await,
        };
        let answer = match (answer, rules) {
            (Ok(answer), Some(rules)) => whole(answer, rules.whole_answer_bytes).await,
            (answer, _) => answer,
        };
        judge(permit, &answer, rules.is_none_or(|rules| rules.unavailable_is_failure));
        answer
    }
}

/// Reads an answer to its end if it is not too long for that.
async fn whole(answer: Response, limit: u64) -> Result<Response> {
    if limit < u64::MAX && answer.content_length().is_none_or(|length| length > limit) {
        return Ok(answer);
    }
    let (head, body) = http::Response::<reqwest::Body>::from(answer).into_parts();
    let body = Response::from(http::Response::new(body)).bytes().await?;
    Ok(Response::from(http::Response::from_parts(head, body)))
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
