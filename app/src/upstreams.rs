//! The ways to services elsewhere: one each, for the calls of modules here and for what a gateway passes on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use service_registry::CallError;
use service_registry_http::{Tls, Upstream};

use crate::config::Settings;

/// Those that somebody still holds. What is learned of a neighbour is forgotten when nobody is placed there any more.
#[derive(Clone)]
pub struct Upstreams {
    settings: Arc<Settings>,
    tls: Option<Arc<Tls>>,
    known: Arc<Mutex<BTreeMap<Place, Weak<Upstream>>>>,
}

/// A service and the URLs where it is.
type Place = (String, Vec<String>);

impl Upstreams {
    /// Over TLS where there is one.
    pub(crate) fn new(settings: &Settings, tls: Option<&Arc<Tls>>) -> Self {
        Self { settings: Arc::new(settings.clone()), tls: tls.cloned(), known: Arc::default() }
    }

    /// The way to `service` at `urls`: the one that is in use, or a fresh one.
    pub(crate) fn reach(&self, service: &str, urls: &[String]) -> Result<Arc<Upstream>, CallError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (service.to_owned(), urls.to_vec());
        if let Some(upstream) = known.get(&place).and_then(Weak::upgrade) {
            return Ok(upstream);
        }
        let policy = self.settings.policy(service);
        let upstream = Arc::new(match &self.tls {
            Some(tls) => Upstream::over_tls(service, urls, &policy, tls)?,
            None => Upstream::new(service, urls, &policy)?,
        });
        known.retain(|_, upstream| upstream.strong_count() > 0);
        known.insert(place, Arc::downgrade(&upstream));
        Ok(upstream)
    }
}
