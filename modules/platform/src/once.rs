//! Once-only writes: a repeated request finds the answer of the first beside its effect.
//!
//! IETF draft `idempotency-key-header`. The key is claimed in a short transaction of its own, so that a second
//! request is told at once that the first still runs; effect, events and answer are then one transaction.

use std::time::Duration;

use kernel::{Code, Problem, now};
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult, Statement, Value};
use serde::Serialize;
use serde::de::DeserializeOwned;
use service_registry::{CallContext, CallError, IdempotencyKey};
use uuid::Uuid;

use crate::{OrFail, Store, Txn};

/// How much longer than its request a claim lives, so that a request that is just ending is not overtaken.
const LEASE_MARGIN: Duration = Duration::from_secs(5);

enum Claim<T> {
    Mine { scope: String, fence: Uuid },
    Answered(T),
}

#[derive(FromQueryResult)]
struct Record {
    fingerprint: String,
    fence: Uuid,
    lease_until: kernel::Instant,
    answer: Option<String>,
}

impl Store {
    /// Runs a write in one transaction, at most once per idempotency key of `cx`.
    ///
    /// A repeat gets the first answer and marks `cx` as replayed. Another request under the same key, or a
    /// repeat while the first still runs, is refused. A refusal or failure of `work` leaves nothing, not even
    /// the claim, so the request may be repeated.
    pub async fn once<T, E, F>(&self, cx: &CallContext, work: impl FnOnce(Txn) -> F) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: From<CallError> + From<Problem>,
        F: Future<Output = Result<T, E>>,
    {
        let Some(key) = cx.idempotency() else {
            let txn = self.begin().await.or_fail(cx)?;
            let answer = work(txn.clone()).await?;
            txn.commit().await.or_fail(cx)?;
            return Ok(answer);
        };
        match self.claim::<T, E>(cx, key).await? {
            Claim::Answered(answer) => {
                cx.mark_replayed();
                Ok(answer)
            }
            Claim::Mine { scope, fence } => {
                let done = self.run_claimed(cx, &scope, fence, work).await;
                if done.is_err() {
                    self.abandon(&scope, fence).await.or_fail(cx)?;
                }
                done
            }
        }
    }

    async fn run_claimed<T, E, F>(
        &self,
        cx: &CallContext,
        scope: &str,
        fence: Uuid,
        work: impl FnOnce(Txn) -> F,
    ) -> Result<T, E>
    where
        T: Serialize,
        E: From<CallError> + From<Problem>,
        F: Future<Output = Result<T, E>>,
    {
        let txn = self.begin().await.or_fail(cx)?;
        let answer = work(txn.clone()).await?;
        let json = serde_json::to_string(&answer).or_fail(cx)?;
        let sql = "UPDATE idempotency_keys SET answer = $1 WHERE scope = $2 AND fence = $3";
        let kept = self.execute(&*txn, sql, [json.into(), scope.into(), fence.into()]).await.or_fail(cx)?;
        if kept == 0 {
            // Our lease ran out and somebody took over: theirs counts, ours rolls back.
            return Err(in_progress().into());
        }
        txn.commit().await.or_fail(cx)?;
        Ok(answer)
    }

    async fn claim<T, E>(&self, cx: &CallContext, key: &IdempotencyKey) -> Result<Claim<T>, E>
    where
        T: DeserializeOwned,
        E: From<CallError> + From<Problem>,
    {
        let scope = scope_of(cx, key);
        let fence = Uuid::now_v7();
        let lease_until = now() + cx.remaining() + LEASE_MARGIN;
        let insert = "INSERT INTO idempotency_keys (scope, fingerprint, fence, lease_until, created_at) \
                      VALUES ($1, $2, $3, $4, $5) ON CONFLICT (scope) DO NOTHING";
        let values = [
            scope.clone().into(),
            key.fingerprint.clone().into(),
            fence.into(),
            lease_until.into(),
            now().into(),
        ];
        if self.execute(self.writer(), insert, values).await.or_fail(cx)? == 1 {
            return Ok(Claim::Mine { scope, fence });
        }
        let Some(record) = self.record(&scope).await.or_fail(cx)? else {
            // The first request failed between our two statements: it left nothing, so a repeat will run.
            return Err(in_progress().into());
        };
        if record.fingerprint != key.fingerprint {
            return Err(Problem::new(Code::IdempotencyKeyReused).into());
        }
        if let Some(answer) = record.answer {
            return Ok(Claim::Answered(serde_json::from_str(&answer).or_fail(cx)?));
        }
        if record.lease_until > now() {
            return Err(in_progress().into());
        }
        let take_over = "UPDATE idempotency_keys SET fence = $1, lease_until = $2 WHERE scope = $3 AND fence = $4 AND answer IS NULL";
        let values = [fence.into(), lease_until.into(), scope.clone().into(), record.fence.into()];
        match self.execute(self.writer(), take_over, values).await.or_fail(cx)? {
            1 => Ok(Claim::Mine { scope, fence }),
            _ => Err(in_progress().into()),
        }
    }

    async fn record(&self, scope: &str) -> Result<Option<Record>, DbErr> {
        let sql = "SELECT fingerprint, fence, lease_until, answer FROM idempotency_keys WHERE scope = $1";
        let statement = Statement::from_sql_and_values(self.backend(), sql, [scope.into()]);
        // From the writer: a reader of SQLite may still see the moment before the claim.
        Record::find_by_statement(statement).one(self.writer()).await
    }

    async fn abandon(&self, scope: &str, fence: Uuid) -> Result<(), DbErr> {
        let sql = "DELETE FROM idempotency_keys WHERE scope = $1 AND fence = $2 AND answer IS NULL";
        self.execute(self.writer(), sql, [scope.into(), fence.into()]).await.map(drop)
    }

    /// Forgets answers that are older than `age`.
    pub async fn forget_answers(&self, age: Duration) -> Result<u64, DbErr> {
        let sql = "DELETE FROM idempotency_keys WHERE created_at < $1";
        self.execute(self.writer(), sql, [(now() - age).into()]).await
    }

    async fn execute<const N: usize>(
        &self,
        on: &impl ConnectionTrait,
        sql: &str,
        values: [Value; N],
    ) -> Result<u64, DbErr> {
        let statement = Statement::from_sql_and_values(self.backend(), sql, values);
        Ok(on.execute_raw(statement).await?.rows_affected())
    }
}

/// Keys of one user in one household never meet those of another, so nobody can probe for them.
fn scope_of(cx: &CallContext, key: &IdempotencyKey) -> String {
    let (subject, space) = cx
        .caller()
        .map_or((Uuid::nil(), Uuid::nil()), |caller| (caller.subject, caller.space.unwrap_or_default()));
    format!("{space}|{subject}|{}|{}", key.route, key.key)
}

fn in_progress() -> Problem {
    Problem::new(Code::IdempotencyInProgress).retry_after(1)
}
