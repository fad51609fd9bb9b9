//! QIF: the register of one account, or of several that `!Account` names.
//!
//! `record` makes records of lines, `section` says what a header line announces, `reader` walks both; `row` makes rows
//! of the registers of bank, card and cash accounts, `trade` those of investment accounts, `accounts` knows which
//! statement is whose, `ours` an export of ours.
//!
//! Lists (categories, classes, securities, prices, memorized transactions) hold no rows and are passed over. A file
//! says neither in which order it writes dates nor in which currency it is: `decide` finds the first from all rows,
//! and asks where they leave it open, as for tables.

mod accounts;
mod date;
mod ours;
mod reader;
mod record;
mod row;
mod section;
mod trade;

use std::io::Read;

use kernel::Currency;

pub(crate) use reader::read;

use crate::csv::evidence::Evidence;
use crate::csv::{AmountColumns, Column, Columns, Mapping, settle};
use crate::source::Source;
use crate::{DecimalMark, Encoding, FormatError};
use ours::Ours;
use record::{Item, Records};
use section::Section;

/// How a QIF file is read where nobody has said anything of it yet.
///
/// Its columns are the letters that begin the lines of any QIF file; to change them has no effect. What can be said is
/// `date_order`, `decimal_mark` and `currency`.
pub fn mapping() -> Mapping {
    let column = |letter: &str| Some(Column::Name(letter.into()));
    let columns = Columns {
        name: column("P"),
        memo: column("M"),
        category: column("L"),
        check_number: column("N"),
        ..Columns::new(Column::Name("D".into()), AmountColumns::Signed(Column::Name("T".into())))
    };
    Mapping {
        delimiter: '^',
        quote: '"',
        has_header: true,
        columns,
        statuses: vec![],
        date_order: None,
        decimal_mark: None,
        invert_sign: false,
        bare_is_debit: None,
        currency: None,
        header_fingerprint: None,
    }
}

/// Completes a mapping from all rows of the file, as `csv::decide` does: with `AmbiguousDates` where no row decides
/// which number of a date is the day. Says in `columns.account` whether the file names its accounts.
pub fn decide(
    source: impl Read,
    encoding: &Encoding,
    mut mapping: Mapping,
    default_currency: Option<Currency>,
) -> Result<Mapping, FormatError> {
    let mut records = Records::new(Source::new(source, encoding.codec()));
    let mut evidence = Evidence::default();
    let (mut section, mut names_accounts, mut is_ours) = (Section::Transactions(None), false, false);
    while let Some(item) = records.next()? {
        match item {
            Item::Section(next) => section = next,
            Item::Record(record) if section == Section::Accounts => {
                names_accounts |= record.has(b'N');
                is_ours |= Ours::of(&record).is_some();
                evidence.date(&date::normal(&record.text(b'/')));
                evidence.amount(&record.text(b'$'));
            }
            Item::Record(record) if section != Section::List => {
                evidence.date(&date::normal(&record.text(b'D')));
                for (letter, text) in record.lines() {
                    // In these sections the others hold prices and units, which have decimals of any number.
                    if matches!(letter, b'T' | b'U' | b'$') {
                        evidence.amount(&text);
                    }
                }
            }
            Item::Record(_) | Item::Switch => {}
        }
    }
    mapping.columns.account = names_accounts.then(|| Column::Name("!Account".into()));
    if is_ours {
        // Three decimals in every row would be taken for thousands.
        mapping.decimal_mark.get_or_insert(DecimalMark::Point);
    }
    settle(mapping, &evidence, default_currency)
}

/// Whether the head of a file is that of a QIF: a line with an exclamation mark announces what follows.
pub(crate) fn looks_like_qif(text: &str) -> bool {
    let start = text.trim_start_matches(|c: char| c.is_whitespace() || "\u{feff}ï»¿".contains(c));
    let starts = |word: &str| start.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    ["!type:", "!account", "!option:", "!clear:"].into_iter().any(starts)
}
