use chrono::NaiveDate;

use super::DateOrder;

/// A date of a table, before it is known which number is the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    /// Year first, or the month by its name: there is one reading.
    Plain(NaiveDate),
    /// `02/03/2025`
    Numbers { first: u32, second: u32, third: u32, year: i32, has_dots: bool },
}

/// What a single date says about the order of its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// The same day in any order.
    Same(NaiveDate),
    OnlyDayFirst,
    OnlyMonthFirst,
    Either {
        day_first: NaiveDate,
        month_first: NaiveDate,
    },
    /// No day in any order.
    Neither,
}

impl Written {
    /// Reads `2025-02-13`, `13.02.2025`, `2/13/25`, `20250213`, `13 Feb 2025`, `Feb 13, 2025`, with or without a
    /// time of day behind it.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return ymd(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..].parse().ok()?)
                .map(Self::Plain);
        }
        if text.bytes().take(12).any(|byte| byte.is_ascii_alphabetic() && byte != b'T') || !text.is_ascii() {
            return with_month_name(text).map(Self::Plain);
        }
        let (first, rest) = leading_number(text)?;
        let separator = rest.chars().next().filter(|c| matches!(c, '-' | '/' | '.'))?;
        let (second, rest) = leading_number(rest[1..].trim_start())?;
        let (third, rest) = leading_number(rest.strip_prefix(separator)?.trim_start())?;
        if !is_time(rest) {
            return None;
        }
        let (a, b, c): (u32, u32, u32) = (first.parse().ok()?, second.parse().ok()?, third.parse().ok()?);
        match (first.len(), second.len(), third.len()) {
            (4, 1..=2, 1..=2) => ymd(a as i32, b, c).map(Self::Plain),
            (1..=2, 1..=2, 2 | 4) => {
                let year = full_year(c, third.len());
                Some(Self::Numbers { first: a, second: b, third: c, year, has_dots: separator == '.' })
            }
            _ => None,
        }
    }

    /// The day, if the order is known.
    pub(crate) fn under(self, order: DateOrder) -> Option<NaiveDate> {
        match (self, order) {
            (Self::Plain(day), _) => Some(day),
            (Self::Numbers { first, second, year, .. }, DateOrder::DayFirst) => ymd(year, second, first),
            (Self::Numbers { first, second, year, .. }, DateOrder::MonthFirst) => ymd(year, first, second),
            (Self::Numbers { first, second, third, .. }, DateOrder::YearFirst) => {
                ymd(full_year(first, 2), second, third)
            }
        }
    }

    pub(crate) fn reading(self) -> Reading {
        if let Self::Plain(day) = self {
            return Reading::Same(day);
        }
        let has_dots = matches!(self, Self::Numbers { has_dots: true, .. });
        match (self.under(DateOrder::DayFirst), self.under(DateOrder::MonthFirst)) {
            (Some(day_first), Some(month_first)) if day_first == month_first => Reading::Same(day_first),
            // Nobody writes the month first and puts dots.
            (Some(_), _) if has_dots => Reading::OnlyDayFirst,
            (Some(day_first), Some(month_first)) => Reading::Either { day_first, month_first },
            (Some(_), None) => Reading::OnlyDayFirst,
            (None, Some(_)) => Reading::OnlyMonthFirst,
            (None, None) => Reading::Neither,
        }
    }
}

fn ymd(year: i32, month: u32, day: u32) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month, day).filter(|_| (1900..2200).contains(&year))
}

/// `07` is 2007 and `85` is 1985: no bank statement is of 2070 yet.
fn full_year(year: u32, digits: usize) -> i32 {
    let century = if digits > 2 {
        0
    } else if year < 70 {
        2000
    } else {
        1900
    };
    year as i32 + century
}

fn leading_number(text: &str) -> Option<(&str, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    (1..=4).contains(&length).then(|| text.split_at(length))
}

/// Nothing, or a time of day: it is not read, as tables do not say of which zone it is.
fn is_time(rest: &str) -> bool {
    let rest = rest.strip_prefix(['T', ',']).unwrap_or(rest);
    let rest = rest.trim().trim_end_matches(['Z', 'M', 'A', 'P', 'a', 'm', 'p']);
    rest.is_empty() || (rest.starts_with(|c: char| c.is_ascii_digit()) && rest.contains(':'))
}

/// `13 Feb 2025`, `13-Feb-25`, `Feb 13, 2025`, `13. Februar 2025`.
fn with_month_name(text: &str) -> Option<NaiveDate> {
    let mut words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let (first, second, third) = (words.next()?, words.next()?, words.next()?);
    let (day, month) = match (month_number(first), month_number(second)) {
        (Some(month), None) => (second, month),
        (None, Some(month)) => (first, month),
        _ => return None,
    };
    let is_number =
        |word: &str| matches!(word.len(), 1..=4) && word.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(third) || !matches!(third.len(), 2 | 4) || !is_number(day) || day.len() > 2 {
        return None;
    }
    ymd(full_year(third.parse().ok()?, third.len()), month, day.parse().ok()?)
}

/// The month by the beginning of its name in English, German, French, Spanish, Italian, Dutch or Portuguese.
fn month_number(word: &str) -> Option<u32> {
    const MONTHS: [&[&str]; 12] = [
        &["jan", "ene", "gen"],
        &["feb", "fev", "fév"],
        &["mar", "mär", "mrz", "maa", "mrt"],
        &["apr", "avr", "abr"],
        &["may", "mai", "maj", "mag", "mei", "mayo"],
        &["jun", "juin", "giu"],
        &["jul", "juil", "lug"],
        &["aug", "aou", "aoû", "ago"],
        &["sep", "set"],
        &["oct", "okt", "out", "ott"],
        &["nov"],
        &["dec", "dez", "déc", "dic"],
    ];
    let lower = word.to_lowercase();
    if lower.chars().count() < 3 || !lower.chars().all(char::is_alphabetic) {
        return None;
    }
    let starts = |names: &&[&str]| names.iter().any(|name| lower.starts_with(name));
    MONTHS.iter().position(starts).map(|index| index as u32 + 1)
}
