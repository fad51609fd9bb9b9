//! The private listener: calls between services, public requests that a gateway passes on, health, metrics, placement.

mod door;
mod placement;
mod probes;
mod topology;

use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, Error, web};
use metrics_exporter_prometheus::PrometheusHandle;
use platform::Routes;
use service_registry::Registry;
use service_registry_http::{RpcAuth, rpc_routes};
use utoipa_actix_web::AppExt;

use crate::edge;
use crate::health::Health;
use crate::placement::Placements;
pub use door::{Door, VerifyAgain};
pub(crate) use placement::AUDIENCE as OPERATIONS;
pub(crate) use probes::mount_public as mount_public_health;
pub(crate) use topology::Seen;

/// The application of one private worker thread.
pub fn app(
    door: web::Data<Door>,
    auth: &Arc<RpcAuth>,
    registry: &Registry,
    health: web::Data<Health>,
    placements: &web::Data<Placements>,
    metrics: PrometheusHandle,
    routes: &[Routes],
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody + use<>>,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let app = App::new().app_data(door).app_data(health).app_data(web::Data::new(metrics));
    let app = routes.iter().fold(app.into_utoipa_app(), |app, mount| app.configure(|config| mount(config)));
    app.into_app()
        .configure(probes::mount_private)
        .configure(|config| placement::mount(config, placements))
        .configure(topology::mount)
        .configure(rpc_routes(registry, auth))
        .default_service(web::to(edge::not_found))
        .wrap(from_fn(door::map_public_problems))
        .wrap(from_fn(door::enter))
}
