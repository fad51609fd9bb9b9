//! Connections through its routes, with the real ledger behind it, on every database that there is.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod archives;
mod camt;
mod committing;
mod currencies;
mod exports;
mod files;
mod gate;
mod households;
mod kept;
mod keys;
mod pending;
mod profiles;
mod reading;
mod refusals;
mod routes;
mod rows;
mod runs;
mod size;
mod statements;
mod tables;
mod undoing;
mod world;
