//! What a writer is told, and what a writer is.

use chrono::NaiveDate;
use kernel::Money;
use ledger_api::{Account, BalanceSnapshot, Transaction};

/// One account in a file, and what is known of it before its rows come.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    pub(crate) account: Account,
    /// What it held before the first row that is written, in minor units.
    pub(crate) held: i128,
    /// The first and the last day of the booked rows that will come.
    pub(crate) days: Option<(NaiveDate, NaiveDate)>,
    /// The first day that the bank states a balance of, among those that will come.
    pub(crate) stated_from: Option<NaiveDate>,
}

/// One row of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'a> {
    pub(super) transaction: &'a Transaction,
    /// The bank's id, where it gave no other transaction of the account the same one.
    pub(super) own_external_id: Option<&'a str>,
}

/// A balance that the bank stated, beside ours for the end of the same day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stated {
    pub(super) as_of: NaiveDate,
    pub(super) amount: Money,
    pub(super) booked: i128,
}

impl Stated {
    pub(super) fn holds(&self) -> bool {
        i128::from(self.amount.minor()) == self.booked
    }
}

/// Where a format has the balances that banks stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Balances {
    /// Nowhere.
    Nowhere,
    /// The booked ones among the rows, each behind the last row of its day.
    AmongRows,
    /// All of them behind the rows of their account.
    AfterRows,
}

/// One format. Accounts come one after the other, and the rows of each by day.
pub(super) trait Writer: Send {
    fn balances(&self) -> Balances {
        Balances::Nowhere
    }

    /// Whether the format can say of a row that it is pending; else such rows are left out.
    fn takes_pending(&self) -> bool {
        false
    }

    /// Puts the accounts in the order that the format wants them in.
    fn arrange(&self, _accounts: &mut [Account]) {}

    /// Before everything: which accounts will come.
    fn begin(&mut self, _out: &mut String, _accounts: &[Account]) {}

    /// An account begins.
    fn begin_account(&mut self, _out: &mut String, _sheet: &Sheet) {}

    /// A row of the account.
    fn row(&mut self, out: &mut String, sheet: &Sheet, entry: Entry<'_>);

    /// A balance, where they come among the rows.
    fn stated(&mut self, _out: &mut String, _sheet: &Sheet, _stated: &Stated) {}

    /// A balance, where they come after the rows.
    fn snapshot(&mut self, _out: &mut String, _snapshot: &BalanceSnapshot) {}

    /// The account is over.
    fn end_account(&mut self, _out: &mut String, _sheet: &Sheet) {}

    /// Everything is over.
    fn end(&mut self, _out: &mut String) {}
}
