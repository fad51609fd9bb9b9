use std::sync::Arc;

use identity_api::{Identity, SERVICE};
use platform::{Module, Store, outbox};
use service_registry::Registry;

use crate::service::IdentityService;
use crate::{IdentitySettings, SettingsFault, http, jobs};

/// Identity in this process: provides the service to `registry`, and gives its routes and jobs.
///
/// Refuses settings that it cannot work with, and names them all. Its database has to be migrated by whoever
/// opened `store`.
pub fn module(
    registry: &Registry,
    store: Store,
    settings: IdentitySettings,
) -> Result<Module, Vec<SettingsFault>> {
    let faults = settings.faults();
    if !faults.is_empty() {
        return Err(faults);
    }
    let jobs =
        vec![outbox::stamper(&store), outbox::housekeeper(&store), jobs::sweeper(&store, &settings.clock)];
    let cost = |_| vec![SettingsFault { setting: "password_cost", reason: "is beyond what Argon2 allows" }];
    let service = IdentityService::new(store.clone(), Arc::new(settings)).map_err(cost)?;
    registry.provide::<dyn Identity>(Arc::new(service));
    Ok(Module { name: SERVICE.name, routes: http::routes(registry.client()), jobs, store })
}
