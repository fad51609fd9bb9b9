use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::{App, Error, HttpServer, web};
use anyhow::{Context, Result};
use identity_api::AccessTokens;
use metrics_exporter_prometheus::PrometheusHandle;
use platform::Routes;
use rustls::ServerConfig;
use service_registry::Registry;
use service_registry_http::{RpcAuth, ServiceSigner, Tls, remember_connection};

use super::{Server, socket};
use crate::config::{GATEWAY, Settings, SocketMode};
use crate::edge::{self, Edge, Proxy};
use crate::health::Health;
use crate::internal::{self, Door};
use crate::keys::Keys;
use crate::openapi;
use crate::placement::Placements;
use crate::upstreams::Upstreams;

/// What both listeners need.
pub(super) struct Shared<'a> {
    pub(super) settings: &'a Settings,
    pub(super) registry: &'a Registry,
    pub(super) upstreams: Upstreams,
    pub(super) routes: Vec<Routes>,
    pub(super) health: &'a Arc<Health>,
    pub(super) placements: &'a Arc<Placements>,
    pub(super) tls: Option<&'a Arc<Tls>>,
}

struct Bounds {
    address: SocketAddr,
    workers: usize,
    max_connections: usize,
    tls: Option<ServerConfig>,
    socket: Option<(PathBuf, SocketMode)>,
}

pub(super) fn private(
    shared: &Shared<'_>,
    auth: &Arc<RpcAuth>,
    metrics: PrometheusHandle,
) -> Result<(SocketAddr, Server)> {
    let settings = &shared.settings.private;
    let address = shared.settings.private_address().context("private.listen")?;
    let bounds = Bounds {
        address,
        workers: settings.workers,
        max_connections: settings.max_connections,
        tls: shared.tls.map(|tls| tls.server_config()),
        socket: shared.settings.private_socket().map(|path| (path.to_owned(), settings.socket_mode)),
    };
    let registry = shared.registry.clone();
    let door = web::Data::new(Door {
        registry: registry.clone(),
        auth: Arc::clone(auth),
        modules: shared.settings.modules.clone(),
    });
    let (auth, health) = (Arc::clone(auth), web::Data::from(Arc::clone(shared.health)));
    let routes = shared.routes.clone();
    let placements = web::Data::from(Arc::clone(shared.placements));
    let app = move || {
        internal::app(door.clone(), &auth, &registry, health.clone(), &placements, metrics.clone(), &routes)
    };
    listen("private listener", shared.settings, bounds, app)
}

pub(super) fn public(
    shared: &Shared<'_>,
    keys: &Keys,
    tokens: &AccessTokens,
    draining: &Arc<AtomicBool>,
) -> Result<(SocketAddr, Arc<Edge>, Server)> {
    let settings = &shared.settings.public;
    let bounds = Bounds {
        address: settings.listen,
        workers: settings.workers,
        max_connections: settings.max_connections,
        tls: None,
        socket: None,
    };
    let signer = keys.services.get(GATEWAY).map(|pair| Arc::new(ServiceSigner::new(GATEWAY, pair)));
    let gateway = shared.registry.as_caller(GATEWAY);
    let proxy = web::Data::new(Proxy::new(&gateway, shared.upstreams.clone(), signer));
    let document = openapi::document();
    let edge =
        Arc::new(Edge::new(shared.settings, tokens.clone(), &gateway, &document, Arc::clone(draining))?);
    let (data, health) = (web::Data::from(Arc::clone(&edge)), web::Data::from(Arc::clone(shared.health)));
    let routes = shared.routes.clone();
    let app = move || edge::app(data.clone(), health.clone(), &routes, proxy.clone());
    let (address, server) = listen("public listener", shared.settings, bounds, app)?;
    Ok((address, edge, server))
}

fn listen<S, B>(
    name: &'static str,
    settings: &Settings,
    bounds: Bounds,
    app: impl Fn() -> App<S> + Send + Clone + 'static,
) -> Result<(SocketAddr, Server)>
where
    S: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let Bounds { address, workers, max_connections, tls, socket } = bounds;
    let server = HttpServer::new(app)
        .workers(workers)
        .on_connect(remember_connection)
        .max_connections(max_connections / workers)
        .client_request_timeout(Duration::from_millis(settings.edge.header_timeout_ms))
        .keep_alive(Duration::from_millis(settings.edge.idle_timeout_ms))
        .shutdown_timeout(settings.shutdown.grace_ms.div_ceil(1000))
        .disable_signals();
    let bound = match tls {
        Some(tls) => server.bind_rustls_0_23(address, tls),
        None => server.bind(address),
    };
    let server = bound.with_context(|| format!("cannot listen on {address}"))?;
    let bound = server.addrs().first().copied().unwrap_or(address);
    // After the address: of two processes with the same settings the second ends there, and has touched no socket.
    let (server, socket) = match socket {
        Some((path, mode)) => {
            let (listener, file) = socket::bind(&path, mode)?;
            (server.listen_uds(listener)?, Some(file))
        }
        None => (server, None),
    };
    let server = server.run();
    let handle = server.handle();
    Ok((bound, Server { name, handle, task: tokio::spawn(server), _socket: socket }))
}
