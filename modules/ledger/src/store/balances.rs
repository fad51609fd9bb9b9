use chrono::NaiveDate;
use kernel::{AccountId, BatchId, Cursor, DateRange, Page, PageRequest, SpaceId};
use ledger_api::{BalanceSnapshot, StatedBalance};
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};
use uuid::Uuid;

use super::transactions::{count_of, page_query};
use super::{execute, money, sql, value_of, word};
use crate::domain::Sum;

pub(super) const COLUMNS: [&str; 5] = ["account_id", "kind", "as_of", "amount_minor", "currency"];

#[derive(FromQueryResult)]
pub(super) struct SnapshotRow {
    account_id: Uuid,
    kind: String,
    as_of: NaiveDate,
    amount_minor: i64,
    currency: String,
}

impl TryFrom<SnapshotRow> for BalanceSnapshot {
    type Error = DbErr;

    fn try_from(row: SnapshotRow) -> Result<Self, DbErr> {
        Ok(Self {
            account_id: AccountId(row.account_id),
            kind: value_of(&row.kind)?,
            as_of: row.as_of,
            amount: money(row.amount_minor, &row.currency)?,
        })
    }
}

/// Keeps what a bank stated; a later word for the same day stands in place of the earlier.
pub(crate) async fn upsert(
    db: &impl ConnectionTrait,
    space: SpaceId,
    account: Uuid,
    batch: BatchId,
    balance: &StatedBalance,
) -> Result<(), DbErr> {
    let conflict = "DO UPDATE SET amount_minor = excluded.amount_minor, batch_id = excluded.batch_id";
    put(db, space, account, batch, balance, conflict).await?;
    keep(db, account, batch, balance, false).await
}

/// Keeps what a bank stated where nothing is known of that day.
pub(crate) async fn insert(
    db: &impl ConnectionTrait,
    space: SpaceId,
    account: Uuid,
    batch: BatchId,
    balance: &StatedBalance,
) -> Result<(), DbErr> {
    put(db, space, account, batch, balance, "DO NOTHING").await?;
    keep(db, account, batch, balance, true).await
}

/// Keeps what the batch said, for the day that another one is taken back. Within it, what a day ends with counts.
async fn keep(
    db: &impl ConnectionTrait,
    account: Uuid,
    batch: BatchId,
    balance: &StatedBalance,
    begins: bool,
) -> Result<(), DbErr> {
    let conflict = if begins {
        "DO NOTHING"
    } else {
        "DO UPDATE SET amount_minor = excluded.amount_minor, begins = FALSE"
    };
    let text = format!(
        "INSERT INTO batch_balances (batch_id, account_id, kind, as_of, amount_minor, begins) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (batch_id, account_id, kind, as_of) {conflict}"
    );
    let values = [
        batch.0.into(),
        account.into(),
        word(balance.kind)?.into(),
        balance.as_of.into(),
        balance.amount.minor().into(),
        begins.into(),
    ];
    execute(db, &text, values).await.map(drop)
}

async fn put(
    db: &impl ConnectionTrait,
    space: SpaceId,
    account: Uuid,
    batch: BatchId,
    balance: &StatedBalance,
    conflict: &str,
) -> Result<(), DbErr> {
    let text = format!(
        "INSERT INTO balance_snapshots (space_id, account_id, kind, as_of, amount_minor, currency, batch_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account_id, kind, as_of) {conflict}"
    );
    let values = [
        space.0.into(),
        account.into(),
        word(balance.kind)?.into(),
        balance.as_of.into(),
        balance.amount.minor().into(),
        balance.amount.currency().code().into(),
        batch.0.into(),
    ];
    execute(db, &text, values).await.map(drop)
}

/// A day of an account that a batch stated a balance of.
#[derive(FromQueryResult)]
pub(crate) struct Day {
    account_id: Uuid,
    kind: String,
    as_of: NaiveDate,
}

/// The days that a batch stated balances of.
pub(crate) async fn of_batch(db: &impl ConnectionTrait, batch: BatchId) -> Result<Vec<Day>, DbErr> {
    let text = "SELECT account_id, kind, as_of FROM batch_balances WHERE batch_id = $1";
    Day::find_by_statement(sql(db, text, [batch.0.into()])).all(db).await
}

/// Makes the balance of a day what the batches that are left say of it, or nothing.
pub(crate) async fn tell_again(db: &impl ConnectionTrait, day: &Day) -> Result<(), DbErr> {
    let values: [Value; 3] = [day.account_id.into(), day.kind.clone().into(), day.as_of.into()];
    let text = "DELETE FROM balance_snapshots WHERE account_id = $1 AND kind = $2 AND as_of = $3";
    execute(db, text, values.clone()).await?;
    // As they came: the last word on how a day ended, or else the first on how the next one began.
    let text = "INSERT INTO balance_snapshots (space_id, account_id, kind, as_of, amount_minor, currency, batch_id) \
                SELECT a.space_id, a.id, b.kind, b.as_of, b.amount_minor, a.currency, b.batch_id \
                FROM batch_balances b JOIN accounts a ON a.id = b.account_id \
                LEFT JOIN batch_accounts v ON v.batch_id = b.batch_id AND v.account_id = b.account_id \
                WHERE b.account_id = $1 AND b.kind = $2 AND b.as_of = $3 ORDER BY b.begins, \
                CASE WHEN b.begins THEN coalesce(v.version, -1) ELSE -coalesce(v.version, -1) END LIMIT 1";
    execute(db, text, values).await.map(drop)
}

/// The earliest balance that a statement of the account begins with, and its batch.
pub(crate) async fn first_opening(
    db: &impl ConnectionTrait,
    account: Uuid,
) -> Result<Option<(BatchId, StatedBalance)>, DbErr> {
    let text = "SELECT b.batch_id, b.kind, b.as_of, b.amount_minor, a.currency FROM batch_balances b \
                JOIN accounts a ON a.id = b.account_id \
                JOIN batch_accounts v ON v.batch_id = b.batch_id AND v.account_id = b.account_id \
                WHERE b.account_id = $1 AND b.begins ORDER BY b.as_of, v.version LIMIT 1";
    let Some(row) = db.query_one_raw(sql(db, text, [account.into()])).await? else { return Ok(None) };
    let stated = StatedBalance {
        kind: value_of(&row.try_get::<String>("", "kind")?)?,
        as_of: row.try_get("", "as_of")?,
        amount: money(row.try_get("", "amount_minor")?, &row.try_get::<String>("", "currency")?)?,
    };
    Ok(Some((BatchId(row.try_get("", "batch_id")?), stated)))
}

/// The date of the first row that a waiting statement books.
pub(crate) async fn first_row(
    db: &impl ConnectionTrait,
    batch: BatchId,
    statement: i32,
) -> Result<Option<NaiveDate>, DbErr> {
    let text = "SELECT min(posted_on) AS first FROM staged_rows WHERE batch_id = $1 AND statement = $2 AND NOT pending";
    let row = db.query_one_raw(sql(db, text, [batch.0.into(), statement.into()])).await?;
    Ok(row.map(|row| row.try_get("", "first")).transpose()?.flatten())
}

/// Whether anything is booked up to the end of that day that the batch did not bring.
pub(crate) async fn booked_before(
    db: &impl ConnectionTrait,
    account: Uuid,
    batch: BatchId,
    day: NaiveDate,
) -> Result<bool, DbErr> {
    let text = "SELECT 1 FROM transactions WHERE account_id = $1 AND posted_on <= $2 AND batch_id <> $3 \
                AND removed_at IS NULL AND NOT pending LIMIT 1";
    let values = [account.into(), day.into(), batch.0.into()];
    Ok(db.query_one_raw(sql(db, text, values)).await?.is_some())
}

/// The sum of what is booked after the end of that day, in minor units.
pub(crate) async fn booked_after(
    db: &impl ConnectionTrait,
    account: Uuid,
    day: NaiveDate,
) -> Result<i128, DbErr> {
    let text = format!(
        "SELECT {} FROM transactions WHERE account_id = $1 AND posted_on > $2 AND removed_at IS NULL AND NOT pending",
        Sum::sql("amount_minor")
    );
    let sum = Sum::find_by_statement(sql(db, &text, [account.into(), day.into()])).one(db).await?;
    Ok(sum.unwrap_or_default().total())
}

/// Stated balances, newest date first.
pub(crate) async fn list(
    db: &impl ConnectionTrait,
    space: SpaceId,
    account: Option<AccountId>,
    dates: DateRange,
    page: &PageRequest,
    after: Option<(NaiveDate, Uuid, String)>,
) -> Result<Page<BalanceSnapshot>, DbErr> {
    let mut query = Query::select();
    query
        .columns(COLUMNS)
        .from("balance_snapshots")
        .and_where(Expr::col("space_id").eq(space.0))
        .and_where_option(account.map(|account| Expr::col("account_id").eq(account.0)))
        .and_where_option(dates.from.map(|from| Expr::col("as_of").gte(from)))
        .and_where_option(dates.to.map(|to| Expr::col("as_of").lte(to)));
    let total = if page.with_total { Some(count_of(db, &query).await?) } else { None };
    if let Some((as_of, account, kind)) = after {
        let key = Expr::tuple([Expr::col("as_of"), Expr::col("account_id"), Expr::col("kind")]);
        query.and_where(key.lt(Expr::tuple([as_of.into(), account.into(), kind.into()])));
    }
    for column in ["as_of", "account_id", "kind"] {
        query.order_by(column, Order::Desc);
    }
    let rows: Vec<SnapshotRow> = page_query(db, &mut query, page).await?;
    let snapshots = rows.into_iter().map(BalanceSnapshot::try_from).collect::<Result<Vec<_>, _>>()?;
    let cut = Page::cut(snapshots, page.limit, |last| {
        Cursor::new([
            last.as_of.to_string(),
            last.account_id.to_string(),
            word(last.kind).unwrap_or_default(),
        ])
    });
    Ok(Page { total, ..cut })
}
