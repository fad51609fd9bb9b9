use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use connections_formats::{RejectedRow, Row, Sink, StatementBalance, StatementHead};
use kernel::{BankDate, BatchId, Problem};
use ledger_api::{BalanceKind, RejectedReason, StagePart, StagedRow, StatedBalance, StatementRef};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::{Accounts, convert};

/// Rows that go to the ledger in one call: enough to make the call cheap, few enough to be a moment's work.
const ROWS: usize = 2_000;

/// How far the reading is, for those who watch.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) bytes_read: AtomicU64,
    pub(crate) rows_read: AtomicU64,
}

impl Counters {
    pub(crate) fn now(&self) -> (u64, u64) {
        (self.bytes_read.load(Ordering::Relaxed), self.rows_read.load(Ordering::Relaxed))
    }
}

/// Gathers what a reader finds into parts of a batch and hands them on.
pub(crate) struct Parts {
    batch: BatchId,
    run: Uuid,
    accounts: Accounts,
    out: mpsc::Sender<StagePart>,
    counters: Arc<Counters>,
    part: u32,
    statements: Vec<StatementRef>,
    rows: Vec<StagedRow>,
    /// The last day of each statement, for balances that do not say theirs.
    ends_on: Vec<Option<BankDate>>,
    /// Why we broke the reading off, where it was us.
    pub(crate) refusal: Option<Box<Problem>>,
    /// Balances without a day; they cannot be compared with anything.
    pub(crate) undated_balances: u64,
}

impl Parts {
    pub(crate) fn new(
        batch: BatchId,
        run: Uuid,
        accounts: Accounts,
        out: mpsc::Sender<StagePart>,
        counters: Arc<Counters>,
    ) -> Self {
        Self {
            batch,
            run,
            accounts,
            out,
            counters,
            part: 0,
            statements: Vec::new(),
            rows: Vec::new(),
            ends_on: Vec::new(),
            refusal: None,
            undated_balances: 0,
        }
    }

    /// Hands on what is left. There is always one part, so that the batch begins anew even with an empty file.
    pub(crate) fn finish(&mut self) -> ControlFlow<()> {
        if let Some(problem) = self.accounts.mismatch() {
            self.refusal = Some(problem);
            return ControlFlow::Break(());
        }
        if self.part == 0 || !self.rows.is_empty() || !self.statements.is_empty() {
            return self.hand_on();
        }
        ControlFlow::Continue(())
    }

    fn add(
        &mut self,
        statement: usize,
        line: u64,
        row: Result<ledger_api::Row, RejectedReason>,
    ) -> ControlFlow<()> {
        self.counters.rows_read.fetch_add(1, Ordering::Relaxed);
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        self.rows.push(StagedRow { statement: number(statement), line, row });
        self.hand_on_if_full()
    }

    fn hand_on_if_full(&mut self) -> ControlFlow<()> {
        if self.rows.len() + self.statements.len() >= ROWS {
            self.hand_on()
        } else {
            ControlFlow::Continue(())
        }
    }

    fn hand_on(&mut self) -> ControlFlow<()> {
        let part = StagePart {
            batch: self.batch,
            run: self.run,
            part: self.part,
            statements: std::mem::take(&mut self.statements),
            rows: std::mem::take(&mut self.rows),
        };
        self.part += 1;
        match self.out.blocking_send(part) {
            Ok(()) => ControlFlow::Continue(()),
            // Nobody takes parts any more: the import was cancelled or its lease was lost.
            Err(_) => ControlFlow::Break(()),
        }
    }
}

impl Sink for Parts {
    fn statement(&mut self, statement: usize, head: StatementHead) -> ControlFlow<()> {
        match self.accounts.add(&head) {
            Ok(whose) => {
                self.ends_on.push(head.ends_on);
                let mut told = StatementRef::new(number(statement), whose.account.clone());
                if whose.fits {
                    (told.starts_on, told.ends_on) = (head.starts_on, head.ends_on);
                }
                self.statements.push(told);
                self.hand_on_if_full()
            }
            Err(problem) => {
                self.refusal = Some(problem);
                ControlFlow::Break(())
            }
        }
    }

    fn row(&mut self, statement: usize, row: Row) -> ControlFlow<()> {
        self.add(statement, row.line, Ok(convert::row(row)))
    }

    fn rejected(&mut self, statement: usize, row: RejectedRow) -> ControlFlow<()> {
        let reason = RejectedReason { code: row.code.as_str().into(), reason: row.reason };
        self.add(statement, row.line, Err(reason))
    }

    fn balance(&mut self, statement: usize, balance: StatementBalance) -> ControlFlow<()> {
        let as_of = balance.as_of.or(self.ends_on.get(statement).copied().flatten());
        let (Some(as_of), Some(whose)) = (as_of, self.accounts.of(statement)) else {
            self.undated_balances += 1;
            return ControlFlow::Continue(());
        };
        // With its rows rejected, nothing is left for its balances to be compared with.
        if !whose.fits {
            return ControlFlow::Continue(());
        }
        let stated =
            StatedBalance { kind: convert::balance_kind(balance.kind), as_of, amount: balance.amount };
        // A bank that knows what was booked up to a day tells of no later one, whatever end it was asked for.
        let ends_on = (stated.kind == BalanceKind::Ledger).then_some(as_of);
        let (number, account) = (number(statement), whose.account.clone());
        match self.statements.iter_mut().rev().find(|known| known.number == number) {
            Some(known) => {
                known.balances.push(stated);
                known.ends_on = known.ends_on.into_iter().chain(ends_on).min();
            }
            None => {
                let told = StatementRef::new(number, account);
                self.statements.push(StatementRef { balances: vec![stated], ends_on, ..told });
            }
        }
        self.hand_on_if_full()
    }

    fn progress(&mut self, bytes_read: u64) -> ControlFlow<()> {
        self.counters.bytes_read.store(bytes_read, Ordering::Relaxed);
        ControlFlow::Continue(())
    }
}

fn number(statement: usize) -> u32 {
    u32::try_from(statement).unwrap_or(u32::MAX)
}
