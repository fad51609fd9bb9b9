//! Names that stand for several addresses, as a headless service of Kubernetes does: looked up again and again, and
//! each address is an endpoint of its own.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::BoxFuture;
use reqwest::Url;
use rustls::ClientConfig;
use service_registry::policy::BreakerRules;
use std::sync::{Mutex, PoisonError};
use tokio::time::Instant;
use tracing::debug;

use super::endpoints::{Endpoint, gathered, spread};

/// How old what we know of a name may be. Longer: a new replica waits for work; shorter: more questions to DNS.
const REFRESH: Duration = Duration::from_secs(5);

/// Finds the addresses of a host name and port.
pub type Resolve = Arc<dyn Fn(String, u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// What the system's resolver says.
pub struct SystemResolver;

impl SystemResolver {
    pub fn shared() -> Resolve {
        Arc::new(|host, port| {
            Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
        })
    }
}

/// The names among the bases of a service, and when they were last looked up.
pub(super) struct Names {
    inner: Option<Arc<Inner>>,
}

struct Inner {
    service: String,
    bases: Vec<Url>,
    rules: BreakerRules,
    resolver: Resolve,
    tls: Option<ClientConfig>,
    last: Mutex<Option<Instant>>,
    looking: AtomicBool,
}

impl Names {
    pub(super) fn new(
        service: &str,
        bases: Vec<Url>,
        rules: BreakerRules,
        resolver: Resolve,
        tls: Option<ClientConfig>,
    ) -> Self {
        let names = bases.iter().any(|base| name_of(base).is_some());
        let inner = || {
            let (service, last, looking) = (service.to_owned(), Mutex::new(None), AtomicBool::new(false));
            Arc::new(Inner { service, bases, rules, resolver, tls, last, looking })
        };
        Self { inner: names.then(inner) }
    }

    /// Begins to look the names up again if it is time; whoever calls does not wait for it.
    pub(super) fn refresh(&self, list: &Arc<ArcSwap<Vec<Arc<Endpoint>>>>) {
        let Some(inner) = &self.inner else { return };
        if !inner.is_time() || inner.looking.swap(true, Ordering::AcqRel) {
            return;
        }
        let (inner, list) = (Arc::clone(inner), Arc::clone(list));
        tokio::spawn(async move {
            let before = list.load_full();
            let now = inner.look_up(&before).await;
            list.store(Arc::new(now));
            *inner.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            inner.looking.store(false, Ordering::Release);
        });
    }
}

impl Inner {
    fn is_time(&self) -> bool {
        let last = *self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_none_or(|last| last.elapsed() >= REFRESH)
    }

    async fn look_up(&self, before: &[Arc<Endpoint>]) -> Vec<Arc<Endpoint>> {
        let mut now = Vec::new();
        for base in &self.bases {
            match self.addresses(base).await {
                Some(addresses) => {
                    let tls = self.tls.as_ref();
                    now.extend(spread(&self.service, base, &addresses, self.rules, tls, before));
                }
                None => now.push(gathered(&self.service, base, self.rules, before)),
            }
        }
        now
    }

    /// The addresses to choose between; none where the name is best left to the system at each connection, since it
    /// has only one, or is this machine's own, or cannot be looked up.
    async fn addresses(&self, base: &Url) -> Option<Vec<SocketAddr>> {
        let (host, port) = name_of(base)?;
        let found = match (self.resolver)(host.to_owned(), port).await {
            Ok(found) => found,
            Err(error) => {
                debug!(service = self.service, host, %error, "Cannot look {host} up");
                return None;
            }
        };
        // Of a replica with addresses of both families, one endpoint is enough.
        let first = *found.first()?;
        let mut found: Vec<_> =
            found.into_iter().filter(|other| other.is_ipv4() == first.is_ipv4()).collect();
        found.sort_unstable();
        found.dedup();
        (found.len() > 1).then_some(found)
    }
}

/// The host name and port, if the host is a name.
fn name_of(base: &Url) -> Option<(&str, u16)> {
    let host = base.host_str()?;
    let is_name = base.domain().is_some() && host != "localhost";
    Some((host, base.port_or_known_default()?)).filter(|_| is_name)
}
