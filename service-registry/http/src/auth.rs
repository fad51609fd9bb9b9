//! Who calls, and in whose name: one answer for RPC and for proxied public requests.

use actix_web::http::header::HeaderValue;
use async_trait::async_trait;
use service_registry::{CallError, Caller};

use crate::refusal::{Asked, Reason};
use crate::server::RpcAuth;
use crate::verifier::{Refused, Verified};
use crate::wire::{AUTHORIZATION, USER_TOKEN, one_header, text_header};

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

/// Reads who sent a request, from its service token, and for whom, from the user's own token beside it or from the
/// claim of the sending service.
pub async fn authenticate(asked: &Asked<'_>, auth: &RpcAuth) -> Result<Authenticated, CallError> {
    let authorization = one_header(asked.headers, &AUTHORIZATION)?;
    let user_token = text_header(asked.headers, &USER_TOKEN)?;
    let Verified { service, act } = sender(asked, auth, authorization)
        .map_err(|refused| asked.refuse(auth, refused.claimed.as_deref(), refused.reason))?;
    let caller = match (user_token, act) {
        (None, delegated) => delegated,
        (Some(token), None) => Some(user(asked, auth, &service, token).await?),
        (Some(_), Some(_)) => return Err(asked.refuse(auth, Some(&service), Reason::TwoUsers)),
    };
    Ok(Authenticated { service, caller })
}

fn sender(
    asked: &Asked<'_>,
    auth: &RpcAuth,
    authorization: Option<&HeaderValue>,
) -> Result<Verified, Refused> {
    let token = authorization.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    let verified = auth.services.verify(token.ok_or(Refused::nobody(Reason::NoToken))?, asked.target)?;
    match asked.judge_certificate(auth, Some(&verified.service)) {
        Some(reason) => Err(Refused { claimed: Some(verified.service), reason }),
        None => Ok(verified),
    }
}

async fn user(asked: &Asked<'_>, auth: &RpcAuth, service: &str, token: &str) -> Result<Caller, CallError> {
    let user = auth.callers.verify(token).await;
    // The answer says why the user is refused, as their own process would; the log says by whom they came.
    if let Err(CallError::Refused { .. }) = &user {
        drop(asked.refuse(auth, Some(service), Reason::UserToken));
    }
    user
}
