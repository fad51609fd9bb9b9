//! What people and programs do with the API, seen from outside. Each is written once, for every mode.

pub mod access;
pub mod accounts;
pub mod bad_requests;
pub mod comparison;
pub mod crashes;
pub mod edits;
pub mod hostile_files;
pub mod households;
pub mod imports;
pub mod placement;
pub mod repeats;
pub mod sockets;
pub mod starting;
pub mod stopping;
pub mod tables;
pub mod topology;
pub mod trust;
pub mod wrong_files;
