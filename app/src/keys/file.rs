//! One key, one file: PEM as `openssl genpkey -algorithm ed25519` writes it, or 64 hexadecimal digits
//! as `openssl rand -hex 32` does.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use service_registry_http::{KeyPair, public_from_pem};

use super::Secret;

/// The PKCS#8 bytes of a private Ed25519 key in PEM.
pub(super) fn read_pkcs8(path: &Path) -> Result<Vec<u8>> {
    read_pair(path)?;
    from_pem(&read(path)?).with_context(|| format!("{}", path.display()))
}

/// The pair of a service, from its private key in PEM.
pub(super) fn read_pair(path: &Path) -> Result<KeyPair> {
    KeyPair::from_private_pem(&read(path)?).with_context(|| format!("{}", path.display()))
}

/// The public key of a service, in PEM.
pub(super) fn read_public(path: &Path) -> Result<String> {
    let pem = read(path)?;
    public_from_pem(&pem).with_context(|| format!("{}", path.display()))?;
    Ok(pem)
}

/// The 32 bytes of a service's public key.
pub(super) fn read_public_key(path: &Path) -> Result<[u8; 32]> {
    public_from_pem(&read(path)?).with_context(|| format!("{}", path.display()))
}

/// 32 bytes in hexadecimal.
pub(super) fn read_secret(path: &Path) -> Result<Secret> {
    let text = read(path)?;
    let digits = text.trim().as_bytes();
    ensure!(digits.len() == 64, "{} must hold 64 hexadecimal digits", path.display());
    let mut secret = [0; 32];
    for (byte, pair) in secret.iter_mut().zip(digits.chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
        *byte = pair.with_context(|| format!("{} must hold 64 hexadecimal digits", path.display()))?;
    }
    ensure!(secret != [secret[0]; 32], "{} holds a known default and no secret", path.display());
    Ok(secret)
}

/// Makes a directory for its owner alone, where there is none.
pub(crate) fn ensure_dir(path: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).with_context(|| format!("cannot make {}", path.display()))
}

pub(super) fn ensure_pair(path: &Path) -> Result<()> {
    ensure(path, || Ok(KeyPair::generate()?.private_pem()))
}

/// Writes the public half beside its private key.
pub(super) fn ensure_public(private: &Path, path: &Path) -> Result<()> {
    ensure(path, || Ok(read_pair(private)?.public_pem()))
}

pub(super) fn ensure_secret(path: &Path) -> Result<()> {
    ensure(path, || {
        let mut secret = [0; 32];
        aws_lc_rs::rand::fill(&mut secret).context("no random numbers")?;
        let digits: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(format!("{digits}\n"))
    })
}

/// Writes the file unless it is there. Whoever comes first wins, and nobody ever reads half a key:
/// it is written under another name and then linked, which never replaces what is there.
fn ensure(path: &Path, make: impl FnOnce() -> Result<String>) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let draft = path.with_extension(format!("{}.draft", uuid::Uuid::new_v4().simple()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(&draft).with_context(|| format!("cannot make {}", draft.display()))?;
    file.write_all(make()?.as_bytes()).and_then(|()| file.sync_all())?;
    let linked = fs::hard_link(&draft, path);
    fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked.with_context(|| format!("cannot make {}", path.display())),
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read key file {}", path.display()))
}

/// The bytes between the marks (RFC 7468).
fn from_pem(text: &str) -> Result<Vec<u8>> {
    let body = text
        .trim()
        .strip_prefix("-----BEGIN PRIVATE KEY-----")
        .and_then(|rest| rest.strip_suffix("-----END PRIVATE KEY-----"))
        .context("is no PEM of a private key")?;
    let body: String = body.split_ascii_whitespace().collect();
    STANDARD.decode(body).context("is no PEM: bad base64")
}
