use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use kernel::{Code, Problem, Role, ToProblem};
use service_registry::{CallContext, Caller, Proof, ServiceClient};
use tracing::warn;

use crate::keys::{Keys, NoKeys};
use crate::revoked::Revoked;
use crate::{AUDIENCE, Claims, Clock, Identity, LEEWAY_S, TOKEN_TYPE};

/// How often each process asks what was revoked. A revoked session works at most this long, and two calls, more.
const POLL: Duration = Duration::from_millis(300);

/// Our tokens have about 600 bytes; more is somebody else's, and not worth a signature check.
const MAX_TOKEN_BYTES: usize = 4096;

/// Checks access tokens in this process, with keys and revocations that are fetched from identity.
///
/// So identity is on nobody's hot path, and while it is away those who are logged in stay so. Cheap to clone.
/// Somebody has to run `keep_current`, else every token is `Unavailable`.
#[derive(Clone)]
pub struct AccessTokens(Arc<Inner>);

struct Inner {
    issuer: String,
    identity: ServiceClient<dyn Identity>,
    keys: Keys,
    revoked: Revoked,
    clock: Clock,
}

/// Why a token was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenFault {
    /// Forged, for somebody else, or no access token at all. Which of them is not said.
    #[error("the access token is not valid")]
    Invalid,
    /// It was good once.
    #[error("the access token has expired")]
    Expired,
    /// Its session was revoked.
    #[error("the session was revoked")]
    Revoked,
    /// Identity has not answered since this process started, so that nothing can be said of any token.
    #[error("access tokens cannot be checked yet")]
    Unavailable,
}

impl ToProblem for TokenFault {
    fn to_problem(&self) -> Problem {
        match self {
            Self::Invalid => Problem::new(Code::TokenInvalid),
            Self::Expired => Problem::new(Code::TokenExpired),
            Self::Revoked => Problem::new(Code::SessionRevoked),
            Self::Unavailable => Problem::new(Code::UpstreamUnavailable).retry_after(1),
        }
    }
}

impl AccessTokens {
    /// Takes tokens that `issuer` made, as the keys of `identity` prove.
    pub fn new(issuer: impl Into<String>, identity: ServiceClient<dyn Identity>, clock: Clock) -> Self {
        let keys = Keys::new(identity.clone());
        Self(Arc::new(Inner { issuer: issuer.into(), identity, keys, revoked: Revoked::default(), clock }))
    }

    /// Whether tokens can be checked: the keys are here, and what was revoked is known.
    pub fn is_ready(&self) -> bool {
        self.0.keys.any() && self.0.revoked.has_heard()
    }

    /// Who made the request, by the token that came with it (RFC 9068 §4, RFC 8725).
    pub async fn verify(&self, token: &str) -> Result<Caller, TokenFault> {
        let header = acceptable_header(token)?;
        let kid = header.kid.as_deref().ok_or(TokenFault::Invalid)?;
        let key = self.0.keys.find(kid).await.map_err(|NoKeys| TokenFault::Unavailable)?;
        let claims = self.0.claims(token, &*key.ok_or(TokenFault::Invalid)?)?;
        if !self.0.revoked.has_heard() {
            return Err(TokenFault::Unavailable);
        }
        if self.0.revoked.contains(claims.sid) {
            return Err(TokenFault::Revoked);
        }
        Ok(caller(claims, token))
    }

    /// Keeps keys and revocations current until the future is dropped.
    pub async fn keep_current(&self) -> Infallible {
        let mut ticks = tokio::time::interval(POLL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut silent = false;
        loop {
            ticks.tick().await;
            self.0.keys.renew().await;
            let outcome = self.0.hear_of_revocations().await;
            // Said once for each silence: three times a second would drown the rest of the log.
            match &outcome {
                Err(error) if !silent => warn!(%error, "Cannot learn which sessions were revoked"),
                _ => {}
            }
            silent = outcome.is_err();
        }
    }
}

/// The header of a token that may be ours. Keys or addresses of keys that it brings along are not looked at.
fn acceptable_header(token: &str) -> Result<Header, TokenFault> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err(TokenFault::Invalid);
    }
    let header = decode_header(token).map_err(|_| TokenFault::Invalid)?;
    let ours =
        header.alg == Algorithm::EdDSA && header.typ.as_deref() == Some(TOKEN_TYPE) && header.crit.is_none();
    if ours { Ok(header) } else { Err(TokenFault::Invalid) }
}

impl Inner {
    fn claims(&self, token: &str, key: &DecodingKey) -> Result<Claims, TokenFault> {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[&self.issuer]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        // Time is ours to check: the crate asks the system's clock and would call a token for tomorrow good.
        validation.validate_exp = false;
        let claims = decode::<Claims>(token, key, &validation).map_err(|_| TokenFault::Invalid)?.claims;
        self.check_times(&claims)?;
        Ok(claims)
    }

    fn check_times(&self, claims: &Claims) -> Result<(), TokenFault> {
        let now = self.clock.now().timestamp();
        let begins = claims.nbf.unwrap_or(claims.iat).max(claims.iat);
        if begins > now.saturating_add(LEEWAY_S) {
            return Err(TokenFault::Invalid);
        }
        if claims.exp.saturating_add(LEEWAY_S) <= now {
            return Err(TokenFault::Expired);
        }
        Ok(())
    }

    async fn hear_of_revocations(&self) -> Result<(), crate::IdentityError> {
        let cx = CallContext::root().with_remaining(Duration::from_secs(2));
        let news = self.identity.revocations(&cx, self.revoked.seq()).await?;
        self.revoked.hear(&news);
        Ok(())
    }
}

fn caller(claims: Claims, token: &str) -> Caller {
    // A role that this version does not know gives nothing.
    let role = claims.role.as_deref().and_then(|role| role.parse::<Role>().ok());
    Caller {
        subject: claims.sub.into(),
        space: claims.space.map(Into::into),
        session: Some(claims.sid.into()),
        role: role.map_or_else(String::new, |role| role.to_string()),
        scopes: claims.scope.split_ascii_whitespace().map(str::to_owned).collect(),
        proof: Proof::UserToken(token.into()),
    }
}
