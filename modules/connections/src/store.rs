//! The memory. Every query that answers a request takes its space; those of the job engine take the lease instead.

mod chunks;
mod files;
mod imports;
mod members;
mod profiles;
mod undo;
mod work;

use platform::Store;
use sea_orm::{ConnectionTrait, DbErr, ExecResult, FromQueryResult, Statement, Value};

pub(crate) use imports::{Choice, ImportRow, NewImport};
pub(crate) use profiles::ProfilePosition;
pub(crate) use work::{Ended, Lease};

/// The database of connections.
#[derive(Clone)]
pub(crate) struct ConnectionStore {
    pub(crate) db: Store,
}

impl ConnectionStore {
    pub(crate) fn new(db: Store) -> Self {
        Self { db }
    }
}

async fn execute<const N: usize>(
    on: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<ExecResult, DbErr> {
    on.execute_raw(Statement::from_sql_and_values(on.get_database_backend(), sql, values)).await
}

async fn one<T: FromQueryResult, const N: usize>(
    on: &impl ConnectionTrait,
    sql: &str,
    values: [Value; N],
) -> Result<Option<T>, DbErr> {
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    T::find_by_statement(statement).one(on).await
}

async fn all<T: FromQueryResult>(
    on: &impl ConnectionTrait,
    sql: &str,
    values: Vec<Value>,
) -> Result<Vec<T>, DbErr> {
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    T::find_by_statement(statement).all(on).await
}

async fn count(on: &impl ConnectionTrait, sql: &str, values: Vec<Value>) -> Result<u64, DbErr> {
    #[derive(FromQueryResult)]
    struct Total {
        total: i64,
    }
    let statement = Statement::from_sql_and_values(on.get_database_backend(), sql, values);
    let total = Total::find_by_statement(statement).one(on).await?;
    Ok(total.map_or(0, |total| total.total.unsigned_abs()))
}

/// What a column keeps as JSON text.
fn json<T: serde::Serialize>(value: &T) -> Result<String, DbErr> {
    serde_json::to_string(value).map_err(|error| DbErr::Json(error.to_string()))
}

fn from_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, DbErr> {
    serde_json::from_str(text).map_err(|error| DbErr::Json(error.to_string()))
}
