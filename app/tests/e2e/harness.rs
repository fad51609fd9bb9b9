//! The real binary, run as one, two or four processes for one journey, and stopped again.

mod certificates;
mod client;
mod database;
mod files;
mod household;
mod hybrid;
mod load;
mod microservices;
mod monolith;
mod operator;
mod process;
mod topology;
mod transcript;

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::Arc;

use futures_util::FutureExt;
use tempfile::TempDir;

pub use certificates::Authority;
pub use client::{Answer, Client, patiently};
pub use database::Database;
pub use files::{Bank, SAMPLES, zip};
pub use household::{Household, PASSWORD};
pub use load::{Asked, Load, Record};
pub use operator::metric;
pub use process::Process;
pub use transcript::Transcript;

/// How the modules are shared out among processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Monolith,
    Hybrid,
    Microservices,
}

impl Mode {
    pub const ALL: [Self; 3] = [Self::Monolith, Self::Hybrid, Self::Microservices];

    /// What runs in which process.
    pub fn parts(self) -> Vec<Part> {
        let (word, plan) = match self {
            Self::Monolith => ("monolith", monolith::PROCESSES),
            Self::Hybrid => ("hybrid", hybrid::PROCESSES),
            Self::Microservices => ("microservices", microservices::PROCESSES),
        };
        plan.iter().map(|modules| (word, *modules)).collect()
    }
}

/// One process of an installation: its mode, and what runs in it.
pub type Part = (&'static str, &'static [&'static str]);

/// All processes of one installation, which share a data directory and so their keys.
pub struct Installation {
    processes: Vec<Process>,
    directory: TempDir,
    /// Who signed the certificates, where calls go over TLS.
    authority: Option<Arc<Authority>>,
    refusals_expected: bool,
}

/// Takes `journey` through an installation of its own, and sees to it that nothing of that stays behind.
///
/// A journey ends with every process stopping as it should; see [`Installation::stop`].
pub async fn run(mode: Mode, on: Database, journey: impl AsyncFnOnce(&mut Installation)) {
    run_parts(&mode.parts(), on, started(journey)).await;
}

/// The same where calls between processes go over TLS, with certificates on both sides.
pub async fn run_over_tls(mode: Mode, on: Database, journey: impl AsyncFnOnce(&mut Installation)) {
    run_under(Between::Tls(Arc::new(Authority::new("before"))), &mode.parts(), on, started(journey)).await;
}

/// The same where processes call each other over Unix sockets.
pub async fn run_over_sockets(mode: Mode, on: Database, journey: impl AsyncFnOnce(&mut Installation)) {
    run_under(Between::Sockets, &mode.parts(), on, started(journey)).await;
}

fn started(journey: impl AsyncFnOnce(&mut Installation)) -> impl AsyncFnOnce(&mut Installation) {
    async |at: &mut Installation| {
        at.start().await;
        journey(at).await;
    }
}

/// The same with processes of the journey's own choice, which it starts itself. What runs in several is where the
/// first of them is, for the others.
pub async fn run_parts(parts: &[Part], on: Database, journey: impl AsyncFnOnce(&mut Installation)) {
    run_under(Between::Addresses, parts, on, journey).await;
}

/// What is between processes.
enum Between {
    Addresses,
    Tls(Arc<Authority>),
    Sockets,
}

async fn run_under(
    between: Between,
    parts: &[Part],
    on: Database,
    journey: impl AsyncFnOnce(&mut Installation),
) {
    let Some(database) = on.create().await else { return };
    let mut installation = Installation::new(parts, database.url(), between);
    let whole = async {
        journey(&mut installation).await;
        installation.stop().await;
        database.check_outboxes(installation.directory.path()).await;
    };
    let outcome = AssertUnwindSafe(whole).catch_unwind().await;
    if outcome.is_err() {
        installation.processes.iter().for_each(Process::show_log);
    }
    drop(installation);
    database.drop().await;
    outcome.unwrap_or_else(|panic| resume_unwind(panic));
}

impl Installation {
    fn new(parts: &[Part], database: Option<&str>, between: Between) -> Self {
        let directory = TempDir::with_prefix("tributary-e2e-").expect("a temporary directory can be made");
        // Each process has to know where the others will be, so all private addresses are chosen beforehand.
        let addresses = process::free_addresses(parts.len());
        let mut common = vec![format!("--data-dir={}", directory.path().display())];
        common.extend(database.map(|url| format!("--database-url={url}")));
        common.extend(SETTINGS.map(|setting| format!("--set={setting}")));
        let socket = |modules: &[&str]| directory.path().join(format!("{}.sock", modules.join("-")));
        let mut placed = Vec::new();
        for ((_, modules), address) in parts.iter().zip(&addresses) {
            for service in modules.iter().filter(|module| **module != "gateway") {
                if !placed.contains(service) {
                    placed.push(*service);
                    let url = match between {
                        Between::Addresses => format!("http://{address}"),
                        Between::Tls(_) => format!("https://{address}"),
                        Between::Sockets => format!("unix://{}", socket(modules).display()),
                    };
                    common.push(format!("--set=services.{service}.url={url}"));
                }
            }
        }
        let processes = parts.iter().zip(addresses).map(|(part, address)| match &between {
            Between::Addresses => Process::new(*part, address, &common, directory.path()),
            Between::Tls(authority) => {
                Process::new(*part, address, &common, directory.path()).certified(directory.path(), authority)
            }
            Between::Sockets => {
                Process::new(*part, address, &common, directory.path()).listening_at(socket(part.1))
            }
        });
        let processes = processes.collect();
        let authority = match between {
            Between::Tls(authority) => Some(authority),
            Between::Addresses | Between::Sockets => None,
        };
        Self { processes, directory, authority, refusals_expected: false }
    }

    /// Starts every process, and waits until each is of use.
    pub async fn start(&mut self) {
        for process in &mut self.processes {
            process.start().await;
        }
        for process in &self.processes {
            process.until_ready().await;
        }
    }

    /// Asks every process that runs to stop; each must do so by itself, in time, and leave a log without faults or secrets.
    async fn stop(&mut self) {
        for process in self.processes.iter().filter(|process| process.is_running()) {
            process.terminate();
        }
        for process in self.processes.iter_mut().filter(|process| process.is_running()) {
            process.until_stopped().await;
        }
        // Whatever users do wrong is no error of ours; only a neighbour's death may be one.
        let error = (!self.processes.iter().any(Process::was_killed)).then_some(" ERROR ");
        // A call that is not in the table is refused in every mode.
        let refusal = (!self.refusals_expected).then_some(r#"reason="method""#);
        let banned: Vec<_> = SECRETS.into_iter().chain(["panicked at"]).chain(error).chain(refusal).collect();
        self.processes.iter().for_each(|process| process.check_log(&banned));
    }

    /// A journey that makes calls which are not in the table says so.
    pub fn expect_refusals(&mut self) {
        self.refusals_expected = true;
    }

    /// Who signed the certificates at the start.
    pub fn authority(&self) -> Arc<Authority> {
        Arc::clone(self.authority.as_ref().expect("calls go over TLS here"))
    }

    /// The process in which `module` runs.
    pub fn process(&mut self, module: &str) -> &mut Process {
        let found = self.processes.iter_mut().find(|process| process.runs(module));
        found.expect("every module runs somewhere")
    }

    pub fn processes(&mut self) -> &mut [Process] {
        &mut self.processes
    }

    /// Whether `module` can be killed and the public listener lives on.
    pub fn is_apart(&mut self, module: &str) -> bool {
        !self.process(module).runs("gateway")
    }

    /// A client that is nobody yet.
    pub fn client(&self) -> Client {
        Client::new(self.public())
    }

    /// Where the public listener is.
    pub fn public(&self) -> SocketAddr {
        let gateway = self.processes.iter().find(|process| process.runs("gateway"));
        gateway.and_then(Process::public).expect("the gateway runs and said where")
    }

    /// A file below the data directory.
    pub fn data_file(&self, name: &str) -> std::path::PathBuf {
        self.directory.path().join(name)
    }
}

/// What no log may hold: passwords, tokens, addresses, account numbers, and what people bought.
const SECRETS: [&str; 5] = [PASSWORD, household::TOKEN_START, "@example.org", "DE0099900000", "Shop "];

/// What differs from a normal installation: nobody waits for load balancers or long for the dead, and tests ask often
/// and send less than a gigabyte. Logs tell the spans of whoever asks for them.
const SETTINGS: [&str; 8] = [
    "log.spans=true",
    "shutdown.drain_delay_ms=0",
    "connections.lease_ms=2000",
    "connections.upload_limit_bytes=104857600",
    "edge.rate.default.quota=100000",
    "edge.rate.address.quota=100000",
    "edge.rate.login.quota=100000",
    "edge.rate.refresh.quota=100000",
];
