//! The part of a transaction that is a preview: done as if it were to last, and taken back.

use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr};

pub(crate) async fn begin(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    db.execute_unprepared("SAVEPOINT preview").await?;
    if db.get_database_backend() == DatabaseBackend::Postgres {
        // Checked at the end, which never comes; the end of the savepoint is the end of this, too.
        db.execute_unprepared("SET CONSTRAINTS ALL DEFERRED").await?;
    }
    Ok(())
}

pub(crate) async fn take_back(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    db.execute_unprepared("ROLLBACK TO SAVEPOINT preview").await.map(drop)
}
