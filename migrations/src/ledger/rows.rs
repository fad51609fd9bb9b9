//! What few rows have, and what became of each row of a batch.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::shared;

pub(super) struct Rows;

impl MigrationName for Rows {
    fn name(&self) -> &str {
        "m20261120_000004_rows"
    }
}

/// Each a statement of its own, because SQLite adds one column at a time.
const ADDED: &[&str] = &[
    "ALTER TABLE transactions ADD COLUMN pending BOOLEAN NOT NULL DEFAULT FALSE",
    // What only some formats tell, as JSON; null where there is nothing, which is nearly always.
    "ALTER TABLE transactions ADD COLUMN details TEXT",
    // Where in its batch the row stood that made the transaction: part and position in one number.
    "ALTER TABLE transactions ADD COLUMN place BIGINT",
    "ALTER TABLE transactions ADD COLUMN line INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE staged_rows ADD COLUMN pending BOOLEAN NOT NULL DEFAULT FALSE",
    "ALTER TABLE staged_rows ADD COLUMN details TEXT",
    // Counts the changes by batches, so that what a preview found is known to be of yesterday.
    "ALTER TABLE accounts ADD COLUMN version BIGINT NOT NULL DEFAULT 0",
    // Whether somebody of the household stated the opening balance: a statement then compares, and changes nothing.
    "ALTER TABLE accounts ADD COLUMN opening_given BOOLEAN NOT NULL DEFAULT FALSE",
    "UPDATE accounts SET opening_given = TRUE WHERE opening_minor <> 0",
    // The account that a statement would open, where there is none yet.
    "ALTER TABLE staged_statements ADD COLUMN account_name TEXT",
    "ALTER TABLE staged_statements ADD COLUMN account_currency TEXT",
    // The accounts and their versions that the outcomes of the waiting rows were found with.
    "ALTER TABLE batches ADD COLUMN previewed TEXT",
    // Rows of earlier batches have no line, but an order.
    "UPDATE transactions SET place = numbered.place FROM \
     (SELECT id, row_number() OVER (PARTITION BY batch_id ORDER BY id) AS place FROM transactions) AS numbered \
     WHERE numbered.id = transactions.id",
    "CREATE INDEX transactions_by_batch ON transactions (batch_id, place)",
    // Expected movements are few and go soon; sums of them read nothing else.
    "CREATE INDEX transactions_pending ON transactions (account_id, posted_on) WHERE pending AND removed_at IS NULL",
];

#[async_trait::async_trait]
impl MigrationTrait for Rows {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        shared::run(manager, ADDED).await?;
        // The rows of a committed batch that made no transaction: those that met one, and those that were rejected.
        // What made one stands in `transactions`, so that a first import writes nothing twice.
        let rows = Table::create()
            .table("batch_rows")
            .col(uuid("batch_id"))
            .col(big_integer("place"))
            .col(integer("line"))
            .col(string("outcome"))
            .col(uuid_null("account_id"))
            .col(uuid_null("transaction_id"))
            .col(date_null("posted_on"))
            .col(big_integer_null("amount_minor"))
            .col(string_len_null("currency", 3))
            .col(string_null("name"))
            .col(big_integer_null("fingerprint"))
            .col(string_null("external_id"))
            .col(string_null("code"))
            .col(text_null("reason"))
            .primary_key(Index::create().col("batch_id").col("place"))
            .foreign_key(ForeignKey::create().from("batch_rows", "batch_id").to("batches", "id"))
            .check(Expr::cust("outcome in ('updated', 'matched', 'duplicate', 'rejected')"))
            .check(Expr::cust("(outcome = 'rejected') = (code is not null)"))
            .check(Expr::cust("outcome = 'rejected' or transaction_id is not null"))
            .to_owned();
        manager.create_table(rows).await?;
        // Who else has met a transaction: asked when a batch is taken back.
        let met = "CREATE INDEX batch_rows_by_transaction ON batch_rows (transaction_id) WHERE transaction_id IS NOT NULL";
        manager.get_connection().execute_unprepared(met).await.map(drop)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        shared::drop_tables(manager, &["batch_rows"]).await?;
        let dropped = [
            "DROP INDEX transactions_by_batch",
            "DROP INDEX transactions_pending",
            "ALTER TABLE batches DROP COLUMN previewed",
            "ALTER TABLE staged_statements DROP COLUMN account_currency",
            "ALTER TABLE staged_statements DROP COLUMN account_name",
            "ALTER TABLE accounts DROP COLUMN opening_given",
            "ALTER TABLE accounts DROP COLUMN version",
            "ALTER TABLE staged_rows DROP COLUMN details",
            "ALTER TABLE staged_rows DROP COLUMN pending",
            "ALTER TABLE transactions DROP COLUMN line",
            "ALTER TABLE transactions DROP COLUMN place",
            "ALTER TABLE transactions DROP COLUMN details",
            "ALTER TABLE transactions DROP COLUMN pending",
        ];
        shared::run(manager, &dropped).await
    }
}
