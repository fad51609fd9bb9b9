//! How one service stands: where it is placed, since when, and what its client is bound to for that.

use std::any::Any;
use std::sync::Arc;
use std::time::SystemTime;

use metrics::gauge;

use super::seat::{Plan, Seat, Seated};
use crate::contract::Contract;
use crate::dispatch::Dispatch;
use crate::placement::{Placement, Side};
use crate::topology::RolledBack;
use crate::transport::Transport;

pub(super) struct Standing {
    pub(super) placement: Placement,
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
    pub(super) dispatcher: Option<Arc<dyn Dispatch>>,
    seat: Option<Box<dyn Seat>>,
}

impl Standing {
    pub(super) fn new(placement: Placement, transport: Option<Arc<dyn Transport>>) -> Self {
        Self {
            placement,
            since: SystemTime::now(),
            rolled_back: None,
            former: None,
            era: 0,
            transport,
            by_hand: None,
            dispatcher: None,
            seat: None,
        }
    }

    /// The seat of a client for `T`. A client of another trait under the same name loses its own.
    pub(super) fn seat<T: Contract + ?Sized>(&mut self) -> &mut Seated<T> {
        let seated = |seat: &dyn Seat| (seat as &dyn Any).is::<Seated<T>>();
        if !self.seat.as_deref().is_some_and(seated) {
            self.seat = Some(Box::new(Seated::<T>::new()));
            self.bind();
        }
        let seat = self.seat.as_deref_mut().expect("it has just been put there");
        (seat as &mut dyn Any).downcast_mut().expect("it was asked above")
    }

    /// Points the client where the placement says, and tells metrics so.
    pub(super) fn bind(&self) {
        if let Some(seat) = &self.seat {
            seat.bind(self.plan());
        }
    }

    pub(super) fn show(&self, service: &str) {
        gauge!("placement_share", "service" => service.to_owned())
            .set(f64::from(self.placement.remote_share()));
    }

    fn plan(&self) -> Plan {
        if let Some(transport) = &self.by_hand {
            return Plan::There(Arc::clone(transport));
        }
        let there = self.transport.as_ref().map(Arc::clone);
        match (self.placement.side, there) {
            (Side::Local, _) => Plan::Here,
            (_, None) => Plan::Nowhere,
            (Side::Remote, Some(there)) => Plan::There(there),
            (Side::Split, Some(there)) => Plan::Both { share: self.placement.share, there, compared: None },
        }
    }
}
