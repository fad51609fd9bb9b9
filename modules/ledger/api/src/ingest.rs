use chrono::{DateTime, NaiveDate, Utc};
use kernel::{AccountId, BatchId, Currency, Money, TransactionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{AccountKind, BalanceKind, Details, Drift, TransactionKind, TransactionStatus};

/// Some rows of a batch, to wait until the batch is ingested.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StagePart {
    /// The batch: one delivery, such as one file.
    pub batch: BatchId,
    /// The run that reads the batch, a UUIDv7: part 0 of a later run starts the batch anew, an earlier run is refused.
    pub run: Uuid,
    /// Counts from 0. Part 0 starts the batch anew; a part that comes again replaces itself.
    pub part: u32,
    /// Statements that the rows of this or later parts belong to, and balances of these or earlier ones.
    pub statements: Vec<StatementRef>,
    /// The rows.
    pub rows: Vec<StagedRow>,
}

/// One statement of a batch: which account it is of, and the balances it states.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StatementRef {
    /// Counts from 0 within the batch. The same number again adds its balances.
    pub number: u32,
    /// The account.
    pub account: AccountRef,
    /// Balances that the statement states.
    pub balances: Vec<StatedBalance>,
    /// First day that it tells of, where it says so; else that of its first row.
    #[serde(default)]
    pub starts_on: Option<NaiveDate>,
    /// Last day that it tells of, where it says so; else that of its last row. Of several the earliest counts.
    #[serde(default)]
    pub ends_on: Option<NaiveDate>,
}

impl StatementRef {
    /// A statement that says nothing but whose it is.
    pub fn new(number: u32, account: AccountRef) -> Self {
        Self { number, account, balances: Vec::new(), starts_on: None, ends_on: None }
    }
}

/// How a statement names its account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum AccountRef {
    /// An account of ours.
    Id(AccountId),
    /// An account at a bank: found by its key, opened where there is none.
    External(ExternalAccount),
}

/// An account as a bank's file describes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ExternalAccount {
    /// The account of ours that the file says it is of, as our own exports do. Where the household has it, the rows
    /// are for it, and balances that the file states count for nothing: it was us who wrote them.
    #[serde(default)]
    pub ours: Option<AccountId>,
    /// Keyed hash of bank, number and kind; the number itself stays with the caller.
    pub key: String,
    /// The bank's own id.
    pub bank_id: Option<String>,
    /// The last digits of the number behind dots.
    pub number_mask: Option<String>,
    /// What kind it is.
    pub kind: AccountKind,
    /// Its currency.
    pub currency: Currency,
    /// What to call it when it is opened.
    pub name: String,
}

/// A balance that a statement states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatedBalance {
    /// What it means.
    pub kind: BalanceKind,
    /// The end of this day.
    pub as_of: NaiveDate,
    /// What the bank says.
    pub amount: Money,
}

/// A row of a statement.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StagedRow {
    /// The statement that it stands in.
    pub statement: u32,
    /// Its line in the file, counting from 1.
    pub line: u32,
    /// What stands there.
    pub row: Result<Row, RejectedReason>,
}

/// A stable code and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct RejectedReason {
    /// Stable word for programs.
    pub code: String,
    /// What is wrong, for people.
    pub reason: String,
}

/// A movement as a bank's file tells it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Row {
    /// The date of booking as the bank wrote it.
    pub posted_on: NaiveDate,
    /// The date on which it happened.
    pub occurred_on: Option<NaiveDate>,
    /// The moment of booking.
    pub posted_at: Option<DateTime<Utc>>,
    /// Positive is into the account.
    pub amount: Money,
    /// In the currency that it happened in.
    pub original: Option<Money>,
    /// What the bank calls it.
    pub kind: TransactionKind,
    /// The other side, or what the bank prints first.
    pub name: String,
    /// What the bank prints besides.
    pub memo: Option<String>,
    /// Check or other reference number.
    pub check_number: Option<String>,
    /// The bank's id for it.
    pub external_id: Option<String>,
    /// The earlier row that this one corrects.
    pub corrects: Option<Correction>,
    /// Whether the bank has booked it.
    pub status: TransactionStatus,
    /// What few rows have.
    pub details: Details,
}

impl Row {
    /// A booked row that tells nothing but when, how much and by what name.
    pub fn new(posted_on: NaiveDate, amount: Money, name: impl Into<String>) -> Self {
        Self {
            posted_on,
            occurred_on: None,
            posted_at: None,
            amount,
            original: None,
            kind: TransactionKind::Other,
            name: name.into(),
            memo: None,
            check_number: None,
            external_id: None,
            corrects: None,
            status: TransactionStatus::Booked,
            details: Details::default(),
        }
    }
}

/// A correction of an earlier row: OFX 2.3 §11.4.4.1 `CORRECTFITID`, `CORRECTACTION`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Correction {
    /// The bank's id of the earlier row.
    pub external_id: String,
    /// What to do with it.
    pub action: CorrectionAction,
}

/// What a correction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum CorrectionAction {
    /// This row stands in its place.
    Replace,
    /// It never happened.
    Delete,
}

/// What became, or would become, of a batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct IngestReport {
    /// The batch.
    pub batch: BatchId,
    /// All rows by outcome.
    pub outcomes: Outcomes,
    /// The same for each account, in the order of the statements.
    pub accounts: Vec<AccountReport>,
    /// Rows that were rejected, the first thousand of them.
    pub rejected: Vec<RejectedRow>,
    /// New rows to look at first, the first hundred of them; they are taken like any other.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub suspicious: Vec<SuspiciousRow>,
    /// New rows that may be what a pending transaction has become, which stays; the first hundred of them.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub suggestions: Vec<Suggestion>,
    /// Pending transactions that are gone, because the batch covers their day and does not have them.
    #[serde(default)]
    pub pending_removed: u64,
}

/// A new row that looks like a pending transaction but is no proof: the amount differs, or several fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Suggestion {
    /// The line of the new row in the file, counting from 1.
    pub line: u32,
    /// What it books.
    pub amount: Money,
    /// The pending transaction.
    pub transaction_id: TransactionId,
    /// What was expected.
    pub pending: Money,
}

/// How many rows ended how. Every row read ends as exactly one of the five.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Outcomes {
    /// Rows read; the sum of the five.
    pub read: u64,
    /// New transactions.
    pub created: u64,
    /// Known transactions that the bank tells differently now.
    pub updated: u64,
    /// Known transactions that came under another id of the bank.
    pub matched: u64,
    /// Known transactions, unchanged.
    pub duplicate: u64,
    /// Rows that could not be taken, each with its reason.
    pub rejected: u64,
}

/// What became of the rows of one account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct AccountReport {
    /// The account; absent in a preview that would open it, and where nothing came into it and it was not opened.
    pub account_id: Option<AccountId>,
    /// Its name.
    pub name: String,
    /// The last digits of its number behind dots.
    pub number_mask: Option<String>,
    /// Whether the batch opens it.
    pub opened: bool,
    /// Its rows by outcome.
    pub outcomes: Outcomes,
    /// Opening plus all transactions, before the batch.
    pub booked_before: Money,
    /// The same, after it.
    pub booked_after: Money,
    /// The bank's latest stated balance beside ours.
    pub drift: Option<Drift>,
    /// The balance that a statement begins with beside ours; the first that differs, where there are several.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub opening: Option<Drift>,
}

/// A row that could not be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct RejectedRow {
    /// Its line in the file, counting from 1.
    pub line: u32,
    /// Stable word for programs.
    pub code: String,
    /// What is wrong, for people.
    pub reason: String,
}

/// A new row that may be misread, or be in the ledger already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct SuspiciousRow {
    /// Its line in the file, counting from 1.
    pub line: u32,
    /// Stable word for programs: `date_ahead`, `date_outside_statement`, `repeated` or `known_alike`.
    pub code: String,
    /// What is odd about it, for people.
    pub reason: String,
}
