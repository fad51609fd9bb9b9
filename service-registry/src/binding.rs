//! What a client's handle points at just now.

use std::sync::Arc;

use crate::contract::Contract;
use crate::policy::{Bulkhead, Policy};
use crate::transport::Transport;

/// One way to answer the calls of a service. A split (a share of calls goes remote) and a fallback will
/// be further variants here.
pub(crate) enum Binding<T: ?Sized> {
    /// Nobody yet, or nobody any more.
    Unbound,
    /// The implementation in this process, called directly, and the places that its calls take.
    Local(Arc<T>, Bulkhead),
    /// Somebody else, by way of a transport.
    Remote(Arc<dyn Transport>),
}

impl<T: Contract + ?Sized> Binding<T> {
    pub(crate) fn local(service: Arc<T>, policy: &Policy) -> Self {
        Self::Local(service, Bulkhead::new(policy.bulkhead, T::NAME, Kind::Local.label()))
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Unbound => Kind::Unbound,
            Self::Local(..) => Kind::Local,
            Self::Remote(_) => Kind::Remote,
        }
    }
}

/// The side of a call that metrics tell apart. `Serve` is the receiving end of somebody's remote call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Unbound,
    Local,
    Remote,
    Serve,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Unbound, Self::Local, Self::Remote, Self::Serve];

    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Unbound => "unbound",
            Self::Local => "local",
            Self::Remote => "remote",
            Self::Serve => "serve",
        }
    }
}
