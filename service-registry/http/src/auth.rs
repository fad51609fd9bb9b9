//! Who calls, and in whose name: one answer for RPC and for proxied public requests.

use actix_web::http::header::HeaderMap;
use async_trait::async_trait;
use service_registry::{CallError, Caller};
use tracing::warn;

use crate::verifier::ServiceVerifier;
use crate::wire::{AUTHORIZATION, USER_TOKEN, text_header};

/// Verifies a user's own token again in the process that acts on it. Given by whoever knows the keys of
/// the issuer.
#[async_trait]
pub trait CallerVerifier: Send + Sync + 'static {
    /// The user whom this token speaks for, with [`service_registry::Proof::UserToken`] as the proof.
    /// Refuses with [`CallError::Refused`] what is forged, expired or for another audience.
    async fn verify(&self, user_token: &str) -> Result<Caller, CallError>;
}

/// For services that no user ever reaches: refuses every user token.
pub struct NoCallers;

#[async_trait]
impl CallerVerifier for NoCallers {
    async fn verify(&self, _user_token: &str) -> Result<Caller, CallError> {
        Err(CallError::refused("user tokens are not accepted here"))
    }
}

/// The two answers of [`authenticate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// The service that sent the request.
    pub service: String,
    /// The user it acts for, if any.
    pub caller: Option<Caller>,
}

/// Reads who sent a request to `target`, from its service token, and for whom, from the user's own token
/// beside it or from the claim of the sending service.
pub async fn authenticate(
    headers: &HeaderMap,
    target: &str,
    services: &ServiceVerifier,
    callers: &dyn CallerVerifier,
) -> Result<Authenticated, CallError> {
    let authorization = text_header(headers, AUTHORIZATION)?;
    let Some(token) = authorization.and_then(|value| value.strip_prefix("Bearer ")) else {
        warn!(target_service = target, "Refused a call to {target} without a service token");
        return Err(CallError::refused(format!("no service token (call to {target})")));
    };
    let verified = services.verify(token, target)?;
    let service = verified.service;
    let caller = match (text_header(headers, USER_TOKEN)?, verified.act) {
        (None, delegated) => delegated,
        (Some(token), None) => Some(callers.verify(token).await.inspect_err(|error| {
            warn!(service, target_service = target, %error, "Refused a user token that {service} sent to {target}");
        })?),
        (Some(_), Some(_)) => {
            warn!(service, target_service = target, "Refused {service} a call to {target} in two names");
            return Err(CallError::refused("a user token beside a delegated caller"));
        }
    };
    Ok(Authenticated { service, caller })
}
