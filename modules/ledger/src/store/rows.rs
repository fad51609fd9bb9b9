//! Every row of a batch and what became of it, waiting or committed.

use chrono::NaiveDate;
use kernel::{AccountId, BatchId, Cursor, Page, PageRequest, TransactionId};
use ledger_api::{RowFilter, RowReport};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};
use uuid::Uuid;

use super::corrections::{NOTHING_TO_CORRECT, NOTHING_TO_CORRECT_REASON};
use super::transactions::count;
use super::{PLACE, execute, money, sql, value_of, word};

#[derive(FromQueryResult)]
struct OutcomeRow {
    place: i64,
    line: i32,
    outcome: String,
    transaction_id: Option<Uuid>,
    account_id: Option<Uuid>,
    account: Option<String>,
    posted_on: Option<NaiveDate>,
    amount_minor: Option<i64>,
    currency: Option<String>,
    name: Option<String>,
    code: Option<String>,
    reason: Option<String>,
}

impl TryFrom<OutcomeRow> for (i64, RowReport) {
    type Error = DbErr;

    fn try_from(row: OutcomeRow) -> Result<Self, DbErr> {
        let amount = row.amount_minor.zip(row.currency.as_deref());
        let report = RowReport {
            line: row.line.unsigned_abs(),
            outcome: value_of(&row.outcome)?,
            code: row.code,
            reason: row.reason,
            transaction_id: row.transaction_id.map(TransactionId),
            account_id: row.account_id.map(AccountId),
            account: row.account,
            posted_on: row.posted_on,
            amount: amount.map(|(minor, code)| money(minor, code)).transpose()?,
            name: row.name,
        };
        Ok((row.place, report))
    }
}

/// Keeps what became of the rows of a batch that made no transaction; those that made one tell it themselves.
pub(crate) async fn keep(db: &impl ConnectionTrait, batch: BatchId) -> Result<(), DbErr> {
    let met = format!(
        "INSERT INTO batch_rows (batch_id, place, line, outcome, account_id, transaction_id, posted_on, amount_minor, \
         currency, name, fingerprint, external_id, code, reason) SELECT $1, {PLACE}, r.line, r.outcome, a.id, \
         r.target_id, r.posted_on, r.amount_minor, coalesce(a.currency, s.account_currency), r.name, r.fingerprint, \
         r.external_id, {} FROM staged_rows r JOIN staged_statements s ON s.batch_id = r.batch_id \
         AND s.number = r.statement LEFT JOIN accounts a ON a.id = s.account_id WHERE r.batch_id = $1 AND r.outcome IS NOT NULL",
        why()
    );
    execute(db, &met, [batch.0.into()]).await?;
    let unread = format!(
        "INSERT INTO batch_rows (batch_id, place, line, outcome, account_id, code, reason) \
         SELECT $1, {PLACE}, r.line, 'rejected', s.account_id, r.code, r.reason FROM staged_faults r \
         LEFT JOIN staged_statements s ON s.batch_id = r.batch_id AND s.number = r.statement WHERE r.batch_id = $1"
    );
    execute(db, &unread, [batch.0.into()]).await.map(drop)
}

/// Why a waiting row is rejected that could be read: only a correction can be.
fn why() -> String {
    let when = "CASE WHEN r.outcome = 'rejected' THEN";
    format!("{when} '{NOTHING_TO_CORRECT}' END AS code, {when} '{NOTHING_TO_CORRECT_REASON}' END AS reason")
}

/// The rows of a committed batch in the order of the file.
pub(crate) async fn committed(
    db: &impl ConnectionTrait,
    batch: BatchId,
    filter: RowFilter,
    page: &PageRequest,
    after: Option<i64>,
) -> Result<Page<RowReport>, DbErr> {
    let made = "SELECT t.place, t.line, 'created' AS outcome, t.id AS transaction_id, t.account_id, a.name AS account, \
                t.posted_on, t.amount_minor, t.currency, t.name, CAST(NULL AS TEXT) AS code, \
                CAST(NULL AS TEXT) AS reason FROM transactions t JOIN accounts a ON a.id = t.account_id \
                WHERE t.batch_id = $1 AND t.place > $2";
    let others = "SELECT r.place, r.line, r.outcome, r.transaction_id, r.account_id, a.name AS account, r.posted_on, \
                  r.amount_minor, r.currency, r.name, r.code, r.reason FROM batch_rows r \
                  LEFT JOIN accounts a ON a.id = r.account_id WHERE r.batch_id = $1 AND r.place > $2";
    list(db, batch, [made, others], filter, page, after).await
}

/// The rows of a previewed batch in the order of the file, as the preview left them.
pub(crate) async fn waiting(
    db: &impl ConnectionTrait,
    batch: BatchId,
    filter: RowFilter,
    page: &PageRequest,
    after: Option<i64>,
) -> Result<Page<RowReport>, DbErr> {
    // The two parts of the place and not the whole, because that is what the index has.
    let beyond = "r.batch_id = $1 AND (r.part, r.position) > ($2 / 2147483648, $2 % 2147483648)";
    let readable = format!(
        "SELECT {PLACE} AS place, r.line, coalesce(r.outcome, 'created') AS outcome, r.target_id AS transaction_id, \
         s.account_id, coalesce(a.name, s.account_name) AS account, r.posted_on, r.amount_minor, \
         coalesce(a.currency, s.account_currency) AS currency, r.name, {} FROM staged_rows r \
         JOIN staged_statements s ON s.batch_id = r.batch_id AND s.number = r.statement \
         LEFT JOIN accounts a ON a.id = s.account_id WHERE {beyond}",
        why()
    );
    let unread = format!(
        "SELECT {PLACE} AS place, r.line, 'rejected' AS outcome, CAST(NULL AS UUID) AS transaction_id, s.account_id, \
         coalesce(a.name, s.account_name) AS account, CAST(NULL AS DATE) AS posted_on, CAST(NULL AS BIGINT) AS amount_minor, \
         CAST(NULL AS TEXT) AS currency, CAST(NULL AS TEXT) AS name, r.code, r.reason FROM staged_faults r \
         LEFT JOIN staged_statements s ON s.batch_id = r.batch_id AND s.number = r.statement \
         LEFT JOIN accounts a ON a.id = s.account_id WHERE {beyond}"
    );
    list(db, batch, [&readable, &unread], filter, page, after).await
}

/// A page of rows that stand in two places, each of which the index gives in the order of the file.
async fn list(
    db: &impl ConnectionTrait,
    batch: BatchId,
    halves: [&str; 2],
    filter: RowFilter,
    page: &PageRequest,
    after: Option<i64>,
) -> Result<Page<RowReport>, DbErr> {
    let [one, other] = halves;
    let outcome = filter.outcome.map(word).transpose()?;
    let only = if outcome.is_some() { " WHERE outcome = $3" } else { "" };
    let values = |after: i64| {
        let given: [Value; 2] = [batch.0.into(), after.into()];
        given.into_iter().chain(outcome.clone().map(Value::from)).collect::<Vec<_>>()
    };
    let limit = page.limit + 1;
    let half = |rows: &str| {
        format!("SELECT * FROM (SELECT * FROM ({rows}) AS q{only} ORDER BY place LIMIT {limit}) AS half")
    };
    let text = format!("{} UNION ALL {} ORDER BY place LIMIT {limit}", half(one), half(other));
    let rows = OutcomeRow::find_by_statement(sql(db, &text, values(after.unwrap_or(-1)))).all(db).await?;
    let rows = rows.into_iter().map(<(i64, RowReport)>::try_from).collect::<Result<Vec<_>, _>>()?;
    let cut = Page::cut(rows, page.limit, |(place, _)| Cursor::new([place]));
    let mut cut = cut.map(|(_, report)| report);
    if page.with_total {
        let all = |rows: &str| format!("(SELECT count(*) FROM ({rows}) AS q{only})");
        let text = format!("SELECT {} + {} AS n", all(one), all(other));
        cut.total = Some(count(db, sql(db, &text, values(-1))).await?);
    }
    Ok(cut)
}
