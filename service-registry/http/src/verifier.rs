//! Reads the service tokens of the calls that come in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use service_registry::{CallError, Caller};
use tracing::warn;

use crate::keys::{KeyFault, public_from_pem};
use crate::token::{Claims, FUTURE_S, LEEWAY_S, LIFETIME_S, TOKEN_TYPE, now_s};

/// Tokens remembered as good; each calling process needs one for each service here.
const REMEMBERED: usize = 1024;

/// Knows the public key of each service, and which service may call which. Denies by default.
///
/// One permission covers all methods of a target: a table per method comes with the contract handshake.
#[derive(Default)]
pub struct ServiceVerifier {
    keys: BTreeMap<String, DecodingKey>,
    allowed: BTreeMap<String, BTreeSet<String>>,
    acting: BTreeMap<String, BTreeSet<String>>,
    // A signature costs some 50 µs to check, and callers use one token for most of a minute.
    good: Mutex<HashMap<Tail, Good>>,
}

/// The last bytes of a token, by which it is looked up: they are of its signature, and to hash all of it costs more
/// than the rest of the search.
type Tail = [u8; 32];

struct Good {
    token: String,
    service: String,
    target: String,
    exp: u64,
}

/// What a good token says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Verified {
    pub service: String,
    pub act: Option<Caller>,
}

impl ServiceVerifier {
    pub fn new() -> Self {
        Self::default()
    }

    /// Knows `service` by its public key.
    pub fn key(mut self, service: impl Into<String>, public_key: [u8; 32]) -> Result<Self, KeyFault> {
        let encoded = URL_SAFE_NO_PAD.encode(public_key);
        let key = DecodingKey::from_ed_components(&encoded).map_err(|_| KeyFault::NotPublic)?;
        self.keys.insert(service.into(), key);
        Ok(self)
    }

    /// Knows `service` by its public key file.
    pub fn key_pem(self, service: impl Into<String>, public_pem: &str) -> Result<Self, KeyFault> {
        self.key(service, public_from_pem(public_pem)?)
    }

    /// Lets `callers` call `target`.
    pub fn allow<S: Into<String>>(
        mut self,
        target: impl Into<String>,
        callers: impl IntoIterator<Item = S>,
    ) -> Self {
        self.allowed.entry(target.into()).or_default().extend(callers.into_iter().map(Into::into));
        self
    }

    /// Believes `callers` for whom they call `target`, by the claim `act` alone. Only background work needs this; all
    /// else brings the user's own token.
    pub fn allow_acting<S: Into<String>>(
        mut self,
        target: impl Into<String>,
        callers: impl IntoIterator<Item = S>,
    ) -> Self {
        self.acting.entry(target.into()).or_default().extend(callers.into_iter().map(Into::into));
        self
    }

    /// Who calls `target` with this token. Every refusal is logged with who asked for what.
    pub(crate) fn verify(&self, token: &str, target: &str) -> Result<Verified, CallError> {
        let now = now_s();
        if let Some(known) = self.remembered(token, target, now) {
            return Ok(Verified { service: known, act: None });
        }
        let claims = self.checked(token, target, now).map_err(|refused| {
            let (claimed, reason) = (refused.claimed.as_deref().unwrap_or("unknown"), refused.reason);
            warn!(
                service = claimed,
                target_service = target,
                reason,
                "Refused {claimed} a call to {target}: {reason}"
            );
            CallError::refused(format!("{reason} (call to {target})"))
        })?;
        if claims.act.is_none() {
            self.remember(token, &claims, now);
        }
        Ok(Verified { service: claims.iss, act: claims.act })
    }

    fn remembered(&self, token: &str, target: &str, now: u64) -> Option<String> {
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        let known = good.get(token.as_bytes().last_chunk::<32>()?)?;
        let same = known.token == token && known.target == target && now <= known.exp + LEEWAY_S;
        if !same {
            return None;
        }
        Some(known.service.clone())
    }

    fn remember(&self, token: &str, claims: &Claims, now: u64) {
        let mut good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        if good.len() >= REMEMBERED {
            good.retain(|_, known| now <= known.exp + LEEWAY_S);
        }
        if let Some(tail) = token.as_bytes().last_chunk().filter(|_| good.len() < REMEMBERED) {
            let (service, target) = (claims.iss.clone(), claims.aud.clone());
            good.insert(*tail, Good { token: token.to_owned(), service, target, exp: claims.exp });
        }
    }

    /// Type and algorithm first, then the signature by the key of the claimed issuer, then the rest.
    fn checked(&self, token: &str, target: &str, now: u64) -> Result<Claims, Refused> {
        let header = decode_header(token).map_err(|_| Refused::nobody("not a token"))?;
        if header.typ.as_deref() != Some(TOKEN_TYPE) {
            return Err(Refused::nobody("not a service token"));
        }
        if header.alg != Algorithm::EdDSA || header.crit.is_some() {
            return Err(Refused::nobody("a token of another algorithm"));
        }
        let claimed = claimed_issuer(token).ok_or_else(|| Refused::nobody("a token without an issuer"))?;
        let refused = |reason| Refused { claimed: Some(claimed.clone()), reason };
        let key = self.keys.get(&claimed).ok_or_else(|| refused("a service without a known key"))?;
        let claims = decode::<Claims>(token, key, &validation(&claimed, target))
            .map_err(|error| refused(reason(error.kind())))?
            .claims;
        if claims.sub != claims.iss {
            return Err(refused("a token in another service's name"));
        }
        if claims.iat > now + FUTURE_S {
            return Err(refused("a token from the future"));
        }
        if claims.exp > claims.iat + LIFETIME_S {
            return Err(refused("a token that lives too long"));
        }
        let is_among = |table: &BTreeMap<String, BTreeSet<String>>| {
            table.get(target).is_some_and(|callers| callers.contains(&claimed))
        };
        if !is_among(&self.allowed) {
            return Err(refused("a service that may not call this one"));
        }
        if claims.act.is_some() && !is_among(&self.acting) {
            return Err(refused("a service that may not vouch for a user here"));
        }
        Ok(claims)
    }
}

struct Refused {
    /// Whom the token names; believed only for the log.
    claimed: Option<String>,
    reason: &'static str,
}

impl Refused {
    fn nobody(reason: &'static str) -> Self {
        Self { claimed: None, reason }
    }
}

/// Chooses the key, no more: the signature then shows whether it was true.
fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Issuer {
        iss: String,
    }
    let issuer: Issuer = jsonwebtoken::dangerous::insecure_decode(token).ok()?.claims;
    Some(issuer.iss)
}

fn validation(issuer: &str, target: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.leeway = LEEWAY_S;
    validation.set_required_spec_claims(&["iss", "sub", "aud", "exp"]);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[target]);
    validation
}

fn reason(kind: &jsonwebtoken::errors::ErrorKind) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::InvalidSignature => "a forged token",
        ErrorKind::ExpiredSignature => "an expired token",
        ErrorKind::InvalidAudience => "a token for another target",
        _ => "an unreadable token",
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};

    use super::*;
    use crate::keys::KeyPair;
    use crate::signer::ServiceSigner;

    fn verifier(pair: &KeyPair) -> ServiceVerifier {
        ServiceVerifier::new()
            .key("identity", pair.public_key())
            .and_then(|verifier| verifier.key("stranger", pair.public_key()))
            .unwrap()
            .allow("ledger", ["identity"])
    }

    fn claims() -> Claims {
        let now = now_s();
        let (iss, sub, aud) = ("identity".to_owned(), "identity".to_owned(), "ledger".to_owned());
        Claims { iss, sub, aud, iat: now, exp: now + LIFETIME_S, jti: "1".to_owned(), act: None }
    }

    fn header() -> Header {
        Header { typ: Some(TOKEN_TYPE.to_owned()), ..Header::new(Algorithm::EdDSA) }
    }

    fn signed(pair: &KeyPair, header: &Header, claims: &Claims) -> String {
        encode(header, claims, &EncodingKey::from_ed_der(pair.private_der())).unwrap()
    }

    /// The reason for which a token with these changes is refused.
    fn refusal(header: Header, change: impl FnOnce(&mut Claims)) -> String {
        let pair = KeyPair::generate().unwrap();
        let mut claims = claims();
        change(&mut claims);
        let refused = verifier(&pair).verify(&signed(&pair, &header, &claims), "ledger");
        refused.unwrap_err().to_string()
    }

    #[test]
    fn a_signed_token_is_accepted_again_and_again() {
        let pair = KeyPair::generate().unwrap();
        let (signer, verifier) = (ServiceSigner::new("identity", &pair), verifier(&pair));
        for _ in 0..3 {
            let verified = verifier.verify(&signer.token("ledger").unwrap(), "ledger").unwrap();
            assert_eq!(verified, Verified { service: "identity".to_owned(), act: None });
        }
    }

    #[test]
    fn a_remembered_token_is_still_for_one_target_only() {
        let pair = KeyPair::generate().unwrap();
        let (signer, verifier) = (ServiceSigner::new("identity", &pair), verifier(&pair));
        let verifier = verifier.allow("connections", ["identity"]);
        let token = signer.token("ledger").unwrap();
        assert!(verifier.verify(&token, "ledger").is_ok());
        assert!(verifier.verify(&token, "connections").is_err());
    }

    #[test]
    fn every_departure_from_the_rules_is_refused_by_name() {
        let user = Header { typ: Some("at+jwt".to_owned()), ..header() };
        assert!(refusal(user, |_| {}).contains("not a service token"));
        assert!(refusal(header(), |claims| claims.aud = "connections".to_owned()).contains("another target"));
        assert!(
            refusal(header(), |claims| claims.sub = "ledger".to_owned()).contains("another service's name")
        );
        assert!(refusal(header(), |claims| claims.iss = "nobody".to_owned()).contains("known key"));
        assert!(
            refusal(header(), |claims| {
                claims.iat -= 80;
                claims.exp -= 80;
            })
            .contains("expired")
        );
        assert!(
            refusal(header(), |claims| {
                claims.iat += 90;
                claims.exp += 90;
            })
            .contains("future")
        );
        assert!(refusal(header(), |claims| claims.exp += 3600).contains("too long"));
        assert!(
            refusal(header(), |claims| {
                claims.iss = "stranger".to_owned();
                claims.sub = "stranger".to_owned();
            })
            .contains("may not call")
        );
    }

    #[test]
    fn regression_a_service_vouches_for_users_only_where_that_is_allowed() {
        let user = Caller {
            subject: uuid::Uuid::from_u128(7),
            space: None,
            session: None,
            role: "owner".to_owned(),
            scopes: std::sync::Arc::new([]),
            proof: service_registry::Proof::Delegated,
        };
        let pair = KeyPair::generate().unwrap();
        let token = ServiceSigner::new("identity", &pair).delegated_token("ledger", &user).unwrap();
        let refused = verifier(&pair).allow_acting("ledger", ["stranger"]).verify(&token, "ledger");
        assert!(refused.unwrap_err().to_string().contains("may not vouch"));
        let refused = verifier(&pair).allow_acting("connections", ["identity"]).verify(&token, "ledger");
        assert!(refused.unwrap_err().to_string().contains("may not vouch"));
        let verified = verifier(&pair).allow_acting("ledger", ["identity"]).verify(&token, "ledger").unwrap();
        assert_eq!(verified, Verified { service: "identity".to_owned(), act: Some(user) });
    }

    #[test]
    fn the_leeway_covers_ten_seconds_of_clock_difference() {
        let pair = KeyPair::generate().unwrap();
        let mut claims = claims();
        claims.iat -= 65;
        claims.exp -= 65;
        assert!(verifier(&pair).verify(&signed(&pair, &header(), &claims), "ledger").is_ok());
    }

    #[test]
    fn another_key_and_another_algorithm_are_refused() {
        let (pair, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let forged = verifier(&pair).verify(&signed(&other, &header(), &claims()), "ledger");
        assert!(forged.unwrap_err().to_string().contains("forged"));

        // The classic confusion: the public key used as the secret of a MAC.
        let mac = Header { typ: Some(TOKEN_TYPE.to_owned()), ..Header::new(Algorithm::HS256) };
        let token = encode(&mac, &claims(), &EncodingKey::from_secret(&pair.public_key())).unwrap();
        assert!(
            verifier(&pair).verify(&token, "ledger").unwrap_err().to_string().contains("another algorithm")
        );
    }
}
