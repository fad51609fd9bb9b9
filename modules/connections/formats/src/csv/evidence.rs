use kernel::Currency;

use super::DateOrder;
use super::date::{Reading, Written};
use crate::amount::{Bare, DecimalMark, Way, decimal_mark_of};

/// What the rows of a file say about how it writes dates and amounts, counted.
#[derive(Clone, Debug, Default)]
pub(crate) struct Evidence {
    only_day_first: u64,
    only_month_first: u64,
    /// The first date that has two readings.
    pub(crate) undecided: Option<Undecided>,
    point: u64,
    comma: u64,
    /// `1.234`, which could be either.
    lone_point: u64,
    /// `1,234`
    lone_comma: u64,
    came: u64,
    /// Amounts that left, or of which nobody knows where they went.
    left: u64,
    bare: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Undecided {
    pub(crate) example: String,
    pub(crate) day_first: chrono::NaiveDate,
    pub(crate) month_first: chrono::NaiveDate,
}

/// One mistyped row must not turn a file around.
const MAJORITY: u64 = 20;

impl Evidence {
    /// Takes the date, and says whether there is one.
    pub(crate) fn date(&mut self, text: &str) -> bool {
        let Some(written) = Written::parse(posted_part(text)) else { return false };
        match written.reading() {
            Reading::OnlyDayFirst => self.only_day_first += 1,
            Reading::OnlyMonthFirst => self.only_month_first += 1,
            Reading::Either { day_first, month_first } if self.undecided.is_none() => {
                let example = crate::error::sanitised(text, 40);
                self.undecided = Some(Undecided { example, day_first, month_first });
            }
            Reading::Either { .. } | Reading::Same(_) | Reading::Neither => {}
        }
        true
    }

    pub(crate) fn amount(&mut self, text: &str) {
        if !text.contains(['.', ',']) {
            return;
        }
        let number = Bare::of(text).number;
        match (decimal_mark_of(&number), number.contains('.')) {
            (Some(DecimalMark::Point), _) => self.point += 1,
            (Some(DecimalMark::Comma), _) => self.comma += 1,
            (None, true) => self.lone_point += 1,
            (None, false) if number.contains(',') => self.lone_comma += 1,
            (None, false) => {}
        }
    }

    pub(super) fn way(&mut self, way: Option<Way>) {
        match way {
            Some(Way::Came) => self.came += 1,
            Some(Way::Left | Way::Unknown) => self.left += 1,
            Some(Way::Bare) => self.bare += 1,
            None => {}
        }
    }

    /// Whether amounts without a sign are money that left; `None` if no row tells.
    pub(crate) fn bare_is_debit(&self) -> Option<bool> {
        match (self.left, self.came, self.bare) {
            (1.., ..) => Some(false),
            // Who marks what came, and nothing else, leaves what left as it is.
            (0, 1.., 1..) => Some(true),
            (0, ..) => None,
        }
    }

    /// `Err` if the rows contradict each other or leave it open; `None` if it does not matter to any of them.
    pub(crate) fn date_order(&self) -> Result<Option<DateOrder>, ()> {
        let (day, month) = (self.only_day_first, self.only_month_first);
        match (day, month) {
            (0, 0) => self.undecided.as_ref().map_or(Ok(None), |_| Err(())),
            _ if day > month.saturating_mul(MAJORITY) => Ok(Some(DateOrder::DayFirst)),
            _ if month > day.saturating_mul(MAJORITY) => Ok(Some(DateOrder::MonthFirst)),
            _ => Err(()),
        }
    }

    /// How decimals are written; `None` if there are none. Rows of the losing kind get rejected one by one.
    pub(crate) fn decimal_mark(&self, currency: Option<Currency>) -> Option<DecimalMark> {
        if self.point + self.comma > 0 {
            let is_comma = self.comma > self.point;
            return Some(if is_comma { DecimalMark::Comma } else { DecimalMark::Point });
        }
        // Three digits behind one separator in every row. With three decimals in the currency they are decimals,
        // with fewer they can only be thousands.
        let has_three = currency.is_some_and(|currency| currency.scale() == 3);
        match (self.lone_point > self.lone_comma, self.lone_comma > 0) {
            (true, _) => Some(if has_three { DecimalMark::Point } else { DecimalMark::Comma }),
            (false, true) => Some(if has_three { DecimalMark::Comma } else { DecimalMark::Point }),
            (false, false) => None,
        }
    }
}

/// The first of the dates in `02/03/2025 as of 02/01/2025`.
pub(super) fn posted_part(text: &str) -> &str {
    split_as_of(text).map_or(text, |(posted, _)| posted)
}

/// Posting date and transaction date of an "as of" cell.
pub(super) fn split_as_of(text: &str) -> Option<(&str, &str)> {
    // Most cells hold one date and are too short for two.
    if text.len() < 17 {
        return None;
    }
    let at = text.to_ascii_lowercase().find(" as of ")?;
    Some((text[..at].trim(), text[at + 7..].trim()))
}
