//! The key pair that makes a service who it says it is.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// DER of a SubjectPublicKeyInfo for Ed25519, up to the 32 bytes of the key (RFC 8410 § 4).
const SPKI_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A key that cannot be read or made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    #[error("not a PEM block of type {0}")]
    NotPem(&'static str),
    #[error("not an Ed25519 key in PKCS#8")]
    NotPrivate,
    #[error("not an Ed25519 public key")]
    NotPublic,
    #[error("the system gave no randomness for a key")]
    NoRandomness,
}

/// An Ed25519 key pair in the forms that files hold.
///
/// The private half is PKCS#8 version 1: version 2, which most generators write, is refused by parts of
/// the token library.
pub struct KeyPair {
    private_der: Vec<u8>,
    public: [u8; 32],
}

impl KeyPair {
    pub fn generate() -> Result<Self, KeyFault> {
        let pair = Ed25519KeyPair::generate().map_err(|_| KeyFault::NoRandomness)?;
        Self::of(&pair).ok_or(KeyFault::NoRandomness)
    }

    /// Reads the private key that [`KeyPair::private_pem`] wrote, or openssl's `genpkey -algorithm ed25519`.
    pub fn from_private_pem(pem: &str) -> Result<Self, KeyFault> {
        let der = unwrap_pem(pem, "PRIVATE KEY")?;
        let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|_| KeyFault::NotPrivate)?;
        Self::of(&pair).ok_or(KeyFault::NotPrivate)
    }

    fn of(pair: &Ed25519KeyPair) -> Option<Self> {
        let private: Pkcs8V1Der<'static> = pair.as_der().ok()?;
        let public = pair.public_key().as_ref().try_into().ok()?;
        Some(Self { private_der: private.as_ref().to_vec(), public })
    }

    /// Secret: `-----BEGIN PRIVATE KEY-----`, PKCS#8 version 1.
    pub fn private_pem(&self) -> String {
        wrap_pem(&self.private_der, "PRIVATE KEY")
    }

    /// For everybody: `-----BEGIN PUBLIC KEY-----`.
    pub fn public_pem(&self) -> String {
        wrap_pem(&[&SPKI_PREFIX[..], &self.public].concat(), "PUBLIC KEY")
    }

    pub fn public_key(&self) -> [u8; 32] {
        self.public
    }

    pub(crate) fn private_der(&self) -> &[u8] {
        &self.private_der
    }
}

/// Reads the 32 bytes out of a public key file.
pub fn public_from_pem(pem: &str) -> Result<[u8; 32], KeyFault> {
    let der = unwrap_pem(pem, "PUBLIC KEY")?;
    let key = der.strip_prefix(&SPKI_PREFIX).ok_or(KeyFault::NotPublic)?;
    key.try_into().map_err(|_| KeyFault::NotPublic)
}

fn wrap_pem(der: &[u8], label: &str) -> String {
    let body = STANDARD.encode(der);
    let lines: Vec<&str> =
        body.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn unwrap_pem(pem: &str, label: &'static str) -> Result<Vec<u8>, KeyFault> {
    let body = pem
        .trim()
        .strip_prefix(&format!("-----BEGIN {label}-----"))
        .and_then(|rest| rest.strip_suffix(&format!("-----END {label}-----")))
        .ok_or(KeyFault::NotPem(label))?;
    let digits: String = body.split_whitespace().collect();
    STANDARD.decode(digits).map_err(|_| KeyFault::NotPem(label))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_halves_survive_their_files() {
        let pair = KeyPair::generate().unwrap();
        let read = KeyPair::from_private_pem(&pair.private_pem()).unwrap();
        assert_eq!(read.public_key(), pair.public_key());
        assert_eq!(public_from_pem(&pair.public_pem()), Ok(pair.public_key()));
    }

    #[test]
    fn the_private_key_is_pkcs8_version_1() {
        assert_eq!(KeyPair::generate().unwrap().private_der().len(), 48);
    }

    #[test]
    fn the_wrong_file_is_named() {
        let pair = KeyPair::generate().unwrap();
        let wrong = KeyPair::from_private_pem(&pair.public_pem());
        assert_eq!(wrong.err(), Some(KeyFault::NotPem("PRIVATE KEY")));
        assert_eq!(public_from_pem("hello"), Err(KeyFault::NotPem("PUBLIC KEY")));
    }
}
