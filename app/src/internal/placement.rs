//! Where services are placed, for operators: shown, and changed while the process runs.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::CACHE_CONTROL;
use actix_web::middleware::{Next, from_fn};
use actix_web::{Error, HttpMessage, HttpResponse, web};
use kernel::{Code, FieldError, Problem};
use platform::http::{ApiError, Json};
use serde::Serialize;
use serde_json::json;
use service_registry::{CallError, Placement};
use service_registry_http::{Asked, Reason, authenticate};

use super::door::{Door, problem_of};
use crate::config::OPERATOR;
use crate::edge;
use crate::placement::{Placements, Refused};

/// The audience of a token with which an operator comes to any process.
pub(crate) const AUDIENCE: &str = "placement";

/// Who was let in.
#[derive(Clone)]
struct Operator(String);

pub(super) fn mount(config: &mut web::ServiceConfig, placements: &web::Data<Placements>) {
    config.service(
        web::scope("/placement")
            .app_data(placements.clone())
            .service(web::resource("").get(list))
            .service(web::resource("/{service}").get(show).put(place))
            .default_service(web::to(edge::not_found))
            .wrap(from_fn(let_operators_in)),
    );
}

/// Nobody learns what is here, or changes it, without an operator's token. Each refusal is logged by who asked.
pub(super) async fn let_operators_in(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let auth = &req.app_data::<web::Data<Door>>().expect("the private app holds its door").auth;
    let asked = Asked::of(req.request(), AUDIENCE, None, req.path());
    let refused = |error: CallError| ApiError::from(problem_of(&error));
    let sender = authenticate(&asked, auth).await.map_err(refused)?;
    if sender.service != OPERATOR {
        return Err(refused(asked.refuse(auth, Some(&sender.service), Reason::NotAnOperator)).into());
    }
    req.extensions_mut().insert(Operator(sender.service));
    next.call(req).await.map(ServiceResponse::map_into_boxed_body)
}

pub(super) fn ok(body: &impl Serialize) -> HttpResponse {
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "no-store")).json(body)
}

async fn list(placements: web::Data<Placements>) -> HttpResponse {
    ok(&json!({ "services": placements.shown(None) }))
}

async fn show(
    placements: web::Data<Placements>,
    service: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let shown = placements.shown(Some(&service)).pop();
    shown.map(|shown| ok(&shown)).ok_or_else(|| Problem::new(Code::NotFound).into())
}

async fn place(
    placements: web::Data<Placements>,
    service: web::Path<String>,
    operator: web::ReqData<Operator>,
    Json(placement): Json<Placement>,
) -> Result<HttpResponse, ApiError> {
    let change = placements.place(&operator.0, &service, placement)?;
    Ok(ok(&change))
}

impl kernel::ToProblem for Refused {
    fn to_problem(&self) -> Problem {
        match self {
            Self::UnknownService(_) => Problem::new(Code::NotFound),
            Self::CannotApply(faults) => {
                faults.iter().fold(Problem::new(Code::ValidationFailed), |problem, (pointer, fault)| {
                    problem.error(FieldError::new(*pointer, "cannot_apply", fault))
                })
            }
        }
    }
}
