use kernel::{Currency, Money};

use super::date::{Day, full_day};

/// What stands in `:60F:` and its kin: `C100318EUR380115,12`.
pub(super) struct Balance<'a> {
    is_debit: bool,
    pub(super) day: Day,
    /// Code of the currency, as written.
    pub(super) currency: &'a str,
    amount: &'a str,
}

impl<'a> Balance<'a> {
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.lines().next()?.trim();
        let is_debit = match text.as_bytes().first()? {
            b'C' | b'c' => false,
            b'D' | b'd' => true,
            _ => return None,
        };
        let day = full_day(text.as_bytes().get(1..7)?)?;
        let (currency, amount) = (text.get(7..10)?, text.get(10..)?);
        Some(Self { is_debit, day, currency, amount: amount.trim() })
    }

    /// None unless the decimal comma is there: the standard demands it, and a file that was cut looks so.
    pub(super) fn money(&self, currency: Currency) -> Option<Money> {
        let (whole, fraction) = self.amount.split_once(',')?;
        let sign = if self.is_debit { "-" } else { "" };
        Money::parse(&format!("{sign}{whole}.{fraction}"), currency).ok()
    }
}
