//! What others may see of connections: the imports of bank files and the profiles that say how to read tables.
#![warn(missing_docs)]

mod error;
pub mod events;
mod mapping;
mod report;
mod rows;
mod service;
mod types;

pub use error::ConnectionsError;
pub use mapping::{
    AmountColumns, Column, Columns, DateOrder, DecimalMark, Mapping, MappingProfile, NewMappingProfile,
    StatusColumn,
};
pub use report::{
    AccountReport, AccountUndone, Drift, ImportReport, Outcomes, RejectedRow, Suggestion, SuspiciousRow,
    UndoReport,
};
pub use rows::{FileRow, RowFilter, RowOutcome};
pub use service::{Connections, SERVICE};
pub use types::{Difference, EncodingUsed, FileFormat, Import, ImportState, Note, PreviewRequest, Progress};
