//! Ground that implementations stand on: the store, once-only writes, the outbox, sealing, HTTP doors, testing.
#![warn(missing_docs)]

mod failure;
pub mod http;
mod module;
mod once;
pub mod outbox;
mod principal;
mod seal;
mod store;
pub mod testing;
mod txn;

pub use failure::OrFail;
pub use module::{Job, Module, Routes};
pub use principal::{delegated, may, principal};
pub use seal::{SealKey, Sealed, Unsealable};
pub use store::{DatabaseSettings, Store};
pub use txn::Txn;
