//! What this process is, where its services are, and who calls whom, for operators.

use actix_web::middleware::from_fn;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use service_registry::Topology;

use super::door::Door;
use super::placement::{let_operators_in, ok};

/// What a process tells of itself and of what it has seen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Seen {
    pub(crate) modules: Vec<String>,
    pub(crate) version: String,
    #[serde(flatten)]
    pub(crate) topology: Topology,
}

pub(super) fn mount(config: &mut web::ServiceConfig) {
    config.service(web::resource("/topology").get(show).wrap(from_fn(let_operators_in)));
}

async fn show(door: web::Data<Door>) -> HttpResponse {
    let (modules, version) = (door.modules.clone(), env!("CARGO_PKG_VERSION").to_owned());
    ok(&Seen { modules, version, topology: door.registry.topology() })
}
