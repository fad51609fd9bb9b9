//! The statements of a batch and the accounts that they are of.

use std::collections::{BTreeSet, HashMap};

use kernel::{AccountId, BatchId, Currency, Principal};
use ledger_api::{
    AccountRef, BalanceKind, ExternalAccount, LedgerError, RejectedReason, StagedRow, StatedBalance,
};
use platform::{OrFail, Txn};
use service_registry::CallContext;
use uuid::Uuid;

use super::LedgerService;
use crate::store::accounts::{self, AccountRow};
use crate::store::batches;
use crate::store::summary::Tally;

/// One account of a batch and the statements of it.
pub(super) struct BatchAccount {
    /// The account as it was before the batch.
    pub(super) row: AccountRow,
    pub(super) balances: Vec<StatedBalance>,
    /// What its statements begin with, each with the number of the statement.
    pub(super) openings: Vec<(i32, StatedBalance)>,
    pub(super) opened: bool,
    /// It would have been opened, and nothing came into it.
    pub(super) left_out: bool,
    statements: Vec<i32>,
}

impl BatchAccount {
    pub(super) fn has(&self, statement: i32) -> bool {
        self.statements.contains(&statement)
    }

    /// Whether the batch brings anything into it: a row that was taken, or a balance that nothing speaks against.
    fn is_used(&self, tallies: &[Tally]) -> bool {
        let mut rows = tallies.iter().filter(|tally| self.has(tally.statement)).peekable();
        // Where every row is refused the reading failed, and what the file says of currency and balance is doubtful too.
        let states_alone = rows.peek().is_none() && !(self.balances.is_empty() && self.openings.is_empty());
        states_alone || rows.any(|tally| tally.outcome != "rejected")
    }

    fn add(&mut self, statement: i32, stated: Vec<StatedBalance>) {
        self.statements.push(statement);
        for balance in stated {
            match balance.kind {
                BalanceKind::Opening => self.openings.push((statement, balance)),
                _ => self.balances.push(balance),
            }
        }
    }
}

impl LedgerService {
    /// The account of a statement, where it exists; refused where it cannot take the statement.
    pub(super) async fn statement_account(
        &self,
        cx: &CallContext,
        who: &Principal,
        txn: &Txn,
        account: &AccountRef,
    ) -> Result<Option<AccountRow>, LedgerError> {
        let row = match account {
            AccountRef::Id(id) => {
                let row = accounts::find_row(&**txn, who.space, *id).await.or_fail(cx)?;
                Some(row.ok_or(LedgerError::AccountNotFound(*id))?)
            }
            AccountRef::External(external) => find(cx, who, txn, external).await?,
        };
        let Some(row) = row else { return Ok(None) };
        if row.closed {
            return Err(LedgerError::AccountClosed(AccountId(row.id)));
        }
        let expected = row.booked().or_fail(cx)?.currency();
        match account {
            AccountRef::External(external) if external.currency != expected => {
                let (account, found) = (AccountId(row.id), external.currency);
                Err(LedgerError::CurrencyMismatch { account, expected, found })
            }
            _ => Ok(Some(row)),
        }
    }

    /// The accounts of the batch in the order of its statements, opened where they are new and held from here on.
    pub(super) async fn batch_accounts(
        &self,
        cx: &CallContext,
        who: &Principal,
        txn: &Txn,
        batch: BatchId,
    ) -> Result<Vec<BatchAccount>, LedgerError> {
        let mut found: Vec<BatchAccount> = Vec::new();
        for statement in batches::statements(&**txn, batch).await.or_fail(cx)? {
            let known = self.statement_account(cx, who, txn, &statement.account).await?;
            let (row, opened) = match (known, &statement.account) {
                (Some(row), _) => (row, false),
                (None, AccountRef::External(external)) => open(cx, who, txn, external).await?,
                (None, AccountRef::Id(id)) => return Err(LedgerError::AccountNotFound(*id)),
            };
            batches::set_account(&**txn, batch, statement.number, row.id).await.or_fail(cx)?;
            let at = found.iter().position(|account| account.row.id == row.id).unwrap_or_else(|| {
                let (balances, openings, statements) = (Vec::new(), Vec::new(), Vec::new());
                found.push(BatchAccount { row, balances, openings, opened, left_out: false, statements });
                found.len() - 1
            });
            let is_ours = match &statement.account {
                AccountRef::External(external) => external.ours == Some(AccountId(found[at].row.id)),
                AccountRef::Id(_) => false,
            };
            found[at].add(statement.number, if is_ours { Vec::new() } else { statement.balances });
        }
        let rows = hold(cx, who, txn, found.iter().map(|account| account.row.id)).await?;
        for row in rows {
            if let Some(account) = found.iter_mut().find(|account| account.row.id == row.id) {
                account.row = row;
            }
        }
        Ok(found)
    }

    /// Says of each statement which account it is of and holds those; statements of accounts to be opened wait.
    pub(super) async fn find_accounts(
        &self,
        cx: &CallContext,
        who: &Principal,
        txn: &Txn,
        batch: BatchId,
    ) -> Result<(), LedgerError> {
        let mut known = Vec::new();
        for statement in batches::statements(&**txn, batch).await.or_fail(cx)? {
            if let Some(row) = self.statement_account(cx, who, txn, &statement.account).await? {
                batches::set_account(&**txn, batch, statement.number, row.id).await.or_fail(cx)?;
                known.push(row.id);
            }
        }
        hold(cx, who, txn, known).await.map(drop)
    }
}

/// The account that a file is of: the one of ours that it names, or else the one that its bank knows by this key.
async fn find(
    cx: &CallContext,
    who: &Principal,
    txn: &Txn,
    external: &ExternalAccount,
) -> Result<Option<AccountRow>, LedgerError> {
    if let Some(id) = external.ours
        && let Some(row) = accounts::find_row(&**txn, who.space, id).await.or_fail(cx)?
    {
        return Ok(Some(row));
    }
    Ok(accounts::find_by_key(&**txn, who.space, &external.key).await.or_fail(cx)?)
}

/// Opens an account that a bank's file tells of for the first time; another process may have just done so.
async fn open(
    cx: &CallContext,
    who: &Principal,
    txn: &Txn,
    external: &ExternalAccount,
) -> Result<(AccountRow, bool), LedgerError> {
    let row = accounts::row_of(external).or_fail(cx)?;
    if accounts::insert(&**txn, who.space, &row).await.or_fail(cx)? {
        return Ok((row, true));
    }
    let theirs = accounts::find_by_key(&**txn, who.space, &external.key).await.or_fail(cx)?;
    Ok((theirs.ok_or(LedgerError::AccountNotFound(AccountId(row.id)))?, false))
}

/// Takes away the accounts that the batch opened and then brought nothing into.
pub(super) async fn leave_out_unused(
    cx: &CallContext,
    txn: &Txn,
    batch: BatchId,
    found: &mut [BatchAccount],
    tallies: &[Tally],
) -> Result<(), LedgerError> {
    for account in found.iter_mut().filter(|account| account.opened && !account.is_used(tallies)) {
        batches::unset_account(&**txn, batch, account.row.id).await.or_fail(cx)?;
        accounts::remove_empty(&**txn, account.row.id).await.or_fail(cx)?;
        (account.opened, account.left_out) = (false, true);
    }
    Ok(())
}

/// Holds the accounts until the transaction ends, in the order of their ids, so that two batches never wait for
/// each other; and reads them again, because they may have changed until then.
pub(super) async fn hold(
    cx: &CallContext,
    who: &Principal,
    txn: &Txn,
    ids: impl IntoIterator<Item = Uuid>,
) -> Result<Vec<AccountRow>, LedgerError> {
    let ids: BTreeSet<Uuid> = ids.into_iter().collect();
    let mut rows = Vec::with_capacity(ids.len());
    for id in ids {
        let row = accounts::lock(&**txn, who.space, AccountId(id)).await.or_fail(cx)?;
        let row = row.ok_or(LedgerError::AccountNotFound(AccountId(id)))?;
        if row.closed {
            return Err(LedgerError::AccountClosed(AccountId(id)));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The one currency of each statement of a batch.
pub(super) struct Currencies(HashMap<u32, Currency>);

impl Currencies {
    pub(super) async fn of(
        cx: &CallContext,
        who: &Principal,
        txn: &Txn,
        batch: BatchId,
    ) -> Result<Self, LedgerError> {
        let (mut currencies, mut chosen) = (HashMap::new(), HashMap::new());
        for statement in batches::statements(&**txn, batch).await.or_fail(cx)? {
            let currency = match &statement.account {
                AccountRef::External(external) => external.currency,
                AccountRef::Id(id) => match chosen.get(id) {
                    Some(currency) => *currency,
                    None => {
                        let row = accounts::find_row(&**txn, who.space, *id).await.or_fail(cx)?;
                        let row = row.ok_or(LedgerError::AccountNotFound(*id))?;
                        *chosen.entry(*id).or_insert(row.booked().or_fail(cx)?.currency())
                    }
                },
            };
            currencies.insert(statement.number.unsigned_abs(), currency);
        }
        Ok(Self(currencies))
    }

    /// Makes a row in another currency than its statement's a rejected one.
    pub(super) fn refuse_other(&self, staged: &mut StagedRow) {
        let Ok(row) = &staged.row else { return };
        let (code, reason) = match self.0.get(&staged.statement) {
            Some(expected) if *expected == row.amount.currency() => return,
            Some(expected) => (
                "currency_mismatch",
                format!("the row is in {}, the account in {expected}", row.amount.currency()),
            ),
            None => ("unknown_statement", "the row belongs to no statement".to_owned()),
        };
        staged.row = Err(RejectedReason { code: code.to_owned(), reason });
    }
}
