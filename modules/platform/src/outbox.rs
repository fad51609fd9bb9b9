//! The outbox: a change and the event that tells of it are one transaction.
//!
//! A stamper numbers committed events without gaps, so that a reader who asks for what came after a number
//! can never miss one that commits late (a database sequence has gaps and may commit out of order).

use std::time::Duration;

use kernel::{Instant, SpaceId, now};
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, FromQueryResult, Statement};
use serde::Serialize;
use service_registry::CallContext;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Job, Store, Txn};

/// How long an event may wait where the doorbell was missed, as when another process wrote it.
const POLL: Duration = Duration::from_millis(500);

const HOUSEKEEPING: Duration = Duration::from_secs(15 * 60);
/// How long the answer to an idempotency key is kept.
const ANSWERS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// An event of the feed.
#[derive(Clone, Debug, FromQueryResult)]
pub struct Event {
    /// Its place in the module's feed, without gaps, in the order of commit.
    pub feed_seq: i64,
    /// What happened, such as `ledger.batch.committed`.
    pub kind: String,
    /// What it happened to.
    pub subject: String,
    /// The few facts that go with it, as JSON.
    pub data: String,
    /// When it was written.
    pub created_at: Instant,
}

/// Writes an event into the transaction of the change that it tells of.
pub async fn append(
    cx: &CallContext,
    txn: &Txn,
    space: Option<SpaceId>,
    kind: &str,
    subject: impl ToString,
    data: &impl Serialize,
) -> Result<(), DbErr> {
    let data = serde_json::to_string(data).map_err(|error| DbErr::Json(error.to_string()))?;
    let sql = "INSERT INTO outbox (id, space_id, kind, subject, data, trace, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = [
        Uuid::now_v7().into(),
        space.map(|space| space.0).into(),
        kind.into(),
        subject.to_string().into(),
        data.into(),
        cx.trace().traceparent().into(),
        now().into(),
    ];
    txn.execute_raw(Statement::from_sql_and_values(txn.get_database_backend(), sql, values)).await?;
    txn.expect_events();
    Ok(())
}

/// Events of `space` after `after_seq`, oldest first.
pub async fn feed(store: &Store, space: SpaceId, after_seq: i64, limit: u16) -> Result<Vec<Event>, DbErr> {
    let sql = "SELECT feed_seq, kind, subject, data, created_at FROM outbox \
               WHERE space_id = $1 AND feed_seq > $2 ORDER BY feed_seq LIMIT $3";
    let values = [space.0.into(), after_seq.into(), i64::from(limit).into()];
    Event::find_by_statement(Statement::from_sql_and_values(store.backend(), sql, values))
        .all(store.reader())
        .await
}

/// Numbers what was committed since the last time; answers how many events that were.
pub async fn stamp(store: &Store) -> Result<u64, DbErr> {
    let waiting = "SELECT 1 FROM outbox WHERE feed_seq IS NULL LIMIT 1";
    let waiting = Statement::from_string(store.backend(), waiting);
    if store.reader().query_one_raw(waiting).await?.is_none() {
        return Ok(0);
    }
    let txn = store.begin().await?;
    if store.backend() == DatabaseBackend::Postgres {
        // One stamper at a time, also across processes; SQLite's write lock sees to that by itself.
        txn.execute_unprepared("LOCK TABLE outbox IN SHARE ROW EXCLUSIVE MODE").await?;
    }
    let stamped = txn
        .execute_unprepared(
            "UPDATE outbox SET feed_seq = fresh.seq FROM (SELECT id, \
             (SELECT coalesce(max(feed_seq), 0) FROM outbox) + row_number() OVER (ORDER BY id) AS seq \
             FROM outbox WHERE feed_seq IS NULL) AS fresh WHERE outbox.id = fresh.id",
        )
        .await?
        .rows_affected();
    txn.commit().await?;
    Ok(stamped)
}

/// The job that forgets answers to idempotency keys once they are a day old, the least that clients may count on.
pub fn housekeeper(store: &Store) -> Job {
    let store = store.clone();
    Job::new("housekeeper", move |stop| keep_house(store, stop))
}

async fn keep_house(store: Store, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(HOUSEKEEPING)).await.is_some() {
        if let Err(error) = store.forget_answers(ANSWERS_KEPT).await {
            tracing::warn!(module = store.module(), %error, "Old answers stay until the next round");
        }
    }
}

/// The job that keeps stamping.
pub fn stamper(store: &Store) -> Job {
    let store = store.clone();
    Job::new("outbox stamper", move |stop| keep_stamping(store, stop))
}

async fn keep_stamping(store: Store, stop: CancellationToken) {
    loop {
        if let Err(error) = stamp(&store).await {
            tracing::warn!(module = store.module(), %error, "Events wait, because they could not be numbered");
        }
        tokio::select! {
            () = store.bell().notified() => {}
            () = tokio::time::sleep(POLL) => {}
            () = stop.cancelled() => break,
        }
    }
    // What was written while we stopped is numbered now rather than at the next start.
    if let Err(error) = stamp(&store).await {
        tracing::warn!(module = store.module(), %error, "Events wait for the next start");
    }
}
