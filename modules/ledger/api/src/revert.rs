use kernel::{AccountId, BatchId, Money};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What it came to when a batch was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct RevertReport {
    /// The batch.
    pub batch: BatchId,
    /// Transactions that it had made and that are gone.
    pub removed: u64,
    /// Transactions that it had made and that stay, because another batch has them too.
    pub kept: u64,
    /// Changes of transactions that were taken back: tellings, corrections and removals.
    pub restored: u64,
    /// Names, categories and notes that the household had given to what is gone.
    #[serde(default)]
    pub edited: u64,
    /// Its accounts.
    pub accounts: Vec<AccountReverted>,
}

/// What became of an account when a batch was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct AccountReverted {
    /// The account.
    pub account_id: AccountId,
    /// Its name.
    pub name: String,
    /// Whether it is gone, because the batch had opened it and nothing else is in it.
    pub removed: bool,
    /// Opening plus all booked transactions, before.
    pub booked_before: Money,
    /// The same, after.
    pub booked_after: Money,
}
