//! What the household says of a transaction, beside what the bank says.

use kernel::{BatchId, SpaceId, TransactionId};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};

use super::transactions::count;
use super::{execute, for_update, sql};

/// What the household says; nothing where it leaves the word to the bank.
#[derive(FromQueryResult)]
pub(crate) struct Said {
    pub(crate) given_name: Option<String>,
    pub(crate) given_category: Option<String>,
    pub(crate) note: Option<String>,
}

/// What was said of a transaction that stands, held until the transaction of the database ends.
pub(crate) async fn lock(
    db: &impl ConnectionTrait,
    space: SpaceId,
    id: TransactionId,
) -> Result<Option<Said>, DbErr> {
    let text = format!(
        "SELECT given_name, given_category, note FROM transactions \
         WHERE id = $1 AND space_id = $2 AND removed_at IS NULL{}",
        for_update(db)
    );
    Said::find_by_statement(sql(db, &text, [id.0.into(), space.0.into()])).one(db).await
}

pub(crate) async fn update(db: &impl ConnectionTrait, id: TransactionId, said: &Said) -> Result<(), DbErr> {
    let words: Vec<&str> = [&said.given_name, &said.note].into_iter().flatten().map(String::as_str).collect();
    let search = (!words.is_empty()).then(|| words.join("\n").to_lowercase());
    let text = "UPDATE transactions SET given_name = $1, given_category = $2, note = $3, given_search = $4 WHERE id = $5";
    let values = [
        said.given_name.clone().into(),
        said.given_category.clone().into(),
        said.note.clone().into(),
        search.into(),
        id.0.into(),
    ];
    execute(db, text, values).await.map(drop)
}

/// How many names, categories and notes the household has given to the transactions that a batch made.
pub(crate) async fn of_batch(db: &impl ConnectionTrait, batch: BatchId) -> Result<u64, DbErr> {
    let text = "SELECT count(given_name) + count(given_category) + count(note) AS n \
                FROM transactions WHERE batch_id = $1";
    count(db, sql(db, text, [batch.0.into()])).await
}
