use chrono::NaiveDate;
use kernel::{Currency, Money};

use super::Tag;
use super::date::{OfxDate, ofx_date};
use super::kind::kind;
use super::loan::LoanParts;
use super::token::Value;
use crate::amount::ofx_amount;
use crate::error::sanitised;
use crate::{Correction, CorrectionAction, OriginalCurrency, RejectCode, RejectedRow, Row, RowKind};

/// A transaction while its elements come in. One is kept and used again for every row.
#[derive(Debug, Default)]
pub(super) struct RowDraft {
    line: u64,
    posted: Field,
    user: Field,
    available: Field,
    amount: String,
    kind: RowKind,
    id: Option<String>,
    name: Option<String>,
    payee_name: Option<String>,
    extended_name: Option<String>,
    memo: Option<String>,
    check_number: Option<String>,
    reference: Option<String>,
    currency: Option<String>,
    original: Option<String>,
    rate: Option<String>,
    corrected_id: Option<String>,
    corrected_action: Option<CorrectionAction>,
    loan: Option<Box<LoanParts>>,
    is_too_long: bool,
}

/// A date that was not given, cannot be read, or was read.
#[derive(Debug, Default)]
enum Field {
    #[default]
    Missing,
    Malformed(String),
    Read(OfxDate),
}

/// The aggregate inside a transaction that a value stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Itself,
    Payee,
    /// The other side's account: told by name and memo already.
    AccountTo,
    Currency,
    OriginalCurrency,
}

impl RowDraft {
    pub(super) fn begin(&mut self, line: u64) {
        let mut amount = std::mem::take(&mut self.amount);
        amount.clear();
        *self = Self { line, amount, ..Self::default() };
    }

    pub(super) fn set(&mut self, part: Part, tag: Tag, value: &Value<'_>) {
        self.is_too_long |= value.is_too_long;
        match (part, tag) {
            (Part::Payee, Tag::Name) => self.payee_name = value.some_text(),
            (Part::Currency, Tag::CurrencyCode) => self.currency = value.some_text(),
            (Part::Itself, Tag::Currency) => self.currency = value.some_text(),
            (Part::OriginalCurrency, Tag::CurrencyCode) => self.original = value.some_text(),
            (Part::OriginalCurrency, Tag::CurrencyRate) => self.rate = value.some_text(),
            (Part::Itself, tag) => self.set_own(tag, value),
            _ => {}
        }
    }

    fn set_own(&mut self, tag: Tag, value: &Value<'_>) {
        match tag {
            Tag::DatePosted => self.posted = Field::of(value),
            Tag::DateUser => self.user = Field::of(value),
            Tag::DateAvailable => self.available = Field::of(value),
            Tag::Amount => {
                self.amount.clear();
                self.amount.push_str(&value.text());
            }
            Tag::Kind => self.kind = kind(value.bytes()),
            // The first one stands: a vendor's own aggregate behind it may repeat the name.
            Tag::TransactionId => self.id = self.id.take().or_else(|| value.some_text()),
            Tag::Name => self.name = self.name.take().or_else(|| value.some_text()),
            Tag::Memo => self.memo = self.memo.take().or_else(|| value.some_text()),
            Tag::ExtendedName => self.extended_name = value.some_text(),
            Tag::CheckNumber => self.check_number = value.some_text(),
            Tag::Reference => self.reference = value.some_text(),
            Tag::CorrectedId => self.corrected_id = value.some_text(),
            Tag::CorrectedAction => {
                let is_delete = value.bytes().eq_ignore_ascii_case(b"DELETE");
                self.corrected_action =
                    Some(if is_delete { CorrectionAction::Delete } else { CorrectionAction::Replace });
            }
            Tag::PrincipalPart | Tag::InterestPart | Tag::EscrowPart | Tag::InsurancePart => {
                self.loan.get_or_insert_default().set(tag, value);
            }
            _ => {}
        }
    }

    /// The row, or why it is none. Leaves the draft empty.
    pub(super) fn finish(&mut self, statement_currency: Currency) -> Result<Row, RejectedRow> {
        let (posted, amount) = match self.essentials(statement_currency) {
            Ok(both) => both,
            Err((code, reason)) => return Err(RejectedRow { line: self.line, code, reason }),
        };
        let original = self.original.take().and_then(|code| Currency::parse(&code).ok());
        let action = self.corrected_action.unwrap_or(CorrectionAction::Replace);
        Ok(Row {
            external_id: self.id.take(),
            occurred_on: self.user.day(),
            posted_at: posted.instant,
            kind: self.kind,
            name: self.name.take().or_else(|| self.payee_name.take()).or_else(|| self.extended_name.take()),
            memo: self.memo.take(),
            check_number: self.check_number.take(),
            original: original.map(|currency| OriginalCurrency {
                currency,
                rate: self.rate.take(),
                amount: None,
            }),
            value_on: self.available.day(),
            reference: self.reference.take(),
            splits: self.loan.take().map_or_else(Vec::new, |parts| parts.splits(amount)),
            corrects: self.corrected_id.take().map(|external_id| Correction { external_id, action }),
            ..Row::new(self.line, posted.day, amount)
        })
    }

    /// The row as one that we do not read.
    pub(super) fn refused(&self, code: RejectCode, reason: &str) -> RejectedRow {
        RejectedRow { line: self.line, code, reason: reason.to_owned() }
    }

    /// What no row can be without: a date and an amount.
    fn essentials(&self, statement_currency: Currency) -> Result<(OfxDate, Money), (RejectCode, String)> {
        if self.is_too_long {
            return Err((RejectCode::RowTooLong, "a value of the row is longer than 64 KiB".into()));
        }
        let posted = match &self.posted {
            Field::Read(date) => *date,
            Field::Missing => return Err((RejectCode::MissingDate, "the row has no posting date".into())),
            Field::Malformed(text) => {
                return Err((RejectCode::MalformedDate, format!("{:?} is not a date", sanitised(text, 40))));
            }
        };
        let currency = match &self.currency {
            Some(code) => {
                Currency::parse(code).map_err(|error| (RejectCode::UnknownCurrency, error.to_string()))?
            }
            None => statement_currency,
        };
        let text = self.amount.trim();
        if text.is_empty() {
            return Err((RejectCode::MissingAmount, "the row has no amount".into()));
        }
        let amount =
            ofx_amount(text, currency).map_err(|code| (code, amount_reason(code, text, currency)))?;
        Ok((posted, amount))
    }
}

/// Says what is wrong with an amount, to its owner.
pub(crate) fn amount_reason(code: RejectCode, text: &str, currency: Currency) -> String {
    let text = sanitised(text, 40);
    match code {
        RejectCode::AmountTooPrecise => {
            format!("{text:?} has more decimals than the {} of {currency}", currency.scale())
        }
        RejectCode::AmountOutOfRange => format!("{text:?} is too large an amount"),
        RejectCode::CurrencyConflict => format!("{text:?} is not in {currency}"),
        _ => format!("{text:?} is not an amount"),
    }
}

impl Field {
    fn of(value: &Value<'_>) -> Self {
        match ofx_date(value.bytes()) {
            Some(date) => Self::Read(date),
            None => value.some_text().map_or(Self::Missing, Self::Malformed),
        }
    }

    fn day(&self) -> Option<NaiveDate> {
        if let Self::Read(date) = self { Some(date.day) } else { None }
    }
}
