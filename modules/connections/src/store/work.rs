//! Who works on which import: a lease in the row itself, so that any process can take over from one that died.
//!
//! `due_at` is when a runner may take the import: at once, at the end of the lease of the runner that has it, or
//! after a pause. `fence` names the runner that has it; whatever a runner writes, it writes under its fence.

use std::time::Duration;

use connections_api::{Difference, ImportReport, ImportState, Mapping, Note};
use kernel::{ImportId, Problem, ProfileId, now};
use platform::Txn;
use sea_orm::{DbErr, FromQueryResult, Value};
use uuid::Uuid;

use crate::contents::Contents;

use super::{ConnectionStore, ImportRow, execute, json, one};

/// The right to work on one import until the lease runs out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lease {
    pub(crate) import: ImportId,
    pub(super) fence: Uuid,
    /// What the import was when it was taken; once it is something else, the work is not wanted any more.
    pub(crate) state: ImportState,
}

/// What reading a file came to, beside its rows.
pub(crate) struct Ended<'a> {
    pub(crate) notes: &'a [Note],
    /// What the file is, where that was judged anew.
    pub(crate) contents: Option<&'a Contents>,
    pub(crate) difference: Option<&'a Difference>,
    pub(crate) mapping: Option<&'a Mapping>,
    pub(crate) profile_id: Option<ProfileId>,
}

#[derive(FromQueryResult)]
struct Due {
    id: Uuid,
}

impl ConnectionStore {
    /// Takes the import that has waited longest; none where nothing is due.
    pub(crate) async fn claim(&self, lease: Duration) -> Result<Option<(Lease, ImportRow)>, DbErr> {
        let due = "SELECT id FROM imports WHERE due_at <= $1 ORDER BY due_at LIMIT 1";
        while let Some(Due { id }) = one(self.db.reader(), due, [now().into()]).await? {
            let fence = Uuid::now_v7();
            // Whoever comes second finds it not due any more and looks for another.
            // A fence that is still there is that of a runner that died of it, perhaps of the file.
            let sql = "UPDATE imports SET fence = $1, due_at = $2, attempts = attempts + 1, \
                       broken_runs = broken_runs + CASE WHEN fence IS NULL THEN 0 ELSE 1 END \
                       WHERE id = $3 AND due_at <= $4";
            let values = [fence.into(), (now() + lease).into(), id.into(), now().into()];
            let taken = execute(self.db.writer(), sql, values).await?.rows_affected() == 1;
            let sql = "SELECT * FROM imports WHERE id = $1 AND fence = $2";
            let row: Option<ImportRow> = one(self.db.writer(), sql, [id.into(), fence.into()]).await?;
            if let Some(row) = row.filter(|_| taken) {
                let lease = Lease { import: row.id(), fence, state: row.state()? };
                return Ok(Some((lease, row)));
            }
        }
        Ok(None)
    }

    /// Keeps the lease. False where it was lost or the work is not wanted any more.
    pub(crate) async fn extend(&self, lease: &Lease, length: Duration) -> Result<bool, DbErr> {
        let sql = "UPDATE imports SET due_at = $1 WHERE id = $2 AND fence = $3 AND state = $4";
        let (state, fence) = (lease.state.as_str(), lease.fence);
        let values = [(now() + length).into(), lease.import.0.into(), fence.into(), state.into()];
        Ok(execute(self.db.writer(), sql, values).await?.rows_affected() == 1)
    }

    /// The same, telling how far the reading is.
    pub(crate) async fn extend_reading(
        &self,
        lease: &Lease,
        length: Duration,
        (bytes_read, rows_read): (u64, u64),
    ) -> Result<bool, DbErr> {
        let sql = "UPDATE imports SET due_at = $1, bytes_read = $2, rows_read = $3 \
                   WHERE id = $4 AND fence = $5 AND state = 'reading'";
        let values = [
            (now() + length).into(),
            number(bytes_read),
            number(rows_read),
            lease.import.0.into(),
            lease.fence.into(),
        ];
        Ok(execute(self.db.writer(), sql, values).await?.rows_affected() == 1)
    }

    /// Lets go of an import, so that a runner takes it again after `pause`.
    pub(crate) async fn release(&self, lease: &Lease, pause: Duration) -> Result<(), DbErr> {
        let sql = "UPDATE imports SET fence = NULL, due_at = $1 WHERE id = $2 AND fence = $3";
        let values = [(now() + pause).into(), lease.import.0.into(), lease.fence.into()];
        execute(self.db.writer(), sql, values).await.map(drop)
    }

    /// The same after a fault of our own, which is counted.
    pub(crate) async fn release_broken(&self, lease: &Lease, pause: Duration) -> Result<(), DbErr> {
        let sql = "UPDATE imports SET fence = NULL, due_at = $1, broken_runs = broken_runs + 1 \
                   WHERE id = $2 AND fence = $3";
        let values = [(now() + pause).into(), lease.import.0.into(), lease.fence.into()];
        execute(self.db.writer(), sql, values).await.map(drop)
    }

    /// The file is read and the ledger has told what it would do. False where the lease was lost.
    pub(crate) async fn end_reading(
        &self,
        txn: &Txn,
        lease: &Lease,
        ended: &Ended<'_>,
        progress: (u64, u64),
        report: &ImportReport,
    ) -> Result<bool, DbErr> {
        let sql = "UPDATE imports SET state = 'previewed', report = $1, notes = $2, mapping = $3, profile_id = $4, \
                   bytes_read = $5, rows_read = $6, attempts = 0, broken_runs = 0, fence = NULL, \
                   due_at = NULL, updated_at = $7, detection = coalesce($10, detection), difference = $11 \
                   WHERE id = $8 AND fence = $9 AND state = 'reading'";
        let values = [
            json(report)?.into(),
            json(&ended.notes)?.into(),
            ended.mapping.map(json).transpose()?.into(),
            ended.profile_id.map(|id| id.0).into(),
            number(progress.0),
            number(progress.1),
            now().into(),
            lease.import.0.into(),
            lease.fence.into(),
            ended.contents.map(json).transpose()?.into(),
            ended.difference.map(json).transpose()?.into(),
        ];
        Ok(execute(&**txn, sql, values).await?.rows_affected() == 1)
    }

    /// The rows are in the ledger. The file is kept, so that a better reader may read it again.
    pub(crate) async fn end_commit(
        &self,
        txn: &Txn,
        lease: &Lease,
        report: &ImportReport,
    ) -> Result<bool, DbErr> {
        let sql = "UPDATE imports SET state = 'committed', report = $1, attempts = 0, \
                   broken_runs = 0, fence = NULL, due_at = NULL, updated_at = $2 \
                   WHERE id = $3 AND fence = $4 AND state = 'committing'";
        let values = [json(report)?.into(), now().into(), lease.import.0.into(), lease.fence.into()];
        Ok(execute(&**txn, sql, values).await?.rows_affected() == 1)
    }

    /// It did not work. The import stays due: its waiting rows have to go.
    pub(crate) async fn fail(
        &self,
        txn: &Txn,
        lease: &Lease,
        ended: &Ended<'_>,
        problem: &Problem,
    ) -> Result<bool, DbErr> {
        let sql = "UPDATE imports SET state = 'failed', problem = $1, report = NULL, notes = $2, \
                   mapping = coalesce($3, mapping), profile_id = coalesce($4, profile_id), attempts = 0, \
                   broken_runs = 0, fence = NULL, due_at = $5, updated_at = $5 \
                   WHERE id = $6 AND fence = $7 AND state = $8";
        let values = [
            json(problem)?.into(),
            json(&ended.notes)?.into(),
            ended.mapping.map(json).transpose()?.into(),
            ended.profile_id.map(|id| id.0).into(),
            now().into(),
            lease.import.0.into(),
            lease.fence.into(),
            lease.state.as_str().into(),
        ];
        Ok(execute(&**txn, sql, values).await?.rows_affected() == 1)
    }

    /// Nothing of the import waits in the ledger any more, so there is nothing left to do. False where somebody
    /// asked for another preview meanwhile.
    pub(crate) async fn end_tidying(&self, lease: &Lease) -> Result<bool, DbErr> {
        let sql = "UPDATE imports SET fence = NULL, due_at = NULL, attempts = 0, broken_runs = 0 \
                   WHERE id = $1 AND fence = $2 AND state = $3";
        let values = [lease.import.0.into(), lease.fence.into(), lease.state.as_str().into()];
        Ok(execute(self.db.writer(), sql, values).await?.rows_affected() == 1)
    }
}

fn number(count: u64) -> Value {
    i64::try_from(count).unwrap_or(i64::MAX).into()
}
