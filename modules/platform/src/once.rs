//! Once-only writes: a repeated request finds the answer of the first beside its effect.
//!
//! IETF draft `idempotency-key-header`. The key is claimed in a short transaction of its own, so that a second
//! request is told at once that the first still runs; effect, events and answer are then one transaction.
//!
//! A call that came without a key, from a process that repeats it after a lost answer, is known by its call id. Nobody
//! chose that id twice, so there is nothing to compare and no claim to make: one transaction holds it all.

use std::time::Duration;

use kernel::{Code, Problem, ToProblem, now};
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
    Refused(Problem),
}

#[derive(FromQueryResult)]
struct Record {
    fingerprint: String,
    fence: Uuid,
    lease_until: kernel::Instant,
    answer: Option<String>,
    refusal: Option<String>,
}

impl Store {
    /// Runs a write in one transaction, at most once per idempotency key of `cx`, or per call id where a repeat of the
    /// call may come. At most one write per call: a second one would be taken for a repeat of the first.
    ///
    /// A repeat gets the first answer and marks `cx` as replayed. Another request under the same key, or a
    /// repeat while the first still runs, is refused. A refusal of `work` is such an answer too where it stands,
    /// see [`stands`]; any other, and a failure, leaves nothing, not even the claim, so the request may be repeated.
    pub async fn once<T, E, F>(&self, cx: &CallContext, work: impl FnOnce(Txn) -> F) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: From<CallError> + From<Problem> + ToProblem,
        F: Future<Output = Result<T, E>>,
    {
        let Some(key) = cx.idempotency() else {
            return self.once_per_call(cx, work).await;
        };
        match self.claim::<T, E>(cx, key).await? {
            Claim::Answered(answer) => {
                cx.mark_replayed();
                Ok(answer)
            }
            Claim::Refused(problem) => {
                cx.mark_replayed();
                Err(problem.into())
            }
            Claim::Mine { scope, fence } => {
                let done: Result<T, E> = self.run_claimed(cx, &scope, fence, work).await;
                if let Err(refusal) = &done {
                    self.keep_refusal(&scope, fence, &refusal.to_problem()).await.or_fail(cx)?;
                }
                done
            }
        }
    }

    async fn once_per_call<T, E, F>(&self, cx: &CallContext, work: impl FnOnce(Txn) -> F) -> Result<T, E>
    where
        T: Serialize + DeserializeOwned,
        E: From<CallError> + From<Problem>,
        F: Future<Output = Result<T, E>>,
    {
        let txn = self.begin().await.or_fail(cx)?;
        let Some(id) = cx.repeat_id() else {
            let answer = work(txn.clone()).await?;
            txn.commit().await.or_fail(cx)?;
            return Ok(answer);
        };
        let scope = scope_of(cx, &format!("call|{id}"));
        // Waits here while the first of the two is still at work, in this process or another.
        if self.insert(&*txn, cx, &scope, "", Uuid::nil()).await.or_fail(cx)? == 0 {
            let kept = self.record(&*txn, &scope).await.or_fail(cx)?.and_then(|record| record.answer);
            let Some(answer) = kept else { return Err(in_progress().into()) };
            return Ok(serde_json::from_str(&answer).or_fail(cx)?);
        }
        let answer = work(txn.clone()).await?;
        self.keep(&txn, &scope, Uuid::nil(), &answer, cx).await?;
        txn.commit().await.or_fail(cx)?;
        Ok(answer)
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
        if self.keep(&txn, scope, fence, &answer, cx).await? == 0 {
            // Our lease ran out and somebody took over: theirs counts, ours rolls back.
            return Err(in_progress().into());
        }
        txn.commit().await.or_fail(cx)?;
        Ok(answer)
    }

    /// Writes the answer beside the effect.
    async fn keep(
        &self,
        txn: &Txn,
        scope: &str,
        fence: Uuid,
        answer: &impl Serialize,
        cx: &CallContext,
    ) -> Result<u64, CallError> {
        let json = serde_json::to_string(answer).or_fail(cx)?;
        let sql = "UPDATE idempotency_keys SET answer = $1 WHERE scope = $2 AND fence = $3";
        self.execute(&**txn, sql, [json.into(), scope.into(), fence.into()]).await.or_fail(cx)
    }

    /// Begins a record; 0 where there is one already.
    async fn insert(
        &self,
        on: &impl ConnectionTrait,
        cx: &CallContext,
        scope: &str,
        fingerprint: &str,
        fence: Uuid,
    ) -> Result<u64, DbErr> {
        let sql = "INSERT INTO idempotency_keys (scope, fingerprint, fence, lease_until, created_at) \
                   VALUES ($1, $2, $3, $4, $5) ON CONFLICT (scope) DO NOTHING";
        let lease_until = now() + cx.remaining() + LEASE_MARGIN;
        let values = [scope.into(), fingerprint.into(), fence.into(), lease_until.into(), now().into()];
        self.execute(on, sql, values).await
    }

    async fn claim<T, E>(&self, cx: &CallContext, key: &IdempotencyKey) -> Result<Claim<T>, E>
    where
        T: DeserializeOwned,
        E: From<CallError> + From<Problem>,
    {
        let scope = scope_of(cx, &format!("{}|{}", key.route, key.key));
        let fence = Uuid::now_v7();
        if self.insert(self.writer(), cx, &scope, &key.fingerprint, fence).await.or_fail(cx)? == 1 {
            return Ok(Claim::Mine { scope, fence });
        }
        // From the writer: a reader of SQLite may still see the moment before the claim.
        let Some(record) = self.record(self.writer(), &scope).await.or_fail(cx)? else {
            // The first request failed between our two statements: it left nothing, so a repeat will run.
            return Err(in_progress().into());
        };
        if record.fingerprint != key.fingerprint {
            return Err(Problem::new(Code::IdempotencyKeyReused).into());
        }
        if let Some(answer) = record.answer {
            return Ok(Claim::Answered(serde_json::from_str(&answer).or_fail(cx)?));
        }
        if let Some(refusal) = record.refusal {
            return Ok(Claim::Refused(serde_json::from_str(&refusal).or_fail(cx)?));
        }
        if record.lease_until > now() {
            return Err(in_progress().into());
        }
        let take_over = "UPDATE idempotency_keys SET fence = $1, lease_until = $2 WHERE scope = $3 AND fence = $4 \
                         AND answer IS NULL AND refusal IS NULL";
        let lease_until = now() + cx.remaining() + LEASE_MARGIN;
        let values = [fence.into(), lease_until.into(), scope.clone().into(), record.fence.into()];
        match self.execute(self.writer(), take_over, values).await.or_fail(cx)? {
            1 => Ok(Claim::Mine { scope, fence }),
            _ => Err(in_progress().into()),
        }
    }

    async fn record(&self, on: &impl ConnectionTrait, scope: &str) -> Result<Option<Record>, DbErr> {
        let sql =
            "SELECT fingerprint, fence, lease_until, answer, refusal FROM idempotency_keys WHERE scope = $1";
        let statement = Statement::from_sql_and_values(self.backend(), sql, [scope.into()]);
        Record::find_by_statement(statement).one(on).await
    }

    /// Keeps a refusal that stands, after the effect is rolled back; gives the claim up where it does not.
    async fn keep_refusal(&self, scope: &str, fence: Uuid, problem: &Problem) -> Result<(), DbErr> {
        if !stands(problem) {
            return self.abandon(scope, fence).await;
        }
        let json = serde_json::to_string(problem).map_err(|error| DbErr::Json(error.to_string()))?;
        let sql = "UPDATE idempotency_keys SET refusal = $1 WHERE scope = $2 AND fence = $3";
        self.execute(self.writer(), sql, [json.into(), scope.into(), fence.into()]).await.map(drop)
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

/// Whether a repeat is to get this refusal again. Not where the caller only has to mend the request, log in, wait, or
/// bring the thing into another state first: the same key is good for that.
fn stands(problem: &Problem) -> bool {
    let mended = [Code::ValidationFailed, Code::IdempotencyKeyReused].map(Code::as_str);
    (400..500).contains(&problem.status)
        && ![400, 401, 403, 409, 413, 415, 429].contains(&problem.status)
        && !mended.contains(&problem.code.as_str())
}

/// Keys of one user in one household never meet those of another, so nobody can probe for them.
fn scope_of(cx: &CallContext, key: &str) -> String {
    let (subject, space) = cx
        .caller()
        .map_or((Uuid::nil(), Uuid::nil()), |caller| (caller.subject, caller.space.unwrap_or_default()));
    format!("{space}|{subject}|{key}")
}

fn in_progress() -> Problem {
    Problem::new(Code::IdempotencyInProgress).retry_after(1)
}
