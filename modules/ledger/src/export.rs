//! The household's ledger as a file: read page by page in one snapshot, and written as it is read.
//!
//! A file of any length takes the memory of a page or two. It shows the ledger as it was at one moment, and it is
//! whole or it breaks off: whoever reads it never takes a part for the whole.

mod beancount;
mod body;
mod csv;
mod facts;
mod hledger;
mod journal;
mod json;
mod ofx;
mod ofx_row;
mod qif;
mod sheet;
mod text;
mod walk;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kernel::{AccountId, DateRange, Scope};
use ledger_api::{Account, LedgerError};
use platform::{OrFail, Store, may};
use sea_orm::ConnectionTrait;
use service_registry::{CallContext, CallError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::store::exports;
pub(crate) use body::BrokenOff;
use body::Chunks;
pub(crate) use sheet::Sheet;
use sheet::Writer;

/// Files written at once by one process. Each holds a connection to the database for as long as its reader takes.
const AT_ONCE: usize = 2;
/// A reader that takes nothing for this long is gone, or as good as that.
const STALL: Duration = Duration::from_secs(60);
/// The longest that a file may take: enough for a million rows on a slow line.
const LONGEST: Duration = Duration::from_secs(3600);
/// Chunks of a file that wait for its reader.
const CHUNKS_AHEAD: usize = 2;

/// What a ledger can be written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Csv,
    Ofx,
    Qif,
    Beancount,
    Hledger,
    Json,
}

impl Format {
    /// The last part of a file's name.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ofx => "ofx",
            Self::Qif => "qif",
            Self::Beancount => "beancount",
            Self::Hledger => "hledger",
            Self::Json => "json",
        }
    }

    pub(crate) fn media_type(self) -> &'static str {
        match self {
            // RFC 4180 §3.
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ofx => "application/x-ofx",
            Self::Qif => "application/qif",
            Self::Beancount | Self::Hledger => "text/plain; charset=utf-8",
            Self::Json => "application/json",
        }
    }

    fn writer(self) -> Box<dyn Writer> {
        match self {
            Self::Csv => Box::new(csv::Csv),
            Self::Ofx => Box::new(ofx::Ofx::new(kernel::now())),
            Self::Qif => Box::new(qif::Qif),
            Self::Beancount => Box::new(beancount::Beancount::default()),
            Self::Hledger => Box::new(hledger::Hledger::default()),
            Self::Json => Box::new(json::Json::default()),
        }
    }
}

/// What is wanted of the ledger.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// These accounts, or all where none is named.
    pub(crate) accounts: Vec<AccountId>,
    /// Rows and stated balances of these days.
    pub(crate) dates: DateRange,
}

/// Writes ledgers as files.
#[derive(Clone)]
pub(crate) struct Exports {
    store: Store,
    turns: Arc<Semaphore>,
}

impl Exports {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Begins a file, which then comes piece by piece; an error among the pieces means that it broke off.
    ///
    /// Refuses like any call: `AccountNotFound` for an account that is not the household's, `Overloaded` where
    /// others write files and none ends in time.
    pub(crate) async fn begin(
        &self,
        cx: &CallContext,
        format: Format,
        wanted: Selection,
    ) -> Result<mpsc::Receiver<Result<Bytes, BrokenOff>>, LedgerError> {
        let who = may(cx, Scope::LedgerRead)?;
        let turn = self.turn(cx).await?;
        let snapshot = self.store.snapshot().await.or_fail(cx)?;
        let all = exports::accounts(&snapshot, who.space).await.or_fail(cx)?;
        let accounts = chosen(all, &wanted.accounts)?;
        let (sender, pieces) = mpsc::channel(CHUNKS_AHEAD);
        let request_id = cx.request_id();
        tokio::spawn(async move {
            let chunks = Chunks::new(sender);
            let walk = walk::walk(&snapshot, accounts, wanted.dates, format.writer(), &chunks);
            let outcome = tokio::time::timeout(LONGEST, walk).await.unwrap_or(Err(BrokenOff::TooLong));
            end(snapshot, turn).await;
            if let Err(error) = outcome {
                match &error {
                    BrokenOff::Database(cause) => {
                        tracing::error!(%request_id, error = %cause, "A file of the ledger broke off: {error}");
                    }
                    _ => tracing::info!(%request_id, "A file of the ledger broke off: {error}"),
                }
                chunks.break_off(error).await;
            }
        });
        Ok(pieces)
    }

    async fn turn(&self, cx: &CallContext) -> Result<OwnedSemaphorePermit, LedgerError> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        // Half of the time that the caller has, so that there is some left to answer in.
        match tokio::time::timeout(cx.remaining() / 2, turn).await {
            Ok(Ok(turn)) => Ok(turn),
            _ => Err(CallError::Overloaded { service: "exports".into(), retry_after_ms: 10_000 }.into()),
        }
    }
}

/// Gives the connection back before the turn, so that those who wait find one.
async fn end(snapshot: impl ConnectionTrait, turn: OwnedSemaphorePermit) {
    drop(snapshot);
    drop(turn);
}

/// The accounts that were asked for, in the order of all.
fn chosen(all: Vec<Account>, ids: &[AccountId]) -> Result<Vec<Account>, LedgerError> {
    if let Some(missing) = ids.iter().find(|id| all.iter().all(|account| account.id != **id)) {
        return Err(LedgerError::AccountNotFound(*missing));
    }
    Ok(all.into_iter().filter(|account| ids.is_empty() || ids.contains(&account.id)).collect())
}
