//! The ledger into a file, through the API in any case.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use futures_util::TryStreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use tokio::fs::{self, File};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use uuid::Uuid;

use super::client::Client;
use super::import::find_account;
use super::{USAGE, access};
use crate::cli::{Export, ExportFormat};

/// Writes the file. 0 done, 1 failed and nothing written, 2 wrong usage.
pub(super) async fn run(export: Export) -> Result<ExitCode> {
    let Some(format) = export.format.or(ExportFormat::of(&export.out)) else {
        eprintln!("tributary: say what to write: --format, or a file whose name ends in it");
        return Ok(ExitCode::from(USAGE));
    };
    refuse_to_overwrite(&export)?;
    access::with_client(&export.access, async |client| {
        tokio::select! {
            written = write(client, &export, format) => written.map(|()| ExitCode::SUCCESS),
            _ = tokio::signal::ctrl_c() => bail!("given up; nothing was written"),
        }
    })
    .await
}

fn refuse_to_overwrite(export: &Export) -> Result<()> {
    if is_standard_output(&export.out) || export.force || !export.out.exists() {
        return Ok(());
    }
    bail!("{} is there already; --force writes over it", export.out.display())
}

fn is_standard_output(out: &Path) -> bool {
    out == Path::new("-")
}

async fn write(client: &mut Client, export: &Export, format: ExportFormat) -> Result<()> {
    let mut query = Vec::new();
    for wanted in &export.accounts {
        query.push(("account_id", find_account(client, wanted).await?));
    }
    query.extend(export.from.iter().map(|from| ("from", from.clone())));
    query.extend(export.to.iter().map(|to| ("to", to.clone())));
    let path = format!("/api/v1/exports/ledger.{}", format.word());
    let response = client.download(&path, &query).await?;
    if is_standard_output(&export.out) {
        let copied = copy(response, tokio::io::stdout(), &ProgressBar::hidden()).await;
        return copied.context("cannot write to standard output");
    }
    let part = Part::beside(&export.out)?;
    let bar = bar(&export.out);
    let cannot = || format!("cannot write {}", export.out.display());
    let file = part.create().await.with_context(cannot)?;
    copy(response, file, &bar).await.with_context(cannot)?;
    bar.finish_and_clear();
    // Somebody may have made it meanwhile.
    refuse_to_overwrite(export)?;
    part.become_file(&export.out).await
}

/// Copies to the end. A download that breaks off is an error, never a short file.
async fn copy(
    response: reqwest::Response,
    mut out: impl AsyncWrite + Unpin,
    bar: &ProgressBar,
) -> Result<()> {
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.try_next().await.context("the download broke off")? {
        out.write_all(&piece).await?;
        bar.inc(piece.len() as u64);
    }
    Ok(out.flush().await?)
}

fn bar(out: &Path) -> ProgressBar {
    let style = ProgressStyle::with_template("{prefix} {spinner} {bytes}");
    let bar = ProgressBar::new_spinner().with_prefix(out.display().to_string());
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
}

/// A file that is not whole yet, beside where it will be: only there can it be moved in one step. Gone when dropped.
struct Part(PathBuf);

impl Part {
    fn beside(out: &Path) -> Result<Self> {
        let name = out.file_name().with_context(|| format!("{} names no file", out.display()))?;
        let part = format!(".{}.{}.part", name.to_string_lossy(), Uuid::new_v4().simple());
        Ok(Self(out.with_file_name(part)))
    }

    /// For its owner's eyes alone: what stands in it is nobody else's business.
    async fn create(&self) -> io::Result<File> {
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        options.mode(0o600);
        options.open(&self.0).await
    }

    async fn become_file(self, out: &Path) -> Result<()> {
        let cannot = || format!("cannot write {}", out.display());
        File::open(&self.0).await.with_context(cannot)?.sync_all().await.with_context(cannot)?;
        fs::rename(&self.0, out).await.with_context(cannot)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Already moved where all went well.
        let _ = std::fs::remove_file(&self.0);
    }
}
