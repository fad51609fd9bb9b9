use std::borrow::Cow;
use std::io::Read;

use kernel::{Currency, Money};

use super::date::{Reading, Written};
use super::evidence::split_as_of;
use super::layout::{AmountAt, Layout};
use super::record::{Cells, Record, Records};
use super::statements::{Owner, Statements};
use super::status::Verdict;
use super::{DateOrder, Mapping, ambiguous, direction};
use crate::amount::{DecimalMark, Way, reject, table_amount, way_of};
use crate::error::sanitised;
use crate::ofx::amount_reason;
use crate::sink::Tally;
use crate::source::Source;
use crate::{FormatError, RejectCode, RejectedRow, Row, RowStatus, Sink, Summary};

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
    let mark = mapping.decimal_mark.unwrap_or(DecimalMark::Point);
    let reader = Reader { mapping, layout, mark, is_guarded: mapping.is_ours() };
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
    /// Whether texts are guarded against spreadsheets as in our own exports; elsewhere an apostrophe is one.
    is_guarded: bool,
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
        let filled = |at: Option<usize>| at.map(|at| cells.text(at)).filter(|text| !text.is_empty());
        let (account, called) = (filled(self.layout.account), filled(self.layout.account_name));
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
        tally.summary.unsigned_rows += u64::from(self.layout.amount.is_unsigned(cells));
        // A balance that cannot be read does not take its row with it; one beside what is not booked is none.
        let at = self.layout.balance.filter(|_| row.status == RowStatus::Booked);
        let balance = at.map(|at| self.amount(&cells.text(at), currency)).transpose();
        let owner = Owner { account: account.as_deref(), name: called.as_deref().map(unguarded) };
        statements.row(owner, row, balance.map(Option::flatten).map_err(drop), tally)
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
        if self.layout.is_shifted(cells) {
            let reason =
                "the row has more columns than its header: a cell with a delimiter in it lacks its quotes";
            return Err((RejectCode::UnbalancedQuote, reason.to_owned()).into());
        }
        let (posted, occurred) = self.dates(cells, &date);
        let status = self.status(cells, &date, &posted)?;
        let amount = self.moved(cells, currency).and_then(|amount| self.less_fee(cells, amount));
        let amount = match (amount, status) {
            (Err((RejectCode::MissingAmount, _)), RowStatus::Pending) => return Err(unready("amount")),
            (amount, _) => amount?,
        };
        match status {
            RowStatus::Pending if posted.is_empty() => return Err(unready("day")),
            RowStatus::Booked if posted.is_empty() => {
                return Err((RejectCode::MissingDate, "the date column is empty".to_owned()).into());
            }
            RowStatus::Pending | RowStatus::Booked => {}
        }
        let some = |at: Option<usize>| {
            at.map(|at| cells.text(at))
                .filter(|text| !text.is_empty())
                .map(|text| if self.is_guarded { unguarded(&text).to_owned() } else { text.into_owned() })
        };
        let other_side = if amount.minor() < 0 { self.layout.payee } else { self.layout.payer };
        Ok(Row {
            external_id: self.layout.external_id.and_then(|at| id(&cells.text(at))),
            // The lesser dates: where one cannot be read there is none.
            occurred_on: occurred.and_then(|text| self.date(&text).ok()),
            value_on: self.layout.value_date.and_then(|at| self.date(&cells.text(at)).ok()),
            name: some(other_side).or_else(|| some(self.layout.name)),
            memo: self.memo(cells, some(self.layout.memo)),
            reference: some(self.layout.reference),
            category: some(self.layout.category),
            check_number: some(self.layout.check_number),
            status,
            ..Row::new(line, self.date(&posted)?, amount)
        })
    }

    /// The text of the day of booking and of the day of the transaction.
    fn dates<'c>(&self, cells: &Cells<'c>, date: &'c str) -> (Cow<'c, str>, Option<Cow<'c, str>>) {
        let occurred = self.layout.transaction_date.map(|at| cells.text(at));
        match (split_as_of(date), occurred) {
            (Some((posted, occurred)), _) => (Cow::Borrowed(posted), Some(Cow::Borrowed(occurred))),
            // Not booked yet: the bank has another day, or none.
            (None, occurred) if date.is_empty() => {
                let days = [occurred, self.layout.value_date.map(|at| cells.text(at))];
                let day = days.into_iter().flatten().find(|day| !day.is_empty());
                (day.unwrap_or_default(), None)
            }
            (None, occurred) => (Cow::Borrowed(date), occurred),
        }
    }

    fn status(&self, cells: &Cells<'_>, date: &str, posted: &str) -> Result<RowStatus, Refusal> {
        let quoted = |word: &str| format!("{:?}", sanitised(word, 40));
        match Verdict::of(&self.mapping.statuses, &self.layout.statuses, cells) {
            Verdict::Ignored(word) => {
                Err((RejectCode::NotBooked, format!("the bank says {}: nothing moved", quoted(&word))))
            }
            Verdict::Unknown(word) => {
                let reason = format!("the status {} is not in the mapping", quoted(&word));
                Err((RejectCode::UnknownStatus, reason))
            }
            Verdict::Booked if date.is_empty() == posted.is_empty() => Ok(RowStatus::Booked),
            Verdict::Booked | Verdict::Pending => Ok(RowStatus::Pending),
        }
    }

    /// The further text, from all the columns that it runs through.
    fn memo(&self, cells: &Cells<'_>, first: Option<String>) -> Option<String> {
        let more =
            self.layout.memo_continued.iter().map(|at| cells.text(*at)).filter(|text| !text.is_empty());
        more.fold(first, |memo, text| match memo {
            Some(memo) if memo == text => Some(memo),
            Some(memo) => Some(format!("{memo} {text}")),
            None => Some(text.into_owned()),
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
    fn moved(&self, cells: &Cells<'_>, currency: Currency) -> Result<Money, Refusal> {
        let missing = || match self.layout.balance.map(|at| cells.text(at)) {
            Some(balance) if !balance.is_empty() => {
                (RejectCode::NotATransaction, "there is a balance and no amount".to_owned())
            }
            _ => (RejectCode::MissingAmount, "the amount column is empty".to_owned()),
        };
        let negated =
            |money: Money| money.checked_neg().map_err(|error| (reject(error), "amount out of range".into()));
        let bare_is_debit = self.mapping.bare_is_debit == Some(true);
        match self.layout.amount {
            AmountAt::Signed(at) => {
                let text = cells.text(at);
                let amount = self.amount(&text, currency)?.ok_or_else(missing)?;
                if bare_is_debit && way_of(&text) == Some(Way::Bare) { negated(amount) } else { Ok(amount) }
            }
            AmountAt::Directed { amount, direction: at } => {
                let amount = self.amount(&cells.text(amount), currency)?.ok_or_else(missing)?;
                let word = cells.text(at);
                let unknown = || {
                    (RejectCode::UnknownDirection, format!("{:?} says no direction", sanitised(&word, 20)))
                };
                let bare = (bare_is_debit && word.is_empty()).then_some(false);
                if bare.or_else(|| direction(&word)).ok_or_else(unknown)? {
                    Ok(amount)
                } else {
                    negated(amount)
                }
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

    fn less_fee(&self, cells: &Cells<'_>, amount: Money) -> Result<Money, Refusal> {
        let Some(at) = self.layout.fee else { return Ok(amount) };
        match self.amount(&cells.text(at), amount.currency())? {
            Some(fee) => {
                amount.checked_sub(fee).map_err(|error| (reject(error), "amount out of range".into()))
            }
            None => Ok(amount),
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

/// A row that is not booked yet and of which the bank says too little.
fn unready(what: &str) -> Fault {
    let reason = format!("the bank has not booked it yet and does not say its {what}");
    Fault::Row((RejectCode::UnsupportedPendingRow, reason))
}

/// The text without the apostrophe that keeps spreadsheets from running it (OWASP, "CSV Injection").
fn unguarded(text: &str) -> &str {
    let bare = text.trim_start_matches('\'');
    let is_guarded = bare.starts_with(['\t', '\r', '\n'])
        || bare.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']);
    if is_guarded { text.strip_prefix('\'').unwrap_or(text) } else { text }
}

/// The bank's id without the apostrophes that some banks put round it, so that spreadsheets keep its zeros.
fn id(text: &str) -> Option<String> {
    let bare = text.strip_prefix('\'').map_or(text, |bare| bare.strip_suffix('\'').unwrap_or(bare));
    (!bare.is_empty()).then(|| bare.to_owned())
}
