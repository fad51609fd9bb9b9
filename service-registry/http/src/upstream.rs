//! A service somewhere else: where it answers, and under which rules it is asked.
//!
//! Both a call and a public request that a gateway passes on go through here, so that what one learns of a
//! neighbour holds for the other. From the outside in: bulkhead, repeats, the choice of an endpoint, its breaker.

mod attempt;
mod contracts;
mod endpoints;
mod greeting;
mod hedge;
mod resolve;
mod retry;
mod rules;
#[cfg(test)]
mod simulation;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use reqwest::{Response, Url};
use reqwest_middleware::{ClientBuilder, ClientWithMiddleware, Error};
use rustls::ClientConfig;
use service_registry::contract::ContractState;
use service_registry::policy::{Bulkhead, Policy};
use service_registry::{CallError, Endpoint, Tally, Unanswered};
use tracing::debug;

use self::attempt::{Attempt, Journey, ShortCircuited, Unfit};
pub use self::contracts::Spoken;
use self::contracts::Unreached;
use self::endpoints::Endpoints;
pub use self::resolve::{Resolve, SystemResolver};
pub use self::retry::Make;
use self::retry::Repeats;
pub use self::rules::Rules;
use crate::signer::ServiceSigner;
use crate::tls::Tls;

/// One service elsewhere, at one address or several.
pub struct Upstream {
    service: String,
    urls: Vec<String>,
    base: Url,
    client: ClientWithMiddleware,
    attempt: Arc<Attempt>,
    repeats: Repeats,
    bulkhead: Bulkhead,
}

impl Upstream {
    /// `service` at `urls` (scheme, host and port each, or a socket: `unix:///run/ledger.sock`), asked under `policy`.
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
        let base = bases.first().map(endpoints::requested);
        let base = base.ok_or_else(|| CallError::failed(format!("no url for {service}")))?;
        if let Some(socket) = bases.iter().find(|base| tls.is_some() && endpoints::is_socket(base)) {
            return Err(CallError::failed(format!("nobody shows a certificate on {socket}")));
        }
        let no_client = |error| CallError::failed(format!("no http client: {error}"));
        let endpoints =
            Endpoints::new(service, bases, policy.breaker, resolver, tls.clone()).map_err(no_client)?;
        let client = endpoints::http_client(&base, None, tls.as_ref()).map_err(no_client)?;
        let attempt = Arc::new(Attempt::new(endpoints));
        let client = ClientBuilder::new(client).with_arc(attempt.clone()).build();
        let bulkhead = Bulkhead::new(policy.bulkhead, service, "remote");
        let repeats = Repeats::new(service, policy);
        let (service, urls) = (service.to_owned(), urls.to_vec());
        Ok(Self { service, urls, base, client, attempt, repeats, bulkhead })
    }

    pub fn service(&self) -> &str {
        &self.service
    }

    /// As they were given.
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// The first of its urls; requests are made for it, and sent to whichever endpoint is chosen.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Asks endpoints for their contracts as this service from now on, unless it does so already as another.
    pub fn greet_as(&self, signer: &Arc<ServiceSigner>) {
        self.attempt.greeter.sign_as(signer);
    }

    /// What is known of the contracts of its endpoints.
    pub fn contract_states(&self) -> Vec<ContractState> {
        self.attempt.endpoints().contract_states(&self.service)
    }

    /// Sends what `make` makes, for each attempt anew, and gives what came back, whatever its status. Each repeat
    /// is counted in `retries`.
    ///
    /// # Errors
    /// [`CallError::Unavailable`] when nobody answers or the breaker is open, [`CallError::Overloaded`] when
    /// too many wait already, [`CallError::DeadlineExceeded`] when the time ran out on the way; and what `make` fails with.
    pub async fn send(&self, make: impl Make, rules: Rules, retries: &Tally) -> Result<Answer, Unanswered> {
        let _place = self.bulkhead.enter().await.map_err(Unanswered::unsent)?;
        let (outcome, mut notes) = self.repeats.send(&self.client, make, rules, retries).await?;
        let journey: Option<Journey> = notes.remove();
        match outcome {
            Ok(response) => Ok(Answer { response, body: journey.and_then(|journey| journey.body) }),
            Err(error) => {
                let sent = journey.is_none_or(|journey| journey.sent);
                Err(Unanswered { error: self.name(&error), sent })
            }
        }
    }

    /// Whether one of its endpoints would be asked now.
    pub fn is_available(&self) -> bool {
        self.attempt.endpoints().is_available()
    }

    /// Its endpoints, as an operator is told.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.attempt.endpoints().told()
    }

    /// Repeats that its calls may have now.
    pub fn retry_budget_left(&self) -> u64 {
        self.repeats.budget.left()
    }

    fn name(&self, error: &Error) -> CallError {
        let service = self.service.clone();
        match error {
            Error::Reqwest(error) => {
                debug!(service, %error, "No answer from {service}");
                match error.is_timeout() && !error.is_connect() {
                    true => CallError::deadline_exceeded(service, "request"),
                    false => CallError::unavailable(service),
                }
            }
            Error::Middleware(error) => {
                if let Some(ShortCircuited { wait }) = error.downcast_ref() {
                    CallError::Unavailable { service, retry_after_ms: millis(*wait).max(1) }
                } else if let Some(Unfit(refusal)) = error.downcast_ref() {
                    refusal.clone()
                } else if error.is::<Unreached>() {
                    CallError::unavailable(service)
                } else {
                    CallError::failed(error.to_string())
                }
            }
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
