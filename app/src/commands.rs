//! One verb of the command line per file.

mod access;
mod check;
mod client;
mod demo;
mod export;
mod import;
mod imports;
mod interrupt;
mod migrate;
mod openapi;
mod placement;
mod questions;
mod report;
mod say;
mod serve;
mod topology;
mod upload;
mod watch;

use std::process::ExitCode;

use anyhow::Context;

use crate::cli::{Cli, Command};
use crate::config::{Faults, Overrides, Settings};

/// Wrong usage or configuration, as clap itself exits.
const USAGE: u8 = 2;

/// Does what the command line says; 0 done, 1 failed, 2 wrong usage or configuration.
pub fn run(cli: Cli) -> ExitCode {
    let outcome = match cli.command {
        Command::Check(common) => return check::run(&common),
        Command::Openapi => openapi::run(),
        Command::Serve(serve) => in_runtime(|| serve::run(serve)),
        Command::Demo(demo) => in_runtime(|| demo::run(demo)),
        Command::Import(import) => in_runtime(|| import::run(import)),
        Command::Export(export) => in_runtime(|| export::run(export)),
        Command::Imports(imports) => in_runtime(|| imports::run(imports)),
        Command::Placement(placement) => in_runtime(|| placement::run(placement)),
        Command::Topology(topology) => in_runtime(|| topology::run(topology)),
        Command::Migrate(migrate) => in_runtime(|| migrate::run(migrate)),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("tributary: {error:#}");
        ExitCode::from(if error.is::<Faults>() { USAGE } else { 1 })
    })
}

fn in_runtime<F>(command: impl FnOnce() -> F) -> anyhow::Result<ExitCode>
where
    F: Future<Output = anyhow::Result<ExitCode>>,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    let outcome = runtime.block_on(command());
    // What still runs was told to stop and given its time.
    runtime.shutdown_background();
    outcome
}

/// The settings, or all their faults.
fn settings(overrides: &Overrides) -> anyhow::Result<Settings> {
    Ok(Settings::load(overrides)?)
}
