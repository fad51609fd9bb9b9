//! Goes through a batch in steps of some 100,000 rows: SQLite first collects the rows of a DELETE in memory where
//! foreign keys are in play, 24 bytes for each, and a batch may have millions.

use kernel::BatchId;
use sea_orm::{ConnectionTrait, DbErr, Value};

use super::{PLACES_OF_PART, sql};

const PARTS: i64 = 50;

/// What a table orders the rows of a batch by.
#[derive(Clone, Copy)]
pub(crate) enum By {
    Part,
    Place,
}

/// The steps of a batch through one table, each begun where there is a row.
pub(crate) struct Steps<'a> {
    table: &'a str,
    by: By,
    batch: BatchId,
    next: i64,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(table: &'a str, by: By, batch: BatchId) -> Self {
        Self { table, by, batch, next: 0 }
    }

    /// The batch, and from where up to before what the next step goes; none where no row is left.
    pub(crate) async fn next(&mut self, db: &impl ConnectionTrait) -> Result<Option<[Value; 3]>, DbErr> {
        let (column, width) = match self.by {
            By::Part => ("part", PARTS),
            By::Place => ("place", PARTS * PLACES_OF_PART),
        };
        let text = format!(
            "SELECT CAST(min({column}) AS BIGINT) AS first FROM {} WHERE batch_id = $1 AND {column} >= $2",
            self.table
        );
        let row = db.query_one_raw(sql(db, &text, [self.batch.0.into(), self.next.into()])).await?;
        let first: Option<i64> = row.map(|row| row.try_get("", "first")).transpose()?.flatten();
        Ok(first.map(|first| {
            self.next = first + width;
            [self.batch.0.into(), first.into(), self.next.into()]
        }))
    }
}
