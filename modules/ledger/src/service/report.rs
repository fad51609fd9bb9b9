use kernel::{AccountId, BatchId, Principal};
use ledger_api::{AccountReport, IngestReport, LedgerError, Outcomes};
use platform::{OrFail, Txn};
use sea_orm::DbErr;
use service_registry::CallContext;

use super::statements::BatchAccount;
use crate::store::summary::Tally;
use crate::store::{accounts, batches};

/// Rejected rows that a report lists; the rest are counted.
const LISTED: u64 = 1_000;

/// What the batch came to, read from the ledger that it is part of now.
pub(super) async fn report(
    cx: &CallContext,
    who: &Principal,
    txn: &Txn,
    batch: BatchId,
    found: &[BatchAccount],
    tallies: &[Tally],
) -> Result<IngestReport, LedgerError> {
    let mut reports = Vec::with_capacity(found.len());
    for account in found {
        let outcomes = outcomes(tallies.iter().filter(|tally| account.has(tally.statement)));
        if account.left_out {
            reports.push(of_nothing(account, outcomes).or_fail(cx)?);
            continue;
        }
        let id = AccountId(account.row.id);
        let now = accounts::find(&**txn, who.space, id).await.or_fail(cx)?;
        let now = now.ok_or(LedgerError::AccountNotFound(id))?;
        reports.push(AccountReport {
            account_id: Some(id),
            name: now.name,
            number_mask: now.number_mask,
            opened: account.opened,
            outcomes,
            booked_before: account.row.booked().or_fail(cx)?,
            booked_after: now.booked,
            drift: now.drift,
            opening: super::opening::check(cx, txn, batch, account, now.booked.minor()).await?,
        });
    }
    let rejected = batches::faults(&**txn, batch, LISTED).await.or_fail(cx)?;
    Ok(IngestReport {
        batch,
        outcomes: outcomes(tallies.iter()),
        accounts: reports,
        rejected,
        suspicious: Vec::new(),
        suggestions: Vec::new(),
        pending_removed: 0,
    })
}

/// The report of an account that was not opened.
fn of_nothing(account: &BatchAccount, outcomes: Outcomes) -> Result<AccountReport, DbErr> {
    let nothing = account.row.booked()?;
    Ok(AccountReport {
        account_id: None,
        name: account.row.name.clone(),
        number_mask: account.row.number_mask.clone(),
        opened: false,
        outcomes,
        booked_before: nothing,
        booked_after: nothing,
        drift: None,
        opening: None,
    })
}

fn outcomes<'a>(tallies: impl Iterator<Item = &'a Tally>) -> Outcomes {
    let mut outcomes = Outcomes::default();
    for tally in tallies {
        let rows = tally.rows.unsigned_abs();
        outcomes.read += rows;
        match tally.outcome.as_str() {
            "created" => outcomes.created += rows,
            "updated" => outcomes.updated += rows,
            "matched" => outcomes.matched += rows,
            "duplicate" => outcomes.duplicate += rows,
            _ => outcomes.rejected += rows,
        }
    }
    outcomes
}
