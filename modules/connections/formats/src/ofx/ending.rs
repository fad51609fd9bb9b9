use kernel::Currency;

use super::Tag;
use super::field::Part;
use super::investment::TradeDraft;
use super::position::PositionDraft;
use super::reader::{Reader, RowOf};
use super::statement::{BalanceDraft, StatementDraft};
use crate::{
    AccountType, BalanceKind, BankRefusal, FormatError, RejectCode, RejectedRow, Row, RowStatus, Summary,
};

/// What is done when an element begins that ends what came before it, or when one ends: things that are whole go to
/// the sink.
impl Reader<'_> {
    pub(super) fn end(&mut self, tag: Tag) -> Result<(), FormatError> {
        match tag {
            Tag::Ofx => {
                self.end_statement()?;
                self.is_whole = true;
            }
            Tag::SignOn => self.in_sign_on = false,
            Tag::Status => self.end_status()?,
            Tag::AccountFrom => self.in_account = false,
            Tag::Payee | Tag::AccountTo | Tag::Currency | Tag::OriginalCurrency => self.part = Part::Itself,
            Tag::LedgerBalance | Tag::AvailableBalance => self.end_balance()?,
            Tag::Transaction | Tag::Pending | Tag::LoanTransaction | Tag::Trade(_) | Tag::Position => {
                self.end_row()?;
            }
            Tag::InvestmentList | Tag::PositionList => self.end_rows()?,
            Tag::Aside => self.in_aside = false,
            Tag::Unknown => self.end_unknown()?,
            Tag::BankStatement | Tag::CardStatement | Tag::InvestmentStatement | Tag::LoanStatement => {
                self.end_statement()?;
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn begin_statement(&mut self, account_type: Option<AccountType>) -> Result<(), FormatError> {
        self.end_status()?;
        self.end_statement()?;
        self.statement = Some(StatementDraft::begin(account_type));
        Ok(())
    }

    fn end_statement(&mut self) -> Result<(), FormatError> {
        self.end_rows()?;
        self.end_balance()?;
        self.in_account = false;
        self.in_aside = false;
        if let Some(mut statement) = self.statement.take() {
            statement.head.give_out(self.default_currency, &mut self.tally)?;
        }
        Ok(())
    }

    pub(super) fn begin_row(&mut self, kind: RowOf, line: u64) -> Result<(), FormatError> {
        // A bank that forgets an end tag still means two rows.
        self.end_row()?;
        self.row_of = Some(kind);
        match kind {
            RowOf::Booked | RowOf::Pending => self.row.begin(line),
            RowOf::Trade(kind) => self.trade = TradeDraft::begin(kind, line),
            RowOf::Position => self.position = PositionDraft::begin(line),
        }
        Ok(())
    }

    pub(super) fn end_rows(&mut self) -> Result<(), FormatError> {
        self.end_row()?;
        self.end_unknown()?;
        self.in_investments = false;
        Ok(())
    }

    fn end_row(&mut self) -> Result<(), FormatError> {
        let Some(kind) = self.row_of.take() else { return Ok(()) };
        self.part = Part::Itself;
        let (statement, currency) = self.current_statement()?;
        match kind {
            RowOf::Booked => {
                let row = self.row.finish(currency);
                self.give_out(statement, row)
            }
            RowOf::Pending => {
                let row = self.row.finish(currency);
                self.give_out(statement, row.map(|row| Row { status: RowStatus::Pending, ..row }))
            }
            RowOf::Trade(_) => {
                let row = std::mem::take(&mut self.trade).finish(currency, self.securities);
                self.give_out(statement, row)
            }
            RowOf::Position => match std::mem::take(&mut self.position).finish(currency, self.securities) {
                Ok(position) => self.tally.position(statement, position),
                Err(_) => {
                    self.tally.summary.unreadable_positions += 1;
                    Ok(())
                }
            },
        }
    }

    fn give_out(&mut self, statement: usize, row: Result<Row, RejectedRow>) -> Result<(), FormatError> {
        match row {
            Ok(row) => self.tally.row(statement, row),
            Err(rejected) => self.tally.rejected(statement, rejected),
        }
    }

    fn end_unknown(&mut self) -> Result<(), FormatError> {
        let Some(unknown) = self.unknown.take().filter(|unknown| unknown.is_real) else { return Ok(()) };
        let (statement, _) = self.current_statement()?;
        let name = crate::error::sanitised(&String::from_utf8_lossy(&unknown.name), 20);
        let rejected = RejectedRow {
            line: unknown.line,
            code: RejectCode::UnsupportedInvestmentRow,
            reason: format!("investment transactions of the kind {name} are not known"),
        };
        self.tally.rejected(statement, rejected)
    }

    pub(super) fn begin_balance(&mut self, kind: BalanceKind) -> Result<(), FormatError> {
        self.end_rows()?;
        self.end_balance()?;
        self.balance = Some(BalanceDraft::begin(kind));
        Ok(())
    }

    pub(super) fn end_balance(&mut self) -> Result<(), FormatError> {
        let Some(balance) = self.balance.take() else { return Ok(()) };
        let (statement, currency) = self.current_statement()?;
        match balance.finish(currency) {
            None => Ok(()),
            Some(Ok(balance)) => self.tally.balance(statement, balance),
            Some(Err(_)) => {
                self.tally.summary.unreadable_balances += 1;
                Ok(())
            }
        }
    }

    /// A refused sign-on ends it all; a refused statement leaves the others.
    fn end_status(&mut self) -> Result<(), FormatError> {
        let Some(status) = self.status.take().filter(|status| status.is_error) else { return Ok(()) };
        let refusal = BankRefusal::new(&status.code, &status.message);
        if self.in_sign_on {
            return Err(refusal.into());
        }
        // A hostile file could repeat it for ever.
        if self.tally.summary.refusals.len() < 100 {
            self.tally.summary.refusals.push(refusal);
        }
        Ok(())
    }

    fn current_statement(&mut self) -> Result<(usize, Currency), FormatError> {
        // Rows outside of any statement are against the format, but they are there.
        let statement = self.statement.get_or_insert_default();
        statement.head.give_out(self.default_currency, &mut self.tally)
    }

    pub(super) fn finish(mut self, line: u64) -> Result<Summary, FormatError> {
        if !self.is_whole {
            return Err(FormatError::TruncatedFile { line });
        }
        match self.tally.summary.refusals.first() {
            Some(refusal) if self.tally.summary.statements == 0 => Err(refusal.clone().into()),
            _ => Ok(std::mem::take(&mut self.tally.summary)),
        }
    }
}
