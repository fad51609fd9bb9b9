//! How long files are kept: until a day that is known beforehand, or until somebody deletes them.

use connections_api::{ImportState, events};
use kernel::{ImportId, Principal, SpaceId, now};
use platform::{Txn, outbox};
use sea_orm::{DbErr, FromQueryResult};
use serde_json::json;
use service_registry::CallContext;
use std::time::Duration;
use uuid::Uuid;

use super::{Choice, ConnectionStore, ImportRow, NewImport, all, execute, from_json, one};

/// As many at a time, so that nobody waits long for the write lock.
const BATCH: usize = 100;

#[derive(FromQueryResult)]
struct Found {
    id: Uuid,
    space_id: Uuid,
}

#[derive(FromQueryResult)]
struct Reading {
    id: Uuid,
    state: String,
}

impl ConnectionStore {
    /// Forgets the files whose time is over, except those that are being read; answers how many.
    pub(crate) async fn forget_files(&self) -> Result<usize, DbErr> {
        let sql = format!(
            "SELECT id, space_id FROM imports WHERE file_until < $1 AND file_of IS NULL AND {IDLE} LIMIT {BATCH}"
        );
        let found: Vec<Found> = all(self.db.reader(), &sql, vec![now().into()]).await?;
        for Found { id, .. } in &found {
            let txn = self.db.begin().await?;
            // Not if somebody asked for another preview in this moment.
            let sql = format!("UPDATE imports SET file_until = file_until WHERE id = $1 AND {IDLE}");
            if execute(&*txn, &sql, [(*id).into()]).await?.rows_affected() == 1 {
                self.forget_file(&txn, ImportId(*id)).await?;
            }
            txn.commit().await?;
        }
        Ok(found.len())
    }

    /// Forgets a file, for the import that brought it and for all that were read from it again.
    pub(crate) async fn forget_file(&self, txn: &Txn, owner: ImportId) -> Result<(), DbErr> {
        let sql = "UPDATE imports SET has_file = $1, file_until = NULL WHERE id = $2 OR file_of = $2";
        execute(&**txn, sql, [false.into(), owner.0.into()]).await?;
        self.delete_chunks(txn, owner).await
    }

    /// Makes an import that reads the file of another once more, as it was told to be read.
    pub(crate) async fn begin_reparse(
        &self,
        txn: &Txn,
        of: &ImportRow,
        principal: &Principal,
    ) -> Result<ImportId, DbErr> {
        let again = NewImport {
            id: ImportId::new(),
            principal,
            file_name: of.file_name.as_deref(),
            archive: of.archive_id.map(ImportId),
        };
        let id = again.id;
        self.begin_upload(txn, again).await?;
        // A guess at columns is made anew, and what was guessed before is no choice.
        let choice = of.choice()?;
        let choice =
            if of.mapping_chosen { choice } else { Choice { mapping: None, profile_id: None, ..choice } };
        let size = of.size_bytes.unsigned_abs();
        self.finish_upload(txn, id, size, &of.contents()?, &choice, Duration::ZERO).await?;
        let sql = "UPDATE imports SET file_until = $1, file_of = $2, reparse_of = $3 WHERE id = $4";
        let values = [of.file_until.into(), of.file_owner().0.into(), of.id.into(), id.0.into()];
        execute(&**txn, sql, values).await?;
        Ok(id)
    }

    /// The import, of those that share the file, by which it is being read.
    pub(crate) async fn reader_of(
        &self,
        txn: &Txn,
        owner: ImportId,
    ) -> Result<Option<(ImportId, ImportState)>, DbErr> {
        let sql = "SELECT id, state FROM imports WHERE (id = $1 OR file_of = $1) AND state = 'reading'";
        let found: Option<Reading> = one(&**txn, sql, [owner.0.into()]).await?;
        found.map(|Reading { id, state }| Ok((ImportId(id), from_json(&format!("{state:?}"))?))).transpose()
    }

    /// Gives up previews that nobody has committed for `age`, with their files; answers how many.
    pub(crate) async fn give_up_previews(&self, age: Duration) -> Result<usize, DbErr> {
        let sql = format!(
            "SELECT id, space_id FROM imports WHERE state = 'previewed' AND due_at IS NULL AND updated_at < $1 \
             LIMIT {BATCH}"
        );
        let before = now() - age;
        let found: Vec<Found> = all(self.db.reader(), &sql, vec![before.into()]).await?;
        for Found { id, space_id } in &found {
            let txn = self.db.begin().await?;
            let sql = "UPDATE imports SET state = 'cancelled', report = NULL, has_file = $1, file_until = NULL, \
                       attempts = 0, broken_runs = 0, updated_at = $2, due_at = $2 \
                       WHERE id = $3 AND state = 'previewed' AND due_at IS NULL AND updated_at < $4";
            let values = [false.into(), now().into(), (*id).into(), before.into()];
            if execute(&*txn, sql, values).await?.rows_affected() == 1 {
                self.delete_chunks(&txn, ImportId(*id)).await?;
                let (space, data) = (Some(SpaceId(*space_id)), json!({ "import_id": id }));
                let cx = CallContext::root();
                outbox::append(&cx, &txn, space, events::IMPORT_CANCELLED, id, &data).await?;
            }
            txn.commit().await?;
        }
        Ok(found.len())
    }
}

/// Nobody reads the file of this import, neither for itself nor for another that shares it.
const IDLE: &str = "due_at IS NULL AND state <> 'uploading' AND NOT EXISTS \
                    (SELECT 1 FROM imports AS again WHERE again.file_of = imports.id AND again.due_at IS NOT NULL)";

impl ImportRow {
    /// The import whose pieces this one is read from.
    pub(crate) fn file_owner(&self) -> ImportId {
        ImportId(self.file_of.unwrap_or(self.id))
    }
}
