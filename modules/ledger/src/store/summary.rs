//! What a batch came to, once its rows are part of the ledger.

use kernel::BatchId;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::sql;
use crate::domain::Sum;

/// How many rows of a statement ended how, and what the booked ones of them add up to.
#[derive(FromQueryResult)]
pub(crate) struct Tally {
    pub(crate) statement: i32,
    pub(crate) outcome: String,
    pub(crate) rows: i64,
    #[sea_orm(nested)]
    pub(crate) sum: Sum,
}

pub(crate) async fn tallies(db: &impl ConnectionTrait, batch: BatchId) -> Result<Vec<Tally>, DbErr> {
    let text = format!(
        "SELECT statement, coalesce(outcome, 'created') AS outcome, count(*) AS rows, {} \
         FROM staged_rows WHERE batch_id = $1 GROUP BY statement, coalesce(outcome, 'created')",
        Sum::sql("(CASE WHEN pending THEN 0 ELSE amount_minor END)")
    );
    let mut tallies = Tally::find_by_statement(sql(db, &text, [batch.0.into()])).all(db).await?;
    let text = "SELECT statement, count(*) AS rows FROM staged_faults WHERE batch_id = $1 GROUP BY statement";
    for row in db.query_all_raw(sql(db, text, [batch.0.into()])).await? {
        let (statement, rows) = (row.try_get("", "statement")?, row.try_get("", "rows")?);
        tallies.push(Tally { statement, outcome: "rejected".to_owned(), rows, sum: Sum::default() });
    }
    Ok(tallies)
}
