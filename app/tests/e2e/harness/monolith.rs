//! One process that does everything.

pub(super) const PROCESSES: &[&[&str]] = &[&["gateway", "identity", "ledger", "connections"]];
