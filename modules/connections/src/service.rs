//! The room: one method per use case; transactions begin and end here.

use std::sync::Arc;

use connections_api::{
    Connections, ConnectionsError, FileRow, Import, ImportState, MappingProfile, NewMappingProfile,
    PreviewRequest, RowFilter, events,
};
use kernel::{AccountId, BatchId, FieldError, ImportId, Page, PageRequest, ProfileId, Scope, SpaceId};
use ledger_api::{Ledger, LedgerError};
use platform::{OrFail, Txn, may, outbox};
use serde_json::json;
use service_registry::{CallContext, ServiceClient, async_trait};
use uuid::Uuid;

use crate::bell::Bell;
use crate::contents::Contents;
use crate::store::{Choice, ConnectionStore, ImportRow, ProfilePosition};
use crate::{problems, reading};

type Result<T> = std::result::Result<T, ConnectionsError>;

/// The use cases of connections.
#[derive(Clone)]
pub(crate) struct ConnectionsService {
    pub(crate) store: ConnectionStore,
    pub(crate) ledger: ServiceClient<dyn Ledger>,
    pub(crate) bell: Arc<Bell>,
}

#[async_trait]
impl Connections for ConnectionsService {
    async fn list_imports(&self, cx: &CallContext, page: PageRequest) -> Result<Page<Import>> {
        let who = may(cx, Scope::LedgerRead)?;
        let before = page.cursor.as_ref().map(|cursor| cursor.part::<Uuid>(0)).transpose();
        let before = before.map_err(not_a_cursor)?.unwrap_or(Uuid::max());
        let found = self.store.list_imports(who.space, &page, before).await.or_fail(cx)?;
        let (next_cursor, total) = (found.next_cursor, found.total);
        let data =
            found.data.iter().map(ImportRow::import).collect::<std::result::Result<_, _>>().or_fail(cx)?;
        Ok(Page { data, next_cursor, total })
    }

    async fn import(&self, cx: &CallContext, id: ImportId) -> Result<Import> {
        let who = may(cx, Scope::LedgerRead)?;
        let row = self.store.import(self.store.db.reader(), who.space, id).await.or_fail(cx)?;
        Ok(row.ok_or(ConnectionsError::ImportNotFound(id))?.import().or_fail(cx)?)
    }

    async fn preview(&self, cx: &CallContext, id: ImportId, request: PreviewRequest) -> Result<Import> {
        let who = may(cx, Scope::LedgerWrite)?;
        check_mapping(request.mapping.as_ref())?;
        if request.mapping.is_some() && request.profile_id.is_some() {
            return Err(invalid("/profile_id", "give a mapping or a profile, not both"));
        }
        self.check_account(cx, request.account_id).await?;
        let import = self.store.db.once(cx, |txn| async move {
            let row = self.store.import(&*txn, who.space, id).await.or_fail(cx)?;
            let row = row.ok_or(ConnectionsError::ImportNotFound(id))?;
            let state = row.state().or_fail(cx)?;
            if !matches!(state, ImportState::Previewed | ImportState::Failed) {
                return Err(ConnectionsError::WrongState { id, state });
            }
            if !row.has_file {
                return Err(ConnectionsError::FileGone(id));
            }
            let (choice, mapping_chosen) = self.changed_choice(cx, &txn, &row, request).await?;
            if !self.store.read_again(&txn, &row, &who, &choice, mapping_chosen).await.or_fail(cx)? {
                // Another request was faster.
                return Err(ConnectionsError::WrongState { id, state });
            }
            let row = self.store.import(&*txn, who.space, id).await.or_fail(cx)?;
            Ok(row.ok_or(ConnectionsError::ImportNotFound(id))?.import().or_fail(cx)?)
        });
        let import = import.await?;
        self.bell.ring();
        Ok(import)
    }

    async fn commit(&self, cx: &CallContext, id: ImportId) -> Result<Import> {
        let who = may(cx, Scope::LedgerWrite)?;
        let import = self.store.db.once(cx, |txn| async move {
            let started = self.store.import(&*txn, who.space, id).await.or_fail(cx)?;
            let state = started.ok_or(ConnectionsError::ImportNotFound(id))?.state().or_fail(cx)?;
            if !matches!(state, ImportState::Previewed | ImportState::Committing | ImportState::Committed) {
                return Err(ConnectionsError::WrongState { id, state });
            }
            // Where it is under way or done, there is nothing to start and the answer is how it stands.
            self.store.start_commit(&txn, id, &who).await.or_fail(cx)?;
            let row = self.store.import(&*txn, who.space, id).await.or_fail(cx)?;
            Ok(row.ok_or(ConnectionsError::ImportNotFound(id))?.import().or_fail(cx)?)
        });
        let import = import.await?;
        self.bell.ring();
        Ok(import)
    }

    async fn undo(&self, cx: &CallContext, id: ImportId) -> Result<Import> {
        let who = may(cx, Scope::LedgerWrite)?;
        let import = self.store.db.once(cx, |txn| async move {
            let row = self.store.import(&*txn, who.space, id).await.or_fail(cx)?;
            let state = row.ok_or(ConnectionsError::ImportNotFound(id))?.state().or_fail(cx)?;
            if !matches!(state, ImportState::Committed | ImportState::Undoing | ImportState::Undone) {
                return Err(ConnectionsError::WrongState { id, state });
            }
            // Where it is under way or done, there is nothing to start and the answer is how it stands.
            self.store.start_undo(&txn, id, &who).await.or_fail(cx)?;
            let row = self.store.import(&*txn, who.space, id).await.or_fail(cx)?;
            Ok(row.ok_or(ConnectionsError::ImportNotFound(id))?.import().or_fail(cx)?)
        });
        let import = import.await?;
        self.bell.ring();
        Ok(import)
    }

    async fn cancel(&self, cx: &CallContext, id: ImportId) -> Result<()> {
        let who = may(cx, Scope::LedgerWrite)?;
        let cancelled = self.store.db.once(cx, |txn| async move {
            let row = self.store.import(&*txn, who.space, id).await.or_fail(cx)?;
            let state = row.ok_or(ConnectionsError::ImportNotFound(id))?.state().or_fail(cx)?;
            if state == ImportState::Cancelled {
                return Ok(());
            }
            if !self.store.cancel(&txn, id, &who).await.or_fail(cx)? {
                return Err(ConnectionsError::WrongState { id, state });
            }
            let data = json!({ "import_id": id });
            let space = Some(who.space);
            outbox::append(cx, &txn, space, events::IMPORT_CANCELLED, id, &data).await.or_fail(cx)?;
            Ok(())
        });
        cancelled.await?;
        self.bell.ring();
        Ok(())
    }

    async fn delete_file(&self, cx: &CallContext, id: ImportId) -> Result<()> {
        let who = may(cx, Scope::LedgerWrite)?;
        self.store
            .db
            .once(cx, |txn| async move {
                let row = self.store.import(&*txn, who.space, id).await.or_fail(cx)?;
                let row = row.ok_or(ConnectionsError::ImportNotFound(id))?;
                if !row.has_file {
                    return Ok(());
                }
                let owner = row.file_owner();
                if let Some((id, state)) = self.store.reader_of(&txn, owner).await.or_fail(cx)? {
                    return Err(ConnectionsError::WrongState { id, state });
                }
                self.store.forget_file(&txn, owner).await.or_fail(cx)?;
                let (space, data) = (Some(who.space), json!({ "import_id": id }));
                outbox::append(cx, &txn, space, events::IMPORT_FILE_DELETED, id, &data).await.or_fail(cx)?;
                Ok(())
            })
            .await
    }

    async fn reparse(&self, cx: &CallContext, id: ImportId) -> Result<Import> {
        let who = may(cx, Scope::LedgerWrite)?;
        let import = self.store.db.once(cx, |txn| async move {
            let row = self.store.import(&*txn, who.space, id).await.or_fail(cx)?;
            let row = row.ok_or(ConnectionsError::ImportNotFound(id))?;
            let state = row.state().or_fail(cx)?;
            if !matches!(state, ImportState::Committed | ImportState::Undone) {
                return Err(ConnectionsError::WrongState { id, state });
            }
            if !row.has_file {
                return Err(ConnectionsError::FileGone(id));
            }
            let again = self.store.begin_reparse(&txn, &row, &who).await.or_fail(cx)?;
            let row = self.store.import(&*txn, who.space, again).await.or_fail(cx)?;
            Ok(row.ok_or(ConnectionsError::ImportNotFound(again))?.import().or_fail(cx)?)
        });
        let import = import.await?;
        self.bell.ring();
        Ok(import)
    }

    async fn rows(
        &self,
        cx: &CallContext,
        id: ImportId,
        filter: RowFilter,
        page: PageRequest,
    ) -> Result<Page<FileRow>> {
        let state = self.import(cx, id).await?.state;
        if !matches!(state, ImportState::Previewed | ImportState::Committing | ImportState::Committed) {
            return Err(ConnectionsError::WrongState { id, state });
        }
        let filter = reading::row_filter(filter);
        match self.ledger.rows(cx, BatchId(id.0), filter, page).await {
            Ok(page) => Ok(reading::shown_rows(&page).or_fail(cx)?),
            Err(LedgerError::Invalid(field)) => Err(ConnectionsError::Invalid(field)),
            // Committed or given up in this moment.
            Err(LedgerError::BatchNotFound(_)) => Err(ConnectionsError::WrongState { id, state }),
            Err(LedgerError::Call(error)) => Err(error.into()),
            Err(refusal) => Err(kernel::ToProblem::to_problem(&refusal).into()),
        }
    }

    async fn list_profiles(&self, cx: &CallContext, page: PageRequest) -> Result<Page<MappingProfile>> {
        let who = may(cx, Scope::LedgerRead)?;
        let after = page.cursor.as_ref().map(ProfilePosition::parse).transpose();
        let after = after.map_err(not_a_cursor)?.unwrap_or_default();
        Ok(self.store.list_profiles(who.space, &page, after).await.or_fail(cx)?)
    }

    async fn save_profile(
        &self,
        cx: &CallContext,
        id: ProfileId,
        mut profile: NewMappingProfile,
    ) -> Result<MappingProfile> {
        let who = may(cx, Scope::LedgerWrite)?;
        profile.name = profile.name.trim().to_owned();
        if !(1..=100).contains(&profile.name.chars().count()) || profile.name.chars().any(char::is_control) {
            return Err(invalid("/name", "a name has 1 to 100 characters"));
        }
        check_mapping(Some(&profile.mapping))?;
        self.check_account(cx, profile.account_id).await?;
        self.store
            .db
            .once(cx, |txn| async move {
                self.store.save_profile(&txn, who.space, id, &profile).await.or_fail(cx)?;
                let saved = self.store.profile(&*txn, who.space, id).await.or_fail(cx)?;
                saved.ok_or(ConnectionsError::ProfileNotFound(id))
            })
            .await
    }

    async fn delete_profile(&self, cx: &CallContext, id: ProfileId) -> Result<()> {
        let who = may(cx, Scope::LedgerWrite)?;
        self.store
            .db
            .once(cx, |txn| async move {
                match self.store.delete_profile(&txn, who.space, id).await.or_fail(cx)? {
                    true => Ok(()),
                    false => Err(ConnectionsError::ProfileNotFound(id)),
                }
            })
            .await
    }
}

impl ConnectionsService {
    /// What the import was told before with what it is told now in its place, and whether the mapping is anybody's
    /// word rather than a guess.
    async fn changed_choice(
        &self,
        cx: &CallContext,
        txn: &Txn,
        row: &ImportRow,
        request: PreviewRequest,
    ) -> Result<(Choice, bool)> {
        use connections_formats::Format;
        let has_columns = match row.contents().or_fail(cx)? {
            Contents::Zip => true,
            Contents::File(detection) => matches!(detection.format, Format::Csv | Format::Qif),
        };
        if !has_columns && (request.mapping.is_some() || request.profile_id.is_some()) {
            return Err(invalid("/mapping", "only a table or a QIF file has anything to map"));
        }
        let before = row.choice().or_fail(cx)?;
        let mut choice = Choice {
            account_id: request.account_id.or(before.account_id),
            currency: request.currency.or(before.currency),
            ..before
        };
        if let Some(mapping) = request.mapping {
            choice.mapping = Some(mapping);
            choice.profile_id = None;
            return Ok((choice, true));
        }
        let Some(id) = request.profile_id else { return Ok((choice, row.mapping_chosen)) };
        let profile = self.store.profile(&**txn, SpaceId(row.space_id), id).await.or_fail(cx)?;
        choice.mapping = Some(profile.ok_or(ConnectionsError::ProfileNotFound(id))?.mapping);
        choice.profile_id = Some(id);
        Ok((choice, true))
    }

    /// Refuses an account that is not there. Where the ledger cannot be asked, the run will ask it later.
    pub(crate) async fn check_account(&self, cx: &CallContext, id: Option<AccountId>) -> Result<()> {
        let Some(id) = id else { return Ok(()) };
        match self.ledger.account(cx, id).await {
            Ok(_) => Ok(()),
            Err(LedgerError::Call(error)) => {
                tracing::debug!(request_id = %cx.request_id(), %error, "An account is taken on trust for now");
                Ok(())
            }
            Err(refusal) => Err(kernel::ToProblem::to_problem(&refusal).into()),
        }
    }
}

/// Refuses a mapping that cannot work on any file.
fn check_mapping(mapping: Option<&connections_api::Mapping>) -> Result<()> {
    let Some(mapping) = mapping else { return Ok(()) };
    let read = reading::mapping(mapping).map_err(|error| invalid("/mapping", error.to_string()))?;
    match read.check() {
        Ok(()) => Ok(()),
        Err(error) => Err(problems::of_file(&error)
            .map_or_else(|| invalid("/mapping", error.to_string()), ConnectionsError::from)),
    }
}

pub(crate) fn invalid(pointer: &str, detail: impl Into<String>) -> ConnectionsError {
    ConnectionsError::Invalid(FieldError::new(pointer, "invalid", detail))
}

fn not_a_cursor(error: kernel::InvalidCursor) -> ConnectionsError {
    invalid("?cursor", error.to_string())
}
