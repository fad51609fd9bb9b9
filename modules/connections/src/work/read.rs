use std::sync::Arc;

use connections_api::{ImportReport, MappingProfile};
use connections_formats::{Detection, Format, FormatError, Mapping, csv, qif};
use kernel::{AccountId, BatchId, Code, Problem};
use ledger_api::Ledger;
use service_registry::CallContext;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Halt, Runner, Told, broken, halt};
use crate::problems;
use crate::reading::{
    Accounts, Chosen, Counters, Found, Named, Parts, ReadingPlan, UploadedFile, mapping, note_of_built_in,
    note_of_unsigned, notes_after, notes_before, shown_mapping, shown_report,
};
use crate::store::ImportRow;

/// Parts that may be ready before the ledger has taken them.
const PARTS_AHEAD: usize = 2;

impl Runner {
    /// Reads the file, has its rows wait in the ledger, and asks what would become of them.
    pub(super) async fn read(
        &self,
        cx: &CallContext,
        row: &ImportRow,
        detection: Detection,
        counters: &Arc<Counters>,
        unwanted: &CancellationToken,
        told: &mut Told,
    ) -> Result<ImportReport, Halt> {
        let stop = CancellationToken::new();
        // However this ends, the thread is not to read on for nobody.
        let _stop = stop.clone().drop_guard();
        let file = self.file(row, stop);
        let (plan, named) = self.plan(cx, row, detection, &file, told).await?;
        let space = row.principal().map_err(broken)?.space;
        let accounts = Accounts::new(space, self.settings.account_index_key.clone(), named);
        let (out, parts) = mpsc::channel(PARTS_AHEAD);
        let parts_of_file = Parts::new(BatchId(row.id), Uuid::now_v7(), accounts, out, Arc::clone(counters));
        let thread = tokio::task::spawn_blocking(move || plan.read(&file, parts_of_file));
        self.stage(cx, parts, unwanted).await?;

        let found = thread.await.map_err(broken)?;
        let has_account_column =
            found.mapping.as_ref().is_some_and(|mapping| mapping.columns.account.is_some());
        let Named { chosen, fallback, wallet, .. } = named;
        let needs_account = chosen.is_none() && fallback.is_none() && wallet.is_none() && !has_account_column;
        self.judge(found, needs_account, told)?;
        let report = tokio::select! {
            report = self.ledger.preview(cx, BatchId(row.id)) => report.map_err(halt)?,
            () = unwanted.cancelled() => return Err(Halt::Unwanted),
        };
        if let Some(first) = row.reparse_of {
            tokio::select! {
                compared = self.compare(cx, BatchId(first), BatchId(row.id), told) => compared?,
                () = unwanted.cancelled() => return Err(Halt::Unwanted),
            }
        }
        shown_report(&report).map_err(broken)
    }

    /// The file of an import, until `stop` is cancelled.
    pub(super) fn file(&self, row: &ImportRow, stop: CancellationToken) -> UploadedFile {
        UploadedFile {
            store: self.store.clone(),
            sealing_key: self.settings.sealing_key.clone(),
            import: row.file_owner(),
            size_bytes: row.size_bytes.unsigned_abs(),
            stop,
            runtime: Handle::current(),
        }
    }

    /// Sends the parts as they come. A part that is on its way is waited for even when nobody wants it any more:
    /// what is done next about the batch must find it there.
    async fn stage(
        &self,
        cx: &CallContext,
        mut parts: mpsc::Receiver<ledger_api::StagePart>,
        unwanted: &CancellationToken,
    ) -> Result<(), Halt> {
        loop {
            let part = tokio::select! {
                part = parts.recv() => part,
                () = unwanted.cancelled() => return Err(Halt::Unwanted),
            };
            let Some(part) = part else { return Ok(()) };
            self.ledger.stage(cx, part).await.map_err(halt)?;
        }
    }

    /// Settles how the file is read and whose account it is of, before a thread begins with it.
    async fn plan(
        &self,
        cx: &CallContext,
        row: &ImportRow,
        detection: Detection,
        file: &UploadedFile,
        told: &mut Told,
    ) -> Result<(ReadingPlan, Named), Halt> {
        let choice = row.choice().map_err(broken)?;
        let is_table = detection.format == Format::Csv;
        let profile = if is_table { self.profile(row, file, &detection).await? } else { None };
        told.notes = notes_before(&detection, profile.as_ref());
        told.profile_id = profile.as_ref().map(|profile| profile.id);

        let chosen = self.account(cx, choice.account_id).await?;
        let fallback = profile.as_ref().and_then(|profile| profile.account_id).filter(|_| chosen.is_none());
        let fallback = self.account(cx, fallback).await?;
        let their_currency = chosen.or(fallback).map(|account| account.currency);
        let default_currency = choice.currency.or(their_currency);

        let given = choice.mapping.filter(|_| row.mapping_chosen).or(profile.map(|profile| profile.mapping));
        let is_qif = detection.format == Format::Qif;
        let mapping = match given {
            _ if !is_table && !is_qif => None,
            Some(given) => Some(mapping(&given).map_err(broken)?),
            None if is_qif => Some(qif::mapping()),
            None => Some(self.suggested(file, &detection, told).await?),
        };
        let by_currency = matches!(detection.format, Format::Csv | Format::Mt940 | Format::Qif);
        let wallet = if is_table { wallet(file, &detection).await? } else { None };
        let named = Named { chosen, fallback, wallet, by_currency };
        Ok((ReadingPlan { detection, mapping, default_currency }, named))
    }

    /// The profile that was chosen, or else the one that was saved for tables with this header.
    async fn profile(
        &self,
        row: &ImportRow,
        file: &UploadedFile,
        detection: &Detection,
    ) -> Result<Option<MappingProfile>, Halt> {
        let space = row.principal().map_err(broken)?.space;
        if row.mapping_chosen {
            let chosen = row.choice().map_err(broken)?.profile_id;
            let Some(id) = chosen else { return Ok(None) };
            return self.store.profile(self.store.db.reader(), space, id).await.map_err(broken);
        }
        let head = file.head().await.map_err(broken)?;
        let Some(fingerprint) = csv::header_fingerprint(&head, &detection.encoding) else { return Ok(None) };
        self.store.profile_for(space, &fingerprint).await.map_err(broken)
    }

    /// The mapping of the bank's layout that the table is of, or else a guess.
    async fn suggested(
        &self,
        file: &UploadedFile,
        detection: &Detection,
        told: &mut Told,
    ) -> Result<Mapping, Halt> {
        let head = file.head().await.map_err(broken)?;
        if let Some((profile, mapping)) = csv::recognise(&head, &detection.encoding) {
            told.notes.push(note_of_built_in(profile));
            return Ok(mapping);
        }
        csv::suggest(&head, &detection.encoding).map_err(|error| self.refuse(error, false, told))
    }

    async fn account(&self, cx: &CallContext, id: Option<AccountId>) -> Result<Option<Chosen>, Halt> {
        let Some(id) = id else { return Ok(None) };
        let account = self.ledger.account(cx, id).await.map_err(halt)?;
        Ok(Some(Chosen { id, currency: account.currency }))
    }

    /// Whether the file was read to its end, and what there is to know about it.
    fn judge(&self, found: Found, needs_account: bool, told: &mut Told) -> Result<(), Halt> {
        if let Some(mapping) = &found.mapping {
            told.mapping = Some(shown_mapping(mapping).map_err(broken)?);
        }
        if let Some(problem) = found.refusal {
            return Err(Halt::Refused(problem));
        }
        let summary = found.outcome.map_err(|error| self.refuse(error, needs_account, told))?;
        told.notes.extend(notes_after(&summary, found.mapping.as_ref(), found.undated_balances));
        if let Some(mapping) = found.mapping.as_ref().filter(|_| told.profile_id.is_none()) {
            told.notes.extend(note_of_unsigned(&summary, mapping));
        }
        Ok(())
    }

    fn refuse(&self, error: FormatError, needs_account: bool, told: &mut Told) -> Halt {
        match &error {
            FormatError::Stopped => return Halt::Unwanted,
            // Given back with the order of dates in it, it is what the next preview needs.
            FormatError::AmbiguousDates(ambiguous) => told.mapping = shown_mapping(&ambiguous.mapping).ok(),
            // The account brings its currency along, so one answer is enough.
            FormatError::NeedsCurrency if needs_account => {
                let detail = "the file names neither account nor currency: preview again with account_id";
                return Halt::Refused(Box::new(Problem::new(Code::NeedsAccount).detail(detail)));
            }
            _ => {}
        }
        match problems::of_file(&error) {
            Some(problem) => Halt::Refused(Box::new(problem)),
            None => broken(error),
        }
    }
}

/// The bank whose layout the table is of, however its columns are mapped, where it gives all its currencies in one file.
async fn wallet(file: &UploadedFile, detection: &Detection) -> Result<Option<&'static str>, Halt> {
    let head = file.head().await.map_err(broken)?;
    let known = csv::recognise(&head, &detection.encoding);
    Ok(known.and_then(|(profile, _)| profile.wallet.as_deref()))
}
