use chrono::NaiveDate;
use kernel::{AccountId, BatchId, Cursor, DateRange, Page, PageRequest, SpaceId};
use ledger_api::{BalanceSnapshot, StatedBalance};
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use uuid::Uuid;

use super::transactions::{count_of, page_query};
use super::{execute, money, value_of, word};

#[derive(FromQueryResult)]
struct SnapshotRow {
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
    let text = "INSERT INTO balance_snapshots (space_id, account_id, kind, as_of, amount_minor, currency, batch_id) \
                VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (account_id, kind, as_of) \
                DO UPDATE SET amount_minor = excluded.amount_minor, batch_id = excluded.batch_id";
    let values = [
        space.0.into(),
        account.into(),
        word(balance.kind)?.into(),
        balance.as_of.into(),
        balance.amount.minor().into(),
        balance.amount.currency().code().into(),
        batch.0.into(),
    ];
    execute(db, text, values).await.map(drop)
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
        .columns(["account_id", "kind", "as_of", "amount_minor", "currency"])
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
