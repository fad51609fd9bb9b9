use sea_orm::DatabaseBackend;
use sea_orm_migration::prelude::*;

use crate::shared;

/// Foreign keys that PostgreSQL checks with a query for each row of a file, 2 to 4 µs each.
pub(super) struct Checks;

impl MigrationName for Checks {
    fn name(&self) -> &str {
        "m20261121_000009_checks"
    }
}

const UP: [&str; 3] = [
    // A batch is held by the transaction that writes its rows, and goes after its statements.
    "ALTER TABLE staged_rows DROP CONSTRAINT staged_rows_batch_id_fkey",
    "ALTER TABLE batch_rows DROP CONSTRAINT batch_rows_batch_id_fkey",
    // A preview ends before a check at its end would come.
    "ALTER TABLE transactions ALTER CONSTRAINT transactions_account_id_fkey DEFERRABLE INITIALLY IMMEDIATE",
];

const DOWN: [&str; 3] = [
    "ALTER TABLE transactions ALTER CONSTRAINT transactions_account_id_fkey NOT DEFERRABLE",
    "ALTER TABLE batch_rows ADD CONSTRAINT batch_rows_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES batches (id)",
    "ALTER TABLE staged_rows ADD CONSTRAINT staged_rows_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES batches (id)",
];

#[async_trait::async_trait]
impl MigrationTrait for Checks {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        on_postgres(manager, &UP).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        on_postgres(manager, &DOWN).await
    }
}

/// SQLite checks them in the statement itself, for next to nothing, and cannot change them.
async fn on_postgres(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    match manager.get_database_backend() {
        DatabaseBackend::Postgres => shared::run(manager, statements).await,
        _ => Ok(()),
    }
}
