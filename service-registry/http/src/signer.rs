//! Makes service tokens for the calls that go out.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arc_swap::ArcSwap;
use http::HeaderValue;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use service_registry::{CallError, Caller, Permissions};
use uuid::Uuid;

use crate::keys::{KeyFault, KeyPair};
use crate::token::{Claims, LIFETIME_S, TOKEN_TYPE, now_s};

/// Seconds before its end at which a kept token is replaced: longer than any hop takes.
const RENEW_S: u64 = 20;

/// Signs as one service. A token without a delegated user is kept and used again until it nears its end,
/// since signing costs more than the rest of a small call.
pub struct ServiceSigner {
    service: String,
    key: EncodingKey,
    kept: ArcSwap<HashMap<String, Kept>>,
}

/// The services of one process. A call is signed by the first of them that may make it: the process has the rights of
/// each.
pub struct Signers {
    all: Vec<Arc<ServiceSigner>>,
    permissions: Permissions,
}

impl Signers {
    pub fn new(all: Vec<Arc<ServiceSigner>>, permissions: Permissions) -> Self {
        Self { all, permissions }
    }

    /// Who asks for contracts: whoever is known may.
    pub(crate) fn first(&self) -> Option<&Arc<ServiceSigner>> {
        self.all.first()
    }

    /// Where none may, the first signs and is refused: the callee writes that down.
    pub(crate) fn of(&self, service: &str, method: &str) -> Result<&ServiceSigner, CallError> {
        let may = |signer: &&Arc<ServiceSigner>| self.permissions.allow(signer.service(), service, method);
        let signer = if self.all.len() > 1 { self.all.iter().find(may) } else { None };
        let signer = signer.or(self.all.first()).map(|signer| &**signer);
        signer.ok_or_else(|| CallError::failed("a process without a service has no key to call with"))
    }
}

impl From<Arc<ServiceSigner>> for Signers {
    fn from(only: Arc<ServiceSigner>) -> Self {
        Self::new(vec![only], Permissions::default())
    }
}

#[derive(Clone)]
struct Kept {
    bearer: HeaderValue,
    exp: u64,
}

impl ServiceSigner {
    pub fn new(service: impl Into<String>, pair: &KeyPair) -> Self {
        let key = EncodingKey::from_ed_der(pair.private_der());
        Self { service: service.into(), key, kept: ArcSwap::default() }
    }

    pub fn from_pem(service: impl Into<String>, private_pem: &str) -> Result<Self, KeyFault> {
        Ok(Self::new(service, &KeyPair::from_private_pem(private_pem)?))
    }

    /// The service that this signs for.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// The value of `Authorization` (RFC 6750 § 2.1) for calls to `target` that say no more than who calls.
    pub fn bearer(&self, target: &str) -> Result<HeaderValue, CallError> {
        let now = now_s();
        if let Some(known) = self.kept.load().get(target).filter(|known| now + RENEW_S < known.exp) {
            return Ok(known.bearer.clone());
        }
        let bearer = bearer(&self.sign(target, now, None)?)?;
        self.kept.rcu(|kept| {
            let mut kept = HashMap::clone(kept);
            kept.insert(target.to_owned(), Kept { bearer: bearer.clone(), exp: now + LIFETIME_S });
            kept
        });
        Ok(bearer)
    }

    /// The same for one call to `target` in the name of `caller`.
    pub fn delegated_bearer(&self, target: &str, caller: &Caller) -> Result<HeaderValue, CallError> {
        bearer(&self.delegated_token(target, caller)?)
    }

    /// A fresh token for `target` that says no more than who calls.
    pub fn token(&self, target: &str) -> Result<String, CallError> {
        self.sign(target, now_s(), None)
    }

    /// A fresh token for one call to `target` in the name of `caller`.
    pub fn delegated_token(&self, target: &str, caller: &Caller) -> Result<String, CallError> {
        self.sign(target, now_s(), Some(caller.clone()))
    }

    fn sign(&self, target: &str, now: u64, act: Option<Caller>) -> Result<String, CallError> {
        let claims = Claims {
            iss: self.service.clone(),
            sub: self.service.clone(),
            aud: target.to_owned(),
            iat: now,
            exp: now + LIFETIME_S,
            jti: Uuid::new_v4().to_string(),
            act,
        };
        let header = Header { typ: Some(TOKEN_TYPE.to_owned()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, &claims, &self.key)
            .map_err(|error| CallError::failed(format!("cannot sign a token for {target}: {error}")))
    }
}

fn bearer(token: &str) -> Result<HeaderValue, CallError> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))
        .map_err(|error| CallError::failed(format!("a token that is no header: {error}")))?;
    value.set_sensitive(true);
    Ok(value)
}

impl fmt::Debug for ServiceSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceSigner({})", self.service)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_of_several_signs_as_the_one_that_may() {
        let pair = KeyPair::generate().unwrap();
        let all = ["gateway", "ledger", "planning"].map(|name| Arc::new(ServiceSigner::new(name, &pair)));
        let table: [(&str, service_registry::Calls); 2] =
            [("ledger", &[("identity", &["jwks"])]), ("planning", &[("identity", &["members"])])];
        let signers = Signers::new(all.to_vec(), Permissions::of(&[], &table));
        let signs = |method| signers.of("identity", method).unwrap().service().to_owned();
        assert_eq!((signs("jwks"), signs("members")), ("ledger".to_owned(), "planning".to_owned()));
        assert_eq!(signs("register"), "gateway", "which is refused, and by name");
    }
}
