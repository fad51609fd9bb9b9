use std::fmt;

use kernel::{AccountId, Currency, ImportId, Instant, Problem, ProfileId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{FileRow, ImportReport, Mapping, UndoReport};

/// A bank file on its way into the ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// Where it stands.
    pub state: ImportState,
    /// What the file was called where it came from.
    pub file_name: Option<String>,
    /// Size of the file.
    pub size_bytes: u64,
    /// What the file is, by its content.
    pub format: FileFormat,
    /// How its bytes are read as text; absent of an archive.
    pub encoding: Option<EncodingUsed>,
    /// The archive that the file came in.
    pub archive_id: Option<ImportId>,
    /// When the file will be forgotten; absent where it is not kept any more, and cannot be read again.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub file_kept_until: Option<Instant>,
    /// The imports of its files, once an archive is `unpacked`, in its order.
    pub members: Vec<ImportId>,
    /// The account that all its rows are for, where one was chosen.
    pub account_id: Option<AccountId>,
    /// The currency of amounts that do not say theirs, where one was chosen.
    pub currency: Option<Currency>,
    /// The mapping profile in use.
    pub profile_id: Option<ProfileId>,
    /// How a table's columns are read: given, from a profile, or guessed. Of a QIF file, how it writes dates and
    /// amounts. Change it and preview again.
    pub mapping: Option<Mapping>,
    /// What else there is to know about how the file was read.
    pub notes: Vec<Note>,
    /// How far the reading is.
    pub progress: Progress,
    /// What would become of the rows while `previewed`, what became of them once `committed`.
    pub report: Option<ImportReport>,
    /// The import whose file it reads again.
    pub reparse_of: Option<ImportId>,
    /// What `reparse_of` brought into the ledger and this reading does not find any more.
    pub difference: Option<Difference>,
    /// What it came to when it was undone.
    pub undone: Option<UndoReport>,
    /// Why it failed, or why it could not be undone.
    pub problem: Option<Problem>,
    /// When it was uploaded.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Instant,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Instant,
}

/// Where an import stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// The file is being read.
    Reading,
    /// It was an archive, and each of its files is an import of its own now.
    Unpacked,
    /// The rows wait, and the report says what would become of them.
    Previewed,
    /// The rows are on their way into the ledger.
    Committing,
    /// The rows are in the ledger.
    Committed,
    /// What it brought is on its way out of the ledger.
    Undoing,
    /// What it brought is not in the ledger any more. The file can be imported again as new.
    Undone,
    /// It did not work, and the problem says why. Another preview may mend it.
    Failed,
    /// Somebody gave it up.
    Cancelled,
}

impl ImportState {
    /// The word for it, as in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Unpacked => "unpacked",
            Self::Previewed => "previewed",
            Self::Committing => "committing",
            Self::Committed => "committed",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for ImportState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A file format that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// OFX or QFX 1.x (SGML).
    Ofx1,
    /// OFX or QFX 2.x (XML).
    Ofx2,
    /// CAMT.052, .053 or .054 (ISO 20022), in any version.
    Camt,
    /// A table with one transaction per line.
    Csv,
    /// SWIFT MT940 or MT942.
    Mt940,
    /// Quicken Interchange Format.
    Qif,
    /// An archive of such files.
    Zip,
}

/// How the bytes of a file are read as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct EncodingUsed {
    /// WHATWG name.
    #[schema(example = "windows-1252")]
    pub name: String,
    /// Why: `byte_order_mark`, `declared`, `declaration_wrong` or `guessed`.
    pub decided_by: String,
}

/// Something to know about how a file was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Note {
    /// Stable word for programs.
    pub code: String,
    /// The same for people.
    pub detail: String,
}

/// What one reading of a file has brought into the ledger and another does not find.
///
/// A commit takes nothing away: to be rid of these, undo the first import before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Difference {
    /// How many transactions.
    pub missing: u64,
    /// The rows of the first reading that they are known by, the first hundred of them.
    pub missing_rows: Vec<FileRow>,
}

/// How far the reading of a file is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct Progress {
    /// Bytes of the file read so far.
    pub bytes_read: u64,
    /// Bytes of the file.
    pub bytes_total: u64,
    /// Rows found so far, those that could not be read among them.
    pub rows_read: u64,
}

/// How to read a file from now on; what is absent stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PreviewRequest {
    /// The account that all rows are for.
    pub account_id: Option<AccountId>,
    /// The currency of amounts that do not say theirs.
    pub currency: Option<Currency>,
    /// How to read a table's columns; of a QIF file its dates (`date_order`), amounts and currency.
    pub mapping: Option<Mapping>,
    /// A saved way to read them; not together with `mapping`.
    pub profile_id: Option<ProfileId>,
}
