//! One process per module, and a gateway in front.

pub(super) const PROCESSES: &[&[&str]] = &[&["connections"], &["ledger"], &["identity"], &["gateway"]];
