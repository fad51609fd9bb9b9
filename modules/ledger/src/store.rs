//! The memory: every query takes its space.

pub(crate) mod accounts;
pub(crate) mod apply;
pub(crate) mod balances;
pub(crate) mod batches;
pub(crate) mod corrections;
pub(crate) mod dedupe;
pub(crate) mod edits;
pub(crate) mod exports;
pub(crate) mod pending;
pub(crate) mod previews;
pub(crate) mod priors;
pub(crate) mod revert;
pub(crate) mod rows;
pub(crate) mod statistics;
pub(crate) mod steps;
pub(crate) mod summary;
pub(crate) mod suspicions;
pub(crate) mod touched;
pub(crate) mod transactions;

use kernel::{Currency, Money};
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, Statement, Value};

/// A statement for the database that `db` is.
pub(crate) fn sql(
    db: &impl ConnectionTrait,
    text: &str,
    values: impl IntoIterator<Item = Value>,
) -> Statement {
    Statement::from_sql_and_values(db.get_database_backend(), text, values)
}

pub(crate) async fn execute(
    db: &impl ConnectionTrait,
    text: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<u64, DbErr> {
    Ok(db.execute_raw(sql(db, text, values)).await?.rows_affected())
}

/// Ends a query whose rows are about to change. SQLite has locked the whole database by then.
pub(crate) fn for_update(db: &impl ConnectionTrait) -> &'static str {
    if db.get_database_backend() == DatabaseBackend::Postgres { " FOR UPDATE" } else { "" }
}

/// The SQL for so many days after a date, or before it.
pub(crate) fn later(db: &impl ConnectionTrait, date: &str, days: i32) -> String {
    match db.get_database_backend() {
        DatabaseBackend::Postgres => format!("CAST({date} AS DATE) + ({days})"),
        _ => format!("date({date}, '{days:+} days')"),
    }
}

/// The text without U+0000, which SQLite keeps and PostgreSQL cannot.
pub(crate) fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "") } else { text }
}

/// A currency that stands in our own tables.
pub(crate) fn currency(code: &str) -> Result<Currency, DbErr> {
    Currency::parse(code).map_err(|error| DbErr::Type(error.to_string()))
}

pub(crate) fn money(minor: i64, code: &str) -> Result<Money, DbErr> {
    Ok(Money::from_minor(minor, currency(code)?))
}

/// The word for a value of an enum, as JSON has it.
pub(crate) fn word(value: impl serde::Serialize) -> Result<String, DbErr> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        other => Err(DbErr::Type(format!("not a word: {other:?}"))),
    }
}

/// The value for a word that stands in our own tables.
pub(crate) fn value_of<T: serde::de::DeserializeOwned>(word: &str) -> Result<T, DbErr> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .map_err(|error| DbErr::Type(error.to_string()))
}

/// The place of a row in its batch, part before position, as one number.
pub(crate) const PLACE: &str = "CAST(r.part AS BIGINT) * 2147483648 + r.position";
pub(crate) const PLACES_OF_PART: i64 = 2_147_483_648;

/// Reads a column that holds JSON.
pub(crate) fn from_json<T: serde::de::DeserializeOwned>(json: &str) -> Result<T, DbErr> {
    serde_json::from_str(json).map_err(|error| DbErr::Json(error.to_string()))
}

/// Writes a column that holds JSON.
pub(crate) fn to_json(value: &impl serde::Serialize) -> Result<String, DbErr> {
    serde_json::to_string(value).map_err(|error| DbErr::Json(error.to_string()))
}
