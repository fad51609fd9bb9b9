//! The accounts that a batch touched, in the order of the account's versions.

use kernel::BatchId;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use uuid::Uuid;

use super::accounts::AccountRow;
use super::{execute, sql};

/// Keeps that the batch touched the account, as it was before.
pub(crate) async fn touch(
    db: &impl ConnectionTrait,
    batch: BatchId,
    account: &AccountRow,
    opened: bool,
) -> Result<(), DbErr> {
    let text = "INSERT INTO batch_accounts (batch_id, account_id, version, opened) VALUES ($1, $2, $3, $4)";
    let values = [batch.0.into(), account.id.into(), account.version.into(), opened.into()];
    execute(db, text, values).await.map(drop)
}

/// Keeps what the account held at its beginning before the batch told otherwise.
pub(crate) async fn opened_with(
    db: &impl ConnectionTrait,
    batch: BatchId,
    account: Uuid,
    opening_minor: i64,
) -> Result<(), DbErr> {
    let text = "UPDATE batch_accounts SET opening_before = $1 WHERE batch_id = $2 AND account_id = $3";
    execute(db, text, [opening_minor.into(), batch.0.into(), account.into()]).await.map(drop)
}

/// An account that a batch touched.
#[derive(FromQueryResult)]
pub(crate) struct Touched {
    pub(crate) account_id: Uuid,
    pub(crate) version: i64,
    pub(crate) opened: bool,
    pub(crate) opening_before: Option<i64>,
}

/// The accounts that a batch touched.
pub(crate) async fn of_batch(db: &impl ConnectionTrait, batch: BatchId) -> Result<Vec<Touched>, DbErr> {
    let text = "SELECT account_id, version, opened, opening_before FROM batch_accounts WHERE batch_id = $1";
    Touched::find_by_statement(sql(db, text, [batch.0.into()])).all(db).await
}

/// Tells the batch that changed the opening balance next what it was before; false where there is none.
pub(crate) async fn opened_later(
    db: &impl ConnectionTrait,
    touched: &Touched,
    before: i64,
) -> Result<bool, DbErr> {
    let text = "UPDATE batch_accounts SET opening_before = $1 WHERE account_id = $2 AND version = \
                (SELECT min(version) FROM batch_accounts WHERE account_id = $2 AND version > $3 \
                AND opening_before IS NOT NULL)";
    let values = [before.into(), touched.account_id.into(), touched.version.into()];
    Ok(execute(db, text, values).await? > 0)
}

/// Makes the earliest batch that is left in an account the one that opened it.
pub(crate) async fn hand_opening_on(db: &impl ConnectionTrait, account: Uuid) -> Result<(), DbErr> {
    let text = "UPDATE batch_accounts SET opened = TRUE WHERE account_id = $1 AND version = \
                (SELECT min(version) FROM batch_accounts WHERE account_id = $1)";
    execute(db, text, [account.into()]).await.map(drop)
}

/// Whether one of the batches that are left in an account opened it.
pub(crate) async fn is_opened(db: &impl ConnectionTrait, account: Uuid) -> Result<bool, DbErr> {
    let text = "SELECT 1 FROM batch_accounts WHERE account_id = $1 AND opened LIMIT 1";
    Ok(db.query_one_raw(sql(db, text, [account.into()])).await?.is_some())
}

/// Whether a batch told what the account held at its beginning.
pub(crate) async fn tells_opening(db: &impl ConnectionTrait, account: Uuid) -> Result<bool, DbErr> {
    let text = "SELECT 1 FROM batch_accounts WHERE account_id = $1 AND opening_before IS NOT NULL LIMIT 1";
    Ok(db.query_one_raw(sql(db, text, [account.into()])).await?.is_some())
}
