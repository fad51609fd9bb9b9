//! One import in the hands of one runner.

mod again;
mod read;
mod undo;
mod unpack;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use connections_api::{Difference, ImportReport, ImportState, Mapping, Note, UndoReport, events};
use futures_util::FutureExt;
use kernel::{BatchId, Code, Problem, ProfileId, ToProblem};
use ledger_api::{Ledger, LedgerError};
use platform::{delegated, outbox};
use sea_orm::DbErr;
use serde_json::json;
use service_registry::{CallContext, CallError, ServiceClient};
use tokio_util::sync::CancellationToken;

use crate::ConnectionsSettings;
use crate::bell::Bell;
use crate::contents::Contents;
use crate::reading::{Counters, shown_report};
use crate::store::{ConnectionStore, Ended, ImportRow, Lease};

/// All the calls of one run together; each has its own, shorter limit besides.
const LONGEST_RUN: Duration = Duration::from_secs(60 * 60);
/// How often progress is told, at most.
const TELL: Duration = Duration::from_millis(500);
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// A fault of our own may pass by itself, as while the ledger starts; one that stays is told to the user.
const MOST_BROKEN_RUNS: i32 = 5;

/// Works on imports, one at a time; as many as wanted do so beside each other.
#[derive(Clone)]
pub(crate) struct Runner {
    pub(crate) store: ConnectionStore,
    pub(crate) ledger: ServiceClient<dyn Ledger>,
    pub(crate) settings: Arc<ConnectionsSettings>,
    pub(crate) bell: Arc<Bell>,
}

/// Why a run ended before its end.
enum Halt {
    /// The file, or what was chosen for it, will not do.
    Refused(Box<Problem>),
    /// The ledger cannot be asked now.
    Wait(CallError),
    /// Our own fault.
    Broken(String),
    /// The import was cancelled, or somebody else has it.
    Unwanted,
}

enum Done {
    Unpacked(Box<unpack::Unpacked>),
    Previewed(Box<ImportReport>),
    Committed(Box<ImportReport>),
    Undone(UndoReport),
    Tidied,
}

/// What a run learned on its way, also if it failed in the end.
#[derive(Default)]
struct Told {
    contents: Option<Contents>,
    difference: Option<Difference>,
    notes: Vec<Note>,
    mapping: Option<Mapping>,
    profile_id: Option<ProfileId>,
}

impl Runner {
    /// Does what the import's state asks for, and writes down what came of it.
    pub(crate) async fn work(self, lease: Lease, row: ImportRow, stop: CancellationToken) {
        let (counters, unwanted, mut told) = (Arc::default(), CancellationToken::new(), Told::default());
        if lease.state == ImportState::Reading && row.broken_runs >= MOST_BROKEN_RUNS {
            let detail =
                format!("reading the file failed {MOST_BROKEN_RUNS} times, so it is not tried again");
            let problem = Problem::new(Code::Internal).detail(detail);
            if let Err(error) = self.failed(&lease, &row, &told, &problem).await {
                tracing::warn!(import.id = %lease.import, %error, "Cannot give an import up");
            }
            return;
        }
        let halted = tokio::select! {
            done = AssertUnwindSafe(self.step(&lease, &row, &counters, &unwanted, &mut told)).catch_unwind() => {
                done.unwrap_or_else(|_| Err(Halt::Broken("the run panicked".into())))
            }
            never = self.keep(&lease, &counters, &unwanted) => match never {},
            () = stop.cancelled() => Err(Halt::Unwanted),
        };
        if let Err(error) = self.conclude(&lease, &row, halted, &told, &counters).await {
            // The lease runs out by itself, and the run is repeated.
            tracing::warn!(import.id = %lease.import, %error, "Cannot write down what became of an import");
        }
        self.bell.work.notify_one();
    }

    async fn step(
        &self,
        lease: &Lease,
        row: &ImportRow,
        counters: &Arc<Counters>,
        unwanted: &CancellationToken,
        told: &mut Told,
    ) -> Result<Done, Halt> {
        let cx = context(row)?;
        let batch = BatchId(row.id);
        match lease.state {
            ImportState::Reading => match row.contents().map_err(broken)? {
                Contents::Zip => {
                    let unpacked = self.unpack(lease, row, counters, unwanted).await?;
                    Ok(Done::Unpacked(Box::new(unpacked)))
                }
                Contents::File(detection) => {
                    let detection = match row.reparse_of {
                        Some(_) => self.detect_again(row, unwanted, told).await?,
                        None => detection,
                    };
                    let report = self.read(&cx, row, detection, counters, unwanted, told).await?;
                    Ok(Done::Previewed(Box::new(report)))
                }
            },
            ImportState::Committing => {
                let report = self.ledger.ingest(&cx, batch).await.map_err(halt)?;
                Ok(Done::Committed(Box::new(shown_report(&report).map_err(broken)?)))
            }
            ImportState::Undoing => {
                let report = self.ledger.revert(&cx, batch).await.map_err(halt)?;
                Ok(Done::Undone(undo::shown(&report).map_err(broken)?))
            }
            _ if row.contents().map_err(broken)? == Contents::Zip => {
                self.store.drop_members(lease.import).await.map_err(broken)?;
                Ok(Done::Tidied)
            }
            _ => match self.ledger.discard(&cx, batch).await {
                // What the ledger has taken does not wait there.
                Ok(()) | Err(LedgerError::BatchCommitted(_)) => Ok(Done::Tidied),
                Err(error) => Err(halt(error)),
            },
        }
    }

    /// Extends the lease for as long as it is polled, and says when the run is not wanted any more.
    async fn keep(
        &self,
        lease: &Lease,
        counters: &Counters,
        unwanted: &CancellationToken,
    ) -> std::convert::Infallible {
        let mut extended = Instant::now();
        while !unwanted.is_cancelled() {
            tokio::select! {
                () = tokio::time::sleep(TELL.min(self.settings.lease / 5)) => {}
                () = self.bell.stirred.notified() => {}
            }
            let length = self.settings.lease;
            let kept = match lease.state {
                ImportState::Reading => self.store.extend_reading(lease, length, counters.now()).await,
                _ => self.store.extend(lease, length).await,
            };
            match kept {
                Ok(true) => extended = Instant::now(),
                Ok(false) => unwanted.cancel(),
                Err(error) => {
                    tracing::warn!(import.id = %lease.import, %error, "Cannot extend the lease of an import");
                    if extended.elapsed() > self.settings.lease {
                        unwanted.cancel();
                    }
                }
            }
        }
        std::future::pending().await
    }

    async fn conclude(
        &self,
        lease: &Lease,
        row: &ImportRow,
        done: Result<Done, Halt>,
        told: &Told,
        counters: &Counters,
    ) -> Result<(), DbErr> {
        match done {
            Ok(Done::Unpacked(unpacked)) => self.unpacked(lease, row, &unpacked).await,
            Ok(Done::Previewed(report)) => self.previewed(lease, row, told, counters, &report).await,
            Ok(Done::Committed(report)) => self.committed(lease, row, &report).await,
            Ok(Done::Undone(report)) => self.undone(lease, row, &report).await,
            Ok(Done::Tidied) => {
                if !self.store.end_tidying(lease).await? {
                    self.store.release(lease, Duration::ZERO).await?;
                }
                Ok(())
            }
            Err(Halt::Unwanted) => self.store.release(lease, Duration::ZERO).await,
            Err(Halt::Refused(problem)) if is_tidying(lease) => {
                tracing::warn!(import.id = %lease.import, code = problem.code, "Rows still wait in the ledger");
                self.store.release(lease, self.pause(row)).await
            }
            Err(Halt::Refused(problem)) => self.failed(lease, row, told, &problem).await,
            Err(Halt::Wait(error)) => {
                tracing::info!(import.id = %lease.import, %error, "Import {} waits for the ledger", lease.import);
                self.store.release(lease, self.pause(row)).await
            }
            Err(Halt::Broken(error)) => {
                tracing::error!(import.id = %lease.import, error, "Working on import {} failed", lease.import);
                if is_tidying(lease) || row.broken_runs < MOST_BROKEN_RUNS {
                    return self.store.release_broken(lease, self.pause(row)).await;
                }
                self.failed(lease, row, told, &Problem::new(Code::Internal)).await
            }
        }
    }

    async fn previewed(
        &self,
        lease: &Lease,
        row: &ImportRow,
        told: &Told,
        counters: &Counters,
        report: &ImportReport,
    ) -> Result<(), DbErr> {
        let txn = self.store.db.begin().await?;
        if !self.store.end_reading(&txn, lease, &told.ended(), counters.now(), report).await? {
            drop(txn);
            return self.store.release(lease, Duration::ZERO).await;
        }
        let data = json!({ "import_id": lease.import });
        self.tell(&txn, row, events::IMPORT_PREVIEWED, &data).await?;
        txn.commit().await
    }

    async fn committed(&self, lease: &Lease, row: &ImportRow, report: &ImportReport) -> Result<(), DbErr> {
        let txn = self.store.db.begin().await?;
        // Where the lease was lost, whoever has it now gets the same report from the ledger.
        if self.store.end_commit(&txn, lease, report).await? {
            let data = json!({ "import_id": lease.import });
            self.tell(&txn, row, events::IMPORT_COMMITTED, &data).await?;
            tracing::info!(import.id = %lease.import, "Committed import {}", lease.import);
        }
        txn.commit().await
    }

    async fn failed(
        &self,
        lease: &Lease,
        row: &ImportRow,
        told: &Told,
        problem: &Problem,
    ) -> Result<(), DbErr> {
        if lease.state == ImportState::Undoing {
            return self.undo_refused(lease, row, problem).await;
        }
        let txn = self.store.db.begin().await?;
        if !self.store.fail(&txn, lease, &told.ended(), problem).await? {
            drop(txn);
            return self.store.release(lease, Duration::ZERO).await;
        }
        let data = json!({ "import_id": lease.import, "code": problem.code });
        self.tell(&txn, row, events::IMPORT_FAILED, &data).await?;
        txn.commit().await
    }

    async fn tell(
        &self,
        txn: &platform::Txn,
        row: &ImportRow,
        kind: &str,
        data: &serde_json::Value,
    ) -> Result<(), DbErr> {
        let space = Some(row.principal()?.space);
        outbox::append(&CallContext::root(), txn, space, kind, row.id(), data).await
    }

    /// Longer with every attempt, so that an absent ledger is not knocked at all the time.
    fn pause(&self, row: &ImportRow) -> Duration {
        let doublings = row.attempts.clamp(1, 16).unsigned_abs() - 1;
        (FIRST_PAUSE * 2_u32.pow(doublings)).min(self.settings.longest_pause)
    }
}

impl Told {
    fn ended(&self) -> Ended<'_> {
        Ended {
            notes: &self.notes,
            contents: self.contents.as_ref(),
            difference: self.difference.as_ref(),
            mapping: self.mapping.as_ref(),
            profile_id: self.profile_id,
        }
    }
}

fn is_tidying(lease: &Lease) -> bool {
    !matches!(lease.state, ImportState::Reading | ImportState::Committing | ImportState::Undoing)
}

/// Background work for the user who asked for it, whose own token may have expired.
fn context(row: &ImportRow) -> Result<CallContext, Halt> {
    let principal = row.principal().map_err(broken)?;
    Ok(CallContext::root().with_caller(delegated(&principal)).with_remaining(LONGEST_RUN))
}

fn halt(error: LedgerError) -> Halt {
    match error {
        LedgerError::Call(
            error @ (CallError::Unavailable { .. }
            | CallError::Overloaded { .. }
            | CallError::DeadlineExceeded { .. }),
        ) => Halt::Wait(error),
        LedgerError::Call(error) => Halt::Broken(error.to_string()),
        LedgerError::BatchTakenOver(_) => Halt::Unwanted,
        refusal => Halt::Refused(Box::new(refusal.to_problem())),
    }
}

fn broken(error: impl std::fmt::Display) -> Halt {
    Halt::Broken(error.to_string())
}
