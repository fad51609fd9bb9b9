use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use connections_api::{Import as Imported, ImportState};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::client::{Client, Refused, Upload};
use super::questions::Question;
use super::say::say;
use super::upload::{Done, Failed, GivenUp, Wish};
use super::watch::Watch;
use super::{access, interrupt, report, upload};
use crate::cli::Import;

/// Brings files into a ledger, through the API in any case. 0 all done, 1 some file failed, 2 wrong usage.
pub(super) async fn run(import: Import) -> Result<ExitCode> {
    access::with_client(&import.access, async |client| {
        let account = match &import.account {
            Some(wanted) => Some(find_account(client, wanted).await?),
            None => None,
        };
        let mut batch = Batch { client, import: &import, account, stop: interrupt::on_ctrl_c() };
        match &import.watch {
            Some(folder) => batch.watch(folder).await,
            None => batch.import_all().await,
        }
    })
    .await
}

/// How long a server that does not answer is left alone.
const AFTER_A_FAILURE: Duration = Duration::from_secs(5);

/// Files that are imported in the same way.
struct Batch<'a> {
    client: &'a mut Client,
    import: &'a Import,
    account: Option<String>,
    stop: CancellationToken,
}

impl Batch<'_> {
    async fn import_all(&mut self) -> Result<ExitCode> {
        let Import { files, json, dry_run, .. } = self.import;
        let (mut failed, mut reports) = (false, Vec::new());
        for path in files {
            if self.stop.is_cancelled() {
                failed = true;
                break;
            }
            let outcome = self.one(path).await;
            failed |= !outcome.as_ref().is_ok_and(Done::is_whole);
            match json {
                true => reports.push(as_json(path, &outcome)),
                false => tell_all(path, &outcome, *dry_run),
            }
        }
        if *json {
            say!("{}", serde_json::to_string_pretty(&reports)?);
        }
        Ok(ExitCode::from(u8::from(failed)))
    }

    /// Imports what lies in the folder and whatever comes, until Ctrl-C.
    async fn watch(&mut self, folder: &Path) -> Result<ExitCode> {
        let mut watch = Watch::open(folder, self.import)?;
        while let Some(found) = watch.next(&self.stop).await? {
            let outcome = self.one(&found.path).await;
            match self.import.json {
                true => say!("{}", as_json(&found.path, &outcome)),
                false => tell_all(&found.path, &outcome, false),
            }
            let open = self.open_questions(&outcome);
            match outcome {
                Err(error) if error.is::<GivenUp>() => break,
                Err(error) => match verdict(&error) {
                    Verdict::OfTheFile => watch.remember(found, &open)?,
                    Verdict::NotYet => watch.put_off(&found, AFTER_A_FAILURE),
                    Verdict::OfUs => return Err(error),
                },
                Ok(_) => watch.remember(found, &open)?,
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What the file, or one of an archive, would be taken with, and the command line does not say.
    fn open_questions(&self, outcome: &Result<Done>) -> Vec<Question> {
        let errors: Vec<_> = match outcome {
            Err(error) => vec![error],
            Ok(done) => done.members.iter().filter_map(|member| member.outcome.as_ref().err()).collect(),
        };
        let asked: Vec<_> = errors.into_iter().filter_map(Question::of).collect();
        let is_open = |question: &Question| asked.contains(question) && !question.is_answered(self.import);
        Question::ALL.into_iter().filter(is_open).collect()
    }

    async fn one(&mut self, path: &Path) -> Result<Done> {
        let bar = upload::bar(&path.display().to_string(), self.import.json);
        let account = self.account.iter().map(|id| ("account_id", id.as_str()));
        let currency = self.import.currency.iter().map(|currency| ("currency", currency.code()));
        let query: Vec<_> = account.chain(currency).collect();
        let file = if path == Path::new("-") { Upload::Input } else { Upload::File(path) };
        let wish = Wish { dry_run: self.import.dry_run, dates: self.import.dates.map(Into::into) };
        let outcome = upload::import(self.client, &file, &query, wish, &bar, &self.stop).await;
        bar.finish_and_clear();
        outcome
    }
}

/// What an error says of the file that it came of.
enum Verdict {
    /// It is refused, and would be again.
    OfTheFile,
    /// Nothing: the server could not look at it now.
    NotYet,
    /// Nothing: whatever came, we would be refused.
    OfUs,
}

fn verdict(error: &anyhow::Error) -> Verdict {
    let Some(Refused(problem)) = error.downcast_ref() else {
        return if error.is::<Failed>() { Verdict::OfTheFile } else { Verdict::NotYet };
    };
    match problem.status {
        401 | 403 | 404 => Verdict::OfUs,
        408 | 429 | 500.. => Verdict::NotYet,
        _ => Verdict::OfTheFile,
    }
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
        [] if accounts.is_empty() => bail!("there is no account yet; POST /api/v1/accounts opens one"),
        [] => {
            let names: Vec<_> = accounts.iter().map(|account| account.name.as_str()).collect();
            bail!("there is no account {wanted:?}; there are {}", names.join(", "))
        }
        several => bail!("{} accounts are called {wanted:?}; use the id", several.len()),
    }
}

fn tell_all(path: &Path, outcome: &Result<Done>, dry_run: bool) {
    let name = path.display().to_string();
    match outcome {
        Ok(Done { import, members }) if import.state == ImportState::Unpacked => {
            say!("{name}: {} bank files in it", members.len());
            import.notes.iter().for_each(|note| say!("  note: {}", note.detail));
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
            say!("{name}: what {did}");
            if let Some(report) = &import.report {
                say!("{}", report::whole(report));
            }
            if let Some(mapping) = &import.mapping {
                say!("  columns: {}", report::mapping(mapping));
            }
            import.notes.iter().for_each(|note| say!("  note: {}", note.detail));
        }
        Err(error) => {
            let advice = Question::of(error).map(|question| format!("\n  {}", question.advice()));
            eprintln!("{name}: {error:#}{}", advice.unwrap_or_default());
        }
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
        Err(error) => match refusal(error) {
            Some(Refused(problem)) => json!({ "file": name, "problem": problem }),
            None => json!({ "file": name, "error": format!("{error:#}") }),
        },
    }
}

/// The server's own words, where it refused the file at once or when it had read it.
pub(super) fn refusal(error: &anyhow::Error) -> Option<&Refused> {
    error.downcast_ref().or_else(|| error.downcast_ref().map(|Failed(refused)| refused))
}
