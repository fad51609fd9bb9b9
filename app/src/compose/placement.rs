//! Which service runs where, who may call whom, and as whom this process calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use identity_api::AccessTokens;
use service_registry::{Placement, Registry, ServiceDescriptor, Transport, TransportFactory};
use service_registry_http::{HttpTransport, RpcAuth, ServiceSigner, ServiceVerifier, Signers, Tls, Upstream};

use crate::config::{GATEWAY, Settings};
use crate::internal::VerifyAgain;
use crate::keys::Keys;
use crate::modules;

/// Who vouches for users where their own tokens may have run out: an import that is still at work commits to the
/// ledger.
const ACTING: [(&str, [&str; 1]); 1] = [("ledger", ["connections"])];

/// All services, each placed here or where settings say.
pub(super) fn registry(
    settings: &Settings,
    keys: &Keys,
    tls: Option<&Arc<Tls>>,
) -> Result<(Registry, Upstreams)> {
    let placed = modules::ALL.iter().map(|service| (service.name.to_owned(), place(settings, service)));
    let signers = keys.services.iter().map(|(name, pair)| Arc::new(ServiceSigner::new(name, pair)));
    let signers = signers.collect::<Vec<_>>();
    let policies =
        modules::ALL.iter().map(|service| (service.name.to_owned(), settings.policy(service.name)));
    let builder = Registry::builder()
        .services(modules::ALL.iter().copied())
        .caller(GATEWAY, modules::GATEWAY_CALLS)
        .placement(placed)
        .policies(policies);
    let upstreams = upstreams(settings, tls)?;
    Ok((builder.transports(transports(signers, upstreams.clone())).build()?, upstreams))
}

fn place(settings: &Settings, service: &ServiceDescriptor) -> Placement {
    if settings.runs(service.name) {
        return Placement::Local;
    }
    let urls = settings.service_urls(service.name);
    match urls.is_empty() {
        true => {
            let scheme = if settings.tls_files().is_some() { "https" } else { "http" };
            Placement::remote(format!("{scheme}://127.0.0.1:{}", service.default_port))
        }
        false => Placement::Remote { urls },
    }
}

/// The ways to the services elsewhere, each one for the calls of modules here and for what a gateway passes on.
pub(super) type Upstreams = BTreeMap<&'static str, Arc<Upstream>>;

fn upstreams(settings: &Settings, tls: Option<&Arc<Tls>>) -> Result<Upstreams> {
    let mut upstreams = Upstreams::new();
    for service in modules::ALL {
        if let Placement::Remote { urls } = place(settings, service) {
            let policy = settings.policy(service.name);
            let upstream = match tls {
                Some(tls) => Upstream::over_tls(service.name, &urls, &policy, tls)?,
                None => Upstream::new(service.name, &urls, &policy)?,
            };
            upstreams.insert(service.name, Arc::new(upstream));
        }
    }
    Ok(upstreams)
}

fn transports(signers: Vec<Arc<ServiceSigner>>, upstreams: Upstreams) -> TransportFactory {
    Arc::new(move |target, _| {
        let upstream = upstreams.get(target.name);
        let upstream = upstream.ok_or_else(|| service_registry::CallError::unavailable(target.name))?;
        let signers = Signers::new(signers.clone(), modules::permissions());
        Ok(Arc::new(HttpTransport::over(Arc::clone(upstream), signers)) as Arc<dyn Transport>)
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

/// The services that this process calls elsewhere, and where their private listeners are.
pub(super) fn neighbours(settings: &Settings, registry: &Registry) -> Vec<(String, Vec<String>)> {
    let urls = |service: &ServiceDescriptor| match registry.placement(service.name) {
        Placement::Remote { urls } => Some((service.name.to_owned(), urls.clone())),
        Placement::Local => None,
    };
    settings.neighbours().filter_map(urls).collect()
}
