use chrono::NaiveDate;
use kernel::{Currency, Money};

use super::accounts::Register;
use super::date::{Meaning, meaning};
use super::record::Record;
use crate::amount::{DecimalMark, table_amount};
use crate::csv::ambiguous;
use crate::error::sanitised;
use crate::ofx::amount_reason;
use crate::{FormatError, Mapping, RejectCode, Row, RowKind, Split};

pub(super) type Refusal = (RejectCode, String);

/// Why a record is not read: it is rejected, or the whole file is.
pub(super) enum Fault {
    Row(Refusal),
    File(FormatError),
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        Self::Row(refusal)
    }
}

/// How the file writes dates and amounts.
pub(super) struct Notation<'a> {
    mapping: &'a Mapping,
    pub(super) mark: DecimalMark,
}

impl<'a> Notation<'a> {
    pub(super) fn new(mapping: &'a Mapping) -> Self {
        Self { mapping, mark: mapping.decimal_mark.unwrap_or(DecimalMark::Point) }
    }

    pub(super) fn day(&self, text: &str) -> Result<NaiveDate, Fault> {
        if text.is_empty() {
            return Err((RejectCode::MissingDate, "the record has no date".to_owned()).into());
        }
        match meaning(text, self.mapping.date_order) {
            Meaning::Day(day) => Ok(day),
            Meaning::Either(day_first, month_first) => {
                Err(Fault::File(ambiguous(text, day_first, month_first, self.mapping)))
            }
            Meaning::Nothing => {
                let reason = format!("{:?} is not a date", sanitised(text, 40));
                Err((RejectCode::MalformedDate, reason).into())
            }
        }
    }

    /// `None` where nothing is written.
    pub(super) fn amount(&self, text: &str, currency: Currency) -> Result<Option<Money>, Refusal> {
        table_amount(text, self.mark, currency).map_err(|code| (code, amount_reason(code, text, currency)))
    }

    /// `T`, or `U` where only that is written: both are the amount.
    pub(super) fn total(&self, record: &Record<'_>, currency: Currency) -> Result<Option<Money>, Refusal> {
        match self.amount(&record.text(b'T'), currency)? {
            Some(amount) => Ok(Some(amount)),
            None => self.amount(&record.text(b'U'), currency),
        }
    }
}

/// A row of the register of a bank, card or cash account.
pub(super) fn row(record: &Record<'_>, notation: &Notation<'_>, register: Register) -> Result<Row, Fault> {
    let posted_on = notation.day(&record.text(b'D'))?;
    let missing = || (RejectCode::MissingAmount, "the record has no amount".to_owned());
    let amount = notation.total(record, register.currency)?.ok_or_else(missing)?;
    let category = record.some(b'L');
    let mut row = Row {
        name: record.some(b'P'),
        memo: memo(record),
        kind: if is_account(category.as_deref()) { RowKind::Transfer } else { RowKind::Other },
        category,
        ..Row::new(record.line, posted_on, amount)
    };
    match register.is_ours {
        // Whatever it looks like, it was the number of a cheque when we wrote it.
        true => row.check_number = record.some(b'N'),
        false => number(record, &mut row),
    }
    if record.has(b'S') || record.has(b'$') {
        splits(record, notation, &mut row);
    }
    Ok(row)
}

/// Whether the record is what the account held before its first row. Programs write it as a transfer from the account
/// to itself, or as a payee by that name; it is no movement, and banks repeat it in each download.
pub(super) fn opening(record: &Record<'_>, account: Option<&str>) -> bool {
    let category = record.text(b'L');
    let Some(other) = category.strip_prefix('[').and_then(|other| other.strip_suffix(']')) else {
        return false;
    };
    let is_itself = account.is_some_and(|account| account.eq_ignore_ascii_case(other.trim()));
    is_itself || (account.is_none() && record.text(b'P').eq_ignore_ascii_case("opening balance"))
}

/// `[Savings]` is a transfer to that account.
fn is_account(category: Option<&str>) -> bool {
    category.is_some_and(|category| category.starts_with('['))
}

/// The note and the address, which some banks use for more text.
pub(super) fn memo(record: &Record<'_>) -> Option<String> {
    let mut memo = record.some(b'M').unwrap_or_default();
    if record.has(b'A') {
        for (_, text) in record.lines().filter(|(letter, text)| *letter == b'A' && !text.is_empty()) {
            add_line(&mut memo, &text);
        }
    }
    (!memo.is_empty()).then_some(memo)
}

fn add_line(memo: &mut String, line: &str) {
    if !memo.is_empty() {
        memo.push('\n');
    }
    memo.push_str(line);
}

/// `N`: the number of a cheque, a word for the kind, or a reference.
fn number(record: &Record<'_>, row: &mut Row) {
    let Some(text) = record.some(b'N') else { return };
    let kind = match text.to_ascii_lowercase().as_str() {
        "atm" => Some(RowKind::Atm),
        "dep" | "deposit" => Some(RowKind::Deposit),
        "txfr" | "xfer" | "transfer" => Some(RowKind::Transfer),
        "eft" | "epay" | "send" => Some(RowKind::Payment),
        _ => None,
    };
    match kind {
        Some(kind) => row.kind = kind,
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => row.check_number = Some(text),
        None => row.reference = Some(text),
    }
}

/// `S`, `E` and `$`. Parts that do not add up to the amount divide nothing: they are told in the memo, so that nothing
/// is lost, and the row stands.
fn splits(record: &Record<'_>, notation: &Notation<'_>, row: &mut Row) {
    let mut parts: Vec<Part> = vec![];
    for (letter, text) in record.lines() {
        let text = text.into_owned();
        match (letter, parts.last_mut()) {
            (b'S', _) => parts.push(Part { category: text, ..Part::default() }),
            (b'E', Some(part)) => part.memo = text,
            (b'$', Some(part)) => part.amount = text,
            (b'$', None) => parts.push(Part { amount: text, ..Part::default() }),
            _ => {}
        }
    }
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let read = |part: &Part| {
        let amount = notation.amount(&part.amount, row.amount.currency()).ok().flatten()?;
        Some(Split { amount, category: some(&part.category), memo: some(&part.memo) })
    };
    let splits: Option<Vec<Split>> = parts.iter().map(read).collect();
    let zero = Money::zero(row.amount.currency());
    let sum = splits
        .as_ref()
        .and_then(|splits| splits.iter().try_fold(zero, |sum, split| sum.checked_add(split.amount).ok()));
    match splits.filter(|_| sum == Some(row.amount)) {
        Some(splits) => row.splits = splits,
        None => {
            let told: Vec<_> = parts.iter().map(Part::told).collect();
            let memo = row.memo.get_or_insert_default();
            add_line(memo, &format!("splits that do not add up: {}", told.join("; ")));
        }
    }
}

/// A part as it is written.
#[derive(Default)]
struct Part {
    category: String,
    memo: String,
    amount: String,
}

impl Part {
    fn told(&self) -> String {
        let parts = [&self.category, &self.memo, &self.amount];
        let parts: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).map(String::as_str).collect();
        parts.join(" ")
    }
}
