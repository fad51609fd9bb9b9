use chrono::{Datelike, NaiveDate};

/// A date of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    pub(super) date: NaiveDate,
    /// The bank wrote a day that its month does not have, such as 30 February, which is a day where interest is
    /// counted in months of 30 days: the last day of the month stands for it.
    pub(super) is_moved: bool,
}

/// Reads `YYMMDD`.
pub(super) fn full_day(digits: &[u8]) -> Option<Day> {
    let (year, rest) = digits.split_at_checked(2)?;
    let year = number(year)?;
    // No statement is of 2080 yet, and none was in this form before 1980.
    let century = if year < 80 { 2000 } else { 1900 };
    day(year as i32 + century, rest)
}

/// Reads `MMDD` in the year that brings it nearest to `near`: around New Year that is the one before or after.
pub(super) fn day_near(digits: &[u8], near: NaiveDate) -> Option<Day> {
    let candidates = (near.year() - 1..=near.year() + 1).filter_map(|year| day(year, digits));
    candidates.min_by_key(|day| (day.date - near).num_days().abs())
}

fn day(year: i32, digits: &[u8]) -> Option<Day> {
    let (month, day) = digits.split_at_checked(2)?;
    let (month, day) = (number(month)?, number(day).filter(|day| day_is_possible(*day))?);
    let exact = NaiveDate::from_ymd_opt(year, month, day);
    let last = || (28..day).rev().find_map(|day| NaiveDate::from_ymd_opt(year, month, day));
    exact.or_else(last).map(|date| Day { date, is_moved: exact.is_none() })
}

fn day_is_possible(day: u32) -> bool {
    (1..=31).contains(&day)
}

fn number(digits: &[u8]) -> Option<u32> {
    let [tens, ones] = digits else { return None };
    let is_number = tens.is_ascii_digit() && ones.is_ascii_digit();
    is_number.then(|| u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ymd(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    #[test]
    fn an_entry_date_takes_the_year_that_is_nearest_to_the_value_date() {
        for (digits, near, date) in [
            (b"1231", ymd(2024, 1, 2), ymd(2023, 12, 31)),
            (b"0102", ymd(2023, 12, 31), ymd(2024, 1, 2)),
            (b"0630", ymd(2024, 1, 2), ymd(2024, 6, 30)),
            (b"0704", ymd(2024, 1, 2), ymd(2023, 7, 4)),
            (b"0229", ymd(2024, 2, 27), ymd(2024, 2, 29)),
        ] {
            assert_eq!(day_near(digits, near), Some(Day { date, is_moved: false }));
        }
    }

    #[test]
    fn a_day_that_the_month_does_not_have_becomes_its_last_one() {
        assert_eq!(full_day(b"070230"), Some(Day { date: ymd(2007, 2, 28), is_moved: true }));
        assert_eq!(full_day(b"080230"), Some(Day { date: ymd(2008, 2, 29), is_moved: true }));
        assert_eq!(full_day(b"990431"), Some(Day { date: ymd(1999, 4, 30), is_moved: true }));
        for digits in [&b"071301"[..], b"070100", b"070132", b"07013", b"0701ab", b""] {
            assert_eq!(full_day(digits), None);
        }
    }
}
