use kernel::{Currency, Money};

use crate::RejectCode;
use crate::amount::ofx_amount;
use crate::error::sanitised;
use crate::ofx::amount_reason;

/// Why a row cannot be read: for machines and for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: RejectCode,
    pub(super) reason: String,
}

impl Fault {
    pub(super) fn new(code: RejectCode, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

/// An amount, which CAMT writes without a sign: `CdtDbtInd` says which way it goes. Where the amount names no
/// currency, it is in that of its statement.
pub(super) fn amount(text: &str, code: &str, of_statement: Option<Currency>) -> Result<Money, Fault> {
    if text.is_empty() {
        return Err(Fault::new(RejectCode::MissingAmount, "the row has no amount"));
    }
    let currency = match (code, of_statement) {
        ("", Some(currency)) => currency,
        ("", None) => return Err(Fault::new(RejectCode::UnknownCurrency, "the amount names no currency")),
        (code, Some(currency)) if code == currency.code() => currency,
        (code, _) => Currency::parse(code)
            .map_err(|error| Fault::new(RejectCode::UnknownCurrency, error.to_string()))?,
    };
    if text.starts_with(['-', '+', '(']) {
        let reason = format!("{:?} has a sign of its own", sanitised(text, 40));
        return Err(Fault::new(RejectCode::MalformedAmount, reason));
    }
    ofx_amount(text, currency).map_err(|code| Fault::new(code, amount_reason(code, text, currency)))
}

/// Which way an amount goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    /// `CRDT`: the owner has more.
    Credit,
    /// `DBIT`: the owner has less.
    Debit,
}

impl Direction {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "CRDT" => Some(Self::Credit),
            "DBIT" => Some(Self::Debit),
            _ => None,
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::Credit => Self::Debit,
            Self::Debit => Self::Credit,
        }
    }

    /// `amount`, which is without a sign, with the one that it has for the owner.
    pub(super) fn sign(self, amount: Money) -> Money {
        match self {
            Self::Credit => amount,
            Self::Debit => Money::from_minor(-amount.minor(), amount.currency()),
        }
    }
}
