//! What the readers make of files, seen through the public API.
#![allow(clippy::unwrap_used, reason = "a helper that cannot go on fails its test")]

mod bank_properties;
mod bank_tables;
mod camt_batches;
mod camt_entries;
mod camt_hostile;
mod camt_properties;
mod camt_samples;
mod camt_statements;
mod camt_support;
mod corpus;
mod csv_guesses;
mod csv_tables;
mod csv_values;
mod damage;
mod encodings;
mod formats_page;
mod fuzzed;
mod hostile_lines;
mod mt940_corpus;
mod mt940_files;
mod mt940_properties;
mod ofx_corpus;
mod ofx_files;
mod ofx_investments;
mod ofx_loans;
mod ofx_shapes;
mod properties;
mod qif_files;
mod qif_properties;
mod samples;
mod seeds;
mod support;
mod wrong_files;
