//! Makes waiting rows part of the ledger.

use kernel::{BatchId, Instant, SpaceId};
use sea_orm::{ConnectionTrait, DbErr};

use super::corrections::CorrectionRow;
use super::{PLACE, execute, priors};

pub(super) const MOVEMENT: &str = "posted_on, occurred_on, posted_at, amount_minor, original_minor, original_currency, kind, \
     name, memo, search, check_number, external_id, pending, details";

/// Which waiting rows are meant.
#[derive(Clone, Copy)]
pub(crate) enum Which<'a> {
    /// All that correct nothing: a whole batch in a handful of statements.
    Plain,
    /// One that corrects an earlier row.
    One(&'a CorrectionRow),
}

impl Which<'_> {
    pub(super) fn condition(self) -> String {
        match self {
            Self::Plain => "r.batch_id = $1 AND r.corrects_id IS NULL".into(),
            Self::One(row) => {
                format!("r.batch_id = $1 AND r.part = {} AND r.position = {}", row.part, row.position)
            }
        }
    }
}

/// New rows and changed rows.
pub(crate) async fn apply(
    db: &impl ConnectionTrait,
    space: SpaceId,
    batch: BatchId,
    which: Which<'_>,
) -> Result<(), DbErr> {
    insert_new(db, space, batch, which).await?;
    priors::keep(db, batch, which).await?;
    change_updated(db, batch, which).await
}

async fn insert_new(
    db: &impl ConnectionTrait,
    space: SpaceId,
    batch: BatchId,
    which: Which<'_>,
) -> Result<(), DbErr> {
    let columns: Vec<String> = movement().map(|column| format!("r.{column}")).collect();
    let text = format!(
        "INSERT INTO transactions (id, space_id, account_id, currency, batch_id, place, line, {MOVEMENT}) \
         SELECT r.transaction_id, $2, a.id, a.currency, $1, {PLACE}, r.line, {} FROM staged_rows r \
         JOIN staged_statements s ON s.batch_id = r.batch_id AND s.number = r.statement \
         JOIN accounts a ON a.id = s.account_id \
         WHERE {} AND r.outcome IS NULL ORDER BY r.part, r.position",
        columns.join(", "),
        which.condition()
    );
    execute(db, &text, [batch.0.into(), space.0.into()]).await.map(drop)
}

/// Keeps the tellings that dedupe will count, of rows that are applied. An updated row adds its own beside the old one,
/// so that the old file does not come back as new.
pub(crate) async fn tell(db: &impl ConnectionTrait, batch: BatchId, which: Which<'_>) -> Result<(), DbErr> {
    let text = format!(
        "INSERT INTO fingerprints (account_id, posted_on, fingerprint, external_id, transaction_id, batch_id) \
         SELECT s.account_id, r.posted_on, r.fingerprint, coalesce(r.external_id, ''), \
         coalesce(r.target_id, r.transaction_id), $1 FROM staged_rows r \
         JOIN staged_statements s ON s.batch_id = r.batch_id AND s.number = r.statement \
         WHERE {} AND (r.outcome IS NULL OR r.outcome = 'updated') ON CONFLICT DO NOTHING",
        which.condition()
    );
    execute(db, &text, [batch.0.into()]).await.map(drop)
}

/// What was booked stays booked. What was pending and gone is back when it is booked after all.
async fn change_updated(db: &impl ConnectionTrait, batch: BatchId, which: Which<'_>) -> Result<(), DbErr> {
    let set: Vec<String> = movement()
        .filter(|column| *column != "pending")
        .map(|column| format!("{column} = r.{column}"))
        .collect();
    let text = format!(
        "UPDATE transactions SET {}, pending = transactions.pending AND r.pending, removed_at = CASE WHEN \
         transactions.pending AND NOT r.pending THEN NULL ELSE transactions.removed_at END FROM staged_rows r \
         WHERE {} AND r.outcome = 'updated' AND NOT r.deletes AND transactions.id = r.target_id",
        set.join(", "),
        which.condition()
    );
    execute(db, &text, [batch.0.into()]).await.map(drop)
}

/// Takes a transaction out of every list and sum. It stays behind, so that its old file does not bring it back.
pub(crate) async fn remove(db: &impl ConnectionTrait, id: uuid::Uuid, at: Instant) -> Result<(), DbErr> {
    let text = "UPDATE transactions SET removed_at = $1 WHERE id = $2";
    execute(db, text, [at.into(), id.into()]).await.map(drop)
}

pub(super) fn movement() -> impl Iterator<Item = &'static str> {
    MOVEMENT.split(", ").map(str::trim)
}
