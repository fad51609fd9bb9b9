//! A file that was committed before, read once more with today's reader.

use std::collections::HashSet;
use std::io::Read;

use connections_api::{Difference, FileRow, Note};
use connections_formats::{Detection, FormatError, Survey};
use kernel::{BatchId, PageRequest, TransactionId};
use ledger_api::{Ledger, LedgerError, RowFilter};
use service_registry::CallContext;
use tokio_util::sync::CancellationToken;

use super::{Halt, Runner, Told, broken, halt};
use crate::contents::Contents;
use crate::problems;
use crate::reading::{UploadedFile, shown_rows};
use crate::store::ImportRow;

/// Beyond this the ids of all transactions of a file are too much to hold, and too many pages to ask for.
const MOST_ROWS_COMPARED: usize = 200_000;
const MOST_ROWS_SHOWN: usize = 100;
const PAGE: u16 = 200;

impl Runner {
    /// What the file is for today's detection, which has to see all of it.
    pub(super) async fn detect_again(
        &self,
        row: &ImportRow,
        unwanted: &CancellationToken,
        told: &mut Told,
    ) -> Result<Detection, Halt> {
        let stop = CancellationToken::new();
        let _stop = stop.clone().drop_guard();
        let (file, name) = (self.file(row, stop), row.file_name.clone());
        let thread = tokio::task::spawn_blocking(move || detect(&file, name.as_deref()));
        let contents = tokio::select! {
            contents = thread => contents.map_err(broken)??,
            () = unwanted.cancelled() => return Err(Halt::Unwanted),
        };
        told.contents = Some(contents.clone());
        match contents {
            Contents::File(detection) => Ok(detection),
            Contents::Zip => Err(broken("a file has become an archive")),
        }
    }

    /// Notes which transactions of the `first` reading the one that waits as `again` does not find.
    pub(super) async fn compare(
        &self,
        cx: &CallContext,
        first: BatchId,
        again: BatchId,
        told: &mut Told,
    ) -> Result<(), Halt> {
        let mut missing = HashSet::new();
        let all = self.each_row(cx, first, |row| missing.extend(row.transaction_id)).await?;
        if !all {
            let detail = format!("what is missing is counted in files of up to {MOST_ROWS_COMPARED} rows");
            told.notes.push(Note { code: "difference_not_counted".into(), detail });
            return Ok(());
        }
        let forget = |row: FileRow| {
            row.transaction_id.as_ref().map(|id: &TransactionId| missing.remove(id));
        };
        self.each_row(cx, again, forget).await?;
        let mut missing_rows = Vec::new();
        if !missing.is_empty() {
            let keep = |row: FileRow| {
                if missing_rows.len() < MOST_ROWS_SHOWN
                    && row.transaction_id.is_some_and(|id| missing.contains(&id))
                {
                    missing_rows.push(row);
                }
            };
            self.each_row(cx, first, keep).await?;
        }
        told.difference = Some(Difference { missing: missing.len() as u64, missing_rows });
        Ok(())
    }

    /// Gives every row of a batch to `each`; false where there are too many.
    async fn each_row(
        &self,
        cx: &CallContext,
        batch: BatchId,
        mut each: impl FnMut(FileRow),
    ) -> Result<bool, Halt> {
        let mut page = PageRequest { limit: PAGE, ..PageRequest::default() };
        let mut count = 0;
        loop {
            let rows = match self.ledger.rows(cx, batch, RowFilter::default(), page.clone()).await {
                Ok(rows) => shown_rows(&rows).map_err(broken)?,
                // An empty file leaves no batch behind.
                Err(LedgerError::BatchNotFound(_)) => return Ok(true),
                Err(error) => return Err(halt(error)),
            };
            count += rows.data.len();
            rows.data.into_iter().for_each(&mut each);
            page.cursor = rows.next_cursor;
            if page.cursor.is_none() || count > MOST_ROWS_COMPARED {
                return Ok(page.cursor.is_none());
            }
        }
    }
}

fn detect(file: &UploadedFile, name: Option<&str>) -> Result<Contents, Halt> {
    let (mut reader, mut survey, mut buffer) = (file.open(), Survey::new(), vec![0; 64 * 1024]);
    loop {
        match reader.read(&mut buffer).map_err(broken)? {
            0 => break,
            count => survey.feed(&buffer[..count]),
        }
    }
    let (report, head) = survey.finish();
    Contents::of(&report, &head, name).map_err(|error: FormatError| match problems::of_file(&error) {
        Some(problem) => Halt::Refused(Box::new(problem)),
        None => broken(error),
    })
}
