//! New rows that are taken like any other, and that a person should look at first.

use chrono::NaiveDate;
use kernel::BatchId;
use ledger_api::SuspiciousRow;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::dedupe::{WAITING, knows_any};
use super::{later, sql};

/// Rows of each kind that are told.
const LISTED: usize = 100;
/// Days that banks are off without meaning anything by it: value dates, holidays, statements cut by the hour.
const SLACK: i32 = 7;
/// Days by which two tellings of one movement differ: the purchase and its booking over a weekend.
const APART: i32 = 3;

/// A row whose date is not of its statement, or of no day that has been.
#[derive(FromQueryResult)]
struct Misdated {
    part: i32,
    position: i32,
    line: i32,
    posted_on: NaiveDate,
    starts_on: Option<NaiveDate>,
    ends_on: Option<NaiveDate>,
}

/// A row that stands in the file before.
#[derive(FromQueryResult)]
struct Repeated {
    part: i32,
    position: i32,
    line: i32,
}

/// A row beside known ones of the same amount.
#[derive(FromQueryResult)]
struct Alike {
    part: i32,
    position: i32,
    line: i32,
    posted_on: NaiveDate,
    before: Option<NaiveDate>,
    after: Option<NaiveDate>,
}

/// The rows of a classified batch to look at, in the order of the file.
pub(crate) async fn of_batch(
    db: &impl ConnectionTrait,
    batch: BatchId,
    today: NaiveDate,
) -> Result<Vec<SuspiciousRow>, DbErr> {
    if db.query_one_raw(sql(db, &format!("{WAITING} LIMIT 1"), [batch.0.into()])).await?.is_none() {
        return Ok(Vec::new());
    }
    let mut found = misdated(db, batch, today).await?;
    found.extend(repeated(db, batch).await?);
    found.extend(alike(db, batch).await?);
    found.sort_by_key(|(place, _)| *place);
    Ok(found.into_iter().map(|(_, row)| row).take(LISTED).collect())
}

type Placed = ((i32, i32), SuspiciousRow);

fn placed(part: i32, position: i32, line: i32, code: &str, reason: String) -> Placed {
    ((part, position), SuspiciousRow { line: line.unsigned_abs(), code: code.to_owned(), reason })
}

/// Day and month read the wrong way round end here.
async fn misdated(db: &impl ConnectionTrait, batch: BatchId, today: NaiveDate) -> Result<Vec<Placed>, DbErr> {
    let text = format!(
        "SELECT r.part, r.position, r.line, r.posted_on, s.starts_on, s.ends_on FROM staged_rows r \
         JOIN staged_statements s ON s.batch_id = r.batch_id AND s.number = r.statement \
         WHERE r.batch_id = $1 AND r.corrects_id IS NULL AND r.outcome IS NULL AND NOT r.pending \
         AND (r.posted_on > {} OR r.posted_on < {} OR r.posted_on > {}) ORDER BY r.part, r.position LIMIT {LISTED}",
        later(db, "$2", SLACK),
        later(db, "s.starts_on", -SLACK),
        later(db, "s.ends_on", SLACK)
    );
    let rows = Misdated::find_by_statement(sql(db, &text, [batch.0.into(), today.into()])).all(db).await?;
    let told = |row: Misdated| {
        let day = row.posted_on;
        let period = match (row.starts_on, row.ends_on) {
            (Some(first), Some(last)) => Some(format!("{first} to {last}")),
            (Some(first), None) => Some(format!("the days from {first}")),
            (None, Some(last)) => Some(format!("the days until {last}")),
            (None, None) => None,
        };
        let (code, reason) = match period.filter(|_| day <= today) {
            Some(period) => {
                ("date_outside_statement", format!("is dated {day}, and its statement tells of {period}"))
            }
            None => ("date_ahead", format!("is dated {day}, which is still to come")),
        };
        placed(row.part, row.position, row.line, code, reason)
    };
    Ok(rows.into_iter().map(told).collect())
}

/// A file that was glued together of overlapping ones has rows twice. With ids of the bank they would not be equal.
async fn repeated(db: &impl ConnectionTrait, batch: BatchId) -> Result<Vec<Placed>, DbErr> {
    let text = format!(
        "SELECT part, position, line FROM (SELECT w.part, w.position, w.line, row_number() OVER \
         (PARTITION BY account_id, posted_on, fingerprint ORDER BY part, position) AS n \
         FROM ({WAITING} AND r.external_id IS NULL) AS w) AS q WHERE n > 1 ORDER BY part, position LIMIT {LISTED}"
    );
    let rows = Repeated::find_by_statement(sql(db, &text, [batch.0.into()])).all(db).await?;
    let reason = "stands in the file before, word for word, and the bank gave it no id";
    let told = |row: Repeated| placed(row.part, row.position, row.line, "repeated", reason.to_owned());
    Ok(rows.into_iter().map(told).collect())
}

/// What the ledger knows, on a day that the file tells of, and the file does not have: one of the same amount that is
/// new may be that one, told in other words under another date.
async fn alike(db: &impl ConnectionTrait, batch: BatchId) -> Result<Vec<Placed>, DbErr> {
    if !knows_any(db, batch).await? {
        return Ok(Vec::new());
    }
    let untold = "SELECT t.account_id, t.amount_minor, t.posted_on FROM (SELECT s.account_id, \
         min(r.posted_on) AS first, max(r.posted_on) AS last FROM staged_rows r \
         JOIN staged_statements s ON s.batch_id = r.batch_id AND s.number = r.statement \
         WHERE r.batch_id = $1 GROUP BY s.account_id) AS days JOIN transactions t \
         ON t.account_id = days.account_id AND t.posted_on >= days.first AND t.posted_on <= days.last \
         WHERE NOT t.pending AND t.removed_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM staged_rows met WHERE met.batch_id = $1 AND met.target_id = t.id)";
    // A window ends with its row and all others of the same day.
    let nearest = |pick: &str, order: &str| {
        format!("{pick}(known_on) OVER (PARTITION BY account_id, amount_minor ORDER BY posted_on {order})")
    };
    let text = format!(
        "SELECT part, position, line, posted_on, before, after FROM (SELECT q.*, {} AS before, {} AS after FROM \
         (SELECT w.part, w.position, w.line, w.account_id, w.amount_minor, w.posted_on, CAST(NULL AS DATE) AS known_on \
         FROM ({WAITING} AND NOT r.pending) AS w UNION ALL \
         SELECT NULL, NULL, NULL, account_id, amount_minor, posted_on, posted_on FROM ({untold}) AS u) AS q) AS beside \
         WHERE part IS NOT NULL AND (before >= {} OR after <= {}) ORDER BY part, position LIMIT {LISTED}",
        nearest("max", "ASC"),
        nearest("min", "DESC"),
        later(db, "posted_on", -APART),
        later(db, "posted_on", APART)
    );
    let rows = Alike::find_by_statement(sql(db, &text, [batch.0.into()])).all(db).await?;
    let told = |row: Alike| {
        let apart = |day: &NaiveDate| (*day - row.posted_on).num_days().abs();
        let day = [row.before, row.after].into_iter().flatten().min_by_key(apart)?;
        let reason = format!("has the amount of a transaction of {day} that this file does not have");
        Some(placed(row.part, row.position, row.line, "known_alike", reason))
    };
    Ok(rows.into_iter().filter_map(told).collect())
}
