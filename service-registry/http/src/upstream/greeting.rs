//! The handshake: asks an endpoint for its contract and compares it with the caller's.

use std::sync::OnceLock;
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{Extensions, HeaderValue, Method, StatusCode};
use reqwest::{Request, Response, Url};
use reqwest_middleware::{Error, Next};
use serde::de::DeserializeOwned;
use service_registry::contract::{Agreement, Difference, Document, Offer, compare};
use std::sync::Arc;

use super::contracts::{Heard, Spoken, Unmet};
use super::endpoints::Endpoint;
use crate::signer::ServiceSigner;

/// A neighbour that does not say in this time what it offers would not answer a call either.
const PATIENCE: Duration = Duration::from_secs(1);

/// Asks as one service.
#[derive(Default)]
pub(super) struct Greeter {
    signer: OnceLock<Arc<ServiceSigner>>,
}

/// Whom to ask, where, and how long to wait at most.
pub(super) struct Greeted<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) base: &'a Url,
    pub(super) next: &'a Next<'a>,
    pub(super) remaining: Duration,
}

impl Greeter {
    pub(super) fn sign_as(&self, signer: &Arc<ServiceSigner>) {
        self.signer.get_or_init(|| Arc::clone(signer));
    }

    /// First the fingerprints, which settle it most times, and the shapes where they do not.
    pub(super) async fn greet(&self, whom: Greeted<'_>, spoken: Spoken) -> Result<Heard, Unmet> {
        let contract = (spoken.contract)();
        let Document { service, version, .. } = contract;
        let Some(offer) = self.get::<Offer>(&whom, service, &format!("rpc/{service}")).await? else {
            return Ok(Heard { agreement: None, store: None, mark: None });
        };
        let store = offer.store.clone();
        let mark = offer.mark(*version).and_then(|mark| HeaderValue::try_from(mark).ok());
        let agreement = if offer.covers(contract) {
            Some(Agreement::Compatible)
        } else if offer.versions.contains_key(version) {
            let path = format!("rpc/{service}/v{version}");
            let there = self.get::<Document>(&whom, service, &path).await?;
            there.map(|there| compare(contract, &there))
        } else {
            Some(Agreement::Refused(vec![not_offered(contract, &offer)]))
        };
        Ok(Heard { agreement, store, mark })
    }

    /// What stands at `path`; none of a neighbour that does not know such an address.
    async fn get<T: DeserializeOwned>(
        &self,
        whom: &Greeted<'_>,
        service: &str,
        path: &str,
    ) -> Result<Option<T>, Unmet> {
        let mut url = whom.base.clone();
        url.set_path(path);
        url.set_query(None);
        let mut request = Request::new(Method::GET, url);
        *request.timeout_mut() = Some(whom.remaining.min(PATIENCE));
        if let Some(signer) = self.signer.get() {
            let bearer = signer.bearer(service).map_err(Unmet::Refused)?;
            request.headers_mut().insert(AUTHORIZATION, bearer);
        }
        let answer = whom.endpoint.send(request, &mut Extensions::new(), whom.next.clone()).await;
        match answer.as_ref().map(Response::status) {
            Ok(StatusCode::OK) => {}
            Ok(StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED) => return Ok(None),
            _ => return Err(Unmet::Early(answer)),
        }
        let body = match answer {
            Ok(answer) => answer.bytes().await.map_err(Error::Reqwest),
            Err(error) => Err(error),
        };
        let body = body.map_err(|error| Unmet::Early(Err(error)))?;
        Ok(serde_json::from_slice(&body).ok())
    }
}

fn not_offered(contract: &Document, offer: &Offer) -> Difference {
    let versions: Vec<String> = offer.versions.keys().map(|version| format!("v{version}")).collect();
    let (wanted, offered) = (contract.version, versions.join(", "));
    Difference {
        service: contract.service.clone(),
        method: String::new(),
        field: String::new(),
        problem: format!("the caller needs v{wanted}, the callee offers {offered}"),
    }
}
