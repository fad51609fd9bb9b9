//! The implementation in this process, asked the way that one elsewhere is.

use std::sync::Arc;

use async_trait::async_trait;

use crate::binding::Kind;
use crate::call::Call;
use crate::contract::{Class, Contract};
use crate::dispatch::index_of;
use crate::edge::Edges;
use crate::policy::Bulkhead;
use crate::transport::{Outgoing, Reply, Transport, Unanswered};

/// The local side of a service whose calls may also go elsewhere.
pub(crate) struct Here<T: ?Sized> {
    pub(crate) service: Arc<T>,
    /// The same places for calls that come here directly and by way of a transport.
    pub(crate) bulkhead: Bulkhead,
    edges: Arc<Edges>,
}

impl<T: Contract + ?Sized> Here<T> {
    pub(crate) fn new(service: Arc<T>, bulkhead: Bulkhead, edges: Arc<Edges>) -> Self {
        Self { service, bulkhead, edges }
    }
}

#[async_trait]
impl<T: Contract + ?Sized> Transport for Here<T> {
    /// Not counted: whoever sent the call this way counts it.
    async fn call(&self, call: Outgoing<'_>) -> Result<Reply, Unanswered> {
        let Outgoing { method, cx, arguments, .. } = call;
        let index = index_of::<T>(method.name)?;
        let place = self.bulkhead.enter().await.map_err(Unanswered::unsent)?;
        let call =
            Call::resume(T::NAME, method, Kind::Local, self.edges.edge(index, Kind::Local), cx.clone());
        let outcome = match method.class {
            Class::Read => call.run(self.service.dispatch(index, call.cx(), &arguments)).await,
            Class::Idempotent | Class::Once => {
                let (service, cx, place) = (Arc::clone(&self.service), call.cx().clone(), place.keep());
                let work = async move {
                    let _place = place;
                    service.dispatch(index, &cx, &arguments).await
                };
                call.detach(work).await
            }
        };
        Ok(outcome.flatten()?)
    }
}
