//! Where a ledger is and who asks there.

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};

use super::USAGE;
use super::client::Client;
use crate::cli::{Access, Login, Place};
use crate::compose::Process;
use crate::config::Settings;
use crate::{shutdown, telemetry};

/// Does `work` as the one who is named, on a running server or on one made for this alone.
pub(super) async fn with_client(
    access: &Access,
    work: impl AsyncFnOnce(&mut Client) -> Result<ExitCode>,
) -> Result<ExitCode> {
    let login = &access.login;
    if login.token.is_none() && (login.email.is_none() || login.password.is_none()) {
        eprintln!("tributary: say who asks: TRIBUTARY_EMAIL and TRIBUTARY_PASSWORD, or TRIBUTARY_TOKEN");
        return Ok(ExitCode::from(USAGE));
    }
    if let Some(server) = &access.server {
        return logged_in(login, server, work).await;
    }
    let process = serve_here(&access.place).await?;
    let public = process.public.context("a monolith has a public listener")?;
    let outcome = logged_in(login, &format!("http://{public}"), work).await;
    let cut = shutdown::stop(process).await;
    if cut.is_empty() { outcome } else { Err(anyhow!("cut off at the end: {}", cut.join(", "))) }
}

/// The settings of a server that is made for one command.
pub(super) fn settings_here(place: &Place) -> Result<Settings> {
    let mut overrides = place.overrides();
    overrides.set("mode", Some("monolith"));
    overrides.set("public.listen", Some("127.0.0.1:0"));
    overrides.set("private.listen", Some("127.0.0.1:0"));
    overrides.set("log.level", Some("warn"));
    Ok(Settings::load(&overrides)?)
}

/// A whole server on an address nobody else knows.
async fn serve_here(place: &Place) -> Result<Process> {
    let settings = settings_here(place)?;
    let dir = &settings.data_dir;
    // A name that was mistyped would make an empty ledger there, which nobody can log in to.
    if settings.database_url().context("database.url_file")?.expose().is_none() && !dir.exists() {
        bail!("there is no ledger in {}; --server or --data-dir says where it is", dir.display());
    }
    telemetry::init(&settings)?;
    let process = Process::start(settings).await?;
    process.until_ready().await;
    Ok(process)
}

/// Does `work` in a session that ends with it. One that somebody brought as a token is theirs to end.
async fn logged_in(
    login: &Login,
    server: &str,
    work: impl AsyncFnOnce(&mut Client) -> Result<ExitCode>,
) -> Result<ExitCode> {
    let mut client = log_in(login, server).await?;
    let outcome = work(&mut client).await;
    if login.token.is_none() {
        client.log_out().await;
    }
    outcome
}

async fn log_in(login: &Login, server: &str) -> Result<Client> {
    let mut client = Client::new(server)?;
    match (&login.token, &login.email, &login.password) {
        (Some(token), ..) => client.use_token(token.clone()),
        (None, Some(email), Some(password)) => {
            client.log_in(email, password).await.context("cannot log in")?
        }
        _ => bail!("say who asks"),
    }
    Ok(client)
}
