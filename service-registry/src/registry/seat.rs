//! A client and its implementation here, whose trait the registry has forgotten.

use std::any::Any;
use std::sync::Arc;

use crate::binding::{Binding, Split};
use crate::client::ServiceClient;
use crate::contract::Contract;
use crate::placement::Percent;
use crate::policy::{Bulkhead, Policy};
use crate::sides::Here;
use crate::transport::Transport;

/// Where the calls of a client shall go.
pub(super) enum Plan {
    Nowhere,
    Here,
    There(Arc<dyn Transport>),
    Both { share: Percent, there: Arc<dyn Transport>, compared: Option<Arc<dyn Transport>> },
}

/// One client, by way of which the registry points all its clones elsewhere.
pub(super) trait Seat: Any + Send + Sync {
    /// Points the client at what the plan says; at nobody where the plan needs an implementation that is not
    /// here yet.
    fn bind(&self, plan: Plan);

    /// The implementation here, if there is one.
    fn here(&self) -> Option<Arc<dyn Transport>>;
}

pub(super) struct Seated<T: Contract + ?Sized> {
    pub(super) client: ServiceClient<T>,
    here: Option<Arc<Here<T>>>,
}

impl<T: Contract + ?Sized> Seated<T> {
    pub(super) fn new() -> Self {
        Self { client: ServiceClient::unbound(), here: None }
    }

    pub(super) fn provide(&mut self, service: Arc<T>, policy: &Policy) {
        let bulkhead = Bulkhead::new(policy.bulkhead, T::NAME, "local");
        self.here = Some(Arc::new(Here::new(service, bulkhead, Arc::clone(self.client.edges()))));
    }
}

impl<T: Contract + ?Sized> Seat for Seated<T> {
    fn bind(&self, plan: Plan) {
        self.client.bind(match (plan, &self.here) {
            (Plan::There(transport), _) => Binding::Remote(transport),
            (Plan::Here, Some(here)) => Binding::Local(Arc::clone(&here.service), here.bulkhead.clone()),
            (Plan::Both { share, there, compared }, Some(here)) => Binding::Split(Box::new(Split {
                service: Arc::clone(&here.service),
                bulkhead: here.bulkhead.clone(),
                share,
                remote: there,
                compared,
            })),
            (Plan::Nowhere, _) | (Plan::Here | Plan::Both { .. }, None) => Binding::Unbound,
        });
    }

    fn here(&self) -> Option<Arc<dyn Transport>> {
        self.here.clone().map(|here| here as Arc<dyn Transport>)
    }
}
