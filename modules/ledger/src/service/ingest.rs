use std::collections::HashMap;

use kernel::{AccountId, BatchId, Principal};
use ledger_api::{IngestReport, LedgerError, StagePart, Suggestion};
use platform::{OrFail, Txn, outbox};
use serde_json::json;
use service_registry::CallContext;
use tracing::warn;
use uuid::Uuid;

use super::LedgerService;
use super::statements::{BatchAccount, Currencies};
use crate::store::apply::{self, Which};
use crate::store::corrections::{self, CorrectionRow};
use crate::store::summary::{self, Tally};
use crate::store::{
    accounts, balances, batches, dedupe, previews, priors, rows, statistics, suspicions, touched,
};

impl LedgerService {
    pub(super) async fn stage_part(
        &self,
        cx: &CallContext,
        who: &Principal,
        mut part: StagePart,
    ) -> Result<(), LedgerError> {
        let txn = self.store.begin().await.or_fail(cx)?;
        let batch = batches::open(&*txn, who.space, part.batch, part.run).await.or_fail(cx)?;
        let batch = batch.ok_or(LedgerError::BatchNotFound(part.batch))?;
        if batch.report.is_some() {
            return Err(LedgerError::BatchCommitted(part.batch));
        }
        // Only the first part of a later run takes over: a run that lost its lease must not add to what replaced it.
        if part.run < batch.run || (part.run > batch.run && part.part > 0) {
            return Err(LedgerError::BatchTakenOver(part.batch));
        }
        batches::take_over(&*txn, part.batch, part.run).await.or_fail(cx)?;
        match part.part {
            0 => batches::clear(&*txn, part.batch).await.or_fail(cx)?,
            number => batches::clear_part(&*txn, part.batch, number).await.or_fail(cx)?,
        }
        for statement in &part.statements {
            self.statement_account(cx, who, &txn, &statement.account).await?;
            batches::put_statement(&*txn, part.batch, statement).await.or_fail(cx)?;
        }
        let currencies = Currencies::of(cx, who, &txn, part.batch).await?;
        part.rows.iter_mut().for_each(|row| currencies.refuse_other(row));
        batches::put_rows(&*txn, part.batch, part.part, part.rows).await.or_fail(cx)?;
        Ok(txn.commit().await.or_fail(cx)?)
    }

    pub(super) async fn preview_batch(
        &self,
        cx: &CallContext,
        who: &Principal,
        batch: BatchId,
    ) -> Result<IngestReport, LedgerError> {
        let txn = match self.open_batch(cx, who, batch).await? {
            Opened::Waits(txn) => txn,
            Opened::Done(report) => return Ok(*report),
        };
        self.find_accounts(cx, who, &txn, batch).await?;
        let seen_with = super::rows::versions(&*txn, who.space, batch).await.or_fail(cx)?;
        let suggestions = super::pending::classify(cx, &txn, batch).await?;
        // A preview is the real thing, unkept; only what it found of each row stays with the rows that wait.
        previews::begin(&*txn).await.or_fail(cx)?;
        let found = self.batch_accounts(cx, who, &txn, batch).await?;
        let mut report = book(cx, who, &txn, batch, found, suggestions, Kept::No).await?;
        let corrected = corrections::outcomes(&*txn, batch).await.or_fail(cx)?;
        previews::take_back(&*txn).await.or_fail(cx)?;
        for outcome in &corrected {
            corrections::keep(&*txn, batch, outcome).await.or_fail(cx)?;
        }
        batches::set_previewed(&*txn, batch, &seen_with).await.or_fail(cx)?;
        txn.commit().await.or_fail(cx)?;
        report
            .accounts
            .iter_mut()
            .filter(|account| account.opened)
            .for_each(|account| account.account_id = None);
        Ok(report)
    }

    pub(super) async fn ingest_batch(
        &self,
        cx: &CallContext,
        who: &Principal,
        batch: BatchId,
    ) -> Result<IngestReport, LedgerError> {
        let txn = match self.open_batch(cx, who, batch).await? {
            Opened::Waits(txn) => txn,
            Opened::Done(report) => return Ok(*report),
        };
        let found = self.batch_accounts(cx, who, &txn, batch).await?;
        let suggestions = super::pending::classify(cx, &txn, batch).await?;
        let report = book(cx, who, &txn, batch, found, suggestions, Kept::Yes).await?;
        rows::keep(&*txn, batch).await.or_fail(cx)?;
        batches::clear(&*txn, batch).await.or_fail(cx)?;
        batches::finish(&*txn, &report, kernel::now()).await.or_fail(cx)?;
        announce(cx, who, &txn, &report).await?;
        txn.commit().await.or_fail(cx)?;
        // The rows are kept, whatever the database knows of them.
        if let Err(error) = statistics::refresh(self.store.writer(), report.outcomes.created).await {
            warn!(%error, "Cannot count rows anew after an import");
        }
        Ok(report)
    }

    pub(super) async fn discard_batch(
        &self,
        cx: &CallContext,
        who: &Principal,
        batch: BatchId,
    ) -> Result<(), LedgerError> {
        let txn = self.store.begin().await.or_fail(cx)?;
        let Some(found) = batches::lock(&*txn, who.space, batch).await.or_fail(cx)? else { return Ok(()) };
        if found.report.is_some() {
            return Err(LedgerError::BatchCommitted(batch));
        }
        batches::clear(&*txn, batch).await.or_fail(cx)?;
        batches::delete(&*txn, batch).await.or_fail(cx)?;
        Ok(txn.commit().await.or_fail(cx)?)
    }

    /// Holds the batch and forgets what an earlier look at it found; or gives what an earlier `ingest` answered.
    async fn open_batch(
        &self,
        cx: &CallContext,
        who: &Principal,
        batch: BatchId,
    ) -> Result<Opened, LedgerError> {
        let txn = self.store.begin().await.or_fail(cx)?;
        txn.take_time().await.or_fail(cx)?;
        let found = batches::lock(&*txn, who.space, batch).await.or_fail(cx)?;
        let found = found.ok_or(LedgerError::BatchNotFound(batch))?;
        if let Some(report) = found.report().or_fail(cx)? {
            return Ok(Opened::Done(Box::new(report)));
        }
        dedupe::reset(&*txn, batch).await.or_fail(cx)?;
        Ok(Opened::Waits(txn))
    }
}

/// A batch as it was found.
enum Opened {
    /// Its rows wait, and it is held.
    Waits(Txn),
    /// It is part of the ledger.
    Done(Box<IngestReport>),
}

/// Whether the rows become part of the ledger, or of a preview.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Yes,
    No,
}

/// Makes rows that were told apart part of the ledger, then corrections, then balances.
async fn book(
    cx: &CallContext,
    who: &Principal,
    txn: &Txn,
    batch: BatchId,
    mut found: Vec<BatchAccount>,
    mut suggestions: Vec<Suggestion>,
    kept: Kept,
) -> Result<IngestReport, LedgerError> {
    let today = kernel::now().date_naive();
    let suspicious = suspicions::of_batch(&**txn, batch, today).await.or_fail(cx)?;
    let corrections = corrections::waiting(&**txn, batch).await.or_fail(cx)?;
    apply::apply(&**txn, who.space, batch, Which::Plain).await.or_fail(cx)?;
    // Who looks for tellings is a later batch, or a correction in this one.
    if kept == Kept::Yes || !corrections.is_empty() {
        apply::tell(&**txn, batch, Which::Plain).await.or_fail(cx)?;
    }
    correct(cx, who, txn, batch, corrections).await?;
    let gone = super::pending::sweep(cx, who, txn, batch).await?;
    suggestions.retain(|suggestion| !gone.contains(&suggestion.transaction_id));
    let moved = priors::moved(&**txn, batch).await.or_fail(cx)?;
    let tallies = summary::tallies(&**txn, batch).await.or_fail(cx)?;
    super::statements::leave_out_unused(cx, txn, batch, &mut found, &tallies).await?;
    for account in found.iter().filter(|account| !account.left_out) {
        settle(cx, who, txn, batch, account, &tallies, &moved).await?;
    }
    let report = super::report::report(cx, who, txn, batch, &found, &tallies).await?;
    Ok(IngestReport { suspicious, suggestions, pending_removed: gone.len() as u64, ..report })
}

/// Takes corrections one by one in the order of the file, because one may correct what the one before it made.
async fn correct(
    cx: &CallContext,
    who: &Principal,
    txn: &Txn,
    batch: BatchId,
    corrections: Vec<CorrectionRow>,
) -> Result<(), LedgerError> {
    for row in corrections {
        if let Some(done) = corrections::made_by(&**txn, &row).await.or_fail(cx)? {
            corrections::set_outcome(&**txn, batch, &row, "duplicate", done).await.or_fail(cx)?;
        } else if let Some(target) = corrections::corrected(&**txn, &row, false).await.or_fail(cx)? {
            corrections::set_outcome(&**txn, batch, &row, "updated", target.id).await.or_fail(cx)?;
            take(cx, who, txn, batch, &row).await?;
            if row.deletes {
                apply::remove(&**txn, target.id, kernel::now()).await.or_fail(cx)?;
            }
        } else {
            correct_nothing(cx, who, txn, batch, &row).await?;
        }
    }
    Ok(())
}

/// Makes one correction part of the ledger; a later one of the same file may correct it in turn.
async fn take(
    cx: &CallContext,
    who: &Principal,
    txn: &Txn,
    batch: BatchId,
    row: &CorrectionRow,
) -> Result<(), LedgerError> {
    apply::apply(&**txn, who.space, batch, Which::One(row)).await.or_fail(cx)?;
    Ok(apply::tell(&**txn, batch, Which::One(row)).await.or_fail(cx)?)
}

/// What a correction corrects was removed already, or was never seen.
async fn correct_nothing(
    cx: &CallContext,
    who: &Principal,
    txn: &Txn,
    batch: BatchId,
    row: &CorrectionRow,
) -> Result<(), LedgerError> {
    if !row.deletes {
        // What it replaces is not there, so what replaces it is simply new.
        return take(cx, who, txn, batch, row).await;
    }
    match corrections::corrected(&**txn, row, true).await.or_fail(cx)? {
        Some(removed) => {
            corrections::set_outcome(&**txn, batch, row, "duplicate", removed.id).await.or_fail(cx)?;
        }
        None => {
            corrections::reject(&**txn, batch, row).await.or_fail(cx)?;
        }
    }
    Ok(())
}

/// Writes the account's balance as it is now, and what its bank states.
async fn settle(
    cx: &CallContext,
    who: &Principal,
    txn: &Txn,
    batch: BatchId,
    account: &BatchAccount,
    tallies: &[Tally],
    moved: &HashMap<Uuid, i128>,
) -> Result<(), LedgerError> {
    let created = tallies.iter().filter(|tally| tally.outcome == "created" && account.has(tally.statement));
    let created: i128 = created.map(|tally| tally.sum.total()).sum();
    let changed = moved.get(&account.row.id).copied().unwrap_or_default();
    let booked = i128::from(account.row.booked_minor) + created + changed;
    let mut row = account.row.clone();
    row.booked_minor = i64::try_from(booked).map_err(|_| LedgerError::Overflow)?;
    accounts::update(&**txn, &row).await.or_fail(cx)?;
    touched::touch(&**txn, batch, &account.row, account.opened).await.or_fail(cx)?;
    for balance in &account.balances {
        balances::upsert(&**txn, who.space, row.id, batch, balance).await.or_fail(cx)?;
    }
    super::opening::begin(cx, who, txn, batch, account).await
}

async fn announce(
    cx: &CallContext,
    who: &Principal,
    txn: &Txn,
    report: &IngestReport,
) -> Result<(), LedgerError> {
    let space = Some(who.space);
    let subject = |id: Option<AccountId>| id.map(|id| id.to_string()).unwrap_or_default();
    for account in report.accounts.iter().filter(|account| account.opened) {
        let id = subject(account.account_id);
        outbox::append(cx, txn, space, "ledger.account.opened", id, &json!({})).await.or_fail(cx)?;
    }
    for account in &report.accounts {
        if account.drift.is_some_and(|drift| drift.difference.minor() != 0) {
            let id = subject(account.account_id);
            outbox::append(cx, txn, space, "ledger.drift.found", id, &json!({})).await.or_fail(cx)?;
        }
    }
    let told = json!({ "outcomes": report.outcomes });
    Ok(outbox::append(cx, txn, space, "ledger.batch.committed", report.batch, &told).await.or_fail(cx)?)
}
