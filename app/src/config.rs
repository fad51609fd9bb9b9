//! The one Settings type: what can be set, and how it is put together from its five layers.

mod calls;
mod check;
mod database_url;
mod faults;
mod layers;
mod placement;
mod values;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use service_registry_http::TlsFiles;

pub use calls::{Calls, ServiceSettings};
pub use database_url::DatabaseUrl;
pub use faults::Faults;
pub use layers::Overrides;

/// The pseudo-module that stands for the public listener.
pub const GATEWAY: &str = "gateway";

/// Whoever looks after processes from outside: no service, but known by a key as services are.
pub const OPERATOR: &str = "operator";

/// Everything that can be set; `config/default.toml` says what each is and why.
#[derive(Clone, Debug, Deserialize)]
pub struct Settings {
    pub environment: Environment,
    pub mode: Mode,
    pub modules: Vec<String>,
    pub data_dir: PathBuf,
    pub public: Listener,
    pub private: PrivateListener,
    pub services: Services,
    pub calls: Calls,
    pub database: Database,
    pub keys: KeyFiles,
    pub identity: Identity,
    pub connections: Connections,
    pub edge: Edge,
    pub log: Log,
    pub shutdown: Shutdown,
    /// The same once more, as text that can be compared.
    #[serde(skip)]
    values: values::Values,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    Development,
    Production,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Monolith,
    Hybrid,
    Microservices,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Listener {
    pub listen: SocketAddr,
    pub workers: usize,
    pub max_connections: usize,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PrivateListener {
    /// Empty for the default; [`Settings::private_address`] is what holds.
    pub listen: String,
    /// Empty for none; see [`Settings::private_socket`].
    pub socket: PathBuf,
    pub socket_mode: SocketMode,
    pub workers: usize,
    pub max_connections: usize,
    pub tls: PrivateTls,
}

/// Who may connect to a Unix socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum SocketMode {
    #[serde(rename = "0600")]
    User = 0o600,
    #[serde(rename = "0660")]
    Group = 0o660,
}

#[derive(Clone, Debug, Deserialize)]
pub struct PrivateTls {
    pub cert_file: PathBuf,
    pub key_file: PathBuf,
    pub ca_file: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Services {
    pub identity: ServiceSettings,
    pub ledger: ServiceSettings,
    pub connections: ServiceSettings,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Database {
    pub url: DatabaseUrl,
    pub url_file: PathBuf,
    pub max_connections: u32,
    pub migrate_at_start: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct KeyFiles {
    pub dir: PathBuf,
    pub identity_signing_file: PathBuf,
    pub refresh_file: PathBuf,
    pub account_index_file: PathBuf,
    pub sealing_file: PathBuf,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Identity {
    pub issuer: String,
    pub access_token_s: u32,
    pub idle_session_days: u16,
    pub session_days: u16,
    pub refresh_grace_s: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Connections {
    pub upload_limit_bytes: u64,
    pub archive_files: usize,
    pub archive_ratio: u64,
    pub file_retention_s: u64,
    pub preview_retention_s: u64,
    pub at_once: usize,
    pub lease_ms: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Edge {
    pub deadline_ms: u64,
    pub upload_deadline_ms: u64,
    pub body_limit_bytes: u64,
    pub header_timeout_ms: u64,
    pub idle_timeout_ms: u64,
    pub idempotency: Idempotency,
    pub docs: bool,
    pub cors_origins: Vec<String>,
    pub trusted_proxies: Vec<String>,
    pub rate: Rates,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Idempotency {
    Optional,
    Required,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Rates {
    pub default: Rate,
    pub address: Rate,
    pub login: Rate,
    pub refresh: Rate,
}

/// `quota` requests per `window_s` seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Rate {
    pub quota: u32,
    pub window_s: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Log {
    pub level: String,
    pub format: LogFormat,
    pub spans: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Auto,
    Json,
    Text,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Shutdown {
    pub drain_delay_ms: u64,
    pub grace_ms: u64,
    pub forced_ms: u64,
}

impl Settings {
    /// Puts the layers together and judges the result.
    ///
    /// # Errors
    /// Every fault there is, not only the first.
    pub fn load(overrides: &Overrides) -> Result<Self, Faults> {
        Self::load_with_env(overrides, std::env::vars())
    }

    /// [`Settings::load`] with an environment of the caller's choice.
    pub fn load_with_env(
        overrides: &Overrides,
        env: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, Faults> {
        Self::judged(overrides, env, check::check)
    }

    /// The settings of a process that is not this one. What only it needs is not asked for: its certificates, which may
    /// be on another machine, and what production asks of a server.
    pub(crate) fn of_another(mut overrides: Overrides) -> Result<Self, Faults> {
        overrides.set("environment", Some("development"));
        Self::judged(&overrides, std::env::vars(), check::check_words)
    }

    fn judged(
        overrides: &Overrides,
        env: impl IntoIterator<Item = (String, String)>,
        check: fn(&Self, &mut Faults),
    ) -> Result<Self, Faults> {
        let mut faults = Faults::default();
        let Some(settings) = layers::merge(overrides, env, &mut faults) else { return Err(faults) };
        check(&settings, &mut faults);
        faults.or(settings)
    }

    pub fn is_production(&self) -> bool {
        self.environment == Environment::Production
    }

    /// Whether `module` (or [`GATEWAY`]) runs in this process.
    pub fn runs(&self, module: &str) -> bool {
        self.modules.iter().any(|name| name == module)
    }

    /// The keys of what is set otherwise in `other`.
    pub(crate) fn differences<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a str> {
        self.values.differences(&other.values)
    }

    /// The modules elsewhere that this process calls: all for a gateway, else those that a module here depends on.
    pub fn neighbours(&self) -> impl Iterator<Item = &'static service_registry::ServiceDescriptor> {
        let needed = |name: &str| {
            let mut here = self.modules.iter().filter_map(|module| crate::modules::descriptor(module));
            self.runs(GATEWAY) || here.any(|module| module.depends_on().any(|callee| callee == name))
        };
        crate::modules::ALL.iter().filter(move |module| !self.runs(module.name) && needed(module.name))
    }

    pub fn keys_dir(&self) -> PathBuf {
        or_default(&self.keys.dir, || self.data_dir.join("keys"))
    }

    /// Where the private listener is to be bound, with the default filled in.
    pub fn private_address(&self) -> Result<SocketAddr, std::net::AddrParseError> {
        if !self.private.listen.is_empty() {
            return self.private.listen.parse();
        }
        let port = match self.modules.iter().find_map(|name| crate::modules::descriptor(name)) {
            Some(module) if !self.runs(GATEWAY) => module.default_port,
            _ => 7100,
        };
        Ok(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    /// The Unix socket on which the private listener answers too, if there is one.
    pub fn private_socket(&self) -> Option<&Path> {
        let path = self.private.socket.as_path();
        (!path.as_os_str().is_empty()).then_some(path)
    }

    /// Where the certificates between services are, if calls go over TLS.
    pub fn tls_files(&self) -> Option<TlsFiles> {
        let PrivateTls { cert_file, key_file, ca_file } = self.private.tls.clone();
        let files = TlsFiles { cert: cert_file, key: key_file, ca: ca_file };
        [&files.cert, &files.key, &files.ca].iter().all(|file| !file.as_os_str().is_empty()).then_some(files)
    }

    /// The database URL, read from its file if one is named; empty for SQLite in the data directory.
    pub fn database_url(&self) -> std::io::Result<DatabaseUrl> {
        if self.database.url_file.as_os_str().is_empty() {
            return Ok(self.database.url.clone());
        }
        Ok(DatabaseUrl::from(std::fs::read_to_string(&self.database.url_file)?.trim().to_owned()))
    }
}

impl Edge {
    pub fn deadline(&self) -> Duration {
        Duration::from_millis(self.deadline_ms)
    }

    pub fn upload_deadline(&self) -> Duration {
        Duration::from_millis(self.upload_deadline_ms)
    }
}

/// `path`, or what `default` gives when it is empty.
pub(crate) fn or_default(path: &Path, default: impl FnOnce() -> PathBuf) -> PathBuf {
    if path.as_os_str().is_empty() { default() } else { path.to_owned() }
}
