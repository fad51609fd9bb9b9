//! The processes that settings describe, and what each of them has to be told.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use service_registry::{ServiceDescriptor, Side};

use crate::cli::Common;
use crate::config::{GATEWAY, Mode, ServiceSettings, Settings};
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
    /// Whether processes know each other by certificates.
    pub(super) tls: bool,
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
    /// Modules of it whose calls go elsewhere too, and how: the words of `[services.NAME]`.
    placed: Vec<(&'static str, Vec<(&'static str, String)>)>,
}

impl Plan {
    /// The processes of an installation, one of which the command line describes.
    pub(super) fn of(common: &Common) -> Result<Self> {
        let mut overrides = common.overrides();
        if common.mode == Some(Mode::Microservices) && common.modules.is_empty() {
            overrides.set("modules", Some(GATEWAY));
        }
        Ok(Self::of_settings(&Settings::of_another(overrides)?))
    }

    fn of_settings(settings: &Settings) -> Self {
        let mode = match settings.mode {
            Mode::Monolith => "monolith",
            Mode::Hybrid => "hybrid",
            Mode::Microservices => "microservices",
        };
        let ours = Planned { placed: placed(settings), ..Planned::new(settings.modules.clone()) };
        let mut others = elsewhere(settings);
        for other in others.iter_mut().filter(|other| other.name == ours.name) {
            other.name.push_str("-apart");
        }
        let processes = [ours].into_iter().chain(others).collect();
        let has_url = settings.database_url().is_ok_and(|url| url.expose().is_some());
        let issuer = Some(settings.identity.issuer.clone()).filter(|issuer| issuer.starts_with("https://"));
        let shared_database = has_url || settings.mode != Mode::Monolith;
        Self { mode, shared_database, processes, tls: settings.tls_files().is_some(), issuer }
    }

    /// What a process is told by its environment; `secrets` is where it finds keys, certificates and the database's URL.
    pub(super) fn environment(&self, process: &Planned, secrets: &str) -> BTreeMap<String, String> {
        let mut told = BTreeMap::new();
        let mut tell = |key: &str, value: String| {
            told.insert(format!("TRIBUTARY_{}", key.to_uppercase().replace('.', "__")), value);
        };
        tell("environment", "production".to_owned());
        tell("mode", process.mode(self.mode).to_owned());
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
        for (word, file) in self.certificates(process).into_iter().flatten() {
            tell(&format!("private.tls.{word}"), Path::new(secrets).join(file).display().to_string());
        }
        if let Some(issuer) = &self.issuer {
            tell("identity.issuer", issuer.clone());
        }
        let scheme = if self.tls { "https" } else { "http" };
        for name in process.called() {
            if let Some(other) = self.other_with(name, process) {
                tell(&format!("services.{name}.url"), format!("{scheme}://{}:{}", other.name, other.port));
            }
        }
        for (name, words) in &process.placed {
            words.iter().for_each(|(word, value)| tell(&format!("services.{name}.{word}"), value.clone()));
        }
        told
    }

    /// The files by which a process is known and knows others, and the words of `[private.tls]` for them; none where
    /// calls go in the clear.
    pub(super) fn certificates(&self, process: &Planned) -> Option<[(&'static str, String); 3]> {
        let own = &process.name;
        let files = [
            ("cert_file", format!("{own}.pem")),
            ("key_file", format!("{own}-key.pem")),
            ("ca_file", "ca.pem".to_owned()),
        ];
        self.tls.then_some(files)
    }

    fn other_with(&self, module: &str, process: &Planned) -> Option<&Planned> {
        self.processes.iter().find(|other| other.name != process.name && other.runs(module))
    }

    /// The processes that call `callee`.
    pub(super) fn callers<'a>(&'a self, callee: &'a Planned) -> impl Iterator<Item = &'a Planned> {
        let others = self.processes.iter().filter(|process| process.name != callee.name);
        others.filter(|process| process.called().any(|name| callee.runs(name)))
    }
}

/// Whether calls of a module leave the process that these settings are for.
fn goes_out(settings: &Settings, module: &ServiceDescriptor) -> bool {
    let placement = settings.placement(module);
    placement.side != Side::Local || placement.shadow
}

/// The words for each module that runs here and whose calls go elsewhere too.
fn placed(settings: &Settings) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let both = modules::ALL.iter().filter(|module| settings.runs(module.name) && goes_out(settings, module));
    both.filter_map(|module| Some((module.name, words(settings.service(module.name)?)))).collect()
}

fn words(own: &ServiceSettings) -> Vec<(&'static str, String)> {
    let all = [
        ("placement", own.placement.clone(), !own.placement.is_empty()),
        ("share", own.share.to_string(), own.share > 0.0),
        ("fallback", own.fallback.clone(), !own.fallback.is_empty()),
        ("guard_error_percent", own.guard_error_percent.to_string(), own.guard_error_percent > 0.0),
        ("guard_p99_ms", own.guard_p99_ms.to_string(), own.guard_p99_ms > 0),
        ("shadow", own.shadow.to_string(), own.shadow),
    ];
    all.into_iter().filter_map(|(word, value, is_set)| is_set.then_some((word, value))).collect()
}

/// One process for each address to which calls go, and one for each module elsewhere without an address.
fn elsewhere(settings: &Settings) -> Vec<Planned> {
    let mut found: Vec<(Vec<String>, Vec<String>)> = Vec::new();
    for module in modules::ALL.iter().filter(|module| goes_out(settings, module)) {
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
        Self { name, modules, port, placed: Vec::new() }
    }

    /// The mode of an installation as it holds for this process: a monolith runs everything.
    fn mode(&self, whole: &'static str) -> &'static str {
        let all = modules::ALL.iter().all(|module| self.runs(module.name)) && self.runs(GATEWAY);
        if whole == "monolith" && !all { "microservices" } else { whole }
    }

    pub(super) fn runs(&self, module: &str) -> bool {
        self.modules.iter().any(|name| name == module)
    }

    /// The modules whose calls leave it: those elsewhere that it needs, and those of its own that are placed so.
    fn called(&self) -> impl Iterator<Item = &'static str> {
        self.neighbours().map(|module| module.name).chain(self.placed.iter().map(|(name, _)| *name))
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
