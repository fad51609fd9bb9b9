use std::sync::Arc;

use connections_api::{Connections, SERVICE};
use ledger_api::Ledger;
use platform::{Module, Store, outbox};
use service_registry::Registry;

use crate::bell::Bell;
use crate::service::ConnectionsService;
use crate::store::ConnectionStore;
use crate::uploads::Uploads;
use crate::work::Runner;
use crate::{ConnectionsSettings, http, jobs};

/// Puts connections together over its database and makes it the one that answers in this process.
pub fn module(registry: &Registry, store: Store, settings: ConnectionsSettings) -> Module {
    let (settings, bell) = (Arc::new(settings), Arc::<Bell>::default());
    let ledger = registry.client::<dyn Ledger>();
    let memory = ConnectionStore::new(store.clone());

    let service =
        ConnectionsService { store: memory.clone(), ledger: ledger.clone(), bell: Arc::clone(&bell) };
    registry.provide::<dyn Connections>(Arc::new(service.clone()));

    let uploads = Uploads { service, settings: Arc::clone(&settings) };
    let runner = Runner { store: memory, ledger, settings, bell };
    Module {
        name: SERVICE.name,
        routes: http::routes(registry.client::<dyn Connections>(), uploads),
        jobs: vec![
            jobs::import_runner(runner.clone()),
            jobs::sweep(runner),
            outbox::stamper(&store),
            outbox::housekeeper(&store),
        ],
        store,
    }
}
