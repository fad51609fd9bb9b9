//! Undo: takes back what a batch did, as if it had never come.

use std::collections::HashMap;

use kernel::{AccountId, BatchId, Principal};
use ledger_api::{AccountReverted, LedgerError, RevertReport};
use platform::{OrFail, Txn, outbox};
use serde_json::json;
use service_registry::CallContext;
use uuid::Uuid;

use super::LedgerService;
use super::statements::hold;
use crate::store::accounts::{self, AccountRow};
use crate::store::touched::{self, Touched};
use crate::store::{balances, batches, edits, revert};

/// Minor units by account.
type Moved = HashMap<Uuid, i128>;

impl LedgerService {
    pub(super) async fn revert_batch(
        &self,
        cx: &CallContext,
        who: &Principal,
        batch: BatchId,
    ) -> Result<RevertReport, LedgerError> {
        let txn = self.store.begin().await.or_fail(cx)?;
        txn.take_time().await.or_fail(cx)?;
        let found = batches::lock(&*txn, who.space, batch).await.or_fail(cx)?;
        let found = found.ok_or(LedgerError::BatchNotFound(batch))?;
        if let Some(report) = found.revert_report().or_fail(cx)? {
            return Ok(report);
        }
        if found.report.is_none() {
            return Err(LedgerError::BatchNotCommitted(batch));
        }
        if !found.revertible {
            return Err(LedgerError::BatchNotRevertible(batch));
        }
        let report = take_back(cx, who, &txn, batch).await?;
        batches::finish_revert(&*txn, &report, kernel::now()).await.or_fail(cx)?;
        let told = json!({ "removed": report.removed, "kept": report.kept, "restored": report.restored });
        outbox::append(cx, &txn, Some(who.space), "ledger.batch.reverted", batch, &told).await.or_fail(cx)?;
        txn.commit().await.or_fail(cx)?;
        Ok(report)
    }
}

async fn take_back(
    cx: &CallContext,
    who: &Principal,
    txn: &Txn,
    batch: BatchId,
) -> Result<RevertReport, LedgerError> {
    let touched = touched::of_batch(&**txn, batch).await.or_fail(cx)?;
    let rows = hold(cx, who, txn, touched.iter().map(|touched| touched.account_id)).await?;
    // Again: until the accounts were held, another batch that was taken back may have handed things on to this one.
    let touched = touched::of_batch(&**txn, batch).await.or_fail(cx)?;
    // Tellings first: which of them are the batch's is found by what it made and met.
    revert::tellings(&**txn, batch).await.or_fail(cx)?;
    let kept = revert::give_away(&**txn, batch).await.or_fail(cx)?;
    let mut moved = Moved::new();
    add(&mut moved, revert::made(&**txn, batch).await.or_fail(cx)?, -1);
    let edited = edits::of_batch(&**txn, batch).await.or_fail(cx)?;
    let removed = revert::remove(&**txn, batch).await.or_fail(cx)?;
    let restored = take_changes_back(cx, txn, batch, &mut moved).await?;
    let balances = balances::of_batch(&**txn, batch).await.or_fail(cx)?;
    revert::forget(&**txn, batch).await.or_fail(cx)?;
    for day in &balances {
        balances::tell_again(&**txn, day).await.or_fail(cx)?;
    }
    let mut accounts = Vec::with_capacity(rows.len());
    for row in rows {
        let Some(touched) = touched.iter().find(|touched| touched.account_id == row.id) else { continue };
        let by = moved.get(&row.id).copied().unwrap_or_default();
        accounts.push(settle(cx, who, txn, batch, row, touched, by).await?);
    }
    Ok(RevertReport { batch, removed, kept, restored, edited, accounts })
}

fn add(sums: &mut Moved, more: Moved, sign: i128) {
    for (account, minor) in more {
        *sums.entry(account).or_default() += sign * minor;
    }
}

/// Takes back what the batch changed of transactions that stay, the latest change of each first.
async fn take_changes_back(
    cx: &CallContext,
    txn: &Txn,
    batch: BatchId,
    moved: &mut Moved,
) -> Result<u64, LedgerError> {
    revert::give_changes_away(&**txn, batch).await.or_fail(cx)?;
    let mut restored = 0;
    while revert::has_changes(&**txn, batch).await.or_fail(cx)? {
        add(moved, revert::moves(&**txn, batch).await.or_fail(cx)?, 1);
        restored += revert::restore(&**txn, batch).await.or_fail(cx)?;
    }
    Ok(restored)
}

/// Writes the account's balance as it is now, or takes the account away where nothing is in it any more.
async fn settle(
    cx: &CallContext,
    who: &Principal,
    txn: &Txn,
    batch: BatchId,
    mut row: AccountRow,
    touched: &Touched,
    by: i128,
) -> Result<AccountReverted, LedgerError> {
    let id = AccountId(row.id);
    let booked_before = row.booked().or_fail(cx)?;
    let fits = |minor: i128| i64::try_from(minor).map_err(|_| LedgerError::Overflow);
    row.booked_minor = fits(i128::from(row.booked_minor) + by)?;
    if let Some(before) = touched.opening_before {
        let later = touched::opened_later(&**txn, touched, before).await.or_fail(cx)?;
        if !later && !row.opening_given {
            let moved = i128::from(before) - i128::from(row.opening_minor);
            row.booked_minor = fits(i128::from(row.booked_minor) + moved)?;
            row.opening_minor = before;
        }
    }
    // A batch that is left may be said to have opened it, and alone would not have.
    let by_batch = touched.opened || touched::is_opened(&**txn, row.id).await.or_fail(cx)?;
    let removed = by_batch && accounts::remove_empty(&**txn, row.id).await.or_fail(cx)?;
    if removed {
        let space = Some(who.space);
        outbox::append(cx, txn, space, "ledger.account.removed", id, &json!({ "batch": batch }))
            .await
            .or_fail(cx)?;
    } else {
        accounts::update(&**txn, &row).await.or_fail(cx)?;
        if touched.opened {
            touched::hand_opening_on(&**txn, row.id).await.or_fail(cx)?;
        }
        row = super::opening::begin_again(cx, txn, row).await?;
    }
    let booked_after = row.booked().or_fail(cx)?;
    Ok(AccountReverted { account_id: id, name: row.name, removed, booked_before, booked_after })
}
