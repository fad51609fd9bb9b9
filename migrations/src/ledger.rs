mod checks;
mod edits;
mod periods;
mod rows;
mod undo;

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::shared;

pub(crate) fn list() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(Accounts),
        Box::new(Transactions),
        Box::new(Batches),
        Box::new(rows::Rows),
        Box::new(undo::Undo),
        Box::new(edits::Edits),
        Box::new(periods::Periods),
        Box::new(shared::Refusals("m20261120_000008_refusals")),
        Box::new(shared::StoreIdentity),
        Box::new(checks::Checks),
    ]
}

struct Accounts;
struct Transactions;
struct Batches;

impl MigrationName for Accounts {
    fn name(&self) -> &str {
        "m20261120_000001_accounts"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Accounts {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        shared::create_idempotency_keys(manager).await?;
        shared::create_outbox(manager).await?;
        let accounts = Table::create()
            .table("accounts")
            .col(uuid("id").primary_key())
            .col(uuid("space_id"))
            .col(string("name"))
            .col(string("kind"))
            .col(string_len("currency", 3))
            .col(string_null("external_key"))
            .col(string_null("bank_id"))
            .col(string_null("number_mask"))
            .col(boolean("closed"))
            .col(big_integer("opening_minor"))
            .col(big_integer("booked_minor"))
            .col(timestamp_with_time_zone("created_at"))
            .check(Expr::cust("length(name) > 0"))
            .check(Expr::cust("length(currency) = 3"))
            .to_owned();
        manager.create_table(accounts).await?;
        shared::unique_index(manager, "accounts_by_key", "accounts", &["space_id", "external_key"]).await?;
        shared::index(manager, "accounts_by_space", "accounts", &["space_id", "id"]).await?;

        let balances = Table::create()
            .table("balance_snapshots")
            .col(uuid("space_id"))
            .col(uuid("account_id"))
            .col(string("kind"))
            .col(date("as_of"))
            .col(big_integer("amount_minor"))
            .col(string_len("currency", 3))
            .col(uuid("batch_id"))
            .primary_key(Index::create().col("account_id").col("kind").col("as_of"))
            .foreign_key(ForeignKey::create().from("balance_snapshots", "account_id").to("accounts", "id"))
            .check(Expr::cust("kind in ('ledger', 'available')"))
            .to_owned();
        manager.create_table(balances).await?;
        shared::index(
            manager,
            "balances_by_date",
            "balance_snapshots",
            &["space_id", "as_of", "account_id", "kind"],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        shared::drop_tables(manager, &["balance_snapshots", "accounts", "outbox", "idempotency_keys"]).await
    }
}

impl MigrationName for Transactions {
    fn name(&self) -> &str {
        "m20261120_000002_transactions"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Transactions {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let transactions = movement_columns(Table::create().table("transactions"))
            .col(uuid("id").primary_key())
            .col(uuid("space_id"))
            .col(uuid("account_id"))
            .col(string_len("currency", 3))
            .col(uuid("batch_id"))
            .col(timestamp_with_time_zone_null("removed_at"))
            .foreign_key(ForeignKey::create().from("transactions", "account_id").to("accounts", "id"))
            .check(Expr::cust("(original_minor is null) = (original_currency is null)"))
            .to_owned();
        manager.create_table(transactions).await?;
        shared::index(manager, "transactions_by_space", "transactions", &["space_id", "posted_on", "id"])
            .await?;
        shared::index(manager, "transactions_by_account", "transactions", &["account_id", "posted_on", "id"])
            .await?;

        // One line for each telling of a transaction that a bank has sent; dedupe counts these.
        let fingerprints = Table::create()
            .table("fingerprints")
            .col(uuid("account_id"))
            .col(date("posted_on"))
            .col(big_integer("fingerprint"))
            .col(string("external_id"))
            .col(uuid("transaction_id"))
            .col(uuid("batch_id"))
            .primary_key(
                Index::create()
                    .col("account_id")
                    .col("posted_on")
                    .col("fingerprint")
                    .col("external_id")
                    .col("transaction_id"),
            )
            .foreign_key(ForeignKey::create().from("fingerprints", "transaction_id").to("transactions", "id"))
            .to_owned();
        manager.create_table(fingerprints).await?;
        shared::index(
            manager,
            "fingerprints_by_external_id",
            "fingerprints",
            &["account_id", "external_id", "transaction_id"],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        shared::drop_tables(manager, &["fingerprints", "transactions"]).await
    }
}

impl MigrationName for Batches {
    fn name(&self) -> &str {
        "m20261120_000003_batches"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Batches {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let batches = Table::create()
            .table("batches")
            .col(uuid("id").primary_key())
            .col(uuid("space_id"))
            .col(uuid("run"))
            .col(text_null("report"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone_null("committed_at"))
            .check(Expr::cust("(report is null) = (committed_at is null)"))
            .to_owned();
        manager.create_table(batches).await?;

        let statements = Table::create()
            .table("staged_statements")
            .col(uuid("batch_id"))
            .col(integer("number"))
            .col(text("account"))
            .col(text("balances"))
            .col(uuid_null("account_id"))
            .primary_key(Index::create().col("batch_id").col("number"))
            .foreign_key(ForeignKey::create().from("staged_statements", "batch_id").to("batches", "id"))
            .to_owned();
        manager.create_table(statements).await?;

        let rows = movement_columns(Table::create().table("staged_rows"))
            .col(uuid("batch_id"))
            .col(integer("part"))
            .col(integer("position"))
            .col(integer("statement"))
            .col(integer("line"))
            .col(uuid("transaction_id"))
            .col(big_integer("fingerprint"))
            .col(string_null("corrects_id"))
            .col(boolean("deletes"))
            .col(string_null("outcome"))
            .col(uuid_null("target_id"))
            .primary_key(Index::create().col("batch_id").col("part").col("position"))
            .foreign_key(ForeignKey::create().from("staged_rows", "batch_id").to("batches", "id"))
            .to_owned();
        manager.create_table(rows).await?;
        // Which known transactions the batch has met already: asked once for each candidate.
        let met = "CREATE INDEX staged_rows_by_target ON staged_rows (batch_id, target_id) WHERE target_id IS NOT NULL";
        manager.get_connection().execute_unprepared(met).await?;

        let faults = Table::create()
            .table("staged_faults")
            .col(uuid("batch_id"))
            .col(integer("part"))
            .col(integer("position"))
            .col(integer("statement"))
            .col(integer("line"))
            .col(string("code"))
            .col(text("reason"))
            .primary_key(Index::create().col("batch_id").col("part").col("position"))
            .foreign_key(ForeignKey::create().from("staged_faults", "batch_id").to("batches", "id"))
            .to_owned();
        manager.create_table(faults).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        shared::drop_tables(manager, &["staged_faults", "staged_rows", "staged_statements", "batches"]).await
    }
}

/// What a movement is made of, waiting or booked.
fn movement_columns(table: &mut TableCreateStatement) -> &mut TableCreateStatement {
    table
        .col(date("posted_on"))
        .col(date_null("occurred_on"))
        .col(timestamp_with_time_zone_null("posted_at"))
        .col(big_integer("amount_minor"))
        .col(big_integer_null("original_minor"))
        .col(string_len_null("original_currency", 3))
        .col(string("kind"))
        .col(string("name"))
        .col(text_null("memo"))
        // Name and memo in lower case: the two databases do not agree on the case of letters beyond ASCII.
        .col(text("search"))
        .col(string_null("check_number"))
        .col(string_null("external_id"))
}
