use std::sync::LazyLock;

use chrono::NaiveDate;
use kernel::{AccountId, Cursor, Instant, Money, Page, PageRequest, SpaceId};
use ledger_api::{Account, Drift, ExternalAccount};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Value};
use uuid::Uuid;

use super::{currency, execute, for_update, money, sql, storable, value_of, word};
use crate::domain::Sum;

/// An account with its latest stated balance, and the sum of what came after that.
static SELECT: LazyLock<String> = LazyLock::new(|| {
    // PostgreSQL would look at every row to find that none is later than no day.
    let later = |half: &str| {
        format!(
            "CASE WHEN b.as_of IS NOT NULL THEN (SELECT CAST(sum({half}) AS BIGINT) FROM transactions t \
             WHERE t.account_id = a.id AND t.posted_on > b.as_of AND t.removed_at IS NULL AND NOT t.pending) END"
        )
    };
    let pending = |half: &str| {
        format!(
            "(SELECT CAST(sum({half}) AS BIGINT) FROM transactions t \
             WHERE t.account_id = a.id AND t.pending AND t.removed_at IS NULL)"
        )
    };
    format!(
        "SELECT a.*, b.as_of, b.amount_minor AS stated_minor, {} AS billions, {} AS rest, \
         {} AS pending_billions, {} AS pending_rest FROM accounts a \
         LEFT JOIN balance_snapshots b ON b.account_id = a.id AND b.kind = 'ledger' AND b.as_of = \
         (SELECT max(m.as_of) FROM balance_snapshots m WHERE m.account_id = a.id AND m.kind = 'ledger') \
         WHERE a.space_id = $1",
        later("t.amount_minor / 1000000000"),
        later("t.amount_minor % 1000000000"),
        pending("t.amount_minor / 1000000000"),
        pending("t.amount_minor % 1000000000")
    )
});

#[derive(FromQueryResult)]
struct WithBalance {
    #[sea_orm(nested)]
    account: AccountRow,
    #[sea_orm(nested)]
    later: Sum,
    as_of: Option<NaiveDate>,
    stated_minor: Option<i64>,
    pending_billions: Option<i64>,
    pending_rest: Option<i64>,
}

/// A row of `accounts`.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct AccountRow {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) currency: String,
    pub(crate) external_key: Option<String>,
    pub(crate) bank_id: Option<String>,
    pub(crate) number_mask: Option<String>,
    pub(crate) closed: bool,
    pub(crate) opening_minor: i64,
    pub(crate) booked_minor: i64,
    pub(crate) created_at: Instant,
    /// Counts what batches did to it.
    pub(crate) version: i64,
    /// Whether somebody of the household stated the opening balance.
    pub(crate) opening_given: bool,
}

impl AccountRow {
    pub(crate) fn booked(&self) -> Result<Money, DbErr> {
        money(self.booked_minor, &self.currency)
    }
}

impl TryFrom<WithBalance> for Account {
    type Error = DbErr;

    fn try_from(row: WithBalance) -> Result<Self, DbErr> {
        let currency = currency(&row.account.currency)?;
        let drift = match (row.as_of, row.stated_minor) {
            (Some(as_of), Some(stated)) => {
                let booked = i128::from(row.account.booked_minor) - row.later.total();
                Some(drift(as_of, Money::from_minor(stated, currency), booked)?)
            }
            _ => None,
        };
        let pending = Sum { billions: row.pending_billions, rest: row.pending_rest }.total();
        let pending = i64::try_from(pending).map_err(|_| out_of_range())?;
        Ok(Self {
            id: AccountId(row.account.id),
            pending: Money::from_minor(pending, currency),
            kind: value_of(&row.account.kind)?,
            currency,
            opening: Money::from_minor(row.account.opening_minor, currency),
            booked: Money::from_minor(row.account.booked_minor, currency),
            drift,
            name: row.account.name,
            bank_id: row.account.bank_id,
            number_mask: row.account.number_mask,
            closed: row.account.closed,
            created_at: row.account.created_at,
        })
    }
}

fn out_of_range() -> DbErr {
    DbErr::Type("a balance is out of range".into())
}

/// A stated balance beside ours for the same day.
pub(crate) fn drift(as_of: NaiveDate, stated: Money, booked: i128) -> Result<Drift, DbErr> {
    let booked = i64::try_from(booked).map_err(|_| out_of_range())?;
    let booked = Money::from_minor(booked, stated.currency());
    let difference = stated.checked_sub(booked).map_err(|error| DbErr::Type(error.to_string()))?;
    Ok(Drift { as_of, stated, booked, difference })
}

pub(crate) async fn find(
    db: &impl ConnectionTrait,
    space: SpaceId,
    id: AccountId,
) -> Result<Option<Account>, DbErr> {
    let text = format!("{} AND a.id = $2", *SELECT);
    let row = WithBalance::find_by_statement(sql(db, &text, [space.0.into(), id.0.into()])).one(db).await?;
    row.map(Account::try_from).transpose()
}

pub(crate) async fn list(
    db: &impl ConnectionTrait,
    space: SpaceId,
    page: &PageRequest,
    after: Option<Uuid>,
) -> Result<Page<Account>, DbErr> {
    let mut values: Vec<Value> = vec![space.0.into(), i64::from(page.limit + 1).into()];
    let position = match after {
        Some(id) => {
            values.push(id.into());
            "AND a.id > $3"
        }
        None => "",
    };
    let text = format!("{} {position} ORDER BY a.id LIMIT $2", *SELECT);
    let rows = WithBalance::find_by_statement(sql(db, &text, values)).all(db).await?;
    let accounts = rows.into_iter().map(Account::try_from).collect::<Result<Vec<_>, _>>()?;
    let mut page_of = Page::cut(accounts, page.limit, |account| Cursor::new([account.id]));
    if page.with_total {
        page_of.total = Some(count(db, space).await?);
    }
    Ok(page_of)
}

async fn count(db: &impl ConnectionTrait, space: SpaceId) -> Result<u64, DbErr> {
    super::transactions::count(
        db,
        sql(db, "SELECT count(*) AS n FROM accounts WHERE space_id = $1", [space.0.into()]),
    )
    .await
}

/// The currencies that the household has accounts in.
pub(crate) async fn currencies(
    db: &impl ConnectionTrait,
    space: SpaceId,
) -> Result<Vec<kernel::Currency>, DbErr> {
    let text = "SELECT DISTINCT currency FROM accounts WHERE space_id = $1";
    let rows = db.query_all_raw(sql(db, text, [space.0.into()])).await?;
    rows.iter().map(|row| currency(&row.try_get::<String>("", "currency")?)).collect()
}

/// The row of an account, as it is now.
pub(crate) async fn find_row(
    db: &impl ConnectionTrait,
    space: SpaceId,
    id: AccountId,
) -> Result<Option<AccountRow>, DbErr> {
    let text = "SELECT * FROM accounts WHERE space_id = $1 AND id = $2";
    AccountRow::find_by_statement(sql(db, text, [space.0.into(), id.0.into()])).one(db).await
}

/// The row of an account, held until the transaction ends.
pub(crate) async fn lock(
    db: &impl ConnectionTrait,
    space: SpaceId,
    id: AccountId,
) -> Result<Option<AccountRow>, DbErr> {
    let text = format!("SELECT * FROM accounts WHERE space_id = $1 AND id = $2{}", for_update(db));
    AccountRow::find_by_statement(sql(db, &text, [space.0.into(), id.0.into()])).one(db).await
}

/// The row of an account at a bank, as it is now.
pub(crate) async fn find_by_key(
    db: &impl ConnectionTrait,
    space: SpaceId,
    key: &str,
) -> Result<Option<AccountRow>, DbErr> {
    let text = "SELECT * FROM accounts WHERE space_id = $1 AND external_key = $2";
    AccountRow::find_by_statement(sql(db, text, [space.0.into(), key.into()])).one(db).await
}

pub(crate) async fn insert(
    db: &impl ConnectionTrait,
    space: SpaceId,
    row: &AccountRow,
) -> Result<bool, DbErr> {
    let text = "INSERT INTO accounts (id, space_id, name, kind, currency, external_key, bank_id, number_mask, closed, \
                opening_minor, booked_minor, created_at, version, opening_given) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
                ON CONFLICT (space_id, external_key) DO NOTHING";
    let row = row.clone();
    let values = [
        row.id.into(),
        space.0.into(),
        row.name.into(),
        row.kind.into(),
        row.currency.into(),
        row.external_key.into(),
        row.bank_id.into(),
        row.number_mask.into(),
        row.closed.into(),
        row.opening_minor.into(),
        row.booked_minor.into(),
        row.created_at.into(),
        row.version.into(),
        row.opening_given.into(),
    ];
    Ok(execute(db, text, values).await? == 1)
}

/// A row for an account that a bank's file tells of for the first time.
pub(crate) fn row_of(external: &ExternalAccount) -> Result<AccountRow, DbErr> {
    Ok(AccountRow {
        id: AccountId::new().0,
        name: storable(external.name.clone()),
        kind: word(external.kind)?,
        currency: external.currency.code().to_owned(),
        external_key: Some(external.key.clone()),
        bank_id: external.bank_id.clone().map(storable),
        number_mask: external.number_mask.clone().map(storable),
        closed: false,
        opening_minor: 0,
        booked_minor: 0,
        created_at: kernel::now(),
        version: 0,
        opening_given: false,
    })
}

/// Writes back what may change of an account.
pub(crate) async fn update(db: &impl ConnectionTrait, row: &AccountRow) -> Result<(), DbErr> {
    let text = "UPDATE accounts SET name = $1, closed = $2, opening_minor = $3, booked_minor = $4, opening_given = $5, \
         version = version + 1 WHERE id = $6";
    let values = [
        row.name.clone().into(),
        row.closed.into(),
        row.opening_minor.into(),
        row.booked_minor.into(),
        row.opening_given.into(),
        row.id.into(),
    ];
    execute(db, text, values).await.map(drop)
}

/// Takes an account away that nothing is in, with what batches that brought nothing into it know of it; false where it
/// stays.
pub(crate) async fn remove_empty(db: &impl ConnectionTrait, id: Uuid) -> Result<bool, DbErr> {
    let nothing = ["transactions", "balance_snapshots"]
        .map(|table| format!("NOT EXISTS (SELECT 1 FROM {table} x WHERE x.account_id = $1)"));
    let nothing = nothing.join(" AND ");
    execute(db, &format!("DELETE FROM batch_accounts WHERE account_id = $1 AND {nothing}"), [id.into()])
        .await?;
    let text = format!("DELETE FROM accounts WHERE id = $1 AND {nothing}");
    Ok(execute(db, &text, [id.into()]).await? > 0)
}
