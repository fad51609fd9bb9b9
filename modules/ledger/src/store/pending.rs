//! From what the bank expects to what it books: which waiting row settles which pending transaction.

use chrono::{NaiveDate, TimeDelta};
use kernel::{BatchId, Instant};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use uuid::Uuid;

use super::apply::MOVEMENT;
use super::dedupe::{WAITING, mark};
use super::{execute, later, sql};

/// How long a bank takes to book what it announced, in days.
const PATIENCE: i32 = 8;
/// Pairs that are looked at. A file with more has so many equal amounts that none of them proves anything.
const PAIRS: usize = 20_000;

/// Accounts of the batch.
const ACCOUNTS: &str = "(SELECT account_id FROM staged_statements WHERE batch_id = $1)";

/// A booked row that is new so far, and a pending transaction of its account from not long before.
#[derive(FromQueryResult)]
pub(crate) struct Pair {
    pub(crate) part: i32,
    pub(crate) position: i32,
    pub(crate) line: i32,
    pub(crate) amount_minor: i64,
    pub(crate) told: String,
    pub(crate) transaction_id: Uuid,
    pub(crate) pending_minor: i64,
    pub(crate) expected: String,
    pub(crate) currency: String,
}

/// Whether anything is, or was, pending in the accounts of the batch; mostly all ends here.
pub(crate) async fn is_any(db: &impl ConnectionTrait, batch: BatchId) -> Result<bool, DbErr> {
    let text = format!("SELECT 1 FROM transactions WHERE account_id IN {ACCOUNTS} AND pending LIMIT 1");
    Ok(db.query_one_raw(sql(db, &text, [batch.0.into()])).await?.is_some())
}

/// What was met by its telling is updated where the row books it; that also brings back what was missing once.
pub(crate) async fn book_met(db: &impl ConnectionTrait, batch: BatchId) -> Result<(), DbErr> {
    let text = "UPDATE staged_rows SET outcome = 'updated' FROM transactions t WHERE staged_rows.batch_id = $1 \
                AND staged_rows.outcome IN ('duplicate', 'matched') AND NOT staged_rows.pending \
                AND t.id = staged_rows.target_id AND t.pending";
    execute(db, text, [batch.0.into()]).await?;
    // An announcement tells nothing new of what is booked.
    let text = "UPDATE staged_rows SET outcome = 'matched' FROM transactions t WHERE staged_rows.batch_id = $1 \
                AND staged_rows.outcome = 'updated' AND staged_rows.corrects_id IS NULL AND staged_rows.pending \
                AND t.id = staged_rows.target_id AND NOT t.pending";
    execute(db, text, [batch.0.into()]).await.map(drop)
}

/// The same id of the bank, once in the batch and once in the ledger: proof whatever the amount has become.
pub(crate) async fn mark_by_id(db: &impl ConnectionTrait, batch: BatchId) -> Result<(), DbErr> {
    let pairs = format!(
        "SELECT w.part, w.position, t.id AS transaction_id FROM \
         (SELECT q.*, count(*) OVER (PARTITION BY account_id, external_id) AS times \
         FROM ({WAITING} AND r.external_id IS NOT NULL) AS q) AS w \
         CROSS JOIN fingerprints f CROSS JOIN transactions t \
         WHERE w.times = 1 AND f.account_id = w.account_id AND f.external_id = w.external_id \
         AND t.id = f.transaction_id AND t.pending AND (t.amount_minor < 0) = (w.amount_minor < 0) \
         AND (t.removed_at IS NULL OR NOT w.pending) \
         AND (SELECT count(DISTINCT g.transaction_id) FROM fingerprints g \
         WHERE g.account_id = w.account_id AND g.external_id = w.external_id) = 1 \
         AND NOT EXISTS (SELECT 1 FROM staged_rows met WHERE met.batch_id = $1 AND met.target_id = t.id)"
    );
    mark(db, batch, "updated", &pairs).await
}

/// Booked rows that are new so far beside what was pending in their account in the days before; none where too many.
pub(crate) async fn pairs(db: &impl ConnectionTrait, batch: BatchId) -> Result<Vec<Pair>, DbErr> {
    let earliest = later(db, "w.posted_on", -PATIENCE);
    let text = format!(
        "SELECT w.part, w.position, w.line, w.amount_minor, w.told, t.id AS transaction_id, \
         t.amount_minor AS pending_minor, t.currency, CASE WHEN t.name = '' THEN coalesce(t.memo, '') ELSE t.name END \
         AS expected FROM ({WAITING} AND NOT r.pending) AS w JOIN transactions t ON t.account_id = w.account_id \
         AND t.pending AND t.removed_at IS NULL AND t.posted_on >= {earliest} AND t.posted_on <= w.posted_on \
         WHERE (t.amount_minor < 0) = (w.amount_minor < 0) \
         AND NOT EXISTS (SELECT 1 FROM staged_rows met WHERE met.batch_id = $1 AND met.target_id = t.id) \
         ORDER BY w.part, w.position, t.id LIMIT {}",
        PAIRS + 1
    );
    let pairs = Pair::find_by_statement(sql(db, &text, [batch.0.into()])).all(db).await?;
    Ok(if pairs.len() > PAIRS { Vec::new() } else { pairs })
}

/// Says that the row of the pair settles its transaction.
pub(crate) async fn settle(db: &impl ConnectionTrait, batch: BatchId, pair: &Pair) -> Result<(), DbErr> {
    let text = "UPDATE staged_rows SET outcome = 'updated', target_id = $1 WHERE batch_id = $2 AND part = $3 AND position = $4";
    let values = [pair.transaction_id.into(), batch.0.into(), pair.part.into(), pair.position.into()];
    execute(db, text, values).await.map(drop)
}

/// The days that a batch tells of an account: those that its statements name, else those of their rows.
#[derive(FromQueryResult)]
pub(crate) struct Window {
    pub(crate) account_id: Uuid,
    first: Option<NaiveDate>,
    last_row: Option<NaiveDate>,
    /// The last booked row.
    booked: Option<NaiveDate>,
    /// Whether it lists anything as pending.
    lists_pending: bool,
    ends_on: Option<NaiveDate>,
}

impl Window {
    /// The day up to which what is pending must be in the batch, if it still is; none where it tells nothing of that.
    fn complete_until(&self) -> Option<NaiveDate> {
        // A file that lists what is pending lists all of it; one that does not tells of what should be booked by then.
        let listed = self.last().filter(|_| self.lists_pending);
        let patience = TimeDelta::days(PATIENCE.into());
        let booked = self.ends_on.or(self.booked).and_then(|day| day.checked_sub_signed(patience));
        listed.max(booked)
    }

    /// The last day that is told to its end. Some banks name the day that begins where the statement ends.
    fn last(&self) -> Option<NaiveDate> {
        let Some(end) = self.ends_on else { return self.last_row };
        end.pred_opt().max(self.last_row.map(|row| row.min(end)))
    }

    /// The last day on which the batch had something to tell of what is booked or expected.
    fn knew_until(&self) -> Option<NaiveDate> {
        self.last_row.or_else(|| self.first?.pred_opt())
    }
}

/// The days that the batch tells of its accounts, where something is pending there. An export of ours, which names
/// the account by our id, says nothing of what the bank still expects; an end that is still to come says what was asked
/// for and not what is told.
pub(crate) async fn windows(
    db: &impl ConnectionTrait,
    batch: BatchId,
    today: NaiveDate,
) -> Result<Vec<Window>, DbErr> {
    if !is_any(db, batch).await? {
        return Ok(Vec::new());
    }
    // Rows first: joined one by one, each statement of many would look through all of them.
    let text = "SELECT s.account_id, min(coalesce(s.starts_on, r.first)) AS first, max(r.last) AS last_row, \
                max(r.booked) AS booked, coalesce(sum(r.pending), 0) > 0 AS lists_pending, \
                max(CASE WHEN s.ends_on <= $2 THEN s.ends_on END) AS ends_on FROM staged_statements s \
                LEFT JOIN (SELECT statement, min(posted_on) AS first, max(posted_on) AS last, \
                max(CASE WHEN NOT pending THEN posted_on END) AS booked, count(CASE WHEN pending THEN 1 END) AS pending \
                FROM staged_rows WHERE batch_id = $1 GROUP BY statement) AS r ON r.statement = s.number \
                WHERE s.batch_id = $1 AND s.account_id IS NOT NULL \
                AND s.account NOT LIKE '%\"ours\":\"%' GROUP BY s.account_id";
    Window::find_by_statement(sql(db, text, [batch.0.into(), today.into()])).all(db).await
}

/// What is pending, was there before the batch, lies within its days, and is not in it.
///
/// Nothing where the ledger knows later bookings than the batch: an old file says nothing of what came after it.
pub(crate) async fn missing(
    db: &impl ConnectionTrait,
    batch: BatchId,
    window: &Window,
) -> Result<Vec<Uuid>, DbErr> {
    let (Some(first), Some(until), Some(knew)) = (window.first, window.complete_until(), window.knew_until())
    else {
        return Ok(Vec::new());
    };
    let text = "SELECT t.id FROM transactions t WHERE t.account_id = $2 AND t.pending AND t.removed_at IS NULL \
                AND t.batch_id <> $1 AND t.posted_on >= $3 AND t.posted_on <= $4 \
                AND NOT EXISTS (SELECT 1 FROM staged_rows met WHERE met.batch_id = $1 AND met.target_id = t.id) \
                AND NOT EXISTS (SELECT 1 FROM transactions k WHERE k.account_id = $2 AND k.posted_on > $5 \
                AND k.batch_id <> $1 AND k.removed_at IS NULL AND NOT k.pending) ORDER BY t.id";
    let values = [batch.0.into(), window.account_id.into(), first.into(), until.into(), knew.into()];
    let rows = db.query_all_raw(sql(db, text, values)).await?;
    rows.iter().map(|row| row.try_get("", "id")).collect()
}

/// Takes a pending transaction away, and keeps what it was. Its tombstone stays: it may be booked after all.
pub(crate) async fn remove(
    db: &impl ConnectionTrait,
    batch: BatchId,
    id: Uuid,
    at: Instant,
) -> Result<(), DbErr> {
    let columns: Vec<String> = MOVEMENT.split(", ").map(|column| format!("t.{}", column.trim())).collect();
    let text = format!(
        "INSERT INTO prior_values (batch_id, transaction_id, version, {MOVEMENT}) \
         SELECT $1, t.id, a.version, {} FROM transactions t JOIN accounts a ON a.id = t.account_id WHERE t.id = $2 \
         ON CONFLICT DO NOTHING",
        columns.join(", ")
    );
    execute(db, &text, [batch.0.into(), id.into()]).await?;
    super::apply::remove(db, id, at).await
}
