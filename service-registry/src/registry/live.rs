//! Placing services while their calls run, and telling how they stand.

use std::sync::Arc;
use std::time::SystemTime;

use metrics::counter;
use tracing::{info, warn};

use super::{Registry, Standing};
use crate::placement::{Placement, Side};
use crate::sides::Breach;
use crate::topology::{Placed, PlacedService, RolledBack, Topology, since_1970_ms};
use crate::transport::Transport;
use crate::validate::{Fault, Faults, Home, placement_faults};

impl Registry {
    /// Places a service from now on. Each call ends where it began; the next one goes where `placement` says.
    ///
    /// # Errors
    /// Everything that cannot apply, by name; then nothing has changed.
    pub fn place(&self, service: &str, placement: Placement) -> Result<Placed, Faults> {
        let now = self.placement(service);
        let home = Home {
            here: self.runs(service),
            way_back: self.runs(service) || (now.side == Side::Remote && now.urls != placement.urls),
        };
        let faults = placement_faults(&self.inner.services, service, &placement, home);
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        let transport = self.way_to(service, &placement)?;
        let placed = self.standing(service, |standing| {
            let before = standing.placement.clone();
            if before != placement || standing.by_hand.is_some() {
                standing.place(placement.clone(), transport, self);
            }
            Placed { before, after: placement }
        });
        if placed.before != placed.after {
            counter!("placement_changes_total", "service" => service.to_owned()).increment(1);
            let Placed { before, after } = &placed;
            info!(service, "Placed {service}: {after}; before: {before}");
        }
        Ok(placed)
    }

    /// The way to the urls of a placement: the one that is open if it leads there, since it knows the breakers
    /// and keeps the connections.
    fn way_to(&self, service: &str, placement: &Placement) -> Result<Option<Arc<dyn Transport>>, Faults> {
        let open = self.standing(service, |standing| {
            standing.transport.clone().filter(|_| standing.placement.urls == placement.urls)
        });
        if open.is_some() || !placement.goes_out() {
            return Ok(open);
        }
        let no_transport = |problem: String| {
            let url = placement.urls.join(", ");
            Faults(vec![Fault::NoTransport { service: service.to_owned(), url, problem }])
        };
        let (factory, descriptor) = self
            .inner
            .transports
            .as_ref()
            .zip(self.descriptor(service))
            .ok_or_else(|| no_transport("this process calls nobody elsewhere".to_owned()))?;
        factory(descriptor, &placement.urls).map(Some).map_err(|error| no_transport(error.to_string()))
    }

    /// Ends the placement of this era, whose guard was breached: the service is local again, or where it was before
    /// if it cannot be. Another placement that somebody has chosen since stays.
    pub(super) fn roll_back(&self, service: &str, era: u64, breach: &Breach) {
        let rolled = self.standing(service, |standing| {
            let (back, transport) = standing.way_back().filter(|_| standing.era == era)?;
            let from = standing.placement.clone();
            standing.place(back.clone(), transport, self);
            let (reason, at_ms) = (breach.seen.clone(), since_1970_ms(standing.since));
            standing.rolled_back = Some(RolledBack { from: from.clone(), reason, at_ms });
            Some((from, back))
        });
        let Some((from, back)) = rolled else { return };
        let (limit, seen) = (breach.limit, &breach.seen);
        counter!("placement_changes_total", "service" => service.to_owned()).increment(1);
        counter!("placement_rollbacks_total", "service" => service.to_owned(), "reason" => limit)
            .increment(1);
        warn!(service, reason = limit, "Rolled {service} back from {from} to {back}: {seen}");
    }

    /// Every service as this process sees it now, and the calls that its clients made and others made here.
    pub fn topology(&self) -> Topology {
        let services = self.services().iter().map(|service| {
            self.standing(service.name, |standing| PlacedService {
                name: service.name.to_owned(),
                version: service.version,
                provided: standing.is_provided(),
                placement: standing.placement.clone(),
                since_ms: since_1970_ms(standing.since),
                rolled_back: standing.rolled_back.clone(),
                endpoints: standing.transport.iter().flat_map(|transport| transport.endpoints()).collect(),
                retry_budget_left: standing
                    .transport
                    .as_ref()
                    .and_then(|transport| transport.retry_budget_left()),
                contracts: standing
                    .transport
                    .iter()
                    .flat_map(|transport| transport.contract_state())
                    .collect(),
            })
        });
        Topology { services: services.collect(), edges: self.inner.seen.report() }
    }
}

impl Standing {
    fn place(&mut self, placement: Placement, transport: Option<Arc<dyn Transport>>, registry: &Registry) {
        let former = std::mem::replace(&mut self.placement, placement);
        self.former = Some((former, std::mem::replace(&mut self.transport, transport)));
        self.by_hand = None;
        self.rolled_back = None;
        self.since = SystemTime::now();
        self.era += 1;
        self.bind(registry);
        self.show();
    }

    /// Where to go when the guard says no: here, with the urls kept for the next try, else where it was.
    fn way_back(&self) -> Option<(Placement, Option<Arc<dyn Transport>>)> {
        if self.is_provided() {
            let back = Placement { urls: self.placement.urls.clone(), ..Placement::local() };
            return Some((back, self.transport.clone()));
        }
        let (former, transport) = self.former.clone().filter(|(former, _)| former.side == Side::Remote)?;
        // Without its guard: two bad placements must not send calls to and fro.
        Some((Placement { guard: None, ..former }, transport))
    }
}
