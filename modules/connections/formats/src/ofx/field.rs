use chrono::NaiveDate;
use kernel::{Currency, Money};

use super::Tag;
use super::date::{OfxDate, ofx_date};
use super::token::Value;
use crate::amount::ofx_amount;
use crate::decimal::Decimal;
use crate::error::sanitised;
use crate::{OriginalCurrency, RejectCode};

/// Why a row is none, for machines and for people.
pub(super) type Fault = (RejectCode, String);

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

/// A date that was not given, cannot be read, or was read.
#[derive(Debug, Default)]
pub(super) enum DateField {
    #[default]
    Missing,
    Malformed(String),
    Read(OfxDate),
}

impl DateField {
    pub(super) fn of(value: &Value<'_>) -> Self {
        match ofx_date(value.bytes()) {
            Some(date) => Self::Read(date),
            None => value.some_text().map_or(Self::Missing, Self::Malformed),
        }
    }

    pub(super) fn day(&self) -> Option<NaiveDate> {
        if let Self::Read(date) = self { Some(date.day) } else { None }
    }

    /// The date; a row without it is none.
    pub(super) fn needed(&self, name: &str) -> Result<OfxDate, Fault> {
        match self {
            Self::Read(date) => Ok(*date),
            Self::Missing => Err((RejectCode::MissingDate, format!("the row has no {name} date"))),
            Self::Malformed(text) => {
                Err((RejectCode::MalformedDate, format!("{:?} is not a date", sanitised(text, 40))))
            }
        }
    }
}

/// What a row says of the currency that its amounts are in (`CURRENCY`, `ORIGCURRENCY`).
#[derive(Debug, Default)]
pub(super) struct CurrencyFields {
    currency: Option<String>,
    original: Option<String>,
    rate: Option<String>,
}

impl CurrencyFields {
    /// Takes the value, if it is about the currency.
    pub(super) fn set(&mut self, part: Part, tag: Tag, value: &Value<'_>) {
        match (part, tag) {
            (Part::Currency, Tag::CurrencyCode) | (Part::Itself, Tag::Currency) => {
                self.currency = value.some_text();
            }
            (Part::OriginalCurrency, Tag::CurrencyCode) => self.original = value.some_text(),
            (Part::OriginalCurrency, Tag::CurrencyRate) => self.rate = value.some_text(),
            _ => {}
        }
    }

    /// The currency of the row: its own, else its statement's.
    pub(super) fn currency(&self, of_statement: Currency) -> Result<Currency, Fault> {
        match &self.currency {
            Some(code) => {
                Currency::parse(code).map_err(|error| (RejectCode::UnknownCurrency, error.to_string()))
            }
            None => Ok(of_statement),
        }
    }

    pub(super) fn take_original(&mut self) -> Option<OriginalCurrency> {
        let currency = Currency::parse(&self.original.take()?).ok()?;
        Some(OriginalCurrency { currency, rate: self.rate.take(), amount: None })
    }
}

/// The amount that a row cannot be without.
pub(super) fn amount(text: &str, currency: Currency) -> Result<Money, Fault> {
    let text = text.trim();
    if text.is_empty() {
        return Err((RejectCode::MissingAmount, "the row has no amount".into()));
    }
    ofx_amount(text, currency).map_err(|code| (code, amount_reason(code, text, currency)))
}

/// Units or a price, if they are given.
pub(super) fn decimal(text: Option<&String>) -> Result<Option<Decimal>, Fault> {
    let Some(text) = text else { return Ok(None) };
    let malformed =
        || (RejectCode::MalformedAmount, format!("{:?} is not a decimal number", sanitised(text, 40)));
    Decimal::parse(text).map(Some).ok_or_else(malformed)
}

pub(super) fn too_long() -> Fault {
    (RejectCode::RowTooLong, "a value of the row is longer than 64 KiB".into())
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
