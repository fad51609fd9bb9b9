//! From the bytes of an uploaded file to parts of a batch.
//!
//! A thread reads and parses, because parsing is work and files are large; an async loop sends what it finds to the
//! ledger. Between them stands a channel of a few parts, so that the slower side holds the faster one back and
//! memory does not grow with the file.

mod accounts;
mod archive;
mod convert;
mod file;
mod original;
mod parts;
mod plan;

pub(crate) use accounts::{Accounts, Chosen, Named};
pub(crate) use archive::{Archive, ArchiveLimits, ArchivedFile, Unpackable};
pub(crate) use convert::{mapping, row_filter, shown_mapping, shown_report, shown_rows};
pub(crate) use file::{CHUNK, UploadedFile, chunk_place};
pub(crate) use parts::{Counters, Parts};
pub(crate) use plan::{Found, ReadingPlan, note_of_built_in, note_of_unsigned, notes_after, notes_before};
