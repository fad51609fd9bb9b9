//! The one thing a caller holds.

use std::fmt;
use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use crate::binding::Binding;
use crate::contract::Contract;
use crate::edge::{Edges, UNNAMED};
use crate::policy::Policy;
use crate::transport::Transport;

/// A stable handle on a service: cheap to clone, and the binding behind all clones can be swapped while
/// calls run. `#[service]` implements the service's trait for it.
///
/// A call that has begun ends on the binding it began on.
pub struct ServiceClient<T: Contract + ?Sized> {
    binding: Arc<ArcSwap<Binding<T>>>,
    edges: Arc<Edges>,
}

/// Keeps a binding alive for one call without counting a reference: most calls end before another thread
/// could care.
pub(crate) type Bound<T> = Guard<Arc<Binding<T>>>;

impl<T: Contract + ?Sized> ServiceClient<T> {
    /// A client that nobody answers yet.
    pub fn unbound() -> Self {
        Self::over(Binding::Unbound)
    }

    /// A client of an implementation in this process.
    pub fn local(service: Arc<T>) -> Self {
        Self::over(Binding::local(service, &Policy::default()))
    }

    /// A client of a service somewhere else.
    pub fn remote(transport: Arc<dyn Transport>) -> Self {
        Self::over(Binding::Remote(transport))
    }

    fn over(binding: Binding<T>) -> Self {
        Self { binding: Arc::new(ArcSwap::from_pointee(binding)), edges: Edges::of::<T>(UNNAMED, |_| true) }
    }

    /// The same client, whose calls from here on are counted as those of whoever has `edges`.
    pub(crate) fn counted_in(&self, edges: Arc<Edges>) -> Self {
        Self { binding: Arc::clone(&self.binding), edges }
    }

    pub fn bind_local(&self, service: Arc<T>) {
        self.bind(Binding::local(service, &Policy::default()));
    }

    pub(crate) fn bind(&self, binding: Binding<T>) {
        self.binding.store(Arc::new(binding));
    }

    pub fn bind_remote(&self, transport: Arc<dyn Transport>) {
        self.bind(Binding::Remote(transport));
    }

    pub fn unbind(&self) {
        self.bind(Binding::Unbound);
    }

    /// `unbound`, `local`, `remote` or `split`.
    pub fn binding_kind(&self) -> &'static str {
        self.binding.load().label()
    }

    /// What a call that begins now runs on, until it ends.
    #[inline]
    pub(crate) fn binding(&self) -> Bound<T> {
        self.binding.load()
    }

    pub(crate) fn edges(&self) -> &Arc<Edges> {
        &self.edges
    }
}

impl<T: Contract + ?Sized> Clone for ServiceClient<T> {
    fn clone(&self) -> Self {
        Self { binding: Arc::clone(&self.binding), edges: Arc::clone(&self.edges) }
    }
}

impl<T: Contract + ?Sized> fmt::Debug for ServiceClient<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceClient({} v{}, {})", T::NAME, T::VERSION, self.binding_kind())
    }
}
