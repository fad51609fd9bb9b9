use chrono::{DateTime, NaiveDate, Utc};
use kernel::{Currency, Money};
use serde::{Deserialize, Serialize};

/// The start of one account's statement; its rows and balances follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementHead {
    /// Which account the bank says it is.
    pub account: AccountHint,
    /// The currency of the statement. A single row may be in another one, see `Row::amount`.
    pub currency: Currency,
    /// First day that the statement covers, if the file says so.
    pub starts_on: Option<NaiveDate>,
    /// Last day that the statement covers, if the file says so.
    pub ends_on: Option<NaiveDate>,
}

/// All that a file tells of an account. Banks leave any of it out; an empty element is absent here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct AccountHint {
    /// Routing number, BIC or broker id (`BANKID`, `BROKERID`).
    pub bank_id: Option<String>,
    /// Branch (`BRANCHID`).
    pub branch_id: Option<String>,
    /// Account number, IBAN or card number, in full and as the bank wrote it: to be protected by the caller.
    pub account_number: Option<String>,
    /// What its owner calls it, in files that know accounts by name (QIF).
    pub name: Option<String>,
    /// Kind of account, if the file says so.
    pub account_type: Option<AccountType>,
}

/// Kind of account, in OFX's words where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountType {
    /// `CHECKING`
    Checking,
    /// `SAVINGS`
    Savings,
    /// `MONEYMRKT`
    MoneyMarket,
    /// `CREDITLINE`
    CreditLine,
    /// `CD`: certificate of deposit
    CertificateOfDeposit,
    /// A credit card statement
    CreditCard,
    /// An investment statement
    Investment,
    /// A loan statement
    Loan,
    /// Money in a purse or a box (QIF)
    Cash,
}

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Line of the file on which the row begins, from 1.
    pub line: u64,
    /// The bank's id (`FITID`), if it gave one. Banks repeat and change it: it proves nothing alone.
    pub external_id: Option<String>,
    /// The calendar date exactly as the bank wrote it, never moved between time zones.
    pub posted_on: NaiveDate,
    /// The day the owner acted (`DTUSER`, "as of", a transaction date column).
    pub occurred_on: Option<NaiveDate>,
    /// The instant of posting, only where the bank gave a time of day with its zone.
    pub posted_at: Option<DateTime<Utc>>,
    /// Positive increases what the owner has. In the statement's currency, unless the bank says for this row
    /// that it is in another one (OFX `CURRENCY`); it is never converted here.
    pub amount: Money,
    /// What the bank calls it.
    pub kind: RowKind,
    /// Counterparty.
    pub name: Option<String>,
    /// Free text.
    pub memo: Option<String>,
    /// Number of the cheque.
    pub check_number: Option<String>,
    /// What the amount was before the bank converted it (OFX `ORIGCURRENCY`).
    pub original: Option<OriginalCurrency>,
    /// The earlier row that this one corrects.
    pub corrects: Option<Correction>,
    /// Whether the bank has booked it.
    pub status: RowStatus,
    /// The day from which it bears interest (`DTAVAIL`, `ValDt`, the first date of `:61:`).
    pub value_on: Option<NaiveDate>,
    /// What the parties call it: `EndToEndId`, `REFNUM`, the owner's reference of `:61:`. Of a trade the id of the row
    /// that it takes back or belongs to (`REVERSALFITID`, `RELFITID`).
    pub reference: Option<String>,
    /// The owner's own category (QIF `L`, a column of a table).
    pub category: Option<String>,
    /// How the owner or the bank divided it, or what came and went at once; where there are any, they add up to the amount.
    pub splits: Vec<Split>,
    /// The security that it moved, in an investment statement.
    pub trade: Option<Box<Trade>>,
}

impl Row {
    /// A booked row that tells nothing but when and how much.
    pub fn new(line: u64, posted_on: NaiveDate, amount: Money) -> Self {
        Self {
            line,
            external_id: None,
            posted_on,
            occurred_on: None,
            posted_at: None,
            amount,
            kind: RowKind::default(),
            name: None,
            memo: None,
            check_number: None,
            original: None,
            corrects: None,
            status: RowStatus::default(),
            value_on: None,
            reference: None,
            category: None,
            splits: Vec::new(),
            trade: None,
        }
    }
}

/// Whether the bank has booked a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowStatus {
    /// It counts in the booked balance.
    #[default]
    Booked,
    /// The bank expects it; it will come again, booked, perhaps with another date, name or amount.
    Pending,
}

/// A part of a row that was set apart: by its owner (QIF `S`, `E`, `$`) or by the bank (OFX `LOANTRNAMT`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    /// In the currency of the row.
    pub amount: Money,
    /// The owner's category.
    pub category: Option<String>,
    /// Free text.
    pub memo: Option<String>,
}

/// What a row of an investment statement did with a security.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trade {
    /// What happened.
    pub action: TradeAction,
    /// Its number at its agency (`UNIQUEID`: CUSIP, ISIN, WKN).
    pub security_id: Option<String>,
    /// The agency (`UNIQUEIDTYPE`).
    pub security_id_type: Option<String>,
    /// Its ticker, where the file says it.
    pub ticker: Option<String>,
    /// Its name, where the file says it.
    pub security_name: Option<String>,
    /// How many units came (or went, negative), as a plain decimal. None where units stayed in the account.
    pub units: Option<String>,
    /// Price of one unit in the currency of the row, as a plain decimal; of a bond in per cent of its face value.
    pub unit_price: Option<String>,
    /// Commission, load, fees and taxes on the trade together, in the currency of the row. They are part of the amount.
    /// None also where they have more decimals than the currency.
    pub fees: Option<Money>,
}

/// What happened to a security.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The names say it all.
pub enum TradeAction {
    Buy,
    Sell,
    /// Income that bought more of the same.
    Reinvest,
    Income,
    Expense,
    ReturnOfCapital,
    /// Units came or went without money.
    Transfer,
    Split,
    /// An option was exercised, assigned or expired.
    Closure,
    Other,
}

/// The currency a converted amount came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginalCurrency {
    /// The original currency.
    pub currency: Currency,
    /// Statement currency per original currency, the decimal text of the file.
    pub rate: Option<String>,
    /// The amount in the original currency where the file states it, with the sign of the row's amount.
    pub amount: Option<Money>,
}

/// The bank changes or withdraws a row that it sent before (OFX `CORRECTFITID`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correction {
    /// `FITID` of the earlier row.
    pub external_id: String,
    /// What becomes of it.
    pub action: CorrectionAction,
}

/// What becomes of a corrected row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CorrectionAction {
    /// This row takes its place.
    Replace,
    /// It goes, and this row is only the notice.
    Delete,
}

/// What the bank calls a transaction (OFX `TRNTYPE`). Says nothing about the sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The names say it all.
pub enum RowKind {
    Credit,
    Debit,
    Interest,
    Dividend,
    Fee,
    ServiceCharge,
    Deposit,
    Atm,
    PointOfSale,
    Transfer,
    Check,
    Payment,
    Cash,
    DirectDeposit,
    DirectDebit,
    RepeatPayment,
    Hold,
    /// None given, or one that OFX does not have.
    #[default]
    Other,
}

impl RowKind {
    /// The name that is also its serialised form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credit => "credit",
            Self::Debit => "debit",
            Self::Interest => "interest",
            Self::Dividend => "dividend",
            Self::Fee => "fee",
            Self::ServiceCharge => "service_charge",
            Self::Deposit => "deposit",
            Self::Atm => "atm",
            Self::PointOfSale => "point_of_sale",
            Self::Transfer => "transfer",
            Self::Check => "check",
            Self::Payment => "payment",
            Self::Cash => "cash",
            Self::DirectDeposit => "direct_deposit",
            Self::DirectDebit => "direct_debit",
            Self::RepeatPayment => "repeat_payment",
            Self::Hold => "hold",
            Self::Other => "other",
        }
    }
}

/// A row that could not be read. The rows around it were.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectedRow {
    /// Line of the file on which the row begins, from 1.
    pub line: u64,
    /// Why, for machines.
    pub code: RejectCode,
    /// Why, for people. May quote the date or the amount of the row: show it to its owner, do not log it.
    pub reason: String,
}

/// Why a row was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The names say it all.
pub enum RejectCode {
    MissingDate,
    MalformedDate,
    MissingAmount,
    MalformedAmount,
    /// More decimals than the currency has, and they are not zeros.
    AmountTooPrecise,
    AmountOutOfRange,
    UnknownCurrency,
    /// The amount names another currency than its statement.
    CurrencyConflict,
    /// Both the debit and the credit column are filled.
    DebitAndCredit,
    /// The direction column holds neither of the two known words.
    UnknownDirection,
    MissingColumns,
    /// A heading, total or footer line of a table.
    NotATransaction,
    /// A value or line longer than any bank writes.
    RowTooLong,
    UnbalancedQuote,
    /// A row of an investment statement whose element OFX does not have.
    UnsupportedInvestmentRow,
    /// The bank says that it moved nothing: declined, reverted, a mere authorisation.
    NotBooked,
    /// Not booked yet.
    UnsupportedPendingRow,
    /// Told for information: it moves nothing (`INFO` in CAMT).
    InformationOnly,
    /// The bank gives it a status that we do not know.
    UnknownStatus,
}

impl RejectCode {
    /// The name that is also its serialised form.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MissingDate => "missing_date",
            Self::MalformedDate => "malformed_date",
            Self::MissingAmount => "missing_amount",
            Self::MalformedAmount => "malformed_amount",
            Self::AmountTooPrecise => "amount_too_precise",
            Self::AmountOutOfRange => "amount_out_of_range",
            Self::UnknownCurrency => "unknown_currency",
            Self::CurrencyConflict => "currency_conflict",
            Self::DebitAndCredit => "debit_and_credit",
            Self::UnknownDirection => "unknown_direction",
            Self::MissingColumns => "missing_columns",
            Self::NotATransaction => "not_a_transaction",
            Self::RowTooLong => "row_too_long",
            Self::UnbalancedQuote => "unbalanced_quote",
            Self::UnsupportedInvestmentRow => "unsupported_investment_row",
            Self::NotBooked => "not_booked",
            Self::UnsupportedPendingRow => "unsupported_pending_row",
            Self::InformationOnly => "information_only",
            Self::UnknownStatus => "unknown_status",
        }
    }
}

/// A balance that the bank states.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementBalance {
    /// Which balance.
    pub kind: BalanceKind,
    /// In the currency of the statement; negative where the owner owes.
    pub amount: Money,
    /// The day it is of, as the bank wrote it.
    pub as_of: Option<NaiveDate>,
}

/// Which balance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BalanceKind {
    /// What is booked: the sum of rows must end here.
    Ledger,
    /// What was booked before the first row: the sum of rows must begin here.
    Opening,
    /// What can be spent; of a credit card, what is left of its limit.
    Available,
}
