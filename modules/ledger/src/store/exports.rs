//! What an export reads: accounts, rows and stated balances of one account by day. All inside one snapshot.

use std::collections::HashSet;

use chrono::NaiveDate;
use kernel::{AccountId, DateRange, PageRequest, SpaceId};
use ledger_api::{Account, BalanceKind, BalanceSnapshot, Transaction};
use sea_orm::sea_query::{Expr, ExprTrait, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use uuid::Uuid;

use super::balances::SnapshotRow;
use super::transactions::{self, TransactionRow};
use super::word;
use crate::domain::Sum;
use crate::export::Sheet;

/// Rows fetched at a time: enough to make the query cheap, few enough to hold.
const ROWS: u64 = 500;

/// All accounts of the household, in the order in which they were opened.
pub(crate) async fn accounts(db: &impl ConnectionTrait, space: SpaceId) -> Result<Vec<Account>, DbErr> {
    let page = PageRequest { limit: kernel::MAX_LIMIT, ..PageRequest::default() };
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let accounts = super::accounts::list(db, space, &page, after).await?;
        all.extend(accounts.data);
        if accounts.next_cursor.is_none() {
            return Ok(all);
        }
        after = all.last().map(|account: &Account| account.id.0);
    }
}

#[derive(FromQueryResult)]
struct Days {
    first: Option<NaiveDate>,
    last: Option<NaiveDate>,
}

/// What is known of an account before its rows are read.
pub(crate) async fn sheet(
    db: &impl ConnectionTrait,
    account: Account,
    dates: DateRange,
) -> Result<Sheet, DbErr> {
    let build = |query: &SelectStatement| db.get_database_backend().build(query);
    let mut held = i128::from(account.opening.minor());
    if let Some(from) = dates.from {
        let mut query = booked(account.id);
        query.and_where(Expr::col("posted_on").lt(from)).expr(Expr::cust(Sum::sql("amount_minor")));
        held += Sum::find_by_statement(build(&query)).one(db).await?.unwrap_or_default().total();
    }
    let span = |query: &mut SelectStatement, column: &'static str| {
        query.expr_as(Expr::col(column).min(), "first").expr_as(Expr::col(column).max(), "last");
        within(query, column, dates);
    };
    let mut rows = booked(account.id);
    span(&mut rows, "posted_on");
    let days = Days::find_by_statement(build(&rows)).one(db).await?;
    let mut stated = stated(account.id, Some(BalanceKind::Ledger))?;
    span(&mut stated, "as_of");
    let stated = Days::find_by_statement(build(&stated)).one(db).await?;
    Ok(Sheet {
        account,
        held,
        days: days.and_then(|days| days.first.zip(days.last)),
        stated_from: stated.and_then(|days| days.first),
    })
}

/// Some rows of an account, by day.
pub(crate) struct Rows {
    transactions: Vec<Transaction>,
    /// Ids that the bank gave to more than one transaction of the account.
    shared: HashSet<String>,
}

impl Rows {
    /// Each with the bank's id, where it is its alone.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&Transaction, Option<&str>)> {
        self.transactions.iter().map(|transaction| {
            let id = transaction.external_id.as_deref();
            (transaction, id.filter(|id| !id.is_empty() && !self.shared.contains(*id)))
        })
    }

    /// Where the next rows begin; none where these are the last.
    pub(crate) fn next(&self) -> Option<(NaiveDate, Uuid)> {
        let last = self.transactions.last().filter(|_| self.transactions.len() as u64 == ROWS);
        last.map(|transaction| (transaction.posted_on, transaction.id.0))
    }
}

/// The next rows of an account.
pub(crate) async fn rows(
    db: &impl ConnectionTrait,
    account: AccountId,
    dates: DateRange,
    with_pending: bool,
    after: Option<(NaiveDate, Uuid)>,
) -> Result<Rows, DbErr> {
    let mut query = if with_pending { present(account) } else { booked(account) };
    query.columns(transactions::COLUMNS);
    within(&mut query, "posted_on", dates);
    if let Some((posted_on, id)) = after {
        let key = Expr::tuple([Expr::col("posted_on"), Expr::col("id")]);
        query.and_where(key.gt(Expr::tuple([posted_on.into(), id.into()])));
    }
    query.order_by("posted_on", Order::Asc).order_by("id", Order::Asc).limit(ROWS);
    let statement = db.get_database_backend().build(&query);
    let rows = TransactionRow::find_by_statement(statement).all(db).await?;
    let transactions: Vec<_> = rows.into_iter().map(|TransactionRow(transaction)| transaction).collect();
    let shared = shared(db, account, &transactions).await?;
    Ok(Rows { transactions, shared })
}

/// Which ids of `transactions` the bank gave to more than one transaction of the account.
async fn shared(
    db: &impl ConnectionTrait,
    account: AccountId,
    transactions: &[Transaction],
) -> Result<HashSet<String>, DbErr> {
    let ids: HashSet<_> = transactions.iter().filter_map(|t| t.external_id.clone()).collect();
    if ids.is_empty() {
        return Ok(HashSet::new());
    }
    let mut query = Query::select();
    query
        .column("external_id")
        .from("fingerprints")
        .and_where(Expr::col("account_id").eq(account.0))
        .and_where(Expr::col("external_id").is_in(ids))
        .group_by_col("external_id")
        .and_having(Expr::col("transaction_id").count_distinct().gt(1));
    let rows = db.query_all_raw(db.get_database_backend().build(&query)).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// Where a list of stated balances goes on.
#[derive(Clone, Debug, Default)]
pub(crate) struct After(Option<(NaiveDate, String)>);

/// Some stated balances of an account, by day.
pub(crate) struct Snapshots {
    pub(crate) snapshots: Vec<BalanceSnapshot>,
    /// Where the next ones begin; none where these are the last.
    pub(crate) next: Option<After>,
}

/// The next balances that the bank stated of an account, of one kind or of all.
pub(crate) async fn snapshots(
    db: &impl ConnectionTrait,
    account: AccountId,
    dates: DateRange,
    kind: Option<BalanceKind>,
    after: &After,
) -> Result<Snapshots, DbErr> {
    let mut query = stated(account, kind)?;
    query.columns(super::balances::COLUMNS);
    within(&mut query, "as_of", dates);
    if let After(Some((as_of, kind))) = after {
        let key = Expr::tuple([Expr::col("as_of"), Expr::col("kind")]);
        query.and_where(key.gt(Expr::tuple([(*as_of).into(), kind.clone().into()])));
    }
    query.order_by("as_of", Order::Asc).order_by("kind", Order::Asc).limit(ROWS);
    let rows = SnapshotRow::find_by_statement(db.get_database_backend().build(&query)).all(db).await?;
    let snapshots = rows.into_iter().map(BalanceSnapshot::try_from).collect::<Result<Vec<_>, _>>()?;
    let next = match snapshots.last().filter(|_| snapshots.len() as u64 == ROWS) {
        Some(last) => Some(After(Some((last.as_of, word(last.kind)?)))),
        None => None,
    };
    Ok(Snapshots { snapshots, next })
}

/// The rows of an account that the bank has booked.
fn booked(account: AccountId) -> SelectStatement {
    let mut query = present(account);
    query.and_where(Expr::col("pending").eq(false));
    query
}

/// The rows of an account that there are.
fn present(account: AccountId) -> SelectStatement {
    let mut query = Query::select();
    query.from("transactions").and_where(Expr::col("account_id").eq(account.0));
    query.and_where(Expr::col("removed_at").is_null());
    query
}

fn stated(account: AccountId, kind: Option<BalanceKind>) -> Result<SelectStatement, DbErr> {
    let mut query = Query::select();
    query.from("balance_snapshots").and_where(Expr::col("account_id").eq(account.0));
    query.and_where_option(kind.map(word).transpose()?.map(|kind| Expr::col("kind").eq(kind)));
    Ok(query)
}

fn within(query: &mut SelectStatement, column: &'static str, dates: DateRange) {
    query
        .and_where_option(dates.from.map(|from| Expr::col(column).gte(from)))
        .and_where_option(dates.to.map(|to| Expr::col(column).lte(to)));
}
