//! The files of an archive on their way to becoming imports of their own. Nobody sees them before all are there.

use connections_api::Note;
use kernel::{ImportId, now};
use platform::Txn;
use sea_orm::DbErr;

use super::{ConnectionStore, Lease, NewImport, execute, json};

impl ConnectionStore {
    /// Writes a piece of a file of an archive. False where the lease on the archive was lost.
    pub(crate) async fn add_member_chunk(
        &self,
        lease: &Lease,
        member: NewImport<'_>,
        number: i32,
        sealed: Vec<u8>,
    ) -> Result<bool, DbErr> {
        let txn = self.db.begin().await?;
        // Under the fence of the archive, so that nothing is added once somebody else has it.
        let sql = "UPDATE imports SET fence = fence WHERE id = $1 AND fence = $2 AND state = 'reading'";
        let held = execute(&*txn, sql, [lease.import.0.into(), lease.fence.into()]).await?;
        if held.rows_affected() == 0 {
            return Ok(false);
        }
        let id = member.id;
        if number == 0 {
            self.begin_upload(&txn, member).await?;
        }
        self.add_chunk(&txn, id, number, sealed).await?;
        txn.commit().await?;
        Ok(true)
    }

    /// Takes back the files of an archive that are not imports yet.
    pub(crate) async fn drop_members(&self, archive: ImportId) -> Result<(), DbErr> {
        let txn = self.db.begin().await?;
        self.drop_members_in(&txn, archive).await?;
        txn.commit().await
    }

    /// The same, together with something else.
    pub(crate) async fn drop_members_in(&self, txn: &Txn, archive: ImportId) -> Result<(), DbErr> {
        let sql = "DELETE FROM upload_chunks WHERE import_id IN \
                   (SELECT id FROM imports WHERE archive_id = $1 AND state = 'uploading')";
        execute(&**txn, sql, [archive.0.into()]).await?;
        let sql = "DELETE FROM imports WHERE archive_id = $1 AND state = 'uploading'";
        execute(&**txn, sql, [archive.0.into()]).await.map(drop)
    }

    /// All files of an archive are imports now; its own bytes have done their duty. False where the lease was lost.
    pub(crate) async fn end_unpacking(
        &self,
        txn: &Txn,
        lease: &Lease,
        members: &[ImportId],
        notes: &[Note],
    ) -> Result<bool, DbErr> {
        let sql = "UPDATE imports SET state = 'unpacked', members = $1, notes = $2, bytes_read = size_bytes, \
                   has_file = $3, file_until = NULL, attempts = 0, broken_runs = 0, fence = NULL, due_at = NULL, updated_at = $4 \
                   WHERE id = $5 AND fence = $6 AND state = 'reading'";
        let values = [
            json(&members)?.into(),
            json(&notes)?.into(),
            false.into(),
            now().into(),
            lease.import.0.into(),
            lease.fence.into(),
        ];
        let ended = execute(&**txn, sql, values).await?.rows_affected() == 1;
        if ended {
            self.delete_chunks(txn, lease.import).await?;
        }
        Ok(ended)
    }
}
