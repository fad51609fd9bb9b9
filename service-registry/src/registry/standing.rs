//! How one service stands: where it is placed, since when, and what its client is bound to for that.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;

use metrics::gauge;

use super::Registry;
use super::seat::{Plan, Seat, Seated};
use crate::contract::Contract;
use crate::dispatch::Dispatch;
use crate::placement::{Fallback, Percent, Placement, Side};
use crate::sides::{Network, OnBreach, Shadowed, Simulated, Watched, WithFallback};
use crate::topology::RolledBack;
use crate::transport::Transport;

pub(super) struct Standing {
    service: String,
    pub(super) placement: Placement,
    /// Between callers and the implementation here, as long as it is placed local.
    network: Option<Network>,
    pub(super) since: SystemTime,
    pub(super) rolled_back: Option<RolledBack>,
    /// Where it was placed before, and the way there.
    pub(super) former: Option<(Placement, Option<Arc<dyn Transport>>)>,
    /// Counts placements: what an earlier one would still like to change is not its business any more.
    pub(super) era: u64,
    /// The way to the other processes at the urls of the placement.
    pub(super) transport: Option<Arc<dyn Transport>>,
    /// A way that somebody has chosen whatever the placement says.
    pub(super) by_hand: Option<Arc<dyn Transport>>,
    /// By version, as are the seats: a service may be offered in two at once.
    pub(super) dispatchers: BTreeMap<u32, Arc<dyn Dispatch>>,
    seats: BTreeMap<u32, Box<dyn Seat>>,
    /// The id of the database that it works on here.
    pub(super) store: Option<String>,
}

impl Standing {
    pub(super) fn new(service: &str, placement: Placement, transport: Option<Arc<dyn Transport>>) -> Self {
        Self {
            service: service.to_owned(),
            placement,
            network: None,
            since: SystemTime::now(),
            rolled_back: None,
            former: None,
            era: 0,
            transport,
            by_hand: None,
            dispatchers: BTreeMap::new(),
            seats: BTreeMap::new(),
            store: None,
        }
    }

    pub(super) fn over(self, network: Option<Network>) -> Self {
        Self { network, ..self }
    }

    /// The seat of a client for `T`. A client of another trait under the same name and version loses its own.
    pub(super) fn seat<T: Contract + ?Sized>(&mut self, registry: &Registry) -> &mut Seated<T> {
        let seated = |seat: &dyn Seat| (seat as &dyn Any).is::<Seated<T>>();
        if !self.seats.get(&T::VERSION).is_some_and(|seat| seated(&**seat)) {
            self.seats.insert(T::VERSION, Box::new(Seated::<T>::new()));
            self.bind(registry);
        }
        let seat = self.seats.get_mut(&T::VERSION).expect("it has just been put there");
        (&mut **seat as &mut dyn Any).downcast_mut().expect("it was asked above")
    }

    /// Whether this process has an implementation.
    pub(super) fn is_provided(&self) -> bool {
        !self.dispatchers.is_empty()
    }

    /// Points the clients where the placement says.
    pub(super) fn bind(&self, registry: &Registry) {
        self.seats.values().for_each(|seat| seat.bind(self.plan(seat.here(), registry)));
    }

    /// Tells metrics where it is placed.
    pub(super) fn show(&self) {
        let share = f64::from(self.placement.remote_share());
        gauge!("placement_share", "service" => self.service.clone()).set(share);
    }

    fn plan(&self, here: Option<Arc<dyn Transport>>, registry: &Registry) -> Plan {
        if let Some(transport) = &self.by_hand {
            return Plan::There(Arc::clone(transport));
        }
        let placement = &self.placement;
        if let (Side::Local, Some(network), Some(here)) = (placement.side, self.network, &here) {
            return Plan::There(Arc::new(Simulated::new(Arc::clone(here), network)));
        }
        let Some(there) = self.transport.clone() else {
            return if placement.side == Side::Local { Plan::Here } else { Plan::Nowhere };
        };
        let compared = here.clone().filter(|_| placement.shadow);
        let compared =
            compared.map(|here| Arc::new(Shadowed::new(here, Arc::clone(&there))) as Arc<dyn Transport>);
        match (placement.side, compared) {
            (Side::Local, None) => Plan::Here,
            (Side::Local, compared) => Plan::Both { share: Percent::NONE, there, compared },
            (Side::Remote, _) => Plan::There(self.remote_side(there, here, registry)),
            (Side::Split, compared) => Plan::Both {
                share: placement.share,
                there: self.remote_side(there, here, registry),
                compared,
            },
        }
    }

    /// The other processes with all that the placement wants before them.
    fn remote_side(
        &self,
        there: Arc<dyn Transport>,
        here: Option<Arc<dyn Transport>>,
        registry: &Registry,
    ) -> Arc<dyn Transport> {
        let mut side = there;
        if let Some(guard) = &self.placement.guard {
            side = Arc::new(Watched::new(side, guard.clone(), self.on_breach(registry)));
        }
        let Some(here) = here else { return side };
        if self.placement.shadow {
            side = Arc::new(Shadowed::new(side, Arc::clone(&here)));
        }
        match self.placement.fallback {
            Fallback::Local => Arc::new(WithFallback::new(side, here)),
            Fallback::None => side,
        }
    }

    fn on_breach(&self, registry: &Registry) -> OnBreach {
        let (inner, service, era) = (Arc::downgrade(&registry.inner), self.service.clone(), self.era);
        let caller = Arc::clone(&registry.caller);
        Box::new(move |breach| {
            if let Some(inner) = inner.upgrade() {
                Registry { inner, caller: Arc::clone(&caller) }.roll_back(&service, era, &breach);
            }
        })
    }
}
