//! Reads the service tokens of the calls that come in.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use service_registry::Caller;

use crate::keys::{KeyFault, public_from_pem};
use crate::refusal::{Reason, cut};
use crate::token::{Claims, FUTURE_S, LEEWAY_S, LIFETIME_S, TOKEN_TYPE, now_s};

/// Tokens remembered as good; each calling process needs one for each service here.
const REMEMBERED: usize = 1024;

/// Knows the public key of each service, and who may vouch for users where. What a service may call is not here; see
/// [`service_registry::Permissions`].
#[derive(Default)]
pub struct ServiceVerifier {
    keys: BTreeMap<String, DecodingKey>,
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

    /// Whether this is a service with a known key.
    pub(crate) fn knows(&self, service: &str) -> bool {
        self.keys.contains_key(service)
    }

    /// Who calls `target` with this token.
    pub(crate) fn verify(&self, token: impl AsRef<[u8]>, target: &str) -> Result<Verified, Refused> {
        let (token, now) = (token.as_ref(), now_s());
        if let Some(known) = self.remembered(token, target, now) {
            return Ok(Verified { service: known, act: None });
        }
        let token = std::str::from_utf8(token).map_err(|_| Refused::nobody(Reason::NotAToken))?;
        let claims = self.checked(token, target, now)?;
        if claims.act.is_none() {
            self.remember(token, &claims, now);
        }
        Ok(Verified { service: claims.iss, act: claims.act })
    }

    fn remembered(&self, token: &[u8], target: &str, now: u64) -> Option<String> {
        let good = self.good.lock().unwrap_or_else(PoisonError::into_inner);
        let known = good.get(token.last_chunk::<32>()?)?;
        let same = known.token.as_bytes() == token && known.target == target && now <= known.exp + LEEWAY_S;
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
        let header = decode_header(token).map_err(|_| Refused::nobody(Reason::NotAToken))?;
        if header.typ.as_deref() != Some(TOKEN_TYPE) {
            return Err(Refused::nobody(Reason::NotAServiceToken));
        }
        if header.alg != Algorithm::EdDSA || header.crit.is_some() {
            return Err(Refused::nobody(Reason::OtherAlgorithm));
        }
        let claimed = claimed_issuer(token).ok_or_else(|| Refused::nobody(Reason::NoIssuer))?;
        let refused = |reason| Refused { claimed: Some(claimed.clone()), reason };
        let key = self.keys.get(&claimed).ok_or_else(|| refused(Reason::UnknownService))?;
        let claims = decode::<Claims>(token, key, &validation(&claimed, target))
            .map_err(|error| refused(reason(error.kind())))?
            .claims;
        if claims.sub != claims.iss {
            return Err(refused(Reason::OtherName));
        }
        if claims.iat > now + FUTURE_S {
            return Err(refused(Reason::FromTheFuture));
        }
        if claims.exp > claims.iat + LIFETIME_S {
            return Err(refused(Reason::LivesTooLong));
        }
        let may_vouch = self.acting.get(target).is_some_and(|callers| callers.contains(&claimed));
        if claims.act.is_some() && !may_vouch {
            return Err(refused(Reason::MayNotVouch));
        }
        Ok(claims)
    }
}

/// A token that is no good.
#[derive(Debug)]
pub(crate) struct Refused {
    /// Whom the token names; believed only for the log.
    pub claimed: Option<String>,
    pub reason: Reason,
}

impl Refused {
    pub(crate) fn nobody(reason: Reason) -> Self {
        Self { claimed: None, reason }
    }
}

/// The service that a token claims to come from, if it is a service's. For the log of who does not let services in.
pub fn claimed_service(token: &str) -> Option<String> {
    let header = decode_header(token).ok()?;
    let claimed = claimed_issuer(token).filter(|_| header.typ.as_deref() == Some(TOKEN_TYPE))?;
    Some(cut(&claimed).to_owned())
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

fn reason(kind: &jsonwebtoken::errors::ErrorKind) -> Reason {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::InvalidSignature => Reason::Forged,
        ErrorKind::ExpiredSignature => Reason::Expired,
        ErrorKind::InvalidAudience => Reason::OtherTarget,
        _ => Reason::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{EncodingKey, Header, encode};

    use super::*;
    use crate::keys::KeyPair;
    use crate::signer::ServiceSigner;

    fn verifier(pair: &KeyPair) -> ServiceVerifier {
        ServiceVerifier::new().key("identity", pair.public_key()).unwrap()
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
    fn refusal(header: Header, change: impl FnOnce(&mut Claims)) -> Reason {
        let pair = KeyPair::generate().unwrap();
        let mut claims = claims();
        change(&mut claims);
        let refused = verifier(&pair).verify(signed(&pair, &header, &claims), "ledger");
        refused.unwrap_err().reason
    }

    #[test]
    fn a_signed_token_is_accepted_again_and_again() {
        let pair = KeyPair::generate().unwrap();
        let (signer, verifier) = (ServiceSigner::new("identity", &pair), verifier(&pair));
        for _ in 0..3 {
            let verified = verifier.verify(signer.token("ledger").unwrap(), "ledger").unwrap();
            assert_eq!(verified, Verified { service: "identity".to_owned(), act: None });
        }
    }

    #[test]
    fn a_remembered_token_is_still_for_one_target_only() {
        let pair = KeyPair::generate().unwrap();
        let (signer, verifier) = (ServiceSigner::new("identity", &pair), verifier(&pair));
        let token = signer.token("ledger").unwrap();
        assert!(verifier.verify(&token, "ledger").is_ok());
        assert!(verifier.verify(&token, "connections").is_err());
    }

    #[test]
    fn every_departure_from_the_rules_is_refused_by_name() {
        let user = Header { typ: Some("at+jwt".to_owned()), ..header() };
        assert_eq!(refusal(user, |_| {}), Reason::NotAServiceToken);
        assert_eq!(refusal(header(), |claims| claims.aud = "connections".to_owned()), Reason::OtherTarget);
        assert_eq!(refusal(header(), |claims| claims.sub = "ledger".to_owned()), Reason::OtherName);
        assert_eq!(refusal(header(), |claims| claims.iss = "nobody".to_owned()), Reason::UnknownService);
        let shifted = |by: i64| {
            refusal(header(), |claims| {
                claims.iat = claims.iat.saturating_add_signed(by);
                claims.exp = claims.exp.saturating_add_signed(by);
            })
        };
        assert_eq!(shifted(-80), Reason::Expired);
        assert_eq!(shifted(90), Reason::FromTheFuture);
        assert_eq!(refusal(header(), |claims| claims.exp += 3600), Reason::LivesTooLong);
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
        assert_eq!(refused.unwrap_err().reason, Reason::MayNotVouch);
        let refused = verifier(&pair).allow_acting("connections", ["identity"]).verify(&token, "ledger");
        assert_eq!(refused.unwrap_err().reason, Reason::MayNotVouch);
        let verified = verifier(&pair).allow_acting("ledger", ["identity"]).verify(&token, "ledger").unwrap();
        assert_eq!(verified, Verified { service: "identity".to_owned(), act: Some(user) });
    }

    #[test]
    fn the_leeway_covers_ten_seconds_of_clock_difference() {
        let pair = KeyPair::generate().unwrap();
        let mut claims = claims();
        claims.iat -= 65;
        claims.exp -= 65;
        assert!(verifier(&pair).verify(signed(&pair, &header(), &claims), "ledger").is_ok());
    }

    #[test]
    fn another_key_and_another_algorithm_are_refused() {
        let (pair, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
        let forged = verifier(&pair).verify(signed(&other, &header(), &claims()), "ledger");
        assert_eq!(forged.unwrap_err().reason, Reason::Forged);

        // The classic confusion: the public key used as the secret of a MAC.
        let mac = Header { typ: Some(TOKEN_TYPE.to_owned()), ..Header::new(Algorithm::HS256) };
        let token = encode(&mac, &claims(), &EncodingKey::from_secret(&pair.public_key())).unwrap();
        let confused = verifier(&pair).verify(&token, "ledger");
        assert_eq!(confused.unwrap_err().reason, Reason::OtherAlgorithm);
    }
}
