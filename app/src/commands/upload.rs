//! One file on its way into the ledger: upload, wait, commit, wait; with progress where somebody looks.

use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use connections_api::{DateOrder, Import, ImportState, Mapping};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use kernel::ImportId;
use tokio_util::sync::CancellationToken;

use super::client::{Client, Refused, Upload};
use super::questions::Question;

/// How often the server is asked how far it is: often enough to look alive, within every rate limit.
const ASK: Duration = Duration::from_millis(250);
/// The first few questions come faster, since most files are small.
const ASK_FIRST: Duration = Duration::from_millis(20);

/// What is done by then needs no bar.
const MOMENT: Duration = Duration::from_secs(1);

/// Somebody pressed Ctrl-C. What was uploaded was given up.
#[derive(Debug, thiserror::Error)]
#[error("given up; nothing of it is imported")]
pub(super) struct GivenUp;

/// The server has read the file, and this is why it cannot be imported as it was asked to.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub(super) struct Failed(pub(super) Refused);

/// What became of a file and, where it is an archive, of each file in it.
pub(super) struct Done {
    pub(super) import: Import,
    pub(super) members: Vec<Member>,
}

/// A file of an archive.
pub(super) struct Member {
    pub(super) name: String,
    pub(super) outcome: Result<Import>,
}

impl Done {
    /// Whether all of it arrived.
    pub(super) fn is_whole(&self) -> bool {
        self.members.iter().all(|member| member.outcome.is_ok())
    }
}

/// What is asked of an import.
#[derive(Clone, Copy, Default)]
pub(super) struct Wish {
    pub(super) dry_run: bool,
    /// Which number of a date is the day, where no row of a file decides it.
    pub(super) dates: Option<DateOrder>,
}

/// Imports `file`, or with `dry_run` only says what would become of it. Stopped, it is given up and leaves nothing.
pub(super) async fn import(
    client: &mut Client,
    file: &Upload<'_>,
    query: &[(&str, &str)],
    wish: Wish,
    bar: &ProgressBar,
    stop: &CancellationToken,
) -> Result<Done> {
    let uploaded = tokio::select! {
        uploaded = client.upload(file, query, bar) => uploaded?,
        () = stop.cancelled() => return Err(GivenUp.into()),
    };
    let id = uploaded.id;
    let done = tokio::select! {
        done = finish_all(client, uploaded, wish, bar) => Some(done),
        () = stop.cancelled() => None,
    };
    match done {
        Some(done) => done,
        None => {
            give_up(client, id, bar).await?;
            Err(GivenUp.into())
        }
    }
}

async fn finish_all(client: &mut Client, import: Import, wish: Wish, bar: &ProgressBar) -> Result<Done> {
    let id = import.id;
    let import = match read(client, import, wish.dates, bar).await {
        Ok(import) if import.state == ImportState::Unpacked => import,
        rested => {
            let import = finish(client, id, rested, wish.dry_run, bar).await?;
            return Ok(Done { import, members: Vec::new() });
        }
    };
    let mut members = Vec::new();
    for id in import.members.clone() {
        let member = client.import(id).await?;
        let name = member.file_name.clone().unwrap_or_else(|| id.to_string());
        // One after the other, so that each is told what those before it have brought.
        let rested = read(client, member, wish.dates, bar).await;
        members.push(Member { name, outcome: finish(client, id, rested, wish.dry_run, bar).await });
    }
    Ok(Done { import, members })
}

/// Waits until the file is read; one of which only the order of its dates is open, in the one that was told.
async fn read(
    client: &mut Client,
    import: Import,
    dates: Option<DateOrder>,
    bar: &ProgressBar,
) -> Result<Import> {
    let id = import.id;
    let outcome = wait(client, import, bar).await;
    let (Some(dates), Err(error)) = (dates, &outcome) else { return outcome };
    if Question::of(error) != Some(Question::Dates) {
        return outcome;
    }
    let Some(mapping) = client.import(id).await?.mapping else { return outcome };
    let again = client.preview(id, &Mapping { date_order: Some(dates), ..mapping }).await?;
    wait(client, again, bar).await
}

/// Commits what was previewed, or throws it away; a dry run throws away what could not be read as well.
async fn finish(
    client: &mut Client,
    id: ImportId,
    rested: Result<Import>,
    dry_run: bool,
    bar: &ProgressBar,
) -> Result<Import> {
    if dry_run {
        let thrown_away = client.cancel(id).await;
        let rested = rested?;
        return thrown_away.map(|()| rested);
    }
    let committing = client.commit(rested?.id).await?;
    wait(client, committing, bar).await
}

/// Leaves nothing of an import, nor of any file of an archive.
async fn give_up(client: &mut Client, id: ImportId, bar: &ProgressBar) -> Result<()> {
    let import = client.import(id).await?;
    let ids = if import.state == ImportState::Unpacked { import.members } else { vec![id] };
    for id in ids {
        match client.cancel(id).await {
            Err(error) if error.downcast_ref::<Refused>().is_some_and(|refused| refused.0.status == 409) => {
                take_back(client, id, bar).await?;
            }
            outcome => outcome?,
        }
    }
    Ok(())
}

/// A commit cannot be stopped, and takes a while; what it brought can be taken back exactly.
async fn take_back(client: &mut Client, id: ImportId, bar: &ProgressBar) -> Result<()> {
    let import = client.import(id).await?;
    if wait(client, import, bar).await?.state != ImportState::Committed {
        return Ok(());
    }
    let undoing = client.undo(id).await?;
    match wait(client, undoing, bar).await? {
        Import { state: ImportState::Committed, problem: Some(problem), .. } => {
            bail!("imported already, and not to be taken back: {}", Refused(Box::new(problem)))
        }
        _ => Ok(()),
    }
}

/// Asks until the import rests: previewed, committed or unpacked is good, anything else is why it is not.
pub(super) async fn wait(client: &mut Client, mut import: Import, bar: &ProgressBar) -> Result<Import> {
    for asked in 0_u32.. {
        bar.set_length(import.progress.bytes_total.max(1));
        bar.set_position(import.progress.bytes_read);
        bar.set_message(format!("{}, {} rows", import.state, import.progress.rows_read));
        match import.state {
            ImportState::Previewed | ImportState::Committed | ImportState::Unpacked | ImportState::Undone => {
                return Ok(import);
            }
            ImportState::Failed => {
                return Err(match import.problem {
                    Some(problem) => Failed(Refused(Box::new(problem))).into(),
                    None => anyhow!("the import failed, and the server does not say why"),
                });
            }
            ImportState::Cancelled => return Err(anyhow!("somebody cancelled the import")),
            ImportState::Reading | ImportState::Committing | ImportState::Undoing => {}
        }
        tokio::time::sleep(if asked < 10 { ASK_FIRST } else { ASK }).await;
        import = client.import(import.id).await?;
    }
    unreachable!("the loop above ends by returning")
}

/// A bar on standard error for what takes longer than a moment, seen only where that is a terminal.
pub(super) fn bar(name: &str, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::hidden();
    if quiet {
        return bar;
    }
    let style = ProgressStyle::with_template("{prefix} {bar:30} {bytes}/{total_bytes} {msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_prefix(name.to_owned());
    let waiting = bar.clone();
    tokio::spawn(async move {
        tokio::time::sleep(MOMENT).await;
        if !waiting.is_finished() {
            waiting.set_draw_target(ProgressDrawTarget::stderr());
        }
    });
    bar
}
