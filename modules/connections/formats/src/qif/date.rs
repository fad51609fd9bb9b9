use std::borrow::Cow;

use chrono::NaiveDate;

use crate::csv::DateOrder;
use crate::csv::date::{Reading, Written};

/// A date of a QIF file as tables write it: `1/15' 7` is `1/15/2007`, `1/ 5/ 3` is `1/ 5/03`. The apostrophe stands
/// before years from 2000 on.
pub(super) fn normal(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let Some(separator) = text.chars().find(|c| matches!(c, '/' | '-' | '.')) else {
        return Cow::Borrowed(text);
    };
    if let Some((before, year)) = text.split_once('\'') {
        let year = year.trim();
        let century = if year.len() <= 2 { "2000" } else { "" };
        let century = &century[..century.len().saturating_sub(year.len())];
        return Cow::Owned(format!("{}{separator}{century}{year}", before.trim()));
    }
    match text.rsplit_once(separator) {
        Some((before, year)) if year.trim().len() == 1 => {
            // The day of a date that begins with its year may have one digit.
            let is_year_last = before.find(separator).is_some_and(|length| length <= 2);
            if is_year_last {
                Cow::Owned(format!("{before}{separator}0{}", year.trim()))
            } else {
                text.into()
            }
        }
        _ => text.into(),
    }
}

/// What a date means in a file with this order of day and month.
pub(super) enum Meaning {
    Day(NaiveDate),
    /// Day first, month first: the order must be told.
    Either(NaiveDate, NaiveDate),
    Nothing,
}

pub(super) fn meaning(text: &str, order: Option<DateOrder>) -> Meaning {
    let Some(written) = Written::parse(&normal(text)) else { return Meaning::Nothing };
    let day = match (order, written.reading()) {
        (Some(order), _) => written.under(order),
        (None, Reading::Same(day)) => Some(day),
        (None, Reading::OnlyDayFirst) => written.under(DateOrder::DayFirst),
        (None, Reading::OnlyMonthFirst) => written.under(DateOrder::MonthFirst),
        (None, Reading::Either { day_first, month_first }) => {
            return Meaning::Either(day_first, month_first);
        }
        (None, Reading::Neither) => None,
    };
    day.map_or(Meaning::Nothing, Meaning::Day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_tables_write_them() {
        for (written, told) in [
            ("1/15'07", "1/15/2007"),
            ("1/15' 7", "1/15/2007"),
            ("12/31'2007", "12/31/2007"),
            ("1/ 5/03", "1/ 5/03"),
            ("1/ 5/ 3", "1/ 5/03"),
            ("15.1.07", "15.1.07"),
            ("15-1'07", "15-1-2007"),
            ("2007-1-5", "2007-1-5"),
            ("", ""),
            ("'", "'"),
            ("/'", "//2000"),
        ] {
            assert_eq!(normal(written), told, "{written}");
        }
    }
}
