//! What transactions were before a batch changed them.

use std::collections::HashMap;

use kernel::BatchId;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use uuid::Uuid;

use super::apply::{Which, movement};
use super::{execute, sql};
use crate::domain::Sum;

/// The columns of a transaction that a batch may change, and whether it stands.
pub(super) fn columns() -> impl Iterator<Item = &'static str> {
    movement().chain(["removed_at"])
}

/// What of a transaction, or of what it was, counts in the booked balance.
pub(super) fn counted(table: &str) -> String {
    format!(
        "(CASE WHEN {table}.pending OR {table}.removed_at IS NOT NULL THEN 0 ELSE {table}.amount_minor END)"
    )
}

/// A sum for each of some accounts.
#[derive(FromQueryResult)]
struct AccountSum {
    account_id: Uuid,
    #[sea_orm(nested)]
    sum: Sum,
}

/// The sums that a statement selects, by account.
pub(super) async fn sums(
    db: &impl ConnectionTrait,
    text: &str,
    batch: BatchId,
) -> Result<HashMap<Uuid, i128>, DbErr> {
    let sums = AccountSum::find_by_statement(sql(db, text, [batch.0.into()])).all(db).await?;
    Ok(sums.into_iter().map(|row| (row.account_id, row.sum.total())).collect())
}

/// Keeps what is about to change. Of several changes by one batch the first is kept: nobody goes back half-way.
pub(crate) async fn keep(db: &impl ConnectionTrait, batch: BatchId, which: Which<'_>) -> Result<(), DbErr> {
    let columns: Vec<&str> = columns().collect();
    let of_t: Vec<String> = columns.iter().map(|column| format!("t.{column}")).collect();
    let text = format!(
        "INSERT INTO prior_values (batch_id, transaction_id, version, told_on, told_fingerprint, told_id, {}) \
         SELECT $1, t.id, a.version, r.posted_on, r.fingerprint, coalesce(r.external_id, ''), {} FROM staged_rows r \
         JOIN transactions t ON t.id = r.target_id JOIN accounts a ON a.id = t.account_id \
         WHERE {} AND r.outcome = 'updated' ON CONFLICT DO NOTHING",
        columns.join(", "),
        of_t.join(", "),
        which.condition()
    );
    execute(db, &text, [batch.0.into()]).await.map(drop)
}

/// By how much the changes of a batch moved what is booked, by account.
pub(crate) async fn moved(db: &impl ConnectionTrait, batch: BatchId) -> Result<HashMap<Uuid, i128>, DbErr> {
    let difference = |table: &str| {
        format!(
            "SELECT t.account_id, {} FROM prior_values p JOIN transactions t ON t.id = p.transaction_id \
             WHERE p.batch_id = $1 GROUP BY t.account_id",
            Sum::sql(&counted(table))
        )
    };
    let mut moved = sums(db, &difference("t"), batch).await?;
    for (account, before) in sums(db, &difference("p"), batch).await? {
        *moved.entry(account).or_default() -= before;
    }
    Ok(moved)
}
