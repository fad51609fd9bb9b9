//! Door 1: public routes.

mod formats;
mod imports;
mod profiles;
mod rows;
mod upload;

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::Data;
use connections_api::{Connections, Import};
use platform::Routes;
use platform::http::accepted;
use service_registry::{CallContext, ServiceClient};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::uploads::Uploads;

type Client = Data<ServiceClient<dyn Connections>>;

/// The public routes over a client of the service and the door that takes uploads.
pub(crate) fn routes(connections: ServiceClient<dyn Connections>, uploads: Uploads) -> Routes {
    let (connections, uploads) = (Data::new(connections), Data::new(uploads));
    Arc::new(move |routes| {
        routes.app_data(Data::clone(&connections)).app_data(Data::clone(&uploads));
        mount(routes);
    })
}

/// The same routes with nothing behind them: to be described, not called.
pub fn described() -> Routes {
    Arc::new(mount)
}

fn mount(routes: &mut ServiceConfig) {
    routes
        .service(upload::upload)
        .service(imports::list)
        // Before `{id}`, which would take the word for an id.
        .service(formats::list)
        .service(imports::find)
        .service(imports::preview)
        .service(imports::commit)
        .service(imports::undo)
        .service(imports::cancel)
        .service(rows::list)
        .service(imports::delete_file)
        .service(imports::reparse)
        .service(profiles::list)
        .service(profiles::save)
        .service(profiles::delete);
}

/// An import that somebody works on from here on, and where to follow it.
fn begun(cx: &CallContext, import: &Import) -> HttpResponse {
    accepted(cx, format!("/api/v1/imports/{}", import.id), import)
}
