//! What orchestrators and metrics collectors ask.

use actix_web::http::header::CACHE_CONTROL;
use actix_web::{HttpResponse, web};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Value, json};

use crate::health::Health;

/// Outside hears whether, and not why.
pub(crate) fn mount_public(config: &mut web::ServiceConfig) {
    config.route("/health/live", web::get().to(async || status(true, json!({})))).route(
        "/health/ready",
        web::get().to(async |health: web::Data<Health>| status(health.is_ready(), json!({}))),
    );
}

pub(super) fn mount_private(config: &mut web::ServiceConfig) {
    config
        .route("/health/live", web::get().to(async || status(true, json!({}))))
        .route("/health/ready", web::get().to(ready))
        .route("/health/startup", web::get().to(startup))
        .route("/metrics", web::get().to(metrics));
}

async fn ready(health: web::Data<Health>) -> HttpResponse {
    let report = health.report();
    status(health.is_ready(), json!({ "missing": report.missing, "degraded": report.degraded }))
}

async fn startup(health: web::Data<Health>) -> HttpResponse {
    status(health.has_started(), json!({}))
}

fn status(good: bool, mut body: Value) -> HttpResponse {
    let mut response = if good { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    body["status"] = if good { "ok".into() } else { "unavailable".into() };
    response.insert_header((CACHE_CONTROL, "no-store")).json(body)
}

async fn metrics(recorder: web::Data<PrometheusHandle>) -> HttpResponse {
    metrics_process::Collector::default().collect();
    service_registry::publish_metrics();
    // Version 0.0.4 of the text format, which every collector reads.
    HttpResponse::Ok().content_type("text/plain; version=0.0.4; charset=utf-8").body(recorder.render())
}
