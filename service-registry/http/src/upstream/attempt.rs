//! One attempt: an endpoint is chosen, its breaker asked, the answer awaited and judged.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Extensions, StatusCode};
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Error, Middleware, Next, Result};
use service_registry::CallError;
use service_registry::policy::Permit;

use super::contracts::Unmet;
use super::endpoints::{Busy, Endpoint, Endpoints};
use super::greeting::{Greeted, Greeter};
use super::rules::Rules;
use crate::wire::CONTRACT;

/// Every endpoint is being left alone.
#[derive(Debug, thiserror::Error)]
#[error("left alone for another {wait:?}: it keeps failing")]
pub(super) struct ShortCircuited {
    pub(super) wait: Duration,
}

/// The contract refuses the call at every endpoint.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Unfit(pub(super) CallError);

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
    /// Whether that answer was to the handshake, or says that another build answers by now: the call was not taken.
    pub(super) unsent: bool,
}

impl Journey {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, tried: None, sent: false, body: None, unsent: false }
    }
}

pub(super) struct Attempt {
    endpoints: Endpoints,
    pub(super) greeter: Greeter,
}

/// Who is asked, and what came of it already where the handshake did not come to an end.
struct Chosen {
    busy: Busy,
    permit: Permit,
    early: Option<Result<Response>>,
}

impl Attempt {
    pub(super) fn new(endpoints: Endpoints) -> Self {
        Self { endpoints, greeter: Greeter::default() }
    }

    pub(super) fn endpoints(&self) -> &Endpoints {
        &self.endpoints
    }

    /// An endpoint whose breaker and whose contract let the call through.
    async fn choose(
        &self,
        base: &Url,
        rules: &Rules,
        mut tried: Option<Arc<Endpoint>>,
        next: &Next<'_>,
    ) -> Result<Chosen> {
        let version = rules.spoken.map(|spoken| spoken.version);
        let mut refusals = 0;
        loop {
            let (endpoint, permit) = self.endpoints.choose(tried.as_ref(), version)?;
            let busy = endpoint.busy();
            let endpoint = &busy.0;
            let Some(spoken) = rules.spoken.filter(|spoken| !endpoint.contracts.agreed(spoken.version))
            else {
                return Ok(Chosen { busy, permit, early: None });
            };
            let whom = Greeted { endpoint, base, next, remaining: rules.remaining() };
            let ask = self.greeter.greet(whom, spoken);
            // Boxed, so that calls after a handshake do not carry the room that it needs.
            let met = Box::pin(endpoint.contracts.meet(spoken, &endpoint.name(), ask)).await;
            let early = match met {
                Ok(()) => None,
                Err(Unmet::Early(outcome)) => Some(outcome),
                Err(Unmet::Refused(refusal)) => {
                    refusals += 1;
                    if refusals >= self.endpoints.count() {
                        return Err(Error::middleware(Unfit(refusal)));
                    }
                    tried = Some(Arc::clone(endpoint));
                    continue;
                }
            };
            return Ok(Chosen { busy, permit, early });
        }
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
        let Some(Journey { rules, tried, .. }) = extensions.get::<Journey>().cloned() else {
            return next.run(request, extensions).await;
        };
        let Chosen { busy, permit, early } = self.choose(request.url(), &rules, tried, &next).await?;
        let endpoint = &busy.0;
        if let Some(mark) = rules.spoken.and_then(|spoken| endpoint.contracts.mark(spoken.version)) {
            request.headers_mut().insert(&CONTRACT.written, mark);
        }
        let unsent = early.is_some();
        let answer = match early {
            Some(outcome) => outcome,
            None => endpoint.send(request, extensions, next).await,
        };
        let Some(journey) = extensions.get_mut::<Journey>() else { return answer };
        journey.tried = Some(Arc::clone(endpoint));
        journey.body = None;
        let replaced = rules.spoken.is_some()
            && answer.as_ref().is_ok_and(|answer| answer.status() == StatusCode::PRECONDITION_FAILED);
        journey.unsent = unsent || replaced;
        journey.sent |=
            !journey.unsent && !matches!(&answer, Err(Error::Reqwest(error)) if error.is_connect());
        let answer = match answer {
            Ok(mut answer) => read(&mut answer, journey).await.map(|()| answer),
            failed => failed,
        };
        if answer.is_err() || replaced {
            endpoint.contracts.forget();
        }
        judge(permit, &answer, rules.unavailable_is_failure);
        answer
    }
}

/// Reads an answer to its end if it is not too long for that, and keeps what it says beside it.
async fn read(answer: &mut Response, journey: &mut Journey) -> Result<()> {
    let limit = journey.rules.whole_answer_bytes;
    if limit < u64::MAX && answer.content_length().is_none_or(|length| length > limit) {
        return Ok(());
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
    Ok(())
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
