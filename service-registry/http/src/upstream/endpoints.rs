//! The addresses of one service, and which of them gets the next request.
//!
//! Of two taken at random the one with fewer requests in flight (Mitzenmacher 2001); an endpoint whose breaker is
//! open is out of the draw until its time has come.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use futures_util::future::{BoxFuture, FutureExt, TryFutureExt};
use http::Extensions;
use reqwest::{Client, Request, Response, Url, redirect};
use reqwest_middleware::{Error, Next, Result};
use rustls::ClientConfig;
use service_registry::Endpoint as Told;
use service_registry::contract::ContractState;
use service_registry::policy::{Breaker, BreakerRules, Dice, Permit};
use tracing::warn;

use super::attempt::ShortCircuited;
use super::contracts::Contracts;
use super::resolve::{Names, Resolve};

/// Time to open a connection: a neighbour that needs more is as good as absent.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// Idle connections are dropped before the server's own five seconds of keep-alive: a call sent into a
/// closing connection would fail, and one that must not be repeated would stay failed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// One address that answers for the service.
pub(super) struct Endpoint {
    base: Url,
    /// The one address of a name with several that is meant here.
    address: Option<SocketAddr>,
    /// Connects to that address, whatever the name says, or to the socket that the base means.
    client: Option<Client>,
    breaker: Arc<Breaker>,
    in_flight: AtomicUsize,
    /// Whether requests are made for another base and must be readdressed.
    moved: bool,
    pub(super) contracts: Contracts,
}

impl Endpoint {
    /// At `base`, or at one of the addresses that its name stands for; not the one that requests are made for.
    fn new(service: &str, base: &Url, address: Option<SocketAddr>, rules: BreakerRules) -> Self {
        let breaker = Arc::new(Breaker::new(rules, service, &name(base, address)));
        Self {
            base: base.clone(),
            address,
            client: None,
            breaker,
            in_flight: AtomicUsize::new(0),
            moved: true,
            contracts: Contracts::default(),
        }
    }

    /// What it is called in logs and metrics.
    pub(super) fn name(&self) -> String {
        name(&self.base, self.address)
    }

    /// Sends `request` here.
    pub(super) fn send<'a>(
        &self,
        mut request: Request,
        extensions: &'a mut Extensions,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Response>> {
        self.address(&mut request);
        match &self.client {
            Some(client) => client.execute(request).map_err(Error::Reqwest).boxed(),
            None => next.run(request, extensions),
        }
    }

    /// Counts a request in flight until the answer is dropped.
    pub(super) fn busy(self: Arc<Self>) -> Busy {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
        Busy(self)
    }

    fn told(&self) -> Told {
        Told {
            url: match is_socket(&self.base) {
                true => self.base.to_string(),
                false => self.base.origin().ascii_serialization(),
            },
            address: self.address,
            breaker: self.breaker.state().to_owned(),
            in_flight: self.in_flight.load(Ordering::Relaxed),
        }
    }

    /// Readdresses `request` to here: same path, same query.
    fn address(&self, request: &mut Request) {
        if self.moved {
            let mut url = requested(&self.base);
            url.set_path(request.url().path());
            url.set_query(request.url().query());
            *request.url_mut() = url;
        }
    }
}

pub(super) struct Busy(pub(super) Arc<Endpoint>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// All endpoints of a service; names among them are looked up again from time to time.
pub(super) struct Endpoints {
    list: Arc<ArcSwap<Vec<Arc<Endpoint>>>>,
    names: Names,
    dice: Mutex<Dice>,
}

impl Endpoints {
    /// One for each base to begin with; requests are made for the first.
    ///
    /// # Errors
    /// The client of a socket cannot be built.
    pub(super) fn new(
        service: &str,
        bases: Vec<Url>,
        rules: BreakerRules,
        resolver: Resolve,
        tls: Option<ClientConfig>,
    ) -> reqwest::Result<Self> {
        let endpoint = |(at, base)| {
            let client = is_socket(base).then(|| http_client(base, None, None)).transpose()?;
            let endpoint = Endpoint::new(service, base, None, rules);
            Ok(Arc::new(Endpoint { client, moved: at > 0, ..endpoint }))
        };
        let list = bases.iter().enumerate().map(endpoint).collect::<reqwest::Result<_>>()?;
        let names = Names::new(service, bases, rules, resolver, tls);
        Ok(Self { list: Arc::new(ArcSwap::from_pointee(list)), names, dice: Mutex::new(Dice::new()) })
    }

    /// The same with breakers whose chances a seed tells beforehand.
    #[cfg(test)]
    pub(super) fn foretold(self, rules: BreakerRules, seed: u64) -> Self {
        let foretold = |endpoint: &Arc<Endpoint>| {
            let breaker = Breaker::with_dice(rules, "callee", &endpoint.name(), Dice::seeded(seed));
            let (fresh, moved) = (Endpoint::new("callee", &endpoint.base, None, rules), endpoint.moved);
            Arc::new(Endpoint { breaker: Arc::new(breaker), moved, ..fresh })
        };
        self.list.rcu(|list| list.iter().map(foretold).collect::<Vec<_>>());
        self
    }

    /// An endpoint that may be asked, and its breaker's permit to do so; not `tried` if there is another,
    /// nor one whose contract refuses callers in `version`.
    pub(super) fn choose(
        &self,
        tried: Option<&Arc<Endpoint>>,
        version: Option<u32>,
    ) -> Result<(Arc<Endpoint>, Permit)> {
        self.names.refresh(&self.list);
        let list = self.list.load();
        if let [only] = list.as_slice() {
            let permit = only.breaker.admit().map_err(|wait| Error::middleware(ShortCircuited { wait }))?;
            return Ok((Arc::clone(only), permit));
        }
        let mut wait = Duration::MAX;
        for endpoint in self.draw(&list, tried, version) {
            match endpoint.breaker.admit() {
                Ok(permit) => return Ok((Arc::clone(endpoint), permit)),
                Err(more) => wait = wait.min(more),
            }
        }
        Err(Error::middleware(ShortCircuited { wait }))
    }

    pub(super) fn is_available(&self) -> bool {
        self.list.load().iter().any(|endpoint| endpoint.breaker.wait().is_none())
    }

    pub(super) fn told(&self) -> Vec<Told> {
        self.list.load().iter().map(|endpoint| endpoint.told()).collect()
    }

    /// How many there are just now.
    pub(super) fn count(&self) -> usize {
        self.list.load().len()
    }

    /// What came of the handshakes with each.
    pub(super) fn contract_states(&self, service: &str) -> Vec<ContractState> {
        self.list
            .load()
            .iter()
            .flat_map(|endpoint| endpoint.contracts.states(service, &endpoint.name()))
            .collect()
    }

    /// The endpoints in the order in which they should be asked.
    fn draw<'a>(
        &self,
        list: &'a [Arc<Endpoint>],
        tried: Option<&Arc<Endpoint>>,
        version: Option<u32>,
    ) -> impl Iterator<Item = &'a Arc<Endpoint>> {
        let was_tried = |endpoint: &Arc<Endpoint>| tried.is_some_and(|tried| Arc::ptr_eq(tried, endpoint));
        let mut drawn: Vec<_> = list.iter().collect();
        let mut dice = self.dice.lock().unwrap_or_else(PoisonError::into_inner);
        for at in 0..drawn.len().min(2) {
            let other = at + dice.below(drawn.len() - at);
            drawn.swap(at, other);
        }
        let busy = |endpoint: &Endpoint| endpoint.in_flight.load(Ordering::Relaxed);
        if let [first, second, ..] = &mut drawn[..]
            && busy(second) < busy(first)
        {
            std::mem::swap(first, second);
        }
        // Stable: within each group the order of the draw stays.
        let refuses =
            |endpoint: &Endpoint| version.is_some_and(|version| endpoint.contracts.refuses(version));
        drawn.sort_by_key(|endpoint| {
            (endpoint.breaker.wait().is_some(), refuses(endpoint), was_tried(endpoint))
        });
        drawn.into_iter()
    }
}

/// Endpoints for the addresses that the name in `base` stands for; those that stood before keep their breakers.
pub(super) fn spread(
    service: &str,
    base: &Url,
    addresses: &[SocketAddr],
    rules: BreakerRules,
    tls: Option<&ClientConfig>,
    before: &[Arc<Endpoint>],
) -> Vec<Arc<Endpoint>> {
    let known = |address: &SocketAddr| {
        before.iter().find(|known| known.base == *base && known.address == Some(*address)).cloned()
    };
    let fresh = |address: &SocketAddr| {
        let client = http_client(base, Some(*address), tls);
        let client = client.inspect_err(|error| warn!(service, %error, "No client for {address}")).ok()?;
        let endpoint = Endpoint::new(service, base, Some(*address), rules);
        Some(Arc::new(Endpoint { client: Some(client), ..endpoint }))
    };
    addresses.iter().filter_map(|address| known(address).or_else(|| fresh(address))).collect()
}

/// The endpoint that stands for a whole name, if it is in the list; else a fresh one.
pub(super) fn gathered(
    service: &str,
    base: &Url,
    rules: BreakerRules,
    before: &[Arc<Endpoint>],
) -> Arc<Endpoint> {
    let known = before.iter().find(|known| known.base == *base && known.address.is_none()).cloned();
    known.unwrap_or_else(|| Arc::new(Endpoint::new(service, base, None, rules)))
}

fn name(base: &Url, address: Option<SocketAddr>) -> String {
    address.map_or_else(|| authority(base), |address| address.to_string())
}

fn authority(base: &Url) -> String {
    match (base.host_str(), base.port_or_known_default()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        _ => base.to_string(),
    }
}

/// Whether `base` is a Unix socket of this machine: `unix:///run/tributary/ledger.sock`.
pub(super) fn is_socket(base: &Url) -> bool {
    base.scheme() == "unix"
}

/// What requests for `base` are made for. Behind a socket is this machine.
pub(super) fn requested(base: &Url) -> Url {
    match is_socket(base) {
        true => Url::parse("http://localhost").expect("this is a URL"),
        false => base.clone(),
    }
}

/// A client for private listeners: no proxy of the environment, no redirects, and no certificates read
/// where no TLS is spoken (reading them fails on an image that has none).
pub(super) fn http_client(
    base: &Url,
    address: Option<SocketAddr>,
    tls: Option<&ClientConfig>,
) -> reqwest::Result<Client> {
    let builder = Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        // Its own repeats are for HTTP/2; for them it would copy each request before sending it.
        .retry(reqwest::retry::never().max_retries_per_request(0))
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(IDLE_TIMEOUT);
    let builder = match (base.host_str(), address) {
        (Some(host), Some(address)) => builder.resolve(host, address),
        _ if is_socket(base) => builder.unix_socket(base.path()),
        _ => builder,
    };
    match tls {
        Some(tls) => builder.tls_backend_preconfigured(tls.clone()).build(),
        None if base.scheme() == "https" => builder.build(),
        None => builder.tls_certs_only([]).build(),
    }
}
