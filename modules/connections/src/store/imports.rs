use std::time::Duration;

use connections_api::{EncodingUsed, FileFormat, Import, ImportState, Mapping, Note, Progress};
use connections_formats::{Detection, Format};
use kernel::{
    AccountId, Currency, Cursor, ImportId, Instant, Page, PageRequest, Principal, ProfileId, Role, SpaceId,
    UserId, now,
};
use platform::Txn;
use sea_orm::{ConnectionTrait, DbErr, FromQueryResult};
use uuid::Uuid;

use crate::contents::Contents;

use super::{ConnectionStore, all, count, execute, from_json, json, one};

/// An import as it stands in its table.
#[derive(Clone, Debug, FromQueryResult)]
pub(crate) struct ImportRow {
    pub(crate) id: Uuid,
    pub(crate) space_id: Uuid,
    user_id: Uuid,
    role: String,
    state: String,
    pub(crate) file_name: Option<String>,
    pub(crate) size_bytes: i64,
    /// Its [`Contents`].
    detection: Option<String>,
    pub(super) archive_id: Option<Uuid>,
    members: Option<String>,
    account_id: Option<Uuid>,
    currency: Option<String>,
    profile_id: Option<Uuid>,
    mapping: Option<String>,
    pub(crate) mapping_chosen: bool,
    notes: String,
    bytes_read: i64,
    rows_read: i64,
    report: Option<String>,
    problem: Option<String>,
    undone: Option<String>,
    pub(crate) has_file: bool,
    pub(super) file_until: Option<Instant>,
    pub(super) file_of: Option<Uuid>,
    pub(crate) reparse_of: Option<Uuid>,
    difference: Option<String>,
    pub(crate) attempts: i32,
    pub(crate) broken_runs: i32,
    created_at: Instant,
    updated_at: Instant,
}

/// What a person chose about how a file is to be read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Choice {
    pub(crate) account_id: Option<AccountId>,
    pub(crate) currency: Option<Currency>,
    pub(crate) profile_id: Option<ProfileId>,
    pub(crate) mapping: Option<Mapping>,
}

/// An import whose file begins to come.
pub(crate) struct NewImport<'a> {
    pub(crate) id: ImportId,
    pub(crate) principal: &'a Principal,
    pub(crate) file_name: Option<&'a str>,
    /// The archive that it came in.
    pub(crate) archive: Option<ImportId>,
}

impl Choice {
    /// What of it means anything for such a file: a mapping is for tables, and for QIF, which does not say how it
    /// writes its dates either.
    pub(crate) fn of(self, contents: &Contents) -> Self {
        match contents {
            Contents::File(Detection { format: Format::Csv | Format::Qif, .. }) | Contents::Zip => self,
            Contents::File(_) => Self { mapping: None, profile_id: None, ..self },
        }
    }
}

impl ImportRow {
    pub(crate) fn id(&self) -> ImportId {
        ImportId(self.id)
    }

    pub(crate) fn contents(&self) -> Result<Contents, DbErr> {
        from_json(self.detection.as_deref().unwrap_or("null"))
    }

    /// For whom work on it is done.
    pub(crate) fn principal(&self) -> Result<Principal, DbErr> {
        let role = self.role.parse::<Role>().map_err(|error| DbErr::Type(error.to_string()))?;
        Ok(Principal { user: UserId(self.user_id), space: SpaceId(self.space_id), session: None, role })
    }

    pub(crate) fn state(&self) -> Result<ImportState, DbErr> {
        from_json(&format!("{:?}", self.state))
    }

    pub(crate) fn choice(&self) -> Result<Choice, DbErr> {
        let currency = self.currency.as_deref().map(Currency::parse).transpose();
        Ok(Choice {
            account_id: self.account_id.map(AccountId),
            currency: currency.map_err(|error| DbErr::Type(error.to_string()))?,
            profile_id: self.profile_id.map(ProfileId),
            mapping: self.mapping.as_deref().map(from_json).transpose()?,
        })
    }

    pub(crate) fn import(&self) -> Result<Import, DbErr> {
        let choice = self.choice()?;
        let (format, encoding) = match self.contents()? {
            Contents::Zip => (FileFormat::Zip, None),
            Contents::File(Detection { format, encoding, .. }) => (shown_format(format), Some(encoding)),
        };
        let encoding = encoding.map(|encoding| {
            let decided_by = json(&encoding.decided_by)?.trim_matches('"').to_owned();
            Ok::<_, DbErr>(EncodingUsed { name: encoding.used, decided_by })
        });
        Ok(Import {
            id: self.id(),
            state: self.state()?,
            file_name: self.file_name.clone(),
            size_bytes: self.size_bytes.unsigned_abs(),
            format,
            encoding: encoding.transpose()?,
            file_kept_until: self.file_until,
            archive_id: self.archive_id.map(ImportId),
            members: self.members.as_deref().map_or(Ok(Vec::new()), from_json)?,
            account_id: choice.account_id,
            currency: choice.currency,
            profile_id: choice.profile_id,
            mapping: choice.mapping,
            notes: from_json(&self.notes)?,
            progress: Progress {
                bytes_read: self.bytes_read.unsigned_abs(),
                bytes_total: self.size_bytes.unsigned_abs(),
                rows_read: self.rows_read.unsigned_abs(),
            },
            report: self.report.as_deref().map(from_json).transpose()?,
            reparse_of: self.reparse_of.map(ImportId),
            difference: self.difference.as_deref().map(from_json).transpose()?,
            undone: self.undone.as_deref().map(from_json).transpose()?,
            problem: self.problem.as_deref().map(from_json).transpose()?,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

fn shown_format(format: Format) -> FileFormat {
    match format {
        Format::Ofx1 => FileFormat::Ofx1,
        Format::Ofx2 => FileFormat::Ofx2,
        Format::Camt => FileFormat::Camt,
        Format::Csv => FileFormat::Csv,
        Format::Mt940 => FileFormat::Mt940,
        Format::Qif => FileFormat::Qif,
    }
}

impl ConnectionStore {
    /// An import that people may see: one whose file has come.
    pub(crate) async fn import(
        &self,
        on: &impl ConnectionTrait,
        space: SpaceId,
        id: ImportId,
    ) -> Result<Option<ImportRow>, DbErr> {
        let sql = "SELECT * FROM imports WHERE id = $1 AND space_id = $2 AND state <> 'uploading'";
        one(on, sql, [id.0.into(), space.0.into()]).await
    }

    /// Imports older than `before`, the latest first.
    pub(crate) async fn list_imports(
        &self,
        space: SpaceId,
        page: &PageRequest,
        before: Uuid,
    ) -> Result<Page<ImportRow>, DbErr> {
        let sql = "SELECT * FROM imports WHERE space_id = $1 AND id < $2 AND state <> 'uploading' \
                   ORDER BY id DESC LIMIT $3";
        let values = vec![space.0.into(), before.into(), (i64::from(page.limit) + 1).into()];
        let rows: Vec<ImportRow> = all(self.db.reader(), sql, values).await?;
        let mut found = Page::cut(rows, page.limit, |row| Cursor::new([row.id]));
        if page.with_total {
            let sql = "SELECT count(*) AS total FROM imports WHERE space_id = $1 AND state <> 'uploading'";
            found.total = Some(count(self.db.reader(), sql, vec![space.0.into()]).await?);
        }
        Ok(found)
    }

    /// Makes room for a file that begins to come. Nobody sees the import before all of it is there.
    pub(crate) async fn begin_upload(&self, txn: &Txn, import: NewImport<'_>) -> Result<(), DbErr> {
        let sql = "INSERT INTO imports (id, space_id, user_id, role, state, file_name, size_bytes, mapping_chosen, \
                   notes, bytes_read, rows_read, has_file, attempts, broken_runs, created_at, updated_at, \
                   archive_id) \
                   VALUES ($1, $2, $3, $4, 'uploading', $5, 0, $6, '[]', 0, 0, $7, 0, 0, $8, $8, $9)";
        let values = [
            import.id.0.into(),
            import.principal.space.0.into(),
            import.principal.user.0.into(),
            import.principal.role.as_str().into(),
            import.file_name.map(str::to_owned).into(),
            false.into(),
            true.into(),
            now().into(),
            import.archive.map(|archive| archive.0).into(),
        ];
        execute(&**txn, sql, values).await.map(drop)
    }

    /// The whole file is there: everybody in the household may see the import, and a runner may take it.
    pub(crate) async fn finish_upload(
        &self,
        txn: &Txn,
        id: ImportId,
        size_bytes: u64,
        contents: &Contents,
        choice: &Choice,
        kept_for: Duration,
    ) -> Result<(), DbErr> {
        let size = i64::try_from(size_bytes).map_err(|error| DbErr::Type(error.to_string()))?;
        let notes: Vec<Note> = Vec::new();
        let sql = "UPDATE imports SET state = 'reading', size_bytes = $1, detection = $2, notes = $3, \
                   account_id = $4, currency = $5, profile_id = $6, mapping = $7, mapping_chosen = $8, \
                   due_at = $9, updated_at = $9, file_until = $11 WHERE id = $10 AND state = 'uploading'";
        let values = [
            size.into(),
            json(contents)?.into(),
            json(&notes)?.into(),
            choice.account_id.map(|id| id.0).into(),
            choice.currency.map(|currency| currency.code().to_owned()).into(),
            choice.profile_id.map(|id| id.0).into(),
            choice.mapping.as_ref().map(json).transpose()?.into(),
            choice.mapping.is_some().into(),
            now().into(),
            id.0.into(),
            (now() + kept_for).into(),
        ];
        match execute(&**txn, sql, values).await?.rows_affected() {
            1 => Ok(()),
            _ => Err(DbErr::RecordNotUpdated),
        }
    }

    /// Has the file read again. `from` is the state in which the caller saw it; false where that has changed.
    ///
    /// A runner that holds the lease is left to notice and to let go: its last call must be over before the next
    /// runner begins.
    pub(crate) async fn read_again(
        &self,
        txn: &Txn,
        row: &ImportRow,
        principal: &Principal,
        choice: &Choice,
        mapping_chosen: bool,
    ) -> Result<bool, DbErr> {
        let sql = "UPDATE imports SET state = 'reading', user_id = $1, role = $2, account_id = $3, currency = $4, \
                   profile_id = $5, mapping = $6, mapping_chosen = $7, notes = '[]', bytes_read = 0, rows_read = 0, \
                   report = NULL, problem = NULL, difference = NULL, attempts = 0, broken_runs = 0, updated_at = $8, \
                   due_at = CASE WHEN fence IS NULL THEN $8 ELSE due_at END WHERE id = $9 AND state = $10";
        let values = [
            principal.user.0.into(),
            principal.role.as_str().into(),
            choice.account_id.map(|id| id.0).into(),
            choice.currency.map(|currency| currency.code().to_owned()).into(),
            choice.profile_id.map(|id| id.0).into(),
            choice.mapping.as_ref().map(json).transpose()?.into(),
            mapping_chosen.into(),
            now().into(),
            row.id.into(),
            row.state.clone().into(),
        ];
        Ok(execute(&**txn, sql, values).await?.rows_affected() == 1)
    }

    /// Sends a previewed import on its way into the ledger; false where it is not previewed any more.
    pub(crate) async fn start_commit(
        &self,
        txn: &Txn,
        id: ImportId,
        principal: &Principal,
    ) -> Result<bool, DbErr> {
        let sql = "UPDATE imports SET state = 'committing', user_id = $1, role = $2, attempts = 0, \
                   broken_runs = 0, updated_at = $3, \
                   due_at = CASE WHEN fence IS NULL THEN $3 ELSE due_at END WHERE id = $4 AND state = 'previewed'";
        let values = [principal.user.0.into(), principal.role.as_str().into(), now().into(), id.0.into()];
        Ok(execute(&**txn, sql, values).await?.rows_affected() == 1)
    }

    /// Gives an import up and forgets its file. A runner then throws its waiting rows away. False where it is
    /// too late for that.
    pub(crate) async fn cancel(&self, txn: &Txn, id: ImportId, principal: &Principal) -> Result<bool, DbErr> {
        let sql = "UPDATE imports SET state = 'cancelled', user_id = $1, role = $2, report = NULL, problem = NULL, \
                   has_file = $3, file_until = NULL, attempts = 0, broken_runs = 0, updated_at = $4, \
                   due_at = CASE WHEN fence IS NULL THEN $4 ELSE due_at END \
                   WHERE id = $5 AND state IN ('reading', 'previewed', 'failed')";
        let values = [
            principal.user.0.into(),
            principal.role.as_str().into(),
            false.into(),
            now().into(),
            id.0.into(),
        ];
        let cancelled = execute(&**txn, sql, values).await?.rows_affected() == 1;
        if cancelled {
            self.delete_chunks(txn, id).await?;
        }
        Ok(cancelled)
    }
}
