//! One list of migrations and one history table per module; the same lists on SQLite and PostgreSQL.
//!
//! A module's database is its own file or its own schema, so a migration names its tables without a prefix.
//! Several processes may start at once: each takes the lock of its module's database first.

mod connections;
mod identity;
mod ledger;
mod lock;
mod shared;

use std::path::Path;

use sea_orm::{DatabaseBackend, DatabaseConnection};
use sea_orm_migration::prelude::*;
use sea_orm_migration::{Migration, MigrationStatus, MigratorTraitSelf};

use lock::Lock;

/// The modules that have tables, in the order of their dependencies.
pub const MODULES: &[&str] = &["identity", "ledger", "connections"];

/// One migration and whether the database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its name: date, running number, what it does.
    pub name: String,
    /// Whether it was applied.
    pub applied: bool,
}

/// Brings the database of `module` up to date and says which steps that took.
///
/// `lock_file` is the file to lock on SQLite; PostgreSQL locks itself and needs none.
pub async fn up(module: &str, db: &DatabaseConnection, lock_file: &Path) -> Result<Vec<String>, DbErr> {
    let migrator = migrator(module)?;
    // Looked at before locking, so that a start on an up-to-date database waits for nobody.
    if migrator.get_pending_migrations_read_only(db).await.is_ok_and(|pending| pending.is_empty()) {
        return Ok(Vec::new());
    }
    let lock = Lock::take(module, db, lock_file).await?;
    let done = apply(module, &migrator, lock.connection(db)).await;
    lock.release().await?;
    done
}

async fn apply(module: &str, migrator: &Migrator, db: &DatabaseConnection) -> Result<Vec<String>, DbErr> {
    if db.get_database_backend() == DatabaseBackend::Postgres {
        db.execute_unprepared(&format!("CREATE SCHEMA IF NOT EXISTS {module}")).await?;
    }
    let pending = names(migrator.get_pending_migrations(db).await?);
    migrator.up(db, None).await?;
    Ok(pending)
}

/// Takes the last `steps` migrations of `module` back, and their data with them.
pub async fn down(module: &str, db: &DatabaseConnection, lock_file: &Path, steps: u32) -> Result<(), DbErr> {
    let migrator = migrator(module)?;
    let lock = Lock::take(module, db, lock_file).await?;
    let done = migrator.down(lock.connection(db), Some(steps)).await;
    lock.release().await?;
    done
}

/// Every migration of `module` in order, and whether the database has it. Changes nothing.
pub async fn status(module: &str, db: &DatabaseConnection) -> Result<Vec<Step>, DbErr> {
    let all = migrator(module)?.get_migration_with_status_read_only(db).await?;
    let step = |migration: &Migration| Step {
        name: migration.name().to_owned(),
        applied: migration.status() == MigrationStatus::Applied,
    };
    Ok(all.iter().map(step).collect())
}

fn names(migrations: Vec<Migration>) -> Vec<String> {
    migrations.iter().map(|migration| migration.name().to_owned()).collect()
}

fn migrator(module: &str) -> Result<Migrator, DbErr> {
    let list = match module {
        "identity" => identity::list,
        "ledger" => ledger::list,
        "connections" => connections::list,
        _ => return Err(DbErr::Custom(format!("no module {module}"))),
    };
    Ok(Migrator { list })
}

struct Migrator {
    list: fn() -> Vec<Box<dyn MigrationTrait>>,
}

impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        (self.list)()
    }
}
