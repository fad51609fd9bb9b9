use kernel::{BatchId, Page, PageRequest, Principal, SpaceId};
use ledger_api::{AccountRef, LedgerError, RowFilter, RowReport};
use platform::OrFail;
use sea_orm::{ConnectionTrait, DbErr};
use service_registry::CallContext;

use super::LedgerService;
use super::queries::position;
use crate::store::{accounts, batches, rows, to_json};

impl LedgerService {
    pub(super) async fn rows_of(
        &self,
        cx: &CallContext,
        who: &Principal,
        batch: BatchId,
        filter: RowFilter,
        page: PageRequest,
    ) -> Result<Page<RowReport>, LedgerError> {
        let after = position(&page, |cursor| cursor.part(0))?;
        let db = self.store.reader();
        let found = batches::find(db, who.space, batch).await.or_fail(cx)?;
        let found = found.ok_or(LedgerError::BatchNotFound(batch))?;
        if found.report.is_some() {
            return Ok(rows::committed(db, batch, filter, &page, after).await.or_fail(cx)?);
        }
        if found.previewed != Some(versions(db, who.space, batch).await.or_fail(cx)?) {
            self.preview_batch(cx, who, batch).await?;
        }
        Ok(rows::waiting(db, batch, filter, &page, after).await.or_fail(cx)?)
    }
}

/// The accounts of a waiting batch and how often batches have changed them: what a preview of it depends on.
pub(super) async fn versions(
    db: &impl ConnectionTrait,
    space: SpaceId,
    batch: BatchId,
) -> Result<String, DbErr> {
    let mut versions = Vec::new();
    for statement in batches::statements(db, batch).await? {
        let row = match &statement.account {
            AccountRef::Id(id) => accounts::find_row(db, space, *id).await?,
            AccountRef::External(external) => accounts::find_by_key(db, space, &external.key).await?,
        };
        versions.push((statement.number, row.map(|row| (row.id, row.version))));
    }
    to_json(&versions)
}
