//! Which service runs where, who may call whom, and as whom this process calls.

use std::sync::Arc;

use anyhow::{Context, Result};
use identity_api::AccessTokens;
use service_registry::{Registry, Side, Transport, TransportFactory};
use service_registry_http::{HttpTransport, RpcAuth, ServiceSigner, ServiceVerifier, Signers, Tls};

use crate::config::{GATEWAY, Settings};
use crate::internal::VerifyAgain;
use crate::keys::Keys;
use crate::modules;
use crate::upstreams::Upstreams;

/// Who vouches for users where their own tokens may have run out: an import that is still at work commits to the
/// ledger.
const ACTING: [(&str, [&str; 1]); 1] = [("ledger", ["connections"])];

/// All services, each placed here or where settings say.
pub(super) fn registry(
    settings: &Settings,
    keys: &Keys,
    tls: Option<&Arc<Tls>>,
) -> Result<(Registry, Upstreams)> {
    let placed = modules::ALL.iter().map(|service| (service.name.to_owned(), settings.placement(service)));
    let signers = keys.services.iter().map(|(name, pair)| Arc::new(ServiceSigner::new(name, pair))).collect();
    let policies =
        modules::ALL.iter().map(|service| (service.name.to_owned(), settings.policy(service.name)));
    let builder = Registry::builder()
        .services(modules::ALL.iter().copied())
        .caller(GATEWAY, modules::GATEWAY_CALLS)
        .placement(placed)
        .policies(policies);
    let here = modules::ALL.iter().filter(|service| settings.runs(service.name));
    let builder = here.fold(builder, |builder, service| builder.runs(service.name));
    let simulated = modules::ALL
        .iter()
        .filter_map(|service| Some((service.name, settings.service(service.name)?.network()?)));
    let builder = simulated.fold(builder, |builder, (name, network)| builder.simulate(name, network));
    let upstreams = Upstreams::new(settings, tls);
    Ok((builder.transports(transports(signers, upstreams.clone())).build()?, upstreams))
}

fn transports(signers: Vec<Arc<ServiceSigner>>, upstreams: Upstreams) -> TransportFactory {
    Arc::new(move |target, urls| {
        let upstream = upstreams.reach(target.name, urls)?;
        let signers = Signers::new(signers.clone(), modules::permissions());
        Ok(Arc::new(HttpTransport::over(upstream, signers)) as Arc<dyn Transport>)
    })
}

/// Who is known on the private listener. What each may call there, the registry says.
pub(super) fn auth(keys: &Keys, tokens: &AccessTokens, certificates: bool) -> Result<Arc<RpcAuth>> {
    let mut services = ServiceVerifier::new();
    for (name, pem) in &keys.known {
        services = services.key_pem(name, pem).with_context(|| format!("public key of {name}"))?;
    }
    for (target, callers) in ACTING {
        services = services.allow_acting(target, callers);
    }
    Ok(Arc::new(RpcAuth { services, callers: Arc::new(VerifyAgain(tokens.clone())), certificates }))
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
