use connections_api::{UndoReport, events};
use kernel::Problem;
use sea_orm::DbErr;
use serde_json::json;

use super::Runner;
use crate::store::{ImportRow, Lease};

impl Runner {
    pub(super) async fn undone(
        &self,
        lease: &Lease,
        row: &ImportRow,
        report: &UndoReport,
    ) -> Result<(), DbErr> {
        let txn = self.store.db.begin().await?;
        // Where the lease was lost, whoever has it now gets the same report from the ledger.
        if self.store.end_undo(&txn, lease, report).await? {
            self.tell(&txn, row, events::IMPORT_UNDONE, &json!({ "import_id": lease.import })).await?;
            tracing::info!(import.id = %lease.import, "Undid import {}", lease.import);
        }
        txn.commit().await
    }

    pub(super) async fn undo_refused(
        &self,
        lease: &Lease,
        row: &ImportRow,
        problem: &Problem,
    ) -> Result<(), DbErr> {
        let txn = self.store.db.begin().await?;
        if self.store.refuse_undo(&txn, lease, problem).await? {
            let data = json!({ "import_id": lease.import, "code": problem.code });
            self.tell(&txn, row, events::IMPORT_UNDO_REFUSED, &data).await?;
        }
        txn.commit().await
    }
}

/// The ledger's report as people see it; its JSON is the same but for the id of the batch, which is the import's.
pub(super) fn shown(report: &ledger_api::RevertReport) -> Result<UndoReport, serde_json::Error> {
    serde_json::from_value(serde_json::to_value(report)?)
}
