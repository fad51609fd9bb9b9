//! Tables: one transaction per line, columns by a mapping.
//!
//! `suggest` guesses a mapping from the head of a file, `decide` settles from all rows what the head leaves open,
//! `read` (at the root of the crate) reads with it.

pub(crate) mod date;
mod direction;
pub(crate) mod evidence;
mod headers;
mod layout;
mod mapping;
mod preamble;
mod profiles;
mod reader;
mod record;
mod statements;
mod status;
mod suggest;

use std::io::Read;

use chrono::NaiveDate;
use kernel::Currency;

pub use mapping::{AmountColumns, Column, Columns, DateOrder, Mapping, StatusColumn};
pub use profiles::{Profile, Proof, profiles, recognise};
pub(crate) use reader::read;
pub use suggest::suggest;

use crate::source::Source;
use crate::{AmbiguousDates, Encoding, FormatError};
use direction::direction;
use evidence::Evidence;
use layout::Layout;
use record::{Record, Records};

/// Completes a mapping from all rows of the file: which number of a date is the day, how decimals are written, and
/// whether amounts without a sign are money that left.
///
/// Costs a pass over the file, none if the mapping says all of it already. Refuses with `AmbiguousDates` when dates
/// have two readings and no row decides, or rows contradict each other: then the caller sets `date_order`. What
/// matters to no row of this file stays open.
pub fn decide(
    source: impl Read,
    encoding: &Encoding,
    mapping: Mapping,
    default_currency: Option<Currency>,
) -> Result<Mapping, FormatError> {
    mapping.check()?;
    if !mapping.needs_rows() {
        return Ok(mapping);
    }
    let mut records = Records::new(Source::new(source, encoding.codec()), mapping.delimiter, mapping.quote);
    let (layout, preamble) = Layout::find(&mapping, &mut records)?;
    let mut evidence = Evidence::default();
    let mut currency = mapping.currency.or(preamble.currency).or(default_currency);
    while let Some((_, record)) = records.next()? {
        let Record::Cells(cells) = record else { continue };
        let [first, second] = layout.amount.columns();
        // Totals at the end have no sign in many tables.
        if evidence.date(&cells.text(layout.date)) {
            evidence.way(layout.amount.way(&cells));
        }
        evidence.amount(&cells.text(first));
        if first != second {
            evidence.amount(&cells.text(second));
        }
        if let Some(at) = layout.currency.filter(|_| currency.is_none()) {
            currency = Currency::parse(&cells.text(at)).ok();
        }
    }
    settle(mapping, &evidence, currency)
}

/// Takes over what the rows say where the mapping leaves it open.
pub(crate) fn settle(
    mut mapping: Mapping,
    evidence: &Evidence,
    currency: Option<Currency>,
) -> Result<Mapping, FormatError> {
    if mapping.decimal_mark.is_none() {
        mapping.decimal_mark = evidence.decimal_mark(currency);
    }
    if mapping.bare_is_debit.is_none() {
        mapping.bare_is_debit = evidence.bare_is_debit().map(|is_debit| is_debit && !mapping.invert_sign);
    }
    if mapping.date_order.is_none() {
        match (evidence.date_order(), &evidence.undecided) {
            (Ok(order), _) => mapping.date_order = order,
            (Err(()), Some(example)) => {
                return Err(ambiguous(&example.example, example.day_first, example.month_first, &mapping));
            }
            // Rows contradict each other, but each has one reading only: they are read one by one.
            (Err(()), None) => {}
        }
    }
    Ok(mapping)
}

/// Names the header row of a table, to find the mapping profile that was saved for it; `None` if `suggest` finds
/// no mapping.
pub fn header_fingerprint(head: &[u8], encoding: &Encoding) -> Option<String> {
    suggest(head, encoding).ok()?.header_fingerprint
}

pub(crate) fn ambiguous(
    example: &str,
    day_first: NaiveDate,
    month_first: NaiveDate,
    mapping: &Mapping,
) -> FormatError {
    FormatError::AmbiguousDates(Box::new(AmbiguousDates {
        example: example.to_owned(),
        day_first: day_first.to_string(),
        month_first: month_first.to_string(),
        mapping: mapping.clone(),
    }))
}

/// Whether the text may be a table at all: some delimiter stands in most of its first lines.
pub(crate) fn looks_like_a_table(text: &str) -> bool {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty()).take(50);
    let count = lines().count();
    [',', ';', '\t', '|'].iter().any(|delimiter| {
        let with = lines().filter(|line| line.contains(*delimiter)).count();
        with > 0 && with * 2 >= count
    })
}
