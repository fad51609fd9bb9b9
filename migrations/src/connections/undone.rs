use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

/// What it came to when an import was undone.
pub(super) struct Undone;

impl MigrationName for Undone {
    fn name(&self) -> &str {
        "m20261120_000005_undone"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Undone {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let add = Table::alter().table("imports").add_column(text_null("undone")).to_owned();
        manager.alter_table(add).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("imports").drop_column("undone").to_owned()).await
    }
}
