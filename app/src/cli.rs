//! The words of the command line.

mod placement;
mod simulate;
mod topology;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::builder::TypedValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use connections_api::DateOrder;
use kernel::{Currency, ImportId};

use crate::config::{Mode, Overrides};
pub use placement::{OfPlacement, Operated, Placement, SetPlacement};
pub use simulate::Simulate;
pub use topology::{OfTopology, Render, ShowTopology, Topology};

/// Gathers a household's money data into one exact, private ledger with one API.
#[derive(Debug, Parser)]
#[command(name = "tributary", version, long_about = None)]
#[command(
    after_help = "Settings: flag > environment (TRIBUTARY_EDGE__DEADLINE_MS) > --config FILE > mode > default.\n\
    Exit codes: 0 done, 1 failed, 2 wrong usage or configuration."
)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the API, or the part of it that this process is for, until SIGTERM or Ctrl-C.
    Serve(Serve),
    /// Show the whole thing on sample statements: a fresh data directory, a household, four bank files.
    Demo(Demo),
    /// Bring bank files (OFX, QFX, CAMT, MT940, QIF, CSV, or a ZIP of them) into the ledger of a running server, or of a data directory.
    Import(Import),
    /// Write the ledger of a running server, or of a data directory, as a file.
    Export(Export),
    /// List imports, show their rows, undo them, or read their files again.
    Imports(Imports),
    /// Bring the database schema up to date, take it back, or say where it stands.
    Migrate(Migrate),
    /// Show where services run, and move them while the process runs.
    Placement(Placement),
    /// Show what runs where, or write it down as deployment files.
    Topology(Topology),
    /// Check the configuration and name everything that is wrong with it.
    Check(Common),
    /// Print the OpenAPI 3.1 document of the API; the same in every mode.
    Openapi,
}

/// Which part of Tributary a process is, and its settings.
#[derive(Clone, Debug, Default, Args)]
pub struct Common {
    /// monolith: all in one process. hybrid: all but connections. microservices: what --module names.
    #[arg(long, value_enum)]
    pub mode: Option<Mode>,
    /// What runs in this process: gateway, identity, ledger or connections. May be given several times.
    #[arg(long = "module", value_name = "NAME", value_delimiter = ',')]
    pub modules: Vec<String>,
    #[command(flatten)]
    pub place: Place,
}

/// Where data and settings are.
#[derive(Clone, Debug, Default, Args)]
pub struct Place {
    /// A TOML file with settings; app/config/default.toml names them all.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where SQLite files and development keys live.
    #[arg(long, global = true, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// postgres://… to use PostgreSQL in place of SQLite. Shown to other users by `ps`; see database.url_file.
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Any other setting, such as --set services.ledger.url=http://127.0.0.1:7130. May be given several times.
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", value_parser = key_value)]
    pub set: Vec<(String, String)>,
}

#[derive(Clone, Debug, Default, Args)]
pub struct Serve {
    #[command(flatten)]
    pub common: Common,
    /// Address of the public listener; port 0 picks a free one.
    #[arg(long, value_name = "ADDR")]
    pub public: Option<SocketAddr>,
    /// Address of the private listener: calls between services, health, metrics; port 0 picks a free one.
    #[arg(long, value_name = "ADDR")]
    pub private: Option<SocketAddr>,
    /// Also write the line that names the bound addresses to this file.
    #[arg(long, value_name = "FILE")]
    pub announce: Option<PathBuf>,
    /// Call a service that runs here as if it ran elsewhere: remote=ledger,latency=2ms,loss=0.1%. May be given several
    /// times. `tributary topology` shows what it comes to.
    #[arg(long, value_name = "NETWORK")]
    pub simulate: Vec<Simulate>,
}

#[derive(Clone, Debug, Args)]
pub struct Demo {
    /// Where to keep the data. By default a new directory under the system's temporary one.
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address to serve on; port 0 picks a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub public: SocketAddr,
    /// End after the tables are printed, in place of serving until Ctrl-C.
    #[arg(long)]
    pub once: bool,
}

#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Exit codes: 0 all files done, 1 some failed and the others are done, 2 wrong usage or configuration.\n\
    Ctrl-C cancels the import under way and leaves nothing of it; a second one ends at once."
)]
pub struct Import {
    /// Bank files; - for standard input. What they are is seen from their content.
    #[arg(required_unless_present = "watch", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Import every file of this folder and each that comes, until Ctrl-C. A file is taken once it has not changed for two
    /// seconds, and stays where it is: what was taken is remembered by its content, in the data directory. One that was
    /// refused for want of --account, --currency or --dates is tried again once they say it.
    #[arg(long, value_name = "DIR", conflicts_with_all = ["files", "dry_run"])]
    pub watch: Option<PathBuf>,
    /// The account to book into, by id or name; needed where the file does not say, as most CSV files.
    #[arg(long, value_name = "ID|NAME")]
    pub account: Option<String>,
    /// The currency of amounts that do not say theirs, such as EUR; needed where neither the file nor --account does.
    #[arg(long, value_name = "CODE")]
    pub currency: Option<Currency>,
    /// Which number of a date is the day, of tables and QIF files in which no row decides it.
    #[arg(long, value_enum, value_name = "ORDER")]
    pub dates: Option<Dates>,
    /// Say what the import would do, and do nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Print the reports as JSON; with --watch one line for each file.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub access: Access,
}

/// Which number of a date is the day.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Dates {
    DayFirst,
    MonthFirst,
    YearFirst,
}

impl From<Dates> for DateOrder {
    fn from(dates: Dates) -> Self {
        match dates {
            Dates::DayFirst => Self::DayFirst,
            Dates::MonthFirst => Self::MonthFirst,
            Dates::YearFirst => Self::YearFirst,
        }
    }
}

#[derive(Clone, Debug, Args)]
#[command(after_help = "Exit codes: 0 done, 1 refused or failed, 2 wrong usage or configuration.")]
pub struct Imports {
    #[command(subcommand)]
    pub of: OfImports,
    /// Print JSON.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(flatten)]
    pub access: Access,
}

#[derive(Clone, Debug, Subcommand)]
pub enum OfImports {
    /// The latest imports.
    List {
        /// How many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..).map(|limit| limit as usize))]
        limit: usize,
    },
    /// One import: how far it is and what became of its rows.
    Show { id: ImportId },
    /// The rows of an import's file, each with its line and what became of it.
    Rows {
        id: ImportId,
        /// Only those that ended so.
        #[arg(long, value_parser = ["created", "updated", "matched", "duplicate", "rejected"])]
        outcome: Option<String>,
    },
    /// Make the rows of a previewed import part of the ledger.
    Commit { id: ImportId },
    /// Give up an import that is not committed.
    Cancel { id: ImportId },
    /// Take back exactly what an import brought; what other imports have too stays.
    Undo { id: ImportId },
    /// Read the kept file of an import again and show the difference; changes nothing before it is committed.
    Reparse { id: ImportId },
}

/// Which ledger, and who asks there.
#[derive(Clone, Debug, Args)]
pub struct Access {
    /// A running server. Without it, the data directory is used, with a server made for this one command.
    #[arg(long, global = true, value_name = "URL", env = "TRIBUTARY_SERVER")]
    pub server: Option<String>,
    #[command(flatten)]
    pub login: Login,
    #[command(flatten)]
    pub place: Place,
}

#[derive(Clone, Debug, Args)]
pub struct Export {
    /// The file to write; - for standard output.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// What to write; by default what the file's name ends in.
    #[arg(long, value_enum)]
    pub format: Option<ExportFormat>,
    /// This account alone, by id or name. May be given several times.
    #[arg(long = "account", value_name = "ID|NAME")]
    pub accounts: Vec<String>,
    /// Rows booked on this date or later.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub from: Option<String>,
    /// Rows booked on this date or earlier.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub to: Option<String>,
    /// Write over a file that is there.
    #[arg(long)]
    pub force: bool,
    #[command(flatten)]
    pub access: Access,
}

/// What the ledger can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the names say it")]
pub enum ExportFormat {
    Csv,
    Ofx,
    Qif,
    Beancount,
    Hledger,
    Json,
}

impl ExportFormat {
    /// What a file of this name should be.
    pub fn of(name: &Path) -> Option<Self> {
        let extension = name.extension()?.to_str()?.to_ascii_lowercase();
        Some(match extension.as_str() {
            "csv" => Self::Csv,
            "ofx" => Self::Ofx,
            "qif" => Self::Qif,
            "beancount" | "bean" => Self::Beancount,
            "hledger" | "journal" => Self::Hledger,
            "json" => Self::Json,
            _ => return None,
        })
    }

    /// The word for it in the path of its route.
    pub fn word(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ofx => "ofx",
            Self::Qif => "qif",
            Self::Beancount => "beancount",
            Self::Hledger => "hledger",
            Self::Json => "json",
        }
    }
}

/// Who asks: an access token, or e-mail and password.
#[derive(Clone, Args)]
pub struct Login {
    /// E-mail address to log in with.
    #[arg(long, global = true, env = "TRIBUTARY_EMAIL")]
    pub email: Option<String>,
    /// Password to log in with; better given by the environment, where `ps` does not show it.
    #[arg(long, global = true, env = "TRIBUTARY_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// An access token, in place of e-mail and password.
    #[arg(long, global = true, env = "TRIBUTARY_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
}

#[derive(Clone, Debug, Args)]
pub struct Migrate {
    #[command(subcommand)]
    pub direction: Direction,
}

#[derive(Clone, Debug, Subcommand)]
pub enum Direction {
    /// Apply what is missing, under a lock.
    Up(Common),
    /// Take migrations back, newest first. Data that only they hold is lost.
    Down {
        #[command(flatten)]
        common: Common,
        /// How many per module.
        #[arg(long, default_value_t = 1)]
        steps: u32,
    },
    /// List the migrations and which of them are applied.
    Status(Common),
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login(…)")
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("must be KEY=VALUE, such as edge.deadline_ms=5000".to_owned()),
    }
}

impl Place {
    /// The strongest layer of the configuration.
    pub fn overrides(&self) -> Overrides {
        let mut overrides = Overrides { file: self.config.clone(), values: self.set.clone() };
        overrides.set("data_dir", self.data_dir.as_ref().map(|dir| dir.display()));
        overrides.set("database.url", self.database_url.as_deref());
        overrides
    }
}

impl Common {
    /// The strongest layer of the configuration.
    pub fn overrides(&self) -> Overrides {
        let mut overrides = self.place.overrides();
        overrides.set("mode", self.mode.map(|mode| format!("{mode:?}").to_lowercase()));
        overrides.set("modules", (!self.modules.is_empty()).then(|| self.modules.join(",")));
        overrides
    }
}

impl Serve {
    /// The strongest layer of the configuration.
    pub fn overrides(&self) -> Overrides {
        let mut overrides = self.common.overrides();
        overrides.set("public.listen", self.public);
        overrides.set("private.listen", self.private);
        for Simulate { service, latency_ms, loss_percent } in &self.simulate {
            overrides.set(&format!("services.{service}.simulate_latency_ms"), Some(latency_ms));
            overrides.set(&format!("services.{service}.simulate_loss_percent"), Some(loss_percent));
        }
        overrides
    }
}
