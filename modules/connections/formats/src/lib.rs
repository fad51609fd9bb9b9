//! Bank-file readers: bytes in, statements out; pure.
//!
//! No I/O but `std::io::Read`, no clock, no float. A file of any size is read in a few hundred kilobytes of memory,
//! and no input panics. In the order of use:
//!
//! 1. `Survey`: fed with each chunk of an upload, it gives a `SurveyReport` and the head of the file.
//! 2. `detect`: what the file is, by its content, and its encoding.
//! 3. For QIF, `qif::decide`; for tables, `csv::suggest` and `csv::decide`, or a mapping that was saved: a `Mapping`.
//! 4. For OFX whose `Detection` says so, `securities`: names that come behind the rows they are for.
//! 5. `read`: the statements, row by row, into a `Sink`.
//!
//! Nothing is dropped silently: each row of a file comes out as a `Row` or as a `RejectedRow` with its line and
//! reason. A file that cannot be read at all is a `FormatError` with a stable code. What was given to the sink
//! before an error is part of a file and must be thrown away.
#![warn(missing_docs)]

mod amount;
mod camt;
pub mod csv;
mod decimal;
mod detect;
mod encoding;
mod error;
mod head;
mod lines;
mod mt940;
mod ofx;
mod position;
pub mod qif;
mod sink;
mod source;
mod statement;
mod survey;

use std::io::Read;

use kernel::Currency;

pub use amount::DecimalMark;
pub use csv::Mapping;
pub use detect::{Detection, Format, detect};
pub use encoding::{Encoding, EncodingEvidence};
pub use error::{AmbiguousDates, BankRefusal, FormatError};
pub use ofx::{Securities, securities};
pub use position::Position;
pub use sink::{Sink, Summary};
pub use statement::{
    AccountHint, AccountType, BalanceKind, Correction, CorrectionAction, OriginalCurrency, RejectCode,
    RejectedRow, Row, RowKind, RowStatus, Split, StatementBalance, StatementHead, Trade, TradeAction,
};
pub use survey::{HEAD_BYTES, Survey, SurveyReport};

/// All that is decided about a file before it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// From `Detection`.
    pub format: Format,
    /// From `Detection`.
    pub encoding: Encoding,
    /// For `Format::Csv` and `Format::Qif`; without meaning for the others.
    pub mapping: Option<Mapping>,
    /// For files that do not name their currency; without it they are refused with `NeedsCurrency`.
    pub default_currency: Option<Currency>,
    /// From `securities`; rows that speak of securities are told without their names where it is empty.
    pub securities: Securities,
}

/// Reads a file from its first byte to its last into `sink`.
///
/// `source` is read in large pieces and needs no buffer of its own. Memory does not grow with the file.
pub fn read(source: impl Read, plan: &Plan, sink: &mut dyn Sink) -> Result<Summary, FormatError> {
    let source = source::Source::new(source, plan.encoding.codec());
    match plan.format {
        Format::Ofx1 | Format::Ofx2 => ofx::read(source, plan.default_currency, &plan.securities, sink),
        Format::Camt => camt::read(source.into_utf8(), plan.default_currency, sink),
        Format::Mt940 => mt940::read(source, plan.default_currency, sink),
        Format::Qif => {
            let mapping = plan.mapping.as_ref().ok_or(FormatError::MappingMissing)?;
            qif::read(source, mapping, plan.default_currency, sink)
        }
        Format::Csv => {
            let mapping = plan.mapping.as_ref().ok_or(FormatError::MappingMissing)?;
            csv::read(source, mapping, plan.default_currency, sink)
        }
    }
}
