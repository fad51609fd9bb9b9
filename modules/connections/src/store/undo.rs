use connections_api::UndoReport;
use kernel::{ImportId, Principal, Problem, now};
use platform::Txn;
use sea_orm::DbErr;

use super::{ConnectionStore, Lease, execute, json};

impl ConnectionStore {
    /// Sends a committed import on its way out of the ledger; false where it is not committed any more.
    pub(crate) async fn start_undo(
        &self,
        txn: &Txn,
        id: ImportId,
        principal: &Principal,
    ) -> Result<bool, DbErr> {
        let sql = "UPDATE imports SET state = 'undoing', user_id = $1, role = $2, problem = NULL, attempts = 0, \
                   broken_runs = 0, updated_at = $3, \
                   due_at = CASE WHEN fence IS NULL THEN $3 ELSE due_at END WHERE id = $4 AND state = 'committed'";
        let values = [principal.user.0.into(), principal.role.as_str().into(), now().into(), id.0.into()];
        Ok(execute(&**txn, sql, values).await?.rows_affected() == 1)
    }

    /// What it brought is out of the ledger. False where the lease was lost.
    pub(crate) async fn end_undo(
        &self,
        txn: &Txn,
        lease: &Lease,
        report: &UndoReport,
    ) -> Result<bool, DbErr> {
        let sql = "UPDATE imports SET state = 'undone', undone = $1, attempts = 0, broken_runs = 0, fence = NULL, \
                   due_at = NULL, updated_at = $2 WHERE id = $3 AND fence = $4 AND state = 'undoing'";
        let values = [json(report)?.into(), now().into(), lease.import.0.into(), lease.fence.into()];
        Ok(execute(&**txn, sql, values).await?.rows_affected() == 1)
    }

    /// The ledger keeps what the import brought: it is committed still. False where the lease was lost.
    pub(crate) async fn refuse_undo(
        &self,
        txn: &Txn,
        lease: &Lease,
        problem: &Problem,
    ) -> Result<bool, DbErr> {
        let sql = "UPDATE imports SET state = 'committed', problem = $1, attempts = 0, broken_runs = 0, \
                   fence = NULL, due_at = NULL, updated_at = $2 WHERE id = $3 AND fence = $4 AND state = 'undoing'";
        let values = [json(problem)?.into(), now().into(), lease.import.0.into(), lease.fence.into()];
        Ok(execute(&**txn, sql, values).await?.rows_affected() == 1)
    }
}
