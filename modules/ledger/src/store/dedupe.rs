//! Which waiting rows the ledger knows already: a multiset difference, in SQL, for a whole batch at once.
//!
//! For each telling (account, date, fingerprint) the n-th row of the batch meets the n-th that the ledger has;
//! rows are counted and never merged, so two equal rows that are both real stay two, and files that overlap in
//! any order end the same. What meets nobody is new.

use kernel::BatchId;
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr};

use super::{execute, sql};

/// Rows of the batch that have not met anybody yet, with the account of their statement.
pub(super) const WAITING: &str = "SELECT r.part, r.position, r.line, s.account_id, r.posted_on, r.fingerprint, \
     r.amount_minor, r.pending, CASE WHEN r.name = '' THEN coalesce(r.memo, '') ELSE r.name END AS told, \
     coalesce(r.external_id, '') AS external_id FROM staged_rows r \
     JOIN staged_statements s ON s.batch_id = r.batch_id AND s.number = r.statement \
     WHERE r.batch_id = $1 AND s.account_id IS NOT NULL AND r.corrects_id IS NULL AND r.outcome IS NULL";

/// Tellings that the ledger has of the accounts and dates of the batch.
const KNOWN: &str = "SELECT f.account_id, f.posted_on, f.fingerprint, f.external_id, f.transaction_id \
     FROM fingerprints f WHERE f.account_id IN (SELECT account_id FROM staged_statements WHERE batch_id = $1) \
     AND f.posted_on >= (SELECT min(posted_on) FROM staged_rows WHERE batch_id = $1) \
     AND f.posted_on <= (SELECT max(posted_on) FROM staged_rows WHERE batch_id = $1)";

/// Forgets what an earlier look at the batch found.
pub(crate) async fn reset(db: &impl ConnectionTrait, batch: BatchId) -> Result<(), DbErr> {
    let text =
        "UPDATE staged_rows SET outcome = NULL, target_id = NULL WHERE batch_id = $1 AND outcome IS NOT NULL";
    execute(db, text, [batch.0.into()]).await?;
    execute(db, "UPDATE staged_statements SET account_id = NULL WHERE batch_id = $1", [batch.0.into()])
        .await
        .map(drop)
}

/// Says of each waiting row what it is by its telling and its id, except corrections: those are taken one by one.
///
/// Where the accounts have pending transactions, equals of the same status meet first, so that of two equal rows,
/// one booked and one pending, each meets its own.
pub(crate) async fn classify(
    db: &impl ConnectionTrait,
    batch: BatchId,
    has_pending: bool,
) -> Result<(), DbErr> {
    if !knows_any(db, batch).await? {
        return Ok(());
    }
    if db.get_database_backend() == DatabaseBackend::Postgres {
        // Rows that were written a moment ago are in no statistics, and plans for an empty table are quadratic here.
        db.execute_unprepared("ANALYZE staged_rows").await?;
    }
    if has_pending {
        mark_by_status(db, batch).await?;
    } else {
        mark_duplicates(db, batch).await?;
        mark_matched(db, batch).await?;
    }
    mark_updated(db, batch).await
}

/// Whether the ledger has anything in the accounts and dates of the batch; a first import ends here.
pub(super) async fn knows_any(db: &impl ConnectionTrait, batch: BatchId) -> Result<bool, DbErr> {
    let text = format!("{KNOWN} LIMIT 1");
    Ok(db.query_one_raw(sql(db, &text, [batch.0.into()])).await?.is_some())
}

/// The same telling under the same id of the bank.
async fn mark_duplicates(db: &impl ConnectionTrait, batch: BatchId) -> Result<(), DbErr> {
    let key = ["account_id", "posted_on", "fingerprint", "external_id"];
    mark(db, batch, "duplicate", &nth_meets_nth(&key, KNOWN)).await
}

/// The same telling under another id: banks change ids between downloads, and CSV has none.
async fn mark_matched(db: &impl ConnectionTrait, batch: BatchId) -> Result<(), DbErr> {
    let key = ["account_id", "posted_on", "fingerprint"];
    let unmet = format!(
        "SELECT DISTINCT k.account_id, k.posted_on, k.fingerprint, k.transaction_id FROM ({KNOWN}) AS k \
         LEFT JOIN staged_rows met ON met.batch_id = $1 AND met.target_id = k.transaction_id \
         AND met.fingerprint = k.fingerprint AND met.posted_on = k.posted_on WHERE met.part IS NULL"
    );
    mark(db, batch, "matched", &nth_meets_nth(&key, &unmet)).await
}

/// Both of the above, among equals of the same status first.
async fn mark_by_status(db: &impl ConnectionTrait, batch: BatchId) -> Result<(), DbErr> {
    let known =
        format!("SELECT f.*, t.pending FROM ({KNOWN}) AS f JOIN transactions t ON t.id = f.transaction_id");
    let unmet = |ids: &str| {
        format!(
            "SELECT DISTINCT k.account_id, k.posted_on, k.fingerprint, k.transaction_id, k.pending{ids} \
             FROM ({known}) AS k LEFT JOIN staged_rows met ON met.batch_id = $1 AND met.target_id = k.transaction_id \
             AND met.fingerprint = k.fingerprint AND met.posted_on = k.posted_on WHERE met.part IS NULL"
        )
    };
    let telling = ["account_id", "posted_on", "fingerprint"];
    for (outcome, id) in [("duplicate", Some("external_id")), ("matched", None)] {
        for status in [Some("pending"), None] {
            let key: Vec<&str> = telling.into_iter().chain(id).chain(status).collect();
            let known = unmet(if id.is_some() { ", k.external_id" } else { "" });
            mark(db, batch, outcome, &nth_meets_nth(&key, &known)).await?;
        }
    }
    Ok(())
}

/// Pairs of waiting and known rows: equal in `key`, and the n-th of the ones with the n-th of the others.
fn nth_meets_nth(key: &[&str], known: &str) -> String {
    let partition = key.join(", ");
    let same: String = key.iter().map(|column| format!(" AND k.{column} = w.{column}")).collect();
    let numbered = |rows: &str, order: &str| {
        format!(
            "SELECT q.*, row_number() OVER (PARTITION BY {partition} ORDER BY {order}) AS n FROM ({rows}) AS q"
        )
    };
    let (waiting, known) = (numbered(WAITING, "part, position"), numbered(known, "transaction_id"));
    format!(
        "SELECT w.part, w.position, k.transaction_id FROM ({waiting}) AS w JOIN ({known}) AS k ON k.n = w.n{same}"
    )
}

/// Another telling of one movement: the bank's id stands once in the batch and once in the ledger, the amount is
/// the same, and the batch, which covers the date of the old telling, does not repeat it.
async fn mark_updated(db: &impl ConnectionTrait, batch: BatchId) -> Result<(), DbErr> {
    // CROSS JOIN keeps SQLite from looking the other way round: from all that is known to what waits.
    let pairs = format!(
        "SELECT w.part, w.position, t.id AS transaction_id FROM \
         (SELECT q.*, count(*) OVER (PARTITION BY account_id, external_id) AS times \
         FROM ({WAITING} AND r.external_id IS NOT NULL) AS q) AS w \
         CROSS JOIN fingerprints f CROSS JOIN transactions t \
         WHERE w.times = 1 AND f.account_id = w.account_id AND f.external_id = w.external_id \
         AND t.id = f.transaction_id AND t.amount_minor = w.amount_minor AND t.removed_at IS NULL \
         AND t.posted_on >= (SELECT min(posted_on) FROM staged_rows WHERE batch_id = $1) \
         AND t.posted_on <= (SELECT max(posted_on) FROM staged_rows WHERE batch_id = $1) \
         AND (SELECT count(DISTINCT g.transaction_id) FROM fingerprints g \
         WHERE g.account_id = w.account_id AND g.external_id = w.external_id) = 1 \
         AND NOT EXISTS (SELECT 1 FROM staged_rows met WHERE met.batch_id = $1 AND met.target_id = t.id)"
    );
    mark(db, batch, "updated", &pairs).await
}

pub(super) async fn mark(
    db: &impl ConnectionTrait,
    batch: BatchId,
    outcome: &str,
    pairs: &str,
) -> Result<(), DbErr> {
    let text = format!(
        "UPDATE staged_rows SET outcome = $2, target_id = pair.transaction_id FROM ({pairs}) AS pair \
         WHERE staged_rows.batch_id = $1 AND staged_rows.part = pair.part AND staged_rows.position = pair.position"
    );
    execute(db, &text, [batch.0.into(), outcome.into()]).await.map(drop)
}
