//! The outside world: bank files and their way into the ledger. Seen by `app` alone; others hold a client of
//! `connections_api::Connections`.
#![warn(missing_docs)]

mod bell;
mod contents;
mod http;
mod jobs;
mod module;
mod problems;
mod reading;
mod service;
mod settings;
mod store;
mod uploads;
mod work;

pub use http::described;
pub use module::module;
pub use settings::ConnectionsSettings;
