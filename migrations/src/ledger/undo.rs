//! What is needed to take a batch back.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use super::movement_columns;
use crate::shared;

pub(super) struct Undo;

impl MigrationName for Undo {
    fn name(&self) -> &str {
        "m20261120_000005_undo"
    }
}

const ADDED: &[&str] = &[
    "ALTER TABLE batches ADD COLUMN reverted_at TIMESTAMP WITH TIME ZONE",
    // What the reverting came to, for those who ask again.
    "ALTER TABLE batches ADD COLUMN revert_report TEXT",
    // Whether all that it changed was kept; not of batches before this migration.
    "ALTER TABLE batches ADD COLUMN revertible BOOLEAN NOT NULL DEFAULT FALSE",
    // Taking a transaction away, the database looks for its tellings.
    "CREATE INDEX fingerprints_by_transaction ON fingerprints (transaction_id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Undo {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        shared::run(manager, ADDED).await?;
        manager.create_table(prior_values()).await?;
        let chain = ["transaction_id", "version"];
        shared::index(manager, "prior_values_by_transaction", "prior_values", &chain).await?;
        manager.create_table(batch_accounts()).await?;
        shared::index(manager, "batch_accounts_by_account", "batch_accounts", &["account_id", "version"])
            .await?;
        manager.create_table(batch_balances()).await?;
        let day = ["account_id", "kind", "as_of"];
        shared::index(manager, "batch_balances_by_day", "batch_balances", &day).await?;
        let known = "INSERT INTO batch_balances SELECT batch_id, account_id, kind, as_of, amount_minor, FALSE \
                     FROM balance_snapshots";
        manager.get_connection().execute_unprepared(known).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        shared::drop_tables(manager, &["batch_balances", "batch_accounts", "prior_values"]).await?;
        let dropped = [
            "DROP INDEX fingerprints_by_transaction",
            "ALTER TABLE batches DROP COLUMN revertible",
            "ALTER TABLE batches DROP COLUMN revert_report",
            "ALTER TABLE batches DROP COLUMN reverted_at",
        ];
        shared::run(manager, &dropped).await
    }
}

/// What a transaction was before a batch changed it: one line for each change, in the order of `version`.
fn prior_values() -> TableCreateStatement {
    movement_columns(Table::create().table("prior_values"))
        .col(boolean("pending"))
        .col(text_null("details"))
        .col(timestamp_with_time_zone_null("removed_at"))
        .col(uuid("batch_id"))
        .col(uuid("transaction_id"))
        // The account's, when it was changed.
        .col(big_integer("version"))
        // The telling that changed it; null where the batch changed it by not telling it.
        .col(date_null("told_on"))
        .col(big_integer_null("told_fingerprint"))
        .col(string_null("told_id"))
        .primary_key(Index::create().col("batch_id").col("transaction_id").col("version"))
        .to_owned()
}

/// The accounts that a batch touched, and what it did to them.
fn batch_accounts() -> TableCreateStatement {
    Table::create()
        .table("batch_accounts")
        .col(uuid("batch_id"))
        .col(uuid("account_id"))
        .col(big_integer("version"))
        .col(boolean("opened"))
        // What it held at its beginning, where the batch changed that.
        .col(big_integer_null("opening_before"))
        .primary_key(Index::create().col("batch_id").col("account_id"))
        .to_owned()
}

/// Every balance that a batch stated, also those that a later batch told otherwise.
fn batch_balances() -> TableCreateStatement {
    Table::create()
        .table("batch_balances")
        .col(uuid("batch_id"))
        .col(uuid("account_id"))
        .col(string("kind"))
        .col(date("as_of"))
        .col(big_integer("amount_minor"))
        // Whether it is what the next day begins with, which gives way to what a day ends with.
        .col(boolean("begins"))
        .primary_key(Index::create().col("batch_id").col("account_id").col("kind").col("as_of"))
        .to_owned()
}
