//! The composition root, straight down: keys, registry, stores, schema, modules, listeners, jobs.

mod listeners;
mod placement;
mod socket;
mod stores;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::dev::ServerHandle;
use anyhow::Result;
use identity_api::{AccessTokens, Clock, Identity};
use platform::{Module, Store};
use service_registry_http::Tls;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::config::{self, GATEWAY, Settings};
use crate::health::{Checks, Health};
use crate::keys::Keys;
use crate::placement::Placements;
use crate::{certificates, modules, telemetry};

pub(crate) use stores::database;

/// A running process: what it listens on, and what has to be stopped in the end.
pub struct Process {
    /// Where the public listener was bound, if there is one here.
    pub public: Option<SocketAddr>,
    /// Where the private listener was bound.
    pub private: SocketAddr,
    pub(crate) health: Arc<Health>,
    pub(crate) placements: Arc<Placements>,
    pub(crate) tls: Option<Arc<Tls>>,
    pub(crate) settings: config::Shutdown,
    pub(crate) draining: Arc<AtomicBool>,
    /// In the order in which they stop.
    pub(crate) servers: Vec<Server>,
    pub(crate) jobs: Vec<(&'static str, JoinHandle<()>)>,
    pub(crate) stop: CancellationToken,
    pub(crate) stores: Vec<Store>,
}

/// A listener and the task that it runs in.
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) handle: ServerHandle,
    pub(crate) task: JoinHandle<std::io::Result<()>>,
    /// What is to be taken away when it has stopped.
    pub(crate) _socket: Option<socket::SocketFile>,
}

impl Process {
    /// Starts everything that `settings` wants here. Neighbours may come up later.
    pub async fn start(settings: Settings) -> Result<Self> {
        let metrics = telemetry::metrics()?;
        let keys = Keys::load(&settings)?;
        let tls = certificates::load(&settings)?;
        let (registry, upstreams) = placement::registry(&settings, &keys, tls.as_ref())?;
        let stores = stores::open(&settings).await?;
        if settings.database.migrate_at_start {
            stores::migrate(&stores).await?;
        }
        let modules = modules::start(&settings, &keys, &registry, &stores)?;
        let (routes, jobs): (Vec<_>, Vec<_>) =
            modules.into_iter().map(|Module { routes, jobs, .. }| (routes, jobs)).unzip();

        let door = registry.as_caller(door(&settings));
        let tokens =
            AccessTokens::new(&settings.identity.issuer, door.client::<dyn Identity>(), Clock::default());
        let draining = Arc::new(AtomicBool::new(false));
        let health = Arc::new(Health::new(Arc::clone(&draining)));
        let placements = Arc::new(Placements::new(registry.clone(), &settings));
        let shared = listeners::Shared {
            settings: &settings,
            registry: &registry,
            upstreams,
            routes,
            health: &health,
            placements: &placements,
            tls: tls.as_ref(),
        };
        let auth = placement::auth(&keys, &tokens, tls.is_some())?;
        let private = listeners::private(&shared, &auth, metrics.clone())?;
        let public = match settings.runs(GATEWAY) {
            true => Some(listeners::public(&shared, &keys, &tokens, &draining)?),
            false => None,
        };

        let stop = CancellationToken::new();
        let mut running: Vec<_> =
            jobs.into_iter().flatten().map(|job| (job.name, job.start(stop.clone()))).collect();
        let checks = Checks {
            stores: stores.clone(),
            schema: !settings.database.migrate_at_start,
            tokens: tokens.clone(),
            neighbours: Box::new(placement::neighbours(&settings, &registry)),
            registry: registry.clone(),
            tls: tls.clone(),
        };
        running.extend(upkeep(
            &health,
            checks,
            tokens,
            metrics,
            public.as_ref().map(|(_, edge, _)| Arc::clone(edge)),
            &stop,
        ));
        if let Some(tls) = &tls {
            let job = certificates::keep_current(Arc::clone(tls), stop.clone());
            running.push(("certificates", tokio::spawn(job)));
        }
        health.set_started();

        let (private_address, private) = private;
        let (public_address, public) = public.map(|(address, _, server)| (address, server)).unzip();
        let socket = settings.private_socket().map(|path| path.display());
        info!(private = %private_address, socket = socket.map(tracing::field::display), public = public_address.map(tracing::field::display), "Serving {}", settings.modules.join(" + "));
        Ok(Self {
            public: public_address,
            private: private_address,
            health,
            placements,
            tls,
            settings: settings.shutdown,
            draining,
            servers: public.into_iter().chain([private]).collect(),
            jobs: running,
            stop,
            stores,
        })
    }

    /// Waits until probes would be told that this process is of use.
    pub async fn until_ready(&self) {
        while !self.health.is_ready() {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    }

    /// From now on readiness says no, and answers ask for no further requests on their connection.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
    }
}

/// Whose work it is to look after the tokens of users: the gateway's, or else the first module's.
fn door(settings: &Settings) -> &str {
    let first = settings.modules.first().map_or(GATEWAY, String::as_str);
    if settings.runs(GATEWAY) { GATEWAY } else { first }
}

/// What the process does for itself, beside the jobs of its modules.
fn upkeep(
    health: &Arc<Health>,
    checks: Checks,
    tokens: AccessTokens,
    metrics: metrics_exporter_prometheus::PrometheusHandle,
    edge: Option<Arc<crate::edge::Edge>>,
    stop: &CancellationToken,
) -> [(&'static str, JoinHandle<()>); 3] {
    let (health, token) = (Arc::clone(health), stop.clone());
    let watch = tokio::spawn(async move { health.watch(checks, token).await });
    let token = stop.clone();
    let keep_current = tokio::spawn(async move {
        token.run_until_cancelled(tokens.keep_current()).await;
    });
    let token = stop.clone();
    let tidy = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(std::time::Duration::from_secs(5));
        while token.run_until_cancelled(ticks.tick()).await.is_some() {
            service_registry::publish_metrics();
            metrics.run_upkeep();
            edge.iter().for_each(|edge| edge.tidy());
        }
    });
    [("health checks", watch), ("token keys", keep_current), ("upkeep", tidy)]
}
