//! Keys of this process: found in files; in development made where they are missing.

mod file;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use service_registry_http::KeyPair;

use crate::config::{Faults, GATEWAY, OPERATOR, Settings, or_default};
use crate::modules;
pub(crate) use file::ensure_dir;

/// A 256-bit secret.
pub type Secret = [u8; 32];

/// Every key that this process works with; `None` is one that no module here needs.
pub struct Keys {
    /// PKCS#8 (RFC 5958) of the Ed25519 key that signs access tokens.
    pub identity_signing: Option<Vec<u8>>,
    pub refresh: Option<Secret>,
    pub account_index: Option<Secret>,
    pub sealing: Option<Secret>,
    /// What the services here sign their calls with.
    pub services: BTreeMap<String, KeyPair>,
    /// The public keys of all services in PEM, to know them by.
    pub known: BTreeMap<String, String>,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("services", &self.services.keys()).finish_non_exhaustive()
    }
}

impl Keys {
    /// Reads all keys that `settings` calls for; in development makes the missing ones first.
    pub fn load(settings: &Settings) -> Result<Self> {
        if !settings.is_production() {
            generate_missing(settings).context("cannot make keys")?;
        }
        let paths = Paths::of(settings);
        let secret =
            |module: &str, path: &PathBuf| settings.runs(module).then(|| file::read_secret(path)).transpose();
        let signing = settings.runs("identity").then(|| file::read_pkcs8(&paths.identity_signing));
        let mut services = BTreeMap::new();
        for name in &settings.modules {
            services.insert(name.clone(), file::read_pair(&paths.service(name))?);
        }
        let mut known = BTreeMap::new();
        for name in service_names() {
            known.insert(name.to_owned(), file::read_public(&paths.public(name))?);
        }
        // Without one, nobody is let in to change what runs.
        if paths.public(OPERATOR).exists() {
            known.insert(OPERATOR.to_owned(), file::read_public(&paths.public(OPERATOR))?);
        }
        Ok(Self {
            identity_signing: signing.transpose()?,
            refresh: secret("identity", &paths.refresh)?,
            account_index: secret("connections", &paths.account_index)?,
            sealing: secret("connections", &paths.sealing)?,
            services,
            known,
        })
    }
}

/// The key of whoever operates processes with these settings.
pub(crate) fn operator(settings: &Settings) -> Result<KeyPair> {
    file::read_pair(&Paths::of(settings).service(OPERATOR))
}

/// The names of the files that a process with these modules finds in its keys directory: its own private keys, and the
/// public ones of all who may come to it.
pub(crate) fn file_names(modules: &[String]) -> Vec<String> {
    let private = modules.iter().map(|name| format!("{name}.key"));
    let secret = SECRETS.iter().filter(|(module, _)| modules.iter().any(|name| name == module));
    let public = service_names().chain([OPERATOR]).map(|name| format!("{name}.pub"));
    private.chain(secret.map(|(_, file)| (*file).to_owned())).chain(public).collect()
}

/// Notes every key that production would miss, cannot read, or uses in two roles.
pub(crate) fn check_present(settings: &Settings, faults: &mut Faults) {
    let paths = Paths::of(settings);
    let mut seen: BTreeMap<Vec<u8>, &str> = BTreeMap::new();
    let mut check = |key: &'static str, path: &Path, read: fn(&Path) -> Result<Vec<u8>>| match read(path) {
        Err(error) => faults.add(key, format_args!("{error:#}; production makes no keys by itself")),
        Ok(bytes) => {
            if let Some(other) = seen.insert(bytes, key) {
                faults.add(
                    key,
                    format_args!("{} is the same key as {other}; each role needs its own", path.display()),
                );
            }
        }
    };
    let secret: fn(&Path) -> Result<Vec<u8>> = |path| file::read_secret(path).map(Vec::from);
    if settings.runs("identity") {
        check("keys.identity_signing_file", &paths.identity_signing, file::read_pkcs8);
        check("keys.refresh_file", &paths.refresh, secret);
    }
    if settings.runs("connections") {
        check("keys.account_index_file", &paths.account_index, secret);
        check("keys.sealing_file", &paths.sealing, secret);
    }
    for name in &settings.modules {
        check("keys.dir", &paths.service(name), file::read_pkcs8);
    }
    check_public(settings, &paths, faults);
}

/// Notes public keys that cannot be read, that two services share, or that do not belong to a service here. A process
/// of one service has no other private key to compare its own with.
fn check_public(settings: &Settings, paths: &Paths, faults: &mut Faults) {
    let mut seen: BTreeMap<[u8; 32], &str> = BTreeMap::new();
    let operator = paths.public(OPERATOR).exists().then_some(OPERATOR);
    for name in service_names().chain(operator) {
        let path = paths.public(name);
        let public = match file::read_public_key(&path) {
            Ok(public) => public,
            Err(error) => {
                faults.add("keys.dir", format_args!("{error:#}"));
                continue;
            }
        };
        if let Some(other) = seen.insert(public, name) {
            let path = path.display();
            faults.add(
                "keys.dir",
                format_args!("{path} is the same key as that of {other}; each service needs its own"),
            );
        }
        let private = paths.service(name);
        // One that cannot be read was noted before.
        if settings.runs(name) && file::read_pair(&private).is_ok_and(|pair| pair.public_key() != public) {
            let (path, private) = (path.display(), private.display());
            faults.add("keys.dir", format_args!("{path} does not belong to {private}"));
        }
    }
}

/// What else is a key, and the one module that works with it.
const SECRETS: [(&str, &str); 4] = [
    ("identity", IDENTITY_SIGNING),
    ("identity", REFRESH),
    ("connections", ACCOUNT_INDEX),
    ("connections", SEALING),
];
const IDENTITY_SIGNING: &str = "identity-signing.key";
const REFRESH: &str = "refresh.key";
const ACCOUNT_INDEX: &str = "account-index.key";
const SEALING: &str = "sealing.key";

/// Whoever calls: the modules and the gateway.
pub(crate) fn service_names() -> impl Iterator<Item = &'static str> {
    modules::ALL.iter().map(|module| module.name).chain([GATEWAY])
}

/// Makes all keys of an installation at once, so that processes that share a directory agree whoever is first.
fn generate_missing(settings: &Settings) -> Result<()> {
    let paths = Paths::of(settings);
    ensure_dir(&settings.keys_dir())?;
    file::ensure_pair(&paths.identity_signing)?;
    for secret in [&paths.refresh, &paths.account_index, &paths.sealing] {
        file::ensure_secret(secret)?;
    }
    for name in service_names().chain([OPERATOR]) {
        file::ensure_pair(&paths.service(name))?;
        file::ensure_public(&paths.service(name), &paths.public(name))?;
    }
    Ok(())
}

struct Paths {
    dir: PathBuf,
    identity_signing: PathBuf,
    refresh: PathBuf,
    account_index: PathBuf,
    sealing: PathBuf,
}

impl Paths {
    fn of(settings: &Settings) -> Self {
        let dir = settings.keys_dir();
        let place = |file: &Path, name: &str| or_default(file, || dir.join(name));
        Self {
            identity_signing: place(&settings.keys.identity_signing_file, IDENTITY_SIGNING),
            refresh: place(&settings.keys.refresh_file, REFRESH),
            account_index: place(&settings.keys.account_index_file, ACCOUNT_INDEX),
            sealing: place(&settings.keys.sealing_file, SEALING),
            dir,
        }
    }

    fn service(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.key"))
    }

    fn public(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{name}.pub"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;

    fn settings(dir: &Path) -> Settings {
        let mut overrides = Overrides::default();
        overrides.set("data_dir", Some(dir.display()));
        Settings::load_with_env(&overrides, []).unwrap()
    }

    #[test]
    fn processes_that_start_at_once_agree_on_the_keys() {
        let dir = tempfile::tempdir().unwrap();
        let settings = settings(dir.path());
        let all: Vec<_> = std::thread::scope(|scope| {
            let start = || Keys::load(&settings).unwrap();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(start)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        for keys in &all {
            assert_eq!(keys.known, all[0].known);
            for (name, pair) in &keys.services {
                assert_eq!(pair.public_pem(), all[0].known[name]);
            }
            assert_eq!(keys.refresh, all[0].refresh);
            assert!(keys.identity_signing.is_some() && keys.identity_signing == all[0].identity_signing);
        }
    }

    #[test]
    #[cfg(unix)]
    fn key_files_are_for_their_owner_alone() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        Keys::load(&settings(dir.path())).unwrap();
        for entry in std::fs::read_dir(dir.path().join("keys")).unwrap() {
            let entry = entry.unwrap();
            assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
        }
    }
}
