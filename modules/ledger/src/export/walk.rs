//! Leads a writer through the accounts: rows by day, page by page, and the stated balances between them.

use std::collections::VecDeque;

use chrono::NaiveDate;
use kernel::{AccountId, DateRange};
use ledger_api::{Account, BalanceKind, BalanceSnapshot, TransactionStatus};
use sea_orm::ConnectionTrait;

use super::body::{BrokenOff, Chunks};
use super::sheet::{Balances, Entry, Sheet, Stated, Writer};
use crate::store::exports;

/// Writes `accounts` to the end, or to where it breaks off.
pub(super) async fn walk(
    db: &impl ConnectionTrait,
    mut accounts: Vec<Account>,
    dates: DateRange,
    mut writer: Box<dyn Writer>,
    chunks: &Chunks,
) -> Result<(), BrokenOff> {
    let mut out = String::new();
    writer.arrange(&mut accounts);
    writer.begin(&mut out, &accounts);
    for account in accounts {
        let sheet = exports::sheet(db, account, dates).await?;
        writer.begin_account(&mut out, &sheet);
        Walk { db, dates, sheet: &sheet, writer: &mut *writer, chunks }.account(&mut out).await?;
        writer.end_account(&mut out, &sheet);
        chunks.send_if_full(&mut out).await?;
    }
    writer.end(&mut out);
    chunks.send(&mut out).await
}

/// The way through one account.
struct Walk<'a, Db> {
    db: &'a Db,
    dates: DateRange,
    sheet: &'a Sheet,
    writer: &'a mut dyn Writer,
    chunks: &'a Chunks,
}

impl<Db: ConnectionTrait> Walk<'_, Db> {
    async fn account(mut self, out: &mut String) -> Result<(), BrokenOff> {
        let balances = self.writer.balances();
        let kind = (balances == Balances::AmongRows).then_some(BalanceKind::Ledger);
        let mut stated = Snapshots::new(self.db, self.sheet.account.id, self.dates, kind);
        let (mut booked, mut after) = (self.sheet.held, None);
        let with_pending = self.writer.takes_pending();
        loop {
            let page = exports::rows(self.db, self.sheet.account.id, self.dates, with_pending, after).await?;
            for (transaction, own_external_id) in page.entries() {
                if balances == Balances::AmongRows {
                    self.state(out, &mut stated, Some(transaction.posted_on), booked).await?;
                }
                if transaction.status == TransactionStatus::Booked {
                    booked += i128::from(transaction.amount.minor());
                }
                self.writer.row(out, self.sheet, Entry { transaction, own_external_id });
                self.chunks.send_if_full(out).await?;
            }
            after = page.next();
            if after.is_none() {
                break;
            }
        }
        match balances {
            Balances::Nowhere => Ok(()),
            Balances::AmongRows => self.state(out, &mut stated, None, booked).await,
            Balances::AfterRows => self.list(out, &mut stated).await,
        }
    }

    /// Writes the balances of the days before `day`, or all that are left.
    async fn state(
        &mut self,
        out: &mut String,
        stated: &mut Snapshots<'_, Db>,
        day: Option<NaiveDate>,
        booked: i128,
    ) -> Result<(), BrokenOff> {
        while let Some(BalanceSnapshot { as_of, amount, .. }) = stated.next_before(day).await? {
            self.writer.stated(out, self.sheet, &Stated { as_of, amount, booked });
            self.chunks.send_if_full(out).await?;
        }
        Ok(())
    }

    async fn list(&mut self, out: &mut String, stated: &mut Snapshots<'_, Db>) -> Result<(), BrokenOff> {
        while let Some(snapshot) = stated.next_before(None).await? {
            self.writer.snapshot(out, &snapshot);
            self.chunks.send_if_full(out).await?;
        }
        Ok(())
    }
}

/// The balances that the bank stated of one account, by day, fetched as they are needed.
struct Snapshots<'a, Db> {
    db: &'a Db,
    account: AccountId,
    dates: DateRange,
    kind: Option<BalanceKind>,
    page: VecDeque<BalanceSnapshot>,
    /// Where the next page begins; none where there is none.
    position: Option<exports::After>,
}

impl<'a, Db: ConnectionTrait> Snapshots<'a, Db> {
    fn new(db: &'a Db, account: AccountId, dates: DateRange, kind: Option<BalanceKind>) -> Self {
        Self { db, account, dates, kind, page: VecDeque::new(), position: Some(exports::After::default()) }
    }

    /// The next one, provided that it is of a day before `day`.
    async fn next_before(&mut self, day: Option<NaiveDate>) -> Result<Option<BalanceSnapshot>, BrokenOff> {
        if let (true, Some(after)) = (self.page.is_empty(), self.position.take()) {
            let page = exports::snapshots(self.db, self.account, self.dates, self.kind, &after).await?;
            self.position = page.next;
            self.page = page.snapshots.into();
        }
        let is_due = |snapshot: &BalanceSnapshot| day.is_none_or(|day| snapshot.as_of < day);
        Ok(if self.page.front().is_some_and(is_due) { self.page.pop_front() } else { None })
    }
}
