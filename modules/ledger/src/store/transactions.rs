use chrono::NaiveDate;
use kernel::{AccountId, Cursor, DateRange, Page, PageRequest, SpaceId, TransactionId};
use ledger_api::{Details, Transaction, TransactionFilter, TransactionStatus};
use sea_orm::sea_query::{Condition, Expr, ExprTrait, LikeExpr, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, QueryResult, Statement};
use uuid::Uuid;

use super::{from_json, money, value_of, word};
use crate::domain::Bound;

pub(super) const COLUMNS: [&str; 19] = [
    "id",
    "account_id",
    "posted_on",
    "occurred_on",
    "posted_at",
    "amount_minor",
    "currency",
    "original_minor",
    "original_currency",
    "kind",
    "name",
    "memo",
    "check_number",
    "external_id",
    "pending",
    "details",
    "given_name",
    "given_category",
    "note",
];

/// A transaction as `COLUMNS` select it. Read by place: a search for each name would cost more than the query.
pub(super) struct TransactionRow(pub(super) Transaction);

impl FromQueryResult for TransactionRow {
    fn from_query_result(row: &QueryResult, _: &str) -> Result<Self, DbErr> {
        let currency: String = row.try_get_by_index(6)?;
        let original: Option<i64> = row.try_get_by_index(7)?;
        let original = original.zip(row.try_get_by_index::<Option<String>>(8)?);
        let details: Option<String> = row.try_get_by_index(15)?;
        let details: Details = details.map(|json| from_json(&json)).transpose()?.unwrap_or_default();
        let bank_name: String = row.try_get_by_index(10)?;
        let (name, bank_name) = match row.try_get_by_index::<Option<String>>(16)? {
            Some(given) => (given, Some(bank_name)),
            None => (bank_name, None),
        };
        Ok(Self(Transaction {
            name,
            bank_name,
            category: row.try_get_by_index::<Option<String>>(17)?.or_else(|| details.category.clone()),
            note: row.try_get_by_index(18)?,
            id: TransactionId(row.try_get_by_index(0)?),
            account_id: AccountId(row.try_get_by_index(1)?),
            posted_on: row.try_get_by_index(2)?,
            occurred_on: row.try_get_by_index(3)?,
            posted_at: row.try_get_by_index(4)?,
            amount: money(row.try_get_by_index(5)?, &currency)?,
            original: original.map(|(minor, code)| money(minor, &code)).transpose()?,
            kind: value_of(&row.try_get_by_index::<String>(9)?)?,
            memo: row.try_get_by_index(11)?,
            check_number: row.try_get_by_index(12)?,
            external_id: row.try_get_by_index(13)?,
            status: status(row.try_get_by_index(14)?),
            details,
        }))
    }
}

fn status(pending: bool) -> TransactionStatus {
    if pending { TransactionStatus::Pending } else { TransactionStatus::Booked }
}

/// What is wanted of the transactions, read and checked.
pub(crate) struct Wanted {
    pub(crate) filter: TransactionFilter,
    pub(crate) dates: DateRange,
    pub(crate) least: Option<Bound>,
    pub(crate) greatest: Option<Bound>,
    pub(crate) after: Option<(NaiveDate, Uuid)>,
}

pub(crate) async fn find(
    db: &impl ConnectionTrait,
    space: SpaceId,
    id: TransactionId,
) -> Result<Option<Transaction>, DbErr> {
    let mut query = select(space);
    query.and_where(Expr::col("id").eq(id.0));
    let row = TransactionRow::find_by_statement(db.get_database_backend().build(&query)).one(db).await?;
    Ok(row.map(|TransactionRow(transaction)| transaction))
}

/// Transactions that match, newest bank date first.
pub(crate) async fn list(
    db: &impl ConnectionTrait,
    space: SpaceId,
    wanted: Wanted,
    page: &PageRequest,
) -> Result<Page<Transaction>, DbErr> {
    let mut query = select(space);
    narrow(db, space, &mut query, &wanted).await?;
    let total = if page.with_total { Some(count_of(db, &query).await?) } else { None };
    if let Some((posted_on, id)) = wanted.after {
        let key = Expr::tuple([Expr::col("posted_on"), Expr::col("id")]);
        query.and_where(key.lt(Expr::tuple([posted_on.into(), id.into()])));
    }
    query.order_by("posted_on", Order::Desc).order_by("id", Order::Desc);
    let rows: Vec<TransactionRow> = page_query(db, &mut query, page).await?;
    let transactions = rows.into_iter().map(|TransactionRow(transaction)| transaction).collect();
    let cut = Page::cut(transactions, page.limit, |last: &Transaction| {
        Cursor::new([last.posted_on.to_string(), last.id.to_string()])
    });
    Ok(Page { total, ..cut })
}

fn select(space: SpaceId) -> SelectStatement {
    let mut query = Query::select();
    query.columns(COLUMNS).from("transactions");
    query.and_where(Expr::col("space_id").eq(space.0)).and_where(Expr::col("removed_at").is_null());
    query
}

async fn narrow(
    db: &impl ConnectionTrait,
    space: SpaceId,
    query: &mut SelectStatement,
    wanted: &Wanted,
) -> Result<(), DbErr> {
    let filter = &wanted.filter;
    let kind = filter.kind.map(word).transpose()?;
    query
        .and_where_option(filter.account_id.map(|account| Expr::col("account_id").eq(account.0)))
        .and_where_option(wanted.dates.from.map(|from| Expr::col("posted_on").gte(from)))
        .and_where_option(wanted.dates.to.map(|to| Expr::col("posted_on").lte(to)))
        .and_where_option(kind.map(|kind| Expr::col("kind").eq(kind)));
    if let Some(text) = &filter.text {
        query.and_where(contains(text));
    }
    if wanted.least.is_some() || wanted.greatest.is_some() {
        // A bound means another number of minor units in each currency.
        let mut any = Condition::any();
        for currency in super::accounts::currencies(db, space).await? {
            let within = Condition::all()
                .add(Expr::col("currency").eq(currency.code()))
                .add_option(wanted.least.map(|bound| Expr::col("amount_minor").gte(bound.least(currency))))
                .add_option(
                    wanted.greatest.map(|bound| Expr::col("amount_minor").lte(bound.greatest(currency))),
                );
            any = any.add(within);
        }
        query.cond_where(any);
    }
    Ok(())
}

/// The text anywhere in name, memo or note, whatever its case; `%` and `_` in it mean themselves.
fn contains(text: &str) -> Expr {
    let escaped = text.to_lowercase().replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    let like = || LikeExpr::new(format!("%{escaped}%")).escape('\\');
    Expr::col("search").like(like()).or(Expr::col("given_search").like(like()))
}

/// One page of `query`, and one row more to learn whether there is another.
pub(crate) async fn page_query<Row: FromQueryResult>(
    db: &impl ConnectionTrait,
    query: &mut SelectStatement,
    page: &PageRequest,
) -> Result<Vec<Row>, DbErr> {
    query.limit(u64::from(page.limit) + 1);
    Row::find_by_statement(db.get_database_backend().build(query)).all(db).await
}

/// How many rows `query` has.
pub(crate) async fn count_of(db: &impl ConnectionTrait, query: &SelectStatement) -> Result<u64, DbErr> {
    let mut counting = query.clone();
    counting.clear_selects().expr_as(Expr::cust("count(*)"), "n");
    count(db, db.get_database_backend().build(&counting)).await
}

/// The number that a statement selects as `n`.
pub(crate) async fn count(db: &impl ConnectionTrait, statement: Statement) -> Result<u64, DbErr> {
    let row = db.query_one_raw(statement).await?;
    let n = row.map(|row| row.try_get::<i64>("", "n")).transpose()?.unwrap_or_default();
    Ok(n.unsigned_abs())
}
