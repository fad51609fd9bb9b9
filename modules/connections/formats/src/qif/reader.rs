use std::io::Read;

use kernel::Currency;

use super::accounts::Accounts;
use super::record::{Item, Record, Records};
use super::row::{Fault, Notation, opening, row};
use super::section::Section;
use super::trade::trade;
use crate::sink::Tally;
use crate::source::Source;
use crate::{BalanceKind, FormatError, Mapping, RejectCode, RejectedRow, Sink, StatementBalance, Summary};

/// Reads a whole file into `sink`.
pub(crate) fn read<R: Read>(
    source: Source<R>,
    mapping: &Mapping,
    default_currency: Option<Currency>,
    sink: &mut dyn Sink,
) -> Result<Summary, FormatError> {
    let mut records = Records::new(source);
    let mut reader = Reader {
        notation: Notation::new(mapping),
        tally: Tally::new(sink),
        accounts: Accounts::new(mapping.currency.or(default_currency)),
        section: Section::Transactions(None),
    };
    while let Some(item) = records.next()? {
        match item {
            Item::Section(section) => reader.begin(section)?,
            Item::Switch => reader.accounts.forget(),
            Item::Record(record) => reader.record(&record)?,
        }
        reader.tally.progress(records.bytes_read())?;
    }
    reader.tally.progress(records.bytes_read())?;
    Ok(reader.tally.summary)
}

struct Reader<'a> {
    notation: Notation<'a>,
    tally: Tally<'a>,
    accounts: Accounts,
    section: Section,
}

impl Reader<'_> {
    fn begin(&mut self, section: Section) -> Result<(), FormatError> {
        self.section = section;
        if matches!(section, Section::Transactions(_) | Section::Investments) {
            self.accounts.begin();
            // An account without rows is one, too.
            self.accounts.register(section, &mut self.tally)?;
        }
        Ok(())
    }

    fn record(&mut self, record: &Record<'_>) -> Result<(), FormatError> {
        match self.section {
            Section::List => Ok(()),
            Section::Accounts => {
                self.accounts.name(record, &self.notation, &mut self.tally);
                Ok(())
            }
            Section::Transactions(_) | Section::Investments => self.transaction(record),
        }
    }

    fn transaction(&mut self, record: &Record<'_>) -> Result<(), FormatError> {
        let register = self.accounts.register(self.section, &mut self.tally)?;
        let statement = register.statement;
        let line = record.line;
        if record.is_too_long {
            let reason = "the record is longer than 64 KiB".to_owned();
            let rejected = RejectedRow { line, code: RejectCode::RowTooLong, reason };
            return self.tally.rejected(statement, rejected);
        }
        let is_investment = self.section == Section::Investments;
        let read = if is_investment {
            trade(record, &self.notation, register.currency)
        } else {
            row(record, &self.notation, register)
        };
        match read {
            Ok(row) if !is_investment && opening(record, self.accounts.name_of_current()) => {
                let (amount, as_of) = (row.amount, Some(row.posted_on));
                let balance = StatementBalance { kind: BalanceKind::Opening, amount, as_of };
                self.tally.balance(statement, balance)
            }
            Ok(row) => self.tally.row(statement, row),
            Err(Fault::Row((code, reason))) => {
                self.tally.rejected(statement, RejectedRow { line, code, reason })
            }
            Err(Fault::File(error)) => Err(error),
        }
    }
}
