use sea_orm::DatabaseBackend;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::*;

use super::{CHECKS_OF_IMPORTS, chunks, import_columns, index_imports};
use crate::shared;

/// Imports may be archives, whose files are imports of their own, and may be undone.
pub(super) struct LongerLife;

/// What holds of every import from now on.
const CHECKS: [&str; 6] = [
    "state in ('uploading', 'reading', 'unpacked', 'previewed', 'committing', 'committed', 'undoing', 'undone', \
     'failed', 'cancelled')",
    CHECKS_OF_IMPORTS[1],
    // What is in the ledger still may carry the reason why it could not be undone.
    "state <> 'failed' or problem is not null",
    "state not in ('previewed', 'committed', 'undoing', 'undone') or report is not null",
    CHECKS_OF_IMPORTS[4],
    CHECKS_OF_IMPORTS[5],
];

const OLD_COLUMNS: &str = "id, space_id, user_id, role, state, file_name, size_bytes, detection, account_id, currency, \
    profile_id, mapping, mapping_chosen, notes, bytes_read, rows_read, report, problem, has_file, due_at, fence, \
    attempts, broken_runs, created_at, updated_at";

impl MigrationName for LongerLife {
    fn name(&self) -> &str {
        "m20261120_000003_longer_life"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for LongerLife {
    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        change_checks(manager, &CHECKS).await?;
        for column in [uuid_null("archive_id"), text_null("members")] {
            manager.alter_table(Table::alter().table("imports").add_column(column).to_owned()).await?;
        }
        shared::index(manager, "imports_by_archive", "imports", &["archive_id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(manager, "DROP INDEX imports_by_archive").await?;
        // What only the newer schema can tell of is lost.
        let newer = "state in ('unpacked', 'undoing', 'undone')";
        run(
            manager,
            &format!("DELETE FROM upload_chunks WHERE import_id IN (SELECT id FROM imports WHERE {newer})"),
        )
        .await?;
        run(manager, &format!("DELETE FROM imports WHERE {newer}")).await?;
        run(manager, "UPDATE imports SET problem = NULL WHERE state <> 'failed'").await?;
        for column in ["archive_id", "members"] {
            run(manager, &format!("ALTER TABLE imports DROP COLUMN {column}")).await?;
        }
        change_checks(manager, &CHECKS_OF_IMPORTS).await
    }
}

/// Puts `checks` in the place of those that the table has.
async fn change_checks(manager: &SchemaManager<'_>, checks: &[&'static str]) -> Result<(), DbErr> {
    match manager.get_database_backend() {
        DatabaseBackend::Postgres => alter(manager, checks).await,
        _ => rebuild(manager, checks).await,
    }
}

async fn alter(manager: &SchemaManager<'_>, checks: &[&'static str]) -> Result<(), DbErr> {
    // They were made without names, and PostgreSQL chose some.
    let drop = "DO $$ DECLARE name text; BEGIN FOR name IN SELECT conname FROM pg_constraint \
                WHERE conrelid = 'imports'::regclass AND contype = 'c' \
                LOOP EXECUTE format('ALTER TABLE imports DROP CONSTRAINT %I', name); END LOOP; END $$";
    run(manager, drop).await?;
    for check in checks {
        run(manager, &format!("ALTER TABLE imports ADD CHECK ({check})")).await?;
    }
    Ok(())
}

/// SQLite cannot change a check, so the table is made anew, and the one that refers to it as well.
async fn rebuild(manager: &SchemaManager<'_>, checks: &[&'static str]) -> Result<(), DbErr> {
    for table in ["upload_chunks", "imports"] {
        run(manager, &format!("ALTER TABLE {table} RENAME TO old_{table}")).await?;
    }
    for index in ["imports_by_space", "imports_by_due", "imports_by_age"] {
        run(manager, &format!("DROP INDEX {index}")).await?;
    }
    let mut imports = import_columns();
    checks.iter().for_each(|check| {
        imports.check(Expr::cust(*check));
    });
    manager.create_table(imports).await?;
    manager.create_table(chunks()).await?;
    let copy = format!("INSERT INTO imports ({OLD_COLUMNS}) SELECT {OLD_COLUMNS} FROM old_imports");
    run(manager, &copy).await?;
    run(manager, "INSERT INTO upload_chunks SELECT * FROM old_upload_chunks").await?;
    shared::drop_tables(manager, &["old_upload_chunks", "old_imports"]).await?;
    index_imports(manager).await
}

async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<(), DbErr> {
    manager.get_connection().execute_unprepared(sql).await.map(drop)
}
