use sea_orm_migration::prelude::*;

use crate::shared;

/// The days that a statement says it tells of.
pub(super) struct Periods;

impl MigrationName for Periods {
    fn name(&self) -> &str {
        "m20261120_000007_periods"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Periods {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let add = ["starts_on", "ends_on"]
            .map(|column| format!("ALTER TABLE staged_statements ADD COLUMN {column} DATE"));
        shared::run(manager, &add).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let drop = ["ends_on", "starts_on"]
            .map(|column| format!("ALTER TABLE staged_statements DROP COLUMN {column}"));
        shared::run(manager, &drop).await
    }
}
