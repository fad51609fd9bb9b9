use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::shared;

/// A file is kept until a day that is known beforehand, and other imports may be read from it.
pub(super) struct KeptFiles;

impl MigrationName for KeptFiles {
    fn name(&self) -> &str {
        "m20261120_000004_kept_files"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for KeptFiles {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let columns = [
            // Null where no file is kept, which is so for nearly all imports in the end.
            timestamp_with_time_zone_null("file_until"),
            // The import whose pieces it is read from, where they are not its own.
            uuid_null("file_of"),
            uuid_null("reparse_of"),
            text_null("difference"),
        ];
        for column in columns {
            manager.alter_table(Table::alter().table("imports").add_column(column).to_owned()).await?;
        }
        // Files from before were promised a day at most.
        let until = "UPDATE imports SET file_until = updated_at WHERE has_file AND state <> 'uploading'";
        manager.get_connection().execute_unprepared(until).await?;
        shared::index(manager, "imports_by_file_until", "imports", &["file_until"]).await?;
        shared::index(manager, "imports_by_file_of", "imports", &["file_of"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for index in ["imports_by_file_until", "imports_by_file_of"] {
            manager.get_connection().execute_unprepared(&format!("DROP INDEX {index}")).await?;
        }
        for column in ["file_until", "file_of", "reparse_of", "difference"] {
            let alter = Table::alter().table("imports").drop_column(column).to_owned();
            manager.alter_table(alter).await?;
        }
        Ok(())
    }
}
