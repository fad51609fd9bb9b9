//! What others may see of the ledger: accounts, transactions, balances, and the one door that rows come in by.
#![warn(missing_docs)]

mod details;
mod error;
mod ingest;
mod revert;
mod rows;
mod service;
mod types;

pub use details::{Details, Split, Trade, TradeAction, TransactionStatus};
pub use error::LedgerError;
pub use ingest::{
    AccountRef, AccountReport, Correction, CorrectionAction, ExternalAccount, IngestReport, Outcomes,
    RejectedReason, RejectedRow, Row, StagePart, StagedRow, StatedBalance, StatementRef, Suggestion,
    SuspiciousRow,
};
pub use revert::{AccountReverted, RevertReport};
pub use rows::{RowFilter, RowOutcome, RowReport};
pub use service::{Ledger, SERVICE};
pub use types::{
    Account, AccountKind, AccountPatch, BalanceFilter, BalanceKind, BalanceSnapshot, Change, ChangePage,
    Drift, NewAccount, Transaction, TransactionFilter, TransactionKind, TransactionPatch,
};
