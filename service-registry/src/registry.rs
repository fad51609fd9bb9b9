//! Which services there are, where each is placed, and one client for each.

mod builder;
mod live;
mod seat;
mod standing;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::{error, info};

pub use self::builder::RegistryBuilder;
use self::standing::Standing;
use crate::client::ServiceClient;
use crate::contract::{Contract, ContractState, Document, Offer};
use crate::dispatch::{Dispatch, Dispatcher};
use crate::edge::{Requests, Seen};
use crate::permissions::Permissions;
use crate::placement::{Placement, Side};
use crate::policy::Policy;
use crate::routes::Pattern;
use crate::service::ServiceDescriptor;
use crate::transport::{Transport, TransportFactory};

/// The services of one process, by name. Cheap to clone; all clones are one registry.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
    caller: Arc<str>,
}

struct Inner {
    services: Vec<ServiceDescriptor>,
    permissions: Arc<Permissions>,
    /// Where each was placed at the start.
    configured: BTreeMap<String, Placement>,
    /// What this process has said it will provide.
    runs: BTreeSet<String>,
    policies: BTreeMap<String, Policy>,
    transports: Option<TransportFactory>,
    routes: Vec<(Pattern, usize)>,
    seen: Arc<Seen>,
    /// What changes while the process runs.
    standings: Mutex<BTreeMap<String, Standing>>,
}

impl Registry {
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }

    /// The same registry for `caller`, a service by name: as whose calls those of its clients count, and who is refused
    /// what it may not call, wherever the callee is.
    pub fn as_caller(&self, caller: &str) -> Self {
        Self { inner: Arc::clone(&self.inner), caller: caller.into() }
    }

    /// The client of a service: always to be had, also before anybody answers it.
    pub fn client<T: Contract + ?Sized>(&self) -> ServiceClient<T> {
        if self.descriptor(T::NAME).is_none() {
            error!(service = T::NAME, "Service {} is not in the registry and stays unavailable", T::NAME);
        }
        let client = self.standing(T::NAME, |standing| standing.seat::<T>(self).client.clone());
        client.counted_in(self.inner.seen.edges::<T>(&self.caller))
    }

    /// Offers an implementation in this process, beside other versions of the same service: to other processes always,
    /// to this process's own clients where the placement says so.
    pub fn provide<T: Contract + ?Sized>(&self, service: Arc<T>) {
        let policy = self.inner.policies.get(T::NAME).copied().unwrap_or_default();
        let dispatcher = Dispatcher::seen_in(Arc::clone(&service), Arc::clone(&self.inner.seen));
        self.standing(T::NAME, |standing| {
            standing.dispatchers.insert(T::VERSION, Arc::new(dispatcher));
            standing.seat::<T>(self).provide(service, &policy);
            if standing.placement.stays_in() {
                standing.by_hand = None;
            }
            standing.bind(self);
        });
        info!(service = T::NAME, "Providing service {} v{}", T::NAME, T::VERSION);
    }

    /// Sends all calls of a service over `transport`, until it is placed or provided.
    pub fn bind_remote(&self, name: &str, transport: Arc<dyn Transport>) {
        self.standing(name, |standing| {
            standing.by_hand = Some(transport);
            standing.bind(self);
        });
    }

    /// Where this caller counts its public requests to a service.
    pub fn requests_to(&self, service: &'static str) -> Requests {
        self.inner.seen.requests(&self.caller, service)
    }

    /// All services, in the order they were listed.
    pub fn services(&self) -> &[ServiceDescriptor] {
        &self.inner.services
    }

    pub fn descriptor(&self, name: &str) -> Option<&ServiceDescriptor> {
        self.inner.services.iter().find(|service| service.name == name)
    }

    /// Whether this process answers for a service, or is going to once it has started.
    pub fn runs(&self, name: &str) -> bool {
        self.descriptor(name).is_some()
            && (self.inner.runs.contains(name)
                || self.configured(name).side == Side::Local
                || self.standing(name, |standing| standing.is_provided()))
    }

    /// Where a service is placed now.
    pub fn placement(&self, name: &str) -> Placement {
        self.standing(name, |standing| standing.placement.clone())
    }

    /// Where configuration placed a service at the start; local unless it said otherwise.
    pub fn configured(&self, name: &str) -> Placement {
        self.inner.configured.get(name).cloned().unwrap_or_default()
    }

    /// Who may call what, of all services wherever they run.
    pub fn permissions(&self) -> &Permissions {
        &self.inner.permissions
    }

    /// The service that owns a public path: the one with the longest matching route.
    pub fn owner_of_path(&self, path: &str) -> Option<&ServiceDescriptor> {
        let ranked =
            self.inner.routes.iter().filter_map(|(pattern, owner)| Some((pattern.rank(path)?, owner)));
        ranked.max().map(|(_, owner)| &self.inner.services[*owner])
    }

    /// What other processes may call here: the services provided so far.
    pub fn dispatchers(&self) -> Vec<Arc<dyn Dispatch>> {
        let standings = self.inner.standings.lock().unwrap_or_else(PoisonError::into_inner);
        standings.values().flat_map(|standing| standing.dispatchers.values().cloned()).collect()
    }

    /// The dispatcher of one version of a service, if it has been provided.
    pub fn dispatcher(&self, name: &str, version: u32) -> Option<Arc<dyn Dispatch>> {
        self.standing(name, |standing| standing.dispatchers.get(&version).cloned())
    }

    /// What a caller elsewhere is told of a service at first contact; none before it has been provided.
    pub fn offer(&self, name: &str) -> Option<Offer> {
        self.standing(name, |standing| {
            let documents: Vec<&Document> =
                standing.dispatchers.values().map(|dispatcher| dispatcher.contract()).collect();
            let store = standing.store.clone();
            (!documents.is_empty()).then(|| Offer { store, ..Offer::new(name, documents) })
        })
    }

    /// Lets callers elsewhere know by an id which database a service here works on.
    pub fn set_store(&self, name: &str, id: impl Into<String>) {
        self.standing(name, |standing| standing.store = Some(id.into()));
    }

    /// The id of the database that a service here works on, once it is known.
    pub fn store(&self, name: &str) -> Option<String> {
        self.standing(name, |standing| standing.store.clone())
    }

    /// What came of comparing contracts with a service elsewhere.
    pub fn contract_state(&self, name: &str) -> Vec<ContractState> {
        let way = self.standing(name, |standing| standing.by_hand.clone().or(standing.transport.clone()));
        way.map_or_else(Vec::new, |transport| transport.contract_state())
    }

    /// Nothing panics in `use_it`, and nothing in it comes back here.
    fn standing<A>(&self, name: &str, use_it: impl FnOnce(&mut Standing) -> A) -> A {
        let mut standings = self.inner.standings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(standing) = standings.get_mut(name) {
            return use_it(standing);
        }
        let mut unlisted = Standing::new(name, Placement::default(), None);
        let answer = use_it(&mut unlisted);
        // A client of it keeps its binding, and whoever asks again gets the same one.
        standings.insert(name.to_owned(), unlisted);
        answer
    }
}
