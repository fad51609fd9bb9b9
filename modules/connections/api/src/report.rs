use kernel::{AccountId, BankDate, Money, TransactionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What became, or would become, of the rows of a file: the ledger's own report, as it gave it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct ImportReport {
    /// All rows by outcome.
    pub outcomes: Outcomes,
    /// The same for each account, in the order of the file.
    pub accounts: Vec<AccountReport>,
    /// Rows that were rejected, the first thousand of them.
    pub rejected: Vec<RejectedRow>,
    /// New rows to look at first, the first hundred of them; they are taken like any other.
    #[serde(default)]
    pub suspicious: Vec<SuspiciousRow>,
    /// New rows that may be what a pending transaction has become, which stays; the first hundred of them.
    #[serde(default)]
    pub suggestions: Vec<Suggestion>,
    /// Pending transactions that are gone, because the file covers their day and does not have them.
    #[serde(default)]
    pub pending_removed: u64,
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
    /// Whether the import opens it.
    pub opened: bool,
    /// Its rows by outcome.
    pub outcomes: Outcomes,
    /// Opening plus all transactions, before the import.
    pub booked_before: Money,
    /// The same, after it.
    pub booked_after: Money,
    /// The bank's latest stated balance beside ours.
    pub drift: Option<Drift>,
    /// The balance that a statement begins with beside ours; the first that differs, where there are several.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub opening: Option<Drift>,
}

/// A bank's stated balance beside our own for the same date; a difference is shown, never plugged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Drift {
    /// The end of this day.
    #[schema(value_type = String, format = Date)]
    pub as_of: BankDate,
    /// What the bank says.
    pub stated: Money,
    /// Opening plus the transactions up to that day.
    pub booked: Money,
    /// Stated minus booked; zero where they agree.
    pub difference: Money,
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

/// What it came to when an import was undone: the ledger's own report, as it gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct UndoReport {
    /// Transactions that it had made and that are gone.
    pub removed: u64,
    /// Transactions that it had made and that stay, because another import has them too.
    pub kept: u64,
    /// Changes of transactions that were taken back: tellings, corrections and removals.
    pub restored: u64,
    /// Names, categories and notes that the household had given to what is gone.
    #[serde(default)]
    pub edited: u64,
    /// Its accounts.
    pub accounts: Vec<AccountUndone>,
}

/// What became of an account when an import was undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct AccountUndone {
    /// The account.
    pub account_id: AccountId,
    /// Its name.
    pub name: String,
    /// Whether it is gone, because the import had opened it and nothing else is in it.
    pub removed: bool,
    /// Opening plus all booked transactions, before.
    pub booked_before: Money,
    /// The same, after.
    pub booked_after: Money,
}
