//! The API's description, for programs and for people; no file of it comes from elsewhere.

use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::{HttpResponse, web};
use utoipa_swagger_ui::{Config, SwaggerUi};

use super::Edge;

pub(super) const OPENAPI: &str = "/api/v1/openapi.json";
pub(super) const PATHS: [&str; 3] = [OPENAPI, "/docs", "/docs/{*}"];

/// Whether `path` is one of the page's, which needs more leave than data does.
pub(super) fn is_page(path: &str) -> bool {
    path.starts_with("/docs/")
}

pub(super) fn mount(config: &mut web::ServiceConfig, shown: bool) {
    if !shown {
        return;
    }
    config
        .route(OPENAPI, web::get().to(openapi))
        .route("/docs", web::get().to(to_page))
        .service(SwaggerUi::new("/docs/{_:.*}").config(page()));
}

/// Without the badge that would send our description to somebody else to have it checked.
fn page() -> Config<'static> {
    Config::from(OPENAPI).use_base_layout().validator_url("none")
}

async fn openapi(edge: web::Data<Edge>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((CACHE_CONTROL, "max-age=300"))
        .body(edge.openapi_json.clone())
}

async fn to_page() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header((LOCATION, "/docs/")).finish()
}
