use std::sync::Arc;

use ledger_api::{Ledger, SERVICE};
use platform::{Module, Store, outbox};
use service_registry::Registry;

use crate::export::Exports;
use crate::service::LedgerService;
use crate::{LedgerSettings, http, jobs};

/// Puts the ledger together over its database and makes it the one that answers in this process.
pub fn module(registry: &Registry, store: Store, settings: LedgerSettings) -> Module {
    registry.provide::<dyn Ledger>(Arc::new(LedgerService::new(store.clone())));
    Module {
        name: SERVICE.name,
        routes: http::routes(registry.client(), Some(Exports::new(store.clone()))),
        jobs: vec![
            outbox::stamper(&store),
            outbox::housekeeper(&store),
            jobs::sweeper(&store, settings.waiting_kept),
        ],
        store,
    }
}
