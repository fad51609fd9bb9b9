use chrono::{DateTime, NaiveDate, Utc};
use kernel::{AccountId, Currency, DateRange, Money, TransactionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Details, TransactionStatus};

/// What kind of account it is. The first ten are those of OFX (`ACCTTYPE` and the message sets).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum AccountKind {
    Checking,
    Savings,
    MoneyMarket,
    CreditLine,
    CertificateOfDeposit,
    CreditCard,
    Investment,
    Loan,
    Cash,
    Other,
}

/// An account of the household. Liabilities hold negative balances.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// What the household calls it.
    pub name: String,
    /// What kind it is.
    pub kind: AccountKind,
    /// The one currency of all its transactions.
    pub currency: Currency,
    /// The bank's own id (routing number, BLZ, BIC), where the file said it.
    pub bank_id: Option<String>,
    /// The last digits of the number behind dots; the whole number is never kept.
    #[schema(example = "••••6789")]
    pub number_mask: Option<String>,
    /// A closed account takes no new transactions.
    pub closed: bool,
    /// What it held before its first transaction.
    pub opening: Money,
    /// Opening plus all booked transactions.
    pub booked: Money,
    /// The sum of those that the bank only expects; it is not in `booked`.
    pub pending: Money,
    /// The latest balance that the bank stated, and what we make of it.
    pub drift: Option<Drift>,
    /// When it was opened here.
    pub created_at: DateTime<Utc>,
}

/// A bank's stated balance beside our own for the same date.
///
/// The stated one comes from the bank, never from a running sum; a difference is shown, never plugged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Drift {
    /// The end of this day.
    pub as_of: NaiveDate,
    /// What the bank says.
    pub stated: Money,
    /// Opening plus the transactions up to that day.
    pub booked: Money,
    /// Stated minus booked; zero where they agree.
    pub difference: Money,
}

/// An account to be opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    /// What the household calls it, 1 to 100 characters.
    pub name: String,
    /// What kind it is.
    pub kind: AccountKind,
    /// The one currency of all its transactions.
    pub currency: Currency,
    /// What it held before its first transaction, as a plain decimal; zero where absent.
    #[schema(example = "100.00")]
    pub opening: Option<String>,
}

/// What to change of an account; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountPatch {
    /// A new name, 1 to 100 characters.
    pub name: Option<String>,
    /// Closes or reopens it.
    pub closed: Option<bool>,
    /// What it held before its first transaction, as a plain decimal.
    #[schema(example = "100.00")]
    pub opening: Option<String>,
}

/// What the bank calls the movement: OFX 2.3 §11.4.4.3 `TRNTYPE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are those of the standard")]
pub enum TransactionKind {
    Credit,
    Debit,
    Interest,
    Dividend,
    Fee,
    ServiceCharge,
    Deposit,
    Atm,
    PointOfSale,
    Transfer,
    Check,
    Payment,
    Cash,
    DirectDeposit,
    DirectDebit,
    RepeatPayment,
    Hold,
    Other,
}

/// One movement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Transaction {
    /// Its id.
    pub id: TransactionId,
    /// The account that it moved.
    pub account_id: AccountId,
    /// The date of booking as the bank wrote it.
    pub posted_on: NaiveDate,
    /// The date on which it happened, where the bank said so.
    pub occurred_on: Option<NaiveDate>,
    /// The moment of booking, where the bank gave one with its zone.
    pub posted_at: Option<DateTime<Utc>>,
    /// Positive is into the account.
    pub amount: Money,
    /// What it was in the currency it happened in, where that is another.
    pub original: Option<Money>,
    /// What the bank calls it.
    pub kind: TransactionKind,
    /// What the household calls it, or else the other side as the bank prints it.
    pub name: String,
    /// What the bank prints, where the household calls it otherwise.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bank_name: Option<String>,
    /// What the household filed it under, or else what its file names.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub category: Option<String>,
    /// What the household wrote beside it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub note: Option<String>,
    /// What the bank prints besides.
    pub memo: Option<String>,
    /// Check or other reference number.
    pub check_number: Option<String>,
    /// The bank's id for it (OFX `FITID`). Banks break its uniqueness, so it is a hint, never a key.
    pub external_id: Option<String>,
    /// Whether the bank has booked it; what is pending counts in no booked balance.
    pub status: TransactionStatus,
    /// What only some formats tell; absent where there is nothing.
    #[serde(skip_serializing_if = "Details::is_empty", default)]
    pub details: Details,
}

/// What the household says of a transaction; what is absent stays, and an empty text takes back what was said.
///
/// The bank's own word is kept beside and comes back when the household's goes; no import changes the household's.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TransactionPatch {
    /// What to call it, up to 200 printable characters.
    pub name: Option<String>,
    /// What to file it under, up to 100 printable characters.
    pub category: Option<String>,
    /// Anything, up to 2,000 characters.
    pub note: Option<String>,
}

/// Which transactions are wanted; all conditions hold together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TransactionFilter {
    /// In this account alone.
    pub account_id: Option<AccountId>,
    /// Booked on or after.
    pub from: Option<NaiveDate>,
    /// Booked on or before.
    pub to: Option<NaiveDate>,
    /// In name, memo or note, in either case.
    pub text: Option<String>,
    /// At least this amount; plain decimal, compared in each account's own currency.
    pub min_amount: Option<String>,
    /// At most this amount.
    pub max_amount: Option<String>,
    /// Of this kind.
    pub kind: Option<TransactionKind>,
}

/// What a stated balance means. OFX 2.3 §11.4.2.2: `LEDGERBAL`, `AVAILBAL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BalanceKind {
    /// All booked.
    Ledger,
    /// All booked before the first row of the statement that states it. It is kept as `ledger` of the day before.
    Opening,
    /// What may be spent now.
    Available,
}

/// A balance as the bank stated it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct BalanceSnapshot {
    /// The account.
    pub account_id: AccountId,
    /// What it means.
    pub kind: BalanceKind,
    /// The end of this day.
    pub as_of: NaiveDate,
    /// What the bank says.
    pub amount: Money,
}

/// Which stated balances are wanted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BalanceFilter {
    /// Of this account alone.
    pub account_id: Option<AccountId>,
    /// As of these dates.
    pub from: Option<NaiveDate>,
    /// As of this date or before.
    pub to: Option<NaiveDate>,
}

impl TransactionFilter {
    /// The dates asked for, refused where they run backwards.
    pub fn dates(&self) -> Result<DateRange, kernel::InvalidRange> {
        DateRange::new(self.from, self.to)
    }
}

impl BalanceFilter {
    /// The dates asked for, refused where they run backwards.
    pub fn dates(&self) -> Result<DateRange, kernel::InvalidRange> {
        DateRange::new(self.from, self.to)
    }
}

/// One thing that changed in the household: thin, it says where to look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Change {
    /// Its place in the feed; later is larger, in the order of commit.
    pub seq: i64,
    /// What happened, such as `ledger.batch.committed`.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it happened to.
    pub subject: String,
    /// The few facts that go with it.
    #[schema(value_type = Object)]
    pub data: serde_json::Value,
    /// When.
    pub at: DateTime<Utc>,
}

/// A stretch of the change feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct ChangePage {
    /// The changes, oldest first.
    pub data: Vec<Change>,
    /// Ask again with this.
    pub next_seq: i64,
}
