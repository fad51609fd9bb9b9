use std::fmt;
use std::io;

use crate::Mapping;

/// Why a file cannot be read as statements. Each variant has a stable `code`, fit for a problem document.
///
/// A single row that cannot be read is no `FormatError`: it goes to the sink as a `RejectedRow` and reading
/// goes on.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// There is nothing in it.
    #[error("the file is empty")]
    EmptyFile,
    /// It is not text.
    #[error("the file is binary data, not a bank statement")]
    BinaryFile,
    /// We know what it is, and have no reader for it.
    #[error("{what} files are not supported")]
    UnsupportedFormat {
        /// `pdf`, `zip`, `xlsx`, `iso20022` (a message that is no statement), …
        what: &'static str,
    },
    /// It is text, but neither OFX nor a table.
    #[error("the file is not a known statement format")]
    UnknownFormat,
    /// It breaks the rules of its format in a way that leaves no safe reading of the rest.
    #[error("the file breaks the rules of its format near line {line}: {what}")]
    MalformedFile {
        /// Where, from 1.
        line: u64,
        /// Which rule.
        what: &'static str,
    },
    /// An OFX document that ends before its `</OFX>`.
    #[error("the file ends in the middle, near line {line}")]
    TruncatedFile {
        /// Last line that was read, from 1.
        line: u64,
    },
    /// The bank answered the download with an error instead of a statement.
    #[error(transparent)]
    StatementRefusedByBank(#[from] BankRefusal),
    /// A currency code that ISO 4217 does not have, or that has no minor unit.
    #[error("unknown currency {code:?}")]
    UnknownCurrency {
        /// As the file wrote it, cut to 16 characters.
        code: String,
    },
    /// Neither the file nor the caller says which currency the amounts are in.
    #[error("the file does not name its currency")]
    NeedsCurrency,
    /// No column of the table holds a date.
    #[error("no date column found")]
    NoDateColumn,
    /// No column of the table holds an amount.
    #[error("no amount column found")]
    NoAmountColumn,
    /// No row of the file decides which number is the day and which the month.
    #[error(transparent)]
    AmbiguousDates(Box<AmbiguousDates>),
    /// The mapping names a column that the file does not have.
    #[error("no header row with the columns {columns:?} found")]
    HeaderNotFound {
        /// The columns that the mapping asks for.
        columns: Vec<String>,
    },
    /// A mapping that cannot work on any file, such as a delimiter that is a letter.
    #[error("{what} is not usable in a mapping")]
    InvalidMapping {
        /// The field at fault.
        what: &'static str,
    },
    /// A plan for CSV without a mapping.
    #[error("a CSV file needs a mapping of its columns")]
    MappingMissing,
    /// More accounts in one file than we keep track of.
    #[error("more than {limit} accounts in one file")]
    TooManyAccounts {
        /// The most that are read.
        limit: usize,
    },
    /// The sink asked to stop.
    #[error("reading was stopped")]
    Stopped,
    /// The bytes could not be had.
    #[error("the file could not be read")]
    Unreadable(#[from] io::Error),
}

impl FormatError {
    /// Stable name of the error, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::EmptyFile => "empty_file",
            Self::BinaryFile => "binary_file",
            Self::UnsupportedFormat { .. } => "unsupported_format",
            Self::UnknownFormat => "unknown_format",
            Self::MalformedFile { .. } => "malformed_file",
            Self::TruncatedFile { .. } => "truncated_file",
            Self::StatementRefusedByBank(_) => "statement_refused_by_bank",
            Self::UnknownCurrency { .. } => "unknown_currency",
            Self::NeedsCurrency => "needs_currency",
            Self::NoDateColumn => "no_date_column",
            Self::NoAmountColumn => "no_amount_column",
            Self::AmbiguousDates(_) => "ambiguous_dates",
            Self::HeaderNotFound { .. } => "header_not_found",
            Self::InvalidMapping { .. } => "invalid_mapping",
            Self::MappingMissing => "mapping_missing",
            Self::TooManyAccounts { .. } => "too_many_accounts",
            Self::Stopped => "stopped",
            Self::Unreadable(_) => "unreadable",
        }
    }

    pub(crate) fn unknown_currency(code: &str) -> Self {
        Self::UnknownCurrency { code: sanitised(code, 16) }
    }
}

/// A date that can be read two ways, and the mapping to which the caller adds the order it decides on.
#[derive(Clone, Debug, PartialEq)]
pub struct AmbiguousDates {
    /// A date of the file, as it is written there.
    pub example: String,
    /// The example read day first, as `YYYY-MM-DD`.
    pub day_first: String,
    /// The example read month first, as `YYYY-MM-DD`.
    pub month_first: String,
    /// All that is known of the table; give it back with `date_order` set.
    pub mapping: Mapping,
}

impl fmt::Display for AmbiguousDates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { example, day_first, month_first, .. } = self;
        write!(f, "the date {example:?} means {day_first} or {month_first} and no row of the file decides")
    }
}

impl std::error::Error for AmbiguousDates {}

/// What a bank said instead of giving a statement (OFX `STATUS` with severity `ERROR`).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bank refused with code {code}: {message}")]
pub struct BankRefusal {
    /// The bank's status code, such as `15500`; digits only, empty if it gave none.
    pub code: String,
    /// The bank's words: one line, no control or markup characters, at most 200 characters.
    pub message: String,
}

impl BankRefusal {
    pub(crate) fn new(code: &str, message: &str) -> Self {
        let code = code.chars().filter(char::is_ascii_digit).take(10).collect();
        Self { code, message: sanitised(message, 200) }
    }
}

/// One line of text from a file that is fit to be shown: no control characters, no markup, at most `limit`
/// characters.
pub(crate) fn sanitised(text: &str, limit: usize) -> String {
    let clean = |c: char| if c.is_control() || matches!(c, '<' | '>') { ' ' } else { c };
    let clean: String = text.chars().take(limit * 4).map(clean).collect();
    let words = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().take(limit).collect()
}
