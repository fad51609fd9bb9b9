//! Tables that every module has, each in its own database.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// Answers already given, by the key that the client chose; see `platform::once`.
pub(crate) async fn create_idempotency_keys(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("idempotency_keys")
        .col(string("scope").primary_key())
        .col(string("fingerprint"))
        .col(uuid("fence"))
        .col(timestamp_with_time_zone("lease_until"))
        .col(text_null("answer"))
        .col(text_null("refusal"))
        .col(timestamp_with_time_zone("created_at"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "idempotency_keys_by_age", "idempotency_keys", &["created_at"]).await
}

/// A refusal that stands is an answer, too. Holds the name that the step has in its module.
pub(crate) struct Refusals(pub(crate) &'static str);

impl MigrationName for Refusals {
    fn name(&self) -> &str {
        self.0
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Refusals {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A database that begins today has had it from the first step on.
        if manager.has_column("idempotency_keys", "refusal").await? {
            return Ok(());
        }
        run(manager, &["ALTER TABLE idempotency_keys ADD COLUMN refusal TEXT"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, &["ALTER TABLE idempotency_keys DROP COLUMN refusal"]).await
    }
}

/// Events in the order of commit; see `platform::outbox`.
pub(crate) async fn create_outbox(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let table = Table::create()
        .table("outbox")
        .col(uuid("id").primary_key())
        .col(big_integer_null("feed_seq").unique_key())
        .col(uuid_null("space_id"))
        .col(string("kind"))
        .col(string("subject"))
        .col(text("data"))
        .col(string("trace"))
        .col(timestamp_with_time_zone("created_at"))
        .to_owned();
    manager.create_table(table).await?;
    index(manager, "outbox_by_space", "outbox", &["space_id", "feed_seq"]).await
}

pub(crate) async fn index(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    manager.create_index(index_on(name, table, columns)).await
}

pub(crate) async fn unique_index(
    manager: &SchemaManager<'_>,
    name: &'static str,
    table: &'static str,
    columns: &[&'static str],
) -> Result<(), DbErr> {
    manager.create_index(index_on(name, table, columns).unique().to_owned()).await
}

fn index_on(name: &'static str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index.name(name).table(table);
    columns.iter().for_each(|column| {
        index.col(*column);
    });
    index
}

/// Runs the statements in the order given.
pub(crate) async fn run(manager: &SchemaManager<'_>, statements: &[impl AsRef<str>]) -> Result<(), DbErr> {
    for statement in statements {
        manager.get_connection().execute_unprepared(statement.as_ref()).await?;
    }
    Ok(())
}

/// Drops the tables in the order given.
pub(crate) async fn drop_tables(manager: &SchemaManager<'_>, tables: &[&'static str]) -> Result<(), DbErr> {
    for table in tables {
        manager.drop_table(Table::drop().table(*table).to_owned()).await?;
    }
    Ok(())
}
