use std::borrow::Cow;
use std::io::Read;

use kernel::{Currency, Money};

use super::date::{Reading, Written};
use super::evidence::split_as_of;
use super::layout::{AmountAt, Layout};
use super::record::{Cells, Record, Records};
use super::statements::Statements;
use super::{DateOrder, Mapping, ambiguous, direction};
use crate::amount::{DecimalMark, reject, table_amount};
use crate::error::sanitised;
use crate::ofx::amount_reason;
use crate::sink::Tally;
use crate::source::Source;
use crate::{FormatError, RejectCode, RejectedRow, Row, Sink, Summary};

/// Reads a whole table into `sink`.
pub(crate) fn read<R: Read>(
    source: Source<R>,
    mapping: &Mapping,
    default_currency: Option<Currency>,
    sink: &mut dyn Sink,
) -> Result<Summary, FormatError> {
    mapping.check()?;
    let mut records = Records::new(source, mapping.delimiter, mapping.quote);
    let (layout, preamble) = Layout::find(mapping, &mut records)?;
    let file_currency = mapping.currency.or(preamble.currency).or(default_currency);
    if file_currency.is_none() && layout.currency.is_none() {
        return Err(FormatError::NeedsCurrency);
    }
    let mut tally = Tally::new(sink);
    let mut statements = Statements::new(preamble.account(), file_currency);
    let reader = Reader { mapping, layout, mark: mapping.decimal_mark.unwrap_or(DecimalMark::Point) };
    while let Some((line, record)) = records.next()? {
        match record {
            Record::Cells(cells) => reader.record(line, &cells, &mut statements, &mut tally)?,
            Record::TooLong => {
                let row =
                    rejected(line, (RejectCode::RowTooLong, "the line is longer than 64 KiB".to_owned()));
                statements.reject(None, row, &mut tally)?;
            }
            Record::UnbalancedQuote => {
                let reason = "a quote opens on the line and nothing closes it".to_owned();
                let row = rejected(line, (RejectCode::UnbalancedQuote, reason));
                statements.reject(None, row, &mut tally)?;
            }
        }
        tally.progress(records.bytes_read())?;
    }
    tally.progress(records.bytes_read())?;
    statements.finish(&mut tally)?;
    Ok(tally.summary)
}

struct Reader<'a> {
    mapping: &'a Mapping,
    layout: Layout,
    mark: DecimalMark,
}

type Refusal = (RejectCode, String);

fn rejected(line: u64, (code, reason): Refusal) -> RejectedRow {
    RejectedRow { line, code, reason }
}

/// Why a record is not read: it is rejected, or the whole file is.
enum Fault {
    Row(Refusal),
    File(FormatError),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Row(refusal)
    }
}

impl Reader<'_> {
    fn record(
        &self,
        line: u64,
        cells: &Cells<'_>,
        statements: &mut Statements,
        tally: &mut Tally<'_>,
    ) -> Result<(), FormatError> {
        let account = self.layout.account.map(|at| cells.text(at)).filter(|account| !account.is_empty());
        let currency = match self.currency(cells, statements.file_currency()) {
            Ok(currency) => currency,
            Err(refusal) => return statements.reject(None, rejected(line, refusal), tally),
        };
        let row = match self.row(line, cells, currency) {
            Ok(row) => row,
            Err(Fault::Row(refusal)) => {
                return statements.reject(Some(currency), rejected(line, refusal), tally);
            }
            Err(Fault::File(error)) => return Err(error),
        };
        // A balance that cannot be read does not take its row with it.
        let balance = self.layout.balance.map(|at| self.amount(&cells.text(at), currency)).transpose();
        statements.row(account.as_deref(), row, balance.map(Option::flatten).map_err(drop), tally)
    }

    fn currency(&self, cells: &Cells<'_>, file_currency: Option<Currency>) -> Result<Currency, Refusal> {
        let code = self.layout.currency.map(|at| cells.text(at)).unwrap_or_default();
        if !code.is_empty() {
            let unknown =
                |_| (RejectCode::UnknownCurrency, format!("unknown currency {:?}", sanitised(&code, 16)));
            return Currency::parse(&code).map_err(unknown);
        }
        file_currency
            .ok_or_else(|| (RejectCode::UnknownCurrency, "the row does not name its currency".to_owned()))
    }

    fn row(&self, line: u64, cells: &Cells<'_>, currency: Currency) -> Result<Row, Fault> {
        let date = cells.text(self.layout.date);
        if !date.is_empty() && !date.bytes().any(|byte| byte.is_ascii_digit()) {
            let reason = "there is no date in the date column: a heading or a total".to_owned();
            return Err((RejectCode::NotATransaction, reason).into());
        }
        if !self.layout.fits(cells) {
            return Err(
                (RejectCode::MissingColumns, format!("the row has {} columns only", cells.len())).into()
            );
        }
        if date.is_empty() {
            return Err((RejectCode::MissingDate, "the date column is empty".to_owned()).into());
        }
        let (posted, occurred) = match split_as_of(&date) {
            Some((posted, occurred)) => (posted, Some(Cow::Borrowed(occurred))),
            None => (&*date, self.layout.transaction_date.map(|at| cells.text(at))),
        };
        let posted_on = self.date(posted)?;
        let amount = self.booked(cells, currency)?;
        let some = |at: Option<usize>| {
            at.map(|at| cells.text(at)).filter(|text| !text.is_empty()).map(Cow::into_owned)
        };
        Ok(Row {
            external_id: some(self.layout.external_id),
            // The lesser date: where it cannot be read there is none.
            occurred_on: occurred.and_then(|text| self.date(&text).ok()),
            name: some(self.layout.name),
            memo: some(self.layout.memo),
            check_number: some(self.layout.check_number),
            ..Row::new(line, posted_on, amount)
        })
    }

    fn date(&self, text: &str) -> Result<chrono::NaiveDate, Fault> {
        let malformed = || (RejectCode::MalformedDate, format!("{:?} is not a date", sanitised(text, 40)));
        let written = Written::parse(text).ok_or_else(malformed)?;
        match (self.mapping.date_order, written.reading()) {
            (Some(order), _) => written.under(order).ok_or_else(|| malformed().into()),
            (None, Reading::Same(day)) => Ok(day),
            (None, Reading::OnlyDayFirst) => {
                written.under(DateOrder::DayFirst).ok_or_else(|| malformed().into())
            }
            (None, Reading::OnlyMonthFirst) => {
                written.under(DateOrder::MonthFirst).ok_or_else(|| malformed().into())
            }
            (None, Reading::Either { day_first, month_first }) => {
                Err(Fault::File(ambiguous(text, day_first, month_first, self.mapping)))
            }
            (None, Reading::Neither) => Err(malformed().into()),
        }
    }

    /// The signed amount of a row.
    fn booked(&self, cells: &Cells<'_>, currency: Currency) -> Result<Money, Refusal> {
        let missing = || (RejectCode::MissingAmount, "the amount column is empty".to_owned());
        let negated =
            |money: Money| money.checked_neg().map_err(|error| (reject(error), "amount out of range".into()));
        match self.layout.amount {
            AmountAt::Signed(at) => self.amount(&cells.text(at), currency)?.ok_or_else(missing),
            AmountAt::Directed { amount, direction: at } => {
                let amount = self.amount(&cells.text(amount), currency)?.ok_or_else(missing)?;
                let word = cells.text(at);
                let unknown = || {
                    (RejectCode::UnknownDirection, format!("{:?} says no direction", sanitised(&word, 20)))
                };
                if direction(&word).ok_or_else(unknown)? { Ok(amount) } else { negated(amount) }
            }
            AmountAt::DebitCredit { debit, credit, debit_is_negative } => {
                let zero = Money::zero(currency);
                let debit = self.amount(&cells.text(debit), currency)?;
                let credit = self.amount(&cells.text(credit), currency)?;
                match (debit.filter(|debit| *debit != zero), credit.filter(|credit| *credit != zero)) {
                    (Some(_), Some(_)) => Err((
                        RejectCode::DebitAndCredit,
                        "both the debit and the credit column are filled".to_owned(),
                    )),
                    (Some(debit), None) if debit_is_negative => Ok(debit),
                    (Some(debit), None) => negated(debit),
                    (None, Some(credit)) => Ok(credit),
                    (None, None) => debit.or(credit).ok_or_else(missing),
                }
            }
        }
    }

    fn amount(&self, text: &str, currency: Currency) -> Result<Option<Money>, Refusal> {
        let refused = |code| (code, amount_reason(code, text, currency));
        let amount = table_amount(text, self.mark, currency).map_err(refused)?;
        match amount {
            Some(amount) if self.mapping.invert_sign => {
                Ok(Some(amount.checked_neg().map_err(|error| refused(reject(error)))?))
            }
            amount => Ok(amount),
        }
    }
}
