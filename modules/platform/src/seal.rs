//! Data at rest that nobody should read from a stolen disk: AES-256-GCM (NIST SP 800-38D) under a key of the operator's.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

const VERSION: u8 = 1;

/// A 256-bit key. Its debug form tells nothing.
#[derive(Clone)]
pub struct SealKey([u8; 32]);

/// Sealed bytes: version, nonce, ciphertext, tag.
pub type Sealed = Vec<u8>;

/// The bytes were sealed under another key or for another place, or were tampered with.
#[derive(Debug, thiserror::Error)]
#[error("sealed data cannot be opened")]
pub struct Unsealable;

impl SealKey {
    /// Takes 32 random bytes as a key.
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// Seals `plain` for one `place` (table, row, column), so that it cannot be moved to another.
    pub fn seal(&self, place: &str, plain: &[u8]) -> Result<Sealed, Unsealable> {
        let mut nonce = [0; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| Unsealable)?;
        let mut sealed = Vec::with_capacity(1 + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        sealed.push(VERSION);
        sealed.extend_from_slice(&nonce);
        sealed.extend_from_slice(plain);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self
            .cipher()?
            .seal_in_place_separate_tag(nonce, Aad::from(place), &mut sealed[1 + NONCE_LEN..])
            .map_err(|_| Unsealable)?;
        sealed.extend_from_slice(tag.as_ref());
        Ok(sealed)
    }

    /// Opens what was sealed for the same `place`.
    pub fn open(&self, place: &str, mut sealed: Sealed) -> Result<Vec<u8>, Unsealable> {
        let (&version, rest) = sealed.split_first().ok_or(Unsealable)?;
        let nonce = rest.first_chunk::<NONCE_LEN>().filter(|_| version == VERSION).ok_or(Unsealable)?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let mut body = sealed.split_off(1 + NONCE_LEN);
        let plain =
            self.cipher()?.open_in_place(nonce, Aad::from(place), &mut body).map_err(|_| Unsealable)?.len();
        body.truncate(plain);
        Ok(body)
    }

    /// A keyed hash (HMAC-SHA-256, RFC 2104) in hexadecimal: to find again what must not be stored.
    pub fn index(&self, text: &str) -> String {
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &self.0);
        let tag = aws_lc_rs::hmac::sign(&key, text.as_bytes());
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn cipher(&self) -> Result<LessSafeKey, Unsealable> {
        UnboundKey::new(&AES_256_GCM, &self.0).map(LessSafeKey::new).map_err(|_| Unsealable)
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sealed_for_one_place_does_not_open_in_another() {
        let key = SealKey::new([7; 32]);
        let sealed = key.seal("uploads|1", b"secret").unwrap();
        assert_eq!(key.open("uploads|1", sealed.clone()).unwrap(), b"secret");
        assert!(key.open("uploads|2", sealed.clone()).is_err());
        assert!(SealKey::new([8; 32]).open("uploads|1", sealed).is_err());
    }

    #[test]
    fn a_changed_byte_is_noticed_wherever_it_is() {
        let key = SealKey::new([7; 32]);
        let sealed = key.seal("p", b"secret").unwrap();
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open("p", changed).is_err(), "byte {at}");
        }
        assert!(key.open("p", Vec::new()).is_err());
    }
}
