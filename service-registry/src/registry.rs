//! Which services there are, where each is placed, and one client for each.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tracing::{error, info};

use crate::client::ServiceClient;
use crate::contract::Contract;
use crate::dispatch::{Dispatch, Dispatcher};
use crate::permissions::Permissions;
use crate::placement::Placement;
use crate::policy::Policy;
use crate::routes::Pattern;
use crate::service::{Calls, ServiceDescriptor};
use crate::transport::{Transport, TransportFactory};
use crate::validate::{Fault, Faults, validate};

/// The services of one process, by name. Cheap to clone; all clones are one registry.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    services: Vec<ServiceDescriptor>,
    permissions: Permissions,
    placements: BTreeMap<String, Placement>,
    policies: BTreeMap<String, Policy>,
    routes: Vec<(Pattern, usize)>,
    state: Mutex<State>,
}

/// What changes while the process runs.
#[derive(Default)]
struct State {
    clients: BTreeMap<&'static str, Handle>,
    transports: BTreeMap<String, Arc<dyn Transport>>,
    dispatchers: BTreeMap<&'static str, Arc<dyn Dispatch>>,
}

/// A client whose trait has been forgotten: `client` is a `ServiceClient<T>`, `rebind` points it elsewhere.
struct Handle {
    client: Box<dyn Any + Send + Sync>,
    rebind: Box<dyn Fn(Arc<dyn Transport>) + Send + Sync>,
}

impl Registry {
    pub fn builder() -> RegistryBuilder {
        RegistryBuilder::default()
    }

    /// The client of a service: always to be had, also before anybody answers it.
    pub fn client<T: Contract + ?Sized>(&self) -> ServiceClient<T> {
        let mut state = self.state();
        if let Some(client) = state.clients.get(T::NAME).and_then(|handle| handle.client.downcast_ref()) {
            return ServiceClient::clone(client);
        }
        if self.descriptor(T::NAME).is_none() {
            error!(service = T::NAME, "Service {} is not in the registry and stays unavailable", T::NAME);
        }
        let client = ServiceClient::<T>::unbound();
        if let Some(transport) = state.transports.get(T::NAME) {
            client.bind_remote(Arc::clone(transport));
        }
        let (kept, rebound) = (client.clone(), client.clone());
        let rebind = Box::new(move |transport| rebound.bind_remote(transport));
        state.clients.insert(T::NAME, Handle { client: Box::new(kept), rebind });
        client
    }

    /// Offers an implementation in this process: to other processes always, to this process's own clients
    /// when the service is placed local.
    pub fn provide<T: Contract + ?Sized>(&self, service: Arc<T>) {
        self.state().dispatchers.insert(T::NAME, Arc::new(Dispatcher::new(Arc::clone(&service))));
        if *self.placement(T::NAME) == Placement::Local {
            let policy = self.inner.policies.get(T::NAME).copied().unwrap_or_default();
            self.client::<T>().bind_local_under(service, &policy);
        }
        info!(service = T::NAME, "Providing service {} v{}", T::NAME, T::VERSION);
    }

    /// Sends all calls of a service over `transport` from now on.
    pub fn bind_remote(&self, name: &str, transport: Arc<dyn Transport>) {
        let mut state = self.state();
        if let Some(handle) = state.clients.get(name) {
            (handle.rebind)(Arc::clone(&transport));
        }
        state.transports.insert(name.to_owned(), transport);
    }

    /// All services, in the order they were listed.
    pub fn services(&self) -> &[ServiceDescriptor] {
        &self.inner.services
    }

    pub fn descriptor(&self, name: &str) -> Option<&ServiceDescriptor> {
        self.inner.services.iter().find(|service| service.name == name)
    }

    /// Where configuration placed a service; local unless it said otherwise.
    pub fn placement(&self, name: &str) -> &Placement {
        self.inner.placements.get(name).unwrap_or(&Placement::Local)
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
        self.state().dispatchers.values().cloned().collect()
    }

    /// The dispatcher of one service, if it has been provided.
    pub fn dispatcher(&self, name: &str) -> Option<Arc<dyn Dispatch>> {
        self.state().dispatchers.get(name).cloned()
    }

    /// Nothing panics while it is held, and every write under it is a single insert.
    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Collects services and their placement; nothing is checked before [`RegistryBuilder::build`].
#[derive(Default)]
pub struct RegistryBuilder {
    services: Vec<ServiceDescriptor>,
    callers: Vec<(&'static str, Calls)>,
    placements: BTreeMap<String, Placement>,
    policies: BTreeMap<String, Policy>,
    transports: Option<TransportFactory>,
}

impl RegistryBuilder {
    pub fn service(mut self, service: ServiceDescriptor) -> Self {
        self.services.push(service);
        self
    }

    pub fn services(mut self, services: impl IntoIterator<Item = ServiceDescriptor>) -> Self {
        self.services.extend(services);
        self
    }

    /// Somebody who makes these calls and is no service.
    pub fn caller(mut self, name: &'static str, calls: Calls) -> Self {
        self.callers.push((name, calls));
        self
    }

    pub fn place(mut self, service: impl Into<String>, placement: Placement) -> Self {
        self.placements.insert(service.into(), placement);
        self
    }

    pub fn placement(mut self, placements: impl IntoIterator<Item = (String, Placement)>) -> Self {
        self.placements.extend(placements);
        self
    }

    /// The rules for calls, by service; one that is not named has the default ones. Transports bring theirs.
    pub fn policies(mut self, policies: impl IntoIterator<Item = (String, Policy)>) -> Self {
        self.policies.extend(policies);
        self
    }

    /// How to reach services that are placed remote. Without it they stay unavailable until
    /// [`Registry::bind_remote`].
    pub fn transports(mut self, factory: TransportFactory) -> Self {
        self.transports = Some(factory);
        self
    }

    /// The registry, or everything that is wrong with it.
    pub fn build(self) -> Result<Registry, Faults> {
        let faults = validate(&self.services, &self.callers, &self.placements);
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        let state = State { transports: self.open_transports()?, ..State::default() };
        let routes = self.services.iter().enumerate().flat_map(|(owner, service)| {
            service.routes.iter().filter_map(move |route| Some((Pattern::parse(route).ok()?, owner)))
        });
        let routes = routes.collect();
        let Self { services, callers, placements, policies, .. } = self;
        let permissions = Permissions::of(&services, &callers);
        let state = Mutex::new(state);
        Ok(Registry { inner: Arc::new(Inner { services, permissions, placements, policies, routes, state }) })
    }

    fn open_transports(&self) -> Result<BTreeMap<String, Arc<dyn Transport>>, Faults> {
        let Some(factory) = &self.transports else { return Ok(BTreeMap::new()) };
        let mut transports = BTreeMap::new();
        let mut faults = Vec::new();
        for service in &self.services {
            let Some(Placement::Remote { urls }) = self.placements.get(service.name) else { continue };
            let name = service.name.to_owned();
            match factory(service, urls) {
                Ok(transport) => drop(transports.insert(name, transport)),
                Err(problem) => {
                    let problem = problem.to_string();
                    faults.push(Fault::NoTransport { service: name, url: urls.join(", "), problem });
                }
            }
        }
        if faults.is_empty() { Ok(transports) } else { Err(Faults(faults)) }
    }
}
