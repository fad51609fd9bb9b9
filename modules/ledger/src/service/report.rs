use kernel::{AccountId, BatchId, Principal};
use ledger_api::{AccountReport, IngestReport, LedgerError, Outcomes};
use platform::{OrFail, Txn};
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
        let id = AccountId(account.row.id);
        let now = accounts::find(&**txn, who.space, id).await.or_fail(cx)?;
        let now = now.ok_or(LedgerError::AccountNotFound(id))?;
        reports.push(AccountReport {
            account_id: Some(id),
            name: now.name,
            number_mask: now.number_mask,
            opened: account.opened,
            outcomes: outcomes(tallies.iter().filter(|tally| account.has(tally.statement))),
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
