//! THE LIST: the modules there are, in the order of their dependencies.

use anyhow::{Result, anyhow};
use platform::{Module, Routes, Store};
use service_registry::{Calls, Permissions, Registry, ServiceDescriptor};

use crate::config::{GATEWAY, Settings};
use crate::keys::Keys;

/// Every module, those it depends on before it.
pub const ALL: &[ServiceDescriptor] = &[identity_api::SERVICE, ledger_api::SERVICE, connections_api::SERVICE];

/// What a gateway calls: it checks users' tokens itself. Public requests it passes on, and those are no calls.
pub const GATEWAY_CALLS: Calls = &[("identity", &["jwks", "revocations"])];

/// Who may call what.
pub fn permissions() -> Permissions {
    Permissions::of(ALL, &[(GATEWAY, GATEWAY_CALLS)])
}

/// The module of this name.
pub fn descriptor(name: &str) -> Option<&'static ServiceDescriptor> {
    ALL.iter().find(|module| module.name == name)
}

/// The modules that this binary was built with.
pub const BUILT: &[&str] = &[
    #[cfg(feature = "identity")]
    identity_api::SERVICE.name,
    #[cfg(feature = "ledger")]
    ledger_api::SERVICE.name,
    #[cfg(feature = "connections")]
    connections_api::SERVICE.name,
];

/// The public routes of all modules, over clients that nobody answers: to be described, not called.
pub(crate) fn described() -> Vec<Routes> {
    vec![
        #[cfg(feature = "identity")]
        identity::routes(service_registry::ServiceClient::unbound()),
        #[cfg(feature = "ledger")]
        ledger::described(),
        #[cfg(feature = "connections")]
        connections::described(),
    ]
}

/// Starts a module on each of `stores`.
#[cfg_attr(
    not(any(feature = "identity", feature = "connections")),
    allow(unused_variables, reason = "the ledger alone needs no keys")
)]
pub(crate) fn start(
    settings: &Settings,
    keys: &Keys,
    registry: &Registry,
    stores: &[Store],
) -> Result<Vec<Module>> {
    let start = |store: &Store| {
        // What a module calls is counted as its own.
        let registry = &registry.as_caller(store.module());
        match store.module() {
            #[cfg(feature = "identity")]
            "identity" => start_identity(settings, keys, registry, store.clone()),
            #[cfg(feature = "ledger")]
            "ledger" => Ok(start_ledger(settings, registry, store.clone())),
            #[cfg(feature = "connections")]
            "connections" => start_connections(settings, keys, registry, store.clone()),
            other => Err(anyhow!("there is no module {other}")),
        }
    };
    stores.iter().map(start).collect()
}

#[cfg(feature = "identity")]
fn start_identity(settings: &Settings, keys: &Keys, registry: &Registry, store: Store) -> Result<Module> {
    use anyhow::Context;
    use identity::{IdentitySettings, Lifetimes, PasswordCost, RefreshKey, SigningKey};

    let ours = &settings.identity;
    let settings = IdentitySettings {
        issuer: ours.issuer.clone(),
        signing_key: SigningKey::from_pkcs8(
            keys.identity_signing.as_deref().context("no key to sign tokens with")?,
        )?,
        refresh_key: RefreshKey::new(keys.refresh.context("no key for refresh tokens")?),
        password_cost: PasswordCost::RECOMMENDED,
        lifetimes: Lifetimes {
            access_token_s: ours.access_token_s,
            idle_session_days: ours.idle_session_days,
            session_days: ours.session_days,
            refresh_grace_s: ours.refresh_grace_s,
        },
        clock: identity_api::Clock::default(),
    };
    identity::module(registry, store, settings).map_err(|faults| {
        let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
        anyhow!("{}", faults.join("; "))
    })
}

#[cfg(feature = "ledger")]
fn start_ledger(settings: &Settings, registry: &Registry, store: Store) -> Module {
    let kept = std::time::Duration::from_secs(settings.connections.preview_retention_s);
    ledger::module(registry, store, ledger::LedgerSettings::for_previews(kept))
}

#[cfg(feature = "connections")]
fn start_connections(settings: &Settings, keys: &Keys, registry: &Registry, store: Store) -> Result<Module> {
    use std::time::Duration;

    use anyhow::Context;
    use connections::ConnectionsSettings;
    use platform::SealKey;

    let ours = &settings.connections;
    let sealing = SealKey::new(keys.sealing.context("no key to seal uploads with")?);
    let account_index = SealKey::new(keys.account_index.context("no key to find accounts with")?);
    let settings = ConnectionsSettings {
        upload_limit_bytes: ours.upload_limit_bytes,
        archive_files: ours.archive_files,
        archive_ratio: ours.archive_ratio,
        file_retention: Duration::from_secs(ours.file_retention_s),
        preview_retention: Duration::from_secs(ours.preview_retention_s),
        lease: Duration::from_millis(ours.lease_ms),
        at_once: ours.at_once,
        ..ConnectionsSettings::new(sealing, account_index)
    };
    Ok(connections::module(registry, store, settings))
}
