use kernel::Currency;
use serde::{Deserialize, Serialize};

use crate::{DecimalMark, FormatError};

/// How one bank writes its tables: the content of a mapping profile.
///
/// `csv::suggest` makes one from the head of a file; what it gets wrong can be changed and given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Between the cells of a line: `,` `;` `|` or a tab.
    pub delimiter: char,
    /// Around cells that hold a delimiter: `"` or `'`.
    #[serde(default = "double_quote")]
    pub quote: char,
    /// Whether a row of column names comes before the data. If not, columns are given by number.
    #[serde(default = "yes")]
    pub has_header: bool,
    /// What stands where.
    pub columns: Columns,
    /// Which columns say whether a row was booked, and in which words. The strictest word of a row counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<StatusColumn>,
    /// Which number of a date is the day. `None`: the rows of the file decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_order: Option<DateOrder>,
    /// How decimals are written. `None`: the rows of the file decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal_mark: Option<DecimalMark>,
    /// The file has money that leaves as positive amounts, as some credit card exports do.
    #[serde(default)]
    pub invert_sign: bool,
    /// Amounts without a sign are money that left, where only money that came has one (`CR`, `+`, a word in the column
    /// of directions). `None`: the rows of the file decide; each file by itself, so no profile keeps it.
    #[serde(skip)]
    pub bare_is_debit: Option<bool>,
    /// The currency of all amounts, where no column tells it. `None`: what the header or the lines before it say,
    /// else the plan's default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Names the header row that the mapping was made for; equal for files of the same bank and kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_fingerprint: Option<String>,
}

/// Which column holds what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Columns {
    /// Day of booking. May hold `02/03/2025 as of 02/01/2025`: then the second date is the transaction's.
    pub date: Column,
    /// The money.
    pub amount: AmountColumns,
    /// What the bank took beside the amount, written positive: it is taken from the amount.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee: Option<Column>,
    /// Day of the transaction, beside the day of booking. A row that has this day, or that of value, and no day of
    /// booking is not booked yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_date: Option<Column>,
    /// The day from which it bears interest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_date: Option<Column>,
    /// Counterparty, or the one text that there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Column>,
    /// Who paid: the name of rows that brought money, where it is filled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payer: Option<Column>,
    /// Who was paid: the name of rows that took money, where it is filled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payee: Option<Column>,
    /// Further text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memo: Option<Column>,
    /// Columns in which the further text goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memo_continued: Vec<Column>,
    /// The bank's id of the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<Column>,
    /// What the parties call it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Column>,
    /// The category that the bank or its customer gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Column>,
    /// Number of the cheque.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_number: Option<Column>,
    /// Balance after the row; the latest one is the statement's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Column>,
    /// ISO code of the row's currency. Each currency becomes a statement of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Column>,
    /// The account of the row. Each account becomes a statement of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Column>,
}

/// A column that says with a word whether a row was booked. Case does not matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusColumn {
    /// Where the word stands.
    pub column: Column,
    /// Words of booked rows. With any here, a word that is in none of the lists rejects its row; with none, every
    /// word that is not in another list means booked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub booked: Vec<String>,
    /// Words of rows that the bank still expects to book.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pending: Vec<String>,
    /// Words of rows that moved nothing and never will: declined, reverted, a mere authorisation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<String>,
}

/// A column, by its name in the header or by its number from 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Column {
    /// From 0.
    Index(usize),
    /// As in the header; case, punctuation and what stands in brackets do not matter.
    Name(String),
}

/// How a table writes which way the money went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum AmountColumns {
    /// One column with signs.
    Signed(Column),
    /// A column for each way; a row fills one of them.
    DebitCredit {
        /// Money that left.
        debit: Column,
        /// Money that came.
        credit: Column,
        /// Money that left is written with a minus in its column.
        #[serde(default)]
        debit_is_negative: bool,
    },
    /// An amount without sign, and a word for the way: `debit` or `credit`, `Af` or `Bij`, `S` or `H`, …
    Directed {
        /// The amount.
        amount: Column,
        /// The word.
        direction: Column,
    },
}

/// Which of three numbers is the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// `2025-02-13`
    YearFirst,
    /// `13.02.2025`
    DayFirst,
    /// `02/13/2025`
    MonthFirst,
}

fn double_quote() -> char {
    '"'
}

fn yes() -> bool {
    true
}

/// More words for the status of a row than any bank has.
const MOST_WORDS: usize = 200;

impl Columns {
    /// The two things that make a row; all else is absent.
    pub fn new(date: Column, amount: AmountColumns) -> Self {
        Self {
            date,
            amount,
            fee: None,
            transaction_date: None,
            value_date: None,
            name: None,
            payer: None,
            payee: None,
            memo: None,
            memo_continued: vec![],
            external_id: None,
            reference: None,
            category: None,
            check_number: None,
            balance: None,
            currency: None,
            account: None,
        }
    }

    /// The columns that a table may lack, in no order.
    fn optional(&self) -> [&Option<Column>; 14] {
        [
            &self.fee,
            &self.transaction_date,
            &self.value_date,
            &self.name,
            &self.payer,
            &self.payee,
            &self.memo,
            &self.external_id,
            &self.reference,
            &self.category,
            &self.check_number,
            &self.balance,
            &self.currency,
            &self.account,
        ]
    }

    /// Leaves out each optional column that `is_there` does not know.
    pub(super) fn retain(&mut self, is_there: impl Fn(&Column) -> bool) {
        let optional = [
            &mut self.fee,
            &mut self.transaction_date,
            &mut self.value_date,
            &mut self.name,
            &mut self.payer,
            &mut self.payee,
            &mut self.memo,
            &mut self.external_id,
            &mut self.reference,
            &mut self.category,
            &mut self.check_number,
            &mut self.balance,
            &mut self.currency,
            &mut self.account,
        ];
        for column in optional {
            column.take_if(|column| !is_there(column));
        }
        self.memo_continued.retain(is_there);
    }
}

impl Mapping {
    /// Whether it reads the table that our own export writes, known by the names of its columns.
    pub(super) fn is_ours(&self) -> bool {
        let is = |column: &Column, name: &str| matches!(column, Column::Name(known) if known == name);
        is(&self.columns.date, "posted_on")
            && self.columns.account.as_ref().is_some_and(|account| is(account, "account_id"))
    }

    /// Refuses what cannot work on any file.
    pub fn check(&self) -> Result<(), FormatError> {
        let is_delimiter = matches!(self.delimiter, ',' | ';' | '|' | '\t' | ':' | '^' | '~');
        if !is_delimiter {
            return Err(FormatError::InvalidMapping { what: "delimiter" });
        }
        if !matches!(self.quote, '"' | '\'') {
            return Err(FormatError::InvalidMapping { what: "quote" });
        }
        let is_hash = |text: &String| text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !self.header_fingerprint.as_ref().is_none_or(is_hash) {
            return Err(FormatError::InvalidMapping { what: "header_fingerprint" });
        }
        let by_name = self.all_columns().any(|column| matches!(column, Column::Name(_)));
        if by_name && !self.has_header {
            return Err(FormatError::InvalidMapping { what: "a column name without a header row" });
        }
        let words = |status: &StatusColumn| status.booked.len() + status.pending.len() + status.ignored.len();
        if self.statuses.iter().map(words).sum::<usize>() > MOST_WORDS {
            return Err(FormatError::InvalidMapping { what: "statuses" });
        }
        Ok(())
    }

    /// Whether only a look at all rows can tell how dates or amounts are written, or what has no sign.
    pub fn needs_rows(&self) -> bool {
        let has_columns = matches!(self.columns.amount, AmountColumns::DebitCredit { .. });
        self.date_order.is_none()
            || self.decimal_mark.is_none()
            || (self.bare_is_debit.is_none() && !has_columns)
    }

    pub(super) fn all_columns(&self) -> impl Iterator<Item = &Column> {
        let columns = &self.columns;
        let amounts = match &columns.amount {
            AmountColumns::Signed(amount) => [Some(amount), None],
            AmountColumns::DebitCredit { debit, credit, .. } => [Some(debit), Some(credit)],
            AmountColumns::Directed { amount, direction } => [Some(amount), Some(direction)],
        };
        let optional = columns.optional().into_iter().flatten();
        let statuses = self.statuses.iter().map(|status| &status.column);
        std::iter::once(&columns.date)
            .chain(amounts.into_iter().flatten())
            .chain(optional)
            .chain(&columns.memo_continued)
            .chain(statuses)
    }
}
