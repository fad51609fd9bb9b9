//! The processes that settings describe, and what each of them has to be told.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use service_registry::ServiceDescriptor;

use crate::cli::Common;
use crate::config::{GATEWAY, Mode, Settings};
use crate::modules;

/// Where the public listener of a deployed process is.
pub(super) const PUBLIC_PORT: u16 = 8080;
/// Where a deployed process keeps what outlives it, if it keeps anything.
pub(super) const DATA_DIR: &str = "/var/lib/tributary";
/// The name of the one file that holds the URL of the database.
pub(super) const DATABASE_URL: &str = "database-url";
/// The image of the version that writes the files.
pub(super) const IMAGE: &str = concat!("tributary:", env!("CARGO_PKG_VERSION"));

/// All processes of one installation.
pub(super) struct Plan {
    /// The word for it on the command line.
    pub(super) mode: &'static str,
    /// Whether all processes work on one PostgreSQL server, or a single one on files of its own.
    pub(super) shared_database: bool,
    pub(super) processes: Vec<Planned>,
    issuer: Option<String>,
}

/// One process, or several that are alike.
pub(super) struct Planned {
    /// What it is called, and where others find it.
    pub(super) name: String,
    /// What runs in it, as settings name it.
    pub(super) modules: Vec<String>,
    /// Port of its private listener.
    pub(super) port: u16,
}

impl Plan {
    /// The processes of an installation, one of which the command line describes.
    pub(super) fn of(common: &Common) -> Result<Self> {
        let mut overrides = common.overrides();
        // What production asks of a server is asked where it runs: there are its keys.
        overrides.set("environment", Some("development"));
        if common.mode == Some(Mode::Microservices) && common.modules.is_empty() {
            overrides.set("modules", Some(GATEWAY));
        }
        Ok(Self::of_settings(&Settings::load(&overrides)?))
    }

    fn of_settings(settings: &Settings) -> Self {
        let mode = match settings.mode {
            Mode::Monolith => "monolith",
            Mode::Hybrid => "hybrid",
            Mode::Microservices => "microservices",
        };
        let ours = Planned::new(settings.modules.clone());
        let processes = [ours].into_iter().chain(elsewhere(settings)).collect();
        let has_url = settings.database_url().is_ok_and(|url| url.expose().is_some());
        let issuer = Some(settings.identity.issuer.clone()).filter(|issuer| issuer.starts_with("https://"));
        Self { mode, shared_database: has_url || settings.mode != Mode::Monolith, processes, issuer }
    }

    /// What a process is told by its environment; `secrets` is where it finds keys and the database's URL.
    pub(super) fn environment(&self, process: &Planned, secrets: &str) -> BTreeMap<String, String> {
        let mut told = BTreeMap::new();
        let mut tell = |key: &str, value: String| {
            told.insert(format!("TRIBUTARY_{}", key.to_uppercase().replace('.', "__")), value);
        };
        tell("environment", "production".to_owned());
        tell("mode", self.mode.to_owned());
        tell("modules", process.modules.join(","));
        tell("data_dir", DATA_DIR.to_owned());
        tell("keys.dir", secrets.to_owned());
        tell("private.listen", format!("0.0.0.0:{}", process.port));
        tell("edge.docs", "false".to_owned());
        if process.runs(GATEWAY) {
            tell("public.listen", format!("0.0.0.0:{PUBLIC_PORT}"));
        }
        if self.shared_database {
            let path = Path::new(secrets).join(DATABASE_URL);
            tell("database.url_file", path.display().to_string());
        }
        if let Some(issuer) = &self.issuer {
            tell("identity.issuer", issuer.clone());
        }
        for module in process.neighbours() {
            if let Some(other) = self.processes.iter().find(|other| other.runs(module.name)) {
                tell(
                    &format!("services.{}.url", module.name),
                    format!("http://{}:{}", other.name, other.port),
                );
            }
        }
        told
    }

    /// The processes that call `callee`.
    pub(super) fn callers<'a>(&'a self, callee: &'a Planned) -> impl Iterator<Item = &'a Planned> {
        self.processes.iter().filter(|process| process.neighbours().any(|module| callee.runs(module.name)))
    }
}

/// One process for each address at which modules run that do not run here, and one for each module without.
fn elsewhere(settings: &Settings) -> Vec<Planned> {
    let mut found: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for module in modules::ALL.iter().filter(|module| !settings.runs(module.name)) {
        let urls = settings.service_urls(module.name);
        match found.iter_mut().find(|(known, _)| !urls.is_empty() && *known == urls) {
            Some((_, together)) => together.push(module.name.to_owned()),
            None => found.push((urls, vec![module.name.to_owned()])),
        }
    }
    found.into_iter().map(|(_, together)| Planned::new(together)).collect()
}

impl Planned {
    fn new(modules: Vec<String>) -> Self {
        let with_gateway = modules.iter().any(|module| module == GATEWAY);
        let first = modules.iter().find_map(|module| modules::descriptor(module));
        let port = first.filter(|_| !with_gateway).map_or(7100, |module| module.default_port);
        // Everything beside a gateway has no better name than the whole.
        let name = if with_gateway && modules.len() > 1 { "tributary".to_owned() } else { modules.join("-") };
        Self { name, modules, port }
    }

    pub(super) fn runs(&self, module: &str) -> bool {
        self.modules.iter().any(|name| name == module)
    }

    /// The modules elsewhere that it calls: all for a gateway, else those that a module here depends on.
    fn neighbours(&self) -> impl Iterator<Item = &'static ServiceDescriptor> {
        let needed = |name: &str| {
            let mut here = self.modules.iter().filter_map(|module| modules::descriptor(module));
            self.runs(GATEWAY) || here.any(|module| module.depends_on().any(|callee| callee == name))
        };
        modules::ALL.iter().filter(move |module| !self.runs(module.name) && needed(module.name))
    }

    /// The files that it reads keys from: its own private ones, and the public ones of all.
    pub(super) fn keys(&self) -> Vec<String> {
        crate::keys::file_names(&self.modules)
    }
}
