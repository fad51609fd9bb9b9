//! A registry in the making.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use super::{Inner, Registry, Standing};
use crate::edge::{Seen, UNNAMED};
use crate::permissions::Permissions;
use crate::placement::Placement;
use crate::policy::Policy;
use crate::routes::Pattern;
use crate::service::{Calls, ServiceDescriptor};
use crate::sides::Network;
use crate::transport::{Transport, TransportFactory};
use crate::validate::{Fault, Faults, validate};

/// Collects services and their placement; nothing is checked before [`RegistryBuilder::build`].
#[derive(Default)]
pub struct RegistryBuilder {
    services: Vec<ServiceDescriptor>,
    callers: Vec<(&'static str, Calls)>,
    placements: BTreeMap<String, Placement>,
    runs: BTreeSet<String>,
    policies: BTreeMap<String, Policy>,
    transports: Option<TransportFactory>,
    networks: BTreeMap<String, Network>,
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

    /// Says that this process is going to provide a service, so that it can be placed on both sides from the
    /// start. What is placed local needs no such word.
    pub fn runs(mut self, service: impl Into<String>) -> Self {
        self.runs.insert(service.into());
        self
    }

    /// Puts a simulated network between a service that is placed local and its callers.
    pub fn simulate(mut self, service: impl Into<String>, network: Network) -> Self {
        self.networks.insert(service.into(), network);
        self
    }

    /// The rules for calls, by service; one that is not named has the default ones. Transports bring theirs.
    pub fn policies(mut self, policies: impl IntoIterator<Item = (String, Policy)>) -> Self {
        self.policies.extend(policies);
        self
    }

    /// How to reach services elsewhere. Without it they stay unavailable until [`Registry::bind_remote`].
    pub fn transports(mut self, factory: TransportFactory) -> Self {
        self.transports = Some(factory);
        self
    }

    /// The registry, or everything that is wrong with it.
    pub fn build(self) -> Result<Registry, Faults> {
        let faults = validate(&self.services, &self.callers, &self.placements, &self.runs);
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        let standings = self.standings()?;
        let routes = self.services.iter().enumerate().flat_map(|(owner, service)| {
            service.routes.iter().filter_map(move |route| Some((Pattern::parse(route).ok()?, owner)))
        });
        let routes = routes.collect();
        let Self { services, callers, placements, runs, policies, transports, .. } = self;
        let permissions = Arc::new(Permissions::of(&services, &callers));
        let (configured, standings) = (placements, Mutex::new(standings));
        let seen = Arc::new(Seen::new(Arc::clone(&permissions)));
        let inner =
            Inner { services, permissions, configured, runs, policies, transports, routes, seen, standings };
        Ok(Registry { inner: Arc::new(inner), caller: UNNAMED.into() })
    }

    fn standings(&self) -> Result<BTreeMap<String, Standing>, Faults> {
        let mut standings = BTreeMap::new();
        let mut faults = Vec::new();
        for service in &self.services {
            let placement = self.placements.get(service.name).cloned().unwrap_or_default();
            match self.open_transport(service, &placement) {
                Ok(transport) => {
                    let network = self.networks.get(service.name).copied();
                    let standing = Standing::new(service.name, placement, transport).over(network);
                    standing.show();
                    standings.insert(service.name.to_owned(), standing);
                }
                Err(fault) => faults.push(fault),
            }
        }
        if faults.is_empty() { Ok(standings) } else { Err(Faults(faults)) }
    }

    fn open_transport(
        &self,
        service: &ServiceDescriptor,
        placement: &Placement,
    ) -> Result<Option<Arc<dyn Transport>>, Fault> {
        let Some(factory) = self.transports.as_ref().filter(|_| placement.goes_out()) else {
            return Ok(None);
        };
        factory(service, &placement.urls).map(Some).map_err(|error| Fault::NoTransport {
            service: service.name.to_owned(),
            url: placement.urls.join(", "),
            problem: error.to_string(),
        })
    }
}
