//! Takes a batch back, in SQL, for all its rows at once.
//!
//! A row of another batch that has met a transaction keeps it: that batch tells it too. The earliest such batch, by
//! the version that the account had then, inherits what the batch had made.

use std::collections::HashMap;

use kernel::BatchId;
use sea_orm::{ConnectionTrait, DbErr, Value};
use uuid::Uuid;

use super::apply::movement;
use super::priors::{columns, counted, sums};
use super::steps::{By, Steps};
use super::transactions::count;
use super::{execute, sql};
use crate::domain::Sum;

/// The rows of other batches, and the order of those batches.
const OTHERS: &str =
    "batch_rows m JOIN batch_accounts b ON b.batch_id = m.batch_id AND b.account_id = m.account_id";

/// Tellings that the batch has brought, of transactions that it made or met.
const MINE: &str = "f.batch_id = $1 AND f.transaction_id IN (SELECT id FROM transactions WHERE batch_id = $1 \
     UNION SELECT transaction_id FROM batch_rows WHERE batch_id = $1 AND transaction_id IS NOT NULL)";

/// The rows of a step, which are the second and the third parameter.
const IN_STEP: &str = "place >= $2 AND place < $3";

/// That a row of another batch tells the same as `f`, but for the bank's id.
const SAME: &str = "m.transaction_id = f.transaction_id AND m.batch_id <> $1 AND m.posted_on = f.posted_on \
     AND m.fingerprint = f.fingerprint";

/// Gives the tellings of the batch to those who tell the same, and forgets the rest.
pub(crate) async fn tellings(db: &impl ConnectionTrait, batch: BatchId) -> Result<(), DbErr> {
    let heirs = format!(
        "UPDATE fingerprints SET batch_id = heir.batch_id FROM (SELECT f.account_id, f.posted_on, f.fingerprint, \
         f.external_id, f.transaction_id, (SELECT m.batch_id FROM {OTHERS} WHERE {SAME} \
         AND coalesce(m.external_id, '') = f.external_id ORDER BY b.version, m.batch_id LIMIT 1) AS batch_id \
         FROM fingerprints f WHERE {MINE}) AS heir WHERE heir.batch_id IS NOT NULL \
         AND fingerprints.account_id = heir.account_id AND fingerprints.posted_on = heir.posted_on \
         AND fingerprints.fingerprint = heir.fingerprint AND fingerprints.external_id = heir.external_id \
         AND fingerprints.transaction_id = heir.transaction_id"
    );
    execute(db, &heirs, [batch.0.into()]).await?;
    // A batch that met it under another id of the bank has brought no telling; one is enough, as one would have been.
    let instead = format!(
        "INSERT INTO fingerprints (account_id, posted_on, fingerprint, external_id, transaction_id, batch_id) \
         SELECT account_id, posted_on, fingerprint, external_id, transaction_id, batch_id FROM \
         (SELECT f.account_id, f.posted_on, f.fingerprint, coalesce(m.external_id, '') AS external_id, \
         f.transaction_id, m.batch_id, row_number() OVER (PARTITION BY f.transaction_id, f.posted_on, f.fingerprint \
         ORDER BY b.version, m.batch_id, m.place) AS n FROM {OTHERS} JOIN fingerprints f ON {SAME} \
         WHERE {MINE} AND NOT EXISTS (SELECT 1 FROM fingerprints k WHERE k.transaction_id = f.transaction_id \
         AND k.posted_on = f.posted_on AND k.fingerprint = f.fingerprint AND k.batch_id <> $1)) AS heir \
         WHERE n = 1 ON CONFLICT DO NOTHING"
    );
    execute(db, &instead, [batch.0.into()]).await?;
    forget_tellings(db, batch).await
}

/// Forgets the tellings that the batch has brought.
async fn forget_tellings(db: &impl ConnectionTrait, batch: BatchId) -> Result<(), DbErr> {
    for (table, id) in [("transactions", "id"), ("batch_rows", "transaction_id")] {
        let of = |rows: &str| {
            format!(
                "DELETE FROM fingerprints WHERE batch_id = $1 AND transaction_id IN \
                 (SELECT {id} FROM {table} WHERE batch_id = $1 AND {rows})"
            )
        };
        let mut steps = Steps::new(table, By::Place, batch);
        while let Some(step) = steps.next(db).await? {
            execute(db, &of(IN_STEP), step).await?;
        }
        execute(db, &of("place IS NULL"), [batch.0.into()]).await?;
    }
    Ok(())
}

/// Gives the transactions that other batches have met to those; answers how many.
pub(crate) async fn give_away(db: &impl ConnectionTrait, batch: BatchId) -> Result<u64, DbErr> {
    // They stand in no list of rows as made by the heir: its report says that it met them.
    let text = format!(
        "UPDATE transactions SET batch_id = heir.batch_id, place = NULL FROM (SELECT t.id, \
         (SELECT m.batch_id FROM {OTHERS} WHERE m.transaction_id = t.id AND m.batch_id <> $1 \
         ORDER BY b.version, m.batch_id LIMIT 1) AS batch_id FROM transactions t WHERE t.batch_id = $1) AS heir \
         WHERE heir.batch_id IS NOT NULL AND transactions.id = heir.id"
    );
    execute(db, &text, [batch.0.into()]).await
}

/// What the transactions of the batch come to in the booked balance, by account.
pub(crate) async fn made(db: &impl ConnectionTrait, batch: BatchId) -> Result<HashMap<Uuid, i128>, DbErr> {
    let text = format!(
        "SELECT t.account_id, {} FROM transactions t WHERE t.batch_id = $1 GROUP BY t.account_id",
        Sum::sql(&counted("t"))
    );
    sums(db, &text, batch).await
}

/// Takes away what the batch made; answers how many transactions that were.
pub(crate) async fn remove(db: &impl ConnectionTrait, batch: BatchId) -> Result<u64, DbErr> {
    let mut removed = 0;
    let mut steps = Steps::new("transactions", By::Place, batch);
    while let Some(step) = steps.next(db).await? {
        removed += remove_some(db, IN_STEP, &step).await?;
    }
    Ok(removed + remove_some(db, "place IS NULL", &[batch.0.into()]).await?)
}

async fn remove_some(db: &impl ConnectionTrait, which: &str, values: &[Value]) -> Result<u64, DbErr> {
    let mine = format!("FROM transactions WHERE batch_id = $1 AND {which}");
    for table in ["prior_values", "fingerprints"] {
        let text = format!("DELETE FROM {table} WHERE transaction_id IN (SELECT id {mine})");
        execute(db, &text, values.iter().cloned()).await?;
    }
    execute(db, &format!("DELETE {mine}"), values.iter().cloned()).await
}

/// Gives the changes that later batches tell too to the earliest of those. An earlier one told the same of what was still
/// pending then, or there would have been nothing to change.
pub(crate) async fn give_changes_away(db: &impl ConnectionTrait, batch: BatchId) -> Result<(), DbErr> {
    let text = format!(
        "UPDATE prior_values SET batch_id = heir.batch_id FROM (SELECT p.transaction_id, p.version, \
         (SELECT m.batch_id FROM {OTHERS} WHERE m.transaction_id = p.transaction_id AND m.batch_id <> $1 \
         AND m.posted_on = p.told_on AND m.fingerprint = p.told_fingerprint \
         AND coalesce(m.external_id, '') = p.told_id AND b.version > p.version ORDER BY b.version, m.batch_id LIMIT 1) AS batch_id \
         FROM prior_values p WHERE p.batch_id = $1) AS heir WHERE heir.batch_id IS NOT NULL \
         AND prior_values.batch_id = $1 AND prior_values.transaction_id = heir.transaction_id \
         AND prior_values.version = heir.version"
    );
    execute(db, &text, [batch.0.into()]).await.map(drop)
}

/// The latest change that the batch made to each transaction: with those that it inherited there may be several.
const LATEST: &str = "p.batch_id = $1 AND NOT EXISTS (SELECT 1 FROM prior_values q WHERE q.batch_id = $1 \
     AND q.transaction_id = p.transaction_id AND q.version > p.version)";

/// The change of the same transaction that came next, by whichever batch.
const NEXT: &str = "(SELECT min(q.version) FROM prior_values q WHERE q.transaction_id = p.transaction_id AND q.version > p.version)";

/// Whether the batch has changes that were not taken back yet.
pub(crate) async fn has_changes(db: &impl ConnectionTrait, batch: BatchId) -> Result<bool, DbErr> {
    let text = "SELECT count(*) AS n FROM prior_values WHERE batch_id = $1";
    Ok(count(db, sql(db, text, [batch.0.into()])).await? > 0)
}

/// By how much taking back the latest changes moves what is booked, by account.
pub(crate) async fn moves(db: &impl ConnectionTrait, batch: BatchId) -> Result<HashMap<Uuid, i128>, DbErr> {
    let of = |table: &str| {
        format!(
            "SELECT t.account_id, {} FROM prior_values p JOIN transactions t ON t.id = p.transaction_id \
             WHERE {LATEST} AND {NEXT} IS NULL GROUP BY t.account_id",
            Sum::sql(&counted(table))
        )
    };
    let mut moved = sums(db, &of("p"), batch).await?;
    for (account, now) in sums(db, &of("t"), batch).await? {
        *moved.entry(account).or_default() -= now;
    }
    Ok(moved)
}

/// Takes the latest changes back: what comes next was before what was before them. Answers how many.
pub(crate) async fn restore(db: &impl ConnectionTrait, batch: BatchId) -> Result<u64, DbErr> {
    let set: Vec<String> = columns().map(|column| format!("{column} = was.{column}")).collect();
    let (set, was) = (set.join(", "), movement().chain(["removed_at"]).collect::<Vec<_>>().join(", p."));
    let next = format!(
        "UPDATE prior_values SET {set} FROM (SELECT p.transaction_id, p.{was}, {NEXT} AS next \
         FROM prior_values p WHERE {LATEST}) AS was \
         WHERE prior_values.transaction_id = was.transaction_id AND prior_values.version = was.next"
    );
    execute(db, &next, [batch.0.into()]).await?;
    let now = format!(
        "UPDATE transactions SET {set} FROM (SELECT p.transaction_id, p.{was} FROM prior_values p \
         WHERE {LATEST} AND {NEXT} IS NULL) AS was WHERE transactions.id = was.transaction_id"
    );
    execute(db, &now, [batch.0.into()]).await?;
    execute(db, &format!("DELETE FROM prior_values AS p WHERE {LATEST}"), [batch.0.into()]).await
}

/// Forgets what is known of the batch beside its two reports.
pub(crate) async fn forget(db: &impl ConnectionTrait, batch: BatchId) -> Result<(), DbErr> {
    let mut steps = Steps::new("batch_rows", By::Place, batch);
    while let Some(step) = steps.next(db).await? {
        execute(db, &format!("DELETE FROM batch_rows WHERE batch_id = $1 AND {IN_STEP}"), step).await?;
    }
    for table in ["batch_accounts", "batch_balances"] {
        execute(db, &format!("DELETE FROM {table} WHERE batch_id = $1"), [batch.0.into()]).await?;
    }
    Ok(())
}
