//! What identity gives out: signed access tokens, and refresh tokens that only it can make.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity_api::{Claims, Jwk, Secret, TOKEN_TYPE};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use kernel::SessionId;

/// The key that signs access tokens (Ed25519). Its debug form tells its public name alone.
#[derive(Clone)]
pub struct SigningKey {
    pkcs8: Vec<u8>,
    encoding: EncodingKey,
    public: Jwk,
}

/// The bytes are no Ed25519 key in PKCS#8, or the system gave no randomness for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a usable Ed25519 key in PKCS#8")]
pub struct UnusableKey;

impl SigningKey {
    /// A new key.
    pub fn generate() -> Result<Self, UnusableKey> {
        let pkcs8 = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map_err(|_| UnusableKey)?;
        Self::from_pkcs8(pkcs8.as_ref())
    }

    /// Reads a key in PKCS#8 (RFC 5958, version 1 or 2), DER.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, UnusableKey> {
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8).map_err(|_| UnusableKey)?;
        let public = public_jwk(pair.public_key().as_ref());
        Ok(Self { pkcs8: pkcs8.to_vec(), encoding: EncodingKey::from_ed_der(pkcs8), public })
    }

    /// The key in PKCS#8, DER, to be kept where nobody else reads it.
    pub fn to_pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// What others check signatures with.
    pub(crate) fn public(&self) -> &Jwk {
        &self.public
    }

    pub(crate) fn sign(&self, claims: &Claims) -> Result<Secret, jsonwebtoken::errors::Error> {
        let header = Header {
            typ: Some(TOKEN_TYPE.into()),
            kid: Some(self.public.kid.clone()),
            ..Header::new(Algorithm::EdDSA)
        };
        jsonwebtoken::encode(&header, claims, &self.encoding).map(Secret::new)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, ***)", self.public.kid)
    }
}

/// The public key as a JWK, named by its thumbprint (RFC 7638 §3; the members in this order, no blanks).
fn public_jwk(public: &[u8]) -> Jwk {
    let x = URL_SAFE_NO_PAD.encode(public);
    let canonical = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    let kid = URL_SAFE_NO_PAD.encode(digest(&SHA256, canonical.as_bytes()));
    Jwk { kty: "OKP".into(), crv: "Ed25519".into(), alg: "EdDSA".into(), usage: "sig".into(), kid, x }
}

/// The key that refresh tokens are made with.
///
/// A token is made from the session and its generation, so the same one can be made again and none is stored.
#[derive(Clone)]
pub struct RefreshKey(hmac::Key);

impl RefreshKey {
    /// Takes 32 random bytes as a key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &key))
    }

    /// The token of a session's `generation`: 256 bits that nobody can guess without the key.
    pub(crate) fn token(&self, session: SessionId, generation: i32) -> Secret {
        let tag = hmac::sign(&self.0, format!("refresh|{session}|{generation}").as_bytes());
        Secret::new(URL_SAFE_NO_PAD.encode(tag))
    }

    /// A fingerprint of a request with a secret in it. A plain hash, kept for a day, could be guessed at.
    pub(crate) fn blind(&self, fingerprint: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, format!("fingerprint|{fingerprint}").as_bytes()))
    }
}

impl fmt::Debug for RefreshKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RefreshKey(***)")
    }
}

/// What a refresh token is found by.
pub(crate) fn token_hash(token: &Secret) -> Vec<u8> {
    digest(&SHA256, token.reveal().as_bytes()).as_ref().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_thumbprint_is_that_of_rfc_8037() {
        // RFC 8037 appendix A.2 and A.3.
        let public = URL_SAFE_NO_PAD.decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo").unwrap();
        assert_eq!(public_jwk(&public).kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn keys_do_not_show_themselves() {
        let key = SigningKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), format!("SigningKey({}, ***)", key.public.kid));
        assert_eq!(format!("{:?}", RefreshKey::new([7; 32])), "RefreshKey(***)");
    }

    #[test]
    fn refresh_tokens_are_made_again_and_never_alike() {
        let (key, session) = (RefreshKey::new([7; 32]), SessionId::new());
        assert_eq!(key.token(session, 3), key.token(session, 3));
        assert_ne!(key.token(session, 3), key.token(session, 4));
        assert_ne!(key.token(session, 3), key.token(SessionId::new(), 3));
        assert_ne!(key.token(session, 3), RefreshKey::new([8; 32]).token(session, 3));
    }
}
