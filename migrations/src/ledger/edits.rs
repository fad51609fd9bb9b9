//! What the household says of a transaction, and what is only expected.

use sea_orm_migration::prelude::*;

use crate::shared;

pub(super) struct Edits;

impl MigrationName for Edits {
    fn name(&self) -> &str {
        "m20261120_000006_edits"
    }
}

const UP: &[&str] = &[
    // Beside what the bank says and never in its place, so that neither overwrites the other.
    "ALTER TABLE transactions ADD COLUMN note TEXT",
    "ALTER TABLE transactions ADD COLUMN given_name TEXT",
    "ALTER TABLE transactions ADD COLUMN given_category TEXT",
    // Name and note of the household in lower case.
    "ALTER TABLE transactions ADD COLUMN given_search TEXT",
    // Also those that were removed: the bank may book one after all.
    "DROP INDEX transactions_pending",
    "CREATE INDEX transactions_pending ON transactions (account_id, posted_on) WHERE pending",
];

const DOWN: &[&str] = &[
    "DROP INDEX transactions_pending",
    "CREATE INDEX transactions_pending ON transactions (account_id, posted_on) WHERE pending AND removed_at IS NULL",
    "ALTER TABLE transactions DROP COLUMN given_search",
    "ALTER TABLE transactions DROP COLUMN given_category",
    "ALTER TABLE transactions DROP COLUMN given_name",
    "ALTER TABLE transactions DROP COLUMN note",
];

#[async_trait::async_trait]
impl MigrationTrait for Edits {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        shared::run(manager, UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        shared::run(manager, DOWN).await
    }
}
