mod kept_files;
mod longer_life;
mod undone;

use sea_orm::DatabaseBackend;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use crate::shared;

pub(crate) fn list() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(Imports),
        Box::new(MappingProfiles),
        Box::new(longer_life::LongerLife),
        Box::new(kept_files::KeptFiles),
        Box::new(undone::Undone),
        Box::new(shared::Refusals("m20261120_000006_refusals")),
    ]
}

struct Imports;
struct MappingProfiles;

impl MigrationName for Imports {
    fn name(&self) -> &str {
        "m20261120_000001_imports"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Imports {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        shared::create_idempotency_keys(manager).await?;
        shared::create_outbox(manager).await?;
        let mut imports = import_columns();
        CHECKS_OF_IMPORTS.iter().for_each(|check| {
            imports.check(Expr::cust(*check));
        });
        manager.create_table(imports).await?;
        index_imports(manager).await?;
        manager.create_table(chunks()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        shared::drop_tables(manager, &["upload_chunks", "imports", "outbox", "idempotency_keys"]).await
    }
}

const CHECKS_OF_IMPORTS: [&str; 6] = [
    "state in ('uploading', 'reading', 'previewed', 'committing', 'committed', 'failed', 'cancelled')",
    "state = 'uploading' or detection is not null",
    "(state = 'failed') = (problem is not null)",
    "state not in ('previewed', 'committed') or report is not null",
    "size_bytes >= 0 and bytes_read >= 0 and rows_read >= 0",
    "attempts >= 0 and broken_runs >= 0",
];

async fn index_imports(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    shared::index(manager, "imports_by_space", "imports", &["space_id", "id"]).await?;
    // What a runner may take. Null for nearly all rows, so that the index stays as small as the work is.
    shared::index(manager, "imports_by_due", "imports", &["due_at"]).await?;
    // What the sweep looks for: files that nobody will read again.
    shared::index(manager, "imports_by_age", "imports", &["has_file", "updated_at"]).await
}

fn chunks() -> TableCreateStatement {
    Table::create()
        .table("upload_chunks")
        .col(uuid("import_id"))
        .col(integer("number"))
        .col(binary("sealed"))
        .primary_key(Index::create().col("import_id").col("number"))
        .foreign_key(ForeignKey::create().from("upload_chunks", "import_id").to("imports", "id"))
        .check(Expr::cust("number >= 0"))
        .to_owned()
}

fn import_columns() -> TableCreateStatement {
    Table::create()
        .table("imports")
        .col(uuid("id").primary_key())
        .col(uuid("space_id"))
        // For whom the work is done: who uploaded, or who asked for the last preview or commit.
        .col(uuid("user_id"))
        .col(string("role"))
        .col(string("state"))
        .col(string_null("file_name"))
        .col(big_integer("size_bytes"))
        // What the file is: known once all of it has come.
        .col(text_null("detection"))
        .col(uuid_null("account_id"))
        .col(string_len_null("currency", 3))
        .col(uuid_null("profile_id"))
        .col(text_null("mapping"))
        .col(boolean("mapping_chosen"))
        .col(text("notes"))
        .col(big_integer("bytes_read"))
        .col(big_integer("rows_read"))
        .col(text_null("report"))
        .col(text_null("problem"))
        .col(boolean("has_file"))
        // When a runner may take it: at once, at the end of the lease of the one that has it, or after a pause.
        .col(timestamp_with_time_zone_null("due_at"))
        .col(uuid_null("fence"))
        .col(integer("attempts"))
        .col(integer("broken_runs"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .to_owned()
}

impl MigrationName for MappingProfiles {
    fn name(&self) -> &str {
        "m20261120_000002_mapping_profiles"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for MappingProfiles {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let profiles = Table::create()
            .table("mapping_profiles")
            .col(uuid("id"))
            .col(uuid("space_id"))
            .col(string("name"))
            .col(string_null("header_fingerprint"))
            .col(text("mapping"))
            .col(uuid_null("account_id"))
            .col(timestamp_with_time_zone("created_at"))
            .col(timestamp_with_time_zone("updated_at"))
            // The client chooses the id, so two households may choose the same.
            .primary_key(Index::create().col("space_id").col("id"))
            .check(Expr::cust("length(name) > 0"))
            .to_owned();
        manager.create_table(profiles).await?;
        if manager.get_database_backend() == DatabaseBackend::Postgres {
            // The order of SQLite, byte by byte, whatever language the server was set up for.
            let collate = r#"ALTER TABLE mapping_profiles ALTER COLUMN name TYPE varchar COLLATE "C""#;
            manager.get_connection().execute_unprepared(collate).await?;
        }
        shared::index(manager, "profiles_by_name", "mapping_profiles", &["space_id", "name", "id"]).await?;
        shared::index(
            manager,
            "profiles_by_header",
            "mapping_profiles",
            &["space_id", "header_fingerprint", "updated_at"],
        )
        .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        shared::drop_tables(manager, &["mapping_profiles"]).await
    }
}
