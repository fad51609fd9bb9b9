use chrono::NaiveDate;
use kernel::{AccountId, Money, TransactionId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How a row of a batch ended, or would end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowOutcome {
    /// It is a new transaction.
    Created,
    /// It is a known transaction that the bank tells differently now.
    Updated,
    /// It is a known transaction that came under another id of the bank.
    Matched,
    /// It is a known transaction, unchanged.
    Duplicate,
    /// It could not be taken.
    Rejected,
}

/// Which rows of a batch are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RowFilter {
    /// Those that ended so; all where absent.
    pub outcome: Option<RowOutcome>,
}

/// One row of a batch and what became, or would become, of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct RowReport {
    /// Its line in the file, counting from 1; zero where an earlier version of the program took it in.
    pub line: u32,
    /// How it ended.
    pub outcome: RowOutcome,
    /// Stable word for programs, where it was rejected.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// What is wrong, for people, where it was rejected.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The transaction that it made or met; absent where it was rejected, and where it is yet to be made.
    pub transaction_id: Option<TransactionId>,
    /// The account of its statement; absent where that is yet to be opened.
    pub account_id: Option<AccountId>,
    /// What the account is called, or will be called.
    pub account: Option<String>,
    /// The date of booking; absent where the row could not be read.
    pub posted_on: Option<NaiveDate>,
    /// Positive is into the account; absent where the row could not be read.
    pub amount: Option<Money>,
    /// What the bank prints first; of a row that made a transaction, what that is called now.
    pub name: Option<String>,
}
