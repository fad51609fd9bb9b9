//! A service somewhere else: where it answers, and under which rules it is asked.
//!
//! Both a call and a public request that a gateway passes on go through here, so that what one learns of a
//! neighbour holds for the other. From the outside in: bulkhead, repeats, the choice of an endpoint, its breaker.

mod attempt;
mod endpoints;
mod hedge;
mod resolve;
mod retry;
mod rules;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Response, Url};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error};
use rustls::ClientConfig;
use service_registry::CallError;
use service_registry::policy::{Bulkhead, Policy};
use tracing::debug;

use self::attempt::{Attempt, ShortCircuited};
use self::endpoints::Endpoints;
pub use self::resolve::{Resolve, SystemResolver};
pub use self::retry::Make;
use self::retry::Repeats;
pub use self::rules::Rules;
use crate::tls::Tls;

/// One service elsewhere, at one address or several.
pub struct Upstream {
    service: String,
    base: Url,
    client: ClientWithMiddleware,
    repeats: Repeats,
    bulkhead: Bulkhead,
}

impl Upstream {
    /// `service` at `urls` (scheme, host and port each), asked under `policy`.
    pub fn new(service: &str, urls: &[String], policy: &Policy) -> Result<Self, CallError> {
        Self::with_resolver(service, urls, policy, SystemResolver::shared())
    }

    /// The same with another way to find the addresses of a name.
    pub fn with_resolver(
        service: &str,
        urls: &[String],
        policy: &Policy,
        resolver: Resolve,
    ) -> Result<Self, CallError> {
        Self::build(service, urls, policy, resolver, None)
    }

    /// The same over TLS, with our certificate, to whoever has one that names the service.
    pub fn over_tls(
        service: &str,
        urls: &[String],
        policy: &Policy,
        tls: &Arc<Tls>,
    ) -> Result<Self, CallError> {
        Self::build(service, urls, policy, SystemResolver::shared(), Some(tls.client_config(service)))
    }

    fn build(
        service: &str,
        urls: &[String],
        policy: &Policy,
        resolver: Resolve,
        tls: Option<ClientConfig>,
    ) -> Result<Self, CallError> {
        let bases = urls.iter().map(|url| parse(url)).collect::<Result<Vec<_>, _>>()?;
        let base = bases.first().cloned();
        let base = base.ok_or_else(|| CallError::failed(format!("no url for {service}")))?;
        let endpoints = Endpoints::new(service, bases, policy.breaker, resolver, tls.clone());
        let client = endpoints::http_client(&base, None, tls.as_ref())
            .map_err(|error| CallError::failed(format!("no http client: {error}")))?;
        let client = ClientBuilder::new(client).with(Attempt::new(endpoints)).build();
        let bulkhead = Bulkhead::new(policy.bulkhead, service, "remote");
        let repeats = Repeats::new(service, policy);
        Ok(Self { service: service.to_owned(), base, client, repeats, bulkhead })
    }

    pub fn service(&self) -> &str {
        &self.service
    }

    /// The first of its urls; requests are made for it, and sent to whichever endpoint is chosen.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Sends what `make` makes, for each attempt anew, and gives what came back, whatever its status.
    ///
    /// # Errors
    /// [`CallError::Unavailable`] when nobody answers or the breaker is open, [`CallError::Overloaded`] when
    /// too many wait already, [`CallError::DeadlineExceeded`] when the time ran out on the way; and what `make` fails with.
    pub async fn send(&self, make: impl Make, rules: Rules) -> Result<Answer, CallError> {
        let _place = self.bulkhead.enter().await?;
        let (sent, journey) = self.repeats.send(&self.client, make, rules).await?;
        let response = sent.map_err(|error| self.unanswered(&error))?;
        Ok(Answer { response, body: journey.and_then(|journey| journey.body) })
    }

    fn unanswered(&self, error: &Error) -> CallError {
        let service = self.service.clone();
        match error {
            Error::Reqwest(error) => {
                debug!(service, %error, "No answer from {service}");
                match error.is_timeout() && !error.is_connect() {
                    true => CallError::deadline_exceeded(service, "request"),
                    false => CallError::unavailable(service),
                }
            }
            Error::Middleware(error) => match error.downcast_ref::<ShortCircuited>() {
                Some(ShortCircuited { wait }) => {
                    CallError::Unavailable { service, retry_after_ms: millis(*wait).max(1) }
                }
                None => CallError::failed(error.to_string()),
            },
        }
    }
}

/// What came back.
pub struct Answer {
    /// Status and headers; the body too, where it is longer than what is read at once.
    pub response: Response,
    /// The whole body, where it is not.
    pub body: Option<Bytes>,
}

fn parse(url: &str) -> Result<Url, CallError> {
    Url::parse(url).map_err(|error| CallError::failed(format!("bad url {url}: {error}")))
}

fn millis(wait: Duration) -> u64 {
    u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)
}
