//! The public listener: what a request meets before a module does, in one list, in order.

mod access_log;
mod authentication;
mod authorisation;
mod cancel;
mod cors;
mod docs;
mod idempotency;
mod limits;
mod network;
mod problems;
mod proxy;
mod rate_limit;
mod request_id;
mod routes;
mod security;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, Error, web};
use identity_api::AccessTokens;
use platform::Routes;
use service_registry::Registry;
use utoipa_actix_web::AppExt;

use crate::config::Settings;
use crate::health::Health;
pub use network::Network;
pub(crate) use problems::{map as map_problems, not_found, problem_response, refuse};
pub use proxy::Proxy;
pub use routes::RouteTable;
pub(crate) use routes::is_open;

/// What the middleware of all worker threads shares.
pub struct Edge {
    settings: crate::config::Edge,
    upload_limit_bytes: u64,
    trusted_proxies: Vec<Network>,
    routes: RouteTable,
    limiter: rate_limit::Limiter,
    tokens: AccessTokens,
    registry: Registry,
    openapi_json: web::Bytes,
    draining: Arc<AtomicBool>,
}

/// Wraps the first named around the second, and so on: the list reads in the order in which a request meets them.
macro_rules! stack {
    ($app:expr; $outermost:expr) => { $app.wrap($outermost) };
    ($app:expr; $outer:expr, $($inner:expr),+ $(,)?) => { stack!($app; $($inner),+).wrap($outer) };
}

impl Edge {
    /// The shared part of the public listener; `openapi` says which routes there are, in every mode the same.
    pub fn new(
        settings: &Settings,
        tokens: AccessTokens,
        registry: &Registry,
        openapi: &utoipa::openapi::OpenApi,
        draining: Arc<AtomicBool>,
    ) -> anyhow::Result<Self> {
        let edge = settings.edge.clone();
        Ok(Self {
            trusted_proxies: edge
                .trusted_proxies
                .iter()
                .map(|text| text.parse())
                .collect::<Result<_, _>>()?,
            routes: RouteTable::new(openapi, edge.docs),
            limiter: rate_limit::Limiter::new(&edge.rate),
            tokens,
            registry: registry.clone(),
            openapi_json: serde_json::to_vec(openapi)?.into(),
            draining,
            upload_limit_bytes: settings.connections.upload_limit_bytes,
            settings: edge,
        })
    }

    /// Forgets clients that have not been seen for a while.
    pub fn tidy(&self) {
        self.limiter.tidy();
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    fn of(req: &ServiceRequest) -> Arc<Self> {
        let edge = req.app_data::<web::Data<Self>>().expect("the public app holds its edge");
        Arc::clone(edge)
    }
}

/// The application of one public worker thread.
pub fn app(
    edge: web::Data<Edge>,
    health: web::Data<Health>,
    routes: &[Routes],
    proxy: web::Data<Proxy>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let app = App::new().app_data(edge.clone()).app_data(health).app_data(proxy);
    let app = routes.iter().fold(app.into_utoipa_app(), |app, mount| app.configure(|config| mount(config)));
    let app = app.into_app().configure(|config| {
        crate::internal::mount_public_health(config);
        docs::mount(config, edge.settings.docs);
    });
    let app = app.default_service(web::to(proxy::forward_or_not_found));
    stack!(app;
        Compress::default(),
        from_fn(request_id::assign),
        from_fn(access_log::record),
        from_fn(problems::map),
        from_fn(limits::enforce),
        from_fn(security::add_headers),
        cors::allow(&edge.settings.cors_origins),
        from_fn(rate_limit::by_address),
        from_fn(routes::find),
        from_fn(authentication::authenticate),
        from_fn(rate_limit::by_principal),
        from_fn(authorisation::authorise),
        from_fn(idempotency::read_key),
        from_fn(cancel::drop_reads),
    )
}
