use chrono::{DateTime, NaiveDate, Utc};

/// A date as CAMT writes it: `2025-01-31`, `2025-01-31+01:00` or `2025-01-31T12:00:00+01:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CamtDate {
    /// The calendar date as written, whatever the zone.
    pub(super) day: NaiveDate,
    /// The instant, if there is a time of day with its zone.
    pub(super) instant: Option<DateTime<Utc>>,
}

/// Reads a date. What follows the day may be malformed without harm: then there is no instant.
pub(super) fn camt_date(text: &str) -> Option<CamtDate> {
    let (day, rest) = match text.as_bytes() {
        [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, rest @ ..] => {
            (day(&[*y1, *y2, *y3, *y4, *m1, *m2, *d1, *d2])?, rest)
        }
        // Against the specification, yet unmistakable.
        [y1, y2, y3, y4, m1, m2, d1, d2] => (day(&[*y1, *y2, *y3, *y4, *m1, *m2, *d1, *d2])?, &[][..]),
        _ => return None,
    };
    match rest {
        [] | [b'Z' | b'+' | b'-', ..] => Some(CamtDate { day, instant: None }),
        [b'T', ..] => {
            let instant = DateTime::parse_from_rfc3339(text).ok().map(|at| at.to_utc());
            Some(CamtDate { day, instant })
        }
        _ => None,
    }
}

fn day(digits: &[u8; 8]) -> Option<NaiveDate> {
    let number = |digits: &[u8]| {
        let digit = |sum: u32, byte: &u8| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0'));
        digits.iter().try_fold(0, digit)
    };
    let year = i32::try_from(number(&digits[..4])?).ok()?;
    NaiveDate::from_ymd_opt(year, number(&digits[4..6])?, number(&digits[6..])?)
}
