use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Currency, UnknownCurrency};

/// An exact amount: whole minor units of one currency.
///
/// Positive increases what the owner has, negative decreases it. Nothing here ever passes through a float:
/// on the wire it is `{"amount": "-12.34", "currency": "EUR"}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why an amount cannot be held or two amounts cannot be joined.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not a plain decimal number.
    #[error("{0:?} is not a decimal amount")]
    NotANumber(String),
    /// The text has more digits after the point than the currency has, and they are not zeros.
    #[error("{text:?} has more than {scale} decimals")]
    TooPrecise {
        /// The amount as it was written.
        text: String,
        /// Digits that the currency allows.
        scale: u8,
    },
    /// The amount does not fit in 64 bits of minor units.
    #[error("amount out of range")]
    Overflow,
    /// Amounts of different currencies are never joined.
    #[error("{0} and {1} are different currencies")]
    CurrencyMismatch(Currency, Currency),
    /// The code is not one of ISO 4217.
    #[error(transparent)]
    UnknownCurrency(#[from] UnknownCurrency),
}

impl Money {
    /// An amount of `minor` units (cents for EUR, yen for JPY).
    pub const fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self::from_minor(0, currency)
    }

    /// Reads a plain decimal: an optional sign, digits, an optional point and digits.
    ///
    /// Exact: digits beyond the currency's scale must be zeros, else `TooPrecise`. Separators of thousands and
    /// decimal commas are the readers' business, not this one's.
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let not_a_number = || MoneyError::NotANumber(text.chars().take(40).collect());
        let (negative, digits) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let point = digits.iter().position(|&byte| byte == b'.').unwrap_or(digits.len());
        let (whole, fraction) = (&digits[..point], digits.get(point + 1..).unwrap_or_default());
        if whole.is_empty() && fraction.is_empty() {
            return Err(not_a_number());
        }
        let scale = usize::from(currency.scale());
        let (kept, cut) = fraction.split_at(fraction.len().min(scale));
        if !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
            return Err(not_a_number());
        }
        if cut.iter().any(|&digit| digit != b'0') {
            let text = text.chars().take(40).collect();
            return Err(MoneyError::TooPrecise { text, scale: currency.scale() });
        }
        let padding = std::iter::repeat_n(&b'0', scale - kept.len());
        // Counted downwards, because i64 reaches one further below zero than above.
        let below = whole
            .iter()
            .chain(kept)
            .chain(padding)
            .try_fold(0i64, |sum, &digit| sum.checked_mul(10)?.checked_sub(i64::from(digit - b'0')));
        let below = below.ok_or(MoneyError::Overflow)?;
        let minor = if negative { below } else { below.checked_neg().ok_or(MoneyError::Overflow)? };
        Ok(Self { minor, currency })
    }

    /// Whole minor units.
    pub const fn minor(self) -> i64 {
        self.minor
    }

    /// The currency that `minor` counts.
    pub const fn currency(self) -> Currency {
        self.currency
    }

    /// The sum; `Overflow` past 64 bits, `CurrencyMismatch` across currencies.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.joined(other, i64::checked_add)
    }

    /// The difference; refuses as `checked_add` does.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.joined(other, i64::checked_sub)
    }

    /// The same amount with the other sign.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        let minor = self.minor.checked_neg().ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    fn joined(self, other: Self, op: impl Fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch(self.currency, other.currency));
        }
        let minor = op(self.minor, other.minor).ok_or(MoneyError::Overflow)?;
        Ok(Self { minor, ..self })
    }

    /// The amount as a plain decimal with all digits of the currency, without its code: `-12.34`.
    pub fn amount(self) -> String {
        let scale = usize::from(self.currency.scale());
        let sign = if self.minor < 0 { "-" } else { "" };
        let digits = format!("{:0width$}", self.minor.unsigned_abs(), width = scale + 1);
        let (whole, fraction) = digits.split_at(digits.len() - scale);
        if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.amount(), self.currency)
    }
}

#[derive(Serialize, Deserialize, JsonSchema, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Wire {
    /// Plain decimal, as text so that no reader makes a float of it.
    #[schema(example = "-12.34")]
    #[schemars(extend("format" = "decimal"))]
    amount: String,
    currency: Currency,
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Wire { amount: self.amount(), currency: self.currency }.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        Self::parse(&wire.amount, wire.currency).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Money {
    fn schema_name() -> Cow<'static, str> {
        "Money".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Wire::json_schema(generator)
    }
}

impl utoipa::PartialSchema for Money {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        Wire::schema()
    }
}

impl utoipa::ToSchema for Money {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        schemas.push(("Currency".into(), <Currency as utoipa::PartialSchema>::schema()));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    #[test]
    fn amounts_keep_every_digit_of_their_currency() {
        for (text, code, minor) in [
            ("12.34", "EUR", 1234),
            ("-0.05", "USD", -5),
            ("+7", "JPY", 7),
            (".5", "EUR", 50),
            ("1.", "KWD", 1000),
        ] {
            assert_eq!(
                Money::parse(text, currency(code)),
                Ok(Money::from_minor(minor, currency(code))),
                "{text}"
            );
        }
    }

    #[test]
    fn digits_beyond_the_scale_are_refused_unless_zero() {
        assert_eq!(Money::parse("1.2300", currency("EUR")).unwrap().minor(), 123);
        assert!(matches!(
            Money::parse("1.234", currency("EUR")),
            Err(MoneyError::TooPrecise { scale: 2, .. })
        ));
        assert!(matches!(Money::parse("1.5", currency("JPY")), Err(MoneyError::TooPrecise { scale: 0, .. })));
    }

    #[test]
    fn what_is_not_a_plain_decimal_is_refused() {
        for text in ["", "-", ".", "1,2", "1e3", "--1", "1.2.3", "٣", "0x1", " 1"] {
            assert!(matches!(Money::parse(text, currency("EUR")), Err(MoneyError::NotANumber(_))), "{text}");
        }
    }

    #[test]
    fn overflow_is_an_error_and_both_ends_are_reached() {
        let eur = currency("EUR");
        assert_eq!(Money::parse("92233720368547758.07", eur).unwrap().minor(), i64::MAX);
        assert_eq!(Money::parse("-92233720368547758.08", eur).unwrap().minor(), i64::MIN);
        assert_eq!(Money::parse("92233720368547758.08", eur), Err(MoneyError::Overflow));
        assert_eq!(Money::from_minor(i64::MIN, eur).checked_neg(), Err(MoneyError::Overflow));
        assert_eq!(
            Money::from_minor(i64::MAX, eur).checked_add(Money::from_minor(1, eur)),
            Err(MoneyError::Overflow)
        );
    }

    #[test]
    fn different_currencies_never_add() {
        let sum = Money::from_minor(1, currency("EUR")).checked_add(Money::from_minor(1, currency("USD")));
        assert!(matches!(sum, Err(MoneyError::CurrencyMismatch(..))));
    }

    #[test]
    fn json_numbers_are_refused_because_they_are_floats() {
        assert!(serde_json::from_str::<Money>(r#"{"amount":12.34,"currency":"EUR"}"#).is_err());
        assert!(serde_json::from_str::<Money>(r#"{"amount":"12.34","currency":"EUR"}"#).is_ok());
    }

    proptest! {
        #[test]
        fn every_amount_survives_text_and_json(minor: i64, code in prop::sample::select(&["EUR", "JPY", "KWD", "CLF"][..])) {
            let money = Money::from_minor(minor, currency(code));
            prop_assert_eq!(Money::parse(&money.amount(), currency(code)), Ok(money));
            let json = serde_json::to_string(&money).unwrap();
            prop_assert_eq!(serde_json::from_str::<Money>(&json).unwrap(), money);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = Money::parse(&text, currency("EUR"));
        }
    }
}
