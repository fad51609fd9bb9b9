//! Which service runs where, who may call whom, and as whom this process calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use identity_api::AccessTokens;
use service_registry::policy::Policy;
use service_registry::{Placement, Registry, ServiceDescriptor, Side, Transport, TransportFactory};
use service_registry_http::{HttpTransport, RpcAuth, ServiceSigner, ServiceVerifier, Upstream};

use crate::config::{GATEWAY, Settings};
use crate::internal::VerifyAgain;
use crate::keys::Keys;
use crate::modules;

/// Who vouches for users where their own tokens may have run out: an import that is still at work commits to the
/// ledger.
const ACTING: [(&str, [&str; 1]); 1] = [("ledger", ["connections"])];

/// All services, each placed here or where settings say.
pub(super) fn registry(settings: &Settings, keys: &Keys) -> Result<(Registry, Upstreams)> {
    let placed = modules::ALL.iter().map(|service| (service.name.to_owned(), place(settings, service)));
    let signers = keys.services.iter().map(|(name, pair)| Arc::new(ServiceSigner::new(name, pair))).collect();
    let builder = Registry::builder()
        .services(modules::ALL.iter().copied())
        .placement(placed)
        .policies(policies(settings));
    let upstreams = upstreams(settings)?;
    let policies = policies(settings).collect();
    Ok((builder.transports(transports(signers, upstreams.clone(), policies)).build()?, upstreams))
}

fn policies(settings: &Settings) -> impl Iterator<Item = (String, Policy)> {
    modules::ALL.iter().map(|service| (service.name.to_owned(), settings.policy(service.name)))
}

fn place(settings: &Settings, service: &ServiceDescriptor) -> Placement {
    if settings.runs(service.name) {
        return Placement::local();
    }
    let urls = settings.service_urls(service.name);
    match urls.is_empty() {
        true => Placement::remote(format!("http://127.0.0.1:{}", service.default_port)),
        false => Placement::remote_at(urls),
    }
}

/// The ways to the services elsewhere, each one for the calls of modules here and for what a gateway passes on.
pub(super) type Upstreams = BTreeMap<&'static str, Arc<Upstream>>;

fn upstreams(settings: &Settings) -> Result<Upstreams> {
    let mut upstreams = Upstreams::new();
    for service in modules::ALL {
        let placement = place(settings, service);
        if placement.side == Side::Remote {
            let upstream = Upstream::new(service.name, &placement.urls, &settings.policy(service.name))?;
            upstreams.insert(service.name, Arc::new(upstream));
        }
    }
    Ok(upstreams)
}

/// Calls are signed by a service here that may make them: a process of several has the rights of each.
fn transports(
    signers: Vec<Arc<ServiceSigner>>,
    upstreams: Upstreams,
    policies: BTreeMap<String, Policy>,
) -> TransportFactory {
    Arc::new(move |target, urls| {
        let signer = signers.iter().find(|signer| may_call(signer.service(), target));
        let signer = signer.or(signers.first()).ok_or_else(|| {
            service_registry::CallError::failed("a process without a service has no key to call with")
        })?;
        let upstream = match upstreams.get(target.name).filter(|known| known.urls() == urls) {
            Some(known) => Arc::clone(known),
            // Placed elsewhere since the start.
            None => {
                let policy = policies.get(target.name).copied().unwrap_or_default();
                Arc::new(Upstream::new(target.name, urls, &policy)?)
            }
        };
        Ok(Arc::new(HttpTransport::over(upstream, Arc::clone(signer))) as Arc<dyn Transport>)
    })
}

fn may_call(caller: &str, target: &ServiceDescriptor) -> bool {
    let depends =
        modules::descriptor(caller).is_some_and(|service| service.depends_on.contains(&target.name));
    depends || caller == GATEWAY
}

/// Who is let in on the private listener: a service by those that depend on it and by gateways, nobody else.
pub(super) fn auth(keys: &Keys, tokens: &AccessTokens) -> Result<Arc<RpcAuth>> {
    let mut services = ServiceVerifier::new();
    for (name, pem) in &keys.known {
        services = services.key_pem(name, pem).with_context(|| format!("public key of {name}"))?;
    }
    for target in modules::ALL {
        let callers = keys.known.keys().filter(|caller| may_call(caller, target));
        services = services.allow(target.name, callers.cloned());
    }
    for (target, callers) in ACTING {
        services = services.allow_acting(target, callers);
    }
    Ok(Arc::new(RpcAuth { services, callers: Arc::new(VerifyAgain(tokens.clone())) }))
}

/// The services that this process calls elsewhere, and where their private listeners are.
pub(super) fn neighbours(settings: &Settings, registry: &Registry) -> Vec<(String, Vec<String>)> {
    let placed =
        |service: &ServiceDescriptor| (service.name.to_owned(), registry.configured(service.name).urls);
    settings.neighbours().map(placed).collect()
}
