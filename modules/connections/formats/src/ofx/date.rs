use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

/// A date as a bank writes it: `YYYYMMDD[HHMMSS[.XXX]][[offset[:zone]]]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OfxDate {
    /// The calendar date as written, whatever the zone.
    pub(super) day: NaiveDate,
    /// The instant, if there is a time of day and a zone that can be read. The specification says that no
    /// zone means GMT, but what banks mean by it is their own time.
    pub(super) instant: Option<DateTime<Utc>>,
}

/// Reads a date. What follows the day may be malformed without harm: then there is no instant.
pub(super) fn ofx_date(text: &[u8]) -> Option<OfxDate> {
    if let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, time @ ..] = text {
        let day = day(&[*y1, *y2, *y3, *y4, *m1, *m2, *d1, *d2])?;
        return matches!(time, [] | [b'T' | b't' | b' ', ..])
            .then(|| OfxDate { day, instant: iso_instant(text) });
    }
    let (digits, rest) = text.split_at_checked(8)?;
    let day = day(digits.try_into().ok()?)?;
    Some(OfxDate { day, instant: instant(day, rest) })
}

/// The instant of `2025-01-31T10:00:00Z`: XML's notation, against the specification yet unmistakable.
fn iso_instant(text: &[u8]) -> Option<DateTime<Utc>> {
    Some(DateTime::parse_from_rfc3339(std::str::from_utf8(text).ok()?).ok()?.to_utc())
}

fn day(digits: &[u8; 8]) -> Option<NaiveDate> {
    let year = number(&digits[..4])?;
    NaiveDate::from_ymd_opt(year as i32, number(&digits[4..6])?, number(&digits[6..])?)
}

fn instant(day: NaiveDate, rest: &[u8]) -> Option<DateTime<Utc>> {
    let (time, zone) = rest.split_at_checked(memchr::memchr(b'[', rest)?)?;
    let (hms, fraction) = time.split_at_checked(6)?;
    let milliseconds = match fraction {
        [] => 0,
        [b'.', digits @ ..] if (1..=3).contains(&digits.len()) => {
            number(digits)? * 10u32.pow(3 - digits.len() as u32)
        }
        _ => return None,
    };
    // 60 is a leap second; `from_hms_milli_opt` does not take it and no bank books in it.
    let time = NaiveTime::from_hms_milli_opt(
        number(&hms[..2])?,
        number(&hms[2..4])?,
        number(&hms[4..])?,
        milliseconds,
    )?;
    let offset = TimeDelta::minutes(offset_minutes(zone)?);
    Some(NaiveDateTime::new(day, time).checked_sub_signed(offset)?.and_utc())
}

/// Minutes east of Greenwich in `[-5:EST]`, `[-5]`, `[0:GMT]`, `[+5.30:IST]`, `[5.5]`.
fn offset_minutes(zone: &[u8]) -> Option<i64> {
    let inside = zone.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let offset = inside.split(|byte| *byte == b':').next()?.trim_ascii();
    let (is_west, digits) = match offset {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let mut parts = digits.splitn(2, |byte| *byte == b'.');
    let hours = number(parts.next()?).filter(|hours| *hours <= 14)?;
    // A fraction of an hour by the specification; but 30 and 45 are no zone's fraction, they are minutes.
    let minutes = match parts.next() {
        None | Some(b"" | b"0" | b"00") => 0,
        Some(b"5" | b"50" | b"30") => 30,
        Some(b"75" | b"45") => 45,
        Some(b"25") => 15,
        Some(_) => return None,
    };
    let east = i64::from(hours * 60 + minutes);
    Some(if is_west { -east } else { east })
}

/// Up to nine digits.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |sum, digit| sum * 10 + u32::from(digit - b'0')))
}
