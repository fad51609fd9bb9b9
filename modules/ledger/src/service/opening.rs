//! What a statement begins with: the opening balance of an account that has nothing before it, or else a check.

use chrono::NaiveDate;
use kernel::{AccountId, BatchId, Principal};
use ledger_api::{BalanceKind, Drift, LedgerError, StatedBalance};
use platform::{OrFail, Txn};
use service_registry::CallContext;

use super::statements::BatchAccount;
use crate::store::accounts::{self, AccountRow};
use crate::store::{balances, touched};

/// Takes what the statements of an account begin with, earliest first.
///
/// Each is kept as the ledger balance of the day before, unless a statement that ends there has told it. The first
/// one also sets what the account held at its beginning, where nothing but this batch is booked before it and
/// nobody of the household has stated that; so the difference to the bank is nothing where the rows are complete.
pub(super) async fn begin(
    cx: &CallContext,
    who: &Principal,
    txn: &Txn,
    batch: BatchId,
    account: &BatchAccount,
) -> Result<(), LedgerError> {
    let stated = dated(cx, txn, batch, account).await?;
    for balance in &stated {
        balances::insert(&**txn, who.space, account.row.id, batch, balance).await.or_fail(cx)?;
    }
    let Some(first) = stated.first() else { return Ok(()) };
    let id = AccountId(account.row.id);
    let row = accounts::lock(&**txn, who.space, id).await.or_fail(cx)?;
    set(cx, txn, row.ok_or(LedgerError::AccountNotFound(id))?, batch, first).await.map(drop)
}

/// Begins anew with what is left, where the batch was taken back that the account began with.
pub(super) async fn begin_again(
    cx: &CallContext,
    txn: &Txn,
    row: AccountRow,
) -> Result<AccountRow, LedgerError> {
    if touched::tells_opening(&**txn, row.id).await.or_fail(cx)? {
        return Ok(row);
    }
    match balances::first_opening(&**txn, row.id).await.or_fail(cx)? {
        Some((batch, first)) => set(cx, txn, row, batch, &first).await,
        None => Ok(row),
    }
}

/// Sets what the account held at its beginning, unless more is booked before that, or somebody has stated it.
async fn set(
    cx: &CallContext,
    txn: &Txn,
    mut row: AccountRow,
    batch: BatchId,
    first: &StatedBalance,
) -> Result<AccountRow, LedgerError> {
    if row.opening_given || balances::booked_before(&**txn, row.id, batch, first.as_of).await.or_fail(cx)? {
        return Ok(row);
    }
    let later = balances::booked_after(&**txn, row.id, first.as_of).await.or_fail(cx)?;
    // Opening plus all that is booked up to that day is what the bank says.
    let moved = i128::from(first.amount.minor()) - (i128::from(row.booked_minor) - later);
    if moved == 0 {
        return Ok(row);
    }
    touched::opened_with(&**txn, batch, row.id, row.opening_minor).await.or_fail(cx)?;
    let add = |minor: i64| i64::try_from(i128::from(minor) + moved).map_err(|_| LedgerError::Overflow);
    row.opening_minor = add(row.opening_minor)?;
    row.booked_minor = add(row.booked_minor)?;
    accounts::update(&**txn, &row).await.or_fail(cx)?;
    Ok(row)
}

/// The balance that a statement begins with beside ours: the first that differs, or else the first.
pub(super) async fn check(
    cx: &CallContext,
    txn: &Txn,
    batch: BatchId,
    account: &BatchAccount,
    booked_minor: i64,
) -> Result<Option<Drift>, LedgerError> {
    let mut first = None;
    for balance in dated(cx, txn, batch, account).await? {
        let later = balances::booked_after(&**txn, account.row.id, balance.as_of).await.or_fail(cx)?;
        let booked = i128::from(booked_minor) - later;
        let drift = accounts::drift(balance.as_of, balance.amount, booked).or_fail(cx)?;
        if drift.difference.minor() != 0 {
            return Ok(Some(drift));
        }
        first = first.or(Some(drift));
    }
    Ok(first)
}

/// The opening balances as ledger balances of the end of a day, earliest first.
///
/// Banks date them with the day before the first row or with the day of it; the first row decides.
async fn dated(
    cx: &CallContext,
    txn: &Txn,
    batch: BatchId,
    account: &BatchAccount,
) -> Result<Vec<StatedBalance>, LedgerError> {
    let mut dated = Vec::with_capacity(account.openings.len());
    for (statement, balance) in &account.openings {
        let first = balances::first_row(&**txn, batch, *statement).await.or_fail(cx)?;
        let day_before = first.and_then(|day| NaiveDate::pred_opt(&day));
        let as_of = day_before.map_or(balance.as_of, |day| day.min(balance.as_of));
        dated.push(StatedBalance { kind: BalanceKind::Ledger, as_of, amount: balance.amount });
    }
    // Stable, so that of two statements of one day the one that stands first in the file is the earlier one.
    dated.sort_by_key(|balance| balance.as_of);
    Ok(dated)
}
