//! What a client's handle points at just now.

use std::sync::Arc;

use crate::context::CallContext;
use crate::contract::{Class, Contract};
use crate::placement::Percent;
use crate::policy::{Bulkhead, Policy};
use crate::sticky::is_among;
use crate::transport::Transport;

/// One way to answer the calls of a service.
pub(crate) enum Binding<T: ?Sized> {
    /// Nobody yet, or nobody any more.
    Unbound,
    /// The implementation in this process, called directly, and the places that its calls take.
    Local(Arc<T>, Bulkhead),
    /// Somebody else, by way of a transport.
    Remote(Arc<dyn Transport>),
    /// The one or the other, by the key of the call.
    Split(Box<Split<T>>),
}

/// Both sides of a split.
pub(crate) struct Split<T: ?Sized> {
    pub(crate) service: Arc<T>,
    pub(crate) bulkhead: Bulkhead,
    /// How much of the keys the other side answers.
    pub(crate) share: Percent,
    pub(crate) remote: Arc<dyn Transport>,
    /// The implementation here behind a transport that compares its answers; reads take it.
    pub(crate) compared: Option<Arc<dyn Transport>>,
}

impl<T: Contract + ?Sized> Binding<T> {
    pub(crate) fn local(service: Arc<T>, policy: &Policy) -> Self {
        Self::Local(service, Bulkhead::new(policy.bulkhead, T::NAME, Kind::Local.label()))
    }

    /// `unbound`, `local`, `remote` or `split`.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Unbound => Kind::Unbound.label(),
            Self::Local(..) => Kind::Local.label(),
            Self::Remote(_) => Kind::Remote.label(),
            Self::Split(_) => "split",
        }
    }
}

/// Who answers one call of a split.
pub(crate) enum Chosen<'a> {
    Local,
    Compared(&'a Arc<dyn Transport>),
    Remote(&'a Arc<dyn Transport>),
}

impl<T: Contract + ?Sized> Split<T> {
    pub(crate) fn choose(&self, method: usize, cx: &CallContext) -> Chosen<'_> {
        match &self.compared {
            _ if is_among(self.share, cx) => Chosen::Remote(&self.remote),
            Some(compared) if T::METHODS[method].class == Class::Read => Chosen::Compared(compared),
            _ => Chosen::Local,
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
