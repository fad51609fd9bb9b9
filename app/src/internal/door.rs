//! Who may come in by the private listener, and the context that their request goes on with.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, web};
use async_trait::async_trait;
use identity_api::{AccessTokens, TokenFault};
use kernel::{Code, Problem, ToProblem};
use service_registry::{CallContext, CallError, Caller, Proof, Registry};
use service_registry_http::{Asked, CallerVerifier, Reason, RpcAuth, authenticate, context_from_headers};
use std::sync::Arc;
use tracing::Instrument;

use crate::config::GATEWAY;
use crate::edge::{map_problems, problem_response, refuse};

/// What the door looks at.
pub struct Door {
    pub registry: Registry,
    pub auth: Arc<RpcAuth>,
    /// What runs in this process.
    pub modules: Vec<String>,
}

/// Checks a user's own token in the process that acts on it, whoever sent it here.
pub struct VerifyAgain(pub AccessTokens);

#[async_trait]
impl CallerVerifier for VerifyAgain {
    async fn verify(&self, user_token: &str) -> Result<Caller, CallError> {
        self.0.verify(user_token).await.map_err(|fault| match fault {
            TokenFault::Unavailable => CallError::unavailable("identity"),
            // The code as the reason, so that the answer is the one that the edge would have given.
            refused => CallError::refused(refused.to_problem().code),
        })
    }
}

/// Gives every request its ids and time; lets public requests in only from a gateway.
///
/// Calls (`/rpc/…`) are let in or refused by the registry's own server; probes need nothing.
pub(super) async fn enter(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let bare = context_from_headers(req.headers(), None).unwrap_or_else(|_| CallContext::root());
    let span = tracing::error_span!("request", request_id = %bare.request_id(), trace_id = bare.trace().trace_id_hex());
    async {
        if let Err(error) = check_certificate(&req) {
            let answer = match is_public(req.path()) {
                true => problem_response(&bare, problem_of(&error)),
                false => HttpResponse::Forbidden().json(error),
            };
            return Ok(req.into_response(answer));
        }
        if !is_public(req.path()) {
            req.extensions_mut().insert(bare);
            return next.call(req).await.map(ServiceResponse::map_into_boxed_body);
        }
        match admit(&req).await {
            Ok(cx) => {
                req.extensions_mut().insert(cx.clone());
                let answer = tokio::time::timeout(cx.remaining(), next.call(req)).await;
                let late = |_| refuse(&cx, Problem::new(Code::DeadlineExceeded));
                answer.map_err(late)?.map(ServiceResponse::map_into_boxed_body)
            }
            Err(problem) => Ok(req.into_response(problem_response(&bare, *problem))),
        }
    }
    .instrument(span)
    .await
}

/// Where certificates are asked for, only probes come without: orchestrators have none to show.
fn check_certificate(req: &ServiceRequest) -> Result<(), CallError> {
    if req.path().starts_with("/health/") {
        return Ok(());
    }
    Asked::of(req.request(), "private listener", None, req.path()).check_certificate(&door(req).auth)
}

fn door(req: &ServiceRequest) -> &Door {
    req.app_data::<web::Data<Door>>().expect("the private app holds its door")
}

/// Problem documents are for users. A call's error or refusal has its own shape, and a probe's answer its own words.
pub(super) async fn map_public_problems(
    req: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match is_below(&PLAIN, req.path()) {
        false => map_problems(req, next).await,
        true => next.call(req).await.map(ServiceResponse::map_into_boxed_body),
    }
}

/// What has a shape of its own for what goes wrong.
const PLAIN: [&str; 3] = ["/rpc", "/health", "/metrics"];
/// What else is no public route.
const OPERATED: [&str; 2] = ["/placement", "/topology"];

fn is_public(path: &str) -> bool {
    !is_below(&PLAIN, path) && !is_below(&OPERATED, path)
}

fn is_below(roots: &[&str], path: &str) -> bool {
    let below =
        |root: &&str| path.strip_prefix(*root).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    roots.iter().any(below)
}

async fn admit(req: &ServiceRequest) -> Result<CallContext, Box<Problem>> {
    let door = door(req);
    let owner = door.registry.owner_of_path(req.path());
    let here = owner.filter(|service| door.registry.runs(service.name));
    let target = here.ok_or_else(|| Box::new(Problem::new(Code::NotFound)))?;
    let asked = Asked::of(req.request(), target.name, Some(target), req.path());
    let refuse = |error: CallError| Box::new(problem_of(&error));
    let sender = authenticate(&asked, &door.auth).await.map_err(refuse)?;
    let delegated = sender.caller.as_ref().is_some_and(|caller| caller.proof == Proof::Delegated);
    let refused = match sender.service == GATEWAY {
        false => Some(Reason::NotAGateway),
        true => delegated.then_some(Reason::NoUserToken),
    };
    if let Some(reason) = refused {
        return Err(refuse(asked.refuse(&door.auth, Some(&sender.service), reason)));
    }
    let cx =
        context_from_headers(req.headers(), sender.caller).map_err(|error| Box::new(problem_of(&error)))?;
    // A gateway sends a write again whose answer was lost, under the same call id.
    Ok(cx.of_repeatable_request())
}

pub(super) fn problem_of(error: &CallError) -> Problem {
    match error {
        CallError::Refused { reason } => Problem::new(Code::parse(reason).unwrap_or(Code::Forbidden)),
        CallError::Unavailable { .. } => Problem::new(Code::UpstreamUnavailable).retry_after(1),
        CallError::DeadlineExceeded { .. } => Problem::new(Code::DeadlineExceeded),
        CallError::Protocol { .. } => Problem::new(Code::MalformedRequest),
        _ => Problem::new(Code::Internal),
    }
}
