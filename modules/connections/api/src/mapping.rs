use kernel::{AccountId, Currency, Instant, ProfileId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How one bank writes its tables.
///
/// Its JSON is that of the readers' own mapping; a test of the implementation keeps the two alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Between the cells of a line: `,` `;` `|` `:` `^` `~` or a tab.
    #[schema(value_type = String, min_length = 1, max_length = 1, example = ";")]
    pub delimiter: char,
    /// Around cells that hold a delimiter: `"` or `'`.
    #[serde(default = "double_quote")]
    #[schema(value_type = String, min_length = 1, max_length = 1, example = "\"")]
    pub quote: char,
    /// Whether a row of column names comes before the data. If not, columns are given by number.
    #[serde(default = "yes")]
    pub has_header: bool,
    /// What stands where.
    pub columns: Columns,
    /// Which columns say whether a row was booked, and in which words. The strictest word of a row counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statuses: Vec<StatusColumn>,
    /// Which number of a date is the day; absent, the rows of the file decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date_order: Option<DateOrder>,
    /// How decimals are written; absent, the rows of the file decide.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal_mark: Option<DecimalMark>,
    /// The file has money that leaves as positive amounts, as some credit card exports do.
    #[serde(default)]
    pub invert_sign: bool,
    /// The currency of all amounts, where no column tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Names the header row that the mapping was made for; equal for files of the same bank and kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header_fingerprint: Option<String>,
}

/// Which column holds what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
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
    /// The other side, or the one text that there is.
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
    /// Number of the check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_number: Option<Column>,
    /// Balance after the row; the latest one is the statement's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance: Option<Column>,
    /// ISO code of the row's currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Column>,
    /// The account of the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Column>,
}

/// A column that says with a word whether a row was booked. Case does not matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
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
    /// Words of rows that moved nothing and never will: declined, reverted, a mere authorization.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<String>,
}

/// A column, by its name in the header or by its number from 0.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(untagged)]
pub enum Column {
    /// From 0.
    Index(usize),
    /// As in the header; case, punctuation and what stands in brackets do not matter.
    Name(String),
}

/// How a table writes which way the money went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// `2025-02-13`
    YearFirst,
    /// `13.02.2025`
    DayFirst,
    /// `02/13/2025`
    MonthFirst,
}

/// How a file writes the decimal point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DecimalMark {
    /// `1,234.56`
    Point,
    /// `1.234,56`
    Comma,
}

/// A saved way to read one bank's tables; used by itself for files with the same header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
pub struct MappingProfile {
    /// Its id.
    pub id: ProfileId,
    /// What the household calls it.
    pub name: String,
    /// How to read a table.
    pub mapping: Mapping,
    /// The account that its rows are for, where a file names none.
    pub account_id: Option<AccountId>,
    /// When it was first saved.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Instant,
    /// When it last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Instant,
}

/// A profile to be saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMappingProfile {
    /// What the household calls it.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// How to read a table.
    pub mapping: Mapping,
    /// The account that its rows are for, where a file names none.
    #[serde(default)]
    pub account_id: Option<AccountId>,
}

fn double_quote() -> char {
    '"'
}

fn yes() -> bool {
    true
}
