//! Which service runs where, who may call whom, and as whom this process calls.

use std::sync::Arc;

use anyhow::{Context, Result};
use identity_api::AccessTokens;
use service_registry::{Registry, ServiceDescriptor, Side, Transport, TransportFactory};
use service_registry_http::{HttpTransport, RpcAuth, ServiceSigner, ServiceVerifier};

use crate::config::{GATEWAY, OPERATOR, Settings};
use crate::internal::{OPERATIONS, VerifyAgain};
use crate::keys::Keys;
use crate::modules;
use crate::upstreams::Upstreams;

/// Who vouches for users where their own tokens may have run out: an import that is still at work commits to the
/// ledger.
const ACTING: [(&str, [&str; 1]); 1] = [("ledger", ["connections"])];

/// All services, each placed here or where settings say.
pub(super) fn registry(settings: &Settings, keys: &Keys) -> Result<(Registry, Upstreams)> {
    let placed = modules::ALL.iter().map(|service| (service.name.to_owned(), settings.placement(service)));
    let signers = keys.services.iter().map(|(name, pair)| Arc::new(ServiceSigner::new(name, pair))).collect();
    let policies =
        modules::ALL.iter().map(|service| (service.name.to_owned(), settings.policy(service.name)));
    let builder =
        Registry::builder().services(modules::ALL.iter().copied()).placement(placed).policies(policies);
    let here = modules::ALL.iter().filter(|service| settings.runs(service.name));
    let builder = here.fold(builder, |builder, service| builder.runs(service.name));
    let upstreams = Upstreams::new(settings);
    Ok((builder.transports(transports(signers, upstreams.clone())).build()?, upstreams))
}

/// Calls are signed by a service here that may make them: a process of several has the rights of each.
fn transports(signers: Vec<Arc<ServiceSigner>>, upstreams: Upstreams) -> TransportFactory {
    Arc::new(move |target, urls| {
        let signer = signers.iter().find(|signer| may_call(signer.service(), target));
        let signer = signer.or(signers.first()).ok_or_else(|| {
            service_registry::CallError::failed("a process without a service has no key to call with")
        })?;
        let upstream = upstreams.reach(target.name, urls)?;
        Ok(Arc::new(HttpTransport::over(upstream, Arc::clone(signer))) as Arc<dyn Transport>)
    })
}

fn may_call(caller: &str, target: &ServiceDescriptor) -> bool {
    let depends =
        modules::descriptor(caller).is_some_and(|service| service.depends_on.contains(&target.name));
    depends || caller == GATEWAY
}

/// Who is let in on the private listener: a service by those that depend on it and by gateways, nobody else; and an
/// operator to what is theirs.
pub(super) fn auth(keys: &Keys, tokens: &AccessTokens) -> Result<Arc<RpcAuth>> {
    let mut services = ServiceVerifier::new();
    for (name, pem) in &keys.known {
        services = services.key_pem(name, pem).with_context(|| format!("public key of {name}"))?;
    }
    for target in modules::ALL {
        let callers = keys.known.keys().filter(|caller| may_call(caller, target));
        services = services.allow(target.name, callers.cloned());
    }
    services = services.allow(OPERATIONS, [OPERATOR]);
    for (target, callers) in ACTING {
        services = services.allow_acting(target, callers);
    }
    Ok(Arc::new(RpcAuth { services, callers: Arc::new(VerifyAgain(tokens.clone())) }))
}

/// The services that this process calls elsewhere as things stand, and where their private listeners are.
pub(super) fn neighbours(
    settings: &Settings,
    registry: &Registry,
) -> impl Fn() -> Vec<(String, Vec<String>)> + use<> {
    let registry = registry.clone();
    let here = modules::ALL.iter().filter(|service| settings.runs(service.name));
    let called: Vec<_> = settings.neighbours().chain(here).collect();
    move || {
        let placed = called.iter().map(|service| (service.name, registry.placement(service.name)));
        let elsewhere = placed.filter(|(_, placement)| placement.side != Side::Local);
        elsewhere.map(|(name, placement)| (name.to_owned(), placement.urls)).collect()
    }
}
