//! Rows that correct earlier ones. They name those by the bank's id, are few, and may correct each other.

use kernel::BatchId;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use uuid::Uuid;

use super::{execute, sql};

/// A correction that waits.
#[derive(FromQueryResult)]
pub(crate) struct CorrectionRow {
    pub(crate) part: i32,
    pub(crate) position: i32,
    pub(crate) account_id: Uuid,
    pub(crate) corrects_id: String,
    pub(crate) deletes: bool,
    pub(crate) posted_on: chrono::NaiveDate,
    pub(crate) fingerprint: i64,
    pub(crate) external_id: Option<String>,
}

/// Why a correction is rejected: the word and the sentence.
pub(crate) const NOTHING_TO_CORRECT: &str = "nothing_to_correct";
pub(crate) const NOTHING_TO_CORRECT_REASON: &str = "no earlier row has the id that this one deletes";

/// What became of a correction.
#[derive(FromQueryResult)]
pub(crate) struct Found {
    part: i32,
    position: i32,
    outcome: String,
    target_id: Option<Uuid>,
}

/// A transaction that may be corrected.
#[derive(FromQueryResult)]
pub(crate) struct Target {
    pub(crate) id: Uuid,
}

/// The corrections of a batch in the order of the file.
pub(crate) async fn waiting(db: &impl ConnectionTrait, batch: BatchId) -> Result<Vec<CorrectionRow>, DbErr> {
    let text = "SELECT r.part, r.position, s.account_id, r.corrects_id, r.deletes, r.posted_on, \
                r.fingerprint, r.external_id FROM staged_rows r \
                JOIN staged_statements s ON s.batch_id = r.batch_id AND s.number = r.statement \
                WHERE r.batch_id = $1 AND r.corrects_id IS NOT NULL ORDER BY r.part, r.position";
    CorrectionRow::find_by_statement(sql(db, text, [batch.0.into()])).all(db).await
}

/// The transaction that a correction has made already, when the same file came before.
pub(crate) async fn made_by(db: &impl ConnectionTrait, row: &CorrectionRow) -> Result<Option<Uuid>, DbErr> {
    let text = "SELECT transaction_id FROM fingerprints WHERE account_id = $1 AND posted_on = $2 AND fingerprint = $3 \
                AND external_id = $4 ORDER BY transaction_id LIMIT 1";
    let external_id = row.external_id.clone().unwrap_or_default();
    let values = [row.account_id.into(), row.posted_on.into(), row.fingerprint.into(), external_id.into()];
    db.query_one_raw(sql(db, text, values))
        .await?
        .map(|found| found.try_get("", "transaction_id"))
        .transpose()
}

/// The latest transaction that the bank gave the corrected id, among those that stand or those that were removed.
pub(crate) async fn corrected(
    db: &impl ConnectionTrait,
    row: &CorrectionRow,
    removed: bool,
) -> Result<Option<Target>, DbErr> {
    let removed = if removed { "NOT NULL" } else { "NULL" };
    let text = format!(
        "SELECT t.id FROM fingerprints f JOIN transactions t ON t.id = f.transaction_id \
         WHERE f.account_id = $1 AND f.external_id = $2 AND t.removed_at IS {removed} \
         ORDER BY f.transaction_id DESC LIMIT 1"
    );
    let values = [row.account_id.into(), row.corrects_id.clone().into()];
    Target::find_by_statement(sql(db, &text, values)).one(db).await
}

pub(crate) async fn set_outcome(
    db: &impl ConnectionTrait,
    batch: BatchId,
    row: &CorrectionRow,
    outcome: &str,
    target: Uuid,
) -> Result<(), DbErr> {
    let text = "UPDATE staged_rows SET outcome = $1, target_id = $2 WHERE batch_id = $3 AND part = $4 AND position = $5";
    let values = [outcome.into(), target.into(), batch.0.into(), row.part.into(), row.position.into()];
    execute(db, text, values).await.map(drop)
}

/// Says of a correction that there is nothing that it corrects.
pub(crate) async fn reject(
    db: &impl ConnectionTrait,
    batch: BatchId,
    row: &CorrectionRow,
) -> Result<(), DbErr> {
    let text =
        "UPDATE staged_rows SET outcome = 'rejected' WHERE batch_id = $1 AND part = $2 AND position = $3";
    execute(db, text, [batch.0.into(), row.part.into(), row.position.into()]).await.map(drop)
}

/// What a preview found of the corrections, to be kept when the preview itself is not.
pub(crate) async fn outcomes(db: &impl ConnectionTrait, batch: BatchId) -> Result<Vec<Found>, DbErr> {
    let text = "SELECT part, position, outcome, target_id FROM staged_rows \
                WHERE batch_id = $1 AND corrects_id IS NOT NULL AND outcome IS NOT NULL";
    Found::find_by_statement(sql(db, text, [batch.0.into()])).all(db).await
}

/// Keeps it.
pub(crate) async fn keep(db: &impl ConnectionTrait, batch: BatchId, found: &Found) -> Result<(), DbErr> {
    let text = "UPDATE staged_rows SET outcome = $1, target_id = $2 WHERE batch_id = $3 AND part = $4 AND position = $5";
    let values = [
        found.outcome.clone().into(),
        found.target_id.into(),
        batch.0.into(),
        found.part.into(),
        found.position.into(),
    ];
    execute(db, text, values).await.map(drop)
}
