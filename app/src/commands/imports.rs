use std::process::ExitCode;

use anyhow::Result;
use connections_api::{FileRow, Import, ImportState, UndoReport};
use indicatif::ProgressBar;
use kernel::{Cursor, ImportId, Page};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::client::{Client, Refused};
use super::say::say;
use super::{access, report, upload};
use crate::cli::{Imports, OfImports};

/// Looks after imports that were made: 0 done, 1 refused or failed, 2 wrong usage.
pub(super) async fn run(imports: Imports) -> Result<ExitCode> {
    access::with_client(&imports.access, async |client| match &imports.of {
        OfImports::List { limit } => list(client, *limit, imports.json).await,
        OfImports::Show { id } => show(&client.import(*id).await?, imports.json),
        OfImports::Rows { id, outcome } => rows(client, *id, outcome.as_deref(), imports.json).await,
        OfImports::Commit { id } => {
            let committing = client.commit(*id).await?;
            show(&wait(client, committing, imports.json).await?, imports.json)
        }
        OfImports::Cancel { id } => {
            client.cancel(*id).await?;
            show(&client.import(*id).await?, imports.json)
        }
        OfImports::Undo { id } => undo(client, *id, imports.json).await,
        OfImports::Reparse { id } => {
            let reading = client.change(&format!("/api/v1/imports/{id}/reparse")).await?;
            let again: Import = wait(client, reading, imports.json).await?;
            if !imports.json {
                say!("Nothing is changed yet. To take it: tributary imports commit {}", again.id);
            }
            show(&again, imports.json)
        }
    })
    .await
}

async fn list(client: &mut Client, limit: usize, json: bool) -> Result<ExitCode> {
    let imports: Vec<Import> = all(client, "/api/v1/imports", limit).await?;
    match json {
        true => print_json(&imports)?,
        false => say!("{}", report::imports(&imports)),
    }
    Ok(ExitCode::SUCCESS)
}

async fn rows(client: &mut Client, id: ImportId, outcome: Option<&str>, json: bool) -> Result<ExitCode> {
    let outcome = outcome.map_or(String::new(), |outcome| format!("?outcome={outcome}"));
    let rows: Vec<FileRow> = all(client, &format!("/api/v1/imports/{id}/rows{outcome}"), usize::MAX).await?;
    match json {
        true => print_json(&rows)?,
        false => say!("{}", report::rows(&rows)),
    }
    Ok(ExitCode::SUCCESS)
}

/// An archive is undone file by file, as far as they came into the ledger, and answered as a list.
async fn undo(client: &mut Client, id: ImportId, json: bool) -> Result<ExitCode> {
    let import = client.import(id).await?;
    let is_archive = import.state == ImportState::Unpacked;
    let mut undone = Vec::new();
    for id in if is_archive { import.members } else { vec![id] } {
        if is_archive && client.import(id).await?.state != ImportState::Committed {
            continue;
        }
        let undoing = client.undo(id).await?;
        undone.push(wait(client, undoing, json).await?);
    }
    match json && is_archive {
        true => print_json(&undone)?,
        false => undone.iter().try_for_each(|import| show(import, json).map(drop))?,
    }
    let kept = undone.iter().any(|import| import.state != ImportState::Undone);
    Ok(ExitCode::from(u8::from(kept)))
}

async fn wait(client: &mut Client, import: Import, json: bool) -> Result<Import> {
    let bar = if json { ProgressBar::hidden() } else { upload::bar(&import.id.to_string(), false) };
    let rested = upload::wait(client, import, &bar).await;
    bar.finish_and_clear();
    rested
}

fn show(import: &Import, json: bool) -> Result<ExitCode> {
    if json {
        print_json(import)?;
        return Ok(ExitCode::SUCCESS);
    }
    let name = import.file_name.as_deref().unwrap_or("a file without a name");
    say!("{}: {name}, {}", import.id, import.state);
    if let Some(report) = &import.report {
        say!("{}", report::whole(report));
    }
    if let Some(mapping) = &import.mapping {
        say!("  columns: {}", report::mapping(mapping));
    }
    import.notes.iter().for_each(|note| say!("  note: {}", note.detail));
    if let Some(difference) = &import.difference {
        say!("{} transactions of the first reading are not found any more", difference.missing);
        if difference.missing > 0 {
            say!("{}", report::rows(&difference.missing_rows));
        }
    }
    if let Some(UndoReport { removed, kept, restored, edited, .. }) = &import.undone {
        say!("undone: {removed} removed, {kept} kept for other imports, {restored} changes taken back");
        if *edited > 0 {
            say!("{edited} names, categories and notes of yours went with what was removed");
        }
    }
    if let Some(problem) = &import.problem {
        say!("problem: {}", Refused(Box::new(problem.clone())));
    }
    Ok(ExitCode::SUCCESS)
}

/// The first `limit` items of a list, page by page.
async fn all<T: DeserializeOwned>(client: &mut Client, path: &str, limit: usize) -> Result<Vec<T>> {
    let (mut items, mut cursor) = (Vec::new(), None::<Cursor>);
    let joined = if path.contains('?') { '&' } else { '?' };
    loop {
        let next = cursor.map_or(String::new(), |cursor| format!("&cursor={cursor}"));
        let page = (limit - items.len()).clamp(1, 200);
        let page: Page<T> = client.get(&format!("{path}{joined}limit={page}{next}")).await?;
        items.extend(page.data);
        cursor = page.next_cursor;
        if cursor.is_none() || items.len() >= limit {
            return Ok(items);
        }
    }
}

fn print_json(value: &impl Serialize) -> Result<()> {
    say!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}
