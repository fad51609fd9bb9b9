use kernel::{BatchId, Instant, SpaceId, now};
use ledger_api::{
    AccountRef, Details, IngestReport, RejectedReason, RejectedRow, RevertReport, Row, StagedRow,
    StatedBalance, StatementRef, TransactionStatus,
};
use sea_orm::{ConnectionTrait, DatabaseBackend, DbErr, FromQueryResult, Value};
use uuid::Uuid;

use super::corrections::{NOTHING_TO_CORRECT, NOTHING_TO_CORRECT_REASON};
use super::steps::{By, Steps};
use super::{execute, for_update, from_json, sql, storable, to_json, word};
use crate::domain::fingerprint;

/// Rows per INSERT: enough to make the statement cheap, few enough for the limits on parameters.
const CHUNK: usize = 500;
const ROW_COLUMNS: usize = 23;
const LONGEST_ID: usize = 255;
const INSERT_ROWS: &str = "INSERT INTO staged_rows (batch_id, part, position, statement, line, transaction_id, \
    fingerprint, corrects_id, deletes, posted_on, occurred_on, posted_at, amount_minor, original_minor, \
    original_currency, kind, name, memo, search, check_number, external_id, pending, details) VALUES ";

const STAGED: [&str; 2] = ["staged_rows", "staged_faults"];
const COLUMNS: &str = "space_id, run, report, previewed, revertible, revert_report";

/// A batch: rows in waiting, or what became of them.
#[derive(FromQueryResult)]
pub(crate) struct BatchRow {
    pub(crate) space_id: Uuid,
    pub(crate) run: Uuid,
    pub(crate) report: Option<String>,
    pub(crate) previewed: Option<String>,
    pub(crate) revertible: bool,
    pub(crate) revert_report: Option<String>,
}

impl BatchRow {
    /// What `ingest` answered, once it did.
    pub(crate) fn report(&self) -> Result<Option<IngestReport>, DbErr> {
        self.report.as_deref().map(from_json).transpose()
    }

    /// What `revert` answered, once it did.
    pub(crate) fn revert_report(&self) -> Result<Option<RevertReport>, DbErr> {
        self.revert_report.as_deref().map(from_json).transpose()
    }
}

/// A statement in waiting.
pub(crate) struct Statement {
    pub(crate) number: i32,
    pub(crate) account: AccountRef,
    pub(crate) balances: Vec<StatedBalance>,
}

/// The batch, made where it is new, and held until the transaction ends.
pub(crate) async fn open(
    db: &impl ConnectionTrait,
    space: SpaceId,
    batch: BatchId,
    run: Uuid,
) -> Result<Option<BatchRow>, DbErr> {
    let text = "INSERT INTO batches (id, space_id, run, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING";
    execute(db, text, [batch.0.into(), space.0.into(), run.into(), now().into()]).await?;
    lock(db, space, batch).await
}

/// Hands the batch to a later run; what an earlier preview found does not hold for what comes now.
pub(crate) async fn take_over(db: &impl ConnectionTrait, batch: BatchId, run: Uuid) -> Result<(), DbErr> {
    execute(db, "UPDATE batches SET run = $1, previewed = NULL WHERE id = $2", [run.into(), batch.0.into()])
        .await
        .map(drop)
}

/// The batch of this household, held until the transaction ends.
pub(crate) async fn lock(
    db: &impl ConnectionTrait,
    space: SpaceId,
    batch: BatchId,
) -> Result<Option<BatchRow>, DbErr> {
    let text = format!("SELECT {COLUMNS} FROM batches WHERE id = $1{}", for_update(db));
    let row = BatchRow::find_by_statement(sql(db, &text, [batch.0.into()])).one(db).await?;
    Ok(row.filter(|row| row.space_id == space.0))
}

/// The batch of this household, as it is now.
pub(crate) async fn find(
    db: &impl ConnectionTrait,
    space: SpaceId,
    batch: BatchId,
) -> Result<Option<BatchRow>, DbErr> {
    let text = format!("SELECT {COLUMNS} FROM batches WHERE id = $1 AND space_id = $2");
    BatchRow::find_by_statement(sql(db, &text, [batch.0.into(), space.0.into()])).one(db).await
}

/// Keeps with which accounts the outcomes of the waiting rows were found.
pub(crate) async fn set_previewed(
    db: &impl ConnectionTrait,
    batch: BatchId,
    with: &str,
) -> Result<(), DbErr> {
    let text = "UPDATE batches SET previewed = $1 WHERE id = $2";
    execute(db, text, [with.into(), batch.0.into()]).await.map(drop)
}

/// Throws away all that waits.
pub(crate) async fn clear(db: &impl ConnectionTrait, batch: BatchId) -> Result<(), DbErr> {
    for table in STAGED {
        let text = format!("DELETE FROM {table} WHERE batch_id = $1 AND part >= $2 AND part < $3");
        let mut steps = Steps::new(table, By::Part, batch);
        while let Some(step) = steps.next(db).await? {
            execute(db, &text, step).await?;
        }
    }
    execute(db, "DELETE FROM staged_statements WHERE batch_id = $1", [batch.0.into()]).await.map(drop)
}

/// Throws away the rows of one part.
pub(crate) async fn clear_part(db: &impl ConnectionTrait, batch: BatchId, part: u32) -> Result<(), DbErr> {
    for table in STAGED {
        let text = format!("DELETE FROM {table} WHERE batch_id = $1 AND part = $2");
        execute(db, &text, [batch.0.into(), part.into()]).await?;
    }
    Ok(())
}

/// Forgets a batch whose rows were thrown away.
pub(crate) async fn delete(db: &impl ConnectionTrait, batch: BatchId) -> Result<(), DbErr> {
    execute(db, "DELETE FROM batches WHERE id = $1", [batch.0.into()]).await.map(drop)
}

/// Keeps what became of the batch, for those who ask again.
pub(crate) async fn finish(
    db: &impl ConnectionTrait,
    report: &IngestReport,
    at: Instant,
) -> Result<(), DbErr> {
    let text = "UPDATE batches SET report = $1, committed_at = $2, revertible = TRUE WHERE id = $3";
    execute(db, text, [to_json(report)?.into(), at.into(), report.batch.0.into()]).await.map(drop)
}

/// Keeps a statement; one that is known already gains the balances it did not have, and ends where the earlier end is.
pub(crate) async fn put_statement(
    db: &impl ConnectionTrait,
    batch: BatchId,
    statement: &StatementRef,
) -> Result<(), DbErr> {
    let number = statement.number as i32;
    let text = "SELECT balances FROM staged_statements WHERE batch_id = $1 AND number = $2";
    let known = db.query_one_raw(sql(db, text, [batch.0.into(), number.into()])).await?;
    let known = known.map(|row| row.try_get::<String>("", "balances")).transpose()?;
    let mut balances: Vec<StatedBalance> = known.as_deref().map(from_json).transpose()?.unwrap_or_default();
    balances.extend(
        statement.balances.iter().filter(|balance| !balances.contains(balance)).copied().collect::<Vec<_>>(),
    );
    let (name, currency) = match &statement.account {
        AccountRef::External(external) => {
            (Some(storable(external.name.clone())), Some(external.currency.code()))
        }
        AccountRef::Id(_) => (None, None),
    };
    let text = "INSERT INTO staged_statements \
                (batch_id, number, account, balances, account_name, account_currency, starts_on, ends_on) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8) \
                ON CONFLICT (batch_id, number) DO UPDATE SET balances = excluded.balances, \
                ends_on = CASE WHEN excluded.ends_on < staged_statements.ends_on THEN excluded.ends_on \
                ELSE coalesce(staged_statements.ends_on, excluded.ends_on) END";
    let values = [
        batch.0.into(),
        number.into(),
        to_json(&statement.account)?.into(),
        to_json(&balances)?.into(),
        name.into(),
        currency.into(),
        statement.starts_on.into(),
        statement.ends_on.into(),
    ];
    execute(db, text, values).await.map(drop)
}

/// The statements that wait, in their order.
pub(crate) async fn statements(db: &impl ConnectionTrait, batch: BatchId) -> Result<Vec<Statement>, DbErr> {
    let text = "SELECT number, account, balances FROM staged_statements WHERE batch_id = $1 ORDER BY number";
    let rows = db.query_all_raw(sql(db, text, [batch.0.into()])).await?;
    let read = |row: &sea_orm::QueryResult| {
        Ok(Statement {
            number: row.try_get("", "number")?,
            account: from_json(&row.try_get::<String>("", "account")?)?,
            balances: from_json(&row.try_get::<String>("", "balances")?)?,
        })
    };
    rows.iter().map(read).collect()
}

/// Says which account a statement is of, so that its rows can be compared with what is there.
pub(crate) async fn set_account(
    db: &impl ConnectionTrait,
    batch: BatchId,
    number: i32,
    account: Uuid,
) -> Result<(), DbErr> {
    let text = "UPDATE staged_statements SET account_id = $1 WHERE batch_id = $2 AND number = $3";
    execute(db, text, [account.into(), batch.0.into(), number.into()]).await.map(drop)
}

/// Takes the account from the statements that are of it, because it is not there any more.
pub(crate) async fn unset_account(
    db: &impl ConnectionTrait,
    batch: BatchId,
    account: Uuid,
) -> Result<(), DbErr> {
    let text = "UPDATE staged_statements SET account_id = NULL WHERE batch_id = $1 AND account_id = $2";
    execute(db, text, [batch.0.into(), account.into()]).await.map(drop)
}

/// Keeps the rows of one part, readable or not.
pub(crate) async fn put_rows(
    db: &impl ConnectionTrait,
    batch: BatchId,
    part: u32,
    rows: Vec<StagedRow>,
) -> Result<(), DbErr> {
    let mut values = Vec::with_capacity(CHUNK * ROW_COLUMNS);
    let mut waiting = 0;
    for (position, staged) in rows.into_iter().enumerate() {
        let place =
            Place { batch, part, position: position as i32, statement: staged.statement, line: staged.line };
        match staged.row {
            Ok(row) => {
                values.extend(row_values(&place, row)?);
                waiting += 1;
            }
            Err(fault) => put_fault(db, &place, fault).await?,
        }
        if waiting == CHUNK {
            insert_rows(db, waiting, std::mem::take(&mut values)).await?;
            waiting = 0;
        }
    }
    if waiting > 0 { insert_rows(db, waiting, values).await } else { Ok(()) }
}

struct Place {
    batch: BatchId,
    part: u32,
    position: i32,
    statement: u32,
    line: u32,
}

async fn insert_rows(db: &impl ConnectionTrait, rows: usize, values: Vec<Value>) -> Result<(), DbErr> {
    // Numbered marks are names to SQLite, which searches its list of names for each: quadratic in a long list.
    let numbered = db.get_database_backend() == DatabaseBackend::Postgres;
    let mark = |n: usize| if numbered { format!("${n}") } else { "?".to_owned() };
    let mut text = INSERT_ROWS.to_owned();
    for row in 0..rows {
        let marks: Vec<String> = (1..=ROW_COLUMNS).map(|column| mark(row * ROW_COLUMNS + column)).collect();
        let comma = if row == 0 { "" } else { ", " };
        text.push_str(&format!("{comma}({})", marks.join(", ")));
    }
    execute(db, &text, values).await.map(drop)
}

fn row_values(place: &Place, row: Row) -> Result<[Value; ROW_COLUMNS], DbErr> {
    let fingerprint = fingerprint(&row);
    let deletes = row.corrects.as_ref().is_some_and(|c| c.action == ledger_api::CorrectionAction::Delete);
    let search = format!("{}\n{}", row.name, row.memo.as_deref().unwrap_or_default()).to_lowercase();
    Ok([
        place.batch.0.into(),
        place.part.into(),
        place.position.into(),
        (place.statement as i32).into(),
        (place.line as i32).into(),
        Uuid::now_v7().into(),
        fingerprint.into(),
        row.corrects.map(|correction| short(correction.external_id)).into(),
        deletes.into(),
        row.posted_on.into(),
        row.occurred_on.into(),
        row.posted_at.into(),
        row.amount.minor().into(),
        row.original.map(|original| original.minor()).into(),
        row.original.map(|original| original.currency().code()).into(),
        word(row.kind)?.into(),
        storable(row.name).into(),
        row.memo.map(storable).into(),
        storable(search).into(),
        row.check_number.map(storable).into(),
        row.external_id.filter(|id| !id.is_empty()).map(short).into(),
        (row.status == TransactionStatus::Pending).into(),
        details(&row.details)?.into(),
    ])
}

/// Few rows have any, so that nearly all store nothing.
fn details(details: &Details) -> Result<Option<String>, DbErr> {
    // JSON writes U+0000 as an escape, which neither database minds in a text.
    if details.is_empty() { Ok(None) } else { to_json(details).map(Some) }
}

/// An id that an index can hold. OFX allows 255 characters (`FITID`, A-255); a longer one is known by its hash.
fn short(id: String) -> String {
    let id = storable(id);
    if id.len() <= LONGEST_ID {
        return id;
    }
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, id.as_bytes());
    digest.as_ref().iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

async fn put_fault(db: &impl ConnectionTrait, place: &Place, fault: RejectedReason) -> Result<(), DbErr> {
    let text = "INSERT INTO staged_faults (batch_id, part, position, statement, line, code, reason) \
                VALUES ($1, $2, $3, $4, $5, $6, $7)";
    let values = [
        place.batch.0.into(),
        place.part.into(),
        place.position.into(),
        (place.statement as i32).into(),
        (place.line as i32).into(),
        fault.code.into(),
        storable(fault.reason).into(),
    ];
    execute(db, text, values).await.map(drop)
}

/// The first rows that could not be taken.
pub(crate) async fn faults(
    db: &impl ConnectionTrait,
    batch: BatchId,
    limit: u64,
) -> Result<Vec<RejectedRow>, DbErr> {
    let text = format!(
        "SELECT line, code, reason FROM staged_faults WHERE batch_id = $1 \
         UNION ALL SELECT line, '{NOTHING_TO_CORRECT}', '{NOTHING_TO_CORRECT_REASON}' FROM staged_rows \
         WHERE batch_id = $1 AND corrects_id IS NOT NULL AND outcome = 'rejected' ORDER BY line LIMIT $2"
    );
    let rows = db.query_all_raw(sql(db, &text, [batch.0.into(), (limit as i64).into()])).await?;
    let read = |row: &sea_orm::QueryResult| {
        Ok(RejectedRow {
            line: row.try_get::<i32>("", "line")?.unsigned_abs(),
            code: row.try_get("", "code")?,
            reason: row.try_get("", "reason")?,
        })
    };
    rows.iter().map(read).collect()
}

/// Keeps what taking the batch back came to, for those who ask again.
pub(crate) async fn finish_revert(
    db: &impl ConnectionTrait,
    report: &RevertReport,
    at: Instant,
) -> Result<(), DbErr> {
    let text = "UPDATE batches SET revert_report = $1, reverted_at = $2 WHERE id = $3";
    execute(db, text, [to_json(report)?.into(), at.into(), report.batch.0.into()]).await.map(drop)
}

/// The least id of a run that began at or after that moment: a UUIDv7 begins with its time (RFC 9562 §5.7).
fn run_at(moment: Instant) -> Uuid {
    let ms = moment.timestamp_millis().max(0) as u128;
    Uuid::from_u128(ms << 80)
}

/// Batches that wait and were last begun before that moment.
pub(crate) async fn forgotten(db: &impl ConnectionTrait, before: Instant) -> Result<Vec<BatchId>, DbErr> {
    let text = "SELECT id FROM batches WHERE report IS NULL AND run < $1";
    let rows = db.query_all_raw(sql(db, text, [run_at(before).into()])).await?;
    rows.iter().map(|row| row.try_get("", "id").map(BatchId)).collect()
}

/// Whether the batch is still one of those; held until the transaction ends.
pub(crate) async fn lock_forgotten(
    db: &impl ConnectionTrait,
    batch: BatchId,
    before: Instant,
) -> Result<bool, DbErr> {
    let text =
        format!("SELECT id FROM batches WHERE id = $1 AND report IS NULL AND run < $2{}", for_update(db));
    let values = [batch.0.into(), run_at(before).into()];
    Ok(db.query_one_raw(sql(db, &text, values)).await?.is_some())
}
