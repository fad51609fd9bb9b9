use kernel::Currency;

use super::Tag;
use super::date::ofx_date;
use super::field::{CurrencyFields, Fault, Part, decimal, too_long};
use super::securities::Securities;
use super::token::Value;
use crate::{Position, RejectCode};

/// A holding while its elements come in (`INVPOS`).
#[derive(Debug, Default)]
pub(super) struct PositionDraft {
    line: u64,
    id: Option<String>,
    id_type: Option<String>,
    units: Option<String>,
    unit_price: Option<String>,
    market_value: Option<String>,
    is_short: bool,
    as_of: Option<chrono::NaiveDate>,
    currency: CurrencyFields,
    is_too_long: bool,
}

impl PositionDraft {
    pub(super) fn begin(line: u64) -> Self {
        Self { line, ..Self::default() }
    }

    pub(super) fn set(&mut self, part: Part, tag: Tag, value: &Value<'_>) {
        self.is_too_long |= value.is_too_long;
        match (part, tag) {
            (Part::Itself, Tag::SecurityId) => self.id = value.some_text(),
            (Part::Itself, Tag::SecurityIdType) => self.id_type = value.some_text(),
            (Part::Itself, Tag::Units) => self.units = value.some_text(),
            (Part::Itself, Tag::UnitPrice) => self.unit_price = value.some_text(),
            (Part::Itself, Tag::MarketValue) => self.market_value = value.some_text(),
            (Part::Itself, Tag::PriceAsOf) => self.as_of = ofx_date(value.bytes()).map(|date| date.day),
            (Part::Itself, Tag::PositionType) => {
                self.is_short = value.bytes().eq_ignore_ascii_case(b"SHORT");
            }
            _ => self.currency.set(part, tag, value),
        }
    }

    /// The position, or why it is none.
    pub(super) fn finish(self, of_statement: Currency, securities: &Securities) -> Result<Position, Fault> {
        if self.is_too_long {
            return Err(too_long());
        }
        let units = decimal(self.units.as_ref())?
            .ok_or_else(|| (RejectCode::MissingAmount, "the position has no units".to_owned()))?;
        // Most banks sign the units of a short position, some leave it to its type.
        let units = if self.is_short && !units.is_negative() { units.negated() } else { units };
        let shown = |text: Option<&String>| Ok(decimal(text)?.map(|number| number.to_string()));
        let listed =
            securities.find(self.id.as_deref(), self.id_type.as_deref()).cloned().unwrap_or_default();
        Ok(Position {
            line: self.line,
            ticker: listed.ticker,
            security_name: listed.name,
            units: units.to_string(),
            unit_price: shown(self.unit_price.as_ref())?,
            market_value: shown(self.market_value.as_ref())?,
            currency: self.currency.currency(of_statement)?,
            as_of: self.as_of,
            security_id: self.id,
            security_id_type: self.id_type,
        })
    }
}
