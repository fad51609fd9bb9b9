use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use connections_api::Outcomes;
use ledger_api::Account;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::client::{Client, Upload};
use super::say::say;
use super::upload::Wish;
use super::{report, upload};
use crate::cli::Demo;
use crate::compose::Process;
use crate::config::{Overrides, Settings};
use crate::shutdown::{self, Signals};
use crate::telemetry;

macro_rules! sample {
    ($name:literal) => {
        Upload::Bytes {
            name: $name,
            content: include_bytes!(concat!("../../../modules/connections/formats/samples/", $name)),
        }
    };
}
/// Statements written by hand for this: two of one account that overlap in March, a card in another currency's
/// format, a savings account as a table.
const SAMPLES: [Upload<'static>; 4] = [
    sample!("checking-2026-q1.ofx"),
    sample!("checking-2026-march-april.ofx"),
    sample!("credit-card-2026.ofx"),
    sample!("savings-2026.csv"),
];

/// Shows the whole thing once, and goes on serving.
pub(super) async fn run(demo: Demo) -> Result<ExitCode> {
    let data_dir = demo.data_dir.clone().unwrap_or_else(fresh_dir);
    let process = serve(&demo, &data_dir).await?;
    let public = process.public.context("a monolith has a public listener")?;
    let base = format!("http://{public}");
    say!("Tributary runs as one process on {base}, with its data in {}\n", data_dir.display());

    let (email, password) = (format!("demo-{}@example.org", short_random()), Uuid::new_v4().to_string());
    let mut client = Client::new(&base)?;
    client.register(&email, &password, "Demo household").await.context("cannot register")?;
    client.log_in(&email, &password).await.context("cannot log in")?;

    let first = import_all(&mut client, true).await?;
    let accounts = client.accounts().await?;
    say!("What the household has now:\n{}\n", report::balances(&accounts));

    let again = import_all(&mut client, false).await?;
    say!(
        "The same files once more: {} rows read, {} created, {} updated, {} known already, {} rejected as before.",
        again.read,
        again.created,
        again.updated,
        again.duplicate + again.matched,
        again.rejected
    );
    let unchanged = balances(&client.accounts().await?) == balances(&accounts);
    ensure!(unchanged && again.created == 0 && again.updated == 0, "the second import changed something");
    say!("No balance moved. The first time, {} of {} rows were created.\n", first.created, first.read);

    say!(
        "  e-mail     {email}\n  password   {password}\n  API        {base}/api/v1\n  described  {base}/docs/"
    );
    if demo.once {
        let cut = shutdown::stop(process).await;
        ensure!(cut.is_empty(), "cut off at the end: {}", cut.join(", "));
        return Ok(ExitCode::SUCCESS);
    }
    say!("\nServing until Ctrl-C.");
    shutdown::until_stopped(process, Signals::listen(false)?, None).await
}

fn fresh_dir() -> PathBuf {
    std::env::temp_dir().join(format!("tributary-demo-{}", short_random()))
}

fn short_random() -> String {
    Uuid::new_v4().simple().to_string()[..8].to_owned()
}

async fn serve(demo: &Demo, data_dir: &Path) -> Result<Process> {
    let mut overrides = Overrides::default();
    overrides.set("mode", Some("monolith"));
    overrides.set("data_dir", Some(data_dir.display()));
    overrides.set("public.listen", Some(demo.public));
    overrides.set("private.listen", Some("127.0.0.1:0"));
    overrides.set("log.level", Some("warn"));
    let settings = Settings::load(&overrides)?;
    telemetry::init(&settings)?;
    let process = Process::start(settings).await?;
    process.until_ready().await;
    Ok(process)
}

/// Imports every sample and adds up what became of the rows.
async fn import_all(client: &mut Client, tell: bool) -> Result<Outcomes> {
    let mut sum = Outcomes::default();
    for sample in &SAMPLES {
        let bar = upload::bar(sample.name(), !tell);
        let import =
            upload::import(client, sample, &[], Wish::default(), &bar, &CancellationToken::new()).await;
        bar.finish_and_clear();
        let import = import.with_context(|| format!("cannot import {}", sample.name()))?;
        let report = import.import.report.context("a committed import has a report")?;
        sum = add(sum, report.outcomes);
        if tell {
            say!("{}\n{}\n", sample.name(), report::whole(&report));
        }
    }
    Ok(sum)
}

fn add(a: Outcomes, b: Outcomes) -> Outcomes {
    Outcomes {
        read: a.read + b.read,
        created: a.created + b.created,
        updated: a.updated + b.updated,
        matched: a.matched + b.matched,
        duplicate: a.duplicate + b.duplicate,
        rejected: a.rejected + b.rejected,
    }
}

fn balances(accounts: &[Account]) -> Vec<(kernel::AccountId, kernel::Money)> {
    accounts.iter().map(|account| (account.id, account.booked)).collect()
}
