use std::ops::ControlFlow;

use crate::{BankRefusal, FormatError, Position, RejectedRow, Row, StatementBalance, StatementHead};

/// Where a reader puts what it finds, as it finds it. `Break` from any method stops the reading, which then
/// ends with `FormatError::Stopped`.
///
/// Statements are numbered from 0 in the order of their heads. A file may go to and fro between them (a table
/// with an account column does), so everything names its statement.
pub trait Sink {
    /// A statement begins. Comes before everything that names it.
    fn statement(&mut self, statement: usize, head: StatementHead) -> ControlFlow<()>;

    /// A row that was read.
    fn row(&mut self, statement: usize, row: Row) -> ControlFlow<()>;

    /// A row that was not. `row` and `rejected` together come once for each row of the file.
    fn rejected(&mut self, statement: usize, row: RejectedRow) -> ControlFlow<()>;

    /// A balance that the bank states.
    fn balance(&mut self, statement: usize, balance: StatementBalance) -> ControlFlow<()>;

    /// A holding that an investment statement states.
    fn position(&mut self, _statement: usize, _position: Position) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// Bytes of the file taken so far; called some times per megabyte.
    fn progress(&mut self, _bytes_read: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// What was in a file, once all of it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Statements, also those without rows.
    pub statements: usize,
    /// Rows given to `Sink::row`.
    pub rows: u64,
    /// Rows given to `Sink::rejected`.
    pub rejected: u64,
    /// Balances that the bank states but that could not be read; empty ones are not counted.
    pub unreadable_balances: u64,
    /// Holdings given to `Sink::position`.
    pub positions: u64,
    /// Holdings that the bank states but that could not be read.
    pub unreadable_positions: u64,
    /// Days that their months do not have, such as 30 February, where interest is counted in months of 30 days. The
    /// last day of the month stands for each.
    pub moved_dates: u64,
    /// Rows of a table of which neither a sign nor a word nor the column says which way the money went.
    pub unsigned_rows: u64,
    /// Statements that the bank refused while it gave others. (If it gave none, reading fails.)
    pub refusals: Vec<BankRefusal>,
    /// Bytes of the file.
    pub bytes_read: u64,
}

/// A sink and the running count of what it was given.
pub(crate) struct Tally<'a> {
    sink: &'a mut dyn Sink,
    pub(crate) summary: Summary,
}

impl<'a> Tally<'a> {
    pub(crate) fn new(sink: &'a mut dyn Sink) -> Self {
        Self { sink, summary: Summary::default() }
    }

    /// Opens the next statement and gives its number.
    pub(crate) fn statement(&mut self, head: StatementHead) -> Result<usize, FormatError> {
        let statement = self.summary.statements;
        self.summary.statements += 1;
        go(self.sink.statement(statement, head))?;
        Ok(statement)
    }

    pub(crate) fn row(&mut self, statement: usize, row: Row) -> Result<(), FormatError> {
        self.summary.rows += 1;
        go(self.sink.row(statement, row))
    }

    pub(crate) fn rejected(&mut self, statement: usize, row: RejectedRow) -> Result<(), FormatError> {
        self.summary.rejected += 1;
        go(self.sink.rejected(statement, row))
    }

    pub(crate) fn balance(&mut self, statement: usize, balance: StatementBalance) -> Result<(), FormatError> {
        go(self.sink.balance(statement, balance))
    }

    pub(crate) fn position(&mut self, statement: usize, position: Position) -> Result<(), FormatError> {
        self.summary.positions += 1;
        go(self.sink.position(statement, position))
    }

    /// Tells how far we are, if that changed.
    pub(crate) fn progress(&mut self, bytes_read: u64) -> Result<(), FormatError> {
        if bytes_read == self.summary.bytes_read {
            return Ok(());
        }
        self.summary.bytes_read = bytes_read;
        go(self.sink.progress(bytes_read))
    }
}

fn go(flow: ControlFlow<()>) -> Result<(), FormatError> {
    match flow {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(FormatError::Stopped),
    }
}
