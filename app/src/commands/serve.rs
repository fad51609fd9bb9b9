use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde_json::json;

use super::say::say;
use crate::cli::Serve;
use crate::compose::Process;
use crate::reload::Reload;
use crate::shutdown::{self, Signals};
use crate::telemetry;

/// Runs what this process is for until it is told to stop.
pub(super) async fn run(serve: Serve) -> Result<ExitCode> {
    let overrides = serve.overrides();
    let settings = super::settings(&overrides)?;
    telemetry::init(&settings)?;
    let process = Process::start(settings.clone()).await?;
    let signals = Signals::listen(true)?;
    announce(&process, serve.announce.as_deref())?;
    let reload = Reload::new(overrides, settings, &process);
    shutdown::until_stopped(process, signals, Some(reload)).await
}

/// One JSON line that says which addresses were bound: for whoever started us with port 0.
fn announce(process: &Process, file: Option<&Path>) -> Result<()> {
    let line =
        json!({ "event": "listening", "public": process.public, "private": process.private }).to_string();
    say!("{line}");
    let Some(file) = file else { return Ok(()) };
    // Renamed into place, so that nobody reads half a line.
    let draft = file.with_extension("draft");
    std::fs::write(&draft, line + "\n")
        .and_then(|()| std::fs::rename(&draft, file))
        .with_context(|| format!("cannot write {}", file.display()))
}
