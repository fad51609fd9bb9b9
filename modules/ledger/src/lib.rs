//! What happened: accounts, transactions, balances. Seen by `app` alone; others hold a client of `ledger_api::Ledger`.

mod domain;
mod export;
mod http;
mod jobs;
mod module;
mod service;
mod settings;
mod store;

pub use http::described;
pub use module::module;
pub use settings::LedgerSettings;
