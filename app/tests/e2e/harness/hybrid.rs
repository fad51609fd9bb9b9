//! The part that reads bank files apart from all the rest.

pub(super) const PROCESSES: &[&[&str]] = &[&["connections"], &["gateway", "identity", "ledger"]];
