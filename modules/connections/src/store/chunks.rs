use std::time::Duration;

use kernel::{ImportId, now};
use platform::Txn;
use sea_orm::{DbErr, FromQueryResult};
use uuid::Uuid;

use super::{ConnectionStore, all, execute, one};

#[derive(FromQueryResult)]
struct Chunk {
    sealed: Vec<u8>,
}

#[derive(FromQueryResult)]
struct Found {
    id: Uuid,
}

impl ConnectionStore {
    pub(crate) async fn add_chunk(
        &self,
        txn: &Txn,
        import: ImportId,
        number: i32,
        sealed: Vec<u8>,
    ) -> Result<(), DbErr> {
        let sql = "INSERT INTO upload_chunks (import_id, number, sealed) VALUES ($1, $2, $3)";
        execute(&**txn, sql, [import.0.into(), number.into(), sealed.into()]).await.map(drop)
    }

    /// Says that a file is still coming, so that the sweep leaves it alone.
    pub(crate) async fn touch_upload(&self, txn: &Txn, import: ImportId) -> Result<(), DbErr> {
        let sql = "UPDATE imports SET updated_at = $1 WHERE id = $2 AND state = 'uploading'";
        execute(&**txn, sql, [now().into(), import.0.into()]).await.map(drop)
    }

    /// A piece of the file as it was sealed; none after the last one.
    pub(crate) async fn chunk(&self, import: ImportId, number: i32) -> Result<Option<Vec<u8>>, DbErr> {
        let sql = "SELECT sealed FROM upload_chunks WHERE import_id = $1 AND number = $2";
        let found: Option<Chunk> = one(self.db.reader(), sql, [import.0.into(), number.into()]).await?;
        Ok(found.map(|chunk| chunk.sealed))
    }

    pub(super) async fn delete_chunks(&self, txn: &Txn, import: ImportId) -> Result<(), DbErr> {
        execute(&**txn, "DELETE FROM upload_chunks WHERE import_id = $1", [import.0.into()]).await.map(drop)
    }

    /// Takes an upload back that nobody has seen; one that became an import meanwhile stays.
    pub(crate) async fn drop_upload(&self, import: ImportId) -> Result<(), DbErr> {
        let txn = self.db.begin().await?;
        // The row first: it is what a finishing upload would have to change, so one of the two wins.
        let sql = "UPDATE imports SET has_file = $1 WHERE id = $2 AND state = 'uploading'";
        if execute(&*txn, sql, [false.into(), import.0.into()]).await?.rows_affected() == 1 {
            self.delete_chunks(&txn, import).await?;
            let sql = "DELETE FROM imports WHERE id = $1 AND state = 'uploading'";
            execute(&*txn, sql, [import.0.into()]).await?;
        }
        txn.commit().await
    }

    /// Takes back uploads to which nothing was added for `age`; answers how many.
    pub(crate) async fn drop_abandoned_uploads(&self, age: Duration) -> Result<usize, DbErr> {
        let sql = "SELECT id FROM imports WHERE has_file = $1 AND state = 'uploading' AND updated_at < $2 \
                   AND archive_id IS NULL LIMIT 100";
        let found: Vec<Found> = all(self.db.reader(), sql, vec![true.into(), (now() - age).into()]).await?;
        for Found { id } in &found {
            self.drop_upload(ImportId(*id)).await?;
        }
        Ok(found.len())
    }
}
