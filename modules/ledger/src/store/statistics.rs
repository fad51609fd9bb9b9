//! What PostgreSQL knows of the sizes of our tables, by which it chooses its plans.

use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr};

use super::sql;

/// Fewer rows than this change no plan.
const MANY: u64 = 10_000;

/// Counts anew where so many new rows outdate what is known: more than a tenth of it, as autovacuum reckons. That comes
/// a minute late where it comes at all, and until then a page of a list is a sort of the whole table.
pub(crate) async fn refresh(db: &impl ConnectionTrait, created: u64) -> Result<(), DbErr> {
    if created < MANY || db.get_database_backend() != DatabaseBackend::Postgres {
        return Ok(());
    }
    let text = "SELECT CAST(reltuples AS BIGINT) AS known FROM pg_class WHERE oid = 'transactions'::regclass";
    let row = db.query_one_raw(sql(db, text, [])).await?;
    let known = row.map(|row| row.try_get::<i64>("", "known")).transpose()?.unwrap_or_default();
    if created > known.max(0).unsigned_abs() / 10 {
        db.execute_unprepared("ANALYZE transactions, fingerprints, batch_rows").await?;
    }
    Ok(())
}
