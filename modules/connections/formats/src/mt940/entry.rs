use kernel::{Currency, Money};

use super::date::{Day, day_near, full_day};
use crate::amount::reject;
use crate::error::sanitised;
use crate::ofx::amount_reason;
use crate::{RejectCode, RowKind};

/// What stands in `:61:`: `1409010902DR1,62NTRF0000549855700010//025498557/000001`.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) value: Day,
    /// Day of booking: the entry date, or the value date where the bank gives no other.
    pub(super) posted: Day,
    pub(super) amount: Money,
    /// The bank expects it (`EC`, `ED`).
    pub(super) is_pending: bool,
    pub(super) kind: RowKind,
    /// What the owner calls it; never a word that says there is none.
    pub(super) reference: Option<&'a str>,
    /// What the bank calls it.
    pub(super) bank_reference: Option<&'a str>,
    /// What stands behind a reference that was filled up to its sixteen characters: one dialect's name.
    pub(super) behind: Option<&'a str>,
    /// The lines below.
    pub(super) supplement: &'a str,
}

pub(super) type Refusal = (RejectCode, String);

/// Length that the reference of the owner may have; one that is followed by more is filled up to it.
const REFERENCE: usize = 16;

impl<'a> Entry<'a> {
    pub(super) fn parse(text: &'a str, currency: Currency) -> Result<Self, Refusal> {
        let (first, supplement) = text.split_once('\n').unwrap_or((text, ""));
        let first = first.trim_ascii_start();
        let (value, posted, rest) = days(first)?;
        let (mark, rest) = Mark::parse(rest)?;
        let (amount, rest) = amount(rest, mark.is_negative, currency)?;
        let (code, references) = kind_code(rest);
        let (reference, bank_reference, behind) = self::references(references);
        Ok(Self {
            value,
            posted,
            amount,
            is_pending: mark.is_pending,
            kind: kind(code, mark.is_negative),
            reference: reference.filter(|reference| !is_pointer(reference)),
            bank_reference,
            behind,
            supplement,
        })
    }
}

/// `YYMMDD`, and `MMDD` where it is given.
fn days(text: &str) -> Result<(Day, Day, &str), Refusal> {
    if text.is_empty() {
        return Err((RejectCode::MissingDate, "the entry is empty".into()));
    }
    let malformed = || (RejectCode::MalformedDate, format!("{:?} has no value date", sanitised(text, 40)));
    let value = text.as_bytes().get(..6).and_then(full_day).ok_or_else(malformed)?;
    let rest = &text[6..];
    let has_entry_date = rest.len() >= 4 && rest.as_bytes()[..4].iter().all(u8::is_ascii_digit);
    if !has_entry_date {
        return Ok((value, value, rest));
    }
    let malformed = || (RejectCode::MalformedDate, format!("{:?} has no month and day", sanitised(rest, 40)));
    let posted = day_near(&rest.as_bytes()[..4], value.date).ok_or_else(malformed)?;
    Ok((value, posted, &rest[4..]))
}

/// Which way the money went.
struct Mark {
    is_negative: bool,
    is_pending: bool,
}

impl Mark {
    /// `C`, `D`, `RC`, `RD`, `EC`, `ED`, and perhaps the last letter of the currency, up to the amount. The reversal of
    /// a credit takes money away.
    fn parse(text: &str) -> Result<(Self, &str), Refusal> {
        let length = text.bytes().take_while(u8::is_ascii_alphabetic).take(3).count();
        let (letters, rest) = text.split_at(length);
        let upper = letters.to_ascii_uppercase();
        let mark = |is_negative, is_pending| Ok((Self { is_negative, is_pending }, rest));
        match upper.as_bytes() {
            [b'C'] | [b'C', _] => mark(false, false),
            [b'D'] | [b'D', _] => mark(true, false),
            [b'R', b'C'] | [b'R', b'C', _] => mark(true, false),
            [b'R', b'D'] | [b'R', b'D', _] => mark(false, false),
            [b'E', b'C'] | [b'E', b'C', _] => mark(false, true),
            [b'E', b'D'] | [b'E', b'D', _] => mark(true, true),
            _ => {
                let reason = format!("{:?} says neither credit nor debit", sanitised(text, 20));
                Err((RejectCode::UnknownDirection, reason))
            }
        }
    }
}

/// Digits with a decimal comma, which some banks leave out where no decimals follow.
fn amount(text: &str, is_negative: bool, currency: Currency) -> Result<(Money, &str), Refusal> {
    let length = text.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b',' | b'.')).count();
    let (digits, rest) = text.split_at(length);
    if digits.is_empty() {
        return Err((RejectCode::MissingAmount, "the entry has no amount".into()));
    }
    let mut plain = String::with_capacity(1 + length);
    plain.push_str(if is_negative { "-" } else { "" });
    plain.extend(digits.chars().map(|c| if c == ',' { '.' } else { c }));
    let refused = |error| {
        let code = reject(error);
        (code, amount_reason(code, digits, currency))
    };
    Money::parse(&plain, currency).map(|money| (money, rest)).map_err(refused)
}

/// `N`, `F` or `S` and three characters.
fn kind_code(text: &str) -> (&str, &str) {
    let is_code = |code: &str| {
        code.starts_with(['N', 'F', 'S']) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    text.split_at_checked(4).filter(|(code, _)| is_code(code)).unwrap_or(("", text))
}

fn kind(code: &str, is_negative: bool) -> RowKind {
    match code.get(1..).unwrap_or_default() {
        "CHK" | "ECK" => RowKind::Check,
        "INT" => RowKind::Interest,
        "DIV" => RowKind::Dividend,
        "CHG" | "COM" | "BRF" => RowKind::Fee,
        "STO" => RowKind::RepeatPayment,
        "DDT" => RowKind::DirectDebit,
        _ if is_negative => RowKind::Debit,
        _ => RowKind::Credit,
    }
}

type References<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

/// The owner's reference, the bank's behind `//`, and what else stands on the line.
fn references(text: &str) -> References<'_> {
    if let Some((own, bank)) = text.split_once("//") {
        return (some(own), some(bank), None);
    }
    let end = text.char_indices().nth(REFERENCE).map_or(text.len(), |(at, _)| at);
    let (own, behind) = text.split_at(end);
    (some(own), None, some(behind))
}

fn some(text: &str) -> Option<&str> {
    let text = text.trim();
    let is_none = text.eq_ignore_ascii_case("NONREF") || text.eq_ignore_ascii_case("NOREF");
    (!text.is_empty() && !is_none).then_some(text)
}

/// Words in place of a reference that say where in `:86:` it stands.
fn is_pointer(reference: &str) -> bool {
    matches!(reference.trim_end_matches('+'), "EREF" | "KREF" | "MREF" | "MARF" | "PREF" | "CREF")
}
