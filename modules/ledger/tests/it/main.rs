//! The ledger through its face, on every database there is.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod accounts;
mod dedupe;
mod edits;
mod exports;
mod harness;
mod ingest;
mod listing;
mod new_accounts;
mod opening;
mod pending;
mod properties;
mod repeats;
mod rows;
mod suspicions;
mod undo;
mod undo_properties;
