use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use connections_api::{Import as Imported, ImportState};
use serde_json::{Value, json};

use super::client::{Client, Refused, Upload};
use super::upload::{Done, GivenUp};
use super::{USAGE, report, upload};
use crate::cli::{Import, Login, Place};
use crate::compose::Process;
use crate::config::Settings;
use crate::{shutdown, telemetry};

/// Brings files into a ledger, through the API in any case. 0 all done, 1 some file failed, 2 wrong usage.
pub(super) async fn run(import: Import) -> Result<ExitCode> {
    at_server(&import.login, import.server.as_deref(), &import.place, async |server| {
        import_all(&import, server).await
    })
    .await
}

/// Does something at a server: the one that was named, or one made for this over the data directory.
pub(super) async fn at_server(
    login: &Login,
    server: Option<&str>,
    place: &Place,
    work: impl AsyncFnOnce(&str) -> Result<ExitCode>,
) -> Result<ExitCode> {
    if login.token.is_none() && (login.email.is_none() || login.password.is_none()) {
        eprintln!("tributary: say who you are: TRIBUTARY_EMAIL and TRIBUTARY_PASSWORD, or TRIBUTARY_TOKEN");
        return Ok(ExitCode::from(USAGE));
    }
    match server {
        Some(server) => work(server).await,
        None => {
            let process = serve_here(place).await?;
            let public = process.public.context("a monolith has a public listener")?;
            let outcome = work(&format!("http://{public}")).await;
            let cut = shutdown::stop(process).await;
            if cut.is_empty() { outcome } else { Err(anyhow!("cut off at the end: {}", cut.join(", "))) }
        }
    }
}

/// A whole server for this one command, on an address nobody else knows.
async fn serve_here(place: &Place) -> Result<Process> {
    let mut overrides = place.overrides();
    overrides.set("mode", Some("monolith"));
    overrides.set("public.listen", Some("127.0.0.1:0"));
    overrides.set("private.listen", Some("127.0.0.1:0"));
    overrides.set("log.level", Some("warn"));
    let settings = Settings::load(&overrides)?;
    telemetry::init(&settings)?;
    let process = Process::start(settings).await?;
    process.until_ready().await;
    Ok(process)
}

async fn import_all(import: &Import, server: &str) -> Result<ExitCode> {
    let mut client = log_in(&import.login, server).await?;
    let account = match &import.account {
        Some(wanted) => Some(find_account(&mut client, wanted).await?),
        None => None,
    };
    let query: Vec<_> = account.iter().map(|id| ("account_id", id.as_str())).collect();
    let mut failed = false;
    let mut reports = Vec::new();
    for path in &import.files {
        let bar = upload::bar(&path.display().to_string(), import.json);
        let outcome = upload::import(&mut client, &Upload::File(path), &query, import.dry_run, &bar).await;
        bar.finish_and_clear();
        failed |= !outcome.as_ref().is_ok_and(Done::is_whole);
        let given_up = outcome.as_ref().is_err_and(|error| error.is::<GivenUp>());
        match import.json {
            true => reports.push(as_json(path, &outcome)),
            false => tell_all(path, &outcome, import.dry_run),
        }
        if given_up {
            break;
        }
    }
    if import.json {
        println!("{}", serde_json::to_string_pretty(&reports)?);
    }
    Ok(ExitCode::from(u8::from(failed)))
}

pub(super) async fn log_in(login: &Login, server: &str) -> Result<Client> {
    let mut client = Client::new(server)?;
    match (&login.token, &login.email, &login.password) {
        (Some(token), ..) => client.use_token(token.clone()),
        (None, Some(email), Some(password)) => {
            client.log_in(email, password).await.context("cannot log in")?
        }
        _ => bail!("say who you are"),
    }
    Ok(client)
}

/// The id of the account with this id or name.
pub(super) async fn find_account(client: &mut Client, wanted: &str) -> Result<String> {
    let accounts = client.accounts().await?;
    let found: Vec<_> = accounts
        .iter()
        .filter(|account| account.id.to_string() == wanted || account.name == wanted)
        .collect();
    match found.as_slice() {
        [account] => Ok(account.id.to_string()),
        [] => bail!("there is no account {wanted:?}"),
        several => bail!("{} accounts are called {wanted:?}; use the id", several.len()),
    }
}

fn tell_all(path: &Path, outcome: &Result<Done>, dry_run: bool) {
    let name = path.display().to_string();
    match outcome {
        Ok(Done { import, members }) if import.state == ImportState::Unpacked => {
            println!("{name}: {} bank files in it", members.len());
            import.notes.iter().for_each(|note| println!("  note: {}", note.detail));
            members.iter().for_each(|member| {
                tell(&format!("{name}: {}", member.name), member.outcome.as_ref(), dry_run);
            });
        }
        outcome => tell(&name, outcome.as_ref().map(|done| &done.import), dry_run),
    }
}

fn tell(name: &str, outcome: Result<&Imported, &anyhow::Error>, dry_run: bool) {
    match outcome {
        Ok(import) => {
            let did = if dry_run { "would become of it (nothing was changed)" } else { "became of it" };
            println!("{name}: what {did}");
            if let Some(report) = &import.report {
                println!("{}", report::accounts_of(report));
                report::rejected(report).iter().for_each(|table| println!("{table}"));
            }
            import.notes.iter().for_each(|note| println!("  note: {}", note.detail));
        }
        Err(error) => eprintln!("{name}: {error:#}"),
    }
}

fn as_json(path: &Path, outcome: &Result<Done>) -> Value {
    let mut all = one_as_json(&path.display().to_string(), outcome.as_ref().map(|done| &done.import));
    if let Ok(Done { import, members }) = outcome
        && import.state == ImportState::Unpacked
    {
        let members = members.iter().map(|member| one_as_json(&member.name, member.outcome.as_ref()));
        all["members"] = members.collect();
    }
    all
}

fn one_as_json(name: &str, outcome: Result<&Imported, &anyhow::Error>) -> Value {
    match outcome {
        Ok(import) => json!({ "file": name, "import": import }),
        Err(error) => match error.downcast_ref::<Refused>() {
            Some(Refused(problem)) => json!({ "file": name, "problem": problem }),
            None => json!({ "file": name, "error": format!("{error:#}") }),
        },
    }
}
